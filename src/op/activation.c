/*
 * activation.c - what stands between layers.
 *
 * Each has a _back operator that makes its gradient in one pass, and that has a rule of
 * its own. Those that can, read less than x, so that x is freed: relu and leaky_relu a
 * bit for each number, tanh, sigmoid and their like the result y, by their identities.
 */
#include "op/activation.h"

#include <float.h>

extern const lg_op lgi_op_relu_back, lgi_op_leaky_relu_back, lgi_op_tanh_back;
extern const lg_op lgi_op_sigmoid, lgi_op_sigmoid_back, lgi_op_silu_back, lgi_op_elu_back;
extern const lg_op lgi_op_softplus_back, lgi_op_exp, lgi_op_le;

/* g and the other input of a _back operator. */
lg_status lgi_pair_shape(lg_engine *E, lgi_node *n)
{
    char name[16];
    if (lgi_same_dims(n->in[0], n->in[1]))
        return lgi_like(n->out, n->in[0]);
    return lgi_fail(E, LG_ESHAPE, "%s: g is %s and %s is %s; the shapes must be the same",
                    n->op->name, LGI_SHAPE(n->in[0]), lgi_input_name(n, 1, name),
                    LGI_SHAPE(n->in[1]));
}

/* A bit for each number of g. */
lg_status lgi_mask_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *g = n->in[0], *mask = n->in[1];
    int64_t numel = lgi_mask_numel(g->numel);
    if (mask->ndim == 1 && mask->dim[0] == numel)
        return lgi_like(n->out, g);
    return lgi_fail(E, LG_ESHAPE, "%s: mask is %s, and must be {%lld}, 16 bits in a "
                    "number, of each number of g %s one", n->op->name, LGI_SHAPE(mask),
                    (long long)numel, LGI_SHAPE(g));
}

/* The result is like x, and has a mask. */
static lg_status masked_shape(lg_engine *E, lgi_node *n)
{
    if (lgi_same_shape(E, n) < 0)
        return E->status;
    return lgi_set_shape(&n->out[1], 1, lgi_mask_numel(n->in[0]->numel));
}

/* Some numbers of the result, and of the mask that they have. */
static void divide_by_sign(const lgi_node *n, lgi_slopes s, int64_t from, int64_t count)
{
    lgi_mask_by_sign(n->out->engine->cpu, s, n->in[0]->data + from, n->out->data + from,
                     n->out[1].data + from / LGI_MASK_BITS, count);
}

static void apply_slopes(const lgi_node *n, lgi_slopes s, int64_t from, int64_t count)
{
    lgi_apply_mask(n->out->engine->cpu, s, n->in[1]->data + from / LGI_MASK_BITS,
                   n->in[0]->data + from, n->out->data + from, count);
}

/* relu */

static const lgi_slopes relu_slopes = {.on = 1, .choose = true};

static void relu_part(const lgi_node *n, int64_t from, int64_t count)
{
    divide_by_sign(n, relu_slopes, from, count);
}

static void relu_back_part(const lgi_node *n, int64_t from, int64_t count)
{
    apply_slopes(n, relu_slopes, from, count);
}

ACT_GRAD(relu_back, relu_back, n->in[1])

const lg_op lgi_op_relu = {
    .name = "relu", .args = "x", .results = "y; mask",
    .doc = "The greater of x and 0; a NaN stays. At 0 its gradient is 0." ACT_SHAPE,
    .shape = masked_shape, .forward = lgi_forward_by_parts, .part = relu_part,
    .grad = lgi_grad_by_back, .back = &lgi_op_relu_back,
    .needs = LGI_OUT(1), .onto = true, .once = true,
    .samples = {ACT_SAMPLES(" away", "")}};

const lg_op lgi_op_relu_back = {
    .name = "relu_back", .args = "g, mask",
    .doc = "The gradient of relu: g where x was above 0, else 0." MASK_DOC,
    .shape = lgi_mask_shape, .forward = lgi_forward_by_parts, .part = relu_back_part,
    .grad = relu_back_grad,
    .needs = LGI_IN(1), .onto = true, .once = true,
    .samples = {MASK_SAMPLES}};

/* leaky_relu */

typedef struct slope_attr { double slope; } slope_attr;

static lg_status check_slope(lg_engine *E, lgi_node *n)
{
    const slope_attr *t = n->attr;
    if (t->slope >= 0 && t->slope <= FLT_MAX)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: slope must be 0 or more, and is %g", n->op->name,
                    t->slope);
}

static lg_status leaky_relu_shape(lg_engine *E, lgi_node *n)
{
    return check_slope(E, n) < 0 ? E->status : masked_shape(E, n);
}

static lg_status leaky_relu_back_shape(lg_engine *E, lgi_node *n)
{
    return check_slope(E, n) < 0 ? E->status : lgi_mask_shape(E, n);
}

static lgi_slopes leaky_slopes(const lgi_node *n)
{
    const slope_attr *t = n->attr;
    return (lgi_slopes){.on = 1, .off = (lg_real)t->slope};
}

static void leaky_relu_part(const lgi_node *n, int64_t from, int64_t count)
{
    divide_by_sign(n, leaky_slopes(n), from, count);
}

static void leaky_relu_back_part(const lgi_node *n, int64_t from, int64_t count)
{
    apply_slopes(n, leaky_slopes(n), from, count);
}

ACT_GRAD(leaky_relu_back, leaky_relu_back, n->in[1])

const lg_op lgi_op_leaky_relu = {
    .name = "leaky_relu", .args = "x, slope: number = 0.01", .results = "y; mask",
    .doc = "x where x is above 0, else x * slope; slope is 0 or more (Maas et al. 2013). "
           "At 0 its gradient is slope." ACT_SHAPE,
    .shape = leaky_relu_shape, .forward = lgi_forward_by_parts, .part = leaky_relu_part,
    .grad = lgi_grad_by_back, .back = &lgi_op_leaky_relu_back,
    .needs = LGI_OUT(1), .attr_bytes = sizeof(slope_attr),
    .onto = true, .once = true,
    .samples = {ACT_SAMPLES(" away", "; slope=0.2"), "2,3 away; slope=0"}};

const lg_op lgi_op_leaky_relu_back = {
    .name = "leaky_relu_back", .args = "g, mask, slope: number = 0.01",
    .doc = "The gradient of leaky_relu: g where x was above 0, else g * slope." MASK_DOC,
    .shape = leaky_relu_back_shape, .forward = lgi_forward_by_parts,
    .part = leaky_relu_back_part, .grad = leaky_relu_back_grad, .needs = LGI_IN(1),
    .attr_bytes = sizeof(slope_attr), .onto = true, .once = true,
    .samples = {MASK_SAMPLES, "5,7; 3 index<65535; slope=0.2"}};

/* tanh */

LGI_LOOP1(tanh_loop, void, lgi_tanh(a))
LGI_LOOP2(tanh_back_loop, void, a * ((1 - b) * (1 + b)))
ACT_FORWARD(tanh)
ACT_FORWARD(tanh_back)
ACT_GRAD(tanh, tanh_back, n->out)

static lg_status tanh_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    lg_tensor *y = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_tanh_back, g[0], y, NULL);
    if (wanted[1])
        out[1] = lgi_mul(E, lgi_mul(E, g[0], n->in[0]), lgi_affine(E, y, -2, 0));
    return E->status;
}

const lg_op lgi_op_tanh = {
    .name = "tanh", .args = "x", .doc = "The hyperbolic tangent of x." ACT_SHAPE,
    .shape = lgi_same_shape, .forward = tanh_forward, .grad = tanh_grad,
    .needs = LGI_OUT(0), .samples = {ACT_SAMPLES("", "")}};

const lg_op lgi_op_tanh_back = {
    .name = "tanh_back", .args = "g, y",
    .doc = "The gradient of tanh by its result y: g (1 - y^2).",
    .shape = lgi_pair_shape, .forward = tanh_back_forward, .grad = tanh_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .samples = {ACT_BACK_SAMPLES("", "")}};

/* sigmoid */

LGI_LOOP1(sigmoid_loop, void, lgi_sigmoid(a))
LGI_LOOP2(sigmoid_back_loop, void, a * ((1 - b) * b))
ACT_FORWARD(sigmoid)
ACT_FORWARD(sigmoid_back)
ACT_GRAD(sigmoid, sigmoid_back, n->out)

static lg_status sigmoid_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                   lg_tensor **g, lg_tensor **out)
{
    lg_tensor *y = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_sigmoid_back, g[0], y, NULL);
    if (wanted[1])
        out[1] = lgi_mul(E, lgi_mul(E, g[0], n->in[0]), lgi_affine(E, y, -2, 1));
    return E->status;
}

const lg_op lgi_op_sigmoid = {
    .name = "sigmoid", .args = "x",
    .doc = "1 / (1 + exp(-x)), without overflow." ACT_SHAPE,
    .shape = lgi_same_shape, .forward = sigmoid_forward, .grad = sigmoid_grad,
    .needs = LGI_OUT(0), .samples = {ACT_SAMPLES("", "")}};

const lg_op lgi_op_sigmoid_back = {
    .name = "sigmoid_back", .args = "g, y",
    .doc = "The gradient of sigmoid by its result y: g y (1 - y).",
    .shape = lgi_pair_shape, .forward = sigmoid_back_forward, .grad = sigmoid_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .samples = {ACT_BACK_SAMPLES("", "")}};

static lg_tensor *sigmoid_of(lg_engine *E, lg_tensor *x)
{
    return lgi_apply1(E, &lgi_op_sigmoid, x, NULL);
}

/* softplus and log_sigmoid, which is -softplus(-x) */

LGI_LOOP1(softplus_loop, void, lgi_softplus(a))
LGI_LOOP1(log_sigmoid_loop, void, -lgi_softplus(-a))
ACT_FORWARD(softplus)
ACT_FORWARD(log_sigmoid)

/* By the result y of softplus its slope is 1 - exp(-y). */
LGI_LOOP2(softplus_back_loop, void, -a * lgi_expm1(-b))
ACT_FORWARD(softplus_back)
ACT_GRAD(softplus, softplus_back, n->out)

static lg_status log_sigmoid_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                  lg_tensor **g, lg_tensor **out)
{
    lg_tensor *y = wanted[0] ? lgi_neg(E, n->out) : NULL;
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_softplus_back, g[0], y, NULL);
    return E->status;
}

static lg_status softplus_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                    lg_tensor **g, lg_tensor **out)
{
    lg_tensor *y = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_softplus_back, g[0], y, NULL);
    if (wanted[1]) {
        lg_tensor *e = lgi_apply1(E, &lgi_op_exp, lgi_neg(E, y), NULL);
        out[1] = lgi_mul(E, lgi_mul(E, g[0], n->in[0]), e);
    }
    return E->status;
}

const lg_op lgi_op_softplus = {
    .name = "softplus", .args = "x",
    .doc = "log(1 + exp(x)), without overflow." ACT_SHAPE,
    .shape = lgi_same_shape, .forward = softplus_forward, .grad = softplus_grad,
    .needs = LGI_OUT(0), .samples = {ACT_SAMPLES("", "")}};

const lg_op lgi_op_log_sigmoid = {
    .name = "log_sigmoid", .args = "x",
    .doc = "log(sigmoid(x)), without overflow and exact where sigmoid(x) would be 0 or 1."
           ACT_SHAPE,
    .shape = lgi_same_shape, .forward = log_sigmoid_forward, .grad = log_sigmoid_grad,
    .needs = LGI_OUT(0), .samples = {ACT_SAMPLES("", "")}};

const lg_op lgi_op_softplus_back = {
    .name = "softplus_back", .args = "g, y",
    .doc = "The gradient of softplus by its result y: g (1 - exp(-y)).",
    .shape = lgi_pair_shape, .forward = softplus_back_forward, .grad = softplus_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .samples = {ACT_BACK_SAMPLES("", "")}};

/* silu */

LGI_ALWAYS_INLINE lg_real silu_of(lg_real x, const bool fused)
{
    lg_real t = x < 0 ? x : -x;
    lgi_factors e = lgi_exp_factors_by(t, fused);
    lg_real most = x / (1 + e.a * e.b), low = lgi_times_exp(most, e, t);
    return x < 0 ? low : most;
}

/* g (s + x s (1 - s)) with s = 1 / (1 + exp(-x)), in e = exp(-|x|) and r = 1 / (1 + e):
 * s and 1 - s are r and e r, or the other way round. */
LGI_ALWAYS_INLINE lg_real silu_back_of(lg_real g, lg_real x, const bool fused)
{
    lg_real t = x < 0 ? x : -x;
    lgi_factors f = lgi_exp_factors_by(t, fused);
    lg_real e = f.a * f.b, r = 1 / (1 + e), rest = x < 0 ? r : e * r;
    lg_real wide = (lg_real)(1 + (lgi_wide)x * rest);
    lg_real top = fused ? lgi_mul_add(x, rest, 1, true) : wide;
    lg_real most = g * (r * top), low = lgi_times_exp(most, f, t);
    return x < 0 ? low : most;
}

LGI_LOOP1(silu_loop, void, silu_of(a, false))
LGI_LOOP1(silu_fused, void, silu_of(a, true))
LGI_LOOP2(silu_back_loop, void, silu_back_of(a, b, false))
LGI_LOOP2(silu_back_fused, void, silu_back_of(a, b, true))
ACT_FUSED_FORWARD(silu)
ACT_FUSED_FORWARD(silu_back)
ACT_GRAD(silu, silu_back, n->in[0])

/* The second derivative is s (1-s) (2 + x (1 - 2s)), with s = sigmoid(x). */
static lg_status silu_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_silu_back, g[0], x, NULL);
    if (wanted[1]) {
        lg_tensor *s = sigmoid_of(E, x), *gg = lgi_mul(E, g[0], n->in[0]);
        lg_tensor *bend = lgi_affine(E, lgi_mul(E, x, lgi_affine(E, s, -2, 1)), 1, 2);
        out[1] = lgi_mul(E, lgi_apply2(E, &lgi_op_sigmoid_back, gg, s, NULL), bend);
    }
    return E->status;
}

const lg_op lgi_op_silu = {
    .name = "silu", .args = "x",
    .doc = "x * sigmoid(x), also called swish (Ramachandran et al. 2017)." ACT_SHAPE,
    .shape = lgi_same_shape, .forward = silu_forward, .grad = silu_grad,
    .needs = LGI_IN(0), .samples = {ACT_SAMPLES("", "")}};

const lg_op lgi_op_silu_back = {
    .name = "silu_back", .args = "g, x",
    .doc = "The gradient of silu: g (s + x s (1 - s)), with s = sigmoid(x).",
    .shape = lgi_pair_shape, .forward = silu_back_forward, .grad = silu_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .samples = {ACT_BACK_SAMPLES("", "")}};

/* elu */

typedef struct elu_attr { double alpha; } elu_attr;

static lg_status check_alpha(lg_engine *E, lgi_node *n)
{
    const elu_attr *t = n->attr;
    if (t->alpha >= 0 && t->alpha <= FLT_MAX)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: alpha must be 0 or more, and is %g", n->op->name,
                    t->alpha);
}

static lg_status elu_shape(lg_engine *E, lgi_node *n)
{
    return check_alpha(E, n) < 0 ? E->status : lgi_same_shape(E, n);
}

static lg_status elu_back_shape(lg_engine *E, lgi_node *n)
{
    return check_alpha(E, n) < 0 ? E->status : lgi_pair_shape(E, n);
}

LGI_ALWAYS_INLINE lg_real elu_back_of(lg_real g, lg_real y, lg_real alpha)
{
    lg_real less = g * (y + alpha);
    return y > 0 ? g : less;
}

LGI_ALWAYS_INLINE lg_real elu_of(lg_real x, lg_real alpha)
{
    lg_real less = alpha * lgi_expm1(x);
    return x > 0 ? x : less;
}

LGI_LOOP1(elu_loop, elu_attr, elu_of(a, (lg_real)p->alpha))
LGI_LOOP2(elu_back_loop, elu_attr, elu_back_of(a, b, (lg_real)p->alpha))
ACT_FORWARD(elu)
ACT_FORWARD(elu_back)
ACT_GRAD(elu, elu_back, n->out)

static lg_status elu_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    lg_tensor *y = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_elu_back, g[0], y, n->attr);
    if (wanted[1]) {
        lg_tensor *low = lgi_apply2(E, &lgi_op_le, y, lg_scalar(E, 0), NULL);
        out[1] = lgi_mul(E, lgi_mul(E, g[0], n->in[0]), low);
    }
    return E->status;
}

const lg_op lgi_op_elu = {
    .name = "elu", .args = "x, alpha: number = 1",
    .doc = "x where x is above 0, else alpha * (exp(x) - 1); alpha is 0 or more (Clevert "
           "et al. 2015)." ACT_SHAPE,
    .shape = elu_shape, .forward = elu_forward, .grad = elu_grad, .needs = LGI_OUT(0),
    .attr_bytes = sizeof(elu_attr), .samples = {ACT_SAMPLES(" away", "; alpha=0.5")}};

const lg_op lgi_op_elu_back = {
    .name = "elu_back", .args = "g, y, alpha: number = 1",
    .doc = "The gradient of elu by its result y: g where y is above 0, or g (y + alpha).",
    .shape = elu_back_shape, .forward = elu_back_forward, .grad = elu_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .attr_bytes = sizeof(elu_attr),
    .samples = {ACT_BACK_SAMPLES(" away", "; alpha=0.5")}};

const lg_op *const lgi_ops_activation[] = {
    &lgi_op_relu, &lgi_op_relu_back, &lgi_op_leaky_relu, &lgi_op_leaky_relu_back,
    &lgi_op_tanh, &lgi_op_tanh_back, &lgi_op_sigmoid, &lgi_op_sigmoid_back,
    &lgi_op_softplus, &lgi_op_softplus_back, &lgi_op_log_sigmoid, &lgi_op_silu,
    &lgi_op_silu_back, &lgi_op_elu, &lgi_op_elu_back, NULL};
