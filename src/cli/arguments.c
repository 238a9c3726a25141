/*
 * arguments.c - the command line. The command's own options may stand before or after the
 * script; all but --no-strict and --profile reach the script, too, in the global table
 * arg, where lg.options reads them beside the script's own.
 */
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const lgi_usage =
    "usage: lugano                              a prompt\n"
    "       lugano SCRIPT [--option=value ...]  runs a script; lugano SCRIPT --help\n"
    "       lugano -e CODE                      runs CODE; lg is the module\n"
    "       lugano -                            runs standard input\n"
    "       lugano report DIR [DIR ...]         a run's report anew, or runs compared\n"
    "       lugano doctor                       what a bug report should tell\n"
    "       lugano --manual                     every function there is, as Markdown\n"
    "       lugano --stubs                      what an editor's language server reads\n"
    "       lugano --help, lugano --version\n"
    "\n"
    "  --threads=N   threads that compute; results are the same for any number\n"
    "  --seed=N      of all random numbers\n"
    "  --out=DIR     folder of the run\n"
    "  --resume      goes on from the run's last checkpoint\n"
    "  --steps=N     ends the run after N steps in all, to try it out\n"
    "  --tensorboard writes TensorBoard event files into the run's folder, too\n"
    "  --profile     tells at the end which operators the time went to\n"
    "  --no-strict   reading an unset global gives nil, as in plain Lua\n";

enum { MOST_CLI_THREADS = 1024 };

static const char *value_of(const char *word, const char *option)
{
    size_t n = strlen(option);
    return strncmp(word, option, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static bool is_option(const char *word, const char *option)
{
    return strcmp(word, option) == 0;
}

static bool whole_number(const char *text, uint64_t most, uint64_t *to)
{
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)*text))
        return false;
    unsigned long long n = strtoull(text, &end, 10);
    *to = n;
    return *end == '\0' && errno == 0 && n <= most;
}

__attribute__((format(printf, 2, 3)))
static void refuse(lgi_arguments *a, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(a->wrong, sizeof a->wrong, format, ap);
    va_end(ap);
}

/* Those that are no business of the script. */
static bool obey_own_option(lgi_arguments *a, const char *word)
{
    if (is_option(word, "--no-strict"))
        a->strict = false;
    else if (is_option(word, "--profile"))
        a->profile = true;
    else
        return false;
    return true;
}

/* The options that the command itself obeys. False: word is none of them. */
static bool obey_option(lgi_arguments *a, const char *word)
{
    const char *text;
    uint64_t n;
    if (obey_own_option(a, word)) {
        return true;
    } else if ((text = value_of(word, "--threads"))) {
        if (!whole_number(text, MOST_CLI_THREADS, &n))
            refuse(a, "option '--threads' is a whole number from 0, one a core, to %d, "
                   "and '%.40s' is not", MOST_CLI_THREADS, text);
        else
            a->threads = (int)n;
    } else if ((text = value_of(word, "--seed"))) {
        if (!whole_number(text, INT64_MAX, &a->seed))
            refuse(a, "option '--seed' is a whole number from 0, and '%.40s' is not",
                   text);
        a->seeded = true;
    } else {
        return is_option(word, "--resume") || is_option(word, "--tensorboard")
               || value_of(word, "--out") || value_of(word, "--steps");
    }
    return true;
}

static bool obey_task(lgi_arguments *a, const char *word)
{
    static const struct { const char *word; lgi_task task; } tasks[] = {
        {"doctor", LGI_DOCTOR}, {"report", LGI_REPORT},
        {"--manual", LGI_MANUAL}, {"--stubs", LGI_STUBS}, {"--help", LGI_HELP},
        {"-h", LGI_HELP}, {"--version", LGI_VERSION}, {"-v", LGI_VERSION},
        {"-", LGI_STDIN}, {"-e", LGI_CODE}};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        if (is_option(word, tasks[i].word)) {
            a->task = tasks[i].task;
            return true;
        }
    if (word[0] == '-')
        return false;
    a->task = LGI_SCRIPT;
    a->what = word;
    return true;
}

static void refuse_word(lgi_arguments *a, const char *word)
{
    static const char *const valued[] = {"--threads", "--seed", "--out", "--steps"};
    for (size_t i = 0; i < sizeof valued / sizeof *valued; i++)
        if (is_option(word, valued[i])) {
            refuse(a, "option '%s' needs a value: %s=...", word, word);
            return;
        }
    refuse(a, "no option '%.60s'; lugano --help lists them. A script's own options stand "
           "behind the script", word);
}

void lgi_read_arguments(lgi_arguments *a, int argc, char **argv)
{
    int i = 1;
    *a = (lgi_arguments){.strict = true, .argv = argv, .argc = argc, .rest = argc};
    for (; i < argc && a->task == LGI_PROMPT && !*a->wrong; i++)
        if (!obey_option(a, argv[i]) && !obey_task(a, argv[i]))
            refuse_word(a, argv[i]);
    if (a->task == LGI_CODE && !*a->wrong) {
        a->what = i < argc ? argv[i++] : NULL;
        if (!a->what)
            refuse(a, "option '-e' needs code: lugano -e 'print(lg.randn(2, 3))'");
    }
    a->rest = i;
    for (; i < argc && !*a->wrong; i++)
        obey_option(a, argv[i]);
    if (a->profile && a->task == LGI_PROMPT && !*a->wrong)
        refuse(a, "option '--profile' needs a script: lugano --profile SCRIPT");
}

/* arg[0] is the script, and arg[1] .. its words, those before the script among them. */
void lgl_set_arg(lua_State *L, const lgi_arguments *a)
{
    lgi_arguments ignored = {0};
    int n = 0;
    lua_newtable(L);
    lua_pushstring(L, a->task == LGI_SCRIPT ? a->what : a->task == LGI_STDIN ? "-"
                      : a->task == LGI_REPORT ? "report" : "-e");
    lua_rawseti(L, -2, 0);
    lua_pushstring(L, a->argv[0] ? a->argv[0] : "lugano");
    lua_rawseti(L, -2, -1);
    for (int i = 1; i < a->argc; i++)
        if (!obey_own_option(&ignored, a->argv[i])
            && (i >= a->rest || obey_option(&ignored, a->argv[i]))) {
            lua_pushstring(L, a->argv[i]);
            lua_rawseti(L, -2, ++n);
        }
    lua_setglobal(L, "arg");
}
