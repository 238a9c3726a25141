/* winograd_lanes.c - winograd_lanes.h for each processor family, and how 16 vectors of 16
 * numbers are turned. */
#include "kernel/winograd_forms.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TURN_512 __attribute__((target("avx512f,avx512vl,avx2,fma")))
#define TURN_256 __attribute__((target("avx2,fma")))
#endif

static void turn_plain(const lg_real *from, int64_t from_step, const lg_real *add,
                       lg_real *to, int64_t to_step)
{
    for (int i = 0; i < LGI_LANES; i++)
        for (int j = 0; j < LGI_LANES; j++)
            to[j * to_step + i] = from[i * from_step + j] + add[j];
}

#if defined(__x86_64__)
#ifdef LG_DOUBLE
static void turn_avx2(const lg_real *from, int64_t from_step, const lg_real *add,
                      lg_real *to, int64_t to_step)
{
    lgi_lanes_plain.turn(from, from_step, add, to, to_step);
}
#else
/* 8 x 8: rows i and i+4 side by side, so that four by four within each half remain. */
TURN_256 static inline void turn_8x8_avx2(const float *from, int64_t from_step,
                                              __m256 add, float *to, int64_t to_step)
{
    __m256 r[8], s[8];
    for (int i = 0; i < 8; i++)
        s[i] = _mm256_add_ps(_mm256_loadu_ps(from + i * from_step), add);
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(s[i], s[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(s[i], s[i + 4], 0x31);
    }
    for (int h = 0; h < 8; h += 4) {
        __m256 low0 = _mm256_unpacklo_ps(r[h], r[h + 1]);
        __m256 high0 = _mm256_unpackhi_ps(r[h], r[h + 1]);
        __m256 low1 = _mm256_unpacklo_ps(r[h + 2], r[h + 3]);
        __m256 high1 = _mm256_unpackhi_ps(r[h + 2], r[h + 3]);
        float *row = to + h * to_step;
        _mm256_storeu_ps(row, _mm256_shuffle_ps(low0, low1, 0x44));
        _mm256_storeu_ps(row + to_step, _mm256_shuffle_ps(low0, low1, 0xEE));
        _mm256_storeu_ps(row + 2 * to_step, _mm256_shuffle_ps(high0, high1, 0x44));
        _mm256_storeu_ps(row + 3 * to_step, _mm256_shuffle_ps(high0, high1, 0xEE));
    }
}

TURN_256 static void turn_avx2(const float *from, int64_t from_step,
                                   const float *add, float *to, int64_t to_step)
{
    for (int j = 0; j < LGI_LANES; j += 8)
        for (int i = 0; i < LGI_LANES; i += 8)
            turn_8x8_avx2(from + i * from_step + j, from_step, _mm256_loadu_ps(add + j),
                          to + j * to_step + i, to_step);
}
#endif

#ifdef LG_DOUBLE
static void turn_avx512(const lg_real *from, int64_t from_step, const lg_real *add,
                        lg_real *to, int64_t to_step)
{
    lgi_lanes_plain.turn(from, from_step, add, to, to_step);
}
#else
/* 16 x 16: pairs, fours, and then the quarters of the registers. */
TURN_512 static void turn_avx512(const float *from, int64_t from_step,
                                     const float *add, float *to, int64_t to_step)
{
    __m512 r[LGI_LANES], s[LGI_LANES], b = _mm512_loadu_ps(add);
    for (int i = 0; i < 16; i++)
        r[i] = _mm512_add_ps(_mm512_loadu_ps(from + i * from_step), b);
    for (int i = 0; i < 16; i += 2) {
        s[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        s[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int h = 0; h < 2; h++) {
            r[i + 2 * h] = _mm512_shuffle_ps(s[i + h], s[i + h + 2], 0x44);
            r[i + 2 * h + 1] = _mm512_shuffle_ps(s[i + h], s[i + h + 2], 0xEE);
        }
    for (int i = 0; i < 4; i++) {
        __m512 low = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        __m512 high = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        __m512 odd_low = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xDD);
        __m512 odd_high = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xDD);
        _mm512_storeu_ps(to + i * to_step, _mm512_shuffle_f32x4(low, high, 0x88));
        _mm512_storeu_ps(to + (i + 4) * to_step,
                         _mm512_shuffle_f32x4(odd_low, odd_high, 0x88));
        _mm512_storeu_ps(to + (i + 8) * to_step, _mm512_shuffle_f32x4(low, high, 0xDD));
        _mm512_storeu_ps(to + (i + 12) * to_step,
                         _mm512_shuffle_f32x4(odd_low, odd_high, 0xDD));
    }
}
#endif
#endif

#define LANES_TARGET
#define LANES_BYTES 16
#define LANES(name) name##_plain
#include "kernel/winograd_lanes.h"
#undef LANES_TARGET
#undef LANES_BYTES
#undef LANES

#if defined(__x86_64__)
#define LANES_TARGET TURN_256
#define LANES_BYTES 32
#define LANES(name) name##_avx2
#include "kernel/winograd_lanes.h"
#undef LANES_TARGET
#undef LANES_BYTES
#undef LANES

#define LANES_TARGET TURN_512
#define LANES_BYTES 64
#define LANES(name) name##_avx512
#include "kernel/winograd_lanes.h"
#undef LANES_TARGET
#undef LANES_BYTES
#undef LANES
#endif
