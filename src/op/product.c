/* product.c - products of vectors: all pairs, angles, and vectors of length 1. */
#include "kernel/elementwise.h"
#include "kernel/reduce.h"
#include "op/op.h"

#include <math.h>
#include <string.h>

extern const lg_op lgi_op_normalize, lgi_op_norm, lgi_op_maximum, lgi_op_gt;

/* outer */

static lg_status outer_shape(lg_engine *E, lgi_node *n)
{
    if (lgi_need_ndim(E, n, 0, 1, "n") < 0 || lgi_need_ndim(E, n, 1, 1, "m") < 0)
        return E->status;
    return lgi_set_shape(n->out, 2, n->in[0]->dim[0], n->in[1]->dim[0]);
}

LGI_LOOP2(outer_loop, void, a * b)

static void outer_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lg_tensor a = *n->in[0];           // n,1
    (void)workspace;
    a.ndim = 2;
    a.dim[1] = 1;
    lgi_map(E, outer_loop, n->out, 2, (lg_tensor *[]){&a, n->in[1]}, NULL);
}

static lg_status outer_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_matmul(E, g[0], n->in[1], false, false);
    if (wanted[1])
        out[1] = lgi_matmul(E, g[0], n->in[0], true, false);
    return E->status;
}

const lg_op lgi_op_outer = {
    .name = "outer", .args = "a, b",
    .doc = "The products of each number of a {n} with each of b {m}: {n,m}.",
    .shape = outer_shape, .forward = outer_forward, .grad = outer_grad,
    .needs = LGI_IN(0) | LGI_IN(1),
    .samples = {"2; 3", "1; 4", "3; 1", "0; 3", "2; 0", "1; 1"}};

/* normalize, and cosine_similarity, the scalar product of normalized vectors */

typedef struct normalize_attr {
    int64_t dim;
    double eps;
} normalize_attr;

/* Not below p; a NaN stays. */
LGI_FINISH(bounded_length, sqrt(t) < p ? p : sqrt(t))

LGI_LOOP2(normalize_loop, void, a / b)

/* What has the shape of x, but 1 along axis dim. */
static lg_tensor without_axis(const lg_tensor *x, int64_t dim)
{
    lg_tensor t = {.ndim = x->ndim};
    memcpy(t.dim, x->dim, sizeof t.dim);
    t.dim[dim - 1] = 1;
    t.numel = lgi_product_of(t.dim, t.ndim);
    return t;
}

/* Bytes of scratch for make_unit, in whole cache lines. */
static size_t product_bytes(int64_t numel)
{
    return ((size_t)numel * sizeof(lg_real) + 63) / 64 * 64;
}

static size_t unit_bytes(const lg_tensor *x, int64_t dim)
{
    lg_tensor length = without_axis(x, dim);
    return product_bytes(length.numel) + lgi_reduce_bytes(x, (lgi_axes)1 << (dim - 1));
}

/* y = x / max(|x|, eps), of one shape. */
static void make_unit(lg_engine *E, lg_tensor *x, const lg_tensor *y,
                      const normalize_attr *t, void *scratch)
{
    lg_tensor length = without_axis(x, t->dim);
    length.data = scratch;
    double *total = (double *)(void *)((char *)scratch + product_bytes(length.numel));
    lgi_reduce(E, LGI_SUM_SQUARES, x, (lgi_axes)1 << (t->dim - 1), NULL, total);
    lgi_finish_totals(E, bounded_length, t->eps, total, length.data, length.numel);
    lgi_map(E, normalize_loop, y, 2, (lg_tensor *[]){x, &length}, NULL);
}

static lg_tensor *sum_one(lg_engine *E, lg_tensor *x, int64_t dim)
{
    return x ? lgi_sum_dims(E, x, &(lgi_list){1, {dim}}, true) : NULL;
}

/* (g - y sum(g y)) / |x|, or where |x| is no more than eps, g / eps. */
static lg_tensor *unit_grad(lg_engine *E, lg_tensor *x, lg_tensor *y, lg_tensor *g,
                            const normalize_attr *t)
{
    struct { lgi_list dims; int64_t keepdim; } attr = {{1, {t->dim}}, 1};
    lg_tensor *length = lgi_apply1(E, &lgi_op_norm, x, &attr);
    lg_tensor *eps = lg_scalar(E, t->eps);
    lg_tensor *outside = lgi_apply2(E, &lgi_op_gt, length, eps, NULL);
    lg_tensor *along = lgi_mul(E, outside, sum_one(E, lgi_mul(E, g, y), t->dim));
    return lgi_div(E, lgi_sub(E, g, lgi_mul(E, y, along)),
                   lgi_apply2(E, &lgi_op_maximum, length, eps, NULL));
}

static lg_status normalize_shape(lg_engine *E, lgi_node *n)
{
    normalize_attr *t = n->attr;
    if (lgi_need_axis(E, n, "dim", &t->dim, n->in[0]->ndim) < 0
        || lgi_need_number(E, n, "eps", t->eps, 0, HUGE_VAL) < 0)
        return E->status;
    return lgi_same_shape(E, n);
}

static size_t normalize_workspace(lg_engine *E, const lgi_node *n)
{
    const normalize_attr *t = n->attr;
    (void)E;
    return unit_bytes(n->in[0], t->dim);
}

static void normalize_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    make_unit(E, n->in[0], n->out, n->attr, workspace);
}

static lg_status normalize_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = unit_grad(E, n->in[0], n->out, g[0], n->attr);
    return E->status;
}

const lg_op lgi_op_normalize = {
    .name = "normalize", .args = "x, dim: whole = 2, eps: number = 1e-12",
    .doc = "x divided by max(|x|, eps), where |x| is the 2-norm along the axis dim. The "
           "result has the shape of x.",
    .shape = normalize_shape, .workspace = normalize_workspace,
    .forward = normalize_forward, .grad = normalize_grad,
    .needs = LGI_IN(0) | LGI_OUT(0), .attr_bytes = sizeof(normalize_attr),
    .samples = {"2,3", "3,2; dim=1", "2,3,2; dim=-1", "2,3; eps=100", "2,1 away",
                "0,3", "2,0", "2,1,3,1,2; dim=3"}};

lg_tensor *lgi_normalize(lg_engine *E, lg_tensor *x, int64_t dim)
{
    return lgi_apply1(E, &lgi_op_normalize, x, &(normalize_attr){dim, 1e-12});
}

/* The shape that a and b have together. */
static lg_tensor common_shape(const lgi_node *n)
{
    lg_tensor like = {.ndim = 0};
    int ndim = 0;
    lgi_broadcast_dims(n->in[0], n->in[1], &ndim, like.dim);
    like.ndim = ndim;
    like.numel = lgi_product_of(like.dim, ndim);
    return like;
}

static lg_status cosine_shape(lg_engine *E, lgi_node *n)
{
    normalize_attr *t = n->attr;
    int64_t dim[LG_MAX_DIM];
    if (lgi_broadcast_shape(E, n) < 0)
        return E->status;
    int ndim = n->out->ndim;
    memcpy(dim, n->out->dim, sizeof dim);
    int64_t at = t->dim < 0 ? t->dim + ndim + 1 : t->dim;
    if (at < 1 || at > ndim)
        return lgi_fail(E, LG_EARG, "%s: dim is %lld, but %s and %s have %d axes "
                        "together, counted from 1, or from -1 at the end", n->op->name,
                        (long long)t->dim, LGI_SHAPE(n->in[0]), LGI_SHAPE(n->in[1]),
                        ndim);
    if (lgi_need_number(E, n, "eps", t->eps, 0, HUGE_VAL) < 0)
        return E->status;
    t->dim = at;
    memmove(dim + at - 1, dim + at, (size_t)(ndim - at) * sizeof *dim);
    return lgi_set_dims(n->out, ndim - 1, dim);
}

/* Four blocks of the common shape, of which the first two may not be needed, and what
 * make_unit and the sum take. */
static size_t cosine_workspace(lg_engine *E, const lgi_node *n)
{
    const normalize_attr *t = n->attr;
    lg_tensor like = common_shape(n);
    (void)E;
    return 4 * product_bytes(like.numel) + unit_bytes(&like, t->dim);
}

LGI_FINISH(same_total, t * p)

static void cosine_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const normalize_attr *t = n->attr;
    lg_tensor block[4], like = common_shape(n), *unit[2] = {&block[2], &block[3]};
    for (int i = 0; i < 4; i++) {
        block[i] = like;
        block[i].data = (lg_real *)(void *)((char *)workspace
                                            + (size_t)i * product_bytes(like.numel));
    }
    void *scratch = (char *)workspace + 4 * product_bytes(like.numel);
    for (int i = 0; i < 2; i++) {
        lg_tensor *x = n->in[i];
        if (!lgi_same_dims(x, &like)) {
            lgi_map(E, lgi_widest_copy(E), &block[i], 1, &x, NULL);
            x = &block[i];
        }
        make_unit(E, x, unit[i], t, scratch);
    }
    lgi_map(E, outer_loop, &block[0], 2, unit, NULL);
    lgi_reduce(E, LGI_SUM, &block[0], (lgi_axes)1 << (t->dim - 1), NULL, scratch);
    lgi_finish_totals(E, same_total, 1, scratch, n->out->data, n->out->numel);
}

static lg_status cosine_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    const normalize_attr *t = n->attr;
    lg_tensor *x[2], *unit[2], like = common_shape(n);
    for (int i = 0; i < 2; i++) {
        x[i] = lgi_expand_to(E, n->in[i], &like);
        unit[i] = lgi_apply1(E, &lgi_op_normalize, x[i], t);
    }
    lg_tensor shape = without_axis(&like, t->dim);
    lg_tensor *gy = lgi_reshape_to(E, g[0], &shape);
    for (int i = 0; i < 2; i++)
        if (wanted[i])
            out[i] = unit_grad(E, x[i], unit[i], lgi_mul(E, gy, unit[1 - i]), t);
    return E->status;
}

const lg_op lgi_op_cosine_similarity = {
    .name = "cosine_similarity", .args = "a, b, dim: whole = 2, eps: number = 1e-8",
    .doc = "The sum of products of a / max(|a|, eps) and b / max(|b|, eps) along the "
           "axis dim, which goes; |a| is the 2-norm along it. a and b broadcast first.",
    .shape = cosine_shape, .workspace = cosine_workspace, .forward = cosine_forward,
    .grad = cosine_grad, .needs = LGI_IN(0) | LGI_IN(1),
    .attr_bytes = sizeof(normalize_attr),
    .samples = {"2,3; 2,3", "3,2; 3,2; dim=1", "2,3; 3", "2,1 away; 3; dim=-1",
                "2,3; 2,3; eps=100", "0,3; 3", "2,0; 2,0", "2,1,3,1,2; 1,3,2,1; dim=3"}};

const lg_op *const lgi_ops_product[] = {
    &lgi_op_outer, &lgi_op_normalize, &lgi_op_cosine_similarity, NULL};
