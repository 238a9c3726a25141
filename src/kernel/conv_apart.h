/* conv_apart.h - what the forms for each channel by itself share. */
#ifndef LG_KERNEL_CONV_APART_H
#define LG_KERNEL_CONV_APART_H
#include "kernel/conv_forms.h"

enum { LGI_APART_TAPS = 64, LGI_APART_LANES = 64 / sizeof(lg_real) };

typedef struct lgi_apart_job {
    lg_engine *E;
    lgi_conv v;
    const lg_real *from, *w, *bias, *y;
    lg_real *to;
    lgi_canvas canvas;                 /* of one channel of one image */
    int64_t taps;
    bool turned;                       /* w is */
    int32_t *row;                      /* taps */
    lg_real *plane;                    /* for each worker */
    int64_t plane_size, per_piece;
} lgi_apart_job;

/* A plane on its canvas, with zeros behind it. */
const lg_real *lgi_fill_apart(const lgi_apart_job *job, int64_t plane, int worker);

/* to: v.oh,v.ow: the bias, and for each tap w times src from row on. */
typedef void lgi_apart_sum(const lgi_apart_job *job, const lg_real *src, const lg_real *w,
                           lg_real bias, lg_real *to);
lgi_apart_sum *lgi_apart_sum_of(lgi_cpu cpu);

#endif
