/*
 * group_norm.c - normalization of each sample by statistics of its own: of a channel
 * (instance_norm), of a group of channels (group_norm), of the last axes (layer_norm),
 * and of the channels at a place (pixel_norm).
 *
 * The first three are one: x is seen as {n,groups,per,rest}, where the numbers of a group
 * lie side by side, and w and b as {groups,per,1}. Each group is a channel to batch_norm,
 * whose gradient is used: as there, the statistics are results, and nothing is constant.
 */
#include "kernel/elementwise.h"
#include "kernel/reduce.h"
#include "op/norm.h"

#include <math.h>
#include <string.h>

extern const lg_op lgi_op_batch_norm_back, lgi_op_group_weight_back, lgi_op_rsqrt;
extern const lg_op lgi_op_square, lgi_op_mean;

/* At the end of the attributes of each: how shape sees x. */
typedef struct group_view {
    int64_t n, groups, per, rest;
    double eps;
} group_view;

typedef struct instance_attr { double eps; group_view view; } instance_attr;
typedef struct group_attr { int64_t groups; double eps; group_view view; } group_attr;
typedef struct layer_attr { int64_t axes; double eps; group_view view; } layer_attr;

static const group_view *view_of(const lgi_node *n)
{
    const char *end = (const char *)n->attr + n->op->attr_bytes;
    return (const group_view *)(end - sizeof(group_view));
}

/* Without numbers, unless the caller adds them. */
static lg_tensor shaped(int ndim, const int64_t *dim)
{
    lg_tensor like = {.ndim = ndim, .numel = lgi_product_of(dim, ndim)};
    memcpy(like.dim, dim, (size_t)ndim * sizeof *dim);
    return like;
}

static lg_tensor as_groups(const group_view *v)
{
    return shaped(4, (int64_t[]){v->n, v->groups, v->per, v->rest});
}

static lg_tensor as_channels(const group_view *v)
{
    return shaped(3, (int64_t[]){1, v->n * v->groups, v->per * v->rest});
}

static lg_tensor as_weights(const group_view *v)
{
    return shaped(3, (int64_t[]){v->groups, v->per, 1});
}

/* w and b, if there, have these axes; and the shapes of the results. */
static lg_status grouped_shape(lg_engine *E, lgi_node *n, group_view *v, int ndim,
                               const int64_t *dim, const char *what)
{
    lg_tensor like = shaped(ndim, dim);
    char name[16];
    for (int i = 1; i <= 2; i++)
        if (n->in[i] && !lgi_same_dims(n->in[i], &like))
            return lgi_fail(E, LG_ESHAPE, "%s: %s must be %s, a number for each %s of x "
                            "%s, and is %s", n->op->name, lgi_input_name(n, i, name),
                            LGI_SHAPE(&like), what, LGI_SHAPE(n->in[0]),
                            LGI_SHAPE(n->in[i]));
    if (lgi_need_number(E, n, "eps", v->eps, 0, INFINITY) < 0
        || lgi_like(&n->out[0], n->in[0]) < 0)
        return E->status;
    lgi_set_shape(&n->out[1], 1, v->n * v->groups);
    return lgi_set_shape(&n->out[2], 1, v->n * v->groups);
}

static lgi_channels channels_of_groups(const group_view *v)
{
    return (lgi_channels){1, v->n * v->groups, v->per * v->rest};
}

static size_t grouped_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_channels s = channels_of_groups(view_of(n));
    (void)E;
    return (size_t)(lgi_channel_scratch(s) + s.c) * sizeof(double)
           + (size_t)s.c * sizeof(lg_real);
}

/* (x - mean) r w + b. A row is within a group, except where groups have one number. */
LGI_ALWAYS_INLINE void grouped_loop_any(LGI_LOOP_ARGS)
{
    const lg_real *x = from[0], *mean = from[1], *r = from[2], *w = from[3], *b = from[4];
    const int64_t sm = step[1], sw = step[3], sb = step[4];
    (void)params;
    if (sm == 0 && sw == 0 && sb == 0)
        for (int64_t i = 0; i < n; i++)
            to[i] = (x[i] - *mean) * *r * *w + *b;
    else if (sm == 0 && sw == 1 && sb == 1)
        for (int64_t i = 0; i < n; i++)
            to[i] = (x[i] - *mean) * *r * w[i] + b[i];
    else
        for (int64_t i = 0; i < n; i++)
            to[i] = (x[i] - mean[i * sm]) * r[i * sm] * w[i * sw] + b[i * sb];
}

LGI_LOOP(grouped_loop)
LGI_WIDE(grouped_loop)

static void grouped_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const group_view *v = view_of(n);
    lgi_channels s = channels_of_groups(v);
    double *moments = workspace;
    lg_real *rstd = (lg_real *)(moments + lgi_channel_scratch(s) + s.c);
    lg_real one = 1, zero = 0;

    lgi_channel_moments(E, s, n->in[0]->data, moments);
    for (int64_t k = 0; k < s.c; k++) {
        n->out[1].data[k] = (lg_real)moments[k];
        n->out[2].data[k] = (lg_real)moments[s.c + k];
        rstd[k] = (lg_real)(1 / sqrt(moments[s.c + k] + v->eps));
    }
    lg_tensor y = as_groups(v), x = y, w = {.data = &one}, b = {.data = &zero};
    lg_tensor mean = shaped(4, (int64_t[]){v->n, v->groups, 1, 1}), r = mean;
    for (int i = 1; i <= 2; i++)
        if (n->in[i]) {
            *(i == 1 ? &w : &b) = as_weights(v);
            (i == 1 ? &w : &b)->data = n->in[i]->data;
        }
    x.data = n->in[0]->data;
    y.data = n->out->data;
    mean.data = n->out[1].data;
    r.data = rstd;
    lgi_map(E, LGI_WIDEST(E, grouped_loop), &y, 5,
            (lg_tensor *[]){&x, &mean, &r, &w, &b}, NULL);
}

/* By x: batch_norm_back of g w, and what comes through the statistics. */
static lg_tensor *grouped_by_x(lg_engine *E, const lgi_node *n, lg_tensor *g4,
                               lg_tensor **g)
{
    const group_view *v = view_of(n);
    lg_tensor channels = as_channels(v), weights = as_weights(v);
    lg_tensor *mean = &n->out[1], *var = &n->out[2], *by_x = NULL;
    lg_tensor *x3 = lgi_reshape_to(E, n->in[0], &channels);
    if (g4) {
        lg_tensor *w = n->in[1] ? lgi_reshape_to(E, n->in[1], &weights) : NULL;
        lg_tensor *gh = lgi_reshape_to(E, w ? lgi_mul(E, g4, w) : g4, &channels);
        lg_tensor *in[] = {gh, x3, mean, var, NULL};
        if (gh && x3)
            by_x = lgi_apply(E, &lgi_op_batch_norm_back, 5, in, &v->eps);
    }
    if (g[1] || g[2]) {
        lg_tensor *more = lgi_norm_by_statistics(E, x3, mean, g[1], g[2]);
        by_x = by_x ? lgi_add(E, by_x, more) : more;
    }
    return lgi_reshape_to(E, by_x, n->in[0]);
}

static lg_status grouped_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out)
{
    const group_view *v = view_of(n);
    lg_tensor groups = as_groups(v);
    lg_tensor *g4 = g[0] ? lgi_reshape_to(E, g[0], &groups) : NULL;
    if (n->in[0]->numel == 0)
        return E->status;
    if (wanted[0])
        out[0] = grouped_by_x(E, n, g4, g);
    if ((wanted[1] || wanted[2]) && g4) {
        lg_tensor flat = shaped(3, (int64_t[]){v->n, v->groups * v->per, v->rest});
        lg_tensor *in[] = {lgi_reshape_to(E, g4, &flat),
                           lgi_reshape_to(E, n->in[0], &flat), &n->out[1], &n->out[2]};
        lgi_group_weight attr = {v->groups, v->eps};
        lg_tensor *d = in[0] && in[1]
                           ? lgi_apply(E, &lgi_op_group_weight_back, 4, in, &attr) : NULL;
        for (int i = 1; i <= 2; i++)
            out[i] = wanted[i] && d ? lgi_reshape_to(E, &d[i - 1], n->in[i]) : NULL;
    }
    return E->status;
}

#define GROUPED_NEEDS (LGI_IN(0) | LGI_IN(1) | LGI_OUT(1) | LGI_OUT(2))
#define GROUPED_DOC " normalized: (x - mean) / sqrt(var + eps) * w + b, where var is "   \
    "the biased variance. The result has the shape of x; of one number it is b."

static lg_status need_channels(lg_engine *E, const lgi_node *n, int least)
{
    if (n->in[0]->ndim >= least)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: x must have the axes n, c and %s, and is %s",
                    n->op->name, least == 3 ? "one or more for the places" : "maybe more",
                    LGI_SHAPE(n->in[0]));
}

/* instance_norm: channels are groups by themselves, and in the caches one by one */

static size_t instance_norm_workspace(lg_engine *E, const lgi_node *n)
{
    (void)E;
    return lgi_norm_scratch(channels_of_groups(view_of(n)));
}

static void instance_norm_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const group_view *v = view_of(n);
    if (n->out->numel > 0)
        lgi_forward_norm(E, n, channels_of_groups(v), v->groups, v->eps, workspace);
    else
        grouped_forward(E, n, workspace);
}

static lg_status instance_norm_shape(lg_engine *E, lgi_node *n)
{
    instance_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    if (need_channels(E, n, 3) < 0)
        return E->status;
    t->view = (group_view){x->dim[0], x->dim[1], 1,
                           lgi_product_of(x->dim + 2, x->ndim - 2), t->eps};
    return grouped_shape(E, n, &t->view, 1, x->dim + 1, "channel (axis 2)");
}

const lg_op lgi_op_instance_norm = {
    .name = "instance_norm", .args = "x, w?, b?, eps: number = 1e-5",
    .results = "y; mean, var",
    .doc = "Each channel of each sample of x {n,c,...}" GROUPED_DOC " w and b are {c} "
           "(Ulyanov et al. 2016).",
    .shape = instance_norm_shape, .workspace = instance_norm_workspace,
    .forward = instance_norm_forward, .grad = grouped_grad, .needs = GROUPED_NEEDS,
    .attr_bytes = sizeof(instance_attr), .leads = true,
    .samples = {"2,3,4; 3; 3", "2,2,2,3; 2; none; eps=0.01", "3,2,2; none; 2", "1,1,3",
                "2,3,1; 3; 3", "0,3,2; 3; 3", "2,3,0; 3", "2,2,1,2,2; 2; 2"}};

/* group_norm */

static lg_status group_norm_shape(lg_engine *E, lgi_node *n)
{
    group_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    if (need_channels(E, n, 2) < 0)
        return E->status;
    if (t->groups < 1 || x->dim[1] % t->groups)
        return lgi_fail(E, LG_ESHAPE, "%s: groups is %lld, and must divide the %lld "
                        "channels (axis 2) of x %s", n->op->name, (long long)t->groups,
                        (long long)x->dim[1], LGI_SHAPE(x));
    t->view = (group_view){x->dim[0], t->groups, x->dim[1] / t->groups,
                           lgi_product_of(x->dim + 2, x->ndim - 2), t->eps};
    return grouped_shape(E, n, &t->view, 1, x->dim + 1, "channel (axis 2)");
}

const lg_op lgi_op_group_norm = {
    .name = "group_norm", .args = "x, w?, b?, groups: whole, eps: number = 1e-5",
    .results = "y; mean, var",
    .doc = "Each of the groups of neighboring channels of each sample of x {n,c,...}"
           GROUPED_DOC " groups divides c; w and b are {c} (Wu and He 2018).",
    .shape = group_norm_shape, .workspace = grouped_workspace,
    .forward = grouped_forward, .grad = grouped_grad, .needs = GROUPED_NEEDS,
    .attr_bytes = sizeof(group_attr),
    .samples = {"2,4; 4; 4; groups=2", "2,4,3; 4; none; groups=2, eps=0.01",
                "2,3,2; none; 3; groups=1", "1,3,2,2; groups=3", "0,4; 4; 4; groups=2",
                "2,0; groups=2", "2,1,2; 1; 1; groups=1", "2,4,1,2,1; 4; 4; groups=2"}};

/* layer_norm */

static lg_status layer_norm_shape(lg_engine *E, lgi_node *n)
{
    layer_attr *t = n->attr;
    const lg_tensor *x = n->in[0], *like = n->in[1] ? n->in[1] : n->in[2];
    if (t->axes == 0)
        t->axes = like && like->ndim ? like->ndim : 1;
    if (t->axes < 1 || t->axes > x->ndim)
        return lgi_fail(E, LG_ESHAPE, "%s: it is over the last %lld axes, and x is %s; "
                        "axes must be from 1 to the number of its axes", n->op->name,
                        (long long)t->axes, LGI_SHAPE(x));
    int outer = x->ndim - (int)t->axes;
    t->view = (group_view){lgi_product_of(x->dim, outer), 1,
                           lgi_product_of(x->dim + outer, (int)t->axes), 1, t->eps};
    return grouped_shape(E, n, &t->view, (int)t->axes, x->dim + outer,
                         "place of the last axes");
}

const lg_op lgi_op_layer_norm = {
    .name = "layer_norm", .args = "x, w?, b?, axes: whole = 0, eps: number = 1e-5",
    .results = "y; mean, var",
    .doc = "The numbers of the last axes of x, together," GROUPED_DOC " axes is how many "
           "they are: if 0, as many as w has (or b), or one without them. w and b have "
           "the shape of these axes (Ba et al. 2016).",
    .shape = layer_norm_shape, .workspace = grouped_workspace,
    .forward = grouped_forward, .grad = grouped_grad, .needs = GROUPED_NEEDS,
    .attr_bytes = sizeof(layer_attr),
    .samples = {"2,4; 4; 4", "2,2,3; 2,3; none; eps=0.01", "2,3,2; none; 2", "3",
                "2,2,2; axes=2", "0,3; 3; 3", "2,0; 0; 0",
                "1,2,1,2,3; 2,3; 2,3; axes=2"}};

/* pixel_norm: x r, where r = 1 / sqrt(A(x^2) + eps), and A is the mean along axis 2 */

typedef struct pixel_attr { double eps; } pixel_attr;

static lg_status pixel_norm_shape(lg_engine *E, lgi_node *n)
{
    const pixel_attr *t = n->attr;
    if (need_channels(E, n, 2) < 0
        || lgi_need_number(E, n, "eps", t->eps, 0, INFINITY) < 0)
        return E->status;
    return lgi_same_shape(E, n);
}

static lg_tensor one_channel(const lg_tensor *x)
{
    lg_tensor t = shaped(x->ndim, x->dim);
    t.dim[1] = 1;
    t.numel = lgi_product_of(t.dim, t.ndim);
    return t;
}

static size_t pixel_norm_workspace(lg_engine *E, const lgi_node *n)
{
    (void)E;
    return lgi_reduce_bytes(n->in[0], 2)
           + (size_t)one_channel(n->in[0]).numel * sizeof(lg_real);
}

/* 1 / sqrt(total + eps c), which is what is left after multiplying by sqrt(c) */
LGI_FINISH(rstd_of, 1 / sqrt(t + p))

LGI_LOOP2(pixel_norm_loop, double, a * b * (lg_real)*p)

static void pixel_norm_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const pixel_attr *t = n->attr;
    const lg_tensor *x = n->in[0];
    lg_tensor r = one_channel(x);
    double count = (double)x->dim[1], root = sqrt(count), *total = workspace;
    if (x->numel == 0)
        return;
    r.data = (lg_real *)((char *)workspace + lgi_reduce_bytes(x, 2));
    lgi_reduce(E, LGI_SUM_SQUARES, x, 2, NULL, total);
    lgi_finish_totals(E, rstd_of, t->eps * count, total, r.data, r.numel);
    lgi_map(E, pixel_norm_loop, n->out, 2, (lg_tensor *[]){n->in[0], &r}, &root);
}

/* r (g - h A(g h)), with h = x r */
static lg_status pixel_norm_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                 lg_tensor **g, lg_tensor **out)
{
    const pixel_attr *t = n->attr;
    const struct { lgi_list dims; int64_t keepdim; double unused; } along =
        {{.n = 1, .at = {2}}, 1, 0};
    lg_tensor *x = n->in[0];
    if (!wanted[0])
        return LG_OK;
    lg_tensor *x2 = lgi_apply1(E, &lgi_op_square, x, NULL);
    lg_tensor *mean = lgi_affine(E, lgi_apply1(E, &lgi_op_mean, x2, &along), 1, t->eps);
    lg_tensor *r = lgi_apply1(E, &lgi_op_rsqrt, mean, NULL), *h = lgi_mul(E, x, r);
    lg_tensor *gh = lgi_apply1(E, &lgi_op_mean, lgi_mul(E, g[0], h), &along);
    out[0] = lgi_mul(E, r, lgi_sub(E, g[0], lgi_mul(E, h, gh)));
    return E->status;
}

const lg_op lgi_op_pixel_norm = {
    .name = "pixel_norm", .args = "x, eps: number = 1e-8",
    .doc = "x {n,c,...} divided by sqrt(mean(x^2) + eps), the mean over its channels, "
           "axis 2: the vector of channels at each place gets the length sqrt(c) (Karras "
           "et al. 2018). The result has the shape of x.",
    .shape = pixel_norm_shape, .workspace = pixel_norm_workspace,
    .forward = pixel_norm_forward, .grad = pixel_norm_grad, .needs = LGI_IN(0),
    .attr_bytes = sizeof(pixel_attr),
    .samples = {"2,3; eps=0.1", "2,3,2,2", "2,1 away", "1,2,3", "0,3", "2,0",
                "2,2,1,2,1"}};

const lg_op *const lgi_ops_group_norm[] = {
    &lgi_op_instance_norm, &lgi_op_group_norm, &lgi_op_layer_norm, &lgi_op_pixel_norm,
    NULL};
