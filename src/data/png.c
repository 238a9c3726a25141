/*
 * png.c - libpng, contained: the only file that includes png.h.
 *
 * libpng reports errors by a jump. Here each jump begins and ends within attempt_png,
 * and all that must be freed is in a png_job, outside the jump's reach. Only the row
 * interface is used, and no chunk is read that the pixels do not need: most of libpng's
 * recent faults were in the simplified interface, in quantizing and in rare chunks.
 */
#include "data/png.h"

#include "base/files.h"
#include "base/memory.h"
#include "data/sized.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

enum { PNG_SLACK = 4096, DEFLATE_RATIO = 1032 };

typedef struct png_job {
    lg_engine *engine;
    const char *path;
    png_structp png;
    png_infop info;
    jmp_buf jump;
    char text[128];                    /* libpng's, of its error */

    const unsigned char *in;           /* reading: what is left of the file */
    size_t left;
    lgi_image image;

    lgi_writer *out;                   /* writing */
    int width, height, channels;
    const unsigned char *pixels;
} png_job;

static void on_png_error(png_structp png, png_const_charp text)
{
    png_job *j = png_get_error_ptr(png);
    snprintf(j->text, sizeof j->text, "%s", text ? text : "unknown error");
    longjmp(j->jump, 1);
}

static void on_png_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp png_take(png_structp png, png_alloc_size_t size)
{
    return lgi_alloc_sized(png_get_mem_ptr(png), size);
}

static void png_give(png_structp png, png_voidp p)
{
    lgi_free_sized(png_get_mem_ptr(png), p);
}

/* False if libpng jumped out of the step. */
static bool attempt_png(png_job *j, void (*step)(png_job *))
{
    if (setjmp(j->jump))
        return false;
    step(j);
    return true;
}

static void limit_png(png_structp png)
{
    png_set_user_limits(png, LGI_MAX_SIDE, LGI_MAX_SIDE);
    png_set_chunk_cache_max(png, 16);
    png_set_chunk_malloc_max(png, 1 << 20);
}

/* reading */

static void feed_png(png_structp png, png_bytep to, size_t n)
{
    png_job *j = png_get_io_ptr(png);
    if (n > j->left)
        png_error(png, "the file ends too early");
    memcpy(to, j->in, n);
    j->in += n;
    j->left -= n;
}

static void read_png_header(png_job *j)
{
    j->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, j, on_png_error,
                                      on_png_warning, j->engine, png_take, png_give);
    j->info = j->png ? png_create_info_struct(j->png) : NULL;
    if (!j->info)
        return;
    limit_png(j->png);
    png_set_crc_action(j->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_read_fn(j->png, j, feed_png);
    png_read_info(j->png, j->info);
}

/* deflate cannot expand more than that: no small file makes us allocate a large image. */
static void check_png_size(png_job *j, size_t file)
{
    size_t height = png_get_image_height(j->png, j->info);
    if (png_get_rowbytes(j->png, j->info) * height > DEFLATE_RATIO * file + PNG_SLACK)
        lgi_fail(j->engine, LG_EFORMAT, "'%s' is damaged: it promises %u x %zu pixels, "
                 "more than its %zu bytes can hold", j->path,
                 (unsigned)png_get_image_width(j->png, j->info), height, file);
}

static void decode_png(png_job *j)
{
    png_set_expand(j->png);            /* palettes, less than 8 bits, clear colors */
    png_set_scale_16(j->png);
    int passes = png_set_interlace_handling(j->png);
    png_read_update_info(j->png, j->info);

    int width = (int)png_get_image_width(j->png, j->info);
    int height = (int)png_get_image_height(j->png, j->info);
    int channels = png_get_channels(j->png, j->info);
    size_t row = (size_t)width * (size_t)channels;
    if (channels > 4 || png_get_rowbytes(j->png, j->info) != row)
        png_error(j->png, "unexpected layout of its rows");
    if (lgi_new_image(j->engine, &j->image, width, height, channels) < 0)
        png_error(j->png, "out of memory");
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < height; y++)
            png_read_row(j->png, j->image.pixels + (size_t)y * row, NULL);
    png_read_end(j->png, NULL);
}

/* Reads the file, which is in memory, as it is: with 1 to 4 channels. */
static void read_png_job(png_job *j)
{
    lg_engine *E = j->engine;
    size_t file = j->left;
    bool fine = attempt_png(j, read_png_header);
    if (fine && !j->info)
        lgi_fail(E, LG_ENOMEM, "'%s' cannot be read: libpng does not start", j->path);
    if (fine && E->status == LG_OK)
        check_png_size(j, file);
    if (fine && E->status == LG_OK)
        fine = attempt_png(j, decode_png);
    if (!fine)
        lgi_fail(E, LG_EFORMAT, "'%s' is damaged: %s", j->path, j->text);
    png_destroy_read_struct(&j->png, &j->info, NULL);
}

lg_status lgi_decode_png(lg_engine *E, const char *path, const unsigned char *bytes,
                         size_t size, lgi_image *image)
{
    png_job j = {.engine = E, .path = path, .in = bytes, .left = size};
    memset(image, 0, sizeof *image);
    if (size < 8 || png_sig_cmp(bytes, 0, 8) != 0)
        return lgi_fail(E, LG_EFORMAT, "'%s' is not a PNG file", path);
    read_png_job(&j);
    if (E->status == LG_OK)
        *image = j.image;
    else
        lgi_free_image(E, &j.image);
    return E->status;
}

/* writing */

static void drain_png(png_structp png, png_bytep from, size_t n)
{
    png_job *j = png_get_io_ptr(png);
    if (lgi_write(j->out, from, n) < 0)
        png_error(png, "the disk refused");
}

static void flush_png(png_structp png) { (void)png; }

static void write_png_rows(png_job *j)
{
    j->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, j, on_png_error,
                                       on_png_warning, j->engine, png_take, png_give);
    j->info = j->png ? png_create_info_struct(j->png) : NULL;
    if (!j->info)
        return;
    limit_png(j->png);
    png_set_write_fn(j->png, j, drain_png, flush_png);
    png_set_IHDR(j->png, j->info, (png_uint_32)j->width, (png_uint_32)j->height, 8,
                 j->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_write_info(j->png, j->info);
    size_t row = (size_t)j->width * (size_t)j->channels;
    for (int y = 0; y < j->height; y++)
        png_write_row(j->png, j->pixels + (size_t)y * row);
    png_write_end(j->png, j->info);
}

lg_status lgi_write_png(lg_engine *E, const char *path, int width, int height,
                        int channels, const unsigned char *pixels)
{
    lgi_writer out;
    if (E->status == LG_OK && channels != 1 && channels != 3)
        return lgi_fail(E, LG_EARG, "'%s' cannot be written with %d channels; 1 is gray, "
                        "3 is RGB", path, channels);
    if (width < 1 || height < 1 || width > LGI_MAX_SIDE || height > LGI_MAX_SIDE)
        return lgi_fail(E, LG_EARG, "'%s' cannot be written with %d x %d pixels; a side "
                        "has 1 to %d", path, width, height, LGI_MAX_SIDE);
    if (lgi_begin_file(E, &out, path) < 0)
        return E->status;
    png_job j = {.engine = E, .path = path, .out = &out, .width = width,
                 .height = height, .channels = channels, .pixels = pixels};
    bool fine = attempt_png(&j, write_png_rows);
    if (!fine || !j.info)
        lgi_fail(E, LG_EIO, "cannot write '%s': %s", path,
                 fine ? "libpng does not start" : j.text);
    png_destroy_write_struct(&j.png, &j.info);
    return lgi_commit_file(&out);      /* which abandons the file after a failure */
}
