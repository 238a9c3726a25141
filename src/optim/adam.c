/* adam.c - Adam and AdamW: a step for each number, from moments of its gradient. */
#include "optim/optim.h"

#include <math.h>

typedef struct adam_options {
    double lr;
    lgi_numbers betas;
    double eps, weight_decay;
    int64_t amsgrad;
} adam_options;

#ifdef LG_DOUBLE
static inline lg_real adam_root(lg_real x) { return sqrt(x); }
#else
static inline lg_real adam_root(lg_real x) { return sqrtf(x); }
#endif

static lg_status adam_check_as(lg_engine *E, const char *who, const adam_options *a)
{
    if (a->betas.n != 2)
        return lgi_fail(E, LG_EARG, "%s: betas must be two numbers, as in {0.9, 0.999}",
                        who);
    if (lgi_optim_need(E, who, "lr", a->lr, 0, INFINITY) < 0
        || lgi_optim_need(E, who, "betas[1]", a->betas.at[0], 0, 1) < 0
        || lgi_optim_need(E, who, "betas[2]", a->betas.at[1], 0, 1) < 0
        || lgi_optim_need(E, who, "eps", a->eps, 0, INFINITY) < 0)
        return E->status;
    return lgi_optim_need(E, who, "weight_decay", a->weight_decay, 0, INFINITY);
}

static lg_status adam_check(lg_engine *E, const void *attr)
{
    return adam_check_as(E, "Adam", attr);
}

static lg_status adamw_check(lg_engine *E, const void *attr)
{
    return adam_check_as(E, "AdamW", attr);
}

static int adam_states(const void *attr)
{
    return ((const adam_options *)attr)->amsgrad ? 3 : 2;
}

/* What is the same for all elements: in double, once for each run of them. */
typedef struct adam_factors {
    lg_real scale, decay, shrink, b1, c1, b2, c2, step, root, eps;
} adam_factors;

static adam_factors adam_prepare(const lgi_optim *o, bool decoupled)
{
    const adam_options *a = o->attr;
    double b1 = a->betas.at[0], b2 = a->betas.at[1], t = (double)o->step;
    return (adam_factors){
        .scale = (lg_real)o->scale, .eps = (lg_real)a->eps,
        .decay = decoupled ? 0 : (lg_real)a->weight_decay,
        .shrink = decoupled ? (lg_real)(1 - a->lr * a->weight_decay) : 1,
        .b1 = (lg_real)b1, .c1 = (lg_real)(1 - b1),
        .b2 = (lg_real)b2, .c2 = (lg_real)(1 - b2),
        .step = (lg_real)(a->lr / (1 - pow(b1, t))),
        .root = (lg_real)(1 / sqrt(1 - pow(b2, t)))};
}

static void adam_run(const lgi_run *r, const adam_factors f, bool amsgrad)
{
    lg_real *restrict p = r->p, *restrict m = r->state[0], *restrict v = r->state[1];
    lg_real *restrict most = r->state[2];
    const lg_real *restrict g = r->g;

    if (!amsgrad)
        for (int64_t i = 0; i < r->n; i++) {
            lg_real d = f.scale * g[i] + f.decay * p[i];
            m[i] = f.b1 * m[i] + f.c1 * d;
            v[i] = f.b2 * v[i] + f.c2 * d * d;
            lg_real root = adam_root(v[i]) * f.root + f.eps;
            p[i] = f.shrink * p[i] - f.step * (m[i] / root);
        }
    else
        for (int64_t i = 0; i < r->n; i++) {
            lg_real d = f.scale * g[i] + f.decay * p[i];
            m[i] = f.b1 * m[i] + f.c1 * d;
            v[i] = f.b2 * v[i] + f.c2 * d * d;
            most[i] = most[i] > v[i] ? most[i] : v[i];
            lg_real root = adam_root(most[i]) * f.root + f.eps;
            p[i] = f.shrink * p[i] - f.step * (m[i] / root);
        }
}

static void adam_update(const lgi_optim *o, const lgi_run *r)
{
    adam_run(r, adam_prepare(o, false), o->nstate == 3);
}

static void adamw_update(const lgi_optim *o, const lgi_run *r)
{
    adam_run(r, adam_prepare(o, true), o->nstate == 3);
}

#define ADAM_OPTIONS(decay)                                                           \
    "lr: number = 0.001, betas: numbers = {0.9, 0.999}, eps: number = 1e-8, "         \
    "weight_decay: number = " decay ", amsgrad: flag = false"

static const lgi_optim_type adam_type = {
    .name = "Adam", .args = ADAM_OPTIONS("0"),
    .doc = "m and v, the running means of the gradient and of its square, without their "
           "bias towards zero, give the step lr m / (sqrt(v) + eps) (Kingma and Ba "
           "2015). amsgrad takes the largest v so far (Reddi et al. 2018). weight_decay "
           "adds to the gradient. PyTorch's numbers.",
    .attr_bytes = sizeof(adam_options), .states = {"m", "v", "v_max"},
    .count_states = adam_states, .check = adam_check, .update = adam_update};

static const lgi_optim_type adamw_type = {
    .name = "AdamW", .args = ADAM_OPTIONS("0.01"),
    .doc = "Adam, but weight_decay shrinks the parameters themselves, by lr weight_decay "
           "a step (Loshchilov and Hutter 2019). PyTorch's numbers.",
    .attr_bytes = sizeof(adam_options), .states = {"m", "v", "v_max"},
    .count_states = adam_states, .check = adamw_check, .update = adamw_update};

const lgi_optim_type *const lgi_optims_adam[] = {&adam_type, &adamw_type, NULL};
