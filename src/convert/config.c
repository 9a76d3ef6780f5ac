/* config.c - see config.h. Keys are transformers'. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

/* ---- Reading keys ---------------------------------------------------------------------------- */

/* After the first failure nothing more is read. A key may be a path: "a.b". */
struct reader {
    const struct trit_config_source *from;
    struct trit_notes *notes;
    struct trit_error *err;
    trit_status status;
};

/* Knobs that override a key of config.json. The keys trit.* of the GGUF are knobs too. */
static const struct override {
    const char *name, *key;
} overrides[] = {{"arch", "architectures"},
                 {"ffn_act", "hidden_act"},
                 {"head_count", "num_attention_heads"},
                 {"head_count_kv", "num_key_value_heads"},
                 {"norm_eps", "rms_norm_eps"},
                 {"norm_eps", "layer_norm_eps"},
                 {"rope_base", "rope_theta"}};
enum { N_OVERRIDES = sizeof overrides / sizeof *overrides };

static struct trit_string name_of(const char *knob)
{
    return (struct trit_string){knob, strcspn(knob, "=")};
}

/* The last value that the caller gives for a name, or NULL. */
static const char *given(const struct reader *r, const char *name)
{
    for (int32_t i = r->from->n_knobs; i-- > 0;)
        if (trit_string_is(name_of(r->from->knobs[i]), name))
            return r->from->knobs[i] + strlen(name) + 1;
    return NULL;
}

/* The knob that overrides a key, or NULL if the caller gives none. */
static const struct override *find_override(const struct reader *r, const char *key)
{
    for (int i = 0; i < N_OVERRIDES; i++)
        if (trit_string_is(trit_string_of(key), overrides[i].key) && given(r, overrides[i].name))
            return &overrides[i];
    return NULL;
}

/* The value that the caller gives instead of a key, or NULL. */
static const char *override_text(const struct reader *r, const char *key)
{
    const struct override *knob = find_override(r, key);
    return knob ? given(r, knob->name) : NULL;
}

/* An error about a key, or about the knob that overrides it. */
static void fail(struct reader *r, trit_status code, const char *key, const char *what)
{
    const struct override *knob = find_override(r, key);

    if (!r->status && knob)
        r->status = trit_fail(r->err, TRIT_E_ARGUMENT, "knob '%s' %s", knob->name, what);
    else if (!r->status)
        r->status = trit_fail(r->err, code, "%s: '%s' %s", r->from->path, key, what);
}

/* The value of a key; NULL if it is absent or null. */
static const struct trit_json_value *find(const struct reader *r, const char *key)
{
    const struct trit_json_value *v = r->from->root;
    char part[64];

    while (v && *key) {
        const size_t len = strcspn(key, ".");
        snprintf(part, sizeof part, "%.*s", (int)len, key);
        v = trit_json_member(v, part);
        key += len + (key[len] == '.');
    }
    return trit_json_type_of(v) == TRIT_JSON_NULL ? NULL : v;
}

/* Whether the key is present or overridden. */
static bool has(const struct reader *r, const char *key)
{
    return find_override(r, key) || find(r, key);
}

/* A number; NaN if the key is absent or not a number. */
static double number(const struct reader *r, const char *key)
{
    const char *text = override_text(r, key);
    char *end;

    if (!text)
        return trit_json_double(find(r, key));
    const double x = strtod(text, &end);
    return end == text || *end ? NAN : x;
}

/* Whether it is a whole number, and which. */
static bool whole(const struct reader *r, const char *key, int64_t *x)
{
    const char *text = override_text(r, key);
    char *end;

    if (!text)
        return trit_json_int64(find(r, key), x);
    *x = strtoll(text, &end, 10);
    return end != text && !*end;
}

/* A whole number in lo..hi. An absent key gives `missing`, or fails if that is negative. */
static int32_t read_int(struct reader *r, const char *key, int32_t lo, int32_t hi, int32_t missing)
{
    int64_t x = 0;

    if (!has(r, key) && missing < 0)
        fail(r, TRIT_E_FILE, key, "is missing");
    if (!has(r, key))
        return missing < 0 ? lo : missing;
    if (!whole(r, key, &x))
        fail(r, TRIT_E_FILE, key, "is not a whole number");
    else if (x < lo || x > hi)
        fail(r, TRIT_E_FILE, key, trit_out_of_range((double)x, lo, hi).text);
    return r->status ? lo : (int32_t)x;
}

/* A number in lo..hi. An absent key gives `missing`, or fails if that is NaN. */
static double read_real(struct reader *r, const char *key, double lo, double hi, double missing)
{
    const double x = has(r, key) ? number(r, key) : missing;

    if (isnan(x))
        fail(r, TRIT_E_FILE, key, has(r, key) ? "is not a number" : "is missing");
    else if (!(x >= lo && x <= hi))
        fail(r, TRIT_E_FILE, key, trit_out_of_range(x, lo, hi).text);
    return r->status ? lo : x;
}

/* A text; empty if the key is absent. */
static struct trit_string read_text(struct reader *r, const char *key)
{
    const struct trit_json_value *v = find(r, key);
    const char *text = override_text(r, key);

    if (text)
        return trit_string_of(text);
    if (v && trit_json_type_of(v) != TRIT_JSON_STRING)
        fail(r, TRIT_E_FILE, key, "is not a string");
    return trit_json_text(v);
}

static bool read_bool(struct reader *r, const char *key, bool missing)
{
    const struct trit_json_value *v = find(r, key);

    if (v && trit_json_type_of(v) != TRIT_JSON_BOOL)
        fail(r, TRIT_E_FILE, key, "is neither true nor false");
    return v ? trit_json_is_true(v) : missing;
}

/* A text that is not one of those supported. */
static void fail_text(struct reader *r, const char *key, struct trit_string s,
                      const char *supported)
{
    char what[512];

    if (!s.len)
        snprintf(what, sizeof what, "is missing; supported are %s", supported);
    else
        snprintf(what, sizeof what, "is '%s'; supported are %s", trit_quote(s).text, supported);
    fail(r, s.len ? TRIT_E_UNSUPPORTED : TRIT_E_FILE, key, what);
}

/* ---- Knobs of the caller --------------------------------------------------------------------- */

static bool is_knob(struct trit_string name)
{
    for (int i = 0; i < N_OVERRIDES; i++)
        if (trit_string_is(name, overrides[i].name))
            return true;
    return trit_knob_named(name) != NULL;
}

static void check_names(struct reader *r)
{
    const struct trit_knob *knob;
    char known[512] = "";

    for (size_t i = 0; (knob = trit_knob_at(i)); i++)
        trit_append(known, sizeof known, " %s", knob->name);
    for (int i = 0; i < N_OVERRIDES; i++)
        if (!i || strcmp(overrides[i].name, overrides[i - 1].name) != 0)
            trit_append(known, sizeof known, " %s", overrides[i].name);
    for (int32_t i = 0; i < r->from->n_knobs && !r->status; i++) {
        const char *text = r->from->knobs[i];
        const struct trit_string name = name_of(text);
        if (!text[name.len] || !is_knob(name))
            r->status =
                trit_fail(r->err, TRIT_E_ARGUMENT,
                          "'%s' is not a knob; a knob is NAME=VALUE, with one of the names%s",
                          trit_quote_text(text).text, known);
    }
}

/* ---- What the model is ----------------------------------------------------------------------- */

static void unknown_family(struct reader *r)
{
    const struct trit_string name = trit_json_text(trit_json_item(find(r, "architectures"), 0));
    const struct trit_family *f;
    char known[384] = "";

    for (size_t i = 0; (f = trit_family_at(i)); i++)
        trit_append(known, sizeof known, "%s%s%s", i ? ", " : "",
                    f->marker ? "any that has a tensor " : f->architecture,
                    f->marker ? f->marker : "");
    fail_text(r, "architectures", name, known);
}

static void read_family(struct reader *r, struct trit_config *c)
{
    const char *arch = given(r, "arch");

    c->family = trit_family_find(r->from->root, r->from->weights, arch);
    if (!c->family && arch) {
        r->status = trit_fail(r->err, TRIT_E_ARGUMENT,
                              "knob 'arch' is '%s', which no family of checkpoints has; those that "
                              "need it are bitskip and bitnet-8bit",
                              trit_quote_text(arch).text);
    } else if (!c->family) {
        unknown_family(r);
    } else {
        c->arch = trit_arch_named(trit_string_of(c->family->arch));
        trit_note(r->notes, "the checkpoint is a %s: architecture %s", c->family->what,
                  c->family->arch);
    }
}

/* The knobs that the family sets, then those in config.json. */
static void read_knobs(struct reader *r, struct trit_config *c)
{
    struct trit_knobs *k = &c->knobs;

    *k = c->arch->knobs;
    r->status = trit_knobs_apply(k, c->family->presets, r->err);
    if (!c->arch->open)
        return;
    k->act_bits = read_int(r, "activation_bits", 2, 8, k->act_bits);
    k->exit_threshold =
        (float)read_real(r, "early_exit_threshold", 0, 1, (double)k->exit_threshold);
    trit_note(r->notes,
              "settings that the sources of %s leave open are in the keys trit.*; a knob "
              "NAME=VALUE changes one",
              c->family->what);
}

/* The knobs that the caller sets override both. */
static void apply_given(struct reader *r, struct trit_knobs *k)
{
    for (int32_t i = 0; i < r->from->n_knobs && !r->status; i++) {
        const struct trit_string name = name_of(r->from->knobs[i]);
        const struct trit_knob *knob = trit_knob_named(name);
        if (knob)
            r->status = trit_knob_parse(knob, k, trit_string_of(name.bytes + name.len + 1), r->err);
    }
}

/* The number of KV heads by the rows of K, for families whose config.json does not give it. 0: the
 * checkpoint does not show it. */
static int32_t kv_heads_of_weights(struct reader *r, const struct trit_knobs *k)
{
    char source[TRIT_MAX_NAME];

    trit_names_source(source, r->from->names, 0, "attn_k", TRIT_NAME_WEIGHT);
    const struct trit_weight *t = trit_weights_find(r->from->weights, source);
    if (!t || t->n_dims != 2 || t->dims[0] % (uint64_t)k->head_dim ||
        t->dims[0] / (uint64_t)k->head_dim > (uint64_t)k->n_head)
        return 0;
    return (int32_t)(t->dims[0] / (uint64_t)k->head_dim);
}

static void read_heads(struct reader *r, struct trit_config *c)
{
    struct trit_knobs *k = &c->knobs;

    k->n_head = read_int(r, "num_attention_heads", 1, 4096, -1);
    if (!find(r, "head_dim") && k->n_embd % k->n_head)
        fail(r, TRIT_E_FILE, "hidden_size", "is not a multiple of num_attention_heads");
    if (!find(r, "head_dim") && k->n_embd / k->n_head > TRIT_MAX_HEAD_DIM)
        fail(r, TRIT_E_UNSUPPORTED, "num_attention_heads", "gives heads wider than 512");
    k->head_dim = read_int(r, "head_dim", 1, TRIT_MAX_HEAD_DIM, k->n_embd / k->n_head);
    if (k->head_dim % 2)
        fail(r, TRIT_E_FILE, find(r, "head_dim") ? "head_dim" : "hidden_size",
             "gives heads of an odd width");
    const int32_t n_seen = c->arch->open && !r->status ? kv_heads_of_weights(r, k) : 0;
    k->n_head_kv = read_int(r, "num_key_value_heads", 1, 4096, n_seen ? n_seen : k->n_head);
    if (k->n_head % k->n_head_kv)
        fail(r, TRIT_E_FILE, "num_key_value_heads", "does not divide num_attention_heads");
    k->n_rot = k->head_dim;
}

static void read_sizes(struct reader *r, struct trit_config *c)
{
    struct trit_knobs *k = &c->knobs;
    const char *eps = k->norm == TRIT_NORM_LAYER ? "layer_norm_eps" : "rms_norm_eps";

    k->n_layer = read_int(r, "num_hidden_layers", 1, 1024, -1);
    k->n_embd = read_int(r, "hidden_size", 1, 1 << 20, -1);
    k->n_ff = read_int(r, "intermediate_size", 1, 1 << 20, -1);
    k->n_ctx = read_int(r, "max_position_embeddings", 1, 1 << 20, -1);
    c->n_vocab = read_int(r, "vocab_size", 1, 1 << 24, -1);
    read_heads(r, c);
    k->norm_eps = (float)read_real(r, eps, 1e-30, 1, c->arch->open ? 1e-5 : (double)NAN);
    if (c->arch->open && !has(r, eps))
        trit_note(r->notes, "the eps of norms is 1e-5: config.json has no %s", eps);
}

/* Whether two values are equal, members in any order. */
static bool same_json(const struct trit_json_value *a, const struct trit_json_value *b)
{
    const enum trit_json_type type = trit_json_type_of(a);

    if (type != trit_json_type_of(b) || trit_json_count(a) != trit_json_count(b))
        return false;
    if (type == TRIT_JSON_STRING)
        return trit_string_order(trit_json_text(a), trit_json_text(b)) == 0;
    if (type == TRIT_JSON_NUMBER)
        return trit_json_double(a) == trit_json_double(b);
    if (type == TRIT_JSON_BOOL)
        return trit_json_is_true(a) == trit_json_is_true(b);
    if (type == TRIT_JSON_ARRAY)
        b = trit_json_first(b);
    for (const struct trit_json_value *v = trit_json_first(a); v; v = trit_json_next(v)) {
        char key[64];
        const struct trit_string name = trit_json_key(v);
        snprintf(key, sizeof key, "%.*s", (int)name.len, name.bytes ? name.bytes : "");
        if (!same_json(v, type == TRIT_JSON_OBJECT ? trit_json_member(b, key) : b))
            return false;
        b = type == TRIT_JSON_ARRAY ? trit_json_next(b) : b;
    }
    return true;
}

enum { ROPE_PATH = 128, ROPE_KEY = ROPE_PATH + 104 };

/* What rope_parameters and rope_scaling may hold, and the value that changes nothing; NAN: it is
 * read. */
static const struct {
    const char *name;
    double neutral;
} rope_members[] = {
    {"rope_theta", NAN},
    {"rope_type", NAN},
    {"type", NAN},
    {"factor", NAN},
    {"low_freq_factor", NAN},
    {"high_freq_factor", NAN},
    {"original_max_position_embeddings", NAN},
    {"partial_rotary_factor", 1},
    {"attention_factor", 1},
    {"alpha", 1},
    {"mscale", 1},
    {"mscale_all_dim", 0},
};

static void check_rope_member(struct reader *r, const char *object, const struct trit_json_value *v)
{
    const double x = trit_json_double(v);
    char key[ROPE_KEY], what[96];

    if (trit_json_type_of(v) == TRIT_JSON_NULL)
        return;
    snprintf(key, sizeof key, "%s.%s", object, trit_quote(trit_json_key(v)).text);
    for (size_t i = 0; i < sizeof rope_members / sizeof *rope_members; i++)
        if (trit_string_is(trit_json_key(v), rope_members[i].name)) {
            snprintf(what, sizeof what, "is %g; trit computes only with %g", x,
                     rope_members[i].neutral);
            if (!isnan(rope_members[i].neutral) && x != rope_members[i].neutral)
                fail(r, TRIT_E_UNSUPPORTED, key, what);
            return;
        }
    fail(r, TRIT_E_UNSUPPORTED, key, "is not known");
}

/* transformers may give an object of parameters for each type of layer; they must be the same.
 * path: of the object, of which the name of a layer type is appended */
static void enter_layer_types(struct reader *r, char path[ROPE_PATH])
{
    const struct trit_json_value *first = trit_json_first(find(r, path));

    if (trit_json_type_of(first) != TRIT_JSON_OBJECT)
        return;
    for (const struct trit_json_value *v = trit_json_next(first); v; v = trit_json_next(v))
        if (!same_json(v, first))
            fail(r, TRIT_E_UNSUPPORTED, path, "differs between types of layers");
    trit_append(path, ROPE_PATH, ".%s", trit_quote(trit_json_key(first)).text);
}

/* Two descriptions must agree. */
static void compare_rope(struct reader *r, const char *path)
{
    for (const struct trit_json_value *v = trit_json_first(find(r, "rope_scaling")); v;
         v = trit_json_next(v)) {
        const struct trit_string name = trit_json_key(v);
        char key[ROPE_KEY], what[ROPE_KEY + 32];
        snprintf(key, sizeof key, "%s.%s", path, trit_quote(name).text);
        const struct trit_json_value *other = find(r, key);
        if (same_json(v, other) || (!other && trit_string_is(name, "type")))
            continue;
        snprintf(what, sizeof what, "contradicts %s; keep one", key);
        snprintf(key, sizeof key, "rope_scaling.%s", trit_quote(name).text);
        fail(r, TRIT_E_FILE, key, what);
    }
}

/* Write the path of the object that describes RoPE. Older files have rope_theta and rope_scaling;
 * newer ones have rope_parameters instead. */
static void find_rope(struct reader *r, char path[ROPE_PATH])
{
    const bool newer = find(r, "rope_parameters") != NULL;

    snprintf(path, ROPE_PATH, "%s", newer ? "rope_parameters" : "rope_scaling");
    if (find(r, path) && trit_json_type_of(find(r, path)) != TRIT_JSON_OBJECT) {
        fail(r, TRIT_E_FILE, path, "is not an object");
        return;
    }
    enter_layer_types(r, path);
    if (newer)
        compare_rope(r, path);
    for (const struct trit_json_value *v = trit_json_first(find(r, path)); v; v = trit_json_next(v))
        check_rope_member(r, path, v);
}

static void read_rope_base(struct reader *r, struct trit_config *c, const char *path)
{
    const double usual = c->family && c->family->rope_theta > 0 ? c->family->rope_theta : 10000;
    char key[ROPE_PATH + 16], what[128];

    snprintf(key, sizeof key, "%s.rope_theta", path);
    if (find(r, key) && find(r, "rope_theta") && !same_json(find(r, key), find(r, "rope_theta"))) {
        snprintf(what, sizeof what, "contradicts %.80s; keep one", key);
        fail(r, TRIT_E_FILE, "rope_theta", what);
    }
    const char *theta = find(r, key) ? key : "rope_theta";
    if (!has(r, theta) && !given(r, "rope_base"))
        trit_note(r->notes, "RoPE's base is %.9g, the default of this kind: config.json has no %s",
                  usual, theta);
    c->knobs.rope_base = read_real(r, given(r, "rope_base") ? "rope_theta" : theta, 1, 1e12, usual);
}

static void read_rope(struct reader *r, struct trit_config *c)
{
    struct trit_knobs *k = &c->knobs;
    char path[ROPE_PATH], key[ROPE_PATH + 40];

    find_rope(r, path);
    read_rope_base(r, c, path);
    char *end = key + snprintf(key, sizeof key, "%s.", path);
    const size_t left = sizeof key - (size_t)(end - key);
    k->rope_factor = 1;
    snprintf(end, left, "rope_type");
    if (!find(r, key))
        snprintf(end, left, "type");
    const struct trit_string type = read_text(r, key);
    if (!type.len) {
        snprintf(end, left, "factor");
        if (find(r, key) && number(r, key) != 1)
            fail(r, TRIT_E_FILE, key, "is present, but rope_type is not");
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

/* If the key is absent, an open architecture uses its own default. */
static void read_act(struct reader *r, struct trit_config *c)
{
    static const char *const names[] = {[TRIT_ACT_SILU] = "silu", [TRIT_ACT_RELU2] = "relu2"};
    const struct trit_string act = read_text(r, "hidden_act");

    if (!act.len && c->arch->open)
        c->act = names[c->knobs.ffn_act];
    for (int i = 0; i < TRIT_N_ACTS; i++)
        if (trit_string_is(act, names[i]))
            c->act = names[i];
    if (!c->act)
        fail_text(r, "hidden_act", act, "'silu' and 'relu2'");
}

/* Only one value is supported. It is also the default. */
static void check_number(struct reader *r, const char *key, int32_t supported)
{
    const int32_t x = read_int(r, key, 1, 64, supported);
    char what[64];

    snprintf(what, sizeof what, "is %d; supported is %d", x, supported);
    if (x != supported)
        fail(r, TRIT_E_UNSUPPORTED, key, what);
}

static enum trit_bias bias_of(struct reader *r, const struct trit_config *c, const char *key)
{
    const bool is = read_bool(r, key, false);

    if (is && c->arch->open)
        fail(r, TRIT_E_UNSUPPORTED, key, "is true; linears of this family have no biases");
    return !find(r, key) ? TRIT_BIAS_MAY : is ? TRIT_BIAS_MUST : TRIT_BIAS_NEVER;
}

/* A window as long as the longest context is none. */
static void read_window(struct reader *r, struct trit_knobs *k)
{
    const int32_t n = read_int(r, "sliding_window", 0, INT32_MAX, 0);

    if (n == 0 || n >= k->n_ctx || !read_bool(r, "use_sliding_window", true))
        return;
    k->n_window = n;
    trit_note(r->notes,
              "its sliding_window of %d positions is not supported, so no context may be longer; "
              "max_position_embeddings is %d",
              n, k->n_ctx);
}

/* Features that models of these families may have and the forward pass does not compute. */
static void refuse_extras(struct reader *r)
{
    static const struct {
        const char *key;
        double neutral;
    } numbers[] = {
        {"partial_rotary_factor", 1},   {"logit_scale", 1},
        {"logits_scaling", 1},          {"embedding_multiplier", 1},
        {"residual_multiplier", 1},     {"attn_logit_softcapping", 0},
        {"final_logit_softcapping", 0}, {"clip_qkv", 0},
        {"num_local_experts", 0},       {"num_experts", 0},
        {"n_routed_experts", 0},        {"num_nextn_predict_layers", 0},
    };

    if (read_bool(r, "use_bias", false))
        fail(r, TRIT_E_UNSUPPORTED, "use_bias", "is true; it does not say which linears have one");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const double x = read_real(r, numbers[i].key, -1e30, 1e30, numbers[i].neutral);
        char what[96];
        snprintf(what, sizeof what, "is %g; trit computes only with %g", x, numbers[i].neutral);
        if (x != numbers[i].neutral)
            fail(r, TRIT_E_UNSUPPORTED, numbers[i].key, what);
    }
    check_number(r, "input_bits", 8);
    check_number(r, "weight_bits", 1);
}

/* ---- How it was quantized -------------------------------------------------------------------- */

/* A pattern of names as items that match one character each, with the subset of Python's regular
 * expressions that lists of modules use. */
struct pattern {
    struct {
        char c; /* 0: any character; 'd' if digit */
        bool digit, star;
    } item[64];
    size_t n;
};

/* @return false if the text is not of the subset or too long */
static bool parse_pattern(struct pattern *p, struct trit_string s)
{
    *p = (struct pattern){.n = 0};
    for (size_t i = 0; i < s.len; i++) {
        const bool escaped = s.bytes[i] == '\\' && i + 1 < s.len;
        const char c = s.bytes[i += escaped];
        if (p->n + 2 > sizeof p->item / sizeof *p->item || (!escaped && strchr("[](){}|?^$\\", c)))
            return false;
        if (!escaped && (c == '*' || c == '+')) {
            if (p->n == 0 || p->item[p->n - 1].star)
                return false;
            if (c == '+') {
                p->item[p->n] = p->item[p->n - 1];
                p->n++;
            }
            p->item[p->n - 1].star = true;
            continue;
        }
        if (escaped && c != 'd' && strchr("0123456789", c) == NULL &&
            ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            return false;
        p->item[p->n].digit = escaped && c == 'd';
        p->item[p->n++].c = (char)(!escaped && c == '.' ? 0 : c);
    }
    return true;
}

/* Whether the pattern matches from the start up to a boundary of modules. */
static bool matches_start(const struct pattern *p, const char *name)
{
    uint64_t at = 1; /* bit i: item i is next; bit n: the end */

    for (size_t k = 0;; k++) {
        for (size_t i = 0; i < p->n; i++)
            if (p->item[i].star && (at >> i & 1))
                at |= (uint64_t)2 << i;
        if ((at >> p->n & 1) &&
            (name[k] == '\0' || name[k] == '.' || (k > 0 && name[k - 1] == '.')))
            return true;
        if (name[k] == '\0')
            return false;
        uint64_t next = 0;
        for (size_t i = 0; i < p->n; i++) {
            const bool fits = p->item[i].digit ? name[k] >= '0' && name[k] <= '9'
                                               : !p->item[i].c || p->item[i].c == name[k];
            if (fits && (at >> i & 1))
                next |= (uint64_t)1 << (i + !p->item[i].star);
        }
        at = next;
    }
}

bool trit_config_keeps(const struct trit_config *c, const char *module)
{
    const struct trit_string name = trit_string_of(module);

    for (const struct trit_json_value *v = trit_json_first(c->kept); v; v = trit_json_next(v)) {
        const struct trit_string s = trit_json_text(v);
        struct pattern p;
        if (s.len <= name.len && memcmp(name.bytes + name.len - s.len, s.bytes, s.len) == 0)
            return true;
        if (parse_pattern(&p, s) && matches_start(&p, module))
            return true;
    }
    return false;
}

static void read_not_converted(struct reader *r, struct trit_config *c)
{
    static const char key[] = "quantization_config.modules_to_not_convert";
    struct pattern p;

    c->kept = find(r, key);
    if (c->kept && trit_json_type_of(c->kept) != TRIT_JSON_ARRAY)
        fail(r, TRIT_E_FILE, key, "is not a list");
    for (const struct trit_json_value *v = trit_json_first(c->kept); v; v = trit_json_next(v))
        if (!trit_json_text(v).len || !parse_pattern(&p, trit_json_text(v)))
            fail_text(r, key, trit_json_text(v),
                      "names of modules, with ., *, + and \\d of regular expressions");
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
        c->offline = !trit_string_is(mode, "online");
        c->scale_why = "linear_class autobitlinear";
    } else if (trit_string_is(class, "bitlinear") || !class.len) {
        c->scale = TRIT_SCALE_DIVIDES;
        c->scale_why =
            class.len ? "linear_class bitlinear" : "no linear_class, which means bitlinear";
    } else {
        fail_text(r, "quantization_config.linear_class", class, "'bitlinear' and 'autobitlinear'");
    }
    read_not_converted(r, c);
    read_linear_norm(r, c);
}

static void read_tied(struct reader *r, struct trit_config *c)
{
    const bool tied = read_bool(r, "tie_word_embeddings", false);

    c->tied = !find(r, "tie_word_embeddings") ? TRIT_TIED_UNSAID : tied ? TRIT_TIED : TRIT_UNTIED;
}

trit_status trit_config_read(struct trit_config *out, const struct trit_config_source *from,
                             struct trit_notes *notes, struct trit_error *err)
{
    struct reader r = {.from = from, .notes = notes, .err = err};
    struct trit_error why;

    *out = (struct trit_config){0};
    if (trit_json_type_of(from->root) != TRIT_JSON_OBJECT)
        return trit_fail(err, TRIT_E_FILE, "%s is not a JSON object", from->path);
    check_names(&r);
    if (!r.status)
        read_family(&r, out);
    if (r.status)
        return r.status;
    trit_names_bind(from->names, out->family, from->weights);
    read_knobs(&r, out);
    read_quantization(&r, out);
    apply_given(&r, &out->knobs);
    read_sizes(&r, out);
    read_rope(&r, out);
    read_act(&r, out);
    read_window(&r, &out->knobs);
    out->attn_bias = bias_of(&r, out, "attention_bias");
    out->mlp_bias = bias_of(&r, out, "mlp_bias");
    refuse_extras(&r);
    read_tied(&r, out);
    if (r.status)
        return r.status;
    const trit_status status = trit_knobs_finish(&out->knobs, &why);
    return status ? trit_fail(err, status, "%s %s", from->path, why.text) : TRIT_OK;
}
