/* elementwise.c - the driver of elementwise loops: broadcasting, pieces, threads. */
#include "kernel/elementwise.h"

#include "base/cpu.h"
#include "base/pool.h"

#include <string.h>

enum { MAP_PIECE = 1 << 13, MAP_CHUNK = 1 << 9 };      /* numbers */
enum { MAP_SHORT = 16, MAP_STORE = 16 };              /* of a row; written at once */

/* The axes of the result, with those merged that all inputs walk through alike. */
typedef struct map_job {
    lgi_loop *loop;
    const void *p;
    lg_real *y;
    double *partial;                   /* a sum for each piece, where y is NULL */
    int64_t numel;
    int k, ndim;
    int64_t dim[LG_MAX_DIM];
    const lg_real *x[LGI_MAP_INPUTS];
    int64_t stride[LG_MAX_DIM][LGI_MAP_INPUTS];
} map_job;

/* How far each input moves along axis i of y. */
static void axis_strides(const lg_tensor *y, int k, lg_tensor *const *x, int i,
                         int64_t *stride)
{
    for (int j = 0; j < k; j++) {
        int own = i - (y->ndim - x[j]->ndim);
        bool moves = own >= 0 && x[j]->dim[own] != 1;
        stride[j] = moves ? lgi_product_of(x[j]->dim + own + 1, x[j]->ndim - own - 1) : 0;
    }
}

static bool merges(const map_job *m, const int64_t *inner, int64_t size)
{
    const int64_t *outer = m->stride[m->ndim - 1];
    for (int j = 0; j < m->k; j++)
        if (outer[j] != inner[j] * size)
            return false;
    return true;
}

static void plan_map(map_job *m, const lg_tensor *y, int k, lg_tensor *const *x)
{
    m->numel = y->numel;
    m->k = k;
    m->ndim = 0;
    for (int j = 0; j < k; j++)
        m->x[j] = x[j]->data;
    for (int i = 0; i < y->ndim; i++) {
        int64_t stride[LGI_MAP_INPUTS] = {0};
        if (y->dim[i] == 1)
            continue;
        axis_strides(y, k, x, i, stride);
        if (m->ndim && merges(m, stride, y->dim[i]))
            m->dim[m->ndim - 1] *= y->dim[i];
        else
            m->dim[m->ndim++] = y->dim[i];
        memcpy(m->stride[m->ndim - 1], stride, sizeof stride);
    }
    if (m->ndim == 0) {                /* one number */
        m->dim[m->ndim++] = 1;
        memset(m->stride[0], 0, sizeof m->stride[0]);
    }
}

/* Where a piece is: the index on the outer axes, and where the inputs' rows begin. */
typedef struct map_place {
    int64_t index[LG_MAX_DIM];
    const lg_real *row[LGI_MAP_INPUTS];
} map_place;

static void find_place(const map_job *m, int64_t row, map_place *w)
{
    for (int j = 0; j < m->k; j++)
        w->row[j] = m->x[j];
    for (int i = m->ndim - 2; i >= 0; i--) {
        w->index[i] = row % m->dim[i];
        row /= m->dim[i];
        for (int j = 0; j < m->k; j++)
            w->row[j] += w->index[i] * m->stride[i][j];
    }
}

static void next_row(const map_job *m, map_place *w)
{
    for (int i = m->ndim - 2; i >= 0; i--) {
        bool carry = ++w->index[i] == m->dim[i];
        int64_t by = carry ? m->dim[i] - 1 : 1;
        for (int j = 0; j < m->k; j++)
            w->row[j] += carry ? -by * m->stride[i][j] : m->stride[i][j];
        if (!carry)
            return;
        w->index[i] = 0;
    }
}

/* Each number of a column n times. It writes whole blocks, and so past the end. */
static void repeat_each(lg_real *to, const lg_real *from, int64_t stride, int64_t rows,
                        int64_t n)
{
    for (int64_t r = 0; r < rows; r++, to += n)
        for (int64_t i = 0; i < n; i += MAP_STORE)
            for (int j = 0; j < MAP_STORE; j++)
                to[i + j] = from[r * stride];
}

/* Rows of n, or the same row time and again where stride is 0. */
static void repeat_row(lg_real *to, const lg_real *from, int64_t stride, int64_t rows,
                       int64_t n)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++)
            to[r * n + i] = from[r * stride + i];
}

/* Rows that are too short for a loop of their own: it runs over all of them, from inputs
 * that are first written out side by side. They lie along the axis before the last. */
static void map_rows(const map_job *m, const map_place *w, int64_t rows, lg_real *to)
{
    lg_real held[LGI_MAP_INPUTS][MAP_CHUNK + MAP_STORE];
    const lg_real *from[LGI_MAP_INPUTS] = {0};
    int64_t n = m->dim[m->ndim - 1], step[LGI_MAP_INPUTS] = {0};
    for (int j = 0; j < m->k; j++) {
        int64_t inner = m->stride[m->ndim - 1][j], outer = m->stride[m->ndim - 2][j];
        bool fixed = inner == 0 && outer == 0, lies = inner == 1 && outer == n;
        from[j] = fixed || lies ? w->row[j] : held[j];
        step[j] = !fixed;
        if (!fixed && !lies && inner == 0)
            repeat_each(held[j], w->row[j], outer, rows, n);
        else if (!fixed && !lies)
            repeat_row(held[j], w->row[j], outer, rows, n);
    }
    m->loop(to, from, step, rows * n, m->p);
}

/* How many rows from here on map_rows may take, up to end. */
static int64_t short_rows(const map_job *m, const map_place *w, int64_t left)
{
    int64_t n = m->dim[m->ndim - 1];
    if (m->ndim < 2 || n > MAP_SHORT)
        return 0;
    int64_t rows = m->dim[m->ndim - 2] - w->index[m->ndim - 2];
    rows = rows < left / n ? rows : left / n;
    return rows < MAP_CHUNK / n ? rows : MAP_CHUNK / n;
}

/* To the last of some rows along the axis before the last. */
static void skip_rows(const map_job *m, map_place *w, int64_t rows)
{
    w->index[m->ndim - 2] += rows - 1;
    for (int j = 0; j < m->k; j++)
        w->row[j] += (rows - 1) * m->stride[m->ndim - 2][j];
}

/* The results at .. end of the flat order, to to. */
static void map_range(const map_job *m, int64_t at, int64_t end, lg_real *to)
{
    int64_t inner = m->dim[m->ndim - 1], column = at % inner;
    const int64_t *step = m->stride[m->ndim - 1];
    map_place w;

    for (find_place(m, at / inner, &w); at < end; next_row(m, &w), column = 0) {
        const lg_real *from[LGI_MAP_INPUTS] = {0};
        int64_t n = inner - column < end - at ? inner - column : end - at;
        int64_t rows = column == 0 ? short_rows(m, &w, end - at) : 0;
        if (rows > 1) {
            map_rows(m, &w, rows, to);
            skip_rows(m, &w, rows);
            n = rows * inner;
        } else {
            for (int j = 0; j < m->k; j++)
                from[j] = w.row[j] + column * step[j];
            m->loop(to, from, step, n, m->p);
        }
        to += n;
        at += n;
    }
}

static void map_piece(void *job, int64_t piece, int worker)
{
    const map_job *m = job;
    int64_t at = piece * MAP_PIECE;
    int64_t end = at + MAP_PIECE < m->numel ? at + MAP_PIECE : m->numel;
    (void)worker;
    map_range(m, at, end, m->y + at);
}

static void map_sum_piece(void *job, int64_t piece, int worker)
{
    const map_job *m = job;
    int64_t at = piece * MAP_PIECE;
    int64_t end = at + MAP_PIECE < m->numel ? at + MAP_PIECE : m->numel;
    double sum[8] = {0};
    (void)worker;
    while (at < end) {
        lg_real chunk[MAP_CHUNK];
        int64_t n = end - at < MAP_CHUNK ? end - at : MAP_CHUNK;
        map_range(m, at, at + n, chunk);
        for (int64_t i = n; i < MAP_CHUNK; i++)
            chunk[i] = 0;
        for (int i = 0; i < MAP_CHUNK; i += 8)
            for (int j = 0; j < 8; j++)
                sum[j] += (double)chunk[i + j];
        at += n;
    }
    m->partial[piece] = ((sum[0] + sum[1]) + (sum[2] + sum[3]))
                        + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

int64_t lgi_map_pieces(int64_t numel) { return (numel + MAP_PIECE - 1) / MAP_PIECE; }

void lgi_map(lg_engine *E, lgi_loop *loop, const lg_tensor *y, int k, lg_tensor *const *x,
             const void *p)
{
    map_job m = {.loop = loop, .p = p, .y = y->data};
    if (y->numel == 0)
        return;
    plan_map(&m, y, k, x);
    lgi_parallel(E, lgi_map_pieces(m.numel), map_piece, &m);
}

double lgi_map_sum(lg_engine *E, lgi_loop *loop, const lg_tensor *shape, int k,
                   lg_tensor *const *x, const void *p, double *partial)
{
    map_job m = {.loop = loop, .p = p, .partial = partial};
    int64_t pieces = lgi_map_pieces(shape->numel);
    double sum = 0;
    if (pieces == 0)
        return 0;
    plan_map(&m, shape, k, x);
    memset(partial, 0, (size_t)pieces * sizeof *partial);      /* if interrupted */
    lgi_parallel(E, pieces, map_sum_piece, &m);
    for (int64_t i = 0; i < pieces; i++)
        sum += partial[i];
    return sum;
}

LGI_ALWAYS_INLINE void copy_loop_any(LGI_LOOP_ARGS)
{
    (void)params;
    if (step[0])
        memcpy(to, from[0], (size_t)n * sizeof *to);
    else
        for (int64_t i = 0; i < n; i++)
            to[i] = *from[0];
}

LGI_LOOP(copy_loop)
LGI_WIDE(copy_loop)

void lgi_copy_loop(LGI_LOOP_ARGS) { copy_loop(to, from, step, n, params); }

lgi_loop *lgi_widest_copy(const lg_engine *E) { return LGI_WIDEST(E, copy_loop); }
