/*
 * index.h - numbers picked along one axis by whole numbers that count from 1, and the
 * transpose: numbers added back to where they were picked.
 */
#ifndef LG_KERNEL_INDEX_H
#define LG_KERNEL_INDEX_H
#include "tensor/tensor.h"

/* What is picked, a row-major block, and where its axes lie in source and index. */
typedef struct lgi_picked {
    int ndim;                          /* 1 at least */
    int axis;                          /* along which the index picks, from 0 */
    int64_t dim[LG_MAX_DIM];
    int64_t stride[LG_MAX_DIM];        /* in the source; of axis: from index to index */
    int64_t at[LG_MAX_DIM];            /* in the index; 0: the same for all */
} lgi_picked;

/* to[i, j, k] = from[i, index[i, j, k] - 1, k], where j is the axis. */
void lgi_pick(lg_engine *E, const lgi_picked *p, const lg_real *index,
              const lg_real *from, lg_real *to);

/* to[i, index[i, j, k] - 1, k] += from[i, j, k], with j from the first to the last. */
void lgi_add_picked(lg_engine *E, const lgi_picked *p, const lg_real *index,
                    const lg_real *from, lg_real *to);

#endif
