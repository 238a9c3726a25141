/*
 * test_registry.c - what holds for every operator of the registry, whatever it computes:
 * each allocation may fail; the fast kernels agree with the plain ones; a tensor may
 * stand in two places; what may be written over is, and gives the same bits.
 */
#include "grad/check.h"
#include "failing.h"
#include "test.h"

#include <math.h>

/* The results of a sample, its gradients, and a sum of theirs. */
static lg_status second_order(lg_engine *E, lgi_sample *s)
{
    lg_tensor *leaf[LGI_MAX_IN], *wanted[LGI_MAX_IN], *g[LGI_MAX_IN], *sum = NULL;
    int n = 0, flags = LG_ALLOW_UNUSED | LG_CREATE_GRAPH;
    lg_tensor *y = lgi_apply_sample(E, s, UINT32_MAX, leaf);
    for (int i = 0; y && i < s->nin; i++)
        if (leaf[i] != s->in[i])
            wanted[n++] = leaf[i];
    lg_tensor *seed = y ? lg_full(E, y->ndim, y->dim, 0.7) : NULL;
    if (!seed || lg_grad(E, y, seed, n, wanted, flags, g) < 0)
        return E->status;
    for (int i = 0; i < n; i++) {
        lg_tensor *part = g[i] ? lgi_sum_dims(E, g[i], &(lgi_list){0}, false) : NULL;
        sum = sum && part ? lgi_add(E, sum, part) : part ? part : sum;
    }
    if (sum && sum->tracked)
        lg_grad(E, sum, NULL, n, wanted, LG_ALLOW_UNUSED, g);
    return E->status;
}

/* One engine an operator; each of its allocations fails once, until none is left to. */
static void check_allocations(const lg_op *op, int64_t *failures)
{
    failing f = {0, 0, false};
    lg_allocator a = {&f, failing_alloc, failing_free};
    lg_config c = LG_CONFIG_INIT;
    lg_engine *E;
    c.allocator = &a;
    c.no_cache = true;
    c.threads = 2;
    if (!check(lg_open(&E, &c) == LG_OK, "an engine"))
        return;
    for (int64_t at = 1; at < 100000; at++) {
        lgi_sample s;
        int scope = lg_open_scope(E);
        bool made = lgi_make_sample(E, op, op->samples[0], &s) == LG_OK;
        f.calls = 0;
        f.at = at;
        lg_status status = made ? second_order(E, &s) : E->status;
        bool ended = f.calls < at;
        f.at = 0;
        *failures += status < 0;
        check(status == LG_OK || (status == LG_ENOMEM && !ended),
              "%s, allocation %lld: status %d, %s", op->name, (long long)at, status,
              lg_message(E));
        lg_clear(E);
        lg_close_scope(E, scope);
        if (ended)
            break;
    }
    check(lg_close(E) == 0, "%s: memory is left", op->name);
}

static bool is_close(const lg_tensor *a, const lg_tensor *b)
{
    double most = 0, error = 0;
    for (int64_t i = 0; i < a->numel; i++) {
        double x = (double)a->data[i], y = (double)b->data[i];
        bool same = x == y || (isnan(x) && isnan(y));
        error = fmax(error, same ? 0 : fabs(x - y));
        most = fmax(most, isfinite(y) ? fabs(y) : 0);
    }
    return error <= (sizeof(lg_real) == 8 ? 1e-12 : 1e-5) * (1 + most);
}

static lg_engine *engine_for(lgi_cpu cpu)
{
    lg_engine *E = NULL;
    if (check(lg_open(&E, NULL) == LG_OK, "an engine"))
        E->cpu = cpu;
    return E;
}

static void check_kernels(const lg_op *op, const char *text)
{
    lg_engine *fast = engine_for(lgi_detect_cpu()), *plain = engine_for(LGI_PLAIN);
    lgi_sample s, t;
    lg_tensor *leaf[LGI_MAX_IN];
    lgi_make_sample(fast, op, text, &s);
    lgi_make_sample(plain, op, text, &t);
    lg_tensor *y = lgi_apply_sample(fast, &s, 0, leaf);
    lg_tensor *z = lgi_apply_sample(plain, &t, 0, leaf);
    check(!y == !z, "%s at '%s': refused by one kernel set", op->name, text);
    for (int k = 0; y && z && k < lgi_count_results(op); k++)
        check(is_close(&y[k], &z[k]), "%s at '%s': result %d of the fast kernels differs",
              op->name, text, k + 1);
    lg_close(fast);
    lg_close(plain);
}

/* op(x, x): its gradient is the sum of those of op(a, b), where a and b are equal. */
static void check_same_twice(lg_engine *E, const lg_op *op, const char *text)
{
    lgi_sample s;
    lg_tensor *leaf[LGI_MAX_IN], *g[2], *h;
    int scope = lg_open_scope(E);
    if (lgi_make_sample(E, op, text, &s) == LG_OK && s.nin >= 2 && s.in[0] && s.in[1]
        && s.smooth[0] && s.smooth[1] && lgi_same_dims(s.in[0], s.in[1])) {
        s.in[1] = s.in[0];
        lg_tensor *y = lgi_apply_sample(E, &s, 3, leaf);
        lg_tensor *seed = y ? lg_full(E, y->ndim, y->dim, 0.7) : NULL;
        if (seed && lg_grad(E, y, seed, 2, leaf, LG_ALLOW_UNUSED, g) == LG_OK) {
            lg_tensor *sum = g[0] && g[1] ? lgi_add(E, g[0], g[1]) : g[0] ? g[0] : g[1];
            lg_seed(E, 7);
            leaf[1] = leaf[0];
            y = lgi_apply(E, op, s.nin, leaf, s.attr);
            if (sum && y && lg_grad(E, y, seed, 1, leaf, 0, &h) == LG_OK)
                check(is_close(h, sum), "%s at '%s': one tensor twice", op->name, text);
        }
    }
    lg_clear(E);                       /* some refuse two equal inputs */
    lg_close_scope(E, scope);
}

static bool same_bits(const lg_tensor *a, const lg_tensor *b)
{
    return !a == !b && (!a || (lgi_same_dims(a, b)
           && memcmp(a->data, b->data, (size_t)a->numel * sizeof *a->data) == 0));
}

/* A tensor like x that nobody else holds. */
static lg_tensor *own_copy(lg_engine *E, const lg_tensor *x)
{
    int scope = lg_open_scope(E);
    lg_tensor *y = lg_retain(lg_from(E, x->ndim, x->dim, x->data));
    lg_close_scope(E, scope);
    return y;
}

/* Over an input that was given, unless the gradient reads that, too, or it is held. */
static void check_onto(lg_engine *E, const lg_op *op, const char *text)
{
    lgi_sample s;
    lg_tensor *leaf[LGI_MAX_IN], *in[LGI_MAX_IN], *y, *z;
    int scope = lg_open_scope(E);
    lgi_make_sample(E, op, text, &s);
    y = lgi_apply_sample(E, &s, 0, leaf);
    for (int how = 0; y && how < 3; how++) {
        memcpy(in, s.in, sizeof in);
        lg_tensor *x = in[0] = own_copy(E, s.in[0]);
        const lg_real *place = x->data;
        x->tracked = how == 1;
        if (how == 2)
            lg_retain(x);
        lgi_give(E, x);
        lg_seed(E, 7);
        z = lgi_apply(E, op, s.nin, in, s.attr);
        lgi_give(E, NULL);
        bool over = how == 0 || (how == 1 && !(op->needs & LGI_IN(0)));
        check(z && (z->data == place) == over, "%s at '%s': written %s its input",
              op->name, text, over ? "beside" : "over");
        lg_seed(E, 7);
        lg_tensor *w = lgi_apply(E, op, s.nin, s.in, s.attr);
        check(z && same_bits(z, w), "%s at '%s': other bits in place", op->name, text);
        if (how == 2)
            lg_release(x);
        lg_release(x);
    }
    lg_close_scope(E, scope);
}

/* The gradient for the result is nobody else's: a rule may write over it, but not where
 * a history is recorded. */
static void check_once(lg_engine *E, const lg_op *op, const char *text)
{
    lgi_sample s;
    lg_tensor *leaf[LGI_MAX_IN], *wanted[LGI_MAX_IN];
    lg_tensor *g[2][LGI_MAX_IN] = {0};
    int n = 0, scope = lg_open_scope(E);
    lgi_make_sample(E, op, text, &s);
    lg_tensor *y = lgi_apply_sample(E, &s, UINT32_MAX, leaf);
    lg_tensor *z = y && y->tracked ? lgi_affine(E, y, 0.7, 0) : NULL;
    for (int i = 0; z && i < s.nin; i++)
        if (leaf[i] != s.in[i])
            wanted[n++] = leaf[i];
    int flags = LG_ALLOW_UNUSED | LG_RETAIN_GRAPH;
    lg_tensor *seed = z ? lg_full(E, z->ndim, z->dim, 1) : NULL;
    if (z && check(lg_grad(E, z, seed, n, wanted, flags | LG_CREATE_GRAPH, g[0]) == LG_OK
                   && lg_grad(E, z, seed, n, wanted, flags, g[1]) == LG_OK,
                   "%s at '%s': %s", op->name, text, lg_message(E)))
        for (int i = 0; i < n; i++)
            check(same_bits(g[0][i], g[1][i]), "%s at '%s': gradient %d has other bits "
                  "in place", op->name, text, i + 1);
    lg_clear(E);
    lg_close_scope(E, scope);
}

int main(int argc, char **argv)
{
    int family = 0, member = 0;
    int64_t failures = 0;
    const lg_op *op;
    lg_engine *E;
    if (lg_open(&E, NULL) != LG_OK)
        return 1;
    while ((op = lgi_each_op(&family, &member))) {
        if (argc > 1 && strcmp(argv[1], op->name) != 0)
            continue;
        check_allocations(op, &failures);
        for (int i = 0; i < 8 && op->samples[i]; i++) {
            check_kernels(op, op->samples[i]);
            check_same_twice(E, op, op->samples[i]);
            check_once(E, op, op->samples[i]);
            if (op->onto)
                check_onto(E, op, op->samples[i]);
        }
    }
    lg_close(E);
    check(argc > 1 || failures > 5000, "%lld failures were tried", (long long)failures);
    printf("%lld failing allocations\n", (long long)failures);
    return report();
}
