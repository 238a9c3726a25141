/*
 * conv1d.c - convolution along one axis, and its transpose: that of images of one row.
 *
 * The loops are those of conv.c; so are the gradients, through views with one more axis.
 */
#include "op/conv.h"

extern const lg_op lgi_op_reshape;

typedef struct conv1d_attr {
    int64_t stride, padding, dilation, groups;
} conv1d_attr;

typedef struct conv_transpose1d_attr {
    int64_t stride, padding, output_padding, groups, dilation;
} conv_transpose1d_attr;

enum { STEP_MOST = 1 << 20 };

/* The relation of images of one row; sizes follow. */
static lg_status set_row(lg_engine *E, const lgi_node *n, lgi_conv *v, int64_t stride,
                         int64_t padding, int64_t dilation, int64_t groups)
{
    const lg_tensor *x = n->in[0], *w = n->in[1];
    *v = (lgi_conv){.h = 1, .oh = 1, .kh = 1, .sh = 1, .dh = 1, .sw = stride,
                    .pw = padding, .dw = dilation, .groups = groups};
    if (lgi_need_whole(E, n, "stride", stride, 1, STEP_MOST) < 0
        || lgi_need_whole(E, n, "padding", padding, 0, STEP_MOST) < 0
        || lgi_need_whole(E, n, "dilation", dilation, 1, STEP_MOST) < 0
        || lgi_need_whole(E, n, "groups", groups, 1, STEP_MOST) < 0)
        return E->status;
    if (x->ndim == 3 && w->ndim == 3 && w->dim[2] < 1)
        return lgi_fail(E, LG_ESHAPE, "%s: w is %s; its kernel must have a number or "
                        "more", n->op->name, LGI_SHAPE(w));
    return LG_OK;
}

static lg_status check_row(lg_engine *E, const lgi_node *n, const lgi_conv *v)
{
    if (lgi_conv_fits(v))
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: one of the rows of %s, padded, has more than 2^30 "
                    "numbers; cut it into parts", n->op->name, LGI_SHAPE(n->in[0]));
}

/* {a,b,c} as {a,b,1,c}, and back. */

static lg_tensor *as_image(lg_engine *E, lg_tensor *t)
{
    lgi_list dims = {4, {0}};
    if (t)
        dims = (lgi_list){4, {t->dim[0], t->dim[1], 1, t->dim[2]}};
    return lgi_apply1(E, &lgi_op_reshape, t, &dims);
}

static lg_tensor *as_rows(lg_engine *E, lg_tensor *t)
{
    lgi_list dims = {3, {0}};
    if (t)
        dims = (lgi_list){3, {t->dim[0], t->dim[1], t->dim[3]}};
    return lgi_apply1(E, &lgi_op_reshape, t, &dims);
}

/* All but the batch and the last axis. */
static lg_tensor *row_bias_gradient(lg_engine *E, lg_tensor *g)
{
    return lgi_sum_dims(E, g, &(lgi_list){2, {1, 3}}, false);
}

static const lg_real *numbers_or_null(const lg_tensor *t) { return t ? t->data : NULL; }

/* conv1d */

static lg_status conv1d_relation(lg_engine *E, const lgi_node *n, lgi_conv *v)
{
    const conv1d_attr *t = n->attr;
    const lg_tensor *x = n->in[0], *w = n->in[1];
    *v = (lgi_conv){0};
    if (lgi_need_ndim(E, n, 0, 3, "n,c,l") < 0
        || lgi_need_ndim(E, n, 1, 3, "out,c/groups,k") < 0
        || set_row(E, n, v, t->stride, t->padding, t->dilation, t->groups) < 0)
        return E->status;
    v->n = x->dim[0], v->c = x->dim[1], v->w = x->dim[2];
    v->out = w->dim[0], v->kw = w->dim[2];
    if (lgi_check_groups(E, n, "output channels", v->out, v->groups) < 0
        || lgi_check_channels(E, n, v->c, w->dim[1], v->groups) < 0
        || lgi_check_conv_bias(E, n, v->out) < 0)
        return E->status;
    if (v->w < 1)
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s; its rows must have a number or more",
                        n->op->name, LGI_SHAPE(x));
    int64_t reached = (v->kw - 1) * v->dw + 1, padded = v->w + 2 * v->pw;
    if (reached > padded)
        return lgi_fail(E, LG_ESHAPE, "%s: the kernel, %lld with its dilation, is longer "
                        "than the padded input, %lld: x is %s; use a smaller kernel or "
                        "more padding", n->op->name, (long long)reached,
                        (long long)padded, LGI_SHAPE(x));
    v->ow = (padded - reached) / v->sw + 1;
    return check_row(E, n, v);
}

static lg_status conv1d_shape(lg_engine *E, lgi_node *n)
{
    lgi_conv v;
    if (conv1d_relation(E, n, &v) < 0)
        return E->status;
    return lgi_set_shape(n->out, 3, v.n, v.out, v.ow);
}

static size_t conv1d_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_conv v;
    conv1d_relation(E, n, &v);
    return lgi_conv_y_scratch(E, &v);
}

static void conv1d_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_conv v;
    conv1d_relation(E, n, &v);
    lgi_conv_y(E, &v, n->in[0]->data, n->in[1]->data, numbers_or_null(n->in[2]),
               n->out->data, workspace);
}

static lg_status conv1d_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    lgi_conv v;
    conv1d_relation(E, n, &v);
    lg_tensor *y = wanted[0] || wanted[1] ? as_image(E, g[0]) : NULL;
    if (wanted[0])
        out[0] = as_rows(E, lgi_apply_conv_x(E, &v, y, as_image(E, n->in[1])));
    if (wanted[1])
        out[1] = as_rows(E, lgi_apply_conv_w(E, &v, as_image(E, n->in[0]), y));
    if (wanted[2])
        out[2] = row_bias_gradient(E, g[0]);
    return E->status;
}

static double row_flops(const lgi_conv *v)
{
    return 2 * (double)v->n * (double)v->out * (double)v->ow * (double)(v->c / v->groups)
           * (double)v->kw;
}

static double conv1d_flops(const lgi_node *n)
{
    lgi_conv v;
    conv1d_relation(n->out->engine, n, &v);
    return row_flops(&v);
}

const lg_op lgi_op_conv1d = {
    .name = "conv1d",
    .args = "x, w, b?, stride: whole = 1, padding: whole = 0, dilation: whole = 1, "
            "groups: whole = 1",
    .doc = "Convolution (cross-correlation) of x {n,c,l} with w {out,c/groups,k}: "
           "{n,out,ol}, where ol = floor((l + 2*padding - dilation*(k-1) - 1) / stride) "
           "+ 1. b {out} is added. With groups, each group of output channels sees its "
           "own group of input channels.",
    .shape = conv1d_shape, .workspace = conv1d_workspace, .forward = conv1d_forward,
    .grad = conv1d_grad, .needs = LGI_IN(0) | LGI_IN(1), .flops = conv1d_flops,
    .attr_bytes = sizeof(conv1d_attr),
    .samples = {"2,2,5; 3,2,3; 3", "2,1,6; 2,1,4; none; stride=2, padding=1",
                "1,4,5; 2,2,2; 2; padding=2, groups=2",
                "1,1,7; 1,1,3; none; dilation=3, stride=2, padding=1",
                "1,1,1; 1,1,1; 1; stride=3", "0,1,3; 2,1,2; 2"}};

/* conv_transpose1d: x from y and w. Its x is the relation's y. */

static lg_status transpose1d_relation(lg_engine *E, const lgi_node *n, lgi_conv *v)
{
    const conv_transpose1d_attr *t = n->attr;
    const lg_tensor *y = n->in[0], *w = n->in[1];
    *v = (lgi_conv){0};
    if (lgi_need_ndim(E, n, 0, 3, "n,in,l") < 0
        || lgi_need_ndim(E, n, 1, 3, "in,out/groups,k") < 0
        || set_row(E, n, v, t->stride, t->padding, t->dilation, t->groups) < 0
        || lgi_need_whole(E, n, "output_padding", t->output_padding, 0,
                          (t->stride > t->dilation ? t->stride : t->dilation) - 1) < 0)
        return E->status;
    v->n = y->dim[0], v->out = y->dim[1], v->ow = y->dim[2];
    v->c = w->dim[1] * v->groups, v->kw = w->dim[2];
    v->w = (v->ow - 1) * v->sw - 2 * v->pw + (v->kw - 1) * v->dw + 1 + t->output_padding;
    if (lgi_check_groups(E, n, "input channels", v->out, v->groups) < 0
        || lgi_check_channels(E, n, v->out, w->dim[0], 1) < 0
        || lgi_check_conv_bias(E, n, v->c) < 0)
        return E->status;
    if (v->ow < 1 || v->w < 1)
        return lgi_fail(E, LG_ESHAPE, "%s: x %s with w %s would give rows of %lld "
                        "numbers; use longer ones, or less padding", n->op->name,
                        LGI_SHAPE(y), LGI_SHAPE(w), (long long)v->w);
    return check_row(E, n, v);
}

static lg_status conv_transpose1d_shape(lg_engine *E, lgi_node *n)
{
    lgi_conv v;
    if (transpose1d_relation(E, n, &v) < 0)
        return E->status;
    return lgi_set_shape(n->out, 3, v.n, v.c, v.w);
}

static size_t conv_transpose1d_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_conv v;
    transpose1d_relation(E, n, &v);
    return lgi_conv_x_scratch(E, &v);
}

static void conv_transpose1d_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_conv v;
    transpose1d_relation(E, n, &v);
    lgi_conv_x(E, &v, n->in[0]->data, n->in[1]->data, numbers_or_null(n->in[2]),
               n->out->data, workspace);
}

static lg_status conv_transpose1d_grad(lg_engine *E, const lgi_node *n,
                                       const bool *wanted, lg_tensor **g, lg_tensor **out)
{
    lgi_conv v;
    transpose1d_relation(E, n, &v);
    lg_tensor *x = wanted[0] || wanted[1] ? as_image(E, g[0]) : NULL;
    if (wanted[0])
        out[0] = as_rows(E, lgi_apply_conv_y(E, &v, x, as_image(E, n->in[1])));
    if (wanted[1])
        out[1] = as_rows(E, lgi_apply_conv_w(E, &v, x, as_image(E, n->in[0])));
    if (wanted[2])
        out[2] = row_bias_gradient(E, g[0]);
    return E->status;
}

static double conv_transpose1d_flops(const lgi_node *n)
{
    lgi_conv v;
    transpose1d_relation(n->out->engine, n, &v);
    return row_flops(&v);
}

const lg_op lgi_op_conv_transpose1d = {
    .name = "conv_transpose1d",
    .args = "x, w, b?, stride: whole = 1, padding: whole = 0, output_padding: whole = 0, "
            "groups: whole = 1, dilation: whole = 1",
    .doc = "The transpose of conv1d: x {n,in,l} and w {in,out/groups,k} give {n,out,ol}, "
           "where ol = (l-1)*stride - 2*padding + dilation*(k-1) + 1 + output_padding. b "
           "{out} is added. output_padding tells apart the sizes that conv1d with a "
           "stride would map to l.",
    .shape = conv_transpose1d_shape, .workspace = conv_transpose1d_workspace,
    .forward = conv_transpose1d_forward, .grad = conv_transpose1d_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .flops = conv_transpose1d_flops,
    .attr_bytes = sizeof(conv_transpose1d_attr),
    .samples = {"2,2,3; 2,3,2; 3", "2,2,3; 2,1,4; 1; stride=2, padding=1",
                "1,4,2; 4,1,3; 2; stride=3, groups=2, output_padding=2",
                "1,2,4; 2,1,3; none; dilation=3, padding=2, output_padding=1",
                "1,1,1; 1,1,1; 1; stride=3", "0,2,3; 2,1,2; 1"}};

const lg_op *const lgi_ops_conv1d[] = {&lgi_op_conv1d, &lgi_op_conv_transpose1d, NULL};
