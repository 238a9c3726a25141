/* cli.h - what the files of the command share. */
#ifndef LG_CLI_CLI_H
#define LG_CLI_CLI_H
#include "base/engine.h"

#include <lua.h>

enum { LGI_EXIT_ERROR = 1, LGI_EXIT_INTERRUPTED = 130 };

/* arguments.c - the command line */
typedef enum lgi_task {
    LGI_PROMPT, LGI_SCRIPT, LGI_CODE, LGI_STDIN, LGI_DOCTOR, LGI_REPORT, LGI_MANUAL,
    LGI_STUBS, LGI_HELP, LGI_VERSION
} lgi_task;

typedef struct lgi_arguments {
    lgi_task task;
    const char *what;                  /* the script's path, or the code */
    int threads;                       /* 0: one a core */
    bool strict, seeded, profile;
    uint64_t seed;
    int rest;                          /* argv[rest] is the first of the script's own */
    char **argv;
    int argc;
    char wrong[256];                   /* what is wrong with them; "" if nothing is */
} lgi_arguments;

void lgi_read_arguments(lgi_arguments *a, int argc, char **argv);
void lgl_set_arg(lua_State *L, const lgi_arguments *a);        /* the global table arg */
extern const char *const lgi_usage;

/* interrupt.c - Ctrl-C, and calls that it may stop */
void lgi_watch_signals(lg_engine *E, bool prompt);     /* NULL: no longer */
int lgl_guarded_call(lua_State *L, int nargs, int nresults);   /* as lua_pcall; errors
                                          become text: the message, the script's frames */
void lgl_open_coroutines(lua_State *L);        /* so that Ctrl-C finds what runs */
bool lgi_was_interrupted(void);                /* was the latest guarded call? */
char *lgi_interruptible_line(char *(*get)(const char *), const char *prompt,
                             bool *stopped);

/* report.c - errors as the user reads them */
int lgl_report(lua_State *L);                  /* a message handler */

/* terminal.c, picture.c */
typedef enum lgi_picture {
    LGI_OFF, LGI_ASCII, LGI_HALF, LGI_KITTY, LGI_ITERM
} lgi_picture;

typedef struct lgi_terminal {
    bool there;                        /* may escape codes be written? */
    bool colors24;                     /* 24-bit colors, else 256 */
    lgi_picture picture;
} lgi_terminal;

lgi_terminal lgi_find_terminal(void);
int lgi_terminal_columns(void);
const char *lgi_picture_name(lgi_picture p);
void lgl_open_terminal(lua_State *L);          /* core.terminal, columns, show_picture */

/* Writes h,w,channels bytes to standard output. */
lg_status lgi_print_picture(lg_engine *E, const lgi_terminal *t,
                            const unsigned char *pixels, int width, int height,
                            int channels);

/* doctor.c */
void lgl_open_doctor(lua_State *L);            /* core.machine() */

/* prompt.c */
int lgl_prompt(lua_State *L);                  /* the exit status */

#endif
