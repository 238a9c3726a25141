/*
 * grad.c - reverse-mode differentiation.
 *
 * The walk knows no operator. It numbers the history of y, inputs before the results that
 * they feed; marks what lies between y and what is asked for; and asks the rule of each
 * marked node, last first, for the gradients of its inputs. Rules apply operators, so
 * with LG_CREATE_GRAPH what they make has a history in its turn.
 */
#include "base/memory.h"
#include "base/pool.h"
#include "base/profile.h"
#include "op/op.h"

#include <string.h>

enum { ADD_PIECE = 1 << 14,            /* elements */
       KEEPS_HISTORY = LG_CREATE_GRAPH | LG_RETAIN_GRAPH };

extern const lg_op lgi_op_add;

/* A block of results that the walk has met. */
typedef struct stop {
    lg_tensor *owner;
    lg_tensor *cot[LGI_MAX_RESULTS];   /* the gradient of each result so far, held */
    uint64_t wanted;                   /* results that were asked for, a bit each */
    bool marked;                       /* is it one of them, or does it lead to one? */
    bool through;                      /* does one of its inputs? */
    bool cut;                          /* it counts as a leaf: LG_PARTIAL */
    uint64_t outer_walk;               /* of a walk that this one interrupts */
    int64_t outer_slot;
} stop;

typedef struct walk {
    lg_engine *engine;
    uint64_t number;
    stop *stops;                       /* inputs first */
    int64_t n, cap;
    int flags;
    bool spends;                       /* may numbers go as soon as their rule has run? */
    bool announced;                    /* was a rule's operator, to the one before? */
} walk;

/* What the numbering has yet to do: a result, and which of its inputs is next. */
typedef struct visit {
    lg_tensor *owner;
    int next;
} visit;

typedef struct visits {
    visit *at;
    int64_t n, cap;
} visits;

static void *grown(lg_engine *E, void *p, int64_t *cap, size_t each)
{
    int64_t more = *cap ? 2 * *cap : 32;
    void *q = lgi_resize(E, p, (size_t)*cap * each, (size_t)more * each);
    if (q)
        *cap = more;
    return q;
}

static bool push_visit(lg_engine *E, visits *v, lg_tensor *owner)
{
    if (v->n == v->cap) {
        visit *p = grown(E, v->at, &v->cap, sizeof *p);
        if (!p)
            return false;
        v->at = p;
    }
    v->at[v->n++] = (visit){owner, 0};
    return true;
}

static stop *stop_of(walk *w, const lg_tensor *t)
{
    const lg_tensor *o = t->owner;
    return o->walk == w->number && o->slot >= 0 ? &w->stops[o->slot] : NULL;
}

static stop *new_stop(walk *w, lg_tensor *owner)
{
    if (w->n == w->cap) {
        stop *p = grown(w->engine, w->stops, &w->cap, sizeof *p);
        if (!p)
            return NULL;
        w->stops = p;
    }
    stop *s = &w->stops[w->n];
    *s = (stop){.owner = owner, .outer_walk = owner->walk, .outer_slot = owner->slot};
    owner->walk = w->number;
    owner->slot = w->n++;
    return s;
}

/* Numbers the history of y, with a stack of its own: it may be a million deep. */
static bool visit_history(walk *w, lg_tensor *y)
{
    lg_engine *E = w->engine;
    visits todo = {0};
    bool ok = push_visit(E, &todo, y->owner);

    while (ok && todo.n) {
        visit *v = &todo.at[todo.n - 1];
        const lgi_node *node = v->owner->node;
        lg_tensor *x = NULL;
        if (stop_of(w, v->owner)) {    /* met by another way meanwhile */
            todo.n--;
            continue;
        }
        while (node && v->next < node->nin && !x) {
            x = node->in[v->next++];
            if (x && (!x->tracked || stop_of(w, x)))
                x = NULL;
        }
        if (x)
            ok = push_visit(E, &todo, x->owner);
        else
            ok = new_stop(w, todo.at[--todo.n].owner) != NULL;
    }
    lgi_free(E, todo.at, (size_t)todo.cap * sizeof *todo.at);
    return ok;
}

/* Returns the first of those asked for that the history does not reach, or n. */
static int mark_wanted(walk *w, int n, lg_tensor *const *wanted)
{
    int missed = n;
    for (int i = n - 1; i >= 0; i--) {
        stop *s = stop_of(w, wanted[i]);
        if (s) {
            s->wanted |= (uint64_t)1 << (wanted[i] - wanted[i]->owner);
            s->marked = true;
        } else {
            missed = i;
        }
    }
    return missed;
}

/* What is asked for is met before all else, so that nothing is visited beyond it. */
static bool cut_wanted(walk *w, int n, lg_tensor *const *wanted)
{
    bool ok = true;
    for (int i = 0; ok && w->flags & LG_PARTIAL && i < n; i++) {
        stop *s = stop_of(w, wanted[i]);
        if (!s)
            s = new_stop(w, wanted[i]->owner);
        ok = s != NULL;
        if (s)
            s->cut = true;
    }
    return ok;
}

/* A history that was let go may have led to what is asked for: nobody can know. */
static lg_status check_history(walk *w, int n, lg_tensor *const *wanted, int missed)
{
    for (int64_t i = 0; i < w->n; i++) {
        const stop *s = &w->stops[i];
        if (!s->owner->node && s->owner->let_go && !s->wanted)
            return lgi_fail(w->engine, LG_ESTATE, "grad: the history of a %s result was "
                            "let go by an earlier grad or minimize; compute it anew, "
                            "detach() it, or pass retain_graph = true to the earlier one",
                            LGI_SHAPE(s->owner));
    }
    if (missed < n && !(w->flags & LG_ALLOW_UNUSED))
        return lgi_fail(w->engine, LG_EARG, "grad: the result does not depend on tensor "
                        "%d of those asked for, %s; pass allow_unused = true to get nil "
                        "for it", missed + 1, LGI_SHAPE(wanted[missed]));
    return LG_OK;
}

static void mark_between(walk *w)
{
    for (int64_t i = 0; i < w->n; i++) {
        stop *s = &w->stops[i];
        const lgi_node *node = s->owner->node;
        for (int k = 0; node && !s->cut && !s->through && k < node->nin; k++) {
            const stop *x = node->in[k] ? stop_of(w, node->in[k]) : NULL;
            s->through = x && x->marked;
        }
        s->marked |= s->through;
    }
}

static lg_status changed_since(lg_engine *E, const lgi_node *n, const char *name,
                               const lg_tensor *t)
{
    return lgi_fail(E, LG_ESTATE, "grad: %s %s, which the gradient of %s needs, was "
                    "changed since (by an optimizer step, or copy); compute the result "
                    "after the change", name, LGI_SHAPE(t), n->op->name);
}

static lg_status check_versions(lg_engine *E, const lgi_node *n)
{
    char name[16];
    for (int i = 0; i < n->nin; i++)
        if (n->in[i] && lgi_keeps_in(n, i) && n->in[i]->buffer->version != n->version[i])
            return changed_since(E, n, lgi_input_name(n, i, name), n->in[i]);
    for (int k = 0; k < n->nout; k++)  /* a result's buffer is new: its version was 0 */
        if (lgi_keeps_out(n, k) && n->out[k].buffer->version != 0)
            return changed_since(E, n, "the result", &n->out[k]);
    return LG_OK;
}

typedef struct addition {
    lg_real *to;
    const lg_real *from;
    int64_t n;
} addition;

static void accumulate_piece(void *job, int64_t piece, int worker)
{
    const addition *a = job;
    int64_t from = piece * ADD_PIECE, left = a->n - from;
    lg_real *restrict to = a->to + from;
    const lg_real *restrict more = a->from + from;
    (void)worker;
    for (int64_t i = 0, n = left < ADD_PIECE ? left : ADD_PIECE; i < n; i++)
        to[i] += more[i];
}

/* The same bits as those of the operator. */
static lg_status add_in_place(lg_engine *E, lg_tensor *cot, const lg_tensor *g)
{
    double start = lgi_profile_start(E), n = (double)cot->numel;
    addition a = {cot->data, g->data, cot->numel};
    lgi_parallel(E, (a.n + ADD_PIECE - 1) / ADD_PIECE, accumulate_piece, &a);
    E->flops += n;
    lgi_profile_add(E, &lgi_op_add, "add", start, n, 3 * n * sizeof(lg_real), 0);
    return lgi_interrupted(E);
}

/* Are a gradient's numbers those of its stop alone, so that nobody else sees a change? */
static bool is_own(const lg_engine *E, const lg_tensor *cot)
{
    return cot->uses == 1 && cot->buffer->refs == 1 && !E->recording && !E->anomaly;
}

/* cot += g */
static lg_status accumulate(lg_engine *E, lg_tensor **cot, lg_tensor *g)
{
    if (*cot && is_own(E, *cot))
        return add_in_place(E, *cot, g);
    lg_tensor *sum = *cot ? lgi_add(E, *cot, g) : g;
    if (!sum)
        return E->status;
    lg_retain(sum);
    lg_release(*cot);
    *cot = sum;
    return LG_OK;
}

static bool has_cot(const stop *s, int first)
{
    bool any = false;
    for (int k = first; k < LGI_MAX_RESULTS; k++)
        any |= s->cot[k] != NULL;
    return any;
}

/* If but one rule will read what s's makes for its first input, and that with one
 * operator, this may be computed with it. Who alone holds x is s's node. */
static void announce_reader(walk *w, const stop *s)
{
    const lgi_node *n = s->owner->node;
    lg_tensor *x = n->op->leads_back ? n->in[0] : NULL;
    const stop *t = x && x == x->owner && x->refs == 1 ? stop_of(w, x) : NULL;
    if (!t || !t->through || t->wanted || has_cot(t, 0) || has_cot(s, 1)
        || w->engine->recording)
        return;
    w->announced |= lgi_announce(w->engine, x->node->op->back, &x[1], x->node->attr);
}

/* Hands the gradients of one node's results on to its inputs. */
static lg_status pass_back(walk *w, stop *s)
{
    lg_engine *E = w->engine;
    const lgi_node *n = s->owner->node;
    bool flags[LGI_MAX_IN], *wanted = flags;
    lg_tensor *made[LGI_MAX_IN] = {0}, **out = made;
    size_t bytes = (size_t)n->nin * (sizeof *out + sizeof *wanted);

    if (check_versions(E, n) < 0)
        return E->status;
    if (n->nin > LGI_MAX_IN) {         /* a long list, as of cat */
        out = lgi_alloc0(E, bytes);
        if (!out)
            return E->status;
        wanted = (bool *)(out + n->nin);
    }
    for (int i = 0; i < n->nin; i++) {
        const stop *x = n->in[i] && n->in[i]->tracked ? stop_of(w, n->in[i]) : NULL;
        wanted[i] = x && x->marked;
    }
    const char *outer = E->gradient_of;
    E->gradient_of = n->op->name;
    if (n->op->once && s->cot[0] && !(s->wanted & 1) && is_own(E, s->cot[0]))
        lgi_give(E, s->cot[0]);
    announce_reader(w, s);
    n->op->grad(E, n, wanted, s->cot, out);
    E->next.op = NULL;
    lgi_give(E, NULL);
    E->gradient_of = outer;
    for (int i = 0; i < n->nin && E->status == LG_OK; i++)
        if (wanted[i] && out[i]) {
            lg_tensor *x = n->in[i], *g = lgi_sum_to(E, out[i], x);
            if (g)
                accumulate(E, &stop_of(w, x)->cot[x - x->owner], g);
        }
    if (out != made)
        lgi_free(E, out, bytes);
    return E->status;
}

static void release_cots(stop *s, bool wanted_too)
{
    for (int k = 0; k < LGI_MAX_RESULTS; k++)
        if (wanted_too || !(s->wanted >> k & 1)) {
            lg_release(s->cot[k]);
            s->cot[k] = NULL;
        }
}

static lg_status walk_back(walk *w, lg_tensor *y, lg_tensor *seed)
{
    lg_engine *E = w->engine;
    stop *first = stop_of(w, y);
    if (!seed)
        seed = lg_full(E, y->ndim, y->dim, 1);
    if (!seed || accumulate(E, &first->cot[y - y->owner], seed) < 0)
        return E->status;

    for (int64_t i = w->n - 1; i >= 0 && E->status == LG_OK; i--) {
        stop *s = &w->stops[i];
        if (has_cot(s, 0) && s->through) {
            int scope = lg_open_scope(E);      /* what the rule made and nobody holds */
            pass_back(w, s);
            lg_close_scope(E, scope);
            if (w->spends && !s->outer_walk)
                lgi_unuse_kept(s->owner->node);
        }
        release_cots(s, false);
    }
    return E->status;
}

/* The gradients, held; zeros where the history reaches a tensor, but no slope does. */
static lg_status collect(walk *w, int n, lg_tensor *const *wanted, lg_tensor **out)
{
    lg_engine *E = w->engine;
    for (int i = 0; i < n && E->status == LG_OK; i++) {
        const stop *s = stop_of(w, wanted[i]);
        lg_tensor *g = s ? s->cot[wanted[i] - wanted[i]->owner] : NULL;
        if (s && !g)
            g = lg_zeros(E, wanted[i]->ndim, wanted[i]->dim);
        out[i] = lg_retain(g);
    }
    return E->status;
}

/* Ends the walk: restores the numbers of an outer one, and lets the history go, but for
 * what the outer one still reads. One that failed may be tried again, unless numbers were
 * let go meanwhile. */
static void end_walk(walk *w)
{
    bool failed = w->engine->status != LG_OK;
    bool keep = w->flags & KEEPS_HISTORY || (failed && !w->spends);
    w->engine->spent = failed && w->spends;
    if (w->announced)
        lgi_end_announced(w->engine);
    for (int64_t i = w->n - 1; i >= 0; i--) {
        stop *s = &w->stops[i];
        release_cots(s, true);
        s->owner->walk = s->outer_walk;
        s->owner->slot = s->outer_slot;
        s->through &= !keep && !s->outer_walk;
        s->owner->let_go |= s->through;
    }
    for (int64_t i = 0; i < w->n; i++) /* inputs first: each is held by what it feeds */
        if (w->stops[i].through)
            lgi_forget(w->stops[i].owner);
    lgi_free(w->engine, w->stops, (size_t)w->cap * sizeof *w->stops);
}

static lg_status check_request(lg_engine *E, lg_tensor *y, lg_tensor *seed, int n,
                               lg_tensor *const *wanted)
{
    for (int i = 0; i < n; i++)
        if (!wanted[i] && E->status == LG_OK)
            return lgi_fail(E, LG_EARG, "grad: tensor %d is missing", i + 1);
    if (E->status < 0)
        return E->status;
    if (!y)
        return lgi_fail(E, LG_EARG, "grad: the result is missing");
    if (y->engine != E || (seed && seed->engine != E))
        return lgi_fail(E, LG_EARG, "grad: the result or its seed belongs to another "
                        "engine");
    if (seed && !lgi_same_dims(seed, y))
        return lgi_fail(E, LG_ESHAPE, "grad: the seed is %s, and the result %s; the "
                        "shapes must be the same", LGI_SHAPE(seed), LGI_SHAPE(y));
    if (!seed && y->numel != 1)
        return lgi_fail(E, LG_ESHAPE, "grad needs a result of one element, got %s; call "
                        ":mean() or :sum() first", LGI_SHAPE(y));
    return E->status;
}

lg_status lg_grad(lg_engine *E, lg_tensor *y, lg_tensor *seed, int n,
                  lg_tensor *const *wanted, int flags, lg_tensor **out)
{
    memset(out, 0, (size_t)n * sizeof *out);
    if (check_request(E, y, seed, n, wanted) < 0)
        return E->status;
    if (!y->tracked && flags & LG_ALLOW_UNUSED)
        return LG_OK;
    if (!y->tracked)
        return lgi_fail(E, LG_EARG, "grad: the result has no history: nothing that it "
                        "was made of is tracked");
    if (lgi_reserve_scope(E, n) < 0)   /* nothing may fail once the history is let go */
        return E->status;
    bool was = E->recording;
    int scope = lg_open_scope(E);
    walk w = {.engine = E, .number = ++E->walk, .flags = flags};

    E->recording = flags & LG_CREATE_GRAPH;
    if (cut_wanted(&w, n, wanted) && visit_history(&w, y)
        && check_history(&w, n, wanted, mark_wanted(&w, n, wanted)) == LG_OK) {
        mark_between(&w);
        w.spends = !(flags & KEEPS_HISTORY) && !E->limit;
        if (walk_back(&w, y, seed) == LG_OK)
            collect(&w, n, wanted, out);
    }
    E->recording = was;
    end_walk(&w);
    lg_close_scope(E, scope);
    for (int i = 0; i < n; i++)
        if (E->status < 0) {
            lg_release(out[i]);
            out[i] = NULL;
        } else {
            out[i] = lgi_scoped(E, out[i]);
        }
    return E->status;
}
