/*
 * winograd.h - convolutions with fewer multiplications: the forms of winograd_forms.h
 * behind kernel/conv.h.
 *
 * The images are cut into tiles of m by m results. Each tile's input becomes points, and
 * at each point all tiles and channels make one product of matrices, tiles,channels times
 * channels,channels. A stride is undone first: its phases are images of their own, and
 * those of the input count as channels, so that what remains has stride 1. The transpose
 * of a convolution is a convolution of y for each phase of x; the gradient for w is, at
 * each point, the product over the tiles.
 *
 * Errors are within 2e-5 of the largest result, where sums in order have 1e-6. An engine
 * told to be exact does without.
 */
#ifndef LG_KERNEL_WINOGRAD_H
#define LG_KERNEL_WINOGRAD_H
#include "kernel/conv.h"

typedef enum { LGI_CONV_Y, LGI_CONV_X, LGI_CONV_W } lgi_conv_side;

/* Is that one of the three computed here? By the shape alone, and E->exact. */
bool lgi_winograd_serves(const lg_engine *E, const lgi_conv *v, lgi_conv_side side);

/* Where there are few images, turning w into points takes much of the time. Then the
 * bytes of v->w_points, in which they may be kept for the next call with that w, of the
 * same `what`; else 0. */
size_t lgi_winograd_keeps(const lg_engine *E, const lgi_conv *v, lgi_conv_side side,
                          int *what);

size_t lgi_winograd_scratch(lg_engine *E, const lgi_conv *v, lgi_conv_side side);

/* As the functions of kernel/conv.h: from is x and to is y, or the other way round. */
void lgi_winograd_images(lg_engine *E, const lgi_conv *v, lgi_conv_side side,
                         const lg_real *from, const lg_real *w, const lg_real *bias,
                         lg_real *to, void *scratch);
void lgi_winograd_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                    lg_real *w, void *scratch);

/* The same for those with a dilation or groups: see conv_parts.c. */
bool lgi_parts_serve(const lg_engine *E, const lgi_conv *v, lgi_conv_side side);
size_t lgi_parts_scratch(lg_engine *E, const lgi_conv *v, lgi_conv_side side);
void lgi_parts_images(lg_engine *E, const lgi_conv *v, lgi_conv_side side,
                      const lg_real *from, const lg_real *w, const lg_real *bias,
                      lg_real *to, void *scratch);
void lgi_parts_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                 lg_real *w, void *scratch);

#endif
