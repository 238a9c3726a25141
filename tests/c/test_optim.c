/*
 * test_optim.c - every optimizer of the registry, and the updates of SGD and Adam against
 * their formulas as papers and PyTorch write them.
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

/* What one number does, in plain double. */
typedef struct plain {
    double lr, momentum, b1, b2, eps, decay, shrink;
    bool nesterov, amsgrad;
} plain;

static void plain_sgd(const plain *o, double *p, double s[3], double g, int t)
{
    (void)t;
    g += o->decay * *p;
    s[0] = o->momentum * s[0] + g;
    *p -= o->lr * (o->nesterov ? g + o->momentum * s[0] : s[0]);
}

static void plain_adam(const plain *o, double *p, double s[3], double g, int t)
{
    *p -= o->lr * o->shrink * *p;
    g += o->decay * *p;
    s[0] = o->b1 * s[0] + (1 - o->b1) * g;
    s[1] = o->b2 * s[1] + (1 - o->b2) * g * g;
    s[2] = o->amsgrad ? fmax(s[2], s[1]) : s[1];
    double m = s[0] / (1 - pow(o->b1, t)), v = s[2] / (1 - pow(o->b2, t));
    *p -= o->lr * m / (sqrt(v) + o->eps);
}

static const struct formula {
    const char *name, *options;
    void (*step)(const plain *o, double *p, double s[3], double g, int t);
    plain o;
} formulas[] = {
    {"SGD", "lr=0.1", plain_sgd, {.lr = 0.1}},
    {"SGD", "lr=0.1, momentum=0.9", plain_sgd, {.lr = 0.1, .momentum = 0.9}},
    {"SGD", "lr=0.1, momentum=0.9, nesterov=true, weight_decay=0.01", plain_sgd,
     {.lr = 0.1, .momentum = 0.9, .nesterov = true, .decay = 0.01}},
    {"Adam", "", plain_adam, {.lr = 0.001, .b1 = 0.9, .b2 = 0.999, .eps = 1e-8}},
    {"Adam", "lr=0.01, betas={0.5,0.9}, weight_decay=0.1", plain_adam,
     {.lr = 0.01, .b1 = 0.5, .b2 = 0.9, .eps = 1e-8, .decay = 0.1}},
    {"Adam", "lr=0.01, amsgrad=true", plain_adam,
     {.lr = 0.01, .b1 = 0.9, .b2 = 0.999, .eps = 1e-8, .amsgrad = true}},
    {"AdamW", "lr=0.01, weight_decay=0.05", plain_adam,
     {.lr = 0.01, .b1 = 0.9, .b2 = 0.999, .eps = 1e-8, .shrink = 0.05}},
};
enum { FORMULAS = sizeof formulas / sizeof *formulas };

static void check_formula(const struct formula *f)
{
    double p[N], state[N][3] = {{0}}, tolerance = sizeof(lg_real) == 8 ? 1e-12 : 1e-5;
    lg_engine *E;
    lg_open(&E, NULL);
    lg_tensor *param = lg_track(E, lg_randn(E, 1, (int64_t[]){N}));
    lgi_optim *o = make_optim(E, f->name, f->options, 1, &param);
    for (int i = 0; i < N; i++)
        p[i] = (double)param->data[i];
    for (int t = 1; t <= STEPS && o; t++) {
        lg_tensor *g = lg_zeros(E, 1, (int64_t[]){N});
        for (int i = 0; i < N; i++) {
            g->data[i] = (lg_real)gradient_at(t, i);
            f->step(&f->o, &p[i], state[i], (double)g->data[i], t);
        }
        check(lgi_step(o, &g, 0) == LG_OK, "%s", lg_message(E));
    }
    for (int i = 0; i < N; i++)
        check(fabs(p[i] - (double)param->data[i]) <= tolerance * (1 + fabs(p[i])),
              "%s, %s: %.12g should be %.12g", f->name, f->options,
              (double)param->data[i], p[i]);
    check(o && o->step == STEPS, "%s: %s", f->name, lg_message(E));
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

/* Parameters of more than one piece: the same bits on 1 thread and on 4, clipped too. */
static void train_large(int threads, lg_real *to, int64_t n)
{
    lg_config config = LG_CONFIG_INIT;
    lg_engine *E;
    config.threads = threads;
    lg_open(&E, &config);
    int64_t dim[] = {n / 3, n - n / 3};
    lg_tensor *p[2], *g[2];
    for (int k = 0; k < 2; k++)
        p[k] = lg_track(E, lg_randn(E, 1, &dim[k]));
    lgi_optim *o = make_optim(E, "Adam", "", 2, p);
    for (int t = 0; t < 3; t++) {
        for (int k = 0; k < 2; k++)
            g[k] = lg_randn(E, 1, &dim[k]);
        check(lgi_step(o, g, 0.5) == LG_OK, "%s", lg_message(E));
    }
    memcpy(to, p[0]->data, (size_t)dim[0] * sizeof *to);
    memcpy(to + dim[0], p[1]->data, (size_t)dim[1] * sizeof *to);
    lg_close(E);
}

static void check_threads(void)
{
    enum { LARGE = 200001 };
    static lg_real one[LARGE], four[LARGE];
    train_large(1, one, LARGE);
    train_large(4, four, LARGE);
    check(memcmp(one, four, sizeof one) == 0, "1 thread and 4 differ");
}

/* The norm of all gradients is brought down to clip_norm, and never up. */
static void check_clip(void)
{
    const double clips[] = {0, 2.5, 100}, factors[] = {1, 0.5, 1};
    const lg_real three = 3, four = 4;
    for (int k = 0; k < 3; k++) {
        lg_engine *E;
        lg_open(&E, NULL);
        lg_tensor *p[2];
        lg_tensor *g[2] = {lg_from(E, 0, NULL, &three), lg_from(E, 0, NULL, &four)};
        for (int i = 0; i < 2; i++)
            p[i] = lg_track(E, lg_scalar(E, 0));
        lgi_optim *o = make_optim(E, "SGD", "lr=1", 2, p);
        lgi_step(o, g, clips[k]);
        check(fabs((double)p[0]->data[0] + 3 * factors[k]) < 1e-5
              && fabs((double)p[1]->data[0] + 4 * factors[k]) < 1e-5,
              "clip_norm %g gives %g, %g", clips[k], (double)p[0]->data[0],
              (double)p[1]->data[0]);
        check(lg_close(E) == 0, "an optimizer that is left goes with the engine");
    }
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
static void interrupting_update(const lgi_optim *o, const lgi_run *r)
{
    lg_interrupt(o->engine);
    for (int64_t i = 0; i < r->n; i++)
        r->p[i] -= r->g[i];
}

static void check_interrupt(void)
{
    static const lgi_optim_type type = {.name = "Interrupting", .args = "", .doc = "",
                                        .update = interrupting_update};
    lg_engine *E;
    lg_open(&E, NULL);
    int64_t n = 100000, left = 0;
    lg_tensor *p = lg_track(E, lg_full(E, 1, &n, 1)), *g = lg_full(E, 1, &n, 1);
    lgi_optim *o = lgi_new_optim(E, &type, "", 1, &p);
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
        {"SGD", "momentun=1", "no option 'momentun' (did you mean 'momentum'?)"},
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

int main(void)
{
    check_every_optim();
    check_threads();
    check_clip();
    check_minimize();
    check_interrupt();
    check_refusals();
    return report();
}
