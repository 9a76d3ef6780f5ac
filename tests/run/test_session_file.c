/* test_session_file.c - saving and loading a timeline. For any contents of the file, loading gives
 * logits with the same bits, or evaluates the tokens again and reports it, or fails. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "hash.h"
#include "knobs.h"
#include "running.h"
#include "suite.h"

/* Two blocks of keys, and some later tokens. */
enum { N_TOKENS = 70, N_MORE = 4, N_FEW = 5, N_VOCAB = 300 };

/* Offsets in a file; see session_file.c. */
enum { AT_VERSION = 8, AT_FINGERPRINT = 16, AT_N_TOKENS = 24, AT_TOKENS = 128 };

static const trit_kv_type kv_types[] = {TRIT_KV_TYPE_F16, TRIT_KV_TYPE_F32, TRIT_KV_TYPE_I8};

static struct opened_model plain; /* for all tests; see setup() */
static struct fx_spec plain_spec;
static int32_t tokens[N_TOKENS + N_MORE];
static const char *path; /* the file that is loaded */

/* ---- Helpers --------------------------------------------------------------------------------- */

static trit_session *open_session(const struct opened_model *o, struct trit_session_options opt)
{
    trit_session *s = NULL;
    opt.n_threads = opt.n_threads ? opt.n_threads : 1;
    OK(trit_session_open(&s, o->model, &opt, &why));
    return s;
}

/* A session that has evaluated the first n tokens. */
static trit_session *open_evaluated(struct trit_session_options opt, int n)
{
    trit_session *s = open_session(&plain, opt);
    OK(trit_session_eval(s, tokens, n, NULL, NULL, &why));
    return s;
}

static struct fx_bytes save(trit_session *s)
{
    struct fx_bytes b = {0};
    OK(trit_session_save(s, fx_append, &b, &why));
    return b;
}

/* The file of a session with these options and n tokens. */
static struct fx_bytes saved(struct trit_session_options opt, int n)
{
    trit_session *s = open_evaluated(opt, n);
    struct fx_bytes b = save(s);
    trit_session_close(&s);
    return b;
}

static void put_file(const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Logits after each of the tokens that follow the first n: [N_MORE, N_VOCAB]. */
static void continue_logits(float *out, trit_session *s, int n)
{
    for (int i = 0; i < N_MORE; i++) {
        OK(trit_session_eval(s, tokens + n + i, 1, NULL, NULL, &why));
        memcpy(out + i * N_VOCAB, trit_session_logits(s), N_VOCAB * sizeof *out);
    }
    trit_session_rewind(s, n);
}

static void assert_tokens(const trit_session *s, int n)
{
    assert_int_equal(trit_session_n_tokens(s), n);
    assert_memory_equal(trit_session_tokens(s), tokens, (size_t)n * sizeof *tokens);
}

/* The logits of the later tokens in a session that has evaluated the first n tokens. */
static void expect(float *out, trit_kv_type kv, int n)
{
    trit_session *s = open_evaluated((struct trit_session_options){.kv = kv}, n);
    continue_logits(out, s, n);
    trit_session_close(&s);
}

static void assert_continues(trit_session *s, int n, const float *expected)
{
    static float x[N_MORE * N_VOCAB];
    assert_tokens(s, n);
    continue_logits(x, s, n);
    assert_memory_equal(x, expected, sizeof x);
}

/* Loading is refused with a text that mentions this, and the session is unchanged. */
static void assert_refused(trit_session *s, trit_status status, const char *mentions)
{
    struct trit_session_loaded loaded;
    const int32_t others[] = {1, 2, 3};

    trit_session_rewind(s, 0);
    OK(trit_session_eval(s, others, 3, NULL, NULL, &why));
    const trit_status got = trit_session_load(s, path, &loaded, &why);
    if (got != status || (got && !strstr(why.text, mentions)))
        fail_msg("status %d: %s; expected %d: %s", (int)got, got ? why.text : "", (int)status,
                 mentions);
    assert_int_equal(trit_session_n_tokens(s), 3);
    assert_memory_equal(trit_session_tokens(s), others, sizeof others);
    assert_non_null(trit_session_logits(s));
    assert_int_equal(loaded.n_tokens, 0);
}

/* ---- As is ----------------------------------------------------------------------------------- */

static void check_way(trit_kv_type kv, struct trit_session_options opt, const struct fx_bytes *file,
                      const float *expected)
{
    struct trit_session_loaded loaded;
    opt.kv = kv;
    trit_session *s = open_session(&plain, opt);

    put_file(file->data, file->len);
    OK(trit_session_load(s, path, &loaded, &why));
    assert_false(loaded.reread);
    assert_null(loaded.why);
    assert_int_equal(loaded.n_tokens, N_TOKENS);
    assert_continues(s, N_TOKENS, expected);
    OK(trit_session_load(s, path, &loaded, &why)); /* in place of the current timeline */
    assert_null(trit_session_logits(s));
    assert_continues(s, N_TOKENS, expected);

    struct fx_bytes again = saved(opt, N_TOKENS); /* the same file with any options */
    assert_int_equal(again.len, file->len);
    assert_memory_equal(again.data, file->data, file->len);
    free(again.data);
    trit_session_close(&s);
}

/* For any options of the session that saves and of the one that loads. */
static void test_as_is(void **state)
{
    static const int batches[] = {1, 7, 512};
    static float expected[N_MORE * N_VOCAB];
    struct trit_isa_info isa;
    (void)state;

    for (int k = 0; k < 3; k++) {
        struct fx_bytes file = saved((struct trit_session_options){.kv = kv_types[k]}, N_TOKENS);
        expect(expected, kv_types[k], N_TOKENS);
        for (int i = 0; trit_isa_at(i, &isa); i++)
            for (int j = 0; isa.usable && j < 3; j++)
                check_way(kv_types[k],
                          (struct trit_session_options){.isa = isa.name,
                                                        .n_threads = 1 + j % 2,
                                                        .n_batch = batches[j],
                                                        .n_ctx = j == 1 ? N_TOKENS + N_MORE : 0},
                          &file, expected);
        free(file.data);
    }
}

/* The file holds only rows in use, not rows of an earlier, longer timeline. */
static void test_size(void **state)
{
    static const size_t row_bytes[] = {2 * 64, 4 * 64, 64 + 4};
    (void)state;
    for (int k = 0; k < 3; k++) {
        trit_session *s =
            open_evaluated((struct trit_session_options){.kv = kv_types[k]}, N_TOKENS);
        struct fx_bytes first, b;
        trit_session_rewind(s, 9);
        b = save(s);
        first = saved((struct trit_session_options){.kv = kv_types[k], .n_ctx = 9}, 9);
        assert_int_equal(b.len, AT_TOKENS + 4 * 9 + 8 +
                                    9 * 2 * row_bytes[k] * 2 * (size_t)plain_spec.n_head_kv + 8);
        assert_int_equal(b.len, first.len);
        assert_memory_equal(b.data, first.data, b.len);
        free(b.data);
        free(first.data);
        trit_session_close(&s);
    }
}

/* The same model, read instead of mapped; generation continues from the loaded data alone. */
static void test_generate(void **state)
{
    enum { N = 12 };
    const struct trit_generate_options opt = {.max_tokens = N, .ignore_eos = true};
    struct opened_model o = open_unmapped(fx_model("plain", &plain_spec)->path);
    struct trit_generate_result result;
    struct trit_session_loaded loaded;
    trit_tokenizer *t = NULL;
    int32_t ids[2][N];
    (void)state;

    OK(trit_tokenizer_open(&t, o.file, &why));
    struct fx_bytes file = saved((struct trit_session_options){0}, N_TOKENS);
    put_file(file.data, file.len);
    free(file.data);
    for (int i = 0; i < 2; i++) {
        trit_session *s = open_session(i ? &o : &plain, (struct trit_session_options){0});
        if (i)
            OK(trit_session_load(s, path, &loaded, &why));
        OK(trit_generate(s, t, tokens, N_TOKENS, &opt, &result, &why));
        assert_int_equal(result.n_new, N);
        assert_int_equal(trit_session_n_tokens(s), N_TOKENS + N - 1);
        memcpy(ids[i], trit_session_tokens(s) + N_TOKENS, (N - 1) * sizeof **ids);
        ids[i][N - 1] = result.pending;
        trit_session_close(&s);
    }
    assert_memory_equal(ids[0], ids[1], sizeof *ids);
    trit_tokenizer_close(&t);
    close_opened(&o);
}

/* ---- Evaluated again ------------------------------------------------------------------------- */

/* The file of n tokens is loaded by evaluating them again, with a reason that mentions this. */
static void assert_reread(trit_session *s, int n, const float *expected, const char *mentions)
{
    struct trit_session_loaded loaded;
    OK(trit_session_load(s, path, &loaded, &why));
    assert_true(loaded.reread);
    if (!strstr(loaded.why, mentions))
        fail_msg("'%s' does not mention '%s'", loaded.why, mentions);
    assert_int_equal(loaded.n_tokens, n);
    assert_continues(s, n, expected);
}

static void test_other_kv_type(void **state)
{
    static float expected[N_MORE * N_VOCAB];
    (void)state;
    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++) {
            if (from == to)
                continue;
            struct fx_bytes file =
                saved((struct trit_session_options){.kv = kv_types[from]}, N_TOKENS);
            trit_session *s =
                open_session(&plain, (struct trit_session_options){.kv = kv_types[to]});
            put_file(file.data, file.len);
            free(file.data);
            expect(expected, kv_types[to], N_TOKENS);
            assert_reread(s, N_TOKENS, expected, "another type");
            trit_session_close(&s);
        }
}

/* Correct the checksum of the first n bytes, which follows them. */
static void sign_at(struct fx_bytes *file, size_t n)
{
    struct trit_hash h;
    assert_true(n + 8 <= file->len);
    trit_hash_init(&h);
    trit_hash_add(&h, file->data, n);
    const uint64_t sum = trit_hash_value(&h);
    memcpy(file->data + n, &sum, sizeof sum);
}

/* Correct the checksum of the tokens. */
static void sign(struct fx_bytes *file, uint32_t n_tokens)
{
    sign_at(file, AT_TOKENS + 4 * n_tokens);
}

static void test_other_version(void **state)
{
    static float expected[N_MORE * N_VOCAB];
    struct fx_bytes file = saved((struct trit_session_options){0}, N_FEW);
    trit_session *s = open_session(&plain, (struct trit_session_options){0});
    (void)state;

    file.data[AT_VERSION]++;
    sign(&file, N_FEW);
    put_file(file.data, file.len);
    expect(expected, TRIT_KV_TYPE_F16, N_FEW);
    assert_reread(s, N_FEW, expected, "another version");
    put_file(file.data, AT_TOKENS + 4 * N_FEW + 8); /* followed by anything, or nothing */
    assert_reread(s, N_FEW, expected, "another version");
    trit_session_close(&s);
    free(file.data);
}

static bool yes(void *user)
{
    (void)user;
    return true;
}

/* A cancelled evaluation leaves nothing of the timeline. */
static void test_cancelled(void **state)
{
    struct fx_bytes file = saved((struct trit_session_options){.kv = TRIT_KV_TYPE_I8}, N_TOKENS);
    trit_session *s = open_evaluated((struct trit_session_options){0}, 3);
    struct trit_session_loaded loaded;
    (void)state;

    put_file(file.data, file.len);
    free(file.data);
    trit_session_set_cancel(s, yes, NULL);
    assert_int_equal(trit_session_load(s, path, &loaded, &why), TRIT_E_CANCELLED);
    assert_int_equal(trit_session_n_tokens(s), 0);
    assert_null(trit_session_logits(s));
    trit_session_close(&s);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* The file of N_FEW tokens is refused if the damage is before this offset, else its tokens are
 * evaluated again. */
static void check_damaged(trit_session *s, bool tokens_damaged, const float *expected)
{
    if (tokens_damaged) {
        assert_refused(s, TRIT_E_FILE, path);
        return;
    }
    assert_reread(s, N_FEW, expected, "keys and values");
}

static void test_cut(void **state)
{
    static float expected[N_MORE * N_VOCAB];
    const size_t end_of_tokens = AT_TOKENS + 4 * N_FEW + 8;
    (void)state;
    for (int k = 0; k < 3; k += 2) {
        struct fx_bytes file = saved((struct trit_session_options){.kv = kv_types[k]}, N_FEW);
        trit_session *s = open_session(&plain, (struct trit_session_options){.kv = kv_types[k]});
        expect(expected, kv_types[k], N_FEW);
        for (size_t n = 0; n < file.len; n++) {
            put_file(file.data, n);
            check_damaged(s, n < end_of_tokens, expected);
        }
        fx_put(&file, "", 1); /* and longer by one */
        put_file(file.data, file.len);
        check_damaged(s, false, expected);
        free(file.data);
        trit_session_close(&s);
    }
}

static void test_flipped(void **state)
{
    static float expected[N_MORE * N_VOCAB];
    const size_t end_of_tokens = AT_TOKENS + 4 * N_FEW + 8;
    uint64_t rng = 5;
    (void)state;
    for (int k = 0; k < 3; k += 2) {
        struct fx_bytes file = saved((struct trit_session_options){.kv = kv_types[k]}, N_FEW);
        trit_session *s = open_session(&plain, (struct trit_session_options){.kv = kv_types[k]});
        expect(expected, kv_types[k], N_FEW);
        for (size_t i = 0; i < file.len; i++) {
            const uint8_t before = file.data[i];
            file.data[i] ^= (uint8_t)(i % 3 ? 1u << fx_random(&rng) % 8 : 0xFFu);
            put_file(file.data, file.len);
            check_damaged(s, i < end_of_tokens, expected);
            file.data[i] = before;
        }
        put_file(file.data, file.len); /* the undamaged file loads */
        struct trit_session_loaded loaded;
        OK(trit_session_load(s, path, &loaded, &why));
        assert_false(loaded.reread);
        free(file.data);
        trit_session_close(&s);
    }
}

/* ---- Hostile: checksums that are right over what is not -------------------------------------- */

static void set_u32(struct fx_bytes *file, size_t at, uint32_t x)
{
    memcpy(file->data + at, &x, sizeof x);
}

static void test_forged_tokens(void **state)
{
    static const int32_t bad[] = {-1, N_VOCAB, INT32_MIN, INT32_MAX};
    trit_session *s = open_session(&plain, (struct trit_session_options){0});
    (void)state;
    for (size_t i = 0; i < 4 * N_FEW; i++) {
        struct fx_bytes file = saved((struct trit_session_options){0}, N_FEW);
        set_u32(&file, AT_TOKENS + 4 * (i / 4), (uint32_t)bad[i % 4]);
        sign(&file, N_FEW);
        put_file(file.data, file.len);
        assert_refused(s, TRIT_E_FILE, "out of range");
        free(file.data);
    }
    trit_session_close(&s);
}

static void test_forged_count(void **state)
{
    static const uint32_t counts[] = {0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1u << 20, 1000};
    trit_session *s = open_session(&plain, (struct trit_session_options){0});
    struct fx_bytes file = saved((struct trit_session_options){0}, N_FEW);
    (void)state;

    for (int i = 0; i < 5; i++) {
        set_u32(&file, AT_N_TOKENS, counts[i]);
        put_file(file.data, file.len);
        assert_refused(s, TRIT_E_FILE, "damaged or ends early");
    }
    set_u32(&file, AT_N_TOKENS, 0);
    sign(&file, 0);
    put_file(file.data, file.len);
    assert_refused(s, TRIT_E_FILE, "damaged");
    free(file.data);

    file = saved((struct trit_session_options){0}, N_FEW); /* fewer than there are rows of */
    set_u32(&file, AT_N_TOKENS, N_FEW - 1);
    sign(&file, N_FEW - 1);
    put_file(file.data, file.len);
    struct trit_session_loaded loaded;
    OK(trit_session_load(s, path, &loaded, &why));
    assert_true(loaded.reread);
    assert_tokens(s, N_FEW - 1);
    free(file.data);
    trit_session_close(&s);
}

/* Random bits as keys and values: results are finite, or the session reports that they are not. */
static void check_forged_rows(trit_kv_type kv, const char *isa, uint64_t seed)
{
    trit_session *s = open_session(&plain, (struct trit_session_options){.kv = kv, .isa = isa});
    struct fx_bytes file = saved((struct trit_session_options){.kv = kv}, N_TOKENS);
    struct trit_session_loaded loaded;

    for (size_t i = AT_TOKENS + 4 * N_TOKENS + 8; i < file.len - 8; i++)
        file.data[i] = seed ? (uint8_t)fx_random(&seed) : 0xFF;
    sign_at(&file, file.len - 8);
    put_file(file.data, file.len);
    free(file.data);
    OK(trit_session_load(s, path, &loaded, &why));
    assert_false(loaded.reread);
    const trit_status status = trit_session_eval(s, tokens, 1, NULL, NULL, &why);
    assert_true(status == TRIT_OK || status == TRIT_E_FAILED);
    const float *logits = trit_session_logits(s);
    assert_true((logits != NULL) == (status == TRIT_OK));
    for (int i = 0; logits && i < N_VOCAB; i++)
        assert_true(isfinite(logits[i]));
    trit_session_close(&s);
}

static void test_forged_rows(void **state)
{
    struct trit_isa_info isa;
    (void)state;
    for (int i = 0; trit_isa_at(i, &isa); i++)
        for (int k = 0; isa.usable && k < 3; k++)
            for (uint64_t seed = 0; seed < 10; seed++)
                check_forged_rows(kv_types[k], isa.name, seed);
}

static void test_no_session_file(void **state)
{
    static const char text[] = "tritsesame, open: this is a text and no session, however long it "
                               "may be. this is a text and no session, however long it may be.";
    trit_session *s = open_session(&plain, (struct trit_session_options){0});
    const char *usual = path;
    (void)state;

    put_file(text, sizeof text);
    assert_refused(s, TRIT_E_FILE, "is not a session file");
    put_file(text, 1);
    assert_refused(s, TRIT_E_FILE, "ends early");
    put_file("", 0);
    assert_refused(s, TRIT_E_FILE, "empty");
    path = fx_model("plain", &plain_spec)->path;
    assert_refused(s, TRIT_E_FILE, "is not a session file");
    path = "/";
    assert_refused(s, TRIT_E_FILE, "regular");
    path = "/nowhere/at all";
    assert_refused(s, TRIT_E_FILE, "No such file");
    path = usual;
    trit_session_close(&s);
}

/* ---- Another model --------------------------------------------------------------------------- */

static void assert_other_model(const char *model_path, const char *mentions)
{
    struct opened_model o = open_path(model_path);
    trit_session *s = open_session(&o, (struct trit_session_options){0});
    assert_refused(s, TRIT_E_FILE, mentions);
    trit_session_close(&s);
    close_opened(&o);
}

/* The plain model with one byte changed, that far from the end of the file. */
static const char *model_with_flip(size_t from_end)
{
    struct fx_gguf g;
    struct fx_model m;
    size_t len;

    fx_model_gguf(&g, &m, &plain_spec);
    fx_model_free(&m);
    uint8_t *image = fx_image(&g, &len);
    fx_free(&g);
    image[len - from_end] ^= 1;
    const char *flipped = fx_write("flipped", image, len);
    free(image);
    return flipped;
}

static void test_other_model(void **state)
{
    struct fx_bytes file = saved((struct trit_session_options){0}, N_FEW);
    const size_t head_bytes = (size_t)plain_spec.n_vocab * (size_t)plain_spec.n_embd * 2;
    struct fx_spec spec = plain_spec;
    (void)state;

    put_file(file.data, file.len);
    free(file.data);
    spec.seed++;
    assert_other_model(fx_model("seed", &spec)->path, "another model of this name and size");
    spec = plain_spec;
    spec.n_layer = 1;
    assert_other_model(fx_model("layers", &spec)->path,
                       "another model (bitnet-b1.58, 2 layers of 128)");
    spec = plain_spec;
    spec.arch = "bitnet";
    assert_other_model(fx_model("architecture", &spec)->path, "another model (bitnet-b1.58, ");
    spec = plain_spec;
    spec.rope_base *= 2;
    assert_other_model(fx_model("rope", &spec)->path, "another model");
    spec = plain_spec;
    spec.weight_scale *= 2;
    assert_other_model(fx_model("scale", &spec)->path, "another model");
    spec = plain_spec;
    spec.linear_type = FX_F16;
    assert_other_model(fx_model("type", &spec)->path, "another model");
    /* one bit of the last tensor, the head: in its first and its last place */
    assert_other_model(model_with_flip(head_bytes), "another model");
    assert_other_model(model_with_flip(head_bytes - 255), "another model");
    assert_other_model(model_with_flip(256), "another model");
    assert_other_model(model_with_flip(2), "another model");
}

static uint64_t knobs_hash(const struct trit_knobs *k)
{
    struct trit_hash h;
    trit_hash_init(&h);
    trit_knobs_hash(k, &h);
    return trit_hash_value(&h);
}

/* Every member of the knobs is in the fingerprint, except those that change no logits. Bytes that
 * do not count belong to these members or are padding: before a pointer, at the end, or shorter
 * than any number. */
static void test_every_knob(void **state)
{
    const size_t n_ctx = offsetof(struct trit_knobs, n_ctx);
    const size_t act_max = offsetof(struct trit_knobs, act_max);
    const size_t act_why = offsetof(struct trit_knobs, ffn_act_why),
                 size = sizeof(struct trit_knobs);
    const size_t last = offsetof(struct trit_knobs, exit_threshold) + sizeof(float);
    struct trit_knobs k = {0};
    uint8_t bytes[sizeof k] = {0};
    size_t n_silent = 0;
    (void)state;

    const uint64_t nothing = knobs_hash(&k);
    assert_true(size - last < sizeof(double));
    for (size_t i = 0; i < last; i++) {
        const bool left_out = (i >= n_ctx && i < n_ctx + 2 * sizeof(int32_t)) || /* n_window */
                              (i >= act_max && i < act_max + sizeof(float)) ||
                              (i >= act_why - sizeof(int32_t) && i < act_why + sizeof(char *));
        bytes[i] = 1;
        memcpy(&k, bytes, sizeof k);
        bytes[i] = 0;
        n_silent = !left_out && knobs_hash(&k) == nothing ? n_silent + 1 : 0;
        if (n_silent == sizeof(int32_t))
            fail_msg("some of the first %zu bytes of the knobs are not in the fingerprint", i);
    }
}

/* Files of earlier programs remain valid: the fingerprint of a model must not change. */
static void test_fingerprint(void **state)
{
    const struct trit_knobs k = {
        .n_layer = 1,
        .n_embd = 2,
        .n_head = 3,
        .n_head_kv = 4,
        .head_dim = 5,
        .n_ff = 6,
        .n_ctx = 7,
        .norm_eps = 1e-5f,
        .attn_sub_norm = true,
        .ffn_act = TRIT_ACT_RELU2,
        .linear_norm_eps = 1e-6f,
        .hadamard = TRIT_HADAMARD_AFTER,
        .act_bits = 8,
        .act_eps = 1e-4f,
        .rope = TRIT_ROPE_PAIRS,
        .n_rot = 8,
        .rope_base = 10000.1,
        .rope_factor = 2.5,
        .causal = true,
        .exit_min_layers = 9,
        .exit_threshold = 0.95f,
    };
    (void)state;

    assert_true(knobs_hash(&k) == 0x89197295e304dcd0u);
}

/* Keys that do not change the logits do not change the fingerprint. */
static void test_same_model(void **state)
{
    struct fx_bytes file = saved((struct trit_session_options){0}, N_FEW);
    struct trit_session_loaded loaded;
    struct fx_gguf g;
    struct fx_model m;
    (void)state;

    put_file(file.data, file.len);
    free(file.data);
    fx_model_gguf(&g, &m, &plain_spec);
    fx_model_free(&m);
    fx_str(&g, "general.description", "a key more");
    struct opened_model o = open_path(fx_write_gguf("key", &g));
    fx_free(&g);
    trit_session *s = open_session(&o, (struct trit_session_options){0});
    OK(trit_session_load(s, path, &loaded, &why));
    assert_false(loaded.reread);
    trit_session_close(&s);
    close_opened(&o);
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void test_too_long(void **state)
{
    struct fx_bytes file = saved((struct trit_session_options){0}, N_TOKENS);
    trit_session *s = open_session(&plain, (struct trit_session_options){.n_ctx = N_TOKENS - 1});
    struct trit_session_loaded loaded;
    (void)state;

    put_file(file.data, file.len);
    assert_refused(s, TRIT_E_ARGUMENT, "has 70 tokens; the context has room for 69");
    trit_session_close(&s);
    s = open_session(&plain, (struct trit_session_options){.n_ctx = N_TOKENS});
    OK(trit_session_load(s, path, &loaded, &why));
    assert_false(loaded.reread);
    assert_tokens(s, N_TOKENS);
    trit_session_close(&s);
    free(file.data);
}

static void test_nothing_to_save(void **state)
{
    trit_session *s = open_session(&plain, (struct trit_session_options){0});
    struct fx_bytes b = {0};
    (void)state;
    assert_int_equal(trit_session_save(s, fx_append, &b, &why), TRIT_E_ARGUMENT);
    assert_int_equal(b.len, 0);
    trit_session_close(&s);
}

struct few {
    int n, wanted;
};

static bool take_few(void *user, const void *bytes, size_t n)
{
    struct few *f = user;
    (void)bytes, (void)n;
    assert_true(f->n < f->wanted); /* it returned false */
    return ++f->n < f->wanted;
}

/* After a sink returned false it is not called again, and the session is unchanged. */
static void test_sink_says_no(void **state)
{
    static float expected[N_MORE * N_VOCAB];
    trit_session *s = open_evaluated((struct trit_session_options){0}, N_FEW);
    struct few f = {.wanted = INT32_MAX};
    (void)state;

    expect(expected, TRIT_KV_TYPE_F16, N_FEW);
    OK(trit_session_save(s, take_few, &f, &why));
    const int n = f.n;
    assert_true(n > 4);
    for (int i = 1; i <= n; i++) {
        f = (struct few){.wanted = i};
        assert_int_equal(trit_session_save(s, take_few, &f, &why), TRIT_E_CANCELLED);
        assert_non_null(trit_session_logits(s));
    }
    assert_continues(s, N_FEW, expected);
    trit_session_close(&s);
}

/* ---- Running --------------------------------------------------------------------------------- */

static int setup(void **state)
{
    uint64_t rng = 42;
    (void)state;

    plain_spec = fx_default;
    plain_spec.n_embd = plain_spec.n_ff = 128;
    plain_spec.n_head = 2;
    plain_spec.n_head_kv = 1;
    plain_spec.untied = true;
    plain = open_path(fx_model("plain", &plain_spec)->path);
    path = fx_write("session", "", 0);
    for (int i = 0; i < N_TOKENS + N_MORE; i++)
        tokens[i] = (int32_t)(fx_random(&rng) % N_VOCAB);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_opened(&plain);
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_as_is),         cmocka_unit_test(test_size),
    cmocka_unit_test(test_generate),      cmocka_unit_test(test_other_kv_type),
    cmocka_unit_test(test_other_version), cmocka_unit_test(test_cancelled),
    cmocka_unit_test(test_cut),           cmocka_unit_test(test_flipped),
    cmocka_unit_test(test_forged_tokens), cmocka_unit_test(test_forged_count),
    cmocka_unit_test(test_forged_rows),   cmocka_unit_test(test_no_session_file),
    cmocka_unit_test(test_other_model),   cmocka_unit_test(test_same_model),
    cmocka_unit_test(test_too_long),      cmocka_unit_test(test_nothing_to_save),
    cmocka_unit_test(test_sink_says_no),  cmocka_unit_test(test_every_knob),
    cmocka_unit_test(test_fingerprint),
};

const struct suite suite = {SUITE_TESTS(tests), .setup = setup, .teardown = teardown};
