/* session_state.h - one timeline over a model: its memory, its threads, its kernels. */
#ifndef TRIT_RUN_SESSION_STATE_H
#define TRIT_RUN_SESSION_STATE_H

#include <stdatomic.h>

#include "kv.h"
#include "model.h"
#include "pool.h"
#include "tuner.h"

struct trit_session {
    const struct trit_model *model;
    const struct trit_isa *isa;
    struct trit_kernels kernels;
    struct trit_pool *pool;
    bool warm;       /* after an evaluation: the weights are in memory */
    bool hint_known; /* measure.c has found the fastest read_hint */
    enum trit_hint read_hint;
    const struct trit_walk *walk; /* the one requested, or NULL */
    struct trit_tuner *tuner;
    int32_t n_ctx, n_batch, n_threads;
    bool whole; /* each evaluation is of a whole text */

    /* The timeline. */
    int32_t *tokens; /* [n_ctx], n_tokens of them evaluated */
    int32_t n_tokens;
    int32_t *positions; /* [n_batch] of the rows of h */
    bool *skip;         /* [n_layer] layers that no token passes */
    bool has_logits;
    bool (*cancel)(void *user); /* or NULL */
    void *cancel_user;
    void (*progress)(void *user, double part); /* or NULL */
    void *progress_user;
    int32_t eval_n, eval_done; /* tokens of the current evaluation, and of its earlier batches */

    /* Early exit: exit.c. */
    int32_t exit_layer;   /* layers that a token passes at most */
    float exit_threshold; /* a token leaves if the next one is more likely than this; 0: never */
    bool early_exit;      /* exit_depth and exit_rows are there */
    bool *check;          /* [n_layer + 1] a token may leave after this many layers */
    int32_t *exit_depth;  /* [n_ctx] layers that a position has passed */
    float *exit_rows;     /* [n_ctx, embd] its row of h after them */
    int32_t last_depth;   /* layers that the last evaluated token passed */

    /* Memory: one block, in the order of lay_out() in session.c. B = n_batch; widths: model.c. */
    struct trit_arena arena;
    struct trit_kv kv;
    float *rope_cos, *rope_sin; /* [n_ctx, n_rot/2] */
    float *h;                   /* [B, embd]       residual stream */
    float *q, *k, *v;           /* [B, q|kv|kv]    after their projections */
    float *att;                 /* [B, q]          attention's output */
    float *gate, *up;           /* [B, ff]         after their projections */
    float *proj;                /* [B, embd]       output and down projections, before the add */
    int8_t *xq;                 /* [B, digits, widest] quantized activations; linear.c */
    struct trit_q8 *xq_scale;   /* [B, digits] */
    float *digit_scale;         /* [B]             scales of activations that have digits */
    float *digit_sums;          /* [n_threads, DIGIT_SUMS] */
    float *ones;                /* [ff]            for an FFN without a gate */
    float *norm_row;            /* [n_threads, widest] */
    float *head_in;             /* [HEAD_TOKENS, embd] */
    float *logits;              /* [HEAD_TOKENS, vocab] */
    size_t widest;              /* the longest activation row, padded */
    size_t last_logits;         /* the last token's row of logits */

    /* A single token's attention by blocks. No size if threads never share one. */
    float *block_acc;                           /* [n_ctx/64 up, q] blocks out of order */
    struct trit_softmax *block_sm;              /* [n_ctx/64 up, n_head] */
    struct trit_softmax *head_sm;               /* [n_head_kv, ldsm] of the blocks in att */
    struct trit_merge_progress *merge_progress; /* [n_head_kv] */
    size_t ldsm; /* query heads per KV head, padded to whole cache lines */
};

/* Rows 0..n-1 of h on their way through a layer. */
struct trit_batch {
    struct trit_session *s;
    size_t n; /* tokens */
    size_t il;
    const struct trit_layer *layer;
    _Atomic bool bad; /* a value was not finite */
};

#endif
