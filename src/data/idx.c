/*
 * idx.c - reads IDX: two zero bytes, the type, the number of axes, their sizes as
 * big-endian 32-bit numbers, the elements.
 *
 * The header is read first, and the elements into a block of exactly the size that it
 * promises, after a check that the file can hold so many.
 */
#include "data/idx.h"

#include "base/files.h"
#include "base/memory.h"
#include "data/sized.h"

#include <string.h>
#include <zlib.h>

#define IDX_MOST ((size_t)2 << 30)     /* bytes of a file; zlib counts in 32 bits */
enum { INFLATE_RATIO = 1032, INFLATE_STEP = 1 << 30, IDX_HEADER = 4 + 4 * LGI_IDX_AXES };

typedef struct idx_source {
    lg_engine *engine;
    const char *path;
    unsigned char *file;               /* as it lies on the disk */
    size_t size;
    bool gzip;
    z_stream z;
    bool over;                         /* no more bytes will come */
    bool cut;                          /* since the file ends within a gzip member */
    size_t given;                      /* bytes handed out: where in the content we are */
} idx_source;

static voidpf zlib_take(voidpf user, uInt n, uInt size)
{
    return lgi_alloc_sized(user, (size_t)n * size);
}

static void zlib_give(voidpf user, voidpf p) { lgi_free_sized(user, p); }

static lg_status idx_damaged(idx_source *s, const char *text)
{
    return lgi_fail(s->engine, LG_EFORMAT, "'%s' is damaged: %s", s->path, text);
}

static lg_status open_idx_source(idx_source *s)
{
    lg_engine *E = s->engine;
    s->gzip = s->size >= 2 && s->file[0] == 0x1f && s->file[1] == 0x8b;
    if (!s->gzip)
        return LG_OK;
    s->z = (z_stream){.zalloc = zlib_take, .zfree = zlib_give, .opaque = E,
                      .next_in = s->file, .avail_in = (uInt)s->size};
    if (inflateInit2(&s->z, 16 + MAX_WBITS) != Z_OK)
        lgi_fail(E, LG_ENOMEM, "'%s' cannot be read: zlib does not start", s->path);
    return E->status;
}

/* gzip files may be several, one after the other: their contents follow each other. */
static void next_member(idx_source *s)
{
    if (s->z.avail_in == 0)
        s->over = true;
    else if (s->z.next_in[0] != 0x1f)
        idx_damaged(s, "there are bytes after its gzip data");
    else
        inflateReset(&s->z);
}

static size_t inflate_some(idx_source *s, unsigned char *to, size_t n)
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
            idx_damaged(s, s->z.msg ? s->z.msg : "it is not what gzip writes");
    }
    return got;
}

/* Up to n bytes of the content; fewer at its end, or after a failure. */
static size_t pull_bytes(idx_source *s, unsigned char *to, size_t n)
{
    size_t got = s->size - s->given < n ? s->size - s->given : n;
    if (s->gzip)
        got = inflate_some(s, to, n);
    else
        memcpy(to, s->file + s->given, got);
    s->given += got;
    return got;
}

static const char *idx_type(unsigned char type)
{
    switch (type) {
    case 0x08: return "unsigned bytes";
    case 0x09: return "signed bytes";
    case 0x0b: return "16-bit numbers";
    case 0x0c: return "32-bit numbers";
    case 0x0d: return "floats";
    case 0x0e: return "doubles";
    default: return NULL;
    }
}

static lg_status read_idx_magic(idx_source *s, lgi_idx *to)
{
    lg_engine *E = s->engine;
    unsigned char b[4] = {0};
    size_t got = pull_bytes(s, b, 4);
    if (E->status < 0)
        return E->status;
    if (got < 4 && s->cut)
        return idx_damaged(s, "it ends within its header");
    if (got < 4 || b[0] || b[1] || !idx_type(b[2]) || b[3] == 0)
        return lgi_fail(E, LG_EFORMAT, "'%s' is not an IDX file", s->path);
    if (b[2] != 0x08)
        return lgi_fail(E, LG_EFORMAT, "'%s' is an IDX file of %s; only unsigned bytes "
                        "can be read", s->path, idx_type(b[2]));
    if (b[3] > LGI_IDX_AXES)
        return lgi_fail(E, LG_EFORMAT, "'%s' is an IDX file with %d axes; at most %d can "
                        "be read", s->path, b[3], LGI_IDX_AXES);
    to->ndim = b[3];
    return LG_OK;
}

static lg_status read_idx_sizes(idx_source *s, lgi_idx *to)
{
    lg_engine *E = s->engine;
    unsigned char b[4 * LGI_IDX_AXES];
    size_t need = 4 * (size_t)to->ndim, got = pull_bytes(s, b, need);
    if (E->status < 0)
        return E->status;
    if (got < need)
        return idx_damaged(s, "it ends within its header");
    size_t most = (s->gzip ? INFLATE_RATIO : 1) * s->size + IDX_HEADER;
    bool large = false, empty = false;
    to->size = 1;
    for (int i = 0; i < to->ndim; i++) {
        const unsigned char *d = b + 4 * i;
        uint32_t dim = (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8
                       | d[3];
        to->dim[i] = dim;
        empty |= dim == 0;
        large |= dim && to->size > (SIZE_MAX >> 1) / dim;
        to->size = large ? 1 : to->size * dim;
    }
    if (empty)
        to->size = 0;
    if (!empty && (large || (s->gzip && to->size > most)))
        return idx_damaged(s, "its header promises more than the file can hold");
    return LG_OK;
}

/* The elements, no more and no less. */
static lg_status read_idx_elements(idx_source *s, lgi_idx *to)
{
    lg_engine *E = s->engine;
    size_t header = s->given, got = s->size - header;
    unsigned char more;
    if (!s->gzip && got < to->size)    /* known before anything is allocated */
        return lgi_fail(E, LG_EFORMAT, "'%s' ends after %zu of %zu bytes", s->path,
                        s->size, header + to->size);
    to->data = lgi_alloc(E, to->size);
    if (!to->data)
        return E->status;
    got = pull_bytes(s, to->data, to->size);
    if (E->status == LG_OK && got < to->size)
        return lgi_fail(E, LG_EFORMAT, "'%s' ends after %zu of %zu bytes", s->path,
                        s->given, header + to->size);
    if (pull_bytes(s, &more, 1))       /* which also reads gzip's checksum */
        return lgi_fail(E, LG_EFORMAT, "'%s' has more than the %zu bytes that its header "
                        "promises", s->path, header + to->size);
    return s->cut ? idx_damaged(s, "it ends before gzip's checksum") : E->status;
}

lg_status lgi_read_idx(lg_engine *E, const char *path, lgi_idx *to)
{
    idx_source s = {.engine = E, .path = path};
    memset(to, 0, sizeof *to);
    if (lgi_read_file(E, path, IDX_MOST, &s.file, &s.size) < 0)
        return E->status;
    if (open_idx_source(&s) == LG_OK) {
        if (read_idx_magic(&s, to) == LG_OK && read_idx_sizes(&s, to) == LG_OK)
            read_idx_elements(&s, to);
        if (s.gzip)
            inflateEnd(&s.z);
    }
    lgi_free(E, s.file, s.size);
    if (E->status < 0)
        lgi_free_idx(E, to);
    return E->status;
}

void lgi_free_idx(lg_engine *E, lgi_idx *x)
{
    if (x->data)
        lgi_free(E, x->data, x->size);
    memset(x, 0, sizeof *x);
}
