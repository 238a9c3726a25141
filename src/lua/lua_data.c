/* lua_data.c - pictures, data sets and safetensors files as Lua sees them. */
#include "base/memory.h"
#include "data/batches.h"
#include "data/grid.h"
#include "data/png.h"
#include "data/safetensors.h"
#include "lua/glue.h"

#include <string.h>

#define LGL_IMAGE "lugano.image"
#define LGL_DATASET "lugano.dataset"
#define LGL_ARCHIVE "lugano.archive"

enum { MOST_BATCH = 1 << 24 };         /* rows of a batch */

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

static int data_read_png(lua_State *L)         /* path, channels (0: its own) -> c,h,w */
{
    lg_engine *E = lgl_engine(L);
    const char *path = luaL_checkstring(L, 1);
    int channels = (int)lgl_check_whole(L, 2, 0, 4);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, *box = lg_retain(lgi_read_png_tensor(E, path, channels)));
    return E->status < 0 ? lgl_raise(L) : 1;
}

/* data sets */

static int dataset_gc(lua_State *L)
{
    lgi_dataset **box = luaL_checkudata(L, 1, LGL_DATASET);
    lgi_release_dataset(*box);
    *box = NULL;
    return 0;
}

static lgi_dataset *check_dataset(lua_State *L)
{
    lgi_dataset **box = luaL_checkudata(L, 1, LGL_DATASET);
    luaL_argcheck(L, *box, 1, "the data set was closed");
    return *box;
}

static int data_idx_dataset(lua_State *L)      /* name, images, labels or nil */
{
    lg_engine *E = lgl_engine(L);
    const char *name = luaL_checkstring(L, 1), *images = luaL_checkstring(L, 2);
    const char *labels = luaL_optstring(L, 3, NULL);
    lgi_dataset **box = lgl_push_object(L, LGL_DATASET, sizeof *box);
    LGL_COMPUTE(L, E, *box = lgi_idx_dataset(E, name, images, labels));
    return E->status < 0 ? lgl_raise(L) : 1;
}

static int data_tensor_dataset(lua_State *L)   /* name, rows, labels or nil */
{
    lg_engine *E = lgl_engine(L);
    const char *name = luaL_checkstring(L, 1);
    lgi_dataset **box = lgl_push_object(L, LGL_DATASET, sizeof *box);
    lg_tensor *rows = lgl_check_tensor(L, 2), *labels = lgl_opt_tensor(L, 3);
    lg_tensor *pinned[] = {rows, labels};
    lgl_pin(2, pinned);
    LGL_COMPUTE(L, E, *box = lgi_tensor_dataset(E, name, rows, labels));
    lgl_unpin(2, pinned);
    return E->status < 0 ? lgl_raise(L) : 1;
}

static int dataset_shape(lua_State *L)         /* -> {n, c, h, w}, has it labels? */
{
    const lgi_dataset *s = check_dataset(L);
    int ndim = lgi_dataset_ndim(s);
    lua_createtable(L, ndim, 0);
    for (int i = 0; i < ndim; i++) {
        lua_pushinteger(L, lgi_dataset_dims(s)[i]);
        lua_seti(L, -2, i + 1);
    }
    lua_pushboolean(L, lgi_dataset_labeled(s));
    return 2;
}

static int dataset_count(lua_State *L)         /* size, keep_last -> batches of a pass */
{
    const lgi_dataset *s = check_dataset(L);
    lua_Integer size = lgl_check_whole(L, 2, 1, MOST_BATCH);
    lua_pushinteger(L, lgi_count_batches(s, size, lua_toboolean(L, 3)));
    return 1;
}

static void make_batch(lua_State *L, lgi_dataset *s, lua_Integer pass, lua_Integer index,
                       lg_tensor **x, lg_tensor **labels)
{
    lg_engine *E = lgl_engine(L);
    lua_Integer size = lua_tointeger(L, 4);
    bool keep_last = lua_toboolean(L, 5);
    lg_tensor *a = NULL, *b = NULL;
    if (lgi_read_batch(E, s, pass, index - 1, size, keep_last, &a, &b) < 0)
        return;
    *x = lg_retain(a);
    *labels = lg_retain(b);
}

/* s:batch(pass, index from 1, size, keep_last) -> images, labels or nil */
static int dataset_batch(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_dataset *s = check_dataset(L);
    lua_Integer pass = lgl_check_whole(L, 2, 0, INT32_MAX);
    lua_Integer index = lgl_check_whole(L, 3, 1, INT32_MAX);
    lgl_check_whole(L, 4, 1, MOST_BATCH);
    lua_settop(L, 5);
    lg_tensor **x = lgl_push_box(L), **labels = lgl_push_box(L);
    LGL_COMPUTE(L, E, make_batch(L, s, pass, index, x, labels));
    if (E->status < 0)
        return lgl_raise(L);
    if (!*labels)
        lua_pop(L, 1);
    return *labels ? 2 : 1;
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

/* A type of userdata whose methods are in the core module, too: Lua files add to them. */
static void add_data_type(lua_State *L, const char *type, const char *field,
                          lua_CFunction gc, const luaL_Reg *methods)
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

void lgl_open_data(lua_State *L)
{
    static const luaL_Reg image[] = {
        {"size", image_size}, {"pixels", image_pixels}, {"save", image_save},
        {NULL, NULL}};
    static const luaL_Reg dataset[] = {
        {"shape", dataset_shape}, {"count", dataset_count}, {"batch", dataset_batch},
        {NULL, NULL}};
    static const luaL_Reg archive[] = {
        {"names", archive_names}, {"metadata", archive_metadata}, {"read", archive_read},
        {"shape", archive_shape}, {"copy", archive_copy}, {"close", archive_gc},
        {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"draw_grid", data_draw_grid}, {"read_png", data_read_png},
        {"idx_dataset", data_idx_dataset}, {"tensor_dataset", data_tensor_dataset},
        {"open_tensors", data_open_tensors}, {"save_tensors", data_save_tensors},
        {NULL, NULL}};

    add_data_type(L, LGL_IMAGE, "image_methods", image_gc, image);
    add_data_type(L, LGL_DATASET, "dataset_methods", dataset_gc, dataset);
    add_data_type(L, LGL_ARCHIVE, "archive_methods", archive_gc, archive);
    luaL_setfuncs(L, functions, 0);
}
