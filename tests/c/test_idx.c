/* test_idx.c - IDX files, plain and gzip, whole and damaged; the project's digits. */
#include "data/idx.h"

#include "base/files.h"
#include "base/memory.h"
#include "data_faults.h"

#include <zlib.h>

enum { IDX_MAX = 1 << 16 };

/* An IDX file of these sizes, its bytes counting up: 100 at most. */
static size_t make_idx(unsigned char *to, int type, int ndim, const uint32_t *dim)
{
    size_t n = 4, size = 1;
    memcpy(to, (unsigned char[]){0, 0, (unsigned char)type, (unsigned char)ndim}, 4);
    for (int i = 0; i < ndim; i++) {
        for (int b = 24; b >= 0; b -= 8)
            to[n++] = (unsigned char)(dim[i] >> b);
        size *= dim[i];
    }
    for (size_t i = 0; i < size && i < 100; i++)
        to[n++] = (unsigned char)(i * 3);
    return n;
}

static size_t make_gzip(unsigned char *to, size_t room, const unsigned char *from,
                        size_t n)
{
    z_stream z = {0};
    deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(intptr_t)from;
    z.avail_in = (uInt)n;
    z.next_out = to;
    z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return room - z.avail_out;
}

static const uint32_t small[] = {5, 3, 4};

/* Reads a file of these bytes, which must be {5,3,4}. */
static void expect_idx(host *h, const void *file, size_t n)
{
    lgi_idx x;
    lg_engine *E = host_engine(h);
    host_put(h, "x", file, n);
    if (!CHECK(lgi_read_idx(E, "x", &x) == LG_OK))
        printf("%s\n", lg_message(E));
    CHECK(x.ndim == 3 && x.dim[0] == 5 && x.dim[1] == 3 && x.dim[2] == 4 && x.size == 60);
    for (size_t i = 0; i < x.size; i++)
        CHECK(x.data[i] == (unsigned char)(i * 3));
    lgi_free_idx(E, &x);
    host_close_engine(h, E);
}

static void expect_refusal(host *h, const void *file, size_t n, const char *text)
{
    lgi_idx x;
    lg_engine *E = host_engine(h);
    host_put(h, "x", file, n);
    CHECK(lgi_read_idx(E, "x", &x) == LG_EFORMAT && !x.data);
    CHECK_FAILS(E, LG_EFORMAT, text);
    CHECK(h->peak < 1 << 20);
    host_close_engine(h, E);
}

static void test_round_trip(host *h)
{
    unsigned char plain[256], gz[1024];
    size_t n = make_idx(plain, 8, 3, small), z;
    expect_idx(h, plain, n);
    z = make_gzip(gz, sizeof gz, plain, n);
    expect_idx(h, gz, z);
    for (size_t cut = 0; cut <= n; cut++) {            /* two members, cut anywhere */
        z = make_gzip(gz, sizeof gz, plain, cut);
        z += make_gzip(gz + z, sizeof gz - z, plain + cut, n - cut);
        expect_idx(h, gz, z);
    }
    h->grudging = true;
    expect_idx(h, gz, z);
    h->grudging = false;
}

static void test_refusals(host *h)
{
    unsigned char f[1024] = {0};
    lgi_idx x;
    lg_engine *E = host_engine(h);
    lgi_read_idx(E, "none", &x);
    CHECK_FAILS(E, LG_EIO, "cannot open 'none': No such file or directory");
    host_close_engine(h, E);

    expect_refusal(h, "", 0, "'x' is not an IDX file");
    expect_refusal(h, "hello, world", 12, "'x' is not an IDX file");
    expect_refusal(h, "\0\0\x08\0....", 8, "'x' is not an IDX file");
    expect_refusal(h, "\0\0\x0d\x01....", 8, "'x' is an IDX file of floats; only");
    expect_refusal(h, "\0\0\x08\x05....", 8, "'x' is an IDX file with 5 axes; at most 4");
    expect_refusal(h, "\0\0\x08\x01\0\0", 6, "'x' is damaged: it ends within its header");
    size_t n = make_idx(f, 8, 3, small);
    expect_refusal(h, f, n - 9, "'x' ends after 67 of 76 bytes");
    expect_refusal(h, f, n + 1, "'x' has more than the 76 bytes that its header");
    make_idx(f, 8, 4, (uint32_t[]){0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff});
    expect_refusal(h, f, 100, "its header promises more than the file can hold");
    make_idx(f, 8, 2, (uint32_t[]){0x7fffffff, 8});
    expect_refusal(h, f, 100, "'x' ends after 100 of 17179869188 bytes");
}

static void test_gzip_refusals(host *h)
{
    static unsigned char plain[IDX_MAX], gz[IDX_MAX], zeros[1 << 24];
    size_t n = make_idx(plain, 8, 3, small), z = make_gzip(gz, sizeof gz, plain, n);
    gz[z] = 0;
    expect_refusal(h, gz, z + 1, "'x' is damaged: there are bytes after its gzip data");
    gz[z - 6] ^= 4;
    expect_refusal(h, gz, z, "'x' is damaged: incorrect data check");
    z = make_gzip(gz, sizeof gz, plain, n - 9);
    expect_refusal(h, gz, z, "'x' ends after 67 of 76 bytes");

    make_idx(zeros, 8, 1, (uint32_t[]){10});           /* 16 MB where 18 bytes fit */
    z = make_gzip(gz, sizeof gz, zeros, sizeof zeros);
    expect_refusal(h, gz, z, "'x' has more than the 18 bytes");
    make_idx(plain, 8, 2, (uint32_t[]){1 << 20, 4000});
    z = make_gzip(gz, sizeof gz, plain, 100);
    expect_refusal(h, gz, z, "its header promises more than the file can hold");
}

static void test_truncation(host *h)
{
    unsigned char plain[256], gz[1024];
    size_t n = make_idx(plain, 8, 3, small), z = make_gzip(gz, sizeof gz, plain, n);
    for (size_t cut = 0; cut < n; cut++)
        expect_refusal(h, plain, cut, "'x' ");
    for (size_t cut = 0; cut < z; cut++)
        expect_refusal(h, gz, cut, "'x' ");
}

static void check_any(host *h, const unsigned char *file, size_t n)
{
    lgi_idx x;
    lg_engine *E = host_engine(h);
    host_put(h, "x", file, n);
    lg_status status = lgi_read_idx(E, "x", &x);
    CHECK(status == LG_OK || status == LG_EFORMAT);
    CHECK((status == LG_OK) == (x.data != NULL));
    CHECK(status == LG_OK || strncmp(lg_message(E), "'x' ", 4) == 0);
    CHECK(h->peak < 4 << 20);
    lgi_free_idx(E, &x);
    host_close_engine(h, E);
}

static void test_damage(host *h)
{
    unsigned char plain[256], gz[1024];
    for (int i = 0; i < 10000; i++) {
        size_t n = make_idx(plain, 8, 1 + (int)chance(3), small), z;
        if (chance(2))
            plain[chance(20)] = (unsigned char)chance(256);
        z = make_gzip(gz, sizeof gz, plain, n);
        for (uint32_t k = chance(4); k > 0; k--) {
            gz[chance((uint32_t)z)] = (unsigned char)chance(256);
            plain[chance((uint32_t)n)] ^= (unsigned char)(1u << chance(8));
        }
        check_any(h, gz, chance(8) ? z : chance((uint32_t)z));
        check_any(h, plain, chance(8) ? n : chance((uint32_t)n));
    }
}

/* failures of the host */

static void ready_gzip(host *h)
{
    unsigned char plain[256], gz[1024];
    size_t n = make_idx(plain, 8, 3, small);
    host_put(h, "x", gz, make_gzip(gz, sizeof gz, plain, n));
}

static lg_status read_gzip(lg_engine *E)
{
    lgi_idx x;
    lg_status status = lgi_read_idx(E, "x", &x);
    CHECK((status == LG_OK) == (x.data != NULL));
    lgi_free_idx(E, &x);
    return status;
}

static void done_gzip(host *h, lg_status status)
{
    (void)h;
    (void)status;
}

static void test_failures(host *h)
{
    const trial reading = {ready_gzip, read_gzip, done_gzip};
    CHECK(fail_each_call(h, &reading, false, 0) >= 4);
    CHECK(fail_each_call(h, &reading, true, EIO) >= 3);
}

/* the project's own digits, on the real disk */

static void test_digits(void)
{
    char path[512];
    lg_engine *E;
    lgi_idx x, y;
    int count[10] = {0};
    const char *end = strstr(__FILE__, "tests/c/");
    int root = end ? (int)(end - __FILE__) : 0;

    CHECK(lg_open(&E, NULL) == LG_OK);
    snprintf(path, sizeof path, "%.*smodels/data/digits/train-images-idx3-ubyte.gz", root,
             __FILE__);
    CHECK(lgi_read_idx(E, path, &x) == LG_OK);
    snprintf(path, sizeof path, "%.*smodels/data/digits/train-labels-idx1-ubyte.gz", root,
             __FILE__);
    CHECK(lgi_read_idx(E, path, &y) == LG_OK);
    CHECK(x.ndim == 3 && x.dim[0] == 4500 && x.dim[1] == 28 && x.dim[2] == 28);
    CHECK(y.ndim == 1 && y.dim[0] == 4500);
    for (size_t i = 0; i < y.size; i++)
        count[y.data[i] % 10]++;
    for (int d = 0; d < 10; d++)
        CHECK(count[d] > 400);
    lgi_free_idx(E, &x);
    lgi_free_idx(E, &y);
    CHECK(lg_close(E) == 0);
}

int main(void)
{
    static host h;
    test_round_trip(&h);
    test_refusals(&h);
    test_gzip_refusals(&h);
    test_truncation(&h);
    test_damage(&h);
    test_failures(&h);
    test_digits();
    host_end(&h);
    return report();
}
