/* check.c - the gradient checker. */
#include "grad/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Something that a sample determines, as a vector: the results, or their gradients. */
typedef lg_tensor *measure(lg_engine *E, const lgi_sample *s, const void *with);

typedef struct verdict {
    double worst;
    char *where;                       /* 256 bytes */
} verdict;

static void judge(verdict *v, const lgi_sample *s, int input, int64_t i, double got,
                  double expected, double scale)
{
    double error = fabs(got - expected) / (1 + scale);
    if (!(error <= v->worst)) {        /* NaN is the worst */
        v->worst = isnan(error) ? INFINITY : error;
        snprintf(v->where, 256, "%s at '%s': input %d, element %lld: gradient %.12g, "
                 "difference %.12g", s->op->name, s->text, input + 1, (long long)i + 1,
                 got, expected);
    }
}

/* The derivative of f's vector by one number, by the 4-point formula; scoped. */
static lg_tensor *difference(lg_engine *E, lgi_sample *s, lg_real *x, measure *f,
                             const void *with)
{
    static const double at[4] = {-2, -1, 1, 2}, weight[4] = {1, -8, 8, -1};
    const double h = 1e-3;
    lg_real was = *x;
    lg_tensor *sum = NULL;
    for (int k = 0; k < 4; k++) {
        *x = (lg_real)(was + at[k] * h);
        lg_tensor *y = f(E, s, with);
        if (y && !sum)
            sum = lg_zeros(E, y->ndim, y->dim);
        for (int64_t i = 0; y && sum && i < y->numel; i++)
            sum->data[i] += (lg_real)(weight[k] * y->data[i] / (12 * h));
    }
    *x = was;
    return E->status < 0 ? NULL : sum;
}

/* Result k of the operator. */
static lg_tensor *measure_result(lg_engine *E, const lgi_sample *s, const void *with)
{
    lg_tensor *leaf[LGI_MAX_IN];
    lg_tensor *y = lgi_apply_sample(E, s, 0, leaf);
    return y ? y + *(const int *)with : NULL;
}

static double largest(const lg_tensor *t)
{
    double m = 0;
    for (int64_t i = 0; i < t->numel; i++)
        m = fmax(m, fabs((double)t->data[i]));
    return m;
}

/* Rows of the Jacobian of result k, a walk each: rows[j] has the gradients of element j
 * by the tracked inputs, in turn. All or nothing is differentiable: LG_ZERO gives
 * zeros. */
static lg_status jacobian_rows(lg_engine *E, lgi_sample *s, uint32_t tracked, int k,
                               lg_tensor *rows, int64_t j)
{
    lg_tensor *leaf[LGI_MAX_IN], *wanted[LGI_MAX_IN], *g[LGI_MAX_IN];
    int n = 0;
    lg_real *to = rows->data + j * rows->dim[1];
    lg_tensor *y = lgi_apply_sample(E, s, tracked, leaf);
    if (!y)
        return E->status;
    for (int i = 0; i < s->nin; i++)
        if (leaf[i] != s->in[i])
            wanted[n++] = leaf[i];
    lg_tensor *seed = lg_zeros(E, y[k].ndim, y[k].dim);
    if (!seed)
        return E->status;
    seed->data[j] = 1;
    if (lg_grad(E, y + k, seed, n, wanted, LG_ALLOW_UNUSED, g) < 0)
        return E->status;
    for (int i = 0; i < n; i++) {
        size_t bytes = (size_t)wanted[i]->numel * sizeof(lg_real);
        if (g[i] && bytes)
            memcpy(to, g[i]->data, bytes);
        to += wanted[i]->numel;
    }
    return LG_OK;
}

static bool is_checked(const lgi_sample *s, uint32_t tracked, int i)
{
    return s->in[i] && s->smooth[i] && tracked >> i & 1;
}

static int64_t count_tracked(const lgi_sample *s, uint32_t tracked)
{
    int64_t n = 0;
    for (int i = 0; i < s->nin; i++)
        n += is_checked(s, tracked, i) ? s->in[i]->numel : 0;
    return n;
}

static lg_status check_result(lg_engine *E, lgi_sample *s, uint32_t tracked, int k,
                              verdict *v)
{
    lg_tensor *y = measure_result(E, s, &k);
    int64_t columns = count_tracked(s, tracked), column = 0;
    lg_tensor *rows = y ? lg_zeros(E, 2, (int64_t[]){y->numel, columns}) : NULL;
    for (int64_t j = 0; rows && j < rows->dim[0] && E->status == LG_OK; j++) {
        int scope = lg_open_scope(E);
        jacobian_rows(E, s, tracked, k, rows, j);
        lg_close_scope(E, scope);
    }
    double scale = rows ? largest(rows) : 0;
    for (int i = 0; rows && i < s->nin; i++)
        for (int64_t x = 0; is_checked(s, tracked, i) && x < s->in[i]->numel;
             x++, column++) {
            int scope = lg_open_scope(E);
            lg_tensor *d = difference(E, s, &s->in[i]->data[x], measure_result, &k);
            for (int64_t j = 0; d && j < d->numel; j++)
                judge(v, s, i, x, rows->data[j * columns + column], d->data[j], scale);
            lg_close_scope(E, scope);
        }
    return E->status;
}

lg_status lgi_check_first(lg_engine *E, lgi_sample *s, uint32_t tracked, double *worst,
                          char where[256])
{
    verdict v = {0, where};
    int scope = lg_open_scope(E);
    for (int k = 0; k < lgi_count_returned(s->op) && E->status == LG_OK; k++)
        check_result(E, s, tracked, k, &v);
    lg_close_scope(E, scope);
    *worst = v.worst;
    return E->status;
}

/* A fixed vector of weights of a tensor's shape. */
static lg_tensor *weights_like(lg_engine *E, const lg_tensor *t, uint64_t seed)
{
    lg_seed(E, seed);
    return lg_randn(E, t->ndim, t->dim);
}

typedef struct second {                /* what the second order is measured with */
    int result;                        /* which of the operator's */
    lg_tensor *cotangent;
    uint64_t weights;
    bool graph;
    lg_tensor **leaf;                  /* of the inputs, and the cotangent's */
} second;

/* Sum over the inputs of weights * gradient. */
static lg_tensor *measure_slope(lg_engine *E, const lgi_sample *s, const void *with)
{
    const second *w = with;
    lg_tensor *own[LGI_MAX_IN + 1], **leaf = w->graph ? w->leaf : own;
    lg_tensor *wanted[LGI_MAX_IN], *g[LGI_MAX_IN], *sum = NULL;
    int n = 0;
    lg_tensor *y = lgi_apply_sample(E, s, UINT32_MAX, leaf);
    lg_tensor *cotangent = w->graph ? lg_track(E, w->cotangent) : w->cotangent;
    if (w->graph)
        w->leaf[s->nin] = cotangent;
    for (int i = 0; i < s->nin; i++)
        if (leaf[i] != s->in[i])
            wanted[n++] = leaf[i];
    int flags = LG_ALLOW_UNUSED | (w->graph ? LG_CREATE_GRAPH : 0);
    if (!y || lg_grad(E, y + w->result, cotangent, n, wanted, flags, g) < 0)
        return NULL;
    for (int i = 0; i < n; i++) {
        if (!g[i])
            continue;
        lg_tensor *part = weights_like(E, g[i], w->weights + (uint64_t)i);
        part = lgi_mul(E, g[i], part);
        part = part ? lgi_sum_dims(E, part, &(lgi_list){0}, false) : NULL;
        sum = sum && part ? lgi_add(E, sum, part) : part;
    }
    return sum || E->status < 0 ? sum : lg_scalar(E, 0);
}

/* Compares the gradients g of the slope of one result with differences. */
static void judge_second(lg_engine *E, lgi_sample *s, const second *w, lg_tensor **g,
                         verdict *v)
{
    for (int i = 0; E->status == LG_OK && i <= s->nin; i++) {
        lg_tensor *x = i == s->nin ? w->cotangent : s->smooth[i] ? s->in[i] : NULL;
        double scale = g[i] ? largest(g[i]) : 0;
        for (int64_t k = 0; x && k < x->numel; k++) {
            int inner = lg_open_scope(E);
            lg_tensor *d = difference(E, s, &x->data[k], measure_slope, w);
            if (d)
                judge(v, s, i, k, g[i] ? g[i]->data[k] : 0, d->data[0], scale);
            lg_close_scope(E, inner);
        }
    }
}

static void check_second_of(lg_engine *E, lgi_sample *s, int result, verdict *v)
{
    lg_tensor *leaf[LGI_MAX_IN + 1] = {0}, *g[LGI_MAX_IN + 1] = {0};
    lg_tensor *y = measure_result(E, s, &result);
    second w = {result, y ? weights_like(E, y, 11) : NULL, 23, true, leaf};
    lg_tensor *slope = w.cotangent ? measure_slope(E, s, &w) : NULL;
    for (int i = 0; slope && slope->tracked && i <= s->nin; i++)
        if (leaf[i] && (i == s->nin || leaf[i] != s->in[i]))
            lg_grad(E, slope, NULL, 1, &leaf[i], LG_ALLOW_UNUSED | LG_RETAIN_GRAPH,
                    &g[i]);
    w.graph = false;
    if (slope)
        judge_second(E, s, &w, g, v);
}

lg_status lgi_check_second(lg_engine *E, lgi_sample *s, double *worst, char where[256])
{
    verdict v = {0, where};
    int scope = lg_open_scope(E);
    for (int k = 0; k < lgi_count_returned(s->op) && E->status == LG_OK; k++)
        check_second_of(E, s, k, &v);
    lg_close_scope(E, scope);
    *worst = v.worst;
    return E->status;
}
