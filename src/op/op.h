/*
 * op.h - what an operator is.
 *
 * An operator is one constant descriptor, defined in a file of src/op/ together with the
 * functions that it names. Everything else that knows operators (the Lua functions and
 * methods, the manual, the gradient tests, the fuzzer) reads descriptors, so adding an
 * operator touches one file.
 *
 * The args of a descriptor are a line of text, the inputs first:
 *
 *     "x, w, b?, stride: pair = 1, padding: pair = 0"
 *
 *     x          a tensor                     name: number = 0.2     a double
 *     b?         a tensor that may be absent  name: whole = 1        an int64_t
 *     x...       a list of tensors, alone     name: flag = false     an int64_t, 0 or 1
 *                                             name: mean|sum = mean  an int64_t, which
 *     An attribute without a default          name: pair = 1         an lgi_pair
 *     must be given. Axes count from 1.       name: list = {}        an lgi_list
 *                                             name: numbers = {1, 2} an lgi_numbers
 *                                             name: text             an lgi_text
 *
 * A call keeps its attributes in a struct of the operator's own, whose fields are those
 * types in that order; more fields, for what shape works out, may follow.
 */
#ifndef LG_OP_OP_H
#define LG_OP_OP_H
#include "tensor/tensor.h"

enum { LGI_MAX_RESULTS = 4, LGI_MAX_LIST = 16, LGI_MAX_TEXT = 63 };

typedef struct lgi_pair { int64_t h, w; } lgi_pair;
typedef struct lgi_list { int64_t n, at[LGI_MAX_LIST]; } lgi_list;
typedef struct lgi_numbers { int64_t n; double at[4]; } lgi_numbers;
typedef struct lgi_text { char s[LGI_MAX_TEXT + 1]; } lgi_text;

typedef lg_status lgi_grad_rule(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out);

struct lg_op {
    const char *name;                  /* in C, in Lua, in the manual */
    const char *args;                  /* inputs, then attributes: see above */
    const char *results;               /* "y" if NULL; "values, indices"; those after a
                                          ';' are kept for gradients, and not returned */
    const char *doc;                   /* what it computes, shapes, source. Sentences. */

    /* All checks are here. Sets the shapes of n->out[k]; may complete the attributes.
     * A view shares its input's buffer (lgi_share), and has no forward. */
    lg_status (*shape)(lg_engine *E, lgi_node *n);

    /* Bytes of scratch for forward; may be absent. */
    size_t (*workspace)(lg_engine *E, const lgi_node *n);

    /* Fills the results, which are not cleared. Cannot fail. */
    void (*forward)(lg_engine *E, const lgi_node *n, void *workspace);

    /* In its place, for LAPACK alone: it may find that a matrix is singular. */
    lg_status (*attempt)(lg_engine *E, const lgi_node *n, void *workspace);

    /*
     * Sets out[i], for each wanted[i], to the gradient for input i: made by applying
     * operators, so that it has gradients in its turn. g[k] is the gradient for result k
     * or NULL where that is zero; out[i] may stay NULL for zero. Where an input was
     * broadcast, out[i] may have the shape of the result: the walk sums it.
     * lgi_zero_grad: zero, whatever the input.
     */
    lgi_grad_rule *grad;
    uint32_t needs;                    /* LGI_IN and LGI_OUT of what grad reads; the rest
                                          is freed early */

    /* May forward write result 0 over input 0? Does grad read g[0] once, so that the one
     * that reads it may write over it? Both save a pass over memory: see lgi_give. */
    bool onto, once;

    /* forward for some numbers of the result alone, as kernel/after.h has it, so that the
     * operator can be computed while another one makes its input; forward is then
     * lgi_forward_by_parts, and result 0 is written over input 0. */
    void (*part)(const lgi_node *n, int64_t from, int64_t count);

    /* May what follows be computed within forward? Is out[0] of grad, where g[0] is the
     * one gradient, the result of one such operator, as it is? */
    bool leads, leads_back;

    /* grad is back(g[0], result 1) with the same attributes: lgi_grad_by_back. */
    const lg_op *back;

    double (*flops)(const lgi_node *n);    /* of forward; absent: one a number */
    size_t attr_bytes;                 /* sizeof the attributes' struct; 0: none */

    /*
     * Inputs to test with: "2,3; 3,1 positive; slope=0.5". Shapes (- for no axes) with a
     * kind: any (default), positive, probability, middle (0.3 to 0.7), index<n, distinct,
     * away (from kinks: a tenth and more off 0 and other whole numbers), spd; then
     * attributes.
     */
    const char *samples[8];
};

lgi_grad_rule lgi_zero_grad;
#define LG_ZERO lgi_zero_grad

/* registry: op_list.c, made by CMake from the file names, has the families */
extern const lg_op *const *const lgi_op_families[];    /* NULL ends both */
const lg_op *lgi_each_op(int *family, int *member);    /* from 0, 0; NULL: no more */

/* apply.c */
/* Holds x in a list, unless it is there. */
lg_status lgi_note_tensor(lg_engine *E, lgi_noted *to, lg_tensor *x);
lg_tensor *lgi_apply(lg_engine *E, const lg_op *op, int nin, lg_tensor *const *in,
                     const void *attr);
lg_tensor *lgi_apply1(lg_engine *E, const lg_op *op, lg_tensor *x, const void *attr);
lg_tensor *lgi_apply2(lg_engine *E, const lg_op *op, lg_tensor *a, lg_tensor *b,
                      const void *attr);
/* The caller, who alone holds x's numbers, gives them up to the next operator that reads
 * them first, if it can use their place. lgi_give(E, NULL) ends that. */
void lgi_give(lg_engine *E, const lg_tensor *x);
lgi_node *lgi_new_node(lg_engine *E, const lg_op *op, int nin, lg_tensor *const *in,
                       const void *attr);      /* and its results, without shapes */
void lgi_discard_node(lg_engine *E, lgi_node *n);
int lgi_count_results(const lg_op *op);        /* the kept ones included */
int lgi_count_returned(const lg_op *op);

/* follow.c - operators that are computed while another one makes their input */
void lgi_forward_by_parts(lg_engine *E, const lgi_node *n, void *workspace);
lgi_grad_rule lgi_grad_by_back;

/* The caller promises that the next operator that leads is followed by op, of its result
 * 0 and of other, and that nobody else will read that result. False: it is not of use.
 * lgi_end_announced takes back what has not come to pass. */
bool lgi_announce(lg_engine *E, const lg_op *op, lg_tensor *other, const void *attr);
void lgi_end_announced(lg_engine *E);

/* Runs n's forward, and what was announced. */
lg_status lgi_run_forward(lg_engine *E, lgi_node *n, void *workspace);
/* The node that was computed so, for who applies it; or NULL. */
lgi_node *lgi_ready_node(const lg_engine *E, const lg_op *op, int nin,
                         lg_tensor *const *in);

/* anomaly.c - fails if a result has a NaN or Inf */
lg_status lgi_check_anomaly(lg_engine *E, const lgi_node *n);

/* signature.c - the line of args, read */
typedef enum lgi_type {
    LGI_NUMBER, LGI_WHOLE, LGI_FLAG, LGI_WORD, LGI_PAIR, LGI_LIST,
    LGI_NUMBERS, LGI_TEXT
} lgi_type;

typedef struct lgi_attr {
    char name[24];
    lgi_type type;
    const char *words;                 /* "mean|sum", up to a space, of an LGI_WORD */
    const char *initial;               /* text of the default; NULL: must be given */
    size_t offset;                     /* in the attributes' struct */
} lgi_attr;

enum { LGI_MAX_ATTR = 16, LGI_MAX_ATTR_BYTES = 1024 };

typedef struct lgi_signature {
    int nin, required;                 /* inputs, and how many must be there */
    char in[LGI_MAX_IN][16];           /* their names */
    bool listed;                       /* the one input is a list */
    int nattr;
    lgi_attr attr[LGI_MAX_ATTR];
    size_t bytes;                      /* of the fields that the line names */
} lgi_signature;

/* All false when the line is malformed; tests read every line. */
bool lgi_read_signature(const char *args, lgi_signature *s);
lg_status lgi_default_attrs(lg_engine *E, const char *who, const lgi_signature *s,
                            void *attrs, uint32_t given);  /* fills those not given */
lg_status lgi_set_attr(lg_engine *E, const char *who, const lgi_attr *a, void *attrs,
                       const char *text, size_t n);        /* from text */
int lgi_find_attr(const lgi_signature *s, const char *name, size_t n);   /* -1: none */
lg_status lgi_unknown_attr(lg_engine *E, const char *who, const lgi_signature *s,
                           const char *name);              /* fails, naming the nearest */
lg_status lgi_wrong_attr(lg_engine *E, const char *who, const lgi_attr *a,
                         const char *came);                /* fails, naming the type */
lg_status lgi_parse_attrs(lg_engine *E, const char *who, const lgi_signature *s,
                          const char *text, void *attrs);  /* "stride=2, bias=false" */

/* check.c - for shape rules. Messages name operator, input, what came and was needed. */
const char *lgi_input_name(const lgi_node *n, int i, char to[16]);
lg_status lgi_need_ndim(lg_engine *E, const lgi_node *n, int i, int ndim,
                        const char *axes);     /* as "n,c,h,w" */
lg_status lgi_need_axis(lg_engine *E, const lgi_node *n, const char *name, int64_t *dim,
                        int ndim);             /* becomes 1 .. ndim */
lg_status lgi_need_axes(lg_engine *E, const lgi_node *n, const char *name, lgi_list *dims,
                        int ndim);             /* sorted, each once; none: all of them */
lg_status lgi_need_whole(lg_engine *E, const lgi_node *n, const char *name, int64_t value,
                         int64_t least, int64_t most);
lg_status lgi_need_pair(lg_engine *E, const lgi_node *n, const char *name, lgi_pair p,
                        int64_t least, int64_t most);      /* each of the two */
lg_status lgi_need_number(lg_engine *E, const lgi_node *n, const char *name, double value,
                          double least, double most);
lg_status lgi_same_shape(lg_engine *E, lgi_node *n);         /* out[0] like in[0] */
lg_status lgi_broadcast_shape(lg_engine *E, lgi_node *n);    /* of the first two inputs */

/* rules.c - what gradient rules are made of */
lg_tensor *lgi_add(lg_engine *E, lg_tensor *a, lg_tensor *b);
lg_tensor *lgi_sub(lg_engine *E, lg_tensor *a, lg_tensor *b);
lg_tensor *lgi_mul(lg_engine *E, lg_tensor *a, lg_tensor *b);
lg_tensor *lgi_div(lg_engine *E, lg_tensor *a, lg_tensor *b);
lg_tensor *lgi_neg(lg_engine *E, lg_tensor *x);
lg_tensor *lgi_affine(lg_engine *E, lg_tensor *x, double mul,
                      double add);             /* x*mul+add */
lg_tensor *lgi_sum_to(lg_engine *E, lg_tensor *x, const lg_tensor *like);
lg_tensor *lgi_expand_to(lg_engine *E, lg_tensor *x, const lg_tensor *like);
lg_tensor *lgi_reshape_to(lg_engine *E, lg_tensor *x, const lg_tensor *like);
lg_tensor *lgi_sum_dims(lg_engine *E, lg_tensor *x, const lgi_list *dims, bool keepdim);
lg_tensor *lgi_matmul(lg_engine *E, lg_tensor *a, lg_tensor *b, bool ta, bool tb);
lg_tensor *lgi_normalize(lg_engine *E, lg_tensor *x, int64_t dim);   /* along an axis */

#endif
