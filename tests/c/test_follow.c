/*
 * test_follow.c - operators that are computed while another one makes their input: each
 * that can follow after each that leads, with the same bits as apart, in a gradient walk,
 * and when memory is refused.
 */
#include "grad/check.h"
#include "failing.h"
#include "test.h"

#include <math.h>
#include <stdatomic.h>

extern const lg_op lgi_op_conv2d, lgi_op_conv_transpose2d, lgi_op_batch_norm;
extern const lg_op lgi_op_leaky_relu, lgi_op_leaky_relu_back, lgi_op_relu;

/* A leading operator, applied to inputs. */
typedef struct call {
    const lg_op *op;
    int nin;
    lg_tensor *const *in;
    const void *attr;
    const char *text;
} call;

static lg_tensor *apply_call(lg_engine *E, const call *c)
{
    return lgi_apply(E, c->op, c->nin, c->in, c->attr);
}

static bool same_results(const lg_tensor *a, const lg_tensor *b, int from, int n)
{
    bool same = a && b;
    for (int k = from; same && k < n; k++)
        same = lgi_same_dims(&a[k], &b[k])
               && memcmp(a[k].data, b[k].data, (size_t)a[k].numel * sizeof(lg_real)) == 0;
    return same;
}

/* What a follower wants besides: a mask, or nothing. */
static lg_tensor *mask_for(lg_engine *E, const lg_op *op, const lg_tensor *y)
{
    lgi_signature s;
    if (!lgi_read_signature(op->args, &s) || s.required < 2)
        return NULL;
    int64_t n = (y->numel + 15) / 16;
    lg_tensor *mask = lg_rand(E, 1, &n);
    for (int64_t i = 0; mask && i < n; i++)
        mask->data[i] = (lg_real)floor((double)mask->data[i] * 65536);
    return mask;
}

/* Its defaults, in attr. */
static void default_attr(lg_engine *E, const lg_op *op, void *attr)
{
    lgi_signature s;
    memset(attr, 0, LGI_MAX_ATTR_BYTES);
    if (lgi_read_signature(op->args, &s))
        lgi_default_attrs(E, op->name, &s, attr, 0);
}

static void check_pair(lg_engine *E, const call *c, const lg_op *op)
{
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES];
    int scope = lg_open_scope(E);
    default_attr(E, op, attr);
    lg_tensor *y = apply_call(E, c);
    lg_tensor *mask = y ? mask_for(E, op, y) : NULL;
    int nin = mask ? 2 : 1;
    lg_seed(E, 7);
    lg_tensor *z = lgi_apply(E, op, nin, (lg_tensor *[]){y, mask}, attr);
    lg_seed(E, 7);
    check(lgi_announce(E, op, mask, attr), "%s is announced", op->name);
    lg_tensor *led = apply_call(E, c);
    lg_tensor *over = lgi_apply(E, op, nin, (lg_tensor *[]){led, mask}, attr);
    check(led && over && over->data == led->data && !E->ready && !E->next.op,
          "%s does not follow %s at '%s'", op->name, c->op->name, c->text);
    check(same_results(z, over, 0, lgi_count_results(op)),
          "%s after %s at '%s' has other bits", op->name, c->op->name, c->text);
    check(same_results(y, led, 1, lgi_count_results(c->op)),
          "%s at '%s' has other bits before %s", c->op->name, c->text, op->name);
    lgi_announce(E, op, mask, attr);   /* and what was promised does not come */
    apply_call(E, c);
    lgi_end_announced(E);
    check(!E->ready && !E->next.op && lg_failure(E) == LG_OK, "%s is forgotten",
          op->name);
    lg_clear(E);
    lg_close_scope(E, scope);
}

static void check_followers(lg_engine *E, const call *c)
{
    int family = 0, member = 0;
    const lg_op *op;
    while ((op = lgi_each_op(&family, &member)))
        if (op->part)
            check_pair(E, c, op);
}

static void check_samples(lg_engine *E, const lg_op *op)
{
    for (int i = 0; i < 8 && op->samples[i]; i++) {
        lgi_sample s;
        int scope = lg_open_scope(E);
        if (lgi_make_sample(E, op, op->samples[i], &s) == LG_OK)
            check_followers(E, &(call){op, s.nin, s.in, s.attr, op->samples[i]});
        lg_close_scope(E, scope);
    }
}

/* What the fields of descriptors promise one another. */
static void check_fields(const lg_op *op)
{
    if (op->part)
        check(op->onto && op->forward == lgi_forward_by_parts
              && !(op->needs & (LGI_IN(0) | LGI_OUT(0))), "%s can follow", op->name);
    if (op->leads)
        check(op->forward && !(op->needs & LGI_OUT(0)), "%s can lead", op->name);
    if (op->back)
        check(op->back->part && op->grad == lgi_grad_by_back && op->needs & LGI_OUT(1),
              "%s has its operator for the way back", op->name);
    if (op->leads_back)
        check(op->leads, "%s leads back", op->name);
}

/* Images large enough for the fast forms, whose parts fit in all ways and in none:
 * n,c,h,w, channels of the result, kernel, stride, padding. */
static const int64_t images[][8] = {
    {2, 32, 16, 16, 32, 3, 1, 1}, {3, 16, 14, 14, 20, 3, 1, 1},
    {2, 20, 15, 17, 24, 3, 1, 1}, {1, 16, 64, 64, 16, 3, 1, 1},
    {4, 32, 32, 32, 48, 4, 2, 1}, {3, 16, 28, 28, 32, 5, 2, 2},
    {2, 17, 40, 24, 16, 5, 1, 2}, {5, 64, 7, 7, 128, 5, 1, 2},
    {2, 3, 32, 32, 64, 4, 2, 1}, {40, 16, 4, 4, 16, 3, 1, 1},
    {2, 48, 9, 32, 16, 1, 1, 0}};

static void check_images(lg_engine *E, const int64_t v[8])
{
    char text[96];
    int64_t x[] = {v[0], v[1], v[2], v[3]}, w[] = {v[4], v[1], v[5], v[5]};
    int64_t wt[] = {v[1], v[4], v[5], v[5]};
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES];
    int scope = lg_open_scope(E);
    lg_tensor *in[] = {lg_randn(E, 4, x), lg_randn(E, 4, w), NULL};
    lg_tensor *turned[] = {in[0], lg_randn(E, 4, wt), lg_randn(E, 1, &v[4])};
    lg_tensor *norm[] = {in[0], NULL, NULL};
    const call calls[] = {{&lgi_op_conv2d, 3, in, attr, text},
                          {&lgi_op_conv_transpose2d, 3, turned, attr, text},
                          {&lgi_op_batch_norm, 3, norm, attr, text}};
    snprintf(text, sizeof text, "%lld,%lld,%lld,%lld to %lld, kernel %lld, stride %lld",
             (long long)v[0], (long long)v[1], (long long)v[2], (long long)v[3],
             (long long)v[4], (long long)v[5], (long long)v[6]);
    for (int i = 0; i < 3; i++) {
        default_attr(E, calls[i].op, attr);
        if (i < 2)                     /* stride and padding come first */
            memcpy(attr, (lgi_pair[]){{v[6], v[6]}, {v[7], v[7]}}, 2 * sizeof(lgi_pair));
        check_followers(E, &calls[i]);
    }
    lg_close_scope(E, scope);
}

/* leaky_relu, whose way back counts the numbers that it sees, and its calls. */
static _Atomic int64_t seen, parts;
enum { PARTS_PIECE = 1 << 13 };        /* of one that follows nothing: op/follow.c */

static void count_part(const lgi_node *n, int64_t from, int64_t count)
{
    seen += count;
    parts++;
    lgi_op_leaky_relu_back.part(n, from, count);
}

/* y = norm(leaky(conv(leaky(norm(conv(x)))))), 64,16,16,16, held by the caller. */
static lg_tensor *net_of(lg_engine *E, const lg_op *leaky, lg_tensor *x, lg_tensor *w)
{
    _Alignas(16) char conv[LGI_MAX_ATTR_BYTES], norm[LGI_MAX_ATTR_BYTES];
    int scope = lg_open_scope(E);
    double slope = 0.2;
    default_attr(E, &lgi_op_conv2d, conv);
    default_attr(E, &lgi_op_batch_norm, norm);
    memcpy(conv + sizeof(lgi_pair), &(lgi_pair){1, 1}, sizeof(lgi_pair));
    lg_tensor *y = x;
    for (int i = 0; i < 2; i++) {
        y = lgi_apply(E, &lgi_op_conv2d, 3, (lg_tensor *[]){y, w, NULL}, conv);
        if (i == 1)
            y = lgi_apply1(E, leaky, y, &slope);
        y = lgi_apply(E, &lgi_op_batch_norm, 3, (lg_tensor *[]){y, NULL, NULL}, norm);
        if (i == 0)
            y = lgi_apply1(E, leaky, y, &slope);
    }
    lg_retain(y);
    lg_close_scope(E, scope);
    return y;
}

static void check_walk(lg_engine *E)
{
    lg_op back = lgi_op_leaky_relu_back, leaky = lgi_op_leaky_relu;
    back.part = count_part;
    leaky.back = &back;
    int64_t dim[] = {64, 16, 16, 16}, wdim[] = {16, 16, 3, 3};
    int scope = lg_open_scope(E);
    lg_tensor *leaf[] = {lg_track(E, lg_randn(E, 4, dim)),
                         lg_track(E, lg_randn(E, 4, wdim))};
    lg_tensor *seed = lg_randn(E, 4, dim), *a[2], *b[2];
    lg_tensor *y = net_of(E, &leaky, leaf[0], leaf[1]);
    int64_t numel = 2 * y->numel, whole = numel / PARTS_PIECE;
    check(lg_grad(E, y, seed, 2, leaf, LG_RETAIN_GRAPH, a) == LG_OK, "%s", lg_message(E));
    check(seen == numel && parts > whole, "%lld numbers in %lld parts of a walk that "
          "computes what follows", (long long)seen, (long long)parts);
    seen = parts = 0;
    check(lg_grad(E, y, seed, 2, leaf, LG_CREATE_GRAPH, b) == LG_OK, "%s", lg_message(E));
    check(seen == numel && parts == whole, "%lld numbers in %lld parts of a walk that "
          "is recorded", (long long)seen, (long long)parts);
    check(same_results(a[0], b[0], 0, 1) && same_results(a[1], b[1], 0, 1),
          "gradients have other bits");
    check(!E->ready && !E->next.op, "a walk leaves nothing announced");
    lg_release(y);
    lg_close_scope(E, scope);
}

/* Each allocation is refused once; who follows may be tried again. */
static void check_refusals(const lg_op *op)
{
    failing f = {0, 0, false};
    lg_allocator a = {&f, failing_alloc, failing_free};
    lg_config config = LG_CONFIG_INIT;
    lg_engine *E;
    config.allocator = &a;
    config.no_cache = true;
    if (!check(lg_open(&E, &config) == LG_OK, "an engine"))
        return;
    bool ended = false;
    for (int64_t at = 1; at < 1000 && !ended; at++) {
        lgi_sample s;
        double slope = 0.2;
        int scope = lg_open_scope(E);
        lgi_make_sample(E, op, op->samples[0], &s);
        lg_tensor *y = lgi_apply(E, op, s.nin, s.in, s.attr);
        lg_tensor *z = lgi_apply1(E, &lgi_op_leaky_relu, y, &slope);
        int inner = lg_open_scope(E);
        f.calls = 0;
        f.at = at;
        lgi_announce(E, &lgi_op_leaky_relu, NULL, &slope);
        lg_tensor *led = lgi_apply(E, op, s.nin, s.in, s.attr), *over = NULL;
        if (led)
            over = lgi_apply1(E, &lgi_op_leaky_relu, led, &slope);
        ended = f.calls < at;
        f.at = 0;
        check(!over == !ended && (ended || lg_failure(E) == LG_ENOMEM),
              "%s, allocation %lld", op->name, (long long)at);
        lg_clear(E);
        if (led && !over)
            over = lgi_apply1(E, &lgi_op_leaky_relu, led, &slope);
        check(!led || same_results(z, over, 0, 2), "%s, after allocation %lld", op->name,
              (long long)at);
        lgi_end_announced(E);
        lg_close_scope(E, inner);
        lg_close_scope(E, scope);
    }
    check(lg_close(E) == 0, "%s: memory is left", op->name);
}

int main(void)
{
    int family = 0, member = 0, leaders = 0;
    const lg_op *op;
    lg_engine *E;
    if (lg_open(&E, NULL) != LG_OK)
        return 1;
    while ((op = lgi_each_op(&family, &member))) {
        check_fields(op);
        if (!op->leads)
            continue;
        leaders++;
        check_samples(E, op);
        check_refusals(op);
    }
    check(leaders >= 4, "%d operators lead", leaders);
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        for (lgi_cpu cpu = LGI_PLAIN; cpu <= lgi_detect_cpu(); cpu++) {
            E->cpu = cpu;
            check_images(E, images[i]);
        }
    E->cpu = lgi_detect_cpu();
    check_walk(E);
    check(lg_close(E) == 0, "memory is left");
    return report();
}
