/* test_gemm.c - products against a plain triple loop: random shapes, all layouts, every
 * kernel set that this processor has, and the same bits on any number of threads. */
#include "base/memory.h"
#include "base/random.h"
#include "kernel/gemm.h"
#include "test.h"

#include <math.h>

static uint64_t drawn;
static const lgi_stream dice = {7, 1};

static int64_t below(int64_t n) { return (int64_t)lgi_below(dice, drawn++, (uint64_t)n); }

static void fill(lg_real *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (lg_real)(2 * lgi_uniform_at(dice, drawn++) - 1);
}

static lg_engine *open_engine(int threads, lgi_cpu cpu, bool blas)
{
    lg_config config = LG_CONFIG_INIT;
    lg_engine *E = NULL;
    config.threads = threads;
    config.blas = blas;
    if (lg_open(&E, &config) == LG_OK && E->cpu > cpu)
        E->cpu = cpu;
    return E;
}

/* A product with its numbers; every matrix has a margin that must stay untouched. */
typedef struct sample {
    lgi_product p;
    lgi_batch batch;
    lg_real *a, *b, *c, *bias, *expected, *scale;
    int64_t na, nb, nc;
    char text[160];
} sample;

static void free_sample(lg_engine *E, sample *s)
{
    size_t n = sizeof(lg_real);
    lgi_free(E, s->a, (size_t)s->na * n);
    lgi_free(E, s->b, (size_t)s->nb * n);
    lgi_free(E, s->c, (size_t)s->nc * n);
    lgi_free(E, s->expected, (size_t)s->nc * n);
    lgi_free(E, s->scale, (size_t)s->nc * n);
    lgi_free(E, s->bias, (size_t)s->p.n * n);
}

static lg_real *numbers(lg_engine *E, int64_t n)
{
    lg_real *x = lgi_alloc(E, (size_t)n * sizeof *x);
    fill(x, n);
    return x;
}

/* expected, and in scale the sum of the magnitudes that went into each element. */
static void plain_product(sample *s)
{
    const lgi_product *p = &s->p;
    memcpy(s->expected, s->c, (size_t)s->nc * sizeof *s->c);
    for (int64_t q = 0; q < s->batch.n; q++)
        for (int64_t i = 0; i < p->m; i++)
            for (int64_t j = 0; j < p->n; j++) {
                int64_t at = (q * p->m + i) * p->ldc + j;
                double sum = p->add ? (double)s->c[at] : 0, size = fabs(sum) + 1;
                sum += p->bias ? (double)p->bias[j] : 0;
                for (int64_t k = 0; k < p->k; k++) {
                    int64_t a = p->ta ? k * p->lda + i : i * p->lda + k;
                    int64_t b = p->tb ? j * p->ldb + k : k * p->ldb + j;
                    a += q * s->batch.a[0];
                    b += q * s->batch.b[0];
                    double x = (double)s->a[a] * (double)s->b[b];
                    sum += x;
                    size += fabs(x);
                }
                s->expected[at] = (lg_real)sum;
                s->scale[at] = (lg_real)size;
            }
}

static void make_sample(lg_engine *E, sample *s, int64_t m, int64_t n, int64_t k,
                        int64_t batch)
{
    memset(s, 0, sizeof *s);
    bool ta = below(2), tb = below(2), add = below(3) == 0;
    int64_t arows = ta ? k : m, brows = tb ? n : k;
    lgi_product *p = &s->p;
    *p = (lgi_product){.m = m, .n = n, .k = k, .ta = ta, .tb = tb, .add = add};
    p->lda = (ta ? m : k) + below(3);
    p->ldb = (tb ? k : n) + below(3);
    p->ldc = n + (batch > 1 ? 0 : below(3));
    int64_t astep = below(3) ? arows * p->lda : 0, bstep = below(3) ? brows * p->ldb : 0;
    s->batch = (lgi_batch){batch, 1, {batch}, {astep}, {bstep}};
    s->na = arows * p->lda * batch + 1;
    s->nb = brows * p->ldb * batch + 1;
    s->nc = m * p->ldc * batch + 1;
    p->a = s->a = numbers(E, s->na);
    p->b = s->b = numbers(E, s->nb);
    p->c = s->c = numbers(E, s->nc);
    s->expected = numbers(E, s->nc);
    s->scale = lgi_alloc0(E, (size_t)s->nc * sizeof(lg_real));
    s->bias = numbers(E, n);
    p->bias = below(2) ? s->bias : NULL;
    snprintf(s->text, sizeof s->text,
             "%lldx%lldx%lld batch %lld ta %d tb %d add %d bias %d, %s",
             (long long)m, (long long)n, (long long)k, (long long)batch, ta, tb, add,
             p->bias != NULL, lgi_cpu_name(E->cpu));
    plain_product(s);
}

static void run_sample(lg_engine *E, const sample *s)
{
    const lgi_batch *batch = s->batch.n == 1 ? NULL : &s->batch;
    size_t bytes = lgi_gemm_scratch(E, &s->p, batch);
    void *scratch = bytes ? lgi_alloc(E, bytes) : NULL;
    lgi_gemm(E, &s->p, batch, scratch);
    lgi_free(E, scratch, bytes);
}

static bool near_expected(const sample *s)
{
    double unit = sizeof(lg_real) == 4 ? 6e-8 : 1.2e-16;
    for (int64_t i = 0; i < s->nc; i++) {
        double tolerance = unit * (double)s->scale[i] * (4 + 0.1 * (double)s->p.k);
        if (!(fabs((double)s->c[i] - (double)s->expected[i]) <= tolerance))
            return false;              /* what is not part of c has scale 0 */
    }
    return true;
}

static void test_shape(lg_engine *one, lg_engine *four, int64_t m, int64_t n, int64_t k,
                       int64_t batch)
{
    sample s;
    make_sample(one, &s, m, n, k, batch);
    size_t bytes = (size_t)s.nc * sizeof(lg_real);
    lg_real *before = lgi_alloc(one, bytes), *first = lgi_alloc(one, bytes);
    memcpy(before, s.c, bytes);
    run_sample(one, &s);
    check(near_expected(&s), "product %s", s.text);
    memcpy(first, s.c, bytes);
    memcpy(s.c, before, bytes);
    run_sample(four, &s);
    check(memcmp(first, s.c, bytes) == 0, "4 threads give other bits: %s", s.text);
    memcpy(s.c, before, bytes);
    if (batch == 1 && !one->use_blas) {
        lgi_gemm_serial(one->cpu, &s.p);
        check(near_expected(&s), "serial product %s", s.text);
    }
    lgi_free(one, before, bytes);
    lgi_free(one, first, bytes);
    free_sample(one, &s);
}

static void test_cpu(lgi_cpu cpu, bool blas)
{
    static const int64_t shapes[][4] = {
        {1, 1, 1, 1}, {0, 3, 4, 1}, {3, 0, 4, 1}, {3, 4, 0, 1}, {64, 128, 128, 1},
        {300, 70, 520, 1}, {5, 7, 9000, 1}, {33, 17, 5000, 1}, {600, 33, 20, 1},
        {1, 300, 700, 1}, {300, 1, 700, 1}, {200, 220, 260, 1}, {14, 32, 256, 1},
        {9, 8, 7, 5}, {40, 50, 60, 12}, {257, 65, 3, 2}, {128, 256, 300, 1},
        {520, 300, 64, 1}, {2, 500, 300, 1}, {300, 2, 300, 1}, {3, 129, 5, 1},
        {129, 3, 513, 1}, {70, 130, 1, 1}, {70, 130, 2, 1}, {300, 33, 4, 1},
        {70, 31, 3, 4}, {50, 2, 60, 3}, {2, 70, 60, 3}, {1050, 200, 200, 1},
        {1030, 330, 130, 1}, {64, 600, 300, 1}, {128, 128, 258, 1}};
    lg_engine *one = open_engine(1, cpu, blas), *four = open_engine(4, cpu, blas);
    if (!one || !four || one->cpu != cpu) {
        lg_close(one);
        lg_close(four);
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int q = 0; q < 4; q++)
            test_shape(one, four, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
    for (int i = 0; i < 150; i++) {
        int64_t m = 1 + below(70), n = 1 + below(70), k = 1 + below(300);
        test_shape(one, four, m, n, k, below(4) ? 1 : 2 + below(4));
    }
    check(lg_failure(one) == LG_OK && lg_failure(four) == LG_OK, "%s", lg_message(one));
    check(lg_close(one) == 0 && lg_close(four) == 0, "memory is left");
}

/* A row has the same bits alone and among others, b transposed or not. */
static void test_row_alone(lgi_cpu cpu, int64_t n, int64_t k, bool tb)
{
    enum { M = 77 };
    lg_engine *E = open_engine(1, cpu, false);
    lg_real *a = numbers(E, M * k), *b = numbers(E, k * n);
    lg_real *all = numbers(E, M * n), *row = numbers(E, n);
    lgi_product p = {M, n, k, a, k, b, tb ? k : n, all, n, .bias = b, .tb = tb};
    lgi_gemm(E, &p, NULL, NULL);
    for (int i = 0; i < M; i += 19) {
        lgi_product one = p;
        one.m = 1;
        one.a = a + i * k;
        one.c = row;
        lgi_gemm(E, &one, NULL, NULL);
        check(memcmp(row, all + i * n, sizeof *row * (size_t)n) == 0,
              "a row alone of %lld,%lld on %s", (long long)n, (long long)k,
              lgi_cpu_name(E->cpu));
    }
    lgi_free(E, a, sizeof *a * (size_t)(M * k));
    lgi_free(E, b, sizeof *b * (size_t)(k * n));
    lgi_free(E, all, sizeof *all * (size_t)(M * n));
    lgi_free(E, row, sizeof *row * (size_t)n);
    lg_close(E);
}

static void test_rows_alone(lgi_cpu cpu)
{
    static const int64_t shapes[][2] = {{90, 700}, {300, 40}, {33, 3}, {2, 300}, {1, 70}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int tb = 0; tb < 2; tb++)
            test_row_alone(cpu, shapes[i][0], shapes[i][1], tb);
}

int main(void)
{
    static const lgi_cpu all[] = {LGI_PLAIN, LGI_NEON, LGI_AVX2, LGI_AVX512};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] <= lgi_detect_cpu()
            && (all[i] != LGI_NEON || lgi_detect_cpu() == LGI_NEON)) {
            test_cpu(all[i], false);
            test_rows_alone(all[i]);
        }
    test_cpu(LGI_PLAIN, true);
    return report();
}
