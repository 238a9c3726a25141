/*
 * idx.c - reads IDX: two zero bytes, the type, the number of axes, their sizes as
 * big-endian 32-bit numbers, the elements.
 *
 * The header is read first, and the elements into a block of exactly the size that it
 * promises, after a check that the file can hold so many.
 */
#include "data/idx.h"

#include "base/memory.h"
#include "data/gunzip.h"

#include <string.h>

enum { IDX_HEADER = 4 + 4 * LGI_IDX_AXES };

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

static lg_status read_idx_magic(lgi_content *s, lgi_idx *to)
{
    lg_engine *E = s->engine;
    unsigned char b[4] = {0};
    size_t got = lgi_pull(s, b, 4);
    if (E->status < 0)
        return E->status;
    if (got < 4 && s->cut)
        return lgi_damaged(s, "it ends within its header");
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

static lg_status read_idx_sizes(lgi_content *s, lgi_idx *to)
{
    lg_engine *E = s->engine;
    unsigned char b[4 * LGI_IDX_AXES];
    size_t need = 4 * (size_t)to->ndim, got = lgi_pull(s, b, need);
    if (E->status < 0)
        return E->status;
    if (got < need)
        return lgi_damaged(s, "it ends within its header");
    size_t most = lgi_content_most(s) + IDX_HEADER;
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
        return lgi_damaged(s, "its header promises more than the file can hold");
    return LG_OK;
}

/* The elements, no more and no less. */
static lg_status read_idx_elements(lgi_content *s, lgi_idx *to)
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
    got = lgi_pull(s, to->data, to->size);
    if (E->status == LG_OK && got < to->size)
        return lgi_fail(E, LG_EFORMAT, "'%s' ends after %zu of %zu bytes", s->path,
                        s->given, header + to->size);
    if (lgi_pull(s, &more, 1))       /* which also reads gzip's checksum */
        return lgi_fail(E, LG_EFORMAT, "'%s' has more than the %zu bytes that its header "
                        "promises", s->path, header + to->size);
    return s->cut ? lgi_damaged(s, "it ends before gzip's checksum") : E->status;
}

lg_status lgi_read_idx(lg_engine *E, const char *path, lgi_idx *to)
{
    lgi_content s;
    memset(to, 0, sizeof *to);
    if (lgi_open_content(E, path, &s) == LG_OK && read_idx_magic(&s, to) == LG_OK
        && read_idx_sizes(&s, to) == LG_OK)
        read_idx_elements(&s, to);
    lgi_close_content(&s);
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
