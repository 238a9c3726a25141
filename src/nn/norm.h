/* norm.h - what layers that keep a number for each channel check first: see norm.c. */
#ifndef LG_NN_NORM_H
#define LG_NN_NORM_H
#include "nn/layer.h"

/* Fails unless x has from least to most axes, which axes names, as "{batch,channels}",
 * and as many channels, axis 2, as the layer was built for; 0: any number but none. */
lg_status lgi_need_channels(lg_engine *E, const lgi_layer *l, const lg_tensor *x,
                            int least, int most, const char *axes, int64_t built);

lg_status lgi_check_eps(lg_engine *E, const lgi_layer *l, double eps);
lg_status lgi_check_momentum(lg_engine *E, const lgi_layer *l, double momentum);

/* For layers with the operator batch_norm: the buffers running_mean and running_var {c};
 * a check of x, which in training needs two numbers a channel; and x normalized, by the
 * batch in training, which moves the buffers, else by those, times w and plus b {c}, if
 * they are not NULL. */
lg_status lgi_declare_running(lg_engine *E, lgi_layer *l, int64_t c);
lg_status lgi_check_batch(lg_engine *E, const lgi_layer *l, const lg_tensor *x);
lg_tensor *lgi_normalize_batch(lg_engine *E, lgi_layer *l, lg_tensor *x, double momentum,
                               lg_tensor *w, lg_tensor *b);

#endif
