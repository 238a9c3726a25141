/* resample.c - sparse matrices made from rules, and the loop that applies two of them. */
#include "kernel/resample.h"

#include "base/pool.h"
#include "kernel/elementwise.h"

#include <string.h>

enum { RESAMPLE_PIECE = 1 << 14 };     /* numbers that a piece reads and writes */

void lgi_tap(lgi_taps *t, double weight, int64_t at)
{
    int64_t k = t->first[t->outputs]++;
    t->at[k] = at;
    t->weight[k] = (lg_real)weight;
}

/* Reflection is at the middle of the last number, which is not repeated. */
static int64_t within_edge(lgi_edge edge, int64_t i, int64_t size)
{
    if (edge == LGI_EDGE_REFLECT)
        return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
    return i < 0 ? 0 : i >= size ? size - 1 : i;
}

void lgi_window_rule(lgi_taps *t, const lgi_axis *a, int64_t i)
{
    int64_t at = i * a->stride - a->before, k = 0, end = a->kernel;
    if (a->edge == LGI_EDGE_ZERO) {
        k = at < 0 ? -at : 0;
        end = at + end > a->from ? a->from - at : end;
    }
    for (; k < end; k++)
        lgi_tap(t, a->filter ? a->scale * a->filter[k] : a->scale,
                within_edge(a->edge, at + k, a->from));
}

/* Room for two matrices of each axis: as the rule says it, and transposed. */
static size_t axis_bytes(const lgi_axis *a)
{
    size_t entries = (size_t)(a->to * a->most), ends = (size_t)(a->to + a->from + 2);
    return ((2 * entries + ends) * sizeof(int64_t) + 2 * entries * sizeof(lg_real) + 63)
           & ~(size_t)63;
}

static size_t line_bytes(const lgi_axis *a)
{
    int64_t longest = a->from > a->to ? a->from : a->to;
    return ((size_t)longest * sizeof(lg_real) + 63) & ~(size_t)63;
}

size_t lgi_resample_scratch(lg_engine *E, const lgi_axis axis[2])
{
    return axis_bytes(&axis[0]) + axis_bytes(&axis[1])
           + (size_t)E->threads * line_bytes(&axis[1]);
}

static void make_taps(lgi_taps *t, const lgi_axis *a)
{
    t->inputs = a->from;
    t->first[0] = 0;
    for (t->outputs = 1; t->outputs <= a->to; t->outputs++) {
        t->first[t->outputs] = t->first[t->outputs - 1];
        a->rule(t, a, t->outputs - 1);
    }
    t->outputs = a->to;
}

/* In order of the outputs for each input, so that sums have one order. */
static void transpose_taps(lgi_taps *to, const lgi_taps *t)
{
    int64_t entries = t->first[t->outputs];
    to->outputs = t->inputs;
    to->inputs = t->outputs;
    memset(to->first, 0, (size_t)(to->outputs + 1) * sizeof *to->first);
    for (int64_t k = 0; k < entries; k++)
        to->first[t->at[k] + 1]++;
    for (int64_t i = 0; i < to->outputs; i++)
        to->first[i + 1] += to->first[i];
    for (int64_t i = 0; i < t->outputs; i++)
        for (int64_t k = t->first[i]; k < t->first[i + 1]; k++) {
            int64_t place = to->first[t->at[k]]++;
            to->at[place] = i;
            to->weight[place] = t->weight[k];
        }
    for (int64_t i = to->outputs; i > 0; i--)
        to->first[i] = to->first[i - 1];
    to->first[0] = 0;
}

static char *axis_taps(lgi_taps *t, const lgi_axis *a, bool transposed, char *scratch)
{
    int64_t entries = a->to * a->most;
    lgi_taps own, back;
    own.first = (int64_t *)(void *)scratch;
    back.first = own.first + a->to + 1;
    own.at = back.first + a->from + 1;
    back.at = own.at + entries;
    own.weight = (lg_real *)(back.at + entries);
    back.weight = own.weight + entries;
    make_taps(&own, a);
    if (transposed)
        transpose_taps(&back, &own);
    *t = transposed ? back : own;
    return scratch + axis_bytes(a);
}

/*
 * Where a matrix does the same again and again: phases outputs of count taps each, and
 * then the same, step inputs further on. Only the middle is like that, from first to end;
 * the edges are computed one by one.
 */
typedef struct tap_runs {
    int phases, step, count;           /* count 0: all is edge */
    int64_t first, end;                /* outputs */
    int64_t at;                        /* the first input of the first output */
    lg_real weight[2][4];
} tap_runs;

/* An output has neighboring inputs; those of the second phase begin so much later. */
LGI_ALWAYS_INLINE int later_phase(int phases, int count) { return phases == count; }

/* Are the taps of output b those of output a, moved by inputs? */
static bool taps_alike(const lgi_taps *t, int64_t a, int64_t b, int64_t by)
{
    int64_t i = t->first[a], k = t->first[b], n = t->first[a + 1] - i;
    if (t->first[b + 1] - k != n)
        return false;
    for (; n > 0; n--, i++, k++)
        if (t->at[k] != t->at[i] + by || t->weight[k] != t->weight[i])
            return false;
    return true;
}

static bool groups_alike(const lgi_taps *t, const tap_runs *r, int64_t a, int64_t b)
{
    for (int p = 0; p < r->phases; p++)
        if (!taps_alike(t, a + p, b + p, (b - a) / r->phases * r->step))
            return false;
    return true;
}

static tap_runs find_runs(const lgi_taps *t)
{
    tap_runs r = {.phases = 1, .step = 1};
    int64_t n = t->outputs, mid = n / 4 * 2;
    if (n == 2 * t->inputs)
        r.phases = 2;
    else if (t->inputs == 2 * n)
        r.step = 2;
    if (mid + r.phases > n)
        return r;
    r.first = mid;
    r.end = mid + r.phases;
    int64_t count = t->first[mid + 1] - t->first[mid];
    for (int64_t j = mid; j < r.end; j++)
        if (t->first[j + 1] - t->first[j] != count)
            return r;
    while (r.first >= r.phases && groups_alike(t, &r, mid, r.first - r.phases))
        r.first -= r.phases;
    while (r.end + r.phases <= n && groups_alike(t, &r, mid, r.end))
        r.end += r.phases;
    if (count > 4)
        return r;
    r.at = t->at[t->first[r.first]];
    for (int p = 0; p < r.phases; p++)
        for (int k = 0; k < count; k++) {
            int64_t entry = t->first[r.first + p] + k;
            if (t->at[entry] != r.at + p * later_phase(r.phases, (int)count) + k)
                return r;
            r.weight[p][k] = t->weight[entry];
        }
    r.count = (int)count;
    return r;
}

typedef struct resample_job {
    const lg_real *x;                  /* planes,h,w: inputs of the two matrices */
    lg_real *y;
    lgi_taps tap[2];
    tap_runs columns;
    int64_t rows, rows_a_piece;        /* of y, in all planes */
    char *lines;                       /* one a worker */
    size_t line_bytes;
} resample_job;

/* A row of H x: the sum of some rows of a plane, or, where that is one row, itself. */
LGI_ALWAYS_INLINE const lg_real *mix_rows(const lgi_taps *t, int64_t i,
                                          const lg_real *plane, int64_t w,
                                          lg_real *restrict line)
{
    int64_t k = t->first[i], end = t->first[i + 1];
    if (end - k == 1 && t->weight[k] == 1)
        return plane + t->at[k] * w;
    if (k == end)
        return NULL;
    const lg_real *row = plane + t->at[k] * w;
    lg_real weight = t->weight[k++];
    if (k < end) {
        const lg_real *next = plane + t->at[k] * w;
        lg_real more = t->weight[k++];
        for (int64_t j = 0; j < w; j++)
            line[j] = weight * row[j] + more * next[j];
    } else {
        for (int64_t j = 0; j < w; j++)
            line[j] = weight * row[j];
    }
    for (; k < end; k++) {
        row = plane + t->at[k] * w;
        weight = t->weight[k];
        for (int64_t j = 0; j < w; j++)
            line[j] += weight * row[j];
    }
    return line;
}

/* Outputs j .. end - 1 of a row. */
LGI_ALWAYS_INLINE void mix_columns(const lgi_taps *t, const lg_real *row,
                                   lg_real *restrict y, int64_t j, int64_t end)
{
    const int64_t *restrict at = t->at;
    const lg_real *restrict weight = t->weight;
    for (; j < end; j++) {
        int64_t k = t->first[j], last = t->first[j + 1];
        lg_real sum = k < last ? weight[k] * row[at[k]] : 0;
        for (k++; k < last; k++)
            sum += weight[k] * row[at[k]];
        y[j] = sum;
    }
}

/* The middle: phases, step and count are constants where this is inlined. */
LGI_ALWAYS_INLINE void mix_phases(const tap_runs *r, const lg_real *restrict row,
                                  lg_real *restrict y, const int phases, const int step,
                                  const int count)
{
    const int later = later_phase(phases, count);
    int64_t n = (r->end - r->first) / phases;
    lg_real weight[2][4];
    memcpy(weight, r->weight, sizeof weight);
    row += r->at;
    y += r->first;
    for (int64_t i = 0; i < n; i++)
        for (int p = 0; p < phases; p++) {
            lg_real sum = weight[p][0] * row[i * step + p * later];
            for (int k = 1; k < count; k++)
                sum += weight[p][k] * row[i * step + p * later + k];
            y[i * phases + p] = sum;
        }
}

LGI_ALWAYS_INLINE bool mix_middle(const tap_runs *r, const lg_real *row, lg_real *y)
{
    switch (r->phases * 100 + r->step * 10 + r->count) {
    case 211: mix_phases(r, row, y, 2, 1, 1); return true;     /* nearest, twice */
    case 122: mix_phases(r, row, y, 1, 2, 2); return true;     /* means of two */
    case 212: mix_phases(r, row, y, 2, 1, 2); return true;     /* bilinear, twice */
    case 124: mix_phases(r, row, y, 1, 2, 4); return true;     /* its transpose */
    case 113: mix_phases(r, row, y, 1, 1, 3); return true;     /* filters */
    case 114: mix_phases(r, row, y, 1, 1, 4); return true;
    default: return false;
    }
}

LGI_ALWAYS_INLINE void mix_row(const lgi_taps *t, const tap_runs *r, const lg_real *row,
                               lg_real *y)
{
    bool middle = mix_middle(r, row, y);
    mix_columns(t, row, y, 0, middle ? r->first : t->outputs);
    if (middle)
        mix_columns(t, row, y, r->end, t->outputs);
}

/* Does output i of the columns come of one input, as the one before it? */
LGI_ALWAYS_INLINE bool repeats_row(const lgi_taps *t, int64_t i)
{
    int64_t k = i > 0 ? t->first[i - 1] : 0;
    return i > 0 && t->first[i] == k + 1 && t->first[i + 1] == k + 2
           && t->at[k] == t->at[k + 1] && t->weight[k] == t->weight[k + 1];
}

LGI_ALWAYS_INLINE void resample_piece_any(void *job, int64_t piece, int worker)
{
    const resample_job *r = job;
    const lgi_taps *h = &r->tap[0], *w = &r->tap[1];
    lg_real *line = (lg_real *)(void *)(r->lines + (size_t)worker * r->line_bytes);
    int64_t u = piece * r->rows_a_piece, first = u, end = u + r->rows_a_piece;
    int64_t i = u % h->outputs, size = h->inputs * w->inputs;
    const lg_real *plane = r->x + u / h->outputs * size;
    for (end = end < r->rows ? end : r->rows; u < end; u++) {
        bool repeated = u > first && repeats_row(h, i);
        const lg_real *row = repeated ? NULL : mix_rows(h, i, plane, w->inputs, line);
        lg_real *y = r->y + u * w->outputs;
        if (repeated)
            memcpy(y, y - w->outputs, (size_t)w->outputs * sizeof *y);
        else if (!row)
            memset(y, 0, (size_t)w->outputs * sizeof *y);
        else
            mix_row(w, &r->columns, row, y);
        if (++i == h->outputs) {
            i = 0;
            plane += size;
        }
    }
}

static void resample_piece(void *job, int64_t piece, int worker)
{
    resample_piece_any(job, piece, worker);
}

LGI_AVX2_CODE static void resample_piece_avx2(void *job, int64_t piece, int worker)
{
    resample_piece_any(job, piece, worker);
}

LGI_AVX512_CODE static void resample_piece_avx512(void *job, int64_t piece, int worker)
{
    resample_piece_any(job, piece, worker);
}

void lgi_resample(lg_engine *E, const lgi_axis axis[2], bool transposed, int64_t planes,
                  const lg_real *x, lg_real *y, void *scratch)
{
    resample_job r = {.x = x, .y = y, .line_bytes = line_bytes(&axis[1])};
    if (planes == 0)
        return;
    char *rest = axis_taps(&r.tap[0], &axis[0], transposed, scratch);
    r.lines = axis_taps(&r.tap[1], &axis[1], transposed, rest);
    r.rows = planes * r.tap[0].outputs;
    r.columns = find_runs(&r.tap[1]);
    int64_t work = (axis[0].most + 1) * r.tap[1].inputs
                   + (axis[1].most + 1) * r.tap[1].outputs + 1;
    r.rows_a_piece = work < RESAMPLE_PIECE ? RESAMPLE_PIECE / work : 1;
    lgi_parallel(E, (r.rows + r.rows_a_piece - 1) / r.rows_a_piece,
                 LGI_WIDEST(E, resample_piece), &r);
}
