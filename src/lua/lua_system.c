/* lua_system.c - what our Lua files need of the floors: files, clock, state, versions. */
#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/profile.h"
#include "lua/glue.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#ifndef LG_BLAS_VERSION
#define LG_BLAS_VERSION "none"
#endif

#define LGL_BYTES "lugano.bytes"
enum { MOST_TEXT = 64 << 20, MOST_THREADS = 1024 };   /* bytes of a file of text */

/* files */

/* What was read, until Lua has its own copy: making that may raise. */
typedef struct file_bytes {
    lg_engine *engine;
    unsigned char *data;
    size_t size;
} file_bytes;

static int bytes_gc(lua_State *L)
{
    file_bytes *b = luaL_checkudata(L, 1, LGL_BYTES);
    if (b->data)
        lgi_free(b->engine, b->data, b->size);
    b->data = NULL;
    return 0;
}

static int system_read_file(lua_State *L)      /* path -> its bytes */
{
    lg_engine *E = lgl_engine(L);
    const char *path = luaL_checkstring(L, 1);
    file_bytes *b = lgl_push_object(L, LGL_BYTES, sizeof *b);
    b->engine = E;
    LGL_COMPUTE(L, E, lgi_read_file(E, path, MOST_TEXT, &b->data, &b->size));
    if (E->status < 0)
        return lgl_raise(L);
    lua_pushlstring(L, (const char *)b->data, b->size);
    lgi_free(E, b->data, b->size);
    b->data = NULL;
    return 1;
}

static int system_save_file(lua_State *L)      /* path, bytes: whole or not at all */
{
    lg_engine *E = lgl_engine(L);
    size_t size;
    const char *path = luaL_checkstring(L, 1), *data = luaL_checklstring(L, 2, &size);
    LGL_COMPUTE(L, E, lgi_save_file(E, path, data, size));
    return E->status < 0 ? lgl_raise(L) : 0;
}

static int system_append_file(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    size_t size;
    const char *path = luaL_checkstring(L, 1), *data = luaL_checklstring(L, 2, &size);
    if (lgi_append_file(E, path, data, size) < 0)      /* never twice: it could double */
        return lgl_raise(L);
    return 0;
}

static int system_make_folder(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    const char *path = luaL_checkstring(L, 1);
    LGL_COMPUTE(L, E, lgi_make_folder(E, path));
    return E->status < 0 ? lgl_raise(L) : 0;
}

static int system_file_exists(lua_State *L)
{
    lua_pushboolean(L, lgi_file_exists(lgl_engine(L), luaL_checkstring(L, 1)));
    return 1;
}

static int system_remove_file(lua_State *L)    /* whether it was there and is gone */
{
    lg_engine *E = lgl_engine(L);
    const char *path = luaL_checkstring(L, 1);
    lua_pushboolean(L, E->files.remove(E->files.user, path) == 0);
    return 1;
}

/* bytes as text, and their checksum: in Lua a megabyte takes 80 ms, here one or two */

static int system_base64(lua_State *L)         /* bytes -> text (RFC 4648) */
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size, n = 0;
    const char *data = luaL_checklstring(L, 1, &size);
    luaL_Buffer b;
    char *to = luaL_buffinitsize(L, &b, (size + 2) / 3 * 4);
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits = (uint32_t)(unsigned char)data[i] << 16;
        if (left > 1)
            bits |= (uint32_t)(unsigned char)data[i + 1] << 8;
        if (left > 2)
            bits |= (unsigned char)data[i + 2];
        to[n++] = digits[bits >> 18];
        to[n++] = digits[bits >> 12 & 63];
        to[n++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        to[n++] = left > 2 ? digits[bits & 63] : '=';
    }
    luaL_pushresultsize(&b, n);
    return 1;
}

/* CRC-32C, of Castagnoli's polynomial (RFC 3720, B.4), half a byte at a time. */
static int system_crc32c(lua_State *L)         /* bytes -> a whole number */
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    size_t size;
    const char *data = luaL_checklstring(L, 1, &size);
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned char)data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    lua_pushinteger(L, (lua_Integer)(crc ^ 0xffffffff));
    return 1;
}

static int system_rename_file(lua_State *L)    /* from, to: whether it has moved */
{
    lg_engine *E = lgl_engine(L);
    const char *from = luaL_checkstring(L, 1), *to = luaL_checkstring(L, 2);
    lua_pushboolean(L, E->files.rename(E->files.user, from, to) == 0);
    return 1;
}

/* path -> the sorted list of its names, without hidden ones; folders' end in "/" */
static int system_list_folder(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    const char *path = luaL_checkstring(L, 1);
    file_bytes *b = lgl_push_object(L, LGL_BYTES, sizeof *b);
    b->engine = E;
    LGL_COMPUTE(L, E, lgi_list_folder(E, path, (char **)&b->data, &b->size));
    if (E->status < 0)
        return lgl_raise(L);
    lua_newtable(L);
    for (size_t at = 0; at < b->size; at += strlen((char *)b->data + at) + 1) {
        lua_pushstring(L, (char *)b->data + at);
        lua_rawseti(L, -2, luaL_len(L, -2) + 1);
    }
    return 1;
}

/* Where our code was loaded from: data are looked for above it. Of a program the loader
 * knows what it was called, which is no path where the shell found it in PATH. */
static int system_library_path(lua_State *L)
{
    Dl_info info;
    char path[PATH_MAX];
    if (!dladdr((void *)(uintptr_t)lg_version, &info) || !info.dli_fname)
        return 0;
    const char *from = strchr(info.dli_fname, '/') ? info.dli_fname : "/proc/self/exe";
    if (!realpath(from, path))
        return 0;
    lua_pushstring(L, path);
    return 1;
}

/* state */

static int system_seconds(lua_State *L)
{
    lua_pushnumber(L, lgi_now(lgl_engine(L)));
    return 1;
}

static int system_random_state(lua_State *L)   /* [seed, drawn] -> seed, drawn */
{
    lg_engine *E = lgl_engine(L);
    if (!lua_isnoneornil(L, 1)) {
        lua_Integer seed = luaL_checkinteger(L, 1), drawn = luaL_checkinteger(L, 2);
        E->seed = (uint64_t)seed;
        E->drawn = (uint64_t)drawn;
    }
    lua_pushinteger(L, (lua_Integer)E->seed);
    lua_pushinteger(L, (lua_Integer)E->drawn);
    return 2;
}

static int system_threads(lua_State *L)        /* [n; 0: one a core] -> how many */
{
    lg_engine *E = lgl_engine(L);
    if (!lua_isnoneornil(L, 1)) {
        int n = (int)lgl_check_whole(L, 1, 0, MOST_THREADS);
        n = n > 0 ? n : lgi_count_cores();
        if (n != E->threads)
            lgi_close_pool(E);                 /* the next parallel loop makes another */
        E->threads = n;
    }
    lua_pushinteger(L, E->threads);
    return 1;
}

static int system_graceful(lua_State *L)       /* flag: does Ctrl-C wait for the step? */
{
    lg_engine *E = lgl_engine(L);
    E->graceful = lua_toboolean(L, 1);
    if (!E->graceful)
        atomic_store(&E->stop_asked, 0);
    return 0;
}

static int system_stop_asked(lua_State *L)
{
    lua_pushboolean(L, atomic_load(&lgl_engine(L)->stop_asked));
    return 1;
}

static int system_bytes(lua_State *L)          /* -> in use, the most there were */
{
    lua_pushinteger(L, lg_bytes(lgl_engine(L)));
    lua_pushinteger(L, lg_peak_bytes(lgl_engine(L)));
    return 2;
}

static int system_memory_limit(lua_State *L)   /* (bytes or nil) -> the limit; 0: none */
{
    lg_engine *E = lgl_engine(L);
    if (!lua_isnoneornil(L, 1))
        E->limit = lgl_check_whole(L, 1, 0, (lua_Integer)1 << 60);
    lua_pushinteger(L, E->limit);
    return 1;
}

static int system_kernels(lua_State *L)
{
    const lg_engine *E = lgl_engine(L);
    lua_pushfstring(L, E->exact ? "%s, exact" : "%s", lgi_cpu_name(E->cpu));
    return 1;
}

static int system_begin_profile(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    LGL_COMPUTE(L, E, lgi_open_profile(E));
    return E->status < 0 ? lgl_raise(L) : 0;
}

/* -> for each row { name =, calls =, seconds =, flops =, bytes =, most = }, in no order;
 * nil where there is no profile. */
static int system_profile(lua_State *L)
{
    const lgi_profile *p = lgl_engine(L)->profile;
    if (!p)
        return 0;
    lua_createtable(L, p->rows, 0);
    for (int i = 0, n = 0; i < LGI_PROFILE_ROWS; i++) {
        const lgi_profile_row *r = &p->at[i];
        if (!r->key)
            continue;
        lua_createtable(L, 0, 6);
        lua_pushstring(L, r->name);
        lua_setfield(L, -2, "name");
        lua_pushinteger(L, (lua_Integer)r->calls);
        lua_setfield(L, -2, "calls");
        lua_pushnumber(L, r->seconds);
        lua_setfield(L, -2, "seconds");
        lua_pushnumber(L, r->flops);
        lua_setfield(L, -2, "flops");
        lua_pushnumber(L, r->bytes);
        lua_setfield(L, -2, "bytes");
        lua_pushinteger(L, (lua_Integer)r->most);
        lua_setfield(L, -2, "most");
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* What a run writes down about the program it ran on. */
static int system_versions(lua_State *L)
{
    lua_createtable(L, 0, 4);
    lua_pushstring(L, lg_version());
    lua_setfield(L, -2, "lugano");
    lua_pushstring(L, &LUA_RELEASE[sizeof "Lua"]);
    lua_setfield(L, -2, "lua");
    lua_pushstring(L, LG_BLAS_VERSION);
    lua_setfield(L, -2, "openblas");
    lua_pushstring(L, sizeof(lg_real) == 4 ? "float" : "double");
    lua_setfield(L, -2, "element");
    return 1;
}

/* endings: errors that are none. The command turns one into its exit status. */

static int ending_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "message");
    return 1;
}

static void add_ending(lua_State *L, const char *name, int status)
{
    lua_createtable(L, 0, 2);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "message");
    lua_pushinteger(L, status);
    lua_setfield(L, -2, "status");
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, ending_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, name);
}

void lgl_open_system(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"read_file", system_read_file}, {"save_file", system_save_file},
        {"append_file", system_append_file}, {"make_folder", system_make_folder},
        {"file_exists", system_file_exists}, {"remove_file", system_remove_file},
        {"rename_file", system_rename_file}, {"list_folder", system_list_folder},
        {"base64", system_base64}, {"crc32c", system_crc32c},
        {"library_path", system_library_path}, {"now", system_seconds},
        {"random_state", system_random_state}, {"threads", system_threads},
        {"graceful", system_graceful}, {"stop_asked", system_stop_asked},
        {"bytes", system_bytes}, {"memory_limit", system_memory_limit},
        {"kernels", system_kernels}, {"begin_profile", system_begin_profile},
        {"profile", system_profile},
        {"versions", system_versions}, {NULL, NULL}};

    luaL_newmetatable(L, LGL_BYTES);
    lua_pushcfunction(L, bytes_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_setfuncs(L, functions, 0);
    lua_pushstring(L, lg_version());
    lua_setfield(L, -2, "version");
    add_ending(L, "stopped", 130);             /* a run was asked to stop, and saved */
    add_ending(L, "finished", 0);              /* nothing is left to do: --help */
}
