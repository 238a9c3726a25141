/*
 * test_optim.c - every optimizer of the registry against its formula as the paper and
 * PyTorch write it; clipping, groups, the halves of a step, and every refusal.
 */
#include "optim/optim.h"
#include "test.h"

#include <math.h>

enum { STEPS = 10, N = 7 };

static lgi_optim *make_optim(lg_engine *E, const char *name, const char *options, int n,
                             lg_tensor *const *param)
{
    const lgi_optim_type *type = lgi_find_optim(name);
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    lgi_signature s;
    if (!check(type && lgi_read_signature(type->args, &s), "%s: malformed args", name)
        || lgi_parse_attrs(E, name, &s, options, attr) < 0)
        return NULL;
    return lgi_new_optim(E, type, attr, n, param);
}

static double gradient_at(int step, int i) { return sin(1.3 * step + 0.7 * i) + 0.1 * i; }

/* What one number does, in plain double, as the papers write it. */
typedef struct plain {
    double lr, momentum, b1, b2, eps, decay, shrink, other;
    bool nesterov, amsgrad, centered;
} plain;

static void plain_sgd(const plain *o, double *p, double s[5], double g, int t)
{
    g += o->decay * *p;
    s[0] = o->momentum * s[0] + (t == 1 ? 1 : 1 - o->other) * g;
    *p -= o->lr * (o->nesterov ? g + o->momentum * s[0] : s[0]);
}

/* lr times this is the step. */
static double adam_direction(const plain *o, double s[5], double g, int t)
{
    s[0] = o->b1 * s[0] + (1 - o->b1) * g;
    s[1] = o->b2 * s[1] + (1 - o->b2) * g * g;
    s[2] = o->amsgrad ? fmax(s[2], s[1]) : s[1];
    double m = s[0] / (1 - pow(o->b1, t)), v = s[2] / (1 - pow(o->b2, t));
    return m / (sqrt(v) + o->eps);
}

static void plain_adam(const plain *o, double *p, double s[5], double g, int t)
{
    double decay = o->lr * o->shrink * *p;
    *p -= o->lr * adam_direction(o, s, g + o->decay * *p, t) + decay;
}

static void plain_optimistic(const plain *o, double *p, double s[5], double g, int t)
{
    double d = adam_direction(o, s, g + o->decay * *p, t);
    *p -= 2 * o->lr * d - o->lr * s[3];
    s[3] = d;
}

static void plain_rmsprop(const plain *o, double *p, double s[5], double g, int t)
{
    (void)t;
    g += o->decay * *p;
    s[0] = o->b1 * s[0] + (1 - o->b1) * g * g;
    s[1] = o->b1 * s[1] + (1 - o->b1) * g;
    double v = s[0] - (o->centered ? s[1] * s[1] : 0);
    s[2] = o->momentum * s[2] + g / (sqrt(v) + o->eps);
    *p -= o->lr * s[2];
}

static void plain_adagrad(const plain *o, double *p, double s[5], double g, int t)
{
    g += o->decay * *p;
    s[0] += g * g;
    *p -= o->lr / (1 + (t - 1) * o->b1) * g / (sqrt(o->other + s[0]) + o->eps);
}

static void plain_adadelta(const plain *o, double *p, double s[5], double g, int t)
{
    (void)t;
    g += o->decay * *p;
    s[0] = o->b1 * s[0] + (1 - o->b1) * g * g;
    double d = sqrt(s[1] + o->eps) / sqrt(s[0] + o->eps) * g;
    s[1] = o->b1 * s[1] + (1 - o->b1) * d * d;
    *p -= o->lr * d;
}

static void plain_adamax(const plain *o, double *p, double s[5], double g, int t)
{
    g += o->decay * *p;
    s[0] = o->b1 * s[0] + (1 - o->b1) * g;
    s[1] = fmax(o->b2 * s[1], fabs(g) + o->eps);
    *p -= o->lr / (1 - pow(o->b1, t)) * s[0] / s[1];
}

/* s[2] has the product of momenta, less 1. */
static void plain_nadam(const plain *o, double *p, double s[5], double g, int t)
{
    double now = o->b1 * (1 - 0.5 * pow(0.96, t * o->other));
    double next = o->b1 * (1 - 0.5 * pow(0.96, (t + 1) * o->other));
    g += o->decay * *p;
    s[0] = o->b1 * s[0] + (1 - o->b1) * g;
    s[1] = o->b2 * s[1] + (1 - o->b2) * g * g;
    s[2] = (1 + s[2]) * now - 1;
    double m = next * s[0] / (1 - (1 + s[2]) * now * next) - (1 - now) * g / s[2];
    *p -= o->lr * m / (sqrt(s[1] / (1 - pow(o->b2, t))) + o->eps);
}

static void plain_radam(const plain *o, double *p, double s[5], double g, int t)
{
    double most = 2 / (1 - o->b2) - 1, b = pow(o->b2, t);
    double rho = most - 2 * t * b / (1 - b);
    g += o->decay * *p;
    s[0] = o->b1 * s[0] + (1 - o->b1) * g;
    s[1] = o->b2 * s[1] + (1 - o->b2) * g * g;
    double m = s[0] / (1 - pow(o->b1, t)), r = (rho - 4) * (rho - 2) * most;
    if (rho > 5)
        m *= sqrt(r / ((most - 4) * (most - 2) * rho)) * sqrt(1 - b)
             / (sqrt(s[1]) + o->eps);
    *p -= o->lr * m;
}

static void plain_lion(const plain *o, double *p, double s[5], double g, int t)
{
    double c = o->b1 * s[0] + (1 - o->b1) * g;
    (void)t;
    *p -= o->lr * ((c > 0) - (c < 0) + o->shrink * *p);
    s[0] = o->b2 * s[0] + (1 - o->b2) * g;
}

#define ADAMS .lr = 0.01, .b1 = 0.9, .b2 = 0.999, .eps = 1e-8

static const struct formula {
    const char *name, *options;
    void (*step)(const plain *o, double *p, double s[5], double g, int t);
    plain o;
} formulas[] = {
    {"SGD", "lr=0.1", plain_sgd, {.lr = 0.1}},
    {"SGD", "lr=0.1, maximize=true", plain_sgd, {.lr = -0.1}},
    {"SGD", "lr=0.1, momentum=0.9", plain_sgd, {.lr = 0.1, .momentum = 0.9}},
    {"SGD", "lr=0.1, momentum=0.9, dampening=0.4", plain_sgd,
     {.lr = 0.1, .momentum = 0.9, .other = 0.4}},
    {"SGD", "lr=0.1, momentum=0.9, nesterov=true, weight_decay=0.01", plain_sgd,
     {.lr = 0.1, .momentum = 0.9, .nesterov = true, .decay = 0.01}},
    {"ExtraSGD", "lr=0.1, momentum=0.5", plain_sgd, {.lr = 0.1, .momentum = 0.5}},
    {"Adam", "", plain_adam, {.lr = 0.001, .b1 = 0.9, .b2 = 0.999, .eps = 1e-8}},
    {"Adam", "lr=0.01, betas={0.5,0.9}, weight_decay=0.1", plain_adam,
     {.lr = 0.01, .b1 = 0.5, .b2 = 0.9, .eps = 1e-8, .decay = 0.1}},
    {"Adam", "lr=0.01, amsgrad=true", plain_adam, {ADAMS, .amsgrad = true}},
    {"AdamW", "lr=0.01, weight_decay=0.05", plain_adam, {ADAMS, .shrink = 0.05}},
    {"ExtraAdam", "lr=0.01, weight_decay=0.05", plain_adam, {ADAMS, .decay = 0.05}},
    {"ExtraAdam", "lr=0.01, amsgrad=true", plain_adam, {ADAMS, .amsgrad = true}},
    {"OptimisticAdam", "lr=0.01", plain_optimistic, {ADAMS}},
    {"OptimisticAdam", "lr=0.01, amsgrad=true, weight_decay=0.1", plain_optimistic,
     {ADAMS, .amsgrad = true, .decay = 0.1}},
    {"RMSprop", "", plain_rmsprop, {.lr = 0.01, .b1 = 0.99, .eps = 1e-8}},
    {"RMSprop", "centered=true, momentum=0.9, alpha=0.9", plain_rmsprop,
     {.lr = 0.01, .b1 = 0.9, .eps = 1e-8, .momentum = 0.9, .centered = true}},
    {"RMSprop", "centered=true, weight_decay=0.1", plain_rmsprop,
     {.lr = 0.01, .b1 = 0.99, .eps = 1e-8, .decay = 0.1, .centered = true}},
    {"RMSprop", "momentum=0.9", plain_rmsprop,
     {.lr = 0.01, .b1 = 0.99, .eps = 1e-8, .momentum = 0.9}},
    {"Adagrad", "", plain_adagrad, {.lr = 0.01, .eps = 1e-10}},
    {"Adagrad", "lr_decay=0.1, initial_accumulator=0.5", plain_adagrad,
     {.lr = 0.01, .eps = 1e-10, .b1 = 0.1, .other = 0.5}},
    {"Adadelta", "lr=1", plain_adadelta, {.lr = 1, .b1 = 0.9, .eps = 1e-6}},
    {"Adamax", "lr=0.01", plain_adamax, {ADAMS}},
    {"NAdam", "lr=0.01, momentum_decay=0.1", plain_nadam, {ADAMS, .other = 0.1}},
    {"RAdam", "lr=0.01", plain_radam, {ADAMS}},
    {"RAdam", "lr=0.01, betas={0.9,0.9}", plain_radam,
     {.lr = 0.01, .b1 = 0.9, .b2 = 0.9, .eps = 1e-8}},
    {"Lion", "lr=0.01, weight_decay=0.1", plain_lion,
     {.lr = 0.01, .b1 = 0.9, .b2 = 0.99, .shrink = 0.1}},
};
enum { FORMULAS = sizeof formulas / sizeof *formulas };

/* One step of the optimizer and of plain numbers; for an extragradient a half of one,
 * which begins where the whole one did. */
static void step_both(const struct formula *f, lgi_optim *o, double *p, double *saved,
                      double (*state)[5], int t)
{
    lg_tensor *g = lg_zeros(o->engine, 1, (int64_t[]){N});
    bool extra = o->type->extrapolates, ahead = extra && t % 2 == 1;
    for (int i = 0; i < N; i++) {
        double here = p[i];
        g->data[i] = (lg_real)gradient_at(t, i);
        f->step(&f->o, &p[i], state[i], (double)g->data[i], t);
        if (ahead)
            saved[i] = here;
        else if (extra)
            p[i] = saved[i] + (p[i] - here);
    }
    check((ahead ? lgi_extrapolate : lgi_step)(o, &g, 0) == LG_OK, "%s",
          lg_message(o->engine));
}

static void check_formula(const struct formula *f)
{
    double p[N], saved[N], state[N][5] = {{0}};
    double tolerance = sizeof(lg_real) == 8 ? 1e-12 : 1e-5;
    lg_engine *E;
    lg_open(&E, NULL);
    lg_tensor *param = lg_track(E, lg_randn(E, 1, (int64_t[]){N}));
    lgi_optim *o = make_optim(E, f->name, f->options, 1, &param);
    for (int i = 0; i < N; i++)
        p[i] = (double)param->data[i];
    for (int t = 1; t <= STEPS && o; t++)
        step_both(f, o, p, saved, state, t);
    for (int i = 0; i < N; i++)
        check(fabs(p[i] - (double)param->data[i]) <= tolerance * (1 + fabs(p[i])),
              "%s, %s: %.12g should be %.12g", f->name, f->options,
              (double)param->data[i], p[i]);
    check(o && o->step == (o->type->extrapolates ? STEPS / 2 : STEPS), "%s: %s", f->name,
          lg_message(E));
    lgi_close_optim(o);
    check(lg_close(E) == 0, "%s leaks", f->name);
}

static void check_every_optim(void)
{
    int family = 0, member = 0;
    const lgi_optim_type *type;
    while ((type = lgi_each_optim(&family, &member))) {
        size_t n = strlen(type->doc);
        bool has = false;
        for (int i = 0; i < FORMULAS; i++)
            has |= strcmp(formulas[i].name, type->name) == 0;
        check(has, "%s has no formula in this test", type->name);
        check(n > 10 && type->doc[n - 1] == '.', "%s: its doc is no sentence",
              type->name);
    }
    for (int i = 0; i < FORMULAS; i++)
        check_formula(&formulas[i]);
}

/* Parameters of more than one piece: the same bits on 1 thread and on 4, clipped too, and
 * with every set of kernels. */
static void train_large(const char *name, int threads, lgi_cpu most, lg_real *to,
                        int64_t n)
{
    lg_config config = LG_CONFIG_INIT;
    lg_engine *E;
    config.threads = threads;
    lg_open(&E, &config);
    E->cpu = E->cpu < most ? E->cpu : most;
    int64_t dim[] = {n / 3, n - n / 3};
    lg_tensor *p[2], *g[2];
    for (int k = 0; k < 2; k++)
        p[k] = lg_track(E, lg_randn(E, 1, &dim[k]));
    lgi_optim *o = make_optim(E, name, "weight_decay=0.1", 2, p);
    for (int t = 0; t < 4; t++) {
        bool ahead = o->type->extrapolates && t % 2 == 0;
        for (int k = 0; k < 2; k++)
            g[k] = lg_randn(E, 1, &dim[k]);
        o->clip_value = t == 3 ? 0.001 : 0;
        check((ahead ? lgi_extrapolate : lgi_step)(o, g, t % 2 ? 0.5 : 0) == LG_OK, "%s",
              lg_message(E));
    }
    memcpy(to, p[0]->data, (size_t)dim[0] * sizeof *to);
    memcpy(to + dim[0], p[1]->data, (size_t)dim[1] * sizeof *to);
    lg_close(E);
}

static void check_threads(void)
{
    enum { LARGE = 200001 };
    static lg_real one[LARGE], four[LARGE];
    int family = 0, member = 0;
    const lgi_optim_type *type;
    while ((type = lgi_each_optim(&family, &member))) {
        train_large(type->name, 1, LGI_AVX512, one, LARGE);
        train_large(type->name, 4, LGI_AVX512, four, LARGE);
        check(memcmp(one, four, sizeof one) == 0, "%s: 1 thread and 4 differ",
              type->name);
        train_large(type->name, 1, LGI_PLAIN, four, LARGE);
        check(memcmp(one, four, sizeof one) == 0, "%s: its plain form differs",
              type->name);
    }
}

/* The momentum of what gets no gradient any more becomes zero, and not something next to
 * it, with which each step would take a hundred times as long. */
static void check_idle(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
    lg_engine *E;
    lg_open(&E, NULL);
    int64_t n = 40;
    lg_tensor *p = lg_track(E, lg_full(E, 1, &n, 1)), *g = lg_full(E, 1, &n, 1);
    lg_tensor *zero = lg_zeros(E, 1, &n);
    lgi_optim *o = make_optim(E, "Adam", "betas={0.9,0.9}", 1, &p);
    lgi_step(o, &g, 0);
    check(o->state[0]->data[3] > 0, "its momentum");
    for (int t = 0; t < 8000; t++)
        lgi_step(o, &zero, 0);
    for (int i = 0; i < n; i++)
        check(o->state[0]->data[i] == 0 && o->state[1]->data[i] == 0, "it never ends");
    lg_close(E);
#endif
}

/* Two parameters at 0 with the gradients 3 and -4: where they are after a step. */
static void check_clipped(double clip_norm, double clip_value, double x, double y)
{
    const lg_real three = 3, four = -4;
    lg_engine *E;
    lg_open(&E, NULL);
    lg_tensor *p[2], *g[2] = {lg_from(E, 0, NULL, &three), lg_from(E, 0, NULL, &four)};
    for (int i = 0; i < 2; i++)
        p[i] = lg_track(E, lg_scalar(E, 0));
    lgi_optim *o = make_optim(E, "SGD", "lr=1", 2, p);
    o->clip_value = clip_value;
    check(o->norm < 0, "a norm before the first step");
    lgi_step(o, g, clip_norm);
    check(fabs((double)p[0]->data[0] - x) < 1e-5
          && fabs((double)p[1]->data[0] - y) < 1e-5,
          "clip_norm %g and clip_value %g give %g, %g", clip_norm, clip_value,
          (double)p[0]->data[0], (double)p[1]->data[0]);
    check(o->norm == 5, "the norm is %g", o->norm);
    check(lg_close(E) == 0, "an optimizer that is left goes with the engine");
}

/* The norm of all gradients is brought down to clip_norm, and never up; then what is
 * above clip_value. */
static void check_clip(void)
{
    check_clipped(0, 0, -3, 4);
    check_clipped(2.5, 0, -1.5, 2);
    check_clipped(100, 0, -3, 4);
    check_clipped(0, 3.5, -3, 3.5);
    check_clipped(0, 1, -1, 1);
    check_clipped(2.5, 1.75, -1.5, 1.75);
}

/* The norm is of all elements, also where they don't fill a lane or a block. */
static void check_norm(void)
{
    lg_engine *E;
    lg_open(&E, NULL);
    int64_t dim[] = {1, 7, 1031, 16385};
    lg_tensor *p[4], *g[4];
    double sum = 0;
    for (int k = 0; k < 4; k++) {
        p[k] = lg_track(E, lg_zeros(E, 1, &dim[k]));
        g[k] = lg_randn(E, 1, &dim[k]);
        for (int64_t i = 0; i < dim[k]; i++)
            sum += (double)g[k]->data[i] * (double)g[k]->data[i];
    }
    lgi_optim *o = make_optim(E, "Lion", "", 4, p);
    lgi_step(o, g, 0);
    double norm = o->norm;
    check(fabs(norm - sqrt(sum)) < (sizeof(lg_real) == 8 ? 1e-13 : 1e-6) * norm,
          "%.15g, not %.15g", norm, sqrt(sum));
    lgi_step(o, g, 0.1);
    check(o->norm == norm, "clipping changes the norm");
    g[1] = NULL;
    lgi_step(o, g, 0);
    check(o->norm < norm && o->norm > 0, "a missing gradient counts");
    lg_close(E);
}

/* Each parameter counts its own updates: one that was skipped is one that comes later. */
static void check_skipped(void)
{
    lg_engine *E;
    lg_open(&E, NULL);
    int64_t n = 3;
    lg_tensor *p[2], *g[2] = {lg_full(E, 1, &n, 1), lg_full(E, 1, &n, 1)};
    lg_tensor *only[2] = {g[0], NULL};
    for (int i = 0; i < 2; i++)
        p[i] = lg_track(E, lg_zeros(E, 1, &n));
    lgi_optim *o = make_optim(E, "NAdam", "", 2, p);
    lgi_step(o, only, 0);
    lg_real first = p[0]->data[0];
    lgi_step(o, g, 0);
    check(p[1]->data[0] == first && first < 0, "%g, not %g", (double)p[1]->data[0],
          (double)first);
    check(o->steps->data[0] == 2 && o->steps->data[1] == 1 && o->step == 2, "counts");
    lg_close(E);
}

static const void *options_for(lg_engine *E, const lgi_optim_type *type, const char *text,
                               char *attr)
{
    lgi_signature s;
    memset(attr, 0, LGI_MAX_ATTR_BYTES);
    lgi_read_signature(type->args, &s);
    lgi_parse_attrs(E, type->name, &s, text, attr);
    return attr;
}

/* Groups have options of their own, and keep what these need. */
static void check_groups(void)
{
    lg_engine *E;
    lg_open(&E, NULL);
    _Alignas(16) char attr[2][LGI_MAX_ATTR_BYTES];
    const lgi_optim_type *type = lgi_find_optim("SGD");
    lg_tensor *p[3], *g[3];
    for (int i = 0; i < 3; i++) {
        p[i] = lg_track(E, lg_scalar(E, 0));
        g[i] = lg_scalar(E, 1);
    }
    lgi_group group[] = {{options_for(E, type, "lr=1", attr[0]), 1},
                         {options_for(E, type, "lr=0.1, momentum=1", attr[1]), 2}};
    lgi_optim *o = lgi_new_grouped_optim(E, type, 2, group, p);
    check(o && !o->state[0] && o->state[1] && o->state[2], "%s", lg_message(E));
    lgi_step(o, g, 0);
    lgi_step(o, g, 0);
    check(p[0]->data[0] == -2 && fabs((double)p[2]->data[0] + 0.3) < 1e-6, "%g, %g",
          (double)p[0]->data[0], (double)p[2]->data[0]);
    check(lgi_set_lr(o, 1, 0) == LG_OK && lgi_step(o, g, 0) == LG_OK
          && p[0]->data[0] == -3 && fabs((double)p[1]->data[0] + 0.3) < 1e-6, "lr = 0");
    check(lgi_set_lr(o, 1, -1) < 0 && lgi_optim_attr(o, 1)->lr == 0, "lr = -1");
    lg_clear(E);
    check(lgi_set_optim(o, 0, options_for(E, type, "momentum=1", attr[0])) < 0,
          "a group gets a momentum too late");
    check_text(lg_message(E), "needs numbers that the optimizer does not keep");
    lg_close(E);
}

static lg_tensor *mean_square(lg_engine *E, lg_tensor *x)
{
    lg_tensor *xx = lgi_mul(E, x, x);
    return lg_apply(E, lg_find_op("mean"), 1, &xx, NULL);
}

static void check_minimize(void)
{
    lg_engine *E;
    lg_open(&E, NULL);
    lg_tensor *p[2];
    double value = 0;
    int missed = 0;
    for (int i = 0; i < 2; i++)
        p[i] = lg_track(E, lg_full(E, 1, (int64_t[]){2}, 3));
    lgi_optim *o = make_optim(E, "SGD", "lr=0.5", 2, p);
    uint64_t version = p[1]->buffer->version;
    lg_tensor *old = mean_square(E, p[1]);
    check(lgi_minimize(o, mean_square(E, p[1]), 0, &value, &missed) == LG_OK, "%s",
          lg_message(E));
    check(value == 9 && missed == 1 && o->missed == 0, "%g, %d missed", value, missed);
    check((double)p[0]->data[0] == 3 && fabs((double)p[1]->data[0] - 1.5) < 1e-6,
          "update");
    check(p[1]->buffer->version == version + 1, "the version is raised");
    check(lgi_minimize(o, old, 0, &value, &missed) < 0, "a loss of before the update");
    lg_clear(E);

    lg_tensor *nan = lgi_mul(E, mean_square(E, p[0]), lg_scalar(E, NAN));
    check(lgi_minimize(o, nan, 0, &value, &missed) == LG_OK && isnan(value),
          "NaN is hidden");
    lg_close(E);
}

/* Ctrl-C in the middle of an update: it is finished, and what comes next is refused. */
static lg_engine *interrupted;

static void interrupting_prepare(const void *attr, int64_t step, double *number,
                                 void *factors)
{
    (void)attr, (void)step, (void)number, (void)factors;
}

static void interrupting_update(const lgi_run *r)
{
    lg_interrupt(interrupted);
    for (int64_t i = 0; i < r->n; i++)
        r->p[i] -= r->g[i];
}

static void check_interrupt(void)
{
    static const lgi_optim_type type = {
        .name = "Interrupting", .args = "", .doc = "", .prepare = interrupting_prepare,
        .update = interrupting_update, .attr_bytes = sizeof(lgi_optim_options)};
    const lgi_optim_options options = {0};
    lg_engine *E;
    lg_open(&E, NULL);
    interrupted = E;
    int64_t n = 100000, left = 0;
    lg_tensor *p = lg_track(E, lg_full(E, 1, &n, 1)), *g = lg_full(E, 1, &n, 1);
    lgi_optim *o = lgi_new_optim(E, &type, &options, 1, &p);
    check(lgi_step(o, &g, 0) == LG_OK && o->step == 1, "%s", lg_message(E));
    for (int64_t i = 0; i < n; i++)
        left += p->data[i] != 0;
    check(left == 0, "%lld of the numbers were not updated", (long long)left);
    check(!lgi_mul(E, p, p) && E->status == LG_EINTERRUPT, "the interrupt is lost");
    check(lg_close(E) == 0, "it leaks");
}

static void check_refusals(void)
{
    lg_engine *E;
    lg_open(&E, NULL);
    lg_tensor *x = lg_randn(E, 2, (int64_t[]){8, 1}), *p = lg_track(E, x);
    lg_tensor *y = lgi_mul(E, p, p);
    lg_tensor *twice[] = {p, p};
    double value;
    int missed;
    static const struct { const char *name, *options, *says; } wrong[] = {
        {"Adam", "betas={0.5}", "Adam: betas must be two numbers"},
        {"Adam", "betas={0.5,1}", "betas[2] must be 0 or more and less than 1, not 1"},
        {"AdamW", "eps=-1", "AdamW: eps must be a number of 0 or more, not -1"},
        {"SGD", "lr=nan", "SGD: lr must be a number of 0 or more, not nan"},
        {"SGD", "nesterov=true", "nesterov needs a momentum above 0"},
        {"SGD", "momentum=1, dampening=0.5, nesterov=true",
         "nesterov needs a momentum above 0, and no dampening"},
        {"SGD", "dampening=nan", "SGD: dampening must be a number, not nan"},
        {"SGD", "momentun=1", "no option 'momentun' (did you mean 'momentum'?)"},
        {"RMSprop", "alpha=1", "RMSprop: alpha must be 0 or more and less than 1, not 1"},
        {"Adagrad", "lr_decay=-1", "Adagrad: lr_decay must be a number of 0 or more"},
        {"Adadelta", "rho=2", "Adadelta: rho must be 0 or more and less than 1, not 2"},
        {"NAdam", "momentum_decay=-1", "NAdam: momentum_decay must be a number of 0"},
        {"Lion", "betas={1,1}", "Lion: betas[1] must be 0 or more and less than 1"},
        {"RAdam", "weight_decay=-1", "RAdam: weight_decay must be a number of 0 or more"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        check(!make_optim(E, wrong[i].name, wrong[i].options, 1, &p), "it was made");
        check_text(lg_message(E), wrong[i].says);
        lg_clear(E);
    }
    check(!make_optim(E, "SGD", "", 2, twice), "it was made");
    check_text(lg_message(E), "tensors 1 and 2 share their numbers");
    lg_clear(E);
    check(!make_optim(E, "SGD", "", 1, &x), "it was made");
    check_text(lg_message(E), "tensor 1, {8,1}, is no leaf that gradients flow to; "
               ":track()");
    lg_clear(E);

    lgi_optim *o = make_optim(E, "SGD", "", 1, &p);
    check(lgi_minimize(o, y, 0, &value, &missed) < 0, "a loss of 8 numbers");
    check_text(lg_message(E), "minimize needs a scalar loss, got {8,1}; call :mean() "
               "first");
    lg_clear(E);
    check(lgi_minimize(o, lg_scalar(E, 1), 0, &value, &missed) < 0, "a loss of nothing");
    check_text(lg_message(E), "the loss depends on none of the 1 parameters");
    lg_clear(E);
    lg_tensor *g = lg_zeros(E, 1, (int64_t[]){8});
    check(lgi_step(o, &g, 0) < 0 && o->step == 0, "a gradient of another shape");
    check_text(lg_message(E), "gradient 1 is {8} and its parameter {8,1}");
    lg_clear(E);
    check(lgi_step(o, &p, 0) < 0 && o->step == 0, "a parameter as its own gradient");
    check_text(lg_message(E), "gradient 1 shares its numbers with a parameter");
    lg_clear(E);
    lg_tensor *ones = lg_full(E, 2, (int64_t[]){8, 1}, 1);
    lg_interrupt(E);
    check(lgi_step(o, &ones, 0) == LG_EINTERRUPT && o->step == 0,
          "an interrupt before it");
    check(lg_close(E) == 0, "it leaks");
}

/* The halves of a step come in turn, and only where there are some. */
static void check_halves(void)
{
    lg_engine *E;
    lg_open(&E, NULL);
    lg_tensor *p = lg_track(E, lg_scalar(E, 1)), *g = lg_scalar(E, 1);
    lgi_optim *plain_one = make_optim(E, "Adam", "", 1, &p);
    check(lgi_extrapolate(plain_one, &g, 0) < 0, "Adam extrapolates");
    check_text(lg_message(E), "Adam: its steps have no first half; ExtraAdam and "
               "ExtraSGD extrapolate");
    lg_clear(E);
    lgi_optim *o = make_optim(E, "ExtraSGD", "lr=0.5", 1, &p);
    check(lgi_step(o, &g, 0) < 0 && p->data[0] == 1, "a step without its first half");
    check_text(lg_message(E), "ExtraSGD: a step has two halves: opt:extrapolate(loss)");
    lg_clear(E);
    uint64_t version = p->buffer->version;
    check(lgi_extrapolate(o, &g, 0) == LG_OK && p->data[0] == (lg_real)0.5
          && o->step == 0 && p->buffer->version == version + 1, "the first half");
    check(lgi_extrapolate(o, &g, 0) < 0 && p->data[0] == (lg_real)0.5, "twice");
    check_text(lg_message(E), "ExtraSGD: extrapolate was called twice; after it comes "
               "minimize");
    lg_clear(E);
    lg_tensor *none = NULL;
    check(lgi_step(o, &none, 0) == LG_OK && p->data[0] == 1 && o->step == 1,
          "without a gradient it goes back");
    check(lg_close(E) == 0, "it leaks");
}

int main(void)
{
    check_every_optim();
    check_threads();
    check_idle();
    check_clip();
    check_norm();
    check_skipped();
    check_groups();
    check_halves();
    check_minimize();
    check_interrupt();
    check_refusals();
    return report();
}
