#include "base/random.h"

#include "base/pool.h"

#include <math.h>

enum { PIECE = 1 << 14 };              /* numbers in a piece of a parallel fill */

void lgi_philox(lgi_stream s, uint64_t block, uint32_t out[4])
{
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)s.id, c3 = (uint32_t)(s.id >> 32);
    uint32_t k0 = (uint32_t)s.seed, k1 = (uint32_t)(s.seed >> 32);

    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53 * c0, p1 = (uint64_t)0xCD9E8D57 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

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

/* Number i is lane i % 4 of block i / 4: 24 random bits in float, 32 in double. */
static lg_real uniform(uint32_t bits)
{
    return sizeof(lg_real) == 4 ? (lg_real)(bits >> 8) * (lg_real)0x1p-24
                                : (lg_real)bits * (lg_real)0x1p-32;
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
    lgi_stream stream;
    uint64_t first;
    lg_real *to;
    int64_t n;
    bool normal;
} fill;

/* Box and Muller 1958, in double so that the tails are right: two numbers a pair. */
static void normals(const uint32_t r[4], lg_real out[4])
{
    for (int i = 0; i < 4; i += 2) {
        double radius = sqrt(-2 * log(((double)r[i] + 0.5) * 0x1p-32));
        double angle = 6.283185307179586 * (((double)r[i + 1] + 0.5) * 0x1p-32);
        out[i] = (lg_real)(radius * cos(angle));
        out[i + 1] = (lg_real)(radius * sin(angle));
    }
}

static void fill_piece(void *job, int64_t piece, int worker)
{
    const fill *f = job;
    int64_t end = (piece + 1) * PIECE < f->n ? (piece + 1) * PIECE : f->n;
    (void)worker;
    for (int64_t i = piece * PIECE; i < end;) {
        uint64_t index = f->first + (uint64_t)i;
        uint32_t r[4];
        lg_real four[4];
        lgi_philox(f->stream, index / 4, r);
        if (f->normal)
            normals(r, four);
        else
            for (int k = 0; k < 4; k++)
                four[k] = uniform(r[k]);
        for (int k = (int)(index % 4); k < 4 && i < end; k++)
            f->to[i++] = four[k];
    }
}

void lgi_fill_uniform(lg_engine *E, lgi_stream s, uint64_t first, lg_real *to, int64_t n)
{
    fill f = {s, first, to, n, false};
    lgi_parallel(E, (n + PIECE - 1) / PIECE, fill_piece, &f);
}

void lgi_fill_normal(lg_engine *E, lgi_stream s, uint64_t first, lg_real *to, int64_t n)
{
    fill f = {s, first, to, n, true};
    lgi_parallel(E, (n + PIECE - 1) / PIECE, fill_piece, &f);
}
