/*
 * vector.h - functions of one number as straight code, which the compiler makes into
 * vector instructions when they stand in a loop.
 *
 * For float they are polynomials, right to two units in the last place, and the same bits
 * on every machine, whatever its C library. For double they are the C library's.
 * tests/c/test_accuracy.c holds all that is made of them to four units.
 */
#ifndef LG_KERNEL_VECTOR_H
#define LG_KERNEL_VECTOR_H
#include "kernel/elementwise.h"

#include <math.h>
#include <string.h>

/* exp(x) as a product, whose factors have all digits where it has few itself, being next
 * to nothing. */
typedef struct lgi_factors { lg_real a, b; } lgi_factors;

#ifdef LG_DOUBLE

/* With more digits than an lg_real, for what would multiply a rounding. */
typedef long double lgi_wide;
LGI_ALWAYS_INLINE lgi_wide lgi_wide_exp(lgi_wide x) { return expl(x); }
LGI_ALWAYS_INLINE lgi_wide lgi_wide_erfc(lgi_wide x) { return erfcl(x); }

LGI_ALWAYS_INLINE lg_real lgi_mul_add(lg_real a, lg_real b, lg_real c, bool fused)
{
    (void)fused;
    return (lg_real)((lgi_wide)a * b + c);
}

LGI_ALWAYS_INLINE lg_real lgi_exp(lg_real x) { return exp(x); }
LGI_ALWAYS_INLINE lgi_factors lgi_exp_factors(lg_real x)
{
    bool low = x < -700;
    lg_real e = exp(low ? x / 2 : x);
    return (lgi_factors){e, low ? e : 1};
}
LGI_ALWAYS_INLINE lgi_factors lgi_exp_factors_by(lg_real x, const bool fused)
{
    (void)fused;
    return lgi_exp_factors(x);
}
LGI_ALWAYS_INLINE lg_real lgi_tanh(lg_real x) { return tanh(x); }
LGI_ALWAYS_INLINE lg_real lgi_log1p_of_small(lg_real u) { return log1p(u); }
LGI_ALWAYS_INLINE lg_real lgi_expm1(lg_real x) { return expm1(x); }
LGI_ALWAYS_INLINE lg_real lgi_log(lg_real x) { return log(x); }
LGI_ALWAYS_INLINE lg_real lgi_log1p(lg_real x) { return log1p(x); }
LGI_ALWAYS_INLINE lg_real lgi_erf(lg_real x) { return erf(x); }
LGI_ALWAYS_INLINE lg_real lgi_sin(lg_real x) { return sin(x); }
LGI_ALWAYS_INLINE lg_real lgi_cos(lg_real x) { return cos(x); }

#else

typedef double lgi_wide;

/* a b + c, as one instruction if a loop says that it may be: it then has other bits. */
LGI_ALWAYS_INLINE float lgi_mul_add(float a, float b, float c, bool fused)
{
    return fused ? __builtin_fmaf(a, b, c) : a * b + c;
}

LGI_ALWAYS_INLINE uint32_t lgi_bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

LGI_ALWAYS_INLINE float lgi_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^n for n in -126 .. 127; of others nothing is asked. */
LGI_ALWAYS_INLINE float lgi_power_of_two(uint32_t n)
{
    return lgi_of_bits((n + 127) << 23);
}

/* x as n log(2) + r, with |r| <= log(2) / 2. n is found by adding 1.5 * 2^23, which
 * rounds. */
typedef struct lgi_power { float r; uint32_t n; } lgi_power;

LGI_ALWAYS_INLINE lgi_power lgi_whole_power(float x, const bool fused)
{
    const float shift = 12582912;
    float shifted = lgi_mul_add(x, 1.44269504f, shift, fused), n = shifted - shift;
    float r = lgi_mul_add(-n, 0.693359375f, x, fused);
    r = lgi_mul_add(-n, -2.12194440e-4f, r, fused);
    return (lgi_power){r, lgi_bits_of(shifted) - lgi_bits_of(shift)};
}

/* (e^r - 1 - r) / r^2; the polynomial is Cephes' (Moshier 1989). */
LGI_ALWAYS_INLINE float lgi_exp_rest(float r, const bool fused)
{
    float p = 1.9875691500e-4f;
    p = lgi_mul_add(p, r, 1.3981999507e-3f, fused);
    p = lgi_mul_add(p, r, 8.3334519073e-3f, fused);
    p = lgi_mul_add(p, r, 4.1665795894e-2f, fused);
    p = lgi_mul_add(p, r, 1.6666665459e-1f, fused);
    return lgi_mul_add(p, r, 5.0000001201e-1f, fused);
}

/* 2^n e^r, where 2^n is applied in halves, since it may be out of range where the product
 * is not. */
LGI_ALWAYS_INLINE lgi_factors lgi_exp_factors_by(float x, const bool fused)
{
    x = x > 89 ? 89 : x;               /* inf from here on */
    x = x < -150 ? -150 : x;           /* 0 from here on; a NaN stays */
    lgi_power w = lgi_whole_power(x, fused);
    float p = lgi_mul_add(lgi_exp_rest(w.r, fused), w.r * w.r, w.r, fused) + 1;
    uint32_t half = (w.n + 256) / 2 - 128;
    return (lgi_factors){p * lgi_power_of_two(half), lgi_power_of_two(w.n - half)};
}

LGI_ALWAYS_INLINE lgi_factors lgi_exp_factors(float x)
{
    return lgi_exp_factors_by(x, false);
}

LGI_ALWAYS_INLINE float lgi_exp(float x)
{
    lgi_factors e = lgi_exp_factors(x);
    return e.a * e.b;
}

/* 2^n (e^r - 1) + 2^n - 1, halved, since 2^128 is out of range. */
LGI_ALWAYS_INLINE float lgi_expm1(float x)
{
    float c = x > 89 ? 89 : x;
    c = c < -20 ? -20 : c;
    lgi_power w = lgi_whole_power(c, false);
    float half = lgi_power_of_two(w.n - 1);
    float p = lgi_exp_rest(w.r, false) * (w.r * w.r) + w.r;
    float y = 2 * ((half - 0.5f) + half * p);
    return fabsf(x) < 1e-8f ? x : y;   /* of -0: -0 */
}

/* (1 - e) / (1 + e) with e = exp(-2|x|), which near 0 is Cephes' polynomial. */
LGI_ALWAYS_INLINE float lgi_tanh(float x)
{
    float size = fabsf(x), e = lgi_exp(-2 * size), w = x * x;
    float far = (1 - e) / (1 + e);
    float p = -5.70498872745e-3f;
    p = p * w + 2.06390887954e-2f;
    p = p * w - 5.37397155531e-2f;
    p = p * w + 1.33314422036e-1f;
    p = p * w - 3.33332819422e-1f;
    float near = p * w * size + size;
    return copysignf(size < 0.625f ? near : far, x);
}

/* log(1 + u) for u in 0 .. 1: 2 atanh(z) with z = u / (2 + u). */
LGI_ALWAYS_INLINE float lgi_log1p_of_small(float u)
{
    float z = u / (2 + u), w = z * z;
    float p = 0.1407888918f;
    p = p * w + 0.1398257887f;
    p = p * w + 0.2001229762f;
    p = p * w + 0.3333316082f;
    return 2 * z + 2 * z * w * p;
}

#include "kernel/vector_more.h"
#endif

/* by exp(x) for x up to 0 and e its factors; with all digits, unless by is above 1e15. */
LGI_ALWAYS_INLINE lg_real lgi_times_exp(lg_real by, lgi_factors e, lg_real x)
{
    const lg_real nothing = sizeof(lg_real) == 4 ? -150 : -800;
    lg_real product = by * e.a * e.b, none = by * 0;   /* of an infinity NaN */
    return x < nothing ? none : product;
}

/* 1 / (1 + exp(-x)), without overflow and with all digits on both sides. */
LGI_ALWAYS_INLINE lg_real lgi_sigmoid(lg_real x)
{
    lg_real e = lgi_exp(x < 0 ? x : -x), s = 1 / (1 + e);
    return x < 0 ? e * s : s;
}

/* log(1 + exp(x)), likewise. */
LGI_ALWAYS_INLINE lg_real lgi_softplus(lg_real x)
{
    lg_real tail = lgi_log1p_of_small(lgi_exp(x < 0 ? x : -x));
    return x > 0 ? x + tail : tail;
}

#endif
