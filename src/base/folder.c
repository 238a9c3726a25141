/* folder.c - what is in a folder: its names, sorted, so that nothing depends on the order
 * in which a disk gives them. */
#include "base/files.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Names one after the other, each ended by a zero. */
typedef struct name_list {
    lg_engine *engine;
    char *text;
    size_t used, cap, count;
} name_list;

static int add_entry(void *to, const char *name, int folder)
{
    name_list *list = to;
    size_t n = strlen(name), more = n + (folder ? 2 : 1);
    if (name[0] == '.')
        return 0;
    if (list->used + more > list->cap) {
        size_t cap = 2 * (list->used + more) + 256;
        char *text = lgi_resize(list->engine, list->text, list->cap, cap);
        if (!text)
            return -1;
        list->text = text;
        list->cap = cap;
    }
    memcpy(list->text + list->used, name, n);
    memcpy(list->text + list->used + n, "/", 2);
    list->used += more;
    list->text[list->used - 1] = 0;
    list->count++;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Copies the names in order to a block that has their size. */
static char *sorted_names(const name_list *list)
{
    lg_engine *E = list->engine;
    size_t bytes = list->count * sizeof(char *), n = 0, at = 0;
    const char **order = lgi_alloc(E, bytes);
    char *sorted = order ? lgi_alloc(E, list->used) : NULL;
    for (size_t i = 0; sorted && i < list->count; i++) {
        order[i] = list->text + at;
        at += strlen(order[i]) + 1;
    }
    if (sorted && list->count)
        qsort(order, list->count, sizeof *order, compare_names);
    for (size_t i = 0; sorted && i < list->count; i++) {
        size_t length = strlen(order[i]) + 1;
        memcpy(sorted + n, order[i], length);
        n += length;
    }
    lgi_free(E, order, bytes);
    return sorted;
}

lg_status lgi_list_folder(lg_engine *E, const char *path, char **names, size_t *size)
{
    const lg_files *f = &E->files;
    name_list list = {.engine = E};
    *names = NULL;
    *size = 0;
    if (E->status < 0)
        return E->status;
    errno = ENOSYS;
    int failed = f->list ? f->list(f->user, path, &list, add_entry) : -1;
    if (failed && E->status == LG_OK)
        lgi_fail(E, LG_EIO, "cannot read the folder '%s': %s", path, strerror(errno));
    if (E->status == LG_OK)
        *names = sorted_names(&list);
    if (*names)
        *size = list.used;
    lgi_free(E, list.text, list.cap);
    return E->status;
}
