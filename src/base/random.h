/*
 * random.h - counter-based random numbers (Philox 4x32-10, Salmon et al. 2011).
 *
 * A number is a function of (seed, stream, index), so any part of a draw can be made
 * by any thread, a run is resumed by its counters, and one purpose cannot disturb
 * another. The script's own draws (randn, dropout, ...) are stream 0, at E->drawn.
 */
#ifndef LG_BASE_RANDOM_H
#define LG_BASE_RANDOM_H
#include "base/engine.h"

typedef struct lgi_stream {
    uint64_t seed, id;
} lgi_stream;

lgi_stream lgi_script_stream(const lg_engine *E);
lgi_stream lgi_named_stream(const lg_engine *E,
                            const char *name);                    /* "init:G.2.weight" */

/* Reserves n numbers of the script's stream and returns the index of the first. */
uint64_t lgi_draw(lg_engine *E, int64_t n);

void lgi_philox(lgi_stream s, uint64_t block, uint32_t out[4]);
double lgi_uniform_at(lgi_stream s, uint64_t index);              /* in [0, 1) */
uint64_t lgi_below(lgi_stream s, uint64_t index, uint64_t n);     /* 0 .. n-1 */

/* Fill in parallel; element i is number first + i of the stream. */
void lgi_fill_uniform(lg_engine *E, lgi_stream s, uint64_t first, lg_real *to, int64_t n);
void lgi_fill_normal(lg_engine *E, lgi_stream s, uint64_t first, lg_real *to, int64_t n);

/* 0 .. n-1 in an order that depends on the stream alone (Fisher and Yates). */
void lgi_permutation(lgi_stream s, int64_t n, int64_t *to);

#endif
