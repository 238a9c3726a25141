/*
 * cond_norm.c - ConditionalBatchNorm and AdaIN: normalizations whose weight and bias are
 * not the layer's, but those of each sample, given by a label or a vector.
 */
#include "nn/cond.h"
#include "nn/norm.h"

#include <math.h>
#include <string.h>

extern const lg_op lgi_op_batch_norm, lgi_op_instance_norm, lgi_op_linear;
extern const lg_op lgi_op_embedding, lgi_op_narrow, lgi_op_reshape;

/* Labels and styles */

lg_status lgi_check_label_numbers(lg_engine *E, const lgi_layer *l,
                                  const lg_tensor *labels, int64_t classes)
{
    for (int64_t i = 0; i < labels->numel; i++) {
        double v = (double)labels->data[i];
        if (!(v >= 1 && v <= (double)classes))
            return lgi_layer_fail(E, LG_EARG, l, "label %.9g is out of 1..%lld: number "
                                  "%lld of %s%s", v, (long long)classes,
                                  (long long)i + 1, LGI_SHAPE(labels),
                                  v == 0 ? "; labels count from 1" : "");
        if (v != floor(v))
            return lgi_layer_fail(E, LG_EARG, l, "label %.9g, number %lld of %s, is no "
                                  "whole number", v, (long long)i + 1,
                                  LGI_SHAPE(labels));
    }
    return LG_OK;
}

lg_status lgi_check_labels(lg_engine *E, const lgi_layer *l, const lg_tensor *labels,
                           int64_t n, int64_t classes)
{
    if (labels->ndim == 1 && labels->dim[0] == n)
        return lgi_check_label_numbers(E, l, labels, classes);
    return lgi_layer_fail(E, LG_ESHAPE, l, "labels must be {%lld}, a whole number for "
                          "each sample, got %s%s", (long long)n, LGI_SHAPE(labels),
                          labels->ndim == 2 ? "; of one-hot rows take argmax(2)" : "");
}

lg_status lgi_check_style(lg_engine *E, const lgi_layer *l, int64_t n, int64_t built)
{
    const lg_tensor *style = l->in[1];
    if (style->ndim != 2 || style->dim[0] != n || style->dim[1] == 0)
        return lgi_layer_fail(E, LG_ESHAPE, l, "its second input must be "
                              "{%lld,features}, a vector for each sample, got %s",
                              (long long)n, LGI_SHAPE(style));
    if (built && style->dim[1] != built)
        return lgi_layer_fail(E, LG_ESHAPE, l, "was built for vectors of %lld features, "
                              "got %lld in %s; a layer keeps the sizes of its first "
                              "inputs", (long long)built, (long long)style->dim[1],
                              LGI_SHAPE(style));
    return LG_OK;
}

lg_status lgi_declare_map(lg_engine *E, lgi_layer *l, const char *name,
                          const lgi_weight_options *o, int64_t out, int64_t s)
{
    return lgi_declare_weight(E, l, name, o, 0, 2, (int64_t[]){out, s}, s, out);
}

lg_tensor *lgi_map_style(lg_engine *E, lgi_layer *l, const char *name,
                         const lgi_weight_options *o, lg_tensor *style, lg_tensor *b)
{
    lg_tensor *w = lgi_weight(E, l, name, o, 0);
    if (o->equalized)
        w = lgi_affine(E, w, sqrt(0.5), 0);
    return lgi_apply(E, &lgi_op_linear, 3, (lg_tensor *[]){style, w, b}, NULL);
}

lg_tensor *lgi_beside_places(lg_engine *E, lg_tensor *t, const lg_tensor *x)
{
    lgi_list dims = {.n = x->ndim};
    for (int i = 0; t && i < x->ndim; i++)
        dims.at[i] = i < 2 ? t->dim[i] : 1;
    return t ? lgi_apply1(E, &lgi_op_reshape, t, &dims) : NULL;
}

/* ConditionalBatchNorm */

typedef struct cond_norm_options {
    int64_t classes;
    double eps, momentum;
    lgi_weight_options map;
} cond_norm_options;

static lg_status cond_norm_check(lg_engine *E, const lgi_layer *l)
{
    const cond_norm_options *o = l->attr;
    const lgi_weight_options *m = &o->map;
    bool plain = !m->spectral && !m->weight_norm && !m->equalized
                 && strcmp(m->init.s, "default") == 0;
    if (lgi_layer_need(E, l, "classes", o->classes, 0) < 0
        || lgi_check_eps(E, l, o->eps) < 0
        || lgi_check_momentum(E, l, o->momentum) < 0)
        return E->status;
    if (o->classes && !plain)
        return lgi_layer_fail(E, LG_EARG, l, "init, spectral, weight_norm and equalized "
                              "are for the map of a vector, and labels have none; leave "
                              "out classes, or them");
    return lgi_check_weight(E, l, m);
}

static lg_status cond_norm_check_inputs(lg_engine *E, const lgi_layer *l,
                                        const lg_tensor *x)
{
    const cond_norm_options *o = l->attr;
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* classes,c or c,s */
    if (lgi_check_batch(E, l, x) < 0)
        return E->status;
    if (o->classes)
        return lgi_check_labels(E, l, l->in[1], x->dim[0], o->classes);
    if (l->in[1]->ndim == 1)
        return lgi_layer_fail(E, LG_ESHAPE, l, "its second input must be "
                              "{%lld,features}, got %s; for labels give classes, how "
                              "many there are", (long long)x->dim[0],
                              LGI_SHAPE(l->in[1]));
    return lgi_check_style(E, l, x->dim[0], w ? w->dim[1] : 0);
}

static lg_status cond_norm_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const cond_norm_options *o = l->attr;
    if (cond_norm_check_inputs(E, l, x) < 0)
        return E->status;
    int64_t c = x->dim[1], rows[] = {o->classes, c};
    int64_t s = o->classes ? 0 : l->in[1]->dim[1];
    if (o->classes && (lgi_declare(E, l, "weight", 2, rows, "ones", c, c) < 0
                       || lgi_declare(E, l, "bias", 2, rows, "zeros", c, c) < 0))
        return E->status;
    if (!o->classes && (lgi_declare_map(E, l, "weight", &o->map, c, s) < 0
                        || lgi_declare_map(E, l, "bias", &o->map, c, s) < 0))
        return E->status;
    return lgi_declare_running(E, l, c);
}

/* What the second input says of a parameter: n,c,1,... */
static lg_tensor *cond_rows(lg_engine *E, lgi_layer *l, const char *name,
                            const lg_tensor *x)
{
    const cond_norm_options *o = l->attr;
    lg_tensor *y = o->classes ? lgi_apply2(E, &lgi_op_embedding, lgi_layer_param(l, name),
                                           l->in[1], NULL)
                              : lgi_map_style(E, l, name, &o->map, l->in[1], NULL);
    if (!o->classes && strcmp(name, "weight") == 0)
        y = lgi_affine(E, y, 1, 1);
    return lgi_beside_places(E, y, x);
}

static lg_tensor *cond_norm_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const cond_norm_options *o = l->attr;
    if (cond_norm_check_inputs(E, l, x) < 0)
        return NULL;
    lg_tensor *w = cond_rows(E, l, "weight", x), *b = cond_rows(E, l, "bias", x);
    if (!w || !b)
        return NULL;
    lg_tensor *h = lgi_normalize_batch(E, l, x, o->momentum, NULL, NULL);
    return lgi_add(E, lgi_mul(E, h, w), b);
}

/* AdaIN */

typedef struct adain_options {
    double eps;
    lgi_weight_options map;
} adain_options;

static lg_status adain_check(lg_engine *E, const lgi_layer *l)
{
    const adain_options *o = l->attr;
    return lgi_check_eps(E, l, o->eps) < 0 ? E->status : lgi_check_weight(E, l, &o->map);
}

static lg_status adain_check_inputs(lg_engine *E, const lgi_layer *l, const lg_tensor *x)
{
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* 2c,s */
    if (lgi_need_channels(E, l, x, 3, LG_MAX_DIM, "{batch,channels,height,width}",
                          w ? w->dim[0] / 2 : 0) < 0)
        return E->status;
    if (lgi_product_of(x->dim + 2, x->ndim - 2) == 1)
        return lgi_layer_fail(E, LG_ESHAPE, l, "%s has one number a channel of a sample, "
                              "and normalizing it leaves nothing of it; use it where "
                              "images are larger", LGI_SHAPE(x));
    return lgi_check_style(E, l, x->dim[0], w ? w->dim[1] : 0);
}

static lg_status adain_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const adain_options *o = l->attr;
    if (adain_check_inputs(E, l, x) < 0)
        return E->status;
    int64_t twice = 2 * x->dim[1];
    if (lgi_declare_map(E, l, "weight", &o->map, twice, l->in[1]->dim[1]) < 0)
        return E->status;
    return lgi_declare(E, l, "bias", 1, &twice, "zeros", twice, twice);
}

/* The scales, or the shifts, as one row: n*c */
static lg_tensor *adain_half(lg_engine *E, lg_tensor *both, int64_t first, int64_t c)
{
    lg_tensor *y = lgi_apply1(E, &lgi_op_narrow, both, (int64_t[]){2, first, c});
    return y ? lgi_apply1(E, &lgi_op_reshape, y, &(lgi_list){1, {y->numel}}) : NULL;
}

/* Each channel of each sample is a channel to instance_norm, which so does it all. */
static lg_tensor *adain_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const adain_options *o = l->attr;
    if (adain_check_inputs(E, l, x) < 0)
        return NULL;
    int64_t c = x->dim[1], rows = x->dim[0] * c;
    lgi_list flat = {3, {1, rows, lgi_product_of(x->dim + 2, x->ndim - 2)}};
    lg_tensor *both = lgi_map_style(E, l, "weight", &o->map, l->in[1],
                                    lgi_layer_param(l, "bias"));       /* n,2c */
    lg_tensor *in[] = {lgi_apply1(E, &lgi_op_reshape, x, &flat),
                       lgi_affine(E, adain_half(E, both, 1, c), 1, 1),
                       adain_half(E, both, c + 1, c)};
    return lgi_reshape_to(E, lgi_apply_layer_op(E, l, 3, in), x);
}

static const lgi_layer_type cond_norm_layer = {
    .name = "ConditionalBatchNorm",
    .args = "classes: whole = 0, eps: number = 1e-5, momentum: number = 0.1, "
            LGI_WEIGHT_OPTIONS,
    .inputs = "x, y",
    .doc = "Batch normalization of x {n,c,...}, times a weight and plus a bias of each "
           "sample's own, which y gives. With classes, y is labels {n}, whole numbers "
           "from 1, and weight and bias are {classes,c}, a row for each label, ones and "
           "zeros at first (Dumoulin et al. 2017, de Vries et al. 2017). Without, y is "
           "vectors {n,features}, say noise and a shared embedding of the labels, that "
           "are mapped: 1 + y weight' and y bias', with weight and bias {c,features} "
           "(Brock et al. 2019). These maps begin as U(-k, k), k = 1 / sqrt(features), "
           "or as init says. Statistics are as in BatchNorm: those of the batch in "
           "training, running_mean and running_var in eval mode. " LGI_WEIGHT_DOC
           " A map's equalized scale is 1 / sqrt(features).",
    .attr_bytes = sizeof(cond_norm_options), .op = &lgi_op_batch_norm,
    .check = cond_norm_check, .build = cond_norm_build, .forward = cond_norm_forward,
    .samples = {"4,3,2,2; 4 index<3; classes=3", "5,2; 5 index<2; classes=2, eps=0.01",
                "3,2,2; 3,4", "2,2,2,3; 2,3; equalized=true",
                "3,2,2; 3,4; spectral=true", "3,2; 3,2; weight_norm=true",
                "2,2,1,3,1; 2,2; init=normal 0.5"}};

static const lgi_layer_type adain_layer = {
    .name = "AdaIN", .args = "eps: number = 1e-5, " LGI_WEIGHT_OPTIONS,
    .inputs = "x, style",
    .doc = "Adaptive instance normalization: each channel of each sample of x {n,c,...} "
           "normalized by its own mean and variance, times 1 + the first half of s, plus "
           "the second, where s = style weight' + bias is {n,2c} of styles {n,features} "
           "(Huang and Belongie 2017; the map is StyleGAN's, Karras et al. 2019). The "
           "weight is {2c,features} and begins as U(-k, k), k = 1 / sqrt(features), or "
           "as init says, the bias {2c} at zero. " LGI_WEIGHT_DOC " Its equalized scale "
           "is 1 / sqrt(features).",
    .attr_bytes = sizeof(adain_options), .op = &lgi_op_instance_norm,
    .check = adain_check, .build = adain_build, .forward = adain_forward,
    .samples = {"2,3,2,2; 2,4", "3,1,4; 3,2; eps=0.01", "1,2,2,3; 1,3; equalized=true",
                "2,2,3; 2,2; weight_norm=true", "2,2,2,2; 2,3; spectral=true"}};

const lgi_layer_type *const lgi_layers_cond_norm[] = {&cond_norm_layer, &adain_layer,
                                                      NULL};
