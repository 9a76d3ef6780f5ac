/* variant_reference.h - the forward pass of a checkpoint of the families bitskip and bitnet-8bit
 * (hf_reference.h has the others), in double and plain loops, from the tensors and the knobs of its
 * spec. Independent of GGUF and of src/. */
#ifndef TRIT_TESTS_VARIANT_REFERENCE_H
#define TRIT_TESTS_VARIANT_REFERENCE_H

#include "checkpoint.h"

/* Logits [n, vocab] of each position after n_layers of the layers. Release with free(). */
double *variant_logits(const struct ck *c, const int32_t *ids, int n, int n_layers);

/* Choose ids for a text in which no activation, in any layer, is so close to the edge between two
 * integers that single precision may round it to the other one. An engine then differs only in the
 * last bits of its floats, not by whole steps of activations, which grow from layer to layer and
 * are large with few bits. Begins with fx_ids() of this seed. */
void variant_text(const struct ck *c, int32_t *ids, int n, uint64_t seed);

/* Walsh-Hadamard transform in natural order, unnormalized; n is a power of two. */
void variant_fwht(double *x, int n);

#endif
