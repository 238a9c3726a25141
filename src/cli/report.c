/*
 * report.c - an error as the user reads it: the message, then how the script came there.
 * Frames of our own files and of C functions say nothing to a user, and are left out.
 */
#include "cli/cli.h"
#include "lua/glue.h"

#include <string.h>

/* To find a level Lua walks down to it, so that a look at all of a stack that overflowed
 * would take minutes. */
enum { SHOWN_FRAMES = 16, SEEN_LEVELS = 1000 };

static bool next_frame(lua_State *L, int *level, lua_Debug *ar)
{
    while (*level < SEEN_LEVELS && lua_getstack(L, (*level)++, ar)) {
        lua_getinfo(L, "Sln", ar);
        if (ar->currentline > 0 && strncmp(ar->source, "=lugano/", 8) != 0)
            return true;
    }
    return false;
}

static void add_frame(lua_State *L, luaL_Buffer *b, const lua_Debug *ar)
{
    lua_pushfstring(L, "\n  %s:%d: in ", ar->short_src, ar->currentline);
    luaL_addvalue(b);
    if (strcmp(ar->what, "main") == 0)
        luaL_addstring(b, "the main chunk");
    else {
        const char *kind = strcmp(ar->namewhat, "method") == 0 ? "method" : "function";
        if (ar->name)
            lua_pushfstring(L, "%s '%s'", kind, ar->name);
        else
            lua_pushfstring(L, "the function at line %d", ar->linedefined);
        luaL_addvalue(b);
    }
}

/* The frames, unless there is but one, which the message names. */
static void add_frames(lua_State *L, luaL_Buffer *b)
{
    lua_Debug first, ar;
    int level = 0, n = 0;
    if (!next_frame(L, &level, &first))
        return;
    for (; next_frame(L, &level, &ar); n++) {
        if (n == 0)
            add_frame(L, b, &first);
        if (n < SHOWN_FRAMES)
            add_frame(L, b, &ar);
    }
    if (n > SHOWN_FRAMES) {
        lua_pushfstring(L, "\n  and %s%d more", level < SEEN_LEVELS ? "" : "at least ",
                        n - SHOWN_FRAMES);
        luaL_addvalue(b);
    }
}

/* A table with the field status is no error but an ending, and passes as it is. */
int lgl_report(lua_State *L)
{
    luaL_Buffer b;
    lua_settop(L, 1);
    if (lua_istable(L, 1) && lua_getfield(L, 1, "status") == LUA_TNUMBER) {
        lua_settop(L, 1);
        return 1;
    }
    lua_settop(L, 1);
    luaL_checkstack(L, 10, NULL);
    if (lua_type(L, 1) != LUA_TSTRING && !luaL_getmetafield(L, 1, "__tostring")) {
        lgl_where(L);
        lua_pushfstring(L, "%san error that is no text but a %s", lua_tostring(L, -1),
                        luaL_typename(L, 1));
    } else
        luaL_tolstring(L, 1, NULL);
    lua_replace(L, 1);
    lua_settop(L, 1);
    luaL_buffinit(L, &b);
    lua_pushvalue(L, 1);
    luaL_addvalue(&b);
    add_frames(L, &b);
    luaL_pushresult(&b);
    return 1;
}
