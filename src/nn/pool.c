/* pool.c - AvgPool2d, MaxPool2d, AdaptiveAvgPool2d: images made smaller. */
#include "nn/layer.h"

extern const lg_op lgi_op_avg_pool2d, lgi_op_max_pool2d, lgi_op_adaptive_avg_pool2d;

typedef struct pool_options {
    lgi_pair kernel, stride, padding;
} pool_options;

static lg_status pool_need_pair(lg_engine *E, const lgi_layer *l, const char *option,
                                lgi_pair p, int64_t least)
{
    return lgi_layer_need(E, l, option, p.h < p.w ? p.h : p.w, least);
}

static lg_status pool_check(lg_engine *E, const lgi_layer *l)
{
    const pool_options *o = l->attr;
    if (pool_need_pair(E, l, "kernel", o->kernel, 1) < 0
        || pool_need_pair(E, l, "stride", o->stride, 0) < 0
        || pool_need_pair(E, l, "padding", o->padding, 0) < 0)
        return E->status;
    if (o->padding.h <= o->kernel.h / 2 && o->padding.w <= o->kernel.w / 2)
        return LG_OK;
    return lgi_layer_fail(E, LG_EARG, l, "padding is {%lld,%lld} and kernel {%lld,%lld}; "
                          "padding must be at most half of the kernel",
                          (long long)o->padding.h, (long long)o->padding.w,
                          (long long)o->kernel.h, (long long)o->kernel.w);
}

static lg_status adaptive_check(lg_engine *E, const lgi_layer *l)
{
    const lgi_pair *out = l->attr;
    return pool_need_pair(E, l, "out", *out, 1);
}

#define POOL_DOC "of each window of images: {n,c,h,w} becomes {n,c,h',w'}, h' = "        \
    "floor((h + 2 padding - kernel) / stride) + 1. A stride of 0 is the kernel's size. "

static const lgi_layer_type avg_pool2d_layer = {
    .name = "AvgPool2d", .op = &lgi_op_avg_pool2d, .check = pool_check,
    .doc = "The mean " POOL_DOC "The zeros of the padding count, as in PyTorch.",
    .samples = {"2,3,4,6; kernel=2", "1,2,5,5; kernel={3,2}, stride=1, padding={1,0}"}};

static const lgi_layer_type max_pool2d_layer = {
    .name = "MaxPool2d", .op = &lgi_op_max_pool2d, .check = pool_check,
    .doc = "The maximum " POOL_DOC "What is in the padding is never a maximum.",
    .samples = {"2,3,4,6; kernel=2", "1,2,5,5; kernel={3,2}, stride=1, padding={1,0}"}};

static const lgi_layer_type adaptive_avg_pool2d_layer = {
    .name = "AdaptiveAvgPool2d", .op = &lgi_op_adaptive_avg_pool2d,
    .check = adaptive_check,
    .doc = "Images of any size made {h',w'}, which is out: {n,c,h,w} becomes "
           "{n,c,h',w'}, each number the mean of its part of the image. out 1 is global "
           "pooling.",
    .samples = {"2,3,4,5; out=1", "1,2,5,7; out={3,2}"}};

const lgi_layer_type *const lgi_layers_pool[] = {
    &avg_pool2d_layer, &max_pool2d_layer, &adaptive_avg_pool2d_layer, NULL};
