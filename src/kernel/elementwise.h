/*
 * elementwise.h - one number for each place, from the numbers at the same place.
 *
 * A loop computes a run of results. The driver broadcasts the inputs, cuts the work into
 * pieces of fixed size and computes them in parallel. A result depends on its place
 * alone, so no cut changes a bit of it.
 */
#ifndef LG_KERNEL_ELEMENTWISE_H
#define LG_KERNEL_ELEMENTWISE_H
#include "tensor/tensor.h"

enum { LGI_MAP_INPUTS = 5 };

/* to[i] from from[k][i * step[k]], for i < n. step is 0 for an input that is broadcast
 * along the run, else 1. p is what the caller gave, its parameters. */
typedef void lgi_loop(lg_real *restrict to, const lg_real *const *from,
                      const int64_t *step, int64_t n, const void *p);

/* Fills y from k inputs, each of which broadcasts to the shape of y. */
void lgi_map(lg_engine *E, lgi_loop *loop, const lg_tensor *y, int k,
             lg_tensor *const *x, const void *p);

/* The sum in double, in a fixed order, of what the loop would fill a tensor of y's shape
 * with. partial holds lgi_map_pieces numbers. */
int64_t lgi_map_pieces(int64_t numel);
double lgi_map_sum(lg_engine *E, lgi_loop *loop, const lg_tensor *shape, int k,
                   lg_tensor *const *x, const void *p, double *partial);

lgi_loop lgi_copy_loop;                /* to[i] = from[0][i] */
lgi_loop *lgi_widest_copy(const lg_engine *E);

/*
 * A loop from an expression of a (and b, and c) and the parameters p. For the steps that
 * occur in practice the compiler sees constants, so that it vectorizes each of them.
 *
 * LGI_LOOP2 and its like make the function name. LGI_WIDE after it makes two more, for
 * AVX2 and AVX-512, and LGI_WIDEST chooses one of the three.
 */
#define LGI_LOOP_ARGS                                                                   \
    lg_real *restrict to, const lg_real *const *from, const int64_t *step, int64_t n,   \
        const void *params

#define LGI_WIDE(name)                                                                  \
    LGI_AVX2_CODE static void name##_avx2(LGI_LOOP_ARGS)                                \
    {                                                                                   \
        name##_any(to, from, step, n, params);                                          \
    }                                                                                   \
    LGI_AVX512_CODE static void name##_avx512(LGI_LOOP_ARGS)                            \
    {                                                                                   \
        name##_any(to, from, step, n, params);                                          \
    }

#define LGI_WIDEST(E, name)                                                             \
    ((E)->cpu >= LGI_AVX512 ? name##_avx512 : (E)->cpu >= LGI_AVX2 ? name##_avx2 : name)

#define LGI_LOOP(name)                                                                  \
    static void name(LGI_LOOP_ARGS) { name##_any(to, from, step, n, params); }

#define LGI_LOOP1(name, type, expr)                                                     \
    LGI_ALWAYS_INLINE void name##_any(LGI_LOOP_ARGS)                                    \
    {                                                                                   \
        const type *p = params;                                                         \
        const lg_real *as = from[0];                                                    \
        (void)p, (void)step;                                                            \
        for (int64_t i = 0; i < n; i++) {                                               \
            const lg_real a = as[i];                                                    \
            to[i] = (lg_real)(expr);                                                    \
        }                                                                               \
    }                                                                                   \
    LGI_LOOP(name)

#define LGI_LOOP2(name, type, expr)                                                     \
    LGI_ALWAYS_INLINE void name##_by(lg_real *restrict to, const lg_real *as,           \
                                     int64_t sa, const lg_real *bs, int64_t sb,         \
                                     int64_t n, const type *p)                          \
    {                                                                                   \
        (void)p;                                                                        \
        for (int64_t i = 0; i < n; i++) {                                               \
            const lg_real a = as[i * sa], b = bs[i * sb];                               \
            to[i] = (lg_real)(expr);                                                    \
        }                                                                               \
    }                                                                                   \
    LGI_ALWAYS_INLINE void name##_any(LGI_LOOP_ARGS)                                    \
    {                                                                                   \
        if (step[0] && step[1])                                                         \
            name##_by(to, from[0], 1, from[1], 1, n, params);                           \
        else if (step[0])                                                               \
            name##_by(to, from[0], 1, from[1], 0, n, params);                           \
        else if (step[1])                                                               \
            name##_by(to, from[0], 0, from[1], 1, n, params);                           \
        else                                                                            \
            name##_by(to, from[0], 0, from[1], 0, n, params);                           \
    }                                                                                   \
    LGI_LOOP(name)

#define LGI_LOOP3(name, type, expr)                                                     \
    LGI_ALWAYS_INLINE void name##_by(lg_real *restrict to, const lg_real *const *from,  \
                                     int64_t sa, int64_t sb, int64_t sc, int64_t n,     \
                                     const type *p)                                     \
    {                                                                                   \
        const lg_real *as = from[0], *bs = from[1], *cs = from[2];                      \
        (void)p;                                                                        \
        for (int64_t i = 0; i < n; i++) {                                               \
            const lg_real a = as[i * sa], b = bs[i * sb], c = cs[i * sc];               \
            to[i] = (lg_real)(expr);                                                    \
        }                                                                               \
    }                                                                                   \
    LGI_ALWAYS_INLINE void name##_any(LGI_LOOP_ARGS)                                    \
    {                                                                                   \
        int64_t sa = step[0], sb = step[1], sc = step[2];                               \
        if (sa && sb && sc)                                                             \
            name##_by(to, from, 1, 1, 1, n, params);                                    \
        else if (!sa && sb && sc)                                                       \
            name##_by(to, from, 0, 1, 1, n, params);                                    \
        else if (!sa && sb)                                                             \
            name##_by(to, from, 0, 1, 0, n, params);                                    \
        else if (sa && sb)                                                              \
            name##_by(to, from, 1, 1, 0, n, params);                                    \
        else if (sa && sc)                                                              \
            name##_by(to, from, 1, 0, 1, n, params);                                    \
        else                                                                            \
            name##_by(to, from, sa, sb, sc, n, params);                                 \
    }                                                                                   \
    LGI_LOOP(name)

#endif
