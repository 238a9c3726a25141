/*
 * probe.c - what the machine can do: the rates of OpenBLAS's products and of copying.
 *
 *     cc -O2 -pthread probe.c -o probe -ldl && ./probe [threads]
 *
 * Threads that copy have a part each. copy is a loop over blocks, whose stores go through
 * the cache, stream one call of memcpy, whose stores go past it. Both count the bytes
 * read and the bytes written.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MOST = 64, ROUNDS = 9, PRODUCTS = 40, BLOCK = 4096,
    COPIED = 35000000                  /* floats: 280 MB both ways */
};

typedef void gemm_function(int, int, int, int, int, int, float, const float *, int,
                           const float *, int, float, float *, int);

typedef struct part {
    const float *from;
    float *to;
    long n;
    int stream;
} part;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *new_floats(long n)
{
    float *p = malloc((size_t)n * sizeof *p);
    if (!p)
        exit(1);
    for (long i = 0; i < n; i++)
        p[i] = (float)(i % 7) * 0.1f;
    return p;
}

/* The best of some products of one size. */
static double gemm_rate(gemm_function *gemm, int m, int n, int k)
{
    enum { ROW_MAJOR = 101, AS_IT_IS = 111 };
    float *a = new_floats((long)m * k), *b = new_floats((long)k * n);
    float *c = new_floats((long)m * n);
    double best = 0;
    double until = now() + 1;
    for (int i = 0; i < PRODUCTS && (i < 3 || now() < until); i++) {
        double start = now();
        gemm(ROW_MAJOR, AS_IT_IS, AS_IT_IS, m, n, k, 1, a, k, b, n, 0, c, n);
        double rate = 2.0 * m * n * k / (now() - start) * 1e-9;
        best = rate > best ? rate : best;
    }
    free(a);
    free(b);
    free(c);
    return best;
}

static double best_gemm(int threads)
{
    static const int size[][3] = {{1024, 1024, 1024}, {512, 512, 512},
                                  {2048, 2048, 2048}, {16384, 128, 1024},
                                  {4096, 256, 2048}};
    double best = 0;
    void *blas = dlopen("libopenblas.so.0", RTLD_NOW);
    gemm_function *gemm = NULL;
    void (*set_threads)(int) = NULL;
    if (blas) {
        *(void **)&gemm = dlsym(blas, "cblas_sgemm");
        *(void **)&set_threads = dlsym(blas, "openblas_set_num_threads");
    }
    if (set_threads)
        set_threads(threads);
    for (size_t i = 0; gemm && i < sizeof size / sizeof *size; i++) {
        double rate = gemm_rate(gemm, size[i][0], size[i][1], size[i][2]);
        best = rate > best ? rate : best;
    }
    return best;
}

static void *copy_part(void *p)
{
    const part *a = p;
    long block = a->stream ? a->n : BLOCK;
    for (long i = 0; i < a->n; i += block) {
        long n = a->n - i < block ? a->n - i : block;
        memcpy(a->to + i, a->from + i, (size_t)n * sizeof *a->to);
    }
    return NULL;
}

/* Thousands of millions of bytes a second, the best. */
static double copy_rate(int threads, int stream)
{
    static pthread_t thread[MOST];
    static part parts[MOST];
    double best = 0;
    float *from = new_floats(COPIED), *to = new_floats(COPIED);
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        for (int t = 0; t < threads; t++) {
            long first = COPIED / threads * (long)t;
            parts[t] = (part){from + first, to + first, COPIED / threads, stream};
            pthread_create(&thread[t], NULL, copy_part, &parts[t]);
        }
        for (int t = 0; t < threads; t++)
            pthread_join(thread[t], NULL);
        double rate = 2e-9 * sizeof(float) * COPIED / (now() - start);
        best = rate > best ? rate : best;
    }
    free(from);
    free(to);
    return best;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    threads = threads < 1 ? 1 : threads > MOST ? MOST : threads;
    printf("probe threads=%d gflop_s=%.1f copy_gb_s=%.2f stream_gb_s=%.2f\n", threads,
           best_gemm(threads), copy_rate(threads, 0), copy_rate(threads, 1));
    return 0;
}
