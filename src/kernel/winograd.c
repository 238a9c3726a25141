/* winograd.c - images from images and weights: points, products, sums. */
#include "kernel/winograd.h"

#include "base/pool.h"
#include "kernel/after.h"
#include "kernel/winograd_plan.h"

#include <string.h>

/* Where a block's points and products are, and what turns images. */
typedef struct wino_slot {
    lgi_turner turner;
    lg_real *v, *m;
} wino_slot;

/*
 * Threads take blocks in turn, each to a slot of its own; or all share the one slot for
 * one block after another.
 */
typedef struct wino_job {
    const lgi_wino *p;
    lg_engine *E;
    const lg_real *from, *w, *bias;
    lg_real *to, *u;
    char *scratch;                     /* of all slots; if shared, of all turners */
    wino_slot shared;                  /* its v and m */
    const lgi_after *after;            /* of what goes to `to`; NULL: nothing */
    int64_t block;                     /* the current one, if shared */
    _Atomic int64_t next;              /* the next, if not */
} wino_job;

static void take_points(const lgi_wino *p, lgi_taker *t, wino_slot *s)
{
    s->v = lgi_take_numbers(t, p->slabs * p->points * p->v_point);
    s->m = lgi_take_numbers(t, p->out_phases * p->points * p->m_point);
}

static wino_slot take_slot(const lgi_wino *p, lgi_taker *t)
{
    wino_slot s = {.turner = lgi_take_turner(p, t)};
    take_points(p, t, &s);
    return s;
}

static size_t slot_size(const lgi_wino *p)
{
    lgi_taker t = {0};
    take_slot(p, &t);
    return t.used;
}

static int64_t slots_of(const lg_engine *E, const lgi_wino *p)
{
    return p->blocks < E->threads ? p->blocks : E->threads;
}

int64_t lgi_wino_weights(const lgi_wino *p)
{
    return p->out_phases * p->points * p->u_point;
}

/*
 * The weights of LGI_LANES channels of the result and up to as many of the input become
 * points. w is out,c,k,k; for y the lanes are of `out`, for x of c.
 */

/* Input channels ic .. ic+n against result channels oc and on, lane by lane. */
static void lanes_of_weights(const wino_job *job, int64_t ic, int64_t n, int64_t oc,
                             lg_real *to)
{
    const lgi_wino *p = job->p;
    const lgi_conv *v = p->v;
    int64_t kk = v->kh * v->kw, left = p->out.channels - oc;
    int lanes = (int)(left < LGI_LANES ? left : LGI_LANES);
    if (p->side != LGI_CONV_X) {
        lgi_to_lanes(p->lanes, job->w + (oc * v->c + ic) * kk, v->c * kk, lanes, n * kk,
                     to);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        lgi_to_lanes(p->lanes, job->w + ((ic + i) * v->c + oc) * kk, kk, lanes, kk,
                     to + i * kk * LGI_LANES);
}

/* n squares of k by k pixels in larger ones of zeros, unless they have that size. */
static const lg_real *pad_squares(const lg_real *from, int64_t k, int64_t n, int64_t size,
                                  lg_real *to)
{
    if (k == size && n == LGI_TAPS_AT_ONCE)
        return from;
    memset(to, 0, (size_t)(LGI_TAPS_AT_ONCE * size * size * LGI_LANES) * sizeof *to);
    for (int64_t i = 0; i < n; i++)
        for (int64_t y = 0; y < k; y++)
            memcpy(to + (i * size + y) * size * LGI_LANES,
                   from + (i * k + y) * k * LGI_LANES,
                   (size_t)(k * LGI_LANES) * sizeof *to);
    return to;
}

/* Where channel ic of the input, a phase counted in, meets oc of the result. */
static lg_real *place_in_u(const wino_job *job, int64_t ic, int64_t oc)
{
    const lgi_wino *p = job->p;
    return job->u + (oc / p->strip * p->depth + ic) * p->strip + oc % p->strip;
}

/* Channels of the input from ic on, of which the last may be there to pad: zeros. */
static void points_of_weights(const wino_job *job, int64_t ic, int64_t oc)
{
    const lgi_wino *p = job->p;
    int64_t size = p->r * p->v->sh, left = p->in.channels - ic;
    int64_t n = left < LGI_TAPS_AT_ONCE ? (left > 0 ? left : 0) : LGI_TAPS_AT_ONCE;
    lgi_tap_squares taps;
    lanes_of_weights(job, ic, n, oc, taps.run);
    const lg_real *square = pad_squares(taps.run, p->v->kh, n, size, taps.square);
    for (int64_t f = 0; f < p->v->sh * p->v->sw; f++) {
        lgi_shift tap = p->tap[f];
        int64_t padded = lgi_round_up(p->in.channels, LGI_LANES);
        lg_real *to = p->side == LGI_CONV_X
                          ? place_in_u(job, ic, oc) + f * p->points * p->u_point
                          : place_in_u(job, f * padded + ic, oc);
        lgi_squares q = {
            .from = square + (tap.y * size + tap.x) * LGI_LANES,
            .from_row = p->tap_step * size * LGI_LANES,
            .from_col = p->tap_step * LGI_LANES,
            .from_next = size * size * LGI_LANES,
            .to = to, .to_row = p->n * p->u_point, .to_col = p->u_point,
            .to_next = p->strip, .count = LGI_TAPS_AT_ONCE};
        p->lanes->apply[p->form][p->shorter[f]][LGI_TO_WEIGHTS](&q);
    }
}

static void piece_u(void *arg, int64_t piece, int worker)
{
    const wino_job *job = arg;
    int64_t groups = lgi_lane_groups(&job->p->in), first = piece % groups * LGI_LANES;
    for (int64_t ic = first; ic < first + LGI_LANES; ic += LGI_TAPS_AT_ONCE)
        points_of_weights(job, ic, piece / groups * LGI_LANES);
}

/* The input of a band becomes points, for LGI_LANES channels from c on. */
static void points_of_band(const wino_job *job, const wino_slot *s, const lgi_band *b,
                           int64_t c)
{
    const lgi_wino *p = job->p;
    int64_t padded = lgi_round_up(p->in.channels, LGI_LANES);
    lgi_point_steps step = {p->v_row, p->v_point,
                            p->slabs > 1 ? p->points * p->v_point : padded};
    lgi_pixels_to_points(p, &p->in, b, c, p->adjoint ? LGI_FROM_SUMS : LGI_TO_POINTS,
                         p->in_shift, p->in_phases, &s->turner, job->from, s->v + c,
                         step);
}

/* All rows of tiles on one strip of the weights, while the next one, which follows it, is
 * fetched: a part of it with each tile of the product. */
static void multiply_ahead(const lgi_tiling *tiling, lgi_tile *t, int rows)
{
    int parts = (rows + tiling->rows - 1) / tiling->rows, part = rows / parts;
    int longer = rows % parts;
    const lg_real *a = t->a;
    lg_real *c = t->c;
    t->ahead.at = t->b + t->k * t->bstep;
    t->ahead.n = (int)t->k / parts + 1;
    for (; parts > 0; parts--) {
        t->rows = part + (longer-- > 0);
        tiling->multiply(t);
        t->a += t->rows * t->arow;
        t->c += t->rows * t->ldc;
        t->ahead.at += t->ahead.n * t->ahead.step;
    }
    t->a = a;
    t->c = c;
}

/* At one point of one phase, tiles,depth times depth,channels: the channels of a tile of
 * the product, from c on, to column c - first. */
static void multiply_point(const wino_job *job, const wino_slot *s, int64_t tiles,
                           int64_t point, int64_t c, int64_t first)
{
    const lgi_wino *p = job->p;
    int64_t f = point / p->points, of_f = point - f * p->points, from, end;
    int64_t cols = p->tiling->cols, strip = p->strip, within = c % strip;
    lgi_tile t = {.arow = p->v_row, .astep = 1, .bstep = strip, .ldc = p->m_row,
                  .a = s->v + (p->slab[f] * p->points + of_f) * p->v_point,
                  .b = job->u + point * p->u_point + (c - within) * p->depth + within,
                  .c = s->m + point * p->m_point + c - first,
                  .cols = (int)(p->width - c < cols ? p->width - c : cols),
                  .ahead = {.step = strip, .rows = 1}};
    lgi_depth_at(p, f, of_f, &from, &end);
    t.a += from;
    t.b += from * strip;
    for (; from < end; from += t.k, t.add = true) {
        t.k = end - from < LGI_STRIP_DEPTH ? end - from : LGI_STRIP_DEPTH;
        multiply_ahead(p->tiling, &t, (int)tiles);
        t.a += t.k;
        t.b += t.k * strip;
    }
}

/* Do blocks have whole images? */
static bool has_whole_images(const lgi_wino *p) { return p->block_rows % p->th == 0; }

/* Do the pixels that a band's group of channels has begin and end with parts? */
static bool fits_parts(const lgi_wino *p)
{
    const lgi_tiled *t = &p->out;
    int64_t plane = t->h * t->w;
    if (t->all != t->channels)
        return false;
    return has_whole_images(p) ? t->all * plane % LGI_PART == 0
                               : plane % LGI_PART == 0
                                     && p->m * t->step * t->w % LGI_PART == 0;
}

/* What follows, on the pixels of a band that were just made. */
static void follow_band(const wino_job *job, const lgi_band *b, int64_t c)
{
    const lgi_wino *p = job->p;
    const lgi_tiled *t = &p->out;
    lgi_sheet s = lgi_sheet_of(p, t, b, c);
    int64_t plane = t->h * t->w, end = s.first + s.rows < t->h ? s.first + s.rows : t->h;
    const lg_real *y = job->to + (b->image * t->all + c) * plane;
    if (has_whole_images(p))
        lgi_run_after(job->after, y, s.channels * plane);
    else
        for (int k = 0; k < s.channels; k++)
            lgi_run_after(job->after, y + k * plane + s.first * t->w,
                          (end - s.first) * t->w);
}

/* The products of a band become sums, and these the pixels of LGI_LANES channels. */
static void sums_of_band(const wino_job *job, const wino_slot *s, const lgi_band *b,
                         int64_t c, int64_t first)
{
    const lgi_wino *p = job->p;
    lgi_point_steps step = {p->m_row, p->m_point, p->points * p->m_point};
    lgi_points_to_pixels(p, &p->out, b, c, p->adjoint ? LGI_FROM_POINTS : LGI_TO_SUMS,
                         p->out_shift, p->out_phases, &s->turner, s->m + c - first, step,
                         job->bias, job->to);
    if (job->after)
        follow_band(job, b, c);
}

/* One block by one thread, some channels of the result at a time. */
static void compute_block(const wino_job *job, const wino_slot *s, int64_t block)
{
    const lgi_wino *p = job->p;
    int64_t tiles = lgi_tiles_of_block(p, block), bands = lgi_count_bands(p, block);
    for (int64_t i = 0; i < bands; i++) {
        lgi_band b = lgi_band_at(p, block, i);
        for (int64_t c = 0; c < p->in.channels; c += LGI_LANES)
            points_of_band(job, s, &b, c);
    }
    for (int64_t first = 0; first < p->width; first += p->chunk) {
        int64_t end = p->width - first < p->chunk ? p->width : first + p->chunk;
        for (int64_t i = 0; i < p->out_phases * p->points; i++)
            for (int64_t c = first; c < end; c += p->tiling->cols)
                multiply_point(job, s, tiles, i, c, first);
        for (int64_t i = 0; i < bands; i++) {
            lgi_band b = lgi_band_at(p, block, i);
            for (int64_t c = first; c < end; c += LGI_LANES)
                sums_of_band(job, s, &b, c, first);
        }
    }
}

static void run_slot(void *arg, int64_t slot, int worker)
{
    wino_job *job = arg;
    lgi_taker t = {job->scratch + (size_t)slot * slot_size(job->p), 0};
    wino_slot s = take_slot(job->p, &t);
    for (;;) {
        int64_t block = atomic_fetch_add(&job->next, 1);
        if (block >= job->p->blocks
            || atomic_load_explicit(&job->E->interrupt, memory_order_relaxed))
            return;
        compute_block(job, &s, block);
    }
}

/* The same by pieces, for all threads together. */

static wino_slot slot_of_worker(const wino_job *job, int worker)
{
    lgi_taker t = {job->scratch + (size_t)worker * lgi_turner_size(job->p), 0};
    wino_slot s = job->shared;
    s.turner = lgi_take_turner(job->p, &t);
    return s;
}

static void piece_to_points(void *arg, int64_t piece, int worker)
{
    const wino_job *job = arg;
    int64_t groups = lgi_lane_groups(&job->p->in);
    wino_slot s = slot_of_worker(job, worker);
    lgi_band b = lgi_band_at(job->p, job->block, piece / groups);
    points_of_band(job, &s, &b, piece % groups * LGI_LANES);
}

static int64_t columns_of(const lgi_wino *p)
{
    return (p->width + p->tiling->cols - 1) / p->tiling->cols;
}

static void piece_of_products(void *arg, int64_t piece, int worker)
{
    const wino_job *job = arg;
    int64_t columns = columns_of(job->p);
    multiply_point(job, &job->shared, lgi_tiles_of_block(job->p, job->block),
                   piece / columns, piece % columns * job->p->tiling->cols, 0);
}

static void piece_to_sums(void *arg, int64_t piece, int worker)
{
    const wino_job *job = arg;
    int64_t groups = lgi_lane_groups(&job->p->out);
    wino_slot s = slot_of_worker(job, worker);
    lgi_band b = lgi_band_at(job->p, job->block, piece / groups);
    sums_of_band(job, &s, &b, piece % groups * LGI_LANES, 0);
}

static void run_shared(wino_job *job)
{
    const lgi_wino *p = job->p;
    for (job->block = 0; job->block < p->blocks; job->block++) {
        int64_t bands = lgi_count_bands(p, job->block);
        lgi_parallel(job->E, bands * lgi_lane_groups(&p->in), piece_to_points, job);
        lgi_parallel(job->E, p->out_phases * p->points * columns_of(p), piece_of_products,
                     job);
        lgi_parallel(job->E, bands * lgi_lane_groups(&p->out), piece_to_sums, job);
    }
}

size_t lgi_wino_images_scratch(const lg_engine *E, const lgi_wino *p)
{
    lgi_taker t = {0};
    lgi_take_numbers(&t, lgi_wino_weights(p));
    if (!p->shared)
        return t.used + (size_t)slots_of(E, p) * slot_size(p);
    take_points(p, &t, &(wino_slot){0});
    return t.used + (size_t)E->threads * lgi_turner_size(p);
}

void lgi_winograd_images(lg_engine *E, const lgi_conv *v, lgi_conv_side side,
                         const lg_real *from, const lg_real *w, const lg_real *bias,
                         lg_real *to, void *scratch)
{
    lgi_wino p;
    lgi_taker t = {scratch, 0};
    lgi_plan_winograd(&p, E, v, side);
    wino_job job = {.p = &p, .E = E, .from = from, .w = w, .bias = bias, .to = to};
    lg_real *u = lgi_take_numbers(&t, v->w_points ? 0 : lgi_wino_weights(&p));
    job.u = v->w_points ? v->w_points : u;
    if (p.shared)
        take_points(&p, &t, &job.shared);
    job.scratch = t.base + t.used;
    job.after = lgi_take_after(E, fits_parts(&p));
    if (!v->w_turned)
        lgi_parallel(E, lgi_lane_groups(&p.in) * (p.width / LGI_LANES), piece_u, &job);
    if (p.shared)
        run_shared(&job);
    else
        lgi_parallel(E, slots_of(E, &p), run_slot, &job);
}
