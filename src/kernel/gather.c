/* gather.c - canvases, and products gathered from them, cut by strips and chunks. */
#include "kernel/gather.h"

#include "base/pool.h"
#include "kernel/tile.h"

#include <string.h>

enum { CANVAS_MOST = 8 << 20 };        /* elements, unless one image has more */

typedef struct canvas_job {
    const lgi_canvas *canvas;
    const lg_real *from;               /* images,channels,h,w */
    lg_real *to;
    int64_t planes, per_piece;
} canvas_job;

typedef struct gather_job {
    lg_engine *E;
    const lgi_gathered *g;
    int64_t count, units, per_piece;
} gather_job;

/* The columns of one strip: where each is read and written. */
typedef struct strip_map {
    int cols;
    int32_t from[LGI_STRIP_COLS];
    int64_t to[LGI_STRIP_COLS];
    bool from_run, to_run;             /* they follow one another */
} strip_map;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

void lgi_plan_canvas(lgi_canvas *v, int64_t n, int64_t padded_h, int64_t padded_w)
{
    v->rows = ceil_div(padded_h, v->sh);
    v->cols = ceil_div(padded_w, v->sw);
    v->bare = v->sh == 1 && v->sw == 1 && v->top == 0 && v->left == 0 && v->rows == v->h
              && v->cols == v->w;
    int64_t image = v->channels * lgi_canvas_plane(v);
    int64_t most = (v->bare ? (int64_t)1 << 30 : CANVAS_MOST) / (image ? image : 1);
    v->images = most < 1 || n < 1 ? 1 : least(n, most);
}

int64_t lgi_canvas_plane(const lgi_canvas *v)
{
    return v->sh * v->sw * v->rows * v->cols;
}

int64_t lgi_canvas_size(const lgi_canvas *v)
{
    return v->bare ? 0 : v->images * v->channels * lgi_canvas_plane(v);
}

int32_t lgi_canvas_at(const lgi_canvas *v, int64_t y, int64_t x)
{
    int64_t phase = y % v->sh * v->sw + x % v->sw;
    return (int32_t)((phase * v->rows + y / v->sh) * v->cols + x / v->sw);
}

/* One row of one phase: columns x0, x0 + sw, ... of a row of the channel. */
static void fill_row(const lgi_canvas *v, const lg_real *from, int64_t x0, lg_real *to)
{
    int64_t q = 0, s = v->sw;
    for (; q < v->cols && x0 + q * s < 0; q++)
        to[q] = 0;
    int64_t end = x0 < v->w ? least(v->cols, ceil_div(v->w - x0, s)) : 0;
    if (s == 1 && end > q) {
        memcpy(to + q, from + x0 + q, (size_t)(end - q) * sizeof *to);
        q = end;
    }
    for (; q < end; q++)
        to[q] = from[x0 + q * s];
    for (; q < v->cols; q++)
        to[q] = 0;
}

static void fill_plane(const lgi_canvas *v, const lg_real *from, lg_real *to)
{
    for (int64_t fy = 0; fy < v->sh; fy++)
        for (int64_t fx = 0; fx < v->sw; fx++)
            for (int64_t q = 0; q < v->rows; q++, to += v->cols) {
                int64_t y = fy + q * v->sh - v->top;
                if (y >= 0 && y < v->h)
                    fill_row(v, from + y * v->w, fx - v->left, to);
                else
                    memset(to, 0, (size_t)v->cols * sizeof *to);
            }
}

static void canvas_piece(void *arg, int64_t piece, int worker)
{
    const canvas_job *job = arg;
    const lgi_canvas *v = job->canvas;
    int64_t end = least(job->planes, (piece + 1) * job->per_piece);
    for (int64_t i = piece * job->per_piece; i < end; i++)
        fill_plane(v, job->from + i * v->h * v->w, job->to + i * lgi_canvas_plane(v));
}

const lg_real *lgi_fill_canvas(lg_engine *E, const lgi_canvas *v, const lg_real *x,
                               int64_t images, lg_real *to)
{
    if (v->bare)
        return x;
    canvas_job job = {v, x, to, images * v->channels, 1};
    job.per_piece = lgi_units_per_piece(job.planes, 8 * lgi_canvas_plane(v) + 1);
    lgi_parallel(E, ceil_div(job.planes, job.per_piece), canvas_piece, &job);
    return to;
}

/* Columns past the last read what the first does, and are not written. */
static void map_strip(const lgi_gathered *g, int64_t column, int cols, int width,
                      strip_map *map)
{
    int64_t pixels = g->high * g->wide;
    int64_t image = column / pixels, y = column % pixels / g->wide, x = column % g->wide;
    map->cols = cols;
    for (int j = 0; j < cols; j++) {
        map->from[j] = (int32_t)(image * g->src_image + y * g->src_y + x);
        map->to[j] = image * g->to_image + y * g->to_y + x * g->to_x;
        if (++x == g->wide) {
            x = 0;
            if (++y == g->high) {
                y = 0;
                image++;
            }
        }
    }
    for (int j = cols; j < width; j++)
        map->from[j] = map->from[0];
    map->from_run = map->to_run = true;
    for (int j = 1; j < cols; j++) {
        map->from_run &= map->from[j] == map->from[j - 1] + 1;
        map->to_run &= map->to[j] == map->to[j - 1] + 1;
    }
}

static void write_strip(const strip_map *map, const lg_real *bias, const lg_real *sum,
                        int width, int64_t rows, lg_real *to, int64_t to_row)
{
    for (int64_t i = 0; i < rows; i++, sum += width, to += to_row) {
        lg_real b = bias ? bias[i] : 0;
        for (int j = 0; j < map->cols; j++)
            to[map->to[j]] = sum[j] + b;
    }
}

static void add_row_bias(const lg_real *bias, lg_real *to, int64_t to_row, int64_t rows,
                         int cols)
{
    for (int64_t i = 0; i < rows; i++, to += to_row)
        for (int j = 0; j < cols; j++)
            to[j] += bias[i];
}

/* The sums over k of one strip; what lies side by side is copied, the rest gathered. */
static void sum_strip(const lgi_gathered *g, const lgi_tiling *tiling, const lg_real *src,
                      const strip_map *map, int64_t rows, lgi_tile t)
{
    _Alignas(64) lg_real packed[LGI_STRIP_DEPTH * LGI_STRIP_COLS];
    const lg_real *a = t.a;
    t.b = packed;
    t.bstep = tiling->cols;
    for (int64_t p0 = 0; p0 == 0 || p0 < g->k; p0 += LGI_STRIP_DEPTH) {
        t.k = least(LGI_STRIP_DEPTH, g->k - p0);
        if (map->from_run && map->cols == tiling->cols)
            for (int64_t p = 0; p < t.k; p++)
                memcpy(packed + p * tiling->cols, src + g->row[p0 + p] + map->from[0],
                       (size_t)tiling->cols * sizeof *packed);
        else
            tiling->gather(src, g->row + p0, t.k, map->from, packed);
        t.a = a + p0;
        lgi_multiply_rows(tiling, t, rows);
        t.add = true;
    }
}

static void gather_unit(const lgi_gathered *g, const lgi_tiling *tiling, int64_t unit)
{
    _Alignas(64) lg_real sum[LGI_CHUNK_ROWS * LGI_STRIP_COLS];
    int64_t chunk = unit % g->chunks, group = unit / g->chunks % g->groups;
    int64_t column = unit / (g->chunks * g->groups) * tiling->cols;
    int64_t from = g->m * chunk / g->chunks, rows = g->m * (chunk + 1) / g->chunks - from;
    int64_t channel = group * g->m + from;
    lg_real *to = g->to + channel * g->to_row;
    const lg_real *bias = g->bias ? g->bias + channel : NULL;
    strip_map map;
    map_strip(g, column, (int)least(tiling->cols, g->images * g->high * g->wide - column),
              tiling->cols, &map);

    lgi_tile t = {.a = g->a + channel * g->k, .arow = g->k, .astep = 1, .cols = map.cols,
                  .c = map.to_run ? to + map.to[0] : sum,
                  .ldc = map.to_run ? g->to_row : tiling->cols};
    sum_strip(g, tiling, g->src + group * g->src_group, &map, rows, t);
    if (!map.to_run)
        write_strip(&map, bias, sum, tiling->cols, rows, to, g->to_row);
    else if (bias)
        add_row_bias(bias, t.c, g->to_row, rows, map.cols);
}

static void gather_piece(void *arg, int64_t piece, int worker)
{
    const gather_job *job = arg;
    const lgi_tiling *tiling = lgi_tiling_of(job->E->cpu);
    const lgi_gathered *g = job->g, *last = g + job->count - 1;
    int64_t end = least(job->units, (piece + 1) * job->per_piece);
    for (int64_t u = piece * job->per_piece; u < end; u++) {
        while (g < last && u >= g[1].first)
            g++;
        gather_unit(g, tiling, u - g->first);
    }
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
        g[i].strips = ceil_div(g[i].images * g[i].high * g[i].wide, width);
        g[i].first = job.units;
        job.units += g[i].chunks * g[i].strips * g[i].groups;
        work += least(g[i].m, LGI_CHUNK_ROWS) * width * (g[i].k + 8);
    }
    job.per_piece = lgi_units_per_piece(job.units, work / (count ? count : 1) + 1);
    lgi_parallel(E, ceil_div(job.units, job.per_piece), gather_piece, &job);
}
