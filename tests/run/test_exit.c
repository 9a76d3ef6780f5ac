/* test_exit.c - early exits and skipped layers: the result is that of a model with only these
 * layers, and no token that goes deeper ever sees the missing rows of one that exited early. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "fixture.h"
#include "reference.h"
#include "running.h"
#include "session_state.h"
#include "suite.h"
#include "trit_tools.h"

enum { N_LAYER = 5, N_TOKENS = 90, N_VOCAB = 300 };

static const struct fx_model *weights;
static trit_file *file;
static trit_model *model;
static int32_t tokens[N_TOKENS];

/* ---- Helpers --------------------------------------------------------------------------------- */

static trit_session *open_session(struct trit_session_options opt)
{
    trit_session *s = NULL;
    opt.n_threads = opt.n_threads ? opt.n_threads : 1;
    opt.n_ctx = 128;
    OK(trit_session_open(&s, model, &opt, &why));
    return s;
}

static trit_session *open_keeping(void)
{
    return open_session((struct trit_session_options){.early_exit = true, .kv = TRIT_KV_TYPE_F32});
}

/* All rows agree within the bounds of test_engine.c. */
static void assert_near(const float *x, const double *ref)
{
    double error = 0, sum = 0, squares = 0;
    const size_t n = (size_t)N_TOKENS * N_VOCAB;

    for (size_t i = 0; i < n; i++) {
        error += fabs((double)x[i] - ref[i]) / (double)n;
        sum += ref[i] / (double)n;
        squares += ref[i] * ref[i] / (double)n;
    }
    const double relative = error / sqrt(squares - sum * sum);
    if (!(relative < 0.02))
        fail_msg("mean error %g of the deviation", relative);
}

static void assert_same_logits(const trit_session *a, const trit_session *b)
{
    assert_non_null(trit_session_logits(a));
    assert_non_null(trit_session_logits(b));
    assert_memory_equal(trit_session_logits(a), trit_session_logits(b), N_VOCAB * sizeof(float));
}

static void assert_same_kv(const trit_session *a, const trit_session *b)
{
    assert_int_equal(a->n_tokens, b->n_tokens);
    for (size_t i = 0; i < a->kv.n_layer * a->kv.n_head; i++) {
        const size_t at = trit_kv_row(&a->kv, 0, i, 0) * a->kv.row_bytes;
        const size_t bytes = (size_t)a->n_tokens * a->kv.row_bytes;
        assert_memory_equal(a->kv.k + at, b->kv.k + at, bytes);
        assert_memory_equal(a->kv.v + at, b->kv.v + at, bytes);
    }
}

static int setup(void **state)
{
    struct fx_spec spec = fx_default;
    uint64_t rng = 7;
    (void)state;
    spec.n_layer = N_LAYER;
    spec.seed = 99;
    spec.head_scale = 0.1f;
    weights = fx_model("exit", &spec);
    for (int i = 0; i < N_TOKENS; i++)
        tokens[i] = (int32_t)(fx_random(&rng) % N_VOCAB);
    return trit_file_open(&file, weights->path, NULL, &why) || trit_model_open(&model, file, &why);
}

static int teardown(void **state)
{
    (void)state;
    trit_model_close(&model);
    trit_file_close(&file);
    return 0;
}

/* ---- Fixed exits ----------------------------------------------------------------------------- */

static void exit_is_a_shallower_model(void **state)
{
    (void)state;
    for (int32_t n = 1; n <= N_LAYER; n++) {
        struct fx_model shallow = *weights;
        trit_session *s = open_keeping();
        shallow.spec.n_layer = n;
        OK(trit_session_set_exit_layer(s, n, &why));
        double *ref = ref_logits(&shallow, NULL, tokens, N_TOKENS);
        float *x = logits_in(s, tokens, N_TOKENS);
        assert_near(x, ref);
        assert_int_equal(trit_session_exit_layer(s), n);
        free(x);
        free(ref);
        trit_session_close(&s);
    }
}

/* A file may apply the final norm only to tokens that pass all layers. */
static void exit_without_the_norm(void **state)
{
    struct fx_spec spec = weights->spec;
    struct fx_gguf g;
    struct fx_model m;
    trit_file *f;
    trit_model *other;
    trit_session *plain = open_keeping(), *s = NULL;
    const struct trit_session_options opt = {
        .early_exit = true, .kv = TRIT_KV_TYPE_F32, .n_ctx = 128, .n_threads = 1};
    (void)state;

    fx_model_gguf(&g, &m, &spec);
    fx_bool(&g, "trit.exit_norm", false);
    OK(trit_file_open(&f, fx_write_gguf("no-norm", &g), NULL, &why));
    OK(trit_model_open(&other, f, &why));
    OK(trit_session_open(&s, other, &opt, &why));
    OK(trit_session_eval(s, tokens, 5, NULL, NULL, &why));
    OK(trit_session_eval(plain, tokens, 5, NULL, NULL, &why));
    assert_same_logits(s, plain);
    OK(trit_session_set_exit_layer(s, 2, &why));
    OK(trit_session_eval(s, tokens + 5, 1, NULL, NULL, &why));
    for (int r = 0; r < N_VOCAB; r += 29) { /* the head on h without a norm */
        double sum = 0;
        for (int i = 0; i < m.spec.n_embd; i++)
            sum += (double)m.head[r * m.spec.n_embd + i] * (double)s->engine->h[i];
        assert_true(fabs(sum - (double)trit_session_logits(s)[r]) < 1e-3 * (1 + fabs(sum)));
    }
    trit_session_close(&s);
    trit_model_close(&other);
    trit_file_close(&f);
    trit_session_close(&plain);
    fx_free(&g);
    fx_model_free(&m);
}

static void full_depth_is_as_ever(void **state)
{
    trit_session *kept = open_keeping();
    trit_session *plain = open_session((struct trit_session_options){.kv = TRIT_KV_TYPE_F32});
    (void)state;
    float *a = logits_in(kept, tokens, N_TOKENS), *b = logits_in(plain, tokens, N_TOKENS);
    assert_memory_equal(a, b, (size_t)N_TOKENS * N_VOCAB * sizeof *a);
    assert_same_kv(kept, plain);
    free(a);
    free(b);
    trit_session_close(&kept);
    trit_session_close(&plain);
}

/* A token that passes all layers has the same logits after any earlier exits. */
static void mixed_exits_leave_no_trace(void **state)
{
    static const struct trit_session_options ways[] = {
        {.n_batch = 0, .kv = TRIT_KV_TYPE_F32},
        {.n_batch = 7, .kv = TRIT_KV_TYPE_F16, .n_threads = 2},
        {.n_batch = 1, .kv = TRIT_KV_TYPE_I8, .isa = "scalar"},
    };
    (void)state;
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
        for (uint64_t seed = 1; seed <= 6; seed++) {
            struct trit_session_options opt = ways[w], full = {.kv = ways[w].kv};
            uint64_t rng = seed;
            opt.early_exit = true;
            trit_session *s = open_session(opt), *plain = open_session(full);
            OK(trit_session_eval(plain, tokens, N_TOKENS, NULL, NULL, &why));
            for (int32_t at = 0; at < N_TOKENS;) {
                int32_t n = 1 + (int32_t)(fx_random(&rng) % (seed % 2 ? 4 : 30));
                n = n < N_TOKENS - at ? n : N_TOKENS - at;
                const int32_t layer =
                    at + n == N_TOKENS ? N_LAYER : 1 + (int32_t)(fx_random(&rng) % N_LAYER);
                OK(trit_session_set_exit_layer(s, layer, &why));
                OK(trit_session_eval(s, tokens + at, n, NULL, NULL, &why));
                at += n;
                if (at < N_TOKENS && fx_random(&rng) % 4 == 0) {
                    at -= (int32_t)(fx_random(&rng) % 3) % at;
                    trit_session_rewind(s, at);
                }
            }
            assert_same_logits(s, plain);
            OK(trit_exit_catch_up(s, &why));
            assert_same_kv(s, plain);
            trit_session_close(&s);
            trit_session_close(&plain);
        }
}

/* ---- Exits by confidence --------------------------------------------------------------------- */

static double top_probability(const float *x)
{
    return exp(trit_logprob(x, N_VOCAB, trit_argmax(x, N_VOCAB)));
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The logits of each token are those of the first checked depth that exceeds the threshold. */
static void leaves_where_it_is_sure(void **state)
{
    static const int32_t check[] = {1, 2, 4};
    double surest[N_TOKENS] = {0};
    float *at_depth[N_LAYER + 1] = {NULL};
    int n_early = 0, n_whole = 0;
    (void)state;

    for (int32_t n = 1; n <= N_LAYER; n++) {
        trit_session *s = open_keeping();
        OK(trit_session_set_exit_layer(s, n, &why));
        at_depth[n] = logits_in(s, tokens, N_TOKENS);
        trit_session_close(&s);
    }
    for (size_t t = 0; t < N_TOKENS; t++)
        for (int i = 0; i < 3; i++)
            surest[t] = fmax(surest[t], top_probability(at_depth[check[i]] + t * N_VOCAB));
    qsort(surest, N_TOKENS, sizeof *surest, compare_doubles);
    const float threshold = (float)surest[N_TOKENS / 2];
    trit_session *s = open_keeping();
    OK(trit_session_set_exit_threshold(s, threshold, check, 3, &why));
    float *x = logits_in(s, tokens, N_TOKENS);
    for (size_t t = 0; t < N_TOKENS; t++) {
        int32_t depth = N_LAYER;
        for (int i = 2; i >= 0; i--)
            if (top_probability(at_depth[check[i]] + t * N_VOCAB) > (double)threshold)
                depth = check[i];
        assert_memory_equal(x + t * N_VOCAB, at_depth[depth] + t * N_VOCAB,
                            N_VOCAB * sizeof(float));
        n_early += depth < N_LAYER;
        n_whole += depth == N_LAYER;
    }
    assert_true(n_early > 5 && n_whole > 5); /* otherwise nothing was tested */

    /* The same one token at a time and in batches, as in generation. */
    for (int32_t n = 1; n <= 40; n += 39) {
        trit_session *other = open_keeping();
        OK(trit_session_set_exit_threshold(other, threshold, check, 3, &why));
        for (int32_t at = 0; at < N_TOKENS; at += n) {
            const int32_t m = n < N_TOKENS - at ? n : N_TOKENS - at;
            OK(trit_session_eval(other, tokens + at, m, NULL, NULL, &why));
            assert_memory_equal(trit_session_logits(other), x + (size_t)(at + m - 1) * N_VOCAB,
                                N_VOCAB * sizeof(float));
        }
        trit_session_close(&other);
    }
    for (int32_t n = 1; n <= N_LAYER; n++)
        free(at_depth[n]);
    free(x);
    trit_session_close(&s);
}

static void threshold_of_one_is_the_whole_model(void **state)
{
    trit_session *s = open_keeping();
    trit_session *plain = open_session((struct trit_session_options){.kv = TRIT_KV_TYPE_F32});
    (void)state;
    OK(trit_session_set_exit_threshold(s, 1.0f, NULL, 0, &why));
    float *a = logits_in(s, tokens, N_TOKENS), *b = logits_in(plain, tokens, N_TOKENS);
    assert_memory_equal(a, b, (size_t)N_TOKENS * N_VOCAB * sizeof *a);
    assert_int_equal(trit_session_exit_layer(s), N_LAYER);
    free(a);
    free(b);
    trit_session_close(&s);
    trit_session_close(&plain);
}

/* ---- Skipped layers -------------------------------------------------------------------------- */

static void skipped_layers_are_not_there(void **state)
{
    static const int32_t skip[] = {3, 1};
    struct fx_layer left[N_LAYER - 2] = {weights->layers[0], weights->layers[2],
                                         weights->layers[4]};
    struct fx_model without = *weights;
    trit_session *s = open_session((struct trit_session_options){
        .kv = TRIT_KV_TYPE_F32, .early_exit = true, .skip_layers = skip, .n_skip = 2});
    (void)state;
    without.layers = left;
    without.spec.n_layer = N_LAYER - 2;
    double *ref = ref_logits(&without, NULL, tokens, N_TOKENS);
    float *x = logits_in(s, tokens, N_TOKENS);
    assert_near(x, ref);
    trit_session *whole = open_keeping();
    assert_true(trit_session_token_bytes(s) < trit_session_token_bytes(whole));
    trit_session_close(&whole);
    free(x);
    free(ref);
    trit_session_rewind(s, 0);
    OK(trit_session_set_exit_layer(s, 3, &why)); /* layers 0 and 2 */
    without.spec.n_layer = 2;
    ref = ref_logits(&without, NULL, tokens, N_TOKENS);
    x = logits_in(s, tokens, N_TOKENS);
    assert_near(x, ref);
    free(x);
    free(ref);
    trit_session_close(&s);
}

static void layer_drop_follows_its_schedule(void **state)
{
    int count[8] = {0};
    int32_t out[8], again[8];
    (void)state;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        const int32_t n = trit_layer_drop(out, 8, 0.5, seed);
        assert_int_equal(trit_layer_drop(again, 8, 0.5, seed), n);
        for (int32_t i = 0; i < n; i++) {
            assert_int_equal(out[i], again[i]);
            assert_true(i == 0 || out[i] > out[i - 1]);
            count[out[i]]++;
        }
    }
    for (int l = 0; l < 7; l++) {
        const double expected = 4000 * 0.5 * l * l / 49;
        assert_true(fabs(count[l] - expected) <= 4 * sqrt(expected + 1));
    }
    assert_int_equal(count[7], 0);
    assert_int_equal(trit_layer_drop(out, 8, 0, 1), 0);
    assert_int_equal(trit_layer_drop(out, 1, 1, 1), 0);
}

/* ---- Around it ------------------------------------------------------------------------------- */

struct image {
    struct fx_bytes bytes;
};

static bool append(void *user, const void *bytes, size_t n)
{
    struct image *image = user;
    fx_put(&image->bytes, bytes, n);
    return true;
}

/* A saved session has all layers, so that a session without exits can continue from it. */
static void saving_makes_up_for_exits(void **state)
{
    struct image image = {{0}};
    struct trit_session_loaded loaded;
    trit_session *s = open_session((struct trit_session_options){.early_exit = true});
    trit_session *plain = open_session((struct trit_session_options){0});
    trit_session *other = open_session((struct trit_session_options){.early_exit = true});
    (void)state;
    OK(trit_session_set_exit_layer(s, 2, &why));
    OK(trit_session_eval(s, tokens, 70, NULL, NULL, &why));
    OK(trit_session_save(s, append, &image, &why));
    const char *path = fx_write("exit.session", image.bytes.data, image.bytes.len);
    free(image.bytes.data);
    OK(trit_session_load(other, path, &loaded, &why));
    assert_false(loaded.reread);
    OK(trit_session_eval(other, tokens + 70, 1, NULL, NULL, &why));
    OK(trit_session_eval(plain, tokens, 71, NULL, NULL, &why));
    assert_same_logits(other, plain);
    trit_session_close(&other);

    static const int32_t skip[] = {1};
    other = open_session((struct trit_session_options){.skip_layers = skip, .n_skip = 1});
    OK(trit_session_load(other, path, &loaded, &why));
    assert_true(loaded.reread && strstr(loaded.why, "skipped"));
    trit_session_close(&other);
    trit_session_close(&plain);
    trit_session_close(&s);
}

static bool give_up(void *user)
{
    int *left = user;
    return (*left)-- == 0;
}

/* An evaluation that is cancelled while it computes skipped layers changes nothing. */
static void cancelled_anywhere(void **state)
{
    trit_session *plain = open_session((struct trit_session_options){.kv = TRIT_KV_TYPE_F32});
    (void)state;
    OK(trit_session_eval(plain, tokens, 41, NULL, NULL, &why));
    for (int after = 0; after < 8; after++) {
        trit_session *s = open_keeping();
        int left = after;
        OK(trit_session_set_exit_layer(s, 1, &why));
        OK(trit_session_eval(s, tokens, 20, NULL, NULL, &why));
        OK(trit_session_set_exit_layer(s, 3, &why));
        OK(trit_session_eval(s, tokens + 20, 20, NULL, NULL, &why));
        OK(trit_session_set_exit_layer(s, N_LAYER, &why));
        trit_session_set_cancel(s, give_up, &left);
        if (trit_session_eval(s, tokens + 40, 1, NULL, NULL, &why)) {
            assert_int_equal(why.code, TRIT_E_CANCELLED);
            assert_int_equal(trit_session_n_tokens(s), 40);
            left = -1;
            OK(trit_session_eval(s, tokens + 40, 1, NULL, NULL, &why));
        }
        assert_same_logits(s, plain);
        assert_same_kv(s, plain);
        trit_session_close(&s);
    }
    trit_session_close(&plain);
}

static void refusals(void **state)
{
    static const int32_t bad[] = {N_LAYER};
    const struct trit_session_options skipping = {.skip_layers = bad, .n_skip = 1};
    trit_session *plain = open_session((struct trit_session_options){0}), *s = open_keeping();
    (void)state;
    assert_int_equal(trit_session_set_exit_layer(plain, 2, &why), TRIT_E_ARGUMENT);
    assert_non_null(strstr(why.text, "early_exit"));
    assert_int_equal(trit_session_set_exit_layer(s, 0, &why), TRIT_E_ARGUMENT);
    assert_int_equal(trit_session_set_exit_layer(s, N_LAYER + 1, &why), TRIT_E_ARGUMENT);
    assert_non_null(strstr(why.text, "1 to 5"));
    assert_int_equal(trit_session_set_exit_threshold(s, NAN, NULL, 0, &why), TRIT_E_ARGUMENT);
    assert_int_equal(trit_session_set_exit_threshold(s, 1.5f, NULL, 0, &why), TRIT_E_ARGUMENT);
    assert_int_equal(trit_session_set_exit_threshold(s, 0.5f, (const int32_t[]){9}, 1, &why),
                     TRIT_E_ARGUMENT);
    trit_session_close(&plain);
    assert_int_equal(trit_session_open(&plain, model, &skipping, &why), TRIT_E_ARGUMENT);
    assert_non_null(strstr(why.text, "layers 0 to 4"));
    assert_null(plain);
    trit_session_close(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(exit_is_a_shallower_model),
    cmocka_unit_test(exit_without_the_norm),
    cmocka_unit_test(full_depth_is_as_ever),
    cmocka_unit_test(mixed_exits_leave_no_trace),
    cmocka_unit_test(leaves_where_it_is_sure),
    cmocka_unit_test(threshold_of_one_is_the_whole_model),
    cmocka_unit_test(skipped_layers_are_not_there),
    cmocka_unit_test(layer_drop_follows_its_schedule),
    cmocka_unit_test(saving_makes_up_for_exits),
    cmocka_unit_test(cancelled_anywhere),
    cmocka_unit_test(refusals),
};

const struct suite suite = {SUITE_TESTS(tests), .setup = setup, .teardown = teardown};
