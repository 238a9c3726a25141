#include "base/engine.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_WORKERS = 1024 };

static void configure(lg_engine *E, const lg_config *c)
{
    E->threads = c->threads > 0 ? c->threads : lgi_count_cores();
    E->threads = E->threads < MOST_WORKERS ? E->threads : MOST_WORKERS;
    E->limit = c->memory_limit > 0 ? c->memory_limit : 0;
    E->use_blas = c->blas;
    E->no_cache = c->no_cache;
    E->allocator = c->allocator ? *c->allocator : lgi_system_allocator();
    E->files = c->files ? *c->files : lgi_system_files();
    E->clock = c->clock ? *c->clock : lgi_system_clock();
}

lg_status lg_open(lg_engine **E, const lg_config *config)
{
    lg_config c = LG_CONFIG_INIT;
    *E = NULL;
    if (config)                        /* an older host's config may be shorter */
        memcpy(&c, config, config->size < sizeof c ? config->size : sizeof c);

    lg_allocator a = c.allocator ? *c.allocator : lgi_system_allocator();
    lg_engine *made = a.alloc(a.user, sizeof *made);
    if (!made)
        return LG_ENOMEM;
    memset(made, 0, sizeof *made);
    configure(made, &c);
    made->held = made->peak = sizeof *made;
    made->cpu = lgi_detect_cpu();
    made->recording = true;
    made->seed = 1;
    made->all.prev = made->all.next = &made->all;
    *E = made;
    return LG_OK;
}

int64_t lg_close(lg_engine *E)
{
    if (!E)
        return 0;
    if (E->close_script)
        E->close_script(E);
    lg_close_scope(E, 0);
    while (E->all.next != &E->all)
        E->all.next->destroy(E, E->all.next);
    lgi_close_pool(E);
    lgi_free(E, E->scoped, (size_t)E->scoped_cap * sizeof *E->scoped);
    lg_trim(E);

    lg_allocator a = E->allocator;
    int64_t left = E->held - (int64_t)sizeof *E;
    a.free(a.user, E, sizeof *E);
    return left;
}

lg_status lg_failure(const lg_engine *E) { return E->status; }
const char *lg_message(const lg_engine *E) { return E->status ? E->message : ""; }
void lg_clear(lg_engine *E) { E->status = LG_OK; }
void lg_interrupt(lg_engine *E) { atomic_store(&E->interrupt, 1); }
void lg_exact(lg_engine *E, bool on) { E->exact = on; }
const char *lg_version(void) { return LG_VERSION; }

lg_status lgi_fail(lg_engine *E, lg_status status, const char *format, ...)
{
    if (E->status == LG_OK) {
        va_list ap;
        va_start(ap, format);
        vsnprintf(E->message, sizeof E->message, format, ap);
        va_end(ap);
        E->status = status;
    }
    return status;
}

lg_status lgi_interrupted(lg_engine *E)
{
    if (atomic_load_explicit(&E->interrupt, memory_order_relaxed) == 0)
        return LG_OK;
    atomic_store(&E->interrupt, 0);
    return lgi_fail(E, LG_EINTERRUPT, "interrupted");
}

void lgi_own(lg_engine *E, lgi_owned *o, void (*destroy)(lg_engine *, lgi_owned *))
{
    o->destroy = destroy;
    o->prev = &E->all;
    o->next = E->all.next;
    o->next->prev = o;
    E->all.next = o;
}

void lgi_disown(lgi_owned *o)
{
    o->prev->next = o->next;
    o->next->prev = o->prev;
}
