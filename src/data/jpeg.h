/* jpeg.h - JPEG files, gray or RGB, where libjpeg was there when this was built. */
#ifndef LG_DATA_JPEG_H
#define LG_DATA_JPEG_H
#include "data/image.h"

/* The bytes of a file as 1 or 3 channels, as they are. path is for messages. Afterwards
 * lgi_free_image(E, image). */
lg_status lgi_decode_jpeg(lg_engine *E, const char *path, const unsigned char *bytes,
                          size_t size, lgi_image *image);

bool lgi_has_jpeg(void);

#endif
