#include "base/decimal.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Up to 19 digits without the point, and the power of ten that it stands for. */
static bool read_digits(const char **s, uint64_t *mantissa, int *power)
{
    bool any = false, point = false;
    for (;; ++*s) {
        char c = **s;
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            return any;
        any = true;
        if (*mantissa > (UINT64_MAX - 9) / 10) {
            *power += !point;
            continue;
        }
        *mantissa = *mantissa * 10 + (uint64_t)(c - '0');
        *power -= point;
    }
}

static int read_exponent(const char **s)
{
    const char *p = *s;
    if (*p != 'e' && *p != 'E')
        return 0;
    bool negative = *++p == '-';
    p += *p == '-' || *p == '+';
    if (*p < '0' || *p > '9')
        return 0;
    int e = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        e = e < 9999 ? e * 10 + (*p - '0') : e;
    *s = p;
    return negative ? -e : e;
}

bool lgi_read_decimal(const char *s, const char **end, double *x)
{
    const char *p = s;
    uint64_t mantissa = 0;
    int power = 0;
    bool negative = *p == '-';

    *end = s;
    p += *p == '-' || *p == '+';
    if (strncmp(p, "inf", 3) == 0 || strncmp(p, "nan", 3) == 0) {
        *x = *p == 'n' ? NAN : negative ? -INFINITY : INFINITY;
        *end = p + 3;
        return true;
    }
    if (!read_digits(&p, &mantissa, &power))
        return false;
    power += read_exponent(&p);
    /* To 2^53 and 10^22 both are exact in double, and the one rounding is right. */
    bool exact = mantissa < (uint64_t)1 << 53 && power >= -22 && power <= 22;
    double v = (double)mantissa, ten = pow(10, exact ? fabs((double)power) : 0);
    if (exact)
        *x = power < 0 ? v / ten : v * ten;
    else
        *x = mantissa ? (double)((long double)mantissa * powl(10, power)) : 0;
    if (negative)
        *x = -*x;
    *end = p;
    return true;
}
