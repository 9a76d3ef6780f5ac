/* session_state.h - one timeline: its tokens, their keys and values, and when they exit. */
#ifndef TRIT_RUN_SESSION_STATE_H
#define TRIT_RUN_SESSION_STATE_H

#include "engine_state.h"
#include "kv.h"

struct trit_session {
    struct trit_engine *engine;
    int32_t n_ctx;
    bool whole; /* each evaluation is of a whole text */

    /* The timeline. */
    int32_t *tokens; /* [n_ctx], n_tokens of them evaluated */
    int32_t n_tokens;
    float *logits; /* [vocab] of the last token, if has_logits */
    bool has_logits;
    bool *skip;                 /* [n_layer] layers that no token passes */
    bool (*cancel)(void *user); /* or NULL */
    void *cancel_user;
    void (*progress)(void *user, double part); /* or NULL */
    void *progress_user;

    /* Early exit: exit.c. */
    int32_t exit_layer;   /* layers that a token passes at most */
    float exit_threshold; /* a token leaves if the next one is more likely than this; 0: never */
    bool early_exit;      /* exit_depth and exit_rows are there */
    bool *check;          /* [n_layer + 1] a token may leave after this many layers */
    int32_t *exit_depth;  /* [n_ctx] layers that a position has passed */
    float *exit_rows;     /* [n_ctx, embd] its row of h after them */
    int32_t last_depth;   /* layers that the last evaluated token passed */

    /* During trit_engine_eval(). */
    struct trit_step *step; /* NULL: not in a step */
    int32_t n_before;       /* tokens of the timeline before it */
    int32_t n_done;         /* tokens of the step in earlier batches */
    struct trit_session *next_in_batch;
    size_t first_row, n_rows; /* new tokens in this batch, where they are in h at first */
    int32_t target;           /* layers to pass; exit.c */
    int32_t first_shallow;    /* no position before it is below the target; exit.c */
    bool decided;             /* has left early, with its logits; exit.c */

    struct trit_arena arena; /* one block, in the order of lay_out() in session.c */
    struct trit_kv kv;
};

/* Check that tokens can follow the first n_before of the timeline. */
trit_status trit_check_tokens(const struct trit_session *s, int32_t n_before, const int32_t *tokens,
                              int32_t n, struct trit_error *err);

/* Rewind to the longest prefix that the timeline shares with the tokens, [n], so that evaluating
 * the others gives the logits of the last one. Its length is n if it has these already.
 * @return TRIT_OK, or TRIT_E_ARGUMENT as trit_session_eval() */
trit_status trit_session_reuse(trit_session *s, const int32_t *tokens, int32_t n,
                               struct trit_error *err);

/* Whether the session's step has not failed. */
static inline bool trit_step_alive(const struct trit_session *s)
{
    return s->step->error.code == TRIT_OK;
}

/* Where to report why the step fails: the first reason counts. */
static inline struct trit_error *trit_step_error(const struct trit_session *s)
{
    return trit_step_alive(s) ? &s->step->error : NULL;
}

/* Whether the logits of this batch's last token are wanted. */
static inline bool trit_step_wants_logits(const struct trit_session *s)
{
    return s->step->want == TRIT_WANT_ALL ||
           (s->step->want == TRIT_WANT_LAST && s->n_done + (int32_t)s->n_rows == s->step->n);
}

#endif
