/*
 * glue.h - what the Lua side needs to hold the core's objects safely.
 *
 * Every C function that Lua calls has three phases, in this order:
 *
 *   check     read and check arguments, make empty boxes, lgl_safepoint. May raise.
 *   compute   call the core inside a scope. Never raises, so it may hold raw pointers.
 *   finish    close the scope; then return, or raise with nothing in hand.
 *
 * A raise is a longjmp, so one in the middle phase would leak. LGL_COMPUTE runs the
 * middle phase, and once more after a full collection if memory was exhausted:
 *
 *     LGL_COMPUTE(L, E, *box = lg_retain(lgi_apply1(E, op, x, NULL)));
 *     return E->status < 0 ? lgl_raise(L) : 1;
 */
#ifndef LG_LUA_GLUE_H
#define LG_LUA_GLUE_H
#include "op/op.h"

#include <lauxlib.h>
#include <lua.h>

#define LGL_TENSOR "lugano.tensor"

/* The bytes of our own Lua files: lua_files.c, made by CMake. */
typedef struct lgl_file {
    const char *name;                  /* "nn" for lua/lugano/nn.lua */
    const unsigned char *bytes;
    size_t size;
} lgl_file;
extern const lgl_file lgl_files[];     /* NULL ends */

lg_engine *lgl_engine(lua_State *L);   /* of this Lua state */
lg_engine *const *lgl_engine_place(lua_State *L);      /* where it is as long as the state
                                                          lives; NULL is there: closed */
void lgl_use_engine(lua_State *L, lg_engine *E);   /* a host's: before luaopen_lugano */
void lgl_push_core(lua_State *L);      /* the table core, after luaopen_lugano; or nil */

#define LGL_COMPUTE(L, E, expression)                                          \
    for (int lgl_try_ = 0; lgl_try_ == 0 || lgl_again(L, E, lgl_try_); lgl_try_++) { \
        int lgl_scope_ = lg_open_scope(E);                                     \
        void *lgl_outer_ = (E)->thread;                                        \
        (E)->thread = (L);             /* where a gradient rule may call Lua */  \
        (void)(expression);                                                    \
        (E)->thread = lgl_outer_;                                              \
        lg_close_scope(E, lgl_scope_);                                         \
    }
bool lgl_again(lua_State *L, lg_engine *E, int tries);

/* check: these may raise */
void lgl_safepoint(lua_State *L);              /* tells the collector of new bytes */
void lgl_charge(lua_State *L, lg_engine *E);   /* the same, with the engine at hand */
lg_tensor **lgl_push_box(lua_State *L);        /* pushes an empty tensor */
void *lgl_push_object(lua_State *L, const char *type, size_t size);    /* cleared */
lg_tensor *lgl_check_tensor(lua_State *L, int arg);          /* borrowed from the box */
lg_tensor *lgl_opt_tensor(lua_State *L, int arg);            /* NULL: none and nil */
bool lgl_is_tensor(lua_State *L, int arg);
/* Sizes, as numbers to the last argument or in a table; returns how many. */
int lgl_check_dims(lua_State *L, int arg, int64_t dim[LG_MAX_DIM]);
/* Attributes from arguments first .. last, by position or in a table by name; those that
 * are not there have their defaults, or stay as they are: it gives a bit for each that is
 * there. */
void lgl_check_attrs(lua_State *L, int first, int last, const char *who,
                     const lgi_signature *s, void *attrs);
uint32_t lgl_read_attrs(lua_State *L, int first, int last, const char *who,
                        const lgi_signature *s, void *attrs);
void lgl_push_options(lua_State *L, const lgi_signature *s);  /* as data: lua_layer.c */
lua_Integer lgl_check_whole(lua_State *L, int arg, lua_Integer least, lua_Integer most);

/* A type of userdata. Its methods are core[field], too: Lua files add to them. The core
 * module is on top of the stack. */
void lgl_add_type(lua_State *L, const char *type, const char *field, lua_CFunction gc,
                  const luaL_Reg *methods);

/* compute
 *
 * A collection runs finalizers, and a script's may close any tensor: so a raw pointer
 * lives to the next call that may allocate, LGL_COMPUTE's second try included. Fetch it
 * within the expression (lgl_unboxed), or pin it between check and finish. */
void lgl_pin(int64_t n, lg_tensor *const *t);          /* retains those that are there */
void lgl_unpin(int64_t n, lg_tensor *const *t);
lg_tensor *lgl_unboxed(lua_State *L, lg_engine *E, int arg); /* fails if closed */

/* finish */
int lgl_raise(lua_State *L);                   /* the engine's failure, with the script's
                                                  line before it; clears it; no return */
void lgl_push_failure(lua_State *L);           /* its message alone, pushed */
int lgl_error(lua_State *L, const char *format, ...);        /* another, the same way */
void lgl_where(lua_State *L);                  /* pushes "script.lua:12: ", or "" */

/*
 * Each adds its functions to the table on top of the stack, the core module: what users
 * call goes into its field lg, the public module, and what our Lua files use into itself.
 * A file lua/lugano/NAME.lua is a chunk that gets core as its argument; core.load(name)
 * gives what it returns, and runs it once. lua/lugano/init.lua makes lg complete.
 */
void lgl_open_tensor(lua_State *L);            /* lua_tensor.c: tensors, their methods */
void lgl_open_create(lua_State *L);            /* lua_create.c: zeros, randn, ... */
void lgl_open_op(lua_State *L);                /* lua_op.c: every operator */
void lgl_open_grad(lua_State *L);              /* lua_grad.c: grad, no_grad */
void lgl_open_custom(lua_State *L);            /* lua_custom.c: operators in Lua */
void lgl_open_layer(lua_State *L);             /* lua_layer.c: every layer */
void lgl_open_optim(lua_State *L);             /* lua_optim.c: every optimizer */
void lgl_open_data(lua_State *L);              /* lua_data.c: pictures, weights */
void lgl_open_dataset(lua_State *L);           /* lua_dataset.c: data sets, batches */
void lgl_open_system(lua_State *L);            /* lua_system.c: files, clock, doctor */

#endif
