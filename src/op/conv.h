/* conv.h - what convolutions of any number of axes share: see conv.c. */
#ifndef LG_OP_CONV_H
#define LG_OP_CONV_H
#include "kernel/conv.h"
#include "op/op.h"

/* conv2d, conv_transpose2d and conv2d_weight applied to tensors of one relation: the
 * third of x, y and w from the two others. NULL if one of them is. */
lg_tensor *lgi_apply_conv_y(lg_engine *E, const lgi_conv *v, lg_tensor *x, lg_tensor *w);
lg_tensor *lgi_apply_conv_x(lg_engine *E, const lgi_conv *v, lg_tensor *y, lg_tensor *w);
lg_tensor *lgi_apply_conv_w(lg_engine *E, const lgi_conv *v, lg_tensor *x, lg_tensor *y);

/* For shape rules: x's channels are `in` of w's for each group, groups divide what they
 * must, and b, if there is one, has a number for each channel of the result. */
lg_status lgi_check_channels(lg_engine *E, const lgi_node *n, int64_t channels,
                             int64_t in, int64_t groups);
lg_status lgi_check_groups(lg_engine *E, const lgi_node *n, const char *what,
                           int64_t channels, int64_t groups);
lg_status lgi_check_conv_bias(lg_engine *E, const lgi_node *n, int64_t channels);

#endif
