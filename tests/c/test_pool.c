/* test_pool.c - work in the background: done once, in any state of things. */
#include "base/pool.h"

#include "test.h"

#include <time.h>

#define CHECK(ok) check(ok, "%s:%d: %s", __FILE__, __LINE__, #ok)

typedef struct counted_task {
    lgi_task task;
    int runs;
    int64_t sum;
} counted_task;

static void count_up(lgi_task *t)
{
    counted_task *c = (counted_task *)t;
    c->runs++;
    for (int64_t i = 0; i < 100000; i++)
        c->sum += i ^ c->runs;
}

static void add_piece(void *job, int64_t piece, int worker)
{
    (void)worker;
    ((int64_t *)job)[piece]++;
}

static void test_threads(int threads)
{
    enum { TASKS = 5, ROUNDS = 200 };
    counted_task t[TASKS] = {0};
    int64_t pieces[64] = {0};
    lg_config c = LG_CONFIG_INIT;
    lg_engine *E;
    for (int i = 0; i < TASKS; i++)
        t[i].task.run = count_up;
    c.threads = threads;
    CHECK(lg_open(&E, &c) == LG_OK);
    lgi_await(E, &t[0].task);                  /* was never queued */
    CHECK(t[0].runs == 0);
    for (int round = 1; round <= ROUNDS; round++) {
        for (int i = 0; i < TASKS; i++)
            if (!lgi_background(E, &t[i].task)) {
                CHECK(threads == 1);
                count_up(&t[i].task);
            }
        lgi_parallel(E, 64, add_piece, pieces);        /* meanwhile */
        if (round % 50 == 0)
            lgi_close_pool(E);
        for (int i = 0; i < TASKS; i++) {
            int which = round % 2 ? i : TASKS - 1 - i;     /* the last queued first */
            lgi_await(E, &t[which].task);
            CHECK(t[which].runs == round);
        }
    }
    for (int i = 0; i < 64; i++)
        CHECK(pieces[i] == ROUNDS);
    for (int i = 0; i < TASKS; i++)
        lgi_background(E, &t[i].task);
    CHECK(lg_close(E) == 0);                   /* finishes all that is queued */
    for (int i = 0; threads > 1 && i < TASKS; i++)
        CHECK(t[i].runs == ROUNDS + 1);
}

/* Loops that last no time, of any number of pieces, one after the other: each piece is
 * run once, by a worker that there is. */
typedef struct marks {
    int count[300], threads;
    atomic_int wrong;
} marks;

static void mark_piece(void *job, int64_t piece, int worker)
{
    marks *m = job;
    m->count[piece]++;
    if (worker < 0 || worker >= m->threads)
        atomic_fetch_add(&m->wrong, 1);
    for (volatile int i = 0; i < piece % 7 * 20; i++)
        ;                              /* some take longer */
}

static void test_short_loops(int threads)
{
    enum { LOOPS = 3000 };
    marks m[2] = {{.threads = threads}, {.threads = threads}};
    int expected[300] = {0};
    lg_config c = LG_CONFIG_INIT;
    lg_engine *E;
    c.threads = threads;
    CHECK(lg_open(&E, &c) == LG_OK);
    for (int i = 0; i < LOOPS; i++) {
        int pieces = i % 5 ? i % 9 : i % 300;
        lgi_parallel(E, pieces, mark_piece, &m[i % 2]);
        for (int k = 0; k < pieces; k++)
            expected[k]++;
        if (i % 1000 == 999)           /* they go to sleep */
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    for (int k = 0; k < 300; k++)
        CHECK(m[0].count[k] + m[1].count[k] == expected[k]);
    CHECK(m[0].wrong == 0 && m[1].wrong == 0);
    CHECK(lg_close(E) == 0);
}

typedef struct stopped { lg_engine *E; atomic_int runs; } stopped;

static void stop_piece(void *job, int64_t piece, int worker)
{
    stopped *s = job;
    (void)piece;
    (void)worker;
    if (atomic_fetch_add(&s->runs, 1) == 20)
        lg_interrupt(s->E);
}

/* Once interrupted a loop ends, and the next one, too, until the engine has said so. */
static void test_interrupted(int threads)
{
    lg_config c = LG_CONFIG_INIT;
    lg_engine *E;
    c.threads = threads;
    CHECK(lg_open(&E, &c) == LG_OK);
    stopped s = {.E = E};
    lgi_parallel(E, 100000, stop_piece, &s);
    CHECK(s.runs > 20 && s.runs <= 20 + threads);
    lgi_parallel(E, 100, stop_piece, &s);
    CHECK(s.runs <= 20 + threads);
    CHECK(lgi_interrupted(E) != LG_OK);
    s.runs = 100;
    lgi_parallel(E, 100, stop_piece, &s);
    CHECK(s.runs == 200);
    CHECK(lg_close(E) == 0);
}

int main(void)
{
    test_short_loops(1);
    test_short_loops(2);
    test_short_loops(5);
    test_short_loops(64);
    test_interrupted(1);
    test_interrupted(3);
    test_threads(1);
    test_threads(2);
    test_threads(4);
    return report();
}
