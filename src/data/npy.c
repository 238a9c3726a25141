/* npy.c - a header that is a Python dictionary, then the numbers. */
#include "data/npy.h"

#include "base/files.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NPY_MOST ((size_t)16 << 30)    /* bytes of a file */
enum { NPY_TYPE = 15, NPY_MAGIC = 8 };

typedef struct npy_file {
    const char *path;
    unsigned char *file;
    size_t size;
    char type[NPY_TYPE + 1];           /* "<f4" */
    char kind;                         /* f i u b */
    int width;                         /* bytes of a number */
    bool big, fortran;
    int ndim;
    int64_t dim[LG_MAX_DIM], numel;
    size_t at;                         /* where the numbers begin */
} npy_file;

/* the header */

static lg_status npy_damaged(lg_engine *E, const npy_file *f, const char *text)
{
    return lgi_fail(E, LG_EFORMAT, "'%s' is damaged: %s", f->path, text);
}

/* What follows 'key': in the dictionary, or NULL. */
static const char *find_entry(const char *text, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *at = strstr(text, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " ");
    return *at == ':' ? at + 1 + strspn(at + 1, " ") : NULL;
}

static lg_status parse_type(lg_engine *E, npy_file *f, const char *at)
{
    size_t n = at && *at == '\'' ? strcspn(at + 1, "'") : 0;
    if (at && *at == '[')
        return lgi_fail(E, LG_EFORMAT, "'%s' holds records; save one array of numbers",
                        f->path);
    if (n == 2 && at[2] == 'O')
        return lgi_fail(E, LG_EFORMAT, "'%s' holds Python's objects; save them with "
                        "np.array(x).astype('float32')", f->path);
    if (n < 3 || n > NPY_TYPE)
        return npy_damaged(E, f, "its header does not say of what type its numbers are");
    memcpy(f->type, at + 1, n);
    f->kind = f->type[1];
    f->width = f->type[2] - '0';
    f->big = f->type[0] == '>';
    bool known = n == 3 && strchr("<>|=", f->type[0])
                 && ((f->kind == 'f' && strchr("248", f->type[2]))
                     || (strchr("iu", f->kind) && strchr("1248", f->type[2]))
                     || (f->kind == 'b' && f->width == 1));
    if (!known)
        return lgi_fail(E, LG_EFORMAT, "'%s' holds numbers of type '%s', which cannot be "
                        "read; save them with x.astype('float32')", f->path, f->type);
    return LG_OK;
}

static lg_status parse_dims(lg_engine *E, npy_file *f, const char *at)
{
    bool fine = at && *at == '(', large = false, empty = false;
    f->numel = 1;
    for (at += fine; fine && *at != ')';) {
        char *end;
        long long dim = strtoll(at, &end, 10);
        fine = end > at && *at >= '0' && *at <= '9' && f->ndim < LG_MAX_DIM
               && dim <= LGI_MAX_NUMEL;
        if (!fine)
            break;
        f->dim[f->ndim++] = dim;
        empty |= dim == 0;
        large |= dim && f->numel > LGI_MAX_NUMEL / dim;
        f->numel = large || !dim ? 1 : f->numel * dim;
        at = end + strspn(end, " ");
        fine = *at == ',' || *at == ')';
        at += *at == ',';
        at += strspn(at, " ");
    }
    if (!fine)
        return npy_damaged(E, f, "its header gives no shape of up to 8 sizes");
    f->numel = empty ? 0 : f->numel;
    if (large && !empty)
        return npy_damaged(E, f, "its header promises more than the file can hold");
    return LG_OK;
}

static lg_status parse_npy_text(lg_engine *E, npy_file *f, const char *text)
{
    const char *order = find_entry(text, "fortran_order");
    if (text[0] != '{' || !order
        || (strncmp(order, "True", 4) != 0 && strncmp(order, "False", 5) != 0))
        return npy_damaged(E, f, "its header is not what NumPy writes");
    f->fortran = *order == 'T';
    if (parse_type(E, f, find_entry(text, "descr")) < 0)
        return E->status;
    return parse_dims(E, f, find_entry(text, "shape"));
}

static lg_status parse_npy(lg_engine *E, npy_file *f)
{
    const unsigned char *b = f->file;
    if (f->size < 10 || memcmp(b, "\x93NUMPY", 6) != 0)
        return lgi_fail(E, LG_EFORMAT, "'%s' is not an NPY file", f->path);
    if (b[6] < 1 || b[6] > 3)
        return lgi_fail(E, LG_EFORMAT, "'%s' has version %d of the NPY format; 1 to 3 "
                        "can be read", f->path, b[6]);
    size_t from = b[6] == 1 ? 10 : 12, n = b[8] | (size_t)b[9] << 8;
    if (b[6] > 1 && f->size >= 12)
        n |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (f->size < from || f->size - from < n)
        return npy_damaged(E, f, "it ends within its header");
    char *text = lgi_alloc(E, n + 1);
    if (!text)
        return E->status;
    memcpy(text, b + from, n);
    text[n] = 0;
    f->at = from + n;
    parse_npy_text(E, f, text);
    lgi_free(E, text, n + 1);
    return E->status;
}

/* Known before anything is allocated: the file has the numbers, no more and no less. */
static lg_status check_npy_size(lg_engine *E, const npy_file *f)
{
    size_t there = f->size - f->at, need = (size_t)f->numel * (size_t)f->width;
    if (there < need)
        return lgi_fail(E, LG_EFORMAT, "'%s' ends after %zu of %zu bytes", f->path,
                        f->size, f->at + need);
    if (there > need)
        return lgi_fail(E, LG_EFORMAT, "'%s' has more than the %zu bytes that its header "
                        "promises", f->path, f->at + need);
    return LG_OK;
}

static lg_status open_npy(lg_engine *E, const char *path, npy_file *f)
{
    *f = (npy_file){.path = path};
    if (lgi_read_file(E, path, NPY_MOST, &f->file, &f->size) < 0)
        return E->status;
    if (parse_npy(E, f) == LG_OK)
        check_npy_size(E, f);
    return E->status;
}

static void close_npy(lg_engine *E, npy_file *f) { lgi_free(E, f->file, f->size); }

/* the numbers */

static double half_value(uint64_t bits)        /* IEEE 754 binary16 */
{
    int exponent = (int)(bits >> 10 & 31);
    double part = (double)(bits & 1023), sign = bits >> 15 ? -1 : 1;
    if (exponent == 31)
        return part > 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(1024 + part, exponent - 25) : ldexp(part, -24));
}

static double npy_value(const npy_file *f, const unsigned char *p)
{
    uint64_t bits = 0;
    int n = f->width;
    for (int i = 0; i < n; i++)
        bits |= (uint64_t)p[f->big ? n - 1 - i : i] << 8 * i;
    if (f->kind == 'b')
        return bits != 0;
    if (f->kind == 'u')
        return (double)bits;
    if (f->kind == 'i') {
        uint64_t sign = (uint64_t)1 << (8 * n - 1);
        return (double)(int64_t)((bits ^ sign) - sign);
    }
    if (n == 2)
        return half_value(bits);
    uint32_t low = (uint32_t)bits;
    float single;
    double twice;
    memcpy(&single, &low, 4);
    memcpy(&twice, &bits, 8);
    return n == 4 ? (double)single : twice;
}

/* Goes through the file in C order: which number is the next. */
typedef struct npy_walk {
    int64_t index[LG_MAX_DIM], step[LG_MAX_DIM], at;
} npy_walk;

static void begin_walk(const npy_file *f, npy_walk *w)
{
    int64_t step = 1;
    memset(w, 0, sizeof *w);
    for (int i = 0; i < f->ndim; i++) {
        int axis = f->fortran ? i : f->ndim - 1 - i;
        w->step[axis] = step;
        step *= f->dim[axis];
    }
}

static void advance_walk(const npy_file *f, npy_walk *w)
{
    for (int i = f->ndim - 1; i >= 0; i--) {
        w->at += w->step[i];
        if (++w->index[i] < f->dim[i])
            return;
        w->at -= w->step[i] * f->dim[i];
        w->index[i] = 0;
    }
}

static lg_tensor *npy_tensor(lg_engine *E, const npy_file *f)
{
    lg_tensor *t = lgi_make(E, f->ndim, f->dim);
    npy_walk w;
    begin_walk(f, &w);
    for (int64_t i = 0; t && i < f->numel; i++, advance_walk(f, &w))
        t->data[i] = (lg_real)npy_value(f, f->file + f->at + w.at * f->width);
    return t;
}

lg_tensor *lgi_read_npy(lg_engine *E, const char *path)
{
    npy_file f;
    lg_tensor *t = open_npy(E, path, &f) == LG_OK ? npy_tensor(E, &f) : NULL;
    close_npy(E, &f);
    return t;
}

/* sets */

static bool holds_images(const npy_file *f)
{
    return f->kind == 'u' && f->width == 1 && (f->ndim == 3 || f->ndim == 4);
}

/* dim becomes n,c,h,w; the axes move as the walk does. */
static void image_axes(npy_file *f, npy_walk *w, bool channels_last)
{
    begin_walk(f, w);
    if (f->ndim == 3) {
        memmove(f->dim + 2, f->dim + 1, 2 * sizeof *f->dim);
        memmove(w->step + 2, w->step + 1, 2 * sizeof *w->step);
        f->dim[1] = 1;
        w->step[1] = 0;
        f->ndim = 4;
    } else if (channels_last) {
        int64_t c = f->dim[3], step = w->step[3];
        memmove(f->dim + 2, f->dim + 1, 2 * sizeof *f->dim);
        memmove(w->step + 2, w->step + 1, 2 * sizeof *w->step);
        f->dim[1] = c;
        w->step[1] = step;
    }
}

static unsigned char *npy_bytes(lg_engine *E, npy_file *f, bool channels_last)
{
    npy_walk w;
    image_axes(f, &w, channels_last);
    unsigned char *to = lgi_alloc(E, (size_t)f->numel);
    for (int64_t i = 0; to && i < f->numel; i++, advance_walk(f, &w))
        to[i] = f->file[f->at + (size_t)w.at];
    return to;
}

static int32_t *npy_labels(lg_engine *E, const npy_file *f, int64_t n, const char *rows)
{
    if (f->ndim != 1 || f->dim[0] != n) {
        lgi_fail(E, LG_EFORMAT, "'%s' has %lld rows and '%s' is %s; labels are one for "
                 "each row", rows, (long long)n, f->path,
                 lgi_dims(f->ndim, f->dim, (char[LGI_SHAPE_TEXT]){0}));
        return NULL;
    }
    int32_t *to = lgi_alloc(E, (size_t)n * sizeof *to);
    for (int64_t i = 0; to && E->status == LG_OK && i < n; i++) {
        double v = npy_value(f, f->file + f->at + i * f->width);
        if (!(v >= 0 && v <= LGI_MAX_LABEL && v == (double)(int32_t)v))
            lgi_fail(E, LG_EFORMAT, "label %lld of '%s' is %g; labels are whole numbers "
                     "from 0", (long long)i + 1, f->path, v);
        else
            to[i] = (int32_t)v;
    }
    if (to && E->status < 0) {
        lgi_free(E, to, (size_t)n * sizeof *to);
        return NULL;
    }
    return to;
}

static lgi_dataset *npy_set(lg_engine *E, const char *name, npy_file *f, npy_file *y,
                            bool channels_last)
{
    bool images = holds_images(f);
    if (E->status == LG_OK && (f->ndim == 0 || f->numel == 0))
        lgi_fail(E, LG_EFORMAT, "'%s' is %s; a set has rows, one at least", f->path,
                 lgi_dims(f->ndim, f->dim, (char[LGI_SHAPE_TEXT]){0}));
    int64_t n = f->dim[0];
    int32_t *labels = E->status == LG_OK && y ? npy_labels(E, y, n, f->path) : NULL;
    unsigned char *bytes = NULL;
    lg_tensor *rows = NULL;
    if (E->status == LG_OK && images)
        bytes = npy_bytes(E, f, channels_last);
    else if (E->status == LG_OK)
        rows = npy_tensor(E, f);
    lgi_dataset *s = bytes ? lgi_byte_dataset(E, name, 4, f->dim, bytes, labels)
                   : rows ? lgi_tensor_dataset(E, name, rows, NULL) : NULL;
    if (s && rows)
        s->labels = labels;
    if (!s && !bytes)
        lgi_free(E, labels, (size_t)n * sizeof *labels);
    return s;
}

lgi_dataset *lgi_npy_dataset(lg_engine *E, const char *name, const char *path,
                             const char *labels, bool channels_last)
{
    npy_file f, y = {0};
    open_npy(E, path, &f);
    if (labels)
        open_npy(E, labels, &y);
    int scope = lg_open_scope(E);
    lgi_dataset *s = E->status == LG_OK
        ? npy_set(E, name, &f, labels ? &y : NULL, channels_last) : NULL;
    lg_close_scope(E, scope);
    close_npy(E, &f);
    close_npy(E, &y);
    return s;
}

/* writing */

/* The numbers begin at a multiple of 64 bytes. */
static size_t npy_header(const lg_tensor *t, unsigned char to[1024])
{
    char shape[512] = "";
    size_t at = 0;
    for (int i = 0; i < t->ndim; i++)
        at += (size_t)snprintf(shape + at, sizeof shape - at, "%lld%s",
                               (long long)t->dim[i],
                               t->ndim == 1 ? "," : i + 1 < t->ndim ? ", " : "");
    char *text = (char *)to + NPY_MAGIC + 2;
    int n = snprintf(text, 960, "{'descr': '<f%d', 'fortran_order': False, "
                     "'shape': (%s), }", (int)sizeof(lg_real), shape);
    size_t all = ((size_t)n + NPY_MAGIC + 3 + 63) / 64 * 64, size = all - NPY_MAGIC - 2;
    memset(text + n, ' ', size - (size_t)n);
    text[size - 1] = '\n';
    memcpy(to, "\x93NUMPY\1\0", NPY_MAGIC);
    to[NPY_MAGIC] = (unsigned char)(size & 255);
    to[NPY_MAGIC + 1] = (unsigned char)(size >> 8);
    return all;
}

lg_status lgi_write_npy(lg_engine *E, const char *path, const lg_tensor *t)
{
    unsigned char header[1024];
    lgi_writer out;
    size_t n = npy_header(t, header);
    if (lgi_begin_file(E, &out, path) < 0)
        return E->status;
    lgi_write(&out, header, n);
    if (t->numel)                      /* as they lie: the processors are little-endian */
        lgi_write(&out, t->data, (size_t)t->numel * sizeof *t->data);
    return lgi_commit_file(&out);
}
