/* gemm_block.h - one block of a product, computed by one thread from tiles. */
#ifndef LG_KERNEL_GEMM_BLOCK_H
#define LG_KERNEL_GEMM_BLOCK_H
#include "kernel/gemm.h"
#include "kernel/tile.h"

/* Bytes that a block of a transposed a may use to bring its numbers together. */
enum { LGI_ROOM = LGI_STRIP_DEPTH * (LGI_CHUNK_ROWS + 16) * (int)sizeof(lg_real) };

typedef struct lgi_gemm_block { int64_t i, rows, j, cols; } lgi_gemm_block;

/* Columns of the blocks that p is best cut into: the width of a strip of b, or of what a
 * tile of a few rows takes. */
int64_t lgi_strip_cols(const lgi_tiling *tiling, const lgi_product *p);

/* Is a better copied together where many strips of b pass over it? */
bool lgi_wants_room(const lgi_product *p);

/* Rows and columns of a block of c over the whole of k; up to LGI_CHUNK_ROWS rows if
 * there is room, which may be NULL. */
void lgi_compute_block(const lgi_tiling *tiling, const lgi_product *p, lgi_gemm_block at,
                       lg_real *room);

#endif
