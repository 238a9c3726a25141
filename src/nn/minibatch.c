/*
 * minibatch.c - MinibatchStd and MinibatchDiscrimination: what a discriminator may know
 * of the other samples of its batch, so that a generator that makes one picture only is
 * found out.
 */
#include "nn/norm.h"

extern const lg_op lgi_op_reshape, lgi_op_expand, lgi_op_cat, lgi_op_var, lgi_op_mean;
extern const lg_op lgi_op_sqrt, lgi_op_abs, lgi_op_sum, lgi_op_exp, lgi_op_linear;

typedef struct over_axis { lgi_list dims; int64_t keepdim; double correction; } over_axis;

/* MinibatchStd */

typedef struct minibatch_std_options { int64_t group, channels; } minibatch_std_options;

static lg_status minibatch_std_check(lg_engine *E, const lgi_layer *l)
{
    const minibatch_std_options *o = l->attr;
    if (lgi_layer_need(E, l, "group", o->group, 0) < 0)
        return E->status;
    return lgi_layer_need(E, l, "channels", o->channels, 1);
}

/* Samples in a group: as many as there are, if they are fewer. */
static int64_t group_size(const minibatch_std_options *o, const lg_tensor *x)
{
    return o->group && o->group < x->dim[0] ? o->group : x->dim[0];
}

static lg_status minibatch_std_check_input(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const minibatch_std_options *o = l->attr;
    if (lgi_need_channels(E, l, x, 2, LG_MAX_DIM, "{batch,channels,...}", 0) < 0)
        return E->status;
    if (x->numel && x->dim[0] % group_size(o, x))
        return lgi_layer_fail(E, LG_ESHAPE, l, "group, %lld, must divide the batch, "
                              "which is %lld in %s; group = 0 takes the whole batch",
                              (long long)o->group, (long long)x->dim[0], LGI_SHAPE(x));
    if (x->dim[1] % o->channels)
        return lgi_layer_fail(E, LG_ESHAPE, l, "channels, %lld, must divide the input "
                              "channels, %lld in %s", (long long)o->channels,
                              (long long)x->dim[1], LGI_SHAPE(x));
    return LG_OK;
}

/* Samples k, k + batch/group, ... are a group. y: group,groups,channels,numbers */
static lg_tensor *mean_deviation(lg_engine *E, lg_tensor *y)
{
    const over_axis samples = {{1, {1}}, 1, 0}, numbers = {{1, {4}}, 1, 0};
    lg_tensor *var = lgi_apply1(E, &lgi_op_var, y, &samples);
    lg_tensor *std = lgi_apply1(E, &lgi_op_sqrt, lgi_affine(E, var, 1, 1e-8), NULL);
    return lgi_apply1(E, &lgi_op_mean, std, &numbers);         /* 1,groups,channels,1 */
}

static lg_tensor *minibatch_std_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const minibatch_std_options *o = l->attr;
    if (minibatch_std_check_input(E, l, x) < 0)
        return NULL;
    lgi_list more = {x->ndim, {x->dim[0], o->channels}};
    for (int i = 2; i < x->ndim; i++)
        more.at[i] = x->dim[i];
    if (x->numel == 0) {               /* of no samples there is no deviation */
        lg_tensor *none = lg_zeros(E, x->ndim, more.at);
        return none ? lgi_apply(E, &lgi_op_cat, 2, (lg_tensor *[]){x, none},
                                &(int64_t){2}) : NULL;
    }
    int64_t group = group_size(o, x), groups = x->dim[0] / group, c = o->channels;
    int64_t each = x->numel / x->dim[0], places = each / x->dim[1];
    lg_tensor *y = lgi_apply1(E, &lgi_op_reshape, x,
                              &(lgi_list){4, {group, groups, c, each / c}});
    lg_tensor *all = lgi_apply1(E, &lgi_op_expand, mean_deviation(E, y),
                                &(lgi_list){4, {group, groups, c, places}});
    lg_tensor *last = lgi_apply1(E, &lgi_op_reshape, all, &more);
    return last ? lgi_apply(E, &lgi_op_cat, 2, (lg_tensor *[]){x, last}, &(int64_t){2})
                : NULL;
}

static const lgi_layer_type minibatch_std_layer = {
    .name = "MinibatchStd", .args = "group: whole = 4, channels: whole = 1",
    .doc = "x {n,c,...} with more channels that say how much the samples of a group "
           "differ: {n,c+channels,...} (Karras et al. 2018). The standard deviation over "
           "a group, sqrt(var + 1e-8), is averaged over the places and over c/channels "
           "channels. A group has group samples, k, k + n/group, ..., or the whole batch "
           "if that is smaller or group is 0; group must divide n, and channels c.",
    .attr_bytes = sizeof(minibatch_std_options), .check = minibatch_std_check,
    .build = minibatch_std_check_input, .forward = minibatch_std_forward,
    .samples = {"4,3,2,2; group=2", "3,2,2", "2,4; channels=2", "3,2,1,2; group=0"}};

/* MinibatchDiscrimination */

typedef struct discrimination_options {
    int64_t out, kernel_dim;
    lgi_weight_options weight;
} discrimination_options;

static lg_status discrimination_check(lg_engine *E, const lgi_layer *l)
{
    const discrimination_options *o = l->attr;
    if (lgi_layer_need(E, l, "out", o->out, 1) < 0
        || lgi_layer_need(E, l, "kernel_dim", o->kernel_dim, 1) < 0)
        return E->status;
    if (o->out > LGI_MAX_NUMEL / o->kernel_dim)
        return lgi_layer_fail(E, LG_EARG, l, "out, %lld, times kernel_dim, %lld, is too "
                              "much", (long long)o->out, (long long)o->kernel_dim);
    return lgi_check_weight(E, l, &o->weight);
}

static lg_status discrimination_check_input(lg_engine *E, const lgi_layer *l,
                                            const lg_tensor *x)
{
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* out*kernel_dim,in */
    if (x->ndim == 2 && (!w || w->dim[1] == x->dim[1]))
        return LG_OK;
    if (x->ndim == 2)
        return lgi_layer_fail(E, LG_ESHAPE, l, "was built for %lld input features, got "
                              "%lld in %s; a layer keeps the sizes of its first input",
                              (long long)w->dim[1], (long long)x->dim[1], LGI_SHAPE(x));
    return lgi_layer_fail(E, LG_ESHAPE, l, "expected {batch,features}, got %s; %s",
                          LGI_SHAPE(x), x->ndim > 2 ? "put \"flatten\" before it"
                          : "the first axis is the batch");
}

static lg_status discrimination_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const discrimination_options *o = l->attr;
    if (discrimination_check_input(E, l, x) < 0)
        return E->status;
    int64_t dim[] = {o->out * o->kernel_dim, x->dim[1]};
    return lgi_declare_weight(E, l, "weight", &o->weight, 0, 2, dim, dim[1], dim[0]);
}

static lg_tensor *discrimination_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const discrimination_options *o = l->attr;
    const over_axis within = {{1, {4}}, 0, 0}, others = {{1, {2}}, 0, 0};
    int64_t n = x->ndim ? x->dim[0] : 0;
    if (discrimination_check_input(E, l, x) < 0)
        return NULL;
    lg_tensor *w = lgi_weight(E, l, "weight", &o->weight, 0);
    lg_tensor *m = w ? lgi_apply_layer_op(E, l, 3, (lg_tensor *[]){x, w, NULL}) : NULL;
    lg_tensor *a = lgi_apply1(E, &lgi_op_reshape, m,
                              &(lgi_list){4, {n, 1, o->out, o->kernel_dim}});
    lg_tensor *b = lgi_apply1(E, &lgi_op_reshape, m,
                              &(lgi_list){4, {1, n, o->out, o->kernel_dim}});
    lg_tensor *far = lgi_apply1(E, &lgi_op_abs, lgi_sub(E, a, b), NULL);
    lg_tensor *distance = lgi_apply1(E, &lgi_op_sum, far, &within);    /* n,n,out */
    lg_tensor *near = lgi_apply1(E, &lgi_op_exp, lgi_neg(E, distance), NULL);
    lg_tensor *sum = lgi_apply1(E, &lgi_op_sum, near, &others);        /* n,out */
    return sum ? lgi_apply(E, &lgi_op_cat, 2, (lg_tensor *[]){x, sum}, &(int64_t){2})
               : NULL;
}

static const lgi_layer_type minibatch_discrimination_layer = {
    .name = "MinibatchDiscrimination",
    .args = "out: whole, kernel_dim: whole = 5, " LGI_WEIGHT_OPTIONS,
    .doc = "x {n,features} with out more features, which say how near the sample is to "
           "the others of the batch: {n,features+out} (Salimans et al. 2016). The weight "
           "{out kernel_dim, features} makes of each sample out rows of kernel_dim "
           "numbers; feature b of sample i is the sum over all samples j, itself "
           "included, of exp(-|M_ib - M_jb|), the 1-norm. The weight begins as Linear's. "
           LGI_WEIGHT_DOC,
    .attr_bytes = sizeof(discrimination_options), .op = &lgi_op_linear,
    .check = discrimination_check, .build = discrimination_build,
    .forward = discrimination_forward,
    .samples = {"3,4; out=2", "4,2; out=3, kernel_dim=2", "1,2; out=2, kernel_dim=1",
                "3,4; out=2, weight_norm=true"}};

const lgi_layer_type *const lgi_layers_minibatch[] = {
    &minibatch_std_layer, &minibatch_discrimination_layer, NULL};
