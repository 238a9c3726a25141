/* norm.h - what the families of normalization share. */
#ifndef LG_OP_NORM_H
#define LG_OP_NORM_H
#include "op/op.h"

/* norm.c - the gradient for x {n,c,...} that comes through its mean and variance {c}, of
 * which the gradients are given; NULL is 0. */
lg_tensor *lgi_norm_by_statistics(lg_engine *E, lg_tensor *x, lg_tensor *mean,
                                  lg_tensor *gmean, lg_tensor *gvar);

/* The attributes of group_weight_back. */
typedef struct lgi_group_weight { int64_t groups; double eps; } lgi_group_weight;

#endif
