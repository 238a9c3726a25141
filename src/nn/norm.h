/* norm.h - what layers that keep a number for each channel check first: see norm.c. */
#ifndef LG_NN_NORM_H
#define LG_NN_NORM_H
#include "nn/layer.h"

/* Fails unless x has from least to most axes, which axes names, as "{batch,channels}",
 * and as many channels, axis 2, as the layer was built for; 0: any number but none. */
lg_status lgi_need_channels(lg_engine *E, const lgi_layer *l, const lg_tensor *x,
                            int least, int most, const char *axes, int64_t built);

#endif
