/* reference.h - the forward pass of a fixture's model in double, the reference for the engine.
 *
 * It is written from the formulas only, independently of the engine, and every step is the naive
 * one. It does quantize activations to int8, because that is part of the models. The time is
 * quadratic in the number of tokens. */
#ifndef TRIT_TESTS_REFERENCE_H
#define TRIT_TESTS_REFERENCE_H

#include "fixture.h"

/* Settings that a test may have added to the fixture's file. */
struct ref_rope {
    int n_rot;           /* elements of a head that rotate; 0: all */
    double factor;       /* positions are divided by it; 0: 1 */
    const float *divide; /* [n_rot/2] divisors of the frequencies, or NULL */
};

/* Logits after each token: [n, n_vocab], to be released with free(). rope may be NULL. */
double *ref_logits(const struct fx_model *m, const struct ref_rope *rope, const int32_t *tokens,
                   int n);

#endif
