/* json.c - strings and whole numbers of JSON (RFC 8259), written and read. */
#include "data/json.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { JSON_PIECE = 200 };
#define JSON_MOST ((int64_t)1 << 59)   /* numbers from here are refused: ten times fits */

/* UTF-8 */

/* The length of the character at s, and its code; 0 if it is malformed (RFC 3629). */
static size_t utf8_character(const unsigned char *s, size_t n, uint32_t *code)
{
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3
               : s[0] < 0xf5 ? 4 : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (len == 0 || len > n)
        return 0;
    *code = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3f);
    }
    bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return *code < least[len] || *code > 0x10ffff || surrogate ? 0 : len;
}

bool lgi_is_utf8(const char *s, size_t n)
{
    uint32_t code;
    for (size_t i = 0, len; i < n; i += len) {
        len = utf8_character((const unsigned char *)s + i, n - i, &code);
        if (len == 0)
            return false;
    }
    return true;
}

static size_t put_utf8(char *to, uint32_t code)
{
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)(first[len] | code);
    return len;
}

/* writing */

static void put_bytes(lgi_json_text *t, const char *s, size_t n)
{
    if (t->engine->status < 0)
        return;
    if (n > t->cap - t->n) {
        size_t cap = 2 * t->cap + n + 1024;
        char *p = lgi_resize(t->engine, t->text, t->cap, cap);
        if (!p)
            return;
        t->text = p;
        t->cap = cap;
    }
    memcpy(t->text + t->n, s, n);
    t->n += n;
}

void lgi_put_json(lgi_json_text *t, const char *format, ...)
{
    char piece[JSON_PIECE + 1];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(piece, sizeof piece, format, ap);
    va_end(ap);
    put_bytes(t, piece, n > JSON_PIECE ? JSON_PIECE : (size_t)n);
}

void lgi_put_json_string(lgi_json_text *t, const char *s)
{
    put_bytes(t, "\"", 1);
    while (*s) {
        size_t plain = 0;
        while ((unsigned char)s[plain] >= 0x20 && s[plain] != '"' && s[plain] != '\\')
            plain++;
        put_bytes(t, s, plain);
        s += plain;
        if (*s == '"' || *s == '\\')
            lgi_put_json(t, "\\%c", *s++);
        else if (*s)
            lgi_put_json(t, "\\u%04x", (unsigned)(unsigned char)*s++);
    }
    put_bytes(t, "\"", 1);
}

void lgi_free_json(lgi_json_text *t)
{
    lgi_free(t->engine, t->text, t->cap);
    t->text = NULL;
    t->n = t->cap = 0;
}

/* reading */

bool lgi_json_wrong(lgi_json *j, const char *what)
{
    if (!j->wrong)
        j->wrong = what;
    return false;
}

static void skip_blanks(lgi_json *j)
{
    while (j->at < j->end && strchr(" \t\r\n", *j->at) && *j->at)
        j->at++;
}

bool lgi_json_has(lgi_json *j, char mark)
{
    skip_blanks(j);
    if (j->wrong || j->at == j->end || *j->at != (unsigned char)mark)
        return false;
    j->at++;
    return true;
}

bool lgi_json_need(lgi_json *j, char mark)
{
    static const char *const marks[] = {"'{'", "'}'", "'['", "']'", "':'", "','",
                                        "a string"};
    const char *all = "{}[]:,\"";
    return lgi_json_has(j, mark) || lgi_json_wrong(j, marks[strchr(all, mark) - all]);
}

bool lgi_json_end(lgi_json *j)
{
    skip_blanks(j);
    return !j->wrong && (j->at == j->end || lgi_json_wrong(j, "the end"));
}

static bool read_hex4(lgi_json *j, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *d = j->at < j->end && *j->at ? strchr(digits, *j->at) : NULL;
        if (!d)
            return lgi_json_wrong(j, "four hexadecimal digits");
        *code = *code << 4 | (uint32_t)((d - digits) & 15);
        j->at++;
    }
    return true;
}

/* After "\u": one code, or the two of a surrogate pair. */
static bool read_unicode(lgi_json *j, uint32_t *code)
{
    uint32_t low;
    if (!read_hex4(j, code))
        return false;
    if (*code >= 0xd800 && *code < 0xdc00) {
        if (j->end - j->at < 2 || j->at[0] != '\\' || j->at[1] != 'u')
            return lgi_json_wrong(j, "the second half of a surrogate pair");
        j->at += 2;
        if (!read_hex4(j, &low))
            return false;
        if (low < 0xdc00 || low >= 0xe000)
            return lgi_json_wrong(j, "the second half of a surrogate pair");
        *code = 0x10000 + ((*code - 0xd800) << 10 | (low - 0xdc00));
    }
    return (*code && (*code < 0xdc00 || *code >= 0xe000))
           || lgi_json_wrong(j, "a character");
}

static bool read_escape(lgi_json *j, uint32_t *code)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *e = j->at < j->end && *j->at ? strchr(from, *j->at) : NULL;
    if (j->at < j->end && *j->at == 'u') {
        j->at++;
        return read_unicode(j, code);
    }
    if (!e)
        return lgi_json_wrong(j, "an escape");
    j->at++;
    *code = (uint32_t)to[e - from];
    return true;
}

const char *lgi_json_string(lgi_json *j)
{
    char *text = j->strings;           /* shorter than the source with its quotes */
    uint32_t code;
    if (!lgi_json_need(j, '"'))
        return NULL;
    for (;;) {
        size_t len = j->at < j->end
                   ? utf8_character(j->at, (size_t)(j->end - j->at), &code) : 0;
        if (len == 0 || code < 0x20) {
            lgi_json_wrong(j, "the rest of a string in UTF-8");
            return NULL;
        }
        j->at += len;
        if (code == '"')
            break;
        if (code == '\\' && !read_escape(j, &code))
            return NULL;
        j->strings += put_utf8(j->strings, code);
    }
    *j->strings++ = 0;
    return text;
}

int64_t lgi_json_whole(lgi_json *j)
{
    int64_t v = 0;
    skip_blanks(j);
    const unsigned char *first = j->at;
    for (; j->at < j->end && *j->at >= '0' && *j->at <= '9' && v < JSON_MOST; j->at++)
        v = v * 10 + (*j->at - '0');
    bool padded = j->at - first > 1 && *first == '0';
    if (j->wrong || j->at == first || padded || v >= JSON_MOST) {
        lgi_json_wrong(j, "a whole number");
        return -1;
    }
    return v;
}
