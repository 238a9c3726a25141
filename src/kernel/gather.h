/*
 * gather.h - images laid out for gathering, and products whose right-hand matrix is
 * gathered from them.
 */
#ifndef LG_KERNEL_GATHER_H
#define LG_KERNEL_GATHER_H
#include "kernel/tile.h"

/*
 * A padded copy of some images, split into the phases of a stride, so that what
 * neighboring outputs read lies side by side:
 *
 *     row y, column x of the padded channel is at
 *     ((y % sh * sw + x % sw) * rows + y / sh) * cols + x / sw.
 */
typedef struct lgi_canvas {
    int64_t h, w;                      /* of a channel, as it is */
    int64_t top, left;                 /* zeros before it */
    int64_t sh, sw;
    int64_t rows, cols;                /* of a phase */
    int64_t channels;
    int64_t images;                    /* copied at a time */
    bool bare;                         /* nothing to pad or split: no copy is made */
} lgi_canvas;

/* What may be read behind a copy, so that vectors reach past the last run. */
enum { LGI_CANVAS_SLACK = 16 };

/* n images with that many rows and columns once padded. */
void lgi_plan_canvas(lgi_canvas *v, int64_t n, int64_t padded_h, int64_t padded_w);
int64_t lgi_canvas_plane(const lgi_canvas *v);         /* elements of a channel */
int64_t lgi_canvas_size(const lgi_canvas *v);          /* of the copy; 0 if bare */
int32_t lgi_canvas_at(const lgi_canvas *v, int64_t y, int64_t x);

/* Copies some images to `to`, and returns it, or x itself if the canvas is bare. */
const lg_real *lgi_fill_canvas(lg_engine *E, const lgi_canvas *v, const lg_real *x,
                               int64_t images, lg_real *to);

/* A few channels of it, in this thread alone. */
void lgi_fill_planes(lgi_cpu cpu, const lgi_canvas *v, int64_t n, const lg_real *from,
                     lg_real *to);

/* Columns first[r] .. first[r+1] of a strip follow one another in the source. */
typedef struct lgi_runs {
    int n, first[LGI_STRIP_COLS + 1];
} lgi_runs;

void lgi_find_runs(const int32_t *at, int cols, lgi_runs *runs);

/* to[p*width + j] = src[row[p] + at[j]], for the runs of at; width is the tiling's, and
 * columns past the runs become zero or what `at` has there. over: there is slack. */
void lgi_pack_runs(lgi_cpu cpu, const lg_real *src, const int32_t *row, int64_t k,
                   const int32_t *at, const lgi_runs *runs, bool over, lg_real *to);

/*
 * to[image, group, i, y, x] = bias[i] + sum over p of a[group, i, p] times
 * src[image, group][row[p] + y*src_y + x], for `high` by `wide` pixels of each image.
 */
typedef struct lgi_gathered {
    int64_t m, k, groups;              /* m: for each group */
    const lg_real *a;                  /* groups,m,k */
    const lg_real *src;
    int64_t src_image, src_group, src_y;
    const int32_t *row;                /* k */
    int64_t images, high, wide;
    lg_real *to;
    int64_t to_image, to_row, to_y, to_x;      /* groups are m*to_row apart */
    const lg_real *bias;               /* groups,m; or NULL */
    bool over;                         /* src has slack behind it */

    int64_t chunks, strips, first;     /* worked out: how it is cut into units */
    int64_t span, per_span;            /* columns that strips stay within, and theirs */
} lgi_gathered;

/* Several at once, which must not write to the same places. */
void lgi_gather_products(lg_engine *E, lgi_gathered *g, int64_t count);

#endif
