/*
 * picture.c - a picture in the terminal.
 *
 *   kitty   raw bytes: https://sw.kovidgoyal.net/kitty/graphics-protocol
 *   iterm   a PNG file: https://iterm2.com/documentation-images.html
 *   half    upper half blocks, two pixels a character, in 24-bit or 256 colors
 *   ascii   a character of a ramp for each two pixels
 */
#include "base/memory.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { KITTY_CHUNK = 4096, KITTY_ROOM = KITTY_CHUNK / 4 * 3 };

typedef struct canvas {
    const unsigned char *pixels;       // h,w,channels
    int width, height, channels;
} canvas;

/* base64, RFC 4648 */
static void put_base64(const unsigned char *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789+/";
    for (; n > 0; p += 3) {
        unsigned three = (unsigned)p[0] << 16 | (n > 1 ? p[1] : 0u) << 8
                         | (n > 2 ? p[2] : 0u);
        putchar(digits[three >> 18]);
        putchar(digits[three >> 12 & 63]);
        putchar(n > 1 ? digits[three >> 6 & 63] : '=');
        putchar(n > 2 ? digits[three & 63] : '=');
        n -= n > 3 ? 3 : n;
    }
}

static unsigned char sample(const canvas *c, int x, int y, int channel)
{
    size_t at = ((size_t)y * (size_t)c->width + (size_t)x) * (size_t)c->channels;
    return c->pixels[at + (size_t)(c->channels == 1 ? 0 : channel)];
}

static lg_status put_kitty(lg_engine *E, const canvas *c)
{
    size_t n = (size_t)c->width * (size_t)c->height * 3;
    unsigned char *rgb = lgi_alloc(E, n), *p = rgb;
    if (!rgb)
        return E->status;
    for (int y = 0; y < c->height; y++)
        for (int x = 0; x < c->width; x++)
            for (int k = 0; k < 3; k++)
                *p++ = sample(c, x, y, k);
    for (size_t at = 0; at < n; at += KITTY_ROOM) {
        size_t left = n - at;
        fputs("\033_G", stdout);
        if (at == 0)
            printf("a=T,f=24,s=%d,v=%d,q=2,", c->width, c->height);
        printf("m=%d;", left > KITTY_ROOM);
        put_base64(rgb + at, left > KITTY_ROOM ? KITTY_ROOM : left);
        fputs("\033\\", stdout);
    }
    lgi_free(E, rgb, n);
    putchar('\n');
    return LG_OK;
}

/* A PNG in memory; png.c writes files alone, through the engine's table. */
static unsigned char *add_big(unsigned char *to, size_t n)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *to++ = (unsigned char)(n >> shift);
    return to;
}

static unsigned char *add_chunk(unsigned char *to, const char *type, const void *data,
                                size_t n)
{
    unsigned char *start = add_big(to, n);
    memcpy(start, type, 4);
    if (n)
        memmove(start + 4, data, n);
    return add_big(start + 4 + n, crc32(0, start, (uInt)(n + 4)));
}

static unsigned char *png_rows(lg_engine *E, const canvas *c, size_t *n)
{
    size_t row = (size_t)c->width * (size_t)c->channels;
    *n = (size_t)c->height * (row + 1);
    unsigned char *rows = lgi_alloc(E, *n);
    for (int y = 0; rows && y < c->height; y++) {
        rows[(size_t)y * (row + 1)] = 0;       /* no filter */
        memcpy(rows + (size_t)y * (row + 1) + 1, c->pixels + (size_t)y * row, row);
    }
    return rows;
}

static lg_status put_iterm(lg_engine *E, const canvas *c)
{
    size_t n, room;
    unsigned char *rows = png_rows(E, c, &n);
    uLongf packed = compressBound((uLong)n);
    room = packed + 100;
    unsigned char *png = rows ? lgi_alloc(E, room) : NULL;
    if (png) {
        unsigned char head[13] = {0}, *end = png;
        memcpy(end, "\x89PNG\r\n\x1a\n", 8);
        add_big(head, (size_t)c->width);
        add_big(head + 4, (size_t)c->height);
        head[8] = 8;
        head[9] = c->channels == 1 ? 0 : 2;
        end = add_chunk(end + 8, "IHDR", head, sizeof head);
        compress(end + 8, &packed, rows, (uLong)n);    /* it fits: compressBound */
        end = add_chunk(end, "IDAT", end + 8, packed);
        end = add_chunk(end, "IEND", NULL, 0);
        printf("\033]1337;File=inline=1;size=%zu;width=%dpx;height=%dpx:",
               (size_t)(end - png), c->width, c->height);
        put_base64(png, (size_t)(end - png));
        fputs("\a\n", stdout);
        lgi_free(E, png, room);
    }
    lgi_free(E, rows, n);
    return E->status;
}

/* The mean of the pixels that fall into cell x, y of a grid of w by h cells. */
static int cell_mean(const canvas *c, int x, int y, int w, int h, int channel)
{
    int x0 = x * c->width / w, x1 = (x + 1) * c->width / w;    /* at most 2^14 each */
    int y0 = y * c->height / h, y1 = (y + 1) * c->height / h;
    int64_t sum = 0, n = 0;
    for (int i = y0; i < (y1 > y0 ? y1 : y0 + 1); i++)
        for (int j = x0; j < (x1 > x0 ? x1 : x0 + 1); j++, n++)
            sum += sample(c, j, i, channel);
    return (int)((sum + n / 2) / n);
}

/* Of xterm's 256 colors, 16..231 are a cube of the levels 0, 95, 135, .. 255; then come
 * the grays 8, 18, .. 238. */
static int cube_level(int v) { return v < 48 ? 0 : v < 115 ? 1 : (v - 35) / 40; }

static int nearest_color(const int rgb[3])
{
    if (rgb[0] == rgb[1] && rgb[1] == rgb[2])
        return rgb[0] < 4 ? 16 : rgb[0] > 242 ? 231 : 232 + (rgb[0] - 3) / 10;
    return 16 + 36 * cube_level(rgb[0]) + 6 * cube_level(rgb[1]) + cube_level(rgb[2]);
}

static void put_color(bool colors24, int ground, const int rgb[3])
{
    if (colors24)
        printf("\033[%d;2;%d;%d;%dm", ground, rgb[0], rgb[1], rgb[2]);
    else
        printf("\033[%d;5;%dm", ground, nearest_color(rgb));
}

/* The size in cells: at most the width of the terminal. */
static void cell_size(const canvas *c, int *w, int *h)
{
    int most = lgi_terminal_columns() - 1;
    most = most > 0 ? most : 1;
    *w = c->width < most ? c->width : most;
    *h = (int)(((int64_t)c->height * *w + c->width / 2) / c->width);
    *h = *h > 0 ? *h : 1;
}

static void put_half_blocks(const lgi_terminal *t, const canvas *c)
{
    int w, h;
    cell_size(c, &w, &h);
    for (int y = 0; y < h; y += 2) {
        int last[2] = {-1, -1};
        for (int x = 0; x < w; x++) {
            for (int half = 0; half < 2 && y + half < h; half++) {
                int rgb[3];
                for (int k = 0; k < 3; k++)
                    rgb[k] = cell_mean(c, x, y + half, w, h, k);
                int code = rgb[0] << 16 | rgb[1] << 8 | rgb[2];
                if (code != last[half])
                    put_color(t->colors24, half ? 48 : 38, rgb);
                last[half] = code;
            }
            fputs("\u2580", stdout);
        }
        fputs("\033[0m\n", stdout);
    }
}

static void put_ascii(const canvas *c)
{
    static const char ramp[] = " .:-=+*#%@";
    int w, h;
    cell_size(c, &w, &h);
    for (int y = 0; y < h; y += 2) {
        for (int x = 0; x < w; x++) {
            int sum = 0;
            for (int k = 0; k < 3; k++)
                sum += cell_mean(c, x, y / 2, w, (h + 1) / 2, k);
            putchar(ramp[sum * (int)(sizeof ramp - 2) / (3 * 255)]);
        }
        putchar('\n');
    }
}

lg_status lgi_print_picture(lg_engine *E, const lgi_terminal *t,
                            const unsigned char *pixels, int width, int height,
                            int channels)
{
    canvas c = {pixels, width, height, channels};
    if (t->picture == LGI_KITTY)
        put_kitty(E, &c);
    else if (t->picture == LGI_ITERM)
        put_iterm(E, &c);
    else if (t->picture == LGI_HALF)
        put_half_blocks(t, &c);
    else if (t->picture == LGI_ASCII)
        put_ascii(&c);
    fflush(stdout);
    return E->status;
}
