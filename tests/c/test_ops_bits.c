/*
 * test_ops_bits.c - elementwise operators, reductions and normalization give the same
 * bits on one thread, on four, and without AVX2. (But silu and gelu ask for FMA.)
 */
#include "op/op.h"
#include "test.h"

static lg_engine *E;

static lg_tensor *op1(const char *name, lg_tensor *x, const char *attributes)
{
    return lg_apply(E, lg_find_op(name), 1, &x, attributes);
}

static lg_tensor *op2(const char *name, lg_tensor *a, lg_tensor *b)
{
    return lg_apply(E, lg_find_op(name), 2, (lg_tensor *[]){a, b}, NULL);
}

/* A number that all bits of t decide (FNV-1a). */
static uint64_t bits_of(const lg_tensor *t)
{
    uint64_t h = 0xcbf29ce484222325u;
    const unsigned char *p = t ? (const unsigned char *)t->data : NULL;
    for (size_t i = 0; t && i < (size_t)t->numel * sizeof(lg_real); i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return t ? h : 0;
}

enum { BITS = 16 };

static void compute_bits(lg_tensor *x, uint64_t *bits)
{
    static const char *const each[] = {"exp", "tanh", "sigmoid", "softplus", "mish",
                                       "log1p", "dropout"};
    lg_tensor *flat = op1("reshape", x, "dims={-1}"), *y = op1("batch_norm", x, NULL);
    lg_tensor *back[] = {x, y, &y[1], &y[2]};
    int n = 0;
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        bits[n++] = bits_of(op1(each[i], x, NULL));
    bits[n++] = bits_of(op1("sum", x, "dims={1,3,4}"));
    bits[n++] = bits_of(op1("var", x, NULL));
    bits[n++] = bits_of(op1("softmax", flat, "dim=1"));
    bits[n++] = bits_of(op1("log_softmax", x, "dim=2"));
    bits[n++] = bits_of(y) ^ bits_of(&y[2]);
    bits[n++] = bits_of(lg_apply(E, lg_find_op("batch_norm_back"), 4, back, NULL));
    bits[n++] = bits_of(op2("mse", x, y));
    bits[n++] = bits_of(op2("bce_with_logits", x, y));
    bits[n++] = bits_of(op2("add", x, op1("reshape", &y[1], "dims={3,1,1}")));
}

int main(void)
{
    static const int threads[] = {1, 4, 1};
    uint64_t bits[3][BITS];
    for (int turn = 0; turn < 3; turn++) {
        lg_config config = LG_CONFIG_INIT;
        config.threads = threads[turn];
        if (lg_open(&E, &config) != LG_OK)
            return 1;
        E->cpu = turn == 2 ? LGI_PLAIN : E->cpu;
        compute_bits(lg_randn(E, 4, (int64_t[]){16, 3, 64, 64}), bits[turn]);
        check(lg_failure(E) == LG_OK, "%s", lg_message(E));
        check(lg_close(E) == 0, "memory is left");
    }
    for (int i = 0; i < BITS; i++) {
        check(bits[0][i] == bits[1][i], "number %d has other bits on 4 threads", i);
        check(bits[0][i] == bits[2][i], "number %d has other bits without AVX2", i);
    }
    return report();
}
