/* init.c - initializers: how a parameter's numbers begin. */
#include "base/decimal.h"
#include "base/random.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

/* A number begins as scale times one of these: 1, U(-1, 1), N(0, 1). */
typedef enum draw { DRAW_NONE, DRAW_UNIFORM, DRAW_NORMAL } draw;

typedef struct initializer {
    const char *name;
    draw from;
    double amount;                     /* the number after the name, if none is written */
    double (*scale)(double amount, int64_t fan_in, int64_t fan_out);
} initializer;

static double just_amount(double amount, int64_t fan_in, int64_t fan_out)
{
    (void)fan_in, (void)fan_out;
    return amount;
}

/* PyTorch's own for weight and bias: bounds of 1 / sqrt(fan_in). */
static double by_fan_in(double amount, int64_t fan_in, int64_t fan_out)
{
    (void)fan_out;
    return fan_in > 0 ? amount / sqrt((double)fan_in) : 0;
}

/* Glorot and Bengio 2010. The amount is a gain. */
static double xavier_bound(double gain, int64_t fan_in, int64_t fan_out)
{
    return fan_in + fan_out > 0 ? gain * sqrt(6.0 / (double)(fan_in + fan_out)) : 0;
}

static double xavier_deviation(double gain, int64_t fan_in, int64_t fan_out)
{
    return fan_in + fan_out > 0 ? gain * sqrt(2.0 / (double)(fan_in + fan_out)) : 0;
}

/* He et al. 2015. The amount is the slope of the leaky_relu that follows. */
static double kaiming_deviation(double slope, int64_t fan_in, int64_t fan_out)
{
    return by_fan_in(sqrt(2 / (1 + slope * slope)), fan_in, fan_out);
}

static double kaiming_bound(double slope, int64_t fan_in, int64_t fan_out)
{
    return sqrt(3) * kaiming_deviation(slope, fan_in, fan_out);
}

static const initializer initializers[] = {
    {"default", DRAW_UNIFORM, 1, by_fan_in},
    {"zeros", DRAW_NONE, 0, just_amount},
    {"ones", DRAW_NONE, 1, just_amount},
    {"constant", DRAW_NONE, 0, just_amount},
    {"uniform", DRAW_UNIFORM, 1, just_amount},
    {"normal", DRAW_NORMAL, 1, just_amount},
    {"xavier", DRAW_UNIFORM, 1, xavier_bound},
    {"xavier_normal", DRAW_NORMAL, 1, xavier_deviation},
    {"kaiming", DRAW_NORMAL, 0, kaiming_deviation},
    {"kaiming_uniform", DRAW_UNIFORM, 0, kaiming_bound},
};
enum { INITIALIZERS = sizeof initializers / sizeof *initializers };

static lg_status no_such_initializer(lg_engine *E, const char *who, const char *text)
{
    char names[256] = "";
    for (int i = 0; i < INITIALIZERS; i++) {
        strcat(names, i ? ", " : "");
        strcat(names, initializers[i].name);
    }
    return lgi_fail(E, LG_EARG, "%s: there is no initializer '%s'; there are %s, as in "
                    "init = \"normal 0.02\"", who, text, names);
}

/* Reads "normal 0.02". Fails for a name that is none, and for what is no number. */
static const initializer *find_initializer(lg_engine *E, const char *who,
                                           const char *text, double *amount)
{
    size_t n = strcspn(text, " ");
    const char *number = text + n + strspn(text + n, " "), *end = number;
    for (int i = 0; i < INITIALIZERS; i++) {
        const initializer *k = &initializers[i];
        if (strlen(k->name) != n || memcmp(k->name, text, n) != 0)
            continue;
        *amount = k->amount;
        if (*number == 0 || (lgi_read_decimal(number, &end, amount) && *end == 0))
            return k;
        lgi_fail(E, LG_EARG, "%s: init is '%s', but what follows '%s' must be one number",
                 who, text, k->name);
        return NULL;
    }
    no_such_initializer(E, who, text);
    return NULL;
}

lg_status lgi_check_initializer(lg_engine *E, const char *who, const char *init)
{
    double amount;
    return find_initializer(E, who, init, &amount) ? LG_OK : E->status;
}

lg_status lgi_initialize(lg_engine *E, const char *who, const char *init, lg_tensor *t,
                         const char *stream, int64_t fan_in, int64_t fan_out)
{
    double amount;
    const initializer *k = find_initializer(E, who, init, &amount);
    if (!k)
        return E->status;
    double scale = k->scale(amount, fan_in, fan_out);
    lgi_stream s = lgi_named_stream(E, stream);
    if (k->from == DRAW_UNIFORM)
        lgi_fill_uniform(E, s, 0, t->data, t->numel);
    if (k->from == DRAW_NORMAL)
        lgi_fill_normal(E, s, 0, t->data, t->numel);
    for (int64_t i = 0; i < t->numel; i++) {
        double x = k->from == DRAW_NONE ? 1 : (double)t->data[i];
        x = k->from == DRAW_UNIFORM ? 2 * x - 1 : x;
        t->data[i] = (lg_real)(scale * x);
    }
    return lgi_interrupted(E);
}
