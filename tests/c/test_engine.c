/* test_engine.c - the engine's promises: failure, memory, files, randomness, threads. */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/random.h"
#include "tensor/tensor.h"
#include "failing.h"
#include "test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static lg_engine *open_with(const lg_config *c)
{
    lg_engine *E = NULL;
    check(lg_open(&E, c) == LG_OK && E, "an engine opens");
    return E;
}

static void test_failure(void)
{
    lg_engine *E = open_with(NULL);
    check(lg_failure(E) == LG_OK && lg_message(E)[0] == 0, "no failure at first");
    check(!lg_zeros(E, 9, (int64_t[9]){0}), "nine axes are refused");
    check_text(lg_message(E), "a tensor has at most 8 axes, not 9");
    check(!lg_zeros(E, 1, (int64_t[]){-1}), "no work while a failure is pending");
    check_text(lg_message(E), "not 9");
    lg_clear(E);
    check(!lg_zeros(E, 2, (int64_t[]){3, -1}), "a negative size is refused");
    check_text(lg_message(E), "{3,-1} is no shape: a size is negative");
    lg_clear(E);
    check(!lg_zeros(E, 2, (int64_t[]){(int64_t)1 << 31, (int64_t)1 << 31}),
          "2^62 elements");
    check_text(lg_message(E), "has more than 2^40 elements");
    lg_clear(E);
    lg_tensor *empty = lg_zeros(E, 2, (int64_t[]){0, (int64_t)1 << 40});
    check(empty && lg_numel(empty) == 0,
          "a size of 0 makes it empty, however large another");
    check(strcmp(lg_version(), LG_VERSION) == 0, "the version");
    check(lg_close(E) == 0, "nothing is left");
    check(lg_close(NULL) == 0, "closing nothing");
}

static void test_memory(void)
{
    lg_config c = LG_CONFIG_INIT;
    c.memory_limit = 1 << 20;
    lg_engine *E = open_with(&c);
    int scope = lg_open_scope(E);
    lg_tensor *t = lg_zeros(E, 1, (int64_t[]){1000});
    check(t && lg_bytes(E) >= 1000 * (int64_t)sizeof(lg_real), "bytes are counted");
    check(((uintptr_t)lg_data(t) & 63) == 0, "numbers are aligned to 64 bytes");
    check(!lg_zeros(E, 1, (int64_t[]){1 << 20}), "the limit holds");
    check_text(lg_message(E), "would pass the limit of 1.0 MB");
    check(lg_failure(E) == LG_ENOMEM, "its status");
    lg_clear(E);
    lg_retain(t);
    lg_close_scope(E, scope);
    check(lg_data(t)[999] == 0, "what is retained outlives its scope");
    lg_release(t);
    int64_t stack = (int64_t)E->scoped_cap * (int64_t)sizeof(void *);
    check(lg_bytes(E) <= stack, "%lld bytes are left", (long long)lg_bytes(E));
    check(lg_peak_bytes(E) > 4000, "the peak is kept");
    lg_trim(E);
    check(E->cached == 0, "the cache can be trimmed");
    check(lg_close(E) == 0, "nothing is left");
}

static bool holds(const unsigned char *p, size_t size, unsigned char value)
{
    for (size_t i = 0; i < size; i += 1000)
        if (p[i] != value)
            return false;
    return p[size - 1] == value;
}

/* Large blocks of changing sizes: what is held stays near what was used at most, and no
 * block shares a page with another. */
static void test_large_blocks(void)
{
    enum { BLOCKS = 6, ROUNDS = 200, MOST = 9 << 20 };
    lg_engine *E = open_with(NULL);
    unsigned char *p[BLOCKS] = {0};
    size_t size[BLOCKS] = {0};
    uint64_t seed = 1;
    for (int i = 0; i < ROUNDS; i++) {
        int k = i % BLOCKS;
        check(!p[k] || holds(p[k], size[k], (unsigned char)(i - BLOCKS)), "round %d", i);
        lgi_free(E, p[k], size[k]);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size[k] = (size_t)(seed >> 33) % MOST + 1;
        p[k] = lgi_alloc(E, size[k]);
        if (!p[k])
            break;
        memset(p[k], i & 255, size[k]);
        check(E->held <= E->high + (40 << 20), "%lld bytes are held", (long long)E->held);
    }
    for (int k = 0; k < BLOCKS; k++)
        lgi_free(E, p[k], size[k]);
    check(lg_bytes(E) == 0, "all of it is free");
    check(lg_close(E) == 0, "nothing is left");
}

static void test_allocator(void)
{
    for (int at = 1; at < 12; at++)
        for (int for_ever = 0; for_ever < 2; for_ever++) {
            failing f = {0, at, for_ever};
            lg_allocator a = {&f, failing_alloc, failing_free};
            lg_config c = LG_CONFIG_INIT;
            lg_engine *E;
            c.allocator = &a;
            c.no_cache = true;
            if (lg_open(&E, &c) != LG_OK) {
                check(at == 1 && !E, "only the first allocation can fail the opening");
                continue;
            }
            lg_tensor *x = lg_randn(E, 2, (int64_t[]){3, 4});
            lg_tensor *y = lg_track(E, x);
            check(!y == (lg_failure(E) == LG_ENOMEM), "NULL and a status, or neither");
            check(lg_close(E) == 0, "nothing is left after allocation %d failed", at);
        }
}

typedef struct count { double sum[64]; } count;

static void count_piece(void *job, int64_t piece, int worker)
{
    count *c = job;
    (void)worker;
    for (int i = 0; i < 1000; i++)
        c->sum[piece] += 1.0 / (double)(1 + i + piece);
}

static void stop_piece(void *job, int64_t piece, int worker)
{
    lg_engine *E = job;
    (void)worker;
    if (piece == 3)
        lg_interrupt(E);
}

static void test_threads(void)
{
    count sums[4] = {0};
    lg_real *numbers[4];
    for (int threads = 1; threads <= 4; threads++) {
        lg_config c = LG_CONFIG_INIT;
        c.threads = threads;
        lg_engine *E = open_with(&c);
        for (int round = 0; round < 50; round++)
            lgi_parallel(E, 64, count_piece, &sums[threads - 1]);
        lg_tensor *t = lg_randn(E, 1, (int64_t[]){100001});
        numbers[threads - 1] = malloc(100001 * sizeof(lg_real));
        memcpy(numbers[threads - 1], lg_data(t), 100001 * sizeof(lg_real));
        check(!memcmp(&sums[0], &sums[threads - 1], sizeof *sums), "%d threads", threads);
        check(!memcmp(numbers[0], numbers[threads - 1], 100001 * sizeof(lg_real)),
              "the same random numbers on %d threads", threads);
        lgi_parallel(E, 1000, stop_piece, E);
        check(lgi_interrupted(E) == LG_EINTERRUPT, "an interrupt is seen");
        check_text(lg_message(E), "interrupted");
        check(lg_close(E) == 0, "nothing is left");
    }
    for (int i = 0; i < 4; i++)
        free(numbers[i]);
}

/* The known answers of Random123's kat_vectors for philox4x32-10. */
static void test_random(void)
{
    uint32_t r[4];
    lgi_philox((lgi_stream){0, 0}, 0, r);
    check(r[0] == 0x6627e8d5 && r[1] == 0xe169c58d && r[2] == 0xbc57ac4c
          && r[3] == 0x9b00dbd8, "Philox of zeros");
    lgi_philox((lgi_stream){UINT64_MAX, UINT64_MAX}, UINT64_MAX, r);
    check(r[0] == 0x408f276d && r[1] == 0x41c83b0e && r[2] == 0xa20bc7c6
          && r[3] == 0x6d5451fd, "Philox of ones");

    lg_engine *E = open_with(NULL);
    lg_tensor *a = lg_randn(E, 1, (int64_t[]){100000});
    double mean = 0, square = 0;
    for (int i = 0; i < 100000; i++) {
        mean += lg_data(a)[i] / 1e5;
        square += lg_data(a)[i] * lg_data(a)[i] / 1e5;
    }
    check(fabs(mean) < 0.02 && fabs(square - 1) < 0.02, "N(0, 1): %g %g", mean, square);
    lg_seed(E, 1);
    lg_tensor *b = lg_randn(E, 1, (int64_t[]){5}), *d = lg_randn(E, 1, (int64_t[]){5});
    check(lg_data(b)[4] == lg_data(a)[4], "a seed gives the same numbers");
    check(lg_data(d)[0] == lg_data(a)[8], "a draw takes whole blocks");
    int64_t order[100], seen = 0;
    lgi_permutation(lgi_named_stream(E, "test"), 100, order);
    for (int i = 0; i < 100; i++)
        seen += order[i];
    check(seen == 4950 && order[0] != 0, "a permutation");
    lg_close(E);
}

static void test_decimal(void)
{
    static const char *const texts[] = {"0.1", "1e-8", "-2.5e3", "0.999", "17", "1e300",
                                        "3.14159265358979", ".5", "2e-4"};
    const char *end;
    double x;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(lgi_read_decimal(texts[i], &end, &x) && x == strtod(texts[i], NULL)
              && !*end, "%s is read as %.17g", texts[i], x);
    check(lgi_read_decimal("-inf,", &end, &x) && x == -INFINITY && *end == ',', "-inf");
    check(!lgi_read_decimal("x", &end, &x) && !lgi_read_decimal("", &end, &x)
          && !lgi_read_decimal("-", &end, &x) && !lgi_read_decimal(".", &end, &x),
          "no numbers");
}

/* A file table whose n-th call fails. */
typedef struct bad_files { lg_files real; int calls, at, error; } bad_files;

static bool fails_now(bad_files *f)
{
    if (++f->calls != f->at)
        return false;
    errno = f->error;
    return true;
}

static void *bad_open(void *u, const char *path, const char *mode)
{
    bad_files *f = u;
    return fails_now(f) ? NULL : f->real.open(f->real.user, path, mode);
}
static ptrdiff_t bad_read(void *u, void *file, void *to, size_t n)
{
    bad_files *f = u;                  /* and short reads */
    return fails_now(f) ? -1 : f->real.read(f->real.user, file, to, n < 7 ? n : 7);
}
static ptrdiff_t bad_write(void *u, void *file, const void *from, size_t n)
{
    bad_files *f = u;                  /* and short writes */
    return fails_now(f) ? -1 : f->real.write(f->real.user, file, from, n < 5 ? n : 5);
}
static int bad_sync(void *u, void *file)
{
    bad_files *f = u;
    return fails_now(f) ? -1 : f->real.sync(f->real.user, file);
}
static int bad_close(void *u, void *file)
{
    bad_files *f = u;
    int closed = f->real.close(f->real.user, file);
    return fails_now(f) ? -1 : closed;
}
static int bad_rename(void *u, const char *from, const char *to)
{
    bad_files *f = u;
    return fails_now(f) ? -1 : f->real.rename(f->real.user, from, to);
}
static int bad_remove(void *u, const char *path)
{
    bad_files *f = u;
    return f->real.remove(f->real.user, path);
}
static int bad_mkdir(void *u, const char *path)
{
    bad_files *f = u;
    return fails_now(f) ? -1 : f->real.mkdir(f->real.user, path);
}

static int bad_list(void *u, const char *path, void *to,
                    int (*each)(void *, const char *, int))
{
    bad_files *f = u;
    return fails_now(f) ? -1 : f->real.list(f->real.user, path, to, each);
}

static void expect_content(lg_engine *E, const char *path, const char *content)
{
    unsigned char *data;
    size_t n;
    check(lgi_read_file(E, path, 1 << 20, &data, &n) == LG_OK, "%s", lg_message(E));
    check(n == strlen(content) && memcmp(data, content, n) == 0, "the content of %s",
          path);
    lgi_free(E, data, n);
}

static void test_files(void)
{
    char folder[] = "/tmp/lugano-XXXXXX", path[64], deep[64];
    check(mkdtemp(folder) != NULL, "a folder for the test");
    snprintf(path, sizeof path, "%s/a", folder);
    snprintf(deep, sizeof deep, "%s/b/c", folder);
    int saved = 0, failed = 0, errors[] = {EIO, ENOSPC, EINTR};
    for (int at = 1; at < 24; at++)
        for (int e = 0; e < 3; e++) {
            bad_files bad = {lgi_system_files(), 0, 0, errors[e]};
            lg_files table = {&bad, bad_open, bad_read, bad_write, bad_sync, bad_close,
                              bad_rename, bad_remove, bad_mkdir, bad_list};
            lg_config c = LG_CONFIG_INIT;
            c.files = &table;
            lg_engine *E = open_with(&c);
            check(lgi_save_file(E, path, "the earlier file", 16) == LG_OK, "%s",
                  lg_message(E));
            bad.calls = 0;
            bad.at = at;
            lg_status status = lgi_save_file(E, path, "something else, longer", 22);
            bool ended = bad.calls < at;
            bad.at = 0;
            if (status < 0) {
                failed++;
                check(status == LG_EIO, "the status of a failing disk");
                check_text(lg_message(E), "cannot write '/tmp/lugano-");
            }
            lg_clear(E);
            if (status == LG_OK) {
                saved++;
                expect_content(E, path, "something else, longer");
            } else {
                expect_content(E, path, "the earlier file");
            }
            char left[80];
            snprintf(left, sizeof left, "%s.tmp", path);
            check(access(left, F_OK) != 0, "no temporary file is left, at %d", at);
            check(lg_close(E) == 0, "nothing is left");
            if (ended)
                break;
        }
    check(saved >= 3 && failed >= 6, "both happened: %d, %d", saved, failed);
    lg_engine *E = open_with(NULL);
    unsigned char *data;
    size_t n;
    check(lgi_make_folder(E, deep) == LG_OK, "folders within folders");
    check(lgi_make_folder(E, deep) == LG_OK, "again");
    check(lgi_read_file(E, "/nonexistent", 10, &data, &n) == LG_EIO && !data,
          "no such file");
    check_text(lg_message(E), "cannot open '/nonexistent': No such file or directory");
    lg_clear(E);
    check(lgi_read_file(E, folder, 10, &data, &n) < 0, "a folder is no file");
    lg_clear(E);
    check(lgi_read_file(E, path, 10, &data, &n) == LG_EFORMAT, "a limit on the size");
    lg_clear(E);
    check(lgi_make_folder(E, path) == LG_EIO, "a file is no folder");
    lg_clear(E);
    check(lgi_save_file(E, folder, "x", 1) == LG_EIO, "a folder is not replaced");
    check_text(lg_message(E), "Is a directory");
    lg_close(E);
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    check(system(command) == 0, "the folder goes");
}

/* Sorted, folders marked, hidden names left out; and each call that fails is told. */
static void test_folder(void)
{
    char folder[] = "/tmp/lugano-XXXXXX", path[80], *names;
    size_t size;
    check(mkdtemp(folder) != NULL, "a folder for the test");
    static const char *const files[] = {"b", "a.png", ".hidden", "a"};
    for (int broken = 0; broken < 2; broken++) {
        bad_files bad = {lgi_system_files(), 0, 0, EACCES};
        lg_files table = {&bad, bad_open, bad_read, bad_write, bad_sync, bad_close,
                          bad_rename, bad_remove, bad_mkdir, bad_list};
        lg_config c = LG_CONFIG_INIT;
        c.files = &table;
        lg_engine *E = open_with(&c);
        for (int i = 0; i < 4; i++) {
            snprintf(path, sizeof path, "%s/%s", folder, files[i]);
            check(lgi_save_file(E, path, "x", 1) == LG_OK, "%s", lg_message(E));
        }
        snprintf(path, sizeof path, "%s/aa", folder);
        check(lgi_make_folder(E, path) == LG_OK, "a folder in it");
        check(lgi_list_folder(E, path, &names, &size) == LG_OK && names && size == 0,
              "an empty folder");
        lgi_free(E, names, size);
        bad.at = broken ? bad.calls + 1 : 0;
        lg_status status = lgi_list_folder(E, folder, &names, &size);
        if (broken)
            check(status == LG_EIO && !names, "a folder that cannot be read");
        else
            check(size == 14 && memcmp(names, "a\0a.png\0aa/\0b", size) == 0,
                  "what is in it: %zu bytes", size);
        lg_clear(E);
        lgi_free(E, names, size);
        check(lgi_list_folder(E, "/nonexistent", &names, &size) == LG_EIO, "no folder");
        check_text(lg_message(E), "cannot read the folder '/nonexistent': No such file");
        lg_clear(E);
        E->files.list = NULL;
        check(lgi_list_folder(E, folder, &names, &size) == LG_EIO, "a host without");
        check(lg_close(E) == 0, "nothing is left");
    }
}

static double fixed_now(void *user) { return *(double *)user += 0.5; }

int main(void)
{
    test_failure();
    test_memory();
    test_large_blocks();
    test_allocator();
    test_threads();
    test_random();
    test_decimal();
    test_files();
    test_folder();
    double time = 7;
    lg_clock clock = {&time, fixed_now};
    lg_config c = LG_CONFIG_INIT;
    c.clock = &clock;
    lg_engine *E = open_with(&c);
    check(lgi_now(E) == 7.5, "the clock can be replaced");
    lg_close(E);
    return report();
}
