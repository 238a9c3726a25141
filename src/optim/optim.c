/*
 * optim.c - the life of an optimizer, and its update: one pass over all parameters.
 *
 * Parameters are cut into pieces of fixed size, which are numbered through, so that a net
 * of many small ones is one parallel loop like a net of a few large ones.
 */
#include "optim/optim.h"

#include "base/memory.h"
#include "base/pool.h"

#include <math.h>
#include <string.h>

enum { OPTIM_PIECE = 1 << 14 };        /* elements */

const lgi_optim_type *lgi_each_optim(int *family, int *member)
{
    for (; lgi_optim_families[*family]; ++*family, *member = 0)
        if (lgi_optim_families[*family][*member])
            return lgi_optim_families[*family][(*member)++];
    return NULL;
}

const lgi_optim_type *lgi_find_optim(const char *name)
{
    int family = 0, member = 0;
    const lgi_optim_type *type;
    while ((type = lgi_each_optim(&family, &member)))
        if (strcmp(type->name, name) == 0)
            break;
    return type;
}

lg_status lgi_optim_need(lg_engine *E, const char *who, const char *option, double value,
                         double least, double below)
{
    if (value >= least && value < below)
        return LG_OK;                  /* NaN is not */
    return isinf(below) ? lgi_fail(E, LG_EARG, "%s: %s must be a number of %g or more, "
                                   "not %g", who, option, least, value)
                        : lgi_fail(E, LG_EARG, "%s: %s must be %g or more and less than "
                                   "%g, not %g", who, option, least, below, value);
}

static int count_states(const lgi_optim_type *type, const void *attr)
{
    int n = 0;
    while (n < LGI_MAX_STATE && type->states[n])
        n++;
    return type->count_states ? type->count_states(attr) : n;
}

static int64_t count_pieces(const lg_tensor *p)
{
    return (p->numel + OPTIM_PIECE - 1) / OPTIM_PIECE;
}

static lg_status check_params(lg_engine *E, const char *who, int n,
                              lg_tensor *const *param)
{
    if (n < 1)
        return lgi_fail(E, LG_EARG, "%s: there are no parameters to optimize", who);
    for (int i = 0; i < n; i++) {
        const lg_tensor *p = param[i];
        if (!p || p->engine != E || !p->buffer)
            return lgi_fail(E, LG_EARG, "%s: tensor %d is missing or belongs to another "
                            "engine", who, i + 1);
        if (!p->tracked || p->owner->node || p->owner->let_go)
            return lgi_fail(E, LG_EARG, "%s: tensor %d, %s, is no leaf that gradients "
                            "flow to; :track() makes one", who, i + 1, LGI_SHAPE(p));
        for (int k = 0; k < i; k++)
            if (param[k]->buffer == p->buffer)
                return lgi_fail(E, LG_EARG, "%s: tensors %d and %d share their numbers; "
                                "each parameter must be given once", who, k + 1, i + 1);
    }
    return LG_OK;
}

static void destroy_optim(lg_engine *E, lgi_owned *o)
{
    lgi_disown(o);
    lgi_free(E, o, ((lgi_optim *)o)->bytes);
}

/* One block for the optimizer and all its arrays. */
static lgi_optim *new_block(lg_engine *E, const lgi_optim_type *type, int n, int nstate,
                            int64_t pieces)
{
    enum { ALIGN = 16 };
    size_t head = (sizeof(lgi_optim) + ALIGN - 1) / ALIGN * ALIGN;
    size_t attr = (type->attr_bytes + ALIGN - 1) / ALIGN * ALIGN;
    size_t tensors = (size_t)n * (size_t)(nstate + 1) * sizeof(lg_tensor *);
    size_t firsts = (size_t)(n + 1) * sizeof(int64_t);
    size_t bytes = head + attr + tensors + firsts + (size_t)pieces * (sizeof(double) + 1);
    lgi_optim *o = lgi_alloc0(E, bytes);
    if (!o)
        return NULL;
    o->engine = E;
    o->type = type;
    o->bytes = bytes;
    o->nstate = nstate;
    o->scale = 1;
    o->missed = -1;
    o->attr = (char *)o + head;
    o->param = (lg_tensor **)((char *)o->attr + attr);
    o->state = o->param + n;
    o->first = (int64_t *)(o->state + (size_t)n * (size_t)nstate);
    o->partial = (double *)(o->first + n + 1);
    o->done = (bool *)(o->partial + pieces);
    lgi_own(E, &o->owned, destroy_optim);
    return o;
}

static lg_tensor *new_state(lg_engine *E, const lg_tensor *like)
{
    int scope = lg_open_scope(E);
    lg_tensor *t = lg_retain(lg_zeros(E, like->ndim, like->dim));
    lg_close_scope(E, scope);
    return t;
}

lgi_optim *lgi_new_optim(lg_engine *E, const lgi_optim_type *type, const void *attr,
                         int n, lg_tensor *const *param)
{
    int64_t pieces = 0;
    if (E->status < 0 || (type->check && type->check(E, attr) < 0)
        || check_params(E, type->name, n, param) < 0)
        return NULL;
    for (int i = 0; i < n; i++)
        pieces += count_pieces(param[i]);
    lgi_optim *o = new_block(E, type, n, count_states(type, attr), pieces);
    if (!o)
        return NULL;
    memcpy(o->attr, attr, type->attr_bytes);
    for (int i = 0; i < n && E->status == LG_OK; i++) {
        o->param[o->nparam++] = lg_retain(param[i]);
        o->first[i + 1] = o->first[i] + count_pieces(param[i]);
        for (int k = 0; k < o->nstate; k++)
            o->state[i * o->nstate + k] = new_state(E, param[i]);
    }
    if (E->status == LG_OK)
        return o;
    lgi_close_optim(o);
    return NULL;
}

void lgi_close_optim(lgi_optim *o)
{
    if (!o)
        return;
    for (int i = 0; i < o->nparam; i++) {
        lg_release(o->param[i]);
        for (int k = 0; k < o->nstate; k++)
            lg_release(o->state[i * o->nstate + k]);
    }
    destroy_optim(o->engine, &o->owned);
}

lg_status lgi_set_optim(lgi_optim *o, const void *attr)
{
    lg_engine *E = o->engine;
    if (E->status < 0 || (o->type->check && o->type->check(E, attr) < 0))
        return E->status;
    if (count_states(o->type, attr) > o->nstate)
        return lgi_fail(E, LG_EARG, "%s: this option needs numbers that the optimizer "
                        "does not keep; give it when the optimizer is made",
                        o->type->name);
    memcpy(o->attr, attr, o->type->attr_bytes);
    return LG_OK;
}

/* An update at work. */
typedef struct update {
    lgi_optim *o;
    lg_tensor *const *g;
} update;

/* The parameter of a piece: first[i] <= piece < first[i + 1]. */
static int param_of_piece(const lgi_optim *o, int64_t piece)
{
    int low = 0, high = o->nparam;
    while (high - low > 1) {
        int mid = (low + high) / 2;
        if (o->first[mid] <= piece)
            low = mid;
        else
            high = mid;
    }
    while (o->first[low + 1] <= piece) /* parameters without elements have no pieces */
        low++;
    return low;
}

/* The elements of a piece: where they begin, and how many there are. */
static int64_t piece_bounds(const lgi_optim *o, int i, int64_t piece, int64_t *n)
{
    int64_t from = (piece - o->first[i]) * OPTIM_PIECE, left = o->param[i]->numel - from;
    *n = left < OPTIM_PIECE ? left : OPTIM_PIECE;
    return from;
}

static void square_piece(void *job, int64_t piece, int worker)
{
    const update *u = job;
    int i = param_of_piece(u->o, piece);
    int64_t n, from = piece_bounds(u->o, i, piece, &n);
    double sum = 0;
    (void)worker;
    for (int64_t k = 0; u->g[i] && k < n; k++) {
        double x = (double)u->g[i]->data[from + k];
        sum += x * x;
    }
    u->o->partial[piece] = sum;
}

static void update_piece(void *job, int64_t piece, int worker)
{
    const update *u = job;
    lgi_optim *o = u->o;
    int i = param_of_piece(o, piece);
    int64_t n, from = piece_bounds(o, i, piece, &n);
    lgi_run r = {.n = n, .p = o->param[i]->data + from};
    (void)worker;
    o->done[piece] = true;
    if (!u->g[i])
        return;
    r.g = u->g[i]->data + from;
    for (int k = 0; k < o->nstate; k++)
        r.state[k] = o->state[i * o->nstate + k]->data + from;
    o->type->update(o, &r);
}

/* The factor that brings the norm of all gradients down to clip_norm, as PyTorch's. */
static lg_status find_scale(update *u, double clip_norm)
{
    lgi_optim *o = u->o;
    lg_engine *E = o->engine;
    int64_t pieces = o->first[o->nparam];
    double sum = 0;
    o->scale = 1;
    if (clip_norm <= 0)
        return LG_OK;
    lgi_parallel(E, pieces, square_piece, u);
    if (lgi_interrupted(E) < 0)
        return E->status;
    for (int64_t k = 0; k < pieces; k++)
        sum += o->partial[k];
    double scale = clip_norm / (sqrt(sum) + 1e-6);
    if (!(scale > 1))                  /* a NaN goes on: it is not hidden */
        o->scale = scale;
    return LG_OK;
}

static bool shares_numbers(const lgi_optim *o, const lg_tensor *g)
{
    for (int i = 0; i < o->nparam * (1 + o->nstate); i++) {
        const lg_tensor *t = i < o->nparam ? o->param[i] : o->state[i - o->nparam];
        if (t->buffer == g->buffer)
            return true;
    }
    return false;
}

static lg_status check_clip(const lgi_optim *o, double clip_norm)
{
    if (clip_norm >= 0)
        return LG_OK;
    return lgi_fail(o->engine, LG_EARG, "%s: clip_norm must be a positive number, not %g",
                    o->type->name, clip_norm);
}

static lg_status check_grads(lg_engine *E, const lgi_optim *o, lg_tensor *const *g)
{
    for (int i = 0; i < o->nparam; i++) {
        if (!o->param[i]->buffer || (g[i] && !g[i]->buffer))
            return lgi_fail(E, LG_ESTATE, "%s: the numbers of tensor %d were let go",
                            o->type->name, i + 1);
        if (g[i] && shares_numbers(o, g[i]))
            return lgi_fail(E, LG_EARG, "%s: gradient %d shares its numbers with a "
                            "parameter, which the step changes; pass a tensor of its "
                            "own, such as g * 1", o->type->name, i + 1);
        if (g[i] && !lgi_same_dims(g[i], o->param[i]))
            return lgi_fail(E, LG_ESHAPE, "%s: gradient %d is %s and its parameter %s; "
                            "the shapes must be the same", o->type->name, i + 1,
                            LGI_SHAPE(g[i]), LGI_SHAPE(o->param[i]));
    }
    return E->status;
}

lg_status lgi_step(lgi_optim *o, lg_tensor *const *g, double clip_norm)
{
    lg_engine *E = o->engine;
    update u = {o, g};
    int64_t pieces = o->first[o->nparam];
    if (E->status < 0 || check_clip(o, clip_norm) < 0
        || check_grads(E, o, g) < 0
        || find_scale(&u, clip_norm) < 0 || lgi_interrupted(E) < 0)
        return E->status;
    o->step++;
    memset(o->done, 0, (size_t)pieces);
    lgi_parallel(E, pieces, update_piece, &u);
    for (int64_t k = 0; k < pieces; k++)       /* an interrupt skips pieces, but an update
                                                  is whole or not at all */
        if (!o->done[k])
            update_piece(&u, k, 0);
    for (int i = 0; i < o->nparam; i++)
        if (g[i])
            o->param[i]->buffer->version++;
    return LG_OK;
}

static lg_status count_missed(lgi_optim *o, lg_tensor *const *g, int *missed)
{
    *missed = 0;
    o->missed = -1;
    for (int i = o->nparam - 1; i >= 0; i--)
        if (!g[i]) {
            ++*missed;
            o->missed = i;
        }
    if (*missed < o->nparam)
        return LG_OK;
    return lgi_fail(o->engine, LG_EARG, "minimize: the loss depends on none of the %d "
                    "parameters of this optimizer; is it the other net's loss, or was "
                    "it made of detached tensors?", o->nparam);
}

lg_status lgi_minimize(lgi_optim *o, lg_tensor *loss, double clip_norm, double *value,
                       int *missed)
{
    lg_engine *E = o->engine;
    size_t bytes = (size_t)o->nparam * sizeof(lg_tensor *);
    if (!loss || E->status < 0)
        return E->status < 0 ? E->status : lgi_fail(E, LG_EARG, "minimize: there is no "
                                                    "loss");
    if (loss->numel != 1)
        return lgi_fail(E, LG_ESHAPE, "minimize needs a scalar loss, got %s; call "
                        ":mean() first", LGI_SHAPE(loss));
    if (check_clip(o, clip_norm) < 0)  /* before the history is let go */
        return E->status;
    *value = (double)loss->data[0];
    lg_tensor **g = lgi_alloc(E, bytes);
    if (!g)
        return E->status;
    int scope = lg_open_scope(E);
    if (lg_grad(E, loss, NULL, o->nparam, o->param, LG_ALLOW_UNUSED, g) == LG_OK
        && count_missed(o, g, missed) == LG_OK)
        lgi_step(o, g, clip_norm);
    lg_close_scope(E, scope);
    lgi_free(E, g, bytes);
    return E->status;
}
