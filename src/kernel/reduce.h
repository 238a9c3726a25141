/*
 * reduce.h - totals over some axes.
 *
 * Totals are accumulated in double, in lanes and pieces whose cuts depend on the shape
 * alone, and the partial totals of pieces are added in their order: so they are the same
 * bits on any number of threads, and for float inputs as good as exact.
 */
#ifndef LG_KERNEL_REDUCE_H
#define LG_KERNEL_REDUCE_H
#include "tensor/tensor.h"

typedef enum lgi_term {
    LGI_SUM,                           /* of x */
    LGI_SUM_SQUARES,                   /* of (x - center)^2 */
    LGI_MAX, LGI_MIN                   /* a NaN goes through */
} lgi_term;

/* A set of axes: bit i for axis i, from 0. */
typedef uint32_t lgi_axes;

/* Bytes of scratch, which begins with the totals. */
size_t lgi_reduce_bytes(const lg_tensor *x, lgi_axes axes);

/* Leaves the totals over axes at the beginning of scratch, in row-major order of the
 * other axes. center, one for each total, may be NULL: 0. */
void lgi_reduce(lg_engine *E, lgi_term term, const lg_tensor *x, lgi_axes axes,
                const double *center, double *scratch);

/* to[i] = what f makes of total[i] and p, in parallel. LGI_FINISH makes such a loop of
 * an expression of t and p. */
typedef void lgi_finish(const double *total, double p, lg_real *to, int64_t n);
#define LGI_FINISH(name, expr)                                                          \
    static void name(const double *restrict total, double p, lg_real *restrict to,      \
                     int64_t n)                                                         \
    {                                                                                   \
        for (int64_t i = 0; i < n; i++) {                                               \
            const double t = total[i];                                                  \
            to[i] = (lg_real)(expr);                                                    \
        }                                                                               \
    }

void lgi_finish_totals(lg_engine *E, lgi_finish *f, double p, const double *total,
                       lg_real *to, int64_t n);

#endif
