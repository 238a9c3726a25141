/*
 * conv_point.c - kernels of one pixel: a product for each image, whose pixels are columns
 * as they are, so that nothing is gathered or copied.
 *
 *     y[n] = w x[n],  x[n] = w' y[n],  w = sum over n of y[n] x[n]'.
 */
#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/conv_forms.h"
#include "kernel/gemm.h"
#include "kernel/tile.h"

#include <string.h>

/* Pixels of a unit, columns of w in one, the units of w that are enough, and the elements
 * that all parts of w may have. */
enum { POINT_PIXELS = 64 };            /* images of fewer are better joined */
enum { POINT_COLS = 512, POINT_WIDTH = 64, POINT_UNITS = 16, POINT_MOST = 1 << 20 };

typedef struct point_job {
    lg_engine *E;
    lgi_product p;                     /* of an image */
    const lg_real *bias;
    int64_t blocks;                    /* of an image's pixels */
    int64_t units, per_piece;
} point_job;

typedef struct point_w_job {
    lg_engine *E;
    const lgi_conv *v;
    const lg_real *x, *y;
    lg_real *w, *partial;              /* partial: parts - 1 times w */
    int64_t chunks, blocks, parts;     /* of rows and columns of w, and of images */
    int64_t units, per_piece;
} point_w_job;

static int64_t point_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t point_least(int64_t a, int64_t b) { return a < b ? a : b; }

static bool point_takes(const lgi_conv *v)
{
    bool many = v->n == 1 || v->oh * v->ow >= POINT_PIXELS;
    return many && v->groups == 1 && v->kh == 1 && v->kw == 1 && v->sh == 1 && v->sw == 1
           && v->ph == 0 && v->pw == 0 && v->h == v->oh && v->w == v->ow;
}

LGI_ALWAYS_INLINE void add_to_rows(const lg_real *bias, lg_real *to, int64_t ld,
                                   int64_t rows, int64_t n)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++)
            to[i * ld + j] += bias[i];
}

LGI_AVX2_CODE static void add_to_rows_avx2(const lg_real *bias, lg_real *to, int64_t ld,
                                           int64_t rows, int64_t n)
{
    add_to_rows(bias, to, ld, rows, n);
}

static void point_unit(const point_job *job, int64_t unit)
{
    lgi_product p = job->p;
    int64_t image = unit / job->blocks, from = unit % job->blocks * POINT_COLS;
    p.b += image * p.k * p.ldb + from;
    p.c += image * p.m * p.ldc + from;
    p.n = point_least(POINT_COLS, p.n - from);
    lgi_gemm_serial(job->E->cpu, &p);
    if (job->bias && job->E->cpu >= LGI_AVX2)
        add_to_rows_avx2(job->bias, p.c, p.ldc, p.m, p.n);
    else if (job->bias)
        add_to_rows(job->bias, p.c, p.ldc, p.m, p.n);
}

static void point_piece(void *arg, int64_t piece, int worker)
{
    const point_job *job = arg;
    int64_t end = point_least(job->units, (piece + 1) * job->per_piece);
    for (int64_t u = piece * job->per_piece; u < end; u++)
        point_unit(job, u);
}

static void run_points(lg_engine *E, const lgi_product *p, int64_t images,
                       const lg_real *bias)
{
    point_job job = {.E = E, .p = *p, .bias = bias};
    job.blocks = point_div(p->n, POINT_COLS);
    job.units = images * job.blocks;
    job.per_piece = lgi_units_per_piece(
        job.units, p->m * (p->k + 8) * point_least(p->n, POINT_COLS) + 1);
    lgi_parallel(E, point_div(job.units, job.per_piece), point_piece, &job);
}

static size_t no_scratch(lg_engine *E, const lgi_conv *v) { return 0; }

static void point_y(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *w,
                    const lg_real *bias, lg_real *y, void *scratch)
{
    int64_t pixels = v->h * v->w;
    lgi_product p = {.m = v->out, .n = pixels, .k = v->c, .a = w, .lda = v->c, .b = x,
                     .ldb = pixels, .c = y, .ldc = pixels};
    run_points(E, &p, v->n, bias);
}

static void point_x(lg_engine *E, const lgi_conv *v, const lg_real *y, const lg_real *w,
                    const lg_real *bias, lg_real *x, void *scratch)
{
    int64_t pixels = v->h * v->w;
    lgi_product p = {.m = v->c, .n = pixels, .k = v->out, .a = w, .lda = v->c, .ta = true,
                     .b = y, .ldb = pixels, .c = x, .ldc = pixels};
    run_points(E, &p, v->n, bias);
}

/* w: a unit is a block of it and a part of the images, each part with its own sums. */

static point_w_job plan_point_w(const lgi_conv *v, lgi_taker *t)
{
    point_w_job job = {.v = v};
    int64_t elements = v->out * v->c;
    job.chunks = point_div(v->out, LGI_CHUNK_ROWS);
    job.blocks = point_div(v->c, POINT_WIDTH);
    job.parts = point_div(POINT_UNITS, job.chunks * job.blocks + 1);
    job.parts = point_least(job.parts, point_least(v->n, POINT_MOST / (elements + 1)));
    job.parts = job.parts < 1 ? 1 : job.parts;
    job.units = job.parts * job.chunks * job.blocks;
    job.partial = lgi_take(t, (job.parts - 1) * elements, sizeof(lg_real));
    return job;
}

static size_t point_w_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    plan_point_w(v, &t);
    return t.used;
}

static void point_w_unit(const point_w_job *job, int64_t unit)
{
    const lgi_conv *v = job->v;
    int64_t block = unit % job->blocks, chunk = unit / job->blocks % job->chunks;
    int64_t part = unit / (job->blocks * job->chunks), pixels = v->h * v->w;
    int64_t row = v->out * chunk / job->chunks, col = block * POINT_WIDTH;
    lg_real *w = part ? job->partial + (part - 1) * v->out * v->c : job->w;
    lgi_product p = {.m = v->out * (chunk + 1) / job->chunks - row, .k = pixels,
                     .n = point_least(POINT_WIDTH, v->c - col), .lda = pixels,
                     .ldb = pixels, .tb = true, .c = w + row * v->c + col, .ldc = v->c};
    for (int64_t i = 0; v->n == 0 && i < p.m; i++)
        memset(p.c + i * p.ldc, 0, (size_t)p.n * sizeof *p.c);
    int64_t last = v->n * (part + 1) / job->parts;
    for (int64_t i = v->n * part / job->parts; i < last; i++) {
        p.a = job->y + (i * v->out + row) * pixels;
        p.b = job->x + (i * v->c + col) * pixels;
        lgi_gemm_serial(job->E->cpu, &p);
        p.add = true;
    }
}

static void point_w_piece(void *arg, int64_t piece, int worker)
{
    const point_w_job *job = arg;
    int64_t end = point_least(job->units, (piece + 1) * job->per_piece);
    for (int64_t u = piece * job->per_piece; u < end; u++)
        point_w_unit(job, u);
}

static void point_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                    lg_real *w, void *scratch)
{
    lgi_taker t = {scratch, 0};
    point_w_job job = plan_point_w(v, &t);
    int64_t elements = v->out * v->c;
    job.E = E, job.x = x, job.y = y, job.w = w;
    job.per_piece = lgi_units_per_piece(
        job.units, point_least(v->out, LGI_CHUNK_ROWS) * point_least(v->c, POINT_WIDTH)
                   * v->h * v->w * point_div(v->n, job.parts) + 1);
    lgi_parallel(E, point_div(job.units, job.per_piece), point_w_piece, &job);
    for (int64_t part = 1; part < job.parts; part++)
        for (int64_t i = 0; i < elements; i++)
            w[i] += job.partial[(part - 1) * elements + i];
}

const lgi_conv_form lgi_point_form = {point_takes, no_scratch, no_scratch,
                                      point_w_scratch, point_y, point_x, point_w};
