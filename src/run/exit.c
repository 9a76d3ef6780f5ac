/* exit.c - see exit.h.
 *
 * A token leaves after exit_layer layers, or at an earlier layer that is checked if the head gives
 * one token a probability above exit_threshold. Its logits are the final norm and the head of its
 * row at that depth (LayerSkip, arXiv 2404.16710: one head for all layers).
 *
 * Such a token has keys and values only of the layers that it has passed. A later token that goes
 * deeper needs those of the deeper layers, too. So the row of h of each position is kept, with the
 * number of layers it has passed. Before a token enters a layer, the rows of all earlier positions
 * that stopped before this layer pass it, many at once. A position's result does not depend on its
 * batch, so the bits are the same as if no token had left early.
 *
 *   exit_depth:   3 3 6 3 3 | 0        the sixth token is to pass layers 3, 4 and 5:
 *   layer 3:      x x   x x   x        the rows of depth 3 are gathered and pass it together
 */
#include "exit.h"

#include <string.h>

#include "fmath.h"
#include "forward.h"
#include "random.h"
#include "session_state.h"

/* ---- Kept rows ------------------------------------------------------------------------------- */

static float *exit_row(const struct trit_session *s, int32_t position)
{
    return s->exit_rows + (size_t)position * (size_t)s->engine->model->knobs.n_embd;
}

/* Keep a row of h with the layers that it has passed. */
static void keep_row(const struct trit_engine *e, size_t row, int32_t depth)
{
    const size_t width = (size_t)e->model->knobs.n_embd;
    const struct trit_row *at = &e->rows[row];

    memcpy(exit_row(at->s, at->pos), e->h + row * width, width * sizeof *e->h);
    at->s->exit_depth[at->pos] = depth;
}

static void restore_row(struct trit_engine *e, size_t row, struct trit_session *s, int32_t pos)
{
    const size_t width = (size_t)e->model->knobs.n_embd;

    e->rows[row] = (struct trit_row){s, pos};
    memcpy(e->h + row * width, exit_row(s, pos), width * sizeof *e->h);
}

/* ---- Layers ---------------------------------------------------------------------------------- */

/* Whether the session's positions go on after depth layers. */
static bool goes_on(const struct trit_session *s, int32_t depth)
{
    return trit_step_alive(s) && !s->decided && s->target > depth;
}

static int32_t n_positions(const struct trit_session *s)
{
    return s->n_tokens + (int32_t)s->n_rows;
}

/* Take the first n rows of the batch through layer il. */
static void pass_rows(struct trit_engine *e, size_t n, int32_t il)
{
    trit_forward_layers(e, n, il, il + 1);
    for (size_t i = 0; i < n; i++)
        if (trit_step_alive(e->rows[i].s))
            keep_row(e, i, il + 1);
}

/* Take all positions of the batch's sessions whose depth is il through layer il. The rows of a
 * whole text stay together. */
static void pass_layer(struct trit_engine *e, int32_t il)
{
    size_t n = 0;

    for (struct trit_session *s = e->sessions; s; s = s->next_in_batch) {
        if (s->whole && n) {
            pass_rows(e, n, il);
            n = 0;
        }
        for (int32_t p = s->first_shallow; p < n_positions(s) && goes_on(s, il); p++) {
            if (s->exit_depth[p] != il)
                continue;
            restore_row(e, n++, s, p);
            if (n == (size_t)e->n_batch) {
                pass_rows(e, n, il);
                n = 0;
            }
        }
    }
    if (n)
        pass_rows(e, n, il);
}

static void find_shallow(struct trit_session *s)
{
    s->first_shallow = n_positions(s);
    for (int32_t p = n_positions(s); p-- > 0;)
        if (s->exit_depth[p] < s->target)
            s->first_shallow = p;
}

/* ---- Decisions ------------------------------------------------------------------------------- */

static bool may_leave(const struct trit_session *s, int32_t depth)
{
    return goes_on(s, depth) && s->exit_threshold > 0.0f && s->check[depth] &&
           trit_step_wants_logits(s);
}

static bool is_sure(const struct trit_session *s, const float *logits)
{
    const int32_t n_vocab = trit_model_vocab_size(s->engine->model);

    return trit_logprob(logits, n_vocab, trit_argmax(logits, n_vocab)) >
           trit_log((double)s->exit_threshold);
}

/* Rows 0..n-1 are the last tokens of sessions at this depth: those that are sure leave, with their
 * logits. */
static void decide_rows(struct trit_engine *e, size_t n)
{
    const size_t n_vocab = e->model->output.n_rows;
    size_t rows[TRIT_HEAD_TOKENS] = {0};

    for (size_t i = 0; i < n; i++)
        rows[i] = i;
    const uint32_t bad = trit_forward_head(e, e->logits, rows, n);
    for (size_t i = 0; i < n; i++) {
        struct trit_session *s = e->rows[i].s;
        const float *logits = e->logits + i * n_vocab;
        s->decided = !(bad >> i & 1) && is_sure(s, logits);
        if (s->decided)
            memcpy(s->logits, logits, n_vocab * sizeof *logits);
    }
}

/* A session whose logits are not finite here stays: later layers or the head will report it. */
static void decide(struct trit_engine *e, int32_t depth)
{
    size_t n = 0;

    for (struct trit_session *s = e->sessions; s; s = s->next_in_batch) {
        if (!may_leave(s, depth))
            continue;
        s->last_depth = depth;
        restore_row(e, n++, s, n_positions(s) - 1);
        if (n == TRIT_HEAD_TOKENS || n == (size_t)e->n_batch) {
            decide_rows(e, n);
            n = 0;
        }
    }
    if (n)
        decide_rows(e, n);
}

/* ---- Evaluation ------------------------------------------------------------------------------ */

/* New tokens are positions of depth 0, which pass layers together with earlier ones. */
void trit_exit_forward(struct trit_engine *e)
{
    const int32_t n_layer = e->model->knobs.n_layer;

    for (struct trit_session *s = e->sessions; s; s = s->next_in_batch) {
        for (size_t i = 0; i < s->n_rows; i++)
            keep_row(e, s->first_row + i, 0);
        s->decided = false;
        s->target = s->exit_layer;
        find_shallow(s);
    }
    for (int32_t il = 0; il < n_layer; il++) {
        pass_layer(e, il);
        decide(e, il + 1);
    }
    for (struct trit_session *s = e->sessions; s; s = s->next_in_batch) {
        s->last_depth = s->decided ? s->last_depth : s->exit_layer;
        for (size_t i = 0; i < s->n_rows; i++)
            restore_row(e, s->first_row + i, s, s->n_tokens + (int32_t)i);
    }
}

trit_status trit_exit_catch_up(struct trit_session *s, struct trit_error *err)
{
    struct trit_engine *e = s->engine;
    struct trit_step step = {.session = s};

    if (!s->early_exit)
        return TRIT_OK;
    const fenv_t env = trit_default_float_env();
    e->sessions = s;
    s->step = &step;
    s->next_in_batch = NULL;
    s->n_rows = 0;
    s->decided = false;
    s->target = e->model->knobs.n_layer;
    find_shallow(s);
    for (int32_t il = 0; il < s->target; il++)
        pass_layer(e, il);
    s->step = NULL;
    fesetenv(&env);
    if (step.error.code && err)
        *err = step.error;
    return step.error.code;
}

/* ---- Settings -------------------------------------------------------------------------------- */

static trit_status check_layer(const struct trit_session *s, const char *what, int32_t n,
                               struct trit_error *err)
{
    const int32_t n_layer = s->engine->model->knobs.n_layer;

    if (!s->early_exit)
        return trit_fail(err, TRIT_E_ARGUMENT, "the session was opened without early_exit");
    if (n < 1 || n > n_layer)
        return trit_fail(err, TRIT_E_ARGUMENT, "%s %s, the number of layers", what,
                         trit_out_of_range(n, 1, n_layer).text);
    return TRIT_OK;
}

trit_status trit_session_set_exit_layer(trit_session *s, int32_t n, struct trit_error *err)
{
    const trit_status status = check_layer(s, "the exit layer", n, err);

    if (status)
        return status;
    s->has_logits &= s->exit_layer == n;
    s->exit_layer = n;
    return TRIT_OK;
}

trit_status trit_session_set_exit_threshold(trit_session *s, float threshold, const int32_t *check,
                                            int32_t n_check, struct trit_error *err)
{
    const struct trit_knobs *k = &s->engine->model->knobs;
    trit_status status = check_layer(s, "the exit layer", k->n_layer, err);

    if (!status && !(threshold >= 0.0f && threshold <= 1.0f))
        status = trit_fail(err, TRIT_E_ARGUMENT, "the exit threshold %s",
                           trit_out_of_range((double)threshold, 0, 1).text);
    if (!status && !k->causal && threshold > 0.0f)
        status = trit_fail(err, TRIT_E_UNSUPPORTED,
                           "the model is not causal, so its tokens cannot exit by a threshold; set "
                           "a fixed exit layer instead");
    for (int32_t i = 0; i < n_check && !status; i++)
        status = check_layer(s, "a layer to check", check[i], err);
    if (status)
        return status;
    s->exit_threshold = threshold;
    for (int32_t i = 0; i <= k->n_layer; i++)
        s->check[i] = !check && i >= (k->exit_min_layers > 0 ? k->exit_min_layers : 1);
    for (int32_t i = 0; i < n_check; i++)
        s->check[check[i]] = true;
    s->has_logits = false;
    return TRIT_OK;
}

int32_t trit_session_exit_layer(const trit_session *s)
{
    return s->last_depth;
}

int32_t trit_layer_drop(int32_t *out, int32_t n_layer, double p, uint64_t seed)
{
    int32_t n = 0;

    for (int32_t l = 0; l + 1 < n_layer; l++) {
        const double part = (double)l / (n_layer - 1);
        const double draw = (double)(trit_random_bits(&seed) >> 11) * 0x1p-53;
        if (draw < p * part * part)
            out[n++] = l;
    }
    return n;
}
