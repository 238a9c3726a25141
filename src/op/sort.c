/*
 * sort.c - numbers in order along an axis, the first of them, and the place of one.
 *
 * Places count from 1 and are numbers of a tensor, so an axis may be only as long as such
 * a number is exact. Ties, and NaN as the greatest, are PyTorch's; the order is stable.
 */
#include "kernel/sort.h"
#include "op/op.h"

#include <string.h>

extern const lg_op lgi_op_gather_back;

/* 2^24 for float, beyond which whole numbers are not exact. */
static const int64_t most_places = (int64_t)1 << (sizeof(lg_real) == 4 ? 24 : 53);

static lg_status check_places(lg_engine *E, const lgi_node *n, int64_t size)
{
    if (size <= most_places)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: x is %s; of more than %lld numbers in a line the "
                    "indices would not be exact", n->op->name, LGI_SHAPE(n->in[0]),
                    (long long)most_places);
}

/* sort, topk */

typedef struct sort_attr { int64_t dim, descending; } sort_attr;
typedef struct topk_attr { int64_t k, dim, largest; } topk_attr;

static lgi_lines lines_of(const lg_tensor *x, int64_t dim, int64_t keep, bool descending)
{
    return (lgi_lines){lgi_product_of(x->dim, (int)dim - 1), x->dim[dim - 1],
                       lgi_product_of(x->dim + dim, x->ndim - (int)dim), keep,
                       descending};
}

static lgi_lines sort_lines_of(const lgi_node *n)
{
    const sort_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    return lines_of(x, t->dim, x->dim[t->dim - 1], t->descending);
}

static lgi_lines topk_lines_of(const lgi_node *n)
{
    const topk_attr *t = n->attr;
    return lines_of(n->in[0], t->dim, t->k, t->largest);
}

static lg_status sort_shape(lg_engine *E, lgi_node *n)
{
    sort_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    if (lgi_need_axis(E, n, "dim", &t->dim, x->ndim) < 0
        || check_places(E, n, x->dim[t->dim - 1]) < 0
        || lgi_like(n->out, x) < 0)
        return E->status;
    return lgi_like(n->out + 1, x);
}

static lg_status topk_shape(lg_engine *E, lgi_node *n)
{
    topk_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    if (lgi_need_axis(E, n, "dim", &t->dim, x->ndim) < 0
        || lgi_need_whole(E, n, "k", t->k, 0, x->dim[t->dim - 1]) < 0
        || check_places(E, n, x->dim[t->dim - 1]) < 0)
        return E->status;
    memcpy(dim, x->dim, sizeof dim);
    dim[t->dim - 1] = t->k;
    if (lgi_set_dims(n->out, x->ndim, dim) < 0)
        return E->status;
    return lgi_set_dims(n->out + 1, x->ndim, dim);
}

static size_t sort_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_lines l = sort_lines_of(n);
    return lgi_sort_bytes(E, &l);
}

static size_t topk_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_lines l = topk_lines_of(n);
    return lgi_sort_bytes(E, &l);
}

static void sort_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_lines l = sort_lines_of(n);
    lgi_sort_lines(E, &l, n->in[0]->data, n->out[0].data, n->out[1].data, workspace);
}

static void topk_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_lines l = topk_lines_of(n);
    lgi_sort_lines(E, &l, n->in[0]->data, n->out[0].data, n->out[1].data, workspace);
}

/* Back to the places that the values came from. */
static lg_tensor *put_back(lg_engine *E, const lgi_node *n, lg_tensor *g, int64_t dim)
{
    const lg_tensor *x = n->in[0];
    struct { int64_t dim; lgi_list dims; } back = {dim, {.n = x->ndim}};
    memcpy(back.dims.at, x->dim, (size_t)x->ndim * sizeof *x->dim);
    return lgi_apply2(E, &lgi_op_gather_back, g, &n->out[1], &back);
}

static lg_status sort_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    const sort_attr *t = n->attr;
    if (wanted[0] && g[0])
        out[0] = put_back(E, n, g[0], t->dim);
    return E->status;
}

static lg_status topk_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    const topk_attr *t = n->attr;
    if (wanted[0] && g[0])
        out[0] = put_back(E, n, g[0], t->dim);
    return E->status;
}

static double sort_flops(const lgi_node *n) { return 16 * (double)n->in[0]->numel; }

const lg_op lgi_op_sort = {
    .name = "sort", .args = "x, dim: whole = -1, descending: flag = false",
    .results = "values, indices",
    .doc = "x in ascending or descending order along the axis dim, and where each number "
           "was, from 1. Both have the shape of x. Equal numbers keep their order; a NaN "
           "counts as the greatest.",
    .shape = sort_shape, .workspace = sort_workspace, .forward = sort_forward,
    .grad = sort_grad, .needs = LGI_OUT(1), .flops = sort_flops,
    .attr_bytes = sizeof(sort_attr),
    .samples = {"2,3 distinct", "3,2 distinct; dim=1, descending=true", "40 distinct",
                "0,3", "2,0", "1,1", "2,1,3,2,2 distinct; dim=3"}};

const lg_op lgi_op_topk = {
    .name = "topk", .args = "x, k: whole, dim: whole = -1, largest: flag = true",
    .results = "values, indices",
    .doc = "The k greatest numbers of x along the axis dim, the greatest first, and "
           "where they were, from 1; or the least, the least first. The first of equal "
           "numbers comes first; a NaN counts as the greatest.",
    .shape = topk_shape, .workspace = topk_workspace, .forward = topk_forward,
    .grad = topk_grad, .needs = LGI_OUT(1), .flops = sort_flops,
    .attr_bytes = sizeof(topk_attr),
    .samples = {"2,5 distinct; k=2", "4,2 distinct; k=3, dim=1, largest=false",
                "40 distinct; k=35", "2,3; k=0", "0,3; k=2", "1; k=1",
                "2,1,3,2,2 distinct; k=2, dim=3"}};

/* argmax, argmin */

typedef struct argmax_attr { lgi_list dim; int64_t keepdim; } argmax_attr;

static lg_status argmax_shape(lg_engine *E, lgi_node *n)
{
    argmax_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM], size = x->numel;
    int ndim = 0;
    if (t->dim.n > 1)
        return lgi_fail(E, LG_EARG, "%s: dim names %lld axes; it takes one, or none for "
                        "all numbers", n->op->name, (long long)t->dim.n);
    if (t->dim.n) {
        if (lgi_need_axis(E, n, "dim", &t->dim.at[0], x->ndim) < 0)
            return E->status;
        size = x->dim[t->dim.at[0] - 1];
    }
    for (int i = 0; i < x->ndim; i++)
        if (t->dim.n && t->dim.at[0] != i + 1)
            dim[ndim++] = x->dim[i];
        else if (t->keepdim)
            dim[ndim++] = 1;
    if (lgi_set_dims(n->out, ndim, dim) < 0)
        return E->status;
    if (size == 0 && n->out->numel)
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s, and the axis to search is empty: it "
                        "has no greatest or least number", n->op->name, LGI_SHAPE(x));
    return check_places(E, n, size);
}

static void find_places(lg_engine *E, const lgi_node *n, bool greatest)
{
    const argmax_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    lgi_lines l = {1, x->numel, 1, 0, greatest};
    if (t->dim.n)
        l = lines_of(x, t->dim.at[0], 0, greatest);
    lgi_find_extremes(E, &l, x->data, n->out->data);
}

static void argmax_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    find_places(E, n, true);
}

static void argmin_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    find_places(E, n, false);
}

#define ARGMAX_ARGS "x, dim: list = {}, keepdim: flag = false"
#define ARGMAX_DOC " along the axis dim, or of all of x in row-major order if dim is "  \
    "not given; from 1. The first of equal numbers; the first NaN, if there is one. "   \
    "The axes searched go, or stay with size 1 if keepdim is true."
#define ARGMAX_SAMPLES "2,3 distinct", "2,3 distinct; dim=1", "-", "0,3; dim=2",        \
                       "1,3 distinct; dim=-1, keepdim=true", "2,1,3,2,2 distinct; dim=3"

const lg_op lgi_op_argmax = {
    .name = "argmax", .args = ARGMAX_ARGS, .doc = "The place of the greatest number"
    ARGMAX_DOC, .shape = argmax_shape, .forward = argmax_forward, .grad = LG_ZERO,
    .attr_bytes = sizeof(argmax_attr), .samples = {ARGMAX_SAMPLES}};

const lg_op lgi_op_argmin = {
    .name = "argmin", .args = ARGMAX_ARGS, .doc = "The place of the least number"
    ARGMAX_DOC, .shape = argmax_shape, .forward = argmin_forward, .grad = LG_ZERO,
    .attr_bytes = sizeof(argmax_attr), .samples = {ARGMAX_SAMPLES}};

const lg_op *const lgi_ops_sort[] = {
    &lgi_op_sort, &lgi_op_topk, &lgi_op_argmax, &lgi_op_argmin, NULL};
