/* cpu.h - which kernels this processor can run. Its name goes into checkpoints. */
#ifndef LG_BASE_CPU_H
#define LG_BASE_CPU_H

typedef enum lgi_cpu { LGI_PLAIN, LGI_NEON, LGI_AVX2, LGI_AVX512 } lgi_cpu;

lgi_cpu lgi_detect_cpu(void);          /* the environment's LUGANO_CPU may lower it */
const char *lgi_cpu_name(lgi_cpu cpu); /* "plain", "neon", "avx2", "avx512" */
int lgi_count_cores(void);             /* that this process may use */

#define LGI_ALWAYS_INLINE static inline __attribute__((always_inline))

/* Before a loop whose turns each write where at most they themselves have read: a result
 * that may lie over an input keeps its vectors. Each compiler asks in its own way. */
#if defined(__clang__)
#define LGI_EACH_APART _Pragma("clang loop vectorize(assume_safety)")
#else
#define LGI_EACH_APART _Pragma("GCC ivdep")
#endif

/* What is compiled again for wider vectors. The bits are the same, but for loops that ask
 * for FMA themselves: the compiler is told to make none of its own. */
#ifdef __x86_64__
#define LGI_AVX2_CODE __attribute__((target("avx2,fma")))
#ifdef __clang__
#define LGI_AVX512_CODE __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#else
#define LGI_AVX512_CODE                                                                 \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,prefer-vector-width=512")))
#endif
#else
#define LGI_AVX2_CODE
#define LGI_AVX512_CODE
#endif

#endif
