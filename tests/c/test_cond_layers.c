/*
 * test_cond_layers.c - layers of several inputs: their numbers against PyTorch's, what
 * they refuse, and what they do where memory fails. test_layers.c differentiates them.
 */
#include "failing.h"
#include "nn/layer.h"
#include "test.h"

#include <math.h>

enum { MOST = 12 };                    /* numbers of a result that are compared */

/* Numbers of a formula that is easy to repeat in Python, from -11/16 to 11/16. */
static lg_tensor *pattern(lg_engine *E, int64_t from, int ndim, const int64_t *dim)
{
    lg_tensor *t = lg_zeros(E, ndim, dim);
    for (int64_t k = 0; t && k < t->numel; k++)
        t->data[k] = (lg_real)((k + from) * 37 % 23 - 11) / 16;
    return t;
}

static lgi_layer *open_layer(lg_engine *E, const char *name, const char *options)
{
    _Alignas(16) char attr[LGI_MAX_ATTR_BYTES] = {0};
    const lgi_layer_type *type = lgi_find_layer(name);
    lgi_signature s;
    size_t bytes;
    if (!check(type && lgi_layer_options(type, &s, &bytes), "there is no %s", name)
        || lgi_parse_attrs(E, name, &s, options, attr) < 0)
        return NULL;
    return lgi_new_layer(E, type, attr);
}

typedef struct shaped_input { int64_t from; int ndim; int64_t dim[4]; } shaped_input;

typedef struct known_case {
    const char *type, *options;
    int nin;
    shaped_input in[3];
    bool labels;                       /* the second input is 2 3 1 of them */
    int result, n;
    double sum, y[MOST];               /* the first n numbers, and the sum of all */
} known_case;

#define STATE(k) {k, 2, {2, 2}}
#define IMAGES {0, 4, {2, 2, 3, 2}}
#define STYLE {3, 2, {2, 3}}

/* Made with PyTorch 1.13 in double, where it has the layer; modulated convolution as the
 * paper has it, with a weight for each sample, conv_transpose2d, pad and conv2d.
 * Parameter i of the sorted names, counted from 1, is pattern(5 i). */
static const known_case known[] = {
    {"GRUCell", "hidden=2", 2, {{0, 2, {2, 3}}, STATE(7)}, false, 0, 4, -0.559953693,
     {-0.108361251, 0.224168921, -0.048300022, -0.627461340}},
    {"GRUCell", "hidden=2", 1, {{0, 2, {2, 3}}}, false, 0, 4, -0.552698273,
     {-0.105529545, -0.187697972, -0.046678239, -0.212792516}},
    {"LSTMCell", "hidden=2", 3, {{0, 2, {2, 3}}, STATE(7), STATE(9)}, false, 0, 4,
     -0.349372070, {0.044699076, -0.160611108, 0.103277923, -0.336737962}},
    {"LSTMCell", "hidden=2", 3, {{0, 2, {2, 3}}, STATE(7), STATE(9)}, false, 1, 4,
     -1.116419885, {0.064086746, -0.673204510, 0.147046283, -0.654348405}},
    {"LSTMCell", "hidden=2", 1, {{0, 2, {2, 3}}}, false, 0, 4, -0.463734128,
     {-0.038657779, -0.153650267, -0.012564833, -0.258861249}},
    {"LSTMCell", "hidden=2", 1, {{0, 2, {2, 3}}}, false, 1, 4, -1.099790655,
     {-0.050676737, -0.510268116, -0.019953965, -0.518891837}},
    {"ModulatedConv2d", "out=2", 2, {IMAGES, STYLE}, false, 0, 6, -5.871798454,
     {-0.304521512, -0.748406339, -1.115575635, -0.678563420, -0.468433308,
      -0.803902681}},
    {"ModulatedConv2d", "out=2, upsample=true", 2, {IMAGES, STYLE}, false, 0, 12,
     -20.736004249, {-0.734145669, -0.592602078, -0.574172202, -0.650369603,
     -0.695546288, -0.596097445, -0.607504370, -0.649051457, -0.667215556, -0.621732825,
     -0.632822965, -0.587192580}},
    {"ModulatedConv2d", "out=2, upsample=true, kernel={1,3}, demodulate=false", 2,
     {IMAGES, STYLE}, false, 0, 12, -19.048589706, {-0.669414520, -0.509300232,
     -0.555282593, -0.597900391, -0.722461700, -0.521736145, -0.581806183, -0.623390198,
     -0.798946381, -0.623741150, -0.681331635, -0.692436218}},
    {"ModulatedConv2d", "out=2, upsample=true, kernel={5,1}", 2, {IMAGES, STYLE}, false,
     0, 12, -19.083223412, {-0.724849007, -0.710534376, -0.615339112, -0.582056110,
     -0.778919889, -0.758125011, -0.613921995, -0.562615365, -0.742011867, -0.738838225,
     -0.654483029, -0.615479074}},
    {"ModulatedConv2d", "out=2, upsample=true, kernel=7", 2, {IMAGES, STYLE}, false, 0,
     12, -18.756118241, {-0.631277300, -0.607537999, -0.625794339, -0.655453039,
     -0.712649955, -0.633909390, -0.622746006, -0.647332378, -0.767261904, -0.674236695,
     -0.630498668, -0.623333907}},
    {"ModulatedConv2d", "out=2, demodulate=false", 2, {IMAGES, STYLE}, false, 0, 6,
     -6.205093384, {-0.169616699, -0.800354004, -1.322082520, -0.701110840,
     -0.402526855, -0.879211426}},
    {"ConditionalBatchNorm", "classes=3", 2, {{0, 4, {3, 2, 2, 1}}}, true, 0, 12,
     -2.793422635, {-0.146214306, -0.395642847, 1.153614596, -0.351040739,
     0.017816324, -0.222704055, -0.826303208, -0.298696792, -1.290142777,
     -0.728928559, -0.331344107, 0.626163834}},
    {"ConditionalBatchNorm", "", 2, {{0, 4, {3, 2, 2, 1}}, {3, 2, {3, 4}}}, false, 0, 12,
     -2.512917640, {-0.870383823, 0.446910661, -0.901094593, 0.825839371, 0.187672811,
     -2.082238267, 0.362816967, -0.714379467, 0.544112767, -0.267643513, -1.620961571,
     1.576431017}},
    {"AdaIN", "", 2, {IMAGES, STYLE}, false, 0, 12, 6.234375, {-0.817098022,
     -0.347162127, -0.649263774, -0.179327879, -0.481429526, -0.783531172, 1.396612394,
     -1.351194195, 2.923171610, 0.175365021, -2.572441568, 1.701924237}},
    {"ProjectionHead", "classes=3", 2, {{0, 2, {3, 4}}}, true, 0, 3, -2.19140625,
     {-0.16796875, -1.45703125, -0.56640625}},
};

static void compare(const known_case *c, const lg_tensor *y)
{
    const double tolerance = sizeof(lg_real) == 8 ? 2e-9 : 2e-6;
    double sum = 0;
    for (int64_t k = 0; k < y->numel; k++)
        sum += (double)y->data[k];
    for (int k = 0; k < c->n && k < y->numel; k++)
        check(fabs((double)y->data[k] - c->y[k]) <= tolerance, "%s{%s}, result %d, "
              "number %d: %.9f, not %.9f", c->type, c->options, c->result, k,
              (double)y->data[k], c->y[k]);
    check(fabs(sum - c->sum) <= 10 * tolerance * (1 + fabs(c->sum)), "%s{%s}: sum %.9f, "
          "not %.9f", c->type, c->options, sum, c->sum);
}

static void set_parameters(lg_engine *E, lgi_layer *l)
{
    for (int i = 0; i < l->nparam; i++) {
        lg_tensor *p = l->param[i].value;
        if (!l->param[i].buffer)
            lg_copy(E, p, pattern(E, 5 * (i + 1), p->ndim, p->dim));
    }
}

static void check_known_numbers(void)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const known_case *c = &known[i];
        lg_tensor *in[3] = {NULL};
        lg_engine *E;
        lg_open(&E, NULL);
        lgi_layer *l = open_layer(E, c->type, c->options);
        for (int k = 0; k < c->nin; k++)
            in[k] = pattern(E, c->in[k].from, c->in[k].ndim, c->in[k].dim);
        if (c->labels)
            in[1] = lg_from(E, 1, (int64_t[]){3}, (lg_real[]){2, 3, 1});
        if (l && lgi_call_layer(E, l, c->nin, in)) {
            set_parameters(E, l);
            lg_tensor *y = lgi_call_layer(E, l, c->nin, in);
            if (y && check(l->nout > c->result, "%s: %d results", c->type, l->nout))
                compare(c, &y[c->result]);
        }
        check(E->status == LG_OK, "%s", lg_message(E));
        lgi_release_layer(l);
        check(lg_close(E) == 0, "%s leaks", c->type);
    }
}

/* What a layer begins as: the plain normalization, and a style of one. */
static void check_beginnings(void)
{
    lg_engine *E;
    lg_open(&E, NULL);
    lg_tensor *x = pattern(E, 0, 4, (int64_t[]){3, 2, 2, 1});
    lg_tensor *labels = lg_from(E, 1, (int64_t[]){3}, (lg_real[]){1, 4, 2});
    lgi_layer *l = open_layer(E, "ConditionalBatchNorm", "classes=4");
    lgi_layer *plain = open_layer(E, "BatchNorm", "affine=false");
    for (int i = 0; i < 2; i++) {      /* in training, then by the running statistics */
        lg_tensor *y = lgi_call_layer(E, l, 2, (lg_tensor *[]){x, labels});
        lg_tensor *z = lgi_run_layer(E, plain, x);
        check(y && z && memcmp(y->data, z->data, 12 * sizeof *y->data) == 0,
              "conditional batch norm does not begin as batch norm, %d: %s", i,
              lg_message(E));
        l->training = plain->training = false;
    }
    const lg_tensor *mean = lgi_layer_param(l, "running_mean");
    const lg_tensor *var = lgi_layer_param(l, "running_var");
    check(fabs((double)mean->data[0] + 0.0104166667) < 1e-6
          && fabs((double)var->data[1] - 0.9 - 0.0191796875) < 1e-6,
          "running statistics: %g, %g", (double)mean->data[0], (double)var->data[1]);
    l = open_layer(E, "ModulatedConv2d", "out=2, equalized=true");
    lgi_call_layer(E, l, 2, (lg_tensor *[]){x, pattern(E, 0, 2, (int64_t[]){3, 5})});
    check(lgi_layer_param(l, "style_bias")->data[1] == 1
          && lgi_layer_param(l, "bias")->data[0] == 0, "its biases");
    check(lg_close(E) == 0, "layers go with the engine");
}

static lg_tensor *input_of(lg_engine *E, const char *text)
{
    lg_tensor *t = NULL;
    int64_t dim[LG_MAX_DIM];
    int ndim = 0;
    char *end;
    if (*text == '[') {                /* labels: "[1 2 11]" */
        lg_real number[8];
        for (text++; *text && *text != ']' && ndim < 8; text = end + (*end == ' '))
            number[ndim++] = (lg_real)strtod(text, &end);
        return lg_from(E, 1, (int64_t[]){ndim}, number);
    }
    for (; *text && ndim < LG_MAX_DIM; text = end + (*end == ','))
        dim[ndim++] = strtoll(text, &end, 10);
    t = pattern(E, 0, ndim, dim);
    return t;
}

typedef struct refusal {
    const char *type, *options;
    const char *first[3];              /* inputs that it is built for; none: no call */
    const char *second[3];             /* those that are refused, if there are any */
    const char *says;
} refusal;

static const refusal refusals[] = {
    {"ConditionalBatchNorm", "classes=-1", {0}, {0},
     "ConditionalBatchNorm: classes must be 0 or more, not -1"},
    {"ConditionalBatchNorm", "classes=2, spectral=true", {0}, {0},
     "are for the map of a vector, and labels have none; leave out classes, or them"},
    {"ConditionalBatchNorm", "momentum=2", {0}, {0},
     "momentum must be from 0 to 1, not 2"},
    {"ConditionalBatchNorm", "eps=-1", {0}, {0}, "eps must be 0 or more, not -1"},
    {"ConditionalBatchNorm", "classes=10", {"3,4,2,2", "[1 11 10]"}, {0},
     "G.norm (ConditionalBatchNorm): label 11 is out of 1..10: number 2 of {3}"},
    {"ConditionalBatchNorm", "classes=10", {"3,4,2,2", "[1 2 0]"}, {0},
     "label 0 is out of 1..10: number 3 of {3}; labels count from 1"},
    {"ConditionalBatchNorm", "classes=10", {"3,4", "[1 2.5 3]"}, {0},
     "label 2.5, number 2 of {3}, is no whole number"},
    {"ConditionalBatchNorm", "classes=10", {"3,4", "[nan 2 3]"}, {0},
     "label nan is out of 1..10: number 1 of {3}"},
    {"ConditionalBatchNorm", "classes=10", {"3,4", "[1 2]"}, {0},
     "labels must be {3}, a whole number for each sample, got {2}"},
    {"ConditionalBatchNorm", "classes=10", {"3,4", "3,10"}, {0},
     "got {3,10}; of one-hot rows take argmax(2)"},
    {"ConditionalBatchNorm", "", {"3,4", "[1 2 3]"}, {0},
     "must be {3,features}, got {3}; for labels give classes, how many there are"},
    {"ConditionalBatchNorm", "", {"3,4", "2,5"}, {0},
     "must be {3,features}, a vector for each sample, got {2,5}"},
    {"ConditionalBatchNorm", "", {"3,4", "3,5"}, {"3,4", "3,6"},
     "was built for vectors of 5 features, got 6 in {3,6}"},
    {"ConditionalBatchNorm", "classes=2", {"3,4", "[1 2 1]"}, {"3,5", "[1 2 1]"},
     "was built for 4 input channels, got 5 in {3,5}"},
    {"ConditionalBatchNorm", "classes=2", {"1,4", "[1]"}, {0},
     "{1,4} has one number a channel, and in training the variance needs two"},
    {"ConditionalBatchNorm", "classes=2", {"3,4"}, {0},
     "it takes x, y, 2 tensors, and got 1"},
    {"AdaIN", "eps=-2", {0}, {0}, "AdaIN: eps must be 0 or more, not -2"},
    {"AdaIN", "", {"2,3", "2,4"}, {0}, "{batch,channels,height,width}, got {2,3}"},
    {"AdaIN", "", {"2,3,1,1", "2,4"}, {0},
     "{2,3,1,1} has one number a channel of a sample, and normalizing it leaves nothing"},
    {"AdaIN", "", {"2,3,2,2", "3,4"}, {0}, "must be {2,features}, a vector for each"},
    {"AdaIN", "", {"2,3,2,2", "2,4"}, {"2,2,2,2", "2,4"},
     "was built for 3 input channels"},
    {"AdaIN", "", {"2,3,2,2", "2,4"}, {"2,3,2,2", "2,5"}, "was built for vectors of 4"},
    {"ProjectionHead", "classes=0", {0}, {0}, "classes must be 1 or more, not 0"},
    {"ProjectionHead", "classes=3", {"2,3,4,4", "[1 2]"}, {0},
     "G.norm (ProjectionHead): expected {batch,features}, got {2,3,4,4}; put \"flat"},
    {"ProjectionHead", "classes=3", {"2,3", "[1 4]"}, {0},
     "label 4 is out of 1..3: number 2 of {2}"},
    {"ProjectionHead", "classes=3", {"2,3", "[1 2]"}, {"2,4", "[1 2]"},
     "was built for 3 input features, got 4 in {2,4}"},
    {"ModulatedConv2d", "out=0", {0}, {0}, "out must be 1 or more, not 0"},
    {"ModulatedConv2d", "out=2, kernel=4", {0}, {0},
     "kernel must be odd, so that images keep their size, and is {4,4}"},
    {"ModulatedConv2d", "out=2, equalized=true, init=xavier", {0}, {0},
     "an equalized weight begins at N(0, 1); leave out init, which is 'xavier'"},
    {"ModulatedConv2d", "out=2", {"2,3", "2,4"}, {0}, "height,width}, got {2,3}"},
    {"ModulatedConv2d", "out=2, upsample=true", {"2,3,0,4", "2,4"}, {0},
     "images must be 1x1 or larger, got {2,3,0,4}"},
    {"ModulatedConv2d", "out=2, kernel=1025", {0}, {0},
     "its weight would have more than 2^40 numbers, or a kernel of more than 1023"},
    {"ModulatedConv2d", "out=2", {"2,3,4,4", "2"}, {0},
     "must be {2,features}, a vector for each sample, got {2}"},
    {"ModulatedConv2d", "out=2", {"2,3,4,4", "2,5"}, {"2,2,4,4", "2,5"},
     "G.norm (ModulatedConv2d): was built for 3 input channels, got 2"},
    {"GRUCell", "hidden=0", {0}, {0}, "GRUCell: hidden must be 1 or more, not 0"},
    {"GRUCell", "hidden=2", {"2,5,3"}, {0},
     "expected {batch,features}, a step of a sequence, got {2,5,3}"},
    {"GRUCell", "hidden=2", {"2,3"}, {"2,4"}, "was built for 3 input features, got 4"},
    {"GRUCell", "hidden=2", {"2,3", "2,3"}, {0},
     "its state h must be {2,2}, {batch,hidden}, for x {2,3}, got {2,3}"},
    {"LSTMCell", "hidden=2", {"2,3", "2,2", "3,2"}, {0},
     "G.norm (LSTMCell): its state c must be {2,2}, {batch,hidden}, for x {2,3}, got {3"},
    {"LSTMCell", "hidden=2, init=x", {0}, {0}, "there is no initializer 'x'"},
};

static lg_tensor *call_with(lg_engine *E, lgi_layer *l, const char *const text[3])
{
    lg_tensor *in[3] = {NULL};
    int n = 0;
    for (; n < 3 && text[n]; n++)
        in[n] = input_of(E, text[n]);
    return n ? lgi_call_layer(E, l, n, in) : NULL;
}

/* What is refused at first leaves a layer that anything can still build. */
static void check_refusals(void)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const refusal *r = &refusals[i];
        lg_engine *E;
        lg_open(&E, NULL);
        lgi_layer *l = open_layer(E, r->type, r->options);
        if (l) {
            lgi_name_layer(l, "G.norm");
            call_with(E, l, r->first);
            if (r->second[0]) {
                check(E->status == LG_OK, "%s", lg_message(E));
                call_with(E, l, r->second);
            }
            check(l->built == (r->second[0] != NULL), "%s: %s", r->type, r->says);
        }
        check(E->status < 0, "%s{%s}: nothing was refused: %s", r->type, r->options,
              r->says);
        check_text(lg_message(E), r->says);
        lgi_release_layer(l);
        check(lg_close(E) == 0, "%s leaks after '%s'", r->type, r->says);
    }
}

/* Every allocation fails in turn. */
static void check_failing_layer(const char *type, const char *options,
                                const char *const text[3])
{
    bool failed = true;
    for (int n = 1; failed && n < 2000; n++) {
        failing f = {.at = n};
        lg_allocator a = {&f, failing_alloc, failing_free};
        lg_config config = LG_CONFIG_INIT;
        lg_engine *E;
        config.allocator = &a;
        config.no_cache = true;
        if (lg_open(&E, &config) != LG_OK)
            continue;
        lgi_layer *l = open_layer(E, type, options);
        if (l)
            call_with(E, l, text);
        failed = E->status < 0;
        check(!failed || E->status == LG_ENOMEM, "%s, allocation %d: %s", type, n,
              lg_message(E));
        check(!l || failed == !l->built, "%s, allocation %d: half built", type, n);
        lgi_release_layer(l);
        check(lg_close(E) == 0, "%s, allocation %d leaks", type, n);
    }
    check(!failed, "%s never succeeds", type);
}

static void check_failing_allocations(void)
{
    check_failing_layer("ConditionalBatchNorm", "classes=3",
                        (const char *[3]){"3,2,2,2", "[1 3 2]"});
    check_failing_layer("ConditionalBatchNorm", "spectral=true",
                        (const char *[3]){"3,2,2,2", "3,4"});
    check_failing_layer("AdaIN", "equalized=true", (const char *[3]){"2,3,2,2", "2,4"});
    check_failing_layer("ProjectionHead", "classes=3", (const char *[3]){"2,3", "[1 2]"});
    check_failing_layer("ModulatedConv2d", "out=2, upsample=true, equalized=true",
                        (const char *[3]){"2,3,2,2", "2,4"});
    check_failing_layer("LSTMCell", "hidden=3", (const char *[3]){"2,3"});
    check_failing_layer("GRUCell", "hidden=3", (const char *[3]){"2,3", "2,3"});
}

int main(void)
{
    check_known_numbers();
    check_beginnings();
    check_refusals();
    check_failing_allocations();
    return report();
}
