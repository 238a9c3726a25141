/*
 * philox.c - Philox 4x32-10, a block or many at once.
 *
 * A block's four words are kept as two halves of 64 bits: x is c0 above c1, y is c2 above
 * c3. A round multiplies the upper word of each half, and the product's words are where
 * the other half wants them: x becomes p1 ^ (x << 32) ^ key, and y likewise from p0. So a
 * vector of 64-bit lanes does a block a lane in four operations a half.
 */
#include "base/philox.h"

#include <string.h>

enum { ROUNDS = 10 };
static const uint32_t multiplier[] = {0xD2511F53, 0xCD9E8D57};
static const uint32_t weyl[] = {0x9E3779B9, 0xBB67AE85};

void lgi_philox(lgi_stream s, uint64_t block, uint32_t out[4])
{
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)s.id, c3 = (uint32_t)(s.id >> 32);
    uint32_t k0 = (uint32_t)s.seed, k1 = (uint32_t)(s.seed >> 32);

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t p0 = (uint64_t)multiplier[0] * c0, p1 = (uint64_t)multiplier[1] * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += weyl[0];
        k1 += weyl[1];
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* The keys of all rounds, above 32 zeros; and y, which all blocks begin with. */
typedef struct philox_keys {
    uint64_t x[ROUNDS], y[ROUNDS], start;
} philox_keys;

static philox_keys make_keys(lgi_stream s)
{
    philox_keys k = {.start = s.id << 32 | s.id >> 32};
    for (uint32_t i = 0; i < ROUNDS; i++) {
        k.x[i] = (uint64_t)(uint32_t)((uint32_t)s.seed + i * weyl[0]) << 32;
        k.y[i] = (uint64_t)(uint32_t)((uint32_t)(s.seed >> 32) + i * weyl[1]) << 32;
    }
    return k;
}

#define PHILOX_512 __attribute__((target("avx512f")))
#define PHILOX_256 __attribute__((target("avx2")))
enum { AT_ONCE_512 = 16, AT_ONCE_256 = 8, MOST_AT_ONCE = 16 };

/* Two blocks at a time of each of x and y are put in their order. */
PHILOX_512 static void store_512(uint32_t *to, __m512i x, __m512i y)
{
    const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const __m512i high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    x = _mm512_rol_epi64(x, 32);
    y = _mm512_rol_epi64(y, 32);
    _mm512_storeu_si512(to, _mm512_permutex2var_epi64(x, low, y));
    _mm512_storeu_si512(to + 16, _mm512_permutex2var_epi64(x, high, y));
}

/* 8 blocks in each of two pairs of vectors, which are independent. */
PHILOX_512 static void philox_512(const philox_keys *k, uint64_t first, uint32_t *to)
{
    const __m512i m0 = _mm512_set1_epi64(multiplier[0]);
    const __m512i m1 = _mm512_set1_epi64(multiplier[1]);
    __m512i x[2], y[2];
    x[0] = _mm512_add_epi64(_mm512_set1_epi64((long long)first),
                            _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
    x[1] = _mm512_add_epi64(x[0], _mm512_set1_epi64(8));
    for (int i = 0; i < 2; i++) {
        x[i] = _mm512_rol_epi64(x[i], 32);
        y[i] = _mm512_set1_epi64((long long)k->start);
    }
    for (int round = 0; round < ROUNDS; round++) {
        const __m512i kx = _mm512_set1_epi64((long long)k->x[round]);
        const __m512i ky = _mm512_set1_epi64((long long)k->y[round]);
        for (int i = 0; i < 2; i++) {
            __m512i p0 = _mm512_mul_epu32(_mm512_srli_epi64(x[i], 32), m0);
            __m512i p1 = _mm512_mul_epu32(_mm512_srli_epi64(y[i], 32), m1);
            x[i] = _mm512_ternarylogic_epi64(p1, _mm512_slli_epi64(x[i], 32), kx, 0x96);
            y[i] = _mm512_ternarylogic_epi64(p0, _mm512_slli_epi64(y[i], 32), ky, 0x96);
        }
    }
    store_512(to, x[0], y[0]);
    store_512(to + 32, x[1], y[1]);
}

PHILOX_256 static void store_256(uint32_t *to, __m256i x, __m256i y)
{
    x = _mm256_shuffle_epi32(x, 0xB1);
    y = _mm256_shuffle_epi32(y, 0xB1);
    __m256i even = _mm256_unpacklo_epi64(x, y), odd = _mm256_unpackhi_epi64(x, y);
    _mm256_storeu_si256((__m256i *)to, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256((__m256i *)(to + 8), _mm256_permute2x128_si256(even, odd, 0x31));
}

PHILOX_256 static void philox_256(const philox_keys *k, uint64_t first, uint32_t *to)
{
    const __m256i m0 = _mm256_set1_epi64x(multiplier[0]);
    const __m256i m1 = _mm256_set1_epi64x(multiplier[1]);
    __m256i x[2], y[2];
    x[0] = _mm256_add_epi64(_mm256_set1_epi64x((long long)first),
                            _mm256_setr_epi64x(0, 1, 2, 3));
    x[1] = _mm256_add_epi64(x[0], _mm256_set1_epi64x(4));
    for (int i = 0; i < 2; i++) {
        x[i] = _mm256_shuffle_epi32(x[i], 0xB1);
        y[i] = _mm256_set1_epi64x((long long)k->start);
    }
    for (int round = 0; round < ROUNDS; round++) {
        const __m256i kx = _mm256_set1_epi64x((long long)k->x[round]);
        const __m256i ky = _mm256_set1_epi64x((long long)k->y[round]);
        for (int i = 0; i < 2; i++) {
            __m256i p0 = _mm256_mul_epu32(_mm256_srli_epi64(x[i], 32), m0);
            __m256i p1 = _mm256_mul_epu32(_mm256_srli_epi64(y[i], 32), m1);
            __m256i low_x = _mm256_xor_si256(_mm256_slli_epi64(x[i], 32), kx);
            __m256i low_y = _mm256_xor_si256(_mm256_slli_epi64(y[i], 32), ky);
            x[i] = _mm256_xor_si256(p1, low_x);
            y[i] = _mm256_xor_si256(p0, low_y);
        }
    }
    store_256(to, x[0], y[0]);
    store_256(to + 16, x[1], y[1]);
}

/* The last blocks go through a place of their own. */
static void vector_run(lgi_cpu cpu, lgi_stream s, uint64_t first, int64_t blocks,
                       uint32_t *to)
{
    const philox_keys k = make_keys(s);
    const int64_t each = cpu >= LGI_AVX512 ? AT_ONCE_512 : AT_ONCE_256;
    for (int64_t i = 0; i < blocks; i += each) {
        uint32_t last[4 * MOST_AT_ONCE];
        bool whole = i + each <= blocks;
        uint32_t *at = whole ? to + 4 * i : last;
        if (cpu >= LGI_AVX512)
            philox_512(&k, first + (uint64_t)i, at);
        else
            philox_256(&k, first + (uint64_t)i, at);
        if (!whole)
            memcpy(to + 4 * i, last, (size_t)(4 * (blocks - i)) * sizeof *to);
    }
}
#endif

void lgi_philox_run(lgi_cpu cpu, lgi_stream s, uint64_t first, int64_t blocks,
                    uint32_t *to)
{
#if defined(__x86_64__)
    if (cpu >= LGI_AVX2 && blocks > 1) {
        vector_run(cpu, s, first, blocks, to);
        return;
    }
#endif
    for (int64_t i = 0; i < blocks; i++)
        lgi_philox(s, first + (uint64_t)i, to + 4 * i);
}
