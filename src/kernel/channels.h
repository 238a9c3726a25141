/*
 * channels.h - the loops of normalization: x seen as n, c, inner, and something for each
 * of the c channels.
 */
#ifndef LG_KERNEL_CHANNELS_H
#define LG_KERNEL_CHANNELS_H
#include "tensor/tensor.h"

typedef struct lgi_channels {
    int64_t n, c, inner;
} lgi_channels;

/* Numbers of scratch for the sums. */
int64_t lgi_channel_scratch(lgi_channels s);

/* The mean and the biased variance of each channel, 0 of one without numbers: at the
 * beginning of scratch c means, then c variances. It holds lgi_channel_scratch numbers
 * and c more. */
void lgi_channel_moments(lg_engine *E, lgi_channels s, const lg_real *x, double *scratch);

/* What a channel's numbers become: y = a u + b (x - mean) + c; without u, a is 0. */
typedef struct lgi_channel_map {
    const lg_real *a, *b, *c, *mean;   /* one for each channel */
} lgi_channel_map;

void lgi_map_channels(lg_engine *E, lgi_channels s, const lgi_channel_map *m,
                      const lg_real *x, lg_real *y);

/* Sets what the map has for channel k: from the sums of v and of v (x - shift) over its
 * numbers, where v is u, or, without u, x - shift. In any thread, k after k. */
typedef void lgi_channel_rule(const void *p, int64_t k, double shift, double sum,
                              double product);

/* y by the map that the rule makes of the sums, which are in double and in a fixed order.
 * With u, shift is m->mean; without, u may be NULL, it is the first of a channel's
 * numbers. Scratch as for the moments. */
void lgi_normalize_channels(lg_engine *E, lgi_channels s, const lg_real *u,
                            const lg_real *x, lg_real *y, const lgi_channel_map *m,
                            lgi_channel_rule *rule, const void *p, double *scratch);

#endif
