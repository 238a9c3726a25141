/*
 * shape.c - the same numbers in another shape: views, which share the buffer.
 *
 * Numbers are row-major, so a view costs nothing; its gradient is a view of the gradient.
 */
#include "op/op.h"

#include <string.h>

static lg_status view_as(lgi_node *n, int ndim, const int64_t *dim)
{
    if (lgi_set_dims(n->out, ndim, dim) < 0)
        return n->out->engine->status;
    lgi_share(n->out, n->in[0], 0);
    return LG_OK;
}

static lg_status view_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_reshape_to(E, g[0], n->in[0]);
    return E->status;
}

/* reshape */

static lg_status cannot_reshape(lg_engine *E, const lgi_node *n, const lgi_list *dims)
{
    char text[LGI_SHAPE_TEXT];
    int ndim = dims->n < LG_MAX_DIM ? (int)dims->n : LG_MAX_DIM;
    return lgi_fail(E, LG_ESHAPE, "%s: x is %s, %lld numbers, which do not fit dims %s; "
                    "one size may be -1, which is worked out", n->op->name,
                    LGI_SHAPE(n->in[0]),
                    (long long)n->in[0]->numel, lgi_dims(ndim, dims->at, text));
}

static lg_status reshape_shape(lg_engine *E, lgi_node *n)
{
    const lgi_list *dims = n->attr;
    int64_t known = 1, dim[LG_MAX_DIM] = {0};
    int open = -1;

    if (dims->n > LG_MAX_DIM)
        return lgi_set_dims(n->out, (int)dims->n, dims->at);   /* which refuses */
    for (int i = 0; i < dims->n; i++) {
        dim[i] = dims->at[i];
        bool fits = dim[i] >= 0 && dim[i] <= LGI_MAX_NUMEL && known <= LGI_MAX_NUMEL;
        if (dim[i] == -1 && open < 0)
            open = i;
        else if (!fits)
            return cannot_reshape(E, n, dims);
        else
            known *= dim[i];
    }
    if (open >= 0 && (known == 0 || n->in[0]->numel % known != 0))
        return cannot_reshape(E, n, dims);
    if (open >= 0)
        dim[open] = n->in[0]->numel / known;
    else if (known != n->in[0]->numel)
        return cannot_reshape(E, n, dims);
    return view_as(n, (int)dims->n, dim);
}

const lg_op lgi_op_reshape = {
    .name = "reshape", .args = "x, dims: list",
    .doc = "The same numbers, in row-major order, with the sizes dims. One of them may "
           "be -1: it is worked out from the others. Shares the numbers of x.",
    .shape = reshape_shape, .grad = view_grad, .attr_bytes = sizeof(lgi_list),
    .samples = {"2,3; dims={3,2}", "2,3; dims={-1}", "-; dims={1,1}", "1; dims={}",
                "0,3; dims={3,0}", "2,1,3,1,2; dims={4,-1}"}};

/* flatten */

typedef struct flatten_attr { int64_t start, end; } flatten_attr;

static lg_status flatten_shape(lg_engine *E, lgi_node *n)
{
    flatten_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    if (x->ndim == 0)
        return view_as(n, 1, (int64_t[]){1});
    if (lgi_need_axis(E, n, "start", &t->start, x->ndim) < 0
        || lgi_need_axis(E, n, "end", &t->end, x->ndim) < 0)
        return E->status;
    if (t->start > t->end)
        return lgi_fail(E, LG_EARG, "%s: start is axis %lld and end is axis %lld; start "
                        "must not come after end", n->op->name, (long long)t->start,
                        (long long)t->end);
    int before = (int)t->start - 1, merged = (int)(t->end - t->start) + 1;
    int after = x->ndim - (int)t->end;
    memcpy(dim, x->dim, sizeof dim);
    dim[before] = lgi_product_of(x->dim + before, merged);
    memcpy(dim + before + 1, x->dim + t->end, (size_t)after * sizeof *dim);
    return view_as(n, before + 1 + after, dim);
}

const lg_op lgi_op_flatten = {
    .name = "flatten", .args = "x, start: whole = 2, end: whole = -1",
    .doc = "x with the axes start .. end merged into one. The defaults keep axis 1, the "
           "batch, as PyTorch's layer Flatten does: {n,c,h,w} becomes {n,c*h*w}. A "
           "tensor without axes becomes {1}. Shares the numbers of x.",
    .shape = flatten_shape, .grad = view_grad, .attr_bytes = sizeof(flatten_attr),
    .samples = {"2,3", "2,3,2", "2,3,2; start=1", "2,3,2,1,2; start=2, end=-2", "-",
                "0,3,2", "3; start=1"}};

/* squeeze, unsqueeze */

static lg_status squeeze_shape(lg_engine *E, lgi_node *n)
{
    lgi_list *dims = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    int ndim = 0, next = 0;
    if (lgi_need_axes(E, n, "dims", dims, x->ndim) < 0)
        return E->status;
    for (int i = 0; i < x->ndim; i++) {
        bool named = next < dims->n && dims->at[next] == i + 1;
        next += named;
        if (!named || x->dim[i] != 1)
            dim[ndim++] = x->dim[i];
    }
    return view_as(n, ndim, dim);
}

const lg_op lgi_op_squeeze = {
    .name = "squeeze", .args = "x, dims: list = {}",
    .doc = "x without those of the axes dims that have size 1; without any of that size "
           "if none are named. Shares the numbers of x.",
    .shape = squeeze_shape, .grad = view_grad, .attr_bytes = sizeof(lgi_list),
    .samples = {"2,1,3", "2,1,3; dims=2", "1,2,1; dims=-1", "2,3; dims=1", "-", "0,1",
                "1,2,1,2,1"}};

static lg_status unsqueeze_shape(lg_engine *E, lgi_node *n)
{
    int64_t *at = n->attr, dim[LG_MAX_DIM + 1];
    const lg_tensor *x = n->in[0];
    if (lgi_need_axis(E, n, "dim", at, x->ndim + 1) < 0)
        return E->status;
    for (int i = 0; i <= x->ndim; i++)
        dim[i] = i + 1 < *at ? x->dim[i] : i + 1 == *at ? 1 : x->dim[i - 1];
    return view_as(n, x->ndim + 1, dim);
}

const lg_op lgi_op_unsqueeze = {
    .name = "unsqueeze", .args = "x, dim: whole",
    .doc = "x with one more axis, of size 1, which is axis dim of the result. Shares the "
           "numbers of x.",
    .shape = unsqueeze_shape, .grad = view_grad, .attr_bytes = sizeof(int64_t),
    .samples = {"2,3; dim=1", "2,3; dim=-1", "2,3; dim=2", "-; dim=1", "0,3; dim=3",
                "2,1,2,1,2; dim=4"}};

const lg_op *const lgi_ops_shape[] = {
    &lgi_op_reshape, &lgi_op_flatten, &lgi_op_squeeze, &lgi_op_unsqueeze, NULL};
