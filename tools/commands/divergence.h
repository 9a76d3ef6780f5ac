/* divergence.h - how far the predictions of one model are from those of another, the base: numbers
 * over all positions of a text. No files, no printing. */
#ifndef TRIT_TOOLS_DIVERGENCE_H
#define TRIT_TOOLS_DIVERGENCE_H

#include "trit.h"

struct divergence {
    double *kl;     /* of each position */
    double *change; /* of ln p of the right token, from the base to the other */
    int64_t n;
    double *p, *q; /* of the position at hand: the base's probabilities and the other's */
    int32_t n_vocab;
    int64_t n_same_top;
    double base_nll; /* summed */
};

/* Room for so many positions. @return false: out of memory; free either way. */
bool divergence_init(struct divergence *d, int64_t n_positions, int32_t n_vocab);
void divergence_free(struct divergence *d);

/* One position, of at most n_positions: the logits of both, [n_vocab], finite; the token that came
 * next. The divergence is sum p_i ln(p_i / q_i) with p of the base, in double, exact even where it
 * is tiny, and 0 where both are the same. */
void divergence_add(struct divergence *d, const float *base, const float *logits, int32_t id);

/* A mean's stderr is the standard deviation of one value, of n - 1, divided by sqrt(n); of a single
 * value 0. Percentiles lie between two values in proportion. */
struct divergence_summary {
    double kl_mean, kl_stderr, kl_median, kl_p99, kl_max;
    double same_top; /* 0..1: positions at which both have the same most likely token */
    double lnp_change, lnp_change_stderr;
    double ppl_base, ppl_ratio; /* the other's to the base's */
};

/* Of all positions, at least one. Sorts them. */
void divergence_summarise(struct divergence *d, struct divergence_summary *out);

#endif
