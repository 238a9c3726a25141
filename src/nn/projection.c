/*
 * projection.c - ProjectionHead: the end of a critic that knows labels ("cGANs with
 * Projection Discriminator", Miyato and Koyama 2018).
 */
#include "nn/cond.h"

extern const lg_op lgi_op_linear, lgi_op_embedding;

typedef struct projection_options {
    int64_t classes, bias;
    lgi_weight_options weight;
} projection_options;

static lg_status projection_check(lg_engine *E, const lgi_layer *l)
{
    const projection_options *o = l->attr;
    if (lgi_layer_need(E, l, "classes", o->classes, 1) < 0)
        return E->status;
    return lgi_check_weight(E, l, &o->weight);
}

static lg_status projection_check_inputs(lg_engine *E, const lgi_layer *l,
                                         const lg_tensor *x)
{
    const projection_options *o = l->attr;
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* 1,f */
    if (x->ndim != 2 || x->dim[1] == 0)
        return lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,features}, got %s; %s",
                              LGI_SHAPE(x), x->ndim > 2 ? "put \"flatten\" before it, or "
                              "sum over the places" : "the first axis is the batch");
    if (w && w->dim[1] != x->dim[1])
        return lgi_layer_fail(E, LG_ESHAPE, l, "was built for %lld input features, got "
                              "%lld in %s; a layer keeps the sizes of its first input",
                              (long long)w->dim[1], (long long)x->dim[1], LGI_SHAPE(x));
    return lgi_check_labels(E, l, l->in[1], x->dim[0], o->classes);
}

static lg_status projection_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const projection_options *o = l->attr;
    if (projection_check_inputs(E, l, x) < 0)
        return E->status;
    int64_t f = x->dim[1];
    if (lgi_declare_weight(E, l, "weight", &o->weight, 0, 2, (int64_t[]){1, f}, f, 1) < 0
        || lgi_declare_weight(E, l, "embedding", &o->weight, 0, 2,
                              (int64_t[]){o->classes, f}, f, o->classes) < 0)
        return E->status;
    return o->bias ? lgi_declare_bias(E, l, 1, &o->weight, f) : LG_OK;
}

static lg_tensor *projection_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const projection_options *o = l->attr;
    if (projection_check_inputs(E, l, x) < 0)
        return NULL;
    lg_tensor *w = lgi_weight(E, l, "weight", &o->weight, 0);
    lg_tensor *rows = lgi_weight(E, l, "embedding", &o->weight, 0);    /* classes,f */
    lg_tensor *chosen = lgi_apply2(E, &lgi_op_embedding, rows, l->in[1], NULL);
    lg_tensor *fit = lgi_sum_dims(E, lgi_mul(E, chosen, x), &(lgi_list){1, {2}}, true);
    lg_tensor *in[] = {x, w, lgi_layer_param(l, "bias")};
    return lgi_add(E, lgi_apply(E, &lgi_op_linear, 3, in, NULL), fit);
}

static const lgi_layer_type projection_layer = {
    .name = "ProjectionHead",
    .args = "classes: whole, bias: flag = true, " LGI_WEIGHT_OPTIONS,
    .inputs = "x, labels",
    .doc = "A score for features x {n,f} and labels {n}, whole numbers from 1 to "
           "classes: x weight' + bias, plus the product of x with the row of the "
           "embedding that the label names, {n,1} (Miyato and Koyama 2018). weight is "
           "{1,f}, embedding {classes,f}, bias {1}; they begin as U(-k, k), k = 1 / "
           "sqrt(f), or, where init is given, as that says, and the bias at zero. The "
           "options are for weight and embedding. " LGI_WEIGHT_DOC,
    .attr_bytes = sizeof(projection_options), .check = projection_check,
    .build = projection_build, .forward = projection_forward,
    .samples = {"3,4; 3 index<5; classes=5", "2,3; 2 index<2; classes=2, bias=false",
                "4,2; 4 index<3; classes=3, spectral=true",
                "2,3; 2 index<2; classes=2, equalized=true",
                "3,2; 3 index<2; classes=2, weight_norm=true, init=xavier"}};

const lgi_layer_type *const lgi_layers_projection[] = {&projection_layer, NULL};
