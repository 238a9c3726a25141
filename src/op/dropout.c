/*
 * dropout.c - dropout (Srivastava et al. 2014), inverted: what stays is scaled up, so
 * that nothing is to be done when the net is used.
 */
#include "op/activation.h"

extern const lg_op lgi_op_dropout_back;

typedef struct dropout_attr {
    double p;
    lgi_stream stream;                 /* where shape has reserved numbers, so that */
    uint64_t first;                    /* forward is a function of its node */
} dropout_attr;

static lg_status dropout_shape(lg_engine *E, lgi_node *n)
{
    dropout_attr *t = n->attr;
    int64_t numel = n->in[0]->numel;
    if (lgi_need_number(E, n, "p", t->p, 0, 1) < 0)
        return E->status;
    lgi_like(&n->out[0], n->in[0]);
    lgi_set_shape(&n->out[1], 1, lgi_mask_numel(numel));
    t->stream = lgi_script_stream(E);
    t->first = lgi_draw(E, numel);
    return LG_OK;
}

/* A product with 0, too, so that a NaN stays one. */
static lgi_slopes dropout_slopes(double p)
{
    return (lgi_slopes){.on = p < 1 ? (lg_real)(1 / (1 - p)) : 0};
}

static void dropout_part(const lgi_node *n, int64_t from, int64_t count)
{
    const dropout_attr *t = n->attr;
    double bound = t->p * 0x1p32 < UINT32_MAX ? t->p * 0x1p32 : UINT32_MAX;
    lgi_dropout d = {t->stream, t->first + (uint64_t)from, (uint32_t)bound};
    lgi_mask_at_random(n->out->engine->cpu, dropout_slopes(t->p), d,
                       n->in[0]->data + from, n->out->data + from,
                       n->out[1].data + from / LGI_MASK_BITS, count);
}

const lg_op lgi_op_dropout = {
    .name = "dropout", .args = "x, p: number = 0.5", .results = "y; mask",
    .doc = "Each number of x is 0 with probability p, and else divided by 1 - p "
           "(Srivastava et al. 2014). Draws from the script's random numbers. The result "
           "has the shape of x.",
    .shape = dropout_shape, .forward = lgi_forward_by_parts, .part = dropout_part,
    .grad = lgi_grad_by_back, .back = &lgi_op_dropout_back,
    .needs = LGI_OUT(1), .attr_bytes = sizeof(dropout_attr),
    .onto = true, .once = true,
    .samples = {"2,3", "4,5; p=0.3", "-; p=0", "0,3", "2,1,2,1,2; p=0.5", "2,3; p=1"}};

static lg_status dropout_back_shape(lg_engine *E, lgi_node *n)
{
    const double *p = n->attr;
    if (lgi_need_number(E, n, "p", *p, 0, 1) < 0)
        return E->status;
    return lgi_mask_shape(E, n);
}

static void dropout_back_part(const lgi_node *n, int64_t from, int64_t count)
{
    const double *p = n->attr;
    lgi_apply_mask(n->out->engine->cpu, dropout_slopes(*p),
                   n->in[1]->data + from / LGI_MASK_BITS, n->in[0]->data + from,
                   n->out->data + from, count);
}

static lg_status dropout_back_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                   lg_tensor **g, lg_tensor **out)
{
    if (wanted[0])
        out[0] = lgi_apply2(E, &lgi_op_dropout_back, g[0], n->in[1], n->attr);
    return E->status;
}

const lg_op lgi_op_dropout_back = {
    .name = "dropout_back", .args = "g, mask, p: number = 0.5",
    .doc = "The gradient of dropout: g / (1 - p) where the number has stayed, else 0."
           MASK_DOC,
    .shape = dropout_back_shape, .forward = lgi_forward_by_parts,
    .part = dropout_back_part, .grad = dropout_back_grad, .needs = LGI_IN(1),
    .attr_bytes = sizeof(double), .onto = true, .once = true,
    .samples = {MASK_SAMPLES, "5,7; 3 index<65535; p=0.3"}};

const lg_op *const lgi_ops_dropout[] = {&lgi_op_dropout, &lgi_op_dropout_back, NULL};
