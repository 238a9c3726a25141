/*
 * conv_forms.h - forms of a convolution for shapes that need no general one: what is a
 * plain product, what is turned around, what has few channels, or one a group. conv.c
 * chooses.
 */
#ifndef LG_KERNEL_CONV_FORMS_H
#define LG_KERNEL_CONV_FORMS_H
#include "kernel/conv.h"
#include "kernel/gather.h"

/* As the functions in conv.h: images from images and w, w from images. */
typedef size_t lgi_conv_scratch(lg_engine *E, const lgi_conv *v);
typedef void lgi_conv_images(lg_engine *E, const lgi_conv *v, const lg_real *from,
                             const lg_real *w, const lg_real *bias, lg_real *to,
                             void *scratch);
typedef void lgi_conv_weight(lg_engine *E, const lgi_conv *v, const lg_real *x,
                             const lg_real *y, lg_real *w, void *scratch);

typedef struct lgi_conv_form {
    bool (*takes)(const lgi_conv *v);
    lgi_conv_scratch *y_scratch, *x_scratch, *w_scratch;
    lgi_conv_images *y, *x;            /* NULL: the form has none */
    lgi_conv_weight *w;
} lgi_conv_form;

extern const lgi_conv_form lgi_full_form, lgi_point_form, lgi_turned_form;
extern const lgi_conv_form lgi_spread_form, lgi_thin_form;

/* A channel a group: many channels beside one another, or each by itself, with the two
 * that do x for it. */
extern const lgi_conv_form lgi_beside_form, lgi_apart_form;
extern const lgi_conv_form lgi_apart_x_form, lgi_apart_phases_form;

/* Scratch is handed out from front to back, each part aligned to 64 bytes; from NULL,
 * taking only counts. */
typedef struct lgi_taker {
    char *base;
    size_t used;
} lgi_taker;

void *lgi_take(lgi_taker *t, int64_t count, size_t size);

/* x, so that y can be gathered from it: split, neighbors among the outputs are side by
 * side, else those among the taps. */
lgi_canvas lgi_canvas_of_x(const lgi_conv *v, bool split);

/* Where the taps of a channel, and those of the channels after it, are on x's canvas. */
void lgi_table_of_taps(const lgi_conv *v, const lgi_canvas *x, int32_t *row);

/* The taps of one axis that give to a phase f of x, whose pixels are f + stride*q. */
typedef struct lgi_axis_phase {
    int64_t count;                     /* taps */
    int64_t pixels;                    /* of x */
    int64_t low, high;                 /* the outputs they read, from low to high */
} lgi_axis_phase;

/* Down the columns, and along the rows. */
lgi_axis_phase lgi_phase_down(const lgi_conv *v, int64_t f);
lgi_axis_phase lgi_phase_along(const lgi_conv *v, int64_t f);

/* Pixel q of phase f reads y at q + e through tap i, if the phase has that tap. */
bool lgi_tap_shift(int64_t f, int64_t i, int64_t stride, int64_t padding,
                   int64_t dilation, int64_t *e);

/* y, with the zeros that the phases of x read around it. */
lgi_canvas lgi_canvas_of_y(const lgi_conv *v);

/* Tap number k of channels c and o of w goes to at + (c*out/groups + o)*step; nowhere if
 * at is -1. */
typedef struct lgi_tap_place {
    int64_t at, step;
} lgi_tap_place;

/* w as the phases of x read it: in each phase groups, channels of x, channels of y, its
 * taps, whose places, kh,kw, follow one another. */
void lgi_share_taps(lg_engine *E, const lgi_conv *v, const lg_real *w,
                    const lgi_tap_place *place, lg_real *to);

#endif
