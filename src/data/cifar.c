/* cifar.c - records without a header: a file is a whole number of them. */
#include "data/cifar.h"

#include "base/memory.h"
#include "data/gunzip.h"
#include "data/image.h"

#include <string.h>

enum { CIFAR_LABELS = 16, CIFAR_FIRST = 1024 };        /* records to begin with */

typedef struct cifar_rows {
    const lgi_cifar *p;
    int64_t n, cap, row;
    unsigned char *bytes;              // cap,row
    int32_t *labels;                   // cap
} cifar_rows;

static void free_records(lg_engine *E, cifar_rows *r)
{
    lgi_free(E, r->bytes, (size_t)(r->cap * r->row));
    lgi_free(E, r->labels, (size_t)r->cap * sizeof *r->labels);
    r->bytes = NULL;
    r->labels = NULL;
}

/* Moves both to other sizes, or fails with both as they were. */
static lg_status size_records(lg_engine *E, cifar_rows *r, int64_t cap)
{
    int64_t least = r->n < cap ? r->n : cap;
    unsigned char *bytes = lgi_alloc(E, (size_t)(cap * r->row));
    int32_t *labels = lgi_alloc(E, (size_t)cap * sizeof *labels);
    if (!bytes || !labels) {
        lgi_free(E, bytes, (size_t)(cap * r->row));
        lgi_free(E, labels, (size_t)cap * sizeof *labels);
        return E->status;
    }
    if (least) {
        memcpy(bytes, r->bytes, (size_t)(least * r->row));
        memcpy(labels, r->labels, (size_t)least * sizeof *labels);
    }
    free_records(E, r);
    r->bytes = bytes;
    r->labels = labels;
    r->cap = cap;
    return LG_OK;
}

static lg_status read_records(cifar_rows *r, lgi_content *s)
{
    lg_engine *E = s->engine;
    const lgi_cifar *p = r->p;
    unsigned char label[CIFAR_LABELS];
    size_t row = (size_t)r->row, before = (size_t)p->label_bytes;
    while (E->status == LG_OK) {
        if (r->n == r->cap && size_records(E, r, r->cap ? 2 * r->cap : CIFAR_FIRST) < 0)
            return E->status;
        size_t got = lgi_pull(s, label, before);
        if (got == before)
            got += lgi_pull(s, r->bytes + r->n * r->row, row);
        if (E->status < 0 || got == 0)
            break;
        if (got < before + row)
            return lgi_fail(E, LG_EFORMAT, "'%s' ends within a record: it has %zu bytes, "
                            "and records of %d label bytes and %lld x %lld x %lld pixels "
                            "have %zu", s->path, s->given, p->label_bytes,
                            (long long)p->c, (long long)p->h, (long long)p->w,
                            before + row);
        r->labels[r->n++] = label[p->label];
    }
    if (E->status == LG_OK && s->cut)
        return lgi_damaged(s, "it ends before gzip's checksum");
    return E->status;
}

static lg_status read_record_file(lg_engine *E, cifar_rows *r, const char *path)
{
    lgi_content s;
    int64_t before = r->n;
    if (lgi_open_content(E, path, &s) == LG_OK)
        read_records(r, &s);
    lgi_close_content(&s);
    if (E->status == LG_OK && r->n == before)
        lgi_fail(E, LG_EFORMAT, "'%s' is empty", path);
    return E->status;
}

static lg_status check_cifar(lg_engine *E, const lgi_cifar *p)
{
    if (p->label_bytes < 1 || p->label_bytes > CIFAR_LABELS || p->label < 0
        || p->label >= p->label_bytes)
        return lgi_fail(E, LG_EARG, "data: label %d of %d in a record; it has 1 to %d",
                        p->label + 1, p->label_bytes, CIFAR_LABELS);
    if (p->c < 1 || p->c > LGI_LOOK_CHANNELS || p->h < 1 || p->h > LGI_MAX_SIDE
        || p->w < 1 || p->w > LGI_MAX_SIDE)
        return lgi_fail(E, LG_EARG, "data: records of %lld x %lld x %lld pixels cannot "
                        "be read", (long long)p->c, (long long)p->h, (long long)p->w);
    return LG_OK;
}

lgi_dataset *lgi_cifar_dataset(lg_engine *E, const lgi_cifar *p)
{
    cifar_rows r = {.p = p, .row = p->c * p->h * p->w};
    if (E->status < 0 || check_cifar(E, p) < 0)
        return NULL;
    for (int i = 0; i < p->files && E->status == LG_OK; i++)
        read_record_file(E, &r, p->paths[i]);
    if (E->status == LG_OK)
        size_records(E, &r, r.n);
    if (E->status < 0) {
        free_records(E, &r);
        return NULL;
    }
    int64_t dim[] = {r.n, p->c, p->h, p->w};
    return lgi_byte_dataset(E, p->name, 4, dim, r.bytes, r.labels);
}
