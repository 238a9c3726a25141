/* noise.c - NoiseInjection: noise in each picture, as strong as is learned. */
#include "nn/norm.h"

extern const lg_op lgi_op_reshape;

typedef struct noise_options { int64_t per_channel; } noise_options;

static lg_status noise_check_input(lg_engine *E, const lgi_layer *l, const lg_tensor *x)
{
    const noise_options *o = l->attr;
    const lg_tensor *w = lgi_layer_param(l, "strength");
    return lgi_need_channels(E, l, x, 3, LG_MAX_DIM, "{batch,channels,...}",
                             w && o->per_channel ? w->dim[0] : 0);
}

static lg_status noise_build(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    const noise_options *o = l->attr;
    if (noise_check_input(E, l, x) < 0)
        return E->status;
    int64_t n = o->per_channel ? x->dim[1] : 1;
    return lgi_declare(E, l, "strength", 1, &n, "zeros", n, n);
}

static lg_tensor *noise_forward(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    int64_t dim[LG_MAX_DIM];
    if (noise_check_input(E, l, x) < 0)
        return NULL;
    for (int i = 0; i < x->ndim; i++)
        dim[i] = i == 1 ? 1 : x->dim[i];
    lgi_list column = {x->ndim - 1, {lgi_layer_param(l, "strength")->dim[0]}};
    for (int i = 1; i < column.n; i++)
        column.at[i] = 1;
    lg_tensor *strength = lgi_apply1(E, &lgi_op_reshape, lgi_layer_param(l, "strength"),
                                     &column);                 /* c,1,1 */
    return lgi_add(E, x, lgi_mul(E, strength, lg_randn(E, x->ndim, dim)));
}

static const lgi_layer_type noise_layer = {
    .name = "NoiseInjection", .args = "per_channel: flag = true",
    .doc = "x + strength noise, where noise {n,1,...} is N(0, 1), drawn anew at each "
           "call, in eval mode as well, from the script's random numbers (Karras et al. "
           "2019). strength is learned and begins at 0: {channels} for "
           "{batch,channels,...}, or {1} if not per_channel, as StyleGAN2 has it.",
    .attr_bytes = sizeof(noise_options), .build = noise_build, .forward = noise_forward,
    .samples = {"2,3,2,2", "2,2,3; per_channel=false"}};

const lgi_layer_type *const lgi_layers_noise[] = {&noise_layer, NULL};
