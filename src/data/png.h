/* png.h - PNG files, gray or RGB, eight bits a channel. */
#ifndef LG_DATA_PNG_H
#define LG_DATA_PNG_H
#include "data/image.h"

/* Written whole or not at all. pixels: h,w,c with 1 or 3 channels. */
lg_status lgi_write_png(lg_engine *E, const char *path, int width, int height,
                        int channels, const unsigned char *pixels);

/* Any PNG, as 1 or 3 channels; 0: 1 where the file is gray, else 3. Afterwards
 * lgi_free_image(E, image). */
lg_status lgi_read_png(lg_engine *E, const char *path, int channels, lgi_image *image);

/* The same as numbers in [-1, 1]. */
lg_tensor *lgi_read_png_tensor(lg_engine *E, const char *path, int channels);  // c,h,w

#endif
