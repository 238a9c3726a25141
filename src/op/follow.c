/*
 * follow.c - operators that are computed while another one makes their input: an
 * activation within the pass over memory of a convolution or a normalization, forward and
 * backward.
 *
 * Who knows what comes, a chain of layers or the gradient walk, announces it. The next
 * operator that leads makes the follower's node, whose result lies over its own, and its
 * kernel runs the follower on each part that it has finished. When the follower is then
 * applied, its node is ready. The history is the same as without, and so are all bits.
 */
#include "base/pool.h"
#include "kernel/after.h"
#include "op/op.h"

enum { PARTS_PIECE = 1 << 13 };        /* numbers */

static void parts_piece(void *job, int64_t piece, int worker)
{
    const lgi_node *n = job;
    int64_t from = piece * PARTS_PIECE, left = n->out->numel - from;
    (void)worker;
    n->op->part(n, from, left < PARTS_PIECE ? left : PARTS_PIECE);
}

void lgi_forward_by_parts(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    lgi_parallel(E, (n->out->numel + PARTS_PIECE - 1) / PARTS_PIECE, parts_piece,
                 (void *)n);
}

lg_status lgi_grad_by_back(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    if (wanted[0] && g[0])
        out[0] = lgi_apply2(E, n->op->back, g[0], &n->out[1], n->attr);
    return E->status;
}

/* A profile and the search for the first NaN see each operator by itself. */
bool lgi_announce(lg_engine *E, const lg_op *op, lg_tensor *other, const void *attr)
{
    if (!op || !op->part || E->ready || E->anomaly || E->profile)
        return false;
    E->next = (lgi_next){op, other, attr};
    return true;
}

void lgi_end_announced(lg_engine *E)
{
    E->next.op = NULL;
    if (E->ready)
        lgi_discard_node(E, E->ready);
    E->ready = NULL;
}

/* The node of what was announced, over the result of n; NULL if it failed. */
static lgi_node *new_follower(lg_engine *E, const lgi_node *n)
{
    lg_tensor *in[] = {n->out, E->next.other};
    lgi_node *next = lgi_new_node(E, E->next.op, E->next.other ? 2 : 1, in, E->next.attr);
    if (!next)
        return NULL;
    if (next->op->shape(E, next) == LG_OK) {
        lgi_share(next->out, n->out, 0);
        for (int k = 1; k < next->nout && E->status == LG_OK; k++)
            lgi_allocate(&next->out[k]);
    }
    if (E->status == LG_OK)
        return next;
    lgi_discard_node(E, next);
    return NULL;
}

lg_status lgi_run_forward(lg_engine *E, lgi_node *n, void *workspace)
{
    bool leads = n->op->leads && E->next.op;
    lgi_node *next = leads ? new_follower(E, n) : NULL;
    if (leads && !next)
        return E->status;
    lgi_after after = {next ? next->op->part : NULL, next};
    E->after = next ? &after : NULL;
    n->op->forward(E, n, workspace);
    if (E->after)                      /* no kernel took it */
        lgi_forward_by_parts(E, next, NULL);
    E->after = NULL;
    if (next) {
        E->next.op = NULL;
        E->ready = next;
    }
    return LG_OK;
}

lgi_node *lgi_ready_node(const lg_engine *E, const lg_op *op, int nin,
                         lg_tensor *const *in)
{
    lgi_node *n = E->ready;
    bool same = n && n->op == op && n->nin == nin;
    for (int i = 0; same && i < nin; i++)
        same = n->in[i] == in[i];
    return same ? n : NULL;
}
