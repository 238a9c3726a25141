/*
 * softmax.c - softmax, its logarithm, and the logarithm of a sum of exponentials, along
 * one axis. The greatest number is subtracted first, so that nothing overflows.
 */
#include "kernel/softmax.h"
#include "op/activation.h"

extern const lg_op lgi_op_exp, lgi_op_softmax_back, lgi_op_log_softmax_back;

typedef struct softmax_attr { int64_t dim, keepdim; } softmax_attr;

static void compute_softmax(lg_engine *E, const lgi_node *n, lgi_softmax_kind kind)
{
    const softmax_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t outer = lgi_product_of(x->dim, (int)t->dim - 1);
    int64_t stride = lgi_product_of(x->dim + t->dim, x->ndim - (int)t->dim);
    if (n->out->numel)
        lgi_softmax(E, kind, x->data, n->out->data, outer, x->dim[t->dim - 1], stride);
}

static void softmax_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    compute_softmax(E, n, LGI_SOFTMAX);
}

static void log_softmax_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    compute_softmax(E, n, LGI_LOG_SOFTMAX);
}

static void logsumexp_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    compute_softmax(E, n, LGI_LOGSUMEXP);
}

static lg_status softmax_shape(lg_engine *E, lgi_node *n)
{
    softmax_attr *t = n->attr;
    if (lgi_need_axis(E, n, "dim", &t->dim, n->in[0]->ndim) < 0)
        return E->status;
    return lgi_same_shape(E, n);
}

static lg_status logsumexp_shape(lg_engine *E, lgi_node *n)
{
    softmax_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    int ndim = 0;
    if (lgi_need_axis(E, n, "dim", &t->dim, x->ndim) < 0)
        return E->status;
    for (int i = 0; i < x->ndim; i++)
        if (i != t->dim - 1)
            dim[ndim++] = x->dim[i];
        else if (t->keepdim)
            dim[ndim++] = 1;
    if (lgi_set_dims(n->out, ndim, dim) < 0)
        return E->status;
    if (x->dim[t->dim - 1] == 0 && n->out->numel)
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s, and its axis %lld is empty",
                        n->op->name, LGI_SHAPE(x), (long long)t->dim);
    return LG_OK;
}

static lg_tensor *sum_along(lg_engine *E, const lgi_node *n, lg_tensor *t)
{
    const int64_t *dim = n->attr;
    lgi_list dims = {.n = 1, .at = {*dim}};
    return t ? lgi_sum_dims(E, t, &dims, true) : NULL;
}

static lg_status softmax_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_softmax_back, g[0], n->out, n->attr);
    return E->status;
}

static lg_status log_softmax_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                  lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_log_softmax_back, g[0], n->out, n->attr);
    return E->status;
}

/* g exp(x - y) */
static lg_status logsumexp_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    const softmax_attr *t = n->attr;
    lg_tensor *x = n->in[0], like = {.ndim = x->ndim};
    if (!wanted[0])
        return LG_OK;
    for (int i = 0; i < x->ndim; i++)
        like.dim[i] = i == t->dim - 1 ? 1 : x->dim[i];
    lg_tensor *e = lgi_apply1(
        E, &lgi_op_exp, lgi_sub(E, x, lgi_reshape_to(E, n->out, &like)), NULL);
    out[0] = lgi_mul(E, e, lgi_reshape_to(E, g[0], &like));
    return E->status;
}

#define SOFTMAX_SAMPLES "2,3; dim=2", "2,3; dim=1", "2,3,2; dim=-2", "3; dim=1",        \
                        "0,3; dim=2", "2,1,3,1,2; dim=3"

const lg_op lgi_op_softmax = {
    .name = "softmax", .args = "x, dim: whole",
    .doc = "exp(x) divided by its sum along the axis dim, without overflow. The result "
           "has the shape of x.",
    .shape = softmax_shape, .forward = softmax_forward, .grad = softmax_grad,
    .needs = LGI_OUT(0), .attr_bytes = sizeof(int64_t), .samples = {SOFTMAX_SAMPLES}};

const lg_op lgi_op_log_softmax = {
    .name = "log_softmax", .args = "x, dim: whole",
    .doc = "The logarithm of softmax along the axis dim, exact where softmax would be 0. "
           "The result has the shape of x.",
    .shape = softmax_shape, .forward = log_softmax_forward, .grad = log_softmax_grad,
    .needs = LGI_OUT(0), .attr_bytes = sizeof(int64_t), .samples = {SOFTMAX_SAMPLES}};

const lg_op lgi_op_logsumexp = {
    .name = "logsumexp", .args = "x, dim: whole, keepdim: flag = false",
    .doc = "log(sum(exp(x))) along the axis dim, without overflow. The axis goes, or "
           "stays with size 1 if keepdim is true.",
    .shape = logsumexp_shape, .forward = logsumexp_forward, .grad = logsumexp_grad,
    .needs = LGI_IN(0) | LGI_OUT(0), .attr_bytes = sizeof(softmax_attr),
    .samples = {SOFTMAX_SAMPLES, "2,3; dim=1, keepdim=true"}};

/* their gradients */

static lg_status softmax_back_shape(lg_engine *E, lgi_node *n)
{
    softmax_attr *t = n->attr;
    if (lgi_need_axis(E, n, "dim", &t->dim, n->in[0]->ndim) < 0)
        return E->status;
    return lgi_pair_shape(E, n);
}

static void compute_softmax_back(lg_engine *E, const lgi_node *n, lgi_softmax_kind kind)
{
    const int64_t dim = *(const int64_t *)n->attr;
    const lg_tensor *g = n->in[0];
    int64_t outer = lgi_product_of(g->dim, (int)dim - 1);
    int64_t stride = lgi_product_of(g->dim + dim, g->ndim - (int)dim);
    if (g->numel)
        lgi_softmax_back(E, kind, g->data, n->in[1]->data, n->out->data, outer,
                         g->dim[dim - 1], stride);
}

static void softmax_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    compute_softmax_back(E, n, LGI_SOFTMAX);
}

static void log_softmax_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    compute_softmax_back(E, n, LGI_LOG_SOFTMAX);
}

/* With P the gradient: by g y (P - sum(P y)), by y P (g - sum(g y)) - g sum(P y). */
static lg_status softmax_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                   lg_tensor **g, lg_tensor **out)
{
    lg_tensor *P = g[0], *in = n->in[0], *y = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_softmax_back, P, y, n->attr);
    if (wanted[1]) {
        lg_tensor *gy = sum_along(E, n, lgi_mul(E, in, y));
        lg_tensor *Py = sum_along(E, n, lgi_mul(E, P, y));
        out[1] = lgi_sub(E, lgi_mul(E, P, lgi_sub(E, in, gy)), lgi_mul(E, in, Py));
    }
    return E->status;
}

/* By g P - sum(P exp(y)), by y -P exp(y) sum(g). */
static lg_status log_softmax_back_grad(lg_engine *E, const lgi_node *n,
                                       const bool *wanted, lg_tensor **g, lg_tensor **out)
{
    lg_tensor *e = lgi_apply1(E, &lgi_op_exp, n->in[1], NULL);
    lg_tensor *Pe = lgi_mul(E, g[0], e);
    if (wanted[0])
        out[0] = lgi_sub(E, g[0], sum_along(E, n, Pe));
    if (wanted[1])
        out[1] = lgi_neg(E, lgi_mul(E, Pe, sum_along(E, n, n->in[0])));
    return E->status;
}

#define SOFTMAX_BACK_SAMPLES "2,3; 2,3; dim=2", "2,3; 2,3; dim=1",                      \
    "2,3,2; 2,3,2; dim=-2", "3; 3; dim=1", "0,3; 0,3; dim=2",                           \
    "2,1,3,1,2; 2,1,3,1,2; dim=3"

const lg_op lgi_op_softmax_back = {
    .name = "softmax_back", .args = "g, y, dim: whole",
    .doc = "The gradient of softmax by its result y: y (g - sum(g y)), the sum along the "
           "axis dim.",
    .shape = softmax_back_shape, .forward = softmax_back_forward,
    .grad = softmax_back_grad, .needs = LGI_IN(0) | LGI_IN(1),
    .attr_bytes = sizeof(int64_t), .samples = {SOFTMAX_BACK_SAMPLES}};

const lg_op lgi_op_log_softmax_back = {
    .name = "log_softmax_back", .args = "g, y, dim: whole",
    .doc = "The gradient of log_softmax by its result y: g - exp(y) sum(g), the sum "
           "along the axis dim.",
    .shape = softmax_back_shape, .forward = log_softmax_back_forward,
    .grad = log_softmax_back_grad, .needs = LGI_IN(0) | LGI_IN(1),
    .attr_bytes = sizeof(int64_t), .samples = {SOFTMAX_BACK_SAMPLES}};

const lg_op *const lgi_ops_softmax[] = {
    &lgi_op_softmax, &lgi_op_log_softmax, &lgi_op_logsumexp, &lgi_op_softmax_back,
    &lgi_op_log_softmax_back, NULL};
