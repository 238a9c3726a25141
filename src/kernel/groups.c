/*
 * groups.c - sums over the samples of what was normalized in groups.
 *
 * A block is some channels of one group, so that each sample has one mean for it, or one
 * channel with many numbers. It has a row of sums, in double, to which the samples' rows
 * are added in order; the numbers of a channel are added up at last.
 */
#include "kernel/groups.h"

#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/elementwise.h"

enum { GROUPS_WIDTH = 256, GROUPS_PIECE = 1 << 15 };

typedef struct groups_job {
    lgi_groups s;
    const lg_real *g, *x, *mean, *rstd;
    lg_real *dw, *db;
    int64_t channels, blocks;          /* of a block; of a group */
    int64_t units, units_a_piece;
} groups_job;

LGI_ALWAYS_INLINE void add_products(const lg_real *g, const lg_real *x, lg_real mean,
                                    lg_real rstd, int64_t n, double *restrict w,
                                    double *restrict b)
{
    for (int64_t i = 0; i < n; i++) {
        w[i] += (double)(g[i] * ((x[i] - mean) * rstd));
        b[i] += (double)g[i];
    }
}

/* Sums over from .. from + n of the numbers of a channel. */
LGI_ALWAYS_INLINE lg_real sum_of_row(const double *row, int64_t n)
{
    double lane[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int l = 0; l < 8; l++)
            lane[l] += row[i + l];
    for (int l = 0; i + l < n; l++)
        lane[l] += row[i + l];
    return (lg_real)(((lane[0] + lane[4]) + (lane[2] + lane[6]))
                     + ((lane[1] + lane[5]) + (lane[3] + lane[7])));
}

LGI_ALWAYS_INLINE void groups_unit(const groups_job *j, int64_t unit)
{
    const lgi_groups s = j->s;
    double w[GROUPS_WIDTH] = {0}, b[GROUPS_WIDTH] = {0};
    int64_t group = unit / j->blocks, first = unit % j->blocks * j->channels;
    int64_t channels = s.per - first < j->channels ? s.per - first : j->channels;
    int64_t width = channels * s.rest;
    for (int64_t n = 0; n < s.n; n++) {
        int64_t k = n * s.groups + group, at = (k * s.per + first) * s.rest;
        for (int64_t i = 0; i < width; i += GROUPS_WIDTH)
            add_products(j->g + at + i, j->x + at + i, j->mean[k], j->rstd[k],
                         width - i < GROUPS_WIDTH ? width - i : GROUPS_WIDTH, w, b);
    }
    int64_t each = s.rest < GROUPS_WIDTH ? s.rest : GROUPS_WIDTH;
    lg_real *dw = j->dw + group * s.per + first, *db = j->db + group * s.per + first;
    if (each == 1)
        for (int64_t c = 0; c < channels; c++)
            dw[c] = (lg_real)w[c], db[c] = (lg_real)b[c];
    else
        for (int64_t c = 0; c < channels; c++) {
            dw[c] = sum_of_row(w + c * each, each);
            db[c] = sum_of_row(b + c * each, each);
        }
}

LGI_ALWAYS_INLINE void groups_piece_any(const groups_job *j, int64_t piece)
{
    int64_t end = (piece + 1) * j->units_a_piece;
    for (int64_t u = piece * j->units_a_piece; u < end && u < j->units; u++)
        groups_unit(j, u);
}

static void groups_piece(void *job, int64_t piece, int worker)
{
    groups_piece_any(job, piece);
}

LGI_AVX2_CODE static void groups_piece_avx2(void *job, int64_t piece, int worker)
{
    groups_piece_any(job, piece);
}

LGI_AVX512_CODE static void groups_piece_avx512(void *job, int64_t piece, int worker)
{
    groups_piece_any(job, piece);
}

void lgi_group_weights(lg_engine *E, const lgi_groups *s, const lg_real *g,
                       const lg_real *x, const lg_real *mean, const lg_real *rstd,
                       lg_real *dw, lg_real *db)
{
    groups_job j = {.s = *s, .g = g, .x = x, .mean = mean, .rstd = rstd, .dw = dw,
                    .db = db};
    int64_t some = s->rest < GROUPS_WIDTH ? GROUPS_WIDTH / (s->rest ? s->rest : 1) : 1;
    j.channels = some < s->per ? some : s->per;
    j.blocks = j.channels ? (s->per + j.channels - 1) / j.channels : 0;
    j.units = s->groups * j.blocks;
    int64_t work = s->n * j.channels * s->rest + 64;
    j.units_a_piece = work < GROUPS_PIECE ? GROUPS_PIECE / work : 1;
    lgi_parallel(E, (j.units + j.units_a_piece - 1) / j.units_a_piece,
                 LGI_WIDEST(E, groups_piece), &j);
}
