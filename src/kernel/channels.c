/*
 * channels.c - the loops of normalization.
 *
 * Two layouts, as in reduce.c: where inner is 1, neighbors in memory are neighboring
 * channels, and rows are added to a row of sums; else a channel's runs are added to eight
 * lanes. Few channels with many numbers are cut along n, and the parts added in order.
 */
#include "kernel/channels.h"

#include "base/pool.h"
#include "kernel/elementwise.h"

#include <string.h>

enum {
    CHANNEL_PIECE = 1 << 15,           /* numbers read by a piece */
    CHANNEL_WIDTH = 256,               /* channels of a row of sums */
    CHANNEL_MANY = 64,                 /* so many blocks of channels need no slices */
    CHANNEL_LANES = 8
};

typedef struct sums_job {
    lgi_channels s;
    const lg_real *u, *x;
    const double *su, *sx;
    int64_t width, blocks;             /* channels of a piece */
    int64_t slice, slices;             /* of n */
    double *partial;                   /* slices, 2, c */
} sums_job;

static void cut_sums(sums_job *j)
{
    int64_t each = j->s.n * j->s.inner;        /* numbers of a channel */
    if (j->s.inner == 1)
        j->width = j->s.c < CHANNEL_WIDTH ? j->s.c : CHANNEL_WIDTH;
    else
        j->width = each < CHANNEL_PIECE ? CHANNEL_PIECE / (each + 1) + 1 : 1;
    j->blocks = j->width ? (j->s.c + j->width - 1) / j->width : 0;
    bool few = j->blocks < CHANNEL_MANY && each * j->width >= 2 * CHANNEL_PIECE;
    j->slice = few ? CHANNEL_PIECE / (j->width * j->s.inner) : j->s.n;
    j->slice = j->slice ? j->slice : 1;
    j->slices = j->s.n ? (j->s.n + j->slice - 1) / j->slice : 1;
}

LGI_ALWAYS_INLINE void add_run(double *sum, double *product, const lg_real *u, double su,
                    const lg_real *x, double sx, int64_t n)
{
    int64_t whole = n - n % CHANNEL_LANES;
    for (int64_t i = 0; i < whole; i += CHANNEL_LANES)
        for (int k = 0; k < CHANNEL_LANES; k++) {
            double d = (double)u[i + k] - su;
            sum[k] += d;
            product[k] += d * ((double)x[i + k] - sx);
        }
    for (int64_t i = whole; i < n; i++) {
        double d = (double)u[i] - su;
        sum[i - whole] += d;
        product[i - whole] += d * ((double)x[i] - sx);
    }
}

LGI_ALWAYS_INLINE double add_lanes(const double *l)
{
    return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
}

/* Channel k over from .. end of n. */
LGI_ALWAYS_INLINE void sum_channel(const sums_job *j, int64_t k, int64_t from,
                                   int64_t end, double *out)
{
    int64_t step = j->s.c * j->s.inner;
    double sum[CHANNEL_LANES] = {0}, product[CHANNEL_LANES] = {0};
    double su = j->su ? j->su[k] : 0, sx = j->sx[k];
    for (int64_t i = from; i < end; i++) {
        int64_t at = i * step + k * j->s.inner;
        add_run(sum, product, j->u + at, su, j->x + at, sx, j->s.inner);
    }
    out[k] = add_lanes(sum);
    out[j->s.c + k] = add_lanes(product);
}

/* Channels first .. first + n - 1, where inner is 1. */
LGI_ALWAYS_INLINE void sum_columns(const sums_job *j, int64_t first, int64_t n,
                                   int64_t from, int64_t end, double *out)
{
    double sum[CHANNEL_WIDTH] = {0}, product[CHANNEL_WIDTH] = {0};
    double su[CHANNEL_WIDTH] = {0};
    const double *sx = j->sx + first;
    if (j->su)
        memcpy(su, j->su + first, (size_t)n * sizeof *su);
    for (int64_t i = from; i < end; i++) {
        const lg_real *u = j->u + i * j->s.c + first, *x = j->x + i * j->s.c + first;
        for (int64_t k = 0; k < n; k++) {
            double d = (double)u[k] - su[k];
            sum[k] += d;
            product[k] += d * ((double)x[k] - sx[k]);
        }
    }
    memcpy(out + first, sum, (size_t)n * sizeof *sum);
    memcpy(out + j->s.c + first, product, (size_t)n * sizeof *product);
}

LGI_ALWAYS_INLINE void sums_piece_any(void *job, int64_t piece)
{
    const sums_job *j = job;
    int64_t slice = piece % j->slices, first = piece / j->slices * j->width;
    int64_t n = j->s.c - first < j->width ? j->s.c - first : j->width;
    int64_t from = slice * j->slice;
    int64_t end = from + j->slice < j->s.n ? from + j->slice : j->s.n;
    double *out = j->partial + slice * 2 * j->s.c;

    if (j->s.inner == 1)
        sum_columns(j, first, n, from, end, out);
    else
        for (int64_t k = first; k < first + n; k++)
            sum_channel(j, k, from, end, out);
}

static void sums_piece(void *job, int64_t piece, int worker)
{
    (void)worker;
    sums_piece_any(job, piece);
}

LGI_AVX2_CODE static void sums_piece_avx2(void *job, int64_t piece, int worker)
{
    (void)worker;
    sums_piece_any(job, piece);
}

int64_t lgi_channel_scratch(lgi_channels s)
{
    sums_job j = {.s = s};
    cut_sums(&j);
    return 2 * s.c * j.slices;
}

void lgi_channel_sums(lg_engine *E, lgi_channels s, const lg_real *u, const double *su,
                      const lg_real *x, const double *sx, double *scratch)
{
    sums_job j = {.s = s, .u = u, .su = su, .x = x, .sx = sx, .partial = scratch};
    cut_sums(&j);
    lgi_parallel(E, j.blocks * j.slices, LGI_WIDEST(E, sums_piece), &j);
    for (int64_t i = 1; i < j.slices; i++)
        for (int64_t k = 0; k < 2 * s.c; k++)
            scratch[k] += scratch[i * 2 * s.c + k];
}

/*
 * One pass for both: x is shifted by the first number of its channel, k. Since k is one
 * of the numbers, (k - mean)^2 <= m var: the difference below loses no more than a factor
 * m of double's precision, whatever the mean.
 */
void lgi_channel_moments(lg_engine *E, lgi_channels s, const lg_real *x, double *scratch)
{
    double m = (double)(s.n * s.inner), *shift = scratch + lgi_channel_scratch(s);
    for (int64_t k = 0; k < 2 * s.c; k++)
        scratch[k] = 0;
    if (m == 0)
        return;
    for (int64_t k = 0; k < s.c; k++)
        shift[k] = (double)x[k * s.inner];
    lgi_channel_sums(E, s, x, shift, x, shift, scratch);
    for (int64_t k = 0; k < s.c; k++) {
        double d = scratch[k] / m, v = scratch[s.c + k] / m - d * d;
        scratch[k] = shift[k] + d;
        scratch[s.c + k] = v < 0 ? 0 : v;
    }
}

typedef struct channel_job {
    lgi_channels s;
    lgi_channel_map m;
    const lg_real *u, *x;
    lg_real *y;
    int64_t rows, rows_a_piece;        /* of inner numbers, or of c where inner is 1 */
} channel_job;

LGI_ALWAYS_INLINE void map_run(const channel_job *j, int64_t row)
{
    int64_t k = row % j->s.c, at = row * j->s.inner, n = j->s.inner;
    const lg_real *u = j->u ? j->u + at : NULL, *x = j->x + at;
    const lg_real b = j->m.b[k], c = j->m.c[k], mean = j->m.mean[k];
    lg_real *restrict y = j->y + at;
    if (u) {
        const lg_real a = j->m.a[k];
        for (int64_t i = 0; i < n; i++)
            y[i] = a * u[i] + (b * (x[i] - mean) + c);
    } else {
        for (int64_t i = 0; i < n; i++)
            y[i] = b * (x[i] - mean) + c;
    }
}

LGI_ALWAYS_INLINE void map_columns(const channel_job *j, int64_t row)
{
    int64_t at = row * j->s.c, n = j->s.c;
    const lg_real *u = j->u ? j->u + at : NULL, *x = j->x + at, *mean = j->m.mean;
    const lg_real *a = j->m.a, *b = j->m.b, *c = j->m.c;
    lg_real *restrict y = j->y + at;
    if (u)
        for (int64_t k = 0; k < n; k++)
            y[k] = a[k] * u[k] + (b[k] * (x[k] - mean[k]) + c[k]);
    else
        for (int64_t k = 0; k < n; k++)
            y[k] = b[k] * (x[k] - mean[k]) + c[k];
}

LGI_ALWAYS_INLINE void channel_piece_any(void *job, int64_t piece)
{
    const channel_job *j = job;
    int64_t i = piece * j->rows_a_piece;
    int64_t end = i + j->rows_a_piece < j->rows ? i + j->rows_a_piece : j->rows;
    for (; i < end; i++)
        if (j->s.inner == 1)
            map_columns(j, i);
        else
            map_run(j, i);
}

static void channel_piece(void *job, int64_t piece, int worker)
{
    (void)worker;
    channel_piece_any(job, piece);
}

LGI_AVX2_CODE static void channel_piece_avx2(void *job, int64_t piece, int worker)
{
    (void)worker;
    channel_piece_any(job, piece);
}

void lgi_map_channels(lg_engine *E, lgi_channels s, const lgi_channel_map *m,
                      const lg_real *u, const lg_real *x, lg_real *y)
{
    channel_job j = {.s = s, .m = *m, .u = u, .x = x, .y = y};
    int64_t row = s.inner == 1 ? s.c : s.inner;
    j.rows = s.inner == 1 ? s.n : s.n * s.c;
    if (row == 0 || j.rows == 0)
        return;
    j.rows_a_piece = row < CHANNEL_PIECE ? CHANNEL_PIECE / row : 1;
    lgi_parallel(E, (j.rows + j.rows_a_piece - 1) / j.rows_a_piece,
                 LGI_WIDEST(E, channel_piece), &j);
}
