/*
 * lua_optim.c - every optimizer, for lua/lugano/optim.lua.
 *
 * No optimizer has glue of its own: core.optimizer(type, tensors, options) makes any.
 */
#include "lua/glue.h"
#include "optim/optim.h"

#include <string.h>

#define LGL_OPTIM "lugano.optim"

static lgi_optim *check_optim(lua_State *L, int arg)
{
    lgi_optim **box = luaL_checkudata(L, arg, LGL_OPTIM);
    if (!*box)
        lgl_error(L, "this optimizer is closed");
    return *box;
}

/* The tensors of the list at arg, which holds them; false stands for NULL. Pushes the
 * userdata where the pointers are. */
static lg_tensor **push_tensor_list(lua_State *L, int arg, int n, const char *who,
                                    bool holes)
{
    lg_tensor **list = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *list, 0);
    memset(list, 0, (size_t)(n + 1) * sizeof *list);
    for (int i = 0; i < n; i++) {
        int type = lua_rawgeti(L, arg, i + 1);
        bool hole = holes && (type == LUA_TNIL || (type == LUA_TBOOLEAN
                                                   && !lua_toboolean(L, -1)));
        if (!hole && !lgl_is_tensor(L, -1))
            lgl_error(L, "%s: element %d of the list must be a tensor, not a %s", who,
                      i + 1, luaL_typename(L, -1));
        list[i] = hole ? NULL : *(lg_tensor **)lua_touserdata(L, -1);
        lua_pop(L, 1);
    }
    return list;
}

static const lgi_optim_type *check_optim_type(lua_State *L, int arg, lgi_signature *s)
{
    const lgi_optim_type *type = lgi_find_optim(luaL_checkstring(L, arg));
    if (!type)
        lgl_error(L, "there is no optimizer '%s'", lua_tostring(L, arg));
    if (!lgi_read_signature(type->args, s))
        luaL_error(L, "%s: its args are malformed", type->name);
    return type;
}

/* core.optimizer("Adam", tensors, {lr = 0.001}): options by name alone. */
static int core_optimizer(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    lgi_signature s;
    const lgi_optim_type *type = check_optim_type(L, 1, &s);
    luaL_checktype(L, 2, LUA_TTABLE);
    const char *who = lua_pushfstring(L, "optim.%s", type->name);
    lgl_check_attrs(L, 3, 3, who, &s, attr);
    int n = (int)lua_rawlen(L, 2);
    lgl_safepoint(L);
    lgi_optim **box = lgl_push_object(L, LGL_OPTIM, sizeof *box);
    lg_tensor **list = push_tensor_list(L, 2, n, who, false);
    lua_pushvalue(L, -2);
    lgl_pin(n, list);
    LGL_COMPUTE(L, E, *box = lgi_new_optim(E, type, attr, n, list));
    lgl_unpin(n, list);
    return E->status < 0 ? lgl_raise(L) : 1;
}

static int close_optim(lua_State *L)
{
    lgi_optim **box = luaL_checkudata(L, 1, LGL_OPTIM);
    lgi_optim *o = *box;
    *box = NULL;
    lgi_close_optim(o);
    return 0;
}

/* minimize(loss, clip_norm) -> value, number of parameters missed, the first of them */
static int optim_minimize(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_optim *o = check_optim(L, 1);
    double clip_norm = luaL_optnumber(L, 3, 0), value = 0;
    int missed = 0;
    if (!lgl_is_tensor(L, 2))
        return lgl_error(L, "minimize takes the loss, a tensor, not a %s",
                         luaL_typename(L, 2));
    lgl_safepoint(L);
    LGL_COMPUTE(L, E, lgi_minimize(o, lgl_unboxed(L, E, 2), clip_norm, &value, &missed));
    if (E->status < 0)
        return lgl_raise(L);
    lua_pushnumber(L, value);
    lua_pushinteger(L, missed);
    lua_pushinteger(L, o->missed + 1);
    return 3;
}

/* step(list of gradients, false where there is none, clip_norm) */
static int optim_step(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_optim *o = check_optim(L, 1);
    double clip_norm = luaL_optnumber(L, 3, 0);
    luaL_checktype(L, 2, LUA_TTABLE);
    lgl_safepoint(L);
    lg_tensor **g = push_tensor_list(L, 2, o->nparam, "step", true);
    lgl_pin(o->nparam, g);
    LGL_COMPUTE(L, E, lgi_step(o, g, clip_norm));
    lgl_unpin(o->nparam, g);
    return E->status < 0 ? lgl_raise(L) : 0;
}

/* A list of { index = of the parameter, name = "m", tensor = } */
static int optim_state(lua_State *L)
{
    lgi_optim *o = check_optim(L, 1);
    lua_createtable(L, o->nparam * o->nstate, 0);
    for (int i = 0; i < o->nparam * o->nstate; i++) {
        lua_createtable(L, 0, 3);
        lua_pushinteger(L, i / o->nstate + 1);
        lua_setfield(L, -2, "index");
        lua_pushstring(L, o->type->states[i % o->nstate]);
        lua_setfield(L, -2, "name");
        lg_tensor **box = lgl_push_box(L);
        *box = lg_retain(o->state[i]);
        lua_setfield(L, -2, "tensor");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* steps() reads the count of updates, steps(n) sets it. */
static int optim_steps(lua_State *L)
{
    lgi_optim *o = check_optim(L, 1);
    if (!lua_isnoneornil(L, 2))
        o->step = lgl_check_whole(L, 2, 0, (lua_Integer)1 << 53);
    lua_pushinteger(L, o->step);
    return 1;
}

/* Number, flag and numbers are the types that optimizers' options have. */
static void push_option_value(lua_State *L, const lgi_attr *a, const void *attr)
{
    const void *at = (const char *)attr + a->offset;
    const lgi_numbers *list = at;
    switch (a->type) {
    case LGI_NUMBER: lua_pushnumber(L, *(const double *)at); break;
    case LGI_WHOLE:  lua_pushinteger(L, *(const int64_t *)at); break;
    case LGI_FLAG:   lua_pushboolean(L, *(const int64_t *)at != 0); break;
    case LGI_NUMBERS:
        lua_createtable(L, (int)list->n, 0);
        for (int i = 0; i < list->n; i++) {
            lua_pushnumber(L, list->at[i]);
            lua_rawseti(L, -2, i + 1);
        }
        break;
    default: lua_pushnil(L);
    }
}

/* options() gives all of them by name; options(table) sets all. */
static int optim_options(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_optim *o = check_optim(L, 1);
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    lgi_signature s;
    lgi_read_signature(o->type->args, &s);
    if (lua_istable(L, 2)) {
        const char *who = lua_pushfstring(L, "optim.%s", o->type->name);
        lgl_check_attrs(L, 2, 2, who, &s, attr);
        LGL_COMPUTE(L, E, lgi_set_optim(o, attr));
        return E->status < 0 ? lgl_raise(L) : 0;
    }
    lua_createtable(L, 0, s.nattr);
    for (int i = 0; i < s.nattr; i++) {
        push_option_value(L, &s.attr[i], o->attr);
        lua_setfield(L, -2, s.attr[i].name);
    }
    return 1;
}

static void push_optim_type(lua_State *L, const lgi_optim_type *type)
{
    lgi_signature s;
    if (!lgi_read_signature(type->args, &s))
        luaL_error(L, "%s: its args are malformed", type->name);
    lua_createtable(L, 0, 3);
    lgl_push_options(L, &s);
    lua_setfield(L, -2, "options");
    lua_pushstring(L, type->args);
    lua_setfield(L, -2, "args");
    lua_pushstring(L, type->doc);
    lua_setfield(L, -2, "doc");
}

/* core.optimizers(): descriptors as data, by name. */
static int core_optimizers(lua_State *L)
{
    int family = 0, member = 0;
    const lgi_optim_type *type;
    lua_newtable(L);
    while ((type = lgi_each_optim(&family, &member))) {
        push_optim_type(L, type);
        lua_setfield(L, -2, type->name);
    }
    return 1;
}

void lgl_open_optim(lua_State *L)
{
    static const luaL_Reg functions[] = {{"optimizer", core_optimizer},
                                         {"optimizers", core_optimizers}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"minimize", optim_minimize}, {"step", optim_step}, {"state", optim_state},
        {"steps", optim_steps}, {"options", optim_options}, {"__gc", close_optim},
        {"__close", close_optim}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    luaL_newmetatable(L, LGL_OPTIM);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
