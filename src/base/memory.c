#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, SLACK = 64 << 20 };         /* bytes the cache may hold besides used */

struct lgi_free_block { lgi_free_block *next; };

static void *system_alloc(void *user, size_t size)
{
    (void)user;
    return aligned_alloc(ALIGN, (size + ALIGN - 1) & ~(size_t)(ALIGN - 1));
}

static void system_free(void *user, void *p, size_t size)
{
    (void)user;
    (void)size;
    free(p);
}

lg_allocator lgi_system_allocator(void)
{
    return (lg_allocator){NULL, system_alloc, system_free};
}

/* The class of a size, and in *size what blocks of the class hold: multiples of 64 to
 * 512, then four steps to each doubling, so that at most a fifth is wasted. */
static int size_class(size_t *size)
{
    size_t n = (*size + ALIGN - 1) / ALIGN;    /* in units of 64 bytes */
    if (n <= 8) {
        *size = (n ? n : 1) * ALIGN;
        return n ? (int)n - 1 : 0;
    }
    int log = 63 - __builtin_clzll(n - 1);     /* n - 1 >= 8, so log >= 3 */
    size_t step = (size_t)1 << (log - 2);
    size_t k = (n - 1) / step + 1;             /* 5..8 */
    *size = k * step * ALIGN;
    return 8 + (log - 3) * 4 + (int)k - 5;
}

/* Its inverse: what blocks of a class hold. */
static size_t class_size(int class)
{
    if (class < 8)
        return (size_t)(class + 1) * ALIGN;
    int log = (class - 8) / 4 + 3, k = (class - 8) % 4 + 5;
    return ((size_t)k << (log - 2)) * ALIGN;
}

int64_t lg_bytes(const lg_engine *E) { return E->held - E->cached - (int64_t)sizeof *E; }
int64_t lg_peak_bytes(const lg_engine *E) { return E->peak - (int64_t)sizeof *E; }

void lg_trim(lg_engine *E)
{
    for (int class = 0; class < LGI_CLASSES; class++)
        while (E->cache[class]) {
            lgi_free_block *b = E->cache[class];
            size_t size = class_size(class);
            E->cache[class] = b->next;
            E->cached -= (int64_t)size;
            E->held -= (int64_t)size;
            E->allocator.free(E->allocator.user, b, size);
        }
}

static void *refuse(lg_engine *E, size_t size)
{
    if (E->limit && E->held - E->cached + (int64_t)size > E->limit)
        lgi_fail(E, LG_ENOMEM, "out of memory: %.1f MB more would pass the limit of "
                 "%.1f MB, with %.1f MB in use", (double)size / 1e6,
                 (double)E->limit / 1e6, (double)(E->held - E->cached) / 1e6);
    else
        lgi_fail(E, LG_ENOMEM, "out of memory: %.1f MB more could not be had, with "
                 "%.1f MB in use", (double)size / 1e6,
                 (double)(E->held - E->cached) / 1e6);
    return NULL;
}

static void *take(lg_engine *E, int class, size_t size)
{
    lgi_free_block *b = E->cache[class];
    if (b) {
        E->cache[class] = b->next;
        E->cached -= (int64_t)size;
        return b;
    }
    void *p = E->allocator.alloc(E->allocator.user, size);
    if (!p && E->cached) {
        lg_trim(E);
        p = E->allocator.alloc(E->allocator.user, size);
    }
    if (p)
        E->held += (int64_t)size;
    return p;
}

void *lgi_alloc(lg_engine *E, size_t size)
{
    if (size > PTRDIFF_MAX / 2)
        return refuse(E, size);
    int class = size_class(&size);
    if (E->limit && E->held - E->cached + (int64_t)size > E->limit)
        return refuse(E, size);
    void *p = take(E, class, size);
    if (!p)
        return refuse(E, size);
    if (E->peak < E->held - E->cached)
        E->peak = E->held - E->cached;
    return p;
}

void *lgi_alloc0(lg_engine *E, size_t size)
{
    void *p = lgi_alloc(E, size);
    if (p)
        memset(p, 0, size);
    return p;
}

void lgi_free(lg_engine *E, void *p, size_t size)
{
    if (!p)
        return;
    int class = size_class(&size);
    int64_t used = E->held - E->cached - (int64_t)size;
    if (E->no_cache || E->cached + (int64_t)size > used + SLACK) {
        E->held -= (int64_t)size;
        E->allocator.free(E->allocator.user, p, size);
        return;
    }
    lgi_free_block *b = p;
    b->next = E->cache[class];
    E->cache[class] = b;
    E->cached += (int64_t)size;
}

void *lgi_resize(lg_engine *E, void *p, size_t old, size_t size)
{
    size_t was = old, becomes = size;
    if (p && size_class(&was) == size_class(&becomes))
        return p;
    void *q = lgi_alloc(E, size);
    if (q && p)
        memcpy(q, p, old < size ? old : size);
    if (q)
        lgi_free(E, p, old);
    return q;
}
