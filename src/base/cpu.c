#include "base/cpu.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {"plain", "neon", "avx2", "avx512"};

static lgi_cpu best(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
        return LGI_AVX512;
    return avx2 ? LGI_AVX2 : LGI_PLAIN;
#elif defined(__aarch64__)
    return LGI_NEON;
#else
    return LGI_PLAIN;
#endif
}

lgi_cpu lgi_detect_cpu(void)
{
    lgi_cpu cpu = best();
    const char *wish = getenv("LUGANO_CPU");
    for (int i = 0; wish && i < (int)cpu; i++)
        if (i != LGI_NEON && strcmp(wish, names[i]) == 0)
            return (lgi_cpu)i;
    return cpu;
}

const char *lgi_cpu_name(lgi_cpu cpu) { return names[cpu]; }

int lgi_count_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}
