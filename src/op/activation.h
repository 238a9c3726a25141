/*
 * activation.h - what the families of activations share: an elementwise loop makes the
 * result, and a _back operator its gradient.
 */
#ifndef LG_OP_ACTIVATION_H
#define LG_OP_ACTIVATION_H
#include "kernel/mask.h"
#include "kernel/vector.h"
#include "op/op.h"

/* activation.c - the result is like g and like the other input of a _back operator */
lg_status lgi_pair_shape(lg_engine *E, lgi_node *n);

/* activation.c - the result is like g, whose mask is the other input */
lg_status lgi_mask_shape(lg_engine *E, lgi_node *n);
#define MASK_DOC " mask {ceil(n / 16)} has a bit for each of the n numbers of g, 16 of " \
    "them in a whole number, the lowest first. The result has the shape of g."
#define MASK_SAMPLES "2,3; 1 index<65535", "5,7; 3 index<65535", "-; 1 index<65535",     \
    "0,3; 0", "2,1,2,1,2; 1 index<65535"

#define ACT_SAMPLES(kind, more) "2,3" kind more, "-" kind, "1" kind, "0,3" kind,        \
                                "2,1,2,1,2" kind more
#define ACT_BACK_SAMPLES(kind, more) "2,3; 2,3" kind more, "-; -" kind, "0,3; 0,3",     \
                                     "2,1,2,1,2; 2,1,2,1,2" kind more
#define ACT_SHAPE " The result has the shape of x."

#define ACT_FORWARD(name)                                                               \
    LGI_WIDE(name##_loop)                                                               \
    static void name##_forward(lg_engine *E, const lgi_node *n, void *workspace)        \
    {                                                                                   \
        (void)workspace;                                                                \
        lgi_map(E, LGI_WIDEST(E, name##_loop), n->out, n->nin, n->in, n->attr);        \
    }

/* The loop name##_loop, or name##_fused, whose products and sums are one instruction, for
 * speed, where the processor has it. */
#define ACT_FUSED(name)                                                                 \
    LGI_WIDE(name##_fused)                                                              \
    static lgi_loop *name##_widest(const lg_engine *E)                                  \
    {                                                                                   \
        return E->cpu < LGI_AVX2 ? name##_loop : LGI_WIDEST(E, name##_fused);           \
    }

#define ACT_FUSED_FORWARD(name)                                                         \
    ACT_FUSED(name)                                                                     \
    static void name##_forward(lg_engine *E, const lgi_node *n, void *workspace)        \
    {                                                                                   \
        (void)workspace;                                                                \
        lgi_map(E, name##_widest(E), n->out, n->nin, n->in, n->attr);                   \
    }

/* The gradient is back(g, from), with the same attributes. */
#define ACT_GRAD(name, back, from)                                                      \
    static lg_status name##_grad(lg_engine *E, const lgi_node *n, const bool *wanted,   \
                                 lg_tensor **g, lg_tensor **out)                        \
    {                                                                                   \
        if (wanted[0])                                                                  \
            out[0] = lgi_apply2(E, &lgi_op_##back, g[0], from, n->attr);                \
        return E->status;                                                               \
    }

#endif
