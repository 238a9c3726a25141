/*
 * conv_spread.c - x from y and w: what each pixel of y gives to each tap is a product
 * without gathering, and its rows are added up where they belong.
 *
 *     p[c,i,j][n,oy,ox] = sum over o of w[o,c,i,j] y[n,o,oy,ox]
 *     x[n,c,iy,ix] = sum over i,j of p[c,i,j] at the pixel whose tap is there.
 *
 * The gathered form would pack y again for each tap. Images of few pixels are joined, so
 * that the product is wide enough, and x's channels are cut into blocks whose p stays in
 * the second cache.
 */
#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/conv_forms.h"
#include "kernel/gemm_block.h"
#include "kernel/tile.h"

#include <string.h>

#if defined(__x86_64__) && !defined(LG_DOUBLE)
#include <immintrin.h>
#endif

/* The most sizes of a kernel and stride, and elements of p for a channel of x; the fewest
 * channels of y that are worth a product. Many taps on a pixel are added up as slowly as
 * they are gathered, unless x has few channels. */
enum { SPREAD_TAPS = 32, SPREAD_STRIDE = 4, SPREAD_MOST = 1 << 19, SPREAD_LEAST = 8 };
enum { SPREAD_DEPTH = 9, SPREAD_CHANNELS = 8 };

/* Columns of the product that are enough, and the most rows and elements of p. */
enum { SPREAD_COLS = 192, SPREAD_ROWS = 256, SPREAD_BLOCK = 1 << 17 };

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
    uint32_t bits;                     /* the mask */
} spread_tap;

/* The rows of p, of the first channel, whose numbers a row of x gets. */
typedef struct spread_line {
    int64_t from[SPREAD_TAPS];
    int n;
} spread_line;

typedef struct spread_job {
    lg_engine *E;
    const lgi_conv *v;
    const lg_real *y, *w, *bias;
    lg_real *x;
    int64_t pixels, taps;              /* taps: of a channel */
    int64_t images, cols;              /* joined in a block; columns of p */
    int64_t channels;                  /* of x in a block */
    int64_t image_blocks, channel_blocks;
    int64_t phases, blocks;            /* of a row of x */
    spread_tap *tap;                   /* by phase and block */
    int32_t *first;                    /* phases,blocks and the end: into tap */
    spread_line *line;                 /* h */
    lg_real *p;                        /* for each worker: taps,cols, between lanes */
    lg_real *row;                      /* for each worker: phases,blocks,lanes */
    lg_real *joined;                   /* for each worker: y of a block as out,cols */
    lg_real *room;                     /* for each worker: see gemm_block.h */
    int64_t p_size, row_size, joined_size, room_size;
    int64_t per_piece;
} spread_job;

static int64_t spread_least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t spread_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static bool spread_takes(const lgi_conv *v)
{
    bool deep = v->kh * v->kw > SPREAD_DEPTH * v->sh * v->sw;
    return v->groups == 1 && v->c > 0 && (v->c <= SPREAD_CHANNELS || !deep)
           && v->kh <= SPREAD_TAPS && v->kw <= SPREAD_TAPS && v->sh <= SPREAD_STRIDE
           && v->sw <= SPREAD_STRIDE && v->out >= SPREAD_LEAST
           && v->oh * v->ow <= SPREAD_MOST / (v->kh * v->kw);
}

/* By the shape alone. */
static void cut_spread(spread_job *job)
{
    const lgi_conv *v = job->v;
    int64_t images = job->pixels > 0 ? spread_div(SPREAD_COLS, job->pixels) : 1;
    job->images = spread_least(images, v->n > 0 ? v->n : 1);
    job->cols = job->images * job->pixels;
    int64_t rows = spread_least(SPREAD_ROWS, SPREAD_BLOCK / (job->cols + 1));
    int64_t channels = rows > job->taps ? rows / job->taps : 1;
    job->channel_blocks = spread_div(v->c, channels);
    job->channels = spread_div(v->c, job->channel_blocks);
    job->channel_blocks = spread_div(v->c, job->channels);
    job->image_blocks = spread_div(v->n, job->images);
}

static lgi_product spread_product(const spread_job *job)
{
    const lgi_conv *v = job->v;
    return (lgi_product){.m = job->channels * job->taps, .n = job->cols, .k = v->out,
                         .ta = true, .lda = v->c * job->taps, .ldb = job->cols,
                         .ldc = job->cols};
}

static spread_job plan_spread(lg_engine *E, const lgi_conv *v, lgi_taker *t)
{
    spread_job job = {.E = E, .v = v, .pixels = v->oh * v->ow, .taps = v->kh * v->kw};
    cut_spread(&job);
    lgi_product product = spread_product(&job);
    job.phases = spread_least(v->sw, v->w);
    job.blocks = spread_div(spread_div(v->w, v->sw), SPREAD_LANES);
    job.p_size = product.m * job.cols + 2 * SPREAD_LANES;
    job.p_size = spread_div(job.p_size, SPREAD_LANES) * SPREAD_LANES;
    job.row_size = job.phases * job.blocks * SPREAD_LANES;
    job.joined_size = job.images > 1 ? v->out * job.cols : 0;
    job.room_size = lgi_wants_room(&product) ? LGI_ROOM / (int64_t)sizeof(lg_real) : 0;
    job.tap = lgi_take(t, v->kw * job.blocks + 1, sizeof(spread_tap));
    job.first = lgi_take(t, job.phases * job.blocks + 1, sizeof(int32_t));
    job.line = lgi_take(t, v->h, sizeof(spread_line));
    job.p = lgi_take(t, E->threads * job.p_size, sizeof(lg_real));
    job.row = lgi_take(t, E->threads * job.row_size, sizeof(lg_real));
    job.joined = lgi_take(t, E->threads * job.joined_size, sizeof(lg_real));
    job.room = lgi_take(t, E->threads * job.room_size, sizeof(lg_real));
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
    to->bits = 0;
    if (d % v->sw)
        return false;
    for (int l = 0; l < SPREAD_LANES; l++) {
        to->mask[l] = from + l >= 0 && from + l < v->ow ? -1 : 0;
        to->bits |= to->mask[l] ? 1u << l : 0;
    }
    to->at = j * job->cols + from;
    return to->bits != 0;
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

static void set_spread_lines(const spread_job *job)
{
    const lgi_conv *v = job->v;
    for (int64_t iy = 0; iy < v->h; iy++) {
        spread_line *line = &job->line[iy];
        line->n = 0;
        for (int64_t i = 0; i < v->kh; i++) {
            int64_t d = iy + v->ph - i * v->dh;
            if (d >= 0 && d % v->sh == 0 && d / v->sh < v->oh)
                line->from[line->n++] = i * v->kw * job->cols + d / v->sh * v->ow;
        }
    }
}

/* A row of x as its phases. */
LGI_ALWAYS_INLINE void sum_spread(const spread_job *job, const lg_real *p,
                                  const spread_line *line, lg_real bias, lg_real *to)
{
    int64_t blocks = job->phases * job->blocks;
    for (int64_t b = 0; b < blocks; b++, to += SPREAD_LANES) {
        const spread_tap *end = job->tap + job->first[b + 1];
        spread_vec sum = bias - (spread_vec){0};
        for (int i = 0; i < line->n; i++)
            for (const spread_tap *t = job->tap + job->first[b]; t < end; t++) {
                spread_mask part, mask;
                memcpy(&part, p + line->from[i] + t->at, sizeof part);
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
    for (int64_t f = 0; f < phases; f++, row += pitch)
        for (int64_t q = 0; f + q * phases < w; q++)
            to[f + q * phases] = row[q];
}

/* Some channels of an image, from number `first` on. */
LGI_ALWAYS_INLINE void spread_image(const spread_job *job, const lg_real *p,
                                    int64_t first, int64_t channels, lg_real *row,
                                    lg_real *x)
{
    const lgi_conv *v = job->v;
    for (int64_t c = 0; c < channels; c++, p += job->taps * job->cols)
        for (int64_t iy = 0; iy < v->h; iy++, x += v->w) {
            sum_spread(job, p, &job->line[iy], job->bias ? job->bias[first + c] : 0, row);
            join_phases(row, job->phases, job->blocks * SPREAD_LANES, v->w, x);
        }
}

typedef void spread_run(const spread_job *job, const lg_real *p, int64_t first,
                        int64_t channels, lg_real *row, lg_real *x);

#define SPREAD_FOR(set, code)                                                           \
    code static void spread_image_##set(const spread_job *job, const lg_real *p,        \
                                        int64_t first, int64_t channels, lg_real *row,  \
                                        lg_real *x)                                     \
    {                                                                                   \
        spread_image(job, p, first, channels, row, x);                                  \
    }

SPREAD_FOR(plain, )
SPREAD_FOR(avx2, LGI_AVX2_CODE)
SPREAD_FOR(avx512, LGI_AVX512_CODE)

#if defined(__x86_64__) && !defined(LG_DOUBLE)
#define SPREAD_512 __attribute__((target("avx512f")))

SPREAD_512 __attribute__((always_inline))
static inline __m512 sum_block_512(const spread_job *job, const lg_real *p,
                                   const spread_line *line, int64_t block, lg_real bias)
{
    const spread_tap *first = job->tap + job->first[block];
    const spread_tap *end = job->tap + job->first[block + 1];
    __m512 sum = _mm512_set1_ps(bias);
    for (int i = 0; i < line->n; i++)
        for (const spread_tap *t = first; t < end; t++)
            sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps((__mmask16)t->bits,
                                                           p + line->from[i] + t->at));
    return sum;
}

SPREAD_512 __attribute__((always_inline))
static inline void store_lanes_512(lg_real *to, int64_t n, __m512 x)
{
    if (n > 0)
        _mm512_mask_storeu_ps(to, (__mmask16)(n < 16 ? (1u << n) - 1 : 0xffff), x);
}

/* A row of x of one phase, or two. */
SPREAD_512 static void sum_row_512(const spread_job *job, const lg_real *p,
                                   const spread_line *line, lg_real bias, lg_real *x)
{
    const __m512i low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
                                         16, 0);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
    int64_t w = job->v->w, blocks = job->blocks;
    for (int64_t b = 0; b < blocks; b++) {
        __m512 even = sum_block_512(job, p, line, b, bias);
        if (job->phases == 1) {
            store_lanes_512(x + b * 16, w - b * 16, even);
            continue;
        }
        __m512 odd = sum_block_512(job, p, line, blocks + b, bias);
        store_lanes_512(x + b * 32, w - b * 32, _mm512_permutex2var_ps(even, low, odd));
        store_lanes_512(x + b * 32 + 16, w - b * 32 - 16,
                        _mm512_permutex2var_ps(even, high, odd));
    }
}

static void spread_two_512(const spread_job *job, const lg_real *p, int64_t first,
                           int64_t channels, lg_real *row, lg_real *x)
{
    if (job->phases > 2) {
        spread_image_avx512(job, p, first, channels, row, x);
        return;
    }
    for (int64_t c = 0; c < channels; c++, p += job->taps * job->cols)
        for (int64_t iy = 0; iy < job->v->h; iy++, x += job->v->w)
            sum_row_512(job, p, &job->line[iy], job->bias ? job->bias[first + c] : 0, x);
}
#else
#define spread_two_512 spread_image_avx512
#endif

static spread_run *spread_run_of(lgi_cpu cpu)
{
    return cpu >= LGI_AVX512 ? spread_two_512
         : cpu >= LGI_AVX2 ? spread_image_avx2 : spread_image_plain;
}

/* y of some images as out,images,pixels. */
static void join_images(const spread_job *job, int64_t first, int64_t images, lg_real *to)
{
    int64_t out = job->v->out, n = job->pixels;
    for (int64_t o = 0; o < out; o++)
        for (int64_t i = 0; i < images; i++)
            memcpy(to + o * job->cols + i * n, job->y + ((first + i) * out + o) * n,
                   (size_t)n * sizeof *to);
}

/* With one tap, and no stride or padding, p is x but for the bias. */
static bool is_spread_plain(const lgi_conv *v)
{
    return v->kh * v->kw == 1 && v->sh == 1 && v->sw == 1 && v->h == v->oh
           && v->w == v->ow && v->ph == 0 && v->pw == 0;
}

static void copy_image(const spread_job *job, const lg_real *p, int64_t first,
                       int64_t channels, lg_real *x)
{
    for (int64_t c = 0; c < channels; c++, p += job->cols, x += job->pixels) {
        lg_real bias = job->bias ? job->bias[first + c] : 0;
        for (int64_t i = 0; i < job->pixels; i++)
            x[i] = p[i] + bias;
    }
}

static void spread_unit(const spread_job *job, int64_t unit, int worker)
{
    const lgi_conv *v = job->v;
    lg_real *p = job->p + worker * job->p_size + SPREAD_LANES;
    lg_real *row = job->row + worker * job->row_size;
    lg_real *joined = job->joined + worker * job->joined_size;
    int64_t image = unit / job->channel_blocks * job->images;
    int64_t c = unit % job->channel_blocks * job->channels;
    int64_t images = spread_least(job->images, v->n - image);
    int64_t channels = spread_least(job->channels, v->c - c);
    lgi_product of = spread_product(job);
    of.m = channels * job->taps, of.n = images * job->pixels;
    of.a = job->w + c * job->taps, of.c = p;
    of.b = job->images > 1 ? joined : job->y + image * v->out * job->pixels;
    if (job->images > 1)
        join_images(job, image, images, joined);
    lgi_compute_block(lgi_tiling_of(job->E->cpu), &of,
                      (lgi_gemm_block){0, of.m, 0, of.n},
                      job->room_size ? job->room + worker * job->room_size : NULL);
    for (int64_t i = 0; i < images; i++) {
        lg_real *x = job->x + ((image + i) * v->c + c) * v->h * v->w;
        if (is_spread_plain(v))
            copy_image(job, p + i * job->pixels, c, channels, x);
        else
            spread_run_of(job->E->cpu)(job, p + i * job->pixels, c, channels, row, x);
    }
}

static void spread_piece(void *arg, int64_t piece, int worker)
{
    const spread_job *job = arg;
    int64_t units = job->image_blocks * job->channel_blocks;
    int64_t end = spread_least(units, (piece + 1) * job->per_piece);
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
    set_spread_lines(&job);
    int64_t units = job.image_blocks * job.channel_blocks;
    job.per_piece = lgi_units_per_piece(
        units, job.channels * job.taps * job.cols * (v->out + 8) + 1);
    lgi_parallel(E, spread_div(units, job.per_piece), spread_piece, &job);
}

const lgi_conv_form lgi_spread_form = {.takes = spread_takes,
                                       .x_scratch = spread_scratch, .x = spread_x};
