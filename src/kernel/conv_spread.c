/*
 * conv_spread.c - x with few channels from y and w: what each pixel of y gives to each
 * tap is a product without gathering, and its rows are added up where they belong.
 *
 *     p[c,i,j][oy,ox] = sum over o of w[o,c,i,j] y[n,o,oy,ox]
 *     x[n,c,iy,ix] = sum over i,j of p[c,i,j] at the pixel whose tap is there.
 *
 * The gathered form would pack all of y for each few rows of the product.
 */
#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/conv_forms.h"
#include "kernel/gemm.h"
#include "kernel/tile.h"

#include <string.h>

/* The most channels of x, sizes of a kernel and stride, and elements of p. */
enum { SPREAD_CHANNELS = 8, SPREAD_TAPS = 16, SPREAD_STRIDE = 4, SPREAD_MOST = 1 << 19 };

enum { SPREAD_LANES = 64 / sizeof(lg_real) };

typedef lg_real spread_vec __attribute__((vector_size(64)));
#ifdef LG_DOUBLE
typedef int64_t spread_int;
#else
typedef int32_t spread_int;
#endif
typedef spread_int spread_mask __attribute__((vector_size(64)));

/* A tap of some neighbors in a row of x, all of one phase: which of them have it, and
 * where it is from p's row on. */
typedef struct spread_tap {
    spread_int mask[SPREAD_LANES];
    int64_t at;
} spread_tap;

typedef struct spread_job {
    lg_engine *E;
    const lgi_conv *v;
    const lg_real *y, *w, *bias;
    lg_real *x;
    int64_t pixels, taps;
    int64_t phases, blocks;            /* of a row of x */
    spread_tap *tap;                   /* by phase and block */
    int32_t *first;                    /* phases,blocks and the end: into tap */
    lg_real *p;                        /* for each worker: taps,pixels, between lanes */
    lg_real *row;                      /* for each worker: phases,blocks,lanes */
    int64_t p_size, row_size;
    int64_t per_piece;
} spread_job;

static int64_t spread_least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t spread_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static bool spread_takes(const lgi_conv *v)
{
    int64_t taps = v->c * v->kh * v->kw;
    return v->groups == 1 && v->c > 0 && v->c <= SPREAD_CHANNELS && v->kh <= SPREAD_TAPS
           && v->kw <= SPREAD_TAPS && v->sh <= SPREAD_STRIDE && v->sw <= SPREAD_STRIDE
           && v->c < v->out && v->oh * v->ow <= SPREAD_MOST / taps;
}

static spread_job plan_spread(lg_engine *E, const lgi_conv *v, lgi_taker *t)
{
    spread_job job = {.E = E, .v = v, .pixels = v->oh * v->ow};
    job.taps = v->c * v->kh * v->kw;
    job.phases = spread_least(v->sw, v->w);
    job.blocks = spread_div(spread_div(v->w, v->sw), SPREAD_LANES);
    job.p_size = job.taps * job.pixels + 2 * SPREAD_LANES;
    job.p_size = spread_div(job.p_size, SPREAD_LANES) * SPREAD_LANES;
    job.row_size = job.phases * job.blocks * SPREAD_LANES;
    job.tap = lgi_take(t, v->kw * job.blocks + 1, sizeof(spread_tap));
    job.first = lgi_take(t, job.phases * job.blocks + 1, sizeof(int32_t));
    job.p = lgi_take(t, E->threads * job.p_size, sizeof(lg_real));
    job.row = lgi_take(t, E->threads * job.row_size, sizeof(lg_real));
    return job;
}

static size_t spread_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    plan_spread(E, v, &t);
    return t.used;
}

/* Fills in tap j of a block of phase fx; false if none of its places has that tap. */
static bool set_spread_tap(const spread_job *job, int64_t fx, int64_t block, int64_t j,
                           spread_tap *to)
{
    const lgi_conv *v = job->v;
    int64_t d = fx + v->pw - j * v->dw, from = block * SPREAD_LANES + d / v->sw;
    bool any = false;
    if (d % v->sw)
        return false;
    for (int l = 0; l < SPREAD_LANES; l++) {
        to->mask[l] = from + l >= 0 && from + l < v->ow ? -1 : 0;
        any |= to->mask[l] != 0;
    }
    to->at = j * job->pixels + from;
    return any;
}

static void set_spread_taps(const spread_job *job)
{
    int32_t count = 0, *first = job->first;
    for (int64_t fx = 0; fx < job->phases; fx++)
        for (int64_t block = 0; block < job->blocks; block++) {
            *first++ = count;
            for (int64_t j = 0; j < job->v->kw; j++)
                count += set_spread_tap(job, fx, block, j, &job->tap[count]);
        }
    *first = count;
}

/* A row of x as its phases: n rows of p's first tap are at the offsets in from. */
LGI_ALWAYS_INLINE void sum_spread(const spread_job *job, const lg_real *p,
                                  const int64_t *from, int n, lg_real bias, lg_real *to)
{
    int64_t blocks = job->phases * job->blocks;
    for (int64_t b = 0; b < blocks; b++, to += SPREAD_LANES) {
        const spread_tap *end = job->tap + job->first[b + 1];
        spread_vec sum = bias - (spread_vec){0};
        for (int i = 0; i < n; i++)
            for (const spread_tap *t = job->tap + job->first[b]; t < end; t++) {
                spread_mask part, mask;
                memcpy(&part, p + from[i] + t->at, sizeof part);
                memcpy(&mask, t->mask, sizeof mask);
                part &= mask;
                sum += (spread_vec)part;
            }
        memcpy(to, &sum, sizeof sum);
    }
}

/* Phases side by side, one number of each after the other. */
LGI_ALWAYS_INLINE void join_phases(const lg_real *row, int64_t phases, int64_t pitch,
                                   int64_t w, lg_real *to)
{
    if (phases == 1) {
        memcpy(to, row, (size_t)w * sizeof *to);
        return;
    }
    if (phases == 2) {
        for (int64_t q = 0; q < w / 2; q++) {
            to[2 * q] = row[q];
            to[2 * q + 1] = row[pitch + q];
        }
        if (w % 2)
            to[w - 1] = row[w / 2];
        return;
    }
    for (int64_t x = 0; x < w; x++)
        to[x] = row[x % phases * pitch + x / phases];
}

LGI_ALWAYS_INLINE void spread_image(const spread_job *job, const lg_real *p, lg_real *row,
                                    lg_real *x)
{
    const lgi_conv *v = job->v;
    for (int64_t c = 0; c < v->c; c++)
        for (int64_t iy = 0; iy < v->h; iy++, x += v->w) {
            int64_t from[SPREAD_TAPS];
            int n = 0;
            for (int64_t i = 0; i < v->kh; i++) {
                int64_t d = iy + v->ph - i * v->dh;
                if (d >= 0 && d % v->sh == 0 && d / v->sh < v->oh)
                    from[n++] = (c * v->kh + i) * v->kw * job->pixels + d / v->sh * v->ow;
            }
            sum_spread(job, p, from, n, job->bias ? job->bias[c] : 0, row);
            join_phases(row, job->phases, job->blocks * SPREAD_LANES, v->w, x);
        }
}

typedef void spread_run(const spread_job *job, const lg_real *p, lg_real *row,
                        lg_real *x);

static void spread_image_plain(const spread_job *job, const lg_real *p, lg_real *row,
                               lg_real *x)
{
    spread_image(job, p, row, x);
}

LGI_AVX2_CODE static void spread_image_avx2(const spread_job *job, const lg_real *p,
                                            lg_real *row, lg_real *x)
{
    spread_image(job, p, row, x);
}

LGI_AVX512_CODE static void spread_image_avx512(const spread_job *job, const lg_real *p,
                                                lg_real *row, lg_real *x)
{
    spread_image(job, p, row, x);
}

static spread_run *spread_run_of(lgi_cpu cpu)
{
    return cpu >= LGI_AVX512 ? spread_image_avx512
         : cpu >= LGI_AVX2 ? spread_image_avx2 : spread_image_plain;
}

static void spread_unit(const spread_job *job, int64_t image, int worker)
{
    const lgi_conv *v = job->v;
    lg_real *p = job->p + worker * job->p_size + SPREAD_LANES;
    lg_real *row = job->row + worker * job->row_size;
    lg_real *x = job->x + image * v->c * v->h * v->w;
    lgi_product of = {.m = job->taps, .n = job->pixels, .k = v->out, .a = job->w,
                      .ta = true, .lda = job->taps, .b = job->y + image * v->out
                      * job->pixels, .ldb = job->pixels, .c = p, .ldc = job->pixels};
    lgi_gemm_serial(job->E->cpu, &of);
    spread_run_of(job->E->cpu)(job, p, row, x);
}

static void spread_piece(void *arg, int64_t piece, int worker)
{
    const spread_job *job = arg;
    int64_t end = spread_least(job->v->n, (piece + 1) * job->per_piece);
    for (int64_t i = piece * job->per_piece; i < end; i++)
        spread_unit(job, i, worker);
}

static void spread_x(lg_engine *E, const lgi_conv *v, const lg_real *y, const lg_real *w,
                     const lg_real *bias, lg_real *x, void *scratch)
{
    lgi_taker t = {scratch, 0};
    spread_job job = plan_spread(E, v, &t);
    job.y = y, job.w = w, job.bias = bias, job.x = x;
    set_spread_taps(&job);
    job.per_piece = lgi_units_per_piece(v->n, job.taps * job.pixels * (v->out + 8) + 1);
    lgi_parallel(E, spread_div(v->n, job.per_piece), spread_piece, &job);
}

const lgi_conv_form lgi_spread_form = {.takes = spread_takes,
                                       .x_scratch = spread_scratch, .x = spread_x};
