/*
 * mask.h - numbers of which some go one way and some the other: dropout and the
 * activations with a corner at 0. Their slopes are all that their gradients need, so that
 * neither input nor result is kept, but a bit for each number.
 *
 * A mask has 16 bits, as a whole number, in each lg_real, the lowest first.
 */
#ifndef LG_KERNEL_MASK_H
#define LG_KERNEL_MASK_H
#include "base/random.h"

enum { LGI_MASK_BITS = 16 };

/* Where the bit is 1 a number is multiplied by on, else by off; or, where it is chosen,
 * it becomes 0, even if it is infinite or NaN. */
typedef struct lgi_slopes {
    lg_real on, off;
    bool choose;
} lgi_slopes;

typedef struct lgi_dropout {
    lgi_stream stream;
    uint64_t first;                    /* of its numbers; that of a block */
    uint32_t bound;                    /* what has 32 bits below it gets a 0 */
} lgi_dropout;

int64_t lgi_mask_numel(int64_t n);     /* of the mask of n numbers */

/* Fills mask, and y, which may be x, from x, n of them. The bit is 1 where x is above 0;
 * if a number is chosen, where it isn't 0 or below, as a NaN is not. */
void lgi_mask_by_sign(lgi_cpu cpu, lgi_slopes s, const lg_real *x, lg_real *y,
                      lg_real *mask, int64_t n);
void lgi_mask_at_random(lgi_cpu cpu, lgi_slopes s, lgi_dropout d, const lg_real *x,
                        lg_real *y, lg_real *mask, int64_t n);

/* y, which may be x, from x by a mask. What is no such whole number counts as 0. */
void lgi_apply_mask(lgi_cpu cpu, lgi_slopes s, const lg_real *mask, const lg_real *x,
                    lg_real *y, int64_t n);

#endif
