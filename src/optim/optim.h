/*
 * optim.h - what an optimizer is.
 *
 * An optimizer's type is one constant descriptor. Its update sees a run of elements of
 * one parameter, so one parallel pass over memory serves all parameters and all types.
 */
#ifndef LG_OPTIM_OPTIM_H
#define LG_OPTIM_OPTIM_H
#include "op/op.h"

enum { LGI_MAX_STATE = 4 };

typedef struct lgi_optim lgi_optim;

typedef struct lgi_run {               /* elements of one parameter */
    int64_t n;
    lg_real *p;                        /* the parameter */
    const lg_real *g;                  /* its gradient */
    lg_real *state[LGI_MAX_STATE];     /* what the optimizer keeps for it */
} lgi_run;

typedef struct lgi_optim_type {
    const char *name;                  /* "Adam" */
    const char *args;                  /* "lr: number = 0.001, ...": as in op.h */
    const char *doc;                   /* the rule, its source */
    size_t attr_bytes;
    const char *states[LGI_MAX_STATE]; /* names: "m", "v" */
    int (*count_states)(const void *attr);     /* how many of them; absent: all */
    lg_status (*check)(lg_engine *E, const void *attr);
    void (*update)(const lgi_optim *o, const lgi_run *r);      /* o->step counts from 1 */
} lgi_optim_type;

struct lgi_optim {
    lgi_owned owned;
    lg_engine *engine;
    const lgi_optim_type *type;
    void *attr;
    int64_t step;                      /* updates so far, this one included */
    double scale;                      /* of the gradients: clip_norm */
    int nparam, nstate;
    lg_tensor **param;                 /* held */
    lg_tensor **state;                 /* nstate for each parameter in turn; held */
    int64_t *first;                    /* nparam + 1: the first piece of each parameter */
    double *partial;                   /* for each piece, of the gradients' squares */
    bool *done;                        /* is each piece, of the update at work? */
    int missed;                        /* first that the latest loss missed; -1: none */
    size_t bytes;
};

extern const lgi_optim_type *const *const lgi_optim_families[];     /* optim_list.c */
const lgi_optim_type *lgi_each_optim(int *family, int *member);
const lgi_optim_type *lgi_find_optim(const char *name);
lg_status lgi_optim_need(lg_engine *E, const char *who, const char *option, double value,
                         double least, double below);  /* least <= value < below */

/* attr: the options' struct. The parameters are tracked leaves, each given once. */
lgi_optim *lgi_new_optim(lg_engine *E, const lgi_optim_type *type, const void *attr,
                         int n, lg_tensor *const *param);
void lgi_close_optim(lgi_optim *o);
lg_status lgi_set_optim(lgi_optim *o, const void *attr);   /* other options, checked */

/* One update, whole or not at all. g[i] may be NULL: that parameter stays. clip_norm: 0
 * for none. */
lg_status lgi_step(lgi_optim *o, lg_tensor *const *g, double clip_norm);

/* Differentiates loss with respect to the optimizer's own parameters alone, updates them,
 * and gives the loss's value. missed: how many parameters the loss does not reach. */
lg_status lgi_minimize(lgi_optim *o, lg_tensor *loss, double clip_norm, double *value,
                       int *missed);

#endif
