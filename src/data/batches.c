/* batches.c - rows as tensors, and batches made ahead. */
#include "data/batches.h"

#include "base/memory.h"
#include "base/pool.h"
#include "data/image.h"
#include "data/sampler.h"

#include <string.h>

enum { GATHER_PIECE = 1 << 15 };       /* numbers of a parallel piece */

/* a batch in the making
 *
 * All that it reads stays as it is, and all that it writes is its own, so it is made in
 * any thread. */

typedef struct row_gather {
    lgi_task task;                     /* first */
    const lgi_dataset *set;
    const int64_t *rows;
    int64_t n, per_piece;              /* rows in all and in a piece */
    int64_t place;                     /* of the first in its pass */
    bool by_chance;
    lgi_stream chance;
    lg_real value[256];                /* of each byte */
    lg_real *scratch;
    int64_t scratch_each;              /* numbers for each thread */
    size_t scratch_bytes;
    lg_real *to, *labels;
} row_gather;

/* Row number i of the set, as it lies there. */
static void fetch_row(const row_gather *g, int64_t i, lg_real *to)
{
    const lgi_dataset *s = g->set;
    for (int k = 0; k < s->parts; k++, to += s->row) {
        int64_t from = (s->picks ? s->picks[i * s->parts + k] : i) * s->row;
        if (s->rows) {
            memcpy(to, s->rows->data + from, (size_t)s->row * sizeof *to);
            continue;
        }
        const unsigned char *bytes = s->bytes + from;
        for (int64_t j = 0; j < s->row; j++)
            to[j] = g->value[bytes[j]];
    }
}

static void gather_rows_piece(void *job, int64_t piece, int worker)
{
    const row_gather *g = job;
    const lgi_look *look = &g->set->look;
    int64_t first = piece * g->per_piece;
    int64_t row = lgi_product_of(g->set->dim + 1, g->set->ndim - 1);
    int64_t end = first + g->per_piece < g->n ? first + g->per_piece : g->n;
    lg_real *scratch = g->scratch + worker * g->scratch_each;
    for (int64_t i = first; i < end; i++) {
        lg_real *to = g->to + i * row;
        fetch_row(g, g->rows[i], look->n ? scratch : to);
        if (look->n || look->channels)
            lgi_look_at(look, g->by_chance ? &g->chance : NULL,
                        (uint64_t)(g->place + i), scratch, to);
        if (g->labels)
            g->labels[i] = (lg_real)g->set->labels[g->rows[i]];
    }
}

static void gather_behind(lgi_task *t)
{
    row_gather *g = (row_gather *)t;
    for (int64_t i = 0; i * g->per_piece < g->n; i++)
        gather_rows_piece(g, i, 0);
}

/* Makes the tensors and the scratch for so many threads. */
static lg_status ready_gather(lg_engine *E, row_gather *g, int threads, lg_tensor **x,
                              lg_tensor **labels)
{
    const lgi_dataset *s = g->set;
    int64_t dim[LG_MAX_DIM], row = lgi_product_of(s->dim + 1, s->ndim - 1);
    memcpy(dim, s->dim, sizeof dim);
    dim[0] = g->n;
    *x = lgi_make(E, s->ndim, dim);
    *labels = s->labels && *x ? lgi_make(E, 1, &g->n) : NULL;
    g->scratch_each = lgi_look_scratch(&s->look);
    g->scratch_bytes = (size_t)(threads * g->scratch_each) * sizeof *g->scratch;
    if (E->status == LG_OK && g->scratch_bytes)
        g->scratch = lgi_alloc(E, g->scratch_bytes);
    if (E->status < 0)
        return E->status;
    g->to = (*x)->data;
    g->labels = *labels ? (*labels)->data : NULL;
    g->per_piece = row < GATHER_PIECE ? GATHER_PIECE / row : 1;
    for (unsigned b = 0; b < 256; b++)
        g->value[b] = lgi_byte_value(b);
    return LG_OK;
}

static void end_gather(lg_engine *E, row_gather *g)
{
    lgi_free(E, g->scratch, g->scratch_bytes);
    g->scratch = NULL;
}

static lg_status gather_now(lg_engine *E, row_gather *g, lg_tensor **x,
                            lg_tensor **labels)
{
    lg_tensor *made = NULL, *marks = NULL;
    if (ready_gather(E, g, E->threads, &made, &marks) == LG_OK)
        lgi_parallel(E, (g->n + g->per_piece - 1) / g->per_piece, gather_rows_piece, g);
    end_gather(E, g);
    if (E->status < 0 || lgi_interrupted(E) < 0)
        return E->status;
    *x = made;
    if (labels)
        *labels = marks;
    return LG_OK;
}

lg_status lgi_take_rows(lg_engine *E, lgi_dataset *s, int64_t n, const int64_t *rows,
                        lg_tensor **x, lg_tensor **labels)
{
    row_gather g = {.set = s, .n = n, .rows = rows};
    *x = NULL;
    if (labels)
        *labels = NULL;
    if (E->status < 0)
        return E->status;
    for (int64_t i = 0; i < n; i++)
        if (rows[i] < 0 || rows[i] >= s->dim[0])
            return lgi_fail(E, LG_EARG, "data: '%s' has %lld rows, and no row %lld",
                            s->name, (long long)s->dim[0], (long long)rows[i] + 1);
    return gather_now(E, &g, x, labels);
}

/* loaders */

struct lgi_loader {
    lgi_owned owned;
    lg_engine *engine;
    lgi_dataset *set;
    lgi_plan plan;
    lgi_sampler sampler;

    row_gather next;                   /* the batch ahead, of n rows: 0: none */
    int64_t *rows;                     // size: which they are
    int64_t pass, index;
    uint64_t seed;
    lg_tensor *x, *labels;             /* held */
};

static int64_t most_rows(const lgi_loader *l)
{
    return l->plan.size < l->sampler.rows ? l->plan.size : l->sampler.rows;
}

static void destroy_loader(lg_engine *E, lgi_owned *o)
{
    lgi_loader *l = (lgi_loader *)o;
    lgi_disown(o);
    end_gather(E, &l->next);
    lgi_free(E, l->rows, (size_t)most_rows(l) * sizeof *l->rows);
    lgi_free_sampler(E, &l->sampler);
    lgi_free(E, l, sizeof *l);
}

lgi_loader *lgi_open_loader(lgi_dataset *s, const lgi_plan *plan)
{
    lg_engine *E = s->engine;
    if (E->status < 0)
        return NULL;
    if (plan->size < 1) {
        lgi_fail(E, LG_EARG, "data: a batch of %lld rows; it has 1 or more",
                 (long long)plan->size);
        return NULL;
    }
    lgi_loader *l = lgi_alloc0(E, sizeof *l);
    if (!l)
        return NULL;
    l->engine = E;
    l->plan = *plan;
    l->plan.ahead = plan->ahead && !s->rows;   /* a tensor may be written meanwhile */
    lgi_own(E, &l->owned, destroy_loader);
    if (lgi_make_sampler(s, plan->balanced, &l->sampler) == LG_OK)
        l->rows = lgi_alloc(E, (size_t)most_rows(l) * sizeof *l->rows);
    if (!l->rows) {
        destroy_loader(E, &l->owned);
        return NULL;
    }
    l->set = lgi_retain_dataset(s);
    return l;
}

/* Waits for the batch ahead, and lets it go. */
static void drop_ahead(lgi_loader *l)
{
    lgi_await(l->engine, &l->next.task);
    end_gather(l->engine, &l->next);
    lg_release(l->x);
    lg_release(l->labels);
    l->x = l->labels = NULL;
    l->next.n = 0;
}

void lgi_close_loader(lgi_loader *l)
{
    if (!l)
        return;
    lgi_dataset *s = l->set;
    drop_ahead(l);
    destroy_loader(l->engine, &l->owned);
    lgi_release_dataset(s);
}

int64_t lgi_loader_rows(const lgi_loader *l) { return l->sampler.rows; }

int64_t lgi_loader_steps(const lgi_loader *l)
{
    int64_t rows = l->sampler.rows, size = l->plan.size;
    return rows / size + (l->plan.keep_last && rows % size);
}

static row_gather batch_rows(lgi_loader *l, int64_t pass, int64_t index)
{
    int64_t first = index * l->plan.size, left = l->sampler.rows - first;
    row_gather g = {.set = l->set, .place = first, .by_chance = pass > 0};
    g.task.run = gather_behind;
    g.n = left < l->plan.size ? left : l->plan.size;
    g.rows = lgi_order(l->set, &l->sampler, pass) + first;
    g.chance = lgi_pass_stream(l->set, pass, ":look");
    return g;
}

/* Begins with the next batch. If memory lacks there is none ahead. */
static void look_ahead(lgi_loader *l, int64_t pass, int64_t index)
{
    lg_engine *E = l->engine;
    if (index + 1 < lgi_loader_steps(l))
        index++;
    else if (l->plan.endless && pass > 0) {
        pass++;
        index = 0;
    } else
        return;
    int scope = lg_open_scope(E);
    l->next = batch_rows(l, pass, index);
    memcpy(l->rows, l->next.rows, (size_t)l->next.n * sizeof *l->rows);
    l->next.rows = l->rows;
    if (ready_gather(E, &l->next, 1, &l->x, &l->labels) == LG_OK) {
        lg_retain(l->x);
        lg_retain(l->labels);
    } else
        l->x = l->labels = NULL;
    lg_clear(E);
    l->pass = pass;
    l->index = index;
    l->seed = E->seed;
    if (!l->x || !lgi_background(E, &l->next.task))
        drop_ahead(l);
    lg_close_scope(E, scope);
}

/* Hands out the batch ahead, if it is that one. */
static bool take_ahead(lgi_loader *l, int64_t pass, int64_t index, lg_tensor **x,
                       lg_tensor **labels)
{
    lg_engine *E = l->engine;
    if (l->next.n == 0)
        return false;
    if (l->pass != pass || l->index != index || l->seed != E->seed) {
        drop_ahead(l);
        return false;
    }
    lgi_await(E, &l->next.task);
    end_gather(E, &l->next);
    l->next.n = 0;
    *x = lgi_scoped(E, l->x);
    lg_tensor *marks = lgi_scoped(E, l->labels);
    if (labels)
        *labels = marks;
    l->x = l->labels = NULL;
    return true;
}

static lg_status check_place(lgi_loader *l, int64_t pass, int64_t index)
{
    lg_engine *E = l->engine;
    int64_t steps = lgi_loader_steps(l);
    if (pass < 0)
        return lgi_fail(E, LG_EARG, "data: pass %lld of '%s'; they count from 1",
                        (long long)pass, l->set->name);
    if (index < 0 || index >= steps)
        return lgi_fail(E, LG_EARG, "data: '%s' has %lld batches of %lld rows, and no "
                        "batch %lld", l->set->name, (long long)steps,
                        (long long)l->plan.size, (long long)index + 1);
    return LG_OK;
}

lg_status lgi_load_batch(lgi_loader *l, int64_t pass, int64_t index, lg_tensor **x,
                         lg_tensor **labels)
{
    lg_engine *E = l->engine;
    *x = NULL;
    if (labels)
        *labels = NULL;
    if (E->status < 0 || check_place(l, pass, index) < 0)
        return E->status;
    if (!take_ahead(l, pass, index, x, labels)) {
        row_gather g = batch_rows(l, pass, index);
        gather_now(E, &g, x, labels);
    }
    if (E->status < 0 || lgi_interrupted(E) < 0) {
        *x = NULL;
        if (labels)
            *labels = NULL;
        return E->status;
    }
    if (l->plan.ahead && E->threads > 1)
        look_ahead(l, pass, index);
    return E->status;
}
