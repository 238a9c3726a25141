/*
 * conv_beside.c - each channel by itself, many beside one another: an image is turned so
 * that LGI_LANES channels of a pixel are one vector, whatever its size, stride and phase.
 *
 * A pass computes a grid of results as sums over the same taps. y is one pass over x; for
 * x each phase of the stride is one over y.
 */
#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/conv_forms.h"
#include "kernel/elementwise.h"
#include "kernel/sheet.h"
#include "kernel/tile.h"

#include <string.h>

/* Where rows are wide and taps few, turning would cost more than it saves. */
enum { BESIDE_WIDE = 24, BESIDE_FEW_TAPS = 12 };

/* The largest kernel and stride; results, and taps of w, that are summed at a time; and
 * units of w that are enough. */
enum { BESIDE_TAPS = 64, BESIDE_STRIDE = 4, BESIDE_SUMS = 8, BESIDE_UNITS = 16 };

typedef lg_real beside_vec __attribute__((vector_size(LGI_LANES * sizeof(lg_real)),
                                          aligned(64)));

/* Steps are in numbers; at: of the first result, in what is summed and in the sums. */
typedef struct beside_pass {
    int taps;
    int tap[BESIDE_TAPS];              /* which of w's */
    int64_t offset[BESIDE_TAPS];
    int64_t high, wide;                /* results */
    int64_t from_row, from_col, to_at, to_row, to_col;
} beside_pass;

typedef struct beside_job {
    lg_engine *E;
    const lgi_conv *v;
    const lgi_lanes *lanes;
    lgi_sheet in;                      /* what is turned; its rows are all there are */
    int64_t pixels, in_pixels;         /* of the results, and of `in` as it is */
    beside_pass pass[BESIDE_STRIDE * BESIDE_STRIDE];
    int passes;
    const lg_real *from, *w, *bias, *y;
    lg_real *to;
    lg_real *sheet, *staged, *sums;    /* for each worker */
    int64_t sheet_size, staged_size, sums_size;
    lg_real *partial;                  /* of w: parts,groups,taps,lanes */
    int64_t groups, parts, per_piece;  /* groups of channels, parts of the images */
} beside_job;

static int64_t beside_least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t beside_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static bool beside_takes(const lgi_conv *v)
{
    bool rows = v->sh == 1 && v->sw == 1 && v->ow >= BESIDE_WIDE
                && v->kh * v->kw <= BESIDE_FEW_TAPS;
    return !rows && v->groups >= LGI_LANES && v->groups == v->c && v->c == v->out
           && v->kh * v->kw <= BESIDE_TAPS && v->sh <= BESIDE_STRIDE
           && v->sw <= BESIDE_STRIDE;
}

/* Of one channel of one image. */
static lgi_conv beside_one(const lgi_conv *v)
{
    lgi_conv one = *v;
    one.n = one.c = one.out = one.groups = 1;
    return one;
}

static void set_beside_sheet(beside_job *job, const lgi_canvas *t)
{
    job->in = (lgi_sheet){.h = t->h, .w = t->w, .first = -t->top, .rows = t->rows,
                          .left = t->left, .cols = t->cols, .channels = LGI_LANES};
    job->in_pixels = t->h * t->w;
}

/* y, of x. */
static void set_beside_y(beside_job *job)
{
    const lgi_conv *v = job->v;
    lgi_conv one = beside_one(v);
    lgi_canvas x = lgi_canvas_of_x(&one, false);
    set_beside_sheet(job, &x);
    beside_pass *p = &job->pass[job->passes++];
    p->high = v->oh, p->wide = v->ow;
    p->from_row = v->sh * x.cols * LGI_LANES, p->from_col = v->sw * LGI_LANES;
    p->to_at = 0, p->to_row = v->ow * LGI_LANES, p->to_col = LGI_LANES;
    p->taps = 0;
    for (int64_t i = 0; i < v->kh; i++)
        for (int64_t j = 0; j < v->kw; j++) {
            p->tap[p->taps] = p->taps;
            p->offset[p->taps++] = (i * v->dh * x.cols + j * v->dw) * LGI_LANES;
        }
    job->pixels = v->oh * v->ow;
}

/* Phase (fy, fx) of x, of y. */
static void set_beside_phase(beside_job *job, const lgi_canvas *y, int64_t fy, int64_t fx)
{
    const lgi_conv *v = job->v;
    beside_pass *p = &job->pass[job->passes++];
    p->high = lgi_phase_down(v, fy).pixels, p->wide = lgi_phase_along(v, fx).pixels;
    p->from_row = y->cols * LGI_LANES, p->from_col = LGI_LANES;
    p->to_at = (fy * v->w + fx) * LGI_LANES;
    p->to_row = v->sh * v->w * LGI_LANES, p->to_col = v->sw * LGI_LANES;
    p->taps = 0;
    for (int64_t i = 0, ey; i < v->kh; i++)
        for (int64_t j = 0, ex; j < v->kw; j++)
            if (lgi_tap_shift(fy, i, v->sh, v->ph, v->dh, &ey)
                && lgi_tap_shift(fx, j, v->sw, v->pw, v->dw, &ex)) {
                p->tap[p->taps] = (int)(i * v->kw + j);
                p->offset[p->taps++] =
                    ((ey + y->top) * y->cols + ex + y->left) * LGI_LANES;
            }
}

static void set_beside_x(beside_job *job)
{
    const lgi_conv *v = job->v;
    lgi_conv one = beside_one(v);
    lgi_canvas y = lgi_canvas_of_y(&one);
    set_beside_sheet(job, &y);
    for (int64_t fy = 0; fy < beside_least(v->sh, v->h); fy++)
        for (int64_t fx = 0; fx < beside_least(v->sw, v->w); fx++)
            set_beside_phase(job, &y, fy, fx);
    job->pixels = v->h * v->w;
}

static lg_real *take_for_all(const beside_job *job, lgi_taker *t, int64_t size)
{
    return lgi_take(t, job->E->threads * size, sizeof(lg_real));
}

static void take_beside(beside_job *job, lgi_taker *t)
{
    job->groups = beside_div(job->v->c, LGI_LANES);
    job->sheet_size = job->in.rows * job->in.cols * LGI_LANES;
    job->staged_size = lgi_sheet_staged(&job->in);
    job->sums_size = job->pixels * LGI_LANES;
    job->sheet = take_for_all(job, t, job->sheet_size);
    job->staged = take_for_all(job, t, job->staged_size);
    job->sums = take_for_all(job, t, job->sums_size);
}

static beside_job plan_beside(lg_engine *E, const lgi_conv *v, bool of_x, lgi_taker *t)
{
    beside_job job = {.E = E, .v = v, .lanes = lgi_lanes_of(E->cpu)};
    if (of_x)
        set_beside_x(&job);
    else
        set_beside_y(&job);
    take_beside(&job, t);
    return job;
}

static size_t beside_y_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    plan_beside(E, v, false, &t);
    return t.used;
}

static size_t beside_x_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    plan_beside(E, v, true, &t);
    return t.used;
}

/* n neighbors, up to BESIDE_SUMS: a constant where this is inlined. */
LGI_ALWAYS_INLINE void sum_beside(const beside_pass *p, const lg_real *from,
                                  const beside_vec *w, const int n, const int64_t step,
                                  lg_real *to)
{
    beside_vec sum[BESIDE_SUMS];
    LGI_UNROLL
    for (int b = 0; b < n; b++)
        sum[b] = (beside_vec){0};
    for (int k = 0; k < p->taps; k++) {
        const lg_real *at = from + p->offset[k];
        const beside_vec by = w[k];
        LGI_UNROLL
        for (int b = 0; b < n; b++)
            sum[b] += by * *(const beside_vec *)(at + b * step);
    }
    LGI_UNROLL
    for (int b = 0; b < n; b++)
        *(beside_vec *)(to + b * p->to_col) = sum[b];
}

LGI_ALWAYS_INLINE void run_rows(const beside_pass *p, const lg_real *from,
                                const lg_real *weights, const int64_t step, lg_real *to)
{
    beside_vec w[BESIDE_TAPS];
    for (int k = 0; k < p->taps; k++)
        w[k] = *(const beside_vec *)(weights + p->tap[k] * LGI_LANES);
    for (int64_t y = 0; y < p->high; y++) {
        const lg_real *src = from + y * p->from_row;
        lg_real *dst = to + p->to_at + y * p->to_row;
        int64_t x = 0;
        for (; x + BESIDE_SUMS <= p->wide; x += BESIDE_SUMS)
            sum_beside(p, src + x * step, w, BESIDE_SUMS, step, dst + x * p->to_col);
        for (; x + 4 <= p->wide; x += 4)
            sum_beside(p, src + x * step, w, 4, step, dst + x * p->to_col);
        for (; x < p->wide; x++)
            sum_beside(p, src + x * step, w, 1, step, dst + x * p->to_col);
    }
}

/* The usual steps are constants. */
LGI_ALWAYS_INLINE void run_pass_any(const beside_pass *p, const lg_real *from,
                                    const lg_real *w, lg_real *to)
{
    if (p->from_col == LGI_LANES)
        run_rows(p, from, w, LGI_LANES, to);
    else if (p->from_col == 2 * LGI_LANES)
        run_rows(p, from, w, 2 * LGI_LANES, to);
    else
        run_rows(p, from, w, p->from_col, to);
}

/* Adds to n taps of w, from tap k on, up to BESIDE_SUMS. */
LGI_ALWAYS_INLINE void add_beside(const beside_pass *p, const lg_real *from,
                                  const lg_real *y, int k, const int n, lg_real *w)
{
    beside_vec sum[BESIDE_SUMS];
    LGI_UNROLL
    for (int b = 0; b < n; b++)
        sum[b] = *(const beside_vec *)(w + (k + b) * LGI_LANES);
    for (int64_t row = 0; row < p->high; row++) {
        const lg_real *src = from + row * p->from_row;
        for (int64_t x = 0; x < p->wide; x++, src += p->from_col, y += LGI_LANES) {
            const beside_vec by = *(const beside_vec *)y;
            LGI_UNROLL
            for (int b = 0; b < n; b++)
                sum[b] += by * *(const beside_vec *)(src + p->offset[k + b]);
        }
    }
    LGI_UNROLL
    for (int b = 0; b < n; b++)
        *(beside_vec *)(w + (k + b) * LGI_LANES) = sum[b];
}

LGI_ALWAYS_INLINE void add_pass_any(const beside_pass *p, const lg_real *from,
                                    const lg_real *y, lg_real *w)
{
    int k = 0;
    for (; k + BESIDE_SUMS <= p->taps; k += BESIDE_SUMS)
        add_beside(p, from, y, k, BESIDE_SUMS, w);
    for (; k + 4 <= p->taps; k += 4)
        add_beside(p, from, y, k, 4, w);
    for (; k < p->taps; k++)
        add_beside(p, from, y, k, 1, w);
}

#if defined(__x86_64__)
#define BESIDE_512 __attribute__((target("avx512f,avx512vl,avx2,fma")))
#define BESIDE_256 __attribute__((target("avx2,fma")))
#else
#define BESIDE_512
#define BESIDE_256
#endif

#define BESIDE_FOR(set, code)                                                           \
    code static void run_pass##set(const beside_pass *p, const lg_real *from,           \
                                   const lg_real *w, lg_real *to)                       \
    {                                                                                   \
        run_pass_any(p, from, w, to);                                                   \
    }                                                                                   \
    code static void add_pass##set(const beside_pass *p, const lg_real *from,           \
                                   const lg_real *y, lg_real *w)                        \
    {                                                                                   \
        add_pass_any(p, from, y, w);                                                    \
    }

BESIDE_FOR(, )
BESIDE_FOR(_avx2, BESIDE_256)
BESIDE_FOR(_avx512, BESIDE_512)

/* Channels of a group; fewer in the last. */
static int beside_channels(const beside_job *job, int64_t group)
{
    return (int)beside_least(LGI_LANES, job->v->c - group * LGI_LANES);
}

static const lg_real *turn_beside(const beside_job *job, int64_t image, int64_t group,
                                  int worker)
{
    lgi_sheet s = job->in;
    int64_t channel = image * job->v->c + group * LGI_LANES;
    lg_real *sheet = job->sheet + worker * job->sheet_size;
    s.channels = beside_channels(job, group);
    lgi_fill_sheet(job->lanes, &s, (lgi_rows){0, s.rows},
                   job->from + channel * job->in_pixels, sheet,
                   job->staged + worker * job->staged_size);
    return sheet;
}

/* One group of channels of one image. */
static void beside_unit(const beside_job *job, int64_t unit, int worker)
{
    const lgi_conv *v = job->v;
    int64_t image = unit / job->groups, group = unit % job->groups;
    int64_t channel = group * LGI_LANES, taps = v->kh * v->kw;
    _Alignas(64) lg_real w[BESIDE_TAPS * LGI_LANES], add[LGI_LANES] = {0};
    int channels = beside_channels(job, group);
    lg_real *sums = job->sums + worker * job->sums_size;
    const lg_real *from = turn_beside(job, image, group, worker);
    lgi_to_lanes(job->lanes, job->w + channel * taps, taps, channels, taps, w);
    for (int i = 0; i < job->passes; i++)
        LGI_WIDEST(job->E, run_pass)(&job->pass[i], from, w, sums);
    if (job->bias)
        memcpy(add, job->bias + channel, (size_t)channels * sizeof *add);
    lgi_from_lanes(job->lanes, sums, add, channels, job->pixels,
                   job->to + (image * v->c + channel) * job->pixels, job->pixels);
}

static void beside_piece(void *arg, int64_t piece, int worker)
{
    const beside_job *job = arg;
    int64_t end = beside_least(job->v->n * job->groups, (piece + 1) * job->per_piece);
    for (int64_t i = piece * job->per_piece; i < end; i++)
        beside_unit(job, i, worker);
}

static void run_beside(beside_job *job)
{
    int64_t units = job->v->n * job->groups, work = job->pixels * LGI_LANES;
    job->per_piece = lgi_units_per_piece(units, work * (job->pass[0].taps + 8) + 1);
    lgi_parallel(job->E, beside_div(units, job->per_piece), beside_piece, job);
}

static void beside_y(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *w,
                     const lg_real *bias, lg_real *y, void *scratch)
{
    lgi_taker t = {scratch, 0};
    beside_job job = plan_beside(E, v, false, &t);
    job.from = x, job.w = w, job.bias = bias, job.to = y;
    run_beside(&job);
}

static void beside_x(lg_engine *E, const lgi_conv *v, const lg_real *y, const lg_real *w,
                     const lg_real *bias, lg_real *x, void *scratch)
{
    lgi_taker t = {scratch, 0};
    beside_job job = plan_beside(E, v, true, &t);
    job.from = y, job.w = w, job.bias = bias, job.to = x;
    run_beside(&job);
}

/* w: a unit is a group of channels and a part of the images, with its own sums. */

static beside_job plan_beside_w(lg_engine *E, const lgi_conv *v, lgi_taker *t)
{
    beside_job job = plan_beside(E, v, false, t);
    job.parts = beside_least(v->n, beside_div(BESIDE_UNITS, job.groups));
    job.parts = job.parts > 0 ? job.parts : 1;
    job.partial = lgi_take(t, job.parts * job.groups * v->kh * v->kw * LGI_LANES,
                           sizeof(lg_real));
    return job;
}

static size_t beside_w_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    plan_beside_w(E, v, &t);
    return t.used;
}

static void beside_w_unit(const beside_job *job, int64_t unit, int worker)
{
    const lgi_conv *v = job->v;
    int64_t group = unit % job->groups, part = unit / job->groups;
    int64_t size = v->kh * v->kw * LGI_LANES, end = v->n * (part + 1) / job->parts;
    lg_real *w = job->partial + unit * size, *y = job->sums + worker * job->sums_size;
    int channels = beside_channels(job, group);
    memset(w, 0, (size_t)size * sizeof *w);
    for (int64_t i = v->n * part / job->parts; i < end; i++) {
        const lg_real *x = turn_beside(job, i, group, worker);
        lgi_to_lanes(job->lanes, job->y + (i * v->c + group * LGI_LANES) * job->pixels,
                     job->pixels, channels, job->pixels, y);
        LGI_WIDEST(job->E, add_pass)(&job->pass[0], x, y, w);
    }
}

static void beside_w_piece(void *arg, int64_t piece, int worker)
{
    const beside_job *job = arg;
    int64_t end = beside_least(job->parts * job->groups, (piece + 1) * job->per_piece);
    for (int64_t i = piece * job->per_piece; i < end; i++)
        beside_w_unit(job, i, worker);
}

static void beside_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                     lg_real *w, void *scratch)
{
    lgi_taker t = {scratch, 0};
    beside_job job = plan_beside_w(E, v, &t);
    int64_t units = job.parts * job.groups, taps = v->kh * v->kw;
    int64_t all = job.groups * taps * LGI_LANES;
    job.from = x, job.y = y, job.to = w;
    job.per_piece = lgi_units_per_piece(
        units, beside_div(v->n, job.parts) * job.pixels * LGI_LANES * (taps + 8) + 1);
    lgi_parallel(E, beside_div(units, job.per_piece), beside_w_piece, &job);
    for (int64_t i = all; i < job.parts * all; i++)
        job.partial[i % all] += job.partial[i];
    for (int64_t g = 0; g < job.groups; g++)
        lgi_from_lanes(job.lanes, job.partial + g * taps * LGI_LANES, NULL,
                       beside_channels(&job, g), taps, w + g * LGI_LANES * taps, taps);
}

const lgi_conv_form lgi_beside_form = {beside_takes, beside_y_scratch, beside_x_scratch,
                                       beside_w_scratch, beside_y, beside_x, beside_w};
