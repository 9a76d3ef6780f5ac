/* hf_reference.h - what a checkpoint computes, in double and plain loops, from the tensors as the
 * folder has them and by the formulas of the models' own sources: the ground truth for what a
 * conversion makes of it. Knows neither GGUF nor anything of src/. */
#ifndef TRIT_TESTS_HF_REFERENCE_H
#define TRIT_TESTS_HF_REFERENCE_H

#include "checkpoint.h"

/* Logits [n, vocab] of each position, from the tensors and the spec of c, not from its config.json.
 * Release with free(). */
double *hf_logits(const struct ck *c, const int32_t *ids, int n);

/* How far logits [n_rows, n_cols] are from a reference. */
struct hf_distance {
    double kl;    /* mean Kullback-Leibler divergence */
    double top1;  /* how often the largest logit is the same one */
    double error; /* mean difference, in standard deviations of the reference */
    bool finite;  /* nothing that was measured is NaN or infinite */
};
struct hf_distance hf_compare(const double *reference, const float *measured, size_t n_rows,
                              size_t n_cols);

/* Whether that is what rounding explains: KL < 2e-3, top-1 >= 0.95, error < 0.02. */
bool hf_close(const struct hf_distance *d);

#endif
