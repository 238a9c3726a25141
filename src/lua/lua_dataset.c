/* lua_dataset.c - data sets and their batches as Lua sees them. */
#include "data/batches.h"
#include "data/cifar.h"
#include "data/jpeg.h"
#include "data/npy.h"
#include "data/pictures.h"
#include "lua/glue.h"

#include <string.h>

#define LGL_DATASET "lugano.dataset"
#define LGL_LOADER "lugano.loader"

enum { MOST_BATCH = 1 << 24, MOST_ROWS = 1 << 30 };

/* life */

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

static lgi_dataset **push_dataset(lua_State *L)
{
    lgl_safepoint(L);
    return lgl_push_object(L, LGL_DATASET, sizeof(lgi_dataset *));
}

static int finish_dataset(lua_State *L, int results)
{
    return lgl_engine(L)->status < 0 ? lgl_raise(L) : results;
}

/* sets from files and tensors */

static int data_idx_dataset(lua_State *L)      /* name, images, labels or nil */
{
    lg_engine *E = lgl_engine(L);
    const char *name = luaL_checkstring(L, 1), *images = luaL_checkstring(L, 2);
    const char *labels = luaL_optstring(L, 3, NULL);
    lgi_dataset **box = push_dataset(L);
    LGL_COMPUTE(L, E, *box = lgi_idx_dataset(E, name, images, labels));
    return finish_dataset(L, 1);
}

static int data_npy_dataset(lua_State *L)      /* name, rows, labels or nil, nhwc? */
{
    lg_engine *E = lgl_engine(L);
    const char *name = luaL_checkstring(L, 1), *path = luaL_checkstring(L, 2);
    const char *labels = luaL_optstring(L, 3, NULL);
    bool last = lua_toboolean(L, 4);
    lgi_dataset **box = push_dataset(L);
    LGL_COMPUTE(L, E, *box = lgi_npy_dataset(E, name, path, labels, last));
    return finish_dataset(L, 1);
}

static int data_tensor_dataset(lua_State *L)   /* name, rows, labels or nil */
{
    lg_engine *E = lgl_engine(L);
    const char *name = luaL_checkstring(L, 1);
    lgi_dataset **box = push_dataset(L);
    lg_tensor *rows = lgl_check_tensor(L, 2), *labels = lgl_opt_tensor(L, 3);
    lg_tensor *pinned[] = {rows, labels};
    lgl_pin(2, pinned);
    LGL_COMPUTE(L, E, *box = lgi_tensor_dataset(E, name, rows, labels));
    lgl_unpin(2, pinned);
    return finish_dataset(L, 1);
}

/* The strings of a list, which keeps them. */
static const char **push_paths(lua_State *L, int arg, int64_t *n)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    *n = luaL_len(L, arg);
    luaL_argcheck(L, *n > 0 && *n <= MOST_ROWS, arg, "there is no file");
    const char **to = lua_newuserdatauv(L, (size_t)*n * sizeof *to, 0);
    for (int64_t i = 0; i < *n; i++) {
        bool text = lua_geti(L, arg, i + 1) == LUA_TSTRING;
        luaL_argcheck(L, text, arg, "a path is no string");
        to[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    return to;
}

static int32_t *push_labels(lua_State *L, int arg, int64_t n)
{
    int32_t *to = lua_newuserdatauv(L, (size_t)n * sizeof *to, 0);
    for (int64_t i = 0; i < n; i++) {
        lua_geti(L, arg, i + 1);
        to[i] = (int32_t)lgl_check_whole(L, -1, 0, LGI_MAX_LABEL);
        lua_pop(L, 1);
    }
    return to;
}

/* name, paths, label bytes, which one, c, h, w */
static int data_cifar_dataset(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    int64_t n;
    lgi_cifar p = {.name = luaL_checkstring(L, 1)};
    p.label_bytes = (int)lgl_check_whole(L, 3, 0, 1 << 20);
    p.label = (int)lgl_check_whole(L, 4, 1, 1 << 20) - 1;
    p.c = lgl_check_whole(L, 5, 0, 1 << 20);
    p.h = lgl_check_whole(L, 6, 0, 1 << 20);
    p.w = lgl_check_whole(L, 7, 0, 1 << 20);
    p.paths = push_paths(L, 2, &n);
    p.files = (int)n;
    lgi_dataset **box = push_dataset(L);
    LGL_COMPUTE(L, E, *box = lgi_cifar_dataset(E, &p));
    return finish_dataset(L, 1);
}

static void load_pictures(lg_engine *E, const lgi_pictures *p, lgi_dataset **one,
                          lgi_dataset **two)
{
    lgi_dataset *to[2];
    lgi_read_pictures(E, p, to);
    *one = to[0];
    *two = to[1];
}

/* name, paths, labels or nil, channels, height, width (0: as they are), halves? */
static int data_picture_dataset(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_pictures p = {.name = luaL_checkstring(L, 1)};
    p.channels = (int)lgl_check_whole(L, 4, 1, 3);
    p.height = (int)lgl_check_whole(L, 5, 0, LGI_MAX_SIDE);
    p.width = (int)lgl_check_whole(L, 6, 0, LGI_MAX_SIDE);
    p.halves = lua_toboolean(L, 7);
    p.paths = push_paths(L, 2, &p.n);
    if (!lua_isnoneornil(L, 3))
        p.labels = push_labels(L, 3, p.n);
    lgi_dataset **one = push_dataset(L), **two = push_dataset(L);
    LGL_COMPUTE(L, E, load_pictures(E, &p, one, two));
    if (!p.halves)
        lua_pop(L, 1);
    return finish_dataset(L, p.halves ? 2 : 1);
}

/* what a set is */

static int dataset_shape(lua_State *L)         /* -> {n, c, h, w}, has it labels? */
{
    const lgi_dataset *s = check_dataset(L);
    lua_createtable(L, s->ndim, 0);
    for (int i = 0; i < s->ndim; i++) {
        lua_pushinteger(L, s->dim[i]);
        lua_seti(L, -2, i + 1);
    }
    lua_pushboolean(L, s->labels != NULL);
    return 2;
}

static lg_tensor *label_tensor(lg_engine *E, const lgi_dataset *s)
{
    lg_tensor *t = lgi_make(E, 1, s->dim);
    for (int64_t i = 0; t && i < s->dim[0]; i++)
        t->data[i] = (lg_real)s->labels[i];
    return t;
}

static int dataset_labels(lua_State *L)        /* -> n numbers; nil: there are none */
{
    lg_engine *E = lgl_engine(L);
    const lgi_dataset *s = check_dataset(L);
    if (!s->labels)
        return 0;
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, *box = lg_retain(label_tensor(E, s)));
    return finish_dataset(L, 1);
}

/* Row numbers, from 0: of a list, or first to last. */
static int64_t *push_rows(lua_State *L, int arg, int64_t *n)
{
    bool list = lua_istable(L, arg);
    int64_t first = 1;
    if (list)
        *n = luaL_len(L, arg);
    else {
        first = lgl_check_whole(L, arg, 1, MOST_ROWS);
        *n = lgl_check_whole(L, arg + 1, first, MOST_ROWS) - first + 1;
    }
    int64_t *to = lua_newuserdatauv(L, (size_t)(*n + 1) * sizeof *to, 0);
    for (int64_t i = 0; i < *n; i++) {
        if (list)
            lua_geti(L, arg, i + 1);
        to[i] = list ? lgl_check_whole(L, -1, 1, MOST_ROWS) - 1 : first + i - 1;
        if (list)
            lua_pop(L, 1);
    }
    return to;
}

static void take_retained(lg_engine *E, lgi_dataset *s, int64_t n, const int64_t *rows,
                          lg_tensor **x, lg_tensor **labels)
{
    lg_tensor *a, *b;
    if (lgi_take_rows(E, s, n, rows, &a, &b) < 0)
        return;
    *x = lg_retain(a);
    *labels = lg_retain(b);
}

/* s:rows(first, last), s:rows(list) -> images, labels or nil */
static int dataset_rows(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_dataset *s = check_dataset(L);
    int64_t n, *rows = push_rows(L, 2, &n);
    lgl_safepoint(L);
    lg_tensor **x = lgl_push_box(L), **labels = lgl_push_box(L);
    LGL_COMPUTE(L, E, take_retained(E, s, n, rows, x, labels));
    if (!*labels)
        lua_pop(L, 1);
    return finish_dataset(L, *labels ? 2 : 1);
}

/* the same rows in another way */

static int dataset_subset(lua_State *L)        /* (first, last) or (list) -> set */
{
    lg_engine *E = lgl_engine(L);
    lgi_dataset *s = check_dataset(L);
    int64_t n, *rows = push_rows(L, 2, &n);
    lgi_dataset **box = push_dataset(L);
    LGL_COMPUTE(L, E, *box = lgi_subset(s, n, rows));
    return finish_dataset(L, 1);
}

/* s:look(what, h, w, chance) -> set; what is the name of the method that was called */
static int dataset_look(lua_State *L)
{
    static const char *const names[] = {[LGI_RESIZE] = "resize", [LGI_CROP] = "crop",
        [LGI_RANDOM_CROP] = "random_crop", [LGI_FLIP] = "flip", NULL};
    lg_engine *E = lgl_engine(L);
    lgi_dataset *s = check_dataset(L);
    lgi_look_kind kind = (lgi_look_kind)luaL_checkoption(L, 2, NULL, names);
    int64_t h = lgl_check_whole(L, 3, 0, MOST_ROWS);
    int64_t w = lgl_check_whole(L, 4, 0, MOST_ROWS);
    double chance = luaL_optnumber(L, 5, 0);
    lgi_dataset **box = push_dataset(L);
    LGL_COMPUTE(L, E, *box = lgi_looked_at(s, names[kind], kind, h, w, chance));
    return finish_dataset(L, 1);
}

static int check_channels(lua_State *L, int arg, double to[LGI_LOOK_CHANNELS])
{
    luaL_checktype(L, arg, LUA_TTABLE);
    lua_Integer n = luaL_len(L, arg);
    luaL_argcheck(L, n >= 1 && n <= LGI_LOOK_CHANNELS, arg, "1 to 16 numbers");
    for (lua_Integer i = 0; i < n; i++) {
        lua_geti(L, arg, i + 1);
        to[i] = luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    return (int)n;
}

static int dataset_normalize(lua_State *L)     /* means, deviations: lists -> set */
{
    lg_engine *E = lgl_engine(L);
    double mean[LGI_LOOK_CHANNELS], std[LGI_LOOK_CHANNELS];
    lgi_dataset *s = check_dataset(L);
    int n = check_channels(L, 2, mean);
    luaL_argcheck(L, check_channels(L, 3, std) == n, 3, "as many as means");
    lgi_dataset **box = push_dataset(L);
    LGL_COMPUTE(L, E, *box = lgi_normalized(s, n, mean, std));
    return finish_dataset(L, 1);
}

static int dataset_relabel(lua_State *L)       /* what is added to each -> set */
{
    lg_engine *E = lgl_engine(L);
    lgi_dataset *s = check_dataset(L);
    int shift = (int)lgl_check_whole(L, 2, -LGI_MAX_LABEL, LGI_MAX_LABEL);
    lgi_dataset **box = push_dataset(L);
    LGL_COMPUTE(L, E, *box = lgi_relabeled(s, shift));
    return finish_dataset(L, 1);
}

static int dataset_stacked(lua_State *L)       /* name, n -> set */
{
    lg_engine *E = lgl_engine(L);
    lgi_dataset *s = check_dataset(L);
    const char *name = luaL_checkstring(L, 2);
    int64_t n = lgl_check_whole(L, 3, 1, MOST_ROWS);
    lgi_dataset **box = push_dataset(L);
    LGL_COMPUTE(L, E, *box = lgi_stacked(s, name, n));
    return finish_dataset(L, 1);
}

static int dataset_renamed(lua_State *L)       /* name -> set, which is shuffled by it */
{
    lg_engine *E = lgl_engine(L);
    lgi_dataset *s = check_dataset(L);
    const char *name = luaL_checkstring(L, 2);
    lgi_dataset **box = push_dataset(L);
    LGL_COMPUTE(L, E, *box = lgi_renamed(s, name));
    return finish_dataset(L, 1);
}

/* batches */

static int loader_gc(lua_State *L)
{
    lgi_loader **box = luaL_checkudata(L, 1, LGL_LOADER);
    lgi_close_loader(*box);
    *box = NULL;
    return 0;
}

static lgi_loader *check_loader(lua_State *L)
{
    lgi_loader **box = luaL_checkudata(L, 1, LGL_LOADER);
    luaL_argcheck(L, *box, 1, "the batches were closed");
    return *box;
}

/* s:loader(size, keep_last, balanced, endless, ahead) -> loader, steps, rows of a pass */
static int dataset_loader(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_dataset *s = check_dataset(L);
    lgi_plan p = {.size = lgl_check_whole(L, 2, 1, MOST_BATCH),
                  .keep_last = lua_toboolean(L, 3), .balanced = lua_toboolean(L, 4),
                  .endless = lua_toboolean(L, 5), .ahead = lua_toboolean(L, 6)};
    lgi_loader **box = lgl_push_object(L, LGL_LOADER, sizeof *box);
    LGL_COMPUTE(L, E, *box = lgi_open_loader(s, &p));
    if (E->status < 0)
        return lgl_raise(L);
    lua_pushinteger(L, lgi_loader_steps(*box));
    lua_pushinteger(L, lgi_loader_rows(*box));
    return 3;
}

static void load_retained(lgi_loader *l, lua_Integer pass, lua_Integer index,
                          lg_tensor **x, lg_tensor **labels)
{
    lg_tensor *a, *b;
    if (lgi_load_batch(l, pass, index - 1, &a, &b) < 0)
        return;
    *x = lg_retain(a);
    *labels = lg_retain(b);
}

static int loader_batch(lua_State *L)          /* pass, index from 1 -> x[, labels] */
{
    lg_engine *E = lgl_engine(L);
    lgi_loader *l = check_loader(L);
    lua_Integer pass = lgl_check_whole(L, 2, 0, INT32_MAX);
    lua_Integer index = lgl_check_whole(L, 3, 1, INT32_MAX);
    lgl_safepoint(L);
    lg_tensor **x = lgl_push_box(L), **labels = lgl_push_box(L);
    LGL_COMPUTE(L, E, load_retained(l, pass, index, x, labels));
    if (!*labels)
        lua_pop(L, 1);
    return finish_dataset(L, *labels ? 2 : 1);
}

/* arrays, and random numbers of their own stream */

static int data_read_npy(lua_State *L)         /* path -> tensor */
{
    lg_engine *E = lgl_engine(L);
    const char *path = luaL_checkstring(L, 1);
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, *box = lg_retain(lgi_read_npy(E, path)));
    return finish_dataset(L, 1);
}

static int data_write_npy(lua_State *L)        /* path, tensor */
{
    lg_engine *E = lgl_engine(L);
    const char *path = luaL_checkstring(L, 1);
    lg_tensor *t = lgl_check_tensor(L, 2);
    lgl_pin(1, &t);
    LGL_COMPUTE(L, E, lgi_write_npy(E, path, t));
    lgl_unpin(1, &t);
    return finish_dataset(L, 0);
}

static lg_tensor *draw_named(lg_engine *E, const char *purpose, bool normal, int ndim,
                             const int64_t *dim)
{
    lg_tensor *t = lgi_make(E, ndim, dim);
    lgi_stream s = lgi_named_stream(E, purpose);
    if (t && normal)
        lgi_fill_normal(E, s, 0, t->data, t->numel);
    else if (t)
        lgi_fill_uniform(E, s, 0, t->data, t->numel);
    return lgi_interrupted(E) < 0 ? NULL : t;
}

/* purpose, normal?, sizes -> tensor: the same for a seed whatever the script has drawn */
static int data_named_random(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    const char *purpose = luaL_checkstring(L, 1);
    bool normal = lua_toboolean(L, 2);
    int64_t dim[LG_MAX_DIM];
    int ndim = lgl_check_dims(L, 3, dim);
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, *box = lg_retain(draw_named(E, purpose, normal, ndim, dim)));
    return finish_dataset(L, 1);
}

void lgl_open_dataset(lua_State *L)
{
    static const luaL_Reg dataset[] = {
        {"shape", dataset_shape}, {"labels", dataset_labels}, {"rows", dataset_rows},
        {"subset", dataset_subset}, {"look", dataset_look},
        {"normalize", dataset_normalize}, {"relabel", dataset_relabel},
        {"stacked", dataset_stacked}, {"renamed", dataset_renamed},
        {"loader", dataset_loader}, {NULL, NULL}};
    static const luaL_Reg loader[] = {{"batch", loader_batch}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"idx_dataset", data_idx_dataset}, {"tensor_dataset", data_tensor_dataset},
        {"npy_dataset", data_npy_dataset}, {"cifar_dataset", data_cifar_dataset},
        {"picture_dataset", data_picture_dataset}, {"read_npy", data_read_npy},
        {"write_npy", data_write_npy}, {"named_random", data_named_random},
        {NULL, NULL}};

    lgl_add_type(L, LGL_DATASET, "dataset_methods", dataset_gc, dataset);
    lgl_add_type(L, LGL_LOADER, "loader_methods", loader_gc, loader);
    luaL_setfuncs(L, functions, 0);
    lua_pushboolean(L, lgi_has_jpeg());
    lua_setfield(L, -2, "has_jpeg");
}
