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

enum { SOFTMAX_PIECE = 1 << 13, SOFTMAX_WIDTH = 128, SOFTMAX_LANES = 8 };

typedef struct softmax_job {
    lgi_softmax_kind kind;
    const lg_real *x;
    lg_real *y;
    int64_t size, stride;              /* of the axis */
    int64_t blocks;                    /* of columns; where stride is 1, rows */
    int64_t a_row;                     /* blocks in one row of columns */
    int64_t blocks_a_piece;
} softmax_job;

LGI_ALWAYS_INLINE lg_real finite_or_0(lg_real top)
{
    return top > -INFINITY && top < INFINITY ? top : 0;        /* never inf - inf */
}

LGI_ALWAYS_INLINE lg_real row_top(const lg_real *x, int64_t n)
{
    lg_real lane[SOFTMAX_LANES], top = -INFINITY;
    for (int k = 0; k < SOFTMAX_LANES; k++)
        lane[k] = -INFINITY;
    for (int64_t i = 0; i + SOFTMAX_LANES <= n; i += SOFTMAX_LANES)
        for (int k = 0; k < SOFTMAX_LANES; k++)
            lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
    for (int64_t i = n - n % SOFTMAX_LANES; i < n; i++)
        top = x[i] > top ? x[i] : top;
    for (int k = 0; k < SOFTMAX_LANES; k++)
        top = lane[k] > top ? lane[k] : top;
    return finite_or_0(top);
}

/* The exponentials go through a small block, and to to, unless it is NULL. */
LGI_ALWAYS_INLINE double sum_of_exp(const lg_real *x, lg_real top, lg_real *to, int64_t n)
{
    double lane[SOFTMAX_LANES] = {0}, sum = 0;
    for (int64_t i = 0; i < n; i += SOFTMAX_WIDTH) {
        lg_real e[SOFTMAX_WIDTH];
        int64_t m = n - i < SOFTMAX_WIDTH ? n - i : SOFTMAX_WIDTH;
        for (int64_t k = 0; k < m; k++)
            e[k] = lgi_exp(x[i + k] - top);
        for (int64_t k = 0; to && k < m; k++)
            to[i + k] = e[k];
        for (int64_t k = m; k % SOFTMAX_LANES; k++)
            e[k] = 0;
        for (int64_t k = 0; k < m; k += SOFTMAX_LANES)
            for (int l = 0; l < SOFTMAX_LANES; l++)
                lane[l] += (double)e[k + l];
    }
    for (int l = 0; l < SOFTMAX_LANES; l++)
        sum += lane[l];
    return sum;
}

LGI_ALWAYS_INLINE void softmax_row(const softmax_job *j, int64_t row)
{
    const lg_real *x = j->x + row * j->size, top = row_top(x, j->size);
    lg_real *y = j->kind == LGI_LOGSUMEXP ? NULL : j->y + row * j->size;
    double sum = sum_of_exp(x, top, j->kind == LGI_SOFTMAX ? y : NULL, j->size);
    const lg_real over = (lg_real)(1 / sum), log_sum = (lg_real)log(sum);
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
        log_sum[k] = (lg_real)log(sum[k]);
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

void lgi_softmax(lg_engine *E, lgi_softmax_kind kind, const lg_real *x, lg_real *y,
                 int64_t outer, int64_t size, int64_t stride)
{
    softmax_job j = {.kind = kind, .x = x, .y = y, .size = size, .stride = stride};
    int64_t width = stride < SOFTMAX_WIDTH ? stride : SOFTMAX_WIDTH;
    j.a_row = (stride + width - 1) / width;
    j.blocks = outer * j.a_row;
    j.blocks_a_piece = SOFTMAX_PIECE / (size * width) + 1;
    lgi_parallel(E, (j.blocks + j.blocks_a_piece - 1) / j.blocks_a_piece,
                 LGI_WIDEST(E, softmax_piece), &j);
}
