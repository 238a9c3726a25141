/*
 * strided.h - blocks that are read at any strides: axes in another order, repeated, taken
 * along a diagonal, summed over.
 */
#ifndef LG_KERNEL_STRIDED_H
#define LG_KERNEL_STRIDED_H
#include "tensor/tensor.h"

enum { LGI_MAX_STRIDED = 64 };

/* Axes that the result keeps, in its order, and then those that are summed over. */
typedef struct lgi_strided {
    int kept, summed;
    int64_t dim[LGI_MAX_STRIDED], stride[LGI_MAX_STRIDED];
} lgi_strided;

/* Fills to, row-major. Sums are in double, in row-major order. */
void lgi_sum_strided(lg_engine *E, const lgi_strided *s, const lg_real *from,
                     lg_real *to);

/* to[i] = the sum of a[i][k] b[i][k] over k, for n rows of k; in double. */
void lgi_row_dots(lg_engine *E, const lg_real *a, const lg_real *b, lg_real *to,
                  int64_t n, int64_t k);

#endif
