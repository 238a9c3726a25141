/*
 * recurrent.c - what the cells of recurrent nets compute after their matrix products.
 *
 * The gates lie side by side in a row, in PyTorch's order. The rules compute them anew
 * from the sums that were kept, by operators, so that nothing is constant to a second
 * gradient.
 */
#include "base/pool.h"
#include "kernel/vector.h"
#include "op/op.h"

extern const lg_op lgi_op_sigmoid, lgi_op_sigmoid_back, lgi_op_tanh, lgi_op_tanh_back;
extern const lg_op lgi_op_narrow, lgi_op_cat, lgi_op_gru_cell, lgi_op_lstm_cell;

enum { CELL_PIECE = 2048 };            /* results a piece, about */

/* Computes row i of the results. */
typedef void cell_row(lg_engine *E, const lgi_node *n, int64_t i);

typedef struct cell_job {
    lg_engine *E;
    const lgi_node *n;
    cell_row *row;
    int64_t rows, per_piece;
} cell_job;

static void cell_piece(void *job, int64_t piece, int worker)
{
    const cell_job *j = job;
    int64_t first = piece * j->per_piece, end = first + j->per_piece;
    (void)worker;
    for (int64_t i = first; i < end && i < j->rows; i++)
        j->row(j->E, j->n, i);
}

static void run_cell(lg_engine *E, const lgi_node *n, cell_row *row)
{
    int64_t rows = n->out->dim[0], width = n->out->dim[1];
    int64_t per = width < CELL_PIECE ? CELL_PIECE / (width ? width : 1) : 1;
    cell_job j = {E, n, row, rows, per};
    if (n->out->numel)
        lgi_parallel(E, (rows + per - 1) / per, cell_piece, &j);
}

/* The state, input i, is {n,hidden}, and the inputs before it {n,gates*hidden}. */
static lg_status check_cell(lg_engine *E, const lgi_node *n, int state, int64_t gates)
{
    const lg_tensor *h = n->in[state];
    char name[16];
    if (lgi_need_ndim(E, n, state, 2, "n,hidden") < 0)
        return E->status;
    lg_tensor like = {.ndim = 2, .dim = {h->dim[0], gates * h->dim[1]}};
    for (int i = 0; i < state; i++)
        if (!lgi_same_dims(n->in[i], &like))
            return lgi_fail(E, LG_ESHAPE, "%s: %s must be %s, %lld numbers for each of "
                            "the state %s, and is %s", n->op->name,
                            lgi_input_name(n, i, name), LGI_SHAPE(&like),
                            (long long)gates, LGI_SHAPE(h), LGI_SHAPE(n->in[i]));
    return LG_OK;
}

/* for rules: gate k of x {n,gates*hidden}, counted from 0 */
static lg_tensor *gate(lg_engine *E, lg_tensor *x, int64_t k, int64_t hidden)
{
    return lgi_apply1(E, &lgi_op_narrow, x, (int64_t[]){2, k * hidden + 1, hidden});
}

static lg_tensor *side_by_side(lg_engine *E, int k, lg_tensor *const *x)
{
    for (int i = 0; i < k; i++)
        if (!x[i])
            return NULL;
    return lgi_apply(E, &lgi_op_cat, k, x, (int64_t[]){2});
}

static lg_tensor *cell_sigmoid(lg_engine *E, lg_tensor *x)
{
    return lgi_apply1(E, &lgi_op_sigmoid, x, NULL);
}

static lg_tensor *cell_tanh(lg_engine *E, lg_tensor *x)
{
    return lgi_apply1(E, &lgi_op_tanh, x, NULL);
}

static lg_tensor *sigmoid_back(lg_engine *E, lg_tensor *g, lg_tensor *y)
{
    return lgi_apply2(E, &lgi_op_sigmoid_back, g, y, NULL);
}

static lg_tensor *tanh_back(lg_engine *E, lg_tensor *g, lg_tensor *y)
{
    return lgi_apply2(E, &lgi_op_tanh_back, g, y, NULL);
}

/* lstm_cell */

/* c = sigmoid(f) c + sigmoid(i) tanh(g) */
LGI_ALWAYS_INLINE void lstm_state_any(LGI_LOOP_ARGS)
{
    const lg_real *i = from[0], *f = from[1], *g = from[2], *c = from[3];
    (void)step, (void)params;
    for (int64_t k = 0; k < n; k++)
        to[k] = lgi_sigmoid(f[k]) * c[k] + lgi_sigmoid(i[k]) * lgi_tanh(g[k]);
}
LGI_LOOP(lstm_state)
LGI_WIDE(lstm_state)

/* h = sigmoid(o) tanh(c) */
LGI_ALWAYS_INLINE void lstm_output_any(LGI_LOOP_ARGS)
{
    const lg_real *o = from[0], *c = from[1];
    (void)step, (void)params;
    for (int64_t k = 0; k < n; k++)
        to[k] = lgi_sigmoid(o[k]) * lgi_tanh(c[k]);
}
LGI_LOOP(lstm_output)
LGI_WIDE(lstm_output)

static lg_status lstm_cell_shape(lg_engine *E, lgi_node *n)
{
    if (check_cell(E, n, 1, 4) < 0 || lgi_like(&n->out[0], n->in[1]) < 0)
        return E->status;
    return lgi_like(&n->out[1], n->in[1]);
}

static void lstm_row(lg_engine *E, const lgi_node *n, int64_t row)
{
    int64_t hidden = n->out->dim[1], at = row * hidden;
    const lg_real *gates = n->in[0]->data + 4 * at;
    lg_real *h = n->out[0].data + at, *c = n->out[1].data + at;
    const lg_real *from[] = {gates, gates + hidden, gates + 2 * hidden,
                             n->in[1]->data + at};
    LGI_WIDEST(E, lstm_state)(c, from, NULL, hidden, NULL);
    LGI_WIDEST(E, lstm_output)(h, (const lg_real *[]){gates + 3 * hidden, c}, NULL,
                               hidden, NULL);
}

static void lstm_cell_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    run_cell(E, n, lstm_row);
}

static lg_status lstm_cell_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                                lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *was = n->in[1];                          /* n,hidden */
    int64_t hidden = was->dim[1];
    lg_tensor *i = cell_sigmoid(E, gate(E, x, 0, hidden));
    lg_tensor *f = cell_sigmoid(E, gate(E, x, 1, hidden));
    lg_tensor *new = cell_tanh(E, gate(E, x, 2, hidden));
    lg_tensor *o = cell_sigmoid(E, gate(E, x, 3, hidden));
    lg_tensor *seen = cell_tanh(E, &n->out[1]), *gc = g[1], *go = NULL;
    if (g[0]) {
        lg_tensor *by_h = tanh_back(E, lgi_mul(E, g[0], o), seen);
        gc = gc ? lgi_add(E, gc, by_h) : by_h;
        go = sigmoid_back(E, lgi_mul(E, g[0], seen), o);
    }
    if (wanted[1])
        out[1] = lgi_mul(E, gc, f);
    if (wanted[0])
        out[0] = side_by_side(E, 4, (lg_tensor *[]){
            sigmoid_back(E, lgi_mul(E, gc, new), i),
            sigmoid_back(E, lgi_mul(E, gc, was), f),
            tanh_back(E, lgi_mul(E, gc, i), new), go ? go : lgi_affine(E, o, 0, 0)});
    return E->status;
}

const lg_op lgi_op_lstm_cell = {
    .name = "lstm_cell", .args = "gates, cell", .results = "h, c",
    .doc = "A step of long short-term memory (Hochreiter and Schmidhuber 1997), after "
           "its products: gates {n,4*hidden} has the sums of i, f, g, o side by side, "
           "cell {n,hidden} is the state so far. c = sigmoid(f) cell + sigmoid(i) "
           "tanh(g), h = sigmoid(o) tanh(c), both {n,hidden}.",
    .shape = lstm_cell_shape, .forward = lstm_cell_forward, .grad = lstm_cell_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_OUT(1),
    .samples = {"2,12; 2,3", "1,4; 1,1", "3,8; 3,2", "0,8; 0,2", "2,0; 2,0"}};

/* gru_cell */

/* r = sigmoid(.), z = sigmoid(.), new = tanh(x + r h): z h + (1 - z) new */
LGI_ALWAYS_INLINE void gru_any(LGI_LOOP_ARGS)
{
    const lg_real *xr = from[0], *xz = from[1], *xn = from[2];
    const lg_real *hr = from[3], *hz = from[4], *hn = from[5], *h = from[6];
    (void)step, (void)params;
    for (int64_t k = 0; k < n; k++) {
        lg_real r = lgi_sigmoid(xr[k] + hr[k]), z = lgi_sigmoid(xz[k] + hz[k]);
        lg_real new = lgi_tanh(xn[k] + r * hn[k]);
        to[k] = new + z * (h[k] - new);
    }
}
LGI_LOOP(gru)
LGI_WIDE(gru)

static lg_status gru_cell_shape(lg_engine *E, lgi_node *n)
{
    return check_cell(E, n, 2, 3) < 0 ? E->status : lgi_like(n->out, n->in[2]);
}

static void gru_row(lg_engine *E, const lgi_node *n, int64_t row)
{
    int64_t hidden = n->out->dim[1], at = row * hidden;
    const lg_real *x = n->in[0]->data + 3 * at, *h = n->in[1]->data + 3 * at;
    const lg_real *from[] = {x, x + hidden, x + 2 * hidden, h, h + hidden,
                             h + 2 * hidden, n->in[2]->data + at};
    LGI_WIDEST(E, gru)(n->out->data + at, from, NULL, hidden, NULL);
}

static void gru_cell_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    (void)workspace;
    run_cell(E, n, gru_row);
}

static lg_status gru_cell_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                               lg_tensor **g, lg_tensor **out)
{
    lg_tensor *x = n->in[0], *y = n->in[1], *h = n->in[2];             /* h: n,hidden */
    int64_t hidden = h->dim[1];
    lg_tensor *yn = gate(E, y, 2, hidden);
    lg_tensor *r = cell_sigmoid(E, lgi_add(E, gate(E, x, 0, hidden),
                                           gate(E, y, 0, hidden)));
    lg_tensor *z = cell_sigmoid(E, lgi_add(E, gate(E, x, 1, hidden),
                                           gate(E, y, 1, hidden)));
    lg_tensor *new = cell_tanh(E, lgi_add(E, gate(E, x, 2, hidden), lgi_mul(E, r, yn)));
    if (wanted[2])
        out[2] = lgi_mul(E, g[0], z);
    if (!wanted[0] && !wanted[1])
        return E->status;
    lg_tensor *gn = tanh_back(E, lgi_mul(E, g[0], lgi_affine(E, z, -1, 1)), new);
    lg_tensor *gz = sigmoid_back(E, lgi_mul(E, g[0], lgi_sub(E, h, new)), z);
    lg_tensor *gr = sigmoid_back(E, lgi_mul(E, gn, yn), r);
    if (wanted[0])
        out[0] = side_by_side(E, 3, (lg_tensor *[]){gr, gz, gn});
    if (wanted[1])
        out[1] = side_by_side(E, 3, (lg_tensor *[]){gr, gz, lgi_mul(E, gn, r)});
    return E->status;
}

const lg_op lgi_op_gru_cell = {
    .name = "gru_cell", .args = "gates_x, gates_h, h",
    .doc = "A step of a gated recurrent unit (Cho et al. 2014), after its products: "
           "gates_x and gates_h {n,3*hidden} have the sums of r, z, n side by side, by "
           "the input and by the state h {n,hidden}. r and z are the sigmoids of both "
           "sums together, n is tanh(its gates_x + r * its gates_h), as in PyTorch; the "
           "result is (1 - z) n + z h, {n,hidden}.",
    .shape = gru_cell_shape, .forward = gru_cell_forward, .grad = gru_cell_grad,
    .needs = LGI_IN(0) | LGI_IN(1) | LGI_IN(2),
    .samples = {"2,9; 2,9; 2,3", "1,3; 1,3; 1,1", "3,6; 3,6; 3,2", "0,6; 0,6; 0,2",
                "2,0; 2,0; 2,0"}};

const lg_op *const lgi_ops_recurrent[] = {&lgi_op_lstm_cell, &lgi_op_gru_cell, NULL};
