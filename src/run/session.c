/* session.c - the options, memory and timeline of a session; forward.c computes. */
#include "session_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "checked.h"
#include "exit.h"
#include "forward.h"
#include "linear.h"
#include "machine.h"

enum { DEFAULT_CTX = 4096, DEFAULT_BATCH = 512, MAX_CTX = 1 << 20, MAX_BATCH = 65536 };

/* ---- Options --------------------------------------------------------------------------------- */

static trit_status check_range(const char *name, int32_t value, int32_t hi, struct trit_error *err)
{
    if (value >= 1 && value <= hi)
        return TRIT_OK;
    return trit_fail(err, TRIT_E_ARGUMENT, "%s %s", name, trit_out_of_range(value, 1, hi).text);
}

static trit_status find_isa(const struct trit_isa **isa, const char *name, struct trit_error *err)
{
    char known[128] = "";

    *isa = name ? trit_isa_find(name) : trit_isa_best();
    for (const struct trit_isa *i = trit_isas; i->name; i++)
        trit_append(known, sizeof known, " %s", i->name);
    if (!*isa)
        return trit_fail(err, TRIT_E_ARGUMENT, "unknown instruction set '%s'; it must be one of:%s",
                         name, known);
    if (!(*isa)->init)
        return trit_fail(err, TRIT_E_UNSUPPORTED, "this build has no '%s' kernels", name);
    if (!trit_isa_usable(*isa))
        return trit_fail(err, TRIT_E_UNSUPPORTED,
                         "this CPU cannot run '%s' kernels; the best it can run is '%s'", name,
                         trit_isa_best()->name);
    return TRIT_OK;
}

static trit_status find_walk(const struct trit_walk **walk, const char *name,
                             const struct trit_isa *isa, struct trit_error *err)
{
    char known[128] = "";

    *walk = name ? trit_walk_find(name) : NULL;
    for (const struct trit_walk *w = trit_walks; w->name; w++)
        trit_append(known, sizeof known, " %s", w->name);
    if (name && !*walk)
        return trit_fail(err, TRIT_E_ARGUMENT, "unknown walk '%s'; it must be one of:%s", name,
                         known);
    if (name && (isa->cpu & (*walk)->cpu) != (*walk)->cpu)
        return trit_fail(err, TRIT_E_UNSUPPORTED, "the '%s' kernels have no walk '%s'", isa->name,
                         name);
    return TRIT_OK;
}

static int32_t or_default(int32_t value, int32_t missing)
{
    return value ? value : missing;
}

static trit_status set_options(struct trit_session *s, const struct trit_session_options *opt,
                               struct trit_error *err)
{
    const int32_t trained = s->model->knobs.n_ctx;
    trit_status status;

    s->n_ctx = or_default(opt->n_ctx, trained < DEFAULT_CTX ? trained : DEFAULT_CTX);
    s->n_batch = or_default(opt->n_batch, DEFAULT_BATCH);
    s->n_threads = or_default(opt->n_threads, trit_threads_default());
    if ((status = check_range("n_ctx", s->n_ctx, MAX_CTX, err)) ||
        (status = check_range("n_batch", s->n_batch, MAX_BATCH, err)) ||
        (status = check_range("n_threads", s->n_threads, TRIT_MAX_THREADS, err)))
        return status;
    if (opt->kv < TRIT_KV_TYPE_F16 || opt->kv > TRIT_KV_TYPE_I8)
        return trit_fail(err, TRIT_E_ARGUMENT, "unknown KV cache type %d", (int)opt->kv);
    if (s->model->knobs.learned_positions && s->n_ctx > (int64_t)s->model->position_embd.n_rows)
        return trit_fail(err, TRIT_E_ARGUMENT, "n_ctx is %d, but the model has only %zu positions",
                         s->n_ctx, s->model->position_embd.n_rows);
    if (!s->model->knobs.causal && !opt->whole)
        return trit_fail(err, TRIT_E_UNSUPPORTED,
                         "the model attends to later tokens (its key trit.causal is false), so it "
                         "can neither generate text nor be scored on it token by token; it "
                         "evaluates whole texts only");
    s->whole = opt->whole;
    if (s->n_batch > s->n_ctx || s->whole)
        s->n_batch = s->n_ctx;
    for (int32_t i = 0; i < opt->n_skip; i++)
        if (opt->skip_layers[i] < 0 || opt->skip_layers[i] >= s->model->knobs.n_layer)
            return trit_fail(err, TRIT_E_ARGUMENT,
                             "layer %d cannot be skipped; the model has layers 0 to %d",
                             opt->skip_layers[i], s->model->knobs.n_layer - 1);
    s->exit_layer = s->model->knobs.n_layer;
    s->early_exit = opt->early_exit;
    status = find_isa(&s->isa, opt->isa, err);
    return status ? status : find_walk(&s->walk, opt->walk, s->isa, err);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

_Static_assert((int)TRIT_KV_F16 == TRIT_KV_TYPE_F16 && (int)TRIT_KV_F32 == TRIT_KV_TYPE_F32 &&
                   (int)TRIT_KV_I8 == TRIT_KV_TYPE_I8,
               "formats of the cache are numbered as in trit.h");

/* Take all parts from the arena: once to count, once for real. */
static void lay_out(struct trit_session *s, enum trit_kv_format format)
{
    struct trit_arena *a = &s->arena;
    const struct trit_knobs *k = &s->model->knobs;
    const uint64_t b = (uint64_t)s->n_batch, ctx = (uint64_t)s->n_ctx, f = sizeof(float);
    const uint64_t embd = (uint64_t)k->n_embd, ff = (uint64_t)k->n_ff;
    const uint64_t q = (uint64_t)k->n_head * (uint64_t)k->head_dim;
    const uint64_t kv = (uint64_t)k->n_head_kv * (uint64_t)k->head_dim;
    const uint64_t all_blocks = (ctx + TRIT_ATTN_BLOCK - 1) / TRIT_ATTN_BLOCK;
    const bool split = s->n_threads > 1 && all_blocks >= TRIT_SPLIT_BLOCKS;
    const uint64_t n_blocks = split ? all_blocks : 0, n_merges = split ? (uint64_t)k->n_head_kv : 0;
    const bool transformed = k->hadamard == TRIT_HADAMARD_AFTER;
    const uint64_t digits = transformed ? TRIT_MAX_DIGITS : 1;
    uint64_t widest = embd > ff ? embd : ff;

    widest = trit_round_up(q > widest ? q : widest, TRIT_T2_BLOCK);
    s->widest = (size_t)widest;
    s->tuner = trit_arena_take(a, 1, sizeof *s->tuner);
    s->tokens = trit_arena_take(a, ctx, sizeof *s->tokens);
    s->positions = trit_arena_take(a, b, sizeof *s->positions);
    s->skip = trit_arena_take(a, (uint64_t)k->n_layer, sizeof *s->skip);
    s->check = trit_arena_take(a, (uint64_t)k->n_layer + 1, sizeof *s->check);
    s->exit_depth = trit_arena_take(a, s->early_exit ? ctx : 0, sizeof *s->exit_depth);
    s->exit_rows = trit_arena_take(a, s->early_exit ? ctx * embd : 0, f);
    trit_kv_lay_out(&s->kv, a, k, format, (size_t)s->n_ctx);
    s->rope_cos = trit_arena_take(a, ctx * (uint64_t)k->n_rot / 2, f);
    s->rope_sin = trit_arena_take(a, ctx * (uint64_t)k->n_rot / 2, f);
    s->h = trit_arena_take(a, b * embd, f);
    s->q = trit_arena_take(a, b * q, f);
    s->k = trit_arena_take(a, b * kv, f);
    s->v = trit_arena_take(a, b * kv, f);
    s->att = trit_arena_take(a, b * q, f);
    s->block_acc = trit_arena_take(a, n_blocks * q, f);
    s->block_sm = trit_arena_take(a, n_blocks * (uint64_t)k->n_head, sizeof *s->block_sm);
    s->ldsm = (size_t)trit_round_up((uint64_t)(k->n_head / k->n_head_kv),
                                    TRIT_ALIGN / sizeof *s->head_sm);
    s->head_sm = trit_arena_take(a, n_merges * s->ldsm, sizeof *s->head_sm);
    s->merge_progress = trit_arena_take(a, n_merges, sizeof *s->merge_progress);
    s->gate = trit_arena_take(a, b * ff, f);
    s->up = trit_arena_take(a, b * ff, f);
    s->proj = trit_arena_take(a, b * embd, f);
    s->xq = trit_arena_take(a, b * digits * widest, 1);
    s->xq_scale = trit_arena_take(a, b * digits, sizeof *s->xq_scale);
    s->digit_scale = trit_arena_take(a, transformed ? b : 0, f);
    s->digit_sums =
        trit_arena_take(a, transformed ? (uint64_t)s->n_threads * TRIT_DIGIT_SUMS : 0, f);
    s->ones = trit_arena_take(a, k->ffn == TRIT_FFN_PLAIN ? ff : 0, f);
    s->norm_row = trit_arena_take(a, (uint64_t)s->n_threads * widest, f);
    s->head_in = trit_arena_take(a, TRIT_HEAD_TOKENS * embd, f);
    s->logits = trit_arena_take(a, TRIT_HEAD_TOKENS * (uint64_t)s->model->output.n_rows, f);
}

static const struct trit_session_options defaults;

trit_status trit_session_bytes(uint64_t *out, const trit_model *model,
                               const struct trit_session_options *opt, struct trit_error *err)
{
    struct trit_session s = {.model = model};
    opt = opt ? opt : &defaults;

    const trit_status status = set_options(&s, opt, err);
    if (status)
        return status;
    lay_out(&s, (enum trit_kv_format)opt->kv);
    *out = s.arena.size;
    return TRIT_OK;
}

/* ---- Walks ----------------------------------------------------------------------------------- */

/* One class per kind of row. A model that may fit into the last-level cache is not worth measuring,
 * because all walks read it from there. Neither is the scalar row, which has one walk. Activations
 * with digits are multiplied as several tokens, so walks do not matter to them. */
static void prepare_tuner(struct trit_session *s)
{
    const struct trit_model *m = s->model;
    struct trit_tuner *t = s->tuner;
    const struct trit_linear *w;

    *t = (struct trit_tuner){
        .on = s->isa != trit_isas && trit_session_token_bytes(s) > trit_cache_bytes(),
        .now_ms = trit_now_ms,
        .piece_bytes = 512 << 10,
        .cpu = s->isa->cpu,
        .fixed = s->walk,
    };
    for (int32_t il = 0; il < m->knobs.n_layer && m->knobs.hadamard != TRIT_HADAMARD_AFTER; il++)
        for (size_t i = 0; (w = trit_layer_linear(&m->layers[il], i)); i++)
            if (w->t2)
                trit_tuner_class(t, TRIT_WALK_T2, "t2", w->row_bytes);
    trit_tuner_class(t, TRIT_WALK_FLOAT, trit_format_name(m->output.format), m->output.row_bytes);
    trit_tuner_class(t, TRIT_WALK_KV, "kv", s->kv.row_bytes);
}

bool trit_session_walk_at(const trit_session *s, int i, struct trit_session_walk *out)
{
    if (i < 0 || (size_t)i >= s->tuner->n)
        return false;
    const struct trit_tuned *c = &s->tuner->classes[i];
    *out = (struct trit_session_walk){c->type, c->row_bytes, c->walk->name, c->measured};
    return true;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static trit_status open_session(struct trit_session *s, const struct trit_session_options *opt,
                                struct trit_error *err)
{
    trit_status status = set_options(s, opt, err);

    if (status)
        return status;
    lay_out(s, (enum trit_kv_format)opt->kv);
    if ((status = trit_arena_alloc(&s->arena, "the context", err)))
        return status;
    lay_out(s, (enum trit_kv_format)opt->kv);
    memset(s->skip, 0, (size_t)s->model->knobs.n_layer * sizeof *s->skip);
    for (int32_t i = 0; i < opt->n_skip; i++)
        s->skip[opt->skip_layers[i]] = true;
    for (int32_t i = 0; s->model->knobs.ffn == TRIT_FFN_PLAIN && i < s->model->knobs.n_ff; i++)
        s->ones[i] = 1.0f;
    if ((status = trit_pool_open(&s->pool, s->n_threads, err)))
        return status;
    trit_kernels_init(&s->kernels, s->isa);
    prepare_tuner(s);
    return TRIT_OK;
}

trit_status trit_session_open(trit_session **out, const trit_model *model,
                              const struct trit_session_options *opt, struct trit_error *err)
{
    trit_session *s = calloc(1, sizeof *s);

    *out = NULL;
    if (!s)
        return trit_fail_memory(err, sizeof *s, "the session");
    s->model = model;
    const trit_status status = open_session(s, opt ? opt : &defaults, err);
    if (status) {
        trit_session_close(&s);
        return status;
    }
    const fenv_t env = trit_default_float_env();
    trit_rope_table(s);
    fesetenv(&env);
    *out = s;
    return TRIT_OK;
}

void trit_session_close(trit_session **session)
{
    trit_session *s = session ? *session : NULL;
    if (!s)
        return;
    *session = NULL;
    trit_pool_close(&s->pool);
    trit_arena_free(&s->arena);
    free(s);
}

/* ---- The timeline ---------------------------------------------------------------------------- */

/* Check that tokens can follow the first n_before of the timeline. */
static trit_status check_tokens(const struct trit_session *s, int32_t n_before,
                                const int32_t *tokens, int32_t n, struct trit_error *err)
{
    const int32_t n_vocab = trit_model_vocab_size(s->model);

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

static trit_status head_failed(struct trit_error *err)
{
    return trit_fail(err, TRIT_E_FAILED, "the model produced a non-finite value at its head");
}

/* Pass the logits of the whole batch in h to fn, in order. */
static trit_status give_logits(struct trit_session *s, size_t n, trit_logits_fn fn, void *user,
                               struct trit_error *err)
{
    const size_t n_vocab = s->model->output.n_rows;
    for (size_t i = 0; i < n; i += TRIT_HEAD_TOKENS) {
        const size_t m = n - i < TRIT_HEAD_TOKENS ? n - i : TRIT_HEAD_TOKENS;
        if (!trit_forward_head(s, i, m))
            return head_failed(err);
        s->last_logits = m - 1;
        for (size_t t = 0; t < m; t++)
            if (!fn(user, s->n_tokens + (int32_t)(i + t), s->logits + t * n_vocab))
                return trit_fail(err, TRIT_E_CANCELLED, "stopped");
    }
    return TRIT_OK;
}

/* Evaluate one batch; of one token if fn is set and tokens may leave early. On success the timeline
 * is longer by n. */
static trit_status eval_batch(struct trit_session *s, const int32_t *tokens, int32_t n, bool last,
                              trit_logits_fn fn, void *user, struct trit_error *err)
{
    bool decided = false;

    trit_embed(s, tokens, (size_t)n);
    s->last_depth = s->exit_layer;
    trit_status status = s->early_exit ? trit_exit_forward(s, (size_t)n, last || fn, &decided, err)
                                       : trit_forward_layers(s, (size_t)n, 0, s->exit_layer, err);
    if (status)
        return status;
    if (decided && fn && !fn(user, s->n_tokens, s->logits))
        status = trit_fail(err, TRIT_E_CANCELLED, "stopped");
    else if (decided)
        s->last_logits = 0;
    else if (fn)
        status = give_logits(s, (size_t)n, fn, user, err);
    else if (last && !trit_forward_head(s, (size_t)n - 1, 1))
        status = head_failed(err);
    else
        s->last_logits = 0;
    if (status)
        return status;
    /* tokens may be s->tokens + s->n_tokens */
    memmove(s->tokens + s->n_tokens, tokens, (size_t)n * sizeof *tokens);
    s->n_tokens += n;
    return TRIT_OK;
}

trit_status trit_session_eval(trit_session *s, const int32_t *tokens, int32_t n, trit_logits_fn fn,
                              void *user, struct trit_error *err)
{
    const int32_t before = s->n_tokens;
    trit_status status = check_tokens(s, before, tokens, n, err);

    if (status)
        return status;
    s->has_logits = false;
    const fenv_t env = trit_default_float_env();
    s->eval_n = n;
    for (int32_t i = 0, m; i < n && !status; i += m) {
        m = n - i < s->n_batch ? n - i : s->n_batch;
        if (fn && s->exit_threshold > 0.0f)
            m = 1;
        s->eval_done = i;
        status = eval_batch(s, tokens + i, m, i + m == n, fn, user, err);
    }
    fesetenv(&env);
    if (status)
        s->n_tokens = before;
    s->has_logits = !status;
    s->warm |= !status;
    return status;
}

trit_status trit_session_sync(trit_session *s, const int32_t *tokens, int32_t n,
                              struct trit_error *err)
{
    int32_t common = 0;
    const trit_status status = check_tokens(s, 0, tokens, n, err);

    if (status)
        return status;
    while (common < n && common < s->n_tokens && tokens[common] == s->tokens[common])
        common++;
    if (common == n && n == s->n_tokens && s->has_logits)
        return TRIT_OK;
    if (common == n)
        common--; /* for the last token's logits */
    if (s->whole)
        common = 0;
    trit_session_rewind(s, common);
    return trit_session_eval(s, tokens + common, n - common, NULL, NULL, err);
}

void trit_session_rewind(trit_session *s, int32_t n)
{
    n = n < 0 ? 0 : n;
    if (n >= s->n_tokens)
        return;
    n = s->whole ? 0 : n; /* keys may depend on the dropped tokens */
    s->n_tokens = n;
    s->has_logits = false;
}

trit_status trit_session_shift(trit_session *s, int32_t n_keep, int32_t *n_left_out,
                               struct trit_error *err)
{
    const int32_t n = s->n_tokens, keep = n_keep < 0 ? 0 : n_keep < n ? n_keep : n;
    const int32_t newest = (n - keep) / 2;

    *n_left_out = n - keep - newest;
    if (*n_left_out == 0)
        return TRIT_OK;
    trit_session_rewind(s, keep); /* their keys and values do not depend on later tokens */
    memmove(s->tokens + keep, s->tokens + n - newest, (size_t)newest * sizeof *s->tokens);
    if (s->whole) /* nothing could be kept */
        return trit_session_eval(s, s->tokens, keep + newest, NULL, NULL, err);
    return newest ? trit_session_eval(s, s->tokens + keep, newest, NULL, NULL, err) : TRIT_OK;
}

void trit_session_set_cancel(trit_session *s, bool (*fn)(void *user), void *user)
{
    s->cancel = fn;
    s->cancel_user = user;
}

void trit_session_set_progress(trit_session *s, void (*fn)(void *user, double part), void *user)
{
    s->progress = fn;
    s->progress_user = user;
}

const float *trit_session_logits(const trit_session *s)
{
    return s->has_logits ? s->logits + s->last_logits * s->model->output.n_rows : NULL;
}

const int32_t *trit_session_tokens(const trit_session *s)
{
    return s->tokens;
}

int32_t trit_session_n_tokens(const trit_session *s)
{
    return s->n_tokens;
}

int32_t trit_session_n_ctx(const trit_session *s)
{
    return s->n_ctx;
}

int32_t trit_session_n_vocab(const trit_session *s)
{
    return trit_model_vocab_size(s->model);
}

int32_t trit_session_n_layers(const trit_session *s)
{
    return s->model->knobs.n_layer;
}

int32_t trit_session_n_active(const trit_session *s)
{
    int32_t n = 0;
    for (int32_t il = 0; il < s->exit_layer; il++)
        n += !s->skip[il];
    return n;
}

int32_t trit_session_n_threads(const trit_session *s)
{
    return s->n_threads;
}

const char *trit_session_isa(const trit_session *s)
{
    return s->isa->name;
}
