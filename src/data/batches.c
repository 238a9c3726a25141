/* batches.c - data sets in memory, shuffled batches. */
#include "data/batches.h"

#include "base/memory.h"
#include "base/pool.h"
#include "base/random.h"
#include "data/idx.h"
#include "data/image.h"

#include <stdio.h>
#include <string.h>

enum { GATHER_PIECE = 1 << 15, MAX_SET_NAME = 63 };    /* numbers of a parallel piece */

struct lgi_dataset {
    lgi_owned owned;
    lg_engine *engine;
    int refs;
    char name[MAX_SET_NAME + 1];
    int ndim;
    int64_t dim[LG_MAX_DIM];           /* n, then the shape of a row */
    int64_t row;                       /* numbers in a row */
    unsigned char *bytes;              /* n * row of them, or */
    lg_tensor *rows;                   /* n, ... */
    unsigned char *labels;             /* n, or NULL */
    int64_t *order;                    /* n: the latest pass's, made when first needed */
    int64_t order_pass;
    uint64_t order_seed;
};

/* life */

static void destroy_set(lg_engine *E, lgi_owned *o)
{
    lgi_dataset *s = (lgi_dataset *)o;
    lgi_disown(o);
    lgi_free(E, s->bytes, (size_t)(s->dim[0] * s->row));
    lgi_free(E, s->labels, (size_t)s->dim[0]);
    lgi_free(E, s->order, (size_t)s->dim[0] * sizeof *s->order);
    lgi_free(E, s, sizeof *s);
}

lgi_dataset *lgi_retain_dataset(lgi_dataset *s)
{
    if (s)
        s->refs++;
    return s;
}

void lgi_release_dataset(lgi_dataset *s)
{
    if (!s || --s->refs > 0)
        return;
    lg_release(s->rows);
    destroy_set(s->engine, &s->owned);
}

static lg_status check_set(lg_engine *E, const char *name, int ndim, const int64_t *dim)
{
    char text[LGI_SHAPE_TEXT];
    if (strlen(name) > MAX_SET_NAME)
        return lgi_fail(E, LG_EARG, "data: the name '%.60s...' has more than %d bytes",
                        name, MAX_SET_NAME);
    if (ndim < 1 || ndim > LG_MAX_DIM || lgi_product_of(dim, ndim) < 1)
        return lgi_fail(E, LG_ESHAPE, "data: '%s' is %s; a set has rows, one at least",
                        name, lgi_dims(ndim, dim, text));
    return LG_OK;
}

/* A set without content. */
static lgi_dataset *new_set(lg_engine *E, const char *name, int ndim, const int64_t *dim)
{
    if (E->status < 0 || check_set(E, name, ndim, dim) < 0)
        return NULL;
    lgi_dataset *s = lgi_alloc0(E, sizeof *s);
    if (!s)
        return NULL;
    s->engine = E;
    s->refs = 1;
    snprintf(s->name, sizeof s->name, "%s", name);
    s->ndim = ndim;
    memcpy(s->dim, dim, (size_t)ndim * sizeof *dim);
    s->row = lgi_product_of(dim + 1, ndim - 1);
    lgi_own(E, &s->owned, destroy_set);
    return s;
}

lgi_dataset *lgi_byte_dataset(lg_engine *E, const char *name, int ndim,
                              const int64_t *dim, unsigned char *bytes,
                              unsigned char *labels)
{
    lgi_dataset *s = new_set(E, name, ndim, dim);
    if (!s) {
        lgi_free(E, bytes, (size_t)lgi_product_of(dim, ndim));
        lgi_free(E, labels, ndim > 0 ? (size_t)dim[0] : 1);
        return NULL;
    }
    s->bytes = bytes;
    s->labels = labels;
    return s;
}

static lg_status copy_labels(lgi_dataset *s, const lg_tensor *labels)
{
    lg_engine *E = s->engine;
    if (labels->ndim != 1 || labels->dim[0] != s->dim[0])
        return lgi_fail(E, LG_ESHAPE, "data: '%s' has %lld rows and its labels are %s; "
                        "they must be one for each row", s->name, (long long)s->dim[0],
                        LGI_SHAPE(labels));
    s->labels = lgi_alloc(E, (size_t)s->dim[0]);
    for (int64_t i = 0; s->labels && i < s->dim[0]; i++) {
        double v = (double)labels->data[i];
        if (!(v >= 0 && v <= 255 && v == (double)(int)v))
            return lgi_fail(E, LG_EARG, "data: label %lld of '%s' is %g; labels are "
                            "whole numbers from 0 to 255", (long long)i + 1, s->name, v);
        s->labels[i] = (unsigned char)v;
    }
    return E->status;
}

lgi_dataset *lgi_tensor_dataset(lg_engine *E, const char *name, lg_tensor *rows,
                                const lg_tensor *labels)
{
    lgi_dataset *s = rows ? new_set(E, name, rows->ndim, rows->dim) : NULL;
    if (!s)
        return NULL;
    s->rows = lg_retain(rows);
    if (labels && copy_labels(s, labels) < 0) {
        lgi_release_dataset(s);
        return NULL;
    }
    return s;
}

static lg_status check_idx_pair(lg_engine *E, const char *images, const lgi_idx *x,
                                const char *labels, const lgi_idx *y)
{
    if (x->ndim < 3)
        return lgi_fail(E, LG_EFORMAT, "'%s' has %d axes; images have 3 (n,h,w) or 4 "
                        "(n,c,h,w)", images, x->ndim);
    if (labels && (y->ndim != 1 || y->dim[0] != x->dim[0]))
        return lgi_fail(E, LG_EFORMAT, "'%s' has %lld images, and '%s' has %lld labels "
                        "on %d axes; there must be one for each", images,
                        (long long)x->dim[0], labels, (long long)y->dim[0], y->ndim);
    return LG_OK;
}

lgi_dataset *lgi_idx_dataset(lg_engine *E, const char *name, const char *images,
                             const char *labels)
{
    lgi_idx x = {0}, y = {0};
    lgi_read_idx(E, images, &x);
    if (labels)
        lgi_read_idx(E, labels, &y);
    if (E->status < 0 || check_idx_pair(E, images, &x, labels, &y) < 0) {
        lgi_free_idx(E, &x);
        lgi_free_idx(E, &y);
        return NULL;
    }
    int64_t gray[] = {x.dim[0], 1, x.dim[1], x.dim[2]};        // n,c,h,w
    return lgi_byte_dataset(E, name, 4, x.ndim == 3 ? gray : x.dim, x.data, y.data);
}

/* what it is */

int lgi_dataset_ndim(const lgi_dataset *s) { return s->ndim; }
const int64_t *lgi_dataset_dims(const lgi_dataset *s) { return s->dim; }
const char *lgi_dataset_name(const lgi_dataset *s) { return s->name; }
bool lgi_dataset_labeled(const lgi_dataset *s) { return s->labels != NULL; }

int64_t lgi_count_batches(const lgi_dataset *s, int64_t size, bool keep_last)
{
    if (size < 1)
        return 0;
    return s->dim[0] / size + (keep_last && s->dim[0] % size);
}

/* batches */

typedef struct row_gather {
    const lgi_dataset *set;
    const int64_t *rows;
    int64_t n, per_piece;              /* rows in all and in a piece */
    lg_real value[256];                /* of each byte */
    lg_real *to;
} row_gather;

static void gather_rows_piece(void *job, int64_t piece, int worker)
{
    const row_gather *g = job;
    int64_t row = g->set->row, first = piece * g->per_piece;
    int64_t end = first + g->per_piece < g->n ? first + g->per_piece : g->n;
    (void)worker;
    for (int64_t i = first; i < end; i++) {
        lg_real *to = g->to + i * row;
        if (g->set->rows) {
            memcpy(to, g->set->rows->data + g->rows[i] * row, (size_t)row * sizeof *to);
            continue;
        }
        const unsigned char *from = g->set->bytes + g->rows[i] * row;
        for (int64_t k = 0; k < row; k++)
            to[k] = g->value[from[k]];
    }
}

static lg_tensor *gather_rows(lg_engine *E, const lgi_dataset *s, int64_t n,
                              const int64_t *rows)
{
    int64_t dim[LG_MAX_DIM];
    memcpy(dim, s->dim, sizeof dim);
    dim[0] = n;
    lg_tensor *x = lgi_make(E, s->ndim, dim);
    if (!x)
        return NULL;
    row_gather g = {.set = s, .rows = rows, .n = n, .to = x->data};
    g.per_piece = s->row < GATHER_PIECE ? GATHER_PIECE / s->row : 1;
    for (unsigned b = 0; b < 256; b++)
        g.value[b] = lgi_byte_value(b);
    lgi_parallel(E, (n + g.per_piece - 1) / g.per_piece, gather_rows_piece, &g);
    return lgi_interrupted(E) < 0 ? NULL : x;
}

static lg_tensor *gather_labels(lg_engine *E, const lgi_dataset *s, int64_t n,
                                const int64_t *rows)
{
    lg_tensor *y = lgi_make(E, 1, &n);
    for (int64_t i = 0; y && i < n; i++)
        y->data[i] = (lg_real)s->labels[rows[i]];
    return y;
}

lg_status lgi_take_rows(lg_engine *E, lgi_dataset *s, int64_t n, const int64_t *rows,
                        lg_tensor **x, lg_tensor **labels)
{
    *x = NULL;
    if (labels)
        *labels = NULL;
    if (E->status < 0)
        return E->status;
    for (int64_t i = 0; i < n; i++)
        if (rows[i] < 0 || rows[i] >= s->dim[0])
            return lgi_fail(E, LG_EARG, "data: '%s' has %lld rows, and no row %lld",
                            s->name, (long long)s->dim[0], (long long)rows[i] + 1);
    lg_tensor *taken = gather_rows(E, s, n, rows);
    if (taken && labels && s->labels)
        *labels = gather_labels(E, s, n, rows);
    if (E->status == LG_OK)
        *x = taken;
    return E->status;
}

/* The permutation of a pass, kept until another is asked for. */
static const int64_t *order_of(lg_engine *E, lgi_dataset *s, int64_t pass)
{
    char purpose[MAX_SET_NAME + 40];
    if (s->order && s->order_pass == pass && s->order_seed == E->seed)
        return s->order;
    if (!s->order)
        s->order = lgi_alloc(E, (size_t)s->dim[0] * sizeof *s->order);
    if (!s->order)
        return NULL;
    s->order_pass = pass;
    s->order_seed = E->seed;
    snprintf(purpose, sizeof purpose, "data:%s:%lld", s->name, (long long)pass);
    if (pass > 0)
        lgi_permutation(lgi_named_stream(E, purpose), s->dim[0], s->order);
    for (int64_t i = 0; pass == 0 && i < s->dim[0]; i++)
        s->order[i] = i;
    return s->order;
}

lg_status lgi_read_batch(lg_engine *E, lgi_dataset *s, int64_t pass, int64_t index,
                    int64_t size, bool keep_last, lg_tensor **x, lg_tensor **labels)
{
    *x = NULL;
    if (labels)
        *labels = NULL;
    if (E->status < 0)
        return E->status;
    int64_t batches = lgi_count_batches(s, size, keep_last);
    if (size < 1 || pass < 0)
        return lgi_fail(E, LG_EARG, "data: a batch of %lld rows in pass %lld of '%s'; a "
                        "batch has 1 or more, passes count from 1", (long long)size,
                        (long long)pass, s->name);
    if (index < 0 || index >= batches)
        return lgi_fail(E, LG_EARG, "data: '%s' has %lld batches of %lld rows, and no "
                        "batch %lld", s->name, (long long)batches, (long long)size,
                        (long long)index + 1);
    const int64_t *order = order_of(E, s, pass);
    if (!order)
        return E->status;
    int64_t first = index * size, left = s->dim[0] - first;
    return lgi_take_rows(E, s, left < size ? left : size, order + first, x, labels);
}
