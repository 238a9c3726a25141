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

/*
 * Work behind the engine's back, one task after the other in one more thread: reading
 * ahead. run allocates nothing, fails nothing and does not look at the engine, since its
 * owner goes on using it; it reads what stays as it is, and writes what belongs to it.
 * The thread is made by the first task and sleeps when there is none.
 */
typedef struct lgi_task lgi_task;
struct lgi_task {
    void (*run)(lgi_task *t);
    lgi_task *next;                    /* in the queue */
    int state;                         /* pool.c's; 0: not in hand */
};

/* Queues a task, which must live until lgi_await. False, and nothing happens, where the
 * engine has but one thread: then its owner does the work when it needs it. */
bool lgi_background(lg_engine *E, lgi_task *t);

/* Until the task is done; one that nobody has begun is run here. One that was never
 * queued is done. */
void lgi_await(lg_engine *E, lgi_task *t);

void lgi_close_pool(lg_engine *E);     /* what was begun or queued is finished first */

#endif
