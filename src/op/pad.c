/*
 * pad.c - numbers around a tensor: constant, or repeating those at its edges.
 *
 * pad is in PyTorch's order: before and after the last axis, then the one before it. The
 * transpose of a constant pad is the pad by as much less.
 */
#include "kernel/border.h"
#include "kernel/resample.h"
#include "op/op.h"

extern const lg_op lgi_op_pad, lgi_op_pad_back;

typedef enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_REPLICATE } pad_mode;

typedef struct pad_attr {
    lgi_list pad;
    int64_t mode;
    double value;
} pad_attr;

typedef struct pad_back_attr {
    lgi_list pad;
    int64_t mode;                      /* 0: reflect, 1: replicate */
} pad_back_attr;

#define PAD_MOST (LGI_MAX_NUMEL / 2)

/* Sizes with pad added, or with sign -1 taken away. */
static lg_status padded_dims(lg_engine *E, const lgi_node *n, const lgi_list *pad,
                             int64_t sign, int64_t dim[LG_MAX_DIM])
{
    const lg_tensor *x = n->in[0];
    if (pad->n % 2 != 0 || pad->n > 2 * x->ndim)
        return lgi_fail(E, LG_EARG, "%s: pad has %lld numbers; it must have two for each "
                        "axis, the last axis first, and the input is %s", n->op->name,
                        (long long)pad->n, LGI_SHAPE(x));
    for (int i = 0; i < x->ndim; i++)
        dim[i] = x->dim[i];
    for (int64_t k = 0; k < pad->n; k++) {
        if (lgi_need_whole(E, n, "pad", pad->at[k], -PAD_MOST, PAD_MOST) < 0)
            return E->status;
        dim[x->ndim - 1 - k / 2] += sign * pad->at[k];
    }
    for (int i = 0; i < x->ndim; i++)
        if (dim[i] < 0)
            return lgi_fail(E, LG_ESHAPE, "%s: axis %d of the input %s has fewer numbers "
                            "than pad takes away", n->op->name, i + 1, LGI_SHAPE(x));
    return LG_OK;
}

/* For the modes that look at the edges; dim has the sizes before they are padded. */
static lg_status check_edges(lg_engine *E, const lgi_node *n, const lgi_list *pad,
                             bool reflect, const int64_t *dim)
{
    if (pad->n > 4)
        return lgi_fail(E, LG_EARG, "%s: pad has %lld numbers; mode %s pads the last two "
                        "axes, so that it has at most 4", n->op->name, (long long)pad->n,
                        reflect ? "reflect" : "replicate");
    for (int64_t k = 0; k < pad->n; k++) {
        int axis = n->in[0]->ndim - 1 - (int)(k / 2);
        int64_t most = reflect ? dim[axis] - 1 : dim[axis] ? PAD_MOST : 0;
        if (pad->at[k] < 0 || (pad->at[k] > most && pad->at[k] > 0))
            return lgi_fail(E, LG_ESHAPE, "%s: pad is %lld before or after axis %d, "
                            "which has size %lld; with mode %s it must be from 0 to %lld",
                            n->op->name, (long long)pad->at[k], axis + 1,
                            (long long)dim[axis], reflect ? "reflect" : "replicate",
                            (long long)(most > 0 ? most : 0));
    }
    return LG_OK;
}

static lgi_axis edge_axis(const lg_tensor *x, const lg_tensor *y, int from_last,
                          const lgi_list *pad, lgi_edge edge)
{
    int i = x->ndim - 1 - from_last;
    return (lgi_axis){.from = i < 0 ? 1 : x->dim[i], .to = i < 0 ? 1 : y->dim[i],
                      .most = 1, .rule = lgi_window_rule, .kernel = 1, .stride = 1,
                      .before = 2 * from_last < pad->n ? pad->at[2 * from_last] : 0,
                      .scale = 1, .edge = edge};
}

/* From x, to y, which is padded. */
static void edge_axes(const lg_tensor *x, const lg_tensor *y, const lgi_list *pad,
                      bool reflect, lgi_axis axis[2])
{
    lgi_edge edge = reflect ? LGI_EDGE_REFLECT : LGI_EDGE_REPLICATE;
    axis[0] = edge_axis(x, y, 1, pad, edge);
    axis[1] = edge_axis(x, y, 0, pad, edge);
}

static int64_t count_planes(const lg_tensor *x)
{
    return x->numel == 0 ? 0 : lgi_product_of(x->dim, x->ndim - 2);
}

/* pad */

static lg_status pad_shape(lg_engine *E, lgi_node *n)
{
    const pad_attr *t = n->attr;
    int64_t dim[LG_MAX_DIM];
    if (padded_dims(E, n, &t->pad, 1, dim) < 0)
        return E->status;
    if (t->mode != PAD_CONSTANT
        && check_edges(E, n, &t->pad, t->mode == PAD_REFLECT, n->in[0]->dim) < 0)
        return E->status;
    return lgi_set_dims(n->out, n->in[0]->ndim, dim);
}

static size_t pad_workspace(lg_engine *E, const lgi_node *n)
{
    const pad_attr *t = n->attr;
    lgi_axis axis[2];
    if (t->mode == PAD_CONSTANT || n->out->numel == 0)
        return 0;
    edge_axes(n->in[0], n->out, &t->pad, t->mode == PAD_REFLECT, axis);
    return lgi_resample_scratch(E, axis);
}

static void pad_constant(lg_engine *E, const lgi_node *n)
{
    const pad_attr *t = n->attr;
    int64_t before[LG_MAX_DIM] = {0};
    for (int64_t k = 0; k < t->pad.n; k += 2)
        before[n->out->ndim - 1 - k / 2] = t->pad.at[k];
    lgi_set_border(E, n->in[0], n->out, before, (lg_real)t->value);
}

static void pad_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const pad_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    lgi_axis axis[2];
    if (t->mode == PAD_CONSTANT) {
        pad_constant(E, n);
    } else if (workspace) {
        edge_axes(x, n->out, &t->pad, t->mode == PAD_REFLECT, axis);
        lgi_resample(E, axis, false, count_planes(x), x->data, n->out->data, workspace);
    }
}

static lg_status pad_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    const pad_attr *t = n->attr;
    pad_attr less = {t->pad, PAD_CONSTANT, 0};
    for (int64_t k = 0; k < t->pad.n; k++)
        less.pad.at[k] = -t->pad.at[k];
    pad_back_attr back = {t->pad, t->mode - PAD_REFLECT};
    if (wanted[0])
        out[0] = t->mode == PAD_CONSTANT ? lgi_apply1(E, &lgi_op_pad, g[0], &less)
                                         : lgi_apply1(E, &lgi_op_pad_back, g[0], &back);
    return E->status;
}

const lg_op lgi_op_pad = {
    .name = "pad",
    .args = "x, pad: list, mode: constant|reflect|replicate = constant, "
            "value: number = 0",
    .doc = "x with more numbers around it. pad has how many before and after the last "
           "axis, then the axis before it, and so on: {left,right,top,bottom} for images "
           "{n,c,h,w}, as in PyTorch. They are value, or on the last two axes mirrored "
           "at the outermost (reflect), or that repeated (replicate). In mode constant a "
           "negative number takes away.",
    .shape = pad_shape, .workspace = pad_workspace, .forward = pad_forward,
    .grad = pad_grad, .attr_bytes = sizeof(pad_attr),
    .samples = {"2,3; pad={1,2,0,1}, value=0.5", "1,2,3,4; pad={3,1,2,0}, mode=reflect",
                "2,3,2; pad={2,3,1,2}, mode=replicate", "-; pad={}",
                "2,1,3,1,2; pad={1,0,0,0,-1,2}", "4; pad={-1,-2}",
                "0,3; pad={1,1,1,1}, value=2", "1,2,3,2,2; pad={0,1,1,1}, mode=reflect"}};

/* pad_back */

static lg_status pad_back_shape(lg_engine *E, lgi_node *n)
{
    const pad_back_attr *t = n->attr;
    int64_t dim[LG_MAX_DIM];
    if (padded_dims(E, n, &t->pad, -1, dim) < 0
        || check_edges(E, n, &t->pad, t->mode == 0, dim) < 0)
        return E->status;
    return lgi_set_dims(n->out, n->in[0]->ndim, dim);
}

static size_t pad_back_workspace(lg_engine *E, const lgi_node *n)
{
    const pad_back_attr *t = n->attr;
    lgi_axis axis[2];
    if (n->out->numel == 0)
        return 0;
    edge_axes(n->out, n->in[0], &t->pad, t->mode == 0, axis);
    return lgi_resample_scratch(E, axis);
}

static void pad_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const pad_back_attr *t = n->attr;
    const lg_tensor *g = n->in[0];
    lgi_axis axis[2];
    if (!workspace)
        return;
    edge_axes(n->out, g, &t->pad, t->mode == 0, axis);
    lgi_resample(E, axis, true, count_planes(g), g->data, n->out->data, workspace);
}

static lg_status pad_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    const pad_back_attr *t = n->attr;
    pad_attr forth = {t->pad, t->mode + PAD_REFLECT, 0};
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_pad, g[0], &forth);
    return E->status;
}

const lg_op lgi_op_pad_back = {
    .name = "pad_back", .args = "g, pad: list, mode: reflect|replicate = reflect",
    .doc = "The transpose of pad with mode reflect or replicate, its gradient: what was "
           "repeated is added up. g has the padded sizes.",
    .shape = pad_back_shape, .workspace = pad_back_workspace,
    .forward = pad_back_forward, .grad = pad_back_grad,
    .attr_bytes = sizeof(pad_back_attr),
    .samples = {"1,2,5,8; pad={3,1,2,0}", "2,6,7; pad={2,3,1,2}, mode=replicate",
                "3; pad={1,1}, mode=replicate", "-; pad={}",
                "1,2,3,4,3; pad={0,1,1,1}", "0,3,4; pad={1,1}"}};

const lg_op *const lgi_ops_pad[] = {&lgi_op_pad, &lgi_op_pad_back, NULL};
