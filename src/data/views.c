/* views.c - the rows of a set in another way: fewer, resized, stacked. */
#include "base/memory.h"
#include "data/dataset.h"

#include <string.h>

/* n rows of s, those of the given numbers; rows NULL: as many as s has, in its order. */
static lg_status choose_rows(lgi_dataset *to, const lgi_dataset *s, const int64_t *rows)
{
    lg_engine *E = s->engine;
    int64_t n = to->dim[0], parts = s->parts;
    if (rows || s->picks)
        to->picks = lgi_alloc(E, (size_t)(n * parts) * sizeof *to->picks);
    if (s->labels)
        to->labels = lgi_alloc(E, (size_t)n * sizeof *to->labels);
    for (int64_t i = 0; E->status == LG_OK && i < n; i++) {
        int64_t from = rows ? rows[i] : i;
        for (int64_t k = 0; to->picks && k < parts; k++)
            to->picks[i * parts + k] = s->picks ? s->picks[from * parts + k] : from;
        if (to->labels)
            to->labels[i] = s->labels[from];
    }
    return E->status;
}

static lgi_dataset *named_view(lgi_dataset *s, const char *name, int64_t n,
                               const int64_t *rows)
{
    lg_engine *E = s->engine;
    int64_t dim[LG_MAX_DIM];
    memcpy(dim, s->dim, sizeof dim);
    dim[0] = n;
    lgi_dataset *to = lgi_new_dataset(E, name, s->ndim, dim);
    if (!to)
        return NULL;
    to->root = lgi_retain_dataset(s->root ? s->root : s);
    to->parts = s->parts;
    to->row = s->row;
    to->rows_there = s->rows_there;
    to->bytes = s->bytes;
    to->rows = s->rows;
    if (choose_rows(to, s, rows) < 0
        || lgi_copy_look(E, &to->look, &s->look, s->look.c) < 0) {
        lgi_release_dataset(to);
        return NULL;
    }
    return to;
}

static lgi_dataset *new_view(lgi_dataset *s, int64_t n, const int64_t *rows)
{
    return named_view(s, s->name, n, rows);
}

lgi_dataset *lgi_subset(lgi_dataset *s, int64_t n, const int64_t *rows)
{
    lg_engine *E = s->engine;
    for (int64_t i = 0; E->status == LG_OK && i < n; i++)
        if (rows[i] < 0 || rows[i] >= s->dim[0])
            lgi_fail(E, LG_EARG, "subset: the set has %lld rows, and no row %lld",
                     (long long)s->dim[0], (long long)rows[i] + 1);
    return E->status < 0 ? NULL : new_view(s, n, rows);
}

static lg_status check_images(lg_engine *E, const lgi_dataset *s, const char *who)
{
    if (s->ndim == 4)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: the set is %s; it needs images, n,c,h,w", who,
                    lgi_dims(s->ndim, s->dim, (char[LGI_SHAPE_TEXT]){0}));
}

lgi_dataset *lgi_looked_at(lgi_dataset *s, const char *who, lgi_look_kind kind, int64_t h,
                           int64_t w, double chance)
{
    lg_engine *E = s->engine;
    if (E->status < 0 || check_images(E, s, who) < 0)
        return NULL;
    lgi_dataset *to = new_view(s, s->dim[0], NULL);
    if (to && lgi_add_look(E, &to->look, who, kind, h, w, chance) < 0) {
        lgi_release_dataset(to);
        return NULL;
    }
    if (to) {
        to->dim[2] = h;
        to->dim[3] = w;
    }
    return to;
}

static lg_status check_normal(lg_engine *E, const lgi_dataset *s, int channels,
                              const double *std)
{
    if (s->look.channels)
        return lgi_fail(E, LG_EARG, "normalize: the set is normalized already");
    if (channels != 1 && (channels != s->dim[1] || channels > LGI_LOOK_CHANNELS))
        return lgi_fail(E, LG_ESHAPE, "normalize: %d numbers for images of %lld "
                        "channels; say one, or one for each", channels,
                        (long long)s->dim[1]);
    for (int i = 0; i < channels; i++)
        if (!(std[i] > 0))
            return lgi_fail(E, LG_EARG, "normalize: a standard deviation of %g; it is "
                            "larger than 0", std[i]);
    return LG_OK;
}

lgi_dataset *lgi_normalized(lgi_dataset *s, int channels, const double *mean,
                            const double *std)
{
    lg_engine *E = s->engine;
    if (E->status < 0 || check_images(E, s, "normalize") < 0
        || check_normal(E, s, channels, std) < 0)
        return NULL;
    lgi_dataset *to = new_view(s, s->dim[0], NULL);
    if (!to)
        return NULL;
    to->look.channels = channels;
    for (int i = 0; i < channels; i++) {       /* -1..1 to 0..1, as published means are */
        to->look.scale[i] = (lg_real)(0.5 / std[i]);
        to->look.shift[i] = (lg_real)((0.5 - mean[i]) / std[i]);
    }
    return to;
}

lgi_dataset *lgi_relabeled(lgi_dataset *s, int shift)
{
    lgi_dataset *to = new_view(s, s->dim[0], NULL);
    for (int64_t i = 0; to && to->labels && i < to->dim[0]; i++)
        to->labels[i] += shift;
    return to;
}

lgi_dataset *lgi_renamed(lgi_dataset *s, const char *name)
{
    return named_view(s, name, s->dim[0], NULL);
}

/* stacked */

enum { STACKED = 3 };

static lg_status check_stack(lg_engine *E, const lgi_dataset *s, int32_t *classes)
{
    *classes = 1;
    if (s->ndim != 4 || s->dim[1] != 1 || s->parts != 1 || !s->labels)
        return lgi_fail(E, LG_ESHAPE, "stacked: the set is %s%s; it needs gray images, "
                        "n,1,h,w, with labels",
                        lgi_dims(s->ndim, s->dim, (char[LGI_SHAPE_TEXT]){0}),
                        s->labels ? "" : ", without labels");
    for (int64_t i = 0; i < s->dim[0]; i++)
        *classes = s->labels[i] >= *classes ? s->labels[i] + 1 : *classes;
    if (*classes > 256)
        return lgi_fail(E, LG_EARG, "stacked: labels up to %d; there are 256 classes at "
                        "most", *classes - 1);
    return LG_OK;
}

lgi_dataset *lgi_stacked(lgi_dataset *s, const char *name, int64_t n)
{
    lg_engine *E = s->engine;
    int32_t classes;
    if (E->status < 0 || check_stack(E, s, &classes) < 0)
        return NULL;
    lgi_stream chance = lgi_named_stream(E, "data:stacked");
    lgi_dataset *to = lgi_new_dataset(E, name, 4, (int64_t[]){n, STACKED, s->dim[2],
                                                              s->dim[3]});
    if (!to)
        return NULL;
    to->root = lgi_retain_dataset(s->root ? s->root : s);
    to->row = s->row;
    to->rows_there = s->rows_there;
    to->bytes = s->bytes;
    to->rows = s->rows;
    to->parts = STACKED;
    to->picks = lgi_alloc(E, (size_t)n * STACKED * sizeof *to->picks);
    to->labels = lgi_alloc(E, (size_t)n * sizeof *to->labels);
    if (!to->picks || !to->labels
        || lgi_copy_look(E, &to->look, &s->look, STACKED) < 0) {
        lgi_release_dataset(to);
        return NULL;
    }
    for (int64_t i = 0; i < n; i++) {
        to->labels[i] = 0;
        for (int64_t k = 0; k < STACKED; k++) {
            int64_t at = i * STACKED + k;
            int64_t from = (int64_t)lgi_below(chance, (uint64_t)at, (uint64_t)s->dim[0]);
            to->picks[at] = s->picks ? s->picks[from] : from;
            to->labels[i] = to->labels[i] * classes + s->labels[from];
        }
        to->labels[i]++;
    }
    return to;
}
