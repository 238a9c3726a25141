/* pictures.h - a data set of picture files, all decoded, as bytes of one size. */
#ifndef LG_DATA_PICTURES_H
#define LG_DATA_PICTURES_H
#include "data/dataset.h"
#include "data/image.h"

/* A PNG or JPEG, told apart by how it begins; channels 1, 3, or 0: 1 where it is gray,
 * else 3. Afterwards lgi_free_image(E, image). */
lg_status lgi_read_picture(lg_engine *E, const char *path, int channels,
                           lgi_image *image);
lg_tensor *lgi_read_picture_tensor(lg_engine *E, const char *path, int channels);

typedef struct lgi_pictures {
    const char *name;                  /* of the set */
    int64_t n;
    const char *const *paths;          // n
    const int32_t *labels;             // n, or NULL
    int channels;                      /* 1 or 3 */
    int height, width;                 /* to cover, the rest is cropped; 0: as they are,
                                          and then all of one size */
    bool halves;                       /* each is two pictures side by side */
} lgi_pictures;

/* The set, or the two of the left and the right halves; released by the caller. */
lg_status lgi_read_pictures(lg_engine *E, const lgi_pictures *p, lgi_dataset *to[2]);

#endif
