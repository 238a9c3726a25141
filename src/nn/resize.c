/* resize.c - Upsample, PixelShuffle, PixelUnshuffle: images of another size. */
#include "nn/layer.h"

extern const lg_op lgi_op_upsample, lgi_op_pixel_shuffle, lgi_op_pixel_unshuffle;

typedef struct upsample_options {
    lgi_pair scale;
    int64_t mode;
    lgi_list size;
} upsample_options;

static lg_status upsample_check(lg_engine *E, const lgi_layer *l)
{
    const upsample_options *o = l->attr;
    int64_t scale = o->scale.h < o->scale.w ? o->scale.h : o->scale.w;
    if (lgi_layer_need(E, l, "scale", scale, 1) < 0)
        return E->status;
    if (o->size.n > 2)
        return lgi_layer_fail(E, LG_EARG, l, "size has %lld numbers; it must be {h,w}",
                              (long long)o->size.n);
    for (int64_t i = 0; i < o->size.n; i++)
        if (lgi_layer_need(E, l, "size", o->size.at[i], 1) < 0)
            return E->status;
    return LG_OK;
}

static lg_status factor_check(lg_engine *E, const lgi_layer *l)
{
    const int64_t *factor = l->attr;
    return lgi_layer_need(E, l, "factor", *factor, 1);
}

static const lgi_layer_type upsample_layer = {
    .name = "Upsample", .op = &lgi_op_upsample, .check = upsample_check,
    .doc = "Images made larger by scale, or of the size {h',w'} where that is given: "
           "{n,c,h,w} becomes {n,c,scale h,scale w}. nearest repeats pixels; bilinear "
           "interpolates between them, as PyTorch does with align_corners false. With a "
           "Conv2d after it, it takes the place of a ConvTranspose2d without its "
           "checkerboards (Odena et al. 2016).",
    .samples = {"2,2,2,3", "1,2,3,2; scale={1,3}, mode=bilinear", "1,1,3,5; size={5,3}"}};

static const lgi_layer_type pixel_shuffle_layer = {
    .name = "PixelShuffle", .op = &lgi_op_pixel_shuffle, .check = factor_check,
    .doc = "Channels laid out as pixels: {n,c r r,h,w} becomes {n,c,r h,r w}, where r is "
           "factor (Shi et al. 2016).",
    .samples = {"2,8,2,3; factor=2", "1,9,1,2; factor=3"}};

static const lgi_layer_type pixel_unshuffle_layer = {
    .name = "PixelUnshuffle", .op = &lgi_op_pixel_unshuffle, .check = factor_check,
    .doc = "Pixels laid out as channels, the inverse of PixelShuffle: {n,c,r h,r w} "
           "becomes {n,c r r,h,w}, where r is factor.",
    .samples = {"2,1,4,6; factor=2", "1,2,3,3; factor=3"}};

const lgi_layer_type *const lgi_layers_resize[] = {
    &upsample_layer, &pixel_shuffle_layer, &pixel_unshuffle_layer, NULL};
