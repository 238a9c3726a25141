/*
 * prompt.c - what lua/lugano/prompt.lua needs of C: lines, and calls that Ctrl-C stops.
 *
 * Lines come from libedit where it is there and standard input is a terminal. Elsewhere
 * they are plain; and where it is no terminal there is no prompt text.
 */
#include "cli/cli.h"
#include "base/files.h"
#include "lua/glue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef LG_EDIT
#include <editline/readline.h>
enum { MOST_HISTORY = 1000 };          /* lines */
#endif

static bool is_interactive(void) { return isatty(STDIN_FILENO); }

static bool uses_editor(void)
{
#ifdef LG_EDIT
    return is_interactive() && isatty(STDOUT_FILENO);
#else
    return false;
#endif
}

/* history: $XDG_STATE_HOME/lugano/history */

#ifdef LG_EDIT
static bool history_path(char to[1024])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (state && *state == '/')
        n = snprintf(to, 1024, "%s/lugano", state);
    else if (home && *home == '/')
        n = snprintf(to, 1024, "%s/.local/state/lugano", home);
    return n > 0 && n < 1000;
}

static void open_history(lg_engine *E)
{
    char path[1024];
    rl_readline_name = "lugano";
    rl_initialize();
    rl_bind_key('\t', rl_insert);      /* a tab in pasted code asks for no file names */
    using_history();
    stifle_history(MOST_HISTORY);
    if (!history_path(path))
        return;
    if (lgi_make_folder(E, path) < 0)
        lg_clear(E);                   /* a read-only home is no reason to stop */
    strcat(path, "/history");
    read_history(path);
}

static void close_history(void)
{
    char path[1024];
    rl_deprep_terminal();
    if (!history_path(path))
        return;
    strcat(path, "/history");
    write_history(path);
}

static void add_line(const char *line)
{
    HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1)
                                          : NULL;
    if (*line && (!last || strcmp(last->line, line) != 0))
        add_history(line);
}
#endif

/* lines */

static char *plain_line(const char *prompt)
{
    char *line = NULL;
    size_t cap = 0;
    if (is_interactive()) {
        fputs(prompt, stdout);
        fflush(stdout);
    }
    ssize_t n = getline(&line, &cap, stdin);
    if (n < 0) {
        free(line);
        return NULL;
    }
    if (n > 0 && line[n - 1] == '\n')
        line[n - 1] = '\0';
    return line;
}

static char *edited_line(const char *prompt)
{
#ifdef LG_EDIT
    return readline(prompt);
#else
    return plain_line(prompt);
#endif
}

/* read_line(prompt) -> a line, false after Ctrl-C, nil at the end */
static int read_line(lua_State *L)
{
    const char *prompt = luaL_checkstring(L, 1);
    bool stopped, edited = uses_editor();
    char *line = lgi_interruptible_line(edited ? edited_line : plain_line, prompt,
                                        &stopped);
    if (stopped || (!line && is_interactive()))
        putchar('\n');                         /* the next prompt begins a line */
    fflush(stdout);
    if (!line) {
        lua_pushboolean(L, false);
        if (!stopped)
            lua_pushnil(L);
        return 1;
    }
#ifdef LG_EDIT
    if (edited)
        add_line(line);
#endif
    lua_pushstring(L, line);
    free(line);
    return 1;
}

/* guarded(f, ...) -> true and its results, or false and the error's text or ending */
static int guarded(lua_State *L)
{
    int status = lgl_guarded_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    lua_pushboolean(L, status == LUA_OK);
    lua_insert(L, 1);
    return lua_gettop(L);
}

static int was_interrupted(lua_State *L)
{
    lua_pushboolean(L, lgi_was_interrupted());
    return 1;
}

int lgl_prompt(lua_State *L)
{
    static const luaL_Reg functions[] = {{"read_line", read_line}, {"guarded", guarded},
                                         {"was_interrupted", was_interrupted},
                                         {NULL, NULL}};
    lgl_push_core(L);
    luaL_setfuncs(L, functions, 0);
    lua_pushboolean(L, is_interactive());
    lua_setfield(L, -2, "interactive");
    lua_getfield(L, -1, "load");
    lua_pushliteral(L, "prompt");
    lua_call(L, 1, 1);
#ifdef LG_EDIT
    if (uses_editor())
        open_history(lgl_engine(L));
#endif
    lua_call(L, 0, 1);
#ifdef LG_EDIT
    if (uses_editor())
        close_history();
#endif
    return 1;
}
