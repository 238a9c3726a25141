#include "base/memory.h"

#include "base/pages.h"

#include <stdlib.h>
#include <string.h>

enum {
    ALIGN = 64,
    STEPS = 8,                         /* size classes of each doubling */
    SLACK = 8 << 20,                   /* bytes held above the most used of late */
    FADES = 16                         /* which each allocation lowers by 2^-16 */
};

struct lgi_free_block { lgi_free_block *next; };

static bool is_mapped(size_t size) { return LGI_MAPS_PAGES && size >= LGI_PAGE; }

static void *system_alloc(void *user, size_t size)
{
    (void)user;
    if (is_mapped(size))
        return lgi_map_pages(size);
    return aligned_alloc(ALIGN, (size + ALIGN - 1) & ~(size_t)(ALIGN - 1));
}

static void system_free(void *user, void *p, size_t size)
{
    (void)user;
    if (is_mapped(size))
        lgi_unmap_pages(p, size);
    else
        free(p);
}

lg_allocator lgi_system_allocator(void)
{
    return (lg_allocator){NULL, system_alloc, system_free};
}

/* The class of a size, and in *size what blocks of the class hold: multiples of 64 to
 * 512, then eight steps to each doubling, so that at most a ninth is wasted. */
static int size_class(size_t *size)
{
    size_t n = (*size + ALIGN - 1) / ALIGN;    /* in units of 64 bytes */
    if (n <= STEPS) {
        *size = (n ? n : 1) * ALIGN;
        return n ? (int)n - 1 : 0;
    }
    int log = 63 - __builtin_clzll(n - 1);     /* n - 1 >= 8, so log >= 3 */
    size_t step = (size_t)1 << (log - 3);
    size_t k = (n - 1) / step + 1;             /* 9..16 */
    *size = k * step * ALIGN;
    return STEPS + (log - 3) * STEPS + (int)k - 9;
}

/* Its inverse: what blocks of a class hold. */
static size_t class_size(int class)
{
    if (class < STEPS)
        return (size_t)(class + 1) * ALIGN;
    int log = (class - STEPS) / STEPS + 3, k = (class - STEPS) % STEPS + 9;
    return ((size_t)k << (log - 3)) * ALIGN;
}

int64_t lg_bytes(const lg_engine *E) { return E->held - E->cached - (int64_t)sizeof *E; }
int64_t lg_peak_bytes(const lg_engine *E) { return E->peak - (int64_t)sizeof *E; }

static void to_cache(lg_engine *E, void *p, int class)
{
    lgi_free_block *b = p;
    b->next = E->cache[class];
    E->cache[class] = b;
    E->cached += (int64_t)class_size(class);
}

/* NULL: there is none. */
static void *from_cache(lg_engine *E, int class)
{
    lgi_free_block *b = E->cache[class];
    if (b) {
        E->cache[class] = b->next;
        E->cached -= (int64_t)class_size(class);
    }
    return b;
}

static void give_back(lg_engine *E, int class)
{
    size_t size = class_size(class);
    E->held -= (int64_t)size;
    E->allocator.free(E->allocator.user, from_cache(E, class), size);
}

/* The smallest block that is enough, of the large ones, which are given back at once; or
 * the largest. -1: the cache is empty. */
static int class_to_give(const lg_engine *E, int64_t enough)
{
    int best = -1;
    for (int class = LGI_CLASSES - 1; class >= 0; class--) {
        int64_t size = (int64_t)class_size(class);
        if (best >= 0 && size < (enough > LGI_PAGE ? enough : LGI_PAGE))
            break;
        if (E->cache[class])
            best = class;
    }
    return best;
}

/* A mapped block's beginning, n bytes in large pages, goes back to the cache, as far as
 * there is a class for it; the rest is gone already. */
static void keep_beginning(lg_engine *E, char *p, size_t n)
{
    size_t size = n;
    int class = size_class(&size);
    class -= size > n;
    size = class_size(class);
    if (n < LGI_PAGE)
        return;
    if (size < n)
        lgi_unmap_pages(p + size, n - size);
    E->held += (int64_t)size;
    to_cache(E, p, class);
}

static size_t in_large_pages(size_t size) { return size & ~(size_t)(LGI_PAGE - 1); }

/* Of a block that is much larger than what is too much the end goes, else all of it. */
static void give_enough(lg_engine *E, int class, size_t enough)
{
    size_t size = class_size(class), n = in_large_pages(enough + LGI_PAGE - 1);
    bool ours = E->allocator.alloc == system_alloc && is_mapped(size);
    if (!ours || in_large_pages(size) < n + LGI_PAGE) {
        give_back(E, class);
        return;
    }
    char *p = from_cache(E, class);
    size_t stays = in_large_pages(size) - n;
    E->held -= (int64_t)size;
    lgi_unmap_pages(p + stays, size - stays);
    keep_beginning(E, p, stays);
}

/* Gives cached blocks back until no more than that much is held. */
static void trim_to(lg_engine *E, int64_t held)
{
    while (E->cached && E->held > held) {
        int64_t enough = E->held - held;
        give_enough(E, class_to_give(E, enough), (size_t)enough);
    }
}

/* Moves up to n bytes in large pages from a cached block; returns how many, 0 if there is
 * none to be had. */
static size_t move_from_cache(lg_engine *E, char *to, size_t n, bool *lost)
{
    int class = class_to_give(E, (int64_t)n);
    size_t size = class < 0 ? 0 : class_size(class);
    size_t whole = in_large_pages(size);
    if (whole == 0)
        return 0;
    char *from = from_cache(E, class);
    E->held -= (int64_t)size;
    if (size > whole)
        lgi_unmap_pages(from + whole, size - whole);
    n = n < whole ? n : whole;
    lgi_move_pages(to, from + whole - n, n, lost);
    keep_beginning(E, from, whole - n);
    return n;
}

/* A mapped block, of pages of cached ones as far as they go. NULL: there is none. */
static void *remake(lg_engine *E, size_t size)
{
    bool ours = E->allocator.alloc == system_alloc && is_mapped(size), lost = false;
    char *p = ours ? lgi_map_pages(size) : NULL;
    size_t whole = in_large_pages(size), n = p != NULL;
    for (size_t at = 0; n && at < whole && !lost; at += n)
        n = move_from_cache(E, p + at, whole - at, &lost);
    if (lost)
        lgi_unmap_pages(p, size);
    return lost ? NULL : p;
}

void lg_trim(lg_engine *E)
{
    for (int class = 0; class < LGI_CLASSES; class++)
        while (E->cache[class])
            give_back(E, class);
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

/* What would lead to more than was held of late is made of what is in the cache. Small
 * blocks change the sum by little: for them cached ones go only at twice the slack. */
static void *take(lg_engine *E, int class, size_t size)
{
    void *p = from_cache(E, class);
    if (p)
        return p;
    int64_t used = E->held - E->cached + (int64_t)size;
    int64_t most = (used > E->high ? used : E->high) + SLACK - (int64_t)size;
    if (E->held > most)
        p = remake(E, size);
    trim_to(E, is_mapped(size) ? most : most + SLACK);
    if (!p)
        p = E->allocator.alloc(E->allocator.user, size);
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
    int64_t used = E->held - E->cached;
    E->peak = E->peak > used ? E->peak : used;
    E->high = E->high > used ? E->high - ((E->high - used) >> FADES) : used;
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
    if (E->no_cache || E->held > E->high + 2 * SLACK) {
        E->held -= (int64_t)size;
        E->allocator.free(E->allocator.user, p, size);
        return;
    }
    to_cache(E, p, class);
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
