/* test_model.c - opening models: what is recognized, what is refused, and the reason.
 *
 * Every refusal starts from the fixture's valid model with one thing damaged. A test removes a key
 * or tensor by giving it another name of the same length, so that nothing else moves, and replaces
 * a tensor by removing the old one and appending a new one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "model.h"
#include "suite.h"
#include "trit_tools.h"

/* ---- A model to be spoilt -------------------------------------------------------------------- */

static void build_spec(struct fx_gguf *g, const struct fx_spec *spec)
{
    struct fx_model m;
    fx_model_gguf(g, &m, spec);
    fx_model_free(&m);
}

static void copy_bytes(struct fx_bytes *to, const struct fx_bytes *from)
{
    *to = (struct fx_bytes){0};
    fx_put(to, from->data, from->len);
}

static struct fx_gguf original; /* the default model, one layer; made once */

static void build(struct fx_gguf *g)
{
    *g = original;
    copy_bytes(&g->kv, &original.kv);
    copy_bytes(&g->infos, &original.infos);
    copy_bytes(&g->data, &original.data);
}

static struct fx_spec one_layer(void)
{
    struct fx_spec s = fx_default;
    s.n_layer = 1;
    return s;
}

static int make_original(void **state)
{
    const struct fx_spec s = one_layer();
    (void)state;
    build_spec(&original, &s);
    return 0;
}

static int free_original(void **state)
{
    (void)state;
    fx_free(&original);
    return 0;
}

/* ---- Spoiling it ----------------------------------------------------------------------------- */

/* The bytes after the string (with its length before it), which must exist. */
static uint8_t *after_string(const struct fx_bytes *b, const char *s)
{
    struct fx_bytes wanted = {0};
    uint8_t *found = NULL;

    fx_put_string(&wanted, s);
    for (size_t i = 0; i + wanted.len <= b->len && !found; i++)
        if (memcmp(b->data + i, wanted.data, wanted.len) == 0)
            found = b->data + i + wanted.len;
    free(wanted.data);
    if (!found)
        fail_msg("'%s' is not in the fixture", s);
    return found;
}

static uint8_t *value_of(struct fx_gguf *g, const char *key)
{
    return after_string(&g->kv, key) + 4;
}

static void set_u32(struct fx_gguf *g, const char *key, uint32_t x)
{
    memcpy(value_of(g, key), &x, sizeof x);
}

static void set_f32(struct fx_gguf *g, const char *key, float x)
{
    memcpy(value_of(g, key), &x, sizeof x);
}

static void drop_key(struct fx_gguf *g, const char *key)
{
    after_string(&g->kv, key)[-1] = '#';
}

static void drop_tensor(struct fx_gguf *g, const char *name)
{
    after_string(&g->infos, name)[-1] = '#';
}

/* The fields of a tensor's record, in place. */
static void read_record(struct fx_gguf *g, const char *name, uint32_t *n_dims, uint8_t **dims,
                        uint8_t **type, uint64_t *offset)
{
    uint8_t *p = after_string(&g->infos, name);
    memcpy(n_dims, p, sizeof *n_dims);
    *dims = p + 4;
    *type = *dims + 8 * *n_dims;
    memcpy(offset, *type + 4, sizeof *offset);
}

static uint8_t *data_of(struct fx_gguf *g, const char *name)
{
    uint32_t n_dims;
    uint8_t *dims, *type;
    uint64_t offset;
    read_record(g, name, &n_dims, &dims, &type, &offset);
    return g->data.data + offset;
}

static void set_dims(struct fx_gguf *g, const char *name, uint64_t d0, uint64_t d1)
{
    uint32_t n_dims;
    uint8_t *dims, *type;
    uint64_t offset;
    read_record(g, name, &n_dims, &dims, &type, &offset);
    memcpy(dims, &d0, sizeof d0);
    if (n_dims > 1)
        memcpy(dims + 8, &d1, sizeof d1);
}

/* Adds a tensor of n zero bytes under the name of another one, which is renamed. */
static void replace_tensor(struct fx_gguf *g, const char *name, uint32_t type, uint64_t d0,
                           uint64_t d1, size_t n_bytes)
{
    const uint64_t dims[] = {d0, d1, 0};
    uint8_t *zeros = calloc(1, n_bytes + 1);
    assert_non_null(zeros);
    drop_tensor(g, name);
    fx_tensor(g, name, type, dims, zeros, n_bytes);
    free(zeros);
}

/* ---- Opening it ------------------------------------------------------------------------------ */

struct opened {
    trit_file *file;
    trit_model *model;
    trit_status status;
    struct trit_error err;
};

/* Frees g. The file must be a valid GGUF. */
static struct opened open_model(struct fx_gguf *g)
{
    struct opened o = {.model = (trit_model *)&original}; /* must be overwritten */
    const char *path = fx_write_gguf("model.gguf", g);

    if (trit_file_open(&o.file, path, NULL, &o.err))
        fail_msg("the reader refuses it: %s", o.err.text);
    remove(path); /* the mapping remains; a new file is faster to write than an old one */
    fx_free(g);
    o.status = trit_model_open(&o.model, o.file, &o.err);
    assert_true((o.status == TRIT_OK) == (o.model != NULL));
    return o;
}

static void close_model(struct opened *o)
{
    trit_model_close(&o->model);
    assert_null(o->model);
    trit_file_close(&o->file);
}

static struct opened accept(struct fx_gguf *g)
{
    struct opened o = open_model(g);
    if (o.status)
        fail_msg("refused: %s", o.err.text);
    return o;
}

static void refuse(struct fx_gguf *g, trit_status wanted, const char *part, const char *other)
{
    struct opened o = open_model(g);
    if (o.status != wanted || o.err.code != wanted || !strstr(o.err.text, part) ||
        !strstr(o.err.text, other) || strchr(o.err.text, '\n'))
        fail_msg("expected status %d, '%s' and '%s', got %d: %s", (int)wanted, part, other,
                 (int)o.status, o.status ? o.err.text : "");
    close_model(&o);
}

static struct trit_model_info info_of(const struct opened *o)
{
    struct trit_model_info info;
    trit_model_get_info(o->model, &info);
    return info;
}

/* ---- Recognized ------------------------------------------------------------------------------ */

static void default_model(void **state)
{
    const uint64_t ternary = 2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 384, embd = 300 * 256;
    struct fx_gguf g;
    uint64_t bytes = 0, more = 0;
    (void)state;

    build(&g);
    struct opened o = accept(&g);
    const struct trit_model_info i = info_of(&o);
    assert_string_equal(i.arch, "bitnet-b1.58");
    assert_string_equal(i.embd_type, "F16");
    assert_string_equal(i.head_type, "F16");
    assert_true(i.tied && i.sub_norms);
    assert_int_equal(i.n_layer, 1);
    assert_int_equal(i.n_embd, 256);
    assert_int_equal(i.n_head, 4);
    assert_int_equal(i.n_head_kv, 2);
    assert_int_equal(i.head_dim, 64);
    assert_int_equal(i.n_ff, 384);
    assert_int_equal(i.n_vocab, 300);
    assert_int_equal(i.n_ctx, 256);
    assert_int_equal(trit_model_vocab_size(o.model), 300);
    assert_true(i.rope_base == 10000);
    assert_true(i.norm_eps == (double)1e-5f);
    assert_int_equal(i.n_ternary, ternary);
    assert_int_equal(i.n_params, ternary + embd + 4 * 256 + 384);
    assert_int_equal(i.token_bytes, ternary / 4 + embd * 2 + 256 * 2);
    assert_true(i.repacked_bytes < ternary / 4); /* norms only: I2_S stays in the file */
    assert_int_equal(trit_session_bytes(&bytes, o.model, NULL, NULL), TRIT_OK);
    assert_true(bytes > 0);
    const struct trit_session_options larger = {.n_ctx = 1024};
    assert_int_equal(trit_session_bytes(&more, o.model, &larger, NULL), TRIT_OK);
    assert_true(more > bytes);
    close_model(&o);
    trit_model_close(&o.model); /* NULL is allowed */
}

static void architectures(void **state)
{
    static const struct {
        const char *arch, *act, *rope;
        bool sub_norms;
    } rows[] = {
        {"bitnet-b1.58", "relu2", "half", true}, {"bitnet-25", "relu2", "half", true},
        {"bitnet", "silu", "half", true},        {"llama", "silu", "pairs", false},
        {"bitskip", "silu", "half", false},
    };
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct fx_spec s = one_layer();
        struct fx_gguf g;
        s.arch = rows[r].arch;
        s.sub_norms = rows[r].sub_norms;
        build_spec(&g, &s);
        struct opened o = accept(&g);
        const struct trit_model_info i = info_of(&o);
        assert_string_equal(i.arch, rows[r].arch);
        assert_string_equal(i.ffn_act, rows[r].act);
        assert_string_equal(i.ffn_act_why, "architecture");
        assert_string_equal(i.rope_style, rows[r].rope);
        assert_int_equal(i.sub_norms, rows[r].sub_norms);
        const struct trit_knobs *k = &o.model->knobs;
        assert_int_equal(k->ffn_sub_norm, rows[r].sub_norms);
        assert_true(k->act_eps == (strcmp(rows[r].arch, "bitskip") == 0 ? 1e-6f : 1e-5f));
        assert_true(k->act_max == 127.0f);
        assert_true(k->causal && !k->learned_positions && k->rope_factor == 1);
        assert_int_equal(k->n_rot, 64);
        close_model(&o);
        s.sub_norms = !s.sub_norms; /* a sub-norm exists iff the architecture has it */
        build_spec(&g, &s);
        if (rows[r].sub_norms)
            refuse(&g, TRIT_E_FILE, "attn_sub_norm.weight", "missing");
        else
            refuse(&g, TRIT_E_UNSUPPORTED, "attn_sub_norm.weight", "");
    }
}

static void hidden_activation(void **state)
{
    static const struct {
        const char *arch, *name, *act;
    } cases[] = {
        {"bitnet-b1.58", "silu", "silu"}, {"bitnet-b1.58", "relu2", "relu2"},
        {"bitnet", "relu2", "relu2"},     {"bitnet", "silu", "silu"},
        {"bitnet", "relu_sqr", "relu2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fx_spec s = one_layer();
        struct fx_gguf g;
        s.arch = cases[i].arch;
        s.hidden_activation = cases[i].name;
        build_spec(&g, &s);
        struct opened o = accept(&g);
        assert_string_equal(info_of(&o).ffn_act, cases[i].act);
        assert_non_null(strstr(info_of(&o).ffn_act_why, "hidden_activation"));
        close_model(&o);
    }
    struct fx_gguf g;
    build(&g);
    fx_str(&g, "bitnet-b1.58.hidden_activation", "gelu");
    refuse(&g, TRIT_E_UNSUPPORTED, "hidden_activation", "");
    build(&g);
    fx_u32(&g, "bitnet-b1.58.hidden_activation", 2);
    refuse(&g, TRIT_E_FILE, "hidden_activation", "");
}

/* The key and the tensors must agree. */
static void linear_norms(void **state)
{
    struct fx_spec s = one_layer();
    struct fx_gguf g;
    (void)state;
    s.linear_norms = true;
    build_spec(&g, &s);
    struct opened o = accept(&g);
    assert_true(info_of(&o).linear_norms);
    close_model(&o);
    build(&g);
    fx_str(&g, "trit.linear_norm", "rms");
    refuse(&g, TRIT_E_FILE, "trit.linear_norm_eps", "missing");
    build(&g);
    fx_str(&g, "trit.linear_norm", "rms");
    fx_f32(&g, "trit.linear_norm_eps", 1e-6f);
    refuse(&g, TRIT_E_FILE, "attn_q_norm_in.weight", "missing");
    build(&g);
    fx_str(&g, "trit.linear_norm", "batch");
    refuse(&g, TRIT_E_UNSUPPORTED, "trit.linear_norm", "batch");
    build(&g);
    fx_str(&g, "trit.linear_norm", "none");
    o = accept(&g);
    assert_false(info_of(&o).linear_norms);
    close_model(&o);
}

/* Points that a family leaves open are keys of trit, with the family's defaults. */
/* The value of a knob as shown to users; it must be one of the shown knobs. */
static const char *shown(const struct opened *o, const char *name)
{
    static struct trit_knob_info info;

    for (int i = 0; trit_model_knob_at(o->model, i, &info); i++)
        if (strcmp(info.name, name) == 0) {
            assert_true(info.notable);
            return info.value;
        }
    fail_msg("no knob is called %s", name);
    return NULL;
}

static void variants(void **state)
{
    static const struct {
        const char *key, *value, *part;
    } bad[] = {{"trit.act_form", "sub", "'mul' or 'div'"},
               {"trit.linear_post", "gelu", "'none' or 'relu2'"},
               {"trit.hadamard", "during", "'none', 'before' or 'after'"}};
    struct fx_spec s = one_layer();
    struct fx_gguf g;
    (void)state;
    s.arch = "bitskip";
    s.sub_norms = false;
    build_spec(&g, &s);
    struct opened o = accept(&g);
    const struct trit_knobs *k = &o.model->knobs;
    assert_true(k->act_form == TRIT_ACT_FORM_DIV && k->act_eps == 1e-6f && k->exit_norm);
    assert_true(k->linear_post == TRIT_LINEAR_POST_NONE && k->causal && k->act_max == 127.0f);
    assert_string_equal(shown(&o, "act_form"), "div");
    assert_string_equal(shown(&o, "act_eps"), "1e-06");
    assert_string_equal(shown(&o, "causal"), "true"); /* its sources leave it open */
    close_model(&o);

    build_spec(&g, &s);
    fx_str(&g, "trit.act_form", "mul");
    fx_str(&g, "trit.linear_post", "relu2");
    fx_f32(&g, "trit.act_eps", 0.25f);
    fx_u32(&g, "trit.act_bits", 4);
    fx_bool(&g, "trit.exit_norm", false);
    fx_bool(&g, "trit.causal", true);
    o = accept(&g);
    k = &o.model->knobs;
    assert_true(k->act_form == TRIT_ACT_FORM_MUL && k->act_eps == 0.25f && !k->exit_norm);
    assert_int_equal(k->linear_post, TRIT_LINEAR_POST_RELU2);
    assert_true(k->act_max == 7.0f);
    assert_string_equal(shown(&o, "linear_post"), "relu2");
    assert_string_equal(shown(&o, "exit_norm"), "false");
    close_model(&o);

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        build_spec(&g, &s);
        fx_str(&g, bad[i].key, bad[i].value);
        refuse(&g, TRIT_E_UNSUPPORTED, bad[i].key, bad[i].part);
    }
    build_spec(&g, &s);
    fx_f32(&g, "trit.act_eps", 0.0f);
    refuse(&g, TRIT_E_FILE, "trit.act_eps", "0");
    build_spec(&g, &s);
    fx_str(&g, "trit.exit_norm", "yes");
    refuse(&g, TRIT_E_FILE, "trit.exit_norm", "");
    build_spec(&g, &s);
    fx_bool(&g, "trit.attn_in_norm", true);
    refuse(&g, TRIT_E_UNSUPPORTED, "attn_in_norm", "'post'");
    build_spec(&g, &s); /* its FFN is 384 wide */
    fx_str(&g, "trit.hadamard", "after");
    refuse(&g, TRIT_E_UNSUPPORTED, "Hadamard", "384");
}

/* A model whose tokens see later ones is reported as such, and evaluates only whole texts. */
static void not_causal(void **state)
{
    const int32_t ids[] = {1, 2, 3, 4};
    struct fx_spec s = one_layer();
    struct trit_error err;
    trit_session *session;
    struct fx_gguf g;
    (void)state;

    build_spec(&g, &s);
    fx_bool(&g, "trit.causal", false);
    struct opened o = accept(&g);
    assert_false(info_of(&o).causal);
    assert_int_equal(trit_session_open(&session, o.model, NULL, &err), TRIT_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "later tokens"));
    assert_non_null(strstr(err.text, "trit.causal"));
    const struct trit_session_options whole = {.whole = true, .n_ctx = 8, .early_exit = true};
    assert_int_equal(trit_session_open(&session, o.model, &whole, &err), TRIT_OK);
    assert_int_equal(trit_session_set_exit_threshold(session, 0.5f, NULL, 0, &err),
                     TRIT_E_UNSUPPORTED);
    assert_int_equal(trit_session_eval(session, ids, 4, NULL, NULL, &err), TRIT_OK);
    assert_int_equal(trit_session_eval(session, ids, 1, NULL, NULL, &err), TRIT_E_ARGUMENT);
    assert_non_null(strstr(err.text, "whole texts"));
    trit_session_rewind(session, 3); /* the remaining results depended on the removed tokens */
    assert_int_equal(trit_session_n_tokens(session), 0);
    assert_int_equal(trit_session_sync(session, ids, 3, &err), TRIT_OK);
    assert_int_equal(trit_session_sync(session, ids, 4, &err), TRIT_OK);
    assert_int_equal(trit_session_n_tokens(session), 4);
    trit_session_close(&session);
    close_model(&o);
}

/* The text names what was found: the value, if the value of a key is refused. */
static void refused_values_are_named(void **state)
{
    struct fx_gguf g;
    (void)state;
    build(&g);
    fx_str(&g, "bitnet-b1.58.hidden_activation", "gelu-tanh");
    refuse(&g, TRIT_E_UNSUPPORTED, "hidden_activation", "gelu-tanh");
    build(&g);
    fx_str(&g, "bitnet-b1.58.rope.scaling.type", "yarn");
    refuse(&g, TRIT_E_UNSUPPORTED, "rope.scaling.type", "yarn");
}

/* Only metadata, for everything that is decided before a tensor is read. */
static void read_knobs(const char *arch_name, uint32_t n_embd, uint32_t n_ff,
                       struct trit_knobs *knobs)
{
    static const struct {
        const char *key;
        uint32_t value;
    } keys[] = {{"block_count", 24}, {"context_length", 2048}, {"attention.head_count", 8}};
    const struct trit_arch *arch;
    struct trit_error err;
    struct fx_gguf g;
    char key[80];
    trit_file *f;

    fx_init(&g);
    fx_str(&g, "general.architecture", arch_name);
    for (size_t i = 0; i < 3; i++) {
        snprintf(key, sizeof key, "%s.%s", arch_name, keys[i].key);
        fx_u32(&g, key, keys[i].value);
    }
    snprintf(key, sizeof key, "%s.embedding_length", arch_name);
    fx_u32(&g, key, n_embd);
    snprintf(key, sizeof key, "%s.feed_forward_length", arch_name);
    fx_u32(&g, key, n_ff);
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", arch_name);
    fx_f32(&g, key, 1e-6f);
    const char *path = fx_write_gguf("knobs.gguf", &g);
    fx_free(&g);
    assert_int_equal(trit_file_open(&f, path, NULL, NULL), TRIT_OK);
    if (trit_arch_read(&arch, knobs, f, &err))
        fail_msg("refused: %s", err.text);
    assert_string_equal(arch->name, arch_name);
    trit_file_close(&f);
    remove(path);
}

/* Some files of the 1bitLLM reproductions have the architecture of 2B-4T, but are SiLU models. */
static void shapes_of_1bitllm(void **state)
{
    static const uint32_t shapes[][2] = {{1536, 4096}, {2048, 5460}, {3200, 8640}};
    struct trit_knobs k;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        read_knobs("bitnet-b1.58", shapes[i][0], shapes[i][1], &k);
        assert_int_equal(k.ffn_act, TRIT_ACT_SILU);
        assert_non_null(strstr(k.ffn_act_why, "1bitLLM"));
        read_knobs("bitnet-25", shapes[i][0], shapes[i][1], &k);
        assert_int_equal(k.ffn_act, TRIT_ACT_SILU);
        read_knobs("llama", shapes[i][0], shapes[i][1], &k);
        assert_int_equal(k.ffn_act, TRIT_ACT_SILU);
        read_knobs("bitnet-b1.58", shapes[i][0], shapes[i][1] + 4, &k);
        assert_int_equal(k.ffn_act, TRIT_ACT_RELU2);
    }
    read_knobs("bitnet-b1.58", 2560, 6912, &k); /* 2B-4T itself */
    assert_int_equal(k.ffn_act, TRIT_ACT_RELU2);
}

static void defaults(void **state)
{
    struct trit_knobs k;
    (void)state;
    read_knobs("bitnet-b1.58", 512, 384, &k);
    assert_int_equal(k.n_head_kv, 8);
    assert_int_equal(k.head_dim, 64);
    assert_int_equal(k.n_rot, 64);
    assert_int_equal(k.n_ctx, 2048);
    assert_int_equal(k.n_layer, 24);
    assert_true(k.rope_base == 10000 && k.rope_factor == 1);
    assert_true(k.norm_eps == 1e-6f);
}

/* The same for a whole model, without one optional key at a time. */
static void optional_keys(void **state)
{
    static const char *const optional[] = {
        "bitnet-b1.58.attention.key_length", "bitnet-b1.58.attention.value_length",
        "bitnet-b1.58.rope.dimension_count", "bitnet-b1.58.rope.freq_base"};
    struct fx_gguf g;
    (void)state;
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        build(&g);
        drop_key(&g, optional[i]);
        struct opened o = accept(&g);
        assert_int_equal(info_of(&o).head_dim, 64);
        assert_int_equal(o.model->knobs.n_rot, 64);
        assert_true(info_of(&o).rope_base == 10000);
        close_model(&o);
    }
    struct fx_spec s = one_layer(); /* as many KV heads as heads */
    s.n_head_kv = 4;
    build_spec(&g, &s);
    drop_key(&g, "bitnet-b1.58.attention.head_count_kv");
    struct opened o = accept(&g);
    assert_int_equal(info_of(&o).n_head_kv, 4);
    close_model(&o);
}

static void partial_rotation(void **state)
{
    struct fx_gguf g;
    (void)state;
    build(&g);
    set_u32(&g, "bitnet-b1.58.rope.dimension_count", 32);
    struct opened o = accept(&g);
    assert_int_equal(o.model->knobs.n_rot, 32);
    close_model(&o);
}

static void rope_scaling(void **state)
{
    struct fx_gguf g;
    struct opened o;
    (void)state;

    build(&g);
    fx_str(&g, "bitnet-b1.58.rope.scaling.type", "none");
    o = accept(&g);
    assert_true(o.model->knobs.rope_factor == 1);
    close_model(&o);
    build(&g);
    fx_str(&g, "bitnet-b1.58.rope.scaling.type", "linear");
    fx_f32(&g, "bitnet-b1.58.rope.scaling.factor", 4);
    o = accept(&g);
    assert_true(o.model->knobs.rope_factor == 4);
    close_model(&o);
    static const float bad[] = {0, -1, NAN, INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        build(&g);
        fx_str(&g, "bitnet-b1.58.rope.scaling.type", "linear");
        fx_f32(&g, "bitnet-b1.58.rope.scaling.factor", bad[i]);
        refuse(&g, TRIT_E_FILE, "rope.scaling.factor", "");
    }
    static const char *const unknown[] = {"yarn", "longrope", "dynamic", "Linear", "linear2"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        build(&g);
        fx_str(&g, "bitnet-b1.58.rope.scaling.type", unknown[i]);
        refuse(&g, TRIT_E_UNSUPPORTED, "rope.scaling.type", "linear");
    }
    build(&g);
    fx_u32(&g, "bitnet-b1.58.rope.scaling.type", 1);
    refuse(&g, TRIT_E_FILE, "rope.scaling.type", "");
}

/* A factor without a type is linear, in two spellings. */
static void rope_factors(void **state)
{
    static const char *const keys[] = {"bitnet-b1.58.rope.scaling.factor",
                                       "bitnet-b1.58.rope.scale_linear"};
    struct fx_gguf g;
    (void)state;

    for (int i = 0; i < 4; i++) { /* one, the other, both, both as 0 */
        build(&g);
        for (int k = 0; k < 2; k++)
            if (i >= 2 || i == k)
                fx_f32(&g, keys[k], i == 3 ? 0 : 4);
        struct opened o = accept(&g);
        assert_true(o.model->knobs.rope_factor == (i == 3 ? 1 : 4));
        close_model(&o);
    }
    build(&g);
    fx_f32(&g, keys[0], 4);
    fx_f32(&g, keys[1], 2);
    refuse(&g, TRIT_E_FILE, "rope.scale_linear", "contradicts");
}

/* ---- Keys ------------------------------------------------------------------------------------ */

#define ARCH "bitnet-b1.58."

/* Keys that change the function are refused, unless their value changes nothing. */
static void unsupported_keys(void **state)
{
    static const struct {
        const char *key;
        float neutral, other;
    } reals[] = {
        {ARCH "rope.scaling.attn_factor", 1, 1.2f},
        {ARCH "rope.scaling.alpha", 0, 2},
        {ARCH "rope.freq_base_swa", 10000, 5000},
        {ARCH "attention.clamp_kqv", 0, 8},
        {ARCH "attention.scale", 0.125f, 0.5f},
        {ARCH "attention.max_alibi_bias", 0, 8},
        {ARCH "final_logit_softcapping", 0, 30},
        {ARCH "attn_logit_softcapping", 0, 50},
        {ARCH "logit_scale", 1, 0.5f},
        {ARCH "embedding_scale", 1, 12},
        {ARCH "residual_scale", 1, 0.2f},
        {ARCH "attention.value_scale", 0, 2},
    };
    static const struct {
        const char *key;
        uint32_t neutral, other;
    } whole[] = {
        {ARCH "expert_count", 0, 8},         {ARCH "expert_used_count", 0, 2},
        {ARCH "nextn_predict_layers", 0, 1}, {ARCH "rope.dimension_count_swa", 64, 32},
        {ARCH "pooling_type", 0, 1},
    };
    struct fx_gguf g;
    struct opened o;
    (void)state;

    build(&g);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        fx_f32(&g, reals[i].key, reals[i].neutral);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        fx_u32(&g, whole[i].key, whole[i].neutral);
    fx_str(&g, "general.type", "model");
    fx_bool(&g, ARCH "use_parallel_residual", false);
    fx_i32_array(&g, "tokenizer.ggml.suppress_tokens", NULL, 0);
    fx_bool(&g, "tokenizer.ggml.add_eos_token", false);
    o = accept(&g);
    close_model(&o);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        build(&g);
        fx_f32(&g, reals[i].key, reals[i].other);
        refuse(&g, TRIT_E_UNSUPPORTED, reals[i].key, "not supported");
    }
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        build(&g);
        fx_u32(&g, whole[i].key, whole[i].other);
        refuse(&g, TRIT_E_UNSUPPORTED, whole[i].key, "not supported");
    }
    build(&g);
    fx_str(&g, "general.type", "adapter");
    refuse(&g, TRIT_E_UNSUPPORTED, "general.type", "'adapter'");
    build(&g);
    fx_bool(&g, ARCH "use_parallel_residual", true);
    refuse(&g, TRIT_E_UNSUPPORTED, "use_parallel_residual", "true");
    build(&g);
    fx_i32_array(&g, "tokenizer.ggml.suppress_tokens", (const int32_t[]){3}, 1);
    refuse(&g, TRIT_E_UNSUPPORTED, "suppress_tokens", "a list");
    build(&g);
    fx_u32(&g, "prism.hadamard.version", 0);
    refuse(&g, TRIT_E_UNSUPPORTED, "prism.hadamard.version", "is 0");
    build(&g);
    fx_f32(&g, "llama.logit_scale", 0.5f); /* of another architecture */
    o = accept(&g);
    close_model(&o);
}

/* Equal numbers, one a layer. */
static void numbers_of_layers(void **state)
{
    static const int32_t heads[][2] = {{4, 4}, {4, 2}};
    struct fx_gguf g;
    (void)state;

    for (int i = 0; i < 2; i++) {
        build(&g);
        drop_key(&g, ARCH "attention.head_count");
        fx_i32_array(&g, ARCH "attention.head_count", heads[i], 2);
        if (i)
            refuse(&g, TRIT_E_UNSUPPORTED, "attention.head_count", "differs from layer to layer");
        else {
            struct opened o = accept(&g);
            assert_int_equal(o.model->knobs.n_head, 4);
            close_model(&o);
        }
    }
}

static const char *const required[] = {
    "bitnet-b1.58.context_length",       "bitnet-b1.58.embedding_length",
    "bitnet-b1.58.block_count",          "bitnet-b1.58.feed_forward_length",
    "bitnet-b1.58.attention.head_count", "bitnet-b1.58.attention.layer_norm_rms_epsilon",
};
enum { N_REQUIRED = sizeof required / sizeof *required };

static void keys_missing(void **state)
{
    struct fx_gguf g;
    (void)state;
    for (int i = 0; i < N_REQUIRED; i++) {
        build(&g);
        drop_key(&g, required[i]);
        refuse(&g, TRIT_E_FILE, required[i], "missing");
    }
    build(&g);
    drop_key(&g, "general.architecture");
    refuse(&g, TRIT_E_FILE, "architecture", "");
}

static void keys_of_wrong_type(void **state)
{
    static const char *const others[] = {
        "bitnet-b1.58.attention.head_count_kv", "bitnet-b1.58.attention.key_length",
        "bitnet-b1.58.attention.value_length",  "bitnet-b1.58.rope.dimension_count",
        "bitnet-b1.58.rope.freq_base",          "general.architecture",
    };
    struct fx_gguf g;
    (void)state;
    for (size_t i = 0; i < N_REQUIRED + sizeof others / sizeof *others; i++) {
        const char *key = i < N_REQUIRED ? required[i] : others[i - N_REQUIRED];
        build(&g);
        drop_key(&g, key);
        fx_bool(&g, key, true);
        refuse(&g, TRIT_E_FILE, key, "");
        build(&g);
        drop_key(&g, key);
        fx_i32_array(&g, key, NULL, 0);
        refuse(&g, TRIT_E_FILE, key, "");
    }
    build(&g); /* but an integer of any width is accepted if the value fits */
    drop_key(&g, "bitnet-b1.58.block_count");
    fx_i32(&g, "bitnet-b1.58.block_count", 1);
    struct opened o = accept(&g);
    close_model(&o);
    build(&g);
    drop_key(&g, "bitnet-b1.58.block_count");
    fx_i32(&g, "bitnet-b1.58.block_count", -1);
    refuse(&g, TRIT_E_FILE, "block_count", "");
}

static void integers_out_of_range(void **state)
{
    static const uint32_t bad[] = {0, 0x7FFFFFFF, 0x80000000, UINT32_MAX};
    static const char *const optional[] = {
        "bitnet-b1.58.attention.head_count_kv", "bitnet-b1.58.attention.key_length",
        "bitnet-b1.58.attention.value_length", "bitnet-b1.58.rope.dimension_count"};
    struct fx_gguf g;
    (void)state;
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
        for (int i = 0; i < N_REQUIRED - 1; i++) {
            build(&g);
            set_u32(&g, required[i], bad[b]);
            refuse(&g, TRIT_E_FILE, required[i], "");
        }
        for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
            build(&g);
            set_u32(&g, optional[i], bad[b]);
            refuse(&g, TRIT_E_FILE, optional[i], "");
        }
    }
}

static void floats_out_of_range(void **state)
{
    static const float bad[] = {0, -1e-5f, NAN, INFINITY, -INFINITY};
    struct fx_gguf g;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        build(&g);
        set_f32(&g, "bitnet-b1.58.attention.layer_norm_rms_epsilon", bad[i]);
        refuse(&g, TRIT_E_FILE, "layer_norm_rms_epsilon", "");
        build(&g);
        set_f32(&g, "bitnet-b1.58.rope.freq_base", bad[i]);
        refuse(&g, TRIT_E_FILE, "rope.freq_base", "");
    }
}

/* A value may be refused, or give useless numbers, but must not end the program: opening a session
 * computes the table of angles from it. */
static void extreme_angles(void **state)
{
    static const float bases[] = {1e-38f, 1e-6f, 0.5f, 1.0f, 1e12f, 3e38f};
    static const float factors[] = {1e-38f, 1e-9f, 1e12f, 3e38f};
    for (size_t i = 0; i < sizeof bases / sizeof *bases + sizeof factors / sizeof *factors; i++) {
        struct trit_session *session = NULL;
        const size_t n_bases = sizeof bases / sizeof *bases;
        struct fx_gguf g;
        build(&g);
        if (i < n_bases) {
            set_f32(&g, "bitnet-b1.58.rope.freq_base", bases[i]);
        } else {
            fx_str(&g, "bitnet-b1.58.rope.scaling.type", "linear");
            fx_f32(&g, "bitnet-b1.58.rope.scaling.factor", factors[i - n_bases]);
        }
        struct opened o = open_model(&g);
        if (o.status == TRIT_OK)
            trit_session_open(&session, o.model, NULL, &o.err);
        else
            assert_int_equal(o.status, TRIT_E_FILE);
        trit_session_close(&session);
        close_model(&o);
    }
    (void)state;
}

static void heads_that_do_not_divide(void **state)
{
    struct fx_gguf g;
    (void)state;
    build(&g);
    set_u32(&g, "bitnet-b1.58.attention.head_count_kv", 3);
    refuse(&g, TRIT_E_FILE, "head_count_kv", "head_count");
    build(&g);
    set_u32(&g, "bitnet-b1.58.attention.head_count_kv", 8); /* more than heads */
    refuse(&g, TRIT_E_FILE, "head_count_kv", "");
    build(&g);
    set_u32(&g, "bitnet-b1.58.attention.head_count", 3);
    drop_key(&g, "bitnet-b1.58.attention.key_length");
    refuse(&g, TRIT_E_FILE, "embedding_length", "head_count");
    static const uint32_t rotations[] = {63, 1, 66, 128};
    for (size_t i = 0; i < sizeof rotations / sizeof *rotations; i++) {
        build(&g);
        set_u32(&g, "bitnet-b1.58.rope.dimension_count", rotations[i]);
        refuse(&g, TRIT_E_FILE, "rope.dimension_count", "");
    }
    build(&g);
    set_u32(&g, "bitnet-b1.58.attention.value_length", 32);
    refuse(&g, TRIT_E_UNSUPPORTED, "value_length", "");
    build(&g);
    fx_u32(&g, "bitnet-b1.58.expert_count", 8);
    refuse(&g, TRIT_E_UNSUPPORTED, "expert_count", "");
    build(&g);
    fx_u32(&g, "bitnet-b1.58.expert_count", 0);
    struct opened o = accept(&g);
    close_model(&o);
}

static void unknown_architecture(void **state)
{
    static const char *const names[] = {"gemma3", "bitnet-b1.5", "bitnet-b1.58x", "Llama", "x\n"};
    static const char *const supported[] = {"bitnet-b1.58", "bitnet-25", "bitnet", "llama"};
    struct fx_gguf g;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t j = 0; j < sizeof supported / sizeof *supported; j++) {
            build(&g);
            drop_key(&g, "general.architecture");
            fx_str(&g, "general.architecture", names[i]);
            refuse(&g, TRIT_E_UNSUPPORTED, i == 4 ? "x\\x0a" : names[i], supported[j]);
        }
    build(&g);
    drop_key(&g, "general.architecture");
    fx_str(&g, "general.architecture", "");
    refuse(&g, TRIT_E_FILE, "architecture", "");
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static const char *const tensor_names[] = {
    "token_embd.weight",          "output_norm.weight",    "blk.0.attn_norm.weight",
    "blk.0.attn_sub_norm.weight", "blk.0.ffn_norm.weight", "blk.0.ffn_sub_norm.weight",
    "blk.0.attn_q.weight",        "blk.0.attn_k.weight",   "blk.0.attn_v.weight",
    "blk.0.attn_output.weight",   "blk.0.ffn_gate.weight", "blk.0.ffn_up.weight",
    "blk.0.ffn_down.weight",
};
enum { N_TENSORS = sizeof tensor_names / sizeof *tensor_names, FIRST_LINEAR = 6 };

static void tensors_missing(void **state)
{
    struct fx_gguf g;
    (void)state;
    for (int i = 0; i < N_TENSORS; i++) {
        build(&g);
        drop_tensor(&g, tensor_names[i]);
        refuse(&g, TRIT_E_FILE, tensor_names[i], "missing");
    }
    build(&g); /* one layer too many */
    set_u32(&g, "bitnet-b1.58.block_count", 2);
    refuse(&g, TRIT_E_FILE, "blk.1.", "missing");
}

/* The same number of weights in other rows, so that only the shape is wrong. */
static void wrong_shapes(void **state)
{
    struct fx_gguf g;
    (void)state;
    for (int i = 0; i < N_TENSORS; i++) {
        uint32_t n_dims;
        uint8_t *dims, *type;
        uint64_t offset, d[2];
        char found[48];

        build(&g);
        read_record(&g, tensor_names[i], &n_dims, &dims, &type, &offset);
        memcpy(d, dims, sizeof d);
        if (n_dims == 2) {
            set_dims(&g, tensor_names[i], d[0] / 2, d[1] * 2);
            snprintf(found, sizeof found, "[%d, %d", (int)d[0] / 2, (int)d[1] * 2);
        } else {
            set_dims(&g, tensor_names[i], d[0] - 1, 0);
            snprintf(found, sizeof found, "[%d", (int)d[0] - 1);
        }
        refuse(&g, TRIT_E_FILE, tensor_names[i], found);
    }
    build(&g); /* transposed */
    set_dims(&g, "blk.0.ffn_down.weight", 256, 384);
    refuse(&g, TRIT_E_FILE, "blk.0.ffn_down.weight", "[384, 256]");
    build(&g); /* a norm of two rows */
    replace_tensor(&g, "output_norm.weight", FX_F32, 128, 2, 1024);
    refuse(&g, TRIT_E_FILE, "output_norm.weight", "[256");
    build(&g); /* sizes in the metadata that contradict all tensors */
    set_u32(&g, "bitnet-b1.58.feed_forward_length", 512);
    refuse(&g, TRIT_E_FILE, "shape", "512");
}

static void three_dimensions(void **state)
{
    const uint64_t cube[] = {256, 150, 2, 0};
    uint8_t *zeros = calloc(300 * 256, 2);
    struct fx_gguf g;
    (void)state;
    assert_non_null(zeros);
    build(&g);
    drop_tensor(&g, "token_embd.weight");
    fx_tensor(&g, "token_embd.weight", FX_F16, cube, zeros, 300 * 256 * 2);
    refuse(&g, TRIT_E_FILE, "token_embd.weight", "[256, 150, 2");
    free(zeros);
}

/* Every token needs a row of the embedding. */
static void tokens_without_rows(void **state)
{
    const uint64_t few[] = {256, 299, 0};
    uint8_t *zeros = calloc(299 * 256, 2);
    struct fx_gguf g;
    (void)state;
    assert_non_null(zeros);
    build(&g);
    drop_tensor(&g, "token_embd.weight");
    fx_tensor(&g, "token_embd.weight", FX_F16, few, zeros, 299 * 256 * 2);
    refuse(&g, TRIT_E_FILE, "300 tokens", "299");
    free(zeros);
}

/* An unknown tensor could change the result. */
static void unknown_tensor(void **state)
{
    static const char *const names[] = {"blk.0.attn_norm.bias", "blk.1.attn_norm.weight", "extra",
                                        "blk.0.attn_q.weight_scale", "blk.0.attn_q.weigh"};
    const uint64_t dims[] = {256, 0};
    const float zeros[256] = {0};
    struct fx_gguf g;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        build(&g);
        fx_tensor(&g, names[i], FX_F32, dims, zeros, sizeof zeros);
        refuse(&g, TRIT_E_UNSUPPORTED, names[i], "");
    }
}

/* Biases and lists of float linears; test_transformers has valid ones. */
static void biases_and_float_linears(void **state)
{
    const uint64_t dims[] = {255, 0};
    const float zeros[255] = {0};
    struct fx_gguf g;
    (void)state;

    build(&g);
    fx_tensor(&g, "blk.0.ffn_up.bias", FX_F32, dims, zeros, sizeof zeros);
    refuse(&g, TRIT_E_FILE, "blk.0.ffn_up.bias", "shape");
    build(&g);
    fx_u32(&g, "trit.float_linears", 1);
    refuse(&g, TRIT_E_FILE, "trit.float_linears", "array");
    build(&g);
    fx_u32(&g, "trit.quantized_head", 1);
    refuse(&g, TRIT_E_FILE, "trit.quantized_head", "");
}

static void unsupported_types(void **state)
{
    static const struct {
        uint32_t id;
        const char *name;
        size_t block_bytes; /* of 256 weights; 0: trit does not know the size */
    } types[] = {
        {99, "unknown", 0},    {10, "Q2_K", 84},   {11, "Q3_K", 110},  {37, "I8_S", 0},
        {38, "TL1", 0},        {39, "TL2", 0},     {40, "NVFP4", 0},   {41, "Q1_0", 0},
        {42, "Q2_0", 0},       {134, "IQ1_BN", 0}, {135, "IQ2_BN", 0}, {142, "PQ2_0", 0},
        {335, "IQ2_BN_R4", 0},
    };
    struct fx_gguf g;
    char id[16];
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const size_t bytes = types[i].block_bytes ? types[i].block_bytes : 64;
        snprintf(id, sizeof id, "type %u", types[i].id);
        build(&g);
        replace_tensor(&g, "blk.0.attn_q.weight", types[i].id, 256, 256, bytes * 256);
        refuse(&g, TRIT_E_UNSUPPORTED, types[i].name, id);
        build(&g);
        replace_tensor(&g, "blk.0.attn_q.weight", types[i].id, 256, 256, bytes * 256);
        refuse(&g, TRIT_E_UNSUPPORTED, "blk.0.attn_q.weight", "supported are I2_S, TQ1_0, TQ2_0");
        build(&g);
        replace_tensor(&g, "token_embd.weight", types[i].id, 256, 300, bytes * 300);
        refuse(&g, TRIT_E_UNSUPPORTED, types[i].name, id);
        build(&g);
        replace_tensor(&g, "token_embd.weight", types[i].id, 256, 300, bytes * 300);
        refuse(&g, TRIT_E_UNSUPPORTED, "token_embd.weight", "F16, BF16, F32, Q8_0");
        build(&g);
        replace_tensor(&g, "output_norm.weight", types[i].id, 256, 1, bytes);
        refuse(&g, TRIT_E_UNSUPPORTED, "output_norm.weight", id);
    }
}

/* Types that are supported, but not in this role. */
static void types_in_the_wrong_place(void **state)
{
    struct fx_gguf g;
    (void)state;
    build(&g);
    replace_tensor(&g, "token_embd.weight", FX_I2_S, 256, 300, 64 * 300 + 32);
    refuse(&g, TRIT_E_UNSUPPORTED, "token_embd.weight", "I2_S");
    build(&g);
    replace_tensor(&g, "token_embd.weight", FX_TQ2_0, 256, 300, 66 * 300);
    refuse(&g, TRIT_E_UNSUPPORTED, "token_embd.weight", "TQ2_0");
    build(&g);
    replace_tensor(&g, "blk.0.ffn_up.weight", FX_Q8_0, 256, 384, 34 * 8 * 384);
    refuse(&g, TRIT_E_UNSUPPORTED, "blk.0.ffn_up.weight", "Q8_0");
    build(&g);
    replace_tensor(&g, "blk.0.ffn_norm.weight", FX_TQ1_0, 256, 1, 54);
    refuse(&g, TRIT_E_UNSUPPORTED, "blk.0.ffn_norm.weight", "TQ1_0");
}

/* Other programs use id 36 for another type, whose bytes do not fill the space up to the next
 * tensor. */
static void type_36_that_is_not_i2s(void **state)
{
    const uint64_t dims[] = {8192, 0};
    const size_t i2s_bytes = 256 * 256 / 4 + 32;
    float *zeros = calloc(8192, sizeof *zeros);
    struct fx_gguf g;
    (void)state;
    assert_non_null(zeros);
    static const size_t rooms[] = {256 * 256 / 8, 256 * 256 / 4, 256 * 256 / 4 + 96, 256 * 256 / 2,
                                   256 * 256 / 4 + 64};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        build(&g);
        replace_tensor(&g, "blk.0.attn_q.weight", FX_I2_S, 256, 256, rooms[i]);
        fx_tensor(&g, "behind", FX_F32, dims, zeros, 8192 * sizeof *zeros);
        refuse(&g, TRIT_E_UNSUPPORTED, "blk.0.attn_q.weight", "36");
    }
    build(&g); /* with enough space, only the data after it is too much */
    replace_tensor(&g, "blk.0.attn_q.weight", FX_I2_S, 256, 256, i2s_bytes);
    const float one = 1;
    memcpy(g.data.data + g.data.len - 32, &one, sizeof one);
    fx_tensor(&g, "behind", FX_F32, dims, zeros, 8192 * sizeof *zeros);
    struct opened o = open_model(&g);
    assert_int_equal(o.status, TRIT_E_UNSUPPORTED);
    assert_null(strstr(o.err.text, "36"));
    close_model(&o);
    free(zeros);
}

/* Bounds are checked first: data past the end of the file is damage, for any id. */
static void type_36_beyond_the_end(void **state)
{
    struct trit_error err;
    struct fx_gguf g;
    trit_file *f;
    (void)state;
    build(&g);
    replace_tensor(&g, "blk.0.attn_q.weight", FX_I2_S, 256, 256, 256 * 256 / 4);
    const char *path = fx_write_gguf("beyond.gguf", &g);
    fx_free(&g);
    assert_int_equal(trit_file_open(&f, path, NULL, &err), TRIT_E_FILE);
    assert_non_null(strstr(err.text, "blk.0.attn_q.weight"));
    assert_non_null(strstr(err.text, "ends early"));
}

/* ---- Scales ---------------------------------------------------------------------------------- */

static const float bad_scales[] = {0.0f, -0.0f, -0.5f, NAN, INFINITY, -INFINITY};
enum { N_BAD_SCALES = sizeof bad_scales / sizeof *bad_scales };

static void i2s_scales(void **state)
{
    struct fx_gguf g;
    (void)state;
    for (int i = 0; i < N_BAD_SCALES; i++) {
        build(&g);
        memcpy(data_of(&g, "blk.0.ffn_up.weight") + 256 * 384 / 4, &bad_scales[i], sizeof(float));
        refuse(&g, TRIT_E_FILE, "blk.0.ffn_up.weight", "scale");
    }
    for (int i = 0; i < N_BAD_SCALES; i++) { /* rows that are not whole blocks, so repacked */
        struct fx_spec s = one_layer();
        s.n_ff = 320;
        build_spec(&g, &s);
        memcpy(data_of(&g, "blk.0.ffn_down.weight") + 256 * 320 / 4, &bad_scales[i], sizeof(float));
        refuse(&g, TRIT_E_FILE, "blk.0.ffn_down.weight", "scale");
    }
}

static void extra_scales(void **state)
{
    const uint64_t one[] = {1, 0}, two[] = {2, 0}, square[] = {1, 2, 0};
    const float fine[] = {0.5f, 0.5f};
    float own;
    struct fx_gguf g;
    (void)state;

    build(&g);
    memcpy(&own, data_of(&g, "blk.0.attn_v.weight") + 256 * 128 / 4, sizeof own);
    fx_tensor(&g, "blk.0.attn_v.scale", FX_F32, one, fine, sizeof *fine);
    struct opened o = accept(&g);
    assert_true(o.model->layers[0].attn_v.scale == own * 0.5f);
    close_model(&o);
    build(&g);
    fx_tensor(&g, "blk.0.attn_v.scale", FX_F32, two, fine, sizeof fine);
    refuse(&g, TRIT_E_FILE, "blk.0.attn_v.scale", "shape");
    build(&g);
    fx_tensor(&g, "blk.0.attn_v.scale", FX_F32, square, fine, sizeof fine);
    refuse(&g, TRIT_E_FILE, "blk.0.attn_v.scale", "shape");
    build(&g);
    fx_tensor(&g, "blk.0.attn_v.scale", FX_F16, one, "\0\x38", 2);
    refuse(&g, TRIT_E_UNSUPPORTED, "blk.0.attn_v.scale", "F32");
    for (int i = 0; i < N_BAD_SCALES; i++) {
        build(&g);
        fx_tensor(&g, "blk.0.attn_v.scale", FX_F32, one, &bad_scales[i], sizeof(float));
        refuse(&g, TRIT_E_FILE, "blk.0.attn_v.scale", "scale");
    }
    const float huge = 1e30f; /* each is fine, the sum is too large */
    build(&g);
    memcpy(data_of(&g, "blk.0.attn_v.weight") + 256 * 128 / 4, &huge, sizeof huge);
    fx_tensor(&g, "blk.0.attn_v.scale", FX_F32, one, &huge, sizeof huge);
    refuse(&g, TRIT_E_FILE, "blk.0.attn_v.weight", "scale");
    build(&g); /* not of a linear */
    fx_tensor(&g, "blk.0.attn_norm.scale", FX_F32, one, fine, sizeof *fine);
    refuse(&g, TRIT_E_UNSUPPORTED, "blk.0.attn_norm.scale", "");
}

/* Repacked types report the error of the unpacker, after the tensor's name. */
static void repacked_types(void **state)
{
    static const uint32_t types[] = {FX_TQ1_0, FX_TQ2_0, FX_F16, FX_BF16, FX_F32};
    static const int widths[] = {512, 512, 320, 320, 320};
    struct fx_gguf g;
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct fx_spec s = one_layer();
        s.linear_type = types[i];
        s.n_ff = widths[i];
        build_spec(&g, &s);
        struct opened o = accept(&g);
        assert_true(info_of(&o).repacked_bytes > 256 * 256 / 4 * 2);
        assert_true(o.model->layers[0].ffn_down.scale > 0);
        close_model(&o);
        build_spec(&g, &s); /* NaN as a scale or as a weight, at the end of the tensor */
        const size_t n = 256 * 256;
        uint8_t *data = data_of(&g, "blk.0.attn_q.weight");
        uint8_t *end = data + (types[i] == FX_TQ1_0   ? n / 256 * 54
                               : types[i] == FX_TQ2_0 ? n / 256 * 66
                               : types[i] == FX_F32   ? n * 4
                                                      : n * 2);
        end[-1] = 0x7F;
        end[-2] = 0xC0;
        refuse(&g, TRIT_E_FILE, "blk.0.attn_q.weight", "");
    }
}

/* ---- Embedding and head ---------------------------------------------------------------------- */

static void embedding_types(void **state)
{
    static const struct {
        uint32_t type;
        const char *name;
    } types[] = {{FX_F32, "F32"},   {FX_F16, "F16"},   {FX_BF16, "BF16"}, {FX_Q8_0, "Q8_0"},
                 {FX_Q4_0, "Q4_0"}, {FX_Q4_K, "Q4_K"}, {FX_Q6_K, "Q6_K"}};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct fx_spec s = one_layer();
        struct fx_gguf g;
        s.embd_type = types[i].type;
        s.untied = i % 2;
        build_spec(&g, &s);
        struct opened o = accept(&g);
        assert_string_equal(info_of(&o).embd_type, types[i].name);
        assert_string_equal(info_of(&o).head_type, types[i].name);
        assert_int_equal(info_of(&o).tied, i % 2 == 0);
        close_model(&o);
    }
}

static void heads(void **state)
{
    static uint8_t zeros[2 * 256 * 300];
    static const struct {
        uint64_t dims[3];
        size_t bytes;
        trit_status status;
    } cases[] = {
        {{256, 300, 0}, 34 * 8 * 300, TRIT_OK},
        {{256, 299, 0}, 34 * 8 * 299, TRIT_E_FILE},
        {{256, 301, 0}, 34 * 8 * 301, TRIT_E_FILE},
        {{128, 300, 0}, 34 * 4 * 300, TRIT_E_FILE},
        {{256, 0}, 34 * 8, TRIT_E_FILE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fx_gguf g;
        build(&g);
        fx_tensor(&g, "output.weight", FX_Q8_0, cases[i].dims, zeros, cases[i].bytes);
        if (cases[i].status) {
            refuse(&g, cases[i].status, "output.weight", "");
            continue;
        }
        struct opened o = accept(&g);
        assert_false(info_of(&o).tied);
        assert_string_equal(info_of(&o).head_type, "Q8_0");
        assert_string_equal(info_of(&o).embd_type, "F16");
        close_model(&o);
    }
}

/* ---- Frequency factors ----------------------------------------------------------------------- */

static void rope_freqs(void **state)
{
    const uint64_t right[] = {32, 0}, wrong[] = {64, 0};
    float factors[64];
    struct fx_gguf g;
    (void)state;

    for (int i = 0; i < 64; i++)
        factors[i] = 1.0f + (float)i;
    build(&g);
    fx_tensor(&g, "rope_freqs.weight", FX_F32, right, factors, 32 * sizeof *factors);
    struct opened o = accept(&g);
    assert_non_null(o.model->rope_factors);
    assert_memory_equal(o.model->rope_factors, factors, 32 * sizeof *factors);
    close_model(&o);
    build(&g);
    fx_tensor(&g, "rope_freqs.weight", FX_F32, wrong, factors, 64 * sizeof *factors);
    refuse(&g, TRIT_E_FILE, "rope_freqs.weight", "shape");
}

/* They are divisors: 0 and NaN must be refused at some point, not used. */
static void bad_rope_freqs(void **state)
{
    static const float bad[] = {0.0f, NAN, INFINITY, -1.0f, 1e-38f};
    const uint64_t dims[] = {32, 0};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct trit_session *session = NULL;
        float factors[32];
        struct fx_gguf g;
        for (int k = 0; k < 32; k++)
            factors[k] = 1;
        factors[7] = bad[i];
        build(&g);
        fx_tensor(&g, "rope_freqs.weight", FX_F32, dims, factors, sizeof factors);
        struct opened o = open_model(&g);
        if (o.status == TRIT_OK)
            o.status = trit_session_open(&session, o.model, NULL, &o.err);
        trit_session_close(&session);
        close_model(&o);
        if (bad[i] == 0.0f || isnan(bad[i]))
            assert_int_equal(o.status, TRIT_E_FILE);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(default_model),
    cmocka_unit_test(architectures),
    cmocka_unit_test(hidden_activation),
    cmocka_unit_test(linear_norms),
    cmocka_unit_test(variants),
    cmocka_unit_test(not_causal),
    cmocka_unit_test(refused_values_are_named),
    cmocka_unit_test(shapes_of_1bitllm),
    cmocka_unit_test(defaults),
    cmocka_unit_test(optional_keys),
    cmocka_unit_test(partial_rotation),
    cmocka_unit_test(rope_scaling),
    cmocka_unit_test(rope_factors),
    cmocka_unit_test(unsupported_keys),
    cmocka_unit_test(numbers_of_layers),
    cmocka_unit_test(keys_missing),
    cmocka_unit_test(keys_of_wrong_type),
    cmocka_unit_test(integers_out_of_range),
    cmocka_unit_test(floats_out_of_range),
    cmocka_unit_test(heads_that_do_not_divide),
    cmocka_unit_test(unknown_architecture),
    cmocka_unit_test(tensors_missing),
    cmocka_unit_test(wrong_shapes),
    cmocka_unit_test(three_dimensions),
    cmocka_unit_test(unknown_tensor),
    cmocka_unit_test(biases_and_float_linears),
    cmocka_unit_test(unsupported_types),
    cmocka_unit_test(types_in_the_wrong_place),
    cmocka_unit_test(type_36_that_is_not_i2s),
    cmocka_unit_test(type_36_beyond_the_end),
    cmocka_unit_test(tokens_without_rows),
    cmocka_unit_test(i2s_scales),
    cmocka_unit_test(extra_scales),
    cmocka_unit_test(repacked_types),
    cmocka_unit_test(embedding_types),
    cmocka_unit_test(heads),
    cmocka_unit_test(rope_freqs),
    cmocka_unit_test(bad_rope_freqs),
    cmocka_unit_test(extreme_angles),
};

const struct suite suite = {SUITE_TESTS(tests), .setup = make_original, .teardown = free_original};
