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

/* ---- Kept rows ------------------------------------------------------------------------------- */

static float *exit_row(const struct trit_session *s, int32_t position)
{
    return s->exit_rows + (size_t)position * (size_t)s->model->knobs.n_embd;
}

static void keep_rows(struct trit_session *s, size_t n, int32_t depth)
{
    const size_t width = (size_t)s->model->knobs.n_embd;

    for (size_t i = 0; i < n; i++) {
        memcpy(exit_row(s, s->positions[i]), s->h + i * width, width * sizeof *s->h);
        s->exit_depth[s->positions[i]] = depth;
    }
}

/* Take the gathered rows of depth il, at positions[0..n), through layer il. */
static trit_status pass_layer(struct trit_session *s, size_t n, int32_t il, struct trit_error *err)
{
    const size_t width = (size_t)s->model->knobs.n_embd;

    for (size_t i = 0; i < n; i++)
        memcpy(s->h + i * width, exit_row(s, s->positions[i]), width * sizeof *s->h);
    const trit_status status = trit_forward_layers(s, n, il, il + 1, err);
    if (!status)
        keep_rows(s, n, il + 1);
    return status;
}

/* Take positions 0..n_positions-1 to a depth of at least end. */
static trit_status deepen(struct trit_session *s, int32_t n_positions, int32_t end,
                          struct trit_error *err)
{
    int32_t first = n_positions, begin = end;
    trit_status status = TRIT_OK;

    for (int32_t p = n_positions; p-- > 0;) {
        first = s->exit_depth[p] < end ? p : first;
        begin = s->exit_depth[p] < begin ? s->exit_depth[p] : begin;
    }
    for (int32_t il = begin; il < end; il++) {
        size_t n = 0;
        for (int32_t p = first; p < n_positions && !status; p++) {
            if (s->exit_depth[p] == il)
                s->positions[n++] = p;
            if (n == (size_t)s->n_batch || (p == n_positions - 1 && n > 0)) {
                status = pass_layer(s, n, il, err);
                n = 0;
            }
        }
        if (status)
            return status;
    }
    return TRIT_OK;
}

trit_status trit_exit_catch_up(struct trit_session *s, struct trit_error *err)
{
    if (!s->early_exit)
        return TRIT_OK;
    const fenv_t env = trit_default_float_env();
    const trit_status status = deepen(s, s->n_tokens, s->model->knobs.n_layer, err);
    fesetenv(&env);
    return status;
}

/* ---- Evaluation ------------------------------------------------------------------------------ */

/* Whether row 0 of h is sure of the next token. Computes its logits.
 * @return false also if a value is not finite: later layers or the head will report it */
static bool is_sure(struct trit_session *s)
{
    const int32_t n_vocab = trit_model_vocab_size(s->model);

    if (!trit_forward_head(s, 0, 1))
        return false;
    return trit_logprob(s->logits, n_vocab, trit_argmax(s->logits, n_vocab)) >
           trit_log((double)s->exit_threshold);
}

/* New tokens are positions of depth 0, which pass layers together with earlier ones. */
trit_status trit_exit_forward(struct trit_session *s, size_t n, bool decide, bool *decided,
                              struct trit_error *err)
{
    const size_t width = (size_t)s->model->knobs.n_embd;
    const int32_t n_all = s->n_tokens + (int32_t)n;
    const bool may_leave = decide && s->exit_threshold > 0.0f;
    trit_status status = TRIT_OK;

    keep_rows(s, n, 0);
    for (int32_t depth = 1; depth < s->exit_layer && may_leave; depth++) {
        if (!s->check[depth])
            continue;
        s->last_depth = depth;
        if ((status = deepen(s, n_all, depth, err)))
            return status;
        memcpy(s->h, exit_row(s, n_all - 1), width * sizeof *s->h);
        *decided = is_sure(s);
        if (*decided)
            return TRIT_OK;
    }
    s->last_depth = s->exit_layer;
    status = deepen(s, n_all, s->exit_layer, err);
    for (size_t i = 0; i < n; i++)
        memcpy(s->h + i * width, exit_row(s, s->n_tokens + (int32_t)i), width * sizeof *s->h);
    return status;
}

/* ---- Settings -------------------------------------------------------------------------------- */

static trit_status check_layer(const struct trit_session *s, const char *what, int32_t n,
                               struct trit_error *err)
{
    const int32_t n_layer = s->model->knobs.n_layer;

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
    const struct trit_knobs *k = &s->model->knobs;
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
