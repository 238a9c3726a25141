/*
 * linalg.h - what the families on LAPACK share. All of them work on batches: the last two
 * axes of x are a matrix.
 */
#ifndef LG_OP_LINALG_H
#define LG_OP_LINALG_H
#include "kernel/lapack.h"
#include "op/op.h"

/* linalg.c. Input i has matrices, square ones if asked, and LAPACK is there. */
lg_status lgi_need_matrices(lg_engine *E, const lgi_node *n, int i, bool square);
int lgi_matrix_rows(const lg_tensor *x);
int lgi_matrix_cols(const lg_tensor *x);
int64_t lgi_matrix_count(const lg_tensor *x);

/* Copies (a + a^T) / 2 to `to`. */
void lgi_symmetric_part(const lg_real *a, int n, lg_real *to);         // n,n

/* Fails: "cholesky: matrix 3 of x {5,2,2} " and what. */
lg_status lgi_fail_matrix(lg_engine *E, const lgi_node *n, int64_t which,
                          const char *what);

/* For rules: the transposed; a b, a b^T, a^T b; (x + x^T) / 2; constants {n,n}, with
 * those numbers below, on and above the diagonal. */
lg_tensor *lgi_transposed(lg_engine *E, lg_tensor *x);
lg_tensor *lgi_symmetrized(lg_engine *E, lg_tensor *x);
lg_tensor *lgi_triangle(lg_engine *E, int n, double below, double on, double above);

#endif
