/* normal.h - numbers of a normal distribution from random words. */
#ifndef LG_BASE_NORMAL_H
#define LG_BASE_NORMAL_H
#include "base/engine.h"

/* Box and Muller 1958: to[i] and to[i + 1] from words i and i + 1, for even i below n,
 * which is even, too. The same bits on every machine, whatever its C library, but for
 * double. */
void lgi_normals(lgi_cpu cpu, const uint32_t *words, lg_real *to, int64_t n);

#endif
