/* scan.h - running sums along an axis, and products of rows; both in double. */
#ifndef LG_KERNEL_SCAN_H
#define LG_KERNEL_SCAN_H
#include "tensor/tensor.h"

/* x and y are outer, size, stride. Sums run from the end where backward. */
void lgi_running_sums(lg_engine *E, bool backward, const lg_real *x, lg_real *y,
                      int64_t outer, int64_t size, int64_t stride);

/* to[i] is the product of row i of x, rows, n: 1 where n is 0. */
void lgi_row_products(lg_engine *E, const lg_real *x, lg_real *to, int64_t rows,
                      int64_t n);

#endif
