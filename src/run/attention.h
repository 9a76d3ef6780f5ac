/* attention.h - from queries, keys and values to the attention's output. */
#ifndef TRIT_RUN_ATTENTION_H
#define TRIT_RUN_ATTENTION_H

#include "engine_state.h"

/* From this many blocks of keys on, threads share the blocks of a single token's head. */
enum { TRIT_SPLIT_BLOCKS = 8 };

/* Blocks already merged into a KV head's accumulator. Padded to a cache line: workers update
 * neighboring heads. */
struct trit_merge_progress {
    _Alignas(TRIT_ALIGN) _Atomic size_t n_merged;
};

/* Rows of a batch at consecutive positions of one session. */
struct trit_run {
    const struct trit_session *s;
    size_t row, pos, n; /* row: the first one's in the batch; pos: its position */
    size_t first_item;  /* of the loop over all runs */
};

/* For rows 0..n-1 of e->q, e->k and e->v: rotate queries and keys to their positions, store keys
 * and values in their session's cache, and write softmax(q k^T / sqrt(head_dim)) v over all keys
 * that a token sees to the same rows of e->att. A row that is not finite is reported by
 * trit_bad_row(). */
void trit_attention(struct trit_batch *b);

/* Fill rope_cos and rope_sin, the angles of all positions (rope.c). */
void trit_rope_table(struct trit_engine *e);

#endif
