/*
 * lua_layer.c - every layer, for lua/lugano/nn.lua, which makes the model language of it.
 *
 * No layer has glue of its own: core.layer(type, options) makes any of them.
 */
#include "lua/glue.h"
#include "nn/layer.h"

#include <string.h>

#define LGL_LAYER "lugano.layer"
#define LGL_CHAIN "lugano.chain"

static lgi_layer *check_layer(lua_State *L, int arg)
{
    lgi_layer **box = luaL_checkudata(L, arg, LGL_LAYER);
    if (!*box)
        lgl_error(L, "this layer is closed");
    return *box;
}

/* core.layer("Conv2d", {out = 4, stride = 2}): options by name alone. */
static int core_layer(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    const lgi_layer_type *type = lgi_find_layer(luaL_checkstring(L, 1));
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    lgi_signature s;
    size_t bytes;
    if (!type)
        return lgl_error(L, "there is no layer '%s'", lua_tostring(L, 1));
    if (!lgi_layer_options(type, &s, &bytes))
        return luaL_error(L, "%s: its args are malformed", type->name);
    const char *who = lua_pushfstring(L, "nn.%s", type->name);
    lgl_check_attrs(L, 2, 2, who, &s, attr);
    lgi_layer **box = lgl_push_object(L, LGL_LAYER, sizeof *box);
    LGL_COMPUTE(L, E, *box = lgi_new_layer(E, type, attr));
    return E->status < 0 ? lgl_raise(L) : 1;
}

static int close_layer(lua_State *L)
{
    lgi_layer **box = luaL_checkudata(L, 1, LGL_LAYER);
    lgi_layer *l = *box;
    *box = NULL;
    lgi_release_layer(l);
    return 0;
}

static void compute_layer(lua_State *L, lg_engine *E, lgi_layer *l, int n,
                          lg_tensor **box[])
{
    lg_tensor *in[LGI_MAX_IN] = {NULL};
    for (int i = 0; i < n; i++)
        in[i] = lua_isnil(L, i + 2) ? NULL : lgl_unboxed(L, E, i + 2);
    lg_tensor *y = lgi_call_layer(E, l, n, in);
    for (int k = 0; y && k < l->nout; k++)
        *box[k] = lg_retain(&y[k]);
}

/* run(x, ...): nil for an optional input that is absent. */
static int layer_run(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_layer *l = check_layer(L, 1);
    lg_tensor **box[LGI_MAX_RESULTS];
    int n = lua_gettop(L) - 1;
    while (n > l->required && lua_isnil(L, n + 1))
        n--;
    if (n > LGI_MAX_IN)
        return lgl_error(L, "%s (%s) got %d inputs", l->path, l->type->name, n);
    for (int i = 0; i < n || i < l->required; i++)
        if (!lgl_is_tensor(L, i + 2) && (i < l->required || !lua_isnil(L, i + 2)))
            return lgl_error(L, "%s (%s) takes %s, not a %s", l->path, l->type->name,
                             l->type->inputs ? l->type->inputs : "a tensor",
                             luaL_typename(L, i + 2));
    lgl_safepoint(L);
    for (int k = 0; k < l->nout; k++)
        box[k] = lgl_push_box(L);
    LGL_COMPUTE(L, E, compute_layer(L, E, l, n, box));
    return E->status < 0 ? lgl_raise(L) : l->nout;
}

/* Layers of one result each, one after the other: what is between them is nobody's, and
 * let go as soon as the next has read it, unless a gradient will. */
typedef struct layer_chain {
    int n;
    lgi_layer *layer[];
} layer_chain;

typedef struct chain_run {
    int at;                            /* the layer whose turn it is */
    lg_tensor *x;                      /* its input, held, from the second one on */
    bool announced;                    /* was a layer, to the one before */
} chain_run;

/* Tells the layer at i what comes, if that is an operator of its result alone. */
static bool announce_next(lg_engine *E, const layer_chain *c, int i)
{
    const lgi_layer *next = i + 1 < c->n && c->layer[i]->type->leads ? c->layer[i + 1]
                                                                     : NULL;
    return next && next->type->op && !next->type->forward
           && lgi_announce(E, next->type->op, NULL, next->op_attr);
}

static lg_tensor *run_in_chain(lg_engine *E, const layer_chain *c, int n,
                               lg_tensor *const *in, chain_run *r)
{
    lgi_layer *l = c->layer[r->at];
    bool announced = announce_next(E, c, r->at);
    r->announced |= announced;
    if (l->type->op && l->type->op->onto)      /* layers of such read their input once */
        lgi_give(E, r->x);
    lg_tensor *y = lgi_call_layer(E, l, n, in);
    lgi_give(E, NULL);
    if (announced && !y)
        lgi_end_announced(E);
    E->next.op = NULL;
    return y;
}

/* Goes on from where an earlier try came to: a layer may not run twice. */
static void compute_chain(lua_State *L, lg_engine *E, const layer_chain *c, int n,
                          chain_run *r)
{
    while (r->at < c->n && E->status == LG_OK) {
        lg_tensor *in[LGI_MAX_IN] = {r->x}, *y;
        int scope = lg_open_scope(E);
        for (int i = 0; r->at == 0 && i < n; i++)
            in[i] = lua_isnil(L, i + 1) ? NULL : lgl_unboxed(L, E, i + 1);
        y = lg_retain(run_in_chain(E, c, r->at ? 1 : n, in, r));
        lg_close_scope(E, scope);
        if (y) {
            lg_release(r->x);
            r->at++;
            r->x = y;
        }
    }
}

/* Can the first layer take the arguments? Who asks it alone says what is wrong. */
static bool fits_chain(lua_State *L, const layer_chain *c, int n)
{
    bool ok = n >= c->layer[0]->required && n <= LGI_MAX_IN;
    for (int i = 0; ok && i < n; i++)
        ok = lgl_is_tensor(L, i + 1)
             || (i >= c->layer[0]->required && lua_isnil(L, i + 1));
    return ok;
}

/* (x, ...) -> y; nil where x, ... are no inputs for it; or nil, the number of the layer
 * that failed, and its message */
static int call_chain(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    const layer_chain *c = lua_touserdata(L, lua_upvalueindex(1));
    int n = lua_gettop(L);
    chain_run r = {0};
    while (n > c->layer[0]->required && lua_isnil(L, n))
        n--;
    if (!fits_chain(L, c, n))
        return 0;
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, compute_chain(L, E, c, n, &r));
    if (r.announced)
        lgi_end_announced(E);
    if (E->status == LG_OK) {
        *box = r.x;
        return 1;
    }
    lg_release(r.x);
    lua_pushnil(L);
    lua_pushinteger(L, r.at + 1);
    lgl_push_failure(L);
    return 3;
}

static int close_chain(lua_State *L)
{
    layer_chain *c = lua_touserdata(L, 1);
    while (c->n > 0)
        lgi_release_layer(c->layer[--c->n]);
    return 0;
}

/* core.chain{layer, ...}: a function that calls them one after the other; nil: one of
 * them has several results. */
static int core_chain(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    int n = (int)lua_rawlen(L, 1);
    layer_chain *c = lgl_push_object(L, LGL_CHAIN,
                                     sizeof *c + (size_t)n * sizeof *c->layer);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, 1, i + 1);
        lgi_layer *l = check_layer(L, -1);
        if (l->nout != 1)
            return 0;
        lgi_retain_layer(l);
        c->layer[c->n++] = l;
        lua_pop(L, 1);
    }
    lua_pushcclosure(L, call_chain, 1);
    return n > 0;
}

/* clone(tracked): another layer with the same options, path, mode and numbers. */
static int layer_clone(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgi_layer *l = check_layer(L, 1);
    bool tracked = lua_toboolean(L, 2);
    lgl_safepoint(L);
    lgi_layer **box = lgl_push_object(L, LGL_LAYER, sizeof *box);
    LGL_COMPUTE(L, E, *box = lgi_clone_layer(l, tracked));
    return E->status < 0 ? lgl_raise(L) : 1;
}

/* A list of { name =, tensor =, buffer = }: empty until it is built. */
static int layer_parameters(lua_State *L)
{
    lgi_layer *l = check_layer(L, 1);
    lua_createtable(L, l->nparam, 0);
    for (int i = 0; i < l->nparam; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, l->param[i].name);
        lua_setfield(L, -2, "name");
        lua_pushboolean(L, l->param[i].buffer);
        lua_setfield(L, -2, "buffer");
        lg_tensor **box = lgl_push_box(L);
        *box = lg_retain(l->param[i].value);
        lua_setfield(L, -2, "tensor");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int layer_train(lua_State *L)
{
    check_layer(L, 1)->training = lua_toboolean(L, 2);
    return 0;
}

/* Are its parameters there? What has none needs no input for that. */
static int layer_built(lua_State *L)
{
    const lgi_layer *l = check_layer(L, 1);
    lua_pushboolean(L, l->built || !l->type->build);
    return 1;
}

/* number("momentum") -> an option that is a number; nil: it has no such */
static int layer_number(lua_State *L)
{
    lgi_layer *l = check_layer(L, 1);
    const char *name = luaL_checkstring(L, 2);
    lgi_signature s;
    size_t bytes;
    int i = lgi_layer_options(l->type, &s, &bytes)
                ? lgi_find_attr(&s, name, strlen(name)) : -1;
    if (i < 0 || s.attr[i].type != LGI_NUMBER)
        return 0;
    lua_pushnumber(L, *(const double *)(void *)((char *)l->attr + s.attr[i].offset));
    return 1;
}

/* path() reads, path(text) sets: before it is built, since it keys the random streams. */
static int layer_path(lua_State *L)
{
    lgi_layer *l = check_layer(L, 1);
    if (!lua_isnoneornil(L, 2) && lgi_name_layer(l, luaL_checkstring(L, 2)) < 0)
        return lgl_raise(L);
    lua_pushstring(L, l->path);
    return 1;
}

/* Options as data: a list of { name =, type =, required = }. */
void lgl_push_options(lua_State *L, const lgi_signature *s)
{
    static const char *const types[] = {"number", "whole", "flag", "word", "pair", "list",
                                        "numbers", "text"};    /* as in lgi_type */
    lua_createtable(L, s->nattr, 0);
    for (int i = 0; i < s->nattr; i++) {
        const lgi_attr *a = &s->attr[i];
        lua_createtable(L, 0, 3);
        lua_pushstring(L, a->name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, types[a->type]);
        lua_setfield(L, -2, "type");
        lua_pushboolean(L, a->initial == NULL);
        lua_setfield(L, -2, "required");
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_layer_type(lua_State *L, const lgi_layer_type *type)
{
    lgi_signature s;
    size_t bytes;
    if (!lgi_layer_options(type, &s, &bytes))
        luaL_error(L, "%s: its args are malformed", type->name);
    lua_createtable(L, 0, 8);
    if (type->op && !type->build) {    /* it is that operator, and nothing more */
        lua_pushstring(L, type->op->name);
        lua_setfield(L, -2, "op");
    }
    lgl_push_options(L, &s);
    lua_setfield(L, -2, "options");
    const char *args = type->args ? type->args : strchr(type->op->args, ',');
    args = args ? args + strspn(args, ", ") : "";      /* after the operator's input */
    lua_pushstring(L, args);
    lua_setfield(L, -2, "args");
    lua_pushstring(L, type->inputs ? type->inputs : "x");
    lua_setfield(L, -2, "inputs");
    lua_pushstring(L, type->doc);
    lua_setfield(L, -2, "doc");
    lua_pushboolean(L, type->weighted);
    lua_setfield(L, -2, "weighted");
    lua_newtable(L);
    for (int i = 0; i < 8 && type->samples[i]; i++) {
        lua_pushstring(L, type->samples[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "samples");
}

/* core.layers(): descriptors as data, by name; core.layers("Linear"): that one. */
static int core_layers(lua_State *L)
{
    int family = 0, member = 0;
    const lgi_layer_type *type;
    if (!lua_isnoneornil(L, 1)) {
        if (!(type = lgi_find_layer(luaL_checkstring(L, 1))))
            return 0;
        push_layer_type(L, type);
        return 1;
    }
    lua_newtable(L);
    while ((type = lgi_each_layer(&family, &member))) {
        push_layer_type(L, type);
        lua_setfield(L, -2, type->name);
    }
    return 1;
}

/* core.layer_names(): a table that gives for each the operator that it is, or "". */
static int core_layer_names(lua_State *L)
{
    int family = 0, member = 0;
    const lgi_layer_type *type;
    lua_newtable(L);
    while ((type = lgi_each_layer(&family, &member))) {
        lua_pushstring(L, type->op && !type->build ? type->op->name : "");
        lua_setfield(L, -2, type->name);
    }
    return 1;
}

/* core.tracking(t) -> "leaf": gradients flow to t; "result": through it; nil: neither */
static int core_tracking(lua_State *L)
{
    const lg_tensor *t = lgl_check_tensor(L, 1);
    bool leaf = !t->owner->node && !t->owner->let_go;
    if (!t->tracked)
        return 0;
    lua_pushstring(L, leaf ? "leaf" : "result");
    return 1;
}

/* core.flops(): the arithmetic of all operators so far; a difference is that of calls. */
static int core_flops(lua_State *L)
{
    lua_pushnumber(L, lgl_engine(L)->flops);
    return 1;
}

/* core.initializers(): a list of their names. */
static int core_initializers(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; lgi_initializer_name(i); i++) {
        lua_pushstring(L, lgi_initializer_name(i));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

void lgl_open_layer(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"layer", core_layer}, {"layers", core_layers},
        {"layer_names", core_layer_names},
        {"chain", core_chain}, {"initializers", core_initializers}, {"flops", core_flops},
        {"tracking", core_tracking}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"run", layer_run}, {"parameters", layer_parameters}, {"train", layer_train},
        {"built", layer_built}, {"path", layer_path}, {"clone", layer_clone},
        {"number", layer_number},
        {"__gc", close_layer}, {"__close", close_layer}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    luaL_newmetatable(L, LGL_LAYER);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newmetatable(L, LGL_CHAIN);
    lua_pushcfunction(L, close_chain);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}
