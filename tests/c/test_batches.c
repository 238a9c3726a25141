/* test_batches.c - data sets: each row once a pass, in an order that can be had again. */
#include "data/batches.h"

#include "base/memory.h"
#include "data/image.h"
#include "data_faults.h"

enum { ROWS = 103, WIDTH = 6 };

/* Row i is all bytes i, and its label is i % 10. */
static lgi_dataset *counted(lg_engine *E, const char *name)
{
    unsigned char *bytes = lgi_alloc(E, ROWS * WIDTH), *labels = lgi_alloc(E, ROWS);
    if (!bytes || !labels) {
        lgi_free(E, bytes, ROWS * WIDTH);
        lgi_free(E, labels, ROWS);
        return NULL;
    }
    for (int i = 0; i < ROWS * WIDTH; i++) {
        bytes[i] = (unsigned char)(i / WIDTH);
        labels[i / WIDTH] = (unsigned char)(i / WIDTH % 10);
    }
    return lgi_byte_dataset(E, name, 4, (int64_t[]){ROWS, 1, 2, 3}, bytes, labels);
}

static int row_of(const lg_tensor *x, int64_t i)
{
    return (int)((lg_data(x)[i * WIDTH] + 1) * (lg_real)127.5 + (lg_real)0.5);
}

/* Writes the rows of a pass, in batches of size, and returns how many there were. */
static int pass_order(lg_engine *E, lgi_dataset *s, int64_t pass, int64_t size, bool keep,
                      int *order)
{
    int n = 0, scope = lg_open_scope(E);
    for (int64_t b = 0; b < lgi_count_batches(s, size, keep); b++) {
        lg_tensor *x, *y;                                      // b,1,2,3 and b
        if (!CHECK(lgi_read_batch(E, s, pass, b, size, keep, &x, &y) == LG_OK))
            return n;
        CHECK(lg_ndim(x) == 4 && lg_dim(x, 4) == 3 && lg_dim(y, 1) == lg_dim(x, 1));
        for (int64_t i = 0; i < lg_dim(x, 1); i++) {
            order[n] = row_of(x, i);
            CHECK(lg_data(x)[i * WIDTH + 5] == lgi_byte_value((unsigned)order[n]));
            CHECK((int)lg_data(y)[i] == order[n] % 10);
            n++;
        }
    }
    lg_close_scope(E, scope);
    return n;
}

static void test_passes(host *h)
{
    int a[ROWS], b[ROWS], seen[ROWS] = {0};
    lg_engine *E = host_engine(h);
    lgi_dataset *s = counted(E, "digits"), *t = counted(E, "others");
    CHECK(pass_order(E, s, 1, 10, true, a) == ROWS);
    for (int i = 0; i < ROWS; i++)
        seen[a[i]]++;
    for (int i = 0; i < ROWS; i++)
        CHECK(seen[i] == 1);
    CHECK(pass_order(E, s, 1, 7, false, b) == 98);     /* the batch does not matter */
    CHECK(memcmp(a, b, 98 * sizeof *a) == 0);
    CHECK(pass_order(E, s, 2, 10, true, b) == ROWS && memcmp(a, b, sizeof a) != 0);
    CHECK(pass_order(E, t, 1, 10, true, b) == ROWS && memcmp(a, b, sizeof a) != 0);
    lg_seed(E, 2);
    CHECK(pass_order(E, s, 1, 10, true, b) == ROWS && memcmp(a, b, sizeof a) != 0);
    lg_seed(E, 1);
    lg_randn(E, 1, (int64_t[]){100});                  /* what a script draws, neither */
    CHECK(pass_order(E, s, 1, 10, true, b) == ROWS && memcmp(a, b, sizeof a) == 0);
    CHECK(pass_order(E, s, 0, 10, true, b) == ROWS);
    for (int i = 0; i < ROWS; i++)
        CHECK(b[i] == i);
    lgi_release_dataset(s);
    host_close_engine(h, E);           /* t is left to lg_close */
}

static void test_counts(host *h)
{
    lg_engine *E = host_engine(h);
    lgi_dataset *s = counted(E, "digits");
    lg_tensor *x, *y;
    CHECK(lgi_count_batches(s, 10, false) == 10 && lgi_count_batches(s, 10, true) == 11);
    CHECK(lgi_count_batches(s, ROWS, true) == 1 && lgi_count_batches(s, 200, false) == 0);
    CHECK(lgi_read_batch(E, s, 1, 10, 10, true, &x, NULL) == LG_OK && lg_dim(x, 1) == 3);
    lgi_read_batch(E, s, 1, 10, 10, false, &x, &y);
    CHECK(!x && !y);
    CHECK_FAILS(E, LG_EARG, "data: 'digits' has 10 batches of 10 rows, and no batch 11");
    lgi_read_batch(E, s, 1, 0, 0, false, &x, &y);
    CHECK_FAILS(E, LG_EARG, "data: a batch of 0 rows in pass 1 of 'digits'");
    lgi_take_rows(E, s, 2, (int64_t[]){5, ROWS}, &x, &y);
    CHECK_FAILS(E, LG_EARG, "data: 'digits' has 103 rows, and no row 104");
    CHECK(lgi_take_rows(E, s, 2, (int64_t[]){5, 1}, &x, &y) == LG_OK);
    CHECK(row_of(x, 0) == 5 && row_of(x, 1) == 1 && lg_data(y)[0] == 5);
    CHECK(lgi_retain_dataset(s) == s);
    lgi_release_dataset(s);
    CHECK(lgi_dataset_labeled(s) && strcmp(lgi_dataset_name(s), "digits") == 0);
    lgi_release_dataset(s);
    host_close_engine(h, E);
}

static void test_tensor_sets(host *h)
{
    lg_engine *E = host_engine(h);
    int scope = lg_open_scope(E);
    lg_tensor *rows = lg_randn(E, 2, (int64_t[]){50, 2}), *x, *y;      // n,2
    lg_tensor *labels = lg_full(E, 1, (int64_t[]){50}, 3);
    lg_tensor *few = lg_full(E, 1, (int64_t[]){49}, 3);
    lg_tensor *half = lg_full(E, 1, (int64_t[]){50}, 0.5);
    lgi_dataset *s = lgi_tensor_dataset(E, "ring", rows, labels);
    CHECK(lgi_read_batch(E, s, 0, 1, 20, false, &x, &y) == LG_OK);
    CHECK(memcmp(lg_data(x), lg_data(rows) + 40, 40 * sizeof(lg_real)) == 0);
    CHECK(lg_data(y)[19] == 3);
    CHECK(!lgi_tensor_dataset(E, "ring", rows, few));
    CHECK_FAILS(E, LG_ESHAPE, "data: 'ring' has 50 rows and its labels are {49}");
    CHECK(!lgi_tensor_dataset(E, "ring", rows, half));
    CHECK_FAILS(E, LG_EARG, "data: label 1 of 'ring' is 0.5; labels are whole numbers");
    CHECK(!lgi_tensor_dataset(E, "none", lg_zeros(E, 2, (int64_t[]){0, 2}), NULL));
    CHECK_FAILS(E, LG_ESHAPE, "data: 'none' is {0,2}; a set has rows");
    lg_close_scope(E, scope);          /* the set keeps its rows */
    lgi_dataset *t = lgi_tensor_dataset(E, "b", lg_zeros(E, 1, (int64_t[]){4}), NULL);
    CHECK(lgi_read_batch(E, s, 3, 0, 50, false, &x, NULL) == LG_OK);
    CHECK(lgi_read_batch(E, t, 3, 0, 4, false, &x, &y) == LG_OK && lg_ndim(x) == 1 && !y);
    lgi_release_dataset(t);
    host_close_engine(h, E);
}

/* The same bits on any number of threads. */
static void test_threads(void)
{
    enum { N = 3000, ROW = 784 };
    static lg_real first[256 * ROW];
    for (int threads = 1; threads <= 4; threads += 3) {
        lg_config c = LG_CONFIG_INIT;
        lg_engine *E;
        lg_tensor *x;
        c.threads = threads;
        CHECK(lg_open(&E, &c) == LG_OK);
        unsigned char *bytes = lgi_alloc(E, N * ROW);
        for (int i = 0; i < N * ROW; i++)
            bytes[i] = (unsigned char)(i * 2654435761u >> 24);
        int64_t dim[] = {N, 1, 28, 28};
        lgi_dataset *s = lgi_byte_dataset(E, "x", 4, dim, bytes, NULL);
        CHECK(lgi_read_batch(E, s, 1, 3, 256, false, &x, NULL) == LG_OK);
        if (threads == 1)
            memcpy(first, lg_data(x), sizeof first);
        CHECK(memcmp(first, lg_data(x), sizeof first) == 0);
        lg_interrupt(E);
        CHECK(lgi_read_batch(E, s, 1, 3, 256, false, &x, NULL) == LG_EINTERRUPT && !x);
        lg_clear(E);
        CHECK(lgi_read_batch(E, s, 1, 3, 256, false, &x, NULL) == LG_OK);
        CHECK(lg_close(E) == 0);
    }
}

/* from files */

static void put_idx(host *h, const char *name, int n, bool images)
{
    unsigned char f[256] = {0, 0, 8, images ? 3 : 1, 0, 0, 0, (unsigned char)n,
                            0, 0, 0, 2, 0, 0, 0, 2};
    host_put(h, name, f, images ? 16 + (size_t)n * 4 : 8 + (size_t)n);
}

static lg_status load_and_batch(lg_engine *E)
{
    lg_tensor *x, *y;
    lgi_dataset *s = lgi_idx_dataset(E, "digits", "images", "labels");
    if (s)
        lgi_read_batch(E, s, 1, 0, 4, false, &x, &y);
    lgi_release_dataset(s);
    return lg_failure(E);
}

static void ready_idx(host *h)
{
    put_idx(h, "images", 9, true);
    put_idx(h, "labels", 9, false);
}

static void done_idx(host *h, lg_status status)
{
    (void)h;
    (void)status;
}

static lg_status tensor_batch(lg_engine *E)
{
    lg_tensor *x, *y, *rows = lg_zeros(E, 2, (int64_t[]){8, 3});
    lg_tensor *labels = lg_zeros(E, 1, (int64_t[]){8});
    lgi_dataset *s = labels ? lgi_tensor_dataset(E, "t", rows, labels) : NULL;
    if (s)
        lgi_read_batch(E, s, 1, 0, 4, false, &x, &y);
    return lg_failure(E);
}

static void test_files(host *h)
{
    const trial loading = {ready_idx, load_and_batch, done_idx};
    const trial making = {ready_idx, tensor_batch, done_idx};
    lg_engine *E = host_engine(h);
    ready_idx(h);
    lgi_dataset *s = lgi_idx_dataset(E, "digits", "images", "labels");
    CHECK(s && lgi_dataset_ndim(s) == 4 && lgi_dataset_dims(s)[1] == 1);
    s = lgi_idx_dataset(E, "digits", "images", NULL);
    CHECK(s && !lgi_dataset_labeled(s));
    put_idx(h, "labels", 8, false);
    CHECK(!lgi_idx_dataset(E, "digits", "images", "labels"));
    CHECK_FAILS(E, LG_EFORMAT, "'images' has 9 images, and 'labels' has 8 labels on 1");
    CHECK(!lgi_idx_dataset(E, "digits", "labels", "labels"));
    CHECK_FAILS(E, LG_EFORMAT, "'labels' has 1 axes; images have 3 (n,h,w) or 4");
    CHECK(!lgi_idx_dataset(E, "digits", "images", "none"));
    CHECK_FAILS(E, LG_EIO, "cannot open 'none'");
    host_close_engine(h, E);
    CHECK(fail_each_call(h, &loading, false, 0) > 6);
    CHECK(fail_each_call(h, &loading, true, EIO) >= 6);
    CHECK(fail_each_call(h, &making, false, 0) > 6);
}

int main(void)
{
    static host h;
    test_passes(&h);
    test_counts(&h);
    test_tensor_sets(&h);
    test_threads();
    test_files(&h);
    host_end(&h);
    return report();
}
