/*
 * recurrent.c - GRUCell and LSTMCell: a step through time, with PyTorch's formulas, names
 * of parameters and order of gates.
 */
#include "nn/layer.h"

#include <string.h>

extern const lg_op lgi_op_gru_cell, lgi_op_lstm_cell, lgi_op_linear;

typedef struct cell_options {
    int64_t hidden, bias;
    lgi_text init;
} cell_options;

static lg_status recurrent_check(lg_engine *E, const lgi_layer *l)
{
    const cell_options *o = l->attr;
    return lgi_layer_need(E, l, "hidden", o->hidden, 1);
}

/* The states, the inputs after x, are {n,hidden}. */
static lg_status recurrent_check_inputs(lg_engine *E, const lgi_layer *l,
                                        const lg_tensor *x)
{
    const cell_options *o = l->attr;
    const lg_tensor *w = lgi_layer_param(l, "weight_ih");      /* gates*hidden,in */
    if (x->ndim != 2 || x->dim[1] == 0)
        return lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,features}, a step of a "
                              "sequence, got %s", LGI_SHAPE(x));
    if (w && w->dim[1] != x->dim[1])
        return lgi_layer_fail(E, LG_ESHAPE, l, "was built for %lld input features, got "
                              "%lld in %s; a layer keeps the sizes of its first input",
                              (long long)w->dim[1], (long long)x->dim[1], LGI_SHAPE(x));
    lg_tensor like = {.ndim = 2, .dim = {x->dim[0], o->hidden}};
    for (int i = 1; i < l->nin; i++)
        if (l->in[i] && !lgi_same_dims(l->in[i], &like))
            return lgi_layer_fail(E, LG_ESHAPE, l, "its state %s must be %s, {batch,"
                                  "hidden}, for x %s, got %s", i == 1 ? "h" : "c",
                                  LGI_SHAPE(&like), LGI_SHAPE(x), LGI_SHAPE(l->in[i]));
    return LG_OK;
}

/* PyTorch's: everything begins as U(-k, k), k = 1 / sqrt(hidden). */
static lg_status recurrent_declare(lg_engine *E, lgi_layer *l, const lg_tensor *x,
                                   int64_t gates)
{
    const cell_options *o = l->attr;
    int64_t rows = gates * o->hidden;
    int64_t by_x[] = {rows, x->dim[1]}, by_h[] = {rows, o->hidden};
    bool own = strcmp(o->init.s, "default") == 0;
    const char *bias = own ? "default" : "zeros";
    if (recurrent_check_inputs(E, l, x) < 0
        || lgi_declare(E, l, "weight_ih", 2, by_x, o->init.s,
                       own ? o->hidden : x->dim[1], rows) < 0
        || lgi_declare(E, l, "weight_hh", 2, by_h, o->init.s, o->hidden, rows) < 0)
        return E->status;
    if (o->bias && (lgi_declare(E, l, "bias_ih", 1, &rows, bias, o->hidden, rows) < 0
                    || lgi_declare(E, l, "bias_hh", 1, &rows, bias, o->hidden, rows) < 0))
        return E->status;
    return LG_OK;
}

/* Zeros where a sequence begins. */
static lg_tensor *state_of(lg_engine *E, const lgi_layer *l, int i, const lg_tensor *x)
{
    const cell_options *o = l->attr;
    return l->in[i] ? l->in[i] : lg_zeros(E, 2, (int64_t[]){x->dim[0], o->hidden});
}

/* The sums of the gates that come from x, or from h. */
static lg_tensor *sums_of(lg_engine *E, const lgi_layer *l, lg_tensor *x,
                          const char *weight, const char *bias)
{
    lg_tensor *in[] = {x, lgi_layer_param(l, weight), lgi_layer_param(l, bias)};
    return x ? lgi_apply(E, &lgi_op_linear, 3, in, NULL) : NULL;
}

static lg_status gru_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    return recurrent_declare(E, l, x, 3);
}

static lg_tensor *gru_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    if (recurrent_check_inputs(E, l, x) < 0)
        return NULL;
    lg_tensor *h = state_of(E, l, 1, x);                       /* n,hidden */
    lg_tensor *in[] = {sums_of(E, l, x, "weight_ih", "bias_ih"),
                       sums_of(E, l, h, "weight_hh", "bias_hh"), h};
    return lgi_apply_layer_op(E, l, 3, in);
}

static lg_status lstm_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    return recurrent_declare(E, l, x, 4);
}

static lg_tensor *lstm_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    if (recurrent_check_inputs(E, l, x) < 0)
        return NULL;
    lg_tensor *h = state_of(E, l, 1, x), *c = state_of(E, l, 2, x);    /* n,hidden */
    lg_tensor *by_x = sums_of(E, l, x, "weight_ih", "bias_ih");
    lg_tensor *by_h = sums_of(E, l, h, "weight_hh", "bias_hh");
    return lgi_apply_layer_op(E, l, 2, (lg_tensor *[]){lgi_add(E, by_x, by_h), c});
}

#define CELL_OPTIONS "hidden: whole, bias: flag = true, init: text = default"
#define CELL_BEGINS                                                                     \
    " All begin as U(-k, k), k = 1 / sqrt(hidden), as PyTorch's do; where init is "     \
    "given it is the weights', and the biases begin at zero. States that are left out " \
    "are zeros, as a sequence begins."

static const lgi_layer_type gru_layer = {
    .name = "GRUCell", .args = CELL_OPTIONS, .inputs = "x, h?", .results = "h",
    .doc = "A step of a gated recurrent unit: x {n,features} and the state h {n,hidden} "
           "give the next state {n,hidden}. With the gates r, z, n side by side, "
           "weight_ih is {3*hidden,features}, weight_hh {3*hidden,hidden}, bias_ih and "
           "bias_hh {3*hidden}; r = sigmoid(W_ir x + b_ir + W_hr h + b_hr), z likewise, "
           "n = tanh(W_in x + b_in + r (W_hn h + b_hn)), and the state becomes (1 - z) n "
           "+ z h (Cho et al. 2014, in PyTorch's form)." CELL_BEGINS,
    .attr_bytes = sizeof(cell_options), .op = &lgi_op_gru_cell, .check = recurrent_check,
    .build = gru_build, .forward = gru_layer_forward,
    .samples = {"2,3; 2,4; hidden=4", "3,2; hidden=3", "2,3; 2,2; hidden=2, bias=false",
                "1,2; 1,3; hidden=3, init=xavier"}};

static const lgi_layer_type lstm_layer = {
    .name = "LSTMCell", .args = CELL_OPTIONS, .inputs = "x, h?, c?", .results = "h, c",
    .doc = "A step of long short-term memory: x {n,features} and the states h and c "
           "{n,hidden} give the next h and c. With the gates i, f, g, o side by side, "
           "weight_ih is {4*hidden,features}, weight_hh {4*hidden,hidden}, bias_ih and "
           "bias_hh {4*hidden}; i = sigmoid(W_ii x + b_ii + W_hi h + b_hi), f and o "
           "likewise, g with tanh, c becomes f c + i g, and h is o tanh(c) (Hochreiter "
           "and Schmidhuber 1997, in PyTorch's form)." CELL_BEGINS,
    .attr_bytes = sizeof(cell_options), .op = &lgi_op_lstm_cell, .check = recurrent_check,
    .build = lstm_build, .forward = lstm_layer_forward,
    .samples = {"2,3; 2,4; 2,4; hidden=4", "3,2; hidden=3", "2,3; 2,2; hidden=2",
                "2,3; 2,2; 2,2; hidden=2, bias=false",
                "1,2; 1,3; 1,3; hidden=3, init=normal 0.5"}};

const lgi_layer_type *const lgi_layers_recurrent[] = {&gru_layer, &lstm_layer, NULL};
