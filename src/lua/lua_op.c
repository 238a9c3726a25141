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

/* What an operator's line of args says. */
typedef struct op_line {
    lgi_signature signature;
    uint32_t needed;                   /* attributes that have no default */
    _Alignas(16) char defaults[];      /* the attributes' struct with those that have */
} op_line;

/* An operator for Lua: a userdata, the first upvalue of its function. The second is the
 * metatable of tensors. */
typedef struct bound_op {
    const lg_op *op;
    lg_engine *const *engine;          /* where the state's engine is, or NULL is */
    const op_line *line;               /* read by the first call; a user value has it */
    int returned;                      /* how many results Lua gets */
} bound_op;

#define BOUND lua_upvalueindex(1)
#define TENSORS lua_upvalueindex(2)

/* lgl_is_tensor, where the metatable is at hand; closed: a closed one, too. */
static bool is_tensor_here(lua_State *L, int arg, bool closed)
{
    lg_tensor **box = lua_touserdata(L, arg);
    if (!box || !lua_getmetatable(L, arg))
        return false;
    bool is = lua_rawequal(L, -1, TENSORS);
    lua_pop(L, 1);
    return is && (closed || *box);
}

static bool is_options(lua_State *L, int arg)
{
    return lua_type(L, arg) == LUA_TTABLE;
}

/* Counts the inputs among the arguments; checks each. Returns the first attribute. */
static int check_inputs_of(lua_State *L, const bound_op *b, int top)
{
    const lgi_signature *s = &b->line->signature;
    for (int i = 0; i < s->nin; i++) {
        int arg = i + 1, type = lua_type(L, arg);
        if (type == LUA_TNUMBER || is_tensor_here(L, arg, false))
            continue;
        if (i >= s->required && (type == LUA_TNIL || type == LUA_TNONE))
            continue;
        if (i >= s->required && is_options(L, arg))
            return arg;                /* optional inputs left out, options given */
        if (is_tensor_here(L, arg, true))
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

/* Empty boxes for the results, pushed: lgl_push_box, where the metatable is at hand. */
static void push_results(lua_State *L, lg_engine *E, const bound_op *b, lg_tensor ***box)
{
    lgl_charge(L, E);
    for (int k = 0; k < b->returned; k++) {
        box[k] = lua_newuserdatauv(L, sizeof **box, 0);
        *box[k] = NULL;
        lua_pushvalue(L, TENSORS);
        lua_setmetatable(L, -2);
    }
}

/* The attributes from arguments first .. top. */
static void read_attributes(lua_State *L, const bound_op *b, int first, int top,
                            void *attrs)
{
    const op_line *line = b->line;
    memcpy(attrs, line->defaults, b->op->attr_bytes);
    uint32_t given = first > top ? 0 : lgl_read_attrs(L, first, top, b->op->name,
                                                      &line->signature, attrs);
    if (line->needed & ~given) {
        lgi_default_attrs(*b->engine, b->op->name, &line->signature, attrs, given);
        lgl_raise(L);
    }
}

static int call_listed(lua_State *L, lg_engine *E, bound_op *b, int top)
{
    _Alignas(16) char attrs[LGI_MAX_ATTR_BYTES];
    lg_tensor **box[LGI_MAX_RESULTS];
    if (lua_type(L, 1) != LUA_TTABLE)
        return lgl_error(L, "%s takes a list of tensors first, as in lg.%s({a, b}), not "
                         "a %s", b->op->name, b->op->name, luaL_typename(L, 1));
    lua_Integer n = luaL_len(L, 1);
    if (n < 1 || n > 1 << 20)
        return lgl_error(L, "%s: the list of tensors is empty", b->op->name);
    read_attributes(L, b, 2, top, attrs);
    luaL_checkstack(L, LGI_MAX_RESULTS + 4, NULL);
    lg_tensor **in = lua_newuserdatauv(L, (size_t)n * sizeof *in, 0);
    push_results(L, E, b, box);
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

static void apply_bound(lua_State *L, lg_engine *E, const bound_op *b, int nin,
                        const void *attrs, lg_tensor **const *box)
{
    lg_tensor *in[LGI_MAX_IN];
    gather_inputs(L, E, nin, in);
    if (E->status == LG_OK)
        keep_results(b, lgi_apply(E, b->op, nin, in, attrs), box);
}

/* Reads the line of args. */
static const op_line *read_line(lua_State *L, lg_engine *E, bound_op *b)
{
    op_line *line = lua_newuserdatauv(L, sizeof *line + b->op->attr_bytes, 0);
    memset(line->defaults, 0, b->op->attr_bytes);
    line->needed = 0;
    if (!lgi_read_signature(b->op->args, &line->signature))
        luaL_error(L, "%s: its args are malformed: %s", b->op->name, b->op->args);
    for (int i = 0; i < line->signature.nattr; i++)
        if (!line->signature.attr[i].initial)
            line->needed |= (uint32_t)1 << i;
    if (lgi_default_attrs(E, b->op->name, &line->signature, line->defaults,
                          line->needed) < 0)
        lgl_raise(L);
    lua_setiuservalue(L, BOUND, 1);
    return b->line = line;
}

static int call_op(lua_State *L)
{
    bound_op *b = lua_touserdata(L, BOUND);
    lg_engine *E = *b->engine;
    _Alignas(16) char attrs[LGI_MAX_ATTR_BYTES];
    lg_tensor **box[LGI_MAX_RESULTS];
    int top = lua_gettop(L);

    if (!E)
        E = lgl_engine(L);             /* raises */
    const lgi_signature *s = &(b->line ? b->line : read_line(L, E, b))->signature;
    if (s->listed)
        return call_listed(L, E, b, top);
    int first = check_inputs_of(L, b, top);
    read_attributes(L, b, first, top, attrs);
    if (first <= s->nin)               /* options stood where an input could */
        lua_settop(L, first - 1);
    luaL_checkstack(L, LGI_MAX_IN + LGI_MAX_RESULTS + 4, NULL);
    while (lua_gettop(L) < s->nin)
        lua_pushnil(L);
    push_results(L, E, b, box);
    LGL_COMPUTE(L, E, apply_bound(L, E, b, s->nin, attrs, box));
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
    bound_op *b = lua_newuserdatauv(L, sizeof *b, 1);
    *b = (bound_op){op, lgl_engine_place(L), NULL, lgi_count_returned(op)};
    luaL_getmetatable(L, LGL_TENSOR);
    lua_pushcclosure(L, f, 2);
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
