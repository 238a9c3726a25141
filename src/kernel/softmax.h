/* softmax.h - exponentials along one axis, divided by or added up to their sum. */
#ifndef LG_KERNEL_SOFTMAX_H
#define LG_KERNEL_SOFTMAX_H
#include "tensor/tensor.h"

typedef enum lgi_softmax_kind {
    LGI_SOFTMAX, LGI_LOG_SOFTMAX, LGI_LOGSUMEXP
} lgi_softmax_kind;

/* x is outer, size, stride, none of them 0; y is the same, or for LGI_LOGSUMEXP outer,
 * stride. */
void lgi_softmax(lg_engine *E, lgi_softmax_kind kind, const lg_real *x, lg_real *y,
                 int64_t outer, int64_t size, int64_t stride);

/* The gradient for x, from that of the result, g, and the result, y: of the first two
 * kinds. */
void lgi_softmax_back(lg_engine *E, lgi_softmax_kind kind, const lg_real *g,
                      const lg_real *y, lg_real *to, int64_t outer, int64_t size,
                      int64_t stride);

#endif
