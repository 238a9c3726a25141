/*
 * sort.c - numbers in order, a line a unit of work.
 *
 * A number's bits become a whole number of the same order. Where few are kept they are
 * inserted into the best so far; else all are sorted by their bytes, the lowest first
 * (Knuth, The Art of Computer Programming 3, 5.2.5). Both keep the order of equal ones.
 */
#include "kernel/sort.h"

#include "base/pool.h"

#include <string.h>

#ifdef LG_DOUBLE
typedef uint64_t sort_word;
#else
typedef uint32_t sort_word;
#endif

typedef struct sort_item { sort_word key, at; } sort_item;

enum { SORT_FEW = 32, SORT_PIECE = 1 << 13, SORT_BYTES = sizeof(sort_word) };

typedef struct sort_job {
    lgi_lines lines;
    const lg_real *x;
    lg_real *values, *places;
    sort_item *scratch;                /* for each worker as much: items_of_worker */
    int64_t lines_a_piece;
} sort_job;

/* As whole numbers: -inf < ... < -0 = 0 < ... < inf < NaN; or the other way round. */
static sort_word sort_key(lg_real x, bool descending)
{
    const sort_word sign = (sort_word)1 << (8 * SORT_BYTES - 1), all = ~(sort_word)0;
    sort_word b;
    x = x == 0 ? 0 : x;
    memcpy(&b, &x, sizeof b);
    b = x != x ? all : b & sign ? ~b : b | sign;
    return descending ? ~b : b;
}

/* The first k of n in order, k > 0. */
static void insert_items(const sort_job *s, const lg_real *x, int64_t k, sort_item *best)
{
    int64_t count = 0;
    for (int64_t j = 0; j < s->lines.size; j++) {
        sort_word key = sort_key(x[j * s->lines.stride], s->lines.descending);
        if (count == k && best[k - 1].key <= key)
            continue;
        int64_t i = count < k ? count++ : k - 1;
        for (; i > 0 && best[i - 1].key > key; i--)
            best[i] = best[i - 1];
        best[i] = (sort_item){key, (sort_word)j};
    }
}

/* Items by one byte of their keys; first[b] is the place of the first with byte b. */
static void sort_by_byte(const sort_item *from, sort_item *to, int64_t n, int byte,
                         int64_t *first)
{
    for (int64_t i = 0; i < n; i++)
        to[first[from[i].key >> 8 * byte & 255]++] = from[i];
}

/* Uses 2 * size items; returns which half of them is sorted. */
static const sort_item *sort_items(const sort_job *s, const lg_real *x, sort_item *items)
{
    int64_t n = s->lines.size, count[SORT_BYTES][256] = {{0}};
    sort_item *from = items, *to = items + n;
    for (int64_t j = 0; j < n; j++) {
        sort_word key = sort_key(x[j * s->lines.stride], s->lines.descending);
        from[j] = (sort_item){key, (sort_word)j};
        for (int b = 0; b < SORT_BYTES; b++)
            count[b][key >> 8 * b & 255]++;
    }
    for (int b = 0; b < SORT_BYTES; b++) {
        if (count[b][from[0].key >> 8 * b & 255] == n)
            continue;                  /* one byte for all */
        int64_t before = 0;
        for (int i = 0; i < 256; i++) {
            int64_t here = count[b][i];
            count[b][i] = before;
            before += here;
        }
        sort_by_byte(from, to, n, b, count[b]);
        sort_item *sorted = to;
        to = from;
        from = sorted;
    }
    return from;
}

static void sort_line(const sort_job *s, int64_t line, sort_item *scratch)
{
    const lgi_lines *l = &s->lines;
    int64_t outer = line / l->stride, inner = line % l->stride;
    const lg_real *x = s->x + outer * l->size * l->stride + inner;
    int64_t to = outer * l->keep * l->stride + inner;
    const sort_item *sorted = scratch;
    if (l->keep <= SORT_FEW)
        insert_items(s, x, l->keep, scratch);
    else
        sorted = sort_items(s, x, scratch);
    for (int64_t k = 0; k < l->keep; k++) {
        s->values[to + k * l->stride] = x[(int64_t)sorted[k].at * l->stride];
        s->places[to + k * l->stride] = (lg_real)((int64_t)sorted[k].at + 1);
    }
}

static int64_t items_of_worker(const lgi_lines *s)
{
    return s->keep <= SORT_FEW ? SORT_FEW : 2 * s->size;
}

static void sort_piece(void *job, int64_t piece, int worker)
{
    const sort_job *s = job;
    int64_t lines = s->lines.outer * s->lines.stride, i = piece * s->lines_a_piece;
    int64_t end = i + s->lines_a_piece < lines ? i + s->lines_a_piece : lines;
    for (; i < end; i++)
        sort_line(s, i, s->scratch + worker * items_of_worker(&s->lines));
}

static int64_t count_lines_a_piece(const lgi_lines *s)
{
    return s->size < SORT_PIECE ? SORT_PIECE / s->size : 1;
}

size_t lgi_sort_bytes(const lg_engine *E, const lgi_lines *s)
{
    return (size_t)E->threads * (size_t)items_of_worker(s) * sizeof(sort_item);
}

void lgi_sort_lines(lg_engine *E, const lgi_lines *s, const lg_real *x, lg_real *values,
                    lg_real *places, void *scratch)
{
    sort_job job = {*s, x, values, places, scratch, 0};
    int64_t lines = s->outer * s->stride;
    if (lines == 0 || s->keep == 0)
        return;
    job.lines_a_piece = count_lines_a_piece(s);
    lgi_parallel(E, (lines + job.lines_a_piece - 1) / job.lines_a_piece, sort_piece,
                 &job);
}

static int64_t find_extreme(const lg_real *x, const lgi_lines *s)
{
    int64_t best = 0;
    lg_real top = x[0];
    for (int64_t j = 1; j < s->size && top == top; j++) {
        lg_real v = x[j * s->stride];
        if ((s->descending ? v > top : v < top) || v != v) {
            top = v;
            best = j;
        }
    }
    return best;
}

static void extreme_piece(void *job, int64_t piece, int worker)
{
    const sort_job *s = job;
    const lgi_lines *l = &s->lines;
    int64_t lines = l->outer * l->stride, i = piece * s->lines_a_piece;
    int64_t end = i + s->lines_a_piece < lines ? i + s->lines_a_piece : lines;
    (void)worker;
    for (; i < end; i++) {
        const lg_real *x = s->x + i / l->stride * l->size * l->stride + i % l->stride;
        s->places[i] = (lg_real)(find_extreme(x, l) + 1);
    }
}

void lgi_find_extremes(lg_engine *E, const lgi_lines *s, const lg_real *x,
                       lg_real *places)
{
    sort_job job = {*s, x, NULL, places, NULL, 0};
    int64_t lines = s->outer * s->stride;
    if (lines == 0)
        return;
    job.lines_a_piece = count_lines_a_piece(s);
    lgi_parallel(E, (lines + job.lines_a_piece - 1) / job.lines_a_piece, extreme_piece,
                 &job);
}
