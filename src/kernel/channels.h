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

/* For each channel the sums of u - su and of (u - su) (x - sx), in double and in a fixed
 * order: at the beginning of scratch c of the first, then c of the second. su may be
 * NULL: 0. */
void lgi_channel_sums(lg_engine *E, lgi_channels s, const lg_real *u, const double *su,
                      const lg_real *x, const double *sx, double *scratch);

/* The mean and the biased variance of each channel, 0 of one without numbers: at the
 * beginning of scratch c means, then c variances. It holds lgi_channel_scratch numbers
 * and c more. */
void lgi_channel_moments(lg_engine *E, lgi_channels s, const lg_real *x, double *scratch);

/* What a channel's numbers become: y = a u + b (x - mean) + c; u may be NULL: 0. */
typedef struct lgi_channel_map {
    const lg_real *a, *b, *c, *mean;   /* one for each channel */
} lgi_channel_map;

void lgi_map_channels(lg_engine *E, lgi_channels s, const lgi_channel_map *m,
                      const lg_real *u, const lg_real *x, lg_real *y);

#endif
