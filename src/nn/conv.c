/* conv.c - Conv2d and ConvTranspose2d: one weight at every place of an image. */
#include "nn/layer.h"

extern const lg_op lgi_op_conv2d, lgi_op_conv_transpose2d;

enum { MOST_SIDE = 1 << 10 };          /* of a kernel: no product of sizes overflows */

typedef struct conv_options {
    int64_t out;
    lgi_pair kernel, stride, padding, dilation;
    int64_t groups, bias;
    lgi_weight_options weight;
    lgi_pair output_padding;           /* of ConvTranspose2d alone */
} conv_options;

#define CONV_OPTIONS                                                                  \
    "out: whole, kernel: pair = 3, stride: pair = 1, padding: pair = 0, "             \
    "dilation: pair = 1, groups: whole = 1, bias: flag = true, " LGI_WEIGHT_OPTIONS

static lg_status conv_need_pair(lg_engine *E, const lgi_layer *l, const char *option,
                                lgi_pair p, int64_t least)
{
    return lgi_layer_need(E, l, option, p.h < p.w ? p.h : p.w, least);
}

static lg_status conv_check(lg_engine *E, const lgi_layer *l)
{
    const conv_options *o = l->attr;
    if (lgi_layer_need(E, l, "out", o->out, 1) < 0
        || lgi_layer_need(E, l, "groups", o->groups, 1) < 0
        || conv_need_pair(E, l, "kernel", o->kernel, 1) < 0
        || conv_need_pair(E, l, "stride", o->stride, 1) < 0
        || conv_need_pair(E, l, "padding", o->padding, 0) < 0
        || conv_need_pair(E, l, "dilation", o->dilation, 1) < 0
        || conv_need_pair(E, l, "output_padding", o->output_padding, 0) < 0)
        return E->status;
    if (o->kernel.h > MOST_SIDE || o->kernel.w > MOST_SIDE)
        return lgi_layer_fail(E, LG_EARG, l, "kernel must be %d or less", MOST_SIDE);
    if (o->out % o->groups)
        return lgi_layer_fail(E, LG_EARG, l, "out is %lld, which groups, %lld, does not "
                              "divide", (long long)o->out, (long long)o->groups);
    return lgi_check_weight(E, l, &o->weight);
}

static lg_status conv_check_image(lg_engine *E, const lgi_layer *l, const lg_tensor *x,
                                  int64_t channels)    /* 0: any number */
{
    const conv_options *o = l->attr;
    if (x->ndim != 4)
        return lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,channels,height,width}, "
                              "got %s; put nn.Reshape{channels, height, width} before it",
                              LGI_SHAPE(x));
    if (channels && x->dim[1] != channels)
        return lgi_layer_fail(E, LG_ESHAPE, l, "was built for %lld input channels, got "
                              "%lld in %s; a layer keeps the sizes of its first input",
                              (long long)channels, (long long)x->dim[1], LGI_SHAPE(x));
    if (x->dim[1] == 0 || x->dim[1] % o->groups)
        return lgi_layer_fail(E, LG_ESHAPE, l, "groups, %lld, must divide the input "
                              "channels, %lld in %s", (long long)o->groups,
                              (long long)x->dim[1], LGI_SHAPE(x));
    return LG_OK;
}

static lg_status conv_declare(lg_engine *E, lgi_layer *l, int axis,
                              const int64_t dim[4])
{
    const conv_options *o = l->attr;
    return lgi_declare_weighted(E, l, &o->weight, o->bias, axis, 4, dim, o->out);
}

static lg_tensor *conv_apply(lg_engine *E, lgi_layer *l, int axis, lg_tensor *x,
                             int64_t channels)
{
    const conv_options *o = l->attr;
    if (conv_check_image(E, l, x, channels) < 0)
        return NULL;
    return lgi_apply_weighted(E, l, &o->weight, axis, x);
}

/* Conv2d */

static lg_status conv2d_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const conv_options *o = l->attr;
    if (conv_check_image(E, l, x, 0) < 0)
        return E->status;
    return conv_declare(E, l, 0, (int64_t[]){o->out, x->dim[1] / o->groups,
                                             o->kernel.h, o->kernel.w});
}

static lg_tensor *conv2d_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const conv_options *o = l->attr;   /* x: n,c,h,w */
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* out,c/groups,kh,kw */
    return conv_apply(E, l, 0, x, w->dim[1] * o->groups);
}

/* ConvTranspose2d */

static lg_status conv_transpose2d_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const conv_options *o = l->attr;
    if (conv_check_image(E, l, x, 0) < 0)
        return E->status;
    return conv_declare(E, l, 1, (int64_t[]){x->dim[1], o->out / o->groups,
                                             o->kernel.h, o->kernel.w});
}

static lg_tensor *conv_transpose2d_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* c,out/groups,kh,kw */
    return conv_apply(E, l, 1, x, w->dim[0]);
}

static const lgi_layer_type conv2d_layer = {
    .name = "Conv2d", .args = CONV_OPTIONS,
    .doc = "The operator conv2d with a weight of {out, c/groups, kh, kw} and a bias of "
           "{out}: {n,c,h,w} becomes {n,out,h',w'}. Both begin as U(-k, k), k = 1 / "
           "sqrt(c/groups kh kw), as PyTorch's do; where init is given it is the "
           "weight's, and the bias begins at zero. " LGI_WEIGHT_DOC,
    .attr_bytes = sizeof(conv_options), .weighted = true, .op = &lgi_op_conv2d,
    .check = conv_check, .build = conv2d_build, .forward = conv2d_layer_forward,
    .leads = true,
    .samples = {"2,3,6,5; out=4, stride=2, padding=1", "1,2,4,4; out=2, kernel={1,3}, "
                                                       "bias=false",
                "2,4,5,5; out=6, groups=2, dilation=2, padding=2",
                "2,3,4,4; out=2, spectral=true", "2,2,3,3; out=2, equalized=true",
                "1,2,4,4; out=3, weight_norm=true, init=normal"}};

static const lgi_layer_type conv_transpose2d_layer = {
    .name = "ConvTranspose2d", .args = CONV_OPTIONS ", output_padding: pair = 0",
    .doc = "The operator conv_transpose2d with a weight of {c, out/groups, kh, kw} and a "
           "bias of {out}: {n,c,h,w} becomes {n,out,h',w'}, larger by stride. Both begin "
           "as U(-k, k), k = 1 / sqrt(out/groups kh kw), as PyTorch's do; where init is "
           "given it is the weight's, and the bias begins at zero. " LGI_WEIGHT_DOC,
    .attr_bytes = sizeof(conv_options), .weighted = true, .op = &lgi_op_conv_transpose2d,
    .check = conv_check, .build = conv_transpose2d_build,
    .forward = conv_transpose2d_layer_forward, .leads = true,
    .samples = {"2,3,3,4; out=2, kernel=4, stride=2, padding=1",
                "1,2,3,3; out=3, stride=2, padding=1, output_padding=1, bias=false",
                "1,4,2,2; out=2, groups=2", "2,3,2,2; out=2, spectral=true",
                "1,2,2,2; out=3, equalized=true",
                "1,2,2,2; out=3, weight_norm=true, init=normal"}};

const lgi_layer_type *const lgi_layers_conv[] = {&conv2d_layer, &conv_transpose2d_layer,
                                                 NULL};
