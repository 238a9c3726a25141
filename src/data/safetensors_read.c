/*
 * safetensors_read.c - opens a safetensors file: nothing in it is believed before it is
 * checked. The tensors must fill the numbers exactly, without holes and overlaps, and
 * the hash, where there is one, must be right.
 */
#include "data/safetensors.h"

#include "base/files.h"
#include "base/memory.h"
#include "data/json.h"
#include "data/order.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { COUNT_STEP = 1 << 16, LENGTH_BYTES = 8 };

struct lgi_archive {
    lgi_owned owned;
    lg_engine *engine;
    char path[512];                    /* for messages */
    unsigned char *file;               /* length, header, numbers */
    size_t size;
    size_t header;                     /* bytes of the header */
    char *strings;                     /* header bytes: names, keys, values */
    lgi_stored *stored;
    int64_t nstored, stored_cap;
    int64_t *by_name;                  /* nstored indices, for the search */
    lgi_note *notes;
    int64_t nnotes, notes_cap;
    const char *format, *hash;         /* the file's own notes */
    size_t digits;                     /* where in the header the hash is; 0: not plain */
};

static lg_status archive_damaged(lgi_archive *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static lg_status archive_damaged(lgi_archive *a, const char *format, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return lgi_fail(a->engine, LG_EFORMAT, "'%s' is damaged: %s", a->path, text);
}

/* life: the archive holds its own memory alone, so closing and destroying are one */

static void destroy_archive(lg_engine *E, lgi_owned *o)
{
    lgi_archive *a = (lgi_archive *)o;
    lgi_disown(o);
    lgi_free(E, a->by_name, (size_t)a->nstored * sizeof *a->by_name);
    lgi_free(E, a->stored, (size_t)a->stored_cap * sizeof *a->stored);
    lgi_free(E, a->notes, (size_t)a->notes_cap * sizeof *a->notes);
    lgi_free(E, a->strings, a->header);
    lgi_free(E, a->file, a->size);
    lgi_free(E, a, sizeof *a);
}

void lgi_close_archive(lgi_archive *a)
{
    if (a)
        destroy_archive(a->engine, &a->owned);
}

/* the file in memory */

static ptrdiff_t read_step(lgi_archive *a, void *file, unsigned char *to, size_t n)
{
    const lg_files *f = &a->engine->files;
    ptrdiff_t got;
    do
        got = f->read(f->user, file, to, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        lgi_fail(a->engine, LG_EIO, "cannot read '%s': %s", a->path, strerror(errno));
    return got;
}

/* Reads the file once only to count its bytes: then one block of the right size will do,
 * instead of one that grows by copying. Checkpoints are large. */
static void count_file(lgi_archive *a, void *file)
{
    unsigned char *step = lgi_alloc(a->engine, COUNT_STEP);
    ptrdiff_t got = step ? 1 : 0;
    while (got > 0) {
        got = read_step(a, file, step, COUNT_STEP);
        a->size += got > 0 ? (size_t)got : 0;
    }
    lgi_free(a->engine, step, COUNT_STEP);
}

static void fill_file(lgi_archive *a, void *file)
{
    size_t n = 0;
    ptrdiff_t got = 1;
    a->file = lgi_alloc(a->engine, a->size);
    while (a->file && got > 0 && n < a->size) {
        got = read_step(a, file, a->file + n, a->size - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (a->file && got == 0 && n < a->size)
        lgi_fail(a->engine, LG_EIO, "'%s' changed while it was read", a->path);
}

static lg_status load_file(lgi_archive *a, const char *path)
{
    lg_engine *E = a->engine;
    static void (*const passes[])(lgi_archive *, void *) = {count_file, fill_file};
    for (int i = 0; i < 2 && E->status == LG_OK; i++) {
        void *file = E->files.open(E->files.user, path, "r");
        if (!file)
            return lgi_fail(E, LG_EIO, "cannot open '%s': %s", path, strerror(errno));
        passes[i](a, file);
        E->files.close(E->files.user, file);
    }
    return E->status;
}

static lg_status find_header(lgi_archive *a)
{
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0 && a->size > LENGTH_BYTES; i--)
        length = length << 8 | a->file[i];
    if (a->size <= LENGTH_BYTES || length < 2 || length > LGI_MAX_HEADER
        || a->file[LENGTH_BYTES] != '{')
        return lgi_fail(a->engine, LG_EFORMAT, "'%s' is not a safetensors file", a->path);
    if (length > a->size - LENGTH_BYTES)
        return archive_damaged(a, "it ends after %zu bytes, within its header", a->size);
    a->strings = lgi_alloc(a->engine, (size_t)length);
    if (a->strings)
        a->header = (size_t)length;    /* now it is what destroy_archive frees */
    return a->engine->status;
}

/* the header */

/* Room for one more of n things, in a list that doubles. */
static void *grow_list(lg_engine *E, void *list, int64_t n, int64_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    int64_t more = *cap ? 2 * *cap : 16;
    void *p = lgi_resize(E, list, (size_t)*cap * size, (size_t)more * size);
    if (p)
        *cap = more;
    return p;
}

static bool read_note(lgi_archive *a, lgi_json *j)
{
    lgi_note note = {.key = lgi_json_string(j)};
    if (!note.key || !lgi_json_need(j, ':') || !lgi_json_need(j, '"'))
        return false;
    const unsigned char *value = j->at--;
    note.value = lgi_json_string(j);
    if (!note.value)
        return false;
    if (strcmp(note.key, LGI_FORMAT_KEY) == 0 && !a->format) {
        a->format = note.value;
        return true;
    }
    if (strcmp(note.key, LGI_HASH_KEY) == 0 && !a->hash) {
        a->hash = note.value;
        a->digits = j->at - value == LGI_HASH_DIGITS + 1 ? (size_t)(value - j->start) : 0;
        return true;
    }
    void *list = grow_list(a->engine, a->notes, a->nnotes, &a->notes_cap, sizeof note);
    if (!list)
        return false;
    a->notes = list;
    a->notes[a->nnotes++] = note;
    return true;
}

static bool read_notes(lgi_archive *a, lgi_json *j)
{
    if (!lgi_json_need(j, '{'))
        return false;
    if (lgi_json_has(j, '}'))
        return true;
    do
        if (!read_note(a, j))
            return false;
    while (lgi_json_has(j, ','));
    return lgi_json_need(j, '}');
}

static bool read_stored_shape(lgi_json *j, lgi_stored *s)
{
    bool empty = false;
    s->numel = 1;
    if (!lgi_json_need(j, '['))
        return false;
    while (s->ndim > 0 ? lgi_json_has(j, ',') : !lgi_json_has(j, ']')) {
        int64_t dim = lgi_json_whole(j);
        if (dim < 0)
            return false;
        if (s->ndim == LG_MAX_DIM)
            return lgi_json_wrong(j, "at most 8 axes");
        if (dim > LGI_MAX_NUMEL || (dim && s->numel > LGI_MAX_NUMEL / dim))
            return lgi_json_wrong(j, "at most 2^40 elements");
        s->dim[s->ndim++] = dim;
        empty |= dim == 0;
        s->numel *= dim ? dim : 1;
    }
    s->numel = empty ? 0 : s->numel;
    return s->ndim == 0 || lgi_json_need(j, ']');
}

static bool read_offsets(lgi_json *j, lgi_stored *s)
{
    int64_t begin = -1, end = -1;
    if (lgi_json_need(j, '['))
        begin = lgi_json_whole(j);
    if (lgi_json_need(j, ','))
        end = lgi_json_whole(j);
    if (!lgi_json_need(j, ']'))
        return false;
    s->begin = (size_t)begin;
    s->end = (size_t)end;
    return begin <= end || lgi_json_wrong(j, "an end after the begin");
}

/* The types of numbers that there are: floating, signed and unsigned ones can be read. */
typedef struct element_type {
    const char *name;
    int bytes;
    char kind;                         /* 'f', 'i', 'u', or '-': not yet */
} element_type;

static const element_type *find_element_type(const char *dtype)
{
    static const element_type types[] = {
        {"F32", 4, 'f'}, {"F64", 8, 'f'}, {"F16", 2, '-'}, {"BF16", 2, '-'},
        {"F8_E5M2", 1, '-'}, {"F8_E4M3", 1, '-'}, {"I64", 8, 'i'}, {"I32", 4, 'i'},
        {"I16", 2, 'i'}, {"I8", 1, 'i'}, {"U64", 8, 'u'}, {"U32", 4, 'u'},
        {"U16", 2, 'u'}, {"U8", 1, 'u'}, {"BOOL", 1, 'u'}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(dtype, types[i].name) == 0)
            return &types[i];
    return NULL;
}

/* Sets in seen which of the three fields it was; each may be there once. */
static bool read_stored_field(lgi_json *j, lgi_stored *s, unsigned *seen)
{
    static const char *const fields[] = {"dtype", "shape", "data_offsets"};
    const char *name = lgi_json_string(j);
    unsigned which = 0;
    if (!name || !lgi_json_need(j, ':'))
        return false;
    while (which < 3 && strcmp(name, fields[which]) != 0)
        which++;
    if (which == 3 || *seen >> which & 1)
        return lgi_json_wrong(j, "dtype, shape and data_offsets, once each");
    *seen |= 1u << which;
    if (which == 0)
        return (s->dtype = lgi_json_string(j)) != NULL;
    return which == 1 ? read_stored_shape(j, s) : read_offsets(j, s);
}

static bool read_stored(lgi_archive *a, lgi_json *j, const char *name)
{
    lgi_stored s = {.name = name};
    unsigned seen = 0;
    if (!lgi_json_need(j, '{'))
        return false;
    do
        if (!read_stored_field(j, &s, &seen))
            return false;
    while (lgi_json_has(j, ','));
    if (!lgi_json_need(j, '}'))
        return false;
    if (seen != 7)
        return lgi_json_wrong(j, "dtype, shape and data_offsets, once each");
    const element_type *type = find_element_type(s.dtype);
    if (!type)
        return lgi_json_wrong(j, "a known dtype");
    if ((size_t)s.numel * (size_t)type->bytes != s.end - s.begin)
        return lgi_json_wrong(j, "as many bytes as the shape needs");
    void *list = grow_list(a->engine, a->stored, a->nstored, &a->stored_cap, sizeof s);
    if (!list)
        return false;
    a->stored = list;
    a->stored[a->nstored++] = s;
    return true;
}

static bool read_members(lgi_archive *a, lgi_json *j)
{
    bool notes = false;
    if (!lgi_json_need(j, '{'))
        return false;
    if (lgi_json_has(j, '}'))
        return lgi_json_end(j);
    do {
        const char *name = lgi_json_string(j);
        if (!name || !lgi_json_need(j, ':'))
            return false;
        bool these = strcmp(name, "__metadata__") == 0;
        if (these && notes)
            return lgi_json_wrong(j, "__metadata__ once");
        notes |= these;
        if (these ? !read_notes(a, j) : !read_stored(a, j, name))
            return false;
    } while (lgi_json_has(j, ','));
    return lgi_json_need(j, '}') && lgi_json_end(j);
}

static lg_status read_header(lgi_archive *a)
{
    const unsigned char *h = a->file + LENGTH_BYTES;
    lgi_json j = {.start = h, .at = h, .end = h + a->header, .strings = a->strings};
    if (!read_members(a, &j) && a->engine->status == LG_OK)
        archive_damaged(a, "at byte %zu of its header there should be %s",
                        (size_t)(j.at - h), j.wrong ? j.wrong : "something else");
    return a->engine->status;
}

/* the checks of the whole */

static bool stored_before(const void *user, int64_t i, int64_t k)
{
    const lgi_archive *a = user;
    return strcmp(a->stored[i].name, a->stored[k].name) < 0;
}

static bool begins_before(const void *user, int64_t i, int64_t k)
{
    const lgi_stored *x = ((const lgi_archive *)user)->stored + i;
    const lgi_stored *y = ((const lgi_archive *)user)->stored + k;
    return x->begin < y->begin || (x->begin == y->begin && x->end < y->end);
}

static bool key_before(const void *user, int64_t i, int64_t k)
{
    const lgi_archive *a = user;
    return strcmp(a->notes[i].key, a->notes[k].key) < 0;
}

/* Needs sorted for as many indices as there are notes. */
static lg_status check_keys(lgi_archive *a, int64_t *sorted)
{
    lgi_sort(sorted, a->nnotes, key_before, a);
    for (int64_t i = 1; i < a->nnotes; i++)
        if (!key_before(a, sorted[i - 1], sorted[i]))
            return archive_damaged(a, "the note '%.80s' is there twice",
                                   a->notes[sorted[i]].key);
    return LG_OK;
}

/* The tensors' bytes must follow each other from the first to the last. */
static lg_status check_layout(lgi_archive *a, int64_t *sorted)
{
    size_t at = 0, numbers = a->size - LENGTH_BYTES - a->header;
    lgi_sort(sorted, a->nstored, begins_before, a);
    for (int64_t i = 0; i < a->nstored; i++) {
        const lgi_stored *s = &a->stored[sorted[i]];
        if (s->begin != at)
            return archive_damaged(a, "there is %s before the numbers of '%.80s'",
                                   s->begin > at ? "a hole" : "an overlap", s->name);
        at = s->end;
    }
    if (at > numbers)
        return archive_damaged(a, "it ends after %zu of %zu bytes", a->size,
                               a->size - numbers + at);
    if (at < numbers)
        return archive_damaged(a, "it has %zu bytes more than its header lists",
                               numbers - at);
    return LG_OK;
}

static lg_status check_names(lgi_archive *a)
{
    lg_engine *E = a->engine;
    int64_t n = a->nstored > a->nnotes ? a->nstored : a->nnotes;
    size_t bytes = (size_t)n * sizeof(int64_t);
    int64_t *sorted = lgi_alloc(E, bytes);
    if (sorted && check_layout(a, sorted) == LG_OK)
        check_keys(a, sorted);
    lgi_free(E, sorted, bytes);
    if (E->status < 0)
        return E->status;

    a->by_name = lgi_alloc(E, (size_t)a->nstored * sizeof *a->by_name);
    if (!a->by_name)
        return E->status;
    lgi_sort(a->by_name, a->nstored, stored_before, a);
    for (int64_t i = 1; i < a->nstored; i++)
        if (!stored_before(a, a->by_name[i - 1], a->by_name[i]))
            return archive_damaged(a, "the tensor '%.80s' is there twice",
                                   a->stored[a->by_name[i]].name);
    return LG_OK;
}

static lg_status check_hash(lgi_archive *a)
{
    static const unsigned char zeros[] = "00000000";
    char found[LGI_HASH_DIGITS + 1];
    if (!a->format && !a->hash)
        return LG_OK;                  /* another program's file */
    if (!a->format || !a->hash || !a->digits)
        return archive_damaged(a, "its hash is not complete");
    const unsigned char *h = a->file + LENGTH_BYTES;
    const unsigned char *rest = h + a->digits + LGI_HASH_DIGITS;
    uLong crc = crc32_z(0, h, a->digits);
    crc = crc32_z(crc, zeros, LGI_HASH_DIGITS);
    crc = crc32_z(crc, rest, (size_t)(a->file + a->size - rest));
    snprintf(found, sizeof found, "%08lx", crc & 0xffffffff);
    if (strcmp(found, a->hash) != 0)
        return archive_damaged(a, "its hash should be %s, and is %s", a->hash, found);
    if (strcmp(a->format, LGI_FORMAT) != 0)
        return lgi_fail(a->engine, LG_EFORMAT, "'%s' has the format '%.20s', which this "
                        "version does not know; it knows '%s'", a->path, a->format,
                        LGI_FORMAT);
    return LG_OK;
}

lgi_archive *lgi_open_archive(lg_engine *E, const char *path)
{
    lgi_archive *a = E->status < 0 ? NULL : lgi_alloc0(E, sizeof *a);
    if (!a)
        return NULL;
    a->engine = E;
    snprintf(a->path, sizeof a->path, "%s", path);
    lgi_own(E, &a->owned, destroy_archive);
    if (load_file(a, path) < 0 || find_header(a) < 0 || read_header(a) < 0
        || check_names(a) < 0 || check_hash(a) < 0) {
        lgi_close_archive(a);
        return NULL;
    }
    return a;
}

/* what is in it */

int64_t lgi_count_stored(const lgi_archive *a) { return a->nstored; }
int64_t lgi_count_notes(const lgi_archive *a) { return a->nnotes; }

const lgi_stored *lgi_stored_at(const lgi_archive *a, int64_t i)
{
    return i >= 0 && i < a->nstored ? &a->stored[i] : NULL;
}

const lgi_note *lgi_note_at(const lgi_archive *a, int64_t i)
{
    return i >= 0 && i < a->nnotes ? &a->notes[i] : NULL;
}

int64_t lgi_find_stored(const lgi_archive *a, const char *name)
{
    for (int64_t low = 0, high = a->nstored; low < high;) {
        int64_t middle = low + (high - low) / 2, i = a->by_name[middle];
        int order = strcmp(name, a->stored[i].name);
        if (order == 0)
            return i;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

const char *lgi_find_note(const lgi_archive *a, const char *key)
{
    for (int64_t i = 0; i < a->nnotes; i++)
        if (strcmp(a->notes[i].key, key) == 0)
            return a->notes[i].value;
    return NULL;
}

static const unsigned char *stored_bytes(const lgi_archive *a, const lgi_stored *s)
{
    return a->file + LENGTH_BYTES + a->header + s->begin;
}

/* A whole number in little-endian bytes; false if no lg_real is equal to it. */
static bool read_stored_whole(const unsigned char *from, const element_type *type,
                              lg_real *to)
{
    uint64_t bits = 0;
    int unused = 64 - 8 * type->bytes;
    for (int k = type->bytes - 1; k >= 0; k--)
        bits = bits << 8 | from[k];
    bool negative = type->kind == 'i' && bits >> (63 - unused);
    uint64_t size = negative ? (~bits + 1) << unused >> unused : bits;
    lg_real x = (lg_real)size;
    *to = negative ? -x : x;
    return x < (lg_real)0x1p64 && (uint64_t)x == size;
}

static lg_status check_wholes(lgi_archive *a, const lgi_stored *s,
                              const element_type *type)
{
    const unsigned char *from = stored_bytes(a, s);
    lg_real x;
    for (int64_t i = 0; i < s->numel; i++, from += type->bytes)
        if (!read_stored_whole(from, type, &x))
            return lgi_fail(a->engine, LG_EFORMAT, "'%s': element %lld of '%.80s', of "
                            "type %s, has more digits than an element of a tensor",
                            a->path, (long long)i + 1, s->name, s->dtype);
    return a->engine->status;
}

/* All that can be wrong with a tensor, before a number of it is used. */
static lg_status stored_failure(lgi_archive *a, int64_t i)
{
    const lgi_stored *s = lgi_stored_at(a, i);
    if (!s)
        return lgi_fail(a->engine, LG_EARG, "'%s' has %lld tensors, none at %lld",
                        a->path, (long long)a->nstored, (long long)i);
    const element_type *type = find_element_type(s->dtype);
    if (type->kind == '-')
        return lgi_fail(a->engine, LG_EFORMAT, "'%s': '%.80s' is of type %s; only F32, "
                        "F64 and whole numbers can be read", a->path, s->name, s->dtype);
    return type->kind == 'f' ? a->engine->status : check_wholes(a, s, type);
}

static void convert_stored(const lgi_archive *a, const lgi_stored *s, lg_real *to)
{
    const element_type *type = find_element_type(s->dtype);
    const unsigned char *from = stored_bytes(a, s);
    size_t size = (size_t)type->bytes;
    if (type->kind == 'f' && size == sizeof(lg_real)) {
        memcpy(to, from, (size_t)s->numel * size);
        return;
    }
    for (int64_t i = 0; i < s->numel; i++, from += size) {
        double wide;
        float narrow;
        if (type->kind != 'f') {
            read_stored_whole(from, type, &to[i]);
            continue;
        }
        void *number = size == 8 ? (void *)&wide : (void *)&narrow;
        memcpy(number, from, size);
        to[i] = size == 8 ? (lg_real)wide : (lg_real)narrow;
    }
}

lg_tensor *lgi_load_stored(lgi_archive *a, int64_t i)
{
    if (stored_failure(a, i) < 0)
        return NULL;
    const lgi_stored *s = &a->stored[i];
    lg_tensor *t = lgi_make(a->engine, s->ndim, s->dim);
    if (t)
        convert_stored(a, s, t->data);
    return t;
}

lg_status lgi_copy_stored(lgi_archive *a, int64_t i, lg_tensor *to)
{
    if (stored_failure(a, i) < 0)
        return a->engine->status;
    const lgi_stored *s = &a->stored[i];
    bool same = s->ndim == to->ndim
                && memcmp(s->dim, to->dim, (size_t)s->ndim * sizeof *s->dim) == 0;
    if (!same)
        return lgi_fail(a->engine, LG_ESHAPE, "'%s': '%.80s' is %s, and what it is to "
                        "fill is %s", a->path, s->name,
                        lgi_dims(s->ndim, s->dim, (char[LGI_SHAPE_TEXT]){0}),
                        LGI_SHAPE(to));
    if (!to->data)
        return lgi_fail(a->engine, LG_ESTATE, "'%s': the numbers that '%.80s' is to fill "
                        "were let go", a->path, s->name);
    convert_stored(a, s, to->data);
    to->buffer->version++;
    return LG_OK;
}
