/*
 * modulated.c - ModulatedConv2d: a convolution whose weight a style scales for each
 * sample ("Analyzing and Improving the Image Quality of StyleGAN", Karras et al. 2020).
 *
 * The paper makes a weight for each sample, w s, divided by the length of each output's
 * part. Scaling the input channels by s and the output channels by one over that length
 * is the same, since convolution is linear, and leaves one weight for the whole batch:
 * one large product, where the grouped convolution of the paper is many small ones.
 */
#include "nn/cond.h"
#include "nn/norm.h"
#include "op/conv.h"

#include <string.h>

extern const lg_op lgi_op_square, lgi_op_rsqrt, lgi_op_permute, lgi_op_blur;
extern const lg_op lgi_op_narrow, lgi_op_reshape;

enum { MOST_TAPS = 1023 };             /* so that no product of sizes overflows */

typedef struct modulated_options {
    int64_t out;
    lgi_pair kernel;
    int64_t upsample, demodulate, bias;
    lgi_text init;
    int64_t equalized;
} modulated_options;

static lg_status modulated_check(lg_engine *E, const lgi_layer *l)
{
    const modulated_options *o = l->attr;
    lgi_pair k = o->kernel;
    lgi_weight_options w = {.init = o->init, .equalized = o->equalized};
    if (lgi_layer_need(E, l, "out", o->out, 1) < 0
        || lgi_layer_need(E, l, "kernel", k.h < k.w ? k.h : k.w, 1) < 0)
        return E->status;
    if (k.h > MOST_TAPS || k.w > MOST_TAPS || o->out > LGI_MAX_NUMEL)
        return lgi_layer_fail(E, LG_EARG, l, "its weight would have more than 2^40 "
                              "numbers, or a kernel of more than %d", (int)MOST_TAPS);
    if (k.h % 2 == 0 || k.w % 2 == 0)
        return lgi_layer_fail(E, LG_EARG, l, "kernel must be odd, so that images keep "
                              "their size, and is {%lld,%lld}", (long long)k.h,
                              (long long)k.w);
    return lgi_check_weight(E, l, &w);
}

static lg_status modulated_check_inputs(lg_engine *E, const lgi_layer *l,
                                        const lg_tensor *x)
{
    const lg_tensor *w = lgi_layer_param(l, "style_weight");           /* c,s */
    if (lgi_need_channels(E, l, x, 4, 4, "{batch,channels,height,width}",
                          w ? w->dim[0] : 0) < 0)
        return E->status;
    if (x->dim[2] == 0 || x->dim[3] == 0)
        return lgi_layer_fail(E, LG_ESHAPE, l, "images must be 1x1 or larger, got %s",
                              LGI_SHAPE(x));
    return lgi_check_style(E, l, x->dim[0], w ? w->dim[1] : 0);
}

static lgi_weight_options style_options(const modulated_options *o)
{
    return (lgi_weight_options){.init = {"default"}, .equalized = o->equalized};
}

static lg_status modulated_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const modulated_options *o = l->attr;
    lgi_weight_options w = {.init = o->init, .equalized = o->equalized};
    lgi_weight_options style = style_options(o);
    if (modulated_check_inputs(E, l, x) < 0)
        return E->status;
    int64_t c = x->dim[1], area = o->kernel.h * o->kernel.w;
    int64_t dim[] = {o->out, c, o->kernel.h, o->kernel.w};
    if (lgi_declare_weight(E, l, "weight", &w, 0, 4, dim, c * area, o->out * area) < 0
        || lgi_declare_map(E, l, "style_weight", &style, c, l->in[1]->dim[1]) < 0
        || lgi_declare(E, l, "style_bias", 1, &c, "ones", c, c) < 0)
        return E->status;
    return o->bias ? lgi_declare_bias(E, l, o->out, &w, c * area) : LG_OK;
}

/* One over the length of w s, for each sample and output: n,out. */
static lg_tensor *demodulation(lg_engine *E, lg_tensor *w, lg_tensor *s)
{
    lg_tensor *parts = lgi_sum_dims(E, lgi_apply1(E, &lgi_op_square, w, NULL),
                                    &(lgi_list){2, {3, 4}}, false);    /* out,c */
    lg_tensor *square = lgi_apply1(E, &lgi_op_square, s, NULL);        /* n,c */
    lg_tensor *sum = lgi_matmul(E, square, parts, false, true);
    return lgi_apply1(E, &lgi_op_rsqrt, lgi_affine(E, sum, 1, 1e-8), NULL);
}

static lg_tensor *same_size(lg_engine *E, lg_tensor *x, lg_tensor *w)
{
    if (!x || !w)
        return NULL;
    lgi_conv v = {.n = x->dim[0], .c = x->dim[1], .h = x->dim[2], .w = x->dim[3],
                  .out = w->dim[0], .oh = x->dim[2], .ow = x->dim[3], .kh = w->dim[2],
                  .kw = w->dim[3], .sh = 1, .sw = 1, .ph = w->dim[2] / 2,
                  .pw = w->dim[3] / 2, .dh = 1, .dw = 1, .groups = 1};
    return lgi_apply_conv_y(E, &v, x, w);
}

/* The middle of y along an axis: what a kernel of so many taps put around 2 size. */
static lg_tensor *middle_of(lg_engine *E, lg_tensor *y, int64_t dim, int64_t taps,
                            int64_t size)
{
    int64_t first = (taps - 1) / 2 + 1;
    return lgi_apply1(E, &lgi_op_narrow, y, (int64_t[]){dim, first, 2 * size});
}

/*
 * Twice the size, as the paper's code has it: the transpose of a convolution with stride
 * 2, then the filter {1,3,3,1}, whose result begins half a kernel late, and is cut.
 */
static lg_tensor *twice_the_size(lg_engine *E, lg_tensor *x, lg_tensor *w)
{
    static const struct { lgi_numbers kernel; int64_t stride, padding; } filter = {
        {4, {1, 3, 3, 1}}, 1, 0};
    if (!x || !w)
        return NULL;
    int64_t kh = w->dim[2], kw = w->dim[3];
    lgi_conv v = {.n = x->dim[0], .out = x->dim[1], .oh = x->dim[2], .ow = x->dim[3],
                  .c = w->dim[0], .kh = kh, .kw = kw,
                  .h = 2 * x->dim[2] - 2 + (kh > 1 ? kh : 2),
                  .w = 2 * x->dim[3] - 2 + (kw > 1 ? kw : 2), .sh = 2, .sw = 2, .dh = 1,
                  .dw = 1, .groups = 1};
    lg_tensor *turned = lgi_apply1(E, &lgi_op_permute, w, &(lgi_list){4, {2, 1, 3, 4}});
    lg_tensor *y = lgi_apply_conv_x(E, &v, x, turned);
    y = lgi_apply1(E, &lgi_op_blur, y, &filter);
    return middle_of(E, middle_of(E, y, 3, kh, x->dim[2]), 4, kw, x->dim[3]);
}

static lg_tensor *modulated_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const modulated_options *o = l->attr;
    lgi_weight_options of_w = {.equalized = o->equalized}, of_style = style_options(o);
    lg_tensor *b = lgi_layer_param(l, "bias");
    if (modulated_check_inputs(E, l, x) < 0)
        return NULL;
    lg_tensor *w = lgi_weight(E, l, "weight", &of_w, 0);
    lg_tensor *s = lgi_map_style(E, l, "style_weight", &of_style, l->in[1],
                                 lgi_layer_param(l, "style_bias"));    /* n,c */
    lg_tensor *by = o->upsample ? lgi_affine(E, s, 4, 0) : s;  /* 3 of 4 places are 0 */
    lg_tensor *scaled = lgi_mul(E, x, lgi_beside_places(E, by, x));
    lg_tensor *y = o->upsample ? twice_the_size(E, scaled, w) : same_size(E, scaled, w);
    if (o->demodulate && y)
        y = lgi_mul(E, y, lgi_beside_places(E, demodulation(E, w, s), y));
    lgi_list beside = {4, {1, o->out, 1, 1}};
    return b ? lgi_add(E, y, lgi_apply1(E, &lgi_op_reshape, b, &beside)) : y;
}

static const lgi_layer_type modulated_layer = {
    .name = "ModulatedConv2d",
    .args = "out: whole, kernel: pair = 3, upsample: flag = false, "
            "demodulate: flag = true, bias: flag = true, init: text = default, "
            "equalized: flag = false",
    .inputs = "x, style",
    .doc = "A convolution of x {n,c,h,w} whose weight {out,c,kh,kw} is scaled for each "
           "sample along c by s = style style_weight' + style_bias, {n,c} of styles "
           "{n,features}, and, if demodulate, then divided for each output by its "
           "length, sqrt(sum((w s)^2) + 1e-8): {n,out,h,w}, or with upsample "
           "{n,out,2h,2w}, by the transpose with stride 2 and the filter {1,3,3,1} "
           "(StyleGAN2, Karras et al. 2020). bias {out} is added last. kernel is odd, "
           "and the padding keeps the size. weight and bias begin as those of Conv2d, "
           "style_weight {c,features} as U(-k, k), k = 1 / sqrt(features), style_bias "
           "{c} at one. Equalized, both weights begin at N(0, 1) and are scaled by "
           "sqrt(2 / inputs) and 1 / sqrt(features), and the bias begins at zero.",
    .attr_bytes = sizeof(modulated_options), .weighted = true, .check = modulated_check,
    .build = modulated_build, .forward = modulated_forward,
    .samples = {"2,3,4,3; 2,4; out=2", "2,2,3,3; 2,3; out=3, kernel=1, demodulate=false",
                "1,2,2,3; 1,2; out=2, upsample=true, equalized=true",
                "2,2,2,2; 2,2; out=1, upsample=true, kernel={1,3}, bias=false",
                "1,2,3,3; 1,2; out=2, kernel={3,5}, equalized=true",
                "1,1,2,3; 1,2; out=2, upsample=true, kernel=5, demodulate=false, "
                "init=xavier"}};

const lgi_layer_type *const lgi_layers_modulated[] = {&modulated_layer, NULL};
