/*
 * arith.c - arithmetic of two tensors, which broadcast against each other, and what
 * compares them.
 *
 * Broadcasting: aligned at the last axis, sizes are equal or one of them is 1. A rule may
 * return a gradient of the result's shape; the walk sums it to the input's.
 */
#include "kernel/elementwise.h"
#include "op/op.h"

#include <tgmath.h>

extern const lg_op lgi_op_where, lgi_op_pow, lgi_op_eq, lgi_op_ge, lgi_op_log;
extern const lg_op lgi_op_maximum_back, lgi_op_div_no_nan;

#define BINARY_SAMPLES "2,3; 2,3", "3; 2,3", "2,1; 3", "-; 2,2", "2,3; -", "0,3; 3", \
                       "2,1,2,1,2; 3,1,2,1", "1; 1"

/* Its own loop over a and b, its rule as a function of its own. */
#define BINARY(name_, text, expr, rule, reads, ...)                                     \
    LGI_LOOP2(name_##_loop, void, expr)                                                 \
    LGI_WIDE(name_##_loop)                                                              \
    static void name_##_forward(lg_engine *E, const lgi_node *n, void *workspace)       \
    {                                                                                   \
        (void)workspace;                                                                \
        lgi_map(E, LGI_WIDEST(E, name_##_loop), n->out, 2, n->in, NULL);               \
    }                                                                                   \
    const lg_op lgi_op_##name_ = {.name = #name_, .args = "a, b", .doc = text,          \
        .shape = lgi_broadcast_shape, .forward = name_##_forward, .grad = rule,         \
        .needs = reads, .samples = {__VA_ARGS__}};

static lg_status add_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    (void)n;
    out[0] = wanted[0] ? g[0] : NULL;
    out[1] = wanted[1] ? g[0] : NULL;
    return E->status;
}

static lg_status sub_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    (void)n;
    out[0] = wanted[0] ? g[0] : NULL;
    out[1] = wanted[1] ? lgi_neg(E, g[0]) : NULL;
    return E->status;
}

static lg_status mul_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    out[0] = wanted[0] ? lgi_mul(E, g[0], n->in[1]) : NULL;
    out[1] = wanted[1] ? lgi_mul(E, g[0], n->in[0]) : NULL;
    return E->status;
}

/* By b it is -g (a/b) / b. */
static lg_status div_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    lg_tensor *by_a = lgi_div(E, g[0], n->in[1]);
    out[0] = wanted[0] ? by_a : NULL;
    out[1] = wanted[1] ? lgi_neg(E, lgi_mul(E, by_a, n->out)) : NULL;
    return E->status;
}

static lg_status div_no_nan_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                 lg_tensor **g, lg_tensor **out)
{
    lg_tensor *by_a = lgi_apply2(E, &lgi_op_div_no_nan, g[0], n->in[1], NULL);
    out[0] = wanted[0] ? by_a : NULL;
    out[1] = wanted[1] ? lgi_neg(E, lgi_mul(E, by_a, n->out)) : NULL;
    return E->status;
}

static lg_tensor *choose(lg_engine *E, lg_tensor *cond, lg_tensor *a, lg_tensor *b)
{
    lg_tensor *in[] = {cond, a, b};
    return cond && a && b ? lgi_apply(E, &lgi_op_where, 3, in, NULL) : NULL;
}

/* b a^(b-1). Where a and b are 0 that would be 0 * inf, and is made 0 * a^0: choosing the
 * exponent, not the result, keeps the second walk clear of the infinity as well. */
static lg_tensor *pow_by_base(lg_engine *E, const lgi_node *n)
{
    lg_tensor *a = n->in[0], *b = n->in[1], *exponent = b;
    if (b->numel != 1 || b->data[0] == 0) {
        lg_tensor *zero = lg_scalar(E, 0);
        lg_tensor *both = lgi_mul(E, lgi_apply2(E, &lgi_op_eq, a, zero, NULL),
                                  lgi_apply2(E, &lgi_op_eq, b, zero, NULL));
        exponent = choose(E, both, lg_scalar(E, 1), b);
    }
    exponent = lgi_affine(E, exponent, 1, -1);
    return lgi_mul(E, b, lgi_apply2(E, &lgi_op_pow, a, exponent, NULL));
}

/* a^b log(a), and 0 where a is 0 and b is not negative. */
static lg_tensor *pow_by_exponent(lg_engine *E, const lgi_node *n)
{
    lg_tensor *a = n->in[0], *b = n->in[1], *zero = lg_scalar(E, 0);
    lg_tensor *flat = lgi_mul(E, lgi_apply2(E, &lgi_op_eq, a, zero, NULL),
                              lgi_apply2(E, &lgi_op_ge, b, zero, NULL));
    lg_tensor *base = choose(E, flat, lg_scalar(E, 1), a);
    return lgi_mul(E, n->out, lgi_apply1(E, &lgi_op_log, base, NULL));
}

static lg_status pow_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    out[0] = wanted[0] ? lgi_mul(E, g[0], pow_by_base(E, n)) : NULL;
    out[1] = wanted[1] ? lgi_mul(E, g[0], pow_by_exponent(E, n)) : NULL;
    return E->status;
}

/* The exponents of every day, which are a number for all, without a call for each. */
LGI_ALWAYS_INLINE lg_real power(lg_real a, lg_real b) { return pow(a, b); }
LGI_LOOP2(pow_each_loop, void, power(a, b))
LGI_LOOP1(pow_2_loop, void, a * a)
LGI_LOOP1(pow_3_loop, void, a * a * a)
LGI_LOOP1(pow_half_loop, void, a == -INFINITY ? INFINITY : sqrt(a + 0))   /* of -0: 0 */
LGI_LOOP1(pow_minus_1_loop, void, 1 / a)

static void pow_loop(lg_real *restrict to, const lg_real *const *from,
                     const int64_t *step, int64_t n, const void *p)
{
    double b = step[1] == 0 ? (double)*from[1] : 0;
    lgi_loop *loop = step[0] == 0 ? pow_each_loop
                     : b == 2     ? pow_2_loop
                     : b == 3     ? pow_3_loop
                     : b == 1     ? lgi_copy_loop
                     : b == 0.5   ? pow_half_loop
                     : b == -1    ? pow_minus_1_loop
                                  : pow_each_loop;
    loop(to, from, step, n, p);
}

static void pow_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    lgi_map(E, pow_loop, n->out, 2, n->in, NULL);
}

/* A NaN in either goes through; equal numbers share the gradient. */
LGI_ALWAYS_INLINE lg_real greater_of(lg_real a, lg_real b)
{
    return a > b || a != a ? a : b;
}

LGI_ALWAYS_INLINE lg_real lesser_of(lg_real a, lg_real b)
{
    return a < b || a != a ? a : b;
}

static lg_status extremum_grad(lg_engine *E, lg_tensor *g, lg_tensor *a, lg_tensor *b,
                               const bool *wanted, lg_tensor **out)
{
    const lg_op *back = &lgi_op_maximum_back;
    if (wanted[0])
        out[0] = lgi_apply(E, back, 3, (lg_tensor *[]){g, a, b}, NULL);
    if (wanted[1])
        out[1] = lgi_apply(E, back, 3, (lg_tensor *[]){g, b, a}, NULL);
    return E->status;
}

static lg_status maximum_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out)
{
    return extremum_grad(E, g[0], n->in[0], n->in[1], wanted, out);
}

/* The smaller number is where the other one is greater. */
static lg_status minimum_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out)
{
    const bool turned[] = {wanted[1], wanted[0]};
    lg_tensor *by[2] = {NULL, NULL};
    extremum_grad(E, g[0], n->in[0], n->in[1], turned, by);
    out[0] = by[1];
    out[1] = by[0];
    return E->status;
}

static lg_status maximum_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                   lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply(E, &lgi_op_maximum_back, 3,
                           (lg_tensor *[]){g[0], n->in[1], n->in[2]}, NULL);
    return E->status;
}

static lg_status where_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    lg_tensor *cond = n->in[0];
    out[1] = wanted[1] ? choose(E, cond, g[0], lg_scalar(E, 0)) : NULL;
    out[2] = wanted[2] ? choose(E, cond, lg_scalar(E, 0), g[0]) : NULL;
    return E->status;
}

static lg_status broadcast_three_shape(lg_engine *E, lgi_node *n)
{
    int64_t dim[LG_MAX_DIM];
    int ndim;
    if (lgi_broadcast_dims(n->in[0], n->in[1], &ndim, dim)
        && lgi_set_dims(n->out, ndim, dim) == LG_OK
        && lgi_broadcast_dims(n->out, n->in[2], &ndim, dim))
        return lgi_set_dims(n->out, ndim, dim);
    return lgi_fail(E, LG_ESHAPE, "%s: %s, %s and %s do not fit: aligned at the last "
                    "axis, sizes must be equal or 1", n->op->name, LGI_SHAPE(n->in[0]),
                    LGI_SHAPE(n->in[1]), LGI_SHAPE(n->in[2]));
}

LGI_LOOP3(where_loop, void, a != 0 ? b : c)
LGI_LOOP3(maximum_back_loop, void, b > c || b != b ? a : b == c ? a / 2 : 0)
LGI_WIDE(where_loop)
LGI_WIDE(maximum_back_loop)

static void where_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    lgi_map(E, LGI_WIDEST(E, where_loop), n->out, 3, n->in, NULL);
}

static void maximum_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    lgi_map(E, LGI_WIDEST(E, maximum_back_loop), n->out, 3, n->in, NULL);
}

typedef struct affine_attr { double mul, add; } affine_attr;

LGI_LOOP1(affine_loop, affine_attr, a * (lg_real)p->mul + (lg_real)p->add)
LGI_WIDE(affine_loop)

static void affine_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    lgi_map(E, LGI_WIDEST(E, affine_loop), n->out, 1, n->in, n->attr);
}

static lg_status affine_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    const affine_attr *t = n->attr;
    if (wanted[0])
        out[0] = t->mul == 1 ? g[0] : lgi_affine(E, g[0], t->mul, 0);
    return E->status;
}

#define BROADCASTING " Shapes broadcast: aligned at the last axis, sizes are equal or 1."

BINARY(add, "The sum a + b." BROADCASTING, a + b, add_grad, 0, BINARY_SAMPLES)
BINARY(sub, "The difference a - b." BROADCASTING, a - b, sub_grad, 0, BINARY_SAMPLES)
BINARY(mul, "The product a * b, element by element." BROADCASTING, a * b, mul_grad,
       LGI_IN(0) | LGI_IN(1), BINARY_SAMPLES)
BINARY(div, "The quotient a / b." BROADCASTING, a / b, div_grad, LGI_IN(1) | LGI_OUT(0),
       "2,3; 2,3 positive", "3; 2,3 away", "2,1; 3 positive", "-; 2,2 positive",
       "2,3; - positive", "0,3; 3", "2,1,2,1,2; 3,1,2,1 away")
BINARY(div_no_nan, "The quotient a / b, and 0 where b is 0." BROADCASTING,
       b == 0 ? 0 : a / b, div_no_nan_grad, LGI_IN(1) | LGI_OUT(0), "2,3; 2,3 positive",
       "3; 2,1 away", "-; 2,2 positive", "0,3; 3")
BINARY(maximum, "The greater of a and b; a NaN in either goes through. Equal numbers "
       "share the gradient." BROADCASTING, greater_of(a, b), maximum_grad,
       LGI_IN(0) | LGI_IN(1), BINARY_SAMPLES)
BINARY(minimum, "The lesser of a and b; a NaN in either goes through. Equal numbers "
       "share the gradient." BROADCASTING, lesser_of(a, b), minimum_grad,
       LGI_IN(0) | LGI_IN(1), BINARY_SAMPLES)
BINARY(eq, "1 where a = b, else 0." BROADCASTING, a == b, LG_ZERO, 0, BINARY_SAMPLES)
BINARY(ne, "1 where a differs from b, else 0." BROADCASTING, a != b, LG_ZERO, 0,
       BINARY_SAMPLES)
BINARY(lt, "1 where a < b, else 0." BROADCASTING, a < b, LG_ZERO, 0, BINARY_SAMPLES)
BINARY(le, "1 where a <= b, else 0." BROADCASTING, a <= b, LG_ZERO, 0, BINARY_SAMPLES)
BINARY(gt, "1 where a > b, else 0." BROADCASTING, a > b, LG_ZERO, 0, BINARY_SAMPLES)
BINARY(ge, "1 where a >= b, else 0." BROADCASTING, a >= b, LG_ZERO, 0, BINARY_SAMPLES)

const lg_op lgi_op_pow = {
    .name = "pow", .args = "a, b",
    .doc = "a to the power of b. The gradient for b is 0 where a is 0 and b is not "
           "negative." BROADCASTING,
    .shape = lgi_broadcast_shape, .forward = pow_forward, .grad = pow_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_OUT(0),
    .samples = {"2,3 positive; 2,3", "3 positive; 2,3", "2,1 positive; 3",
                "- positive; 2,2", "2,3 positive; -", "0,3 positive; 3",
                "2,1,2,1,2 positive; 3,1,2,1"}};

const lg_op lgi_op_where = {
    .name = "where", .args = "cond, a, b",
    .doc = "a where cond is not 0, else b. The side that is not chosen gets the gradient "
           "0, whatever its numbers are." BROADCASTING,
    .shape = broadcast_three_shape, .forward = where_forward, .grad = where_grad,
    .needs = LGI_IN(0),
    .samples = {"2,3 index<2; 2,3; 2,3", "3 index<2; 2,3; -", "2,1 index<2; 3; 2,3",
                "- index<2; 2; 2", "0,3 index<2; 3; 3", "2,1,2,1,2 index<2; 3,1,2,1; 2"}};

const lg_op lgi_op_maximum_back = {
    .name = "maximum_back", .args = "g, a, b",
    .doc = "The gradient of maximum(a, b) for a: g where a > b, half of it where they "
           "are equal, else 0." BROADCASTING,
    .shape = broadcast_three_shape, .forward = maximum_back_forward,
    .grad = maximum_back_grad, .needs = LGI_IN(1) | LGI_IN(2),
    .samples = {"2,3; 2,3; 2,3", "2,3; 3; 2,1", "2; -; 2", "0,3; 3; 3"}};

const lg_op lgi_op_affine = {
    .name = "affine", .args = "x, mul: number = 1, add: number = 0",
    .doc = "x * mul + add, of x's shape.", .shape = lgi_same_shape,
    .forward = affine_forward, .grad = affine_grad, .attr_bytes = sizeof(affine_attr),
    .samples = {"2,3; mul=-2, add=1", "-; mul=3", "0,2; mul=2", "1,2,1,2,3; add=5"}};

const lg_op *const lgi_ops_arith[] = {
    &lgi_op_add, &lgi_op_sub, &lgi_op_mul, &lgi_op_div, &lgi_op_div_no_nan, &lgi_op_pow,
    &lgi_op_maximum, &lgi_op_maximum_back, &lgi_op_minimum, &lgi_op_affine, &lgi_op_eq,
    &lgi_op_ne, &lgi_op_lt, &lgi_op_le, &lgi_op_gt, &lgi_op_ge, &lgi_op_where, NULL};
