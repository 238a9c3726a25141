/*
 * layer.h - what a layer is.
 *
 * A layer's type is one constant descriptor; a layer is that with options, and, once it
 * has seen an input, with parameters. Its sizes come from that first input, so nobody
 * writes an input size. Layers are made of operators: what differentiates operators,
 * differentiates layers.
 */
#ifndef LG_NN_LAYER_H
#define LG_NN_LAYER_H
#include "op/op.h"

enum { LGI_MAX_PARAM = 16, LGI_MAX_PATH = 95 };

typedef struct lgi_layer lgi_layer;

typedef struct lgi_layer_type {
    const char *name;                  /* "Conv2d" */
    const char *args;                  /* "out: whole, kernel: pair = 3": as in op.h, but
                                          without inputs. NULL: the attributes of op */
    const char *inputs;                /* "x, style", "x, h?"; NULL: "x" */
    const char *results;               /* "h, c": those of the operator that forward
                                          applies last; NULL: "y" */
    const char *doc;                   /* what it computes, shapes, source */
    size_t attr_bytes;                 /* sizeof the options' struct, if args is there */
    bool weighted;                     /* takes the model language's act and norm, too */

    /* The operator that it is made of; may be absent. Options that have the name of one
     * of its attributes are handed to it: lgi_apply_layer_op. */
    const lg_op *op;

    /* Refuses options that no input fits; may be absent. */
    lg_status (*check)(lg_engine *E, const lgi_layer *l);

    /* Checks x, the first input, and declares parameters and buffers; may be absent.
     * The others are l->in[1] and so on, here and in forward. */
    lg_status (*build)(lg_engine *E, lgi_layer *l, const lg_tensor *x);

    /* Checks x against what it was built for, and applies operators. NULL: applies op. */
    lg_tensor *(*forward)(lg_engine *E, lgi_layer *l, lg_tensor *x);

    /* Is the result that of one operator, which nothing here reads or changes, so that
     * the next layer may be computed within it? See op.h's leads. */
    bool leads;

    const char *samples[8];            /* "2,3,8,8; out=4, stride=2"; several inputs:
                                          "2,3; 2 index<4; classes=4" */
} lgi_layer_type;

typedef struct lgi_param {
    char name[24];                     /* "weight" */
    lg_tensor *value;                  /* held; a tracked leaf, unless it is a buffer */
    bool buffer;                       /* state that no optimizer touches: running_mean */
} lgi_param;

struct lgi_layer {
    lgi_owned owned;
    lg_engine *engine;
    int refs;
    const lgi_layer_type *type;
    void *attr;                        /* the options; follows it in its block */
    void *op_attr;                     /* those of type->op, ready to be applied */
    char path[LGI_MAX_PATH + 1];       /* "G.2": keys its random streams, and names it */
    bool built, training;
    int nin, required, nout;           /* inputs, how many must be there; results */
    lg_tensor *in[LGI_MAX_IN];         /* of the call at work; NULL where absent */
    int nparam;
    lgi_param param[LGI_MAX_PARAM];    /* sorted by name */
    size_t bytes;
};

extern const lgi_layer_type *const *const lgi_layer_families[];     /* layer_list.c */
const lgi_layer_type *lgi_each_layer(int *family, int *member);
const lgi_layer_type *lgi_find_layer(const char *name);

/* The options of a type, and sizeof their struct. False: its args are malformed. */
bool lgi_layer_options(const lgi_layer_type *type, lgi_signature *s, size_t *bytes);

/* attr: the options' struct. The path is at first the type's name. */
lgi_layer *lgi_new_layer(lg_engine *E, const lgi_layer_type *type, const void *attr);
lg_status lgi_name_layer(lgi_layer *l, const char *path);
void lgi_retain_layer(lgi_layer *l);
void lgi_release_layer(lgi_layer *l);
/* With parameters of its own; tracked: gradients flow to them. */
lgi_layer *lgi_clone_layer(const lgi_layer *l, bool tracked);

/* Builds it first. Results are y[0] to y[nout - 1]. */
lg_tensor *lgi_call_layer(lg_engine *E, lgi_layer *l, int n, lg_tensor *const *in);
lg_tensor *lgi_run_layer(lg_engine *E, lgi_layer *l, lg_tensor *x);  /* of one input */
lg_tensor *lgi_layer_param(const lgi_layer *l, const char *name);    /* NULL: none */

/* For build. init names an initializer, "kaiming" say, or is "default": PyTorch's. The
 * stream is keyed by the layer's path and the name. */
lg_status lgi_declare(lg_engine *E, lgi_layer *l, const char *name, int ndim,
                      const int64_t *dim, const char *init, int64_t fan_in,
                      int64_t fan_out);
lg_status lgi_declare_buffer(lg_engine *E, lgi_layer *l, const char *name, int ndim,
                             const int64_t *dim, double value);

/* For forward: type->op with the options of the same names. */
lg_tensor *lgi_apply_layer_op(lg_engine *E, const lgi_layer *l, int n,
                              lg_tensor *const *in);

/* Fails with "G.2 (Conv2d): ", and the rest. */
lg_status lgi_layer_fail(lg_engine *E, lg_status status, const lgi_layer *l,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
lg_status lgi_layer_need(lg_engine *E, const lgi_layer *l, const char *option,
                         int64_t value, int64_t least);

/*
 * weight.c - weights that are not used as they are stored. A weighted layer has these
 * options, declares its weight and gets it through here. axis: the one that counts the
 * weight's outputs, 0 or 1.
 */
typedef struct lgi_weight_options {
    lgi_text init;
    int64_t spectral, weight_norm, equalized;
} lgi_weight_options;

#define LGI_WEIGHT_OPTIONS                                                            \
    "init: text = default, spectral: flag = false, weight_norm: flag = false, "       \
    "equalized: flag = false"
#define LGI_WEIGHT_DOC "For spectral, weight_norm and equalized see Linear."

lg_status lgi_check_weight(lg_engine *E, const lgi_layer *l,
                           const lgi_weight_options *o);
lg_status lgi_declare_weight(lg_engine *E, lgi_layer *l, const char *name,
                             const lgi_weight_options *o, int axis, int ndim,
                             const int64_t *dim, int64_t fan_in, int64_t fan_out);
lg_status lgi_declare_bias(lg_engine *E, lgi_layer *l, int64_t n,
                           const lgi_weight_options *o, int64_t fan_in);
lg_tensor *lgi_weight(lg_engine *E, lgi_layer *l, const char *name,
                      const lgi_weight_options *o, int axis);  /* ready to be used */

/* Weight and bias of a layer that is x, weight, bias? of its operator, and that applied.
 * dim: of the weight. PyTorch counts fan_in from its second axis, transposed or not. */
lg_status lgi_declare_weighted(lg_engine *E, lgi_layer *l, const lgi_weight_options *o,
                               bool bias, int axis, int ndim, const int64_t *dim,
                               int64_t out);
lg_tensor *lgi_apply_weighted(lg_engine *E, lgi_layer *l, const lgi_weight_options *o,
                              int axis, lg_tensor *x);

/* init.c - initializers by name: "normal 0.02", "uniform 0.1", "xavier", "kaiming" */
const char *lgi_initializer_name(int i);       /* NULL: there are no more */
lg_status lgi_check_initializer(lg_engine *E, const char *who, const char *init);
lg_status lgi_initialize(lg_engine *E, const char *who, const char *init, lg_tensor *t,
                         const char *stream, int64_t fan_in, int64_t fan_out);

#endif
