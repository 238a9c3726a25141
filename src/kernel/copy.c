/*
 * copy.c - numbers moved: rows at a stride, and axes in another order.
 *
 * Axes in another order are either rows, where the last axis stays last, or, for each
 * index on the other axes, a transposed matrix, which is moved in square tiles so that
 * both sides are read and written by whole cache lines.
 */
#include "kernel/copy.h"

#include "base/cpu.h"
#include "base/pool.h"

#include <string.h>

enum { COPY_PIECE = 1 << 15, COPY_TILE = 32 };

typedef struct rows_job {
    lg_real *to;
    const lg_real *from;
    int64_t to_step, from_step, n, rows;
    int64_t chunk, chunks;             /* a row is cut into chunks */
    int64_t units_a_piece;             /* of rows * chunks */
} rows_job;

static void rows_piece(void *job, int64_t piece, int worker)
{
    const rows_job *r = job;
    int64_t units = r->rows * r->chunks, u = piece * r->units_a_piece;
    int64_t end = u + r->units_a_piece < units ? u + r->units_a_piece : units;
    (void)worker;
    for (; u < end; u++) {
        int64_t row = u / r->chunks, at = u % r->chunks * r->chunk;
        int64_t n = r->n - at < r->chunk ? r->n - at : r->chunk;
        lg_real *to = r->to + row * r->to_step + at;
        if (r->from)
            memcpy(to, r->from + row * r->from_step + at, (size_t)n * sizeof *to);
        else
            memset(to, 0, (size_t)n * sizeof *to);
    }
}

void lgi_copy_rows(lg_engine *E, lg_real *to, int64_t to_step, const lg_real *from,
                   int64_t from_step, int64_t n, int64_t rows)
{
    rows_job r = {to, from, to_step, from_step, n, rows, n, 1, 1};
    if (n == 0 || rows == 0)
        return;
    if (n > COPY_PIECE) {
        r.chunk = COPY_PIECE;
        r.chunks = (n + COPY_PIECE - 1) / COPY_PIECE;
    }
    r.units_a_piece = COPY_PIECE / r.chunk;
    lgi_parallel(E, (rows * r.chunks + r.units_a_piece - 1) / r.units_a_piece, rows_piece,
                 &r);
}

typedef struct permute_job {
    lg_real *to;
    const lg_real *from;
    int n;                             /* outer axes: those but the two of the matrix */
    int64_t dim[LG_MAX_DIM], to_stride[LG_MAX_DIM], from_stride[LG_MAX_DIM];
    int64_t outer, outer_a_piece;
    int64_t height, width;             /* to is height, width; from is width, height */
    int64_t to_row, from_row;          /* strides of their rows */
    int64_t bands, band;               /* a matrix is cut into bands of rows */
} permute_job;

/* Rows top .. bottom - 1 of a matrix of a few columns: colors put side by side. */
LGI_ALWAYS_INLINE void interleave(lg_real *restrict to, const lg_real *restrict from,
                                  int64_t from_row, int64_t top, int64_t bottom,
                                  const int width)
{
    for (int64_t a = top; a < bottom; a++)
        for (int b = 0; b < width; b++)
            to[a * width + b] = from[b * from_row + a];
}

/* A matrix of a few rows: colors taken apart. */
LGI_ALWAYS_INLINE void take_apart(lg_real *restrict to, int64_t to_row,
                                  const lg_real *restrict from, int64_t width,
                                  const int height)
{
    for (int64_t b = 0; b < width; b++)
        for (int a = 0; a < height; a++)
            to[a * to_row + b] = from[b * height + a];
}

/* False: the matrix is none of those. */
static bool transpose_colors(const permute_job *p, lg_real *to, const lg_real *from,
                             int64_t top, int64_t bottom)
{
    bool side_by_side = p->to_row == p->width, apart = p->from_row == p->height;
    if (side_by_side && p->width == 3)
        interleave(to, from, p->from_row, top, bottom, 3);
    else if (side_by_side && p->width == 4)
        interleave(to, from, p->from_row, top, bottom, 4);
    else if (side_by_side && p->width == 2)
        interleave(to, from, p->from_row, top, bottom, 2);
    else if (apart && p->height == 3 && top == 0 && bottom == 3)
        take_apart(to, p->to_row, from, p->width, 3);
    else if (apart && p->height == 4 && top == 0 && bottom == 4)
        take_apart(to, p->to_row, from, p->width, 4);
    else if (apart && p->height == 2 && top == 0 && bottom == 2)
        take_apart(to, p->to_row, from, p->width, 2);
    else
        return false;
    return true;
}

static void transpose_band(const permute_job *p, lg_real *to, const lg_real *from,
                           int64_t top, int64_t bottom)
{
    if (transpose_colors(p, to, from, top, bottom))
        return;
    for (int64_t i = top; i < bottom; i += COPY_TILE)
        for (int64_t j = 0; j < p->width; j += COPY_TILE) {
            int64_t i_end = i + COPY_TILE < bottom ? i + COPY_TILE : bottom;
            int64_t j_end = j + COPY_TILE < p->width ? j + COPY_TILE : p->width;
            for (int64_t a = i; a < i_end; a++)
                for (int64_t b = j; b < j_end; b++)
                    to[a * p->to_row + b] = from[b * p->from_row + a];
        }
}

static void permute_piece(void *job, int64_t piece, int worker)
{
    const permute_job *p = job;
    int64_t top = piece % p->bands * p->band, k = piece / p->bands * p->outer_a_piece;
    int64_t bottom = top + p->band < p->height ? top + p->band : p->height;
    int64_t end = k + p->outer_a_piece < p->outer ? k + p->outer_a_piece : p->outer;
    (void)worker;
    for (; k < end; k++) {
        lg_real *to = p->to;
        const lg_real *from = p->from;
        int64_t flat = k;
        for (int i = p->n - 1; i >= 0; i--) {
            to += flat % p->dim[i] * p->to_stride[i];
            from += flat % p->dim[i] * p->from_stride[i];
            flat /= p->dim[i];
        }
        if (p->from_row == 1)          /* height is 1: a row */
            memcpy(to, from, (size_t)p->width * sizeof *to);
        else
            transpose_band(p, to, from, top, bottom);
    }
}

/* The axes of y with their strides in x; neighbors that stay neighbors are one axis. */
static void plan_axes(permute_job *p, const lg_tensor *y, const lg_tensor *x,
                      const int *axes)
{
    for (int i = 0; i < y->ndim; i++) {
        int64_t stride = lgi_product_of(x->dim + axes[i] + 1, x->ndim - axes[i] - 1);
        if (y->dim[i] == 1)
            continue;
        if (p->n && p->from_stride[p->n - 1] == stride * y->dim[i])
            p->dim[p->n - 1] *= y->dim[i];
        else
            p->dim[p->n++] = y->dim[i];
        p->from_stride[p->n - 1] = stride;
    }
    int64_t stride = 1;
    for (int i = p->n - 1; i >= 0; i--) {
        p->to_stride[i] = stride;
        stride *= p->dim[i];
    }
}

static void take_axis(permute_job *p, int i)
{
    for (p->n--; i < p->n; i++) {
        p->dim[i] = p->dim[i + 1];
        p->to_stride[i] = p->to_stride[i + 1];
        p->from_stride[i] = p->from_stride[i + 1];
    }
}

/* The matrix: width is the last axis of y, height the one that is last in x. */
static void plan_matrix(permute_job *p)
{
    p->height = p->width = p->from_row = p->to_row = 1;
    if (p->n) {
        p->width = p->dim[p->n - 1];
        p->from_row = p->from_stride[p->n - 1];
        take_axis(p, p->n - 1);
    }
    for (int i = 0; i < p->n && p->from_row != 1; i++)
        if (p->from_stride[i] == 1) {
            p->height = p->dim[i];
            p->to_row = p->to_stride[i];
            take_axis(p, i);
        }
    p->outer = lgi_product_of(p->dim, p->n);
}

void lgi_permute(lg_engine *E, const lg_tensor *y, const lg_tensor *x, const int *axes)
{
    permute_job p = {.to = y->data, .from = x->data};
    if (y->numel == 0)
        return;
    plan_axes(&p, y, x, axes);
    plan_matrix(&p);
    int64_t size = p.height * p.width;
    p.band = p.height;
    if (size > COPY_PIECE) {           /* whole tiles */
        int64_t tiles = COPY_PIECE / p.width / COPY_TILE;
        p.band = (tiles ? tiles : 1) * COPY_TILE;
    }
    p.bands = (p.height + p.band - 1) / p.band;
    p.outer_a_piece = p.bands > 1 || size > COPY_PIECE ? 1 : COPY_PIECE / size;
    lgi_parallel(E, (p.outer + p.outer_a_piece - 1) / p.outer_a_piece * p.bands,
                 permute_piece, &p);
}
