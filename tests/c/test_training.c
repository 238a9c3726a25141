/*
 * test_training.c - a whole training step, as C: layers, losses, gradients, optimizers.
 *
 * The same bits on 1 and 4 threads and by every kernel set's own measure; each allocation
 * failing in turn, once and for ever; an interrupt at any moment. After each failure the
 * parameters are as they were, the engine works again, and nothing is left.
 */
#include "base/memory.h"
#include "nn/layer.h"
#include "optim/optim.h"
#include "failing.h"
#include "test.h"


enum { BATCH = 5, LAYERS = 8 };

typedef struct net {
    lgi_layer *layer[LAYERS];
    int n;
    lgi_optim *optimizer;
} net;

static bool add_layer(lg_engine *E, net *m, const char *type, const char *options)
{
    const lgi_layer_type *t = lgi_find_layer(type);
    lgi_signature s;
    size_t bytes;
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    if (!t || !lgi_layer_options(t, &s, &bytes)
        || lgi_parse_attrs(E, type, &s, options, attr) < 0)
        return false;
    lgi_layer *l = lgi_new_layer(E, t, attr);
    if (l)
        snprintf(l->path, sizeof l->path, "N.%d", m->n + 1);
    return l && (m->layer[m->n++] = l);
}

static lg_tensor *run_net(lg_engine *E, net *m, lg_tensor *x)
{
    for (int i = 0; i < m->n && x; i++)
        x = lgi_run_layer(E, m->layer[i], x);
    return x;
}

static lg_tensor *net_loss(lg_engine *E, net *m)
{
    lg_tensor *x = lg_randn(E, 4, (int64_t[]){BATCH, 1, 8, 8}), *y = run_net(E, m, x);
    lg_tensor *both[] = {y, lg_scalar(E, 1)};
    return y ? lg_apply(E, lg_find_op("bce_with_logits"), 2, both, NULL) : NULL;
}

/* Layers exist, parameters do, and the optimizer has them. */
static bool build_net(lg_engine *E, net *m, const char *optimizer)
{
    lg_tensor *param[32];
    int n = 0, family = 0, member = 0;
    lgi_signature s;
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    const lgi_optim_type *o;
    memset(m, 0, sizeof *m);
    if (!add_layer(E, m, "Conv2d", "out=6, kernel=4, stride=2, padding=1")
        || !add_layer(E, m, "BatchNorm", "") || !add_layer(E, m, "LeakyReLU", "")
        || !add_layer(E, m, "ConvTranspose2d", "out=3, kernel=4, stride=2, padding=1")
        || !add_layer(E, m, "Dropout", "") || !add_layer(E, m, "Flatten", "")
        || !add_layer(E, m, "Linear", "out=1") || !net_loss(E, m))
        return false;
    for (int i = 0; i < m->n; i++)
        for (int k = 0; k < m->layer[i]->nparam; k++)
            if (!m->layer[i]->param[k].buffer)
                param[n++] = m->layer[i]->param[k].value;
    while ((o = lgi_each_optim(&family, &member)) && strcmp(o->name, optimizer) != 0)
        continue;
    if (!o || !lgi_read_signature(o->args, &s)
        || lgi_parse_attrs(E, o->name, &s, "lr=0.01", attr) < 0)
        return false;
    m->optimizer = lgi_new_optim(E, o, attr, n, param);
    return m->optimizer != NULL;
}

static void close_net(net *m)
{
    if (m->optimizer)
        lgi_close_optim(m->optimizer);
    for (int i = 0; i < m->n; i++)
        lgi_release_layer(m->layer[i]);
}

static lg_status train_step(lg_engine *E, net *m, double *value)
{
    int scope = lg_open_scope(E), missed;
    lg_tensor *loss = net_loss(E, m);
    if (loss)
        lgi_minimize(m->optimizer, loss, 1, value, &missed);
    lg_close_scope(E, scope);
    return E->status;
}

/* FNV over all parameters and what the optimizer keeps: a fingerprint of the bits. */
static uint64_t fingerprint(const net *m)
{
    uint64_t h = 0xcbf29ce484222325u;
    const lgi_optim *o = m->optimizer;
    for (int i = 0; i < o->nparam * (1 + o->nstate); i++) {
        const lg_tensor *t = i < o->nparam ? o->param[i] : o->state[i - o->nparam];
        const unsigned char *p = (const unsigned char *)t->data;
        for (size_t k = 0; k < (size_t)t->numel * sizeof(lg_real); k++)
            h = (h ^ p[k]) * 0x100000001b3u;
    }
    return h;
}

static void test_bits(const char *optimizer)
{
    uint64_t first = 0;
    for (int threads = 1; threads <= 4; threads++) {
        lg_config c = LG_CONFIG_INIT;
        lg_engine *E;
        net m;
        double value = 0, start = 0;
        c.threads = threads;
        if (!check(lg_open(&E, &c) == LG_OK && build_net(E, &m, optimizer), "a net"))
            return;
        for (int i = 0; i < 20; i++) {
            check(train_step(E, &m, &value) == LG_OK, "%s", lg_message(E));
            start = i == 0 ? value : start;
        }
        first = threads == 1 ? fingerprint(&m) : first;
        check(value < start, "%s: the loss falls: %g, then %g", optimizer, start, value);
        check(fingerprint(&m) == first, "%s: the same bits on %d threads", optimizer,
              threads);
        close_net(&m);
        check(lg_close(E) == 0, "nothing is left");
    }
}

/* One step with the at-th allocation failing. True when there were fewer than at. */
static bool fail_at(int64_t at, bool for_ever, int64_t *failures)
{
    failing f = {0, 0, for_ever};
    lg_allocator a = {&f, failing_alloc, failing_free};
    lg_config c = LG_CONFIG_INIT;
    lg_engine *E;
    net m;
    double value;
    c.allocator = &a;
    c.no_cache = true;
    c.threads = 2;
    if (!check(lg_open(&E, &c) == LG_OK && build_net(E, &m, "Adam"), "a net"))
        return true;
    uint64_t before = fingerprint(&m), drawn = E->drawn;
    f.calls = 0;
    f.at = at;
    lg_status status = train_step(E, &m, &value);
    bool ended = f.calls < at;
    f.at = 0;
    if (status < 0) {
        ++*failures;
        check(status == LG_ENOMEM, "allocation %lld: status %d", (long long)at, status);
        check_text(lg_message(E), "out of memory");
        check(fingerprint(&m) == before, "allocation %lld: parameters as they were",
              (long long)at);
        check(m.optimizer->step == 0, "and the step count");
    }
    lg_clear(E);
    E->drawn = drawn;
    check(train_step(E, &m, &value) == LG_OK, "the engine works again: %s",
          lg_message(E));
    close_net(&m);
    check(lg_close(E) == 0, "allocation %lld: memory is left", (long long)at);
    return ended;
}

static void test_allocations(bool for_ever)
{
    int64_t failures = 0, at = 1;
    while (!fail_at(at, for_ever, &failures) && at < 100000)
        at++;
    check(failures > 100, "%lld failures were tried", (long long)failures);
}

static void test_interrupt(void)
{
    lg_engine *E;
    net m;
    double value;
    if (!check(lg_open(&E, NULL) == LG_OK && build_net(E, &m, "SGD"), "a net"))
        return;
    uint64_t before = fingerprint(&m);
    lg_interrupt(E);
    check(train_step(E, &m, &value) == LG_EINTERRUPT, "an interrupted step");
    check(fingerprint(&m) == before, "leaves the parameters as they were");
    lg_clear(E);
    check(train_step(E, &m, &value) == LG_OK, "and the next one works");
    close_net(&m);
    check(lg_close(E) == 0, "nothing is left");
}

int main(void)
{
    test_bits("Adam");
    test_bits("SGD");
    test_interrupt();
    test_allocations(false);
    test_allocations(true);
    return report();
}
