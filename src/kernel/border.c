/* border.c - rows of y, copied from x where they are in it. */
#include "kernel/border.h"

#include "base/pool.h"

#include <string.h>

enum { BORDER_PIECE = 1 << 14 };       /* numbers that a piece writes, about */

typedef struct border_job {
    const lg_tensor *x, *y;
    const int64_t *before;
    lg_real value;
    int outer;                         /* axes before those of a row */
    int64_t row, from_row, shift;      /* a row of y, of x, and where x's begins in y's */
    int64_t rows, rows_a_piece;
} border_job;

/* The row of x that this row of y has, or NULL: it is border. */
static const lg_real *row_within(const border_job *b, int64_t row)
{
    int64_t at = 0, step = b->from_row;
    for (int i = b->outer - 1; i >= 0; i--) {
        int64_t k = row % b->y->dim[i] - b->before[i];
        if (k < 0 || k >= b->x->dim[i])
            return NULL;
        at += k * step;
        step *= b->x->dim[i];
        row /= b->y->dim[i];
    }
    return b->x->data + at;
}

static void fill_with(lg_real *to, lg_real value, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = value;
}

static void border_piece(void *job, int64_t piece, int worker)
{
    const border_job *b = job;
    int64_t row = piece * b->rows_a_piece, last = row + b->rows_a_piece;
    int64_t first = b->shift < 0 ? 0 : b->shift < b->row ? b->shift : b->row;
    int64_t end = b->shift + b->from_row;
    end = end < first ? first : end < b->row ? end : b->row;
    (void)worker;
    for (last = last < b->rows ? last : b->rows; row < last; row++) {
        const lg_real *from = row_within(b, row);
        lg_real *to = b->y->data + row * b->row;
        if (!from || end == first) {
            fill_with(to, b->value, b->row);
            continue;
        }
        fill_with(to, b->value, first);
        memcpy(to + first, from + first - b->shift, (size_t)(end - first) * sizeof *to);
        fill_with(to + end, b->value, b->row - end);
    }
}

void lgi_set_border(lg_engine *E, const lg_tensor *x, const lg_tensor *y,
                    const int64_t *before, lg_real value)
{
    border_job b = {.x = x, .y = y, .before = before, .value = value};
    int last = x->ndim - 1;            /* the last axis that changes begins a row */
    while (last > 0 && before[last] == 0 && x->dim[last] == y->dim[last])
        last--;
    if (y->numel == 0)
        return;
    b.outer = last > 0 ? last : 0;
    b.row = lgi_product_of(y->dim + b.outer, y->ndim - b.outer);
    b.from_row = lgi_product_of(x->dim + b.outer, x->ndim - b.outer);
    if (last >= 0)
        b.shift = before[last] * lgi_product_of(y->dim + last + 1, y->ndim - last - 1);
    b.rows = y->numel / b.row;
    b.rows_a_piece = b.row < BORDER_PIECE ? BORDER_PIECE / b.row : 1;
    lgi_parallel(E, (b.rows + b.rows_a_piece - 1) / b.rows_a_piece, border_piece, &b);
}
