/* average.c - a tensor moved toward another one: one pass over memory. */
#include "base/cpu.h"
#include "base/memory.h"
#include "base/pool.h"
#include "tensor/tensor.h"

#include <string.h>

enum { AVERAGE_PIECE = 1 << 14 };      /* elements */

typedef struct average_job {
    lg_real *to;
    const lg_real *from;
    int64_t n;
    lg_real kept;
    bool wide;
    bool *done;                        /* is each piece? */
} average_job;

LGI_ALWAYS_INLINE void average_run(lg_real *restrict to, const lg_real *restrict from,
                                   int64_t n, lg_real kept)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = from[i] + (to[i] - from[i]) * kept;
}

LGI_AVX2_CODE static void average_run_avx2(lg_real *restrict to,
                                           const lg_real *restrict from, int64_t n,
                                           lg_real kept)
{
    average_run(to, from, n, kept);
}

static void average_piece(void *job, int64_t piece, int worker)
{
    const average_job *j = job;
    int64_t at = piece * AVERAGE_PIECE, left = j->n - at;
    int64_t n = left < AVERAGE_PIECE ? left : AVERAGE_PIECE;
    (void)worker;
    j->done[piece] = true;
    if (j->kept == 0)                  /* whatever was there: it may be NaN */
        memmove(j->to + at, j->from + at, (size_t)n * sizeof *j->to);
    else if (j->wide)
        average_run_avx2(j->to + at, j->from + at, n, j->kept);
    else
        average_run(j->to + at, j->from + at, n, j->kept);
}

lg_status lgi_average(lg_engine *E, lg_tensor *to, const lg_tensor *from, double kept)
{
    int64_t pieces = (to->numel + AVERAGE_PIECE - 1) / AVERAGE_PIECE;
    if (E->status < 0)
        return E->status;
    if (!lgi_same_dims(to, from))
        return lgi_fail(E, LG_ESHAPE, "average: the target is %s and the source %s; the "
                        "shapes must be the same", LGI_SHAPE(to), LGI_SHAPE(from));
    bool *done = lgi_alloc0(E, (size_t)pieces);
    average_job job = {to->data, from->data, to->numel, (lg_real)kept,
                       E->cpu >= LGI_AVX2, done};
    if (!done)
        return E->status;
    lgi_parallel(E, pieces, average_piece, &job);
    for (int64_t k = 0; k < pieces; k++)       /* an interrupt skips pieces */
        if (!done[k])
            average_piece(&job, k, 0);
    lgi_free(E, done, (size_t)pieces);
    to->buffer->version++;
    return LG_OK;
}
