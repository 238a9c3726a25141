#include "base/profile.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static void destroy_profile(lg_engine *E, lgi_owned *o)
{
    lgi_disown(o);
    E->profile = NULL;
    lgi_free(E, o, sizeof(lgi_profile));
}

lg_status lgi_open_profile(lg_engine *E)
{
    lgi_profile *p = lgi_alloc0(E, sizeof *p);
    if (!p)
        return E->status;
    if (E->profile)
        destroy_profile(E, &E->profile->owned);
    E->profile = p;
    lgi_own(E, &p->owned, destroy_profile);
    return LG_OK;
}

/* The row of a key, or the empty one where it belongs; NULL: all are taken. A name is
 * compared, too, since the descriptor of a script's operator may go, and another come to
 * its place in memory. */
static lgi_profile_row *find_row(lgi_profile *p, const void *key, const char *name)
{
    size_t at = (uintptr_t)key / 16;
    for (int i = 0; i < LGI_PROFILE_ROWS; i++) {
        lgi_profile_row *r = &p->at[(at + (size_t)i) % LGI_PROFILE_ROWS];
        if (!r->key || (r->key == key && strncmp(r->name, name, sizeof r->name - 1) == 0))
            return r;
    }
    return NULL;
}

double lgi_profile_start(lg_engine *E) { return E->profile ? lgi_now(E) : 0; }

void lgi_profile_add(lg_engine *E, const void *key, const char *name, double start,
                     double flops, double bytes, int64_t took)
{
    lgi_profile_row *r = E->profile ? find_row(E->profile, key, name) : NULL;
    if (!r)
        return;
    if (!r->key) {
        r->key = key;
        snprintf(r->name, sizeof r->name, "%s", name);
        E->profile->rows++;
    }
    r->calls++;
    r->seconds += lgi_now(E) - start;
    r->flops += flops;
    r->bytes += bytes;
    r->most = r->most > took ? r->most : took;
}
