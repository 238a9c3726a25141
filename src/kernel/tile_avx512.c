/* tile_avx512.c - the tile for AVX-512: up to 14 rows of two vectors, 28 of the 32
 * registers; broadcasts of a and two loads of b feed 28 fused multiply-adds. */
#include "kernel/tile.h"

#if defined(__x86_64__)
#include <immintrin.h>

#ifdef LG_DOUBLE
typedef __m512d vec512;
#define V512(name) _mm512_##name##_pd
#else
typedef __m512 vec512;
#define V512(name) _mm512_##name##_ps
#endif

enum { LANES_512 = 64 / sizeof(lg_real), ROWS_512 = 14, FEW_512 = 8 };
#define TARGET_512 __attribute__((target("avx512f,avx512vl,avx2,fma")))

enum { TALL_512 = 4 };                /* rows of tiles that have time to fetch ahead */

TARGET_512 __attribute__((always_inline))
static inline __mmask16 mask_512(int n)
{
    return (__mmask16)(n >= LANES_512 ? 0xffff : n > 0 ? (1u << n) - 1 : 0);
}

TARGET_512 __attribute__((always_inline))
static inline void finish_512(const lgi_tile *t, lg_real *c, int from, vec512 sum)
{
    __mmask16 mask = mask_512(t->cols - from);
    if (t->add)
        sum = V512(add)(V512(maskz_loadu)(mask, c + from), sum);
    if (t->bias)
        sum = V512(add)(sum, V512(maskz_loadu)(mask, t->bias + from));
    V512(mask_storeu)(c + from, mask, sum);
}

/* rows and vectors are constants where this is inlined. */
TARGET_512 __attribute__((always_inline))
static inline void sweep_512(const lgi_tile *t, const int rows, const int vectors)
{
    vec512 sum[ROWS_512][2];
    const lg_real *a = t->a, *b = t->b;
    const int64_t arow = t->arow, astep = t->astep, bstep = t->bstep;
    int64_t left = t->k, row = 0;
    LGI_UNROLL
    for (int i = 0; i < rows; i++)
        sum[i][0] = sum[i][1] = V512(setzero)();
    while (left > 0) {
        const bool more = rows >= TALL_512 && row < t->ahead.rows;
        const lg_real *next = more ? t->ahead.at + row++ * t->ahead.rowstep : b;
        const int64_t step = more ? t->ahead.step : 0;
        int64_t n = more && t->ahead.n < left ? t->ahead.n : left;
        for (left -= n; n > 0; n--) {
            vec512 b0 = V512(loadu)(b);
            vec512 b1 = vectors > 1 ? V512(loadu)(b + LANES_512) : b0;
            if (rows >= TALL_512) {
                __builtin_prefetch(next);
                __builtin_prefetch(next + LANES_512);
                next += step;
            }
            LGI_UNROLL
            for (int i = 0; i < rows; i++) {
                vec512 x = V512(set1)(a[i * arow]);
                sum[i][0] = V512(fmadd)(x, b0, sum[i][0]);
                if (vectors > 1)
                    sum[i][1] = V512(fmadd)(x, b1, sum[i][1]);
            }
            a += astep;
            b += bstep;
        }
    }
    LGI_UNROLL
    for (int i = 0; i < rows; i++) {
        finish_512(t, t->c + i * t->ldc, 0, sum[i][0]);
        if (vectors > 1)
            finish_512(t, t->c + i * t->ldc, LANES_512, sum[i][1]);
    }
}

#define CASE_512(n) \
    case n: if (wide) sweep_512(t, n, 2); else sweep_512(t, n, 1); break;

TARGET_512 static void multiply_512(const lgi_tile *t)
{
    const bool wide = t->cols > LANES_512;
    switch (t->rows) {
    CASE_512(1) CASE_512(2) CASE_512(3) CASE_512(4) CASE_512(5) CASE_512(6) CASE_512(7)
    CASE_512(8) CASE_512(9) CASE_512(10) CASE_512(11) CASE_512(12) CASE_512(13)
    CASE_512(14)
    }
}

/* A few rows, and columns that b is read no further than. */
TARGET_512 __attribute__((always_inline))
static inline void sweep_few_512(const lgi_tile *t, const int rows, const int vectors)
{
    vec512 sum[LGI_FEW_ROWS][FEW_512];
    const lg_real *a = t->a, *b = t->b;
    const int64_t arow = t->arow, astep = t->astep, bstep = t->bstep;
    __mmask16 mask[FEW_512];
    LGI_UNROLL
    for (int v = 0; v < vectors; v++)
        mask[v] = mask_512(t->cols - v * LANES_512);
    LGI_UNROLL
    for (int i = 0; i < rows; i++)
        LGI_UNROLL
        for (int v = 0; v < vectors; v++)
            sum[i][v] = V512(setzero)();
    for (int64_t p = t->k; p > 0; p--, a += astep, b += bstep)
        LGI_UNROLL
        for (int v = 0; v < vectors; v++) {
            vec512 y = V512(maskz_loadu)(mask[v], b + v * LANES_512);
            LGI_UNROLL
            for (int i = 0; i < rows; i++)
                sum[i][v] = V512(fmadd)(V512(set1)(a[i * arow]), y, sum[i][v]);
        }
    LGI_UNROLL
    for (int i = 0; i < rows; i++)
        LGI_UNROLL
        for (int v = 0; v < vectors; v++)
            finish_512(t, t->c + i * t->ldc, v * LANES_512, sum[i][v]);
}

#define FEW_CASE_512(n)                                                                 \
    case n:                                                                             \
        if (t->cols > FEW_512 / 2 * LANES_512) sweep_few_512(t, n, FEW_512);            \
        else if (t->cols > 2 * LANES_512) sweep_few_512(t, n, FEW_512 / 2);             \
        else sweep_few_512(t, n, 2);                                                    \
        break;

TARGET_512 static void multiply_few_512(const lgi_tile *t)
{
    switch (t->rows) {
    FEW_CASE_512(1) FEW_CASE_512(2) FEW_CASE_512(3)
    }
}

/* k is a constant where this is inlined. */
TARGET_512 __attribute__((always_inline))
static inline void sweep_shallow_512(const lgi_tile *t, const int k)
{
    vec512 b[LGI_SHALLOW][2];
    const lg_real *a = t->a;
    lg_real *c = t->c;
    const bool wide = t->cols > LANES_512;
    LGI_UNROLL
    for (int p = 0; p < k; p++) {
        b[p][0] = V512(loadu)(t->b + p * t->bstep);
        b[p][1] = wide ? V512(loadu)(t->b + p * t->bstep + LANES_512) : b[p][0];
    }
    for (int i = 0; i < t->rows; i++, a += t->arow, c += t->ldc) {
        vec512 sum[2] = {V512(setzero)(), V512(setzero)()};
        LGI_UNROLL
        for (int p = 0; p < k; p++) {
            vec512 x = V512(set1)(a[p * t->astep]);
            sum[0] = V512(fmadd)(x, b[p][0], sum[0]);
            sum[1] = V512(fmadd)(x, b[p][1], sum[1]);
        }
        finish_512(t, c, 0, sum[0]);
        if (wide)
            finish_512(t, c, LANES_512, sum[1]);
    }
}

TARGET_512 static void multiply_shallow_512(const lgi_tile *t)
{
    switch (t->k) {
    case 0: sweep_shallow_512(t, 0); break;
    case 1: sweep_shallow_512(t, 1); break;
    case 2: sweep_shallow_512(t, 2); break;
    case 3: sweep_shallow_512(t, 3); break;
    case 4: sweep_shallow_512(t, 4); break;
    }
}

TARGET_512 static void copy_512(const lg_real *b, int64_t ldb, int64_t k, int n,
                                lg_real *to)
{
    const __mmask16 low = mask_512(n), high = mask_512(n - LANES_512);
    for (int64_t p = 0; p < k; p++, b += ldb, to += 2 * LANES_512) {
        V512(storeu)(to, V512(maskz_loadu)(low, b));
        V512(storeu)(to + LANES_512, V512(maskz_loadu)(high, b + LANES_512));
    }
}

static void transpose_512(const lg_real *b, int64_t ldb, int64_t k, int n, lg_real *to)
{
    lgi_transpose_avx2(b, ldb, k, n, 2 * LANES_512, to);
}

#ifdef LG_DOUBLE
#define LOAD_AT_512(at, from) \
    _mm512_i32gather_pd(_mm256_loadu_si256((const __m256i *)(at)), from, 8)
#else
#define LOAD_AT_512(at, from) _mm512_i32gather_ps(_mm512_loadu_si512(at), from, 4)
#endif

TARGET_512 static void gather_512(const lg_real *src, const int32_t *row, int64_t k,
                                  const int32_t *at, lg_real *to)
{
    for (int64_t p = 0; p < k; p++, to += 2 * LANES_512) {
        V512(storeu)(to, LOAD_AT_512(at, src + row[p]));
        V512(storeu)(to + LANES_512, LOAD_AT_512(at + LANES_512, src + row[p]));
    }
}

const lgi_tiling lgi_avx512_tiling = {ROWS_512, 2 * LANES_512, multiply_512,
                                      FEW_512 * LANES_512, multiply_few_512,
                                      multiply_shallow_512, copy_512, transpose_512,
                                      gather_512};
#endif
