/* cube.c - an operator from outside src/op: this one file is all that it takes. */
#include "kernel/elementwise.h"
#include "op/op.h"

LGI_LOOP1(cube_loop, void, a * a * a)

static void cube_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    lgi_map(E, cube_loop, n->out, 1, n->in, NULL);
}

/* 3 x^2 */
static lg_status cube_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0];
    if (wanted[0])
        out[0] = lgi_mul(E, lgi_affine(E, g[0], 3, 0), lgi_mul(E, x, x));
    return E->status;
}

const lg_op lgi_op_cube = {
    .name = "cube", .args = "x", .doc = "x * x * x. The result has the shape of x.",
    .shape = lgi_same_shape, .forward = cube_forward, .grad = cube_grad,
    .needs = LGI_IN(0), .samples = {"2,3", "-", "0,3"}};

const lg_op *const lgi_ops_cube[] = {&lgi_op_cube, NULL};
