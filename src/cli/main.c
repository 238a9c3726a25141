/* main.c - the command lugano: what is to be done, and with which exit status. */
#include "cli/cli.h"
#include "lua/glue.h"
#include "lua/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the tasks that one of our own Lua files does: its name; or NULL. */
static const char *task_file(lgi_task task)
{
    switch (task) {
    case LGI_DOCTOR: return "doctor";
    case LGI_REPORT: return "report_command";
    case LGI_MANUAL: return "manual";
    case LGI_STUBS: return "stubs";
    default: return NULL;
    }
}

/* Opens what the command adds to core, and makes globals strict. */
static int open_command(lua_State *L)
{
    const lgi_arguments *a = lua_touserdata(L, 1);
    lgl_open_coroutines(L);
    lgl_push_core(L);
    int core = lua_gettop(L);
    lua_pushboolean(L, true);
    lua_setfield(L, core, "command");
    lgl_open_terminal(L);
    lgl_set_arg(L, a);
    if (a->task == LGI_CODE || a->task == LGI_PROMPT) {
        lua_getfield(L, core, "lg");
        lua_setglobal(L, "lg");
    }
    if (a->task == LGI_DOCTOR)
        lgl_open_doctor(L);
    if (a->strict && !task_file(a->task)) {
        lua_getfield(L, core, "load");
        lua_pushliteral(L, "strict");
        lua_call(L, 1, 1);
        lua_pushstring(L, a->task == LGI_SCRIPT ? a->what : "");
        lua_call(L, 1, 0);
    }
    return 0;
}

/* Standard input to its end, as a string. */
static void push_input(lua_State *L)
{
    luaL_Buffer b;
    size_t n;
    luaL_buffinit(L, &b);
    do {
        n = fread(luaL_prepbuffer(&b), 1, LUAL_BUFFERSIZE, stdin);
        luaL_addsize(&b, n);
    } while (n > 0);
    luaL_pushresult(&b);
}

/* Pushes the function to be called: the script, or one of our own Lua files. */
static void load_task(lua_State *L, const lgi_arguments *a)
{
    size_t n;
    const char *text;
    switch (a->task) {
    case LGI_SCRIPT:
        lgl_load_file(L, a->what);
        return;
    case LGI_CODE:
        lgl_load_text(L, a->what, strlen(a->what), "=-e");
        return;
    case LGI_STDIN:
        push_input(L);
        text = lua_tolstring(L, -1, &n);
        lgl_load_text(L, text, n, "=stdin");
        return;
    default:
        lgl_push_core(L);
        lua_getfield(L, -1, "load");
        lua_pushstring(L, task_file(a->task));
        lua_call(L, 1, 1);
    }
}

static int prepare(lua_State *L)               /* arguments -> a function */
{
    const lgi_arguments *a = lua_touserdata(L, 1);
    lua_pushcfunction(L, open_command);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 0);
    if (a->task == LGI_PROMPT)
        lua_pushcfunction(L, lgl_prompt);
    else
        load_task(L, a);
    return 1;
}

/* The exit status that a failed call stands for: an ending brings its own. */
static int status_of_failure(lua_State *L)
{
    int status = lgi_was_interrupted() ? LGI_EXIT_INTERRUPTED : LGI_EXIT_ERROR;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    if (lua_istable(L, -1)) {
        lua_pushliteral(L, "status");
        lua_rawget(L, -2);
        status = (int)lua_tointeger(L, -1);
        lua_pop(L, 1);
        lua_pushliteral(L, "message");
        lua_rawget(L, -2);
        if (status != 0)
            text = lua_tostring(L, -1);
    } else if (!text) {
        text = "an error that is no text";
    }
    fflush(stdout);
    if (text)
        fprintf(stderr, "lugano: %s\n", text);
    return status;
}

/* What our Lua files still have to do after a script: a run shows its last picture. */
static int leave_script(lua_State *L)
{
    lgl_push_core(L);
    if (lua_getfield(L, -1, "at_exit") != LUA_TTABLE)
        return 0;
    for (lua_Integer i = 1; lua_geti(L, -1, i) == LUA_TFUNCTION; i++)
        lua_call(L, 0, 0);
    return 0;
}

static int run_script(lua_State *L)            /* the function on the stack */
{
    int failed = lgl_guarded_call(L, 0, 0);
    if (!failed) {
        lua_pushcfunction(L, leave_script);
        failed = lgl_guarded_call(L, 0, 0);
    }
    return failed ? status_of_failure(L) : EXIT_SUCCESS;
}

/* core.load "profile".name(), guarded: Ctrl-C ends it, too. */
static int call_profile(lua_State *L, const char *name)
{
    lgl_push_core(L);
    lua_getfield(L, -1, "load");
    lua_pushliteral(L, "profile");
    if (lgl_guarded_call(L, 1, 1))
        return status_of_failure(L);
    lua_getfield(L, -1, name);
    return lgl_guarded_call(L, 0, 0) ? status_of_failure(L) : EXIT_SUCCESS;
}

static int run_profiled(lua_State *L)          /* the function on the stack */
{
    int function = lua_gettop(L), status = call_profile(L, "begin");
    lua_settop(L, function);
    if (status == EXIT_SUCCESS)
        status = run_script(L);
    int told = call_profile(L, "finish");
    return status ? status : told;
}

static int run_task(lg_engine *E, lua_State *L, lgi_arguments *a)
{
    lua_pushcfunction(L, lgl_report);
    lua_pushcfunction(L, prepare);
    lua_pushlightuserdata(L, a);
    if (lua_pcall(L, 1, 1, 1) != LUA_OK)
        return status_of_failure(L);
    lgi_watch_signals(E, a->task == LGI_PROMPT);
    if (a->task != LGI_PROMPT)
        return a->profile ? run_profiled(L) : run_script(L);
    if (lua_pcall(L, 0, 1, 1) != LUA_OK)
        return status_of_failure(L);
    return (int)lua_tointeger(L, -1);
}

static int run_command(lgi_arguments *a)
{
    lg_config config = LG_CONFIG_INIT;
    lg_engine *E;
    config.threads = a->threads;
    config.blas = true;
    if (lg_open(&E, &config) != LG_OK) {
        fputs("lugano: out of memory\n", stderr);
        return LGI_EXIT_ERROR;
    }
    if (a->seeded)
        lg_seed(E, a->seed);
    lua_State *L = lgl_script(E);
    int status = LGI_EXIT_ERROR;
    if (L)
        status = run_task(E, L, a);
    else
        fprintf(stderr, "lugano: %s\n", lg_message(E));
    lgi_watch_signals(NULL, false);
    lg_close(E);
    return status;
}

/* What was printed must have arrived: a full disk is an error here, too. */
static int checked_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "lugano: cannot write standard output: %s\n", strerror(errno));
    return status ? status : LGI_EXIT_ERROR;
}

int main(int argc, char **argv)
{
    lgi_arguments a;
    lgi_read_arguments(&a, argc, argv);
    if (*a.wrong) {
        fprintf(stderr, "lugano: %s\n", a.wrong);
        return LGI_EXIT_ERROR;
    }
    if (a.task == LGI_HELP)
        fputs(lgi_usage, stdout);
    else if (a.task == LGI_VERSION)
        printf("lugano %s\n", lg_version());
    else
        return checked_output(run_command(&a));
    return checked_output(EXIT_SUCCESS);
}
