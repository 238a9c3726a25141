/* window.c - the loops over sliding windows. Pieces are whole planes, or rows of them. */
#include "kernel/window.h"

#include "base/pool.h"

#include <math.h>
#include <string.h>

enum { WINDOW_PIECE = 1 << 14 };       /* numbers that a piece handles, about */

typedef struct window_job {
    const lgi_window *v;
    const lg_real *from, *where;
    lg_real *to, *where_to;
    int64_t units, units_a_piece;
} window_job;

static void slide(lg_engine *E, window_job *job, int64_t units, int64_t work,
                  lgi_piece *run)
{
    job->units = units;
    job->units_a_piece = work < WINDOW_PIECE ? WINDOW_PIECE / (work + 1) + 1 : 1;
    lgi_parallel(E, (units + job->units_a_piece - 1) / job->units_a_piece, run, job);
}

static int64_t end_of_piece(const window_job *job, int64_t piece)
{
    int64_t end = (piece + 1) * job->units_a_piece;
    return end < job->units ? end : job->units;
}

/* The outputs o in 0 .. n-1 for which 0 <= o*stride + at < size. */
static void valid_run(int64_t at, int64_t stride, int64_t size, int64_t n, int64_t *first,
                      int64_t *end)
{
    *first = at < 0 ? (-at + stride - 1) / stride : 0;
    *end = size > at ? (size - at + stride - 1) / stride : 0;
    *first = *first < n ? *first : n;
    *end = *end < n ? *end : n;
    *end = *end > *first ? *end : *first;
}

/* One number of all windows of a plane: oh,ow. */
static void unfold_tap(const lgi_window *v, const lg_real *plane, int64_t i, int64_t j,
                       lg_real *to)
{
    int64_t top, bottom, left, right, x = j * v->dw - v->pw;
    valid_run(i * v->dh - v->ph, v->sh, v->h, v->oh, &top, &bottom);
    valid_run(x, v->sw, v->w, v->ow, &left, &right);
    for (int64_t oy = 0; oy < v->oh; oy++, to += v->ow) {
        int64_t y = oy * v->sh + i * v->dh - v->ph;
        bool inside = oy >= top && oy < bottom;
        int64_t first = inside ? left : v->ow, end = inside ? right : v->ow;
        memset(to, 0, (size_t)first * sizeof *to);
        for (int64_t ox = first; ox < end; ox++)
            to[ox] = plane[y * v->w + ox * v->sw + x];
        memset(to + end, 0, (size_t)(v->ow - end) * sizeof *to);
    }
}

static void unfold_piece(void *job, int64_t piece, int worker)
{
    const window_job *p = job;
    const lgi_window *v = p->v;
    int64_t taps = v->kh * v->kw, end = end_of_piece(p, piece);
    (void)worker;
    for (int64_t u = piece * p->units_a_piece; u < end; u++)
        unfold_tap(v, p->from + u / taps * v->h * v->w, u % taps / v->kw, u % v->kw,
                   p->to + u * v->oh * v->ow);
}

void lgi_unfold(lg_engine *E, const lgi_window *v, const lg_real *x, lg_real *y)
{
    window_job job = {.v = v, .from = x, .to = y};
    slide(E, &job, v->planes * v->kh * v->kw, v->oh * v->ow, unfold_piece);
}

static void fold_tap(const lgi_window *v, const lg_real *from, int64_t i, int64_t j,
                     lg_real *plane)
{
    int64_t top, bottom, left, right, x = j * v->dw - v->pw;
    valid_run(i * v->dh - v->ph, v->sh, v->h, v->oh, &top, &bottom);
    valid_run(x, v->sw, v->w, v->ow, &left, &right);
    for (int64_t oy = top; oy < bottom; oy++) {
        int64_t y = oy * v->sh + i * v->dh - v->ph;
        for (int64_t ox = left; ox < right; ox++)
            plane[y * v->w + ox * v->sw + x] += from[oy * v->ow + ox];
    }
}

static void fold_piece(void *job, int64_t piece, int worker)
{
    const window_job *p = job;
    const lgi_window *v = p->v;
    int64_t end = end_of_piece(p, piece);
    (void)worker;
    for (int64_t u = piece * p->units_a_piece; u < end; u++) {
        const lg_real *from = p->from + u * v->kh * v->kw * v->oh * v->ow;
        lg_real *plane = p->to + u * v->h * v->w;
        memset(plane, 0, (size_t)(v->h * v->w) * sizeof *plane);
        for (int64_t k = 0; k < v->kh * v->kw; k++)
            fold_tap(v, from + k * v->oh * v->ow, k / v->kw, k % v->kw, plane);
    }
}

void lgi_fold(lg_engine *E, const lgi_window *v, const lg_real *y, lg_real *x)
{
    window_job job = {.v = v, .from = y, .to = x};
    slide(E, &job, v->planes, v->kh * v->kw * v->oh * v->ow, fold_piece);
}

/* One tap of a row of windows; where is 0 before the first. Without a branch, so that it
 * becomes vector instructions. */
static void max_of_tap(const lg_real *restrict from, int64_t stride, int64_t n,
                       lg_real tap, lg_real *restrict max, lg_real *restrict where)
{
    for (int64_t i = 0; i < n; i++) {
        lg_real a = from[i * stride];
        bool more = (a > max[i]) | (a != a) | (where[i] == 0);
        max[i] = more ? a : max[i];
        where[i] = more ? tap : where[i];
    }
}

/* One row of windows, y being where they begin. */
static void max_of_row(const lgi_window *v, const lg_real *plane, int64_t y, lg_real *max,
                       lg_real *where)
{
    int64_t left, right;
    memset(max, 0, (size_t)v->ow * sizeof *max);
    memset(where, 0, (size_t)v->ow * sizeof *where);
    for (int64_t i = 0; i < v->kh; i++, y += v->dh)
        for (int64_t j = 0; y >= 0 && y < v->h && j < v->kw; j++) {
            int64_t x = j * v->dw - v->pw;
            valid_run(x, v->sw, v->w, v->ow, &left, &right);
            if (left < right)
                max_of_tap(plane + y * v->w + left * v->sw + x, v->sw, right - left,
                           (lg_real)(i * v->kw + j + 1), max + left, where + left);
        }
}

static void max_pool_piece(void *job, int64_t piece, int worker)
{
    const window_job *p = job;
    const lgi_window *v = p->v;
    int64_t end = end_of_piece(p, piece);
    (void)worker;
    for (int64_t u = piece * p->units_a_piece; u < end; u++)
        max_of_row(v, p->from + u / v->oh * v->h * v->w, u % v->oh * v->sh - v->ph,
                   p->to + u * v->ow, p->where_to + u * v->ow);
}

void lgi_max_pool(lg_engine *E, const lgi_window *v, const lg_real *x, lg_real *y,
                  lg_real *where)
{
    window_job job = {.v = v, .from = x, .to = y, .where_to = where};
    slide(E, &job, v->planes * v->oh, v->ow * v->kh * v->kw, max_pool_piece);
}

/* Where in the plane that number of the window is: at most 2^24, so that 32 bits, which
 * divide faster, are enough. */
static int64_t place_of(const lgi_window *v, int64_t oy, int64_t ox, lg_real where)
{
    int32_t k = (int32_t)where - 1, kw = (int32_t)v->kw;
    return (oy * v->sh - v->ph + k / kw * v->dh) * v->w + ox * v->sw - v->pw
           + k % kw * v->dw;
}

static void max_scatter_piece(void *job, int64_t piece, int worker)
{
    const window_job *p = job;
    const lgi_window *v = p->v;
    int64_t windows = v->oh * v->ow, end = end_of_piece(p, piece);
    (void)worker;
    for (int64_t u = piece * p->units_a_piece; u < end; u++) {
        const lg_real *where = p->where + u * windows, *from = p->from + u * windows;
        lg_real *plane = p->to + u * v->h * v->w;
        memset(plane, 0, (size_t)(v->h * v->w) * sizeof *plane);
        for (int64_t oy = 0; oy < v->oh; oy++)
            for (int64_t ox = 0; ox < v->ow; ox++)
                plane[place_of(v, oy, ox, *where++)] += *from++;
    }
}

void lgi_max_scatter(lg_engine *E, const lgi_window *v, const lg_real *y,
                     const lg_real *where, lg_real *x)
{
    window_job job = {.v = v, .from = y, .where = where, .to = x};
    slide(E, &job, v->planes, v->h * v->w + v->oh * v->ow, max_scatter_piece);
}

static void max_take_piece(void *job, int64_t piece, int worker)
{
    const window_job *p = job;
    const lgi_window *v = p->v;
    int64_t end = end_of_piece(p, piece);
    (void)worker;
    for (int64_t u = piece * p->units_a_piece; u < end; u++) {
        const lg_real *plane = p->from + u / v->oh * v->h * v->w;
        for (int64_t i = u * v->ow; i < (u + 1) * v->ow; i++)
            p->to[i] = plane[place_of(v, u % v->oh, i - u * v->ow, p->where[i])];
    }
}

void lgi_max_take(lg_engine *E, const lgi_window *v, const lg_real *x,
                  const lg_real *where, lg_real *y)
{
    window_job job = {.v = v, .from = x, .where = where, .to = y};
    slide(E, &job, v->planes * v->oh, v->ow, max_take_piece);
}

static bool is_wrong_place(const lgi_window *v, int64_t oy, int64_t ox, double where)
{
    if (!(where >= 1 && where <= (double)(v->kh * v->kw) && where == floor(where)))
        return true;
    int32_t k = (int32_t)where - 1, kw = (int32_t)v->kw;
    int64_t y = oy * v->sh - v->ph + k / kw * v->dh;
    int64_t x = ox * v->sw - v->pw + k % kw * v->dw;
    return y < 0 || y >= v->h || x < 0 || x >= v->w;
}

int64_t lgi_wrong_place(const lgi_window *v, const lg_real *where)
{
    int64_t i = 0;
    for (int64_t plane = 0; plane < v->planes; plane++)
        for (int64_t oy = 0; oy < v->oh; oy++)
            for (int64_t ox = 0; ox < v->ow; ox++, i++)
                if (is_wrong_place(v, oy, ox, (double)where[i]))
                    return i;
    return -1;
}
