#include "kernel/sheet.h"

#include <string.h>

static const lg_real no_bias[LGI_LANES] = {0};

/* The last LGI_LANES of a run are turned once more if the run ends between: no tails. */
void lgi_to_lanes(const lgi_lanes *lanes, const lg_real *from, int64_t step, int channels,
                  int64_t count, lg_real *to)
{
    if (channels == LGI_LANES && count >= LGI_LANES) {
        for (int64_t i = 0; i < count; i += LGI_LANES) {
            int64_t at = i + LGI_LANES <= count ? i : count - LGI_LANES;
            lanes->turn(from + at, step, no_bias, to + at * LGI_LANES, LGI_LANES);
        }
        return;
    }
    for (int64_t i = 0; i < count; i++, to += LGI_LANES) {
        for (int c = 0; c < channels; c++)
            to[c] = from[c * step + i];
        for (int c = channels; c < LGI_LANES; c++)
            to[c] = 0;
    }
}

void lgi_from_lanes(const lgi_lanes *lanes, const lg_real *from, const lg_real *add,
                    int channels, int64_t count, lg_real *to, int64_t step)
{
    add = add ? add : no_bias;
    if (channels == LGI_LANES && count >= LGI_LANES) {
        for (int64_t i = 0; i < count; i += LGI_LANES) {
            int64_t at = i + LGI_LANES <= count ? i : count - LGI_LANES;
            lanes->turn(from + at * LGI_LANES, LGI_LANES, add, to + at, step);
        }
        return;
    }
    for (int c = 0; c < channels; c++)
        for (int64_t i = 0; i < count; i++)
            to[c * step + i] = from[i * LGI_LANES + c] + add[c];
}

/* Rows narrower than a vector are turned as one run, and then apart. */
static bool is_narrow(const lgi_sheet *s) { return s->w < LGI_LANES; }

int64_t lgi_sheet_staged(const lgi_sheet *s)
{
    return is_narrow(s) ? s->rows * s->w * LGI_LANES : 0;
}

/* The columns of the image that are on the sheet; what no tile reads may be cut off. */
static int64_t cols_within(const lgi_sheet *s)
{
    return s->left + s->w < s->cols ? s->w : s->cols - s->left;
}

/* The rows of the image that are on the sheet: from..to. */
static int64_t rows_within(const lgi_sheet *s, int64_t *from)
{
    int64_t end = s->first + s->rows;
    *from = s->first > 0 ? s->first : 0;
    if (end > s->h)
        end = s->h;
    return end > *from ? end : *from;
}

static void clear_pixels(lg_real *to, int64_t count)
{
    memset(to, 0, (size_t)(count * LGI_LANES) * sizeof *to);
}

void lgi_fill_sheet(const lgi_lanes *lanes, const lgi_sheet *s, const lg_real *image,
                    lg_real *sheet, lg_real *staged)
{
    int64_t from, to = rows_within(s, &from), plane = s->h * s->w;
    int64_t wide = cols_within(s), right = s->left + wide, row = s->cols * LGI_LANES;
    if (is_narrow(s))
        lgi_to_lanes(lanes, image + from * s->w, plane, s->channels, (to - from) * s->w,
                     staged);
    clear_pixels(sheet, (from - s->first) * s->cols);
    clear_pixels(sheet + (to - s->first) * row, (s->first + s->rows - to) * s->cols);
    for (int64_t y = from; y < to; y++) {
        lg_real *at = sheet + (y - s->first) * row, *inner = at + s->left * LGI_LANES;
        clear_pixels(at, s->left);
        clear_pixels(at + right * LGI_LANES, s->cols - right);
        if (is_narrow(s))
            memcpy(inner, staged + (y - from) * s->w * LGI_LANES,
                   (size_t)(wide * LGI_LANES) * sizeof *inner);
        else
            lgi_to_lanes(lanes, image + y * s->w, plane, s->channels, wide, inner);
    }
}

void lgi_drain_sheet(const lgi_lanes *lanes, const lgi_sheet *s, const lg_real *sheet,
                     const lg_real *add, lg_real *image, lg_real *staged)
{
    int64_t from, to = rows_within(s, &from), plane = s->h * s->w;
    for (int64_t y = from; y < to; y++) {
        const lg_real *at = sheet + ((y - s->first) * s->cols + s->left) * LGI_LANES;
        if (is_narrow(s))
            memcpy(staged + (y - from) * s->w * LGI_LANES, at,
                   (size_t)(s->w * LGI_LANES) * sizeof *at);
        else
            lgi_from_lanes(lanes, at, add, s->channels, s->w, image + y * s->w, plane);
    }
    if (is_narrow(s))
        lgi_from_lanes(lanes, staged, add, s->channels, (to - from) * s->w,
                       image + from * s->w, plane);
}
