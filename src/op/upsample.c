/*
 * upsample.c - images at another size, by the nearest pixel or by bilinear interpolation.
 *
 * Pixels are squares, as with PyTorch's align_corners = false: the middle of pixel i of n
 * is at (i + 1/2) / n. Positions are worked out in whole numbers, so none is off by one.
 */
#include "kernel/resample.h"
#include "op/op.h"

extern const lg_op lgi_op_upsample, lgi_op_upsample_back;

typedef enum upsample_mode { UPSAMPLE_NEAREST, UPSAMPLE_BILINEAR } upsample_mode;

typedef struct upsample_attr {
    lgi_pair scale;
    int64_t mode;
    lgi_list size;
} upsample_attr;

typedef struct upsample_back_attr {
    lgi_pair size;
    int64_t mode;
} upsample_back_attr;

enum { UPSAMPLE_MOST = 1 << 28 };      /* its squares have 64 bits */

static void nearest_rule(lgi_taps *t, const lgi_axis *a, int64_t i)
{
    lgi_tap(t, 1, i * a->from / a->to);
}

/* The position is (i + 1/2) from / to - 1/2, and not before the first pixel. */
static void bilinear_rule(lgi_taps *t, const lgi_axis *a, int64_t i)
{
    int64_t twice = (2 * i + 1) * a->from - a->to, unit = 2 * a->to;
    twice = twice < 0 ? 0 : twice;
    int64_t at = twice / unit;
    double past = (double)(twice % unit) / (double)unit;
    if (at + 1 >= a->from || past == 0) {
        lgi_tap(t, 1, at);
        return;
    }
    lgi_tap(t, 1 - past, at);
    lgi_tap(t, past, at + 1);
}

/* x has the sizes of the small images, y those of the large. */
static void upsample_axes(const lg_tensor *x, const lg_tensor *y, int64_t mode,
                          lgi_axis axis[2])
{
    for (int i = 0; i < 2; i++)
        axis[i] = (lgi_axis){.from = x->dim[2 + i], .to = y->dim[2 + i], .most = 2,
                             .rule = mode == UPSAMPLE_NEAREST ? nearest_rule
                                                              : bilinear_rule};
}

static lg_status check_pixels(lg_engine *E, const lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    if (lgi_need_ndim(E, n, 0, 4, "n,c,h,w") < 0)
        return E->status;
    if (x->dim[2] >= 1 && x->dim[3] >= 1 && x->dim[2] <= UPSAMPLE_MOST
        && x->dim[3] <= UPSAMPLE_MOST)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: images must have from 1 to %d rows and columns, "
                    "and the input is %s", n->op->name, (int)UPSAMPLE_MOST, LGI_SHAPE(x));
}

/* upsample */

static lg_status upsample_shape(lg_engine *E, lgi_node *n)
{
    const upsample_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    if (check_pixels(E, n) < 0
        || lgi_need_pair(E, n, "scale", t->scale, 1, UPSAMPLE_MOST) < 0)
        return E->status;
    if (t->size.n > 2)
        return lgi_fail(E, LG_EARG, "%s: size has %lld numbers; it must be {h,w}, or "
                        "{} for that which scale gives", n->op->name,
                        (long long)t->size.n);
    lgi_pair to = {x->dim[2] * t->scale.h, x->dim[3] * t->scale.w};
    if (t->size.n)
        to = (lgi_pair){t->size.at[0], t->size.at[t->size.n - 1]};
    if (lgi_need_pair(E, n, t->size.n ? "size" : "the size that scale gives", to, 1,
                      UPSAMPLE_MOST) < 0)
        return E->status;
    return lgi_set_shape(n->out, 4, x->dim[0], x->dim[1], to.h, to.w);
}

static size_t upsample_workspace(lg_engine *E, const lgi_node *n)
{
    const upsample_attr *t = n->attr;
    lgi_axis axis[2];
    upsample_axes(n->in[0], n->out, t->mode, axis);
    return lgi_resample_scratch(E, axis);
}

static void upsample_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const upsample_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    lgi_axis axis[2];
    upsample_axes(x, n->out, t->mode, axis);
    lgi_resample(E, axis, false, x->dim[0] * x->dim[1], x->data, n->out->data, workspace);
}

static lg_status upsample_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    const upsample_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    upsample_back_attr back = {{x->dim[2], x->dim[3]}, t->mode};
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_upsample_back, g[0], &back);
    return E->status;
}

const lg_op lgi_op_upsample = {
    .name = "upsample",
    .args = "x, scale: pair = 2, mode: nearest|bilinear = nearest, size: list = {}",
    .doc = "Images x {n,c,h,w} made {n,c,scale*h,scale*w}, or, where size {oh,ow} is "
           "given, of that size. nearest repeats pixels: row i is row floor(i*h/oh), i "
           "from 0. bilinear interpolates between the middles of pixels, and repeats the "
           "outermost, as PyTorch does with align_corners false.",
    .shape = upsample_shape, .workspace = upsample_workspace, .forward = upsample_forward,
    .grad = upsample_grad, .attr_bytes = sizeof(upsample_attr),
    .samples = {"2,2,2,3", "1,2,3,2; scale={1,3}, mode=bilinear",
                "2,1,3,4; mode=bilinear", "1,1,3,5; size={5,3}",
                "1,2,4,3; mode=bilinear, size={3,5}", "1,1,1,1; scale=3, mode=bilinear",
                "0,2,2,3", "1,1,2,2; scale=1"}};

/* upsample_back */

static lg_status upsample_back_shape(lg_engine *E, lgi_node *n)
{
    const upsample_back_attr *t = n->attr;
    const lg_tensor *g = n->in[0];
    if (check_pixels(E, n) < 0
        || lgi_need_pair(E, n, "size", t->size, 1, UPSAMPLE_MOST) < 0)
        return E->status;
    return lgi_set_shape(n->out, 4, g->dim[0], g->dim[1], t->size.h, t->size.w);
}

static size_t upsample_back_workspace(lg_engine *E, const lgi_node *n)
{
    const upsample_back_attr *t = n->attr;
    lgi_axis axis[2];
    upsample_axes(n->out, n->in[0], t->mode, axis);
    return lgi_resample_scratch(E, axis);
}

static void upsample_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const upsample_back_attr *t = n->attr;
    const lg_tensor *g = n->in[0];
    lgi_axis axis[2];
    upsample_axes(n->out, g, t->mode, axis);
    lgi_resample(E, axis, true, g->dim[0] * g->dim[1], g->data, n->out->data, workspace);
}

static lg_status upsample_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                    lg_tensor **g, lg_tensor **out)
{
    const upsample_back_attr *t = n->attr;
    const lg_tensor *y = n->in[0];
    upsample_attr forth = {{1, 1}, t->mode, {2, {y->dim[2], y->dim[3]}}};
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_upsample, g[0], &forth);
    return E->status;
}

const lg_op lgi_op_upsample_back = {
    .name = "upsample_back",
    .args = "g, size: pair, mode: nearest|bilinear = nearest",
    .doc = "The transpose of upsample, its gradient: g {n,c,oh,ow} added up in images "
           "{n,c,h,w}, where size is {h,w}.",
    .shape = upsample_back_shape, .workspace = upsample_back_workspace,
    .forward = upsample_back_forward, .grad = upsample_back_grad,
    .attr_bytes = sizeof(upsample_back_attr),
    .samples = {"2,2,4,6; size={2,3}", "1,2,3,6; size={3,2}, mode=bilinear",
                "1,1,5,3; size={3,5}", "1,2,3,5; size={4,3}, mode=bilinear",
                "1,1,3,3; size=1, mode=bilinear", "0,2,4,6; size={2,3}"}};

const lg_op *const lgi_ops_upsample[] = {&lgi_op_upsample, &lgi_op_upsample_back, NULL};
