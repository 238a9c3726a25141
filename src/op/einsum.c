/*
 * einsum.c - sums of products, by an equation: "bij,bjk->bik".
 *
 * The equation is made plain first: the result's letters written out, and each axis under
 * '...' given a letter of its own, a code below ' '. kernel/contract.c does the rest. The
 * gradient for an operand is einsum again, with the gradient of the result in its place
 * and its letters as the result.
 */
#include "kernel/contract.h"
#include "op/op.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

extern const lg_op lgi_op_einsum, lgi_op_reshape;

enum { FIRST_CODE = 1, LAST_CODE = 8 };        /* of axes under '...', the last 8 */

typedef struct einsum_attr {
    lgi_text equation;
    lgi_text plain;                    /* from shape */
} einsum_attr;

/* Letters of term i, up to ',' or '-'; i = nin is the result. */
static const char *plain_term(const lgi_node *n, int i, int *length)
{
    const einsum_attr *t = n->attr;
    const char *s = t->plain.s;
    if (i == n->nin)
        s = strchr(s, '>') + 1;
    else
        for (; i > 0; i--)
            s = strchr(s, ',') + 1;
    *length = (int)strcspn(s, ",-");
    return s;
}

/* The equation, made plain */

typedef struct einsum_text { char s[LGI_MAX_TEXT + 1]; int n; bool full; } einsum_text;

static void put_letter(einsum_text *t, char c)
{
    t->full |= t->n == LGI_MAX_TEXT;
    if (!t->full)
        t->s[t->n++] = c;
    t->s[t->n] = 0;
}

static void put_codes(einsum_text *t, int count)
{
    for (int c = LAST_CODE - count + 1; c <= LAST_CODE; c++)
        put_letter(t, (char)c);
}

static bool is_letter(char c)
{
    return isalpha((unsigned char)c) || (c >= FIRST_CODE && c <= LAST_CODE);
}

/* Without blanks, and without the braces that keep commas together in text. */
static void strip_equation(const char *from, einsum_text *to)
{
    *to = (einsum_text){.n = 0};
    for (; *from; from++)
        if (*from != ' ' && *from != '{' && *from != '}')
            put_letter(to, *from);
}

static lg_status wrong_equation(lg_engine *E, const lgi_node *n, const char *why)
{
    const einsum_attr *t = n->attr;
    return lgi_fail(E, LG_EARG, "%s: the equation '%s' %s; it is letters, a comma "
                    "between operands, and '->' before the result, as in 'ij,jk->ik'",
                    n->op->name, t->equation.s, why);
}

/* Reads the letters of one operand, or of the result if x is NULL, whose '...' then
 * stands for `under` axes. Returns what follows, or NULL after a failure. */
static const char *read_term(lg_engine *E, const lgi_node *n, const char *s, int i,
                             int *under, einsum_text *plain)
{
    const lg_tensor *x = i < n->nin ? n->in[i] : NULL;
    const char *begin = s;
    int letters = 0, dots = 0;
    for (; *s && *s != ',' && *s != '-'; s++)
        if (is_letter(*s))
            letters++;
        else if (strncmp(s, "...", 3) == 0 && dots++ == 0)
            s += 2;
        else {
            wrong_equation(E, n, "is not understood");
            return NULL;
        }
    if (x && (dots ? letters > x->ndim : letters != x->ndim)) {
        lgi_fail(E, LG_ESHAPE, "%s: x[%d] is %s, %d axes, which '%.*s' names %d of; each "
                 "axis needs a letter, or '...' for several", n->op->name, i + 1,
                 LGI_SHAPE(x), x->ndim, (int)(s - begin), begin, letters);
        return NULL;
    }
    int codes = x ? x->ndim - letters : *under;
    if (x && codes > *under)
        *under = codes;
    for (; begin < s; begin++)
        if (*begin == '.') {
            put_codes(plain, codes);
            begin += 2;
        } else
            put_letter(plain, *begin);
    return s;
}

/* Without '->' the result is '...', and then what occurs once, in alphabetical order. */
static void put_result(einsum_text *plain, int under)
{
    int length = plain->n;
    put_letter(plain, '-');
    put_letter(plain, '>');
    put_codes(plain, under);
    for (char c = 'A'; c <= 'z'; c++) {
        const char *first = isalpha((unsigned char)c)
                                ? memchr(plain->s, c, (size_t)length) : NULL;
        if (first && !lgi_has_letter(first + 1, length - (int)(first + 1 - plain->s), c))
            put_letter(plain, c);
    }
}

static lg_status make_plain(lg_engine *E, lgi_node *n)
{
    einsum_attr *t = n->attr;
    einsum_text stripped, plain = {.n = 0};
    int under = 0;
    strip_equation(t->equation.s, &stripped);
    const char *s = stripped.s;
    for (int i = 0; i < n->nin; i++) {
        s = read_term(E, n, s, i, &under, &plain);
        if (!s)
            return E->status;
        bool last = i == n->nin - 1;
        if ((*s == ',') == last)
            return lgi_fail(E, LG_EARG, "%s: the equation '%s' has %s operands than the "
                            "list, which has %d", n->op->name, t->equation.s,
                            last ? "more" : "fewer", n->nin);
        if (!last)
            put_letter(&plain, *s++);
    }
    if (*s == 0)
        put_result(&plain, under);
    else if (strncmp(s, "->", 2) != 0)
        return wrong_equation(E, n, "is not understood");
    else {
        put_letter(&plain, '-');
        put_letter(&plain, '>');
        s = read_term(E, n, s + 2, n->nin, &under, &plain);
        if (!s || *s)
            return s ? wrong_equation(E, n, "is not understood") : E->status;
    }
    memcpy(t->plain.s, plain.s, sizeof t->plain.s);
    return plain.full ? wrong_equation(E, n, "has more than 63 letters") : LG_OK;
}

/* Sizes */

/* The size of a letter: that of its axes, or 1 if all are. first: who says so. */
static int64_t letter_size(const lgi_node *n, char c, int *first)
{
    int64_t size = -1;
    for (int i = 0; i < n->nin; i++) {
        int length;
        const char *s = plain_term(n, i, &length);
        for (int k = 0; k < length; k++)
            if (s[k] == c && (size < 0 || size == 1)) {
                size = n->in[i]->dim[k];
                *first = i;
            }
    }
    return size;
}

static lg_status check_letter_sizes(lg_engine *E, const lgi_node *n, int i)
{
    const lg_tensor *x = n->in[i];
    int length, first = 0;
    const char *s = plain_term(n, i, &length);
    for (int k = 0; k < length; k++) {
        int64_t size = letter_size(n, s[k], &first);
        const char *before = memchr(s, s[k], (size_t)k);
        const char name[2] = {s[k] > LAST_CODE ? s[k] : '.', 0};
        if (before && x->dim[before - s] != x->dim[k])
            return lgi_fail(E, LG_ESHAPE, "%s: '%s' is twice in the letters of x[%d], "
                            "which is %s; a diagonal needs equal sizes", n->op->name,
                            name, i + 1, LGI_SHAPE(x));
        if (x->dim[k] != size && x->dim[k] != 1)
            return lgi_fail(E, LG_ESHAPE, "%s: '%s' is %lld in x[%d] and %lld in x[%d]; "
                            "sizes of a letter must be equal, or 1", n->op->name, name,
                            (long long)size, first + 1, (long long)x->dim[k], i + 1);
    }
    return LG_OK;
}

/* The contraction */

static bool in_block(const lgi_block *b, char c, int *at)
{
    for (*at = 0; *at < b->n; ++*at)
        if (b->letter[*at] == c)
            return true;
    return false;
}

/* A letter that is there twice is walked along its diagonal, one of size 1 stays put. */
static lgi_block load_operand(const lgi_node *n, int i)
{
    const lg_tensor *x = n->in[i];
    lgi_block b = {.data = x->data};
    int length, first;
    const char *s = plain_term(n, i, &length);
    for (int k = 0; k < length; k++) {
        int64_t size = letter_size(n, s[k], &first);
        int64_t stride = lgi_product_of(x->dim + k + 1, x->ndim - k - 1);
        int at;
        if (!in_block(&b, s[k], &at)) {
            b.letter[b.n++] = s[k];
            b.size[at] = size;
            b.stride[at] = 0;
        }
        b.stride[at] += x->dim[k] == size ? stride : 0;
    }
    return b;
}

static lgi_letters result_letters(const lgi_node *n)
{
    lgi_letters l = {.n = 0};
    const char *s = plain_term(n, n->nin, &l.n);
    memcpy(l.c, s, (size_t)l.n);
    return l;
}

static lgi_contraction contraction_of(const lgi_node *n, lgi_block block[LGI_MAX_IN])
{
    for (int i = 0; i < n->nin; i++)
        block[i] = load_operand(n, i);
    return (lgi_contraction){n->nin, block, result_letters(n), n->out->data};
}

static lg_status einsum_shape(lg_engine *E, lgi_node *n)
{
    int64_t dim[LGI_MAX_TEXT];
    if (n->nin == 0 || n->nin > LGI_MAX_IN)
        return lgi_fail(E, LG_EARG, "%s: the list has %d tensors; it takes 1 to %d",
                        n->op->name, n->nin, LGI_MAX_IN);
    if (make_plain(E, n) < 0)
        return E->status;
    for (int i = 0; i < n->nin; i++)
        if (check_letter_sizes(E, n, i) < 0)
            return E->status;
    lgi_letters y = result_letters(n);
    for (int i = 0; i < y.n; i++) {
        int first;
        dim[i] = letter_size(n, y.c[i], &first);
        if (lgi_has_letter(y.c, i, y.c[i]))
            return wrong_equation(E, n, "has a letter twice in the result");
        if (dim[i] < 0)
            return wrong_equation(E, n, "has a letter in the result alone");
    }
    lgi_block block[LGI_MAX_IN];
    lgi_contraction c = contraction_of(n, block);
    if (lgi_contract_bytes(E, &c) == 0)
        return lgi_fail(E, LG_ESHAPE, "%s: on the way of '%s', from left to right, there "
                        "are more than 2^40 numbers; try another order of the operands",
                        n->op->name, ((const einsum_attr *)n->attr)->equation.s);
    return lgi_set_dims(n->out, y.n, dim);
}

static size_t einsum_workspace(lg_engine *E, const lgi_node *n)
{
    lgi_block block[LGI_MAX_IN];
    lgi_contraction c = contraction_of(n, block);
    return lgi_contract_bytes(E, &c);
}

static void einsum_forward(lg_engine *E, const lgi_node *n, void *workspace)
{
    lgi_block block[LGI_MAX_IN];
    lgi_contraction c = contraction_of(n, block);
    if (n->out->numel)
        lgi_contract(E, &c, workspace);
}

static double einsum_flops(const lgi_node *n)
{
    const einsum_attr *t = n->attr;
    double flops = n->nin;
    int first;
    for (const char *s = t->plain.s; *s && *s != '-'; s++)
        if (is_letter(*s) && !lgi_has_letter(t->plain.s, (int)(s - t->plain.s), *s))
            flops *= (double)letter_size(n, *s, &first);
    return flops;
}

/* The rule */

/* Operand i's letters, each once, that are elsewhere as well, or that are not. */
static lgi_letters own_letters(const lgi_node *n, int i, bool elsewhere)
{
    lgi_letters l = {.n = 0};
    int length;
    const char *s = plain_term(n, i, &length);
    for (int k = 0; k < length; k++) {
        bool found = false;
        for (int j = 0; j <= n->nin; j++) {
            int other;
            const char *t = plain_term(n, j, &other);
            found |= j != i && lgi_has_letter(t, other, s[k]);
        }
        if (!lgi_has_letter(s, k, s[k]) && found == elsewhere)
            l.c[l.n++] = s[k];
    }
    return l;
}

static void put_term(einsum_text *t, const char *s, int length)
{
    for (int i = 0; i < length; i++)
        put_letter(t, s[i]);
}

static lg_tensor *apply_plain(lg_engine *E, int nin, lg_tensor *const *in,
                              const einsum_text *equation)
{
    einsum_attr t = {{{0}}, {{0}}};
    memcpy(t.equation.s, equation->s, sizeof t.equation.s);
    for (int i = 0; i < nin; i++)
        if (!in[i])
            return NULL;
    return lgi_apply(E, &lgi_op_einsum, nin, in, &t);
}

/* Operand i's equation solved for it: g in its place, its letters as the result. */
static lg_tensor *slope_of_letters(lg_engine *E, const lgi_node *n, int i, lg_tensor *g)
{
    lgi_letters l = own_letters(n, i, true);
    lg_tensor *in[LGI_MAX_IN];
    einsum_text t = {.n = 0};
    for (int j = 0; j < n->nin; j++) {
        int length;
        const char *s = plain_term(n, j == i ? n->nin : j, &length);
        in[j] = j == i ? g : n->in[j];
        put_term(&t, s, length);
        put_letter(&t, j < n->nin - 1 ? ',' : '-');
    }
    put_letter(&t, '>');
    put_term(&t, l.c, l.n);
    return apply_plain(E, n->nin, in, &t);
}

/* And with the letters that are summed over in operand i alone: all of its letters, each
 * once, in their order, with the sizes of operand i. */
static lg_tensor *with_own_letters(lg_engine *E, const lgi_node *n, int i, lg_tensor *g,
                                   lgi_letters *each)
{
    lgi_letters there = own_letters(n, i, true);
    lg_tensor one = {.ndim = 0}, like = {.ndim = 0};
    int length, first;
    const char *s = plain_term(n, i, &length);
    *each = (lgi_letters){.n = 0};
    for (int k = 0; k < length; k++) {
        if (lgi_has_letter(s, k, s[k]))
            continue;
        bool has = lgi_has_letter(there.c, there.n, s[k]);
        one.dim[one.ndim++] = has ? letter_size(n, s[k], &first) : 1;
        like.dim[like.ndim++] = n->in[i]->dim[k];
        each->c[each->n++] = s[k];
    }
    g = lgi_reshape_to(E, g, &one);
    if (each->n < length)              /* before the diagonal: the walk would be late */
        for (int k = 0; k < like.ndim; k++)
            if (like.dim[k] == 1 && one.dim[k] != 1)
                g = g ? lgi_sum_dims(E, g, &(lgi_list){1, {k + 1}}, true) : NULL;
    for (int k = 0; k < like.ndim; k++)
        if (one.dim[k] != 1)
            like.dim[k] = g ? g->dim[k] : 1;
    return lgi_expand_to(E, g, &like);
}

static lg_tensor *unit_matrix(lg_engine *E, int64_t size)
{
    lg_tensor *t = lg_zeros(E, 2, (int64_t[]){size, size});
    for (int64_t i = 0; t && i < size; i++)
        t->data[i * size + i] = 1;
    return t;
}

/* g with the letters `each`, put on the diagonals of operand i, whose second "i" of "ii"
 * becomes another letter: "i,ij->ij" with the unit matrix. */
static lg_tensor *on_diagonals(lg_engine *E, const lgi_node *n, int i, lg_tensor *g,
                               const lgi_letters *each)
{
    lg_tensor *in[LG_MAX_DIM + 1] = {g};
    einsum_text t = {.n = 0}, result = {.n = 0};
    int length, count = 1;
    const char *s = plain_term(n, i, &length);
    put_term(&t, each->c, each->n);
    for (int k = 0; k < length; k++) {
        char c = s[k];
        if (lgi_has_letter(s, k, c)) {
            c = 'a';
            while (lgi_has_letter(s, length, c) || lgi_has_letter(result.s, result.n, c))
                c++;
            put_letter(&t, ',');
            put_letter(&t, s[k]);
            put_letter(&t, c);
            in[count++] = unit_matrix(E, n->in[i]->dim[k]);
        }
        put_letter(&result, c);
    }
    put_letter(&t, '-');
    put_letter(&t, '>');
    put_term(&t, result.s, result.n);
    return apply_plain(E, count, in, &t);
}

static lg_status einsum_grad(lg_engine *E, const lgi_node *n, const bool *wanted,
                             lg_tensor **g, lg_tensor **out)
{
    for (int i = 0; i < n->nin; i++) {
        if (!wanted[i])
            continue;
        lgi_letters each;
        out[i] = with_own_letters(E, n, i, slope_of_letters(E, n, i, g[0]), &each);
        if (out[i] && each.n < n->in[i]->ndim)
            out[i] = on_diagonals(E, n, i, out[i], &each);
    }
    return E->status;
}

const lg_op lgi_op_einsum = {
    .name = "einsum", .args = "x..., equation: text",
    .doc = "The sum of products that the equation says: letters name the axes of each "
           "tensor of the list, then those of the result, as in lg.einsum({a, b}, "
           "\"bij,bjk->bik\"). Letters that the result lacks are summed over; one that "
           "is twice in a tensor is its diagonal; '...' stands for the axes left over; "
           "axes of size 1 broadcast. Without '->' the result has the letters that occur "
           "once, in alphabetical order. Tensors are contracted from left to right.",
    .shape = einsum_shape, .workspace = einsum_workspace, .forward = einsum_forward,
    .grad = einsum_grad, .needs = (LGI_IN(0) << LGI_MAX_IN) - 1, .flops = einsum_flops,
    .attr_bytes = sizeof(einsum_attr),
    .samples = {"2,3; 3,2; equation={ij,jk->ik}", "2,2,3; 2,3,2; equation={bij,bjk->bki}",
                "2,3; 2,3,2; 2,2; equation={bi,bij,bj->b}", "3,2,3; equation=iji->i",
                "2,3,2; equation=i...->...", "-; 2; equation={,i}",
                "2,0; 0,3; equation={ij,jk}", "2,1,2,1,3; 2,3; equation={abcbe,ae->cb}"}};

const lg_op *const lgi_ops_einsum[] = {&lgi_op_einsum, NULL};
