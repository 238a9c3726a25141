/*
 * image.h - a picture as bytes, pixel after pixel, and what bytes mean as numbers.
 *
 * Everywhere in this folder the byte b stands for the number b / 127.5 - 1: 0..255 is
 * -1..1, the range of tanh.
 */
#ifndef LG_DATA_IMAGE_H
#define LG_DATA_IMAGE_H
#include "tensor/tensor.h"

enum { LGI_MAX_SIDE = 16384 };         /* pixels */

typedef struct lgi_image {
    int width, height;
    int channels;                      /* 1: gray, 3: RGB; 2, 4: with alpha, in png.c */
    unsigned char *pixels;             // h,w,c
} lgi_image;

static inline lg_real lgi_byte_value(unsigned byte)
{
    return (lg_real)(byte / 127.5 - 1);
}

lg_status lgi_new_image(lg_engine *E, lgi_image *to, int width, int height, int channels);
void lgi_free_image(lg_engine *E, lgi_image *image);   /* an empty one is fine */

/* To 1 or 3 channels. What is transparent is laid on white: the colors hidden under it
 * are arbitrary. Gray is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). */
lg_status lgi_convert_image(lg_engine *E, lgi_image *image, int channels);

lg_tensor *lgi_image_tensor(lg_engine *E, const lgi_image *image);     // c,h,w

#endif
