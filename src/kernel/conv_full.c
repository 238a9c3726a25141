/*
 * conv_full.c - a kernel as large as the image: one plain product for the whole batch.
 *
 * y is one pixel, so that an image of x and a row of w are each one long row: y = x w'.
 */
#include "kernel/conv_forms.h"
#include "kernel/gemm.h"

static bool full_takes(const lgi_conv *v)
{
    bool plain = (v->dh == 1 || v->kh == 1) && (v->dw == 1 || v->kw == 1);
    return v->groups == 1 && v->oh == 1 && v->ow == 1 && v->ph == 0 && v->pw == 0
           && v->h == v->kh && v->w == v->kw && plain;
}

static int64_t full_row(const lgi_conv *v) { return v->c * v->kh * v->kw; }

static lgi_product full_product_y(const lgi_conv *v)
{
    int64_t k = full_row(v);
    return (lgi_product){.m = v->n, .n = v->out, .k = k, .lda = k, .ldb = k, .tb = true,
                         .ldc = v->out};
}

static lgi_product full_product_x(const lgi_conv *v)
{
    int64_t row = full_row(v);
    return (lgi_product){.m = v->n, .n = row, .k = v->out, .lda = v->out, .ldb = row,
                         .ldc = row};
}

static lgi_product full_product_w(const lgi_conv *v)
{
    int64_t row = full_row(v);
    return (lgi_product){.m = v->out, .n = row, .k = v->n, .lda = v->out, .ta = true,
                         .ldb = row, .ldc = row};
}

static size_t full_y_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_product p = full_product_y(v);
    return lgi_gemm_scratch(E, &p, NULL);
}

static void full_y(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *w,
                   const lg_real *bias, lg_real *y, void *scratch)
{
    lgi_product p = full_product_y(v);
    p.a = x, p.b = w, p.c = y, p.bias = bias;
    lgi_gemm(E, &p, NULL, scratch);
}

/* A channel's bias is for all its pixels, and a product's for one column each. */
static lg_real *take_full_bias(const lgi_conv *v, lgi_taker *t)
{
    return lgi_take(t, full_row(v), sizeof(lg_real));
}

static size_t full_x_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_product p = full_product_x(v);
    lgi_taker t = {0};
    take_full_bias(v, &t);
    return t.used + lgi_gemm_scratch(E, &p, NULL);
}

static void full_x(lg_engine *E, const lgi_conv *v, const lg_real *y, const lg_real *w,
                   const lg_real *bias, lg_real *x, void *scratch)
{
    lgi_product p = full_product_x(v);
    lgi_taker t = {scratch, 0};
    lg_real *all = take_full_bias(v, &t);
    for (int64_t i = 0; bias && i < p.n; i++)
        all[i] = bias[i / (v->kh * v->kw)];
    p.a = y, p.b = w, p.c = x, p.bias = bias ? all : NULL;
    lgi_gemm(E, &p, NULL, t.base + t.used);
}

static size_t full_w_scratch(lg_engine *E, const lgi_conv *v)
{
    lgi_product p = full_product_w(v);
    return lgi_gemm_scratch(E, &p, NULL);
}

static void full_w(lg_engine *E, const lgi_conv *v, const lg_real *x, const lg_real *y,
                   lg_real *w, void *scratch)
{
    lgi_product p = full_product_w(v);
    p.a = y, p.b = x, p.c = w;
    lgi_gemm(E, &p, NULL, scratch);
}

const lgi_conv_form lgi_full_form = {full_takes, full_y_scratch, full_x_scratch,
                                     full_w_scratch, full_y, full_x, full_w};
