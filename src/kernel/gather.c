/* gather.c - products gathered from canvases, cut by strips and chunks. */
#include "kernel/gather.h"

#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/tile.h"

#include <string.h>

#if defined(__x86_64__) && !defined(LG_DOUBLE)
#include <immintrin.h>
#endif

enum { WHOLE_STRIPS = 4 };             /* from so many strips on, an image has its own */

typedef struct gather_job {
    lg_engine *E;
    const lgi_gathered *g;
    int64_t count, units, per_piece;
} gather_job;

/* The columns of one strip: where each is read, and where their runs are written. */
typedef struct strip_map {
    int cols;
    int32_t from[LGI_STRIP_COLS];
    lgi_runs read, written;
    int64_t to[LGI_STRIP_COLS];        /* of the runs that are written */
} strip_map;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

void lgi_find_runs(const int32_t *at, int cols, lgi_runs *runs)
{
    runs->n = 0;
    for (int j = 0; j < cols; j++)
        if (j == 0 || at[j] != at[j - 1] + 1)
            runs->first[runs->n++] = j;
    runs->first[runs->n] = cols;
}

/* A run, in a row for each of k: a vector of `chunk`, and another at `then` unless 0. */
LGI_ALWAYS_INLINE void pack_run(const lg_real *src, const int32_t *row, int64_t k,
                                int width, const int chunk, int then, lg_real *to)
{
    const size_t bytes = (size_t)chunk * sizeof *to;
    for (int64_t p = 0; p < k; p++, to += width) {
        memcpy(to, src + row[p], bytes);
        if (then)
            memcpy(to + then, src + row[p] + then, bytes);
    }
}

/* What a vector writes past its run, the next one writes again, or nobody reads. */
LGI_ALWAYS_INLINE void pack_any_run(const lg_real *src, const int32_t *row, int64_t k,
                                    int width, int n, int room, lg_real *to)
{
    if (n > 16 || (n == 16 && room >= 16))
        pack_run(src, row, k, width, 16, n - 16, to);
    else if (n > 8 && room >= 16)
        pack_run(src, row, k, width, 16, 0, to);
    else if (n >= 8)
        pack_run(src, row, k, width, 8, n - 8, to);
    else if (n > 4 && room >= 8)
        pack_run(src, row, k, width, 8, 0, to);
    else if (n >= 4)
        pack_run(src, row, k, width, 4, n - 4, to);
    else if (n > 1 && room >= 4)
        pack_run(src, row, k, width, 4, 0, to);
    else
        pack_run(src, row, k, width, 1, n > 1 ? 1 : 0, to);
    if (n == 3 && room < 4)
        pack_run(src + 2, row, k, width, 1, 0, to + 2);
}

LGI_ALWAYS_INLINE void pack_runs(const lg_real *src, const int32_t *row, int64_t k,
                                 const int32_t *at, const lgi_runs *runs, int width,
                                 bool over, lg_real *to)
{
    int cols = runs->first[runs->n];
    if (cols < width)
        memset(to, 0, (size_t)(k * width) * sizeof *to);
    for (int r = 0; r < runs->n; r++) {
        int j = runs->first[r];
        pack_any_run(src + at[j], row, k, width, runs->first[r + 1] - j,
                     over ? width - j : 0, to + j);
    }
}

/* Columns past the last read what the first does, and are not written. */
static void map_strip(const lgi_gathered *g, int64_t column, int cols, int width,
                      strip_map *map)
{
    int64_t pixels = g->high * g->wide, to_end = 0, to;
    int64_t image = column / pixels, y = column % pixels / g->wide, x = column % g->wide;
    lgi_runs *w = &map->written;
    map->cols = cols;
    w->n = 0;
    for (int j = 0, run; j < cols; j += run) {
        int32_t from = (int32_t)(image * g->src_image + y * g->src_y + x);
        run = (int)least(g->wide - x, cols - j);
        for (int i = 0; i < run; i++)
            map->from[j + i] = from + i;
        to = image * g->to_image + y * g->to_y + x * g->to_x;
        if (j == 0 || to != to_end || g->to_x != 1) {
            map->to[w->n] = to;
            w->first[w->n++] = j;
        }
        to_end = to + run;
        x = 0;
        image += y + 1 == g->high;
        y = y + 1 == g->high ? 0 : y + 1;
    }
    w->first[w->n] = cols;
    for (int j = cols; j < width; j++)
        map->from[j] = map->from[0];
    lgi_find_runs(map->from, cols, &map->read);
}

LGI_ALWAYS_INLINE void write_run(const lg_real *sum, int n, lg_real b, int64_t step,
                                 lg_real *to)
{
    for (int j = 0; j < n; j++)
        to[j * step] = sum[j] + b;
}

#if defined(__x86_64__) && !defined(LG_DOUBLE)
/* Every other number of a row: what is between them stays. */
__attribute__((target("avx512f"))) static void write_apart_512(const lg_real *sum, int n,
                                                               lg_real b, lg_real *to)
{
    const __m512i twice = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0,
                                           0);
    for (; n > 0; n -= 8, sum += 8, to += 16) {
        __mmask8 some = (__mmask8)(n < 8 ? (1 << n) - 1 : 0xff);
        __mmask16 apart = (__mmask16)(n < 8 ? 0x5555 & ((1 << 2 * n) - 1) : 0x5555);
        __m512 v = _mm512_maskz_loadu_ps(some, sum);
        v = _mm512_add_ps(_mm512_permutexvar_ps(twice, v), _mm512_set1_ps(b));
        _mm512_mask_storeu_ps(to, apart, v);
    }
}
#define WRITE_APART_512(sum, n, b, to) write_apart_512(sum, n, b, to)
#else
#define WRITE_APART_512(sum, n, b, to) write_run(sum, n, b, 2, to)
#endif

LGI_ALWAYS_INLINE void write_strip(const strip_map *map, const lg_real *bias,
                                   const lg_real *sum, int width, int64_t rows,
                                   lg_real *to, int64_t to_row, int64_t to_x,
                                   bool apart)
{
    for (int r = 0; r < map->written.n; r++) {
        int j = map->written.first[r], n = map->written.first[r + 1] - j;
        for (int64_t i = 0; i < rows; i++) {
            const lg_real *from = sum + i * width + j;
            lg_real b = bias ? bias[i] : 0;
            if (to_x == 1)
                write_run(from, n, b, 1, to + i * to_row + map->to[r]);
            else if (apart)
                WRITE_APART_512(from, n, b, to + i * to_row + map->to[r]);
            else
                write_run(from, n, b, to_x, to + i * to_row + map->to[r]);
        }
    }
}

LGI_ALWAYS_INLINE void add_row_bias(const lg_real *bias, lg_real *to, int64_t to_row,
                                    int64_t rows, int cols)
{
    for (int64_t i = 0; i < rows; i++, to += to_row)
        for (int j = 0; j < cols; j++)
            to[j] += bias[i];
}

/* The sums over k of one strip. */
static void sum_strip(const lgi_gathered *g, lgi_cpu cpu, const lg_real *src,
                      const strip_map *map, int64_t rows, lgi_tile t)
{
    _Alignas(64) lg_real packed[LGI_STRIP_DEPTH * LGI_STRIP_COLS];
    const lgi_tiling *tiling = lgi_tiling_of(cpu);
    const lg_real *a = t.a;
    t.b = packed;
    t.bstep = tiling->cols;
    for (int64_t p0 = 0; p0 == 0 || p0 < g->k; p0 += LGI_STRIP_DEPTH) {
        t.k = least(LGI_STRIP_DEPTH, g->k - p0);
        lgi_pack_runs(cpu, src, g->row + p0, t.k, map->from, &map->read, g->over, packed);
        t.a = a + p0;
        lgi_multiply_rows(tiling, t, rows);
        t.add = true;
    }
}

LGI_ALWAYS_INLINE void gather_unit(const lgi_gathered *g, lgi_cpu cpu, int64_t unit)
{
    _Alignas(64) lg_real sum[LGI_CHUNK_ROWS * LGI_STRIP_COLS];
    const int width = lgi_tiling_of(cpu)->cols;
    int64_t chunk = unit % g->chunks, group = unit / g->chunks % g->groups;
    int64_t strip = unit / (g->chunks * g->groups), span = g->span;
    int64_t column = strip / g->per_span * span + strip % g->per_span * width;
    int64_t most = least(span - column % span, g->images * g->high * g->wide - column);
    int64_t from = g->m * chunk / g->chunks, rows = g->m * (chunk + 1) / g->chunks - from;
    int64_t channel = group * g->m + from;
    lg_real *to = g->to + channel * g->to_row;
    const lg_real *bias = g->bias ? g->bias + channel : NULL;
    strip_map map;
    map_strip(g, column, (int)least(width, most), width, &map);

    bool direct = map.written.n == 1 && g->to_x == 1;
    lgi_tile t = {.a = g->a + channel * g->k, .arow = g->k, .astep = 1, .cols = map.cols,
                  .c = direct ? to + map.to[0] : sum, .ldc = direct ? g->to_row : width};
    sum_strip(g, cpu, g->src + group * g->src_group, &map, rows, t);
    if (!direct)
        write_strip(&map, bias, sum, width, rows, to, g->to_row, g->to_x,
                    cpu >= LGI_AVX512 && g->to_x == 2);
    else if (bias)
        add_row_bias(bias, t.c, g->to_row, rows, map.cols);
}

LGI_ALWAYS_INLINE void gather_units(const gather_job *job, int64_t piece)
{
    const lgi_gathered *g = job->g, *last = g + job->count - 1;
    int64_t end = least(job->units, (piece + 1) * job->per_piece);
    for (int64_t u = piece * job->per_piece; u < end; u++) {
        while (g < last && u >= g[1].first)
            g++;
        gather_unit(g, job->E->cpu, u - g->first);
    }
}

/* What moves numbers, for each width of vectors. */

static void pack_runs_plain(const lg_real *src, const int32_t *row, int64_t k,
                            const int32_t *at, const lgi_runs *runs, int width, bool over,
                            lg_real *to)
{
    pack_runs(src, row, k, at, runs, width, over, to);
}

LGI_AVX2_CODE static void pack_runs_avx2(const lg_real *src, const int32_t *row,
                                         int64_t k, const int32_t *at,
                                         const lgi_runs *runs, int width, bool over,
                                         lg_real *to)
{
    pack_runs(src, row, k, at, runs, width, over, to);
}

LGI_AVX512_CODE static void pack_runs_avx512(const lg_real *src, const int32_t *row,
                                             int64_t k, const int32_t *at,
                                             const lgi_runs *runs, int width, bool over,
                                             lg_real *to)
{
    pack_runs(src, row, k, at, runs, width, over, to);
}

static void gather_piece(void *arg, int64_t piece, int worker)
{
    gather_units(arg, piece);
}

LGI_AVX2_CODE static void gather_piece_avx2(void *arg, int64_t piece, int worker)
{
    gather_units(arg, piece);
}

LGI_AVX512_CODE static void gather_piece_avx512(void *arg, int64_t piece, int worker)
{
    gather_units(arg, piece);
}

void lgi_pack_runs(lgi_cpu cpu, const lg_real *src, const int32_t *row, int64_t k,
                   const int32_t *at, const lgi_runs *runs, bool over, lg_real *to)
{
    const lgi_tiling *tiling = lgi_tiling_of(cpu);
    const int few = over ? 3 : 4;      /* columns of a run that is worth its vector */
    if (few * runs->n > runs->first[runs->n] + few - 1)
        tiling->gather(src, row, k, at, to);
    else if (cpu >= LGI_AVX512)
        pack_runs_avx512(src, row, k, at, runs, tiling->cols, over, to);
    else if (cpu >= LGI_AVX2)
        pack_runs_avx2(src, row, k, at, runs, tiling->cols, over, to);
    else
        pack_runs_plain(src, row, k, at, runs, tiling->cols, over, to);
}

/* Strips stay within an image, unless it has few: then one may run on into the next. */
static void cut_strips(lgi_gathered *g, int64_t width)
{
    int64_t pixels = g->high * g->wide, all = g->images * pixels;
    g->span = pixels >= WHOLE_STRIPS * width ? pixels : all;
    g->per_span = ceil_div(g->span, width);
    g->strips = g->span ? all / g->span * g->per_span : 0;
}

void lgi_gather_products(lg_engine *E, lgi_gathered *g, int64_t count)
{
    static const int32_t nowhere[1] = {0};
    gather_job job = {E, g, count, 0, 1};
    int64_t width = lgi_tiling_of(E->cpu)->cols, work = 1;
    for (int64_t i = 0; i < count; i++) {
        if (g[i].k == 0) {             /* nothing is read, but offsets need a base */
            g[i].a = g[i].src = g[i].to;
            g[i].row = nowhere;
        }
        g[i].chunks = ceil_div(g[i].m, LGI_CHUNK_ROWS);
        cut_strips(&g[i], width);
        g[i].first = job.units;
        job.units += g[i].chunks * g[i].strips * g[i].groups;
        work += least(g[i].m, LGI_CHUNK_ROWS) * width * (g[i].k + 8);
    }
    job.per_piece = lgi_units_per_piece(job.units, work / (count ? count : 1) + 1);
    lgi_parallel(E, ceil_div(job.units, job.per_piece),
                 E->cpu >= LGI_AVX512 ? gather_piece_avx512
                 : E->cpu >= LGI_AVX2 ? gather_piece_avx2 : gather_piece, &job);
}
