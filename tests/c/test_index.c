/*
 * test_index.c - operators that pick, order, scan, move and contract give the same bits
 * on one thread and on four, at sizes that are cut into many pieces.
 */
#include "op/op.h"
#include "test.h"

static lg_engine *E;

/* A number that all bits of t decide (FNV-1a). */
static uint64_t index_bits(const lg_tensor *t)
{
    uint64_t h = 0xcbf29ce484222325u;
    const unsigned char *p = t ? (const unsigned char *)t->data : NULL;
    for (size_t i = 0; t && i < (size_t)t->numel * sizeof(lg_real); i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return t ? h : 0;
}

static lg_tensor *apply(const char *name, lg_tensor *a, lg_tensor *b,
                        const char *attributes)
{
    return lg_apply(E, lg_find_op(name), b ? 2 : 1, (lg_tensor *[]){a, b}, attributes);
}

/* Whole numbers from 1 to n, from those of x in some order. */
static lg_tensor *places_of(lg_tensor *x, const char *attributes)
{
    lg_tensor *y = apply("sort", x, NULL, attributes);
    return y ? &y[1] : NULL;
}

enum { INDEX_BITS = 14 };

static void compute_index_bits(uint64_t *bits)
{
    lg_tensor *x = lg_randn(E, 3, (int64_t[]){40, 300, 20});           // n,m,k
    lg_tensor *row = lg_randn(E, 1, (int64_t[]){300}), *i = places_of(x, "dim=2");
    lg_tensor *j = places_of(row, NULL);
    int n = 0;
    bits[n++] = index_bits(i);
    bits[n++] = index_bits(apply("topk", x, NULL, "k=10"));
    bits[n++] = index_bits(apply("argmax", x, NULL, "dim=1"));
    bits[n++] = index_bits(apply("gather", x, i, "dim=2"));
    bits[n++] = index_bits(apply("gather_back", x, i, "dim=2, dims={40,300,20}"));
    bits[n++] = index_bits(apply("index_select", x, j, "dim=2"));
    bits[n++] = index_bits(apply("index_select_back", x, j, "dim=2, size=300"));
    bits[n++] = index_bits(apply("cumsum", x, NULL, "dim=2"));
    bits[n++] = index_bits(apply("prod", x, NULL, "dims={1,3}"));
    bits[n++] = index_bits(apply("flip", x, NULL, "dims={1,3}"));
    bits[n++] = index_bits(apply("roll", x, NULL, "shift=7, dims=2"));
    bits[n++] = index_bits(apply("tile", x, NULL, "dims={1,2,3}"));
    bits[n++] = index_bits(apply("einsum", x, x, "equation={nmk,njk->mjn}"));
    bits[n++] = index_bits(apply("cosine_similarity", x, x, "dim=3"));
}

int main(void)
{
    uint64_t bits[2][INDEX_BITS];
    for (int turn = 0; turn < 2; turn++) {
        lg_config config = LG_CONFIG_INIT;
        config.threads = turn ? 4 : 1;
        if (lg_open(&E, &config) != LG_OK)
            return 1;
        compute_index_bits(bits[turn]);
        check(lg_failure(E) == LG_OK, "%s", lg_message(E));
        check(lg_close(E) == 0, "memory is left");
    }
    for (int i = 0; i < INDEX_BITS; i++)
        check(bits[0][i] == bits[1][i], "number %d has other bits on 4 threads", i);
    return report();
}
