/* checkpoint.c - see checkpoint.h. Arrays of several rows are [n tokens, width]. */
#include "checkpoint.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TENSORS = 512, MAX_WIDTH = 8192 };

#define REQUIRE(x)                                                                                 \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "checkpoint: %s\n", #x);                                               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- Numbers as a file has them -------------------------------------------------------------- */

/* A float's 16-bit forms are cut off, which any reader reads back alike. */
static float put_float(struct fx_bytes *out, const char *dtype, float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    if (strcmp(dtype, "F32") == 0) {
        fx_put(out, &x, sizeof x);
        return x;
    }
    if (strcmp(dtype, "BF16") == 0) {
        const uint16_t h = (uint16_t)(u >> 16);
        fx_put(out, &h, sizeof h);
        u &= 0xffff0000u;
    } else { /* F16, of normal numbers of its range or 0 */
        const uint16_t h =
            fabsf(x) < 6.2e-5f
                ? (uint16_t)(u >> 16 & 0x8000u)
                : (uint16_t)((u >> 16 & 0x8000u) | (((u >> 13) - (112u << 10)) & 0x7fffu));
        fx_put(out, &h, sizeof h);
        u = fabsf(x) < 6.2e-5f ? 0 : u & 0xffffe000u;
    }
    memcpy(&x, &u, sizeof x);
    return x;
}

/* ---- Making tensors -------------------------------------------------------------------------- */

static void add_floats(struct ck *ck, const char *name, int n_rows, int n_cols, float mean,
                       float spread, uint64_t *rng)
{
    const uint64_t dims[] = {(uint64_t)(n_rows > 1 ? n_rows : n_cols), (uint64_t)n_cols};
    struct ck_floats *f = &ck->floats[ck->n_floats++];
    struct fx_bytes bytes = {0};

    REQUIRE(ck->n_floats <= MAX_TENSORS);
    snprintf(f->name, sizeof f->name, "%s", name);
    f->n = n_rows * n_cols;
    f->x = malloc((size_t)f->n * sizeof *f->x);
    REQUIRE(f->x);
    for (int i = 0; i < f->n; i++)
        f->x[i] = put_float(&bytes, ck->spec.dtype, mean + spread * fx_normal(rng));
    sw_add(&ck->file, name, ck->spec.dtype, n_rows > 1 ? 2 : 1, dims, bytes.data, bytes.len);
    free(bytes.data);
}

/* Rows r, R+r, 2R+r, 3R+r share a byte, lowest bits first. */
static void add_packed(struct ck *ck, struct ck_linear *l)
{
    const int quarter = (l->n_out + 3) / 4;
    const uint64_t dims[] = {(uint64_t)quarter, (uint64_t)l->n_in}, one[] = {1};
    uint8_t *bytes = calloc((size_t)quarter, (size_t)l->n_in);
    const bool divides = !ck->spec.linear_class || strcmp(ck->spec.linear_class, "bitlinear") == 0;
    struct fx_bytes scale = {0};
    char name[128];

    REQUIRE(bytes);
    for (int r = 0; r < l->n_out; r++)
        for (int k = 0; k < l->n_in; k++)
            bytes[r % quarter * l->n_in + k] |=
                (uint8_t)((l->t[r * l->n_in + k] + 1) << 2 * (r / quarter));
    snprintf(name, sizeof name, "%s.weight", l->name);
    sw_add(&ck->file, name, "U8", 2, dims, bytes, (size_t)quarter * (size_t)l->n_in);
    const float stored =
        put_float(&scale, ck->spec.dtype, (float)(divides ? 1 / l->scale : l->scale));
    l->scale = divides ? 1 / (double)stored : (double)stored;
    snprintf(name, sizeof name, "%s.weight_scale", l->name);
    sw_add(&ck->file, name, ck->spec.dtype, 1, one, scale.data, scale.len);
    free(scale.data);
    free(bytes);
}

/* Full-precision weights, and what absmean makes of them: a = mean|w|, T = rint(w/a) within -1..1.
 * Or floats that are T*a as they are. */
static void add_master(struct ck *ck, struct ck_linear *l, uint64_t *rng)
{
    const uint64_t dims[] = {(uint64_t)l->n_out, (uint64_t)l->n_in};
    const int n = l->n_in * l->n_out;
    const bool exact = ck->spec.form == CK_EXACT;
    float *w = malloc((size_t)n * sizeof *w);
    struct fx_bytes bytes = {0};
    char name[128];
    double sum = 0;

    REQUIRE(w);
    for (int i = 0; i < n; i++) {
        w[i] = put_float(&bytes, ck->spec.dtype,
                         (float)l->scale * (exact ? (float)l->t[i] : 1.3f * fx_normal(rng)));
        sum += fabs((double)w[i]);
    }
    const double a = fmax(sum / n, 1e-5);
    for (int i = 0; i < n; i++) {
        if (!exact)
            l->t[i] = (int8_t)fmax(-1, fmin(1, rint((double)w[i] / a)));
        else if (l->t[i])
            l->scale = fabs((double)w[i]);
    }
    l->scale = exact ? l->scale : a;
    snprintf(name, sizeof name, "%s.weight", l->name);
    sw_add(&ck->file, name, ck->spec.dtype, 2, dims, bytes.data, bytes.len);
    free(bytes.data);
    free(w);
}

static void add_linear(struct ck *ck, int layer, const char *name, int n_in, int n_out,
                       uint64_t *rng)
{
    struct ck_linear *l = &ck->linears[ck->n_linears++];
    char norm[128];

    REQUIRE(ck->n_linears <= MAX_TENSORS);
    snprintf(l->name, sizeof l->name, "model.layers.%d.%s", layer, name);
    l->n_in = n_in;
    l->n_out = n_out;
    l->t = malloc((size_t)n_in * (size_t)n_out);
    l->scale = 1.2 / sqrt(n_in) * (1 + 0.1 * (layer + n_out % 7));
    REQUIRE(l->t);
    for (int i = 0; i < n_in * n_out; i++) {
        const unsigned r = (unsigned)(fx_random(rng) >> 60);
        l->t[i] = (int8_t)(r < 6 ? 0 : r < 11 ? 1 : -1);
    }
    if (ck->spec.form == CK_PACKED)
        add_packed(ck, l);
    else
        add_master(ck, l, rng);
    if (ck->spec.rms_norms) {
        snprintf(norm, sizeof norm, "%s.rms_norm.weight", l->name);
        add_floats(ck, norm, 1, n_in, 1.0f, 0.2f, rng);
        l->norm = ck->floats[ck->n_floats - 1].x;
    }
}

static void add_norm(struct ck *ck, int layer, const char *name, int n, uint64_t *rng)
{
    char full[128];
    snprintf(full, sizeof full, "model.layers.%d.%s.weight", layer, name);
    add_floats(ck, full, 1, n, 1.0f, 0.2f, rng);
}

static void add_layer(struct ck *ck, int i, uint64_t *rng)
{
    const struct ck_spec *s = &ck->spec;
    const int q = s->n_head * s->head_dim, kv = s->n_head_kv * s->head_dim;

    add_norm(ck, i, "input_layernorm", s->hidden, rng);
    add_norm(ck, i, "post_attention_layernorm", s->hidden, rng);
    if (s->attn_sub) {
        add_norm(ck, i, s->attn_sub, q, rng);
        add_norm(ck, i, s->ffn_sub, s->ffn, rng);
    }
    add_linear(ck, i, "self_attn.q_proj", s->hidden, q, rng);
    add_linear(ck, i, "self_attn.k_proj", s->hidden, kv, rng);
    add_linear(ck, i, "self_attn.v_proj", s->hidden, kv, rng);
    add_linear(ck, i, "self_attn.o_proj", q, s->hidden, rng);
    add_linear(ck, i, "mlp.gate_proj", s->hidden, s->ffn, rng);
    add_linear(ck, i, "mlp.up_proj", s->hidden, s->ffn, rng);
    add_linear(ck, i, "mlp.down_proj", s->ffn, s->hidden, rng);
}

static void set_defaults(struct ck_spec *s)
{
    s->dtype = s->dtype ? s->dtype : "BF16";
    s->n_head = s->n_head ? s->n_head : 4;
    s->n_head_kv = s->n_head_kv ? s->n_head_kv : 2;
    s->head_dim = s->head_dim ? s->head_dim : s->hidden / s->n_head;
    s->ffn = s->ffn ? s->ffn : 384;
    s->theta = s->theta > 0 ? s->theta : 10000;
    s->eps = s->eps > 0 ? s->eps : 1e-5;
}

void ck_make(struct ck *ck, const char *folder, const struct ck_spec *spec)
{
    uint64_t rng = spec->seed + 1;

    *ck = (struct ck){.spec = *spec, .folder = fx_folder(folder)};
    set_defaults(&ck->spec);
    spec = &ck->spec;
    ck->linears = calloc(MAX_TENSORS, sizeof *ck->linears);
    ck->floats = calloc(MAX_TENSORS, sizeof *ck->floats);
    REQUIRE(ck->linears && ck->floats);
    add_floats(ck, "model.embed_tokens.weight", spec->n_vocab, spec->hidden, 0.0f, 0.5f, &rng);
    for (int i = 0; i < spec->n_layer; i++)
        add_layer(ck, i, &rng);
    add_floats(ck, "model.norm.weight", 1, spec->hidden, 0.3f, 0.05f, &rng);
    if (!spec->tied)
        add_floats(ck, "lm_head.weight", spec->n_vocab, spec->hidden, 0.0f, 0.5f, &rng);
}

void ck_free(struct ck *ck)
{
    for (int i = 0; i < ck->n_linears; i++)
        free(ck->linears[i].t);
    for (int i = 0; i < ck->n_floats; i++)
        free(ck->floats[i].x);
    free(ck->linears);
    free(ck->floats);
    sw_free(&ck->file);
}

struct sw_tensor *ck_entry(struct ck *ck, const char *name)
{
    for (size_t i = 0; i < ck->file.n; i++)
        if (strcmp(ck->file.tensors[i].name, name) == 0)
            return &ck->file.tensors[i];
    fprintf(stderr, "checkpoint: no tensor %s\n", name);
    abort();
}

/* ---- The other files ------------------------------------------------------------------------- */

struct text {
    char *bytes;
    size_t len;
};

static void print(struct text *t, const char *fmt, ...) TRIT_PRINTF(2, 3);

static void print(struct text *t, const char *fmt, ...)
{
    va_list args;
    char piece[1024];

    va_start(args, fmt);
    const int n = vsnprintf(piece, sizeof piece, fmt, args);
    va_end(args);
    REQUIRE(n >= 0 && n < (int)sizeof piece);
    t->bytes = realloc(t->bytes, t->len + (size_t)n + 1);
    REQUIRE(t->bytes);
    memcpy(t->bytes + t->len, piece, (size_t)n + 1);
    t->len += (size_t)n;
}

static void write_text(const struct ck *ck, const char *name, struct text *t)
{
    const char *slash = strrchr(ck->folder, '/');
    char path[256];

    snprintf(path, sizeof path, "%s/%s", slash ? slash + 1 : ck->folder, name);
    fx_write(path, t->bytes, t->len);
    free(t->bytes);
}

static void member(struct text *t, const struct ck_spec *s, const char *key, const char *fmt, ...)
    TRIT_PRINTF(4, 5);

/* A member of config.json, unless the spec has another word for it. */
static void member(struct text *t, const struct ck_spec *s, const char *key, const char *fmt, ...)
{
    char value[256], quoted[64];
    va_list args;

    va_start(args, fmt);
    vsnprintf(value, sizeof value, fmt, args);
    va_end(args);
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    if ((s->drop && strcmp(s->drop, key) == 0) || (s->config && strstr(s->config, quoted)))
        return;
    print(t, ",\n  %s: %s", quoted, value);
}

static void write_config(const struct ck *ck)
{
    const struct ck_spec *s = &ck->spec;
    struct text t = {0};

    print(&t, "{\n  \"model_type\": \"x\"");
    member(&t, s, "architectures", "[\"%s\"]", s->architecture);
    member(&t, s, "hidden_size", "%d", s->hidden);
    member(&t, s, "intermediate_size", "%d", s->ffn);
    member(&t, s, "num_hidden_layers", "%d", s->n_layer);
    member(&t, s, "num_attention_heads", "%d", s->n_head);
    member(&t, s, "num_key_value_heads", "%d", s->n_head_kv);
    member(&t, s, "max_position_embeddings", "%d", s->n_ctx);
    member(&t, s, "vocab_size", "%d", s->n_vocab);
    member(&t, s, "hidden_act", "\"%s\"", s->act);
    member(&t, s, "rms_norm_eps", "%g", s->eps);
    member(&t, s, "rope_theta", "%.1f", s->theta);
    member(&t, s, "tie_word_embeddings", "%s", s->tied ? "true" : "false");
    if (s->head_dim * s->n_head != s->hidden)
        member(&t, s, "head_dim", "%d", s->head_dim);
    if (s->rope_factor > 0)
        member(&t, s, "rope_scaling", "{\"type\": \"linear\", \"factor\": %g}", s->rope_factor);
    if (s->quantization_config)
        member(&t, s, "quantization_config",
               "{\"quant_method\": \"bitnet\"%s%s%s, \"modules_to_not_convert\": [\"lm_head\"]%s}",
               s->linear_class ? ", \"linear_class\": \"" : "",
               s->linear_class ? s->linear_class : "", s->linear_class ? "\"" : "",
               s->rms_norms ? ", \"use_rms_norm\": true, \"rms_norm_eps\": 0.001" : "");
    if (s->config)
        print(&t, ",\n  %s", s->config);
    print(&t, "\n}\n");
    write_text(ck, "config.json", &t);
}

/* All bytes in the alphabet of byte-level BPE, " t", "he", " the", then added tokens. */
static void write_bpe(const struct ck *ck)
{
    struct text t = {0};
    int other = 256;

    print(&t, "{\"added_tokens\": [");
    for (int i = 259; i < ck->spec.n_vocab; i++)
        print(&t, "%s{\"id\": %d, \"content\": \"<|%d|>\", \"special\": true}", i > 259 ? "," : "",
              i, i);
    print(&t, "], \"normalizer\": null, \"pre_tokenizer\": {\"type\": \"ByteLevel\", "
              "\"add_prefix_space\": false, \"use_regex\": true}, \"post_processor\": null, "
              "\"model\": {\"type\": \"BPE\", \"vocab\": {");
    for (int i = 0; i < 256; i++) {
        const bool plain = (i >= 33 && i <= 126) || (i >= 161 && i <= 172) || (i >= 174);
        print(&t, "\"\\u%04x\": %d, ", plain ? i : other++, i);
    }
    print(&t, "\"\\u0120t\": 256, \"he\": 257, \"\\u0120the\": 258}, "
              "\"merges\": [\"\\u0120 t\", \"h e\", [\"\\u0120t\", \"he\"]]}}");
    write_text(ck, "tokenizer.json", &t);
}

/* What SentencePiece vocabularies are turned into: <unk>, <s>, </s>, bytes, pieces. */
static void write_spm(const struct ck *ck)
{
    struct text t = {0};

    print(&t,
          "{\"added_tokens\": [{\"id\": 0, \"content\": \"<unk>\", \"special\": true}, "
          "{\"id\": 1, \"content\": \"<s>\", \"special\": true}, "
          "{\"id\": 2, \"content\": \"</s>\", \"special\": true}], "
          "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", "
          "\"prepend\": \"\\u2581\"}, {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, "
          "\"content\": \"\\u2581\"}]}, \"pre_tokenizer\": null, "
          "\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": "
          "[{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}, "
          "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}]}, "
          "\"model\": {\"type\": \"BPE\", \"byte_fallback\": true, \"unk_token\": \"<unk>\", "
          "\"vocab\": {\"<unk>\": 0, \"<s>\": 1, \"</s>\": 2");
    for (int i = 0; i < 256; i++)
        print(&t, ", \"<0x%02X>\": %d", i, 3 + i);
    print(&t, ", \"\\u2581\": 259, \"t\": 260, \"h\": 261, \"e\": 262, \"\\u2581t\": 263, "
              "\"he\": 264, \"\\u2581the\": 265}, "
              "\"merges\": [\"\\u2581 t\", \"h e\", \"\\u2581t he\"]}}");
    write_text(ck, "tokenizer.json", &t);
}

void ck_write(struct ck *ck, size_t n_shards)
{
    const char *slash = strrchr(ck->folder, '/');
    const char *folder = slash ? slash + 1 : ck->folder;
    struct text settings = {0}, generation = {0};
    char path[256];

    write_config(ck);
    if (ck->spec.spm)
        write_spm(ck);
    else
        write_bpe(ck);
    print(&settings, "{\"bos_token\": \"%s\", \"eos_token\": {\"content\": \"%s\"}}",
          ck->spec.spm ? "<s>" : "<|259|>", ck->spec.spm ? "</s>" : "<|260|>");
    write_text(ck, "tokenizer_config.json", &settings);
    print(&generation, "{\"eos_token_id\": [260, 261]}");
    write_text(ck, "generation_config.json", &generation);
    if (n_shards > 1) {
        sw_write_shards(folder, &ck->file, n_shards);
    } else {
        snprintf(path, sizeof path, "%s/model.safetensors", folder);
        sw_write(path, &ck->file);
    }
}

/* ---- The forward pass ------------------------------------------------------------------------ */

static double *new_rows(int n, int width)
{
    double *x = calloc((size_t)n * (size_t)width, sizeof *x);
    REQUIRE(x && width <= MAX_WIDTH);
    return x;
}

static const float *floats(const struct ck *ck, int layer, const char *name)
{
    char full[128];
    if (layer < 0)
        snprintf(full, sizeof full, "%s", name);
    else
        snprintf(full, sizeof full, "model.layers.%d.%s.weight", layer, name);
    for (int i = 0; i < ck->n_floats; i++)
        if (strcmp(ck->floats[i].name, full) == 0)
            return ck->floats[i].x;
    return NULL;
}

static void norm(double *y, const double *x, const float *w, int n, double eps)
{
    double ss = 0;
    for (int i = 0; i < n; i++)
        ss += x[i] * x[i];
    for (int i = 0; i < n; i++)
        y[i] = (double)w[i] * x[i] / sqrt(ss / n + eps);
}

/* y = W x' with x' the activations on a grid of 255 steps: round(x*s)/s, s = 127/max|x|. */
static void linear(const struct ck *ck, double *y, int layer, const char *name, const double *x)
{
    static double normed[MAX_WIDTH], q[MAX_WIDTH];
    const struct ck_linear *l = NULL;
    char full[128];
    double top = 1e-5;

    snprintf(full, sizeof full, "model.layers.%d.%s", layer, name);
    for (int i = 0; i < ck->n_linears; i++)
        if (strcmp(ck->linears[i].name, full) == 0)
            l = &ck->linears[i];
    REQUIRE(l);
    if (l->norm) {
        norm(normed, x, l->norm, l->n_in, 1e-3);
        x = normed;
    }
    for (int i = 0; i < l->n_in; i++)
        top = fmax(top, fabs(x[i]));
    for (int i = 0; i < l->n_in; i++)
        q[i] = rint(x[i] * (127 / top)) * top / 127;
    for (int r = 0; r < l->n_out; r++) {
        y[r] = 0;
        for (int k = 0; k < l->n_in; k++)
            y[r] += l->scale * l->t[r * l->n_in + k] * q[k];
    }
}

/* Element j of a head turns with element d/2 + j. */
static void rotate(const struct ck_spec *s, double *head, int pos)
{
    const int d = s->head_dim;
    const double factor = s->rope_factor > 0 ? s->rope_factor : 1;

    for (int j = 0; j < d / 2; j++) {
        const double angle = pos / factor * pow(s->theta, -2.0 * j / d);
        const double a = head[j], b = head[d / 2 + j];
        head[j] = a * cos(angle) - b * sin(angle);
        head[d / 2 + j] = b * cos(angle) + a * sin(angle);
    }
}

static void attend(const struct ck_spec *s, double *out, const double *q, const double *k,
                   const double *v, int t, double *weight)
{
    const int d = s->head_dim, stride = s->n_head_kv * d;
    double sum = 0, top = -INFINITY;

    for (int j = 0; j <= t; j++) {
        weight[j] = 0;
        for (int i = 0; i < d; i++)
            weight[j] += q[i] * k[j * stride + i] / sqrt(d);
        top = fmax(top, weight[j]);
    }
    for (int j = 0; j <= t; j++)
        sum += weight[j] = exp(weight[j] - top);
    for (int i = 0; i < d; i++) {
        out[i] = 0;
        for (int j = 0; j <= t; j++)
            out[i] += weight[j] / sum * v[j * stride + i];
    }
}

static void attention(const struct ck *ck, int layer, double *h, int n)
{
    const struct ck_spec *s = &ck->spec;
    const int d = s->head_dim, nq = s->n_head * d, nkv = s->n_head_kv * d;
    double *q = new_rows(n, nq), *k = new_rows(n, nkv), *v = new_rows(n, nkv);
    double *x = new_rows(1, s->hidden), *a = new_rows(1, nq), *weight = new_rows(1, n);

    for (int t = 0; t < n; t++) {
        norm(x, h + t * s->hidden, floats(ck, layer, "input_layernorm"), s->hidden, s->eps);
        linear(ck, q + t * nq, layer, "self_attn.q_proj", x);
        linear(ck, k + t * nkv, layer, "self_attn.k_proj", x);
        linear(ck, v + t * nkv, layer, "self_attn.v_proj", x);
        for (int i = 0; i < s->n_head; i++)
            rotate(s, q + t * nq + i * d, t);
        for (int i = 0; i < s->n_head_kv; i++)
            rotate(s, k + t * nkv + i * d, t);
        for (int i = 0; i < s->n_head; i++) {
            const int at = i / (s->n_head / s->n_head_kv) * d;
            attend(s, a + i * d, q + t * nq + i * d, k + at, v + at, t, weight);
        }
        if (s->attn_sub)
            norm(a, a, floats(ck, layer, s->attn_sub), nq, s->eps);
        linear(ck, x, layer, "self_attn.o_proj", a);
        for (int i = 0; i < s->hidden; i++)
            h[t * s->hidden + i] += x[i];
    }
    free(weight), free(a), free(x), free(v), free(k), free(q);
}

static void mlp(const struct ck *ck, int layer, double *h, int n)
{
    const struct ck_spec *s = &ck->spec;
    double *x = new_rows(1, s->hidden), *g = new_rows(1, s->ffn), *u = new_rows(1, s->ffn);

    for (int t = 0; t < n; t++) {
        norm(x, h + t * s->hidden, floats(ck, layer, "post_attention_layernorm"), s->hidden,
             s->eps);
        linear(ck, g, layer, "mlp.gate_proj", x);
        linear(ck, u, layer, "mlp.up_proj", x);
        for (int i = 0; i < s->ffn; i++)
            u[i] *= strcmp(s->act, "silu") == 0 ? g[i] / (1 + exp(-g[i]))
                                                : fmax(g[i], 0) * fmax(g[i], 0);
        if (s->ffn_sub)
            norm(u, u, floats(ck, layer, s->ffn_sub), s->ffn, s->eps);
        linear(ck, x, layer, "mlp.down_proj", u);
        for (int i = 0; i < s->hidden; i++)
            h[t * s->hidden + i] += x[i];
    }
    free(u), free(g), free(x);
}

double *ck_logits(const struct ck *ck, const int32_t *tokens, int n)
{
    const struct ck_spec *s = &ck->spec;
    const float *embd = floats(ck, -1, "model.embed_tokens.weight");
    const float *head = s->tied ? embd : floats(ck, -1, "lm_head.weight");
    double *h = new_rows(n, s->hidden), *x = new_rows(1, s->hidden);
    double *logits = new_rows(n, s->n_vocab);

    for (int t = 0; t < n; t++)
        for (int i = 0; i < s->hidden; i++)
            h[t * s->hidden + i] = (double)embd[tokens[t] * s->hidden + i];
    for (int layer = 0; layer < s->n_layer; layer++) {
        attention(ck, layer, h, n);
        mlp(ck, layer, h, n);
    }
    for (int t = 0; t < n; t++) {
        norm(x, h + t * s->hidden, floats(ck, -1, "model.norm.weight"), s->hidden, s->eps);
        for (int r = 0; r < s->n_vocab; r++)
            for (int i = 0; i < s->hidden; i++)
                logits[t * s->n_vocab + r] += (double)head[r * s->hidden + i] * x[i];
    }
    free(x);
    free(h);
    return logits;
}
