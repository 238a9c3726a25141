/*
 * test_layers.c - every layer of the registry: built, run, differentiated, restored.
 *
 * No layer is named in the loops. A new one is tested as soon as it exists; one that
 * brings no samples fails.
 */
#include "base/memory.h"
#include "base/random.h"
#include "grad/check.h"
#include "nn/layer.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_LEAVES = LGI_MAX_PARAM + LGI_MAX_IN };

typedef struct layer_case {
    lg_engine *E;
    const char *text;
    lgi_layer *l;
    int nin;
    lg_tensor *in[LGI_MAX_IN];
    int n;                             /* leaves: inputs, then the parameters */
    lg_tensor *leaf[MAX_LEAVES];
    lg_tensor *weight;                 /* of the result's elements in the score */
    lg_tensor *direction[MAX_LEAVES];  /* of the gradients in the second score */
} layer_case;

static lgi_layer *make_layer(lg_engine *E, const lgi_layer_type *type,
                             const char *options)
{
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    lgi_signature s;
    size_t bytes;
    check(lgi_layer_options(type, &s, &bytes), "%s: malformed args", type->name);
    if (lgi_parse_attrs(E, type->name, &s, options, attr) < 0)
        return NULL;
    return lgi_new_layer(E, type, attr);
}

/* The first input of a line. */
static lg_tensor *make_input(lg_engine *E, const char *text, char *options)
{
    lgi_sample s;
    lgi_sample_inputs(E, "input", text, &s, options);
    return s.in[0];
}

static lg_tensor *op1(lg_engine *E, const char *name, lg_tensor *x)
{
    return lg_apply(E, lg_find_op(name), 1, &x, NULL);
}

static lg_tensor *run_case(const layer_case *c)
{
    c->E->drawn = 1000;                /* the same random numbers every time */
    return lgi_call_layer(c->E, c->l, c->nin, c->in);
}

/* First order: the weighted sum of the results. Second: that of its gradients. */
static lg_tensor *score_of(const layer_case *c, int order)
{
    lg_engine *E = c->E;
    lg_tensor *s = op1(E, "sum", lgi_mul(E, run_case(c), c->weight)), *g[MAX_LEAVES];
    if (order == 1)
        return s;
    lg_tensor *sum = lg_scalar(E, 0);
    if (lg_grad(E, s, NULL, c->n, c->leaf, LG_CREATE_GRAPH | LG_ALLOW_UNUSED, g) < 0)
        return NULL;
    for (int i = 0; i < c->n; i++)
        if (g[i])
            sum = lgi_add(E, sum, op1(E, "sum", lgi_mul(E, g[i], c->direction[i])));
    return sum;
}

static double score_at(const layer_case *c, int order, lg_tensor *leaf,
                       const lg_tensor *d, double h)
{
    int scope = lg_open_scope(c->E);
    for (int64_t i = 0; i < leaf->numel; i++)
        leaf->data[i] += (lg_real)(h * (double)d->data[i]);
    lg_tensor *s = score_of(c, order);
    double value = s ? (double)s->data[0] : NAN;
    for (int64_t i = 0; i < leaf->numel; i++)
        leaf->data[i] -= (lg_real)(h * (double)d->data[i]);
    lg_close_scope(c->E, scope);
    return value;
}

/* The gradient along a direction against four points. */
static void check_order(const layer_case *c, int order, double tolerance)
{
    lg_engine *E = c->E;
    const double h = 1e-3;
    lg_tensor *g[MAX_LEAVES], *s = score_of(c, order);
    if (s && !s->tracked && order == 2)
        return;                        /* a linear layer's second order is zero */
    check(lg_grad(E, s, NULL, c->n, c->leaf, LG_ALLOW_UNUSED, g) == LG_OK, "%s at '%s': "
          "%s", c->l->type->name, c->text, lg_message(E));
    for (int i = 0; i < c->n && E->status == LG_OK; i++) {
        lg_tensor *d = lg_randn(E, c->leaf[i]->ndim, c->leaf[i]->dim);
        double slope = 0, around[4];
        for (int64_t k = 0; g[i] && k < d->numel; k++)
            slope += (double)g[i]->data[k] * (double)d->data[k];
        for (int k = 0; k < 4; k++)
            around[k] = score_at(c, order, c->leaf[i], d, (k < 2 ? k - 2 : k - 1) * h);
        double near = 8 * (around[2] - around[1]), far = around[3] - around[0];
        double should = (near - far) / (12 * h);
        double error = fabs(slope - should) / (1 + fabs(should));
        check(error <= tolerance, "%s at '%s', order %d, leaf %d: error %.3g",
              c->l->type->name, c->text, order, i, error);
    }
}

/* What begins at zero hides what it multiplies, so here it begins elsewhere. */
static void stir_zeros(lg_engine *E, lg_tensor *p)
{
    lg_tensor *d = lg_randn(E, p->ndim, p->dim);
    for (int64_t i = 0; i < p->numel; i++)
        if (p->data[i] != 0)
            return;
    memcpy(p->data, d->data, (size_t)p->numel * sizeof *p->data);
}

static void open_case(layer_case *c, const lgi_sample *s)
{
    lg_engine *E = c->E;
    for (int i = 0; i < s->nin; i++) {
        c->in[c->nin++] = s->smooth[i] ? lg_track(E, s->in[i]) : s->in[i];
        if (s->smooth[i])
            c->leaf[c->n++] = c->in[i];
    }
    lg_tensor *y = run_case(c);
    for (int i = 0; i < c->l->nparam; i++) {
        lg_tensor *p = c->l->param[i].value;
        if (!c->l->param[i].buffer) {
            stir_zeros(E, p);
            c->leaf[c->n++] = p;
        }
        check(p->tracked != c->l->param[i].buffer, "%s: %s", c->l->path,
              c->l->param[i].name);
        check(i == 0 || strcmp(c->l->param[i - 1].name, c->l->param[i].name) < 0,
              "%s: its parameters are not sorted", c->l->path);
    }
    if (y)
        c->weight = lg_randn(E, y->ndim, y->dim);
    for (int i = 0; i < c->n; i++)
        c->direction[i] = lg_randn(E, c->leaf[i]->ndim, c->leaf[i]->dim);
}

static bool same_numbers(const lg_tensor *a, const lg_tensor *b)
{
    return a && b && lgi_same_dims(a, b)
           && memcmp(a->data, b->data, (size_t)a->numel * sizeof *a->data) == 0;
}

/* Another path, other numbers; its state copied, the same results, bit for bit. */
static void check_state(layer_case *c, const char *options)
{
    lg_engine *E = c->E;
    layer_case twin = *c;
    twin.l = make_layer(E, c->l->type, options);
    lgi_name_layer(twin.l, "another.path");
    run_case(&twin);
    check(twin.l->nparam == c->l->nparam, "%s: other parameters", c->l->path);
    for (int i = 0; i < c->l->nparam; i++)
        lg_copy(E, twin.l->param[i].value, c->l->param[i].value);
    check(same_numbers(run_case(c), run_case(&twin)), "%s at '%s': its state does not "
          "say all", c->l->path, c->text);
    c->l->training = twin.l->training = false;
    for (int i = 0; i < c->l->nparam; i++)
        lg_copy(E, twin.l->param[i].value, c->l->param[i].value);
    check(same_numbers(run_case(c), run_case(&twin)), "%s at '%s': nor in eval mode",
          c->l->path, c->text);
    lgi_release_layer(twin.l);
}

/* A clone gives the same results, and has parameters of its own. */
static void check_clone(const layer_case *c)
{
    layer_case twin = *c;
    twin.l = lgi_clone_layer(c->l, true);
    if (!check(twin.l != NULL, "%s: %s", c->l->path, lg_message(c->E)))
        return;
    lg_tensor *y = run_case(&twin);    /* before c's, whose running state moves */
    check(same_numbers(y, run_case(c)), "%s at '%s': a clone differs", c->l->path,
          c->text);
    for (int i = 0; i < c->l->nparam; i++)
        check(twin.l->param[i].value->buffer != c->l->param[i].value->buffer
              && twin.l->param[i].value->tracked == c->l->param[i].value->tracked,
              "%s: its clone's %s", c->l->path, c->l->param[i].name);
    lgi_release_layer(twin.l);
}

/* Is each pass at the same weights the same function? Not where vectors of spectral
 * normalization move: they are constants to the gradient, and differences would see them
 * follow the weights. */
static bool stands_still(const lgi_layer *l)
{
    bool moves = false;
    for (int i = 0; i < l->nparam; i++) {
        size_t n = strlen(l->param[i].name);
        moves |= n > 2 && strcmp(l->param[i].name + n - 2, "_u") == 0;
    }
    return !moves;
}

static void check_orders(layer_case *c)
{
    for (int order = 1; order <= 2 && sizeof(lg_real) == 8; order++)
        check_order(c, order, order == 1 ? 1e-8 : 1e-7);
}

static void check_sample(const lgi_layer_type *type, const char *text)
{
    layer_case c = {.text = text};
    char options[LGI_SAMPLE_TEXT];
    lgi_sample s;
    if (lg_open(&c.E, NULL) != LG_OK)
        return;
    lgi_sample_inputs(c.E, type->name, text, &s, options);
    c.l = make_layer(c.E, type, options);
    if (check(c.l != NULL, "%s at '%s': %s", type->name, text, lg_message(c.E))) {
        open_case(&c, &s);
        check(c.E->status == LG_OK, "%s", lg_message(c.E));
        if (stands_still(c.l))
            check_orders(&c);
        check_clone(&c);
        check_state(&c, options);
        check_orders(&c);              /* in eval mode */
        check(c.E->status == LG_OK, "%s at '%s': %s", type->name, text, lg_message(c.E));
    }
    lgi_release_layer(c.l);
    check(lg_close(c.E) == 0, "%s at '%s' leaks", type->name, text);
}

static void check_every_layer(void)
{
    int family = 0, member = 0;
    const lgi_layer_type *type;
    while ((type = lgi_each_layer(&family, &member))) {
        size_t n = strlen(type->doc);
        check(lgi_find_layer(type->name) == type, "%s is there twice", type->name);
        check(n > 10 && type->doc[n - 1] == '.', "%s: its doc is no sentence",
              type->name);
        check(type->samples[0] != NULL, "%s brings no samples", type->name);
        for (int i = 0; i < 8 && type->samples[i]; i++)
            check_sample(type, type->samples[i]);
    }
}

/* What is refused, and in which words. */
static const struct {
    const char *type, *options, *first, *second, *says;
} refused[] = {
    {"Linear", "out=0", NULL, NULL, "Linear: out must be 1 or more, not 0"},
    {"Linear", "out=2, init=kaimin", NULL, NULL,
     "Linear: there is no initializer 'kaimin'; there are default, zeros"},
    {"Linear", "out=2, init=normal x", NULL, NULL, "what follows 'normal' must be"},
    {"Linear", "out=2, init=normal inf", NULL, NULL, "what follows 'normal' must be"},
    {"Linear", "out=2", "1,64,32,32", NULL, "D.2 (Linear): expected {batch,features}"
     ", got {1,64,32,32}; put \"flatten\" before it"},
    {"Linear", "out=2", "2,3", "2,4", "built for 3 input features, got 4 in {2,4}"},
    {"Linear", "out=2, spectral=true, weight_norm=true", NULL, NULL,
     "Linear: spectral, weight_norm and equalized exclude each other; give one"},
    {"Conv2d", "out=2, equalized=true, init=xavier", NULL, NULL,
     "an equalized weight begins at N(0, 1); leave out init, which is 'xavier'"},
    {"Conv2d", "out=2", "2,64,5,5", "2,3,5,5",
     "D.2 (Conv2d): was built for 64 input channels, got 3"},
    {"Conv2d", "out=2", "2,9", NULL, "{batch,channels,height,width}, got {2,9}"},
    {"Conv2d", "out=2, kernel=5", "2,3,4,4", NULL, "D.2 (Conv2d): conv2d: "},
    {"Conv2d", "out=3, groups=2", NULL, NULL, "out is 3, which groups, 2, does not"},
    {"Conv2d", "out=2, stride={1,0}", NULL, NULL, "stride must be 1 or more, not 0"},
    {"Conv2d", "out=2, kernel=1025", NULL, NULL, "kernel must be 1024 or less"},
    {"Conv2d", "out=2, strid=2", NULL, NULL, "'strid' (did you mean 'stride'?)"},
    {"ConvTranspose2d", "out=2", "1,2,3,3", "1,3,3,3", "built for 2 input channels"},
    {"BatchNorm", "", "1,3", NULL, "{1,3} has one number a channel, and in training"},
    {"BatchNorm", "", "2,3", "2,4", "was built for 3 input channels, got 4"},
    {"BatchNorm", "momentum=2", NULL, NULL, "momentum must be from 0 to 1, not 2"},
    {"Dropout", "p=1", NULL, NULL, "p must be 0 or more and less than 1, not 1"},
    {"Dropout2d", "p=-1", NULL, NULL, "Dropout2d: p must be 0 or more and less"},
    {"Dropout2d", "", "2,3", NULL, "expected {batch,channels,...}, got {2,3}"},
    {"Conv1d", "out=2", "2,3,5", "2,4,5", "D.2 (Conv1d): was built for 3 input "
     "channels, got 4 in {2,4,5}; a layer keeps the sizes of its first input"},
    {"Conv1d", "out=2", "2,3", NULL, "expected {batch,channels,length}, got {2,3}"},
    {"Conv1d", "out=2, groups=2", "2,3,5", NULL, "groups, 2, must divide the input"},
    {"Conv1d", "out=3, groups=2", NULL, NULL, "out is 3, which groups, 2, does not"},
    {"Conv1d", "out=2, kernel=0", NULL, NULL, "kernel must be 1 or more, not 0"},
    {"Conv1d", "out=2, kernel=7", "2,3,5", NULL, "D.2 (Conv1d): conv1d: "},
    {"ConvTranspose1d", "out=2", "1,2,3", "1,3,3", "built for 2 input channels"},
    {"ConvTranspose1d", "out=2, output_padding=-1", NULL, NULL,
     "ConvTranspose1d: output_padding must be 0 or more, not -1"},
    {"Embedding", "count=0, out=2", NULL, NULL, "count must be 1 or more, not 0"},
    {"Embedding", "count=2, out=3", "4 index<1", "1 index<9", "D.2 (Embedding): "
     "label 9, number 1 of {1}, is not a whole number from 1 to 2"},
    {"InstanceNorm", "", "2,3", NULL, "expected {batch,channels,...}, got {2,3}"},
    {"InstanceNorm", "", "2,3,1,1", NULL, "{2,3,1,1} has one number a channel of a "
     "sample, and its variance needs two"},
    {"InstanceNorm", "affine=true", "2,3,4", "2,2,4", "built for 3 input channels"},
    {"InstanceNorm", "eps=-1", NULL, NULL, "eps must be 0 or more, not -1"},
    {"LayerNorm", "", "2,3,4,4", "2,3,5,5", "D.2 (LayerNorm): was built for inputs "
     "that end in {3,4,4}, got {2,3,5,5}; a layer keeps the sizes of its first"},
    {"LayerNorm", "axes=2", "2,3", NULL, "expected the batch and 2 more axes, got"},
    {"LayerNorm", "axes=8", NULL, NULL, "axes must be 7 or less, not 8"},
    {"GroupNorm", "groups=2", "2,3,4", NULL, "groups, 2, must divide the input "
     "channels, 3 in {2,3,4}"},
    {"GroupNorm", "groups=0", NULL, NULL, "groups must be 1 or more, not 0"},
    {"GroupNorm", "groups=1", "2,3", "2,4", "was built for 3 input channels, got 4"},
    {"PixelNorm", "eps=-1", NULL, NULL, "eps must be 0 or more, not -1"},
    {"PixelNorm", "", "3", NULL, "D.2 (PixelNorm): pixel_norm: x must have the axes"},
    {"PReLU", "slope=inf", NULL, NULL, "slope must be a finite number, not inf"},
    {"PReLU", "per_channel=true", "2,3", "2,4", "was built for 3 input channels"},
    {"PReLU", "per_channel=true", "3", NULL, "expected {batch,channels,...}, got"},
    {"LeakyReLU", "slope=-1", NULL, NULL, "leaky_relu: slope must be 0 or more"},
    {"ELU", "alpha=-1", NULL, NULL, "elu: alpha must be 0 or more, and is -1"},
    {"Hardtanh", "min=2, max=1", NULL, NULL, "hardtanh: "},
    {"GELU", "approximate=tahn", NULL, NULL, "approximate must be one of none|tanh"},
    {"Softmax", "", NULL, NULL, "Softmax: dim must be given"},
    {"Softmax", "dim=3", "2,3", NULL, "D.2 (Softmax): softmax: dim"},
    {"GLU", "dim=0", NULL, NULL, "dim must be an axis, counted from 1, or from the"},
    {"GLU", "", "2,3", NULL, "axis -1 of {2,3} must be there, and of an even size"},
    {"Upsample", "scale=0", NULL, NULL, "scale must be 1 or more, not 0"},
    {"Upsample", "size={1,2,3}", NULL, NULL, "size has 3 numbers; it must be {h,w}"},
    {"Upsample", "", "2,3", NULL, "D.2 (Upsample): upsample: "},
    {"PixelShuffle", "factor=0", NULL, NULL, "factor must be 1 or more, not 0"},
    {"PixelShuffle", "factor=2", "1,3,2,2", NULL, "must be a multiple of 4"},
    {"PixelUnshuffle", "factor=2", "1,1,3,2", NULL, "factor is 2, and must divide h"},
    {"AvgPool2d", "kernel=0", NULL, NULL, "kernel must be 1 or more, not 0"},
    {"MaxPool2d", "kernel=2, padding=2", NULL, NULL, "MaxPool2d: padding is {2,2} "
     "and kernel {2,2}; padding must be at most half of the kernel"},
    {"MaxPool2d", "kernel=2, stride=-1", NULL, NULL, "stride must be 0 or more"},
    {"AdaptiveAvgPool2d", "out={0,1}", NULL, NULL, "out must be 1 or more, not 0"},
    {"Pad", "pad={1,2,3}", NULL, NULL, "pad has 3 numbers; give one for all sides"},
    {"Pad", "pad={1}", "2,3", NULL, "expected {batch,channels,...}, got {2,3}; one"},
    {"ReflectionPad2d", "pad={3}", "1,1,3,3", NULL, "with mode reflect it must be"},
    {"ZeroPad2d", "pad={1}", "1,3,3", NULL, "{batch,channels,height,width}, got"},
    {"SelfAttention", "reduction=0", NULL, NULL, "reduction must be 1 or more"},
    {"SelfAttention", "", "2,8", NULL, "{batch,channels,height,width}, got {2,8}"},
    {"SelfAttention", "", "1,8,2,2", "1,4,2,2", "was built for 8 input channels"},
    {"SelfAttention", "pool=true", "1,8,1,4", NULL, "images must be 2x2 or larger"},
    {"MinibatchStd", "channels=0", NULL, NULL, "channels must be 1 or more, not 0"},
    {"MinibatchStd", "", "6,2,2,2", NULL, "group, 4, must divide the batch, which is "
     "6 in {6,2,2,2}; group = 0 takes the whole batch"},
    {"MinibatchStd", "channels=2", "4,3", NULL, "channels, 2, must divide the input"},
    {"MinibatchDiscrimination", "out=2", "4,3,2", NULL, "got {4,3,2}; put \"flatten"},
    {"MinibatchDiscrimination", "out=2", "4,3", "4,2", "built for 3 input features"},
    {"MinibatchDiscrimination", "out=2, kernel_dim=0", NULL, NULL, "kernel_dim must"},
    {"Maxout", "out=2, pieces=0", NULL, NULL, "pieces must be 1 or more, not 0"},
    {"Maxout", "out=2", "4,3", "4,2", "was built for 3 input features, got 2"},
    {"NoiseInjection", "", "2,3", NULL, "expected {batch,channels,...}, got {2,3}"},
    {"NoiseInjection", "", "2,3,4", "2,2,4", "was built for 3 input channels, got"},
    {"Reshape", "dims={2,2}", "3,5", NULL, "cannot make {2,2} of a sample of {3,5}"},
    {"Reshape", "dims={-1,-1}", NULL, NULL, "one of them may be -1"},
};

static void check_refusals(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *inputs[] = {refused[i].first, refused[i].second};
        char rest[LGI_SAMPLE_TEXT];
        lg_engine *E;
        lg_open(&E, NULL);
        lgi_layer *l = make_layer(E, lgi_find_layer(refused[i].type), refused[i].options);
        if (l)
            lgi_name_layer(l, "D.2");
        for (int k = 0; k < 2 && inputs[k] && E->status == LG_OK; k++)
            lgi_run_layer(E, l, make_input(E, inputs[k], rest));
        check_text(lg_message(E), refused[i].says);
        if (l && !refused[i].second && refused[i].first)
            check(!l->built && l->nparam == 0, "a refused input has built %s",
                  refused[i].type);
        lgi_release_layer(l);
        check(lg_close(E) == 0, "%s leaks after '%s'", refused[i].type, refused[i].says);
    }
}

/* Fails the n-th allocation. */
typedef struct failing { lg_allocator inner; int left; } failing;

static void *failing_alloc(void *user, size_t size)
{
    failing *f = user;
    return f->left-- == 0 ? NULL : f->inner.alloc(f->inner.user, size);
}

static void failing_free(void *user, void *p, size_t size)
{
    failing *f = user;
    f->inner.free(f->inner.user, p, size);
}

/* One more allocation succeeds each time, until the layer is made and run. */
static bool fails_cleanly(const lgi_layer_type *type, int n)
{
    failing f = {lgi_system_allocator(), n};
    lg_allocator a = {&f, failing_alloc, failing_free};
    lg_config config = LG_CONFIG_INIT;
    char options[LGI_SAMPLE_TEXT];
    lgi_sample s;
    lg_engine *E;
    config.allocator = &a;
    config.no_cache = true;
    if (lg_open(&E, &config) != LG_OK)
        return true;
    lgi_sample_inputs(E, type->name, type->samples[0], &s, options);
    lgi_layer *l = E->status < 0 ? NULL : make_layer(E, type, options);
    lg_tensor *y = l ? lgi_call_layer(E, l, s.nin, s.in) : NULL;
    bool failed = E->status < 0;
    check(!failed || E->status == LG_ENOMEM, "%s, allocation %d: %s", type->name, n,
          lg_message(E));
    check(!l || failed == !l->built, "%s, allocation %d: half built", type->name, n);
    check(failed == !y, "%s, allocation %d: a result and a failure", type->name, n);
    lgi_release_layer(l);
    check(lg_close(E) == 0, "%s, allocation %d leaks", type->name, n);
    return failed;
}

static void check_failing_allocations(void)
{
    int family = 0, member = 0;
    const lgi_layer_type *type;
    while ((type = lgi_each_layer(&family, &member))) {
        int n = 1;
        while (n < 1000 && fails_cleanly(type, n))
            n++;
        check(n < 1000, "%s never succeeds", type->name);
    }
}

/* PyTorch's running statistics: unbiased variance, momentum 0.1. */
static void check_running_statistics(void)
{
    const lg_real numbers[] = {1, 2, 3, 6};
    lg_engine *E;
    lg_open(&E, NULL);
    lg_tensor *x = lg_from(E, 2, (int64_t[]){4, 1}, numbers);
    lgi_layer *l = make_layer(E, lgi_find_layer("BatchNorm"), "");
    lg_tensor *y = lgi_run_layer(E, l, lg_track(E, x));
    lg_tensor *s = op1(E, "sum", lgi_mul(E, y, y));
    lgi_run_layer(E, l, x);            /* before the walk: it must not mind */
    lg_tensor *w = lgi_layer_param(l, "weight"), *g = NULL;
    check(lg_grad(E, s, NULL, 1, &w, 0, &g) == LG_OK, "%s", lg_message(E));
    double mean = (double)lgi_layer_param(l, "running_mean")->data[0];
    double var = (double)lgi_layer_param(l, "running_var")->data[0];
    check(fabs(mean - 3 * (1 - 0.81)) < 1e-6, "running_mean is %g", mean);
    check(fabs(var - (0.81 + 14. / 3 * 0.19)) < 1e-6, "running_var is %g", var);
    check(lg_close(E) == 0, "a layer that is left goes with the engine");
}

/* A path's numbers are its own: the same in another engine, others elsewhere. */
static void check_streams(void)
{
    lg_engine *E;
    char rest[LGI_SAMPLE_TEXT];
    lg_open(&E, NULL);
    lg_tensor *x = make_input(E, "2,300", rest), *w[3];
    const char *const paths[] = {"G.1", "G.1", "G.2"};
    lgi_layer *l[3];
    for (int i = 0; i < 3; i++) {
        l[i] = make_layer(E, lgi_find_layer("Linear"), "out=100");
        lgi_name_layer(l[i], paths[i]);
        lgi_run_layer(E, l[i], x);
        w[i] = lgi_layer_param(l[i], "weight");
    }
    check(same_numbers(w[0], w[1]), "one path, two starts");
    check(!same_numbers(w[0], w[2]), "two paths, one start");
    double most = 0, sum = 0;
    for (int64_t i = 0; i < w[0]->numel; i++) {
        most = fmax(most, fabs((double)w[0]->data[i]));
        sum += (double)w[0]->data[i];
    }
    check(most <= 1 / sqrt(300) && most > 0.99 / sqrt(300), "U(-k, k): %g", most);
    check(fabs(sum / (double)w[0]->numel) < 0.001, "its mean is %g", sum);
    lg_close(E);
}

int main(void)
{
    check_every_layer();
    check_refusals();
    check_failing_allocations();
    check_running_statistics();
    check_streams();
    return report();
}
