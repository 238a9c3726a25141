/* apply.c - one operator, applied: check, allocate, compute, remember. */
#include "base/memory.h"
#include "base/profile.h"
#include "op/op.h"

#include <string.h>

lg_status lgi_zero_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                        lg_tensor **g, lg_tensor **out)
{
    (void)E, (void)n, (void)wanted, (void)g, (void)out;
    return LG_OK;
}

int lgi_count_results(const lg_op *op)
{
    int n = 1;
    for (const char *s = op->results ? op->results : ""; *s; s++)
        n += *s == ',' || *s == ';';
    return n;
}

int lgi_count_returned(const lg_op *op)
{
    int n = 1;
    for (const char *s = op->results ? op->results : ""; *s && *s != ';'; s++)
        n += *s == ',';
    return n;
}

/* The node's arrays follow it in its block. */
static lgi_node *bare_node(lg_engine *E, const lg_op *op, int nin, lg_tensor *const *in,
                           const void *attr)
{
    size_t inputs = (size_t)nin * sizeof *in, versions = (size_t)nin * sizeof(uint64_t);
    size_t bytes = sizeof(lgi_node) + inputs + versions + op->attr_bytes;
    lgi_node *n = lgi_alloc(E, bytes);
    if (!n)
        return NULL;
    memset(n, 0, sizeof *n);
    n->op = op;
    n->nin = nin;
    n->bytes = bytes;
    n->in = (lg_tensor **)(n + 1);
    n->version = (uint64_t *)(n->in + nin);
    n->attr = n->version + nin;
    memcpy(n->in, in, inputs);
    if (op->attr_bytes && attr)
        memcpy(n->attr, attr, op->attr_bytes);
    else
        memset(n->attr, 0, op->attr_bytes);
    return n;
}

lgi_node *lgi_new_node(lg_engine *E, const lg_op *op, int nin, lg_tensor *const *in,
                       const void *attr)
{
    lgi_node *n = bare_node(E, op, nin, in, attr);
    if (!n)
        return NULL;
    n->nout = lgi_count_results(op);
    n->out = lgi_new(E, n->nout);
    if (n->out)
        return n;
    lgi_free(E, n, n->bytes);
    return NULL;
}

void lgi_discard_node(lg_engine *E, lgi_node *n)
{
    for (int k = 0; k < n->nout; k++)
        lg_release(&n->out[k]);
    lgi_free(E, n, n->bytes);
}

/* Inputs are there, belong to this engine, and still have their numbers. */
static lg_status check_inputs(lg_engine *E, const lgi_node *n)
{
    char name[16];
    for (int i = 0; i < n->nin; i++) {
        const lg_tensor *x = n->in[i];
        if (x && x->engine != E)
            return lgi_fail(E, LG_EARG, "%s: %s belongs to another engine", n->op->name,
                            lgi_input_name(n, i, name));
        if (x && !x->buffer)
            return lgi_fail(E, LG_ESTATE, "%s: the numbers of %s were let go; the "
                            "operator whose gradient reads them must name them in needs",
                            n->op->name, lgi_input_name(n, i, name));
    }
    return LG_OK;
}

static bool is_tracked(const lg_engine *E, const lgi_node *n)
{
    bool tracked = false;
    for (int i = 0; i < n->nin; i++)
        tracked |= n->in[i] && n->in[i]->tracked;
    return tracked && E->recording && n->op->grad;
}

void lgi_give(lg_engine *E, const lg_tensor *x) { E->given = x; }

/* Does result 0 get the place of input 0, whose numbers nobody else will read? */
static bool goes_onto(const lg_engine *E, const lgi_node *n)
{
    const lg_tensor *x = n->in[0];
    if (!n->op->onto || !x || x != E->given || E->anomaly)
        return false;
    for (int i = 1; i < n->nin; i++)
        if (n->in[i] && n->in[i]->buffer == x->buffer)
            return false;
    bool read_again = n->op->needs & LGI_IN(0) && is_tracked(E, n);
    bool plain = x->buffer->refs == 1 && x->buffer->version == 0 && !x->buffer->kept;
    return x->uses == 1 && plain && x->numel == n->out->numel && !read_again;
}

/* Runs forward on results that have their shapes. */
static lg_status compute(lg_engine *E, lgi_node *n)
{
    const lg_op *op = n->op;
    if (goes_onto(E, n))
        lgi_share(n->out, n->in[0], 0);
    for (int k = 0; k < n->nout; k++)
        if (!n->out[k].buffer && lgi_allocate(&n->out[k]) < 0)
            return E->status;
    if (!op->forward && !op->attempt)
        return LG_OK;
    size_t bytes = op->workspace ? op->workspace(E, n) : 0;
    void *workspace = bytes ? lgi_alloc(E, bytes) : NULL;
    if (bytes && !workspace)
        return E->status;
    lg_status status = op->attempt ? op->attempt(E, n, workspace)
                                   : lgi_run_forward(E, n, workspace);
    lgi_free(E, workspace, bytes);
    if (status < 0 || lgi_interrupted(E) < 0)
        return E->status;
    return E->anomaly ? lgi_check_anomaly(E, n) : LG_OK;
}

/* Keeps the node as the history of its results, with what its gradient will read. */
static void record(lgi_node *n)
{
    n->needs = n->op->needs;
    n->out->node = n;
    for (int k = 0; k < n->nout; k++) {
        n->out[k].tracked = true;
        if (lgi_keeps_out(n, k))
            lgi_use(&n->out[k]);
    }
    for (int i = 0; i < n->nin; i++) {
        lg_tensor *x = n->in[i];
        if (!x)
            continue;
        lgi_hold(x);
        n->version[i] = x->buffer->version;
        if (lgi_keeps_in(n, i))
            lgi_use(x);
    }
}

lg_status lgi_note_tensor(lg_engine *E, lgi_noted *to, lg_tensor *x)
{
    for (int64_t i = 0; i < to->n; i++)
        if (to->at[i] == x)
            return LG_OK;
    if (to->n == to->cap) {
        int64_t more = to->cap ? 2 * to->cap : 16;
        lg_tensor **p = lgi_resize(E, to->at, (size_t)to->cap * sizeof *p,
                                   (size_t)more * sizeof *p);
        if (!p)
            return E->status;
        to->at = p;
        to->cap = more;
    }
    to->at[to->n++] = lg_retain(x);
    return LG_OK;
}

static lg_status note_inputs(lg_engine *E, const lgi_node *n)
{
    for (int i = 0; E->noted && !E->recording && i < n->nin && E->status == LG_OK; i++)
        if (n->in[i] && n->in[i]->tracked)
            lgi_note_tensor(E, E->noted, n->in[i]);
    return E->status;
}

/* What is only looked at in another way costs nothing. */
static double count_flops(const lgi_node *n)
{
    const lg_op *op = n->op;
    if (op->flops)
        return op->flops(n);
    return op->forward || op->attempt ? (double)n->out->numel : 0;
}

/* Tells the profile of what was computed. A view moves no bytes. */
static void profile_node(lg_engine *E, const lgi_node *n, double start)
{
    int64_t read = 0, made = 0;
    bool moves = n->op->forward || n->op->attempt;
    size_t workspace = moves && n->op->workspace ? n->op->workspace(E, n) : 0;
    for (int i = 0; moves && i < n->nin; i++)
        read += n->in[i] ? n->in[i]->numel : 0;
    for (int k = 0; moves && k < n->nout; k++)
        made += n->out[k].numel;
    int64_t size = (int64_t)sizeof(lg_real);
    lgi_profile_add(E, n->op, n->op->name, start, count_flops(n),
                    (double)((read + made) * size), made * size + (int64_t)workspace);
}

/* The results of a node that is computed; there is room in the scope. */
static lg_tensor *finish(lg_engine *E, lgi_node *n, double start)
{
    lg_tensor *y = n->out;
    int nout = n->nout;
    if (n == E->ready)
        E->ready = NULL;
    E->flops += count_flops(n);
    if (E->profile)
        profile_node(E, n, start);
    if (is_tracked(E, n))
        record(n);
    else
        lgi_free(E, n, n->bytes);
    for (int k = 0; k < nout; k++)
        lgi_scoped(E, &y[k]);
    return y;
}

lg_tensor *lgi_apply(lg_engine *E, const lg_op *op, int nin, lg_tensor *const *in,
                     const void *attr)
{
    double start = E->profile ? lgi_profile_start(E) : 0;
    uint64_t drawn = E->drawn;
    lgi_node *ready = E->status < 0 ? NULL : lgi_ready_node(E, op, nin, in), *n = ready;
    if (!n && E->status == LG_OK)
        n = lgi_new_node(E, op, nin, in, attr);
    if (!n)
        return NULL;
    bool made = check_inputs(E, n) == LG_OK && note_inputs(E, n) == LG_OK
                && (ready || op->shape(E, n) == LG_OK)
                && lgi_reserve_scope(E, n->nout) == LG_OK
                && (ready || compute(E, n) == LG_OK);
    if (made)
        return finish(E, n, start);
    if (!ready) {                      /* what is ready stays so, for another try */
        lgi_discard_node(E, n);
        E->drawn = drawn;
    }
    return NULL;
}

lg_tensor *lgi_apply1(lg_engine *E, const lg_op *op, lg_tensor *x, const void *attr)
{
    return x ? lgi_apply(E, op, 1, &x, attr) : NULL;
}

lg_tensor *lgi_apply2(lg_engine *E, const lg_op *op, lg_tensor *a, lg_tensor *b,
                      const void *attr)
{
    return a && b ? lgi_apply(E, op, 2, (lg_tensor *[]){a, b}, attr) : NULL;
}

lg_tensor *lg_apply(lg_engine *E, const lg_op *op, int n, lg_tensor *const *in,
                    const char *attributes)
{
    lgi_signature s;
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    if (E->status < 0)
        return NULL;
    if (!op || !lgi_read_signature(op->args, &s)) {
        lgi_fail(E, LG_EARG, "apply: there is no such operator");
        return NULL;
    }
    if (n < s.required || (n > s.nin && !s.listed)) {
        lgi_fail(E, LG_EARG, "%s takes (%s), and got %d tensors", op->name, op->args, n);
        return NULL;
    }
    for (int i = 0; i < n; i++)
        if (!in[i] && (i < s.required || s.listed))
            return NULL;               /* a NULL flows through */
    if (lgi_parse_attrs(E, op->name, &s, attributes ? attributes : "", attr) < 0)
        return NULL;
    lg_tensor *all[LGI_MAX_IN] = {0};  /* absent optional inputs are NULL */
    if (s.listed)
        return lgi_apply(E, op, n, in, attr);
    for (int i = 0; i < n; i++)
        all[i] = in[i];
    return lgi_apply(E, op, s.nin, all, attr);
}

const lg_op *lgi_each_op(int *family, int *member)
{
    for (; lgi_op_families[*family]; ++*family, *member = 0)
        if (lgi_op_families[*family][*member])
            return lgi_op_families[*family][(*member)++];
    return NULL;
}

const lg_op *lg_find_op(const char *name)
{
    int family = 0, member = 0;
    const lg_op *op;
    while ((op = lgi_each_op(&family, &member)))
        if (strcmp(op->name, name) == 0)
            break;
    return op;
}
