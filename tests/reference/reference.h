/* reference.h - the forward pass of a fixture's model in double, for the engine to be held against.
 *
 * Written from the formulas alone: nothing here comes from the engine, and every step is the naive
 * one. Only the quantisation of activations to int8 is imitated, as it is part of what the models
 * compute. Quadratic in the number of tokens. */
#ifndef TRIT_TESTS_REFERENCE_H
#define TRIT_TESTS_REFERENCE_H

#include "fixture.h"

/* What a test may have put into the file beyond the fixture's own entries. */
struct ref_rope {
    int n_rot;           /* elements of a head that rotate; 0: all */
    double factor;       /* positions are divided by it; 0: 1 */
    const float *divide; /* [n_rot/2] divisors of the frequencies, or NULL */
};

/* Logits after each token: [n, n_vocab], to be released with free(). rope may be NULL. */
double *ref_logits(const struct fx_model *m, const struct ref_rope *rope, const int32_t *tokens,
                   int n);

#endif
