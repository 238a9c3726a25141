/* sgd.c - stochastic gradient descent, with momentum. */
#include "optim/optim.h"

#include <math.h>

typedef struct sgd_options {
    double lr, momentum;
    int64_t nesterov;
    double weight_decay;
} sgd_options;

static lg_status sgd_check(lg_engine *E, const void *attr)
{
    const sgd_options *a = attr;
    if (lgi_optim_need(E, "SGD", "lr", a->lr, 0, INFINITY) < 0
        || lgi_optim_need(E, "SGD", "momentum", a->momentum, 0, INFINITY) < 0
        || lgi_optim_need(E, "SGD", "weight_decay", a->weight_decay, 0, INFINITY) < 0)
        return E->status;
    if (a->nesterov && a->momentum == 0)
        return lgi_fail(E, LG_EARG, "SGD: nesterov needs a momentum above 0");
    return LG_OK;
}

static int sgd_states(const void *attr)
{
    return ((const sgd_options *)attr)->momentum > 0;
}

static void sgd_update(const lgi_optim *o, const lgi_run *r)
{
    const sgd_options *a = o->attr;
    const lg_real scale = (lg_real)o->scale, decay = (lg_real)a->weight_decay;
    const lg_real lr = (lg_real)a->lr, momentum = (lg_real)a->momentum;
    lg_real *restrict p = r->p, *restrict m = r->state[0];
    const lg_real *restrict g = r->g;

    if (o->nstate == 0)
        for (int64_t i = 0; i < r->n; i++)
            p[i] -= lr * (scale * g[i] + decay * p[i]);
    else if (a->nesterov)
        for (int64_t i = 0; i < r->n; i++) {
            lg_real d = scale * g[i] + decay * p[i];
            m[i] = momentum * m[i] + d;
            p[i] -= lr * (d + momentum * m[i]);
        }
    else
        for (int64_t i = 0; i < r->n; i++) {
            m[i] = momentum * m[i] + (scale * g[i] + decay * p[i]);
            p[i] -= lr * m[i];
        }
}

static const lgi_optim_type sgd_type = {
    .name = "SGD",
    .args = "lr: number = 0.001, momentum: number = 0, nesterov: flag = false, "
            "weight_decay: number = 0",
    .doc = "p - lr (g + weight_decay p); with momentum, m = momentum m + g takes the "
           "place of g; nesterov looks ahead: g + momentum m (Sutskever et al. 2013). "
           "PyTorch's numbers, without dampening.",
    .attr_bytes = sizeof(sgd_options), .states = {"momentum"}, .count_states = sgd_states,
    .check = sgd_check, .update = sgd_update};

const lgi_optim_type *const lgi_optims_sgd[] = {&sgd_type, NULL};
