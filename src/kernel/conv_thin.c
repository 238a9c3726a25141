/*
 * conv_thin.c - y from x with few taps in all, such as those of an image's three colors.
 *
 * With so little to sum, writing y costs as much as computing it, and so does each pass
 * over it. So one image is packed at a time, or as much as stays in the second cache, and
 * then a tile's rows are computed from end to end: y is written once, in order. The bias
 * is one more tap, of ones.
 */
#include "base/pool.h"
#include "kernel/conv_forms.h"

#include <string.h>

/* The most taps, the fewest pixels, and elements that are packed at a time. */
enum { THIN_TAPS = 128, THIN_PIXELS = 64, THIN_PACKED = 1 << 15 };

/* One image has no other beside it to share the work with: it must be a small one. */
enum { THIN_ALONE = 1 << 12 };

typedef struct thin_job {
    lg_engine *E;
    const lgi_conv *v;
    const lgi_tiling *tiling;
    const lg_real *x;
    lg_real *y;
    lgi_canvas canvas;                 /* of one image */
    int64_t pixels, taps, k;           /* k: taps, and the bias if there is one */
    int64_t strips, at_once;           /* of an image; those that are packed at once */
    lg_real *a;                        /* out,k */
    int32_t *row;                      /* taps */
    int32_t *from;                     /* strips,cols: pixels on the canvas */
    lgi_runs *runs;                    /* strips */
    lg_real *image, *packed;           /* for each worker */
    int64_t image_size, packed_size;
    int64_t per_piece;
} thin_job;

static int64_t thin_least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t thin_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static bool thin_takes(const lgi_conv *v)
{
    int64_t pixels = v->oh * v->ow;
    return v->groups == 1 && v->c * v->kh * v->kw <= THIN_TAPS && pixels >= THIN_PIXELS
           && (v->n > 1 || pixels <= THIN_ALONE);
}

static thin_job plan_thin(lg_engine *E, const lgi_conv *v, lgi_taker *t)
{
    lgi_conv one = *v;
    one.n = 1;
    thin_job job = {.E = E, .v = v, .tiling = lgi_tiling_of(E->cpu),
                    .canvas = lgi_canvas_of_x(&one, true), .pixels = v->oh * v->ow,
                    .taps = v->c * v->kh * v->kw};
    int64_t cols = job.tiling->cols;
    job.strips = thin_div(job.pixels, cols);
    job.at_once = thin_least(job.strips, THIN_PACKED / ((job.taps + 1) * cols));
    job.image_size = thin_div(lgi_canvas_size(&job.canvas), 16) * 16;
    job.packed_size = job.at_once * (job.taps + 1) * cols;
    job.a = lgi_take(t, v->out * (job.taps + 1), sizeof(lg_real));
    job.row = lgi_take(t, job.taps, sizeof(int32_t));
    job.from = lgi_take(t, job.strips * cols, sizeof(int32_t));
    job.runs = lgi_take(t, job.strips, sizeof(lgi_runs));
    job.image = lgi_take(t, E->threads * job.image_size, sizeof(lg_real));
    job.packed = lgi_take(t, E->threads * job.packed_size, sizeof(lg_real));
    return job;
}

static size_t thin_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    plan_thin(E, v, &t);
    return t.used;
}

/* w, and behind each of its rows the bias. */
static void set_thin_rows(thin_job *job, const lg_real *w, const lg_real *bias)
{
    lg_real *a = job->a;
    job->k = job->taps + (bias != NULL);
    for (int64_t i = 0; i < job->v->out; i++, a += job->k, w += job->taps) {
        memcpy(a, w, (size_t)job->taps * sizeof *a);
        if (bias)
            a[job->taps] = bias[i];
    }
}

static void set_thin_tables(thin_job *job)
{
    int64_t cols = job->tiling->cols, ow = job->v->ow;
    lgi_table_of_taps(job->v, &job->canvas, job->row);
    for (int64_t i = 0; i < job->strips * cols; i++)
        job->from[i] = (int32_t)(i / ow * job->canvas.cols + i % ow);
    for (int64_t s = 0; s < job->strips; s++) {
        int64_t left = thin_least(cols, job->pixels - s * cols);
        lgi_find_runs(job->from + s * cols, (int)left, &job->runs[s]);
        for (int64_t j = left; j < cols; j++)          /* there is nothing to read */
            job->from[s * cols + j] = job->from[s * cols];
    }
}

/* n strips, in packed, by all rows of w. */
static void multiply_thin(const thin_job *job, const lg_real *packed, int64_t first,
                          int64_t n, lg_real *y)
{
    const lgi_tiling *tiling = job->tiling;
    int64_t cols = tiling->cols, m = job->v->out;
    lgi_tile t = {.a = job->a, .arow = job->k, .astep = 1, .bstep = cols,
                  .ldc = job->pixels, .k = job->k};
    for (int64_t left = thin_div(m, tiling->rows); left > 0; left--) {
        t.rows = (int)thin_div(m, left);
        for (int64_t s = 0; s < n; s++) {
            t.b = packed + s * job->k * cols;
            t.c = y + (first + s) * cols;
            t.cols = (int)thin_least(cols, job->pixels - (first + s) * cols);
            tiling->multiply(&t);
        }
        t.a += t.rows * job->k;
        y += t.rows * job->pixels;
        m -= t.rows;
    }
}

static void thin_image(const thin_job *job, int64_t image, int worker)
{
    const lgi_conv *v = job->v;
    int64_t cols = job->tiling->cols, n;
    const lg_real *src = job->x + image * v->c * v->h * v->w;
    lg_real *packed = job->packed + worker * job->packed_size;
    if (!job->canvas.bare) {
        lg_real *to = job->image + worker * job->image_size;
        lgi_fill_planes(job->E->cpu, &job->canvas, v->c, src, to);
        src = to;
    }
    for (int64_t first = 0; first < job->strips; first += n) {
        n = thin_least(job->at_once, job->strips - first);
        for (int64_t s = 0; s < n; s++) {
            lg_real *to = packed + s * job->k * cols;
            lgi_pack_runs(job->E->cpu, src, job->row, job->taps,
                          job->from + (first + s) * cols, &job->runs[first + s],
                          !job->canvas.bare, to);
            for (int64_t j = 0; job->k > job->taps && j < cols; j++)
                to[job->taps * cols + j] = 1;
        }
        multiply_thin(job, packed, first, n, job->y + image * v->out * job->pixels);
    }
}

static void thin_piece(void *arg, int64_t piece, int worker)
{
    const thin_job *job = arg;
    int64_t end = thin_least(job->v->n, (piece + 1) * job->per_piece);
    for (int64_t i = piece * job->per_piece; i < end; i++)
        thin_image(job, i, worker);
}

static void thin_y(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *w,
                   const lg_real *bias, lg_real *y, void *scratch)
{
    lgi_taker t = {scratch, 0};
    thin_job job = plan_thin(E, v, &t);
    job.x = x, job.y = y;
    set_thin_rows(&job, w, bias);
    set_thin_tables(&job);
    job.per_piece = lgi_units_per_piece(v->n, v->out * (job.k + 8) * job.pixels + 1);
    lgi_parallel(E, thin_div(v->n, job.per_piece), thin_piece, &job);
}

const lgi_conv_form lgi_thin_form = {.takes = thin_takes, .y_scratch = thin_scratch,
                                     .y = thin_y};
