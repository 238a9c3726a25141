/*
 * lua_attr.c - attributes and options from Lua's arguments, by position or by name.
 *
 *     x:softmax(2)   x:softmax{dim = 2}   x:reshape(18, 2)   x:reshape{18, 2}
 *     lg.conv2d(x, w, nil, 2, 1)   lg.conv2d(x, w, nil, {stride = {2, 1}})
 *
 * Numbers at the place of a list fill it; a table there with positions is the list. A
 * table with names gives attributes by name and must be the last argument.
 */
#include "lua/glue.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct reading {
    lua_State *L;
    const char *who;
    const lgi_signature *signature;
    char *attrs;
    uint32_t given;
} reading;

static int wrong_value(const reading *r, const lgi_attr *a, int arg)
{
    lg_engine *E = lgl_engine(r->L);
    char came[96];
    int type = lua_type(r->L, arg);
    if (type == LUA_TSTRING)
        snprintf(came, sizeof came, "'%.60s'", lua_tostring(r->L, arg));
    else if (type == LUA_TNUMBER || type == LUA_TBOOLEAN)
        snprintf(came, sizeof came, "%.60s", luaL_tolstring(r->L, arg, NULL));
    else
        snprintf(came, sizeof came, "a %s", luaL_typename(r->L, arg));
    lgi_wrong_attr(E, r->who, a, came);
    return lgl_raise(r->L);
}

static bool to_whole(lua_State *L, int arg, int64_t *to)
{
    lua_Number x = lua_tonumber(L, arg);
    if (lua_type(L, arg) != LUA_TNUMBER || x != floor(x) || fabs(x) >= 0x1p62)
        return false;
    *to = (int64_t)x;
    return true;
}

/* The positions of a table as whole numbers, at most most; -1: they are not. */
static int64_t read_wholes(lua_State *L, int arg, int64_t *to, int64_t most)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, arg);
    bool ok = n <= most;
    for (lua_Integer i = 1; ok && i <= n; i++) {
        lua_rawgeti(L, arg, i);
        ok = to_whole(L, -1, &to[i - 1]);
        lua_pop(L, 1);
    }
    return ok ? n : -1;
}

static bool read_pair_value(lua_State *L, int arg, lgi_pair *p)
{
    int64_t two[2] = {0, 0};
    if (to_whole(L, arg, &p->h)) {
        p->w = p->h;
        return true;
    }
    if (!lua_istable(L, arg))
        return false;
    int64_t n = read_wholes(L, arg, two, 2);
    *p = (lgi_pair){two[0], two[n == 2]};
    return n == 1 || n == 2;
}

static bool read_list_value(lua_State *L, int arg, lgi_list *l)
{
    l->n = to_whole(L, arg, &l->at[0]) ? 1
         : lua_istable(L, arg) ? read_wholes(L, arg, l->at, LGI_MAX_LIST) : -1;
    return l->n >= 0;
}

static bool read_numbers_value(lua_State *L, int arg, lgi_numbers *l)
{
    bool ok = lua_istable(L, arg);
    l->n = ok ? (int64_t)lua_rawlen(L, arg) : 0;
    ok = ok && l->n <= 4;
    for (int i = 0; ok && i < l->n; i++) {
        lua_rawgeti(L, arg, i + 1);
        ok = lua_type(L, -1) == LUA_TNUMBER;
        l->at[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return ok;
}

static void read_string_value(reading *r, const lgi_attr *a, int arg)
{
    size_t n;
    if (lua_type(r->L, arg) != LUA_TSTRING)
        wrong_value(r, a, arg);
    const char *s = lua_tolstring(r->L, arg, &n);
    if (lgi_set_attr(lgl_engine(r->L), r->who, a, r->attrs, s, n) < 0)
        lgl_raise(r->L);
}

static void read_attr_value(reading *r, const lgi_attr *a, int arg)
{
    lua_State *L = r->L;
    void *to = r->attrs + a->offset;
    bool ok = true;
    switch (a->type) {
    case LGI_NUMBER:
        ok = lua_type(L, arg) == LUA_TNUMBER;
        *(double *)to = lua_tonumber(L, arg);
        break;
    case LGI_WHOLE:   ok = to_whole(L, arg, to); break;
    case LGI_FLAG:
        ok = lua_isboolean(L, arg);
        *(int64_t *)to = lua_toboolean(L, arg);
        break;
    case LGI_PAIR:    ok = read_pair_value(L, arg, to); break;
    case LGI_LIST:    ok = read_list_value(L, arg, to); break;
    case LGI_NUMBERS: ok = read_numbers_value(L, arg, to); break;
    case LGI_WORD: case LGI_TEXT: read_string_value(r, a, arg); break;
    }
    if (!ok)
        wrong_value(r, a, arg);
    r->given |= (uint32_t)1 << (a - r->signature->attr);
}

/* The names of a table. Wrong ones come before all else, the first of the alphabet, so
 * that errors don't depend on the order of the keys. */
static void read_named(reading *r, int arg)
{
    lua_State *L = r->L;
    const lgi_signature *s = r->signature;
    const char *unknown = NULL;
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            continue;
        const char *name = lua_tostring(L, -2);
        bool known = lgi_find_attr(s, name, strlen(name)) >= 0;
        if (!known && (!unknown || strcmp(name, unknown) < 0))
            unknown = name;            /* the table keeps the string */
    }
    if (unknown) {
        lgi_unknown_attr(lgl_engine(L), r->who, s, unknown);
        lgl_raise(L);
    }
    for (int i = 0; i < s->nattr; i++) {
        lua_pushstring(L, s->attr[i].name);
        if (lua_rawget(L, arg) != LUA_TNIL)
            read_attr_value(r, &s->attr[i], lua_gettop(L));
        lua_pop(L, 1);
    }
}

static bool takes_table(const lgi_attr *a)
{
    return a->type == LGI_PAIR || a->type == LGI_LIST || a->type == LGI_NUMBERS;
}

/* Numbers in a row at the place of a list. Returns the argument after them. */
static int read_spread(reading *r, const lgi_attr *a, int arg, int last)
{
    lgi_list *l = (lgi_list *)(void *)(r->attrs + a->offset);
    l->n = 0;
    while (arg <= last && lua_type(r->L, arg) == LUA_TNUMBER) {
        if (l->n == LGI_MAX_LIST || !to_whole(r->L, arg, &l->at[l->n++]))
            wrong_value(r, a, arg);
        arg++;
    }
    r->given |= (uint32_t)1 << (a - r->signature->attr);
    return arg;
}

uint32_t lgl_read_attrs(lua_State *L, int first, int last, const char *who,
                        const lgi_signature *s, void *attrs)
{
    reading r = {L, who, s, attrs, 0};
    int next = 0;                      /* the attribute whose place it is */
    luaL_checkstack(L, 8, NULL);
    for (int arg = first; arg <= last; next++) {
        bool table = lua_istable(L, arg), positions = table && lua_rawlen(L, arg) > 0;
        const lgi_attr *a = next < s->nattr ? &s->attr[next] : NULL;
        if (table && arg == last && !(a && takes_table(a) && positions)) {
            read_named(&r, arg++);
        } else if (!a) {
            lgl_error(L, "%s takes %d arguments at most", who, s->nin + s->nattr);
        } else if (a->type == LGI_LIST && lua_type(L, arg) == LUA_TNUMBER) {
            arg = read_spread(&r, a, arg, last);
        } else {
            if (!lua_isnil(L, arg))
                read_attr_value(&r, a, arg);
            if (positions && arg == last)
                read_named(&r, arg);
            arg++;
        }
    }
    return r.given;
}

void lgl_check_attrs(lua_State *L, int first, int last, const char *who,
                     const lgi_signature *s, void *attrs)
{
    uint32_t given = lgl_read_attrs(L, first, last, who, s, attrs);
    if (lgi_default_attrs(lgl_engine(L), who, s, attrs, given) < 0)
        lgl_raise(L);
}
