/*
 * unary.c - functions of one element.
 *
 * A line each: the name, what it is, the number in terms of a, what the gradient reads,
 * and the gradient in terms of the tensors x, y (the result) and g. Gradients are made of
 * operators, never of loops.
 */
#include "kernel/vector.h"
#include "op/op.h"

#include <tgmath.h>

extern const lg_op lgi_op_sign, lgi_op_square, lgi_op_sin, lgi_op_cos;
extern const lg_op lgi_op_clamp_back, lgi_op_exp;

#define UNARY_OF(name, t) lgi_apply1(E, &lgi_op_##name, t, NULL)

#define UNARY_SAMPLES(kind) "2,3" kind, "-" kind, "1" kind, "0,3" kind, "2,1,2,1,2" kind

#define UNARY_OP(name_, text, kind, expr, reads, rule)                                  \
    LGI_LOOP1(name_##_loop, void, expr)                                                 \
    UNARY_OF_LOOP(name_, text, kind, reads, rule)

#define UNARY_OF_LOOP(name_, text, kind, reads, rule)                                   \
    LGI_WIDE(name_##_loop)                                                              \
    static void name_##_forward(lg_engine *E, const lgi_node *n, void *workspace)       \
    {                                                                                   \
        (void)workspace;                                                                \
        lgi_map(E, LGI_WIDEST(E, name_##_loop), n->out, 1, n->in, NULL);                \
    }                                                                                   \
    const lg_op lgi_op_##name_ = {.name = #name_, .args = "x",                          \
        .doc = text " The result has the shape of x.", .shape = lgi_same_shape,         \
        .forward = name_##_forward, .grad = rule, .needs = reads,                       \
        .samples = {UNARY_SAMPLES(kind)}};

#define UNARY(name_, text, kind, expr, reads, rule)                                     \
    UNARY_RULE(name_, rule)                                                             \
    UNARY_OP(name_, text, kind, expr, reads, name_##_grad)

#define UNARY_RULE(name_, rule)                                                         \
    static lg_status name_##_grad(lg_engine *E, const lgi_node *n, const bool *wanted,  \
                                  lg_tensor **gs, lg_tensor **out)                      \
    {                                                                                   \
        lg_tensor *x = n->in[0], *y = n->out, *g = gs[0];                               \
        (void)x, (void)y;                                                               \
        if (wanted[0])                                                                  \
            out[0] = rule;                                                              \
        return E->status;                                                               \
    }

/* Numbers far from 0 take the C library's function, of double, one at a time. */
#ifdef LG_DOUBLE
#define TURN_LOOP(name) LGI_LOOP1(name##_loop, void, lgi_##name(a))
#else
#define TURN_LOOP(name)                                                                 \
    LGI_ALWAYS_INLINE void name##_loop_any(LGI_LOOP_ARGS)                               \
    {                                                                                   \
        const lg_real *x = from[0];                                                     \
        uint32_t far = 0;                                                               \
        (void)step, (void)params;                                                       \
        for (int64_t i = 0; i < n; i++) {                                               \
            to[i] = lgi_##name(x[i]);                                                   \
            far |= !(fabsf(x[i]) <= LGI_FAR_TURNS);                                     \
        }                                                                               \
        for (int64_t i = 0; far && i < n; i++)                                          \
            if (!(fabsf(x[i]) <= LGI_FAR_TURNS))                                        \
                to[i] = (lg_real)name((double)x[i]);                                    \
    }                                                                                   \
    LGI_LOOP(name##_loop)
#endif

/* 2 / sqrt(pi) exp(-x^2) */
static lg_tensor *erf_slope(lg_engine *E, lg_tensor *x)
{
    lg_tensor *e = UNARY_OF(exp, lgi_neg(E, UNARY_OF(square, x)));
    return lgi_affine(E, e, 1.12837916709551257390, 0);
}

UNARY(neg, "-x.", "", -a, 0, lgi_neg(E, g))
UNARY(abs, "The absolute value of x. At 0 its gradient is 0.", " away", fabs(a),
      LGI_IN(0), lgi_mul(E, g, UNARY_OF(sign, x)))
UNARY(exp, "e to the power of x.", "", lgi_exp(a), LGI_OUT(0), lgi_mul(E, g, y))
UNARY(expm1, "exp(x) - 1, exact for small x.", "", lgi_expm1(a), LGI_OUT(0),
      lgi_mul(E, g, lgi_affine(E, y, 1, 1)))
UNARY(log, "The natural logarithm of x.", " positive", lgi_log(a), LGI_IN(0),
      lgi_div(E, g, x))
UNARY(log1p, "log(1 + x), exact for small x.", " positive", lgi_log1p(a), LGI_IN(0),
      lgi_div(E, g, lgi_affine(E, x, 1, 1)))
UNARY(sqrt, "The square root of x.", " positive", sqrt(a), LGI_OUT(0),
      lgi_div(E, lgi_affine(E, g, 0.5, 0), y))
UNARY(rsqrt, "1 / sqrt(x).", " positive", 1 / sqrt(a), LGI_OUT(0),
      lgi_mul(E, lgi_affine(E, g, -0.5, 0), lgi_mul(E, y, UNARY_OF(square, y))))
UNARY(square, "x * x.", "", a * a, LGI_IN(0), lgi_mul(E, lgi_affine(E, g, 2, 0), x))
UNARY(reciprocal, "1 / x.", " away", 1 / a, LGI_OUT(0),
      lgi_mul(E, lgi_neg(E, g), UNARY_OF(square, y)))
TURN_LOOP(sin)
TURN_LOOP(cos)
UNARY_RULE(sin, lgi_mul(E, g, UNARY_OF(cos, x)))
UNARY_RULE(cos, lgi_mul(E, lgi_neg(E, g), UNARY_OF(sin, x)))
UNARY_OF_LOOP(sin, "The sine of x, in radians.", "", LGI_IN(0), sin_grad)
UNARY_OF_LOOP(cos, "The cosine of x, in radians.", "", LGI_IN(0), cos_grad)
UNARY(erf, "The error function of x, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 "
      "to x.", "", lgi_erf(a), LGI_IN(0), lgi_mul(E, g, erf_slope(E, x)))
UNARY_OP(sign, "-1, 0 or 1: the sign of x, and NaN of a NaN.", " away",
         a > 0 ? (lg_real)1 : a < 0 ? (lg_real)-1 : a, 0, LG_ZERO)
UNARY_OP(floor, "The greatest whole number that is not above x.", " away", floor(a), 0,
         LG_ZERO)
UNARY_OP(ceil, "The least whole number that is not below x.", " away", ceil(a), 0,
         LG_ZERO)
UNARY_OP(round, "The whole number nearest to x, of two the even one.", " away", rint(a),
         0, LG_ZERO)

/* clamp: within bounds, which its gradient counts as inside. */

typedef struct clamp_attr { double min, max; } clamp_attr;

static lg_status clamp_shape(lg_engine *E, lgi_node *n)
{
    const clamp_attr *t = n->attr;
    if (!(t->min <= t->max))
        return lgi_fail(E, LG_EARG,
                        "%s: min must not be above max, and they are %g and %g",
                        n->op->name, t->min, t->max);
    return lgi_like(n->out, n->in[n->nin - 1]);
}

LGI_ALWAYS_INLINE lg_real clamped(lg_real x, lg_real min, lg_real max)
{
    lg_real low = x < min ? min : x;
    return low > max ? max : low;
}

LGI_LOOP1(clamp_loop, clamp_attr, clamped(a, (lg_real)p->min, (lg_real)p->max))
LGI_WIDE(clamp_loop)

static void clamp_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    lgi_map(E, LGI_WIDEST(E, clamp_loop), n->out, 1, n->in, n->attr);
}

static lg_status clamp_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_clamp_back, g[0], n->in[0], n->attr);
    return E->status;
}

const lg_op lgi_op_clamp = {
    .name = "clamp", .args = "x, min: number = -inf, max: number = inf",
    .doc = "x, but no less than min and no more than max; a NaN stays. The gradient is 0 "
           "where x is out of bounds. The result has the shape of x.",
    .shape = clamp_shape, .forward = clamp_forward, .grad = clamp_grad,
    .needs = LGI_IN(0),
    .attr_bytes = sizeof(clamp_attr),
    .samples = {"2,3 away; min=-1, max=1", "- away; min=0", "0,3; max=0",
                "2,1,2,1,2 away; min=-1, max=0"}};

LGI_LOOP2(clamp_back_loop, clamp_attr,
          ((b < (lg_real)p->min) | (b > (lg_real)p->max)) ? 0 : a)
LGI_WIDE(clamp_back_loop)

static lg_status clamp_back_shape(lg_engine *E, lgi_node *n)
{
    if (!lgi_same_dims(n->in[0], n->in[1]))
        return lgi_fail(E, LG_ESHAPE,
                        "%s: g is %s and x is %s; the shapes must be the same",
                        n->op->name, LGI_SHAPE(n->in[0]), LGI_SHAPE(n->in[1]));
    return clamp_shape(E, n);
}

static void clamp_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    lgi_map(E, LGI_WIDEST(E, clamp_back_loop), n->out, 2, n->in, n->attr);
}

static lg_status clamp_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                 lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_clamp_back, g[0], n->in[1], n->attr);
    return E->status;
}

const lg_op lgi_op_clamp_back = {
    .name = "clamp_back", .args = "g, x, min: number = -inf, max: number = inf",
    .doc = "The gradient of clamp: g where x is within the bounds, else 0. g and the "
           "result have the shape of x.",
    .shape = clamp_back_shape, .forward = clamp_back_forward, .grad = clamp_back_grad,
    .needs = LGI_IN(1), .attr_bytes = sizeof(clamp_attr),
    .samples = {"2,3; 2,3 away; min=-1, max=1", "-; - away; min=0", "0,3; 0,3"}};

const lg_op *const lgi_ops_unary[] = {
    &lgi_op_neg, &lgi_op_abs, &lgi_op_sign, &lgi_op_exp, &lgi_op_expm1, &lgi_op_log,
    &lgi_op_log1p, &lgi_op_sqrt, &lgi_op_rsqrt, &lgi_op_square, &lgi_op_reciprocal,
    &lgi_op_sin, &lgi_op_cos, &lgi_op_erf, &lgi_op_floor, &lgi_op_ceil, &lgi_op_round,
    &lgi_op_clamp, &lgi_op_clamp_back, NULL};
