/* test_convert_errors.c - the errors of trit_convert(): each has the right status, and a text that
 * names the key, tensor or file, and what was found. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "fixture.h"
#include "suite.h"
#include "trit_tools.h"

/* A set of statuses: an unknown item may be damage, or not supported. */
enum {
    ARGUMENT = 1 << TRIT_E_ARGUMENT,
    DAMAGED = 1 << TRIT_E_FILE,
    UNSUPPORTED = 1 << TRIT_E_UNSUPPORTED,
    EITHER = DAMAGED | UNSUPPORTED
};

/* ---- Checkpoints to spoil -------------------------------------------------------------------- */

enum kind { BITNET, MASTER, LLAMA, NORMS, ONEBIT, N_KINDS };

/* The smallest valid ones. */
static struct ck *make_checkpoint(enum kind kind)
{
    struct ck_spec s = ck_default;

    s.hidden = 128;
    s.heads = 2;
    s.kv_heads = 1;
    s.ffn = 256;
    switch (kind) {
    case BITNET:
    case N_KINDS:
        break;
    case MASTER:
        s.packed = false;
        break;
    case NORMS:
        s.rms_norm = true; /* fallthrough */
    case LLAMA:
        s.family = CK_LLAMA;
        s.untied = true;
        s.autobit = false;
        s.not_converted = "[\"lm_head\"]";
        break;
    case ONEBIT:
        s.family = CK_1BITLLM;
        s.packed = false;
        s.dtype = CK_F16;
        s.kv_heads = 2;
        break;
    }
    return ck_new(&s);
}

/* A checkpoint to damage. */
static struct ck *new_checkpoint(enum kind kind)
{
    static struct ck *made[N_KINDS];

    if (!made[kind])
        made[kind] = make_checkpoint(kind);
    return ck_copy(made[kind]);
}

static bool discard(void *user, const void *bytes, size_t n)
{
    (void)user, (void)bytes, (void)n;
    return true;
}

/* Whether text contains one of the words, which are separated by |. */
static bool says(const char *text, const char *words)
{
    for (;;) {
        char word[128];
        const size_t n = strcspn(words, "|");
        snprintf(word, sizeof word, "%.*s", (int)n, words);
        if (strstr(text, word))
            return true;
        if (!words[n])
            return false;
        words += n + 1;
    }
}

static int n_wrong; /* failures of a test so far; all are printed before it fails */

static void wrong(const char *what, const char *why, const char *detail)
{
    print_error("%s: %s%s\n", what, why, detail);
    n_wrong++;
}

static void none_wrong(void)
{
    const int n = n_wrong;
    n_wrong = 0;
    if (n)
        fail_msg("%d refusals are wrong", n);
}

/* The conversion must fail with one of these statuses and all of these words (up to a NULL). */
static void refused_folder(const char *what, const char *dir,
                           const struct trit_convert_options *opt, unsigned statuses,
                           const char *const words[3])
{
    struct trit_error err = {.code = TRIT_OK, .text = ""};
    const trit_status status = trit_convert(dir, opt, discard, NULL, NULL, &err);

    if (status == TRIT_OK) {
        wrong(what, "is converted", "");
        return;
    }
    if (!(1u << status & statuses))
        wrong(what, "another status than it should have: ", err.text);
    for (const char *p = err.text; *p; p++)
        if (iscntrl((unsigned char)*p)) {
            wrong(what, "a control character in its text: ", err.text);
            break;
        }
    for (int i = 0; i < 3 && words[i]; i++)
        if (!says(err.text, words[i])) {
            wrong(what, "does not say ", words[i]);
            print_error("    but: %s\n", err.text);
        }
    assert_int_equal(err.code, status);
    assert_int_equal(trit_convert(dir, opt, discard, NULL, NULL, NULL), status);
}

static void refused(const char *what, const struct ck *c, unsigned statuses,
                    const char *const words[3])
{
    refused_folder(what, ck_write(c, "refused"), NULL, statuses, words);
}

/* The undamaged checkpoints must convert. */
static void unspoilt(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_KINDS; kind++) {
        struct ck *c = new_checkpoint((enum kind)kind);
        struct trit_error err;
        if (trit_convert(ck_write(c, "sound"), NULL, discard, NULL, NULL, &err))
            wrong("unspoilt", "is refused: ", err.text);
        ck_free(c);
    }
    none_wrong();
}

/* ---- config.json ----------------------------------------------------------------------------- */

static const struct {
    enum kind kind;
    const char *key, *json; /* NULL: without it */
    unsigned statuses;
    const char *words[3];
} configs[] = {
    /* families */
    {BITNET, "architectures", "[\"Phi3ForCausalLM\"]", UNSUPPORTED, {"Phi3ForCausalLM"}},
    {BITNET, "architectures", "[\"MistralForCausalLM\"]", UNSUPPORTED, {"Mistral"}},
    {LLAMA, "architectures", "[\"Qwen2ForCausalLM\"]", DAMAGED, {"q_proj.bias", "always"}},
    {LLAMA, "architectures", "[\"GemmaForCausalLM\"]", UNSUPPORTED, {"GemmaForCausalLM"}},
    {BITNET, "architectures", "[\"\\u001b[2J\\n\"]", UNSUPPORTED, {"architecture"}},
    {BITNET, "logit_scale", "0.5", UNSUPPORTED, {"logit_scale", "0.5"}},
    {BITNET, "final_logit_softcapping", "30.0", UNSUPPORTED, {"final_logit_softcapping"}},
    {BITNET, "num_local_experts", "8", UNSUPPORTED, {"num_local_experts"}},
    {BITNET,
     "rope_parameters",
     "{\"rope_type\": \"default\", \"attention_factor\": 0.7}",
     UNSUPPORTED,
     {"rope_parameters.attention_factor"}},
    {BITNET,
     "rope_parameters",
     "{\"full\": {\"rope_theta\": 5e5}, \"sliding\": {\"rope_theta\": 1e4}}",
     UNSUPPORTED,
     {"rope_parameters", "layers"}},
    {BITNET,
     "rope_parameters",
     "{\"rope_theta\": 5e5, \"new\": 1}",
     UNSUPPORTED,
     {"parameters.new"}},
    {BITNET, "architectures", "7", EITHER, {"architectures"}},
    {BITNET, "architectures", "[7]", EITHER, {"architectures"}},
    {LLAMA, "quantization_config.quant_method", "\"gptq\"", UNSUPPORTED, {"quant_method", "gptq"}},
    {BITNET, "quantization_config.quant_method", "\"awq\"", UNSUPPORTED, {"quant_method", "awq"}},
    {LLAMA, "quantization_config.quant_method", NULL, EITHER, {"quant_method"}},
    {LLAMA,
     "quantization_config.linear_class",
     "\"fancylinear\"",
     UNSUPPORTED,
     {"linear_class", "fancylinear"}},
    {LLAMA, "quantization_config.linear_class", "3", EITHER, {"linear_class"}},
    {LLAMA,
     "quantization_config.quantization_mode",
     "\"sometimes\"",
     UNSUPPORTED,
     {"quantization_mode", "sometimes"}},
    {LLAMA,
     "quantization_config.modules_to_not_convert",
     "[\"lm_head\", \"down_proj\"]",
     DAMAGED,
     {"down_proj", "packed", "modules_to_not_convert"}},
    {LLAMA,
     "quantization_config.modules_to_not_convert",
     "[\"(a|b)\"]",
     UNSUPPORTED,
     {"modules_to_not_convert", "(a|b)"}},
    {LLAMA, "quantization_config.use_rms_norm", "true", DAMAGED, {"rms_norm.weight"}},
    {NORMS, "quantization_config.use_rms_norm", "false", EITHER, {"rms_norm"}},
    {NORMS, "quantization_config.rms_norm_eps", "-1", EITHER, {"rms_norm_eps", "-1"}},
    {ONEBIT, "weight_bits", "2", UNSUPPORTED, {"weight_bits", "2"}},
    {ONEBIT, "input_bits", "4", UNSUPPORTED, {"input_bits", "4"}},
    /* options that trit does not compute */
    {BITNET, "attention_bias", "true", DAMAGED, {"attention_bias", "q_proj.bias"}},
    {LLAMA, "attention_bias", "true", DAMAGED, {"attention_bias", "q_proj.bias"}},
    {LLAMA, "mlp_bias", "true", DAMAGED, {"mlp_bias", "gate_proj.bias"}},
    {LLAMA, "use_bias", "true", UNSUPPORTED, {"use_bias"}},
    {BITNET, "hidden_act", "\"gelu\"", UNSUPPORTED, {"hidden_act", "gelu"}},
    {LLAMA, "hidden_act", "\"gelu_new\"", UNSUPPORTED, {"hidden_act", "gelu_new"}},
    {BITNET, "hidden_act", "1", EITHER, {"hidden_act"}},
    {BITNET,
     "rope_scaling",
     "{\"rope_type\": \"yarn\", \"factor\": 4.0}",
     UNSUPPORTED,
     {"rope_scaling|rope_type", "yarn"}},
    {LLAMA,
     "rope_scaling",
     "{\"type\": \"dynamic\", \"factor\": 2.0}",
     UNSUPPORTED,
     {"rope_scaling", "dynamic"}},
    {LLAMA, "rope_scaling", "{\"type\": \"linear\"}", DAMAGED, {"rope_scaling", "factor"}},
    {LLAMA, "rope_scaling", "{\"rope_type\": \"linear\", \"factor\": 0}", EITHER, {"factor", "0"}},
    {LLAMA,
     "rope_scaling",
     "{\"rope_type\": \"linear\", \"factor\": -4}",
     EITHER,
     {"factor", "-4"}},
    {LLAMA, "rope_scaling", "{\"rope_type\": \"linear\", \"factor\": \"4\"}", EITHER, {"factor"}},
    {LLAMA, "rope_scaling", "5", EITHER, {"rope_scaling"}},
    {LLAMA, "rope_scaling", "{\"factor\": 4}", EITHER, {"rope_scaling.factor", "rope_type"}},
    /* sizes */
    {BITNET, "hidden_size", NULL, DAMAGED, {"hidden_size"}},
    {BITNET, "hidden_size", "\"128\"", DAMAGED, {"hidden_size"}},
    {BITNET, "hidden_size", "null", DAMAGED, {"hidden_size"}},
    {BITNET, "hidden_size", "0", DAMAGED, {"hidden_size", "0"}},
    {BITNET, "hidden_size", "-64", DAMAGED, {"hidden_size", "-64"}},
    {BITNET, "hidden_size", "128.5", DAMAGED, {"hidden_size"}},
    {BITNET, "hidden_size", "1e30", DAMAGED, {"hidden_size"}},
    {BITNET, "hidden_size", "9223372036854775807", DAMAGED, {"hidden_size"}},
    {BITNET, "hidden_size", "4294967424", DAMAGED, {"hidden_size"}}, /* 128 in 32 bits */
    {BITNET, "hidden_size", "256", DAMAGED, {"model.", "128", "256"}},
    {BITNET, "num_hidden_layers", NULL, DAMAGED, {"num_hidden_layers"}},
    {BITNET, "num_hidden_layers", "0", DAMAGED, {"num_hidden_layers"}},
    {BITNET, "num_hidden_layers", "1000000000", DAMAGED, {"num_hidden_layers"}},
    {BITNET, "num_hidden_layers", "3", DAMAGED, {"model.layers.2."}},
    {BITNET, "num_hidden_layers", "1", EITHER, {"model.layers.1."}},
    {BITNET, "intermediate_size", NULL, DAMAGED, {"intermediate_size"}},
    {BITNET, "intermediate_size", "512", DAMAGED, {"model.layers.0.mlp.", "256", "512"}},
    {BITNET, "num_attention_heads", NULL, DAMAGED, {"num_attention_heads"}},
    {BITNET, "num_attention_heads", "0", DAMAGED, {"num_attention_heads"}},
    {BITNET, "num_attention_heads", "4", DAMAGED, {"model.layers.0.self_attn."}},
    {BITNET, "num_key_value_heads", "3", DAMAGED, {"num_key_value_heads"}},
    {BITNET, "num_key_value_heads", "0", DAMAGED, {"num_key_value_heads"}},
    {BITNET,
     "num_key_value_heads",
     "2",
     DAMAGED,
     {"model.layers.0.self_attn.", "[16, 128]|[32, 128]|64|16"}},
    {BITNET, "head_dim", "0", DAMAGED, {"head_dim"}},
    {BITNET, "head_dim", "63", EITHER, {"head_dim|self_attn"}},
    {BITNET, "vocab_size", "300", DAMAGED, {"model.embed_tokens.weight", "288", "300"}},
    {BITNET, "max_position_embeddings", "0", DAMAGED, {"max_position_embeddings"}},
    {BITNET, "max_position_embeddings", "\"many\"", DAMAGED, {"max_position_embeddings"}},
    {BITNET, "rms_norm_eps", "-1e-5", EITHER, {"rms_norm_eps"}},
    {BITNET, "rms_norm_eps", "\"1e-5\"", EITHER, {"rms_norm_eps"}},
    {BITNET, "rope_theta", "-10000", EITHER, {"rope_theta", "-10000"}},
    {BITNET, "rope_theta", "0", EITHER, {"rope_theta", "0"}},
    {BITNET, "tie_word_embeddings", "false", DAMAGED, {"lm_head.weight"}},
    {BITNET, "tie_word_embeddings", "\"yes\"", EITHER, {"tie_word_embeddings"}},
};

static void spoilt_config(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        struct ck *c = new_checkpoint(configs[i].kind);
        char what[200];
        snprintf(what, sizeof what, "%s: %s", configs[i].key,
                 configs[i].json ? configs[i].json : "(none)");
        ck_set(c, configs[i].key, configs[i].json);
        refused(what, c, configs[i].statuses, configs[i].words);
        ck_free(c);
    }
    none_wrong();
}

/* A plain Llama: its linears are not ternary, and nothing asks to quantize them. */
static void rope_said_twice(void **state)
{
    static const char *const words[3] = {"rope_scaling", "rope_parameters"};
    struct ck *c = new_checkpoint(LLAMA);
    (void)state;

    ck_set(c, "rope_parameters", "{\"rope_type\": \"default\", \"rope_theta\": 500000}");
    ck_set(c, "rope_scaling", "{\"rope_type\": \"linear\", \"factor\": 4}");
    refused("rope_scaling beside rope_parameters", c, EITHER, words);
    ck_free(c);
    none_wrong();
}

static void plain_llama(void **state)
{
    static const char *const words[3] = {"quantization_config"};
    struct ck_spec s = ck_default;
    (void)state;

    s.family = CK_LLAMA;
    s.packed = false;
    struct ck *c = ck_new(&s);
    ck_set(c, "quantization_config.quant_method", NULL);
    ck_set(c, "quantization_config.modules_to_not_convert", NULL);
    ck_set(c, "quantization_config.linear_class", NULL);
    ck_set(c, "quantization_config.quantization_mode", NULL);
    refused("no quantization_config", c, UNSUPPORTED, words);
    ck_set(c, "quantization_config", "null");
    refused("quantization_config null", c, UNSUPPORTED, words);
    ck_set(c, "quantization_config", "[]");
    refused("quantization_config []", c, EITHER, words);
    ck_free(c);
    none_wrong();
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void files_that_are_missing(void **state)
{
    static const char *const names[] = {"config.json", "tokenizer.json",
                                        "model-00002-of-00002.safetensors",
                                        "model.safetensors.index.json"};
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *const words[3] = {i == 3 ? "model.safetensors" : names[i]};
        struct ck *c = new_checkpoint(BITNET);
        c->spec.n_shards = 2;
        ck_omit(c, names[i]);
        refused(names[i], c, DAMAGED, words);
        ck_free(c);
    }
    static const char *const words[3] = {"model.safetensors"};
    struct ck *c = new_checkpoint(BITNET);
    ck_omit(c, "model.safetensors");
    refused("no weights", c, DAMAGED, words);
    ck_put_file(c, "consolidated.00.pth", "PK");
    refused("weights of another kind", c, UNSUPPORTED, (const char *[3]){"consolidated.00.pth"});
    ck_free(c);
    none_wrong();
}

static void files_that_are_damaged(void **state)
{
    static const struct {
        const char *name, *text;
    } files[] = {
        {"config.json", ""},
        {"config.json", "{"},
        {"config.json", "[]"},
        {"config.json", "\"BitNetForCausalLM\""},
        {"config.json", "{\"architectures\": [\"BitNetForCausalLM\"],}"},
        {"tokenizer.json", ""},
        {"tokenizer.json", "{}"},
        {"tokenizer.json", "[1, 2"},
        {"tokenizer_config.json", "{"},
        {"model.safetensors", ""},
        {"model.safetensors", "1234567"},
        {"model.safetensors", "\xff\xff\xff\xff\xff\xff\xff\xff{}"},
        {"model.safetensors", "        {}"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *const words[3] = {files[i].name};
        struct ck *c = new_checkpoint(BITNET);
        char what[200];
        snprintf(what, sizeof what, "%s: '%s'", files[i].name, files[i].text);
        ck_put_file(c, files[i].name, files[i].text);
        refused(what, c, EITHER, words);
        ck_free(c);
    }
    none_wrong();
}

/* The index names a shard for a tensor that the shard lacks. */
static void index_that_errs(void **state)
{
    static const char *const words[3] = {"model.safetensors.index.json",
                                         "model-00001-of-00002.safetensors"};
    struct ck *c = new_checkpoint(BITNET);
    (void)state;

    c->spec.n_shards = 2;
    ck_put_file(c, "model.safetensors.index.json",
                "{\"weight_map\": {\"model.norm.weight\": \"model-00001-of-00002.safetensors\"}}");
    refused("an index that errs", c, DAMAGED, words);
    ck_put_file(c, "model.safetensors.index.json",
                "{\"weight_map\": {\"model.norm.weight\": \"../../secret.safetensors\"}}");
    refused("an index that leaves the folder", c, EITHER,
            (const char *[3]){"model.safetensors.index.json|secret.safetensors"});
    ck_free(c);
    none_wrong();
}

static void more_tokens_than_rows(void **state)
{
    static const char *const words[3] = {"288", "rows"};
    (void)state;

    for (int family = CK_BITNET; family <= CK_1BITLLM; family += 2) {
        struct ck_spec s = ck_default;
        s.family = (enum ck_family)family;
        s.packed = family == CK_BITNET;
        s.n_tokens = 300;
        struct ck *c = ck_new(&s);
        refused("300 tokens in 288 rows", c, DAMAGED, words);
        ck_free(c);
    }
    none_wrong();
}

/* ---- Tensors, each of them ------------------------------------------------------------------- */

/* Calls fn for a fresh checkpoint and each of its tensors, with its name. */
static void each_tensor(void (*fn)(struct ck *c, struct ck_tensor *t, const char *name))
{
    for (int kind = 0; kind < N_KINDS; kind++) {
        int n = 1;
        for (int i = 0; i < n; i++) {
            struct ck *c = new_checkpoint((enum kind)kind);
            char name[128];
            n = c->n_tensors;
            strcpy(name, c->tensors[i].name);
            fn(c, &c->tensors[i], name);
            ck_free(c);
        }
    }
}

static void drop(struct ck *c, struct ck_tensor *t, const char *name)
{
    const char *const words[3] = {name};
    (void)t;
    ck_drop(c, name);
    refused("a tensor less", c, DAMAGED, words);
}

static void missing_tensors(void **state)
{
    (void)state;
    each_tensor(drop);
    none_wrong();
}

/* One row too many, or one value. */
static void enlarge(struct ck *c, struct ck_tensor *t, const char *name)
{
    char was[48], is[24];
    const char *const words[3] = {name, was, is};
    const size_t n_bytes = t->n_bytes / t->dims[0] * (t->dims[0] + 1);

    t->data = realloc(t->data, n_bytes);
    assert_non_null(t->data);
    memset(t->data + t->n_bytes, 0, n_bytes - t->n_bytes);
    t->n_bytes = n_bytes;
    snprintf(was, sizeof was, "%llu|%llu", (unsigned long long)t->dims[0],
             (unsigned long long)t->dims[0] * 4); /* of a packed tensor: in bytes or in weights */
    snprintf(is, sizeof is, "%llu", (unsigned long long)++t->dims[0]);
    refused("a row more", c, DAMAGED, words);
}

/* The same bytes in another shape. */
static void flatten(struct ck *c, struct ck_tensor *t, const char *name)
{
    const char *const words[3] = {name};
    if (t->n_dims == 1) {
        t->n_dims = 2;
        t->dims[1] = t->dims[0] / 2;
        t->dims[0] = 2;
        if (!t->dims[1]) /* a scale */
            return;
    } else {
        const uint64_t rows = t->dims[0];
        t->dims[0] = t->dims[1];
        t->dims[1] = rows;
        if (t->dims[0] == rows) /* square */
            return;
    }
    refused("another shape", c, DAMAGED, words);
}

static void shapes(void **state)
{
    (void)state;
    each_tensor(enlarge);
    each_tensor(flatten);
    none_wrong();
}

/* Integers of the same size. */
static void retype(struct ck *c, struct ck_tensor *t, const char *name)
{
    const char *const words[3] = {name, t->dtype};
    strcpy(t->dtype, strcmp(t->dtype, "U8") ? "I16" : "I8");
    refused("another dtype", c, EITHER, words);
}

static void dtypes(void **state)
{
    (void)state;
    each_tensor(retype);
    none_wrong();
}

static void poison(struct ck *c, struct ck_tensor *t, const char *name)
{
    static const double values[] = {(double)NAN, (double)INFINITY, (double)-INFINITY};
    const char *const words[3] = {name};
    const size_t n = t->n_bytes / 2; /* none of them is F32 */

    if (strcmp(t->dtype, "U8") == 0)
        return;
    for (size_t i = 0; i < 3; i++) {
        const size_t at = i * (n - 1) / 2; /* the first, one between, the last */
        const double was = ck_value(t, at);
        ck_set_value(t, at, values[i]);
        refused("a value that is not finite", c, DAMAGED, words);
        ck_set_value(t, at, was);
    }
}

static void values_that_are_not_finite(void **state)
{
    (void)state;
    each_tensor(poison);
    none_wrong();
}

static void add_code_3(struct ck *c, struct ck_tensor *t, const char *name)
{
    const char *const words[3] = {name};

    if (strcmp(t->dtype, "U8") != 0)
        return;
    const int n_rows = (int)t->dims[0] * 4, n_cols = (int)t->dims[1];
    for (int i = 0; i < 4; i++) {
        const int row = i * (n_rows - 1) / 3, col = i % 2 ? n_cols - 1 : 0;
        const int was = ck_code(t, n_rows, row, col);
        ck_set_code(t, n_rows, row, col, 2);
        refused("code 3", c, DAMAGED, words);
        ck_set_code(t, n_rows, row, col, was);
    }
}

static void codes(void **state)
{
    (void)state;
    each_tensor(add_code_3);
    none_wrong();
}

static void spoil_scale(struct ck *c, struct ck_tensor *t, const char *name)
{
    static const double values[] = {0, -0.0, -1, -1e-30, (double)NAN, (double)INFINITY};
    const char *const words[3] = {name};
    (void)c;

    if (!strstr(name, ".weight_scale"))
        return;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        ck_set_value(t, 0, values[i]);
        refused("a scale that is not positive", c, DAMAGED, words);
    }
    if (!c->spec.autobit) { /* its reciprocal is not a finite float */
        ck_set_value(t, 0, 1e-39);
        refused("a scale that is too small to divide by", c, DAMAGED, words);
    }
}

static void scales(void **state)
{
    (void)state;
    each_tensor(spoil_scale);
    none_wrong();
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static void unknown_tensors(void **state)
{
    static const char *const names[] = {
        "model.layers.0.self_attn.q_norm.weight", "model.layers.2.input_layernorm.weight",
        "model.layers.0.self_attn.q_proj.bias",   "lm_head.bias",
        "model.layers.00.input_layernorm.weight", "model.layers.0.input_layernorm.weight.extra",
        "model.layers.-1.mlp.up_proj.weight",     "layers.0.input_layernorm.weight",
        "model.layers..input_layernorm.weight",   "model.layers.99999999999.mlp.up_proj.weight",
    };
    static const uint64_t dims[] = {128, 0};
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *const words[3] = {names[i]};
        struct ck *c = new_checkpoint(i % 2 ? LLAMA : BITNET);
        ck_add(c, names[i], "BF16", dims);
        refused("a tensor more", c, EITHER, words);
        ck_free(c);
    }
    none_wrong();
}

/* A tied model ignores its head, but the head must be valid. */
static void heads_left_out(void **state)
{
    static const uint64_t rows[] = {289, 128, 0}, cols[] = {288, 64, 0}, sound[] = {288, 128, 0};
    static const struct {
        const uint64_t *dims;
        const char *dtype;
        unsigned statuses;
        const char *word;
    } cases[] = {{rows, "BF16", DAMAGED, "[288, 128]"},
                 {cols, "F32", DAMAGED, "[288, 128]"},
                 {sound, "U8", UNSUPPORTED, "U8"}};
    static const char ignore[] = "lm_head.weight = ignore\n";
    const struct trit_convert_options opt = {.map = fx_write("names.txt", ignore, strlen(ignore))};
    struct trit_error err;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck *c = new_checkpoint(BITNET);
        ck_add(c, "lm_head.weight", cases[i].dtype, cases[i].dims);
        const char *dir = ck_write(c, "head");
        refused_folder("a head of a tied model", dir, NULL, cases[i].statuses,
                       (const char *[3]){"lm_head.weight", cases[i].word});
        if (trit_convert(dir, &opt, discard, NULL, NULL, &err))
            wrong("a head that is to be left out", "is refused: ", err.text);
        ck_free(c);
    }
    struct ck *c = new_checkpoint(BITNET);
    ck_add(c, "lm_head.weight", "F32", sound);
    if (trit_convert(ck_write(c, "head"), NULL, discard, NULL, NULL, &err))
        wrong("a head of a tied model", "is refused: ", err.text);
    ck_free(c);
    none_wrong();
}

/* An embedding that f16 cannot hold is refused, but accepted if the type can hold it. */
static void values_beyond_a_type(void **state)
{
    static const char *const words[3] = {"model.embed_tokens.weight"};
    const struct trit_convert_options bf16 = {.embd = "bf16"};
    struct ck *c = new_checkpoint(BITNET);
    struct trit_error err;
    (void)state;

    ck_set_value(ck_tensor(c, "model.embed_tokens.weight"), 1000, 1e5);
    const char *dir = ck_write(c, "beyond");
    refused_folder("a value beyond f16", dir, NULL, EITHER, words);
    if (trit_convert(dir, &bf16, discard, NULL, NULL, &err))
        wrong("a value that bf16 holds", "is refused: ", err.text);
    ck_free(c);
    none_wrong();
}

/* Block types search for their scales; an overflow on the way must not give zeros. */
static void values_beyond_blocks(void **state)
{
    static const char *const types[] = {"f16", "q8_0", "q6_k", "q4_k", "q4_0"};
    static const double values[] = {1e9, 1e13, 1e20, 1e22, 1e30, 3e38};
    struct ck *sound = ck_new(&ck_default);
    (void)state;

    for (size_t v = 0; v < sizeof values / sizeof *values; v++)
        for (size_t n = 1; n <= 256; n += 255) { /* one weight of a block, and all of them */
            struct ck *c = ck_copy(sound);
            for (size_t i = 0; i < n; i++)
                ck_set_value(ck_tensor(c, "model.embed_tokens.weight"), 256 + i,
                             values[v] * (i % 3 ? -0.37 : 1));
            const char *dir = ck_write(c, "beyond");
            for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
                const struct trit_convert_options opt = {.embd = types[i]};
                char what[64];
                snprintf(what, sizeof what, "%zu of %g as %s", n, values[v], types[i]);
                refused_folder(what, dir, &opt, DAMAGED,
                               (const char *[3]){"model.embed_tokens.weight", "the range of type"});
            }
            ck_free(c);
        }
    ck_free(sound);
    none_wrong();
}

/* ---- Options --------------------------------------------------------------------------------- */

static void unknown_types(void **state)
{
    static const struct {
        const char *type, *embd;
    } cases[] = {{"q2_k", NULL}, {"I2_S ", NULL}, {"", NULL},     {NULL, "i2_s"},
                 {NULL, "f64"},  {NULL, ""},      {"q8_0", NULL}, {NULL, "tq1_0"}};
    struct ck *c = new_checkpoint(BITNET);
    const char *dir = ck_write(c, "options");
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct trit_convert_options opt = {.type = cases[i].type, .embd = cases[i].embd};
        const char *const words[3] = {cases[i].type ? cases[i].type : cases[i].embd};
        refused_folder("a type", dir, &opt, ARGUMENT, words);
    }
    ck_free(c);
    none_wrong();
}

/* Rows of 128 are not blocks of 256. */
static void types_that_do_not_fit(void **state)
{
    struct ck *c = new_checkpoint(BITNET);
    const char *dir = ck_write(c, "options");
    const struct trit_convert_options tq1 = {.type = "tq1_0"}, tq2 = {.type = "tq2_0"};
    const struct trit_convert_options q6 = {.embd = "q6_k"};
    (void)state;

    refused_folder("tq1_0", dir, &tq1, UNSUPPORTED,
                   (const char *[3]){"model.layers.0|blk.0.", "TQ1_0|tq1_0", "256"});
    refused_folder("tq2_0", dir, &tq2, UNSUPPORTED,
                   (const char *[3]){"model.layers.0|blk.0.", "TQ2_0|tq2_0", "256"});
    refused_folder("q6_k", dir, &q6, UNSUPPORTED,
                   (const char *[3]){"model.embed_tokens|token_embd", "Q6_K|q6_k", "256"});
    ck_free(c);
    none_wrong();
}

/* I2_S cannot end with a part of a block, and its rows cannot end inside a byte. */
static void weights_that_are_no_blocks(void **state)
{
    struct ck_spec s = ck_default;
    (void)state;

    s.family = CK_1BITLLM;
    s.packed = false;
    s.hidden = 200;
    s.heads = s.kv_heads = 2;
    s.head_dim = 100;
    s.ffn = 256;
    struct ck *c = ck_new(&s);
    refused("40000 weights", c, UNSUPPORTED,
            (const char *[3]){"model.layers.0|blk.0.", "I2_S|i2_s", "128"});
    ck_free(c);
    s = ck_default;
    s.ffn = 345;
    c = ck_new(&s);
    refused("rows of 345", c, UNSUPPORTED,
            (const char *[3]){"model.layers.0.mlp.down_proj|blk.0.ffn_down", "I2_S|i2_s"});
    ck_free(c);
    none_wrong();
}

static void folders(void **state)
{
    static const char *const nowhere[3] = {"no-such-folder"};
    const char *file = fx_write("a-file", "x", 1);
    (void)state;

    refused_folder("no folder", "no-such-folder", NULL, DAMAGED, nowhere);
    refused_folder("a file", file, NULL, ARGUMENT | DAMAGED, (const char *[3]){"a-file"});
    refused_folder("nothing", "", NULL, ARGUMENT | DAMAGED, (const char *[3]){NULL});
    none_wrong();
}

/* ---- Files of names -------------------------------------------------------------------------- */

static void bad_names(void **state)
{
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"extra\n", "names.txt"},
        {"extra =\n", "names.txt"},
        {"= ignore\n", "names.txt"},
        {"extra = blk.{}.nonsense.weight\n", "blk.{}.nonsense.weight"},
        {"extra = blk.0.nonsense.weight\n", "blk.0.nonsense.weight"},
        {"extra = blk.7.attn_norm.weight\n", "blk.7.attn_norm.weight"},
        {"extra = nonsense\n", "nonsense"},
        {"extra = blk.{}.attn_norm.weight\n", "{}"},
        {"extra.{} = output_norm.weight\n", "{}"},
        {"extra.{}.{} = blk.{}.attn_norm.weight\n", "{}"},
        {"extra.{} = blk.{}.attn_norm.scale\n", "blk.{}.attn_norm.scale"},
        {"extra = output_norm.weight = ignore\n", "names.txt"},
        {"extra = ignore\nextra = output_norm.weight\n", "extra"},
    };
    static const uint64_t dims[] = {128, 0};
    struct ck *c = new_checkpoint(BITNET);
    (void)state;

    ck_add(c, "extra", "BF16", dims);
    const char *dir = ck_write(c, "names");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = fx_write("names.txt", cases[i].text, strlen(cases[i].text));
        const struct trit_convert_options opt = {.map = path};
        const char *const words[3] = {"names.txt", cases[i].word};
        refused_folder(cases[i].text, dir, &opt, ARGUMENT | EITHER, words);
    }
    const struct trit_convert_options nowhere = {.map = "no-such-names.txt"};
    refused_folder("no file of names", dir, &nowhere, ARGUMENT | DAMAGED,
                   (const char *[3]){"no-such-names.txt"});
    ck_free(c);
    none_wrong();
}

/* Two tensors mapped to the same one, and a needed tensor that is ignored. */
static void names_that_collide(void **state)
{
    static const uint64_t dims[] = {128, 0};
    struct ck *c = new_checkpoint(BITNET);
    struct trit_convert_options opt = {.map = NULL};
    (void)state;

    ck_add(c, "extra", "BF16", dims);
    const char *dir = ck_write(c, "names");
    static const char twice[] = "extra = output_norm.weight\n";
    opt.map = fx_write("names.txt", twice, strlen(twice));
    refused_folder("two for one", dir, &opt, ARGUMENT | EITHER,
                   (const char *[3]){"extra|model.norm.weight|output_norm.weight"});
    static const char none[] = "extra = ignore\nmodel.norm.weight = ignore\n";
    opt.map = fx_write("names.txt", none, strlen(none));
    refused_folder("one that is needed", dir, &opt, ARGUMENT | EITHER,
                   (const char *[3]){"model.norm.weight|output_norm.weight"});
    ck_free(c);
    none_wrong();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(unspoilt),
    cmocka_unit_test(spoilt_config),
    cmocka_unit_test(rope_said_twice),
    cmocka_unit_test(plain_llama),
    cmocka_unit_test(files_that_are_missing),
    cmocka_unit_test(files_that_are_damaged),
    cmocka_unit_test(index_that_errs),
    cmocka_unit_test(more_tokens_than_rows),
    cmocka_unit_test(missing_tensors),
    cmocka_unit_test(shapes),
    cmocka_unit_test(dtypes),
    cmocka_unit_test(values_that_are_not_finite),
    cmocka_unit_test(codes),
    cmocka_unit_test(scales),
    cmocka_unit_test(unknown_tensors),
    cmocka_unit_test(heads_left_out),
    cmocka_unit_test(values_beyond_a_type),
    cmocka_unit_test(values_beyond_blocks),
    cmocka_unit_test(unknown_types),
    cmocka_unit_test(types_that_do_not_fit),
    cmocka_unit_test(weights_that_are_no_blocks),
    cmocka_unit_test(folders),
    cmocka_unit_test(bad_names),
    cmocka_unit_test(names_that_collide),
};

const struct suite suite = {SUITE_TESTS(tests)};
