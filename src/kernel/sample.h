/*
 * sample.h - images read between their pixels, at places that a grid names, and the
 * transpose, which adds to them there.
 *
 * Along an axis a place is a weighted sum of two pixels. The weights depend on the place
 * linearly, with kinks; their derivatives are weights, too, of the same pixels, and the
 * derivatives of those are 0. So both loops take an order of derivative for each axis.
 */
#ifndef LG_KERNEL_SAMPLE_H
#define LG_KERNEL_SAMPLE_H
#include "base/engine.h"

typedef enum lgi_sample_mode { LGI_SAMPLE_BILINEAR, LGI_SAMPLE_NEAREST } lgi_sample_mode;
typedef enum lgi_outside {
    LGI_OUTSIDE_ZERO, LGI_OUTSIDE_BORDER, LGI_OUTSIDE_REFLECT
} lgi_outside;

typedef struct lgi_sampling {
    int64_t n, c, h, w;                /* x: n,c,h,w */
    int64_t oh, ow;                    /* y: n,c,oh,ow; grid: n,oh,ow,2 */
    lgi_sample_mode mode;
    lgi_outside outside;
    bool corners;                      /* -1 and 1: the middles of the outermost pixels,
                                          else their outer edges */
    int64_t order_x, order_y;          /* of the derivative by the grid: 0, 1, .. */
} lgi_sampling;

void lgi_sample_images(lg_engine *E, const lgi_sampling *s, const lg_real *x,
                       const lg_real *grid, lg_real *y);
void lgi_sample_back(lg_engine *E, const lgi_sampling *s, const lg_real *y,
                     const lg_real *grid, lg_real *x);

#endif
