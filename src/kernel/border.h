/* border.h - a block of numbers within a larger or a smaller one. */
#ifndef LG_KERNEL_BORDER_H
#define LG_KERNEL_BORDER_H
#include "tensor/tensor.h"

/* y[i] = x[i - before] where there is such a number, and value elsewhere; before, one an
 * axis, may be negative, and y of any size. */
void lgi_set_border(lg_engine *E, const lg_tensor *x, const lg_tensor *y,
                    const int64_t *before, lg_real value);

#endif
