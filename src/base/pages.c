#include "base/pages.h"

#if LGI_MAPS_PAGES
#include <stdint.h>
#include <sys/mman.h>

enum { SMALL_PAGE = 4096, HOW = MAP_PRIVATE | MAP_ANONYMOUS };

static size_t small_pages(size_t size)
{
    return (size + SMALL_PAGE - 1) & ~(size_t)(SMALL_PAGE - 1);
}

static void ask_large(char *p, size_t size)
{
    madvise(p, size & ~(size_t)(LGI_PAGE - 1), MADV_HUGEPAGE);
}

void *lgi_map_pages(size_t size)
{
    size_t room = small_pages(size);
    char *p = mmap(NULL, room + LGI_PAGE, PROT_READ | PROT_WRITE, HOW, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)p & (LGI_PAGE - 1);
    if (before)
        munmap(p, before);
    munmap(p + before + room, LGI_PAGE - before);
    ask_large(p + before, room);
    return p + before;
}

void lgi_unmap_pages(void *p, size_t size) { munmap(p, small_pages(size)); }

/* One page after the other: what was moved before is not in one piece for the system. */
bool lgi_move_pages(void *to, void *from, size_t n, bool *lost)
{
    char *there = to, *here = from;
    for (size_t at = 0; at < n; at += LGI_PAGE) {
        void *p = mremap(here + at, LGI_PAGE, LGI_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                         there + at);
        if (p != MAP_FAILED)
            continue;
        p = mmap(there + at, LGI_PAGE, PROT_READ | PROT_WRITE, HOW | MAP_FIXED, -1, 0);
        *lost = p == MAP_FAILED;
        munmap(here + at, n - at);
        return false;
    }
    return true;
}

#else

void *lgi_map_pages(size_t size) { (void)size; return NULL; }
void lgi_unmap_pages(void *p, size_t size) { (void)p, (void)size; }

bool lgi_move_pages(void *to, void *from, size_t n, bool *lost)
{
    (void)to, (void)from, (void)n, (void)lost;
    return false;
}

#endif
