/*
 * anomaly.c - the first NaN or Inf is a failure, which names who made it.
 *
 * What a walk computes is made by operators, too, so one check after each of them finds a
 * NaN on the way back as well.
 */
#include "op/op.h"

#include <math.h>
#include <stdio.h>

typedef struct tally {
    int64_t nan, inf;
    double least, most, mean;          /* of the finite ones */
} tally;

static tally count_anomalies(const lg_tensor *t)
{
    tally c = {0, 0, INFINITY, -INFINITY, 0};
    for (int64_t i = 0; i < t->numel; i++) {
        double x = (double)t->data[i];
        c.nan += isnan(x) != 0;
        c.inf += isinf(x) != 0;
        if (!isfinite(x))
            continue;
        c.least = x < c.least ? x : c.least;
        c.most = x > c.most ? x : c.most;
        c.mean += x;
    }
    int64_t finite = t->numel - c.nan - c.inf;
    c.mean = finite ? c.mean / (double)finite : NAN;
    return c;
}

/* "; x {2,3} from -1 to 2, mean 0.5, 1 NaN" for each input. */
static void describe_inputs(const lgi_node *n, char *to, size_t size)
{
    size_t at = 0;
    char name[16];
    to[0] = 0;
    for (int i = 0; i < n->nin && i < 8; i++) {
        if (!n->in[i])
            continue;
        tally c = count_anomalies(n->in[i]);
        int k = snprintf(to + at, size - at, "; %s %s from %.4g to %.4g, mean %.4g",
                         lgi_input_name(n, i, name), LGI_SHAPE(n->in[i]), c.least, c.most,
                         c.mean);
        at += k > 0 && (size_t)k < size - at ? (size_t)k : 0;
        if (c.nan || c.inf)
            k = snprintf(to + at, size - at, ", %lld NaN, %lld Inf", (long long)c.nan,
                         (long long)c.inf);
        at += (c.nan || c.inf) && k > 0 && (size_t)k < size - at ? (size_t)k : 0;
    }
}

lg_status lgi_check_anomaly(lg_engine *E, const lgi_node *n)
{
    char inputs[640];
    for (int k = 0; k < n->nout; k++) {
        tally c = count_anomalies(&n->out[k]);
        if (!c.nan && !c.inf)
            continue;
        describe_inputs(n, inputs, sizeof inputs);
        const char *of = E->gradient_of, *in = of ? ", in the gradient of " : "";
        return lgi_fail(E, LG_EANOMALY, "anomaly: %s%s%s made %lld NaN and %lld Inf of "
                        "%lld numbers%s", n->op->name, in, of ? of : "", (long long)c.nan,
                        (long long)c.inf, (long long)n->out[k].numel, inputs);
    }
    return LG_OK;
}

void lg_anomaly(lg_engine *E, bool on) { E->anomaly = on; }
