/*
 * memory.h - all memory of an engine, through the host's allocator.
 *
 * Blocks are aligned to 64 bytes and given back with their size. Freed blocks wait in a
 * cache, by size class, for the next of their kind: a training step asks for the same
 * sizes again and again.
 */
#ifndef LG_BASE_MEMORY_H
#define LG_BASE_MEMORY_H
#include "base/engine.h"

void *lgi_alloc(lg_engine *E, size_t size);         /* not cleared; NULL and a failure */
void *lgi_alloc0(lg_engine *E, size_t size);        /* cleared */
void lgi_free(lg_engine *E, void *p, size_t size);  /* p may be NULL */

/* Moves p to a block of another size. On failure NULL, and p stays. */
void *lgi_resize(lg_engine *E, void *p, size_t old, size_t size);

lg_allocator lgi_system_allocator(void);

#endif
