/*
 * vector_more.h - the rest of vector.h for float: logarithms, the normal distribution,
 * sine and cosine. The polynomials are fits of the least greatest relative error.
 */
#ifndef LG_KERNEL_VECTOR_MORE_H
#define LG_KERNEL_VECTOR_MORE_H
#include "kernel/vector.h"

/* z = 2^e m, with m between the roots of 1/2 and 2; z is normal. */
typedef struct lgi_split { float m; int32_t e; } lgi_split;

LGI_ALWAYS_INLINE lgi_split lgi_split_number(float z)
{
    uint32_t bits = lgi_bits_of(z);
    int32_t e = (int32_t)(bits - 0x3f3504f3) >> 23;            /* sqrt(1/2) */
    return (lgi_split){lgi_of_bits(bits - ((uint32_t)e << 23)), e};
}

/* log(2^e (1 + f)) as f - f^2/2 + f^3 p(f) + e log(2) */
LGI_ALWAYS_INLINE float lgi_log_of(float f, float e)
{
    float p = 6.746638266e-02f;
    p = p * f - 1.167565122e-01f;
    p = p * f + 1.188816297e-01f;
    p = p * f - 1.240558906e-01f;
    p = p * f + 1.421955228e-01f;
    p = p * f - 1.666799584e-01f;
    p = p * f + 2.000211866e-01f;
    p = p * f - 2.500000960e-01f;
    p = p * f + 3.333331260e-01f;
    float f2 = f * f, low = f * f2 * p + e * 1.42860677e-6f;
    return f + (low - 0.5f * f2) + e * 0.693145751953125f;
}

/* y, and what the logarithm of u is where it is no number. */
LGI_ALWAYS_INLINE float lgi_log_or(float y, float u)
{
    float none = u == 0 ? -INFINITY : NAN;
    y = u > 0 ? y : none;
    return u == INFINITY ? u : y;
}

LGI_ALWAYS_INLINE float lgi_log(float x)
{
    bool tiny = x < 1.17549435e-38f;   /* no normal number */
    float z = tiny ? x * 0x1p23f : x;
    lgi_split s = lgi_split_number(z);
    return lgi_log_or(lgi_log_of(s.m - 1, (float)(tiny ? s.e - 23 : s.e)), x);
}

/* Of u = 1 + x and what it was rounded by. */
LGI_ALWAYS_INLINE float lgi_log1p(float x)
{
    float u = 1 + x, lost = x > 1 ? 1 - (u - x) : x - (u - 1);
    lgi_split s = lgi_split_number(u);
    lost = x > 1e9f ? 0 : lost * lgi_power_of_two(-(uint32_t)s.e);
    float y = lgi_log_or(lgi_log_of((s.m - 1) + lost, (float)s.e), u);
    return fabsf(x) < 1e-8f ? x : y;   /* of -0: -0 */
}

/*
 * The normal distribution's tail beyond a, from 0 on: w exp(-a^2 / 2), where w falls from
 * 1/2 like 1 / a. It is t q(t) with t = 1 / (1 + a / 4); what t was rounded by would
 * count up to threefold, and is put right. a^2 = square + rest has twice the digits.
 */
typedef struct lgi_tail {
    float w;                           /* and of what follows, exp(-rest / 2) */
    float half;                        /* -square / 2 */
    lgi_factors e;                     /* exp(half) */
    float rest;
} lgi_tail;

typedef struct lgi_rounded { float value, off; } lgi_rounded;

/* 1 / (1 + a / 4), and what is missing as a part of it. */
LGI_ALWAYS_INLINE lgi_rounded lgi_tail_place(float a, const bool fused)
{
    float u = 1 + 0.25f * a, t = 1 / u, lost = (1 - u) + 0.25f * a;
    float off = fused ? __builtin_fmaf(-u, t, 1) - lost * t
                      : (float)(1 - (1 + 0.25 * (double)a) * (double)t);
    return (lgi_rounded){t, off};
}

/* a^2 */
LGI_ALWAYS_INLINE lgi_rounded lgi_exact_square(float a, const bool fused)
{
    if (fused)
        return (lgi_rounded){a * a, __builtin_fmaf(a, a, -(a * a))};
    float short_a = lgi_of_bits(lgi_bits_of(a) & 0xfffff000);
    float high = short_a * short_a, low = (a - short_a) * (a + short_a);
    float square = high + low;
    return (lgi_rounded){square, (high - square) + low};
}

LGI_ALWAYS_INLINE lgi_tail lgi_normal_tail(float a, const bool fused)
{
    lgi_rounded place = lgi_tail_place(a, fused), square = lgi_exact_square(a, fused);
    float t = place.value, p = -1.153651543e-02f;
    p = lgi_mul_add(p, t, 8.575164341e-02f, fused);
    p = lgi_mul_add(p, t, -2.450974826e-01f, fused);
    p = lgi_mul_add(p, t, 3.293371553e-01f, fused);
    p = lgi_mul_add(p, t, -2.418486761e-01f, fused);
    p = lgi_mul_add(p, t, 1.881051280e-01f, fused);
    p = lgi_mul_add(p, t, 9.921655020e-03f, fused);
    p = lgi_mul_add(p, t, 9.432072627e-02f, fused);
    p = lgi_mul_add(p, t, 9.138835070e-02f, fused);
    p = lgi_mul_add(p, t, 9.993033369e-02f, fused);
    p = p * t;
    float right = place.off * lgi_mul_add(2.7f, t, 0.5f, fused) - 0.5f * square.off;
    p = 9.972768236e-02f + lgi_mul_add(9.972768236e-02f + p, right, p, fused);
    float half = -0.5f * square.value;
    return (lgi_tail){p * t, half, lgi_exp_factors_by(half, fused), square.off};
}

/* x p(x^2), and beyond 1 by the tail. */
LGI_ALWAYS_INLINE float lgi_erf(float x)
{
    float size = fabsf(x), z = x * x;
    float held = size > 10 ? 10 : size;
    lgi_tail q = lgi_normal_tail(held * 1.41421356f, false);
    float far = 1 - 2 * (q.w * (q.e.a * q.e.b));
    float p = 7.853854328e-05f;
    p = p * z - 8.010191497e-04f;
    p = p * z + 5.188327444e-03f;
    p = p * z - 2.685381181e-02f;
    p = p * z + 1.128358515e-01f;
    p = p * z - 3.761262582e-01f;
    p = p * z + 1.283791670e-01f;
    float near = p * x + x;            /* 2 / sqrt(pi) - 1 */
    return size < 1 ? near : copysignf(far, x);
}

/*
 * Sine and cosine of x = q quarter turns + r, up to LGI_FAR_TURNS; of more of them
 * nothing is asked. In double n times the first part of a quarter turn is exact.
 */
#define LGI_FAR_TURNS 1e6f

typedef struct lgi_turn { float s, c; uint32_t q; } lgi_turn;

LGI_ALWAYS_INLINE lgi_turn lgi_turned(float x)
{
    const double shift = 6755399441055744.0;               /* 1.5 * 2^52 */
    double shifted = (double)x * 0.63661977236758134308 + shift, n = shifted - shift;
    float r = (float)(((double)x - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34);
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    float w = r * r, s = -1.951729888e-04f, c = 2.443845142e-05f;
    s = (s * w + 8.332178145e-03f) * w - 1.666665494e-01f;
    c = (c * w - 1.388736751e-03f) * w + 4.166664687e-02f;
    return (lgi_turn){s * w * r + r, c * (w * w) + (1 - 0.5f * w), (uint32_t)bits};
}

LGI_ALWAYS_INLINE float lgi_sin(float x)
{
    lgi_turn t = lgi_turned(x);
    float y = t.q & 1 ? t.c : t.s;
    y = lgi_of_bits(lgi_bits_of(y) ^ (t.q & 2) << 30);
    return fabsf(x) < 1e-4f ? x : y;   /* of -0: -0 */
}

LGI_ALWAYS_INLINE float lgi_cos(float x)
{
    lgi_turn t = lgi_turned(x);
    float y = t.q & 1 ? t.s : t.c;
    return lgi_of_bits(lgi_bits_of(y) ^ ((t.q + 1) & 2) << 30);
}

#endif
