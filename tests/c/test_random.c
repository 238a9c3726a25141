/* test_random.c - random numbers are the same bits however many are made at once, and by
 * whatever instructions; those of the normal distribution are right in every digit. */
#include "base/normal.h"
#include "base/philox.h"
#include "test.h"

#include <math.h>
#include <string.h>

static lg_engine *E;
static lgi_cpu best;

static const lgi_stream streams[] = {{0, 0}, {7, 3}, {UINT64_MAX, UINT64_MAX},
                                     {0x123456789abcdef0, 0xfedcba9876543210}};
enum { STREAMS = sizeof streams / sizeof *streams, SETS = 3 };
static const lgi_cpu sets[SETS] = {LGI_PLAIN, LGI_AVX2, LGI_AVX512};

static bool can_run(lgi_cpu cpu)
{
    return cpu == LGI_PLAIN || (best >= LGI_AVX2 && cpu <= best);
}

static void test_words(void)
{
    enum { BLOCKS = 70 };
    static const uint64_t firsts[] = {0, 1, 5, UINT32_MAX - 3, UINT64_MAX - 20};
    for (int i = 0; i < STREAMS * 5; i++) {
        uint32_t want[4 * BLOCKS], got[4 * BLOCKS + 4];
        uint64_t first = firsts[i / STREAMS];
        for (int k = 0; k < BLOCKS; k++)
            lgi_philox(streams[i % STREAMS], first + (uint64_t)k, want + 4 * k);
        for (int n = 0; n <= BLOCKS; n++)
            for (int c = 0; c < SETS; c++) {
                memset(got, 0x55, sizeof got);
                if (can_run(sets[c]))
                    lgi_philox_run(sets[c], streams[i % STREAMS], first, n, got);
                else
                    continue;
                check(memcmp(got, want, (size_t)n * 16) == 0, "%d blocks from %llu on %s",
                      n, (unsigned long long)first, lgi_cpu_name(sets[c]));
                check(got[4 * n] == 0x55555555, "%d blocks write more", n);
            }
    }
}

/* Any part of a fill, on any set, has the numbers of the whole. */
static void test_fills(void)
{
    enum { N = 40000 };
    static lg_real whole[2][N], part[N];
    E->cpu = LGI_PLAIN;
    lgi_fill_uniform(E, streams[1], 8, whole[0], N);
    lgi_fill_normal(E, streams[1], 8, whole[1], N);
    for (int c = 0; c < SETS; c++)
        for (int i = 0; i < 60 && can_run(sets[c]); i++) {
            int64_t at = i < 20 ? i : i * 601, n = i % 3 ? i * 7 : N - at;
            E->cpu = sets[c];
            lgi_fill_uniform(E, streams[1], 8 + (uint64_t)at, part, n);
            check(memcmp(part, whole[0] + at, (size_t)n * sizeof *part) == 0,
                  "uniform %lld numbers from %lld on %s", (long long)n, (long long)at,
                  lgi_cpu_name(sets[c]));
            lgi_fill_normal(E, streams[1], 8 + (uint64_t)at, part, n);
            check(memcmp(part, whole[1] + at, (size_t)n * sizeof *part) == 0,
                  "normal %lld numbers from %lld on %s", (long long)n, (long long)at,
                  lgi_cpu_name(sets[c]));
        }
    E->cpu = best;
}

/* In units of the last place of the radius times sine or cosine. */
static void test_normals(void)
{
    enum { PAIRS = 200000 };
    static uint32_t words[2 * PAIRS];
    static lg_real got[2 * PAIRS];
    static const uint32_t edges[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0x80000001,
        0xffffffff, 0xfffffffe, 0xb504f333, 0x5a827999, 0x20000000, 0x1fffffff,
        0x3fffffff, 0x40000000, 0xc0000000, 0xbfffffff, 0xe0000000, 0xdfffffff};
    enum { EDGES = sizeof edges / sizeof *edges };
    long double worst = 0, unit = sizeof(lg_real) == 4 ? 0x1p-23L : 0x1p-52L;
    lgi_philox_run(best, streams[3], 0, PAIRS / 2, words);
    for (int i = 0; i < EDGES * EDGES; i++) {
        words[2 * i] = edges[i / EDGES];
        words[2 * i + 1] = edges[i % EDGES];
    }
    for (int i = EDGES * EDGES; i < PAIRS; i++) {      /* to both ends */
        int shift = i % 24;
        words[2 * i] = i & 32 ? words[2 * i] >> shift : ~(words[2 * i] >> shift);
    }
    lgi_normals(best, words, got, 2 * PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        long double radius = sqrtl(-2 * logl((words[2 * i] + 0.5L) * 0x1p-32L));
        long double angle = 2 * acosl(-1) * ((words[2 * i + 1] + 0.5L) * 0x1p-32L);
        long double want[] = {radius * cosl(angle), radius * sinl(angle)};
        for (int k = 0; k < 2; k++) {
            long double off = fabsl(got[2 * i + k] - want[k]) / (fabsl(want[k]) * unit);
            if (sizeof(lg_real) == 8)  /* there the angle is rounded, as by any C code */
                off = fabsl(got[2 * i + k] - want[k]) / (radius * 8 * unit);
            worst = off > worst ? off : worst;
        }
    }
    check(worst <= 4, "normal numbers are up to %Lg units off", worst);
}

int main(void)
{
    if (lg_open(&E, NULL) != LG_OK)
        return 1;
    best = E->cpu;
    test_words();
    test_fills();
    test_normals();
    check(lg_failure(E) == LG_OK, "it leaves: %s", lg_message(E));
    check(lg_close(E) == 0, "memory is left");
    return report();
}
