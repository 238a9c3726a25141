/* system_files.c - the file table of a POSIX system. A file is its descriptor plus 1. */
#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fd(void *file) { return (int)((intptr_t)file - 1); }

static void *system_open(void *user, const char *path, const char *mode)
{
    int flags = mode[0] == 'r' ? O_RDONLY
              : mode[0] == 'a' ? O_WRONLY | O_CREAT | O_APPEND
                               : O_WRONLY | O_CREAT | O_TRUNC;
    struct stat s;
    (void)user;
    int f = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0666);  /* a FIFO must not hang */
    if (f < 0)
        return NULL;
    if (fstat(f, &s) == 0 && S_ISREG(s.st_mode))
        return (void *)((intptr_t)f + 1);
    if (mode[0] != 'r' && S_ISCHR(s.st_mode))  /* /dev/null, /dev/full */
        return (void *)((intptr_t)f + 1);
    close(f);
    errno = S_ISDIR(s.st_mode) ? EISDIR : EINVAL;
    return NULL;
}

static ptrdiff_t system_read(void *user, void *file, void *to, size_t n)
{
    (void)user;
    return read(fd(file), to, n);
}

static ptrdiff_t system_write(void *user, void *file, const void *from, size_t n)
{
    (void)user;
    return write(fd(file), from, n);
}

static int system_sync(void *user, void *file)
{
    (void)user;
    return fsync(fd(file)) == 0 || errno == EINVAL ? 0 : -1;   /* EINVAL: a device */
}

static int system_close(void *user, void *file)
{
    (void)user;
    return close(fd(file));
}

/* The folder is synced too: otherwise a crash could bring the old name back. */
static int system_rename(void *user, const char *from, const char *to)
{
    char folder[1024] = ".";
    const char *slash = strrchr(to, '/');
    struct stat s;
    (void)user;
    if (stat(to, &s) == 0 && !S_ISREG(s.st_mode)) {
        errno = S_ISDIR(s.st_mode) ? EISDIR : EINVAL;      /* a device stays a device */
        return -1;
    }
    if (rename(from, to) < 0)
        return -1;
    if (slash && (size_t)(slash - to) < sizeof folder)
        snprintf(folder, sizeof folder, "%.*s", slash > to ? (int)(slash - to) : 1, to);
    int f = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f < 0)
        return 0;                              /* renamed all the same */
    fsync(f);
    close(f);
    return 0;
}

static int system_remove(void *user, const char *path)
{
    (void)user;
    return unlink(path);
}

static int system_mkdir(void *user, const char *path)
{
    struct stat s;
    (void)user;
    if (mkdir(path, 0777) == 0)
        return 0;
    if (errno != EEXIST || stat(path, &s) < 0)
        return -1;
    errno = ENOTDIR;
    return S_ISDIR(s.st_mode) ? 0 : -1;
}

static bool is_folder(int folder, const struct dirent *entry)
{
    struct stat s;                     /* of what a link leads to */
    if (entry->d_type == DT_DIR || entry->d_type == DT_REG)
        return entry->d_type == DT_DIR;
    return fstatat(folder, entry->d_name, &s, 0) == 0 && S_ISDIR(s.st_mode);
}

static int system_list(void *user, const char *path, void *to,
                       int (*each)(void *to, const char *name, int folder))
{
    DIR *d = opendir(path);
    int failed = 0;
    (void)user;
    if (!d)
        return -1;
    errno = 0;
    for (struct dirent *e; !failed && (e = readdir(d)) != NULL; errno = 0)
        failed = each(to, e->d_name, is_folder(dirfd(d), e));
    int why = errno;                   /* of readdir */
    closedir(d);
    errno = why;
    return failed || why ? -1 : 0;
}

lg_files lgi_system_files(void)
{
    return (lg_files){NULL, system_open, system_read, system_write, system_sync,
                      system_close, system_rename, system_remove, system_mkdir,
                      system_list};
}
