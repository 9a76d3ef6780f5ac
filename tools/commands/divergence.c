/* divergence.c - see divergence.h. */
#include "divergence.h"

#include <math.h>
#include <stdlib.h>

#include "percentile.h"

bool divergence_init(struct divergence *d, int64_t n_positions, int32_t n_vocab)
{
    *d = (struct divergence){.n_vocab = n_vocab};
    d->kl = calloc((size_t)n_positions, sizeof *d->kl);
    d->change = calloc((size_t)n_positions, sizeof *d->change);
    d->p = calloc((size_t)n_vocab, sizeof *d->p);
    d->q = calloc((size_t)n_vocab, sizeof *d->q);
    return d->kl && d->change && d->p && d->q;
}

void divergence_free(struct divergence *d)
{
    free(d->kl);
    free(d->change);
    free(d->p);
    free(d->q);
    *d = (struct divergence){0};
}

/* ln of a probability is (logit - max) - log_sum. Two subtractions, because max + log_sum would
 * lose low digits if max is large. */
struct scale {
    double max, log_sum;
};

static double log_prob(float logit, struct scale s)
{
    return ((double)logit - s.max) - s.log_sum;
}

/* Probabilities of logits; logits[top] is the largest. */
static struct scale softmax(double *out, const float *logits, int32_t n, int32_t top)
{
    const double max = (double)logits[top];
    double sum = 0;

    for (int32_t i = 0; i < n; i++)
        sum += out[i] = exp((double)logits[i] - max);
    for (int32_t i = 0; i < n; i++)
        out[i] /= sum;
    return (struct scale){max, log(sum)};
}

/* p x + q - p with x = ln(p / q). Since p and q each sum to 1, these terms have the same sum as
 * p x, but none is negative, so small ones do not cancel. */
static double term(double p, double q, double x)
{
    if (fabs(x) >= 1.0 / 64)
        return fmax(p * x + (q - p), 0);
    /* p (exp(-x) - 1 + x), as a series */
    return p * x * x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5 * (1 - x / 6 * (1 - x / 7)))));
}

void divergence_add(struct divergence *d, const float *base, const float *logits, int32_t id)
{
    const int32_t n = d->n_vocab, top = trit_argmax(logits, n), base_top = trit_argmax(base, n);
    const struct scale p = softmax(d->p, base, n, base_top), q = softmax(d->q, logits, n, top);
    double kl = 0;

    for (int32_t i = 0; i < n; i++)
        kl += term(d->p[i], d->q[i], log_prob(base[i], p) - log_prob(logits[i], q));
    d->kl[d->n] = kl;
    d->change[d->n] = log_prob(logits[id], q) - log_prob(base[id], p);
    d->base_nll -= log_prob(base[id], p);
    d->n_same_top += top == base_top;
    d->n++;
}

static double mean(const double *x, int64_t n, double *standard_error)
{
    double sum = 0, squares = 0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    const double average = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - average) * (x[i] - average);
    *standard_error = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : 0;
    return average;
}

void divergence_summarize(struct divergence *d, struct divergence_summary *out)
{
    const double n = (double)d->n;

    sort_ascending(d->kl, d->n);
    out->kl_mean = mean(d->kl, d->n, &out->kl_stderr);
    out->kl_median = percentile(d->kl, d->n, 0.5);
    out->kl_p99 = percentile(d->kl, d->n, 0.99);
    out->kl_max = d->kl[d->n - 1];
    out->same_top = (double)d->n_same_top / n;
    out->lnp_change = mean(d->change, d->n, &out->lnp_change_stderr);
    out->ppl_base = exp(d->base_nll / n);
    out->ppl_ratio = exp(-out->lnp_change);
}
