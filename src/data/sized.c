/* sized.c - blocks that remember their size, in a header that keeps them aligned. */
#include "data/sized.h"

#include "base/memory.h"

enum { SIZED_HEADER = 16 };

void *lgi_alloc_sized(lg_engine *E, size_t size)
{
    size_t all = size > SIZE_MAX - SIZED_HEADER ? SIZE_MAX : size + SIZED_HEADER;
    unsigned char *p = lgi_alloc(E, all);
    if (!p)
        return NULL;
    *(size_t *)(void *)p = all;
    return p + SIZED_HEADER;
}

void lgi_free_sized(lg_engine *E, void *p)
{
    unsigned char *block = p ? (unsigned char *)p - SIZED_HEADER : NULL;
    if (block)
        lgi_free(E, block, *(size_t *)(void *)block);
}
