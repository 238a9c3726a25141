/*
 * contract.h - products of blocks whose axes are named by letters, summed over letters.
 *
 * Blocks are contracted from left to right, each time as a batch of matrix products:
 * letters of both that are needed later are the batch, those of both that are not are
 * summed over, and the rest of one block are the rows, of the other the columns.
 */
#ifndef LG_KERNEL_CONTRACT_H
#define LG_KERNEL_CONTRACT_H
#include "kernel/strided.h"

/* Where the axis of each letter lies; no letter twice. */
typedef struct lgi_block {
    int n;
    char letter[LGI_MAX_STRIDED];
    int64_t size[LGI_MAX_STRIDED], stride[LGI_MAX_STRIDED];
    const lg_real *data;
} lgi_block;

typedef struct lgi_letters { int n; char c[LGI_MAX_STRIDED]; } lgi_letters;

typedef struct lgi_contraction {
    int n;                             /* 1 at least */
    const lgi_block *block;            /* sizes of a letter are the same in all */
    lgi_letters result;                /* each of some block */
    lg_real *to;                       /* row-major */
} lgi_contraction;

bool lgi_has_letter(const char *s, int n, char c);     /* among the first n of s */

/* Bytes of scratch; 0 if a block on the way is larger than a tensor may be. */
size_t lgi_contract_bytes(lg_engine *E, const lgi_contraction *c);
void lgi_contract(lg_engine *E, const lgi_contraction *c, void *scratch);

#endif
