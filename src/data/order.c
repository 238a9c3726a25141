/* order.c - heap sort (Williams 1964) of indices. */
#include "data/order.h"

static void swap_indices(int64_t *a, int64_t *b)
{
    int64_t t = *a;
    *a = *b;
    *b = t;
}

static void sift_down(int64_t *heap, int64_t root, int64_t n, lgi_before *before,
                      const void *user)
{
    for (;;) {
        int64_t child = 2 * root + 1;
        if (child >= n)
            return;
        if (child + 1 < n && before(user, heap[child], heap[child + 1]))
            child++;
        if (!before(user, heap[root], heap[child]))
            return;
        swap_indices(&heap[root], &heap[child]);
        root = child;
    }
}

void lgi_sort(int64_t *to, int64_t n, lgi_before *before, const void *user)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = i;
    for (int64_t i = n / 2 - 1; i >= 0; i--)
        sift_down(to, i, n, before, user);
    for (int64_t last = n - 1; last > 0; last--) {
        swap_indices(&to[0], &to[last]);
        sift_down(to, 0, last, before, user);
    }
}
