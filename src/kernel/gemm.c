/*
 * gemm.c - products, cut into pieces.
 *
 * Our own tiles are what is used. Measured against OpenBLAS 0.3.21 with one thread, they
 * are within a tenth of it at 1024^3 with AVX-512, faster on most smaller products, and
 * four times faster on processors newer than that OpenBLAS, which it takes for old ones.
 * So OpenBLAS, where the engine may use it, serves processors for which tile_plain.c is
 * all we have.
 */
#include "kernel/gemm.h"

#include "base/memory.h"
#include "base/pool.h"
#include "kernel/tile.h"

#include <string.h>

#ifndef LG_NO_BLAS
#include <cblas.h>
#include <dlfcn.h>

#ifndef LG_BLAS_LIBRARY
#define LG_BLAS_LIBRARY "libopenblas.so.0"
#endif

#ifdef LG_DOUBLE
#define BLAS_GEMM cblas_dgemm
#else
#define BLAS_GEMM cblas_sgemm
#endif
#define BLAS_TEXT(name) BLAS_QUOTE(name)
#define BLAS_QUOTE(name) #name
#endif

/* Parts of k are for products that have fewer units than this. */
enum { FEW_UNITS = 16, LEAST_PART = 1024 };

/* Multiplications of a piece, and of work that is not worth another thread. */
enum { PIECE_WORK = 1 << 19, SERIAL_WORK = 3 << 20 };

/* A product worth a call of OpenBLAS, and the columns of its pieces. */
enum { BLAS_WORK = 1 << 18, BLAS_COLS = 512 };

typedef struct gemm_job {
    const lgi_product *p;
    const lgi_batch *batch;
    const lgi_tiling *tiling;
    const lgi_blas *blas;              /* what computes a unit, unless NULL */
    int64_t chunks, strips;            /* of rows and columns: a unit is one of each */
    int64_t cols;                      /* of a strip */
    int64_t parts, depth;              /* of k, and how much each has */
    int64_t units, per_piece;
    lg_real *partial;                  /* parts,m,n */
} gemm_job;

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* One strip of b: rows p0 .. p0+k, columns j0 .. j0+cols, with zeros after them. */
static void pack_strip(const lgi_product *p, const lgi_tiling *tiling, int64_t p0,
                       int64_t k, int64_t j0, int cols, lg_real *to)
{
    if (p->tb) {
        tiling->transpose(p->b + j0 * p->ldb + p0, p->ldb, k, cols, to);
        return;
    }
    const lg_real *b = p->b + p0 * p->ldb + j0;
    size_t used = (size_t)cols * sizeof *to;
    size_t rest = (size_t)(tiling->cols - cols) * sizeof *to;
    for (int64_t i = 0; i < k; i++, b += p->ldb, to += tiling->cols) {
        memcpy(to, b, used);
        if (rest)
            memset(to + cols, 0, rest);
    }
}

/* Waking another thread costs as much as a few million multiplications. */
int64_t lgi_units_per_piece(int64_t units, int64_t work)
{
    if (units <= SERIAL_WORK / work)
        return units ? units : 1;
    return divide_up(PIECE_WORK, work);
}

static void add_bias(const lg_real *bias, lg_real *c, int64_t ldc, int64_t rows, int cols)
{
    for (int64_t i = 0; i < rows; i++, c += ldc)
        for (int j = 0; j < cols; j++)
            c[j] += bias[j];
}

/* Rows i0 .. i0+rows of strip j0, over the whole of k. */
static void compute_strip(const lgi_product *p, const lgi_tiling *tiling, int64_t i0,
                          int64_t rows, int64_t j0)
{
    _Alignas(64) lg_real packed[LGI_STRIP_DEPTH * LGI_STRIP_COLS];
    int cols = (int)smaller(tiling->cols, p->n - j0);
    bool direct = !p->tb && cols == tiling->cols && rows <= 2 * tiling->rows;
    lgi_tile t = {.arow = p->ta ? 1 : p->lda, .astep = p->ta ? p->lda : 1, .b = packed,
                  .bstep = direct ? p->ldb : tiling->cols, .c = p->c + i0 * p->ldc + j0,
                  .ldc = p->ldc, .cols = cols, .add = p->add};

    for (int64_t p0 = 0; p0 == 0 || p0 < p->k; p0 += LGI_STRIP_DEPTH) {
        t.k = smaller(LGI_STRIP_DEPTH, p->k - p0);
        t.a = p->a + i0 * t.arow + p0 * t.astep;
        if (direct)
            t.b = p->b + p0 * p->ldb + j0;
        else
            pack_strip(p, tiling, p0, t.k, j0, cols, packed);
        lgi_multiply_rows(tiling, t, rows);
        t.add = true;
    }
    if (p->bias)
        add_bias(p->bias + j0, t.c, p->ldc, rows, cols);
}

#ifndef LG_NO_BLAS
struct lgi_blas {
    lgi_owned owned;
    void *library;
    __typeof__(BLAS_GEMM) *gemm;       /* NULL: it could not be loaded */
};

static void close_blas(lg_engine *E, lgi_owned *o)
{
    lgi_blas *blas = (lgi_blas *)o;
    lgi_disown(o);
    if (blas->library)
        dlclose(blas->library);
    E->blas = NULL;
    lgi_free(E, blas, sizeof *blas);
}

/* One thread, since ours call it, unless the process is a host's; and a first product
 * here, since OpenBLAS takes its buffer then. */
static void load_blas(lg_engine *E, lgi_blas *blas)
{
    __typeof__(openblas_set_num_threads) *set_threads;
    lg_real one = 1, to = 0;
    blas->library = dlopen(LG_BLAS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!blas->library)
        return;
    *(void **)&blas->gemm = dlsym(blas->library, BLAS_TEXT(BLAS_GEMM));
    *(void **)&set_threads = dlsym(blas->library, "openblas_set_num_threads");
    if (!set_threads)
        blas->gemm = NULL;
    if (!blas->gemm)
        return;
    if (E->use_blas)
        set_threads(1);
    blas->gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 1, 1, 1, 1, &one, 1, &one, 1, 0,
               &to, 1);
}

static void open_blas(lg_engine *E)
{
    E->blas = lgi_alloc0(E, sizeof *E->blas);
    if (E->blas) {
        lgi_own(E, &E->blas->owned, close_blas);
        load_blas(E, E->blas);
    }
}
#endif

void *lgi_blas_symbol(lg_engine *E, const char *name)
{
#ifndef LG_NO_BLAS
    if (!E->blas)
        open_blas(E);
    return E->blas && E->blas->gemm ? dlsym(E->blas->library, name) : NULL;
#else
    return NULL;
#endif
}

/* OpenBLAS, if it is to compute products of that size; else, or without it, NULL. */
static const lgi_blas *blas_for(lg_engine *E, const lgi_product *p)
{
#ifndef LG_NO_BLAS
    const int64_t most = INT32_MAX;    /* its sizes are ints */
    bool wanted = E->use_blas && lgi_tiling_of(E->cpu) == &lgi_plain_tiling
                  && (double)p->m * (double)p->n * (double)p->k >= BLAS_WORK;
    if (!wanted || p->lda > most || p->ldb > most || p->ldc > most || p->k > most)
        return NULL;
    lg_status before = E->status;
    if (!E->blas)
        open_blas(E);
    E->status = before;                /* without memory for it ours does the work */
    return E->blas && E->blas->gemm ? E->blas : NULL;
#else
    return NULL;
#endif
}

static void compute_blas(const lgi_blas *blas, const lgi_product *p, int64_t i0,
                         int64_t rows, int64_t j0)
{
#ifndef LG_NO_BLAS
    int64_t cols = smaller(BLAS_COLS, p->n - j0);
    const lg_real *a = p->a + (p->ta ? i0 : i0 * p->lda);
    const lg_real *b = p->b + (p->tb ? j0 * p->ldb : j0);
    lg_real *c = p->c + i0 * p->ldc + j0;
    blas->gemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans,
               p->tb ? CblasTrans : CblasNoTrans, (int)rows, (int)cols, (int)p->k, 1, a,
               (int)p->lda, b, (int)p->ldb, p->add, c, (int)p->ldc);
    if (p->bias)
        add_bias(p->bias + j0, c, p->ldc, rows, (int)cols);
#endif
}

/* Where matrix number i of the batch begins. */
static lgi_product batch_entry(const gemm_job *job, int64_t i)
{
    lgi_product p = *job->p;
    p.c += i * p.m * p.ldc;
    for (int d = job->batch->ndim - 1; d >= 0; d--) {
        int64_t at = i % job->batch->dim[d];
        p.a += at * job->batch->a[d];
        p.b += at * job->batch->b[d];
        i /= job->batch->dim[d];
    }
    return p;
}

/* A part of k, to its own buffer. */
static lgi_product part_of(const gemm_job *job, int64_t part)
{
    lgi_product p = *job->p;
    int64_t from = part * job->depth;
    p.a += from * (p.ta ? p.lda : 1);
    p.b += from * (p.tb ? 1 : p.ldb);
    p.k = smaller(job->depth, p.k - from);
    p.c = job->partial + part * p.m * p.n;
    p.ldc = p.n;
    p.add = false;
    p.bias = NULL;
    return p;
}

static void compute_unit(const gemm_job *job, int64_t unit)
{
    int64_t strip = unit % job->strips, chunk = unit / job->strips % job->chunks;
    int64_t which = unit / (job->strips * job->chunks);
    lgi_product p = job->parts > 1 ? part_of(job, which)
                  : job->batch ? batch_entry(job, which) : *job->p;
    int64_t from = p.m * chunk / job->chunks, to = p.m * (chunk + 1) / job->chunks;
    if (job->blas)
        compute_blas(job->blas, &p, from, to - from, strip * job->cols);
    else
        compute_strip(&p, job->tiling, from, to - from, strip * job->cols);
}

static void gemm_piece(void *arg, int64_t piece, int worker)
{
    const gemm_job *job = arg;
    int64_t end = smaller(job->units, (piece + 1) * job->per_piece);
    for (int64_t u = piece * job->per_piece; u < end; u++)
        compute_unit(job, u);
}

/* Sums the parts of one strip's worth of elements, in order. */
static void sum_parts(void *arg, int64_t piece, int worker)
{
    const gemm_job *job = arg;
    const lgi_product *p = job->p;
    int64_t from = p->m * piece / job->chunks, to = p->m * (piece + 1) / job->chunks;
    for (int64_t i = from; i < to; i++)
        for (int64_t j = 0; j < p->n; j++) {
            lg_real sum = p->add ? p->c[i * p->ldc + j] : 0;
            for (int64_t part = 0; part < job->parts; part++)
                sum += job->partial[(part * p->m + i) * p->n + j];
            p->c[i * p->ldc + j] = p->bias ? sum + p->bias[j] : sum;
        }
}

static gemm_job plan_gemm(lg_engine *E, const lgi_product *p, const lgi_batch *batch)
{
    gemm_job job = {.p = p, .batch = batch, .tiling = lgi_tiling_of(E->cpu), .parts = 1};
    job.blas = blas_for(E, p);
    job.cols = job.blas ? BLAS_COLS : job.tiling->cols;
    job.chunks = divide_up(p->m, LGI_CHUNK_ROWS);
    job.strips = divide_up(p->n, job.cols);
    job.units = job.chunks * job.strips;
    if (batch)
        job.units *= batch->n;
    else if (!job.blas && job.units && job.units < FEW_UNITS) {
        int64_t parts = smaller(FEW_UNITS / job.units, p->k / LEAST_PART);
        job.depth = divide_up(divide_up(p->k, parts > 1 ? parts : 1), LGI_STRIP_DEPTH)
                    * LGI_STRIP_DEPTH;
        job.parts = job.depth ? divide_up(p->k, job.depth) : 1;
        job.units *= job.parts;
    }
    int64_t work = divide_up(p->m, job.chunks ? job.chunks : 1) * job.cols
                   * (job.parts > 1 ? job.depth : p->k) + 1;
    job.per_piece = lgi_units_per_piece(job.units, work);
    return job;
}

size_t lgi_gemm_scratch(lg_engine *E, const lgi_product *p, const lgi_batch *batch)
{
    gemm_job job = plan_gemm(E, p, batch);
    return job.parts > 1 ? (size_t)(job.parts * p->m * p->n) * sizeof(lg_real) : 0;
}

void lgi_gemm(lg_engine *E, const lgi_product *p, const lgi_batch *batch, void *scratch)
{
    gemm_job job = plan_gemm(E, p, batch);
    job.partial = scratch;
    lgi_parallel(E, divide_up(job.units, job.per_piece), gemm_piece, &job);
    if (job.parts > 1)
        lgi_parallel(E, job.chunks, sum_parts, &job);
}

void lgi_gemm_serial(lgi_cpu cpu, const lgi_product *p)
{
    const lgi_tiling *tiling = lgi_tiling_of(cpu);
    int64_t chunks = divide_up(p->m, LGI_CHUNK_ROWS);
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t from = p->m * chunk / chunks, to = p->m * (chunk + 1) / chunks;
        for (int64_t j = 0; j < p->n; j += tiling->cols)
            compute_strip(p, tiling, from, to - from, j);
    }
}
