/* init.c - initializers: how a parameter's numbers begin. */
#include "base/decimal.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/random.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

/* A number begins as scale times one of these: 1, U(-1, 1), N(0, 1), N(0, 1) within two
 * deviations, a number of a matrix whose rows or columns are orthonormal. */
typedef enum draw {
    DRAW_NONE, DRAW_UNIFORM, DRAW_NORMAL, DRAW_TRUNCATED, DRAW_ORTHOGONAL
} draw;

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
    {"truncated_normal", DRAW_TRUNCATED, 1, just_amount},
    {"xavier", DRAW_UNIFORM, 1, xavier_bound},
    {"xavier_uniform", DRAW_UNIFORM, 1, xavier_bound},
    {"xavier_normal", DRAW_NORMAL, 1, xavier_deviation},
    {"kaiming", DRAW_NORMAL, 0, kaiming_deviation},
    {"kaiming_normal", DRAW_NORMAL, 0, kaiming_deviation},
    {"kaiming_uniform", DRAW_UNIFORM, 0, kaiming_bound},
    {"orthogonal", DRAW_ORTHOGONAL, 1, just_amount},
};
enum { INITIALIZERS = sizeof initializers / sizeof *initializers };

const char *lgi_initializer_name(int i)
{
    return i < INITIALIZERS ? initializers[i].name : NULL;
}

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
        if (*number == 0)
            return k;
        if (lgi_read_decimal(number, &end, amount) && *end == 0 && isfinite(*amount))
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

/* What is beyond two deviations is drawn again, and again: number i of round k is number
 * k n + i of the stream, so that it depends on nothing else. A fill that is interrupted
 * draws nothing. */
static void fill_truncated(lg_engine *E, lgi_stream s, lg_tensor *t)
{
    lgi_fill_normal(E, s, 0, t->data, t->numel);
    for (int64_t i = 0; i < t->numel && !E->interrupt; i++)
        for (uint64_t k = 1; fabs((double)t->data[i]) > 2 && !E->interrupt; k++)
            lgi_fill_normal(E, s, k * (uint64_t)t->numel + (uint64_t)i, &t->data[i], 1);
}

/* Vectors of equal length, to be made orthonormal. */
typedef struct vectors {
    double *data;                      /* count,length */
    int64_t count, length;
    int64_t first, last;               /* of those that are taken off the later ones */
} vectors;

enum { PANEL = 16 };                   /* vectors that stay in the cache */

/* In four sums, which the processor takes side by side. */
static double dot_of(const double *a, const double *b, int64_t n)
{
    double sum[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum[0] += a[i] * b[i];
    return sum[0] + sum[1] + (sum[2] + sum[3]);
}

/* Takes from vector j what it has of the unit vectors first .. last - 1. */
static void take_off(const vectors *v, int64_t j, int64_t first, int64_t last)
{
    double *to = v->data + j * v->length;
    for (int64_t k = first; k < last; k++) {
        const double *unit = v->data + k * v->length;
        double along = dot_of(to, unit, v->length);
        for (int64_t i = 0; i < v->length; i++)
            to[i] -= along * unit[i];
    }
}

static void take_off_piece(void *job, int64_t piece, int worker)
{
    const vectors *v = job;
    (void)worker;
    take_off(v, v->last + piece, v->first, v->last);
}

/* Modified Gram-Schmidt, a panel at a time. Its bits do not depend on the threads: each
 * later vector is one piece. A random matrix is far enough from a singular one. */
static void orthonormalize(lg_engine *E, vectors *v)
{
    for (v->first = 0; v->first < v->count; v->first = v->last) {
        v->last = v->first + PANEL < v->count ? v->first + PANEL : v->count;
        for (int64_t j = v->first; j < v->last; j++) {
            double *x = v->data + j * v->length;
            take_off(v, j, v->first, j);
            double length = sqrt(dot_of(x, x, v->length));
            for (int64_t i = 0; i < v->length && length > 0; i++)
                x[i] /= length;
        }
        lgi_parallel(E, v->count - v->last, take_off_piece, v);
    }
}

/* Saxe et al. 2014, of the weight as a matrix of as many rows as its first axis has: with
 * orthonormal rows, or columns if it has more rows. Gram and Schmidt's vectors of normal
 * numbers are those of a QR decomposition whose R has a positive diagonal, which makes
 * all such matrices equally likely (Mezzadri 2007). */
static lg_status fill_orthogonal(lg_engine *E, lgi_stream s, lg_tensor *t)
{
    int64_t rows = t->ndim ? t->dim[0] : 1, cols = rows ? t->numel / rows : 0;
    size_t bytes = (size_t)t->numel * sizeof(double);
    bool by_rows = rows <= cols;
    double *data = t->numel ? lgi_alloc(E, bytes) : NULL;
    if (!data)
        return E->status;
    vectors v = {.data = data, .count = by_rows ? rows : cols,
                 .length = by_rows ? cols : rows};
    lgi_fill_normal(E, s, 0, t->data, t->numel);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            data[by_rows ? i * cols + j : j * rows + i] = (double)t->data[i * cols + j];
    orthonormalize(E, &v);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            t->data[i * cols + j] = (lg_real)data[by_rows ? i * cols + j : j * rows + i];
    lgi_free(E, data, bytes);
    return LG_OK;
}

static lg_status fill_draw(lg_engine *E, draw from, lgi_stream s, lg_tensor *t)
{
    if (from == DRAW_ORTHOGONAL)
        return fill_orthogonal(E, s, t);
    if (from == DRAW_TRUNCATED)
        fill_truncated(E, s, t);
    else if (from == DRAW_NORMAL)
        lgi_fill_normal(E, s, 0, t->data, t->numel);
    else if (from == DRAW_UNIFORM)
        lgi_fill_uniform(E, s, 0, t->data, t->numel);
    for (int64_t i = 0; i < t->numel && from <= DRAW_UNIFORM; i++) {
        double x = from == DRAW_NONE ? 1 : 2 * (double)t->data[i] - 1;
        t->data[i] = (lg_real)x;
    }
    return LG_OK;
}

lg_status lgi_initialize(lg_engine *E, const char *who, const char *init, lg_tensor *t,
                         const char *stream, int64_t fan_in, int64_t fan_out)
{
    double amount;
    const initializer *k = find_initializer(E, who, init, &amount);
    if (!k || fill_draw(E, k->from, lgi_named_stream(E, stream), t) < 0)
        return E->status;
    double scale = k->scale(amount, fan_in, fan_out);
    for (int64_t i = 0; i < t->numel; i++)
        t->data[i] = (lg_real)(scale * (double)t->data[i]);
    return lgi_interrupted(E);
}
