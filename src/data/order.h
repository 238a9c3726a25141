/* order.h - sorting without memory: the C library's qsort takes some of its own. */
#ifndef LG_DATA_ORDER_H
#define LG_DATA_ORDER_H
#include <stdbool.h>
#include <stdint.h>

typedef bool lgi_before(const void *user, int64_t a, int64_t b);   /* a goes before b */

/* Fills to with 0 .. n-1, sorted. The worst case is n log n too. */
void lgi_sort(int64_t *to, int64_t n, lgi_before *before, const void *user);

#endif
