/*
 * attention.c - SelfAttention: every place of an image looks at every other ("Self-
 * Attention Generative Adversarial Networks", Zhang et al. 2018).
 *
 * As in the code of its authors, queries and keys have an eighth of the channels and
 * values half of them; max-pooled keys and values are BigGAN's (Brock et al. 2018).
 */
#include "nn/norm.h"

extern const lg_op lgi_op_conv2d, lgi_op_max_pool2d, lgi_op_softmax, lgi_op_reshape;

typedef struct attention_options {
    int64_t reduction, pool;
    lgi_weight_options weight;
} attention_options;

static lg_status attention_check(lg_engine *E, const lgi_layer *l)
{
    const attention_options *o = l->attr;
    if (lgi_layer_need(E, l, "reduction", o->reduction, 1) < 0)
        return E->status;
    return lgi_check_weight(E, l, &o->weight);
}

static lg_status attention_check_input(lg_engine *E, const lgi_layer *l,
                                       const lg_tensor *x)
{
    const attention_options *o = l->attr;
    const lg_tensor *query = lgi_layer_param(l, "query");
    if (lgi_need_channels(E, l, x, 4, 4, "{batch,channels,height,width}",
                          query ? query->dim[1] : 0) < 0)
        return E->status;
    int64_t least = o->pool ? 2 : 1;
    if (x->dim[2] < least || x->dim[3] < least)
        return lgi_layer_fail(E, LG_ESHAPE, l, "images must be %lldx%lld or larger, got "
                              "%s", (long long)least, (long long)least, LGI_SHAPE(x));
    return LG_OK;
}

/* The weight of a 1x1 convolution. */
static lg_status attention_declare(lg_engine *E, lgi_layer *l, const char *name,
                                   int64_t out, int64_t in)
{
    const attention_options *o = l->attr;
    int64_t dim[] = {out, in, 1, 1};
    return lgi_declare_weight(E, l, name, &o->weight, 0, 4, dim, in, out);
}

static lg_status attention_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const attention_options *o = l->attr;
    if (attention_check_input(E, l, x) < 0)
        return E->status;
    int64_t c = x->dim[1], one = 1;
    int64_t less = c / o->reduction > 1 ? c / o->reduction : 1;
    int64_t half = c > 1 ? c / 2 : 1;
    if (attention_declare(E, l, "query", less, c) < 0
        || attention_declare(E, l, "key", less, c) < 0
        || attention_declare(E, l, "value", half, c) < 0
        || attention_declare(E, l, "output", c, half) < 0)
        return E->status;
    return lgi_declare(E, l, "gamma", 1, &one, "zeros", 1, 1);
}

static lg_tensor *attention_conv(lg_engine *E, lgi_layer *l, const char *name,
                                 lg_tensor *x)
{
    const attention_options *o = l->attr;
    lg_tensor *w = lgi_weight(E, l, name, &o->weight, 0);
    return x && w ? lgi_apply_layer_op(E, l, 3, (lg_tensor *[]){x, w, NULL}) : NULL;
}

static lg_tensor *as_places(lg_engine *E, lg_tensor *x)        /* n,c,h,w: n,c,h*w */
{
    return x ? lgi_apply1(E, &lgi_op_reshape, x,
                          &(lgi_list){3, {x->dim[0], x->dim[1], x->dim[2] * x->dim[3]}})
             : NULL;
}

static lg_tensor *seen_places(lg_engine *E, lgi_layer *l, const char *name, lg_tensor *x)
{
    static const struct { lgi_pair kernel, stride, padding; } halve = {{2, 2}, {2, 2},
                                                                       {0, 0}};
    const attention_options *o = l->attr;
    lg_tensor *y = attention_conv(E, l, name, x);
    return as_places(E, o->pool ? lgi_apply1(E, &lgi_op_max_pool2d, y, &halve) : y);
}

static lg_tensor *attention_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    if (attention_check_input(E, l, x) < 0)
        return NULL;
    lg_tensor *query = as_places(E, attention_conv(E, l, "query", x)); /* n,c/8,p */
    lg_tensor *key = seen_places(E, l, "key", x);                      /* n,c/8,s */
    lg_tensor *value = seen_places(E, l, "value", x);                  /* n,c/2,s */
    lg_tensor *fit = lgi_matmul(E, query, key, true, false);           /* n,p,s */
    lg_tensor *share = lgi_apply1(E, &lgi_op_softmax, fit, (int64_t[]){3, 0});
    lg_tensor *mix = lgi_matmul(E, value, share, false, true);         /* n,c/2,p */
    if (!mix)
        return NULL;
    lgi_list image = {4, {x->dim[0], mix->dim[1], x->dim[2], x->dim[3]}};
    lg_tensor *y = attention_conv(E, l, "output",
                                  lgi_apply1(E, &lgi_op_reshape, mix, &image));
    return lgi_add(E, x, lgi_mul(E, y, lgi_layer_param(l, "gamma")));
}

static const lgi_layer_type attention_layer = {
    .name = "SelfAttention",
    .args = "reduction: whole = 8, pool: flag = false, " LGI_WEIGHT_OPTIONS,
    .doc = "x + gamma o, where o mixes for each place of images {n,c,h,w} the values of "
           "all places: their shares are the softmax of the products of its query with "
           "their keys (Zhang et al. 2018). Four 1x1 convolutions without bias: query "
           "and key have c/reduction channels, value c/2, output c. gamma {1} begins at "
           "0, so that the layer begins as x itself. With pool, keys and values are "
           "max-pooled to half the size (Brock et al. 2018). " LGI_WEIGHT_DOC,
    .attr_bytes = sizeof(attention_options), .op = &lgi_op_conv2d,
    .check = attention_check, .build = attention_build, .forward = attention_forward,
    .samples = {"2,4,3,2; reduction=2", "1,3,4,4; pool=true", "2,1,1,1",
                "1,2,2,3; spectral=true"}};

const lgi_layer_type *const lgi_layers_attention[] = {&attention_layer, NULL};
