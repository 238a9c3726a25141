/*
 * batches.h - the passes of a data set in batches.
 *
 * The order of a pass, and what is left to chance in it, depend on the engine's seed, the
 * set's name and the number of the pass alone: so a resumed run goes on with the same
 * batches. With more than one thread the next batch is made while the script computes
 * with this one; its bits are the same.
 */
#ifndef LG_DATA_BATCHES_H
#define LG_DATA_BATCHES_H
#include "data/dataset.h"

typedef struct lgi_plan {
    int64_t size;                      /* rows of a batch */
    bool keep_last;                    /* the short last batch of a pass counts */
    bool balanced;                     /* every class equally often */
    bool endless;                      /* after the last batch of a pass comes the next */
    bool ahead;                        /* is the next batch made in the background? */
} lgi_plan;

typedef struct lgi_loader lgi_loader;

/* Retains the set. NULL after a failure: without labels nothing is balanced. */
lgi_loader *lgi_open_loader(lgi_dataset *s, const lgi_plan *plan);
void lgi_close_loader(lgi_loader *l);                  /* l may be NULL */
int64_t lgi_loader_rows(const lgi_loader *l);          /* of a pass */
int64_t lgi_loader_steps(const lgi_loader *l);         /* batches of a pass */

/* Batch index, from 0, of a pass: pass 0 is in the set's own order and without chance,
 * those from 1 are shuffled. labels is NULL where the set has none; the argument may be
 * NULL. */
lg_status lgi_load_batch(lgi_loader *l, int64_t pass, int64_t index,
                         lg_tensor **x /* b,c,h,w */, lg_tensor **labels /* b */);

/* The rows of the given numbers, from 0, without chance. */
lg_status lgi_take_rows(lg_engine *E, lgi_dataset *s, int64_t n, const int64_t *rows,
                        lg_tensor **x, lg_tensor **labels);

#endif
