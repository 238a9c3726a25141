/*
 * sample.c - images read at the places of a grid ("Spatial Transformer Networks",
 * Jaderberg et al. 2015), and the transpose, which adds numbers to images there.
 *
 * Both are linear in images and numbers. Their gradients for the grid are made of the
 * same two operators, at one order of derivative more: see kernel/sample.h. So the two
 * are all there is, however often they are differentiated.
 */
#include "kernel/sample.h"
#include "op/op.h"

extern const lg_op lgi_op_grid_sample, lgi_op_grid_sample_back;
extern const lg_op lgi_op_cat, lgi_op_unsqueeze;

typedef struct sample_attr {
    int64_t mode, padding, align_corners;
    int64_t order_x, order_y;          /* of derivatives; callers don't see these */
} sample_attr;

typedef struct sample_back_attr {
    lgi_pair size;
    sample_attr sample;
} sample_back_attr;

static lgi_sampling sampling_of(const lg_tensor *x, const lg_tensor *grid,
                                const sample_attr *t)
{
    return (lgi_sampling){
        .n = x->dim[0], .c = x->dim[1], .h = x->dim[2], .w = x->dim[3],
        .oh = grid->dim[1], .ow = grid->dim[2], .mode = (lgi_sample_mode)t->mode,
        .outside = (lgi_outside)t->padding, .corners = t->align_corners,
        .order_x = t->order_x, .order_y = t->order_y};
}

/* The grid, input 1, is for the images of input 0. */
static lg_status check_grid(lg_engine *E, const lgi_node *n)
{
    const lg_tensor *x = n->in[0], *grid = n->in[1];
    if (lgi_need_ndim(E, n, 0, 4, "n,c,h,w") < 0
        || lgi_need_ndim(E, n, 1, 4, "n,oh,ow,2") < 0)
        return E->status;
    if (grid->dim[0] == x->dim[0] && grid->dim[3] == 2)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: grid must be {%lld,oh,ow,2}, a place x,y for each "
                    "number of a result for each of the %lld images of %s, and is %s",
                    n->op->name, (long long)x->dim[0], (long long)x->dim[0],
                    LGI_SHAPE(x), LGI_SHAPE(grid));
}

/* The derivative by the grid of the sum of y and what grid_sample gives for x: by each
 * coordinate that of the samples times y, summed over the channels. */
static lg_tensor *by_grid(lg_engine *E, lg_tensor *y, lg_tensor *x, lg_tensor *grid,
                          const sample_attr *t)
{
    lg_tensor *by[2];
    for (int k = 0; k < 2; k++) {
        sample_attr more = *t;
        more.order_x += k == 0;
        more.order_y += k == 1;
        lg_tensor *d = lgi_mul(E, lgi_apply2(E, &lgi_op_grid_sample, x, grid, &more), y);
        d = d ? lgi_sum_dims(E, d, &(lgi_list){1, {2}}, false) : NULL;
        by[k] = lgi_apply1(E, &lgi_op_unsqueeze, d, &(int64_t){4});
    }
    return by[0] && by[1] ? lgi_apply(E, &lgi_op_cat, 2, by, &(int64_t){4}) : NULL;
}

/* grid_sample */

static lg_status grid_sample_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0], *grid = n->in[1];
    if (check_grid(E, n) < 0)
        return E->status;
    if (x->dim[2] < 1 || x->dim[3] < 1)
        return lgi_fail(E, LG_ESHAPE, "%s: images must have 1x1 numbers or more, and x "
                        "is %s", n->op->name, LGI_SHAPE(x));
    return lgi_set_shape(n->out, 4, x->dim[0], x->dim[1], grid->dim[1], grid->dim[2]);
}

static void grid_sample_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_sampling s = sampling_of(n->in[0], n->in[1], n->attr);
    (void)workspace;
    lgi_sample_images(E, &s, n->in[0]->data, n->in[1]->data, n->out->data);
}

static lg_status grid_sample_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                  lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *grid = n->in[1];
    sample_back_attr back = {{x->dim[2], x->dim[3]}, *(const sample_attr *)n->attr};
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_grid_sample_back, g[0], grid, &back);
    if (wanted[1])
        out[1] = by_grid(E, g[0], x, grid, n->attr);
    return E->status;
}

#define SAMPLE_ARGS                                                                     \
    "mode: bilinear|nearest = bilinear, padding: zeros|border|reflection = zeros, "     \
    "align_corners: flag = false"

const lg_op lgi_op_grid_sample = {
    .name = "grid_sample", .args = "x, grid, " SAMPLE_ARGS,
    .doc = "Images x {n,c,h,w} read at the places of grid {n,oh,ow,2}: {n,c,oh,ow} "
           "(Jaderberg et al. 2015). A place is x,y: -1,-1 is the corner at the top left "
           "and 1,1 that at the bottom right, or with align_corners the middles of the "
           "pixels there. mode is bilinear interpolation, or the nearest pixel, which of "
           "two is the even one. Outside are zeros, or the pixels at the border, or "
           "those that a reflection at it hits.",
    .shape = grid_sample_shape, .forward = grid_sample_forward, .grad = grid_sample_grad,
    .needs = LGI_IN(0) | LGI_IN(1), .attr_bytes = sizeof(sample_attr),
    .samples = {"2,2,3,4; 2,2,3,2", "1,2,4,3; 1,3,2,2; padding=border",
                "1,2,3,5; 1,3,2,2; padding=reflection",
                "1,2,3,3; 1,3,2,2 away; padding=reflection, align_corners=true",
                "2,1,3,3; 2,2,2,2 away; padding=border, align_corners=true",
                "1,2,3,4; 1,2,3,2; mode=nearest", "1,1,1,1; 1,1,1,2 away",
                "0,2,3,3; 0,2,2,2"}};

/* grid_sample_back */

static lg_status grid_sample_back_shape(lg_engine *E, lgi_node *n)
{
    const sample_back_attr *t = n->attr;
    const lg_tensor *g = n->in[0], *grid = n->in[1];
    if (check_grid(E, n) < 0
        || lgi_need_pair(E, n, "size", t->size, 1, LGI_MAX_NUMEL) < 0)
        return E->status;
    if (g->dim[2] != grid->dim[1] || g->dim[3] != grid->dim[2])
        return lgi_fail(E, LG_ESHAPE, "%s: g is %s and grid is %s; g must be {n,c,oh,ow} "
                        "and grid {n,oh,ow,2}", n->op->name, LGI_SHAPE(g),
                        LGI_SHAPE(grid));
    return lgi_set_shape(n->out, 4, g->dim[0], g->dim[1], t->size.h, t->size.w);
}

static void grid_sample_back_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const sample_back_attr *t = n->attr;
    lgi_sampling s = sampling_of(n->out, n->in[1], &t->sample);
    (void)workspace;
    lgi_sample_back(E, &s, n->in[0]->data, n->in[1]->data, n->out->data);
}

static lg_status grid_sample_back_grad(lg_engine *E, const lgi_node *n,
                                       const bool *wanted, lg_tensor **g, lg_tensor **out)
{
    const sample_back_attr *t = n->attr;
    lg_tensor *y = n->in[0], *grid = n->in[1];
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_grid_sample, g[0], grid, &t->sample);
    if (wanted[1])
        out[1] = by_grid(E, y, g[0], grid, &t->sample);
    return E->status;
}

const lg_op lgi_op_grid_sample_back = {
    .name = "grid_sample_back", .args = "g, grid, size: pair, " SAMPLE_ARGS,
    .doc = "The transpose of grid_sample, its gradient for x: g {n,c,oh,ow} added to "
           "images {n,c,h,w} at the places of grid {n,oh,ow,2}, where size is {h,w}.",
    .shape = grid_sample_back_shape, .forward = grid_sample_back_forward,
    .grad = grid_sample_back_grad, .needs = LGI_IN(0) | LGI_IN(1),
    .attr_bytes = sizeof(sample_back_attr),
    .samples = {"2,2,2,3; 2,2,3,2; size={3,4}", "1,6,3,2; 1,3,2,2; size={4,3}, "
                "padding=border", "1,2,3,2; 1,3,2,2; size={3,5}, padding=reflection",
                "1,2,3,2; 1,3,2,2 away; size=3, align_corners=true",
                "1,2,2,3; 1,2,3,2; size={3,4}, mode=nearest",
                "1,1,1,1; 1,1,1,2 away; size=1", "0,2,2,2; 0,2,2,2; size=3"}};

const lg_op *const lgi_ops_sample[] = {&lgi_op_grid_sample, &lgi_op_grid_sample_back,
                                       NULL};
