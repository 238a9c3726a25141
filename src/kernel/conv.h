/*
 * conv.h - two-dimensional convolution (cross-correlation, as the field has it).
 *
 * One relation, linear in each of three tensors, joins x, w and y:
 *
 *     y[n,o,oy,ox] = sum over c,i,j of w[o,c,i,j] x[n,c, oy*sh + i*dh - ph, ox*sw + ...]
 *
 * Each function here computes one of the three from the other two: y is the convolution,
 * x its transpose (which is also the gradient for x), w the gradient for w.
 *
 * The matrix of columns is never formed: strips of it are gathered from a padded copy of
 * the images through tables of offsets, straight into the packed form that the tiles
 * read. The transpose is cut into its sh*sw phases, each of which is a plain convolution
 * of y, so nothing is scattered or summed afterwards.
 *
 * That is the general form. conv_forms.h has those for kernels of one pixel or of the
 * whole image and for few channels, and winograd.h those with fewer multiplications.
 */
#ifndef LG_KERNEL_CONV_H
#define LG_KERNEL_CONV_H
#include "base/engine.h"

typedef struct lgi_conv {
    int64_t n, c, h, w;                /* x: n,c,h,w */
    int64_t out, oh, ow;               /* y: n,out,oh,ow */
    int64_t kh, kw;                    /* w: out,c/groups,kh,kw */
    int64_t sh, sw, ph, pw, dh, dw;    /* stride, padding, dilation */
    int64_t groups;

    int64_t x_channels, y_channels;    /* of the whole tensors, where this is one of their
                                          groups: for winograd.h alone. 0: it is all */
    lg_real *w_points;                 /* w turned, kept between calls; or NULL: see */
    bool w_turned;                     /* lgi_winograd_keeps. Is it there already? */
} lgi_conv;

/* Offsets into an image, padded, have 32 bits: false if it has more than 2^30 numbers. */
bool lgi_conv_fits(const lgi_conv *v);

/* Bytes of scratch, for each of the three. */
size_t lgi_conv_y_scratch(lg_engine *E, const lgi_conv *v);
size_t lgi_conv_x_scratch(lg_engine *E, const lgi_conv *v);
size_t lgi_conv_w_scratch(lg_engine *E, const lgi_conv *v);

/* bias, one a channel of the result, may be NULL. */
void lgi_conv_y(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *w,
                const lg_real *bias, lg_real *y, void *scratch);
void lgi_conv_x(lg_engine *E, const lgi_conv *v, const lg_real *y, const lg_real *w,
                const lg_real *bias, lg_real *x, void *scratch);
void lgi_conv_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                lg_real *w, void *scratch);

#endif
