/*
 * pool.h - threads. pool.c is the only file that knows them.
 *
 * A loop is cut into pieces by its size alone, never by the number of threads, and each
 * piece is computed by one of them: so the results are the same bits on any number.
 */
#ifndef LG_BASE_POOL_H
#define LG_BASE_POOL_H
#include "base/engine.h"

/* Computes one piece. worker, below E->threads, is whose scratch it may use. */
typedef void lgi_piece(void *job, int64_t piece, int worker);

/* Runs all pieces, in any order. Once interrupted it skips the rest: see lgi_interrupted.
 * A piece must not start a parallel loop. */
void lgi_parallel(lg_engine *E, int64_t pieces, lgi_piece *run, void *job);

void lgi_close_pool(lg_engine *E);

#endif
