/*
 * channels.c - the loops of normalization.
 *
 * Two layouts, as in reduce.c: where inner is 1, neighbors in memory are neighboring
 * channels, and rows are added to a row of sums; else a channel's runs are added to
 * lanes. Few channels with many numbers are cut along n, and the parts added in order.
 *
 * A normalization reads all numbers twice, first for sums. Where some channels fit into
 * the second-level cache, they are finished one such block after the other, so that
 * memory is read once.
 */
#include "kernel/channels.h"

#include "base/pool.h"
#include "kernel/after.h"
#include "kernel/elementwise.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum {
    CHANNEL_PIECE = 1 << 15,           /* numbers read by a piece */
    CHANNEL_WIDTH = 256,               /* channels of a row of sums */
    CHANNEL_MANY = 64,                 /* so many blocks of channels need no slices */
    CHANNEL_RUN = 512,                 /* numbers read in order, at least */
    CHANNEL_CACHED = 1 << 20,          /* bytes that the second level keeps */
    CHANNEL_BLOCKS = 8                 /* so many blocks keep the threads busy */
};

/* name_any as a piece for each kernel set. */
#define CHANNEL_PIECES(name)                                                            \
    static void name##_plain(void *job, int64_t piece, int worker)                      \
    {                                                                                   \
        (void)worker;                                                                   \
        name##_any(job, piece);                                                         \
    }                                                                                   \
    LGI_AVX2_CODE static void name##_avx2(void *job, int64_t piece, int worker)         \
    {                                                                                   \
        (void)worker;                                                                   \
        name##_any(job, piece);                                                         \
    }                                                                                   \
    LGI_AVX512_CODE static void name##_avx512(void *job, int64_t piece, int worker)     \
    {                                                                                   \
        (void)worker;                                                                   \
        name##_any(job, piece);                                                         \
    }                                                                                   \
    static lgi_piece *name##_of(const lg_engine *E)                                     \
    {                                                                                   \
        return E->cpu >= LGI_AVX512 ? name##_avx512                                     \
               : E->cpu >= LGI_AVX2 ? name##_avx2 : name##_plain;                       \
    }

typedef struct sums_job sums_job;

/* The sums of u - su and of (u - su) (x - sx) of a channel over from .. end of n. */
typedef void channel_sum_of(const sums_job *j, int64_t k, int64_t from, int64_t end,
                            double *total, double *of_products);

struct sums_job {
    lgi_channels s;
    const lg_real *u, *x;
    const double *su, *sx;             /* su may be NULL: 0 */
    int64_t width, blocks;             /* channels of a piece */
    int64_t slice, slices;             /* of n */
    double *partial;                   /* slices, 2, c */
    channel_sum_of *sum;
};

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

/* Sums in lanes, and of what is left over. */
typedef double channel_vector __attribute__((vector_size(32)));
typedef lg_real channel_reals __attribute__((vector_size(4 * sizeof(lg_real))));

typedef struct channel_lanes {
    channel_vector sum[4], product[4];
    double rest, rest_product;
} channel_lanes;

#define CHANNEL_LOAD(v, from)                                                           \
    do {                                                                                \
        channel_reals reals;                                                            \
        memcpy(&reals, from, sizeof reals);                                             \
        v = __builtin_convertvector(reals, channel_vector);                             \
    } while (0)

/* both: u and x are the same. */
#define CHANNEL_ADD(t, i, u, su, x, sx)                                                 \
    do {                                                                                \
        channel_vector d, e;                                                            \
        CHANNEL_LOAD(d, u);                                                             \
        d -= su;                                                                        \
        if (both) {                                                                     \
            e = d;                                                                      \
        } else {                                                                        \
            CHANNEL_LOAD(e, x);                                                         \
            e -= sx;                                                                    \
        }                                                                               \
        (t)->sum[i] += d;                                                               \
        (t)->product[i] += d * e;                                                       \
    } while (0)

LGI_ALWAYS_INLINE void add_run(channel_lanes *t, const lg_real *u, double su,
                               const lg_real *x, double sx, int64_t n,
                               const bool both)
{
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        CHANNEL_ADD(t, 0, u + i, su, x + i, sx);
        CHANNEL_ADD(t, 1, u + i + 4, su, x + i + 4, sx);
        CHANNEL_ADD(t, 2, u + i + 8, su, x + i + 8, sx);
        CHANNEL_ADD(t, 3, u + i + 12, su, x + i + 12, sx);
    }
    for (; i + 4 <= n; i += 4)
        CHANNEL_ADD(t, 0, u + i, su, x + i, sx);
    for (; i < n; i++) {
        double d = (double)u[i] - su;
        t->rest += d;
        t->rest_product += d * ((double)x[i] - sx);
    }
}

LGI_ALWAYS_INLINE double add_lanes(const channel_vector l[4], double rest)
{
    channel_vector v = (l[0] + l[2]) + (l[1] + l[3]);
    return rest + ((v[0] + v[2]) + (v[1] + v[3]));
}

LGI_ALWAYS_INLINE void sum_runs(const sums_job *j, int64_t k, int64_t from, int64_t end,
                                double *total, double *of_products, const bool both)
{
    int64_t step = j->s.c * j->s.inner;
    channel_lanes t = {0};
    double su = j->su ? j->su[k] : 0, sx = j->sx[k];
    for (int64_t i = from; i < end; i++) {
        int64_t at = i * step + k * j->s.inner;
        add_run(&t, j->u + at, su, j->x + at, sx, j->s.inner, both);
    }
    *total = add_lanes(t.sum, t.rest);
    *of_products = add_lanes(t.product, t.rest_product);
}

LGI_ALWAYS_INLINE void sum_channel_any(const sums_job *j, int64_t k, int64_t from,
                                       int64_t end, double *total, double *of_products)
{
    if (j->u == j->x && j->su == j->sx)
        sum_runs(j, k, from, end, total, of_products, true);
    else
        sum_runs(j, k, from, end, total, of_products, false);
}

static void sum_channel(const sums_job *j, int64_t k, int64_t from, int64_t end,
                        double *total, double *of_products)
{
    sum_channel_any(j, k, from, end, total, of_products);
}

LGI_AVX2_CODE static void sum_channel_avx2(const sums_job *j, int64_t k, int64_t from,
                                           int64_t end, double *total,
                                           double *of_products)
{
    sum_channel_any(j, k, from, end, total, of_products);
}

#if defined(__x86_64__) && !defined(LG_DOUBLE)

/* Of eight numbers, those that the mask has. */
#define CHANNEL_LOAD_512(mask, from)                                                    \
    _mm512_maskz_cvtps_pd(mask, _mm256_maskz_loadu_ps(mask, from))
#define CHANNEL_ADD_512(i, mask, u, x)                                                  \
    do {                                                                                \
        __m512d d = _mm512_maskz_sub_pd(mask, CHANNEL_LOAD_512(mask, u), su);           \
        __m512d e = both ? d : _mm512_sub_pd(CHANNEL_LOAD_512(mask, x), sx);            \
        sum[i] = _mm512_add_pd(sum[i], d);                                              \
        product[i] = _mm512_mask3_fmadd_pd(d, e, product[i], mask);                     \
    } while (0)

LGI_AVX512_CODE __attribute__((always_inline))
static inline void sum_runs_512(const sums_job *j, int64_t k, int64_t from, int64_t end,
                                double *total, double *of_products, const bool both)
{
    int64_t step = j->s.c * j->s.inner, n = j->s.inner, whole = n - n % 16;
    const lg_real *u = j->u + from * step + k * n, *x = j->x + from * step + k * n;
    __m512d sum[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()};
    __m512d product[2] = {sum[0], sum[0]};
    __m512d su = _mm512_set1_pd(j->su ? j->su[k] : 0), sx = _mm512_set1_pd(j->sx[k]);
    unsigned rest = (1u << (n - whole)) - 1;
    __mmask8 low = (__mmask8)rest, high = (__mmask8)(rest >> 8);
    for (int64_t i = from; i < end; i++, u += step, x += step) {
        for (int64_t at = 0; at < whole; at += 16) {
            CHANNEL_ADD_512(0, 255, u + at, x + at);
            CHANNEL_ADD_512(1, 255, u + at + 8, x + at + 8);
        }
        if (low)
            CHANNEL_ADD_512(0, low, u + whole, x + whole);
        if (high)
            CHANNEL_ADD_512(1, high, u + whole + 8, x + whole + 8);
    }
    *total = _mm512_reduce_add_pd(_mm512_add_pd(sum[0], sum[1]));
    *of_products = _mm512_reduce_add_pd(_mm512_add_pd(product[0], product[1]));
}

LGI_AVX512_CODE static void sum_channel_avx512(const sums_job *j, int64_t k, int64_t from,
                                           int64_t end, double *total,
                                           double *of_products)
{
    if (j->u == j->x && j->su == j->sx)
        sum_runs_512(j, k, from, end, total, of_products, true);
    else
        sum_runs_512(j, k, from, end, total, of_products, false);
}

#else
#define sum_channel_avx512 sum_channel_avx2
#endif

static channel_sum_of *widest_sum(const lg_engine *E)
{
    return E->cpu >= LGI_AVX512 ? sum_channel_avx512
           : E->cpu >= LGI_AVX2 ? sum_channel_avx2 : sum_channel;
}

/* Channels first .. first + n - 1, where inner is 1. */
LGI_ALWAYS_INLINE void sum_columns(const sums_job *j, int64_t first, int64_t n,
                                   int64_t from, int64_t end, double *total,
                                   double *of_products)
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
    memcpy(total, sum, (size_t)n * sizeof *sum);
    memcpy(of_products, product, (size_t)n * sizeof *product);
}

/* Those of channels first .. first + n - 1 over from .. end. */
LGI_ALWAYS_INLINE void sum_block(const sums_job *j, int64_t first, int64_t n,
                                 int64_t from, int64_t end, double *total,
                                 double *of_products)
{
    if (j->s.inner == 1)
        sum_columns(j, first, n, from, end, total, of_products);
    else
        for (int64_t k = 0; k < n; k++)
            j->sum(j, first + k, from, end, &total[k], &of_products[k]);
}

LGI_ALWAYS_INLINE void sums_piece_any(void *job, int64_t piece)
{
    const sums_job *j = job;
    int64_t slice = piece % j->slices, first = piece / j->slices * j->width;
    int64_t n = j->s.c - first < j->width ? j->s.c - first : j->width;
    int64_t from = slice * j->slice;
    int64_t end = from + j->slice < j->s.n ? from + j->slice : j->s.n;
    double *out = j->partial + slice * 2 * j->s.c + first;
    sum_block(j, first, n, from, end, out, out + j->s.c);
}

CHANNEL_PIECES(sums_piece)

int64_t lgi_channel_scratch(lgi_channels s)
{
    sums_job j = {.s = s};
    cut_sums(&j);
    return 2 * s.c * j.slices;
}

/* At the beginning of scratch c of the first, then c of the second. */
static void channel_sums(lg_engine *E, lgi_channels s, const lg_real *u, const double *su,
                         const lg_real *x, const double *sx, double *scratch)
{
    sums_job j = {.s = s, .u = u, .su = su, .x = x, .sx = sx, .partial = scratch,
                  .sum = widest_sum(E)};
    cut_sums(&j);
    lgi_parallel(E, j.blocks * j.slices, sums_piece_of(E), &j);
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
    channel_sums(E, s, x, shift, x, shift, scratch);
    for (int64_t k = 0; k < s.c; k++) {
        double d = scratch[k] / m, v = scratch[s.c + k] / m - d * d;
        scratch[k] = shift[k] + d;
        scratch[s.c + k] = v < 0 ? 0 : v;
    }
}

/* What the numbers of channels become. */
typedef struct channel_job {
    lgi_channels s;
    lgi_channel_map m;
    const lg_real *u, *x;
    lg_real *y;
    const lgi_after *after;            /* of y; NULL: nothing */
    int64_t rows, rows_a_piece;        /* of inner numbers, or of c where inner is 1 */
} channel_job;

LGI_ALWAYS_INLINE void map_run(const channel_job *j, int64_t row, int64_t k)
{
    int64_t at = row * j->s.inner, n = j->s.inner;
    const lg_real *u = j->u ? j->u + at : NULL, *x = j->x + at;
    const lg_real b = j->m.b[k], c = j->m.c[k], mean = j->m.mean[k];
    lg_real *y = j->y + at;            /* may be u */
    if (u) {
        const lg_real a = j->m.a[k];
        LGI_EACH_APART
        for (int64_t i = 0; i < n; i++)
            y[i] = a * u[i] + (b * (x[i] - mean) + c);
    } else {
        LGI_EACH_APART
        for (int64_t i = 0; i < n; i++)
            y[i] = b * (x[i] - mean) + c;
    }
}

/* Channels first .. first + n - 1 of a row. */
LGI_ALWAYS_INLINE void map_columns(const channel_job *j, int64_t row, int64_t first,
                                   int64_t n)
{
    int64_t at = row * j->s.c + first;
    const lg_real *u = j->u ? j->u + at : NULL, *x = j->x + at;
    const lg_real *a = j->m.a + (j->u ? first : 0), *b = j->m.b + first;
    const lg_real *c = j->m.c + first, *mean = j->m.mean + first;
    lg_real *y = j->y + at;
    if (u)
        LGI_EACH_APART
        for (int64_t k = 0; k < n; k++)
            y[k] = a[k] * u[k] + (b[k] * (x[k] - mean[k]) + c[k]);
    else
        LGI_EACH_APART
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
            map_columns(j, i, 0, j->s.c);
        else
            map_run(j, i, i % j->s.c);
}

CHANNEL_PIECES(channel_piece)

static void map_channels(lg_engine *E, channel_job *j)
{
    int64_t row = j->s.inner == 1 ? j->s.c : j->s.inner;
    j->rows = j->s.inner == 1 ? j->s.n : j->s.n * j->s.c;
    if (row == 0 || j->rows == 0)
        return;
    j->rows_a_piece = row < CHANNEL_PIECE ? CHANNEL_PIECE / row : 1;
    lgi_parallel(E, (j->rows + j->rows_a_piece - 1) / j->rows_a_piece,
                 channel_piece_of(E), j);
}

void lgi_map_channels(lg_engine *E, lgi_channels s, const lgi_channel_map *m,
                      const lg_real *x, lg_real *y)
{
    map_channels(E, &(channel_job){.s = s, .m = *m, .x = x, .y = y});
}

/* Both, a block of channels after the other. */
typedef struct norm_job {
    sums_job sums;                     /* its width and blocks are those of here */
    channel_job map;
    lgi_channel_rule *rule;
    const void *p;
} norm_job;

/* False: channels are too large, or there are too few of them. */
static bool cut_blocks(norm_job *j)
{
    sums_job *t = &j->sums;
    int64_t each = t->s.n * t->s.inner, all = each * t->s.c;
    int64_t bytes = each * (j->map.u ? 2 : 1) * (int64_t)sizeof(lg_real);
    int64_t most = CHANNEL_CACHED / bytes, least = CHANNEL_RUN / t->s.inner;
    t->width = each < CHANNEL_PIECE ? CHANNEL_PIECE / each : 1;
    t->width = t->width < least ? least : t->width;
    t->width = t->width > most ? most : t->width;
    t->width = t->width > CHANNEL_WIDTH ? CHANNEL_WIDTH : t->width;
    if (t->width * t->s.inner < 16)    /* less than a line of the cache */
        return false;
    t->blocks = (t->s.c + t->width - 1) / t->width;
    return t->blocks >= CHANNEL_BLOCKS || all < CHANNEL_BLOCKS * CHANNEL_PIECE;
}

LGI_ALWAYS_INLINE void norm_piece_any(void *job, int64_t piece)
{
    const norm_job *j = job;
    const lgi_channels s = j->sums.s;
    int64_t first = piece * j->sums.width;
    int64_t n = s.c - first < j->sums.width ? s.c - first : j->sums.width;
    double sum[CHANNEL_WIDTH], product[CHANNEL_WIDTH];

    sum_block(&j->sums, first, n, 0, s.n, sum, product);
    for (int64_t k = 0; k < n; k++)
        j->rule(j->p, first + k, j->sums.sx[first + k], sum[k], product[k]);
    for (int64_t i = 0; i < s.n; i++) {
        if (s.inner == 1)
            map_columns(&j->map, i, first, n);
        else
            for (int64_t k = first; k < first + n; k++)
                map_run(&j->map, i * s.c + k, k);
        lgi_run_after(j->map.after, j->map.y + (i * s.c + first) * s.inner, n * s.inner);
    }
}

CHANNEL_PIECES(norm_piece)

void lgi_normalize_channels(lg_engine *E, lgi_channels s, const lg_real *u,
                            const lg_real *x, lg_real *y, const lgi_channel_map *m,
                            lgi_channel_rule *rule, const void *p, double *scratch)
{
    double *shift = scratch + lgi_channel_scratch(s);
    norm_job j = {.sums = {.s = s, .u = u ? u : x, .x = x, .sx = shift,
                           .sum = widest_sum(E)},
                  .map = {.s = s, .m = *m, .u = u, .x = x, .y = y},
                  .rule = rule, .p = p};
    if (s.n * s.c * s.inner == 0)
        return;
    for (int64_t k = 0; k < s.c; k++)
        shift[k] = u ? (double)m->mean[k] : (double)x[k * s.inner];
    j.sums.su = u ? NULL : shift;
    if (cut_blocks(&j)) {
        bool fits = s.c * s.inner % LGI_PART == 0
                    && j.sums.width * s.inner % LGI_PART == 0;
        j.map.after = lgi_take_after(E, fits);
        lgi_parallel(E, j.sums.blocks, norm_piece_of(E), &j);
        return;
    }
    channel_sums(E, s, j.sums.u, j.sums.su, x, shift, scratch);
    for (int64_t k = 0; k < s.c; k++)
        rule(p, k, shift[k], scratch[k], scratch[s.c + k]);
    map_channels(E, &j.map);
}
