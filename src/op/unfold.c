/*
 * unfold.c - windows of images as columns, and its transpose, which adds them up.
 *
 * The layout is PyTorch's: column l has the window's numbers in the order c,kh,kw, and
 * windows are in the order oh,ow.
 */
#include "op/window.h"

extern const lg_op lgi_op_unfold, lgi_op_fold;

typedef struct unfold_attr {
    lgi_pair kernel, stride, padding, dilation;
} unfold_attr;

typedef struct fold_attr {
    lgi_pair size;                     /* of the images */
    unfold_attr window;
} fold_attr;

static int64_t count_windows(int64_t size, int64_t kernel, int64_t stride,
                             int64_t padding, int64_t dilation)
{
    int64_t room = size + 2 * padding - ((kernel - 1) * dilation + 1);
    return room < 0 ? 0 : room / stride + 1;
}

lg_status lgi_slide_window(lg_engine *E, const lgi_node *n, lgi_window *v,
                           lgi_pair kernel, lgi_pair stride, lgi_pair padding,
                           lgi_pair dilation)
{
    v->kh = kernel.h, v->kw = kernel.w;
    v->sh = stride.h, v->sw = stride.w;
    v->ph = padding.h, v->pw = padding.w;
    v->dh = dilation.h, v->dw = dilation.w;
    if (lgi_need_pair(E, n, "kernel", kernel, 1, LGI_MOST_STEP) < 0
        || lgi_need_pair(E, n, "stride", stride, 1, LGI_MOST_STEP) < 0
        || lgi_need_pair(E, n, "padding", padding, 0, LGI_MOST_STEP) < 0
        || lgi_need_pair(E, n, "dilation", dilation, 1, LGI_MOST_STEP) < 0)
        return E->status;
    v->oh = count_windows(v->h, v->kh, v->sh, v->ph, v->dh);
    v->ow = count_windows(v->w, v->kw, v->sw, v->pw, v->dw);
    if (v->oh > 0 && v->ow > 0)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: the kernel, %lldx%lld with its dilation, is "
                    "larger than the padded image, %lldx%lld; use a smaller kernel or "
                    "more padding", n->op->name, (long long)((v->kh - 1) * v->dh + 1),
                    (long long)((v->kw - 1) * v->dw + 1), (long long)(v->h + 2 * v->ph),
                    (long long)(v->w + 2 * v->pw));
}

static lg_status slide_as(lg_engine *E, const lgi_node *n, lgi_window *v,
                          const unfold_attr *t)
{
    return lgi_slide_window(E, n, v, t->kernel, t->stride, t->padding, t->dilation);
}

/* unfold */

static lg_status unfold_window(lg_engine *E, const lgi_node *n, lgi_window *v)
{
    const lg_tensor *x = n->in[0];
    *v = (lgi_window){0};
    if (lgi_need_ndim(E, n, 0, 4, "n,c,h,w") < 0)
        return E->status;
    *v = (lgi_window){.planes = x->dim[0] * x->dim[1], .h = x->dim[2], .w = x->dim[3]};
    return slide_as(E, n, v, n->attr);
}

static lg_status unfold_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    lgi_window v;
    if (unfold_window(E, n, &v) < 0)
        return E->status;
    int64_t dim[] = {x->dim[0], x->dim[1], v.kh, v.kw, v.oh, v.ow};
    if (lgi_set_dims(n->out, 6, dim) < 0)      /* which sees a size that overflows */
        return E->status;
    return lgi_set_shape(n->out, 3, x->dim[0], x->dim[1] * v.kh * v.kw, v.oh * v.ow);
}

static void unfold_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_window v;
    (void)workspace;
    unfold_window(E, n, &v);
    lgi_unfold(E, &v, n->in[0]->data, n->out->data);
}

static lg_status unfold_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    const unfold_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    fold_attr back = {{x->dim[2], x->dim[3]}, *t};
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_fold, g[0], &back);
    return E->status;
}

const lg_op lgi_op_unfold = {
    .name = "unfold",
    .args = "x, kernel: pair, stride: pair = 1, padding: pair = 0, dilation: pair = 1",
    .doc = "The windows that conv2d would see in images x {n,c,h,w}, as columns: "
           "{n,c*kh*kw,oh*ow}. A matrix {out,c*kh*kw} times it is a convolution.",
    .shape = unfold_shape, .forward = unfold_forward, .grad = unfold_grad,
    .attr_bytes = sizeof(unfold_attr),
    .samples = {"2,2,3,4; kernel=2", "1,2,5,4; kernel={3,2}, stride={2,1}, padding={1,2}",
                "1,1,5,6; kernel=2, dilation={2,3}, padding={0,1}",
                "1,1,1,1; kernel=1, stride=3", "0,2,3,3; kernel=2",
                "1,1,2,2; kernel=1, padding=2, stride=2"}};

/* fold */

static lg_status fold_window(lg_engine *E, const lgi_node *n, lgi_window *v)
{
    const fold_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    *v = (lgi_window){0};
    if (lgi_need_ndim(E, n, 0, 3, "n,c*kh*kw,oh*ow") < 0
        || lgi_need_pair(E, n, "size", t->size, 0, LGI_MAX_NUMEL) < 0)
        return E->status;
    *v = (lgi_window){.h = t->size.h, .w = t->size.w};
    if (slide_as(E, n, v, &t->window) < 0)
        return E->status;
    int64_t taps = v->kh * v->kw;
    v->planes = x->dim[0] * (x->dim[1] / taps);
    bool many = v->oh > LGI_MAX_NUMEL / v->ow;
    if (x->dim[1] % taps == 0 && !many && x->dim[2] == v->oh * v->ow)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: x is %s, but images of %lldx%lld have %lldx%lld "
                    "windows, so that it must be {n,c*%lld,%lld}", n->op->name,
                    LGI_SHAPE(x), (long long)v->h, (long long)v->w, (long long)v->oh,
                    (long long)v->ow, (long long)taps,
                    many ? -1LL : (long long)(v->oh * v->ow));
}

static lg_status fold_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    lgi_window v;
    if (fold_window(E, n, &v) < 0)
        return E->status;
    return lgi_set_shape(n->out, 4, x->dim[0], x->dim[1] / (v.kh * v.kw), v.h, v.w);
}

static void fold_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_window v;
    (void)workspace;
    fold_window(E, n, &v);
    lgi_fold(E, &v, n->in[0]->data, n->out->data);
}

static lg_status fold_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    const fold_attr *t = n->attr;
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_unfold, g[0], &t->window);
    return E->status;
}

const lg_op lgi_op_fold = {
    .name = "fold",
    .args = "x, size: pair, kernel: pair, stride: pair = 1, padding: pair = 0, "
            "dilation: pair = 1",
    .doc = "The transpose of unfold: the columns x {n,c*kh*kw,oh*ow} added up at their "
           "places in images {n,c,h,w}, where size is {h,w}. Windows that overlap are "
           "summed.",
    .shape = fold_shape, .forward = fold_forward, .grad = fold_grad,
    .attr_bytes = sizeof(fold_attr),
    .samples = {"2,8,6; size={3,4}, kernel=2",
                "1,6,21; size={5,4}, kernel={3,2}, stride={2,1}, padding={1,2}",
                "1,4,15; size={5,6}, kernel=2, dilation={2,3}, padding={0,1}",
                "1,1,1; size=1, kernel=1, stride=3", "0,8,4; size=3, kernel=2",
                "1,1,9; size=2, kernel=1, padding=2, stride=2"}};

const lg_op *const lgi_ops_unfold[] = {&lgi_op_unfold, &lgi_op_fold, NULL};
