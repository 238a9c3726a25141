/*
 * batches.h - a data set in memory, and its passes in batches.
 *
 * Images stay bytes, a quarter of what floats take, and become numbers in [-1, 1] when a
 * batch is made. The order of a pass depends on the engine's seed, the set's name and the
 * number of the pass alone: so a resumed run goes on with the same batches.
 */
#ifndef LG_DATA_BATCHES_H
#define LG_DATA_BATCHES_H
#include "tensor/tensor.h"

typedef struct lgi_dataset lgi_dataset;

/* n rows: dim is n and a row's shape (n,c,h,w). bytes and labels (n of them; or NULL) are
 * lgi_alloc's, and become the set's own; after a failure they are freed. */
lgi_dataset *lgi_byte_dataset(lg_engine *E, const char *name, int ndim,
                              const int64_t *dim, unsigned char *bytes,
                              unsigned char *labels);

/* The rows of a tensor, which the set retains. labels: n whole numbers from
 * 0 to 255, or NULL. */
lgi_dataset *lgi_tensor_dataset(lg_engine *E, const char *name, lg_tensor *rows,
                                const lg_tensor *labels);

/* Images of an IDX file, n,h,w or n,c,h,w, and their labels; labels may be NULL. */
lgi_dataset *lgi_idx_dataset(lg_engine *E, const char *name, const char *images,
                             const char *labels);

lgi_dataset *lgi_retain_dataset(lgi_dataset *s);
void lgi_release_dataset(lgi_dataset *s);              /* s may be NULL */

int lgi_dataset_ndim(const lgi_dataset *s);
const int64_t *lgi_dataset_dims(const lgi_dataset *s); /* n first */
const char *lgi_dataset_name(const lgi_dataset *s);
bool lgi_dataset_labeled(const lgi_dataset *s);

/* Batches of a pass; a short last one counts if keep_last. */
int64_t lgi_count_batches(const lgi_dataset *s, int64_t size, bool keep_last);

/* Batch index, from 0, of a pass: pass 0 is in the set's own order, those from 1 are
 * shuffled. labels is NULL where the set has none; the argument may be NULL. */
lg_status lgi_read_batch(lg_engine *E, lgi_dataset *s, int64_t pass, int64_t index,
                    int64_t size, bool keep_last, lg_tensor **x /* b,c,h,w */,
                    lg_tensor **labels /* b */);

/* The rows of the given numbers, from 0. */
lg_status lgi_take_rows(lg_engine *E, lgi_dataset *s, int64_t n, const int64_t *rows,
                        lg_tensor **x, lg_tensor **labels);

#endif
