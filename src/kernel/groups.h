/* groups.h - gradients of what numbers normalized in groups are multiplied by, and of
 * what is added to them. */
#ifndef LG_KERNEL_GROUPS_H
#define LG_KERNEL_GROUPS_H
#include "base/engine.h"

/* x: n,groups,per,rest; mean and rstd: n,groups; dw and db: groups,per. */
typedef struct lgi_groups {
    int64_t n, groups, per, rest;
} lgi_groups;

/* dw = sum of g (x - mean) rstd and db = sum of g, over n and rest. */
void lgi_group_weights(lg_engine *E, const lgi_groups *s, const lg_real *g,
                       const lg_real *x, const lg_real *mean, const lg_real *rstd,
                       lg_real *dw, lg_real *db);

#endif
