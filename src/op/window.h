/* window.h - for shape rules: windows that slide over images. */
#ifndef LG_OP_WINDOW_H
#define LG_OP_WINDOW_H
#include "kernel/window.h"
#include "op/op.h"

enum { LGI_MOST_STEP = 1 << 20 };      /* of kernels, strides, paddings */

/* Sets the geometry from these, and from the planes and h and w that v has: the number of
 * windows. Fails where an attribute is wrong, or no window fits. */
lg_status lgi_slide_window(lg_engine *E, const lgi_node *n, lgi_window *v,
                           lgi_pair kernel, lgi_pair stride, lgi_pair padding,
                           lgi_pair dilation);

#endif
