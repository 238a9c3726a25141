/*
 * test_ops_values.c - the operators' numbers, against formulas in long double, at places
 * of every day and at the edges: +-1e4, infinities, NaN, ties, empty and single axes.
 * Gradients are checked elsewhere, for all operators; here only where finite differences
 * cannot: where numbers are equal, or 0, or huge.
 */
#include "op/op.h"
#include "test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static lg_engine *E;
static const double eps = sizeof(lg_real) == 4 ? FLT_EPSILON : DBL_EPSILON;

/* Units that a total may be off: for double it is accumulated in no better. */
enum { TOTAL_ULPS = sizeof(lg_real) == 4 ? 4 : 4000 };

static lg_tensor *vector(int n, const double *v)
{
    lg_tensor *t = lgi_make(E, 1, (int64_t[]){n});
    for (int i = 0; i < n; i++)
        t->data[i] = (lg_real)v[i];
    return t;
}

#define VECTOR(...) vector((int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), \
                           (double[]){__VA_ARGS__})

static lg_tensor *shaped(lg_tensor *t, const char *dims)
{
    char text[96];
    snprintf(text, sizeof text, "dims={%s}", dims);
    return lg_apply(E, lg_find_op("reshape"), 1, &t, text);
}

static lg_tensor *op1(const char *name, lg_tensor *x, const char *attributes)
{
    return lg_apply(E, lg_find_op(name), 1, &x, attributes);
}

static lg_tensor *op2(const char *name, lg_tensor *a, lg_tensor *b,
                      const char *attributes)
{
    return lg_apply(E, lg_find_op(name), 2, (lg_tensor *[]){a, b}, attributes);
}

static lg_tensor *op3(const char *name, lg_tensor *a, lg_tensor *b, lg_tensor *c)
{
    return lg_apply(E, lg_find_op(name), 3, (lg_tensor *[]){a, b, c}, NULL);
}

/* Equal, or within ulps units of the last place; NaN equals NaN. */
static bool near(double got, long double want, double ulps)
{
    if (isnan(want) || isinf(want))
        return isnan(want) ? isnan(got) : got == (double)want;
    long double tiny = sizeof(lg_real) == 4 ? 2 * (long double)FLT_TRUE_MIN : 0;
    return fabsl((long double)got - want) <= ulps * eps * fabsl(want) + tiny;
}

static void check_values(const char *what, const lg_tensor *y, int n, const double *want,
                         double ulps)
{
    if (!check(y && y->numel == n, "%s: %s", what, y ? LGI_SHAPE(y) : lg_message(E)))
        return;
    for (int i = 0; i < n; i++)
        check(near((double)y->data[i], want[i], ulps), "%s: number %d is %.9g, and "
              "should be %.9g", what, i + 1, (double)y->data[i], want[i]);
}

#define VALUES(what, y, ulps, ...)                                                      \
    check_values(what, y, (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)),      \
                 (double[]){__VA_ARGS__}, ulps)

static void check_shape(const char *what, const lg_tensor *y, const char *shape)
{
    check(y && strcmp(LGI_SHAPE(y), shape) == 0, "%s has the shape %s, not %s", what,
          y ? LGI_SHAPE(y) : lg_message(E), shape);
    lg_clear(E);
}

static void check_refused(const char *what, const lg_tensor *y, const char *part)
{
    check(!y && E->status < 0, "%s is not refused", what);
    check_text(lg_message(E), part);
    lg_clear(E);
}

/* The gradient of the sum of y for x. */
static lg_tensor *slope(lg_tensor *y, lg_tensor *x)
{
    lg_tensor *g = NULL, *one = y ? lg_full(E, y->ndim, y->dim, 1) : NULL;
    lg_grad(E, y, one, 1, &x, LG_RETAIN_GRAPH | LG_CREATE_GRAPH, &g);
    return g;
}

/* functions of one number */

static long double ref_relu(long double x) { return x > 0 ? x : isnan(x) ? x : 0; }
static long double ref_sigmoid(long double x) { return 1 / (1 + expl(-x)); }
static long double ref_softplus(long double x) { return x > 0 ? x + log1pl(expl(-x))
                                                              : log1pl(expl(x)); }
static long double ref_log_sigmoid(long double x) { return -ref_softplus(-x); }
static long double ref_silu(long double x) { return x * ref_sigmoid(x); }
static long double ref_elu(long double x) { return x > 0 ? x : expm1l(x); }
static long double ref_leaky(long double x)
{
    return x > 0 ? x : x * (long double)(lg_real)0.01;
}
static long double ref_neg(long double x) { return -x; }
static long double ref_sign(long double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
static long double ref_square(long double x) { return (lg_real)(x * x); }
static long double ref_inverse(long double x) { return (lg_real)(1 / x); }
static long double ref_rsqrt(long double x) { return 1 / sqrtl(x); }

static const struct unary_case {
    const char *name;
    long double (*f)(long double);
    double ulps;
} unary_cases[] = {
    {"neg", ref_neg, 0}, {"abs", fabsl, 0}, {"sign", ref_sign, 0}, {"exp", expl, 2},
    {"expm1", expm1l, 2}, {"log", logl, 2}, {"log1p", log1pl, 2}, {"sqrt", sqrtl, 1},
    {"rsqrt", ref_rsqrt, 2}, {"square", ref_square, 1}, {"reciprocal", ref_inverse, 1},
    {"sin", sinl, 2}, {"cos", cosl, 2}, {"floor", floorl, 0}, {"ceil", ceill, 0},
    {"round", rintl, 0}, {"relu", ref_relu, 0}, {"leaky_relu", ref_leaky, 1},
    {"tanh", tanhl, 3}, {"sigmoid", ref_sigmoid, 4}, {"softplus", ref_softplus, 4},
    {"log_sigmoid", ref_log_sigmoid, 4}, {"silu", ref_silu, 5}, {"elu", ref_elu, 2}};

/* Is a very small number, which float may round to 0, expected? */
static bool vanishes(long double want)
{
    return fabsl(want) < 4 * (long double)FLT_MIN && sizeof(lg_real) == 4;
}

static void check_unary(const struct unary_case *c, const lg_tensor *x)
{
    lg_tensor *y = op1(c->name, (lg_tensor *)x, NULL);
    int wrong = 0;
    for (int64_t i = 0; y && i < x->numel; i++) {
        long double want = (lg_real)c->f((long double)x->data[i]);
        bool ok = near((double)y->data[i], want, c->ulps)
                  || (vanishes(want) && fabs((double)y->data[i]) < 8 * FLT_MIN);
        if (!ok && wrong++ < 3)
            check(false, "%s(%.9g) is %.9g, and should be %.9Lg", c->name,
                  (double)x->data[i], (double)y->data[i], want);
    }
    check(y && !wrong, "%s: %d of %lld wrong %s", c->name, wrong, (long long)x->numel,
          lg_message(E));
    lg_clear(E);
}

static void test_unary(void)
{
    lg_tensor *edges = VECTOR(0, -0.0, 1, -1, 0.5, -0.5, 0.3, 2.5, -2.5, 1.5, 1e4, -1e4,
                              88,
                              -88, 90, -90, 103, -103, 1e-4, -1e-4, 1e-30, -1e-30, 1e30,
                              -1e30, INFINITY, -INFINITY, NAN, 0.625, -0.625, 16, -16);
    lg_tensor *many = lgi_make(E, 1, (int64_t[]){40001});      /* more than one piece */
    for (int64_t i = 0; i < many->numel; i++)
        many->data[i] = (lg_real)((double)(i - 20000) * 1e-3);
    for (size_t i = 0; i < sizeof unary_cases / sizeof *unary_cases; i++) {
        const char *name = unary_cases[i].name;
        bool circular = strcmp(name, "sin") == 0 || strcmp(name, "cos") == 0;
        check_unary(&unary_cases[i], many);
        if (!circular && strcmp(name, "silu") != 0)    /* -inf * 0, as in PyTorch */
            check_unary(&unary_cases[i], edges);
        lg_tensor *none = op1(name, lg_zeros(E, 2, (int64_t[]){0, 3}), NULL);
        check_shape(name, none, "{0,3}");
    }
    lg_tensor *x = VECTOR(-2, 0.5, 3, INFINITY, NAN);
    VALUES("clamp", op1("clamp", x, "min=-1, max=2"), 0, -1, 0.5, 2, 2, NAN);
    VALUES("clamp", op1("clamp", x, "min=0"), 0, 0, 0.5, 3, INFINITY, NAN);
    check_refused("clamp", op1("clamp", x, "min=2, max=1"), "min must not be above max");
    VALUES("leaky_relu", op1("leaky_relu", x, "slope=0.25"), 0, -0.5, 0.5, 3, INFINITY,
           NAN);
    check_refused("leaky_relu", op1("leaky_relu", x, "slope=-1"),
                  "slope must be 0 or more");
    VALUES("affine", op1("affine", x, "mul=2, add=1"), 0, -3, 2, 7, INFINITY, NAN);
}

/* two numbers */

static void test_arith(void)
{
    lg_tensor *a = VECTOR(1, -2, 0, INFINITY, NAN, 3), *b = VECTOR(2, 4, 0, 1, 1, NAN);
    VALUES("add", op2("add", a, b, NULL), 0, 3, 2, 0, INFINITY, NAN, NAN);
    VALUES("sub", op2("sub", a, b, NULL), 0, -1, -6, 0, INFINITY, NAN, NAN);
    VALUES("mul", op2("mul", a, b, NULL), 0, 2, -8, 0, INFINITY, NAN, NAN);
    VALUES("div", op2("div", a, b, NULL), 0, 0.5, -0.5, NAN, INFINITY, NAN, NAN);
    VALUES("div_no_nan", op2("div_no_nan", a, b, NULL), 0, 0.5, -0.5, 0, INFINITY, NAN,
           NAN);
    VALUES("maximum", op2("maximum", a, b, NULL), 0, 2, 4, 0, INFINITY, NAN, NAN);
    VALUES("minimum", op2("minimum", a, b, NULL), 0, 1, -2, 0, 1, NAN, NAN);
    VALUES("pow", op2("pow", a, b, NULL), 1, 1, 16, 1, INFINITY, NAN, NAN);
    VALUES("eq", op2("eq", a, b, NULL), 0, 0, 0, 1, 0, 0, 0);
    VALUES("ne", op2("ne", a, b, NULL), 0, 1, 1, 0, 1, 1, 1);
    VALUES("lt", op2("lt", a, b, NULL), 0, 1, 1, 0, 0, 0, 0);
    VALUES("le", op2("le", a, b, NULL), 0, 1, 1, 1, 0, 0, 0);
    VALUES("gt", op2("gt", a, b, NULL), 0, 0, 0, 0, 1, 0, 0);
    VALUES("ge", op2("ge", a, b, NULL), 0, 0, 0, 1, 1, 0, 0);
    VALUES("where", op3("where", VECTOR(1, 0, -1), VECTOR(1, 2, 3), VECTOR(NAN, 5, NAN)),
           0, 1, 5, 3);
    lg_tensor *x = VECTOR(4, 9, 0.25);
    VALUES("pow 2", op2("pow", x, lg_scalar(E, 2), NULL), 0, 16, 81, 0.0625);
    VALUES("pow 3", op2("pow", x, lg_scalar(E, 3), NULL), 0, 64, 729, 0.015625);
    VALUES("pow 0.5", op2("pow", x, lg_scalar(E, 0.5), NULL), 0, 2, 3, 0.5);
    VALUES("pow -1", op2("pow", x, lg_scalar(E, -1), NULL), 1, 0.25, 1. / 9, 4);
    VALUES("pow 0", op2("pow", x, lg_scalar(E, 0), NULL), 0, 1, 1, 1);
    VALUES("2 pow", op2("pow", lg_scalar(E, 2), VECTOR(3, -1), NULL), 0, 8, 0.5);
}

/* a op b at every index, by division of the flat one */
static void check_broadcast(const char *sa, const char *sb, const char *shape)
{
    lg_tensor *a, *b, *y;
    int64_t na = 1, nb = 1;
    for (const char *p = sa; *p; p += strcspn(p, ","), p += *p == ',')
        na *= atoi(p);
    for (const char *p = sb; *p; p += strcspn(p, ","), p += *p == ',')
        nb *= atoi(p);
    a = shaped(lg_randn(E, 1, &na), sa);
    b = shaped(lg_randn(E, 1, &nb), sb);
    y = op2("sub", a, b, NULL);
    check_shape("broadcast", y, shape);
    for (int64_t i = 0; y && i < y->numel; i++) {
        int64_t flat = i, at_a = 0, at_b = 0, step_a = 1, step_b = 1;
        for (int k = 1; k <= y->ndim; k++) {
            int64_t size = y->dim[y->ndim - k], index = flat % size;
            int64_t da = k <= a->ndim ? a->dim[a->ndim - k] : 1;
            int64_t db = k <= b->ndim ? b->dim[b->ndim - k] : 1;
            at_a += da == 1 ? 0 : index * step_a;
            at_b += db == 1 ? 0 : index * step_b;
            step_a *= da, step_b *= db;
            flat /= size;
        }
        if (y->data[i] != a->data[at_a] - b->data[at_b]) {
            check(false, "%s - %s differs at %lld", sa, sb, (long long)i);
            return;
        }
    }
    check(y != NULL, "%s", lg_message(E));
}

static void test_broadcast(void)
{
    check_broadcast("3,4", "3,4", "{3,4}");
    check_broadcast("3,4", "4", "{3,4}");
    check_broadcast("3,1", "4", "{3,4}");
    check_broadcast("", "2,2", "{2,2}");
    check_broadcast("2,1,3,1,2", "3,1,2,1", "{2,3,3,2,2}");
    check_broadcast("64,32,33", "1,32,1", "{64,32,33}");       /* more than one piece */
    check_broadcast("70000", "1", "{70000}");
    check_broadcast("1,1", "300,301", "{300,301}");
    check_broadcast("300,1", "1,301", "{300,301}");
    check_broadcast("0,3", "3", "{0,3}");
    lg_tensor *a = lg_zeros(E, 2, (int64_t[]){2, 3}), *b = lg_zeros(E, 1, (int64_t[]){2});
    check_refused("add", op2("add", a, b, NULL), "add: {2,3} and {2} do not fit");
}

/* reductions, against sums in long double by index */

static void check_reduction(const char *dims_of_x, const char *attributes, unsigned axes)
{
    int64_t n = 1, total = 1, out[LG_MAX_DIM];
    for (const char *p = dims_of_x; *p; p += strcspn(p, ","), p += *p == ',')
        n *= atoi(p);
    lg_tensor *x = shaped(lg_randn(E, 1, &n), dims_of_x);
    lg_tensor *sum = op1("sum", x, attributes), *mean = op1("mean", x, attributes);
    lg_tensor *most = op1("amax", x, attributes), *norm = op1("norm", x, attributes);
    lg_tensor *var = op1("var", x, attributes), *std = op1("std", x, attributes);
    if (!check(std != NULL, "%s: %s", dims_of_x, lg_message(E)))
        return;
    for (int i = x->ndim - 1; i >= 0; i--) {
        out[i] = axes >> i & 1 ? 0 : total;
        total *= axes >> i & 1 ? 1 : x->dim[i];
    }
    long double *ref = calloc((size_t)(4 * total + 1), sizeof *ref);
    double terms = (double)n / (double)total;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < n; i++) {
            int64_t flat = i, to = 0;
            for (int k = x->ndim - 1; k >= 0; k--) {
                to += flat % x->dim[k] * out[k];
                flat /= x->dim[k];
            }
            long double v = x->data[i], *r = ref + 4 * to;
            long double d = v - r[0] / terms;
            if (pass == 0)
                r[0] += v, r[1] += v * v, r[2] = v > r[2] ? v : r[2];
            else
                r[3] += d * d;
        }
    bool ok = sum->numel == total;
    for (int64_t i = 0; ok && i < total; i++) {
        const long double *r = ref + 4 * i;
        double small = 1e-12 * sqrt((double)r[1] * terms) / eps;
        ok = near((double)sum->data[i], r[0], 1 + small / (fabs((double)r[0]) + 1e-9))
             && near((double)mean->data[i], r[0] / terms,
                     1 + small / (fabs((double)r[0]) + 1e-9))
             && near((double)norm->data[i], sqrtl(r[1]), TOTAL_ULPS)
             && (most->data[i] == r[2] || r[2] == 0)
             && near((double)var->data[i], r[3] / (terms - 1), TOTAL_ULPS)
             && near((double)std->data[i], sqrtl(r[3] / (terms - 1)),
                     TOTAL_ULPS);
    }
    check(ok, "reductions of {%s} with %s are wrong", dims_of_x, attributes);
    free(ref);
}

static void test_reduce(void)
{
    check_reduction("7", "", 1);
    check_reduction("100003", "", 1);
    check_reduction("64,600", "dims=1", 1);
    check_reduction("64,600", "dims=2", 2);
    check_reduction("3,50000", "dims=2", 2);
    check_reduction("50000,3", "dims=1", 1);
    check_reduction("8,3,40,50", "dims={1,3,4}", 13);
    check_reduction("8,3,40,50", "dims={2,4}, keepdim=true", 10);
    check_reduction("2,3,2,2,3", "dims={1,3,5}", 21);
    check_reduction("2,3,2,2,3", "dims={2,-2}", 10);
    check_reduction("100,1,100", "dims={1}", 1);
    lg_tensor *none = lg_zeros(E, 2, (int64_t[]){0, 2});
    VALUES("sum of none", op1("sum", none, "dims=1"), 0, 0, 0);
    VALUES("mean of none", op1("mean", none, "dims=1"), 0, NAN, NAN);
    check_shape("sum", op1("sum", none, "dims=2"), "{0}");
    check_refused("amax", op1("amax", none, "dims=1"), "no greatest or least number");
    VALUES("amax", op1("amax", VECTOR(1, NAN, 3), NULL), 0, NAN);
    VALUES("amin", op1("amin", VECTOR(1, -INFINITY, 3), NULL), 0, -INFINITY);
    VALUES("var of one", op1("var", VECTOR(3), NULL), 0, NAN);
    VALUES("norm of huge", op1("norm", VECTOR(3e30, 4e30), NULL), 2, 5e30);
    lg_tensor *far = VECTOR(10000, 10001, 10002);
    VALUES("var far from 0", op1("var", far, "correction=0"), 1, 2. / 3);
    check_refused("sum", op1("sum", far, "dims=2"), "sum: dims is 2, but {3} has 1 axes");
    check_refused("sum", op1("sum", shaped(far, "1,3"), "dims={2,-1}"), "axis 2 twice");
}

static void test_softmax(void)
{
    lg_tensor *x = VECTOR(1e4, -1e4, 1e4, 0), *y = VECTOR(-INFINITY, 0, 0);
    VALUES("softmax", op1("softmax", x, "dim=1"), 0, 0.5, 0, 0.5, 0);
    VALUES("log_softmax", op1("log_softmax", x, "dim=1"), 1, -log(2), -2e4 - log(2),
           -log(2), -1e4 - log(2));
    VALUES("logsumexp", op1("logsumexp", x, "dim=1"), 1, 1e4 + log(2));
    VALUES("softmax", op1("softmax", y, "dim=1"), 0, 0, 0.5, 0.5);
    VALUES("softmax", op1("softmax", VECTOR(0, NAN), "dim=1"), 0, NAN, NAN);
    VALUES("softmax", op1("softmax", shaped(VECTOR(0, 5, 0, 5), "2,2"), "dim=1"), 0, 0.5,
           0.5, 0.5, 0.5);
    VALUES("logsumexp", op1("logsumexp", VECTOR(-INFINITY, -INFINITY), "dim=1"), 0,
           -INFINITY);
    check_refused("softmax", op1("softmax", lg_scalar(E, 1), "dim=1"), "dim is 1");
}

/* shapes */

static void test_shape(void)
{
    lg_tensor *x = shaped(VECTOR(1, 2, 3, 4, 5, 6), "2,3");
    check_shape("reshape", shaped(x, "3,-1"), "{3,2}");
    check_refused("reshape", shaped(x, "4,-1"), "x is {2,3}, 6 numbers");
    check_refused("reshape", shaped(x, "-1,-1"), "do not fit dims {-1,-1}");
    check_refused("reshape", shaped(x, "5"), "do not fit dims {5}");
    check(shaped(x, "6")->buffer == x->buffer, "reshape copies");
    check_shape("flatten", op1("flatten", lg_zeros(E, 4, (int64_t[]){2, 3, 4, 5}), NULL),
                "{2,60}");
    check_shape("flatten", op1("flatten", x, "start=1"), "{6}");
    check_shape("squeeze", op1("squeeze", shaped(x, "1,2,1,3"), NULL), "{2,3}");
    check_shape("squeeze", op1("squeeze", shaped(x, "1,2,1,3"), "dims=1"), "{2,1,3}");
    check_shape("unsqueeze", op1("unsqueeze", x, "dim=-1"), "{2,3,1}");
    VALUES("transpose", op1("transpose", x, "dim1=1, dim2=2"), 0, 1, 4, 2, 5, 3, 6);
    check_refused("permute", op1("permute", x, "dims={1}"), "all 2 axes of x must be");
    check_refused("permute", op1("permute", x, "dims={1,1}"), "names axis 1 twice");
    VALUES("expand", op1("expand", shaped(VECTOR(1, 2), "2,1"), "dims={-1,2}"), 0, 1, 1,
           2, 2);
    check_refused("expand", op1("expand", x, "dims={2,4}"), "{2,3}, which cannot become");
    VALUES("cat", op2("cat", x, op1("narrow", x, "dim=2, start=1, length=1"), "dim=2"), 0,
           1, 2, 3, 1, 4, 5, 6, 4);
    check_refused("cat", op2("cat", x, VECTOR(1), NULL), "x[1] is {2,3} and x[2] is {1}");
    lg_tensor *row = op1("narrow", x, "dim=1, start=2, length=1");
    VALUES("narrow", row, 0, 4, 5, 6);
    check(row->buffer == x->buffer, "a run of rows is copied");
    VALUES("narrow", op1("narrow", x, "dim=2, start=2, length=2"), 0, 2, 3, 5, 6);
    check_refused("narrow", op1("narrow", x, "dim=2, start=3, length=2"),
                  "length must be");
    VALUES("narrow_back", op1("narrow_back", row, "dim=2, start=2, size=5"), 0, 0, 4, 5,
           6, 0);
}

/* axes in another order, against one element after the other */
static void test_permute(void)
{
    static const int64_t shapes[][4] = {{5, 70, 33, 1}, {40, 50, 3, 4}, {2, 3, 4, 5},
                                        {1, 300, 1, 301}, {33, 1, 200, 7}};
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {0, 2, 3, 1}, {1, 0, 3,
                                    2}, {2, 3, 0, 1}, {0, 3, 1, 2}, {1, 2, 3, 0}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
            const int *p = orders[o];
            int scope = lg_open_scope(E);
            char text[64];
            lg_tensor *x = lg_randn(E, 4, shapes[s]), *y;
            snprintf(text, sizeof text, "dims={%d,%d,%d,%d}", p[0] + 1, p[1] + 1,
                     p[2] + 1, p[3] + 1);
            y = op1("permute", x, text);
            bool ok = y != NULL;
            for (int64_t i = 0; ok && i < y->numel; i++) {
                int64_t flat = i, at[4], from;
                for (int k = 3; k >= 0; k--) {
                    at[p[k]] = flat % y->dim[k];
                    flat /= y->dim[k];
                }
                from = (at[0] * x->dim[1] + at[1]) * x->dim[2] + at[2];
                ok = y->data[i] == x->data[from * x->dim[3] + at[3]];
            }
            check(ok, "permute of shape %d by %s is wrong %s", (int)s, text,
                  lg_message(E));
            lg_close_scope(E, scope);
        }
}

/* normalization, dropout, losses */

static void check_batch_norm(int ndim, const int64_t *dim, double offset)
{
    lg_tensor *x = lg_randn(E, ndim, dim), *w = lg_randn(E, 1, &dim[1]);
    lg_tensor *b = lg_randn(E, 1, &dim[1]), *y;
    int64_t inner = lgi_product_of(dim + 2, ndim - 2), m = dim[0] * inner, wrong = 0;
    for (int64_t i = 0; i < x->numel; i++)
        x->data[i] += (lg_real)offset;
    y = op3("batch_norm", x, w, b);
    for (int64_t k = 0; y && k < dim[1]; k++) {
        long double sum = 0, squares = 0;
        for (int64_t i = 0; i < m; i++)
            sum += x->data[(i / inner * dim[1] + k) * inner + i % inner];
        for (int64_t i = 0; i < m; i++) {
            int64_t at = (i / inner * dim[1] + k) * inner + i % inner;
            squares += (x->data[at] - sum / m) * (x->data[at] - sum / m);
        }
        wrong += !(fabsl(y[1].data[k] - sum / m) <= 16 * eps * (1 + fabs(offset)));
        wrong += !near((double)y[2].data[k], squares / m, TOTAL_ULPS);
        for (int64_t i = 0; i < m; i++) {
            int64_t at = (i / inner * dim[1] + k) * inner + i % inner;
            long double h = (x->data[at] - sum / m) / sqrtl(squares / m + 1e-5L);
            long double want = h * w->data[k] + b->data[k];
            double slack = eps * (100 + 2 * fabs(offset));
            slack *= 1 + fabs((double)w->data[k]);
            wrong += !(fabsl((long double)y->data[at] - want) <= slack);
        }
    }
    check(y && !wrong, "batch_norm with the mean %g: %lld numbers are wrong %s", offset,
          (long long)wrong, lg_message(E));
}

static void test_norm(void)
{
    check_batch_norm(2, (int64_t[]){64, 300}, 0);
    check_batch_norm(2, (int64_t[]){1000, 70}, 100);
    check_batch_norm(4, (int64_t[]){16, 3, 64, 65}, 0);        /* in slices */
    check_batch_norm(4, (int64_t[]){4, 70, 7, 5}, 1000);
    check_batch_norm(3, (int64_t[]){3, 2, 1}, 0);
    lg_tensor *x = shaped(VECTOR(3, 5), "1,2"), *b = VECTOR(7, 8), *w = VECTOR(2, 2);
    VALUES("batch_norm of one", op3("batch_norm", x, w, b), 0, 7, 8);
    check_refused("batch_norm", op1("batch_norm", w, NULL), "must have the axes n, c");
    check_refused("batch_norm", op2("batch_norm", x, VECTOR(1), NULL), "w must be {2}");
    lg_tensor *in[] = {x, VECTOR(1, 1), VECTOR(3, 8), w, b};
    VALUES("batch_norm_eval", lg_apply(E, lg_find_op("batch_norm_eval"), 5, in, "eps=1"),
           1, 9, 8 + 8. / 3);
    x = lg_zeros(E, 2, (int64_t[]){0, 2});
    check_refused("batch_norm", op1("batch_norm", x, NULL), "no numbers");
}

static void test_dropout(void)
{
    int64_t n = 100000, kept = 0, wrong = 0;
    lg_tensor *x = lg_full(E, 1, &n, 3), *y = op1("dropout", x, "p=0.25");
    lg_tensor *z = op1("dropout", x, "p=0.25");
    for (int64_t i = 0; i < n; i++) {
        kept += y->data[i] != 0;
        wrong += y->data[i] != 0 && !near((double)y->data[i], 4, 1);
    }
    check(!wrong && labs((long)kept - 75000) < 700, "dropout keeps %lld of 100000",
          (long long)kept);
    check(memcmp(y->data, z->data, (size_t)n * sizeof *y->data) != 0, "the same numbers");
    VALUES("dropout", op1("dropout", VECTOR(1, 2), "p=0"), 0, 1, 2);
    VALUES("dropout", op1("dropout", VECTOR(1, 2), "p=1"), 0, 0, 0);
    check_refused("dropout", op1("dropout", x, "p=1.5"), "p must be from 0 to 1");
}

static void test_loss(void)
{
    lg_tensor *x = VECTOR(1e4, -1e4, 0, 2), *y = VECTOR(1, 1, 0.5, 0);
    VALUES("bce", op2("bce_with_logits", x, y, "reduction=none"), 4, 0, 1e4, log(2),
           2 + log1p(exp(-2)));
    VALUES("bce", op2("bce_with_logits", x, lg_scalar(E, 0), "reduction=none"), 4, 1e4, 0,
           log(2), 2 + log1p(exp(-2)));
    VALUES("bce", op2("bce_with_logits", VECTOR(NAN), lg_scalar(E, 0), NULL), 0, NAN);
    VALUES("mse", op2("mse", VECTOR(1, 2, 4), VECTOR(1, 0, 1), NULL), 1, 13. / 3);
    VALUES("mse", op2("mse", VECTOR(1, 2, 4), lg_scalar(E, 1), "reduction=sum"), 1, 10);
    VALUES("l1", op2("l1", VECTOR(1, -2), VECTOR(1, 1), "reduction=none"), 0, 0, 3);
    lg_tensor *column = lg_zeros(E, 2, (int64_t[]){3, 1});
    check_refused("mse", op2("mse", column, lg_zeros(E, 1, (int64_t[]){3}), NULL),
                  "mse: x is {3,1} and y is {3}; y must have the shape of x");
    check_refused("mse", op2("mse", x, y, "reduction=avg"), "one of mean|sum|none");
    int64_t n = 300001;
    lg_tensor *big = lg_full(E, 1, &n, 0.1), *none = lg_zeros(E, 1, (int64_t[]){0});
    VALUES("mse of many", op2("mse", big, lg_scalar(E, 0), NULL), TOTAL_ULPS,
           (double)(lg_real)0.1 * (double)(lg_real)0.1);
    VALUES("mse of none", op2("mse", none, none, NULL), 0, NAN);
}

/* gradients where finite differences cannot look */

static void test_slopes(void)
{
    lg_tensor *x = lg_track(E, VECTOR(0, 0, 2)), *a = lg_track(E, VECTOR(1, 2, 2));
    VALUES("relu at 0", slope(op1("relu", x, NULL), x), 0, 0, 0, 1);
    VALUES("abs at 0", slope(op1("abs", x, NULL), x), 0, 0, 0, 1);
    VALUES("norm at 0", slope(op1("norm", shaped(x, "3,1"), "dims=2"), x), 0, 0, 0, 1);
    VALUES("amax of equals", slope(op1("amax", a, NULL), a), 0, 0, 0.5, 0.5);
    VALUES("amin of equals", slope(op1("amin", x, NULL), x), 0, 0.5, 0.5, 0);
    VALUES("maximum of equals", slope(op2("maximum", x, lg_scalar(E, 0), NULL), x), 0,
           0.5, 0.5, 1);
    VALUES("clamp at its bound", slope(op1("clamp", a, "max=2"), a), 0, 1, 1, 1);
    lg_tensor *second = slope(op2("pow", x, lg_scalar(E, 2), NULL), x);
    VALUES("x^2 at 0", slope(second, x), 0, 2, 2, 2);
    second = slope(op2("pow", x, lg_scalar(E, 1), NULL), x);
    VALUES("x^1 at 0", slope(second, x), 0, 0, 0, 0);
    VALUES("0^b", slope(op2("pow", lg_scalar(E, 0), a, NULL), a), 0, 0, 0, 0);
    lg_tensor *cond = VECTOR(0, 1, 0), *inf = lg_full(E, 1, (int64_t[]){3}, INFINITY);
    VALUES("where", slope(op3("where", cond, x, inf), x), 0, 0, 1, 0);
    lg_tensor *far = lg_track(E, VECTOR(-1e4, 1e4, -40, 40));
    static const char *const flat[] = {"sigmoid", "tanh", "silu", "softplus",
                                       "log_sigmoid", "elu"};
    for (size_t i = 0; i < sizeof flat / sizeof *flat; i++) {
        lg_tensor *y = op1(flat[i], far, NULL), *g = slope(y, far), *h = slope(g, far);
        for (int k = 0; k < 4; k++)
            check(g && h && fabs((double)g->data[k]) <= 1.0001
                  && fabs((double)h->data[k]) < 1e-10, "%s at %g: slope %g, second %g",
                  flat[i], (double)far->data[k], (double)g->data[k], (double)h->data[k]);
    }
}

int main(void)
{
    static void (*const tests[])(void) = {test_unary, test_arith, test_broadcast,
        test_reduce, test_softmax, test_shape, test_permute, test_norm, test_dropout,
        test_loss, test_slopes};
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
