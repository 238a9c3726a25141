/*
 * tile.h - the innermost loop of products and convolutions: one small tile of c = a b,
 * kept in registers. One file a processor family; one strip of b, `cols` wide, is packed
 * first, so that it stays in the first cache while tiles of rows of a pass over it.
 *
 * Each element of c is summed over k in order, whatever the tile it falls into: a row
 * has the same bits alone and among others.
 */
#ifndef LG_KERNEL_TILE_H
#define LG_KERNEL_TILE_H
#include "base/engine.h"

/* What is thin: rows for which there is a wider tile, with so many columns at most, and
 * the k of a strip of b that stays in registers. */
enum { LGI_FEW_ROWS = 3, LGI_FEW_COLS = 128, LGI_SHALLOW = 4 };

/* k and columns of a packed strip, which stays in the first cache, and the rows of a that
 * pass over it, which stay in the second. */
enum { LGI_STRIP_DEPTH = 256, LGI_STRIP_COLS = 32, LGI_CHUNK_ROWS = 256 };

/* Before a loop whose bound is a constant once it is inlined: arrays of sums become
 * registers only when it is unrolled, and each compiler asks in its own way. */
#if defined(__clang__)
#define LGI_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LGI_UNROLL _Pragma("GCC unroll 16")
#endif

/* What is read next: while a tile is computed a step of its loop over k fetches the line
 * of at + row*rowstep + i*step and the one after it, for n steps a row. */
typedef struct lgi_ahead {
    const lg_real *at;
    int64_t step, n;
    int64_t rowstep, rows;             /* 0 rows: nothing */
} lgi_ahead;

typedef struct lgi_tile {
    const lg_real *a;                  /* element (i, p) at a[i*arow + p*astep] */
    int64_t arow, astep;
    const lg_real *b;                  /* row p at b + p*bstep; a full vector is read */
    int64_t bstep;
    lg_real *c;                        /* row i at c + i*ldc; only cols are written */
    int64_t ldc;
    int64_t k;
    int rows, cols;                    /* up to the tiling's */
    bool add;                          /* c += a b */
    const lg_real *bias;               /* cols: added to every row at last; or NULL */
    lgi_ahead ahead;                   /* of use to those tiles that look at it */
} lgi_tile;

typedef struct lgi_tiling {
    int rows, cols;                    /* of the largest tile */
    void (*multiply)(const lgi_tile *t);

    /* Of up to LGI_FEW_ROWS rows, and of more columns than cols: LGI_FEW_COLS at most.
     * Of b no more than the columns are read. */
    int few_cols;
    void (*multiply_few)(const lgi_tile *t);

    /* Of a k up to LGI_SHALLOW, and of any number of rows. */
    void (*multiply_shallow)(const lgi_tile *t);

    /* to[p*cols + j] = b[p*ldb + j]: packs a strip; n columns, then zeros. */
    void (*copy)(const lg_real *b, int64_t ldb, int64_t k, int n, lg_real *to);

    /* to[p*cols + j] = b[j*ldb + p]: packs a transposed strip; n columns, then zeros. */
    void (*transpose)(const lg_real *b, int64_t ldb, int64_t k, int n, lg_real *to);

    /* to[p*cols + j] = src[row[p] + at[j]]: packs a strip of a matrix that is never
     * formed, such as a convolution's columns. */
    void (*gather)(const lg_real *src, const int32_t *row, int64_t k, const int32_t *at,
                   lg_real *to);
} lgi_tiling;

extern const lgi_tiling lgi_plain_tiling;
#if defined(__x86_64__)
extern const lgi_tiling lgi_avx2_tiling, lgi_avx512_tiling;
void lgi_transpose_avx2(const lg_real *b, int64_t ldb, int64_t k, int n, int cols,
                        lg_real *to);
#endif
void lgi_transpose_plain(const lg_real *b, int64_t ldb, int64_t k, int n, int cols,
                         lg_real *to);

/* All m rows on one strip: t has everything but rows, and is advanced. */
void lgi_multiply_rows(const lgi_tiling *k, lgi_tile t, int64_t m);

const lgi_tiling *lgi_tiling_of(lgi_cpu cpu);

/* How many units of that many multiplications make a piece worth handing out. */
int64_t lgi_units_per_piece(int64_t units, int64_t work);

#endif
