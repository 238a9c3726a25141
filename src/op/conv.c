/*
 * conv.c - convolution, its transpose, and the gradient for its weight.
 *
 * The three are one relation, linear in each of x, w and y: each computes one of them
 * from the other two, and its gradients are the other two operators. So each can be
 * differentiated any number of times.
 *
 * With a stride, several sizes of x give the same size of y. output_padding says which,
 * for the transpose; size, which callers don't see, says how much of y is meant.
 */
#include "op/conv.h"

#include "kernel/winograd.h"

#include <string.h>

extern const lg_op lgi_op_conv2d, lgi_op_conv_transpose2d, lgi_op_conv2d_weight;

typedef struct conv2d_attr {
    lgi_pair stride, padding, dilation;
    int64_t groups;
    lgi_pair size;                     /* of y; 0: all that fits */
} conv2d_attr;

typedef struct conv_transpose2d_attr {
    lgi_pair stride, padding, output_padding;
    int64_t groups;
    lgi_pair dilation;
} conv_transpose2d_attr;

typedef struct conv2d_weight_attr {
    lgi_pair kernel, stride, padding, dilation;
    int64_t groups;
} conv2d_weight_attr;

enum { PAIR_MOST = 1 << 20 };

static lg_status need_pair(lg_engine *E, const lgi_node *n, const char *name, lgi_pair p,
                           int64_t most)
{
    int64_t first = strcmp(name, "padding") != 0;      /* that alone may be 0 */
    if (lgi_need_whole(E, n, name, p.h, first, most) < 0)
        return E->status;
    return lgi_need_whole(E, n, name, p.w, first, most);
}

/* What the attributes of all three say. */
static lg_status set_attributes(lg_engine *E, const lgi_node *n, lgi_conv *v,
                                lgi_pair stride, lgi_pair padding, lgi_pair dilation,
                                int64_t groups)
{
    v->sh = stride.h, v->sw = stride.w;
    v->ph = padding.h, v->pw = padding.w;
    v->dh = dilation.h, v->dw = dilation.w;
    v->groups = groups;
    if (need_pair(E, n, "stride", stride, PAIR_MOST) < 0
        || need_pair(E, n, "padding", padding, PAIR_MOST) < 0
        || need_pair(E, n, "dilation", dilation, PAIR_MOST) < 0)
        return E->status;
    return lgi_need_whole(E, n, "groups", groups, 1, PAIR_MOST);
}

static void set_x(lgi_conv *v, const lg_tensor *x)     // n,c,h,w
{
    v->n = x->dim[0], v->c = x->dim[1], v->h = x->dim[2], v->w = x->dim[3];
}

static void set_y(lgi_conv *v, const lg_tensor *y)     // n,out,oh,ow
{
    v->n = y->dim[0], v->out = y->dim[1], v->oh = y->dim[2], v->ow = y->dim[3];
}

/* The kernel's own extent, and the first output size that x gives. */
static int64_t extent(int64_t taps, int64_t dilation)
{
    return (taps - 1) * dilation + 1;
}

static int64_t outputs(int64_t size, int64_t padding, int64_t extent, int64_t stride)
{
    int64_t left = size + 2 * padding - extent;
    return left < 0 ? 0 : left / stride + 1;
}

static lg_status check_kernel(lg_engine *E, const lgi_node *n, const lgi_conv *v,
                              const lg_tensor *x)
{
    int64_t eh = extent(v->kh, v->dh), ew = extent(v->kw, v->dw);
    if (v->kh < 1 || v->kw < 1)
        return lgi_fail(E, LG_ESHAPE, "%s: the kernel is %lldx%lld; it must be 1x1 "
                        "or more", n->op->name, (long long)v->kh, (long long)v->kw);
    if (v->h < 1 || v->w < 1)
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s; its images must be 1x1 or larger",
                        n->op->name, LGI_SHAPE(x));
    if (outputs(v->h, v->ph, eh, v->sh) > 0 && outputs(v->w, v->pw, ew, v->sw) > 0)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: the kernel, %lldx%lld with its dilation, is "
                    "larger than the padded input, %lldx%lld: x is %s; use a smaller "
                    "kernel or more padding", n->op->name, (long long)eh, (long long)ew,
                    (long long)(v->h + 2 * v->ph), (long long)(v->w + 2 * v->pw),
                    LGI_SHAPE(x));
}

/* Channels of x against w. `in` of them go into each group of w's. */
lg_status lgi_check_channels(lg_engine *E, const lgi_node *n, int64_t channels,
                             int64_t in, int64_t groups)
{
    if (channels == in * groups)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: x %s has %lld channels, but w %s takes %lld "
                    "(groups is %lld)", n->op->name, LGI_SHAPE(n->in[0]),
                    (long long)channels, LGI_SHAPE(n->in[1]), (long long)(in * groups),
                    (long long)groups);
}

lg_status lgi_check_groups(lg_engine *E, const lgi_node *n, const char *what,
                           int64_t channels, int64_t groups)
{
    if (channels % groups == 0)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: %lld %s cannot be shared among %lld groups; "
                    "groups must divide them", n->op->name, (long long)channels, what,
                    (long long)groups);
}

lg_status lgi_check_conv_bias(lg_engine *E, const lgi_node *n, int64_t channels)
{
    const lg_tensor *b = n->in[2];
    if (!b || (b->ndim == 1 && b->dim[0] == channels))
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: b must be {%lld}, a number for each output "
                    "channel, and is %s", n->op->name, (long long)channels, LGI_SHAPE(b));
}

static lg_status check_sizes(lg_engine *E, const lgi_node *n, const lgi_conv *v)
{
    if (lgi_conv_fits(v))
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: one image of %s, padded, has more than 2^30 "
                    "numbers; cut it into parts", n->op->name, LGI_SHAPE(n->in[0]));
}

/* conv2d: y from x and w */

static lg_status conv2d_relation(lg_engine *E, const lgi_node *n, lgi_conv *v)
{
    const conv2d_attr *attr = n->attr;
    const lg_tensor *x = n->in[0], *w = n->in[1];
    *v = (lgi_conv){0};
    if (set_attributes(E, n, v, attr->stride, attr->padding, attr->dilation,
                       attr->groups) < 0
        || lgi_need_ndim(E, n, 0, 4, "n,c,h,w") < 0
        || lgi_need_ndim(E, n, 1, 4, "out,c/groups,kh,kw") < 0)
        return E->status;
    set_x(v, x);
    v->out = w->dim[0], v->kh = w->dim[2], v->kw = w->dim[3];
    if (lgi_check_groups(E, n, "output channels", v->out, v->groups) < 0
        || lgi_check_channels(E, n, v->c, w->dim[1], v->groups) < 0
        || check_kernel(E, n, v, x) < 0 || lgi_check_conv_bias(E, n, v->out) < 0)
        return E->status;
    v->oh = outputs(v->h, v->ph, extent(v->kh, v->dh), v->sh);
    v->ow = outputs(v->w, v->pw, extent(v->kw, v->dw), v->sw);
    if (attr->size.h)
        v->oh = attr->size.h, v->ow = attr->size.w;
    return check_sizes(E, n, v);
}

static lg_status conv2d_shape(lg_engine *E, lgi_node *n)
{
    lgi_conv v;
    if (conv2d_relation(E, n, &v) < 0)
        return E->status;
    return lgi_set_shape(n->out, 4, v.n, v.out, v.oh, v.ow);
}

static size_t conv2d_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_conv v;
    conv2d_relation(E, n, &v);
    return lgi_conv_y_scratch(E, &v);
}

static const lg_real *data_or_null(const lg_tensor *t) { return t ? t->data : NULL; }

/* Lets the kernel keep beside w what it makes of it, and afterwards forgets that if an
 * interrupt kept it from being finished. */

static lgi_kept *keep_points(lg_engine *E, lgi_conv *v, lgi_conv_side side, lg_tensor *w)
{
    int what = 0;
    size_t bytes = lgi_winograd_keeps(E, v, side, &what);
    lgi_kept *kept = bytes ? lgi_keep(w, side, what, bytes, &v->w_turned) : NULL;
    v->w_points = kept ? kept->data : NULL;
    return kept;
}

static void doubt_points(lg_engine *E, lgi_kept *kept)
{
    if (kept && atomic_load(&E->interrupt))
        kept->what = 0;
}

static void conv2d_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_conv v;
    conv2d_relation(E, n, &v);
    lgi_kept *kept = keep_points(E, &v, LGI_CONV_Y, n->in[1]);
    lgi_conv_y(E, &v, n->in[0]->data, n->in[1]->data, data_or_null(n->in[2]),
               n->out->data, workspace);
    doubt_points(E, kept);
}

/* The output_padding that gives x's size back. */
static lgi_pair padding_for(const lgi_conv *v)
{
    return (lgi_pair){
        v->h - ((v->oh - 1) * v->sh - 2 * v->ph + extent(v->kh, v->dh)),
        v->w - ((v->ow - 1) * v->sw - 2 * v->pw + extent(v->kw, v->dw))};
}

/* The three operators, applied to tensors of one relation. */

lg_tensor *lgi_apply_conv_y(lg_engine *E, const lgi_conv *v, lg_tensor *x, lg_tensor *w)
{
    conv2d_attr attr = {{v->sh, v->sw}, {v->ph, v->pw}, {v->dh, v->dw}, v->groups,
                        {v->oh, v->ow}};
    return x && w ? lgi_apply(E, &lgi_op_conv2d, 3, (lg_tensor *[]){x, w, NULL}, &attr)
                  : NULL;
}

lg_tensor *lgi_apply_conv_x(lg_engine *E, const lgi_conv *v, lg_tensor *y, lg_tensor *w)
{
    conv_transpose2d_attr attr = {{v->sh, v->sw}, {v->ph, v->pw}, padding_for(v),
                                  v->groups, {v->dh, v->dw}};
    return y && w ? lgi_apply(E, &lgi_op_conv_transpose2d, 3, (lg_tensor *[]){y, w, NULL},
                              &attr)
                  : NULL;
}

lg_tensor *lgi_apply_conv_w(lg_engine *E, const lgi_conv *v, lg_tensor *x, lg_tensor *y)
{
    conv2d_weight_attr attr = {{v->kh, v->kw}, {v->sh, v->sw}, {v->ph, v->pw},
                               {v->dh, v->dw}, v->groups};
    return lgi_apply2(E, &lgi_op_conv2d_weight, x, y, &attr);
}

/* Over all axes but the channels'. */
static lg_tensor *bias_gradient(lg_engine *E, lg_tensor *g)
{
    return lgi_sum_dims(E, g, &(lgi_list){3, {1, 3, 4}}, false);
}

static double conv_flops(const lgi_conv *v)
{
    return 2 * (double)v->n * (double)v->out * (double)(v->oh * v->ow)
           * (double)(v->c / v->groups) * (double)(v->kh * v->kw);
}

static lg_status conv2d_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    lgi_conv v;
    conv2d_relation(E, n, &v);
    if (wanted[0])
        out[0] = lgi_apply_conv_x(E, &v, g[0], n->in[1]);
    if (wanted[1])
        out[1] = lgi_apply_conv_w(E, &v, n->in[0], g[0]);
    if (wanted[2])
        out[2] = bias_gradient(E, g[0]);
    return E->status;
}

static double conv2d_flops(const lgi_node *n)
{
    lgi_conv v;
    conv2d_relation(n->out->engine, n, &v);
    return conv_flops(&v);
}

const lg_op lgi_op_conv2d = {
    .name = "conv2d",
    .args = "x, w, b?, stride: pair = 1, padding: pair = 0, dilation: pair = 1, "
            "groups: whole = 1",
    .doc = "Convolution (cross-correlation) of images x {n,c,h,w} with w "
           "{out,c/groups,kh,kw}: {n,out,oh,ow}, where oh = floor((h + 2*padding - "
           "dilation*(kh-1) - 1) / stride) + 1. b {out} is added. With groups, each "
           "group of output channels sees its own group of input channels.",
    .shape = conv2d_shape, .workspace = conv2d_workspace, .forward = conv2d_forward,
    .grad = conv2d_grad, .needs = LGI_IN(0) | LGI_IN(1), .flops = conv2d_flops,
    .attr_bytes = sizeof(conv2d_attr), .leads = true, .leads_back = true,
    .samples = {"2,2,4,5; 3,2,3,2; 3", "2,1,5,4; 2,1,4,4; none; stride=2, padding=1",
                "1,2,5,6; 2,2,2,3; 2; stride={2,1}, padding={0,2}",
                "2,4,3,3; 2,2,2,2; 2; padding=1, groups=2",
                "1,1,6,7; 1,1,2,3; none; dilation={3,2}, stride={1,3}",
                "2,2,2,3; 3,2,1,1; 3", "1,2,5,5; 2,1,1,1; none; stride=3, groups=2",
                "0,1,3,3; 2,1,2,2; 2"}};

/* conv_transpose2d: x from y and w. Its x is the relation's y. */

static lg_status check_output_padding(lg_engine *E, const lgi_node *n, const lgi_conv *v,
                                      lgi_pair p)
{
    int64_t most_h = v->sh > v->dh ? v->sh : v->dh;
    int64_t most_w = v->sw > v->dw ? v->sw : v->dw;
    if (p.h >= 0 && p.w >= 0 && p.h < most_h && p.w < most_w)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: output_padding is {%lld,%lld}; it must be 0 or "
                    "more, and less than the stride or the dilation, {%lld,%lld} here",
                    n->op->name,
                    (long long)p.h, (long long)p.w, (long long)most_h, (long long)most_w);
}

static lg_status transpose_relation(lg_engine *E, const lgi_node *n, lgi_conv *v)
{
    const conv_transpose2d_attr *attr = n->attr;
    const lg_tensor *y = n->in[0], *w = n->in[1];
    *v = (lgi_conv){0};
    if (set_attributes(E, n, v, attr->stride, attr->padding, attr->dilation,
                       attr->groups) < 0
        || check_output_padding(E, n, v, attr->output_padding) < 0
        || lgi_need_ndim(E, n, 0, 4, "n,in,h,w") < 0
        || lgi_need_ndim(E, n, 1, 4, "in,out/groups,kh,kw") < 0)
        return E->status;
    set_y(v, y);
    v->c = w->dim[1] * v->groups, v->kh = w->dim[2], v->kw = w->dim[3];
    v->h = (v->oh - 1) * v->sh - 2 * v->ph + extent(v->kh, v->dh);
    v->w = (v->ow - 1) * v->sw - 2 * v->pw + extent(v->kw, v->dw);
    v->h += attr->output_padding.h;
    v->w += attr->output_padding.w;
    if (lgi_check_groups(E, n, "input channels", v->out, v->groups) < 0
        || lgi_check_channels(E, n, v->out, w->dim[0], 1) < 0
        || lgi_check_conv_bias(E, n, v->c) < 0)
        return E->status;
    if (v->oh < 1 || v->ow < 1 || v->kh < 1 || v->kw < 1 || v->h < 1 || v->w < 1)
        return lgi_fail(E, LG_ESHAPE, "%s: x %s with w %s would give images of "
                        "%lldx%lld; use larger ones, or less padding", n->op->name,
                        LGI_SHAPE(y),
                        LGI_SHAPE(w), (long long)v->h, (long long)v->w);
    return check_sizes(E, n, v);
}

static lg_status conv_transpose2d_shape(lg_engine *E, lgi_node *n)
{
    lgi_conv v;
    if (transpose_relation(E, n, &v) < 0)
        return E->status;
    return lgi_set_shape(n->out, 4, v.n, v.c, v.h, v.w);
}

static size_t conv_transpose2d_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_conv v;
    transpose_relation(E, n, &v);
    return lgi_conv_x_scratch(E, &v);
}

static void conv_transpose2d_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_conv v;
    transpose_relation(E, n, &v);
    lgi_kept *kept = keep_points(E, &v, LGI_CONV_X, n->in[1]);
    lgi_conv_x(E, &v, n->in[0]->data, n->in[1]->data, data_or_null(n->in[2]),
               n->out->data, workspace);
    doubt_points(E, kept);
}

static lg_status conv_transpose2d_grad(lg_engine *E, const lgi_node *n,
                                       const bool *wanted, lg_tensor **g, lg_tensor **out)
{
    lgi_conv v;
    transpose_relation(E, n, &v);
    if (wanted[0])
        out[0] = lgi_apply_conv_y(E, &v, g[0], n->in[1]);
    if (wanted[1])
        out[1] = lgi_apply_conv_w(E, &v, g[0], n->in[0]);
    if (wanted[2])
        out[2] = bias_gradient(E, g[0]);
    return E->status;
}

static double conv_transpose2d_flops(const lgi_node *n)
{
    lgi_conv v;
    transpose_relation(n->out->engine, n, &v);
    return conv_flops(&v);
}

const lg_op lgi_op_conv_transpose2d = {
    .name = "conv_transpose2d",
    .args = "x, w, b?, stride: pair = 1, padding: pair = 0, output_padding: pair = 0, "
            "groups: whole = 1, dilation: pair = 1",
    .doc = "The transpose of conv2d: x {n,in,h,w} and w {in,out/groups,kh,kw} give "
           "{n,out,oh,ow}, where oh = (h-1)*stride - 2*padding + dilation*(kh-1) + 1 + "
           "output_padding. b {out} is added. output_padding tells apart the sizes that "
           "conv2d with a stride would map to h.",
    .shape = conv_transpose2d_shape, .workspace = conv_transpose2d_workspace,
    .forward = conv_transpose2d_forward, .grad = conv_transpose2d_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .flops = conv_transpose2d_flops,
    .attr_bytes = sizeof(conv_transpose2d_attr), .leads = true, .leads_back = true,
    .samples = {"2,2,3,2; 2,3,2,3; 3", "2,2,3,3; 2,1,4,4; 1; stride=2, padding=1",
                "1,2,2,3; 2,2,3,3; none; stride={2,3}, padding={1,0}, "
                "output_padding={1,2}",
                "2,4,2,2; 4,1,3,2; 2; stride=2, groups=2, output_padding=1",
                "1,2,3,3; 2,1,2,3; none; dilation={2,3}, output_padding=1",
                "1,1,2,2; 1,2,1,1; 2; stride=3", "1,2,4,4; 2,2,3,3; 2; padding=2",
                "0,2,3,3; 2,1,2,2; 1"}};

/* conv2d_weight: w from x and y */

static lg_status weight_relation(lg_engine *E, const lgi_node *n, lgi_conv *v)
{
    const conv2d_weight_attr *attr = n->attr;
    const lg_tensor *x = n->in[0], *g = n->in[1];
    *v = (lgi_conv){0};
    if (set_attributes(E, n, v, attr->stride, attr->padding, attr->dilation,
                       attr->groups) < 0
        || lgi_need_ndim(E, n, 0, 4, "n,c,h,w") < 0
        || lgi_need_ndim(E, n, 1, 4, "n,out,oh,ow") < 0)
        return E->status;
    set_x(v, x);
    set_y(v, g);
    v->kh = attr->kernel.h, v->kw = attr->kernel.w;
    if (need_pair(E, n, "kernel", attr->kernel, PAIR_MOST) < 0
        || lgi_check_groups(E, n, "input channels", v->c, v->groups) < 0
        || lgi_check_groups(E, n, "output channels", v->out, v->groups) < 0
        || check_kernel(E, n, v, x) < 0)
        return E->status;
    lgi_pair over = padding_for(v);
    int64_t most_h = v->sh > v->dh ? v->sh : v->dh;
    int64_t most_w = v->sw > v->dw ? v->sw : v->dw;
    if (x->dim[0] != g->dim[0] || over.h < 0 || over.w < 0 || over.h >= most_h
        || over.w >= most_w)
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s, so g must be {%lld,out,%lld,%lld}, "
                        "and is %s", n->op->name, LGI_SHAPE(x), (long long)x->dim[0],
                        (long long)outputs(v->h, v->ph, extent(v->kh, v->dh), v->sh),
                        (long long)outputs(v->w, v->pw, extent(v->kw, v->dw), v->sw),
                        LGI_SHAPE(g));
    return check_sizes(E, n, v);
}

static lg_status conv2d_weight_shape(lg_engine *E, lgi_node *n)
{
    lgi_conv v;
    if (weight_relation(E, n, &v) < 0)
        return E->status;
    return lgi_set_shape(n->out, 4, v.out, v.c / v.groups, v.kh, v.kw);
}

static size_t conv2d_weight_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_conv v;
    weight_relation(E, n, &v);
    return lgi_conv_w_scratch(E, &v);
}

static void conv2d_weight_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_conv v;
    weight_relation(E, n, &v);
    lgi_conv_w(E, &v, n->in[0]->data, n->in[1]->data, n->out->data, workspace);
}

static lg_status conv2d_weight_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                    lg_tensor **g, lg_tensor **out)
{
    lgi_conv v;
    weight_relation(E, n, &v);
    if (wanted[0])
        out[0] = lgi_apply_conv_x(E, &v, n->in[1], g[0]);
    if (wanted[1])
        out[1] = lgi_apply_conv_y(E, &v, n->in[0], g[0]);
    return E->status;
}

static double conv2d_weight_flops(const lgi_node *n)
{
    lgi_conv v;
    weight_relation(n->out->engine, n, &v);
    return conv_flops(&v);
}

const lg_op lgi_op_conv2d_weight = {
    .name = "conv2d_weight",
    .args = "x, g, kernel: pair, stride: pair = 1, padding: pair = 0, "
            "dilation: pair = 1, groups: whole = 1",
    .doc = "The gradient of conv2d for its weight: images x {n,c,h,w} and the gradient g "
           "{n,out,oh,ow} for the result give {out,c/groups,kh,kw}, where kernel is "
           "{kh,kw}.",
    .shape = conv2d_weight_shape, .workspace = conv2d_weight_workspace,
    .forward = conv2d_weight_forward, .grad = conv2d_weight_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .flops = conv2d_weight_flops,
    .attr_bytes = sizeof(conv2d_weight_attr),
    .samples = {"2,2,4,5; 2,3,2,4; kernel={3,2}",
                "2,1,5,4; 2,2,2,2; kernel=4, stride=2, padding=1",
                "1,2,5,6; 1,2,2,8; kernel={2,3}, stride={2,1}, padding={0,2}",
                "2,4,3,3; 2,2,4,4; kernel=2, padding=1, groups=2",
                "1,1,6,7; 1,1,3,1; kernel={2,3}, dilation={3,2}, stride={1,3}",
                "2,2,2,3; 2,3,2,3; kernel=1", "0,1,3,3; 0,2,2,2; kernel=2"}};

const lg_op *const lgi_ops_conv[] = {&lgi_op_conv2d, &lgi_op_conv_transpose2d,
                                     &lgi_op_conv2d_weight, NULL};
