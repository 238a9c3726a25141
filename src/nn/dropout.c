/* dropout.c - Dropout and Dropout2d: in training, numbers or channels are set to zero at
 * random. */
#include "nn/norm.h"

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

/* Dropout2d */

static lg_status dropout2d_check_input(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    return lgi_need_channels(E, l, x, 3, LG_MAX_DIM, "{batch,channels,...}", 0);
}

static lg_tensor *dropout2d_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const dropout_options *o = l->attr;
    int64_t dim[LG_MAX_DIM];
    if (dropout2d_check_input(E, l, x) < 0)
        return NULL;
    if (!l->training || o->p == 0)
        return x;
    for (int i = 0; i < x->ndim; i++)
        dim[i] = i < 2 ? x->dim[i] : 1;
    lg_tensor *keep = lg_full(E, x->ndim, dim, 1);             /* n,c,1,1 */
    return keep ? lgi_mul(E, x, lgi_apply_layer_op(E, l, 1, &keep)) : NULL;
}

static const lgi_layer_type dropout_layer = {
    .name = "Dropout", .args = "p: number = 0.5",
    .doc = "In training every number is 0 with probability p, else divided by 1 - p; in "
           "eval mode x itself. Any shape. Srivastava et al. 2014.",
    .attr_bytes = sizeof(dropout_options), .op = &lgi_op_dropout,
    .check = dropout_check, .forward = dropout_layer_forward,
    .samples = {"3,4; p=0.3", "2,2,3,3", "2,2; p=0"}};

static const lgi_layer_type dropout2d_layer = {
    .name = "Dropout2d", .args = "p: number = 0.5",
    .doc = "Dropout of whole channels of {batch,channels,...}: in training all numbers "
           "of a channel of a sample are 0 with probability p, else divided by 1 - p; in "
           "eval mode x itself. Tompson et al. 2015.",
    .attr_bytes = sizeof(dropout_options), .op = &lgi_op_dropout,
    .check = dropout_check, .build = dropout2d_check_input, .forward = dropout2d_forward,
    .samples = {"3,4,2,2; p=0.3", "2,3,4", "2,2,1,2; p=0"}};

const lgi_layer_type *const lgi_layers_dropout[] = {&dropout_layer, &dropout2d_layer,
                                                    NULL};
