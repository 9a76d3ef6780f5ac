/* dummy.c - models of random weights in the sizes of published ones, to measure a model without
 * downloading it.
 *
 * Everything that decides speed is as in the real file: the tensors, their types, their order, the
 * size of the vocabulary. The values of weights do not matter to any kernel. They are random and
 * ternary (half of them 0; a third for TQ1_0), with scales that keep activations finite. */
#include <stdio.h>
#include <string.h>

#include "gguf_write.h"
#include "model.h"
#include "random.h"
#include "str.h"
#include "tokenizer.h"
#include "read_options.h"

/* A vocabulary: its size and the ids of special tokens, which are all from first_special on. */
struct vocabulary {
    enum { BYTE_BPE, SPM } kind;
    const char *pre; /* pre-tokenizer of BYTE_BPE; NULL: not in the file, as in 2B-4T's */
    int n, bos, eos, first_special;
};

static const struct vocabulary tiny_vocabulary = {BYTE_BPE, "llama-bpe", 512, 500, 501, 500};
static const struct vocabulary llama2 = {SPM, NULL, 32002, 1, 2, 0};
static const struct vocabulary llama3 = {BYTE_BPE, "llama-bpe", 128256, 128000, 128009, 128000};
static const struct vocabulary b4t = {BYTE_BPE, NULL, 128256, 128000, 128001, 128000};
static const struct vocabulary gpt2 = {BYTE_BPE, "gpt-2", 50257, 50256, 50256, 50256};
static const struct vocabulary falcon3 = {BYTE_BPE, "falcon3", 131072, -1, 131071, 131071};
static const struct vocabulary falcon_e = {BYTE_BPE, "falcon_e", 32768, -1, 32767, 32767};

/* clang-format off */
static const struct shape {
    const char *name, *model, *arch;
    const struct vocabulary *vocabulary;
    bool untied;
    int n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff, n_ctx;
    float rope_base, eps;
    const char *knobs; /* those that its architecture does not imply */
} shapes[] = {
    {"tiny", "nothing published, to try things out", "bitnet-b1.58", &tiny_vocabulary,
     false,  4,  256,  4,  2,  64,   768,   512,   10000, 1e-5f, NULL},
    {"700m", "1bitLLM/bitnet_b1_58-large", "bitnet", &llama2,
     false, 24, 1536, 16, 16,  96,  4096,  2048,   10000, 1e-5f, NULL},
    {"2b4t", "microsoft/bitnet-b1.58-2B-4T", "bitnet-b1.58", &b4t,
     false, 30, 2560, 20,  5, 128,  6912,  4096,  500000, 1e-5f, NULL},
    {"3b", "1bitLLM/bitnet_b1_58-3B", "bitnet", &llama2,
     false, 26, 3200, 32, 32, 100,  8640,  2048,   10000, 1e-5f, NULL},
    {"8b", "HF1BitLLM/Llama3-8B-1.58", "llama", &llama3,
     true, 32, 4096, 32,  8, 128, 14336,  8192,  500000, 1e-5f, NULL},
    {"falcon3-1b", "tiiuae/Falcon3-1B-Instruct-1.58bit", "llama", &falcon3,
     true, 18, 2048,  8,  4, 256,  8192,  8192, 1000042, 1e-6f, NULL},
    {"falcon3-3b", "tiiuae/Falcon3-3B-Instruct-1.58bit", "llama", &falcon3,
     true, 22, 3072, 12,  4, 256,  9216,  4096, 1000042, 1e-6f, NULL},
    {"falcon3-7b", "tiiuae/Falcon3-7B-Instruct-1.58bit", "llama", &falcon3,
     true, 28, 3072, 12,  4, 256, 23040,  8192, 1000042, 1e-6f, NULL},
    {"falcon3-10b", "tiiuae/Falcon3-10B-Instruct-1.58bit", "llama", &falcon3,
     true, 40, 3072, 12,  4, 256, 23040, 32768, 1000042, 1e-6f, NULL},
    {"falcon-e-1b", "tiiuae/Falcon-E-1B", "llama", &falcon_e,
     true, 24, 2048, 16,  2, 128,  9216,  8192, 1000042, 1e-6f, NULL},
    {"falcon-e-3b", "tiiuae/Falcon-E-3B", "llama", &falcon_e,
     true, 32, 2048, 16,  2, 128, 13312,  8192, 1000042, 1e-6f, NULL},
    {"bitskip-v1", "Ram07/bitskip-v1-earlyexit", "bitskip", &gpt2,
     true, 24, 2048, 32,  8,  64,  4096,   512,   10000, 1e-5f, NULL},
    {"bitskip-v2", "Ram07/bitskip-v2-earlyexit", "bitskip", &gpt2,
     true, 24, 2048, 32,  8,  64,  4096,   512,   10000, 1e-5f, TRIT_V2_KNOBS},
    {"bitskip-v3", "Ram07/bitskip-v3-earlyexit", "bitskip", &gpt2,
     true, 24, 2048, 32,  8,  64,  4096,   512,   10000, 1e-5f, TRIT_V3_KNOBS},
    {"bitnet-8bit", "Ram07/bitnet-8bit", "bitnet-8bit", &llama3,
     true, 12, 1024, 16, 16,  64,  4096,   128,   10000, 1e-5f, NULL},
};
/* clang-format on */

enum { N_SHAPES = sizeof shapes / sizeof *shapes };

/* The dummy that is being written. */
struct dummy {
    const struct shape *shape;
    const struct trit_arch *row;
    struct trit_knobs knobs;
    const struct trit_type *type, *embd, *f32;
    uint64_t rng;
    struct gguf_writer w;
    struct trit_error *err;
};

/* ---- Vocabulary ------------------------------------------------------------------------------
 *
 * Token k of the plain ones is the k-th string over an alphabet, the shorter first: all of one
 * letter, all of two, then three. Each is the merge of all but its last letter with that letter. */

/* The letters of string k. @return how many, at most 3 */
static size_t letters_of(size_t letters[3], size_t k, size_t n_alphabet)
{
    size_t n = 1, count = n_alphabet;
    for (; k >= count; n++) {
        k -= count;
        count *= n_alphabet;
    }
    for (size_t i = n; i-- > 0; k /= n_alphabet)
        letters[i] = k % n_alphabet;
    return n;
}

struct text {
    char bytes[64];
    size_t len;
};

static void append_code(struct text *t, unsigned code)
{
    t->len += trit_utf8_encode(t->bytes + t->len, code);
}

static struct text special_name(const struct vocabulary *v, int id)
{
    struct text t;
    const char *known = id == v->bos       ? "<|begin_of_text|>"
                        : id == v->eos     ? "<|end_of_text|>"
                        : id == v->bos + 9 ? "<|eot_id|>"
                                           : NULL;
    t.len = (size_t)(known ? snprintf(t.bytes, sizeof t.bytes, "%s", known)
                           : snprintf(t.bytes, sizeof t.bytes, "<|reserved_%d|>", id));
    return t;
}

static void put_text(struct dummy *d, const struct text *t)
{
    trit_gguf_write_item_string(&d->w, t->bytes, t->len);
}

static void write_byte_bpe(struct dummy *d)
{
    const struct vocabulary *v = d->shape->vocabulary;
    size_t letters[3];

    trit_gguf_write_string(&d->w, "tokenizer.ggml.model", "gpt2");
    if (v->pre)
        trit_gguf_write_string(&d->w, "tokenizer.ggml.pre", v->pre);
    trit_gguf_write_array(&d->w, "tokenizer.ggml.tokens", TRIT_VALUE_STRING, (uint64_t)v->n);
    for (int id = 0; id < v->n; id++) {
        struct text t = {.len = 0};
        const size_t n = letters_of(letters, (size_t)id, 256);
        for (size_t i = 0; i < n; i++)
            append_code(&t, trit_code_of_byte((int)letters[i]));
        if (id >= v->first_special)
            t = special_name(v, id);
        put_text(d, &t);
    }
    trit_gguf_write_array(&d->w, "tokenizer.ggml.token_type", TRIT_VALUE_I32, (uint64_t)v->n);
    for (int id = 0; id < v->n; id++) {
        const int32_t type = id < v->first_special ? TRIT_TOKEN_NORMAL : TRIT_TOKEN_CONTROL;
        trit_gguf_write_item(&d->w, &type, sizeof type);
    }
    trit_gguf_write_array(&d->w, "tokenizer.ggml.merges", TRIT_VALUE_STRING,
                          (uint64_t)(v->first_special - 256));
    for (int id = 256; id < v->first_special; id++) {
        struct text t = {.len = 0};
        const size_t n = letters_of(letters, (size_t)id, 256);
        for (size_t i = 0; i < n; i++) {
            if (i == n - 1)
                append_code(&t, ' ');
            append_code(&t, trit_code_of_byte((int)letters[i]));
        }
        put_text(d, &t);
    }
}

/* <unk> <s> </s>, 256 bytes, then strings over U+2581 (a space) and a..z, best score first. */
static struct text spm_token(int id, int32_t *type)
{
    static const char *const control[] = {"<unk>", "<s>", "</s>"};
    struct text t = {.len = 0};
    size_t letters[3];

    *type = id == 0    ? TRIT_TOKEN_UNKNOWN
            : id < 3   ? TRIT_TOKEN_CONTROL
            : id < 259 ? TRIT_TOKEN_BYTE
                       : TRIT_TOKEN_NORMAL;
    if (id < 3) {
        t.len = (size_t)snprintf(t.bytes, sizeof t.bytes, "%s", control[id]);
    } else if (id < 259) {
        t.len = (size_t)snprintf(t.bytes, sizeof t.bytes, "<0x%02X>", (unsigned)(id - 3));
    } else {
        const size_t n = letters_of(letters, (size_t)(id - 259), 32);
        for (size_t i = 0; i < n; i++)
            if (letters[i] == 0)
                append_code(&t, 0x2581);
            else
                append_code(&t, (unsigned)('`' + letters[i])); /* a..z and five beyond */
    }
    return t;
}

static void write_spm(struct dummy *d)
{
    const int n = d->shape->vocabulary->n;
    int32_t type;

    trit_gguf_write_string(&d->w, "tokenizer.ggml.model", "llama");
    trit_gguf_write_array(&d->w, "tokenizer.ggml.tokens", TRIT_VALUE_STRING, (uint64_t)n);
    for (int id = 0; id < n; id++) {
        const struct text t = spm_token(id, &type);
        put_text(d, &t);
    }
    trit_gguf_write_array(&d->w, "tokenizer.ggml.scores", TRIT_VALUE_F32, (uint64_t)n);
    for (int id = 0; id < n; id++) {
        const float score = id < 259 ? 0.0f : (float)-id;
        trit_gguf_write_item(&d->w, &score, sizeof score);
    }
    trit_gguf_write_array(&d->w, "tokenizer.ggml.token_type", TRIT_VALUE_I32, (uint64_t)n);
    for (int id = 0; id < n; id++) {
        spm_token(id, &type);
        trit_gguf_write_item(&d->w, &type, sizeof type);
    }
}

/* ---- Metadata -------------------------------------------------------------------------------- */

static void write_metadata(struct dummy *d)
{
    const struct shape *s = d->shape;
    const struct vocabulary *v = s->vocabulary;
    char name[128];

    trit_gguf_write_string(&d->w, "general.architecture", s->arch);
    snprintf(name, sizeof name, "random weights in the shape of %s", s->model);
    trit_gguf_write_string(&d->w, "general.name", name);
    trit_arch_write(d->row, &d->knobs, v->n, NULL, &d->w);
    if (v->kind == SPM)
        write_spm(d);
    else
        write_byte_bpe(d);
    if (v->bos >= 0)
        trit_gguf_write_u32(&d->w, "tokenizer.ggml.bos_token_id", (uint32_t)v->bos);
    trit_gguf_write_u32(&d->w, "tokenizer.ggml.eos_token_id", (uint32_t)v->eos);
    trit_gguf_write_bool(&d->w, "tokenizer.ggml.add_bos_token", v->bos >= 0);
}

/* The knobs that a loader will read from the metadata. */
static trit_status set_knobs(struct dummy *d)
{
    const struct shape *s = d->shape;
    struct trit_knobs *k = &d->knobs;
    trit_status status;

    d->row = trit_arch_named(trit_string_of(s->arch));
    *k = d->row->knobs;
    k->n_layer = s->n_layer;
    k->n_embd = s->n_embd;
    k->n_head = s->n_head;
    k->n_head_kv = s->n_head_kv;
    k->head_dim = s->head_dim;
    k->n_ff = s->n_ff;
    k->n_ctx = s->n_ctx;
    k->n_rot = s->head_dim;
    k->norm_eps = s->eps;
    k->rope_base = (double)s->rope_base;
    k->rope_factor = 1;
    status = trit_knobs_apply(k, s->knobs, d->err);
    return status ? status : trit_knobs_finish(k, d->err);
}

/* ---- Tensors ---------------------------------------------------------------------------------
 *
 * One walk in the order of the file, taken twice: to list them, then to write their data. */

struct tensor {
    char name[64];
    const struct trit_type *type;
    size_t n_cols, n_rows;
    float scale; /* value of +1; for norms, their value; for embeddings 0 */
};

typedef bool (*tensor_fn)(struct dummy *d, const struct tensor *t);

static bool put_vector(struct dummy *d, const char *stem, const char *end, size_t n, float value,
                       tensor_fn fn)
{
    struct tensor t = {.type = d->f32, .n_cols = n, .n_rows = 1, .scale = value};

    snprintf(t.name, sizeof t.name, "%s%s", stem, end);
    return fn(d, &t);
}

static bool put_norm(struct dummy *d, const char *stem, size_t n, bool layer, tensor_fn fn)
{
    return put_vector(d, stem, ".weight", n, 1.0f, fn) &&
           (!layer || put_vector(d, stem, ".bias", n, 0.0f, fn));
}

static bool put_slot(struct dummy *d, int il, const struct trit_slot *s, tensor_fn fn)
{
    const struct trit_knobs *k = &d->knobs;
    const size_t n = trit_width(k, s->in);
    struct tensor t = {.type = d->type, .n_cols = n, .scale = 0.03125f};
    char stem[48], own[56];

    snprintf(stem, sizeof stem, "blk.%d.%s", il, s->name);
    if (s->kind == TRIT_NORM)
        return put_norm(d, stem, n, k->norm == TRIT_NORM_LAYER, fn);
    t.n_rows = trit_width(k, s->out);
    snprintf(t.name, sizeof t.name, "%s.weight", stem);
    snprintf(own, sizeof own, "%s_norm_in", stem);
    return fn(d, &t) && (k->linear_norm == TRIT_LINEAR_NORM_NONE ||
                         put_norm(d, own, n, k->linear_norm == TRIT_LINEAR_NORM_LAYER, fn));
}

static bool walk_layer(struct dummy *d, int il, tensor_fn fn)
{
    const struct trit_slot *s;

    for (size_t order = 0; trit_slot_at(order); order++)
        for (size_t i = 0; (s = trit_slot_at(i)); i++)
            if (s->file_order == order && trit_slot_exists(s, &d->knobs) && !put_slot(d, il, s, fn))
                return false;
    return true;
}

static bool walk(struct dummy *d, tensor_fn fn)
{
    const struct shape *s = d->shape;
    const struct trit_knobs *k = &d->knobs;
    const size_t embd = (size_t)s->n_embd, vocab = (size_t)s->vocabulary->n;
    const struct tensor token_embd = {"token_embd.weight", d->embd, embd, vocab, 0};
    const struct tensor positions = {"position_embd.weight", d->embd, embd, (size_t)s->n_ctx, 0};
    const struct tensor output = {"output.weight", d->embd, embd, vocab, 0};

    if (!fn(d, &token_embd) || (k->learned_positions && !fn(d, &positions)))
        return false;
    for (int il = 0; il < s->n_layer; il++)
        if (!walk_layer(d, il, fn))
            return false;
    return put_norm(d, "output_norm", embd, k->norm == TRIT_NORM_LAYER, fn) &&
           (!s->untied || fn(d, &output));
}

static bool list_tensor(struct dummy *d, const struct tensor *t)
{
    if (trit_gguf_write_tensor(&d->w, t->name, t->type, t->n_cols, t->n_rows))
        return true;
    trit_fail(d->err, TRIT_E_UNSUPPORTED,
              "the rows of %s in shape %s hold %zu weights; type %s needs a multiple of %u",
              t->name, d->shape->name, t->n_cols, t->type->name, t->type->block);
    return false;
}

/* ---- Random weights -------------------------------------------------------------------------- */

/* The bits of x in a type of plain floats. */
static uint32_t bits_of(const struct trit_type *type, float x)
{
    uint32_t bits = 0;

    type->encode((uint8_t *)&bits, &x, 1);
    return bits;
}

/* -s, 0 (half of them), +s, from two random bits of each. */
static void make_ternary(uint8_t *p, size_t n_bytes, const struct trit_type *type, float s)
{
    const size_t size = type->block_bytes;
    const uint32_t plus = bits_of(type, s), minus = bits_of(type, -s);

    for (size_t i = 0; i < n_bytes; i += size) {
        const uint32_t x = !(p[i] & 1) ? 0 : p[i] & 2 ? minus : plus;
        memcpy(p + i, &x, size);
    }
}

/* Random sign and mantissa, the exponent of 2^-7 or 2^-6. */
static void make_small(uint8_t *p, size_t n_bytes, const struct trit_type *type)
{
    const size_t size = type->block_bytes;
    const uint32_t exponent = bits_of(type, 0x1p-7f), lowest = exponent ^ bits_of(type, 0x1p-6f);
    const uint32_t keep = bits_of(type, -0.0f) | (2 * lowest - 1);

    for (size_t i = 0; i < n_bytes; i += size) {
        uint32_t x = 0;
        memcpy(&x, p + i, size);
        x = (x & keep) | exponent;
        memcpy(p + i, &x, size);
    }
}

static bool has_random(const struct trit_type *type)
{
    return type->random.n_scales || type->random.two_bit;
}

/* By the rule of a type of blocks. */
static void make_blocks(uint8_t *p, size_t n_bytes, const struct trit_type *type)
{
    const struct trit_random_rule *rule = &type->random;

    for (size_t i = 0; rule->two_bit && i < n_bytes; i++)
        p[i] = (uint8_t)(p[i] & ~(p[i] << 1 & 0xaa)); /* four codes: 3 becomes 1 */
    for (size_t i = rule->scale_at; i < n_bytes; i += type->block_bytes)
        for (size_t k = 0; k < rule->n_scales; k++)
            memcpy(p + i + k * sizeof rule->scale, &rule->scale, sizeof rule->scale);
}

/* Random bytes of whole blocks become weights of the tensor. */
static void make_weights(uint8_t *p, size_t n_bytes, const struct tensor *t)
{
    if (has_random(t->type))
        make_blocks(p, n_bytes, t->type);
    else if (t->scale != 0.0f)
        make_ternary(p, n_bytes, t->type, t->scale);
    else
        make_small(p, n_bytes, t->type);
}

/* Weights are made in pieces of at most this many bytes, whole blocks each. */
enum { PIECE = 1 << 16 };

static bool write_norm(struct dummy *d, const struct tensor *t)
{
    for (size_t i = 0; i < t->n_cols; i++)
        if (!trit_gguf_write_data(&d->w, &t->scale, sizeof t->scale))
            return false;
    return trit_gguf_write_pad(&d->w);
}

static bool write_tensor(struct dummy *d, const struct tensor *t)
{
    uint8_t piece[PIECE + 8];
    uint64_t left;

    if (t->n_rows == 1)
        return write_norm(d, t);
    trit_type_bytes(t->type, t->n_cols, t->n_rows, &left);
    left -= t->type->tail_bytes;
    const size_t whole = PIECE / t->type->block_bytes * t->type->block_bytes;
    while (left > 0) {
        const size_t n = left < whole ? (size_t)left : whole;
        for (size_t i = 0; i < n; i += 8) {
            const uint64_t r = trit_random_bits(&d->rng);
            memcpy(piece + i, &r, sizeof r);
        }
        make_weights(piece, n, t);
        if (!trit_gguf_write_data(&d->w, piece, n))
            return false;
        left -= n;
    }
    return trit_gguf_write_tail(&d->w, t->type, t->scale);
}

/* ---- All of it ------------------------------------------------------------------------------- */

bool trit_dummy_shape_at(int i, struct trit_dummy_shape *out)
{
    if (i < 0 || i >= N_SHAPES)
        return false;
    const struct shape *s = &shapes[i];
    const uint64_t embd = (uint64_t)s->n_embd, head = (uint64_t)s->head_dim;
    const uint64_t attention = 2 * head * (uint64_t)(s->n_head + s->n_head_kv);
    const struct trit_arch *row = trit_arch_named(trit_string_of(s->arch));
    const uint64_t ffn = (row->knobs.ffn == TRIT_FFN_GATED ? 3 : 2) * (uint64_t)s->n_ff;
    *out = (struct trit_dummy_shape){s->name, s->model,
                                     (uint64_t)s->n_layer * embd * (attention + ffn)};
    return true;
}

static trit_status find_shape(const struct shape **out, const char *name, struct trit_error *err)
{
    char known[256] = "";

    for (int i = 0; i < N_SHAPES; i++) {
        *out = &shapes[i];
        if (name && strcmp(name, shapes[i].name) == 0)
            return TRIT_OK;
        trit_append(known, sizeof known, " %s", shapes[i].name);
    }
    return trit_fail(err, TRIT_E_ARGUMENT, "unknown shape '%s'; it must be one of:%s",
                     name ? name : "", known);
}

static trit_status find_type(const struct trit_type **out, const char *name, bool linear,
                             struct trit_error *err)
{
    const trit_status status = trit_type_named(out, name, linear, err);

    if (status || has_random(*out) || ((*out)->block == 1 && (*out)->encode))
        return status;
    return trit_fail(err, TRIT_E_UNSUPPORTED, "there are no random weights of type %s",
                     (*out)->name);
}

static trit_status write_all(struct dummy *d, uint64_t *n_bytes)
{
    trit_status status;

    write_metadata(d);
    if (!walk(d, list_tensor))
        return d->err->code;
    if (n_bytes)
        *n_bytes = trit_gguf_writer_bytes(&d->w);
    if ((status = trit_gguf_write_begin(&d->w, d->err)))
        return status;
    (void)walk(d, write_tensor); /* the writer remembers a failure */
    return trit_gguf_write_end(&d->w, d->err);
}

trit_status trit_dummy_write(const struct trit_dummy_options *options, trit_write_fn write,
                             void *user, uint64_t *n_bytes, struct trit_error *err)
{
    struct trit_dummy_options opt;
    struct trit_error own;
    struct dummy d = {
        .f32 = trit_type_find(TRIT_TYPE_F32),
        .w = {.write = write, .user = user},
        .err = err ? err : &own,
    };
    trit_status status = trit_read_options(&opt, sizeof opt, options, err);

    d.rng = opt.seed;
    if (status || (status = find_shape(&d.shape, opt.shape, err)) || (status = set_knobs(&d)) ||
        (status = find_type(&d.type, opt.type, true, err)) ||
        (status = find_type(&d.embd, opt.embd, false, err)))
        return status;
    status = write_all(&d, n_bytes);
    trit_gguf_writer_free(&d.w);
    return status;
}
