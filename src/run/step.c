/* step.c - trit_engine_eval(): the steps of many sessions, in batches of rows.
 *
 * A batch takes rows from the steps in order until it is full: new tokens at consecutive positions
 * of each session. Sessions share a batch if their tokens pass the same layers. A row's result does
 * not depend on its batch. A step that fails keeps its rows until the batch ends, as zeros. */
#include <assert.h>
#include <string.h>

#include "exit.h"
#include "forward.h"
#include "session_state.h"

/* ---- Checks ---------------------------------------------------------------------------------- */

trit_status trit_check_tokens(const struct trit_session *s, int32_t n_before, const int32_t *tokens,
                              int32_t n, struct trit_error *err)
{
    const int32_t n_vocab = trit_model_vocab_size(s->engine->model);

    if (n < 1)
        return trit_fail(err, TRIT_E_ARGUMENT, "there are no tokens to evaluate");
    if (s->whole && n_before > 0)
        return trit_fail(err, TRIT_E_ARGUMENT,
                         "the session evaluates whole texts, but it holds %d tokens already",
                         n_before);
    if (n > s->n_ctx - n_before)
        return trit_fail(err, TRIT_E_ARGUMENT,
                         "%d tokens do not fit: the context of %d has room for %d", n, s->n_ctx,
                         s->n_ctx - n_before);
    for (int32_t i = 0; i < n; i++)
        if (tokens[i] < 0 || tokens[i] >= n_vocab)
            return trit_fail(err, TRIT_E_ARGUMENT,
                             "token %d (index %d) is out of range; the vocabulary has %d tokens",
                             tokens[i], i, n_vocab);
    return TRIT_OK;
}

/* Let a session take part, unless its step is wrong. */
static void begin_step(const struct trit_engine *e, struct trit_step *step)
{
    struct trit_session *s = step->session;

    step->error = (struct trit_error){.code = TRIT_OK};
    if (!s || s->engine != e) {
        trit_fail(&step->error, TRIT_E_ARGUMENT, "the session belongs to another engine");
        return;
    }
    if (s->step) {
        trit_fail(&step->error, TRIT_E_ARGUMENT, "the session has two steps");
        return;
    }
    if (trit_check_tokens(s, s->n_tokens, step->tokens, step->n, &step->error))
        return;
    s->step = step;
    s->n_before = s->n_tokens;
    s->n_done = 0;
    s->has_logits = false;
}

/* Whether this step has the session: not if begin_step() refused it. */
static bool is_in(const struct trit_step *step)
{
    return step->session && step->session->step == step;
}

static bool is_pending(const struct trit_step *step)
{
    return is_in(step) && step->error.code == TRIT_OK && step->session->n_done < step->n;
}

/* After a failure the timeline is as before. */
static void end_step(struct trit_engine *e, struct trit_step *step)
{
    struct trit_session *s = step->session;

    if (!is_in(step))
        return;
    s->step = NULL;
    s->has_logits = step->error.code == TRIT_OK && step->want != TRIT_WANT_NONE;
    if (step->error.code)
        s->n_tokens = s->n_before;
    else
        e->warm = true;
}

/* ---- Batches --------------------------------------------------------------------------------- */

static bool same_layers(const struct trit_session *a, const struct trit_session *b)
{
    const size_t n_layer = (size_t)a->engine->model->knobs.n_layer;

    return a->early_exit == b->early_exit &&
           memcmp(a->skip, b->skip, n_layer * sizeof *a->skip) == 0;
}

/* The tokens of a step that a batch with room for so many takes. */
static int32_t share(const struct trit_step *step, size_t room)
{
    const struct trit_session *s = step->session;
    const int32_t left = step->n - s->n_done;

    if (s->exit_threshold > 0.0f && step->want == TRIT_WANT_ALL)
        return room > 0; /* each may leave early */
    if (s->whole && (size_t)left > room)
        return 0;
    return (size_t)left < room ? left : (int32_t)room;
}

static size_t add_rows(struct trit_engine *e, struct trit_step *step, size_t n_rows)
{
    struct trit_session *s = step->session;

    s->first_row = n_rows;
    s->n_rows = (size_t)share(step, (size_t)e->n_batch - n_rows);
    s->decided = false;
    s->last_depth = s->exit_layer;
    for (size_t i = 0; i < s->n_rows; i++, n_rows++) {
        e->rows[n_rows] = (struct trit_row){s, s->n_tokens + (int32_t)i};
        trit_embed(e, n_rows, step->tokens[s->n_done + (int32_t)i]);
    }
    return n_rows;
}

/* The next batch, from the first pending step on. @return its rows; 0: all steps have ended */
static size_t gather(struct trit_engine *e, struct trit_step *steps, int32_t n)
{
    struct trit_session **last = &e->sessions;
    size_t n_rows = 0;

    e->sessions = NULL;
    for (int32_t i = 0; i < n; i++) {
        struct trit_session *s = steps[i].session;
        if (!is_pending(&steps[i]) || (e->sessions && !same_layers(e->sessions, s)))
            continue;
        const size_t before = n_rows;
        n_rows = add_rows(e, &steps[i], n_rows);
        if (n_rows == before)
            continue;
        s->next_in_batch = NULL;
        *last = s;
        last = &s->next_in_batch;
    }
    return n_rows;
}

/* ---- Logits ---------------------------------------------------------------------------------- */

static void give(const struct trit_session *s, int32_t pos, const float *logits)
{
    const struct trit_step *step = s->step;

    if (step->want == TRIT_WANT_ALL && trit_step_alive(s) && step->on_logits &&
        !step->on_logits(step->user, pos, logits))
        trit_fail(trit_step_error(s), TRIT_E_CANCELLED, "stopped");
}

/* The logits of rows of h, to their sessions and callbacks. A single one is not copied. */
static void give_rows(struct trit_engine *e, const size_t *rows, size_t n)
{
    const size_t n_vocab = e->model->output.n_rows;
    float *logits = n == 1 ? e->rows[rows[0]].s->logits : e->logits;
    const uint32_t bad = trit_forward_head(e, logits, rows, n);

    for (size_t i = 0; i < n; i++) {
        const struct trit_session *s = e->rows[rows[i]].s;
        const float *of_row = logits + i * n_vocab;
        if (bad >> i & 1)
            trit_fail(trit_step_error(s), TRIT_E_FAILED,
                      "the model produced a non-finite value at its head");
        if (rows[i] + 1 == s->first_row + s->n_rows && of_row != s->logits)
            memcpy(s->logits, of_row, n_vocab * sizeof *of_row);
        give(s, e->rows[rows[i]].pos, of_row);
    }
}

/* The wanted logits of the batch, in order. Sessions that left early have theirs. */
static void give_logits(struct trit_engine *e)
{
    size_t rows[TRIT_HEAD_TOKENS], n = 0;

    for (struct trit_session *s = e->sessions; s; s = s->next_in_batch) {
        const size_t end = s->first_row + s->n_rows;
        if (!trit_step_alive(s) || !trit_step_wants_logits(s))
            continue;
        if (s->decided)
            give(s, s->n_tokens, s->logits);
        for (size_t i = s->step->want == TRIT_WANT_ALL ? s->first_row : end - 1;
             i < end && !s->decided && trit_step_alive(s); i++) {
            rows[n++] = i;
            if (n < TRIT_HEAD_TOKENS)
                continue;
            give_rows(e, rows, n);
            n = 0;
        }
    }
    if (n)
        give_rows(e, rows, n);
}

/* ---- Evaluation ------------------------------------------------------------------------------ */

/* The tokens of the batch join the timelines. They may be those after the timeline itself. */
static void append_tokens(struct trit_engine *e)
{
    for (struct trit_session *s = e->sessions; s; s = s->next_in_batch) {
        if (!trit_step_alive(s))
            continue;
        memmove(s->tokens + s->n_tokens, s->step->tokens + s->n_done,
                s->n_rows * sizeof *s->tokens);
        s->n_tokens += (int32_t)s->n_rows;
        s->n_done += (int32_t)s->n_rows;
    }
}

trit_status trit_engine_eval(trit_engine *e, struct trit_step *steps, int32_t n_steps,
                             struct trit_error *err)
{
    trit_status status = TRIT_OK;
    size_t n_rows;

    for (int32_t i = 0; i < n_steps; i++)
        begin_step(e, &steps[i]);
    const fenv_t env = trit_default_float_env();
    while ((n_rows = gather(e, steps, n_steps))) {
        if (e->sessions->early_exit)
            trit_exit_forward(e);
        else
            trit_forward_layers(e, n_rows, 0, e->model->knobs.n_layer);
        give_logits(e);
        append_tokens(e);
    }
    fesetenv(&env);
    for (int32_t i = 0; i < n_steps; i++) {
        end_step(e, &steps[i]);
        if (status == TRIT_OK && steps[i].error.code) {
            status = steps[i].error.code;
            if (err)
                *err = steps[i].error;
        }
    }
    return status;
}
