#include "kernel/winograd_plan.h"

#include <string.h>

/* Numbers that the second cache has room for. The points of a block of tiles, their
 * products and the weights stay there if that leaves so many tiles; else more of them
 * pass, since each block reads the weights anew. */
enum { CACHED_NUMBERS = 7 << 16, CACHED_TILES = 24, PASSED_TILES = 64 };

/* For the gradient of w each block adds to all sums, and threads wait for one another
 * twice: where the sums are few, and a block soon done, it has more tiles. */
enum { FEW_SUMS = 1 << 18, TILES_OF_W = 128 };

/* Few blocks would leave threads idle: their points are shared by all, and then there are
 * few tiles, so that the weights are read once. */
enum { SHARED_NUMBERS = 3 << 20, MOST_TILES = 256, FEW_BLOCKS = 16 };

/* With so few tiles the weights' points are worth keeping. */
enum { KEPT_TILES = 160 };

/* A product pays from about that many channels on both sides. */
enum { LEAST_CHANNELS = 16 };

static int64_t tiles_along(int64_t size, int64_t m) { return (size + m - 1) / m; }

/* The results that are cut into tiles. */
static void result_size(const lgi_conv *v, lgi_conv_side side, int64_t *h, int64_t *w)
{
    *h = side == LGI_CONV_X ? tiles_along(v->h, v->sh) : v->oh;
    *w = side == LGI_CONV_X ? tiles_along(v->w, v->sw) : v->ow;
}

#define FORM_SIZES(f, m, r, n, lacks) {m, r, n, lacks},
static const struct { int m, r, n, lacks; } sizes[LGI_FORMS] = {
    LGI_WINOGRAD_FORMS(FORM_SIZES)};

/* Has the kernel an odd size, so that some of its phases have a tap less? */
static bool has_short_phases(const lgi_conv *v, lgi_form f)
{
    bool fits = sizes[f].lacks >= 0 && tiles_along(v->kh, v->sh) == sizes[f].r;
    return fits && v->kh % v->sh;
}

/* Of all phases. */
static int64_t count_points(const lgi_conv *v, lgi_form f)
{
    int64_t along = sizes[f].n * v->sh - has_short_phases(v, f);
    return along * along;
}

/* Turning the weights into points, or back, as so many tiles: more of them where the
 * points leave the caches, and for the gradient of w, which is summed in points. */
static double tiles_for_weights(const lgi_conv *v, lgi_conv_side side, int64_t points)
{
    double millions = (double)(points * v->c * v->out) * 1e-6;
    if (side == LGI_CONV_W)
        return millions < 2 ? 20 : millions < 6 ? 45 : 60;
    return millions < 0.5 ? 14 : millions < 4 ? 18 : millions < 10 ? 30 : 50;
}

/* What a form costs for each pair of channels: a multiplication for each point of each
 * tile, and of those that the weights are worth. */
static double cost_of(const lgi_conv *v, lgi_conv_side side, lgi_form f)
{
    int64_t h, w, m = sizes[f].m, points = count_points(v, f);
    result_size(v, side, &h, &w);
    double tiles = (double)v->n * (double)(tiles_along(h, m) * tiles_along(w, m));
    return (double)points * (tiles + tiles_for_weights(v, side, points));
}

static lgi_form winograd_form(const lgi_conv *v, lgi_conv_side side)
{
    int64_t r = tiles_along(v->kh, v->sh);
    if (r == 3)
        return LGI_F43;
    if (r > 3)
        return r > 5 ? LGI_F27 : LGI_F45;
    return cost_of(v, side, LGI_F42) < cost_of(v, side, LGI_F22) ? LGI_F42 : LGI_F22;
}

bool lgi_winograd_serves(const lg_engine *E, const lgi_conv *v, lgi_conv_side side)
{
    bool square = v->kh == v->kw && v->sh == v->sw && v->dh == 1 && v->dw == 1;
    if (E->exact || !square || v->groups != 1 || v->sh > 2 || v->kh > (v->sh > 1 ? 10 : 7)
        || v->kh <= v->sh || v->ph >= v->kh || v->pw >= v->kw || v->n < 1
        || v->c < LEAST_CHANNELS || v->out < LEAST_CHANNELS || v->oh < 1 || v->ow < 1)
        return false;
    double direct = (double)(v->kh * v->kw) * (double)(v->n * v->oh * v->ow);
    double turning = 5 / (double)v->c + 5 / (double)v->out;    /* images, as a part */
    return cost_of(v, side, winograd_form(v, side)) * 1.05 * (1 + turning) < direct;
}

/* A phase f of x, along one axis, reads y from q + f's base on; its taps are s*j + g. */
static int64_t phase_base(int64_t f, int64_t stride, int64_t padding)
{
    return (f + padding) / stride;
}

/* Which of its directions lack the last tap, in a phase that begins at a tap. */
static int shorter(const lgi_wino *p, lgi_shift tap)
{
    const lgi_conv *v = p->v;
    if (!has_short_phases(v, p->form))
        return 0;
    return (tiles_along(v->kh - tap.y, v->sh) < p->r ? LGI_SHORT_DOWN : 0)
           | (tiles_along(v->kw - tap.x, v->sw) < p->r ? LGI_SHORT_ALONG : 0);
}

static bool lacks_point(const lgi_wino *p, int phase, int64_t point)
{
    int lacks = sizes[p->form].lacks, both = p->shorter[phase];
    return (both & LGI_SHORT_DOWN && point / p->n == lacks)
           || (both & LGI_SHORT_ALONG && point % p->n == lacks);
}

void lgi_depth_at(const lgi_wino *p, int64_t phase, int64_t point, int64_t *from,
                  int64_t *end)
{
    int first = 0, last = p->in_phases;
    if (p->out_phases > 1 && lacks_point(p, (int)phase, point))
        last = 0;
    while (first < last && lacks_point(p, first, point))
        first++;
    while (first < last && lacks_point(p, last - 1, point))
        last--;
    *from = first * (p->depth / p->in_phases);
    *end = last * (p->depth / p->in_phases);
}

/* Of the input: so that those that have a point are neighbors. The first and the last two
 * may lack points, along the rows or down the columns; the second is never short. */
static const lgi_shift in_order[LGI_MOST_PHASES] = {{0, 1}, {0, 0}, {1, 0}, {1, 1}};

static void plan_shifts(lgi_wino *p)
{
    const lgi_conv *v = p->v;
    int64_t s = v->sh;
    bool of_x = p->side == LGI_CONV_X;
    int wide = 1 + (int)(phase_base(s - 1, s, v->pw) - phase_base(0, s, v->pw));
    p->tap_step = of_x ? -s : s;
    p->in_phases = p->out_phases = 1;
    p->slabs = 1;
    for (int f = 0; f < s * s; f++) {
        int64_t y = f / s, x = f % s;
        if (!of_x) {
            lgi_shift at = s > 1 ? in_order[f] : (lgi_shift){0, 0};
            p->in_shift[f] = p->tap[f] = at;
            p->shorter[f] = shorter(p, at);
            continue;
        }
        int64_t dy = phase_base(y, s, v->ph) - phase_base(0, s, v->ph);
        int64_t dx = phase_base(x, s, v->pw) - phase_base(0, s, v->pw);
        p->slab[f] = (int)(dy * wide + dx);
        if (p->slab[f] >= p->slabs)
            p->slabs = p->slab[f] + 1;
        p->in_shift[p->slab[f]] = (lgi_shift){dy, dx};
        p->out_shift[f] = (lgi_shift){y, x};
        p->tap[f] = (lgi_shift){(p->r - 1) * s + (y + v->ph) % s,
                                (p->r - 1) * s + (x + v->pw) % s};
    }
    if (of_x)
        p->out_phases = (int)(s * s), p->in_phases = p->slabs;
    else
        p->in_phases = (int)(s * s);
}

static lgi_tiled tiled_x(const lgi_conv *v)
{
    int64_t all = v->x_channels ? v->x_channels : v->c;
    return (lgi_tiled){.channels = v->c, .h = v->h, .w = v->w, .all = all, .step = v->sh,
                       .top = v->ph, .left = v->pw};
}

static lgi_tiled tiled_y(const lgi_conv *v)
{
    int64_t all = v->y_channels ? v->y_channels : v->out;
    return (lgi_tiled){.channels = v->out, .h = v->oh, .w = v->ow, .all = all, .step = 1};
}

/*
 * Where the phases of x begin at different places of y, or some of them are short, each
 * would need points of its own. Then the gradient's way is the shorter: y's tiles become
 * points by AT's transpose, as for the gradient of w, and BT's transpose makes of the
 * products' points what each tile adds to the pixels of x under it and its neighbors.
 * These overlap, so an image is summed by one thread.
 */
static void plan_adjoint(lgi_wino *p)
{
    const lgi_conv *v = p->v;
    int64_t s = v->sh, th = tiles_along(v->oh, p->m), tw = tiles_along(v->ow, p->m);
    int64_t down = v->h + v->ph - s * p->m * th, right = v->w + v->pw - s * p->m * tw;
    int64_t more = s * (p->r - 1);     /* and x may go on where no output looks */
    bool helps = p->slabs > 1 || (p->side == LGI_CONV_X && has_short_phases(v, p->form));
    p->adjoint = helps && th * tw <= MOST_TILES;
    if (!p->adjoint)
        return;
    p->in = tiled_y(v);
    p->out = tiled_x(v);
    p->out.more_rows = more > down ? more : down;
    p->out.more_cols = more > right ? more : right;
    p->slabs = p->in_phases = 1;
    p->in_shift[0] = (lgi_shift){0, 0};
    p->tap_step = s;
    for (int f = 0; f < s * s; f++) {
        p->out_shift[f] = p->tap[f] = (lgi_shift){f / s, f % s};
        p->shorter[f] = shorter(p, p->tap[f]);
        p->slab[f] = 0;
    }
}

static void plan_sides(lgi_wino *p)
{
    const lgi_conv *v = p->v;
    int64_t s = v->sh;
    lgi_tiled x = tiled_x(v), y = tiled_y(v);
    x.more_rows = x.more_cols = s * (p->r - 1);
    if (p->side == LGI_CONV_X) {
        x.top = x.left = x.more_rows = x.more_cols = 0;
        y.top = p->r - 1 - phase_base(0, s, v->ph);
        y.left = p->r - 1 - phase_base(0, s, v->pw);
        y.more_rows = p->r - 1 + p->in_shift[p->slabs - 1].y;
        y.more_cols = p->r - 1 + p->in_shift[p->slabs - 1].x;
    }
    p->in = p->side == LGI_CONV_X ? y : x;
    p->out = p->side == LGI_CONV_X ? x : y;
}

static int64_t tiles_within(int64_t room, int64_t each, int64_t least)
{
    int64_t tiles = room / each;
    return tiles < least ? least : tiles > MOST_TILES ? MOST_TILES : tiles;
}

/* How many tiles a block should have. */
static int64_t tiles_of_block(const lgi_wino *p)
{
    int64_t of_v = p->points * p->depth * p->slabs, of_m = p->points * p->out_phases;
    int64_t weights = of_m * p->depth * p->width;
    int64_t shared = tiles_within(SHARED_NUMBERS, of_v + of_m * p->width, PASSED_TILES);
    if (p->side == LGI_CONV_W && weights >= FEW_SUMS)
        return shared < TILES_OF_W ? shared : TILES_OF_W;
    if (p->shared)
        return shared;
    int64_t room = CACHED_NUMBERS > weights ? CACHED_NUMBERS - weights : 0;
    int64_t fit = tiles_within(room, of_v + of_m * p->chunk, 0) * 2 / 3;
    return fit < CACHED_TILES ? PASSED_TILES : fit;
}

static void plan_blocks(lgi_wino *p)
{
    int64_t image = p->th * p->tw, all = p->v->n * p->th;
    p->chunk = lgi_round_up(p->out_phases > 1 ? 64 : 128, p->strip);
    p->shared = p->side == LGI_CONV_W || p->v->n * image < FEW_BLOCKS * PASSED_TILES;
    if (p->shared || p->chunk > p->width)
        p->chunk = p->width;
    int64_t tiles = tiles_of_block(p);
    int64_t whole = p->adjoint || image <= tiles ? p->th : 1;      /* images, or rows */
    int64_t some = tiles / (whole * p->tw);
    some = some > 0 ? some : 1;
    if (whole < p->th)                 /* a few bands of each image, alike */
        some = tiles_along(p->th, tiles_along(p->th, some));
    p->blocks = tiles_along(all, whole * some);
    p->block_rows = tiles_along(all / whole, p->blocks) * whole;   /* evenly */
    p->blocks = tiles_along(all, p->block_rows);
    p->tiles = p->block_rows * p->tw;
}

const lgi_lanes *lgi_lanes_of(lgi_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu == LGI_AVX512)
        return &lgi_lanes_avx512;
    if (cpu == LGI_AVX2)
        return &lgi_lanes_avx2;
#endif
    return &lgi_lanes_plain;
}

void lgi_plan_winograd(lgi_wino *p, const lg_engine *E, const lgi_conv *v,
                       lgi_conv_side side)
{
    int64_t h, w;
    memset(p, 0, sizeof *p);
    p->v = v;
    p->side = side;
    p->form = winograd_form(v, side);
    p->m = sizes[p->form].m, p->r = sizes[p->form].r, p->n = sizes[p->form].n;
    p->points = p->n * p->n;
    p->lanes = lgi_lanes_of(E->cpu);
    p->tiling = lgi_tiling_of(E->cpu);
    plan_shifts(p);
    plan_sides(p);
    plan_adjoint(p);
    result_size(v, p->adjoint ? LGI_CONV_Y : side, &h, &w);
    p->th = tiles_along(h, p->m), p->tw = tiles_along(w, p->m);
    p->depth = lgi_round_up(p->in.channels, LGI_LANES) * (p->in_phases / p->slabs);
    p->width = lgi_round_up(p->out.channels, LGI_LANES);
    p->strip = lgi_round_up(LGI_LANES, p->tiling->cols);
    p->strips = tiles_along(p->width, p->strip);
    plan_blocks(p);
    p->v_row = p->depth + LGI_POINT_PAD;
    p->v_point = p->tiles * p->v_row + LGI_POINT_PAD;
    p->u_point = p->strips * p->depth * p->strip + LGI_POINT_PAD;
    p->m_row = p->chunk + LGI_POINT_PAD;
    p->m_point = p->tiles * p->m_row + LGI_POINT_PAD;
    if (side == LGI_CONV_W) {
        p->v_row = LGI_LANES;
        p->v_group = p->tiles * LGI_LANES;
        p->v_point = p->depth / LGI_LANES * p->v_group + LGI_POINT_PAD;
    }
    p->d_point = p->strips * p->tiles * p->strip + LGI_POINT_PAD;
    p->g_point = p->strips * p->depth * p->strip + LGI_POINT_PAD;
}

size_t lgi_winograd_keeps(const lg_engine *E, const lgi_conv *v, lgi_conv_side side,
                          int *what)
{
    lgi_wino p;
    if (side == LGI_CONV_W || !lgi_winograd_serves(E, v, side))
        return 0;
    lgi_plan_winograd(&p, E, v, side);
    *what = 1 + 2 * (int)p.form + p.adjoint;
    return v->n * p.th * p.tw > KEPT_TILES
               ? 0 : (size_t)lgi_wino_weights(&p) * sizeof(lg_real);
}

size_t lgi_winograd_scratch(lg_engine *E, const lgi_conv *v, lgi_conv_side side)
{
    lgi_wino p;
    lgi_plan_winograd(&p, E, v, side);
    return side == LGI_CONV_W ? lgi_wino_w_scratch(E, &p)
                              : lgi_wino_images_scratch(E, &p);
}

/* Rows of tiles from the block's first to its end. */
static int64_t end_of_block(const lgi_wino *p, int64_t block)
{
    int64_t all = p->v->n * p->th, end = (block + 1) * p->block_rows;
    return end < all ? end : all;
}

int64_t lgi_count_bands(const lgi_wino *p, int64_t block)
{
    int64_t last = end_of_block(p, block) - 1;
    return last / p->th - block * p->block_rows / p->th + 1;
}

lgi_band lgi_band_at(const lgi_wino *p, int64_t block, int64_t index)
{
    int64_t first = block * p->block_rows, end = end_of_block(p, block);
    lgi_band b = {.image = first / p->th + index};
    int64_t from = b.image * p->th > first ? b.image * p->th : first;
    int64_t to = (b.image + 1) * p->th < end ? (b.image + 1) * p->th : end;
    b.row = from - b.image * p->th;
    b.rows = to - from;
    b.tile = (from - first) * p->tw;
    return b;
}

int64_t lgi_tiles_of_block(const lgi_wino *p, int64_t block)
{
    return (end_of_block(p, block) - block * p->block_rows) * p->tw;
}

lgi_sheet lgi_sheet_of(const lgi_wino *p, const lgi_tiled *t, const lgi_band *b,
                       int64_t channel)
{
    int64_t left = t->channels - channel;
    return (lgi_sheet){.h = t->h, .w = t->w,
                       .first = b->row * p->m * t->step - t->top,
                       .rows = b->rows * p->m * t->step + t->more_rows, .left = t->left,
                       .cols = p->tw * p->m * t->step + t->more_cols,
                       .channels = (int)(left < LGI_LANES ? left : LGI_LANES)};
}

static lgi_sheet largest_sheet(const lgi_wino *p, const lgi_tiled *t)
{
    int64_t rows = p->block_rows < p->th ? p->block_rows : p->th;
    return lgi_sheet_of(p, t, &(lgi_band){.rows = rows}, 0);
}

lgi_turner lgi_take_turner(const lgi_wino *p, lgi_taker *t)
{
    lgi_sheet in = largest_sheet(p, &p->in), out = largest_sheet(p, &p->out);
    int64_t pixels = in.rows * in.cols, staged = lgi_sheet_staged(&in);
    if (pixels < out.rows * out.cols)
        pixels = out.rows * out.cols;
    if (staged < lgi_sheet_staged(&out))
        staged = lgi_sheet_staged(&out);
    lgi_turner turner;
    turner.sheet = lgi_take_numbers(t, pixels * LGI_LANES);
    turner.staged = lgi_take_numbers(t, staged);
    return turner;
}

size_t lgi_turner_size(const lgi_wino *p)
{
    lgi_taker t = {0};
    lgi_take_turner(p, &t);
    return t.used;
}

/* Row i of the tiles of a band, from its sheet to points. */
static lgi_squares row_of_tiles(const lgi_wino *p, const lgi_tiled *t, const lgi_band *b,
                                int64_t i, lgi_shift shift, const lg_real *sheet,
                                lg_real *points, const lgi_point_steps *step)
{
    int64_t pixel = LGI_LANES, line = lgi_sheet_of(p, t, b, 0).cols * pixel;
    return (lgi_squares){
        .from = sheet + (i * p->m * t->step + shift.y) * line + shift.x * pixel,
        .from_row = t->step * line, .from_col = t->step * pixel,
        .from_next = p->m * t->step * pixel,
        .to = points + (b->tile + i * p->tw) * step->row, .to_row = p->n * step->point,
        .to_col = step->point, .to_next = step->row, .count = p->tw};
}

static lgi_squares turned_round(const lgi_squares *s)
{
    return (lgi_squares){.from = s->to, .from_row = s->to_row, .from_col = s->to_col,
                         .from_next = s->to_next, .to = (lg_real *)s->from,
                         .to_row = s->from_row, .to_col = s->from_col,
                         .to_next = s->from_next, .count = s->count};
}

/* The rows of pixels for a row of tiles are still in the first cache when it is done;
 * narrow images are there as a whole. */
void lgi_pixels_to_points(const lgi_wino *p, const lgi_tiled *t, const lgi_band *b,
                          int64_t c, lgi_matrix matrix, const lgi_shift *shift,
                          int phases, const lgi_turner *turner, const lg_real *images,
                          lg_real *points, lgi_point_steps step)
{
    const lg_real *image = images + (b->image * t->all + c) * t->h * t->w;
    lgi_sheet s = lgi_sheet_of(p, t, b, c);
    lgi_rows rows = {0, 0};
    int64_t some = lgi_is_narrow(&s) ? b->rows : 1;
    for (int64_t i = 0; i < b->rows; i += some) {
        rows.to = (i + some) * p->m * t->step + t->more_rows;
        lgi_fill_sheet(p->lanes, &s, rows, image, turner->sheet, turner->staged);
        rows.from = rows.to;
        for (int f = 0; f < phases; f++)
            for (int64_t k = i; k < i + some; k++) {
                lgi_squares q = row_of_tiles(p, t, b, k, shift[f], turner->sheet,
                                             points + f * step.phase, &step);
                p->lanes->apply[p->form][p->shorter[f]][matrix](&q);
            }
    }
}

void lgi_points_to_pixels(const lgi_wino *p, const lgi_tiled *t, const lgi_band *b,
                          int64_t c, lgi_matrix matrix, const lgi_shift *shift,
                          int phases, const lgi_turner *turner, const lg_real *points,
                          lgi_point_steps step, const lg_real *bias, lg_real *images)
{
    lgi_sheet s = lgi_sheet_of(p, t, b, c);
    if (matrix == LGI_FROM_POINTS)
        memset(turner->sheet, 0,
               (size_t)(s.rows * s.cols * LGI_LANES) * sizeof *turner->sheet);
    for (int f = 0; f < phases; f++)
        for (int64_t i = 0; i < b->rows; i++) {
            lgi_squares q = row_of_tiles(p, t, b, i, shift[f], turner->sheet,
                                         (lg_real *)points + f * step.phase, &step);
            q = turned_round(&q);
            p->lanes->apply[p->form][p->shorter[f]][matrix](&q);
        }
    lgi_drain_sheet(p->lanes, &s, turner->sheet, bias ? bias + c : NULL,
                    images + (b->image * t->all + c) * t->h * t->w, turner->staged);
}
