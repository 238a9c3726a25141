#include "tensor/tensor.h"

#include "base/memory.h"
#include "base/random.h"

#include <string.h>

static void destroy_tensor(lg_engine *E, lgi_owned *o);

lg_tensor *lgi_new(lg_engine *E, int count)
{
    lg_tensor *t = lgi_alloc0(E, (size_t)count * sizeof *t);
    if (!t)
        return NULL;
    t->refs = t->count = count;
    lgi_own(E, &t->owned, destroy_tensor);
    for (int i = 0; i < count; i++) {
        t[i].engine = E;
        t[i].owner = t;
        t[i].uses = 1;
    }
    return t;
}

lg_status lgi_allocate(lg_tensor *t)
{
    lg_engine *E = t->engine;
    size_t bytes = (size_t)t->numel * sizeof(lg_real);
    lgi_buffer *b = lgi_alloc(E, sizeof *b);
    lg_real *data = b ? lgi_alloc(E, bytes) : NULL;
    if (!data) {
        lgi_free(E, b, sizeof *b);
        return E->status;
    }
    *b = (lgi_buffer){.refs = 1, .bytes = bytes, .data = data};
    t->buffer = b;
    t->data = data;
    return LG_OK;
}

static void drop_buffer(lg_tensor *t)
{
    lgi_buffer *b = t->buffer;
    t->buffer = NULL;
    t->data = NULL;
    if (!b || --b->refs > 0)
        return;
    lgi_drop_kept(t->engine, b);
    lgi_free(t->engine, b->data, b->bytes);
    lgi_free(t->engine, b, sizeof *b);
}

void lgi_share(lg_tensor *t, const lg_tensor *of, int64_t offset)
{
    t->buffer = of->buffer;
    t->buffer->refs++;
    t->data = of->data + offset;
}

void lgi_use(lg_tensor *t) { t->uses++; }

void lgi_unuse(lg_tensor *t)
{
    if (--t->uses == 0)
        drop_buffer(t);
}

void lgi_hold(lg_tensor *t) { t->owner->refs++; }

bool lgi_keeps_in(const lgi_node *n, int i)
{
    return i < LGI_MAX_IN && n->needs & LGI_IN(i);
}

bool lgi_keeps_out(const lgi_node *n, int k) { return n->needs & LGI_OUT(k); }

void lgi_unuse_kept(lgi_node *n)
{
    for (int k = 0; n->needs && k < n->nout; k++)
        if (lgi_keeps_out(n, k))
            lgi_unuse(&n->out[k]);
    for (int i = 0; n->needs && i < n->nin; i++)
        if (n->in[i] && lgi_keeps_in(n, i))
            lgi_unuse(n->in[i]);
    n->needs = 0;
}

void lgi_forget(lg_tensor *owner)
{
    lgi_node *n = owner->node;
    if (!n)
        return;
    owner->node = NULL;
    if (n->release)
        n->release(owner->engine, n);
    lgi_unuse_kept(n);
    for (int i = 0; i < n->nin; i++)
        if (n->in[i])
            lgi_drop(n->in[i]);
    lgi_free(owner->engine, n, n->bytes);
}

/* Frees a block that nobody holds, and then those that only it held, and so on: a loop,
 * since a history may be a million operators deep. */
static void bury(lg_engine *E, lg_tensor *owner)
{
    owner->owned.next = (lgi_owned *)E->dying;
    E->dying = owner;
    if (E->burying)
        return;
    E->burying = true;
    while (E->dying) {
        lg_tensor *t = E->dying;
        E->dying = (lg_tensor *)t->owned.next;
        lgi_forget(t);
        for (int i = 0; i < t->count; i++)
            drop_buffer(&t[i]);
        lgi_free(E, t, (size_t)t->count * sizeof *t);
    }
    E->burying = false;
}

void lgi_drop(lg_tensor *t)
{
    lg_tensor *owner = t->owner;
    if (--owner->refs > 0)
        return;
    lgi_disown(&owner->owned);
    bury(owner->engine, owner);
}

/* lg_close destroys what is left, in any order: nothing may be followed any more. */
static void destroy_tensor(lg_engine *E, lgi_owned *o)
{
    lg_tensor *t = (lg_tensor *)o;
    lgi_disown(o);
    for (int i = 0; i < t->count; i++)
        drop_buffer(&t[i]);
    if (t->node)
        lgi_free(E, t->node, t->node->bytes);
    lgi_free(E, t, (size_t)t->count * sizeof *t);
}

lg_tensor *lg_retain(lg_tensor *t)
{
    if (t) {
        lgi_hold(t);
        lgi_use(t);
    }
    return t;
}

void lg_release(lg_tensor *t)
{
    if (t) {
        lgi_unuse(t);
        lgi_drop(t);
    }
}

/* The scopes are one stack; a scope is its height when it was opened. */

int lg_open_scope(lg_engine *E) { return E->nscoped; }

void lg_close_scope(lg_engine *E, int scope)
{
    while (E->nscoped > scope)
        lg_release(E->scoped[--E->nscoped]);
}

lg_status lgi_reserve_scope(lg_engine *E, int n)
{
    int cap = E->scoped_cap ? E->scoped_cap : 64;
    if (E->nscoped + n <= E->scoped_cap)
        return LG_OK;
    while (cap < E->nscoped + n)
        cap *= 2;
    lg_tensor **p = lgi_resize(E, E->scoped, (size_t)E->scoped_cap * sizeof *p,
                               (size_t)cap * sizeof *p);
    if (!p)
        return E->status;
    E->scoped = p;
    E->scoped_cap = cap;
    return LG_OK;
}

lg_tensor *lgi_scoped(lg_engine *E, lg_tensor *t)
{
    if (t && lgi_reserve_scope(E, 1) < 0) {
        lg_release(t);
        return NULL;
    }
    if (t)
        E->scoped[E->nscoped++] = t;
    return t;
}

lg_tensor *lgi_make(lg_engine *E, int ndim, const int64_t *dim)
{
    lg_tensor *t = E->status < 0 ? NULL : lgi_new(E, 1);
    if (!t)
        return NULL;
    if (lgi_set_dims(t, ndim, dim) < 0 || lgi_allocate(t) < 0) {
        lg_release(t);
        return NULL;
    }
    return lgi_scoped(E, t);
}

lg_tensor *lg_full(lg_engine *E, int ndim, const int64_t *dim, double value)
{
    lg_tensor *t = lgi_make(E, ndim, dim);
    for (int64_t i = 0; t && i < t->numel; i++)
        t->data[i] = (lg_real)value;
    return t;
}

lg_tensor *lg_zeros(lg_engine *E, int ndim, const int64_t *dim)
{
    return lg_full(E, ndim, dim, 0);
}

lg_tensor *lg_scalar(lg_engine *E, double value) { return lg_full(E, 0, NULL, value); }

lg_tensor *lg_from(lg_engine *E, int ndim, const int64_t *dim, const lg_real *data)
{
    lg_tensor *t = lgi_make(E, ndim, dim);
    if (t && t->numel)
        memcpy(t->data, data, (size_t)t->numel * sizeof *data);
    return t;
}

typedef void filler(lg_engine *E, lgi_stream s, uint64_t first, lg_real *to, int64_t n);

/* Numbers of the script's stream; an interrupted draw was none. */
static lg_tensor *draw_tensor(lg_engine *E, int ndim, const int64_t *dim,
                              filler *fill_with)
{
    uint64_t drawn = E->drawn;
    lg_tensor *t = lgi_make(E, ndim, dim);
    if (!t)
        return NULL;
    fill_with(E, lgi_script_stream(E), lgi_draw(E, t->numel), t->data, t->numel);
    if (lgi_interrupted(E) == LG_OK)
        return t;
    E->drawn = drawn;
    return NULL;
}

lg_tensor *lg_rand(lg_engine *E, int ndim, const int64_t *dim)
{
    return draw_tensor(E, ndim, dim, lgi_fill_uniform);
}

lg_tensor *lg_randn(lg_engine *E, int ndim, const int64_t *dim)
{
    return draw_tensor(E, ndim, dim, lgi_fill_normal);
}

static lg_status need_own(lg_engine *E, const char *who, const lg_tensor *t)
{
    if (t->engine == E)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: the tensor belongs to another engine", who);
}

/* A new shell on the same numbers. */
static lg_tensor *alias(lg_engine *E, lg_tensor *t, bool tracked)
{
    if (!t || E->status < 0 || need_own(E, tracked ? "track" : "detach", t) < 0)
        return NULL;
    lg_tensor *y = lgi_new(E, 1);
    if (!y)
        return NULL;
    lgi_like(y, t);
    lgi_share(y, t, 0);
    y->tracked = tracked;
    return lgi_scoped(E, y);
}

lg_tensor *lg_track(lg_engine *E, lg_tensor *t) { return alias(E, t, true); }
lg_tensor *lg_detach(lg_engine *E, lg_tensor *t) { return alias(E, t, false); }

lg_status lg_copy(lg_engine *E, lg_tensor *to, const lg_tensor *from)
{
    if (!to || !from || E->status < 0)
        return E->status;
    if (need_own(E, "copy", to) < 0 || need_own(E, "copy", from) < 0)
        return E->status;
    if (!lgi_same_dims(to, from))
        return lgi_fail(E, LG_ESHAPE, "copy: the target is %s and the source %s; "
                        "the shapes must be the same", LGI_SHAPE(to), LGI_SHAPE(from));
    memmove(to->data, from->data, (size_t)to->numel * sizeof *to->data);
    to->buffer->version++;
    return LG_OK;
}

int lg_ndim(const lg_tensor *t) { return t ? t->ndim : 0; }
int64_t lg_numel(const lg_tensor *t) { return t ? t->numel : 0; }
const lg_real *lg_data(const lg_tensor *t) { return t ? t->data : NULL; }

int64_t lg_dim(const lg_tensor *t, int axis)
{
    int i = !t ? -1 : axis < 0 ? t->ndim + axis : axis - 1;
    return i >= 0 && i < t->ndim ? t->dim[i] : 0;
}
