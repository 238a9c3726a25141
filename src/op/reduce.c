/*
 * reduce.c - sums and their like over some axes.
 *
 * dims names the axes, all of them if it is empty. They go, or stay with size 1 under
 * keepdim. Totals are accumulated in double, in a fixed order: see kernel/reduce.h.
 */
#include "kernel/reduce.h"
#include "op/op.h"

#include <math.h>

extern const lg_op lgi_op_eq, lgi_op_square, lgi_op_div_no_nan, lgi_op_mean;

typedef struct reduce_attr {
    lgi_list dims;
    int64_t keepdim;
    double correction;                 /* of var and std only */
} reduce_attr;

static lgi_axes axes_of(const lgi_node *n)
{
    const reduce_attr *t = n->attr;
    lgi_axes axes = 0;
    for (int64_t i = 0; i < t->dims.n; i++)
        axes |= (lgi_axes)1 << (t->dims.at[i] - 1);
    return axes;
}

static int64_t count_terms(const lgi_node *n)
{
    int64_t count = 1;
    for (int i = 0; i < n->in[0]->ndim; i++)
        count *= axes_of(n) >> i & 1 ? n->in[0]->dim[i] : 1;
    return count;
}

/* The shape without the reduced axes, or with 1 in their places. */
static int reduced_dims(const lgi_node *n, bool keepdim, int64_t *dim)
{
    int ndim = 0;
    for (int i = 0; i < n->in[0]->ndim; i++)
        if (!(axes_of(n) >> i & 1))
            dim[ndim++] = n->in[0]->dim[i];
        else if (keepdim)
            dim[ndim++] = 1;
    return ndim;
}

static lg_status reduce_shape(lg_engine *E, lgi_node *n)
{
    reduce_attr *t = n->attr;
    int64_t dim[LG_MAX_DIM];
    if (lgi_need_axes(E, n, "dims", &t->dims, n->in[0]->ndim) < 0)
        return E->status;
    return lgi_set_dims(n->out, reduced_dims(n, t->keepdim, dim), dim);
}

static lg_status extremum_shape(lg_engine *E, lgi_node *n)
{
    if (reduce_shape(E, n) < 0)
        return E->status;
    if (count_terms(n) > 0 || n->out->numel == 0)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: x is %s, and an axis to reduce is empty: that has "
                    "no greatest or least number", n->op->name, LGI_SHAPE(n->in[0]));
}

static size_t reduce_workspace(lg_engine *E, const lgi_node *n)
{
    (void)E;
    return lgi_reduce_bytes(n->in[0], axes_of(n));
}

LGI_FINISH(times, t * p)
LGI_FINISH(quotient, t / p)
LGI_FINISH(root_of, sqrt(t / p))

static void total_to(lg_engine *E, const lgi_node *n, lgi_term term, lgi_finish *f,
                     double p, void *workspace)
{
    lgi_reduce(E, term, n->in[0], axes_of(n), NULL, workspace);
    lgi_finish_totals(E, f, p, workspace, n->out->data, n->out->numel);
}

static void sum_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    total_to(E, n, LGI_SUM, times, 1, workspace);
}

static void mean_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    total_to(E, n, LGI_SUM, quotient, (double)count_terms(n), workspace);
}

static void amax_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    total_to(E, n, LGI_MAX, times, 1, workspace);
}

static void amin_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    total_to(E, n, LGI_MIN, times, 1, workspace);
}

static void norm_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    total_to(E, n, LGI_SUM_SQUARES, root_of, 1, workspace);
}

/* t, which has the shape of the result, with the reduced axes back as 1. */
static lg_tensor *with_ones(lg_engine *E, const lgi_node *n, lg_tensor *t)
{
    lg_tensor like = {.ndim = 0};
    like.ndim = reduced_dims(n, true, like.dim);
    return lgi_reshape_to(E, t, &like);
}

/* And in the shape of x. */
static lg_tensor *spread(lg_engine *E, const lgi_node *n, lg_tensor *t)
{
    return lgi_expand_to(E, with_ones(E, n, t), n->in[0]);
}

static lg_status sum_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = spread(E, n, g[0]);
    return E->status;
}

static lg_status mean_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = spread(E, n, lgi_affine(E, g[0], 1 / (double)count_terms(n), 0));
    return E->status;
}

/* Equal numbers share it. */
static lg_status extreme_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out)
{
    const reduce_attr *t = n->attr;
    if (!wanted[0])
        return LG_OK;
    lg_tensor *x = n->in[0], *y = with_ones(E, n, n->out);
    lg_tensor *mask = lgi_apply2(E, &lgi_op_eq, x, y, NULL);
    lg_tensor *share = lgi_div(E, with_ones(E, n, g[0]),
                               mask ? lgi_sum_dims(E, mask, &t->dims, true) : NULL);
    out[0] = lgi_mul(E, mask, share);
    return E->status;
}

/* x / |x|, and 0 where the norm is 0. */
static lg_status norm_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    if (!wanted[0])
        return LG_OK;
    lg_tensor *share = lgi_apply2(E, &lgi_op_div_no_nan, g[0], n->out, NULL);
    out[0] = lgi_mul(E, n->in[0], with_ones(E, n, share));
    return E->status;
}

/* var and std: the mean first, then the squares of what differs from it. */

static size_t var_workspace(lg_engine *E, const lgi_node *n)
{
    return 2 * reduce_workspace(E, n);
}

/* By the count, or where there is none, as PyTorch: inf or NaN. */
LGI_FINISH(by_count, t / (p > 0 ? p : 0))
LGI_FINISH(root_by_count, sqrt(t / (p > 0 ? p : 0)))

static void deviation_to(lg_engine *E, const lgi_node *n, lgi_finish *f, double *mean)
{
    const reduce_attr *t = n->attr;
    double *total = mean + reduce_workspace(E, n) / sizeof *mean;
    double count = (double)count_terms(n);
    lgi_reduce(E, LGI_SUM, n->in[0], axes_of(n), NULL, mean);
    for (int64_t i = 0; i < n->out->numel; i++)
        mean[i] /= count;
    lgi_reduce(E, LGI_SUM_SQUARES, n->in[0], axes_of(n), mean, total);
    lgi_finish_totals(E, f, count - t->correction, total, n->out->data, n->out->numel);
}

static void var_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    deviation_to(E, n, by_count, workspace);
}

static void std_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    deviation_to(E, n, root_by_count, workspace);
}

/* g (x - mean) c, for g with ones. */
static lg_tensor *deviation_grad(lg_engine *E, const lgi_node *n, lg_tensor *g, double c)
{
    const reduce_attr *t = n->attr;
    const reduce_attr kept = {t->dims, 1, 0};
    lg_tensor *x = n->in[0];
    double count = (double)count_terms(n) - t->correction;
    double scale = c / (count > 0 ? count : 0);
    lg_tensor *d = lgi_sub(E, x, lgi_apply1(E, &lgi_op_mean, x, &kept));
    return lgi_mul(E, d, lgi_affine(E, with_ones(E, n, g), scale, 0));
}

static lg_status var_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = deviation_grad(E, n, g[0], 2);
    return E->status;
}

static lg_status std_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = deviation_grad(
            E, n, lgi_apply2(E, &lgi_op_div_no_nan, g[0], n->out, NULL), 1);
    return E->status;
}

#define REDUCE_ARGS "x, dims: list = {}, keepdim: flag = false"
#define REDUCE_AXES " over the axes dims, or all if none are named. The axes go, or " \
    "stay with size 1 if keepdim is true."
#define REDUCE_BYTES (offsetof(reduce_attr, correction))
#define REDUCE_SAMPLES "2,3", "2,3; dims=1", "2,3; dims=-1, keepdim=true", "-",         \
                       "2,0; dims=2", "2,1,3,2,2; dims={1,4}", "3,1,2; dims={2}"
#define EXTREME_SAMPLES "2,3 distinct", "2,3 distinct; dims=1", "-",                    \
                        "2,3 distinct; dims=-1, keepdim=true", "2,0; dims=1",           \
                        "2,1,3,2,2 distinct; dims={1,4}", "3,1,2; dims={2}"

const lg_op lgi_op_sum = {
    .name = "sum", .args = REDUCE_ARGS, .doc = "The sum" REDUCE_AXES,
    .shape = reduce_shape, .workspace = reduce_workspace, .forward = sum_forward,
    .grad = sum_grad, .attr_bytes = REDUCE_BYTES, .samples = {REDUCE_SAMPLES}};

const lg_op lgi_op_mean = {
    .name = "mean", .args = REDUCE_ARGS, .doc = "The mean" REDUCE_AXES,
    .shape = reduce_shape, .workspace = reduce_workspace, .forward = mean_forward,
    .grad = mean_grad, .attr_bytes = REDUCE_BYTES,
    .samples = {"2,3", "2,3; dims=1", "2,3; dims=-1, keepdim=true", "-", "0,3; dims=2",
                "2,1,3,2,2; dims={1,4}", "3,1,2; dims={2}"}};

const lg_op lgi_op_amax = {
    .name = "amax", .args = REDUCE_ARGS,
    .doc = "The greatest number" REDUCE_AXES " Equal ones share the gradient.",
    .shape = extremum_shape, .workspace = reduce_workspace, .forward = amax_forward,
    .grad = extreme_grad, .needs = LGI_IN(0) | LGI_OUT(0), .attr_bytes = REDUCE_BYTES,
    .samples = {EXTREME_SAMPLES}};

const lg_op lgi_op_amin = {
    .name = "amin", .args = REDUCE_ARGS,
    .doc = "The least number" REDUCE_AXES " Equal ones share the gradient.",
    .shape = extremum_shape, .workspace = reduce_workspace, .forward = amin_forward,
    .grad = extreme_grad, .needs = LGI_IN(0) | LGI_OUT(0), .attr_bytes = REDUCE_BYTES,
    .samples = {EXTREME_SAMPLES}};

const lg_op lgi_op_norm = {
    .name = "norm", .args = REDUCE_ARGS,
    .doc = "The 2-norm, sqrt(sum(x * x))," REDUCE_AXES " At 0 its gradient is 0.",
    .shape = reduce_shape, .workspace = reduce_workspace, .forward = norm_forward,
    .grad = norm_grad, .needs = LGI_IN(0) | LGI_OUT(0), .attr_bytes = REDUCE_BYTES,
    .samples = {"2,3", "2,3; dims=1", "2,3; dims=-1, keepdim=true", "- away",
                "2,0; dims=1", "2,1,3,2,2; dims={1,4}", "3,1,2 away; dims={2}"}};

#define VAR_SAMPLES "2,3", "2,3; dims=1", "2,3; dims=-1, keepdim=true, correction=0",   \
                    "0,3; dims=2", "2,1,3,2,2; dims={1,4}"

const lg_op lgi_op_var = {
    .name = "var", .args = REDUCE_ARGS ", correction: number = 1",
    .doc = "The variance" REDUCE_AXES " The sum of squares is divided by the number of "
           "terms less correction: 1 for the unbiased estimate, 0 for the biased.",
    .shape = reduce_shape, .workspace = var_workspace, .forward = var_forward,
    .grad = var_grad, .needs = LGI_IN(0), .attr_bytes = sizeof(reduce_attr),
    .samples = {VAR_SAMPLES}};

const lg_op lgi_op_std = {
    .name = "std", .args = REDUCE_ARGS ", correction: number = 1",
    .doc = "The standard deviation, the square root of var," REDUCE_AXES " Where it is 0 "
           "its gradient is 0.",
    .shape = reduce_shape, .workspace = var_workspace, .forward = std_forward,
    .grad = std_grad, .needs = LGI_IN(0) | LGI_OUT(0), .attr_bytes = sizeof(reduce_attr),
    .samples = {VAR_SAMPLES}};

const lg_op *const lgi_ops_reduce[] = {
    &lgi_op_sum, &lgi_op_mean, &lgi_op_amax, &lgi_op_amin, &lgi_op_norm, &lgi_op_var,
    &lgi_op_std, NULL};
