/* activation.c - activations: each is an operator, with its attributes as options. */
#include "nn/layer.h"

extern const lg_op lgi_op_relu, lgi_op_leaky_relu, lgi_op_tanh, lgi_op_sigmoid;
extern const lg_op lgi_op_softplus;

#define ACTIVATION(type_, op_, formula)                                              \
    static const lgi_layer_type op_##_layer = {                                      \
        .name = #type_, .op = &lgi_op_##op_,                                         \
        .doc = "The operator " #op_ " as a layer: " formula ". Any shape.",          \
        .samples = {"2,3", "2,2,3,1"}}

ACTIVATION(ReLU, relu, "max(x, 0)");
ACTIVATION(LeakyReLU, leaky_relu, "x where x > 0, else slope x");
ACTIVATION(Tanh, tanh, "tanh x");
ACTIVATION(Sigmoid, sigmoid, "1 / (1 + exp(-x))");
ACTIVATION(Softplus, softplus, "log(1 + exp(x))");

const lgi_layer_type *const lgi_layers_activation[] = {
    &relu_layer, &leaky_relu_layer, &tanh_layer, &sigmoid_layer, &softplus_layer, NULL};
