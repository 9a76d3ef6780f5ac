/* divergence.h - the KL divergence of a model's predictions from a base model's, over a text. */
#ifndef TRIT_TOOLS_DIVERGENCE_H
#define TRIT_TOOLS_DIVERGENCE_H

#include "trit.h"

struct divergence {
    double *kl;     /* at each position */
    double *change; /* in ln p of the next token, from the base to the other model */
    int64_t n;
    double *p, *q; /* at the current position: probabilities of the base and of the other model */
    int32_t n_vocab;
    int64_t n_same_top;
    double base_nll; /* summed */
};

/* @return false: out of memory; free either way. */
bool divergence_init(struct divergence *d, int64_t n_positions, int32_t n_vocab);
void divergence_free(struct divergence *d);

/* Add a position, at most n_positions: finite logits [n_vocab] of both, and the next token. The
 * divergence is sum p_i ln(p_i / q_i) with p of the base, in double; it is accurate even if tiny,
 * and 0 if both are equal. */
void divergence_add(struct divergence *d, const float *base, const float *logits, int32_t id);

/* The stderr of a mean is the sample standard deviation divided by sqrt(n); 0 for a single value.
 * Percentiles are interpolated linearly. */
struct divergence_summary {
    double kl_mean, kl_stderr, kl_median, kl_p99, kl_max;
    double same_top; /* 0..1: positions at which both have the same most likely token */
    double lnp_change, lnp_change_stderr;
    double ppl_base, ppl_ratio; /* ratio: of the other model to the base */
};

/* Needs at least one position. Sorts d->kl. */
void divergence_summarize(struct divergence *d, struct divergence_summary *out);

#endif
