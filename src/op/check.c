/* check.c - what shape rules check, and how it is said. */
#include "op/op.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *lgi_input_name(const lgi_node *n, int i, char to[16])
{
    lgi_signature s;
    lgi_read_signature(n->op->args, &s);
    if (s.listed)
        snprintf(to, 16, "%.3s[%d]", s.in[0], i % 100000 + 1);
    else
        snprintf(to, 16, "%s", s.in[i]);
    return to;
}

lg_status lgi_need_ndim(lg_engine *E, const lgi_node *n, int i, int ndim,
                        const char *axes)
{
    char name[16];
    if (n->in[i]->ndim == ndim)
        return LG_OK;
    return lgi_fail(E, LG_ESHAPE, "%s: %s must have %d axes (%s), and is %s", n->op->name,
                    lgi_input_name(n, i, name), ndim, axes, LGI_SHAPE(n->in[i]));
}

lg_status lgi_need_axis(lg_engine *E, const lgi_node *n, const char *name, int64_t *dim,
                        int ndim)
{
    int64_t d = *dim < 0 ? *dim + ndim + 1 : *dim;
    if (d < 1 || d > ndim)
        return lgi_fail(E, LG_EARG, "%s: %s is %lld, but %s has %d axes, counted from 1, "
                        "or from -1 at the end", n->op->name, name, (long long)*dim,
                        LGI_SHAPE(n->in[0]), ndim);
    *dim = d;
    return LG_OK;
}

lg_status lgi_need_axes(lg_engine *E, const lgi_node *n, const char *name, lgi_list *dims,
                        int ndim)
{
    bool has[LG_MAX_DIM] = {false};
    bool all = dims->n == 0;
    for (int64_t i = 0; i < dims->n; i++) {
        if (lgi_need_axis(E, n, name, &dims->at[i], ndim) < 0)
            return E->status;
        if (has[dims->at[i] - 1])
            return lgi_fail(E, LG_EARG, "%s: %s names axis %lld twice", n->op->name, name,
                            (long long)dims->at[i]);
        has[dims->at[i] - 1] = true;
    }
    dims->n = 0;
    for (int i = 0; i < ndim; i++)
        if (all || has[i])
            dims->at[dims->n++] = i + 1;
    return LG_OK;
}

lg_status lgi_need_whole(lg_engine *E, const lgi_node *n, const char *name, int64_t value,
                         int64_t least, int64_t most)
{
    if (value >= least && value <= most)
        return LG_OK;
    return lgi_fail(E, LG_EARG, "%s: %s must be from %lld to %lld, and is %lld",
                    n->op->name, name, (long long)least, (long long)most,
                    (long long)value);
}

lg_status lgi_need_pair(lg_engine *E, const lgi_node *n, const char *name, lgi_pair p,
                        int64_t least, int64_t most)
{
    if (lgi_need_whole(E, n, name, p.h, least, most) < 0)
        return E->status;
    return lgi_need_whole(E, n, name, p.w, least, most);
}

lg_status lgi_need_number(lg_engine *E, const lgi_node *n, const char *name, double value,
                          double least, double most)
{
    if (value >= least && value <= most)
        return LG_OK;                  /* NaN is not */
    return lgi_fail(E, LG_EARG, "%s: %s must be from %g to %g, and is %g", n->op->name,
                    name, least, most, value);
}

lg_status lgi_same_shape(lg_engine *E, lgi_node *n)
{
    (void)E;
    return lgi_like(n->out, n->in[0]);
}

lg_status lgi_broadcast_shape(lg_engine *E, lgi_node *n)
{
    int64_t dim[LG_MAX_DIM];
    int ndim;
    if (lgi_broadcast_dims(n->in[0], n->in[1], &ndim, dim))
        return lgi_set_dims(n->out, ndim, dim);
    return lgi_fail(E, LG_ESHAPE, "%s: %s and %s do not fit: aligned at the last axis, "
                    "sizes must be equal or 1", n->op->name, LGI_SHAPE(n->in[0]),
                    LGI_SHAPE(n->in[1]));
}
