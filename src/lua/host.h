/* host.h - an engine's own Lua state, for the command and for lugano_lua.h. */
#ifndef LG_LUA_HOST_H
#define LG_LUA_HOST_H
#include "base/engine.h"

#include <lua.h>

lua_State *lgl_script(lg_engine *E);   /* made at the first use; NULL and a failure */

/* Loads text as a function and pushes it, or raises. name is "@file.lua" or "=words". A
 * first line that begins with # is for the shell. */
void lgl_load_text(lua_State *L, const char *text, size_t size, const char *name);
void lgl_load_file(lua_State *L, const char *path);    /* through the engine's table */

#endif
