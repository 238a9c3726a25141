/* sized.h - engine memory for libraries whose free tells no size: zlib, libpng. */
#ifndef LG_DATA_SIZED_H
#define LG_DATA_SIZED_H
#include "base/engine.h"

void *lgi_alloc_sized(lg_engine *E, size_t size);
void lgi_free_sized(lg_engine *E, void *p);        /* p may be NULL */

#endif
