/* glu.c - GLU: one half of the numbers opens and closes gates for the other. */
#include "nn/layer.h"

extern const lg_op lgi_op_narrow, lgi_op_sigmoid;

typedef struct glu_options { int64_t dim; } glu_options;
typedef struct glu_half { int64_t dim, start, length; } glu_half;      /* as narrow's */

static lg_status glu_check(lg_engine *E, const lgi_layer *l)
{
    const glu_options *o = l->attr;
    if (o->dim != 0 && o->dim <= LG_MAX_DIM && o->dim >= -LG_MAX_DIM)
        return LG_OK;
    return lgi_layer_fail(E, LG_EARG, l, "dim must be an axis, counted from 1, or from "
                          "the end by -1, not %lld", (long long)o->dim);
}

static lg_tensor *glu_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const glu_options *o = l->attr;
    int64_t dim = o->dim < 0 ? x->ndim + 1 + o->dim : o->dim;
    if (dim < 1 || dim > x->ndim || x->dim[dim - 1] % 2) {
        lgi_layer_fail(E, LG_ESHAPE, l, "axis %lld of %s must be there, and of an even "
                       "size: its halves are numbers and gates", (long long)o->dim,
                       LGI_SHAPE(x));
        return NULL;
    }
    int64_t half = x->dim[dim - 1] / 2;
    lg_tensor *a = lgi_apply1(E, &lgi_op_narrow, x, &(glu_half){dim, 1, half});
    lg_tensor *b = lgi_apply1(E, &lgi_op_narrow, x, &(glu_half){dim, half + 1, half});
    return lgi_mul(E, a, lgi_apply1(E, &lgi_op_sigmoid, b, NULL));
}

static const lgi_layer_type glu_layer = {
    .name = "GLU", .args = "dim: whole = -1",
    .doc = "a sigmoid(b), where a is the first half of x along the axis dim, and b the "
           "second: the axis becomes half as long (Dauphin et al. 2017). For the "
           "channels of {n,c,h,w} dim is 2.",
    .attr_bytes = sizeof(glu_options), .check = glu_check, .forward = glu_layer_forward,
    .samples = {"2,4", "2,6,2,3; dim=2", "4,3; dim=-2"}};

const lgi_layer_type *const lgi_layers_glu[] = {&glu_layer, NULL};
