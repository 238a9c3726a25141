/* test_png.c - PNG files of all kinds, grids, and what happens to damaged ones. */
#include "data/grid.h"
#include "data/pictures.h"
#include "data/png.h"
#include "data_faults.h"

#include <math.h>
#include <zlib.h>

/* PNG files made by hand, by the standard (ISO/IEC 15948), without libpng */

typedef struct kind {
    int width, height, depth, color, interlace;
    bool transparent;                  /* a tRNS chunk */
} kind;

enum { GRAY = 0, RGB = 2, PALETTE = 3, GRAY_ALPHA = 4, RGB_ALPHA = 6, MOST = 1 << 16 };

static int samples_of(int color)
{
    return (int[]){1, 0, 3, 1, 2, 0, 4}[color];
}

static unsigned sample_at(const kind *k, int x, int y, int c)
{
    unsigned v = (unsigned)(x * 7919 + y * 104729 + c * 31337 + x * y * 257);
    return v & ((1u << k->depth) - 1);
}

static void put32(unsigned char *to, size_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> (24 - 8 * i));
}

static size_t put_chunk(unsigned char *to, const char *name, const void *data, size_t n)
{
    put32(to, n);
    memcpy(to + 4, name, 4);
    if (n)
        memcpy(to + 8, data, n);
    put32(to + 8 + n, crc32(0, to + 4, (uInt)n + 4));
    return n + 12;
}

/* The rows of one pass: its pixels begin at x0, y0 and are dx, dy apart. */
static size_t put_pass(const kind *k, unsigned char *to, int x0, int y0, int dx, int dy)
{
    unsigned char *first = to;
    for (int y = y0; y < k->height && x0 < k->width; y += dy) {
        int bit = 0;
        *to++ = 0;                     /* no filter */
        for (int x = x0; x < k->width; x += dx)
            for (int c = 0; c < samples_of(k->color); c++)
                for (int b = k->depth - 1; b >= 0; b--, bit++) {
                    if (bit % 8 == 0)
                        *to++ = 0;
                    unsigned char on = sample_at(k, x, y, c) >> b & 1;
                    to[-1] |= (unsigned char)(on << (7 - bit % 8));
                }
    }
    return (size_t)(to - first);
}

static size_t put_rows(const kind *k, unsigned char *to)
{
    static const int adam7[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8},
                                    {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2},
                                    {0, 1, 1, 2}};
    size_t n = 0;
    if (!k->interlace)
        return put_pass(k, to, 0, 0, 1, 1);
    for (int i = 0; i < 7; i++)
        n += put_pass(k, to + n, adam7[i][0], adam7[i][1], adam7[i][2], adam7[i][3]);
    return n;
}

static size_t put_small_chunks(const kind *k, unsigned char *to)
{
    unsigned char palette[768], clear[256];
    size_t n = put_chunk(to, "tEXt", "Comment\0hello", 13);
    for (int i = 0; i < 256; i++) {
        palette[3 * i] = (unsigned char)(7 * i);
        palette[3 * i + 1] = (unsigned char)(5 * i + 1);
        palette[3 * i + 2] = (unsigned char)(3 * i + 2);
        clear[i] = (unsigned char)(11 * i);
    }
    if (k->color == PALETTE)
        n += put_chunk(to + n, "PLTE", palette, 3u << k->depth);
    if (k->transparent)
        n += put_chunk(to + n, "tRNS", clear, k->color == PALETTE ? 1u << k->depth : 2);
    return n;
}

static size_t make_png(const kind *k, unsigned char *to)
{
    static unsigned char rows[MOST], packed[MOST];
    unsigned char head[13] = {0};
    uLongf size = sizeof packed;
    memcpy(to, "\x89PNG\r\n\x1a\n", 8);
    put32(head, (size_t)k->width);
    put32(head + 4, (size_t)k->height);
    head[8] = (unsigned char)k->depth;
    head[9] = (unsigned char)k->color;
    head[12] = (unsigned char)k->interlace;
    size_t n = 8 + put_chunk(to + 8, "IHDR", head, 13);
    n += put_small_chunks(k, to + n);
    compress2(packed, &size, rows, put_rows(k, rows), 9);
    n += put_chunk(to + n, "IDAT", packed, size);
    return n + put_chunk(to + n, "IEND", NULL, 0);
}

/* What pixel x, y should be in RGB. */
static void expect_pixel(const kind *k, int x, int y, int rgb[3])
{
    int v[4] = {0}, most = (1 << k->depth) - 1, n = samples_of(k->color), alpha = 255;
    for (int c = 0; c < n; c++)
        v[c] = (int)((sample_at(k, x, y, c) * 510ll + most) / (2 * most));   /* rounded */
    if (k->color == PALETTE) {
        int i = (int)sample_at(k, x, y, 0);
        rgb[0] = 7 * i & 255, rgb[1] = (5 * i + 1) & 255, rgb[2] = (3 * i + 2) & 255;
        alpha = k->transparent ? 11 * i & 255 : 255;
    } else {
        for (int c = 0; c < 3; c++)
            rgb[c] = v[n >= 3 ? c : 0];
        alpha = n == 2 ? v[1] : n == 4 ? v[3] : 255;
        if (k->transparent && k->color == GRAY && sample_at(k, x, y, 0) == 11)
            alpha = 0;
    }
    for (int c = 0; c < 3; c++)
        rgb[c] = (int)lround(255 - (255 - rgb[c]) * alpha / 255.0);
}

static void check_pixels(const kind *k, const lgi_image *m)
{
    int worst = 0, rgb[3];
    for (int y = 0; y < k->height; y++)
        for (int x = 0; x < k->width; x++) {
            const unsigned char *p = m->pixels + (y * k->width + x) * m->channels;
            expect_pixel(k, x, y, rgb);
            if (m->channels == 1)
                rgb[0] = (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000;
            for (int c = 0; c < m->channels; c++)
                worst = abs(p[c] - rgb[c]) > worst ? abs(p[c] - rgb[c]) : worst;
        }
    CHECK(worst <= 1);                 /* two roundings may meet */
}

static const kind kinds[] = {
    {9, 7, 1, GRAY, 0, false}, {9, 7, 2, GRAY, 1, false}, {9, 7, 4, GRAY, 0, true},
    {9, 7, 8, GRAY, 1, false}, {9, 7, 16, GRAY, 0, false}, {9, 7, 8, RGB, 0, false},
    {9, 7, 16, RGB, 1, false}, {9, 7, 1, PALETTE, 0, false}, {9, 7, 4, PALETTE, 1, true},
    {9, 7, 8, PALETTE, 0, true}, {9, 7, 8, GRAY_ALPHA, 0, false},
    {9, 7, 16, GRAY_ALPHA, 1, false}, {9, 7, 8, RGB_ALPHA, 1, false},
    {9, 7, 16, RGB_ALPHA, 0, false}, {1, 1, 8, GRAY, 1, false},
    {40, 33, 8, RGB, 1, false}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void test_kinds(host *h)
{
    static unsigned char file[MOST];
    lg_engine *E = host_engine(h);
    for (int i = 0; i < KINDS; i++)
        for (int channels = 0; channels <= 3; channels += channels ? 2 : 1) {
            lgi_image m;
            bool gray = kinds[i].color == GRAY || kinds[i].color == GRAY_ALPHA;
            host_put(h, "x.png", file, make_png(&kinds[i], file));
            if (!CHECK(lgi_read_picture(E, "x.png", channels, &m) == LG_OK)) {
                printf("kind %d: %s\n", i, lg_message(E));
                lg_clear(E);
                continue;
            }
            CHECK(m.width == kinds[i].width && m.height == kinds[i].height);
            CHECK(m.channels == (channels ? channels : gray ? 1 : 3));
            check_pixels(&kinds[i], &m);
            lgi_free_image(E, &m);
        }
    host_close_engine(h, E);
}

static void test_round_trip(host *h)
{
    unsigned char pixels[5 * 3 * 3];
    lg_engine *E = host_engine(h);
    lgi_image m;
    for (int i = 0; i < 45; i++)
        pixels[i] = (unsigned char)chance(256);
    for (int channels = 1; channels <= 3; channels += 2) {
        CHECK(lgi_write_png(E, "x.png", 5, 3, channels, pixels) == LG_OK);
        CHECK(!host_find(h, "x.png.tmp"));
        CHECK(lgi_read_picture(E, "x.png", 0, &m) == LG_OK);
        CHECK(m.channels == channels && m.width == 5 && m.height == 3);
        CHECK(memcmp(m.pixels, pixels, 15 * (size_t)channels) == 0);
        lgi_free_image(E, &m);
    }
    lg_tensor *t = lgi_read_picture_tensor(E, "x.png", 0);         // 3,3,5
    CHECK(t && lg_ndim(t) == 3 && lg_dim(t, 1) == 3 && lg_dim(t, 2) == 3);
    for (int i = 0; t && i < 45; i++)
        CHECK(lg_data(t)[i % 3 * 15 + i / 3] == (lg_real)(pixels[i] / 127.5 - 1));
    host_close_engine(h, E);
}

/* Reads a file of these bytes, and looks for the text. */
static void expect_refusal(host *h, const void *data, size_t n, const char *text)
{
    lgi_image m;
    lg_engine *E = host_engine(h);
    host_put(h, "x.png", data, n);
    CHECK(lgi_read_picture(E, "x.png", 0, &m) == LG_EFORMAT && !m.pixels);
    CHECK_FAILS(E, LG_EFORMAT, text);
    host_close_engine(h, E);
}

static void test_refusals(host *h)
{
    static unsigned char file[MOST];
    lgi_image m;
    lg_engine *E = host_engine(h);
    lgi_read_picture(E, "none.png", 0, &m);
    CHECK_FAILS(E, LG_EIO, "cannot open 'none.png': No such file or directory");
    lgi_read_picture(E, "x.png", 2, &m);
    CHECK_FAILS(E, LG_EARG, "'x.png' cannot be read as 2 channels");
    lgi_write_png(E, "y.png", 4, 4, 2, file);
    CHECK_FAILS(E, LG_EARG, "'y.png' cannot be written with 2 channels");
    lgi_write_png(E, "y.png", 0, 4, 1, file);
    CHECK_FAILS(E, LG_EARG, "'y.png' cannot be written with 0 x 4 pixels");
    CHECK(!host_find(h, "y.png") && !host_find(h, "y.png.tmp"));
    host_close_engine(h, E);

    size_t n = make_png(&kinds[5], file);
    expect_refusal(h, "", 0, "'x.png' is not a PNG file");
    expect_refusal(h, "GIF89a.......", 13, "'x.png' is not a PNG file");
    expect_refusal(h, file, n - 1, "'x.png' is damaged: the file ends too early");
    file[n - 14] ^= 1;
    expect_refusal(h, file, n, "'x.png' is damaged: IDAT: CRC error");
    make_png(&kinds[5], file);
    file[45] ^= 1;                     /* in the comment, which is not needed */
    expect_refusal(h, file, n, "'x.png' is damaged: tEXt: CRC error");

    make_png(&kinds[5], file);
    put32(file + 16, 16000);           /* as large as the limit allows */
    put32(file + 20, 16000);
    put32(file + 29, crc32(0, file + 12, 17));
    expect_refusal(h, file, n, "it promises 16000 x 16000 pixels, more than its");
    CHECK(h->peak < 1 << 20);
    put32(file + 16, 20000);
    put32(file + 29, crc32(0, file + 12, 17));
    expect_refusal(h, file, n, "'x.png' is damaged: Invalid IHDR data");
}

/* Puts right the checksums of all chunks, so that damage gets past them. */
static void mend_checksums(unsigned char *file, size_t n)
{
    for (size_t at = 8; at + 12 <= n;) {
        size_t len = (size_t)file[at] << 24 | (size_t)file[at + 1] << 16
                     | (size_t)file[at + 2] << 8 | file[at + 3];
        if (len > n - at - 12)
            return;
        put32(file + at + 8 + len, crc32(0, file + at + 4, (uInt)len + 4));
        at += len + 12;
    }
}

static void check_any(host *h, const unsigned char *file, size_t n)
{
    lgi_image m;
    lg_engine *E = host_engine(h);
    host_put(h, "x.png", file, n);
    lg_status status = lgi_read_picture(E, "x.png", (int[]){0, 1, 3}[chance(3)], &m);
    CHECK(status == LG_OK || status == LG_EFORMAT);
    CHECK((status == LG_OK) == (m.pixels != NULL));
    CHECK(status == LG_OK || strncmp(lg_message(E), "'x.png' is ", 11) == 0);
    CHECK(h->peak < 100 << 20);
    lgi_free_image(E, &m);
    host_close_engine(h, E);
}

static void test_damage(host *h)
{
    static unsigned char file[MOST];
    for (int i = 0; i < 10000; i++) {
        size_t n = make_png(&kinds[chance(KINDS)], file);
        for (uint32_t k = 1 + chance(4); k > 0; k--)
            file[chance((uint32_t)n)] = (unsigned char)chance(256);
        if (chance(2))
            mend_checksums(file, n);
        if (chance(8) == 0)
            n = chance((uint32_t)n);
        check_any(h, file, n);
    }
}

static void test_truncation(host *h)
{
    static unsigned char file[MOST];
    size_t n = make_png(&kinds[8], file);
    for (size_t cut = 0; cut < n; cut++)
        expect_refusal(h, file, cut, cut < 8 ? "is not a PNG file" : "is damaged: ");
}

/* failures of the host */

static const unsigned char new_pixels[48 * 48 * 3] = {1, 2, 3};

static void ready_png(host *h) { host_put(h, "x.png", "the earlier file", 16); }

static lg_status write_a_png(lg_engine *E)
{
    return lgi_write_png(E, "x.png", 48, 48, 3, new_pixels);
}

static void done_png(host *h, lg_status status)
{
    CHECK(status == LG_OK || host_same(h, "x.png", "the earlier file", 16));
    CHECK(!host_find(h, "x.png.tmp"));
}

static void ready_read(host *h)
{
    static unsigned char file[MOST];
    host_put(h, "x.png", file, make_png(&kinds[12], file));
}

static lg_status read_a_png(lg_engine *E)
{
    return lgi_read_picture_tensor(E, "x.png", 1) ? LG_OK : lg_failure(E);
}

static void done_read(host *h, lg_status status)
{
    (void)h;
    (void)status;
}

static void test_failures(host *h)
{
    const trial writing = {ready_png, write_a_png, done_png};
    const trial reading = {ready_read, read_a_png, done_read};
    CHECK(fail_each_call(h, &writing, false, 0) > 5);
    CHECK(fail_each_call(h, &reading, false, 0) > 5);
    CHECK(fail_each_call(h, &writing, true, ENOSPC) >= 5);
    CHECK(fail_each_call(h, &writing, true, EIO) >= 5);
    CHECK(fail_each_call(h, &reading, true, EIO) >= 3);
    h->grudging = true;
    test_round_trip(h);
    h->grudging = false;
}

/* grids */

static void test_grid_layout(host *h)
{
    lg_engine *E = host_engine(h);
    lgi_grid g = LGI_GRID_INIT;
    lgi_image m;
    lg_tensor *x = lg_full(E, 4, (int64_t[]){5, 3, 4, 6}, 1);          // n,c,h,w
    CHECK(lgi_draw_grid(E, x, &g, &m) == LG_OK);
    CHECK(m.width == 3 * 8 + 2 && m.height == 2 * 6 + 2 && m.channels == 3);
    CHECK(m.pixels[0] == LGI_PAD_SHADE && m.pixels[(2 * 26 + 2) * 3] == 255);
    CHECK(m.pixels[(8 * 26 + 18) * 3] == LGI_PAD_SHADE);       /* there is no sixth */
    lgi_free_image(E, &m);

    x = lg_zeros(E, 3, (int64_t[]){64, 28, 28});                       // n,h,w
    CHECK(lgi_draw_grid(E, x, &g, &m) == LG_OK);
    CHECK(m.width == 242 && m.height == 242 && m.channels == 1);
    lgi_free_image(E, &m);
    g.columns = 100;
    CHECK(lgi_draw_grid(E, x, &g, &m) == LG_OK && m.width == 64 * 30 + 2);
    lgi_free_image(E, &m);
    host_close_engine(h, E);
}

static void test_grid_range(host *h)
{
    lg_engine *E = host_engine(h);
    lgi_grid g = LGI_GRID_INIT;
    lgi_image m;
    lg_real v[8] = {-1, 1, 0, (lg_real)-1.5, 3, (lg_real)NAN, (lg_real)INFINITY, 0.5};
    unsigned char shade[8] = {0, 255, 128, 0, 255, LGI_NAN_SHADE, 255, 191};
    g.padding = 0;
    CHECK(lgi_draw_grid(E, lg_from(E, 3, (int64_t[]){1, 1, 8}, v), &g, &m) == LG_OK);
    CHECK(memcmp(m.pixels, shade, 8) == 0);
    CHECK(g.clipped == 3 && g.nans == 1);
    lgi_free_image(E, &m);

    lg_tensor *all = lg_zeros(E, 3, (int64_t[]){1, 16, 16});
    lg_real *to = (lg_real *)(intptr_t)lg_data(all);
    for (unsigned b = 0; b < 256; b++)
        to[b] = lgi_byte_value(b);
    CHECK(lgi_draw_grid(E, all, &g, &m) == LG_OK && g.clipped == 0);
    for (int b = 0; b < 256; b++)
        CHECK(m.pixels[b] == b);       /* a byte comes back as itself */
    lgi_free_image(E, &m);
    host_close_engine(h, E);
}

static void test_grid_refusals(host *h)
{
    lg_engine *E = host_engine(h);
    lgi_grid g = LGI_GRID_INIT, none = {.lo = 1, .hi = 1};
    lgi_image m;
    lgi_draw_grid(E, lg_zeros(E, 4, (int64_t[]){2, 2, 4, 4}), &g, &m);
    CHECK_FAILS(E, LG_ESHAPE, "grid: x is {2,2,4,4}; it must be n,c,h,w with 1 or 3");
    lgi_draw_grid(E, lg_zeros(E, 2, (int64_t[]){2, 784}), &g, &m);
    CHECK_FAILS(E, LG_ESHAPE, "grid: x is {2,784}");
    lgi_draw_grid(E, lg_zeros(E, 3, (int64_t[]){0, 4, 4}), &g, &m);
    CHECK_FAILS(E, LG_ESHAPE, "has nothing to show");
    lgi_draw_grid(E, lg_zeros(E, 3, (int64_t[]){2, 4, 4}), &none, &m);
    CHECK_FAILS(E, LG_EARG, "grid: the range 1 to 1 is empty");
    g.columns = 1;
    lgi_draw_grid(E, lg_zeros(E, 3, (int64_t[]){9000, 1, 1}), &g, &m);
    CHECK_FAILS(E, LG_ESHAPE, "a picture of 5 x 27002 pixels; a side has at most 16384");
    CHECK(!m.pixels);
    host_close_engine(h, E);
}

int main(void)
{
    static host h;
    test_kinds(&h);
    test_round_trip(&h);
    test_refusals(&h);
    test_truncation(&h);
    test_damage(&h);
    test_failures(&h);
    test_grid_layout(&h);
    test_grid_range(&h);
    test_grid_refusals(&h);
    host_end(&h);
    return report();
}
