/* kept.c - what an operator made of a tensor's numbers, kept for its next call. */
#include "base/memory.h"
#include "tensor/tensor.h"

/* Of one engine, in bytes: beyond these nothing more is kept. */
enum { KEPT_MOST = 64 << 20 };

static void drop_one(lg_engine *E, lgi_kept *k)
{
    E->kept -= (int64_t)k->bytes;
    lgi_free(E, k->data, k->bytes);
    *k = (lgi_kept){0};
}

void lgi_drop_kept(lg_engine *E, lgi_buffer *b)
{
    if (!b->kept)
        return;
    for (int i = 0; i < LGI_KEPT; i++)
        drop_one(E, &b->kept[i]);
    E->kept -= (int64_t)(LGI_KEPT * sizeof *b->kept);
    lgi_free(E, b->kept, LGI_KEPT * sizeof *b->kept);
    b->kept = NULL;
}

/* Room of so many bytes, unless there is too little; no failure. */
static void *room_for(lg_engine *E, size_t bytes)
{
    lg_status before = E->status;
    if (E->kept + (int64_t)bytes > KEPT_MOST)
        return NULL;
    void *p = lgi_alloc(E, bytes);
    E->status = before;
    E->kept += p ? (int64_t)bytes : 0;
    return p;
}

static lgi_kept *kept_place(lg_engine *E, lgi_buffer *b, int i)
{
    if (!b->kept) {
        b->kept = room_for(E, LGI_KEPT * sizeof *b->kept);
        for (int j = 0; b->kept && j < LGI_KEPT; j++)
            b->kept[j] = (lgi_kept){0};
    }
    return b->kept ? &b->kept[i] : NULL;
}

lgi_kept *lgi_keep(lg_tensor *t, int i, int what, size_t bytes, bool *made)
{
    lg_engine *E = t->engine;
    lgi_buffer *b = t->buffer;
    lgi_kept *k = b && t->data == b->data ? kept_place(E, b, i) : NULL;
    *made = false;
    if (!k)
        return NULL;
    bool same = k->what == what && k->version == b->version;
    if (k->data && k->bytes != bytes)
        drop_one(E, k);
    k->what = what;
    k->version = b->version;
    k->again |= same;
    *made = same && k->data;
    if (!k->data && k->again) {
        k->data = room_for(E, bytes);
        k->bytes = k->data ? bytes : 0;
    }
    return k->data ? k : NULL;
}
