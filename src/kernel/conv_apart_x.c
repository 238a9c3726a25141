/*
 * conv_apart_x.c - the transpose of a convolution with a stride, each channel by itself:
 * each phase of x is summed from rows of y, and then they are put side by side.
 */
#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/conv_apart.h"
#include "kernel/tile.h"

enum { PHASES_STRIDE = 4 };            /* the largest */

typedef struct phases_job {
    lgi_apart_job y;                   /* its canvas */
    lgi_conv v;
    const lg_real *w, *bias;
    lg_real *x;
    int64_t phases;
    lgi_apart_job phase[PHASES_STRIDE * PHASES_STRIDE];
    int32_t *tap;                      /* of all phases: their numbers in w */
    lg_real *part;                     /* for each worker: one phase */
    int64_t part_size, per_piece;
} phases_job;

static int64_t phases_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t phases_least(int64_t a, int64_t b) { return a < b ? a : b; }

static bool phases_take(const lgi_conv *v)
{
    return v->sh <= PHASES_STRIDE && v->sw <= PHASES_STRIDE;
}

/* Phase (fy, fx): where its taps read, and which they are. */
static void set_phase(phases_job *job, int64_t fy, int64_t fx, int32_t *row)
{
    const lgi_conv *v = &job->v;
    const lgi_canvas *y = &job->y.canvas;
    lgi_axis_phase down = lgi_phase_down(v, fy), along = lgi_phase_along(v, fx);
    lgi_apart_job *to = &job->phase[job->phases++];
    int32_t *tap = job->tap + (row - job->y.row);
    *to = job->y;
    to->taps = down.count * along.count;
    to->row = row;
    to->v.oh = down.pixels, to->v.ow = along.pixels;
    for (int64_t i = 0, ey; i < v->kh; i++)
        for (int64_t j = 0, ex; j < v->kw; j++)
            if (lgi_tap_shift(fy, i, v->sh, v->ph, v->dh, &ey)
                && lgi_tap_shift(fx, j, v->sw, v->pw, v->dw, &ex)) {
                *row++ = (int32_t)((ey + y->top) * y->cols + ex + y->left);
                *tap++ = (int32_t)(i * v->kw + j);
            }
}

static phases_job plan_apart_phases(lg_engine *E, const lgi_conv *v, lgi_taker *t)
{
    phases_job job = {.v = *v};
    lgi_conv one = *v;
    one.n = one.c = one.out = one.groups = 1;
    job.y = (lgi_apart_job){.E = E, .v = one, .canvas = lgi_canvas_of_y(&one)};
    job.y.v.h = v->oh, job.y.v.w = v->ow;
    job.y.canvas.bare = false;         /* vectors reach past the last row */
    job.y.plane_size = phases_div(lgi_canvas_size(&job.y.canvas), LGI_APART_LANES)
                       * LGI_APART_LANES;
    job.part_size = phases_div(v->h, v->sh) * phases_div(v->w, v->sw);
    job.y.row = lgi_take(t, v->kh * v->kw, sizeof(int32_t));
    job.tap = lgi_take(t, v->kh * v->kw, sizeof(int32_t));
    job.y.plane = lgi_take(t, E->threads * job.y.plane_size, sizeof(lg_real));
    job.part = lgi_take(t, E->threads * job.part_size, sizeof(lg_real));
    return job;
}

static size_t phases_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    plan_apart_phases(E, v, &t);
    return t.used;
}

/* One of every sh rows and sw columns. */
LGI_ALWAYS_INLINE void put_phase(const lgi_conv *v, const lgi_apart_job *phase,
                                 const lg_real *from, lg_real *x)
{
    int64_t wide = phase->v.ow;
    for (int64_t q = 0; q < phase->v.oh; q++, from += wide, x += v->sh * v->w)
        if (v->sw == 2)
            for (int64_t i = 0; i < wide; i++)
                x[2 * i] = from[i];
        else
            for (int64_t i = 0; i < wide; i++)
                x[v->sw * i] = from[i];
}

static void phases_plane(const phases_job *job, int64_t plane, int worker)
{
    const lgi_conv *v = &job->v;
    const lg_real *src = lgi_fill_apart(&job->y, plane, worker);
    const lg_real *of = job->w + plane % v->c * v->kh * v->kw;
    lg_real *part = job->part + worker * job->part_size, w[LGI_APART_TAPS];
    lg_real bias = job->bias ? job->bias[plane % v->c] : 0;
    for (int64_t f = 0; f < job->phases; f++) {
        const lgi_apart_job *phase = &job->phase[f];
        const int32_t *tap = job->tap + (phase->row - job->y.row);
        int64_t wide = phases_least(v->sw, v->w);
        for (int64_t k = 0; k < phase->taps; k++)
            w[k] = of[tap[k]];
        lgi_apart_sum_of(job->y.E->cpu)(phase, src, w, bias, part);
        put_phase(v, phase, part,
                  job->x + (plane * v->h + f / wide) * v->w + f % wide);
    }
}

static void phases_piece(void *arg, int64_t piece, int worker)
{
    const phases_job *job = arg;
    int64_t end = phases_least(job->v.n * job->v.c, (piece + 1) * job->per_piece);
    for (int64_t i = piece * job->per_piece; i < end; i++)
        phases_plane(job, i, worker);
}

static void phases_x(lg_engine *E, const lgi_conv *v, const lg_real *y, const lg_real *w,
                     const lg_real *bias, lg_real *x, void *scratch)
{
    lgi_taker t = {scratch, 0};
    phases_job job = plan_apart_phases(E, v, &t);
    int64_t planes = v->n * v->c, work = v->h * v->w * (v->kh * v->kw + 8);
    int32_t *row = job.y.row;
    job.y.from = y, job.w = w, job.bias = bias, job.x = x;
    for (int64_t fy = 0; fy < phases_least(v->sh, v->h); fy++)
        for (int64_t fx = 0; fx < phases_least(v->sw, v->w); fx++) {
            set_phase(&job, fy, fx, row);
            row += job.phase[job.phases - 1].taps;
        }
    job.per_piece = lgi_units_per_piece(planes, work + 1);
    lgi_parallel(E, phases_div(planes, job.per_piece), phases_piece, &job);
}

const lgi_conv_form lgi_apart_phases_form = {.takes = phases_take,
                                             .x_scratch = phases_scratch, .x = phases_x};
