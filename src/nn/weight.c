/*
 * weight.c - weights that are not used as they are stored.
 *
 * spectral     divided by the largest singular value (Miyato et al. 2018). A power
 *              iteration a forward pass in training follows it: NAME_u and NAME_v.
 * weight_norm  a length for each output, NAME_g, times a direction (Salimans and Kingma
 *              2016)
 * equalized    N(0, 1), scaled at each use as He et al. would have scaled it once, so
 *              that Adam changes all layers at one speed (Karras et al. 2018)
 *
 * The parameter is NAME in each case, so that what a file has fits whichever it is. A
 * NAME_v of zeros is not known yet: the next use finds it.
 */
#include "nn/layer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

extern const lg_op lgi_op_permute, lgi_op_reshape;

enum { FIRST_ITERATIONS = 15 };        /* so that the first use is near the truth */

lg_status lgi_check_weight(lg_engine *E, const lgi_layer *l,
                           const lgi_weight_options *o)
{
    if (o->spectral + o->weight_norm + o->equalized > 1)
        return lgi_layer_fail(E, LG_EARG, l, "spectral, weight_norm and equalized "
                              "exclude each other; give one of them");
    if (o->equalized && strcmp(o->init.s, "default") != 0)
        return lgi_layer_fail(E, LG_EARG, l, "an equalized weight begins at N(0, 1); "
                              "leave out init, which is '%s'", o->init.s);
    return LG_OK;
}

static lg_tensor *companion(const lgi_layer *l, const char *name, const char *part)
{
    char text[sizeof l->param->name];
    snprintf(text, sizeof text, "%s%s", name, part);
    return lgi_layer_param(l, text);
}

/* Its outputs first: the other way round when that is done already. */
static lg_tensor *swap_axes(lg_engine *E, lg_tensor *w, int axis)
{
    lgi_list dims = {.n = w ? w->ndim : 0};
    for (int i = 0; i < dims.n; i++)
        dims.at[i] = i + 1;
    dims.at[0] = axis + 1;
    dims.at[axis] = 1;
    return axis == 0 ? w : lgi_apply1(E, &lgi_op_permute, w, &dims);
}

static lg_tensor *weight_rows(lg_engine *E, lg_tensor *w)          /* out,rest */
{
    return w ? lgi_apply1(E, &lgi_op_reshape, w,
                          &(lgi_list){2, {w->dim[0], lgi_product_of(w->dim + 1,
                                                                    w->ndim - 1)}})
             : NULL;
}

/* spectral */

/* Moves u and v, new tensors, towards the first singular vectors of m. */
static void iterate(lg_engine *E, lg_tensor *m, lg_tensor **u, lg_tensor **v, int times)
{
    for (int i = 0; i < times; i++) {  /* m: rows,cols; u: rows,1; v: cols,1 */
        *v = lgi_normalize(E, lgi_matmul(E, m, *u, true, false), 1);
        *u = lgi_normalize(E, lgi_matmul(E, m, *v, false, false), 1);
    }
}

static lg_tensor *column(lg_engine *E, lg_tensor *x)           /* n becomes n,1 */
{
    return x ? lgi_apply1(E, &lgi_op_reshape, x, &(lgi_list){2, {x->numel, 1}}) : NULL;
}

static lg_tensor *row_of(lg_engine *E, lg_tensor *x)           /* n,1 becomes n */
{
    return x ? lgi_apply1(E, &lgi_op_reshape, x, &(lgi_list){1, {x->numel}}) : NULL;
}

/* The vectors that the next use starts from. */
static lg_status keep_vectors(lg_engine *E, lgi_layer *l, const char *name, lg_tensor *u,
                              lg_tensor *v)
{
    u = row_of(E, u);
    v = row_of(E, v);
    if (!u || !v || lg_copy(E, companion(l, name, "_u"), u) < 0)
        return E->status;
    return lg_copy(E, companion(l, name, "_v"), v);
}

/* A copy: what a history holds is not what the next use changes. */
static lg_tensor *vector_of(lg_engine *E, const lgi_layer *l, const char *name,
                            const char *part)
{
    lg_tensor *kept = companion(l, name, part);
    return column(E, lg_from(E, kept->ndim, kept->dim, kept->data));
}

static bool is_zero(const lg_tensor *x)
{
    int64_t i = 0;
    while (i < x->numel && x->data[i] == 0)
        i++;
    return i == x->numel;
}

/* Those that this use starts from. A pass that is computed again has those of its first
 * time, which other passes may have moved on since. */
static void take_vectors(lg_engine *E, const lgi_layer *l, const char *name,
                         lg_tensor **u, lg_tensor **v)
{
    lgi_noted *again = E->again;
    bool known = again && again->n + 2 <= again->cap;
    *u = known ? again->at[again->n++] : vector_of(E, l, name, "_u");
    *v = known ? again->at[again->n++] : vector_of(E, l, name, "_v");
}

/* For when this pass is computed again. */
static lg_status note_vectors(lg_engine *E, lg_tensor *u, lg_tensor *v)
{
    if (E->vectors && u && v && lgi_note_tensor(E, E->vectors, u) == LG_OK)
        lgi_note_tensor(E, E->vectors, v);
    return E->status;
}

static lg_tensor *spectral_weight(lg_engine *E, lgi_layer *l, const char *name,
                                  lg_tensor *w, int axis)
{
    lg_tensor *m = weight_rows(E, swap_axes(E, w, axis));          /* rows,cols */
    lg_tensor *u, *v;
    take_vectors(E, l, name, &u, &v);
    bool unknown = v && is_zero(v);
    if ((l->training || unknown) && !E->replaying) {
        iterate(E, lg_detach(E, m), &u, &v, unknown ? FIRST_ITERATIONS : 1);
        if (keep_vectors(E, l, name, u, v) < 0)
            return NULL;
    }
    if (note_vectors(E, u, v) < 0)
        return NULL;
    lg_tensor *sigma = lgi_matmul(E, u, lgi_matmul(E, m, v, false, false), true, false);
    return lgi_div(E, w, sigma ? lgi_apply1(E, &lgi_op_reshape, sigma, &(lgi_list){0})
                               : NULL);
}

static lg_status declare_vectors(lg_engine *E, lgi_layer *l, const char *name, int axis)
{
    lg_tensor *w = lgi_layer_param(l, name), *u, *v;
    int64_t rows = w->dim[axis], cols = w->numel / (rows ? rows : 1);
    char u_name[sizeof l->param->name], v_name[sizeof l->param->name];
    char stream[LGI_MAX_PATH + 64];
    snprintf(u_name, sizeof u_name, "%s_u", name);
    snprintf(v_name, sizeof v_name, "%s_v", name);
    snprintf(stream, sizeof stream, "init:%s.%s", l->path, u_name);
    if (lgi_declare_buffer(E, l, u_name, 1, &rows, 0) < 0
        || lgi_declare_buffer(E, l, v_name, 1, &cols, 0) < 0
        || lgi_initialize(E, l->path, "normal", lgi_layer_param(l, u_name), stream, rows,
                          rows) < 0)
        return E->status;
    u = vector_of(E, l, name, "_u");
    v = vector_of(E, l, name, "_v");
    w = lg_detach(E, w);
    iterate(E, weight_rows(E, swap_axes(E, w, axis)), &u, &v, FIRST_ITERATIONS);
    return keep_vectors(E, l, name, u, v);
}

/* weight_norm */

static lg_tensor *length_weight(lg_engine *E, lgi_layer *l, const char *name,
                                lg_tensor *w, int axis)
{
    lg_tensor *first = swap_axes(E, w, axis);
    lg_tensor *g = column(E, companion(l, name, "_g"));          /* out,1 */
    lg_tensor *y = lgi_mul(E, lgi_normalize(E, weight_rows(E, first), 2), g);
    return swap_axes(E, lgi_reshape_to(E, y, first), axis);
}

/* The lengths begin as those of the weight, which stays the direction. */
static lg_status declare_lengths(lg_engine *E, lgi_layer *l, const char *name, int axis)
{
    lg_tensor *w = lgi_layer_param(l, name);
    int64_t rows = w->dim[axis];
    char g_name[sizeof l->param->name];
    snprintf(g_name, sizeof g_name, "%s_g", name);
    if (lgi_declare(E, l, g_name, 1, &rows, "ones", rows, rows) < 0)
        return E->status;
    lg_tensor *m = weight_rows(E, swap_axes(E, lg_detach(E, w), axis));    /* rows,cols */
    lg_tensor *g = lgi_layer_param(l, g_name);
    for (int64_t i = 0; m && i < rows; i++) {
        const lg_real *row = m->data + i * m->dim[1];
        double sum = 0;
        for (int64_t j = 0; j < m->dim[1]; j++)
            sum += (double)row[j] * (double)row[j];
        g->data[i] = (lg_real)sqrt(sum);
    }
    return E->status;
}

/* Of a weight w: what N(0, 1) is multiplied by. */
static double equalized_scale(const lg_tensor *w, int axis)
{
    double inputs = (double)w->numel / (double)w->dim[axis];
    return sqrt(2 / inputs);
}

lg_status lgi_declare_weight(lg_engine *E, lgi_layer *l, const char *name,
                             const lgi_weight_options *o, int axis, int ndim,
                             const int64_t *dim, int64_t fan_in, int64_t fan_out)
{
    const char *init = o->equalized ? "normal" : o->init.s;
    if (lgi_declare(E, l, name, ndim, dim, init, fan_in, fan_out) < 0)
        return E->status;
    if (o->spectral)
        return declare_vectors(E, l, name, axis);
    return o->weight_norm ? declare_lengths(E, l, name, axis) : LG_OK;
}

/* Who names an initializer means the weight; the bias then begins at zero. */
lg_status lgi_declare_bias(lg_engine *E, lgi_layer *l, int64_t n,
                           const lgi_weight_options *o, int64_t fan_in)
{
    bool own = strcmp(o->init.s, "default") == 0 && !o->equalized;
    return lgi_declare(E, l, "bias", 1, &n, own ? "default" : "zeros", fan_in, n);
}

lg_tensor *lgi_weight(lg_engine *E, lgi_layer *l, const char *name,
                      const lgi_weight_options *o, int axis)
{
    lg_tensor *w = lgi_layer_param(l, name);
    if (o->spectral)
        return spectral_weight(E, l, name, w, axis);
    if (o->weight_norm)
        return length_weight(E, l, name, w, axis);
    return o->equalized ? lgi_affine(E, w, equalized_scale(w, axis), 0) : w;
}

lg_status lgi_declare_weighted(lg_engine *E, lgi_layer *l, const lgi_weight_options *o,
                               bool bias, int axis, int ndim, const int64_t *dim,
                               int64_t out)
{
    int64_t area = lgi_product_of(dim + 2, ndim - 2);
    int64_t fan_in = dim[1] * area, fan_out = dim[0] * area;
    if (lgi_declare_weight(E, l, "weight", o, axis, ndim, dim, fan_in, fan_out) < 0)
        return E->status;
    return bias ? lgi_declare_bias(E, l, out, o, fan_in) : LG_OK;
}

lg_tensor *lgi_apply_weighted(lg_engine *E, lgi_layer *l, const lgi_weight_options *o,
                              int axis, lg_tensor *x)
{
    lg_tensor *w = lgi_weight(E, l, "weight", o, axis);
    lg_tensor *in[] = {x, w, lgi_layer_param(l, "bias")};
    return w ? lgi_apply_layer_op(E, l, 3, in) : NULL;
}
