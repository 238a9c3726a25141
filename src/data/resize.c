/* resize.c - antialiased bilinear resampling, an axis at a time. */
#include "data/resize.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* The weights of one number of the result, whose center lies in the middle of them. */
static void weigh_neighbors(lgi_resampler *r, int64_t i, double scale, double reach)
{
    double center = ((double)i + 0.5) * scale, sum = 0;
    int64_t first = center > reach ? (int64_t)(center - reach + 0.5) : 0;
    int64_t end = (int64_t)(center + reach + 0.5);
    end = end < r->from ? end : r->from;
    if (first + r->taps > r->from)
        first = r->from > r->taps ? r->from - r->taps : 0;
    lg_real *w = r->weight + i * r->taps;
    r->first[i] = first;
    for (int64_t k = 0; k < r->taps; k++)
        if (first + k < end)
            sum += triangle(((double)(first + k) + 0.5 - center) / reach);
    for (int64_t k = 0; k < r->taps; k++)
        w[k] = first + k >= end ? 0 : (lg_real)(
            triangle(((double)(first + k) + 0.5 - center) / reach) / sum);
}

lg_status lgi_make_resampler(lg_engine *E, int64_t from, int64_t to, lgi_resampler *r)
{
    double scale = (double)from / (double)to, reach = scale > 1 ? scale : 1;
    *r = (lgi_resampler){.from = from, .to = to, .taps = (int64_t)ceil(2 * reach) + 1};
    r->taps = r->taps < from ? r->taps : from;
    r->first = lgi_alloc(E, (size_t)to * sizeof *r->first);
    r->weight = lgi_alloc(E, (size_t)(to * r->taps) * sizeof *r->weight);
    if (!r->first || !r->weight) {
        lgi_free_resampler(E, r);
        return E->status;
    }
    for (int64_t i = 0; i < to; i++)
        weigh_neighbors(r, i, scale, reach);
    return LG_OK;
}

void lgi_free_resampler(lg_engine *E, lgi_resampler *r)
{
    lgi_free(E, r->first, (size_t)r->to * sizeof *r->first);
    lgi_free(E, r->weight, (size_t)(r->to * r->taps) * sizeof *r->weight);
    *r = (lgi_resampler){0};
}

static void resample_row(const lgi_resampler *r, const lg_real *x, lg_real *y)
{
    for (int64_t i = 0; i < r->to; i++) {
        const lg_real *from = x + r->first[i], *w = r->weight + i * r->taps;
        lg_real sum = 0;
        for (int64_t k = 0; k < r->taps; k++)
            sum += w[k] * from[k];
        y[i] = sum;
    }
}

/* Whole rows are weighted: x is from,width and y is to,width. */
static void resample_rows(const lgi_resampler *r, int64_t width, const lg_real *x,
                          lg_real *y)
{
    for (int64_t i = 0; i < r->to; i++) {
        lg_real *to = y + i * width;
        memset(to, 0, (size_t)width * sizeof *to);
        for (int64_t k = 0; k < r->taps; k++) {
            const lg_real *from = x + (r->first[i] + k) * width;
            lg_real w = r->weight[i * r->taps + k];
            for (int64_t j = 0; j < width; j++)
                to[j] += w * from[j];
        }
    }
}

void lgi_resize_planes(const lgi_resampler *down, const lgi_resampler *across, int64_t c,
                  const lg_real *x, lg_real *between, lg_real *y)
{
    for (int64_t i = 0; i < c * down->from; i++)
        resample_row(across, x + i * across->from, between + i * across->to);
    for (int64_t i = 0; i < c; i++)
        resample_rows(down, across->to, between + i * down->from * across->to,
                      y + i * down->to * across->to);
}
