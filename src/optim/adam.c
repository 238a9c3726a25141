/*
 * adam.c - Adam, AdamW, and Adam for games: a step for each number, from moments of its
 * gradient.
 */
#include "optim/optim.h"

typedef struct adam_options {
    lgi_optim_options common;
    lgi_numbers betas;
    double eps;
    int64_t amsgrad;
} adam_options;

typedef struct adam_factors {
    lg_real lr, b1, c1, b2, c2, bias, root, eps;
} adam_factors;

static lg_status adam_check(lg_engine *E, const char *who, const void *attr)
{
    const adam_options *a = attr;
    if (lgi_optim_need_betas(E, who, &a->betas) < 0)
        return E->status;
    return lgi_optim_need(E, who, "eps", a->eps, 0, INFINITY);
}

/* Of m, v, v_max, and one more. */
static uint32_t adam_keeps(const void *attr)
{
    return ((const adam_options *)attr)->amsgrad ? 7 : 3;
}

static uint32_t adam_keeps_more(const void *attr) { return adam_keeps(attr) | 8; }

/* In double, once for all elements. */
static void adam_prepare(const void *attr, int64_t step, double *number, void *factors)
{
    const adam_options *a = attr;
    double b1 = a->betas.at[0], b2 = a->betas.at[1], t = (double)step;
    (void)number;
    *(adam_factors *)factors = (adam_factors){
        .lr = (lg_real)a->common.lr, .eps = (lg_real)a->eps,
        .b1 = (lg_real)b1, .c1 = (lg_real)(1 - b1),
        .b2 = (lg_real)b2, .c2 = (lg_real)(1 - b2),
        .bias = (lg_real)(a->common.lr / (1 - pow(b1, t))),
        .root = (lg_real)(1 / sqrt(1 - pow(b2, t)))};
}

LGI_ALWAYS_INLINE void adam_update_any(const lgi_run *r)
{
    const adam_factors f = *(const adam_factors *)r->factors;
    lg_real *restrict p = r->p, *restrict m = r->state[0], *restrict v = r->state[1];
    lg_real *restrict most = r->state[2];
    const lg_real *restrict g = r->g;

    if (!most)
        for (int64_t i = 0; i < r->n; i++) {
            m[i] = f.b1 * m[i] + f.c1 * g[i];
            v[i] = f.b2 * v[i] + f.c2 * g[i] * g[i];
            p[i] -= f.bias * (m[i] / (lgi_root(v[i]) * f.root + f.eps));
        }
    else
        for (int64_t i = 0; i < r->n; i++) {
            m[i] = f.b1 * m[i] + f.c1 * g[i];
            v[i] = f.b2 * v[i] + f.c2 * g[i] * g[i];
            most[i] = most[i] > v[i] ? most[i] : v[i];
            p[i] -= f.bias * (m[i] / (lgi_root(most[i]) * f.root + f.eps));
        }
}

LGI_UPDATES(adam_update)

/* The direction is kept without lr, which may have changed when it is taken back. */
static void optimistic_prepare(const void *attr, int64_t step, double *number,
                               void *factors)
{
    const adam_options *a = attr;
    adam_prepare(attr, step, number, factors);
    ((adam_factors *)factors)->bias =
        (lg_real)(1 / (1 - pow(a->betas.at[0], (double)step)));
}

LGI_ALWAYS_INLINE void optimistic_update_any(const lgi_run *r)
{
    const adam_factors f = *(const adam_factors *)r->factors;
    lg_real *restrict p = r->p, *restrict m = r->state[0], *restrict v = r->state[1];
    lg_real *restrict most = r->state[2];
    lg_real *restrict last = r->state[3];
    const lg_real *restrict g = r->g;

    for (int64_t i = 0; i < r->n; i++) {
        m[i] = f.b1 * m[i] + f.c1 * g[i];
        v[i] = f.b2 * v[i] + f.c2 * g[i] * g[i];
    }
    for (int64_t i = 0; most && i < r->n; i++)
        most[i] = most[i] > v[i] ? most[i] : v[i];
    const lg_real *restrict square = most ? most : v;
    for (int64_t i = 0; i < r->n; i++) {
        lg_real d = f.bias * m[i] / (lgi_root(square[i]) * f.root + f.eps);
        p[i] -= f.lr * (2 * d - last[i]);
        last[i] = d;
    }
}

LGI_UPDATES(optimistic_update)

#define ADAM_OPTIONS(decay)                                                           \
    LGI_OPTIM_ARGS("0.001", decay) ", betas: numbers = {0.9, 0.999}, "                  \
    "eps: number = 1e-8, amsgrad: flag = false"

static const lgi_optim_type adam_type = {
    .name = "Adam", .args = ADAM_OPTIONS("0"),
    .doc = "m and v, the running means of the gradient and of its square, without their "
           "bias towards zero, give the step lr m / (sqrt(v) + eps) (Kingma and Ba "
           "2015). amsgrad takes the largest v so far (Reddi et al. 2018). weight_decay "
           "adds to the gradient. PyTorch's numbers.",
    .attr_bytes = sizeof(adam_options), .states = {"m", "v", "v_max"},
    .keeps = adam_keeps, .check = adam_check, .prepare = adam_prepare,
    LGI_UPDATE_BY(adam_update)};

static const lgi_optim_type adamw_type = {
    .name = "AdamW", .args = ADAM_OPTIONS("0.01"),
    .doc = "Adam, but weight_decay shrinks the parameters themselves, by lr weight_decay "
           "a step (Loshchilov and Hutter 2019). PyTorch's numbers.",
    .attr_bytes = sizeof(adam_options), .decoupled = true,
    .states = {"m", "v", "v_max"}, .keeps = adam_keeps, .check = adam_check,
    .prepare = adam_prepare, LGI_UPDATE_BY(adam_update)};

static const lgi_optim_type extra_adam_type = {
    .name = "ExtraAdam", .args = ADAM_OPTIONS("0"),
    .doc = "Adam's extragradient (Gidel et al. 2019, algorithm 4): opt:extrapolate(loss) "
           "goes where a step of Adam would, and opt:minimize(loss), of a loss computed "
           "anew, steps from where it was with the gradient found there. Both halves "
           "count for the moments.",
    .attr_bytes = sizeof(adam_options), .extrapolates = true,
    .states = {"m", "v", "v_max", "saved"}, .keeps = adam_keeps_more,
    .check = adam_check, .prepare = adam_prepare, LGI_UPDATE_BY(adam_update)};

static const lgi_optim_type optimistic_adam_type = {
    .name = "OptimisticAdam", .args = ADAM_OPTIONS("0"),
    .doc = "Adam that expects the next direction to be like this one: it takes this "
           "one twice and the last one back (Daskalakis et al. 2018, algorithm 1), "
           "which ends the circles of two nets at the cost of one gradient a step.",
    .attr_bytes = sizeof(adam_options), .states = {"m", "v", "v_max", "last"},
    .keeps = adam_keeps_more, .check = adam_check, .prepare = optimistic_prepare,
    LGI_UPDATE_BY(optimistic_update)};

const lgi_optim_type *const lgi_optims_adam[] = {&adam_type, &adamw_type,
                                                 &extra_adam_type, &optimistic_adam_type,
                                                 NULL};
