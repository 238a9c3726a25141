/* layer.c - the life of a layer: made from options, built by its first input, run. */
#include "nn/layer.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const lgi_layer_type *lgi_each_layer(int *family, int *member)
{
    for (; lgi_layer_families[*family]; ++*family, *member = 0)
        if (lgi_layer_families[*family][*member])
            return lgi_layer_families[*family][(*member)++];
    return NULL;
}

const lgi_layer_type *lgi_find_layer(const char *name)
{
    int family = 0, member = 0;
    const lgi_layer_type *type;
    while ((type = lgi_each_layer(&family, &member)))
        if (strcmp(type->name, name) == 0)
            break;
    return type;
}

bool lgi_layer_options(const lgi_layer_type *type, lgi_signature *s, size_t *bytes)
{
    bool ok = lgi_read_signature(type->args ? type->args : type->op->args, s);
    *bytes = type->args ? type->attr_bytes : type->op->attr_bytes;
    if (!type->args)
        s->nin = s->required = 0;      /* the operator's inputs are no options */
    return ok && s->nin == 0 && s->bytes <= *bytes;
}

lg_status lgi_layer_fail(lg_engine *E, lg_status status, const lgi_layer *l,
                         const char *format, ...)
{
    char text[LGI_MESSAGE];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return strcmp(l->path, l->type->name) == 0
               ? lgi_fail(E, status, "%s: %s", l->path, text)
               : lgi_fail(E, status, "%s (%s): %s", l->path, l->type->name, text);
}

lg_status lgi_layer_need(lg_engine *E, const lgi_layer *l, const char *option,
                         int64_t value, int64_t least)
{
    if (value < least)
        return lgi_layer_fail(E, LG_EARG, l, "%s must be %lld or more, not %lld", option,
                              (long long)least, (long long)value);
    if (value > LGI_MAX_NUMEL)
        return lgi_layer_fail(E, LG_EARG, l, "%s is %lld, more than a tensor can have",
                              option, (long long)value);
    return LG_OK;
}

/* The operator's attributes: options of the same name, and defaults for the others. */
static lg_status fill_op_attrs(lg_engine *E, lgi_layer *l, const lgi_signature *options)
{
    const lg_op *op = l->type->op;
    lgi_signature s;
    uint32_t given = 0;
    if (!lgi_read_signature(op->args, &s))
        return lgi_fail(E, LG_EARG, "%s: its args are malformed: %s", op->name, op->args);
    for (int i = 0; i < s.nattr; i++) {
        const lgi_attr *to = &s.attr[i], *from;
        int k = lgi_find_attr(options, to->name, strlen(to->name));
        size_t end = i + 1 < s.nattr ? s.attr[i + 1].offset : s.bytes;
        from = k < 0 ? NULL : &options->attr[k];
        if (!from || from->type != to->type)
            continue;
        memcpy((char *)l->op_attr + to->offset, (char *)l->attr + from->offset,
               end - to->offset);
        given |= (uint32_t)1 << i;
    }
    return lgi_default_attrs(E, op->name, &s, l->op_attr, given);
}

static lg_status check_options(lg_engine *E, lgi_layer *l, const lgi_signature *options)
{
    int init = lgi_find_attr(options, "init", 4);
    if (l->type->op && fill_op_attrs(E, l, options) < 0)
        return E->status;
    if (init >= 0) {
        const lgi_text *text = (void *)((char *)l->attr + options->attr[init].offset);
        if (lgi_check_initializer(E, l->type->name, text->s) < 0)
            return E->status;
    }
    return l->type->check ? l->type->check(E, l) : LG_OK;
}

/* How many inputs and results the type's lines name. */
static void count_ends(lgi_layer *l)
{
    lgi_signature ends;
    lgi_read_signature(l->type->inputs ? l->type->inputs : "x", &ends);
    l->nin = ends.nin;
    l->required = ends.required;
    lgi_read_signature(l->type->results ? l->type->results : "y", &ends);
    l->nout = ends.nin;
}

static void destroy_layer(lg_engine *E, lgi_owned *o)
{
    lgi_layer *l = (lgi_layer *)o;
    lgi_disown(o);
    lgi_free(E, l, l->bytes);
}

lgi_layer *lgi_new_layer(lg_engine *E, const lgi_layer_type *type, const void *attr)
{
    enum { ALIGN = 16 };
    lgi_signature options;
    size_t head = (sizeof(lgi_layer) + ALIGN - 1) / ALIGN * ALIGN, attr_bytes;
    if (E->status < 0)
        return NULL;
    if (!lgi_layer_options(type, &options, &attr_bytes)) {
        lgi_fail(E, LG_EARG, "%s: its args are malformed", type->name);
        return NULL;
    }
    size_t body = (attr_bytes + ALIGN - 1) / ALIGN * ALIGN;
    size_t bytes = head + body + (type->op ? type->op->attr_bytes : 0);
    lgi_layer *l = lgi_alloc0(E, bytes);
    if (!l)
        return NULL;
    l->engine = E;
    l->refs = 1;
    l->type = type;
    count_ends(l);
    l->attr = (char *)l + head;
    l->op_attr = (char *)l + head + body;
    l->training = true;
    l->bytes = bytes;
    if (attr_bytes)
        memcpy(l->attr, attr, attr_bytes);
    lgi_own(E, &l->owned, destroy_layer);
    lgi_name_layer(l, type->name);
    if (check_options(E, l, &options) == LG_OK)
        return l;
    lgi_release_layer(l);
    return NULL;
}

lg_status lgi_name_layer(lgi_layer *l, const char *path)
{
    if (strlen(path) > LGI_MAX_PATH)
        return lgi_fail(l->engine, LG_EARG, "%s: a layer's path has at most %d "
                        "characters; give the nets around it shorter names", path,
                        LGI_MAX_PATH);
    strcpy(l->path, path);
    return LG_OK;
}

void lgi_retain_layer(lgi_layer *l) { l->refs++; }

static void release_params(lgi_layer *l)
{
    for (int i = 0; i < l->nparam; i++)
        lg_release(l->param[i].value);
    l->nparam = 0;
}

void lgi_release_layer(lgi_layer *l)
{
    if (!l || --l->refs > 0)
        return;
    release_params(l);
    destroy_layer(l->engine, &l->owned);
}

lg_tensor *lgi_layer_param(const lgi_layer *l, const char *name)
{
    for (int i = 0; i < l->nparam; i++)
        if (strcmp(l->param[i].name, name) == 0)
            return l->param[i].value;
    return NULL;
}

/* Takes t over, in the order of the names. */
static lg_status keep_param(lgi_layer *l, const char *name, lg_tensor *t, bool buffer)
{
    int i = l->nparam;
    if (!t)
        return l->engine->status;
    if (i == LGI_MAX_PARAM) {
        lg_release(t);
        return lgi_layer_fail(l->engine, LG_EARG, l, "it has more than %d parameters",
                              LGI_MAX_PARAM);
    }
    for (; i > 0 && strcmp(l->param[i - 1].name, name) > 0; i--)
        l->param[i] = l->param[i - 1];
    l->param[i] = (lgi_param){.value = t, .buffer = buffer};
    snprintf(l->param[i].name, sizeof l->param[i].name, "%s", name);
    l->nparam++;
    return LG_OK;
}

/* A tensor that no scope owns. */
static lg_tensor *new_param(lg_engine *E, int ndim, const int64_t *dim)
{
    lg_tensor *t = E->status < 0 ? NULL : lgi_new(E, 1);
    if (t && (lgi_set_dims(t, ndim, dim) < 0 || lgi_allocate(t) < 0)) {
        lg_release(t);
        t = NULL;
    }
    return t;
}

lg_status lgi_declare(lg_engine *E, lgi_layer *l, const char *name, int ndim,
                      const int64_t *dim, const char *init, int64_t fan_in,
                      int64_t fan_out)
{
    char stream[LGI_MAX_PATH + 64];
    lg_tensor *t = new_param(E, ndim, dim);
    snprintf(stream, sizeof stream, "init:%s.%s", l->path, name);
    if (t && lgi_initialize(E, l->path, init, t, stream, fan_in, fan_out) < 0) {
        lg_release(t);
        t = NULL;
    }
    if (t)
        t->tracked = true;
    return keep_param(l, name, t, false);
}

lg_status lgi_declare_buffer(lg_engine *E, lgi_layer *l, const char *name, int ndim,
                             const int64_t *dim, double value)
{
    lg_tensor *t = new_param(E, ndim, dim);
    for (int64_t i = 0; t && i < t->numel; i++)
        t->data[i] = (lg_real)value;
    return keep_param(l, name, t, true);
}

lg_tensor *lgi_apply_layer_op(lg_engine *E, const lgi_layer *l, int n,
                              lg_tensor *const *in)
{
    return lgi_apply(E, l->type->op, n, in, l->op_attr);
}

static lg_status build_layer(lg_engine *E, lgi_layer *l, const lg_tensor *x)
{
    if (!l->built && l->type->build && l->type->build(E, l, x) < 0) {
        release_params(l);
        return E->status;
    }
    l->built = true;
    return LG_OK;
}

/* An operator's message does not know in which layer it was. */
static void add_path(lg_engine *E, const lgi_layer *l)
{
    char text[LGI_MESSAGE];
    lg_status status = E->status;
    bool shape = status == LG_ESHAPE || status == LG_EARG;
    if (!shape || strncmp(E->message, l->path, strlen(l->path)) == 0)
        return;
    memcpy(text, E->message, sizeof text);
    lg_clear(E);
    lgi_layer_fail(E, status, l, "%s", text);
}

/* Refuses what are not the inputs, and notes them. */
static lg_status take_inputs(lg_engine *E, lgi_layer *l, int n, lg_tensor *const *in)
{
    int given = 0;
    while (given < n && in[given])
        given++;
    if (E->status < 0)
        return E->status;
    if (given < l->required || n > l->nin)
        return lgi_layer_fail(E, LG_EARG, l, "it takes %s, %s%d tensor%s, and got %d",
                              l->type->inputs ? l->type->inputs : "x",
                              l->required < l->nin ? "at least " : "", l->required,
                              l->required == 1 ? "" : "s",
                              given < l->required ? given : n);
    memset(l->in, 0, sizeof l->in);
    memcpy(l->in, in, (size_t)n * sizeof *in);
    return LG_OK;
}

lg_tensor *lgi_call_layer(lg_engine *E, lgi_layer *l, int n, lg_tensor *const *in)
{
    bool first = !l->built;
    lg_tensor *y = NULL;
    if (take_inputs(E, l, n, in) == LG_OK && build_layer(E, l, in[0]) == LG_OK)
        y = l->type->forward ? l->type->forward(E, l, in[0])
                             : lgi_apply_layer_op(E, l, l->nin, l->in);
    if (!y && first && l->built) {     /* an input that did not pass decides nothing */
        release_params(l);
        l->built = false;
    }
    if (!y)
        add_path(E, l);
    memset(l->in, 0, sizeof l->in);
    return y;
}

lg_tensor *lgi_run_layer(lg_engine *E, lgi_layer *l, lg_tensor *x)
{
    return x ? lgi_call_layer(E, l, 1, &x) : NULL;
}

lgi_layer *lgi_clone_layer(const lgi_layer *l, bool tracked)
{
    lg_engine *E = l->engine;
    lgi_layer *to = lgi_new_layer(E, l->type, l->attr);
    if (!to)
        return NULL;
    memcpy(to->path, l->path, sizeof l->path);
    for (int i = 0; i < l->nparam && E->status == LG_OK; i++) {
        const lgi_param *p = &l->param[i];
        lg_tensor *t = new_param(E, p->value->ndim, p->value->dim);
        if (t && lg_copy(E, t, p->value) == LG_OK)
            t->tracked = tracked && !p->buffer;
        keep_param(to, p->name, t, p->buffer);
    }
    to->built = l->built;
    to->training = l->training;
    if (E->status == LG_OK)
        return to;
    lgi_release_layer(to);
    return NULL;
}
