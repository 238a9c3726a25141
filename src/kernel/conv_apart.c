/*
 * conv_apart.c - each channel by itself, groups of one channel in and one out: sums of
 * shifted rows, since there is no product of matrices in it. That is for few channels,
 * and for wide rows and few taps; conv_beside.c has the others.
 *
 * With stride 1 the transpose is one again, of the kernel turned by half a turn.
 */
#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/conv_apart.h"
#include "kernel/tile.h"

#include <string.h>

#if defined(__x86_64__) && !defined(LG_DOUBLE)
#include <immintrin.h>
#endif

typedef lg_real apart_vec __attribute__((vector_size(64)));

static int64_t apart_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t apart_least(int64_t a, int64_t b) { return a < b ? a : b; }

static bool apart_takes(const lgi_conv *v)
{
    return v->groups > 1 && v->groups == v->c && v->c == v->out
           && v->kh * v->kw <= LGI_APART_TAPS;
}

static bool apart_takes_x(const lgi_conv *v)
{
    return apart_takes(v) && v->sh == 1 && v->sw == 1
           && v->h == v->oh + (v->kh - 1) * v->dh - 2 * v->ph
           && v->w == v->ow + (v->kw - 1) * v->dw - 2 * v->pw
           && v->ph <= (v->kh - 1) * v->dh && v->pw <= (v->kw - 1) * v->dw;
}

/* Never bare: vectors reach past the last row. */
static lgi_apart_job plan_apart(lg_engine *E, const lgi_conv *v, lgi_taker *t)
{
    lgi_apart_job job = {.E = E, .v = *v, .taps = v->kh * v->kw};
    lgi_conv one = *v;
    one.n = one.c = one.out = one.groups = 1;
    job.canvas = lgi_canvas_of_x(&one, true);
    job.canvas.bare = false;
    job.plane_size = apart_div(lgi_canvas_size(&job.canvas), LGI_APART_LANES)
                     * LGI_APART_LANES;
    job.row = lgi_take(t, job.taps, sizeof(int32_t));
    job.plane = lgi_take(t, E->threads * job.plane_size, sizeof(lg_real));
    if (job.row)
        lgi_table_of_taps(&one, &job.canvas, job.row);
    return job;
}

static size_t apart_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    plan_apart(E, v, &t);
    return t.used;
}

static lgi_conv apart_turned(const lgi_conv *v)
{
    lgi_conv t = *v;
    t.h = v->oh, t.w = v->ow, t.oh = v->h, t.ow = v->w;
    t.ph = (v->kh - 1) * v->dh - v->ph, t.pw = (v->kw - 1) * v->dw - v->pw;
    return t;
}

static size_t apart_x_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_conv other = apart_turned(v);
    return apart_scratch(E, &other);
}

/* A plane on its canvas, with zeros behind it. */
const lg_real *lgi_fill_apart(const lgi_apart_job *job, int64_t plane, int worker)
{
    const lgi_conv *v = &job->v;
    lg_real *to = job->plane + worker * job->plane_size;
    int64_t used = lgi_canvas_plane(&job->canvas);
    lgi_fill_planes(job->E->cpu, &job->canvas, 1, job->from + plane * v->h * v->w, to);
    memset(to + used, 0, (size_t)(job->plane_size - used) * sizeof *to);
    return to;
}

LGI_ALWAYS_INLINE void sum_apart(const lgi_apart_job *job, const lg_real *src,
                                 const lg_real *w, lg_real bias, lg_real *to)
{
    const lgi_conv *v = &job->v;
    for (int64_t oy = 0; oy < v->oh; oy++, src += job->canvas.cols, to += v->ow)
        for (int64_t x = 0; x < v->ow; x += LGI_APART_LANES) {
            apart_vec sum = {0}, part;
            for (int64_t k = 0; k < job->taps; k++) {
                memcpy(&part, src + job->row[k] + x, sizeof part);
                sum += w[k] * part;
            }
            sum += bias;
            if (v->ow - x >= LGI_APART_LANES)
                memcpy(to + x, &sum, sizeof sum);
            else
                memcpy(to + x, &sum, (size_t)(v->ow - x) * sizeof *to);
        }
}

/* Products past the row's end are left out, whatever is there. */
LGI_ALWAYS_INLINE void add_apart(const lgi_apart_job *job, const lg_real *src,
                                 const lg_real *y, apart_vec *sum)
{
    const lgi_conv *v = &job->v;
    for (int64_t oy = 0; oy < v->oh; oy++, src += job->canvas.cols, y += v->ow)
        for (int64_t x = 0; x < v->ow; x += LGI_APART_LANES) {
            int64_t n = apart_least(LGI_APART_LANES, v->ow - x);
            apart_vec of_y = {0}, part;
            lg_real edge[LGI_APART_LANES] = {0};
            memcpy(&of_y, y + x, (size_t)n * sizeof *y);
            for (int64_t k = 0; k < job->taps; k++) {
                const lg_real *at = src + job->row[k] + x;
                if (n < LGI_APART_LANES) {
                    memcpy(edge, at, (size_t)n * sizeof *at);
                    at = edge;
                }
                memcpy(&part, at, sizeof part);
                sum[k] += of_y * part;
            }
        }
}

typedef void apart_add(const lgi_apart_job *job, const lg_real *src, const lg_real *y,
                       apart_vec *sum);

#define APART_FOR(set, code)                                                            \
    code static void sum_apart_##set(const lgi_apart_job *job, const lg_real *src,      \
                                     const lg_real *w, lg_real bias, lg_real *to)       \
    {                                                                                   \
        sum_apart(job, src, w, bias, to);                                               \
    }                                                                                   \
    code static void add_apart_##set(const lgi_apart_job *job, const lg_real *src,      \
                                     const lg_real *y, apart_vec *sum)                  \
    {                                                                                   \
        add_apart(job, src, y, sum);                                                    \
    }

APART_FOR(plain, )
APART_FOR(avx2, LGI_AVX2_CODE)

#if defined(__x86_64__) && !defined(LG_DOUBLE)
#define APART_512 __attribute__((target("avx512f")))

APART_512 __attribute__((always_inline))
static inline __mmask16 apart_mask(int64_t left)
{
    return (__mmask16)(left < 16 ? (1u << left) - 1 : 0xffff);
}

/* Four rows at a time, so that sums don't wait for one another. */
APART_512 static void sum_apart_avx512(const lgi_apart_job *job, const lg_real *src,
                                       const lg_real *w, lg_real bias, lg_real *to)
{
    const int64_t cols = job->canvas.cols, ow = job->v.ow, oh = job->v.oh;
    for (int64_t oy = 0; oy < oh; oy += 4, src += 4 * cols, to += 4 * ow) {
        const int64_t next = oh - oy > 1 ? cols : 0, third = oh - oy > 2 ? 2 * cols : 0;
        const int64_t last = oh - oy > 3 ? 3 * cols : 0;
        for (int64_t x = 0; x < ow; x += 16) {
            __mmask16 mask = apart_mask(ow - x);
            __m512 a = _mm512_set1_ps(bias), b = a, c = a, d = a;
            for (int64_t k = 0; k < job->taps; k++) {
                const lg_real *at = src + job->row[k] + x;
                __m512 wk = _mm512_set1_ps(w[k]);
                a = _mm512_fmadd_ps(wk, _mm512_maskz_loadu_ps(mask, at), a);
                b = _mm512_fmadd_ps(wk, _mm512_maskz_loadu_ps(mask, at + next), b);
                c = _mm512_fmadd_ps(wk, _mm512_maskz_loadu_ps(mask, at + third), c);
                d = _mm512_fmadd_ps(wk, _mm512_maskz_loadu_ps(mask, at + last), d);
            }
            _mm512_mask_storeu_ps(to + x, mask, a);
            if (next)
                _mm512_mask_storeu_ps(to + ow + x, mask, b);
            if (third)
                _mm512_mask_storeu_ps(to + 2 * ow + x, mask, c);
            if (last)
                _mm512_mask_storeu_ps(to + 3 * ow + x, mask, d);
        }
    }
}

/* Tap after tap, three at a time. */
APART_512 static void add_apart_avx512(const lgi_apart_job *job, const lg_real *src,
                                       const lg_real *y, apart_vec *sum)
{
    const int64_t cols = job->canvas.cols, ow = job->v.ow, oh = job->v.oh;
    for (int64_t k = 0; k < job->taps; k += 3) {
        const int64_t left = job->taps - k, first = job->row[k];
        const int64_t next = job->row[left > 1 ? k + 1 : k];
        const int64_t last = job->row[left > 2 ? k + 2 : k];
        __m512 a = _mm512_setzero_ps(), b = a, c = a;
        for (int64_t oy = 0; oy < oh; oy++)
            for (int64_t x = 0; x < ow; x += 16) {
                __mmask16 mask = apart_mask(ow - x);
                const lg_real *at = src + oy * cols + x;
                __m512 g = _mm512_maskz_loadu_ps(mask, y + oy * ow + x);
                a = _mm512_fmadd_ps(g, _mm512_maskz_loadu_ps(mask, at + first), a);
                b = _mm512_fmadd_ps(g, _mm512_maskz_loadu_ps(mask, at + next), b);
                c = _mm512_fmadd_ps(g, _mm512_maskz_loadu_ps(mask, at + last), c);
            }
        sum[k] += (apart_vec)a;
        if (left > 1)
            sum[k + 1] += (apart_vec)b;
        if (left > 2)
            sum[k + 2] += (apart_vec)c;
    }
}
#else
APART_FOR(avx512, LGI_AVX512_CODE)
#endif

static lgi_apart_sum *const apart_sums[] = {sum_apart_plain, sum_apart_avx2,
                                        sum_apart_avx512};
static apart_add *const apart_adds[] = {add_apart_plain, add_apart_avx2,
                                        add_apart_avx512};

static int apart_set(lgi_cpu cpu) { return cpu >= LGI_AVX512 ? 2 : cpu >= LGI_AVX2; }

lgi_apart_sum *lgi_apart_sum_of(lgi_cpu cpu) { return apart_sums[apart_set(cpu)]; }

static void apart_piece(void *arg, int64_t piece, int worker)
{
    const lgi_apart_job *job = arg;
    const lgi_conv *v = &job->v;
    int64_t end = apart_least(v->n * v->c, (piece + 1) * job->per_piece);
    for (int64_t i = piece * job->per_piece; i < end; i++) {
        const lg_real *src = lgi_fill_apart(job, i, worker), *from = job->w;
        lg_real w[LGI_APART_TAPS];
        from += i % v->c * job->taps;
        for (int64_t k = 0; k < job->taps; k++)
            w[k] = from[job->turned ? job->taps - 1 - k : k];
        lg_real bias = job->bias ? job->bias[i % v->c] : 0;
        apart_sums[apart_set(job->E->cpu)](job, src, w, bias,
                                           job->to + i * v->oh * v->ow);
    }
}

static void run_apart(lgi_apart_job *job)
{
    int64_t planes = job->v.n * job->v.c, work = job->v.oh * job->v.ow * (job->taps + 8);
    job->per_piece = lgi_units_per_piece(planes, work + 1);
    lgi_parallel(job->E, apart_div(planes, job->per_piece), apart_piece, job);
}

static void apart_y(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *w,
                    const lg_real *bias, lg_real *y, void *scratch)
{
    lgi_taker t = {scratch, 0};
    lgi_apart_job job = plan_apart(E, v, &t);
    job.from = x, job.w = w, job.bias = bias, job.to = y;
    run_apart(&job);
}

static void apart_x(lg_engine *E, const lgi_conv *v, const lg_real *y, const lg_real *w,
                    const lg_real *bias, lg_real *x, void *scratch)
{
    lgi_conv other = apart_turned(v);
    lgi_taker t = {scratch, 0};
    lgi_apart_job job = plan_apart(E, &other, &t);
    job.from = y, job.w = w, job.bias = bias, job.to = x, job.turned = true;
    run_apart(&job);
}

/* One channel's part of w, through all images. */
static void apart_w_channel(const lgi_apart_job *job, int64_t c, int worker)
{
    const lgi_conv *v = &job->v;
    apart_vec sum[LGI_APART_TAPS] = {{0}};
    for (int64_t n = 0; n < v->n; n++) {
        int64_t plane = n * v->c + c;
        const lg_real *src = lgi_fill_apart(job, plane, worker);
        apart_adds[apart_set(job->E->cpu)](job, src, job->y + plane * v->oh * v->ow, sum);
    }
    for (int64_t k = 0; k < job->taps; k++) {
        lg_real total = 0;
        for (int l = 0; l < LGI_APART_LANES; l++)
            total += sum[k][l];
        job->to[c * job->taps + k] = total;
    }
}

static void apart_w_piece(void *arg, int64_t piece, int worker)
{
    const lgi_apart_job *job = arg;
    int64_t end = apart_least(job->v.c, (piece + 1) * job->per_piece);
    for (int64_t c = piece * job->per_piece; c < end; c++)
        apart_w_channel(job, c, worker);
}

static void apart_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                    lg_real *w, void *scratch)
{
    lgi_taker t = {scratch, 0};
    lgi_apart_job job = plan_apart(E, v, &t);
    int64_t work = v->n * v->oh * v->ow * (job.taps + 8);
    job.from = x, job.y = y, job.to = w;
    job.per_piece = lgi_units_per_piece(v->c, work + 1);
    lgi_parallel(E, apart_div(v->c, job.per_piece), apart_w_piece, &job);
}

const lgi_conv_form lgi_apart_form = {apart_takes, apart_scratch, apart_scratch,
                                      apart_scratch, apart_y, NULL, apart_w};
const lgi_conv_form lgi_apart_x_form = {.takes = apart_takes_x,
                                        .x_scratch = apart_x_scratch, .x = apart_x};
