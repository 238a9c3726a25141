/*
 * join.c - tensors put together along an axis, and a run of an axis taken out.
 *
 * Seen as rows of everything from the axis on, both are copies of rows at a stride.
 */
#include "kernel/copy.h"
#include "op/op.h"

#include <string.h>

extern const lg_op lgi_op_narrow, lgi_op_narrow_back;

typedef struct narrow_attr { int64_t dim, start, length; } narrow_attr;
typedef struct narrow_back_attr { int64_t dim, start, size; } narrow_back_attr;

/* Numbers in a row of t: sizes from the axis dim, from 1, on. */
static int64_t row_length(const lg_tensor *t, int64_t dim)
{
    return lgi_product_of(t->dim + dim - 1, t->ndim - (int)dim + 1);
}

/* And from the axis after it on. */
static int64_t inner_length(const lg_tensor *t, int64_t dim)
{
    return lgi_product_of(t->dim + dim, t->ndim - (int)dim);
}

/* cat */

static lg_status cat_shape(lg_engine *E, lgi_node *n)
{
    int64_t *at = n->attr, dim[LG_MAX_DIM];
    if (n->nin == 0)
        return lgi_fail(E, LG_EARG, "%s: there is no tensor in the list; at least one is "
                        "needed", n->op->name);
    const lg_tensor *first = n->in[0];
    if (lgi_need_axis(E, n, "dim", at, first->ndim) < 0)
        return E->status;
    memcpy(dim, first->dim, sizeof dim);
    for (int i = 1; i < n->nin; i++) {
        const lg_tensor *x = n->in[i];
        bool fits = x->ndim == first->ndim;
        for (int k = 0; fits && k < x->ndim; k++)
            fits = k == *at - 1 || x->dim[k] == first->dim[k];
        if (!fits)
            return lgi_fail(E, LG_ESHAPE, "%s: x[1] is %s and x[%d] is %s; along dim "
                            "%lld all other sizes must be the same", n->op->name,
                            LGI_SHAPE(first), i + 1, LGI_SHAPE(x), (long long)*at);
        dim[*at - 1] += x->dim[*at - 1];
    }
    return lgi_set_dims(n->out, first->ndim, dim);
}

static void cat_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const int64_t *dim = n->attr;
    const lg_tensor *y = n->out;
    int64_t rows = lgi_product_of(y->dim, (int)*dim - 1), at = 0;
    (void)workspace;
    for (int i = 0; i < n->nin; i++) {
        int64_t length = row_length(n->in[i], *dim);
        lgi_copy_rows(E, y->data + at, row_length(y, *dim), n->in[i]->data, length,
                      length, rows);
        at += length;
    }
}

static lg_status cat_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    const int64_t *dim = n->attr;
    narrow_attr part = {*dim, 1, 0};
    for (int i = 0; i < n->nin; i++) {
        part.length = n->in[i]->dim[*dim - 1];
        if (wanted[i])
            out[i] = lgi_apply1(E, &lgi_op_narrow, g[0], &part);
        part.start += part.length;
    }
    return E->status;
}

const lg_op lgi_op_cat = {
    .name = "cat", .args = "x..., dim: whole = 1",
    .doc = "The tensors of a list one after the other along the axis dim; their other "
           "sizes must be the same.",
    .shape = cat_shape, .forward = cat_forward, .grad = cat_grad,
    .attr_bytes = sizeof(int64_t),
    .samples = {"2,3; 1,3", "2,3; 2,1; 2,2; dim=2", "3", "2,3; 0,3; 1,3",
                "2,2,1; 2,2,2; dim=-1", "2,1,2,1,2; 2,3,2,1,2; dim=2"}};

/* narrow */

static lg_status narrow_shape(lg_engine *E, lgi_node *n)
{
    narrow_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    if (lgi_need_axis(E, n, "dim", &t->dim, x->ndim) < 0)
        return E->status;
    int64_t size = x->dim[t->dim - 1];
    if (lgi_need_whole(E, n, "start", t->start, 1, size + 1) < 0
        || lgi_need_whole(E, n, "length", t->length, 0, size - t->start + 1) < 0)
        return E->status;
    memcpy(dim, x->dim, sizeof dim);
    dim[t->dim - 1] = t->length;
    if (lgi_set_dims(n->out, x->ndim, dim) < 0)
        return E->status;
    if (lgi_product_of(x->dim, (int)t->dim - 1) == 1)      /* one row: a view */
        lgi_share(n->out, x, (t->start - 1) * inner_length(x, t->dim));
    return LG_OK;
}

static void narrow_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const narrow_attr *t = n->attr;
    const lg_tensor *x = n->in[0], *y = n->out;
    (void)workspace;
    if (y->buffer != x->buffer)
        lgi_copy_rows(E, y->data, row_length(y, t->dim),
                      x->data + (t->start - 1) * inner_length(x, t->dim),
                      row_length(x, t->dim), row_length(y, t->dim),
                      lgi_product_of(x->dim, (int)t->dim - 1));
}

static lg_status narrow_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    const narrow_attr *t = n->attr;
    narrow_back_attr back = {t->dim, t->start, n->in[0]->dim[t->dim - 1]};
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_narrow_back, g[0], &back);
    return E->status;
}

const lg_op lgi_op_narrow = {
    .name = "narrow", .args = "x, dim: whole, start: whole, length: whole",
    .doc = "The part of x that has length indices of the axis dim, from start on. Shares "
           "the numbers of x where they lie in one run, as those of axis 1 do.",
    .shape = narrow_shape, .forward = narrow_forward, .grad = narrow_grad,
    .attr_bytes = sizeof(narrow_attr),
    .samples = {"4,3; dim=1, start=2, length=2", "2,4; dim=2, start=2, length=2",
                "2,3; dim=-1, start=1, length=3", "2,3; dim=2, start=3, length=0",
                "1,3,2; dim=2, start=2, length=1", "2,1,3,1,2; dim=3, start=1, length=2",
                "0,3; dim=2, start=2, length=2"}};

static lg_status narrow_back_shape(lg_engine *E, lgi_node *n)
{
    narrow_back_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    if (lgi_need_axis(E, n, "dim", &t->dim, x->ndim) < 0)
        return E->status;
    int64_t length = x->dim[t->dim - 1];
    if (lgi_need_whole(E, n, "size", t->size, length, LGI_MAX_NUMEL) < 0
        || lgi_need_whole(E, n, "start", t->start, 1, t->size - length + 1) < 0)
        return E->status;
    memcpy(dim, x->dim, sizeof dim);
    dim[t->dim - 1] = t->size;
    return lgi_set_dims(n->out, x->ndim, dim);
}

static void narrow_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const narrow_back_attr *t = n->attr;
    const lg_tensor *x = n->in[0], *y = n->out;
    int64_t rows = lgi_product_of(y->dim, (int)t->dim - 1);
    int64_t row = row_length(y, t->dim), length = row_length(x, t->dim);
    int64_t before = (t->start - 1) * inner_length(y, t->dim), after = before + length;
    (void)workspace;
    lgi_copy_rows(E, y->data, row, NULL, 0, before, rows);
    lgi_copy_rows(E, y->data + before, row, x->data, length, length, rows);
    lgi_copy_rows(E, y->data + after, row, NULL, 0, row - after, rows);
}

static lg_status narrow_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                  lg_tensor **g, lg_tensor **out)
{
    const narrow_back_attr *t = n->attr;
    narrow_attr part = {t->dim, t->start, n->in[0]->dim[t->dim - 1]};
    if (wanted[0])
        out[0] = lgi_apply1(E, &lgi_op_narrow, g[0], &part);
    return E->status;
}

const lg_op lgi_op_narrow_back = {
    .name = "narrow_back", .args = "x, dim: whole, start: whole, size: whole",
    .doc = "The transpose of narrow: x at the indices from start on of an axis dim that "
           "is made size long, with zeros elsewhere.",
    .shape = narrow_back_shape, .forward = narrow_back_forward, .grad = narrow_back_grad,
    .attr_bytes = sizeof(narrow_back_attr),
    .samples = {"2,3; dim=1, start=2, size=4", "2,3; dim=2, start=1, size=3",
                "2,3; dim=-1, start=2, size=5", "0,3; dim=1, start=1, size=2",
                "2,1,3,1,2; dim=2, start=2, size=3"}};

const lg_op *const lgi_ops_join[] = {
    &lgi_op_cat, &lgi_op_narrow, &lgi_op_narrow_back, NULL};
