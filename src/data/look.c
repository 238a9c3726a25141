/* look.c - resize, crop, flip and normalize, one row at a time. */
#include "data/look.h"

#include "data/image.h"

#include <math.h>
#include <string.h>

/* what it will be */

static lg_status check_look(lg_engine *E, const lgi_look *k, const char *who,
                            lgi_look_kind kind, int64_t h, int64_t w, double chance)
{
    if (k->n == LGI_LOOK_STEPS)
        return lgi_fail(E, LG_EARG, "%s: the set has %d steps already, which is the most",
                        who, LGI_LOOK_STEPS);
    if (h < 1 || w < 1 || h > LGI_MAX_SIDE || w > LGI_MAX_SIDE)
        return lgi_fail(E, LG_EARG, "%s: %lld x %lld is no size; a side has 1 to %d "
                        "pixels", who, (long long)h, (long long)w, LGI_MAX_SIDE);
    if ((kind == LGI_CROP || kind == LGI_RANDOM_CROP) && (h > k->h || w > k->w))
        return lgi_fail(E, LG_ESHAPE, "%s: %lld x %lld does not fit into images of %lld "
                        "x %lld; resize them first", who, (long long)h, (long long)w,
                        (long long)k->h, (long long)k->w);
    if (!(chance >= 0 && chance <= 1))
        return lgi_fail(E, LG_EARG, "%s: a chance of %g; it is from 0 to 1", who, chance);
    return LG_OK;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

lg_status lgi_add_look(lg_engine *E, lgi_look *k, const char *who, lgi_look_kind kind,
                       int64_t h, int64_t w, double chance)
{
    if (E->status < 0 || check_look(E, k, who, kind, h, w, chance) < 0)
        return E->status;
    lgi_look_step s = {.kind = kind, .h0 = k->h, .w0 = k->w, .h = h, .w = w,
                       .chance = chance};
    if (kind == LGI_RESIZE) {
        lgi_make_resampler(E, s.h0, h, &s.down);
        lgi_make_resampler(E, s.w0, w, &s.across);
        if (E->status < 0) {
            lgi_free_resampler(E, &s.down);
            lgi_free_resampler(E, &s.across);
            return E->status;
        }
        k->between = larger(k->between, k->c * s.h0 * w);
    }
    k->most = larger(larger(k->most, k->c * s.h0 * s.w0), k->c * h * w);
    k->h = h;
    k->w = w;
    k->step[k->n++] = s;
    return LG_OK;
}

lg_status lgi_copy_look(lg_engine *E, lgi_look *to, const lgi_look *from, int64_t c)
{
    *to = *from;
    to->c = c;
    to->n = 0;
    to->most = to->between = 0;
    if (from->n) {
        to->h = from->step[0].h0;
        to->w = from->step[0].w0;
    }
    for (int i = 0; i < from->n; i++) {
        const lgi_look_step *s = &from->step[i];
        if (lgi_add_look(E, to, "copy", s->kind, s->h, s->w, s->chance) < 0)
            return E->status;
    }
    return E->status;
}

void lgi_free_look(lg_engine *E, lgi_look *k)
{
    for (int i = 0; i < k->n; i++) {
        lgi_free_resampler(E, &k->step[i].down);
        lgi_free_resampler(E, &k->step[i].across);
    }
    k->n = 0;
}

int64_t lgi_look_scratch(const lgi_look *k)
{
    return k->n ? 2 * k->most + k->between : 0;
}

/* one row */

static void crop_planes(const lgi_look_step *s, int64_t c, int64_t top, int64_t left,
                        const lg_real *x, lg_real *y)
{
    for (int64_t k = 0; k < c; k++)
        for (int64_t i = 0; i < s->h; i++)
            memcpy(y + (k * s->h + i) * s->w,
                   x + (k * s->h0 + top + i) * s->w0 + left, (size_t)s->w * sizeof *y);
}

/* Half of what is left over, rounded to even as torchvision's center_crop does. */
static int64_t half_over(int64_t more) { return (int64_t)rint((double)more / 2); }

static void flip_planes(const lgi_look_step *s, int64_t c, const lg_real *x, lg_real *y)
{
    for (int64_t i = 0; i < c * s->h; i++)
        for (int64_t j = 0; j < s->w; j++)
            y[i * s->w + j] = x[i * s->w + s->w - 1 - j];
}

/* Two random numbers are kept for each step, whether it asks or not. False: y is not
 * written, since nothing changes. */
static bool take_step(const lgi_look_step *s, int64_t c, const lgi_stream *stream,
                      uint64_t index, const lg_real *x, lg_real *between, lg_real *y)
{
    int64_t top = half_over(s->h0 - s->h), left = half_over(s->w0 - s->w);
    switch (s->kind) {
    case LGI_RESIZE:
        lgi_resize_planes(&s->down, &s->across, c, x, between, y);
        return true;
    case LGI_RANDOM_CROP:
        if (stream) {
            top = (int64_t)lgi_below(*stream, index, (uint64_t)(s->h0 - s->h) + 1);
            left = (int64_t)lgi_below(*stream, index + 1, (uint64_t)(s->w0 - s->w) + 1);
        }
        /* fall through */
    case LGI_CROP:
        crop_planes(s, c, top, left, x, y);
        return true;
    case LGI_FLIP:
        if (!stream || lgi_uniform_at(*stream, 4 * index) >= s->chance)
            return false;
        flip_planes(s, c, x, y);
        return true;
    }
    return false;
}

static void normalize_planes(const lgi_look *k, lg_real *x)
{
    int64_t plane = k->h * k->w;
    for (int64_t i = 0; k->channels && i < k->c; i++) {
        lg_real scale = k->scale[k->channels == 1 ? 0 : i];
        lg_real shift = k->shift[k->channels == 1 ? 0 : i];
        for (int64_t j = 0; j < plane; j++)
            x[i * plane + j] = x[i * plane + j] * scale + shift;
    }
}

void lgi_look_at(const lgi_look *k, const lgi_stream *stream, uint64_t place,
                 lg_real *scratch, lg_real *to)
{
    lg_real *x = scratch, *y = scratch + k->most, *between = y + k->most;
    for (int i = 0; i < k->n; i++) {
        uint64_t left = (uint64_t)(k->n - 1 - i);      /* pairs end in the same steps */
        uint64_t index = (place * LGI_LOOK_STEPS + left) * 2;
        if (take_step(&k->step[i], k->c, stream, index, x, between, y)) {
            lg_real *t = x;
            x = y;
            y = t;
        }
    }
    if (k->n)
        memcpy(to, x, (size_t)(k->c * k->h * k->w) * sizeof *to);
    normalize_planes(k, to);
}
