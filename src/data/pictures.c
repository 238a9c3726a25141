/* pictures.c - from picture files to rows of bytes. */
#include "data/pictures.h"

#include "base/files.h"
#include "base/memory.h"
#include "data/jpeg.h"
#include "data/png.h"

#include <math.h>
#include <string.h>

enum { PICTURE_MOST = 64 << 20 };      /* bytes of a file */

/* one picture */

static lg_status decode_picture(lg_engine *E, const char *path, const unsigned char *b,
                                size_t n, lgi_image *image)
{
    static const unsigned char png[] = {137, 'P', 'N', 'G'};
    if (n >= 4 && memcmp(b, png, 4) == 0)
        return lgi_decode_png(E, path, b, n, image);
    if (n >= 3 && b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff)
        return lgi_decode_jpeg(E, path, b, n, image);
    return lgi_fail(E, LG_EFORMAT, "'%s' is not a PNG file, and no JPEG", path);
}

lg_status lgi_read_picture(lg_engine *E, const char *path, int channels,
                           lgi_image *image)
{
    unsigned char *data;
    size_t size;
    memset(image, 0, sizeof *image);
    if (E->status == LG_OK && channels != 0 && channels != 1 && channels != 3)
        return lgi_fail(E, LG_EARG, "'%s' cannot be read as %d channels; 1 is gray, 3 is "
                        "RGB, 0 is as it is", path, channels);
    if (lgi_read_file(E, path, PICTURE_MOST, &data, &size) < 0)
        return E->status;
    decode_picture(E, path, data, size, image);
    lgi_free(E, data, size);
    if (!channels)
        channels = image->channels < 3 ? 1 : 3;
    if (E->status == LG_OK)
        lgi_convert_image(E, image, channels);
    if (E->status < 0)
        lgi_free_image(E, image);
    return E->status;
}

lg_tensor *lgi_read_picture_tensor(lg_engine *E, const char *path, int channels)
{
    lgi_image image;
    if (lgi_read_picture(E, path, channels, &image) < 0)
        return NULL;
    lg_tensor *t = lgi_image_tensor(E, &image);
    lgi_free_image(E, &image);
    return t;
}

/* to a size: so large that it covers, then the middle of it */

typedef struct fitting {
    lgi_look look;                     /* for pictures of the latest size */
    lg_real *scratch, *result;
    size_t scratch_bytes, result_bytes;
} fitting;

static void free_fitting(lg_engine *E, fitting *f)
{
    lgi_free_look(E, &f->look);
    lgi_free(E, f->scratch, f->scratch_bytes);
    lgi_free(E, f->result, f->result_bytes);
    *f = (fitting){0};
}

/* Pillow and torchvision cut the longer side down: int(size * long / short). */
static lg_status make_fitting(lg_engine *E, int64_t c, int64_t h0, int64_t w0, int64_t h,
                              int64_t w, fitting *f)
{
    free_fitting(E, f);
    f->look = (lgi_look){.c = c, .h = h0, .w = w0};
    bool tall = h0 * w >= w0 * h;      /* its width decides */
    int64_t h1 = tall ? h0 * w / w0 : h, w1 = tall ? w : w0 * h / h0;
    h1 = h1 > h ? h1 : h;
    w1 = w1 > w ? w1 : w;
    h1 = h1 < LGI_MAX_SIDE ? h1 : LGI_MAX_SIDE;
    w1 = w1 < LGI_MAX_SIDE ? w1 : LGI_MAX_SIDE;
    lgi_add_look(E, &f->look, "size", LGI_RESIZE, h1, w1, 0);
    lgi_add_look(E, &f->look, "size", LGI_CROP, h, w, 0);
    f->scratch_bytes = (size_t)lgi_look_scratch(&f->look) * sizeof *f->scratch;
    f->result_bytes = (size_t)(c * h * w) * sizeof *f->result;
    if (E->status == LG_OK)
        f->scratch = lgi_alloc(E, f->scratch_bytes);
    if (E->status == LG_OK)
        f->result = lgi_alloc(E, f->result_bytes);
    return E->status;
}

/* the rows of a set */

typedef struct picture_rows {
    const lgi_pictures *p;
    int parts;                         /* 1, or 2 halves */
    int64_t h0, w0;                    /* of the first one, of its half */
    int64_t h, w;                      /* of a row */
    unsigned char *bytes[2];           // n,c,h,w
    fitting fit;
} picture_rows;

static size_t rows_bytes(const picture_rows *r)
{
    return (size_t)(r->p->n * r->p->channels * r->h * r->w);
}

static void place_pixels(const picture_rows *r, const lgi_image *m, int64_t left,
                         unsigned char *to)
{
    int64_t c = m->channels;
    for (int64_t k = 0; k < c; k++)
        for (int64_t i = 0; i < r->h; i++)
            for (int64_t j = 0; j < r->w; j++)
                *to++ = m->pixels[(i * m->width + left + j) * c + k];
}

static unsigned char rounded(lg_real v)        /* of 0..255, which a mean stays within */
{
    lg_real b = v + (lg_real)0.5;
    return b <= 0 ? 0 : b >= 255 ? 255 : (unsigned char)b;
}

static lg_status fit_pixels(lg_engine *E, picture_rows *r, const lgi_image *m,
                            int64_t left, int64_t width, unsigned char *to)
{
    const lgi_look *look = &r->fit.look;
    int64_t c = m->channels, h = m->height, n = 0;
    if (!look->n || look->step[0].h0 != h || look->step[0].w0 != width)
        if (make_fitting(E, c, h, width, r->h, r->w, &r->fit) < 0)
            return E->status;
    for (int64_t k = 0; k < c; k++)
        for (int64_t i = 0; i < h; i++)
            for (int64_t j = 0; j < width; j++)
                r->fit.scratch[n++] = m->pixels[(i * m->width + left + j) * c + k];
    lgi_look_at(look, NULL, 0, r->fit.scratch, r->fit.result);
    for (int64_t i = 0; i < c * r->h * r->w; i++)
        to[i] = rounded(r->fit.result[i]);
    return LG_OK;
}

static lg_status begin_rows(lg_engine *E, picture_rows *r, const lgi_image *m)
{
    const lgi_pictures *p = r->p;
    r->h0 = m->height;
    r->w0 = m->width / r->parts;
    r->h = p->height ? p->height : r->h0;
    r->w = p->width ? p->width : r->w0;
    if (p->n > INT64_MAX / 3 / (r->h * r->w + 1))
        return lgi_fail(E, LG_ENOMEM, "data: %lld pictures of %lld x %lld do not fit "
                        "into memory", (long long)p->n, (long long)r->w, (long long)r->h);
    for (int k = 0; k < r->parts; k++)
        r->bytes[k] = lgi_alloc(E, rows_bytes(r));
    return E->status;
}

static lg_status check_picture(lg_engine *E, const picture_rows *r, const lgi_image *m,
                               int64_t i)
{
    const lgi_pictures *p = r->p;
    if (r->parts == 2 && m->width % 2)
        return lgi_fail(E, LG_EFORMAT, "'%s' is %d pixels wide; two halves need an even "
                        "number", p->paths[i], m->width);
    if (i == 0 || p->height || (m->height == r->h0 && m->width == r->w0 * r->parts))
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "'%s' is %lld x %lld and '%s' is %d x %d; say size = "
                    "64 to make all pictures alike", p->paths[0],
                    (long long)r->w0 * r->parts, (long long)r->h0, p->paths[i], m->width,
                    m->height);
}

static lg_status add_picture(lg_engine *E, picture_rows *r, int64_t i)
{
    const lgi_pictures *p = r->p;
    lgi_image m;
    if (lgi_interrupted(E) < 0 || lgi_read_picture(E, p->paths[i], p->channels, &m) < 0)
        return E->status;
    if (check_picture(E, r, &m, i) == LG_OK && i == 0)
        begin_rows(E, r, &m);
    for (int k = 0; k < r->parts && E->status == LG_OK; k++) {
        int64_t width = m.width / r->parts;
        unsigned char *to = r->bytes[k] + i * (p->channels * r->h * r->w);
        if (m.height == r->h && width == r->w)
            place_pixels(r, &m, k * width, to);
        else
            fit_pixels(E, r, &m, k * width, width, to);
    }
    lgi_free_image(E, &m);
    return E->status;
}

static int32_t *copy_marks(lg_engine *E, const lgi_pictures *p)
{
    size_t size = (size_t)p->n * sizeof *p->labels;
    int32_t *to = p->labels ? lgi_alloc(E, size) : NULL;
    if (to)
        memcpy(to, p->labels, size);
    return to;
}

lg_status lgi_read_pictures(lg_engine *E, const lgi_pictures *p, lgi_dataset *to[2])
{
    picture_rows r = {.p = p, .parts = p->halves ? 2 : 1};
    to[0] = to[1] = NULL;
    for (int64_t i = 0; i < p->n && E->status == LG_OK; i++)
        add_picture(E, &r, i);
    free_fitting(E, &r.fit);
    for (int k = 0; k < r.parts; k++) {
        int64_t dim[] = {p->n, p->channels, r.h, r.w};
        int32_t *labels = E->status == LG_OK ? copy_marks(E, p) : NULL;
        if (E->status < 0)
            lgi_free(E, r.bytes[k], rows_bytes(&r));
        else
            to[k] = lgi_byte_dataset(E, p->name, 4, dim, r.bytes[k], labels);
    }
    if (E->status < 0) {
        lgi_release_dataset(to[0]);
        lgi_release_dataset(to[1]);
        to[0] = to[1] = NULL;
    }
    return E->status;
}
