/*
 * contract.c - products of blocks, summed over letters.
 *
 * One function runs the contraction, and without memory only counts what it would take.
 */
#include "kernel/contract.h"

#include "kernel/copy.h"
#include "kernel/gemm.h"

#include <string.h>

typedef struct contract_run {
    lg_engine *E;
    const lgi_contraction *c;
    char *memory;                      /* NULL: count */
    size_t used;
    bool too_large;                    /* a block on the way is */
    bool in_place;                     /* the result's numbers are made */
} contract_run;

bool lgi_has_letter(const char *s, int n, char c)
{
    return memchr(s, c, (size_t)n) != NULL;
}

static void *contract_scratch(contract_run *r, size_t bytes)
{
    void *p = r->memory ? r->memory + r->used : NULL;
    r->used += (bytes + 63) / 64 * 64;
    return p;
}

static lg_real *take_numbers(contract_run *r, int64_t numel)
{
    return contract_scratch(r, (size_t)numel * sizeof(lg_real));
}

static int find_letter(const lgi_block *b, char c)
{
    const char *at = memchr(b->letter, c, (size_t)b->n);
    return at ? (int)(at - b->letter) : -1;
}

static void add_letters(lgi_letters *to, const lgi_letters *from)
{
    memcpy(to->c + to->n, from->c, (size_t)from->n);
    to->n += from->n;
}

static lgi_letters letters_joined(const lgi_letters *a, const lgi_letters *b,
                                  const lgi_letters *c)
{
    lgi_letters all = *a;
    add_letters(&all, b);
    add_letters(&all, c);
    return all;
}

static int64_t size_of_letter(const contract_run *r, char c)
{
    for (int i = 0; i < r->c->n; i++) {
        int at = find_letter(&r->c->block[i], c);
        if (at >= 0)
            return r->c->block[i].size[at];
    }
    return 1;
}

static int64_t size_of_letters(contract_run *r, const lgi_letters *l)
{
    int64_t size = 1;
    bool empty = false;
    for (int i = 0; i < l->n; i++) {
        int64_t s = size_of_letter(r, l->c[i]);
        empty |= s == 0;
        r->too_large |= s && size > LGI_MAX_NUMEL / s;
        size = r->too_large ? 1 : s ? size * s : size;
    }
    return empty ? 0 : size;
}

/* Is it the letters l, in this order, row-major? */
static bool is_laid_out(const lgi_block *b, const lgi_letters *l)
{
    int64_t stride = 1;
    bool laid = b->n == l->n;
    for (int i = b->n - 1; laid && i >= 0; i--) {
        laid = b->letter[i] == l->c[i] && (b->size[i] == 1 || b->stride[i] == stride);
        stride *= b->size[i];
    }
    return laid;
}

/* Axes in another order, and nothing else: the faster kernel. */
static bool permute_block(contract_run *r, const lgi_block *b, const lgi_letters *l,
                          lg_real *to)
{
    lg_tensor x = {.ndim = b->n}, y = {.ndim = b->n};
    lgi_letters own = {.n = b->n};
    int axes[LG_MAX_DIM];
    memcpy(own.c, b->letter, (size_t)b->n);
    if (b->n > LG_MAX_DIM || b->n != l->n || !is_laid_out(b, &own))
        return false;
    for (int i = 0; i < b->n; i++) {
        axes[i] = find_letter(b, l->c[i]);
        x.dim[i] = b->size[i];
        y.dim[i] = b->size[axes[i]];
    }
    x.data = (lg_real *)b->data;
    y.data = to;
    x.numel = y.numel = lgi_product_of(x.dim, x.ndim);
    lgi_permute(r->E, &y, &x, axes);
    return true;
}

/* Fills to with the letters l of b, in this order, summed over the others. */
static void write_block(contract_run *r, const lgi_block *b, const lgi_letters *l,
                        lg_real *to)
{
    lgi_strided s = {.kept = l->n, .summed = 0};
    if (!r->memory || permute_block(r, b, l, to))
        return;
    for (int i = 0; i < l->n; i++) {
        int k = find_letter(b, l->c[i]);
        s.dim[i] = b->size[k];
        s.stride[i] = b->stride[k];
    }
    for (int k = 0; k < b->n; k++)
        if (!lgi_has_letter(l->c, l->n, b->letter[k])) {
            s.dim[l->n + s.summed] = b->size[k];
            s.stride[l->n + s.summed++] = b->stride[k];
        }
    lgi_sum_strided(r->E, &s, b->data, to);
}

/* The numbers of b as l: where they are, or written. */
static const lg_real *as_letters(contract_run *r, const lgi_block *b,
                                 const lgi_letters *l)
{
    if (is_laid_out(b, l))
        return b->data;
    lg_real *to = take_numbers(r, size_of_letters(r, l));
    write_block(r, b, l, to);
    return to;
}

/* Is a letter in the result, or in a block from `next` on? */
static bool is_needed(const contract_run *r, int next, char c)
{
    bool needed = lgi_has_letter(r->c->result.c, r->c->result.n, c);
    for (int i = next; i < r->c->n; i++)
        needed |= find_letter(&r->c->block[i], c) >= 0;
    return needed;
}

/* Letters of a that are needed or not after this, and are in b or not. */
static lgi_letters choose_letters(const contract_run *r, int next, const lgi_block *a,
                                  const lgi_block *b, bool shared, bool needed)
{
    lgi_letters l = {.n = 0};
    for (int i = 0; i < a->n; i++)
        if ((find_letter(b, a->letter[i]) >= 0) == shared
            && is_needed(r, next, a->letter[i]) == needed)
            l.c[l.n++] = a->letter[i];
    return l;
}

static void multiply_blocks(contract_run *r, const lgi_product *p, int64_t count)
{
    lgi_batch batch = {.n = count, .ndim = 1, .dim = {count}, .a = {p->m * p->k},
                       .b = {p->k * p->n}};
    if (p->m == 1 && p->n == 1) {      /* as "bi,bi->b": products of a row each */
        if (r->memory)
            lgi_row_dots(r->E, p->a, p->b, p->c, count, p->k);
        return;
    }
    const lgi_batch *many = count == 1 ? NULL : &batch;
    void *scratch = contract_scratch(r, lgi_gemm_scratch(r->E, p, many));
    if (r->memory && count)
        lgi_gemm(r->E, p, many, scratch);
}

static lgi_block block_of(const contract_run *r, const lgi_letters *l,
                             const lg_real *data)
{
    lgi_block b = {.n = l->n, .data = data};
    int64_t stride = 1;
    for (int i = l->n - 1; i >= 0; i--) {
        b.letter[i] = l->c[i];
        b.size[i] = size_of_letter(r, l->c[i]);
        b.stride[i] = stride;
        stride *= b.size[i];
    }
    return b;
}

/* a and b contracted; next is the first block that is still to come. */
static lgi_block contract_two(contract_run *r, const lgi_block *a, const lgi_block *b,
                             int next)
{
    lgi_letters shared = choose_letters(r, next, a, b, true, true);
    lgi_letters summed = choose_letters(r, next, a, b, true, false);
    lgi_letters left = choose_letters(r, next, a, b, false, true);
    lgi_letters right = choose_letters(r, next, b, a, false, true);
    lgi_letters rows = letters_joined(&shared, &left, &summed);
    lgi_letters rows_t = letters_joined(&shared, &summed, &left);
    lgi_letters cols = letters_joined(&shared, &summed, &right);
    lgi_letters cols_t = letters_joined(&shared, &right, &summed);
    lgi_letters all = letters_joined(&shared, &left, &right);
    const lgi_letters *y = &r->c->result;
    lgi_product p = {.m = size_of_letters(r, &left), .n = size_of_letters(r, &right),
                     .k = size_of_letters(r, &summed)};

    p.ta = !is_laid_out(a, &rows) && is_laid_out(a, &rows_t);
    p.tb = !is_laid_out(b, &cols) && is_laid_out(b, &cols_t);
    p.lda = p.ta ? p.m : p.k;
    p.ldb = p.tb ? p.k : p.n;
    p.ldc = p.n;
    p.a = as_letters(r, a, p.ta ? &rows_t : &rows);
    p.b = as_letters(r, b, p.tb ? &cols_t : &cols);
    r->in_place = next == r->c->n && all.n == y->n
                  && memcmp(all.c, y->c, (size_t)y->n) == 0;
    p.c = r->in_place ? r->c->to : take_numbers(r, size_of_letters(r, &all));
    multiply_blocks(r, &p, size_of_letters(r, &shared));
    return block_of(r, &all, p.c);
}

static void run_contraction(contract_run *r)
{
    const lgi_contraction *c = r->c;
    lgi_block sum = c->block[0];
    for (int i = 1; i < c->n && !r->too_large; i++)
        sum = contract_two(r, &sum, &c->block[i], i + 1);
    if (!r->in_place)
        write_block(r, &sum, &c->result, c->to);
}

size_t lgi_contract_bytes(lg_engine *E, const lgi_contraction *c)
{
    contract_run r = {.E = E, .c = c};
    run_contraction(&r);
    return r.too_large ? 0 : r.used + 64;
}

void lgi_contract(lg_engine *E, const lgi_contraction *c, void *scratch)
{
    contract_run r = {.E = E, .c = c, .memory = scratch};
    run_contraction(&r);
}
