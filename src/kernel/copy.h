/* copy.h - numbers moved: rows at a stride, and axes in another order. */
#ifndef LG_KERNEL_COPY_H
#define LG_KERNEL_COPY_H
#include "tensor/tensor.h"

/* Copies rows of n numbers; row i is at i * step. Zeros where from is NULL. */
void lgi_copy_rows(lg_engine *E, lg_real *to, int64_t to_step, const lg_real *from,
                   int64_t from_step, int64_t n, int64_t rows);

/* y is x with axis axes[i] of x, from 0, as its axis i. */
void lgi_permute(lg_engine *E, const lg_tensor *y, const lg_tensor *x, const int *axes);

#endif
