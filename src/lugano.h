/*
 * lugano.h - the public C interface: engines, tensors, operators, gradients, layers,
 * optimizers. A symbol that is not in this file or in lugano_lua.h is private.
 *
 * Conventions, said once:
 *
 *   errors     A function that can fail returns a negative lg_status or NULL and leaves
 *              a message in the engine (lg_message). The engine keeps the first failure,
 *              and refuses further work, until lg_clear. The library never prints,
 *              never exits, never aborts and never longjmps into its host.
 *   NULL       A tensor function that is given NULL returns NULL, so a formula needs
 *              one check, at its end.
 *   ownership  A tensor that a function returns belongs to the innermost open scope;
 *              lg_retain keeps it longer. What is left goes with lg_close.
 *   shapes     Row-major, slowest axis first, at most LG_MAX_DIM axes. Images are
 *              n,c,h,w. Axes count from 1, and negative ones from the end.
 *   threads    An engine belongs to one thread at a time; engines share nothing. Only
 *              lg_interrupt may be called from elsewhere, a signal handler included.
 */
#ifndef LG_H
#define LG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LG_VERSION_MAJOR 0
#define LG_VERSION_MINOR 1
#define LG_VERSION_PATCH 0
#define LG_VERSION "0.1.0"

#if defined(__GNUC__)
#define LG_API __attribute__((visibility("default")))
#else
#define LG_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifdef LG_DOUBLE
typedef double lg_real;                /* the double preset: for gradient checks */
#else
typedef float lg_real;
#endif

enum { LG_MAX_DIM = 8 };               /* axes of a tensor */

typedef enum lg_status {
    LG_OK         = 0,
    LG_ENOMEM     = -1,                /* memory is exhausted, or its limit reached */
    LG_ESHAPE     = -2,                /* shapes do not fit together */
    LG_EARG       = -3,                /* an argument is wrong */
    LG_EIO        = -4,                /* a file could not be read or written */
    LG_EFORMAT    = -5,                /* a file is not what it should be */
    LG_ESTATE     = -6,                /* not now: closed, let go, changed since */
    LG_EINTERRUPT = -7,                /* lg_interrupt was called */
    LG_ESCRIPT    = -8,                /* a script raised an error */
    LG_EANOMALY   = -9                 /* a NaN or Inf was made: see lg_anomaly */
} lg_status;

typedef struct lg_engine lg_engine;
typedef struct lg_tensor lg_tensor;    /* immutable numbers with a shape */
typedef struct lg_op lg_op;            /* an operator's descriptor */

/* What a host may replace. Each table is copied; user is passed through. */

typedef struct lg_allocator {
    void *user;
    void *(*alloc)(void *user, size_t size);          /* aligned to 64 bytes, or NULL */
    void (*free)(void *user, void *p, size_t size);   /* with the size asked for */
} lg_allocator;

typedef struct lg_files {              /* failures are -1 or NULL, and errno */
    void *user;
    void *(*open)(void *user, const char *path, const char *mode);   /* "r", "w", "a" */
    ptrdiff_t (*read)(void *user, void *file, void *to, size_t n);   /* 0 at the end */
    ptrdiff_t (*write)(void *user, void *file, const void *from, size_t n);
    int (*sync)(void *user, void *file);              /* to the disk itself */
    int (*close)(void *user, void *file);
    int (*rename)(void *user, const char *from,
                  const char *to);                    /* and sync the folder */
    int (*remove)(void *user, const char *path);
    int (*mkdir)(void *user, const char *path);       /* an existing folder is fine */
    /* each(to, name, is it a folder?) for each entry, in any order, until that is not 0;
     * NULL: folders are not read */
    int (*list)(void *user, const char *path, void *to,
                int (*each)(void *to, const char *name, int folder));
} lg_files;

typedef struct lg_clock {
    void *user;
    double (*now)(void *user);         /* seconds since some moment, never backwards */
} lg_clock;

typedef struct lg_config {
    size_t size;                       /* sizeof(lg_config): begin with LG_CONFIG_INIT */
    int threads;                       /* 0: one a core */
    int64_t memory_limit;              /* bytes; 0: none */
    bool blas;                         /* large products may go through OpenBLAS, whose
                                          thread count, one a process, becomes 1 */
    bool no_cache;                     /* freed buffers go back at once: leak checks */
    const lg_allocator *allocator;     /* NULL: the C library's, as for the next two */
    const lg_files *files;
    const lg_clock *clock;
} lg_config;
#define LG_CONFIG_INIT { sizeof(lg_config), 0, 0, false, false, 0, 0, 0 }

/* engines */

LG_API lg_status lg_open(lg_engine **E, const lg_config *config);   /* config or NULL */
LG_API int64_t lg_close(lg_engine *E);         /* the bytes that were not given back: 0 */
LG_API lg_status lg_failure(const lg_engine *E);      /* the first since lg_clear */
LG_API const char *lg_message(const lg_engine *E);    /* its text; "" if there is none */
LG_API void lg_clear(lg_engine *E);
LG_API void lg_interrupt(lg_engine *E);        /* what runs now, or else next, fails */
LG_API void lg_seed(lg_engine *E, uint64_t seed);
LG_API int64_t lg_bytes(const lg_engine *E);   /* in use now, the cache not counted */
LG_API int64_t lg_peak_bytes(const lg_engine *E);     /* the most there were */
LG_API void lg_trim(lg_engine *E);             /* gives back the cached buffers */
LG_API const char *lg_version(void);           /* of the library: compare LG_VERSION */

/* scopes */

LG_API int lg_open_scope(lg_engine *E);
LG_API void lg_close_scope(lg_engine *E, int scope);  /* and those opened within it */
LG_API lg_tensor *lg_retain(lg_tensor *t);
LG_API void lg_release(lg_tensor *t);

/* tensors */

LG_API lg_tensor *lg_zeros(lg_engine *E, int ndim, const int64_t *dim);
LG_API lg_tensor *lg_full(lg_engine *E, int ndim, const int64_t *dim, double value);
LG_API lg_tensor *lg_from(lg_engine *E, int ndim, const int64_t *dim,
                          const lg_real *data);
LG_API lg_tensor *lg_scalar(lg_engine *E, double value);             /* no axes */
LG_API lg_tensor *lg_rand(lg_engine *E, int ndim, const int64_t *dim);   /* in [0, 1) */
LG_API lg_tensor *lg_randn(lg_engine *E, int ndim, const int64_t *dim);  /* N(0, 1) */
LG_API lg_tensor *lg_track(lg_engine *E, lg_tensor *t);    /* a new leaf, same numbers */
LG_API lg_tensor *lg_detach(lg_engine *E, lg_tensor *t);   /* same numbers, no history */
LG_API lg_status lg_copy(lg_engine *E, lg_tensor *to, const lg_tensor *from);
LG_API int lg_ndim(const lg_tensor *t);
LG_API int64_t lg_dim(const lg_tensor *t, int axis);       /* 0 where there is no such */
LG_API int64_t lg_numel(const lg_tensor *t);
LG_API const lg_real *lg_data(const lg_tensor *t);         /* row-major */

/* operators */

LG_API const lg_op *lg_find_op(const char *name);          /* NULL if there is none */

/* Applies an operator. Attributes are text, "stride=2, padding=1"; NULL for none. An
 * optional input may be NULL. Returns the first result. */
LG_API lg_tensor *lg_apply(lg_engine *E, const lg_op *op, int n, lg_tensor *const *in,
                           const char *attributes);

/* While it is on, the first NaN or Inf that an operator makes, on the way forward or
 * back, is a failure that names the operator and its inputs' statistics. */
LG_API void lg_anomaly(lg_engine *E, bool on);

/* While it is on, convolutions do all multiplications that their definition names. Else,
 * where it saves time, they do fewer (Winograd's forms), with errors of up to some 2e-5
 * of the largest result instead of 1e-6. */
LG_API void lg_exact(lg_engine *E, bool on);

/* gradients */

enum {
    LG_CREATE_GRAPH = 1,               /* the gradients can be differentiated again */
    LG_RETAIN_GRAPH = 2,               /* keep the history for another walk */
    LG_ALLOW_UNUSED = 4,               /* NULL for a tensor that y does not depend on */
    LG_PARTIAL      = 8                /* no gradient flows through one of the tensors to
                                          another, which count as independent */
};

/* Gradients of y with respect to n tensors of its history. seed, of y's shape, weights
 * y's elements; without it y must have one element. */
LG_API lg_status lg_grad(lg_engine *E, lg_tensor *y, lg_tensor *seed, int n,
                         lg_tensor *const *wanted, int flags, lg_tensor **out);

#ifdef __cplusplus
}
#endif
#endif
