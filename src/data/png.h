/* png.h - PNG files, gray or RGB, eight bits a channel. */
#ifndef LG_DATA_PNG_H
#define LG_DATA_PNG_H
#include "data/image.h"

/* Written whole or not at all. pixels: h,w,c with 1 or 3 channels. */
lg_status lgi_write_png(lg_engine *E, const char *path, int width, int height,
                        int channels, const unsigned char *pixels);

/* The bytes of a file, with its own 1 to 4 channels; path is for messages. Afterwards
 * lgi_free_image(E, image). Whole files are read by pictures.h. */
lg_status lgi_decode_png(lg_engine *E, const char *path, const unsigned char *bytes,
                         size_t size, lgi_image *image);

#endif
