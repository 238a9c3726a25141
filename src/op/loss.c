/*
 * loss.c - losses of the difference between x and y, element by element, and of their
 * product; and what all losses by element have in common: see loss.h.
 */
#include "op/loss.h"

#include <float.h>
#include <string.h>

extern const lg_op lgi_op_mse_back, lgi_op_l1_back, lgi_op_huber_back, lgi_op_clamp;
extern const lg_op lgi_op_clamp_back, lgi_op_hinge_back, lgi_op_lt;

/* What the sum of the losses is divided by. */
static double loss_count(const lgi_loss_attr *t, const lg_tensor *x)
{
    switch (t->reduction) {
    case LGI_MEAN_LOSS:       return (double)x->numel;
    case LGI_BATCH_MEAN_LOSS: return x->ndim ? (double)x->dim[0] : 1;
    default:                  return 1;
    }
}

lg_status lgi_check_loss(lg_engine *E, const lgi_node *n, int first, int last)
{
    const lg_tensor *x = n->in[first];
    lgi_loss_attr *t = n->attr;
    char name[16];
    int64_t dim[LG_MAX_DIM];
    int ndim;
    t->scale = 1 / loss_count(t, x);
    for (int i = first + 1; i <= last; i++) {
        const lg_tensor *y = n->in[i];
        if (!y || (lgi_broadcast_dims(x, y, &ndim, dim) && ndim == x->ndim
                   && memcmp(dim, x->dim, (size_t)ndim * sizeof *dim) == 0))
            continue;
        lgi_input_name(n, i, name);
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s and %s is %s; %s must have the shape "
                        "of x, or broadcast to it (reshape one of them)", n->op->name,
                        LGI_SHAPE(x), name, LGI_SHAPE(y), name);
    }
    return LG_OK;
}

lg_status lgi_loss_shape_of(lg_engine *E, lgi_node *n)
{
    const lgi_loss_attr *t = n->attr;
    (void)E;
    return t->reduction == LGI_EACH_LOSS ? lgi_like(n->out, n->in[0])
                                         : lgi_set_dims(n->out, 0, NULL);
}

lg_status lgi_loss_shape(lg_engine *E, lgi_node *n)
{
    return lgi_check_loss(E, n, 0, 1) < 0 ? E->status : lgi_loss_shape_of(E, n);
}

lg_status lgi_loss_back_shape(lg_engine *E, lgi_node *n)
{
    const lgi_loss_attr *t = n->attr;
    const lg_tensor *g = n->in[0], *x = n->in[1];
    if (lgi_check_loss(E, n, 1, 2) < 0)
        return E->status;
    if (t->reduction == LGI_EACH_LOSS ? lgi_same_dims(g, x) : g->ndim == 0)
        return lgi_like(n->out, x);
    return lgi_fail(E, LG_ESHAPE, "%s: g is %s, and must have the shape of the loss: "
                    "that of x %s with reduction none, else no axes", n->op->name,
                    LGI_SHAPE(g), LGI_SHAPE(x));
}

size_t lgi_loss_workspace(lg_engine *E, const lgi_node *n)
{
    const lgi_loss_attr *t = n->attr;
    (void)E;
    if (t->reduction == LGI_EACH_LOSS)
        return 0;
    return (size_t)lgi_map_pieces(n->in[0]->numel) * sizeof(double);
}

void lgi_compute_loss(lg_engine *E, const lgi_node *n, lgi_loop *loop, int k,
                      lg_tensor *const *in, void *workspace)
{
    const lgi_loss_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    if (t->reduction == LGI_EACH_LOSS) {
        lgi_map(E, loop, n->out, k, in, t);
        return;
    }
    double sum = lgi_map_sum(E, loop, x, k, in, t, workspace);
    n->out->data[0] = (lg_real)(sum / loss_count(t, x));
}

lg_tensor *lgi_loss_back(lg_engine *E, const lg_op *back, lg_tensor *g, lg_tensor *x,
                         lg_tensor *y, const void *attr)
{
    return g && x && y ? lgi_apply(E, back, 3, (lg_tensor *[]){g, x, y}, attr) : NULL;
}

/* mse: l' = 2 (x - y), which is linear: so are all rules of mse_back */

LGI_LOOP2(mse_loop, void, (a - b) * (a - b))
LGI_LOOP3(mse_back_loop, lg_real, a * (2 * *p) * (b - c))
LOSS_FORWARD(mse)
LOSS_BACK_FORWARD(mse)

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
    lg_tensor *x = n->in[0], *y = n->in[1];
    lg_tensor *by_x = lgi_loss_back(E, &lgi_op_mse_back, g[0], x, y, n->attr);
    return opposite_grads(E, by_x, wanted, out);
}

static lg_status mse_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    const lgi_loss_attr *t = n->attr;
    lg_tensor *d = lgi_affine(E, g[0], 2 * t->scale, 0);
    if (wanted[0])
        out[0] = lgi_mul(E, d, lgi_sub(E, n->in[1], n->in[2]));
    return opposite_grads(E, lgi_mul(E, d, n->in[0]), wanted + 1, out + 1);
}

const lg_op lgi_op_mse = {
    .name = "mse", .args = LOSS_ARGS, .doc = "The squared error (x - y)^2." LOSS_DOC,
    .shape = lgi_loss_shape, .workspace = lgi_loss_workspace, .forward = mse_forward,
    .grad = mse_grad, .needs = LGI_IN(0) | LGI_IN(1), .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {LOSS_SAMPLES}};

const lg_op lgi_op_mse_back = {
    .name = "mse_back", .args = LOSS_BACK_ARGS,
    .doc = "The gradient of mse for x: 2 g (x - y), divided by their number for a mean.",
    .shape = lgi_loss_back_shape, .forward = mse_back_forward, .grad = mse_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2), .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {LOSS_BACK_SAMPLES}};

/* l1: l' = sign(x - y) */

LGI_ALWAYS_INLINE lg_real signed_by(lg_real g, lg_real d)
{
    return d > 0 ? g : d < 0 ? -g : d * g;     /* 0, or NaN */
}

LGI_LOOP2(l1_loop, void, fabs((double)(a - b)))
LGI_LOOP3(l1_back_loop, lg_real, signed_by(a * *p, b - c))
LOSS_FORWARD(l1)
LOSS_BACK_FORWARD(l1)

static lg_status l1_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                         lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *y = n->in[1];
    lg_tensor *by_x = lgi_loss_back(E, &lgi_op_l1_back, g[0], x, y, n->attr);
    return opposite_grads(E, by_x, wanted, out);
}

/* Linear in g, and flat in x and y. */
static lg_status l1_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out)
{
    const lgi_loss_attr *t = n->attr;
    lg_tensor *x = n->in[1];
    if (!wanted[0])
        return LG_OK;
    lgi_loss_attr each = {.reduction = LGI_EACH_LOSS};
    lg_tensor *d = lgi_loss_back(E, &lgi_op_l1_back, g[0], x, n->in[2], &each);
    out[0] = lgi_affine(E, d, t->scale, 0);
    return E->status;
}

const lg_op lgi_op_l1 = {
    .name = "l1", .args = LOSS_ARGS,
    .doc = "The absolute error |x - y|. Where it is 0 its gradient is 0." LOSS_DOC,
    .shape = lgi_loss_shape, .workspace = lgi_loss_workspace, .forward = l1_forward,
    .grad = l1_grad, .needs = LGI_IN(0) | LGI_IN(1), .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {LOSS_SAMPLES}};

const lg_op lgi_op_l1_back = {
    .name = "l1_back", .args = LOSS_BACK_ARGS,
    .doc = "The gradient of l1 for x: g sign(x - y), divided by their number for a mean.",
    .shape = lgi_loss_back_shape, .forward = l1_back_forward, .grad = l1_back_grad,
    .needs = LGI_IN(1) | LGI_IN(2), .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {LOSS_BACK_SAMPLES}};

/* huber: l' = x - y, held within -delta .. delta */

static lg_status check_delta(lg_engine *E, const lgi_node *n)
{
    const lgi_loss_attr *t = n->attr;
    if (t->delta > 0 && t->delta <= FLT_MAX)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: delta must be above 0, and is %g", n->op->name,
                    t->delta);
}

static lg_status huber_shape(lg_engine *E, lgi_node *n)
{
    return check_delta(E, n) < 0 ? E->status : lgi_loss_shape(E, n);
}

static lg_status huber_back_shape(lg_engine *E, lgi_node *n)
{
    return check_delta(E, n) < 0 ? E->status : lgi_loss_back_shape(E, n);
}

LGI_ALWAYS_INLINE lg_real huber_of(lg_real d, lg_real delta)
{
    lg_real size = (lg_real)fabs((double)d);
    return size <= delta ? d * d / 2 : delta * (size - delta / 2);
}

LGI_ALWAYS_INLINE lg_real held(lg_real d, lg_real delta)
{
    lg_real low = d < -delta ? -delta : d;
    return low > delta ? delta : low;
}

LGI_LOOP2(huber_loop, lgi_loss_attr, huber_of(a - b, (lg_real)p->delta))
LGI_LOOP3(huber_back_loop, lgi_loss_attr,
          a * (lg_real)p->scale * held(b - c, (lg_real)p->delta))
LOSS_FORWARD(huber)

LGI_WIDE(huber_back_loop)

static void huber_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    lgi_map(E, LGI_WIDEST(E, huber_back_loop), n->out, 3, n->in, n->attr);
}

static lg_status huber_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0];
    lg_tensor *by_x = lgi_loss_back(E, &lgi_op_huber_back, g[0], x, n->in[1], n->attr);
    return opposite_grads(E, by_x, wanted, out);
}

static lg_status huber_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                 lg_tensor **g, lg_tensor **out)
{
    const lgi_loss_attr *t = n->attr;
    const double bounds[] = {-t->delta, t->delta};
    lg_tensor *d = lgi_sub(E, n->in[1], n->in[2]);
    lg_tensor *gc = lgi_affine(E, g[0], t->scale, 0);
    if (wanted[0])
        out[0] = lgi_mul(E, gc, lgi_apply1(E, &lgi_op_clamp, d, bounds));
    if (!wanted[1] && !wanted[2])
        return E->status;
    lg_tensor *gg = lgi_mul(E, gc, n->in[0]);
    lg_tensor *by_x = lgi_apply2(E, &lgi_op_clamp_back, gg, d, bounds);
    return opposite_grads(E, by_x, wanted + 1, out + 1);
}

const lg_op lgi_op_huber = {
    .name = "huber", .args = LOSS_ARGS ", delta: number = 1",
    .doc = "Half the squared error, (x - y)^2 / 2, where |x - y| is up to delta, and "
           "beyond it straight on: delta (|x - y| - delta / 2) (Huber 1964)." LOSS_DOC,
    .shape = huber_shape, .workspace = lgi_loss_workspace, .forward = huber_forward,
    .grad = huber_grad, .needs = LGI_IN(0) | LGI_IN(1),
    .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {LOSS_SAMPLES, "2,3; 3; delta=0.5"}};

const lg_op lgi_op_huber_back = {
    .name = "huber_back", .args = LOSS_BACK_ARGS ", delta: number = 1",
    .doc = "The gradient of huber for x: g (x - y), with x - y held within -delta .. "
           "delta, divided by their number for a mean.",
    .shape = huber_back_shape, .forward = huber_back_forward, .grad = huber_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2), .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {LOSS_BACK_SAMPLES, "-; 2,3; 2,3; delta=0.5"}};

/* hinge: l' by x = -y where x y is below 1, else 0 */

LGI_ALWAYS_INLINE lg_real hinge_of(lg_real x, lg_real y)
{
    lg_real lack = 1 - x * y;
    return lack <= 0 ? 0 : lack;
}

LGI_ALWAYS_INLINE lg_real hinge_back_of(lg_real g, lg_real x, lg_real y)
{
    lg_real by = -g * y;
    return x * y >= 1 ? 0 : by;
}

LGI_LOOP2(hinge_loop, void, hinge_of(a, b))
LGI_LOOP3(hinge_back_loop, lg_real, hinge_back_of(a * *p, b, c))
LOSS_FORWARD(hinge)
LOSS_BACK_FORWARD(hinge)

/* c g where x y is below 1, else 0; flat in x and y */
static lg_tensor *hinge_open(lg_engine *E, const lgi_node *n, lg_tensor *g, lg_tensor *x,
                             lg_tensor *y)
{
    const lgi_loss_attr *t = n->attr;
    lg_tensor *below = lgi_apply2(E, &lgi_op_lt, lgi_mul(E, x, y), lg_scalar(E, 1), NULL);
    return lgi_mul(E, lgi_affine(E, g, t->scale, 0), below);
}

static lg_status hinge_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *y = n->in[1];
    if (wanted[0])
        out[0] = lgi_loss_back(E, &lgi_op_hinge_back, g[0], x, y, n->attr);
    if (wanted[1])
        out[1] = lgi_neg(E, lgi_mul(E, hinge_open(E, n, g[0], x, y), x));
    return E->status;
}

static lg_status hinge_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                 lg_tensor **g, lg_tensor **out)
{
    lg_tensor *y = n->in[2];
    if (!wanted[0] && !wanted[2])
        return LG_OK;
    lg_tensor *open = lgi_neg(E, hinge_open(E, n, g[0], n->in[1], y));
    if (wanted[0])
        out[0] = lgi_mul(E, open, y);
    if (wanted[2])
        out[2] = lgi_mul(E, open, n->in[0]);
    return E->status;
}

const lg_op lgi_op_hinge = {
    .name = "hinge", .args = LOSS_ARGS,
    .doc = "What x y lacks to 1, or 0: the greater of 1 - x y and 0, of scores x with "
           "the labels y, 1 or -1. Where it is 0 its gradient is 0." LOSS_DOC,
    .shape = lgi_loss_shape, .workspace = lgi_loss_workspace, .forward = hinge_forward,
    .grad = hinge_grad, .needs = LGI_IN(0) | LGI_IN(1),
    .attr_bytes = sizeof(lgi_loss_attr), .samples = {LOSS_SAMPLES}};

const lg_op lgi_op_hinge_back = {
    .name = "hinge_back", .args = LOSS_BACK_ARGS,
    .doc = "The gradient of hinge for x: -g y where x y is below 1, else 0, divided by "
           "their number for a mean.",
    .shape = lgi_loss_back_shape, .forward = hinge_back_forward, .grad = hinge_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2), .attr_bytes = sizeof(lgi_loss_attr),
    .samples = {LOSS_BACK_SAMPLES}};

const lg_op *const lgi_ops_loss[] = {
    &lgi_op_mse, &lgi_op_mse_back, &lgi_op_l1, &lgi_op_l1_back, &lgi_op_huber,
    &lgi_op_huber_back, &lgi_op_hinge, &lgi_op_hinge_back, NULL};
