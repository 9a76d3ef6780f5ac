/* forward.h - from tokens through the layers to logits. */
#ifndef TRIT_RUN_FORWARD_H
#define TRIT_RUN_FORWARD_H

#include "engine_state.h"

/* The embedding of a token to a row of h, whose position is in rows[row]. */
void trit_embed(struct trit_engine *e, size_t row, int32_t token);

/* Take rows 0..n-1 of h, n >= 1, through layers begin..end-1, except those that their sessions, all
 * alike, skip. These layers have the keys and values of all earlier positions. A step whose row is
 * not finite fails, and so does one that is cancelled; returns early if no step is alive. */
void trit_forward_layers(struct trit_engine *e, size_t n, int32_t begin, int32_t end);

/* Logits [n, vocab] of rows of h, by their indices; n <= TRIT_HEAD_TOKENS.
 * @return bit i: the logits of rows[i], or the row itself, are not finite */
uint32_t trit_forward_head(struct trit_engine *e, float *logits, const size_t *rows, size_t n);

#endif
