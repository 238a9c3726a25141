/* prelu.c - PReLU: a leaky_relu that learns its slope. */
#include "nn/norm.h"

#include <math.h>

extern const lg_op lgi_op_prelu;

typedef struct prelu_options {
    double slope;
    int64_t per_channel;
} prelu_options;

static lg_status prelu_layer_check(lg_engine *E, const lgi_layer *l)
{
    const prelu_options *o = l->attr;
    if (isfinite(o->slope))
        return LG_OK;
    return lgi_layer_fail(E, LG_EARG, l, "slope must be a finite number, not %g",
                          o->slope);
}

static lg_status prelu_check_input(lg_engine *E, const lgi_layer *l, const lg_tensor *x)
{
    const prelu_options *o = l->attr;
    const lg_tensor *w = lgi_layer_param(l, "weight");
    if (!o->per_channel)
        return LG_OK;
    return lgi_need_channels(E, l, x, 2, LG_MAX_DIM, "{batch,channels,...}",
                             w ? w->dim[0] : 0);
}

static lg_status prelu_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const prelu_options *o = l->attr;
    if (prelu_check_input(E, l, x) < 0)
        return E->status;
    int64_t n = o->per_channel ? x->dim[1] : 1;
    if (lgi_declare(E, l, "weight", 1, &n, "ones", n, n) < 0)
        return E->status;
    for (int64_t i = 0; i < n; i++)
        lgi_layer_param(l, "weight")->data[i] = (lg_real)o->slope;
    return LG_OK;
}

static lg_tensor *prelu_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    lg_tensor *in[] = {x, lgi_layer_param(l, "weight")};
    return prelu_check_input(E, l, x) < 0 ? NULL : lgi_apply_layer_op(E, l, 2, in);
}

static const lgi_layer_type prelu_layer = {
    .name = "PReLU", .args = "slope: number = 0.25, per_channel: flag = false",
    .doc = "x where x > 0, else w x, with a slope w that is learned (He et al. 2015). "
           "The weight is {1}, or {channels} for {batch,channels,...} if per_channel, "
           "and begins as slope. The result has the shape of x.",
    .attr_bytes = sizeof(prelu_options), .op = &lgi_op_prelu,
    .check = prelu_layer_check, .build = prelu_build, .forward = prelu_layer_forward,
    .samples = {"2,3", "2,3,2,2; per_channel=true", "2,3; slope=-0.5, per_channel=true",
                "4"}};

const lgi_layer_type *const lgi_layers_prelu[] = {&prelu_layer, NULL};
