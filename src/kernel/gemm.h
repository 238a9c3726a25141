/*
 * gemm.h - products of matrices.
 *
 * Work is cut into pieces by the shapes alone: strips of columns by chunks of rows, and,
 * where those are few and k is long, parts of k, summed in order. So the bits do not
 * depend on the number of threads.
 */
#ifndef LG_KERNEL_GEMM_H
#define LG_KERNEL_GEMM_H
#include "base/engine.h"

/* c = a b, where transposed a is kept as k,m and transposed b as n,k. */
typedef struct lgi_product {
    int64_t m, n, k;
    const lg_real *a;                  /* m,k */
    int64_t lda;
    const lg_real *b;                  /* k,n */
    int64_t ldb;
    lg_real *c;                        /* m,n */
    int64_t ldc;
    const lg_real *bias;               /* n: added to every row; or NULL */
    bool ta, tb;
    bool add;                          /* c += a b */
} lgi_product;

/* The same product for many matrices; those of c follow one another. */
typedef struct lgi_batch {
    int64_t n;                         /* product of dim */
    int ndim;
    int64_t dim[LG_MAX_DIM];
    int64_t a[LG_MAX_DIM], b[LG_MAX_DIM];      /* steps between matrices; 0: shared */
} lgi_batch;

/* Bytes of scratch for lgi_gemm; batch may be NULL. */
size_t lgi_gemm_scratch(lg_engine *E, const lgi_product *p, const lgi_batch *batch);
void lgi_gemm(lg_engine *E, const lgi_product *p, const lgi_batch *batch, void *scratch);

/* A function of OpenBLAS by its name, for kernel/lapack.c; NULL: there is none. */
void *lgi_blas_symbol(lg_engine *E, const char *name);

/* In this thread alone: for a piece of another loop. */
void lgi_gemm_serial(lgi_cpu cpu, const lgi_product *p);

#endif
