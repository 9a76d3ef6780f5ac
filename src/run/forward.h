/* forward.h - from tokens through the layers to logits. */
#ifndef TRIT_RUN_FORWARD_H
#define TRIT_RUN_FORWARD_H

#include "session_state.h"

/* Tokens whose logits are computed in one pass over the head. */
enum { TRIT_HEAD_TOKENS = 16 };

/* Rows 0..n-1 of h and positions[]: the embeddings of new tokens, n <= n_batch, which follow the
 * n_tokens of the session. */
void trit_embed(struct trit_session *s, const int32_t *tokens, size_t n);

/* Take rows 0..n-1 of h through layers begin..end-1, except those that are skipped. Row i is at
 * positions[i], ascending; these layers have the keys and values of all earlier positions.
 * @return TRIT_OK; TRIT_E_FAILED: a value was not finite; TRIT_E_CANCELLED. */
trit_status trit_forward_layers(struct trit_session *s, size_t n, int32_t begin, int32_t end,
                                struct trit_error *err);

/* Logits of rows first..first+n-1 of h, n <= TRIT_HEAD_TOKENS, to rows 0.. of s->logits.
 * @return false if a value is not finite */
bool trit_forward_head(struct trit_session *s, size_t first, size_t n);

#endif
