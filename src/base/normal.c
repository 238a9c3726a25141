/*
 * normal.c - Box and Muller: a radius, whose square has an exponential distribution, and
 * an angle, from two words that stand for (r + 1/2) / 2^32.
 *
 * For float both are straight code, which the compiler makes into vector instructions.
 * Words are reduced as whole numbers, so that nothing is lost: near 1 a fraction's
 * logarithm has all its digits, and the tails are right to 6.6 deviations.
 */
#include "base/normal.h"

#include <math.h>
#include <string.h>

#ifdef LG_DOUBLE

LGI_ALWAYS_INLINE void normal_pair(const uint32_t *r, lg_real *to)
{
    double radius = sqrt(-2 * log(((double)r[0] + 0.5) * 0x1p-32));
    double angle = 6.283185307179586 * (((double)r[1] + 0.5) * 0x1p-32);
    to[0] = radius * cos(angle);
    to[1] = radius * sin(angle);
}

#else

LGI_ALWAYS_INLINE float flipped_by(float x, uint32_t sign)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits ^= sign;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/*
 * log((r + 1/2) / 2^32) as that of 2^e (1 + f), 1 + f between the roots of 1/2 and 2, is
 * f - f^2/2 + f^3 p(f) + e log(2). In the upper half v is what is missing to 1, and f is
 * made of that.
 */
LGI_ALWAYS_INLINE float log_of_fraction(uint32_t r)
{
    const uint32_t half_root = 0x3f3504f3;     /* the bits of sqrt(1/2) */
    bool high = r >> 31;
    float v = ((float)(int32_t)(high ? ~r : r) + 0.5f) * 0x1p-32f, z = high ? 1 - v : v;
    uint32_t bits;
    memcpy(&bits, &z, sizeof bits);
    int32_t e = (int32_t)(bits - half_root) >> 23;
    bits -= (uint32_t)e << 23;
    memcpy(&z, &bits, sizeof z);
    float near_1 = e ? 1 - 2 * v : -v, f = high ? near_1 : z - 1, n = (float)e;
    float p = 6.746638266e-02f;
    p = p * f - 1.167565122e-01f;
    p = p * f + 1.188816297e-01f;
    p = p * f - 1.240558906e-01f;
    p = p * f + 1.421955228e-01f;
    p = p * f - 1.666799584e-01f;
    p = p * f + 2.000211866e-01f;
    p = p * f - 2.500000960e-01f;
    p = p * f + 3.333331260e-01f;
    float f2 = f * f, low = f * f2 * p + n * 1.42860677e-6f;
    return f + (low - 0.5f * f2) + n * 0.693145751953125f;
}

/* The angle is a quarter turn, q times, and x, which is within an eighth of a turn. */
LGI_ALWAYS_INLINE void normal_pair(const uint32_t *r, float *to)
{
    float radius = sqrtf(-2 * log_of_fraction(r[0]));
    uint32_t q = (r[1] + 0x20000000) >> 30;
    int32_t t = (int32_t)(r[1] - (q << 30));
    float x = (float)(2 * t + 1) * 7.314590396e-10f;           /* pi / 2^32 */
    float w = x * x, s = -1.951729888e-04f, c = 2.443845142e-05f;
    s = (s * w + 8.332178145e-03f) * w - 1.666665494e-01f;
    s = s * w * x + x;
    c = (c * w - 1.388736751e-03f) * w + 4.166664687e-02f;
    c = c * (w * w) + (1 - 0.5f * w);
    bool turned = q & 1;
    float cosine = flipped_by(turned ? s : c, ((q + 1) & 2) << 30);
    float sine = flipped_by(turned ? c : s, (q & 2) << 30);
    to[0] = radius * cosine;
    to[1] = radius * sine;
}

#endif

LGI_ALWAYS_INLINE void normals_any(const uint32_t *restrict words, lg_real *restrict to,
                                   int64_t n)
{
    for (int64_t i = 0; i < n / 2; i++)
        normal_pair(words + 2 * i, to + 2 * i);
}

LGI_AVX2_CODE static void normals_avx2(const uint32_t *words, lg_real *to, int64_t n)
{
    normals_any(words, to, n);
}

LGI_AVX512_CODE static void normals_avx512(const uint32_t *words, lg_real *to, int64_t n)
{
    normals_any(words, to, n);
}

void lgi_normals(lgi_cpu cpu, const uint32_t *words, lg_real *to, int64_t n)
{
    if (cpu >= LGI_AVX512)
        normals_avx512(words, to, n);
    else if (cpu >= LGI_AVX2)
        normals_avx2(words, to, n);
    else
        normals_any(words, to, n);
}
