/*
 * test_bits.c - every sample of every operator gives the same bits on 1, 2, 3 and 4
 * threads: its results, those that are kept for gradients too, and its gradients.
 *
 * Samples are small, and loops over few numbers are one piece. So each is tried once more
 * with a longer first axis, where the operator takes it.
 */
#include "grad/check.h"
#include "test.h"

#include <stdlib.h>

enum { MOST_SAMPLES = 4096, MOST_THREADS = 4, LONGER = 20000 };

static uint64_t hash_tensor(uint64_t h, const lg_tensor *t)
{
    const unsigned char *p = t ? (const unsigned char *)t->data : NULL;
    for (size_t i = 0; p && i < (size_t)t->numel * sizeof(lg_real); i++)
        h = (h ^ p[i]) * 0x100000001b3u;       /* FNV-1a */
    return h;
}

/* A number that all bits of the results and gradients decide; 0 if it is refused. */
static uint64_t sample_bits(lg_engine *E, const lg_op *op, const char *text)
{
    lgi_sample s;
    lg_tensor *leaf[LGI_MAX_IN], *wanted[LGI_MAX_IN], *g[LGI_MAX_IN];
    uint64_t h = 0xcbf29ce484222325u;
    int n = 0;
    if (lgi_make_sample(E, op, text, &s) < 0)
        return 0;
    lg_tensor *y = lgi_apply_sample(E, &s, UINT32_MAX, leaf);
    if (!y)
        return 0;
    for (int k = 0; k < lgi_count_results(op); k++)
        h = hash_tensor(h, &y[k]);
    for (int i = 0; i < s.nin; i++)
        if (leaf[i] != s.in[i])
            wanted[n++] = leaf[i];
    lg_seed(E, 5);
    lg_tensor *seed = lg_randn(E, y->ndim, y->dim);
    if (!seed || lg_grad(E, y, seed, n, wanted, LG_ALLOW_UNUSED, g) < 0)
        return 0;
    for (int i = 0; i < n; i++)
        h = hash_tensor(h, g[i]);
    return h;
}

/* "3,2; 3; p=1" with 3 made longer wherever it is the first size: "3000,2; 3000; p=1". */
static bool lengthen(const char *text, char to[512])
{
    char *end;
    long first = strtol(text, &end, 10), numel = first;
    if (end == text || first < 1)
        return false;
    while (*end == ',')
        numel *= strtol(end + 1, &end, 10);
    if (numel < 1 || numel > LONGER)
        return false;
    size_t at = 0;
    for (const char *part = text; *part && at < 400;) {
        size_t n = strcspn(part, ";");
        long size = strtol(part, &end, 10);
        bool longer = end > part && size == first && !memchr(part, '=', n);
        const char *rest = longer ? end : part;
        if (longer)
            at += (size_t)snprintf(to + at, 512 - at, "%ld", size * (LONGER / numel));
        at += (size_t)snprintf(to + at, 512 - at, "%.*s", (int)(part + n - rest), rest);
        part += n + (part[n] == ';');
        part += strspn(part, " ");
        if (*part)
            at += (size_t)snprintf(to + at, 512 - at, "; ");
    }
    return at < 400;
}

typedef struct bits_of_all {
    uint64_t bits[2 * MOST_SAMPLES];   /* of each sample, and of its longer form */
    const char *name[2 * MOST_SAMPLES];
    int n, refused;
} bits_of_all;

static void add_bits(lg_engine *E, bits_of_all *a, const lg_op *op, const char *text)
{
    int scope = lg_open_scope(E);
    if (a->n < 2 * MOST_SAMPLES) {
        a->name[a->n] = op->name;
        a->bits[a->n] = sample_bits(E, op, text);
        a->refused += a->bits[a->n++] == 0;
    }
    lg_clear(E);
    lg_close_scope(E, scope);
}

static bool compute_all(int threads, const char *only, bits_of_all *a)
{
    lg_config config = LG_CONFIG_INIT;
    lg_engine *E;
    int family = 0, member = 0;
    const lg_op *op;
    char longer[512];
    config.threads = threads;
    config.memory_limit = 64 << 20;            /* no outer product of two long ones */
    if (!check(lg_open(&E, &config) == LG_OK, "no engine"))
        return false;
    while ((op = lgi_each_op(&family, &member)))
        for (int i = 0; i < 8 && op->samples[i]; i++) {
            if (only && strcmp(only, op->name) != 0)
                continue;
            add_bits(E, a, op, op->samples[i]);
            if (lengthen(op->samples[i], longer))
                add_bits(E, a, op, longer);
        }
    return check(lg_close(E) == 0, "memory is left");
}

int main(int argc, char **argv)
{
    static bits_of_all all[MOST_THREADS];
    for (int t = 0; t < MOST_THREADS; t++)
        if (!compute_all(t + 1, argc > 1 ? argv[1] : NULL, &all[t]))
            return report();
    for (int t = 1; t < MOST_THREADS; t++)
        for (int i = 0; i < all[0].n; i++)
            check(all[t].bits[i] == all[0].bits[i], "%s has other bits on %d threads",
                  all[0].name[i], t + 1);
    printf("%d samples, %d of them refused\n", all[0].n, all[0].refused);
    check(argc > 1 || (all[0].n > 600 && all[0].refused < all[0].n / 3),
          "too few samples");
    return report();
}
