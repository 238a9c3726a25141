/*
 * shuffle.c - channels as pixels, and back ("Real-Time Single Image and Video
 * Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", Shi et al.
 * 2016). Both are axes in another order: each is the other's inverse, and its transpose.
 */
#include "kernel/copy.h"
#include "op/op.h"

extern const lg_op lgi_op_pixel_shuffle, lgi_op_pixel_unshuffle;

enum { SHUFFLE_MOST = 1 << 20 };

/* Applied with c,r,r,h,w, the parts of an image with its channels apart, and c,h,r,w,r,
 * those of one with its channels among the pixels. */
static void shuffle_axes(lg_tensor *apart, lg_tensor *among, const lg_tensor *small,
                         int64_t factor)
{
    int last = small->ndim - 1;        // small: ..,c*r*r,h,w
    int64_t h = small->dim[last - 1], w = small->dim[last], r = factor;
    int64_t images = lgi_product_of(small->dim, last - 2);
    int64_t c = images * (small->dim[last - 2] / (r * r));
    *apart = (lg_tensor){.ndim = 5, .dim = {c, r, r, h, w}, .numel = small->numel,
                         .data = small->data};
    *among = (lg_tensor){.ndim = 5, .dim = {c, h, r, w, r}, .numel = small->numel};
}

static lg_status check_shuffle(lg_engine *E, const lgi_node *n)
{
    const int64_t *factor = n->attr;
    const lg_tensor *x = n->in[0];
    if (lgi_need_whole(E, n, "factor", *factor, 1, SHUFFLE_MOST) < 0)
        return E->status;
    if (x->ndim >= 3)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: x must end in the axes c,h,w, and is %s",
                    n->op->name, LGI_SHAPE(x));
}

static lg_status shuffled_shape(lgi_node *n, int64_t c, int64_t h, int64_t w)
{
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    for (int i = 0; i < x->ndim; i++)
        dim[i] = x->dim[i];
    dim[x->ndim - 3] = c, dim[x->ndim - 2] = h, dim[x->ndim - 1] = w;
    return lgi_set_dims(n->out, x->ndim, dim);
}

static lg_status unshuffle(lg_engine *E, const lgi_node *n, const lg_op *back,
                           const bool *wanted, lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply1(E, back, g[0], n->attr);
    return E->status;
}

/* pixel_shuffle */

static lg_status pixel_shuffle_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    if (check_shuffle(E, n) < 0)
        return E->status;
    int64_t r = *(const int64_t *)n->attr, c = x->dim[x->ndim - 3];
    if (c % (r * r) != 0)
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s, with %lld channels; factor is %lld, "
                        "and they must be a multiple of %lld", n->op->name, LGI_SHAPE(x),
                        (long long)c, (long long)r, (long long)(r * r));
    return shuffled_shape(n, c / (r * r), x->dim[x->ndim - 2] * r,
                          x->dim[x->ndim - 1] * r);
}

static void pixel_shuffle_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lg_tensor apart, among;
    (void)workspace;
    shuffle_axes(&apart, &among, n->in[0], *(const int64_t *)n->attr);
    among.data = n->out->data;
    lgi_permute(E, &among, &apart, (const int[]){0, 3, 1, 4, 2});
}

static lg_status pixel_shuffle_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                    lg_tensor **g, lg_tensor **out)
{
    return unshuffle(E, n, &lgi_op_pixel_unshuffle, wanted, g, out);
}

const lg_op lgi_op_pixel_shuffle = {
    .name = "pixel_shuffle", .args = "x, factor: whole",
    .doc = "Channels laid out as pixels (Shi et al. 2016): x {n,c*r*r,h,w} becomes "
           "{n,c,r*h,r*w}, where r is factor: channel k*r*r + i*r + j is row i and "
           "column j of each r by r square of channel k, all from 0. There may be more "
           "axes before c, or none.",
    .shape = pixel_shuffle_shape, .forward = pixel_shuffle_forward,
    .grad = pixel_shuffle_grad, .attr_bytes = sizeof(int64_t),
    .samples = {"2,4,2,3; factor=2", "9,1,2; factor=3", "1,2,1,1; factor=1",
                "0,4,2,2; factor=2", "2,1,4,1,2; factor=2", "1,8,0,3; factor=2"}};

/* pixel_unshuffle */

static lg_status pixel_unshuffle_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    if (check_shuffle(E, n) < 0)
        return E->status;
    int64_t r = *(const int64_t *)n->attr;
    int64_t c = x->dim[x->ndim - 3], h = x->dim[x->ndim - 2], w = x->dim[x->ndim - 1];
    if (h % r != 0 || w % r != 0)
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s; factor is %lld, and must divide h "
                        "and w", n->op->name, LGI_SHAPE(x), (long long)r);
    if (c > LGI_MAX_NUMEL / (r * r))   /* there are no pixels, then */
        return lgi_fail(E, LG_ESHAPE, "%s: x is %s, and factor %lld would give too many "
                        "channels", n->op->name, LGI_SHAPE(x), (long long)r);
    return shuffled_shape(n, c * r * r, h / r, w / r);
}

static void pixel_unshuffle_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lg_tensor apart, among;
    (void)workspace;
    shuffle_axes(&apart, &among, n->out, *(const int64_t *)n->attr);
    among.data = n->in[0]->data;
    lgi_permute(E, &apart, &among, (const int[]){0, 2, 4, 1, 3});
}

static lg_status pixel_unshuffle_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                      lg_tensor **g, lg_tensor **out)
{
    return unshuffle(E, n, &lgi_op_pixel_shuffle, wanted, g, out);
}

const lg_op lgi_op_pixel_unshuffle = {
    .name = "pixel_unshuffle", .args = "x, factor: whole",
    .doc = "The inverse of pixel_shuffle: x {n,c,r*h,r*w} becomes {n,c*r*r,h,w}, where r "
           "is factor.",
    .shape = pixel_unshuffle_shape, .forward = pixel_unshuffle_forward,
    .grad = pixel_unshuffle_grad, .attr_bytes = sizeof(int64_t),
    .samples = {"2,1,4,6; factor=2", "2,3,3; factor=3", "1,2,1,1; factor=1",
                "0,1,4,4; factor=2", "2,1,2,2,4; factor=2"}};

const lg_op *const lgi_ops_shuffle[] = {&lgi_op_pixel_shuffle, &lgi_op_pixel_unshuffle,
                                        NULL};
