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

enum { LANES_512 = 64 / sizeof(lg_real), ROWS_512 = 14 };
#define TARGET_512 __attribute__((target("avx512f,avx512vl,avx2,fma")))

TARGET_512 __attribute__((always_inline))
static inline void finish_512(const lgi_tile *t, lg_real *c, int cols, vec512 sum)
{
    int n = cols < LANES_512 ? cols : LANES_512;
    __mmask16 mask = (__mmask16)((1u << n) - 1);
    if (t->add)
        sum = V512(add)(V512(maskz_loadu)(mask, c), sum);
    V512(mask_storeu)(c, mask, sum);
}

/* rows and vectors are constants where this is inlined. */
TARGET_512 __attribute__((always_inline))
static inline void sweep_512(const lgi_tile *t, const int rows, const int vectors)
{
    vec512 sum[ROWS_512][2];
    const lg_real *a = t->a, *b = t->b;
    const int64_t arow = t->arow, astep = t->astep, bstep = t->bstep;
    LGI_UNROLL
    for (int i = 0; i < rows; i++)
        sum[i][0] = sum[i][1] = V512(setzero)();
    for (int64_t p = t->k; p > 0; p--) {
        vec512 b0 = V512(loadu)(b), b1 = vectors > 1 ? V512(loadu)(b + LANES_512) : b0;
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
    LGI_UNROLL
    for (int i = 0; i < rows; i++) {
        finish_512(t, t->c + i * t->ldc, t->cols, sum[i][0]);
        if (vectors > 1)
            finish_512(t, t->c + i * t->ldc + LANES_512, t->cols - LANES_512, sum[i][1]);
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
                                      transpose_512,
                                      gather_512};
#endif
