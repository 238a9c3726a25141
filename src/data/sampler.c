/* sampler.c - shuffled and balanced orders. */
#include "data/sampler.h"

#include "base/memory.h"
#include "data/order.h"

#include <stdio.h>
#include <string.h>

lgi_stream lgi_pass_stream(const lgi_dataset *s, int64_t pass, const char *purpose)
{
    char name[LGI_SET_NAME + 60];
    snprintf(name, sizeof name, "data:%s:%lld%s", s->name, (long long)pass, purpose);
    return lgi_named_stream(s->engine, name);
}

static bool label_before(const void *user, int64_t a, int64_t b)
{
    const int32_t *labels = user;
    return labels[a] < labels[b] || (labels[a] == labels[b] && a < b);
}

static int64_t count_classes(const int32_t *labels, const int64_t *sorted, int64_t n)
{
    int64_t classes = 1;
    for (int64_t i = 1; i < n; i++)
        classes += labels[sorted[i]] != labels[sorted[i - 1]];
    return classes;
}

static lg_status sort_classes(const lgi_dataset *s, lgi_sampler *to)
{
    lg_engine *E = s->engine;
    int64_t n = s->dim[0], c = 0;
    if (!s->labels)
        return lgi_fail(E, LG_EARG, "batches: '%s' has no labels, so nothing can be "
                        "balanced", s->name);
    to->n = n;
    to->by_class = lgi_alloc(E, (size_t)n * sizeof *to->by_class);
    if (!to->by_class)
        return E->status;
    lgi_sort(to->by_class, n, label_before, s->labels);
    to->classes = count_classes(s->labels, to->by_class, n);
    to->begin = lgi_alloc(E, (size_t)(to->classes + 1) * sizeof *to->begin);
    for (int64_t i = 0; to->begin && i < n; i++)
        if (i == 0 || s->labels[to->by_class[i]] != s->labels[to->by_class[i - 1]])
            to->begin[c++] = i;
    if (to->begin)
        to->begin[c] = n;
    to->rows = n / to->classes * to->classes;
    return E->status;
}

lg_status lgi_make_sampler(const lgi_dataset *s, bool balanced, lgi_sampler *to)
{
    lg_engine *E = s->engine;
    *to = (lgi_sampler){.rows = s->dim[0]};
    if (balanced && sort_classes(s, to) < 0) {
        lgi_free_sampler(E, to);
        return E->status;
    }
    to->order = lgi_alloc(E, (size_t)to->rows * sizeof *to->order);
    if (!to->order)
        lgi_free_sampler(E, to);
    return E->status;
}

void lgi_free_sampler(lg_engine *E, lgi_sampler *p)
{
    lgi_free(E, p->order, (size_t)p->rows * sizeof *p->order);
    lgi_free(E, p->by_class, (size_t)p->n * sizeof *p->by_class);
    lgi_free(E, p->begin, (size_t)(p->classes + 1) * sizeof *p->begin);
    *p = (lgi_sampler){0};
}

/* Fisher and Yates, on a part of a row of numbers: index is that of its first. */
static void shuffle_part(lgi_stream chance, int64_t index, int64_t n, int64_t *to)
{
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)lgi_below(chance, (uint64_t)(index + i), (uint64_t)i + 1);
        int64_t t = to[i];
        to[i] = to[j];
        to[j] = t;
    }
}

/* Rounds: in each of them every class has one row. A class with fewer rows than there are
 * rounds begins anew. */
static void balance_order(const lgi_dataset *s, lgi_sampler *p, int64_t pass)
{
    int64_t classes = p->classes, n = s->dim[0];
    lgi_stream chance = lgi_pass_stream(s, pass, ":balanced");
    lgi_sort(p->by_class, n, label_before, s->labels);  /* whatever the pass before did */
    for (int64_t k = 0; pass > 0 && k < classes; k++)
        shuffle_part(chance, p->begin[k], p->begin[k + 1] - p->begin[k],
                     p->by_class + p->begin[k]);
    for (int64_t first = 0; first < p->rows; first += classes) {
        for (int64_t k = 0; k < classes; k++) {
            int64_t there = p->begin[k + 1] - p->begin[k];
            p->order[first + k] = p->by_class[p->begin[k] + first / classes % there];
        }
        if (pass > 0)
            shuffle_part(chance, n + first, classes, p->order + first);
    }
}

const int64_t *lgi_order(const lgi_dataset *s, lgi_sampler *p, int64_t pass)
{
    uint64_t seed = s->engine->seed;
    if (p->made && p->pass == pass && p->seed == seed)
        return p->order;
    p->made = true;
    p->pass = pass;
    p->seed = seed;
    if (p->classes)
        balance_order(s, p, pass);
    else if (pass > 0)
        lgi_permutation(lgi_pass_stream(s, pass, ""), p->rows, p->order);
    else
        for (int64_t i = 0; i < p->rows; i++)
            p->order[i] = i;
    return p->order;
}
