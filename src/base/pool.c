#include "base/pool.h"

#include "base/memory.h"

#include <pthread.h>
#include <signal.h>

enum { TASK_NONE, TASK_QUEUED, TASK_BEGUN };

/* The thread of tasks, and their queue. */
typedef struct background {
    pthread_t thread;
    pthread_cond_t work, done;         /* with the pool's lock */
    bool there, closing;
    lgi_task *first, *last;
} background;

typedef struct member {
    lgi_pool *pool;
    pthread_t thread;
    int worker;
} member;

struct lgi_pool {
    lg_engine *engine;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    int members;                       /* threads besides the engine's own */
    int busy;                          /* members in the current loop */
    uint64_t round;                    /* number of the current loop */
    bool closing;

    lgi_piece *run;                    /* the current loop */
    void *job;
    int64_t pieces;
    _Atomic int64_t next;
    bool running;

    background back;
    lgi_owned owned;                   /* while tasks may be in hand: see own_again */
    bool listed;

    member member[];
};

static void work(lgi_pool *p, int worker)
{
    for (;;) {
        int64_t piece = atomic_fetch_add(&p->next, 1);
        if (piece >= p->pieces
            || atomic_load_explicit(&p->engine->interrupt, memory_order_relaxed))
            return;
        p->run(p->job, piece, worker);
    }
}

static void *live(void *arg)
{
    member *m = arg;
    lgi_pool *p = m->pool;
    uint64_t seen = 0;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->round == seen && !p->closing)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->closing)
            break;
        seen = p->round;
        pthread_mutex_unlock(&p->lock);
        work(p, m->worker);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static size_t pool_size(const lg_engine *E)
{
    return sizeof(lgi_pool) + (size_t)E->threads * sizeof(member);
}

/* Starts what threads it can: with fewer the results are the same. */
static void start(lg_engine *E)
{
    sigset_t all, before;
    lg_status before_this = E->status;
    lgi_pool *p = lgi_alloc0(E, pool_size(E));
    if (!p) {
        E->status = before_this;       /* without a pool loops run in this thread */
        return;
    }
    p->engine = E;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->done, NULL);
    pthread_cond_init(&p->back.work, NULL);
    pthread_cond_init(&p->back.done, NULL);
    E->pool = p;

    sigfillset(&all);                  /* signals are for the host's own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 0; i < E->threads - 1; i++) {
        member *m = &p->member[i];
        *m = (member){.pool = p, .worker = i + 1};
        if (pthread_create(&m->thread, NULL, live, m) != 0)
            break;
        p->members++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void run_alone(lg_engine *E, int64_t pieces, lgi_piece *run, void *job)
{
    for (int64_t i = 0; i < pieces; i++) {
        if (atomic_load_explicit(&E->interrupt, memory_order_relaxed))
            return;
        run(job, i, 0);
    }
}

void lgi_parallel(lg_engine *E, int64_t pieces, lgi_piece *run, void *job)
{
    if (pieces > 1 && E->threads > 1 && !E->pool)
        start(E);
    lgi_pool *p = E->pool;
    if (pieces <= 1 || E->threads <= 1 || !p || p->members == 0 || p->running) {
        run_alone(E, pieces, run, job);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->run = run;
    p->job = job;
    p->pieces = pieces;
    atomic_store(&p->next, 0);
    p->busy = p->members;
    p->round++;
    p->running = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);

    work(p, 0);

    pthread_mutex_lock(&p->lock);
    while (p->busy > 0)
        pthread_cond_wait(&p->done, &p->lock);
    p->running = false;
    pthread_mutex_unlock(&p->lock);
}

/* background */

static lgi_task *take_first(background *b)
{
    lgi_task *t = b->first;
    if (t)
        b->first = t->next;
    if (!b->first)
        b->last = NULL;
    return t;
}

/* Takes one out of the middle of the queue. */
static void take_task(background *b, lgi_task *t)
{
    lgi_task *before = NULL;
    for (lgi_task *at = b->first; at != t; at = at->next)
        before = at;
    if (before)
        before->next = t->next;
    else
        b->first = t->next;
    if (b->last == t)
        b->last = before;
}

static void *live_behind(void *arg)
{
    lgi_pool *p = arg;
    background *b = &p->back;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!b->first && !b->closing)
            pthread_cond_wait(&b->work, &p->lock);
        lgi_task *t = take_first(b);
        if (!t)
            break;
        t->state = TASK_BEGUN;
        pthread_mutex_unlock(&p->lock);
        t->run(t);
        pthread_mutex_lock(&p->lock);
        t->state = TASK_NONE;
        pthread_cond_broadcast(&b->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void start_background(lgi_pool *p)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    p->back.there = pthread_create(&p->back.thread, NULL, live_behind, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Finishes all tasks, and ends their thread. */
static void stop_background(lgi_pool *p)
{
    background *b = &p->back;
    if (p->listed)
        lgi_disown(&p->owned);
    p->listed = false;
    if (!b->there)
        return;
    pthread_mutex_lock(&p->lock);
    b->closing = true;
    pthread_cond_signal(&b->work);
    pthread_mutex_unlock(&p->lock);
    pthread_join(b->thread, NULL);
    b->there = b->closing = false;
}

static void on_destroy_pool(lg_engine *E, lgi_owned *o)
{
    (void)o;
    stop_background(E->pool);
}

/* lg_close destroys the newest first. So that no task reads what is gone, the pool is
 * made newer than all that the task knows. */
static void own_again(lg_engine *E, lgi_pool *p)
{
    if (p->listed)
        lgi_disown(&p->owned);
    lgi_own(E, &p->owned, on_destroy_pool);
    p->listed = true;
}

bool lgi_background(lg_engine *E, lgi_task *t)
{
    if (E->threads <= 1)
        return false;
    if (!E->pool)
        start(E);
    lgi_pool *p = E->pool;
    if (p && !p->back.there)
        start_background(p);
    if (!p || !p->back.there)
        return false;
    own_again(E, p);
    pthread_mutex_lock(&p->lock);
    t->state = TASK_QUEUED;
    t->next = NULL;
    if (p->back.last)
        p->back.last->next = t;
    else
        p->back.first = t;
    p->back.last = t;
    pthread_cond_signal(&p->back.work);
    pthread_mutex_unlock(&p->lock);
    return true;
}

void lgi_await(lg_engine *E, lgi_task *t)
{
    lgi_pool *p = E->pool;
    if (!p)
        return;                        /* closing it has finished all */
    pthread_mutex_lock(&p->lock);
    bool queued = t->state == TASK_QUEUED;
    if (queued) {
        take_task(&p->back, t);
        t->state = TASK_NONE;
    }
    while (t->state == TASK_BEGUN)
        pthread_cond_wait(&p->back.done, &p->lock);
    pthread_mutex_unlock(&p->lock);
    if (queued)
        t->run(t);
}

void lgi_close_pool(lg_engine *E)
{
    lgi_pool *p = E->pool;
    if (!p)
        return;
    stop_background(p);
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->members; i++)
        pthread_join(p->member[i].thread, NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->back.work);
    pthread_cond_destroy(&p->back.done);
    E->pool = NULL;
    lgi_free(E, p, pool_size(E));
}
