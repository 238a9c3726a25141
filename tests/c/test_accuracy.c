/*
 * test_accuracy.c - elementwise operators, in units of the last place: no number may be
 * more than 4 of them off the formula in long double, over all special values and random
 * ones of every size. An operator of one input that has no formula here is a failure.
 *
 * A row may name `size`: how great the terms are that cancel each other. Where they leave
 * less than themselves, the units are those of the terms. Such rows say why.
 */
#include "base/random.h"
#include "op/op.h"
#include "test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#ifdef LG_DOUBLE
enum { DIGITS = DBL_MANT_DIG, TOP = DBL_MAX_EXP };
#define LEAST DBL_TRUE_MIN
#define SMALLEST DBL_MIN
#define GREATEST DBL_MAX
#define EPSILON DBL_EPSILON
#define LOG_LEAST -745.0
#else
enum { DIGITS = FLT_MANT_DIG, TOP = FLT_MAX_EXP };
#define LEAST FLT_TRUE_MIN
#define SMALLEST FLT_MIN
#define GREATEST FLT_MAX
#define EPSILON FLT_EPSILON
#define LOG_LEAST -104.0
#endif
#define FAR_BELOW (1.05 * LOG_LEAST)

typedef long double wide;

enum { DRAWN = 100000, UNITS = 4 };

static lg_engine *E;
static uint64_t drawn;
static const lgi_stream dice = {7, 3};

static double uniform(double from, double to)
{
    return from + (to - from) * lgi_uniform_at(dice, drawn++);
}

/* Formulas of one number. Of an attribute they know what the row says, not what is left
 * of it in an lg_real. At -inf silu, mish and gelu are inf * 0, as in PyTorch. */

static wide f_neg(wide x) { return -x; }
static wide f_sign(wide x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
static wide f_rsqrt(wide x) { return 1 / sqrtl(x); }
static wide f_square(wide x) { return x * x; }
static wide f_reciprocal(wide x) { return 1 / x; }
static wide bounded_by(wide x, wide min, wide max)
{
    return x < min ? min : x > max ? max : x;
}
static wide f_clamp(wide x) { return bounded_by(x, -0.3L, 1.7L); }
static wide f_hardtanh(wide x) { return bounded_by(x, -1, 1); }
static wide f_relu6(wide x) { return bounded_by(x, 0, 6); }
static wide f_unchanged(wide x) { return x + 0; }
static wide f_scaled(wide x) { return -0.3L * x + 0; }
static wide f_affine(wide x) { return 3 * x + 1; }
static wide affine_size(wide x) { return fabsl(3 * x); }
static wide f_same(wide x) { return x; }
static wide f_relu(wide x) { return x <= 0 ? 0 : x; }
static wide f_leaky(wide x) { return x > 0 ? x : 0.01L * x; }
static wide f_leaky_2(wide x) { return x > 0 ? x : 0.2L * x; }
static wide f_elu(wide x) { return x > 0 ? x : expm1l(x); }
static wide f_elu_3(wide x) { return x > 0 ? x : 0.3L * expm1l(x); }
#define SELU_S 1.0507009873554804934193349852946L
#define SELU_A 1.6732632423543772848170429916717L
static wide f_selu(wide x) { return SELU_S * (x > 0 ? x : SELU_A * expm1l(x)); }
static wide f_sigmoid(wide x)
{
    wide e = expl(x < 0 ? x : -x);
    return (x < 0 ? e : 1) / (1 + e);
}
static wide f_softplus(wide x) { return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x))); }
static wide f_log_sigmoid(wide x) { return -f_softplus(-x); }
static wide f_softsign(wide x) { return x / (1 + fabsl(x)); }
static wide f_silu(wide x) { return x * f_sigmoid(x); }
static wide f_mish(wide x) { return x * tanhl(f_softplus(x)); }
static wide normal_below(wide x) { return 0.5L * erfcl(-x * sqrtl(0.5L)); }
static wide f_gelu(wide x) { return x * normal_below(x); }
#define GELU_2K (2 * 0.797884560802865355879892119868763737L)
static wide f_gelu_tanh(wide x)
{
    return x * f_sigmoid(GELU_2K * (x + 0.044715L * x * x * x));
}

static const struct one_row {
    const char *name, *attributes;
    wide (*f)(wide), (*size)(wide);
} one_rows[] = {
    {"neg", NULL, f_neg}, {"abs", NULL, fabsl}, {"sign", NULL, f_sign},
    {"exp", NULL, expl}, {"expm1", NULL, expm1l}, {"log", NULL, logl},
    {"log1p", NULL, log1pl}, {"sqrt", NULL, sqrtl}, {"rsqrt", NULL, f_rsqrt},
    {"square", NULL, f_square}, {"reciprocal", NULL, f_reciprocal}, {"sin", NULL, sinl},
    {"cos", NULL, cosl}, {"erf", NULL, erfl}, {"floor", NULL, floorl},
    {"ceil", NULL, ceill}, {"round", NULL, rintl}, {"clamp", NULL, f_same},
    {"clamp", "min=-0.3, max=1.7", f_clamp}, {"affine", NULL, f_unchanged},
    {"affine", "mul=-0.3", f_scaled},
    /* the product is rounded, and 1 takes away all but that */
    {"affine", "mul=3, add=1", f_affine, affine_size},
    {"relu", NULL, f_relu}, {"leaky_relu", NULL, f_leaky},
    {"leaky_relu", "slope=0.2", f_leaky_2}, {"elu", NULL, f_elu},
    {"elu", "alpha=0.3", f_elu_3}, {"selu", NULL, f_selu}, {"relu6", NULL, f_relu6},
    {"hardtanh", NULL, f_hardtanh}, {"hardtanh", "min=-0.3, max=1.7", f_clamp},
    {"sigmoid", NULL, f_sigmoid}, {"log_sigmoid", NULL, f_log_sigmoid},
    {"tanh", NULL, tanhl}, {"softplus", NULL, f_softplus},
    {"softsign", NULL, f_softsign}, {"silu", NULL, f_silu}, {"mish", NULL, f_mish},
    {"gelu", NULL, f_gelu}, {"gelu", "approximate=tanh", f_gelu_tanh}};

/* Formulas of two numbers. In a _back operator a is the gradient g. */

static wide f_add(wide a, wide b) { return a + b; }
static wide f_sub(wide a, wide b) { return a - b; }
static wide f_mul(wide a, wide b) { return a * b; }
static wide f_div(wide a, wide b) { return a / b; }
static wide f_div_no_nan(wide a, wide b) { return b == 0 ? 0 : a / b; }
static wide f_maximum(wide a, wide b) { return a > b || isnan(a) ? a : b; }
static wide f_minimum(wide a, wide b) { return a < b || isnan(a) ? a : b; }
static wide f_eq(wide a, wide b) { return a == b; }
static wide f_ne(wide a, wide b) { return a != b; }
static wide f_lt(wide a, wide b) { return a < b; }
static wide f_le(wide a, wide b) { return a <= b; }
static wide f_gt(wide a, wide b) { return a > b; }
static wide f_ge(wide a, wide b) { return a >= b; }
static wide f_prelu(wide a, wide b) { return a > 0 ? a : a * b; }
static wide f_tanh_back(wide g, wide y) { return g * ((1 - y) * (1 + y)); }
static wide f_sigmoid_back(wide g, wide y) { return g * (y * (1 - y)); }
static wide f_softplus_back(wide g, wide y) { return -g * expm1l(-y); }
static wide f_elu_back(wide g, wide y) { return g * (y > 0 ? 1 : y + 1); }
static wide f_selu_back(wide g, wide y)
{
    return g * (y > 0 ? SELU_S : y + SELU_S * SELU_A);
}
static wide f_softsign_back(wide g, wide x)
{
    return g / ((1 + fabsl(x)) * (1 + fabsl(x)));
}
static wide f_silu_back(wide g, wide x)
{
    return g * f_sigmoid(x) * (1 + x * f_sigmoid(-x));
}
static wide silu_back_size(wide g, wide x)
{
    return fabsl(g) * f_sigmoid(x) * (1 + fabsl(x) * f_sigmoid(-x));
}
static wide f_mish_back(wide g, wide x)
{
    wide t = tanhl(f_softplus(x));
    return g * (t + x * f_sigmoid(x) * (1 - t) * (1 + t));
}
static wide mish_back_size(wide g, wide x)
{
    wide t = tanhl(f_softplus(x));
    return fabsl(g) * (t + fabsl(x) * f_sigmoid(x) * (1 - t) * (1 + t));
}
static wide normal_at(wide x) { return expl(-0.5L * x * x) / sqrtl(2 * acosl(-1)); }
static wide f_gelu_back(wide g, wide x)
{
    return g * (normal_below(x) + x * normal_at(x));
}
static wide gelu_back_size(wide g, wide x)
{
    return fabsl(g) * (normal_below(x) + fabsl(x) * normal_at(x));
}
static wide gelu_tanh_terms(wide g, wide x, wide sign)
{
    wide v = GELU_2K * (x + 0.044715L * x * x * x);
    wide dv = GELU_2K * (1 + 3 * 0.044715L * x * x);
    return g * f_sigmoid(v) * (1 + sign * x * dv * f_sigmoid(-v));
}
static wide f_gelu_tanh_back(wide g, wide x) { return gelu_tanh_terms(g, x, 1); }
static wide gelu_tanh_back_size(wide g, wide x)
{
    return gelu_tanh_terms(fabsl(g), x, x < 0 ? -1 : 1);
}

/* What is drawn for a and b: the formulas of gradients are for g of every day and for the
 * results y or numbers x that there are. */
typedef enum range { ANY, EVERYDAY, BELOW_1, UNIT, EXPONENT, LIMITED } range;

static const struct two_row {
    const char *name, *attributes;
    wide (*f)(wide, wide), (*size)(wide, wide);
    range a, b;
} two_rows[] = {
    {"add", NULL, f_add}, {"sub", NULL, f_sub}, {"mul", NULL, f_mul},
    {"div", NULL, f_div}, {"div_no_nan", NULL, f_div_no_nan}, {"pow", NULL, powl},
    {"pow", NULL, powl, NULL, EVERYDAY, EXPONENT},
    {"maximum", NULL, f_maximum}, {"minimum", NULL, f_minimum}, {"eq", NULL, f_eq},
    {"ne", NULL, f_ne}, {"lt", NULL, f_lt}, {"le", NULL, f_le}, {"gt", NULL, f_gt},
    {"ge", NULL, f_ge},
    {"tanh_back", NULL, f_tanh_back, NULL, EVERYDAY, BELOW_1},
    {"sigmoid_back", NULL, f_sigmoid_back, NULL, EVERYDAY, UNIT},
    {"softplus_back", NULL, f_softplus_back, NULL, EVERYDAY, UNIT},
    {"elu_back", NULL, f_elu_back, NULL, EVERYDAY, BELOW_1},
    {"selu_back", NULL, f_selu_back, NULL, EVERYDAY, BELOW_1},
    {"softsign_back", NULL, f_softsign_back, NULL, EVERYDAY, LIMITED},
    /* these slopes pass through 0 near -1.28, -1.19 and -0.75, where two terms cancel */
    {"silu_back", NULL, f_silu_back, silu_back_size, EVERYDAY, LIMITED},
    {"mish_back", NULL, f_mish_back, mish_back_size, EVERYDAY, LIMITED},
    {"gelu_back", NULL, f_gelu_back, gelu_back_size, EVERYDAY, LIMITED},
    {"gelu_back", "approximate=tanh", f_gelu_tanh_back, gelu_tanh_back_size, EVERYDAY,
     LIMITED}};

/* numbers to try */

static const double special[] = {
    0, -0.0, INFINITY, -INFINITY, NAN, LEAST, -LEAST, SMALLEST, -SMALLEST, GREATEST,
    -GREATEST, EPSILON, -EPSILON, 1, -1, 1 + EPSILON, 1 - EPSILON, -1 - EPSILON,
    -1 + EPSILON, 0.5, -0.5, 1.5, 2.5, -2.5, 6, 1e4, -1e4, 0.625, -0.625, 87, 88.7228,
    -87.34, -88, -103.97, -104, 709.78, -708.4, -745.1, 8388609, -8388609, 3.14159265,
    1.5707963267948966, 1e-20, 1e30, -1e30};

enum { SPECIAL = sizeof special / sizeof *special };

static lg_real of_any_bits(void)
{
    uint32_t word[4];
    lg_real x;
    lgi_philox((lgi_stream){7, 4}, drawn++, word);
    memcpy(&x, word, sizeof x);
    return isfinite(x) ? x : 1;
}

static lg_real of_any_size(int64_t i)
{
    double sign = i & 1 ? 1 : -1;
    switch (i / 2 % 8) {
    case 0: return (lg_real)uniform(-10, 10);
    case 1: return (lg_real)(uniform(-1, 1) * 1.1 * LOG_LEAST);
    case 2: return of_any_bits();
    case 3: return (lg_real)uniform(-SMALLEST, SMALLEST);
    case 4: return (lg_real)(sign * exp(uniform(-20, 3)));
    case 5: return (lg_real)(sign + uniform(-1, 1) * exp(uniform(-17, 0)));
    case 6: return (lg_real)(sign * ldexp(uniform(0.5, 1), TOP - (int)(i % 70)));
    default: return (lg_real)(LOG_LEAST * uniform(0.8, 1.02) + (i & 1 ? 0 : 4));
    }
}

static lg_real draw(range r, int64_t i)
{
    switch (r) {
    case EVERYDAY: return (lg_real)((i & 1 ? 1 : -1) * exp(uniform(-9, 9)));
    case BELOW_1: return (lg_real)(i & 1 ? tanh(uniform(-9, 9)) : uniform(-1, 1));
    case UNIT: return (lg_real)(i & 1 ? exp(uniform(-80, 0)) : 1 - exp(uniform(-12, 0)));
    case EXPONENT: return (lg_real)(i & 1 ? rint(uniform(-9, 9)) : uniform(-9, 9));
    case LIMITED: return (lg_real)(i & 1 ? uniform(-9, 9) : uniform(FAR_BELOW, 50));
    default: return of_any_size(i);
    }
}

/* How far off, in units of the last place. A zero has its sign where a zero went in. */
static double units_off(lg_real got, wide want, wide size, bool from_zero)
{
    const wide top = ldexpl(1, TOP);   /* where infinity begins, a unit after GREATEST */
    if (isnan(want) || isinf(want))
        return (isnan(want) ? isnan(got) : got == want) ? 0 : INFINITY;
    if (isnan(got))
        return INFINITY;
    if (want == 0 && from_zero)
        return got == 0 && !signbit(got) == !signbit(want) ? 0 : INFINITY;
    wide g = isinf(got) ? copysignl(top, got) : got;
    wide w = fabsl(want) > top ? copysignl(top, want) : want;
    wide from = fmaxl(fmaxl(fabsl(w), size), LEAST);
    wide unit = fmaxl(ldexpl(1, ilogbl(from) + 1 - DIGITS), LEAST);
    return (double)(fabsl(g - w) / unit);
}

/* The worst of an operator's numbers. */
typedef struct worst {
    double units;
    lg_real a, b, got;
    wide want;
} worst;

static void see(worst *w, lg_real a, lg_real b, lg_real got, wide want, wide size)
{
    double units = units_off(got, want, size, a == 0);
    if (units > w->units)
        *w = (worst){units, a, b, got, want};
}

static void judge(const char *name, const char *attributes, int inputs, const worst *w)
{
    const char *more = attributes ? attributes : "";
    check(w->units <= UNITS, "%s %s at %.9g%s%.9g is %.9g and should be %.9Lg: %.4g "
          "units off", name, more, (double)w->a, inputs > 1 ? " and " : " of ",
          inputs > 1 ? (double)w->b : (double)w->a, (double)w->got, w->want, w->units);
}

/* Which NaN comes of two is up to the compiler. */
static bool same_numbers(const lg_tensor *a, const lg_tensor *b)
{
    for (int64_t i = 0; i < a->numel; i++)
        if (memcmp(&a->data[i], &b->data[i], sizeof *a->data) != 0
            && !(isnan(a->data[i]) && isnan(b->data[i])))
            return false;
    return true;
}

/* Those ask for FMA where the processor has it. */
static bool is_fused(const char *name, const char *attributes)
{
    bool gelu = strncmp(name, "gelu", 4) == 0 && !attributes;
    return sizeof(lg_real) == 4 && (gelu || strncmp(name, "silu", 4) == 0);
}

/* The result; the same bits must come on lesser sets of kernels. */
static lg_tensor *result_of(const char *name, int n, lg_tensor *const *in,
                            const char *attributes)
{
    static const lgi_cpu lesser[] = {LGI_PLAIN, LGI_AVX2};
    const lg_op *op = lg_find_op(name);
    if (!check(op != NULL, "there is no operator %s", name))
        return NULL;
    lgi_cpu cpu = E->cpu;
    lg_tensor *y = lg_apply(E, op, n, in, attributes);
    for (int i = 0; y && i < 2; i++) {
        if (lesser[i] >= cpu || is_fused(name, attributes))
            continue;
        E->cpu = lesser[i];
        lg_tensor *other = lg_apply(E, op, n, in, attributes);
        check(other && same_numbers(y, other), "%s has other bits on %s", name,
              lgi_cpu_name(E->cpu));
    }
    E->cpu = cpu;
    return check(y != NULL, "%s: %s", name, lg_message(E)) ? y : NULL;
}

static void test_one(void)
{
    lg_tensor *x = lgi_make(E, 1, (int64_t[]){SPECIAL + DRAWN});
    for (int64_t i = 0; i < x->numel; i++)
        x->data[i] = i < SPECIAL ? (lg_real)special[i] : of_any_size(i);
    for (size_t k = 0; k < sizeof one_rows / sizeof *one_rows; k++) {
        const struct one_row *r = &one_rows[k];
        int scope = lg_open_scope(E);
        lg_tensor *y = result_of(r->name, 1, &x, r->attributes);
        worst w = {0};
        for (int64_t i = 0; y && i < x->numel; i++) {
            wide a = x->data[i];
            see(&w, x->data[i], 0, y->data[i], r->f(a), r->size ? r->size(a) : 0);
        }
        judge(r->name, r->attributes, 1, &w);
        lg_clear(E);
        lg_close_scope(E, scope);
    }
}

static void check_two(const struct two_row *r)
{
    int64_t edges = r->a == ANY && r->b == ANY ? SPECIAL * SPECIAL : 0;
    lg_tensor *in[2];
    worst w = {0};
    for (int j = 0; j < 2; j++)
        in[j] = lgi_make(E, 1, (int64_t[]){edges + DRAWN});
    for (int64_t i = 0; i < in[0]->numel; i++) {
        bool edge = i < edges;
        in[0]->data[i] = edge ? (lg_real)special[i / SPECIAL] : draw(r->a, i);
        in[1]->data[i] = edge ? (lg_real)special[i % SPECIAL] : draw(r->b, i / 2);
    }
    lg_tensor *y = result_of(r->name, 2, in, r->attributes);
    for (int64_t i = 0; y && i < y->numel; i++) {
        lg_real a = in[0]->data[i], b = in[1]->data[i];
        see(&w, a, b, y->data[i], r->f(a, b), r->size ? r->size(a, b) : 0);
    }
    judge(r->name, r->attributes, 2, &w);
}

static void test_two(void)
{
    for (size_t k = 0; k < sizeof two_rows / sizeof *two_rows; k++) {
        int scope = lg_open_scope(E);
        check_two(&two_rows[k]);
        lg_clear(E);
        lg_close_scope(E, scope);
    }
}

/* One exponent or one slope for all numbers, which have loops of their own. */
static void test_one_for_all(void)
{
    static const double exponents[] = {2, 3, 1, 0, 0.5, -1, -0.5, 2.5, INFINITY, NAN};
    lg_tensor *x = lgi_make(E, 1, (int64_t[]){SPECIAL + DRAWN});
    for (int64_t i = 0; i < x->numel; i++)
        x->data[i] = i < SPECIAL ? (lg_real)special[i] : of_any_size(i);
    for (size_t k = 0; k < sizeof exponents / sizeof *exponents; k++) {
        int scope = lg_open_scope(E);
        lg_tensor *b = lg_full(E, 1, (int64_t[]){1}, exponents[k]);
        lg_tensor *pow = result_of("pow", 2, (lg_tensor *[]){x, b}, NULL);
        lg_tensor *prelu = result_of("prelu", 2, (lg_tensor *[]){x, b}, NULL);
        worst w[2] = {{0}, {0}};
        for (int64_t i = 0; pow && prelu && i < x->numel; i++) {
            lg_real a = x->data[i];
            see(&w[0], a, *b->data, pow->data[i], powl(a, *b->data), 0);
            see(&w[1], a, *b->data, prelu->data[i], f_prelu(a, *b->data), 0);
        }
        judge("pow", "by one number", 2, &w[0]);
        judge("prelu", "by one number", 2, &w[1]);
        lg_close_scope(E, scope);
    }
}

/* Is it elementwise? Then a change of one number changes that result alone. What gives
 * its input back (a shape that is that already, no padding) or zeros (dropout of all)
 * does not count, unless it does more with other attributes. */
static bool is_elementwise(const lg_op *op, const char *attributes)
{
    enum { N = 5 };
    lg_tensor *x = lgi_make(E, 1, (int64_t[]){N});
    for (int i = 0; i < N; i++)
        x->data[i] = (lg_real)(1.75 * i - 3.125);
    lg_tensor *y = lg_apply(E, op, 1, &x, attributes);
    bool local = y && y->ndim == 1 && y->numel == N && lgi_count_returned(op) == 1
                 && memcmp(y->data, x->data, N * sizeof *x->data) != 0;
    bool moved = false, any = false;
    for (int i = 0; local && i < N; i++) {
        any |= y->data[i] != 0;
        lg_tensor *other = lg_from(E, 1, x->dim, x->data);
        other->data[i] = (lg_real)0.9;
        lg_tensor *z = lg_apply(E, op, 1, &other, attributes);
        for (int j = 0; z && j < N; j++)
            if (memcmp(&y->data[j], &z->data[j], sizeof *y->data) != 0)
                *(j == i ? &moved : &local) = j == i;
    }
    lg_clear(E);
    return local && moved && any;
}

/* With its defaults, or else with what its first samples say. */
static bool any_elementwise(const lg_op *op)
{
    lgi_signature s;
    if (!lgi_read_signature(op->args, &s) || s.listed || s.required != 1)
        return false;
    if (is_elementwise(op, NULL))
        return true;
    for (int i = 0; i < 8 && op->samples[i]; i++) {
        const char *attributes = strchr(op->samples[i], ';');
        if (attributes && strchr(attributes, '=') && is_elementwise(op, attributes + 1))
            return true;
    }
    return false;
}

static void test_that_all_are_here(void)
{
    int family = 0, member = 0, found = 0;
    for (const lg_op *op; (op = lgi_each_op(&family, &member)) != NULL;) {
        int scope = lg_open_scope(E);
        bool known = false;
        for (size_t k = 0; k < sizeof one_rows / sizeof *one_rows; k++)
            known |= strcmp(one_rows[k].name, op->name) == 0;
        if (any_elementwise(op)) {
            check(known, "%s is elementwise, and has no formula in one_rows", op->name);
            found++;
        }
        lg_close_scope(E, scope);
    }
    check(found > 25, "only %d operators look elementwise", found);
}

int main(void)
{
    static void (*const tests[])(void) = {test_one, test_two, test_one_for_all,
                                          test_that_all_are_here};
    if (lg_open(&E, NULL) != LG_OK)
        return 1;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        int scope = lg_open_scope(E);
        tests[i]();
        check(lg_failure(E) == LG_OK, "test %d leaves: %s", (int)i + 1, lg_message(E));
        lg_clear(E);
        lg_close_scope(E, scope);
    }
    check(lg_close(E) == 0, "memory is left");
    return report();
}
