/* test_variants.c - the families bitskip and bitnet-8bit, whose knobs `convert` writes into the
 * file and --knob overrides: the engine must compute from the new file what variant_reference.h
 * computes from the folder.
 *
 * A sample is a family and a text of knobs, which goes to trit_convert() and to the spec of the
 * reference. The first tests check the reference itself, and that every tensor and every knob of
 * the samples affects the logits. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "hf_reference.h"
#include "running.h"
#include "suite.h"
#include "variant_reference.h"
#include "trit_tools.h"

enum { N_IDS = 24, N_FEW = 8, MAX_KNOBS = 8 };

/* ---- Knobs ----------------------------------------------------------------------------------- */

enum kind { FLAG, COUNT, REAL, CHOICE };

static const struct knob {
    const char *name;
    enum kind kind;
    bool shapes;                       /* a checkpoint with it has other tensors */
    size_t at;                         /* in struct ck_knobs */
    const char *choices[CK_LAYER + 2]; /* indices into that table */
} knobs[] = {
    /* clang-format off */
    {"causal", FLAG, false, offsetof(struct ck_knobs, causal), {NULL}},
    {"block", CHOICE, true, offsetof(struct ck_knobs, block), {"pre", "post"}},
    {"norm", CHOICE, true, offsetof(struct ck_knobs, norm), {"none", "rms", "layer"}},
    {"attn_in_norm", FLAG, false, offsetof(struct ck_knobs, attn_in_norm), {NULL}},
    {"ffn", CHOICE, true, offsetof(struct ck_knobs, ffn), {"plain", "gated"}},
    {"learned_positions", FLAG, true, offsetof(struct ck_knobs, learned_positions), {NULL}},
    {"act_bits", COUNT, false, offsetof(struct ck_knobs, act_bits), {NULL}},
    {"act_form", CHOICE, false, offsetof(struct ck_knobs, act_form), {"mul", "div"}},
    {"act_eps", REAL, false, offsetof(struct ck_knobs, act_eps), {NULL}},
    {"act_dequant", CHOICE, false, offsetof(struct ck_knobs, act_dequant),
     {"standard", "legacy_div"}},
    {"linear_norm", CHOICE, true, offsetof(struct ck_knobs, linear_norm),
     {"none", "rms", "layer"}},
    {"linear_norm_eps", REAL, false, offsetof(struct ck_knobs, linear_norm_eps), {NULL}},
    {"linear_post", CHOICE, false, offsetof(struct ck_knobs, linear_post), {"none", "relu2"}},
    {"hadamard", CHOICE, false, offsetof(struct ck_knobs, hadamard), {"none", "before", "after"}},
    {"hadamard_norm", FLAG, false, offsetof(struct ck_knobs, hadamard_norm), {NULL}},
    {"hadamard_output", FLAG, false, offsetof(struct ck_knobs, hadamard_output), {NULL}},
    {"exit_norm", FLAG, false, offsetof(struct ck_knobs, exit_norm), {NULL}},
    {"exit_min_layers", COUNT, false, offsetof(struct ck_knobs, exit_min_layers), {NULL}},
    {"exit_threshold", REAL, false, offsetof(struct ck_knobs, exit_threshold), {NULL}},
    /* clang-format on */
};
enum { N_KNOBS = sizeof knobs / sizeof *knobs };

static const struct knob *find_knob(const char *name)
{
    for (int i = 0; i < N_KNOBS; i++)
        if (strcmp(knobs[i].name, name) == 0)
            return &knobs[i];
    return NULL;
}

static int number_of(const struct knob *k, const char *choice)
{
    int i = 0;
    while (k->choices[i] && strcmp(k->choices[i], choice) != 0)
        i++;
    if (!k->choices[i])
        fail_msg("%s has no choice %s", k->name, choice);
    return i;
}

static void set_knob(struct ck_knobs *to, const struct knob *k, const char *value)
{
    void *field = (char *)to + k->at;
    const bool flag = strcmp(value, "true") == 0;
    const double real = strtod(value, NULL);
    const int number = k->kind == CHOICE ? number_of(k, value) : (int)real;

    if (k->kind == FLAG)
        memcpy(field, &flag, sizeof flag);
    else if (k->kind == REAL)
        memcpy(field, &real, sizeof real);
    else
        memcpy(field, &number, sizeof number);
}

static size_t knob_bytes(const struct knob *k)
{
    return k->kind == FLAG ? sizeof(bool) : k->kind == REAL ? sizeof(double) : sizeof(int);
}

/* "name=value name=value", cut into what trit_convert() takes. */
struct request {
    char text[256];
    const char *items[MAX_KNOBS];
    int n;
};

static void cut(struct request *r, const char *text)
{
    *r = (struct request){.n = 0};
    if (!text)
        return;
    assert_true(strlen(text) < sizeof r->text);
    strcpy(r->text, text);
    for (char *p = strtok(r->text, " "); p; p = strtok(NULL, " ")) {
        assert_true(r->n < MAX_KNOBS);
        r->items[r->n++] = p;
    }
}

/* ---- Samples --------------------------------------------------------------------------------- */

enum { V1 = 1, V2, V3, BIT8 };

enum {
    BITS = 1, /* tested in every way of computing, and for every tensor */
    BARE = 2,
    EXTRAS = 4,
    TIED = 8,
    WIDE = 16,   /* hidden 256 */
    TERNARY = 32 /* a master of ternary weights; its scale is their mean as usual */
};

static const struct sample {
    const char *name;
    int family;
    const char *knobs; /* NULL: none */
    unsigned is;
    const char *prefix, *norm_name, *hidden_act, *architectures, *type;
    enum ck_dtype dtype;
    double embd_sd, position_sd, rope_theta, eps;
    int n_layer, n_shards;
} samples[] = {
    {"v1", V1, .is = BITS},
    {"v2", V2, .is = BITS},
    {"v3", V3, .is = BITS},
    {"bitnet-8bit", BIT8, .is = BITS},
    {"v1, three layers", V1, .n_layer = 3},
    {"v2, three layers", V2, .n_layer = 3},
    {"bitnet-8bit, three layers", BIT8, .n_layer = 3},

    {"v1, block=pre", V1, .knobs = "block=pre"},
    {"v1, block=post", V1, .knobs = "block=post", .is = BITS},
    {"v1, attn_in_norm", V1, .knobs = "block=post attn_in_norm=true"},
    {"v3, block=post norm=layer", V3, .knobs = "block=post norm=layer"},
    {"bitnet-8bit, block=pre", BIT8, .knobs = "block=pre attn_in_norm=false", .is = BITS},
    {"v1, norm=layer", V1, .knobs = "norm=layer", .is = BITS},
    {"bitnet-8bit, norm=rms", BIT8, .knobs = "norm=rms"},
    {"bitnet-8bit, attn_in_norm=false", BIT8, .knobs = "attn_in_norm=false", .embd_sd = 0.1,
     .position_sd = 0.1},
    {"v1, ffn=plain", V1, .knobs = "ffn=plain"},
    {"bitnet-8bit, ffn=gated", BIT8, .knobs = "ffn=gated"},
    {"v1, learned_positions", V1, .knobs = "learned_positions=true arch=bitskip"},
    {"bitnet-8bit, learned_positions=false", BIT8,
     .knobs = "learned_positions=false arch=bitnet-8bit"},

    {"v1, act_bits=2", V1, .knobs = "act_bits=2"},
    {"v1, act_bits=4", V1, .knobs = "act_bits=4", .is = BITS},
    {"v2, act_bits=8", V2, .knobs = "act_bits=8"},
    {"bitnet-8bit, act_bits=5", BIT8, .knobs = "act_bits=5"},
    {"v1, act_form=mul", V1, .knobs = "act_form=mul"},
    {"v2, act_form=mul", V2, .knobs = "act_form=mul"},
    {"v2, act_form=div", V2, .knobs = "act_form=div"},
    {"v1, act_eps", V1, .knobs = "block=post act_eps=1", .embd_sd = 0.02},
    {"bitnet-8bit, act_eps", BIT8, .knobs = "attn_in_norm=false act_eps=1", .embd_sd = 0.02,
     .position_sd = 0.02},
    {"v1, act_eps in the divisor", V1, .knobs = "block=post act_eps=1 act_dequant=legacy_div",
     .embd_sd = 0.2},
    {"v1, act_dequant=legacy_div", V1, .knobs = "act_dequant=legacy_div"},
    {"v2, act_dequant=legacy_div", V2, .knobs = "act_dequant=legacy_div"},
    {"bitnet-8bit, act_dequant=legacy_div", BIT8, .knobs = "act_dequant=legacy_div", .is = BITS},
    {"bitnet-8bit, act_dequant=standard", BIT8, .knobs = "act_dequant=standard"},

    {"v1, linear_norm=rms", V1, .knobs = "linear_norm=rms linear_norm_eps=0.2", .is = BITS},
    {"v1, linear_norm=layer", V1, .knobs = "linear_norm=layer linear_norm_eps=0.2", .is = BITS},
    {"v2, linear_norm=none", V2, .knobs = "linear_norm=none"},
    {"v2, linear_norm=rms", V2, .knobs = "linear_norm=rms"},
    {"v3, linear_norm_eps", V3, .knobs = "linear_norm_eps=0.5"},
    {"bitnet-8bit, linear_norm=layer", BIT8, .knobs = "linear_norm=layer linear_norm_eps=1e-5"},
    {"v1, linear_post=relu2", V1, .knobs = "linear_post=relu2"},
    {"v3, linear_post=relu2", V3, .knobs = "linear_post=relu2"},
    {"bitnet-8bit, linear_post=none", BIT8, .knobs = "linear_post=none"},

    {"v1, before", V1, .knobs = "hadamard=before", .is = BITS},
    {"v1, before, output", V1, .knobs = "hadamard=before hadamard_output=true"},
    {"v1, before, norm", V1, .knobs = "hadamard=before hadamard_norm=true"},
    {"v1, before, norm, output", V1,
     .knobs = "hadamard=before hadamard_norm=true hadamard_output=true", .is = BITS},
    {"v1, after", V1, .knobs = "hadamard=after"},
    {"v1, after, output", V1, .knobs = "hadamard=after hadamard_output=true"},
    {"v1, after, norm", V1, .knobs = "hadamard=after hadamard_norm=true"},
    {"v1, after, norm, output", V1,
     .knobs = "hadamard=after hadamard_norm=true hadamard_output=true", .is = BITS},
    {"v1, output", V1, .knobs = "hadamard_output=true"},
    {"v1, before, legacy_div", V1, .knobs = "hadamard=before act_dequant=legacy_div"},
    {"v2, before", V2, .knobs = "hadamard=before"},
    {"v2, none", V2, .knobs = "hadamard=none hadamard_output=false"},
    {"v3, no output", V3, .knobs = "hadamard_output=false"},
    {"v3, norm", V3, .knobs = "hadamard_norm=true"},
    {"bitnet-8bit, before", BIT8, .knobs = "hadamard=before hadamard_output=true"},

    {"v1, exit_norm=false", V1, .knobs = "exit_norm=false", .is = BITS},
    {"v1, exit_norm=true", V1, .knobs = "exit_norm=true"},
    {"bitnet-8bit, exit_norm=false", BIT8, .knobs = "exit_norm=false"},
    {"bitnet-8bit, exit_min_layers", BIT8, .knobs = "exit_min_layers=1 exit_threshold=0.5"},

    {"v1, causal=true", V1, .knobs = "causal=true"},
    {"v1, causal=false", V1, .knobs = "causal=false", .is = BITS},
    {"v2, causal=false", V2, .knobs = "causal=false"},
    {"bitnet-8bit, causal=false", BIT8, .knobs = "causal=false", .is = BITS},

    {"v1, norm_eps", V1, .knobs = "norm_eps=0.1"},
    {"bitnet-8bit, norm_eps", BIT8, .knobs = "norm_eps=0.1"},
    {"v1, rope_base", V1, .knobs = "rope_base=100"},
    {"v1, head_count", V1, .knobs = "head_count=2 head_count_kv=1"},
    {"bitnet-8bit, head_count", BIT8, .knobs = "head_count=2 head_count_kv=1"},

    {"v1, config's RoPE and eps", V1, .rope_theta = 100, .eps = 0.1},
    {"bitnet-8bit, config's RoPE and eps", BIT8, .rope_theta = 100, .eps = 0.1},
    {"v1, bare config", V1, .is = BARE},
    {"v3, bare config", V3, .is = BARE},
    {"bitnet-8bit, bare config", BIT8, .is = BARE},
    {"v1, tied", V1, .is = TIED},
    {"v1, hidden_act relu2", V1, .hidden_act = "relu2"},
    {"bitnet-8bit, hidden_act silu", BIT8, .hidden_act = "silu"},
    {"bitnet-8bit called BitNetForCausalLM", BIT8, .architectures = "[\"BitNetForCausalLM\"]"},
    {"bitskip of another name", V1, .knobs = "arch=bitskip",
     .architectures = "[\"SomethingElse\"]"},

    {"v1, no prefix", V1, .prefix = ""},
    {"v1, module.", V1, .prefix = "module."},
    {"v1, module.model.", V1, .prefix = "module.model."},
    {"v2, _orig_mod.", V2, .prefix = "_orig_mod."},
    {"v1, _orig_mod.model.", V1, .prefix = "_orig_mod.model."},
    {"bitnet-8bit, model.", BIT8, .prefix = "model."},
    {"bitnet-8bit, _orig_mod.", BIT8, .prefix = "_orig_mod."},
    {"v2, layer_norm", V2, .norm_name = "layer_norm"},
    {"v2, layernorm", V2, .norm_name = "layernorm"},
    {"v3, ln", V3, .norm_name = "ln"},
    {"v1, extras", V1, .is = EXTRAS},
    {"bitnet-8bit, extras", BIT8, .is = EXTRAS},
    {"bitnet-8bit, extras, module.", BIT8, .is = EXTRAS, .prefix = "module."},
    {"v2, shards", V2, .n_shards = 3},

    {"v1, bf16", V1, .dtype = CK_BF16},
    {"v1, f16", V1, .dtype = CK_F16},
    {"v2, f16", V2, .dtype = CK_F16},
    {"v3, bf16", V3, .dtype = CK_BF16},
    {"bitnet-8bit, bf16", BIT8, .dtype = CK_BF16},
    {"bitnet-8bit, f16", BIT8, .dtype = CK_F16},
    {"v1, wide", V1, .is = WIDE | BITS},
    {"v1, ternary", V1, .is = TERNARY},
    {"v3, ternary", V3, .is = TERNARY},
    {"v3 as F32", V3, .type = "f32"},
};
enum { N_SAMPLES = sizeof samples / sizeof *samples };

static struct ck_spec family_spec(const struct sample *s)
{
    struct ck_spec spec = s->family == BIT8 ? ck_bitnet8() : ck_bitskip(s->family);

    spec.bare_config = s->is & BARE;
    spec.extras = s->is & EXTRAS;
    spec.untied = !(s->is & TIED);
    if (s->is & WIDE) {
        spec.hidden = 256;
        spec.head_dim = 64;
    }
    spec.prefix = s->prefix ? s->prefix : spec.prefix;
    spec.norm_name = s->norm_name ? s->norm_name : spec.norm_name;
    spec.hidden_act = s->hidden_act;
    spec.dtype = s->dtype ? s->dtype : spec.dtype;
    spec.embd_sd = s->embd_sd > 0 ? s->embd_sd : spec.embd_sd;
    spec.position_sd = s->position_sd > 0 ? s->position_sd : spec.position_sd;
    spec.rope_theta = s->rope_theta > 0 ? s->rope_theta : spec.rope_theta;
    spec.eps = s->eps > 0 ? s->eps : spec.eps;
    spec.n_layer = s->n_layer ? s->n_layer : spec.n_layer;
    spec.n_shards = s->n_shards;
    spec.seed = 500 + (uint64_t)(s - samples);
    return spec;
}

static void apply_item(struct ck_spec *spec, const char *item)
{
    const char *value = strchr(item, '=') + 1;
    char name[32];

    snprintf(name, sizeof name, "%.*s", (int)(value - item - 1), item);
    const struct knob *k = find_knob(name);
    if (k) {
        set_knob(&spec->knobs, k, value);
    } else if (strcmp(name, "norm_eps") == 0) {
        spec->eps = strtod(value, NULL);
    } else if (strcmp(name, "rope_base") == 0) {
        spec->rope_theta = strtod(value, NULL);
    } else if (strcmp(name, "head_count") == 0) {
        spec->heads = (int)strtol(value, NULL, 10);
        spec->head_dim = spec->hidden / spec->heads;
    } else if (strcmp(name, "head_count_kv") == 0) {
        spec->kv_heads = (int)strtol(value, NULL, 10);
    } else {
        assert_string_equal(name, "arch");
    }
}

static struct ck_spec spec_of(const struct sample *s)
{
    struct ck_spec spec = family_spec(s);
    struct request r;

    cut(&r, s->knobs);
    for (int i = 0; i < r.n; i++)
        apply_item(&spec, r.items[i]);
    return spec;
}

/* Weights of -a, 0 and a. */
static void make_ternary(struct ck_tensor *t)
{
    const size_t n = (size_t)(t->dims[0] * t->dims[1]);
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += fabs(ck_value(t, i));
    for (size_t i = 0; i < n; i++) {
        const double w = ck_value(t, i), mean = sum / (double)n;
        ck_set_value(t, i, fabs(w) > mean / 2 ? copysign(mean / 0.69, w) : 0);
    }
}

/* The checkpoint; its config.json does not mention the knobs. */
static struct ck *checkpoint_of(const struct sample *s)
{
    const struct ck_spec spec = spec_of(s), family = family_spec(s);
    struct ck *c = ck_new(&spec);

    if (s->architectures)
        ck_set(c, "architectures", s->architectures);
    if (spec.eps > family.eps)
        ck_set(c, s->family == BIT8 ? "layer_norm_eps" : "rms_norm_eps", "1e-5");
    if (spec.rope_theta < family.rope_theta)
        ck_set(c, "rope_theta", "10000");
    if (spec.heads < family.heads) {
        ck_set(c, "num_attention_heads", "4");
        ck_set(c, "num_key_value_heads", "2");
    }
    for (int i = 0; i < c->n_tensors && (s->is & TERNARY); i++)
        if (strstr(c->tensors[i].name, "_proj.weight"))
            make_ternary(&c->tensors[i]);
    return c;
}

static void ids_of(const struct ck *c, int32_t *ids)
{
    fx_ids(ids, N_IDS, c->spec.vocab, c->spec.seed);
}

/* ---- Converting and running ------------------------------------------------------------------ */

static trit_status convert_with(struct fx_bytes *out, const char *dir, const char *knob_text,
                                const char *type, bool lossless, struct trit_error *err)
{
    struct request r;

    cut(&r, knob_text);
    const struct trit_convert_options opt = {.type = type,
                                             .embd = lossless ? "f32" : NULL,
                                             .knobs = r.n ? r.items : NULL,
                                             .n_knobs = r.n};
    *out = (struct fx_bytes){0};
    return trit_convert(dir, &opt, fx_append, out, NULL, err);
}

static struct opened_model open_converted(const struct ck *c, const char *knob_text,
                                          const char *type)
{
    struct fx_bytes b;
    struct trit_error err;

    if (convert_with(&b, ck_write(c, "variant"), knob_text, type, c->spec.dtype == CK_F32, &err))
        fail_msg("%s", err.text);
    const char *path = fx_write("variant.gguf", b.data, b.len);
    free(b.data);
    return open_path(path);
}

/* The error of the conversion, or else of opening the converted file. */
static trit_status refusal(const struct ck *c, const char *knob_text, struct trit_error *err)
{
    struct fx_bytes b;
    trit_file *file = NULL;
    trit_model *model = NULL;

    *err = (struct trit_error){.code = TRIT_OK};
    trit_status status = convert_with(&b, ck_write(c, "refused"), knob_text, NULL, true, err);
    if (!status)
        status = trit_file_open(&file, fx_write("refused.gguf", b.data, b.len), NULL, err);
    if (!status)
        status = trit_model_open(&model, file, err);
    trit_model_close(&model);
    trit_file_close(&file);
    free(b.data);
    return status;
}

static struct trit_session_options exact(const struct ck_spec *s)
{
    return (struct trit_session_options){
        .kv = TRIT_KV_TYPE_F32, .n_threads = 1, .whole = !s->knobs.causal};
}

/* Logits [N_IDS, vocabulary] after n_layers; 0 is all layers, in a session without early exit. */
static float *logits_after(const trit_model *model, const int32_t *ids, int n_layers,
                           struct trit_session_options opt)
{
    struct trit_error err;
    trit_session *s;

    opt.early_exit = n_layers > 0;
    if (trit_session_open(&s, model, &opt, &err) ||
        (n_layers && trit_session_set_exit_layer(s, n_layers, &err)))
        fail_msg("%s", err.text);
    float *logits = logits_in(s, ids, N_IDS);
    trit_session_close(&s);
    return logits;
}

/* ---- The reference --------------------------------------------------------------------------- */

static void fwht_is_the_matrix(void **state)
{
    enum { MAX = 256 };
    uint64_t rng = 1;
    (void)state;

    for (int n = 1; n <= MAX; n *= 2) {
        double x[MAX], y[MAX];
        for (int i = 0; i < n; i++)
            x[i] = y[i] = (double)fx_normal(&rng);
        variant_fwht(y, n);
        for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int j = 0; j < n; j++) {
                int parity = 0;
                for (int bits = i & j; bits; bits &= bits - 1)
                    parity ^= 1;
                sum += parity ? -x[j] : x[j];
            }
            assert_true(fabs(y[i] - sum) < 1e-10);
        }
        variant_fwht(y, n);
        for (int i = 0; i < n; i++)
            assert_true(fabs(y[i] - n * x[i]) < 1e-10);
    }
}

/* With the knobs of a Llama its master checkpoint computes the same, also if the linears have norms
 * of their own. */
static void reference_is_llama(void **state)
{
    (void)state;
    for (int rms = 0; rms < 2; rms++) {
        struct ck_spec spec = ck_bitskip(1);
        int32_t ids[N_IDS];

        spec.knobs.act_form = CK_MUL;
        spec.knobs.act_eps = 1e-5;
        spec.knobs.linear_norm = rms ? CK_RMS : CK_NO_NORM;
        spec.knobs.linear_norm_eps = spec.rms_eps = 0.01;
        spec.norm_name = "rms_norm";
        struct ck *c = ck_new(&spec);
        ids_of(c, ids);
        double *logits = variant_logits(c, ids, N_IDS, spec.n_layer);
        c->spec.family = CK_LLAMA;
        c->spec.rms_norm = rms;
        double *llama = hf_logits(c, ids, N_IDS);
        for (int i = 0; i < N_IDS * spec.vocab; i++)
            assert_true(fabs(logits[i] - llama[i]) < 1e-9);
        free(llama);
        free(logits);
        ck_free(c);
    }
}

static float *floats_of(const double *x, size_t n)
{
    float *y = malloc(n * sizeof *y);
    assert_non_null(y);
    for (size_t i = 0; i < n; i++)
        y[i] = (float)x[i];
    return y;
}

/* The difference between the current logits of c and these, in standard deviations. */
static double distance(const struct ck *c, const int32_t *ids, int n_layers, const double *logits)
{
    const size_t n_vocab = (size_t)c->spec.vocab;
    double *other = variant_logits(c, ids, N_FEW, n_layers);
    float *rounded = floats_of(other, N_FEW * n_vocab);
    const struct hf_distance d = hf_compare(logits, rounded, N_FEW, n_vocab);

    free(rounded);
    free(other);
    return d.finite ? d.error : NAN;
}

/* The first token sees the last one if and only if the model is not causal. */
static void reference_is_causal(void **state)
{
    (void)state;
    for (int causal = 0; causal < 2; causal++) {
        struct ck_spec spec = ck_bitskip(1);
        int32_t ids[N_IDS];

        spec.knobs.causal = causal;
        struct ck *c = ck_new(&spec);
        ids_of(c, ids);
        double *logits = variant_logits(c, ids, N_IDS, spec.n_layer);
        ids[N_IDS - 1] = (ids[N_IDS - 1] + 1) % spec.vocab;
        double *other = variant_logits(c, ids, N_IDS, spec.n_layer);
        assert_int_equal(memcmp(logits, other, (size_t)spec.vocab * sizeof *logits) == 0, causal);
        free(other);
        free(logits);
        ck_free(c);
    }
}

/* Logits vary as much as in a real model; otherwise a small difference would prove little. */
static void samples_are_sane(void **state)
{
    (void)state;
    for (int i = 0; i < N_SAMPLES; i++) {
        struct ck *c = checkpoint_of(&samples[i]);
        int32_t ids[N_IDS];

        ids_of(c, ids);
        for (int n = 1; n <= c->spec.n_layer; n++) {
            const int n_logits = N_FEW * c->spec.vocab;
            double *logits = variant_logits(c, ids, N_FEW, n), mean = 0, square = 0;
            for (int j = 0; j < n_logits; j++) {
                mean += logits[j] / n_logits;
                square += logits[j] * logits[j] / n_logits;
            }
            const double sd = sqrt(square - mean * mean);
            if (!(sd > 0.4 && sd < 8))
                fail_msg("%s: logits after %d layers deviate by %g", samples[i].name, n, sd);
            free(logits);
        }
        ck_free(c);
    }
}

/* Zeros, or ones in a norm's weights. */
static void flatten(struct ck_tensor *t)
{
    const bool norm = t->n_dims == 1 && strstr(t->name, ".weight");
    const size_t n = (size_t)(t->dims[0] * (t->n_dims == 2 ? t->dims[1] : 1));
    for (size_t i = 0; i < n; i++)
        ck_set_value(t, i, norm);
}

/* A tensor, and those of the same name in the other layers; 'rest' is what follows the number of a
 * layer, or NULL. */
static void flatten_all(struct ck *c, const char *name, const char *rest)
{
    for (int i = 0; i < c->n_tensors; i++) {
        const char *at = strstr(c->tensors[i].name, "layers.");
        const bool kin = rest && at && strcmp(strchr(at + strlen("layers."), '.'), rest) == 0;
        if (kin || strcmp(c->tensors[i].name, name) == 0)
            flatten(&c->tensors[i]);
    }
}

static void check_tensors_tell(const struct sample *s)
{
    static const char first[] = "layers.0";
    struct ck *c = checkpoint_of(s);
    const char *least_name = "";
    double least = INFINITY;
    int32_t ids[N_IDS];

    ids_of(c, ids);
    double *logits = variant_logits(c, ids, N_FEW, c->spec.n_layer);
    for (int i = 0; i < c->n_tensors; i++) {
        const char *name = c->tensors[i].name, *at = strstr(name, first);
        if (strstr(name, "layers.") && !at)
            continue;
        struct ck *flat = ck_copy(c);
        flatten_all(flat, name, at ? at + strlen(first) : NULL);
        const double d = distance(flat, ids, c->spec.n_layer, logits);
        if (!(d > 0.05))
            fail_msg("%s: without %s logits differ by %g deviations", s->name, name, d);
        if (d < least) {
            least = d;
            least_name = name;
        }
        ck_free(flat);
    }
    printf("%s: what tells least is %s, by %.3f\n", s->name, least_name, least);
    free(logits);
    ck_free(c);
}

/* Each tensor affects the logits, so a tensor that is forgotten or confused shows. */
static void every_tensor_tells(void **state)
{
    (void)state;
    for (int i = 0; i < N_SAMPLES; i++)
        if (samples[i].is & BITS)
            check_tensors_tell(&samples[i]);
}

/* Whether a knob of a sample differs from its family's, so that the logits must differ. Excluded
 * are the forms of rounding, which differ too seldom, and knobs that change the set of tensors. */
static bool must_tell(const struct knob *k, const struct ck_knobs *own,
                      const struct ck_knobs *family)
{
    if (k->shapes || strcmp(k->name, "act_form") == 0 || strcmp(k->name, "exit_min_layers") == 0 ||
        strcmp(k->name, "exit_threshold") == 0 ||
        (strcmp(k->name, "attn_in_norm") == 0 && own->block == CK_PRE))
        return false;
    return memcmp((const char *)own + k->at, (const char *)family + k->at, knob_bytes(k)) != 0;
}

/* Each knob affects the logits, so a knob that is ignored shows. */
static void every_knob_tells(void **state)
{
    (void)state;
    for (int i = 0; i < N_SAMPLES; i++) {
        const struct ck_knobs family = family_spec(&samples[i]).knobs;
        struct ck *c = checkpoint_of(&samples[i]);
        const struct ck_knobs own = c->spec.knobs;
        int32_t ids[N_IDS];

        ids_of(c, ids);
        for (int j = 0; j < N_KNOBS; j++) {
            const struct knob *k = &knobs[j];
            if (!must_tell(k, &own, &family))
                continue;
            const int n = strcmp(k->name, "exit_norm") == 0 ? 1 : c->spec.n_layer;
            double *logits = variant_logits(c, ids, N_FEW, n);
            memcpy((char *)&c->spec.knobs + k->at, (const char *)&family + k->at, knob_bytes(k));
            const double d = distance(c, ids, n, logits);
            if (!(d > 0.05))
                fail_msg("%s: without %s logits differ by %g deviations", samples[i].name, k->name,
                         d);
            c->spec.knobs = own;
            free(logits);
        }
        ck_free(c);
    }
}

/* ---- The engine ------------------------------------------------------------------------------ */

static bool keep_value(void *user, const struct trit_value *value)
{
    *(struct trit_value *)user = *value;
    return false;
}

/* Compares a knob in the file: numbers by value, of any width. */
static void check_value(const struct trit_value *v, const struct ck_knobs *wanted,
                        const struct knob *k)
{
    const void *field = (const char *)wanted + k->at;
    bool flag = false;
    int number = 0;
    double real = 0;

    if (k->kind == FLAG) {
        memcpy(&flag, field, sizeof flag);
        assert_int_equal(v->type, TRIT_VALUE_BOOL);
        assert_int_equal(v->u, flag);
    } else if (k->kind == REAL) {
        memcpy(&real, field, sizeof real);
        assert_true(v->type == TRIT_VALUE_F32 || v->type == TRIT_VALUE_F64);
        assert_true(fabs(v->f - real) <= 1e-6 * fabs(real));
    } else if (k->kind == COUNT) {
        memcpy(&number, field, sizeof number);
        assert_true(v->type == TRIT_VALUE_U32 || v->type == TRIT_VALUE_I32);
        assert_int_equal(v->type == TRIT_VALUE_U32 ? (int64_t)v->u : v->i, number);
    } else {
        memcpy(&number, field, sizeof number);
        assert_int_equal(v->type, TRIT_VALUE_STRING);
        assert_int_equal(v->s.len, strlen(k->choices[number]));
        assert_memory_equal(v->s.bytes, k->choices[number], v->s.len);
    }
}

static void check_metadata(const trit_file *file, const struct ck_knobs *wanted)
{
    for (int i = 0; i < N_KNOBS; i++) {
        const bool unused =
            wanted->linear_norm == CK_NO_NORM && strcmp(knobs[i].name, "linear_norm_eps") == 0;
        struct trit_value v = {.type = TRIT_VALUE_ARRAY};
        char key[40];

        snprintf(key, sizeof key, "trit.%s", knobs[i].name);
        const size_t at = trit_file_find_metadata(file, key);
        if (at == trit_file_n_metadata(file)) {
            if (!unused)
                fail_msg("%s does not exist", key);
            continue;
        }
        trit_file_values(file, at, keep_value, &v);
        if (!unused)
            check_value(&v, wanted, &knobs[i]);
    }
}

/* Stricter than hf_close(): the text is chosen so that all activations have the same integers, and
 * the effect of a wrong eps is not hidden by rounding. */
static void check_close(const struct ck *c, const char *name, const int32_t *ids, int n_layers,
                        const float *logits)
{
    double *reference = variant_logits(c, ids, N_IDS, n_layers);
    const struct hf_distance d = hf_compare(reference, logits, N_IDS, (size_t)c->spec.vocab);

    printf("%s, %d layers: mean KL %.2e, top-1 %.3f, mean error %.2e sd\n", name, n_layers, d.kl,
           d.top1, d.error);
    if (!hf_close(&d) || !(d.error < 2e-3))
        fail_msg("%s differs too much from the reference after %d layers", name, n_layers);
    free(reference);
}

static void variant(void **state)
{
    const struct sample *s = *state;
    struct ck *c = checkpoint_of(s);
    struct opened_model o = open_converted(c, s->knobs, s->type);
    int32_t ids[N_IDS];

    variant_text(c, ids, N_IDS, c->spec.seed);
    check_metadata(o.file, &c->spec.knobs);
    float *logits = logits_after(o.model, ids, 0, exact(&c->spec));
    check_close(c, s->name, ids, c->spec.n_layer, logits);
    free(logits);
    for (int n = 1; n < c->spec.n_layer; n++) {
        logits = logits_after(o.model, ids, n, exact(&c->spec));
        check_close(c, s->name, ids, n, logits);
        free(logits);
    }
    close_opened(&o);
    ck_free(c);
}

/* As in the other families; the BOS and end token in the config.json of bitnet-8bit are wrong. */
static void tokenizers(void **state)
{
    static const int32_t wanted[] = {264, 257, 262, 'x'};
    static const char text[] = "the andx";
    (void)state;

    for (int i = 0; i < 4; i++) {
        struct ck *c = checkpoint_of(&samples[i]);
        struct opened_model o = open_converted(c, NULL, NULL);
        struct trit_error err;
        trit_tokenizer *t;
        int32_t *ids = NULL, n = 0;

        if (trit_tokenizer_open(&t, o.file, &err) ||
            trit_tokenizer_encode(t, text, strlen(text), TRIT_ENCODE_BOS, &ids, &n, &err))
            fail_msg("%s", err.text);
        assert_int_equal(n, 4);
        assert_memory_equal(ids, wanted, sizeof wanted);
        assert_true(trit_tokenizer_is_end(t, 265) && !trit_tokenizer_is_end(t, 2));
        free(ids);
        trit_tokenizer_close(&t);
        close_opened(&o);
        ck_free(c);
    }
}

/* The names of tensors that only these families have, and of tensors that they must not have. */
static void names_of_the_file(void **state)
{
    static const struct {
        int sample;
        const char *name;
        bool there;
    } cases[] = {
        /* clang-format off */
        {0, "token_embd.weight", true}, {0, "output.weight", true},
        {0, "output_norm.weight", true}, {0, "output_norm.bias", false},
        {0, "position_embd.weight", false}, {0, "blk.1.attn_norm.weight", true},
        {0, "blk.1.attn_norm.bias", false}, {0, "blk.1.ffn_norm.weight", true},
        {0, "blk.1.ffn_gate.weight", true}, {0, "blk.1.attn_q_norm_in.weight", false},
        {1, "blk.0.attn_q_norm_in.weight", true}, {1, "blk.0.attn_q_norm_in.bias", true},
        {1, "blk.1.ffn_down_norm_in.bias", true}, {1, "blk.1.attn_output_norm_in.weight", true},
        {3, "position_embd.weight", true}, {3, "output_norm.bias", true},
        {3, "blk.1.attn_norm_post.weight", true}, {3, "blk.1.attn_norm_post.bias", true},
        {3, "blk.0.ffn_norm_post.bias", true}, {3, "blk.0.attn_norm.weight", false},
        {3, "blk.0.ffn_gate.weight", false}, {3, "blk.0.ffn_up.weight", true},
        /* clang-format on */
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck *c = checkpoint_of(&samples[cases[i].sample]);
        struct opened_model o = open_converted(c, NULL, NULL);
        bool there = false;
        for (size_t j = 0; j < trit_file_n_tensors(o.file); j++) {
            const struct trit_string name = trit_file_tensor(o.file, j).name;
            there = there || (name.len == strlen(cases[i].name) &&
                              memcmp(name.bytes, cases[i].name, name.len) == 0);
        }
        if (there != cases[i].there)
            fail_msg("%s: %s is%s there", samples[cases[i].sample].name, cases[i].name,
                     there ? "" : " not");
        close_opened(&o);
        ck_free(c);
    }
}

/* A file that promises more positions than its table has. */
static void too_few_positions(void **state)
{
    static const char key[] = "bitnet-8bit.context_length";
    struct ck *c = checkpoint_of(&samples[3]);
    trit_file *file = NULL;
    trit_model *model = NULL;
    struct trit_error err;
    struct fx_bytes b;
    uint32_t n;
    (void)state;

    if (convert_with(&b, ck_write(c, "positions"), NULL, NULL, true, &err))
        fail_msg("%s", err.text);
    unsigned char *at = b.data;
    while (memcmp(at, key, sizeof key - 1) != 0)
        at++;
    at += sizeof key - 1 + 4; /* the type follows the name, then the value */
    memcpy(&n, at, 4);
    assert_int_equal(n, c->spec.n_ctx);
    n++;
    memcpy(at, &n, 4);
    if (trit_file_open(&file, fx_write("positions.gguf", b.data, b.len), NULL, &err))
        fail_msg("%s", err.text);
    assert_int_equal(trit_model_open(&model, file, &err), TRIT_E_FILE);
    assert_non_null(strstr(err.text, "position_embd.weight"));
    assert_non_null(strstr(err.text, key));
    trit_file_close(&file);
    free(b.data);
    ck_free(c);
}

static void check_bits(const struct sample *s, const struct ck *c, const trit_model *model,
                       int n_layers)
{
    static const int32_t batches[] = {512, 7, 1};
    const size_t n_bytes = N_IDS * (size_t)c->spec.vocab * sizeof(float);
    struct trit_session_options opt = exact(&c->spec);
    struct trit_isa_info isa;
    int32_t ids[N_IDS];

    ids_of(c, ids);
    opt.isa = "scalar";
    float *wanted = logits_after(model, ids, n_layers, opt);
    for (int i = 0; trit_isa_at(i, &isa); i++)
        for (int j = 0; isa.usable && j < 6; j++) {
            opt.isa = isa.name;
            opt.n_threads = 1 + j % 2;
            opt.n_batch = opt.whole ? 0 : batches[j / 2]; /* a whole text is one batch */
            float *got = logits_after(model, ids, n_layers, opt);
            if (memcmp(got, wanted, n_bytes) != 0)
                fail_msg("%s: %s, %d threads, batches of %d, %d layers: the bits differ", s->name,
                         isa.name, opt.n_threads, opt.n_batch, n_layers);
            free(got);
        }
    free(wanted);
}

/* Logits have the same bits in every way of computing. */
static void same_bits(void **state)
{
    (void)state;
    for (int i = 0; i < N_SAMPLES; i++) {
        if (!(samples[i].is & BITS))
            continue;
        struct ck *c = checkpoint_of(&samples[i]);
        struct opened_model o = open_converted(c, samples[i].knobs, samples[i].type);
        check_bits(&samples[i], c, o.model, 0);
        check_bits(&samples[i], c, o.model, 1);
        close_opened(&o);
        ck_free(c);
    }
}

/* With a threshold, a token exits after the model's minimum number of layers at the earliest. */
static void least_layers_before_an_exit(void **state)
{
    static const struct {
        const char *knobs;
        int layers;
    } cases[] = {{NULL, 4}, {"exit_min_layers=2", 2}, {"exit_min_layers=0", 1}};
    struct ck_spec spec = ck_bitnet8();
    int32_t ids[N_IDS];
    struct trit_error err;
    (void)state;

    spec.n_layer = 6;
    struct ck *c = ck_new(&spec);
    ids_of(c, ids);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct opened_model o = open_converted(c, cases[i].knobs, NULL);
        struct trit_session_options opt = exact(&spec);
        trit_session *s;
        opt.early_exit = true;
        if (trit_session_open(&s, o.model, &opt, &err) ||
            trit_session_set_exit_threshold(s, 1e-6f, NULL, 0, &err))
            fail_msg("%s", err.text);
        float *got = logits_in(s, ids, N_IDS);
        assert_int_equal(trit_session_exit_layer(s), cases[i].layers);
        float *wanted = logits_after(o.model, ids, cases[i].layers, exact(&spec));
        assert_memory_equal(got, wanted, N_IDS * (size_t)spec.vocab * sizeof *got);
        free(wanted);
        free(got);
        trit_session_close(&s);
        close_opened(&o);
    }
    ck_free(c);
}

/* ---- Whole texts ----------------------------------------------------------------------------- */

/* A causal model has the same logits in such a session. */
static void whole_is_no_difference_to_causal_models(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct ck *c = checkpoint_of(&samples[i]);
        struct opened_model o = open_converted(c, samples[i].knobs, NULL);
        struct trit_session_options opt = exact(&c->spec);
        int32_t ids[N_IDS];

        ids_of(c, ids);
        for (int n = 0; n < 2; n++) {
            opt.whole = false;
            float *wanted = logits_after(o.model, ids, n, opt);
            opt.whole = true;
            float *got = logits_after(o.model, ids, n, opt);
            assert_memory_equal(got, wanted, N_IDS * (size_t)c->spec.vocab * sizeof *got);
            free(got);
            free(wanted);
        }
        close_opened(&o);
        ck_free(c);
    }
}

/* A text after a longer one gives the same as the first text of a session; the shortest has one
 * token, the longest three blocks of keys, the last with one key. */
static void whole_texts_leave_nothing_behind(void **state)
{
    enum { LONG = 129 };
    static const int lengths[] = {LONG, N_IDS, 7, 1, N_IDS};
    struct ck_spec spec = ck_bitskip(1);
    const struct ck_knobs causal = spec.knobs;
    const size_t n_vocab = (size_t)spec.vocab;
    struct trit_error err;
    int32_t ids[LONG];
    trit_session *s;
    (void)state;

    spec.knobs.causal = false;
    struct ck *c = ck_new(&spec);
    struct opened_model o = open_converted(c, "causal=false", NULL);
    struct trit_session_options opt = exact(&spec);
    opt.n_ctx = LONG;
    fx_ids(ids, LONG, spec.vocab, spec.seed);
    if (trit_session_open(&s, o.model, &opt, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const int n = lengths[i];
        trit_session_rewind(s, 0);
        float *got = logits_in(s, ids, n), *wanted = logits_of(o.model, ids, n, &opt);
        assert_memory_equal(got, wanted, (size_t)n * n_vocab * sizeof *got);
        double *reference = variant_logits(c, ids, n, spec.n_layer);
        const struct hf_distance d = hf_compare(reference, got, (size_t)n, n_vocab);
        assert_true(hf_close(&d));
        if (n > 1) { /* and they differ from a causal model's */
            c->spec.knobs = causal;
            double *other = variant_logits(c, ids, n, spec.n_layer);
            const struct hf_distance far = hf_compare(other, got, (size_t)n, n_vocab);
            assert_false(hf_close(&far));
            c->spec.knobs.causal = false;
            free(other);
        }
        free(reference);
        free(wanted);
        free(got);
    }
    trit_session_close(&s);
    close_opened(&o);
    ck_free(c);
}

static void later_tokens_need_the_whole_text(void **state)
{
    (void)state;
    for (int bitnet8 = 0; bitnet8 < 2; bitnet8++) {
        const struct ck_spec spec = bitnet8 ? ck_bitnet8() : ck_bitskip(1);
        struct ck *c = ck_new(&spec);
        struct opened_model o = open_converted(c, "causal=false", NULL);
        struct trit_error err;
        trit_session *s;
        uint64_t n_bytes;

        assert_int_equal(trit_session_open(&s, o.model, NULL, &err), TRIT_E_UNSUPPORTED);
        assert_null(s);
        assert_non_null(strstr(err.text, "later tokens"));
        assert_int_equal(trit_session_bytes(&n_bytes, o.model, NULL, &err), TRIT_E_UNSUPPORTED);
        close_opened(&o);
        ck_free(c);
    }
}

/* ---- Refusals -------------------------------------------------------------------------------- */

/* A transform needs a power of two as its width: of the input, and of the output if that is
 * transformed too. Without transforms, any width works. */
static void hadamard_of_other_widths(void **state)
{
    static const struct {
        int version;
        const char *knobs;
        int ffn;
    } cases[] = {
        {2, NULL, 384},
        {3, "hadamard_output=false", 384},
        {1, "hadamard=before", 384},
        {1, "hadamard_output=true", 384},
        {2, "hadamard=none", 640},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck_spec spec = ck_bitskip(cases[i].version);
        struct trit_error err;
        spec.ffn = cases[i].ffn;
        struct ck *c = ck_new(&spec);
        if (refusal(c, cases[i].knobs, &err) != TRIT_E_UNSUPPORTED)
            fail_msg("v%d, case %zu: %d, %s", cases[i].version, i, (int)err.code, err.text);
        if (refusal(c, "hadamard=none hadamard_output=false", &err))
            fail_msg("v%d, case %zu: %s", cases[i].version, i, err.text);
        ck_free(c);
    }
}

/* The name of an item, for the message. */
static void check_named(const struct ck *c, const char *item)
{
    struct trit_error err;
    char name[64];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(item, "="), item);
    if (refusal(c, item, &err) != TRIT_E_ARGUMENT || !strstr(err.text, name))
        fail_msg("'%s': %d, %s", item, (int)err.code, err.text);
}

static void unknown_knobs_and_values(void **state)
{
    static const char *const items[] = {
        "nonsense=1",
        "Causal=true",
        "trit.causal=true",
        "causal",
        "causal=maybe",
        "causal=",
        "block=sideways",
        "block=Pre",
        "norm=none",
        "norm=batch",
        "attn_in_norm=2",
        "ffn=glu",
        "act_bits=1",
        "act_bits=9",
        "act_bits=eight",
        "act_bits=4.5",
        "act_bits=",
        "act_form=times",
        "act_eps=-1",
        "act_eps=0",
        "act_eps=nan",
        "act_eps=1e-6x",
        "act_dequant=fast",
        "linear_norm=group",
        "linear_norm_eps=inf",
        "linear_post=relu",
        "hadamard=yes",
        "hadamard_norm=maybe",
        "hadamard_output=-",
        "exit_norm=layer",
        "exit_threshold=2",
        "exit_min_layers=-1",
        "learned_positions=x",
        "exit_threshold=none",
        "arch=llama3",
        "rope_base=0",
        "norm_eps=-1e-5",
        "head_count=0",
        "head_count_kv=-2",
        "head_count=four",
        "head_count=4.5",
        "act_eps=0.100000000000000000000000000000000000000000000000000000000000x",
    };
    (void)state;

    for (int bitnet8 = 0; bitnet8 < 2; bitnet8++) {
        const struct ck_spec spec = bitnet8 ? ck_bitnet8() : ck_bitskip(1);
        struct ck *c = ck_new(&spec);
        for (size_t i = 0; i < sizeof items / sizeof *items; i++)
            check_named(c, items[i]);
        ck_free(c);
    }
}

/* Such a block has no place for it. */
static void attn_in_norm_before_a_norm(void **state)
{
    (void)state;

    for (int bitnet8 = 0; bitnet8 < 2; bitnet8++) {
        struct ck_spec spec = bitnet8 ? ck_bitnet8() : ck_bitskip(1);
        struct trit_error err;
        spec.knobs.block = CK_PRE;
        struct ck *c = ck_new(&spec);
        const trit_status status = refusal(c, "block=pre attn_in_norm=true", &err);
        if (status != TRIT_E_UNSUPPORTED && status != TRIT_E_FILE)
            fail_msg("%d, %s", (int)status, err.text);
        if (refusal(c, "block=pre attn_in_norm=false", &err))
            fail_msg("%s", err.text);
        ck_free(c);
    }
}

/* A file without learned positions cannot add them. */
static void contexts_beyond_the_learned_positions(void **state)
{
    const struct ck_spec spec = ck_bitnet8();
    struct ck *c = ck_new(&spec);
    struct opened_model o = open_converted(c, NULL, NULL);
    struct trit_session_options opt = exact(&spec);
    struct trit_error err;
    trit_session *s;
    (void)state;

    for (int whole = 0; whole < 2; whole++) {
        opt.whole = whole;
        opt.n_ctx = spec.n_ctx + 1;
        assert_int_equal(trit_session_open(&s, o.model, &opt, &err), TRIT_E_ARGUMENT);
        assert_null(s);
        opt.n_ctx = spec.n_ctx;
        if (trit_session_open(&s, o.model, &opt, &err))
            fail_msg("%s", err.text);
        trit_session_close(&s);
    }
    close_opened(&o);
    ck_free(c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fwht_is_the_matrix),
    cmocka_unit_test(reference_is_llama),
    cmocka_unit_test(reference_is_causal),
    cmocka_unit_test(samples_are_sane),
    cmocka_unit_test(every_tensor_tells),
    cmocka_unit_test(every_knob_tells),
    cmocka_unit_test(tokenizers),
    cmocka_unit_test(names_of_the_file),
    cmocka_unit_test(too_few_positions),
    cmocka_unit_test(same_bits),
    cmocka_unit_test(least_layers_before_an_exit),
    cmocka_unit_test(whole_is_no_difference_to_causal_models),
    cmocka_unit_test(whole_texts_leave_nothing_behind),
    cmocka_unit_test(later_tokens_need_the_whole_text),
    cmocka_unit_test(hadamard_of_other_widths),
    cmocka_unit_test(unknown_knobs_and_values),
    cmocka_unit_test(attn_in_norm_before_a_norm),
    cmocka_unit_test(contexts_beyond_the_learned_positions),
};

const struct suite suite = {SUITE_TESTS(tests), SUITE_ROWS(variant, samples)};
