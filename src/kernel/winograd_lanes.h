/*
 * winograd_lanes.h - the matrices of winograd_forms.h, applied to vectors.
 *
 * winograd_lanes.c includes it once for each processor family, and defines
 *     LANES_TARGET   the attribute that allows its instructions
 *     LANES_BYTES    the size of its vectors
 *     LANES(name)    the name with its ending
 * The matrices are constants where they are applied: zeros and ones cost nothing.
 */
#include "kernel/tile.h"
#include "kernel/winograd_forms.h"

typedef lg_real LANES(vec) __attribute__((vector_size(LANES_BYTES),
                                          aligned(sizeof(lg_real)), may_alias));

enum { LANES(COUNT) = LANES_BYTES / sizeof(lg_real) };

#ifndef LGI_WINOGRAD_TABLES
#define LGI_WINOGRAD_TABLES
#define Q(a, b) ((lg_real)(a) / (b))

/* F(2,2): points 0, 1, infinity. */
static const lg_real to_points_22[] = {-1, 1, 0,  0, 1, 0,  0, -1, 1};
static const lg_real to_sums_22[] = {1, 1, 0,  0, 1, 1};
static const lg_real to_weights_22[] = {-1, 0,  1, 1,  0, 1};
static const lg_real short_to_points_22[] = {1, 0, 0,  0, 0, 0,  0, 1, 0};
static const lg_real short_to_weights_22[] = {1, 0,  0, 0,  1, 0};

/* F(4,2): points 0, 3/4, -3/4, 3/2, infinity. */
static const lg_real to_points_42[] = {
    Q(27, 32), Q(-9, 16), Q(-3, 2), 1, 0,
    0, Q(-9, 8), Q(-3, 4), 1, 0,
    0, Q(9, 8), Q(-9, 4), 1, 0,
    0, Q(-9, 16), 0, 1, 0,
    0, Q(27, 32), Q(-9, 16), Q(-3, 2), 1};
static const lg_real to_sums_42[] = {
    1, 1, 1, 1, 0,
    0, Q(3, 4), Q(-3, 4), Q(3, 2), 0,
    0, Q(9, 16), Q(9, 16), Q(9, 4), 0,
    0, Q(27, 64), Q(-27, 64), Q(27, 8), 1};
static const lg_real to_weights_42[] = {
    Q(32, 27), 0,
    Q(-32, 27), Q(-8, 9),
    Q(-32, 81), Q(8, 27),
    Q(32, 81), Q(16, 27),
    0, 1};
static const lg_real short_to_points_42[] = {
    1, 0, Q(-16, 9), 0, 0,
    0, Q(2, 3), Q(8, 9), 0, 0,
    0, Q(-2, 3), Q(8, 9), 0, 0,
    0, 0, 0, 0, 0,
    0, Q(-9, 16), 0, 1, 0};
static const lg_real short_to_weights_42[] = {1, 0,  1, 0,  1, 0,  0, 0,  1, 0};

/* F(4,3): points 0, 3/4, -3/4, 3/2, -3/2, infinity. */
static const lg_real to_points_43[] = {
    Q(81, 64), 0, Q(-45, 16), 0, 1, 0,
    0, Q(-27, 16), Q(-9, 4), Q(3, 4), 1, 0,
    0, Q(27, 16), Q(-9, 4), Q(-3, 4), 1, 0,
    0, Q(-27, 32), Q(-9, 16), Q(3, 2), 1, 0,
    0, Q(27, 32), Q(-9, 16), Q(-3, 2), 1, 0,
    0, Q(81, 64), 0, Q(-45, 16), 0, 1};
static const lg_real to_sums_43[] = {
    1, 1, 1, 1, 1, 0,
    0, Q(3, 4), Q(-3, 4), Q(3, 2), Q(-3, 2), 0,
    0, Q(9, 16), Q(9, 16), Q(9, 4), Q(9, 4), 0,
    0, Q(27, 64), Q(-27, 64), Q(27, 8), Q(-27, 8), 1};
static const lg_real to_weights_43[] = {
    Q(64, 81), 0, 0,
    Q(-128, 243), Q(-32, 81), Q(-8, 27),
    Q(-128, 243), Q(32, 81), Q(-8, 27),
    Q(32, 243), Q(16, 81), Q(8, 27),
    Q(32, 243), Q(-16, 81), Q(8, 27),
    0, 0, 1};
static const lg_real short_to_points_43[] = {
    Q(27, 32), Q(-9, 16), Q(-3, 2), 1, 0, 0,
    0, Q(-9, 8), Q(-3, 4), 1, 0, 0,
    0, Q(9, 8), Q(-9, 4), 1, 0, 0,
    0, Q(-9, 16), 0, 1, 0, 0,
    0, 0, 0, 0, 0, 0,
    0, Q(27, 32), Q(-9, 16), Q(-3, 2), 1, 0};
static const lg_real short_to_weights_43[] = {
    Q(32, 27), 0, 0,
    Q(-32, 27), Q(-8, 9), 0,
    Q(-32, 81), Q(8, 27), 0,
    Q(32, 81), Q(16, 27), 0,
    0, 0, 0,
    0, 1, 0};

/* F(4,5): points 0, 1, -1, 2, -2, 1/2, -1/2, infinity. */
static const lg_real to_points_45[] = {
    -1, 0, Q(21, 4), 0, Q(-21, 4), 0, 1, 0,
    0, 1, 1, Q(-17, 4), Q(-17, 4), 1, 1, 0,
    0, -1, 1, Q(17, 4), Q(-17, 4), -1, 1, 0,
    0, Q(1, 2), Q(1, 4), Q(-5, 2), Q(-5, 4), 2, 1, 0,
    0, Q(-1, 2), Q(1, 4), Q(5, 2), Q(-5, 4), -2, 1, 0,
    0, 2, 4, Q(-5, 2), -5, Q(1, 2), 1, 0,
    0, -2, 4, Q(5, 2), -5, Q(-1, 2), 1, 0,
    0, -1, 0, Q(21, 4), 0, Q(-21, 4), 0, 1};
static const lg_real to_sums_45[] = {
    1, 1, 1, 1, 1, 1, 1, 0,
    0, 1, -1, 2, -2, Q(1, 2), Q(-1, 2), 0,
    0, 1, 1, 4, 4, Q(1, 4), Q(1, 4), 0,
    0, 1, -1, 8, -8, Q(1, 8), Q(-1, 8), 1};
static const lg_real to_weights_45[] = {
    -1, 0, 0, 0, 0,
    Q(-2, 9), Q(-2, 9), Q(-2, 9), Q(-2, 9), Q(-2, 9),
    Q(-2, 9), Q(2, 9), Q(-2, 9), Q(2, 9), Q(-2, 9),
    Q(1, 90), Q(1, 45), Q(2, 45), Q(4, 45), Q(8, 45),
    Q(1, 90), Q(-1, 45), Q(2, 45), Q(-4, 45), Q(8, 45),
    Q(32, 45), Q(16, 45), Q(8, 45), Q(4, 45), Q(2, 45),
    Q(32, 45), Q(-16, 45), Q(8, 45), Q(-4, 45), Q(2, 45),
    0, 0, 0, 0, 1};
#define short_to_points_45 to_points_45                 /* there is none */
#define short_to_weights_45 to_weights_45

/* F(2,7): the points of F(4,5). */
#define to_points_27 to_points_45
static const lg_real to_sums_27[] = {
    1, 1, 1, 1, 1, 1, 1, 0,
    0, 1, -1, 2, -2, Q(1, 2), Q(-1, 2), 1};
static const lg_real to_weights_27[] = {
    -1, 0, 0, 0, 0, 0, 0,
    Q(-2, 9), Q(-2, 9), Q(-2, 9), Q(-2, 9), Q(-2, 9), Q(-2, 9), Q(-2, 9),
    Q(-2, 9), Q(2, 9), Q(-2, 9), Q(2, 9), Q(-2, 9), Q(2, 9), Q(-2, 9),
    Q(1, 90), Q(1, 45), Q(2, 45), Q(4, 45), Q(8, 45), Q(16, 45), Q(32, 45),
    Q(1, 90), Q(-1, 45), Q(2, 45), Q(-4, 45), Q(8, 45), Q(-16, 45), Q(32, 45),
    Q(32, 45), Q(16, 45), Q(8, 45), Q(4, 45), Q(2, 45), Q(1, 45), Q(1, 90),
    Q(32, 45), Q(-16, 45), Q(8, 45), Q(-4, 45), Q(2, 45), Q(-1, 45), Q(1, 90),
    0, 0, 0, 0, 0, 0, 1};
#define short_to_points_27 to_points_27
#define short_to_weights_27 to_weights_27
#undef Q

enum { MOST_POINTS = 8 };              /* of one dimension */
#endif

/* The sum over j < n of t[j*tstep] x[j*xstep]. */
LANES_TARGET __attribute__((always_inline))
static inline LANES(vec) LANES(mix)(const lg_real *t, const int tstep, const int n,
                                    const LANES(vec) *x, const int xstep)
{
    LANES(vec) sum = {0};
    bool first = true;
    LGI_UNROLL
    for (int j = 0; j < n; j++) {
        const lg_real by = t[j * tstep];
        if (by != 0) {
            sum = first ? by * x[j * xstep] : sum + by * x[j * xstep];
            first = false;
        }
    }
    return sum;
}

LANES_TARGET __attribute__((always_inline))
static inline bool LANES(is_zero)(const lg_real *t, const int tstep, const int n)
{
    bool zero = true;
    LGI_UNROLL
    for (int j = 0; j < n; j++)
        zero &= t[j * tstep] == 0;
    return zero;
}

/* Matrices of rows,cols, element (i,j) at i*istep + j*jstep, on both sides: down the
 * columns of a square, and along its rows. Results are far from one another, and a store
 * that has to wait holds up those after it: the places of the next square are fetched. */
LANES_TARGET __attribute__((always_inline))
static inline void LANES(both_sides)(const lgi_squares *s, const lg_real *down,
                                     const lg_real *along, const int rows,
                                     const int cols, const int istep, const int jstep,
                                     const bool add)
{
    const int64_t from_row = s->from_row, from_col = s->from_col;
    const int64_t to_row = s->to_row, to_col = s->to_col;
    for (int64_t at = 0; at < s->count * LGI_LANES; at += LANES(COUNT)) {
        int64_t square = at / LGI_LANES, lane = at % LGI_LANES;
        const lg_real *from = s->from + square * s->from_next + lane;
        lg_real *to = s->to + square * s->to_next + lane;
        LANES(vec) half[MOST_POINTS * MOST_POINTS];            // rows,cols
        LGI_UNROLL
        for (int j = 0; j < cols; j++) {
            LANES(vec) x[MOST_POINTS];
            LGI_UNROLL
            for (int i = 0; i < cols; i++)
                x[i] = *(const LANES(vec) *)(from + i * from_row + j * from_col);
            LGI_UNROLL
            for (int i = 0; i < rows; i++)
                half[i * MOST_POINTS + j] =
                    LANES(mix)(down + i * istep, jstep, cols, x, 1);
        }
        LGI_UNROLL
        for (int i = 0; i < rows; i++)
            LGI_UNROLL
            for (int j = 0; j < rows; j++) {
                LANES(vec) *place = (LANES(vec) *)(to + i * to_row + j * to_col);
                bool missing = LANES(is_zero)(down + i * istep, jstep, cols);
                missing |= LANES(is_zero)(along + j * istep, jstep, cols);
                if (missing)
                    continue;
                LANES(vec) sum = LANES(mix)(along + j * istep, jstep, cols,
                                            half + i * MOST_POINTS, 1);
                if (add)
                    sum += *place;
                else
                    __builtin_prefetch(to + s->to_next + i * to_row + j * to_col, 1);
                *place = sum;
            }
    }
}

/* Those that a missing tap makes no difference to. */
#define LANES_FORM(f, m, r, n, lacks)                                                   \
    LANES_TARGET static void LANES(to_sums_##f)(const lgi_squares *s)                   \
    {                                                                                   \
        LANES(both_sides)(s, to_sums_##f, to_sums_##f, m, n, n, 1, false);              \
    }                                                                                   \
    LANES_TARGET static void LANES(from_sums_##f)(const lgi_squares *s)                 \
    {                                                                                   \
        LANES(both_sides)(s, to_sums_##f, to_sums_##f, n, m, 1, n, false);              \
    }
LGI_WINOGRAD_FORMS(LANES_FORM)

#define LANES_PAIR(f, m, r, n, name, down, along)                                       \
    LANES_TARGET static void LANES(to_points_##name##f)(const lgi_squares *s)           \
    {                                                                                   \
        LANES(both_sides)(s, down##to_points_##f, along##to_points_##f, n, n, n, 1,     \
                          false);                                                       \
    }                                                                                   \
    LANES_TARGET static void LANES(to_weights_##name##f)(const lgi_squares *s)          \
    {                                                                                   \
        LANES(both_sides)(s, down##to_weights_##f, along##to_weights_##f, n, r, r, 1,   \
                          false);                                                       \
    }                                                                                   \
    LANES_TARGET static void LANES(from_points_##name##f)(const lgi_squares *s)         \
    {                                                                                   \
        LANES(both_sides)(s, down##to_points_##f, along##to_points_##f, n, n, 1, n,     \
                          true);                                                        \
    }                                                                                   \
    LANES_TARGET static void LANES(from_weights_##name##f)(const lgi_squares *s)        \
    {                                                                                   \
        LANES(both_sides)(s, down##to_weights_##f, along##to_weights_##f, r, n, 1, r,   \
                          false);                                                       \
    }
#define LANES_PAIRS(f, m, r, n, lacks)                                                  \
    LANES_PAIR(f, m, r, n, , , )                                                        \
    LANES_PAIR(f, m, r, n, down_, short_, )                                             \
    LANES_PAIR(f, m, r, n, along_, , short_)                                            \
    LANES_PAIR(f, m, r, n, both_, short_, short_)
LGI_WINOGRAD_FORMS(LANES_PAIRS)

#define LANES_ROW(f, name)                                                              \
    {LANES(to_points_##name##f), LANES(to_sums_##f), LANES(to_weights_##name##f),       \
     LANES(from_sums_##f), LANES(from_weights_##name##f), LANES(from_points_##name##f)}
#define LANES_ENTRY(f, m, r, n, lacks)                                                  \
    {LANES_ROW(f, ), LANES_ROW(f, down_), LANES_ROW(f, along_), LANES_ROW(f, both_)},
const lgi_lanes LANES(lgi_lanes) = {{LGI_WINOGRAD_FORMS(LANES_ENTRY)}, LANES(turn)};
#undef LANES_FORM
#undef LANES_PAIR
#undef LANES_PAIRS
#undef LANES_ROW
#undef LANES_ENTRY
