/* sgd.c - stochastic gradient descent, with momentum; and its extragradient. */
#include "optim/optim.h"

typedef struct sgd_options {
    lgi_optim_options common;
    double momentum, dampening;
    int64_t nesterov;
} sgd_options;

typedef struct sgd_factors {
    lg_real lr, momentum, fresh;
    bool nesterov;
} sgd_factors;

static lg_status sgd_check(lg_engine *E, const char *who, const void *attr)
{
    const sgd_options *a = attr;
    if (lgi_optim_need(E, who, "momentum", a->momentum, 0, INFINITY) < 0)
        return E->status;
    if (!isfinite(a->dampening))
        return lgi_fail(E, LG_EARG, "%s: dampening must be a number, not %g", who,
                        a->dampening);
    if (a->nesterov && !(a->momentum > 0 && a->dampening == 0))
        return lgi_fail(E, LG_EARG, "%s: nesterov needs a momentum above 0, and no "
                        "dampening", who);
    return LG_OK;
}

static uint32_t sgd_keeps(const void *attr)
{
    return ((const sgd_options *)attr)->momentum > 0;
}

static uint32_t extra_sgd_keeps(const void *attr)
{
    return sgd_keeps(attr) | 2;
}

/* The first gradient is not dampened: PyTorch begins the momentum with all of it. */
static void sgd_prepare(const void *attr, int64_t step, double *number, void *factors)
{
    const sgd_options *a = attr;
    (void)number;
    *(sgd_factors *)factors = (sgd_factors){
        .lr = (lg_real)a->common.lr, .momentum = (lg_real)a->momentum,
        .fresh = step == 1 ? 1 : (lg_real)(1 - a->dampening),
        .nesterov = a->nesterov != 0};
}

LGI_ALWAYS_INLINE void sgd_plain(const lgi_run *r, lg_real lr)
{
    lg_real *restrict p = r->p;
    const lg_real *restrict g = r->g;
    for (int64_t i = 0; i < r->n; i++)
        p[i] -= lr * g[i];
}

LGI_ALWAYS_INLINE void sgd_update_any(const lgi_run *r)
{
    const sgd_factors f = *(const sgd_factors *)r->factors;
    lg_real *restrict p = r->p, *restrict m = r->state[0];
    const lg_real *restrict g = r->g;

    if (!m)
        sgd_plain(r, f.lr);
    else if (f.nesterov)
        for (int64_t i = 0; i < r->n; i++) {
            m[i] = f.momentum * m[i] + f.fresh * g[i];
            p[i] -= f.lr * (g[i] + f.momentum * m[i]);
        }
    else
        for (int64_t i = 0; i < r->n; i++) {
            m[i] = f.momentum * m[i] + f.fresh * g[i];
            p[i] -= f.lr * m[i];
        }
}

LGI_UPDATES(sgd_update)

#define SGD_OPTIONS                                                                   \
    LGI_OPTIM_ARGS("0.001", "0") ", momentum: number = 0, dampening: number = 0, "      \
    "nesterov: flag = false"

static const lgi_optim_type sgd_type = {
    .name = "SGD", .args = SGD_OPTIONS,
    .doc = "p - lr (g + weight_decay p); with momentum, m = momentum m + (1 - dampening) "
           "g takes the place of g; nesterov looks ahead: g + momentum m (Sutskever et "
           "al. 2013). maximize climbs. PyTorch's numbers.",
    .attr_bytes = sizeof(sgd_options), .states = {"momentum"}, .keeps = sgd_keeps,
    .check = sgd_check, .prepare = sgd_prepare, LGI_UPDATE_BY(sgd_update)};

static const lgi_optim_type extra_sgd_type = {
    .name = "ExtraSGD", .args = SGD_OPTIONS,
    .doc = "The extragradient method (Korpelevich 1976; for GANs Gidel et al. 2019): "
           "opt:extrapolate(loss) goes where a step of SGD would, and "
           "opt:minimize(loss), of a loss computed anew, steps from where it was with "
           "the gradient found there. It does not circle round the balance of two nets.",
    .attr_bytes = sizeof(sgd_options), .extrapolates = true,
    .states = {"momentum", "saved"}, .keeps = extra_sgd_keeps, .check = sgd_check,
    .prepare = sgd_prepare, LGI_UPDATE_BY(sgd_update)};

const lgi_optim_type *const lgi_optims_sgd[] = {&sgd_type, &extra_sgd_type, NULL};
