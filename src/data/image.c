/* image.c - pictures as bytes. */
#include "data/image.h"

#include "base/memory.h"

static size_t image_bytes(const lgi_image *m)
{
    return (size_t)m->width * (size_t)m->height * (size_t)m->channels;
}

lg_status lgi_new_image(lg_engine *E, lgi_image *to, int width, int height, int channels)
{
    *to = (lgi_image){width, height, channels, NULL};
    if (width < 1 || height < 1 || width > LGI_MAX_SIDE || height > LGI_MAX_SIDE)
        return lgi_fail(E, LG_ESHAPE, "an image of %d x %d pixels cannot be made; a side "
                        "has 1 to %d", width, height, LGI_MAX_SIDE);
    to->pixels = lgi_alloc(E, image_bytes(to));
    return to->pixels ? LG_OK : E->status;
}

void lgi_free_image(lg_engine *E, lgi_image *image)
{
    if (image->pixels)
        lgi_free(E, image->pixels, image_bytes(image));
    image->pixels = NULL;
}

static unsigned on_white(unsigned shade, unsigned alpha)
{
    return (shade * alpha + 255 * (255 - alpha) + 127) / 255;
}

static void convert_pixel(const unsigned char *from, int have, unsigned char *to,
                          int want)
{
    bool color = have >= 3;
    unsigned alpha = have == 2 ? from[1] : have == 4 ? from[3] : 255;
    unsigned r = on_white(from[0], alpha);
    unsigned g = color ? on_white(from[1], alpha) : r;
    unsigned b = color ? on_white(from[2], alpha) : r;
    if (want == 1) {
        to[0] = (unsigned char)((299 * r + 587 * g + 114 * b + 500) / 1000);
        return;
    }
    to[0] = (unsigned char)r;
    to[1] = (unsigned char)g;
    to[2] = (unsigned char)b;
}

lg_status lgi_convert_image(lg_engine *E, lgi_image *image, int channels)
{
    lgi_image to;
    if (image->channels == channels)
        return LG_OK;
    if (lgi_new_image(E, &to, image->width, image->height, channels) < 0)
        return E->status;
    size_t n = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < n; i++)
        convert_pixel(image->pixels + i * (size_t)image->channels, image->channels,
                      to.pixels + i * (size_t)channels, channels);
    lgi_free_image(E, image);
    *image = to;
    return LG_OK;
}

lg_tensor *lgi_image_tensor(lg_engine *E, const lgi_image *image)
{
    int64_t c = image->channels, plane = (int64_t)image->height * image->width;
    lg_tensor *t = lgi_make(E, 3, (int64_t[]){c, image->height, image->width});
    for (int64_t i = 0; t && i < plane; i++)
        for (int64_t k = 0; k < c; k++)
            t->data[k * plane + i] = lgi_byte_value(image->pixels[i * c + k]);
    return t;
}
