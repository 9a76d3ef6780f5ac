/* config.c - see config.h. Keys are transformers'. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "order.h"

static const struct trit_family families[] = {
    {"BitNetForCausalLM", "bitnet-b1.58", "BitNet b1.58 as of 2B-4T", .sub_norms = true,
     .attn_sub = "self_attn.attn_sub_norm", .ffn_sub = "mlp.ffn_sub_norm"},
    {"BitnetForCausalLM", "bitnet", "BitNet b1.58 as of 1bitLLM", .sub_norms = true,
     .attn_sub = "self_attn.inner_attn_ln", .ffn_sub = "mlp.ffn_layernorm"},
    {"LlamaForCausalLM", "llama", "Llama with bitnet linears", .quantization_config = true,
     .rope_pairs = true},
};
enum { N_FAMILIES = sizeof families / sizeof *families };

/* ---- Reading keys ---------------------------------------------------------------------------- */

/* The first failure stops everything after it. Keys may lead into objects: "a.b". */
struct reader {
    const char *path;
    const struct trit_json_value *root;
    struct trit_notes *notes;
    struct trit_error *err;
    trit_status status;
};

static void fail(struct reader *r, trit_status code, const char *key, const char *what)
{
    if (!r->status)
        r->status = trit_fail(r->err, code, "%s: '%s' %s", r->path, key, what);
}

/* The value of a key, or NULL; null counts as not there. */
static const struct trit_json_value *find(const struct reader *r, const char *key)
{
    const struct trit_json_value *v = r->root;
    char part[64];

    while (v && *key) {
        const size_t len = strcspn(key, ".");
        snprintf(part, sizeof part, "%.*s", (int)len, key);
        v = trit_json_member(v, part);
        key += len + (key[len] == '.');
    }
    return trit_json_type_of(v) == TRIT_JSON_NULL ? NULL : v;
}

/* A whole number in lo..hi; `missing` if the key is absent, or a failure where that is negative. */
static int32_t read_int(struct reader *r, const char *key, int32_t lo, int32_t hi, int32_t missing)
{
    const struct trit_json_value *v = find(r, key);
    char what[96];
    int64_t x = 0;

    if (!v && missing < 0)
        fail(r, TRIT_E_FILE, key, "is missing");
    if (!v)
        return missing < 0 ? lo : missing;
    if (!trit_json_int64(v, &x)) {
        fail(r, TRIT_E_FILE, key, "is no whole number");
    } else if (x < lo || x > hi) {
        snprintf(what, sizeof what, "is %lld; possible is %d to %d", (long long)x, lo, hi);
        fail(r, TRIT_E_FILE, key, what);
    }
    return r->status ? lo : (int32_t)x;
}

/* A number in lo..hi; `missing` if the key is absent, or a failure where that is NaN. */
static double read_real(struct reader *r, const char *key, double lo, double hi, double missing)
{
    const struct trit_json_value *v = find(r, key);
    const double x = v ? trit_json_double(v) : missing;
    char what[96];

    if (isnan(x)) {
        fail(r, TRIT_E_FILE, key, v ? "is no number" : "is missing");
    } else if (!(x >= lo && x <= hi)) {
        snprintf(what, sizeof what, "is %g; possible is %g to %g", x, lo, hi);
        fail(r, TRIT_E_FILE, key, what);
    }
    return r->status ? lo : x;
}

/* A text; empty if the key is absent. */
static struct trit_string read_text(struct reader *r, const char *key)
{
    const struct trit_json_value *v = find(r, key);

    if (v && trit_json_type_of(v) != TRIT_JSON_STRING)
        fail(r, TRIT_E_FILE, key, "is no text");
    return trit_json_text(v);
}

static bool read_bool(struct reader *r, const char *key, bool missing)
{
    const struct trit_json_value *v = find(r, key);

    if (v && trit_json_type_of(v) != TRIT_JSON_BOOL)
        fail(r, TRIT_E_FILE, key, "is neither true nor false");
    return v ? trit_json_is_true(v) : missing;
}

/* A text that is none of those supported. */
static void fail_text(struct reader *r, const char *key, struct trit_string s,
                      const char *supported)
{
    char what[384];

    if (!s.len)
        snprintf(what, sizeof what, "is missing; supported are %s", supported);
    else
        snprintf(what, sizeof what, "is '%s'; supported are %s", trit_quote(s).text, supported);
    fail(r, s.len ? TRIT_E_UNSUPPORTED : TRIT_E_FILE, key, what);
}

/* ---- What the model is ----------------------------------------------------------------------- */

static void read_family(struct reader *r, struct trit_config *c)
{
    const struct trit_string name = trit_json_text(trit_json_item(find(r, "architectures"), 0));
    char known[256];
    size_t n = 0;

    for (int i = 0; i < N_FAMILIES; i++) {
        if (trit_string_is(name, families[i].architecture))
            c->family = &families[i];
        n += (size_t)snprintf(
            known + n, sizeof known - n, "%s%s%s", i ? ", " : "", families[i].architecture,
            families[i].quantization_config ? " with a quantization_config of quant_method bitnet"
                                            : "");
    }
    if (!c->family)
        fail_text(r, "architectures", name, known);
    else if (c->family->quantization_config && !find(r, "quantization_config"))
        fail(
            r, TRIT_E_UNSUPPORTED, "quantization_config",
            "is missing: nothing says that this model was trained to be ternary, which would "
            "destroy it otherwise. (If it is the master of one, put {\"quant_method\": \"bitnet\"} "
            "there)");
    else
        trit_note(r->notes, "%s is %s: architecture %s", c->family->architecture, c->family->what,
                  c->family->arch);
}

static void read_sizes(struct reader *r, struct trit_config *c)
{
    struct trit_knobs *k = &c->knobs;

    k->n_layer = read_int(r, "num_hidden_layers", 1, 1024, -1);
    k->n_embd = read_int(r, "hidden_size", 1, 1 << 20, -1);
    k->n_ff = read_int(r, "intermediate_size", 1, 1 << 20, -1);
    k->n_ctx = read_int(r, "max_position_embeddings", 1, 1 << 20, -1);
    k->n_head = read_int(r, "num_attention_heads", 1, 4096, -1);
    k->n_head_kv = read_int(r, "num_key_value_heads", 1, 4096, k->n_head);
    c->n_vocab = read_int(r, "vocab_size", 1, 1 << 24, -1);
    if (k->n_head % k->n_head_kv)
        fail(r, TRIT_E_FILE, "num_key_value_heads", "does not divide num_attention_heads");
    if (!find(r, "head_dim") && k->n_embd % k->n_head)
        fail(r, TRIT_E_FILE, "hidden_size", "is no multiple of num_attention_heads");
    if (!find(r, "head_dim") && k->n_embd / k->n_head > TRIT_MAX_HEAD_DIM)
        fail(r, TRIT_E_UNSUPPORTED, "num_attention_heads", "makes heads wider than 512");
    k->head_dim = read_int(r, "head_dim", 1, TRIT_MAX_HEAD_DIM, k->n_embd / k->n_head);
    if (k->head_dim % 2)
        fail(r, TRIT_E_FILE, find(r, "head_dim") ? "head_dim" : "hidden_size",
             "makes heads of an odd width");
    k->n_rot = k->head_dim;
    k->attn_sub_norm = k->ffn_sub_norm = c->family->sub_norms;
    k->norm_eps = (float)read_real(r, "rms_norm_eps", 1e-30, 1, NAN);
}

/* Older files have rope_theta and rope_scaling, newer ones rope_parameters for both. */
static void read_rope(struct reader *r, struct trit_config *c)
{
    struct trit_knobs *k = &c->knobs;
    const bool newer = find(r, "rope_parameters") != NULL;
    const char *object = newer ? "rope_parameters" : "rope_scaling";
    const char *theta =
        find(r, "rope_parameters.rope_theta") ? "rope_parameters.rope_theta" : "rope_theta";
    char key[64], *end = key + snprintf(key, sizeof key, "%s.", object);
    const size_t left = sizeof key - (size_t)(end - key);

    if (find(r, object) && trit_json_type_of(find(r, object)) != TRIT_JSON_OBJECT)
        fail(r, TRIT_E_FILE, object, "is no object");
    if (newer && find(r, "rope_scaling"))
        fail(r, TRIT_E_FILE, "rope_scaling", "stands beside rope_parameters; which holds?");
    if (!find(r, theta))
        trit_note(r->notes, "RoPE's base is 10000: config.json has no %s", theta);
    k->rope_base = read_real(r, theta, 1, 1e12, 10000);
    k->rope_factor = 1;
    snprintf(end, left, "rope_type");
    if (!find(r, key))
        snprintf(end, left, "type");
    const struct trit_string type = read_text(r, key);
    if (!type.len) {
        snprintf(end, left, "factor");
        if (find(r, key))
            fail(r, TRIT_E_FILE, key, "has no rope_type beside it");
    }
    if (!type.len || trit_string_is(type, "default"))
        return;
    if (!trit_string_is(type, "linear") && !trit_string_is(type, "llama3")) {
        fail_text(r, key, type, "'default', 'linear' and 'llama3'");
        return;
    }
    snprintf(end, left, "factor");
    k->rope_factor = read_real(r, key, TRIT_MIN_ROPE_FACTOR, TRIT_MAX_ROPE_FACTOR, NAN);
    if (!trit_string_is(type, "llama3"))
        return;
    snprintf(end, left, "low_freq_factor");
    c->rope_low = (float)read_real(r, key, 1e-3, 1e6, NAN);
    snprintf(end, left, "high_freq_factor");
    c->rope_high = (float)read_real(r, key, 1e-3, 1e6, NAN);
    if (!(c->rope_high > c->rope_low))
        fail(r, TRIT_E_FILE, key, "is not above low_freq_factor");
    snprintf(end, left, "original_max_position_embeddings");
    c->rope_original = (float)read_real(r, key, 1, 1 << 20, NAN);
}

static void read_act(struct reader *r, struct trit_config *c)
{
    const struct trit_string act = read_text(r, "hidden_act");

    if (trit_string_is(act, "silu"))
        c->act = "silu";
    else if (trit_string_is(act, "relu2"))
        c->act = "relu2";
    else
        fail_text(r, "hidden_act", act, "'silu' and 'relu2'");
}

/* One value is supported, which is also meant where there is none. */
static void check_number(struct reader *r, const char *key, int32_t supported)
{
    const int32_t x = read_int(r, key, 1, 64, supported);
    char what[64];

    snprintf(what, sizeof what, "is %d; supported is %d", x, supported);
    if (x != supported)
        fail(r, TRIT_E_UNSUPPORTED, key, what);
}

/* What other models of these families may have and the forward pass has not. */
static void refuse_extras(struct reader *r)
{
    static const char *const never[] = {"attention_bias", "mlp_bias", "use_bias"};

    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (read_bool(r, never[i], false))
            fail(r, TRIT_E_UNSUPPORTED, never[i], "is true; biases are not supported");
    if (read_real(r, "partial_rotary_factor", 0, 1, 1) < 1)
        fail(r, TRIT_E_UNSUPPORTED, "partial_rotary_factor", "is less than 1");
    check_number(r, "input_bits", 8);
    check_number(r, "weight_bits", 1);
}

/* ---- How it was quantised -------------------------------------------------------------------- */

static void read_not_converted(struct reader *r)
{
    static const char key[] = "quantization_config.modules_to_not_convert";
    const struct trit_json_value *list = find(r, key);

    if (list && trit_json_type_of(list) != TRIT_JSON_ARRAY)
        fail(r, TRIT_E_FILE, key, "is no list");
    for (const struct trit_json_value *v = trit_json_first(list); v; v = trit_json_next(v))
        if (!trit_json_is_text(v, "lm_head"))
            fail_text(r, key, trit_json_text(v), "['lm_head'] and null");
}

static void read_linear_norm(struct reader *r, struct trit_config *c)
{
    struct trit_knobs *k = &c->knobs;

    if (!read_bool(r, "quantization_config.use_rms_norm", false))
        return;
    k->linear_norm = TRIT_LINEAR_NORM_RMS;
    k->linear_norm_eps = (float)read_real(r, "quantization_config.rms_norm_eps", 1e-30, 1, 1e-6);
    trit_note(r->notes, "each linear has an RMSNorm of its own on its input, eps %g",
              (double)k->linear_norm_eps);
}

static void read_quantization(struct reader *r, struct trit_config *c)
{
    const struct trit_string method = read_text(r, "quantization_config.quant_method");
    const struct trit_string class = read_text(r, "quantization_config.linear_class");
    const struct trit_string mode = read_text(r, "quantization_config.quantization_mode");

    if (!find(r, "quantization_config"))
        return;
    if (!trit_string_is(method, "bitnet"))
        fail_text(r, "quantization_config.quant_method", method, "'bitnet'");
    if (mode.len && !trit_string_is(mode, "online") && !trit_string_is(mode, "offline"))
        fail_text(r, "quantization_config.quantization_mode", mode, "'online' and 'offline'");
    if (trit_string_is(class, "autobitlinear")) {
        c->scale = TRIT_SCALE_MULTIPLIES;
        c->scale_why = "linear_class autobitlinear";
    } else if (trit_string_is(class, "bitlinear") || !class.len) {
        c->scale = TRIT_SCALE_DIVIDES;
        c->scale_why =
            class.len ? "linear_class bitlinear" : "no linear_class, which means bitlinear";
    } else {
        fail_text(r, "quantization_config.linear_class", class, "'bitlinear' and 'autobitlinear'");
    }
    read_not_converted(r);
    read_linear_norm(r, c);
}

static void read_tied(struct reader *r, struct trit_config *c)
{
    const bool tied = read_bool(r, "tie_word_embeddings", false);

    c->tied = !find(r, "tie_word_embeddings") ? TRIT_TIED_UNSAID : tied ? TRIT_TIED : TRIT_UNTIED;
}

trit_status trit_config_read(struct trit_config *out, const char *path,
                             const struct trit_json_value *root, struct trit_notes *notes,
                             struct trit_error *err)
{
    struct reader r = {.path = path, .root = root, .notes = notes, .err = err};

    *out = (struct trit_config){0};
    if (trit_json_type_of(root) != TRIT_JSON_OBJECT)
        return trit_fail(err, TRIT_E_FILE, "%s: is no JSON object", path);
    read_family(&r, out);
    if (r.status)
        return r.status;
    read_sizes(&r, out);
    read_rope(&r, out);
    read_act(&r, out);
    refuse_extras(&r);
    read_quantization(&r, out);
    read_tied(&r, out);
    return r.status;
}
