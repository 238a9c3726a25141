/*
 * files.h - files, through the host's table.
 *
 * What is written whole is written beside its final name, synced, and renamed: after a
 * crash or on a full disk the earlier file is intact.
 */
#ifndef LG_BASE_FILES_H
#define LG_BASE_FILES_H
#include "base/engine.h"

/* A whole file in memory of the engine: lgi_free(E, *data, *size). Fails above most. */
lg_status lgi_read_file(lg_engine *E, const char *path, size_t most,
                        unsigned char **data, size_t *size);

/* A file in the making. */
typedef struct lgi_writer {
    lg_engine *engine;
    void *file;
    char path[1024], temporary[1040];
} lgi_writer;

lg_status lgi_begin_file(lg_engine *E, lgi_writer *w, const char *path);
lg_status lgi_write(lgi_writer *w, const void *from, size_t n);
lg_status lgi_commit_file(lgi_writer *w);      /* sync, close, rename */
void lgi_abandon_file(lgi_writer *w);          /* close and remove what was written */

lg_status lgi_save_file(lg_engine *E, const char *path, const void *data, size_t n);
lg_status lgi_append_file(lg_engine *E, const char *path, const void *data, size_t n);
lg_status lgi_make_folder(lg_engine *E, const char *path);     /* and those above it */
bool lgi_file_exists(lg_engine *E, const char *path);

/* The names in a folder in the order of their bytes, each ended by a zero, those of
 * folders by "/" before it: lgi_free(E, *names, *size). Hidden ones, ".name", are left
 * out. */
lg_status lgi_list_folder(lg_engine *E, const char *path, char **names, size_t *size);

lg_files lgi_system_files(void);

#endif
