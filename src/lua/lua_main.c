/*
 * lua_main.c - the module: its engine, our Lua files, errors that name the script's line.
 *
 * A Lua state has one engine: the host's, if lgl_use_engine came first, else its own,
 * which is closed with the state. It is the first object of ours, so it is the last that
 * Lua finalizes.
 */
#include "base/memory.h"
#include "lua/glue.h"
#include "lugano_lua.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct engine_box {
    lg_engine *E;
    bool owned;
} engine_box;

static const char engine_key, core_key;        /* their addresses are registry keys */

enum { CHARGE = 1 << 20, SHARE = 16 };         /* bytes before the collector is told: so
                                                  many, and this part of those in use */

static int close_engine_box(lua_State *L)
{
    engine_box *box = lua_touserdata(L, 1);
    if (box->owned)
        lg_close(box->E);
    *box = (engine_box){NULL, false};
    return 0;
}

static engine_box *push_engine_box(lua_State *L)
{
    engine_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (engine_box){NULL, false};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, close_engine_box);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &engine_key);
    return box;
}

void lgl_use_engine(lua_State *L, lg_engine *E)
{
    push_engine_box(L)->E = E;
    lua_pop(L, 1);
}

lg_engine *const *lgl_engine_place(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &engine_key);
    engine_box *box = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (!box || !box->E)
        luaL_error(L, "the engine was closed");
    return &box->E;
}

lg_engine *lgl_engine(lua_State *L) { return *lgl_engine_place(L); }

/* What is new is charged as if Lua had allocated it: a box of eight bytes with a megabyte
 * behind it would otherwise never be collected. What a step takes and gives back by
 * itself, again and again, is no garbage, and a look at all of Lua's memory costs more
 * than many an operator: so bytes are new above the most that were in use since the
 * collector last worked. */
void lgl_charge(lua_State *L, lg_engine *E)
{
    int64_t more = lg_bytes(E) - E->charged;
    if (more < CHARGE + E->charged / SHARE)
        return;
    int64_t kib = more >> 10;
    E->charged += more;
    if (lua_gc(L, LUA_GCISRUNNING)) {
        lua_gc(L, LUA_GCSTEP, (int)(kib < 1 << 30 ? kib : 1 << 30));
        E->charged = lg_bytes(E);
    }
}

void lgl_safepoint(lua_State *L) { lgl_charge(L, lgl_engine(L)); }

bool lgl_again(lua_State *L, lg_engine *E, int tries)
{
    bool spent = E->spent;
    E->spent = false;
    if (tries != 1 || E->status != LG_ENOMEM || spent)
        return false;
    lg_clear(E);
    lua_gc(L, LUA_GCCOLLECT);
    return true;
}

static bool is_ours(const lua_Debug *ar)
{
    return strncmp(ar->source, "=lugano/", 8) == 0;
}

/* The innermost frame that is a script's: not C, and not a Lua file of ours. */
static bool script_frame(lua_State *L, lua_Debug *ar)
{
    for (int level = 0; lua_getstack(L, level, ar); level++) {
        lua_getinfo(L, "Sl", ar);
        if (ar->currentline > 0 && !is_ours(ar))
            return true;
    }
    return false;
}

void lgl_where(lua_State *L)
{
    lua_Debug ar;
    if (script_frame(L, &ar))
        lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
    else
        lua_pushliteral(L, "");
}

void lgl_push_failure(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    char message[LGI_MESSAGE];
    snprintf(message, sizeof message, "%s", lg_message(E));
    E->raised = E->status;
    lg_clear(E);
    lgl_where(L);
    lua_pushstring(L, message);
    lua_concat(L, 2);
}

int lgl_raise(lua_State *L)
{
    lgl_push_failure(L);
    return lua_error(L);
}

int lgl_error(lua_State *L, const char *format, ...)
{
    va_list ap;
    lgl_where(L);
    va_start(ap, format);
    lua_pushvfstring(L, format, ap);
    va_end(ap);
    lua_concat(L, 2);
    return lua_error(L);
}

/* core.fail(format, ...) raises with the script's line; core.where(): "script.lua:4". */
static int core_fail(lua_State *L)
{
    int n = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));     /* string.format, whatever a script did */
    lua_insert(L, 1);
    lua_call(L, n, 1);
    return lgl_error(L, "%s", lua_tostring(L, -1));
}

static int core_where(lua_State *L)
{
    lua_Debug ar;
    if (script_frame(L, &ar))
        lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
    else
        lua_pushliteral(L, "?");
    return 1;
}

static const lgl_file *find_file(lua_State *L, const char *name)
{
    const lgl_file *f = lgl_files;
    while (f->name && strcmp(f->name, name) != 0)
        f++;
    if (!f->name)
        luaL_error(L, "there is no file lugano/%s.lua", name);
    return f;
}

/* core.source(name): the text of our file, for the stubs. */
static int core_source(lua_State *L)
{
    const lgl_file *f = find_file(L, luaL_checkstring(L, 1));
    lua_pushlstring(L, (const char *)f->bytes, f->size);
    return 1;
}

/* core.load(name): what our file returns. It is run once, with core as its argument. */
static int core_load(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &core_key);
    int core = lua_gettop(L);
    lua_getfield(L, core, "loaded");
    if (lua_getfield(L, -1, name) != LUA_TNIL)
        return 1;
    const lgl_file *f = find_file(L, name);
    const char *chunk = lua_pushfstring(L, "=lugano/%s.lua", name);
    if (luaL_loadbufferx(L, (const char *)f->bytes, f->size, chunk, "t") != LUA_OK)
        return lua_error(L);
    lua_pushvalue(L, core);
    lua_call(L, 1, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, core + 1, name);
    return 1;
}

void lgl_add_type(lua_State *L, const char *type, const char *field, lua_CFunction gc,
                  const luaL_Reg *methods)
{
    luaL_newmetatable(L, type);
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__close");
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    lua_setfield(L, -3, field);
    lua_pop(L, 1);
}

void lgl_push_core(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &core_key); }

static void open_core(lua_State *L)
{
    static const luaL_Reg functions[] = {{"load", core_load}, {"where", core_where},
                                         {"source", core_source}, {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, core_fail, 1);
    lua_setfield(L, -3, "fail");
    lua_pop(L, 1);
    lua_newtable(L);
    lua_setfield(L, -2, "loaded");
    lua_newtable(L);
    lua_setfield(L, -2, "lg");
    lgl_open_tensor(L);
    lgl_open_create(L);
    lgl_open_op(L);
    lgl_open_grad(L);
    lgl_open_custom(L);
    lgl_open_layer(L);
    lgl_open_optim(L);
    lgl_open_data(L);
    lgl_open_dataset(L);
    lgl_open_system(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &core_key);      /* complete, or not at all */
}

static void open_own_engine(lua_State *L)
{
    lg_config c = LG_CONFIG_INIT;
    c.blas = true;                     /* a script owns the process, with its threads */
    engine_box *box = push_engine_box(L);
    if (lg_open(&box->E, &c) != LG_OK)
        luaL_error(L, "lugano: out of memory");
    box->owned = true;
    lua_pop(L, 1);
}

int luaopen_lugano(lua_State *L)
{
    luaL_checkversion(L);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &core_key) == LUA_TNIL) {
        if (lua_rawgetp(L, LUA_REGISTRYINDEX, &engine_key) == LUA_TNIL)
            open_own_engine(L);
        open_core(L);
    }
    lua_pushcfunction(L, core_load);
    lua_pushliteral(L, "init");
    lua_call(L, 1, 1);
    return 1;
}
