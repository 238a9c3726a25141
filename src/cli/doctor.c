/* doctor.c - what of the machine and the libraries a bug report should tell. */
#include "cli/cli.h"
#include "lua/glue.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#ifndef LG_BLAS_LIBRARY
#define LG_BLAS_LIBRARY "libopenblas.so.0"
#endif

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double x)
{
    lua_pushnumber(L, x);
    lua_setfield(L, -2, name);
}

/* png.h is for data/png.c alone, so the library itself is asked. */
static const char *png_version(void)
{
    const char *(*version)(const void *);
    *(void **)&version = dlsym(RTLD_DEFAULT, "png_get_libpng_ver");
    return version ? version(NULL) : "unknown";
}

static void describe_blas(lua_State *L)
{
    static const char *const variants[] = {"serial", "pthread", "openmp"};
    void *blas = dlopen(LG_BLAS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!blas) {
        set_text(L, "blas_missing", dlerror());
        return;
    }
    char *(*config)(void);
    int (*parallel)(void);
    *(void **)&config = dlsym(blas, "openblas_get_config");
    *(void **)&parallel = dlsym(blas, "openblas_get_parallel");
    int variant = parallel ? parallel() : -1;
    set_text(L, "blas", config ? config() : "a BLAS that is not OpenBLAS");
    bool known = variant >= 0 && variant < 3;
    set_text(L, "blas_variant", known ? variants[variant] : "unknown");
}

/* The value of the first line "name : value" of a file of /proc; "" if there is none. */
static void proc_value(const char *path, const char *name, char to[256])
{
    char line[512];
    FILE *file = fopen(path, "r");
    *to = '\0';
    while (file && !*to && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (!colon || strncmp(line, name, strlen(name)) != 0)
            continue;
        char *value = colon + 1 + strspn(colon + 1, " \t");
        value[strcspn(value, "\n")] = '\0';
        snprintf(to, 256, "%.255s", value);
    }
    if (file)
        fclose(file);
}

static int describe_machine(lua_State *L)
{
    struct utsname name;
    char model[256], available[256];
    double page = (double)sysconf(_SC_PAGESIZE), kb = 0;
    lgi_terminal t = lgi_find_terminal();
    lua_newtable(L);
    if (uname(&name) == 0) {
        lua_pushfstring(L, "%s %s, %s", name.sysname, name.release, name.machine);
        lua_setfield(L, -2, "system");
    }
    proc_value("/proc/cpuinfo", "model name", model);
    set_text(L, "processor", *model ? model : "unknown");
    proc_value("/proc/meminfo", "MemAvailable", available);
    if (sscanf(available, "%lf", &kb) == 1)
        set_number(L, "memory_available", kb * 1024);
    set_number(L, "memory", page * (double)sysconf(_SC_PHYS_PAGES));
    set_text(L, "zlib", zlibVersion());
    set_text(L, "png", png_version());
    describe_blas(L);
    lua_pushinteger(L, lgi_count_cores());
    lua_setfield(L, -2, "cores");
    set_text(L, "picture", lgi_picture_name(t.picture));
    lua_pushboolean(L, t.there);
    lua_setfield(L, -2, "terminal");
    lua_pushboolean(L, t.colors24);
    lua_setfield(L, -2, "colors24");
    lua_pushinteger(L, lgi_terminal_columns());
    lua_setfield(L, -2, "columns");
    return 1;
}

void lgl_open_doctor(lua_State *L)
{
    lgl_push_core(L);
    lua_pushcfunction(L, describe_machine);
    lua_setfield(L, -2, "machine");
#ifdef LG_EDIT
    lua_pushliteral(L, "libedit");
#else
    lua_pushliteral(L, "plain lines");
#endif
    lua_setfield(L, -2, "line_editing");
    lua_pop(L, 1);
}
