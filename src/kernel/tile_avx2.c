/* tile_avx2.c - the tile for AVX2 with FMA: up to 6 rows of two vectors, 12 of the 16
 * registers. */
#include "kernel/tile.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#ifdef LG_DOUBLE
typedef __m256d vec256;
#define V256(name) _mm256_##name##_pd
#define FMA_256 __builtin_fma
#else
typedef __m256 vec256;
#define V256(name) _mm256_##name##_ps
#define FMA_256 __builtin_fmaf
#endif

enum { LANES_256 = 32 / sizeof(lg_real), ROWS_256 = 6, FEW_256 = 4 };
#define TARGET_256 __attribute__((target("avx2,fma")))

TARGET_256 __attribute__((always_inline))
static inline void finish_256(const lgi_tile *t, lg_real *c, int from, vec256 sum)
{
    c += from;
    if (t->cols - from >= LANES_256) {
        if (t->add)
            sum = V256(add)(V256(loadu)(c), sum);
        if (t->bias)
            sum = V256(add)(sum, V256(loadu)(t->bias + from));
        V256(storeu)(c, sum);
        return;
    }
    lg_real part[LANES_256];
    V256(storeu)(part, sum);
    for (int j = 0; j < t->cols - from; j++) {
        c[j] = t->add ? c[j] + part[j] : part[j];
        if (t->bias)
            c[j] += t->bias[from + j];
    }
}

/* rows and vectors are constants where this is inlined. */
TARGET_256 __attribute__((always_inline))
static inline void sweep_256(const lgi_tile *t, const int rows, const int vectors)
{
    vec256 sum[ROWS_256][2];
    const lg_real *a = t->a, *b = t->b;
    const int64_t arow = t->arow, astep = t->astep, bstep = t->bstep;
    LGI_UNROLL
    for (int i = 0; i < rows; i++)
        sum[i][0] = sum[i][1] = V256(setzero)();
    for (int64_t p = t->k; p > 0; p--) {
        vec256 b0 = V256(loadu)(b), b1 = vectors > 1 ? V256(loadu)(b + LANES_256) : b0;
    LGI_UNROLL
        for (int i = 0; i < rows; i++) {
            vec256 x = V256(set1)(a[i * arow]);
            sum[i][0] = V256(fmadd)(x, b0, sum[i][0]);
            if (vectors > 1)
                sum[i][1] = V256(fmadd)(x, b1, sum[i][1]);
        }
        a += astep;
        b += bstep;
    }
    LGI_UNROLL
    for (int i = 0; i < rows; i++) {
        finish_256(t, t->c + i * t->ldc, 0, sum[i][0]);
        if (vectors > 1)
            finish_256(t, t->c + i * t->ldc, LANES_256, sum[i][1]);
    }
}

#define CASE_256(n) \
    case n: if (wide) sweep_256(t, n, 2); else sweep_256(t, n, 1); break;

TARGET_256 static void multiply_256(const lgi_tile *t)
{
    const bool wide = t->cols > LANES_256;
    switch (t->rows) {
    CASE_256(1) CASE_256(2) CASE_256(3) CASE_256(4) CASE_256(5) CASE_256(6)
    }
}

/* A few rows, and columns that b is read no further than. */
TARGET_256 __attribute__((always_inline))
static inline void sweep_few_256(const lgi_tile *t, int j, const int rows,
                                 const int vectors)
{
    vec256 sum[LGI_FEW_ROWS][FEW_256];
    const lg_real *a = t->a, *b = t->b + j;
    LGI_UNROLL
    for (int i = 0; i < rows; i++)
        LGI_UNROLL
        for (int v = 0; v < vectors; v++)
            sum[i][v] = V256(setzero)();
    for (int64_t p = t->k; p > 0; p--, a += t->astep, b += t->bstep)
        LGI_UNROLL
        for (int i = 0; i < rows; i++) {
            vec256 x = V256(set1)(a[i * t->arow]);
            LGI_UNROLL
            for (int v = 0; v < vectors; v++)
                sum[i][v] = V256(fmadd)(x, V256(loadu)(b + v * LANES_256), sum[i][v]);
        }
    LGI_UNROLL
    for (int i = 0; i < rows; i++)
        LGI_UNROLL
        for (int v = 0; v < vectors; v++)
            finish_256(t, t->c + i * t->ldc, j + v * LANES_256, sum[i][v]);
}

/* One element, by the same steps. */
TARGET_256 static void multiply_one_256(const lgi_tile *t, int i, int j)
{
    lg_real sum = 0, *c = t->c + i * t->ldc + j;
    const lg_real *a = t->a + i * t->arow, *b = t->b + j;
    for (int64_t p = 0; p < t->k; p++)
        sum = FMA_256(a[p * t->astep], b[p * t->bstep], sum);
    *c = t->add ? *c + sum : sum;
    if (t->bias)
        *c += t->bias[j];
}

TARGET_256 static void multiply_few_256(const lgi_tile *t)
{
    int j = 0;
    for (; j + FEW_256 * LANES_256 <= t->cols; j += FEW_256 * LANES_256)
        switch (t->rows) {
        case 1: sweep_few_256(t, j, 1, FEW_256); break;
        case 2: sweep_few_256(t, j, 2, FEW_256); break;
        case 3: sweep_few_256(t, j, 3, FEW_256); break;
        }
    for (; j + LANES_256 <= t->cols; j += LANES_256)
        switch (t->rows) {
        case 1: sweep_few_256(t, j, 1, 1); break;
        case 2: sweep_few_256(t, j, 2, 1); break;
        case 3: sweep_few_256(t, j, 3, 1); break;
        }
    for (; j < t->cols; j++)
        for (int i = 0; i < t->rows; i++)
            multiply_one_256(t, i, j);
}

static void multiply_shallow_256(const lgi_tile *t)
{
    lgi_multiply_rows(&lgi_avx2_tiling, *t, t->rows);
}

TARGET_256 static void copy_256(const lg_real *b, int64_t ldb, int64_t k, int n,
                                lg_real *to)
{
    for (int64_t p = 0; p < k; p++, b += ldb, to += 2 * LANES_256) {
        if (n == 2 * LANES_256) {
            V256(storeu)(to, V256(loadu)(b));
            V256(storeu)(to + LANES_256, V256(loadu)(b + LANES_256));
            continue;
        }
        memcpy(to, b, (size_t)n * sizeof *to);
        memset(to + n, 0, (size_t)(2 * LANES_256 - n) * sizeof *to);
    }
}

enum { BLOCK_256 = LANES_256 };       /* a block is as long as a vector, both ways */

#ifdef LG_DOUBLE
#define TRANSPOSE_BLOCK_256 transpose_4x4_256
TARGET_256 static inline void transpose_4x4_256(const double *b, int64_t ldb, double *to,
                                                  int cols)
{
    __m256d r0 = _mm256_loadu_pd(b), r1 = _mm256_loadu_pd(b + ldb);
    __m256d r2 = _mm256_loadu_pd(b + 2 * ldb), r3 = _mm256_loadu_pd(b + 3 * ldb);
    __m256d s0 = _mm256_unpacklo_pd(r0, r1), s1 = _mm256_unpackhi_pd(r0, r1);
    __m256d s2 = _mm256_unpacklo_pd(r2, r3), s3 = _mm256_unpackhi_pd(r2, r3);
    _mm256_storeu_pd(to, _mm256_permute2f128_pd(s0, s2, 0x20));
    _mm256_storeu_pd(to + cols, _mm256_permute2f128_pd(s1, s3, 0x20));
    _mm256_storeu_pd(to + 2 * cols, _mm256_permute2f128_pd(s0, s2, 0x31));
    _mm256_storeu_pd(to + 3 * cols, _mm256_permute2f128_pd(s1, s3, 0x31));
}
#else
#define TRANSPOSE_BLOCK_256 transpose_8x8_256
TARGET_256 static inline void transpose_8x8_256(const float *b, int64_t ldb, float *to,
                                                  int cols)
{
    __m256 r[8], s[8];
    for (int i = 0; i < 4; i++) {      /* halves of rows i and i+4 beside each other */
        const float *low = b + i * ldb, *high = b + (i + 4) * ldb;
        r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)),
                                    _mm_loadu_ps(high), 1);
        r[i + 4] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low + 4)),
                                        _mm_loadu_ps(high + 4), 1);
    }
    for (int h = 0; h < 8; h += 4) {   /* 4 by 4 within each lane */
        s[0] = _mm256_unpacklo_ps(r[h], r[h + 1]);
        s[1] = _mm256_unpackhi_ps(r[h], r[h + 1]);
        s[2] = _mm256_unpacklo_ps(r[h + 2], r[h + 3]);
        s[3] = _mm256_unpackhi_ps(r[h + 2], r[h + 3]);
        float *row = to + h * cols;
        _mm256_storeu_ps(row, _mm256_shuffle_ps(s[0], s[2], 0x44));
        _mm256_storeu_ps(row + cols, _mm256_shuffle_ps(s[0], s[2], 0xEE));
        _mm256_storeu_ps(row + 2 * cols, _mm256_shuffle_ps(s[1], s[3], 0x44));
        _mm256_storeu_ps(row + 3 * cols, _mm256_shuffle_ps(s[1], s[3], 0xEE));
    }
}
#endif

TARGET_256 void lgi_transpose_avx2(const lg_real *b, int64_t ldb, int64_t k, int n,
                                   int cols,
                                   lg_real *to)
{
    int64_t whole = k - k % BLOCK_256;
    int j = 0;
    for (; j + BLOCK_256 <= n; j += BLOCK_256) {
        const lg_real *from = b + j * ldb;
        for (int64_t p = 0; p < whole; p += BLOCK_256)
            TRANSPOSE_BLOCK_256(from + p, ldb, to + p * cols + j, cols);
        for (int64_t p = whole; p < k; p++)
            for (int i = 0; i < BLOCK_256; i++)
                to[p * cols + j + i] = from[i * ldb + p];
    }
    for (int64_t p = 0; p < k && j < cols; p++) {
        for (int i = j; i < n; i++)
            to[p * cols + i] = b[i * ldb + p];
        memset(to + p * cols + n, 0, (size_t)(cols - n) * sizeof *to);
    }
}

static void transpose_256(const lg_real *b, int64_t ldb, int64_t k, int n, lg_real *to)
{
    lgi_transpose_avx2(b, ldb, k, n, 2 * LANES_256, to);
}

static void gather_256(const lg_real *src, const int32_t *row, int64_t k,
                         const int32_t *at, lg_real *to)
{
    for (int64_t p = 0; p < k; p++, to += 2 * LANES_256)
        for (int j = 0; j < 2 * LANES_256; j++)
            to[j] = src[row[p] + at[j]];
}

const lgi_tiling lgi_avx2_tiling = {ROWS_256, 2 * LANES_256, multiply_256, LGI_FEW_COLS,
                                    multiply_few_256, multiply_shallow_256, copy_256,
                                    transpose_256, gather_256};
#endif
