/*
 * profile.h - where the time goes: what is done again and again, by name.
 *
 * Off, a profile costs a look at a pointer. On, it has a row for each operator and each
 * type of optimizer that was at work.
 */
#ifndef LG_BASE_PROFILE_H
#define LG_BASE_PROFILE_H
#include "base/engine.h"

enum { LGI_PROFILE_NAME = 48, LGI_PROFILE_ROWS = 512 };    /* a power of two */

typedef struct lgi_profile_row {
    const void *key;                   /* NULL: nothing is here */
    char name[LGI_PROFILE_NAME];
    int64_t calls;
    double seconds, flops;
    double bytes;                      /* read and written */
    int64_t most;                      /* bytes that the largest call took */
} lgi_profile_row;

struct lgi_profile {
    lgi_owned owned;
    int rows;                          /* how many there are, */
    lgi_profile_row at[LGI_PROFILE_ROWS];      /* by a hash of their keys */
};

/* From here on; what there was is forgotten. */
lg_status lgi_open_profile(lg_engine *E);

/* When something begins, for the row that it adds to when it ends. */
double lgi_profile_start(lg_engine *E);

/* Something that took from `start` to now. key and name say what; the rest is of it. */
void lgi_profile_add(lg_engine *E, const void *key, const char *name, double start,
                     double flops, double bytes, int64_t took);

#endif
