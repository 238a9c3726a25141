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
#include "kernel/gemm_block.h"

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

/* Units that a product of some size has at least, for threads to share, if that leaves
 * so many rows to each; and the strips that share a copy of a: see lgi_wants_room. */
enum { SHARED_UNITS = 8, LEAST_ROWS = 96, MOST_STRIPS = 8 };

/* Multiplications of a piece, and of work that is not worth another thread: some
 * microseconds. */
enum { PIECE_WORK = 1 << 18, SERIAL_WORK = 1 << 18 };

/* A product worth a call of OpenBLAS, and the columns of its pieces. */
enum { BLAS_WORK = 1 << 18, BLAS_COLS = 512 };

typedef struct gemm_job {
    const lgi_product *p;
    const lgi_batch *batch;
    const lgi_tiling *tiling;
    const lgi_blas *blas;              /* what computes a unit, unless NULL */
    int64_t chunks, bands;             /* of rows and columns: a unit is one of each */
    int64_t cols;                      /* of a band: a strip or some */
    int64_t parts, depth;              /* of k, and how much each has */
    int64_t units, per_piece;
    lg_real *partial;                  /* parts,m,n */
    char *rooms;                       /* one a thread; or NULL */
} gemm_job;

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t lgi_units_per_piece(int64_t units, int64_t work)
{
    if (units <= SERIAL_WORK / work)
        return units ? units : 1;
    return divide_up(PIECE_WORK, work);
}

#ifndef LG_NO_BLAS
struct lgi_blas {
    lgi_owned owned;
    void *library;
    __typeof__(BLAS_GEMM) *gemm;       /* NULL: it could not be loaded */
    void (*set_own_threads)(int);      /* OpenMP's, in a build with it; or NULL */
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
 * here, since OpenBLAS takes its buffer then. With OpenMP each thread that calls it has a
 * number of its own, and the threads made for it never end: so its code stays. */
static void load_blas(lg_engine *E, lgi_blas *blas)
{
    __typeof__(openblas_set_num_threads) *set_threads;
    lg_real one = 1, to = 0;
    blas->library = dlopen(LG_BLAS_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!blas->library)
        return;
    *(void **)&blas->gemm = dlsym(blas->library, BLAS_TEXT(BLAS_GEMM));
    *(void **)&set_threads = dlsym(blas->library, "openblas_set_num_threads");
    if (!set_threads)
        blas->gemm = NULL;
    if (!blas->gemm)
        return;
    if (E->use_blas) {
        set_threads(1);
        *(void **)&blas->set_own_threads = dlsym(blas->library, "omp_set_num_threads");
    }
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

static void compute_blas(const lgi_blas *blas, const lgi_product *p, lgi_gemm_block at)
{
#ifndef LG_NO_BLAS
    const lg_real *a = p->a + (p->ta ? at.i : at.i * p->lda);
    const lg_real *b = p->b + (p->tb ? at.j * p->ldb : at.j);
    lg_real *c = p->c + at.i * p->ldc + at.j;
    if (blas->set_own_threads)
        blas->set_own_threads(1);
    blas->gemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans,
               p->tb ? CblasTrans : CblasNoTrans, (int)at.rows, (int)at.cols, (int)p->k,
               1, a, (int)p->lda, b, (int)p->ldb, p->add, c, (int)p->ldc);
    for (int64_t i = 0; p->bias && i < at.rows; i++)
        for (int64_t j = 0; j < at.cols; j++)
            c[i * p->ldc + j] += p->bias[at.j + j];
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

static void compute_unit(const gemm_job *job, int64_t unit, lg_real *room)
{
    int64_t band = unit % job->bands, chunk = unit / job->bands % job->chunks;
    int64_t which = unit / (job->bands * job->chunks);
    lgi_product p = job->parts > 1 ? part_of(job, which)
                  : job->batch ? batch_entry(job, which) : *job->p;
    int64_t from = p.m * chunk / job->chunks, to = p.m * (chunk + 1) / job->chunks;
    lgi_gemm_block at = {from, to - from, band * job->cols,
                         smaller(job->cols, p.n - band * job->cols)};
    if (job->blas)
        compute_blas(job->blas, &p, at);
    else
        lgi_compute_block(job->tiling, &p, at, room);
}

static void gemm_piece(void *arg, int64_t piece, int worker)
{
    const gemm_job *job = arg;
    int64_t end = smaller(job->units, (piece + 1) * job->per_piece);
    void *room = job->rooms ? job->rooms + worker * (int64_t)LGI_ROOM : NULL;
    for (int64_t u = piece * job->per_piece; u < end; u++)
        compute_unit(job, u, room);
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

/* How many chunks the rows are cut into, where there are so many bands. */
static int64_t count_chunks(const lgi_product *p, int64_t bands)
{
    int64_t chunks = divide_up(p->m, LGI_CHUNK_ROWS);
    double work = (double)p->m * (double)p->n * (double)p->k;
    while (chunks && chunks * bands < SHARED_UNITS && p->m / chunks >= 2 * LEAST_ROWS
           && work / (double)(chunks * bands) >= 2 * PIECE_WORK)
        chunks *= 2;
    return chunks;
}

/* How many strips make a band, if each unit is to copy its part of a first. */
static int64_t strips_in_band(const lgi_product *p, int64_t cols)
{
    int64_t strips = divide_up(p->n, cols) * divide_up(p->m, LGI_CHUNK_ROWS) / FEW_UNITS;
    return lgi_wants_room(p) ? smaller(MOST_STRIPS, strips ? strips : 1) : 1;
}

/* Where k is long and units are few, it is cut, too. */
static void cut_k(gemm_job *job)
{
    int64_t k = job->p->k, parts = smaller(FEW_UNITS / job->units, k / LEAST_PART);
    job->depth = divide_up(divide_up(k, parts > 1 ? parts : 1), LGI_STRIP_DEPTH)
                 * LGI_STRIP_DEPTH;
    job->parts = job->depth ? divide_up(k, job->depth) : 1;
    job->units *= job->parts;
}

static gemm_job plan_gemm(lg_engine *E, const lgi_product *p, const lgi_batch *batch)
{
    gemm_job job = {.p = p, .batch = batch, .tiling = lgi_tiling_of(E->cpu), .parts = 1};
    job.blas = blas_for(E, p);
    job.cols = lgi_strip_cols(job.tiling, p);
    job.cols = job.blas ? BLAS_COLS : job.cols * strips_in_band(p, job.cols);
    job.bands = divide_up(p->n, job.cols);
    job.chunks = count_chunks(p, batch ? job.bands * batch->n : job.bands);
    job.units = job.chunks * job.bands;
    if (batch)
        job.units *= batch->n;
    else if (!job.blas && job.units && job.units < FEW_UNITS)
        cut_k(&job);
    int64_t work = divide_up(p->m, job.chunks ? job.chunks : 1) * smaller(job.cols, p->n)
                   * (job.parts > 1 ? job.depth : p->k) + 1;
    job.per_piece = lgi_units_per_piece(job.units, work);
    return job;
}

/* Of the partial sums; rooms follow. */
static size_t partial_bytes(const gemm_job *job)
{
    size_t bytes = (size_t)(job->p->m * job->p->n) * sizeof(lg_real);
    return job->parts > 1 ? ((size_t)job->parts * bytes + 63) / 64 * 64 : 0;
}

static bool has_rooms(const gemm_job *job)
{
    return !job->blas && lgi_wants_room(job->p) && job->cols > 2 * job->tiling->cols;
}

size_t lgi_gemm_scratch(lg_engine *E, const lgi_product *p, const lgi_batch *batch)
{
    gemm_job job = plan_gemm(E, p, batch);
    return partial_bytes(&job) + (has_rooms(&job) ? (size_t)E->threads * LGI_ROOM : 0);
}

void lgi_gemm(lg_engine *E, const lgi_product *p, const lgi_batch *batch, void *scratch)
{
    gemm_job job = plan_gemm(E, p, batch);
    job.partial = scratch;
    job.rooms = has_rooms(&job) ? (char *)scratch + partial_bytes(&job) : NULL;
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
        lgi_compute_block(tiling, p, (lgi_gemm_block){from, to - from, 0, p->n}, NULL);
    }
}
