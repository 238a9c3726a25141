/*
 * lua_create.c - new tensors: lg.tensor, lg.zeros, lg.randn, ...
 *
 * The table at the end has every function with its arguments and its text for the manual.
 */
#include "base/memory.h"
#include "base/random.h"
#include "lua/glue.h"

#include <math.h>
#include <stdio.h>
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

/* Whole numbers beyond this are not all there among tensors' numbers. */
static const int64_t exact_whole = (int64_t)1 << (sizeof(lg_real) == 4 ? 24 : 53);

static double check_finite(lua_State *L, int arg, const char *what)
{
    double x = lua_tonumber(L, arg);
    if (lua_type(L, arg) != LUA_TNUMBER)
        lgl_error(L, "%s must be a number, not a %s", what, luaL_typename(L, arg));
    if (!isfinite(x))
        lgl_error(L, "%s must be finite, and is %f", what, x);
    return x;
}

static int64_t check_between(lua_State *L, int arg, const char *what, int64_t least,
                             int64_t most)
{
    double x = lua_tonumber(L, arg);
    if (lua_type(L, arg) != LUA_TNUMBER)
        lgl_error(L, "%s must be a whole number, not a %s", what, luaL_typename(L, arg));
    if (!(x == floor(x) && x >= (double)least && x <= (double)most))
        lgl_error(L, "%s must be a whole number from %I to %I, and is %f", what,
                  (LUAI_UACINT)least, (LUAI_UACINT)most, x);
    return (int64_t)x;
}

/* What the functions below make: numbers that a rule gives from their places. */
typedef struct made_numbers {
    int ndim;
    int64_t dim[LG_MAX_DIM];
    double first, step, last;
} made_numbers;

typedef void number_rule(lg_engine *E, const made_numbers *m, lg_tensor *t);

static void make_numbers(lg_engine *E, const made_numbers *m, number_rule *rule,
                         lg_tensor **box)
{
    lg_tensor *t = lgi_make(E, m->ndim, m->dim);
    if (t)
        rule(E, m, t);
    *box = E->status < 0 ? NULL : lg_retain(t);
}

static int push_numbers(lua_State *L, const made_numbers *m, number_rule *rule)
{
    lg_engine *E = lgl_engine(L);
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    uint64_t drawn = E->drawn;
    LGL_COMPUTE(L, E, (E->drawn = drawn, make_numbers(E, m, rule, box)));
    return E->status < 0 ? lgl_raise(L) : 1;
}

/* A block of random bits for each number, and none that another draw has: blocks have
 * four of the stream's numbers. */
static void fill_randint(lg_engine *E, const made_numbers *m, lg_tensor *t)
{
    lgi_stream s = lgi_script_stream(E);
    uint64_t block = (lgi_draw(E, 4 * t->numel + 3) + 3) / 4;
    uint64_t span = (uint64_t)(m->last - m->first) + 1;
    for (int64_t i = 0; i < t->numel; i++)
        t->data[i] = (lg_real)(m->first
                               + (double)lgi_below(s, block + (uint64_t)i, span));
}

static int module_randint(lua_State *L)
{
    made_numbers m = {.ndim = 0};
    m.first = (double)check_between(L, 1, "randint: low", -exact_whole, exact_whole);
    m.last = (double)check_between(L, 2, "randint: high", -exact_whole, exact_whole);
    if (m.first > m.last)
        return lgl_error(L, "randint: low is %f and high is %f; both count, and low must "
                         "not be above high", m.first, m.last);
    m.ndim = lgl_check_dims(L, 3, m.dim);
    return push_numbers(L, &m, fill_randint);
}

/* The order is that of a stream of its own, named by the draws so far. */
static void fill_randperm(lg_engine *E, const made_numbers *m, lg_tensor *t)
{
    char name[48];
    size_t bytes = (size_t)t->numel * sizeof(int64_t);
    int64_t *order = lgi_alloc(E, bytes ? bytes : 1);
    if (!order)
        return;
    snprintf(name, sizeof name, "randperm:%llu", (unsigned long long)lgi_draw(E, 1));
    lgi_permutation(lgi_named_stream(E, name), t->numel, order);
    for (int64_t i = 0; i < t->numel; i++)
        t->data[i] = (lg_real)(order[i] + 1);
    lgi_free(E, order, bytes ? bytes : 1);
}

static int module_randperm(lua_State *L)
{
    made_numbers m = {.ndim = 1};
    m.dim[0] = check_between(L, 1, "randperm: n", 0, exact_whole);
    return push_numbers(L, &m, fill_randperm);
}

static void fill_steps(lg_engine *E, const made_numbers *m, lg_tensor *t)
{
    (void)E;
    for (int64_t i = 0; i < t->numel; i++)
        t->data[i] = (lg_real)(m->first + (double)i * m->step);
}

static int module_arange(lua_State *L)
{
    bool alone = lua_gettop(L) < 2;
    made_numbers m = {.ndim = 1, .first = 1, .step = 1};
    m.last = check_finite(L, alone ? 1 : 2, alone ? "arange: n" : "arange: last");
    if (!alone)
        m.first = check_finite(L, 1, "arange: first");
    if (!lua_isnoneornil(L, 3))
        m.step = check_finite(L, 3, "arange: step");
    if (m.step == 0)
        return lgl_error(L, "arange: step is 0; it leads from %f to %f by no number of "
                         "steps", m.first, m.last);
    double steps = (m.last - m.first) / m.step;
    steps = floor(steps + 1e-9 * (1 + fabs(steps)));   /* (0.3 - 0) / 0.1 is 2.99... */
    if (steps > (double)LGI_MAX_NUMEL)
        return lgl_error(L, "arange: %f to %f by %f is more than 2^40 numbers", m.first,
                         m.last, m.step);
    m.dim[0] = steps < 0 ? 0 : (int64_t)steps + 1;
    return push_numbers(L, &m, fill_steps);
}

/* From both ends, so that both are exact. */
static void fill_linspace(lg_engine *E, const made_numbers *m, lg_tensor *t)
{
    int64_t n = t->numel;
    (void)E;
    for (int64_t i = 0; i < n; i++)
        t->data[i] = (lg_real)(i < (n + 1) / 2 ? m->first + (double)i * m->step
                                               : m->last - (double)(n - 1 - i) * m->step);
}

static int module_linspace(lua_State *L)
{
    made_numbers m = {.ndim = 1};
    m.first = check_finite(L, 1, "linspace: first");
    m.last = check_finite(L, 2, "linspace: last");
    m.dim[0] = check_between(L, 3, "linspace: n", 0, LGI_MAX_NUMEL);
    m.step = m.dim[0] > 1 ? (m.last - m.first) / (double)(m.dim[0] - 1) : 0;
    return push_numbers(L, &m, fill_linspace);
}

static void fill_eye(lg_engine *E, const made_numbers *m, lg_tensor *t)
{
    (void)E, (void)m;
    if (t->numel)
        memset(t->data, 0, (size_t)t->numel * sizeof *t->data);
    for (int64_t i = 0; i < t->dim[0] && i < t->dim[1]; i++)
        t->data[i * t->dim[1] + i] = 1;
}

static int module_eye(lua_State *L)
{
    made_numbers m = {.ndim = 2};
    m.dim[0] = check_between(L, 1, "eye: n", 0, LGI_MAX_NUMEL);
    m.dim[1] = m.dim[0];
    if (!lua_isnoneornil(L, 2))
        m.dim[1] = check_between(L, 2, "eye: m", 0, LGI_MAX_NUMEL);
    return push_numbers(L, &m, fill_eye);
}

static void make_one_hot(lua_State *L, lg_engine *E, int64_t classes, lg_tensor **box)
{
    const lg_tensor *labels = lgl_unboxed(L, E, 1);
    int64_t dim[LG_MAX_DIM + 1];
    if (!labels)
        return;
    for (int64_t i = 0; i < labels->numel; i++) {
        double v = (double)labels->data[i];
        if (!(v == floor(v) && v >= 1 && v <= (double)classes)) {
            lgi_fail(E, LG_EARG, "one_hot: labels has %.9g as its number %lld, and must "
                     "have whole numbers from 1 to %lld; a set's labels_from(1) makes "
                     "them so", v, (long long)i + 1,
                     (long long)classes);
            return;
        }
    }
    memcpy(dim, labels->dim, (size_t)labels->ndim * sizeof *dim);
    dim[labels->ndim] = classes;
    lg_tensor *t = lg_zeros(E, labels->ndim + 1, dim);
    for (int64_t i = 0; t && i < labels->numel; i++)
        t->data[i * classes + (int64_t)labels->data[i] - 1] = 1;
    *box = lg_retain(t);
}

static int module_one_hot(lua_State *L)
{
    lg_engine *E = lgl_engine(L);
    if (!lgl_is_tensor(L, 1))
        return lgl_error(L, "one_hot: labels must be a tensor, not a %s",
                         luaL_typename(L, 1));
    int64_t classes = check_between(L, 2, "one_hot: classes", 0, LGI_MAX_NUMEL);
    lgl_safepoint(L);
    lg_tensor **box = lgl_push_box(L);
    LGL_COMPUTE(L, E, make_one_hot(L, E, classes, box));
    return E->status < 0 ? lgl_raise(L) : 1;
}

/* For the manual and for editors: name, arguments, what it makes. */
static const struct creation {
    const char *name, *args, *doc;
    lua_CFunction make;
} creations[] = {
    {"tensor", "numbers", "A number, or nested tables of numbers, as a tensor.",
     module_tensor},
    {"zeros", "dims...", "Zeros. dims are numbers or a table, as for all of these.",
     module_zeros},
    {"ones", "dims...", "Ones.", module_ones},
    {"full", "dims, value", "A table of sizes filled with value.", module_full},
    {"rand", "dims...", "Random numbers, uniform from 0 up to but not 1.", module_rand},
    {"randn", "dims...", "Random numbers, normal with mean 0 and variance 1.",
     module_randn},
    {"randint", "low, high, dims...",
     "Random whole numbers from low to high. Both count: randint(1, 10, 64) has 64 "
     "labels of 10 classes.", module_randint},
    {"randperm", "n", "The whole numbers 1 .. n in a random order: {n}.",
     module_randperm},
    {"arange", "first, last, step = 1",
     "The numbers first, first + step, ... up to last, which counts; arange(n) is "
     "1 .. n. Rounding is forgiven: arange(0, 0.3, 0.1) has four numbers.",
     module_arange},
    {"linspace", "first, last, n",
     "n numbers at equal steps from first to last, both of them exact; of one, first.",
     module_linspace},
    {"eye", "n, m = n", "The unit matrix: {n,m} with ones on the diagonal, else zeros.",
     module_eye},
    {"one_hot", "labels, classes",
     "For each label, a whole number from 1 to classes, a one at its place among zeros: "
     "the shape of labels with classes as one more axis.", module_one_hot},
    {"zeros_like", "x", "Zeros of the shape of x.", module_zeros_like},
    {"ones_like", "x", "Ones of the shape of x.", module_ones_like},
    {"randn_like", "x", "Normal random numbers of the shape of x.", module_randn_like},
};

/* core.creations(): the table as data. */
static int core_creations(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0; i < sizeof creations / sizeof *creations; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, creations[i].name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, creations[i].args);
        lua_setfield(L, -2, "args");
        lua_pushstring(L, creations[i].doc);
        lua_setfield(L, -2, "doc");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

void lgl_open_create(lua_State *L)
{
    lua_pushcfunction(L, core_creations);
    lua_setfield(L, -2, "creations");
    lua_getfield(L, -1, "lg");
    for (size_t i = 0; i < sizeof creations / sizeof *creations; i++) {
        lua_pushcfunction(L, creations[i].make);
        lua_setfield(L, -2, creations[i].name);
    }
    lua_pop(L, 1);
}
