/* cifar.h - binary records of CIFAR: https://www.cs.toronto.edu/~kriz/cifar.html */
#ifndef LG_DATA_CIFAR_H
#define LG_DATA_CIFAR_H
#include "data/dataset.h"

typedef struct lgi_cifar {
    const char *name;                  /* of the set */
    int files;
    const char *const *paths;          /* plain or gzip, one after the other */
    int label_bytes, label;            /* of a record; which is used, from 0 */
    int64_t c, h, w;
} lgi_cifar;

/* A record is its labels, then its pixels, channel after channel. */
lgi_dataset *lgi_cifar_dataset(lg_engine *E, const lgi_cifar *p);

#endif
