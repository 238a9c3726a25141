/* dropout.c - Dropout: in training, numbers are set to zero at random. */
#include "nn/layer.h"

extern const lg_op lgi_op_dropout;

typedef struct dropout_options { double p; } dropout_options;

static lg_status dropout_check(lg_engine *E, const lgi_layer *l)
{
    const dropout_options *o = l->attr;
    if (o->p >= 0 && o->p < 1)
        return LG_OK;
    return lgi_layer_fail(E, LG_EARG, l, "p must be 0 or more and less than 1, not %g",
                          o->p);
}

static lg_tensor *dropout_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const dropout_options *o = l->attr;
    return l->training && o->p > 0 ? lgi_apply_layer_op(E, l, 1, &x) : x;
}

static const lgi_layer_type dropout_layer = {
    .name = "Dropout", .args = "p: number = 0.5",
    .doc = "In training every number is 0 with probability p, else divided by 1 - p; in "
           "eval mode x itself. Any shape. Srivastava et al. 2014.",
    .attr_bytes = sizeof(dropout_options), .op = &lgi_op_dropout,
    .check = dropout_check, .forward = dropout_layer_forward,
    .samples = {"3,4; p=0.3", "2,2,3,3", "2,2; p=0"}};

const lgi_layer_type *const lgi_layers_dropout[] = {&dropout_layer, NULL};
