/*
 * sheet.h - images turned so that LGI_LANES channels of a pixel lie side by side.
 *
 * A tensor n,c,h,w has the pixels of a channel side by side; a sheet holds some rows of
 * one image, pixel after pixel, each with LGI_LANES channels: y,x,lanes. So what is done
 * alike to all channels is done to vectors, whatever the shape.
 */
#ifndef LG_KERNEL_SHEET_H
#define LG_KERNEL_SHEET_H
#include "kernel/winograd_forms.h"

/* Some channels of an image, and which rows of it, with zeros around, a sheet has. */
typedef struct lgi_sheet {
    int64_t h, w;                      /* of the image */
    int64_t first, rows;               /* the first may be negative: rows of zeros */
    int64_t left, cols;                /* columns of zeros before the image, and in all */
    int channels;                      /* up to LGI_LANES; the other lanes are zeros */
} lgi_sheet;

/* Rows of a sheet, or of an image: from .. to - 1. */
typedef struct lgi_rows { int64_t from, to; } lgi_rows;

/* Rows narrower than a vector are turned together: all of a sheet at once is best. */
static inline bool lgi_is_narrow(const lgi_sheet *s) { return s->w < LGI_LANES; }

/* image: channels,h,w. staged has room for lgi_sheet_staged(s) numbers. */
int64_t lgi_sheet_staged(const lgi_sheet *s);
void lgi_fill_sheet(const lgi_lanes *lanes, const lgi_sheet *s, lgi_rows rows,
                    const lg_real *image, lg_real *sheet, lg_real *staged);

/* The other way; what of the sheet is outside of the image is skipped. add: a number for
 * each channel, or NULL. */
void lgi_drain_sheet(const lgi_lanes *lanes, const lgi_sheet *s, const lg_real *sheet,
                     const lg_real *add, lg_real *image, lg_real *staged);

/* count numbers of each channel, step apart, become count vectors, and back. */
void lgi_to_lanes(const lgi_lanes *lanes, const lg_real *from, int64_t step, int channels,
                  int64_t count, lg_real *to);
void lgi_from_lanes(const lgi_lanes *lanes, const lg_real *from, const lg_real *add,
                    int channels, int64_t count, lg_real *to, int64_t step);

#endif
