/* embedding.c - Embedding: a row of numbers for each label. */
#include "nn/layer.h"

#include <math.h>
#include <string.h>

extern const lg_op lgi_op_embedding;

typedef struct embedding_options {
    int64_t count, out;
    lgi_weight_options weight;
} embedding_options;

static lg_status embedding_check(lg_engine *E, const lgi_layer *l)
{
    const embedding_options *o = l->attr;
    if (lgi_layer_need(E, l, "count", o->count, 1) < 0
        || lgi_layer_need(E, l, "out", o->out, 1) < 0)
        return E->status;
    return lgi_check_weight(E, l, &o->weight);
}

/* The operator would refuse it, too, but knows neither labels nor the layer. */
static lg_status embedding_check_input(lg_engine *E, const lgi_layer *l,
                                       const lg_tensor *x)
{
    const embedding_options *o = l->attr;
    for (int64_t i = 0; i < x->numel; i++) {
        double v = (double)x->data[i];
        if (!(v >= 1 && v <= (double)o->count && v == floor(v)))
            return lgi_layer_fail(E, LG_EARG, l, "label %.9g, number %lld of %s, is not "
                                  "a whole number from 1 to %lld%s", v, (long long)i + 1,
                                  LGI_SHAPE(x), (long long)o->count,
                                  v == 0 ? "; labels count from 1" : "");
    }
    return LG_OK;
}

static lg_status embedding_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const embedding_options *o = l->attr;
    lgi_weight_options weight = o->weight;
    int64_t dim[] = {o->count, o->out};
    if (embedding_check_input(E, l, x) < 0)
        return E->status;
    if (strcmp(weight.init.s, "default") == 0)
        strcpy(weight.init.s, "normal");       /* PyTorch's */
    return lgi_declare_weight(E, l, "weight", &weight, 0, 2, dim, o->out, o->count);
}

static lg_tensor *embedding_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const embedding_options *o = l->attr;
    if (embedding_check_input(E, l, x) < 0)
        return NULL;
    lg_tensor *w = lgi_weight(E, l, "weight", &o->weight, 0);
    return w ? lgi_apply_layer_op(E, l, 2, (lg_tensor *[]){w, x}) : NULL;
}

static const lgi_layer_type embedding_layer = {
    .name = "Embedding", .args = "count: whole, out: whole, " LGI_WEIGHT_OPTIONS,
    .doc = "For each label, a whole number from 1 to count, the row of the weight "
           "{count,out} that it names: {n} becomes {n,out}, and any shape gets one more "
           "axis of size out. The weight begins at N(0, 1), as PyTorch's does. "
           LGI_WEIGHT_DOC,
    .attr_bytes = sizeof(embedding_options), .op = &lgi_op_embedding,
    .check = embedding_check, .build = embedding_build,
    .forward = embedding_layer_forward,
    .samples = {"3 index<4; count=4, out=2",
                "2,3 index<3; count=3, out=2, init=normal 0.1",
                "5 index<2; count=2, out=3, spectral=true"}};

const lgi_layer_type *const lgi_layers_embedding[] = {&embedding_layer, NULL};
