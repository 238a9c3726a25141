/*
 * optim.h - what an optimizer is.
 *
 * An optimizer's type is one constant descriptor. Its update sees a run of elements of
 * one parameter, so one parallel pass over memory serves all parameters and all types.
 * What is alike in all types (clipping, decay, maximize, the norm of the gradients, two
 * halves of a step) is done in that pass, before the update: it sees a gradient that is
 * ready, and is no more than the paper's formula.
 */
#ifndef LG_OPTIM_OPTIM_H
#define LG_OPTIM_OPTIM_H
#include "op/op.h"

#include <math.h>

enum { LGI_MAX_STATE = 4, LGI_MAX_FACTORS = 128 };

typedef struct lgi_optim lgi_optim;

/* The args of each type begin with LGI_OPTIM_ARGS, and its options' struct with this. */
typedef struct lgi_optim_options {
    double lr, weight_decay;
    int64_t maximize;                  /* climbs, instead of going down */
} lgi_optim_options;

#define LGI_OPTIM_ARGS(lr, decay)                                                       \
    "lr: number = " lr ", weight_decay: number = " decay ", maximize: flag = false"

typedef struct lgi_run {               /* elements of one parameter */
    int64_t n;
    lg_real *p;                        /* the parameter */
    const lg_real *g;                  /* its gradient: clipped, with what decay adds */
    lg_real *state[LGI_MAX_STATE];     /* what the optimizer keeps for it, or NULL */
    const void *factors;               /* what prepare made */
} lgi_run;

typedef struct lgi_optim_type {
    const char *name;                  /* "Adam" */
    const char *args;                  /* "lr: number = 0.001, ...": as in op.h */
    const char *doc;                   /* the rule, its source */
    size_t attr_bytes;
    bool decoupled;                    /* weight_decay shrinks the parameter by
                                          lr weight_decay; else it adds to the gradient */
    bool extrapolates;                 /* a step has two halves: lgi_extrapolate, then
                                          lgi_step; the last of states is "saved" */
    const char *states[LGI_MAX_STATE]; /* names: "m", "v" */
    uint32_t (*keeps)(const void *attr);       /* bit k: states[k]; absent: all of them */
    const char *number;                /* what it keeps once for each parameter, 1 at
                                          first: "mu_product"; or NULL */
    lg_status (*check)(lg_engine *E, const char *who, const void *attr); /* lr and decay
                                          are checked already; may be absent */

    /* What is the same for all elements of a parameter, once for each update of it, which
     * step counts from 1. factors has room for LGI_MAX_FACTORS bytes. */
    void (*prepare)(const void *attr, int64_t step, double *number, void *factors);
    void (*update)(const lgi_run *r);
    void (*update_avx2)(const lgi_run *r);     /* the same bits; may be absent */
} lgi_optim_type;

/* Both from LGI_ALWAYS_INLINE void name_any(const lgi_run *r). */
#define LGI_UPDATES(name)                                                               \
    static void name(const lgi_run *r) { name##_any(r); }                               \
    LGI_AVX2_CODE static void name##_avx2(const lgi_run *r) { name##_any(r); }
#define LGI_UPDATE_BY(name) .update = name, .update_avx2 = name##_avx2

typedef struct lgi_group {             /* parameters that have options of their own */
    const void *attr;                  /* the options' struct */
    int n;                             /* how many, after those of the groups before */
} lgi_group;

struct lgi_optim {
    lgi_owned owned;
    lg_engine *engine;
    const lgi_optim_type *type;
    int64_t step;                      /* updates so far */
    double clip_value;                 /* the most that an element of a gradient may be,
                                          after clip_norm; 0: any */
    double norm;                       /* of the latest update's gradients, before they
                                          were clipped; negative: there was none */
    bool ahead;                        /* extrapolated: where it was is in "saved" */
    int nparam, ngroup, nstate;
    int which[LGI_MAX_STATE];          /* nstate of them: the k-th is states[which[k]] */
    char *attr;                        /* of each group */
    int *group;                        /* of each parameter */
    lg_tensor **param;                 /* held */
    lg_tensor **state;                 /* nstate for each parameter in turn; held; NULL
                                          where its group doesn't keep that */
    lg_tensor *steps;                  /* of each parameter: a loss may miss some */
    lg_tensor *number;                 /* of each parameter, if the type has one */
    char *factors;                     /* of each parameter, of the update at work */
    int64_t *first;                    /* nparam + 1: the first piece of each parameter */
    double *partial;                   /* for each piece, of the gradients' squares */
    bool *done;                        /* is each piece, of the update at work? */
    int missed;                        /* first that the latest loss missed; -1: none */
    size_t bytes;
};

extern const lgi_optim_type *const *const lgi_optim_families[];     /* optim_list.c */
const lgi_optim_type *lgi_each_optim(int *family, int *member);
const lgi_optim_type *lgi_find_optim(const char *name);

/* For check: least <= value < below. */
lg_status lgi_optim_need(lg_engine *E, const char *who, const char *option, double value,
                         double least, double below);
lg_status lgi_optim_need_betas(lg_engine *E, const char *who, const lgi_numbers *betas);

/* For loops: sqrt of an lg_real, as a vector instruction. */
static inline lg_real lgi_root(lg_real x)
{
    return sizeof(lg_real) == sizeof(float) ? (lg_real)sqrtf((float)x)
                                            : (lg_real)sqrt((double)x);
}

/* The parameters are tracked leaves, each given once. */
lgi_optim *lgi_new_optim(lg_engine *E, const lgi_optim_type *type, const void *attr,
                         int n, lg_tensor *const *param);
lgi_optim *lgi_new_grouped_optim(lg_engine *E, const lgi_optim_type *type, int ngroup,
                                 const lgi_group *group, lg_tensor *const *param);
void lgi_close_optim(lgi_optim *o);
lgi_optim_options *lgi_optim_attr(const lgi_optim *o, int group);
lg_status lgi_set_optim(lgi_optim *o, int group, const void *attr);  /* others, checked */
lg_status lgi_set_lr(lgi_optim *o, int group, double lr);

/* One update, whole or not at all. g[i] may be NULL: that parameter stays. clip_norm: the
 * most that the norm of all gradients may be; 0: any. */
lg_status lgi_step(lgi_optim *o, lg_tensor *const *g, double clip_norm);

/* Differentiates loss with respect to the optimizer's own parameters alone, updates them,
 * and gives the loss's value. missed: how many parameters the loss does not reach. */
lg_status lgi_minimize(lgi_optim *o, lg_tensor *loss, double clip_norm, double *value,
                       int *missed);

/* The first half of a step, from gradients or from a loss: the parameters go where a step
 * would take them, and the second half, lgi_step or lgi_minimize with the gradients that
 * are found there, steps from where they were. */
lg_status lgi_extrapolate(lgi_optim *o, lg_tensor *const *g, double clip_norm);
lg_status lgi_extrapolate_by(lgi_optim *o, lg_tensor *loss, double clip_norm,
                             double *value, int *missed);

#endif
