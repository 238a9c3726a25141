/* test_mask.c - masks and what is made by them, on every set of kernels the same bits as
 * by the rule for one number. */
#include "base/random.h"
#include "kernel/mask.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { ROOM = 1200, SETS = 3 };

static lg_engine *E;
static lgi_cpu best;
static const lgi_cpu sets[SETS] = {LGI_PLAIN, LGI_AVX2, LGI_AVX512};

static bool can_run(lgi_cpu cpu)
{
    return cpu == LGI_PLAIN || (best >= LGI_AVX2 && cpu <= best);
}

static bool same(const lg_real *a, const lg_real *b, int64_t n)
{
    return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

static lg_real by_bit(lgi_slopes s, bool bit, lg_real x)
{
    if (s.choose)
        return bit ? x * s.on : 0;
    return x * (bit ? s.on : s.off);
}

typedef struct made {
    lg_real x[ROOM], y[ROOM], mask[ROOM / LGI_MASK_BITS + 1];
    bool bit[ROOM];
    int64_t n;
} made;

/* What came, and what the mask makes of the numbers after it. */
static void compare(const made *m, lgi_slopes s, const char *what)
{
    static lg_real want[ROOM], z[ROOM];
    lg_real mask[ROOM / LGI_MASK_BITS + 1] = {0};
    for (int64_t i = 0; i < m->n; i++) {
        want[i] = by_bit(s, m->bit[i], m->x[i]);
        mask[i / LGI_MASK_BITS] += (lg_real)(m->bit[i] << i % LGI_MASK_BITS);
    }
    check(same(m->mask, mask, lgi_mask_numel(m->n)), "%s: masks of %lld on %s", what,
          (long long)m->n, lgi_cpu_name(E->cpu));
    check(same(m->y, want, m->n), "%s: %lld numbers on %s", what, (long long)m->n,
          lgi_cpu_name(E->cpu));
    z[m->n] = 7;
    lgi_apply_mask(E->cpu, s, m->mask, m->x, z, m->n);
    check(same(z, want, m->n) && z[m->n] == 7, "%s: %lld by their mask on %s", what,
          (long long)m->n, lgi_cpu_name(E->cpu));
}

static void fill_numbers(made *m, int64_t n)
{
    static const double odd[] = {0, -0.0, INFINITY, -INFINITY, 1e-45, -1e-45, 1, -1};
    m->n = n;
    for (int64_t i = 0; i < n; i++) {
        double u = lgi_uniform_at((lgi_stream){1, 2}, (uint64_t)(i + 31 * n));
        m->x[i] = u < 0.3 ? (lg_real)odd[(int)(u * 1000) % 8] : (lg_real)(u - 0.65);
    }
}

static void test_signs(void)
{
    static const lgi_slopes kinds[] = {
        {.on = 1, .choose = true}, {.on = 1, .off = (lg_real)0.2}, {.on = 1}};
    static made m;
    for (int c = 0; c < SETS; c++)
        for (int64_t n = 0; n < ROOM && can_run(sets[c]); n += n < 70 ? 1 : 113)
            for (int k = 0; k < 3; k++) {
                E->cpu = sets[c];
                fill_numbers(&m, n);
                for (int64_t i = 0; i < n; i++)
                    m.bit[i] = m.x[i] > 0;
                lgi_mask_by_sign(E->cpu, kinds[k], m.x, m.y, m.mask, n);
                compare(&m, kinds[k], k == 0 ? "relu" : "leaky");
            }
    E->cpu = best;
}

static void test_chances(void)
{
    static const double chances[] = {0, 0.3, 0.5, 0.999, 1};
    static made m;
    const lgi_stream stream = {7, 3};
    for (int c = 0; c < SETS; c++)
        for (int64_t n = 0; n < ROOM && can_run(sets[c]); n += n < 70 ? 1 : 113)
            for (int k = 0; k < 5; k++) {
                lgi_dropout d = {stream, 16, (uint32_t)(chances[k] * UINT32_MAX)};
                lgi_slopes s = {.on = 2};
                E->cpu = sets[c];
                fill_numbers(&m, n);
                for (int64_t i = 0; i < n; i++) {
                    uint32_t words[4];
                    lgi_philox(stream, (uint64_t)(16 + i) / 4, words);
                    m.bit[i] = words[i % 4] >= d.bound;
                }
                lgi_mask_at_random(E->cpu, s, d, m.x, m.y, m.mask, n);
                for (int64_t i = 0; i < n; i++)        /* one NaN or another */
                    if (isnan(m.y[i]) && isinf(m.x[i]))
                        m.x[i] = m.y[i] = 0;
                compare(&m, s, "dropout");
            }
    E->cpu = best;
}

/* NaNs stay, where nothing is chosen; infinities are not what is left out. */
static void test_odd_numbers(void)
{
    lg_real y[16], mask[1], x[16] = {NAN, INFINITY, -INFINITY, 1};
    lg_real none[] = {-1, NAN, 65536, INFINITY};
    for (int c = 0; c < SETS; c++) {
        if (!can_run(sets[c]))
            continue;
        E->cpu = sets[c];
        lgi_mask_by_sign(E->cpu, (lgi_slopes){.on = 1, .choose = true}, x, y, mask, 4);
        check(isnan(y[0]) && y[1] == INFINITY && y[2] == 0 && !signbit(y[2])
              && mask[0] == 11, "relu of odd numbers");
        lgi_mask_by_sign(E->cpu, (lgi_slopes){.on = 1, .off = 0}, x, y, mask, 4);
        check(isnan(y[0]) && isnan(y[2]) && mask[0] == 10, "leaky_relu of odd numbers");
        lgi_apply_mask(E->cpu, (lgi_slopes){.on = 1, .choose = true}, &(lg_real){8}, x, y,
                       4);
        check(y[0] == 0 && y[1] == 0 && y[3] == 1, "what is not chosen");
        for (int i = 0; i < 4; i++) {
            lgi_apply_mask(E->cpu, (lgi_slopes){.on = 1}, &none[i], x + 3, y, 1);
            check(y[0] == 0, "%g is no mask", (double)none[i]);
        }
    }
    E->cpu = best;
}

int main(void)
{
    if (lg_open(&E, NULL) != LG_OK)
        return 1;
    best = E->cpu;
    test_signs();
    test_chances();
    test_odd_numbers();
    check(lg_failure(E) == LG_OK, "it leaves: %s", lg_message(E));
    check(lg_close(E) == 0, "memory is left");
    return report();
}
