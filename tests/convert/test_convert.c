/* test_convert.c - the output of trit_convert(): the engine must compute from the new file what
 * hf_reference.h computes from the folder.
 *
 * The session's cache is f32, for the reason in test_golden.c. Embedding and norms of a bf16
 * checkpoint are converted without loss; those in f16 or f32 keep their type here. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "hf_reference.h"
#include "model.h"
#include "running.h"
#include "shared.h"
#include "suite.h"
#include "trit_tools.h"

enum { N_IDS = 32 };

/* ---- Converting and running ------------------------------------------------------------------ */

/* Collects a file; refuses data from call stop_at on, counted from 1. */
struct output {
    struct fx_bytes bytes;
    int n_calls, stop_at;
};

static bool receive(void *user, const void *bytes, size_t n)
{
    struct output *o = user;

    o->n_calls++;
    if (o->stop_at) {
        assert_true(o->n_calls <= o->stop_at); /* no call after a refusal */
        if (o->n_calls == o->stop_at)
            return false;
    }
    fx_put(&o->bytes, bytes, n);
    return true;
}

static struct fx_bytes convert(const char *dir, const struct trit_convert_options *opt)
{
    struct output o = {.stop_at = 0};
    struct trit_error err;
    uint64_t n_bytes = 0;

    if (trit_convert(dir, opt, receive, &o, &n_bytes, &err))
        fail_msg("%s: %s", dir, err.text);
    assert_int_equal(o.bytes.len, n_bytes);
    return o.bytes;
}

static struct opened_model open_bytes(const char *name, const struct fx_bytes *b)
{
    return open_path(fx_write(name, b->data, b->len));
}

static const struct trit_session_options exact = {.kv = TRIT_KV_TYPE_F32, .n_threads = 1};

/* Logits of a checkpoint converted with these options. */
static float *converted_logits(const char *dir, const struct trit_convert_options *opt,
                               const int32_t *ids, int n)
{
    struct fx_bytes b = convert(dir, opt);
    struct opened_model o = open_bytes("out.gguf", &b);
    float *logits = logits_of(o.model, ids, n, &exact);
    close_opened(&o);
    free(b.data);
    return logits;
}

/* ---- Families -------------------------------------------------------------------------------- */

enum {
    PACKED = 1,
    AUTOBIT = 2,
    RMS = 4,
    UNTIED = 8,
    OLD = 16, /* quantization_config from before linear_class existed */
    NO_HEAD_DIM = 32,
    SCALE_F32 = 64,
    TYPE_KEY = 128 /* "type" in rope_scaling, not "rope_type" */
};

/* Differences from ck_default; zero means the default, except for the flags. */
struct sample {
    const char *name;
    enum ck_family family;
    unsigned is;
    int hidden, heads, kv_heads, head_dim, ffn, n_shards;
    enum ck_dtype dtype;
    double rope_theta, eps, rms_eps, rope_factor, embd_sd;
    const char *not_converted; /* "": no such member */
    const char *type, *embd;   /* options of trit_convert() */
};

#define LLAMA .family = CK_LLAMA
#define ONEBIT .family = CK_1BITLLM, .is = NO_HEAD_DIM, .rope_theta = 10000

static const struct sample samples[] = {
    {"2B-4T", .is = PACKED | AUTOBIT},
    {"2B-4T, f32 scales", .is = PACKED | AUTOBIT | SCALE_F32},
    {"2B-4T, f32 all", .is = PACKED | AUTOBIT | SCALE_F32, .dtype = CK_F32, .embd = "f32"},
    {"2B-4T, head_dim from the heads", .is = PACKED | AUTOBIT | NO_HEAD_DIM},
    {"2B-4T, as many KV heads", .is = PACKED | AUTOBIT, .kv_heads = 4},
    {"2B-4T, untied", .is = PACKED | AUTOBIT | UNTIED},
    /* groups of 87, the last of 84; I2_S has no rows of 345 or 510 */
    {"2B-4T, 345 rows", .is = PACKED | AUTOBIT, .ffn = 345, .type = "f16"},
    {"2B-4T, 510 rows", .is = PACKED | AUTOBIT, .ffn = 510, .type = "f32"},
    {"2B-4T, linear rope", .is = PACKED | AUTOBIT, .rope_factor = 2.5},
    {"2B-4T, shards", .is = PACKED | AUTOBIT, .n_shards = 3},
    {"2B-4T, eps that tells", .is = PACKED | AUTOBIT, .eps = 1e-6, .embd_sd = 0.002},
    {"2B-4T master", .is = AUTOBIT},
    {"2B-4T master, f32", .is = AUTOBIT, .dtype = CK_F32, .embd = "f32"},
    {"2B-4T as F16", .is = PACKED | AUTOBIT, .type = "f16"},
    {"2B-4T as TQ1_0", .is = PACKED | AUTOBIT, .type = "tq1_0"},
    {"2B-4T as TQ2_0", .is = PACKED | AUTOBIT, .type = "tq2_0"},
    {"Llama", LLAMA, .is = PACKED | UNTIED},
    {"Llama, old config", LLAMA, .is = PACKED | UNTIED | OLD},
    {"Llama, old config and nothing else", LLAMA, .is = PACKED | UNTIED | OLD, .not_converted = ""},
    {"Llama, lm_head not converted", LLAMA, .is = PACKED | UNTIED,
     .not_converted = "[\"lm_head\"]"},
    {"Llama, nothing said of modules", LLAMA, .is = PACKED | UNTIED, .not_converted = ""},
    {"Llama, tied", LLAMA, .is = PACKED},
    {"Llama, head_dim from the heads", LLAMA, .is = PACKED | UNTIED | NO_HEAD_DIM},
    {"Llama, 42 rows", LLAMA, .is = PACKED | UNTIED, .kv_heads = 1, .head_dim = 42},
    {"Llama, 6 rows", LLAMA, .is = PACKED | UNTIED, .kv_heads = 1, .head_dim = 6}, /* 2, 2, 2, 0 */
    {"Llama, autobitlinear", LLAMA, .is = PACKED | AUTOBIT | UNTIED},
    {"Llama, rms_norm", LLAMA, .is = PACKED | UNTIED | RMS, .rms_eps = 0.1},
    {"Llama, rms_norm, autobitlinear", LLAMA, .is = PACKED | AUTOBIT | UNTIED | RMS},
    {"Llama master, rms_norm", LLAMA, .is = AUTOBIT | UNTIED | RMS, .rms_eps = 0.01},
    {"Llama master", LLAMA, .is = AUTOBIT | UNTIED},
    {"Llama, linear rope", LLAMA, .is = PACKED | UNTIED, .rope_factor = 4},
    {"Llama, linear rope by its old name", LLAMA, .is = PACKED | UNTIED | TYPE_KEY,
     .rope_factor = 4},
    {"Llama, shards", LLAMA, .is = PACKED | UNTIED, .n_shards = 2},
    {"Falcon", LLAMA, .is = PACKED | UNTIED, .heads = 2, .kv_heads = 1, .head_dim = 96, .ffn = 768,
     .rope_theta = 1000042, .eps = 1e-6, .embd_sd = 0.002, .not_converted = "[\"lm_head\"]"},
    {"Falcon master", LLAMA, .is = AUTOBIT | UNTIED, .heads = 6, .kv_heads = 3,
     .rope_theta = 1000042, .eps = 1e-6, .not_converted = "[\"lm_head\"]"},
    {"1bitLLM, f16", ONEBIT, .kv_heads = 4, .dtype = CK_F16},
    {"1bitLLM, f32", ONEBIT, .kv_heads = 4, .dtype = CK_F32, .embd = "f32"},
    {"1bitLLM, f32 as F32", ONEBIT, .kv_heads = 4, .dtype = CK_F32, .embd = "f32", .type = "f32"},
    {"1bitLLM, heads of 100", ONEBIT, .kv_heads = 4, .dtype = CK_F16, .hidden = 400,
     .head_dim = 100, .ffn = 280},
    {"1bitLLM, FFN of 340", ONEBIT, .kv_heads = 4, .dtype = CK_F16, .ffn = 340},
    {"1bitLLM, no whole blocks", ONEBIT, .dtype = CK_F32, .hidden = 200, .heads = 2,
     .head_dim = 100, .ffn = 270, .embd = "f32", .type = "f32"},
};
enum { N_SAMPLES = sizeof samples / sizeof *samples };

#define OR(x, y) ((x) > 0 ? (x) : (y))

static struct ck_spec spec_of(const struct sample *s)
{
    struct ck_spec spec = ck_default;

    spec.family = s->family;
    spec.packed = s->is & PACKED;
    spec.autobit = s->is & AUTOBIT;
    spec.rms_norm = s->is & RMS;
    spec.untied = s->is & UNTIED;
    spec.old_config = s->is & OLD;
    spec.no_head_dim = s->is & NO_HEAD_DIM;
    spec.dtype = s->dtype ? s->dtype : CK_BF16;
    spec.scale_dtype = s->is & SCALE_F32 ? CK_F32 : CK_BF16;
    spec.hidden = OR(s->hidden, spec.hidden);
    spec.heads = OR(s->heads, spec.heads);
    spec.kv_heads = OR(s->kv_heads, spec.kv_heads);
    spec.head_dim = OR(s->head_dim, spec.head_dim);
    spec.ffn = OR(s->ffn, spec.ffn);
    spec.n_shards = s->n_shards;
    spec.rope_theta = OR(s->rope_theta, spec.rope_theta);
    spec.eps = OR(s->eps, spec.eps);
    spec.rms_eps = OR(s->rms_eps, spec.rms_eps);
    spec.rope_factor = s->rope_factor;
    spec.rope_key = s->is & TYPE_KEY ? "type" : "rope_type";
    spec.embd_sd = OR(s->embd_sd, spec.embd_sd);
    if (s->not_converted)
        spec.not_converted = *s->not_converted ? s->not_converted : NULL;
    spec.seed = 100 + (uint64_t)(s - samples);
    return spec;
}

static void check_info(const trit_model *model, const struct ck_spec *s)
{
    struct trit_model_info info;

    trit_model_get_info(model, &info);
    assert_int_equal(info.n_layer, s->n_layer);
    assert_int_equal(info.n_embd, s->hidden);
    assert_int_equal(info.n_head, s->heads);
    assert_int_equal(info.n_head_kv, s->kv_heads);
    assert_int_equal(info.head_dim, s->head_dim);
    assert_int_equal(info.n_ff, s->ffn);
    assert_int_equal(info.n_vocab, s->vocab);
    assert_int_equal(info.n_ctx, s->n_ctx);
    assert_int_equal(info.tied, !s->untied);
    assert_int_equal(info.sub_norms, s->family != CK_LLAMA);
    assert_string_equal(info.ffn_act, s->family == CK_BITNET ? "relu2" : "silu");
    assert_true(info.rope_base == s->rope_theta);
    assert_true(info.norm_eps == (double)(float)s->eps);
}

static void family(void **state)
{
    const struct sample *s = *state;
    const struct trit_convert_options opt = {.type = s->type, .embd = s->embd};
    const struct ck_spec spec = spec_of(s);
    struct ck *c = ck_new(&spec);
    int32_t ids[N_IDS];

    fx_ids(ids, N_IDS, spec.vocab, spec.seed);
    struct fx_bytes b = convert(ck_write(c, "family"), &opt);
    struct opened_model o = open_bytes("family.gguf", &b);
    check_info(o.model, &spec);
    float *measured = logits_of(o.model, ids, N_IDS, &exact);
    double *reference = hf_logits(c, ids, N_IDS);
    const struct hf_distance d = hf_compare(reference, measured, N_IDS, (size_t)spec.vocab);
    printf("%s: mean KL %.2e, top-1 %.3f, mean error %.2e sd\n", s->name, d.kl, d.top1, d.error);
    if (!hf_close(&d))
        fail_msg("%s differs too much from the reference", s->name);
    free(reference);
    free(measured);
    close_opened(&o);
    free(b.data);
    ck_free(c);
}

/* A linear of zeros does not fail: absmean has a lower bound. */
static void master_of_zeros(void **state)
{
    struct ck_spec spec = ck_default;
    int32_t ids[N_IDS];
    (void)state;

    spec.packed = false;
    struct ck *c = ck_new(&spec);
    struct ck_tensor *t = ck_tensor(c, "model.layers.1.mlp.up_proj.weight");
    memset(t->data, 0, t->n_bytes);
    fx_ids(ids, N_IDS, spec.vocab, 9);
    float *measured = converted_logits(ck_write(c, "zeros"), NULL, ids, N_IDS);
    double *reference = hf_logits(c, ids, N_IDS);
    const struct hf_distance d = hf_compare(reference, measured, N_IDS, (size_t)spec.vocab);
    assert_true(hf_close(&d));
    free(reference);
    free(measured);
    ck_free(c);
}

/* Options of the caller override config.json. */
static void knob_before_config(void **state)
{
    static const char *const knobs[] = {"linear_norm=none"};
    static const char *const two[] = {"linear_norm=none block=pre"};
    const struct trit_convert_options opt = {.knobs = knobs, .n_knobs = 1};
    const struct trit_convert_options two_in_one = {.knobs = two, .n_knobs = 1};
    struct trit_error err;
    struct ck_spec spec = ck_default;
    (void)state;

    spec.family = CK_LLAMA;
    spec.packed = false;
    struct ck *c = ck_new(&spec);
    ck_set(c, "quantization_config.use_rms_norm", "true"); /* the checkpoint has none */
    assert_int_equal(trit_convert(ck_write(c, "knob"), &two_in_one, NULL, NULL, NULL, &err),
                     TRIT_E_ARGUMENT);
    assert_non_null(strstr(err.text, "linear_norm"));
    struct fx_bytes b = convert(ck_write(c, "knob"), &opt);
    struct opened_model o = open_bytes("knob.gguf", &b);
    assert_int_equal(o.model->knobs.linear_norm, TRIT_LINEAR_NORM_NONE);
    close_opened(&o);
    free(b.data);
    ck_free(c);
}

/* One unit above half the mean: bitskip's code compares and gets 1; transformers' code gets 0,
 * because the product with the inverse rounds to one half. */
static void weights_above_half(void **state)
{
    const float mean = 0x1.a7bebcp-7f, edge = 0x1.a7bebep-8f;
    const float four[] = {edge, edge, 2 * mean, mean - 0x1p-30f}; /* whose mean is exactly that */
    (void)state;

    for (int bitskip = 0; bitskip < 2; bitskip++) {
        struct ck_spec spec = bitskip ? ck_bitskip(1) : ck_default;
        spec.family = bitskip ? CK_BITSKIP : CK_LLAMA;
        spec.packed = false;
        spec.dtype = CK_F32;
        struct ck *c = ck_new(&spec);
        struct ck_tensor *t = ck_tensor(c, "model.layers.0.self_attn.q_proj.weight");
        for (size_t i = 0; i < t->n_bytes / sizeof(float); i++)
            ck_set_value(t, i, (double)four[i % 4]);
        struct fx_bytes b = convert(ck_write(c, "half"), NULL);
        struct opened_model o = open_bytes("half.gguf", &b);
        const struct trit_linear *q = &o.model->layers[0].attn_q;
        assert_true(q->scale == mean);
        /* the first weights of columns 0, 32, 64 and 96: all `edge` */
        assert_int_equal(q->t2[0], bitskip ? 0xaa : 0x55);
        close_opened(&o);
        free(b.data);
        ck_free(c);
    }
}

/* ---- Types ----------------------------------------------------------------------------------- */

static const char *const types[] = {"i2_s", "tq1_0", "tq2_0", "f16", "bf16", "f32"};
enum { N_TYPES = sizeof types / sizeof *types };

/* All types hold a bf16 scale that multiplies, so the logits have the same bits. */
static void types_agree_exactly(void **state)
{
    struct ck *c = ck_new(&ck_default);
    const char *dir = ck_write(c, "types");
    const size_t n_bytes = N_IDS * (size_t)ck_default.vocab * sizeof(float);
    int32_t ids[N_IDS];
    (void)state;

    fx_ids(ids, N_IDS, ck_default.vocab, 10);
    float *wanted = converted_logits(dir, NULL, ids, N_IDS);
    for (int i = 0; i < N_TYPES; i++) {
        const struct trit_convert_options opt = {.type = types[i]};
        float *got = converted_logits(dir, &opt, ids, N_IDS);
        if (memcmp(got, wanted, n_bytes) != 0)
            fail_msg("%s: logits differ from the default's", types[i]);
        free(got);
    }
    free(wanted);
    ck_free(c);
}

/* Codes are equal, and scales differ by at most tolerance, relative to a. */
static void check_same_linear(const struct trit_linear *a, const struct trit_linear *b,
                              double tolerance)
{
    assert_int_equal(a->n_in, b->n_in);
    assert_int_equal(a->n_out, b->n_out);
    assert_int_equal(a->n_cols, b->n_cols);
    assert_memory_equal(a->t2, b->t2, a->n_out * a->n_cols / 4);
    assert_true(fabs((double)b->scale / (double)a->scale - 1) <= tolerance);
}

static void check_same_linears(const trit_model *a, const trit_model *b, double tolerance)
{
    assert_int_equal(a->knobs.n_layer, b->knobs.n_layer);
    for (int i = 0; i < a->knobs.n_layer; i++) {
        const struct trit_layer *l = &a->layers[i], *m = &b->layers[i];
        check_same_linear(&l->attn_q, &m->attn_q, tolerance);
        check_same_linear(&l->attn_k, &m->attn_k, tolerance);
        check_same_linear(&l->attn_v, &m->attn_v, tolerance);
        check_same_linear(&l->attn_output, &m->attn_output, tolerance);
        check_same_linear(&l->ffn_gate, &m->ffn_gate, tolerance);
        check_same_linear(&l->ffn_up, &m->ffn_up, tolerance);
        check_same_linear(&l->ffn_down, &m->ffn_down, tolerance);
    }
}

/* A scale that divides, or is a mean, is rounded once, to the type's precision. */
static void types_agree_but_for_scales(void **state)
{
    static const double tolerance[N_TYPES] = {0, 0x1p-11, 0x1p-11, 0x1p-11, 0x1p-8, 0};
    (void)state;

    for (int master = 0; master < 2; master++) {
        struct ck_spec spec = ck_default;
        spec.family = CK_LLAMA;
        spec.packed = !master;
        spec.autobit = master;
        struct ck *c = ck_new(&spec);
        const char *dir = ck_write(c, "types");
        struct fx_bytes b = convert(dir, NULL);
        struct opened_model wanted = open_bytes("wanted.gguf", &b);
        free(b.data);
        for (int i = 0; i < N_TYPES; i++) {
            const struct trit_convert_options opt = {.type = types[i]};
            b = convert(dir, &opt);
            struct opened_model got = open_bytes("got.gguf", &b);
            check_same_linears(wanted.model, got.model, tolerance[i]);
            close_opened(&got);
            free(b.data);
        }
        close_opened(&wanted);
        ck_free(c);
    }
}

/* Embedding, head and linears have the requested types; norms are F32. */
static void types_are_those_asked_for(void **state)
{
    static const struct {
        const char *option, *name;
    } embds[] = {{NULL, "F16"},    {"f16", "F16"},   {"bf16", "BF16"}, {"f32", "F32"},
                 {"q8_0", "Q8_0"}, {"q6_k", "Q6_K"}, {"q4_k", "Q4_K"}, {"q4_0", "Q4_0"}};
    static const char *const names[N_TYPES] = {"I2_S", "TQ1_0", "TQ2_0", "F16", "BF16", "F32"};
    struct ck_spec spec = ck_default;
    (void)state;

    spec.family = CK_LLAMA;
    spec.untied = true;
    struct ck *c = ck_new(&spec);
    const char *dir = ck_write(c, "types");
    for (size_t i = 0; i < sizeof embds / sizeof *embds; i++) {
        const char *type = names[i % N_TYPES];
        const struct trit_convert_options opt = {.type = types[i % N_TYPES],
                                                 .embd = embds[i].option};
        struct fx_bytes b = convert(dir, &opt);
        struct opened_model o = open_bytes("types.gguf", &b);
        for (size_t t = 0; t < trit_file_n_tensors(o.file); t++) {
            const struct trit_tensor_info info = trit_file_tensor(o.file, t);
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)info.name.len, info.name.bytes);
            const bool embd =
                strcmp(name, "token_embd.weight") == 0 || strcmp(name, "output.weight") == 0;
            const char *wanted = embd ? embds[i].name : info.dims[1] == 1 ? "F32" : type;
            if (strcmp(info.type_name, wanted) != 0)
                fail_msg("%s has type %s, not %s", name, info.type_name, wanted);
        }
        close_opened(&o);
        free(b.data);
    }
    ck_free(c);
}

/* Q8_0 gives logits close to the model's; a smaller embedding type does not. */
static void small_embeddings(void **state)
{
    static const struct {
        const char *embd;
        double error;
    } cases[] = {{"q8_0", 0.05}, {"q6_k", 0.2}, {"q4_k", 0.6}, {"q4_0", 0.6}};
    struct ck_spec spec = ck_default;
    int32_t ids[N_IDS];
    (void)state;

    spec.untied = true;
    struct ck *c = ck_new(&spec);
    const char *dir = ck_write(c, "embd");
    fx_ids(ids, N_IDS, spec.vocab, 11);
    double *reference = hf_logits(c, ids, N_IDS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct trit_convert_options opt = {.embd = cases[i].embd};
        float *measured = converted_logits(dir, &opt, ids, N_IDS);
        const struct hf_distance d = hf_compare(reference, measured, N_IDS, (size_t)spec.vocab);
        printf("%s: mean KL %.2e, top-1 %.3f, mean error %.2e sd\n", cases[i].embd, d.kl, d.top1,
               d.error);
        assert_true(d.finite && d.error < cases[i].error);
        free(measured);
    }
    free(reference);
    ck_free(c);
}

/* ---- The same bytes -------------------------------------------------------------------------- */

static void check_same_bytes(struct fx_bytes got, const struct fx_bytes *wanted, const char *what)
{
    if (got.len != wanted->len || memcmp(got.data, wanted->data, got.len) != 0)
        fail_msg("%s gives a different file", what);
    free(got.data);
}

/* Config files, old and new, give RoPE's base in one of these places. */
static void rope_base_makes_the_same_file(void **state)
{
    static const char *const objects[] = {"{\"rope_type\": \"default\", \"rope_theta\": 500000.0}",
                                          "{\"rope_type\": \"default\"}", "{}"};
    struct ck *c = ck_new(&ck_default);
    struct fx_bytes wanted = convert(ck_write(c, "theta"), NULL);
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        ck_set(c, "rope_parameters", objects[i]);
        if (i == 0)
            ck_set(c, "rope_theta", NULL);
        check_same_bytes(convert(ck_write(c, "theta"), NULL), &wanted, objects[i]);
        ck_set(c, "rope_theta", "500000");
    }
    free(wanted.data);
    ck_free(c);
}

static void shards_make_the_same_file(void **state)
{
    struct ck *c = ck_new(&ck_default);
    struct fx_bytes wanted = convert(ck_write(c, "shards"), NULL);
    (void)state;

    for (c->spec.n_shards = 1; c->spec.n_shards <= 5; c->spec.n_shards += 2)
        check_same_bytes(convert(ck_write(c, "shards"), NULL), &wanted, "a checkpoint in shards");
    free(wanted.data);
    ck_free(c);
}

/* For any order of the tensors in the file. */
/* pytorch_model.bin, in one file and in shards. Packed weights, and masters of each type. */
static void torch_files_make_the_same_file(void **state)
{
    struct ck_spec specs[] = {ck_default, ck_default, ck_default, ck_default};
    (void)state;

    specs[1].family = CK_1BITLLM;
    for (size_t i = 1; i < 4; i++) {
        specs[i].packed = false;
        specs[i].dtype = i == 1 ? CK_F32 : i == 2 ? CK_F16 : CK_BF16;
    }
    for (size_t i = 0; i < 4; i++) {
        struct ck *c = ck_new(&specs[i]);
        struct fx_bytes wanted = convert(ck_write(c, "torch"), NULL);
        c->spec.torch = true;
        for (c->spec.n_shards = 0; c->spec.n_shards <= 2; c->spec.n_shards += 2)
            check_same_bytes(convert(ck_write(c, "torch"), NULL), &wanted, "pytorch_model.bin");
        free(wanted.data);
        ck_free(c);
    }
}

static void order_does_not_matter(void **state)
{
    struct ck *c = ck_new(&ck_default);
    struct fx_bytes wanted = convert(ck_write(c, "order"), NULL);
    uint64_t rng = 3;
    (void)state;

    for (int i = c->n_tensors - 1; i > 0; i--) {
        const int j = (int)(fx_random(&rng) % ((uint64_t)i + 1));
        const struct ck_tensor t = c->tensors[i];
        c->tensors[i] = c->tensors[j];
        c->tensors[j] = t;
    }
    check_same_bytes(convert(ck_write(c, "order"), NULL), &wanted, "another order");
    free(wanted.data);
    ck_free(c);
}

static void threads_make_the_same_file(void **state)
{
    (void)state;
    for (int master = 0; master < 2; master++) {
        struct ck_spec spec = ck_default;
        spec.packed = !master;
        struct ck *c = ck_new(&spec);
        const char *dir = ck_write(c, "threads");
        for (int i = 0; i < N_TYPES; i++) {
            const struct trit_convert_options one = {.type = types[i], .n_threads = 1};
            struct fx_bytes wanted = convert(dir, &one);
            for (int n = 2; n <= 7; n += 5) {
                const struct trit_convert_options more = {.type = types[i], .n_threads = n};
                check_same_bytes(convert(dir, &more), &wanted, "another number of threads");
            }
            free(wanted.data);
        }
        ck_free(c);
    }
}

/* ---- Told on the way ------------------------------------------------------------------------- */

struct told {
    struct fx_bytes text; /* one line per tensor */
    int n_notes, n_tensors;
};

static void told_note(void *user, const char *text)
{
    struct told *t = user;
    assert_true(text && *text);
    assert_int_equal(t->n_tensors, 0); /* before the first tensor */
    t->n_notes++;
}

static void put_line(struct fx_bytes *b, const char *name, const char *type, const uint64_t *dims,
                     uint64_t n_bytes)
{
    char line[256];
    const int n = snprintf(line, sizeof line, "%s %s [%llu, %llu, %llu, %llu] %llu\n", name, type,
                           (unsigned long long)dims[0], (unsigned long long)dims[1],
                           (unsigned long long)dims[2], (unsigned long long)dims[3],
                           (unsigned long long)n_bytes);
    assert_true(n > 0 && (size_t)n < sizeof line);
    fx_put(b, line, (size_t)n);
}

static void told_tensor(void *user, const struct trit_converted_tensor *tensor)
{
    struct told *t = user;
    uint64_t dims[4] = {1, 1, 1, 1};

    t->n_tensors++;
    assert_true(tensor->source && strstr(tensor->source, ".weight"));
    assert_true(tensor->from_type && *tensor->from_type);
    assert_true(tensor->n_dims >= 1 && tensor->n_dims <= 4);
    memcpy(dims, tensor->dims, tensor->n_dims * sizeof *dims);
    put_line(&t->text, tensor->name, tensor->type, dims, tensor->n_bytes);
}

/* The number of notes of a conversion with this text. */
struct wanted_note {
    const char *text;
    int n;
};

static void look_for_note(void *user, const char *text)
{
    struct wanted_note *w = user;
    w->n += strstr(text, w->text) != NULL;
}

static int n_notes(const char *dir, const char *map, const char *text)
{
    struct wanted_note w = {.text = text};
    const struct trit_convert_options opt = {.map = map, .on_note = look_for_note, .user = &w};
    struct trit_error err;

    if (trit_convert(dir, &opt, NULL, NULL, NULL, &err))
        fail_msg("%s: %s", dir, err.text);
    return w.n;
}

/* The reported types are the written ones, and a dry run reports the same. */
static void told_what_is_written(void **state)
{
    struct ck *c = ck_new(&ck_default);
    const char *dir = ck_write(c, "told");
    struct told wet = {.n_notes = 0}, dry = {.n_notes = 0};
    struct trit_convert_options opt = {
        .on_note = told_note, .on_tensor = told_tensor, .user = &wet};
    struct fx_bytes b = convert(dir, &opt), written = {0};
    struct opened_model o = open_bytes("told.gguf", &b);
    struct trit_error err;
    uint64_t n_bytes = 0;
    (void)state;

    for (size_t i = 0; i < trit_file_n_tensors(o.file); i++) {
        const struct trit_tensor_info info = trit_file_tensor(o.file, i);
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)info.name.len, info.name.bytes);
        put_line(&written, name, info.type_name, info.dims, info.n_bytes);
    }
    assert_int_equal(wet.n_tensors, trit_file_n_tensors(o.file));
    assert_int_equal(wet.text.len, written.len);
    assert_memory_equal(wet.text.data, written.data, written.len);
    assert_true(wet.n_notes > 0); /* at least what the scale means */

    opt.user = &dry;
    if (trit_convert(dir, &opt, NULL, NULL, &n_bytes, &err))
        fail_msg("%s", err.text);
    assert_int_equal(n_bytes, b.len);
    assert_int_equal(dry.n_notes, wet.n_notes);
    assert_int_equal(dry.text.len, wet.text.len);
    assert_memory_equal(dry.text.data, wet.text.data, wet.text.len);
    free(dry.text.data);
    free(wet.text.data);
    free(written.data);
    close_opened(&o);
    free(b.data);
    ck_free(c);
}

static void dry_runs_know_the_size(void **state)
{
    (void)state;
    for (int i = 0; i < N_SAMPLES; i++) {
        const struct trit_convert_options opt = {.type = samples[i].type, .embd = samples[i].embd};
        const struct ck_spec spec = spec_of(&samples[i]);
        struct ck *c = ck_new(&spec);
        const char *dir = ck_write(c, "dry");
        struct fx_bytes b = convert(dir, &opt);
        struct trit_error err;
        uint64_t n_bytes = 0;
        if (trit_convert(dir, &opt, NULL, NULL, &n_bytes, &err))
            fail_msg("%s: %s", samples[i].name, err.text);
        assert_int_equal(n_bytes, b.len);
        assert_int_equal(trit_convert(dir, &opt, NULL, NULL, NULL, NULL), TRIT_OK);
        free(b.data);
        ck_free(c);
    }
}

static void sinks_may_stop(void **state)
{
    struct ck *c = ck_new(&ck_default);
    const char *dir = ck_write(c, "stop");
    struct output all = {.stop_at = 0};
    struct trit_error err;
    (void)state;

    assert_int_equal(trit_convert(dir, NULL, receive, &all, NULL, &err), TRIT_OK);
    const int step = all.n_calls / 8 + 1;
    for (int i = 1; i <= all.n_calls; i++) {
        if (i > 8 && i % step && i != all.n_calls)
            continue;
        struct output o = {.stop_at = i};
        assert_int_equal(trit_convert(dir, NULL, receive, &o, NULL, &err), TRIT_E_CANCELLED);
        assert_int_equal(err.code, TRIT_E_CANCELLED);
        assert_int_equal(o.n_calls, i);
        if (o.bytes.len) /* the data was the beginning of the file */
            assert_memory_equal(o.bytes.data, all.bytes.data, o.bytes.len);
        free(o.bytes.data);
    }
    free(all.bytes.data);
    ck_free(c);
}

/* Long names of folders are cut between characters. */
static void long_names(void **state)
{
    static const struct {
        size_t n_ascii, expected; /* before the characters of 4 bytes each; bytes kept */
    } cases[] = {{117, 117}, {118, 118}, {119, 119}, {120, 120}, {116, 120}, {1, 117}};
    struct ck *c = ck_new(&ck_default);
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[256] = "\"";
        struct trit_string name;
        struct trit_error err;
        trit_file *file;
        for (size_t k = 0; k < cases[i].n_ascii; k++)
            strcat(json, "a");
        while (strlen(json) < 140)
            strcat(json, "\xF0\x9F\xA6\x8A");
        strcat(json, "\"");
        ck_set(c, "_name_or_path", json);
        struct fx_bytes b = convert(ck_write(c, "long-name"), NULL);
        if (trit_file_open(&file, fx_write("long-name.gguf", b.data, b.len), NULL, &err) ||
            trit_gguf_get_string(file, "general.name", &name, &err))
            fail_msg("%s", err.text);
        assert_int_equal(name.len, cases[i].expected);
        assert_memory_equal(name.bytes, json + 1, name.len);
        trit_file_close(&file);
        free(b.data);
    }
    ck_free(c);
}

/* Floats that are ternary already: transformers would quantize them again, which makes the scale
 * smaller; a note says so. */
static void ternary_masters_are_told(void **state)
{
    struct ck_spec spec = ck_default;
    (void)state;

    spec.packed = false;
    struct ck *c = ck_new(&spec);
    const char *dir = ck_write(c, "ternary");
    assert_int_equal(n_notes(dir, NULL, "ternary already"), 0);
    struct ck_tensor *t = ck_tensor(c, "model.layers.1.mlp.up_proj.weight");
    for (size_t i = 0; i < t->n_bytes / 2; i++)
        ck_set_value(t, i, 0.5 * ((double)(i % 3) - 1));
    dir = ck_write(c, "ternary");
    assert_int_equal(n_notes(dir, NULL, "1 float linears are ternary already"), 1);
    assert_int_equal(n_notes(dir, NULL, "by the share of nonzero weights"), 1);
    ck_free(c);
}

/* ---- A file of names ------------------------------------------------------------------------- */

static const char *write_text(const char *name, const char *text)
{
    return fx_write(name, text, strlen(text));
}

/* A checkpoint with renamed tensors, and the original. */
static void renamed_tensors(void **state)
{
    static const uint64_t dims[] = {32, 0};
    struct fx_bytes left;
    static const char text[] = "# the names of another house\n"
                               "\n"
                               "tokens.weight = token_embd.weight\n"
                               "  out_norm.gain   =   output_norm.weight  # at the end\n"
                               "model.layers.{}.wq.matrix = blk.{}.attn_q.weight\n"
                               "model.layers.{}.wq.matrix_scale = blk.{}.attn_q.scale\n"
                               "model.layers.{}.sub.weight = blk.{}.attn_sub_norm.weight\n"
                               "model.layers.1.second.weight = blk.1.ffn_norm.weight\n";
    static const char more[] = "model.layers.{}.rope.table = ignore\n"
                               "extra = ignore\n";
    char both[sizeof text + sizeof more];
    struct ck *c = ck_new(&ck_default);
    struct fx_bytes wanted = convert(ck_write(c, "names"), NULL);
    struct trit_convert_options opt = {.map = write_text("names.txt", text)};
    (void)state;

    ck_rename(c, "model.embed_tokens.weight", "tokens.weight");
    ck_rename(c, "model.norm.weight", "out_norm.gain");
    ck_rename(c, "self_attn.q_proj.weight", "wq.matrix"); /* and its scale */
    ck_rename(c, "self_attn.attn_sub_norm", "sub");
    ck_rename(c, "1.post_attention_layernorm", "1.second");
    ck_tensor(c, "model.layers.0.wq.matrix_scale");
    check_same_bytes(convert(ck_write(c, "names"), &opt), &wanted, "a file of names");
    ck_add(c, "model.layers.0.rope.table", "F32", dims);
    ck_add(c, "model.layers.1.rope.table", "F32", dims);
    ck_add(c, "extra", "I64", dims);
    snprintf(both, sizeof both, "%s%s", text, more);
    opt.map = write_text("names.txt", both);
    left = convert(ck_write(c, "names"), &opt); /* longer by the notes on ignored tensors */
    assert_true(left.len > wanted.len);
    assert_memory_equal(left.data + left.len - 100000, wanted.data + wanted.len - 100000, 100000);
    free(left.data);
    free(wanted.data);
    ck_free(c);
}

/* An `ignore` line that matches nothing is reported; one that matches is not. */
static void idle_rules_are_told(void **state)
{
    static const uint64_t dims[] = {32, 0};
    const char *names = write_text("names.txt", "extra.{}.bias = ignore\n"
                                                "\n"
                                                "extar = ignore\n"
                                                "other.{} = ignore\n");
    struct ck *c = ck_new(&ck_default);
    (void)state;

    ck_add(c, "extra.1.bias", "F32", dims);
    const char *dir = ck_write(c, "idle");
    assert_int_equal(n_notes(dir, names, "no tensor has that name"), 2);
    assert_int_equal(n_notes(dir, names, "line 3 of the file of names ignores 'extar'"), 1);
    assert_int_equal(n_notes(dir, names, "line 4 of the file of names ignores 'other.{}'"), 1);
    ck_free(c);
}

/* A file of names that renames nothing changes nothing. */
static void empty_file_of_names(void **state)
{
    struct ck *c = ck_new(&ck_default);
    const char *dir = ck_write(c, "names");
    struct fx_bytes wanted = convert(dir, NULL);
    const struct trit_convert_options opt = {.map = write_text("names.txt", "# nothing\n\n")};
    (void)state;

    check_same_bytes(convert(dir, &opt), &wanted, "an empty file of names");
    free(wanted.data);
    ck_free(c);
}

/* RoPE of type llama3: frequencies are divided one by one. */
static void llama3_rope(void **state)
{
    static const char config[] = "{\"rope_type\": \"llama3\", \"factor\": 8.0, "
                                 "\"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0, "
                                 "\"original_max_position_embeddings\": 8192}";
    struct ck_spec spec = ck_default;
    struct trit_error err;
    trit_file *file;
    (void)state;

    spec.family = CK_LLAMA;
    spec.rope_theta = 500000;
    struct ck *c = ck_new(&spec);
    ck_set(c, "rope_scaling", config);
    struct fx_bytes b = convert(ck_write(c, "llama3-rope"), NULL);
    if (trit_file_open(&file, fx_write("llama3-rope.gguf", b.data, b.len), NULL, &err))
        fail_msg("%s", err.text);
    free(b.data);
    const struct gguf_tensor *t = trit_gguf_find_tensor(file, "rope_freqs.weight");
    assert_non_null(t);
    assert_int_equal(t->dims[0], 32);
    for (int i = 0; i < 32; i++) {
        const double wavelength = 2 * 3.141592653589793 * pow(500000, 2.0 * i / 64);
        float x;
        memcpy(&x, trit_gguf_data(file, t) + 4 * i, sizeof x);
        double expected = 1;
        if (wavelength > 8192) {
            expected = 8;
        } else if (wavelength > 8192 / 4.0) {
            const double smooth = (8192 / wavelength - 1) / 3;
            expected = 1 / ((1 - smooth) / 8 + smooth);
        }
        if (!(fabs((double)x - expected) < 1e-5))
            fail_msg("divisor %d is %g; expected %g", i, (double)x, expected);
    }
    trit_file_close(&file);
    ck_free(c);
}

/* Data may begin at any byte of a file. */
static void unaligned_weights(void **state)
{
    static const uint64_t three[] = {3, 0};
    static const char text[] = "leftover = ignore\n";
    const struct trit_convert_options opt = {.map = write_text("leftover.txt", text)};
    struct ck_spec spec = ck_default;
    (void)state;

    spec.packed = false;
    spec.dtype = CK_F32;
    struct ck *c = ck_new(&spec);
    struct fx_bytes wanted = convert(ck_write(c, "unaligned"), NULL);
    ck_add(c, "leftover", "U8", three);
    const struct ck_tensor last = c->tensors[c->n_tensors - 1];
    memmove(c->tensors + 1, c->tensors, (size_t)(c->n_tensors - 1) * sizeof last);
    c->tensors[0] = last;
    struct fx_bytes got = convert(ck_write(c, "unaligned"), &opt);
    assert_memory_equal(got.data + got.len - 100000, wanted.data + wanted.len - 100000, 100000);
    free(got.data);
    free(wanted.data);
    ck_free(c);
}

/* ---- Tokenizers ------------------------------------------------------------------------------ */

static void check_encodes(const trit_tokenizer *t, const char *text, const int32_t *wanted,
                          int32_t n_wanted)
{
    struct trit_error err;
    int32_t *ids, n;

    if (trit_tokenizer_encode(t, text, strlen(text), TRIT_ENCODE_BOS, &ids, &n, &err))
        fail_msg("%s", err.text);
    assert_int_equal(n, n_wanted);
    assert_memory_equal(ids, wanted, (size_t)n * sizeof *ids);
    free(ids);
}

static void tokenizers(void **state)
{
    static const int32_t bpe[] = {264, 257, 262, 'x'}, spm[] = {1, 267, 259, 268, 3 + 'x'};
    (void)state;

    for (int family = CK_BITNET; family <= CK_1BITLLM; family++) {
        struct ck_spec spec = ck_default;
        const bool is_spm = family == CK_1BITLLM;
        struct trit_error err;
        trit_tokenizer *t;

        spec.family = (enum ck_family)family;
        spec.packed = spec.autobit = !is_spm;
        struct ck *c = ck_new(&spec);
        struct fx_bytes b = convert(ck_write(c, "tokenizer"), NULL);
        struct opened_model o = open_bytes("tokenizer.gguf", &b);
        if (trit_tokenizer_open(&t, o.file, &err))
            fail_msg("%s", err.text);
        assert_int_equal(trit_tokenizer_n_vocab(t), spec.vocab);
        assert_int_equal(trit_tokenizer_bos(t), is_spm ? 1 : 264);
        for (int32_t id = 0; id < spec.vocab; id++)
            assert_int_equal(trit_tokenizer_is_end(t, id),
                             is_spm ? id == 2 : id == 265 || id == 266);
        check_encodes(t, is_spm ? "the anx" : "the andx", is_spm ? spm : bpe, is_spm ? 5 : 4);
        trit_tokenizer_close(&t);
        close_opened(&o);
        free(b.data);
        ck_free(c);
    }
}

/* ---- A trained model ------------------------------------------------------------------------- */

/* The packed checkpoint must become the same model as its makers' GGUF. */
static void fables_packed(void **state)
{
    enum { N = 64 };
    int32_t n_ids, *ids;
    (void)state;

    ids = shared_ids(shared_path("golden/llama-i2s-long.tokens"), &n_ids);
    assert_true(n_ids >= N);
    struct opened_model theirs = open_path(shared_path("models/fables/fables.gguf"));
    struct fx_bytes b = convert(shared_path("models/fables/hf-packed"), NULL);
    struct opened_model ours = open_bytes("fables.gguf", &b);
    float *wanted = logits_of(theirs.model, ids, N, &exact);
    float *got = logits_of(ours.model, ids, N, &exact);
    const size_t n_vocab = (size_t)trit_model_vocab_size(theirs.model);
    assert_int_equal(trit_model_vocab_size(ours.model), n_vocab);
    assert_memory_equal(got, wanted, N * n_vocab * sizeof *got);
    check_same_linears(theirs.model, ours.model, 0);
    free(ids);
    free(got);
    free(wanted);
    close_opened(&ours);
    close_opened(&theirs);
    free(b.data);
}

/* The master gives the codes that its makers packed; they rounded the scale to bf16. */
static void fables_master(void **state)
{
    (void)state;
    struct fx_bytes master = convert(shared_path("models/fables/hf"), NULL);
    struct fx_bytes packed = convert(shared_path("models/fables/hf-packed"), NULL);
    struct opened_model a = open_bytes("master.gguf", &master),
                        b = open_bytes("packed.gguf", &packed);

    check_same_linears(a.model, b.model, 0x1p-8);
    close_opened(&a);
    close_opened(&b);
    free(master.data);
    free(packed.data);
}

static void fables_tokenizer(void **state)
{
    static const char text[] = "Once upon a time there was a fox; it said: \"I'm 12 years old!\"\n";
    trit_tokenizer *t, *u;
    struct trit_error err;
    int32_t *ids = NULL, n = 0;
    (void)state;

    struct opened_model theirs = open_path(shared_path("models/fables/fables.gguf"));
    struct fx_bytes b = convert(shared_path("models/fables/hf-packed"), NULL);
    struct opened_model ours = open_bytes("fables.gguf", &b);
    if (trit_tokenizer_open(&t, theirs.file, &err) || trit_tokenizer_open(&u, ours.file, &err) ||
        trit_tokenizer_encode(t, text, strlen(text), TRIT_ENCODE_BOS, &ids, &n, &err))
        fail_msg("%s", err.text);
    check_encodes(u, text, ids, n);
    assert_int_equal(trit_tokenizer_n_vocab(u), trit_tokenizer_n_vocab(t));
    for (int32_t id = 0; id < trit_tokenizer_n_vocab(t); id++) {
        const struct trit_string x = trit_tokenizer_piece(t, id, true);
        const struct trit_string y = trit_tokenizer_piece(u, id, true);
        assert_int_equal(x.len, y.len);
        assert_memory_equal(x.bytes, y.bytes, x.len);
        assert_int_equal(trit_tokenizer_is_end(t, id), trit_tokenizer_is_end(u, id));
    }
    free(ids);
    trit_tokenizer_close(&u);
    trit_tokenizer_close(&t);
    close_opened(&ours);
    close_opened(&theirs);
    free(b.data);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(knob_before_config),
    cmocka_unit_test(weights_above_half),
    cmocka_unit_test(master_of_zeros),
    cmocka_unit_test(types_agree_exactly),
    cmocka_unit_test(types_agree_but_for_scales),
    cmocka_unit_test(types_are_those_asked_for),
    cmocka_unit_test(small_embeddings),
    cmocka_unit_test(rope_base_makes_the_same_file),
    cmocka_unit_test(shards_make_the_same_file),
    cmocka_unit_test(torch_files_make_the_same_file),
    cmocka_unit_test(order_does_not_matter),
    cmocka_unit_test(threads_make_the_same_file),
    cmocka_unit_test(told_what_is_written),
    cmocka_unit_test(dry_runs_know_the_size),
    cmocka_unit_test(sinks_may_stop),
    cmocka_unit_test(long_names),
    cmocka_unit_test(ternary_masters_are_told),
    cmocka_unit_test(renamed_tensors),
    cmocka_unit_test(idle_rules_are_told),
    cmocka_unit_test(empty_file_of_names),
    cmocka_unit_test(llama3_rope),
    cmocka_unit_test(unaligned_weights),
    cmocka_unit_test(tokenizers),
    cmocka_unit_test(fables_packed),
    cmocka_unit_test(fables_master),
    cmocka_unit_test(fables_tokenizer),
};

const struct suite suite = {SUITE_TESTS(tests), SUITE_ROWS(family, samples)};
