/*
 * conv_parts.c - dilated convolutions, and those of several groups, as plain ones with
 * fewer multiplications.
 *
 * A dilation d leaves the pixels of one phase, f + d*q, among themselves: the phases of x
 * and y are images of their own, d*d for each of the tensors', whose convolution has no
 * dilation. They are copied apart and back. A group is some channels of the tensors, one
 * group computed after the other.
 */
#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/after.h"
#include "kernel/conv_forms.h"
#include "kernel/elementwise.h"
#include "kernel/tile.h"
#include "kernel/winograd.h"

#include <string.h>

/* A tensor and its phases: number t of phase f is number d*t + f - skip along an axis. */
typedef struct parts_copy {
    int64_t n, c, h, w;                /* of the tensor */
    int64_t rows, cols;                /* of a phase */
    int64_t dh, dw, skip_y, skip_x;
    lg_real *image, *phase;
    bool back;                         /* from the phases to the tensor */
    int64_t per_piece;
} parts_copy;

typedef struct parts_plan {
    lgi_conv whole, one;               /* without dilation; one of its groups */
    parts_copy x, y;                   /* phase is NULL where there is no dilation */
} parts_plan;

static int64_t parts_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t parts_most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t parts_least(int64_t a, int64_t b) { return a < b ? a : b; }

static bool is_dilated(const lgi_conv *v) { return v->dh > 1 || v->dw > 1; }

static lgi_conv undilated(const lgi_conv *v)
{
    lgi_conv t = *v;
    if (!is_dilated(v))
        return t;
    t.n = v->n * v->dh * v->dw;
    t.dh = t.dw = 1;
    t.oh = parts_div(v->oh, v->dh), t.ow = parts_div(v->ow, v->dw);
    t.ph = v->ph / v->dh, t.pw = v->pw / v->dw;
    t.h = parts_div(v->h + v->ph % v->dh, v->dh);
    t.w = parts_div(v->w + v->pw % v->dw, v->dw);
    t.h = parts_most(t.h, t.oh + t.kh - 1 - 2 * t.ph);         /* nothing is past x */
    t.w = parts_most(t.w, t.ow + t.kw - 1 - 2 * t.pw);
    return t;
}

static lgi_conv one_group(const lgi_conv *v)
{
    lgi_conv t = *v;
    t.groups = 1;
    t.c = v->c / v->groups, t.out = v->out / v->groups;
    t.x_channels = v->c, t.y_channels = v->out;
    return t;
}

bool lgi_parts_serve(const lg_engine *E, const lgi_conv *v, lgi_conv_side side)
{
    if (v->groups == 1 && !is_dilated(v))
        return false;
    if (is_dilated(v) && (v->sh > 1 || v->sw > 1))
        return false;
    lgi_conv whole = undilated(v), one = one_group(&whole);
    return lgi_winograd_serves(E, &one, side);
}

static parts_plan plan_parts(const lgi_conv *v, lgi_taker *t)
{
    parts_plan p = {.whole = undilated(v)};
    const lgi_conv *o = &p.whole;
    p.one = one_group(o);
    p.x = (parts_copy){.n = v->n, .c = v->c, .h = v->h, .w = v->w, .rows = o->h,
                       .cols = o->w, .dh = v->dh, .dw = v->dw, .skip_y = v->ph % v->dh,
                       .skip_x = v->pw % v->dw};
    p.y = (parts_copy){.n = v->n, .c = v->out, .h = v->oh, .w = v->ow, .rows = o->oh,
                       .cols = o->ow, .dh = v->dh, .dw = v->dw};
    if (is_dilated(v)) {
        p.x.phase = lgi_take(t, o->n * o->c * o->h * o->w, sizeof(lg_real));
        p.y.phase = lgi_take(t, o->n * o->out * o->oh * o->ow, sizeof(lg_real));
    }
    return p;
}

size_t lgi_parts_scratch(lg_engine *E, const lgi_conv *v, lgi_conv_side side)
{
    lgi_taker t = {0};
    parts_plan p = plan_parts(v, &t);
    return t.used + lgi_winograd_scratch(E, &p.one, side);
}

/* Numbers of a row, of which every d-th is one of a phase's; past the row are zeros. */
LGI_ALWAYS_INLINE void copy_phase(const parts_copy *j, int64_t fx, const int64_t d,
                                  lg_real *row, lg_real *phase)
{
    int64_t at = fx - j->skip_x, q = at < 0 ? 1 : 0;
    int64_t end = j->w > at ? parts_least(j->cols, parts_div(j->w - at, d)) : 0;
    if (j->back) {
        for (; q < end; q++)
            row[at + q * d] = phase[q];
        return;
    }
    if (q)
        phase[0] = 0;
    for (; q < end; q++)
        phase[q] = row[at + q * d];
    for (; q < j->cols; q++)
        phase[q] = 0;
}

/* One row of the tensor, or of zeros, as its phases. */
LGI_ALWAYS_INLINE void copy_row(const parts_copy *j, int64_t fx, lg_real *row,
                                lg_real *phase)
{
    if (!row)
        memset(phase, 0, (size_t)j->cols * sizeof *phase);
    else if (j->dw == 1)
        copy_phase(j, fx, 1, row, phase);
    else if (j->dw == 2)
        copy_phase(j, fx, 2, row, phase);
    else
        copy_phase(j, fx, j->dw, row, phase);
}

LGI_ALWAYS_INLINE void copy_plane(const parts_copy *j, int64_t plane)
{
    int64_t image = plane / j->c, channel = plane % j->c;
    for (int64_t fy = 0; fy < j->dh; fy++)
        for (int64_t t = 0; t < j->rows; t++) {
            int64_t y = fy + t * j->dh - j->skip_y;
            bool there = y >= 0 && y < j->h;
            lg_real *row = there ? j->image + (plane * j->h + y) * j->w : NULL;
            for (int64_t fx = 0; fx < j->dw && (there || !j->back); fx++) {
                int64_t number = (image * j->dh + fy) * j->dw + fx;
                copy_row(j, fx, row,
                         j->phase + ((number * j->c + channel) * j->rows + t) * j->cols);
            }
        }
}

LGI_ALWAYS_INLINE void copy_planes(const parts_copy *j, int64_t piece)
{
    int64_t end = parts_least(j->n * j->c, (piece + 1) * j->per_piece);
    for (int64_t i = piece * j->per_piece; i < end; i++)
        copy_plane(j, i);
}

static void copy_parts(void *job, int64_t piece, int worker) { copy_planes(job, piece); }

LGI_AVX2_CODE static void copy_parts_avx2(void *job, int64_t piece, int worker)
{
    copy_planes(job, piece);
}

LGI_AVX512_CODE static void copy_parts_avx512(void *job, int64_t piece, int worker)
{
    copy_planes(job, piece);
}

static void run_copy(lg_engine *E, parts_copy j, const lg_real *image, bool back)
{
    if (!j.phase)
        return;
    j.image = (lg_real *)image, j.back = back;
    j.per_piece = lgi_units_per_piece(j.n * j.c, 8 * j.h * j.w + 1);
    lgi_parallel(E, parts_div(j.n * j.c, j.per_piece),
                 LGI_WIDEST(E, copy_parts), &j);
}

void lgi_parts_images(lg_engine *E, const lgi_conv *v, lgi_conv_side side,
                      const lg_real *from, const lg_real *w, const lg_real *bias,
                      lg_real *to, void *scratch)
{
    lgi_taker t = {scratch, 0};
    parts_plan p = plan_parts(v, &t);
    const lgi_conv *o = &p.whole, *g = &p.one;
    bool of_x = side == LGI_CONV_X;
    const parts_copy *in = of_x ? &p.y : &p.x, *out = of_x ? &p.x : &p.y;
    const lg_real *src = in->phase ? in->phase : from;
    lg_real *dst = out->phase ? out->phase : to;
    int64_t ng = in->c / v->groups, mg = out->c / v->groups;
    const lgi_after *after = E->after;
    E->after = NULL;                   /* it knows of the tensors, not of their parts */
    run_copy(E, *in, from, false);
    for (int64_t i = 0; i < v->groups; i++)
        lgi_winograd_images(E, g, side, src + i * ng * in->rows * in->cols,
                            w + i * ng * mg * o->kh * o->kw, bias ? bias + i * mg : NULL,
                            dst + i * mg * out->rows * out->cols, t.base + t.used);
    run_copy(E, *out, to, true);
    E->after = after;
}

void lgi_parts_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                 lg_real *w, void *scratch)
{
    lgi_taker t = {scratch, 0};
    parts_plan p = plan_parts(v, &t);
    const lgi_conv *g = &p.one;
    const lg_real *from_x = p.x.phase ? p.x.phase : x;
    const lg_real *from_y = p.y.phase ? p.y.phase : y;
    run_copy(E, p.x, x, false);
    run_copy(E, p.y, y, false);
    for (int64_t i = 0; i < v->groups; i++)
        lgi_winograd_w(E, g, from_x + i * g->c * g->h * g->w,
                       from_y + i * g->out * g->oh * g->ow,
                       w + i * g->out * g->c * g->kh * g->kw, t.base + t.used);
}
