/* text.c - shapes as text. */
#include "tensor/tensor.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

const char *lgi_dims(int ndim, const int64_t *dim, char to[LGI_SHAPE_TEXT])
{
    int n = snprintf(to, LGI_SHAPE_TEXT, "{");
    for (int i = 0; i < ndim && n < LGI_SHAPE_TEXT - 24; i++)
        n += snprintf(to + n, (size_t)(LGI_SHAPE_TEXT - n), i ? ",%lld" : "%lld",
                      (long long)dim[i]);
    snprintf(to + n, (size_t)(LGI_SHAPE_TEXT - n), "}");
    return to;
}

const char *lgi_shape(const lg_tensor *t, char to[LGI_SHAPE_TEXT])
{
    return lgi_dims(t->ndim, t->dim, to);
}

enum { EDGE = 6, SHOWN = 3 };          /* of a long axis, how many numbers at each end */

typedef struct text_buffer {
    char *to;
    size_t n, size;
} text_buffer;

static void put_text(text_buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put_text(text_buffer *b, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(b->to + b->n, b->size - b->n, format, ap);
    va_end(ap);
    b->n += (size_t)n < b->size - b->n ? (size_t)n : b->size - b->n - 1;
}

static void put_statistics(text_buffer *b, const lg_tensor *t)
{
    double least = INFINITY, most = -INFINITY, sum = 0;
    int64_t nan = 0, inf = 0;
    for (int64_t i = 0; i < t->numel; i++) {
        double x = t->data[i];
        nan += isnan(x) != 0;
        inf += isinf(x) != 0;
        least = x < least ? x : least;
        most = x > most ? x : most;
        sum += x;
    }
    put_text(b, "  min %.4g  mean %.4g  max %.4g", least, sum / (double)t->numel, most);
    if (nan || inf)
        put_text(b, "  nan %lld  inf %lld", (long long)nan, (long long)inf);
}

static void put_row(text_buffer *b, const lg_real *p, int64_t n)
{
    put_text(b, "\n ");
    for (int64_t j = 0; j < n; j++) {
        if (n > 2 * EDGE && j == SHOWN) {
            put_text(b, "       ...");
            j = n - SHOWN;
        }
        put_text(b, " %9.4g", (double)p[j]);
    }
}

size_t lgi_describe(const lg_tensor *t, char *to, size_t size)
{
    text_buffer b = {to, 0, size};
    if (t->numel == 1 && t->ndim == 0) {
        put_text(&b, "%.7g", (double)t->data[0]);
        return b.n;
    }
    put_text(&b, "tensor %s", LGI_SHAPE(t));
    if (t->numel == 0 || !t->buffer)
        return b.n;
    put_statistics(&b, t);
    if (t->ndim > 2) {                 /* which matrix it is: the first */
        put_text(&b, "\n  [");
        for (int i = 2; i < t->ndim; i++)
            put_text(&b, "1,");
        put_text(&b, "..]");
    }
    int64_t rows = t->ndim >= 2 ? t->dim[t->ndim - 2] : 1, n = t->dim[t->ndim - 1];
    for (int64_t i = 0; i < rows; i++) {
        if (rows > 2 * EDGE && i == SHOWN) {
            put_text(&b, "\n        ...");
            i = rows - SHOWN;
        }
        put_row(&b, t->data + i * n, n);
    }
    return b.n;
}
