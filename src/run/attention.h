/* attention.h - from queries, keys and values to the attention's output. */
#ifndef TRIT_RUN_ATTENTION_H
#define TRIT_RUN_ATTENTION_H

#include "session_state.h"

/* From this many blocks of keys on, threads share the blocks of a single token's head. */
enum { TRIT_SPLIT_BLOCKS = 8 };

/* Blocks already merged into a KV head's accumulator. Padded to a cache line: workers update
 * neighboring heads. */
struct trit_merge_progress {
    _Alignas(TRIT_ALIGN) _Atomic size_t n_merged;
};

/* For rows 0..n-1 of s->q, s->k and s->v: rotate queries and keys to their positions, store keys
 * and values in the cache, and write softmax(q k^T / sqrt(head_dim)) v over all keys that a token
 * sees to the same rows of s->att. Sets b->bad if a value is not finite. */
void trit_attention(struct trit_batch *b);

/* Fill the session's rope_cos and rope_sin, the angles of all positions (rope.c). */
void trit_rope_table(struct trit_session *s);

#endif
