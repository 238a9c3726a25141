/* remap.c - numbers moved by a table for each axis. */
#include "kernel/remap.h"

#include "base/pool.h"

#include <string.h>

enum { REMAP_PIECE = 1 << 14 };

typedef struct remap_job {
    lgi_remap m;
    const lg_real *from;
    lg_real *to;
    int64_t places, places_a_piece;
} remap_job;

/* Places w .. end of a row along the last axis. */
static void remap_run(const remap_job *r, int64_t row, int64_t w, int64_t end)
{
    int last = r->m.ndim - 1;
    const int64_t *at = r->m.at[last];
    int64_t run = r->m.run;
    lg_real *to = r->to + row * r->m.dim[last] * run;
    const lg_real *from = r->from;
    for (int i = last - 1; i >= 0; i--) {
        from += r->m.at[i][row % r->m.dim[i]];
        row /= r->m.dim[i];
    }
    if (run == 1)
        for (; w < end; w++)
            to[w] = from[at[w]];
    else
        for (; w < end; w++)
            memcpy(to + w * run, from + at[w], (size_t)run * sizeof *to);
}

static void remap_piece(void *job, int64_t piece, int worker)
{
    const remap_job *r = job;
    int64_t width = r->m.dim[r->m.ndim - 1], i = piece * r->places_a_piece;
    int64_t stop = i + r->places_a_piece < r->places ? i + r->places_a_piece : r->places;
    (void)worker;
    while (i < stop) {
        int64_t row = i / width, w = i % width;
        int64_t end = width - w < stop - i ? width : w + stop - i;
        remap_run(r, row, w, end);
        i += end - w;
    }
}

void lgi_remap_axes(lg_engine *E, const lgi_remap *m, const lg_real *from, lg_real *to)
{
    remap_job r = {*m, from, to, lgi_product_of(m->dim, m->ndim), 1};
    if (r.places == 0 || m->run == 0)
        return;
    if (m->run < REMAP_PIECE)
        r.places_a_piece = REMAP_PIECE / m->run;
    lgi_parallel(E, (r.places + r.places_a_piece - 1) / r.places_a_piece, remap_piece,
                 &r);
}
