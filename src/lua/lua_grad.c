/* lua_grad.c - lg.grad, lg.no_grad, lg.seed: gradients and what they depend on. */
#include "lua/glue.h"

#include <string.h>

static const char *const grad_options[] = {"create_graph", "retain_graph", "allow_unused",
                                           "partial", "seed", NULL};

/* Options of lg.grad, from the table at arg. *seed: where on the stack it is, or 0. */
static int check_grad_options(lua_State *L, int arg, int *seed)
{
    int flags = 0;
    *seed = 0;
    if (lua_isnoneornil(L, arg))
        return 0;
    luaL_checktype(L, arg, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        int i = 0;
        while (grad_options[i] && strcmp(grad_options[i], key) != 0)
            i++;
        if (!grad_options[i])
            lgl_error(L, "grad has no option '%s'; it takes create_graph, retain_graph, "
                      "allow_unused, partial, seed", key);
        if (i < 4 && lua_toboolean(L, -1))
            flags |= 1 << i;           /* LG_CREATE_GRAPH, ... in this order */
    }
    lua_getfield(L, arg, "seed");
    if (!lua_isnil(L, -1)) {
        *seed = lua_gettop(L);
        lgl_check_tensor(L, *seed);
    }
    return flags;
}

/* How many tensors are asked for at arg: one, or a list. Nets have been replaced by their
 * parameters in init.lua. */
static int count_wanted(lua_State *L, int arg)
{
    if (lgl_is_tensor(L, arg))
        return 1;
    if (!lua_istable(L, arg))
        lgl_error(L, "grad: the second argument must be a tensor, a net or a list of "
                  "them, not a %s", luaL_typename(L, arg));
    lua_Unsigned n = lua_rawlen(L, arg);
    if (n > 1 << 24)
        lgl_error(L, "grad: the list is too long");
    return (int)n;
}

static void read_wanted(lua_State *L, int arg, int n, lg_tensor **wanted)
{
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, arg, i + 1);
        if (!lgl_is_tensor(L, -1))
            lgl_error(L, "grad: element %d of the list must be a tensor, not a %s", i + 1,
                      luaL_typename(L, -1));
        wanted[i] = lgl_check_tensor(L, lua_gettop(L));
        lua_pop(L, 1);                 /* the list holds it */
    }
}

static void compute_grad(lg_engine *E, lg_tensor *y, lg_tensor *seed, int n,
                         lg_tensor **wanted, int flags, lg_tensor **out)
{
    if (lg_grad(E, y, seed, n, wanted, flags, out) == LG_OK)
        for (int i = 0; i < n; i++)
            lg_retain(out[i]);
}

/* Moves the gradients into the boxes of the table at t; nil where there is none. */
static void keep_gradients(lua_State *L, int t, int n, lg_tensor **out)
{
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, t, i + 1);
        *(lg_tensor **)lua_touserdata(L, -1) = out[i];
        lua_pop(L, 1);
        if (!out[i]) {
            lua_pushnil(L);
            lua_rawseti(L, t, i + 1);
        }
    }
}

/* grad(y, x, options) with x a tensor, and 4 values on the stack; the last: the seed. */
static int grad_of_one(lua_State *L, lg_engine *E, int flags, bool seeded)
{
    lgl_charge(L, E);
    lg_tensor **box = lgl_push_box(L), *out;
    lg_tensor *pinned[] = {lgl_unboxed(L, E, 1), lgl_unboxed(L, E, 2),
                           seeded ? lgl_unboxed(L, E, 4) : NULL};
    lgl_pin(3, pinned);
    LGL_COMPUTE(L, E, compute_grad(E, pinned[0], pinned[2], 1, pinned + 1, flags, &out));
    lgl_unpin(3, pinned);
    if (E->status < 0)
        return lgl_raise(L);
    *box = out;
    if (!out)
        lua_pushnil(L);
    return 1;
}

/* grad(y, x, options) -> g, or grad(y, {x1, x2}, options) -> {g1, g2} */
static int module_grad(lua_State *L)
{
    enum { RESULT = 6 };
    lg_engine *E = lgl_engine(L);
    int seed_at, n = count_wanted(L, 2), flags;
    lgl_check_tensor(L, 1);
    lua_settop(L, 3);
    flags = check_grad_options(L, 3, &seed_at);
    lua_settop(L, 4);                  /* the seed, or nil */
    if (!lua_istable(L, 2))
        return grad_of_one(L, E, flags, seed_at != 0);
    lgl_charge(L, E);
    lg_tensor **wanted = lua_newuserdatauv(L, (size_t)(n + 1) * 2 * sizeof *wanted, 0);
    lg_tensor **out = wanted + n + 1;
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lgl_push_box(L);
        lua_rawseti(L, RESULT, i + 1);
    }
    read_wanted(L, 2, n, wanted);      /* from here on nothing allocates */
    lg_tensor *y = lgl_check_tensor(L, 1);
    lg_tensor *seed = seed_at ? lgl_check_tensor(L, 4) : NULL;
    lg_tensor *pinned[] = {y, seed};
    lgl_pin(2, pinned);
    lgl_pin(n, wanted);
    LGL_COMPUTE(L, E, compute_grad(E, y, seed, n, wanted, flags, out));
    lgl_unpin(n, wanted);
    lgl_unpin(2, pinned);
    if (E->status < 0)
        return lgl_raise(L);
    keep_gradients(L, RESULT, n, out);
    return 1;
}

/* no_grad(f, ...) calls f without recording history, and returns what it returns. */
static int module_no_grad(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    bool was = E->recording;
    E->recording = false;
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    E->recording = was;
    return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

/* anomaly(true): the first NaN or Inf that an operator makes is an error. */
static int module_anomaly(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TBOOLEAN);
    lg_anomaly(lgl_engine(L), lua_toboolean(L, 1));
    return 0;
}

/* exact(true): convolutions do all multiplications. */
static int module_exact(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TBOOLEAN);
    lg_exact(lgl_engine(L), lua_toboolean(L, 1));
    return 0;
}

static int module_seed(lua_State *L)
{
    lg_seed(lgl_engine(L), (uint64_t)luaL_checkinteger(L, 1));
    return 0;
}

void lgl_open_grad(lua_State *L)
{
    static const luaL_Reg functions[] = {{"grad", module_grad},
                                         {"no_grad", module_no_grad},
                                         {"anomaly", module_anomaly},
                                         {"exact", module_exact},
                                         {"seed", module_seed},
                                         {NULL, NULL}};
    lua_getfield(L, -1, "lg");
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
