/*
 * safetensors.h - tensors and notes in one file, in the format of
 * https://github.com/huggingface/safetensors: the length of the header (8 bytes, little
 * end first), the header (JSON), the numbers.
 *
 * A file of ours has a CRC-32 of header and numbers in its header, so that damage is
 * noticed; the same content makes the same bytes.
 */
#ifndef LG_DATA_SAFETENSORS_H
#define LG_DATA_SAFETENSORS_H
#include "tensor/tensor.h"

typedef struct lgi_named {
    const char *name;
    const lg_tensor *tensor;
} lgi_named;

typedef struct lgi_note {
    const char *key, *value;           /* UTF-8 */
} lgi_note;

/* Writes the file whole or not at all, in the order given. */
lg_status lgi_save_tensors(lg_engine *E, const char *path, int64_t n,
                           const lgi_named *tensors, int64_t m, const lgi_note *notes);

/* An open file: its content in memory, checked. Indices count from 0. */
typedef struct lgi_archive lgi_archive;

typedef struct lgi_stored {
    const char *name;
    const char *dtype;                 /* "F32"; F32, F64 and whole numbers can be read */
    int ndim;
    int64_t dim[LG_MAX_DIM];
    int64_t numel;
    size_t begin, end;                 /* of its bytes, in the numbers */
} lgi_stored;

lgi_archive *lgi_open_archive(lg_engine *E, const char *path);
void lgi_close_archive(lgi_archive *a);                /* a may be NULL */

int64_t lgi_count_stored(const lgi_archive *a);
const lgi_stored *lgi_stored_at(const lgi_archive *a, int64_t i);
int64_t lgi_find_stored(const lgi_archive *a, const char *name);       /* -1: none */
lg_tensor *lgi_load_stored(lgi_archive *a, int64_t i);                 /* scoped */
lg_status lgi_copy_stored(lgi_archive *a, int64_t i, lg_tensor *to);   /* same shape */

int64_t lgi_count_notes(const lgi_archive *a);         /* without those below */
const lgi_note *lgi_note_at(const lgi_archive *a, int64_t i);
const char *lgi_find_note(const lgi_archive *a, const char *key);      /* NULL: none */

/* Notes that the writer adds and the reader checks. A file that has one of them must
 * have both, so that no single flipped bit can switch the check off. */
#define LGI_FORMAT_KEY "lugano.format"
#define LGI_FORMAT "1"
#define LGI_HASH_KEY "lugano.hash"     /* 8 hexadecimal digits, hashed as zeros */
enum { LGI_HASH_DIGITS = 8, LGI_MAX_HEADER = 100000000 };

#endif
