/* pad.c - Pad, and PyTorch's names for its modes on images. */
#include "nn/layer.h"

extern const lg_op lgi_op_pad;

typedef enum pad_layer_mode { WITH_VALUE, WITH_MIRROR, WITH_EDGE } pad_layer_mode;

typedef struct pad_options {           /* as the operator's attributes */
    lgi_list pad;
    int64_t mode;
    double value;
} pad_options;

static lg_status pad_check(lg_engine *E, const lgi_layer *l)
{
    const lgi_list *pad = l->attr;
    if (pad->n == 1 || (pad->n > 0 && pad->n % 2 == 0 && pad->n <= 2 * LG_MAX_DIM))
        return LG_OK;
    return lgi_layer_fail(E, LG_EARG, l, "pad has %lld numbers; give one for all sides, "
                          "or {left,right,top,bottom}", (long long)pad->n);
}

/* One number is for both ends of each axis after the channels. */
static lg_tensor *pad_by(lg_engine *E, lgi_layer *l, lg_tensor *x, pad_options by)
{
    if (by.pad.n == 1 && x->ndim < 3) {
        lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,channels,...}, got %s; one "
                       "number for all sides needs something after the channels",
                       LGI_SHAPE(x));
        return NULL;
    }
    int64_t n = by.pad.n == 1 ? 2 * (x->ndim - 2) : by.pad.n;
    for (int64_t i = 1; by.pad.n == 1 && i < n; i++)
        by.pad.at[i] = by.pad.at[0];
    by.pad.n = n;
    return lgi_apply1(E, &lgi_op_pad, x, &by);
}

static lg_tensor *pad_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    return pad_by(E, l, x, *(const pad_options *)l->attr);
}

static lg_tensor *pad_image(lg_engine *E, lgi_layer *l, lg_tensor *x, pad_layer_mode mode)
{
    const lgi_list *pad = l->attr;
    if (x->ndim == 4)
        return pad_by(E, l, x, (pad_options){*pad, mode, 0});
    lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,channels,height,width}, got %s",
                   LGI_SHAPE(x));
    return NULL;
}

static lg_tensor *zero_pad2d_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    return pad_image(E, l, x, WITH_VALUE);
}

static lg_tensor *reflection_pad2d_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    return pad_image(E, l, x, WITH_MIRROR);
}

static lg_tensor *replication_pad2d_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    return pad_image(E, l, x, WITH_EDGE);
}

static const lgi_layer_type pad_layer = {
    .name = "Pad",
    .args = "pad: list, mode: constant|reflect|replicate = constant, value: number = 0",
    .doc = "x with more numbers around it. pad is one number for all sides of "
           "{batch,channels,...}, or has how many before and after the last axis, then "
           "the axis before it: {left,right,top,bottom} for images. They are value, or "
           "mirrored at the outermost (reflect), or that repeated (replicate).",
    .attr_bytes = sizeof(pad_options), .op = &lgi_op_pad,
    .check = pad_check, .forward = pad_layer_forward,
    .samples = {"2,2,3,3; pad={1}, mode=reflect", "2,3; pad={1,2}, value=0.5",
                "1,2,3; pad={2}, mode=replicate", "1,1,2,2; pad={1,0,2,1}"}};

#define IMAGE_PAD(type_, id, what)                                                    \
    static const lgi_layer_type id##_layer = {                                        \
        .name = type_, .args = "pad: list", .attr_bytes = sizeof(lgi_list),           \
        .doc = "Images {n,c,h,w} with " what " around them: as many as pad says, one " \
               "number for all sides, or {left,right,top,bottom}.",                   \
        .check = pad_check, .forward = id##_forward,                                  \
        .samples = {"2,2,3,3; pad={1}", "1,1,3,4; pad={1,0,2,1}"}}

IMAGE_PAD("ZeroPad2d", zero_pad2d, "zeros");
IMAGE_PAD("ReflectionPad2d", reflection_pad2d, "their mirror image at the edge");
IMAGE_PAD("ReplicationPad2d", replication_pad2d, "the pixels at the edge, repeated,");

const lgi_layer_type *const lgi_layers_pad[] = {
    &pad_layer, &zero_pad2d_layer, &reflection_pad2d_layer, &replication_pad2d_layer,
    NULL};
