/*
 * test_gradients.c - every operator of the registry against finite differences.
 *
 * No operator is named here. A new one is tested as soon as it exists, at first and
 * second order, with each subset of its inputs tracked; one that brings no samples fails.
 */
#include "grad/check.h"
#include "test.h"

#include <stdlib.h>

static void check_sample(lg_engine *E, const lg_op *op, const char *text)
{
    lgi_sample s;
    double worst = 0;
    char where[256] = "";
    int scope = lg_open_scope(E);
    if (check(lgi_make_sample(E, op, text, &s) == LG_OK, "%s", lg_message(E))) {
        uint32_t smooth = 0, all;
        for (int i = 0; i < s.nin; i++)
            smooth |= (uint32_t)(s.in[i] && s.smooth[i]) << i;
        all = smooth;
        for (uint32_t tracked = smooth; tracked; tracked = (tracked - 1) & all) {
            lgi_check_first(E, &s, tracked, &worst, where);
            check(E->status == LG_OK, "%s at '%s': %s", op->name, text, lg_message(E));
            check(worst <= 1e-8, "first order, error %.3g: %s", worst, where);
            lg_clear(E);
        }
        lgi_check_second(E, &s, &worst, where);
        check(E->status == LG_OK, "%s at '%s', second order: %s", op->name, text,
              lg_message(E));
        check(worst <= 1e-7, "second order, error %.3g: %s", worst, where);
    }
    lg_clear(E);
    lg_close_scope(E, scope);
}

static void check_descriptor(lg_engine *E, const lg_op *op)
{
    lgi_signature s;
    size_t n = strlen(op->doc);
    check(lgi_read_signature(op->args, &s), "%s: malformed args: %s", op->name, op->args);
    check(s.bytes <= op->attr_bytes, "%s: its struct is smaller than its args", op->name);
    check(op->samples[0] != NULL, "%s brings no samples", op->name);
    check(n > 10 && op->doc[n - 1] == '.', "%s: its doc is no sentence", op->name);
    check(op->grad != NULL, "%s: no gradient rule: LG_ZERO says that it is zero",
          op->name);
    for (int i = 0; i < 8 && op->samples[i]; i++)
        check_sample(E, op, op->samples[i]);
}

int main(int argc, char **argv)
{
    lg_engine *E;
    int family = 0, member = 0;
    const lg_op *op;
    if (sizeof(lg_real) < 8) {
        printf("skipped: gradients are checked in double\n"
               "0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    if (lg_open(&E, NULL) != LG_OK)
        return 1;
    while ((op = lgi_each_op(&family, &member)))
        if (argc < 2 || strcmp(argv[1], op->name) == 0)
            check_descriptor(E, op);
    check(lg_bytes(E) == 0 || E->scoped_cap, "%lld bytes are left",
          (long long)lg_bytes(E));
    check(lg_close(E) == 0, "memory is left");
    return report();
}
