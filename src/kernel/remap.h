/* remap.h - a block whose every axis reads another at indices of its own. */
#ifndef LG_KERNEL_REMAP_H
#define LG_KERNEL_REMAP_H
#include "tensor/tensor.h"

/* to[i, j, ...] = from[at[0][i] + at[1][j] + ...], `run` numbers at each place. */
typedef struct lgi_remap {
    int ndim;                          /* 1 at least */
    int64_t dim[LG_MAX_DIM];
    const int64_t *at[LG_MAX_DIM];
    int64_t run;
} lgi_remap;

void lgi_remap_axes(lg_engine *E, const lgi_remap *m, const lg_real *from, lg_real *to);

#endif
