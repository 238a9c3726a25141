/* lua_host.c - scripts for hosts: the engine's own Lua state, and lugano_lua.h. */
#include "lua/host.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/random.h"
#include "lua/glue.h"
#include "lugano_lua.h"

#include <lualib.h>
#include <string.h>

enum { MOST_SCRIPT = 64 << 20 };               /* bytes of a script */

/* the state */

/* A lua_Alloc over the engine's memory. The collector knows of these bytes, so they count
 * as charged; and a failure is none yet, since Lua collects, tries again, and raises. */
static void *script_alloc(void *user, void *p, size_t old, size_t size)
{
    lg_engine *E = user;
    lg_status before = E->status;
    int64_t bytes = lg_bytes(E);
    void *q = NULL;
    if (size == 0)
        lgi_free(E, p, old);
    else
        q = p ? lgi_resize(E, p, old, size) : lgi_alloc(E, size);
    E->charged += lg_bytes(E) - bytes;
    if (before == LG_OK)
        lg_clear(E);
    return q;
}

/* random() -> [0, 1); random(n) -> 1..n; random(m, n) -> m..n; random(0) -> any whole */
static int script_random(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    int n = lua_gettop(L);
    lua_Integer low = n > 1 ? luaL_checkinteger(L, 1) : 1;
    lua_Integer high = n > 0 ? luaL_checkinteger(L, n > 1 ? 2 : 1) : 0;
    bool any = n == 1 && high == 0;
    luaL_argcheck(L, n <= 2, 3, "random takes at most two numbers");
    luaL_argcheck(L, n == 0 || any || low <= high, n > 1 ? 2 : 1, "interval is empty");

    lgi_stream stream = lgi_script_stream(E);
    uint64_t block = lgi_draw(E, 1) / 4, span = (uint64_t)high - (uint64_t)low + 1;
    uint32_t r[4];
    lgi_philox(stream, block, r);
    uint64_t bits = (uint64_t)r[0] << 32 | r[1];
    if (n == 0)
        lua_pushnumber(L, (lua_Number)(bits >> 11) * 0x1p-53);
    else if (any || span == 0)
        lua_pushinteger(L, (lua_Integer)bits);
    else
        lua_pushinteger(L, (lua_Integer)((uint64_t)low + lgi_below(stream, block, span)));
    return 1;
}

/* One seed for all: numbers of the script and of the engine. */
static int script_randomseed(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lua_Integer seed;
    if (lua_isnone(L, 1))
        seed = (lua_Integer)(lgi_now(E) * 1e9);
    else
        seed = luaL_checkinteger(L, 1);
    lg_seed(E, (uint64_t)seed);
    lua_pushinteger(L, seed);
    return 1;
}

/* The collector stays incremental. Told of each quarter of a megabyte, a generational one
 * makes tensors old within a training step, and keeps them until Lua's own heap has
 * doubled: gigabytes. */
static int open_libraries(lua_State *L)
{
    static const luaL_Reg random[] = {{"random", script_random},
                                      {"randomseed", script_randomseed}, {NULL, NULL}};
    lgl_use_engine(L, lua_touserdata(L, 1));
    luaL_openlibs(L);
    lua_getglobal(L, "math");
    luaL_setfuncs(L, random, 0);
    luaL_requiref(L, "lugano", luaopen_lugano, 0);
    return 0;
}

static void close_state(lg_engine *E)
{
    lua_close(E->script);
    E->script = NULL;
    E->close_script = NULL;
}

lua_State *lgl_script(lg_engine *E)
{
    if (E->script)
        return E->script;
    lua_State *L = lua_newstate(script_alloc, E);
    if (!L) {
        lgi_fail(E, LG_ENOMEM, "out of memory: no room for a Lua state");
        return NULL;
    }
    E->script = L;
    E->close_script = close_state;
    lua_pushcfunction(L, open_libraries);
    lua_pushlightuserdata(L, E);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK)
        return L;
    const char *why = lua_tostring(L, -1);
    lgi_fail(E, LG_ENOMEM, "the Lua state could not be made: %s", why ? why : "?");
    close_state(E);
    return NULL;
}

/* loading: these raise */

void lgl_load_text(lua_State *L, const char *text, size_t size, const char *name)
{
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)     /* a byte order mark */
        text += 3, size -= 3;
    if (size && *text == '#')
        while (size && *text != '\n')          /* the line's end stays: lines count on */
            text++, size--;
    if (luaL_loadbufferx(L, text, size, name, "t") != LUA_OK)
        lua_error(L);
}

static int load_bytes(lua_State *L)            /* text, size, name */
{
    lgl_load_text(L, lua_touserdata(L, 1), (size_t)lua_tointeger(L, 2),
                  lua_touserdata(L, 3));
    return 1;
}

void lgl_load_file(lua_State *L, const char *path)
{
    lg_engine *E = lgl_engine(L);
    const char *name = lua_pushfstring(L, "@%s", path);
    unsigned char *data;
    size_t size;
    luaL_checkstack(L, 4, NULL);
    if (lgi_read_file(E, path, MOST_SCRIPT, &data, &size) < 0) {
        char message[LGI_MESSAGE];
        strcpy(message, lg_message(E));        /* pushing may raise: clear before */
        E->raised = E->status;
        lg_clear(E);
        lua_pushstring(L, message);
        lua_error(L);
    }
    lua_pushcfunction(L, load_bytes);
    lua_pushlightuserdata(L, data);
    lua_pushinteger(L, (lua_Integer)size);
    lua_pushlightuserdata(L, (void *)(uintptr_t)name);
    int failed = lua_pcall(L, 3, 1, 0);
    lgi_free(E, data, size);
    if (failed)
        lua_error(L);
    lua_remove(L, -2);
}

/* lugano_lua.h: each call runs in a function of its own, protected */

typedef struct request {
    const char *path, *code, *name;
    lg_tensor *tensor;
} request;

/* The failure of a protected call: the engine's own, where the error's text has it. */
static lg_status script_failure(lg_engine *E, lua_State *L, int status)
{
    char last[LGI_MESSAGE];
    strcpy(last, E->message);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    if (status == LUA_ERRMEM)
        lgi_fail(E, LG_ENOMEM, "out of memory in a script");
    else if (text)
        lgi_fail(E, E->raised && strstr(text, last) ? E->raised : LG_ESCRIPT, "%s", text);
    else
        lgi_fail(E, LG_ESCRIPT, "a script raised an error that is no text but a %s",
                 luaL_typename(L, -1));
    return E->status;
}

/* An error that is an object becomes its text while the state may still raise. */
static int error_text(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING && luaL_getmetafield(L, 1, "__tostring"))
        luaL_tolstring(L, 1, NULL);
    else
        lua_settop(L, 1);
    return 1;
}

static lg_status protected_request(lg_engine *E, lua_CFunction f, request *r)
{
    if (E->status < 0)
        return E->status;
    lua_State *L = lgl_script(E);
    if (!L)
        return E->status;
    if (!lua_checkstack(L, 8))
        return lgi_fail(E, LG_ENOMEM, "out of memory: Lua's stack is full");
    int base = lua_gettop(L);                  /* above 0: called from a script */
    E->raised = LG_OK;
    lua_pushcfunction(L, error_text);
    lua_pushcfunction(L, f);
    lua_pushlightuserdata(L, r);
    int status = lua_pcall(L, 1, 0, base + 1);
    if (status != LUA_OK)
        script_failure(E, L, status);
    lua_settop(L, base);
    return E->status;
}

static int run_request(lua_State *L)
{
    const request *r = lua_touserdata(L, 1);
    if (r->path)
        lgl_load_file(L, r->path);
    else
        lgl_load_text(L, r->code, strlen(r->code), lua_pushfstring(L, "=%s", r->name));
    lua_call(L, 0, 0);
    return 0;
}

lg_status lg_run_file(lg_engine *E, const char *path)
{
    return protected_request(E, run_request, &(request){.path = path});
}

lg_status lg_run_string(lg_engine *E, const char *code, const char *name)
{
    return protected_request(E, run_request,
                             &(request){.code = code, .name = name ? name : "script"});
}

static int get_request(lua_State *L)
{
    request *r = lua_touserdata(L, 1);
    lua_pushglobaltable(L);
    lua_pushstring(L, r->name);
    lua_rawget(L, -2);
    if (!lgl_is_tensor(L, -1))
        return luaL_error(L, "global '%s' is a %s, and a tensor was needed", r->name,
                          luaL_typename(L, -1));
    r->tensor = lg_retain(lgl_check_tensor(L, -1));
    return 0;
}

lg_tensor *lg_global(lg_engine *E, const char *name)
{
    request r = {.name = name};
    return protected_request(E, get_request, &r) < 0 ? NULL : lgi_scoped(E, r.tensor);
}

static int set_request(lua_State *L)
{
    request *r = lua_touserdata(L, 1);
    lua_pushglobaltable(L);
    lua_pushstring(L, r->name);
    *lgl_push_box(L) = lg_retain(r->tensor);
    lua_rawset(L, -3);                         /* may raise: the box holds it by now */
    return 0;
}

lg_status lg_set_global(lg_engine *E, const char *name, lg_tensor *t)
{
    if (!t && E->status == LG_OK)
        return lgi_fail(E, LG_EARG, "set_global: '%s' needs a tensor, not NULL", name);
    if (t && t->engine != E)
        return lgi_fail(E, LG_EARG, "set_global: the tensor for '%s' belongs to another "
                        "engine", name);
    return protected_request(E, set_request, &(request){.name = name, .tensor = t});
}
