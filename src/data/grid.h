/* grid.h - samples side by side: the picture by which a person judges a generator. */
#ifndef LG_DATA_GRID_H
#define LG_DATA_GRID_H
#include "data/image.h"

typedef struct lgi_grid {
    double lo, hi;                     /* these numbers are black and white */
    int columns;                       /* 0: as many as rows, or one more */
    int padding;                       /* pixels round each sample */
    int64_t clipped;                   /* result: numbers below lo or above hi */
    int64_t nans;                      /* result: not numbers, shown as LGI_NAN_SHADE */
} lgi_grid;
#define LGI_GRID_INIT { -1, 1, 0, 2, 0, 0 }

enum { LGI_PAD_SHADE = 40, LGI_NAN_SHADE = 128 };

/* x: n,c,h,w with 1 or 3 channels, or n,h,w. Afterwards lgi_free_image(E, to). */
lg_status lgi_draw_grid(lg_engine *E, const lg_tensor *x, lgi_grid *grid, lgi_image *to);

#endif
