/*
 * softmax.c - exponentials along one axis.
 *
 * The greatest number is subtracted first, so that nothing overflows; a NaN reaches all
 * of its row through the sum. Sums are in double and in a fixed order. An axis that is
 * not the last is done for a block of neighboring columns at once, so that memory is read
 * in order.
 */
#include "kernel/softmax.h"

#include "base/pool.h"
#include "kernel/vector.h"

#include <string.h>

enum { SOFTMAX_PIECE = 1 << 13, SOFTMAX_WIDTH = 128, SOFTMAX_LANES = 16 };

typedef struct softmax_job {
    lgi_softmax_kind kind;
    const lg_real *x;
    lg_real *y;
    const lg_real *g;                  /* of the way back, where x is the result */
    int64_t size, stride;              /* of the axis */
    int64_t blocks;                    /* of columns; where stride is 1, rows */
    int64_t a_row;                     /* blocks in one row of columns */
    int64_t blocks_a_piece;
} softmax_job;

LGI_ALWAYS_INLINE lg_real finite_or_0(lg_real top)
{
    return top > -INFINITY && top < INFINITY ? top : 0;        /* never inf - inf */
}

/* Vectors by name: of an array of sums the compiler makes single numbers. */
typedef lg_real top_vector __attribute__((vector_size(64)));
#ifdef LG_DOUBLE
typedef int64_t top_mask __attribute__((vector_size(64)));
#else
typedef int32_t top_mask __attribute__((vector_size(64)));
#endif
enum { TOP_LANES = 64 / sizeof(lg_real) };

LGI_ALWAYS_INLINE lg_real row_top(const lg_real *x, int64_t n)
{
    lg_real lane[TOP_LANES], top = -INFINITY;
    int64_t i = 0;
    if (n >= TOP_LANES) {
        top_vector most, v;
        memcpy(&most, x, sizeof most);
        for (i = TOP_LANES; i + TOP_LANES <= n; i += TOP_LANES) {
            memcpy(&v, x + i, sizeof v);
            top_mask more = (top_mask)(v > most);
            most = (top_vector)(((top_mask)v & more) | ((top_mask)most & ~more));
        }
        memcpy(&v, x + n - TOP_LANES, sizeof v);
        top_mask more = (top_mask)(v > most);
        most = (top_vector)(((top_mask)v & more) | ((top_mask)most & ~more));
        memcpy(lane, &most, sizeof lane);
        for (int k = 0; k < TOP_LANES; k++)
            top = lane[k] > top ? lane[k] : top;
        return finite_or_0(top);
    }
    for (; i < n; i++)
        top = x[i] > top ? x[i] : top;
    return finite_or_0(top);
}

/* Of the sixteen. */
LGI_ALWAYS_INLINE double sum_of_lanes(double *lane)
{
    for (int l = 0; l < 8; l++)
        lane[l] += lane[l + 8];
    for (int l = 0; l < 4; l++)
        lane[l] += lane[l + 4];
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/* The exponentials go to to, or if it is NULL through a small block. odd: some are left
 * beside the lanes, which else stay where they are added up. */
LGI_ALWAYS_INLINE double sum_of_exp(const lg_real *x, lg_real top, lg_real *to, int64_t n,
                                    const bool odd)
{
    double lane[SOFTMAX_LANES] = {0};
    lg_real block[SOFTMAX_WIDTH];
    for (int64_t i = 0; i < n; i += SOFTMAX_WIDTH) {
        int64_t m = n - i < SOFTMAX_WIDTH ? n - i : SOFTMAX_WIDTH, k = 0;
        lg_real *restrict e = to ? to + i : block;
        for (k = 0; k < m; k++)
            e[k] = lgi_exp(x[i + k] - top);
        for (k = 0; k + SOFTMAX_LANES <= m; k += SOFTMAX_LANES)
            for (int l = 0; l < SOFTMAX_LANES; l++)
                lane[l] += (double)e[k + l];
        for (int l = 0; odd && k + l < m; l++)
            lane[l] += (double)e[k + l];
    }
    return sum_of_lanes(lane);
}

LGI_ALWAYS_INLINE void softmax_row(const softmax_job *j, int64_t row)
{
    const lg_real *x = j->x + row * j->size, top = row_top(x, j->size);
    lg_real *y = j->kind == LGI_LOGSUMEXP ? NULL : j->y + row * j->size;
    lg_real *kept = j->kind == LGI_SOFTMAX ? y : NULL;
    double sum = j->size % SOFTMAX_LANES ? sum_of_exp(x, top, kept, j->size, true)
                                         : sum_of_exp(x, top, kept, j->size, false);
    const lg_real over = (lg_real)(1 / sum);
    const lg_real log_sum = j->kind == LGI_LOG_SOFTMAX ? (lg_real)log(sum) : 0;
    if (j->kind == LGI_LOGSUMEXP)
        j->y[row] = (lg_real)(log(sum) + (double)top);
    for (int64_t i = 0; j->kind == LGI_SOFTMAX && i < j->size; i++)
        y[i] *= over;
    for (int64_t i = 0; j->kind == LGI_LOG_SOFTMAX && i < j->size; i++)
        y[i] = x[i] - top - log_sum;
}

/* Of n neighboring columns: their greatest numbers, and the sums of exponentials. */
LGI_ALWAYS_INLINE void column_sums(const softmax_job *j, const lg_real *x, lg_real *y,
                                   int64_t n, lg_real *restrict top, double *restrict sum)
{
    for (int64_t k = 0; k < n; k++)
        top[k] = -INFINITY, sum[k] = 0;
    for (int64_t i = 0; i < j->size; i++)
        for (int64_t k = 0; k < n; k++)
            top[k] = x[i * j->stride + k] > top[k] ? x[i * j->stride + k] : top[k];
    for (int64_t k = 0; k < n; k++)
        top[k] = finite_or_0(top[k]);
    for (int64_t i = 0; i < j->size; i++) {
        lg_real e[SOFTMAX_WIDTH];
        for (int64_t k = 0; k < n; k++)
            e[k] = lgi_exp(x[i * j->stride + k] - top[k]);
        for (int64_t k = 0; k < n; k++)
            sum[k] += (double)e[k];
        for (int64_t k = 0; j->kind == LGI_SOFTMAX && k < n; k++)
            y[i * j->stride + k] = e[k];
    }
}

LGI_ALWAYS_INLINE void softmax_columns(const softmax_job *j, int64_t block)
{
    int64_t row = block / j->a_row, first = block % j->a_row * SOFTMAX_WIDTH;
    int64_t n = j->stride - first < SOFTMAX_WIDTH ? j->stride - first : SOFTMAX_WIDTH;
    int64_t at = row * j->size * j->stride + first;
    const lg_real *x = j->x + at;
    lg_real *y = j->kind == LGI_LOGSUMEXP ? j->y + row * j->stride + first : j->y + at;
    lg_real top[SOFTMAX_WIDTH], over[SOFTMAX_WIDTH], log_sum[SOFTMAX_WIDTH];
    double sum[SOFTMAX_WIDTH];

    column_sums(j, x, y, n, top, sum);
    for (int64_t k = 0; k < n; k++) {
        over[k] = (lg_real)(1 / sum[k]);
        log_sum[k] = j->kind == LGI_LOG_SOFTMAX ? (lg_real)log(sum[k]) : 0;
        if (j->kind == LGI_LOGSUMEXP)
            y[k] = (lg_real)(log(sum[k]) + (double)top[k]);
    }
    for (int64_t i = 0; j->kind == LGI_SOFTMAX && i < j->size; i++)
        for (int64_t k = 0; k < n; k++)
            y[i * j->stride + k] *= over[k];
    for (int64_t i = 0; j->kind == LGI_LOG_SOFTMAX && i < j->size; i++)
        for (int64_t k = 0; k < n; k++)
            y[i * j->stride + k] = x[i * j->stride + k] - top[k] - log_sum[k];
}

LGI_ALWAYS_INLINE void softmax_piece_any(const softmax_job *j, int64_t piece)
{
    int64_t i = piece * j->blocks_a_piece;
    int64_t end = i + j->blocks_a_piece < j->blocks ? i + j->blocks_a_piece : j->blocks;
    for (; i < end; i++)
        if (j->stride == 1)
            softmax_row(j, i);
        else
            softmax_columns(j, i);
}

static void softmax_piece(void *job, int64_t piece, int worker)
{
    (void)worker;
    softmax_piece_any(job, piece);
}

LGI_AVX2_CODE static void softmax_piece_avx2(void *job, int64_t piece, int worker)
{
    (void)worker;
    softmax_piece_any(job, piece);
}

LGI_AVX512_CODE static void softmax_piece_avx512(void *job, int64_t piece, int worker)
{
    (void)worker;
    softmax_piece_any(job, piece);
}

/* The way back: of softmax y (g - sum(g y)), of its logarithm g - exp(y) sum(g). */

LGI_ALWAYS_INLINE double sum_of_back(const lg_real *y, const lg_real *g, int64_t n,
                                     const bool soft, const bool odd)
{
    double lane[SOFTMAX_LANES] = {0};
    int64_t i = 0;
    for (; i + SOFTMAX_LANES <= n; i += SOFTMAX_LANES)
        for (int l = 0; l < SOFTMAX_LANES; l++)
            lane[l] += soft ? (double)(g[i + l] * y[i + l]) : (double)g[i + l];
    for (int l = 0; odd && i + l < n; l++)
        lane[l] += soft ? (double)(g[i + l] * y[i + l]) : (double)g[i + l];
    return sum_of_lanes(lane);
}

LGI_ALWAYS_INLINE void softmax_back_row(const softmax_job *j, int64_t row)
{
    const lg_real *y = j->x + row * j->size, *g = j->g + row * j->size;
    lg_real *restrict to = j->y + row * j->size;
    const bool soft = j->kind == LGI_SOFTMAX;
    const lg_real total = (lg_real)(
        j->size % SOFTMAX_LANES ? sum_of_back(y, g, j->size, soft, true)
        : soft                  ? sum_of_back(y, g, j->size, true, false)
                                : sum_of_back(y, g, j->size, false, false));
    int64_t i;
    if (soft)
        for (i = 0; i < j->size; i++)
            to[i] = y[i] * (g[i] - total);
    else
        for (i = 0; i < j->size; i++)
            to[i] = g[i] - lgi_exp(y[i]) * total;
}

LGI_ALWAYS_INLINE void softmax_back_columns(const softmax_job *j, int64_t block)
{
    int64_t row = block / j->a_row, first = block % j->a_row * SOFTMAX_WIDTH;
    int64_t n = j->stride - first < SOFTMAX_WIDTH ? j->stride - first : SOFTMAX_WIDTH;
    const bool soft = j->kind == LGI_SOFTMAX;
    double sum[SOFTMAX_WIDTH] = {0};
    int64_t at = row * j->size * j->stride + first;
    for (int64_t i = 0; i < j->size; i++) {
        const lg_real *y = j->x + at + i * j->stride, *g = j->g + at + i * j->stride;
        for (int64_t k = 0; k < n; k++)
            sum[k] += soft ? (double)(g[k] * y[k]) : (double)g[k];
    }
    for (int64_t i = 0; i < j->size; i++, at += j->stride)
        for (int64_t k = 0; k < n; k++) {
            lg_real y = j->x[at + k], g = j->g[at + k], total = (lg_real)sum[k];
            j->y[at + k] = soft ? y * (g - total) : g - lgi_exp(y) * total;
        }
}

LGI_ALWAYS_INLINE void softmax_back_piece_any(const softmax_job *j, int64_t piece)
{
    int64_t i = piece * j->blocks_a_piece;
    int64_t end = i + j->blocks_a_piece < j->blocks ? i + j->blocks_a_piece : j->blocks;
    for (; i < end; i++)
        if (j->stride == 1)
            softmax_back_row(j, i);
        else
            softmax_back_columns(j, i);
}

static void softmax_back_piece(void *job, int64_t piece, int worker)
{
    softmax_back_piece_any(job, piece);
}

LGI_AVX2_CODE static void softmax_back_piece_avx2(void *job, int64_t piece, int worker)
{
    softmax_back_piece_any(job, piece);
}

LGI_AVX512_CODE static void softmax_back_piece_avx512(void *job, int64_t piece,
                                                      int worker)
{
    softmax_back_piece_any(job, piece);
}

/* Blocks of columns, or where stride is 1 of rows. */
static int64_t cut_softmax(softmax_job *j, int64_t outer)
{
    int64_t width = j->stride < SOFTMAX_WIDTH ? j->stride : SOFTMAX_WIDTH;
    j->a_row = (j->stride + width - 1) / width;
    j->blocks = outer * j->a_row;
    j->blocks_a_piece = SOFTMAX_PIECE / (j->size * width) + 1;
    return (j->blocks + j->blocks_a_piece - 1) / j->blocks_a_piece;
}

void lgi_softmax(lg_engine *E, lgi_softmax_kind kind, const lg_real *x, lg_real *y,
                 int64_t outer, int64_t size, int64_t stride)
{
    softmax_job j = {.kind = kind, .x = x, .y = y, .size = size, .stride = stride};
    lgi_parallel(E, cut_softmax(&j, outer), LGI_WIDEST(E, softmax_piece), &j);
}

void lgi_softmax_back(lg_engine *E, lgi_softmax_kind kind, const lg_real *g,
                      const lg_real *y, lg_real *to, int64_t outer, int64_t size,
                      int64_t stride)
{
    softmax_job j = {.kind = kind, .x = y, .y = to, .g = g, .size = size,
                     .stride = stride};
    lgi_parallel(E, cut_softmax(&j, outer), LGI_WIDEST(E, softmax_back_piece), &j);
}
