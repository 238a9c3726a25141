/*
 * loss.c - losses that compare x with y, element by element.
 *
 * reduction says what is made of the elements' losses: their mean, their sum, or nothing.
 * Sums go through double, in a fixed order. y may broadcast to the shape of x, but x not
 * to that of y: comparing {64,1} with {64} is refused, where it would be 64 times 64.
 *
 * The _back operator of a loss has the inputs g, x, y, and makes the gradient for x:
 * c g l'(x, y), where c is 1, or 1 / n for the mean of n.
 */
#include "kernel/vector.h"
#include "op/op.h"

#include <string.h>

extern const lg_op lgi_op_mse_back, lgi_op_l1_back, lgi_op_bce_with_logits_back;
extern const lg_op lgi_op_sigmoid, lgi_op_sigmoid_back;

enum { LOSS_MEAN, LOSS_SUM, LOSS_NONE };    /* as in the words of reduction */

typedef struct loss_attr {
    int64_t reduction;
    double scale;                      /* c, from shape */
} loss_attr;

#define LOSS_ARGS "x, y, reduction: mean|sum|none = mean"
#define LOSS_BACK_ARGS "g, x, y, reduction: mean|sum|none = mean"
#define LOSS_DOC " y has the shape of x, or broadcasts to it. The result is their mean " \
    "or sum, without axes, or with reduction none has the shape of x."

/* x, and y that broadcasts to it, are the inputs first and first + 1. */
static lg_status check_target(lg_engine *E, const lgi_node *n, int first)
{
    const lg_tensor *x = n->in[first], *y = n->in[first + 1];
    loss_attr *t = n->attr;
    int64_t dim[LG_MAX_DIM];
    int ndim;
    t->scale = t->reduction == LOSS_MEAN ? 1 / (double)x->numel : 1;
    if (lgi_broadcast_dims(x, y, &ndim, dim) && ndim == x->ndim
        && memcmp(dim, x->dim, (size_t)ndim * sizeof *dim) == 0)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: x is %s and y is %s; y must have the shape of x, "
                    "or broadcast to it (reshape one of them)", n->op->name, LGI_SHAPE(x),
                    LGI_SHAPE(y));
}

static lg_status loss_shape(lg_engine *E, lgi_node *n)
{
    const loss_attr *t = n->attr;
    if (check_target(E, n, 0) < 0)
        return E->status;
    return t->reduction == LOSS_NONE ? lgi_like(n->out, n->in[0])
                                     : lgi_set_dims(n->out, 0, NULL);
}

static lg_status loss_back_shape(lg_engine *E, lgi_node *n)
{
    const loss_attr *t = n->attr;
    const lg_tensor *g = n->in[0], *x = n->in[1];
    if (check_target(E, n, 1) < 0)
        return E->status;
    if (t->reduction == LOSS_NONE ? lgi_same_dims(g, x) : g->ndim == 0)
        return lgi_like(n->out, x);
    return lgi_fail(E, LG_ESHAPE, "%s: g is %s, and must have the shape of the loss: "
                    "that of x %s with reduction none, else no axes", n->op->name,
                    LGI_SHAPE(g), LGI_SHAPE(x));
}

static size_t loss_workspace(lg_engine *E, const lgi_node *n)
{
    const loss_attr *t = n->attr;
    (void)E;
    if (t->reduction == LOSS_NONE)
        return 0;
    return (size_t)lgi_map_pieces(n->in[0]->numel) * sizeof(double);
}

static void compute_loss(lg_engine *E, const lgi_node *n, lgi_loop *loop, void *workspace)
{
    const loss_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    if (t->reduction == LOSS_NONE) {
        lgi_map(E, loop, n->out, 2, n->in, NULL);
        return;
    }
    double sum = lgi_map_sum(E, loop, x, 2, n->in, NULL, workspace);
    n->out->data[0] = (lg_real)(t->reduction == LOSS_MEAN ? sum / (double)x->numel : sum);
}

static lg_tensor *loss_back(lg_engine *E, const lg_op *back, lg_tensor *g, lg_tensor *x,
                            lg_tensor *y, const void *attr)
{
    return g && x && y ? lgi_apply(E, back, 3, (lg_tensor *[]){g, x, y}, attr) : NULL;
}

#define LOSS_FORWARD(name)                                                              \
    LGI_WIDE(name##_loop)                                                               \
    LGI_WIDE(name##_back_loop)                                                          \
    static void name##_forward(lg_engine *E, const lgi_node *n, void *workspace)        \
    {                                                                                   \
        compute_loss(E, n, LGI_WIDEST(E, name##_loop), workspace);                      \
    }                                                                                   \
    static void name##_back_forward(lg_engine *E, const lgi_node *n, void *workspace)   \
    {                                                                                   \
        const loss_attr *t = n->attr;                                                   \
        const lg_real c = (lg_real)t->scale;                                            \
        (void)workspace;                                                                \
        lgi_map(E, LGI_WIDEST(E, name##_back_loop), n->out, 3, n->in, &c);              \
    }

#define LOSS_SAMPLES "2,3; 2,3", "2,3; -; reduction=sum", "2,3; 3; reduction=none",     \
                     "-; -", "1; 1; reduction=none", "0,3; 0,3; reduction=sum",         \
                     "2,1,2,1,2; 2,1,1,1,2"
#define LOSS_BACK_SAMPLES "-; 2,3; 2,3", "-; 2,3; -; reduction=sum",                    \
                          "2,3; 2,3; 3; reduction=none", "-; 0,3; 0,3; reduction=sum"

/* mse: l' = 2 (x - y), which is linear: so are all rules of mse_back */

LGI_LOOP2(mse_loop, void, (a - b) * (a - b))
LGI_LOOP3(mse_back_loop, lg_real, a * (2 * *p) * (b - c))
LOSS_FORWARD(mse)

/* Of a difference x - y the gradient for y is minus that for x. */
static lg_status opposite_grads(lg_engine *E, lg_tensor *by_x, const bool *wanted,
                                lg_tensor **out)
{
    out[0] = wanted[0] ? by_x : NULL;
    out[1] = wanted[1] ? lgi_neg(E, by_x) : NULL;
    return E->status;
}

static lg_status mse_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    lg_tensor *by_x = loss_back(E, &lgi_op_mse_back, g[0], n->in[0], n->in[1], n->attr);
    return opposite_grads(E, by_x, wanted, out);
}

static lg_status mse_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    const loss_attr *t = n->attr;
    lg_tensor *d = lgi_affine(E, g[0], 2 * t->scale, 0);
    if (wanted[0])
        out[0] = lgi_mul(E, d, lgi_sub(E, n->in[1], n->in[2]));
    return opposite_grads(E, lgi_mul(E, d, n->in[0]), wanted + 1, out + 1);
}

const lg_op lgi_op_mse = {
    .name = "mse", .args = LOSS_ARGS, .doc = "The squared error (x - y)^2." LOSS_DOC,
    .shape = loss_shape, .workspace = loss_workspace, .forward = mse_forward,
    .grad = mse_grad, .needs = LGI_IN(0) | LGI_IN(1), .attr_bytes = sizeof(loss_attr),
    .samples = {LOSS_SAMPLES}};

const lg_op lgi_op_mse_back = {
    .name = "mse_back", .args = LOSS_BACK_ARGS,
    .doc = "The gradient of mse for x: 2 g (x - y), divided by their number for a mean.",
    .shape = loss_back_shape, .forward = mse_back_forward, .grad = mse_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2), .attr_bytes = sizeof(loss_attr),
    .samples = {LOSS_BACK_SAMPLES}};

/* l1: l' = sign(x - y) */

LGI_ALWAYS_INLINE lg_real signed_by(lg_real g, lg_real d)
{
    return d > 0 ? g : d < 0 ? -g : d * g;     /* 0, or NaN */
}

LGI_LOOP2(l1_loop, void, fabs((double)(a - b)))
LGI_LOOP3(l1_back_loop, lg_real, signed_by(a * *p, b - c))
LOSS_FORWARD(l1)

static lg_status l1_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                         lg_tensor **g, lg_tensor **out)
{
    lg_tensor *by_x = loss_back(E, &lgi_op_l1_back, g[0], n->in[0], n->in[1], n->attr);
    return opposite_grads(E, by_x, wanted, out);
}

/* Linear in g, and flat in x and y. */
static lg_status l1_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out)
{
    const loss_attr *t = n->attr;
    lg_tensor *x = n->in[1];
    if (!wanted[0])
        return LG_OK;
    loss_attr each = {LOSS_NONE, 1};
    lg_tensor *d = loss_back(E, &lgi_op_l1_back, g[0], x, n->in[2], &each);
    out[0] = lgi_affine(E, d, t->scale, 0);
    return E->status;
}

const lg_op lgi_op_l1 = {
    .name = "l1", .args = LOSS_ARGS,
    .doc = "The absolute error |x - y|. Where it is 0 its gradient is 0." LOSS_DOC,
    .shape = loss_shape, .workspace = loss_workspace, .forward = l1_forward,
    .grad = l1_grad, .needs = LGI_IN(0) | LGI_IN(1), .attr_bytes = sizeof(loss_attr),
    .samples = {LOSS_SAMPLES}};

const lg_op lgi_op_l1_back = {
    .name = "l1_back", .args = LOSS_BACK_ARGS,
    .doc = "The gradient of l1 for x: g sign(x - y), divided by their number for a mean.",
    .shape = loss_back_shape, .forward = l1_back_forward, .grad = l1_back_grad,
    .needs = LGI_IN(1) | LGI_IN(2), .attr_bytes = sizeof(loss_attr),
    .samples = {LOSS_BACK_SAMPLES}};

/* bce_with_logits: l = softplus(x) - x y, l' by x = sigmoid(x) - y, by y = -x */

LGI_ALWAYS_INLINE lg_real logit_loss(lg_real x, lg_real y)
{
    lg_real top = x <= 0 ? 0 : x;      /* keeps a NaN */
    return (top - x * y) + lgi_log1p_of_small(lgi_exp(x < 0 ? x : -x));
}

LGI_LOOP2(bce_with_logits_loop, void, logit_loss(a, b))
LGI_LOOP3(bce_with_logits_back_loop, lg_real, a * *p * (lgi_sigmoid(b) - c))
LOSS_FORWARD(bce_with_logits)

static lg_status bce_with_logits_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                      lg_tensor **g, lg_tensor **out)
{
    const loss_attr *t = n->attr;
    lg_tensor *x = n->in[0];
    if (wanted[0])
        out[0] = loss_back(E, &lgi_op_bce_with_logits_back, g[0], x, n->in[1], t);
    if (wanted[1])
        out[1] = lgi_mul(E, lgi_affine(E, g[0], -t->scale, 0), x);
    return E->status;
}

static lg_status bce_with_logits_back_grad(lg_engine *E, const lgi_node *n,
                                           const bool *wanted, lg_tensor **g,
                                           lg_tensor **out)
{
    const loss_attr *t = n->attr;
    lg_tensor *d = lgi_affine(E, g[0], t->scale, 0), *s = NULL;
    lg_tensor *dg = wanted[1] || wanted[2] ? lgi_mul(E, d, n->in[0]) : NULL;
    if (wanted[0] || wanted[1])
        s = lgi_apply1(E, &lgi_op_sigmoid, n->in[1], NULL);
    if (wanted[0])
        out[0] = lgi_mul(E, d, lgi_sub(E, s, n->in[2]));
    if (wanted[1])
        out[1] = lgi_apply2(E, &lgi_op_sigmoid_back, dg, s, NULL);
    if (wanted[2])
        out[2] = lgi_neg(E, dg);
    return E->status;
}

const lg_op lgi_op_bce_with_logits = {
    .name = "bce_with_logits", .args = LOSS_ARGS,
    .doc = "The binary cross-entropy of the probability sigmoid(x) with the target y in "
           "0 .. 1: log(1 + exp(x)) - x y, without overflow." LOSS_DOC,
    .shape = loss_shape, .workspace = loss_workspace, .forward = bce_with_logits_forward,
    .grad = bce_with_logits_grad, .needs = LGI_IN(0) | LGI_IN(1),
    .attr_bytes = sizeof(loss_attr), .samples = {LOSS_SAMPLES}};

const lg_op lgi_op_bce_with_logits_back = {
    .name = "bce_with_logits_back", .args = LOSS_BACK_ARGS,
    .doc = "The gradient of bce_with_logits for x: g (sigmoid(x) - y), divided by their "
           "number for the mean.",
    .shape = loss_back_shape, .forward = bce_with_logits_back_forward,
    .grad = bce_with_logits_back_grad, .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2),
    .attr_bytes = sizeof(loss_attr), .samples = {LOSS_BACK_SAMPLES}};

const lg_op *const lgi_ops_loss[] = {
    &lgi_op_mse, &lgi_op_mse_back, &lgi_op_l1, &lgi_op_l1_back, &lgi_op_bce_with_logits,
    &lgi_op_bce_with_logits_back, NULL};
