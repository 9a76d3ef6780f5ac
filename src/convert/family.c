/* family.c - see family.h. */
#include "family.h"

#include <string.h>

#include "str.h"

/* ---- Names ----------------------------------------------------------------------------------- */

/* The names in transformers, after the prefix of the model. */
static const struct trit_rule transformers[] = {
    {"token_embd", "embed_tokens"},
    {"position_embd", "embed_positions"},
    {"output_norm", "norm"},
    {"output", "lm_head"},
    {"attn_norm", "input_layernorm"},
    /* these two are from bitskip's public code */
    {"attn_norm_post", "self_attn_norm.norm"},
    {"ffn_norm_post", "feed_forward_norm.norm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
    {0},
};

static const struct trit_rule none[] = {{0}};
static const struct trit_rule of_2b4t[] = {
    {"attn_sub_norm", "self_attn.attn_sub_norm"},
    {"ffn_sub_norm", "mlp.ffn_sub_norm"},
    {0},
};
static const struct trit_rule of_1bitllm[] = {
    {"attn_sub_norm", "self_attn.inner_attn_ln"},
    {"ffn_sub_norm", "mlp.ffn_layernorm"},
    {0},
};
static const struct trit_rule of_8bit[] = {
    {"output_norm", "layer_norm"},
    {"ffn_gate", "feed_forward.gate_proj"},
    {"ffn_up", "feed_forward.up_proj"},
    {"ffn_down", "feed_forward.down_proj"},
    {0},
};

static const char *const rms_norm[] = {"rms_norm", NULL};
static const char *const any_norm[] = {"norm", "layer_norm", "layernorm", "ln", NULL};

/* Buffers that follow from rope_theta. */
static const char *const frequencies[] = {".rotary_emb.inv_freq", NULL};

/* Buffers that the forward pass of bitskip's code does not read. */
static const char *const unread[] = {"routing_module.", "early_exit_curriculum",
                                     "layer_skipping.", ".weight_scale",
                                     "cos_cached",      "sin_cached",
                                     "inv_freq",        NULL};

/* bitskip's code compares w with a/2, and a is at least 1e-6. */
static const struct trit_absmean of_bitskip = {.least = 1e-6f, .halves = true};

/* ---- The table ------------------------------------------------------------------------------- */

#define BITSKIP                                                                                    \
    .arch = "bitskip", .rules = none, .input_norms = any_norm, .ignored = unread,                  \
    .absmean = &of_bitskip, .all_masters = true

static const struct trit_family families[] = {
    {.architecture = "BitNetForCausalLM",
     .model_type = "bitnet",
     .rope_theta = 500000, /* of transformers' BitNetConfig */
     .arch = "bitnet-b1.58",
     .what = "BitNet b1.58 of the 2B-4T kind",
     .rules = of_2b4t,
     .ignored = frequencies,
     .input_norms = rms_norm,
     .absmean = &trit_absmean_b158},
    {.architecture = "BitnetForCausalLM",
     .arch = "bitnet",
     .what = "BitNet b1.58 of the 1bitLLM kind",
     .rules = of_1bitllm,
     .ignored = frequencies,
     .input_norms = rms_norm,
     .absmean = &trit_absmean_b158},
    {.architecture = "LlamaForCausalLM",
     .model_type = "llama",
     .arch = "llama",
     .what = "Llama with bitnet linears",
     .quantization_config = true,
     .rules = none,
     .ignored = frequencies,
     .input_norms = rms_norm,
     .absmean = &trit_absmean_b158},
    {.architecture = "MistralForCausalLM",
     .model_type = "mistral",
     .arch = "llama",
     .what = "Mistral with bitnet linears",
     .quantization_config = true,
     .rules = none,
     .ignored = frequencies,
     .input_norms = rms_norm,
     .absmean = &trit_absmean_b158},
    {.architecture = "Qwen2ForCausalLM",
     .model_type = "qwen2",
     .arch = "qwen2",
     .what = "Qwen2 with bitnet linears",
     .quantization_config = true,
     .qkv_bias = true,
     .rules = none,
     .ignored = frequencies,
     .input_norms = rms_norm,
     .absmean = &trit_absmean_b158},
    {.architecture = "Qwen3ForCausalLM",
     .model_type = "qwen3",
     .arch = "qwen3",
     .what = "Qwen3 with bitnet linears",
     .quantization_config = true,
     .rules = none,
     .ignored = frequencies,
     .input_norms = rms_norm,
     .absmean = &trit_absmean_b158},
    {.architecture = "BitSkipV1WithEarlyExit",
     .model_type = "bitskip_v1_earlyexit",
     .what = "bitskip v1",
     BITSKIP},
    {.architecture = "BitSkipV2WithEarlyExit",
     .model_type = "bitskip_v2_earlyexit",
     .what = "bitskip v2",
     .presets = TRIT_V2_KNOBS,
     BITSKIP},
    {.architecture = "BitSkipV3WithEarlyExit",
     .model_type = "bitskip_v3_earlyexit",
     .what = "bitskip v3",
     .presets = TRIT_V3_KNOBS,
     BITSKIP},
    {.marker = "embed_positions.weight",
     .arch = "bitnet-8bit",
     .what = "bitnet-8bit",
     .rules = of_8bit,
     .input_norms = any_norm,
     .ignored = unread,
     .absmean = &of_bitskip,
     .all_masters = true},
};
enum { N_FAMILIES = sizeof families / sizeof *families };

const struct trit_family *trit_family_at(size_t i)
{
    return i < N_FAMILIES ? &families[i] : NULL;
}

/* ---- Recognizing one ------------------------------------------------------------------------- */

static bool has_marker(const struct trit_weights *weights, const struct trit_family *f)
{
    for (size_t i = 0; f->marker && i < weights->n; i++)
        if (trit_string_ends(weights->tensors[i].name, f->marker))
            return true;
    return false;
}

/* Whether config.json names the family: by its class, or by model_type if there is no class or only
 * that of the model without its head. bitskip's model_type is its own. */
static bool is_named(const struct trit_family *f, const struct trit_json_value *classes,
                     struct trit_string type)
{
    const struct trit_string name = trit_json_text(trit_json_item(classes, 0));
    const bool absent = !classes || trit_json_type_of(classes) == TRIT_JSON_NULL,
               by_type = absent || trit_string_ends(name, "Model") || f->all_masters;

    return (f->architecture && trit_string_is(name, f->architecture)) ||
           (by_type && f->model_type && trit_string_is(type, f->model_type));
}

const struct trit_family *trit_family_find(const struct trit_json_value *config,
                                           const struct trit_weights *weights, const char *arch)
{
    const struct trit_json_value *classes = trit_json_member(config, "architectures");
    const struct trit_string type = trit_json_text(trit_json_member(config, "model_type"));
    const struct trit_family *found = NULL;

    for (size_t i = 0; i < N_FAMILIES; i++) {
        const struct trit_family *f = &families[i];
        if (arch && strcmp(arch, f->arch) != 0)
            continue;
        if (has_marker(weights, f))
            return f;
        if (is_named(f, classes, type) || (arch && !found))
            found = f;
    }
    return found;
}

/* ---- Names of tensors ------------------------------------------------------------------------ */

static const char *find_rule(const struct trit_rule *rules, const char *slot)
{
    for (; rules->slot; rules++)
        if (strcmp(rules->slot, slot) == 0)
            return rules->source;
    return NULL;
}

const char *trit_family_source(const struct trit_family *family, const char *slot)
{
    const char *own = find_rule(family->rules, slot);
    const char *usual = own ? own : find_rule(transformers, slot);
    return usual ? usual : slot;
}

bool trit_family_ignores(const struct trit_family *family, struct trit_string name)
{
    for (size_t i = 0; family->ignored && family->ignored[i]; i++)
        if (trit_string_has(name, trit_string_of(family->ignored[i])))
            return true;
    return false;
}
