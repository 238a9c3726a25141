/* norm.c - BatchNorm: batch normalization with running statistics for later use. */
#include "nn/layer.h"

extern const lg_op lgi_op_batch_norm, lgi_op_batch_norm_eval;

typedef struct batch_norm_options {
    double eps, momentum;
    int64_t affine;
} batch_norm_options;

static lg_status batch_norm_check(lg_engine *E, const lgi_layer *l)
{
    const batch_norm_options *o = l->attr;
    if (!(o->eps >= 0))
        return lgi_layer_fail(E, LG_EARG, l, "eps must be 0 or more, not %g", o->eps);
    if (!(o->momentum >= 0 && o->momentum <= 1))
        return lgi_layer_fail(E, LG_EARG, l, "momentum must be from 0 to 1, not %g",
                              o->momentum);
    return LG_OK;
}

static lg_status batch_norm_check_input(lg_engine *E, const lgi_layer *l,
                                        const lg_tensor *x)
{
    const lg_tensor *mean = lgi_layer_param(l, "running_mean");        /* c */
    if (x->ndim < 2)
        return lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,channels,...}, got %s",
                              LGI_SHAPE(x));
    if (mean && mean->dim[0] != x->dim[1])
        return lgi_layer_fail(E, LG_ESHAPE, l, "was built for %lld input channels, got "
                              "%lld in %s; a layer keeps the sizes of its first input",
                              (long long)mean->dim[0], (long long)x->dim[1],
                              LGI_SHAPE(x));
    if (l->training && x->numel <= x->dim[1])
        return lgi_layer_fail(E, LG_ESHAPE, l, "%s has %s a channel, and in training "
                              "the variance needs two; use a larger batch, or :eval()",
                              LGI_SHAPE(x), x->numel ? "one number" : "no numbers");
    return LG_OK;
}

static lg_status batch_norm_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const batch_norm_options *o = l->attr;
    if (batch_norm_check_input(E, l, x) < 0)
        return E->status;
    int64_t c = x->dim[1];
    if (o->affine && (lgi_declare(E, l, "weight", 1, &c, "ones", c, c) < 0
                      || lgi_declare(E, l, "bias", 1, &c, "zeros", c, c) < 0))
        return E->status;
    if (lgi_declare_buffer(E, l, "running_mean", 1, &c, 0) < 0)
        return E->status;
    return lgi_declare_buffer(E, l, "running_var", 1, &c, 1);
}

/* Moves the running statistics towards those of a batch. No history of training reads
 * them, so that a walk in flight does not mind. */
static void batch_norm_track(lgi_layer *l, const lg_tensor *x, const lg_tensor *mean,
                             const lg_tensor *var)
{
    const batch_norm_options *o = l->attr;
    lg_tensor *to_mean = lgi_layer_param(l, "running_mean");
    lg_tensor *to_var = lgi_layer_param(l, "running_var");
    double m = (double)(x->numel / x->dim[1]), unbiased = m / (m - 1);
    for (int64_t k = 0; k < x->dim[1]; k++) {
        double was_mean = (double)to_mean->data[k], was_var = (double)to_var->data[k];
        to_mean->data[k] = (lg_real)((1 - o->momentum) * was_mean
                                     + o->momentum * (double)mean->data[k]);
        to_var->data[k] = (lg_real)((1 - o->momentum) * was_var
                                    + o->momentum * (double)var->data[k] * unbiased);
    }
    to_mean->buffer->version++;
    to_var->buffer->version++;
}

static lg_tensor *batch_norm_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    lg_tensor *w = lgi_layer_param(l, "weight"), *b = lgi_layer_param(l, "bias");
    if (batch_norm_check_input(E, l, x) < 0)
        return NULL;
    if (l->training) {
        lg_tensor *y = lgi_apply_layer_op(E, l, 3, (lg_tensor *[]){x, w, b});
        if (y && !E->replaying)        /* its results are y, mean, var */
            batch_norm_track(l, x, &y[1], &y[2]);
        return y;
    }
    lg_tensor *in[] = {x, lgi_layer_param(l, "running_mean"),
                       lgi_layer_param(l, "running_var"), w, b};
    return lgi_apply(E, &lgi_op_batch_norm_eval, 5, in, l->op_attr);   /* eps, for both */
}

static const lgi_layer_type batch_norm_layer = {
    .name = "BatchNorm",
    .args = "eps: number = 1e-5, momentum: number = 0.1, affine: flag = true",
    .doc = "The operator batch_norm on {batch,channels,...}, with weight and bias "
           "{channels} if affine. In training it normalizes by the batch, and moves "
           "running_mean and running_var (unbiased) towards it by momentum; in eval mode "
           "it normalizes by those. Ioffe and Szegedy 2015.",
    .attr_bytes = sizeof(batch_norm_options), .op = &lgi_op_batch_norm,
    .check = batch_norm_check, .build = batch_norm_build,
    .forward = batch_norm_layer_forward,
    .samples = {"4,3", "3,2,2,3", "3,2,2; affine=false, eps=0.01"}};

const lgi_layer_type *const lgi_layers_norm[] = {&batch_norm_layer, NULL};
