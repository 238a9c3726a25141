/*
 * dropout.c - dropout (Srivastava et al. 2014), inverted: what stays is scaled up, so
 * that nothing is to be done when the net is used.
 */
#include "base/pool.h"
#include "base/random.h"
#include "op/op.h"

enum { DROPOUT_PIECE = 1 << 14 };      /* a multiple of four: numbers come in fours */

typedef struct dropout_attr {
    double p;
    lgi_stream stream;                 /* where shape has reserved numbers, so that */
    uint64_t first;                    /* forward is a function of its node */
} dropout_attr;

static lg_status dropout_shape(lg_engine *E, lgi_node *n)
{
    dropout_attr *t = n->attr;
    if (lgi_need_number(E, n, "p", t->p, 0, 1) < 0)
        return E->status;
    lgi_like(&n->out[0], n->in[0]);
    lgi_like(&n->out[1], n->in[0]);
    t->stream = lgi_script_stream(E);
    t->first = lgi_draw(E, n->in[0]->numel);
    return LG_OK;
}

static void dropout_piece(void *job, int64_t piece, int worker)
{
    const lgi_node *n = job;
    const dropout_attr *t = n->attr;
    int64_t at = piece * DROPOUT_PIECE, numel = n->out->numel;
    int64_t end = at + DROPOUT_PIECE < numel ? at + DROPOUT_PIECE : numel;
    const lg_real scale = t->p < 1 ? (lg_real)(1 / (1 - t->p)) : 0, *x = n->in[0]->data;
    lg_real *y = n->out[0].data, *mask = n->out[1].data;
    uint64_t bound = (uint64_t)(t->p * 0x1p32);        /* drops 32 bits below it */
    (void)worker;
    for (; at < end; at += 4) {
        uint32_t bits[4];
        lgi_philox(t->stream, (t->first + (uint64_t)at) / 4, bits);
        for (int k = 0; k < 4 && at + k < end; k++) {
            mask[at + k] = bits[k] >= bound ? scale : 0;
            y[at + k] = x[at + k] * mask[at + k];
        }
    }
}

static void dropout_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    int64_t pieces = (n->out->numel + DROPOUT_PIECE - 1) / DROPOUT_PIECE;
    (void)workspace;
    lgi_parallel(E, pieces, dropout_piece, (void *)n);
}

static lg_status dropout_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])                     /* the mask does not depend on x */
        out[0] = g[0] ? lgi_mul(E, g[0], &n->out[1]) : NULL;
    return E->status;
}

const lg_op lgi_op_dropout = {
    .name = "dropout", .args = "x, p: number = 0.5", .results = "y; mask",
    .doc = "Each number of x is 0 with probability p, and else divided by 1 - p "
           "(Srivastava et al. 2014). Draws from the script's random numbers. The result "
           "has the shape of x.",
    .shape = dropout_shape, .forward = dropout_forward, .grad = dropout_grad,
    .needs = LGI_OUT(1), .attr_bytes = sizeof(dropout_attr),
    .samples = {"2,3", "4,5; p=0.3", "-; p=0", "0,3", "2,1,2,1,2; p=0.5", "2,3; p=1"}};

const lg_op *const lgi_ops_dropout[] = {&lgi_op_dropout, NULL};
