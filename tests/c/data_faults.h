/*
 * data_faults.h - what tests of src/data share: an allocator and a disk in memory that
 * count their calls and fail the n-th, and a source of chance.
 */
#ifndef LG_TEST_DATA_FAULTS_H
#define LG_TEST_DATA_FAULTS_H
#include "base/engine.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(ok) check(ok, "%s:%d: %s", __FILE__, __LINE__, #ok)
#define CHECK_FAILS(E, status, text) check_failure(E, status, text, __FILE__, __LINE__)

/* The engine has failed with that status and with that in its message; clears it. */
__attribute__((unused)) static void check_failure(lg_engine *E, lg_status status,
                                                  const char *text, const char *file,
                                                  int line)
{
    check(lg_failure(E) == status && strstr(lg_message(E), text),
          "%s:%d: status %d, '%s' lacks '%s'", file, line, lg_failure(E), lg_message(E),
          text);
    lg_clear(E);
}

/* chance: an xorshift, so that a failure can be had again */
static uint64_t chance_state = 88172645463325252u;

static inline uint32_t chance(uint32_t below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (uint32_t)(chance_state >> 11) % below;
}

/* a host's tables */
enum { DISK_FILES = 8, DISK_BYTES = 1 << 22 };

typedef struct disk_file {
    char name[64];                     /* "": free */
    unsigned char *data;
    size_t size;
} disk_file;

typedef struct disk_handle {
    disk_file *file;
    size_t at;
} disk_handle;

typedef struct host {
    int64_t allocs, fail_alloc;        /* calls; which one fails, from 1; 0: none */
    int64_t calls, fail_call;          /* the same of the file table */
    int fail_errno;
    bool fired;
    bool grudging;                     /* moves 7 bytes at a time, with EINTRs */
    int64_t live, peak;                /* bytes */
    int handles;
    disk_file files[DISK_FILES];
} host;

static void *host_alloc(void *user, size_t size)
{
    host *h = user;
    if (++h->allocs == h->fail_alloc) {
        h->fired = true;
        return NULL;
    }
    h->live += (int64_t)size;
    h->peak = h->live > h->peak ? h->live : h->peak;
    return aligned_alloc(64, (size + 63) & ~(size_t)63);
}

static void host_free(void *user, void *p, size_t size)
{
    ((host *)user)->live -= (int64_t)size;
    free(p);
}

static bool host_fails(host *h)
{
    if (++h->calls != h->fail_call)
        return false;
    h->fired = true;
    errno = h->fail_errno;
    return true;
}

static disk_file *host_find(host *h, const char *name)
{
    for (int i = 0; i < DISK_FILES; i++)
        if (strcmp(h->files[i].name, name) == 0)
            return &h->files[i];
    return NULL;
}

static disk_file *host_put(host *h, const char *name, const void *data, size_t size)
{
    disk_file *f = host_find(h, name);
    f = f ? f : host_find(h, "");
    if (!f)
        abort();                       /* the test needs a larger disk */
    snprintf(f->name, sizeof f->name, "%s", name);
    f->data = f->data ? f->data : malloc(DISK_BYTES);
    if (size)
        memcpy(f->data, data, size);
    f->size = size;
    return f;
}

static void *host_open(void *user, const char *path, const char *mode)
{
    host *h = user;
    if (host_fails(h))
        return NULL;
    disk_file *f = mode[0] == 'w' ? host_put(h, path, NULL, 0) : host_find(h, path);
    errno = ENOENT;
    disk_handle *handle = f ? malloc(sizeof *handle) : NULL;
    if (handle) {
        *handle = (disk_handle){f, 0};
        h->handles++;
    }
    return handle;
}

static bool host_hesitates(host *h, size_t *n)
{
    errno = EINTR;
    *n = h->grudging && *n > 7 ? 7 : *n;
    return h->grudging && chance(5) == 0;
}

static ptrdiff_t host_read(void *user, void *file, void *to, size_t n)
{
    disk_handle *handle = file;
    size_t left = handle->file->size - handle->at;
    if (host_fails(user) || host_hesitates(user, &n))
        return -1;
    n = n < left ? n : left;
    memcpy(to, handle->file->data + handle->at, n);
    handle->at += n;
    return (ptrdiff_t)n;
}

static ptrdiff_t host_write(void *user, void *file, const void *from, size_t n)
{
    disk_file *f = ((disk_handle *)file)->file;
    if (host_fails(user) || host_hesitates(user, &n))
        return -1;
    memcpy(f->data + f->size, from, n);
    f->size += n;
    return (ptrdiff_t)n;
}

static int host_sync(void *user, void *file)
{
    (void)file;
    return host_fails(user) ? -1 : 0;
}

static int host_close(void *user, void *file)
{
    ((host *)user)->handles--;
    free(file);
    return host_fails(user) ? -1 : 0;
}

static int host_remove(void *user, const char *path)
{
    disk_file *f = host_find(user, path);
    if (host_fails(user) || !f)
        return -1;
    f->name[0] = 0;
    return 0;
}

static int host_rename(void *user, const char *from, const char *to)
{
    disk_file *f = host_find(user, from), *old = host_find(user, to);
    if (host_fails(user) || !f)
        return -1;
    if (old)
        old->name[0] = 0;
    snprintf(f->name, sizeof f->name, "%s", to);
    return 0;
}

static int host_mkdir(void *user, const char *path)
{
    (void)path;
    return host_fails(user) ? -1 : 0;
}

/* An engine on the host's tables; NULL if the allocation for it was to fail. */
static lg_engine *host_engine(host *h)
{
    lg_allocator a = {h, host_alloc, host_free};
    lg_files f = {h, host_open, host_read, host_write, host_sync, host_close, host_rename,
                  host_remove, host_mkdir, NULL};
    lg_config c = LG_CONFIG_INIT;
    lg_engine *E;
    c.threads = 1;
    c.no_cache = true;
    c.allocator = &a;
    c.files = &f;
    h->allocs = h->calls = h->peak = 0;
    h->fired = false;
    lg_open(&E, &c);
    return E;
}

/* Closes, and checks that nothing is left in hand. */
static void host_close_engine(host *h, lg_engine *E)
{
    CHECK(lg_close(E) == 0);
    CHECK(h->live == 0);
    CHECK(h->handles == 0);
}

static void host_end(host *h)
{
    for (int i = 0; i < DISK_FILES; i++)
        free(h->files[i].data);
}

__attribute__((unused)) static bool host_same(host *h, const char *name,
                                              const void *data, size_t size)
{
    disk_file *f = host_find(h, name);
    return f && f->size == size && memcmp(f->data, data, size) == 0;
}

/*
 * Runs work again and again, with the first, second, ... call of one table failing, until
 * it meets no failure. Each time: status and message agree, nothing is left in hand.
 * ready makes the disk before; done looks at it after, and knows the status.
 */
typedef struct trial {
    void (*ready)(host *h);
    lg_status (*work)(lg_engine *E);
    void (*done)(host *h, lg_status status);
} trial;

__attribute__((unused)) static int fail_each_call(host *h, const trial *t, bool files,
                                                  int error)
{
    int n = 0;
    do {
        t->ready(h);
        h->fail_alloc = files ? 0 : ++n;
        h->fail_call = files ? ++n : 0;
        h->fail_errno = error;
        lg_engine *E = host_engine(h);
        lg_status status = E ? t->work(E) : LG_ENOMEM;
        CHECK(!h->fired || files || status == LG_ENOMEM);
        CHECK(h->fired || status == LG_OK);
        CHECK(!E || (status < 0) == (lg_message(E)[0] != 0));
        CHECK(!E || !files || status == LG_OK || status == LG_EIO);
        if (files && status < 0)
            CHECK(strstr(lg_message(E), strerror(error)) != NULL);
        host_close_engine(h, E);
        t->done(h, status);
    } while (h->fired);
    h->fail_alloc = h->fail_call = 0;
    return n - 1;
}

#endif
