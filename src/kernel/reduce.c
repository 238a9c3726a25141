/*
 * reduce.c - totals over some axes, in double.
 *
 * Axes of size 1 are dropped and neighbors of a kind merged. What remains is the kept
 * axes and the reduced ones. If the last axis is reduced, a total adds up runs; if it is
 * kept, a block of neighboring totals adds up rows, so that memory is read in order. A
 * piece is some of those blocks, or, where there are few of them, a slice of one.
 */
#include "kernel/reduce.h"

#include "base/pool.h"
#include "kernel/elementwise.h"

#include <math.h>
#include <string.h>

enum {
    REDUCE_PIECE = 1 << 15,            /* numbers read by a piece */
    REDUCE_WIDTH = 512,                /* totals in a block */
    REDUCE_MANY = 64,                  /* so many blocks need no slices */
    REDUCE_LANES = 16                  /* as many as the loops below join */
};

/* A walk through some axes in row-major order. */
typedef struct walked {
    int n;
    int64_t dim[LG_MAX_DIM], stride[LG_MAX_DIM];
    int64_t size;
} walked;

typedef struct reduce_plan {
    walked kept, reduced;              /* without the last axis, which is inner */
    bool by_rows;                      /* the inner axis is kept */
    int64_t inner, width;              /* by rows: totals of a row, and of a block */
    int64_t blocks, slices, slice;     /* slice: of the reduced axes */
    int64_t pieces, blocks_a_piece;
    int64_t totals, terms;             /* terms of each total */
} reduce_plan;

static void add_axis(walked *w, int64_t dim, int64_t stride, bool merge)
{
    if (merge) {
        w->dim[w->n - 1] *= dim;
        w->stride[w->n - 1] = stride;
    } else {
        w->dim[w->n] = dim;
        w->stride[w->n++] = stride;
    }
    w->size *= dim;
}

static int64_t reduce_pieces(int64_t a, int64_t b) { return (a + b - 1) / b; }

static void take_last(walked *w, int64_t *inner)
{
    *inner = w->n ? w->dim[--w->n] : 1;
    w->size /= *inner ? *inner : 1;
}

static void cut_pieces(reduce_plan *p)
{
    int64_t work = p->width * p->terms;        /* of a block */
    bool few = p->blocks < REDUCE_MANY && work >= 2 * REDUCE_PIECE;
    p->slice = few ? reduce_pieces(REDUCE_PIECE, p->width) : p->terms;
    if (few && !p->by_rows && p->inner < p->slice)     /* whole runs */
        p->slice -= p->slice % p->inner;
    p->slices = p->slice ? reduce_pieces(p->terms, p->slice) : 1;
    p->blocks_a_piece = few || work >= REDUCE_PIECE ? 1 : REDUCE_PIECE / (work + 1) + 1;
    p->pieces = reduce_pieces(p->blocks, p->blocks_a_piece) * p->slices;
}

static void plan_reduce(reduce_plan *p, const lg_tensor *x, lgi_axes axes)
{
    int64_t stride = x->numel;
    int last = -1;                     /* kind of the axis before */
    *p = (reduce_plan){.kept.size = 1, .reduced.size = 1};
    for (int i = 0; i < x->ndim && x->numel; i++) {
        int kind = axes >> i & 1;
        stride /= x->dim[i];
        if (x->dim[i] == 1)
            continue;
        add_axis(kind ? &p->reduced : &p->kept, x->dim[i], stride, kind == last);
        last = kind;
    }
    p->totals = p->kept.size;
    p->terms = p->reduced.size;
    p->by_rows = last == 0;
    take_last(p->by_rows ? &p->kept : &p->reduced, &p->inner);
    p->width = !p->by_rows ? 1 : p->inner < REDUCE_WIDTH ? p->inner : REDUCE_WIDTH;
    p->blocks = p->kept.size * (p->by_rows ? reduce_pieces(p->inner, p->width) : 1);
    if (x->numel == 0) {               /* nothing is added up */
        p->totals = 1;
        for (int i = 0; i < x->ndim; i++)
            p->totals *= axes >> i & 1 ? 1 : x->dim[i];
        p->terms = 0;
    }
    cut_pieces(p);
}

static int64_t offset_at(const walked *w, int64_t flat)
{
    int64_t offset = 0;
    for (int i = w->n - 1; i >= 0; i--) {
        offset += flat % w->dim[i] * w->stride[i];
        flat /= w->dim[i];
    }
    return offset;
}

/* Terms: count runs of n numbers, which begin stride apart, into a total, or a row of
 * numbers into as many, or runs that lie side by side into a total each. */
typedef struct reducer {
    double start;
    double (*runs)(const lg_real *x, int64_t stride, int64_t count, int64_t n,
                   double center);
    void (*row)(double *total, const lg_real *x, int64_t n, const double *center);
    void (*each)(double *total, const lg_real *x, int64_t runs, int64_t n,
                 const double *center);
    double (*join)(double a, double b);
} reducer;

#define REDUCER(name, first, expr)                                                      \
    LGI_ALWAYS_INLINE double name##_step(double t, double v, double c)                  \
    {                                                                                   \
        (void)c;                                                                        \
        return expr;                                                                    \
    }                                                                                   \
    LGI_ALWAYS_INLINE double name##_lanes(const lg_real *x, int64_t stride,             \
                                          int64_t count, int64_t n, double c, bool odd) \
    {                                                                                   \
        double lane[REDUCE_LANES];                                                      \
        int64_t whole = n - n % REDUCE_LANES;                                           \
        for (int j = 0; j < REDUCE_LANES; j++)                                          \
            lane[j] = first;                                                            \
        for (; count > 0; count--, x += stride) {                                       \
            for (int64_t i = 0; i < whole; i += REDUCE_LANES)                           \
                for (int j = 0; j < REDUCE_LANES; j++)                                  \
                    lane[j] = name##_step(lane[j], (double)x[i + j], c);                \
            for (int64_t i = whole; odd && i < n; i++)                                  \
                lane[i - whole] = name##_step(lane[i - whole], (double)x[i], c);        \
        }                                                                               \
        for (int j = 0; j < 8; j++)                                                     \
            lane[j] = name##_join(lane[j], lane[j + 8]);                                \
        for (int j = 0; j < 4; j++)                                                     \
            lane[j] = name##_join(lane[j], lane[j + 4]);                                \
        double even = name##_join(lane[0], lane[2]);                                    \
        return name##_join(even, name##_join(lane[1], lane[3]));                        \
    }                                                                                   \
    LGI_ALWAYS_INLINE double name##_runs_any(const lg_real *x, int64_t stride,          \
                                             int64_t count, int64_t n, double c)        \
    {                                                                                   \
        return n % REDUCE_LANES ? name##_lanes(x, stride, count, n, c, true)            \
                                : name##_lanes(x, stride, count, n, c, false);          \
    }                                                                                   \
    LGI_ALWAYS_INLINE void name##_row_any(double *restrict t, const lg_real *x,         \
                                          int64_t n, const double *c)                   \
    {                                                                                   \
        if (c)                                                                          \
            for (int64_t j = 0; j < n; j++)                                             \
                t[j] = name##_step(t[j], (double)x[j], c[j]);                           \
        else                                                                            \
            for (int64_t j = 0; j < n; j++)                                             \
                t[j] = name##_step(t[j], (double)x[j], 0);                              \
    }                                                                                   \
    LGI_ALWAYS_INLINE void name##_some(double *restrict t, const lg_real *x, int runs,  \
                                       int64_t n, const double *c)                      \
    {                                                                                   \
        double lane[REDUCE_LANES], center[REDUCE_LANES];                                \
        for (int j = 0; j < runs; j++) {                                                \
            lane[j] = first;                                                            \
            center[j] = c ? c[j] : 0;                                                   \
        }                                                                               \
        for (int64_t i = 0; i < n; i++)                                                 \
            for (int j = 0; j < runs; j++)                                              \
                lane[j] = name##_step(lane[j], (double)x[j * n + i], center[j]);        \
        for (int j = 0; j < runs; j++)                                                  \
            t[j] = lane[j];                                                             \
    }                                                                                   \
    LGI_ALWAYS_INLINE void name##_each_any(double *t, const lg_real *x, int64_t runs,   \
                                           int64_t n, const double *c)                  \
    {                                                                                   \
        int64_t k = 0;                                                                  \
        for (; n < REDUCE_LANES && k + REDUCE_LANES <= runs; k += REDUCE_LANES)         \
            name##_some(t + k, x + k * n, REDUCE_LANES, n, c ? c + k : NULL);           \
        for (; n < REDUCE_LANES && k < runs; k++)                                       \
            name##_some(t + k, x + k * n, 1, n, c ? c + k : NULL);                      \
        for (; k < runs; k++)                                                           \
            t[k] = name##_runs_any(x + k * n, 0, 1, n, c ? c[k] : 0);                   \
    }                                                                                   \
    REDUCER_FOR(name, plain, )                                                          \
    REDUCER_FOR(name, avx2, LGI_AVX2_CODE)                                              \
    REDUCER_FOR(name, avx512, LGI_AVX512_CODE)

#define REDUCER_FOR(name, set, code)                                                    \
    code static double name##_runs_##set(const lg_real *x, int64_t stride,              \
                                         int64_t count, int64_t n, double c)            \
    {                                                                                   \
        return name##_runs_any(x, stride, count, n, c);                                 \
    }                                                                                   \
    code static void name##_row_##set(double *t, const lg_real *x, int64_t n,           \
                                      const double *c)                                  \
    {                                                                                   \
        name##_row_any(t, x, n, c);                                                     \
    }                                                                                   \
    code static void name##_each_##set(double *t, const lg_real *x, int64_t runs,       \
                                       int64_t n, const double *c)                      \
    {                                                                                   \
        name##_each_any(t, x, runs, n, c);                                              \
    }

LGI_ALWAYS_INLINE double sum_join(double a, double b) { return a + b; }
LGI_ALWAYS_INLINE double squares_join(double a, double b) { return a + b; }
LGI_ALWAYS_INLINE double max_join(double a, double b)
{
    double top = b > a ? b : a;        /* two selections, which make no branch */
    return b != b ? b : top;
}
LGI_ALWAYS_INLINE double min_join(double a, double b)
{
    double least = b < a ? b : a;
    return b != b ? b : least;
}

REDUCER(sum, 0, t + v)
REDUCER(squares, 0, t + (v - c) * (v - c))
REDUCER(max, -INFINITY, max_join(t, v))
REDUCER(min, INFINITY, min_join(t, v))

#define REDUCER_OF(name, first, set)                                                    \
    {first, name##_runs_##set, name##_row_##set, name##_each_##set, name##_join}
#define REDUCERS(set)                                                                   \
    {                                                                                   \
        [LGI_SUM] = REDUCER_OF(sum, 0, set),                                            \
        [LGI_SUM_SQUARES] = REDUCER_OF(squares, 0, set),                                \
        [LGI_MAX] = REDUCER_OF(max, -INFINITY, set),                                    \
        [LGI_MIN] = REDUCER_OF(min, INFINITY, set),                                     \
    }

static const reducer reducers[3][4] = {REDUCERS(plain), REDUCERS(avx2),
                                       REDUCERS(avx512)};

typedef struct reduce_job {
    const reducer *how;
    reduce_plan plan;
    const lg_real *x;
    const double *center;
    double *partial;                   /* slices, totals */
} reduce_job;

/* The terms from .. end of total number k: whole runs, as many as are equally far apart,
 * or a part of one. */
static double total_of_runs(const reduce_job *r, int64_t k, int64_t from, int64_t end)
{
    const reduce_plan *p = &r->plan;
    const walked *w = &p->reduced;
    const lg_real *x = r->x + offset_at(&p->kept, k);
    double total = r->how->start, c = r->center ? r->center[k] : 0;
    for (int64_t at = from; at < end;) {
        int64_t row = at / p->inner, column = at - row * p->inner, count = 1, stride = 0;
        int64_t n = p->inner - column < end - at ? p->inner - column : end - at;
        if (n == p->inner && w->n) {
            int64_t dim = w->dim[w->n - 1], left = dim - row % dim;
            count = (end - at) / n < left ? (end - at) / n : left;
            stride = w->stride[w->n - 1];
        }
        const lg_real *first = x + offset_at(w, row) + column;
        total = r->how->join(total, r->how->runs(first, stride, count, n, c));
        at += count * n;
    }
    return total;
}

/* The terms from .. end of the totals of block k, a row at a time. */
static void totals_of_rows(const reduce_job *r, int64_t k, int64_t from, int64_t end,
                           double *out)
{
    const reduce_plan *p = &r->plan;
    int64_t a_row = reduce_pieces(p->inner, p->width), column = k % a_row * p->width;
    int64_t n = p->inner - column < p->width ? p->inner - column : p->width;
    int64_t first = k / a_row * p->inner + column;     /* number of the first total */
    const lg_real *x = r->x + offset_at(&p->kept, k / a_row) + column;
    double total[REDUCE_WIDTH];

    for (int64_t j = 0; j < n; j++)
        total[j] = r->how->start;
    for (int64_t i = from; i < end; i++)
        r->how->row(total, x + offset_at(&p->reduced, i), n,
                    r->center ? r->center + first : NULL);
    memcpy(out + first, total, (size_t)n * sizeof *total);
}

static void reduce_piece(void *job, int64_t piece, int worker)
{
    const reduce_job *r = job;
    const reduce_plan *p = &r->plan;
    int64_t slice = piece % p->slices, k = piece / p->slices * p->blocks_a_piece;
    int64_t last = k + p->blocks_a_piece < p->blocks ? k + p->blocks_a_piece : p->blocks;
    int64_t from = slice * p->slice;
    int64_t end = from + p->slice < p->terms ? from + p->slice : p->terms;
    double *out = r->partial + slice * p->totals;

    (void)worker;
    if (!p->by_rows && p->reduced.n == 0 && p->kept.n == 1 && p->slices == 1) {
        r->how->each(out + k, r->x + k * p->inner, last - k, p->inner,
                     r->center ? r->center + k : NULL);
        return;
    }
    for (; k < last; k++)
        if (p->by_rows)
            totals_of_rows(r, k, from, end, out);
        else
            out[k] = total_of_runs(r, k, from, end);
}

size_t lgi_reduce_bytes(const lg_tensor *x, lgi_axes axes)
{
    reduce_plan p;
    plan_reduce(&p, x, axes);
    int64_t rows = p.slices > 1 ? p.slices + 1 : 1;
    return (size_t)(rows * p.totals) * sizeof(double);
}

void lgi_reduce(lg_engine *E, lgi_term term, const lg_tensor *x, lgi_axes axes,
                const double *center, double *scratch)
{
    int set = E->cpu >= LGI_AVX512 ? 2 : E->cpu >= LGI_AVX2;
    const reducer *how = &reducers[set][term];
    reduce_job r = {.how = how, .x = x->data, .center = center};
    plan_reduce(&r.plan, x, axes);
    int64_t n = r.plan.totals;
    if (r.plan.terms == 0 || n == 0) {
        for (int64_t i = 0; i < n; i++)
            scratch[i] = r.how->start;
        return;
    }
    r.partial = r.plan.slices > 1 ? scratch + n : scratch;
    lgi_parallel(E, r.plan.pieces, reduce_piece, &r);
    if (r.plan.slices == 1)
        return;
    memcpy(scratch, r.partial, (size_t)n * sizeof *scratch);
    for (int64_t s = 1; s < r.plan.slices; s++)
        for (int64_t i = 0; i < n; i++)
            scratch[i] = r.how->join(scratch[i], r.partial[s * n + i]);
}

typedef struct finish_job {
    lgi_finish *f;
    double p;
    const double *total;
    lg_real *to;
    int64_t n;
} finish_job;

static void finish_piece(void *job, int64_t piece, int worker)
{
    const finish_job *j = job;
    int64_t i = piece * REDUCE_PIECE;
    int64_t end = i + REDUCE_PIECE < j->n ? i + REDUCE_PIECE : j->n;
    (void)worker;
    j->f(j->total + i, j->p, j->to + i, end - i);
}

void lgi_finish_totals(lg_engine *E, lgi_finish *f, double p, const double *total,
                       lg_real *to, int64_t n)
{
    finish_job j = {f, p, total, to, n};
    lgi_parallel(E, reduce_pieces(n, REDUCE_PIECE), finish_piece, &j);
}
