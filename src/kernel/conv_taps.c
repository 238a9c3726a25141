/* conv_taps.c - w shared out among the phases of x, with its channels exchanged. */
#include "base/cpu.h"
#include "base/pool.h"
#include "kernel/conv_forms.h"
#include "kernel/tile.h"

#if defined(__x86_64__) && !defined(LG_DOUBLE)
#define TAPS_512
#include <immintrin.h>
#endif

enum { TAPS_CHANNELS = 8 };            /* fewest of x whose weights are shared out */
enum { TAPS_MOST = 32, TAPS_RUNS = 16 };       /* that vectors are made for */

/* Up to 16 taps that follow one another in a phase: which of w's, and their place. */
typedef struct tap_run {
    int32_t from[16];
    int n;
    lgi_tap_place to;
} tap_run;

typedef struct taps_job {
    const lgi_conv *v;
    const lg_real *w;
    lg_real *to;
    const lgi_tap_place *place;
    const tap_run *run;
    int runs;
    int64_t per_piece;                 /* channels of x */
} taps_job;

/* Which channels of x a piece has. */
static int64_t end_of_taps(const taps_job *job, int64_t piece)
{
    int64_t end = (piece + 1) * job->per_piece;
    return end < job->v->c ? end : job->v->c;
}

static void taps_piece(void *arg, int64_t piece, int worker)
{
    const taps_job *job = arg;
    const lgi_conv *v = job->v;
    int64_t og = v->out / v->groups, cg = v->c / v->groups, taps = v->kh * v->kw;
    int64_t end = end_of_taps(job, piece);
    for (int64_t o = 0; o < og; o++)
        for (int64_t c = piece * job->per_piece; c < end; c++) {
            const lg_real *from = job->w + ((c / cg * og + o) * cg + c % cg) * taps;
            for (int64_t k = 0; k < taps; k++)
                if (job->place[k].at >= 0)
                    job->to[job->place[k].at + (c * og + o) * job->place[k].step] =
                        from[k];
        }
}

#ifdef TAPS_512
/* The taps in the order of their places, as runs. */
static int find_tap_runs(const lgi_tap_place *place, int taps, tap_run *run)
{
    int runs = 0;
    for (int k = 0; k < taps; k++) {
        int r = 0;
        if (place[k].at < 0)
            continue;
        while (r < runs && (run[r].n == 16 || run[r].to.at + run[r].n != place[k].at
                            || run[r].to.step != place[k].step))
            r++;
        if (r == TAPS_RUNS)
            return 0;
        if (r == runs)
            run[runs++] = (tap_run){.to = place[k]};
        run[r].from[run[r].n++] = k;
    }
    return runs;
}

__attribute__((target("avx512f")))
static void taps_piece_512(void *arg, int64_t piece, int worker)
{
    const taps_job *job = arg;
    const lgi_conv *v = job->v;
    int64_t og = v->out / v->groups, cg = v->c / v->groups, taps = v->kh * v->kw;
    int64_t end = end_of_taps(job, piece);
    const __mmask16 low = (__mmask16)(taps < 16 ? (1u << taps) - 1 : 0xffff);
    const __mmask16 high = (__mmask16)(taps > 16 ? (1u << (taps - 16)) - 1 : 0);
    for (int64_t o = 0; o < og; o++)
        for (int64_t c = piece * job->per_piece; c < end; c++) {
            const lg_real *from = job->w + ((c / cg * og + o) * cg + c % cg) * taps;
            __m512 a = _mm512_maskz_loadu_ps(low, from);
            __m512 b = high ? _mm512_maskz_loadu_ps(high, from + 16) : a;
            for (const tap_run *r = job->run; r < job->run + job->runs; r++) {
                __m512i which = _mm512_loadu_si512(r->from);
                __mmask16 mask = (__mmask16)((1u << r->n) - 1);
                _mm512_mask_storeu_ps(job->to + r->to.at + (c * og + o) * r->to.step,
                                      mask, _mm512_permutex2var_ps(a, which, b));
            }
        }
}
#endif

void lgi_share_taps(lg_engine *E, const lgi_conv *v, const lg_real *w,
                    const lgi_tap_place *place, lg_real *to)
{
    taps_job job = {.v = v, .w = w, .to = to, .place = place};
    int64_t work = v->out / v->groups * v->kh * v->kw * 8 + 1;
    int64_t most = lgi_units_per_piece(v->c, work);
    lgi_piece *task = taps_piece;
#ifdef TAPS_512
    tap_run run[TAPS_RUNS];
    if (E->cpu >= LGI_AVX512 && v->kh * v->kw <= TAPS_MOST) {
        job.run = run;
        job.runs = find_tap_runs(place, (int)(v->kh * v->kw), run);
        task = job.runs ? taps_piece_512 : task;
    }
#endif
    job.per_piece = most > TAPS_CHANNELS ? most : TAPS_CHANNELS;
    lgi_parallel(E, (v->c + job.per_piece - 1) / job.per_piece, task, &job);
}
