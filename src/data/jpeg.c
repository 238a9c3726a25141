/*
 * jpeg.c - libjpeg, contained: the only file that includes jpeglib.h.
 *
 * libjpeg reports errors by a jump, which begins and ends within attempt_jpeg. It takes
 * its own working memory from the system, of a size that check_jpeg limits; the
 * pixels are the engine's.
 */
#include "data/jpeg.h"

#ifdef LG_JPEG

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* A block of 64 pixels takes a bit at least; with more scans it would be an attack. */
enum { JPEG_RATIO = 4096, JPEG_SLACK = 1 << 16, JPEG_SCANS = 200 };

typedef struct jpeg_job {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr error;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    lg_engine *engine;
    const unsigned char *bytes;
    size_t size;
    lgi_image image;
    char text[JMSG_LENGTH_MAX];
} jpeg_job;

static void on_jpeg_error(j_common_ptr jpeg)
{
    jpeg_job *j = jpeg->client_data;
    if (!j->text[0])
        jpeg->err->format_message(jpeg, j->text);
    longjmp(j->jump, 1);
}

/* libjpeg goes on after a warning, with gray where the picture is missing. Of the
 * warnings, those are let pass after which all pixels are there. */
static void on_jpeg_warning(j_common_ptr jpeg, int level)
{
    int code = jpeg->err->msg_code;
    bool harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR
                    || code == JWRN_ADOBE_XFORM || code == JWRN_TOO_MUCH_DATA;
    if (level < 0 && !harmless)
        on_jpeg_error(jpeg);
}

static void on_jpeg_progress(j_common_ptr jpeg)
{
    jpeg_job *j = jpeg->client_data;
    if (j->jpeg.input_scan_number <= JPEG_SCANS)
        return;
    snprintf(j->text, sizeof j->text, "it has more than %d scans", JPEG_SCANS);
    longjmp(j->jump, 1);
}

/* False if libjpeg jumped out of the step. */
static bool attempt_jpeg(jpeg_job *j, void (*step)(jpeg_job *))
{
    if (setjmp(j->jump))
        return false;
    step(j);
    return true;
}

static void read_jpeg_header(jpeg_job *j)
{
    jpeg_create_decompress(&j->jpeg);
    j->jpeg.progress = &j->progress;
    jpeg_mem_src(&j->jpeg, j->bytes, (unsigned long)j->size);
    jpeg_read_header(&j->jpeg, TRUE);
    j->jpeg.out_color_space = j->jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
}

/* No small file makes us allocate a large image. */
static lg_status check_jpeg(jpeg_job *j, const char *path)
{
    double w = j->jpeg.image_width, h = j->jpeg.image_height;
    if (j->jpeg.jpeg_color_space == JCS_CMYK || j->jpeg.jpeg_color_space == JCS_YCCK)
        return lgi_fail(j->engine, LG_EFORMAT, "'%s' has the colors of a printer (CMYK); "
                        "save it as RGB", path);
    if (w > LGI_MAX_SIDE || h > LGI_MAX_SIDE
        || w * h > (double)JPEG_RATIO * (double)j->size + JPEG_SLACK)
        return lgi_fail(j->engine, LG_EFORMAT, "'%s' is damaged: it promises %.0f x %.0f "
                        "pixels, more than its %zu bytes can hold", path, w, h, j->size);
    return LG_OK;
}

static void decode_jpeg_rows(jpeg_job *j)
{
    jpeg_start_decompress(&j->jpeg);
    size_t row = (size_t)j->jpeg.output_width * (size_t)j->jpeg.output_components;
    if (lgi_new_image(j->engine, &j->image, (int)j->jpeg.output_width,
                      (int)j->jpeg.output_height, j->jpeg.output_components) < 0)
        longjmp(j->jump, 1);
    while (j->jpeg.output_scanline < j->jpeg.output_height) {
        JSAMPROW to = j->image.pixels + j->jpeg.output_scanline * row;
        jpeg_read_scanlines(&j->jpeg, &to, 1);
    }
    jpeg_finish_decompress(&j->jpeg);
}

lg_status lgi_decode_jpeg(lg_engine *E, const char *path, const unsigned char *bytes,
                          size_t size, lgi_image *image)
{
    jpeg_job j = {.engine = E, .bytes = bytes, .size = size};
    memset(image, 0, sizeof *image);
    j.jpeg.err = jpeg_std_error(&j.error);
    j.jpeg.client_data = &j;
    j.error.error_exit = on_jpeg_error;
    j.error.emit_message = on_jpeg_warning;
    j.progress.progress_monitor = on_jpeg_progress;
    bool fine = attempt_jpeg(&j, read_jpeg_header);
    if (fine && check_jpeg(&j, path) == LG_OK)
        fine = attempt_jpeg(&j, decode_jpeg_rows);
    if (!fine)
        lgi_fail(E, LG_EFORMAT, "'%s' is damaged: %s", path, j.text);
    jpeg_destroy_decompress(&j.jpeg);
    if (E->status == LG_OK)
        *image = j.image;
    else
        lgi_free_image(E, &j.image);
    return E->status;
}

bool lgi_has_jpeg(void) { return true; }

#else

lg_status lgi_decode_jpeg(lg_engine *E, const char *path, const unsigned char *bytes,
                          size_t size, lgi_image *image)
{
    (void)bytes, (void)size;
    *image = (lgi_image){0};
    return lgi_fail(E, LG_EFORMAT, "'%s' is a JPEG file, and this lugano was built "
                    "without libjpeg; apt-get install libjpeg-dev and build it again, or "
                    "make it a PNG", path);
}

bool lgi_has_jpeg(void) { return false; }

#endif
