/* scan.c - running sums along an axis, and products of rows. */
#include "kernel/scan.h"

#include "base/pool.h"

enum { SCAN_PIECE = 1 << 14, SCAN_WIDTH = 64 };

typedef struct scan_job {
    const lg_real *x;
    lg_real *y;
    int64_t size, stride;              /* a row product: size alone */
    int64_t runs, units, units_a_piece;        /* a unit: up to SCAN_WIDTH lines */
    bool backward;
} scan_job;

/* One line, side by side in memory. */
static void scan_line(const scan_job *s, int64_t at)
{
    const int64_t end = s->backward ? -1 : s->size, step = s->backward ? -1 : 1;
    const lg_real *x = s->x + at;
    lg_real *y = s->y + at;
    double total = 0;
    for (int64_t i = s->backward ? s->size - 1 : 0; i != end; i += step) {
        total += (double)x[i];
        y[i] = (lg_real)total;
    }
}

static void scan_unit(const scan_job *s, int64_t unit)
{
    if (s->stride == 1) {
        scan_line(s, unit * s->size);
        return;
    }
    int64_t first = unit % s->runs * SCAN_WIDTH;
    int64_t at = unit / s->runs * s->size * s->stride;
    int64_t width = s->stride - first < SCAN_WIDTH ? s->stride - first : SCAN_WIDTH;
    double total[SCAN_WIDTH] = {0};
    for (int64_t j = 0; j < s->size; j++) {
        int64_t row = at + (s->backward ? s->size - 1 - j : j) * s->stride + first;
        for (int64_t i = 0; i < width; i++) {
            total[i] += (double)s->x[row + i];
            s->y[row + i] = (lg_real)total[i];
        }
    }
}

static void scan_piece(void *job, int64_t piece, int worker)
{
    const scan_job *s = job;
    int64_t u = piece * s->units_a_piece;
    int64_t end = u + s->units_a_piece < s->units ? u + s->units_a_piece : s->units;
    (void)worker;
    for (; u < end; u++)
        scan_unit(s, u);
}

static void plan_scan(scan_job *s, int64_t units, int64_t work)
{
    s->units = units;
    s->units_a_piece = work < SCAN_PIECE ? SCAN_PIECE / (work + 1) : 1;
}

static int64_t scan_pieces(const scan_job *s)
{
    return (s->units + s->units_a_piece - 1) / s->units_a_piece;
}

void lgi_running_sums(lg_engine *E, bool backward, const lg_real *x, lg_real *y,
                      int64_t outer, int64_t size, int64_t stride)
{
    scan_job s = {.x = x, .y = y, .size = size, .stride = stride, .backward = backward};
    s.runs = (stride + SCAN_WIDTH - 1) / SCAN_WIDTH;
    plan_scan(&s, outer * s.runs, size * (stride < SCAN_WIDTH ? stride : SCAN_WIDTH));
    lgi_parallel(E, scan_pieces(&s), scan_piece, &s);
}

static void product_piece(void *job, int64_t piece, int worker)
{
    const scan_job *s = job;
    int64_t i = piece * s->units_a_piece;
    int64_t end = i + s->units_a_piece < s->units ? i + s->units_a_piece : s->units;
    (void)worker;
    for (; i < end; i++) {
        const lg_real *x = s->x + i * s->size;
        double p = 1;
        for (int64_t j = 0; j < s->size; j++)
            p *= (double)x[j];
        s->y[i] = (lg_real)p;
    }
}

void lgi_row_products(lg_engine *E, const lg_real *x, lg_real *to, int64_t rows,
                      int64_t n)
{
    scan_job s = {.x = x, .y = to, .size = n};
    plan_scan(&s, rows, n);
    lgi_parallel(E, scan_pieces(&s), product_piece, &s);
}
