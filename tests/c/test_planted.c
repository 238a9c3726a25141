/*
 * test_planted.c - a test of the test: operators with wrong gradient rules, of every kind
 * that people write, are caught by the checker; and right ones beside them are not.
 */
#include "grad/check.h"
#include "test.h"

#include <math.h>

extern const lg_op lgi_op_mean;


/* forward loops, plain and slow */

static void plain_square(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)E, (void)workspace;
    for (int64_t i = 0; i < n->out->numel; i++)
        n->out->data[i] = n->in[0]->data[i] * n->in[0]->data[i];
}

static void plain_exp(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)E, (void)workspace;
    for (int64_t i = 0; i < n->out->numel; i++)
        n->out->data[i] = (lg_real)exp((double)n->in[0]->data[i]);
}

/* x {r,c} times the row w {c}. */
static void plain_mul_rows(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)E, (void)workspace;
    for (int64_t i = 0; i < n->out->numel; i++)
        n->out->data[i] = n->in[0]->data[i] * n->in[1]->data[i % n->in[1]->numel];
}

static lg_status product_shape(lg_engine *E, lgi_node *n)      /* x: k,k; w: k,k */
{
    (void)E;
    return lgi_like(n->out, n->in[0]);
}

static void plain_product(lg_engine *E, const lgi_node *n, void *workspace)
{
    int64_t k = n->out->dim[0];
    (void)E, (void)workspace;
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < k; j++) {
            lg_real sum = 0;
            for (int64_t m = 0; m < k; m++)
                sum += n->in[0]->data[i * k + m] * n->in[1]->data[m * k + j];
            n->out->data[i * k + j] = sum;
        }
}

/* x minus its mean, times x: the statistic depends on x. */
static void plain_centered(lg_engine *E, const lgi_node *n, void *workspace)
{
    const lg_tensor *x = n->in[0];
    lg_real mean = 0;
    (void)E, (void)workspace;
    for (int64_t i = 0; i < x->numel; i++)
        mean += x->data[i] / (lg_real)x->numel;
    for (int64_t i = 0; i < x->numel; i++)
        n->out->data[i] = x->data[i] * mean;
}

/* rules: each is right but for what its name says */

#define PLANTED_RULE(name, expression)                                         \
    static lg_status name(lg_engine *E, const lgi_node *n, const bool *wanted, \
                          lg_tensor **g, lg_tensor **out)                      \
    {                                                                          \
        lg_tensor *x = n->in[0];                                               \
        (void)x;                                                               \
        if (wanted[0])                                                         \
            out[0] = (expression);                                             \
        return E->status;                                                      \
    }

static lg_tensor *twice(lg_engine *E, lg_tensor *x, double factor)
{
    return lgi_affine(E, x, 2 * factor, 0);
}

PLANTED_RULE(square_right, lgi_mul(E, g[0], twice(E, x, 1)))
PLANTED_RULE(square_sign, lgi_mul(E, g[0], twice(E, x, -1)))
PLANTED_RULE(square_factor, lgi_mul(E, g[0], twice(E, x, 1.001)))
PLANTED_RULE(square_shifted, lgi_mul(E, g[0], lgi_affine(E, x, 2, 1e-5)))
PLANTED_RULE(square_no_cotangent, twice(E, x, 1))
PLANTED_RULE(square_zero, NULL)
/* Right at first order: the factor has lost its history. */
PLANTED_RULE(square_constant, lgi_mul(E, g[0], twice(E, lg_detach(E, x), 1)))
PLANTED_RULE(square_lost_cotangent, lgi_mul(E, lg_detach(E, g[0]), twice(E, x, 1)))
PLANTED_RULE(exp_right, lgi_mul(E, g[0], n->out))
PLANTED_RULE(exp_stale_result, lgi_mul(E, g[0], lg_detach(E, n->out)))

static lg_status product_rule(lg_engine *E, const lgi_node *n, const bool *wanted,
                              lg_tensor **g, lg_tensor **out, bool tx, bool tw)
{
    if (wanted[0])
        out[0] = lgi_matmul(E, g[0], n->in[1], false, tx);
    if (wanted[1])
        out[1] = lgi_matmul(E, n->in[0], g[0], tw, false);
    return E->status;
}

static lg_status product_right(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    return product_rule(E, n, wanted, g, out, true, true);
}

static lg_status product_no_transpose_x(lg_engine *E, const lgi_node *n,
                                        const bool *wanted, lg_tensor **g,
                                        lg_tensor **out)
{
    return product_rule(E, n, wanted, g, out, false, true);
}

static lg_status product_no_transpose_w(lg_engine *E, const lgi_node *n,
                                        const bool *wanted, lg_tensor **g,
                                        lg_tensor **out)
{
    return product_rule(E, n, wanted, g, out, true, false);
}

static lg_status product_swapped(lg_engine *E, const lgi_node *n, const bool *wanted,
                                 lg_tensor **g, lg_tensor **out)
{
    bool other[2] = {wanted[1], wanted[0]};
    lg_tensor *swapped[2] = {0};
    product_rule(E, n, other, g, swapped, true, true);
    out[0] = swapped[1];
    out[1] = swapped[0];
    return E->status;
}

/* The walk sums what is too large. A rule that sums itself may take the mean instead, or
 * another axis. */
static lg_status rows_rule(lg_engine *E, const lgi_node *n, const bool *wanted,
                           lg_tensor **g, lg_tensor **out, int what)
{
    lg_tensor *row = n->in[1];
    if (wanted[0])
        out[0] = lgi_mul(E, g[0], row);
    if (!wanted[1])
        return E->status;
    lg_tensor *all = lgi_mul(E, g[0], n->in[0]);
    lgi_list first = {1, {1}};
    switch (what) {
    case 0: out[1] = all; break;               /* the walk sums it */
    case 1:
        out[1] = all ? lgi_affine(E, lgi_sum_dims(E, all, &first, false),
                                  1.0 / (double)n->out->dim[0], 0) : NULL;
        break;
    default:                                   /* the sum over the other axis */
        out[1] = all ? lgi_sum_dims(E, all, &(lgi_list){1, {2}}, false) : NULL;
    }
    return E->status;
}

static lg_status rows_right(lg_engine *E, const lgi_node *n, const bool *wanted,
                            lg_tensor **g, lg_tensor **out)
{
    return rows_rule(E, n, wanted, g, out, 0);
}

static lg_status rows_no_sum(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    return rows_rule(E, n, wanted, g, out, 1);
}

static lg_status rows_other_axis(lg_engine *E, const lgi_node *n, const bool *wanted,
                                 lg_tensor **g, lg_tensor **out)
{
    return rows_rule(E, n, wanted, g, out, 2);
}

/* y = x mean(x): g mean(x) + mean(g x) */
static lg_status centered_rule(lg_engine *E, const lgi_node *n, lg_tensor **g,
                               lg_tensor **out, bool flows, bool stale)
{
    lg_tensor *x = n->in[0], *mean = lgi_apply1(E, &lgi_op_mean, x, &(int64_t[18]){0});
    if (stale)
        mean = lg_detach(E, mean);             /* kept aside by forward, as it were */
    lg_tensor *through = lgi_mul(E, g[0], x);
    through = lgi_apply1(E, &lgi_op_mean, through, &(int64_t[18]){0});
    out[0] = lgi_mul(E, g[0], mean);
    if (flows)
        out[0] = lgi_add(E, out[0], lgi_expand_to(E, through, x));
    return E->status;
}

static lg_status centered_right(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    return wanted[0] ? centered_rule(E, n, g, out, true, false) : LG_OK;
}

static lg_status centered_constant(lg_engine *E, const lgi_node *n, const bool *wanted,
                                   lg_tensor **g, lg_tensor **out)
{
    return wanted[0] ? centered_rule(E, n, g, out, false, false) : LG_OK;
}

static lg_status centered_stale(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    return wanted[0] ? centered_rule(E, n, g, out, true, true) : LG_OK;
}

typedef struct plant {
    const char *fault;                 /* NULL: there is none */
    int order;                         /* at which it is found */
    void (*forward)(lg_engine *E, const lgi_node *n, void *workspace);
    lgi_grad_rule *rule;
    const char *args, *sample;
    uint32_t needs;
} plant;

#define IN_0 LGI_IN(0)
#define IN_BOTH (LGI_IN(0) | LGI_IN(1))

static const plant plants[] = {
    {NULL, 0, plain_square, square_right, "x", "2,3", IN_0},
    {"the sign", 1, plain_square, square_sign, "x", "2,3", IN_0},
    {"a factor of 1.001", 1, plain_square, square_factor, "x", "2,3", IN_0},
    {"a term of 1e-5", 1, plain_square, square_shifted, "x", "2,3", IN_0},
    {"no cotangent", 1, plain_square, square_no_cotangent, "x", "2,3", IN_0},
    {"zero", 1, plain_square, square_zero, "x", "2,3", IN_0},
    {"LG_ZERO of what has a slope", 1, plain_square, LG_ZERO, "x", "2,3", IN_0},
    {"a factor that is a constant", 2, plain_square, square_constant, "x", "2,3", IN_0},
    {"a cotangent without history", 2, plain_square, square_lost_cotangent, "x", "2,3",
     IN_0},
    {NULL, 0, plain_exp, exp_right, "x", "3", LGI_OUT(0)},
    {"a result that is a constant", 2, plain_exp, exp_stale_result, "x", "3", LGI_OUT(0)},
    {NULL, 0, plain_product, product_right, "x, w", "3,3; 3,3", IN_BOTH},
    {"no transpose of w", 1, plain_product, product_no_transpose_x, "x, w", "3,3; 3,3",
     IN_BOTH},
    {"no transpose of x", 1, plain_product, product_no_transpose_w, "x, w", "3,3; 3,3",
     IN_BOTH},
    {"gradients of each other", 1, plain_product, product_swapped, "x, w", "3,3; 3,3",
     IN_BOTH},
    {NULL, 0, plain_mul_rows, rows_right, "x, w", "3,3; 3", IN_BOTH},
    {"no sum over what was broadcast", 1, plain_mul_rows, rows_no_sum, "x, w", "3,3; 3",
     IN_BOTH},
    {"the sum over another axis", 1, plain_mul_rows, rows_other_axis, "x, w", "3,3; 3",
     IN_BOTH},
    {NULL, 0, plain_centered, centered_right, "x", "4", IN_0},
    {"a statistic that is a constant", 1, plain_centered, centered_constant, "x", "4",
     IN_0},
    {"a statistic without history", 2, plain_centered, centered_stale, "x", "4", IN_0},
};

/* The errors that the checker finds, at first order over all subsets of inputs. */
static void measure_plant(lg_engine *E, const plant *p, double *first, double *second)
{
    lg_op op = {.name = "planted", .args = p->args, .doc = "A planted operator.",
                .shape = product_shape, .forward = p->forward, .grad = p->rule,
                .needs = p->needs, .samples = {p->sample}};
    lgi_sample s;
    char where[256] = "";
    *first = *second = 0;
    if (!check(lgi_make_sample(E, &op, p->sample, &s) == LG_OK, "%s", lg_message(E)))
        return;
    for (uint32_t tracked = 1; tracked < 1u << s.nin; tracked++) {
        double worst = 0;
        lgi_check_first(E, &s, tracked, &worst, where);
        *first = worst > *first ? worst : *first;
    }
    lgi_check_second(E, &s, second, where);
    check(E->status == LG_OK, "%s: %s", p->fault ? p->fault : "right", lg_message(E));
    lg_clear(E);
}

int main(void)
{
    lg_engine *E;
    if (sizeof(lg_real) < 8) {
        printf("skipped: gradients are checked in double\n"
               "0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    if (lg_open(&E, NULL) != LG_OK)
        return 1;
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        const plant *p = &plants[i];
        double first, second;
        int scope = lg_open_scope(E);
        measure_plant(E, p, &first, &second);
        bool fails_first = !(first <= 1e-8), fails_second = !(second <= 1e-7);
        if (!p->fault)
            check(!fails_first && !fails_second, "a right rule is refused: %g, %g", first,
                  second);
        else if (p->order == 1)
            check(fails_first, "not found: %s (error %g)", p->fault, first);
        else
            check(!fails_first && fails_second, "not found at second order alone: %s "
                  "(errors %g, %g)", p->fault, first, second);
        lg_close_scope(E, scope);
    }
    check(lg_close(E) == 0, "memory is left");
    return report();
}
