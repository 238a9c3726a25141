/*
 * tile_plain.c - the tile for every processor without a file of its own, in vectors of 16
 * bytes, which compilers map to what there is (SSE2, NEON); and what all tiles share.
 */
#include "kernel/tile.h"

#include <string.h>

typedef lg_real vec128 __attribute__((vector_size(16)));

enum { TILE_LANES = 16 / sizeof(lg_real), TILE_ROWS = 4, TILE_COLS = 2 * TILE_LANES };

/* Rows past the last are the first again, and are not written. */
static void multiply_plain(const lgi_tile *t)
{
    vec128 sum[TILE_ROWS][2] = {{{0}}};
    const lg_real *a[TILE_ROWS], *b = t->b;
    const int64_t astep = t->astep, bstep = t->bstep;
    LGI_UNROLL
    for (int i = 0; i < TILE_ROWS; i++)
        a[i] = t->a + (i < t->rows ? i : 0) * t->arow;
    for (int64_t p = 0; p < t->k; p++, b += bstep) {
        vec128 b0, b1;
        memcpy(&b0, b, sizeof b0);
        memcpy(&b1, b + TILE_LANES, sizeof b1);
        LGI_UNROLL
        for (int i = 0; i < TILE_ROWS; i++) {
            lg_real x = a[i][p * astep];
            sum[i][0] += x * b0;
            sum[i][1] += x * b1;
        }
    }
    for (int i = 0; i < t->rows; i++) {
        lg_real *c = t->c + i * t->ldc, part[TILE_COLS];
        memcpy(part, sum[i], sizeof part);
        for (int j = 0; j < t->cols; j++) {
            c[j] = t->add ? c[j] + part[j] : part[j];
            if (t->bias)
                c[j] += t->bias[j];
        }
    }
}

static void copy_plain(const lg_real *b, int64_t ldb, int64_t k, int n, lg_real *to)
{
    for (int64_t p = 0; p < k; p++, b += ldb, to += TILE_COLS) {
        memcpy(to, b, (size_t)n * sizeof *to);
        memset(to + n, 0, (size_t)(TILE_COLS - n) * sizeof *to);
    }
}

void lgi_transpose_plain(const lg_real *b, int64_t ldb, int64_t k, int n, int cols,
                         lg_real *to)
{
    for (int64_t p = 0; p < k; p++, to += cols) {
        for (int j = 0; j < n; j++)
            to[j] = b[j * ldb + p];
        memset(to + n, 0, (size_t)(cols - n) * sizeof *to);
    }
}

static void transpose_plain(const lg_real *b, int64_t ldb, int64_t k, int n, lg_real *to)
{
    lgi_transpose_plain(b, ldb, k, n, TILE_COLS, to);
}

static void gather_plain(const lg_real *src, const int32_t *row, int64_t k,
                         const int32_t *at, lg_real *to)
{
    for (int64_t p = 0; p < k; p++, to += TILE_COLS)
        for (int j = 0; j < TILE_COLS; j++)
            to[j] = src[row[p] + at[j]];
}

/* b is read to the end of a vector, so what is at its edge is copied first. */
static void multiply_few_plain(const lgi_tile *t)
{
    lg_real b[LGI_STRIP_DEPTH * TILE_COLS];
    lgi_tile part = *t;
    if (t->cols < TILE_COLS) {
        copy_plain(t->b, t->bstep, t->k, t->cols, b);
        part.b = b;
        part.bstep = TILE_COLS;
    }
    multiply_plain(&part);
}

static void multiply_shallow_plain(const lgi_tile *t)
{
    lgi_multiply_rows(&lgi_plain_tiling, *t, t->rows);
}

const lgi_tiling lgi_plain_tiling = {TILE_ROWS, TILE_COLS, multiply_plain, TILE_COLS,
                                     multiply_few_plain, multiply_shallow_plain,
                                     copy_plain, transpose_plain, gather_plain};

const lgi_tiling *lgi_tiling_of(lgi_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu == LGI_AVX512)
        return &lgi_avx512_tiling;
    if (cpu == LGI_AVX2)
        return &lgi_avx2_tiling;
#endif
    return &lgi_plain_tiling;
}

/* Rows are shared out evenly: 64 is 13+13+13+13+12, not 14+14+14+14+8. */
void lgi_multiply_rows(const lgi_tiling *k, lgi_tile t, int64_t m)
{
    for (int64_t left = (m + k->rows - 1) / k->rows; left > 0; left--) {
        t.rows = (int)((m + left - 1) / left);
        k->multiply(&t);
        t.a += t.rows * t.arow;
        t.c += t.rows * t.ldc;
        m -= t.rows;
    }
}
