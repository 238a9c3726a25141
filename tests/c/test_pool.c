/* test_pool.c - work in the background: done once, in any state of things. */
#include "base/pool.h"

#include "test.h"

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

int main(void)
{
    test_threads(1);
    test_threads(2);
    test_threads(4);
    return report();
}
