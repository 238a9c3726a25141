/* sample.c - test inputs from a line of a descriptor: "2,3; 3,1 positive; slope=0.5". */
#include "base/random.h"
#include "grad/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One number of a kind, from u in [0, 1). */
static double sample_number(const char *kind, double u, int64_t i)
{
    if (strncmp(kind, "positive", 8) == 0)
        return 0.5 + 2 * u;
    if (strncmp(kind, "probability", 11) == 0)
        return 0.1 + 0.8 * u;
    if (strncmp(kind, "middle", 6) == 0)
        return 0.3 + 0.4 * u;
    if (strncmp(kind, "index<", 6) == 0)
        return floor(u * atof(kind + 6)) + 1;
    if (strncmp(kind, "distinct", 8) == 0)     /* 0.1 apart at least */
        return (double)((i * 7919) % 1009) * 0.1 - 5 + 0.01 * u;
    if (strncmp(kind, "away", 4) == 0)         /* a tenth off any whole number */
        return floor(4 * u) - 2 + 0.1 + 0.8 * fmod(u * 1000, 1);
    return 4 * u - 2;
}

/* Makes each matrix b of the last two axes symmetric positive definite: b b^T / n, plus
 * 1 .. n on the diagonal, so that the eigenvalues are apart. */
static void make_spd(lg_engine *E, lg_tensor *t)
{
    int64_t n = t->ndim < 2 ? 0 : t->dim[t->ndim - 1];
    lg_tensor *b = n ? lg_zeros(E, t->ndim, t->dim) : NULL;
    if (!b || t->dim[t->ndim - 2] != n)
        return;
    memcpy(b->data, t->data, (size_t)t->numel * sizeof *t->data);
    for (int64_t at = 0; at < t->numel; at += n * n)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                lg_real sum = i == j ? (lg_real)(i + 1) : 0;
                for (int64_t k = 0; k < n; k++)
                    sum += b->data[at + i * n + k] * b->data[at + j * n + k] / (lg_real)n;
                t->data[at + i * n + j] = sum;
            }
}

/* "2,3 positive": a shape, "-" for no axes, and a kind. */
static lg_tensor *sample_input(lg_engine *E, const char *text, int which, bool *smooth)
{
    int64_t dim[LG_MAX_DIM];
    int ndim = 0;
    const char *p = text;
    while (*p >= '0' && *p <= '9' && ndim < LG_MAX_DIM) {
        char *end;
        dim[ndim++] = strtoll(p, &end, 10);
        p = *end == ',' ? end + 1 : end;
    }
    p += *p == '-';
    const char *kind = p + strspn(p, " ");
    char name[32];
    snprintf(name, sizeof name, "sample:%d", which);
    lgi_stream s = lgi_named_stream(E, name);
    lg_tensor *t = lgi_make(E, ndim, dim);
    for (int64_t i = 0; t && i < t->numel; i++)
        t->data[i] = (lg_real)sample_number(kind, lgi_uniform_at(s, (uint64_t)i), i);
    if (t && strncmp(kind, "spd", 3) == 0)
        make_spd(E, t);
    *smooth = strncmp(kind, "index", 5) != 0;
    return t;
}

lg_status lgi_sample_inputs(lg_engine *E, const char *who, const char *text,
                            lgi_sample *s, char options[LGI_SAMPLE_TEXT])
{
    char copy[LGI_SAMPLE_TEXT], *save = NULL;
    lg_seed(E, 1);                     /* the same numbers, whatever was drawn before */
    memset(s, 0, sizeof *s);
    s->text = text;
    options[0] = 0;
    if (strlen(text) >= sizeof copy)
        return lgi_fail(E, LG_EARG, "%s: too long a sample: %s", who, text);
    strcpy(copy, text);
    for (char *part = strtok_r(copy, ";", &save); part;
         part = strtok_r(NULL, ";", &save)) {
        part += strspn(part, " ");
        if (strchr(part, '=')) {
            strcpy(options, part);
            break;
        }
        if (s->nin == LGI_MAX_IN)
            return lgi_fail(E, LG_EARG, "%s: too many inputs in '%s'", who, text);
        bool none = strncmp(part, "none", 4) == 0;
        s->in[s->nin] = none ? NULL : sample_input(E, part, s->nin, &s->smooth[s->nin]);
        s->nin++;
    }
    return E->status;
}

lg_status lgi_make_sample(lg_engine *E, const lg_op *op, const char *text, lgi_sample *s)
{
    lgi_signature sig;
    char options[LGI_SAMPLE_TEXT];
    if (!lgi_read_signature(op->args, &sig))
        return lgi_fail(E, LG_EARG, "%s: a malformed line: %s", op->name, op->args);
    if (lgi_sample_inputs(E, op->name, text, s, options) < 0)
        return E->status;
    s->op = op;
    if (s->nin < sig.required)
        return lgi_fail(E, LG_EARG, "%s: the sample '%s' lacks inputs", op->name, text);
    if (!sig.listed)
        s->nin = sig.nin;
    return lgi_parse_attrs(E, op->name, &sig, options, s->attr);
}

lg_tensor *lgi_apply_sample(lg_engine *E, const lgi_sample *s, uint32_t tracked,
                            lg_tensor *leaf[LGI_MAX_IN])
{
    lg_seed(E, 7);
    for (int i = 0; i < s->nin; i++) {
        bool on = s->in[i] && s->smooth[i] && tracked >> i & 1;
        leaf[i] = on ? lg_track(E, s->in[i]) : s->in[i];
    }
    return lgi_apply(E, s->op, s->nin, leaf, s->attr);
}
