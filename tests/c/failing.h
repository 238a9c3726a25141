/* failing.h - an allocator that counts its calls and fails one, or all from one on. */
#ifndef LG_TEST_FAILING_H
#define LG_TEST_FAILING_H
#include "lugano.h"

#include <stdlib.h>

typedef struct failing {
    int64_t calls, at;                 /* at: which fails first, from 1; 0: none */
    bool for_ever;
} failing;

static void *failing_alloc(void *user, size_t size)
{
    failing *f = user;
    f->calls++;
    if (f->at && (f->calls == f->at || (f->for_ever && f->calls > f->at)))
        return NULL;
    return aligned_alloc(64, (size + 63) & ~(size_t)63);
}

static void failing_free(void *user, void *p, size_t size)
{
    (void)user, (void)size;
    free(p);
}
#endif
