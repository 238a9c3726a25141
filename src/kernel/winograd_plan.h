/*
 * winograd_plan.h - how a convolution is cut into tiles, points and blocks. It depends on
 * the shape alone.
 */
#ifndef LG_KERNEL_WINOGRAD_PLAN_H
#define LG_KERNEL_WINOGRAD_PLAN_H
#include "kernel/conv_forms.h"
#include "kernel/sheet.h"
#include "kernel/tile.h"
#include "kernel/winograd.h"

enum { LGI_MOST_PHASES = 4, LGI_POINT_PAD = 16 };

/* One way of looking at a tensor of images: a tile and its neighbors in a sheet of it. */
typedef struct lgi_tiled {
    int64_t channels, h, w;
    int64_t all;                       /* channels of an image, of which these are some */
    int64_t step;                      /* between neighbors within a tile */
    int64_t top, left;                 /* zeros before the image */
    int64_t more_rows, more_cols;      /* of a sheet, besides step*m for each tile */
} lgi_tiled;

/* Where, in a sheet, the tiles of a phase begin. */
typedef struct lgi_shift { int64_t y, x; } lgi_shift;

typedef struct lgi_wino {
    const lgi_conv *v;
    lgi_conv_side side;
    lgi_form form;
    int64_t m, r, n, points;           /* n = m+r-1, points = n*n */
    const lgi_lanes *lanes;
    const lgi_tiling *tiling;

    lgi_tiled in, out;                 /* out: of LGI_CONV_W, y's gradient */
    int64_t th, tw;                    /* tiles of an image */
    int64_t block_rows, blocks;        /* rows of tiles, through all images */
    int64_t tiles;                     /* of a block */
    bool shared;                       /* are blocks computed by all threads together? */

    int in_phases;                     /* of the input */
    lgi_shift in_shift[LGI_MOST_PHASES];
    int shorter[LGI_MOST_PHASES];      /* of each phase of the weights: LGI_SHORT_DOWN */
    int out_phases;
    lgi_shift out_shift[LGI_MOST_PHASES];
    lgi_shift tap[LGI_MOST_PHASES];    /* of each phase of the weights: the first */
    int64_t tap_step;                  /* and the step to the next: negative: flipped */
    int slab[LGI_MOST_PHASES];         /* of V: which a phase of the output reads */
    int slabs;
    bool adjoint;                      /* see plan_adjoint */

    /* V: slabs,points,tiles,depth: the input; U: phases,points,strips,depth,strip: the
     * weights; M: phases,points,tiles,chunk: the products. For the gradient of w, V is
     * points,groups,tiles,lanes; D: points,strips,tiles,strip: y; G: points,strips,depth,
     * strip: the products. */
    int64_t depth, v_row, v_point;
    int64_t width, strip, strips, u_point;
    int64_t chunk, m_row, m_point;
    int64_t v_group, d_point, g_point;
} lgi_wino;

/* Taps of so many channels at a time are turned into squares, and back. */
enum { LGI_TAPS_AT_ONCE = 4, LGI_MOST_TAPS = 100 };

typedef struct lgi_tap_squares {
    lg_real run[LGI_TAPS_AT_ONCE * LGI_MOST_TAPS * LGI_LANES];     /* as in w */
    lg_real square[LGI_TAPS_AT_ONCE * LGI_MOST_TAPS * LGI_LANES];  /* s*r by s*r */
} lgi_tap_squares;

static inline lg_real *lgi_take_numbers(lgi_taker *t, int64_t count)
{
    return lgi_take(t, count, sizeof(lg_real));
}

static inline int64_t lgi_round_up(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

void lgi_plan_winograd(lgi_wino *p, const lg_engine *E, const lgi_conv *v,
                       lgi_conv_side side);

/* A band: rows of tiles of one image, and the first of its tiles within its block. */
typedef struct lgi_band { int64_t image, row, rows, tile; } lgi_band;

int64_t lgi_count_bands(const lgi_wino *p, int64_t block);
lgi_band lgi_band_at(const lgi_wino *p, int64_t block, int64_t index);
int64_t lgi_tiles_of_block(const lgi_wino *p, int64_t block);

/* The part of the depth, from .. end - 1, that has a point for a phase of the result:
 * where that is short, it may be none. */
void lgi_depth_at(const lgi_wino *p, int64_t phase, int64_t point, int64_t *from,
                  int64_t *end);

/* Groups of up to LGI_LANES channels. */
static inline int64_t lgi_lane_groups(const lgi_tiled *t)
{
    return (t->channels + LGI_LANES - 1) / LGI_LANES;
}

/* The sheet of a band, for the channels from `channel` on. */
lgi_sheet lgi_sheet_of(const lgi_wino *p, const lgi_tiled *t, const lgi_band *b,
                       int64_t channel);

/* What a worker turns images with: the larger of what the two sides need. */
typedef struct lgi_turner { lg_real *sheet, *staged; } lgi_turner;
lgi_turner lgi_take_turner(const lgi_wino *p, lgi_taker *t);
size_t lgi_turner_size(const lgi_wino *p);

/* Points: tiles `row` numbers apart, points `point` apart, and phases `phase` apart. */
typedef struct lgi_point_steps { int64_t row, point, phase; } lgi_point_steps;

/* Pixels of LGI_LANES channels from c on become points, through a sheet, and the other
 * way: all tiles of a band, those of phase i from shift[i] on. */
void lgi_pixels_to_points(const lgi_wino *p, const lgi_tiled *t, const lgi_band *b,
                          int64_t c, lgi_matrix matrix, const lgi_shift *shift,
                          int phases, const lgi_turner *turner, const lg_real *images,
                          lg_real *points, lgi_point_steps step);
void lgi_points_to_pixels(const lgi_wino *p, const lgi_tiled *t, const lgi_band *b,
                          int64_t c, lgi_matrix matrix, const lgi_shift *shift,
                          int phases, const lgi_turner *turner, const lg_real *points,
                          lgi_point_steps step, const lg_real *bias, lg_real *images);

int64_t lgi_wino_weights(const lgi_wino *p);           /* numbers of U */

/* Scratch of the two that lgi_winograd_scratch chooses from. */
size_t lgi_wino_images_scratch(const lg_engine *E, const lgi_wino *p);
size_t lgi_wino_w_scratch(const lg_engine *E, const lgi_wino *p);

#endif
