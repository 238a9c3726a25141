/*
 * window.h - windows that slide over planes: their numbers laid out, added back, and
 * their maxima.
 */
#ifndef LG_KERNEL_WINDOW_H
#define LG_KERNEL_WINDOW_H
#include "base/engine.h"

typedef struct lgi_window {
    int64_t planes, h, w;              /* x: planes,h,w */
    int64_t oh, ow;                    /* windows */
    int64_t kh, kw, sh, sw, ph, pw, dh, dw;    /* kernel, stride, padding, dilation */
} lgi_window;

/* y: planes,kh,kw,oh,ow, with zeros for what lies in the padding; and its transpose. */
void lgi_unfold(lg_engine *E, const lgi_window *v, const lg_real *x, lg_real *y);
void lgi_fold(lg_engine *E, const lgi_window *v, const lg_real *y, lg_real *x);

/* The maximum of each window, the first of equals, and which of its numbers that is, from
 * 1. A NaN goes through. */
void lgi_max_pool(lg_engine *E, const lgi_window *v, const lg_real *x, lg_real *y,
                  lg_real *where);

/* x, but for zeros, has in each window the number of y at that place; and its transpose,
 * which takes them. */
void lgi_max_scatter(lg_engine *E, const lgi_window *v, const lg_real *y,
                     const lg_real *where, lg_real *x);
void lgi_max_take(lg_engine *E, const lgi_window *v, const lg_real *x,
                  const lg_real *where, lg_real *y);

/* The first place that is none of its window's, or that lies in the padding; or -1. */
int64_t lgi_wrong_place(const lgi_window *v, const lg_real *where);

#endif
