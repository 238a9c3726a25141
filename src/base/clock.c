#include "base/clock.h"

#include <time.h>

static double system_now(void *user)
{
    struct timespec t;
    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

lg_clock lgi_system_clock(void) { return (lg_clock){NULL, system_now}; }
double lgi_now(lg_engine *E) { return E->clock.now(E->clock.user); }
