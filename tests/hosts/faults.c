/* faults.c - a host whose memory fails: at each allocation of a script in turn, once or
 * from then on. What comes is success or LG_ENOMEM, and lg_close gives all back. */
#include <lugano_lua.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const script =
    "local lg = require 'lugano'\n"
    "local rows = {}\n"
    "for i = 1, 100 do rows[i] = {i, i} end\n"
    "local f = coroutine.wrap(function() coroutine.yield(lg.tensor(rows)) end)\n"
    "local x = f():track()\n"
    "local twice = lg.custom { forward = function(v) return v * 2 end,\n"
    "                          backward = function(g) return g * 2 end }\n"
    "local y = lg.recompute(function(v) return twice(v) * v end, x)\n"
    "answer = lg.grad((x * y):sum(), x)\n";

typedef struct memory {
    long count, fail_at;               /* 0: never */
    int forever;
} memory;

static void *take(void *user, size_t size)
{
    memory *m = user;
    m->count++;
    if (m->fail_at && (m->count == m->fail_at || (m->forever && m->count > m->fail_at)))
        return NULL;
    return aligned_alloc(64, (size + 63) & ~(size_t)63);
}

static void give(void *user, void *p, size_t size)
{
    (void)user;
    (void)size;
    free(p);
}

/* 1 if this is as it should be. */
static int try_script(memory *m)
{
    lg_allocator allocator = {m, take, give};
    lg_config config = LG_CONFIG_INIT;
    lg_engine *E;
    config.allocator = &allocator;
    config.no_cache = true;
    config.threads = 1;
    m->count = 0;
    if (lg_open(&E, &config) != LG_OK)
        return m->fail_at == 1;
    lg_status status = lg_run_string(E, script, "script");
    if (status == LG_OK && !lg_global(E, "answer"))
        status = lg_failure(E);
    int good = status == LG_OK || (status == LG_ENOMEM && m->fail_at);
    if (!good)
        printf("allocation %ld: status %d, %s\n", m->fail_at, (int)status, lg_message(E));
    long left = (long)lg_close(E);
    if (left)
        printf("allocation %ld: %ld bytes left\n", m->fail_at, left);
    return good && left == 0;
}

int main(void)
{
    memory m = {0, 0, 0};
    if (!try_script(&m))
        return 1;
    long all = m.count, bad = 0;
    for (m.forever = 0; m.forever < 2; m.forever++)
        for (m.fail_at = 1; m.fail_at <= all; m.fail_at++)
            bad += !try_script(&m);
    printf("%ld allocations, %ld faults\n", all, bad);
    return bad ? 1 : 0;
}
