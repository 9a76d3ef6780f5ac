/* test_golden.c - compares whole models with reference logits, and checks that a trained one writes
 * sensible text.
 *
 * TRIT_SHARED names a folder with golden/NAME.{gguf,tokens,npy} and models/fables/fables.gguf;
 * missing files are skipped. NAME.npy holds the logits of NAME.tokens by a float64 reference; the
 * bounds are those of golden/check.py, also computed in double.
 *
 * The cache is f32 here. With the default f16 cache most of these models exceed the bounds: keys
 * and values rounded to f16 move activations across the rounding edges of the int8 quantization,
 * and random weights do not damp that. This is not a fault of the cache: an f32 run whose first
 * attn_sub_norm is changed by 2e-4 (the size of f16's rounding) differs as much. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "running.h"
#include "shared.h"
#include "suite.h"

static const char *const models[] = {
    "b158-f32embd", "b158-i2s",       "b158-q8head",      "bitnet-f16-odd",
    "bitnet-tq2",   "llama-i2s-long", "llama-tq1-untied",
};

/* ---- Comparing ------------------------------------------------------------------------------- */

static size_t argmax(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

static double log_sum_exp(const float *x, size_t n)
{
    const double max = (double)x[argmax(x, n)];
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += exp((double)x[i] - max);
    return max + log(sum);
}

static void check_bounds(const char *name, const float *a, const float *b, size_t n_rows,
                         size_t n_cols)
{
    const size_t n = n_rows * n_cols;
    double kl = 0, top = 0, error = 0, mean = 0, variance = 0;

    for (size_t r = 0; r < n_rows; r++) {
        const float *x = a + r * n_cols, *y = b + r * n_cols;
        const double zx = log_sum_exp(x, n_cols), zy = log_sum_exp(y, n_cols);
        for (size_t i = 0; i < n_cols; i++) {
            const double p = (double)x[i] - zx, q = (double)y[i] - zy;
            assert_true(isfinite(y[i]));
            kl += exp(p) * (p - q) / (double)n_rows;
            error += fabs((double)x[i] - (double)y[i]) / (double)n;
            mean += (double)x[i] / (double)n;
        }
        top += (argmax(x, n_cols) == argmax(y, n_cols)) / (double)n_rows;
    }
    for (size_t i = 0; i < n; i++)
        variance += ((double)a[i] - mean) * ((double)a[i] - mean) / (double)n;
    error /= sqrt(variance);
    printf("%s: mean KL %.2e, top-1 %.3f, mean error %.2e sd\n", name, kl, top, error);
    if (!(kl < 2e-3 && top >= 0.95 && error < 2e-2))
        fail_msg("%s differs too much from the reference", name);
}

/* ---- Golden models --------------------------------------------------------------------------- */

/* Every way of running must give the bits of scalar code, one token at a time. */
static void check_ways(const trit_model *model, const int32_t *ids, int32_t n, const float *wanted)
{
    static const int32_t batches[] = {1, 7, 512};
    const size_t bytes = (size_t)n * (size_t)trit_model_vocab_size(model) * sizeof(float);
    struct trit_isa_info isa;

    for (int i = 0; trit_isa_at(i, &isa); i++)
        for (int b = 0; b < 3; b++)
            for (int32_t threads = 1; threads <= 2; threads++) {
                const struct trit_session_options opt = {.n_batch = batches[b],
                                                         .n_threads = threads,
                                                         .kv = TRIT_KV_TYPE_F32,
                                                         .isa = isa.name};
                if (!isa.usable)
                    continue;
                float *got = logits_of(model, ids, n, &opt);
                if (memcmp(got, wanted, bytes) != 0)
                    fail_msg("%s, %d threads, batches of %d: the bits differ", isa.name, threads,
                             batches[b]);
                free(got);
            }
}

static void golden(void **state)
{
    const char *name = *(const char *const *)*state;
    const struct trit_session_options opt = {
        .n_threads = 1, .kv = TRIT_KV_TYPE_F32, .isa = "scalar"};
    int32_t n;

    shared_path("golden/%s.gguf", name); /* all three files, before anything is open */
    shared_path("golden/%s.npy", name);
    int32_t *ids = shared_ids(shared_path("golden/%s.tokens", name), &n);
    struct opened_model o = open_path(shared_path("golden/%s.gguf", name));
    const int32_t n_vocab = trit_model_vocab_size(o.model);
    float *reference = shared_npy(shared_path("golden/%s.npy", name), n, n_vocab);
    float *scalar = logits_of(o.model, ids, n, &opt);

    check_bounds(name, reference, scalar, (size_t)n, (size_t)n_vocab);
    check_ways(o.model, ids, n, scalar);
    free(scalar);
    free(reference);
    free(ids);
    close_opened(&o);
}

/* ---- A trained model ------------------------------------------------------------------------- */

struct text {
    char bytes[4096];
    size_t len;
};

static bool keep_text(void *user, const char *bytes, size_t len)
{
    struct text *t = user;
    assert_true(t->len + len < sizeof t->bytes);
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    t->bytes[t->len] = '\0';
    return true;
}

static void continue_text(struct text *out, const struct opened_model *o, const char *prompt,
                          const struct trit_session_options *options)
{
    const struct trit_generate_options opt = {.max_tokens = 60, .on_text = keep_text, .user = out};
    struct trit_generate_result result;
    struct trit_error err;
    trit_tokenizer *t = NULL;
    trit_session *s = NULL;
    int32_t *ids = NULL, n = 0;

    *out = (struct text){.len = 0};
    if (trit_tokenizer_open(&t, o->file, &err) || trit_session_open(&s, o->model, options, &err) ||
        trit_tokenizer_encode(t, prompt, strlen(prompt), TRIT_ENCODE_BOS, &ids, &n, &err))
        fail_msg("%s", err.text);
    if (trit_generate(s, t, ids, n, &opt, &result, &err))
        fail_msg("%s", err.text);
    assert_int_equal(result.n_new, 60);
    assert_int_equal(result.finish, TRIT_FINISH_LENGTH);
    free(ids);
    trit_session_close(&s);
    trit_tokenizer_close(&t);
}

/* Whether text contains word as a whole word, in upper or lower case. */
static bool has_word(const char *text, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = text; *p; p++) {
        size_t i = 0;
        while (i < n && tolower((unsigned char)p[i]) == word[i])
            i++;
        const bool begins = p == text || !isalpha((unsigned char)p[-1]);
        if (i == n && begins && !isalpha((unsigned char)p[n]))
            return true;
    }
    return false;
}

static void check_english(const struct text *t)
{
    static const char *const common[] = {"the",  "and", "was", "said",   "very", "that", "with",
                                         "they", "not", "for", "had",    "him",  "his",  "her",
                                         "you",  "man", "boy", "little", "all"};
    size_t n_plain = 0, n_common = 0;

    for (size_t i = 0; i < t->len; i++)
        n_plain += isalpha((unsigned char)t->bytes[i]) || t->bytes[i] == ' ';
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        n_common += has_word(t->bytes, common[i]);
    if (t->len < 100 || n_plain * 10 < t->len * 8 || n_common < 8)
        fail_msg("%zu of %zu bytes are letters or spaces, %zu common words: %s", n_plain, t->len,
                 n_common, t->bytes);
}

static void fables(void **state)
{
    struct opened_model o = open_path(shared_path("models/fables/fables.gguf"));
    const struct trit_session_options one = {.n_threads = 1, .isa = "scalar"};
    struct text wanted, got;
    struct trit_isa_info isa;
    (void)state;

    continue_text(&wanted, &o, "Once upon a time", &one);
    printf("Once upon a time%s\n", wanted.bytes);
    check_english(&wanted);
    for (int i = 0; trit_isa_at(i, &isa); i++)
        for (int32_t threads = 1; threads <= 2 && isa.usable; threads++) {
            const struct trit_session_options opt = {.n_threads = threads, .isa = isa.name};
            continue_text(&got, &o, "Once upon a time", &opt);
            assert_string_equal(got.bytes, wanted.bytes);
        }
    close_opened(&o);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(fables)};

const struct suite suite = {SUITE_TESTS(tests), SUITE_ROWS(golden, models)};
