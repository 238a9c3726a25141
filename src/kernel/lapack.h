/*
 * lapack.h - factorizations of one matrix, by the LAPACK within OpenBLAS.
 *
 * Matrices are row-major here, and sizes at most LGI_LAPACK_MOST, so that LAPACK's ints
 * hold its scratch. All of it runs in the calling thread: OpenBLAS wants a buffer of its
 * own for each thread that calls it.
 */
#ifndef LG_KERNEL_LAPACK_H
#define LG_KERNEL_LAPACK_H
#include "base/engine.h"

enum { LGI_LAPACK_MOST = 16384 };

bool lgi_has_lapack(lg_engine *E);

/* a = l l^T: l instead of the lower triangle of a; what is above stays. Returns the order
 * of the first leading minor that is not positive, or 0. */
int lgi_factor_cholesky(lg_engine *E, int n, lg_real *a);              // a: n,n

/* Instead of a its factors, for the two below. False: a is singular. */
bool lgi_factor_lu(lg_engine *E, int n, lg_real *a, int *pivots);      // pivots: n
void lgi_solve_lu(lg_engine *E, int n, const lg_real *lu, const int *pivots,
                  bool transposed, int count, lg_real *columns);       // columns: count,n
void lgi_invert_lu(lg_engine *E, int n, lg_real *lu, const int *pivots, lg_real *scratch);
size_t lgi_invert_scratch(int n);

/* Eigenvalues, ascending, and instead of a, which is symmetric, the eigenvectors as rows.
 * False: no convergence. */
bool lgi_eigen(lg_engine *E, int n, lg_real *a, lg_real *values, lg_real *scratch);
size_t lgi_eigen_scratch(int n);

/* a = u diag(s) vt, with k = min(m, n); a is lost. False: no convergence. */
bool lgi_singular(lg_engine *E, int m, int n, lg_real *a, lg_real *u, lg_real *s,
                  lg_real *vt, lg_real *scratch);                      // m,k k k,n
size_t lgi_singular_scratch(int m, int n);

#endif
