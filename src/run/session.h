/* session.h - one timeline over a model: its memory, its threads, its kernels. */
#ifndef TRIT_RUN_SESSION_H
#define TRIT_RUN_SESSION_H

#include <stdatomic.h>

#include "kv.h"
#include "model.h"
#include "pool.h"
#include "tuner.h"

/* Tokens whose activations stay in a core's second-level cache while rows of weights pass. */
enum { TRIT_TOKEN_BLOCK = 128 };

/* Activations that a Hadamard transform has made wide whole numbers of are multiplied digit by
 * digit: so many floats are the sums of one piece of rows for a block of tokens. */
enum { TRIT_MAX_DIGITS = 3, TRIT_DIGIT_ROWS = 48 };
enum { TRIT_DIGIT_SUMS = TRIT_MAX_DIGITS * TRIT_TOKEN_BLOCK * TRIT_DIGIT_ROWS };

/* Tokens whose logits are computed in one pass over the head. */
enum { TRIT_HEAD_TOKENS = 16 };

/* Blocks of keys from which on threads share those of a lone token's head. */
enum { TRIT_SPLIT_BLOCKS = 8 };

/* How many of a KV head's blocks are in what its queries have gathered; in a cache line of its own,
 * as another worker changes the next one's. */
struct trit_merge_progress {
    _Alignas(TRIT_ALIGN) _Atomic size_t n_merged;
};

struct trit_session {
    const struct trit_model *model;
    const struct trit_isa *isa;
    struct trit_kernels kernels;
    struct trit_pool *pool;
    bool warm;       /* there was an evaluation: what it read is in memory */
    bool hint_known; /* read_hint is the fastest of measure.c's */
    enum trit_hint read_hint;
    const struct trit_walk *walk; /* that was asked for, or NULL */
    struct trit_tuner *tuner;
    int32_t n_ctx, n_batch, n_threads;
    bool whole; /* each evaluation is of a text from its beginning */

    int32_t *tokens;     /* [n_ctx], n_tokens of them evaluated */
    int32_t *positions;  /* [n_batch] positions of the rows of h */
    bool *skip;          /* [n_layer] layers that no token passes */
    bool *check;         /* [n_layer + 1] after so many layers a token may leave */
    int32_t *exit_depth; /* [n_ctx] layers that a position has passed, where rows are kept */
    float *exit_rows;    /* [n_ctx, embd] and its row of h after them */
    int32_t n_tokens;
    bool has_logits;
    bool (*cancel)(void *user); /* or NULL */
    void *cancel_user;
    void (*progress)(void *user, double part); /* or NULL */
    void *progress_user;
    int32_t eval_n,
        eval_done; /* of the evaluation under way: tokens, of which in earlier batches */

    /* How far tokens go: exit.c. */
    int32_t exit_layer;   /* layers that a token passes at most */
    float exit_threshold; /* it leaves above this probability of what follows; 0: never */
    bool early_exit;      /* rows of h that have not passed all layers are kept */
    int32_t last_depth;   /* layers that the last evaluated token passed */

    /* Memory: one block, in the order of lay_out() in session.c. B = n_batch; widths: model.c. */
    struct trit_arena arena;
    struct trit_kv kv;
    float *rope_cos, *rope_sin;    /* [n_ctx, n_rot/2] */
    float *h;                      /* [B, embd]       residual stream */
    float *q, *k, *v;              /* [B, q|kv|kv]    after their projections */
    float *att;                    /* [B, q]          attention's output */
                                   /* A lone token's attention by blocks; of no size where threads
                                      never share one: */
    float *block_acc;              /* [n_ctx/64 up, q] blocks that came out of turn */
    struct trit_softmax *block_sm; /* [n_ctx/64 up, n_head] */
    struct trit_softmax *head_sm;  /* [n_head_kv, ldsm] of the blocks that are in att */
    struct trit_merge_progress *merge_progress; /* [n_head_kv] */
    size_t ldsm;              /* heads that share a KV head, up to whole cache lines */
    float *gate, *up;         /* [B, ff]         after their projections */
    float *proj;              /* [B, embd]       output and down projections, before the add */
    int8_t *xq;               /* [B, digits, widest] quantised activations; forward.c */
    struct trit_q8 *xq_scale; /* [B, digits] */
    float *digit_scale;       /* [B]             of the activations that have digits */
    float *digit_sums;        /* [n_threads, ...] products of digits */
    float *ones;              /* [ff]            where the FFN has no gate */
    float *norm_row;          /* [n_threads, widest] */
    float *head_in;           /* [HEAD_TOKENS, embd] */
    float *logits;            /* [HEAD_TOKENS, vocab] */
    size_t widest;            /* the longest activation row, padded */
    size_t last_logits;       /* the row of logits that holds the last token's */
};

/* Rows 0.. of h: the embeddings of tokens[0..n), n <= n_batch, at positions[]. */
void trit_embed(struct trit_session *s, const int32_t *tokens, size_t n);

/* Take rows 0..n-1 of h through layers begin..end-1 but for those that are skipped. Row i is at
 * positions[i], ascending; of all earlier positions these layers have keys and values.
 * @return TRIT_OK; TRIT_E_FAILED: a value was not finite; TRIT_E_CANCELLED. */
trit_status trit_forward_layers(struct trit_session *s, size_t n, int32_t begin, int32_t end,
                                struct trit_error *err);

/* Evaluate tokens[0..n), n <= n_batch, at positions n_tokens.. of the session, as far as it goes
 * (exit.c), leaving h. With decide, the last one may leave early where it is sure of what follows:
 * its logits are there then, and *decided is set.
 * @return as trit_forward_layers() */
trit_status trit_forward(struct trit_session *s, const int32_t *tokens, size_t n, bool decide,
                         bool *decided, struct trit_error *err);

/* See to it that all positions have keys and values of all layers. @return as above */
trit_status trit_exit_catch_up(struct trit_session *s, struct trit_error *err);

/* Logits of rows first..first+n-1 of h, n <= TRIT_HEAD_TOKENS. False: a value is not finite. */
bool trit_forward_head(struct trit_session *s, size_t first, size_t n);

/* Attention of layer il for rows row..row+n-1 of s->q, which are of positions pos.., and the cache
 * to the same rows of s->att. */
void trit_attention(struct trit_session *s, size_t il, size_t row, size_t pos, size_t n);

/* Fill rope_cos and rope_sin. */
void trit_rope_table(struct trit_session *s);

#endif
