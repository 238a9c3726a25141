/* safetensors_write.c - the header is made first, then hashed with the numbers, then all
 * of it streams to the disk: there is never a second copy of the numbers. */
#include "data/safetensors.h"

#include "base/files.h"
#include "base/memory.h"
#include "data/json.h"
#include "data/order.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "numbers are written as they lie in memory");

static size_t number_bytes(const lg_tensor *t)
{
    return (size_t)t->numel * sizeof(lg_real);
}

static lg_status check_word(lg_engine *E, const char *path, const char *what,
                            const char *s)
{
    if (!lgi_is_utf8(s, strlen(s)))
        return lgi_fail(E, LG_EARG, "cannot write '%s': %s is not UTF-8", path, what);
    return LG_OK;
}

static lg_status check_tensor(lg_engine *E, const char *path, const lgi_named *t)
{
    if (strcmp(t->name, "__metadata__") == 0)
        return lgi_fail(E, LG_EARG, "cannot write '%s': no tensor can have the name "
                        "'__metadata__'", path);
    if (!t->tensor->data)
        return lgi_fail(E, LG_ESTATE, "cannot write '%s': the numbers of '%s' were let "
                        "go", path, t->name);
    return check_word(E, path, "the name of a tensor", t->name);
}

static lg_status check_note(lg_engine *E, const char *path, const lgi_note *note)
{
    if (strcmp(note->key, LGI_HASH_KEY) == 0 || strcmp(note->key, LGI_FORMAT_KEY) == 0)
        return lgi_fail(E, LG_EARG, "cannot write '%s': the note '%s' is the file's own",
                        path, note->key);
    if (check_word(E, path, "the key of a note", note->key) < 0)
        return E->status;
    return check_word(E, path, "the text of a note", note->value);
}

static bool tensor_before(const void *user, int64_t a, int64_t b)
{
    const lgi_named *t = user;
    return strcmp(t[a].name, t[b].name) < 0;
}

static bool note_before(const void *user, int64_t a, int64_t b)
{
    const lgi_note *note = user;
    return strcmp(note[a].key, note[b].key) < 0;
}

/* The first name that is there twice; NULL if none is. */
static const char *find_twin(int64_t *sorted, int64_t n, const lgi_named *t, int64_t m,
                             const lgi_note *note)
{
    lgi_sort(sorted, n, tensor_before, t);
    for (int64_t i = 1; i < n; i++)
        if (strcmp(t[sorted[i - 1]].name, t[sorted[i]].name) == 0)
            return t[sorted[i]].name;
    lgi_sort(sorted, m, note_before, note);
    for (int64_t i = 1; i < m; i++)
        if (strcmp(note[sorted[i - 1]].key, note[sorted[i]].key) == 0)
            return note[sorted[i]].key;
    return NULL;
}

static lg_status check_content(lg_engine *E, const char *path, int64_t n,
                               const lgi_named *t, int64_t m, const lgi_note *note)
{
    size_t bytes = (size_t)(n > m ? n : m) * sizeof(int64_t);
    for (int64_t i = 0; i < n; i++)
        if (check_tensor(E, path, &t[i]) < 0)
            return E->status;
    for (int64_t i = 0; i < m; i++)
        if (check_note(E, path, &note[i]) < 0)
            return E->status;
    int64_t *sorted = lgi_alloc(E, bytes);
    const char *twin = sorted ? find_twin(sorted, n, t, m, note) : NULL;
    if (twin)
        lgi_fail(E, LG_EARG, "cannot write '%s': the name '%s' is there twice", path,
                 twin);
    lgi_free(E, sorted, bytes);
    return E->status;
}

static void put_tensor_header(lgi_json_text *h, const lgi_named *t, size_t begin)
{
    lgi_put_json_string(h, t->name);
    lgi_put_json(h, ":{\"dtype\":\"F%d\",\"shape\":[", (int)(8 * sizeof(lg_real)));
    for (int i = 0; i < t->tensor->ndim; i++)
        lgi_put_json(h, i ? ",%lld" : "%lld", (long long)t->tensor->dim[i]);
    lgi_put_json(h, "],\"data_offsets\":[%zu,%zu]}", begin,
                 begin + number_bytes(t->tensor));
}

/* The header with zeros for the hash; *digits says where they are. */
static lg_status put_header(lgi_json_text *h, size_t *digits, int64_t n,
                            const lgi_named *t, int64_t m, const lgi_note *note)
{
    size_t begin = 0;
    lgi_put_json(h, "{\"__metadata__\":{\"" LGI_FORMAT_KEY "\":\"" LGI_FORMAT "\",\""
                 LGI_HASH_KEY "\":\"");
    *digits = h->n;
    lgi_put_json(h, "%0*d\"", LGI_HASH_DIGITS, 0);
    for (int64_t i = 0; i < m; i++) {
        lgi_put_json(h, ",");
        lgi_put_json_string(h, note[i].key);
        lgi_put_json(h, ":");
        lgi_put_json_string(h, note[i].value);
    }
    lgi_put_json(h, "}");
    for (int64_t i = 0; i < n; i++) {
        lgi_put_json(h, ",");
        put_tensor_header(h, &t[i], begin);
        begin += number_bytes(t[i].tensor);
    }
    lgi_put_json(h, "}");
    lgi_put_json(h, "%*s", (int)(-h->n & 7), "");      /* aligns the numbers to 8 bytes */
    return h->engine->status;
}

static void put_hash(lgi_json_text *h, size_t digits, int64_t n, const lgi_named *t)
{
    char text[LGI_HASH_DIGITS + 1];
    uLong crc = crc32_z(0, (const Bytef *)h->text, h->n);
    for (int64_t i = 0; i < n; i++)
        crc = crc32_z(crc, (const Bytef *)t[i].tensor->data, number_bytes(t[i].tensor));
    snprintf(text, sizeof text, "%08lx", crc & 0xffffffff);
    memcpy(h->text + digits, text, LGI_HASH_DIGITS);
}

static lg_status write_archive(lg_engine *E, const char *path, const lgi_json_text *h,
                               int64_t n, const lgi_named *t)
{
    lgi_writer w;
    uint64_t length = h->n;
    if (lgi_begin_file(E, &w, path) < 0)
        return E->status;
    lgi_write(&w, &length, sizeof length);
    lgi_write(&w, h->text, h->n);
    for (int64_t i = 0; i < n; i++)
        lgi_write(&w, t[i].tensor->data, number_bytes(t[i].tensor));
    return lgi_commit_file(&w);
}

lg_status lgi_save_tensors(lg_engine *E, const char *path, int64_t n,
                           const lgi_named *tensors, int64_t m, const lgi_note *notes)
{
    lgi_json_text header = {.engine = E};
    size_t digits;
    if (E->status < 0 || check_content(E, path, n, tensors, m, notes) < 0)
        return E->status;
    if (put_header(&header, &digits, n, tensors, m, notes) == LG_OK
        && header.n > LGI_MAX_HEADER)
        lgi_fail(E, LG_EARG, "cannot write '%s': its names and notes need %zu bytes, and "
                 "the format allows %d", path, header.n, LGI_MAX_HEADER);
    if (E->status == LG_OK) {
        put_hash(&header, digits, n, tensors);
        write_archive(E, path, &header, n, tensors);
    }
    lgi_free_json(&header);
    return E->status;
}
