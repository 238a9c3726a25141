/* test_safetensors.c - tensors in files: the same back, and no damage unnoticed. */
#include "data/safetensors.h"

#include "data_faults.h"

#include <unistd.h>

enum { ROOM = 1 << 14 };

static const lgi_note notes[] = {
    {"step", "400"}, {"config", "{\"lr\": 0.0002, \"text\": \"a\\b\n\tc\x01\"}"},
    {"na\"me", "d\xc3\xbcnn \xe2\x82\xac \xf0\x9f\x98\x80"}};

/* Four tensors and three notes to x.safetensors. */
static lg_status save_sample(lg_engine *E)
{
    static const lg_real v[6] = {1, -2, (lg_real)0.1, 4e30f, 0, -0.5};
    lgi_named t[] = {{"G.1.weight", lg_from(E, 2, (int64_t[]){2, 3}, v)},
                     {"empty", lg_zeros(E, 2, (int64_t[]){0, 5})},
                     {"a/\"quoted\"", lg_from(E, 1, (int64_t[]){3}, v + 3)},
                     {"scalar", lg_scalar(E, 7)}};
    for (int i = 0; i < 4; i++)
        if (!t[i].tensor)
            return lg_failure(E);
    return lgi_save_tensors(E, "x.safetensors", 4, t, 3, notes);
}

static void check_sample(lg_engine *E, lgi_archive *a)
{
    lg_tensor *t = lgi_load_stored(a, lgi_find_stored(a, "G.1.weight"));       // 2,3
    CHECK(lgi_count_stored(a) == 4 && lgi_count_notes(a) == 3);
    CHECK(strcmp(lgi_stored_at(a, 0)->name, "G.1.weight") == 0);
    CHECK(t && lg_ndim(t) == 2 && lg_dim(t, 1) == 2 && lg_dim(t, 2) == 3);
    CHECK(t && lg_data(t)[2] == (lg_real)0.1 && lg_data(t)[5] == (lg_real)-0.5);
    t = lgi_load_stored(a, lgi_find_stored(a, "empty"));
    CHECK(t && lg_numel(t) == 0 && lg_dim(t, 2) == 5);
    t = lgi_load_stored(a, lgi_find_stored(a, "scalar"));
    CHECK(t && lg_ndim(t) == 0 && lg_data(t)[0] == 7);
    CHECK(lgi_find_stored(a, "a/\"quoted\"") == 2);
    CHECK(lgi_find_stored(a, "none") == -1 && !lgi_stored_at(a, 4) && !lgi_note_at(a, 3));
    for (int i = 0; i < 3; i++) {
        const char *value = lgi_find_note(a, notes[i].key);
        CHECK(value && strcmp(value, notes[i].value) == 0);
        CHECK(strcmp(lgi_note_at(a, i)->key, notes[i].key) == 0);
    }
    CHECK(lg_failure(E) == LG_OK);
}

static void test_round_trip(host *h)
{
    static unsigned char before[ROOM];
    lg_engine *E = host_engine(h);
    CHECK(save_sample(E) == LG_OK);
    disk_file *f = host_find(h, "x.safetensors");
    size_t size = f->size;
    memcpy(before, f->data, size);
    lgi_archive *a = lgi_open_archive(E, "x.safetensors");
    if (CHECK(a != NULL))
        check_sample(E, a);
    CHECK(save_sample(E) == LG_OK);    /* the same content, the same bytes */
    CHECK(host_same(h, "x.safetensors", before, size));
    CHECK(before[0] % 8 == 0);         /* the numbers are aligned */
    lgi_close_archive(a);
    CHECK(lgi_save_tensors(E, "x.safetensors", 0, NULL, 0, NULL) == LG_OK);
    a = lgi_open_archive(E, "x.safetensors");          /* left to lg_close */
    CHECK(a && lgi_count_stored(a) == 0 && lgi_count_notes(a) == 0);
    host_close_engine(h, E);
}

static void test_many(host *h)
{
    enum { MANY = 700 };
    static char name[MANY][16];
    static lgi_named t[MANY];
    lg_engine *E = host_engine(h);
    for (int i = 0; i < MANY; i++) {
        snprintf(name[i], sizeof name[i], "t%d", i * 7919 % MANY);
        t[i] = (lgi_named){name[i], lg_full(E, 1, (int64_t[]){i % 3}, i)};
    }
    CHECK(lgi_save_tensors(E, "x.safetensors", MANY, t, 0, NULL) == LG_OK);
    lgi_archive *a = lgi_open_archive(E, "x.safetensors");
    for (int i = 0; a && i < MANY; i++)
        CHECK(lgi_find_stored(a, name[i]) == i);
    t[5].name = t[600].name;
    lgi_save_tensors(E, "y", MANY, t, 0, NULL);
    CHECK_FAILS(E, LG_EARG, "cannot write 'y': the name 't");
    host_close_engine(h, E);
}

static void test_write_refusals(host *h)
{
    lg_engine *E = host_engine(h);
    lg_tensor *x = lg_scalar(E, 1);
    lgi_named reserved = {"__metadata__", x}, bytes = {"\xff", x};
    lgi_named long_e = {"\xc1\xa5", x};
    lgi_note own = {"lugano.hash", "1"}, twice[] = {{"k", "1"}, {"k", "2"}};
    lgi_note half = {"k", "\xed\xa0\x80"};             /* a lone surrogate */
    lgi_save_tensors(E, "y", 1, &reserved, 0, NULL);
    CHECK_FAILS(E, LG_EARG, "no tensor can have the name '__metadata__'");
    lgi_save_tensors(E, "y", 1, &bytes, 0, NULL);
    CHECK_FAILS(E, LG_EARG, "cannot write 'y': the name of a tensor is not UTF-8");
    lgi_save_tensors(E, "y", 1, &long_e, 0, NULL);
    CHECK_FAILS(E, LG_EARG, "the name of a tensor is not UTF-8");
    lgi_save_tensors(E, "y", 0, NULL, 1, &half);
    CHECK_FAILS(E, LG_EARG, "the text of a note is not UTF-8");
    lgi_save_tensors(E, "y", 0, NULL, 1, &own);
    CHECK_FAILS(E, LG_EARG, "the note 'lugano.hash' is the file's own");
    lgi_save_tensors(E, "y", 0, NULL, 2, twice);
    CHECK_FAILS(E, LG_EARG, "the name 'k' is there twice");
    CHECK(!host_find(h, "y") && !host_find(h, "y.tmp"));
    host_close_engine(h, E);
}

/* Opens a file of these bytes; false if it is refused, with a message about the file. */
static bool opens(host *h, const unsigned char *file, size_t n, const char *text)
{
    lg_engine *E = host_engine(h);
    host_put(h, "x.safetensors", file, n);
    lgi_archive *a = lgi_open_archive(E, "x.safetensors");
    for (int64_t i = 0; a && i < lgi_count_stored(a); i++)
        if (!lgi_load_stored(a, i))
            lg_clear(E);               /* of a type that we do not read */
    bool opened = a != NULL;
    if (!opened && text)
        CHECK_FAILS(E, LG_EFORMAT, text);
    CHECK(opened || lg_failure(E) == LG_EFORMAT || text);
    CHECK(h->peak < 1 << 20);
    host_close_engine(h, E);
    return opened;
}

static size_t sample_bytes(host *h, unsigned char *to)
{
    lg_engine *E = host_engine(h);
    save_sample(E);
    disk_file *f = host_find(h, "x.safetensors");
    memcpy(to, f->data, f->size);
    host_close_engine(h, E);
    return f->size;
}

static void test_every_flip(host *h)
{
    static unsigned char file[ROOM];
    size_t n = sample_bytes(h, file);
    CHECK(opens(h, file, n, NULL));
    for (size_t bit = 0; bit < 8 * n; bit++) {
        file[bit / 8] ^= (unsigned char)(1 << bit % 8);
        if (!CHECK(!opens(h, file, n, "'x.safetensors' is ")))
            printf("bit %zu\n", bit);
        file[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

static void test_every_cut(host *h)
{
    static unsigned char file[ROOM];
    size_t n = sample_bytes(h, file);
    for (size_t cut = 0; cut < n; cut++)
        CHECK(!opens(h, file, cut, "'x.safetensors' is "));
    file[n] = 0;
    CHECK(!opens(h, file, n + 1, "it has 1 bytes more than its header lists"));
    char text[64];
    snprintf(text, sizeof text, "is damaged: it ends after %zu of %zu bytes", n - 3, n);
    CHECK(!opens(h, file, n - 3, text));
}

/* A file with this header and so many bytes of numbers. */
static size_t foreign(unsigned char *to, const char *header, size_t numbers)
{
    size_t n = strlen(header);
    memset(to, 0, 8 + n + numbers);
    to[0] = (unsigned char)n;
    to[1] = (unsigned char)(n >> 8);
    memcpy(to + 8, header, n);
    return 8 + n + numbers;
}

#define ENTRY "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"

#define MORE ",\"u\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}"
#define ONE(dtype, shape, offsets) "{\"t\":{\"dtype\":\"" dtype "\",\"shape\":[" shape \
    "],\"data_offsets\":[" offsets "]}}"

static void test_foreign(host *h)
{
    static unsigned char f[ROOM];
    static const char *const fine[] = {
        "{\"t\":{" ENTRY "}}", "{ \"t\" : { \"data_offsets\" : [ 0 , 8 ] , "
        "\"shape\":[2,1],\"dtype\":\"F32\" } }   ",
        "{\"t\":{" ENTRY "},\"__metadata__\":{}}",
        "{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},"
        "\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        "{\"t\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}",
        "{\"\\u00e9\\ud83d\\ude00\\n\":{" ENTRY "}}"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        CHECK(opens(h, f, foreign(f, fine[i], 8), "never"));
}

static const struct { const char *header, *text; } bad_headers[] = {
    {"[]", "is not a safetensors file"},
    {"{", "is not a safetensors file"},
    {"{]", "at byte 1 of its header there should be a string"},
    {"{\"t\"}", "there should be ':'"},
    {"{\"t\":{" ENTRY "}", "there should be '}'"},
    {"{\"t\":{" ENTRY "}}x", "there should be the end"},
    {"{\"t\":{" ENTRY "},}", "there should be a string"},
    {"{\"t\":{}}", "there should be a string"},
    {"{\"t\":{\"dtype\":\"F32\"}}", "dtype, shape and data_offsets, once each"},
    {"{\"t\":{" ENTRY "," ENTRY "}}", "dtype, shape and data_offsets, once each"},
    {"{\"t\":{" ENTRY ",\"more\":1}}", "dtype, shape and data_offsets, once each"},
    {ONE("F31", "2", "0,8"), "known dtype"},
    {ONE("F32", "3", "0,8"), "as many bytes"},
    {ONE("F32", "-2", "0,8"), "whole number"},
    {ONE("F32", "02", "0,8"), "whole number"},
    {ONE("F32", "2,", "0,8"), "whole number"},
    {ONE("F32", "1,1,1,1,1,1,1,1,2", "0,8"),
     "at most 8 axes"},
    {ONE("F32", "4611686018427387904,4", "0,8"),
     "a whole number"},
    {ONE("F32", "1099511627776,2", "0,8"),
     "at most 2^40 elements"},
    {ONE("F32", "99999999999999999999", "0,8"),
     "a whole number"},
    {ONE("F32", "2", "8,0"), "after the begin"},
    {ONE("F32", "2", "0,8,9"), "']'"},
    {ONE("F32", "1", "4,8"),
     "a hole before the numbers of 't'"},
    {"{\"t\":{" ENTRY "}" MORE "}",
     "an overlap before the numbers of 'u'"},
    {"{\"t\":{" ENTRY "},\"t\":{\"dtype\":\"U8\",\"shape\":[0],"
     "\"data_offsets\":[8,8]}}",
     "the tensor 't' is there twice"},
    {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"},\"t\":{" ENTRY "}}",
     "the note 'a' is there twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{},\"t\":{" ENTRY "}}", "__metadata__ once"},
    {"{\"__metadata__\":{\"a\":1},\"t\":{" ENTRY "}}", "a string"},
    {"{\"__metadata__\":{\"lugano.format\":\"1\"},\"t\":{" ENTRY "}}", "not complete"},
    {"{\"__metadata__\":{\"lugano.hash\":\"00000000\"},\"t\":{" ENTRY "}}",
     "not complete"},
    {"{\"\\u0000\":{" ENTRY "}}", "there should be a character"},
    {"{\"\\ud83d\":{" ENTRY "}}", "the second half of a surrogate pair"},
    {"{\"\\x\":{" ENTRY "}}", "an escape"},
    {"{\"\\u12g4\":{" ENTRY "}}", "four hexadecimal digits"},
    {"{\"\xff\":{" ENTRY "}}", "the rest of a string in UTF-8"},
    {"{\"t\n\":{" ENTRY "}}", "the rest of a string in UTF-8"},
    {"{\"t", "the rest of a string in UTF-8"},
};

static void test_bad_headers(host *h)
{
    static unsigned char f[ROOM];
    for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
        size_t n = foreign(f, bad_headers[i].header, 8);
        if (!CHECK(!opens(h, f, n, bad_headers[i].text)))
            printf("%s\n", bad_headers[i].header);
    }
    memset(f, 0xff, 100);
    CHECK(!opens(h, f, 100, "'x.safetensors' is not a safetensors file"));
}

/* Damage to a file without a hash gets past it, to all that reads the header. */
static void test_damage(host *h)
{
    static unsigned char f[ROOM];
    static const char marks[] = "{}[]:,\"\\0198eu \n";
    const char *header = "{\"__metadata__\":{\"a\":\"\\u00e9\\n\",\"b\":\"c\"},"
        "\"t\":{" ENTRY "},"
        "\"s\":{\"dtype\":\"F64\",\"shape\":[1,3],\"data_offsets\":[8,32]}}";
    uint32_t n = (uint32_t)strlen(header);
    int opened = 0;
    for (int i = 0; i < 10000; i++) {
        size_t size = foreign(f, header, 32);
        for (uint32_t k = 1 + chance(3); k > 0; k--)
            f[8 + chance(n)] = (unsigned char)(chance(2) ? chance(256)
                                                         : (uint32_t)marks[chance(16)]);
        if (chance(8) == 0)
            f[0] = (unsigned char)chance(256);
        opened += opens(h, f, chance(8) ? size : chance((uint32_t)size), NULL);
    }
    CHECK(opened > 100 && opened < 9000);
}

static void test_types(host *h)
{
    static unsigned char f[ROOM];
    size_t n = foreign(f,
        "{\"d\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
        "\"f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]},"
        "\"h\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[20,22]}}", 22);
    memcpy(f + n - 22, (double[]){0.5, -3e5}, 16);
    memcpy(f + n - 6, (float[]){1.25f}, 4);
    lg_engine *E = host_engine(h);
    host_put(h, "x", f, n);
    lgi_archive *a = lgi_open_archive(E, "x");
    if (!CHECK(a != NULL))
        return;
    lg_tensor *d = lgi_load_stored(a, 0), *s = lgi_load_stored(a, 1);
    CHECK(d && lg_data(d)[0] == (lg_real)0.5 && lg_data(d)[1] == (lg_real)-3e5);
    CHECK(s && lg_data(s)[0] == (lg_real)1.25);
    CHECK(!lgi_load_stored(a, 2));
    CHECK_FAILS(E, LG_EFORMAT, "'x': 'h' is of type F16; only F32, F64 "
                "and whole numbers can be read");
    CHECK(!lgi_load_stored(a, 3));
    CHECK_FAILS(E, LG_EARG, "'x' has 3 tensors, none at 3");

    lg_tensor *to = lg_zeros(E, 1, (int64_t[]){2});
    uint64_t version = to->buffer->version;
    CHECK(lgi_copy_stored(a, 0, to) == LG_OK && lg_data(to)[0] == (lg_real)0.5);
    CHECK(to->buffer->version == version + 1);
    CHECK(lgi_copy_stored(a, 1, to) == LG_ESHAPE);
    CHECK_FAILS(E, LG_ESHAPE, "'x': 'f' is {1}, and what it is to fill is {2}");
    host_close_engine(h, E);
}

/* Whole numbers of every width, and those that no element of a tensor is equal to. */
static void test_whole_types(host *h)
{
    static unsigned char f[ROOM];
    size_t n = foreign(f,
        "{\"a\":{\"dtype\":\"I64\",\"shape\":[3],\"data_offsets\":[0,24]},"
        "\"b\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[24,32]},"
        "\"c\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[32,40]},"
        "\"d\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[40,42]},"
        "\"e\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[42,44]},"
        "\"f\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[44,45]},"
        "\"g\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[45,53]}}", 53);
    unsigned char *p = f + n - 53;
    memcpy(p, (int64_t[]){7, -3, INT64_MIN}, 24);
    memcpy(p + 24, (uint64_t[]){(uint64_t)1 << 63}, 8);
    memcpy(p + 32, (int32_t[]){-70000, INT32_MIN}, 8);
    memcpy(p + 40, (unsigned char[]){0x80, 127, 0, 255, 1}, 5);
    memcpy(p + 45, (int64_t[]){((int64_t)1 << 60) + 1}, 8);
    lg_engine *E = host_engine(h);
    host_put(h, "x", f, n);
    lgi_archive *a = lgi_open_archive(E, "x");
    static const double expected[6][3] = {{7, -3, -0x1p63}, {0x1p63}, {-70000, -0x1p31},
                                          {-128, 127}, {0, 255}, {1}};
    for (int i = 0; a && i < 6; i++) {
        lg_tensor *t = lgi_load_stored(a, i);
        for (int64_t k = 0; CHECK(t != NULL) && k < lg_numel(t); k++)
            CHECK((double)lg_data(t)[k] == expected[i][k]);
    }
    CHECK(a && !lgi_load_stored(a, 6));
    CHECK_FAILS(E, LG_EFORMAT, "'x': element 1 of 'g', of type I64, has more digits than "
                "an element of a tensor");
    host_close_engine(h, E);
}

/* failures of the host */

static void ready_save(host *h) { host_put(h, "x.safetensors", "the earlier file", 16); }

static void done_save(host *h, lg_status status)
{
    CHECK(status == LG_OK || host_same(h, "x.safetensors", "the earlier file", 16));
    CHECK(!host_find(h, "x.safetensors.tmp"));
}

static unsigned char sample_file[ROOM];
static size_t sample_size;

static void ready_open(host *h)
{
    host_put(h, "x.safetensors", sample_file, sample_size);
}

static lg_status open_and_load(lg_engine *E)
{
    lgi_archive *a = lgi_open_archive(E, "x.safetensors");
    for (int64_t i = 0; a && i < 4; i++)
        lgi_load_stored(a, i);
    return lg_failure(E);
}

static void done_open(host *h, lg_status status)
{
    (void)status;
    CHECK(host_same(h, "x.safetensors", sample_file, sample_size));
}

static void test_failures(host *h)
{
    const trial saving = {ready_save, save_sample, done_save};
    const trial opening = {ready_open, open_and_load, done_open};
    sample_size = sample_bytes(h, sample_file);
    CHECK(fail_each_call(h, &saving, false, 0) > 8);
    CHECK(fail_each_call(h, &saving, true, ENOSPC) >= 8);
    CHECK(fail_each_call(h, &opening, false, 0) > 8);
    CHECK(fail_each_call(h, &opening, true, EIO) >= 6);
    h->grudging = true;
    test_round_trip(h);
    h->grudging = false;
}

static void test_real_disk(void)
{
    char folder[] = "/tmp/lugano-test-XXXXXX", path[64];
    lg_engine *E;
    CHECK(mkdtemp(folder) != NULL);
    CHECK(lg_open(&E, NULL) == LG_OK);
    snprintf(path, sizeof path, "%s/x.safetensors", folder);
    lg_tensor *x = lg_randn(E, 2, (int64_t[]){300, 400});
    lgi_named t = {"x", x};
    CHECK(lgi_save_tensors(E, path, 1, &t, 0, NULL) == LG_OK);
    lgi_archive *a = lgi_open_archive(E, path);
    lg_tensor *y = a ? lgi_load_stored(a, 0) : NULL;
    CHECK(y && memcmp(lg_data(x), lg_data(y), 120000 * sizeof(lg_real)) == 0);
    lgi_close_archive(a);
    unlink(path);
    rmdir(folder);
    CHECK(!lgi_open_archive(E, path));
    CHECK_FAILS(E, LG_EIO, "No such file or directory");
    CHECK(lg_close(E) == 0);
}

int main(void)
{
    static host h;
    test_round_trip(&h);
    test_many(&h);
    test_write_refusals(&h);
    test_every_flip(&h);
    test_every_cut(&h);
    test_foreign(&h);
    test_bad_headers(&h);
    test_damage(&h);
    test_whole_types(&h);
    test_types(&h);
    test_failures(&h);
    test_real_disk();
    host_end(&h);
    return report();
}
