/*
 * check.h - gradients against finite differences, for any operator and any sample of it.
 *
 * The whole Jacobian is compared, never a sum, which would hide a transposed one.
 * Elements must be double: in float the differences drown in rounding.
 */
#ifndef LG_GRAD_CHECK_H
#define LG_GRAD_CHECK_H
#include "op/op.h"

enum { LGI_SAMPLE_TEXT = 512 };

typedef struct lgi_sample {            /* a line of a descriptor's samples, made real */
    const lg_op *op;
    const char *text;
    int nin;
    lg_tensor *in[LGI_MAX_IN];         /* NULL: an optional input left out; scoped */
    bool smooth[LGI_MAX_IN];           /* false: an index, which has no gradient */
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES];
} lgi_sample;

lg_status lgi_make_sample(lg_engine *E, const lg_op *op, const char *text, lgi_sample *s);
/* The inputs alone, of an operator or a layer; the options are left as text. */
lg_status lgi_sample_inputs(lg_engine *E, const char *who, const char *text,
                            lgi_sample *s, char options[LGI_SAMPLE_TEXT]);

/* Applies the operator, always with the same random numbers. tracked: a bit an input. */
lg_tensor *lgi_apply_sample(lg_engine *E, const lgi_sample *s, uint32_t tracked,
                            lg_tensor *leaf[LGI_MAX_IN]);

/*
 * The largest difference between the gradient and 4-point differences, relative to
 * 1 + the largest element; where says in words which. First order: of every result, by
 * every tracked input. Second: of a weighted sum of the gradients, by the inputs and by
 * the cotangent.
 */
lg_status lgi_check_first(lg_engine *E, lgi_sample *s, uint32_t tracked, double *worst,
                          char where[256]);
lg_status lgi_check_second(lg_engine *E, lgi_sample *s, double *worst, char where[256]);

#endif
