/*
 * matmul.c - products of matrices.
 *
 * Vectors are matrices of one row (on the left) or one column (on the right), whose axis
 * the result doesn't have. Where only rows are stacked (x of linear, or a batch times one
 * matrix), the stack is one tall matrix: one product, and one for each gradient, instead
 * of a sum over the batch.
 */
#include "kernel/gemm.h"
#include "op/op.h"

#include <string.h>

extern const lg_op lgi_op_matmul, lgi_op_reshape;

typedef struct matmul_attr { int64_t ta, tb; } matmul_attr;

/* The last two axes as stored, with the one that a vector lacks. */
typedef struct matrix_dims { int64_t rows, cols; } matrix_dims;

static matrix_dims left_dims(const lg_tensor *a)
{
    return a->ndim == 1 ? (matrix_dims){1, a->dim[0]}
                        : (matrix_dims){a->dim[a->ndim - 2], a->dim[a->ndim - 1]};
}

static matrix_dims right_dims(const lg_tensor *b)
{
    return b->ndim == 1 ? (matrix_dims){b->dim[0], 1} : left_dims(b);
}

static int batch_axes(const lg_tensor *t) { return t->ndim > 2 ? t->ndim - 2 : 0; }

static lg_status matmul_misfit(lg_engine *E, const lgi_node *n, int64_t left,
                               int64_t right)
{
    const matmul_attr *attr = n->attr;
    return lgi_fail(E, LG_ESHAPE, "%s: %s%s by %s%s: a has %lld columns and b %lld rows, "
                    "which must be the same number", n->op->name, LGI_SHAPE(n->in[0]),
                    attr->ta ? " transposed" : "", LGI_SHAPE(n->in[1]),
                    attr->tb ? " transposed" : "", (long long)left, (long long)right);
}

static lg_status check_matmul(lg_engine *E, const lgi_node *n)
{
    const matmul_attr *attr = n->attr;
    for (int i = 0; i < 2; i++) {
        const lg_tensor *x = n->in[i];
        bool transposed = i ? attr->tb : attr->ta;
        if (x->ndim == 0)
            return lgi_fail(E, LG_ESHAPE, "%s: %s must have an axis, and has none; "
                            "multiply by a number with *", n->op->name, i ? "b" : "a");
        if (x->ndim == 1 && transposed)
            return lgi_fail(E, LG_ESHAPE, "%s: transpose_%s needs two axes, and %s is %s",
                            n->op->name, i ? "b" : "a", i ? "b" : "a", LGI_SHAPE(x));
    }
    return LG_OK;
}

static lg_status matmul_shape(lg_engine *E, lgi_node *n)
{
    const matmul_attr *attr = n->attr;
    const lg_tensor *a = n->in[0], *b = n->in[1];
    if (check_matmul(E, n) < 0)
        return E->status;
    matrix_dims l = left_dims(a), r = right_dims(b);
    int64_t inner = attr->ta ? l.rows : l.cols, other = attr->tb ? r.cols : r.rows;
    if (inner != other)
        return matmul_misfit(E, n, inner, other);

    lg_tensor left = {.ndim = batch_axes(a)}, right = {.ndim = batch_axes(b)};
    int64_t dim[LG_MAX_DIM];
    int ndim;
    memcpy(left.dim, a->dim, sizeof left.dim);
    memcpy(right.dim, b->dim, sizeof right.dim);
    if (!lgi_broadcast_dims(&left, &right, &ndim, dim))
        return lgi_fail(E, LG_ESHAPE, "%s: the batches of %s and %s do not fit: the axes "
                        "before the last two, aligned at their end, must be equal or 1",
                        n->op->name, LGI_SHAPE(a), LGI_SHAPE(b));
    if (a->ndim > 1)
        dim[ndim++] = attr->ta ? l.cols : l.rows;
    if (b->ndim > 1)
        dim[ndim++] = attr->tb ? r.rows : r.cols;
    return lgi_set_dims(n->out, ndim, dim);
}

/* The step of t's batch axis that is axis d of the result's ndim: 0 where broadcast. */
static int64_t batch_step(const lg_tensor *t, int ndim, int d)
{
    int own = batch_axes(t), axis = d - (ndim - own);
    if (axis < 0 || t->dim[axis] == 1)
        return 0;
    return lgi_product_of(t->dim + axis + 1, t->ndim - axis - 1);
}

/* What the kernel is to do; false: one product, no batch. */
static bool product_of_node(const lgi_node *n, lgi_product *p, lgi_batch *batch)
{
    const matmul_attr *attr = n->attr;
    const lg_tensor *a = n->in[0], *b = n->in[1], *y = n->out;
    matrix_dims l = left_dims(a), r = right_dims(b);
    *p = (lgi_product){
        .m = attr->ta ? l.cols : l.rows, .n = attr->tb ? r.rows : r.cols,
        .k = attr->ta ? l.rows : l.cols, .a = a->data, .lda = l.cols, .b = b->data,
        .ldb = r.cols, .c = y->data, .ta = attr->ta, .tb = attr->tb};
    p->ldc = p->n;
    int own = batch_axes(a), other = batch_axes(b);
    memset(batch, 0, sizeof *batch);
    batch->ndim = own > other ? own : other;
    batch->n = lgi_product_of(y->dim, batch->ndim);
    if (other == 0 && !p->ta) {
        p->m *= batch->n;              /* one tall matrix */
        return false;
    }
    for (int d = 0; d < batch->ndim; d++) {
        batch->dim[d] = y->dim[d];
        batch->a[d] = batch_step(a, batch->ndim, d);
        batch->b[d] = batch_step(b, batch->ndim, d);
    }
    return batch->n != 1;
}

static size_t matmul_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_product p;
    lgi_batch batch;
    bool many = product_of_node(n, &p, &batch);
    return lgi_gemm_scratch(E, &p, many ? &batch : NULL);
}

static void matmul_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_product p;
    lgi_batch batch;
    bool many = product_of_node(n, &p, &batch);
    lgi_gemm(E, &p, many ? &batch : NULL, workspace);
}

static double matmul_flops(const lgi_node *n)
{
    const matmul_attr *attr = n->attr;
    matrix_dims l = left_dims(n->in[0]);
    return 2 * (double)n->out->numel * (double)(attr->ta ? l.rows : l.cols);
}

static lg_tensor *as_dims(lg_engine *E, lg_tensor *x, int ndim, const int64_t *dim)
{
    lgi_list dims = {.n = ndim};
    memcpy(dims.at, dim, (size_t)ndim * sizeof *dim);
    return lgi_apply1(E, &lgi_op_reshape, x, &dims);
}

static lg_tensor *as_matrix(lg_engine *E, lg_tensor *x, int64_t rows, int64_t cols)
{
    return as_dims(E, x, 2, (int64_t[]){rows, cols});
}

/* Both gradients, where a, b and g, the gradient for a b, are matrices or batches. */
static lg_status matrix_grads(lg_engine *E, const matmul_attr *t, lg_tensor *a,
                              lg_tensor *b, lg_tensor *g, const bool *wanted,
                              lg_tensor **out)
{
    if (wanted[0])
        out[0] = t->ta ? lgi_matmul(E, b, g, t->tb, true)
                       : lgi_matmul(E, g, b, false, !t->tb);
    if (wanted[1])
        out[1] = t->tb ? lgi_matmul(E, g, a, true, t->ta)
                       : lgi_matmul(E, a, g, !t->ta, false);
    return E->status;
}

/* g with the axes that vectors lack. */
static lg_tensor *full_gradient(lg_engine *E, const lgi_node *n, lg_tensor *g)
{
    int64_t dim[LG_MAX_DIM + 2];
    bool row = n->in[0]->ndim == 1, column = n->in[1]->ndim == 1;
    if (!row && !column)
        return g;
    int ndim = n->out->ndim - !row - !column;
    memcpy(dim, n->out->dim, (size_t)ndim * sizeof *dim);
    dim[ndim] = row ? 1 : n->out->dim[ndim];
    dim[ndim + 1] = column ? 1 : n->out->dim[n->out->ndim - 1];
    return as_dims(E, g, ndim + 2, dim);
}

static lg_status matmul_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    const matmul_attr *attr = n->attr;
    lg_tensor *a = n->in[0], *b = n->in[1], *gy = full_gradient(E, n, g[0]);
    matrix_dims l = left_dims(a), r = right_dims(b);
    if (a->ndim == 1)
        a = as_matrix(E, a, 1, l.cols);
    if (b->ndim == 1)
        b = as_matrix(E, b, r.rows, 1);
    if (!a || !b || !gy)
        return E->status;
    if (a->ndim > 2 && b->ndim == 2 && !attr->ta) {    /* one tall matrix */
        int64_t rows = lgi_product_of(a->dim, a->ndim - 1);
        a = as_matrix(E, a, rows, l.cols);
        gy = as_matrix(E, gy, rows, gy->dim[gy->ndim - 1]);
    }
    matrix_grads(E, attr, a, b, gy, wanted, out);
    if (out[0] && a != n->in[0] && n->in[0]->ndim > 1)
        out[0] = lgi_reshape_to(E, out[0], n->in[0]);
    if (out[1] && n->in[1]->ndim == 1)                 /* its last axis, of 1, goes */
        out[1] = as_dims(E, out[1], out[1]->ndim - 1, out[1]->dim);
    return E->status;
}

const lg_op lgi_op_matmul = {
    .name = "matmul",
    .args = "a, b, transpose_a: flag = false, transpose_b: flag = false",
    .doc = "The product of matrices a {...,m,k} and b {...,k,n}: {...,m,n}. Axes before "
           "the last two are a batch and broadcast. A vector a counts as a row, a vector "
           "b as a column, and the result lacks that axis. transpose_a: a is kept as "
           "{...,k,m}; transpose_b: b is kept as {...,n,k}.",
    .shape = matmul_shape, .workspace = matmul_workspace, .forward = matmul_forward,
    .grad = matmul_grad, .needs = LGI_IN(0) | LGI_IN(1), .flops = matmul_flops,
    .attr_bytes = sizeof(matmul_attr),
    .samples = {"2,3; 3,4", "3,2; 4,3; transpose_a=true, transpose_b=true",
                "2,1,2,3; 2,4,3; transpose_b=true", "2,3,2; 3,4; transpose_a=true",
                "3; 2,3,2", "2,2,3; 3", "2,2,3; 3,2", "3; 3"}};

/* linear */

static lg_status linear_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0], *w = n->in[1], *b = n->in[2];
    int64_t dim[LG_MAX_DIM];
    if (lgi_need_ndim(E, n, 1, 2, "out,in") < 0)
        return E->status;
    if (x->ndim == 0 || x->dim[x->ndim - 1] != w->dim[1])
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s and w is %s (out,in): the last axis "
                        "of x must have %lld numbers", n->op->name, LGI_SHAPE(x),
                        LGI_SHAPE(w),
                        (long long)w->dim[1]);
    if (b && (b->ndim != 1 || b->dim[0] != w->dim[0]))
        return lgi_fail(E, LG_ESHAPE, "%s: b must be {%lld}, a number for each row of w "
                        "%s, and is %s", n->op->name, (long long)w->dim[0], LGI_SHAPE(w),
                        LGI_SHAPE(b));
    memcpy(dim, x->dim, sizeof dim);
    dim[x->ndim - 1] = w->dim[0];
    return lgi_set_dims(n->out, x->ndim, dim);
}

static int64_t rows_of(const lg_tensor *x) { return lgi_product_of(x->dim, x->ndim - 1); }

static lgi_product linear_product(const lgi_node *n)
{
    const lg_tensor *x = n->in[0], *w = n->in[1];
    return (lgi_product){.m = rows_of(x), .n = w->dim[0], .k = w->dim[1], .a = x->data,
                         .lda = w->dim[1], .b = w->data, .ldb = w->dim[1], .tb = true,
                         .c = n->out->data, .ldc = w->dim[0],
                         .bias = n->in[2] ? n->in[2]->data : NULL};
}

static size_t linear_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_product p = linear_product(n);
    return lgi_gemm_scratch(E, &p, NULL);
}

static void linear_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_product p = linear_product(n);
    lgi_gemm(E, &p, NULL, workspace);
}

static lg_status linear_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *w = n->in[1];
    int64_t rows = rows_of(x);
    lg_tensor *gy = as_matrix(E, g[0], rows, w->dim[0]);
    if (wanted[0])
        out[0] = lgi_reshape_to(E, lgi_matmul(E, gy, w, false, false), x);
    if (wanted[1])
        out[1] = lgi_matmul(E, gy, as_matrix(E, x, rows, w->dim[1]), true, false);
    if (wanted[2])
        out[2] = g[0];                 /* the walk sums it */
    return E->status;
}

static double linear_flops(const lgi_node *n)
{
    return 2 * (double)n->out->numel * (double)n->in[1]->dim[1];
}

const lg_op lgi_op_linear = {
    .name = "linear", .args = "x, w, b?",
    .doc = "x w^T + b: x {...,in}, w {out,in} and b {out} give {...,out}.",
    .shape = linear_shape, .workspace = linear_workspace, .forward = linear_forward,
    .grad = linear_grad, .needs = LGI_IN(0) | LGI_IN(1), .flops = linear_flops,
    .samples = {"2,3; 4,3; 4", "2,3; 4,3", "2,2,3; 1,3; 1", "3; 2,3; 2", "0,3; 2,3; 2",
                "2,3; 4,3; none"}};

const lg_op *const lgi_ops_matmul[] = {&lgi_op_matmul, &lgi_op_linear, NULL};
