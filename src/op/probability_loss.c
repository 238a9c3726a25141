/*
 * probability_loss.c - losses of probabilities, given as such, as logits or as
 * logarithms, element by element: see loss.h.
 */
#include "op/loss.h"

extern const lg_op lgi_op_bce_with_logits_back, lgi_op_sigmoid, lgi_op_sigmoid_back;
extern const lg_op lgi_op_softplus, lgi_op_clamp, lgi_op_log, lgi_op_eq, lgi_op_where;
extern const lg_op lgi_op_bce_back, lgi_op_clamp_back, lgi_op_reciprocal;

/* bce_with_logits: l = softplus(x) - x y, of which no part is negative where y is from 0
 * to 1, if it is put together so: (1 - y) x or -y x, then the tail.
 * l' by x = sigmoid(x) - y, by y = -x */

LGI_ALWAYS_INLINE lg_real logit_loss(lg_real x, lg_real y)
{
    lg_real straight = x < 0 ? -y * x : (1 - y) * x;
    return straight + lgi_log1p_of_small(lgi_exp(x < 0 ? x : -x));
}

LGI_LOOP2(bce_with_logits_loop, void, logit_loss(a, b))
/* By the sigmoid's smaller side, so that a sure score has a slope still. */
LGI_ALWAYS_INLINE lg_real logit_slope(lg_real x, lg_real y)
{
    lg_real e = lgi_exp(x < 0 ? x : -x), less = e / (1 + e);
    return x < 0 ? less - y : (1 - y) - less;
}

LGI_LOOP3(bce_with_logits_back_loop, lg_real, a * *p * logit_slope(b, c))
LGI_WIDE(bce_with_logits_loop)
LOSS_BACK_FORWARD(bce_with_logits)

/* With weights it is w ((1 - y) x + q softplus(-x)), where q = 1 + (p - 1) y. */
LGI_ALWAYS_INLINE lg_real weighted_logit_loss(lg_real x, lg_real y, lg_real w, lg_real p)
{
    lg_real tail = lgi_log1p_of_small(lgi_exp(x < 0 ? x : -x));
    lg_real straight = x < 0 ? -p * y * x : (1 - y) * x;
    return w * (straight + (1 + (p - 1) * y) * tail);
}

LGI_ALWAYS_INLINE void weighted_logits_loop_any(LGI_LOOP_ARGS)
{
    const lg_real *x = from[0], *y = from[1], *w = from[2], *p = from[3];
    (void)params;
    for (int64_t i = 0; i < n; i++)
        to[i] = weighted_logit_loss(x[i * step[0]], y[i * step[1]], w[i * step[2]],
                                    p[i * step[3]]);
}
LGI_LOOP(weighted_logits_loop)
LGI_WIDE(weighted_logits_loop)

static lg_status bce_with_logits_shape(lg_engine *E, lgi_node *n)
{
    return lgi_check_loss(E, n, 0, 3) < 0 ? E->status : lgi_loss_shape_of(E, n);
}

static void bce_with_logits_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lg_real one = 1;
    lg_tensor scalar = {.numel = 1, .data = &one};
    lg_tensor *w = n->in[2] ? n->in[2] : &scalar, *p = n->in[3] ? n->in[3] : &scalar;
    lg_tensor *in[] = {n->in[0], n->in[1], w, p};
    if (n->in[2] || n->in[3])
        lgi_compute_loss(E, n, LGI_WIDEST(E, weighted_logits_loop), 4, in, workspace);
    else
        lgi_compute_loss(E, n, LGI_WIDEST(E, bce_with_logits_loop), 2, in, workspace);
}

/* t w, or t where there is no w */
static lg_tensor *times_weight(lg_engine *E, lg_tensor *t, lg_tensor *w)
{
    return w ? lgi_mul(E, t, w) : t;
}

/* c g, of no axes, or of those of x */
static lg_tensor *scaled_loss_gradient(lg_engine *E, const lgi_node *n, lg_tensor *g)
{
    const lgi_loss_attr *t = n->attr;
    return lgi_affine(E, g, t->scale, 0);
}

/* The four gradients of the weighted loss, whose terms are named as above. */
static lg_status weighted_logits_grad(lg_engine *E, const lgi_node *n, lg_tensor *g,
                                      const bool *wanted, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *y = n->in[1], *w = n->in[2], *p = n->in[3];
    lg_tensor *minus = lgi_neg(E, x), *not_y = lgi_affine(E, y, -1, 1);
    lg_tensor *more = p ? lgi_affine(E, p, 1, -1) : NULL;
    lg_tensor *gw = times_weight(E, g, w), *q = NULL, *by_y = minus;
    lg_tensor *tail = lgi_apply1(E, &lgi_op_softplus, minus, NULL);
    if (p) {
        q = lgi_affine(E, lgi_mul(E, more, y), 1, 1);
        by_y = lgi_add(E, minus, lgi_mul(E, more, tail));
    }
    if (wanted[0]) {
        lg_tensor *s = lgi_apply1(E, &lgi_op_sigmoid, minus, NULL);
        out[0] = lgi_mul(E, gw, lgi_sub(E, not_y, times_weight(E, s, q)));
    }
    if (wanted[1])
        out[1] = lgi_mul(E, gw, by_y);
    if (wanted[2]) {
        lg_tensor *l = lgi_add(E, lgi_mul(E, not_y, x), times_weight(E, tail, q));
        out[2] = lgi_mul(E, g, l);
    }
    if (wanted[3])
        out[3] = lgi_mul(E, gw, lgi_mul(E, y, tail));
    return E->status;
}

static lg_status bce_with_logits_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                      lg_tensor **g, lg_tensor **out)
{
    const lgi_loss_attr *t = n->attr;
    lg_tensor *x = n->in[0], *gc = NULL;
    if (n->in[2] || n->in[3] || wanted[1])
        gc = scaled_loss_gradient(E, n, g[0]);
    if (n->in[2] || n->in[3])
        return weighted_logits_grad(E, n, gc, wanted, out);
    if (wanted[0])
        out[0] = lgi_loss_back(E, &lgi_op_bce_with_logits_back, g[0], x, n->in[1], t);
    if (wanted[1])
        out[1] = lgi_mul(E, lgi_neg(E, gc), x);
    return E->status;
}

static lg_status bce_with_logits_back_grad(lg_engine *E, const lgi_node *n,
                                           const bool *wanted, lg_tensor **g,
                                           lg_tensor **out)
{
    const lgi_loss_attr *t = n->attr;
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

#define WEIGHTED_LOSS_DOC " weight, which broadcasts to x, multiplies the losses; the "  \
    "mean is still over all elements."

const lg_op lgi_op_bce_with_logits = {
    .name = "bce_with_logits",
    .args = "x, y, weight?, pos_weight?, reduction: mean|sum|none = mean",
    .doc = "The binary cross-entropy of the probability sigmoid(x) with the target y in "
           "0 .. 1: log(1 + exp(x)) - x y, without overflow. pos_weight, which "
           "broadcasts to x, multiplies what y = 1 adds." WEIGHTED_LOSS_DOC LOSS_DOC,
    .shape = bce_with_logits_shape, .workspace = lgi_loss_workspace,
    .forward = bce_with_logits_forward, .grad = bce_with_logits_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2) | LGI_IN(3),
    .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {"2,3; 2,3", "2,3; -; reduction=sum", "2,3; 3; reduction=none",
                "-; -; -; positive", "0,3; 0,3; reduction=sum", "2,3; 2,3; 3; 3 positive",
                "2,3; 2,3; none; 2,1 positive; reduction=none",
                "2,1,2,1,2; 2,1,1,1,2; 2; none; reduction=sum"}};

const lg_op lgi_op_bce_with_logits_back = {
    .name = "bce_with_logits_back", .args = LOSS_BACK_ARGS,
    .doc = "The gradient of bce_with_logits for x: g (sigmoid(x) - y), divided by their "
           "number for the mean.",
    .shape = lgi_loss_back_shape, .forward = bce_with_logits_back_forward,
    .grad = bce_with_logits_back_grad, .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2),
    .attr_bytes = sizeof(lgi_loss_attr), .samples = {LOSS_BACK_SAMPLES}};

/*
 * bce. As PyTorch has it, log(x) and log(1 - x) are at least -100, and x (1 - x) in the
 * gradient at least 1e-12: so a probability of 0 or 1 costs much, but not infinity.
 */
#define BCE_TINY 3.7200759760208361e-44    /* exp(-100) */
#define BCE_ROOM 1e-12

static const double bce_room_bounds[] = {BCE_ROOM, INFINITY};

/* A NaN goes through. All are looked at before one is looked for. */
static lg_status check_probabilities(lg_engine *E, const lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    int64_t i = 0, numel = x->numel;
    int bad = 0;
    for (int64_t k = 0; k < numel; k++)
        bad |= (x->data[k] < 0) | (x->data[k] > 1);
    if (!bad)
        return LG_OK;
    while (!(x->data[i] < 0 || x->data[i] > 1))
        i++;
    return lgi_fail(E, LG_EARG, "%s: element %lld of x %s is %g, and probabilities are "
                    "from 0 to 1; apply sigmoid to it, or use bce_with_logits",
                    n->op->name, (long long)i + 1, LGI_SHAPE(x), (double)x->data[i]);
}

static lg_status bce_shape(lg_engine *E, lgi_node *n)
{
    if (lgi_check_loss(E, n, 0, 2) < 0 || check_probabilities(E, n) < 0)
        return E->status;
    return lgi_loss_shape_of(E, n);
}

LGI_ALWAYS_INLINE lg_real bounded_log(lg_real log_x)
{
    return log_x < -100 ? -100 : log_x;
}

LGI_ALWAYS_INLINE lg_real bce_of(lg_real x, lg_real y, lg_real w)
{
    lg_real yes = bounded_log(lgi_log(x)), no = bounded_log(lgi_log1p(-x));
    return w * ((y - 1) * no - y * yes);
}

LGI_ALWAYS_INLINE lg_real bce_slope(lg_real x, lg_real y)
{
    lg_real room = x * (1 - x);
    return (x - y) / (room < (lg_real)BCE_ROOM ? (lg_real)BCE_ROOM : room);
}

LGI_LOOP3(bce_loop, void, bce_of(a, b, c))
LGI_LOOP3(bce_back_loop, lg_real, a * *p * bce_slope(b, c))
LGI_WIDE(bce_loop)
LOSS_BACK_FORWARD(bce)

static void bce_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lg_real one = 1;
    lg_tensor scalar = {.numel = 1, .data = &one};
    lg_tensor *in[] = {n->in[0], n->in[1], n->in[2] ? n->in[2] : &scalar};
    lgi_compute_loss(E, n, LGI_WIDEST(E, bce_loop), 3, in, workspace);
}

static lg_tensor *at_least(lg_engine *E, lg_tensor *x, double min)
{
    return lgi_apply1(E, &lgi_op_clamp, x, (double[]){min, INFINITY});
}

static lg_tensor *safe_log(lg_engine *E, lg_tensor *x)
{
    return lgi_apply1(E, &lgi_op_log, at_least(E, x, BCE_TINY), NULL);
}

/* x (1 - x), bounded */
static lg_tensor *bce_room(lg_engine *E, lg_tensor *x)
{
    lg_tensor *room = lgi_mul(E, x, lgi_affine(E, x, -1, 1));
    return at_least(E, room, BCE_ROOM);
}

/* By x it is w (x - y) / (x (1 - x)), by y w (log(1 - x) - log(x)). */
static lg_status bce_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *y = n->in[1], *w = n->in[2];
    if (wanted[0] && !w)
        out[0] = lgi_loss_back(E, &lgi_op_bce_back, g[0], x, y, n->attr);
    if (!w && !wanted[1])
        return E->status;
    lg_tensor *gc = scaled_loss_gradient(E, n, g[0]), *gw = times_weight(E, gc, w);
    if (wanted[0] && w)
        out[0] = lgi_mul(E, gw, lgi_div(E, lgi_sub(E, x, y), bce_room(E, x)));
    if (!wanted[1] && !wanted[2])
        return E->status;
    lg_tensor *no = safe_log(E, lgi_affine(E, x, -1, 1));
    lg_tensor *by_y = lgi_sub(E, no, safe_log(E, x));
    if (wanted[1])
        out[1] = lgi_mul(E, gw, by_y);
    if (wanted[2])
        out[2] = lgi_mul(E, gc, lgi_sub(E, lgi_mul(E, y, by_y), no));
    return E->status;
}

/* With r = 1 / room and s = (x - y) r, s' by x is r (1 - s room'), by y -r. */
static lg_status bce_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    const lgi_loss_attr *t = n->attr;
    lg_tensor *x = n->in[1], *r = lgi_apply1(E, &lgi_op_reciprocal, bce_room(E, x), NULL);
    lg_tensor *gc = lgi_affine(E, g[0], t->scale, 0);
    lg_tensor *s = lgi_mul(E, lgi_sub(E, x, n->in[2]), r);
    if (wanted[0])
        out[0] = lgi_mul(E, gc, s);
    if (!wanted[1] && !wanted[2])
        return E->status;
    lg_tensor *gr = lgi_mul(E, lgi_mul(E, gc, n->in[0]), r);
    if (wanted[1]) {
        lg_tensor *bent = lgi_mul(E, x, lgi_affine(E, x, -1, 1));
        lg_tensor *by_x = lgi_apply2(E, &lgi_op_clamp_back, lgi_affine(E, x, -2, 1), bent,
                                     bce_room_bounds);
        out[1] = lgi_mul(E, gr, lgi_affine(E, lgi_mul(E, s, by_x), -1, 1));
    }
    if (wanted[2])
        out[2] = lgi_neg(E, gr);
    return E->status;
}

const lg_op lgi_op_bce = {
    .name = "bce", .args = "x, y, weight?, reduction: mean|sum|none = mean",
    .doc = "The binary cross-entropy of the probability x with the target y in 0 .. 1: "
           "-y log(x) - (1 - y) log(1 - x), with logarithms of at least -100; of logits "
           "bce_with_logits is more exact." WEIGHTED_LOSS_DOC LOSS_DOC,
    .shape = bce_shape, .workspace = lgi_loss_workspace, .forward = bce_forward,
    .grad = bce_grad, .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2),
    .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {"2,3 probability; 2,3", "2,3 probability; -; reduction=sum",
                "2,3 probability; 3; 2,1; reduction=none", "- probability; -",
                "1 probability; 1; 1", "0,3; 0,3; reduction=sum",
                "2,1,2,1,2 probability; 2,1,1,1,2; 2"}};

const lg_op lgi_op_bce_back = {
    .name = "bce_back", .args = LOSS_BACK_ARGS,
    .doc = "The gradient of bce for x: g (x - y) / (x (1 - x)), with x (1 - x) of at "
           "least 1e-12, divided by their number for the mean.",
    .shape = lgi_loss_back_shape, .forward = bce_back_forward, .grad = bce_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2), .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {"-; 2,3 middle; 2,3 probability",
                "-; 2,3 middle; - probability; reduction=sum",
                "2,3; 2,3 middle; 3 probability; reduction=none",
                "-; 0,3; 0,3; reduction=sum"}};

/* kl_div: l = target (log(target) - x), and 0 where the target is 0 */

LGI_ALWAYS_INLINE lg_real kl_div_of(lg_real x, lg_real t)
{
    lg_real own = t * lgi_log(t);
    return (t == 0 ? 0 : own) - t * x;
}

LGI_LOOP2(kl_div_loop, void, kl_div_of(a, b))
LOSS_FORWARD(kl_div)

/* By x it is -target, by the target log(target) + 1 - x. */
static lg_status kl_div_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *t = n->in[1], *gc = scaled_loss_gradient(E, n, g[0]);
    if (wanted[0])
        out[0] = lgi_mul(E, lgi_neg(E, gc), lgi_expand_to(E, t, x));
    if (wanted[1]) {
        lg_tensor *zero = lg_scalar(E, 0), *one = lg_scalar(E, 1);
        lg_tensor *none = lgi_apply2(E, &lgi_op_eq, t, zero, NULL);
        lg_tensor *base = none ? lgi_apply(E, &lgi_op_where, 3,
                                           (lg_tensor *[]){none, one, t}, NULL) : NULL;
        lg_tensor *log_t = lgi_apply1(E, &lgi_op_log, base, NULL);
        lg_tensor *by_t = lgi_sub(E, lgi_affine(E, log_t, 1, 1), x);
        lg_tensor *all = by_t ? lgi_apply(E, &lgi_op_where, 3,
                                          (lg_tensor *[]){none, zero, by_t}, NULL) : NULL;
        out[1] = lgi_mul(E, gc, all);
    }
    return E->status;
}

const lg_op lgi_op_kl_div = {
    .name = "kl_div", .args = "x, target, reduction: mean|sum|none|batchmean = mean",
    .doc = "The divergence of Kullback and Leibler from log-probabilities x to the "
           "probabilities target, which have the shape of x or broadcast to it: target "
           "(log(target) - x), and 0 where target is 0. The result is their mean, their "
           "sum, the sum divided by the size of axis 1 (batchmean, the divergence "
           "itself), or with reduction none has the shape of x.",
    .shape = lgi_loss_shape, .workspace = lgi_loss_workspace, .forward = kl_div_forward,
    .grad = kl_div_grad, .needs = LGI_IN(0) | LGI_IN(1),
    .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {"2,3; 2,3 positive; reduction=batchmean", "2,3; - positive",
                "2,3; 3 positive; reduction=none", "-; - positive; reduction=batchmean",
                "0,3; 0,3; reduction=sum", "2,1,2,1,2; 2,1,1,1,2 positive"}};

const lg_op *const lgi_ops_probability_loss[] = {
    &lgi_op_bce_with_logits, &lgi_op_bce_with_logits_back, &lgi_op_bce, &lgi_op_bce_back,
    &lgi_op_kl_div, NULL};
