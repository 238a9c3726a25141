/* test_grad.c - the gradient walk: what it visits, keeps, lets go, and says. */
#include "grad/check.h"
#include "failing.h"
#include "test.h"

#include <math.h>

static lg_tensor *call1(lg_engine *E, const char *op, lg_tensor *x,
                        const char *attributes)
{
    return lg_apply(E, lg_find_op(op), 1, &x, attributes);
}

static lg_tensor *call2(lg_engine *E, const char *op, lg_tensor *a, lg_tensor *b)
{
    return lg_apply(E, lg_find_op(op), 2, (lg_tensor *[]){a, b}, NULL);
}

static lg_tensor *leaf(lg_engine *E, double value)
{
    return lg_track(E, lg_scalar(E, value));
}

static void test_orders(lg_engine *E)
{
    lg_tensor *x = leaf(E, 1.5), *g = call2(E, "mul", x, call2(E, "mul", x, x));
    static const double expected[] = {3 * 1.5 * 1.5, 6 * 1.5, 6};
    for (int order = 0; order < 3; order++) {
        check(lg_grad(E, g, NULL, 1, &x, LG_CREATE_GRAPH, &g) == LG_OK, "%s",
              lg_message(E));
        check(fabs(*lg_data(g) - expected[order]) < 1e-5, "derivative %d of x^3: %g",
              order + 1, (double)*lg_data(g));
    }
    lg_tensor *w[2] = {x, leaf(E, 2)}, *out[2], *y = call2(E, "mul", w[0], w[1]);
    check(lg_grad(E, y, NULL, 2, w, 0, out) == LG_OK && *lg_data(out[0]) == 2
          && *lg_data(out[1]) == 1.5, "two at once, in their order");
    y = call2(E, "add", x, x);
    check(lg_grad(E, y, NULL, 1, &x, 0, out) == LG_OK && *lg_data(*out) == 2,
          "used twice");
    y = call1(E, "exp", x, NULL);
    lg_tensor *z = call2(E, "mul", y, y);
    check(lg_grad(E, z, NULL, 1, &y, 0, out) == LG_OK
          && fabs(*lg_data(*out) - 2 * exp(1.5)) < 1e-4,
          "by a result within the history");
    y = call1(E, "sign", x, NULL);
    check(lg_grad(E, y, NULL, 1, &x, 0, out) == LG_OK && *lg_data(*out) == 0,
          "zero where it is zero: %s", lg_message(E));
}

static void expect_failure(lg_engine *E, lg_status status, const char *part)
{
    check(lg_failure(E) == status, "status %d, not %d", lg_failure(E), status);
    check_text(lg_message(E), part);
    lg_clear(E);
}

static void test_messages(lg_engine *E)
{
    lg_tensor *x = leaf(E, 1), *other = leaf(E, 2), *out, *y = call1(E, "exp", x, NULL);
    lg_grad(E, y, NULL, 1, &other, 0, &out);
    expect_failure(E, LG_EARG,
                   "the result does not depend on tensor 1 of those asked for, {}");
    check(lg_grad(E, y, NULL, 1, &other, LG_ALLOW_UNUSED, &out) == LG_OK && !out,
          "or NULL");
    y = call1(E, "exp", x, NULL);
    check(lg_grad(E, y, NULL, 1, &x, LG_RETAIN_GRAPH, &out) == LG_OK,
          "keeping the history");
    check(lg_grad(E, y, NULL, 1, &x, 0, &out) == LG_OK, "a second walk");
    lg_grad(E, y, NULL, 1, &x, 0, &out);
    expect_failure(E, LG_ESTATE, "was let go by an earlier grad or minimize");
    lg_grad(E, lg_scalar(E, 1), NULL, 1, &x, 0, &out);
    expect_failure(E, LG_EARG, "the result has no history");
    lg_tensor *v = lg_track(E, lg_randn(E, 2, (int64_t[]){2, 3}));
    lg_grad(E, call1(E, "exp", v, NULL), NULL, 1, &v, 0, &out);
    expect_failure(E, LG_ESHAPE,
                   "needs a result of one element, got {2,3}; call :mean()");
    lg_grad(E, call1(E, "exp", v, NULL), lg_zeros(E, 1, (int64_t[]){6}), 1, &v, 0, &out);
    expect_failure(E, LG_ESHAPE, "the seed is {6}, and the result {2,3}");
    y = call1(E, "sum", call2(E, "mul", v, v), NULL);
    lg_copy(E, v, lg_zeros(E, 2, (int64_t[]){2, 3}));
    lg_grad(E, y, NULL, 1, &v, 0, &out);
    expect_failure(E, LG_ESTATE, "which the gradient of mul needs, was changed since");
    lg_tensor *e = call1(E, "exp", v, NULL);
    lg_copy(E, e, lg_zeros(E, 2, (int64_t[]){2, 3}));
    lg_grad(E, call1(E, "sum", e, NULL), NULL, 1, &v, 0, &out);
    expect_failure(E, LG_ESTATE, "the result {2,3}, which the gradient of exp needs");
    lg_copy(E, v, lg_zeros(E, 1, (int64_t[]){6}));
    expect_failure(E, LG_ESHAPE, "copy: the target is {2,3} and the source {6}");
}

/* The walk asks only for what lies between: a failing branch elsewhere is never seen. */
static void test_pruning(lg_engine *E)
{
    lg_tensor *x = leaf(E, 1), *w = leaf(E, 3), *out;
    lg_tensor *far = call1(E, "exp", w, NULL);
    lg_tensor *y = call2(E, "mul", far, x);
    check(lg_grad(E, y, NULL, 1, &x, 0, &out) == LG_OK, "by x alone");
    check(lg_grad(E, far, NULL, 1, &w, 0, &out) == LG_OK,
          "what the first walk did not visit still has its history: %s", lg_message(E));
}

/* What was asked for keeps its own history: only what leads to it is let go. */
static void test_wanted_history(lg_engine *E)
{
    lg_tensor *x = leaf(E, 3), *out, *h = call2(E, "mul", x, x);
    check(lg_grad(E, call2(E, "mul", h, h), NULL, 1, &h, 0, &out) == LG_OK
          && *lg_data(out) == 18, "by a result");
    check(lg_grad(E, call1(E, "neg", h, NULL), NULL, 1, &x, 0, &out) == LG_OK
          && *lg_data(out) == -6, "whose history stands: %s", lg_message(E));
}

static void test_strangers(lg_engine *E)
{
    lg_engine *F;
    lg_tensor *x = leaf(E, 3);
    if (!check(lg_open(&F, NULL) == LG_OK, "another engine"))
        return;
    check(!lg_detach(F, x), "detach refuses another engine's tensor");
    check_text(lg_message(F), "detach: the tensor belongs to another engine");
    lg_clear(F);
    check(!call1(F, "neg", x, NULL), "an operator does, too");
    check_text(lg_message(F), "neg: x belongs to another engine");
    check(lg_close(F) == 0, "nothing is left");
    lg_interrupt(E);
    uint64_t drawn = E->drawn;
    check(!lg_randn(E, 1, (int64_t[]){5}) && E->drawn == drawn, "an interrupted draw");
    expect_failure(E, LG_EINTERRUPT, "interrupted");
}

/* Numbers that no gradient reads are freed while the graph stands. */
static void test_needs(lg_engine *E)
{
    enum { N = 1 << 16 };
    lg_tensor *x = lg_track(E, lg_zeros(E, 1, (int64_t[]){N}));
    int64_t before = lg_bytes(E);
    int scope = lg_open_scope(E);
    lg_tensor *y = x;
    for (int i = 0; i < 20; i++)
        y = call1(E, "neg", y, NULL);
    lg_retain(y);
    lg_close_scope(E, scope);
    int64_t each = N * (int64_t)sizeof(lg_real);
    check(lg_bytes(E) - before < 2 * each, "20 of neg hold one result: %.1f",
          (double)(lg_bytes(E) - before) / (double)each);
    lg_release(y);
}

static void test_depth(lg_engine *E)
{
    int scope = lg_open_scope(E);
    lg_tensor *x = leaf(E, 1), *y = lg_retain(x), *out;
    for (int i = 0; i < 1000000 && y; i++) {
        int inner = lg_open_scope(E);
        lg_tensor *z = lg_retain(lgi_neg(E, y));
        lg_release(y);
        y = z;
        lg_close_scope(E, inner);
    }
    check(lg_grad(E, y, NULL, 1, &x, LG_RETAIN_GRAPH, &out) == LG_OK
          && *lg_data(out) == 1, "a million operators deep: %s", lg_message(E));
    lg_release(y);                     /* and freed without recursion */
    lg_close_scope(E, scope);
}

/* Two dense layers, a loss, second order and all, as C: for failing allocations. */
static lg_status small_step(lg_engine *E)
{
    lg_tensor *x = lg_randn(E, 2, (int64_t[]){5, 4}), *w[2], *g[2], *h[2];
    w[0] = lg_track(E, lg_randn(E, 2, (int64_t[]){4, 6}));
    w[1] = lg_track(E, lg_randn(E, 2, (int64_t[]){6, 1}));
    lg_tensor *y = call2(E, "matmul", x, w[0]);
    y = call2(E, "matmul", call1(E, "tanh", call1(E, "batch_norm", y, NULL), NULL), w[1]);
    lg_tensor *loss = call1(E, "mean", call1(E, "softplus", y, NULL), NULL);
    lg_grad(E, loss, NULL, 2, w, LG_CREATE_GRAPH, g);
    lg_tensor *norm = call1(E, "sum", call1(E, "square", g[0], NULL), NULL);
    return lg_grad(E, norm, NULL, 2, w, 0, h);
}

static void test_allocations(bool for_ever)
{
    int64_t failures = 0;
    for (int64_t at = 1; at < 100000; at++) {
        failing f = {0, at, for_ever};
        lg_allocator a = {&f, failing_alloc, failing_free};
        lg_config c = LG_CONFIG_INIT;
        lg_engine *E;
        c.allocator = &a;
        c.no_cache = true;
        if (lg_open(&E, &c) != LG_OK)
            continue;
        int scope = lg_open_scope(E);
        lg_status status = small_step(E);
        lg_close_scope(E, scope);
        bool ended = f.calls < at;
        failures += status < 0;
        check(status == LG_OK || status == LG_ENOMEM, "allocation %lld: status %d",
              (long long)at, status);
        check(status < 0 || ended || !for_ever, "allocation %lld was missed",
              (long long)at);
        f.at = 0;
        f.for_ever = false;
        lg_clear(E);
        check(small_step(E) == LG_OK, "the engine works again: %s", lg_message(E));
        check(lg_close(E) == 0, "allocation %lld: memory is left", (long long)at);
        if (ended)
            break;
    }
    check(failures > 300, "%lld failures were tried", (long long)failures);
}

int main(void)
{
    lg_engine *E;
    if (lg_open(&E, NULL) != LG_OK)
        return 1;
    test_orders(E);
    test_messages(E);
    test_pruning(E);
    test_wanted_history(E);
    test_strangers(E);
    test_needs(E);
    test_depth(E);
    check(lg_failure(E) == LG_OK, "%s", lg_message(E));
    check(lg_close(E) == 0, "nothing is left");
    test_allocations(false);
    test_allocations(true);
    return report();
}
