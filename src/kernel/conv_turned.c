/*
 * conv_turned.c - a convolution of stride 1 with few results, as a transpose.
 *
 * With stride 1 the transpose of a convolution is one again, of the kernel turned by half
 * a turn and with its channels exchanged. So a relation whose y has few channels is one
 * whose x has few, which the other forms are made for.
 */
#include "kernel/conv_forms.h"

enum { TURNED_MOST = 8 };              /* channels of y */

static bool turned_takes(const lgi_conv *v)
{
    return v->groups == 1 && v->sh == 1 && v->sw == 1 && v->kh * v->kw > 1
           && v->out <= TURNED_MOST && v->out < v->c
           && v->h == v->oh + (v->kh - 1) * v->dh - 2 * v->ph
           && v->w == v->ow + (v->kw - 1) * v->dw - 2 * v->pw
           && v->ph <= (v->kh - 1) * v->dh && v->pw <= (v->kw - 1) * v->dw;
}

static lgi_conv turned_relation(const lgi_conv *v)
{
    lgi_conv t = *v;
    t.c = v->out, t.h = v->oh, t.w = v->ow;
    t.out = v->c, t.oh = v->h, t.ow = v->w;
    t.ph = (v->kh - 1) * v->dh - v->ph, t.pw = (v->kw - 1) * v->dw - v->pw;
    return t;
}

/* a,b,kh,kw as b,a,kh,kw, each kernel turned by half a turn. */
static void turn_weight(int64_t a, int64_t b, int64_t taps, const lg_real *from,
                        lg_real *to)
{
    for (int64_t j = 0; j < b; j++)
        for (int64_t i = 0; i < a; i++)
            for (int64_t k = 0; k < taps; k++)
                *to++ = from[(i * b + j) * taps + taps - 1 - k];
}

static lg_real *take_turned(const lgi_conv *v, lgi_taker *t)
{
    return lgi_take(t, v->out * v->c * v->kh * v->kw, sizeof(lg_real));
}

static size_t turned_y_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_conv other = turned_relation(v);
    lgi_taker t = {0};
    take_turned(v, &t);
    return t.used + lgi_conv_x_scratch(E, &other);
}

static void turned_y(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *w,
                     const lg_real *bias, lg_real *y, void *scratch)
{
    lgi_conv other = turned_relation(v);
    lgi_taker t = {scratch, 0};
    lg_real *to = take_turned(v, &t);
    turn_weight(v->out, v->c, v->kh * v->kw, w, to);
    lgi_conv_x(E, &other, x, to, bias, y, t.base + t.used);
}

static size_t turned_x_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_conv other = turned_relation(v);
    lgi_taker t = {0};
    take_turned(v, &t);
    return t.used + lgi_conv_y_scratch(E, &other);
}

static void turned_x(lg_engine *E, const lgi_conv *v, const lg_real *y, const lg_real *w,
                     const lg_real *bias, lg_real *x, void *scratch)
{
    lgi_conv other = turned_relation(v);
    lgi_taker t = {scratch, 0};
    lg_real *to = take_turned(v, &t);
    turn_weight(v->out, v->c, v->kh * v->kw, w, to);
    lgi_conv_y(E, &other, y, to, bias, x, t.base + t.used);
}

static size_t turned_w_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_conv other = turned_relation(v);
    lgi_taker t = {0};
    take_turned(v, &t);
    return t.used + lgi_conv_w_scratch(E, &other);
}

static void turned_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                     lg_real *w, void *scratch)
{
    lgi_conv other = turned_relation(v);
    lgi_taker t = {scratch, 0};
    lg_real *to = take_turned(v, &t);
    lgi_conv_w(E, &other, y, x, to, t.base + t.used);
    turn_weight(v->c, v->out, v->kh * v->kw, to, w);
}

const lgi_conv_form lgi_turned_form = {turned_takes, turned_y_scratch, turned_x_scratch,
                                       turned_w_scratch, turned_y, turned_x, turned_w};
