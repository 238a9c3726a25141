/* conv.c - the three of a convolution: tables of offsets, phases, and how work is cut. */
#include "kernel/conv.h"

#include "base/pool.h"
#include "kernel/conv_forms.h"
#include "kernel/gather.h"
#include "kernel/tile.h"
#include "kernel/winograd.h"

#include <string.h>

enum { CONV_FEW_UNITS = 16 };          /* fewer than these are cut along the images */

void *lgi_take(lgi_taker *t, int64_t count, size_t size)
{
    char *p = t->base ? t->base + t->used : NULL;
    t->used += ((size_t)count * size + 63) & ~(size_t)63;
    return p;
}

static int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t greater(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t round_up_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* How far the outputs reach into the padded x. */
static int64_t reach(int64_t outputs, int64_t stride, int64_t taps, int64_t dilation)
{
    return outputs > 0 ? (outputs - 1) * stride + (taps - 1) * dilation + 1 : 1;
}

lgi_canvas lgi_canvas_of_x(const lgi_conv *v, bool split)
{
    lgi_canvas x = {.h = v->h, .w = v->w, .top = v->ph, .left = v->pw,
                    .sh = split && v->oh > 1 ? v->sh : 1,
                    .sw = split && v->ow > 1 ? v->sw : 1, .channels = v->c};
    lgi_plan_canvas(&x, v->n, reach(v->oh, v->sh, v->kh, v->dh),
                    reach(v->ow, v->sw, v->kw, v->dw));
    return x;
}

void lgi_table_of_taps(const lgi_conv *v, const lgi_canvas *x, int32_t *row)
{
    for (int64_t c = 0; c < v->c / v->groups; c++)
        for (int64_t i = 0; i < v->kh; i++)
            for (int64_t j = 0; j < v->kw; j++)
                *row++ = (int32_t)(c * lgi_canvas_plane(x))
                         + lgi_canvas_at(x, i * v->dh, j * v->dw);
}

static int64_t taps_of(const lgi_conv *v) { return v->c / v->groups * v->kh * v->kw; }

/* y from x and w: one gathered product. */

typedef struct plan_y {
    lgi_canvas x;
    lg_real *canvas;
    int32_t *row;
} plan_y;

static plan_y make_plan_y(const lgi_conv *v, lgi_taker *t)
{
    plan_y p = {.x = lgi_canvas_of_x(v, true)};
    p.canvas = lgi_take(t, lgi_canvas_size(&p.x), sizeof(lg_real));
    p.row = lgi_take(t, taps_of(v), sizeof(int32_t));
    return p;
}

static size_t gathered_y_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    make_plan_y(v, &t);
    return t.used;
}

static void gathered_y(lg_engine *E, const lgi_conv *v, const lg_real *x,
                       const lg_real *w, const lg_real *bias, lg_real *y, void *scratch)
{
    lgi_taker t = {scratch, 0};
    plan_y p = make_plan_y(v, &t);
    int64_t plane = lgi_canvas_plane(&p.x), pixels = v->oh * v->ow;
    lgi_table_of_taps(v, &p.x, p.row);
    lgi_gathered g = {
        .m = v->out / v->groups, .k = taps_of(v), .groups = v->groups, .a = w,
        .src_image = v->c * plane, .src_group = v->c / v->groups * plane,
        .src_y = p.x.cols, .row = p.row, .high = v->oh, .wide = v->ow,
        .to_image = v->out * pixels, .to_row = pixels, .to_y = v->ow, .to_x = 1,
        .bias = bias, .over = !p.x.bare};
    for (int64_t i = 0; i < v->n && pixels; i += p.x.images) {
        g.images = lesser(p.x.images, v->n - i);
        g.src = lgi_fill_canvas(E, &p.x, x + i * v->c * v->h * v->w, g.images, p.canvas);
        g.to = y + i * g.to_image;
        lgi_gather_products(E, &g, 1);
    }
}

/*
 * x from y and w. Pixel (f + sh*q) of x, in phase f, sums over those taps i for which
 * f + ph - i*dh is a multiple e*sh of the stride, and reads y at q + e.
 */

/* The shift e of tap i, if the phase has that tap. */
bool lgi_tap_shift(int64_t f, int64_t i, int64_t stride, int64_t padding,
                   int64_t dilation, int64_t *e)
{
    int64_t d = f + padding - i * dilation;
    *e = d / stride;
    return d % stride == 0;
}

static lgi_axis_phase axis_of(int64_t f, int64_t size, int64_t taps, int64_t stride,
                              int64_t padding, int64_t dilation)
{
    lgi_axis_phase a = {.pixels = f < size ? round_up_div(size - f, stride) : 0};
    for (int64_t i = 0, e; i < taps; i++)
        if (lgi_tap_shift(f, i, stride, padding, dilation, &e)) {
            a.low = lesser(a.low, e);
            a.high = greater(a.high, a.pixels - 1 + e);
            a.count++;
        }
    return a;
}

lgi_axis_phase lgi_phase_down(const lgi_conv *v, int64_t f)
{
    return axis_of(f, v->h, v->kh, v->sh, v->ph, v->dh);
}

lgi_axis_phase lgi_phase_along(const lgi_conv *v, int64_t f)
{
    return axis_of(f, v->w, v->kw, v->sw, v->pw, v->dw);
}

/* y with the zeros that the phases of x read around it; its padded size. */
static lgi_canvas border_of_y(const lgi_conv *v, int64_t *high, int64_t *wide)
{
    lgi_canvas y = {.h = v->oh, .w = v->ow, .sh = 1, .sw = 1, .channels = v->out};
    int64_t bottom = v->oh - 1, right = v->ow - 1;
    for (int64_t f = 0; f < lesser(v->sh, v->h); f++) {
        lgi_axis_phase a = lgi_phase_down(v, f);
        y.top = greater(y.top, -a.low);
        bottom = greater(bottom, a.high);
    }
    for (int64_t f = 0; f < lesser(v->sw, v->w); f++) {
        lgi_axis_phase a = lgi_phase_along(v, f);
        y.left = greater(y.left, -a.low);
        right = greater(right, a.high);
    }
    *high = y.top + bottom + 1;
    *wide = y.left + right + 1;
    return y;
}

lgi_canvas lgi_canvas_of_y(const lgi_conv *v)
{
    int64_t high, wide;
    lgi_canvas y = border_of_y(v, &high, &wide);
    lgi_plan_canvas(&y, v->n, high, wide);
    return y;
}

bool lgi_conv_fits(const lgi_conv *v)
{
    const double most = 1 << 30;
    int64_t high = reach(v->oh, v->sh, v->kh, v->dh) + (v->oh > 1 ? v->sh : 0);
    int64_t wide = reach(v->ow, v->sw, v->kw, v->dw) + (v->ow > 1 ? v->sw : 0);
    if ((double)v->c * (double)high * (double)wide > most)
        return false;
    border_of_y(v, &high, &wide);
    return (double)v->out * (double)high * (double)wide <= most;
}

typedef struct plan_x {
    lgi_canvas y;
    lg_real *canvas;
    lg_real *w;                        /* for each phase: c, its taps */
    int32_t *row;                      /* for each phase */
    lgi_tap_place *place;              /* kh,kw */
    lgi_gathered *phase;               /* sh,sw */
    int64_t phases;
} plan_x;

static plan_x make_plan_x(const lgi_conv *v, lgi_taker *t)
{
    plan_x p = {.y = lgi_canvas_of_y(v)};
    int64_t weights = v->out * taps_of(v);
    p.phases = lesser(v->sh, v->h) * lesser(v->sw, v->w);
    p.canvas = lgi_take(t, lgi_canvas_size(&p.y), sizeof(lg_real));
    p.w = lgi_take(t, weights, sizeof(lg_real));
    p.row = lgi_take(t, v->out / v->groups * v->kh * v->kw, sizeof(int32_t));
    p.place = lgi_take(t, v->kh * v->kw, sizeof(lgi_tap_place));
    p.phase = lgi_take(t, p.phases, sizeof(lgi_gathered));
    return p;
}

static size_t gathered_x_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    make_plan_x(v, &t);
    return t.used;
}

/* The taps of phase (fy, fx): offsets on y's canvas, and their numbers i*kw + j. */
static void table_of_phase(const lgi_conv *v, const lgi_canvas *y, int64_t fy, int64_t fx,
                           int32_t *row)
{
    int64_t plane = lgi_canvas_plane(y);
    for (int64_t o = 0; o < v->out / v->groups; o++)
        for (int64_t i = 0, ey; i < v->kh; i++)
            if (lgi_tap_shift(fy, i, v->sh, v->ph, v->dh, &ey))
                for (int64_t j = 0, ex; j < v->kw; j++)
                    if (lgi_tap_shift(fx, j, v->sw, v->pw, v->dw, &ex))
                        *row++ = (int32_t)(o * plane + (ey + y->top) * y->cols + ex
                                           + y->left);
}

/* The places of a phase's taps, of which there are n, in its part of the weights. */
static void place_taps(const lgi_conv *v, int64_t fy, int64_t fx, int64_t at, int64_t n,
                       lgi_tap_place *place)
{
    int64_t e;
    for (int64_t i = 0; i < v->kh; i++)
        if (lgi_tap_shift(fy, i, v->sh, v->ph, v->dh, &e))
            for (int64_t j = 0; j < v->kw; j++)
                if (lgi_tap_shift(fx, j, v->sw, v->pw, v->dw, &e))
                    place[i * v->kw + j] = (lgi_tap_place){at++, n};
}

/* Sets up all phases but their images. */
static void plan_phases(const lgi_conv *v, plan_x *p, const lg_real *bias)
{
    for (int64_t k = 0; k < v->kh * v->kw; k++)
        p->place[k].at = -1;
    int64_t plane = lgi_canvas_plane(&p->y), og = v->out / v->groups;
    int32_t *row = p->row;
    lg_real *a = p->w;
    lgi_gathered *g = p->phase;
    for (int64_t fy = 0; fy < lesser(v->sh, v->h); fy++)
        for (int64_t fx = 0; fx < lesser(v->sw, v->w); fx++, g++) {
            lgi_axis_phase y = lgi_phase_down(v, fy), x = lgi_phase_along(v, fx);
            table_of_phase(v, &p->y, fy, fx, row);
            place_taps(v, fy, fx, a - p->w, y.count * x.count, p->place);
            *g = (lgi_gathered){
                .m = v->c / v->groups, .k = og * y.count * x.count, .groups = v->groups,
                .a = a, .src_image = v->out * plane, .src_group = og * plane,
                .src_y = p->y.cols, .row = row, .high = y.pixels, .wide = x.pixels,
                .to_image = v->c * v->h * v->w, .to_row = v->h * v->w,
                .to_y = v->sh * v->w, .to_x = v->sw, .bias = bias,
                .over = !p->y.bare};
            row += g->k;
            a += v->c * g->k;
        }
}

static void gathered_x(lg_engine *E, const lgi_conv *v, const lg_real *y,
                       const lg_real *w, const lg_real *bias, lg_real *x, void *scratch)
{
    lgi_taker t = {scratch, 0};
    plan_x p = make_plan_x(v, &t);
    plan_phases(v, &p, bias);
    lgi_share_taps(E, v, w, p.place, p.w);
    for (int64_t i = 0; i < v->n; i += p.y.images) {
        int64_t images = lesser(p.y.images, v->n - i);
        const lg_real *src = lgi_fill_canvas(E, &p.y, y + i * v->out * v->oh * v->ow,
                                             images, p.canvas);
        lg_real *to = x + i * v->c * v->h * v->w;
        for (int64_t f = 0; f < p.phases; f++) {
            lgi_gathered *g = &p.phase[f];
            g->images = images;
            g->src = src;
            g->to = to + f / lesser(v->sw, v->w) * v->w + f % lesser(v->sw, v->w);
        }
        lgi_gather_products(E, p.phase, p.phases);
    }
}

/*
 * w from x and y: for each group, y as a matrix out,(images,pixels) times the gathered
 * (images,pixels),taps. A unit has its place in w to itself and runs through all images,
 * so that nothing is summed afterwards, unless there are few units: then the images are
 * cut into parts, each with its own w. Images of few pixels are joined: y is copied with
 * all pixels of a channel in one row.
 */
enum { CONV_FEW_PIXELS = 128 };

typedef struct plan_w {
    lgi_canvas x;
    lg_real *canvas;
    lg_real *joined;                   /* y as out,images,pixels; or NULL */
    int32_t *row, *pixel;              /* taps; pixels of y: of all images if joined */
    lg_real *partial;                  /* parts - 1 times w: the first part is w itself */
    int64_t chunks, strips, units, parts;
    bool join;
} plan_w;

typedef struct job_w {
    const lgi_conv *v;
    const plan_w *p;
    lgi_cpu cpu;
    const lgi_tiling *tiling;
    const lg_real *x, *y;              /* x: the canvas */
    int64_t y_row, y_image;            /* from channel to channel, image to image */
    lg_real *w;
    int64_t images;
    bool add;
    int64_t per_piece;
} job_w;

static plan_w make_plan_w(lg_engine *E, const lgi_conv *v, lgi_taker *t)
{
    plan_w p = {.x = lgi_canvas_of_x(v, false)};
    int64_t pixels = v->oh * v->ow;
    p.join = pixels <= CONV_FEW_PIXELS && p.x.images > 1;
    p.chunks = round_up_div(v->out / v->groups, LGI_CHUNK_ROWS);
    p.strips = round_up_div(taps_of(v), lgi_tiling_of(E->cpu)->cols);
    p.units = p.chunks * p.strips * v->groups;
    p.parts = p.units ? lesser(CONV_FEW_UNITS / p.units, p.x.images) : 1;
    p.parts = greater(p.parts, 1);
    p.canvas = lgi_take(t, lgi_canvas_size(&p.x), sizeof(lg_real));
    p.row = lgi_take(t, taps_of(v), sizeof(int32_t));
    p.pixel = lgi_take(t, p.join ? p.x.images * pixels : pixels, sizeof(int32_t));
    p.joined = lgi_take(t, p.join ? p.x.images * v->out * pixels : 0, sizeof(lg_real));
    p.partial = lgi_take(t, (p.parts - 1) * v->out * taps_of(v), sizeof(lg_real));
    return p;
}

static size_t gathered_w_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_taker t = {0};
    make_plan_w(E, v, &t);
    return t.used;
}

/* Adds to the tile's rows what n pixels give, the first of them in t->a. */
static void add_pixels(const job_w *job, lgi_tile *t, int64_t rows, const lg_real *x,
                       const int32_t *at, const lgi_runs *runs, const int32_t *pixel,
                       int64_t n)
{
    _Alignas(64) lg_real packed[LGI_STRIP_DEPTH * LGI_STRIP_COLS];
    t->b = packed;
    t->bstep = job->tiling->cols;
    for (int64_t first = 0; first < n; first += LGI_STRIP_DEPTH) {
        t->k = lesser(LGI_STRIP_DEPTH, n - first);
        lgi_pack_runs(job->cpu, x, pixel + first, t->k, at, runs, !job->p->x.bare,
                      packed);
        lgi_multiply_rows(job->tiling, *t, rows);
        t->a += t->k;
        t->add = true;
    }
}

static void unit_w(const job_w *job, int64_t unit)
{
    const lgi_conv *v = job->v;
    const plan_w *p = job->p;
    int64_t og = v->out / v->groups, taps = taps_of(v), pixels = v->oh * v->ow;
    int64_t chunk = unit % p->chunks, strip = unit / p->chunks % p->strips;
    int64_t group = unit / (p->chunks * p->strips) % v->groups, part = unit / p->units;
    int64_t from = og * chunk / p->chunks, rows = og * (chunk + 1) / p->chunks - from;
    int64_t channel = group * og + from, tap = strip * job->tiling->cols;
    int64_t plane = lgi_canvas_plane(&p->x);
    int32_t at[LGI_STRIP_COLS];
    lgi_runs runs;
    lg_real *w = part ? p->partial + (part - 1) * v->out * taps : job->w;
    lgi_tile t = {.arow = job->y_row, .astep = 1, .c = w + channel * taps + tap,
                  .ldc = taps, .cols = (int)lesser(job->tiling->cols, taps - tap),
                  .add = job->add};

    for (int j = 0; j < job->tiling->cols; j++)
        at[j] = p->row[tap + (j < t.cols ? j : 0)];
    lgi_find_runs(at, t.cols, &runs);
    const lg_real *x = job->x + group * (v->c / v->groups) * plane;
    const lg_real *y = job->y + channel * job->y_row;
    int64_t first = job->images * part / p->parts;
    int64_t last = job->images * (part + 1) / p->parts;
    for (int64_t i = first; i < last && !p->join; i++) {
        t.a = y + i * job->y_image;
        add_pixels(job, &t, rows, x + i * v->c * plane, at, &runs, p->pixel, pixels);
    }
    t.a = p->join ? y + first * pixels : y;
    if (p->join)
        add_pixels(job, &t, rows, x, at, &runs, p->pixel + first * pixels,
                   (last - first) * pixels);
    for (int64_t i = 0; i < rows && !t.add; i++)       /* no image: zero */
        memset(t.c + i * taps, 0, (size_t)t.cols * sizeof *t.c);
}

static void piece_w(void *arg, int64_t piece, int worker)
{
    const job_w *job = arg;
    int64_t units = job->p->units * job->p->parts;
    int64_t end = lesser(units, (piece + 1) * job->per_piece);
    for (int64_t u = piece * job->per_piece; u < end; u++)
        unit_w(job, u);
}

/* Where the pixels of y look in x: of one image, or of all if they are joined. */
static void table_of_pixels(const lgi_conv *v, const plan_w *p)
{
    int32_t *to = p->pixel;
    int64_t image = v->c * lgi_canvas_plane(&p->x);
    for (int64_t i = 0; i < (p->join ? p->x.images : 1); i++)
        for (int64_t oy = 0; oy < v->oh; oy++)
            for (int64_t ox = 0; ox < v->ow; ox++)
                *to++ = (int32_t)(i * image + oy * v->sh * p->x.cols + ox * v->sw);
}

typedef struct join_job {
    const lg_real *from;
    lg_real *to;
    int64_t images, channels, pixels, per_piece;
} join_job;

/* images,channels,pixels as channels,images,pixels */
static void join_piece(void *arg, int64_t piece, int worker)
{
    const join_job *job = arg;
    int64_t n = job->pixels, end = lesser(job->channels, (piece + 1) * job->per_piece);
    for (int64_t c = piece * job->per_piece; c < end; c++)
        for (int64_t i = 0; i < job->images; i++)
            memcpy(job->to + (c * job->images + i) * n,
                   job->from + (i * job->channels + c) * n, (size_t)n * sizeof *job->to);
}

static void set_y_of_w(lg_engine *E, job_w *job, const lg_real *y)
{
    const lgi_conv *v = job->v;
    int64_t pixels = v->oh * v->ow;
    job->y = y, job->y_row = pixels, job->y_image = v->out * pixels;
    if (!job->p->join)
        return;
    join_job join = {y, job->p->joined, job->images, v->out, pixels, 1};
    join.per_piece = lgi_units_per_piece(v->out, 8 * job->images * pixels + 1);
    lgi_parallel(E, round_up_div(v->out, join.per_piece), join_piece, &join);
    job->y = job->p->joined, job->y_row = job->images * pixels;
}

static void gathered_w(lg_engine *E, const lgi_conv *v, const lg_real *x,
                       const lg_real *y, lg_real *w, void *scratch)
{
    lgi_taker t = {scratch, 0};
    plan_w p = make_plan_w(E, v, &t);
    job_w job = {.v = v, .p = &p, .cpu = E->cpu,
                 .tiling = lgi_tiling_of(E->cpu), .w = w};
    int64_t elements = v->out * taps_of(v), pixels = v->oh * v->ow;
    int64_t units = p.units * p.parts;
    lgi_table_of_taps(v, &p.x, p.row);
    table_of_pixels(v, &p);
    for (int64_t i = 0; i == 0 || i < v->n; i += p.x.images) {     /* once if n is 0 */
        job.images = lesser(p.x.images, v->n - i);
        job.x = lgi_fill_canvas(E, &p.x, x + i * v->c * v->h * v->w, job.images,
                                p.canvas);
        set_y_of_w(E, &job, y + i * v->out * pixels);
        job.add = i > 0;
        job.per_piece = lgi_units_per_piece(
            units, lesser(v->out / v->groups, LGI_CHUNK_ROWS) * job.tiling->cols * pixels
                   * round_up_div(job.images, p.parts) + 1);
        lgi_parallel(E, round_up_div(units, job.per_piece), piece_w, &job);
    }
    for (int64_t part = 1; part < p.parts; part++)     /* small: see CONV_FEW_UNITS */
        for (int64_t i = 0; i < elements; i++)
            w[i] += p.partial[(part - 1) * elements + i];
}

/* The form for a shape: the first that takes it. */

static const lgi_conv_form gathered_form = {NULL, gathered_y_scratch, gathered_x_scratch,
                                            gathered_w_scratch, gathered_y, gathered_x,
                                            gathered_w};

enum { CONV_FEW_ROWS = 16 };           /* of a product: for fewer nothing is packed */

static const lgi_conv_form *form_of(const lgi_conv *v)
{
    return lgi_full_form.takes(v) ? &lgi_full_form
         : lgi_point_form.takes(v) ? &lgi_point_form
         : lgi_turned_form.takes(v) ? &lgi_turned_form
         : lgi_beside_form.takes(v) ? &lgi_beside_form
         : lgi_apart_form.takes(v) ? &lgi_apart_form : &gathered_form;
}

static const lgi_conv_form *form_of_y(const lgi_conv *v)
{
    const lgi_conv_form *form = form_of(v);
    bool any = form == &gathered_form || form == &lgi_point_form;
    return any && lgi_thin_form.takes(v) ? &lgi_thin_form : form;
}

static const lgi_conv_form *form_of_x(const lgi_conv *v)
{
    const lgi_conv_form *form = form_of(v);
    lgi_conv other = *v;               /* of one pixel: y from x, with w transposed */
    other.c = v->out, other.out = v->c;
    if (form == &lgi_point_form && v->c >= CONV_FEW_ROWS && lgi_thin_form.takes(&other))
        return &lgi_turned_form;
    if (form == &lgi_beside_form)
        return form;
    if (form == &lgi_apart_form)
        return lgi_apart_x_form.takes(v) ? &lgi_apart_x_form
             : lgi_apart_phases_form.takes(v) ? &lgi_apart_phases_form : &gathered_form;
    return form == &gathered_form && lgi_spread_form.takes(v) ? &lgi_spread_form : form;
}

/* Large ones come in few sizes, so that what one convolution gave back serves the next:
 * memory that is new costs as much as a pass over it. */
static size_t in_few_sizes(size_t bytes)
{
    const size_t large = 2 << 20, step = 4 << 20;
    return bytes < large ? bytes : (bytes + step - 1) / step * step;
}

size_t lgi_conv_y_scratch(lg_engine *E, const lgi_conv *v)
{
    return in_few_sizes(
        lgi_winograd_serves(E, v, LGI_CONV_Y) ? lgi_winograd_scratch(E, v, LGI_CONV_Y)
        : lgi_parts_serve(E, v, LGI_CONV_Y) ? lgi_parts_scratch(E, v, LGI_CONV_Y)
                                            : form_of_y(v)->y_scratch(E, v));
}

size_t lgi_conv_x_scratch(lg_engine *E, const lgi_conv *v)
{
    return in_few_sizes(
        lgi_winograd_serves(E, v, LGI_CONV_X) ? lgi_winograd_scratch(E, v, LGI_CONV_X)
        : lgi_parts_serve(E, v, LGI_CONV_X) ? lgi_parts_scratch(E, v, LGI_CONV_X)
                                            : form_of_x(v)->x_scratch(E, v));
}

size_t lgi_conv_w_scratch(lg_engine *E, const lgi_conv *v)
{
    return in_few_sizes(
        lgi_winograd_serves(E, v, LGI_CONV_W) ? lgi_winograd_scratch(E, v, LGI_CONV_W)
        : lgi_parts_serve(E, v, LGI_CONV_W) ? lgi_parts_scratch(E, v, LGI_CONV_W)
                                            : form_of(v)->w_scratch(E, v));
}

void lgi_conv_y(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *w,
                const lg_real *bias, lg_real *y, void *scratch)
{
    if (lgi_winograd_serves(E, v, LGI_CONV_Y))
        lgi_winograd_images(E, v, LGI_CONV_Y, x, w, bias, y, scratch);
    else if (lgi_parts_serve(E, v, LGI_CONV_Y))
        lgi_parts_images(E, v, LGI_CONV_Y, x, w, bias, y, scratch);
    else
        form_of_y(v)->y(E, v, x, w, bias, y, scratch);
}

void lgi_conv_x(lg_engine *E, const lgi_conv *v, const lg_real *y, const lg_real *w,
                const lg_real *bias, lg_real *x, void *scratch)
{
    if (lgi_winograd_serves(E, v, LGI_CONV_X))
        lgi_winograd_images(E, v, LGI_CONV_X, y, w, bias, x, scratch);
    else if (lgi_parts_serve(E, v, LGI_CONV_X))
        lgi_parts_images(E, v, LGI_CONV_X, y, w, bias, x, scratch);
    else
        form_of_x(v)->x(E, v, y, w, bias, x, scratch);
}

void lgi_conv_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                lg_real *w, void *scratch)
{
    if (lgi_winograd_serves(E, v, LGI_CONV_W))
        lgi_winograd_w(E, v, x, y, w, scratch);
    else if (lgi_parts_serve(E, v, LGI_CONV_W))
        lgi_parts_w(E, v, x, y, w, scratch);
    else
        form_of(v)->w(E, v, x, y, w, scratch);
}
