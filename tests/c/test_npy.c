/* test_npy.c - NumPy's files: every type and order, whole and damaged. */
#include "data/npy.h"

#include "data/batches.h"
#include "data_faults.h"

enum { NPY_ROOM = 4096 };

/* A file with that dictionary and those bytes. */
static size_t make_npy(unsigned char *to, int version, const char *text, const void *data,
                       size_t n)
{
    size_t header = strlen(text), at = version == 1 ? 10 : 12;
    memcpy(to, "\x93NUMPY", 6);
    to[6] = (unsigned char)version;
    to[7] = 0;
    for (size_t i = 8; i < at; i++)
        to[i] = (unsigned char)(header >> 8 * (i - 8));
    memcpy(to + at, text, header);
    memcpy(to + at + header, data, n);
    return at + header + n;
}

static lg_tensor *read_made(host *h, lg_engine *E, const char *text, const void *data,
                            size_t n)
{
    unsigned char f[NPY_ROOM];
    host_put(h, "a.npy", f, make_npy(f, 1, text, data, n));
    return lgi_read_npy(E, "a.npy");
}

#define NPY(type, order, shape) \
    "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }\n"

static void test_types(host *h)
{
    static const struct {
        const char *text;
        size_t n;
        unsigned char data[16];
        double value[2];
    } cases[] = {
        {NPY("<f4", "False", "(2,)"), 8, {0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0}, {1.5, -2}},
        {NPY(">f4", "False", "(2,)"), 8, {0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0}, {1.5, -2}},
        {NPY("<f8", "False", "(2,)"), 16, {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, {1.5, 0}},
        {NPY("<f2", "False", "(2,)"), 4, {0, 0x3e, 1, 0x80}, {1.5, -0x1p-24}},
        {NPY("|u1", "False", "(2,)"), 2, {3, 255}, {3, 255}},
        {NPY("|i1", "False", "(2,)"), 2, {3, 255}, {3, -1}},
        {NPY("|b1", "False", "(2,)"), 2, {0, 1}, {0, 1}},
        {NPY(">u2", "False", "(2,)"), 4, {1, 0, 0, 7}, {256, 7}},
        {NPY("<i2", "False", "(2,)"), 4, {0, 0x80, 1, 0}, {-32768, 1}},
        {NPY("<u4", "False", "(2,)"), 8, {0, 0, 0, 0x80, 1}, {2147483648.0, 1}},
        {NPY("<i8", "False", "(2,)"), 16,
         {255, 255, 255, 255, 255, 255, 255, 255, 9}, {-1, 9}},
        {NPY("<u8", "False", "(2,)"), 16, {0, 0, 0, 0, 0, 0, 0, 0x80, 9}, {0x1p63, 9}},
    };
    lg_engine *E = host_engine(h);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lg_tensor *t = read_made(h, E, cases[i].text, cases[i].data, cases[i].n);
        if (!check(t && lg_ndim(t) == 1, "%s: %s", cases[i].text, lg_message(E)))
            continue;
        for (int k = 0; k < 2; k++)
            check((double)lg_data(t)[k] == cases[i].value[k], "%s: %g for %g",
                  cases[i].text, (double)lg_data(t)[k], cases[i].value[k]);
    }
    host_close_engine(h, E);
}

static void test_orders(host *h)
{
    lg_engine *E = host_engine(h);
    unsigned char b[24];
    for (int i = 0; i < 24; i++)
        b[i] = (unsigned char)i;
    lg_tensor *c = read_made(h, E, NPY("|u1", "False", "(2, 3, 4)"), b, 24);
    CHECK(c && lg_ndim(c) == 3 && lg_dim(c, 3) == 4 && lg_data(c)[23] == 23);
    lg_tensor *f = read_made(h, E, NPY("|u1", "True", "(2, 3, 4)"), b, 24);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++)
                CHECK((int)lg_data(f)[(i * 3 + j) * 4 + k] == i + 2 * j + 6 * k);
    lg_tensor *one = read_made(h, E, NPY("|u1", "False", "()"), b + 7, 1);
    CHECK(one && lg_ndim(one) == 0 && lg_data(one)[0] == 7);
    lg_tensor *none = read_made(h, E, NPY("<f4", "False", "(0, 5)"), b, 0);
    CHECK(none && lg_ndim(none) == 2 && lg_numel(none) == 0);
    unsigned char file[NPY_ROOM];
    for (int version = 2; version <= 3; version++) {
        size_t n = make_npy(file, version, NPY("|u1", "False", "(5,)"), b, 5);
        host_put(h, "a.npy", file, n);
        lg_tensor *t = lgi_read_npy(E, "a.npy");
        CHECK(t && lg_data(t)[4] == 4);
    }
    host_close_engine(h, E);
}

static void test_round_trip(host *h)
{
    static const int64_t dim[] = {3, 4, 5};
    lg_engine *E = host_engine(h);
    for (int ndim = 0; ndim <= 3; ndim++) {
        lg_tensor *x = lg_randn(E, ndim, dim);
        CHECK(lgi_write_npy(E, "x.npy", x) == LG_OK);
        lg_tensor *y = lgi_read_npy(E, "x.npy");
        CHECK(y && lg_numel(x) == lg_numel(y) && lg_ndim(y) == ndim);
        CHECK(memcmp(lg_data(x), lg_data(y), (size_t)lg_numel(x) * sizeof(lg_real)) == 0);
        CHECK((host_find(h, "x.npy")->size - (size_t)lg_numel(x) * sizeof(lg_real)) % 64
              == 0);
    }
    host_close_engine(h, E);
}

static void test_npy_sets(host *h)
{
    lg_engine *E = host_engine(h);
    unsigned char b[36], f[NPY_ROOM];
    lg_tensor *x, *y;
    for (int i = 0; i < 36; i++)
        b[i] = (unsigned char)(i * 7);
    host_put(h, "x", f, make_npy(f, 1, NPY("|u1", "False", "(3, 2, 2, 3)"), b, 36));
    host_put(h, "y", f, make_npy(f, 1, NPY("|u1", "False", "(3,)"), b, 3));
    lgi_dataset *s = lgi_npy_dataset(E, "npy", "x", "y", true);
    CHECK(s && s->ndim == 4 && s->dim[1] == 3 && s->dim[2] == 2 && s->dim[3] == 2);
    CHECK(s && s->bytes[0] == 0 && s->bytes[1] == 21 && s->bytes[4] == 7);
    CHECK(s && s->labels[2] == 14);
    s = lgi_npy_dataset(E, "npy", "x", NULL, false);
    CHECK(s && s->dim[1] == 2 && s->dim[3] == 3 && s->bytes[1] == 7 && !s->labels);
    host_put(h, "x", f, make_npy(f, 1, NPY("|u1", "True", "(3, 2, 6)"), b, 36));
    s = lgi_npy_dataset(E, "npy", "x", NULL, false);       /* n,h,w becomes n,1,h,w */
    CHECK(s && s->dim[1] == 1 && s->dim[2] == 2 && s->dim[3] == 6);
    CHECK(s && s->bytes[6] == 21 && s->bytes[1] == 42);
    host_put(h, "x", f, make_npy(f, 1, NPY("<i2", "False", "(3, 6)"), b, 36));
    s = lgi_npy_dataset(E, "npy", "x", "y", false);
    CHECK(s && lgi_take_rows(E, s, 1, (int64_t[]){0}, &x, &y) == LG_OK);
    CHECK((int)lg_data(x)[1] == 14 + 256 * 21 && lg_data(y)[0] == 0);
    CHECK(!lgi_npy_dataset(E, "npy", "y", "x", false));
    CHECK_FAILS(E, LG_EFORMAT, "'y' has 3 rows and 'x' is {3,6}; labels are one for");
    host_put(h, "y", f, make_npy(f, 1, NPY("|i1", "False", "(3,)"), "\0\1\xff", 3));
    CHECK(!lgi_npy_dataset(E, "npy", "x", "y", false));
    CHECK_FAILS(E, LG_EFORMAT, "label 3 of 'y' is -1; labels are whole numbers from 0");
    host_put(h, "x", f, make_npy(f, 1, NPY("|u1", "False", "(0, 6)"), b, 0));
    CHECK(!lgi_npy_dataset(E, "npy", "x", NULL, false));
    CHECK_FAILS(E, LG_EFORMAT, "'x' is {0,6}; a set has rows, one at least");
    host_close_engine(h, E);
}

static void test_damage(host *h)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {NPY("<f4", "False", "(3,)"), "'a.npy' ends after"},
        {NPY("<f4", "False", "(1,)"), "'a.npy' has more than the"},
        {NPY("<c8", "False", "(1,)"), "holds numbers of type '<c8', which cannot"},
        {NPY("|O", "False", "(1,)"), "holds Python's objects"},
        {NPY("<U7", "False", "(1,)"), "type '<U7'"},
        {NPY("<f4", "Maybe", "(1,)"), "its header is not what NumPy writes"},
        {NPY("<f4", "False", "(1"), "its header gives no shape"},
        {NPY("<f4", "False", "(-1,)"), "its header gives no shape"},
        {NPY("<f4", "False", "(1,1,1,1,1,1,1,1,1)"), "its header gives no shape"},
        {NPY("<f4", "False", "(1000000, 1000000, 1000000)"), "promises more than"},
        {NPY("<f4", "False", "(99999999999999999999,)"), "its header gives no shape"},
        {NPY("<f4", "False", "(1000000000000,)"), "'a.npy' ends after"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "records"},
        {"{}", "its header is not what NumPy writes"},
        {"", "its header is not what NumPy writes"},
    };
    lg_engine *E = host_engine(h);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(!read_made(h, E, cases[i].text, "12345678", 8));
        CHECK_FAILS(E, LG_EFORMAT, cases[i].says);
    }
    CHECK(h->peak < 1 << 20);
    host_put(h, "a.npy", "no array at all", 15);
    CHECK(!lgi_read_npy(E, "a.npy"));
    CHECK_FAILS(E, LG_EFORMAT, "'a.npy' is not an NPY file");
    host_put(h, "a.npy", "\x93NUMPY\7\0\0\0\0\0", 12);
    CHECK(!lgi_read_npy(E, "a.npy"));
    CHECK_FAILS(E, LG_EFORMAT, "version 7 of the NPY format");
    host_close_engine(h, E);
}

/* Cut at any byte, and with any bit flipped: a message, or an array, and nothing lost. */
static void test_cuts(host *h)
{
    unsigned char f[NPY_ROOM], b[24] = {0};
    size_t n = make_npy(f, 1, NPY("<f4", "False", "(2, 3)"), b, 24);
    lg_engine *E = host_engine(h);
    for (size_t cut = 0; cut < n; cut++) {
        host_put(h, "cut", f, cut);
        CHECK(!lgi_read_npy(E, "cut"));
        CHECK_FAILS(E, LG_EFORMAT, "'cut'");
    }
    for (size_t bit = 0; bit < 8 * n; bit++) {
        int scope = lg_open_scope(E);
        f[bit / 8] ^= (unsigned char)(1 << bit % 8);
        host_put(h, "cut", f, n);
        if (!lgi_read_npy(E, "cut"))
            CHECK_FAILS(E, LG_EFORMAT, "'cut'");
        f[bit / 8] ^= (unsigned char)(1 << bit % 8);
        lg_close_scope(E, scope);
    }
    CHECK(h->peak < 1 << 20);
    host_close_engine(h, E);
}

static void ready_npy(host *h)
{
    unsigned char f[NPY_ROOM], b[32] = {0};
    host_put(h, "x", f, make_npy(f, 1, NPY("|u1", "False", "(2, 4, 4)"), b, 32));
    host_put(h, "y", f, make_npy(f, 1, NPY("<f4", "False", "(2,)"), b, 8));
}

static lg_status npy_work(lg_engine *E)
{
    lgi_npy_dataset(E, "npy", "x", "y", false);
    lgi_npy_dataset(E, "npy", "y", "y", false);
    lg_tensor *t = lgi_read_npy(E, "y");
    if (t)
        lgi_write_npy(E, "z", t);
    return lg_failure(E);
}

static void done_npy(host *h, lg_status status)
{
    CHECK(status < 0 || host_find(h, "z"));
    host_remove(h, "z");
    CHECK(!host_find(h, "z.tmp"));
}

int main(void)
{
    static host h;
    const trial work = {ready_npy, npy_work, done_npy};
    test_types(&h);
    test_orders(&h);
    test_round_trip(&h);
    test_npy_sets(&h);
    test_damage(&h);
    test_cuts(&h);
    CHECK(fail_each_call(&h, &work, false, 0) > 10);
    CHECK(fail_each_call(&h, &work, true, EIO) > 10);
    host_end(&h);
    return report();
}
