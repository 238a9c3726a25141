/* remap.c - numbers moved by a table for each axis. */
#include "kernel/remap.h"

#include "base/pool.h"

#include <string.h>

enum { REMAP_PIECE = 1 << 14, REMAP_PARTS = 8 };

typedef struct remap_job {
    lgi_remap m;
    const lg_real *from;
    lg_real *to;
    int64_t places, places_a_piece;

    /* The last axis in parts that read x in its order: where they begin, and its end. */
    int parts;                         /* 0: too many */
    int64_t part[REMAP_PARTS + 1];
    bool backward;                     /* all of it is read from its end */
} remap_job;

/* A row along the last axis: its indices on the others, and where it reads from. */
typedef struct remap_row {
    int64_t index[LG_MAX_DIM];
    const lg_real *from;
} remap_row;

static void find_remapped(const remap_job *r, int64_t row, remap_row *w)
{
    w->from = r->from;
    for (int i = r->m.ndim - 2; i >= 0; i--) {
        w->index[i] = row % r->m.dim[i];
        w->from += r->m.at[i][w->index[i]];
        row /= r->m.dim[i];
    }
}

static void next_remapped(const remap_job *r, remap_row *w)
{
    for (int i = r->m.ndim - 2; i >= 0; i--) {
        const int64_t *at = r->m.at[i];
        int64_t k = w->index[i], next = k + 1 < r->m.dim[i] ? k + 1 : 0;
        w->from += at[next] - at[k];
        w->index[i] = next;
        if (next)
            return;
    }
}

static void copy_backward(lg_real *restrict to, const lg_real *restrict from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = from[-i];
}

/* Places w .. end of a row, which is at to. */
static void remap_run(const remap_job *r, lg_real *to, const lg_real *from, int64_t w,
                      int64_t end)
{
    const int64_t *at = r->m.at[r->m.ndim - 1];
    int64_t run = r->m.run;
    if (r->backward) {
        copy_backward(to + w, from + at[w], end - w);
        return;
    }
    for (int k = 0; k < r->parts && w < end; k++) {
        int64_t stop = r->part[k + 1] < end ? r->part[k + 1] : end;
        if (w >= stop)
            continue;
        memcpy(to + w * run, from + at[w], (size_t)((stop - w) * run) * sizeof *to);
        w = stop;
    }
    for (; w < end && run == 1; w++)
        to[w] = from[at[w]];
    for (; w < end; w++)
        memcpy(to + w * run, from + at[w], (size_t)run * sizeof *to);
}

static void remap_piece(void *job, int64_t piece, int worker)
{
    const remap_job *r = job;
    int64_t width = r->m.dim[r->m.ndim - 1], i = piece * r->places_a_piece;
    int64_t stop = i + r->places_a_piece < r->places ? i + r->places_a_piece : r->places;
    (void)worker;
    int64_t row = i / width, w = i - row * width;
    remap_row at;
    for (find_remapped(r, row, &at); i < stop; row++, w = 0, next_remapped(r, &at)) {
        int64_t end = width - w < stop - i ? width : w + stop - i;
        remap_run(r, r->to + row * width * r->m.run, at.from, w, end);
        i += end - w;
    }
}

static void find_parts(remap_job *r)
{
    int64_t width = r->m.dim[r->m.ndim - 1], run = r->m.run;
    const int64_t *at = r->m.at[r->m.ndim - 1];
    r->backward = run == 1 && width > 1;
    for (int64_t i = 1; i < width && r->backward; i++)
        r->backward = at[i] == at[i - 1] - 1;
    r->parts = 1;
    for (int64_t i = 1; i < width && r->parts; i++)
        if (at[i] != at[i - 1] + run) {
            r->parts = r->parts < REMAP_PARTS ? r->parts + 1 : 0;
            r->part[r->parts ? r->parts - 1 : 0] = i;
        }
    r->part[0] = 0;
    r->part[r->parts] = width;
}

void lgi_remap_axes(lg_engine *E, const lgi_remap *m, const lg_real *from, lg_real *to)
{
    remap_job r = {*m, from, to, lgi_product_of(m->dim, m->ndim), 1, .parts = 0};
    if (r.places == 0 || m->run == 0)
        return;
    if (m->run < REMAP_PIECE)
        r.places_a_piece = REMAP_PIECE / m->run;
    find_parts(&r);
    lgi_parallel(E, (r.places + r.places_a_piece - 1) / r.places_a_piece, remap_piece,
                 &r);
}
