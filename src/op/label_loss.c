/*
 * label_loss.c - losses of scores for classes, compared with the label of each item.
 *
 * x is {n,c,...} with the classes at axis 2, or {c}; an item is what one place has for
 * all classes. With P = w t, where t is 1 at an item's label and else 0, or the
 * probabilities that are given, and scores s (x itself, or its log_softmax), an item's
 * loss is -sum(P s). As in PyTorch the mean of labels is weighted, divided by the sum of
 * P, and that of probabilities is divided by the number of items.
 */
#include "base/pool.h"
#include "kernel/softmax.h"
#include "op/op.h"

#include <math.h>

extern const lg_op lgi_op_softmax, lgi_op_log_softmax;

enum { ITEMS_MEAN, ITEMS_SUM, ITEMS_NONE };    /* as in the words of reduction */
enum { ITEMS_A_PIECE = 1 << 11 };

typedef struct label_attr {
    int64_t reduction;
    int64_t axis;                      /* of the classes, from 1; these from shape */
    int64_t outer, classes, inner;
    int64_t mixed;                     /* target has probabilities */
} label_attr;

static int64_t item_count(const label_attr *v) { return v->outer * v->inner; }

static lg_status label_misfit(lg_engine *E, const lgi_node *n, const lg_tensor *items,
                              bool may_be_mixed)
{
    return lgi_fail(E, LG_ESHAPE, "%s: target is %s, and must be %s, a label for each "
                    "item of x %s%s", n->op->name, LGI_SHAPE(n->in[1]), LGI_SHAPE(items),
                    LGI_SHAPE(n->in[0]), may_be_mixed ? ", or have probabilities and "
                    "the shape of x" : "");
}

/* Labels are whole numbers from 1. */
static lg_status check_labels(lg_engine *E, const lgi_node *n)
{
    const label_attr *v = n->attr;
    const lg_tensor *t = n->in[1];
    for (int64_t i = 0; i < t->numel; i++) {
        double label = (double)t->data[i];
        if (!(label >= 1 && label <= (double)v->classes && label == floor(label)))
            return lgi_fail(E, LG_EARG, "%s: element %lld of target is %g, and labels "
                            "are whole numbers from 1 to %lld, the classes (axis %lld) "
                            "of x %s", n->op->name, (long long)i + 1, label,
                            (long long)v->classes, (long long)v->axis,
                            LGI_SHAPE(n->in[0]));
    }
    return LG_OK;
}

static lg_status label_loss_shape(lg_engine *E, lgi_node *n, bool may_be_mixed)
{
    label_attr *v = n->attr;
    const lg_tensor *x = n->in[0], *w = n->in[2];
    lg_tensor items = {.ndim = x->ndim - 1};
    if (x->ndim == 0)
        return lgi_fail(E, LG_ESHAPE, "%s: x must have the axes n, c and maybe more, or "
                        "c alone, and has none", n->op->name);
    int axis = x->ndim == 1 ? 0 : 1;
    v->axis = axis + 1;
    v->classes = x->dim[axis];
    v->outer = lgi_product_of(x->dim, axis);
    v->inner = lgi_product_of(x->dim + axis + 1, x->ndim - axis - 1);
    for (int i = 0; i < items.ndim; i++)
        items.dim[i] = x->dim[i < axis ? i : i + 1];
    v->mixed = may_be_mixed && lgi_same_dims(n->in[1], x);
    if (!v->mixed && !lgi_same_dims(n->in[1], &items))
        return label_misfit(E, n, &items, may_be_mixed);
    if (w && (w->ndim != 1 || w->dim[0] != v->classes))
        return lgi_fail(E, LG_ESHAPE, "%s: weight must be {%lld}, a number for each "
                        "class (axis %lld) of x %s, and is %s", n->op->name,
                        (long long)v->classes, (long long)v->axis, LGI_SHAPE(x),
                        LGI_SHAPE(w));
    if (!v->mixed && check_labels(E, n) < 0)
        return E->status;
    return v->reduction == ITEMS_NONE ? lgi_set_dims(n->out, items.ndim, items.dim)
                                      : lgi_set_dims(n->out, 0, NULL);
}

static lg_status cross_entropy_shape(lg_engine *E, lgi_node *n)
{
    return label_loss_shape(E, n, true);
}

static lg_status nll_shape(lg_engine *E, lgi_node *n)
{
    return label_loss_shape(E, n, false);
}

typedef struct label_job {
    const label_attr *v;
    const lg_real *score, *target, *weight;
    lg_real *to;                       /* NULL: their sums are wanted */
    double *partial;                   /* for each piece, of losses and of weights */
} label_job;

static double item_loss(const label_job *j, int64_t item, double *weights)
{
    const label_attr *v = j->v;
    int64_t at = item / v->inner * v->classes * v->inner + item % v->inner;
    double loss = 0;
    if (!v->mixed) {
        int64_t label = (int64_t)j->target[item] - 1;
        double w = j->weight ? (double)j->weight[label] : 1;
        *weights += w;
        return -w * (double)j->score[at + label * v->inner];
    }
    for (int64_t k = 0; k < v->classes; k++, at += v->inner) {
        double w = j->weight ? (double)j->weight[k] : 1;
        loss -= w * (double)j->target[at] * (double)j->score[at];
    }
    *weights += 1;
    return loss;
}

static void label_piece(void *job, int64_t piece, int worker)
{
    const label_job *j = job;
    int64_t from = piece * ITEMS_A_PIECE, items = item_count(j->v);
    int64_t end = from + ITEMS_A_PIECE < items ? from + ITEMS_A_PIECE : items;
    double sum = 0, weights = 0;
    (void)worker;
    for (int64_t i = from; i < end; i++) {
        double loss = item_loss(j, i, &weights);
        if (j->to)
            j->to[i] = (lg_real)loss;
        sum += loss;
    }
    j->partial[2 * piece] = sum;
    j->partial[2 * piece + 1] = weights;
}

static int64_t label_pieces(const label_attr *v)
{
    return (item_count(v) + ITEMS_A_PIECE - 1) / ITEMS_A_PIECE;
}

static size_t nll_workspace(lg_engine *E, const lgi_node *n)
{
    (void)E;
    return (size_t)(2 * label_pieces(n->attr)) * sizeof(double);
}

static size_t cross_entropy_workspace(lg_engine *E, const lgi_node *n)
{
    return nll_workspace(E, n) + (size_t)n->in[0]->numel * sizeof(lg_real);
}

static void compute_label_loss(lg_engine *E, const lgi_node *n, const lg_real *score,
                               double *partial)
{
    const label_attr *v = n->attr;
    bool each = v->reduction == ITEMS_NONE;
    label_job j = {.v = v, .score = score, .target = n->in[1]->data, .partial = partial,
                   .weight = n->in[2] ? n->in[2]->data : NULL,
                   .to = each ? n->out->data : NULL};
    double sum = 0, weights = 0;
    for (int64_t i = 0; i < 2 * label_pieces(v); i++)
        partial[i] = 0;                /* if interrupted */
    lgi_parallel(E, label_pieces(v), label_piece, &j);
    if (each)
        return;
    for (int64_t i = 0; i < label_pieces(v); i++) {
        sum += partial[2 * i];
        weights += partial[2 * i + 1];
    }
    n->out->data[0] = (lg_real)(v->reduction == ITEMS_MEAN ? sum / weights : sum);
}

static void nll_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    compute_label_loss(E, n, n->in[0]->data, workspace);
}

static void cross_entropy_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    const label_attr *v = n->attr;
    double *partial = workspace;
    lg_real *score = (lg_real *)(partial + 2 * label_pieces(v));
    if (n->in[0]->numel)
        lgi_softmax(E, LGI_LOG_SOFTMAX, n->in[0]->data, score, v->outer, v->classes,
                    v->inner);
    compute_label_loss(E, n, score, partial);
}

/* The rules */

typedef struct label_rule {
    lg_tensor *t, *P;                  /* of the shape of x */
    lg_tensor *G;                      /* for each item, or for all: g, divided */
    bool weighed;                      /* by the sum of P, which weights change */
} label_rule;

/* x with 1 for each axis but that of the classes, or for that one alone */
static lg_tensor class_dims(const lgi_node *n, bool classes)
{
    const label_attr *v = n->attr;
    lg_tensor like = {.ndim = n->in[0]->ndim};
    for (int i = 0; i < like.ndim; i++)
        like.dim[i] = (i == v->axis - 1) == classes ? n->in[0]->dim[i] : 1;
    return like;
}

/* 1 at each label. Labels have no gradient, so that this needs none. */
static lg_tensor *labels_as_numbers(lg_engine *E, const lgi_node *n)
{
    const label_attr *v = n->attr;
    lg_tensor *t = lg_zeros(E, n->in[0]->ndim, n->in[0]->dim);
    for (int64_t i = 0; t && i < item_count(v); i++) {
        int64_t label = (int64_t)n->in[1]->data[i] - 1;
        t->data[(i / v->inner * v->classes + label) * v->inner + i % v->inner] = 1;
    }
    return t;
}

static label_rule begin_label_rule(lg_engine *E, const lgi_node *n, lg_tensor *g)
{
    const label_attr *v = n->attr;
    lg_tensor *w = n->in[2], like = class_dims(n, true), each = class_dims(n, false);
    label_rule r = {.t = v->mixed ? n->in[1] : labels_as_numbers(E, n)};
    r.P = w ? lgi_mul(E, r.t, lgi_reshape_to(E, w, &like)) : r.t;
    r.weighed = w && !v->mixed && v->reduction == ITEMS_MEAN;
    if (v->reduction == ITEMS_NONE)
        r.G = lgi_reshape_to(E, g, &each);
    else if (r.weighed)
        r.G = lgi_div(E, g, r.P ? lgi_sum_dims(E, r.P, &(lgi_list){0}, false) : NULL);
    else
        r.G = lgi_affine(E, g, v->reduction == ITEMS_SUM ? 1 : 1 / (double)item_count(v),
                         0);
    return r;
}

/* By P it is -G s; where G was divided by the sum of P, -G (s + loss). */
static lg_status labels_by_P(lg_engine *E, const lgi_node *n, const label_rule *r,
                             lg_tensor *score, const bool *wanted, lg_tensor **out)
{
    const label_attr *v = n->attr;
    lg_tensor *w = n->in[2], like = class_dims(n, true);
    if (r->weighed)
        score = lgi_add(E, score, n->out);
    lg_tensor *by_P = lgi_neg(E, lgi_mul(E, r->G, score));
    if (wanted[1] && v->mixed)
        out[1] = w ? lgi_mul(E, by_P, lgi_reshape_to(E, w, &like)) : by_P;
    if (wanted[2]) {
        lg_tensor *by_w = lgi_sum_to(E, lgi_mul(E, by_P, r->t), &like);
        out[2] = lgi_reshape_to(E, by_w, w);
    }
    return E->status;
}

static lg_status nll_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                          lg_tensor **g, lg_tensor **out)
{
    label_rule r = begin_label_rule(E, n, g[0]);
    if (wanted[0])
        out[0] = lgi_neg(E, lgi_mul(E, r.G, r.P));
    return wanted[2] ? labels_by_P(E, n, &r, n->in[0], wanted, out) : E->status;
}

/* By x it is G (softmax(x) sum(P) - P), the sum over the classes of an item. */
static lg_status cross_entropy_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                    lg_tensor **g, lg_tensor **out)
{
    const label_attr *v = n->attr;
    const lgi_list classes = {.n = 1, .at = {v->axis}};
    lg_tensor *x = n->in[0];
    label_rule r = begin_label_rule(E, n, g[0]);
    if (wanted[0]) {
        lg_tensor *s = lgi_apply1(E, &lgi_op_softmax, x, &v->axis);
        if (r.P && (n->in[2] || v->mixed))
            s = lgi_mul(E, s, lgi_sum_dims(E, r.P, &classes, true));
        out[0] = lgi_mul(E, r.G, lgi_sub(E, s, r.P));
    }
    if (!wanted[1] && !wanted[2])
        return E->status;
    lg_tensor *score = lgi_apply1(E, &lgi_op_log_softmax, x, &v->axis);
    return labels_by_P(E, n, &r, score, wanted, out);
}

#define LABEL_ARGS "x, target, weight?, reduction: mean|sum|none = mean"
#define LABEL_DOC " weight {c} multiplies the losses of each class. The result is the " \
    "mean or the sum of all, without axes, or with reduction none the loss of each item."
#define LABEL_NEEDS (LGI_IN(0) | LGI_IN(1) | LGI_IN(2) | LGI_OUT(0))

const lg_op lgi_op_cross_entropy = {
    .name = "cross_entropy", .args = LABEL_ARGS,
    .doc = "-log(softmax(x)) of the right class, where x {n,c,...} or {c} has a score "
           "for each of c classes. target has a label from 1 to c for each item, the "
           "shape of x without axis 2; or probabilities, and the shape of x. The mean of "
           "labels is weighted, too." LABEL_DOC,
    .shape = cross_entropy_shape, .workspace = cross_entropy_workspace,
    .forward = cross_entropy_forward, .grad = cross_entropy_grad, .needs = LABEL_NEEDS,
    .attr_bytes = sizeof(label_attr),
    .samples = {"2,3; 2 index<3", "4,3; 4 index<3; 3 positive",
                "2,3; 2,3 probability; 3 positive; reduction=sum",
                "2,3,2; 2,2 index<3; none; reduction=none", "3; - index<3",
                "0,3; 0 index<3; 3; reduction=sum",
                "2,3,1,2,1; 2,1,2,1 index<3; 3 positive; reduction=none",
                "2,3,1; 2,3,1 probability"}};

const lg_op lgi_op_nll = {
    .name = "nll", .args = LABEL_ARGS,
    .doc = "-x of the right class, where x {n,c,...} or {c} has a log-probability for "
           "each of c classes, as log_softmax gives them. target has a label from 1 to c "
           "for each item, the shape of x without axis 2. The mean is weighted, too."
           LABEL_DOC,
    .shape = nll_shape, .workspace = nll_workspace, .forward = nll_forward,
    .grad = nll_grad, .needs = LABEL_NEEDS, .attr_bytes = sizeof(label_attr),
    .samples = {"2,3; 2 index<3", "4,3; 4 index<3; 3 positive",
                "2,3; 2 index<3; 3 positive; reduction=sum",
                "2,3,2; 2,2 index<3; none; reduction=none", "3; - index<3",
                "0,3; 0 index<3; 3; reduction=sum",
                "2,3,1,2,1; 2,1,2,1 index<3; 3 positive; reduction=none"}};

const lg_op *const lgi_ops_label_loss[] = {&lgi_op_cross_entropy, &lgi_op_nll, NULL};
