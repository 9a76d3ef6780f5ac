/* variant_reference.h - what a checkpoint of the families bitskip and bitnet-8bit computes, as
 * hf_reference.h does it for the others: in double and plain loops, from the tensors and the knobs
 * of its spec. Knows neither GGUF nor anything of src/. */
#ifndef TRIT_TESTS_VARIANT_REFERENCE_H
#define TRIT_TESTS_VARIANT_REFERENCE_H

#include "checkpoint.h"

/* Logits [n, vocab] of each position after n_layers of the layers. Release with free(). */
double *variant_logits(const struct ck *c, const int32_t *ids, int n, int n_layers);

/* Choose ids for a text of which no activation, in any layer, lies so near the edge between two
 * integers that single precision may round it to the other one. An engine then differs by the last
 * bits of its floats, not by steps of activations, which grow on their way through the layers and
 * are large where there are few bits. Begins with fx_ids() of this seed. */
void variant_text(const struct ck *c, int32_t *ids, int n, uint64_t seed);

/* Walsh-Hadamard transform in natural order, unnormalised; n is a power of two. */
void variant_fwht(double *x, int n);

#endif
