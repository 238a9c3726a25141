/* scan.c - sums up to each place of an axis, and products over axes. */
#include "kernel/copy.h"
#include "kernel/scan.h"
#include "op/op.h"

#include <string.h>

extern const lg_op lgi_op_cumsum, lgi_op_narrow, lgi_op_cat, lgi_op_permute;
extern const lg_op lgi_op_reshape;

/* cumsum: its transpose is the sum from the other end */

typedef struct cumsum_attr { int64_t dim, reverse; } cumsum_attr;

static lg_status cumsum_shape(lg_engine *E, lgi_node *n)
{
    cumsum_attr *t = n->attr;
    if (lgi_need_axis(E, n, "dim", &t->dim, n->in[0]->ndim) < 0)
        return E->status;
    return lgi_same_shape(E, n);
}

static void cumsum_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const cumsum_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    int dim = (int)t->dim;
    (void)workspace;
    lgi_running_sums(E, t->reverse, x->data, n->out->data,
                     lgi_product_of(x->dim, dim - 1), x->dim[dim - 1],
                     lgi_product_of(x->dim + dim, x->ndim - dim));
}

static lg_status cumsum_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    const cumsum_attr *t = n->attr;
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_cumsum, g[0],
                            &(cumsum_attr){t->dim, !t->reverse});
    return E->status;
}

const lg_op lgi_op_cumsum = {
    .name = "cumsum", .args = "x, dim: whole, reverse: flag = false",
    .doc = "At each index of the axis dim the sum of x up to there, or from there on if "
           "reverse is true. The result has the shape of x.",
    .shape = cumsum_shape, .forward = cumsum_forward, .grad = cumsum_grad,
    .attr_bytes = sizeof(cumsum_attr),
    .samples = {"2,3; dim=2", "2,3; dim=1", "2,3,2; dim=-2, reverse=true", "1; dim=1",
                "0,3; dim=2", "2,0; dim=2", "2,1,3,1,2; dim=3"}};

/* prod */

typedef struct prod_attr { lgi_list dims; int64_t keepdim; } prod_attr;

/* The axes of x, from 1: those that stay, then those that go. Returns how many stay. */
static int prod_order(const lgi_node *n, lgi_list *order)
{
    const prod_attr *t = n->attr;
    int ndim = n->in[0]->ndim, kept = 0;
    int64_t next = 0, gone = ndim - t->dims.n;
    order->n = ndim;
    for (int i = 0; i < ndim; i++)
        if (next < t->dims.n && t->dims.at[next] == i + 1)
            order->at[gone + next++] = i + 1;
        else
            order->at[kept++] = i + 1;
    return kept;
}

/* x with its axes in that order, without numbers. */
static lg_tensor prod_ordered(const lgi_node *n, const lgi_list *order)
{
    lg_tensor t = {.ndim = n->in[0]->ndim, .numel = n->in[0]->numel};
    for (int i = 0; i < t.ndim; i++)
        t.dim[i] = n->in[0]->dim[order->at[i] - 1];
    return t;
}

static bool prod_is_ordered(const lgi_list *order)
{
    bool ordered = true;
    for (int i = 1; i < order->n; i++)
        ordered &= order->at[i] > order->at[i - 1];
    return ordered;
}

static lg_status prod_shape(lg_engine *E, lgi_node *n)
{
    prod_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM], next = 0;
    int ndim = 0;
    if (lgi_need_axes(E, n, "dims", &t->dims, x->ndim) < 0)
        return E->status;
    for (int i = 0; i < x->ndim; i++) {
        bool named = next < t->dims.n && t->dims.at[next] == i + 1;
        next += named;
        if (!named)
            dim[ndim++] = x->dim[i];
        else if (t->keepdim)
            dim[ndim++] = 1;
    }
    return lgi_set_dims(n->out, ndim, dim);
}

static size_t prod_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_list order;
    (void)E;
    prod_order(n, &order);
    return prod_is_ordered(&order) ? 0 : (size_t)n->in[0]->numel * sizeof(lg_real);
}

static void prod_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *x = n->in[0];
    lgi_list order;
    int kept = prod_order(n, &order), axes[LG_MAX_DIM];
    lg_tensor t = prod_ordered(n, &order);
    const lg_real *from = x->data;
    if (!prod_is_ordered(&order)) {
        for (int i = 0; i < t.ndim; i++)
            axes[i] = (int)order.at[i] - 1;
        t.data = workspace;
        lgi_permute(E, &t, x, axes);
        from = workspace;
    }
    lgi_row_products(E, from, n->out->data, n->out->numel,
                     lgi_product_of(t.dim + kept, t.ndim - kept));
}

static lg_tensor *prod_part(lg_engine *E, lg_tensor *x, int64_t start, int64_t length)
{
    return lgi_apply1(E, &lgi_op_narrow, x, (int64_t[]){2, start, length});
}

static lg_tensor *prod_join(lg_engine *E, lg_tensor *a, lg_tensor *b)
{
    return lgi_apply2(E, &lgi_op_cat, a, b, (int64_t[]){2});
}

static lg_tensor *prod_ones(lg_engine *E, int64_t rows)
{
    return lg_full(E, 2, (int64_t[]){rows, 1}, 1);
}

/*
 * For each number of x, rows,n, the product of the others in its row: halves are
 * multiplied with each other until one column is left, and on the way back each half gets
 * the product of what is outside of it, times the other half. No number is divided by, so
 * zeros are as good as others, in any order of derivative; and the work is that of a few
 * products.
 */
static lg_tensor *products_of_others(lg_engine *E, lg_tensor *x)
{
    enum { LEVELS = 42 };              /* n is below 2^41 */
    lg_tensor *half[LEVELS][2] = {{0}};
    int64_t size[LEVELS], rows = x->dim[0];
    int levels = 0;
    for (; x && x->dim[1] > 1; levels++) {
        int64_t n = size[levels] = x->dim[1], k = (n + 1) / 2;
        if (n % 2)
            x = prod_join(E, x, prod_ones(E, rows));
        half[levels][0] = prod_part(E, x, 1, k);
        half[levels][1] = prod_part(E, x, k + 1, k);
        x = lgi_mul(E, half[levels][0], half[levels][1]);
    }
    lg_tensor *outside = prod_ones(E, rows);
    while (levels-- > 0) {
        outside = prod_join(E, lgi_mul(E, outside, half[levels][1]),
                            lgi_mul(E, outside, half[levels][0]));
        if (size[levels] % 2)
            outside = prod_part(E, outside, 1, size[levels]);
    }
    return outside;
}

static lg_status prod_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0];
    if (!wanted[0] || x->numel == 0)
        return E->status;
    lgi_list order, inverse = {.n = x->ndim};
    prod_order(n, &order);
    lg_tensor ordered = prod_ordered(n, &order);
    lgi_list rows = {2, {n->out->numel, x->numel / n->out->numel}};
    lgi_list column = {2, {n->out->numel, 1}};
    for (int i = 0; i < x->ndim; i++)
        inverse.at[order.at[i] - 1] = i + 1;

    lg_tensor *t = lgi_apply1(E, &lgi_op_permute, x, &order);
    t = lgi_apply1(E, &lgi_op_reshape, t, &rows);
    t = t ? products_of_others(E, t) : NULL;
    t = lgi_mul(E, t, lgi_apply1(E, &lgi_op_reshape, g[0], &column));
    t = lgi_reshape_to(E, t, &ordered);
    out[0] = lgi_apply1(E, &lgi_op_permute, t, &inverse);
    return E->status;
}

const lg_op lgi_op_prod = {
    .name = "prod", .args = "x, dims: list = {}, keepdim: flag = false",
    .doc = "The product over the axes dims, or all if none are named. The axes go, or "
           "stay with size 1 if keepdim is true. Its gradients are right where numbers "
           "are 0, too.",
    .shape = prod_shape, .workspace = prod_workspace, .forward = prod_forward,
    .grad = prod_grad, .needs = LGI_IN(0), .attr_bytes = sizeof(prod_attr),
    .samples = {"2,3", "3,2; dims=1", "2,5; dims=-1, keepdim=true", "-", "2,0; dims=2",
                "2,1,3,2,2; dims={1,4}", "3,1,2; dims={2}"}};

const lg_op *const lgi_ops_scan[] = {&lgi_op_cumsum, &lgi_op_prod, NULL};
