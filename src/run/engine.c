/* engine.c - the options and memory of an engine; step.c evaluates. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "checked.h"
#include "linear.h"
#include "machine.h"
#include "read_options.h"

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

trit_status trit_check_ctx(const struct trit_model *m, int32_t n_ctx, struct trit_error *err)
{
    const trit_status status = check_range("n_ctx", n_ctx, MAX_CTX, err);

    if (!status && m->knobs.learned_positions && n_ctx > (int64_t)m->position_embd.n_rows)
        return trit_fail(err, TRIT_E_ARGUMENT, "n_ctx is %d, but the model has only %zu positions",
                         n_ctx, m->position_embd.n_rows);
    if (!status && m->knobs.n_window && n_ctx > m->knobs.n_window)
        return trit_fail(err, TRIT_E_UNSUPPORTED,
                         "n_ctx is %d, but this model has a sliding window of %d positions "
                         "(%s.attention.sliding_window), which is not supported; a context of at "
                         "most %d (-c %d) needs no window",
                         n_ctx, m->knobs.n_window, m->arch->name, m->knobs.n_window,
                         m->knobs.n_window);
    return status;
}

static trit_status set_options(struct trit_engine *e, const struct trit_engine_options *options,
                               struct trit_error *err)
{
    struct trit_engine_options opt;
    trit_status status = trit_read_options(&opt, sizeof opt, options, err);

    if (status)
        return status;
    const int32_t trained = e->model->knobs.n_ctx;
    e->n_ctx = or_default(opt.n_ctx, trained < DEFAULT_CTX ? trained : DEFAULT_CTX);
    e->n_batch = or_default(opt.n_batch, DEFAULT_BATCH);
    e->n_threads = or_default(opt.n_threads, trit_threads_default());
    if ((status = trit_check_ctx(e->model, e->n_ctx, err)) ||
        (status = check_range("n_batch", e->n_batch, MAX_BATCH, err)) ||
        (status = check_range("n_threads", e->n_threads, TRIT_MAX_THREADS, err)) ||
        (status = find_isa(&e->isa, opt.isa, err)))
        return status;
    if (e->alone && (e->whole || e->n_batch > e->n_ctx))
        e->n_batch = e->n_ctx;
    return find_walk(&e->walk, opt.walk, e->isa, err);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Take all parts from the arena: once to count, once for real. */
static void lay_out(struct trit_engine *e)
{
    struct trit_arena *a = &e->arena;
    const struct trit_knobs *k = &e->model->knobs;
    const uint64_t b = (uint64_t)e->n_batch, ctx = (uint64_t)e->n_ctx, f = sizeof(float);
    const uint64_t embd = (uint64_t)k->n_embd, ff = (uint64_t)k->n_ff;
    const uint64_t q = (uint64_t)k->n_head * (uint64_t)k->head_dim;
    const uint64_t kv = (uint64_t)k->n_head_kv * (uint64_t)k->head_dim;
    const uint64_t all_blocks = (ctx + TRIT_ATTN_BLOCK - 1) / TRIT_ATTN_BLOCK;
    const bool split = e->n_threads > 1 && all_blocks >= TRIT_SPLIT_BLOCKS;
    const uint64_t n_blocks = split ? all_blocks : 0, n_merges = split ? (uint64_t)k->n_head_kv : 0;
    const bool transformed = k->hadamard == TRIT_HADAMARD_AFTER;
    const uint64_t digits = transformed ? TRIT_MAX_DIGITS : 1;
    uint64_t widest = embd > ff ? embd : ff;

    widest = trit_round_up(q > widest ? q : widest, TRIT_T2_BLOCK);
    e->widest = (size_t)widest;
    e->tuner = trit_arena_take(a, 1, sizeof *e->tuner);
    e->rows = trit_arena_take(a, b, sizeof *e->rows);
    e->bad = trit_arena_take(a, b, sizeof *e->bad);
    e->runs = trit_arena_take(a, b, sizeof *e->runs);
    e->rope_cos = trit_arena_take(a, ctx * (uint64_t)k->n_rot / 2, f);
    e->rope_sin = trit_arena_take(a, ctx * (uint64_t)k->n_rot / 2, f);
    e->h = trit_arena_take(a, b * embd, f);
    e->q = trit_arena_take(a, b * q, f);
    e->k = trit_arena_take(a, b * kv, f);
    e->v = trit_arena_take(a, b * kv, f);
    e->att = trit_arena_take(a, b * q, f);
    e->block_acc = trit_arena_take(a, n_blocks * q, f);
    e->block_sm = trit_arena_take(a, n_blocks * (uint64_t)k->n_head, sizeof *e->block_sm);
    e->ldsm = (size_t)trit_round_up((uint64_t)(k->n_head / k->n_head_kv),
                                    TRIT_ALIGN / sizeof *e->head_sm);
    e->head_sm = trit_arena_take(a, n_merges * e->ldsm, sizeof *e->head_sm);
    e->merge_progress = trit_arena_take(a, n_merges, sizeof *e->merge_progress);
    e->gate = trit_arena_take(a, b * ff, f);
    e->up = trit_arena_take(a, b * ff, f);
    e->proj = trit_arena_take(a, b * embd, f);
    e->xq = trit_arena_take(a, b * digits * widest, 1);
    e->xf = trit_arena_take(a, e->model->n_float_linears ? b * widest : 0, f);
    e->xq_scale = trit_arena_take(a, b * digits, sizeof *e->xq_scale);
    e->digit_scale = trit_arena_take(a, transformed ? b : 0, f);
    e->digit_sums =
        trit_arena_take(a, transformed ? (uint64_t)e->n_threads * TRIT_DIGIT_SUMS : 0, f);
    e->ones = trit_arena_take(a, k->ffn == TRIT_FFN_PLAIN ? ff : 0, f);
    e->norm_row = trit_arena_take(a, (uint64_t)e->n_threads * widest, f);
    e->head_in = trit_arena_take(a, TRIT_HEAD_TOKENS * embd, f);
    e->logits = trit_arena_take(a, TRIT_HEAD_TOKENS * (uint64_t)e->model->output.n_rows, f);
}

trit_status trit_engine_plan(struct trit_engine *e, const struct trit_engine_options *opt,
                             struct trit_error *err)
{
    const trit_status status = set_options(e, opt, err);

    if (!status)
        lay_out(e);
    return status;
}

trit_status trit_engine_bytes(uint64_t *out, const trit_model *model,
                              const struct trit_engine_options *opt, struct trit_error *err)
{
    struct trit_engine e = {.model = model};
    const trit_status status = trit_engine_plan(&e, opt, err);

    *out = e.arena.size;
    return status;
}

/* ---- Walks ----------------------------------------------------------------------------------- */

/* One class per kind of row; a session adds that of its keys and values. A model that may fit into
 * the last-level cache is not worth measuring, because all walks read it from there. Neither is the
 * scalar row, which has one walk. Activations with digits are multiplied as several tokens, so
 * walks do not matter to them. */
static void prepare_tuner(struct trit_engine *e)
{
    const struct trit_model *m = e->model;
    struct trit_tuner *t = e->tuner;
    const struct trit_linear *w;
    struct trit_model_info info;

    trit_model_get_info(m, &info);
    *t = (struct trit_tuner){
        .on = e->isa != trit_isas && info.token_bytes > trit_cache_bytes(),
        .now_ms = trit_now_ms,
        .piece_bytes = 512 << 10,
        .cpu = e->isa->cpu,
        .fixed = e->walk,
    };
    for (int32_t il = 0; il < m->knobs.n_layer && m->knobs.hadamard != TRIT_HADAMARD_AFTER; il++)
        for (size_t i = 0; (w = trit_layer_linear(&m->layers[il], i)); i++)
            if (w->t2)
                trit_tuner_class(t, TRIT_WALK_T2, "t2", w->row_bytes);
    trit_tuner_class(t, TRIT_WALK_FLOAT, trit_format_name(m->output.format), m->output.row_bytes);
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static trit_status open_engine(struct trit_engine *e, const struct trit_engine_options *opt,
                               struct trit_error *err)
{
    trit_status status = trit_engine_plan(e, opt, err);

    if (status)
        return status;
    if ((status = trit_arena_alloc(&e->arena, "a batch", err)))
        return status;
    lay_out(e);
    for (int32_t i = 0; i < e->n_batch; i++)
        atomic_init(&e->bad[i], false);
    for (int32_t i = 0; e->model->knobs.ffn == TRIT_FFN_PLAIN && i < e->model->knobs.n_ff; i++)
        e->ones[i] = 1.0f;
    if ((status = trit_pool_open(&e->pool, e->n_threads, err)))
        return status;
    trit_kernels_init(&e->kernels, e->isa);
    prepare_tuner(e);
    const fenv_t env = trit_default_float_env();
    trit_rope_table(e);
    fesetenv(&env);
    return TRIT_OK;
}

trit_status trit_engine_open_like(trit_engine **out, const struct trit_engine *like,
                                  const struct trit_engine_options *opt, struct trit_error *err)
{
    struct trit_engine *e = calloc(1, sizeof *e);

    *out = NULL;
    if (!e)
        return trit_fail_memory(err, sizeof *e, "the engine");
    *e = *like;
    const trit_status status = open_engine(e, opt, err);
    if (status) {
        trit_engine_close(&e);
        return status;
    }
    *out = e;
    return TRIT_OK;
}

trit_status trit_engine_open(trit_engine **out, const trit_model *model,
                             const struct trit_engine_options *opt, struct trit_error *err)
{
    const struct trit_engine like = {.model = model};
    return trit_engine_open_like(out, &like, opt, err);
}

void trit_engine_release(struct trit_engine *e)
{
    if (!e->closed || e->n_sessions > 0)
        return;
    trit_pool_close(&e->pool);
    trit_arena_free(&e->arena);
    free(e);
}

void trit_engine_close(trit_engine **engine)
{
    trit_engine *e = engine ? *engine : NULL;
    if (!e)
        return;
    *engine = NULL;
    e->closed = true;
    trit_engine_release(e);
}
