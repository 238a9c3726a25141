/*
 * json.h - the part of JSON that a safetensors header needs: objects and lists of known
 * depth, strings, whole numbers. Nothing here recurses or reads beyond the end.
 */
#ifndef LG_DATA_JSON_H
#define LG_DATA_JSON_H
#include "base/engine.h"

/* Text that grows. Once memory is short it stays as it is: E->status tells. */
typedef struct lgi_json_text {
    lg_engine *engine;
    char *text;                        /* not terminated */
    size_t n, cap;
} lgi_json_text;

void lgi_put_json(lgi_json_text *t, const char *format, ...)   /* up to 200 bytes */
    __attribute__((format(printf, 2, 3)));
void lgi_put_json_string(lgi_json_text *t, const char *s);     /* quoted; s is UTF-8 */
void lgi_free_json(lgi_json_text *t);

/* A reader. The first thing wrong stays, and all that follows is refused. */
typedef struct lgi_json {
    const unsigned char *start, *at, *end;
    const char *wrong;                 /* what was expected at at; NULL: nothing wrong */
    char *strings;                     /* where strings go: end - start bytes suffice */
} lgi_json;

bool lgi_json_has(lgi_json *j, char mark);     /* takes the mark if it comes next */
bool lgi_json_need(lgi_json *j, char mark);
const char *lgi_json_string(lgi_json *j);      /* terminated UTF-8; or NULL */
int64_t lgi_json_whole(lgi_json *j);           /* 0 and up; -1 */
bool lgi_json_end(lgi_json *j);                /* only spaces are left */
bool lgi_json_wrong(lgi_json *j, const char *what);    /* false */

bool lgi_is_utf8(const char *s, size_t n);

#endif
