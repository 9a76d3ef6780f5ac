/* engine_state.h - what evaluates tokens: a model, its kernels, threads, and memory for a batch. */
#ifndef TRIT_RUN_ENGINE_STATE_H
#define TRIT_RUN_ENGINE_STATE_H

#include <stdatomic.h>

#include "model.h"
#include "pool.h"
#include "tuner.h"

struct trit_session;

/* Tokens whose logits are computed in one pass over the head. */
enum { TRIT_HEAD_TOKENS = 16 };

/* A token of a batch: position pos of its session's timeline. */
struct trit_row {
    struct trit_session *s;
    int32_t pos;
};

struct trit_engine {
    const struct trit_model *model;
    const struct trit_isa *isa;
    struct trit_kernels kernels;
    struct trit_pool *pool;
    int32_t n_sessions;
    bool closed;     /* by its owner: the last session frees it */
    bool alone;      /* private to a session: no batch is longer than its context */
    bool whole;      /* and that session evaluates whole texts */
    bool warm;       /* after an evaluation: the weights are in memory */
    bool hint_known; /* measure.c has found the fastest read_hint */
    enum trit_hint read_hint;
    const struct trit_walk *walk; /* the one requested, or NULL */
    struct trit_tuner *tuner;
    int32_t n_ctx, n_batch, n_threads;

    /* The batch: rows of the same session are contiguous and ascend. */
    struct trit_session *sessions; /* those with new tokens in it, a list by next_in_batch */
    struct trit_row *rows;         /* [n_batch] */
    _Atomic bool *bad;             /* [n_batch] a value of the row was not finite */

    /* Memory: one block, in the order of lay_out() in engine.c. B = n_batch; widths: model.c. */
    struct trit_arena arena;
    float *rope_cos, *rope_sin; /* [n_ctx, n_rot/2] */
    float *h;                   /* [B, embd]       residual stream */
    float *q, *k, *v;           /* [B, q|kv|kv]    after their projections */
    float *att;                 /* [B, q]          attention's output */
    float *gate, *up;           /* [B, ff]         after their projections */
    float *proj;                /* [B, embd]       output and down projections, before the add */
    int8_t *xq;                 /* [B, digits, widest] quantized activations; linear.c */
    struct trit_q8 *xq_scale;   /* [B, digits] */
    float *xf;                  /* [B, widest]     the same, not quantized, for linears of floats */
    float *digit_scale;         /* [B]             scales of activations that have digits */
    float *digit_sums;          /* [n_threads, DIGIT_SUMS] */
    float *ones;                /* [ff]            for an FFN without a gate */
    float *norm_row;            /* [n_threads, widest] */
    float *head_in;             /* [HEAD_TOKENS, embd] */
    float *logits;              /* [HEAD_TOKENS, vocab] */
    size_t widest;              /* the longest activation row, padded */
    struct trit_run *runs;      /* [B]             attention.c */

    /* A single token's attention by blocks. No size if threads never share one. */
    float *block_acc;                           /* [n_ctx/64 up, q] blocks out of order */
    struct trit_softmax *block_sm;              /* [n_ctx/64 up, n_head] */
    struct trit_softmax *head_sm;               /* [n_head_kv, ldsm] of the blocks in att */
    struct trit_merge_progress *merge_progress; /* [n_head_kv] */
    size_t ldsm; /* query heads per KV head, padded to whole cache lines */
};

/* Rows 0..n-1 of h on their way through a layer. */
struct trit_batch {
    struct trit_engine *e;
    size_t n; /* tokens */
    size_t il;
    const struct trit_layer *layer;
    _Atomic bool bad; /* a row has become bad */
};

/* Report that a value of row t is not finite. Any worker may call it. */
static inline void trit_bad_row(struct trit_batch *b, size_t t)
{
    atomic_store(&b->e->bad[t], true);
    atomic_store(&b->bad, true);
}

#endif
