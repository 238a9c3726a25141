/*
 * lua_custom.c - operators in Lua: lg.custom and lg.recompute stand on these functions.
 *
 * A custom operator has computed its results already when it is applied: its descriptor
 * hands them on, and makes them the results of a node whose gradient rule calls Lua. The
 * rule runs inside a walk, which holds raw pointers: so the call is protected, and what
 * it raises becomes the engine's failure.
 *
 * The node holds a function of the script, and may outlive the script; so it refers to it
 * through a custom_script, which both have, and which knows when Lua is gone.
 */
#include "base/memory.h"
#include "lua/glue.h"

#include <stdio.h>
#include <string.h>

#define LGL_KIND "lugano.kind"
#define LGL_NOTED "lugano.noted"
#define LGL_CUSTOM_SCRIPT "lugano.script"

/* The Lua state. Its thread is one of its own, so that its stack is always idle. */
typedef struct custom_script {
    lgi_owned owned;
    int refs;
    lua_State *thread;                 /* NULL: the state was closed */
} custom_script;

/* A custom operator: its descriptors, for one result up to four. */
typedef struct custom_kind {
    lgi_owned owned;
    int refs;
    char name[32];
    lg_op op[LGI_MAX_RESULTS];
} custom_kind;

typedef struct custom_attr {
    lg_tensor *const *made;            /* the results: only while it is applied */
    custom_script *script;
    custom_kind *kind;
    int rule;                          /* a reference to the Lua function */
} custom_attr;

static void destroy_script(lg_engine *E, lgi_owned *o)
{
    lgi_disown(o);
    lgi_free(E, o, sizeof(custom_script));
}

static void destroy_kind(lg_engine *E, lgi_owned *o)
{
    lgi_disown(o);
    lgi_free(E, o, sizeof(custom_kind));
}

static void drop_script(lg_engine *E, custom_script *s)
{
    if (s && --s->refs == 0)
        destroy_script(E, &s->owned);
}

static void drop_kind(lg_engine *E, custom_kind *k)
{
    if (k && --k->refs == 0)
        destroy_kind(E, &k->owned);
}

static void release_custom(lg_engine *E, lgi_node *n)
{
    custom_attr *a = n->attr;
    if (a->script->thread && lua_checkstack(a->script->thread, 4))
        luaL_unref(a->script->thread, LUA_REGISTRYINDEX, a->rule);
    drop_script(E, a->script);
    drop_kind(E, a->kind);
}

/* the descriptor */

/* A result shares the numbers of what Lua made, unless those were written to: a walk must
 * not take that for a change since. */
static lg_status custom_shape(lg_engine *E, lgi_node *n)
{
    const custom_attr *a = n->attr;
    for (int k = 0; k < n->nout; k++) {
        lgi_like(&n->out[k], a->made[k]);
        if (a->made[k]->buffer->version == 0)
            lgi_share(&n->out[k], a->made[k], 0);
    }
    return E->status;
}

static void custom_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const custom_attr *a = n->attr;
    (void)E, (void)workspace;
    for (int k = 0; k < n->nout; k++)
        if (n->out[k].data != a->made[k]->data && n->out[k].numel)
            memcpy(n->out[k].data, a->made[k]->data,
                   (size_t)n->out[k].numel * sizeof(lg_real));
}

typedef struct rule_call {             /* the arguments of a gradient rule */
    const lgi_node *n;
    const bool *wanted;
    lg_tensor **g, **out;
    bool create_graph;                 /* are the gradients to have gradients? */
} rule_call;

static void push_held(lua_State *L, lg_tensor *t)
{
    lg_tensor **box = lgl_push_box(L);
    *box = lg_retain(t);
}

/* Zeros stand for a gradient that is not there. */
static void push_cotangents(lua_State *L, lg_engine *E, const rule_call *c)
{
    lua_createtable(L, c->n->nout, 0);
    for (int k = 0; k < c->n->nout; k++) {
        const lg_tensor *y = &c->n->out[k];
        lg_tensor **box = lgl_push_box(L);
        *box = lg_retain(c->g[k]);
        if (!*box)
            LGL_COMPUTE(L, E, *box = lg_retain(lg_zeros(E, y->ndim, y->dim)));
        if (E->status < 0)
            lgl_raise(L);
        lua_rawseti(L, -2, k + 1);
    }
}

/* Inputs beyond those that a node can keep live as long as the function that reads them:
 * but they may have been changed. */
static void push_rule_inputs(lua_State *L, const rule_call *c)
{
    const lgi_node *n = c->n;
    lua_createtable(L, n->nin, 0);
    for (int i = 0; i < n->nin; i++) {
        const lg_tensor *x = n->in[i];
        if (!x->buffer || x->buffer->version != n->version[i])
            luaL_error(L, "an input %s, which it needs, was changed since (by an "
                       "optimizer step, or copy); compute the result after the change",
                       LGI_SHAPE(x));
        push_held(L, n->in[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* What Lua gave for input i, as a tensor of the walk's scope that can be summed to x. */
static lg_tensor *rule_result(lua_State *L, lg_engine *E, const rule_call *c, int i)
{
    lg_tensor *x = c->n->in[i], *g = lgl_check_tensor(L, -1);
    int64_t dim[LG_MAX_DIM];
    int ndim;
    bool fits = lgi_broadcast_dims(g, x, &ndim, dim);
    bool larger = fits && ndim == g->ndim
                  && memcmp(dim, g->dim, (size_t)ndim * sizeof *dim) == 0;
    bool smaller = fits && ndim == x->ndim
                   && memcmp(dim, x->dim, (size_t)ndim * sizeof *dim) == 0;
    if (!larger && !smaller)
        luaL_error(L, "backward gave %s for input %d, which is %s", LGI_SHAPE(g), i + 1,
                   LGI_SHAPE(x));
    if (!c->create_graph)
        g = lg_detach(E, g);
    if (!larger)
        return lgi_expand_to(E, g, x);
    return c->create_graph ? lgi_scoped(E, lg_retain(g)) : g;
}

/* Runs the Lua function: rule(g, y, x, wanted, create_graph) -> gradients by input, false
 * for zero. */
static int run_rule(lua_State *L)
{
    const rule_call *c = lua_touserdata(L, 1);
    const lgi_node *n = c->n;
    const custom_attr *a = n->attr;
    lg_engine *E = lgl_engine(L);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    lua_rawgeti(L, LUA_REGISTRYINDEX, a->rule);
    push_cotangents(L, E, c);
    lua_createtable(L, n->nout, 0);
    for (int k = 0; k < n->nout && n->needs & LGI_OUT(0); k++) {
        push_held(L, &n->out[k]);
        lua_rawseti(L, -2, k + 1);
    }
    push_rule_inputs(L, c);
    lua_createtable(L, n->nin, 0);
    for (int i = 0; i < n->nin; i++) {
        lua_pushboolean(L, c->wanted[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushboolean(L, c->create_graph);
    lua_call(L, 5, 1);
    E->recording = c->create_graph;
    luaL_checktype(L, -1, LUA_TTABLE);
    for (int i = 0; i < n->nin; i++) {
        lua_rawgeti(L, 2, i + 1);
        if (c->wanted[i] && lua_toboolean(L, -1))
            c->out[i] = rule_result(L, E, c, i);
        if (E->status < 0)
            return lgl_raise(L);
        lua_pop(L, 1);
    }
    return 0;
}

static int text_of_error(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING)
        luaL_tolstring(L, 1, NULL);
    return 1;
}

/* The failure keeps its status where the error is one of the engine's own: memory that
 * was exhausted is tried again, and an interrupt is one. */
static void fail_as_raised(lg_engine *E, lua_State *L, const char *name, int status)
{
    char last[LGI_MESSAGE];
    strcpy(last, E->message);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
    lg_status kind = E->raised < 0 && strstr(text, last) ? E->raised : LG_ESCRIPT;
    lg_clear(E);
    lgi_fail(E, status == LUA_ERRMEM ? LG_ENOMEM : kind, "the gradient of %s: %s", name,
             text);
}

static lg_status custom_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    const custom_attr *a = n->attr;
    rule_call c = {n, wanted, g, out, E->recording};
    lua_State *L = a->script->thread && E->thread ? E->thread : a->script->thread;
    if (!L)
        return lgi_fail(E, LG_ESTATE, "the gradient of %s: its script was closed",
                        n->op->name);
    if (!lua_checkstack(L, 4))
        return lgi_fail(E, LG_ENOMEM, "out of memory: Lua's stack is full");
    int base = lua_gettop(L);
    E->raised = LG_OK;
    E->recording = true;               /* a rule may ask for gradients itself */
    lua_pushcfunction(L, text_of_error);
    lua_pushcfunction(L, run_rule);
    lua_pushlightuserdata(L, &c);
    int status = lua_pcall(L, 1, 0, base + 1);
    E->recording = c.create_graph;
    if (status != LUA_OK)
        fail_as_raised(E, L, n->op->name, status);
    lua_settop(L, base);
    return E->status;
}

/* kinds: check, and finish */

static int close_custom_script(lua_State *L)
{
    custom_script **box = luaL_checkudata(L, 1, LGL_CUSTOM_SCRIPT);
    custom_script *s = *box;
    *box = NULL;
    if (s) {
        s->thread = NULL;
        drop_script(lgl_engine(L), s);
    }
    return 0;
}

/* The custom_script of this state; made when first asked for. */
static custom_script *script_of(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    lgl_push_core(L);
    if (lua_getfield(L, -1, "custom_script") == LUA_TNIL) {
        lua_State *thread = lua_newthread(L);
        lua_setfield(L, -3, "custom_thread");
        custom_script **box = lgl_push_object(L, LGL_CUSTOM_SCRIPT, sizeof *box);
        *box = lgi_alloc0(E, sizeof **box);
        if (!*box)
            lgl_raise(L);
        **box = (custom_script){.refs = 1, .thread = thread};
        lgi_own(E, &(*box)->owned, destroy_script);
        lua_setfield(L, -3, "custom_script");
        lua_getfield(L, -2, "custom_script");
        lua_remove(L, -2);
    }
    custom_script **box = luaL_checkudata(L, -1, LGL_CUSTOM_SCRIPT);
    lua_pop(L, 2);
    if (!*box)
        luaL_error(L, "the script is being closed");
    return *box;
}

static int close_kind(lua_State *L)
{
    custom_kind **box = luaL_checkudata(L, 1, LGL_KIND);
    custom_kind *k = *box;
    *box = NULL;
    drop_kind(lgl_engine(L), k);
    return 0;
}

static void fill_kind(custom_kind *k, bool reads_results)
{
    static const char *const results[] = {"y", "y1, y2", "y1, y2, y3", "y1, y2, y3, y4"};
    uint32_t all_in = LGI_OUT(0) - 1, all = UINT32_MAX;
    k->refs = 1;
    for (int i = 0; i < LGI_MAX_RESULTS; i++)
        k->op[i] = (lg_op){
            .name = k->name, .args = "x...", .results = results[i],
            .doc = "An operator in Lua.", .shape = custom_shape,
            .forward = custom_forward, .grad = custom_grad,
            .needs = reads_results ? all : all_in, .attr_bytes = sizeof(custom_attr)};
}

/* kind(name, does its rule read the results?) */
static int core_kind(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    const char *name = luaL_checkstring(L, 1);
    custom_kind **box = lgl_push_object(L, LGL_KIND, sizeof *box);
    *box = lgi_alloc0(E, sizeof **box);
    if (!*box)
        return lgl_raise(L);
    snprintf((*box)->name, sizeof (*box)->name, "%s", name);
    fill_kind(*box, lua_toboolean(L, 2));
    lgi_own(E, &(*box)->owned, destroy_kind);
    return 1;
}

/* nodes */

/* The tensors of the list at arg. */
static void read_pointers(lua_State *L, int arg, int n, lg_tensor **to)
{
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, arg, i + 1);
        to[i] = lgl_check_tensor(L, lua_gettop(L));
        lua_pop(L, 1);
    }
}

typedef struct node_call {
    custom_kind *kind;
    int nin, nout;
    lg_tensor **in, **box[LGI_MAX_RESULTS];
    custom_attr attr;
    bool recorded;                     /* the node has taken the reference */
} node_call;

static void apply_custom(lg_engine *E, node_call *c)
{
    lg_tensor *y = lgi_apply(E, &c->kind->op[c->nout - 1], c->nin, c->in, &c->attr);
    lgi_node *n = y ? y->owner->node : NULL;
    for (int k = 0; y && k < c->nout; k++)
        *c->box[k] = lg_retain(&y[k]);
    if (!n)
        return;
    ((custom_attr *)n->attr)->made = NULL;
    n->release = release_custom;
    c->attr.script->refs++;
    c->kind->refs++;
    c->recorded = true;
}

/* node(kind, inputs, results, rule) -> the results, with a history where one is due */
static int core_node(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    custom_kind **kind = luaL_checkudata(L, 1, LGL_KIND);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    luaL_checktype(L, 4, LUA_TFUNCTION);
    node_call c = {.kind = *kind, .nin = (int)lua_rawlen(L, 2),
                   .nout = (int)lua_rawlen(L, 3), .attr = {.script = script_of(L)}};
    luaL_argcheck(L, c.nout >= 1 && c.nout <= LGI_MAX_RESULTS, 3, "one to four results");
    lua_settop(L, 4);
    lgl_safepoint(L);
    for (int k = 0; k < c.nout; k++)
        c.box[k] = lgl_push_box(L);
    lg_tensor *made[LGI_MAX_RESULTS];
    c.in = lua_newuserdatauv(L, (size_t)(c.nin + 1) * sizeof *c.in, 0);
    c.attr.kind = c.kind;
    c.attr.made = made;
    read_pointers(L, 2, c.nin, c.in);  /* twice: nothing may raise when there is a */
    read_pointers(L, 3, c.nout, made); /* reference, and making it may collect */
    lua_pushvalue(L, 4);
    c.attr.rule = luaL_ref(L, LUA_REGISTRYINDEX);
    read_pointers(L, 2, c.nin, c.in);
    read_pointers(L, 3, c.nout, made);
    lgl_pin(c.nin, c.in);
    lgl_pin(c.nout, made);
    LGL_COMPUTE(L, E, apply_custom(E, &c));
    lgl_unpin(c.nout, made);
    lgl_unpin(c.nin, c.in);
    if (!c.recorded)
        luaL_unref(L, LUA_REGISTRYINDEX, c.attr.rule);
    if (E->status < 0)
        return lgl_raise(L);
    lua_settop(L, 4 + c.nout);
    return c.nout;
}

/* calls in another mode */

/* In the engine's list, so that it goes even if a finalizer runs out of memory. */
typedef struct noted_object {
    lgi_owned owned;
    lgi_noted noted;
} noted_object;

static void destroy_noted(lg_engine *E, lgi_owned *o)
{
    noted_object *n = (noted_object *)o;
    lgi_disown(o);
    lgi_free(E, n->noted.at, (size_t)n->noted.cap * sizeof *n->noted.at);
    lgi_free(E, n, sizeof *n);
}

static int close_noted(lua_State *L)
{
    noted_object **box = luaL_checkudata(L, 1, LGL_NOTED), *n = *box;
    *box = NULL;
    for (int64_t i = 0; n && i < n->noted.n; i++)
        lg_release(n->noted.at[i]);
    if (n)
        destroy_noted(lgl_engine(L), &n->owned);
    return 0;
}

static lgi_noted *push_noted(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    noted_object **box = lgl_push_object(L, LGL_NOTED, sizeof *box);
    *box = lgi_alloc0(E, sizeof **box);
    if (!*box)
        lgl_raise(L);
    lgi_own(E, &(*box)->owned, destroy_noted);
    return &(*box)->noted;
}

static void push_noted_list(lua_State *L, const lgi_noted *noted)
{
    lua_createtable(L, (int)noted->n, 0);
    for (int64_t i = 0; i < noted->n; i++) {
        push_held(L, noted->at[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* watched(f, ...) calls f without recording -> the tracked tensors that it read, the
 * vectors of its spectral weights, and what it returned */
static int core_watched(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lgi_noted *noted = push_noted(L), *outer = E->noted, *beside = E->vectors;
    lua_insert(L, 1);
    lgi_noted *vectors = push_noted(L);
    lua_insert(L, 2);
    bool was = E->recording;
    E->recording = false;
    E->noted = noted;
    E->vectors = vectors;
    int status = lua_pcall(L, lua_gettop(L) - 3, LUA_MULTRET, 0);
    E->recording = was;
    E->noted = outer;
    E->vectors = beside;
    if (status != LUA_OK)
        return lua_error(L);
    luaL_checkstack(L, 4, NULL);
    push_noted_list(L, noted);
    lua_replace(L, 1);                         /* the next collection frees the lists */
    push_noted_list(L, vectors);
    lua_replace(L, 2);
    return lua_gettop(L);
}

/* replay(vectors, f, ...) calls f, recording; running statistics stay as they are, and
 * spectral weights get the vectors that watched gave, if it is no nil */
static int core_replay(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int n = lua_istable(L, 1) ? (int)lua_rawlen(L, 1) : 0;
    lg_tensor **at = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *at, 0);
    read_pointers(L, 1, n, at);
    lua_insert(L, 2);
    lgi_noted again = {.at = at, .cap = n}, *outer = E->again;
    bool recording = E->recording, replaying = E->replaying;
    E->recording = true;
    E->replaying = true;
    E->again = n ? &again : NULL;
    int status = lua_pcall(L, lua_gettop(L) - 3, LUA_MULTRET, 0);
    E->recording = recording;
    E->replaying = replaying;
    E->again = outer;
    return status == LUA_OK ? lua_gettop(L) - 2 : lua_error(L);
}

/* firsts(list of tensors) -> is each the first of its kind there? Boxes may differ that
 * have one tensor. */
static int core_firsts(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    int n = (int)lua_rawlen(L, 1);
    lg_tensor **t = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *t, 0);
    lua_createtable(L, n, 0);
    read_pointers(L, 1, n, t);                 /* compared, and never followed */
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (t[k] != t[i])
            k++;
        lua_pushboolean(L, k == i);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int core_recording(lua_State *L)
{
    lua_pushboolean(L, lgl_engine(L)->recording);
    return 1;
}

static void add_closed_type(lua_State *L, const char *type, lua_CFunction gc)
{
    luaL_newmetatable(L, type);
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

void lgl_open_custom(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"kind", core_kind}, {"node", core_node}, {"watched", core_watched},
        {"replay", core_replay}, {"recording", core_recording},
        {"firsts", core_firsts}, {NULL, NULL}};
    add_closed_type(L, LGL_KIND, close_kind);
    add_closed_type(L, LGL_NOTED, close_noted);
    add_closed_type(L, LGL_CUSTOM_SCRIPT, close_custom_script);
    luaL_setfuncs(L, functions, 0);
}
