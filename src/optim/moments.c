/*
 * moments.c - Adamax, NAdam and RAdam: what was made of Adam's moments.
 *
 * They have the same options and keep the same; what differs is prepared, or the loop.
 */
#include "optim/optim.h"

typedef struct moments_options {
    lgi_optim_options common;
    lgi_numbers betas;
    double eps, momentum_decay;        /* the last is NAdam's alone */
} moments_options;

typedef struct moments_factors {
    lg_real b1, c1, b2, c2, eps;
    lg_real root;                      /* what sqrt(v) is multiplied by */
    lg_real of_g, of_m;                /* the step: lr, and what corrects the bias */
    bool divides;                      /* by sqrt(v), that is */
} moments_factors;

static lg_status moments_check(lg_engine *E, const char *who, const void *attr)
{
    const moments_options *a = attr;
    if (lgi_optim_need_betas(E, who, &a->betas) < 0)
        return E->status;
    return lgi_optim_need(E, who, "eps", a->eps, 0, INFINITY);
}

static lg_status nadam_check(lg_engine *E, const char *who, const void *attr)
{
    const moments_options *a = attr;
    if (moments_check(E, who, attr) < 0)
        return E->status;
    return lgi_optim_need(E, who, "momentum_decay", a->momentum_decay, 0, INFINITY);
}

static moments_factors moments_of(const moments_options *a)
{
    double b1 = a->betas.at[0], b2 = a->betas.at[1];
    return (moments_factors){.b1 = (lg_real)b1, .c1 = (lg_real)(1 - b1),
                             .b2 = (lg_real)b2, .c2 = (lg_real)(1 - b2),
                             .eps = (lg_real)a->eps, .root = 1};
}

static void adamax_prepare(const void *attr, int64_t step, double *number, void *factors)
{
    const moments_options *a = attr;
    moments_factors f = moments_of(a);
    (void)number;
    f.of_m = (lg_real)(a->common.lr / (1 - pow(a->betas.at[0], (double)step)));
    *(moments_factors *)factors = f;
}

LGI_ALWAYS_INLINE void adamax_update_any(const lgi_run *r)
{
    const moments_factors f = *(const moments_factors *)r->factors;
    lg_real *restrict p = r->p, *restrict m = r->state[0], *restrict most = r->state[1];
    const lg_real *restrict g = r->g;
    for (int64_t i = 0; i < r->n; i++) {
        lg_real old = f.b2 * most[i], size = (g[i] < 0 ? -g[i] : g[i]) + f.eps;
        m[i] = f.b1 * m[i] + f.c1 * g[i];
        most[i] = old > size ? old : size;
        p[i] -= f.of_m * (m[i] / most[i]);
    }
}

LGI_UPDATES(adamax_update)

/* Its momentum grows from step to step; number is the product of those so far. What the
 * bias of m is corrected with should be the product with the next one; PyTorch 1.13 takes
 * the present one into it twice, and its numbers are these. */
static void nadam_prepare(const void *attr, int64_t step, double *number, void *factors)
{
    const moments_options *a = attr;
    double b1 = a->betas.at[0], b2 = a->betas.at[1], t = (double)step, lr = a->common.lr;
    double now = b1 * (1 - 0.5 * pow(0.96, t * a->momentum_decay));
    double next = b1 * (1 - 0.5 * pow(0.96, (t + 1) * a->momentum_decay));
    moments_factors f = moments_of(a);
    *number *= now;
    f.root = (lg_real)(1 / sqrt(1 - pow(b2, t)));
    f.of_g = (lg_real)(lr * (1 - now) / (1 - *number));
    f.of_m = (lg_real)(lr * next / (1 - *number * now * next));
    *(moments_factors *)factors = f;
}

LGI_ALWAYS_INLINE void nadam_update_any(const lgi_run *r)
{
    const moments_factors f = *(const moments_factors *)r->factors;
    lg_real *restrict p = r->p, *restrict m = r->state[0], *restrict v = r->state[1];
    const lg_real *restrict g = r->g;
    for (int64_t i = 0; i < r->n; i++) {
        m[i] = f.b1 * m[i] + f.c1 * g[i];
        v[i] = f.b2 * v[i] + f.c2 * g[i] * g[i];
        p[i] -= (f.of_g * g[i] + f.of_m * m[i]) / (lgi_root(v[i]) * f.root + f.eps);
    }
}

LGI_UPDATES(nadam_update)

/* rho is how many gradients v is of; while they are few (rho <= 5), v is not trusted. */
static void radam_prepare(const void *attr, int64_t step, double *number, void *factors)
{
    const moments_options *a = attr;
    double b2 = a->betas.at[1], t = (double)step, bias = 1 - pow(b2, t);
    double whole = 2 / (1 - b2) - 1, rho = whole - 2 * t * pow(b2, t) / bias;
    double lr = a->common.lr / (1 - pow(a->betas.at[0], t));
    moments_factors f = moments_of(a);
    (void)number;
    f.divides = rho > 5;
    if (f.divides)
        lr *= sqrt(bias * (rho - 4) * (rho - 2) * whole
                   / ((whole - 4) * (whole - 2) * rho));
    f.of_m = (lg_real)lr;
    *(moments_factors *)factors = f;
}

LGI_ALWAYS_INLINE void radam_update_any(const lgi_run *r)
{
    const moments_factors f = *(const moments_factors *)r->factors;
    lg_real *restrict p = r->p, *restrict m = r->state[0], *restrict v = r->state[1];
    const lg_real *restrict g = r->g;

    if (f.divides)
        for (int64_t i = 0; i < r->n; i++) {
            m[i] = f.b1 * m[i] + f.c1 * g[i];
            v[i] = f.b2 * v[i] + f.c2 * g[i] * g[i];
            p[i] -= f.of_m * (m[i] / (lgi_root(v[i]) + f.eps));
        }
    else
        for (int64_t i = 0; i < r->n; i++) {
            m[i] = f.b1 * m[i] + f.c1 * g[i];
            v[i] = f.b2 * v[i] + f.c2 * g[i] * g[i];
            p[i] -= f.of_m * m[i];
        }
}

LGI_UPDATES(radam_update)

#define MOMENTS_OPTIONS(lr)                                                           \
    LGI_OPTIM_ARGS(lr, "0") ", betas: numbers = {0.9, 0.999}, eps: number = 1e-8"

static const lgi_optim_type adamax_type = {
    .name = "Adamax", .args = MOMENTS_OPTIONS("0.002"),
    .doc = "Adam with the largest recent gradient, u = max(beta2 u, |g| + eps), in the "
           "place of sqrt(v) + eps (Kingma and Ba 2015, 7.1). PyTorch's numbers.",
    .attr_bytes = offsetof(moments_options, momentum_decay), .states = {"m", "u"},
    .check = moments_check, .prepare = adamax_prepare, LGI_UPDATE_BY(adamax_update)};

static const lgi_optim_type nadam_type = {
    .name = "NAdam",
    .args = MOMENTS_OPTIONS("0.002") ", momentum_decay: number = 0.004",
    .doc = "Adam with Nesterov's momentum, which grows to beta1 by the schedule 1 - "
           "0.96^(t momentum_decay) / 2 (Dozat 2016). PyTorch 1.13's numbers.",
    .attr_bytes = sizeof(moments_options), .states = {"m", "v"}, .number = "mu_product",
    .check = nadam_check, .prepare = nadam_prepare, LGI_UPDATE_BY(nadam_update)};

static const lgi_optim_type radam_type = {
    .name = "RAdam", .args = MOMENTS_OPTIONS("0.001"),
    .doc = "Adam that knows how uncertain v is at first: its steps are without v as long "
           "as v is of few gradients, and rectified afterwards, in the place of a "
           "warm-up (Liu et al. 2020). PyTorch's numbers.",
    .attr_bytes = offsetof(moments_options, momentum_decay), .states = {"m", "v"},
    .check = moments_check, .prepare = radam_prepare, LGI_UPDATE_BY(radam_update)};

const lgi_optim_type *const lgi_optims_moments[] = {&adamax_type, &nadam_type,
                                                    &radam_type, NULL};
