/*
 * pages.h - large blocks: pages of the system, which can be moved from one to another.
 *
 * A new page costs more than what most operators do with it, since the system clears it
 * first. Moving those of a block that nobody needs costs next to nothing.
 */
#ifndef LG_BASE_PAGES_H
#define LG_BASE_PAGES_H
#include <stdbool.h>
#include <stddef.h>

enum { LGI_PAGE = 2 << 20 };           /* bytes of a large page */

/* Where this is so, blocks of a large page and more are mapped: aligned to it, and in
 * large pages as far as they go. Not where a sanitizer is to see their ends. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LGI_SEES_ENDS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LGI_SEES_ENDS 1
#endif
#if defined(__linux__) && !defined(LGI_SEES_ENDS)
#define LGI_MAPS_PAGES 1
#else
#define LGI_MAPS_PAGES 0
#endif

void *lgi_map_pages(size_t size);      /* NULL: there are none */
void lgi_unmap_pages(void *p, size_t size);

/* Moves n bytes, whole large pages both in from and to; from has none there afterwards.
 * False: some are not moved, and those of to are as new, or, if *lost, gone. */
bool lgi_move_pages(void *to, void *from, size_t n, bool *lost);

#endif
