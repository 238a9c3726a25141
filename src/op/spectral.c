/*
 * spectral.c - eigenvalues and singular values, and the square root made of them.
 *
 * Vectors have a sign of their own choice: here the component that is greatest in size is
 * positive. Where values are equal, the vectors turn freely, and their gradient has no
 * limit; its term for two such values is left out. Rules: Giles 2008; for svd Townsend
 * 2016, "Differentiating the singular value decomposition".
 */
#include "kernel/gemm.h"
#include "op/linalg.h"

#include <float.h>
#include <math.h>
#include <string.h>

extern const lg_op lgi_op_div_no_nan, lgi_op_lyapunov;

static bool all_finite(const lg_real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite((double)x[i]))
            return false;
    return true;
}

/* -1 where the component of that greatest size is negative, else 1 */
static lg_real vector_sign(const lg_real *v, int n, int64_t step)
{
    lg_real top = 0;
    for (int i = 0; i < n; i++) {
        lg_real x = v[i * step];
        top = fabs((double)x) > fabs((double)top) ? x : top;
    }
    return top < 0 ? -1 : 1;
}

/* Rules: x, of {...,k}, as {...,k,1} or {...,1,k}. */
static lg_tensor *values_along(lg_engine *E, lg_tensor *x, bool rows)
{
    lg_tensor like = {.ndim = x ? x->ndim + 1 : 0};
    if (!x)
        return NULL;
    memcpy(like.dim, x->dim, (size_t)x->ndim * sizeof *x->dim);
    like.dim[x->ndim] = rows ? 1 : x->dim[x->ndim - 1];
    like.dim[x->ndim - 1] = rows ? x->dim[x->ndim - 1] : 1;
    return lgi_reshape_to(E, x, &like);
}

/* a / b, and 0 where b is 0 */
static lg_tensor *over(lg_engine *E, lg_tensor *a, lg_tensor *b)
{
    return lgi_apply2(E, &lgi_op_div_no_nan, a, b, NULL);
}

/* diag(x) */
static lg_tensor *on_diagonal(lg_engine *E, lg_tensor *x)
{
    lg_tensor *eye = lgi_triangle(E, (int)x->dim[x->ndim - 1], 0, 1, 0);
    return lgi_mul(E, values_along(E, x, true), eye);
}

static lg_tensor *sum_of(lg_engine *E, lg_tensor *a, lg_tensor *b)
{
    return a && b ? lgi_add(E, a, b) : a ? a : b;
}

/* Decomposes matrix i of x, or says why not. vectors: n,n, as rows */
static lg_status eigen_of(lg_engine *E, const lgi_node *n, int64_t i, lg_real *values,
                          lg_real *vectors, lg_real *scratch)
{
    const lg_tensor *x = n->in[0];
    int size = lgi_matrix_rows(x);
    int64_t area = (int64_t)size * size;
    if (!all_finite(x->data + i * area, area))
        return lgi_fail_matrix(E, n, i, "has a NaN or an infinity");
    lgi_symmetric_part(x->data + i * area, size, vectors);
    if (!lgi_eigen(E, size, vectors, values, scratch))
        return lgi_fail_matrix(E, n, i, "has eigenvalues that LAPACK did not find");
    return LG_OK;
}

/* eigh */

static lg_status eigh_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    if (lgi_need_matrices(E, n, 0, true) < 0
        || lgi_set_dims(&n->out[0], x->ndim - 1, x->dim) < 0)
        return E->status;
    return lgi_like(&n->out[1], x);
}

static size_t square_bytes(const lgi_node *n, int64_t squares)
{
    int64_t size = lgi_matrix_rows(n->in[0]);
    return (size_t)((squares * size + 1) * size) * sizeof(lg_real);
}

static size_t eigh_workspace(lg_engine *E, const lgi_node *n)
{
    (void)E;
    return square_bytes(n, 1) + lgi_eigen_scratch(lgi_matrix_rows(n->in[0]));
}

static lg_status eigh_attempt(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *x = n->in[0];
    int size = lgi_matrix_rows(x);
    int64_t area = (int64_t)size * size;
    lg_real *rows = workspace, *scratch = rows + area;
    for (int64_t i = 0; i < lgi_matrix_count(x) && size; i++) {
        lg_real *to = n->out[1].data + i * area;
        if (eigen_of(E, n, i, n->out[0].data + i * size, rows, scratch) < 0)
            return E->status;
        for (int k = 0; k < size; k++) {
            const lg_real *v = rows + (int64_t)k * size;
            lg_real sign = vector_sign(v, size, 1);
            for (int j = 0; j < size; j++)
                to[(int64_t)j * size + k] = sign * v[j];
        }
    }
    return LG_OK;
}

/* The symmetric part of v (diag(g) + (v^T g_v) / d) v^T, with d[i][j] = w[j] - w[i]. */
static lg_status eigh_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out)
{
    lg_tensor *w = &n->out[0], *v = &n->out[1], *inner = NULL;
    if (!wanted[0] || n->in[0]->numel == 0)
        return LG_OK;
    if (g[0])
        inner = on_diagonal(E, g[0]);
    if (g[1]) {
        lg_tensor *d = lgi_sub(E, values_along(E, w, false), values_along(E, w, true));
        lg_tensor *turn = over(E, lgi_matmul(E, v, g[1], true, false), d);
        inner = sum_of(E, inner, turn);
    }
    lg_tensor *right = lgi_matmul(E, inner, v, false, true);
    out[0] = lgi_symmetrized(E, lgi_matmul(E, v, right, false, false));
    return E->status;
}

static double eigen_flops(const lgi_node *n)
{
    return 9 * (double)n->in[0]->numel * (double)lgi_matrix_rows(n->in[0]);
}

#define SPECTRAL_SYMMETRIC " Of x its symmetric part is taken, (x + x^T) / 2."
#define SPECTRAL_SIGNS " The component of a vector that is greatest in size is "         \
    "positive. Where two values are equal, the gradient of their vectors lacks its "     \
    "term for the two."

const lg_op lgi_op_eigh = {
    .name = "eigh", .args = "x", .results = "values, vectors",
    .doc = "The eigenvalues {...,n}, ascending, and the eigenvectors {...,n,n}, as "
           "columns, of symmetric matrices x {...,n,n}: x = v diag(w) v^T."
           SPECTRAL_SYMMETRIC SPECTRAL_SIGNS,
    .shape = eigh_shape, .workspace = eigh_workspace, .attempt = eigh_attempt,
    .grad = eigh_grad, .needs = LGI_OUT(0) | LGI_OUT(1), .flops = eigen_flops,
    .samples = {"3,3 spd", "2,2", "1,1", "2,3,3 spd", "0,0", "0,2,2", "2,1,1,2,2 spd"}};

/* svd */

static lg_status svd_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    int64_t dim[LG_MAX_DIM];
    if (lgi_need_matrices(E, n, 0, false) < 0)
        return E->status;
    int64_t rows = lgi_matrix_rows(x), cols = lgi_matrix_cols(x);
    int64_t least = rows < cols ? rows : cols;
    int last = x->ndim - 1;
    memcpy(dim, x->dim, sizeof dim);
    dim[last] = least;
    lgi_set_dims(&n->out[0], x->ndim, dim);
    dim[last - 1] = cols;
    lgi_set_dims(&n->out[2], x->ndim, dim);
    dim[last - 1] = least;
    return lgi_set_dims(&n->out[1], x->ndim - 1, dim);
}

static size_t svd_workspace(lg_engine *E, const lgi_node *n)
{
    int rows = lgi_matrix_rows(n->in[0]), cols = lgi_matrix_cols(n->in[0]);
    int64_t least = rows < cols ? rows : cols;
    (void)E;
    return (size_t)(((int64_t)rows + least) * cols) * sizeof(lg_real)
           + lgi_singular_scratch(rows, cols);
}

/* Turns each pair of vectors, the columns of u and the rows of vt, and keeps v. */
static void keep_singular(lg_real *u, int rows, const lg_real *vt, int cols, int least,
                          lg_real *v)
{
    for (int k = 0; k < least; k++) {
        lg_real sign = vector_sign(u + k, rows, least);
        for (int i = 0; i < rows; i++)
            u[(int64_t)i * least + k] *= sign;
        for (int j = 0; j < cols; j++)
            v[(int64_t)j * least + k] = sign * vt[(int64_t)k * cols + j];
    }
}

static lg_status svd_attempt(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *x = n->in[0];
    int rows = lgi_matrix_rows(x), cols = lgi_matrix_cols(x);
    int least = rows < cols ? rows : cols;
    int64_t area = (int64_t)rows * cols;
    lg_real *a = workspace, *vt = a + area, *scratch = vt + (int64_t)least * cols;
    for (int64_t i = 0; i < lgi_matrix_count(x) && least; i++) {
        lg_real *u = n->out[0].data + i * rows * least;
        memcpy(a, x->data + i * area, (size_t)area * sizeof *a);
        if (!all_finite(a, area))
            return lgi_fail_matrix(E, n, i, "has a NaN or an infinity");
        if (!lgi_singular(E, rows, cols, a, u, n->out[1].data + i * least, vt, scratch))
            return lgi_fail_matrix(E, n, i, "has singular values that LAPACK did not "
                                   "find");
        keep_singular(u, rows, vt, cols, least, n->out[2].data + i * cols * least);
    }
    return LG_OK;
}

/* (u^T g - g^T u) / e, with e[i][j] = s[j]^2 - s[i]^2 */
static lg_tensor *singular_turn(lg_engine *E, lg_tensor *u, lg_tensor *g, lg_tensor *s)
{
    lg_tensor *row = values_along(E, s, false), *column = values_along(E, s, true);
    lg_tensor *e = lgi_mul(E, lgi_sub(E, row, column), lgi_add(E, row, column));
    lg_tensor *ug = lgi_matmul(E, u, g, true, false);
    return over(E, lgi_sub(E, ug, lgi_transposed(E, ug)), e);
}

/* (g - u u^T g) / s: of g what is not in the space of u */
static lg_tensor *singular_rest(lg_engine *E, lg_tensor *u, lg_tensor *g, lg_tensor *s)
{
    lg_tensor *inside = lgi_matmul(E, u, lgi_matmul(E, u, g, true, false), false, false);
    return over(E, lgi_sub(E, g, inside), values_along(E, s, false));
}

/*
 *   u (T_u s + s T_v + diag(g_s)) v^T + R_u v^T + u R_v^T
 *
 * with T and R as above. R is 0 where u (or v) is square.
 */
static lg_status svd_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    lg_tensor *u = &n->out[0], *s = &n->out[1], *v = &n->out[2], *by_x = NULL;
    if (!wanted[0] || n->in[0]->numel == 0)
        return LG_OK;
    lg_tensor *inner = g[1] ? on_diagonal(E, g[1]) : NULL;
    if (g[0]) {
        lg_tensor *turn = singular_turn(E, u, g[0], s);
        inner = sum_of(E, inner, lgi_mul(E, turn, values_along(E, s, false)));
    }
    if (g[2]) {
        lg_tensor *turn = singular_turn(E, v, g[2], s);
        inner = sum_of(E, inner, lgi_mul(E, turn, values_along(E, s, true)));
    }
    lg_tensor *left = lgi_matmul(E, u, inner, false, false);
    if (g[0] && lgi_matrix_rows(u) > lgi_matrix_cols(u))
        left = lgi_add(E, left, singular_rest(E, u, g[0], s));
    by_x = lgi_matmul(E, left, v, false, true);
    if (g[2] && lgi_matrix_rows(v) > lgi_matrix_cols(v)) {
        lg_tensor *rest = singular_rest(E, v, g[2], s);
        by_x = lgi_add(E, by_x, lgi_matmul(E, u, rest, false, true));
    }
    out[0] = by_x;
    return E->status;
}

static double svd_flops(const lgi_node *n)
{
    return 14 * (double)n->in[0]->numel * (double)lgi_matrix_cols(&n->out[0]);
}

const lg_op lgi_op_svd = {
    .name = "svd", .args = "x", .results = "u, s, v",
    .doc = "x = u diag(s) v^T for matrices x {...,m,n}: with k the lesser of m and n, u "
           "{...,m,k} and v {...,n,k} have orthonormal columns, and s {...,k} the "
           "singular values, descending. The signs of v follow those of u."
           SPECTRAL_SIGNS,
    .shape = svd_shape, .workspace = svd_workspace, .attempt = svd_attempt,
    .grad = svd_grad, .needs = LGI_OUT(0) | LGI_OUT(1) | LGI_OUT(2), .flops = svd_flops,
    .samples = {"3,2", "2,3", "2,2", "1,1", "2,3,2", "0,2", "0,2,2", "2,1,1,2,2 spd"}};

/* The product of square matrices. */
static void multiply_squares(lg_engine *E, int n, const lg_real *a, bool ta,
                             const lg_real *b, bool tb, lg_real *to, void *scratch)
{
    lgi_product p = {.m = n, .n = n, .k = n, .a = a, .lda = n, .ta = ta, .b = b,
                     .ldb = n, .tb = tb, .c = to, .ldc = n};
    lgi_gemm(E, &p, NULL, scratch);
}

static size_t squares_scratch(lg_engine *E, int n)
{
    lgi_product p = {.m = n, .n = n, .k = n, .lda = n, .ldb = n, .ldc = n};
    size_t product = lgi_gemm_scratch(E, &p, NULL), eigen = lgi_eigen_scratch(n);
    return product > eigen ? product : eigen;
}

/* sqrtm. Eigenvalues that may be rounding alone count as 0: their roots would not be
 * small. */

static lg_status sqrtm_shape(lg_engine *E, lgi_node *n)
{
    return lgi_need_matrices(E, n, 0, true) < 0 ? E->status : lgi_same_shape(E, n);
}

static size_t sqrtm_workspace(lg_engine *E, const lgi_node *n)
{
    return square_bytes(n, 2) + squares_scratch(E, lgi_matrix_rows(n->in[0]));
}

static double rounding_of(int n, double greatest)
{
    return greatest * n * (sizeof(lg_real) == 4 ? FLT_EPSILON : DBL_EPSILON);
}

static lg_status sqrtm_attempt(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *x = n->in[0];
    int size = lgi_matrix_rows(x);
    int64_t area = (int64_t)size * size;
    lg_real *rows = workspace, *scaled = rows + area, *w = scaled + area;
    lg_real *scratch = w + size;
    for (int64_t i = 0; i < lgi_matrix_count(x) && size; i++) {
        if (eigen_of(E, n, i, w, rows, scratch) < 0)
            return E->status;
        double least = rounding_of(size, fmax(fabs((double)w[0]),
                                              fabs((double)w[size - 1])));
        if ((double)w[0] < -10 * least)
            return lgi_fail_matrix(E, n, i, "has a negative eigenvalue, and no square "
                                   "root");
        for (int k = 0; k < size; k++) {
            lg_real root = (lg_real)sqrt((double)w[k] > least ? (double)w[k] : 0);
            for (int64_t j = k * (int64_t)size; j < (k + 1) * (int64_t)size; j++)
                scaled[j] = root * rows[j];
        }
        multiply_squares(E, size, rows, true, scaled, false, n->out->data + i * area,
                         scratch);
    }
    return LG_OK;
}

/* From y y = x: y d + d y = dx, whose adjoint is the same equation. */
static lg_status sqrtm_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_symmetrized(E, lgi_apply2(E, &lgi_op_lyapunov, n->out, g[0], NULL));
    return E->status;
}

const lg_op lgi_op_sqrtm = {
    .name = "sqrtm", .args = "x",
    .doc = "The symmetric y with y y = x, for matrices x {...,n,n} that are symmetric "
           "and have no negative eigenvalue; if one has, that is an error."
           SPECTRAL_SYMMETRIC " Where x is singular, the gradient is that of the rest.",
    .shape = sqrtm_shape, .workspace = sqrtm_workspace, .attempt = sqrtm_attempt,
    .grad = sqrtm_grad, .needs = LGI_OUT(0), .flops = eigen_flops,
    .samples = {"3,3 spd", "1,1 positive", "2,3,3 spd", "0,0", "0,2,2",
                "2,1,1,2,2 spd"}};

/* lyapunov */

static lg_status lyapunov_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *s = n->in[0], *c = n->in[1];
    if (lgi_need_matrices(E, n, 0, true) < 0)
        return E->status;
    if (!lgi_same_dims(s, c))
        return lgi_fail(E, LG_ESHAPE, "%s: s is %s and c is %s; the shapes must be the "
                        "same", n->op->name, LGI_SHAPE(s), LGI_SHAPE(c));
    return lgi_same_shape(E, n);
}

static size_t lyapunov_workspace(lg_engine *E, const lgi_node *n)
{
    return square_bytes(n, 3) + squares_scratch(E, lgi_matrix_rows(n->in[0]));
}

/* In the basis of the eigenvectors it is c[i][j] / (w[i] + w[j]). */
static lg_status lyapunov_attempt(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *s = n->in[0], *c = n->in[1];
    int size = lgi_matrix_rows(s);
    int64_t area = (int64_t)size * size;
    lg_real *rows = workspace, *a = rows + area, *b = a + area, *w = b + area;
    lg_real *scratch = w + size;
    for (int64_t m = 0; m < lgi_matrix_count(s) && size; m++) {
        if (eigen_of(E, n, m, w, rows, scratch) < 0)
            return E->status;
        double greatest = fmax(fabs((double)w[0]), fabs((double)w[size - 1]));
        multiply_squares(E, size, rows, false, c->data + m * area, false, a, scratch);
        multiply_squares(E, size, a, false, rows, true, b, scratch);
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++) {
                lg_real sum = w[i] + w[j];
                bool none = fabs((double)sum) <= rounding_of(size, greatest);
                b[(int64_t)i * size + j] = none ? 0 : b[(int64_t)i * size + j] / sum;
            }
        multiply_squares(E, size, rows, true, b, false, a, scratch);
        multiply_squares(E, size, a, false, rows, false, n->out->data + m * area,
                         scratch);
    }
    return LG_OK;
}

/* By c it is d, the solution for g; by s the symmetric part of -(d y^T + y^T d). */
static lg_status lyapunov_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    lg_tensor *y = n->out, *d = lgi_apply2(E, &lgi_op_lyapunov, n->in[0], g[0], NULL);
    if (wanted[0]) {
        lg_tensor *a = lgi_matmul(E, d, y, false, true);
        lg_tensor *b = lgi_matmul(E, y, d, true, false);
        out[0] = lgi_neg(E, lgi_symmetrized(E, lgi_add(E, a, b)));
    }
    if (wanted[1])
        out[1] = d;
    return E->status;
}

const lg_op lgi_op_lyapunov = {
    .name = "lyapunov", .args = "s, c",
    .doc = "The y with s y + y s = c, for matrices s and c {...,n,n}, s symmetric (of it "
           "the symmetric part is taken). Where two eigenvalues of s add up to 0, y has "
           "nothing for the two.",
    .shape = lyapunov_shape, .workspace = lyapunov_workspace, .attempt = lyapunov_attempt,
    .grad = lyapunov_grad, .needs = LGI_IN(0) | LGI_OUT(0), .flops = eigen_flops,
    .samples = {"3,3 spd; 3,3", "1,1 positive; 1,1", "2,2,2 spd; 2,2,2", "0,0; 0,0",
                "0,2,2; 0,2,2", "2,1,1,2,2 spd; 2,1,1,2,2"}};

const lg_op *const lgi_ops_spectral[] = {
    &lgi_op_eigh, &lgi_op_svd, &lgi_op_sqrtm, &lgi_op_lyapunov, NULL};
