/* signature.c - the args of a descriptor, read: the one parser that all others use. */
#include "base/decimal.h"
#include "op/op.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *skip_spaces(const char *s) { return s + strspn(s, " "); }

static size_t identifier(const char *s)
{
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || s[n] == '_')
        n++;
    return n;
}

/* Up to the comma that ends the item: commas within braces are part of it. */
static size_t item_length(const char *s)
{
    size_t n = 0;
    for (int depth = 0; s[n] && (s[n] != ',' || depth > 0); n++)
        depth += (s[n] == '{') - (s[n] == '}');
    return n;
}

static bool read_type(const char *s, lgi_attr *a, size_t *bytes)
{
    static const struct { const char *name; lgi_type type; size_t bytes; } types[] = {
        {"number", LGI_NUMBER, sizeof(double)}, {"whole", LGI_WHOLE, sizeof(int64_t)},
        {"flag", LGI_FLAG, sizeof(int64_t)},    {"pair", LGI_PAIR, sizeof(lgi_pair)},
        {"list", LGI_LIST, sizeof(lgi_list)},   {"text", LGI_TEXT, sizeof(lgi_text)},
        {"numbers", LGI_NUMBERS, sizeof(lgi_numbers)}};
    size_t n = identifier(s);

    if (s[n] == '|') {
        a->type = LGI_WORD;
        a->words = s;
        *bytes = sizeof(int64_t);
        return true;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strlen(types[i].name) == n && memcmp(types[i].name, s, n) == 0) {
            a->type = types[i].type;
            *bytes = types[i].bytes;
            return true;
        }
    return false;
}

static bool read_attr(const char *s, size_t n, lgi_signature *sig)
{
    size_t name = identifier(s), bytes = 0;
    if (sig->nattr == LGI_MAX_ATTR || name == 0 || name >= sizeof sig->attr->name)
        return false;
    lgi_attr *a = &sig->attr[sig->nattr++];
    *a = (lgi_attr){.offset = sig->bytes};
    memcpy(a->name, s, name);
    const char *type = skip_spaces(s + name + 1), *equal = memchr(s, '=', n);
    a->initial = equal ? skip_spaces(equal + 1) : NULL;
    bool ok = read_type(type, a, &bytes);
    sig->bytes += bytes;
    return ok;
}

static bool read_input(const char *s, size_t n, lgi_signature *sig)
{
    size_t name = identifier(s);
    if (sig->nin == LGI_MAX_IN || name == 0 || name >= sizeof *sig->in || sig->nattr)
        return false;
    memcpy(sig->in[sig->nin++], s, name);
    sig->listed = n >= name + 3 && memcmp(s + name, "...", 3) == 0;
    if (s[name] != '?')
        sig->required = sig->nin;
    return true;
}

bool lgi_read_signature(const char *args, lgi_signature *sig)
{
    bool ok = true;
    memset(sig, 0, sizeof *sig);
    for (const char *s = skip_spaces(args); ok && *s;) {
        size_t n = item_length(s);
        const char *colon = memchr(s, ':', n);
        ok = colon ? read_attr(s, n, sig) : read_input(s, n, sig);
        s += n;
        s = skip_spaces(*s ? s + 1 : s);
    }
    return ok && sig->bytes <= LGI_MAX_ATTR_BYTES;
}

int lgi_find_attr(const lgi_signature *s, const char *name, size_t n)
{
    for (int i = 0; i < s->nattr; i++)
        if (strlen(s->attr[i].name) == n && memcmp(s->attr[i].name, name, n) == 0)
            return i;
    return -1;
}

/* Levenshtein's distance, of short names. */
static int name_distance(const char *a, const char *b)
{
    int row[32], n = (int)strlen(b);
    if (n > 30)
        return 99;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; *a; a++, i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int above = row[j], best = diagonal + (*a != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[n];
}

static int nearest_attr(const lgi_signature *s, const char *name)
{
    int best = -1, least = (int)strlen(name) / 2 + 1;
    for (int i = 0; i < s->nattr; i++) {
        int d = name_distance(name, s->attr[i].name);
        if (d < least || (d == least && best < 0 && d <= 2)) {
            best = i;
            least = d;
        }
    }
    return best;
}

/* The index of the word s[0..n) in "mean|sum|none", or -1. */
static int word_index(const char *words, const char *s, size_t n)
{
    for (int i = 0;; i++) {
        size_t m = identifier(words);
        if (m == n && memcmp(words, s, n) == 0)
            return i;
        if (words[m] != '|')
            return -1;
        words += m + 1;
    }
}

static bool read_number(const char **s, double *x)
{
    const char *end;
    bool ok = lgi_read_decimal(*s, &end, x);
    *s = skip_spaces(end);
    return ok;
}

static bool to_int64(double d, int64_t *x)
{
    bool ok = d == floor(d) && fabs(d) < 0x1p62;
    *x = ok ? (int64_t)d : 0;
    return ok;
}

static bool read_whole(const char **s, int64_t *x)
{
    double d;
    return read_number(s, &d) && to_int64(d, x);
}

/* "3" or "{3, 4}", and nothing after it: how many numbers, or -1. */
static int read_items(const char *s, double *to, int most)
{
    int n = 0;
    bool braces = *s == '{';
    s = skip_spaces(s + braces);
    if (braces && *s == '}')
        return *skip_spaces(s + 1) == 0 ? 0 : -1;
    while (n < most && read_number(&s, &to[n])) {
        n++;
        if (*s != ',' || !braces)
            break;
        s = skip_spaces(s + 1);
    }
    bool closed = !braces || *s == '}';
    return n && closed && *skip_spaces(s + braces) == 0 ? n : -1;
}

static bool read_numbers(const char *s, lgi_numbers *l)
{
    l->n = read_items(s, l->at, 4);
    return l->n >= 0;
}

static bool read_list(const char *s, lgi_list *l)
{
    double items[LGI_MAX_LIST];
    l->n = read_items(s, items, LGI_MAX_LIST);
    for (int64_t i = 0; i < l->n; i++)
        if (!to_int64(items[i], &l->at[i]))
            return false;
    return l->n >= 0;
}

static bool read_pair(const char *s, lgi_pair *p)
{
    lgi_list l;
    if (!read_list(s, &l) || l.n < 1 || l.n > 2)
        return false;
    *p = (lgi_pair){l.at[0], l.at[l.n - 1]};
    return true;
}

static bool read_value(const lgi_attr *a, const char *text, void *to)
{
    size_t n = strlen(text);
    int64_t *whole = to;
    switch (a->type) {
    case LGI_NUMBER: return read_number(&text, to) && *text == 0;
    case LGI_WHOLE:  return read_whole(&text, to) && *text == 0;
    case LGI_FLAG:
        *whole = strcmp(text, "true") == 0;
        return *whole || strcmp(text, "false") == 0;
    case LGI_WORD:   return (*whole = word_index(a->words, text, n)) >= 0;
    case LGI_PAIR:   return read_pair(text, to);
    case LGI_LIST:   return read_list(text, to);
    case LGI_NUMBERS: return read_numbers(text, to);
    case LGI_TEXT:   return n <= LGI_MAX_TEXT && memcpy(to, text, n + 1);
    }
    return false;
}

static const char *type_text(const lgi_attr *a, char to[96])
{
    static const char *const names[] = {"a number", "a whole number", "true or false", "",
                                        "a whole number or a pair", "whole numbers",
                                        "up to four numbers", "a string"};
    if (a->type == LGI_WORD)
        snprintf(to, 96, "one of %.*s", (int)strcspn(a->words, " ,="), a->words);
    return a->type == LGI_WORD ? to : names[a->type];
}

lg_status lgi_wrong_attr(lg_engine *E, const char *who, const lgi_attr *a,
                         const char *came)
{
    char type[96];
    return lgi_fail(E, LG_EARG, "%s: %s must be %s, not %s", who, a->name,
                    type_text(a, type), came);
}

lg_status lgi_set_attr(lg_engine *E, const char *who, const lgi_attr *a, void *attrs,
                       const char *text, size_t n)
{
    char copy[256], came[260];
    while (n && text[n - 1] == ' ')
        n--;
    snprintf(copy, sizeof copy, "%.*s", (int)(n < 255 ? n : 255), text);
    if (read_value(a, copy, (char *)attrs + a->offset))
        return LG_OK;
    snprintf(came, sizeof came, "'%s'", copy);
    return lgi_wrong_attr(E, who, a, came);
}

lg_status lgi_default_attrs(lg_engine *E, const char *who, const lgi_signature *s,
                            void *attrs, uint32_t given)
{
    for (int i = 0; i < s->nattr; i++) {
        const lgi_attr *a = &s->attr[i];
        if (given >> i & 1)
            continue;
        if (!a->initial)
            return lgi_fail(E, LG_EARG, "%s: %s must be given", who, a->name);
        if (lgi_set_attr(E, who, a, attrs, a->initial, item_length(a->initial)) < 0)
            return E->status;
    }
    return LG_OK;
}

lg_status lgi_unknown_attr(lg_engine *E, const char *who, const lgi_signature *s,
                           const char *name)
{
    int near = nearest_attr(s, name);
    char hint[64] = "";
    if (near >= 0)
        snprintf(hint, sizeof hint, " (did you mean '%s'?)", s->attr[near].name);
    return lgi_fail(E, LG_EARG, "%s has no option '%.40s'%s", who, name, hint);
}

lg_status lgi_parse_attrs(lg_engine *E, const char *who, const lgi_signature *s,
                          const char *text, void *attrs)
{
    uint32_t given = 0;
    for (const char *p = skip_spaces(text); *p;) {
        size_t n = item_length(p), name = identifier(p);
        const char *equal = skip_spaces(p + name);
        int i = lgi_find_attr(s, p, name);
        char word[48];
        snprintf(word, sizeof word, "%.*s", (int)(n < 40 ? n : 40), p);
        if (*equal != '=')
            return lgi_fail(E, LG_EARG, "%s: '%s' is not of the form name=value", who,
                            word);
        word[name < 40 ? name : 40] = 0;
        if (i < 0)
            return lgi_unknown_attr(E, who, s, word);
        const char *value = skip_spaces(equal + 1);
        if (lgi_set_attr(E, who, &s->attr[i], attrs, value, (size_t)(p + n - value)) < 0)
            return E->status;
        given |= (uint32_t)1 << i;
        p = skip_spaces(p[n] ? p + n + 1 : p + n);
    }
    return lgi_default_attrs(E, who, s, attrs, given);
}
