/*
 * index.c - numbers picked along one axis, and added back.
 *
 * Picking is cut anywhere. Adding is cut so that no two pieces write to the same place:
 * a unit has one place on each axis but the picking one, or a short run on the last.
 */
#include "kernel/index.h"

#include "base/pool.h"

#include <string.h>

enum { INDEX_PIECE = 1 << 14, INDEX_RUN = 64 };

typedef struct index_job {
    lgi_picked p;                      /* simplified */
    const lg_real *index, *from;
    lg_real *to;
    int64_t numel, width;              /* width: of the last axis */
    int64_t inner;                     /* places on the axes between axis and the last */
    int64_t runs, units, units_a_piece;        /* adding: units are outer, inner, runs */
} index_job;

/* Axes of size 1 go, and neighbors that lie alike everywhere become one. */
static void simplify_picked(lgi_picked *p)
{
    int n = 0, axis = p->axis;
    for (int i = 0; i < p->ndim; i++) {
        if (p->dim[i] == 1 && i != p->axis)
            axis -= i < p->axis;
        else {
            p->dim[n] = p->dim[i];
            p->stride[n] = p->stride[i];
            p->at[n++] = p->at[i];
        }
    }
    p->axis = axis;
    p->ndim = 0;
    for (int i = 0; i < n; i++) {
        int last = p->ndim - 1;
        bool alike = last >= 0 && i != axis && i - 1 != axis
                     && p->stride[last] == p->stride[i] * p->dim[i]
                     && p->at[last] == p->at[i] * p->dim[i];
        int64_t dim = alike ? p->dim[last] * p->dim[i] : p->dim[i];
        int to = alike ? last : p->ndim++;
        p->axis = i == axis ? to : p->axis;
        p->dim[to] = dim;
        p->stride[to] = p->stride[i];
        p->at[to] = p->at[i];
    }
}

static index_job plan_index(const lgi_picked *p, const lg_real *index,
                            const lg_real *from, lg_real *to)
{
    index_job s = {.p = *p, .index = index, .from = from, .to = to};
    simplify_picked(&s.p);
    int last = s.p.ndim - 1;
    s.numel = lgi_product_of(s.p.dim, s.p.ndim);
    s.width = s.p.dim[last];
    s.inner = lgi_product_of(s.p.dim + s.p.axis + 1, last - s.p.axis - 1);
    return s;
}

/* Where a row along the last axis begins. */
typedef struct index_place { int64_t source, index; } index_place;

static index_place row_place(const lgi_picked *p, int64_t row)
{
    index_place a = {0, 0};
    for (int i = p->ndim - 2; i >= 0; i--) {
        int64_t k = row % p->dim[i];
        a.source += i == p->axis ? 0 : k * p->stride[i];
        a.index += k * p->at[i];
        row /= p->dim[i];
    }
    return a;
}

static void pick_run(const index_job *s, int64_t row, int64_t w, int64_t end)
{
    const lgi_picked *p = &s->p;
    int last = p->ndim - 1;
    index_place a = row_place(p, row);
    const lg_real *index = s->index + a.index, *from = s->from + a.source;
    lg_real *to = s->to + row * s->width;
    int64_t hop = p->stride[p->axis], step = p->axis == last ? 0 : p->stride[last];
    int64_t at = p->at[last];
    if (at == 0 && step == 1)
        memcpy(to + w, from + w + ((int64_t)*index - 1) * hop,
               (size_t)(end - w) * sizeof *to);
    else
        for (; w < end; w++)
            to[w] = from[w * step + ((int64_t)index[w * at] - 1) * hop];
}

static void pick_piece(void *job, int64_t piece, int worker)
{
    const index_job *s = job;
    int64_t i = piece * INDEX_PIECE;
    int64_t stop = i + INDEX_PIECE < s->numel ? i + INDEX_PIECE : s->numel;
    (void)worker;
    while (i < stop) {
        int64_t row = i / s->width, w = i % s->width;
        int64_t end = s->width - w < stop - i ? s->width : w + stop - i;
        pick_run(s, row, w, end);
        i += end - w;
    }
}

void lgi_pick(lg_engine *E, const lgi_picked *p, const lg_real *index,
              const lg_real *from, lg_real *to)
{
    index_job s = plan_index(p, index, from, to);
    lgi_parallel(E, (s.numel + INDEX_PIECE - 1) / INDEX_PIECE, pick_piece, &s);
}

/* Along the last axis: number j goes where index j says. */
static void add_along(const lg_real *index, int64_t step, const lg_real *from,
                      int64_t size, int64_t hop, lg_real *to)
{
    for (int64_t j = 0; j < size; j++)
        to[((int64_t)index[j * step] - 1) * hop] += from[j];
}

/* A whole run to where one index says. */
static void add_run_of(const lg_real *restrict from, int64_t n, lg_real *restrict to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* One unit: the run w .. end of the last axis, unless that is the picking one. */
static void add_unit(const index_job *s, int64_t unit)
{
    const lgi_picked *p = &s->p;
    int last = p->ndim - 1;
    bool along = p->axis == last;
    int64_t size = p->dim[p->axis], hop = p->stride[p->axis], at = p->at[last];
    int64_t w = along ? 0 : unit % s->runs * INDEX_RUN, k = unit / s->runs;
    int64_t end = w + INDEX_RUN < s->width ? w + INDEX_RUN : s->width;
    int64_t rows = along ? 1 : s->inner;       /* from one j to the next, in from */
    int64_t first = along ? k : k / rows * size * rows + k % rows;
    index_place a = row_place(p, first);
    int64_t step = p->stride[last], next = rows * s->width;
    const lg_real *index = s->index + a.index, *from = s->from + first * s->width;
    lg_real *to = s->to + a.source;
    if (along) {
        add_along(index, at, from, size, hop, to);
        return;
    }
    for (int64_t j = 0; j < size; j++, index += p->at[p->axis], from += next)
        if (at == 0 && step == 1)
            add_run_of(from + w, end - w, to + w + ((int64_t)*index - 1) * hop);
        else
            for (int64_t i = w; i < end; i++)
                to[i * step + ((int64_t)index[i * at] - 1) * hop] += from[i];
}

static void add_piece(void *job, int64_t piece, int worker)
{
    const index_job *s = job;
    int64_t u = piece * s->units_a_piece;
    int64_t end = u + s->units_a_piece < s->units ? u + s->units_a_piece : s->units;
    (void)worker;
    for (; u < end; u++)
        add_unit(s, u);
}

void lgi_add_picked(lg_engine *E, const lgi_picked *p, const lg_real *index,
                    const lg_real *from, lg_real *to)
{
    index_job s = plan_index(p, index, from, to);
    if (s.numel == 0)
        return;
    bool along = s.p.axis == s.p.ndim - 1;
    s.runs = along ? 1 : (s.width + INDEX_RUN - 1) / INDEX_RUN;
    int64_t size = s.p.dim[s.p.axis];
    s.units = s.numel / size / (along ? 1 : s.width) * s.runs;
    int64_t work = size * (along ? 1 : s.width < INDEX_RUN ? s.width : INDEX_RUN);
    s.units_a_piece = work < INDEX_PIECE ? INDEX_PIECE / work : 1;
    lgi_parallel(E, (s.units + s.units_a_piece - 1) / s.units_a_piece, add_piece, &s);
}
