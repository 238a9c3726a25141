/* test_batches.c - data sets: each row once a pass, in an order that can be had again. */
#include "data/batches.h"

#include "base/memory.h"
#include "data/image.h"
#include "data_faults.h"

#include <math.h>

enum { ROWS = 103, WIDTH = 6 };

/* Row i is all bytes i, and its label is i % 10. */
static lgi_dataset *counted(lg_engine *E, const char *name)
{
    unsigned char *bytes = lgi_alloc(E, ROWS * WIDTH);
    int32_t *labels = lgi_alloc(E, ROWS * sizeof *labels);
    if (!bytes || !labels) {
        lgi_free(E, bytes, ROWS * WIDTH);
        lgi_free(E, labels, ROWS * sizeof *labels);
        return NULL;
    }
    for (int i = 0; i < ROWS * WIDTH; i++) {
        bytes[i] = (unsigned char)(i / WIDTH);
        labels[i / WIDTH] = i / WIDTH % 10;
    }
    return lgi_byte_dataset(E, name, 4, (int64_t[]){ROWS, 1, 2, 3}, bytes, labels);
}

/* One batch of a pass, from a loader of its own. */
static lg_status lone_batch(lgi_dataset *s, int64_t pass, int64_t index, int64_t size,
                            bool keep_last, lg_tensor **x, lg_tensor **y)
{
    lgi_loader *l = lgi_open_loader(s, &(lgi_plan){.size = size, .keep_last = keep_last});
    *x = NULL;
    if (y)
        *y = NULL;
    if (l)
        lgi_load_batch(l, pass, index, x, y);
    lgi_close_loader(l);
    return lg_failure(s->engine);
}

static int64_t count_batches(lgi_dataset *s, int64_t size, bool keep_last)
{
    lgi_loader *l = lgi_open_loader(s, &(lgi_plan){.size = size, .keep_last = keep_last});
    int64_t steps = lgi_loader_steps(l);
    lgi_close_loader(l);
    return steps;
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
    for (int64_t b = 0; b < count_batches(s, size, keep); b++) {
        lg_tensor *x, *y;                                      // b,1,2,3 and b
        if (!CHECK(lone_batch(s, pass, b, size, keep, &x, &y) == LG_OK))
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
    CHECK(count_batches(s, 10, false) == 10 && count_batches(s, 10, true) == 11);
    CHECK(count_batches(s, ROWS, true) == 1 && count_batches(s, 200, false) == 0);
    CHECK(lone_batch(s, 1, 10, 10, true, &x, NULL) == LG_OK && lg_dim(x, 1) == 3);
    lone_batch(s, 1, 10, 10, false, &x, &y);
    CHECK(!x && !y);
    CHECK_FAILS(E, LG_EARG, "data: 'digits' has 10 batches of 10 rows, and no batch 11");
    lone_batch(s, 1, 0, 0, false, &x, &y);
    CHECK_FAILS(E, LG_EARG, "data: a batch of 0 rows; it has 1 or more");
    lgi_take_rows(E, s, 2, (int64_t[]){5, ROWS}, &x, &y);
    CHECK_FAILS(E, LG_EARG, "data: 'digits' has 103 rows, and no row 104");
    CHECK(lgi_take_rows(E, s, 2, (int64_t[]){5, 1}, &x, &y) == LG_OK);
    CHECK(row_of(x, 0) == 5 && row_of(x, 1) == 1 && lg_data(y)[0] == 5);
    CHECK(lgi_retain_dataset(s) == s);
    lgi_release_dataset(s);
    CHECK(s->labels && strcmp(s->name, "digits") == 0);
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
    CHECK(lone_batch(s, 0, 1, 20, false, &x, &y) == LG_OK);
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
    CHECK(lone_batch(s, 3, 0, 50, false, &x, NULL) == LG_OK);
    CHECK(lone_batch(t, 3, 0, 4, false, &x, &y) == LG_OK && lg_ndim(x) == 1 && !y);
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
        CHECK(lone_batch(s, 1, 3, 256, false, &x, NULL) == LG_OK);
        if (threads == 1)
            memcpy(first, lg_data(x), sizeof first);
        CHECK(memcmp(first, lg_data(x), sizeof first) == 0);
        lg_interrupt(E);
        CHECK(lone_batch(s, 1, 3, 256, false, &x, NULL) == LG_EINTERRUPT && !x);
        lg_clear(E);
        CHECK(lone_batch(s, 1, 3, 256, false, &x, NULL) == LG_OK);
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
        lone_batch(s, 1, 0, 4, false, &x, &y);
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
        lone_batch(s, 1, 0, 4, false, &x, &y);
    return lg_failure(E);
}

static void test_files(host *h)
{
    const trial loading = {ready_idx, load_and_batch, done_idx};
    const trial making = {ready_idx, tensor_batch, done_idx};
    lg_engine *E = host_engine(h);
    ready_idx(h);
    lgi_dataset *s = lgi_idx_dataset(E, "digits", "images", "labels");
    CHECK(s && s->ndim == 4 && s->dim[1] == 1);
    s = lgi_idx_dataset(E, "digits", "images", NULL);
    CHECK(s && !s->labels);
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

/* views */

static void test_views(host *h)
{
    lg_engine *E = host_engine(h);
    lgi_dataset *s = counted(E, "digits");
    lg_tensor *x, *y;
    lgi_dataset *few = lgi_subset(s, 3, (int64_t[]){7, 50, 7});
    lgi_dataset *two = lgi_subset(few, 2, (int64_t[]){2, 1});
    lgi_dataset *shifted = lgi_relabeled(two, 1);
    lgi_release_dataset(s);                    /* its rows stay */
    lgi_release_dataset(few);
    lgi_release_dataset(two);
    CHECK(lgi_take_rows(E, shifted, 2, (int64_t[]){0, 1}, &x, &y) == LG_OK);
    CHECK(row_of(x, 0) == 7 && row_of(x, 1) == 50);
    CHECK(lg_data(y)[0] == 8 && lg_data(y)[1] == 1);
    CHECK(!lgi_subset(shifted, 1, (int64_t[]){2}));
    CHECK_FAILS(E, LG_EARG, "subset: the set has 2 rows, and no row 3");

    lgi_dataset *stack = lgi_stacked(shifted, "stacked", 40);
    CHECK(lgi_take_rows(E, stack, 1, (int64_t[]){9}, &x, &y) == LG_OK);
    CHECK(lg_ndim(x) == 4 && lg_dim(x, 2) == 3);
    int mark = 0;                              /* of 9 classes, 0 to 8 */
    for (int k = 0; k < 3; k++)
        mark = mark * 9 + (row_of(x, k) == 7 ? 8 : 1);
    CHECK((int)lg_data(y)[0] == mark + 1);
    CHECK(!lgi_stacked(stack, "again", 3));
    CHECK_FAILS(E, LG_ESHAPE, "stacked: the set is {40,3,2,3}; it needs gray images");
    host_close_engine(h, E);
}

static void test_looks(host *h)
{
    lg_engine *E = host_engine(h);
    unsigned char *bytes = lgi_alloc(E, 24);
    for (int i = 0; i < 24; i++)
        bytes[i] = (unsigned char)(10 * i);
    lgi_dataset *s = lgi_byte_dataset(E, "s", 4, (int64_t[]){1, 1, 4, 6}, bytes, NULL);
    lgi_dataset *crop = lgi_looked_at(s, "crop", LGI_CROP, 3, 3, 0);
    lg_tensor *x;
    CHECK(lgi_take_rows(E, crop, 1, (int64_t[]){0}, &x, NULL) == LG_OK);
    CHECK(fabs((double)lg_data(x)[0] - (20 / 127.5 - 1)) < 1e-6);  /* 0, 1.5 to even: 2 */
    lgi_dataset *half = lgi_looked_at(s, "resize", LGI_RESIZE, 2, 3, 0);
    CHECK(lgi_take_rows(E, half, 1, (int64_t[]){0}, &x, NULL) == LG_OK);
    /* Columns 0..2 weigh 3 3 1, and rows, as in Pillow: their mean number is 5/7. */
    double corner = (5 / 7. + 6 * 5 / 7.) * 10;
    CHECK(fabs((double)lg_data(x)[0] - (corner / 127.5 - 1)) < 1e-6);
    lgi_dataset *flip = lgi_looked_at(s, "flip", LGI_FLIP, 4, 6, 1);
    CHECK(lone_batch(flip, 1, 0, 1, false, &x, NULL) == LG_OK);
    CHECK(fabs((double)lg_data(x)[0] - (50 / 127.5 - 1)) < 1e-6);
    CHECK(lone_batch(flip, 0, 0, 1, false, &x, NULL) == LG_OK && lg_data(x)[0] == -1);
    lgi_dataset *normal = lgi_normalized(flip, 1, (double[]){0.5}, (double[]){0.25});
    CHECK(lone_batch(normal, 0, 0, 1, false, &x, NULL) == LG_OK && lg_data(x)[0] == -2);
    CHECK(!lgi_normalized(normal, 1, (double[]){0}, (double[]){1}));
    CHECK_FAILS(E, LG_EARG, "normalize: the set is normalized already");
    CHECK(!lgi_normalized(s, 1, (double[]){0}, (double[]){0}));
    CHECK_FAILS(E, LG_EARG, "normalize: a standard deviation of 0");
    CHECK(!lgi_looked_at(crop, "crop", LGI_CROP, 4, 3, 0));
    CHECK_FAILS(E, LG_ESHAPE, "crop: 4 x 3 does not fit into images of 3 x 3");
    CHECK(!lgi_looked_at(crop, "resize", LGI_RESIZE, 1 << 20, 3, 0));
    CHECK_FAILS(E, LG_EARG, "resize: 1048576 x 3 is no size");
    host_close_engine(h, E);
}

/* Every class equally often, in rounds that have each of them once. */
static void test_balance(host *h)
{
    lg_engine *E = host_engine(h);
    lg_tensor *x, *y;
    unsigned char *bytes = lgi_alloc(E, 90);
    int32_t *labels = lgi_alloc(E, 90 * sizeof *labels);
    for (int i = 0; i < 90; i++) {
        bytes[i] = (unsigned char)i;
        labels[i] = i < 4 ? 5 : i < 20 ? 900 : 2;
    }
    lgi_dataset *s = lgi_byte_dataset(E, "b", 2, (int64_t[]){90, 1}, bytes, labels);
    lgi_loader *l = lgi_open_loader(s, &(lgi_plan){.size = 6, .balanced = true});
    CHECK(lgi_loader_rows(l) == 90 && lgi_loader_steps(l) == 15);
    int seen[90] = {0}, other = 0;
    for (int b = 0; b < 15; b++) {
        CHECK(lgi_load_batch(l, 3, b, &x, &y) == LG_OK);
        int of[3] = {0};
        for (int i = 0; i < 6; i++) {
            int label = (int)lg_data(y)[i];
            of[label == 5 ? 0 : label == 900 ? 1 : 2]++;
            seen[(int)((lg_data(x)[i] + 1) * (lg_real)127.5 + (lg_real)0.5)]++;
        }
        CHECK(of[0] == 2 && of[1] == 2 && of[2] == 2);
    }
    for (int i = 0; i < 20; i++)               /* 30 draws of 4, and of 16 */
        CHECK(i < 4 ? seen[i] == 7 || seen[i] == 8 : seen[i] == 1 || seen[i] == 2);
    for (int i = 20; i < 90; i++)
        CHECK(seen[i] <= 1 && (other += seen[i]) >= 0);
    CHECK(other == 30);
    lgi_close_loader(l);
    s = lgi_byte_dataset(E, "c", 2, (int64_t[]){4, 1}, lgi_alloc0(E, 4), NULL);
    CHECK(!lgi_open_loader(s, &(lgi_plan){.size = 2, .balanced = true}));
    CHECK_FAILS(E, LG_EARG, "batches: 'c' has no labels, so nothing can be balanced");
    host_close_engine(h, E);
}

/* made ahead */

enum { AHEAD_N = 300, AHEAD_SIDE = 12 };

static lgi_dataset *ahead_set(lg_engine *E)
{
    enum { ALL = AHEAD_N * 3 * AHEAD_SIDE * AHEAD_SIDE };
    unsigned char *bytes = lgi_alloc(E, ALL);
    int32_t *labels = lgi_alloc(E, AHEAD_N * sizeof *labels);
    for (int i = 0; i < ALL; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 24);
    for (int i = 0; i < AHEAD_N; i++)
        labels[i] = i % 7;
    int64_t dim[] = {AHEAD_N, 3, AHEAD_SIDE, AHEAD_SIDE};
    lgi_dataset *s = lgi_byte_dataset(E, "ahead", 4, dim, bytes, labels);
    lgi_dataset *big = lgi_looked_at(s, "resize", LGI_RESIZE, 17, 19, 0);
    lgi_dataset *part = lgi_looked_at(big, "random_crop", LGI_RANDOM_CROP, 9, 10, 0);
    lgi_dataset *flip = lgi_looked_at(part, "flip", LGI_FLIP, 9, 10, 0.5);
    lgi_release_dataset(s);
    lgi_release_dataset(big);
    lgi_release_dataset(part);
    return flip;
}

/* A sum of all bits of two passes and a bit, with jumps and a new seed on the way. */
static uint64_t walk_ahead(int threads, bool ahead, bool leave)
{
    lg_config c = LG_CONFIG_INIT;
    lg_engine *E;
    uint64_t sum = 0;
    c.threads = threads;
    CHECK(lg_open(&E, &c) == LG_OK);
    lgi_dataset *s = ahead_set(E);
    lgi_plan p = {.size = 32, .endless = true, .ahead = ahead, .balanced = leave};
    lgi_loader *l = lgi_open_loader(s, &p), *other = lgi_open_loader(s, &p);
    int64_t steps = lgi_loader_steps(l);
    for (int64_t k = 0; k < 2 * steps + 3; k++) {
        int64_t at = k == steps + 4 ? 2 : k;           /* back, once */
        int scope = lg_open_scope(E);
        lg_tensor *x, *y, *z;
        if (k == steps)
            lg_seed(E, 7);
        CHECK(lgi_load_batch(l, 1 + at / steps, at % steps, &x, &y) == LG_OK);
        CHECK(lgi_load_batch(other, 1, k % 2, &z, NULL) == LG_OK);
        const unsigned char *bits[] = {(const void *)lg_data(x), (const void *)lg_data(y),
                                       (const void *)lg_data(z)};
        for (int t = 0; t < 3; t++)
            for (size_t i = 0; i < (t == 1 ? 32 : 32 * 270) * sizeof(lg_real); i++)
                sum = sum * 31 + bits[t][i];
        lg_close_scope(E, scope);
    }
    if (!leave) {
        lgi_close_loader(other);
        lgi_close_loader(l);
    }                                  /* else lg_close has to wait for what is begun */
    CHECK(lg_close(E) == 0);
    return sum;
}

static void test_ahead(void)
{
    for (int leave = 0; leave < 2; leave++) {
        uint64_t first = walk_ahead(1, false, leave);
        CHECK(walk_ahead(1, true, leave) == first);
        CHECK(walk_ahead(2, true, leave) == first);
        CHECK(walk_ahead(4, true, leave) == first);
        CHECK(walk_ahead(4, false, leave) == first);
    }
}

static lg_status many_views(lg_engine *E)
{
    lg_tensor *x, *y;
    lgi_dataset *s = counted(E, "v"), *half = NULL, *stack = NULL;
    if (s)
        half = lgi_looked_at(s, "resize", LGI_RESIZE, 4, 2, 0);
    if (half)
        lgi_normalized(half, 1, (double[]){0}, (double[]){1});
    lgi_dataset *all = half ? lgi_subset(half, 4, (int64_t[]){1, 2, 3, 4}) : NULL;
    if (s && E->status == LG_OK)
        stack = lgi_stacked(s, "stack", 4);
    lgi_plan p = {.size = 2, .balanced = true};
    lgi_loader *l = all && stack ? lgi_open_loader(all, &p) : NULL;
    if (l)
        lgi_load_batch(l, 1, 0, &x, &y);
    return lg_failure(E);
}

/* Where memory lacks for the batch ahead, there is none: what is asked for comes, with
 * the same bits, or fails and comes the next time. */
static void test_ahead_without_memory(host *h)
{
    lg_config c = LG_CONFIG_INIT;
    lg_allocator a = {h, host_alloc, host_free};
    int64_t n = 0, most = 1;
    uint64_t right = 0;
    c.threads = 2;
    c.no_cache = true;
    c.allocator = &a;
    for (; n < most; n++) {
        lg_engine *E;
        uint64_t sum = 0;
        h->fail_alloc = 0;
        CHECK(lg_open(&E, &c) == LG_OK);
        lgi_loader *l = lgi_open_loader(ahead_set(E), &(lgi_plan){.size = 50,
                                                                  .ahead = true});
        int64_t before = h->allocs;
        h->fail_alloc = n ? before + n : 0;
        for (int k = 0; k < 6; k++) {
            int scope = lg_open_scope(E);
            lg_tensor *x, *y;
            if (lgi_load_batch(l, 1, k, &x, &y) < 0) {
                CHECK(lg_failure(E) == LG_ENOMEM && !x && !y);
                lg_clear(E);
                k--;
            } else
                for (int64_t i = 0; i < lg_numel(x); i++)
                    sum = sum * 31 + (uint64_t)((double)lg_data(x)[i] * 1e6 + 2e6);
            lg_close_scope(E, scope);
        }
        most = n ? most : h->allocs - before;
        right = n ? right : sum;
        CHECK(sum == right);
        lgi_close_loader(l);
        CHECK(lg_close(E) == 0 && h->live == 0);
    }
    h->fail_alloc = 0;
    CHECK(most > 20);
}

static void test_failures(host *h)
{
    const trial views = {ready_idx, many_views, done_idx};
    CHECK(fail_each_call(h, &views, false, 0) > 20);
}

int main(void)
{
    static host h;
    test_passes(&h);
    test_counts(&h);
    test_tensor_sets(&h);
    test_threads();
    test_files(&h);
    test_views(&h);
    test_looks(&h);
    test_balance(&h);
    test_ahead();
    test_ahead_without_memory(&h);
    test_failures(&h);
    host_end(&h);
    return report();
}
