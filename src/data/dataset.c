/* dataset.c - the life of a data set, and where its rows come from. */
#include "data/dataset.h"

#include "base/memory.h"
#include "data/idx.h"

#include <stdio.h>
#include <string.h>

/* life */

static void destroy_set(lg_engine *E, lgi_owned *o)
{
    lgi_dataset *s = (lgi_dataset *)o;
    size_t n = (size_t)s->dim[0];
    lgi_disown(o);
    if (!s->root)
        lgi_free(E, s->bytes, (size_t)(s->rows_there * s->row));
    lgi_free(E, s->labels, n * sizeof *s->labels);
    lgi_free(E, s->picks, n * (size_t)s->parts * sizeof *s->picks);
    lgi_free_look(E, &s->look);
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
    lgi_dataset *root = s->root;
    if (!root)
        lg_release(s->rows);
    destroy_set(s->engine, &s->owned);
    lgi_release_dataset(root);
}

static lg_status check_set(lg_engine *E, const char *name, int ndim, const int64_t *dim)
{
    char text[LGI_SHAPE_TEXT];
    if (strlen(name) > LGI_SET_NAME)
        return lgi_fail(E, LG_EARG, "data: the name '%.60s...' has more than %d bytes",
                        name, LGI_SET_NAME);
    if (ndim < 1 || ndim > LG_MAX_DIM || lgi_product_of(dim, ndim) < 1)
        return lgi_fail(E, LG_ESHAPE, "data: '%s' is %s; a set has rows, one at least",
                        name, lgi_dims(ndim, dim, text));
    return LG_OK;
}

lgi_dataset *lgi_new_dataset(lg_engine *E, const char *name, int ndim,
                             const int64_t *dim)
{
    if (E->status < 0 || check_set(E, name, ndim, dim) < 0)
        return NULL;
    lgi_dataset *s = lgi_alloc0(E, sizeof *s);
    if (!s)
        return NULL;
    s->engine = E;
    s->refs = s->parts = 1;
    snprintf(s->name, sizeof s->name, "%s", name);
    s->ndim = ndim;
    memcpy(s->dim, dim, (size_t)ndim * sizeof *dim);
    s->row = lgi_product_of(dim + 1, ndim - 1);
    s->rows_there = dim[0];
    if (ndim == 4) {
        s->look.c = dim[1];
        s->look.h = dim[2];
        s->look.w = dim[3];
    }
    lgi_own(E, &s->owned, destroy_set);
    return s;
}

lgi_dataset *lgi_byte_dataset(lg_engine *E, const char *name, int ndim,
                              const int64_t *dim, unsigned char *bytes, int32_t *labels)
{
    lgi_dataset *s = lgi_new_dataset(E, name, ndim, dim);
    if (!s) {
        lgi_free(E, bytes, (size_t)lgi_product_of(dim, ndim));
        lgi_free(E, labels, ndim > 0 ? (size_t)dim[0] * sizeof *labels : 1);
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
    s->labels = lgi_alloc(E, (size_t)s->dim[0] * sizeof *s->labels);
    for (int64_t i = 0; s->labels && i < s->dim[0]; i++) {
        double v = (double)labels->data[i];
        if (!(v >= 0 && v <= LGI_MAX_LABEL && v == (double)(int32_t)v))
            return lgi_fail(E, LG_EARG, "data: label %lld of '%s' is %g; labels are "
                            "whole numbers from 0", (long long)i + 1, s->name, v);
        s->labels[i] = (int32_t)v;
    }
    return E->status;
}

lgi_dataset *lgi_tensor_dataset(lg_engine *E, const char *name, lg_tensor *rows,
                                const lg_tensor *labels)
{
    lgi_dataset *s = rows ? lgi_new_dataset(E, name, rows->ndim, rows->dim) : NULL;
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

static int32_t *widen_labels(lg_engine *E, const lgi_idx *y)
{
    int32_t *to = y->data ? lgi_alloc(E, (size_t)y->dim[0] * sizeof *to) : NULL;
    for (int64_t i = 0; to && i < y->dim[0]; i++)
        to[i] = y->data[i];
    return to;
}

lgi_dataset *lgi_idx_dataset(lg_engine *E, const char *name, const char *images,
                             const char *labels)
{
    lgi_idx x = {0}, y = {0};
    int32_t *wide = NULL;
    lgi_read_idx(E, images, &x);
    if (labels)
        lgi_read_idx(E, labels, &y);
    if (E->status == LG_OK && check_idx_pair(E, images, &x, labels, &y) == LG_OK)
        wide = widen_labels(E, &y);
    lgi_free_idx(E, &y);
    if (E->status < 0) {
        lgi_free_idx(E, &x);
        return NULL;
    }
    int64_t gray[] = {x.dim[0], 1, x.dim[1], x.dim[2]};        // n,c,h,w
    return lgi_byte_dataset(E, name, 4, x.ndim == 3 ? gray : x.dim, x.data, wide);
}
