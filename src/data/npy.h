/*
 * npy.h - NumPy's files of one array, versions 1 to 3:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
#ifndef LG_DATA_NPY_H
#define LG_DATA_NPY_H
#include "data/dataset.h"

/* Whole and other numbers and truth values of any width, in C or Fortran order, little or
 * big endian: as they are. */
lg_tensor *lgi_read_npy(lg_engine *E, const char *path);

/* Written whole or not at all, in C order, with the engine's element. */
lg_status lgi_write_npy(lg_engine *E, const char *path, const lg_tensor *t);

/* The rows of a file, and their labels; labels may be NULL. Unsigned bytes with 3 or 4
 * axes are images, n,h,w or n,c,h,w, or n,h,w,c if channels_last. */
lgi_dataset *lgi_npy_dataset(lg_engine *E, const char *name, const char *path,
                             const char *labels, bool channels_last);

#endif
