/*
 * test_winograd.c - convolutions by Winograd's forms against the exact ones: random
 * shapes of each kind that they serve, every kernel set that this processor has, the same
 * bits on any number of threads, and nothing written beside the result. Scratch is full
 * of NaN: no number is read before it is written.
 */
#include "base/memory.h"
#include "base/random.h"
#include "kernel/winograd.h"
#include "test.h"

#include <math.h>
#include <string.h>

static uint64_t thrown;
static const lgi_stream coins = {12, 1};

static int64_t under(int64_t n)
{
    return (int64_t)lgi_below(coins, thrown++, (uint64_t)n);
}

static lg_engine *engine_with(int threads, lgi_cpu cpu)
{
    lg_config config = LG_CONFIG_INIT;
    lg_engine *E = NULL;
    config.threads = threads;
    if (lg_open(&E, &config) == LG_OK && E->cpu > cpu)
        E->cpu = cpu;
    return E;
}

static lg_real *random_numbers(lg_engine *E, int64_t n)
{
    lg_real *x = lgi_alloc(E, (size_t)(n + 1) * sizeof *x);
    for (int64_t i = 0; i <= n; i++)
        x[i] = (lg_real)(2 * lgi_uniform_at(coins, thrown++) - 1);
    return x;
}

static void release_numbers(lg_engine *E, lg_real *x, int64_t n)
{
    lgi_free(E, x, (size_t)(n + 1) * sizeof *x);
}

static int64_t count_of(const lgi_conv *v, lgi_conv_side side)
{
    return side == LGI_CONV_X ? v->n * v->c * v->h * v->w
         : side == LGI_CONV_W ? v->out * (v->c / v->groups) * v->kh * v->kw
                              : v->n * v->out * v->oh * v->ow;
}

static void compute(lg_engine *E, const lgi_conv *v, lgi_conv_side side, bool exact,
                    const lg_real *x, const lg_real *w, const lg_real *y,
                    const lg_real *bias, lg_real *to)
{
    bool parts = v->groups > 1 || v->dh > 1 || v->dw > 1;
    E->exact = exact;
    size_t bytes = !exact && parts ? lgi_parts_scratch(E, v, side)
                 : !exact ? lgi_winograd_scratch(E, v, side)
                 : side == LGI_CONV_X ? lgi_conv_x_scratch(E, v)
                 : side == LGI_CONV_W ? lgi_conv_w_scratch(E, v)
                                      : lgi_conv_y_scratch(E, v);
    void *scratch = lgi_alloc(E, bytes + 1);
    memset(scratch, 0xff, bytes);
    if (!exact && parts && side == LGI_CONV_W)
        lgi_parts_w(E, v, x, y, to, scratch);
    else if (!exact && parts)
        lgi_parts_images(E, v, side, side == LGI_CONV_X ? y : x, w, bias, to, scratch);
    else if (!exact && side == LGI_CONV_W)
        lgi_winograd_w(E, v, x, y, to, scratch);
    else if (!exact)
        lgi_winograd_images(E, v, side, side == LGI_CONV_X ? y : x, w, bias, to, scratch);
    else if (side == LGI_CONV_X)
        lgi_conv_x(E, v, y, w, bias, to, scratch);
    else if (side == LGI_CONV_W)
        lgi_conv_w(E, v, x, y, to, scratch);
    else
        lgi_conv_y(E, v, x, w, bias, to, scratch);
    lgi_free(E, scratch, bytes + 1);
    E->exact = false;
}

static double distance(const lg_real *a, const lg_real *b, int64_t n)
{
    double most = 1e-30, far = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        far = d > far || isnan(d) ? d : far;
        most = fmax(most, fabs((double)b[i]));
    }
    return far / most;
}

static void compare_side(lg_engine *one, lg_engine *three, const lgi_conv *v,
                         lgi_conv_side side)
{
    static const char *const names[] = {"y", "x", "w"};
    const double most = sizeof(lg_real) == 4 ? 3e-5 : 1e-13;
    int64_t nx = count_of(v, LGI_CONV_X), ny = count_of(v, LGI_CONV_Y);
    int64_t nw = count_of(v, LGI_CONV_W), n = count_of(v, side);
    lg_real *x = random_numbers(one, nx), *w = random_numbers(one, nw);
    lg_real *y = random_numbers(one, ny), *b = random_numbers(one, v->c + v->out);
    lg_real *want = random_numbers(one, n), *got = random_numbers(one, n);
    lg_real *again = random_numbers(one, n), end = got[n];
    const lg_real *bias = under(2) ? b : NULL;
    compute(one, v, side, true, x, w, y, bias, want);
    compute(one, v, side, false, x, w, y, bias, got);
    compute(three, v, side, false, x, w, y, bias, again);
    double far = distance(got, want, n);
    check(far <= most, "%s of %lld,%lld,%lldx%lld to %lld,%lldx%lld, kernel %lld stride "
          "%lld padding %lld,%lld dilation %lld,%lld groups %lld on %s is off by %g",
          names[side], (long long)v->n,
          (long long)v->c, (long long)v->h, (long long)v->w, (long long)v->out,
          (long long)v->oh, (long long)v->ow, (long long)v->kh, (long long)v->sh,
          (long long)v->ph, (long long)v->pw, (long long)v->dh, (long long)v->dw,
          (long long)v->groups, lgi_cpu_name(one->cpu), far);
    check(memcmp(got, again, (size_t)n * sizeof *got) == 0, "three threads: other bits");
    check(got[n] == end, "%s wrote beside its result", names[side]);
    release_numbers(one, x, nx), release_numbers(one, w, nw), release_numbers(one, y, ny);
    release_numbers(one, b, v->c + v->out);
    release_numbers(one, want, n), release_numbers(one, got, n);
    release_numbers(one, again, n);
}

/* Kernels of 2 to 7 with stride 1 and of 3 to 10 with stride 2; some with columns of x
 * that no output reads. */
static lgi_conv random_shape(void)
{
    lgi_conv v = {.dh = 1, .dw = 1, .groups = 1};
    v.sh = v.sw = 1 + under(2);
    v.kh = v.kw = v.sh == 1 ? 2 + under(6) : 3 + under(under(4) ? 3 : 8);
    v.ph = under(v.kh), v.pw = under(v.kh);
    v.n = 1 + under(under(8) ? 4 : 40);
    v.c = 1 + under(40), v.out = 1 + under(40);
    v.h = v.kh + under(14), v.w = v.kh + under(under(4) ? 14 : 40);
    v.oh = (v.h + 2 * v.ph - v.kh) / v.sh + 1;
    v.ow = (v.w + 2 * v.pw - v.kw) / v.sw + 1;
    return v;
}

/* With groups, and with a dilation if the stride is 1. */
static lgi_conv random_parts(void)
{
    lgi_conv v = random_shape();
    v.groups = 1 + under(3);
    v.c = v.groups * (1 + under(20)), v.out = v.groups * (1 + under(20));
    if (v.sh > 1)
        return v;
    v.dh = 1 + under(3), v.dw = 1 + under(4);
    v.h += (v.kh - 1) * (v.dh - 1), v.w += (v.kw - 1) * (v.dw - 1);
    v.ph = under(v.kh * v.dh), v.pw = under(v.kw * v.dw);
    v.oh = v.h + 2 * v.ph - (v.kh - 1) * v.dh;
    v.ow = v.w + 2 * v.pw - (v.kw - 1) * v.dw;
    return v;
}

/* Large enough for blocks by thread. */
static void test_blocks(lg_engine *one, lg_engine *three)
{
    lgi_conv v = {.n = 70, .c = 17, .h = 15, .w = 17, .out = 20, .oh = 15, .ow = 17,
                  .kh = 3, .kw = 3, .sh = 1, .sw = 1, .ph = 1, .pw = 1, .dh = 1, .dw = 1,
                  .groups = 1};
    lgi_conv s = v;
    s.n = 150, s.kh = s.kw = 4, s.sh = s.sw = 2, s.oh = 7, s.ow = 8;
    check(lgi_winograd_serves(one, &v, LGI_CONV_Y), "3x3 with stride 1 is served");
    for (int side = 0; side < 3; side++) {
        compare_side(one, three, &v, (lgi_conv_side)side);
        compare_side(one, three, &s, (lgi_conv_side)side);
    }
    one->exact = true;
    check(!lgi_winograd_serves(one, &v, LGI_CONV_Y), "an exact engine does without");
    one->exact = false;
}

int main(void)
{
    for (int cpu = LGI_PLAIN; cpu <= LGI_AVX512; cpu++) {
        lg_engine *one = engine_with(1, (lgi_cpu)cpu);
        lg_engine *three = engine_with(3, (lgi_cpu)cpu);
        for (int i = 0; one && three && one->cpu == (lgi_cpu)cpu && i < 60; i++) {
            lgi_conv v = random_shape(), parts = random_parts();
            for (int side = 0; side < 3; side++) {
                compare_side(one, three, &v, (lgi_conv_side)side);
                compare_side(one, three, &parts, (lgi_conv_side)side);
            }
        }
        if (one && three && one->cpu == (lgi_cpu)cpu)
            test_blocks(one, three);
        check(lg_close(one) == 0, "all memory is given back");
        check(lg_close(three) == 0, "all memory is given back");
    }
    return report();
}
