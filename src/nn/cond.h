/* cond.h - what layers with a second input share, labels or styles: see cond_norm.c. */
#ifndef LG_NN_COND_H
#define LG_NN_COND_H
#include "nn/layer.h"

/* Fail unless labels are whole numbers from 1 to classes; and, the second, labels {n}. */
lg_status lgi_check_label_numbers(lg_engine *E, const lgi_layer *l,
                                  const lg_tensor *labels, int64_t classes);
lg_status lgi_check_labels(lg_engine *E, const lgi_layer *l, const lg_tensor *labels,
                           int64_t n, int64_t classes);

/* Fails unless the layer's second input is {n,s}. built: s of the first one, or 0. */
lg_status lgi_check_style(lg_engine *E, const lgi_layer *l, int64_t n, int64_t built);

/*
 * A linear map of styles {n,s} to {n,out}: its weight, {out,s}, is a parameter of that
 * name, and b, {out} or NULL, is added. An equalized one is scaled by 1 / sqrt(s): no
 * relu follows it, for which the factor 2 of other layers would be.
 */
lg_status lgi_declare_map(lg_engine *E, lgi_layer *l, const char *name,
                          const lgi_weight_options *o, int64_t out, int64_t s);
lg_tensor *lgi_map_style(lg_engine *E, lgi_layer *l, const char *name,
                         const lgi_weight_options *o, lg_tensor *style, lg_tensor *b);

/* t {n,c} as {n,c,1,...}, with as many axes as x has. */
lg_tensor *lgi_beside_places(lg_engine *E, lg_tensor *t, const lg_tensor *x);

#endif
