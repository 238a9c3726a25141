/*
 * gunzip.h - the content of a file from its beginning to its end, and the same whether it
 * lies plain on the disk or as gzip.
 */
#ifndef LG_DATA_GUNZIP_H
#define LG_DATA_GUNZIP_H
#include "base/engine.h"

#include <zlib.h>

typedef struct lgi_content {
    lg_engine *engine;
    const char *path;
    unsigned char *file;               /* as it lies on the disk */
    size_t size;
    bool gzip, inflating;
    z_stream z;
    bool over;                         /* no more bytes will come */
    bool cut;                          /* since the file ends within a gzip member */
    size_t given;                      /* bytes handed out: where in the content we are */
} lgi_content;

/* Afterwards lgi_close_content, after a failure too. path must live as long. */
lg_status lgi_open_content(lg_engine *E, const char *path, lgi_content *s);
void lgi_close_content(lgi_content *s);

/* Up to n bytes of the content; fewer at its end, or after a failure. */
size_t lgi_pull(lgi_content *s, unsigned char *to, size_t n);

/* The most bytes that the content may have: deflate cannot expand more than that. */
size_t lgi_content_most(const lgi_content *s);

lg_status lgi_damaged(lgi_content *s, const char *text);       /* fails with it */

#endif
