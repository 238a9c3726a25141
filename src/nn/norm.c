/*
 * norm.c - normalizations: by the batch, with running statistics for later use, by each
 * sample's channels, groups of channels or all numbers, and at each place.
 */
#include "nn/norm.h"

#include <string.h>

extern const lg_op lgi_op_batch_norm, lgi_op_batch_norm_eval, lgi_op_instance_norm;
extern const lg_op lgi_op_group_norm, lgi_op_layer_norm, lgi_op_pixel_norm;

lg_status lgi_need_channels(lg_engine *E, const lgi_layer *l, const lg_tensor *x,
                            int least, int most, const char *axes, int64_t built)
{
    if (x->ndim < least || x->ndim > most || x->dim[1] == 0)
        return lgi_layer_fail(E, LG_ESHAPE, l, "expected %s, got %s", axes, LGI_SHAPE(x));
    if (built && x->dim[1] != built)
        return lgi_layer_fail(E, LG_ESHAPE, l, "was built for %lld input channels, got "
                              "%lld in %s; a layer keeps the sizes of its first input",
                              (long long)built, (long long)x->dim[1], LGI_SHAPE(x));
    return LG_OK;
}

lg_status lgi_check_eps(lg_engine *E, const lgi_layer *l, double eps)
{
    if (eps >= 0)
        return LG_OK;
    return lgi_layer_fail(E, LG_EARG, l, "eps must be 0 or more, not %g", eps);
}

lg_status lgi_check_momentum(lg_engine *E, const lgi_layer *l, double momentum)
{
    if (momentum >= 0 && momentum <= 1)
        return LG_OK;
    return lgi_layer_fail(E, LG_EARG, l, "momentum must be from 0 to 1, not %g",
                          momentum);
}

static lg_status declare_affine(lg_engine *E, lgi_layer *l, int ndim, const int64_t *dim)
{
    int64_t n = lgi_product_of(dim, ndim);
    if (lgi_declare(E, l, "weight", ndim, dim, "ones", n, n) < 0)
        return E->status;
    return lgi_declare(E, l, "bias", ndim, dim, "zeros", n, n);
}

/* Running statistics */

lg_status lgi_declare_running(lg_engine *E, lgi_layer *l, int64_t c)
{
    if (lgi_declare_buffer(E, l, "running_mean", 1, &c, 0) < 0)
        return E->status;
    return lgi_declare_buffer(E, l, "running_var", 1, &c, 1);
}

/* mean and var: n,c. The average over n, for each channel. */
static double average_at(const lg_tensor *t, int64_t n, int64_t c, int64_t k)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)t->data[i * c + k];
    return sum / (double)n;
}

/* Moves them towards those of a batch. No history of training reads them, so that a walk
 * in flight does not mind. count: the numbers of which each variance is. */
static void move_running(lgi_layer *l, double momentum, int64_t n, double count,
                         const lg_tensor *mean, const lg_tensor *var)
{
    lg_tensor *to_mean = lgi_layer_param(l, "running_mean");
    lg_tensor *to_var = lgi_layer_param(l, "running_var");
    double unbiased = count / (count - 1);
    int64_t c = to_mean->dim[0];
    for (int64_t k = 0; k < c; k++) {
        double was_mean = (double)to_mean->data[k], was_var = (double)to_var->data[k];
        to_mean->data[k] = (lg_real)((1 - momentum) * was_mean
                                     + momentum * average_at(mean, n, c, k));
        to_var->data[k] = (lg_real)((1 - momentum) * was_var
                                    + momentum * average_at(var, n, c, k) * unbiased);
    }
    to_mean->buffer->version++;
    to_var->buffer->version++;
}

/* eps comes first in the attributes of batch_norm and instance_norm, too. */
static lg_tensor *by_running(lg_engine *E, const lgi_layer *l, lg_tensor *x, lg_tensor *w,
                             lg_tensor *b)
{
    lg_tensor *in[] = {x, lgi_layer_param(l, "running_mean"),
                       lgi_layer_param(l, "running_var"), w, b};
    for (int i = 1; i <= 2 && E->noted && !E->recording; i++)
        lgi_note_tensor(E, E->noted, in[i]);   /* a change before the walk is noticed */
    return lgi_apply(E, &lgi_op_batch_norm_eval, 5, in, l->op_attr);
}

static lg_tensor *by_sample(lg_engine *E, const lgi_layer *l, lg_tensor *x)
{
    lg_tensor *in[] = {x, lgi_layer_param(l, "weight"), lgi_layer_param(l, "bias")};
    return lgi_apply_layer_op(E, l, 3, in);
}

/* BatchNorm */

typedef struct batch_norm_options {
    double eps, momentum;
    int64_t affine;
} batch_norm_options;

static lg_status batch_norm_check(lg_engine *E, const lgi_layer *l)
{
    const batch_norm_options *o = l->attr;
    if (lgi_check_eps(E, l, o->eps) < 0)
        return E->status;
    return lgi_check_momentum(E, l, o->momentum);
}

lg_status lgi_check_batch(lg_engine *E, const lgi_layer *l, const lg_tensor *x)
{
    const lg_tensor *mean = lgi_layer_param(l, "running_mean");        /* c */
    if (lgi_need_channels(E, l, x, 2, LG_MAX_DIM, "{batch,channels,...}",
                          mean ? mean->dim[0] : 0) < 0)
        return E->status;
    if (l->training && x->numel <= x->dim[1])
        return lgi_layer_fail(E, LG_ESHAPE, l, "%s has %s a channel, and in training "
                              "the variance needs two; use a larger batch, or :eval()",
                              LGI_SHAPE(x), x->numel ? "one number" : "no numbers");
    return LG_OK;
}

static lg_status batch_norm_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const batch_norm_options *o = l->attr;
    if (lgi_check_batch(E, l, x) < 0
        || (o->affine && declare_affine(E, l, 1, x->dim + 1) < 0))
        return E->status;
    return lgi_declare_running(E, l, x->dim[1]);
}

lg_tensor *lgi_normalize_batch(lg_engine *E, lgi_layer *l, lg_tensor *x, double momentum,
                               lg_tensor *w, lg_tensor *b)
{
    if (!l->training)
        return by_running(E, l, x, w, b);
    lg_tensor *y = lgi_apply_layer_op(E, l, 3, (lg_tensor *[]){x, w, b});
    if (y && !E->replaying)            /* its results are y, mean, var */
        move_running(l, momentum, 1, (double)(x->numel / x->dim[1]), &y[1], &y[2]);
    return y;
}

static lg_tensor *batch_norm_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const batch_norm_options *o = l->attr;
    if (lgi_check_batch(E, l, x) < 0)
        return NULL;
    return lgi_normalize_batch(E, l, x, o->momentum, lgi_layer_param(l, "weight"),
                               lgi_layer_param(l, "bias"));
}

/* InstanceNorm */

typedef struct instance_norm_options {
    double eps, momentum;
    int64_t affine, track_running_stats;
} instance_norm_options;

static lg_status instance_norm_check(lg_engine *E, const lgi_layer *l)
{
    const instance_norm_options *o = l->attr;
    if (lgi_check_eps(E, l, o->eps) < 0)
        return E->status;
    return lgi_check_momentum(E, l, o->momentum);
}

static bool uses_running(const lgi_layer *l)
{
    const instance_norm_options *o = l->attr;
    return o->track_running_stats && !l->training;
}

static lg_status instance_norm_check_input(lg_engine *E, const lgi_layer *l,
                                           const lg_tensor *x)
{
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* c */
    const lg_tensor *known = w ? w : lgi_layer_param(l, "running_mean");
    if (lgi_need_channels(E, l, x, 3, LG_MAX_DIM, "{batch,channels,...}",
                          known ? known->dim[0] : 0) < 0)
        return E->status;
    if (!uses_running(l) && x->numel > 0 && x->numel == x->dim[0] * x->dim[1])
        return lgi_layer_fail(E, LG_ESHAPE, l, "%s has one number a channel of a sample, "
                              "and its variance needs two; leave this norm out where "
                              "images are 1x1", LGI_SHAPE(x));
    return LG_OK;
}

static lg_status instance_norm_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const instance_norm_options *o = l->attr;
    if (instance_norm_check_input(E, l, x) < 0
        || (o->affine && declare_affine(E, l, 1, x->dim + 1) < 0))
        return E->status;
    return o->track_running_stats ? lgi_declare_running(E, l, x->dim[1]) : LG_OK;
}

static lg_tensor *instance_norm_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    const instance_norm_options *o = l->attr;
    if (instance_norm_check_input(E, l, x) < 0)
        return NULL;
    if (uses_running(l))
        return by_running(E, l, x, lgi_layer_param(l, "weight"),
                          lgi_layer_param(l, "bias"));
    lg_tensor *y = by_sample(E, l, x); /* its results are y, mean, var */
    int64_t rows = x->dim[0] * x->dim[1];
    if (y && o->track_running_stats && x->numel && !E->replaying)
        move_running(l, o->momentum, x->dim[0], (double)(x->numel / rows), &y[1], &y[2]);
    return y;
}

/* LayerNorm */

typedef struct layer_norm_options {
    int64_t axes;
    double eps;
    int64_t affine;
} layer_norm_options;

static lg_status layer_norm_check(lg_engine *E, const lgi_layer *l)
{
    const layer_norm_options *o = l->attr;
    if (lgi_check_eps(E, l, o->eps) < 0 || lgi_layer_need(E, l, "axes", o->axes, 0) < 0)
        return E->status;
    if (o->axes < LG_MAX_DIM)
        return LG_OK;
    return lgi_layer_fail(E, LG_EARG, l, "axes must be %d or less, not %lld",
                          LG_MAX_DIM - 1, (long long)o->axes);
}

/* Of {n,f} and {n,l,f} the last axis, of images all that a sample has. */
static int64_t normalized_axes(const lgi_layer *l, const lg_tensor *x)
{
    const layer_norm_options *o = l->attr;
    return o->axes ? o->axes : x->ndim > 3 ? x->ndim - 1 : 1;
}

static lg_status layer_norm_check_input(lg_engine *E, const lgi_layer *l,
                                        const lg_tensor *x)
{
    const lg_tensor *w = lgi_layer_param(l, "weight");
    int64_t axes = normalized_axes(l, x);
    char built[LGI_SHAPE_TEXT];
    if (x->ndim <= axes)
        return lgi_layer_fail(E, LG_ESHAPE, l, "expected the batch and %lld more ax%ss, "
                              "got %s", (long long)axes, axes == 1 ? "i" : "e",
                              LGI_SHAPE(x));
    if (w && (w->ndim != axes || memcmp(w->dim, x->dim + x->ndim - axes,
                                        (size_t)axes * sizeof *w->dim)))
        return lgi_layer_fail(E, LG_ESHAPE, l, "was built for inputs that end in %s, got "
                              "%s; a layer keeps the sizes of its first input",
                              lgi_shape(w, built), LGI_SHAPE(x));
    return LG_OK;
}

static lg_status layer_norm_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const layer_norm_options *o = l->attr;
    int axes = (int)normalized_axes(l, x);
    if (layer_norm_check_input(E, l, x) < 0)
        return E->status;
    return o->affine ? declare_affine(E, l, axes, x->dim + x->ndim - axes) : LG_OK;
}

static lg_tensor *layer_norm_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES];
    if (layer_norm_check_input(E, l, x) < 0)
        return NULL;
    memcpy(attr, l->op_attr, lgi_op_layer_norm.attr_bytes);
    *(int64_t *)attr = normalized_axes(l, x);          /* axes come first in both */
    lg_tensor *in[] = {x, lgi_layer_param(l, "weight"), lgi_layer_param(l, "bias")};
    return lgi_apply(E, &lgi_op_layer_norm, 3, in, attr);
}

/* GroupNorm */

typedef struct group_norm_options {
    int64_t groups;
    double eps;
    int64_t affine;
} group_norm_options;

static lg_status group_norm_check(lg_engine *E, const lgi_layer *l)
{
    const group_norm_options *o = l->attr;
    if (lgi_layer_need(E, l, "groups", o->groups, 1) < 0)
        return E->status;
    return lgi_check_eps(E, l, o->eps);
}

static lg_status group_norm_check_input(lg_engine *E, const lgi_layer *l,
                                        const lg_tensor *x)
{
    const group_norm_options *o = l->attr;
    const lg_tensor *w = lgi_layer_param(l, "weight");         /* c */
    if (lgi_need_channels(E, l, x, 2, LG_MAX_DIM, "{batch,channels,...}",
                          w ? w->dim[0] : 0) < 0)
        return E->status;
    if (x->dim[1] % o->groups)
        return lgi_layer_fail(E, LG_ESHAPE, l, "groups, %lld, must divide the input "
                              "channels, %lld in %s", (long long)o->groups,
                              (long long)x->dim[1], LGI_SHAPE(x));
    return LG_OK;
}

static lg_status group_norm_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const group_norm_options *o = l->attr;
    if (group_norm_check_input(E, l, x) < 0)
        return E->status;
    return o->affine ? declare_affine(E, l, 1, x->dim + 1) : LG_OK;
}

static lg_tensor *group_norm_layer_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    return group_norm_check_input(E, l, x) < 0 ? NULL : by_sample(E, l, x);
}

/* PixelNorm */

static lg_status pixel_norm_check(lg_engine *E, const lgi_layer *l)
{
    const double *eps = l->attr;
    return lgi_check_eps(E, l, *eps);
}

static const lgi_layer_type batch_norm_layer = {
    .name = "BatchNorm",
    .args = "eps: number = 1e-5, momentum: number = 0.1, affine: flag = true",
    .doc = "The operator batch_norm on {batch,channels,...}, with weight and bias "
           "{channels} if affine. In training it normalizes by the batch, and moves "
           "running_mean and running_var (unbiased) towards it by momentum; in eval mode "
           "it normalizes by those. Ioffe and Szegedy 2015.",
    .attr_bytes = sizeof(batch_norm_options), .op = &lgi_op_batch_norm,
    .check = batch_norm_check, .build = batch_norm_build,
    .forward = batch_norm_layer_forward, .leads = true,
    .samples = {"4,3", "3,2,2,3", "3,2,2; affine=false, eps=0.01"}};

static const lgi_layer_type instance_norm_layer = {
    .name = "InstanceNorm",
    .args = "eps: number = 1e-5, momentum: number = 0.1, affine: flag = false, "
            "track_running_stats: flag = false",
    .doc = "The operator instance_norm: each channel of each sample of "
           "{batch,channels,...} normalized by its own mean and variance, with weight (1 "
           "at first) and bias (0) {channels} if affine (Ulyanov et al. 2016). With "
           "track_running_stats, running_mean and running_var follow the averages over "
           "the batch by momentum, and in eval mode it normalizes by those. PyTorch's "
           "defaults.",
    .attr_bytes = sizeof(instance_norm_options), .op = &lgi_op_instance_norm,
    .check = instance_norm_check, .build = instance_norm_build,
    .forward = instance_norm_layer_forward, .leads = true,
    .samples = {"2,3,4", "2,2,2,3; affine=true, eps=0.01",
                "3,2,2,2; track_running_stats=true",
                "1,2,3; track_running_stats=true, affine=true, momentum=0.5"}};

static const lgi_layer_type layer_norm_layer = {
    .name = "LayerNorm",
    .args = "axes: whole = 0, eps: number = 1e-5, affine: flag = true",
    .doc = "The operator layer_norm: the numbers of the last axes of each sample, "
           "together, normalized by their mean and variance, with weight (1 at first) "
           "and bias (0) of the shape of these axes if affine (Ba et al. 2016). axes is "
           "how many they are; 0 is the last one of {batch,features} and "
           "{batch,length,features}, and all but the batch of {batch,channels,height,"
           "width}, as the critic of WGAN-GP has it.",
    .attr_bytes = sizeof(layer_norm_options), .op = &lgi_op_layer_norm,
    .check = layer_norm_check, .build = layer_norm_build,
    .forward = layer_norm_layer_forward,
    .samples = {"2,4", "2,3,4; eps=0.01", "2,2,3,2", "2,2,1,4; axes=1, affine=false",
                "2,2,3; axes=2"}};

static const lgi_layer_type group_norm_layer = {
    .name = "GroupNorm",
    .args = "groups: whole, eps: number = 1e-5, affine: flag = true",
    .doc = "The operator group_norm: each of the groups of neighboring channels of each "
           "sample of {batch,channels,...} normalized by its mean and variance, with "
           "weight (1 at first) and bias (0) {channels} if affine (Wu and He 2018). "
           "groups must divide the channels.",
    .attr_bytes = sizeof(group_norm_options), .op = &lgi_op_group_norm,
    .check = group_norm_check, .build = group_norm_build,
    .forward = group_norm_layer_forward,
    .samples = {"2,4,3; groups=2", "2,4; groups=1, eps=0.01",
                "1,6,2,2; groups=3, affine=false"}};

static const lgi_layer_type pixel_norm_layer = {
    .name = "PixelNorm", .op = &lgi_op_pixel_norm, .check = pixel_norm_check,
    .doc = "{batch,channels,...} divided by sqrt(mean(x^2) + eps), the mean over the "
           "channels: at each place, or of each latent vector, the length becomes "
           "sqrt(channels) (Karras et al. 2018).",
    .samples = {"2,3; eps=0.1", "2,3,2,2"}};

const lgi_layer_type *const lgi_layers_norm[] = {
    &batch_norm_layer, &instance_norm_layer, &layer_norm_layer, &group_norm_layer,
    &pixel_norm_layer, NULL};
