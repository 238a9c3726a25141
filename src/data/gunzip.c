/* gunzip.c - the content of a file, inflated with zlib where it is gzip's. */
#include "data/gunzip.h"

#include "base/files.h"
#include "base/memory.h"
#include "data/sized.h"

#include <string.h>

#define CONTENT_MOST ((size_t)2 << 30) /* bytes of a file; zlib counts in 32 bits */
enum { INFLATE_RATIO = 1032, INFLATE_STEP = 1 << 30 };

static voidpf zlib_take(voidpf user, uInt n, uInt size)
{
    return lgi_alloc_sized(user, (size_t)n * size);
}

static void zlib_give(voidpf user, voidpf p) { lgi_free_sized(user, p); }

lg_status lgi_damaged(lgi_content *s, const char *text)
{
    return lgi_fail(s->engine, LG_EFORMAT, "'%s' is damaged: %s", s->path, text);
}

lg_status lgi_open_content(lg_engine *E, const char *path, lgi_content *s)
{
    *s = (lgi_content){.engine = E, .path = path};
    if (lgi_read_file(E, path, CONTENT_MOST, &s->file, &s->size) < 0)
        return E->status;
    s->gzip = s->size >= 2 && s->file[0] == 0x1f && s->file[1] == 0x8b;
    if (!s->gzip)
        return LG_OK;
    s->z = (z_stream){.zalloc = zlib_take, .zfree = zlib_give, .opaque = E,
                      .next_in = s->file, .avail_in = (uInt)s->size};
    s->inflating = inflateInit2(&s->z, 16 + MAX_WBITS) == Z_OK;
    if (!s->inflating)
        lgi_fail(E, LG_ENOMEM, "'%s' cannot be read: zlib does not start", s->path);
    return E->status;
}

void lgi_close_content(lgi_content *s)
{
    if (s->inflating)
        inflateEnd(&s->z);
    lgi_free(s->engine, s->file, s->size);
    s->file = NULL;
}

/* gzip files may be several, one after the other: their contents follow each other. */
static void next_member(lgi_content *s)
{
    if (s->z.avail_in == 0)
        s->over = true;
    else if (s->z.next_in[0] != 0x1f)
        lgi_damaged(s, "there are bytes after its gzip data");
    else
        inflateReset(&s->z);
}

static size_t inflate_some(lgi_content *s, unsigned char *to, size_t n)
{
    size_t got = 0;
    while (got < n && !s->over && s->engine->status == LG_OK) {
        uInt room = n - got < INFLATE_STEP ? (uInt)(n - got) : INFLATE_STEP;
        s->z.next_out = to + got;
        s->z.avail_out = room;
        int code = inflate(&s->z, Z_NO_FLUSH);
        got += room - s->z.avail_out;
        if (code == Z_STREAM_END)
            next_member(s);
        else if (code == Z_BUF_ERROR)
            s->over = s->cut = true;
        else if (code != Z_OK)
            lgi_damaged(s, s->z.msg ? s->z.msg : "it is not what gzip writes");
    }
    return got;
}

size_t lgi_pull(lgi_content *s, unsigned char *to, size_t n)
{
    size_t got = s->size - s->given < n ? s->size - s->given : n;
    if (s->gzip)
        got = inflate_some(s, to, n);
    else
        memcpy(to, s->file + s->given, got);
    s->given += got;
    return got;
}

size_t lgi_content_most(const lgi_content *s)
{
    return s->gzip ? INFLATE_RATIO * s->size : s->size;
}
