/*
 * test_init.c - initializers: that their numbers have the statistics that their names
 * promise, and are the same on any number of threads.
 */
#include "nn/layer.h"
#include "test.h"

#include <math.h>

/* fan_in 200, fan_out 300 */
static lg_tensor *initialized(lg_engine *E, const char *init, int ndim,
                              const int64_t *dim)
{
    lg_tensor *t = lg_zeros(E, ndim, dim);
    lg_status status = lgi_initialize(E, "test", init, t, "init:test", 200, 300);
    check(status == LG_OK, "%s: %s", init, lg_message(E));
    return t;
}

static bool same_bits(const lg_tensor *a, const lg_tensor *b)
{
    return memcmp(a->data, b->data, (size_t)a->numel * sizeof *a->data) == 0;
}

typedef struct moments { double mean, deviation, most, kurtosis; } moments;

static moments moments_of(const lg_tensor *t)
{
    double sum = 0, squares = 0, fourths = 0, most = 0, n = (double)t->numel;
    for (int64_t i = 0; i < t->numel; i++)
        sum += (double)t->data[i];
    for (int64_t i = 0; i < t->numel; i++) {
        double d = (double)t->data[i] - sum / n;
        squares += d * d;
        fourths += d * d * d * d;
        most = fmax(most, fabs((double)t->data[i]));
    }
    return (moments){sum / n, sqrt(squares / n), most,
                     squares > 0 ? fourths * n / (squares * squares) : 0};
}

/* The kurtosis tells the distributions apart: uniform 1.8, normal 3. That of a normal one
 * cut at two deviations is 2.366, and its deviation 0.8796. */
static void check_moments(void)
{
    const double r3 = sqrt(3);
    const struct { const char *init; double deviation, bound, kurtosis; } cases[] = {
        {"default", 1 / sqrt(200) / r3, 1 / sqrt(200), 1.8},
        {"uniform 0.5", 0.5 / r3, 0.5, 1.8},
        {"normal 0.02", 0.02, INFINITY, 3},
        {"truncated_normal", 0.8796, 2, 2.366},
        {"truncated_normal 0.02", 0.8796 * 0.02, 0.04, 2.366},
        {"xavier", sqrt(2. / 500), sqrt(6. / 500), 1.8},
        {"xavier_uniform 2", 2 * sqrt(2. / 500), 2 * sqrt(6. / 500), 1.8},
        {"xavier_normal", sqrt(2. / 500), INFINITY, 3},
        {"kaiming", sqrt(2. / 200), INFINITY, 3},
        {"kaiming_normal 0.2", sqrt(2 / 1.04 / 200), INFINITY, 3},
        {"kaiming_uniform", sqrt(2. / 200), sqrt(6. / 200), 1.8},
        {"zeros", 0, 0, 0}, {"ones", 0, 1, 0}, {"constant 0.25", 0, 0.25, 0},
    };
    lg_engine *E;
    lg_open(&E, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        moments m = moments_of(initialized(E, cases[i].init, 2, (int64_t[]){300, 200}));
        double d = cases[i].deviation, bound = cases[i].bound;
        check(fabs(m.deviation - d) <= 0.01 * d, "%s: deviation %g, not %g",
              cases[i].init, m.deviation, d);
        check(fabs(m.mean - (d > 0 ? 0 : bound)) <= 0.02 * d, "%s: mean %g",
              cases[i].init, m.mean);
        check(m.most <= bound * (1 + 1e-6), "%s: %g is beyond %g", cases[i].init, m.most,
              bound);
        check(isinf(bound) || m.most > 0.99 * bound - 1e-9, "%s: only up to %g",
              cases[i].init, m.most);
        check(fabs(m.kurtosis - cases[i].kurtosis) <= 0.1, "%s: kurtosis %g",
              cases[i].init, m.kurtosis);
    }
    lg_close(E);
}

/* Products of the vectors: of the rows, or of the columns if there are more rows. */
static double away_from_orthogonal(const lg_tensor *t, double gain)
{
    int64_t rows = t->dim[0], cols = t->numel / rows;
    bool by_rows = rows <= cols;
    int64_t count = by_rows ? rows : cols, length = by_rows ? cols : rows;
    int64_t next = by_rows ? cols : 1, step = by_rows ? 1 : cols;
    double worst = 0;
    for (int64_t a = 0; a < count; a++)
        for (int64_t b = a; b < count; b++) {
            double dot = 0;
            for (int64_t i = 0; i < length; i++)
                dot += (double)t->data[a * next + i * step]
                       * (double)t->data[b * next + i * step];
            worst = fmax(worst, fabs(dot - (a == b ? gain * gain : 0)));
        }
    return worst;
}

static void check_orthogonal(void)
{
    const double eps = sizeof(lg_real) == 8 ? 1e-12 : 1e-5;
    const struct { int ndim; int64_t dim[4]; } shapes[] = {
        {2, {40, 40}}, {2, {30, 70}}, {2, {70, 30}}, {4, {20, 3, 3, 3}},
        {4, {20, 2, 2, 2}}, {2, {1, 1}}, {1, {7}}, {2, {100, 100}}};
    lg_engine *E;
    lg_open(&E, NULL);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int ndim = shapes[i].ndim;
        double one = away_from_orthogonal(initialized(E, "orthogonal", ndim,
                                                      shapes[i].dim), 1);
        double two = away_from_orthogonal(initialized(E, "orthogonal 1.5", ndim,
                                                      shapes[i].dim), 1.5);
        check(one < eps && two < 3 * eps, "shape %d: off by %g and %g", (int)i, one, two);
    }
    check(initialized(E, "orthogonal", 2, (int64_t[]){0, 3}) != NULL, "of no numbers");
    lg_close(E);
}

/* Uniform over the orthogonal matrices: no sign or place is preferred. */
static void check_signs(void)
{
    lg_engine *E;
    lg_open(&E, NULL);
    double sum = 0, trace = 0;
    for (int i = 0; i < 400; i++) {
        int scope = lg_open_scope(E);
        lg_seed(E, (uint64_t)i);
        lg_tensor *t = initialized(E, "orthogonal", 2, (int64_t[]){3, 3});
        for (int k = 0; k < 9; k++)
            sum += (double)t->data[k];
        trace += (double)(t->data[0] + t->data[4] + t->data[8]);
        lg_close_scope(E, scope);
    }
    check(fabs(sum / 400) < 0.3, "the sum of a matrix is %g on average", sum / 400);
    check(fabs(trace / 400) < 0.2, "its trace is %g on average", trace / 400);
    lg_close(E);
}

static void check_threads(void)
{
    static const char *const inits[] = {"normal", "truncated_normal", "orthogonal",
                                        "xavier"};
    for (size_t i = 0; i < sizeof inits / sizeof *inits; i++) {
        lg_engine *E[2];
        lg_tensor *t[2];
        for (int k = 0; k < 2; k++) {
            lg_config config = LG_CONFIG_INIT;
            config.threads = k ? 4 : 1;
            lg_open(&E[k], &config);
            t[k] = initialized(E[k], inits[i], 2, (int64_t[]){180, 250});
        }
        check(same_bits(t[0], t[1]), "%s: other bits on four threads", inits[i]);
        lg_close(E[0]);
        lg_close(E[1]);
    }
}

/* An interrupted one ends, as a failure. */
static void check_interrupted(void)
{
    static const char *const inits[] = {"truncated_normal", "orthogonal"};
    for (int i = 0; i < 2; i++) {
        lg_engine *E;
        lg_open(&E, NULL);
        lg_tensor *t = lg_full(E, 2, (int64_t[]){60, 60}, 5);
        lg_interrupt(E);
        lgi_initialize(E, "test", inits[i], t, "init:test", 60, 60);
        check_text(lg_message(E), "interrupted");
        lg_close(E);
    }
}

int main(void)
{
    check_moments();
    check_orthogonal();
    check_signs();
    check_threads();
    check_interrupted();
    return report();
}
