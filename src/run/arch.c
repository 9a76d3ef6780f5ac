/* arch.c - the architecture table, and reading a file's metadata into knobs.
 *
 * A new architecture with a block that forward.c computes already is one row here. */
#include "arch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "unsupported.h"

/* What all BitNet b1.58 families have in common. */
#define B158_COMMON                                                                                \
    .act_eps = 1e-5f, .act_bits = 8, .act_form = TRIT_ACT_FORM_MUL, .causal = true,                \
    .exit_norm = true

/* And all bitskip ones: they quantize by (x * act_max) / m, as their code does. */
#define BITSKIP_COMMON                                                                             \
    .act_eps = 1e-6f, .act_bits = 8, .act_form = TRIT_ACT_FORM_DIV, .causal = true,                \
    .exit_norm = true, .rope = TRIT_ROPE_HALF

static const struct trit_arch archs[] = {
    {.name = "bitnet-b1.58",
     .knobs = {B158_COMMON, .attn_sub_norm = true, .ffn_sub_norm = true, .ffn_act = TRIT_ACT_RELU2,
               .rope = TRIT_ROPE_HALF},
     .may_be_1bitllm = true},
    {.name = "bitnet-25",
     .knobs = {B158_COMMON, .attn_sub_norm = true, .ffn_sub_norm = true, .ffn_act = TRIT_ACT_RELU2,
               .rope = TRIT_ROPE_HALF},
     .may_be_1bitllm = true},
    {.name = "bitnet",
     .knobs = {B158_COMMON, .attn_sub_norm = true, .ffn_sub_norm = true, .ffn_act = TRIT_ACT_SILU,
               .rope = TRIT_ROPE_HALF},
     .may_be_2b4t = true},
    /* these files permute the rows of Q and K, so pairs rotate */
    {.name = "llama",
     .knobs = {B158_COMMON, .ffn_act = TRIT_ACT_SILU, .rope = TRIT_ROPE_PAIRS},
     .not_always_ternary = true},
    {.name = "qwen2",
     .knobs = {B158_COMMON, .ffn_act = TRIT_ACT_SILU, .rope = TRIT_ROPE_HALF},
     .not_always_ternary = true},
    {.name = "qwen3",
     .knobs = {B158_COMMON, .ffn_act = TRIT_ACT_SILU, .rope = TRIT_ROPE_HALF, .qk_norm = true},
     .not_always_ternary = true},
    /* v1; v2 and v3 add norms and Hadamard transforms to the linears */
    {.name = "bitskip", .knobs = {BITSKIP_COMMON, .ffn_act = TRIT_ACT_SILU}, .open = true},
    {.name = "bitnet-8bit",
     .knobs = {BITSKIP_COMMON, .block = TRIT_BLOCK_POST, .norm = TRIT_NORM_LAYER,
               .attn_in_norm = true, .ffn = TRIT_FFN_PLAIN, .ffn_act = TRIT_ACT_RELU2,
               .linear_post = TRIT_LINEAR_POST_RELU2, .learned_positions = true,
               .exit_min_layers = 4, .exit_threshold = 0.95f},
     .open = true},
};

enum { N_ARCHS = sizeof archs / sizeof *archs };

/* 1bitLLM's large, xl and 3B: SiLU models that some converters label as 2B-4T's architecture. */
static const struct {
    int32_t n_embd, n_ff;
} shapes_of_1bitllm[] = {{1536, 4096}, {2048, 5460}, {3200, 8640}};

/* Names of activations in `<arch>.hidden_activation`. */
static const struct {
    const char *name;
    enum trit_act act;
} act_names[] = {
    {"silu", TRIT_ACT_SILU},          {"swiglu", TRIT_ACT_SILU},    {"swish", TRIT_ACT_SILU},
    {"relu2", TRIT_ACT_RELU2},        {"relu_sqr", TRIT_ACT_RELU2}, {"reglu2", TRIT_ACT_RELU2},
    {"relu_squared", TRIT_ACT_RELU2},
};

enum { N_ACT_NAMES = sizeof act_names / sizeof *act_names };

/* ---- Reading keys ---------------------------------------------------------------------------- */

/* Reads keys with one prefix, the architecture's or our own. Nothing is read after the first
 * failure. */
struct reader {
    const trit_file *file;
    const char *prefix;
    struct trit_error *err;
    trit_status status;
    char key[128];
};

static const char *full_key(struct reader *r, const char *key)
{
    snprintf(r->key, sizeof r->key, "%s.%s", r->prefix, key);
    return r->key;
}

static void fail(struct reader *r, trit_status code, const char *key, const char *what)
{
    if (!r->status)
        r->status =
            trit_fail(r->err, code, "%s: metadata '%s' %s", r->file->path, full_key(r, key), what);
}

/* If the key, in r->key, is an array of integers, one a layer, take their value, which must be the
 * same for all. @return whether it is one */
static bool take_equal(struct reader *r, const char *key, uint32_t *out)
{
    const struct gguf_kv *kv = trit_gguf_find(r->file, r->key);
    const unsigned integers =
        1u << TRIT_VALUE_U32 | 1u << TRIT_VALUE_I32 | 1u << TRIT_VALUE_U64 | 1u << TRIT_VALUE_I64;
    const uint8_t *p = kv->items;
    uint64_t first = 0;

    if (kv->type != TRIT_VALUE_ARRAY || !(integers >> kv->item_type & 1) || !kv->n_items)
        return false;
    for (uint64_t i = 0; i < kv->n_items; i++) {
        const struct trit_value v = trit_gguf_next_value(kv->item_type, &p);
        const uint64_t x = v.u ? v.u : (uint64_t)v.i;
        if (i && x != first) {
            fail(r, TRIT_E_UNSUPPORTED, key, "differs from layer to layer");
            return true;
        }
        first = x;
    }
    *out = first > UINT32_MAX ? UINT32_MAX : (uint32_t)first;
    return true;
}

/* An integer in lo..hi. If the key is absent: `missing`, or a failure if that is negative. */
static int32_t read_int(struct reader *r, const char *key, int32_t lo, int32_t hi, int32_t missing)
{
    uint32_t u = 0;

    if (r->status)
        return lo;
    if (!trit_gguf_find(r->file, full_key(r, key))) {
        if (missing < 0)
            fail(r, TRIT_E_FILE, key, "is missing");
        return missing < 0 ? lo : missing;
    }
    if (!take_equal(r, key, &u) && !r->status)
        r->status = trit_gguf_get_u32(r->file, r->key, &u, r->err);
    if (!r->status && (u < (uint32_t)lo || u > (uint32_t)hi))
        fail(r, TRIT_E_FILE, key, trit_out_of_range(u, lo, hi).text);
    return r->status ? lo : (int32_t)u;
}

/* The string is not one of those supported. */
static void fail_string(struct reader *r, const char *key, struct trit_string s,
                        const char *supported)
{
    char what[256];
    snprintf(what, sizeof what, "is '%s'; it must be %s", trit_quote(s).text, supported);
    fail(r, TRIT_E_UNSUPPORTED, key, what);
}

/* A number in lo..hi. If the key is absent: `missing`, or a failure if that is NaN. */
static double read_real(struct reader *r, const char *key, double lo, double hi, double missing)
{
    double x = missing;

    if (r->status)
        return lo;
    r->status = trit_gguf_get_f64(r->file, full_key(r, key), &x, r->err);
    if (!r->status && isnan(x))
        fail(r, TRIT_E_FILE, key, trit_gguf_find(r->file, r->key) ? "is NaN" : "is missing");
    if (!r->status && !(x >= lo && x <= hi))
        fail(r, TRIT_E_FILE, key, trit_out_of_range(x, lo, hi).text);
    return r->status ? lo : x;
}

static struct trit_string read_string(struct reader *r, const char *key)
{
    struct trit_string s = {"", 0};
    if (!r->status)
        r->status = trit_gguf_get_string(r->file, full_key(r, key), &s, r->err);
    return s;
}

/* ---- Filling in knobs ------------------------------------------------------------------------ */

static void read_sizes(struct reader *r, struct trit_knobs *k)
{
    k->n_layer = read_int(r, "block_count", 1, 1024, -1);
    k->n_embd = read_int(r, "embedding_length", 1, 1 << 20, -1);
    k->n_ff = read_int(r, "feed_forward_length", 1, 1 << 20, -1);
    k->n_ctx = read_int(r, "context_length", 1, 1 << 20, -1);
    k->n_window = read_int(r, "attention.sliding_window", 0, INT32_MAX, 0);
    k->n_head = read_int(r, "attention.head_count", 1, 4096, -1);
    k->n_head_kv = read_int(r, "attention.head_count_kv", 1, 4096, k->n_head);
    k->head_dim = k->n_embd / k->n_head;
    if (!trit_gguf_find(r->file, full_key(r, "attention.key_length")) && k->n_embd % k->n_head)
        fail(r, TRIT_E_FILE, "embedding_length", "is not a multiple of attention.head_count");
    k->head_dim = read_int(r, "attention.key_length", 1, TRIT_MAX_HEAD_DIM, k->head_dim);
    if (read_int(r, "attention.value_length", 1, TRIT_MAX_HEAD_DIM, k->head_dim) != k->head_dim)
        fail(r, TRIT_E_UNSUPPORTED, "attention.value_length", "differs from attention.key_length");
    k->n_rot = read_int(r, "rope.dimension_count", 1, TRIT_MAX_HEAD_DIM, k->head_dim);
    if (k->n_head % k->n_head_kv)
        fail(r, TRIT_E_FILE, "attention.head_count_kv", "does not divide attention.head_count");
    if (k->head_dim > TRIT_MAX_HEAD_DIM)
        fail(r, TRIT_E_UNSUPPORTED, "attention.head_count", "gives heads wider than 512");
    if (k->n_rot % 2 || k->n_rot > k->head_dim)
        fail(r, TRIT_E_FILE, "rope.dimension_count", "is odd or larger than a head");
}

/* Two spellings. Without a type, a factor of 0 means none. */
static double read_rope_factor(struct reader *r, bool may_be_zero)
{
    static const char *const keys[] = {"rope.scaling.factor", "rope.scale_linear"};
    double factor = 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        double x = 0;
        if (!r->status)
            r->status = trit_gguf_get_f64(r->file, full_key(r, keys[i]), &x, r->err);
        if (r->status || !trit_gguf_find(r->file, r->key) || (x == 0 && may_be_zero))
            continue;
        if (!(x >= TRIT_MIN_ROPE_FACTOR && x <= TRIT_MAX_ROPE_FACTOR))
            fail(r, TRIT_E_FILE, keys[i],
                 trit_out_of_range(x, TRIT_MIN_ROPE_FACTOR, TRIT_MAX_ROPE_FACTOR).text);
        if (factor != 0 && x != factor)
            fail(r, TRIT_E_FILE, keys[i], "contradicts rope.scaling.factor");
        factor = x;
    }
    return factor != 0 ? factor : 1;
}

static void read_rope(struct reader *r, struct trit_knobs *k)
{
    const struct trit_string type = read_string(r, "rope.scaling.type");

    k->rope_base = read_real(r, "rope.freq_base", 1, 1e12, 10000);
    k->rope_factor = 1;
    if (!type.len || trit_string_is(type, "linear"))
        k->rope_factor = read_rope_factor(r, !type.len);
    else if (!trit_string_is(type, "none"))
        fail_string(r, "rope.scaling.type", type, "'none' or 'linear'");
}

static void read_act(struct reader *r, struct trit_knobs *k, const struct trit_arch *arch)
{
    const struct trit_string name = read_string(r, "hidden_activation");

    k->ffn_act_why = "architecture";
    if (arch->may_be_2b4t && k->n_embd == 2560 && k->n_ff == 6912 && k->n_head == 20 &&
        k->n_head_kv == 5) {
        k->ffn_act = TRIT_ACT_RELU2;
        k->ffn_act_why = "the shape is that of 2B-4T";
    }
    if (arch->may_be_1bitllm)
        for (size_t i = 0; i < sizeof shapes_of_1bitllm / sizeof *shapes_of_1bitllm; i++)
            if (k->n_embd == shapes_of_1bitllm[i].n_embd && k->n_ff == shapes_of_1bitllm[i].n_ff) {
                k->ffn_act = TRIT_ACT_SILU;
                k->ffn_act_why = "the shape is one of 1bitLLM's";
            }
    if (r->status || !name.len)
        return;
    for (size_t i = 0; i < N_ACT_NAMES; i++)
        if (trit_string_is(name, act_names[i].name)) {
            k->ffn_act = act_names[i].act;
            k->ffn_act_why = "the file's hidden_activation";
            return;
        }
    fail_string(r, "hidden_activation", name, "'silu' or 'relu2'");
}

/* The index of one of the knob's words; `missing` if the key is absent. */
static double read_word(struct reader *r, const struct trit_knob *knob, double missing)
{
    const struct trit_string s = read_string(r, knob->name);

    for (int i = 0; i < knob->n_words; i++)
        if (trit_string_is(s, knob->words[i]))
            return i;
    if (s.len)
        fail_string(r, knob->name, s, trit_knob_range(knob).text);
    return missing;
}

static bool read_bool(struct reader *r, const char *key, bool missing)
{
    bool out = missing;
    if (!r->status)
        r->status = trit_gguf_get_bool(r->file, full_key(r, key), &out, r->err);
    return out;
}

/* Read a knob from the file. Its default is the architecture's. */
static void read_knob(struct reader *r, const struct trit_knob *knob, struct trit_knobs *k)
{
    const double is = trit_knob_get(knob, k);

    trit_knob_set(knob, k,
                  knob->kind == TRIT_KNOB_BOOL   ? read_bool(r, knob->name, is != 0)
                  : knob->kind == TRIT_KNOB_WORD ? read_word(r, knob, is)
                  : knob->kind == TRIT_KNOB_INT
                      ? read_int(r, knob->name, (int32_t)knob->lo, (int32_t)knob->hi, (int32_t)is)
                      : read_real(r, knob->name, knob->lo, knob->hi, is));
}

static void read_knobs(struct reader *r, struct trit_knobs *k)
{
    const struct trit_knob *knob;
    struct trit_error why;

    for (size_t i = 0; (knob = trit_knob_at(i)); i++)
        read_knob(r, knob, k);
    if (r->status)
        return;
    const trit_status status = trit_knobs_finish(k, &why);
    if (status)
        r->status = trit_fail(r->err, status, "%s %s", r->file->path, why.text);
}

const struct trit_arch *trit_arch_named(struct trit_string name)
{
    for (size_t i = 0; i < N_ARCHS; i++)
        if (trit_string_is(name, archs[i].name))
            return &archs[i];
    return NULL;
}

static const char *norm_eps_key(enum trit_norm_kind norm)
{
    return norm == TRIT_NORM_LAYER ? "attention.layer_norm_epsilon"
                                   : "attention.layer_norm_rms_epsilon";
}

static trit_status unknown_arch(const trit_file *file, struct trit_string name,
                                struct trit_error *err)
{
    char known[384] = "";
    for (size_t i = 0; i < N_ARCHS; i++)
        trit_append(known, sizeof known, "%s%s", i ? ", " : "", archs[i].name);
    return trit_fail(err, TRIT_E_UNSUPPORTED,
                     "%s has architecture '%s', which is not supported; supported are %s",
                     file->path, trit_quote(name).text, known);
}

trit_status trit_arch_read(const struct trit_arch **arch, struct trit_knobs *knobs,
                           const trit_file *file, struct trit_error *err)
{
    struct trit_string name = {"", 0};
    const trit_status status = trit_gguf_get_string(file, "general.architecture", &name, err);

    if (status)
        return status;
    if (!name.len)
        return trit_fail(err, TRIT_E_FILE, "%s names no architecture", file->path);
    *arch = trit_arch_named(name);
    if (!*arch)
        return unknown_arch(file, name, err);

    struct reader r = {.file = file, .prefix = (*arch)->name, .err = err};
    *knobs = (*arch)->knobs;
    read_sizes(&r, knobs);
    read_rope(&r, knobs);
    read_act(&r, knobs, *arch);
    knobs->causal = read_bool(&r, "attention.causal", knobs->causal);
    if (!r.status)
        r.status = trit_check_unsupported(file, (*arch)->name, knobs, err);
    r.prefix = "trit";
    read_knobs(&r, knobs);
    r.prefix = (*arch)->name;
    knobs->norm_eps = (float)read_real(&r, norm_eps_key(knobs->norm), 1e-30, 1, NAN);
    return r.status;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void write_knob(const struct trit_knob *knob, double x, struct gguf_writer *w)
{
    char key[64];

    snprintf(key, sizeof key, "trit.%s", knob->name);
    switch (knob->kind) {
    case TRIT_KNOB_BOOL:
        trit_gguf_write_bool(w, key, x != 0);
        break;
    case TRIT_KNOB_INT:
        trit_gguf_write_u32(w, key, (uint32_t)x);
        break;
    case TRIT_KNOB_REAL:
        trit_gguf_write_f32(w, key, (float)x);
        break;
    case TRIT_KNOB_WORD:
        trit_gguf_write_string(w, key, knob->words[(int)x]);
        break;
    }
}

struct key {
    char text[96];
};

static struct key key_of(const struct trit_arch *arch, const char *name)
{
    struct key key;
    snprintf(key.text, sizeof key.text, "%s.%s", arch->name, name);
    return key;
}

void trit_arch_write(const struct trit_arch *arch, const struct trit_knobs *k, int32_t n_vocab,
                     const char *act, struct gguf_writer *w)
{
    const struct {
        const char *name;
        int32_t value;
    } sizes[] = {
        {"vocab_size", n_vocab},
        {"context_length", k->n_ctx},
        {"embedding_length", k->n_embd},
        {"block_count", k->n_layer},
        {"feed_forward_length", k->n_ff},
        {"rope.dimension_count", k->n_rot},
        {"attention.head_count", k->n_head},
        {"attention.head_count_kv", k->n_head_kv},
        {"attention.key_length", k->head_dim},
        {"attention.value_length", k->head_dim},
    };
    const struct trit_knob *knob;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        trit_gguf_write_u32(w, key_of(arch, sizes[i].name).text, (uint32_t)sizes[i].value);
    trit_gguf_write_f32(w, key_of(arch, norm_eps_key(k->norm)).text, k->norm_eps);
    trit_gguf_write_f32(w, key_of(arch, "rope.freq_base").text, (float)k->rope_base);
    if (k->rope_factor != 1) {
        trit_gguf_write_string(w, key_of(arch, "rope.scaling.type").text, "linear");
        trit_gguf_write_f32(w, key_of(arch, "rope.scaling.factor").text, (float)k->rope_factor);
    }
    if (k->n_window)
        trit_gguf_write_u32(w, key_of(arch, "attention.sliding_window").text,
                            (uint32_t)k->n_window);
    if (act)
        trit_gguf_write_string(w, key_of(arch, "hidden_activation").text, act);
    for (size_t i = 0; (knob = trit_knob_at(i)); i++) {
        const double x = trit_knob_get(knob, k);
        if (arch->open || x != trit_knob_get(knob, &arch->knobs))
            write_knob(knob, x, w);
    }
}
