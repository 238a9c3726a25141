/* decimal.h - numbers in text, whatever the host's locale. */
#ifndef LG_BASE_DECIMAL_H
#define LG_BASE_DECIMAL_H
#include <stdbool.h>

/* Reads "-1.5e-3", "inf" or "nan"; *end is after it. False: there is no number at s. */
bool lgi_read_decimal(const char *s, const char **end, double *x);

#endif
