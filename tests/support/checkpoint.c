/* checkpoint.c - see checkpoint.h. Written from the description of the formats, independently of
 * the readers in src/. */
#define _POSIX_C_SOURCE 200809L

#include "checkpoint.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "torch_writer.h"
#include "trit_tools.h"

#define REQUIRE(x)                                                                                 \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "checkpoint: %s failed\n", #x);                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

const struct ck_spec ck_default = {
    .family = CK_BITNET,
    .n_layer = 2,
    .hidden = 256,
    .heads = 4,
    .kv_heads = 2,
    .head_dim = 64,
    .ffn = 512,
    .vocab = 288,
    .n_ctx = 128,
    .packed = true,
    .autobit = true,
    .dtype = CK_BF16,
    .scale_dtype = CK_BF16,
    .rope_theta = 500000,
    .eps = 1e-5,
    .rms_eps = 1e-6,
    .rope_key = "rope_type",
    .not_converted = "null",
    .embd_sd = 0.15,
    .seed = 1,
};

struct ck_spec ck_bitskip(int version)
{
    struct ck_spec s = ck_default;

    s.family = CK_BITSKIP;
    s.version = version;
    s.hidden = 128;
    s.head_dim = 32;
    s.ffn = 256;
    s.n_ctx = 32;
    s.packed = s.autobit = false;
    s.untied = s.no_head_dim = true;
    s.dtype = CK_F32;
    s.rope_theta = 10000;
    s.embd_sd = 0.5;
    s.position_sd = 0.4;
    s.prefix = "model.";
    s.norm_name = "norm";
    s.knobs = (struct ck_knobs){.causal = true,
                                .block = CK_PRE,
                                .norm = CK_RMS,
                                .ffn = CK_GATED,
                                .act_bits = version == 2 ? 4 : 8,
                                .act_form = CK_DIV,
                                .act_eps = 1e-6,
                                .linear_norm = version == 1 ? CK_NO_NORM : CK_LAYER,
                                .linear_norm_eps = 1e-5,
                                .hadamard = version == 1 ? CK_NO_HADAMARD : CK_AFTER,
                                .hadamard_output = version != 1,
                                .exit_norm = true};
    return s;
}

struct ck_spec ck_bitnet8(void)
{
    struct ck_spec s = ck_bitskip(1);

    s.family = CK_BITNET8;
    s.prefix = "";
    s.knobs.block = CK_POST;
    s.knobs.norm = CK_LAYER;
    s.knobs.attn_in_norm = true;
    s.knobs.ffn = CK_PLAIN;
    s.knobs.learned_positions = true;
    s.knobs.linear_post = CK_RELU2;
    s.knobs.exit_min_layers = 4;
    s.knobs.exit_threshold = 0.95;
    return s;
}

/* ---- Memory and text ------------------------------------------------------------------------- */

/* Room for one more item of n. */
static void *grow(void *items, int n, size_t size)
{
    void *grown = realloc(items, ((size_t)n + 1) * size);
    REQUIRE(grown);
    return grown;
}

static char *copy_text(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    REQUIRE(copy);
    return strcpy(copy, text);
}

/* Append formatted text; b is not terminated. */
static void say(struct fx_bytes *b, const char *fmt, ...) TRIT_PRINTF(2, 3);
static void say(struct fx_bytes *b, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    REQUIRE(n >= 0 && (size_t)n < sizeof text);
    fx_put(b, text, (size_t)n);
}

/* The bytes of b as a separate string; b is empty afterwards. */
static char *take_text(struct fx_bytes *b)
{
    fx_put(b, "", 1);
    char *text = (char *)b->data;
    *b = (struct fx_bytes){0};
    return text;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static const char *const dtype_names[] = {"U8", "BF16", "F16", "F32"};

static size_t dtype_bytes(const char *dtype)
{
    static const struct {
        const char *name;
        size_t bytes;
    } sizes[] = {{"U8", 1},  {"I8", 1},  {"BOOL", 1}, {"BF16", 2}, {"F16", 2},
                 {"I16", 2}, {"F32", 4}, {"I32", 4},  {"F64", 8},  {"I64", 8}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (strcmp(sizes[i].name, dtype) == 0)
            return sizes[i].bytes;
    fprintf(stderr, "checkpoint: no size of %s\n", dtype);
    abort();
}

static uint16_t bf16_of(double x)
{
    const float f = (float)x;
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    if (isnan(f))
        return 0x7fc0;
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static double bf16_value(uint16_t h)
{
    const uint32_t u = (uint32_t)h << 16;
    float f;
    memcpy(&f, &u, sizeof f);
    return (double)f;
}

/* Half to even, subnormals kept. */
static uint16_t f16_of(double x)
{
    const uint16_t sign = signbit(x) ? 0x8000 : 0;
    const double a = fabs(x);
    int e;

    if (isnan(x))
        return 0x7e00;
    if (a < 0x1p-14)
        return (uint16_t)(sign | (uint16_t)rint(ldexp(a, 24)));
    frexp(a, &e);                                                         /* a = 0.1… * 2^e */
    const double m = isinf(a) || e > 16 ? 65536 : rint(ldexp(a, 11 - e)); /* 1024..2048 */
    if (m >= 65536 || (e == 16 && m >= 2048))
        return sign | 0x7c00;
    return (uint16_t)(sign | (uint16_t)((e + 13) * 1024 + (int)m));
}

static double f16_value(uint16_t h)
{
    const int e = h >> 10 & 31, m = h & 1023;
    const double a = e == 31  ? (m ? (double)NAN : (double)INFINITY)
                     : e == 0 ? ldexp(m, -24)
                              : ldexp(1024 + m, e - 25);
    return h & 0x8000 ? -a : a;
}

double ck_value(const struct ck_tensor *t, size_t i)
{
    uint16_t h;
    float f;

    if (strcmp(t->dtype, "F32") == 0) {
        REQUIRE(i < t->n_bytes / 4);
        memcpy(&f, t->data + 4 * i, sizeof f);
        return (double)f;
    }
    REQUIRE(i < t->n_bytes / 2);
    memcpy(&h, t->data + 2 * i, sizeof h);
    if (strcmp(t->dtype, "BF16") == 0)
        return bf16_value(h);
    REQUIRE(strcmp(t->dtype, "F16") == 0);
    return f16_value(h);
}

void ck_set_value(struct ck_tensor *t, size_t i, double x)
{
    const float f = (float)x;

    if (strcmp(t->dtype, "F32") == 0) {
        REQUIRE(i < t->n_bytes / 4);
        memcpy(t->data + 4 * i, &f, sizeof f);
        return;
    }
    const bool bf16 = strcmp(t->dtype, "BF16") == 0;
    REQUIRE(bf16 || strcmp(t->dtype, "F16") == 0);
    REQUIRE(i < t->n_bytes / 2);
    const uint16_t h = bf16 ? bf16_of(x) : f16_of(x);
    memcpy(t->data + 2 * i, &h, sizeof h);
}

/* ---- Packed codes ----------------------------------------------------------------------------
 *
 * R = ceil(n_rows / 4) rows of bytes: byte [r, c] holds rows r, R + r, 2R + r and 3R + r of column
 * c, from the low bits up, as code + 1. If 4 does not divide n_rows, the last group is short. */

static uint8_t *code_byte(const struct ck_tensor *t, int n_rows, int row, int col, int *shift)
{
    const int group = (n_rows + 3) / 4;
    REQUIRE(strcmp(t->dtype, "U8") == 0 && t->n_dims == 2 && t->dims[0] == (uint64_t)group);
    REQUIRE(row >= 0 && row < n_rows && col >= 0 && (uint64_t)col < t->dims[1]);
    *shift = row / group * 2;
    return t->data + (uint64_t)(row % group) * t->dims[1] + (uint64_t)col;
}

int ck_code(const struct ck_tensor *t, int n_rows, int row, int col)
{
    int shift;
    const uint8_t *byte = code_byte(t, n_rows, row, col, &shift);
    return (*byte >> shift & 3) - 1;
}

void ck_set_code(struct ck_tensor *t, int n_rows, int row, int col, int code)
{
    int shift;
    uint8_t *byte = code_byte(t, n_rows, row, col, &shift);
    *byte = (uint8_t)((*byte & ~(3 << shift)) | (code + 1) << shift);
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static struct ck_tensor *ck_find(const struct ck *c, const char *name)
{
    for (int i = 0; i < c->n_tensors; i++)
        if (strcmp(c->tensors[i].name, name) == 0)
            return &c->tensors[i];
    return NULL;
}

struct ck_tensor *ck_tensor(const struct ck *c, const char *name)
{
    struct ck_tensor *t = ck_find(c, name);
    if (!t) {
        fprintf(stderr, "checkpoint: there is no %s\n", name);
        abort();
    }
    return t;
}

struct ck_tensor *ck_add(struct ck *c, const char *name, const char *dtype, const uint64_t *dims)
{
    c->tensors = grow(c->tensors, c->n_tensors, sizeof *c->tensors);
    struct ck_tensor *t = &c->tensors[c->n_tensors++];

    *t = (struct ck_tensor){.n_bytes = dtype_bytes(dtype)};
    REQUIRE(strlen(name) < sizeof t->name);
    strcpy(t->name, name);
    snprintf(t->dtype, sizeof t->dtype, "%s", dtype);
    for (; dims[t->n_dims]; t->n_dims++) {
        REQUIRE(t->n_dims < CK_MAX_DIMS);
        t->dims[t->n_dims] = dims[t->n_dims];
        t->n_bytes *= dims[t->n_dims];
    }
    t->data = calloc(1, t->n_bytes);
    REQUIRE(t->data);
    return t;
}

void ck_drop(struct ck *c, const char *name)
{
    struct ck_tensor *t = ck_tensor(c, name);
    free(t->data);
    *t = c->tensors[--c->n_tensors];
}

void ck_rename(struct ck *c, const char *part, const char *with)
{
    for (int i = 0; i < c->n_tensors; i++) {
        char name[sizeof c->tensors[i].name];
        char *at = strstr(c->tensors[i].name, part);
        if (!at)
            continue;
        const int n = snprintf(name, sizeof name, "%.*s%s%s", (int)(at - c->tensors[i].name),
                               c->tensors[i].name, with, at + strlen(part));
        REQUIRE((size_t)n < sizeof name);
        strcpy(c->tensors[i].name, name);
    }
}

static void add_norm(struct ck *c, const char *name, int n, uint64_t *rng)
{
    const uint64_t dims[] = {(uint64_t)n, 0};
    struct ck_tensor *t = ck_add(c, name, dtype_names[c->spec.dtype], dims);
    for (int i = 0; i < n; i++)
        ck_set_value(t, (size_t)i, 1 + 0.2 * (double)fx_normal(rng));
}

static void add_matrix(struct ck *c, const char *name, int n_rows, int n_cols, double sd,
                       uint64_t *rng)
{
    const uint64_t dims[] = {(uint64_t)n_rows, (uint64_t)n_cols, 0};
    struct ck_tensor *t = ck_add(c, name, dtype_names[c->spec.dtype], dims);
    for (size_t i = 0; i < (size_t)n_rows * (size_t)n_cols; i++)
        ck_set_value(t, i, sd * (double)fx_normal(rng));
}

static void add_packed(struct ck *c, const char *stem, int n_rows, int n_cols, double scale,
                       uint64_t *rng)
{
    const uint64_t dims[] = {(uint64_t)(n_rows + 3) / 4, (uint64_t)n_cols, 0};
    const uint64_t one[] = {1, 0};
    char name[128];

    snprintf(name, sizeof name, "%s.weight", stem);
    struct ck_tensor *t = ck_add(c, name, "U8", dims);
    for (int r = 0; r < n_rows; r++)
        for (int i = 0; i < n_cols; i++) {
            const uint64_t x = fx_random(rng) >> 40;
            ck_set_code(t, n_rows, r, i, x % 20 < 7 ? 0 : x >> 8 & 1 ? 1 : -1);
        }
    snprintf(name, sizeof name, "%s.weight_scale", stem);
    t = ck_add(c, name, dtype_names[c->spec.scale_dtype], one);
    ck_set_value(t, 0, c->spec.autobit ? scale : 1 / scale);
}

/* A linear whose output is about as large as its input. Each has a different scale. */
static void add_linear(struct ck *c, int layer, const char *where, int n_rows, int n_cols,
                       uint64_t *rng)
{
    const double factor = 0.7 + 0.6 * (double)(fx_random(rng) >> 40) * 0x1p-24;
    const double scale = factor / sqrt(0.65 * n_cols);
    char stem[96], name[128];

    snprintf(stem, sizeof stem, "model.layers.%d.%s", layer, where);
    if (c->spec.packed) {
        add_packed(c, stem, n_rows, n_cols, scale, rng);
    } else {
        snprintf(name, sizeof name, "%s.weight", stem);
        add_matrix(c, name, n_rows, n_cols, scale / 0.8, rng); /* mean |x| is 0.8 sd */
    }
    if (c->spec.rms_norm) {
        snprintf(name, sizeof name, "%s.rms_norm.weight", stem);
        add_norm(c, name, n_cols, rng);
    }
}

static void add_layer(struct ck *c, int layer, uint64_t *rng)
{
    const struct ck_spec *s = &c->spec;
    const int nq = s->heads * s->head_dim, nkv = s->kv_heads * s->head_dim;
    const bool bitnet = s->family == CK_BITNET;
    char name[128];

    snprintf(name, sizeof name, "model.layers.%d.input_layernorm.weight", layer);
    add_norm(c, name, s->hidden, rng);
    add_linear(c, layer, "self_attn.q_proj", nq, s->hidden, rng);
    add_linear(c, layer, "self_attn.k_proj", nkv, s->hidden, rng);
    add_linear(c, layer, "self_attn.v_proj", nkv, s->hidden, rng);
    add_linear(c, layer, "self_attn.o_proj", s->hidden, nq, rng);
    snprintf(name, sizeof name, "model.layers.%d.post_attention_layernorm.weight", layer);
    add_norm(c, name, s->hidden, rng);
    add_linear(c, layer, "mlp.gate_proj", s->ffn, s->hidden, rng);
    add_linear(c, layer, "mlp.up_proj", s->ffn, s->hidden, rng);
    add_linear(c, layer, "mlp.down_proj", s->hidden, s->ffn, rng);
    if (s->family == CK_LLAMA)
        return;
    snprintf(name, sizeof name, "model.layers.%d.self_attn.%s.weight", layer,
             bitnet ? "attn_sub_norm" : "inner_attn_ln");
    add_norm(c, name, nq, rng);
    snprintf(name, sizeof name, "model.layers.%d.mlp.%s.weight", layer,
             bitnet ? "ffn_sub_norm" : "ffn_layernorm");
    add_norm(c, name, s->ffn, rng);
}

/* ---- Tensors of bitskip and bitnet-8bit ------------------------------------------------------ */

static bool is_variant(const struct ck_spec *s)
{
    return s->family == CK_BITSKIP || s->family == CK_BITNET8;
}

const char *ck_head(const struct ck_spec *spec, char stem[64])
{
    static const char inner[] = "model.";
    size_t n = strlen(spec->prefix);

    if (n >= strlen(inner) && strcmp(spec->prefix + n - strlen(inner), inner) == 0)
        n -= strlen(inner);
    snprintf(stem, 64, "%.*slm_head", (int)n, spec->prefix);
    return stem;
}

/* A norm whose weights and biases are far enough from 1 and 0 to affect the logits. */
static void add_affine(struct ck *c, const char *stem, int n, int kind, uint64_t *rng)
{
    const uint64_t dims[] = {(uint64_t)n, 0};
    char name[128];

    for (int bias = 0; bias <= (kind == CK_LAYER); bias++) {
        snprintf(name, sizeof name, "%s.%s", stem, bias ? "bias" : "weight");
        struct ck_tensor *t = ck_add(c, name, dtype_names[c->spec.dtype], dims);
        for (int i = 0; i < n; i++)
            ck_set_value(t, (size_t)i, !bias + 0.35 * (double)fx_normal(rng));
    }
}

/* The size of the inputs of a linear: root mean square, and maximum. */
struct size {
    double rms, max;
};

static const struct size normed = {1, 3.3};

/* The factor by which a linear with weights of +-1 would multiply such inputs. */
static double gain(const struct ck_knobs *k, int n_rows, int n_cols, struct size x)
{
    const double in = k->hadamard && !k->hadamard_norm ? sqrt(n_cols) : 1;
    const double out = k->hadamard_output && !k->hadamard_norm ? sqrt(n_rows) : 1;

    if (k->hadamard == CK_BEFORE) /* a sum of many terms is normally distributed */
        x.max = 3.3 * x.rms * in;
    const double y = x.rms * in * sqrt(0.69 * n_cols) * out; /* 0.69 of the weights are not 0 */
    const int max = (1 << (k->act_bits - 1)) - 1;
    return k->act_dequant == CK_STANDARD ? y : y * max / (x.max * x.max);
}

/* Outputs, before they are squared, have a deviation near 1, different for each linear. */
/* A weight at the edge between two codes, half the mean of all, may round either way in single
 * precision. */
static void keep_off_edges(struct ck_tensor *t, size_t n)
{
    double mean = 0;

    for (size_t i = 0; i < n; i++)
        mean += fabs(ck_value(t, i)) / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double w = ck_value(t, i);
        if (fabs(fabs(w) / mean - 0.5) < 1e-5)
            ck_set_value(t, i, w * 0.97);
    }
}

static void add_variant_linear(struct ck *c, int layer, const char *where, int n_rows, int n_cols,
                               struct size x, uint64_t *rng)
{
    const struct ck_spec *s = &c->spec;
    const double factor = 0.7 + 0.6 * (double)(fx_random(rng) >> 40) * 0x1p-24;
    const double scale = factor / gain(&s->knobs, n_rows, n_cols, x);
    char stem[96], name[128];

    snprintf(stem, sizeof stem, "%slayers.%d.%s", s->prefix, layer, where);
    snprintf(name, sizeof name, "%s.weight", stem);
    add_matrix(c, name, n_rows, n_cols, scale / 0.8, rng);
    keep_off_edges(ck_tensor(c, name), (size_t)n_rows * (size_t)n_cols);
    if (s->knobs.linear_norm) {
        snprintf(name, sizeof name, "%s.%s", stem, s->norm_name);
        add_affine(c, name, n_cols, s->knobs.linear_norm, rng);
    }
    if (s->extras && s->family == CK_BITNET8) {
        static const uint64_t one[] = {1, 0};
        snprintf(name, sizeof name, "%s.weight_scale", stem);
        ck_set_value(ck_add(c, name, "F32", one), 0, 1);
    }
}

/* The input of down, if the outputs of gate and up have deviation 1. For a normally distributed x,
 * the mean square of relu(x)^2 is 3/2, of relu(x)^4 105/2, of SiLU(x) 0.36. */
static struct size ffn_size(const struct ck_spec *s)
{
    const struct ck_knobs *k = &s->knobs;
    const char *by_family = s->family == CK_BITNET8 ? "relu2" : "silu";
    const bool relu2 = strcmp(s->hidden_act ? s->hidden_act : by_family, "relu2") == 0;
    const bool squared = k->linear_post == CK_RELU2;
    struct size x = squared ? relu2 ? (struct size){7.2, 60} : (struct size){1.1, 8}
                    : relu2 ? (struct size){1.2, 8}
                            : (struct size){0.6, 3};

    if (k->linear_norm)
        return normed;
    if (k->ffn == CK_GATED) {
        x.rms *= squared ? 1.2 : 1;
        x.max *= squared ? 2 : 1.2;
    }
    return x;
}

static void add_block_norm(struct ck *c, int layer, bool attention, uint64_t *rng)
{
    static const char *const names[2][2] = {{"post_attention_layernorm", "input_layernorm"},
                                            {"feed_forward_norm.norm", "self_attn_norm.norm"}};
    const struct ck_knobs *k = &c->spec.knobs;
    char stem[96];

    snprintf(stem, sizeof stem, "%slayers.%d.%s", c->spec.prefix, layer,
             names[k->block == CK_POST][attention]);
    add_affine(c, stem, c->spec.hidden, k->norm, rng);
}

/* Buffers of a layer, and tensors for training only; their values must not matter. */
static void add_layer_extras(struct ck *c, int layer, uint64_t *rng)
{
    const struct ck_spec *s = &c->spec;
    char name[128];

    snprintf(name, sizeof name, "%slayers.%d.self_attn.rotary_emb.inv_freq", s->prefix, layer);
    add_matrix(c, name, 1, s->head_dim / 2, 9, rng);
    if (s->family == CK_BITSKIP)
        return;
    snprintf(name, sizeof name, "%slayers.%d.self_attn.rotary_emb.cos_cached", s->prefix, layer);
    add_matrix(c, name, s->n_ctx, s->head_dim, 9, rng);
    snprintf(name, sizeof name, "%slayers.%d.self_attn.rotary_emb.sin_cached", s->prefix, layer);
    add_matrix(c, name, s->n_ctx, s->head_dim, 9, rng);
    snprintf(name, sizeof name, "%slayers.%d.routing_module.gate.weight", s->prefix, layer);
    add_matrix(c, name, 1, s->hidden, 9, rng);
    snprintf(name, sizeof name, "%slayers.%d.routing_module.gate.bias", s->prefix, layer);
    add_norm(c, name, 1, rng);
}

static void add_extras(struct ck *c)
{
    static const uint64_t scalar[] = {0};
    const uint64_t layers[] = {(uint64_t)c->spec.n_layer, 0};
    char name[128];

    if (c->spec.family == CK_BITSKIP)
        return;
    snprintf(name, sizeof name, "%searly_exit_curriculum", c->spec.prefix);
    ck_add(c, name, "I64", scalar);
    snprintf(name, sizeof name, "%slayer_skipping.skip_masks", c->spec.prefix);
    ck_add(c, name, "BOOL", layers);
}

static void add_variant_layer(struct ck *c, int layer, uint64_t *rng)
{
    const struct ck_spec *s = &c->spec;
    const struct ck_knobs *k = &s->knobs;
    const int nq = s->heads * s->head_dim, nkv = s->kv_heads * s->head_dim;
    const char *ffn = s->family == CK_BITNET8 ? "feed_forward" : "mlp";
    const double position_sd = k->learned_positions ? s->position_sd : 0;
    const double h = sqrt(s->embd_sd * s->embd_sd + position_sd * position_sd);
    const bool as_it_is = layer == 0 && k->block == CK_POST && !k->attn_in_norm;
    const bool squared = k->linear_post == CK_RELU2;
    const struct size x = as_it_is && !k->linear_norm ? (struct size){h, 3.3 * h} : normed;
    /* Scores that differ enough for queries and keys to matter. */
    const struct size sharp = {squared ? x.rms : x.rms / 1.8, x.max};
    const struct size values = k->linear_norm ? normed /* means of them */
                               : squared      ? (struct size){0.7, 2.5}
                                              : (struct size){0.5, 1.7};
    char where[64];

    add_block_norm(c, layer, true, rng);
    add_variant_linear(c, layer, "self_attn.q_proj", nq, s->hidden, sharp, rng);
    add_variant_linear(c, layer, "self_attn.k_proj", nkv, s->hidden, sharp, rng);
    add_variant_linear(c, layer, "self_attn.v_proj", nkv, s->hidden, x, rng);
    add_variant_linear(c, layer, "self_attn.o_proj", s->hidden, nq, values, rng);
    add_block_norm(c, layer, false, rng);
    if (k->ffn == CK_GATED) {
        snprintf(where, sizeof where, "%s.gate_proj", ffn);
        add_variant_linear(c, layer, where, s->ffn, s->hidden, normed, rng);
    }
    snprintf(where, sizeof where, "%s.up_proj", ffn);
    add_variant_linear(c, layer, where, s->ffn, s->hidden, normed, rng);
    snprintf(where, sizeof where, "%s.down_proj", ffn);
    add_variant_linear(c, layer, where, s->hidden, s->ffn, ffn_size(s), rng);
    if (s->extras)
        add_layer_extras(c, layer, rng);
}

static void add_variant_tensors(struct ck *c)
{
    const struct ck_spec *s = &c->spec;
    uint64_t rng = s->seed;
    char name[128];

    snprintf(name, sizeof name, "%sembed_tokens.weight", s->prefix);
    add_matrix(c, name, s->vocab, s->hidden, s->embd_sd, &rng);
    if (s->knobs.learned_positions) {
        snprintf(name, sizeof name, "%sembed_positions.weight", s->prefix);
        add_matrix(c, name, s->n_ctx, s->hidden, s->position_sd, &rng);
    }
    for (int i = 0; i < s->n_layer; i++)
        add_variant_layer(c, i, &rng);
    snprintf(name, sizeof name, "%s%s", s->prefix, s->family == CK_BITNET8 ? "layer_norm" : "norm");
    add_affine(c, name, s->hidden, s->knobs.norm, &rng);
    if (s->untied) {
        char head[64];
        snprintf(name, sizeof name, "%s.weight", ck_head(s, head));
        add_matrix(c, name, s->vocab, s->hidden, 0.15, &rng);
    }
    if (s->extras)
        add_extras(c);
}

static void add_tensors(struct ck *c)
{
    const struct ck_spec *s = &c->spec;
    uint64_t rng = s->seed;

    if (is_variant(s)) {
        add_variant_tensors(c);
        return;
    }
    add_matrix(c, "model.embed_tokens.weight", s->vocab, s->hidden, s->embd_sd, &rng);
    for (int i = 0; i < s->n_layer; i++)
        add_layer(c, i, &rng);
    add_norm(c, "model.norm.weight", s->hidden, &rng);
    if (s->untied)
        add_matrix(c, "lm_head.weight", s->vocab, s->hidden, 0.15, &rng);
}

/* ---- config.json ----------------------------------------------------------------------------- */

static int find_member(const struct ck *c, const char *key)
{
    int i = 0;
    while (i < c->n_members && strcmp(c->members[i].key, key) != 0)
        i++;
    return i;
}

void ck_set(struct ck *c, const char *key, const char *json)
{
    const int i = find_member(c, key);

    if (i < c->n_members) {
        free(c->members[i].json);
        if (json)
            c->members[i].json = copy_text(json);
        else
            c->members[i] = c->members[--c->n_members];
        return;
    }
    if (!json) {
        fprintf(stderr, "checkpoint: config.json has no %s\n", key);
        abort();
    }
    c->members = grow(c->members, c->n_members, sizeof *c->members);
    struct ck_member *m = &c->members[c->n_members++];
    REQUIRE(strlen(key) < sizeof m->key);
    strcpy(m->key, key);
    m->json = copy_text(json);
}

static void set_number(struct ck *c, const char *key, double x)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", x);
    ck_set(c, key, text);
}

static void set_bool(struct ck *c, const char *key, bool x)
{
    ck_set(c, key, x ? "true" : "false");
}

static void set_shapes(struct ck *c)
{
    const struct ck_spec *s = &c->spec;
    set_number(c, "hidden_size", s->hidden);
    set_number(c, "intermediate_size", s->ffn);
    set_number(c, "num_hidden_layers", s->n_layer);
    set_number(c, "num_attention_heads", s->heads);
    set_number(c, "num_key_value_heads", s->kv_heads);
    set_number(c, "vocab_size", s->vocab);
    set_number(c, "max_position_embeddings", s->n_ctx);
    set_number(c, "rms_norm_eps", s->eps);
    set_number(c, "rope_theta", s->rope_theta);
    set_bool(c, "tie_word_embeddings", !s->untied);
    if (!s->no_head_dim)
        set_number(c, "head_dim", s->head_dim);
    if (s->rope_factor > 0) {
        char json[100];
        snprintf(json, sizeof json, "{\"%s\": \"linear\", \"factor\": %.17g}", s->rope_key,
                 s->rope_factor);
        ck_set(c, "rope_scaling", json);
    } else {
        ck_set(c, "rope_scaling", "null");
    }
}

static void set_quantization(struct ck *c)
{
    const struct ck_spec *s = &c->spec;

    if (s->family == CK_1BITLLM) {
        set_number(c, "input_bits", 8);
        set_number(c, "weight_bits", 1);
        return;
    }
    ck_set(c, "quantization_config.quant_method", "\"bitnet\"");
    if (s->not_converted)
        ck_set(c, "quantization_config.modules_to_not_convert", s->not_converted);
    if (s->old_config)
        return;
    ck_set(c, "quantization_config.linear_class",
           s->autobit ? "\"autobitlinear\"" : "\"bitlinear\"");
    ck_set(c, "quantization_config.quantization_mode", s->packed ? "\"offline\"" : "\"online\"");
    if (!s->rms_norm)
        return;
    ck_set(c, "quantization_config.use_rms_norm", "true");
    set_number(c, "quantization_config.rms_norm_eps", s->rms_eps);
}

static void set_config(struct ck *c)
{
    static const struct {
        const char *architectures, *model_type, *act;
    } by_family[] = {{"[\"BitNetForCausalLM\"]", "\"bitnet\"", "relu2"},
                     {"[\"LlamaForCausalLM\"]", "\"llama\"", "silu"},
                     {"[\"BitnetForCausalLM\"]", "\"llama\"", "silu"}};
    static const char *const torch_dtype[] = {NULL, "\"bfloat16\"", "\"float16\"", "\"float32\""};
    const struct ck_spec *s = &c->spec;
    const bool spm = s->family == CK_1BITLLM;
    char act[40];

    snprintf(act, sizeof act, "\"%s\"", s->hidden_act ? s->hidden_act : by_family[s->family].act);
    ck_set(c, "architectures", by_family[s->family].architectures);
    ck_set(c, "model_type", by_family[s->family].model_type);
    ck_set(c, "hidden_act", act);
    ck_set(c, "torch_dtype", torch_dtype[s->dtype]);
    ck_set(c, "attention_bias", "false");
    ck_set(c, "attention_dropout", "0.0");
    ck_set(c, "initializer_range", "0.02");
    ck_set(c, "use_cache", "true");
    ck_set(c, "transformers_version", "\"4.52.0.dev0\"");
    set_number(c, "bos_token_id", spm ? 1 : 264);
    set_number(c, "eos_token_id", spm ? 2 : 265);
    set_shapes(c);
    set_quantization(c);
}

/* Neither family has a quantization_config; a bare config.json lacks the members below. */
static void set_variant_config(struct ck *c)
{
    static const char *const torch_dtype[] = {NULL, "\"bfloat16\"", "\"float16\"", "\"float32\""};
    const struct ck_spec *s = &c->spec;
    const bool bitnet8 = s->family == CK_BITNET8;
    char json[64];

    snprintf(json, sizeof json, "[\"BitSkipV%dWithEarlyExit\"]", s->version);
    ck_set(c, "architectures", bitnet8 ? "[\"BitNetModel\"]" : json);
    snprintf(json, sizeof json, "\"bitskip_v%d_earlyexit\"", s->version);
    ck_set(c, "model_type", bitnet8 ? "\"bitnet\"" : json);
    ck_set(c, "torch_dtype", torch_dtype[s->dtype]);
    ck_set(c, "transformers_version", "\"4.45.2\"");
    set_number(c, "hidden_size", s->hidden);
    set_number(c, "intermediate_size", s->ffn);
    set_number(c, "num_hidden_layers", s->n_layer);
    set_number(c, "num_attention_heads", s->heads);
    set_number(c, "vocab_size", s->vocab);
    set_number(c, "max_position_embeddings", s->n_ctx);
    set_bool(c, "tie_word_embeddings", !s->untied);
    if (s->hidden_act) {
        snprintf(json, sizeof json, "\"%s\"", s->hidden_act);
        ck_set(c, "hidden_act", json);
    }
    if (!bitnet8 || !s->bare_config)
        set_number(c, "num_key_value_heads", s->kv_heads);
    if (s->bare_config)
        return;
    set_number(c, "rope_theta", s->rope_theta);
    /* No source says which of the two counts if a knob changes the kind of the norms. */
    if (!bitnet8 || s->knobs.norm == CK_RMS)
        set_number(c, "rms_norm_eps", s->eps);
    if (bitnet8 || s->knobs.norm == CK_LAYER)
        set_number(c, "layer_norm_eps", s->eps);
    if (bitnet8) { /* wrong for its vocabulary, as published */
        set_number(c, "pad_token_id", 0);
        set_number(c, "bos_token_id", 1);
        set_number(c, "eos_token_id", 2);
    }
}

/* The members of an object, or with outer "" of the whole config. */
static void say_members(struct fx_bytes *b, const struct ck *c, const char *outer)
{
    const size_t n = strlen(outer);
    const char *comma = "";

    say(b, "{");
    for (int i = 0; i < c->n_members; i++) {
        const struct ck_member *m = &c->members[i];
        const char *dot = strchr(m->key, '.');
        if (n ? strncmp(m->key, outer, n) != 0 || m->key[n] != '.' : dot != NULL)
            continue;
        say(b, "%s\n  \"%s\": %s", comma, n ? dot + 1 : m->key, m->json);
        comma = ",";
    }
    if (!n && find_member(c, "quantization_config") == c->n_members) {
        struct fx_bytes inner = {0};
        say_members(&inner, c, "quantization_config");
        if (inner.len > 3) {
            say(b, "%s\n  \"quantization_config\": ", comma);
            fx_put(b, inner.data, inner.len);
        }
        free(inner.data);
    }
    say(b, "\n}");
}

/* ---- Tokenizers ------------------------------------------------------------------------------ */

/* A character as part of a JSON string. */
static void say_character(struct fx_bytes *b, unsigned code)
{
    if (code == '"' || code == '\\')
        say(b, "\\%c", (char)code);
    else if (code < 0x80)
        say(b, "%c", (char)code);
    else
        say(b, "%c%c", (char)(0xc0 | code >> 6), (char)(0x80 | (code & 63)));
}

/* Byte-level BPE: the printable Latin-1 characters stand for themselves, the other bytes are
 * U+0100 and on, in order. */
static void say_bytes(struct fx_bytes *b)
{
    unsigned next = 256;
    for (unsigned i = 0; i < 256; i++) {
        const bool plain = (i > 32 && i < 127) || (i > 160 && i != 173);
        say(b, "\"");
        say_character(b, plain ? i : next);
        say(b, "\": %u, ", i);
        next += !plain;
    }
}

/* Added tokens with ids from first on; ids without a name are reserved tokens. */
static void say_added(struct fx_bytes *b, int first, const char *const *names, int n_names, int n)
{
    say(b, "\"added_tokens\": [");
    for (int i = 0; i < n; i++) {
        char name[40];
        snprintf(name, sizeof name, "<|reserved_special_token_%d|>", i);
        say(b,
            "%s{\"id\": %d, \"content\": \"%s\", \"single_word\": false, \"lstrip\": false, "
            "\"rstrip\": false, \"normalized\": false, \"special\": true}",
            i ? ", " : "", first + i, i < n_names ? names[i] : name);
    }
    say(b, "], ");
}

static char *bpe_tokenizer(const struct ck_spec *s)
{
    static const char *const special[] = {"<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"};
    struct fx_bytes b = {0};

    say(&b, "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, ");
    say_added(&b, 264, special, 3, (s->n_tokens ? s->n_tokens : 270) - 264);
    say(&b, "\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"ByteLevel\", "
            "\"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}, ");
    say(&b, "\"post_processor\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, "
            "\"trim_offsets\": false, \"use_regex\": true}, ");
    say(&b, "\"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, "
            "\"trim_offsets\": true, \"use_regex\": true}, ");
    say(&b, "\"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, "
            "\"continuing_subword_prefix\": null, \"end_of_word_suffix\": null, "
            "\"fuse_unk\": false, \"byte_fallback\": false, \"vocab\": {");
    say_bytes(&b);
    say(&b, "\"th\": 256, \"the\": 257, \"Ġthe\": 258, \"in\": 259, \"an\": 260, \"and\": 261, "
            "\"Ġand\": 262, \"er\": 263}, ");
    say(&b, "\"merges\": [\"t h\", \"th e\", \"Ġ the\", \"i n\", \"a n\", \"an d\", "
            "\"Ġ and\", \"e r\"]}}");
    return take_text(&b);
}

static char *spm_tokenizer(const struct ck_spec *s)
{
    static const char *const special[] = {"<pad>"};
    struct fx_bytes b = {0};

    say(&b, "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, ");
    say_added(&b, 269, special, 1, (s->n_tokens ? s->n_tokens : 270) - 269);
    say(&b, "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", "
            "\"prepend\": \"▁\"}, {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, "
            "\"content\": \"▁\"}]}, \"pre_tokenizer\": null, ");
    say(&b, "\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": "
            "[{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}, "
            "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], \"pair\": [], "
            "\"special_tokens\": {\"<s>\": {\"id\": \"<s>\", \"ids\": [1], "
            "\"tokens\": [\"<s>\"]}}}, ");
    say(&b, "\"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Replace\", "
            "\"pattern\": {\"String\": \"▁\"}, \"content\": \" \"}, {\"type\": \"ByteFallback\"}, "
            "{\"type\": \"Fuse\"}, {\"type\": \"Strip\", \"content\": \" \", \"start\": 1, "
            "\"stop\": 0}]}, ");
    say(&b, "\"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": \"<unk>\", "
            "\"continuing_subword_prefix\": null, \"end_of_word_suffix\": null, "
            "\"fuse_unk\": true, \"byte_fallback\": true, "
            "\"vocab\": {\"<unk>\": 0, \"<s>\": 1, \"</s>\": 2, ");
    for (int i = 0; i < 256; i++)
        say(&b, "\"<0x%02X>\": %d, ", (unsigned)i, 3 + i);
    say(&b, "\"▁\": 259, \"t\": 260, \"h\": 261, \"e\": 262, \"a\": 263, \"n\": 264, "
            "\"th\": 265, \"the\": 266, \"▁the\": 267, \"an\": 268}, "
            "\"merges\": [\"t h\", \"th e\", \"▁ the\", \"a n\"]}}");
    return take_text(&b);
}

static void put_tokenizer(struct ck *c)
{
    const bool spm = c->spec.family == CK_1BITLLM;
    char *text = spm ? spm_tokenizer(&c->spec) : bpe_tokenizer(&c->spec);

    ck_put_file(c, "tokenizer.json", text);
    free(text);
    ck_put_file(c, "tokenizer_config.json",
                spm ? "{\"tokenizer_class\": \"BitnetTokenizer\", \"add_bos_token\": true, "
                      "\"add_eos_token\": false, \"bos_token\": \"<s>\", \"eos_token\": \"</s>\", "
                      "\"pad_token\": \"<pad>\", \"unk_token\": \"<unk>\", \"legacy\": false}"
                    : "{\"tokenizer_class\": \"PreTrainedTokenizerFast\", \"add_bos_token\": true, "
                      "\"bos_token\": \"<|begin_of_text|>\", \"eos_token\": \"<|eot_id|>\", "
                      "\"model_max_length\": 128}");
    ck_put_file(c, "generation_config.json",
                spm ? "{\"bos_token_id\": 1, \"eos_token_id\": 2, \"pad_token_id\": 269}"
                    : "{\"bos_token_id\": 264, \"eos_token_id\": [265, 266], \"do_sample\": true}");
}

/* ---- A checkpoint ---------------------------------------------------------------------------- */

struct ck *ck_new(const struct ck_spec *spec)
{
    struct ck *c = calloc(1, sizeof *c);
    REQUIRE(c);
    c->spec = *spec;
    if (is_variant(spec))
        set_variant_config(c);
    else
        set_config(c);
    put_tokenizer(c);
    add_tensors(c);
    return c;
}

struct ck *ck_copy(const struct ck *c)
{
    struct ck *copy = calloc(1, sizeof *copy);

    REQUIRE(copy);
    copy->spec = c->spec;
    strcpy(copy->omitted, c->omitted);
    for (int i = 0; i < c->n_members; i++)
        ck_set(copy, c->members[i].key, c->members[i].json);
    for (int i = 0; i < c->n_files; i++)
        ck_put_file(copy, c->files[i].name, c->files[i].text);
    for (int i = 0; i < c->n_tensors; i++) {
        const struct ck_tensor *t = &c->tensors[i];
        memcpy(ck_add(copy, t->name, t->dtype, t->dims)->data, t->data, t->n_bytes);
    }
    return copy;
}

void ck_free(struct ck *c)
{
    for (int i = 0; i < c->n_tensors; i++)
        free(c->tensors[i].data);
    for (int i = 0; i < c->n_members; i++)
        free(c->members[i].json);
    for (int i = 0; i < c->n_files; i++)
        free(c->files[i].text);
    free(c->tensors);
    free(c->members);
    free(c->files);
    free(c);
}

void ck_put_file(struct ck *c, const char *name, const char *text)
{
    int i = 0;

    while (i < c->n_files && strcmp(c->files[i].name, name) != 0)
        i++;
    if (i == c->n_files) {
        c->files = grow(c->files, c->n_files, sizeof *c->files);
        c->files[c->n_files++] = (struct ck_file){.text = NULL};
        snprintf(c->files[i].name, sizeof c->files[i].name, "%s", name);
    }
    free(c->files[i].text);
    c->files[i].text = copy_text(text);
}

void ck_omit(struct ck *c, const char *name)
{
    snprintf(c->omitted, sizeof c->omitted, "%s", name);
}

/* ---- Folders --------------------------------------------------------------------------------- */

enum { MAX_FOLDERS = 128 };
static char *folders[MAX_FOLDERS];
static int n_folders;
static char root[] = "checkpoint-XXXXXX";

static void empty_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    char name[1024];

    REQUIRE(d);
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, e->d_name);
            unlink(name);
        }
    closedir(d);
}

static void remove_folders(void)
{
    for (int i = 0; i < n_folders; i++) {
        empty_folder(folders[i]);
        rmdir(folders[i]);
        free(folders[i]);
    }
    rmdir(root);
}

/* An empty folder of that name. */
static const char *new_folder(const char *name)
{
    char path[128];

    if (n_folders == 0) {
        REQUIRE(mkdtemp(root));
        atexit(remove_folders);
    }
    const int n = snprintf(path, sizeof path, "%s/%s", root, name);
    REQUIRE(n > 0 && (size_t)n < sizeof path);
    for (int i = 0; i < n_folders; i++)
        if (strcmp(folders[i], path) == 0) {
            empty_folder(path);
            return folders[i];
        }
    REQUIRE(n_folders < MAX_FOLDERS && mkdir(path, 0777) == 0);
    folders[n_folders] = copy_text(path);
    return folders[n_folders++];
}

static void write_file(const struct ck *c, const char *dir, const char *name, const void *data,
                       size_t len)
{
    char path[256];

    if (strcmp(name, c->omitted) == 0)
        return;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
    FILE *f = fopen(path, "wb");
    REQUIRE(f && fwrite(data, 1, len, f) == len && fclose(f) == 0);
}

/* ---- Weights ---------------------------------------------------------------------------------
 *
 * safetensors: u64 length of the header, little-endian | JSON, blanks to a multiple of 8 | data */

static void write_safetensors(const struct ck *c, const char *dir, const char *name, int begin,
                              int end)
{
    struct fx_bytes header = {0}, image = {0};
    size_t at = 0;

    say(&header, "{\"__metadata__\": {\"format\": \"pt\"}");
    for (int i = begin; i < end; i++) {
        const struct ck_tensor *t = &c->tensors[i];
        say(&header, ", \"%s\": {\"dtype\": \"%s\", \"shape\": [", t->name, t->dtype);
        for (int d = 0; d < t->n_dims; d++)
            say(&header, "%s%" PRIu64, d ? ", " : "", t->dims[d]);
        say(&header, "], \"data_offsets\": [%zu, %zu]}", at, at + t->n_bytes);
        at += t->n_bytes;
    }
    say(&header, "}");
    while (header.len % 8)
        say(&header, " ");
    fx_put_u64(&image, header.len);
    fx_put(&image, header.data, header.len);
    for (int i = begin; i < end; i++)
        fx_put(&image, c->tensors[i].data, c->tensors[i].n_bytes);
    write_file(c, dir, name, image.data, image.len);
    free(image.data);
    free(header.data);
}

static void write_torch(const struct ck *c, const char *dir, const char *name, int begin, int end)
{
    struct tw_file f = {.zip64 = true};
    size_t len;

    tw_begin(&f);
    for (int i = begin; i < end; i++) {
        const struct ck_tensor *t = &c->tensors[i];
        tw_tensor(&f, t->name, t->dtype, (uint32_t)t->n_dims, t->dims, t->data, t->n_bytes);
    }
    tw_end(&f);
    uint8_t *image = tw_image(&f, &len);
    write_file(c, dir, name, image, len);
    free(image);
}

static void write_weights(const struct ck *c, const char *dir, const char *name, int begin, int end)
{
    (c->spec.torch ? write_torch : write_safetensors)(c, dir, name, begin, end);
}

static void write_shards(const struct ck *c, const char *dir)
{
    const int n = c->spec.n_shards;
    struct fx_bytes index = {0};
    const char *comma = "";

    say(&index, "{\"metadata\": {\"total_size\": 0}, \"weight_map\": {");
    for (int s = 0; s < n; s++) {
        const int begin = c->n_tensors * s / n, end = c->n_tensors * (s + 1) / n;
        char name[64];
        snprintf(name, sizeof name,
                 c->spec.torch ? "pytorch_model-%05d-of-%05d.bin"
                               : "model-%05d-of-%05d.safetensors",
                 s + 1, n);
        write_weights(c, dir, name, begin, end);
        for (int i = begin; i < end; i++, comma = ", ")
            say(&index, "%s\"%s\": \"%s\"", comma, c->tensors[i].name, name);
    }
    say(&index, "}}");
    write_file(c, dir,
               c->spec.torch ? "pytorch_model.bin.index.json" : "model.safetensors.index.json",
               index.data, index.len);
    free(index.data);
}

const char *ck_write(const struct ck *c, const char *name)
{
    const char *dir = new_folder(name);
    struct fx_bytes config = {0};

    say_members(&config, c, "");
    write_file(c, dir, "config.json", config.data, config.len);
    free(config.data);
    if (c->spec.n_shards)
        write_shards(c, dir);
    else
        write_weights(c, dir, c->spec.torch ? "pytorch_model.bin" : "model.safetensors", 0,
                      c->n_tensors);
    for (int i = 0; i < c->n_files; i++) /* possibly replacing one of these */
        write_file(c, dir, c->files[i].name, c->files[i].text, strlen(c->files[i].text));
    return dir;
}

/* ---- Reading one ----------------------------------------------------------------------------- */

static uint8_t *read_file(const char *dir, const char *name, size_t *len)
{
    char path[1024];
    long size;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    REQUIRE(f && fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 8);
    rewind(f);
    uint8_t *data = malloc((size_t)size);
    REQUIRE(data && fread(data, 1, (size_t)size, f) == (size_t)size);
    fclose(f);
    *len = (size_t)size;
    return data;
}

static struct trit_json *parse(const void *text, size_t len)
{
    struct trit_json *json;
    struct trit_error err;
    if (trit_json_read(&json, text, len, &err)) {
        fprintf(stderr, "checkpoint: %s\n", err.text);
        abort();
    }
    return json;
}

static int read_int(const struct trit_json_value *config, const char *key)
{
    int64_t x;
    REQUIRE(trit_json_int64(trit_json_member(config, key), &x) && x > 0 && x <= INT32_MAX);
    return (int)x;
}

static double read_number(const struct trit_json_value *config, const char *key, double missing)
{
    const struct trit_json_value *value = trit_json_member(config, key);
    return trit_json_type_of(value) == TRIT_JSON_NUMBER ? trit_json_double(value) : missing;
}

static bool text_is(const struct trit_json_value *value, const char *text)
{
    return trit_json_type_of(value) == TRIT_JSON_STRING &&
           strcmp(trit_json_text(value).bytes, text) == 0;
}

static void read_config(struct ck *c, const char *dir)
{
    size_t len;
    uint8_t *text = read_file(dir, "config.json", &len);
    struct trit_json *json = parse(text, len);
    const struct trit_json_value *config = trit_json_root(json);
    const struct trit_json_value *name =
        trit_json_item(trit_json_member(config, "architectures"), 0);
    const struct trit_json_value *quant = trit_json_member(config, "quantization_config");
    const struct trit_json_value *rope = trit_json_member(config, "rope_scaling");
    struct ck_spec *s = &c->spec;

    s->family = text_is(name, "BitNetForCausalLM")  ? CK_BITNET
                : text_is(name, "LlamaForCausalLM") ? CK_LLAMA
                                                    : CK_1BITLLM;
    s->n_layer = read_int(config, "num_hidden_layers");
    s->hidden = read_int(config, "hidden_size");
    s->heads = read_int(config, "num_attention_heads");
    s->kv_heads = read_int(config, "num_key_value_heads");
    s->head_dim = (int)read_number(config, "head_dim", s->hidden / s->heads);
    s->ffn = read_int(config, "intermediate_size");
    s->vocab = read_int(config, "vocab_size");
    s->n_ctx = read_int(config, "max_position_embeddings");
    s->untied = !trit_json_is_true(trit_json_member(config, "tie_word_embeddings"));
    s->eps = read_number(config, "rms_norm_eps", NAN);
    s->rope_theta = read_number(config, "rope_theta", 10000);
    s->rope_factor = read_number(rope, "factor", 0);
    s->autobit = text_is(trit_json_member(quant, "linear_class"), "autobitlinear");
    s->rms_norm = trit_json_is_true(trit_json_member(quant, "use_rms_norm"));
    s->rms_eps = read_number(quant, "rms_norm_eps", 1e-6);
    trit_json_free(&json);
    free(text);
}

static void read_weights(struct ck *c, const char *dir)
{
    size_t len;
    uint8_t *image = read_file(dir, "model.safetensors", &len);
    uint64_t n = 0;

    for (int i = 7; i >= 0; i--)
        n = n << 8 | image[i];
    REQUIRE(n <= len - 8);
    const uint8_t *data = image + 8 + n;
    struct trit_json *json = parse(image + 8, n);
    for (const struct trit_json_value *m = trit_json_first(trit_json_root(json)); m;
         m = trit_json_next(m)) {
        const struct trit_json_value *offsets = trit_json_member(m, "data_offsets");
        const struct trit_json_value *shape = trit_json_member(m, "shape");
        uint64_t dims[4] = {0};
        int64_t x = 0;

        if (strcmp(trit_json_key(m).bytes, "__metadata__") == 0)
            continue;
        REQUIRE(trit_json_count(shape) < 4);
        for (size_t i = 0; i < trit_json_count(shape); i++, dims[i - 1] = (uint64_t)x)
            REQUIRE(trit_json_int64(trit_json_item(shape, i), &x) && x > 0);
        struct ck_tensor *t = ck_add(c, trit_json_key(m).bytes,
                                     trit_json_text(trit_json_member(m, "dtype")).bytes, dims);
        REQUIRE(trit_json_int64(trit_json_item(offsets, 0), &x) && x >= 0 &&
                t->n_bytes <= len - 8 - n && (uint64_t)x <= len - 8 - n - t->n_bytes);
        memcpy(t->data, data + x, t->n_bytes);
        REQUIRE(trit_json_int64(trit_json_item(offsets, 1), &x) && x >= 0);
    }
    trit_json_free(&json);
    free(image);
}

struct ck *ck_read(const char *dir)
{
    struct ck *c = calloc(1, sizeof *c);
    REQUIRE(c);
    read_config(c, dir);
    read_weights(c, dir);
    return c;
}
