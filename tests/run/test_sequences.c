/* test_sequences.c - many sessions on one engine: the logits of each have the same bits as if it
 * were alone, and a step that fails fails alone. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "running.h"
#include "suite.h"

/* Of each row below: 200 in all. The thread sanitizer needs a minute for as many. */
#if defined(__SANITIZE_THREAD__)
enum { N_SCHEDULES = 3 };
#else
enum { N_SCHEDULES = 25 };
#endif

enum { N_CTX = 96, N_VOCAB = 300, BAD_ID = 7, MAX_SESSIONS = 17, N_ROUNDS = 6, MAX_TOKENS = 24 };

static struct opened_model plain, grouped, odd, spoilt;

/* ---- A session and its twin, which evaluates the same tokens alone --------------------------- */

struct twins {
    trit_session *s, *alone;
    struct trit_session_options opt;
    int32_t tokens[MAX_TOKENS];
    float rows[MAX_TOKENS][N_VOCAB]; /* expected logits of the step's tokens, if all are wanted */
    int n_rows, n_given;             /* of them; passed to the callback */
    bool stop;                       /* cancel the next evaluation */
    trit_status expected;
};

static bool expect_row(void *user, int32_t position, const float *logits)
{
    struct twins *t = user;
    (void)position;
    memcpy(t->rows[t->n_rows++], logits, sizeof t->rows[0]);
    return true;
}

static bool compare_row(void *user, int32_t position, const float *logits)
{
    struct twins *t = user;
    if (t->expected) /* batches before the one that fails may have logits */
        return true;
    assert_int_equal(position, trit_session_n_tokens(t->alone) - t->n_rows + t->n_given);
    assert_memory_equal(t->rows[t->n_given++], logits, sizeof t->rows[0]);
    return true;
}

static bool stop_if(void *user)
{
    return ((struct twins *)user)->stop;
}

static const char *some_isa(uint64_t *rng)
{
    struct trit_isa_info isa;
    const char *usable[16];
    int n = 0;

    for (int i = 0; trit_isa_at(i, &isa); i++)
        if (isa.usable)
            usable[n++] = isa.name;
    return usable[fx_random(rng) % (uint64_t)n];
}

static void open_alone(struct twins *t, const struct opened_model *o, uint64_t *rng)
{
    struct trit_session_options opt = t->opt;
    opt.isa = some_isa(rng);
    opt.n_threads = 1;
    OK(trit_session_open(&t->alone, o->model, &opt, &why));
}

static void open_twins(struct twins *t, trit_engine *e, const struct opened_model *o, uint64_t *rng)
{
    static const int32_t skip[] = {1};

    *t = (struct twins){.opt = {.n_ctx = N_CTX - (int32_t)(fx_random(rng) % 20),
                                .kv = (trit_kv_type)(fx_random(rng) % 3),
                                .early_exit = fx_random(rng) % 3 == 0,
                                .skip_layers = skip,
                                .n_skip = fx_random(rng) % 8 == 0}};
    OK(trit_session_open_on(&t->s, e, &t->opt, &why));
    open_alone(t, o, rng);
}

static void close_twins(struct twins *t)
{
    trit_session_close(&t->s);
    trit_session_close(&t->alone);
}

/* ---- Schedules ------------------------------------------------------------------------------- */

/* Change both twins alike before a step, and choose the step. */
static void plan_step(struct twins *t, struct trit_step *step, bool may_spoil, uint64_t *rng)
{
    const int32_t n_before = trit_session_n_tokens(t->s), room = t->opt.n_ctx - n_before;
    int32_t n = 1 + (int32_t)(fx_random(rng) % (fx_random(rng) % 2 ? 1 : MAX_TOKENS));

    if (n_before > 0 && (fx_random(rng) % 5 == 0 || n > room)) {
        const int32_t keep = (int32_t)(fx_random(rng) % (uint64_t)n_before) / 2;
        trit_session_rewind(t->s, keep);
        trit_session_rewind(t->alone, keep);
    }
    if (t->opt.early_exit && fx_random(rng) % 2) {
        const int32_t layer = 1 + (int32_t)(fx_random(rng) % 3);
        const float threshold = fx_random(rng) % 2 ? 0.02f : 0;
        OK(trit_session_set_exit_layer(t->s, layer, &why));
        OK(trit_session_set_exit_layer(t->alone, layer, &why));
        OK(trit_session_set_exit_threshold(t->s, threshold, NULL, 0, &why));
        OK(trit_session_set_exit_threshold(t->alone, threshold, NULL, 0, &why));
    }
    fx_ids(t->tokens, n, N_VOCAB, fx_random(rng));
    for (int32_t i = 0; i < n; i++)
        t->tokens[i] = t->tokens[i] == BAD_ID ? 8 : t->tokens[i];
    t->stop = fx_random(rng) % 12 == 0;
    if (may_spoil && !t->stop && fx_random(rng) % 8 == 0)
        t->tokens[fx_random(rng) % (uint64_t)n] = BAD_ID;
    if (fx_random(rng) % 16 == 0)
        t->tokens[fx_random(rng) % (uint64_t)n] = N_VOCAB;
    *step = (struct trit_step){.session = t->s,
                               .tokens = t->tokens,
                               .n = n,
                               .want = (trit_want)(fx_random(rng) % 3),
                               .on_logits = compare_row,
                               .user = t};
}

/* Evaluate the step alone, for what to expect. */
static void eval_alone(struct twins *t, const struct trit_step *step)
{
    t->n_rows = t->n_given = 0;
    trit_session_set_cancel(t->alone, stop_if, t);
    trit_session_set_cancel(t->s, stop_if, t);
    t->expected = trit_session_eval(t->alone, t->tokens, step->n,
                                    step->want == TRIT_WANT_ALL ? expect_row : NULL, t, NULL);
}

static void check_step(const struct twins *t, const struct trit_step *step)
{
    const float *x = trit_session_logits(t->s), *ref = trit_session_logits(t->alone);

    if (step->error.code != t->expected)
        fail_msg("status %d instead of %d: %s", step->error.code, t->expected, step->error.text);
    assert_int_equal(trit_session_n_tokens(t->s), trit_session_n_tokens(t->alone));
    assert_memory_equal(trit_session_tokens(t->s), trit_session_tokens(t->alone),
                        (size_t)trit_session_n_tokens(t->s) * sizeof(int32_t));
    if (t->expected == TRIT_E_ARGUMENT) /* nothing has changed */
        return;
    if (t->expected || step->want == TRIT_WANT_NONE) {
        assert_null(x);
        return;
    }
    assert_memory_equal(x, ref, N_VOCAB * sizeof *x);
    assert_int_equal(trit_session_exit_layer(t->s), trit_session_exit_layer(t->alone));
    if (step->want == TRIT_WANT_ALL)
        assert_int_equal(t->n_given, step->n);
}

/* Replace twins by a fork of others and by a session that evaluates the fork's tokens. */
static void fork_twins(struct twins *t, struct twins *from, const struct opened_model *o,
                       uint64_t *rng)
{
    const int32_t n = trit_session_n_tokens(from->s);
    const int32_t keep = n ? (int32_t)(fx_random(rng) % (uint64_t)(n + 1)) : 0;

    close_twins(t);
    *t = (struct twins){.opt = from->opt};
    OK(trit_session_fork(&t->s, from->s, keep, &why));
    assert_int_equal(trit_session_n_tokens(t->s), keep);
    assert_null(trit_session_logits(t->s));
    open_alone(t, o, rng);
    if (keep)
        OK(trit_session_eval(t->alone, trit_session_tokens(t->s), keep, NULL, NULL, &why));
    if (t->opt.early_exit) { /* a fork has its parent's settings */
        OK(trit_session_set_exit_layer(t->alone, 2, &why));
        OK(trit_session_set_exit_layer(t->s, 2, &why));
        OK(trit_session_set_exit_threshold(t->alone, 0, NULL, 0, &why));
        OK(trit_session_set_exit_threshold(t->s, 0, NULL, 0, &why));
    }
}

static void shuffle(int *order, int n, uint64_t *rng)
{
    for (int i = 0; i < n; i++)
        order[i] = i;
    for (int i = n; i-- > 1;) {
        const int k = (int)(fx_random(rng) % (uint64_t)(i + 1)), x = order[i];
        order[i] = order[k];
        order[k] = x;
    }
}

static void run_schedule(const struct opened_model *o, uint64_t seed)
{
    static const int32_t batches[] = {1, 2, 5, 16, 64, 512};
    static struct twins twins[MAX_SESSIONS];
    uint64_t rng = seed;
    const int n = 1 + (int)(fx_random(&rng) % MAX_SESSIONS);
    const struct trit_engine_options opt = {.n_ctx = N_CTX,
                                            .n_batch = batches[fx_random(&rng) % 6],
                                            .n_threads = 1 + (int32_t)(fx_random(&rng) % 3),
                                            .isa = some_isa(&rng)};
    trit_engine *e = NULL;

    OK(trit_engine_open(&e, o->model, &opt, &why));
    for (int i = 0; i < n; i++)
        open_twins(&twins[i], e, o, &rng);
    for (int round = 0; round < N_ROUNDS; round++) {
        struct trit_step steps[MAX_SESSIONS];
        int order[MAX_SESSIONS], n_steps = 0;
        trit_status first = TRIT_OK;
        shuffle(order, n, &rng);
        for (int i = 0; i < n; i++) {
            struct twins *t = &twins[order[i]];
            if (n > 1 && fx_random(&rng) % 10 == 0)
                fork_twins(t, &twins[order[(i + 1) % n]], o, &rng);
            if (fx_random(&rng) % 4 == 0)
                continue;
            plan_step(t, &steps[n_steps], o == &spoilt, &rng);
            eval_alone(t, &steps[n_steps]);
            first = first ? first : t->expected;
            n_steps++;
        }
        assert_int_equal(trit_engine_eval(e, steps, n_steps, NULL), first);
        for (int i = 0; i < n_steps; i++)
            check_step(steps[i].user, &steps[i]);
    }
    for (int i = 0; i < n; i++)
        close_twins(&twins[i]);
    trit_engine_close(&e);
}

struct row {
    const char *name;
    const struct opened_model *o;
    uint64_t seed;
};

static const struct row rows[] = {
    {"schedules_plain_1", &plain, 1000},     {"schedules_plain_2", &plain, 2000},
    {"schedules_grouped_1", &grouped, 3000}, {"schedules_grouped_2", &grouped, 4000},
    {"schedules_odd_1", &odd, 5000},         {"schedules_odd_2", &odd, 6000},
    {"schedules_spoilt_1", &spoilt, 7000},   {"schedules_spoilt_2", &spoilt, 8000},
};

static void test_schedules(void **state)
{
    const struct row *row = *state;
    for (uint64_t i = 0; i < N_SCHEDULES; i++)
        run_schedule(row->o, row->seed + i);
}

/* ---- Steps that are wrong -------------------------------------------------------------------- */

static void test_wrong_steps(void **state)
{
    const int32_t ids[] = {3, 4, 5};
    const struct trit_engine_options opt = {.n_ctx = 4, .n_threads = 1};
    trit_engine *e = NULL;
    trit_session *s[3] = {NULL}, *stranger = NULL;
    struct trit_error err = {0};
    (void)state;

    OK(trit_engine_open(&e, plain.model, &opt, &why));
    for (int i = 0; i < 3; i++)
        OK(trit_session_open_on(&s[i], e, NULL, &why));
    OK(trit_session_open(&stranger, plain.model, NULL, &why));
    struct trit_step steps[] = {
        {.session = s[0], .tokens = ids, .n = 3},     {.session = s[1], .tokens = ids, .n = 0},
        {.session = stranger, .tokens = ids, .n = 1}, {.session = s[0], .tokens = ids, .n = 1},
        {.session = NULL, .tokens = ids, .n = 1},     {.session = s[2], .tokens = ids, .n = 3},
    };
    static const char *const words[] = {NULL,        "no tokens",      "another engine",
                                        "two steps", "another engine", NULL};
    assert_int_equal(trit_engine_eval(e, steps, 6, &err), TRIT_E_ARGUMENT);
    assert_string_equal(err.text, steps[1].error.text);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(steps[i].error.code, words[i] ? TRIT_E_ARGUMENT : TRIT_OK);
        if (words[i] && !strstr(steps[i].error.text, words[i]))
            fail_msg("no '%s' in '%s'", words[i], steps[i].error.text);
    }
    assert_int_equal(trit_session_n_tokens(s[0]), 3);
    assert_int_equal(trit_session_n_tokens(s[2]), 3);
    assert_memory_equal(trit_session_logits(s[0]), trit_session_logits(s[2]), 4 * N_VOCAB);
    steps[0].n = steps[5].n = 2; /* the contexts have room for one */
    assert_int_equal(trit_engine_eval(e, &steps[0], 1, &err), TRIT_E_ARGUMENT);
    assert_non_null(strstr(err.text, "do not fit"));
    assert_int_equal(trit_engine_eval(e, steps, 0, &err), TRIT_OK);
    trit_session_close(&stranger);
    trit_engine_close(&e); /* the sessions keep it */
    assert_null(e);
    for (int i = 0; i < 3; i++)
        trit_session_close(&s[i]);
}

static void test_wrong_options(void **state)
{
    const struct trit_engine_options opt = {.n_ctx = 64, .n_batch = 8, .n_threads = 1};
    const struct trit_session_options bad[] = {
        {.n_ctx = 65},     {.n_ctx = -1},  {.n_threads = 1},        {.n_batch = 8},
        {.isa = "scalar"}, {.walk = "t0"}, {.kv = (trit_kv_type)9}, {.whole = true}};
    trit_engine *e = NULL;
    trit_session *s = NULL;
    struct trit_error err;
    (void)state;

    OK(trit_engine_open(&e, plain.model, &opt, &why));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(trit_session_open_on(&s, e, &bad[i], &err), TRIT_E_ARGUMENT);
        assert_null(s);
    }
    OK(trit_session_open_on(&s, e, NULL, &why));
    assert_int_equal(trit_session_n_ctx(s), 64);
    assert_ptr_equal(trit_session_engine(s), e);
    trit_session *fork = NULL;
    assert_int_equal(trit_session_fork(&fork, s, 1, &err), TRIT_E_ARGUMENT);
    assert_null(fork);
    trit_session_close(&s);
    trit_engine_close(&e);
}

/* A fork of a session with a private engine outlives it. */
static void test_fork_of_private(void **state)
{
    const struct trit_session_options opt = {.n_threads = 2, .n_ctx = 64};
    const int32_t ids[] = {1, 2, 3, 4, 5, 6};
    trit_session *s = NULL, *fork = NULL, *alone = NULL;
    (void)state;

    OK(trit_session_open(&s, plain.model, &opt, &why));
    OK(trit_session_open(&alone, plain.model, &opt, &why));
    OK(trit_session_eval(s, ids, 4, NULL, NULL, &why));
    OK(trit_session_fork(&fork, s, 3, &why));
    trit_session_close(&s);
    OK(trit_session_eval(fork, ids + 3, 3, NULL, NULL, &why));
    OK(trit_session_eval(alone, ids, 6, NULL, NULL, &why));
    assert_memory_equal(trit_session_logits(fork), trit_session_logits(alone), 4 * N_VOCAB);
    trit_session_close(&fork);
    trit_session_close(&alone);
}

/* ---- Two engines in two threads -------------------------------------------------------------- */

struct runner {
    pthread_t thread;
    float logits[2][N_VOCAB];
    trit_status status;
};

static void *run_engine(void *user)
{
    struct runner *r = user;
    const struct trit_engine_options opt = {.n_ctx = 64, .n_threads = 2};
    const int32_t ids[] = {1, 2, 3, 4, 5, 6, 7, 8};
    trit_engine *e = NULL;
    trit_session *s[2] = {NULL};

    r->status = trit_engine_open(&e, plain.model, &opt, NULL);
    for (int i = 0; i < 2 && !r->status; i++)
        r->status = trit_session_open_on(&s[i], e, NULL, NULL);
    for (int round = 0; round < 7 && !r->status; round++) {
        struct trit_step steps[] = {{.session = s[0], .tokens = ids + round, .n = 1},
                                    {.session = s[1], .tokens = ids, .n = 1 + round}};
        r->status = trit_engine_eval(e, steps, 2, NULL);
    }
    for (int i = 0; i < 2 && !r->status; i++)
        memcpy(r->logits[i], trit_session_logits(s[i]), sizeof r->logits[i]);
    for (int i = 0; i < 2; i++)
        trit_session_close(&s[i]);
    trit_engine_close(&e);
    return NULL;
}

static void test_two_threads(void **state)
{
    static struct runner runners[3]; /* the last one alone */
    (void)state;

    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&runners[i].thread, NULL, run_engine, &runners[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(runners[i].thread, NULL);
    run_engine(&runners[2]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(runners[i].status, TRIT_OK);
        assert_memory_equal(runners[i].logits, runners[2].logits, sizeof runners[i].logits);
    }
}

/* ---- The suite ------------------------------------------------------------------------------- */

/* One row of its embedding is not a number. */
static const char *spoilt_model(struct fx_spec spec)
{
    static struct fx_model m;
    struct fx_gguf g;
    const float value = NAN;

    spec.embd_type = FX_F32;
    spec.untied = true;
    fx_model_gguf(&g, &m, &spec);
    memcpy(g.data.data + (BAD_ID * (size_t)spec.n_embd + 17) * sizeof value, &value, sizeof value);
    const char *path = fx_write_gguf("spoilt", &g);
    fx_free(&g);
    return path;
}

static int setup(void **state)
{
    struct fx_spec spec = fx_default;
    (void)state;

    spec.n_layer = 3;
    spec.n_embd = spec.n_ff = 128;
    spec.head_dim = 32;
    spec.head_scale = 0.1f; /* flat distributions: some tokens exit by confidence */
    plain = open_path(fx_model("plain", &spec)->path);
    spoilt = open_path(spoilt_model(spec));
    spec.n_head = 12; /* more heads share a KV head than one pass over its keys serves */
    spec.n_head_kv = 1;
    spec.head_dim = 16;
    spec.linear_norms = true;
    grouped = open_path(fx_model("grouped", &spec)->path);
    spec = fx_default; /* none of its widths is a whole number of blocks or lanes */
    spec.arch = "llama";
    spec.n_layer = 3;
    spec.sub_norms = false;
    spec.untied = true;
    spec.embd_type = FX_Q8_0;
    spec.n_embd = 96;
    spec.n_ff = 160;
    spec.head_dim = 20;
    spec.n_head = 3;
    spec.n_head_kv = 3;
    spec.linear_type = FX_F16;
    odd = open_path(fx_model("odd", &spec)->path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_opened(&plain);
    close_opened(&grouped);
    close_opened(&odd);
    close_opened(&spoilt);
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_wrong_steps),
    cmocka_unit_test(test_wrong_options),
    cmocka_unit_test(test_fork_of_private),
    cmocka_unit_test(test_two_threads),
};

const struct suite suite = {SUITE_TESTS(tests), SUITE_ROWS(test_schedules, rows), .setup = setup,
                            .teardown = teardown};
