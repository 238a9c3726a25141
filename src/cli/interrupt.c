/*
 * interrupt.c - Ctrl-C, and calls that it may stop.
 *
 * The handler sets flags, and arms a hook on the Lua state that runs, so that a loop that
 * calls nothing of ours stops, too; a hook that were always there would halve its speed.
 * Every step of the program then raises until the guarded call has returned: a script
 * cannot swallow Ctrl-C with pcall. Signals are the process's, so the state here is, too.
 */
#include "cli/cli.h"
#include "lua/glue.h"

#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

static lg_engine *watched;
static lua_State *volatile outer_state, *volatile running_state;
static volatile sig_atomic_t halting, reading, interrupted, lasting;
static sigjmp_buf line_jump;

static void halt_hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    if (!halting)
        lua_sethook(L, NULL, 0, 0);            /* left over in a coroutine */
    else
        lgl_error(L, "interrupted");
}

/* Counting alone: a hook on calls would stop the report of the error as well. */
static void arm(lua_State *L)
{
    lua_sethook(L, halt_hook, LUA_MASKCOUNT, 1);
}

static void on_interrupt(int signal)
{
    (void)signal;
    if (reading)
        siglongjmp(line_jump, 1);
    if (!outer_state)
        return;
    if (watched->graceful && !atomic_load(&watched->stop_asked)) {
        atomic_store(&watched->stop_asked, 1);
    } else if (!halting) {
        halting = 1;
        lg_interrupt(watched);
        arm(outer_state);
        arm(running_state);
    } else if (!lasting) {
        _exit(LGI_EXIT_INTERRUPTED);           /* stuck where no hook reaches */
    }
}

/* prompt: one, which no Ctrl-C ends. NULL: the signals' own meanings again. */
void lgi_watch_signals(lg_engine *E, bool prompt)
{
    struct sigaction stop = {.sa_handler = E ? on_interrupt : SIG_DFL};
    struct sigaction quiet = {.sa_handler = SIG_DFL};
    watched = E;
    lasting = prompt;
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, prompt ? &quiet : &stop, NULL);     /* timeout, a scheduler */
    sigaction(SIGPIPE, &quiet, NULL);          /* lugano ... | head ends quietly */
}

bool lgi_was_interrupted(void) { return interrupted; }

int lgl_guarded_call(lua_State *L, int nargs, int nresults)
{
    int handler = lua_gettop(L) - nargs;
    lua_pushcfunction(L, lgl_report);
    lua_insert(L, handler);
    interrupted = halting = 0;
    running_state = L;
    outer_state = L;
    int status = lua_pcall(L, nargs, nresults, handler);
    outer_state = NULL;
    interrupted = halting != 0;
    if (halting) {
        lua_sethook(L, NULL, 0, 0);
        halting = 0;
        atomic_store(&watched->interrupt, 0);
    }
    lua_remove(L, handler);
    return status;
}

/* coroutines: a hook acts on one of them, so the handler must know which runs */

/* Calls the original, the first upvalue, while co is the one that runs. */
static int call_within(lua_State *L, lua_State *co)
{
    lua_State *before = running_state;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    running_state = co;
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    running_state = before;
    if (halting)
        arm(L);
    return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

static int resume_coroutine(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    return call_within(L, co ? co : L);
}

static int resume_wrapped(lua_State *L)
{
    return call_within(L, lua_tothread(L, lua_upvalueindex(2)));
}

static int wrap_coroutine(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    if (!lua_getupvalue(L, -1, 1) || !lua_isthread(L, -1))     /* the thread it wraps */
        return luaL_error(L, "this Lua wraps coroutines in a way of its own");
    lua_pushcclosure(L, resume_wrapped, 2);
    return 1;
}

static void replace_function(lua_State *L, const char *name, lua_CFunction f)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, f, 1);
    lua_setfield(L, -2, name);
}

void lgl_open_coroutines(lua_State *L)
{
    lua_getglobal(L, "coroutine");
    replace_function(L, "resume", resume_coroutine);
    replace_function(L, "wrap", wrap_coroutine);
    lua_pop(L, 1);
}

/* Reads a line with get, which Ctrl-C leaves by a jump: libedit would go on reading. */
char *lgi_interruptible_line(char *(*get)(const char *), const char *prompt,
                             bool *stopped)
{
    *stopped = true;
    if (sigsetjmp(line_jump, 1)) {
        reading = 0;
        return NULL;
    }
    reading = 1;
    char *line = get(prompt);
    reading = 0;
    *stopped = false;
    return line;
}
