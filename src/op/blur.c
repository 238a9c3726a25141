/*
 * blur.c - a small fixed filter over each channel, before images are made smaller or
 * after they were made larger: "Making Convolutional Networks Shift-Invariant Again"
 * (Zhang 2019), and StyleGAN's (Karras et al. 2019, 2020).
 */
#include "kernel/resample.h"
#include "op/op.h"

#include <math.h>

extern const lg_op lgi_op_blur, lgi_op_blur_back;

typedef struct blur_attr {
    lgi_numbers kernel;
    int64_t stride, padding;           /* padding: an lgi_edge, zeros or reflect */
} blur_attr;

typedef struct blur_back_attr {
    lgi_pair size;
    blur_attr blur;
} blur_back_attr;

static double kernel_sum(const lgi_numbers *kernel)
{
    double sum = 0;
    for (int64_t i = 0; i < kernel->n; i++)
        sum += kernel->at[i];
    return sum;
}

/* The padding is kernel - stride in all: of h rows a stride of s leaves floor(h / s). */
static lgi_axis blur_axis(const blur_attr *t, int64_t size)
{
    return (lgi_axis){.from = size, .to = size / t->stride, .most = t->kernel.n,
                      .rule = lgi_window_rule, .kernel = t->kernel.n, .stride = t->stride,
                      .before = (t->kernel.n - t->stride + 1) / 2,
                      .filter = t->kernel.at, .scale = 1 / kernel_sum(&t->kernel),
                      .edge = (lgi_edge)t->padding};
}

static void blur_axes(const lg_tensor *x, const blur_attr *t, lgi_axis axis[2])
{
    axis[0] = blur_axis(t, x->dim[2]);
    axis[1] = blur_axis(t, x->dim[3]);
}

/* The attributes, for images of that size. */
static lg_status check_blur(lg_engine *E, const lgi_node *n, const blur_attr *t,
                            lgi_pair size)
{
    double sum = kernel_sum(&t->kernel);
    if (t->kernel.n < 1 || sum == 0 || !isfinite(sum))
        return lgi_fail(E, LG_EARG, "%s: kernel has %lld numbers with the sum %g; it "
                        "must have from 1 to 4, whose sum is not 0", n->op->name,
                        (long long)t->kernel.n, sum);
    if (lgi_need_whole(E, n, "stride", t->stride, 1, t->kernel.n) < 0)
        return E->status;
    int64_t before = (t->kernel.n - t->stride + 1) / 2;
    int64_t least = t->padding && before >= t->stride ? before + 1 : t->stride;
    if (size.h >= least && size.w >= least)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: images of %lldx%lld are too small for a kernel of "
                    "%lld numbers, a stride of %lld and padding %s; they must be "
                    "%lldx%lld or larger", n->op->name, (long long)size.h,
                    (long long)size.w, (long long)t->kernel.n, (long long)t->stride,
                    t->padding ? "reflect" : "zeros", (long long)least,
                    (long long)least);
}

static lg_status blur_shape(lg_engine *E, lgi_node *n)
{
    const blur_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    if (lgi_need_ndim(E, n, 0, 4, "n,c,h,w") < 0
        || check_blur(E, n, t, (lgi_pair){x->dim[2], x->dim[3]}) < 0)
        return E->status;
    return lgi_set_shape(n->out, 4, x->dim[0], x->dim[1], x->dim[2] / t->stride,
                         x->dim[3] / t->stride);
}

static size_t blur_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_axis axis[2];
    blur_axes(n->in[0], n->attr, axis);
    return lgi_resample_scratch(E, axis);
}

static void blur_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *x = n->in[0];
    lgi_axis axis[2];
    blur_axes(x, n->attr, axis);
    lgi_resample(E, axis, false, x->dim[0] * x->dim[1], x->data, n->out->data, workspace);
}

static lg_status blur_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    const blur_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    blur_back_attr back = {{x->dim[2], x->dim[3]}, *t};
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_blur_back, g[0], &back);
    return E->status;
}

#define BLUR_ARGS                                                                       \
    "kernel: numbers = {1, 3, 3, 1}, stride: whole = 1, padding: zeros|reflect = zeros"

const lg_op lgi_op_blur = {
    .name = "blur", .args = "x, " BLUR_ARGS,
    .doc = "Each channel of images x {n,c,h,w} filtered along both axes with kernel, up "
           "to four numbers that are divided by their sum: {n,c,floor(h/stride),"
           "floor(w/stride)}. {1,2,1} is StyleGAN's filter, {1,3,3,1} StyleGAN2's; the "
           "padding is k - stride in all, the larger half of it first, so that {1,3,3,1} "
           "stays in place with a stride of 2 and {1,2,1} with 1.",
    .shape = blur_shape, .workspace = blur_workspace, .forward = blur_forward,
    .grad = blur_grad, .attr_bytes = sizeof(blur_attr),
    .samples = {"2,2,4,5", "1,2,6,5; stride=2, padding=reflect",
                "1,1,4,3; kernel={1,2,1}, padding=reflect",
                "1,1,5,4; kernel={1,-3}, stride=2", "1,1,1,1; kernel={2,1,4}",
                "0,2,4,4"}};

static lg_status blur_back_shape(lg_engine *E, lgi_node *n)
{
    const blur_back_attr *t = n->attr;
    const lg_tensor *g = n->in[0];
    if (lgi_need_ndim(E, n, 0, 4, "n,c,oh,ow") < 0
        || lgi_need_pair(E, n, "size", t->size, 1, LGI_MAX_NUMEL) < 0
        || check_blur(E, n, &t->blur, t->size) < 0)
        return E->status;
    int64_t h = t->size.h / t->blur.stride, w = t->size.w / t->blur.stride;
    if (g->dim[2] != h || g->dim[3] != w)
        return lgi_fail(E, LG_ESHAPE, "%s: g is %s; for images of %lldx%lld it must be "
                        "{n,c,%lld,%lld}", n->op->name, LGI_SHAPE(g),
                        (long long)t->size.h, (long long)t->size.w, (long long)h,
                        (long long)w);
    return lgi_set_shape(n->out, 4, g->dim[0], g->dim[1], t->size.h, t->size.w);
}

static size_t blur_back_workspace(lg_engine *E, const lgi_node *n)
{
    const blur_back_attr *t = n->attr;
    lgi_axis axis[2];
    blur_axes(n->out, &t->blur, axis);
    return lgi_resample_scratch(E, axis);
}

static void blur_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const blur_back_attr *t = n->attr;
    const lg_tensor *g = n->in[0];
    lgi_axis axis[2];
    blur_axes(n->out, &t->blur, axis);
    lgi_resample(E, axis, true, g->dim[0] * g->dim[1], g->data, n->out->data, workspace);
}

static lg_status blur_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    const blur_back_attr *t = n->attr;
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_blur, g[0], &t->blur);
    return E->status;
}

const lg_op lgi_op_blur_back = {
    .name = "blur_back", .args = "g, size: pair, " BLUR_ARGS,
    .doc = "The transpose of blur, its gradient: from g {n,c,oh,ow} images {n,c,h,w}, "
           "where size is {h,w}.",
    .shape = blur_back_shape, .workspace = blur_back_workspace,
    .forward = blur_back_forward, .grad = blur_back_grad,
    .attr_bytes = sizeof(blur_back_attr),
    .samples = {"2,2,4,5; size={4,5}", "1,2,3,2; size={6,5}, stride=2, padding=reflect",
                "1,1,4,3; size={4,3}, kernel={1,2,1}, padding=reflect",
                "1,1,1,1; size=1, kernel={2,1,4}", "0,2,4,4; size=4"}};

const lg_op *const lgi_ops_blur[] = {&lgi_op_blur, &lgi_op_blur_back, NULL};
