/* winograd_w.c - the gradient for the weights: at each point, the product of the input's
 * and the gradient's tiles, summed over all of them.
 *
 * The blocks follow one another, since each adds to the sums; their points, and then the
 * products, are shared by all threads. */
#include "base/pool.h"
#include "kernel/winograd_plan.h"

#include <string.h>

/* Tiles that are multiplied at a time: of a group of channels they stay in the first
 * cache, besides a strip of the gradient's. */
enum { SUMMED_TILES = 128 };

typedef struct wino_w_job {
    const lgi_wino *p;
    const lg_real *x, *y;
    lg_real *w;
    lg_real *v, *d, *g;                /* see lgi_wino */
    char *scratch;                     /* of all workers */
    int64_t block, tiles;              /* the current one, and how many it has */
} wino_w_job;

static void take_w_shared(wino_w_job *job, lgi_taker *t)
{
    const lgi_wino *p = job->p;
    job->v = lgi_take_numbers(t, p->points * p->v_point);
    job->d = lgi_take_numbers(t, p->points * p->d_point);
    job->g = lgi_take_numbers(t, p->points * p->g_point);
}

size_t lgi_wino_w_scratch(const lg_engine *E, const lgi_wino *p)
{
    lgi_taker t = {0};
    take_w_shared(&(wino_w_job){.p = p}, &t);
    return t.used + (size_t)E->threads * lgi_turner_size(p);
}

static void input_points(const wino_w_job *job, const lgi_turner *s, const lgi_band *b,
                         int64_t c)
{
    const lgi_wino *p = job->p;
    int64_t padded = lgi_round_up(p->in.channels, LGI_LANES);
    lgi_point_steps step = {p->v_row, p->v_point, padded / LGI_LANES * p->v_group};
    lgi_pixels_to_points(p, &p->in, b, c, LGI_TO_POINTS, p->in_shift, p->in_phases, s,
                         job->x, job->v + c / LGI_LANES * p->v_group, step);
}

static void gradient_points(const wino_w_job *job, const lgi_turner *s,
                            const lgi_band *b, int64_t c)
{
    const lgi_wino *p = job->p;
    lgi_point_steps step = {p->strip, p->d_point, 0};
    lgi_pixels_to_points(p, &p->out, b, c, LGI_FROM_SUMS, p->out_shift, 1, s, job->y,
                         job->d + c / p->strip * p->tiles * p->strip + c % p->strip,
                         step);
}

/* One band and one group of channels, of the input or of the gradient. */
static void piece_points(void *arg, int64_t piece, int worker)
{
    const wino_w_job *job = arg;
    const lgi_wino *p = job->p;
    lgi_taker t = {job->scratch + (size_t)worker * lgi_turner_size(p), 0};
    lgi_turner s = lgi_take_turner(p, &t);
    int64_t of_x = lgi_lane_groups(&p->in), groups = of_x + lgi_lane_groups(&p->out);
    int64_t group = piece % groups;
    lgi_band b = lgi_band_at(p, job->block, piece / groups);
    if (group < of_x)
        input_points(job, &s, &b, group * LGI_LANES);
    else
        gradient_points(job, &s, &b, (group - of_x) * LGI_LANES);
}

/* The rows of a group of channels, while those of the next are fetched: what it has of
 * the input with the first half, and of the sums with the second. */
static void multiply_group(const lgi_wino *p, lgi_tile *t)
{
    const lg_real *a = t->a;
    lg_real *c = t->c;
    const lgi_ahead input = {a + p->v_group, 2 * LGI_LANES, t->k / 2, 0, 1};
    const lgi_ahead sums = {c + LGI_LANES * t->ldc, 2 * LGI_LANES, 1, t->ldc, LGI_LANES};
    int most = p->tiling->rows, half = LGI_LANES / 2, done = 0;
    for (t->rows = most < half ? most : half; done < LGI_LANES; done += t->rows) {
        if (t->rows > LGI_LANES - done)
            t->rows = LGI_LANES - done;
        t->ahead = done == 0 ? input : sums;
        t->a = a + done * t->arow;
        t->c = c + done * t->ldc;
        p->tiling->multiply(t);
    }
}

/* One point and one strip of channels: depth,tiles times tiles,channels. */
static void piece_products(void *arg, int64_t piece, int worker)
{
    const wino_w_job *job = arg;
    const lgi_wino *p = job->p;
    int64_t cols = p->tiling->cols, strips = (p->width + cols - 1) / cols;
    int64_t point = piece / strips, at = piece % strips * cols, from, end;
    const lg_real *v = job->v + point * p->v_point;
    int64_t within = at % p->strip, before = at - within;      /* in strips */
    const lg_real *d = job->d + point * p->d_point + before * p->tiles + within;
    lg_real *g = job->g + point * p->g_point + before * p->depth + within;
    lgi_tile t = {.arow = 1, .astep = p->v_row, .bstep = p->strip, .ldc = p->strip,
                  .cols = (int)(p->width - at < cols ? p->width - at : cols),
                  .add = job->block > 0};
    lgi_depth_at(p, 0, point, &from, &end);
    for (int64_t k = 0; k < job->tiles; k += SUMMED_TILES, t.add = true) {
        t.k = job->tiles - k < SUMMED_TILES ? job->tiles - k : SUMMED_TILES;
        t.b = d + k * p->strip;
        for (int64_t group = from / LGI_LANES; group < end / LGI_LANES; group++) {
            t.a = v + group * p->v_group + k * p->v_row;
            t.c = g + group * LGI_LANES * p->strip;
            multiply_group(p, &t);
        }
    }
}

/* The sums at the points become taps, for n channels of the input. */
static void taps_of_points(const wino_w_job *job, int64_t ic, int64_t n, int64_t oc)
{
    const lgi_wino *p = job->p;
    const lgi_conv *v = p->v;
    int64_t k = v->kh, kk = k * k, size = p->r * v->sh;
    int64_t padded = lgi_round_up(v->c, LGI_LANES), left = v->out - oc;
    lgi_tap_squares taps;
    for (int f = 0; f < p->in_phases; f++) {
        lgi_squares q = {
            .from = job->g + (oc / p->strip * p->depth + f * padded + ic) * p->strip
                    + oc % p->strip,
            .from_row = p->n * p->g_point, .from_col = p->g_point,
            .from_next = p->strip,
            .to = taps.square + (p->tap[f].y * size + p->tap[f].x) * LGI_LANES,
            .to_row = v->sh * size * LGI_LANES, .to_col = v->sh * LGI_LANES,
            .to_next = size * size * LGI_LANES, .count = n};
        p->lanes->apply[p->form][p->shorter[f]][LGI_FROM_WEIGHTS](&q);
    }
    for (int64_t i = 0; k < size && i < n * k; i++)    /* rows of taps */
        memcpy(taps.run + i * k * LGI_LANES,
               taps.square + (i / k * size + i % k) * size * LGI_LANES,
               (size_t)(k * LGI_LANES) * sizeof(lg_real));
    lgi_from_lanes(p->lanes, k < size ? taps.run : taps.square, NULL,
                   (int)(left < LGI_LANES ? left : LGI_LANES), n * kk,
                   job->w + (oc * v->c + ic) * kk, v->c * kk);
}

static void piece_taps(void *arg, int64_t piece, int worker)
{
    const wino_w_job *job = arg;
    int64_t channels = job->p->in.channels, groups = lgi_lane_groups(&job->p->in);
    int64_t first = piece % groups * LGI_LANES, oc = piece / groups * LGI_LANES;
    int64_t end = first + LGI_LANES < channels ? first + LGI_LANES : channels;
    for (int64_t ic = first; ic < end; ic += LGI_TAPS_AT_ONCE)
        taps_of_points(job, ic, end - ic < LGI_TAPS_AT_ONCE ? end - ic : LGI_TAPS_AT_ONCE,
                       oc);
}

void lgi_winograd_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                    lg_real *w, void *scratch)
{
    lgi_wino p;
    lgi_taker t = {scratch, 0};
    lgi_plan_winograd(&p, E, v, LGI_CONV_W);
    wino_w_job job = {.p = &p, .x = x, .y = y, .w = w};
    take_w_shared(&job, &t);
    job.scratch = t.base + t.used;
    int64_t groups = lgi_lane_groups(&p.in) + lgi_lane_groups(&p.out);
    int64_t strips = (p.width + p.tiling->cols - 1) / p.tiling->cols;
    for (job.block = 0; job.block < p.blocks; job.block++) {
        int64_t bands = lgi_count_bands(&p, job.block);
        job.tiles = lgi_tiles_of_block(&p, job.block);
        lgi_parallel(E, bands * groups, piece_points, &job);
        lgi_parallel(E, p.points * strips, piece_products, &job);
    }
    lgi_parallel(E, lgi_lane_groups(&p.in) * lgi_lane_groups(&p.out), piece_taps, &job);
}
