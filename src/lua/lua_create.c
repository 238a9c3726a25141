/* lua_create.c - new tensors: lg.tensor, lg.zeros, lg.randn, ... */
#include "base/memory.h"
#include "lua/glue.h"

#include <math.h>
#include <string.h>

static int64_t check_dim(lua_State *L, int at)
{
    lua_Number x = lua_tonumber(L, at);
    if (lua_type(L, at) != LUA_TNUMBER)
        lgl_error(L, "a size must be a whole number, not a %s", luaL_typename(L, at));
    if (x != floor(x) || x < 0 || x >= 0x1p62)
        lgl_error(L, "a size must be a whole number from 0, not %f", x);
    return (int64_t)x;
}

/* randn(64, 100) or randn{64, 100} */
int lgl_check_dims(lua_State *L, int arg, int64_t dim[LG_MAX_DIM])
{
    bool table = lua_istable(L, arg);
    lua_Unsigned n = table ? lua_rawlen(L, arg) : (lua_Unsigned)(lua_gettop(L) - arg + 1);
    if (n > LG_MAX_DIM)
        lgl_error(L, "a tensor has at most %d axes, not %d", LG_MAX_DIM, (int)n);
    for (int i = 0; i < (int)n; i++) {
        if (table)
            lua_rawgeti(L, arg, i + 1);
        dim[i] = check_dim(L, table ? lua_gettop(L) : arg + i);
        if (table)
            lua_pop(L, 1);
    }
    return (int)n;
}

typedef lg_tensor *maker(lg_engine *E, int ndim, const int64_t *dim);

static int make_tensor(lua_State *L, maker *make)
{
    lg_engine *E = lgl_engine(L);
    int64_t dim[LG_MAX_DIM];
    int ndim = lgl_check_dims(L, 1, dim);
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    uint64_t drawn = E->drawn;                 /* a second try draws the same */
    LGL_COMPUTE(L, E, (E->drawn = drawn, *box = lg_retain(make(E, ndim, dim))));
    return E->status < 0 ? lgl_raise(L) : 1;
}

static lg_tensor *make_ones(lg_engine *E, int ndim, const int64_t *dim)
{
    return lg_full(E, ndim, dim, 1);
}

static int module_zeros(lua_State *L) { return make_tensor(L, lg_zeros); }
static int module_ones(lua_State *L) { return make_tensor(L, make_ones); }
static int module_rand(lua_State *L) { return make_tensor(L, lg_rand); }
static int module_randn(lua_State *L) { return make_tensor(L, lg_randn); }

/* full({2, 3}, 0.5) */
static int module_full(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    int64_t dim[LG_MAX_DIM];
    luaL_checktype(L, 1, LUA_TTABLE);
    double value = luaL_checknumber(L, 2);
    int ndim = lgl_check_dims(L, 1, dim);
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, *box = lg_retain(lg_full(E, ndim, dim, value)));
    return E->status < 0 ? lgl_raise(L) : 1;
}

static int make_like(lua_State *L, maker *make)
{
    lg_engine *E = lgl_engine(L);
    lgl_check_tensor(L, 1);
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L), *t = lgl_check_tensor(L, 1);
    uint64_t drawn = E->drawn;
    lgl_pin(1, &t);
    LGL_COMPUTE(L, E, (E->drawn = drawn, *box = lg_retain(make(E, t->ndim, t->dim))));
    lgl_unpin(1, &t);
    return E->status < 0 ? lgl_raise(L) : 1;
}

static int module_zeros_like(lua_State *L) { return make_like(L, lg_zeros); }
static int module_ones_like(lua_State *L) { return make_like(L, make_ones); }
static int module_randn_like(lua_State *L) { return make_like(L, lg_randn); }

/* The sizes of nested tables, from their first elements. */
static int nested_dims(lua_State *L, int arg, int64_t dim[LG_MAX_DIM])
{
    int n = 0;
    lua_pushvalue(L, arg);
    while (lua_istable(L, -1)) {
        if (n == LG_MAX_DIM)
            lgl_error(L, "tensor: tables are nested deeper than %d", LG_MAX_DIM);
        dim[n++] = (int64_t)lua_rawlen(L, -1);
        lua_rawgeti(L, -1, 1);
        lua_replace(L, -2);
    }
    lua_pop(L, 1);
    return n;
}

/* Copies nested tables to p, or NULL where they are not a block of numbers; no raise. */
static lg_real *copy_nested(lua_State *L, int at, int ndim, const int64_t *dim,
                            lg_real *p)
{
    if (ndim == 0) {
        if (lua_type(L, at) != LUA_TNUMBER)
            return NULL;
        *p = (lg_real)lua_tonumber(L, at);
        return p + 1;
    }
    if (!lua_istable(L, at) || (int64_t)lua_rawlen(L, at) != dim[0])
        return NULL;
    for (int64_t i = 0; p && i < dim[0]; i++) {
        lua_rawgeti(L, at, i + 1);
        p = copy_nested(L, lua_gettop(L), ndim - 1, dim + 1, p);
        lua_pop(L, 1);
    }
    return p;
}

static void fill_nested(lua_State *L, lg_engine *E, int ndim, const int64_t *dim,
                        lg_tensor **box)
{
    lg_tensor *t = lgi_make(E, ndim, dim);
    if (t && copy_nested(L, 1, ndim, dim, t->data) == NULL)
        lgi_fail(E, LG_EARG, "tensor: the tables must be a full block of numbers: all of "
                 "one depth, the same size at each depth");
    *box = E->status < 0 ? NULL : lg_retain(t);
}

/* tensor{{1, 2}, {3, 4}}, tensor(3.5) */
static int module_tensor(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    int64_t dim[LG_MAX_DIM];
    int type = lua_type(L, 1);
    if (type != LUA_TTABLE && type != LUA_TNUMBER)
        return lgl_error(L, "tensor needs a number or nested tables of numbers, not a %s",
                         luaL_typename(L, 1));
    lua_settop(L, 1);
    int ndim = nested_dims(L, 1, dim);
    lgl_safepoint(L);
    luaL_checkstack(L, LG_MAX_DIM + 4, NULL);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, fill_nested(L, E, ndim, dim, box));
    return E->status < 0 ? lgl_raise(L) : 1;
}

void lgl_open_create(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"tensor", module_tensor}, {"zeros", module_zeros}, {"ones", module_ones},
        {"full", module_full}, {"rand", module_rand}, {"randn", module_randn},
        {"zeros_like", module_zeros_like}, {"ones_like", module_ones_like},
        {"randn_like", module_randn_like}, {NULL, NULL}};
    lua_getfield(L, -1, "lg");
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
