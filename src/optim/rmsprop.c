/* rmsprop.c - RMSprop: gradients divided by the root of their running mean square. */
#include "optim/optim.h"

typedef struct rmsprop_options {
    lgi_optim_options common;
    double alpha, eps, momentum;
    int64_t centered;
} rmsprop_options;

typedef struct rmsprop_factors {
    lg_real lr, alpha, fresh, eps, momentum;
} rmsprop_factors;

static lg_status rmsprop_check(lg_engine *E, const char *who, const void *attr)
{
    const rmsprop_options *a = attr;
    if (lgi_optim_need(E, who, "alpha", a->alpha, 0, 1) < 0
        || lgi_optim_need(E, who, "eps", a->eps, 0, INFINITY) < 0)
        return E->status;
    return lgi_optim_need(E, who, "momentum", a->momentum, 0, INFINITY);
}

static uint32_t rmsprop_keeps(const void *attr)
{
    const rmsprop_options *a = attr;
    return 1u | (a->centered ? 2u : 0) | (a->momentum > 0 ? 4u : 0);
}

static void rmsprop_prepare(const void *attr, int64_t step, double *number, void *factors)
{
    const rmsprop_options *a = attr;
    (void)step, (void)number;
    *(rmsprop_factors *)factors = (rmsprop_factors){
        .lr = (lg_real)a->common.lr, .alpha = (lg_real)a->alpha,
        .fresh = (lg_real)(1 - a->alpha), .eps = (lg_real)a->eps,
        .momentum = (lg_real)a->momentum};
}

/* The flags are constants where it is called: each makes a loop of its own. */
LGI_ALWAYS_INLINE void rmsprop_run(const lgi_run *r, bool centered, bool momentum)
{
    const rmsprop_factors f = *(const rmsprop_factors *)r->factors;
    lg_real *restrict p = r->p, *restrict v = r->state[0], *restrict mean = r->state[1];
    lg_real *restrict m = r->state[2];
    const lg_real *restrict g = r->g;

    for (int64_t i = 0; i < r->n; i++) {
        lg_real square = v[i] = f.alpha * v[i] + f.fresh * g[i] * g[i];
        if (centered) {
            mean[i] = f.alpha * mean[i] + f.fresh * g[i];
            square -= mean[i] * mean[i];
            square = square < 0 ? 0 : square;      /* rounding; a NaN stays one */
        }
        lg_real d = g[i] / (lgi_root(square) + f.eps);
        if (momentum)
            d = m[i] = f.momentum * m[i] + d;
        p[i] -= f.lr * d;
    }
}

LGI_ALWAYS_INLINE void rmsprop_update_any(const lgi_run *r)
{
    if (r->state[1] && r->state[2])
        rmsprop_run(r, true, true);
    else if (r->state[1])
        rmsprop_run(r, true, false);
    else if (r->state[2])
        rmsprop_run(r, false, true);
    else
        rmsprop_run(r, false, false);
}

LGI_UPDATES(rmsprop_update)

static const lgi_optim_type rmsprop_type = {
    .name = "RMSprop",
    .args = LGI_OPTIM_ARGS("0.01", "0") ", alpha: number = 0.99, eps: number = 1e-8, "
            "momentum: number = 0, centered: flag = false",
    .doc = "v = alpha v + (1 - alpha) g^2, and the step is lr g / (sqrt(v) + eps) "
           "(Tieleman and Hinton 2012). centered takes the square of the running mean "
           "from v (Graves 2013); momentum sums the steps. PyTorch's numbers.",
    .attr_bytes = sizeof(rmsprop_options), .states = {"v", "mean", "momentum"},
    .keeps = rmsprop_keeps, .check = rmsprop_check, .prepare = rmsprop_prepare,
    LGI_UPDATE_BY(rmsprop_update)};

const lgi_optim_type *const lgi_optims_rmsprop[] = {&rmsprop_type, NULL};
