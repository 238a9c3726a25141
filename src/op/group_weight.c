/*
 * group_weight.c - the gradients of group_norm and its like for w and b: with h = (x -
 * mean) r and r = 1 / sqrt(var + eps), dw = S(g h) and db = S(g), where S is the sum over
 * samples and places.
 */
#include "kernel/groups.h"
#include "op/norm.h"

#include <math.h>

extern const lg_op lgi_op_rsqrt, lgi_op_square;

static lgi_groups groups_of(const lgi_node *n)
{
    const lg_tensor *x = n->in[1];
    int64_t groups = ((const lgi_group_weight *)n->attr)->groups;
    return (lgi_groups){x->dim[0], groups, x->dim[1] / groups,
                        lgi_product_of(x->dim + 2, x->ndim - 2)};
}

static lg_status group_weight_shape(lg_engine *E, lgi_node *n)
{
    const lgi_group_weight *t = n->attr;
    const lg_tensor *g = n->in[0], *x = n->in[1];
    if (x->ndim < 2 || !lgi_same_dims(g, x))
        return lgi_fail(E, LG_ESHAPE, "%s: g is %s and x is %s; the shapes must be the "
                        "same, and have the axes n, c and maybe more", n->op->name,
                        LGI_SHAPE(g), LGI_SHAPE(x));
    if (t->groups < 1 || x->dim[1] % t->groups)
        return lgi_fail(E, LG_ESHAPE, "%s: groups is %lld, and must divide the %lld "
                        "channels (axis 2) of x %s", n->op->name, (long long)t->groups,
                        (long long)x->dim[1], LGI_SHAPE(x));
    for (int i = 2; i <= 3; i++)
        if (n->in[i]->ndim != 1 || n->in[i]->dim[0] != x->dim[0] * t->groups)
            return lgi_fail(E, LG_ESHAPE, "%s: %s must be {%lld}, a number for each "
                            "group of each sample of x %s, and is %s", n->op->name,
                            i == 2 ? "mean" : "var",
                            (long long)(x->dim[0] * t->groups), LGI_SHAPE(x),
                            LGI_SHAPE(n->in[i]));
    if (lgi_need_number(E, n, "eps", t->eps, 0, INFINITY) < 0)
        return E->status;
    lgi_set_shape(&n->out[0], 1, x->dim[1]);
    return lgi_set_shape(&n->out[1], 1, x->dim[1]);
}

static size_t group_weight_workspace(lg_engine *E, const lgi_node *n)
{
    return (size_t)n->in[3]->numel * sizeof(lg_real);
}

static void group_weight_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lgi_group_weight *t = n->attr;
    const lg_tensor *var = n->in[3];
    lgi_groups s = groups_of(n);
    lg_real *rstd = workspace;
    for (int64_t k = 0; k < var->numel; k++)
        rstd[k] = (lg_real)(1 / sqrt((double)var->data[k] + t->eps));
    lgi_group_weights(E, &s, n->in[0]->data, n->in[1]->data, n->in[2]->data, rstd,
                      n->out[0].data, n->out[1].data);
}

/*
 * With gradients Q and R for dw and db: dL/dg = Q h + R, dL/dh = Q g, and so dL/dx = r
 * dL/dh, dL/dmean = -r T(dL/dh), dL/dvar = -r^2 / 2 T(dL/dh h), where T is the sum over a
 * group of a sample.
 */
static lg_status group_weight_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                   lg_tensor **g, lg_tensor **out)
{
    const lgi_group_weight *t = n->attr;
    lgi_groups s = groups_of(n);
    lg_tensor *x = n->in[1];
    lg_tensor whole = {.ndim = 4, .dim = {s.n, s.groups, s.per, s.rest}};
    lg_tensor each = {.ndim = 4, .dim = {s.n, s.groups, 1, 1}};
    lg_tensor weights = {.ndim = 4, .dim = {1, s.groups, s.per, 1}};
    lgi_list inner = {.n = 2, .at = {3, 4}};
    lg_tensor *Q = g[0] ? lgi_reshape_to(E, g[0], &weights) : NULL;
    lg_tensor *R = g[1] ? lgi_reshape_to(E, g[1], &weights) : NULL;
    lg_tensor *x4 = lgi_reshape_to(E, x, &whole);
    lg_tensor *g4 = lgi_reshape_to(E, n->in[0], &whole);
    lg_tensor *mean = lgi_reshape_to(E, n->in[2], &each);
    lg_tensor *var = lgi_reshape_to(E, n->in[3], &each);
    lg_tensor *r = lgi_apply1(E, &lgi_op_rsqrt, lgi_affine(E, var, 1, t->eps), NULL);
    lg_tensor *h = lgi_mul(E, lgi_sub(E, x4, mean), r);
    if (wanted[0]) {
        lg_tensor *by_g = Q ? lgi_mul(E, h, Q) : NULL;
        lg_tensor *more = R && x4 ? lgi_expand_to(E, R, x4) : NULL;
        by_g = by_g && more ? lgi_add(E, by_g, more) : by_g ? by_g : more;
        out[0] = lgi_reshape_to(E, by_g, x);
    }
    if (!Q)
        return E->status;
    lg_tensor *by_h = lgi_mul(E, g4, Q);
    if (wanted[1])
        out[1] = lgi_reshape_to(E, lgi_mul(E, by_h, r), x);
    if (wanted[2]) {
        lg_tensor *sum = by_h ? lgi_sum_dims(E, by_h, &inner, true) : NULL;
        out[2] = lgi_reshape_to(E, lgi_neg(E, lgi_mul(E, sum, r)), n->in[2]);
    }
    if (wanted[3]) {
        lg_tensor *by_r = lgi_mul(E, by_h, h);
        lg_tensor *sum = by_r ? lgi_sum_dims(E, by_r, &inner, true) : NULL;
        lg_tensor *r2 = lgi_apply1(E, &lgi_op_square, r, NULL);
        lg_tensor *by_var = lgi_affine(E, lgi_mul(E, sum, r2), -0.5, 0);
        out[3] = lgi_reshape_to(E, by_var, n->in[3]);
    }
    return E->status;
}

const lg_op lgi_op_group_weight_back = {
    .name = "group_weight_back",
    .args = "g, x, mean, var, groups: whole, eps: number = 1e-5", .results = "dw, db",
    .doc = "The gradients of group_norm and its like for w and b {c}, from the gradient "
           "g of its result y, from x {n,c,...} and from its mean and var {n*groups}.",
    .shape = group_weight_shape, .workspace = group_weight_workspace,
    .forward = group_weight_forward, .grad = group_weight_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2) | LGI_IN(3),
    .attr_bytes = sizeof(lgi_group_weight),
    .samples = {"2,4,3; 2,4,3; 4; 4 positive; groups=2",
                "3,2; 3,2; 3; 3 positive; groups=1",
                "2,3,2,2; 2,3,2,2; 6; 6 positive; groups=3, eps=0.01",
                "0,2,2; 0,2,2; 0; 0; groups=2", "2,2,0; 2,2,0; 2; 2 positive; groups=1"}};

const lg_op *const lgi_ops_group_weight[] = {&lgi_op_group_weight_back, NULL};
