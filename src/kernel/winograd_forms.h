/*
 * winograd_forms.h - products of polynomials by points (Winograd 1980; Lavin & Gray 2016)
 *
 * A form F(m,r) gives m neighboring sums of r products each by m + r - 1 multiplications,
 * one a point: y = AT ((G w) * (BT x)). In two dimensions each matrix is applied from
 * both sides. The points were chosen for small errors: of F(4,3) with 0, 3/4, -3/4, 3/2,
 * -3/2 and infinity they are a fifth of those with the usual 0, 1, -1, 2, -2.
 *
 * The phases of a convolution of odd size with a stride have r taps or r - 1. Where the
 * last tap is missing one point less is needed, and the other points can stay the same:
 * F(4,2) has those of F(4,3) without -3/2. So products of both kinds of phases can be
 * summed at the points that both have. The short matrices are those of F(m,r-1), with
 * zeros where the missing point and the missing tap would be.
 *
 * The kernels that apply the matrices are in winograd_lanes.h, once a processor family.
 */
#ifndef LG_KERNEL_WINOGRAD_FORMS_H
#define LG_KERNEL_WINOGRAD_FORMS_H
#include "base/engine.h"

/* Channels that are handled beside one another. */
enum { LGI_LANES = 16 };

/* name, m, r, m + r - 1, and the point that a short one lacks; none: -1. */
#define LGI_WINOGRAD_FORMS(X)                                                           \
    X(22, 2, 2, 3, 1) X(42, 4, 2, 5, 3) X(43, 4, 3, 6, 4) X(45, 4, 5, 8, -1)            \
    X(27, 2, 7, 8, -1)

typedef enum { LGI_F22, LGI_F42, LGI_F43, LGI_F45, LGI_F27, LGI_FORMS } lgi_form;

/* What is made of a square of vectors. The last three are the transposes of the first:
 * they carry a gradient back. */
typedef enum {
    LGI_TO_POINTS,                     /* BT: m+r-1 of the input */
    LGI_TO_SUMS,                       /* AT: m+r-1 points to m sums */
    LGI_TO_WEIGHTS,                    /* G: r taps to m+r-1 points */
    LGI_FROM_SUMS,                     /* A: m gradients to m+r-1 points */
    LGI_FROM_WEIGHTS,                  /* GT: m+r-1 points to r gradients of taps */
    LGI_FROM_POINTS,                   /* B: of the input's gradient; added to what is */
    LGI_MATRICES
} lgi_matrix;

/* Whether the last tap is missing down the columns and along the rows: bits. */
enum { LGI_SHORT_DOWN = 1, LGI_SHORT_ALONG = 2, LGI_SHORTS = 4 };

/* Some squares of vectors of LGI_LANES numbers: where they are, and where results go. */
typedef struct lgi_squares {
    const lg_real *from;
    int64_t from_row, from_col, from_next;
    lg_real *to;
    int64_t to_row, to_col, to_next;
    int64_t count;
} lgi_squares;

typedef struct lgi_lanes {
    /* Each square becomes matrix * square * transpose of the matrix, each of the two in
     * full or short. The numbers of missing points are not written, or read. */
    void (*apply[LGI_FORMS][LGI_SHORTS][LGI_MATRICES])(const lgi_squares *s);

    /* to[j*to_step + i] = from[i*from_step + j] + add[j], for i, j < LGI_LANES. */
    void (*turn)(const lg_real *from, int64_t from_step, const lg_real *add, lg_real *to,
                 int64_t to_step);
} lgi_lanes;

const lgi_lanes *lgi_lanes_of(lgi_cpu cpu);
extern const lgi_lanes lgi_lanes_plain;
#if defined(__x86_64__)
extern const lgi_lanes lgi_lanes_avx2, lgi_lanes_avx512;
#endif

#endif
