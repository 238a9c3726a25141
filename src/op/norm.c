/*
 * norm.c - batch normalization (Ioffe and Szegedy 2015).
 *
 * With r = 1 / sqrt(var + eps) and h = (x - mean) r, for each channel y = w h + b. The
 * mean and the (biased) variance are results of batch_norm, so gradients flow through
 * them: batch_norm_back takes them as inputs of its own, and what its rule says about
 * them comes back to batch_norm's rule as g[1] and g[2]. Nothing is treated as constant.
 *
 * A(t) is the mean of t over a channel's m numbers.
 */
#include "op/norm.h"

#include <math.h>

extern const lg_op lgi_op_batch_norm_back, lgi_op_rsqrt, lgi_op_square;

typedef struct norm_attr { double eps; } norm_attr;

static lgi_channels channels_of(const lg_tensor *x)
{
    return (lgi_channels){x->dim[0], x->dim[1], lgi_product_of(x->dim + 2, x->ndim - 2)};
}

static double count_in_channel(const lg_tensor *x)
{
    lgi_channels s = channels_of(x);
    return (double)(s.n * s.inner);
}

/* x has a channel axis, and what there is of inputs first .. last has one number each. */
static lg_status norm_channels_fit(lg_engine *E, const lgi_node *n, const lg_tensor *x,
                                int first, int last)
{
    const norm_attr *t = n->attr;
    char name[16];
    if (x->ndim < 2)
        return lgi_fail(E, LG_ESHAPE, "%s: x must have the axes n, c and maybe more, and "
                        "is %s", n->op->name, LGI_SHAPE(x));
    for (int i = first; i <= last; i++)
        if (n->in[i] && (n->in[i]->ndim != 1 || n->in[i]->dim[0] != x->dim[1]))
            return lgi_fail(E, LG_ESHAPE, "%s: %s must be {%lld}, a number for each "
                            "channel (axis 2) of x %s, and is %s", n->op->name,
                            lgi_input_name(n, i, name), (long long)x->dim[1],
                            LGI_SHAPE(x), LGI_SHAPE(n->in[i]));
    return lgi_need_number(E, n, "eps", t->eps, 0, INFINITY);
}

/* rules: a number for each channel as {1,c,1,..}, and sums of that shape */

static lg_tensor *per_channel(lg_engine *E, lg_tensor *t, const lg_tensor *x)
{
    lg_tensor like = {.ndim = x->ndim};
    for (int i = 0; i < x->ndim; i++)
        like.dim[i] = i == 1 ? x->dim[1] : 1;
    return lgi_reshape_to(E, t, &like);
}

static lg_tensor *channel_sum(lg_engine *E, lg_tensor *t)
{
    lgi_list dims = {0};
    for (int i = 0; t && i < t->ndim; i++)
        if (i != 1)
            dims.at[dims.n++] = i + 1;
    return t ? lgi_sum_dims(E, t, &dims, true) : NULL;
}

static lg_tensor *channel_rstd(lg_engine *E, lg_tensor *var, double eps,
                               const lg_tensor *x)
{
    lg_tensor *v = lgi_affine(E, var, 1, eps);
    return per_channel(E, lgi_apply1(E, &lgi_op_rsqrt, v, NULL), x);
}

/* t w, or t where there is no w */
static lg_tensor *weighed(lg_engine *E, lg_tensor *t, lg_tensor *w, const lg_tensor *x)
{
    return w ? lgi_mul(E, t, per_channel(E, w, x)) : t;
}

/* a + b, where NULL is 0: unlike elsewhere, so it is asked only of what did not fail */
static lg_tensor *plus(lg_engine *E, lg_tensor *a, lg_tensor *b)
{
    return a && b ? lgi_add(E, a, b) : a ? a : b;
}

/* batch_norm */

static lg_status batch_norm_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    if (norm_channels_fit(E, n, x, 1, 2) < 0)
        return E->status;
    if (x->numel == 0)
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s, which has no numbers to take the "
                        "mean of", n->op->name, LGI_SHAPE(x));
    lgi_like(&n->out[0], x);
    lgi_set_shape(&n->out[1], 1, x->dim[1]);
    return lgi_set_shape(&n->out[2], 1, x->dim[1]);
}

/* Sums, a shift for each channel, and three numbers of the map. */
size_t lgi_norm_scratch(lgi_channels s)
{
    return (size_t)(lgi_channel_scratch(s) + s.c) * sizeof(double)
           + (size_t)(3 * s.c) * sizeof(lg_real);
}

static size_t batch_norm_workspace(lg_engine *E, const lgi_node *n)
{
    (void)E;
    return lgi_norm_scratch(channels_of(n->in[0]));
}

/* What the rules of channels read and set. */
typedef struct norm_channels {
    double m, eps;                     /* m: numbers of a channel */
    int64_t weights;                   /* how many w and b have: they begin again */
    const lg_real *w, *b;
    lg_real *mean, *var;               /* forward sets them, the way back reads them */
    lg_real *by_u, *by_x, *add;        /* the map */
    lg_real *dw, *db;
} norm_channels;

/* Since the shift is one of the numbers, (shift - mean)^2 <= m var: the difference loses
 * no more than a factor m of double's precision, whatever the mean. */
static void batch_norm_channel(const void *p, int64_t k, double shift, double sum,
                               double product)
{
    const norm_channels *t = p;
    double d = sum / t->m, v = product / t->m - d * d;
    v = v < 0 ? 0 : v;
    t->mean[k] = (lg_real)(shift + d);
    t->var[k] = (lg_real)v;
    t->by_x[k] = (lg_real)((t->w ? (double)t->w[k % t->weights] : 1) / sqrt(v + t->eps));
    t->add[k] = t->b ? t->b[k % t->weights] : 0;
}

static norm_channels norm_of(lgi_channels s, double eps, const lg_tensor *w,
                             double *scratch)
{
    lg_real *map = (lg_real *)(scratch + lgi_channel_scratch(s) + s.c);
    return (norm_channels){.m = (double)(s.n * s.inner), .eps = eps, .weights = s.c,
                           .w = w ? w->data : NULL, .by_u = map, .by_x = map + s.c,
                           .add = map + 2 * s.c};
}

void lgi_forward_norm(lg_engine *E, const lgi_node *n, lgi_channels s, int64_t weights,
                      double eps, void *scratch)
{
    const lg_tensor *x = n->in[0], *b = n->in[2];
    norm_channels t = norm_of(s, eps, n->in[1], scratch);
    t.weights = weights;
    t.b = b ? b->data : NULL;
    t.mean = n->out[1].data;
    t.var = n->out[2].data;
    lgi_normalize_channels(E, s, NULL, x->data, n->out->data,
                           &(lgi_channel_map){NULL, t.by_x, t.add, t.mean},
                           batch_norm_channel, &t, scratch);
}

static void batch_norm_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const norm_attr *t = n->attr;
    lgi_channels s = channels_of(n->in[0]);
    lgi_forward_norm(E, n, s, s.c, t->eps, workspace);
}

/* By the mean it is 1/m for each number of x, by the variance 2 (x - mean) / m. */
lg_tensor *lgi_norm_by_statistics(lg_engine *E, lg_tensor *x, lg_tensor *mean,
                                  lg_tensor *gmean, lg_tensor *gvar)
{
    lg_tensor *sum = NULL;
    if (!x || !mean)
        return NULL;
    double m = count_in_channel(x);
    if (gvar) {
        lg_tensor *c = per_channel(E, lgi_affine(E, gvar, 2 / m, 0), x);
        sum = lgi_mul(E, lgi_sub(E, x, per_channel(E, mean, x)), c);
    }
    if (gmean) {
        lg_tensor *c = per_channel(E, lgi_affine(E, gmean, 1 / m, 0), x);
        sum = plus(E, sum, lgi_expand_to(E, c, x));
    }
    return sum;
}

static lg_status batch_norm_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                 lg_tensor **g, lg_tensor **out)
{
    lg_tensor *in[] = {g[0], n->in[0], &n->out[1], &n->out[2], n->in[1]};
    lg_tensor *d = g[0] ? lgi_apply(E, &lgi_op_batch_norm_back, 5, in, n->attr) : NULL;
    if (wanted[0])
        out[0] = plus(E, d, lgi_norm_by_statistics(E, n->in[0], &n->out[1], g[1], g[2]));
    for (int i = 1; i <= 2; i++)
        out[i] = wanted[i] && d ? &d[i] : NULL;
    return E->status;
}

const lg_op lgi_op_batch_norm = {
    .name = "batch_norm", .args = "x, w?, b?, eps: number = 1e-5",
    .results = "y; mean, var",
    .doc = "x {n,c,...} normalized over all axes but axis 2, the channels: (x - mean) / "
           "sqrt(var + eps) * w + b, with w and b {c} (Ioffe and Szegedy 2015). var is "
           "the biased variance. Where a channel has one number, the result is b.",
    .shape = batch_norm_shape, .workspace = batch_norm_workspace,
    .forward = batch_norm_forward, .grad = batch_norm_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_OUT(1) | LGI_OUT(2),
    .attr_bytes = sizeof(norm_attr),
    .once = true, .leads = true, .leads_back = true,
    .samples = {"4,3; 3; 3", "3,2,2,2; 2; 2; eps=0.01", "5,2", "2,1,3; 1; 1",
                "2,3,1,2,1; 3; 3", "4,1; 1"}};

/* batch_norm_back: dx = w r (g - A(g) - h A(gh)), dw = sum(gh), db = sum(g) */

static lg_status batch_norm_back_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[1];
    if (norm_channels_fit(E, n, x, 2, 4) < 0)
        return E->status;
    if (!lgi_same_dims(n->in[0], x) || x->numel == 0)
        return lgi_fail(E, LG_ESHAPE, "%s: g is %s and x is %s; the shapes must be the "
                        "same, and not empty", n->op->name, LGI_SHAPE(n->in[0]),
                        LGI_SHAPE(x));
    lgi_like(&n->out[0], x);
    lgi_set_shape(&n->out[1], 1, x->dim[1]);
    return lgi_set_shape(&n->out[2], 1, x->dim[1]);
}

static void batch_norm_back_channel(const void *p, int64_t k, double shift, double sg,
                                    double product)
{
    const norm_channels *t = p;
    double r = 1 / sqrt((double)t->var[k] + t->eps), sgh = product * r;
    double wr = t->w ? (double)t->w[k] * r : r;
    (void)shift;
    t->dw[k] = (lg_real)sgh;
    t->db[k] = (lg_real)sg;
    t->by_u[k] = (lg_real)wr;
    t->by_x[k] = (lg_real)(-wr * r * sgh / t->m);
    t->add[k] = (lg_real)(-wr * sg / t->m);
}

static void batch_norm_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *g = n->in[0], *x = n->in[1];
    const norm_attr *a = n->attr;
    norm_channels t = norm_of(channels_of(x), a->eps, n->in[4], workspace);
    t.mean = n->in[2]->data;
    t.var = n->in[3]->data;
    t.dw = n->out[1].data;
    t.db = n->out[2].data;
    lgi_normalize_channels(E, channels_of(x), g->data, x->data, n->out->data,
                           &(lgi_channel_map){t.by_u, t.by_x, t.add, t.mean},
                           batch_norm_back_channel, &t, workspace);
}

/*
 * Its rule. With gradients P, Q, R for dx, dw, db, and S(t) the sum of t over a channel:
 *
 *   L        = w r T + Q S(gh) + R S(g),   T = S(Pg) - S(P) S(g) / m - S(Ph) S(gh) / m
 *   dL/dg    = w r (P - A(P) - h A(Ph)) + Q h + R
 *   dL/dw    = r T
 *   dL/dh    = -w r (P A(gh) + g A(Ph)) + Q g,  and dL/dx = r dL/dh
 *   dL/dmean = -r S(dL/dh)
 *   dL/dr    = w (T - 2 S(Ph) S(gh) / m) + Q S(gh) / r,  and dL/dvar = -r^3 / 2 dL/dr
 */
typedef struct norm_rule {
    lg_engine *E;
    const lgi_node *n;
    lg_tensor *P, *Q, *R;              /* NULL: zero; Q and R {1,c,1,..} */
    lg_tensor *g, *x, *w;
    lg_tensor *r, *h;
    lg_tensor *Sgh, *SPh;
    double m;
} norm_rule;

static lg_tensor *norm_by_g(const norm_rule *t)
{
    lg_engine *E = t->E;
    lg_tensor *by_g = NULL;
    if (t->P) {
        lg_tensor *in[] = {t->P, t->x, t->n->in[2], t->n->in[3], t->w};
        by_g = lgi_apply(E, &lgi_op_batch_norm_back, 5, in, t->n->attr);
    }
    if (t->Q)
        by_g = plus(E, by_g, lgi_mul(E, t->h, t->Q));
    if (t->R)
        by_g = plus(E, by_g, lgi_expand_to(E, t->R, t->x));
    return by_g;
}

static lg_tensor *norm_by_h(const norm_rule *t)
{
    lg_engine *E = t->E;
    lg_tensor *by_h = t->Q ? lgi_mul(E, t->g, t->Q) : NULL;
    if (t->P) {
        lg_tensor *wr = lgi_affine(E, weighed(E, t->r, t->w, t->x), -1 / t->m, 0);
        lg_tensor *a = lgi_mul(E, t->P, lgi_mul(E, wr, t->Sgh));
        lg_tensor *b = lgi_mul(E, t->g, lgi_mul(E, wr, t->SPh));
        by_h = plus(E, lgi_add(E, a, b), by_h);
    }
    return by_h;
}

/* S(Ph) S(gh) / m */
static lg_tensor *norm_cross(const norm_rule *t)
{
    return lgi_affine(t->E, lgi_mul(t->E, t->SPh, t->Sgh), 1 / t->m, 0);
}

static lg_tensor *norm_T(const norm_rule *t)
{
    lg_engine *E = t->E;
    lg_tensor *Pg = channel_sum(E, lgi_mul(E, t->P, t->g));
    lg_tensor *PP = lgi_mul(E, channel_sum(E, t->P), channel_sum(E, t->g));
    return lgi_sub(E, lgi_sub(E, Pg, lgi_affine(E, PP, 1 / t->m, 0)), norm_cross(t));
}

static lg_tensor *norm_by_var(const norm_rule *t, lg_tensor *T)
{
    lg_engine *E = t->E;
    lg_tensor *r2 = lgi_apply1(E, &lgi_op_square, t->r, NULL);
    lg_tensor *r3 = lgi_mul(E, r2, t->r), *by_var = NULL;
    if (T) {
        lg_tensor *u = lgi_sub(E, T, lgi_affine(E, norm_cross(t), 2, 0));
        by_var = lgi_mul(E, weighed(E, u, t->w, t->x), r3);
    }
    if (t->Q)
        by_var = plus(E, by_var, lgi_mul(E, lgi_mul(E, t->Q, t->Sgh), r2));
    return lgi_affine(E, by_var, -0.5, 0);
}

static lg_status batch_norm_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                      lg_tensor **gs, lg_tensor **out)
{
    lg_tensor *x = n->in[1], *mean = n->in[2];
    const norm_attr *a = n->attr;
    norm_rule t = {.E = E, .n = n, .g = n->in[0], .x = x, .w = n->in[4], .P = gs[0]};
    t.m = count_in_channel(x);
    t.Q = gs[1] ? per_channel(E, gs[1], x) : NULL;
    t.R = gs[2] ? per_channel(E, gs[2], x) : NULL;
    t.r = channel_rstd(E, n->in[3], a->eps, x);
    t.h = lgi_mul(E, lgi_sub(E, x, per_channel(E, mean, x)), t.r);
    t.Sgh = channel_sum(E, lgi_mul(E, t.g, t.h));
    t.SPh = t.P ? channel_sum(E, lgi_mul(E, t.P, t.h)) : NULL;

    lg_tensor *T = t.P && (wanted[3] || wanted[4]) ? norm_T(&t) : NULL;
    lg_tensor *by_h = wanted[1] || wanted[2] ? norm_by_h(&t) : NULL;
    lg_tensor *by_x = by_h ? lgi_mul(E, by_h, t.r) : NULL;
    if (wanted[0])
        out[0] = norm_by_g(&t);
    if (wanted[1])
        out[1] = by_x;
    if (wanted[2] && by_x)
        out[2] = lgi_reshape_to(E, lgi_neg(E, channel_sum(E, by_x)), mean);
    if (wanted[3] && (T || t.Q))
        out[3] = lgi_reshape_to(E, norm_by_var(&t, T), mean);
    if (wanted[4] && T)
        out[4] = lgi_reshape_to(E, lgi_mul(E, T, t.r), mean);
    return E->status;
}

const lg_op lgi_op_batch_norm_back = {
    .name = "batch_norm_back", .args = "g, x, mean, var, w?, eps: number = 1e-5",
    .results = "dx, dw, db",
    .doc = "The gradients of batch_norm for x, w and b, from the gradient g of its "
           "result y and from its mean and var.",
    .shape = batch_norm_back_shape, .workspace = batch_norm_workspace,
    .forward = batch_norm_back_forward, .grad = batch_norm_back_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2) | LGI_IN(3) | LGI_IN(4),
    .attr_bytes = sizeof(norm_attr),
    .onto = true, .leads = true,
    .samples = {"4,3; 4,3; 3; 3 positive; 3", "3,2,2,2; 3,2,2,2; 2; 2 positive",
                "2,1,3; 2,1,3; 1; 1 positive; 1; eps=0.01",
                "2,3,1,2,1; 2,3,1,2,1; 3; 3 positive; 3"}};

/* batch_norm_eval: with the statistics given */

static lg_status batch_norm_eval_shape(lg_engine *E, lgi_node *n)
{
    return norm_channels_fit(E, n, n->in[0], 1, 4) < 0 ? E->status : lgi_same_shape(E, n);
}

static size_t batch_norm_eval_workspace(lg_engine *E, const lgi_node *n)
{
    (void)E;
    return (size_t)(2 * n->in[0]->dim[1]) * sizeof(lg_real);
}

static void batch_norm_eval_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *x = n->in[0], *var = n->in[2], *w = n->in[3], *b = n->in[4];
    const norm_attr *t = n->attr;
    lgi_channels s = channels_of(x);
    lg_real *scale = workspace, *add = scale + s.c;
    for (int64_t k = 0; k < s.c; k++) {
        double r = 1 / sqrt((double)var->data[k] + t->eps);
        scale[k] = (lg_real)(w ? (double)w->data[k] * r : r);
        add[k] = b ? b->data[k] : 0;
    }
    lgi_map_channels(E, s, &(lgi_channel_map){NULL, scale, add, n->in[1]->data}, x->data,
                     n->out->data);
}

static lg_status batch_norm_eval_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                      lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *mean = n->in[1], *w = n->in[3];
    const norm_attr *t = n->attr;
    lg_tensor *r = channel_rstd(E, n->in[2], t->eps, x);
    lg_tensor *by_x = NULL;
    if (wanted[0] || wanted[1])
        by_x = lgi_mul(E, g[0], weighed(E, r, w, x));
    if (wanted[0])
        out[0] = by_x;
    if (wanted[1])
        out[1] = lgi_reshape_to(E, lgi_neg(E, channel_sum(E, by_x)), mean);
    if (wanted[2] || wanted[3]) {      /* by w: S(g h); by var: -w r^2 / 2 times that */
        lg_tensor *h = lgi_mul(E, lgi_sub(E, x, per_channel(E, mean, x)), r);
        lg_tensor *s = channel_sum(E, lgi_mul(E, g[0], h));
        lg_tensor *c = lgi_affine(E, lgi_apply1(E, &lgi_op_square, r, NULL), -0.5, 0);
        if (wanted[2])
            out[2] = lgi_reshape_to(E, lgi_mul(E, weighed(E, s, w, x), c), mean);
        if (wanted[3])
            out[3] = lgi_reshape_to(E, s, mean);
    }
    if (wanted[4])
        out[4] = lgi_reshape_to(E, channel_sum(E, g[0]), mean);
    return E->status;
}

const lg_op lgi_op_batch_norm_eval = {
    .name = "batch_norm_eval", .args = "x, mean, var, w?, b?, eps: number = 1e-5",
    .doc = "batch_norm with the statistics given, mean and var {c}, as when a trained "
           "net is used. The result has the shape of x.",
    .shape = batch_norm_eval_shape, .workspace = batch_norm_eval_workspace,
    .forward = batch_norm_eval_forward, .grad = batch_norm_eval_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2) | LGI_IN(3),
    .attr_bytes = sizeof(norm_attr),
    .samples = {"4,3; 3; 3 positive; 3; 3", "3,2,2,2; 2; 2 positive; eps=0.01",
                "0,3; 3; 3 positive", "2,3,1,2,1; 3; 3 positive; 3; 3"}};

const lg_op *const lgi_ops_norm[] = {
    &lgi_op_batch_norm, &lgi_op_batch_norm_back, &lgi_op_batch_norm_eval, NULL};
