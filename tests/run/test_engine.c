/* test_engine.c - compares the engine with the reference, for every kind of model.
 *
 * Bounds. The engine rounds to f32, the reference keeps doubles, which changes logits by 1e-7 of
 * their deviation (measured: 0.6 to 1.5). But activations are rounded to int8 in between. If
 * x*127/m is at the edge between two integers, that difference flips one of them, and the row, and
 * maybe some later rows, then differ by 1e-5 to 1e-2. Most rows have no flip, so the median must be
 * small. It is taken separately over each 64 positions, which are a block of keys, so that an error
 * in a later block is not hidden by the first. If a flip in the first tokens affects all later
 * ones, other tokens are tried: a wrong formula is wrong for them too. Embeddings in Q4_0, Q4_K and
 * Q6_K are random bits that the scalar kernel decodes for the fixture; test_kernels tests the
 * decoding. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "reference.h"
#include "running.h"
#include "suite.h"

static const double max_median = 1e-6, max_worst = 0.05;
enum { SEGMENT = 64, N_TRIES = 6, MAX_TOKENS = 256 };

/* ---- The models ------------------------------------------------------------------------------ */

struct config {
    const char *name;
    struct fx_spec spec; /* zeros are the fixture's defaults, but for the two types */
    int n_tokens;        /* 0: 24 */
};

#define MODEL(name, architecture, linear, embd, ...)                                               \
    {                                                                                              \
        name, {.arch = architecture, .linear_type = linear, .embd_type = embd, __VA_ARGS__}, 0     \
    }
#define LONGER(name, n, architecture, ...)                                                         \
    {                                                                                              \
        name, {.arch = architecture, .linear_type = FX_I2_S, .embd_type = FX_F16, __VA_ARGS__}, n  \
    }

static const struct config configs[] = {
    /* Architectures: norms, activation, rotation */
    MODEL("bitnet-b1.58", "bitnet-b1.58", FX_I2_S, FX_F16, .seed = 11),
    MODEL("bitnet-25", "bitnet-25", FX_I2_S, FX_F16, .seed = 12, .untied = true),
    MODEL("bitnet", "bitnet", FX_I2_S, FX_F16, .seed = 13),
    MODEL("llama", "llama", FX_I2_S, FX_F16, .seed = 14, .untied = true),
    MODEL("one layer", "bitnet-b1.58", FX_I2_S, FX_F16, .seed = 15, .n_layer = 1),
    MODEL("five layers", "llama", FX_I2_S, FX_F16, .seed = 16, .n_layer = 5),
    MODEL("rope base 500000", "bitnet-b1.58", FX_I2_S, FX_F16, .seed = 17, .rope_base = 500000),

    /* Types of linears */
    MODEL("TQ1_0", "bitnet", FX_TQ1_0, FX_F16, .seed = 21, .n_ff = 512),
    MODEL("TQ2_0", "bitnet-b1.58", FX_TQ2_0, FX_F16, .seed = 22, .n_ff = 512),
    MODEL("F16 linears", "bitnet-b1.58", FX_F16, FX_F16, .seed = 23),
    MODEL("BF16 linears", "llama", FX_BF16, FX_BF16, .seed = 24),
    MODEL("F32 linears", "bitnet", FX_F32, FX_F32, .seed = 25),
    MODEL("I2_S and scales", "bitnet-b1.58", FX_I2_S, FX_F16, .seed = 26, .extra_scales = true),
    MODEL("TQ2_0 and scales", "bitnet", FX_TQ2_0, FX_F16, .seed = 27, .extra_scales = true,
          .n_ff = 512),
    MODEL("F16 and scales", "llama", FX_F16, FX_F16, .seed = 28, .extra_scales = true),

    /* Types of embedding and head */
    MODEL("F32 tied", "bitnet-b1.58", FX_I2_S, FX_F32, .seed = 31),
    MODEL("F32 untied", "llama", FX_I2_S, FX_F32, .seed = 32, .untied = true),
    MODEL("BF16 tied", "bitnet-b1.58", FX_I2_S, FX_BF16, .seed = 33),
    MODEL("BF16 untied", "llama", FX_I2_S, FX_BF16, .seed = 34, .untied = true),
    MODEL("Q8_0 tied", "bitnet-b1.58", FX_I2_S, FX_Q8_0, .seed = 35),
    MODEL("Q8_0 untied", "llama", FX_I2_S, FX_Q8_0, .seed = 36, .untied = true),
    MODEL("Q4_0 tied", "bitnet-b1.58", FX_I2_S, FX_Q4_0, .seed = 37),
    MODEL("Q4_0 untied", "llama", FX_I2_S, FX_Q4_0, .seed = 38, .untied = true),
    MODEL("Q4_K tied", "bitnet-b1.58", FX_I2_S, FX_Q4_K, .seed = 39),
    MODEL("Q4_K untied", "llama", FX_I2_S, FX_Q4_K, .seed = 40, .untied = true),
    MODEL("Q6_K tied", "bitnet-b1.58", FX_I2_S, FX_Q6_K, .seed = 41),
    MODEL("Q6_K untied", "llama", FX_I2_S, FX_Q6_K, .seed = 42, .untied = true),

    /* A norm on the input of each linear */
    MODEL("linear norms", "llama", FX_I2_S, FX_F16, .seed = 43, .linear_norms = true),
    MODEL("linear norms and sub-norms", "bitnet", FX_F16, FX_F16, .seed = 44, .linear_norms = true,
          .n_embd = 320),

    /* Activations divided; ReLU2 on the output of each linear */
    MODEL("bitskip", "bitskip", FX_I2_S, FX_F16, .seed = 45, .untied = true),
    MODEL("bitskip with relu2", "bitskip", FX_I2_S, FX_F16, .seed = 46, .linear_relu2 = true),
    MODEL("llama with relu2", "llama", FX_F16, FX_F16, .seed = 47, .linear_relu2 = true),

    /* Heads */
    MODEL("MHA", "bitnet-b1.58", FX_I2_S, FX_F16, .seed = 51, .n_head_kv = 4),
    MODEL("MQA", "llama", FX_I2_S, FX_F16, .seed = 52, .n_head_kv = 1),
    MODEL("groups of 3", "bitnet", FX_I2_S, FX_F16, .seed = 53, .n_head = 6, .n_head_kv = 2),
    MODEL("head_dim 96", "bitnet", FX_I2_S, FX_F16, .seed = 54, .head_dim = 96),
    MODEL("head_dim 100", "bitnet", FX_I2_S, FX_F16, .seed = 55, .head_dim = 100, .n_head = 5,
          .n_head_kv = 5),
    MODEL("head_dim 100 in pairs", "llama", FX_I2_S, FX_F16, .seed = 56, .head_dim = 100),
    MODEL("head_dim 128", "bitnet-b1.58", FX_I2_S, FX_F16, .seed = 57, .head_dim = 128),
    MODEL("head_dim 256", "llama", FX_I2_S, FX_F16, .seed = 58, .head_dim = 256),
    MODEL("head_dim 2", "llama", FX_F16, FX_F16, .seed = 59, .head_dim = 2),

    /* Widths that are not whole blocks; flat I2_S blocks then span rows */
    MODEL("320 864 I2_S", "bitnet-b1.58", FX_I2_S, FX_F16, .seed = 61, .n_embd = 320, .n_ff = 864),
    MODEL("320 864 F16", "bitnet", FX_F16, FX_F16, .seed = 62, .n_embd = 320, .n_ff = 864),
    MODEL("320 864 pairs", "llama", FX_I2_S, FX_Q8_0, .seed = 63, .n_embd = 320, .n_ff = 864),
    MODEL("300 100 F32", "llama", FX_F32, FX_F32, .seed = 64, .n_embd = 300, .n_ff = 100),
    MODEL("33 7 F16", "bitnet", FX_F16, FX_F32, .seed = 65, .n_embd = 33, .n_ff = 7,
          .head_dim = 10),

    /* The choice of the activation */
    MODEL("b1.58 with silu", "bitnet-b1.58", FX_I2_S, FX_F16, .seed = 71,
          .hidden_activation = "silu"),
    MODEL("b1.58 with swiglu", "bitnet-25", FX_I2_S, FX_F16, .seed = 72,
          .hidden_activation = "swiglu"),
    MODEL("bitnet with relu2", "bitnet", FX_I2_S, FX_F16, .seed = 73, .hidden_activation = "relu2"),
    MODEL("llama with relu_sqr", "llama", FX_I2_S, FX_F16, .seed = 74,
          .hidden_activation = "relu_sqr"),
    {"1bitLLM's shape",
     {.arch = "bitnet-b1.58",
      .linear_type = FX_I2_S,
      .embd_type = FX_F16,
      .seed = 75,
      .n_layer = 1,
      .n_embd = 1536,
      .n_ff = 4096,
      .n_head = 16,
      .n_head_kv = 16,
      .head_dim = 96},
     3},
    {"1bitLLM's shape with relu2",
     {.arch = "bitnet-b1.58",
      .linear_type = FX_I2_S,
      .embd_type = FX_F16,
      .seed = 76,
      .n_layer = 1,
      .n_embd = 1536,
      .n_ff = 4096,
      .n_head = 4,
      .n_head_kv = 4,
      .head_dim = 64,
      .hidden_activation = "relu2"},
     2},

    /* Several blocks of 64 keys are merged */
    LONGER("64 positions", 64, "bitnet-b1.58", .seed = 81),
    LONGER("65 positions", 65, "llama", .seed = 82),
    LONGER("150 positions", 150, "bitnet-b1.58", .seed = 83),
    LONGER("200 positions in pairs", 200, "llama", .seed = 84, .n_layer = 1),
    LONGER("200 positions, head_dim 100", 200, "bitnet", .seed = 85, .n_layer = 1, .head_dim = 100),
};

static struct fx_spec full_spec(const struct config *c)
{
    struct fx_spec s = fx_default;
    const struct fx_spec *o = &c->spec;

    s.arch = o->arch;
    s.linear_type = o->linear_type;
    s.embd_type = o->embd_type;
    s.seed = o->seed;
    s.n_layer = o->n_layer ? o->n_layer : s.n_layer;
    s.n_embd = o->n_embd ? o->n_embd : s.n_embd;
    s.n_ff = o->n_ff ? o->n_ff : s.n_ff;
    s.n_head = o->n_head ? o->n_head : s.n_head;
    s.n_head_kv = o->n_head_kv ? o->n_head_kv : s.n_head_kv;
    s.head_dim = o->head_dim ? o->head_dim : s.head_dim;
    s.rope_base = o->rope_base > 0 ? o->rope_base : s.rope_base;
    s.untied = o->untied;
    s.linear_norms = o->linear_norms;
    s.linear_relu2 = o->linear_relu2;
    s.extra_scales = o->extra_scales;
    s.hidden_activation = o->hidden_activation;
    s.sub_norms = strncmp(s.arch, "bitnet", 6) == 0;
    return s;
}

/* ---- The comparison -------------------------------------------------------------------------- */

static float *engine_logits(const char *path, const int32_t *tokens, int n)
{
    const struct trit_session_options opt = {.kv = TRIT_KV_TYPE_F32, .n_threads = 2};
    struct opened_model o = open_path(path);
    float *logits = logits_of(o.model, tokens, n, &opt);

    close_opened(&o);
    return logits;
}

/* Mean |error| of a row over the reference's standard deviation. */
static double row_error(const float *x, const double *ref, int n)
{
    double error = 0, sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        error += fabs((double)x[i] - ref[i]) / n;
        sum += ref[i] / n;
        squares += ref[i] * ref[i] / n;
    }
    return error / sqrt(squares - sum * sum);
}

static int argmax(const double *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct outcome {
    double median, worst; /* row errors; the median is the worst segment's */
    int n_same;           /* rows with the same top-1 */
};

/* Evaluate tokens with the engine and the reference. */
static struct outcome evaluate(const struct fx_model *m, const struct ref_rope *rope,
                               const int32_t *tokens, int n)
{
    const int n_vocab = m->spec.n_vocab;
    float *x = engine_logits(m->path, tokens, n);
    double *ref = ref_logits(m, rope, tokens, n), errors[MAX_TOKENS];
    struct outcome o = {0};

    for (int i = 0; i < n; i++) {
        errors[i] = row_error(x + i * n_vocab, ref + i * n_vocab, n_vocab);
        o.n_same += trit_argmax(x + i * n_vocab, n_vocab) == argmax(ref + i * n_vocab, n_vocab);
    }
    for (int i = 0; i < n; i += SEGMENT) {
        const int rows = n - i < SEGMENT ? n - i : SEGMENT;
        qsort(errors + i, (size_t)rows, sizeof *errors, compare_doubles);
        if (!(errors[i + rows / 2] <= o.median)) /* so that a NaN counts */
            o.median = errors[i + rows / 2];
        if (!(errors[i + rows - 1] <= o.worst))
            o.worst = errors[i + rows - 1];
    }
    free(ref);
    free(x);
    return o;
}

/* The special ones come first, the others are random. */
static void compare(const struct fx_model *m, const struct ref_rope *rope, int n,
                    const int32_t *special, int n_special)
{
    uint64_t rng = m->spec.seed + 1000;
    struct outcome o = {0};

    for (int i = 0; i < N_TRIES; i++) {
        int32_t tokens[MAX_TOKENS];
        for (int j = 0; j < n; j++) {
            const uint64_t id = fx_random(&rng) % (uint64_t)m->spec.n_vocab;
            tokens[j] = j < n_special ? special[j] : (int32_t)id;
        }
        o = evaluate(m, rope, tokens, n);
        if (!(o.worst <= max_worst) || o.n_same < n - n / 20 - 1)
            fail_msg("try %d: a row differs by %g of its spread (at most %g); top-1 is the same in "
                     "%d of %d",
                     i, o.worst, max_worst, o.n_same, n);
        if (o.median <= max_median)
            return;
    }
    fail_msg("in %d tries the median row differs by %g of its spread or so (at most %g)", N_TRIES,
             o.median, max_median);
}

static void test_config(void **state)
{
    const struct config *c = *state;
    const struct fx_spec spec = full_spec(c);
    compare(fx_model(c->name, &spec), NULL, c->n_tokens ? c->n_tokens : 24, NULL, 0);
}

/* ---- What the fixture's own models do not have ----------------------------------------------- */

/* Rows so small that the lower bound of max|x| decides, and a row of zeros. */
static void test_tiny_rows(void **state)
{
    static struct fx_model m; /* it points to data that lives as long as the program */
    static const int32_t special[] = {1, 0, 2, 3, 0, 2, 3, 1, 1, 2, 3, 3, 2, 1, 2, 3};
    struct fx_spec spec = fx_default;
    struct fx_gguf g;
    (void)state;

    spec.embd_type = FX_F32;
    spec.untied = true;
    fx_model_gguf(&g, &m, &spec);
    for (int i = 0; i < 4 * spec.n_embd; i++)
        m.embd[i] *= i < spec.n_embd ? 0.0f : 1e-8f;
    memcpy(g.data.data, m.embd, 4 * (size_t)spec.n_embd * sizeof(float)); /* the first tensor */
    m.path = fx_write_gguf("tiny rows", &g);
    fx_free(&g);
    compare(&m, NULL, 20, special, 16);
}

/* Find a key's entry and replace its u32. */
static void patch_u32(struct fx_gguf *g, const char *key, uint32_t value)
{
    const size_t len = strlen(key);
    for (size_t i = 0; i + len + 8 <= g->kv.len; i++)
        if (memcmp(g->kv.data + i, key, len) == 0) {
            memcpy(g->kv.data + i + len + 4, &value, sizeof value); /* after the type */
            return;
        }
    fail_msg("no key '%s'", key);
}

/* Partial rotation, scaled positions, and divided frequencies, separately. */
static void check_rope(struct fx_model *m, const char *arch, struct ref_rope rope)
{
    struct fx_spec spec = fx_default;
    const uint64_t dims[] = {(uint64_t)rope.n_rot / 2, 0};
    struct fx_gguf g;
    char key[64];

    spec.arch = arch;
    spec.sub_norms = strcmp(arch, "llama") != 0;
    fx_model_gguf(&g, m, &spec);
    snprintf(key, sizeof key, "%s.rope.dimension_count", arch);
    patch_u32(&g, key, (uint32_t)rope.n_rot);
    if (rope.factor > 0) {
        snprintf(key, sizeof key, "%s.rope.scaling.type", arch);
        fx_str(&g, key, "linear");
        snprintf(key, sizeof key, "%s.rope.scaling.factor", arch);
        fx_f32(&g, key, (float)rope.factor);
    }
    if (rope.divide)
        fx_tensor(&g, "rope_freqs.weight", FX_F32, dims, rope.divide,
                  (size_t)rope.n_rot / 2 * sizeof *rope.divide);
    m->path = fx_write_gguf("rope", &g);
    fx_free(&g);
    compare(m, &rope, 40, NULL, 0);
}

static void test_rope(void **state)
{
    static struct fx_model models[6];
    static float divide[32];
    (void)state;

    for (int i = 0; i < 32; i++)
        divide[i] = i < 4 ? 1.0f : 1.0f + 0.25f * (float)(i - 3);
    check_rope(&models[0], "bitnet-b1.58", (struct ref_rope){.n_rot = 32});
    check_rope(&models[1], "llama", (struct ref_rope){.n_rot = 48});
    check_rope(&models[2], "bitnet", (struct ref_rope){.n_rot = 64, .factor = 4});
    check_rope(&models[3], "llama", (struct ref_rope){.n_rot = 64, .divide = divide});
    check_rope(&models[4], "bitnet", (struct ref_rope){.n_rot = 64, .divide = divide});
    check_rope(&models[5], "llama",
               (struct ref_rope){.n_rot = 16, .factor = 2.5, .divide = divide});
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_tiny_rows),
    cmocka_unit_test(test_rope),
};

const struct suite suite = {SUITE_TESTS(tests), SUITE_ROWS(test_config, configs)};
