/* adagrad.c - Adagrad and Adadelta: steps measured by all gradients, or by steps. */
#include "optim/optim.h"

typedef struct adagrad_options {
    lgi_optim_options common;
    double lr_decay, initial_accumulator, eps;
} adagrad_options;

typedef struct adagrad_factors {
    lg_real lr, initial, eps;
} adagrad_factors;

static lg_status adagrad_check(lg_engine *E, const char *who, const void *attr)
{
    const adagrad_options *a = attr;
    if (lgi_optim_need(E, who, "lr_decay", a->lr_decay, 0, INFINITY) < 0
        || lgi_optim_need(E, who, "initial_accumulator", a->initial_accumulator, 0,
                          INFINITY) < 0)
        return E->status;
    return lgi_optim_need(E, who, "eps", a->eps, 0, INFINITY);
}

/* The sum begins with initial_accumulator: it comes in with the first gradient. */
static void adagrad_prepare(const void *attr, int64_t step, double *number, void *factors)
{
    const adagrad_options *a = attr;
    (void)number;
    *(adagrad_factors *)factors = (adagrad_factors){
        .lr = (lg_real)(a->common.lr / (1 + (double)(step - 1) * a->lr_decay)),
        .initial = step == 1 ? (lg_real)a->initial_accumulator : 0,
        .eps = (lg_real)a->eps};
}

LGI_ALWAYS_INLINE void adagrad_update_any(const lgi_run *r)
{
    const adagrad_factors f = *(const adagrad_factors *)r->factors;
    lg_real *restrict p = r->p, *restrict sum = r->state[0];
    const lg_real *restrict g = r->g;
    for (int64_t i = 0; i < r->n; i++) {
        sum[i] = sum[i] + f.initial + g[i] * g[i];
        p[i] -= f.lr * (g[i] / (lgi_root(sum[i]) + f.eps));
    }
}

LGI_UPDATES(adagrad_update)

static const lgi_optim_type adagrad_type = {
    .name = "Adagrad",
    .args = LGI_OPTIM_ARGS("0.01", "0") ", lr_decay: number = 0, "
            "initial_accumulator: number = 0, eps: number = 1e-10",
    .doc = "The step is lr g / (sqrt(s) + eps), where s is initial_accumulator and the "
           "sum of g^2 of all steps (Duchi et al. 2011); lr is divided by 1 + lr_decay "
           "(t - 1) in step t. PyTorch's numbers.",
    .attr_bytes = sizeof(adagrad_options), .states = {"sum"}, .check = adagrad_check,
    .prepare = adagrad_prepare, LGI_UPDATE_BY(adagrad_update)};

typedef struct adadelta_options {
    lgi_optim_options common;
    double rho, eps;
} adadelta_options;

typedef struct adadelta_factors {
    lg_real lr, rho, fresh, eps;
} adadelta_factors;

static lg_status adadelta_check(lg_engine *E, const char *who, const void *attr)
{
    const adadelta_options *a = attr;
    if (lgi_optim_need(E, who, "rho", a->rho, 0, 1) < 0)
        return E->status;
    return lgi_optim_need(E, who, "eps", a->eps, 0, INFINITY);
}

static void adadelta_prepare(const void *attr, int64_t step, double *number,
                             void *factors)
{
    const adadelta_options *a = attr;
    (void)step, (void)number;
    *(adadelta_factors *)factors = (adadelta_factors){
        .lr = (lg_real)a->common.lr, .rho = (lg_real)a->rho,
        .fresh = (lg_real)(1 - a->rho), .eps = (lg_real)a->eps};
}

LGI_ALWAYS_INLINE void adadelta_update_any(const lgi_run *r)
{
    const adadelta_factors f = *(const adadelta_factors *)r->factors;
    lg_real *restrict p = r->p, *restrict v = r->state[0], *restrict u = r->state[1];
    const lg_real *restrict g = r->g;
    for (int64_t i = 0; i < r->n; i++) {
        v[i] = f.rho * v[i] + f.fresh * g[i] * g[i];
        lg_real d = lgi_root(u[i] + f.eps) / lgi_root(v[i] + f.eps) * g[i];
        u[i] = f.rho * u[i] + f.fresh * d * d;
        p[i] -= f.lr * d;
    }
}

LGI_UPDATES(adadelta_update)

static const lgi_optim_type adadelta_type = {
    .name = "Adadelta",
    .args = LGI_OPTIM_ARGS("1", "0") ", rho: number = 0.9, eps: number = 1e-6",
    .doc = "v and u are the running means of the squares of gradients and of steps; the "
           "step is lr sqrt(u + eps) / sqrt(v + eps) g (Zeiler 2012). PyTorch's numbers.",
    .attr_bytes = sizeof(adadelta_options), .states = {"v", "u"},
    .check = adadelta_check, .prepare = adadelta_prepare, LGI_UPDATE_BY(adadelta_update)};

const lgi_optim_type *const lgi_optims_adagrad[] = {&adagrad_type, &adadelta_type, NULL};
