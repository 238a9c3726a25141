/* mask.c - one pass over memory for each loop, 16 numbers at a time. */
#include "kernel/mask.h"

#include "base/philox.h"

#include <string.h>

enum { MASK_CHUNK = 1 << 9 };          /* numbers; whole masks */

typedef struct mask_job {
    lgi_slopes s;
    lgi_dropout d;
    const lg_real *x;
    lg_real *y, *mask;
} mask_job;

/* Of up to 16 numbers: bits of a mask, and the numbers by their bits. */

/* Bytes of 0 and 1 to bits: of the products of eight bytes and these numbers the upper
 * byte has byte k at bit k, and nothing is carried into it. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define GATHER_BITS UINT64_C(0x0102040810204080)
#else
#define GATHER_BITS UINT64_C(0x8040201008040201)
#endif

LGI_ALWAYS_INLINE uint32_t bits_of_bytes(const uint8_t byte[LGI_MASK_BITS])
{
    uint64_t low, high;
    memcpy(&low, byte, sizeof low);
    memcpy(&high, byte + sizeof low, sizeof high);
    return (uint32_t)(low * GATHER_BITS >> 56 | high * GATHER_BITS >> 56 << 8);
}

LGI_ALWAYS_INLINE uint32_t bits_of_words_plain(const uint32_t *words, uint32_t bound)
{
    uint8_t byte[LGI_MASK_BITS];
    for (int k = 0; k < LGI_MASK_BITS; k++)
        byte[k] = words[k] >= bound;
    return bits_of_bytes(byte);
}

LGI_ALWAYS_INLINE uint32_t bits_of_signs_plain(const lg_real *x, bool choose, int n)
{
    uint8_t byte[LGI_MASK_BITS] = {0};
    if (choose)
        for (int k = 0; k < n; k++)
            byte[k] = !(x[k] <= 0);
    else
        for (int k = 0; k < n; k++)
            byte[k] = x[k] > 0;
    return bits_of_bytes(byte);
}

/* Bit k as a number to compare with: no shift by as many places as vectors lack. */
static const uint32_t bit_of[LGI_MASK_BITS] = {
    1, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10,
    1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15};

/* y may be x: each number is read before it is written. */
LGI_ALWAYS_INLINE void numbers_plain(uint32_t bits, lgi_slopes s, const lg_real *x,
                                     lg_real *y, int n)
{
    if (s.choose)
        LGI_EACH_APART
        for (int k = 0; k < n; k++) {
            lg_real product = x[k] * s.on;
            y[k] = bits & bit_of[k] ? product : 0;
        }
    else
        LGI_EACH_APART
        for (int k = 0; k < n; k++)
            y[k] = x[k] * (bits & bit_of[k] ? s.on : s.off);
}

#if defined(__x86_64__)
#include <immintrin.h>

LGI_AVX2_CODE LGI_ALWAYS_INLINE uint32_t bits_of_words_avx2(const uint32_t *words,
                                                            uint32_t bound)
{
    const __m256i least = _mm256_set1_epi32((int)bound);
    int bits = 0;
    for (int k = 0; k < LGI_MASK_BITS; k += 8) {
        __m256i w = _mm256_loadu_si256((const __m256i *)(words + k));
        __m256i above = _mm256_cmpeq_epi32(_mm256_max_epu32(w, least), w);
        bits |= _mm256_movemask_ps(_mm256_castsi256_ps(above)) << k;
    }
    return (uint32_t)bits;
}

LGI_AVX512_CODE LGI_ALWAYS_INLINE uint32_t bits_of_words_avx512(const uint32_t *words,
                                                                uint32_t bound)
{
    return _mm512_cmpge_epu32_mask(_mm512_loadu_si512(words),
                                   _mm512_set1_epi32((int)bound));
}

#ifdef LG_DOUBLE

#define bits_of_signs_avx2 bits_of_signs_plain
#define bits_of_signs_avx512 bits_of_signs_plain
#define numbers_avx2 numbers_plain
#define numbers_avx512 numbers_plain

#else

LGI_AVX2_CODE LGI_ALWAYS_INLINE uint32_t bits_of_signs_avx2(const float *x, bool choose,
                                                            int n)
{
    const __m256 zero = _mm256_setzero_ps();
    int bits = 0;
    if (n < LGI_MASK_BITS)
        return bits_of_signs_plain(x, choose, n);
    for (int k = 0; k < LGI_MASK_BITS; k += 8) {
        __m256 v = _mm256_loadu_ps(x + k);
        __m256 on = choose ? _mm256_cmp_ps(v, zero, _CMP_NLE_UQ)
                           : _mm256_cmp_ps(v, zero, _CMP_GT_OQ);
        bits |= _mm256_movemask_ps(on) << k;
    }
    return (uint32_t)bits;
}

LGI_AVX2_CODE LGI_ALWAYS_INLINE void numbers_avx2(uint32_t bits, lgi_slopes s,
                                                  const float *x, float *y, int n)
{
    const __m256 on = _mm256_set1_ps(s.on), off = _mm256_set1_ps(s.off);
    if (n < LGI_MASK_BITS) {
        numbers_plain(bits, s, x, y, n);
        return;
    }
    for (int k = 0; k < LGI_MASK_BITS; k += 8) {
        const __m256i each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        __m256i its = _mm256_and_si256(_mm256_set1_epi32((int)(bits >> k)), each);
        __m256 is_on = _mm256_castsi256_ps(_mm256_cmpeq_epi32(its, each));
        __m256 v = _mm256_loadu_ps(x + k);
        if (s.choose)
            v = _mm256_and_ps(_mm256_mul_ps(v, on), is_on);
        else
            v = _mm256_mul_ps(v, _mm256_blendv_ps(off, on, is_on));
        _mm256_storeu_ps(y + k, v);
    }
}

LGI_AVX512_CODE LGI_ALWAYS_INLINE uint32_t bits_of_signs_avx512(const float *x,
                                                                bool choose, int n)
{
    const __m512 zero = _mm512_setzero_ps();
    __m512 v = _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), x);
    return choose ? _mm512_cmp_ps_mask(v, zero, _CMP_NLE_UQ)
                  : _mm512_cmp_ps_mask(v, zero, _CMP_GT_OQ);
}

LGI_AVX512_CODE LGI_ALWAYS_INLINE void numbers_avx512(uint32_t bits, lgi_slopes s,
                                                      const float *x, float *y, int n)
{
    __mmask16 on = (__mmask16)bits, there = (__mmask16)((1u << n) - 1);
    __m512 by = _mm512_mask_blend_ps(on, _mm512_set1_ps(s.off), _mm512_set1_ps(s.on));
    __m512 v = _mm512_maskz_loadu_ps(there, x);
    v = _mm512_maskz_mul_ps(s.choose ? on : there, v, by);
    _mm512_mask_storeu_ps(y, there, v);
}

#endif
#endif

LGI_ALWAYS_INLINE uint32_t bits_of_mask(lg_real m)
{
    return m >= 0 && m <= 0xffff ? (uint32_t)(int32_t)m : 0;
}

typedef enum mask_source { BY_MASK, BY_SIGN, AT_RANDOM } mask_source;

/* A loop over the groups of 16 for each source of bits, and for each set. */
#define MASK_GROUP(set, i, count)                                                       \
    {                                                                                   \
        uint32_t bits = source == BY_MASK ? bits_of_mask(mask[(i) / LGI_MASK_BITS])     \
                        : source == BY_SIGN                                             \
                            ? bits_of_signs_##set(x + (i), s.choose, count)             \
                        : bits_of_words_##set(words + (i), bound)                       \
                              & ((1u << (count)) - 1);                                  \
        if (source != BY_MASK)                                                          \
            mask[(i) / LGI_MASK_BITS] = (lg_real)(int32_t)bits;                         \
        numbers_##set(bits, s, x + (i), y + (i), count);                                \
    }

#define MASK_LOOP(name, set, target, from, chosen)                                      \
    target static void name##_##set(const mask_job *j, const uint32_t *words,           \
                                    int64_t at, int64_t n)                              \
    {                                                                                   \
        const mask_source source = from;                                                \
        const lgi_slopes s = {j->s.on, j->s.off, chosen};                               \
        const uint32_t bound = j->d.bound;                                              \
        const lg_real *x = j->x + at;                                                   \
        lg_real *y = j->y + at, *mask = j->mask + at / LGI_MASK_BITS;                   \
        int64_t i = 0;                                                                  \
        (void)bound, (void)words;                                                       \
        for (; i + LGI_MASK_BITS <= n; i += LGI_MASK_BITS)                              \
            MASK_GROUP(set, i, LGI_MASK_BITS)                                           \
        if (i < n)                                                                      \
            MASK_GROUP(set, i, (int)(n - i))                                            \
    }

#define MASK_LOOPS(set, target)                                                         \
    MASK_LOOP(by_mask, set, target, BY_MASK, false)                                     \
    MASK_LOOP(by_mask_or_0, set, target, BY_MASK, true)                                 \
    MASK_LOOP(by_sign, set, target, BY_SIGN, false)                                     \
    MASK_LOOP(by_sign_or_0, set, target, BY_SIGN, true)                                 \
    MASK_LOOP(at_random, set, target, AT_RANDOM, false)

typedef void mask_loop(const mask_job *j, const uint32_t *words, int64_t at, int64_t n);

MASK_LOOPS(plain,)
#if defined(__x86_64__)
MASK_LOOPS(avx2, LGI_AVX2_CODE)
MASK_LOOPS(avx512, LGI_AVX512_CODE)
#define MASK_LOOP_OF(cpu, name)                                                         \
    ((cpu) >= LGI_AVX512 ? name##_avx512 : (cpu) >= LGI_AVX2 ? name##_avx2              \
                                                             : name##_plain)
#else
#define MASK_LOOP_OF(cpu, name) name##_plain
#endif

int64_t lgi_mask_numel(int64_t n) { return (n + LGI_MASK_BITS - 1) / LGI_MASK_BITS; }

void lgi_mask_by_sign(lgi_cpu cpu, lgi_slopes s, const lg_real *x, lg_real *y,
                      lg_real *mask, int64_t n)
{
    mask_job j = {.s = s, .x = x, .y = y, .mask = mask};
    mask_loop *loop = s.choose ? MASK_LOOP_OF(cpu, by_sign_or_0)
                               : MASK_LOOP_OF(cpu, by_sign);
    loop(&j, NULL, 0, n);
}

void lgi_mask_at_random(lgi_cpu cpu, lgi_slopes s, lgi_dropout d, const lg_real *x,
                        lg_real *y, lg_real *mask, int64_t n)
{
    mask_job j = {.s = s, .d = d, .x = x, .y = y, .mask = mask};
    mask_loop *loop = MASK_LOOP_OF(cpu, at_random);
    for (int64_t at = 0; at < n; at += MASK_CHUNK) {
        uint32_t words[MASK_CHUNK];
        int64_t some = n - at < MASK_CHUNK ? n - at : MASK_CHUNK;
        int64_t blocks = lgi_mask_numel(some) * LGI_MASK_BITS / 4;
        lgi_philox_run(cpu, d.stream, (d.first + (uint64_t)at) / 4, blocks, words);
        loop(&j, words, at, some);
    }
}

void lgi_apply_mask(lgi_cpu cpu, lgi_slopes s, const lg_real *mask, const lg_real *x,
                    lg_real *y, int64_t n)
{
    mask_job j = {.s = s, .x = x, .y = y, .mask = (lg_real *)mask};
    mask_loop *loop = s.choose ? MASK_LOOP_OF(cpu, by_mask_or_0)
                               : MASK_LOOP_OF(cpu, by_mask);
    loop(&j, NULL, 0, n);
}
