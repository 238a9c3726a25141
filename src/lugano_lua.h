/*
 * lugano_lua.h - the public C interface for hosts that script.
 *
 * An engine has one Lua state, which is made at the first use, takes its memory from the
 * engine (its limit holds for scripts, too), and is closed with it. An error in a script
 * is a status and a message like any other failure: nothing is printed, and no longjmp
 * reaches the host.
 *
 *     if (lg_run_file(E, "train.lua") != LG_OK)
 *         puts(lg_message(E));        // train.lua:12: matmul: ...
 *     lg_tensor *picture = lg_global(E, "picture");
 */
#ifndef LG_LUA_H
#define LG_LUA_H

#include "lugano.h"

struct lua_State;

#ifdef __cplusplus
extern "C" {
#endif

/* lg_interrupt ends a script at its next operator; a loop without any goes on, until the
 * host's own hook ends it. */

/* Text only, never binary chunks. name stands for the code in messages: "setup.lua". */
LG_API lg_status lg_run_file(lg_engine *E, const char *path);
LG_API lg_status lg_run_string(lg_engine *E, const char *code, const char *name);

/* A tensor that a script left in a global. It belongs to the innermost open scope. */
LG_API lg_tensor *lg_global(lg_engine *E, const char *name);
LG_API lg_status lg_set_global(lg_engine *E, const char *name, lg_tensor *t);

/* The module, for a Lua state of the host's own: luaL_requiref(L, "lugano",
 * luaopen_lugano, 0). It opens an engine, which is closed with the state. */
LG_API int luaopen_lugano(struct lua_State *L);

#ifdef __cplusplus
}
#endif
#endif
