/*
 * tile.c - tensors repeated, stacked, turned round and rolled.
 *
 * tile, flip and roll read x, on each axis by itself, at other indices: a function says
 * which, for the axes of the result, and one forward makes tables of it.
 */
#include "kernel/copy.h"
#include "kernel/remap.h"
#include "op/op.h"

#include <string.h>

extern const lg_op lgi_op_flip, lgi_op_roll, lgi_op_narrow, lgi_op_reshape;

/* Which index of x, whose axis has this size, index i of the result's axis reads. */
typedef int64_t index_source(const lgi_node *n, int axis, int64_t i, int64_t size);

static size_t remap_workspace(lg_engine *E, const lgi_node *n)
{
    size_t count = 1;
    (void)E;
    for (int i = 0; i < n->out->ndim; i++)
        count += (size_t)n->out->dim[i];
    return count * sizeof(int64_t);
}

static void remap_by(lg_engine *E, const lgi_node *n, index_source *source,
                     int64_t *table)
{
    const lg_tensor *x = n->in[0], *y = n->out;
    int more = y->ndim - x->ndim, axes = y->ndim;
    lgi_remap m = {.run = 1};
    if (y->numel == 0)
        return;
    for (; axes > more; axes--) {      /* what stays in place at the end is runs */
        int64_t size = x->dim[axes - more - 1];
        if (y->dim[axes - 1] != size || source(n, axes - 1, 0, size) != 0
            || (size > 1 && source(n, axes - 1, 1, size) != 1))
            break;
        m.run *= size;
    }
    for (int a = 0; a < axes; a++) {
        int own = a - more, after = x->ndim - own - 1;
        int64_t size = own < 0 ? 1 : x->dim[own];
        int64_t stride = own < 0 ? 0 : lgi_product_of(x->dim + own + 1, after);
        m.dim[a] = y->dim[a];
        m.at[a] = table;
        for (int64_t i = 0; i < y->dim[a]; i++)
            *table++ = source(n, a, i, size) * stride;
    }
    m.ndim = axes;
    if (axes == 0) {
        m.ndim = 1;
        m.dim[0] = 1;
        m.at[0] = table;
        *table = 0;
    }
    lgi_remap_axes(E, &m, x->data, y->data);
}

/* tile */

static lg_status tile_shape(lg_engine *E, lgi_node *n)
{
    const lgi_list *t = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LGI_MAX_LIST];
    int count = (int)t->n, ndim = x->ndim > count ? x->ndim : count;
    for (int i = 0; i < count; i++)
        if (lgi_need_whole(E, n, "dims", t->at[i], 0, LGI_MAX_NUMEL) < 0)
            return E->status;
    for (int i = 0; i < ndim; i++) {
        int own = i - (ndim - x->ndim), given = i - (ndim - count);
        int64_t size = own < 0 ? 1 : x->dim[own], times = given < 0 ? 1 : t->at[given];
        if (size && times > LGI_MAX_NUMEL / size)
            return lgi_fail(E, LG_ESHAPE, "%s: %s %lld times along axis %d has more than "
                            "2^40 elements", n->op->name, LGI_SHAPE(x), (long long)times,
                            i + 1);
        dim[i] = size * times;
    }
    return lgi_set_dims(n->out, ndim, dim);
}

static int64_t tile_source(const lgi_node *n, int axis, int64_t i, int64_t size)
{
    return i % size;
}

static void tile_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    remap_by(E, n, tile_source, workspace);
}

/* Adds the copies up, an axis at a time. */
static lg_status tile_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    const lg_tensor *x = n->in[0], *y = n->out;
    int more = y->ndim - x->ndim;
    int64_t before = 1;
    lg_tensor *t = g[0];
    if (!wanted[0] || y->numel == 0)
        return E->status;
    for (int i = 0; i < y->ndim; i++) {
        int64_t size = i < more ? 1 : x->dim[i - more];
        lgi_list dims = {3, {before, y->dim[i] / size,
                             size * lgi_product_of(y->dim + i + 1, y->ndim - i - 1)}};
        if (y->dim[i] != size) {
            t = lgi_apply1(E, &lgi_op_reshape, t, &dims);
            t = t ? lgi_sum_dims(E, t, &(lgi_list){1, {2}}, false) : NULL;
        }
        before *= size;
    }
    out[0] = lgi_reshape_to(E, t, x);
    return E->status;
}

const lg_op lgi_op_tile = {
    .name = "tile", .args = "x, dims: list",
    .doc = "x repeated dims[i] times along axis i. If dims and the axes of x differ in "
           "number, 1 is put before the shorter of them: {2,3} with dims {4} becomes "
           "{2,12}.",
    .shape = tile_shape, .workspace = remap_workspace, .forward = tile_forward,
    .grad = tile_grad, .attr_bytes = sizeof(lgi_list),
    .samples = {"2,3; dims={2,2}", "2,3; dims={4}", "3; dims={2,3}", "-; dims={2}",
                "2,3; dims={1,1}", "0,3; dims={2,2}", "2,3; dims={0,2}",
                "2,1,3,1,2; dims={2,2,1,3,1}"}};

/* stack */

static lg_status stack_shape(lg_engine *E, lgi_node *n)
{
    int64_t *at = n->attr, dim[LG_MAX_DIM + 1];
    if (n->nin == 0)
        return lgi_fail(E, LG_EARG, "%s: there is no tensor in the list; at least one is "
                        "needed", n->op->name);
    const lg_tensor *x = n->in[0];
    for (int i = 1; i < n->nin; i++)
        if (!lgi_same_dims(x, n->in[i]))
            return lgi_fail(E, LG_ESHAPE, "%s: x[1] is %s and x[%d] is %s; all must have "
                            "one shape (cat joins along an axis that is there)",
                            n->op->name, LGI_SHAPE(x), i + 1, LGI_SHAPE(n->in[i]));
    if (lgi_need_axis(E, n, "dim", at, x->ndim + 1) < 0)
        return E->status;
    for (int i = 0; i <= x->ndim; i++)
        dim[i] = i + 1 < *at ? x->dim[i] : i + 1 == *at ? n->nin : x->dim[i - 1];
    return lgi_set_dims(n->out, x->ndim + 1, dim);
}

static void stack_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const int64_t *at = n->attr;
    const lg_tensor *x = n->in[0];
    int before = (int)*at - 1;
    int64_t length = lgi_product_of(x->dim + before, x->ndim - before);
    (void)workspace;
    for (int i = 0; i < n->nin; i++)
        lgi_copy_rows(E, n->out->data + i * length, n->nin * length, n->in[i]->data,
                      length, length, lgi_product_of(x->dim, before));
}

static lg_status stack_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    const int64_t *at = n->attr;
    for (int i = 0; i < n->nin; i++)
        if (wanted[i])
            out[i] = lgi_reshape_to(E, lgi_apply1(E, &lgi_op_narrow, g[0],
                                                  (int64_t[]){*at, i + 1, 1}), n->in[i]);
    return E->status;
}

const lg_op lgi_op_stack = {
    .name = "stack", .args = "x..., dim: whole = 1",
    .doc = "The tensors of a list, all of one shape, one after the other along an axis "
           "that is new: dim of the result.",
    .shape = stack_shape, .forward = stack_forward, .grad = stack_grad,
    .attr_bytes = sizeof(int64_t),
    .samples = {"2,3; 2,3", "2,3; 2,3; 2,3; dim=2", "2,3; 2,3; dim=-1", "-; -", "1",
                "0,3; 0,3; dim=2", "2,1,2,1,2; 2,1,2,1,2; dim=3"}};

/* flip */

/* No axes named: none is turned, as in PyTorch. */
static lg_status flip_shape(lg_engine *E, lgi_node *n)
{
    lgi_list *t = n->attr;
    if (t->n && lgi_need_axes(E, n, "dims", t, n->in[0]->ndim) < 0)
        return E->status;
    return lgi_same_shape(E, n);
}

static int64_t flip_source(const lgi_node *n, int axis, int64_t i, int64_t size)
{
    const lgi_list *t = n->attr;
    for (int64_t k = 0; k < t->n; k++)
        if (t->at[k] == axis + 1)
            return size - 1 - i;
    return i;
}

static void flip_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    remap_by(E, n, flip_source, workspace);
}

static lg_status flip_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_flip, g[0], n->attr);
    return E->status;
}

const lg_op lgi_op_flip = {
    .name = "flip", .args = "x, dims: list",
    .doc = "x from the last index to the first along each of the axes dims. The result "
           "has the shape of x.",
    .shape = flip_shape, .workspace = remap_workspace, .forward = flip_forward,
    .grad = flip_grad, .attr_bytes = sizeof(lgi_list),
    .samples = {"2,3; dims={1,2}", "2,3; dims=2", "3,2,2; dims=1", "-; dims={}",
                "1; dims=-1", "0,3; dims=2", "2,1,3,1,2; dims={3,-1}"}};

/* roll */

typedef struct roll_attr { lgi_list shift, dims; } roll_attr;

static lg_status roll_shape(lg_engine *E, lgi_node *n)
{
    roll_attr *t = n->attr;
    int64_t flat = t->dims.n == 0;
    if (t->shift.n != t->dims.n + flat)
        return lgi_fail(E, LG_EARG, "%s: shift has %lld numbers and dims has %lld; each "
                        "axis needs its shift, as in {shift = {1, 2}, dims = {2, 3}}, or "
                        "one shift without dims rolls all numbers in row-major order",
                        n->op->name, (long long)t->shift.n, (long long)t->dims.n);
    for (int64_t i = 0; i < t->dims.n; i++)
        if (lgi_need_axis(E, n, "dims", &t->dims.at[i], n->in[0]->ndim) < 0)
            return E->status;
    return lgi_same_shape(E, n);
}

/* 0 .. size-1, without overflow */
static int64_t roll_by(int64_t i, int64_t shift, int64_t size)
{
    int64_t k = i - shift % size;
    return k < 0 ? k + size : k >= size ? k - size : k;
}

static int64_t roll_source(const lgi_node *n, int axis, int64_t i, int64_t size)
{
    const roll_attr *t = n->attr;
    for (int64_t k = 0; k < t->dims.n; k++)
        if (t->dims.at[k] == axis + 1)
            i = roll_by(i, t->shift.at[k], size);
    return i;
}

static void roll_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const roll_attr *t = n->attr;
    const lg_tensor *x = n->in[0], *y = n->out;
    if (t->dims.n || y->numel == 0) {
        remap_by(E, n, roll_source, workspace);
        return;
    }
    int64_t first = roll_by(0, t->shift.at[0], x->numel), rest = x->numel - first;
    lgi_copy_rows(E, y->data, rest, x->data + first, rest, rest, 1);
    lgi_copy_rows(E, y->data + rest, first, x->data, first, first, 1);
}

static lg_status roll_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    roll_attr t = *(const roll_attr *)n->attr;
    for (int64_t i = 0; i < t.shift.n; i++)
        t.shift.at[i] = -t.shift.at[i];
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_roll, g[0], &t);
    return E->status;
}

const lg_op lgi_op_roll = {
    .name = "roll", .args = "x, shift: list, dims: list = {}",
    .doc = "x with its indices along axis dims[i] moved up by shift[i], those that leave "
           "at the end coming in at the start. Without dims all numbers are moved, in "
           "row-major order. The result has the shape of x.",
    .shape = roll_shape, .workspace = remap_workspace, .forward = roll_forward,
    .grad = roll_grad, .attr_bytes = sizeof(roll_attr),
    .samples = {"2,3; shift=1, dims=2", "3,2; shift={-1,3}, dims={1,2}", "2,3; shift=2",
                "-; shift=1", "1; shift=5, dims=1", "0,3; shift=1, dims=1",
                "2,1,3,1,2; shift={1,2}, dims={1,3}", "2,3; shift=0, dims=1"}};

const lg_op *const lgi_ops_tile[] = {
    &lgi_op_tile, &lgi_op_stack, &lgi_op_flip, &lgi_op_roll, NULL};
