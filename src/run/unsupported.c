/* unsupported.c - see unsupported.h. */
#include "unsupported.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "str.h"

/* What a key must be for the computation to be right without it. */
enum neutral {
    ZERO,       /* 0 or false, or an empty array */
    ONE,        /* 1; and 0, which converters write for "none" */
    SAME_BASE,  /* rope.freq_base */
    SAME_WIDTH, /* rope.dimension_count */
    HEAD_SCALE, /* 1/sqrt(the width of a head), or 0 */
    WORD_MODEL, /* "model" */
    NEVER       /* nothing */
};

static const struct {
    const char *key; /* ARCH. is put before it if it begins with a dot; a last * is a prefix */
    enum neutral neutral;
    const char *what;
} keys[] = {
    {".rope.scaling.attn_factor", ONE, "scales attention"},
    {".rope.scaling.alpha", ONE, "changes the base of RoPE"},
    {".rope.freq_base_swa", SAME_BASE, "gives some layers another base of RoPE"},
    {".rope.dimension_count_swa", SAME_WIDTH, "gives some layers another width of RoPE"},
    {".rope.partial_rotary_factor", ONE, "rotates a part of each head"},
    {".attention.clamp_kqv", ZERO, "clamps q, k and v"},
    {".attention.clip_kqv", ZERO, "clamps q, k and v"},
    {".attention.max_alibi_bias", ZERO, "adds ALiBi to attention"},
    {".attention.scale", HEAD_SCALE, "scales attention"},
    {".attention.temperature_scale", ZERO, "scales attention by position"},
    {".attention.temperature_length", ZERO, "scales attention by position"},
    {".attn_logit_softcapping", ZERO, "caps the scores of attention"},
    {".router_logit_softcapping", ZERO, "caps the scores of experts"},
    {".final_logit_softcapping", ZERO, "caps the logits"},
    {".logit_scale", ONE, "scales the logits"},
    {".embedding_scale", ONE, "scales the embedding"},
    {".residual_scale", ONE, "scales what a block adds"},
    {".attention.output_scale", ONE, "scales what attention adds"},
    {".attention.value_scale", ONE, "scales the values of attention"},
    {".use_parallel_residual", ZERO, "computes attention and feed-forward side by side"},
    {".expert_*", ZERO, "is of a mixture of experts"},
    {".ssm.*", ZERO, "is of a state-space layer"},
    {".rope.scaling.yarn_*", ZERO, "is of YaRN"},
    {".rope.dimension_sections", ZERO, "divides RoPE into sections"},
    {".attention.q_lora_rank", ZERO, "compresses q"},
    {".attention.kv_lora_rank", ZERO, "compresses k and v"},
    {".activation_sparsity_scale", ZERO, "makes activations sparse"},
    {".embedding_length_per_layer_input", ZERO, "gives each layer an embedding"},
    {".nextn_predict_layers", ZERO, "adds layers that predict several tokens"},
    {".attention.shared_kv_layers", ZERO, "shares keys and values between layers"},
    {".swiglu_clamp_exp", ZERO, "clamps the feed-forward activation"},
    {".swiglu_limit", ZERO, "clamps the feed-forward activation"},
    {".pooling_type", ZERO, "makes it a model of embeddings"},
    {"prism.*", NEVER, "changes the activations"},
    {"general.type", WORD_MODEL, "is not a model by itself"},
    {"tokenizer.ggml.add_eos_token", ZERO, "adds an end token to each prompt"},
    {"tokenizer.ggml.precompiled_charsmap", NEVER, "changes texts before they are split"},
    {"tokenizer.ggml.remove_extra_whitespaces", ZERO, "changes texts before they are split"},
    {"tokenizer.ggml.suppress_tokens", NEVER, "forbids tokens"},
};

enum { N_KEYS = sizeof keys / sizeof *keys };

/* The number of a value; *is_number: whether it is one. */
static double number_of(struct trit_value v, bool *is_number)
{
    *is_number = v.type != TRIT_VALUE_STRING && v.type != TRIT_VALUE_ARRAY;
    switch (v.type) {
    case TRIT_VALUE_F32:
    case TRIT_VALUE_F64:
        return v.f;
    case TRIT_VALUE_I8:
    case TRIT_VALUE_I16:
    case TRIT_VALUE_I32:
    case TRIT_VALUE_I64:
        return (double)v.i;
    default:
        return (double)v.u;
    }
}

static bool near(double x, double y)
{
    return fabs(x - y) <= 1e-5 * fabs(y);
}

static bool is_neutral(struct trit_value v, enum neutral neutral, const struct trit_knobs *k)
{
    bool is_number;
    const double x = number_of(v, &is_number);

    if (neutral == WORD_MODEL)
        return v.type == TRIT_VALUE_STRING && trit_string_is(v.s, "model");
    if (!is_number)
        return false;
    switch (neutral) {
    case ZERO:
        return x == 0;
    case ONE:
        return x == 0 || x == 1;
    case SAME_BASE:
        return x == 0 || near(x, k->rope_base);
    case SAME_WIDTH:
        return x == 0 || x == k->n_rot;
    case HEAD_SCALE:
        return x == 0 || near(x, 1 / sqrt((double)k->head_dim));
    default:
        return false;
    }
}

static trit_status refuse(const trit_file *file, const struct gguf_kv *kv, struct trit_value v,
                          size_t row, struct trit_error *err)
{
    char value[128] = "a list";
    bool is_number;
    const double x = number_of(v, &is_number);

    if (kv->type == TRIT_VALUE_STRING)
        snprintf(value, sizeof value, "'%s'", trit_quote(v.s).text);
    else if (kv->type != TRIT_VALUE_ARRAY && v.type == TRIT_VALUE_BOOL)
        snprintf(value, sizeof value, "%s", x != 0 ? "true" : "false");
    else if (kv->type != TRIT_VALUE_ARRAY)
        snprintf(value, sizeof value, "%.9g", x);
    return trit_fail(err, TRIT_E_UNSUPPORTED,
                     "%s: metadata '%s' is %s; it %s, which is not supported", file->path,
                     trit_quote(kv->key).text, value, keys[row].what);
}

static bool matches(struct trit_string key, const char *arch, const char *pattern)
{
    const size_t n = strlen(pattern), n_arch = *pattern == '.' ? strlen(arch) : 0;

    const size_t part = pattern[n - 1] == '*' ? n - 1 : n;

    if (part == n ? key.len != n_arch + n : key.len < n_arch + part)
        return false;
    return memcmp(key.bytes, arch, n_arch) == 0 && memcmp(key.bytes + n_arch, pattern, part) == 0;
}

static trit_status check(const trit_file *file, const struct gguf_kv *kv, size_t row,
                         const struct trit_knobs *knobs, struct trit_error *err)
{
    const uint8_t *p = kv->items;

    for (uint64_t i = 0; i < kv->n_items; i++) {
        const struct trit_value v = trit_gguf_next_value(kv->item_type, &p);
        if (!is_neutral(v, keys[row].neutral, knobs))
            return refuse(file, kv, v, row, err);
    }
    return TRIT_OK;
}

trit_status trit_check_unsupported(const trit_file *file, const char *arch,
                                   const struct trit_knobs *knobs, struct trit_error *err)
{
    trit_status status = TRIT_OK;

    for (size_t i = 0; i < file->n_kv && !status; i++)
        for (size_t row = 0; row < N_KEYS && !status; row++)
            if (matches(file->kv[i].key, arch, keys[row].key))
                status = check(file, &file->kv[i], row, knobs, err);
    return status;
}
