/* test_convert.c - checkpoint folders to GGUF files: every family against a double-precision
 * forward pass over the checkpoint's own tensors, every type of output against every other, and
 * every refusal. With TRIT_SHARED, the real checkpoints of models/fables too. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "gguf.h"

enum { N_TOKENS = 24 };

static struct trit_error why;

#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != TRIT_OK)                                                                     \
            fail_msg("%s: %s", #call, why.text);                                                   \
    } while (0)

/* ---- Families -------------------------------------------------------------------------------- */

#define SMALL .n_layer = 2, .hidden = 256, .n_vocab = 300, .n_ctx = 64
#define B4T                                                                                        \
    SMALL, .architecture = "BitNetForCausalLM", .attn_sub = "self_attn.attn_sub_norm",             \
           .ffn_sub = "mlp.ffn_sub_norm", .act = "relu2", .tied = true,                            \
           .quantization_config = true
#define LLAMA SMALL, .architecture = "LlamaForCausalLM", .act = "silu", .quantization_config = true
#define ONEBIT                                                                                     \
    .architecture = "BitnetForCausalLM", .attn_sub = "self_attn.inner_attn_ln",                    \
    .ffn_sub = "mlp.ffn_layernorm", .act = "silu", .tied = true, .form = CK_MASTER, .spm = true,   \
    .n_layer = 2, .n_vocab = 300, .n_ctx = 64, .config = "\"input_bits\": 8, \"weight_bits\": 1"

static const struct family {
    const char *name;
    struct ck_spec spec;
} families[] = {
    {"2B-4T packed", {B4T, .linear_class = "autobitlinear", .seed = 1}},
    {"2B-4T packed, rows no multiple of 4",
     {B4T, .linear_class = "autobitlinear", .head_dim = 66, .n_head = 2, .n_head_kv = 1,
      .seed = 2}},
    {"2B-4T master", {B4T, .linear_class = "autobitlinear", .form = CK_MASTER, .seed = 33}},
    {"Llama, the scale divides", {LLAMA, .linear_class = "bitlinear", .seed = 4}},
    {"Llama, as old files say it", {LLAMA, .seed = 5}},
    {"Llama, the scale multiplies", {LLAMA, .linear_class = "autobitlinear", .seed = 6}},
    {"Llama, norms of linears", {LLAMA, .linear_class = "bitlinear", .rms_norms = true, .seed = 7}},
    {"Llama, norms of linears, the scale multiplies",
     {LLAMA, .linear_class = "autobitlinear", .rms_norms = true, .tied = true, .seed = 8}},
    {"Llama master", {LLAMA, .form = CK_MASTER, .seed = 9}},
    {"Llama, ternary floats", {LLAMA, .form = CK_EXACT, .dtype = "F16", .seed = 10}},
    {"Falcon, wide heads",
     {LLAMA, .linear_class = "bitlinear", .head_dim = 128, .theta = 1000042, .eps = 1e-6,
      .seed = 11}},
    {"Llama, positions divided", {LLAMA, .rope_factor = 4, .seed = 12}},
    {"1bitLLM, F32",
     {ONEBIT, .dtype = "F32", .hidden = 256, .n_head = 4, .n_head_kv = 4, .ffn = 384, .seed = 13}},
    {"1bitLLM, F16, awkward widths",
     {ONEBIT, .dtype = "F16", .hidden = 320, .n_head = 5, .n_head_kv = 5, .ffn = 340, .seed = 14}},
    {"1bitLLM, head_dim 100",
     {ONEBIT, .dtype = "BF16", .hidden = 400, .n_head = 4, .n_head_kv = 4, .ffn = 544, .seed = 15}},
};
enum { N_FAMILIES = sizeof families / sizeof *families };

/* ---- Converting ------------------------------------------------------------------------------ */

static bool append(void *user, const void *bytes, size_t n)
{
    fx_put(user, bytes, n);
    return true;
}

/* The file that a folder becomes. */
static struct fx_bytes converted(const char *folder, const struct trit_convert_options *opt)
{
    struct fx_bytes b = {0};
    uint64_t n_bytes = 0;

    OK(trit_convert(folder, opt, append, &b, &n_bytes, &why));
    assert_int_equal(n_bytes, b.len);
    return b;
}

static const char *converted_file(const char *folder, const struct trit_convert_options *opt)
{
    struct fx_bytes b = converted(folder, opt);
    const char *path = fx_write("converted.gguf", b.data, b.len);
    free(b.data);
    return path;
}

struct logits {
    float *x;
    int n_vocab, n;
};

static bool keep(void *user, int32_t position, const float *row)
{
    struct logits *l = user;
    (void)position;
    memcpy(l->x + (size_t)l->n++ * (size_t)l->n_vocab, row, (size_t)l->n_vocab * sizeof *row);
    return true;
}

/* Logits of every token, to be freed. */
static float *engine_logits(const char *path, const int32_t *tokens, int n, int *n_vocab)
{
    const struct trit_session_options opt = {.kv = TRIT_KV_TYPE_F32, .n_threads = 2};
    struct logits l = {0};
    trit_file *file = NULL;
    trit_model *model = NULL;
    trit_session *session = NULL;

    OK(trit_file_open(&file, path, NULL, &why));
    OK(trit_model_open(&model, file, &why));
    OK(trit_session_open(&session, model, &opt, &why));
    *n_vocab = l.n_vocab = trit_model_vocab_size(model);
    l.x = malloc((size_t)n * (size_t)l.n_vocab * sizeof *l.x);
    assert_non_null(l.x);
    OK(trit_session_eval(session, tokens, n, keep, &l, &why));
    trit_session_close(&session);
    trit_model_close(&model);
    trit_file_close(&file);
    return l.x;
}

static void random_tokens(int32_t tokens[N_TOKENS], int n_vocab)
{
    uint64_t rng = 3;
    for (int i = 0; i < N_TOKENS; i++)
        tokens[i] = (int32_t)(fx_random(&rng) % (uint64_t)n_vocab);
}

/* ---- The three figures of agreement ---------------------------------------------------------- */

struct agreement {
    double kl, top, error;
};

static void log_softmax(double *out, const double *x, int n)
{
    double top = -INFINITY, sum = 0;
    for (int i = 0; i < n; i++)
        top = fmax(top, x[i]);
    for (int i = 0; i < n; i++)
        sum += exp(x[i] - top);
    for (int i = 0; i < n; i++)
        out[i] = x[i] - top - log(sum);
}

static struct agreement compare(const double *ref, const float *x, int n, int n_vocab)
{
    double *a = malloc((size_t)n_vocab * sizeof *a), *b = malloc((size_t)n_vocab * sizeof *b);
    double *y = malloc((size_t)n_vocab * sizeof *y), sum = 0, squares = 0;
    struct agreement out = {0};

    assert_true(a && b && y);
    for (int t = 0; t < n; t++, ref += n_vocab, x += n_vocab) {
        int top_a = 0, top_b = 0;
        for (int i = 0; i < n_vocab; i++) {
            y[i] = (double)x[i];
            out.error += fabs(y[i] - ref[i]) / n / n_vocab;
            sum += ref[i] / n / n_vocab;
            squares += ref[i] * ref[i] / n / n_vocab;
            top_a = ref[i] > ref[top_a] ? i : top_a;
            top_b = y[i] > y[top_b] ? i : top_b;
        }
        log_softmax(a, ref, n_vocab);
        log_softmax(b, y, n_vocab);
        for (int i = 0; i < n_vocab; i++)
            out.kl += exp(a[i]) * (a[i] - b[i]) / n;
        out.top += (double)(top_a == top_b) / n;
    }
    out.error /= sqrt(squares - sum * sum);
    free(a);
    free(b);
    free(y);
    return out;
}

static void assert_agrees(const char *what, struct agreement a)
{
    if (!(a.kl < 2e-3 && a.top >= 0.95 && a.error < 0.02))
        fail_msg("%s: mean KL %g (< 2e-3), top-1 %g (>= 0.95), mean error %g sd (< 2e-2)", what,
                 a.kl, a.top, a.error);
}

/* The engine computes in f32, the reference in double: they are the same to seven digits until an
 * activation falls on the rounding edge between two int8 values, which moves all that follows. */
static void every_family(void **state)
{
    int32_t tokens[N_TOKENS];
    (void)state;
    for (int i = 0; i < N_FAMILIES; i++) {
        char folder[32];
        struct ck ck;
        int n_vocab;
        snprintf(folder, sizeof folder, "family-%d", i);
        ck_make(&ck, folder, &families[i].spec);
        ck_write(&ck, 1);
        random_tokens(tokens, families[i].spec.n_vocab);
        const struct trit_convert_options opt = {.embd = "f32"};
        float *x = engine_logits(converted_file(ck.folder, &opt), tokens, N_TOKENS, &n_vocab);
        double *ref = ck_logits(&ck, tokens, N_TOKENS);
        assert_int_equal(n_vocab, families[i].spec.n_vocab);
        assert_agrees(families[i].name, compare(ref, x, N_TOKENS, n_vocab));
        free(x);
        free(ref);
        ck_free(&ck);
    }
}

/* ---- One checkpoint, many ways --------------------------------------------------------------- */

static void make(struct ck *ck, const char *folder, struct ck_spec spec)
{
    ck_make(ck, folder, &spec);
    ck_write(ck, 1);
}

static const struct ck_spec packed = {B4T, .linear_class = "autobitlinear", .ffn = 512, .seed = 20};

/* Types differ by how they keep a scale: I2_S and F32 alike, the others rounded to 16 bits. */
static void types_agree(void **state)
{
    static const char *const types[] = {"i2_s", "f32", "tq1_0", "tq2_0", "f16", "bf16"};
    int32_t tokens[N_TOKENS];
    float *x[6];
    struct ck ck;
    int n_vocab;
    (void)state;

    make(&ck, "types", packed);
    random_tokens(tokens, 300);
    for (int i = 0; i < 6; i++) {
        const struct trit_convert_options opt = {.type = types[i]};
        x[i] = engine_logits(converted_file(ck.folder, &opt), tokens, N_TOKENS, &n_vocab);
    }
    const size_t bytes = (size_t)N_TOKENS * (size_t)n_vocab * sizeof **x;
    double *ref = malloc((size_t)N_TOKENS * (size_t)n_vocab * sizeof *ref);
    assert_non_null(ref);
    for (size_t i = 0; i < bytes / sizeof **x; i++)
        ref[i] = (double)x[0][i];
    assert_memory_equal(x[0], x[1], bytes);
    assert_memory_equal(x[2], x[3], bytes); /* both keep f16 */
    assert_memory_equal(x[2], x[4], bytes);
    /* the checkpoint's scales are BF16: seven bits, which all types keep */
    assert_memory_equal(x[0], x[2], bytes);
    assert_memory_equal(x[0], x[5], bytes);
    for (int i = 0; i < 6; i++)
        free(x[i]);
    free(ref);
    ck_free(&ck);

    /* Of masters the scales are f32, and types differ in the last places. */
    make(&ck, "types-master", (struct ck_spec){B4T, .ffn = 512, .form = CK_MASTER, .seed = 21});
    double *master = NULL;
    for (int i = 0; i < 5; i++) { /* BF16 keeps too little of a scale to compare */
        const struct trit_convert_options opt = {.type = types[i]};
        float *y = engine_logits(converted_file(ck.folder, &opt), tokens, N_TOKENS, &n_vocab);
        if (!master) {
            master = malloc((size_t)N_TOKENS * (size_t)n_vocab * sizeof *master);
            assert_non_null(master);
            for (int k = 0; k < N_TOKENS * n_vocab; k++)
                master[k] = (double)y[k];
        }
        assert_agrees(types[i], compare(master, y, N_TOKENS, n_vocab));
        free(y);
    }
    free(master);
    ck_free(&ck);
}

static void embeddings_agree(void **state)
{
    static const struct {
        const char *type;
        double error; /* of the deviation, at most */
    } types[] = {{"f32", 1e-9}, {"f16", 2e-3}, {"bf16", 1e-9}, {"q8_0", 0.05}, {"q6_k", 0.15}};
    int32_t tokens[N_TOKENS];
    struct ck ck;
    int n_vocab;
    (void)state;

    make(&ck, "embeddings", packed);
    random_tokens(tokens, 300);
    const struct trit_convert_options opt = {.embd = "f32"};
    float *base = engine_logits(converted_file(ck.folder, &opt), tokens, N_TOKENS, &n_vocab);
    double *ref = malloc((size_t)N_TOKENS * (size_t)n_vocab * sizeof *ref);
    assert_non_null(ref);
    for (int k = 0; k < N_TOKENS * n_vocab; k++)
        ref[k] = (double)base[k];
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const struct trit_convert_options o = {.embd = types[i].type};
        float *x = engine_logits(converted_file(ck.folder, &o), tokens, N_TOKENS, &n_vocab);
        const struct agreement a = compare(ref, x, N_TOKENS, n_vocab);
        if (!(a.error <= types[i].error))
            fail_msg("%s: mean error %g sd", types[i].type, a.error);
        free(x);
    }
    free(ref);
    free(base);
    ck_free(&ck);
}

static void assert_same_file(const char *folder, const char *other,
                             const struct trit_convert_options *opt)
{
    struct fx_bytes a = converted(folder, opt), b = converted(other, NULL);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    free(a.data);
    free(b.data);
}

static void shards_and_threads_do_not_matter(void **state)
{
    static const char name[] = "\"_name_or_path\": \"org/model\"";
    struct ck_spec spec = {LLAMA, .form = CK_MASTER, .config = name, .seed = 22};
    struct ck one, three;
    (void)state;

    make(&one, "one-file", spec);
    ck_make(&three, "three-shards", &spec);
    ck_write(&three, 3);
    assert_same_file(three.folder, one.folder, NULL);
    assert_same_file(one.folder, one.folder, &(struct trit_convert_options){.n_threads = 1});
    assert_same_file(one.folder, one.folder, &(struct trit_convert_options){.n_threads = 5});
    ck_free(&one);
    ck_free(&three);
}

/* ---- What is told ---------------------------------------------------------------------------- */

struct told {
    int n_notes, n_tensors;
    char notes[4096];
    uint64_t bytes;
};

static void on_note(void *user, const char *text)
{
    struct told *t = user;
    assert_int_equal(t->n_tensors, 0);
    t->n_notes++;
    snprintf(t->notes + strlen(t->notes), sizeof t->notes - strlen(t->notes), "%s\n", text);
}

static void on_tensor(void *user, const struct trit_converted_tensor *tensor)
{
    struct told *t = user;
    t->n_tensors++;
    t->bytes += tensor->n_bytes;
    if (strcmp(tensor->name, "blk.1.ffn_down.weight") == 0) {
        assert_string_equal(tensor->source, "model.layers.1.mlp.down_proj.weight");
        assert_string_equal(tensor->from_type, "U8 packed");
        assert_string_equal(tensor->type, "TQ2_0");
        assert_int_equal(tensor->n_dims, 2);
        assert_int_equal(tensor->dims[0], 512);
        assert_int_equal(tensor->dims[1], 256);
    }
}

static void dry_run_tells_what_would_be(void **state)
{
    struct told dry = {0}, wet = {0};
    struct trit_convert_options opt = {
        .type = "tq2_0", .on_note = on_note, .on_tensor = on_tensor, .user = &dry};
    struct ck ck;
    uint64_t n_bytes = 0;
    (void)state;

    make(&ck, "dry", packed);
    OK(trit_convert(ck.folder, &opt, NULL, NULL, &n_bytes, &why));
    opt.user = &wet;
    struct fx_bytes b = converted(ck.folder, &opt);
    assert_int_equal(n_bytes, b.len);
    assert_int_equal(dry.n_tensors, 1 + 2 * 11 + 1);
    assert_int_equal(dry.n_tensors, wet.n_tensors);
    assert_int_equal(dry.bytes, wet.bytes);
    assert_string_equal(dry.notes, wet.notes);
    assert_non_null(strstr(dry.notes, "multiplies"));
    assert_non_null(strstr(dry.notes, "2B-4T"));

    /* they are in the file */
    trit_file *file;
    const struct gguf_kv *notes;
    OK(trit_file_open(&file, fx_write("noted.gguf", b.data, b.len), NULL, &why));
    OK(gguf_get_array(file, "trit.notes", TRIT_VALUE_STRING, &notes, &why));
    assert_non_null(notes);
    assert_int_equal(notes->n_items, dry.n_notes);
    trit_file_close(&file);
    free(b.data);
    ck_free(&ck);
}

static void metadata_is_complete(void **state)
{
    struct ck ck;
    trit_file *file;
    trit_tokenizer *tokenizer;
    struct trit_string s;
    uint32_t u;
    (void)state;

    make(&ck, "metadata",
         (struct ck_spec){LLAMA, .linear_class = "bitlinear", .rms_norms = true, .seed = 23});
    OK(trit_file_open(&file, converted_file(ck.folder, NULL), NULL, &why));
    OK(gguf_get_string(file, "general.architecture", &s, &why));
    assert_true(trit_string_is(s, "llama"));
    OK(gguf_get_string(file, "general.name", &s, &why));
    assert_true(trit_string_is(s, "metadata"));
    OK(gguf_get_u32(file, "general.file_type", &u, &why));
    assert_int_equal(u, 40);
    OK(gguf_get_u32(file, "llama.rope.dimension_count", &u, &why));
    assert_int_equal(u, 64);
    OK(gguf_get_string(file, "trit.linear_norm", &s, &why));
    assert_true(trit_string_is(s, "rms"));
    OK(gguf_get_u32(file, "tokenizer.ggml.eot_token_id", &u, &why));
    assert_int_equal(u, 261);
    assert_non_null(gguf_find_tensor(file, "blk.1.ffn_down_norm_in.weight"));
    OK(trit_tokenizer_open(&tokenizer, file, &why));
    assert_int_equal(trit_tokenizer_bos(tokenizer), -1);
    assert_true(trit_tokenizer_is_end(tokenizer, 260) && trit_tokenizer_is_end(tokenizer, 261));
    trit_tokenizer_close(&tokenizer);
    trit_file_close(&file);
    ck_free(&ck);
}

/* RoPE of type llama3: frequencies are divided one by one. */
static void llama3_rope(void **state)
{
    static const char config[] = "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0, "
                                 "\"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0, "
                                 "\"original_max_position_embeddings\": 8192}";
    struct ck ck;
    trit_file *file;
    (void)state;

    make(&ck, "llama3-rope",
         (struct ck_spec){LLAMA, .config = config, .theta = 500000, .seed = 24});
    OK(trit_file_open(&file, converted_file(ck.folder, NULL), NULL, &why));
    const struct gguf_tensor *t = gguf_find_tensor(file, "rope_freqs.weight");
    assert_non_null(t);
    assert_int_equal(t->dims[0], 32);
    for (int i = 0; i < 32; i++) {
        const double wavelength = 2 * 3.141592653589793 * pow(500000, 2.0 * i / 64);
        float x;
        memcpy(&x, gguf_data(file, t) + 4 * i, sizeof x);
        double expected = 1;
        if (wavelength > 8192) {
            expected = 8;
        } else if (wavelength > 8192 / 4.0) {
            const double smooth = (8192 / wavelength - 1) / 3;
            expected = 1 / ((1 - smooth) / 8 + smooth);
        }
        if (!(fabs((double)x - expected) < 1e-5))
            fail_msg("divisor %d is %g; expected %g", i, (double)x, expected);
    }
    trit_file_close(&file);
    ck_free(&ck);
}

/* ---- Names from elsewhere -------------------------------------------------------------------- */

static char *replaced(const char *name, const char *from, const char *to)
{
    const char *p = strstr(name, from);
    char *out = malloc(strlen(name) + strlen(to) + 1);
    assert_non_null(out);
    if (p)
        sprintf(out, "%.*s%s%s", (int)(p - name), name, to, p + strlen(from));
    else
        strcpy(out, name);
    return out;
}

static void names_from_a_file(void **state)
{
    static const char map[] = "# ours\n"
                              "tok.weight = token_embd.weight\n"
                              "  enc.{}.attn.wq.weight =   blk.{}.attn_q.weight # of layers\n"
                              "enc.{}.mlp.w2.packed = blk.{}.ffn_down.weight\n"
                              "enc.{}.mlp.w2.step = blk.{}.ffn_down.scale\r\n\n"
                              "leftover.{} = ignore\n";
    const uint64_t one[] = {1};
    const float x = 1;
    struct ck plain, other;
    struct ck_spec spec = packed;
    (void)state;

    spec.config = "\"_name_or_path\": \"a\"";
    make(&plain, "plain-names", spec);
    ck_make(&other, "other-names", &spec);
    for (size_t i = 0; i < other.file.n; i++) {
        static const char *const pairs[][2] = {
            {"model.embed_tokens.weight", "tok.weight"},
            {"model.layers.0.self_attn.q_proj", "enc.0.attn.wq"},
            {"model.layers.1.self_attn.q_proj", "enc.1.attn.wq"},
            {"model.layers.0.mlp.down_proj.weight_scale", "enc.0.mlp.w2.step"},
            {"model.layers.1.mlp.down_proj.weight_scale", "enc.1.mlp.w2.step"},
            {"model.layers.0.mlp.down_proj.weight", "enc.0.mlp.w2.packed"},
            {"model.layers.1.mlp.down_proj.weight", "enc.1.mlp.w2.packed"},
        };
        for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
            char *name = replaced(other.file.tensors[i].name, pairs[k][0], pairs[k][1]);
            free(other.file.tensors[i].name);
            other.file.tensors[i].name = name;
        }
    }
    sw_add(&other.file, "leftover.7", "F32", 1, one, &x, sizeof x);
    ck_write(&other, 1);
    const struct trit_convert_options opt = {.map = fx_write("names", map, sizeof map - 1)};
    struct fx_bytes a = converted(plain.folder, NULL), b = converted(other.folder, &opt);
    /* but for the notes all is the same: compare what follows the metadata */
    const size_t n = 300 * 256 * 2;
    assert_memory_equal(a.data + a.len - n, b.data + b.len - n, n);
    int32_t tokens[N_TOKENS];
    int n_vocab;
    random_tokens(tokens, 300);
    float *xa = engine_logits(fx_write("a.gguf", a.data, a.len), tokens, N_TOKENS, &n_vocab);
    float *xb = engine_logits(fx_write("b.gguf", b.data, b.len), tokens, N_TOKENS, &n_vocab);
    assert_memory_equal(xa, xb, (size_t)N_TOKENS * (size_t)n_vocab * sizeof *xa);
    free(xa), free(xb), free(a.data), free(b.data);
    ck_free(&plain);
    ck_free(&other);
}

/* Data may begin at any byte of a file. */
static void unaligned_weights(void **state)
{
    static const char map[] = "leftover.{} = ignore\n";
    const struct ck_spec spec = {LLAMA, .form = CK_MASTER, .dtype = "F32", .seed = 27};
    const struct trit_convert_options opt = {.map = fx_write("leftover", map, sizeof map - 1)};
    const uint64_t three[] = {3};
    int32_t tokens[N_TOKENS];
    struct ck plain, odd;
    int n_vocab;
    (void)state;

    make(&plain, "aligned", spec);
    ck_make(&odd, "unaligned", &spec);
    sw_add(&odd.file, "leftover.1", "U8", 1, three, "abc", 3);
    memmove(odd.file.data.data + 3, odd.file.data.data, odd.file.data.len - 3);
    for (size_t i = 0; i < odd.file.n; i++) {
        odd.file.tensors[i].begin += 3;
        odd.file.tensors[i].end += 3;
    }
    ck_entry(&odd, "leftover.1")->begin = 0;
    ck_entry(&odd, "leftover.1")->end = 3;
    ck_write(&odd, 1);
    random_tokens(tokens, 300);
    float *a = engine_logits(converted_file(plain.folder, NULL), tokens, N_TOKENS, &n_vocab);
    float *b = engine_logits(converted_file(odd.folder, &opt), tokens, N_TOKENS, &n_vocab);
    assert_memory_equal(a, b, (size_t)N_TOKENS * (size_t)n_vocab * sizeof *a);
    free(a);
    free(b);
    ck_free(&plain);
    ck_free(&odd);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

/* The conversion fails like that, and says both. */
static void refuse_with(const char *folder, const struct trit_convert_options *opt,
                        trit_status status, const char *part, const char *other)
{
    struct fx_bytes b = {0};
    const trit_status got = trit_convert(folder, opt, append, &b, NULL, &why);

    free(b.data);
    if (got != status || why.code != status || !strstr(why.text, part) || !strstr(why.text, other))
        fail_msg("wanted status %d, '%s' and '%s', got %d: %s", (int)status, part, other, (int)got,
                 got ? why.text : "");
}

static void bad_names(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"nonsense\n", "line 1 has no '='"},
        {"\n\na = blk.{}.attn_z.weight\n", "line 3 has none of this program's tensors"},
        {"= token_embd.weight\n", "line 1 has no tensor of the checkpoint"},
        {"a.{} = token_embd.weight\n", "line 1 has {} on one side only"},
    };
    struct trit_convert_options opt = {0};
    struct ck ck;
    (void)state;
    make(&ck, "bad-names", packed);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        opt.map = fx_write("bad", cases[i].text, strlen(cases[i].text));
        refuse_with(ck.folder, &opt, TRIT_E_FILE, cases[i].says, "bad");
    }
    opt.map = fx_write("bad", "a\0b", 3);
    refuse_with(ck.folder, &opt, TRIT_E_FILE, "NUL", "bad");
    opt.map = "no-such-file";
    refuse_with(ck.folder, &opt, TRIT_E_FILE, "no-such-file", "");
    opt.map = fx_write("bad", "x = blk.0.attn_q.weight\n", 24);
    refuse_with(ck.folder, &opt, TRIT_E_FILE, "no tensor 'x'", "");
    ck_free(&ck);
}

/* Keys of config.json: with these members instead, or without. */
static void refused_configs(void **state)
{
    static const struct {
        const char *config, *drop;
        trit_status status;
        const char *part, *other;
    } cases[] = {
        {"\"architectures\": [\"MistralForCausalLM\"]", NULL, TRIT_E_UNSUPPORTED,
         "MistralForCausalLM", "LlamaForCausalLM"},
        {"\"architectures\": [\"Qwen3ForCausalLM\"]", NULL, TRIT_E_UNSUPPORTED, "Qwen3ForCausalLM",
         ""},
        {"\"architectures\": [\"BitSkipV1WithEarlyExit\"]", NULL, TRIT_E_UNSUPPORTED,
         "BitSkipV1WithEarlyExit", ""},
        {NULL, "architectures", TRIT_E_FILE, "architectures", "missing"},
        {NULL, "hidden_size", TRIT_E_FILE, "hidden_size", "missing"},
        {NULL, "rms_norm_eps", TRIT_E_FILE, "rms_norm_eps", "missing"},
        {NULL, "hidden_act", TRIT_E_FILE, "hidden_act", "missing"},
        {NULL, "vocab_size", TRIT_E_FILE, "vocab_size", "missing"},
        {"\"hidden_size\": 255", NULL, TRIT_E_FILE, "hidden_size", "multiple"},
        {"\"hidden_size\": 25.5", NULL, TRIT_E_FILE, "hidden_size", "whole"},
        {"\"hidden_size\": \"a\"", NULL, TRIT_E_FILE, "hidden_size", "whole"},
        {"\"num_hidden_layers\": 0", NULL, TRIT_E_FILE, "num_hidden_layers", "0"},
        {"\"num_key_value_heads\": 3", NULL, TRIT_E_FILE, "num_key_value_heads", "divide"},
        {"\"head_dim\": 63", NULL, TRIT_E_FILE, "head_dim", "odd"},
        {"\"head_dim\": 1024", NULL, TRIT_E_FILE, "head_dim", "512"},
        {"\"rms_norm_eps\": -1", NULL, TRIT_E_FILE, "rms_norm_eps", "-1"},
        {"\"rope_theta\": \"x\"", NULL, TRIT_E_FILE, "rope_theta", "number"},
        {"\"hidden_act\": \"gelu\"", NULL, TRIT_E_UNSUPPORTED, "hidden_act", "gelu"},
        {"\"attention_bias\": true", NULL, TRIT_E_UNSUPPORTED, "attention_bias", "true"},
        {"\"mlp_bias\": true", NULL, TRIT_E_UNSUPPORTED, "mlp_bias", "true"},
        {"\"attention_bias\": 1", NULL, TRIT_E_FILE, "attention_bias", "neither"},
        {"\"partial_rotary_factor\": 0.5", NULL, TRIT_E_UNSUPPORTED, "partial_rotary_factor", ""},
        {"\"input_bits\": 4", NULL, TRIT_E_UNSUPPORTED, "input_bits", ""},
        {"\"weight_bits\": 8", NULL, TRIT_E_UNSUPPORTED, "weight_bits", ""},
        {"\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2}", NULL, TRIT_E_UNSUPPORTED,
         "rope_scaling", "yarn"},
        {"\"rope_scaling\": {\"type\": \"linear\"}", NULL, TRIT_E_FILE, "rope_scaling.factor",
         "missing"},
        {"\"rope_parameters\": {\"rope_type\": \"dynamic\"}", NULL, TRIT_E_UNSUPPORTED,
         "rope_parameters.rope_type", "dynamic"},
        {"\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4, "
         "\"high_freq_factor\": 1, \"original_max_position_embeddings\": 8192}",
         NULL, TRIT_E_FILE, "high_freq_factor", "low_freq_factor"},
        {"\"quantization_config\": {\"quant_method\": \"gptq\"}", NULL, TRIT_E_UNSUPPORTED,
         "quant_method", "gptq"},
        {"\"quantization_config\": {\"quant_method\": \"bitnet\", \"linear_class\": \"x\"}", NULL,
         TRIT_E_UNSUPPORTED, "linear_class", "'x'"},
        {"\"quantization_config\": {\"quant_method\": \"bitnet\", \"quantization_mode\": \"x\"}",
         NULL, TRIT_E_UNSUPPORTED, "quantization_mode", "'x'"},
        {"\"quantization_config\": {\"quant_method\": \"bitnet\", \"modules_to_not_convert\": "
         "[\"lm_head\", \"mlp\"]}",
         NULL, TRIT_E_UNSUPPORTED, "modules_to_not_convert", "mlp"},
        {NULL, "quantization_config", TRIT_E_FILE, "q_proj.weight", "quantization_config"},
        {"\"tie_word_embeddings\": \"no\"", NULL, TRIT_E_FILE, "tie_word_embeddings", "neither"},
        {"\"tie_word_embeddings\": false", NULL, TRIT_E_FILE, "lm_head.weight", ""},
        {"\"vocab_size\": 301", NULL, TRIT_E_FILE, "model.embed_tokens.weight",
         "[300, 256]; expected is [301, 256]"},
        {"\"intermediate_size\": 256", NULL, TRIT_E_FILE, "gate_proj.weight",
         "[128, 256]; expected is [64, 256]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck_spec spec = packed;
        struct ck ck;
        spec.config = cases[i].config;
        spec.drop = cases[i].drop;
        make(&ck, "config", spec);
        refuse_with(ck.folder, NULL, cases[i].status, cases[i].part, cases[i].other);
        ck_free(&ck);
    }
    struct ck_spec spec = {LLAMA, .drop = "quantization_config", .seed = 25};
    struct ck ck;
    make(&ck, "config", spec);
    refuse_with(ck.folder, NULL, TRIT_E_UNSUPPORTED, "quantization_config", "trained");
    ck_free(&ck);
}

/* Begin with what is fine, spoil one tensor. */
static void spoil(struct ck *ck)
{
    ck_make(ck, "spoilt", &packed);
}

static void refuse_spoilt(struct ck *ck, trit_status status, const char *part, const char *other)
{
    ck_write(ck, 1);
    refuse_with(ck->folder, NULL, status, part, other);
    ck_free(ck);
}

static uint8_t *data_of(struct ck *ck, const char *name)
{
    return ck->file.data.data + ck_entry(ck, name)->begin;
}

static void refused_tensors(void **state)
{
    static const char q[] = "model.layers.1.self_attn.q_proj.weight";
    static const char scale[] = "model.layers.1.self_attn.q_proj.weight_scale";
    static const uint16_t bad_scales[] = {0x7fc0 /* NaN */, 0x7f80 /* infinity */, 0, 0xbf80};
    const uint64_t one[] = {1}, two[] = {2};
    const float x = 1;
    struct ck ck;
    (void)state;

    spoil(&ck);
    ck_entry(&ck, q)->name[13] = '9'; /* layers.9 */
    refuse_spoilt(&ck, TRIT_E_FILE, q, "no tensor");
    spoil(&ck);
    sw_add(&ck.file, "model.layers.0.self_attn.q_proj.bias", "F32", 1, one, &x, sizeof x);
    refuse_spoilt(&ck, TRIT_E_UNSUPPORTED, "model.layers.0.self_attn.q_proj.bias", "nothing");
    spoil(&ck);
    ck_entry(&ck, q)->dims[0] = 128;
    ck_entry(&ck, q)->dims[1] = 128;
    refuse_spoilt(&ck, TRIT_E_FILE, q, "[128, 128]; expected is [64, 256]");
    spoil(&ck);
    strcpy(ck_entry(&ck, q)->dtype, "I8");
    refuse_spoilt(&ck, TRIT_E_FILE, q, "[64, 256]; expected is [256, 256]");
    spoil(&ck);
    strcpy(ck_entry(&ck, "model.norm.weight")->dtype, "I16");
    refuse_spoilt(&ck, TRIT_E_UNSUPPORTED, "model.norm.weight", "I16");
    spoil(&ck);
    data_of(&ck, q)[777] |= 3 << 4;
    refuse_spoilt(&ck, TRIT_E_FILE, q, "code 3 in row 131");
    for (size_t i = 0; i < sizeof bad_scales / sizeof *bad_scales; i++) {
        spoil(&ck);
        memcpy(data_of(&ck, scale), &bad_scales[i], 2);
        refuse_spoilt(&ck, TRIT_E_FILE, scale, "positive");
    }
    spoil(&ck);
    ck_entry(&ck, scale)->name[0] = 'x';
    refuse_spoilt(&ck, TRIT_E_FILE, scale, "no tensor");
    spoil(&ck);
    sw_add(&ck.file, "model.layers.0.x", "F32", 1, two, (float[]){1, 1}, 8);
    refuse_spoilt(&ck, TRIT_E_UNSUPPORTED, "model.layers.0.x", "");
    spoil(&ck); /* NaN in the embedding */
    memcpy(data_of(&ck, "model.embed_tokens.weight") + 1000, "\xc0\x7f", 2);
    refuse_spoilt(&ck, TRIT_E_FILE, "model.embed_tokens.weight", "not finite");
    spoil(&ck); /* 2^100, which F16 has not */
    memcpy(data_of(&ck, "model.embed_tokens.weight") + 1000, "\x80\x71", 2);
    refuse_spoilt(&ck, TRIT_E_FILE, "model.embed_tokens.weight", "F16");

    ck_make(&ck, "spoilt", &(struct ck_spec){B4T, .form = CK_MASTER, .seed = 26});
    memcpy(data_of(&ck, q) + 512, "\x80\x7f", 2);
    refuse_spoilt(&ck, TRIT_E_FILE, q, "not finite");
    ck_make(&ck, "spoilt", &(struct ck_spec){B4T, .form = CK_MASTER, .seed = 26});
    sw_add(&ck.file, scale, "F32", 1, one, &x, sizeof x);
    refuse_spoilt(&ck, TRIT_E_UNSUPPORTED, scale, "not packed");
    ck_make(&ck, "spoilt", &(struct ck_spec){B4T, .form = CK_MASTER, .ffn = 300, .seed = 26});
    ck_write(&ck, 1);
    refuse_with(ck.folder, &(struct trit_convert_options){.type = "tq2_0"}, TRIT_E_UNSUPPORTED,
                "down_proj.weight", "rows of 300");
    ck_free(&ck);
}

static void refused_folders_and_options(void **state)
{
    struct ck ck;
    char path[512];
    (void)state;

    make(&ck, "folder", packed);
    refuse_with(ck.folder, &(struct trit_convert_options){.type = "q4_0"}, TRIT_E_ARGUMENT, "q4_0",
                "tq1_0");
    refuse_with(ck.folder, &(struct trit_convert_options){.embd = "i2_s"}, TRIT_E_ARGUMENT, "i2_s",
                "q6_k");
    refuse_with(ck.folder, &(struct trit_convert_options){.n_threads = 513}, TRIT_E_ARGUMENT, "513",
                "512");
    refuse_with("no-such-folder", NULL, TRIT_E_FILE, "config.json", "");
    static const char *const needed[] = {"tokenizer.json", "model.safetensors", "config.json"};
    static const char *const says[] = {"no tokenizer", "model.safetensors", "config.json"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", ck.folder, needed[i]);
        assert_int_equal(remove(path), 0);
        refuse_with(ck.folder, NULL, TRIT_E_FILE, says[i], "");
    }
    ck_free(&ck);
    make(&ck, "folder", packed);
    fx_write("folder/config.json", "{\"a\": ", 6);
    refuse_with(ck.folder, NULL, TRIT_E_FILE, "config.json", "line 1");
    fx_write("folder/config.json", "[1]", 3);
    refuse_with(ck.folder, NULL, TRIT_E_FILE, "config.json", "object");
    ck_free(&ck);
}

static bool stop_after(void *user, const void *bytes, size_t n)
{
    long *left = user;
    (void)bytes;
    return (*left -= (long)n) > 0;
}

static void the_sink_may_stop(void **state)
{
    struct ck ck;
    (void)state;
    make(&ck, "stopped", packed);
    for (long most = 0; most < 700000; most += 50000) {
        long left = most;
        const trit_status status = trit_convert(ck.folder, NULL, stop_after, &left, NULL, &why);
        assert_true(status == TRIT_E_CANCELLED || (status == TRIT_OK && left > 0));
    }
    ck_free(&ck);
}

/* ---- The real ones --------------------------------------------------------------------------- */

static const char *shared(const char *name)
{
    static char path[1024];
    const char *root = getenv("TRIT_SHARED");

    if (!root || !*root) {
        printf("skipped: TRIT_SHARED is not set\n");
        skip();
    }
    snprintf(path, sizeof path, "%s/models/fables/%s", root, name);
    return path;
}

static void fables_packed(void **state)
{
    int32_t tokens[100];
    int n_vocab;
    (void)state;
    for (int i = 0; i < 100; i++)
        tokens[i] = 41 * i % 4095;
    float *x = engine_logits(converted_file(shared("hf-packed"), NULL), tokens, 100, &n_vocab);
    float *y = engine_logits(shared("fables.gguf"), tokens, 100, &n_vocab);
    assert_memory_equal(x, y, 100 * (size_t)n_vocab * sizeof *x);
    free(x);
    free(y);
}

/* Codes are the same, scales within the rounding of BF16, in which the packed ones are stored. */
static void fables_master(void **state)
{
    trit_file *a, *b;
    int n = 0;
    (void)state;
    OK(trit_file_open(&a, converted_file(shared("hf"), NULL), NULL, &why));
    OK(trit_file_open(&b, shared("fables.gguf"), NULL, &why));
    for (size_t i = 0; i < a->n_tensors; i++) {
        const struct gguf_tensor *t = &a->tensors[i];
        char name[64];
        float x, y;
        if (t->type_id != FX_I2_S)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)t->name.len, t->name.bytes);
        const struct gguf_tensor *u = gguf_find_tensor(b, name);
        assert_non_null(u);
        assert_int_equal(t->n_bytes, u->n_bytes);
        assert_memory_equal(gguf_data(a, t), gguf_data(b, u), t->n_bytes - 32);
        memcpy(&x, gguf_data(a, t) + t->n_bytes - 32, sizeof x);
        memcpy(&y, gguf_data(b, u) + u->n_bytes - 32, sizeof y);
        assert_true(fabsf(x - y) <= y / 256);
        n++;
    }
    assert_int_equal(n, 42);
    trit_file_close(&a);
    trit_file_close(&b);

    int32_t tokens[100];
    int n_vocab;
    for (int i = 0; i < 100; i++)
        tokens[i] = 41 * i % 4095;
    float *xa = engine_logits(converted_file(shared("hf"), NULL), tokens, 100, &n_vocab);
    float *xb = engine_logits(shared("fables.gguf"), tokens, 100, &n_vocab);
    double *ref = malloc(100 * (size_t)n_vocab * sizeof *ref);
    assert_non_null(ref);
    for (int i = 0; i < 100 * n_vocab; i++)
        ref[i] = (double)xb[i];
    assert_agrees("the master", compare(ref, xa, 100, n_vocab));
    free(ref);
    free(xa);
    free(xb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family),
        cmocka_unit_test(types_agree),
        cmocka_unit_test(embeddings_agree),
        cmocka_unit_test(shards_and_threads_do_not_matter),
        cmocka_unit_test(dry_run_tells_what_would_be),
        cmocka_unit_test(metadata_is_complete),
        cmocka_unit_test(llama3_rope),
        cmocka_unit_test(names_from_a_file),
        cmocka_unit_test(unaligned_weights),
        cmocka_unit_test(bad_names),
        cmocka_unit_test(refused_configs),
        cmocka_unit_test(refused_tensors),
        cmocka_unit_test(refused_folders_and_options),
        cmocka_unit_test(the_sink_may_stop),
        cmocka_unit_test(fables_packed),
        cmocka_unit_test(fables_master),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
