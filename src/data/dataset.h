/*
 * dataset.h - a data set in memory: rows, their labels, and how they are looked at.
 *
 * Images stay bytes, a quarter of what floats take, and become numbers in [-1, 1] when a
 * batch is made. A set may share the rows of another, and choose or look at them in its
 * own way: nothing is copied.
 */
#ifndef LG_DATA_DATASET_H
#define LG_DATA_DATASET_H
#include "data/look.h"
#include "tensor/tensor.h"

enum { LGI_SET_NAME = 63, LGI_MAX_LABEL = 1 << 24 };   /* whole floats, all of them */

typedef struct lgi_dataset lgi_dataset;
struct lgi_dataset {
    lgi_owned owned;
    lg_engine *engine;
    int refs;
    char name[LGI_SET_NAME + 1];
    int ndim;
    int64_t dim[LG_MAX_DIM];           /* n, then the shape of a row in a batch */
    int32_t *labels;                   /* n, or NULL */
    lgi_look look;

    lgi_dataset *root;                 /* whose rows these are; NULL: they are its own */
    int parts;                         /* rows of the root that make one, as channels */
    int64_t *picks;                    // n,parts: which ones; NULL: each its own
    int64_t row;                       /* numbers in a row of the root */
    int64_t rows_there;                /* rows of the root */
    unsigned char *bytes;              // rows_there,row; or
    lg_tensor *rows;
};

/* A set without content, which whoever asks gives to it. */
lgi_dataset *lgi_new_dataset(lg_engine *E, const char *name, int ndim,
                             const int64_t *dim);

/* n rows: dim is n and a row's shape (n,c,h,w). bytes and labels (n of them; or NULL) are
 * lgi_alloc's, and become the set's own; after a failure they are freed. */
lgi_dataset *lgi_byte_dataset(lg_engine *E, const char *name, int ndim,
                              const int64_t *dim, unsigned char *bytes, int32_t *labels);

/* The rows of a tensor, which the set retains. labels: n whole numbers from 0, or
 * NULL. */
lgi_dataset *lgi_tensor_dataset(lg_engine *E, const char *name, lg_tensor *rows,
                                const lg_tensor *labels);

/* Images of an IDX file, n,h,w or n,c,h,w, and their labels; labels may be NULL. */
lgi_dataset *lgi_idx_dataset(lg_engine *E, const char *name, const char *images,
                             const char *labels);

lgi_dataset *lgi_retain_dataset(lgi_dataset *s);
void lgi_release_dataset(lgi_dataset *s);              /* s may be NULL */

/* views.c: the same rows in another way. s is retained, by what has its rows. */

/* Rows of these numbers, from 0, in that order. */
lgi_dataset *lgi_subset(lgi_dataset *s, int64_t n, const int64_t *rows);

/* One more step of looking; h, w as in lgi_add_look. Images only. */
lgi_dataset *lgi_looked_at(lgi_dataset *s, const char *who, lgi_look_kind kind, int64_t h,
                           int64_t w, double chance);

/* (x - mean) / std for one number or each channel; images count from 0 to 1 there. */
lgi_dataset *lgi_normalized(lgi_dataset *s, int channels, const double *mean,
                            const double *std);

lgi_dataset *lgi_relabeled(lgi_dataset *s, int shift);
lgi_dataset *lgi_renamed(lgi_dataset *s, const char *name);

/* n rows of three random rows each, one a channel. A label is the number that the three
 * make as digits to the base of the number of classes, from 1. */
lgi_dataset *lgi_stacked(lgi_dataset *s, const char *name, int64_t n);

#endif
