/* grid.c - a batch of images as one picture. */
#include "data/grid.h"

#include <math.h>
#include <string.h>

/* What a grid is made of: the samples, n,c,h,w, and its columns and rows. */
typedef struct grid_plan {
    int64_t n, c, h, w, columns, rows;
    int64_t width, height;             /* pixels of the picture */
} grid_plan;

static lg_status grid_arguments(lg_engine *E, const lg_tensor *x, const lgi_grid *g)
{
    bool images = x->ndim == 4 && (x->dim[1] == 1 || x->dim[1] == 3);
    if (!images && x->ndim != 3)
        return lgi_fail(E, LG_ESHAPE, "grid: x is %s; it must be n,c,h,w with 1 or 3 "
                        "channels, or n,h,w", LGI_SHAPE(x));
    if (x->numel == 0)
        return lgi_fail(E, LG_ESHAPE, "grid: x is %s and has nothing to show",
                        LGI_SHAPE(x));
    if (!(isfinite(g->lo) && isfinite(g->hi) && isfinite(g->hi - g->lo) && g->lo < g->hi))
        return lgi_fail(E, LG_EARG, "grid: the range %g to %g is empty; images of tanh "
                        "have -1 to 1", g->lo, g->hi);
    if (g->columns < 0 || g->padding < 0 || g->padding > LGI_MAX_SIDE)
        return lgi_fail(E, LG_EARG, "grid: %d columns with padding %d; both are 0 or "
                        "more", g->columns, g->padding);
    return LG_OK;
}

static int64_t square_columns(int64_t n)
{
    int64_t columns = (int64_t)sqrt((double)n);
    while (columns * columns < n)
        columns++;
    return columns;
}

static lg_status plan_grid(lg_engine *E, const lg_tensor *x, const lgi_grid *g,
                           grid_plan *p)
{
    p->n = x->dim[0];
    p->c = x->ndim == 4 ? x->dim[1] : 1;
    p->h = x->dim[x->ndim - 2];
    p->w = x->dim[x->ndim - 1];
    p->columns = g->columns ? g->columns : square_columns(p->n);
    p->columns = p->columns < p->n ? p->columns : p->n;
    p->rows = (p->n + p->columns - 1) / p->columns;
    double width = (double)p->columns * (double)(p->w + g->padding) + g->padding;
    double height = (double)p->rows * (double)(p->h + g->padding) + g->padding;
    if (width > LGI_MAX_SIDE || height > LGI_MAX_SIDE)
        return lgi_fail(E, LG_ESHAPE, "grid: %lld samples of %lld x %lld would be a "
                        "picture of %.0f x %.0f pixels; a side has at most %d, so show "
                        "fewer", (long long)p->n, (long long)p->w, (long long)p->h, width,
                        height, LGI_MAX_SIDE);
    p->width = (int64_t)width;
    p->height = (int64_t)height;
    return LG_OK;
}

static unsigned char grid_shade(double v, lgi_grid *g)
{
    if (isnan(v)) {
        g->nans++;
        return LGI_NAN_SHADE;
    }
    g->clipped += v < g->lo || v > g->hi;
    double t = (v - g->lo) / (g->hi - g->lo);
    return (unsigned char)(t <= 0 ? 0 : t >= 1 ? 255 : t * 255 + 0.5);
}

static void draw_sample(const grid_plan *p, const lg_real *from, lgi_grid *g,
                        unsigned char *corner)
{
    for (int64_t k = 0; k < p->c; k++)
        for (int64_t y = 0; y < p->h; y++)
            for (int64_t x = 0; x < p->w; x++)
                corner[(y * p->width + x) * p->c + k] =
                    grid_shade((double)from[(k * p->h + y) * p->w + x], g);
}

lg_status lgi_draw_grid(lg_engine *E, const lg_tensor *x, lgi_grid *grid, lgi_image *to)
{
    grid_plan p = {0};
    memset(to, 0, sizeof *to);
    grid->clipped = grid->nans = 0;
    if (!x || E->status < 0 || grid_arguments(E, x, grid) < 0
        || plan_grid(E, x, grid, &p) < 0
        || lgi_new_image(E, to, (int)p.width, (int)p.height, (int)p.c) < 0)
        return E->status;
    memset(to->pixels, LGI_PAD_SHADE, (size_t)(p.width * p.height * p.c));
    for (int64_t i = 0; i < p.n; i++) {
        int64_t left = grid->padding + i % p.columns * (p.w + grid->padding);
        int64_t top = grid->padding + i / p.columns * (p.h + grid->padding);
        draw_sample(&p, x->data + i * p.c * p.h * p.w, grid,
                    to->pixels + (top * p.width + left) * p.c);
    }
    return LG_OK;
}
