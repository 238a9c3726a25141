/* activation.c - activations: each is an operator, with its attributes as options. */
#include "nn/layer.h"

extern const lg_op lgi_op_relu, lgi_op_leaky_relu, lgi_op_relu6, lgi_op_hardtanh;
extern const lg_op lgi_op_elu, lgi_op_selu, lgi_op_silu, lgi_op_mish, lgi_op_gelu;
extern const lg_op lgi_op_tanh, lgi_op_sigmoid, lgi_op_log_sigmoid, lgi_op_softplus;
extern const lg_op lgi_op_softsign, lgi_op_softmax, lgi_op_log_softmax;

/* The operator knows what it refuses: it is asked with one number. */
static lg_status activation_check(lg_engine *E, const lgi_layer *l)
{
    int scope = lg_open_scope(E);
    lg_tensor *x = lg_zeros(E, 0, NULL);
    if (x)
        lgi_apply_layer_op(E, l, 1, &x);
    lg_close_scope(E, scope);
    return E->status;
}

#define ACTIVATION_OF(type_, op_, check_, text, ...)                                  \
    static const lgi_layer_type op_##_layer = {                                       \
        .name = #type_, .op = &lgi_op_##op_, .check = check_,                         \
        .doc = "The operator " #op_ " as a layer: " text, .samples = {__VA_ARGS__}}

#define ACTIVATION(type_, op_, formula, ...)                                          \
    ACTIVATION_OF(type_, op_, activation_check, formula ". Any shape.", __VA_ARGS__)

/* Which axes there are, the first input shows. */
#define SOFTMAX(type_, op_, formula)                                                  \
    ACTIVATION_OF(type_, op_, NULL, formula " along the axis dim, which 2 is for "    \
                  "{batch,classes}. The result has the shape of x.",                  \
                  "2,3; dim=2", "2,3,2,1; dim=-3")

ACTIVATION(ReLU, relu, "max(x, 0)", "2,3", "2,2,3,1");
ACTIVATION(LeakyReLU, leaky_relu, "x where x > 0, else slope x (Maas et al. 2013)",
           "2,3", "2,2,3,1; slope=0.2");
ACTIVATION(ReLU6, relu6, "min(max(x, 0), 6) (Krizhevsky 2010)", "2,3", "2,2,3,1");
ACTIVATION(Hardtanh, hardtanh, "x, but no less than min and no more than max", "2,3",
           "2,2,3,1; min=0, max=0.5");
ACTIVATION(ELU, elu, "x where x > 0, else alpha (exp(x) - 1) (Clevert et al. 2015)",
           "2,3", "2,2,3,1; alpha=0.5");
ACTIVATION(SELU, selu, "s x where x > 0, else s a (exp(x) - 1), with s 1.0507... and a "
           "1.6732... (Klambauer et al. 2017)", "2,3", "2,2,3,1");
ACTIVATION(SiLU, silu, "x sigmoid(x), also called swish (Ramachandran et al. 2017)",
           "2,3", "2,2,3,1");
ACTIVATION(Mish, mish, "x tanh(log(1 + exp(x))) (Misra 2019)", "2,3", "2,2,3,1");
ACTIVATION(GELU, gelu, "x P(x), where P is the normal distribution, or with approximate "
           "its approximation by tanh (Hendrycks and Gimpel 2016)", "2,3",
           "2,2,3,1; approximate=tanh");
ACTIVATION(Tanh, tanh, "tanh x", "2,3", "2,2,3,1");
ACTIVATION(Sigmoid, sigmoid, "1 / (1 + exp(-x))", "2,3", "2,2,3,1");
ACTIVATION(LogSigmoid, log_sigmoid, "-log(1 + exp(-x))", "2,3", "2,2,3,1");
ACTIVATION(Softplus, softplus, "log(1 + exp(x))", "2,3", "2,2,3,1");
ACTIVATION(Softsign, softsign, "x / (1 + |x|)", "2,3", "2,2,3,1");
SOFTMAX(Softmax, softmax, "exp(x) divided by its sum");
SOFTMAX(LogSoftmax, log_softmax, "the logarithm of exp(x) divided by its sum");

const lgi_layer_type *const lgi_layers_activation[] = {
    &relu_layer, &leaky_relu_layer, &relu6_layer, &hardtanh_layer, &elu_layer,
    &selu_layer, &silu_layer, &mish_layer, &gelu_layer, &tanh_layer, &sigmoid_layer,
    &log_sigmoid_layer, &softplus_layer, &softsign_layer, &softmax_layer,
    &log_softmax_layer, NULL};
