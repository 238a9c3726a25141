/* idx.h - IDX files, plain or gzip: http://yann.lecun.com/exdb/mnist */
#ifndef LG_DATA_IDX_H
#define LG_DATA_IDX_H
#include "base/engine.h"

enum { LGI_IDX_AXES = 4 };

typedef struct lgi_idx {               /* unsigned bytes with a shape */
    int ndim;
    int64_t dim[LGI_IDX_AXES];
    size_t size;
    unsigned char *data;               /* lgi_free(E, data, size) by whoever takes it */
} lgi_idx;

lg_status lgi_read_idx(lg_engine *E, const char *path, lgi_idx *to);
void lgi_free_idx(lg_engine *E, lgi_idx *x);       /* an empty one is fine */

#endif
