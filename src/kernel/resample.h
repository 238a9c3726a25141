/*
 * resample.h - planes whose columns are mapped by one sparse matrix and whose rows by
 * another: y = H x W^T. So images are enlarged, pooled, blurred and mirrored at their
 * edges.
 *
 * A matrix is a rule that says the taps of one output. The gradient of such a map is the
 * same loop with both matrices transposed, which is done here, too.
 */
#ifndef LG_KERNEL_RESAMPLE_H
#define LG_KERNEL_RESAMPLE_H
#include "base/engine.h"

/* A sparse matrix: output i has the taps first[i] .. first[i+1]-1. */
typedef struct lgi_taps {
    int64_t outputs, inputs;
    int64_t *first, *at;
    lg_real *weight;
} lgi_taps;

typedef struct lgi_axis lgi_axis;
typedef void lgi_tap_rule(lgi_taps *t, const lgi_axis *a, int64_t i);

typedef enum lgi_edge { LGI_EDGE_ZERO, LGI_EDGE_REFLECT, LGI_EDGE_REPLICATE } lgi_edge;

struct lgi_axis {
    int64_t from, to;                  /* sizes of x and y */
    int64_t most;                      /* taps of one output */
    lgi_tap_rule *rule;

    /* for lgi_window_rule: y[i] is the sum of scale * filter[k] * x[i*stride - before
     * + k]; without a filter its numbers are 1 */
    int64_t kernel, stride, before;
    const double *filter;
    double scale;
    lgi_edge edge;
};

void lgi_tap(lgi_taps *t, double weight, int64_t at);  /* of the output in work */
lgi_tap_rule lgi_window_rule;

size_t lgi_resample_scratch(lg_engine *E, const lgi_axis axis[2]);

/* Planes x, from by from, give y, to by to: axis[0] maps the columns, axis[1] the rows.
 * Transposed, planes x of the size of y give y of the size of x. */
void lgi_resample(lg_engine *E, const lgi_axis axis[2], bool transposed, int64_t planes,
                  const lg_real *x, lg_real *y, void *scratch);

#endif
