/* clock.h - time, through the host's table. It decides nothing that a run computes. */
#ifndef LG_BASE_CLOCK_H
#define LG_BASE_CLOCK_H
#include "base/engine.h"

double lgi_now(lg_engine *E);          /* seconds, never backwards */
lg_clock lgi_system_clock(void);

#endif
