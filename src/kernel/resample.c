/* resample.c - sparse matrices made from rules, and the loop that applies two of them. */
#include "kernel/resample.h"

#include "base/pool.h"

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

typedef struct resample_job {
    const lg_real *x;                  /* planes,h,w: inputs of the two matrices */
    lg_real *y;
    lgi_taps tap[2];
    int64_t rows, rows_a_piece;        /* of y, in all planes */
    char *lines;                       /* one a worker */
    size_t line_bytes;
} resample_job;

/* A row of H x: the sum of some rows of a plane, or, where that is one row, itself. */
static const lg_real *mix_rows(const lgi_taps *t, int64_t i, const lg_real *plane,
                               int64_t w, lg_real *restrict line)
{
    int64_t k = t->first[i], end = t->first[i + 1];
    if (end - k == 1 && t->weight[k] == 1)
        return plane + t->at[k] * w;
    if (k == end)
        return NULL;
    const lg_real *row = plane + t->at[k] * w;
    lg_real weight = t->weight[k];
    for (int64_t j = 0; j < w; j++)
        line[j] = weight * row[j];
    for (k++; k < end; k++) {
        row = plane + t->at[k] * w;
        weight = t->weight[k];
        for (int64_t j = 0; j < w; j++)
            line[j] += weight * row[j];
    }
    return line;
}

static void mix_columns(const lgi_taps *t, const lg_real *row, lg_real *restrict y)
{
    const int64_t *restrict at = t->at;
    const lg_real *restrict weight = t->weight;
    for (int64_t j = 0; j < t->outputs; j++) {
        int64_t k = t->first[j], end = t->first[j + 1];
        lg_real sum = k < end ? weight[k] * row[at[k]] : 0;
        for (k++; k < end; k++)
            sum += weight[k] * row[at[k]];
        y[j] = sum;
    }
}

static void resample_piece(void *job, int64_t piece, int worker)
{
    const resample_job *r = job;
    const lgi_taps *h = &r->tap[0], *w = &r->tap[1];
    lg_real *line = (lg_real *)(void *)(r->lines + (size_t)worker * r->line_bytes);
    int64_t u = piece * r->rows_a_piece, end = u + r->rows_a_piece;
    for (end = end < r->rows ? end : r->rows; u < end; u++) {
        const lg_real *plane = r->x + u / h->outputs * h->inputs * w->inputs;
        const lg_real *row = mix_rows(h, u % h->outputs, plane, w->inputs, line);
        lg_real *y = r->y + u * w->outputs;
        if (row)
            mix_columns(w, row, y);
        else
            memset(y, 0, (size_t)w->outputs * sizeof *y);
    }
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
    int64_t work = (axis[0].most + 1) * r.tap[1].inputs
                   + (axis[1].most + 1) * r.tap[1].outputs + 1;
    r.rows_a_piece = work < RESAMPLE_PIECE ? RESAMPLE_PIECE / work : 1;
    lgi_parallel(E, (r.rows + r.rows_a_piece - 1) / r.rows_a_piece, resample_piece, &r);
}
