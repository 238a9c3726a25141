/*
 * test_optim_faults.c - every optimizer, each allocation failing in turn: it says so,
 * nothing leaks, and an update that fails changes no number.
 */
#include "failing.h"
#include "optim/optim.h"
#include "test.h"

enum { N = 5, PARAMS = 3, TRIES = 500 };

static lgi_optim *grouped_optim(lg_engine *E, const lgi_optim_type *type,
                                lg_tensor *const *param)
{
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    lgi_signature s;
    if (!lgi_read_signature(type->args, &s)
        || lgi_parse_attrs(E, type->name, &s, "weight_decay=0.1", attr) < 0)
        return NULL;
    lgi_group group[] = {{attr, 1}, {attr, PARAMS - 1}};
    return lgi_new_grouped_optim(E, type, 2, group, param);
}

/* The sum of the squares of all parameters. */
static lg_tensor *loss_of(lg_engine *E, lg_tensor *const *param)
{
    lg_tensor *sum = NULL;
    for (int i = 0; i < PARAMS; i++) {
        lg_tensor *square = lgi_mul(E, param[i], param[i]);
        sum = i == 0 ? square : lgi_add(E, sum, square);
    }
    return lgi_sum_dims(E, sum, &(lgi_list){0}, false);
}

/* One step; where it has two halves, both. False: it failed, and changed nothing. */
static bool step_once(lg_engine *E, lgi_optim *o)
{
    lg_real before[PARAMS][N];
    double value;
    int missed;
    for (int half = o->type->extrapolates ? 0 : 1; half < 2; half++) {
        int64_t steps = o->step;
        for (int i = 0; i < PARAMS; i++)
            memcpy(before[i], o->param[i]->data, sizeof before[i]);
        lg_tensor *loss = loss_of(E, o->param);
        if ((half ? lgi_minimize : lgi_extrapolate_by)(o, loss, 1, &value, &missed) == 0)
            continue;
        for (int i = 0; i < PARAMS; i++)
            check(memcmp(before[i], o->param[i]->data, sizeof before[i]) == 0
                  && o->step == steps, "%s: half an update", o->type->name);
        return false;
    }
    return true;
}

static bool try_with(const lgi_optim_type *type, failing *f)
{
    lg_allocator a = {f, failing_alloc, failing_free};
    lg_config config = LG_CONFIG_INIT;
    lg_engine *E;
    config.allocator = &a;
    config.no_cache = true;
    if (lg_open(&E, &config) != LG_OK)
        return false;
    lg_tensor *param[PARAMS];
    int scope = lg_open_scope(E);
    for (int i = 0; i < PARAMS; i++)
        param[i] = lg_track(E, lg_full(E, 1, (int64_t[]){N}, i + 1));
    lgi_optim *o = E->status < 0 ? NULL : grouped_optim(E, type, param);
    bool ok = o && step_once(E, o);
    check(ok || E->status == LG_ENOMEM, "%s, allocation %lld: %s", type->name,
          (long long)f->at, lg_message(E));
    lgi_close_optim(o);
    lg_close_scope(E, scope);
    check(lg_close(E) == 0, "%s, allocation %lld leaks", type->name, (long long)f->at);
    return ok;
}

int main(void)
{
    int family = 0, member = 0;
    const lgi_optim_type *type;
    while ((type = lgi_each_optim(&family, &member))) {
        bool ok = false;
        for (int n = 1; !ok && n < TRIES; n++)
            ok = try_with(type, &(failing){.at = n});
        check(ok, "%s never succeeds", type->name);
    }
    return report();
}
