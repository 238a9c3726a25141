/*
 * lapack.c - factorizations, by LAPACK.
 *
 * LAPACK is column-major, so it sees the transposed of each matrix. It is Fortran, with
 * everything by address; the lengths of strings come last, hidden.
 */
#include "kernel/lapack.h"

#include "kernel/gemm.h"

#ifdef LG_DOUBLE
#define LAPACK_NAME(name) "d" name "_"
#else
#define LAPACK_NAME(name) "s" name "_"
#endif

typedef void lapack_potrf(const char *uplo, const int *n, lg_real *a, const int *lda,
                          int *info, size_t);
typedef void lapack_getrf(const int *m, const int *n, lg_real *a, const int *lda,
                          int *pivots, int *info);
typedef void lapack_getrs(const char *trans, const int *n, const int *count,
                          const lg_real *a, const int *lda, const int *pivots, lg_real *b,
                          const int *ldb, int *info, size_t);
typedef void lapack_getri(const int *n, lg_real *a, const int *lda, const int *pivots,
                          lg_real *work, const int *lwork, int *info);
typedef void lapack_syevd(const char *job, const char *uplo, const int *n, lg_real *a,
                          const int *lda, lg_real *w, lg_real *work, const int *lwork,
                          int *iwork, const int *liwork, int *info, size_t, size_t);
typedef void lapack_gesdd(const char *job, const int *m, const int *n, lg_real *a,
                          const int *lda, lg_real *s, lg_real *u, const int *ldu,
                          lg_real *vt, const int *ldvt, lg_real *work, const int *lwork,
                          int *iwork, int *info, size_t);

/* Declares the function f of that name. */
#define LAPACK_FUNCTION(f, name)                                                        \
    lapack_##name *f;                                                                   \
    *(void **)&f = lgi_blas_symbol(E, LAPACK_NAME(#name))

enum { LAPACK_BLOCK = 64 };

bool lgi_has_lapack(lg_engine *E)
{
    static const char *const all[] = {
        LAPACK_NAME("potrf"), LAPACK_NAME("getrf"), LAPACK_NAME("getrs"),
        LAPACK_NAME("getri"), LAPACK_NAME("syevd"), LAPACK_NAME("gesdd")};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!lgi_blas_symbol(E, all[i]))
            return false;
    return true;
}

/* Its upper triangle is our lower one. */
int lgi_factor_cholesky(lg_engine *E, int n, lg_real *a)
{
    int info = 0;
    LAPACK_FUNCTION(factor, potrf);
    factor("U", &n, a, &n, &info, 1);
    return info;
}

bool lgi_factor_lu(lg_engine *E, int n, lg_real *a, int *pivots)
{
    int info = 0;
    LAPACK_FUNCTION(factor, getrf);
    factor(&n, &n, a, &n, pivots, &info);
    return info == 0;
}

void lgi_solve_lu(lg_engine *E, int n, const lg_real *lu, const int *pivots,
                  bool transposed, int count, lg_real *columns)
{
    int info = 0;
    LAPACK_FUNCTION(solve, getrs);
    solve(transposed ? "N" : "T", &n, &count, lu, &n, pivots, columns, &n, &info, 1);
}

size_t lgi_invert_scratch(int n) { return (size_t)n * LAPACK_BLOCK * sizeof(lg_real); }

void lgi_invert_lu(lg_engine *E, int n, lg_real *lu, const int *pivots, lg_real *scratch)
{
    int info = 0, size = n * LAPACK_BLOCK;
    LAPACK_FUNCTION(invert, getri);
    invert(&n, lu, &n, pivots, scratch, &size, &info);
}

static int eigen_size(int n) { return 1 + 6 * n + 2 * n * n; }

size_t lgi_eigen_scratch(int n)
{
    return (size_t)eigen_size(n) * sizeof(lg_real) + (size_t)(3 + 5 * n) * sizeof(int);
}

bool lgi_eigen(lg_engine *E, int n, lg_real *a, lg_real *values, lg_real *scratch)
{
    int info = 0, size = eigen_size(n), whole = 3 + 5 * n;
    LAPACK_FUNCTION(eigen, syevd);
    eigen("V", "U", &n, a, &n, values, scratch, &size, (int *)(scratch + size), &whole,
          &info, 1, 1);
    return info == 0;
}

static int singular_size(int m, int n)
{
    int k = m < n ? m : n;
    return 5 * k * k + 7 * k + LAPACK_BLOCK * (m + n);
}

size_t lgi_singular_scratch(int m, int n)
{
    int k = m < n ? m : n;
    return (size_t)singular_size(m, n) * sizeof(lg_real) + (size_t)(8 * k) * sizeof(int);
}

/* It factors a^T = v s u^T, into our vt and u. */
bool lgi_singular(lg_engine *E, int m, int n, lg_real *a, lg_real *u, lg_real *s,
                  lg_real *vt, lg_real *scratch)
{
    int info = 0, size = singular_size(m, n), k = m < n ? m : n;
    LAPACK_FUNCTION(factor, gesdd);
    factor("S", &n, &m, a, &n, s, vt, &n, u, &k, scratch, &size, (int *)(scratch + size),
           &info, 1);
    return info == 0;
}
