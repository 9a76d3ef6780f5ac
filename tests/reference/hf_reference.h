/* hf_reference.h - the forward pass of a checkpoint in double and plain loops, from the tensors of
 * the folder and by the formulas of the models' own sources: the reference for converted models.
 * Independent of GGUF and of src/. */
#ifndef TRIT_TESTS_HF_REFERENCE_H
#define TRIT_TESTS_HF_REFERENCE_H

#include "checkpoint.h"

/* Logits [n, vocab] of each position, from the tensors and the spec of c, not from its config.json.
 * Release with free(). */
double *hf_logits(const struct ck *c, const int32_t *ids, int n);

/* The difference between logits [n_rows, n_cols] and a reference. */
struct hf_distance {
    double kl;    /* mean Kullback-Leibler divergence */
    double top1;  /* share of rows with the same largest logit */
    double error; /* mean difference, in standard deviations of the reference */
    bool finite;  /* no measured logit is NaN or infinite */
};
struct hf_distance hf_compare(const double *reference, const float *measured, size_t n_rows,
                              size_t n_cols);

/* Whether rounding explains the difference: KL < 2e-3, top-1 >= 0.95, error < 0.02. */
bool hf_close(const struct hf_distance *d);

#endif
