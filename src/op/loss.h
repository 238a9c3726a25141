/*
 * loss.h - what the losses that compare x with y, element by element, share.
 *
 * reduction says what is made of the elements' losses: their mean, their sum, or nothing.
 * Sums go through double, in a fixed order. y may broadcast to the shape of x, but x not
 * to that of y: comparing {64,1} with {64} is refused, where it would be 64 times 64.
 *
 * The _back operator of a loss has the inputs g, x, y, and makes the gradient for x:
 * c g l'(x, y), where c is 1, or 1 / n for the mean of n.
 */
#ifndef LG_OP_LOSS_H
#define LG_OP_LOSS_H
#include "kernel/vector.h"
#include "op/op.h"

/* As in the words of reduction. */
enum { LGI_MEAN_LOSS, LGI_SUM_LOSS, LGI_EACH_LOSS, LGI_BATCH_MEAN_LOSS };

typedef struct lgi_loss_attr {
    int64_t reduction;
    double delta;                      /* of huber alone */
    double scale;                      /* c, from shape */
} lgi_loss_attr;

/* loss.c. Inputs first + 1 .. last of what is there must broadcast to x, input first. */
lg_status lgi_check_loss(lg_engine *E, const lgi_node *n, int first, int last);
lg_status lgi_loss_shape(lg_engine *E, lgi_node *n);           /* x and y */
lg_status lgi_loss_shape_of(lg_engine *E, lgi_node *n);        /* once they are checked */
lg_status lgi_loss_back_shape(lg_engine *E, lgi_node *n);      /* g, x and y */
size_t lgi_loss_workspace(lg_engine *E, const lgi_node *n);

/* The losses by that loop over k tensors, reduced. */
void lgi_compute_loss(lg_engine *E, const lgi_node *n, lgi_loop *loop, int k,
                      lg_tensor *const *in, void *workspace);

lg_tensor *lgi_loss_back(lg_engine *E, const lg_op *back, lg_tensor *g, lg_tensor *x,
                         lg_tensor *y, const void *attr);

#define LOSS_ARGS "x, y, reduction: mean|sum|none = mean"
#define LOSS_BACK_ARGS "g, x, y, reduction: mean|sum|none = mean"
#define LOSS_DOC " y has the shape of x, or broadcasts to it. The result is their mean " \
    "or sum, without axes, or with reduction none has the shape of x."

#define LOSS_FORWARD(name)                                                              \
    LGI_WIDE(name##_loop)                                                               \
    static void name##_forward(lg_engine *E, const lgi_node *n, void *workspace)        \
    {                                                                                   \
        lgi_compute_loss(E, n, LGI_WIDEST(E, name##_loop), 2, n->in, workspace);        \
    }

#define LOSS_BACK_FORWARD(name)                                                         \
    LGI_WIDE(name##_back_loop)                                                          \
    static void name##_back_forward(lg_engine *E, const lgi_node *n, void *workspace)   \
    {                                                                                   \
        const lgi_loss_attr *t = n->attr;                                               \
        const lg_real c = (lg_real)t->scale;                                            \
        (void)workspace;                                                                \
        lgi_map(E, LGI_WIDEST(E, name##_back_loop), n->out, 3, n->in, &c);              \
    }

#define LOSS_SAMPLES "2,3; 2,3", "2,3; -; reduction=sum", "2,3; 3; reduction=none",     \
                     "-; -", "1; 1; reduction=none", "0,3; 0,3; reduction=sum",         \
                     "2,1,2,1,2; 2,1,1,1,2"
#define LOSS_BACK_SAMPLES "-; 2,3; 2,3", "-; 2,3; -; reduction=sum",                    \
                          "2,3; 2,3; 3; reduction=none", "-; 0,3; 0,3; reduction=sum"

#endif
