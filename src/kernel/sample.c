/*
 * sample.c - the places of a grid, and the loops over them.
 *
 * Places are weighed by runs, in straight code, and a run is then read or added to in
 * channel after channel.
 */
#include "kernel/sample.h"

#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/elementwise.h"

#include <math.h>
#include <string.h>

enum {
    SAMPLE_PIECE = 1 << 12,
    SAMPLE_RUN = 64,                   /* places */
    SAMPLE_BLOCK = 16,                 /* channels of a piece, which adds */
    SAMPLE_CHANNELS = 4                /* of them side by side */
};

/* Coordinates on an axis in pixels, from 0 at the middle of the first, and their
 * derivatives. */
typedef struct coordinate_run {
    double at[SAMPLE_RUN], slope[SAMPLE_RUN];
} coordinate_run;

/* Within low .. low + span by reflection at both ends. */
LGI_ALWAYS_INLINE void reflect_within(coordinate_run *u, int n, double low, double span)
{
    for (int i = 0; i < n; i++) {
        double from = u->at[i] - low, past = fabs(from);
        double turns = floor(past / span), extra = past - turns * span;
        bool even = turns - 2 * floor(turns / 2) == 0;
        double sign = from < 0 ? -u->slope[i] : u->slope[i];
        u->at[i] = span == 0 ? 0 : (even ? extra : span - extra) + low;
        u->slope[i] = span == 0 ? 0 : even ? sign : -sign;
    }
}

LGI_ALWAYS_INLINE void clip_within(coordinate_run *u, int n, double last)
{
    for (int i = 0; i < n; i++) {
        double at = u->at[i];
        u->slope[i] = at <= 0 || at >= last ? 0 : u->slope[i];
        at = at <= 0 ? 0 : at;
        u->at[i] = at >= last ? last : at;
    }
}

/* grid: every other number. */
LGI_ALWAYS_INLINE void place_on_axis(const lgi_sampling *s, const lg_real *grid, int n,
                                     int64_t size, coordinate_run *u)
{
    double pixels = (double)size, span = s->corners ? pixels - 1 : pixels;
    double shift = s->corners ? 0 : 0.5;
    for (int i = 0; i < n; i++) {
        u->at[i] = ((double)grid[2 * i] + 1) / 2 * span - shift;
        u->slope[i] = span / 2;
    }
    if (s->outside == LGI_OUTSIDE_REFLECT)
        reflect_within(u, n, s->corners ? 0 : -0.5, span);
    if (s->outside != LGI_OUTSIDE_ZERO)
        clip_within(u, n, pixels - 1);
}

/* Two pixels of an axis with their weights; one that is outside has the weight 0. */
typedef struct pixel_run {
    double at[2][SAMPLE_RUN];
    double weight[2][SAMPLE_RUN];
} pixel_run;

LGI_ALWAYS_INLINE void weigh_pixels(const lgi_sampling *s, const lg_real *grid, int n,
                                    int64_t size, int64_t order, pixel_run *p)
{
    coordinate_run u;
    place_on_axis(s, grid, n, size, &u);
    if (s->mode == LGI_SAMPLE_NEAREST)
        for (int i = 0; i < n; i++) {
            u.at[i] = nearbyint(u.at[i]);
            u.slope[i] = 0;
        }
    for (int i = 0; i < n; i++) {
        double at = u.at[i], low = floor(at), past = at - low;
        double slope = order == 1 ? u.slope[i] : 0;
        double first = order == 0 ? 1 - past : -slope;
        double second = order == 0 ? past : slope;
        bool in_first = low >= 0 && low < (double)size;
        bool in_second = low >= -1 && low + 1 < (double)size;
        first = in_first ? first : 0;
        p->at[0][i] = in_first ? low : 0;
        p->at[1][i] = in_second ? low + 1 : 0;
        p->weight[0][i] = at != at ? at : first;           /* a NaN goes through */
        p->weight[1][i] = in_second ? second : 0;
    }
}

/* Of a run of places: four offsets into a plane, with their weights. */
typedef struct place_run {
    int64_t at[4][SAMPLE_RUN];
    lg_real weight[4][SAMPLE_RUN];
} place_run;

LGI_ALWAYS_INLINE void weigh_places(const lgi_sampling *s, const lg_real *grid, int n,
                                    place_run *f)
{
    pixel_run x, y;
    weigh_pixels(s, grid, n, s->w, s->order_x, &x);
    weigh_pixels(s, grid + 1, n, s->h, s->order_y, &y);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < n; i++) {
            double at = y.at[k / 2][i] * (double)s->w + x.at[k % 2][i];
            f->at[k][i] = (int64_t)at;
            f->weight[k][i] = (lg_real)(y.weight[k / 2][i] * x.weight[k % 2][i]);
        }
}

typedef struct sampling_job {
    const lgi_sampling *s;
    const lg_real *from, *grid;
    lg_real *to;
    int64_t places, places_a_piece;    /* for all images */
} sampling_job;

/* What the nearest pixel leaves of the four is the first. */
LGI_ALWAYS_INLINE int sampled_pixels(const lgi_sampling *s)
{
    return s->mode == LGI_SAMPLE_NEAREST ? 1 : 4;
}

/* Fetched first, and then added up by vectors. */
LGI_ALWAYS_INLINE void read_sampled(const place_run *f, int pixels, int n,
                                    const lg_real *restrict x, lg_real *restrict y)
{
    lg_real v[SAMPLE_RUN];
    for (int k = 0; k < pixels; k++) {
        const lg_real *w = f->weight[k];
        for (int i = 0; i < n; i++)
            v[i] = x[f->at[k][i]];
        for (int i = 0; i < n; i++) {
            lg_real part = w[i] * (w[i] != 0 ? v[i] : 0);  /* outside is no infinity */
            y[i] = k == 0 ? 0 + part : y[i] + part;
        }
    }
}

LGI_ALWAYS_INLINE void sample_piece_any(const sampling_job *p, int64_t piece)
{
    const lgi_sampling *s = p->s;
    int64_t at = piece * p->places_a_piece, end = at + p->places_a_piece;
    int64_t each = s->oh * s->ow, plane = s->h * s->w;
    place_run f;
    end = end < p->places ? end : p->places;
    for (int n; at < end; at += n) {
        int64_t image = at / each, place = at - image * each;
        int64_t left = each - place < end - at ? each - place : end - at;
        n = left < SAMPLE_RUN ? (int)left : SAMPLE_RUN;
        weigh_places(s, p->grid + 2 * at, n, &f);
        const lg_real *x = p->from + image * s->c * plane;
        lg_real *y = p->to + image * s->c * each + place;
        for (int64_t c = 0; c < s->c; c++, x += plane, y += each)
            if (sampled_pixels(s) == 1)
                read_sampled(&f, 1, n, x, y);
            else
                read_sampled(&f, 4, n, x, y);
    }
}

/* A run in a few channels: place by place, so that those whose pixels are the same ones
 * don't wait for each other. */
LGI_ALWAYS_INLINE void add_sampled(const place_run *f, int pixels, int n,
                                   int64_t channels, const lg_real *y, int64_t each,
                                   lg_real *x, int64_t plane)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < pixels; k++) {
            lg_real w = f->weight[k][i];
            lg_real *to = x + f->at[k][i];
            if (w != 0)
                for (int64_t c = 0; c < channels; c++)
                    to[c * plane] += w * y[c * each + i];
        }
}

/* Some channels of an image, all places in their order. */
LGI_ALWAYS_INLINE void sample_back_piece_any(const sampling_job *p, int64_t piece)
{
    const lgi_sampling *s = p->s;
    int64_t blocks = (s->c + SAMPLE_BLOCK - 1) / SAMPLE_BLOCK, image = piece / blocks;
    int64_t first = piece % blocks * SAMPLE_BLOCK;
    int64_t count = s->c - first < SAMPLE_BLOCK ? s->c - first : SAMPLE_BLOCK;
    int64_t each = s->oh * s->ow, plane = s->h * s->w;
    const lg_real *grid = p->grid + 2 * image * each;
    const lg_real *y = p->from + (image * s->c + first) * each;
    lg_real *x = p->to + (image * s->c + first) * plane;
    int pixels = sampled_pixels(s);
    place_run f;
    memset(x, 0, (size_t)(count * plane) * sizeof *x);
    for (int64_t i = 0; i < each; i += SAMPLE_RUN) {
        int n = each - i < SAMPLE_RUN ? (int)(each - i) : SAMPLE_RUN;
        weigh_places(s, grid + 2 * i, n, &f);
        for (int64_t c = 0; c < count; c += SAMPLE_CHANNELS) {
            const lg_real *from = y + c * each + i;
            lg_real *to = x + c * plane;
            if (count - c >= SAMPLE_CHANNELS)
                add_sampled(&f, pixels, n, SAMPLE_CHANNELS, from, each, to, plane);
            else
                add_sampled(&f, pixels, n, count - c, from, each, to, plane);
        }
    }
}

#define SAMPLE_PIECES(set, code)                                                        \
    code static void sample_piece##set(void *job, int64_t piece, int worker)            \
    {                                                                                   \
        (void)worker;                                                                   \
        sample_piece_any(job, piece);                                                   \
    }                                                                                   \
    code static void sample_back_piece##set(void *job, int64_t piece, int worker)       \
    {                                                                                   \
        (void)worker;                                                                   \
        sample_back_piece_any(job, piece);                                              \
    }

SAMPLE_PIECES(, )
SAMPLE_PIECES(_avx2, LGI_AVX2_CODE)
SAMPLE_PIECES(_avx512, LGI_AVX512_CODE)

void lgi_sample_images(lg_engine *E, const lgi_sampling *s, const lg_real *x,
                       const lg_real *grid, lg_real *y)
{
    sampling_job job = {s, x, grid, y, s->n * s->oh * s->ow, 0};
    if (s->c == 0)
        return;
    int64_t places = SAMPLE_PIECE / s->c;
    job.places_a_piece = places > SAMPLE_RUN ? places : SAMPLE_RUN;
    lgi_parallel(E, (job.places + job.places_a_piece - 1) / job.places_a_piece,
                 LGI_WIDEST(E, sample_piece), &job);
}

void lgi_sample_back(lg_engine *E, const lgi_sampling *s, const lg_real *y,
                     const lg_real *grid, lg_real *x)
{
    sampling_job job = {s, y, grid, x, 0, 0};
    lgi_parallel(E, s->n * ((s->c + SAMPLE_BLOCK - 1) / SAMPLE_BLOCK),
                 LGI_WIDEST(E, sample_back_piece), &job);
}
