/* lua_tensor.c - tensors as userdata: life, inspection, indexing. */
#include "lua/glue.h"

#include <math.h>
#include <string.h>

extern const lg_op lgi_op_narrow, lgi_op_reshape;

lg_tensor **lgl_push_box(lua_State *L)
{
    lg_tensor **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    luaL_setmetatable(L, LGL_TENSOR);
    return box;
}

void *lgl_push_object(lua_State *L, const char *type, size_t size)
{
    void *p = lua_newuserdatauv(L, size, 0);
    memset(p, 0, size);
    luaL_setmetatable(L, type);
    return p;
}

bool lgl_is_tensor(lua_State *L, int arg)
{
    bool object = lua_type(L, arg) == LUA_TUSERDATA;
    lg_tensor **box = object ? luaL_testudata(L, arg, LGL_TENSOR) : NULL;
    return box && *box;
}

void lgl_pin(int64_t n, lg_tensor *const *t)
{
    for (int64_t i = 0; i < n; i++)
        lg_retain(t[i]);
}

void lgl_unpin(int64_t n, lg_tensor *const *t)
{
    for (int64_t i = 0; i < n; i++)
        lg_release(t[i]);
}

lg_tensor *lgl_check_tensor(lua_State *L, int arg)
{
    lg_tensor **box = luaL_checkudata(L, arg, LGL_TENSOR);
    lgl_engine(L);                     /* raises if it was closed, and t with it */
    if (!*box)
        lgl_error(L, "argument %d is a closed tensor", arg);
    return *box;
}

lg_tensor *lgl_opt_tensor(lua_State *L, int arg)
{
    return lua_isnoneornil(L, arg) ? NULL : lgl_check_tensor(L, arg);
}

lg_tensor *lgl_unboxed(lua_State *L, lg_engine *E, int arg)
{
    lg_tensor *t = *(lg_tensor **)lua_touserdata(L, arg);
    if (!t)
        lgi_fail(E, LG_ESTATE, "a tensor was closed while it was in use");
    return t;
}

lua_Integer lgl_check_whole(lua_State *L, int arg, lua_Integer least, lua_Integer most)
{
    lua_Number x = luaL_checknumber(L, arg);
    if (x != floor(x) || x < (lua_Number)least || x > (lua_Number)most)
        lgl_error(L, "argument %d must be a whole number from %I to %I, not %f", arg,
                  (LUAI_UACINT)least, (LUAI_UACINT)most, x);
    return (lua_Integer)x;
}

static int tensor_close(lua_State *L)
{
    lg_tensor **box = luaL_checkudata(L, 1, LGL_TENSOR);
    lg_tensor *t = *box;
    *box = NULL;
    lg_release(t);
    return 0;
}

#define LGL_SHAPE "lugano.shape"

static void push_shape(lua_State *L, const lg_tensor *t)
{
    int64_t dim[LG_MAX_DIM];
    int n = t->ndim;
    memcpy(dim, t->dim, sizeof dim);           /* t may be closed from here on */
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_pushinteger(L, dim[i]);
        lua_rawseti(L, -2, i + 1);
    }
    luaL_setmetatable(L, LGL_SHAPE);
}

/* "{64, 1, 28, 28}": print(x.shape) is what everybody asks first. */
static int shape_tostring(lua_State *L)
{
    luaL_Buffer b;
    luaL_checktype(L, 1, LUA_TTABLE);
    int n = (int)lua_rawlen(L, 1);
    luaL_buffinit(L, &b);
    luaL_addchar(&b, '{');
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addstring(&b, ", ");
        lua_rawgeti(L, 1, i);
        luaL_addvalue(&b);
    }
    luaL_addchar(&b, '}');
    luaL_pushresult(&b);
    return 1;
}

/* size() gives all sizes, size(d) one. */
static int tensor_size(lua_State *L)
{
    lg_tensor *t = lgl_check_tensor(L, 1);
    if (lua_isnoneornil(L, 2)) {
        for (int i = 0; i < t->ndim; i++)
            lua_pushinteger(L, t->dim[i]);
        return t->ndim;
    }
    lua_Integer d = lgl_check_whole(L, 2, -LG_MAX_DIM, LG_MAX_DIM);
    if (d < -t->ndim || d > t->ndim || d == 0)
        return lgl_error(L, "size: %s has no axis %I", LGI_SHAPE(t), (LUAI_UACINT)d);
    lua_pushinteger(L, lg_dim(t, (int)d));
    return 1;
}

static int tensor_len(lua_State *L)
{
    lg_tensor *t = lgl_check_tensor(L, 1);
    if (t->ndim == 0)
        return lgl_error(L, "a tensor without axes has no length; item() is its number");
    lua_pushinteger(L, t->dim[0]);
    return 1;
}

static int tensor_numel(lua_State *L)
{
    lua_pushinteger(L, lgl_check_tensor(L, 1)->numel);
    return 1;
}

static int tensor_item(lua_State *L)
{
    lg_tensor *t = lgl_check_tensor(L, 1);
    if (t->numel != 1)
        return lgl_error(L, "item needs a tensor of one element, got %s", LGI_SHAPE(t));
    lua_pushnumber(L, t->data[0]);
    return 1;
}

/* at(i, j, ...): one number; as many indices as axes, from 1, negative from the end. */
static int tensor_at(lua_State *L)
{
    lg_tensor *t = lgl_check_tensor(L, 1);
    int64_t offset = 0;
    if (lua_gettop(L) - 1 != t->ndim)
        return lgl_error(L, "at: %s needs %d indices, got %d", LGI_SHAPE(t), t->ndim,
                         lua_gettop(L) - 1);
    for (int d = 0; d < t->ndim; d++) {
        lua_Integer i = luaL_checkinteger(L, d + 2);
        lua_Integer k = i < 0 ? i + t->dim[d] : i - 1;
        if (k < 0 || k >= t->dim[d])
            return lgl_error(L, "at: index %I is outside of axis %d of %s",
                             (LUAI_UACINT)i, d + 1, LGI_SHAPE(t));
        offset = offset * t->dim[d] + k;
    }
    lua_pushnumber(L, t->data[offset]);
    return 1;
}

/* Pushes the numbers of one axis, nested: at most 8 deep. */
static const lg_real *push_axis(lua_State *L, const lg_tensor *t, int axis,
                                const lg_real *p)
{
    if (axis == t->ndim) {
        lua_pushnumber(L, *p);
        return p + 1;
    }
    luaL_checkstack(L, 2, NULL);
    lua_createtable(L, (int)(t->dim[axis] < 1 << 20 ? t->dim[axis] : 1 << 20), 0);
    for (int64_t i = 0; i < t->dim[axis]; i++) {
        p = push_axis(L, t, axis + 1, p);
        lua_rawseti(L, -2, i + 1);
    }
    return p;
}

static int tensor_totable(lua_State *L)
{
    lg_tensor **own = lgl_push_box(L), *t = lgl_check_tensor(L, 1);
    *own = lg_retain(t);                       /* tables are made: t must outlive them */
    push_axis(L, t, 0, t->data);
    return 1;
}

static lg_tensor *take_rows(lg_engine *E, lg_tensor *t, int64_t dim, int64_t first,
                            int64_t length)
{
    return lgi_apply1(E, &lgi_op_narrow, t, (int64_t[]){dim, first, length});
}

/* The i-th of axis 1, without that axis. */
static lg_tensor *take_one(lg_engine *E, lg_tensor *t, int64_t i)
{
    if (!t)
        return NULL;
    lgi_list dims = {.n = t->ndim - 1};
    memcpy(dims.at, t->dim + 1, (size_t)dims.n * sizeof *t->dim);
    return lgi_apply1(E, &lgi_op_reshape, take_rows(E, t, 1, i, 1), &dims);
}

static int tensor_row(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lg_tensor *t = lgl_check_tensor(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2), n = t->ndim ? t->dim[0] : 0;
    lua_Integer k = i < 0 ? i + n + 1 : i;
    if (t->ndim && i == n + 1)                 /* the end of a loop by ipairs */
        return 0;
    if (t->ndim == 0 || k < 1 || k > n)
        return lgl_error(L, "index %I is outside of axis 1 of %s", (LUAI_UACINT)i,
                         LGI_SHAPE(t));
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, *box = lg_retain(take_one(E, lgl_unboxed(L, E, 1), k)));
    return E->status < 0 ? lgl_raise(L) : 1;
}

/* slice(dim, first, last): both ends count, negative from the end. */
static int tensor_slice(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lg_tensor *t = lgl_check_tensor(L, 1);
    lua_Integer dim = lgl_check_whole(L, 2, -LG_MAX_DIM, LG_MAX_DIM);
    lua_Integer d = dim < 0 ? dim + t->ndim : dim - 1;
    if (d < 0 || d >= t->ndim)
        return lgl_error(L, "slice: %s has no axis %I", LGI_SHAPE(t), (LUAI_UACINT)dim);
    int64_t n = t->dim[d];
    lua_Integer first = luaL_checkinteger(L, 3), last = luaL_optinteger(L, 4, -1);
    first = first < 0 ? first + n + 1 : first;
    last = last < 0 ? last + n + 1 : last;
    if (first < 1 || last > n || last < first - 1)
        return lgl_error(L, "slice: %I to %I is outside of axis %I of %s",
                         (LUAI_UACINT)first, (LUAI_UACINT)last, (LUAI_UACINT)d + 1,
                         LGI_SHAPE(t));
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, *box = lg_retain(take_rows(E, lgl_unboxed(L, E, 1), d + 1, first,
                                                 last - first + 1)));
    return E->status < 0 ? lgl_raise(L) : 1;
}

static int alias_method(lua_State *L, lg_tensor *(*make)(lg_engine *, lg_tensor *))
{
    lg_engine *E = lgl_engine(L);
    lgl_check_tensor(L, 1);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, *box = lg_retain(make(E, lgl_unboxed(L, E, 1))));
    return E->status < 0 ? lgl_raise(L) : 1;
}

static int tensor_track(lua_State *L) { return alias_method(L, lg_track); }
static int tensor_detach(lua_State *L) { return alias_method(L, lg_detach); }

static int tensor_copy(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lg_tensor *to = lgl_check_tensor(L, 1), *from = lgl_check_tensor(L, 2);
    if (lg_copy(E, to, from) < 0)
        return lgl_raise(L);
    lua_settop(L, 1);
    return 1;
}

/* A header line, "tensor {2,3}  min -1  mean 0.2  max 3"; of small ones, the numbers. */
static int tensor_tostring(lua_State *L)
{
    lg_tensor **box = luaL_checkudata(L, 1, LGL_TENSOR);
    lgl_engine(L);
    enum { TEXT = 4096 };
    char text[TEXT];
    if (!*box) {
        lua_pushliteral(L, "tensor (closed)");
        return 1;
    }
    lua_pushlstring(L, text, lgi_describe(*box, text, TEXT));
    return 1;
}

/* x.shape, x[i], and the methods: upvalue 1. */
static int tensor_index(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TNUMBER)
        return tensor_row(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;                              /* a method, as nearly always */
    lua_settop(L, 2);
    const char *key = luaL_checkstring(L, 2);
    if (strcmp(key, "shape") == 0) {
        push_shape(L, lgl_check_tensor(L, 1));
        return 1;
    }
    lua_pushvalue(L, 2);
    lua_gettable(L, lua_upvalueindex(1));      /* init.lua: fails for one that is none */
    return 1;
}

static int tensor_newindex(lua_State *L)
{
    return lgl_error(L, "a tensor is immutable; operators make new ones, and "
                     "t:copy(source) overwrites all of t");
}

static int core_is_tensor(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, lgl_is_tensor(L, 1));
    return 1;
}

void lgl_open_tensor(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"size", tensor_size}, {"numel", tensor_numel}, {"item", tensor_item},
        {"at", tensor_at}, {"totable", tensor_totable}, {"slice", tensor_slice},
        {"track", tensor_track}, {"detach", tensor_detach}, {"copy", tensor_copy},
        {"close", tensor_close}, {NULL, NULL}};
    static const luaL_Reg tensor_events[] = {
        {"__gc", tensor_close}, {"__close", tensor_close}, {"__len", tensor_len},
        {"__tostring", tensor_tostring}, {"__newindex", tensor_newindex}, {NULL, NULL}};
    int core = lua_gettop(L);
    luaL_newmetatable(L, LGL_SHAPE);
    lua_pushcfunction(L, shape_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
    luaL_newmetatable(L, LGL_TENSOR);
    luaL_setfuncs(L, tensor_events, 0);
    luaL_newlib(L, methods);
    lua_pushvalue(L, -1);
    lua_setfield(L, core, "methods");
    lua_pushcclosure(L, tensor_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "tensor");
    lua_setfield(L, -2, "__metatable");        /* locked */
    lua_settop(L, core);
    lua_pushcfunction(L, core_is_tensor);
    lua_setfield(L, core, "is_tensor");
}
