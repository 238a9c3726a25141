/* conv1d.c - Conv1d and ConvTranspose1d: one weight at every place of a row. */
#include "nn/norm.h"

extern const lg_op lgi_op_conv1d, lgi_op_conv_transpose1d;

enum { MOST_LENGTH = 1 << 20 };        /* of a kernel: no product of sizes overflows */

typedef struct conv1d_options {
    int64_t out, kernel, stride, padding, dilation, groups, bias;
    lgi_weight_options weight;
    int64_t output_padding;            /* of ConvTranspose1d alone */
} conv1d_options;

#define CONV1D_OPTIONS                                                                \
    "out: whole, kernel: whole = 3, stride: whole = 1, padding: whole = 0, "          \
    "dilation: whole = 1, groups: whole = 1, bias: flag = true, " LGI_WEIGHT_OPTIONS

static lg_status conv1d_check(lg_engine *E, const lgi_layer *l)
{
    const conv1d_options *o = l->attr;
    if (lgi_layer_need(E, l, "out", o->out, 1) < 0
        || lgi_layer_need(E, l, "kernel", o->kernel, 1) < 0
        || lgi_layer_need(E, l, "stride", o->stride, 1) < 0
        || lgi_layer_need(E, l, "padding", o->padding, 0) < 0
        || lgi_layer_need(E, l, "dilation", o->dilation, 1) < 0
        || lgi_layer_need(E, l, "groups", o->groups, 1) < 0
        || lgi_layer_need(E, l, "output_padding", o->output_padding, 0) < 0)
        return E->status;
    if (o->kernel > MOST_LENGTH)
        return lgi_layer_fail(E, LG_EARG, l, "kernel must be %d or less", MOST_LENGTH);
    if (o->out % o->groups)
        return lgi_layer_fail(E, LG_EARG, l, "out is %lld, which groups, %lld, does not "
                              "divide", (long long)o->out, (long long)o->groups);
    return lgi_check_weight(E, l, &o->weight);
}

static lg_status conv1d_check_input(lg_engine *E, const lgi_layer *l, const lg_tensor *x,
                                    int64_t channels)  /* 0: any number */
{
    const conv1d_options *o = l->attr;
    if (lgi_need_channels(E, l, x, 3, 3, "{batch,channels,length}", channels) < 0)
        return E->status;
    if (x->dim[1] % o->groups)
        return lgi_layer_fail(E, LG_ESHAPE, l, "groups, %lld, must divide the input "
                              "channels, %lld in %s", (long long)o->groups,
                              (long long)x->dim[1], LGI_SHAPE(x));
    return LG_OK;
}

static lg_status conv1d_declare(lg_engine *E, lgi_layer *l, int axis,
                                const int64_t dim[3])
{
    const conv1d_options *o = l->attr;
    return lgi_declare_weighted(E, l, &o->weight, o->bias, axis, 3, dim, o->out);
}

static lg_tensor *conv1d_apply(lg_engine *E, lgi_layer *l, int axis, lg_tensor *x,
                               int64_t channels)
{
    const conv1d_options *o = l->attr;
    if (conv1d_check_input(E, l, x, channels) < 0)
        return NULL;
    return lgi_apply_weighted(E, l, &o->weight, axis, x);
}

/* Conv1d */

static lg_status conv1d_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const conv1d_options *o = l->attr;
    if (conv1d_check_input(E, l, x, 0) < 0)
        return E->status;
    return conv1d_declare(E, l, 0,
                          (int64_t[]){o->out, x->dim[1] / o->groups, o->kernel});
}

static lg_tensor *conv1d_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const conv1d_options *o = l->attr; /* x: n,c,l */
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* out,c/groups,k */
    return conv1d_apply(E, l, 0, x, w->dim[1] * o->groups);
}

/* ConvTranspose1d */

static lg_status conv_transpose1d_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const conv1d_options *o = l->attr;
    if (conv1d_check_input(E, l, x, 0) < 0)
        return E->status;
    return conv1d_declare(E, l, 1,
                          (int64_t[]){x->dim[1], o->out / o->groups, o->kernel});
}

static lg_tensor *conv_transpose1d_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* c,out/groups,k */
    return conv1d_apply(E, l, 1, x, w->dim[0]);
}

static const lgi_layer_type conv1d_layer = {
    .name = "Conv1d", .args = CONV1D_OPTIONS,
    .doc = "The operator conv1d with a weight of {out, c/groups, k} and a bias of {out}: "
           "{n,c,l} becomes {n,out,l'}. Both begin as U(-k, k), k = 1 / sqrt(c/groups "
           "kernel), as PyTorch's do; where init is given it is the weight's, and the "
           "bias begins at zero. " LGI_WEIGHT_DOC,
    .attr_bytes = sizeof(conv1d_options), .weighted = true, .op = &lgi_op_conv1d,
    .check = conv1d_check, .build = conv1d_build, .forward = conv1d_layer_forward,
    .samples = {"2,3,6; out=4, stride=2, padding=1", "1,2,4; out=2, kernel=1, bias=false",
                "2,4,5; out=6, groups=2, dilation=2, padding=2",
                "2,3,5; out=2, spectral=true"}};

static const lgi_layer_type conv_transpose1d_layer = {
    .name = "ConvTranspose1d", .args = CONV1D_OPTIONS ", output_padding: whole = 0",
    .doc = "The operator conv_transpose1d with a weight of {c, out/groups, k} and a bias "
           "of {out}: {n,c,l} becomes {n,out,l'}, longer by stride. Both begin as U(-k, "
           "k), k = 1 / sqrt(out/groups kernel), as PyTorch's do; where init is given it "
           "is the weight's, and the bias begins at zero. " LGI_WEIGHT_DOC,
    .attr_bytes = sizeof(conv1d_options), .weighted = true,
    .op = &lgi_op_conv_transpose1d,
    .check = conv1d_check, .build = conv_transpose1d_build,
    .forward = conv_transpose1d_layer_forward,
    .samples = {"2,3,3; out=2, kernel=4, stride=2, padding=1",
                "1,2,3; out=3, stride=2, padding=1, output_padding=1, bias=false",
                "1,4,2; out=2, groups=2, dilation=2", "1,2,2; out=3, weight_norm=true"}};

const lgi_layer_type *const lgi_layers_conv1d[] = {&conv1d_layer, &conv_transpose1d_layer,
                                                   NULL};
