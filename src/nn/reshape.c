/* reshape.c - Reshape and Flatten: the same numbers in another shape, the batch kept. */
#include "nn/layer.h"

#include <string.h>

extern const lg_op lgi_op_reshape, lgi_op_flatten;

static lg_status reshape_layer_check(lg_engine *E, const lgi_layer *l)
{
    const lgi_list *dims = l->attr;
    int open = 0;
    if (dims->n < 1 || dims->n > LG_MAX_DIM - 1)
        return lgi_layer_fail(E, LG_EARG, l, "dims must be 1 to %d sizes, without the "
                              "batch, not %lld", LG_MAX_DIM - 1, (long long)dims->n);
    for (int i = 0; i < dims->n; i++) {
        open += dims->at[i] == -1;
        if (dims->at[i] < -1 || dims->at[i] == 0 || open > 1)
            return lgi_layer_fail(E, LG_EARG, l, "dims must be positive, and one of "
                                  "them may be -1; got %lld", (long long)dims->at[i]);
    }
    return LG_OK;
}

/* The sizes of a sample, with -1 worked out. */
static lg_status reshape_dims(lg_engine *E, const lgi_layer *l, const lg_tensor *x,
                              lgi_list *to)
{
    const lgi_list *dims = l->attr;
    int64_t have = lgi_product_of(x->dim + 1, x->ndim - 1), known = 1;
    int open = 0;
    to->n = dims->n + 1;
    for (int i = 0; i < dims->n; i++) {
        to->at[i + 1] = dims->at[i];
        if (dims->at[i] == -1)
            open = i + 1;
        else                           /* more than there is; and it cannot overflow */
            known = known <= have / dims->at[i] ? known * dims->at[i] : have + 1;
    }
    if (open && have % known == 0)
        to->at[open] = have / known;
    else if (open || known != have) {
        char text[LGI_SHAPE_TEXT];
        return lgi_layer_fail(E, LG_ESHAPE, l, "cannot make %s of a sample of %s: it "
                              "has %lld numbers", lgi_dims((int)dims->n, dims->at, text),
                              LGI_SHAPE(x), (long long)have);
    }
    return LG_OK;
}

static lg_tensor *reshape_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    lgi_list dims = {0};
    if (x->ndim == 0) {
        lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,...}, got {}");
        return NULL;
    }
    dims.at[0] = x->dim[0];
    return reshape_dims(E, l, x, &dims) < 0 ? NULL
                                            : lgi_apply1(E, &lgi_op_reshape, x, &dims);
}

static lg_tensor *flatten_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    if (x->ndim > 0)
        return x->ndim == 2 ? x : lgi_apply1(E, &lgi_op_reshape, x,
            &(lgi_list){2, {x->dim[0], lgi_product_of(x->dim + 1, x->ndim - 1)}});
    lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,...}, got {}");
    return NULL;
}

static const lgi_layer_type reshape_layer = {
    .name = "Reshape", .args = "dims: list",
    .doc = "Each sample in the shape dims; the batch, axis 1, stays. One of the sizes "
           "may be -1: it is worked out.",
    .attr_bytes = sizeof(lgi_list),
    .check = reshape_layer_check, .forward = reshape_layer_forward,
    .samples = {"2,6; dims={2,3}", "3,2,4; dims={-1}", "2,3,2,2; dims={4,-1}"}};

static const lgi_layer_type flatten_layer = {
    .name = "Flatten", .args = "",
    .doc = "Each sample as one row: {batch,...} becomes {batch,features}.",
    .forward = flatten_layer_forward,
    .samples = {"2,3,2,2", "3,4", "2"}};

const lgi_layer_type *const lgi_layers_reshape[] = {&reshape_layer, &flatten_layer, NULL};
