/*
 * lua_optim.c - every optimizer, for lua/lugano/optim.lua.
 *
 * No optimizer has glue of its own: core.optimizer(type, tensors, groups) makes any.
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

/* Reads the groups at arg, { { n = 4, options = {...} }, ... }. Their options go to
 * attrs, one after the other. Returns how many tensors they have in all. */
static int check_groups(lua_State *L, int arg, const lgi_optim_type *type,
                        const lgi_signature *s, int ngroup, lgi_group *group, char *attrs)
{
    int n = 0;
    for (int i = 0; i < ngroup; i++) {
        const char *who = ngroup == 1 ? lua_pushfstring(L, "optim.%s", type->name)
            : lua_pushfstring(L, "optim.%s, group %d", type->name, i + 1);
        char *attr = attrs + (size_t)i * type->attr_bytes;
        _Alignas(16) char read[LGI_MAX_ATTR_BYTES] = {0};
        lua_rawgeti(L, arg, i + 1);
        lua_getfield(L, -1, "n");
        group[i] = (lgi_group){attr, (int)lua_tointeger(L, -1)};
        lua_getfield(L, -2, "options");
        int top = lua_gettop(L);
        lgl_check_attrs(L, top, top, who, s, read);
        memcpy(attr, read, type->attr_bytes);
        n += group[i].n;
        lua_settop(L, top - 4);
    }
    return n;
}

/* core.optimizer("Adam", tensors, groups): the tensors of one group after the other. */
static int core_optimizer(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_signature s;
    const lgi_optim_type *type = check_optim_type(L, 1, &s);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    int ngroup = (int)lua_rawlen(L, 3);
    lgi_group *group = lua_newuserdatauv(L, (size_t)ngroup * sizeof *group, 0);
    char *attrs = lua_newuserdatauv(L, (size_t)ngroup * type->attr_bytes, 0);
    int n = check_groups(L, 3, type, &s, ngroup, group, attrs);
    lgl_safepoint(L);
    lgi_optim **box = lgl_push_object(L, LGL_OPTIM, sizeof *box);
    lg_tensor **list = push_tensor_list(L, 2, n, type->name, false);
    lua_pushvalue(L, -2);
    lgl_pin(n, list);
    LGL_COMPUTE(L, E, *box = lgi_new_grouped_optim(E, type, ngroup, group, list));
    lgl_unpin(n, list);
    return E->status < 0 ? lgl_raise(L) : 1;
}

/* core.average(to, from, kept, n): moves each tensor of a list toward that of another,
 * the first n by a share, the others all the way. */
static int core_average(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    double kept = luaL_checknumber(L, 3);
    int moved = (int)luaL_checkinteger(L, 4), n = (int)lua_rawlen(L, 1);
    lg_tensor **to = push_tensor_list(L, 1, n, "average", false);
    lg_tensor **from = push_tensor_list(L, 2, n, "average", false);
    bool on = lgi_interrupted(E) == LG_OK;     /* all of them or none */
    for (int i = 0; on && i < n; i++)
        on = lgi_average(E, to[i], from[i], i < moved ? kept : 0) == LG_OK;
    return E->status < 0 ? lgl_raise(L) : 0;
}

static int close_optim(lua_State *L)
{
    lgi_optim **box = luaL_checkudata(L, 1, LGL_OPTIM);
    lgi_optim *o = *box;
    *box = NULL;
    lgi_close_optim(o);
    return 0;
}

/* (loss, clip_norm, clip_value) -> value, number of parameters missed, the first */
static int update_by_loss(lua_State *L, const char *who,
                          lg_status (*update)(lgi_optim *, lg_tensor *, double, double *,
                                              int *))
{
    lg_engine *E = lgl_engine(L);
    lgi_optim *o = check_optim(L, 1);
    double clip_norm = luaL_optnumber(L, 3, 0), value = 0;
    int missed = 0;
    if (!lgl_is_tensor(L, 2))
        return lgl_error(L, "%s takes the loss, a tensor, not a %s", who,
                         luaL_typename(L, 2));
    o->clip_value = luaL_optnumber(L, 4, 0);
    lgl_safepoint(L);
    LGL_COMPUTE(L, E, update(o, lgl_unboxed(L, E, 2), clip_norm, &value, &missed));
    if (E->status < 0)
        return lgl_raise(L);
    lua_pushnumber(L, value);
    lua_pushinteger(L, missed);
    lua_pushinteger(L, o->missed + 1);
    return 3;
}

/* (list of gradients, false where there is none, clip_norm, clip_value) */
static int update_by_grads(lua_State *L, const char *who,
                           lg_status (*update)(lgi_optim *, lg_tensor *const *, double))
{
    lg_engine *E = lgl_engine(L);
    lgi_optim *o = check_optim(L, 1);
    double clip_norm = luaL_optnumber(L, 3, 0);
    luaL_checktype(L, 2, LUA_TTABLE);
    o->clip_value = luaL_optnumber(L, 4, 0);
    lgl_safepoint(L);
    lg_tensor **g = push_tensor_list(L, 2, o->nparam, who, true);
    lgl_pin(o->nparam, g);
    LGL_COMPUTE(L, E, update(o, g, clip_norm));
    lgl_unpin(o->nparam, g);
    return E->status < 0 ? lgl_raise(L) : 0;
}

static int optim_minimize(lua_State *L)
{
    return update_by_loss(L, "minimize", lgi_minimize);
}

static int optim_step(lua_State *L) { return update_by_grads(L, "step", lgi_step); }

/* From a loss, or from a list of gradients. */
static int optim_extrapolate(lua_State *L)
{
    return lua_istable(L, 2) ? update_by_grads(L, "extrapolate", lgi_extrapolate)
                             : update_by_loss(L, "extrapolate", lgi_extrapolate_by);
}

/* Adds { index = of the parameter or nil, name =, tensor = } to the list on top. */
static void push_kept(lua_State *L, lg_tensor *t, int index, const char *name)
{
    lua_createtable(L, 0, 3);
    if (index > 0) {
        lua_pushinteger(L, index);
        lua_setfield(L, -2, "index");
    }
    lua_pushstring(L, name);
    lua_setfield(L, -2, "name");
    lg_tensor **box = lgl_push_box(L);
    *box = lg_retain(t);
    lua_setfield(L, -2, "tensor");
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* A list of what is kept for each parameter, then of what is kept of all. */
static int optim_state(lua_State *L)
{
    lgi_optim *o = check_optim(L, 1);
    lua_createtable(L, o->nparam * o->nstate + 2, 0);
    for (int i = 0; i < o->nparam * o->nstate; i++)
        if (o->state[i])
            push_kept(L, o->state[i], i / o->nstate + 1,
                      o->type->states[o->which[i % o->nstate]]);
    push_kept(L, o->steps, 0, "steps");
    if (o->number)
        push_kept(L, o->number, 0, o->type->number);
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

/* ahead() tells if it is between the halves of a step, ahead(flag) sets that; nil for a
 * type whose steps have none. */
static int optim_ahead(lua_State *L)
{
    lgi_optim *o = check_optim(L, 1);
    if (!o->type->extrapolates)
        return 0;
    if (!lua_isnoneornil(L, 2))
        o->ahead = lua_toboolean(L, 2);
    lua_pushboolean(L, o->ahead);
    return 1;
}

/* The norm of the latest gradients, or nil. */
static int optim_norm(lua_State *L)
{
    lgi_optim *o = check_optim(L, 1);
    if (o->norm < 0)
        return 0;
    lua_pushnumber(L, o->norm);
    return 1;
}

/* lr(group) reads it, lr(group, number) sets it. */
static int optim_lr(lua_State *L)
{
    lgi_optim *o = check_optim(L, 1);
    int group = (int)lgl_check_whole(L, 2, 1, o->ngroup) - 1;
    if (!lua_isnoneornil(L, 3) && lgi_set_lr(o, group, luaL_checknumber(L, 3)) < 0)
        return lgl_raise(L);
    lua_pushnumber(L, lgi_optim_attr(o, group)->lr);
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

/* options(group) gives all of them by name; options(group, table) sets all. */
static int optim_options(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_optim *o = check_optim(L, 1);
    int group = (int)lgl_check_whole(L, 2, 1, o->ngroup) - 1;
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    lgi_signature s;
    lgi_read_signature(o->type->args, &s);
    if (lua_istable(L, 3)) {
        const char *who = lua_pushfstring(L, "optim.%s", o->type->name);
        lgl_check_attrs(L, 3, 3, who, &s, attr);
        LGL_COMPUTE(L, E, lgi_set_optim(o, group, attr));
        return E->status < 0 ? lgl_raise(L) : 0;
    }
    const void *own = lgi_optim_attr(o, group);
    lua_createtable(L, 0, s.nattr);
    for (int i = 0; i < s.nattr; i++) {
        push_option_value(L, &s.attr[i], own);
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
                                         {"optimizers", core_optimizers},
                                         {"average", core_average}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"minimize", optim_minimize}, {"step", optim_step}, {"state", optim_state},
        {"steps", optim_steps}, {"options", optim_options}, {"lr", optim_lr},
        {"extrapolate", optim_extrapolate}, {"ahead", optim_ahead}, {"norm", optim_norm},
        {"__gc", close_optim}, {"__close", close_optim}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    luaL_newmetatable(L, LGL_OPTIM);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
