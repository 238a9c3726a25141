/* sample.c - the places of a grid, and the loops over them. */
#include "kernel/sample.h"

#include "base/pool.h"

#include <math.h>
#include <string.h>

enum { SAMPLE_PIECE = 1 << 12, SAMPLE_CHANNELS = 4 };

/* A coordinate in pixels, from 0 at the middle of the first, and its derivative. */
typedef struct coordinate {
    double at, slope;
} coordinate;

/* Within low .. low + span by reflection at both ends. */
static coordinate reflect_within(coordinate u, double low, double span)
{
    if (span == 0)
        return (coordinate){0, 0};
    double past = u.at - low;
    double sign = past < 0 ? -1 : 1;
    past = fabs(past);
    double extra = fmod(past, span);
    if (fmod(floor(past / span), 2) == 0)
        return (coordinate){extra + low, sign * u.slope};
    return (coordinate){span - extra + low, -sign * u.slope};
}

static coordinate clip_within(coordinate u, double last)
{
    if (u.at <= 0)
        return (coordinate){0, 0};
    return u.at >= last ? (coordinate){last, 0} : u;
}

static coordinate place_on_axis(const lgi_sampling *s, double g, int64_t size)
{
    double n = (double)size;
    coordinate u = {((g + 1) * n - 1) / 2, n / 2};
    if (s->corners)
        u = (coordinate){(g + 1) / 2 * (n - 1), (n - 1) / 2};
    if (s->outside == LGI_OUTSIDE_REFLECT)
        u = reflect_within(u, s->corners ? 0 : -0.5, s->corners ? n - 1 : n);
    return s->outside == LGI_OUTSIDE_ZERO ? u : clip_within(u, n - 1);
}

/* Two pixels of an axis with their weights; one that is outside has the weight 0. */
typedef struct pixel_pair {
    int64_t at[2];
    double weight[2];
} pixel_pair;

static pixel_pair weigh_pixels(const lgi_sampling *s, double g, int64_t size,
                               int64_t order)
{
    coordinate u = place_on_axis(s, g, size);
    pixel_pair p = {{0, 0}, {0, 0}};
    if (isnan(u.at)) {                 /* goes through */
        p.weight[0] = u.at;
        return p;
    }
    if (s->mode == LGI_SAMPLE_NEAREST)
        u = (coordinate){nearbyint(u.at), 0};
    double low = floor(u.at), past = u.at - low;
    double weight[2] = {1 - past, past};
    if (order > 0) {
        weight[0] = order == 1 ? -u.slope : 0;
        weight[1] = -weight[0];
    }
    for (int k = 0; k < 2; k++)
        if (low + k >= 0 && low + k < (double)size) {
            p.at[k] = (int64_t)low + k;
            p.weight[k] = weight[k];
        }
    return p;
}

/* Of one place: four offsets into a plane, with their weights. */
typedef struct four_pixels {
    int64_t at[4];
    lg_real weight[4];
} four_pixels;

static four_pixels weigh_place(const lgi_sampling *s, const lg_real *grid)
{
    pixel_pair x = weigh_pixels(s, (double)grid[0], s->w, s->order_x);
    pixel_pair y = weigh_pixels(s, (double)grid[1], s->h, s->order_y);
    four_pixels f;
    for (int k = 0; k < 4; k++) {
        f.at[k] = y.at[k / 2] * s->w + x.at[k % 2];
        f.weight[k] = (lg_real)(y.weight[k / 2] * x.weight[k % 2]);
    }
    return f;
}

typedef struct sampling_job {
    const lgi_sampling *s;
    const lg_real *from, *grid;
    lg_real *to;
    int64_t places, places_a_piece;    /* for all images */
} sampling_job;

static void sample_piece(void *job, int64_t piece, int worker)
{
    const sampling_job *p = job;
    const lgi_sampling *s = p->s;
    int64_t i = piece * p->places_a_piece, end = i + p->places_a_piece;
    int64_t each = s->oh * s->ow, plane = s->h * s->w;
    (void)worker;
    for (end = end < p->places ? end : p->places; i < end; i++) {
        four_pixels f = weigh_place(s, p->grid + 2 * i);
        const lg_real *x = p->from + i / each * s->c * plane;
        lg_real *y = p->to + i / each * s->c * each + i % each;
        for (int64_t c = 0; c < s->c; c++, x += plane, y += each) {
            lg_real sum = 0;
            for (int k = 0; k < 4; k++)
                if (f.weight[k] != 0)
                    sum += f.weight[k] * x[f.at[k]];
            *y = sum;
        }
    }
}

void lgi_sample_images(lg_engine *E, const lgi_sampling *s, const lg_real *x,
                       const lg_real *grid, lg_real *y)
{
    sampling_job job = {s, x, grid, y, s->n * s->oh * s->ow, 0};
    if (s->c == 0)
        return;
    job.places_a_piece = s->c < SAMPLE_PIECE ? SAMPLE_PIECE / s->c : 1;
    lgi_parallel(E, (job.places + job.places_a_piece - 1) / job.places_a_piece,
                 sample_piece, &job);
}

/* Some channels of an image, all places in their order. */
static void sample_back_piece(void *job, int64_t piece, int worker)
{
    const sampling_job *p = job;
    const lgi_sampling *s = p->s;
    int64_t blocks = (s->c + SAMPLE_CHANNELS - 1) / SAMPLE_CHANNELS;
    int64_t image = piece / blocks, first = piece % blocks * SAMPLE_CHANNELS;
    int64_t count = s->c - first < SAMPLE_CHANNELS ? s->c - first : SAMPLE_CHANNELS;
    int64_t each = s->oh * s->ow, plane = s->h * s->w;
    const lg_real *grid = p->grid + 2 * image * each;
    const lg_real *y = p->from + (image * s->c + first) * each;
    lg_real *x = p->to + (image * s->c + first) * plane;
    (void)worker;
    memset(x, 0, (size_t)(count * plane) * sizeof *x);
    for (int64_t i = 0; i < each; i++) {
        four_pixels f = weigh_place(s, grid + 2 * i);
        for (int64_t c = 0; c < count; c++)
            for (int k = 0; k < 4; k++)
                if (f.weight[k] != 0)
                    x[c * plane + f.at[k]] += f.weight[k] * y[c * each + i];
    }
}

void lgi_sample_back(lg_engine *E, const lgi_sampling *s, const lg_real *y,
                     const lg_real *grid, lg_real *x)
{
    sampling_job job = {s, y, grid, x, 0, 0};
    lgi_parallel(E, s->n * ((s->c + SAMPLE_CHANNELS - 1) / SAMPLE_CHANNELS),
                 sample_back_piece, &job);
}
