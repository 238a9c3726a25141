/*
 * gather.c - numbers picked by index, and by mask.
 *
 * An index is a tensor of whole numbers that count from 1; all are checked before any is
 * used. To pick is linear, and beside each operator that picks is its transpose,
 * which adds up in a fixed order what was picked more than once.
 */
#include "base/cpu.h"
#include "kernel/copy.h"
#include "kernel/elementwise.h"
#include "kernel/index.h"
#include "op/op.h"

#include <float.h>
#include <math.h>
#include <string.h>

extern const lg_op lgi_op_gather, lgi_op_gather_back, lgi_op_index_select;
extern const lg_op lgi_op_index_select_back, lgi_op_masked_fill;

/* Is it no whole number from 1 to most? What is added has no digits after the point. */
LGI_ALWAYS_INLINE int is_no_index(lg_real v, lg_real most)
{
    const lg_real shift = (lg_real)(1 / (sizeof v == 4 ? FLT_EPSILON : DBL_EPSILON));
    lg_real whole = v < shift ? (v + shift) - shift : v;
    lg_real held = whole < 1 ? 1 : whole;
    held = held > most ? most : held;
    return held != v;
}

/* Where the first number is that is none; numel if all are. */
static int64_t find_no_index(const lg_tensor *index, int64_t size)
{
    enum { BLOCK = 64 };
    lg_real most = (lg_real)size;
    int64_t k = 0;
    if (size < 1)
        return 0;
    if ((double)most > (double)size)   /* rounded up */
        most = (lg_real)(sizeof most == 4 ? nextafterf((float)most, 0)
                                          : nextafter((double)most, 0));
    for (int any = 0; k + BLOCK <= index->numel; k += BLOCK) {
        for (int i = 0; i < BLOCK; i++)
            any += is_no_index(index->data[k + i], most);
        if (any)
            break;
    }
    while (k < index->numel && !is_no_index(index->data[k], most))
        k++;
    return k;
}

/* Every number of input i must be one of 1 .. size. */
static lg_status check_index(lg_engine *E, const lgi_node *n, int i, int64_t size)
{
    const lg_tensor *index = n->in[i];
    char name[16];
    int64_t k = find_no_index(index, size);
    if (k == index->numel)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: %s has %.9g as its number %lld, and must have "
                    "whole numbers from 1 to %lld", n->op->name,
                    lgi_input_name(n, i, name), (double)index->data[k],
                    (long long)k + 1, (long long)size);
}

static void clear_result(lg_engine *E, const lg_tensor *y)
{
    lgi_copy_rows(E, y->data, y->numel, NULL, 0, y->numel, 1);
}

/* gather */

typedef struct gather_attr { int64_t dim; } gather_attr;
typedef struct gather_back_attr { int64_t dim; lgi_list dims; } gather_back_attr;

/* index may be picked along axis dim of a source of these sizes. */
static lg_status check_gather(lg_engine *E, const lgi_node *n, int64_t dim, int ndim,
                              const int64_t *source)
{
    const lg_tensor *index = n->in[1];
    char text[LGI_SHAPE_TEXT];
    bool fits = index->ndim == ndim;
    for (int i = 0; fits && i < ndim; i++)
        fits = i == dim - 1 || index->dim[i] <= source[i];
    if (fits)
        return check_index(E, n, 1, source[dim - 1]);
    return lgi_fail(E, LG_ESHAPE, "%s: index is %s, and picks from %s along dim %lld; it "
                    "must have as many axes, and but for dim no size that is larger",
                    n->op->name, LGI_SHAPE(index), lgi_dims(ndim, source, text),
                    (long long)dim);
}

static lg_status gather_shape(lg_engine *E, lgi_node *n)
{
    gather_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    if (lgi_need_axis(E, n, "dim", &t->dim, x->ndim) < 0
        || check_gather(E, n, t->dim, x->ndim, x->dim) < 0)
        return E->status;
    return lgi_like(n->out, n->in[1]);
}

static lgi_picked gather_plan(const lg_tensor *index, const int64_t *source, int64_t dim)
{
    lgi_picked p = {.ndim = index->ndim, .axis = (int)dim - 1};
    for (int i = 0; i < p.ndim; i++) {
        p.dim[i] = index->dim[i];
        p.stride[i] = lgi_product_of(source + i + 1, p.ndim - i - 1);
        p.at[i] = lgi_product_of(index->dim + i + 1, p.ndim - i - 1);
    }
    return p;
}

static void gather_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const gather_attr *t = n->attr;
    const lg_tensor *x = n->in[0], *index = n->in[1];
    lgi_picked p = gather_plan(index, x->dim, t->dim);
    (void)workspace;
    lgi_pick(E, &p, index->data, x->data, n->out->data);
}

static lg_status gather_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    const gather_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    gather_back_attr back = {t->dim, {.n = x->ndim}};
    memcpy(back.dims.at, x->dim, (size_t)x->ndim * sizeof *x->dim);
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_gather_back, g[0], n->in[1], &back);
    return E->status;
}

const lg_op lgi_op_gather = {
    .name = "gather", .args = "x, index, dim: whole",
    .doc = "Picks along the axis dim: for two axes and dim 2, y[i][j] = "
           "x[i][index[i][j]]. index has as many axes as x, whole numbers from 1, and "
           "but for dim no size above that of x; the result has the shape of index.",
    .shape = gather_shape, .forward = gather_forward, .grad = gather_grad,
    .needs = LGI_IN(1), .attr_bytes = sizeof(gather_attr),
    .samples = {"2,3; 2,5 index<3; dim=2", "3,4; 2,3 index<3; dim=1",
                "5; 3 index<5; dim=-1", "2,3; 2,0 index<3; dim=2",
                "1,1; 1,1 index<1; dim=1", "2,3,2; 2,4,1 index<3; dim=2",
                "2,1,3,2,2; 1,1,4,2,1 index<3; dim=3", "0,3; 0,2 index<3; dim=2"}};

static lg_status gather_back_shape(lg_engine *E, lgi_node *n)
{
    gather_back_attr *t = n->attr;
    const lg_tensor *g = n->in[0], *index = n->in[1];
    if (lgi_set_dims(n->out, (int)t->dims.n, t->dims.at) < 0
        || lgi_need_axis(E, n, "dim", &t->dim, n->out->ndim) < 0)
        return E->status;
    if (!lgi_same_dims(g, index))
        return lgi_fail(E, LG_ESHAPE, "%s: g is %s and index is %s; they must have one "
                        "shape", n->op->name, LGI_SHAPE(g), LGI_SHAPE(index));
    return check_gather(E, n, t->dim, n->out->ndim, n->out->dim);
}

static void gather_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const gather_back_attr *t = n->attr;
    const lg_tensor *g = n->in[0], *index = n->in[1];
    lgi_picked p = gather_plan(index, n->out->dim, t->dim);
    (void)workspace;
    clear_result(E, n->out);
    lgi_add_picked(E, &p, index->data, g->data, n->out->data);
}

static lg_status gather_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                  lg_tensor **g, lg_tensor **out)
{
    const gather_back_attr *t = n->attr;
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_gather, g[0], n->in[1], &t->dim);
    return E->status;
}

const lg_op lgi_op_gather_back = {
    .name = "gather_back", .args = "g, index, dim: whole, dims: list",
    .doc = "The transpose of gather: zeros of the sizes dims, to which g is added where "
           "gather with this index would pick, in order of index along dim.",
    .shape = gather_back_shape, .forward = gather_back_forward, .grad = gather_back_grad,
    .needs = LGI_IN(1), .attr_bytes = sizeof(gather_back_attr),
    .samples = {"2,5; 2,5 index<3; dim=2, dims={2,3}",
                "2,3; 2,3 index<3; dim=1, dims={3,4}", "3; 3 index<5; dim=1, dims={5}",
                "2,0; 2,0 index<3; dim=2, dims={2,3}",
                "1,1,4,2,1; 1,1,4,2,1 index<3; dim=3, dims={2,1,3,2,2}"}};

/* index_select */

typedef struct select_attr { int64_t dim, size; } select_attr;    /* the source's size */

static lg_status index_select_shape(lg_engine *E, lgi_node *n)
{
    select_attr *t = n->attr;
    const lg_tensor *x = n->in[0], *index = n->in[1];
    int64_t dim[LG_MAX_DIM];
    if (lgi_need_axis(E, n, "dim", &t->dim, x->ndim) < 0
        || lgi_need_ndim(E, n, 1, 1, "n") < 0)
        return E->status;
    t->size = x->dim[t->dim - 1];
    if (check_index(E, n, 1, t->size) < 0)
        return E->status;
    memcpy(dim, x->dim, sizeof dim);
    dim[t->dim - 1] = index->dim[0];
    return lgi_set_dims(n->out, x->ndim, dim);
}

/* Of a source that is outer, size, inner. */
static lgi_picked select_plan(int64_t outer, int64_t size, int64_t inner, int64_t count)
{
    return (lgi_picked){.ndim = 3, .axis = 1, .dim = {outer, count, inner},
                        .stride = {size * inner, inner, 1}, .at = {0, 1, 0}};
}

static lgi_picked select_plan_of(const lgi_node *n, const lg_tensor *selected)
{
    const select_attr *t = n->attr;
    const int64_t *dim = selected->dim, at = t->dim;
    return select_plan(lgi_product_of(dim, (int)at - 1), t->size,
                       lgi_product_of(dim + at, selected->ndim - (int)at), dim[at - 1]);
}

static void index_select_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_picked p = select_plan_of(n, n->out);
    (void)workspace;
    lgi_pick(E, &p, n->in[1]->data, n->in[0]->data, n->out->data);
}

static lg_status index_select_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                   lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_index_select_back, g[0], n->in[1], n->attr);
    return E->status;
}

const lg_op lgi_op_index_select = {
    .name = "index_select", .args = "x, index, dim: whole = 1",
    .doc = "The parts of x along the axis dim that index {n}, whole numbers from 1, "
           "names, in its order; one may be named more than once.",
    .shape = index_select_shape, .forward = index_select_forward,
    .grad = index_select_grad, .needs = LGI_IN(1), .attr_bytes = sizeof(select_attr),
    .samples = {"3,2; 5 index<3", "2,3; 4 index<3; dim=2", "2,3,2; 2 index<3; dim=-2",
                "3; 1 index<3", "2,3; 0 index<2", "0,3; 2 index<3; dim=2",
                "2,1,3,1,2; 4 index<3; dim=3"}};

static lg_status index_select_back_shape(lg_engine *E, lgi_node *n)
{
    select_attr *t = n->attr;
    const lg_tensor *g = n->in[0], *index = n->in[1];
    int64_t dim[LG_MAX_DIM];
    if (lgi_need_axis(E, n, "dim", &t->dim, g->ndim) < 0
        || lgi_need_ndim(E, n, 1, 1, "n") < 0
        || lgi_need_whole(E, n, "size", t->size, 0, LGI_MAX_NUMEL) < 0)
        return E->status;
    memcpy(dim, g->dim, sizeof dim);
    if (dim[t->dim - 1] != index->dim[0])
        return lgi_fail(E, LG_ESHAPE, "%s: g is %s and index is %s; axis %lld of g must "
                        "have its size", n->op->name, LGI_SHAPE(g), LGI_SHAPE(index),
                        (long long)t->dim);
    dim[t->dim - 1] = t->size;
    if (check_index(E, n, 1, t->size) < 0)
        return E->status;
    return lgi_set_dims(n->out, g->ndim, dim);
}

static void index_select_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_picked p = select_plan_of(n, n->in[0]);
    (void)workspace;
    clear_result(E, n->out);
    lgi_add_picked(E, &p, n->in[1]->data, n->in[0]->data, n->out->data);
}

static lg_status index_select_back_grad(lg_engine *E, const lgi_node *n,
                                        const bool *wanted, lg_tensor **g,
                                        lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_index_select, g[0], n->in[1], n->attr);
    return E->status;
}

const lg_op lgi_op_index_select_back = {
    .name = "index_select_back", .args = "g, index, dim: whole, size: whole",
    .doc = "The transpose of index_select: zeros with size places along the axis dim, to "
           "which the parts of g are added where index {n} says, in its order.",
    .shape = index_select_back_shape, .forward = index_select_back_forward,
    .grad = index_select_back_grad, .needs = LGI_IN(1),
    .attr_bytes = sizeof(select_attr),
    .samples = {"5,2; 5 index<3; dim=1, size=3", "2,4; 4 index<3; dim=2, size=3",
                "0,2; 0 index<3; dim=1, size=3", "1; 1 index<1; dim=1, size=1",
                "2,1,4,1,2; 4 index<3; dim=-3, size=3"}};

/* embedding */

static lg_status embedding_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *w = n->in[0], *index = n->in[1];
    int64_t dim[LG_MAX_DIM + 1];
    if (lgi_need_ndim(E, n, 0, 2, "rows,width") < 0
        || check_index(E, n, 1, w->dim[0]) < 0)
        return E->status;
    memcpy(dim, index->dim, (size_t)index->ndim * sizeof *dim);
    dim[index->ndim] = w->dim[1];
    return lgi_set_dims(n->out, index->ndim + 1, dim);
}

static void embedding_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *w = n->in[0], *index = n->in[1];
    lgi_picked p = select_plan(1, w->dim[0], w->dim[1], index->numel);
    (void)workspace;
    lgi_pick(E, &p, index->data, w->data, n->out->data);
}

static lg_status embedding_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    const lg_tensor *w = n->in[0];
    lg_tensor *index = n->in[1];
    lg_tensor flat = {.ndim = 1, .dim = {index->numel}};
    lg_tensor rows = {.ndim = 2, .dim = {index->numel, w->dim[1]}};
    const select_attr t = {1, w->dim[0]};
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_index_select_back, lgi_reshape_to(E, g[0], &rows),
                            lgi_reshape_to(E, index, &flat), &t);
    return E->status;
}

const lg_op lgi_op_embedding = {
    .name = "embedding", .args = "w, index",
    .doc = "The rows of w {rows,width} that index, of any shape, names by whole numbers "
           "from 1: a result of the shape of index with width as one more axis.",
    .shape = embedding_shape, .forward = embedding_forward, .grad = embedding_grad,
    .needs = LGI_IN(1),
    .samples = {"3,2; 4 index<3", "3,2; 2,3 index<3", "3,2; - index<3", "3,2; 0 index<3",
                "1,1; 1 index<1", "3,2; 2,1,2,1,2 index<3", "3,0; 2 index<3"}};

/* masked_fill */

LGI_LOOP2(masked_fill_loop, lg_real, b != 0 ? *p : a)

static void masked_fill_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const double *value = n->attr;
    const lg_real v = (lg_real)*value;
    (void)workspace;
    lgi_map(E, masked_fill_loop, n->out, 2, n->in, &v);
}

static lg_status masked_fill_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                  lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_masked_fill, g[0], n->in[1], (double[]){0});
    return E->status;
}

const lg_op lgi_op_masked_fill = {
    .name = "masked_fill", .args = "x, mask, value: number",
    .doc = "x with value where mask is not 0. Shapes broadcast: aligned at the last "
           "axis, sizes are equal or 1. What is filled gets the gradient 0.",
    .shape = lgi_broadcast_shape, .forward = masked_fill_forward,
    .grad = masked_fill_grad, .needs = LGI_IN(1), .attr_bytes = sizeof(double),
    .samples = {"2,3; 2,3 index<2; value=5", "2,3; 3 index<1; value=-1",
                "2,1; 3 index<1; value=0", "-; - index<1; value=1",
                "0,3; 3 index<1; value=1", "2,1,2,1,2; 3,1,2,1 index<1; value=2"}};

const lg_op *const lgi_ops_gather[] = {
    &lgi_op_gather, &lgi_op_gather_back, &lgi_op_index_select, &lgi_op_index_select_back,
    &lgi_op_embedding, &lgi_op_masked_fill, NULL};
