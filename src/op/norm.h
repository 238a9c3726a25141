/* norm.h - what the families of normalization share. */
#ifndef LG_OP_NORM_H
#define LG_OP_NORM_H
#include "kernel/channels.h"
#include "op/op.h"

/* norm.c - forward of a node x, w?, b? with results y, mean, var, x seen as s: a channel
 * k has weight and bias k % weights. There is a number at least. */
size_t lgi_norm_scratch(lgi_channels s);
void lgi_forward_norm(lg_engine *E, const lgi_node *n, lgi_channels s, int64_t weights,
                      double eps, void *scratch);

/* norm.c - the gradient for x {n,c,...} that comes through its mean and variance {c}, of
 * which the gradients are given; NULL is 0. */
lg_tensor *lgi_norm_by_statistics(lg_engine *E, lg_tensor *x, lg_tensor *mean,
                                  lg_tensor *gmean, lg_tensor *gvar);

/* The attributes of group_weight_back. */
typedef struct lgi_group_weight { int64_t groups; double eps; } lgi_group_weight;

#endif
