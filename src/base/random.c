#include "base/random.h"

#include "base/normal.h"
#include "base/philox.h"
#include "base/pool.h"

#include <string.h>

enum { PIECE = 1 << 12,                /* numbers in a piece of a parallel fill */
       CHUNK = 1 << 9 };               /* whose words are made at once; whole blocks */

lgi_stream lgi_script_stream(const lg_engine *E) { return (lgi_stream){E->seed, 0}; }

lgi_stream lgi_named_stream(const lg_engine *E, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;          /* FNV-1a; 0 is the script's stream */
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return (lgi_stream){E->seed, h | 1};
}

void lg_seed(lg_engine *E, uint64_t seed)
{
    E->seed = seed;
    E->drawn = 0;
}

uint64_t lgi_draw(lg_engine *E, int64_t n)
{
    uint64_t first = E->drawn;
    E->drawn += ((uint64_t)n + 3) & ~(uint64_t)3;      /* whole blocks */
    return first;
}

double lgi_uniform_at(lgi_stream s, uint64_t index)
{
    uint32_t r[4];
    lgi_philox(s, index / 4, r);
    return r[index % 4] * 0x1p-32;
}

uint64_t lgi_below(lgi_stream s, uint64_t index, uint64_t n)
{
    uint32_t r[4];
    lgi_philox(s, index, r);                   /* a block each: 64 bits */
    uint64_t bits = (uint64_t)r[0] << 32 | r[1];
    return (uint64_t)(((unsigned __int128)bits * n) >> 64);
}

void lgi_permutation(lgi_stream s, int64_t n, int64_t *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)lgi_below(s, (uint64_t)i, (uint64_t)i + 1), t = to[i];
        to[i] = to[j];
        to[j] = t;
    }
}

typedef struct fill {
    lgi_cpu cpu;
    lgi_stream stream;
    uint64_t first;
    lg_real *to;
    int64_t n;
    bool normal;
} fill;

/* Number i is word i % 4 of block i / 4: 24 random bits in float, 32 in double. */
LGI_ALWAYS_INLINE void uniforms_any(const uint32_t *restrict words, lg_real *restrict to,
                                    int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = sizeof(lg_real) == 4
                    ? (lg_real)(int32_t)(words[i] >> 8) * (lg_real)0x1p-24
                    : (lg_real)words[i] * (lg_real)0x1p-32;
}

LGI_AVX2_CODE static void uniforms_avx2(const uint32_t *words, lg_real *to, int64_t n)
{
    uniforms_any(words, to, n);
}

LGI_AVX512_CODE static void uniforms_avx512(const uint32_t *words, lg_real *to, int64_t n)
{
    uniforms_any(words, to, n);
}

static void uniforms(lgi_cpu cpu, const uint32_t *words, lg_real *to, int64_t n)
{
    if (cpu >= LGI_AVX512)
        uniforms_avx512(words, to, n);
    else if (cpu >= LGI_AVX2)
        uniforms_avx2(words, to, n);
    else
        uniforms_any(words, to, n);
}

/* Up to CHUNK numbers from number first on, which may be amid a block. */
static void fill_chunk(const fill *f, uint64_t first, lg_real *to, int64_t n)
{
    uint32_t words[CHUNK + 4];
    lg_real numbers[CHUNK + 4];
    int64_t skipped = (int64_t)(first % 4), blocks = (skipped + n + 3) / 4;
    lgi_philox_run(f->cpu, f->stream, first / 4, blocks, words);
    if (!f->normal) {
        uniforms(f->cpu, words + skipped, to, n);
        return;
    }
    lgi_normals(f->cpu, words, numbers, 4 * blocks);
    memcpy(to, numbers + skipped, (size_t)n * sizeof *to);
}

static void fill_piece(void *job, int64_t piece, int worker)
{
    const fill *f = job;
    int64_t end = (piece + 1) * PIECE < f->n ? (piece + 1) * PIECE : f->n;
    (void)worker;
    for (int64_t i = piece * PIECE; i < end; i += CHUNK) {
        int64_t n = end - i < CHUNK ? end - i : CHUNK;
        fill_chunk(f, f->first + (uint64_t)i, f->to + i, n);
    }
}

void lgi_fill_uniform(lg_engine *E, lgi_stream s, uint64_t first, lg_real *to, int64_t n)
{
    fill f = {E->cpu, s, first, to, n, false};
    lgi_parallel(E, (n + PIECE - 1) / PIECE, fill_piece, &f);
}

void lgi_fill_normal(lg_engine *E, lgi_stream s, uint64_t first, lg_real *to, int64_t n)
{
    fill f = {E->cpu, s, first, to, n, true};
    lgi_parallel(E, (n + PIECE - 1) / PIECE, fill_piece, &f);
}
