/* strided.c - blocks read at any strides. A result depends on its place alone. */
#include "kernel/strided.h"

#include "base/pool.h"

enum { STRIDED_PIECE = 1 << 13 };

typedef struct strided_job {
    lgi_strided s;
    const lg_real *from, *b;
    lg_real *to;
    int64_t numel, terms, a_piece;
} strided_job;

/* Where index i of the axes first .. end-1 lies. */
static int64_t strided_offset(const lgi_strided *s, int first, int end, int64_t i)
{
    int64_t at = 0;
    for (int k = end - 1; k >= first; k--) {
        at += i % s->dim[k] * s->stride[k];
        i /= s->dim[k];
    }
    return at;
}

static lg_real sum_terms(const strided_job *j, const lg_real *from)
{
    const lgi_strided *s = &j->s;
    int last = s->kept + s->summed - 1;
    int64_t width = s->dim[last], step = s->stride[last];
    double total = 0;
    for (int64_t i = 0; i < j->terms; i += width) {
        const lg_real *row = from + strided_offset(s, s->kept, last, i / width);
        for (int64_t w = 0; w < width; w++)
            total += (double)row[w * step];
    }
    return (lg_real)total;
}

static void strided_piece(void *job, int64_t piece, int worker)
{
    const strided_job *j = job;
    const lgi_strided *s = &j->s;
    int64_t i = piece * j->a_piece;
    int64_t end = i + j->a_piece < j->numel ? i + j->a_piece : j->numel;
    int64_t width = s->kept ? s->dim[s->kept - 1] : 1;
    int64_t step = s->kept ? s->stride[s->kept - 1] : 0;
    (void)worker;
    while (i < end) {                  /* a row along the last kept axis */
        int64_t w = i % width;
        const lg_real *from = j->from + strided_offset(s, 0, s->kept - 1, i / width);
        for (; w < width && i < end; w++, i++)
            j->to[i] = s->summed ? sum_terms(j, from + w * step) : from[w * step];
    }
}

void lgi_sum_strided(lg_engine *E, const lgi_strided *s, const lg_real *from,
                     lg_real *to)
{
    strided_job j = {.s = *s, .from = from, .to = to};
    j.numel = lgi_product_of(s->dim, s->kept);
    j.terms = lgi_product_of(s->dim + s->kept, s->summed);
    j.a_piece = j.terms < STRIDED_PIECE ? STRIDED_PIECE / (j.terms + 1) : 1;
    lgi_parallel(E, (j.numel + j.a_piece - 1) / j.a_piece, strided_piece, &j);
}

static void dots_piece(void *job, int64_t piece, int worker)
{
    const strided_job *j = job;
    int64_t i = piece * j->a_piece;
    int64_t end = i + j->a_piece < j->numel ? i + j->a_piece : j->numel;
    (void)worker;
    for (; i < end; i++) {
        const lg_real *a = j->from + i * j->terms, *b = j->b + i * j->terms;
        double total = 0;
        for (int64_t k = 0; k < j->terms; k++)
            total += (double)a[k] * (double)b[k];
        j->to[i] = (lg_real)total;
    }
}

void lgi_row_dots(lg_engine *E, const lg_real *a, const lg_real *b, lg_real *to,
                  int64_t n, int64_t k)
{
    strided_job j = {.from = a, .b = b, .to = to, .numel = n, .terms = k};
    j.a_piece = k < STRIDED_PIECE ? STRIDED_PIECE / (k + 1) : 1;
    lgi_parallel(E, (n + j.a_piece - 1) / j.a_piece, dots_piece, &j);
}
