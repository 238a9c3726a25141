/*
 * hard_activation.c - activations of straight pieces that have bounds, or a slope that is
 * learned.
 */
#include "op/activation.h"

extern const lg_op lgi_op_hardtanh_back, lgi_op_where, lgi_op_gt;

/* hardtanh, and relu6, which is hardtanh between 0 and 6. The result is strictly within
 * the bounds exactly where x is, so that x is freed. */

typedef struct hardtanh_attr { double min, max; } hardtanh_attr;

static const hardtanh_attr relu6_bounds = {0, 6};

static lg_status check_bounds(lg_engine *E, const lgi_node *n)
{
    const hardtanh_attr *t = n->attr;
    if (t->min <= t->max)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: min must not be above max, and they are %g and %g",
                    n->op->name, t->min, t->max);
}

static lg_status hardtanh_shape(lg_engine *E, lgi_node *n)
{
    return check_bounds(E, n) < 0 ? E->status : lgi_same_shape(E, n);
}

static lg_status hardtanh_back_shape(lg_engine *E, lgi_node *n)
{
    return check_bounds(E, n) < 0 ? E->status : lgi_pair_shape(E, n);
}

/* A NaN stays. */
LGI_ALWAYS_INLINE lg_real bounded(lg_real x, const hardtanh_attr *p)
{
    const lg_real min = (lg_real)p->min, max = (lg_real)p->max;
    lg_real low = x < min ? min : x;
    return low > max ? max : low;
}

LGI_ALWAYS_INLINE lg_real if_within(lg_real g, lg_real y, const hardtanh_attr *p)
{
    bool out = (y <= (lg_real)p->min) | (y >= (lg_real)p->max);
    return out ? 0 : g;
}

LGI_LOOP1(hardtanh_loop, hardtanh_attr, bounded(a, p))
LGI_LOOP1(relu6_loop, void, bounded(a, &relu6_bounds))
LGI_LOOP2(hardtanh_back_loop, hardtanh_attr, if_within(a, b, p))
ACT_FORWARD(hardtanh)
ACT_FORWARD(relu6)
ACT_FORWARD(hardtanh_back)
ACT_GRAD(hardtanh, hardtanh_back, n->out)
ACT_GRAD(hardtanh_back, hardtanh_back, n->in[1])

static lg_status relu6_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_hardtanh_back, g[0], n->out, &relu6_bounds);
    return E->status;
}

const lg_op lgi_op_relu6 = {
    .name = "relu6", .args = "x",
    .doc = "x, but no less than 0 and no more than 6 (Krizhevsky 2010). At 0 and 6 its "
           "gradient is 0." ACT_SHAPE,
    .shape = lgi_same_shape, .forward = relu6_forward, .grad = relu6_grad,
    .needs = LGI_OUT(0), .samples = {ACT_SAMPLES(" away", "")}};

const lg_op lgi_op_hardtanh = {
    .name = "hardtanh", .args = "x, min: number = -1, max: number = 1",
    .doc = "x, but no less than min and no more than max; a NaN stays. At the bounds its "
           "gradient is 0." ACT_SHAPE,
    .shape = hardtanh_shape, .forward = hardtanh_forward, .grad = hardtanh_grad,
    .needs = LGI_OUT(0), .attr_bytes = sizeof(hardtanh_attr),
    .samples = {ACT_SAMPLES(" away", "; min=-1, max=0"), "2,3 away"}};

const lg_op lgi_op_hardtanh_back = {
    .name = "hardtanh_back", .args = "g, y, min: number = -1, max: number = 1",
    .doc = "The gradient of hardtanh: g where its result y is strictly within the "
           "bounds, else 0.",
    .shape = hardtanh_back_shape, .forward = hardtanh_back_forward,
    .grad = hardtanh_back_grad, .needs = LGI_IN(1), .attr_bytes = sizeof(hardtanh_attr),
    .samples = {ACT_BACK_SAMPLES(" away", "; min=-1, max=0")}};

/* prelu */

/* The shape in which w goes along with x: none, or {c,1,..} at axis 2. */
static lg_tensor slopes_like(const lg_tensor *x, const lg_tensor *w)
{
    lg_tensor like = {.numel = w->numel, .data = w->data};
    if (w->numel == 1)
        return like;
    like.ndim = x->ndim - 1;
    for (int i = 1; i < like.ndim; i++)
        like.dim[i] = 1;
    like.dim[0] = w->numel;
    return like;
}

static lg_status prelu_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0], *w = n->in[1];
    bool one = w->numel == 1 && w->ndim <= 1;
    if (one || (w->ndim == 1 && x->ndim >= 2 && w->dim[0] == x->dim[1]))
        return lgi_same_shape(E, n);
    return lgi_fail(E, LG_ESHAPE, "%s: w is %s, and must have one number, or one for "
                    "each channel (axis 2) of x %s", n->op->name, LGI_SHAPE(w),
                    LGI_SHAPE(x));
}

LGI_ALWAYS_INLINE lg_real prelu_of(lg_real x, lg_real w)
{
    lg_real less = w * x;
    return x > 0 ? x : less;
}

LGI_LOOP2(prelu_loop, void, prelu_of(a, b))
LGI_WIDE(prelu_loop)

static void prelu_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lg_tensor w = slopes_like(n->in[0], n->in[1]);
    lg_tensor *in[] = {n->in[0], &w};
    (void)workspace;
    lgi_map(E, LGI_WIDEST(E, prelu_loop), n->out, 2, in, NULL);
}

static lg_tensor *choose_by(lg_engine *E, lg_tensor *mask, lg_tensor *a, lg_tensor *b)
{
    lg_tensor *in[] = {mask, a, b};
    return mask && a && b ? lgi_apply(E, &lgi_op_where, 3, in, NULL) : NULL;
}

/* By x it is g where x is above 0, else g w; by w the sum of g x where x is not. */
static lg_status prelu_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *zero = lg_scalar(E, 0);
    lg_tensor like = slopes_like(x, n->in[1]);
    lg_tensor *above = lgi_apply2(E, &lgi_op_gt, x, zero, NULL);
    if (wanted[0]) {
        lg_tensor *w = lgi_reshape_to(E, n->in[1], &like);
        out[0] = choose_by(E, above, g[0], lgi_mul(E, g[0], w));
    }
    if (wanted[1]) {
        lg_tensor *by_w = choose_by(E, above, zero, lgi_mul(E, g[0], x));
        out[1] = lgi_reshape_to(E, lgi_sum_to(E, by_w, &like), n->in[1]);
    }
    return E->status;
}

const lg_op lgi_op_prelu = {
    .name = "prelu", .args = "x, w",
    .doc = "x where x is above 0, else w x: w has one number, or one for each channel of "
           "x {n,c,...} (He et al. 2015). At 0 its gradient is w." ACT_SHAPE,
    .shape = prelu_shape, .forward = prelu_forward, .grad = prelu_grad,
    .needs = LGI_IN(0) | LGI_IN(1),
    .samples = {"2,3 away; 3", "2,3 away; 1", "- away; -", "3 away; 1", "0,3 away; 3",
                "2,3,1,2,2 away; 3", "2,1,3 away; 1", "2,0; 0"}};

const lg_op *const lgi_ops_hard_activation[] = {
    &lgi_op_relu6, &lgi_op_hardtanh, &lgi_op_hardtanh_back, &lgi_op_prelu, NULL};
