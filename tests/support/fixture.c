/* fixture.c - see fixture.h. The packers are written from the description of each type,
 * independently of the unpackers that they test. */
#define _POSIX_C_SOURCE 200809L

#include "fixture.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "half.h"

#define REQUIRE(x)                                                                                 \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "fixture: %s failed\n", #x);                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- Bytes ----------------------------------------------------------------------------------- */

void fx_put(struct fx_bytes *b, const void *p, size_t n)
{
    if (b->len + n > b->size) {
        b->size = 2 * (b->len + n) + 64;
        b->data = realloc(b->data, b->size);
        REQUIRE(b->data);
    }
    if (n)
        memcpy(b->data + b->len, p, n);
    b->len += n;
}

bool fx_append(void *fx_bytes, const void *p, size_t n)
{
    fx_put(fx_bytes, p, n);
    return true;
}

void fx_put_u32(struct fx_bytes *b, uint32_t x)
{
    fx_put(b, &x, sizeof x);
}

void fx_put_u64(struct fx_bytes *b, uint64_t x)
{
    fx_put(b, &x, sizeof x);
}

void fx_put_string(struct fx_bytes *b, const char *s)
{
    fx_put_u64(b, strlen(s));
    fx_put(b, s, strlen(s));
}

static void pad(struct fx_bytes *b, size_t to)
{
    static const uint8_t zeros[64];
    while (b->len % to)
        fx_put(b, zeros, to - b->len % to < sizeof zeros ? to - b->len % to : sizeof zeros);
}

/* ---- Metadata and tensors -------------------------------------------------------------------- */

void fx_init(struct fx_gguf *g)
{
    *g = (struct fx_gguf){.version = 3, .alignment = 32};
}

void fx_free(struct fx_gguf *g)
{
    free(g->kv.data);
    free(g->infos.data);
    free(g->data.data);
    *g = (struct fx_gguf){0};
}

static void key(struct fx_gguf *g, const char *name, uint32_t type)
{
    fx_put_string(&g->kv, name);
    fx_put_u32(&g->kv, type);
    g->n_kv++;
}

void fx_u32(struct fx_gguf *g, const char *name, uint32_t x)
{
    key(g, name, TRIT_VALUE_U32);
    fx_put_u32(&g->kv, x);
}

void fx_i32(struct fx_gguf *g, const char *name, int32_t x)
{
    key(g, name, TRIT_VALUE_I32);
    fx_put(&g->kv, &x, sizeof x);
}

void fx_f32(struct fx_gguf *g, const char *name, float x)
{
    key(g, name, TRIT_VALUE_F32);
    fx_put(&g->kv, &x, sizeof x);
}

void fx_bool(struct fx_gguf *g, const char *name, bool x)
{
    const uint8_t byte = x;
    key(g, name, TRIT_VALUE_BOOL);
    fx_put(&g->kv, &byte, 1);
}

void fx_str(struct fx_gguf *g, const char *name, const char *s)
{
    key(g, name, TRIT_VALUE_STRING);
    fx_put_string(&g->kv, s);
}

void fx_str_array(struct fx_gguf *g, const char *name, const char *const *items, size_t n)
{
    key(g, name, TRIT_VALUE_ARRAY);
    fx_put_u32(&g->kv, TRIT_VALUE_STRING);
    fx_put_u64(&g->kv, n);
    for (size_t i = 0; i < n; i++)
        fx_put_string(&g->kv, items[i]);
}

void fx_i32_array(struct fx_gguf *g, const char *name, const int32_t *items, size_t n)
{
    key(g, name, TRIT_VALUE_ARRAY);
    fx_put_u32(&g->kv, TRIT_VALUE_I32);
    fx_put_u64(&g->kv, n);
    fx_put(&g->kv, items, n * sizeof *items);
}

void fx_tensor(struct fx_gguf *g, const char *name, uint32_t type, const uint64_t *dims,
               const void *data, size_t n_bytes)
{
    uint32_t n_dims = 0;
    while (dims[n_dims])
        n_dims++;
    pad(&g->data, g->alignment);
    fx_put_string(&g->infos, name);
    fx_put_u32(&g->infos, n_dims);
    for (uint32_t i = 0; i < n_dims; i++)
        fx_put_u64(&g->infos, dims[i]);
    fx_put_u32(&g->infos, type);
    fx_put_u64(&g->infos, g->data.len);
    fx_put(&g->data, data, n_bytes);
    g->n_tensors++;
}

uint8_t *fx_image(const struct fx_gguf *g, size_t *len)
{
    struct fx_bytes b = {0};
    const bool name_alignment = g->alignment != 32;

    fx_put(&b, "GGUF", 4);
    fx_put_u32(&b, g->version);
    fx_put_u64(&b, g->n_tensors);
    fx_put_u64(&b, g->n_kv + name_alignment);
    if (name_alignment) {
        fx_put_string(&b, "general.alignment");
        fx_put_u32(&b, TRIT_VALUE_U32);
        fx_put_u32(&b, g->alignment);
    }
    fx_put(&b, g->kv.data, g->kv.len);
    fx_put(&b, g->infos.data, g->infos.len);
    if (g->n_tensors)
        pad(&b, g->alignment);
    fx_put(&b, g->data.data, g->data.len);
    *len = b.len;
    return b.data;
}

/* ---- Files ----------------------------------------------------------------------------------- */

enum { MAX_FILES = 256 };
static char *files[MAX_FILES]; /* and folders, each before what is in it */
static int n_files;
static char dir[] = "fixture-XXXXXX";

static void remove_files(void)
{
    while (n_files > 0) {
        remove(files[--n_files]);
        free(files[n_files]);
    }
    rmdir(dir);
}

/* The path of that name, which is removed at exit. */
static const char *path_of(const char *name)
{
    if (n_files == 0) {
        REQUIRE(mkdtemp(dir));
        atexit(remove_files);
    }
    char *path = malloc(strlen(dir) + strlen(name) + 2);
    REQUIRE(path && n_files < MAX_FILES);
    sprintf(path, "%s/%s", dir, name);
    for (int i = 0; i < n_files; i++)
        if (strcmp(files[i], path) == 0) { /* once more */
            free(path);
            return files[i];
        }
    return files[n_files++] = path;
}

const char *fx_write(const char *name, const void *data, size_t len)
{
    const char *path = path_of(name);
    unlink(path); /* truncating a file that was just read can be slow */
    FILE *f = fopen(path, "wb");
    REQUIRE(f && fwrite(data, 1, len, f) == len && fclose(f) == 0);
    return path;
}

const char *fx_folder(const char *name)
{
    const char *path = path_of(name);
    REQUIRE(mkdir(path, 0700) == 0 || errno == EEXIST);
    return path;
}

const char *fx_write_gguf(const char *name, const struct fx_gguf *g)
{
    size_t len;
    uint8_t *image = fx_image(g, &len);
    const char *path = fx_write(name, image, len);
    free(image);
    return path;
}

/* ---- Random numbers -------------------------------------------------------------------------- */

uint64_t fx_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15); /* splitmix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

float fx_normal(uint64_t *state)
{
    float sum = 0;
    for (int i = 0; i < 12; i++)
        sum += (float)(fx_random(state) >> 40) * 0x1p-24f;
    return sum - 6.0f;
}

void fx_ids(int32_t *ids, int n, int n_vocab, uint64_t seed)
{
    for (int i = 0; i < n; i++)
        ids[i] = (int32_t)(fx_random(&seed) % (uint64_t)n_vocab);
}

/* ---- Packing --------------------------------------------------------------------------------- */

static void pack_i2s(struct fx_bytes *out, const int8_t *t, size_t n, float scale)
{
    uint8_t tail[32] = {0};
    for (size_t b = 0; b < n; b += 128)
        for (size_t j = 0; j < 32; j++) {
            const int8_t *w = t + b + j;
            const uint8_t byte =
                (uint8_t)((w[0] + 1) << 6 | (w[32] + 1) << 4 | (w[64] + 1) << 2 | (w[96] + 1));
            fx_put(out, &byte, 1);
        }
    memcpy(tail, &scale, sizeof scale);
    fx_put(out, tail, sizeof tail);
}

static void pack_tq2(struct fx_bytes *out, const int8_t *t, size_t n, float scale)
{
    const uint16_t d = trit_f32_to_f16(scale);
    for (size_t b = 0; b < n; b += 256, t += 256) {
        uint8_t q[64] = {0};
        for (size_t k = 0; k < 256; k++)
            q[k / 128 * 32 + k % 32] |= (uint8_t)((t[k] + 1) << (k / 32 % 4 * 2));
        fx_put(out, q, sizeof q);
        fx_put(out, &d, sizeof d);
    }
}

/* n trits, most significant first, as the fraction of 3^5 scaled to a byte and rounded up. */
static uint8_t tq1_byte(const int8_t *t, size_t step, int n)
{
    int v = 0;
    for (int i = 0; i < 5; i++)
        v = 3 * v + (i < n ? t[(size_t)i * step] + 1 : 0);
    return (uint8_t)((v * 256 + 242) / 243);
}

static void pack_tq1(struct fx_bytes *out, const int8_t *t, size_t n, float scale)
{
    const uint16_t d = trit_f32_to_f16(scale);
    for (size_t b = 0; b < n; b += 256, t += 256) {
        uint8_t q[52];
        for (size_t m = 0; m < 32; m++)
            q[m] = tq1_byte(t + m, 32, 5);
        for (size_t m = 0; m < 16; m++)
            q[32 + m] = tq1_byte(t + 160 + m, 16, 5);
        for (size_t m = 0; m < 4; m++)
            q[48 + m] = tq1_byte(t + 240 + m, 4, 4);
        fx_put(out, q, sizeof q);
        fx_put(out, &d, sizeof d);
    }
}

/* Plain floats; x receives the rounded values of the file. */
static void pack_floats(struct fx_bytes *out, uint32_t type, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, &x[i], sizeof u);
        if (type == FX_F16) {
            const uint16_t h = trit_f32_to_f16(x[i]);
            fx_put(out, &h, sizeof h);
            x[i] = trit_f16_to_f32(h);
        } else if (type == FX_BF16) {
            const uint16_t h = (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
            fx_put(out, &h, sizeof h);
            x[i] = trit_bf16_to_f32(h);
        } else {
            fx_put(out, &x[i], sizeof x[i]);
        }
    }
}

static void pack_q8_0(struct fx_bytes *out, float *x, size_t n)
{
    for (size_t b = 0; b < n; b += 32) {
        float m = 0;
        for (size_t i = 0; i < 32; i++)
            m = fmaxf(m, fabsf(x[b + i]));
        const uint16_t d = trit_f32_to_f16(m / 127);
        const float df = trit_f16_to_f32(d);
        fx_put(out, &d, sizeof d);
        for (size_t i = 0; i < 32; i++) {
            const int8_t q = (int8_t)(df > 0 ? fmaxf(-127, fminf(127, rintf(x[b + i] / df))) : 0);
            fx_put(out, &q, 1);
            x[b + i] = df * (float)q;
        }
    }
}

/* Formats without a packer here: random bits with small scales, decoded by the scalar kernel (which
 * test_kernels compares with the formula). */
static void random_blocks(struct fx_bytes *out, enum trit_format format, float *x, size_t n,
                          uint64_t *rng)
{
    struct trit_kernels k;
    const size_t bytes = trit_format_bytes(format, trit_format_block(format));
    const size_t scale_at[2] = {format == TRIT_FORMAT_Q6_K ? 208 : 0,
                                format == TRIT_FORMAT_Q4_K ? 2 : SIZE_MAX};

    trit_kernels_init_scalar(&k);
    for (size_t b = 0; b < n; b += trit_format_block(format)) {
        uint8_t block[256];
        for (size_t i = 0; i < bytes; i++)
            block[i] = (uint8_t)fx_random(rng);
        for (int i = 0; i < 2; i++)
            if (scale_at[i] != SIZE_MAX) {
                const uint16_t d = trit_f32_to_f16(format == TRIT_FORMAT_Q4_0 ? 0.01f : 0.0005f);
                memcpy(block + scale_at[i], &d, sizeof d);
            }
        k.decode[format](x + b, block, trit_format_block(format));
        fx_put(out, block, bytes);
    }
}

/* ---- A tiny model ---------------------------------------------------------------------------- */

const struct fx_spec fx_default = {
    .arch = "bitnet-b1.58",
    .n_layer = 2,
    .n_embd = 256,
    .n_head = 4,
    .n_head_kv = 2,
    .head_dim = 64,
    .n_ff = 384,
    .n_vocab = 300,
    .n_ctx = 256,
    .linear_type = FX_I2_S,
    .embd_type = FX_F16,
    .sub_norms = true,
    .rope_base = 10000,
    .weight_scale = 0.02f,
    .seed = 1,
};

static void put_norm(struct fx_gguf *g, const char *name, float **out, int n, float mean,
                     uint64_t *rng)
{
    const uint64_t dims[] = {(uint64_t)n, 0};
    *out = malloc((size_t)n * sizeof **out);
    REQUIRE(*out);
    for (int i = 0; i < n; i++)
        (*out)[i] = mean * (1.0f + 0.2f * fx_normal(rng));
    fx_tensor(g, name, FX_F32, dims, *out, (size_t)n * sizeof **out);
}

static void put_matrix(struct fx_gguf *g, const char *name, uint32_t type, float **out, int n_cols,
                       int n_rows, uint64_t *rng)
{
    const uint64_t dims[] = {(uint64_t)n_cols, (uint64_t)n_rows, 0};
    const size_t n = (size_t)n_cols * (size_t)n_rows;
    struct fx_bytes packed = {0};
    float *x = malloc(n * sizeof *x);

    REQUIRE(x);
    for (size_t i = 0; i < n; i++)
        x[i] = 0.5f * fx_normal(rng);
    switch (type) {
    case FX_Q8_0:
        pack_q8_0(&packed, x, n);
        break;
    case FX_Q4_0:
        random_blocks(&packed, TRIT_FORMAT_Q4_0, x, n, rng);
        break;
    case FX_Q4_K:
        random_blocks(&packed, TRIT_FORMAT_Q4_K, x, n, rng);
        break;
    case FX_Q6_K:
        random_blocks(&packed, TRIT_FORMAT_Q6_K, x, n, rng);
        break;
    default:
        pack_floats(&packed, type, x, n);
    }
    fx_tensor(g, name, type, dims, packed.data, packed.len);
    free(packed.data);
    *out = x;
}

static void pack_linear(struct fx_bytes *out, const struct fx_spec *s, struct fx_linear *l,
                        float scale)
{
    const size_t n = (size_t)l->n_in * (size_t)l->n_out;
    float *x;

    l->scale = scale;
    switch (s->linear_type) {
    case FX_I2_S:
        pack_i2s(out, l->t, n, scale);
        return;
    case FX_TQ1_0:
        pack_tq1(out, l->t, n, scale);
        l->scale = trit_f16_to_f32(trit_f32_to_f16(scale));
        return;
    case FX_TQ2_0:
        pack_tq2(out, l->t, n, scale);
        l->scale = trit_f16_to_f32(trit_f32_to_f16(scale));
        return;
    default:
        x = malloc(n * sizeof *x);
        REQUIRE(x);
        for (size_t i = 0; i < n; i++)
            x[i] = scale * (float)l->t[i];
        pack_floats(out, s->linear_type, x, n);
        for (size_t i = 0; i < n; i++)
            if (l->t[i])
                l->scale = fabsf(x[i]);
        free(x);
    }
}

static void put_linear(struct fx_gguf *g, const struct fx_spec *s, int layer, const char *name,
                       struct fx_linear *l, int n_in, int n_out, uint64_t *rng)
{
    const uint64_t dims[] = {(uint64_t)n_in, (uint64_t)n_out, 0}, one[] = {1, 0};
    const size_t n = (size_t)n_in * (size_t)n_out;
    struct fx_bytes packed = {0};
    char full[64];

    *l = (struct fx_linear){.n_in = n_in, .n_out = n_out, .t = malloc(n)};
    REQUIRE(l->t);
    for (size_t i = 0; i < n; i++) {
        const unsigned r = (unsigned)(fx_random(rng) >> 60); /* zeros as in a trained model */
        l->t[i] = (int8_t)(r < 6 ? 0 : r < 11 ? 1 : -1);
    }
    pack_linear(&packed, s, l, s->weight_scale * (1.0f + 0.01f * (float)(layer + n_out % 7)));
    snprintf(full, sizeof full, "blk.%d.%s.weight", layer, name);
    fx_tensor(g, full, s->linear_type, dims, packed.data, packed.len);
    free(packed.data);
    if (s->extra_scales) {
        const float extra = 1.25f;
        snprintf(full, sizeof full, "blk.%d.%s.scale", layer, name);
        fx_tensor(g, full, FX_F32, one, &extra, sizeof extra);
        l->scale *= extra;
    }
    if (s->linear_norms) {
        snprintf(full, sizeof full, "blk.%d.%s_norm_in.weight", layer, name);
        put_norm(g, full, &l->norm, n_in, 1.0f, rng);
    }
}

static void put_layer(struct fx_gguf *g, const struct fx_spec *s, int i, struct fx_layer *l,
                      uint64_t *rng)
{
    const int q = s->n_head * s->head_dim, kv = s->n_head_kv * s->head_dim;
    const struct {
        const char *name;
        float **to;
        int n;
        bool sub;
    } norms[] = {
        {"attn_norm", &l->attn_norm, s->n_embd, false},
        {"attn_sub_norm", &l->attn_sub_norm, q, true},
        {"ffn_norm", &l->ffn_norm, s->n_embd, false},
        {"ffn_sub_norm", &l->ffn_sub_norm, s->n_ff, true},
    };
    for (int j = 0; j < 4; j++) {
        char name[64];
        if (norms[j].sub && !s->sub_norms)
            continue;
        snprintf(name, sizeof name, "blk.%d.%s.weight", i, norms[j].name);
        put_norm(g, name, norms[j].to, norms[j].n, 1.0f, rng);
    }
    put_linear(g, s, i, "attn_q", &l->q, s->n_embd, q, rng);
    put_linear(g, s, i, "attn_k", &l->k, s->n_embd, kv, rng);
    put_linear(g, s, i, "attn_v", &l->v, s->n_embd, kv, rng);
    put_linear(g, s, i, "attn_output", &l->o, q, s->n_embd, rng);
    put_linear(g, s, i, "ffn_gate", &l->gate, s->n_embd, s->n_ff, rng);
    put_linear(g, s, i, "ffn_up", &l->up, s->n_embd, s->n_ff, rng);
    put_linear(g, s, i, "ffn_down", &l->down, s->n_ff, s->n_embd, rng);
}

/* All 256 bytes, then " t", "he", " the" by merges, then fillers; the last one is BOS and EOS. */
static void put_vocabulary(struct fx_gguf *g, const struct fx_spec *s)
{
    static const char *const merges[] = {"\xC4\xA0 t", "h e", "\xC4\xA0t he"};
    static const char *const merged[] = {"\xC4\xA0t", "he", "\xC4\xA0the"};
    const int n = s->n_vocab;
    char(*text)[32] = calloc((size_t)n, sizeof *text);
    const char **tokens = calloc((size_t)n, sizeof *tokens);
    int32_t *types = calloc((size_t)n, sizeof *types);
    const char *const *special = s->special;
    int other = 256;

    REQUIRE(text && tokens && types && n >= 260);
    for (int i = 0; i < n; i++) {
        const bool plain = (i >= 33 && i <= 126) || (i >= 161 && i <= 172) || (i >= 174 && i < 256);
        const int code = i < 256 && !plain ? other++ : i;
        if (i >= 259 && special && *special)
            snprintf(text[i], sizeof text[i], "%s", *special++);
        else if (i >= 259)
            snprintf(text[i], sizeof text[i], "<|%d|>", i);
        else if (i >= 256)
            snprintf(text[i], sizeof text[i], "%s", merged[i - 256]);
        else if (code < 128)
            text[i][0] = (char)code;
        else {
            text[i][0] = (char)(0xC0 | code >> 6);
            text[i][1] = (char)(0x80 | (code & 63));
        }
        tokens[i] = text[i];
        types[i] = i >= 259 ? 3 : 1;
    }
    fx_str(g, "tokenizer.ggml.model", "gpt2");
    fx_str(g, "tokenizer.ggml.pre", "gpt-2");
    fx_str_array(g, "tokenizer.ggml.tokens", tokens, (size_t)n);
    fx_i32_array(g, "tokenizer.ggml.token_type", types, (size_t)n);
    fx_str_array(g, "tokenizer.ggml.merges", merges, 3);
    fx_u32(g, "tokenizer.ggml.bos_token_id", (uint32_t)n - 1);
    fx_u32(g, "tokenizer.ggml.eos_token_id", (uint32_t)n - 1);
    if (!s->no_bos_key)
        fx_bool(g, "tokenizer.ggml.add_bos_token", false);
    free(types);
    free(tokens);
    free(text);
}

static void put_sizes(struct fx_gguf *g, const struct fx_spec *s)
{
    const struct {
        const char *key;
        int value;
    } sizes[] = {
        {"context_length", s->n_ctx},          {"embedding_length", s->n_embd},
        {"block_count", s->n_layer},           {"feed_forward_length", s->n_ff},
        {"attention.head_count", s->n_head},   {"attention.head_count_kv", s->n_head_kv},
        {"attention.key_length", s->head_dim}, {"attention.value_length", s->head_dim},
        {"rope.dimension_count", s->head_dim},
    };
    char name[96];

    fx_str(g, "general.architecture", s->arch);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(name, sizeof name, "%s.%s", s->arch, sizes[i].key);
        fx_u32(g, name, (uint32_t)sizes[i].value);
    }
    snprintf(name, sizeof name, "%s.attention.layer_norm_rms_epsilon", s->arch);
    fx_f32(g, name, 1e-5f);
    snprintf(name, sizeof name, "%s.rope.freq_base", s->arch);
    fx_f32(g, name, s->rope_base);
    if (s->hidden_activation) {
        snprintf(name, sizeof name, "%s.hidden_activation", s->arch);
        fx_str(g, name, s->hidden_activation);
    }
    if (s->linear_relu2)
        fx_str(g, "trit.linear_post", "relu2");
    if (s->linear_norms) {
        fx_str(g, "trit.linear_norm", "rms");
        fx_f32(g, "trit.linear_norm_eps", 1e-3f);
    }
}

void fx_model_gguf(struct fx_gguf *g, struct fx_model *m, const struct fx_spec *s)
{
    uint64_t rng = s->seed;

    fx_init(g);
    *m = (struct fx_model){.spec = *s};
    m->layers = calloc((size_t)s->n_layer, sizeof *m->layers);
    REQUIRE(m->layers);
    put_sizes(g, s);
    put_vocabulary(g, s);
    put_matrix(g, "token_embd.weight", s->embd_type, &m->embd, s->n_embd, s->n_vocab, &rng);
    for (int i = 0; i < s->n_layer; i++)
        put_layer(g, s, i, &m->layers[i], &rng);
    put_norm(g, "output_norm.weight", &m->output_norm, s->n_embd,
             s->head_scale > 0 ? s->head_scale : 1.0f, &rng);
    m->head = m->embd;
    if (s->untied)
        put_matrix(g, "output.weight", s->embd_type, &m->head, s->n_embd, s->n_vocab, &rng);
}

/* ---- Keeping models until exit --------------------------------------------------------------- */

enum { MAX_MODELS = 64 };
static struct fx_model *models[MAX_MODELS];
static int n_models;

static void free_layer(struct fx_layer *l)
{
    const struct fx_linear *linears[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
    for (int i = 0; i < 7; i++) {
        free(linears[i]->t);
        free(linears[i]->norm);
    }
    free(l->attn_norm);
    free(l->attn_sub_norm);
    free(l->ffn_norm);
    free(l->ffn_sub_norm);
}

void fx_model_free(struct fx_model *m)
{
    for (int l = 0; l < m->spec.n_layer; l++)
        free_layer(&m->layers[l]);
    if (m->head != m->embd)
        free(m->head);
    free(m->embd);
    free(m->output_norm);
    free(m->layers);
}

static void free_models(void)
{
    for (int i = 0; i < n_models; i++) {
        fx_model_free(models[i]);
        free(models[i]);
    }
}

const struct fx_model *fx_model(const char *name, const struct fx_spec *spec)
{
    struct fx_model *m = malloc(sizeof *m);
    struct fx_gguf g;

    REQUIRE(m && n_models < MAX_MODELS);
    if (n_models == 0)
        atexit(free_models);
    models[n_models++] = m;
    fx_model_gguf(&g, m, spec);
    m->path = fx_write_gguf(name, &g);
    fx_free(&g);
    return m;
}
