/*
 * philox.h - runs of Philox blocks, many at once.
 *
 * The words are the same bits however they are made: vectors do what lgi_philox does.
 */
#ifndef LG_BASE_PHILOX_H
#define LG_BASE_PHILOX_H
#include "base/random.h"

/* to[4 i + k] is word k of block first + i, for i < blocks. */
void lgi_philox_run(lgi_cpu cpu, lgi_stream s, uint64_t first, int64_t blocks,
                    uint32_t *to);

#endif
