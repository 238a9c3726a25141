/*
 * tensor.h - a tensor: numbers with a shape, and how they were made.
 *
 * A tensor is a shell, which has the shape and the history, and a buffer, which has the
 * numbers. They live apart: a shell stays while anyone holds it (refs), its buffer only
 * while someone will read the numbers (uses), so that a graph keeps no number that no
 * gradient rule needs. The results of one operator are one block of shells: the first of
 * them, the owner, counts refs for all.
 */
#ifndef LG_TENSOR_TENSOR_H
#define LG_TENSOR_TENSOR_H
#include "base/engine.h"

#define LGI_MAX_NUMEL ((int64_t)1 << 40)

/* For needs: which inputs' and results' numbers a gradient reads. */
enum { LGI_MAX_IN = 16 };              /* inputs of an operator, unless they are a list */
#define LGI_IN(i)  ((uint32_t)1 << (i))
#define LGI_OUT(k) ((uint32_t)1 << (LGI_MAX_IN + (k)))

/* What an operator made of a buffer's numbers for itself, as they were at a version. */
typedef struct lgi_kept {
    int what;                          /* the operator's own; 0: nothing that holds */
    uint64_t version;
    bool again;                        /* it was asked for twice of the same numbers */
    size_t bytes;
    lg_real *data;                     /* NULL until then */
} lgi_kept;

enum { LGI_KEPT = 2 };                 /* for each buffer */

typedef struct lgi_buffer {
    int refs;                          /* shells that share it */
    uint64_t version;                  /* raised by each write: copy, optimizers */
    size_t bytes;
    lg_real *data;
    lgi_kept *kept;                    /* LGI_KEPT of them; or NULL */
} lgi_buffer;

/* How an operator was applied. It is owned by its first result. */
typedef struct lgi_node lgi_node;
struct lgi_node {
    const lg_op *op;
    lg_tensor *out;                    /* out[0] .. out[nout-1], one block */
    lg_tensor **in;                    /* nin of them; NULL for an absent optional one */
    uint64_t *version;                 /* of each input's buffer when it was read */
    void *attr;                        /* the operator's own struct */
    int nin, nout;
    uint32_t needs;                    /* whose numbers it keeps: op->needs */
    size_t bytes;                      /* of this block */
    void (*release)(lg_engine *E, lgi_node *n);        /* what attr holds elsewhere */
};

struct lg_tensor {
    lgi_owned owned;                   /* in the engine's list: owners only */
    lg_engine *engine;
    lg_tensor *owner;                  /* the first of the block */
    int refs;                          /* of the whole block, in the owner */
    int uses;                          /* who will read the numbers */
    int count;                         /* shells in the block, in the owner */
    int ndim;
    int64_t dim[LG_MAX_DIM];
    int64_t numel;
    lgi_buffer *buffer;                /* NULL: not made yet, or let go */
    lg_real *data;                     /* where its numbers begin in the buffer */
    bool tracked;                      /* does a gradient flow to or through it? */
    bool let_go;                       /* its history was, by a gradient walk */
    lgi_node *node;                    /* how the block was made, in the owner; or NULL */

    uint64_t walk;                     /* scratch of the gradient walk: which walk, */
    int64_t slot;                      /* and its place there */
};

/* tensor.c - life */
lg_tensor *lgi_new(lg_engine *E, int count);           /* a block: no shape, 1 ref each */
lg_status lgi_allocate(lg_tensor *t);                  /* its numbers, uncleared */
void lgi_share(lg_tensor *t, const lg_tensor *of, int64_t offset);  /* of's buffer */
void lgi_hold(lg_tensor *t);                           /* the shell alone */
void lgi_drop(lg_tensor *t);
void lgi_use(lg_tensor *t);                            /* the numbers alone */
void lgi_unuse(lg_tensor *t);
void lgi_forget(lg_tensor *owner);                     /* lets its history go */
void lgi_unuse_kept(lgi_node *n);                      /* the numbers that it keeps */
bool lgi_keeps_in(const lgi_node *n, int i);
bool lgi_keeps_out(const lgi_node *n, int k);
lg_tensor *lgi_scoped(lg_engine *E, lg_tensor *t);     /* hands a ref to the open scope */
lg_status lgi_reserve_scope(lg_engine *E, int n);      /* room for n more, beforehand */
lg_tensor *lgi_make(lg_engine *E, int ndim, const int64_t *dim);  /* scoped, uncleared */

/* kept.c: place i of what is kept beside t's numbers, as `what`, above 0. made: it is
 * there already, of these numbers. NULL, and no failure, where it was never asked for
 * twice of the same numbers, or where there is no room. */
lgi_kept *lgi_keep(lg_tensor *t, int i, int what, size_t bytes, bool *made);
void lgi_drop_kept(lg_engine *E, lgi_buffer *b);

/* average.c: to = from + (to - from) * kept, all of it or nothing; a write */
lg_status lgi_average(lg_engine *E, lg_tensor *to, const lg_tensor *from, double kept);

/* shape.c */
lg_status lgi_set_dims(lg_tensor *t, int ndim, const int64_t *dim);
lg_status lgi_set_shape(lg_tensor *t, int ndim, ...);  /* int64_t each */
lg_status lgi_like(lg_tensor *t, const lg_tensor *model);
bool lgi_same_dims(const lg_tensor *a, const lg_tensor *b);
int64_t lgi_product_of(const int64_t *dim, int n);     /* 1 if n <= 0 */
bool lgi_broadcast_dims(const lg_tensor *a, const lg_tensor *b, int *ndim, int64_t *dim);

/* text.c */
enum { LGI_SHAPE_TEXT = 192 };
const char *lgi_shape(const lg_tensor *t, char to[LGI_SHAPE_TEXT]);  /* "{64,100}" */
const char *lgi_dims(int ndim, const int64_t *dim, char to[LGI_SHAPE_TEXT]);
/* The header line, and the corners of the (first) matrix; returns the length. */
size_t lgi_describe(const lg_tensor *t, char *to, size_t size);
#define LGI_SHAPE(t) lgi_shape(t, (char[LGI_SHAPE_TEXT]){0})   /* within an expression */

#endif
