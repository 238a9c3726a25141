/* lua_data.c - pictures and safetensors files as Lua sees them. */
#include "data/grid.h"
#include "data/pictures.h"
#include "data/png.h"
#include "data/safetensors.h"
#include "lua/glue.h"

#define LGL_IMAGE "lugano.image"
#define LGL_ARCHIVE "lugano.archive"

/* pictures */

typedef struct image_box {
    lg_engine *engine;
    lgi_image image;
} image_box;

static int image_gc(lua_State *L)
{
    image_box *box = luaL_checkudata(L, 1, LGL_IMAGE);
    lgi_free_image(box->engine, &box->image);
    return 0;
}

static image_box *check_image(lua_State *L)
{
    image_box *box = luaL_checkudata(L, 1, LGL_IMAGE);
    luaL_argcheck(L, box->image.pixels, 1, "the image was closed");
    return box;
}

static int image_size(lua_State *L)            /* -> width, height, channels */
{
    const lgi_image *m = &check_image(L)->image;
    lua_pushinteger(L, m->width);
    lua_pushinteger(L, m->height);
    lua_pushinteger(L, m->channels);
    return 3;
}

static int image_pixels(lua_State *L)          /* -> its bytes, h,w,c */
{
    const lgi_image *m = &check_image(L)->image;
    size_t n = (size_t)m->width * (size_t)m->height * (size_t)m->channels;
    lua_pushlstring(L, (const char *)m->pixels, n);
    return 1;
}

static int image_save(lua_State *L)            /* m:save(path) -> m */
{
    lg_engine *E = lgl_engine(L);
    const lgi_image *m = &check_image(L)->image;
    const char *path = luaL_checkstring(L, 2);
    int w = m->width, h = m->height;
    LGL_COMPUTE(L, E, lgi_write_png(E, path, w, h, m->channels, m->pixels));
    if (E->status < 0)
        return lgl_raise(L);
    lua_settop(L, 1);
    return 1;
}

/* draw_grid(x, lo, hi, columns, padding) -> the image, the part of the numbers that clip,
 * that are no numbers */
static int data_draw_grid(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_grid g = LGI_GRID_INIT;
    g.lo = luaL_checknumber(L, 2);
    g.hi = luaL_checknumber(L, 3);
    g.columns = (int)lgl_check_whole(L, 4, 0, LGI_MAX_SIDE);
    g.padding = (int)lgl_check_whole(L, 5, 0, LGI_MAX_SIDE);
    lgl_safepoint(L);
    image_box *box = lgl_push_object(L, LGL_IMAGE, sizeof *box);
    box->engine = E;
    lg_tensor *x = lgl_check_tensor(L, 1);
    lgl_pin(1, &x);
    LGL_COMPUTE(L, E, lgi_draw_grid(E, x, &g, &box->image));
    int64_t numel = x->numel;
    lgl_unpin(1, &x);
    if (E->status < 0)
        return lgl_raise(L);
    lua_pushnumber(L, (double)g.clipped / (double)numel);
    lua_pushnumber(L, (double)g.nans / (double)numel);
    return 3;
}

/* path of a PNG or JPEG, channels (0: its own) -> c,h,w */
static int data_read_png(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    const char *path = luaL_checkstring(L, 1);
    int channels = (int)lgl_check_whole(L, 2, 0, 4);
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, *box = lg_retain(lgi_read_picture_tensor(E, path, channels)));
    return E->status < 0 ? lgl_raise(L) : 1;
}

/* safetensors */

typedef struct archive_box {
    lgi_archive *archive;
} archive_box;

static int archive_gc(lua_State *L)
{
    archive_box *box = luaL_checkudata(L, 1, LGL_ARCHIVE);
    lgi_close_archive(box->archive);
    box->archive = NULL;
    return 0;
}

static lgi_archive *check_archive(lua_State *L)
{
    archive_box *box = luaL_checkudata(L, 1, LGL_ARCHIVE);
    luaL_argcheck(L, box->archive, 1, "the file was closed");
    return box->archive;
}

static int data_open_tensors(lua_State *L)     /* path -> archive */
{
    lg_engine *E = lgl_engine(L);
    const char *path = luaL_checkstring(L, 1);
    lgl_safepoint(L);
    archive_box *box = lgl_push_object(L, LGL_ARCHIVE, sizeof *box);
    LGL_COMPUTE(L, E, box->archive = lgi_open_archive(E, path));
    return E->status < 0 ? lgl_raise(L) : 1;
}

static int archive_names(lua_State *L)
{
    const lgi_archive *a = check_archive(L);
    int64_t n = lgi_count_stored(a);
    lua_createtable(L, (int)n, 0);
    for (int64_t i = 0; i < n; i++) {
        lua_pushstring(L, lgi_stored_at(a, i)->name);
        lua_seti(L, -2, i + 1);
    }
    return 1;
}

static int archive_metadata(lua_State *L)
{
    const lgi_archive *a = check_archive(L);
    lua_newtable(L);
    for (int64_t i = 0; i < lgi_count_notes(a); i++) {
        lua_pushstring(L, lgi_note_at(a, i)->value);
        lua_setfield(L, -2, lgi_note_at(a, i)->key);
    }
    return 1;
}

static int64_t check_stored(lua_State *L, const lgi_archive *a)
{
    const char *name = luaL_checkstring(L, 2);
    int64_t i = lgi_find_stored(a, name);
    if (i < 0)
        lgl_error(L, "the file has no tensor '%s'", name);
    return i;
}

static int archive_read(lua_State *L)          /* a:read(name) -> tensor */
{
    lg_engine *E = lgl_engine(L);
    lgl_safepoint(L);
    lgi_archive *a = check_archive(L);
    int64_t i = check_stored(L, a);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, *box = lg_retain(lgi_load_stored(a, i)));
    return E->status < 0 ? lgl_raise(L) : 1;
}

static int archive_shape(lua_State *L)         /* a:shape(name) -> its sizes */
{
    const lgi_archive *a = check_archive(L);
    const lgi_stored *s = lgi_stored_at(a, check_stored(L, a));
    lua_createtable(L, s->ndim, 0);
    for (int i = 0; i < s->ndim; i++) {
        lua_pushinteger(L, s->dim[i]);
        lua_seti(L, -2, i + 1);
    }
    return 1;
}

static int archive_copy(lua_State *L)          /* a:copy(name, tensor) */
{
    lg_engine *E = lgl_engine(L);
    lgi_archive *a = check_archive(L);
    int64_t i = check_stored(L, a);
    lg_tensor *to = lgl_check_tensor(L, 3);
    lgl_pin(1, &to);
    LGL_COMPUTE(L, E, lgi_copy_stored(a, i, to));
    lgl_unpin(1, &to);
    return E->status < 0 ? lgl_raise(L) : 0;
}

/* Pointers into strings and boxes that the tables at 2 and 3 keep alive. */
static void fill_named(lua_State *L, lgi_named *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        lua_geti(L, 2, i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        lua_getfield(L, -1, "name");
        lua_getfield(L, -2, "tensor");
        to[i].name = luaL_checkstring(L, -2);
        to[i].tensor = lgl_check_tensor(L, -1);
        lua_pop(L, 3);
    }
}

static void fill_notes(lua_State *L, lgi_note *to, int64_t m)
{
    for (int64_t i = 0; i < m; i++) {
        lua_geti(L, 3, i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        lua_getfield(L, -1, "key");
        lua_getfield(L, -2, "value");
        to[i].key = luaL_checkstring(L, -2);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 3, "a value is no string");
        to[i].value = lua_tostring(L, -1);
        lua_pop(L, 3);
    }
}

/* save_tensors(path, list of {name=, tensor=}, list of {key=, value=}), both in the order
 * in which they shall stand */
static int data_save_tensors(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    const char *path = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    int64_t n = luaL_len(L, 2), m = luaL_len(L, 3);
    lgi_named *tensors = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *tensors, 0);
    lgi_note *notes = lua_newuserdatauv(L, (size_t)(m + 1) * sizeof *notes, 0);
    fill_named(L, tensors, n);
    fill_notes(L, notes, m);
    LGL_COMPUTE(L, E, lgi_save_tensors(E, path, n, tensors, m, notes));
    return E->status < 0 ? lgl_raise(L) : 0;
}

void lgl_open_data(lua_State *L)
{
    static const luaL_Reg image[] = {
        {"size", image_size}, {"pixels", image_pixels}, {"save", image_save},
        {NULL, NULL}};
    static const luaL_Reg archive[] = {
        {"names", archive_names}, {"metadata", archive_metadata}, {"read", archive_read},
        {"shape", archive_shape}, {"copy", archive_copy}, {"close", archive_gc},
        {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"draw_grid", data_draw_grid}, {"read_png", data_read_png},
        {"open_tensors", data_open_tensors}, {"save_tensors", data_save_tensors},
        {NULL, NULL}};

    lgl_add_type(L, LGL_IMAGE, "image_methods", image_gc, image);
    lgl_add_type(L, LGL_ARCHIVE, "archive_methods", archive_gc, archive);
    luaL_setfuncs(L, functions, 0);
}
