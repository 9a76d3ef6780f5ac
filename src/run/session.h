/* session.h - one timeline over a model: its memory, its threads, its kernels. */
#ifndef TRIT_RUN_SESSION_H
#define TRIT_RUN_SESSION_H

#include <stdatomic.h>

#include "kv.h"
#include "model.h"
#include "pool.h"

/* Tokens whose logits are computed in one pass over the head. */
enum { TRIT_HEAD_TOKENS = 16 };

/* Blocks of keys from which on threads share those of a lone token's head. */
enum { TRIT_SPLIT_BLOCKS = 8 };

struct trit_session {
    const struct trit_model *model;
    const struct trit_isa *isa;
    struct trit_kernels kernels;
    struct trit_pool *pool;
    int32_t n_ctx, n_batch, n_threads;

    int32_t *tokens; /* [n_ctx], n_tokens of them evaluated */
    int32_t n_tokens;
    bool has_logits;
    bool (*cancel)(void *user); /* or NULL */
    void *cancel_user;
    void (*progress)(void *user, double part); /* or NULL */
    void *progress_user;
    int32_t eval_n,
        eval_done; /* of the evaluation under way: tokens, of which in earlier batches */

    /* Memory: one block, in the order of lay_out() in session.c. B = n_batch; widths: model.c. */
    struct trit_arena arena;
    struct trit_kv kv;
    float *rope_cos, *rope_sin;    /* [n_ctx, n_rot/2] */
    float *h;                      /* [B, embd]       residual stream */
    float *q, *k, *v;              /* [B, q|kv|kv]    after their projections */
    float *att;                    /* [B, q]          attention's output */
    float *block_acc;              /* [n_ctx/64 up, q] a lone token's attention by
                                      blocks; of no size where that is never split */
    struct trit_softmax *block_sm; /* [n_ctx/64 up, n_head] */
    float *gate, *up;              /* [B, ff]         after their projections */
    float *proj;                   /* [B, embd]       output and down projections, before the add */
    int8_t *xq;                    /* [B, widest]     quantised activations */
    struct trit_q8 *xq_scale;      /* [B] */
    float *norm_row;               /* [n_threads, widest] */
    float *head_in;                /* [HEAD_TOKENS, embd] */
    float *logits;                 /* [HEAD_TOKENS, vocab] */
    size_t widest;                 /* the longest activation row, padded */
    size_t last_logits;            /* the row of logits that holds the last token's */
};

/* Evaluate tokens[0..n), n <= n_batch, at positions n_tokens.. of the session: through every layer,
 * leaving h. @return TRIT_OK; TRIT_E_FAILED: a value was not finite; TRIT_E_CANCELLED. */
trit_status trit_forward(struct trit_session *s, const int32_t *tokens, size_t n,
                         struct trit_error *err);

/* Logits of rows first..first+n-1 of h, n <= TRIT_HEAD_TOKENS. False: a value is not finite. */
bool trit_forward_head(struct trit_session *s, size_t first, size_t n);

/* Attention of layer il for n tokens at positions pos..: s->q and the cache to s->att. */
void trit_attention(struct trit_session *s, size_t il, size_t pos, size_t n);

/* Fill rope_cos and rope_sin. */
void trit_rope_table(struct trit_session *s);

#endif
