/*
 * test_conv.c - the three of a convolution against plain loops: random shapes, strides,
 * paddings, dilations and groups, every kernel set that this processor has, and the same
 * bits on any number of threads. Then what conv2d, its family, matmul and linear say to
 * tensors that do not fit.
 */
#include "base/memory.h"
#include "base/random.h"
#include "kernel/conv.h"
#include "test.h"
#include "tensor/tensor.h"

#include <math.h>

static uint64_t drawn;
static const lgi_stream dice = {11, 1};

static int64_t below(int64_t n) { return (int64_t)lgi_below(dice, drawn++, (uint64_t)n); }

static lg_engine *open_engine(int threads, lgi_cpu cpu)
{
    lg_config config = LG_CONFIG_INIT;
    lg_engine *E = NULL;
    config.threads = threads;
    if (lg_open(&E, &config) == LG_OK && E->cpu > cpu)
        E->cpu = cpu;
    if (E)
        E->exact = true;               /* other forms have a test of their own */
    return E;
}

static lg_real *numbers(lg_engine *E, int64_t n)
{
    lg_real *x = lgi_alloc(E, (size_t)(n + 1) * sizeof *x);
    for (int64_t i = 0; x && i <= n; i++)
        x[i] = (lg_real)(2 * lgi_uniform_at(dice, drawn++) - 1);
    return x;
}

static void give_back(lg_engine *E, lg_real *x, int64_t n)
{
    lgi_free(E, x, (size_t)(n + 1) * sizeof *x);
}

enum { OF_X, OF_W, OF_Y };

static int64_t size_of(const lgi_conv *v, int which)
{
    return which == OF_X ? v->n * v->c * v->h * v->w
         : which == OF_W ? v->out * (v->c / v->groups) * v->kh * v->kw
                         : v->n * v->out * v->oh * v->ow;
}

/* Adds one tap's terms to the tensor `which`, and their magnitudes to size. */
static void plain_tap(const lgi_conv *v, int which, lg_real *t[3], double *sum,
                      double *size, int64_t at_w, int64_t at_x, int64_t at_y)
{
    int64_t at[3] = {at_x, at_w, at_y};
    double product = (double)t[(which + 1) % 3][at[(which + 1) % 3]]
                     * (double)t[(which + 2) % 3][at[(which + 2) % 3]];
    sum[at[which]] += product;
    size[at[which]] += fabs(product);
}

static void plain_image(const lgi_conv *v, int64_t n, int64_t o, int64_t c, int which,
                        lg_real *t[3], double *sum, double *size)
{
    int64_t cg = v->c / v->groups, in = o / (v->out / v->groups) * cg + c;
    for (int64_t i = 0; i < v->kh; i++)
        for (int64_t j = 0; j < v->kw; j++)
            for (int64_t oy = 0; oy < v->oh; oy++)
                for (int64_t ox = 0; ox < v->ow; ox++) {
                    int64_t y = oy * v->sh + i * v->dh - v->ph;
                    int64_t x = ox * v->sw + j * v->dw - v->pw;
                    if (y >= 0 && y < v->h && x >= 0 && x < v->w)
                        plain_tap(v, which, t, sum, size,
                                  ((o * cg + c) * v->kh + i) * v->kw + j,
                                  ((n * v->c + in) * v->h + y) * v->w + x,
                                  ((n * v->out + o) * v->oh + oy) * v->ow + ox);
                }
}

static void run_kernel(lg_engine *E, const lgi_conv *v, int which, lg_real *t[3],
                       const lg_real *bias)
{
    size_t bytes = which == OF_X ? lgi_conv_x_scratch(E, v)
                 : which == OF_W ? lgi_conv_w_scratch(E, v) : lgi_conv_y_scratch(E, v);
    void *scratch = bytes ? lgi_alloc(E, bytes) : NULL;
    if (which == OF_X)
        lgi_conv_x(E, v, t[OF_Y], t[OF_W], bias, t[OF_X], scratch);
    else if (which == OF_W)
        lgi_conv_w(E, v, t[OF_X], t[OF_Y], t[OF_W], scratch);
    else
        lgi_conv_y(E, v, t[OF_X], t[OF_W], bias, t[OF_Y], scratch);
    lgi_free(E, scratch, bytes);
}

static bool near_plain(lg_engine *E, const lgi_conv *v, int which, lg_real *t[3],
                       const lg_real *bias)
{
    int64_t count = size_of(v, which), channels = which == OF_X ? v->c : v->out;
    int64_t plane = which == OF_X ? v->h * v->w : v->oh * v->ow;
    size_t bytes = (size_t)(count + 1) * sizeof(double);
    double *sum = lgi_alloc0(E, bytes), *size = lgi_alloc0(E, bytes);
    bool near = true;
    for (int64_t n = 0; n < v->n; n++)
        for (int64_t o = 0; o < v->out; o++)
            for (int64_t c = 0; c < v->c / v->groups; c++)
                plain_image(v, n, o, c, which, t, sum, size);
    for (int64_t i = 0; i < count; i++) {
        double b = bias && which != OF_W ? (double)bias[i / plane % channels] : 0;
        double unit = sizeof(lg_real) == 4 ? 2e-6 : 4e-15;
        double tolerance = unit * (size[i] + fabs(b) + 1e-3);
        near &= fabs((double)t[which][i] - sum[i] - b) <= tolerance;
    }
    lgi_free(E, sum, bytes);
    lgi_free(E, size, bytes);
    return near;
}

static void test_geometry(lg_engine *one, lg_engine *four, const lgi_conv *v)
{
    static const char *const names[] = {"x", "w", "y"};
    for (int which = 0; which < 3; which++) {
        lg_real *t[3], *bias = numbers(one, v->c + v->out);
        for (int i = 0; i < 3; i++)
            t[i] = numbers(one, size_of(v, i));
        int64_t count = size_of(v, which);
        lg_real *b = below(2) ? bias : NULL, end = t[which][count], *mine = t[which];
        run_kernel(one, v, which, t, b);
        bool ok = near_plain(one, v, which, t, b) && mine[count] == end;
        lg_real *again = t[which] = numbers(one, count);
        run_kernel(four, v, which, t, b);
        bool same = count == 0 || memcmp(mine, again, (size_t)count * sizeof *again) == 0;
        check(ok && same, "%s of x %lld,%lld,%lld,%lld y %lld,%lldx%lld kernel %lldx%lld "
              "stride %lld,%lld padding %lld,%lld dilation %lld,%lld groups %lld on %s: "
              "%s", names[which], (long long)v->n, (long long)v->c, (long long)v->h,
              (long long)v->w, (long long)v->out, (long long)v->oh, (long long)v->ow,
              (long long)v->kh, (long long)v->kw, (long long)v->sh, (long long)v->sw,
              (long long)v->ph, (long long)v->pw, (long long)v->dh, (long long)v->dw,
              (long long)v->groups, lgi_cpu_name(one->cpu), ok ? "other bits" : "wrong");
        give_back(one, mine, count);
        for (int i = 0; i < 3; i++)
            give_back(one, t[i], size_of(v, i));
        give_back(one, bias, v->c + v->out);
    }
}

static lgi_conv random_geometry(void)
{
    lgi_conv v = {.n = below(6), .groups = below(3) ? 1 : 1 + below(3)};
    v.c = v.groups * (1 + below(4));
    v.out = v.groups * (1 + below(20));
    v.kh = 1 + below(5), v.kw = 1 + below(5);
    v.sh = 1 + below(3), v.sw = 1 + below(3);
    v.dh = 1 + below(2), v.dw = 1 + below(3);
    v.ph = below(4), v.pw = below(4);
    v.oh = 1 + below(9), v.ow = 1 + below(9);
    v.h = (v.oh - 1) * v.sh + (v.kh - 1) * v.dh + 1 - 2 * v.ph + below(v.sh);
    v.w = (v.ow - 1) * v.sw + (v.kw - 1) * v.dw + 1 - 2 * v.pw + below(v.sw);
    if (v.h < 1 || v.w < 1)
        return random_geometry();
    return v;
}

/* Shapes that have a form of their own, each given as the kinds below say. */
enum { FULL, POINT, FEW_TAPS, FEW_RESULTS, APART, JOINED, FORMS };

static lgi_conv random_form(int form)
{
    lgi_conv v = {.n = below(8), .c = 1 + below(40), .out = 1 + below(70), .kh = 1,
                  .kw = 1, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .groups = 1};
    v.oh = 1 + below(20), v.ow = 1 + below(36);
    if (form == FULL)
        v.kh = 1 + below(5), v.kw = 1 + below(5), v.sh = 1 + below(3), v.oh = v.ow = 1;
    if (form == FEW_TAPS || form == FEW_RESULTS || form == APART)
        v.kh = 2 + below(4), v.kw = 1 + below(5), v.ph = below(3), v.pw = below(3);
    if (form == FEW_TAPS)
        v.c = 1 + below(4), v.sh = 1 + below(3), v.sw = 1 + below(3);
    if (form == FEW_RESULTS)
        v.out = 1 + below(4), v.c += 4, v.dw = 1 + below(2);
    if (form == APART)
        v.groups = v.out = v.c, v.sh = 1 + below(below(4) ? 2 : 5), v.sw = 1 + below(2);
    if (form == APART && below(3) == 0)
        v.dh = 1 + below(3), v.dw = 1 + below(2);
    if (form == JOINED) {              /* small images, whose pixels share products */
        v.n = 1 + below(30), v.c = 1 + below(90);
        v.oh = 1 + below(8), v.ow = 1 + below(8);
        v.kh = 1 + below(6), v.kw = 1 + below(6);
        v.sh = 1 + below(3), v.sw = 1 + below(3), v.ph = below(3), v.pw = below(3);
    }
    v.h = (v.oh - 1) * v.sh + (v.kh - 1) * v.dh + 1 - 2 * v.ph;
    v.w = (v.ow - 1) * v.sw + (v.kw - 1) * v.dw + 1 - 2 * v.pw;
    if (form == FEW_TAPS || form == JOINED || form == APART)
        v.h += below(v.sh), v.w += below(v.sw);
    return v.h < 1 || v.w < 1 ? random_form(form) : v;
}

static void test_cpu(lgi_cpu cpu)
{
    /* n, c, h, w; out, oh, ow; kernel, stride, padding, dilation; groups */
    static const lgi_conv some[] = {
        {8, 64, 14, 14, 128, 7, 7, 4, 4, 2, 2, 1, 1, 1, 1, 1},
        {9, 1, 28, 28, 64, 14, 14, 4, 4, 2, 2, 1, 1, 1, 1, 1},
        {40, 3, 12, 12, 8, 12, 12, 3, 3, 1, 1, 1, 1, 1, 1, 1},
        {5, 40, 9, 9, 300, 9, 9, 1, 1, 1, 1, 0, 0, 1, 1, 1},
        {4, 20, 4, 4, 1, 1, 1, 4, 4, 1, 1, 0, 0, 1, 1, 1},
        {2, 600, 5, 6, 3, 3, 4, 3, 3, 1, 1, 0, 0, 1, 1, 1},
        {2, 8, 40, 70, 8, 40, 70, 3, 3, 1, 1, 1, 1, 1, 1, 8},
        {3, 2, 9, 9, 4, 3, 3, 1, 1, 4, 4, 0, 0, 1, 1, 2},
        {0, 2, 9, 9, 4, 9, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1},
        {0, 30, 9, 9, 4, 9, 9, 1, 1, 1, 1, 0, 0, 1, 1, 1},
        {0, 3, 4, 4, 5, 1, 1, 4, 4, 1, 1, 0, 0, 1, 1, 1},
        {2, 200, 19, 30, 20, 19, 30, 1, 1, 1, 1, 0, 0, 1, 1, 1},
        {2, 20, 19, 30, 200, 19, 30, 1, 1, 1, 1, 0, 0, 1, 1, 1},
        {20, 300, 3, 3, 280, 3, 3, 1, 1, 1, 1, 0, 0, 1, 1, 1},
        {2, 5, 40, 40, 20, 40, 40, 5, 5, 1, 1, 2, 2, 1, 1, 1},
        {2, 70, 30, 30, 70, 30, 30, 1, 1, 1, 1, 0, 0, 1, 1, 1},
        {3, 2, 50, 70, 9, 17, 24, 3, 5, 3, 3, 1, 3, 1, 1, 1},
        {1, 1, 90, 80, 9, 90, 80, 3, 3, 1, 1, 1, 1, 1, 1, 1},
        {4, 9, 12, 33, 2, 12, 33, 3, 3, 1, 1, 1, 1, 1, 1, 1},
        {3, 2, 1, 200, 20, 1, 50, 1, 25, 1, 4, 0, 11, 1, 1, 1},
        {20, 90, 7, 7, 40, 4, 4, 5, 5, 2, 2, 2, 2, 1, 1, 1},
        {2, 70, 6, 7, 60, 3, 3, 7, 7, 2, 2, 3, 3, 1, 1, 1}};
    lg_engine *one = open_engine(1, cpu), *four = open_engine(4, cpu);
    if (one && four && one->cpu == cpu) {
        for (size_t i = 0; i < sizeof some / sizeof *some; i++)
            test_geometry(one, four, &some[i]);
        for (int i = 0; i < 120; i++) {
            lgi_conv v = random_geometry();
            test_geometry(one, four, &v);
        }
        for (int i = 0; i < 15 * FORMS; i++) {
            lgi_conv v = random_form(i % FORMS);
            test_geometry(one, four, &v);
        }
        check(one->status == LG_OK && four->status == LG_OK, "%s", lg_message(one));
    }
    check(lg_close(one) == 0 && lg_close(four) == 0, "memory is left");
}

typedef struct misfit {
    const char *op;
    int n, ndim[3];
    int64_t dim[3][4];
    const char *attributes, *message;
} misfit;

static const misfit misfits[] = {
    {"conv2d", 2, {3, 4}, {{1, 5, 5}, {2, 1, 3, 3}}, NULL,
     "conv2d: x must have 4 axes (n,c,h,w), and is {1,5,5}"},
    {"conv2d", 2, {4, 4}, {{1, 3, 5, 5}, {2, 4, 3, 3}}, NULL,
     "conv2d: x {1,3,5,5} has 3 channels, but w {2,4,3,3} takes 4 (groups is 1)"},
    {"conv2d", 2, {4, 4}, {{1, 4, 5, 5}, {3, 2, 3, 3}}, "groups=2",
     "conv2d: 3 output channels cannot be shared among 2 groups; groups must "
     "divide them"},
    {"conv2d", 2, {4, 4}, {{1, 1, 3, 5}, {2, 1, 5, 2}}, "dilation={1,2}",
     "conv2d: the kernel, 5x3 with its dilation, is larger than the padded input, 3x5: "
     "x is {1,1,3,5}; use a smaller kernel or more padding"},
    {"conv2d", 2, {4, 4}, {{1, 1, 5, 5}, {2, 1, 3, 3}}, "stride={0,1}",
     "conv2d: stride must be from 1 to "},
    {"conv2d", 2, {4, 4}, {{1, 1, 5, 5}, {2, 1, 3, 3}}, "padding=-1",
     "conv2d: padding must be from 0 to "},
    {"conv2d", 2, {4, 4}, {{1, 1, 5, 5}, {2, 1, 3, 3}}, "groups=0",
     "conv2d: groups must be from 1 to "},
    {"conv2d", 3, {4, 4, 1}, {{1, 1, 5, 5}, {2, 1, 3, 3}, {3}}, NULL,
     "conv2d: b must be {2}, a number for each output channel, and is {3}"},
    {"conv2d", 2, {4, 4}, {{1, 1, 5, 5}, {2, 1, 0, 3}}, NULL,
     "conv2d: the kernel is 0x3; it must be 1x1 or more"},
    {"conv2d", 2, {4, 4}, {{1, 1, 5, 5}, {2, 1, 3, 3}}, "padding=1000000",
     "conv2d: one image of {1,1,5,5}, padded, has more than 2^30 numbers"},
    {"conv_transpose2d", 2, {4, 4}, {{1, 3, 5, 5}, {2, 1, 3, 3}}, NULL,
     "conv_transpose2d: x {1,3,5,5} has 3 channels, but w {2,1,3,3} takes 2 "
     "(groups is 1)"},
    {"conv_transpose2d", 2, {4, 4}, {{1, 2, 5, 5}, {2, 1, 3, 3}},
     "stride=2, output_padding=2",
     "conv_transpose2d: output_padding is {2,2}; it must be 0 or more, and less than the "
     "stride or the dilation, {2,2} here"},
    {"conv_transpose2d", 2, {4, 4}, {{1, 2, 1, 1}, {2, 1, 3, 3}}, "padding=2",
     "conv_transpose2d: x {1,2,1,1} with w {2,1,3,3} would give images of -1x-1"},
    {"conv2d_weight", 2, {4, 4}, {{2, 1, 5, 5}, {2, 3, 4, 4}}, "kernel=3",
     "conv2d_weight: x is {2,1,5,5}, so g must be {2,out,3,3}, and is {2,3,4,4}"},
    {"conv2d_weight", 2, {4, 4}, {{2, 1, 5, 5}, {2, 3, 4, 4}}, NULL,
     "conv2d_weight: kernel must be given"},
    {"matmul", 2, {2, 2}, {{2, 3}, {4, 5}}, NULL,
     "matmul: {2,3} by {4,5}: a has 3 columns and b 4 rows, "
     "which must be the same number"},
    {"matmul", 2, {2, 2}, {{2, 3}, {3, 5}}, "transpose_b=true",
     "matmul: {2,3} by {3,5} transposed: a has 3 columns and b 5 rows"},
    {"matmul", 2, {3, 3}, {{2, 3, 4}, {3, 4, 5}}, NULL,
     "matmul: the batches of {2,3,4} and {3,4,5} do not fit"},
    {"matmul", 2, {0, 2}, {{0}, {3, 4}}, NULL,
     "matmul: a must have an axis, and has none; multiply by a number with *"},
    {"matmul", 2, {1, 2}, {{3}, {3, 4}}, "transpose_a=true",
     "matmul: transpose_a needs two axes, and a is {3}"},
    {"linear", 2, {2, 2}, {{2, 3}, {4, 5}}, NULL,
     "linear: x is {2,3} and w is {4,5} (out,in): the last axis of x "
     "must have 5 numbers"},
    {"linear", 3, {2, 2, 1}, {{2, 5}, {4, 5}, {5}}, NULL,
     "linear: b must be {4}, a number for each row of w {4,5}, and is {5}"}};

static void test_messages(void)
{
    lg_engine *E = open_engine(1, LGI_AVX512);
    for (size_t i = 0; E && i < sizeof misfits / sizeof *misfits; i++) {
        const misfit *m = &misfits[i];
        lg_tensor *in[3] = {0};
        int scope = lg_open_scope(E);
        for (int k = 0; k < m->n; k++)
            in[k] = lg_zeros(E, m->ndim[k], m->dim[k]);
        lg_tensor *y = lg_apply(E, lg_find_op(m->op), m->n, in, m->attributes);
        check(y == NULL, "%s took what does not fit", m->op);
        check_text(lg_message(E), m->message);
        lg_clear(E);
        lg_close_scope(E, scope);
    }
    check(lg_close(E) == 0, "memory is left");
}

int main(void)
{
    static const lgi_cpu all[] = {LGI_PLAIN, LGI_NEON, LGI_AVX2, LGI_AVX512};
    lgi_cpu best = lgi_detect_cpu();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] <= best && (all[i] != LGI_NEON || best == LGI_NEON))
            test_cpu(all[i]);
    test_messages();
    return report();
}
