/* maxout.c - Maxout: the greatest of several weighted sums. */
#include "nn/layer.h"

extern const lg_op lgi_op_linear, lgi_op_amax, lgi_op_reshape;

typedef struct maxout_options {
    int64_t out, pieces, bias;
    lgi_weight_options weight;
} maxout_options;

typedef struct maxout_over { lgi_list dims; int64_t keepdim; double unused; } maxout_over;

static lg_status maxout_check(lg_engine *E, const lgi_layer *l)
{
    const maxout_options *o = l->attr;
    if (lgi_layer_need(E, l, "out", o->out, 1) < 0
        || lgi_layer_need(E, l, "pieces", o->pieces, 1) < 0)
        return E->status;
    if (o->out > LGI_MAX_NUMEL / o->pieces)
        return lgi_layer_fail(E, LG_EARG, l, "out, %lld, times pieces, %lld, is too much",
                              (long long)o->out, (long long)o->pieces);
    return lgi_check_weight(E, l, &o->weight);
}

static lg_status maxout_check_input(lg_engine *E, const lgi_layer *l, const lg_tensor *x)
{
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* out*pieces,in */
    if (x->ndim != 2)
        return lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,features}, got %s; %s",
                              LGI_SHAPE(x), x->ndim > 2 ? "put \"flatten\" before it"
                              : "the first axis is the batch");
    if (w && w->dim[1] != x->dim[1])
        return lgi_layer_fail(E, LG_ESHAPE, l, "was built for %lld input features, got "
                              "%lld in %s; a layer keeps the sizes of its first input",
                              (long long)w->dim[1], (long long)x->dim[1], LGI_SHAPE(x));
    return LG_OK;
}

static lg_status maxout_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const maxout_options *o = l->attr;
    if (maxout_check_input(E, l, x) < 0)
        return E->status;
    int64_t sums = o->out * o->pieces, in = x->dim[1], dim[] = {sums, in};
    if (lgi_declare_weight(E, l, "weight", &o->weight, 0, 2, dim, in, sums) < 0)
        return E->status;
    return o->bias ? lgi_declare_bias(E, l, sums, &o->weight, in) : LG_OK;
}

static lg_tensor *maxout_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const maxout_options *o = l->attr;
    if (maxout_check_input(E, l, x) < 0)
        return NULL;
    lg_tensor *w = lgi_weight(E, l, "weight", &o->weight, 0);
    lg_tensor *in[] = {x, w, lgi_layer_param(l, "bias")};
    lg_tensor *sums = w ? lgi_apply_layer_op(E, l, 3, in) : NULL;      /* n,out*pieces */
    lg_tensor *each = lgi_apply1(E, &lgi_op_reshape, sums,
                                 &(lgi_list){3, {x->dim[0], o->out, o->pieces}});
    return lgi_apply1(E, &lgi_op_amax, each, &(maxout_over){.dims = {1, {3}}});
}

static const lgi_layer_type maxout_layer = {
    .name = "Maxout",
    .args = "out: whole, pieces: whole = 2, bias: flag = true, " LGI_WEIGHT_OPTIONS,
    .doc = "The greatest of pieces weighted sums: {batch,features} becomes {batch,out} "
           "(Goodfellow et al. 2013, as the discriminator of the first GAN had it). The "
           "weight is {out pieces, features}, the bias {out pieces}; the pieces of an "
           "output are neighbors. They begin as Linear's. "
           LGI_WEIGHT_DOC,
    .attr_bytes = sizeof(maxout_options), .weighted = true, .op = &lgi_op_linear,
    .check = maxout_check, .build = maxout_build, .forward = maxout_forward,
    .samples = {"3,4; out=2", "2,3; out=3, pieces=3, bias=false", "2,2; out=1, pieces=1",
                "3,4; out=2, spectral=true"}};

const lgi_layer_type *const lgi_layers_maxout[] = {&maxout_layer, NULL};
