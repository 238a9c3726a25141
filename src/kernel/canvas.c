/* canvas.c - padded copies of images, split into the phases of a stride. */
#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/gather.h"
#include "kernel/tile.h"

#include <string.h>

#if defined(__x86_64__) && !defined(LG_DOUBLE)
#define CANVAS_512
#include <immintrin.h>
#endif

enum { CANVAS_MOST = 1 << 20 };        /* elements, unless one image has more */

typedef struct canvas_job {
    lgi_cpu cpu;
    const lgi_canvas *canvas;
    const lg_real *from;               /* images,channels,h,w */
    lg_real *to;
    int64_t planes, per_piece;
} canvas_job;

static int64_t canvas_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t canvas_least(int64_t a, int64_t b) { return a < b ? a : b; }

void lgi_plan_canvas(lgi_canvas *v, int64_t n, int64_t padded_h, int64_t padded_w)
{
    v->rows = canvas_div(padded_h, v->sh);
    v->cols = canvas_div(padded_w, v->sw);
    v->bare = v->sh == 1 && v->sw == 1 && v->top == 0 && v->left == 0 && v->rows == v->h
              && v->cols == v->w;
    int64_t image = v->channels * lgi_canvas_plane(v);
    int64_t most = (v->bare ? (int64_t)1 << 30 : CANVAS_MOST) / (image ? image : 1);
    v->images = most < 1 || n < 1 ? 1 : canvas_least(n, most);
}

int64_t lgi_canvas_plane(const lgi_canvas *v)
{
    return v->sh * v->sw * v->rows * v->cols;
}

int64_t lgi_canvas_size(const lgi_canvas *v)
{
    return v->bare ? 0 : v->images * v->channels * lgi_canvas_plane(v) + LGI_CANVAS_SLACK;
}

int32_t lgi_canvas_at(const lgi_canvas *v, int64_t y, int64_t x)
{
    int64_t phase = y % v->sh * v->sw + x % v->sw;
    return (int32_t)((phase * v->rows + y / v->sh) * v->cols + x / v->sw);
}

/* One row of one phase: columns x0, x0 + step, ... of a row of the channel. */
LGI_ALWAYS_INLINE void fill_row(const lgi_canvas *v, const lg_real *from, int64_t x0,
                                const int64_t step, lg_real *to)
{
    int64_t most = x0 < v->w ? canvas_div(v->w - x0, step) : 0;
    int64_t q = 0, end = canvas_least(v->cols, most);
    for (; q < v->cols && x0 + q * step < 0; q++)
        to[q] = 0;
    for (; q < end; q++)
        to[q] = from[x0 + q * step];
    for (; q < v->cols; q++)
        to[q] = 0;
}

LGI_ALWAYS_INLINE void fill_plane(const lgi_canvas *v, const lg_real *from, lg_real *to)
{
    for (int64_t fy = 0; fy < v->sh; fy++)
        for (int64_t fx = 0; fx < v->sw; fx++)
            for (int64_t q = 0; q < v->rows; q++, to += v->cols) {
                int64_t y = fy + q * v->sh - v->top;
                if (y < 0 || y >= v->h)
                    memset(to, 0, (size_t)v->cols * sizeof *to);
                else if (v->sw == 1)
                    fill_row(v, from + y * v->w, -v->left, 1, to);
                else if (v->sw == 2)
                    fill_row(v, from + y * v->w, fx - v->left, 2, to);
                else
                    fill_row(v, from + y * v->w, fx - v->left, v->sw, to);
            }
}

LGI_ALWAYS_INLINE void fill_planes(const lgi_canvas *v, int64_t n, const lg_real *from,
                                   lg_real *to)
{
    for (int64_t i = 0; i < n; i++)
        fill_plane(v, from + i * v->h * v->w, to + i * lgi_canvas_plane(v));
}

#ifdef CANVAS_512
#define CODE_512 __attribute__((target("avx512f")))

/* Of lanes from, from + 1, ...: those that are in 0 .. end - 1. */
CODE_512 __attribute__((always_inline))
static inline __mmask16 lanes_within(int64_t from, int64_t end)
{
    __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i at = _mm512_add_epi32(lane, _mm512_set1_epi32((int)from));
    return _mm512_cmplt_epu32_mask(at, _mm512_set1_epi32((int)end));
}

/* Numbers x .. x + 15 of a row of w numbers, and zeros where it has none. */
CODE_512 __attribute__((always_inline))
static inline __m512 row_from(const lg_real *row, int64_t w, int64_t x)
{
    __mmask16 there = lanes_within(x, w);
    return _mm512_maskz_loadu_ps(there, there ? row + x : row);
}

/* One row of a channel, or zeros if w is 0, to the rows of its one or two phases. */
CODE_512 static void split_row_512(const lgi_canvas *v, const lg_real *row, int64_t w,
                                   lg_real *to)
{
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8,
                                          6, 4, 2, 0);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    int64_t phase = v->rows * v->cols;
    for (int64_t q = 0; q < v->cols; q += 16) {
        __mmask16 mask = lanes_within(q, v->cols);
        int64_t x = q * v->sw - v->left;
        __m512 low = row_from(row, w, x);
        if (v->sw == 1) {
            _mm512_mask_storeu_ps(to + q, mask, low);
            continue;
        }
        __m512 high = row_from(row, w, x + 16);
        _mm512_mask_storeu_ps(to + q, mask, _mm512_permutex2var_ps(low, even, high));
        _mm512_mask_storeu_ps(to + phase + q, mask,
                              _mm512_permutex2var_ps(low, odd, high));
    }
}

static void fill_planes_512(const lgi_canvas *v, int64_t n, const lg_real *from,
                            lg_real *to)
{
    int64_t plane = lgi_canvas_plane(v);
    for (int64_t i = 0; i < n; i++, from += v->h * v->w, to += plane)
        for (int64_t row = 0; row < v->sh * v->rows; row++) {
            int64_t y = row - v->top, at = row % v->sh * v->sw * v->rows + row / v->sh;
            bool there = y >= 0 && y < v->h;
            split_row_512(v, there ? from + y * v->w : from, there ? v->w : 0,
                          to + at * v->cols);
        }
}
#endif

LGI_AVX2_CODE static void fill_planes_avx2(const lgi_canvas *v, int64_t n,
                                           const lg_real *from, lg_real *to)
{
    fill_planes(v, n, from, to);
}

LGI_AVX512_CODE static void fill_planes_avx512(const lgi_canvas *v, int64_t n,
                                               const lg_real *from, lg_real *to)
{
    fill_planes(v, n, from, to);
}

void lgi_fill_planes(lgi_cpu cpu, const lgi_canvas *v, int64_t n, const lg_real *from,
                     lg_real *to)
{
#ifdef CANVAS_512
    if (cpu >= LGI_AVX512 && v->sw <= 2) {
        fill_planes_512(v, n, from, to);
        return;
    }
#endif
    if (cpu >= LGI_AVX512)
        fill_planes_avx512(v, n, from, to);
    else if (cpu >= LGI_AVX2)
        fill_planes_avx2(v, n, from, to);
    else
        fill_planes(v, n, from, to);
}

static void canvas_piece(void *arg, int64_t piece, int worker)
{
    const canvas_job *job = arg;
    int64_t at = piece * job->per_piece;
    int64_t n = canvas_least(job->per_piece, job->planes - at);
    const lgi_canvas *v = job->canvas;
    lgi_fill_planes(job->cpu, v, n, job->from + at * v->h * v->w,
                    job->to + at * lgi_canvas_plane(v));
}

const lg_real *lgi_fill_canvas(lg_engine *E, const lgi_canvas *v, const lg_real *x,
                               int64_t images, lg_real *to)
{
    if (v->bare)
        return x;
    canvas_job job = {E->cpu, v, x, to, images * v->channels, 1};
    job.per_piece = lgi_units_per_piece(job.planes, 8 * lgi_canvas_plane(v) + 1);
    lgi_parallel(E, canvas_div(job.planes, job.per_piece), canvas_piece, &job);
    return to;
}
