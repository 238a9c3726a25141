#include "base/files.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static lg_status io_failure(lg_engine *E, const char *what, const char *path)
{
    return lgi_fail(E, LG_EIO, "cannot %s '%s': %s", what, path, strerror(errno));
}

/* Reads to the end, into a block that grows. */
static lg_status read_all(lg_engine *E, void *file, const char *path, size_t most,
                          unsigned char **data, size_t *size)
{
    size_t cap = 1 << 16, n = 0;
    unsigned char *p = lgi_alloc(E, cap);
    while (p) {
        ptrdiff_t got = E->files.read(E->files.user, file, p + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        n += got > 0 ? (size_t)got : 0;
        if (got < 0)
            io_failure(E, "read", path);
        else if (n > most)
            lgi_fail(E, LG_EFORMAT, "'%s' is larger than %.0f MB", path,
                     (double)most / 1e6);
        else if (got == 0)
            break;
        if (E->status < 0) {
            lgi_free(E, p, cap);
            return E->status;
        }
        if (n == cap) {
            unsigned char *q = lgi_resize(E, p, cap, 2 * cap);
            if (!q)
                lgi_free(E, p, cap);
            p = q;
            cap *= 2;
        }
    }
    unsigned char *fit = p ? lgi_alloc(E, n) : NULL;   /* the caller knows n alone */
    if (fit)
        memcpy(fit, p, n);
    lgi_free(E, p, cap);
    *data = fit;
    *size = n;
    return fit ? LG_OK : E->status;
}

lg_status lgi_read_file(lg_engine *E, const char *path, size_t most,
                        unsigned char **data, size_t *size)
{
    *data = NULL;
    *size = 0;
    if (E->status < 0)
        return E->status;
    void *file = E->files.open(E->files.user, path, "r");
    if (!file)
        return io_failure(E, "open", path);
    read_all(E, file, path, most, data, size);
    E->files.close(E->files.user, file);
    return E->status;
}

bool lgi_file_exists(lg_engine *E, const char *path)
{
    void *file = E->files.open(E->files.user, path, "r");
    if (file)
        E->files.close(E->files.user, file);
    return file != NULL;
}

lg_status lgi_begin_file(lg_engine *E, lgi_writer *w, const char *path)
{
    memset(w, 0, sizeof *w);
    w->engine = E;
    if (E->status < 0)
        return E->status;
    if (strlen(path) >= sizeof w->path)
        return lgi_fail(E, LG_EARG, "the path '%.60s...' is too long", path);
    snprintf(w->path, sizeof w->path, "%s", path);
    snprintf(w->temporary, sizeof w->temporary, "%s.tmp", path);
    w->file = E->files.open(E->files.user, w->temporary, "w");
    return w->file ? LG_OK : io_failure(E, "write", path);
}

/* write(2) may take a part, or be interrupted. */
static lg_status write_all(lg_engine *E, void *file, const char *path, const char *p,
                           size_t n)
{
    while (n > 0) {
        ptrdiff_t took = E->files.write(E->files.user, file, p, n);
        if (took < 0 && errno == EINTR)
            continue;
        if (took <= 0)
            return io_failure(E, "write", path);
        p += took;
        n -= (size_t)took;
    }
    return LG_OK;
}

lg_status lgi_write(lgi_writer *w, const void *from, size_t n)
{
    if (w->engine->status < 0 || !w->file)
        return w->engine->status;
    return write_all(w->engine, w->file, w->path, from, n);
}

void lgi_abandon_file(lgi_writer *w)
{
    if (!w->file)
        return;
    const lg_files *f = &w->engine->files;
    f->close(f->user, w->file);
    w->file = NULL;
    f->remove(f->user, w->temporary);
}

lg_status lgi_commit_file(lgi_writer *w)
{
    lg_engine *E = w->engine;
    const lg_files *f = &E->files;
    if (E->status == LG_OK && f->sync(f->user, w->file) < 0)
        io_failure(E, "write", w->path);       /* never tried again: a second could lie */
    if (E->status < 0) {
        lgi_abandon_file(w);
        return E->status;
    }
    int closed = f->close(f->user, w->file);
    w->file = NULL;
    if (closed < 0 || f->rename(f->user, w->temporary, w->path) < 0) {
        io_failure(E, "write", w->path);
        f->remove(f->user, w->temporary);
    }
    return E->status;
}

lg_status lgi_save_file(lg_engine *E, const char *path, const void *data, size_t n)
{
    lgi_writer w;
    if (lgi_begin_file(E, &w, path) < 0)
        return E->status;
    lgi_write(&w, data, n);
    return lgi_commit_file(&w);
}

lg_status lgi_append_file(lg_engine *E, const char *path, const void *data, size_t n)
{
    if (E->status < 0)
        return E->status;
    void *file = E->files.open(E->files.user, path, "a");
    if (!file)
        return io_failure(E, "write", path);
    write_all(E, file, path, data, n);
    if (E->files.close(E->files.user, file) < 0)
        io_failure(E, "write", path);
    return E->status;
}

lg_status lgi_make_folder(lg_engine *E, const char *path)
{
    char part[1024];
    if (E->status < 0)
        return E->status;
    if (strlen(path) >= sizeof part)
        return lgi_fail(E, LG_EARG, "the path '%.60s...' is too long", path);
    for (size_t i = 1; path[0] && i <= strlen(path); i++)
        if (path[i] == '/' || path[i] == 0) {
            memcpy(part, path, i);
            part[i] = 0;
            if (E->files.mkdir(E->files.user, part) < 0)
                return io_failure(E, "make the folder", part);
        }
    return LG_OK;
}
