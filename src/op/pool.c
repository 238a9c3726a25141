/*
 * pool.c - pooling: means and maxima over windows of images.
 *
 * Means are linear, and a product of one of rows and one of columns: kernel/resample.h.
 * max_pool2d keeps which number of its window each maximum is; given that, it is linear,
 * too: max_pool2d_take and max_pool2d_back are each other's transposes.
 */
#include "kernel/elementwise.h"
#include "kernel/resample.h"
#include "op/window.h"

#include <string.h>

extern const lg_op lgi_op_avg_pool2d, lgi_op_avg_pool2d_back;
extern const lg_op lgi_op_adaptive_avg_pool2d, lgi_op_adaptive_avg_pool2d_back;
extern const lg_op lgi_op_max_pool2d_back, lgi_op_max_pool2d_take;

typedef struct pool_attr {
    lgi_pair kernel, stride, padding;
} pool_attr;

typedef struct pool_back_attr {
    lgi_pair size;
    pool_attr pool;
} pool_back_attr;

/* The windows of planes of size h,w. A stride of 0 is the kernel's size. */
static lg_status pool_window(lg_engine *E, const lgi_node *n, const pool_attr *t,
                             lgi_window *v)
{
    lgi_pair stride = {t->stride.h ? t->stride.h : t->kernel.h,
                       t->stride.w ? t->stride.w : t->kernel.w};
    if (lgi_slide_window(E, n, v, t->kernel, stride, t->padding, (lgi_pair){1, 1}) < 0)
        return E->status;
    if (v->h < 1 || v->w < 1)
        return lgi_fail(E, LG_ESHAPE, "%s: images must have 1x1 numbers or more, and the "
                        "input is %s", n->op->name, LGI_SHAPE(n->in[0]));
    if (2 * v->ph <= v->kh && 2 * v->pw <= v->kw)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: padding is {%lld,%lld} and kernel {%lld,%lld}; "
                    "padding must be at most half of the kernel", n->op->name,
                    (long long)v->ph, (long long)v->pw, (long long)v->kh,
                    (long long)v->kw);
}

/* Of an operator whose input i is the images. */
static lg_status images_window(lg_engine *E, const lgi_node *n, int i,
                               const pool_attr *t, lgi_window *v)
{
    const lg_tensor *x = n->in[i];
    *v = (lgi_window){0};
    if (lgi_need_ndim(E, n, i, 4, "n,c,h,w") < 0)
        return E->status;
    *v = (lgi_window){.planes = x->dim[0] * x->dim[1], .h = x->dim[2], .w = x->dim[3]};
    return pool_window(E, n, t, v);
}

/* Of an operator whose input 0 is the pooled images, and which makes those. */
static lg_status pooled_window(lg_engine *E, const lgi_node *n, lgi_window *v)
{
    const pool_back_attr *t = n->attr;
    const lg_tensor *g = n->in[0];
    *v = (lgi_window){0};
    if (lgi_need_ndim(E, n, 0, 4, "n,c,oh,ow") < 0
        || lgi_need_pair(E, n, "size", t->size, 1, LGI_MAX_NUMEL) < 0)
        return E->status;
    *v = (lgi_window){.planes = g->dim[0] * g->dim[1], .h = t->size.h, .w = t->size.w};
    if (pool_window(E, n, &t->pool, v) < 0)
        return E->status;
    if (g->dim[2] == v->oh && g->dim[3] == v->ow)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: g must be {n,c,%lld,%lld}, one number for each "
                    "window of images of %lldx%lld, and is %s", n->op->name,
                    (long long)v->oh, (long long)v->ow, (long long)v->h, (long long)v->w,
                    LGI_SHAPE(g));
}

static pool_back_attr back_to(const lg_tensor *x, const pool_attr *t)
{
    return (pool_back_attr){{x->dim[2], x->dim[3]}, *t};
}

/* avg_pool2d */

static lg_status avg_pool2d_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    lgi_window v;
    if (images_window(E, n, 0, n->attr, &v) < 0)
        return E->status;
    return lgi_set_shape(n->out, 4, x->dim[0], x->dim[1], v.oh, v.ow);
}

static lgi_axis mean_axis(int64_t from, int64_t to, int64_t kernel, int64_t stride,
                          int64_t padding)
{
    return (lgi_axis){.from = from, .to = to, .most = kernel < from ? kernel : from,
                      .rule = lgi_window_rule, .kernel = kernel, .stride = stride,
                      .before = padding, .scale = 1 / (double)kernel};
}

static void mean_axes(const lgi_window *v, lgi_axis axis[2])
{
    axis[0] = mean_axis(v->h, v->oh, v->kh, v->sh, v->ph);
    axis[1] = mean_axis(v->w, v->ow, v->kw, v->sw, v->pw);
}

static size_t avg_pool2d_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_window v;
    lgi_axis axis[2];
    images_window(E, n, 0, n->attr, &v);
    mean_axes(&v, axis);
    return lgi_resample_scratch(E, axis);
}

static void avg_pool2d_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_window v;
    lgi_axis axis[2];
    images_window(E, n, 0, n->attr, &v);
    mean_axes(&v, axis);
    lgi_resample(E, axis, false, v.planes, n->in[0]->data, n->out->data, workspace);
}

static lg_status avg_pool2d_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                 lg_tensor **g, lg_tensor **out)
{
    pool_back_attr back = back_to(n->in[0], n->attr);
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_avg_pool2d_back, g[0], &back);
    return E->status;
}

#define POOL_ARGS "kernel: pair, stride: pair = 0, padding: pair = 0"

const lg_op lgi_op_avg_pool2d = {
    .name = "avg_pool2d", .args = "x, " POOL_ARGS,
    .doc = "The mean of each window of images x {n,c,h,w}: {n,c,oh,ow}, where oh = "
           "floor((h + 2*padding - kernel) / stride) + 1. A stride of 0 means that of "
           "the kernel. The zeros of the padding count.",
    .shape = avg_pool2d_shape, .workspace = avg_pool2d_workspace,
    .forward = avg_pool2d_forward, .grad = avg_pool2d_grad,
    .attr_bytes = sizeof(pool_attr),
    .samples = {"2,2,4,5; kernel=2", "1,2,5,4; kernel=3, stride=2, padding=1",
                "1,1,6,5; kernel={2,3}, stride={3,1}, padding={1,0}",
                "1,1,1,1; kernel=1", "0,2,3,3; kernel=2",
                "1,1,2,2; kernel=4, padding=2"}};

static lg_status pool_back_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *g = n->in[0];
    lgi_window v;
    if (pooled_window(E, n, &v) < 0)
        return E->status;
    return lgi_set_shape(n->out, 4, g->dim[0], g->dim[1], v.h, v.w);
}

static size_t avg_pool2d_back_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_window v;
    lgi_axis axis[2];
    pooled_window(E, n, &v);
    mean_axes(&v, axis);
    return lgi_resample_scratch(E, axis);
}

static void avg_pool2d_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_window v;
    lgi_axis axis[2];
    pooled_window(E, n, &v);
    mean_axes(&v, axis);
    lgi_resample(E, axis, true, v.planes, n->in[0]->data, n->out->data, workspace);
}

static lg_status avg_pool2d_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                      lg_tensor **g, lg_tensor **out)
{
    const pool_back_attr *t = n->attr;
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_avg_pool2d, g[0], &t->pool);
    return E->status;
}

const lg_op lgi_op_avg_pool2d_back = {
    .name = "avg_pool2d_back", .args = "g, size: pair, " POOL_ARGS,
    .doc = "The transpose of avg_pool2d, its gradient: g {n,c,oh,ow} shared out over the "
           "windows of images {n,c,h,w}, where size is {h,w}.",
    .shape = pool_back_shape, .workspace = avg_pool2d_back_workspace,
    .forward = avg_pool2d_back_forward, .grad = avg_pool2d_back_grad,
    .attr_bytes = sizeof(pool_back_attr),
    .samples = {"2,2,2,2; size={4,5}, kernel=2",
                "1,2,3,2; size={5,4}, kernel=3, stride=2, padding=1",
                "1,1,3,3; size={6,5}, kernel={2,3}, stride={3,1}, padding={1,0}",
                "1,1,1,1; size=1, kernel=1", "0,2,1,1; size=3, kernel=2"}};

/* adaptive_avg_pool2d: output i is the mean of floor(i h / oh) .. ceil((i + 1) h / oh) */

static void adaptive_rule(lgi_taps *t, const lgi_axis *a, int64_t i)
{
    int64_t first = i * a->from / a->to, end = ((i + 1) * a->from + a->to - 1) / a->to;
    for (int64_t k = first; k < end; k++)
        lgi_tap(t, 1 / (double)(end - first), k);
}

static lgi_axis adaptive_axis(int64_t from, int64_t to)
{
    int64_t most = from / to + 2;
    return (lgi_axis){.from = from, .to = to, .most = most < from ? most : from,
                      .rule = adaptive_rule};
}

/* x has the sizes of the images, y the pooled ones'. */
static void adaptive_axes(const lg_tensor *x, const lg_tensor *y, lgi_axis axis[2])
{
    axis[0] = adaptive_axis(x->dim[2], y->dim[2]);
    axis[1] = adaptive_axis(x->dim[3], y->dim[3]);
}

static lg_status adaptive_shape(lg_engine *E, lgi_node *n)
{
    const lgi_pair *to = n->attr;
    const lg_tensor *x = n->in[0];
    if (lgi_need_ndim(E, n, 0, 4, "n,c,h,w") < 0
        || lgi_need_pair(E, n, n->op == &lgi_op_adaptive_avg_pool2d ? "out" : "size", *to,
                         1, 1 << 30) < 0)
        return E->status;
    if (x->dim[2] < 1 || x->dim[3] < 1)
        return lgi_fail(E, LG_ESHAPE, "%s: images must have 1x1 numbers or more, and the "
                        "input is %s", n->op->name, LGI_SHAPE(x));
    return lgi_set_shape(n->out, 4, x->dim[0], x->dim[1], to->h, to->w);
}

static size_t adaptive_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_axis axis[2];
    adaptive_axes(n->in[0], n->out, axis);
    return lgi_resample_scratch(E, axis);
}

static void adaptive_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *x = n->in[0];
    lgi_axis axis[2];
    adaptive_axes(x, n->out, axis);
    lgi_resample(E, axis, false, x->dim[0] * x->dim[1], x->data, n->out->data, workspace);
}

static lg_status adaptive_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    const lg_tensor *x = n->in[0];
    const lg_op *back = n->op == &lgi_op_adaptive_avg_pool2d
                            ? &lgi_op_adaptive_avg_pool2d_back
                            : &lgi_op_adaptive_avg_pool2d;
    if (wanted[0])
        out[0] = lgi_apply1(E, back, g[0], &(lgi_pair){x->dim[2], x->dim[3]});
    return E->status;
}

const lg_op lgi_op_adaptive_avg_pool2d = {
    .name = "adaptive_avg_pool2d", .args = "x, out: pair",
    .doc = "Images x {n,c,h,w} made {n,c,oh,ow}, where out is {oh,ow}: row i is the mean "
           "of the rows from floor(i*h/oh) to before ceil((i+1)*h/oh), i from 0, and "
           "columns likewise.",
    .shape = adaptive_shape, .workspace = adaptive_workspace, .forward = adaptive_forward,
    .grad = adaptive_grad, .attr_bytes = sizeof(lgi_pair),
    .samples = {"2,2,4,5; out=1", "1,2,5,7; out={3,2}", "1,1,2,3; out={5,3}",
                "1,1,1,1; out=2", "0,2,3,3; out=2"}};

static size_t adaptive_back_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_axis axis[2];
    adaptive_axes(n->out, n->in[0], axis);
    return lgi_resample_scratch(E, axis);
}

LGI_LOOP2(adaptive_share_loop, void, a * b)
LGI_WIDE(adaptive_share_loop)

static void adaptive_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lg_tensor *g = n->in[0];
    lgi_axis axis[2];
    if (g->dim[2] == 1 && g->dim[3] == 1) {    /* of all places: the same for each */
        lg_real share = (lg_real)(1 / (double)(n->out->dim[2] * n->out->dim[3]));
        lg_tensor one = {.data = &share};
        lgi_map(E, LGI_WIDEST(E, adaptive_share_loop), n->out, 2,
                (lg_tensor *[]){g, &one}, NULL);
        return;
    }
    adaptive_axes(n->out, g, axis);
    lgi_resample(E, axis, true, g->dim[0] * g->dim[1], g->data, n->out->data, workspace);
}

const lg_op lgi_op_adaptive_avg_pool2d_back = {
    .name = "adaptive_avg_pool2d_back", .args = "g, size: pair",
    .doc = "The transpose of adaptive_avg_pool2d, its gradient: g {n,c,oh,ow} shared out "
           "over images {n,c,h,w}, where size is {h,w}.",
    .shape = adaptive_shape, .workspace = adaptive_back_workspace,
    .forward = adaptive_back_forward, .grad = adaptive_grad,
    .attr_bytes = sizeof(lgi_pair),
    .samples = {"2,2,1,1; size={4,5}", "1,2,3,2; size={5,7}", "1,1,5,3; size={2,3}",
                "1,1,2,2; size=1", "0,2,2,2; size=3"}};

/* max_pool2d */

/* Places are kept as floats, and read as 32 bits. */
static lg_status check_count(lg_engine *E, const lgi_node *n, const lgi_window *v)
{
    if (v->kh * v->kw <= 1 << 24)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: kernel is {%lld,%lld}, more than 2^24 numbers; use "
                    "a smaller one, twice", n->op->name, (long long)v->kh,
                    (long long)v->kw);
}

static lg_status max_pool2d_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    lgi_window v;
    if (images_window(E, n, 0, n->attr, &v) < 0 || check_count(E, n, &v) < 0)
        return E->status;
    if (lgi_set_shape(&n->out[0], 4, x->dim[0], x->dim[1], v.oh, v.ow) < 0)
        return E->status;
    return lgi_like(&n->out[1], &n->out[0]);
}

static void max_pool2d_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_window v;
    (void)workspace;
    images_window(E, n, 0, n->attr, &v);
    lgi_max_pool(E, &v, n->in[0]->data, n->out[0].data, n->out[1].data);
}

static lg_status max_pool2d_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                 lg_tensor **g, lg_tensor **out)
{
    pool_back_attr back = back_to(n->in[0], n->attr);
    if (wanted[0] && g[0])
        out[0] = lgi_apply2(E, &lgi_op_max_pool2d_back, g[0], &n->out[1], &back);
    return E->status;
}

const lg_op lgi_op_max_pool2d = {
    .name = "max_pool2d", .args = "x, " POOL_ARGS, .results = "y; where",
    .doc = "The maximum of each window of images x {n,c,h,w}: {n,c,oh,ow}, where oh = "
           "floor((h + 2*padding - kernel) / stride) + 1. A stride of 0 means that of "
           "the kernel. What is in the padding is never a maximum; the first of equals "
           "has the gradient.",
    .shape = max_pool2d_shape, .forward = max_pool2d_forward, .grad = max_pool2d_grad,
    .needs = LGI_OUT(1), .attr_bytes = sizeof(pool_attr),
    .samples = {"2,2,4,5 distinct; kernel=2",
                "1,2,5,4 distinct; kernel=3, stride=2, padding=1",
                "1,1,6,5 distinct; kernel={2,3}, stride={3,1}, padding={1,0}",
                "1,1,1,1; kernel=1", "0,2,3,3; kernel=2",
                "1,1,2,2 distinct; kernel=4, padding=2"}};

/* Places that name a number of each window, in input 1. */
static lg_status check_maxima(lg_engine *E, const lgi_node *n, const lgi_window *v,
                              int64_t images, int64_t channels)
{
    const lg_tensor *where = n->in[1];
    int64_t need[] = {images, channels, v->oh, v->ow};
    char text[LGI_SHAPE_TEXT];
    if (check_count(E, n, v) < 0)
        return E->status;
    if (where->ndim != 4 || memcmp(where->dim, need, sizeof need) != 0)
        return lgi_fail(E, LG_ESHAPE, "%s: where must be %s, one number for each window, "
                        "and is %s", n->op->name, lgi_dims(4, need, text),
                        LGI_SHAPE(where));
    int64_t i = lgi_wrong_place(v, where->data);
    if (i < 0)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: where has %g for window %lld; it must name one of "
                    "the numbers 1 .. %lld of the kernel, and one within the image",
                    n->op->name, (double)where->data[i], (long long)(i + 1),
                    (long long)(v->kh * v->kw));
}

static lg_status max_pool2d_back_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *g = n->in[0];
    lgi_window v;
    if (pooled_window(E, n, &v) < 0 || check_maxima(E, n, &v, g->dim[0], g->dim[1]) < 0)
        return E->status;
    return lgi_set_shape(n->out, 4, g->dim[0], g->dim[1], v.h, v.w);
}

static void max_pool2d_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_window v;
    (void)workspace;
    pooled_window(E, n, &v);
    lgi_max_scatter(E, &v, n->in[0]->data, n->in[1]->data, n->out->data);
}

static lg_status max_pool2d_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                      lg_tensor **g, lg_tensor **out)
{
    const pool_back_attr *t = n->attr;
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_max_pool2d_take, g[0], n->in[1], &t->pool);
    return E->status;
}

const lg_op lgi_op_max_pool2d_back = {
    .name = "max_pool2d_back", .args = "g, where, size: pair, " POOL_ARGS,
    .doc = "The gradient of max_pool2d: g {n,c,oh,ow} added to zeros {n,c,h,w}, where "
           "size is {h,w}, at the place in each window that where {n,c,oh,ow} names: "
           "from 1, in the order kh,kw.",
    .shape = max_pool2d_back_shape, .forward = max_pool2d_back_forward,
    .grad = max_pool2d_back_grad, .needs = LGI_IN(1),
    .attr_bytes = sizeof(pool_back_attr),
    .samples = {"2,2,2,2; 2,2,2,2 index<4; size={4,5}, kernel=2",
                "1,1,2,4; 1,1,2,4 index<6; size={4,6}, kernel={2,3}, stride={2,1}",
                "1,1,1,1; 1,1,1,1 index<1; size=1, kernel=1",
                "0,2,1,1; 0,2,1,1 index<1; size=3, kernel=2"}};

static lg_status max_pool2d_take_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    lgi_window v;
    if (images_window(E, n, 0, n->attr, &v) < 0
        || check_maxima(E, n, &v, x->dim[0], x->dim[1]) < 0)
        return E->status;
    return lgi_like(n->out, n->in[1]);
}

static void max_pool2d_take_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_window v;
    (void)workspace;
    images_window(E, n, 0, n->attr, &v);
    lgi_max_take(E, &v, n->in[0]->data, n->in[1]->data, n->out->data);
}

static lg_status max_pool2d_take_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                      lg_tensor **g, lg_tensor **out)
{
    pool_back_attr back = back_to(n->in[0], n->attr);
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_max_pool2d_back, g[0], n->in[1], &back);
    return E->status;
}

const lg_op lgi_op_max_pool2d_take = {
    .name = "max_pool2d_take", .args = "x, where, " POOL_ARGS,
    .doc = "The number of images x {n,c,h,w} in each window at the place that where "
           "{n,c,oh,ow} names: the transpose of max_pool2d_back.",
    .shape = max_pool2d_take_shape, .forward = max_pool2d_take_forward,
    .grad = max_pool2d_take_grad, .needs = LGI_IN(1), .attr_bytes = sizeof(pool_attr),
    .samples = {"2,2,4,5; 2,2,2,2 index<4; kernel=2",
                "1,1,4,6; 1,1,2,4 index<6; kernel={2,3}, stride={2,1}",
                "1,1,1,1; 1,1,1,1 index<1; kernel=1",
                "0,2,3,3; 0,2,1,1 index<1; kernel=2"}};

const lg_op *const lgi_ops_pool[] = {
    &lgi_op_avg_pool2d, &lgi_op_avg_pool2d_back, &lgi_op_adaptive_avg_pool2d,
    &lgi_op_adaptive_avg_pool2d_back, &lgi_op_max_pool2d, &lgi_op_max_pool2d_back,
    &lgi_op_max_pool2d_take, NULL};
