/*
 * smooth_activation.c - more activations without corners, or with one at 0 alone.
 *
 * As in activation.c each has a _back operator with a rule of its own. The formulas are
 * written so that no numbers near each other are subtracted, and that nothing overflows.
 */
#include "op/activation.h"

extern const lg_op lgi_op_selu_back, lgi_op_softsign_back, lgi_op_mish_back;
extern const lg_op lgi_op_gelu_back, lgi_op_sigmoid, lgi_op_sigmoid_back, lgi_op_tanh;
extern const lg_op lgi_op_tanh_back, lgi_op_softplus, lgi_op_le, lgi_op_sign, lgi_op_abs;
extern const lg_op lgi_op_reciprocal, lgi_op_square, lgi_op_exp, lgi_op_clamp;

static lg_tensor *apply_to(lg_engine *E, const lg_op *op, lg_tensor *x)
{
    return lgi_apply1(E, op, x, NULL);
}

/* selu */

#define SELU_SCALE 1.0507009873554804934193349852946
#define SELU_ALPHA 1.6732632423543772848170429916717

LGI_ALWAYS_INLINE lg_real selu_of(lg_real x)
{
    lg_real low = (lg_real)(SELU_SCALE * SELU_ALPHA) * lgi_expm1(x);
    return x > 0 ? (lg_real)SELU_SCALE * x : low;
}

LGI_ALWAYS_INLINE lg_real selu_back_of(lg_real g, lg_real y)
{
    lg_real low = g * (y + (lg_real)(SELU_SCALE * SELU_ALPHA));
    return y > 0 ? g * (lg_real)SELU_SCALE : low;
}

LGI_LOOP1(selu_loop, void, selu_of(a))
LGI_LOOP2(selu_back_loop, void, selu_back_of(a, b))
ACT_FORWARD(selu)
ACT_FORWARD(selu_back)
ACT_GRAD(selu, selu_back, n->out)

static lg_status selu_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    lg_tensor *y = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_selu_back, g[0], y, NULL);
    if (wanted[1]) {
        lg_tensor *low = lgi_apply2(E, &lgi_op_le, y, lg_scalar(E, 0), NULL);
        out[1] = lgi_mul(E, lgi_mul(E, g[0], n->in[0]), low);
    }
    return E->status;
}

const lg_op lgi_op_selu = {
    .name = "selu", .args = "x",
    .doc = "scale * x where x is above 0, else scale * alpha * (exp(x) - 1), with scale "
           "1.0507... and alpha 1.6732... (Klambauer et al. 2017)." ACT_SHAPE,
    .shape = lgi_same_shape, .forward = selu_forward, .grad = selu_grad,
    .needs = LGI_OUT(0), .samples = {ACT_SAMPLES(" away", "")}};

const lg_op lgi_op_selu_back = {
    .name = "selu_back", .args = "g, y",
    .doc = "The gradient of selu by its result y: g * scale where y is above 0, else g * "
           "(y + scale * alpha).",
    .shape = lgi_pair_shape, .forward = selu_back_forward, .grad = selu_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .samples = {ACT_BACK_SAMPLES(" away", "")}};

/* softsign. Far from 0 its slope cannot be had from y, which is near 1. */

LGI_ALWAYS_INLINE lg_real softsign_back_of(lg_real g, lg_real x)
{
    lg_real q = 1 + (lg_real)fabs((double)x);
    return g / q / q;
}

LGI_LOOP1(softsign_loop, void, a / (1 + (lg_real)fabs((double)a)))
LGI_LOOP2(softsign_back_loop, void, softsign_back_of(a, b))
ACT_FORWARD(softsign)
ACT_FORWARD(softsign_back)
ACT_GRAD(softsign, softsign_back, n->in[0])

/* The second derivative is -2 sign(x) r^3, with r = 1 / (1 + |x|). */
static lg_status softsign_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                    lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_softsign_back, g[0], x, NULL);
    if (wanted[1]) {
        lg_tensor *size = apply_to(E, &lgi_op_abs, x);
        lg_tensor *r = apply_to(E, &lgi_op_reciprocal, lgi_affine(E, size, 1, 1));
        lg_tensor *gg = lgi_mul(E, g[0], n->in[0]);
        lg_tensor *slope = lgi_apply2(E, &lgi_op_softsign_back, gg, x, NULL);
        lg_tensor *bend = lgi_mul(E, apply_to(E, &lgi_op_sign, x), r);
        out[1] = lgi_mul(E, slope, lgi_affine(E, bend, -2, 0));
    }
    return E->status;
}

const lg_op lgi_op_softsign = {
    .name = "softsign", .args = "x", .doc = "x / (1 + |x|)." ACT_SHAPE,
    .shape = lgi_same_shape, .forward = softsign_forward, .grad = softsign_grad,
    .needs = LGI_IN(0), .samples = {ACT_SAMPLES(" away", "")}};

const lg_op lgi_op_softsign_back = {
    .name = "softsign_back", .args = "g, x",
    .doc = "The gradient of softsign: g / (1 + |x|)^2.",
    .shape = lgi_pair_shape, .forward = softsign_back_forward, .grad = softsign_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .samples = {ACT_BACK_SAMPLES(" away", "")}};

/*
 * mish. With e = exp(x), tanh(log(1 + e)) = e (e + 2) / (e^2 + 2e + 2); where x is above
 * 0 both sides are divided by e^2. Its slope by x is u = 4 (1 + e) e / (e^2 + 2e + 2)^2.
 * Where x is below 0, e goes in last: it may have few digits.
 */
LGI_ALWAYS_INLINE lg_real mish_of(lg_real x)
{
    lg_real t = x < 0 ? x : -x;
    lgi_factors f = lgi_exp_factors(t);
    lg_real e = f.a * f.b, e2 = e * e;
    lg_real above = x < 0 ? e + 2 : 1 + 2 * e;
    lg_real below = x < 0 ? e2 + 2 * e + 2 : above + 2 * e2;
    lg_real most = x * (above / below), low = lgi_times_exp(most, f, t);
    return x < 0 ? low : most;
}

/* The slope as one quotient, by powers of e: t + x u over a common denominator. */
LGI_ALWAYS_INLINE lg_real mish_back_of(lg_real g, lg_real x)
{
    lg_real t = x < 0 ? x : -x;
    lgi_factors f = lgi_exp_factors(t);
    lgi_wide e = f.a * f.b, x1 = 4 * ((lgi_wide)x + 1), x2 = x1 + 2;
    lgi_wide top = x < 0 ? x1 + e * (x2 + e * (4 + e)) : 1 + e * (4 + e * (x2 + e * x1));
    lgi_wide below = x < 0 ? 2 + e * (2 + e) : 1 + e * (2 + e * 2);
    lg_real most = g * ((lg_real)top / (lg_real)(below * below));
    lg_real low = lgi_times_exp(most, f, t);
    return x < 0 ? low : most;
}

LGI_LOOP1(mish_loop, void, mish_of(a))
LGI_LOOP2(mish_back_loop, void, mish_back_of(a, b))
ACT_FORWARD(mish)
ACT_FORWARD(mish_back)
ACT_GRAD(mish, mish_back, n->in[0])

/* The second derivative is u (2 + x (1 - s - 2 t s)), with s = sigmoid(x). */
static lg_status mish_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_mish_back, g[0], x, NULL);
    if (wanted[1]) {
        lg_tensor *s = apply_to(E, &lgi_op_sigmoid, x);
        lg_tensor *t = apply_to(E, &lgi_op_tanh, apply_to(E, &lgi_op_softplus, x));
        lg_tensor *gg = lgi_mul(E, lgi_mul(E, g[0], n->in[0]), s);
        lg_tensor *ts = lgi_mul(E, s, lgi_affine(E, t, -2, -1));
        lg_tensor *bend = lgi_affine(E, lgi_mul(E, x, lgi_affine(E, ts, 1, 1)), 1, 2);
        out[1] = lgi_mul(E, lgi_apply2(E, &lgi_op_tanh_back, gg, t, NULL), bend);
    }
    return E->status;
}

const lg_op lgi_op_mish = {
    .name = "mish", .args = "x",
    .doc = "x * tanh(softplus(x)), without overflow (Misra 2019)." ACT_SHAPE,
    .shape = lgi_same_shape, .forward = mish_forward, .grad = mish_grad,
    .needs = LGI_IN(0), .samples = {ACT_SAMPLES("", "")}};

const lg_op lgi_op_mish_back = {
    .name = "mish_back", .args = "g, x",
    .doc = "The gradient of mish: g (t + x sigmoid(x) (1 - t^2)), with t = "
           "tanh(softplus(x)).",
    .shape = lgi_pair_shape, .forward = mish_back_forward, .grad = mish_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .samples = {ACT_BACK_SAMPLES("", "")}};

/*
 * gelu: x P(x), where P is the normal distribution: erfc(-x / sqrt(2)) / 2, which keeps
 * its digits far below 0. Approximated, P(x) = s(v), with v = 2 k (x + a x^3) and s the
 * sigmoid: the same as (1 + tanh(v / 2)) / 2. Beyond GELU_FAR s is 0 or 1, and x^3 might
 * overflow, so there x is held. Both exponents are needed with more digits than they have
 * themselves: so they are wide, or in two parts.
 */
#define GELU_K 0.79788456080286535588L     /* sqrt(2 / pi) */
#define GELU_A 0.044715L
#define GELU_FAR 50
#define SQRT_HALF 0.70710678118654752440L
#define NORMAL_TOP 0.39894228040143267794L /* 1 / sqrt(2 pi) */

typedef struct gelu_attr { int64_t approximate; } gelu_attr;

#ifdef LG_DOUBLE

LGI_ALWAYS_INLINE lgi_wide normal_up_to(lgi_wide x)
{
    return lgi_wide_erfc(-x * (lgi_wide)SQRT_HALF) / 2;
}

LGI_ALWAYS_INLINE lg_real gelu_exact_of(lg_real x, const bool fused)
{
    (void)fused;
    return (lg_real)(x * normal_up_to(x));
}

LGI_ALWAYS_INLINE lg_real gelu_exact_back_of(lg_real g, lg_real x, const bool fused)
{
    (void)fused;
    lgi_wide e = lgi_wide_exp((lgi_wide)-x * x / 2);
    return (lg_real)(g * (normal_up_to(x) + x * ((lgi_wide)NORMAL_TOP * e)));
}

#else

/* By the tail beyond |x|; from GELU_NONE on it is 0. */
#define GELU_NONE 20

LGI_ALWAYS_INLINE lg_real gelu_exact_of(lg_real x, const bool fused)
{
    lg_real size = fabsf(x);
    lgi_tail q = lgi_normal_tail(size > GELU_NONE ? GELU_NONE : size, fused);
    lg_real most = x * (1 - q.w * (q.e.a * q.e.b));
    lg_real low = lgi_times_exp(x * q.w, q.e, q.half);
    return x < 0 ? low : most;
}

LGI_ALWAYS_INLINE lg_real gelu_exact_back_of(lg_real g, lg_real x, const bool fused)
{
    lg_real size = fabsf(x);
    size = size > GELU_NONE ? GELU_NONE : size;
    lgi_tail q = lgi_normal_tail(size, fused);
    lg_real top = (lg_real)NORMAL_TOP * size;
    lg_real d = q.w - lgi_mul_add(top, q.rest / -2, top, fused);
    lg_real most = g * (1 - d * (q.e.a * q.e.b)), low = lgi_times_exp(g * d, q.e, q.half);
    return x < 0 ? low : most;
}

#endif

LGI_ALWAYS_INLINE lg_real near_zero(lg_real x)
{
    lg_real low = x < -GELU_FAR ? -GELU_FAR : x;
    return low > GELU_FAR ? GELU_FAR : low;
}

/* exp(-|v|) = more * exp(t) */
typedef struct gelu_parts { lg_real t; lgi_wide more; } gelu_parts;

LGI_ALWAYS_INLINE gelu_parts gelu_exponent(lg_real c)
{
    const lgi_wide k = (lgi_wide)(2 * GELU_K), ka = (lgi_wide)(2 * GELU_K * GELU_A);
    lgi_wide size = c < 0 ? c : -c, v = size * (k + ka * (size * size));
    lg_real t = (lg_real)v;
    return (gelu_parts){t, 1 + (v - (lgi_wide)t)};
}

LGI_ALWAYS_INLINE lg_real gelu_tanh_of(lg_real x)
{
    gelu_parts v = gelu_exponent(near_zero(x));
    lgi_factors e = lgi_exp_factors(v.t);
    lg_real more = (lg_real)v.more, most = x / (1 + more * (e.a * e.b));
    lg_real low = lgi_times_exp(most, e, v.t) * more;
    return x < 0 ? low : most;
}

/* As for silu, with v in the place of x. */
LGI_ALWAYS_INLINE lg_real gelu_tanh_back_of(lg_real g, lg_real x)
{
    lg_real c = near_zero(x);
    gelu_parts v = gelu_exponent(c);
    lgi_wide k = (lgi_wide)(2 * GELU_K), ka = (lgi_wide)(6 * GELU_K * GELU_A), w = c;
    lgi_factors f = lgi_exp_factors(v.t);
    lgi_wide e = v.more * (f.a * f.b), q = 1 + e;
    lgi_wide top = q + w * (k + ka * (w * w)) * (x < 0 ? 1 : e);
    top *= (x < 0 ? v.more : 1) * g;
    lg_real most = (lg_real)top / (lg_real)(q * q), low = lgi_times_exp(most, f, v.t);
    return x < 0 ? low : most;
}

LGI_LOOP1(gelu_exact_loop, void, gelu_exact_of(a, false))
LGI_LOOP2(gelu_exact_back_loop, void, gelu_exact_back_of(a, b, false))
LGI_LOOP1(gelu_exact_fused, void, gelu_exact_of(a, true))
LGI_LOOP2(gelu_exact_back_fused, void, gelu_exact_back_of(a, b, true))
LGI_LOOP1(gelu_tanh_loop, void, gelu_tanh_of(a))
LGI_LOOP2(gelu_tanh_back_loop, void, gelu_tanh_back_of(a, b))
LGI_WIDE(gelu_tanh_loop)
LGI_WIDE(gelu_tanh_back_loop)
ACT_FUSED(gelu_exact)
ACT_FUSED(gelu_exact_back)
ACT_GRAD(gelu, gelu_back, n->in[0])

static void gelu_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const gelu_attr *t = n->attr;
    lgi_loop *loop = t->approximate ? LGI_WIDEST(E, gelu_tanh_loop)
                                    : gelu_exact_widest(E);
    (void)workspace;
    lgi_map(E, loop, n->out, 1, n->in, NULL);
}

static void gelu_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const gelu_attr *t = n->attr;
    lgi_loop *loop = t->approximate ? LGI_WIDEST(E, gelu_tanh_back_loop)
                                    : gelu_exact_back_widest(E);
    (void)workspace;
    lgi_map(E, loop, n->out, 2, n->in, NULL);
}

/* exp(-x^2 / 2) (2 - x^2) / sqrt(2 pi) */
static lg_tensor *gelu_bend(lg_engine *E, lg_tensor *gg, lg_tensor *x)
{
    lg_tensor *x2 = apply_to(E, &lgi_op_square, x);
    lg_tensor *e = apply_to(E, &lgi_op_exp, lgi_affine(E, x2, -0.5, 0));
    lg_tensor *p = lgi_affine(E, x2, -NORMAL_TOP, 2 * NORMAL_TOP);
    return lgi_mul(E, gg, lgi_mul(E, e, p));
}

/* s (1 - s) (2 v' + x ((1 - 2s) v'^2 + v'')) */
static lg_tensor *gelu_tanh_bend(lg_engine *E, lg_tensor *gg, lg_tensor *x)
{
    const double far[] = {-GELU_FAR, GELU_FAR};
    lg_tensor *c = lgi_apply1(E, &lgi_op_clamp, x, far);
    lg_tensor *c2 = apply_to(E, &lgi_op_square, c);
    lg_tensor *k = lgi_affine(E, c2, 2 * GELU_K * GELU_A, 2 * GELU_K);
    lg_tensor *s = apply_to(E, &lgi_op_sigmoid, lgi_mul(E, c, k));
    lg_tensor *dv = lgi_affine(E, c2, 6 * GELU_K * GELU_A, 2 * GELU_K);
    lg_tensor *a = lgi_mul(E, lgi_affine(E, s, -2, 1), apply_to(E, &lgi_op_square, dv));
    lg_tensor *b = lgi_affine(E, c, 12 * GELU_K * GELU_A, 0);
    lg_tensor *bend = lgi_add(E, lgi_affine(E, dv, 2, 0),
                              lgi_mul(E, c, lgi_add(E, a, b)));
    return lgi_mul(E, lgi_apply2(E, &lgi_op_sigmoid_back, gg, s, NULL), bend);
}

static lg_status gelu_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    const gelu_attr *t = n->attr;
    lg_tensor *x = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_gelu_back, g[0], x, t);
    if (wanted[1]) {
        lg_tensor *gg = lgi_mul(E, g[0], n->in[0]);
        out[1] = t->approximate ? gelu_tanh_bend(E, gg, x) : gelu_bend(E, gg, x);
    }
    return E->status;
}

const lg_op lgi_op_gelu = {
    .name = "gelu", .args = "x, approximate: none|tanh = none",
    .doc = "x P(x), where P is the normal distribution (Hendrycks and Gimpel 2016); "
           "approximated by tanh it is x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2."
           ACT_SHAPE,
    .shape = lgi_same_shape, .forward = gelu_forward, .grad = gelu_grad,
    .needs = LGI_IN(0), .attr_bytes = sizeof(gelu_attr),
    .samples = {ACT_SAMPLES("", ""), "2,3; approximate=tanh", "-; approximate=tanh"}};

const lg_op lgi_op_gelu_back = {
    .name = "gelu_back", .args = "g, x, approximate: none|tanh = none",
    .doc = "The gradient of gelu: g (P(x) + x P'(x)).",
    .shape = lgi_pair_shape, .forward = gelu_back_forward, .grad = gelu_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .attr_bytes = sizeof(gelu_attr),
    .samples = {ACT_BACK_SAMPLES("", ""), "2,3; 2,3; approximate=tanh",
                "-; -; approximate=tanh"}};

const lg_op *const lgi_ops_smooth_activation[] = {
    &lgi_op_selu, &lgi_op_selu_back, &lgi_op_softsign, &lgi_op_softsign_back,
    &lgi_op_mish, &lgi_op_mish_back, &lgi_op_gelu, &lgi_op_gelu_back, NULL};
