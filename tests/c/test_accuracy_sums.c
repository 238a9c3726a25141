/*
 * test_accuracy_sums.c - products and reductions of random shapes, and numbers of many
 * sizes, against plain loops in long double: a sum of k terms is off by no more than
 * k units (eps) of the sum of its terms' absolute values. Then softmax and its like, and
 * losses, where numbers are far apart or far from 0.
 */
#include "base/random.h"
#include "op/op.h"
#include "test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

typedef long double wide;

static lg_engine *E;
static const double eps = sizeof(lg_real) == 4 ? FLT_EPSILON : DBL_EPSILON;
static const wide least = sizeof(lg_real) == 4 ? (wide)FLT_TRUE_MIN : (wide)DBL_TRUE_MIN;
static uint64_t drawn;
static const lgi_stream dice = {13, 2};

static int64_t below(int64_t n) { return (int64_t)lgi_below(dice, drawn++, (uint64_t)n); }

static double uniform(double from, double to)
{
    return from + (to - from) * lgi_uniform_at(dice, drawn++);
}

/* Numbers of either sign; a third of the tensors have sizes from e^-6 to e^6. */
static lg_tensor *numbers(int ndim, const int64_t *dim)
{
    lg_tensor *t = lgi_make(E, ndim, dim);
    double spread = below(3) ? 0 : 6;
    for (int64_t i = 0; i < t->numel; i++)
        t->data[i] = (lg_real)(uniform(-1, 1) * exp(uniform(-spread, spread)));
    return t;
}

/* What a result should be: for each number the sum, of how many terms, and how great they
 * are together. */
typedef struct sums {
    int64_t n;
    wide *sum, *size;
    int64_t *terms;
} sums;

static sums open_sums(int64_t n)
{
    size_t bytes = (size_t)n + 1;
    return (sums){n, calloc(bytes, sizeof(wide)), calloc(bytes, sizeof(wide)),
                  calloc(bytes, sizeof(int64_t))};
}

static void close_sums(sums *s)
{
    free(s->sum);
    free(s->size);
    free(s->terms);
}

static void add_term(sums *s, int64_t i, wide term)
{
    s->sum[i] += term;
    s->size[i] += fabsl(term);
    s->terms[i]++;
}

static void check_sums(const char *what, const lg_tensor *y, const sums *s)
{
    double worst = 0;
    int64_t at = 0;
    if (!check(y && y->numel == s->n, "%s: %s", what, y ? LGI_SHAPE(y) : lg_message(E)))
        return;
    for (int64_t i = 0; i < s->n; i++) {
        wide off = fabsl((wide)y->data[i] - s->sum[i]);
        wide bar = (wide)s->terms[i] * eps * s->size[i] + least;
        double ratio = off <= bar ? (double)(off / bar) : INFINITY;
        if (ratio > worst)
            worst = ratio, at = i;
    }
    check(worst <= 1, "%s: number %lld of %s is %.9g, and should be %.9Lg, of %lld terms "
          "with the size %.3Lg", what, (long long)at + 1, LGI_SHAPE(y),
          (double)y->data[at], s->sum[at], (long long)s->terms[at], s->size[at]);
}

/* products */

static void check_matmul(int64_t batch, int64_t m, int64_t n, int64_t k, bool ta, bool tb)
{
    lg_tensor *a = numbers(3, (int64_t[]){batch, ta ? k : m, ta ? m : k});
    lg_tensor *b = numbers(2, (int64_t[]){tb ? n : k, tb ? k : n});
    char attributes[64], what[128];
    sums s = open_sums(batch * m * n);
    for (int64_t z = 0; z < batch; z++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++)
                for (int64_t p = 0; p < k; p++) {
                    wide x = a->data[z * m * k + (ta ? p * m + i : i * k + p)];
                    add_term(&s, (z * m + i) * n + j,
                             x * b->data[tb ? j * k + p : p * n + j]);
                }
    snprintf(attributes, sizeof attributes, "transpose_a=%s, transpose_b=%s",
             ta ? "true" : "false", tb ? "true" : "false");
    snprintf(what, sizeof what, "matmul %s times %s", LGI_SHAPE(a), LGI_SHAPE(b));
    lg_tensor *in[] = {a, b};
    check_sums(what, lg_apply(E, lg_find_op("matmul"), 2, in, attributes), &s);
    close_sums(&s);
}

static void check_linear(int64_t m, int64_t n, int64_t k)
{
    lg_tensor *x = numbers(2, (int64_t[]){m, k}), *w = numbers(2, (int64_t[]){n, k});
    lg_tensor *b = numbers(1, &n), *in[] = {x, w, b};
    sums s = open_sums(m * n);
    for (int64_t i = 0; i < m * n; i++) {
        for (int64_t p = 0; p < k; p++)
            add_term(&s, i, (wide)x->data[i / n * k + p] * w->data[i % n * k + p]);
        add_term(&s, i, b->data[i % n]);
    }
    check_sums("linear", lg_apply(E, lg_find_op("linear"), 3, in, NULL), &s);
    close_sums(&s);
}

static void test_products(void)
{
    for (int i = 0; i < 40; i++) {
        int scope = lg_open_scope(E);
        int64_t most = i % 4 ? 40 : 4;
        check_matmul(1 + below(3), 1 + below(most), 1 + below(most),
                     i % 5 ? 1 + below(100) : 1 + below(1500), i & 1, i & 2);
        check_linear(1 + below(most), 1 + below(most), below(200));
        lg_close_scope(E, scope);
    }
    check_matmul(1, 130, 140, 600, false, false);
    check_matmul(1, 3, 2, 70000, false, true);
}

/* A convolution: x n,c,h,w; w out,c/groups,kh,kw; y n,out,oh,ow. Each of the three is the
 * sum of the products of the two others at the places where they meet. */
typedef struct convolved {
    int64_t n, c, h, w, out, kh, kw, oh, ow, groups, sh, sw, ph, pw, dh, dw;
} convolved;

enum { OF_X, OF_W, OF_Y };

static void meet(const convolved *v, int result, const lg_tensor *a, const lg_tensor *b,
                 sums *s, int64_t image, int64_t o, int64_t i)
{
    int64_t per = v->c / v->groups, c = o / (v->out / v->groups) * per + i;
    for (int64_t at = 0; at < v->oh * v->ow * v->kh * v->kw; at++) {
        int64_t kx = at % v->kw, ky = at / v->kw % v->kh, spot = at / (v->kw * v->kh);
        int64_t y = spot / v->ow * v->sh - v->ph + ky * v->dh;
        int64_t x = spot % v->ow * v->sw - v->pw + kx * v->dw;
        if (y < 0 || y >= v->h || x < 0 || x >= v->w)
            continue;
        int64_t place[] = {((image * v->c + c) * v->h + y) * v->w + x,
                           ((o * per + i) * v->kh + ky) * v->kw + kx,
                           (image * v->out + o) * v->oh * v->ow + spot};
        int first = result == OF_X ? OF_Y : OF_X, second = result == OF_W ? OF_Y : OF_W;
        add_term(s, place[result], (wide)a->data[place[first]] * b->data[place[second]]);
    }
}

static void check_convolved(const char *name, const convolved *v, int result,
                            lg_tensor *a, lg_tensor *b, lg_tensor *bias,
                            const char *attributes)
{
    int64_t sizes[] = {v->n * v->c * v->h * v->w,
                       v->out * (v->c / v->groups) * v->kh * v->kw,
                       v->n * v->out * v->oh * v->ow};
    sums s = open_sums(sizes[result]);
    for (int64_t i = 0; i < v->n * v->out * (v->c / v->groups); i++) {
        int64_t per = v->c / v->groups;
        meet(v, result, a, b, &s, i / per / v->out, i / per % v->out, i % per);
    }
    int64_t plane = result == OF_X ? v->h * v->w : v->oh * v->ow;
    for (int64_t i = 0; bias && i < s.n; i++)
        add_term(&s, i, bias->data[i / plane % bias->numel]);
    char what[800];
    snprintf(what, sizeof what, "%s %s, %s, %s", name, LGI_SHAPE(a), LGI_SHAPE(b),
             attributes);
    lg_tensor *in[] = {a, b, bias};
    check_sums(what, lg_apply(E, lg_find_op(name), bias ? 3 : 2, in, attributes), &s);
    close_sums(&s);
}

static int64_t conv_out(int64_t h, int64_t k, int64_t s, int64_t p, int64_t d)
{
    int64_t room = h + 2 * p - d * (k - 1) - 1;
    return room < 0 ? 0 : room / s + 1;
}

static bool draw_convolution(convolved *v)
{
    int64_t g = 1 + below(3);
    *v = (convolved){.n = 1 + below(3), .c = g * (1 + below(5)), .h = 1 + below(12),
                     .w = 1 + below(12), .out = g * (1 + below(9)), .kh = 1 + below(4),
                     .kw = 1 + below(4), .groups = g, .sh = 1 + below(3),
                     .sw = 1 + below(3), .ph = below(3), .pw = below(3),
                     .dh = 1 + below(2), .dw = 1 + below(2)};
    v->oh = conv_out(v->h, v->kh, v->sh, v->ph, v->dh);
    v->ow = conv_out(v->w, v->kw, v->sw, v->pw, v->dw);
    return v->oh > 0 && v->ow > 0;
}

/* What the transpose needs beside stride and padding to find the size of x again. */
static int64_t left_over(int64_t h, int64_t y, int64_t k, int64_t s, int64_t p, int64_t d)
{
    return h - ((y - 1) * s - 2 * p + d * (k - 1) + 1);
}

static void test_convolutions(void)
{
    for (int i = 0; i < 60; i++) {
        convolved v;
        char all[256], more[320];
        if (!draw_convolution(&v))
            continue;
        int scope = lg_open_scope(E);
        lg_tensor *x = numbers(4, (int64_t[]){v.n, v.c, v.h, v.w});
        lg_tensor *w = numbers(4, (int64_t[]){v.out, v.c / v.groups, v.kh, v.kw});
        lg_tensor *y = numbers(4, (int64_t[]){v.n, v.out, v.oh, v.ow});
        lg_tensor *b = numbers(1, &v.out), *bx = numbers(1, &v.c);
        snprintf(all, sizeof all, "stride={%d,%d}, padding={%d,%d}, dilation={%d,%d}, "
                 "groups=%d", (int)v.sh, (int)v.sw, (int)v.ph, (int)v.pw, (int)v.dh,
                 (int)v.dw, (int)v.groups);
        check_convolved("conv2d", &v, OF_Y, x, w, i & 1 ? b : NULL, all);
        snprintf(more, sizeof more, "%s, kernel={%d,%d}", all, (int)v.kh, (int)v.kw);
        check_convolved("conv2d_weight", &v, OF_W, x, y, NULL, more);
        int64_t lh = left_over(v.h, v.oh, v.kh, v.sh, v.ph, v.dh);
        int64_t lw = left_over(v.w, v.ow, v.kw, v.sw, v.pw, v.dw);
        snprintf(more, sizeof more, "%s, output_padding={%d,%d}", all, (int)lh, (int)lw);
        check_convolved("conv_transpose2d", &v, OF_X, y, w, i & 1 ? bx : NULL, more);
        lg_close_scope(E, scope);
    }
}

/* reductions over some axes */

/* Of each number of x: which total it goes into. */
static int64_t total_of(const lg_tensor *x, unsigned axes, int64_t i)
{
    int64_t at = 0, step = 1;
    for (int k = x->ndim - 1; k >= 0; k--) {
        if (!(axes >> k & 1)) {
            at += i % x->dim[k] * step;
            step *= x->dim[k];
        }
        i /= x->dim[k];
    }
    return at;
}

static lg_tensor *reduced(const char *name, lg_tensor *x, const char *attributes)
{
    return lg_apply(E, lg_find_op(name), 1, &x, attributes);
}

/* Of numbers that are not negative a total is as good as its terms: within k eps of
 * itself, and its root no worse. */
static void check_squares(lg_tensor *x, unsigned axes, const char *attributes, int64_t n)
{
    sums sum = open_sums(n), squares = open_sums(n), var = open_sums(n);
    for (int64_t i = 0; i < x->numel; i++)
        add_term(&sum, total_of(x, axes, i), x->data[i]);
    for (int64_t i = 0; i < x->numel; i++) {
        int64_t at = total_of(x, axes, i);
        wide v = x->data[i], d = v - sum.sum[at] / sum.terms[at];
        add_term(&squares, at, v * v);
        add_term(&var, at, d * d);
    }
    check_sums("sum", reduced("sum", x, attributes), &sum);
    for (int64_t i = 0; i < n; i++) {
        wide k = sum.terms[i];
        sum.sum[i] /= k, sum.size[i] /= k;
        squares.sum[i] = squares.size[i] = sqrtl(squares.sum[i]);
        var.sum[i] = var.size[i] = var.sum[i] / (k - 1);
    }
    check_sums("mean", reduced("mean", x, attributes), &sum);
    check_sums("norm", reduced("norm", x, attributes), &squares);
    if (sum.terms[0] > 1) {
        check_sums("var", reduced("var", x, attributes), &var);
        for (int64_t i = 0; i < n; i++)
            var.sum[i] = var.size[i] = sqrtl(var.sum[i]);
        check_sums("std", reduced("std", x, attributes), &var);
    }
    close_sums(&sum);
    close_sums(&squares);
    close_sums(&var);
}

static void test_reductions(void)
{
    for (int i = 0; i < 60; i++) {
        int scope = lg_open_scope(E), ndim = 1 + (int)below(5);
        int64_t dim[LG_MAX_DIM], totals = 1;
        unsigned axes = 1 + (unsigned)below((1 << ndim) - 1);
        char attributes[64] = "dims={";
        for (int k = 0; k < ndim; k++) {
            dim[k] = 1 + below(ndim == 1 ? 60000 : ndim == 2 ? 300 : 9);
            totals *= axes >> k & 1 ? 1 : dim[k];
            size_t n = strlen(attributes);
            if (axes >> k & 1)
                snprintf(attributes + n, sizeof attributes - n, "%s%d",
                         attributes[n - 1] == '{' ? "" : ",", k + 1);
        }
        strcat(attributes, "}");
        lg_tensor *x = numbers(ndim, dim);
        double offset = i % 3 ? 0 : 1e4;
        for (int64_t k = 0; k < x->numel; k++)
            x->data[k] += (lg_real)offset;
        check_squares(x, axes, attributes, totals);
        lg_close_scope(E, scope);
    }
}

/* softmax and its like, along the middle axis of outer, size, inner */

/* exp(x - top) has lost what x - top was rounded by, |x - top| eps / 2: near 1, where the
 * total is, next to nothing; of a number of e^-80 80 eps. In double the sum itself is off
 * by some of its terms' units, too. */
static void check_softmax(lg_tensor *x)
{
    int64_t size = x->dim[1], inner = x->dim[2], wrong[3] = {0, 0, 0};
    lg_tensor *soft = reduced("softmax", x, "dim=2");
    lg_tensor *logs = reduced("log_softmax", x, "dim=2");
    lg_tensor *all = reduced("logsumexp", x, "dim=2");
    if (!check(soft && logs && all, "%s", lg_message(E)))
        return;
    for (int64_t row = 0; row < all->numel; row++) {
        int64_t first = row / inner * size * inner + row % inner;
        wide top = -INFINITY, sum = 0;
        for (int64_t i = 0; i < size; i++)
            top = fmaxl(top, x->data[first + i * inner]);
        for (int64_t i = 0; i < size; i++)
            sum += expl(x->data[first + i * inner] - top);
        wide k = sizeof(lg_real) == 4 ? 0 : size;
        wide log_sum = logl(sum), bar = eps * (2 * (log_sum + fabsl(top)) + k);
        wrong[0] += !(fabsl(all->data[row] - (top + log_sum)) <= bar);
        for (int64_t i = 0; i < size; i++) {
            int64_t at = first + i * inner;
            wide d = x->data[at] - top, e = expl(d) / sum, l = d - log_sum;
            wide units = 4 + fabsl(d) + k;
            wrong[1] += !(fabsl(soft->data[at] - e) <= units * eps * e + 4 * least);
            wrong[2] += !(fabsl(logs->data[at] - l) <= eps * (2 + 2 * fabsl(l) + k));
        }
    }
    check(!wrong[0] && !wrong[1] && !wrong[2], "%s: of logsumexp %lld, of softmax %lld, "
          "of log_softmax %lld numbers are wrong", LGI_SHAPE(x), (long long)wrong[0],
          (long long)wrong[1], (long long)wrong[2]);
}

static void test_softmax(void)
{
    static const double spreads[] = {1, 10, 100, 1e4}, offsets[] = {0, 1e4, -1e4};
    for (int i = 0; i < 48; i++) {
        int scope = lg_open_scope(E);
        double spread = spreads[i % 4], offset = offsets[i / 4 % 3];
        int64_t dim[] = {1 + below(9), 1 + below(i & 1 ? 9 : 600),
                         i % 3 ? 1 : 1 + below(200)};
        lg_tensor *x = lgi_make(E, 3, dim);
        for (int64_t k = 0; k < x->numel; k++)
            x->data[k] = (lg_real)(offset + uniform(-spread, spread));
        check_softmax(x);
        lg_close_scope(E, scope);
    }
}

/* losses of logits, each by itself: no difference of great numbers */
static void test_logits(void)
{
    enum { N = 30000 };
    lg_tensor *x = lgi_make(E, 1, (int64_t[]){N}), *y = lgi_make(E, 1, (int64_t[]){N});
    double worst = 0;
    int at = 0;
    for (int i = 0; i < N; i++) {
        double spread = i % 3 ? 30 : 1e4;
        x->data[i] = i < 8 ? (lg_real)(i & 1 ? 1e4 : -1e4) : (lg_real)uniform(-spread,
                                                                              spread);
        y->data[i] = (lg_real)(i & 8 ? uniform(0, 1) : i >> 1 & 1);
    }
    lg_tensor *in[] = {x, y};
    lg_tensor *z = lg_apply(E, lg_find_op("bce_with_logits"), 2, in, "reduction=none");
    for (int i = 0; z && i < N; i++) {
        wide a = x->data[i], b = y->data[i], tail = log1pl(expl(-fabsl(a)));
        wide want = (a < 0 ? -b * a : (1 - b) * a) + tail;
        double off = (double)(fabsl(z->data[i] - want) / (eps * want + 4 * least));
        if (!(off <= worst))
            worst = off, at = i;
    }
    check(z && worst <= 4, "bce_with_logits of %.9g and %.9g is %.9g: off by %.3g units",
          (double)x->data[at], (double)y->data[at], z ? (double)z->data[at] : 0, worst);
}

/* The spread of numbers far from 0, by far the smaller one. */
static void test_deviation_far_off(void)
{
    static const double offsets[] = {1e4, -1e4, 1e6};
    for (int i = 0; i < 9; i++) {
        lg_tensor *x = lgi_make(E, 2, (int64_t[]){1, i < 6 ? 1000 : 100000});
        for (int64_t k = 0; k < x->numel; k++)
            x->data[k] = (lg_real)(offsets[i % 3] + uniform(-1, 1));
        check_squares(x, 2, "dims=2", 1);
        check_squares(lg_full(E, 2, x->dim, offsets[i % 3]), 2, "dims=2", 1);
    }
}

int main(void)
{
    static void (*const tests[])(void) = {test_products, test_convolutions,
        test_reductions, test_softmax, test_logits, test_deviation_far_off};
    lg_config config = LG_CONFIG_INIT;
    config.blas = true;
    if (lg_open(&E, &config) != LG_OK)
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
