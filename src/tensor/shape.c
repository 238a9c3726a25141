/* shape.c - sizes, checked before anything is allocated. */
#include "tensor/tensor.h"

#include <stdarg.h>
#include <string.h>

int64_t lgi_product_of(const int64_t *dim, int n)
{
    int64_t p = 1;
    for (int i = 0; i < n; i++)
        p *= dim[i];
    return p;
}

lg_status lgi_set_dims(lg_tensor *t, int ndim, const int64_t *dim)
{
    lg_engine *E = t->engine;
    char text[LGI_SHAPE_TEXT];
    int64_t n = 1;
    bool empty = false, large = false;

    if (ndim < 0 || ndim > LG_MAX_DIM)
        return lgi_fail(E, LG_ESHAPE, "a tensor has at most %d axes, not %d", LG_MAX_DIM,
                        ndim);
    for (int i = 0; i < ndim; i++) {
        if (dim[i] < 0)
            return lgi_fail(E, LG_ESHAPE, "%s is no shape: a size is negative",
                            lgi_dims(ndim, dim, text));
        empty |= dim[i] == 0;
        large |= dim[i] > LGI_MAX_NUMEL || (dim[i] && n > LGI_MAX_NUMEL / dim[i]);
        n = large ? 1 : n * dim[i];
    }
    if (large)
        return lgi_fail(E, LG_ESHAPE, "%s has more than 2^40 elements",
                        lgi_dims(ndim, dim, text));
    t->ndim = ndim;
    if (ndim)
        memmove(t->dim, dim, (size_t)ndim * sizeof *dim);
    t->numel = empty ? 0 : n;
    return LG_OK;
}

lg_status lgi_set_shape(lg_tensor *t, int ndim, ...)
{
    int64_t dim[LG_MAX_DIM];
    va_list ap;
    va_start(ap, ndim);
    for (int i = 0; i < ndim; i++)
        dim[i] = va_arg(ap, int64_t);
    va_end(ap);
    return lgi_set_dims(t, ndim, dim);
}

lg_status lgi_like(lg_tensor *t, const lg_tensor *model)
{
    return lgi_set_dims(t, model->ndim, model->dim);
}

bool lgi_same_dims(const lg_tensor *a, const lg_tensor *b)
{
    return a->ndim == b->ndim
           && memcmp(a->dim, b->dim, (size_t)a->ndim * sizeof *a->dim) == 0;
}

bool lgi_broadcast_dims(const lg_tensor *a, const lg_tensor *b, int *ndim, int64_t *dim)
{
    *ndim = a->ndim > b->ndim ? a->ndim : b->ndim;
    for (int i = 1; i <= *ndim; i++) {         /* from the last axis */
        int64_t m = i <= a->ndim ? a->dim[a->ndim - i] : 1;
        int64_t n = i <= b->ndim ? b->dim[b->ndim - i] : 1;
        if (m != n && m != 1 && n != 1)
            return false;
        dim[*ndim - i] = m == 1 ? n : m;
    }
    return true;
}
