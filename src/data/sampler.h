/* sampler.h - in which order a pass goes through the rows of a set. */
#ifndef LG_DATA_SAMPLER_H
#define LG_DATA_SAMPLER_H
#include "data/dataset.h"

typedef struct lgi_sampler {
    int64_t rows;                      /* of a pass */
    int64_t *order;                    // rows: of the latest pass
    int64_t pass;
    uint64_t seed;
    bool made;

    int64_t classes;                   /* 0: not balanced */
    int64_t n;                         /* rows of the set, if balanced */
    int64_t *by_class;                 // n: all rows, class after class
    int64_t *begin;                    // classes + 1: where each begins there
} lgi_sampler;

/* Balanced: rounds in which each class has one row; a few rows may be left out. */
lg_status lgi_make_sampler(const lgi_dataset *s, bool balanced, lgi_sampler *to);
void lgi_free_sampler(lg_engine *E, lgi_sampler *p);

/* The order of a pass, which stands until another is asked for. */
const int64_t *lgi_order(const lgi_dataset *s, lgi_sampler *p, int64_t pass);

/* Random numbers for a purpose in a pass. */
lgi_stream lgi_pass_stream(const lgi_dataset *s, int64_t pass, const char *purpose);

#endif
