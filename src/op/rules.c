/* rules.c - short names for the operators that most gradient rules are made of. */
#include "op/op.h"

#include <string.h>

extern const lg_op lgi_op_add, lgi_op_sub, lgi_op_mul, lgi_op_div, lgi_op_neg;
extern const lg_op lgi_op_affine, lgi_op_sum, lgi_op_expand, lgi_op_reshape;
extern const lg_op lgi_op_transpose, lgi_op_matmul;

lg_tensor *lgi_add(lg_engine *E, lg_tensor *a, lg_tensor *b)
{
    return lgi_apply2(E, &lgi_op_add, a, b, NULL);
}

lg_tensor *lgi_sub(lg_engine *E, lg_tensor *a, lg_tensor *b)
{
    return lgi_apply2(E, &lgi_op_sub, a, b, NULL);
}

lg_tensor *lgi_mul(lg_engine *E, lg_tensor *a, lg_tensor *b)
{
    return lgi_apply2(E, &lgi_op_mul, a, b, NULL);
}

lg_tensor *lgi_div(lg_engine *E, lg_tensor *a, lg_tensor *b)
{
    return lgi_apply2(E, &lgi_op_div, a, b, NULL);
}

lg_tensor *lgi_neg(lg_engine *E, lg_tensor *x)
{
    return lgi_apply1(E, &lgi_op_neg, x, NULL);
}

lg_tensor *lgi_affine(lg_engine *E, lg_tensor *x, double mul, double add)
{
    return lgi_apply1(E, &lgi_op_affine, x, (double[]){mul, add});
}

static lgi_list shape_list(const lg_tensor *t)
{
    lgi_list l = {.n = t->ndim};
    memcpy(l.at, t->dim, (size_t)t->ndim * sizeof *t->dim);
    return l;
}

lg_tensor *lgi_expand_to(lg_engine *E, lg_tensor *x, const lg_tensor *like)
{
    if (!x || lgi_same_dims(x, like))
        return x;
    lgi_list dims = shape_list(like);
    return lgi_apply1(E, &lgi_op_expand, x, &dims);
}

lg_tensor *lgi_reshape_to(lg_engine *E, lg_tensor *x, const lg_tensor *like)
{
    if (!x || lgi_same_dims(x, like))
        return x;
    lgi_list dims = shape_list(like);
    return lgi_apply1(E, &lgi_op_reshape, x, &dims);
}

lg_tensor *lgi_sum_dims(lg_engine *E, lg_tensor *x, const lgi_list *dims, bool keepdim)
{
    struct { lgi_list dims; int64_t keepdim; } attr = {*dims, keepdim};
    return lgi_apply1(E, &lgi_op_sum, x, &attr);
}

/* Undoes a broadcast: sums over the axes where like is missing or 1. */
lg_tensor *lgi_sum_to(lg_engine *E, lg_tensor *x, const lg_tensor *like)
{
    if (!x || lgi_same_dims(x, like))
        return x;
    int more = x->ndim - like->ndim;
    lgi_list dims = {0};
    for (int i = 0; i < x->ndim; i++)
        if (i < more || (like->dim[i - more] == 1 && x->dim[i] != 1))
            dims.at[dims.n++] = i + 1;
    return lgi_reshape_to(E, dims.n ? lgi_sum_dims(E, x, &dims, true) : x, like);
}

lg_tensor *lgi_matmul(lg_engine *E, lg_tensor *a, lg_tensor *b, bool ta, bool tb)
{
    return lgi_apply2(E, &lgi_op_matmul, a, b, (int64_t[]){ta, tb});
}
