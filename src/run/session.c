/* session.c - the options, memory and timeline of a session; step.c evaluates. */
#include "session_state.h"

#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "engine.h"
#include "read_options.h"

/* ---- Options --------------------------------------------------------------------------------- */

static trit_status check_options(const struct trit_engine *e, const struct trit_session *s,
                                 const struct trit_session_options *opt, struct trit_error *err)
{
    const struct trit_knobs *k = &e->model->knobs;

    if (s->n_ctx > e->n_ctx)
        return trit_fail(err, TRIT_E_ARGUMENT, "n_ctx is %d, but the engine has only %d positions",
                         s->n_ctx, e->n_ctx);
    if (s->whole && s->n_ctx > e->n_batch)
        return trit_fail(err, TRIT_E_ARGUMENT,
                         "whole texts need an n_batch of n_ctx, %d, but the engine's is %d",
                         s->n_ctx, e->n_batch);
    if (opt->kv < TRIT_KV_TYPE_F16 || opt->kv > TRIT_KV_TYPE_I8)
        return trit_fail(err, TRIT_E_ARGUMENT, "unknown KV cache type %d", (int)opt->kv);
    if (!k->causal && !s->whole)
        return trit_fail(err, TRIT_E_UNSUPPORTED,
                         "the model attends to later tokens (its key trit.causal is false), so it "
                         "can neither generate text nor be scored on it token by token; it "
                         "evaluates whole texts only");
    for (int32_t i = 0; i < opt->n_skip; i++)
        if (opt->skip_layers[i] < 0 || opt->skip_layers[i] >= k->n_layer)
            return trit_fail(err, TRIT_E_ARGUMENT,
                             "layer %d cannot be skipped; the model has layers 0 to %d",
                             opt->skip_layers[i], k->n_layer - 1);
    return trit_check_ctx(e->model, s->n_ctx, err);
}

static trit_status set_options(struct trit_session *s, const struct trit_session_options *opt,
                               struct trit_error *err)
{
    s->n_ctx = opt->n_ctx ? opt->n_ctx : s->engine->n_ctx;
    s->whole = opt->whole;
    s->early_exit = opt->early_exit;
    s->exit_layer = s->engine->model->knobs.n_layer;
    return check_options(s->engine, s, opt, err);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

_Static_assert((int)TRIT_KV_F16 == TRIT_KV_TYPE_F16 && (int)TRIT_KV_F32 == TRIT_KV_TYPE_F32 &&
                   (int)TRIT_KV_I8 == TRIT_KV_TYPE_I8,
               "formats of the cache are numbered as in trit.h");

/* Take all parts from the arena: once to count, once for real. */
static void lay_out(struct trit_session *s, enum trit_kv_format format)
{
    struct trit_arena *a = &s->arena;
    const struct trit_model *m = s->engine->model;
    const uint64_t ctx = (uint64_t)s->n_ctx, exit_ctx = s->early_exit ? ctx : 0;
    const uint64_t n_layer = (uint64_t)m->knobs.n_layer;

    s->tokens = trit_arena_take(a, ctx, sizeof *s->tokens);
    s->logits = trit_arena_take(a, m->output.n_rows, sizeof *s->logits);
    s->skip = trit_arena_take(a, n_layer, sizeof *s->skip);
    s->check = trit_arena_take(a, n_layer + 1, sizeof *s->check);
    s->exit_depth = trit_arena_take(a, exit_ctx, sizeof *s->exit_depth);
    s->exit_rows = trit_arena_take(a, exit_ctx * (uint64_t)m->knobs.n_embd, sizeof *s->exit_rows);
    trit_kv_lay_out(&s->kv, a, &m->knobs, format, (size_t)s->n_ctx);
}

/* The options of a session's private engine, in which no batch is longer than the context. */
static struct trit_engine_options private_engine(struct trit_engine *e,
                                                 const struct trit_session_options *opt)
{
    e->alone = true;
    e->whole = opt->whole;
    return (struct trit_engine_options){.n_ctx = opt->n_ctx,
                                        .n_batch = opt->n_batch,
                                        .n_threads = opt->n_threads,
                                        .isa = opt->isa,
                                        .walk = opt->walk};
}

trit_status trit_session_bytes(uint64_t *out, const trit_model *model,
                               const struct trit_session_options *options, struct trit_error *err)
{
    struct trit_session_options opt;
    struct trit_engine e = {.model = model};
    struct trit_session s = {.engine = &e};
    trit_status status = trit_read_options(&opt, sizeof opt, options, err);
    const struct trit_engine_options engine = private_engine(&e, &opt);

    if (status || (status = trit_engine_plan(&e, &engine, err)) ||
        (status = set_options(&s, &opt, err)))
        return status;
    lay_out(&s, (enum trit_kv_format)opt.kv);
    *out = e.arena.size + s.arena.size;
    return TRIT_OK;
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
    memset(s->skip, 0, (size_t)s->engine->model->knobs.n_layer * sizeof *s->skip);
    for (int32_t i = 0; i < opt->n_skip; i++)
        s->skip[opt->skip_layers[i]] = true;
    trit_tuner_class(s->engine->tuner, TRIT_WALK_KV, "kv", s->kv.row_bytes);
    return TRIT_OK;
}

/* On an engine, which the session joins before anything can fail. */
static trit_status join(trit_session **out, struct trit_engine *e,
                        const struct trit_session_options *opt, struct trit_error *err)
{
    struct trit_session *s = calloc(1, sizeof *s);

    *out = NULL;
    if (!s)
        return trit_fail_memory(err, sizeof *s, "the session");
    s->engine = e;
    e->n_sessions++;
    const trit_status status = open_session(s, opt, err);
    if (status)
        trit_session_close(&s);
    *out = s;
    return status;
}

trit_status trit_session_open_on(trit_session **out, trit_engine *engine,
                                 const struct trit_session_options *options, struct trit_error *err)
{
    struct trit_session_options opt;
    const trit_status status = trit_read_options(&opt, sizeof opt, options, err);

    *out = NULL;
    if (status)
        return status;
    if (opt.n_batch || opt.n_threads || opt.isa || opt.walk)
        return trit_fail(err, TRIT_E_ARGUMENT,
                         "n_batch, n_threads, isa and walk are options of the engine");
    return join(out, engine, &opt, err);
}

trit_status trit_session_open(trit_session **out, const trit_model *model,
                              const struct trit_session_options *options, struct trit_error *err)
{
    struct trit_session_options opt;
    struct trit_engine *e = NULL, like = {.model = model};
    trit_status status = trit_read_options(&opt, sizeof opt, options, err);
    const struct trit_engine_options engine = private_engine(&like, &opt);

    *out = NULL;
    if (status || (status = trit_engine_open_like(&e, &like, &engine, err)))
        return status;
    status = join(out, e, &opt, err);
    trit_engine_close(&e); /* from here on it lives as long as its sessions */
    return status;
}

void trit_session_close(trit_session **session)
{
    trit_session *s = session ? *session : NULL;
    if (!s)
        return;
    *session = NULL;
    s->engine->n_sessions--;
    trit_engine_release(s->engine);
    trit_arena_free(&s->arena);
    free(s);
}

/* ---- Forking --------------------------------------------------------------------------------- */

/* The first n positions of src, which has the same sizes, with their keys and values. */
static void copy_positions(struct trit_session *dst, const struct trit_session *src, size_t n)
{
    const struct trit_kv *from = &src->kv, *to = &dst->kv;
    const size_t embd = (size_t)src->engine->model->knobs.n_embd;

    memcpy(dst->tokens, src->tokens, n * sizeof *dst->tokens);
    dst->n_tokens = (int32_t)n;
    if (src->early_exit) {
        memcpy(dst->exit_depth, src->exit_depth, n * sizeof *dst->exit_depth);
        memcpy(dst->exit_rows, src->exit_rows, n * embd * sizeof *dst->exit_rows);
    }
    for (size_t i = 0; i < from->n_layer * from->n_head; i++) {
        const size_t row = trit_kv_row(from, 0, i, 0); /* the heads of all layers are contiguous */
        memcpy(to->k + row * to->row_bytes, from->k + row * from->row_bytes, n * from->row_bytes);
        memcpy(to->v + row * to->row_bytes, from->v + row * from->row_bytes, n * from->row_bytes);
        if (from->format != TRIT_KV_I8)
            continue;
        memcpy(to->k_scale + row, from->k_scale + row, n * sizeof *to->k_scale);
        memcpy(to->v_scale + row, from->v_scale + row, n * sizeof *to->v_scale);
    }
}

trit_status trit_session_fork(trit_session **out, trit_session *session, int32_t n_tokens,
                              struct trit_error *err)
{
    const struct trit_session *s = session;
    const size_t n_layer = (size_t)s->engine->model->knobs.n_layer;
    const struct trit_session_options opt = {.n_ctx = s->n_ctx,
                                             .kv = (trit_kv_type)s->kv.format,
                                             .early_exit = s->early_exit,
                                             .whole = s->whole};

    *out = NULL;
    if (n_tokens < 0 || n_tokens > s->n_tokens)
        return trit_fail(err, TRIT_E_ARGUMENT, "the fork's length %s",
                         trit_out_of_range(n_tokens, 0, s->n_tokens).text);
    if (s->whole && n_tokens > 0) /* keys may depend on later tokens */
        return trit_fail(err, TRIT_E_ARGUMENT, "a session for whole texts has no prefixes to fork");
    const trit_status status = join(out, session->engine, &opt, err);
    if (status)
        return status;
    memcpy((*out)->skip, s->skip, n_layer * sizeof *s->skip);
    memcpy((*out)->check, s->check, (n_layer + 1) * sizeof *s->check);
    (*out)->exit_layer = s->exit_layer;
    (*out)->exit_threshold = s->exit_threshold;
    copy_positions(*out, s, (size_t)n_tokens);
    return TRIT_OK;
}

/* ---- The timeline ---------------------------------------------------------------------------- */

trit_status trit_session_eval(trit_session *s, const int32_t *tokens, int32_t n, trit_logits_fn fn,
                              void *user, struct trit_error *err)
{
    struct trit_step step = {.session = s,
                             .tokens = tokens,
                             .n = n,
                             .want = fn ? TRIT_WANT_ALL : TRIT_WANT_LAST,
                             .on_logits = fn,
                             .user = user};
    return trit_engine_eval(s->engine, &step, 1, err);
}

trit_status trit_session_reuse(trit_session *s, const int32_t *tokens, int32_t n,
                               struct trit_error *err)
{
    int32_t common = 0;
    const trit_status status = trit_check_tokens(s, 0, tokens, n, err);

    if (status)
        return status;
    while (common < n && common < s->n_tokens && tokens[common] == s->tokens[common])
        common++;
    if (common == n && n == s->n_tokens && s->has_logits)
        return TRIT_OK;
    if (common == n)
        common--; /* for the last token's logits */
    trit_session_rewind(s, s->whole ? 0 : common);
    return TRIT_OK;
}

trit_status trit_session_sync(trit_session *s, const int32_t *tokens, int32_t n,
                              struct trit_error *err)
{
    const trit_status status = trit_session_reuse(s, tokens, n, err);

    if (status || s->n_tokens == n)
        return status;
    return trit_session_eval(s, tokens + s->n_tokens, n - s->n_tokens, NULL, NULL, err);
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
    return s->has_logits ? s->logits : NULL;
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
    return trit_model_vocab_size(s->engine->model);
}

int32_t trit_session_n_layers(const trit_session *s)
{
    return s->engine->model->knobs.n_layer;
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
    return s->engine->n_threads;
}

const char *trit_session_isa(const trit_session *s)
{
    return s->engine->isa->name;
}

trit_engine *trit_session_engine(const trit_session *s)
{
    return s->engine;
}

bool trit_session_walk_at(const trit_session *s, int i, struct trit_session_walk *out)
{
    if (i < 0 || (size_t)i >= s->engine->tuner->n)
        return false;
    const struct trit_tuned *c = &s->engine->tuner->classes[i];
    *out = (struct trit_session_walk){c->type, c->row_bytes, c->walk->name, c->measured};
    return true;
}
