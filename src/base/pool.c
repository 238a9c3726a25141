/*
 * pool.c - threads that share the pieces of a loop.
 *
 * A script makes thousands of loops a second that last some microseconds each, and waking
 * a sleeping thread takes as long. So who waits, a member for the next loop or the owner
 * for the last pieces, first watches a word in memory for a while, and only then sleeps.
 * Nobody waits for a member that comes too late to get a piece.
 *
 * Each worker begins with a share of the pieces of its own, the same in all loops of that
 * many pieces, so that it finds in its cache what it wrote in the loop before; when it
 * has done them it helps with the shares of others.
 */
#include "base/pool.h"

#include "base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

enum { TASK_NONE, TASK_QUEUED, TASK_BEGUN };

/* How long one watches before one sleeps, and looks between two at the clock. */
enum { WATCH_NANOSECONDS = 100000, LOOKS = 32 };

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

/* The next piece of a share: the loop that it belongs to above, the piece below. A share
 * that has an older loop's number has not been begun. */
typedef struct share { _Alignas(64) _Atomic uint64_t next; } share;

enum { LOOP_SHIFT = 28, PIECE_MASK = (1 << LOOP_SHIFT) - 1 };

/* What a thread read of the current loop. */
typedef struct loop_view {
    uint64_t number, pieces, shares;
    lgi_piece *run;
    void *job;
} loop_view;

struct lgi_pool {
    lg_engine *engine;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    int members;                       /* threads besides the engine's own */
    bool watch;                        /* each thread has a core: it may watch */
    bool running;

    background back;
    lgi_owned owned;                   /* while tasks may be in hand: see own_again */
    bool listed;

    /* The current loop. Its number is odd while it is being set. What is written often
     * lies apart from what is watched. */
    _Alignas(64) _Atomic uint64_t loop;
    _Atomic bool closing;
    _Atomic int asleep;                /* members */
    _Atomic(lgi_piece *) run;
    _Atomic(void *) job;
    _Atomic uint64_t pieces;
    _Alignas(64) _Atomic uint64_t finished;    /* pieces */
    _Atomic bool owner_asleep;

    share *share;                      /* one for each thread */
    member *member;
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static int64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

typedef bool awaited(lgi_pool *p, uint64_t what);

static bool is_next_loop(lgi_pool *p, uint64_t seen)
{
    uint64_t loop = atomic_load(&p->loop);
    return (loop != seen && loop % 2 == 0) || atomic_load(&p->closing);
}

static bool is_finished(lgi_pool *p, uint64_t pieces)
{
    return atomic_load(&p->finished) == pieces;
}

/* False: it has not come, and one had better sleep. */
static bool watch_for(lgi_pool *p, awaited *come, uint64_t what)
{
    if (come(p, what))
        return true;
    if (!p->watch)
        return false;
    for (int64_t end = nanoseconds() + WATCH_NANOSECONDS; nanoseconds() < end;)
        for (int i = 0; i < LOOKS; i++) {
            if (come(p, what))
                return true;
            pause_briefly();
        }
    return false;
}

static void await_loop(lgi_pool *p, uint64_t seen)
{
    if (watch_for(p, is_next_loop, seen))
        return;
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->asleep, 1);
    while (!is_next_loop(p, seen))
        pthread_cond_wait(&p->work, &p->lock);
    atomic_fetch_sub(&p->asleep, 1);
    pthread_mutex_unlock(&p->lock);
}

static void await_pieces(lgi_pool *p, uint64_t pieces)
{
    if (watch_for(p, is_finished, pieces))
        return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->owner_asleep, true);
    while (!is_finished(p, pieces))
        pthread_cond_wait(&p->done, &p->lock);
    atomic_store(&p->owner_asleep, false);
    pthread_mutex_unlock(&p->lock);
}

/* Members before they sleep, and the owner before it does, say so and look once more;
 * who has something for them sets it and then looks whether they sleep. */
static void add_finished(lgi_pool *p, uint64_t done, uint64_t pieces)
{
    if (atomic_fetch_add(&p->finished, done) + done < pieces
        || !atomic_load(&p->owner_asleep))
        return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_signal(&p->done);
    pthread_mutex_unlock(&p->lock);
}

/* False: a new one is being set. */
static bool view_loop(lgi_pool *p, loop_view *v)
{
    v->number = atomic_load(&p->loop);
    v->run = atomic_load(&p->run);
    v->job = atomic_load(&p->job);
    v->pieces = atomic_load(&p->pieces);
    uint64_t threads = (uint64_t)p->members + 1;
    v->shares = v->pieces < threads ? v->pieces : threads;
    return v->number % 2 == 0 && atomic_load(&p->loop) == v->number;
}

/*
 * Computes what is left of a share, and returns how many pieces. A claim succeeds only
 * while the share is as it was read: so one on a loop that is over, which has left no
 * share unclaimed, gets nothing.
 */
static uint64_t work_on_share(lgi_pool *p, const loop_view *v, uint64_t i, int worker)
{
    const uint64_t mine = v->number << LOOP_SHIFT;
    const uint64_t first = v->pieces * i / v->shares;
    const uint64_t end = v->pieces * (i + 1) / v->shares;
    uint64_t done = 0, at = atomic_load(&p->share[i].next);
    for (;;) {
        bool begun = (at & ~(uint64_t)PIECE_MASK) == mine;
        uint64_t piece = begun ? at & PIECE_MASK : first;
        if (piece >= end || (!begun && atomic_load(&p->loop) != v->number))
            return done;
        bool skip = atomic_load_explicit(&p->engine->interrupt, memory_order_relaxed);
        uint64_t n = skip ? end - piece : 1;
        if (!atomic_compare_exchange_weak(&p->share[i].next, &at, mine | (piece + n)))
            continue;
        if (!skip)
            v->run(v->job, (int64_t)piece, worker);
        done += n;
        at = atomic_load(&p->share[i].next);
    }
}

static void work(lgi_pool *p, int worker)
{
    loop_view v;
    uint64_t done = 0;
    if (!view_loop(p, &v))
        return;
    for (uint64_t i = 0; i < v.shares; i++)
        done += work_on_share(p, &v, ((uint64_t)worker + i) % v.shares, worker);
    if (done)
        add_finished(p, done, v.pieces);
}

static void *live(void *arg)
{
    member *m = arg;
    lgi_pool *p = m->pool;
    for (uint64_t seen = 0;;) {
        await_loop(p, seen);
        if (atomic_load(&p->closing))
            return NULL;
        seen = atomic_load(&p->loop);
        work(p, m->worker);
    }
}

static size_t pool_size(const lg_engine *E)
{
    return sizeof(lgi_pool) + (size_t)E->threads * (sizeof(share) + sizeof(member));
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
    p->watch = lgi_count_cores() >= E->threads;
    p->share = (share *)(p + 1);
    p->member = (member *)(p->share + E->threads);
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

static void set_loop(lgi_pool *p, uint64_t pieces, lgi_piece *run, void *job)
{
    atomic_fetch_add(&p->loop, 1);
    atomic_store(&p->run, run);
    atomic_store(&p->job, job);
    atomic_store(&p->pieces, pieces);
    atomic_store(&p->finished, 0);
    atomic_fetch_add(&p->loop, 1);
}

/* No more of those that sleep than there are pieces for. */
static void wake_members(lgi_pool *p, uint64_t pieces)
{
    int asleep = atomic_load(&p->asleep);
    if (asleep == 0)
        return;
    pthread_mutex_lock(&p->lock);
    if (pieces > (uint64_t)asleep)
        pthread_cond_broadcast(&p->work);
    else
        for (uint64_t i = 1; i < pieces; i++)
            pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

void lgi_parallel(lg_engine *E, int64_t pieces, lgi_piece *run, void *job)
{
    if (pieces > 1 && E->threads > 1 && !E->pool)
        start(E);
    lgi_pool *p = E->pool;
    if (pieces <= 1 || pieces >= PIECE_MASK || E->threads <= 1 || !p || p->members == 0
        || p->running) {
        run_alone(E, pieces, run, job);
        return;
    }
    p->running = true;
    set_loop(p, (uint64_t)pieces, run, job);
    wake_members(p, (uint64_t)pieces);
    work(p, 0);
    await_pieces(p, (uint64_t)pieces);
    p->running = false;
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
    atomic_store(&p->closing, true);
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
