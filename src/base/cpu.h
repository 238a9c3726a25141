/* cpu.h - which kernels this processor can run. Its name goes into checkpoints. */
#ifndef LG_BASE_CPU_H
#define LG_BASE_CPU_H

typedef enum lgi_cpu { LGI_PLAIN, LGI_NEON, LGI_AVX2, LGI_AVX512 } lgi_cpu;

lgi_cpu lgi_detect_cpu(void);          /* the environment's LUGANO_CPU may lower it */
const char *lgi_cpu_name(lgi_cpu cpu); /* "plain", "neon", "avx2", "avx512" */
int lgi_count_cores(void);             /* that this process may use */

#endif
