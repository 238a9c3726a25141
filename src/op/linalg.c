/*
 * linalg.c - systems of linear equations, and what is made of them: solve, inverse,
 * cholesky. The rules are those of Giles 2008, "Collected matrix derivative results for
 * forward and reverse mode algorithmic differentiation".
 */
#include "op/linalg.h"

#include <stdio.h>
#include <string.h>

extern const lg_op lgi_op_solve, lgi_op_inverse, lgi_op_transpose;

int lgi_matrix_rows(const lg_tensor *x) { return (int)x->dim[x->ndim - 2]; }
int lgi_matrix_cols(const lg_tensor *x) { return (int)x->dim[x->ndim - 1]; }

int64_t lgi_matrix_count(const lg_tensor *x)
{
    return lgi_product_of(x->dim, x->ndim - 2);
}

lg_status lgi_need_matrices(lg_engine *E, const lgi_node *n, int i, bool square)
{
    const lg_tensor *x = n->in[i];
    const int64_t *last = x->dim + x->ndim - 2;
    char name[16];
    lgi_input_name(n, i, name);
    if (x->ndim < 2 || (square && last[0] != last[1]))
        return lgi_fail(E, LG_ESHAPE, "%s: %s must have %smatrices in its last two axes, "
                        "and is %s", n->op->name, name, square ? "square " : "",
                        LGI_SHAPE(x));
    if (last[0] > LGI_LAPACK_MOST || last[1] > LGI_LAPACK_MOST)
        return lgi_fail(E, LG_ESHAPE, "%s: %s is %s, and matrices may have up to %d rows "
                        "and columns", n->op->name, name, LGI_SHAPE(x), LGI_LAPACK_MOST);
    if (lgi_has_lapack(E))
        return LG_OK;
    return E->status < 0 ? E->status
                         : lgi_fail(E, LG_ESTATE, "%s: it needs LAPACK, and the OpenBLAS "
                                    "that brings it was not found; install OpenBLAS "
                                    "(Debian: libopenblas0)", n->op->name);
}

void lgi_symmetric_part(const lg_real *a, int n, lg_real *to)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            lg_real x = (a[(int64_t)i * n + j] + a[(int64_t)j * n + i]) / 2;
            to[(int64_t)i * n + j] = to[(int64_t)j * n + i] = x;
        }
}

lg_status lgi_fail_matrix(lg_engine *E, const lgi_node *n, int64_t which,
                          const char *what)
{
    const lg_tensor *x = n->in[0];
    char place[48] = "", name[16];
    if (lgi_matrix_count(x) != 1)
        snprintf(place, sizeof place, "matrix %lld of ", (long long)which + 1);
    return lgi_fail(E, LG_EARG, "%s: %s%s %s %s", n->op->name, place,
                    lgi_input_name(n, 0, name), LGI_SHAPE(x), what);
}

lg_tensor *lgi_transposed(lg_engine *E, lg_tensor *x)
{
    return lgi_apply1(E, &lgi_op_transpose, x, (int64_t[]){-2, -1});
}

lg_tensor *lgi_symmetrized(lg_engine *E, lg_tensor *x)
{
    return lgi_affine(E, lgi_add(E, x, lgi_transposed(E, x)), 0.5, 0);
}

lg_tensor *lgi_triangle(lg_engine *E, int n, double below, double on, double above)
{
    lg_tensor *t = lgi_make(E, 2, (int64_t[]){n, n});
    for (int i = 0; t && i < n; i++)
        for (int j = 0; j < n; j++)
            t->data[(int64_t)i * n + j] = (lg_real)(j < i ? below : j == i ? on : above);
    return t;
}

/* cholesky */

static lg_status cholesky_shape(lg_engine *E, lgi_node *n)
{
    return lgi_need_matrices(E, n, 0, true) < 0 ? E->status : lgi_same_shape(E, n);
}

static lg_status cholesky_attempt(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *x = n->in[0];
    int size = lgi_matrix_rows(x);
    int64_t area = (int64_t)size * size;
    (void)workspace;
    for (int64_t i = 0; i < lgi_matrix_count(x) && size; i++) {
        lg_real *l = n->out->data + i * area;
        lgi_symmetric_part(x->data + i * area, size, l);
        int order = lgi_factor_cholesky(E, size, l);
        char what[96];
        snprintf(what, sizeof what, "is not positive definite: its leading minor of "
                 "order %d is not positive", order);
        if (order)
            return lgi_fail_matrix(E, n, i, what);
        for (int row = 0; row < size; row++)
            memset(l + (int64_t)row * size + row + 1, 0,
                   (size_t)(size - row - 1) * sizeof *l);
    }
    return LG_OK;
}

/* The symmetric part of l^-T F(l^T g) l^-1, where F takes the lower triangle, and half
 * the diagonal. */
static lg_status cholesky_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    lg_tensor *l = n->out;
    if (!wanted[0])
        return LG_OK;
    lg_tensor *half = lgi_triangle(E, lgi_matrix_rows(l), 1, 0.5, 0);
    lg_tensor *f = lgi_mul(E, lgi_matmul(E, l, g[0], true, false), half);
    lg_tensor *inverse = lgi_apply1(E, &lgi_op_inverse, l, NULL);
    lg_tensor *right = lgi_matmul(E, f, inverse, false, false);
    out[0] = lgi_symmetrized(E, lgi_matmul(E, inverse, right, true, false));
    return E->status;
}

static double cubic_flops(const lgi_node *n)
{
    return (double)n->in[0]->numel * (double)lgi_matrix_rows(n->in[0]);
}

#define SYMMETRIC_DOC " Of x its symmetric part is taken, (x + x^T) / 2."

const lg_op lgi_op_cholesky = {
    .name = "cholesky", .args = "x", .results = "l",
    .doc = "The lower triangular l {...,n,n} with l l^T = x, for x {...,n,n} symmetric "
           "and positive definite; if it is not, that is an error." SYMMETRIC_DOC,
    .shape = cholesky_shape, .attempt = cholesky_attempt, .grad = cholesky_grad,
    .needs = LGI_OUT(0), .flops = cubic_flops,
    .samples = {"3,3 spd", "1,1 positive", "2,2,2 spd", "0,0", "0,2,2",
                "2,1,1,2,2 spd"}};

/* inverse */

static size_t inverse_workspace(lg_engine *E, const lgi_node *n)
{
    int size = lgi_matrix_rows(n->in[0]);
    (void)E;
    return lgi_invert_scratch(size) + (size_t)size * sizeof(int);
}

static lg_status inverse_attempt(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *x = n->in[0];
    int size = lgi_matrix_rows(x);
    int64_t area = (int64_t)size * size;
    int *pivots = (int *)((char *)workspace + lgi_invert_scratch(size));
    for (int64_t i = 0; i < lgi_matrix_count(x) && size; i++) {
        lg_real *y = n->out->data + i * area;
        memcpy(y, x->data + i * area, (size_t)area * sizeof *y);
        if (!lgi_factor_lu(E, size, y, pivots))
            return lgi_fail_matrix(E, n, i, "is singular, and has no inverse");
        lgi_invert_lu(E, size, y, pivots, workspace);
    }
    return LG_OK;
}

/* -y^T g y^T */
static lg_status inverse_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out)
{
    lg_tensor *y = n->out;
    if (wanted[0]) {
        lg_tensor *right = lgi_matmul(E, g[0], y, false, true);
        out[0] = lgi_neg(E, lgi_matmul(E, y, right, true, false));
    }
    return E->status;
}

const lg_op lgi_op_inverse = {
    .name = "inverse", .args = "x",
    .doc = "The inverse of each matrix of x {...,n,n}; a singular one is an error. For "
           "x^-1 b, solve is faster and more exact.",
    .shape = cholesky_shape, .workspace = inverse_workspace, .attempt = inverse_attempt,
    .grad = inverse_grad, .needs = LGI_OUT(0), .flops = cubic_flops,
    .samples = {"3,3 spd", "2,2", "1,1 positive", "2,2,2 spd", "0,0", "0,2,2",
                "2,1,1,2,2 spd"}};

/* solve */

typedef struct solve_attr { int64_t transpose_a; } solve_attr;

static lg_status solve_shape(lg_engine *E, lgi_node *n)
{
    const lg_tensor *a = n->in[0], *b = n->in[1];
    int64_t dim[LG_MAX_DIM];
    int ndim;
    if (lgi_need_matrices(E, n, 0, true) < 0
        || (b->ndim != 1 && lgi_need_matrices(E, n, 1, false) < 0))
        return E->status;
    int64_t rows = b->dim[b->ndim == 1 ? 0 : b->ndim - 2];
    lg_tensor left = {.ndim = a->ndim - 2};
    lg_tensor right = {.ndim = b->ndim == 1 ? 0 : b->ndim - 2};
    memcpy(left.dim, a->dim, sizeof left.dim);
    memcpy(right.dim, b->dim, sizeof right.dim);
    if (rows != lgi_matrix_rows(a) || !lgi_broadcast_dims(&left, &right, &ndim, dim))
        return lgi_fail(E, LG_ESHAPE, "%s: a is %s and b is %s; b must have %d rows, as "
                        "{...,%d,k} or {%d}, and the axes before, aligned at their end, "
                        "must be equal or 1", n->op->name, LGI_SHAPE(a), LGI_SHAPE(b),
                        lgi_matrix_rows(a), lgi_matrix_rows(a), lgi_matrix_rows(a));
    dim[ndim++] = rows;
    if (b->ndim > 1)
        dim[ndim++] = b->dim[b->ndim - 1];
    return lgi_set_dims(n->out, ndim, dim);
}

static int right_sides(const lg_tensor *b)
{
    return b->ndim == 1 ? 1 : (int)b->dim[b->ndim - 1];
}

static size_t solve_workspace(lg_engine *E, const lgi_node *n)
{
    size_t size = (size_t)lgi_matrix_rows(n->in[0]);
    (void)E;
    return size * (size + (size_t)right_sides(n->in[1])) * sizeof(lg_real)
           + size * sizeof(int);
}

/* The matrix of t, of that many numbers, that belongs to matrix i of the result, whose
 * axes of matrices are dim. */
static const lg_real *batch_matrix(const lg_tensor *t, int64_t numbers, int64_t i,
                                   int ndim, const int64_t *dim)
{
    int own = t->ndim - 2;
    const lg_real *at = t->data;
    for (int d = ndim - 1; d >= 0; d--) {
        int axis = d - (ndim - own);
        if (axis >= 0 && t->dim[axis] != 1) {
            at += i % dim[d] * numbers;
            numbers *= t->dim[axis];
        }
        i /= dim[d];
    }
    return at;
}

/* to[j][i] = from[i][j] */
static void turn_matrix(const lg_real *from, int rows, int cols, lg_real *to)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
            to[(int64_t)j * rows + i] = from[(int64_t)i * cols + j];
}

static lg_status solve_attempt(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *a = n->in[0], *b = n->in[1], *y = n->out;
    const solve_attr *t = n->attr;
    int size = lgi_matrix_rows(a), count = right_sides(b);
    int ndim = y->ndim - (b->ndim == 1 ? 1 : 2);
    int64_t area = (int64_t)size * size, sides = (int64_t)size * count;
    lg_real *lu = workspace, *columns = lu + area;
    int *pivots = (int *)(columns + sides);

    for (int64_t i = 0; i < lgi_product_of(y->dim, ndim) && sides; i++) {
        const lg_real *from = batch_matrix(a, area, i, ndim, y->dim);
        memcpy(lu, from, (size_t)area * sizeof *lu);
        if (!lgi_factor_lu(E, size, lu, pivots))
            return lgi_fail_matrix(E, n, (from - a->data) / area,
                                   "is singular: the equations have no single solution");
        turn_matrix(batch_matrix(b, sides, i, ndim, y->dim), size, count, columns);
        lgi_solve_lu(E, size, lu, pivots, t->transpose_a, count, columns);
        turn_matrix(columns, count, size, y->data + i * sides);
    }
    return LG_OK;
}

/* {...,n} as {...,n,1} */
static lg_tensor *as_column(lg_engine *E, lg_tensor *x)
{
    lg_tensor like = {.ndim = x ? x->ndim + 1 : 0};
    if (!x)
        return NULL;
    memcpy(like.dim, x->dim, (size_t)x->ndim * sizeof *x->dim);
    like.dim[x->ndim] = 1;
    return lgi_reshape_to(E, x, &like);
}

/* By b it is d = a^-T g, by a it is -d y^T, or transposed. */
static lg_status solve_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    const solve_attr *t = n->attr;
    const solve_attr other = {!t->transpose_a};
    bool vector = n->in[1]->ndim == 1;
    lg_tensor *y = vector ? as_column(E, n->out) : n->out;
    lg_tensor *gy = vector ? as_column(E, g[0]) : g[0];
    lg_tensor *d = lgi_apply2(E, &lgi_op_solve, n->in[0], gy, &other);
    if (wanted[0])
        out[0] = lgi_neg(E, t->transpose_a ? lgi_matmul(E, y, d, false, true)
                                           : lgi_matmul(E, d, y, false, true));
    if (wanted[1])
        out[1] = vector ? lgi_reshape_to(E, d, n->out) : d;
    return E->status;
}

static double solve_flops(const lgi_node *n)
{
    double size = (double)lgi_matrix_rows(n->in[0]);
    return (double)n->in[0]->numel * size + 2 * (double)n->out->numel * size;
}

const lg_op lgi_op_solve = {
    .name = "solve", .args = "a, b, transpose_a: flag = false",
    .doc = "The y with a y = b, for a {...,n,n} and b {...,n,k} or {n}; the axes before "
           "the matrices broadcast, and y has the shape that a^-1 b has. transpose_a: "
           "that of a^T y = b. A singular matrix is an error.",
    .shape = solve_shape, .workspace = solve_workspace, .attempt = solve_attempt,
    .grad = solve_grad, .needs = LGI_IN(0) | LGI_OUT(0), .flops = solve_flops,
    .attr_bytes = sizeof(solve_attr),
    .samples = {"3,3 spd; 3,2", "2,2; 2; transpose_a=true", "1,1 positive; 1,1",
                "2,2,2 spd; 2,3", "2,2 spd; 2,1,2,1; transpose_a=true",
                "2,1,2,2 spd; 3,2,1", "0,0; 0,2", "2,2,2 spd; 2"}};

const lg_op *const lgi_ops_linalg[] = {
    &lgi_op_cholesky, &lgi_op_inverse, &lgi_op_solve, NULL};
