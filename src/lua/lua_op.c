/*
 * lua_op.c - every operator, as a function and as a method of tensors.
 *
 * No operator has glue of its own. One C function reads the descriptor in its upvalue,
 * collects the arguments that the descriptor names, and applies it:
 *
 *     lg.conv2d(x, w, nil, {stride = 2})     x:conv2d(w, {stride = 2})     x:sum(2, true)
 */
#include "lua/glue.h"

#include <string.h>

/* An operator with its line of args read. It lives as a userdata, an upvalue. */
typedef struct bound_op {
    const lg_op *op;
    lgi_signature signature;
    int returned;                      /* how many results Lua gets */
} bound_op;

static bool is_options(lua_State *L, int arg)
{
    return lua_type(L, arg) == LUA_TTABLE;
}

/* Counts the inputs among the arguments; checks each. Returns the first attribute. */
static int check_inputs_of(lua_State *L, const bound_op *b, int top)
{
    const lgi_signature *s = &b->signature;
    for (int i = 0; i < s->nin; i++) {
        int arg = i + 1, type = lua_type(L, arg);
        if (type == LUA_TNUMBER || lgl_is_tensor(L, arg))
            continue;
        if (i >= s->required && (type == LUA_TNIL || type == LUA_TNONE))
            continue;
        if (i >= s->required && is_options(L, arg))
            return arg;                /* optional inputs left out, options given */
        if (type == LUA_TUSERDATA && luaL_testudata(L, arg, LGL_TENSOR))
            lgl_error(L, "%s: %s is a closed tensor", b->op->name, s->in[i]);
        if (type == LUA_TNONE || type == LUA_TNIL)
            lgl_error(L, "%s: %s is missing; it takes (%s)", b->op->name, s->in[i],
                      b->op->args);
        lgl_error(L, "%s: %s must be a tensor or a number, not a %s", b->op->name,
                  s->in[i], luaL_typename(L, arg));
    }
    return top < s->nin ? top + 1 : s->nin + 1;
}

/* Phase two: a number becomes a tensor without axes. */
static void gather_inputs(lua_State *L, lg_engine *E, int n, lg_tensor **in)
{
    for (int i = 0; i < n; i++)
        switch (lua_type(L, i + 1)) {
        case LUA_TNUMBER: in[i] = lg_scalar(E, lua_tonumber(L, i + 1)); break;
        case LUA_TUSERDATA: in[i] = lgl_unboxed(L, E, i + 1); break;
        default: in[i] = NULL;
        }
}

static void keep_results(const bound_op *b, lg_tensor *y, lg_tensor **const *box)
{
    for (int k = 0; y && k < b->returned; k++)
        *box[k] = lg_retain(&y[k]);
}

/* Empty boxes for the results, pushed. */
static void push_results(lua_State *L, const bound_op *b, lg_tensor ***box)
{
    lgl_safepoint(L);
    luaL_checkstack(L, LGI_MAX_RESULTS, NULL);
    for (int k = 0; k < b->returned; k++)
        box[k] = lgl_push_box(L);
}

static int call_listed(lua_State *L, bound_op *b, int top)
{
    lg_engine *E = lgl_engine(L);
    _Alignas(16) char attrs[LGI_MAX_ATTR_BYTES] = {0};
    lg_tensor **box[LGI_MAX_RESULTS];
    if (lua_type(L, 1) != LUA_TTABLE)
        return lgl_error(L, "%s takes a list of tensors first, as in lg.%s({a, b}), not "
                         "a %s", b->op->name, b->op->name, luaL_typename(L, 1));
    lua_Integer n = luaL_len(L, 1);
    if (n < 1 || n > 1 << 20)
        return lgl_error(L, "%s: the list of tensors is empty", b->op->name);
    lgl_check_attrs(L, 2, top, b->op->name, &b->signature, attrs);
    lg_tensor **in = lua_newuserdatauv(L, (size_t)n * sizeof *in, 0);
    push_results(L, b, box);
    for (lua_Integer i = 1; i <= n; i++) {     /* from here on nothing allocates */
        lua_rawgeti(L, 1, i);
        if (!lgl_is_tensor(L, -1))
            return lgl_error(L, "%s: element %d of the list must be a tensor, not a %s",
                             b->op->name, (int)i, luaL_typename(L, -1));
        in[i - 1] = *(lg_tensor **)lua_touserdata(L, -1);
        lua_pop(L, 1);
    }
    lgl_pin(n, in);
    LGL_COMPUTE(L, E, keep_results(b, lgi_apply(E, b->op, (int)n, in, attrs), box));
    lgl_unpin(n, in);
    return E->status < 0 ? lgl_raise(L) : b->returned;
}

static void apply_bound(lua_State *L, lg_engine *E, const bound_op *b, const void *attrs,
                        lg_tensor **const *box)
{
    lg_tensor *in[LGI_MAX_IN];
    gather_inputs(L, E, b->signature.nin, in);
    if (E->status == LG_OK)
        keep_results(b, lgi_apply(E, b->op, b->signature.nin, in, attrs), box);
}

static int call_op(lua_State *L)
{
    bound_op *b = lua_touserdata(L, lua_upvalueindex(1));
    lg_engine *E = lgl_engine(L);
    _Alignas(16) char attrs[LGI_MAX_ATTR_BYTES];
    lg_tensor **box[LGI_MAX_RESULTS];
    int top = lua_gettop(L);

    if (b->signature.listed)
        return call_listed(L, b, top);
    int first = check_inputs_of(L, b, top);
    memset(attrs, 0, b->op->attr_bytes);
    lgl_check_attrs(L, first, top, b->op->name, &b->signature, attrs);
    if (first <= b->signature.nin)             /* options stood where an input could */
        lua_settop(L, first - 1);
    luaL_checkstack(L, LGI_MAX_IN + LGI_MAX_RESULTS, NULL);
    while (lua_gettop(L) < b->signature.nin)
        lua_pushnil(L);
    push_results(L, b, box);
    LGL_COMPUTE(L, E, apply_bound(L, E, b, attrs, box));
    return E->status < 0 ? lgl_raise(L) : b->returned;
}

/* Lua hands both operands of -x and #x; the second is not an attribute. */
static int call_unary_event(lua_State *L)
{
    lua_settop(L, 1);
    return call_op(L);
}

/* core.ops(): descriptors as data, for the manual, the stubs and the tests. */
static int core_ops(lua_State *L)
{
    int family = 0, member = 0, n = 0;
    const lg_op *op;
    lua_newtable(L);
    while ((op = lgi_each_op(&family, &member))) {
        lua_createtable(L, 0, 6);
        lua_pushstring(L, op->name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, op->args);
        lua_setfield(L, -2, "args");
        lua_pushstring(L, op->results ? op->results : "y");
        lua_setfield(L, -2, "results");
        lua_pushstring(L, op->doc);
        lua_setfield(L, -2, "doc");
        lua_pushboolean(L, op->grad != LG_ZERO);
        lua_setfield(L, -2, "smooth");
        lua_newtable(L);
        for (int i = 0; i < 8 && op->samples[i]; i++) {
            lua_pushstring(L, op->samples[i]);
            lua_rawseti(L, -2, i + 1);
        }
        lua_setfield(L, -2, "samples");
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static void push_bound(lua_State *L, const lg_op *op, lua_CFunction f)
{
    bound_op *b = lua_newuserdatauv(L, sizeof *b, 0);
    b->op = op;
    b->returned = lgi_count_returned(op);
    if (!lgi_read_signature(op->args, &b->signature))
        luaL_error(L, "%s: its args are malformed: %s", op->name, op->args);
    lua_pushcclosure(L, f, 1);
}

static const struct { const char *event, *op; } operator_events[] = {
    {"__add", "add"}, {"__sub", "sub"}, {"__mul", "mul"}, {"__div", "div"},
    {"__pow", "pow"}, {"__unm", "neg"},
};

void lgl_open_op(lua_State *L)
{
    int core = lua_gettop(L), family = 0, member = 0;
    const lg_op *op;
    lua_pushcfunction(L, core_ops);
    lua_setfield(L, core, "ops");
    lua_getfield(L, core, "lg");
    lua_getfield(L, core, "methods");          /* of tensors: lua_tensor.c */
    while ((op = lgi_each_op(&family, &member))) {
        push_bound(L, op, call_op);
        lua_pushvalue(L, -1);
        lua_setfield(L, core + 1, op->name);
        lua_setfield(L, core + 2, op->name);
    }
    luaL_getmetatable(L, LGL_TENSOR);
    for (size_t i = 0; i < sizeof operator_events / sizeof *operator_events; i++) {
        op = lg_find_op(operator_events[i].op);
        bool unary = strcmp(operator_events[i].event, "__unm") == 0;
        push_bound(L, op, unary ? call_unary_event : call_op);
        lua_setfield(L, -2, operator_events[i].event);
    }
    lua_settop(L, core);
}
