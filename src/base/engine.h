/*
 * engine.h - the engine: what one user of the library owns, and the first failure in it.
 *
 * There is no process-wide state. Whatever has a life of its own (tensors, layers,
 * optimizers, data sets) begins with an lgi_owned and is in the engine's list, so that
 * lg_close finds all of it.
 */
#ifndef LG_BASE_ENGINE_H
#define LG_BASE_ENGINE_H
#include "base/cpu.h"
#include "lugano.h"

#include <stdatomic.h>

enum { LGI_MESSAGE = 1024, LGI_CLASSES = 448 };

/* The tracked tensors that operators read while no history is recorded, each held once:
 * what lg.recompute must know of. */
typedef struct lgi_noted {
    lg_tensor **at;
    int64_t n, cap;
} lgi_noted;

/* destroy frees the object alone and follows no pointer to another that is owned, since
 * lg_close calls it in any order. */
typedef struct lgi_owned {
    struct lgi_owned *prev, *next;
    void (*destroy)(lg_engine *E, struct lgi_owned *self);
} lgi_owned;

typedef struct lgi_pool lgi_pool;      /* pool.c */
typedef struct lgi_blas lgi_blas;      /* kernel/gemm.c */
typedef struct lgi_free_block lgi_free_block;   /* memory.c */
typedef struct lgi_profile lgi_profile;         /* profile.h */

/* An operator to come, whose first input is what the one before makes: lgi_announce. */
typedef struct lgi_next {
    const lg_op *op;                   /* NULL: nobody has said what comes */
    lg_tensor *other;                  /* its second input, if it has one */
    const void *attr;
} lgi_next;

struct lg_engine {
    /* failure */
    lg_status status;
    char message[LGI_MESSAGE];
    atomic_int interrupt;              /* set from anywhere, polled between pieces */

    bool graceful;                     /* a run is on, which ends by itself when asked */
    atomic_int stop_asked;             /* it was asked: end at the end of the step */

    /* what the host may replace */
    lg_allocator allocator;
    lg_files files;
    lg_clock clock;

    /* memory, in bytes */
    int64_t held;                      /* taken from the allocator, the cache included */
    int64_t cached;                    /* of these, in the cache */
    int64_t peak;                      /* the most that held - cached has been */
    int64_t high;                      /* the most that it was of late */
    int64_t limit;                     /* of held - cached; 0: none */
    int64_t charged;                   /* of held - cached, what a collector knows of */
    int64_t kept;                      /* what operators keep beside tensors */
    bool no_cache;
    lgi_free_block *cache[LGI_CLASSES];

    /* random numbers */
    uint64_t seed;
    uint64_t drawn;                    /* numbers drawn from the script's stream */

    /* threads */
    lgi_pool *pool;                    /* made by the first parallel loop */
    int threads;
    lgi_cpu cpu;
    bool exact;                        /* convolutions multiply all that there is */
    bool use_blas;
    lgi_blas *blas;                    /* loaded when first needed */

    /* life */
    lgi_owned all;                     /* head of the list */
    lg_tensor **scoped;                /* results of the open scopes, a stack */
    int nscoped, scoped_cap;
    lg_tensor *dying;                  /* shells to be freed, so that none recurses */
    bool burying;
    bool recording;                    /* do results remember their history? */
    bool anomaly;                      /* is the first NaN or Inf a failure? */
    const char *gradient_of;           /* the operator whose rule runs, for messages */
    const lg_tensor *given;            /* whose numbers nobody will read but the operator
                                          that comes next, which may write over them */
    lgi_next next;
    const struct lgi_after *after;     /* what follows the one that runs: after.h */
    struct lgi_node *ready;            /* what has followed, and is not yet applied */
    bool replaying;                    /* is a forward pass computed again? Then running
                                          statistics, which know of it, stay */
    lgi_noted *noted;                  /* where they go, or NULL */
    lgi_noted *vectors;                /* where those of spectral weights go, or NULL */
    lgi_noted *again;                  /* those of the pass that is computed again: n of
                                          cap are taken; or NULL */
    double flops;                      /* arithmetic of all operators so far */
    lgi_profile *profile;              /* NULL: it is off */
    uint64_t walk;                     /* number of the latest gradient walk */
    bool spent;                        /* one failed and has let history go: trying it
                                          again is of no use */

    /* scripts, if any: closed before all else, since they hold tensors */
    void *script;
    void *thread;                      /* the script's, which waits for a result now */
    void (*close_script)(lg_engine *E);
    lg_status raised;                  /* the failure that last became a script's error */
};

/* Records a failure unless one is pending, and returns status. */
lg_status lgi_fail(lg_engine *E, lg_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

lg_status lgi_interrupted(lg_engine *E);       /* fails if the flag is set; clears it */

void lgi_own(lg_engine *E, lgi_owned *o, void (*destroy)(lg_engine *, lgi_owned *));
void lgi_disown(lgi_owned *o);

#endif
