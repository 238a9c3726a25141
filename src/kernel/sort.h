/*
 * sort.h - numbers along one axis in order, and the place of the greatest or least.
 *
 * Equal numbers keep their order, -0 and 0 are equal, and a NaN is greater than any
 * number. Places count from 1.
 */
#ifndef LG_KERNEL_SORT_H
#define LG_KERNEL_SORT_H
#include "tensor/tensor.h"

/* x is outer, size, stride; what is written is outer, keep, stride. */
typedef struct lgi_lines {
    int64_t outer, size, stride;
    int64_t keep;                      /* the first so many */
    bool descending;
} lgi_lines;

size_t lgi_sort_bytes(const lg_engine *E, const lgi_lines *s);         /* of scratch */
void lgi_sort_lines(lg_engine *E, const lgi_lines *s, const lg_real *x, lg_real *values,
                    lg_real *places, void *scratch);

/* places: outer, stride; the first of equal numbers, or the first NaN. size is not 0. */
void lgi_find_extremes(lg_engine *E, const lgi_lines *s, const lg_real *x,
                       lg_real *places);

#endif
