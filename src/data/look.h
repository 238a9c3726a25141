/*
 * look.h - how the images of a set are looked at: resized, cropped, flipped, normalized.
 *
 * What is left to chance depends on a stream of random numbers and an image's place in
 * the pass, and on nothing else.
 */
#ifndef LG_DATA_LOOK_H
#define LG_DATA_LOOK_H
#include "base/random.h"
#include "data/resize.h"

enum { LGI_LOOK_STEPS = 16, LGI_LOOK_CHANNELS = 16 };

typedef enum lgi_look_kind { LGI_RESIZE, LGI_CROP, LGI_RANDOM_CROP, LGI_FLIP }
    lgi_look_kind;

typedef struct lgi_look_step {
    lgi_look_kind kind;
    int64_t h0, w0, h, w;              /* from this size to that */
    double chance;                     /* of a flip */
    lgi_resampler down, across;
} lgi_look_step;

typedef struct lgi_look {
    int64_t c, h, w;                   /* of a row at its end */
    int64_t most, between;             /* numbers of scratch: see lgi_look_at */
    int n;
    lgi_look_step step[LGI_LOOK_STEPS];
    int channels;                      /* scaled: 0 none, 1 all alike, or c; at the end */
    lg_real scale[LGI_LOOK_CHANNELS], shift[LGI_LOOK_CHANNELS];
} lgi_look;

/* One more step, to h,w; for flips as it is. who is for messages. */
lg_status lgi_add_look(lg_engine *E, lgi_look *k, const char *who, lgi_look_kind kind,
                       int64_t h, int64_t w, double chance);
/* The same steps for images of c channels. */
lg_status lgi_copy_look(lg_engine *E, lgi_look *to, const lgi_look *from, int64_t c);
void lgi_free_look(lg_engine *E, lgi_look *k);

/* Numbers of scratch that lgi_look_at wants. */
int64_t lgi_look_scratch(const lgi_look *k);

/* The image that lies at the beginning of scratch, as it is seen at that place of the
 * pass; stream NULL: without chance, crops from the middle. to: c,h,w. */
void lgi_look_at(const lgi_look *k, const lgi_stream *stream, uint64_t place,
                 lg_real *scratch, lg_real *to);

#endif
