/*
 * after.h - an operator that is computed within another one's pass over memory, while
 * the numbers that it changes are still in the caches: what the other makes of its own,
 * it writes over.
 *
 * While an operator runs, E->after says what follows. A kernel that will run it on all of
 * the result, part by part, takes it; what nobody takes is run on the whole afterwards.
 */
#ifndef LG_KERNEL_AFTER_H
#define LG_KERNEL_AFTER_H
#include "tensor/tensor.h"

/* Parts begin at multiples of it, and end there or with the result. */
enum { LGI_PART = 16 };

typedef struct lgi_after {
    void (*part)(const lgi_node *n, int64_t from, int64_t count);      /* any thread */
    const lgi_node *n;
} lgi_after;

/* NULL: there is nothing to run, or the caller's parts don't fit. */
static inline const lgi_after *lgi_take_after(lg_engine *E, bool fits)
{
    const lgi_after *after = fits ? E->after : NULL;
    if (after)
        E->after = NULL;
    return after;
}

/* Some numbers of the result, from y on, are ready. */
static inline void lgi_run_after(const lgi_after *after, const lg_real *y, int64_t count)
{
    if (after)
        after->part(after->n, y - after->n->out->data, count);
}

#endif
