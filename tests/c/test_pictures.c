/* test_pictures.c - picture files and CIFAR's records as sets, whole and damaged. */
#include "data/pictures.h"

#include "base/memory.h"
#include "data/cifar.h"
#include "data/jpeg.h"
#include "data/png.h"
#include "data_faults.h"

/* A JPEG of 8 x 8 gray pixels, all 128 but for a dark corner. */
static const unsigned char jpeg_bytes[] = {
    255, 216, 255, 224, 0, 16, 74, 70, 73, 70, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 255, 219, 0,
    67, 0, 16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22,
    24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87,
    69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120,
    92, 101, 103, 99, 255, 192, 0, 11, 8, 0, 8, 0, 8, 1, 1, 17, 0, 255, 196, 0, 31, 0, 0,
    1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    255, 196, 0, 181, 16, 0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125, 1, 2, 3, 0, 4,
    17, 5, 18, 33, 49, 65, 6, 19, 81, 97, 7, 34, 113, 20, 50, 129, 145, 161, 8, 35, 66,
    177, 193, 21, 82, 209, 240, 36, 51, 98, 114, 130, 9, 10, 22, 23, 24, 25, 26, 37, 38,
    39, 40, 41, 42, 52, 53, 54, 55, 56, 57, 58, 67, 68, 69, 70, 71, 72, 73, 74, 83, 84,
    85, 86, 87, 88, 89, 90, 99, 100, 101, 102, 103, 104, 105, 106, 115, 116, 117, 118,
    119, 120, 121, 122, 131, 132, 133, 134, 135, 136, 137, 138, 146, 147, 148, 149, 150,
    151, 152, 153, 154, 162, 163, 164, 165, 166, 167, 168, 169, 170, 178, 179, 180, 181,
    182, 183, 184, 185, 186, 194, 195, 196, 197, 198, 199, 200, 201, 202, 210, 211, 212,
    213, 214, 215, 216, 217, 218, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 241,
    242, 243, 244, 245, 246, 247, 248, 249, 250, 255, 218, 0, 8, 1, 1, 0, 0, 63, 0, 175,
    103, 105, 29, 148, 70, 56, 139, 16, 91, 119, 204, 127, 207, 165, 127, 255, 217,
};

static void put_png(lg_engine *E, const char *name, int w, int h, int c, int base)
{
    unsigned char pixels[1024];
    for (int i = 0; i < w * h * c; i++)
        pixels[i] = (unsigned char)(base + i);
    CHECK(lgi_write_png(E, name, w, h, c, pixels) == LG_OK);
}

static lg_status read_some(lg_engine *E, int n, int channels, int size, bool halves,
                           lgi_dataset *to[2])
{
    static const char *const paths[] = {"a.png", "b.png"};
    static const int32_t labels[] = {1, 2};
    lgi_pictures p = {.name = "folder", .n = n, .paths = paths, .labels = labels,
                      .channels = channels, .height = size, .width = size,
                      .halves = halves};
    return lgi_read_pictures(E, &p, to);
}

static void test_sets(host *h)
{
    lg_engine *E = host_engine(h);
    lgi_dataset *s[2];
    put_png(E, "a.png", 4, 2, 3, 0);
    put_png(E, "b.png", 4, 2, 1, 50);
    CHECK(read_some(E, 2, 3, 0, false, s) == LG_OK && !s[1]);
    CHECK(s[0]->dim[0] == 2 && s[0]->dim[1] == 3);
    CHECK(s[0]->dim[2] == 2 && s[0]->dim[3] == 4);
    CHECK(s[0]->bytes[1] == 3 && s[0]->bytes[8] == 1 && s[0]->bytes[24] == 50);
    CHECK(s[0]->bytes[24 + 8] == 50 && s[0]->labels[1] == 2);
    CHECK(read_some(E, 2, 1, 0, true, s) == LG_OK);
    CHECK(s[1]->dim[1] == 1 && s[1]->dim[2] == 2 && s[1]->dim[3] == 2);
    CHECK(s[0]->bytes[4] == 50 && s[1]->bytes[4] == 52 && s[1]->bytes[6] == 56);
    CHECK(read_some(E, 2, 1, 2, false, s) == LG_OK);       /* the middle of 4 x 2 */
    CHECK(s[0]->dim[3] == 2 && s[0]->bytes[4] == 51 && s[0]->bytes[7] == 56);

    put_png(E, "b.png", 5, 2, 1, 50);
    CHECK(read_some(E, 2, 3, 0, false, s) < 0);
    CHECK_FAILS(E, LG_ESHAPE, "'a.png' is 4 x 2 and 'b.png' is 5 x 2; say size = 64");
    CHECK(read_some(E, 2, 3, 7, true, s) < 0);
    CHECK_FAILS(E, LG_EFORMAT, "'b.png' is 5 pixels wide; two halves need an even");
    CHECK(read_some(E, 2, 3, 7, false, s) == LG_OK && s[0]->dim[2] == 7);
    host_put(h, "b.png", "GIF89a", 6);
    CHECK(read_some(E, 2, 3, 7, false, s) < 0 && !s[0] && !s[1]);
    CHECK_FAILS(E, LG_EFORMAT, "'b.png' is not a PNG file, and no JPEG");
    host_remove(h, "b.png");
    CHECK(read_some(E, 2, 3, 7, false, s) < 0);
    CHECK_FAILS(E, LG_EIO, "cannot open 'b.png'");
    host_close_engine(h, E);
}

static void test_png_cuts(host *h)
{
    unsigned char whole[1 << 12];
    lg_engine *E = host_engine(h);
    lgi_dataset *s[2];
    put_png(E, "a.png", 4, 4, 3, 0);
    disk_file *f = host_find(h, "a.png");
    size_t n = f->size;
    memcpy(whole, f->data, n);
    for (size_t cut = 0; cut < n; cut++) {
        host_put(h, "b.png", whole, cut);
        CHECK(read_some(E, 2, 3, 3, false, s) < 0);
        CHECK_FAILS(E, LG_EFORMAT, "'b.png'");
    }
    host_close_engine(h, E);
}

/* JPEG */

static void test_jpeg(host *h)
{
    lg_engine *E = host_engine(h);
    lgi_image m;
    host_put(h, "j", jpeg_bytes, sizeof jpeg_bytes);
    lg_status status = lgi_read_picture(E, "j", 0, &m);
    if (!lgi_has_jpeg()) {
        CHECK(status < 0);
        CHECK_FAILS(E, LG_EFORMAT, "'j' is a JPEG file, and this lugano was built "
                    "without libjpeg; apt-get install libjpeg-dev");
        host_close_engine(h, E);
        return;
    }
    CHECK(status == LG_OK && m.width == 8 && m.height == 8 && m.channels == 1);
    CHECK(m.pixels[63] > 100 && m.pixels[63] < 150 && m.pixels[0] < m.pixels[63]);
    lgi_free_image(E, &m);
    CHECK(lgi_read_picture(E, "j", 3, &m) == LG_OK && m.channels == 3);
    lgi_free_image(E, &m);
    for (size_t cut = 0; cut + 2 < sizeof jpeg_bytes; cut++) {   /* the end mark alone */
        host_put(h, "cut", jpeg_bytes, cut);
        bool read = lgi_read_picture(E, "cut", 0, &m) == LG_OK;
        check(!read || cut + 3 >= sizeof jpeg_bytes, "a JPEG cut at %zu was read", cut);
        if (read)
            lgi_free_image(E, &m);
        else
            CHECK_FAILS(E, LG_EFORMAT, "'cut'");
    }
    host_close_engine(h, E);
}

/* Any bit flipped: an image or a message, and no large block of memory. */
static void test_jpeg_bits(host *h)
{
    unsigned char f[sizeof jpeg_bytes];
    lg_engine *E = host_engine(h);
    for (size_t bit = 0; lgi_has_jpeg() && bit < 8 * sizeof f; bit++) {
        lgi_image m;
        memcpy(f, jpeg_bytes, sizeof f);
        f[bit / 8] ^= (unsigned char)(1 << bit % 8);
        host_put(h, "j", f, sizeof f);
        if (lgi_read_picture(E, "j", 0, &m) == LG_OK)
            lgi_free_image(E, &m);
        else
            CHECK_FAILS(E, LG_EFORMAT, "'j'");
    }
    CHECK(h->peak < 16 << 20);
    host_close_engine(h, E);
}

/* CIFAR */

static const lgi_cifar small = {.name = "cifar", .files = 2, .label_bytes = 2, .label = 1,
                                .c = 3, .h = 2, .w = 2,
                                .paths = (const char *const[]){"one", "two"}};

static void put_records(host *h, const char *name, int n, int first)
{
    unsigned char f[14 * 10];
    for (int i = 0; i < n * 14; i++)
        f[i] = (unsigned char)(first + i);
    host_put(h, name, f, (size_t)n * 14);
}

static void test_cifar(host *h)
{
    lg_engine *E = host_engine(h);
    put_records(h, "one", 3, 0);
    put_records(h, "two", 2, 100);
    lgi_dataset *s = lgi_cifar_dataset(E, &small);
    CHECK(s && s->dim[0] == 5 && s->dim[1] == 3);
    CHECK(s && s->labels[0] == 1 && s->labels[3] == 101);
    CHECK(s && s->bytes[0] == 2 && s->bytes[12] == 16 && s->bytes[36] == 102);
    put_records(h, "two", 0, 0);
    CHECK(!lgi_cifar_dataset(E, &small));
    CHECK_FAILS(E, LG_EFORMAT, "'two' is empty");
    for (size_t cut = 1; cut < 28; cut++) {
        put_records(h, "two", 2, 0);
        host_find(h, "two")->size = cut;
        s = lgi_cifar_dataset(E, &small);
        CHECK(!s == (cut != 14));
        if (!s)
            CHECK_FAILS(E, LG_EFORMAT, "'two' ends within a record");
    }
    lgi_cifar bad = small;
    bad.label = 2;
    CHECK(!lgi_cifar_dataset(E, &bad));
    CHECK_FAILS(E, LG_EARG, "data: label 3 of 2 in a record");
    bad = small;
    bad.h = 1 << 20;
    CHECK(!lgi_cifar_dataset(E, &bad));
    CHECK_FAILS(E, LG_EARG, "data: records of 3 x 1048576 x 2 pixels cannot be read");
    host_close_engine(h, E);
}

/* every call fails once */

static void ready_pictures(host *h)
{
    lg_engine *E;
    h->fail_alloc = h->fail_call = 0;
    E = host_engine(h);
    put_png(E, "a.png", 4, 2, 3, 0);
    put_png(E, "b.png", 6, 4, 1, 50);
    host_close_engine(h, E);
    put_records(h, "one", 3, 0);
    put_records(h, "two", 2, 100);
    host_put(h, "j", jpeg_bytes, sizeof jpeg_bytes);
}

static lg_status picture_work(lg_engine *E)
{
    lgi_dataset *s[2];
    lgi_image m = {0};
    read_some(E, 2, 3, 2, true, s);
    lgi_cifar_dataset(E, &small);
    if (lgi_has_jpeg() && lgi_read_picture(E, "j", 3, &m) == LG_OK)
        lgi_free_image(E, &m);
    return lg_failure(E);
}

static void done_pictures(host *h, lg_status status)
{
    (void)h;
    (void)status;
}

int main(void)
{
    static host h;
    const trial work = {ready_pictures, picture_work, done_pictures};
    test_sets(&h);
    test_png_cuts(&h);
    test_jpeg(&h);
    test_jpeg_bits(&h);
    test_cifar(&h);
    CHECK(fail_each_call(&h, &work, false, 0) > 20);
    CHECK(fail_each_call(&h, &work, true, EIO) > 10);
    host_end(&h);
    return report();
}
