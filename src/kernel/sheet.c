#include "kernel/sheet.h"

#include <string.h>

static const lg_real no_bias[LGI_LANES] = {0};

/* Each channel is far from the next: a line of each is fetched two turns ahead. */
enum { TURNS_AHEAD = 2 * LGI_LANES };

/* The last LGI_LANES of a run are turned once more if the run ends between: no tails. */
void lgi_to_lanes(const lgi_lanes *lanes, const lg_real *from, int64_t step, int channels,
                  int64_t count, lg_real *to)
{
    if (channels == LGI_LANES && count >= LGI_LANES) {
        for (int64_t i = 0; i < count; i += LGI_LANES) {
            int64_t at = i + LGI_LANES <= count ? i : count - LGI_LANES;
            for (int c = 0; c < LGI_LANES; c++)
                __builtin_prefetch(from + at + TURNS_AHEAD + c * step);
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
            for (int c = 0; c < LGI_LANES; c++)
                __builtin_prefetch(to + at + TURNS_AHEAD + c * step, 1);
            lanes->turn(from + at * LGI_LANES, LGI_LANES, add, to + at, step);
        }
        return;
    }
    for (int c = 0; c < channels; c++)
        for (int64_t i = 0; i < count; i++)
            to[c * step + i] = from[i * LGI_LANES + c] + add[c];
}

/* Rows narrower than a vector are turned as one run, and then apart. */
int64_t lgi_sheet_staged(const lgi_sheet *s)
{
    return lgi_is_narrow(s) ? s->rows * s->w * LGI_LANES : 0;
}

/* The columns of the image that are on the sheet; what no tile reads may be cut off. */
static int64_t cols_within(const lgi_sheet *s)
{
    return s->left + s->w < s->cols ? s->w : s->cols - s->left;
}

/* Those of the sheet's rows that are of the image, as rows of it. */
static lgi_rows rows_within(const lgi_sheet *s, lgi_rows rows)
{
    int64_t from = s->first + rows.from, to = s->first + rows.to;
    from = from < 0 ? 0 : from < s->h ? from : s->h;
    to = to < from ? from : to < s->h ? to : s->h;
    return (lgi_rows){from, to};
}

static void clear_pixels(lg_real *to, int64_t count)
{
    if (count > 0)
        memset(to, 0, (size_t)(count * LGI_LANES) * sizeof *to);
}

void lgi_fill_sheet(const lgi_lanes *lanes, const lgi_sheet *s, lgi_rows rows,
                    const lg_real *image, lg_real *sheet, lg_real *staged)
{
    lgi_rows in = rows_within(s, rows);
    int64_t wide = cols_within(s), right = s->left + wide, plane = s->h * s->w;
    if (lgi_is_narrow(s))
        lgi_to_lanes(lanes, image + in.from * s->w, plane, s->channels,
                     (in.to - in.from) * s->w, staged);
    for (int64_t row = rows.from; row < rows.to; row++) {
        int64_t y = s->first + row;
        lg_real *at = sheet + row * s->cols * LGI_LANES;
        lg_real *inner = at + s->left * LGI_LANES;
        if (y < in.from || y >= in.to) {
            clear_pixels(at, s->cols);
            continue;
        }
        clear_pixels(at, s->left);
        clear_pixels(at + right * LGI_LANES, s->cols - right);
        if (lgi_is_narrow(s))
            memcpy(inner, staged + (y - in.from) * s->w * LGI_LANES,
                   (size_t)(wide * LGI_LANES) * sizeof *inner);
        else
            lgi_to_lanes(lanes, image + y * s->w, plane, s->channels, wide, inner);
    }
}

void lgi_drain_sheet(const lgi_lanes *lanes, const lgi_sheet *s, const lg_real *sheet,
                     const lg_real *add, lg_real *image, lg_real *staged)
{
    lgi_rows in = rows_within(s, (lgi_rows){0, s->rows});
    int64_t plane = s->h * s->w;
    for (int64_t y = in.from; y < in.to; y++) {
        const lg_real *at = sheet + ((y - s->first) * s->cols + s->left) * LGI_LANES;
        if (lgi_is_narrow(s))
            memcpy(staged + (y - in.from) * s->w * LGI_LANES, at,
                   (size_t)(s->w * LGI_LANES) * sizeof *at);
        else
            lgi_from_lanes(lanes, at, add, s->channels, s->w, image + y * s->w, plane);
    }
    if (lgi_is_narrow(s))
        lgi_from_lanes(lanes, staged, add, s->channels, (in.to - in.from) * s->w,
                       image + in.from * s->w, plane);
}
