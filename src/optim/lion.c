/* lion.c - Lion: the sign of a momentum is the step. */
#include "optim/optim.h"

typedef struct lion_options {
    lgi_optim_options common;
    lgi_numbers betas;
} lion_options;

typedef struct lion_factors {
    lg_real lr, b1, c1, b2, c2;
} lion_factors;

static lg_status lion_check(lg_engine *E, const char *who, const void *attr)
{
    return lgi_optim_need_betas(E, who, &((const lion_options *)attr)->betas);
}

static void lion_prepare(const void *attr, int64_t step, double *number, void *factors)
{
    const lion_options *a = attr;
    double b1 = a->betas.at[0], b2 = a->betas.at[1];
    (void)step, (void)number;
    *(lion_factors *)factors = (lion_factors){
        .lr = (lg_real)a->common.lr, .b1 = (lg_real)b1, .c1 = (lg_real)(1 - b1),
        .b2 = (lg_real)b2, .c2 = (lg_real)(1 - b2)};
}

LGI_ALWAYS_INLINE void lion_update_any(const lgi_run *r)
{
    const lion_factors f = *(const lion_factors *)r->factors;
    lg_real *restrict p = r->p, *restrict m = r->state[0];
    const lg_real *restrict g = r->g;
    for (int64_t i = 0; i < r->n; i++) {
        lg_real c = f.b1 * m[i] + f.c1 * g[i];
        lg_real sign = c > 0 ? 1 : c < 0 ? -1 : c;     /* of NaN it is NaN */
        m[i] = f.b2 * m[i] + f.c2 * g[i];
        p[i] -= f.lr * sign;
    }
}

LGI_UPDATES(lion_update)

static const lgi_optim_type lion_type = {
    .name = "Lion",
    .args = LGI_OPTIM_ARGS("0.0001", "0") ", betas: numbers = {0.9, 0.99}",
    .doc = "The step is lr times the sign of beta1 m + (1 - beta1) g; then m = beta2 m + "
           "(1 - beta2) g (Chen et al. 2023). weight_decay shrinks the parameters by lr "
           "weight_decay a step. It wants a third to a tenth of Adam's lr.",
    .attr_bytes = sizeof(lion_options), .decoupled = true, .states = {"m"},
    .check = lion_check, .prepare = lion_prepare, LGI_UPDATE_BY(lion_update)};

const lgi_optim_type *const lgi_optims_lion[] = {&lion_type, NULL};
