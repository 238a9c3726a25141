/*
 * optim.c - the life of an optimizer, and its update: one pass over all parameters.
 *
 * Parameters are cut into pieces of fixed size, which are numbered through, so that a net
 * of many small ones is one parallel loop like a net of a few large ones.
 */
#include "optim/optim.h"

#include "base/memory.h"
#include "base/pool.h"
#include "base/profile.h"
#include "base/subnormal.h"

#include <string.h>

enum {                                 /* elements; a block stays in the nearest cache */
    OPTIM_PIECE = 1 << 13, OPTIM_BLOCK = 1 << 10
};

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

lg_status lgi_optim_need_betas(lg_engine *E, const char *who, const lgi_numbers *betas)
{
    if (betas->n != 2)
        return lgi_fail(E, LG_EARG, "%s: betas must be two numbers, as in {0.9, 0.999}",
                        who);
    if (lgi_optim_need(E, who, "betas[1]", betas->at[0], 0, 1) < 0)
        return E->status;
    return lgi_optim_need(E, who, "betas[2]", betas->at[1], 0, 1);
}

static lg_status check_optim_options(lg_engine *E, const lgi_optim_type *type,
                                     const void *attr)
{
    const lgi_optim_options *a = attr;
    const char *who = type->name;
    if (E->status < 0 || lgi_optim_need(E, who, "lr", a->lr, 0, INFINITY) < 0
        || lgi_optim_need(E, who, "weight_decay", a->weight_decay, 0, INFINITY) < 0)
        return E->status;
    return type->check ? type->check(E, who, attr) : LG_OK;
}

/* Bit k: these options need states[k]. */
static uint32_t kept_states(const lgi_optim_type *type, const void *attr)
{
    uint32_t all = 0;
    for (int k = 0; k < LGI_MAX_STATE && type->states[k]; k++)
        all |= (uint32_t)1 << k;
    return type->keeps ? type->keeps(attr) : all;
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

/* An array of n elements at the end of a block that is being laid out. */
static size_t lay_out(size_t *bytes, size_t n, size_t size)
{
    enum { ALIGN = 16 };
    size_t at = *bytes;
    *bytes += (n * size + ALIGN - 1) / ALIGN * ALIGN;
    return at;
}

/* One block for the optimizer and all its arrays. */
static lgi_optim *new_block(lg_engine *E, const lgi_optim_type *type, int ngroup,
                            int nparam, int nstate, int64_t pieces)
{
    size_t n = (size_t)nparam, bytes = 0;
    lay_out(&bytes, 1, sizeof(lgi_optim));
    size_t attr = lay_out(&bytes, (size_t)ngroup, type->attr_bytes);
    size_t group = lay_out(&bytes, n, sizeof(int));
    size_t param = lay_out(&bytes, n, sizeof(lg_tensor *));
    size_t state = lay_out(&bytes, n * (size_t)nstate, sizeof(lg_tensor *));
    size_t factors = lay_out(&bytes, n, LGI_MAX_FACTORS);
    size_t first = lay_out(&bytes, n + 1, sizeof(int64_t));
    size_t partial = lay_out(&bytes, (size_t)pieces, sizeof(double));
    size_t done = lay_out(&bytes, (size_t)pieces, sizeof(bool));
    char *o = lgi_alloc0(E, bytes);
    if (!o)
        return NULL;
    *(lgi_optim *)(void *)o = (lgi_optim){
        .engine = E, .type = type, .bytes = bytes, .ngroup = ngroup, .nstate = nstate,
        .norm = -1, .missed = -1, .attr = o + attr, .group = (int *)(void *)(o + group),
        .param = (lg_tensor **)(void *)(o + param),
        .state = (lg_tensor **)(void *)(o + state), .factors = o + factors,
        .first = (int64_t *)(void *)(o + first),
        .partial = (double *)(void *)(o + partial), .done = (bool *)(void *)(o + done)};
    lgi_own(E, &((lgi_optim *)(void *)o)->owned, destroy_optim);
    return (lgi_optim *)(void *)o;
}

static lg_tensor *new_state(lg_engine *E, int ndim, const int64_t *dim, double value)
{
    int scope = lg_open_scope(E);
    lg_tensor *t = lg_retain(lg_full(E, ndim, dim, value));
    lg_close_scope(E, scope);
    return t;
}

/* The next parameter, and what is kept for it. */
static void add_param(lgi_optim *o, lg_tensor *p, int group)
{
    uint32_t kept = kept_states(o->type, lgi_optim_attr(o, group));
    int i = o->nparam++;
    o->group[i] = group;
    o->param[i] = lg_retain(p);
    o->first[i + 1] = o->first[i] + count_pieces(p);
    for (int k = 0; k < o->nstate; k++)
        if (kept >> o->which[k] & 1)
            o->state[i * o->nstate + k] = new_state(o->engine, p->ndim, p->dim, 0);
}

static void add_groups(lgi_optim *o, const lgi_group *group, lg_tensor *const *param)
{
    lg_engine *E = o->engine;
    for (int g = 0; g < o->ngroup; g++) {
        memcpy(lgi_optim_attr(o, g), group[g].attr, o->type->attr_bytes);
        for (int i = 0; i < group[g].n && E->status == LG_OK; i++)
            add_param(o, *param++, g);
    }
    int64_t n = o->nparam;
    o->steps = new_state(E, 1, &n, 0);
    if (o->type->number)
        o->number = new_state(E, 1, &n, 1);
}

lgi_optim *lgi_new_grouped_optim(lg_engine *E, const lgi_optim_type *type, int ngroup,
                                 const lgi_group *group, lg_tensor *const *param)
{
    int n = 0, nstate = 0, which[LGI_MAX_STATE];
    int64_t pieces = 0;
    uint32_t kept = 0;
    for (int g = 0; g < ngroup; g++) {
        if (check_optim_options(E, type, group[g].attr) < 0)
            return NULL;
        kept |= kept_states(type, group[g].attr);
        n += group[g].n;
    }
    if (check_params(E, type->name, n, param) < 0)
        return NULL;
    for (int i = 0; i < n; i++)
        pieces += count_pieces(param[i]);
    for (int k = 0; k < LGI_MAX_STATE; k++)
        if (kept >> k & 1)
            which[nstate++] = k;
    lgi_optim *o = new_block(E, type, ngroup, n, nstate, pieces);
    if (!o)
        return NULL;
    memcpy(o->which, which, (size_t)nstate * sizeof *which);
    add_groups(o, group, param);
    if (E->status == LG_OK)
        return o;
    lgi_close_optim(o);
    return NULL;
}

lgi_optim *lgi_new_optim(lg_engine *E, const lgi_optim_type *type, const void *attr,
                         int n, lg_tensor *const *param)
{
    return lgi_new_grouped_optim(E, type, 1, &(lgi_group){attr, n}, param);
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
    lg_release(o->steps);
    lg_release(o->number);
    destroy_optim(o->engine, &o->owned);
}

lgi_optim_options *lgi_optim_attr(const lgi_optim *o, int group)
{
    return (lgi_optim_options *)(void *)(o->attr + (size_t)group * o->type->attr_bytes);
}

lg_status lgi_set_optim(lgi_optim *o, int group, const void *attr)
{
    lgi_optim_options *own = lgi_optim_attr(o, group);
    if (check_optim_options(o->engine, o->type, attr) < 0)
        return o->engine->status;
    if (kept_states(o->type, attr) & ~kept_states(o->type, own))
        return lgi_fail(o->engine, LG_EARG, "%s: this option needs numbers that the "
                        "optimizer does not keep; give it when the optimizer is made",
                        o->type->name);
    memcpy(own, attr, o->type->attr_bytes);
    return LG_OK;
}

lg_status lgi_set_lr(lgi_optim *o, int group, double lr)
{
    if (lgi_optim_need(o->engine, o->type->name, "lr", lr, 0, INFINITY) == LG_OK)
        lgi_optim_attr(o, group)->lr = lr;
    return o->engine->status;
}

/* An update at work. */
typedef struct update {
    lgi_optim *o;
    lg_tensor *const *g;
    double scale;                      /* of the gradients: clip_norm */
    bool ahead;                        /* is it the first half of a step? */
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

/* Sixteen squares are added as they are, and then as double: half of the time would go
 * into making doubles of them all. The order is that of the elements. */
static double sum_squares(const lg_real *x, int64_t n)
{
    double lane[4] = {0};
    int64_t k = 0;
    for (; k + 16 <= n; k += 16) {
        const lg_real *y = x + k;
        for (int j = 0; j < 4; j++) {
            lg_real low = y[j] * y[j] + y[j + 4] * y[j + 4];
            lg_real high = y[j + 8] * y[j + 8] + y[j + 12] * y[j + 12];
            lane[j] += (double)(low + high);
        }
    }
    for (; k < n; k++)
        lane[0] += (double)(x[k] * x[k]);
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

static void square_piece(void *job, int64_t piece, int worker)
{
    const update *u = job;
    int i = param_of_piece(u->o, piece);
    int64_t n, from = piece_bounds(u->o, i, piece, &n);
    double sum = 0;
    (void)worker;
    for (int64_t k = 0; u->g[i] && k < n; k += OPTIM_BLOCK)
        sum += sum_squares(u->g[i]->data + from + k,
                           n - k < OPTIM_BLOCK ? n - k : OPTIM_BLOCK);
    u->o->partial[piece] = sum;
}

/* What the rule is of: the gradient clipped, turned round if it is to climb, and with the
 * decay. It is made in the cache, and only where it differs. */
static const lg_real *ready_gradient(const update *u, const lgi_optim_options *a,
                                     const lg_real *g, const lg_real *p, int64_t n,
                                     lg_real *to)
{
    const lg_real most = (lg_real)u->o->clip_value;
    const lg_real scale = (lg_real)(a->maximize ? -u->scale : u->scale);
    const lg_real decay = u->o->type->decoupled ? 0 : (lg_real)a->weight_decay;
    if (scale == 1 && decay == 0 && most == 0)
        return g;
    if (most == 0)
        for (int64_t i = 0; i < n; i++)
            to[i] = scale * g[i] + decay * p[i];
    else
        for (int64_t i = 0; i < n; i++) {
            lg_real d = scale * g[i];
            d = d > most ? most : d;   /* a NaN goes on: it is not hidden */
            d = d < -most ? -most : d;
            to[i] = d + decay * p[i];
        }
    return to;
}

/* Before the rule moves it: a parameter that was extrapolated goes back to where it was,
 * one that will be leaves that behind, and decoupled decay shrinks it. */
static void ready_parameter(const update *u, const lgi_optim_options *a, lg_real *p,
                            lg_real *saved, int64_t n, bool moves)
{
    const lg_real shrink = (lg_real)(1 - a->lr * a->weight_decay);
    if (saved)
        memcpy(u->ahead ? saved : p, u->ahead ? p : saved, (size_t)n * sizeof *p);
    if (u->o->type->decoupled && moves)
        for (int64_t i = 0; i < n; i++)
            p[i] *= shrink;
}

/* Elements of parameter i, not more than a block; returns its gradient's squares. */
static double update_block(const update *u, int i, int64_t from, int64_t n)
{
    const lgi_optim *o = u->o;
    const lgi_optim_options *a = lgi_optim_attr(o, o->group[i]);
    const lg_real *g = u->g[i] ? u->g[i]->data + from : NULL;
    lg_real own[OPTIM_BLOCK], *saved = NULL;
    bool wide = o->type->update_avx2 && o->engine->cpu >= LGI_AVX2;
    lgi_run r = {.n = n, .p = o->param[i]->data + from,
                 .factors = o->factors + (size_t)i * LGI_MAX_FACTORS};
    for (int k = 0; k < o->nstate; k++)
        if (o->state[i * o->nstate + k])
            r.state[o->which[k]] = o->state[i * o->nstate + k]->data + from;
    if (o->type->extrapolates)
        saved = o->state[(i + 1) * o->nstate - 1]->data + from;
    if (g)
        r.g = ready_gradient(u, a, g, r.p, n, own);
    ready_parameter(u, a, r.p, saved, n, g != NULL);
    if (!g)
        return 0;
    (wide ? o->type->update_avx2 : o->type->update)(&r);
    return sum_squares(g, n);          /* here: now it is in the cache */
}

static void update_piece(void *job, int64_t piece, int worker)
{
    const update *u = job;
    int i = param_of_piece(u->o, piece);
    int64_t n, from = piece_bounds(u->o, i, piece, &n);
    double sum = 0;
    (void)worker;
    u->o->done[piece] = true;
    uint64_t was = lgi_flush_subnormals();     /* moments of what has no gradient */
    for (int64_t k = 0; k < n; k += OPTIM_BLOCK)
        sum += update_block(u, i, from + k, n - k < OPTIM_BLOCK ? n - k : OPTIM_BLOCK);
    lgi_keep_subnormals(was);
    u->o->partial[piece] = sum;
}

static double norm_of_partials(const lgi_optim *o)
{
    double sum = 0;
    for (int64_t k = 0; k < o->first[o->nparam]; k++)
        sum += o->partial[k];
    return sqrt(sum);
}

/* The factor that brings the norm of all gradients down to clip_norm, as PyTorch's. */
static lg_status find_scale(update *u, double clip_norm)
{
    lgi_optim *o = u->o;
    lg_engine *E = o->engine;
    if (clip_norm <= 0)
        return LG_OK;
    lgi_parallel(E, o->first[o->nparam], square_piece, u);
    if (lgi_interrupted(E) < 0)
        return E->status;
    double scale = clip_norm / (norm_of_partials(o) + 1e-6);
    if (!(scale > 1))                  /* a NaN goes on, too */
        u->scale = scale;
    return LG_OK;
}

static bool shares_numbers(const lgi_optim *o, const lg_tensor *g)
{
    for (int i = 0; i < o->nparam * (1 + o->nstate); i++) {
        const lg_tensor *t = i < o->nparam ? o->param[i] : o->state[i - o->nparam];
        if (t && t->buffer == g->buffer)
            return true;
    }
    return false;
}

static lg_status check_clip(const lgi_optim *o, double clip_norm)
{
    const char *name = clip_norm >= 0 ? "clip_value" : "clip_norm";
    double value = clip_norm >= 0 ? o->clip_value : clip_norm;
    if (value >= 0)
        return LG_OK;
    return lgi_fail(o->engine, LG_EARG, "%s: %s must be a positive number, not %g",
                    o->type->name, name, value);
}

/* The halves of a step come in turn. */
static lg_status check_half(const lgi_optim *o, bool ahead)
{
    const char *name = o->type->name;
    if (ahead && !o->type->extrapolates)
        return lgi_fail(o->engine, LG_ESTATE, "%s: its steps have no first half; "
                        "ExtraAdam and ExtraSGD extrapolate", name);
    if (ahead && o->ahead)
        return lgi_fail(o->engine, LG_ESTATE, "%s: extrapolate was called twice; after "
                        "it comes minimize, or step, with a loss computed anew", name);
    if (!ahead && o->type->extrapolates && !o->ahead)
        return lgi_fail(o->engine, LG_ESTATE, "%s: a step has two halves: "
                        "opt:extrapolate(loss) comes before this one, and the loss is "
                        "computed anew for each", name);
    return LG_OK;
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

/* Counts the update for each parameter that takes part, and prepares it. In float counts
 * stay at 2^24, where no formula changes any more. */
static void prepare_update(const update *u)
{
    lgi_optim *o = u->o;
    for (int i = 0; i < o->nparam; i++) {
        double number = o->number ? (double)o->number->data[i] : 1;
        if (!u->g[i])
            continue;
        o->steps->data[i] += 1;
        o->type->prepare(lgi_optim_attr(o, o->group[i]), (int64_t)o->steps->data[i],
                         &number, o->factors + (size_t)i * LGI_MAX_FACTORS);
        if (o->number)
            o->number->data[i] = (lg_real)number;
    }
}

/* Tells the profile of an update: parameters and states are read and written. */
static void profile_update(const lgi_optim *o, lg_tensor *const *g, double start)
{
    int64_t numbers = 0;
    for (int i = 0; i < o->nparam; i++)
        numbers += g[i] ? o->param[i]->numel : 0;
    lgi_profile_add(o->engine, o->type, o->type->name, start, 0,
                    (double)numbers * (3 + 2 * o->nstate) * sizeof(lg_real), 0);
}

static lg_status update_all(lgi_optim *o, lg_tensor *const *g, double clip_norm,
                            bool ahead)
{
    lg_engine *E = o->engine;
    double start = lgi_profile_start(E);
    update u = {o, g, 1, ahead};
    int64_t pieces = o->first[o->nparam];
    if (E->status < 0 || check_clip(o, clip_norm) < 0 || check_half(o, ahead) < 0
        || check_grads(E, o, g) < 0 || find_scale(&u, clip_norm) < 0
        || lgi_interrupted(E) < 0)
        return E->status;
    prepare_update(&u);
    memset(o->done, 0, (size_t)pieces);
    lgi_parallel(E, pieces, update_piece, &u);
    for (int64_t k = 0; k < pieces; k++)       /* an interrupt skips pieces, but an update
                                                  is whole or not at all */
        if (!o->done[k])
            update_piece(&u, k, 0);
    for (int i = 0; i < o->nparam; i++)
        if (g[i] || o->type->extrapolates)
            o->param[i]->buffer->version++;
    o->norm = norm_of_partials(o);
    o->step += !ahead;
    o->ahead = ahead;
    if (E->profile)
        profile_update(o, g, start);
    return LG_OK;
}

lg_status lgi_step(lgi_optim *o, lg_tensor *const *g, double clip_norm)
{
    return update_all(o, g, clip_norm, false);
}

lg_status lgi_extrapolate(lgi_optim *o, lg_tensor *const *g, double clip_norm)
{
    return update_all(o, g, clip_norm, true);
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

static lg_status update_by(lgi_optim *o, lg_tensor *loss, double clip_norm, bool ahead,
                           double *value, int *missed)
{
    lg_engine *E = o->engine;
    size_t bytes = (size_t)o->nparam * sizeof(lg_tensor *);
    if (!loss || E->status < 0)
        return E->status < 0 ? E->status : lgi_fail(E, LG_EARG, "minimize: there is no "
                                                    "loss");
    if (loss->numel != 1)
        return lgi_fail(E, LG_ESHAPE, "minimize needs a scalar loss, got %s; call "
                        ":mean() first", LGI_SHAPE(loss));
    if (check_clip(o, clip_norm) < 0 || check_half(o, ahead) < 0)   /* before the history
                                                                       is let go */
        return E->status;
    *value = (double)loss->data[0];
    lg_tensor **g = lgi_alloc(E, bytes);
    if (!g)
        return E->status;
    int scope = lg_open_scope(E);
    if (lg_grad(E, loss, NULL, o->nparam, o->param, LG_ALLOW_UNUSED, g) == LG_OK
        && count_missed(o, g, missed) == LG_OK)
        update_all(o, g, clip_norm, ahead);
    lg_close_scope(E, scope);
    lgi_free(E, g, bytes);
    return E->status;
}

lg_status lgi_minimize(lgi_optim *o, lg_tensor *loss, double clip_norm, double *value,
                       int *missed)
{
    return update_by(o, loss, clip_norm, false, value, missed);
}

lg_status lgi_extrapolate_by(lgi_optim *o, lg_tensor *loss, double clip_norm,
                             double *value, int *missed)
{
    return update_by(o, loss, clip_norm, true, value, missed);
}
