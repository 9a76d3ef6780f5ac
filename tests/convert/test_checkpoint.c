/* test_checkpoint.c - tests the tools of test_convert: the maker of checkpoints (checkpoint.h) and
 * the reference that computes them (hf_reference.h).
 *
 * The reference is compared with published float64 logits: TRIT_SHARED names a folder with
 * golden/NAME.{gguf,tokens,npy}, whose weights are converted back to the names and forms of a
 * checkpoint here. It is also compared with the engine on a trained model that exists in both
 * forms. */
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

/* ---- The maker ------------------------------------------------------------------------------- */

static void written_is_read_again(void **state)
{
    struct ck *c = ck_new(&ck_default), *again = ck_read(ck_write(c, "again"));
    (void)state;

    assert_int_equal(again->n_tensors, c->n_tensors);
    for (int i = 0; i < c->n_tensors; i++) {
        const struct ck_tensor *t = &c->tensors[i], *u = ck_tensor(again, t->name);
        assert_string_equal(u->dtype, t->dtype);
        assert_int_equal(u->n_dims, t->n_dims);
        assert_memory_equal(u->dims, t->dims, sizeof t->dims);
        assert_int_equal(u->n_bytes, t->n_bytes);
        assert_memory_equal(u->data, t->data, t->n_bytes);
    }
    assert_int_equal(again->spec.family, CK_BITNET);
    assert_int_equal(again->spec.ffn, c->spec.ffn);
    assert_true(again->spec.autobit && !again->spec.untied);
    ck_free(again);
    ck_free(c);
}

static void check_json(const char *dir, const char *name)
{
    char path[256];
    static char text[1 << 16];
    struct trit_json *json;
    struct trit_error err;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t len = fread(text, 1, sizeof text, f);
    fclose(f);
    if (trit_json_read(&json, text, len, &err))
        fail_msg("%s: %s", path, err.text);
    trit_json_free(&json);
}

static void files_are_json(void **state)
{
    static const char *const names[] = {"config.json", "tokenizer.json", "tokenizer_config.json",
                                        "generation_config.json", "model.safetensors.index.json"};
    (void)state;

    for (int family = CK_BITNET; family <= CK_1BITLLM; family++) {
        struct ck_spec spec = ck_default;
        spec.family = (enum ck_family)family;
        spec.packed = family != CK_1BITLLM;
        spec.n_shards = 3;
        spec.rope_factor = 2;
        struct ck *c = ck_new(&spec);
        const char *dir = ck_write(c, "json");
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            check_json(dir, names[i]);
        ck_free(c);
    }
}

static void floats_are_rounded(void **state)
{
    static const uint64_t dims[] = {1, 0};
    static const struct {
        const char *dtype;
        double x, rounded;
    } cases[] = {
        {"F16", 1, 1},
        {"F16", -0.1, -0.0999755859375},
        {"F16", 1 + 0x1p-11, 1},
        {"F16", 1 + 0x3p-11, 1 + 0x1p-9},
        {"F16", 0x1p-24, 0x1p-24},
        {"F16", 0x1p-14, 0x1p-14},
        {"F16", 1023.5 * 0x1p-24, 0x1p-14},
        {"F16", 65504, 65504},
        {"F16", 65520, (double)INFINITY},
        {"F16", 4095.9, 4096},
        {"BF16", 1 + 0x1p-8, 1},
        {"BF16", 1 + 0x3p-8, 1 + 0x1p-6},
        {"BF16", -0.1, -0.10009765625},
        {"F32", 0.1, (double)0.1f},
    };
    struct ck *c = ck_new(&ck_default);
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck_tensor *t = ck_add(c, "one", cases[i].dtype, dims);
        ck_set_value(t, 0, cases[i].x);
        assert_true(ck_value(t, 0) == cases[i].rounded);
        ck_drop(c, "one");
    }
    ck_free(c);
}

/* ---- The reference tells models apart -------------------------------------------------------- */

static void logits_say_something(void **state)
{
    int32_t ids[N_IDS];
    (void)state;

    for (int family = CK_BITNET; family <= CK_1BITLLM; family++) {
        struct ck_spec spec = ck_default;
        spec.family = (enum ck_family)family;
        spec.packed = family != CK_1BITLLM;
        struct ck *c = ck_new(&spec);
        fx_ids(ids, N_IDS, spec.vocab, 5);
        double *a = hf_logits(c, ids, N_IDS), variance = 0, change = 0;
        ids[0] ^= 1; /* far before the last one */
        double *b = hf_logits(c, ids, N_IDS);
        for (int i = N_IDS * spec.vocab - spec.vocab; i < N_IDS * spec.vocab; i++) {
            variance += a[i] * a[i] / spec.vocab;
            change += (a[i] - b[i]) * (a[i] - b[i]) / spec.vocab;
        }
        assert_true(sqrt(variance) > 0.5 && sqrt(variance) < 20);
        assert_true(sqrt(change) > 0.05 * sqrt(variance));
        free(a);
        free(b);
        ck_free(c);
    }
}

static void other_scale(struct ck *c)
{
    c->spec.autobit = !c->spec.autobit;
}

static void other_theta(struct ck *c)
{
    c->spec.rope_theta = 10000;
}

static void other_eps(struct ck *c)
{
    c->spec.eps = 1e-5;
}

static void other_factor(struct ck *c)
{
    c->spec.rope_factor = 0;
}

static void other_norm_eps(struct ck *c)
{
    c->spec.rms_eps = 1e-6;
}

static void no_norms_of_linears(struct ck *c)
{
    c->spec.rms_norm = false;
}

static void swap(struct ck *c, const char *a, const char *b)
{
    struct ck_tensor *t = ck_tensor(c, a), *u = ck_tensor(c, b);
    uint8_t *data = t->data;
    t->data = u->data;
    u->data = data;
}

static void gate_is_up(struct ck *c)
{
    swap(c, "model.layers.0.mlp.gate_proj.weight", "model.layers.0.mlp.up_proj.weight");
}

static void k_is_v(struct ck *c)
{
    swap(c, "model.layers.1.self_attn.k_proj.weight", "model.layers.1.self_attn.v_proj.weight");
}

static void norms_of_q_and_k(struct ck *c)
{
    swap(c, "model.layers.1.self_attn.q_proj.rms_norm.weight",
         "model.layers.1.self_attn.k_proj.rms_norm.weight");
}

static void norm_of_next_layer(struct ck *c)
{
    swap(c, "model.layers.0.input_layernorm.weight", "model.layers.1.input_layernorm.weight");
}

/* Permutes Q as if pairs were neighbors: the effect of a missing or needless permutation. */
static void q_permuted(struct ck *c)
{
    struct ck_tensor *t = ck_tensor(c, "model.layers.0.self_attn.q_proj.weight");
    const int d = c->spec.head_dim, n = c->spec.heads * d, width = c->spec.hidden;
    struct ck_tensor old = *t;

    t->data = malloc(t->n_bytes);
    assert_non_null(t->data);
    memcpy(t->data, old.data, t->n_bytes);
    for (int r = 0; r < n; r++) {
        const int j = r % d / 2, from = r - r % d + (r % 2 ? j + d / 2 : j);
        for (int i = 0; i < width; i++)
            ck_set_code(t, n, r, i, ck_code(&old, n, from, i));
    }
    free(old.data);
}

/* Unpacks as if a byte held four neighboring rows. */
static void rows_of_neighbors(struct ck *c)
{
    struct ck_tensor *t = ck_tensor(c, "model.layers.0.self_attn.o_proj.weight");
    const int n = c->spec.hidden, width = c->spec.heads * c->spec.head_dim;
    struct ck_tensor old = *t;

    t->data = malloc(t->n_bytes);
    assert_non_null(t->data);
    for (int r = 0; r < n; r++)
        for (int i = 0; i < width; i++)
            ck_set_code(t, n, r, i, ck_code(&old, n, r / 4 + r % 4 * (n / 4), i));
    free(old.data);
}

static void scales_of_layers(struct ck *c)
{
    swap(c, "model.layers.0.mlp.down_proj.weight_scale",
         "model.layers.1.mlp.down_proj.weight_scale");
}

static void head_is_embedding(struct ck *c)
{
    c->spec.untied = false;
}

/* Each of these mistakes must be far outside the bounds, or the bounds would prove nothing. */
static void mistakes_are_seen(void **state)
{
    static const struct {
        const char *name;
        void (*make)(struct ck *c);
        bool llama;
    } mistakes[] = {
        {"the other meaning of the scale", other_scale, false},
        {"another rope_theta", other_theta, false},
        {"gate and up swapped", gate_is_up, false},
        {"k and v swapped", k_is_v, false},
        {"norms swapped", norm_of_next_layer, false},
        {"Q permuted", q_permuted, false},
        {"rows packed as neighbors", rows_of_neighbors, false},
        {"scales swapped", scales_of_layers, false},
        {"another eps", other_eps, true},
        {"no rope_scaling", other_factor, true},
        {"another rms_norm_eps", other_norm_eps, true},
        {"no norms of linears", no_norms_of_linears, true},
        {"norms of q and k swapped", norms_of_q_and_k, true},
        {"the embedding for the head", head_is_embedding, true},
    };
    struct ck_spec llama = ck_default;
    int32_t ids[N_IDS];
    (void)state;

    llama.family = CK_LLAMA;
    llama.untied = llama.rms_norm = true;
    llama.eps = 1e-6;
    llama.rms_eps = 0.1;
    llama.embd_sd = 0.002;
    llama.rope_factor = 4;
    fx_ids(ids, N_IDS, ck_default.vocab, 6);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct ck *c = ck_new(mistakes[i].llama ? &llama : &ck_default);
        float measured[N_IDS * 288];
        double *right = hf_logits(c, ids, N_IDS);
        mistakes[i].make(c);
        double *wrong = hf_logits(c, ids, N_IDS);
        for (size_t j = 0; j < sizeof measured / sizeof *measured; j++)
            measured[j] = (float)wrong[j];
        const struct hf_distance d = hf_compare(right, measured, N_IDS, 288);
        printf("%s: mean KL %.2e, top-1 %.3f, mean error %.2e sd\n", mistakes[i].name, d.kl, d.top1,
               d.error);
        assert_true(d.error > 0.04 && !hf_close(&d));
        free(right);
        free(wrong);
        ck_free(c);
    }
}

static void figures(void **state)
{
    static const double reference[] = {0, 1, 2, 0, -1, 1};
    float measured[6] = {0, 1, 2, 0, -1, 1};
    (void)state;

    struct hf_distance d = hf_compare(reference, measured, 2, 3);
    assert_true(hf_close(&d) && d.kl == 0 && d.top1 == 1 && d.error == 0);
    measured[2] = 0; /* softmax(0, 1, 2) against softmax(0, 1, 0) */
    d = hf_compare(reference, measured, 2, 3);
    const double za = log(1 + exp(1) + exp(2)), zb = log(2 + exp(1));
    const double kl =
        (exp(-za) * (zb - za) + exp(1 - za) * (zb - za) + exp(2 - za) * (2 + zb - za)) / 2;
    assert_true(fabs(d.kl - kl) < 1e-12 && d.top1 == 0.5);
    assert_true(fabs(d.error - 2.0 / 6 / sqrt(7.0 / 6 - 0.25)) < 1e-12);
    measured[0] = NAN;
    d = hf_compare(reference, measured, 2, 3);
    assert_false(hf_close(&d));
}

/* ---- Reference logits of others -------------------------------------------------------------- */

static void add_floats(struct ck *c, const char *name, const float *x, int n_rows, int n_cols)
{
    const uint64_t matrix[] = {(uint64_t)n_rows, (uint64_t)n_cols, 0};
    struct ck_tensor *t = ck_add(c, name, "F32", n_rows == 1 ? matrix + 1 : matrix);
    memcpy(t->data, x, t->n_bytes);
}

static void add_matrix(struct ck *c, const char *name, const struct trit_matrix *m)
{
    struct trit_kernels k;
    float *x = malloc(m->n_rows * m->n_cols * sizeof *x);

    assert_non_null(x);
    trit_kernels_init_scalar(&k);
    for (size_t r = 0; r < m->n_rows; r++)
        k.decode[m->format](x + r * m->n_cols, m->data + r * m->row_bytes, m->n_cols);
    add_floats(c, name, x, (int)m->n_rows, (int)m->n_cols);
    free(x);
}

/* A ternary matrix as packed rows. If the rows of heads are permuted so that pairs are neighbors,
 * as in files of the architecture "llama", n_pairs is half of a head; else it is 0. */
static void add_linear(struct ck *c, int layer, const char *where, const struct trit_linear *l,
                       int n_pairs)
{
    const int n_rows = (int)l->n_out, n_cols = (int)l->n_in;
    const uint64_t dims[] = {(l->n_out + 3) / 4, l->n_in, 0}, one[] = {1, 0};
    char name[128];

    snprintf(name, sizeof name, "model.layers.%d.%s.weight", layer, where);
    struct ck_tensor *t = ck_add(c, name, "U8", dims);
    for (int r = 0; r < n_rows; r++) {
        const int i = n_pairs ? r % (2 * n_pairs) : 0;
        const int to = n_pairs ? r - i + i / 2 + i % 2 * n_pairs : r;
        for (int j = 0; j < n_cols; j++) {
            const uint8_t byte = l->t2[(size_t)r * l->row_bytes + (size_t)(j / 128 * 32 + j % 32)];
            ck_set_code(t, n_rows, to, j, (byte >> (6 - j % 128 / 32 * 2) & 3) - 1);
        }
    }
    snprintf(name, sizeof name, "model.layers.%d.%s.weight_scale", layer, where);
    ck_set_value(ck_add(c, name, "F32", one), 0, (double)l->scale);
}

static void add_norm(struct ck *c, int layer, const char *where, const float *x, int n)
{
    char name[128];
    snprintf(name, sizeof name, "model.layers.%d.%s.weight", layer, where);
    add_floats(c, name, x, 1, n);
}

static void add_layer(struct ck *c, int i, const struct trit_layer *l, int n_pairs)
{
    const struct ck_spec *s = &c->spec;
    const bool relu2 = s->family == CK_BITNET;

    add_norm(c, i, "input_layernorm", l->attn_norm.w, s->hidden);
    add_norm(c, i, "post_attention_layernorm", l->ffn_norm.w, s->hidden);
    add_linear(c, i, "self_attn.q_proj", &l->attn_q, n_pairs);
    add_linear(c, i, "self_attn.k_proj", &l->attn_k, n_pairs);
    add_linear(c, i, "self_attn.v_proj", &l->attn_v, 0);
    add_linear(c, i, "self_attn.o_proj", &l->attn_output, 0);
    add_linear(c, i, "mlp.gate_proj", &l->ffn_gate, 0);
    add_linear(c, i, "mlp.up_proj", &l->ffn_up, 0);
    add_linear(c, i, "mlp.down_proj", &l->ffn_down, 0);
    if (s->family == CK_LLAMA)
        return;
    add_norm(c, i, relu2 ? "self_attn.attn_sub_norm" : "self_attn.inner_attn_ln",
             l->attn_sub_norm.w, s->heads * s->head_dim);
    add_norm(c, i, relu2 ? "mlp.ffn_sub_norm" : "mlp.ffn_layernorm", l->ffn_sub_norm.w, s->ffn);
}

/* A checkpoint that would convert to this GGUF. */
static struct ck *from_model(const trit_model *m)
{
    struct ck *c = calloc(1, sizeof *c);
    struct trit_model_info info;

    assert_non_null(c);
    trit_model_get_info(m, &info);
    c->spec = (struct ck_spec){
        .family = strcmp(info.ffn_act, "relu2") == 0 ? CK_BITNET
                  : info.sub_norms                   ? CK_1BITLLM
                                                     : CK_LLAMA,
        .n_layer = info.n_layer,
        .hidden = info.n_embd,
        .heads = info.n_head,
        .kv_heads = info.n_head_kv,
        .head_dim = info.head_dim,
        .ffn = info.n_ff,
        .vocab = info.n_vocab,
        .autobit = true,
        .untied = !info.tied,
        .rope_theta = info.rope_base,
        .eps = info.norm_eps,
    };
    add_matrix(c, "model.embed_tokens.weight", &m->token_embd);
    for (int i = 0; i < info.n_layer; i++)
        add_layer(c, i, &m->layers[i], strcmp(info.rope_style, "pairs") ? 0 : info.head_dim / 2);
    add_floats(c, "model.norm.weight", m->output_norm.w, 1, info.n_embd);
    if (!info.tied)
        add_matrix(c, "lm_head.weight", &m->output);
    return c;
}

static void report(const char *name, const struct hf_distance *d)
{
    printf("%s: mean KL %.2e, top-1 %.3f, mean error %.2e sd\n", name, d->kl, d->top1, d->error);
    if (!hf_close(d))
        fail_msg("%s differs too much from the reference", name);
}

static void golden(void **state)
{
    static const char *const names[] = {"b158-f32embd",    "b158-i2s",   "b158-q8head",
                                        "bitnet-f16-odd",  "bitnet-tq2", "llama-i2s-long",
                                        "llama-tq1-untied"};
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int32_t n;
        int32_t *ids = shared_ids(shared_path("golden/%s.tokens", names[i]), &n);
        struct opened_model o = open_path(shared_path("golden/%s.gguf", names[i]));
        struct ck *c = from_model(o.model);
        float *theirs = shared_npy(shared_path("golden/%s.npy", names[i]), n, c->spec.vocab);
        double *ours = hf_logits(c, ids, n);
        const struct hf_distance d = hf_compare(ours, theirs, (size_t)n, (size_t)c->spec.vocab);
        report(names[i], &d);
        free(ours);
        free(theirs);
        free(ids);
        ck_free(c);
        close_opened(&o);
    }
}

/* The trained model: the reference runs its packed folder, the engine its GGUF. */
static void fables(void **state)
{
    enum { N = 64 };
    const struct trit_session_options opt = {.kv = TRIT_KV_TYPE_F32, .n_threads = 2};
    int32_t n_ids, *ids;
    (void)state;

    ids = shared_ids(shared_path("golden/llama-i2s-long.tokens"), &n_ids);
    assert_true(n_ids >= N);
    struct opened_model o = open_path(shared_path("models/fables/fables.gguf"));
    struct ck *c = ck_read(shared_path("models/fables/hf-packed"));
    float *theirs = logits_of(o.model, ids, N, &opt);
    double *logits = hf_logits(c, ids, N);
    const struct hf_distance d = hf_compare(logits, theirs, N, (size_t)c->spec.vocab);
    report("fables", &d);
    free(logits);
    free(theirs);
    free(ids);
    ck_free(c);
    close_opened(&o);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(written_is_read_again),
    cmocka_unit_test(files_are_json),
    cmocka_unit_test(floats_are_rounded),
    cmocka_unit_test(logits_say_something),
    cmocka_unit_test(mistakes_are_seen),
    cmocka_unit_test(figures),
    cmocka_unit_test(golden),
    cmocka_unit_test(fables),
};

const struct suite suite = {SUITE_TESTS(tests)};
