/* permute.c - axes in another order, and axes repeated. These copy. */
#include "kernel/copy.h"
#include "kernel/elementwise.h"
#include "op/op.h"

#include <string.h>

extern const lg_op lgi_op_transpose, lgi_op_permute;

/* transpose */

typedef struct transpose_attr { int64_t dim1, dim2; } transpose_attr;

static lg_status transpose_shape(lg_engine *E, lgi_node *n)
{
    transpose_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    if (lgi_need_axis(E, n, "dim1", &t->dim1, x->ndim) < 0
        || lgi_need_axis(E, n, "dim2", &t->dim2, x->ndim) < 0)
        return E->status;
    memcpy(dim, x->dim, sizeof dim);
    dim[t->dim1 - 1] = x->dim[t->dim2 - 1];
    dim[t->dim2 - 1] = x->dim[t->dim1 - 1];
    return lgi_set_dims(n->out, x->ndim, dim);
}

static void transpose_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const transpose_attr *t = n->attr;
    int axes[LG_MAX_DIM];
    (void)workspace;
    for (int i = 0; i < n->in[0]->ndim; i++)
        axes[i] = i;
    axes[t->dim1 - 1] = (int)t->dim2 - 1;
    axes[t->dim2 - 1] = (int)t->dim1 - 1;
    lgi_permute(E, n->out, n->in[0], axes);
}

static lg_status transpose_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_transpose, g[0], n->attr);
    return E->status;
}

const lg_op lgi_op_transpose = {
    .name = "transpose", .args = "x, dim1: whole, dim2: whole",
    .doc = "x with the axes dim1 and dim2 exchanged: {n,m} becomes {m,n}.",
    .shape = transpose_shape, .forward = transpose_forward, .grad = transpose_grad,
    .attr_bytes = sizeof(transpose_attr),
    .samples = {"2,3; dim1=1, dim2=2", "2,3,4; dim1=-1, dim2=1", "2,3; dim1=2, dim2=2",
                "0,3; dim1=1, dim2=2", "2,1,3,1,2; dim1=3, dim2=5",
                "1,3; dim1=1, dim2=-1"}};

/* permute */

static lg_status permute_shape(lg_engine *E, lgi_node *n)
{
    lgi_list *dims = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    lgi_list order = *dims;
    if (order.n != x->ndim)
        return lgi_fail(E, LG_EARG, "%s: dims names %lld axes, but x is %s; all %d axes "
                        "of x must be named, each once", n->op->name, (long long)order.n,
                        LGI_SHAPE(x), x->ndim);
    if (lgi_need_axes(E, n, "dims", &order, x->ndim) < 0)
        return E->status;
    for (int i = 0; i < x->ndim; i++) {
        lgi_need_axis(E, n, "dims", &dims->at[i], x->ndim);
        dim[i] = x->dim[dims->at[i] - 1];
    }
    return lgi_set_dims(n->out, x->ndim, dim);
}

static void permute_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lgi_list *dims = n->attr;
    int axes[LG_MAX_DIM];
    (void)workspace;
    for (int64_t i = 0; i < dims->n; i++)
        axes[i] = (int)dims->at[i] - 1;
    lgi_permute(E, n->out, n->in[0], axes);
}

static lg_status permute_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out)
{
    const lgi_list *dims = n->attr;
    lgi_list inverse = {.n = dims->n};
    for (int64_t i = 0; i < dims->n; i++)
        inverse.at[dims->at[i] - 1] = i + 1;
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_permute, g[0], &inverse);
    return E->status;
}

const lg_op lgi_op_permute = {
    .name = "permute", .args = "x, dims: list",
    .doc = "x with its axes in another order: axis i of the result is axis dims[i] of x. "
           "dims names every axis once; {n,c,h,w} with dims {1,3,4,2} becomes {n,h,w,c}.",
    .shape = permute_shape, .forward = permute_forward, .grad = permute_grad,
    .attr_bytes = sizeof(lgi_list),
    .samples = {"2,3,4; dims={3,1,2}", "2,3; dims={2,1}", "2,3,2; dims={1,3,2}",
                "-; dims={}", "0,3; dims={2,1}", "2,1,3,1,2; dims={5,-2,3,1,2}"}};

/* expand */

static lg_status expand_shape(lg_engine *E, lgi_node *n)
{
    const lgi_list *dims = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    int more = (int)dims->n - x->ndim;
    bool fits = more >= 0 && dims->n <= LG_MAX_DIM;
    for (int i = 0; fits && i < dims->n; i++) {
        int64_t own = i < more ? 1 : x->dim[i - more];
        dim[i] = dims->at[i] == -1 && i >= more ? own : dims->at[i];
        fits = dim[i] >= 0 && (own == 1 || own == dim[i]);
    }
    if (fits)
        return lgi_set_dims(n->out, (int)dims->n, dim);
    char text[LGI_SHAPE_TEXT];
    int ndim = dims->n < LG_MAX_DIM ? (int)dims->n : LG_MAX_DIM;
    return lgi_fail(E, LG_ESHAPE, "%s: x is %s, which cannot become %s: aligned at the "
                    "last axis, only sizes of 1 can grow; -1 keeps a size", n->op->name,
                    LGI_SHAPE(x), lgi_dims(ndim, dims->at, text));
}

static void expand_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    lgi_map(E, lgi_widest_copy(E), n->out, 1, n->in, NULL);
}

static lg_status expand_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_sum_to(E, g[0], n->in[0]);
    return E->status;
}

const lg_op lgi_op_expand = {
    .name = "expand", .args = "x, dims: list",
    .doc = "x repeated along axes of size 1, and along new ones in front, so that its "
           "sizes become dims; -1 keeps a size.",
    .shape = expand_shape, .forward = expand_forward, .grad = expand_grad,
    .attr_bytes = sizeof(lgi_list),
    .samples = {"2,1; dims={2,3}", "3; dims={2,3}", "-; dims={2,2}",
                "2,1,3; dims={-1,2,-1}",
                "1,3; dims={0,3}", "2,3; dims={2,3}", "2,1,2,1,2; dims={2,3,2,2,2}"}};

const lg_op *const lgi_ops_permute[] = {
    &lgi_op_transpose, &lgi_op_permute, &lgi_op_expand, NULL};
