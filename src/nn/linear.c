/* linear.c - Linear: every output is a weighted sum of all inputs. */
#include "nn/layer.h"

extern const lg_op lgi_op_linear;

typedef struct linear_options {
    int64_t out, bias;
    lgi_weight_options weight;
} linear_options;

static lg_status linear_check(lg_engine *E, const lgi_layer *l)
{
    const linear_options *o = l->attr;
    if (lgi_layer_need(E, l, "out", o->out, 1) < 0)
        return E->status;
    return lgi_check_weight(E, l, &o->weight);
}

static lg_status linear_check_input(lg_engine *E, const lgi_layer *l, const lg_tensor *x)
{
    if (x->ndim != 2)
        return lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,features}, got %s; %s",
                              LGI_SHAPE(x), x->ndim > 2 ? "put \"flatten\" before it"
                              : "the first axis is the batch");
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* out,in */
    if (w && w->dim[1] != x->dim[1])
        return lgi_layer_fail(E, LG_ESHAPE, l, "was built for %lld input features, got "
                              "%lld in %s; a layer keeps the sizes of its first input",
                              (long long)w->dim[1], (long long)x->dim[1], LGI_SHAPE(x));
    return LG_OK;
}

static lg_status linear_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const linear_options *o = l->attr;
    if (linear_check_input(E, l, x) < 0)
        return E->status;
    int64_t weight[] = {o->out, x->dim[1]};
    return lgi_declare_weighted(E, l, &o->weight, o->bias, 0, 2, weight, o->out);
}

static lg_tensor *linear_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const linear_options *o = l->attr;
    return linear_check_input(E, l, x) < 0
               ? NULL : lgi_apply_weighted(E, l, &o->weight, 0, x);
}

static const lgi_layer_type linear_layer = {
    .name = "Linear",
    .args = "out: whole, bias: flag = true, " LGI_WEIGHT_OPTIONS,
    .doc = "x W' + b: {batch,features} becomes {batch,out}. The weight is "
           "{out,features}, the bias {out}. They begin as U(-k, k), k = 1 / "
           "sqrt(features), as PyTorch's do; where init is given it is the weight's, and "
           "the bias begins at zero. Of spectral, weight_norm and equalized one may be "
           "true: the weight is divided by its largest singular value, which a power "
           "iteration in each pass in training follows (Miyato et al. 2018); is made of "
           "lengths and directions (Salimans and Kingma 2016); or begins at N(0, 1) and "
           "is multiplied by sqrt(2 / features) at each use (Karras et al. 2018).",
    .attr_bytes = sizeof(linear_options), .weighted = true, .op = &lgi_op_linear,
    .check = linear_check, .build = linear_build, .forward = linear_layer_forward,
    .samples = {"3,4; out=2", "2,5; out=3, bias=false", "1,1; out=1, init=normal 0.5",
                "3,4; out=2, spectral=true", "3,4; out=2, weight_norm=true",
                "3,4; out=2, equalized=true"}};

const lgi_layer_type *const lgi_layers_linear[] = {&linear_layer, NULL};
