/*
 * gemm_block.c - one block of a product.
 *
 * A strip of b is packed, and the rows of a pass over it. Products that are thin one way
 * have forms of their own: of few rows, nothing is packed, since each number of b is used
 * but once or twice; of few columns, what is computed is the transposed product, which
 * has few rows; where k is small the numbers of b stay in registers. All of them sum each
 * element over k in the same order.
 */
#include "kernel/gemm_block.h"

#include <string.h>

/* Products from so many bytes of b or c on fetch ahead. */
enum { AHEAD_BYTES = 512 << 10, LINE = 64 / (int)sizeof(lg_real) };

/* A strip of b is read where it is if so few tiles pass over it, or if they are not very
 * many and its rows lie close together. */
enum { FEW_TILES = 2, SOME_TILES = 8, CLOSE = 4096 / (int)sizeof(lg_real) };

/* A transposed a is copied where its rows are so long, and so many. */
enum { FAR_APART = 512 / (int)sizeof(lg_real), MANY_ROWS = 32 };

/* Numbers that are copied at once, at least the rows of any tile. */
enum { PANEL_COPY = 16 };

static int64_t less_of(int64_t a, int64_t b) { return a < b ? a : b; }

static bool is_turned(const lgi_product *p)
{
    return p->n <= LGI_FEW_ROWS && p->m > LGI_FEW_ROWS;
}

/* c' = b' a': what is stored to c needs turning. */
static lgi_product turned(const lgi_product *p)
{
    return (lgi_product){.m = p->n, .n = p->m, .k = p->k, .a = p->b, .lda = p->ldb,
                         .b = p->a, .ldb = p->lda, .ta = !p->tb, .tb = !p->ta};
}

int64_t lgi_strip_cols(const lgi_tiling *tiling, const lgi_product *p)
{
    bool few = p->m <= LGI_FEW_ROWS && !p->tb;
    return few ? tiling->few_cols : tiling->cols;
}

bool lgi_wants_room(const lgi_product *p)
{
    return p->ta && p->lda >= FAR_APART && p->k >= MANY_ROWS && p->m > LGI_FEW_ROWS
           && p->n > LGI_FEW_ROWS;
}

static bool is_read_in_place(const lgi_product *p, const lgi_tiling *tiling,
                             int64_t rows, int cols)
{
    int tiles = p->ldb < CLOSE ? SOME_TILES : FEW_TILES;
    return !p->tb && cols == tiling->cols && rows <= tiles * tiling->rows;
}

/* One strip of b: rows p0 .. p0+k, columns j .. j+cols, with zeros after them. */
static void pack_strip(const lgi_product *p, const lgi_tiling *tiling, int64_t p0,
                       int64_t k, int64_t j, int cols, lg_real *to)
{
    if (p->tb)
        tiling->transpose(p->b + j * p->ldb + p0, p->ldb, k, cols, to);
    else
        tiling->copy(p->b + p0 * p->ldb + j, p->ldb, k, cols, to);
}

/* The strip after this one. */
typedef struct next_strip { int64_t p0, k, j, cols; } next_strip;

static next_strip strip_after(const lgi_product *p, const lgi_tiling *tiling,
                              const lgi_gemm_block *at, int64_t p0, int64_t j)
{
    next_strip s = {.p0 = p0, .j = j + tiling->cols};
    if (s.j >= at->j + at->cols && p0 + LGI_STRIP_DEPTH < p->k) {
        s.p0 = p0 + LGI_STRIP_DEPTH;
        s.j = at->j;
    } else if (s.j >= at->j + at->cols) {      /* of the block that comes next */
        s.p0 = 0;
    }
    s.k = less_of(LGI_STRIP_DEPTH, p->k - s.p0);
    s.cols = s.j < p->n ? less_of(tiling->cols, p->n - s.j) : 0;
    return s;
}

/* The part of it, of b, that tile number i of n is to fetch. */
static lgi_ahead ahead_of(const lgi_product *p, const next_strip *s, int64_t i, int64_t n)
{
    int64_t all = p->tb ? s->cols : s->k, from = all * i / n, to = all * (i + 1) / n;
    if (p->tb)
        return (lgi_ahead){p->b + (s->j + from) * p->ldb + s->p0, 2 * LINE,
                           (s->k + 2 * LINE - 1) / (2 * LINE), p->ldb, to - from};
    return (lgi_ahead){p->b + (s->p0 + from) * p->ldb + s->j, p->ldb, to - from, 0,
                       s->cols > 0};
}

/*
 * All rows on one strip, as lgi_multiply_rows has them. While they are computed what
 * would else be waited for is fetched: the lines of c, or where the sum over k is longer
 * than a block is high, the next strip of b; where these are small, the next rows of an a
 * that is transposed. panel: a's tiles are so far apart, or if 0 follow one another.
 */
static void multiply_strip(const lgi_product *p, const lgi_tiling *tiling, lgi_tile t,
                           const lgi_gemm_block *at, const next_strip *s, int64_t panel)
{
    int64_t tiles = (at->rows + tiling->rows - 1) / tiling->rows, left = at->rows;
    if (t.k <= LGI_SHALLOW) {
        t.rows = (int)at->rows;
        tiling->multiply_shallow(&t);
        return;
    }
    bool fetch_c = t.k < at->rows;
    int64_t size = fetch_c ? p->m * p->n : p->n * p->k;
    bool fetch = size * (int64_t)sizeof(lg_real) >= AHEAD_BYTES;
    bool far = p->ta && t.astep >= FAR_APART && !panel;
    for (int64_t i = 0; i < tiles; i++) {
        t.rows = (int)((left + tiles - i - 1) / (tiles - i));
        if (fetch)
            t.ahead = fetch_c ? (lgi_ahead){t.c, t.ldc, t.rows, 0, 1}
                              : ahead_of(p, s, i, tiles);
        else if (far)
            t.ahead = (lgi_ahead){t.a + t.rows, t.astep, t.k, 0, 1};
        tiling->multiply(&t);
        t.a += panel ? panel : t.rows * t.arow;
        t.c += t.rows * t.ldc;
        left -= t.rows;
    }
}

/* Copies rows p0 .. p0+k of a transposed a for each tile of rows, which then reads them
 * in order. Vectors may write past a tile's rows: what is there comes later. */
static void bring_together(const lgi_product *p, const lgi_tiling *tiling,
                           const lgi_gemm_block *at, int64_t p0, lgi_tile *t,
                           lg_real *room)
{
    int64_t tiles = (at->rows + tiling->rows - 1) / tiling->rows, left = at->rows;
    const lg_real *from = p->a + p0 * p->lda + at->i;
    t->a = room;
    t->astep = tiling->rows;
    for (int64_t i = 0; i < tiles; i++) {
        int64_t rows = (left + tiles - i - 1) / (tiles - i);
        for (int64_t q = 0; q < t->k; q++, room += tiling->rows)
            if (left >= PANEL_COPY && i + 1 < tiles)
                memcpy(room, from + q * p->lda, PANEL_COPY * sizeof *room);
            else
                memcpy(room, from + q * p->lda, (size_t)rows * sizeof *room);
        from += rows;
        left -= rows;
    }
}

static void compute_strips(const lgi_product *p, const lgi_tiling *tiling,
                           lgi_gemm_block at, lg_real *room)
{
    _Alignas(64) lg_real packed[LGI_STRIP_DEPTH * LGI_STRIP_COLS];
    lgi_tile t = {.arow = p->ta ? 1 : p->lda, .astep = p->ta ? p->lda : 1, .ldc = p->ldc,
                  .add = p->add};
    for (int64_t p0 = 0; p0 == 0 || p0 < p->k; p0 += LGI_STRIP_DEPTH) {
        bool last = p0 + LGI_STRIP_DEPTH >= p->k;
        t.k = less_of(LGI_STRIP_DEPTH, p->k - p0);
        t.a = p->a + at.i * t.arow + p0 * t.astep;
        int64_t panel = room && t.k > LGI_SHALLOW ? t.k * tiling->rows : 0;
        if (panel)
            bring_together(p, tiling, &at, p0, &t, room);
        for (int64_t j = at.j; j < at.j + at.cols; j += tiling->cols) {
            t.cols = (int)less_of(tiling->cols, at.j + at.cols - j);
            bool direct = is_read_in_place(p, tiling, at.rows, t.cols);
            t.b = direct ? p->b + p0 * p->ldb + j : packed;
            t.bstep = direct ? p->ldb : tiling->cols;
            if (!direct)
                pack_strip(p, tiling, p0, t.k, j, t.cols, packed);
            t.c = p->c + at.i * p->ldc + j;
            t.bias = last && p->bias ? p->bias + j : NULL;
            next_strip s = strip_after(p, tiling, &at, p0, j);
            multiply_strip(p, tiling, t, &at, &s, panel);
        }
        t.add = true;
        t.astep = p->ta ? p->lda : 1;
    }
}

/* A few rows, on a b that is read where it is. */
static void compute_few(const lgi_product *p, const lgi_tiling *tiling, lgi_gemm_block at)
{
    lgi_tile t = {.arow = p->ta ? 1 : p->lda, .astep = p->ta ? p->lda : 1,
                  .bstep = p->ldb, .ldc = p->ldc, .rows = (int)at.rows};
    for (int64_t j = at.j; j < at.j + at.cols; j += tiling->few_cols) {
        t.cols = (int)less_of(tiling->few_cols, at.j + at.cols - j);
        t.c = p->c + at.i * p->ldc + j;
        t.add = p->add;
        for (int64_t p0 = 0; p0 == 0 || p0 < p->k; p0 += LGI_STRIP_DEPTH) {
            t.k = less_of(LGI_STRIP_DEPTH, p->k - p0);
            t.a = p->a + at.i * t.arow + p0 * t.astep;
            t.b = p->b + p0 * p->ldb + j;
            t.bias = p0 + LGI_STRIP_DEPTH >= p->k && p->bias ? p->bias + j : NULL;
            tiling->multiply_few(&t);
            t.add = true;
        }
    }
}

/* A few columns: the rows of the transposed product, made apart. */
static void compute_turned(const lgi_product *p, const lgi_tiling *tiling,
                           lgi_gemm_block at)
{
    lg_real rows[LGI_FEW_ROWS * LGI_FEW_COLS];
    lgi_product q = turned(p);
    int64_t end = at.i + at.rows, width = lgi_strip_cols(tiling, &q);
    q.c = rows;
    q.add = p->add;
    for (int64_t i = at.i; i < end; i += q.n) {
        q.n = q.ldc = less_of(width, end - i);
        q.b = p->a + i * (p->ta ? 1 : p->lda);
        for (int64_t j = 0; p->add && j < q.m; j++)
            for (int64_t l = 0; l < q.n; l++)
                rows[j * q.n + l] = p->c[(i + l) * p->ldc + j];
        lgi_compute_block(tiling, &q, (lgi_gemm_block){0, q.m, 0, q.n}, NULL);
        for (int64_t l = 0; l < q.n; l++)
            for (int64_t j = 0; j < q.m; j++) {
                lg_real sum = rows[j * q.n + l];
                p->c[(i + l) * p->ldc + j] = p->bias ? sum + p->bias[j] : sum;
            }
    }
}

void lgi_compute_block(const lgi_tiling *tiling, const lgi_product *p, lgi_gemm_block at,
                       lg_real *room)
{
    if (is_turned(p))
        compute_turned(p, tiling, at);
    else if (p->m <= LGI_FEW_ROWS && !p->tb)
        compute_few(p, tiling, at);
    else
        compute_strips(p, tiling, at, at.cols > tiling->cols ? room : NULL);
}
