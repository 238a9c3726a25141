/*
 * resize.h - images of another size, as PyTorch's and Pillow's antialiased bilinear ones.
 *
 * Each number of the result is a weighted mean of neighbors, by a triangle as wide as the
 * pixels of the result are: when an image shrinks, no pixel is left out.
 */
#ifndef LG_DATA_RESIZE_H
#define LG_DATA_RESIZE_H
#include "base/engine.h"

/* One axis, from so many numbers to so many. */
typedef struct lgi_resampler {
    int64_t from, to, taps;
    int64_t *first;                    // to: where the neighbors begin
    lg_real *weight;                   // to,taps
} lgi_resampler;

lg_status lgi_make_resampler(lg_engine *E, int64_t from, int64_t to, lgi_resampler *r);
void lgi_free_resampler(lg_engine *E, lgi_resampler *r);       /* an empty one is fine */

/* between: c,down->from,across->to numbers. */
void lgi_resize_planes(const lgi_resampler *down, const lgi_resampler *across, int64_t c,
                  const lg_real *x, lg_real *between, lg_real *y);

#endif
