/*
 * terminal.c - what standard output is: its width, its colors, and how it shows pictures.
 *
 * The environment alone is asked. NO_COLOR (no-color.org) and TERM=dumb mean: no escape
 * codes; LUGANO_IMAGE names a protocol, for terminals that are not known here.
 */
#include "cli/cli.h"
#include "lua/glue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const picture_names[] = {"off", "ascii", "half", "kitty", "iterm"};

const char *lgi_picture_name(lgi_picture p) { return picture_names[p]; }

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static bool variable_has(const char *name, const char *part)
{
    return strstr(variable(name), part) != NULL;
}

static bool is_kitty(void)
{
    return *variable("KITTY_WINDOW_ID") || variable_has("TERM", "kitty")
           || variable_has("TERM", "ghostty") || variable_has("TERM_PROGRAM", "ghostty");
}

static bool is_iterm(void)
{
    return variable_has("TERM_PROGRAM", "iTerm")
           || variable_has("TERM_PROGRAM", "WezTerm")
           || variable_has("LC_TERMINAL", "iTerm2");
}

/* tmux and screen pass no pictures on, whatever they run in. */
static lgi_picture best_picture(void)
{
    bool within = *variable("TMUX") || variable_has("TERM", "screen")
                  || variable_has("TERM", "tmux");
    if (!within && is_kitty())
        return LGI_KITTY;
    return !within && is_iterm() ? LGI_ITERM : LGI_HALF;
}

static bool has_colors24(void)
{
    return variable_has("COLORTERM", "truecolor") || variable_has("COLORTERM", "24bit")
           || variable_has("TERM", "direct") || is_kitty() || is_iterm();
}

lgi_terminal lgi_find_terminal(void)
{
    const char *term = variable("TERM"), *wish = variable("LUGANO_IMAGE");
    lgi_terminal t = {.there = isatty(STDOUT_FILENO) && !*variable("NO_COLOR") && *term
                               && strcmp(term, "dumb") != 0};
    t.colors24 = has_colors24();
    t.picture = t.there ? best_picture() : LGI_OFF;
    for (size_t i = 0; i < sizeof picture_names / sizeof *picture_names; i++)
        if (strcmp(wish, picture_names[i]) == 0)
            t.picture = (lgi_picture)i;
    return t;
}

int lgi_terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    int columns = atoi(variable("COLUMNS"));
    return columns > 0 ? columns : 80;
}

static int columns(lua_State *L)
{
    lua_pushinteger(L, lgi_terminal_columns());
    return 1;
}

/* show_picture(bytes, width, height, channels) -> whether it was shown */
static int show_picture(lua_State *L)
{
    size_t size;
    lg_engine *E = lgl_engine(L);
    const char *bytes = luaL_checklstring(L, 1, &size);
    lua_Integer w = luaL_checkinteger(L, 2), h = luaL_checkinteger(L, 3);
    lua_Integer channels = luaL_optinteger(L, 4, 1);
    lgi_terminal t = lgi_find_terminal();
    if (w < 1 || h < 1 || w > 1 << 14 || h > 1 << 14 || (channels != 1 && channels != 3)
        || size != (size_t)(w * h * channels))
        return lgl_error(L, "show_picture: %I bytes are no picture of %I x %I x %I",
                         (LUAI_UACINT)size, (LUAI_UACINT)w, (LUAI_UACINT)h,
                         (LUAI_UACINT)channels);
    if (t.picture != LGI_OFF)
        lgi_print_picture(E, &t, (const unsigned char *)bytes, (int)w, (int)h,
                          (int)channels);
    if (E->status < 0)
        return lgl_raise(L);
    lua_pushboolean(L, t.picture != LGI_OFF);
    return 1;
}

/* core.terminal stays nil where no escape codes may be written. */
void lgl_open_terminal(lua_State *L)
{
    static const luaL_Reg functions[] = {{"columns", columns},
                                         {"show_picture", show_picture}, {NULL, NULL}};
    lgi_terminal t = lgi_find_terminal();
    lgl_push_core(L);
    luaL_setfuncs(L, functions, 0);
    if (t.there) {
        lua_createtable(L, 0, 3);
        lua_pushboolean(L, true);
        lua_setfield(L, -2, "color");
        lua_pushinteger(L, lgi_terminal_columns());
        lua_setfield(L, -2, "width");
        lua_pushstring(L, lgi_picture_name(t.picture));
        lua_setfield(L, -2, "image");
        lua_setfield(L, -2, "terminal");
    }
    lua_pop(L, 1);
}
