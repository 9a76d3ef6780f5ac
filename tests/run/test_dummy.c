/* test_dummy.c - dummy models, the GGUF writer behind them, and the measurement of limits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "gguf.h"
#include "gguf_write.h"
#include "suite.h"
#include "trit_tools.h"

/* ---- A file in memory ------------------------------------------------------------------------ */

struct memory {
    uint8_t *data;
    size_t len, size;
    size_t n_writes, most; /* most: number of writes before it stops; 0: never stops */
};

static bool put(void *user, const void *bytes, size_t n)
{
    struct memory *m = user;
    if (m->most && m->n_writes == m->most)
        return false;
    m->n_writes++;
    if (n > m->size - m->len) {
        m->size = 2 * m->size + n;
        m->data = realloc(m->data, m->size);
        assert_non_null(m->data);
    }
    memcpy(m->data + m->len, bytes, n);
    m->len += n;
    return true;
}

static struct memory make(const char *type, const char *embd, uint64_t seed)
{
    const struct trit_dummy_options opt = {
        .shape = "tiny", .type = type, .embd = embd, .seed = seed};
    struct memory m = {0};
    struct trit_error err;
    uint64_t n_bytes = 0;

    if (trit_dummy_write(&opt, put, &m, &n_bytes, &err))
        fail_msg("%s, %s: %s", type, embd, err.text);
    assert_int_equal(n_bytes, m.len);
    return m;
}

struct open_model {
    trit_file *file;
    trit_model *model;
    trit_session *session;
};

static struct open_model open_memory(const struct memory *m, const char *what)
{
    const struct trit_session_options opt = {.n_ctx = 16, .n_threads = 2};
    struct open_model o = {0};
    struct trit_error err;
    const char *path = fx_write("dummy.gguf", m->data, m->len);

    if (trit_file_open(&o.file, path, NULL, &err) || trit_model_open(&o.model, o.file, &err) ||
        trit_session_open(&o.session, o.model, &opt, &err))
        fail_msg("%s: %s", what, err.text);
    return o;
}

static void close_model(struct open_model *o)
{
    trit_session_close(&o->session);
    trit_model_close(&o->model);
    trit_file_close(&o->file);
}

/* ---- The writer ------------------------------------------------------------------------------ */

static void test_writer(void **state)
{
    static const float values[] = {1.5f, -2.0f, 0.25f};
    struct memory m = {0};
    struct gguf_writer w = {.write = put, .user = &m};
    struct trit_error err;
    trit_file *file;
    (void)state;

    trit_gguf_write_u32(&w, "a.number", 7);
    trit_gguf_write_f32(&w, "a.real", 0.5f);
    trit_gguf_write_bool(&w, "a.flag", true);
    trit_gguf_write_string(&w, "a.text", "x y");
    trit_gguf_write_array(&w, "a.list", TRIT_VALUE_STRING, 2);
    trit_gguf_write_item_string(&w, "one", 3);
    trit_gguf_write_item_string(&w, "", 0);
    assert_false(
        trit_gguf_write_tensor(&w, "bad", trit_type_find(8), 33, 1)); /* Q8_0: blocks of 32 */
    assert_true(trit_gguf_write_tensor(&w, "v", trit_type_find(0), 3, 1));
    assert_true(trit_gguf_write_tensor(&w, "m", trit_type_find(0), 1, 2));
    const uint64_t n_bytes = trit_gguf_writer_bytes(&w);
    assert_int_equal(trit_gguf_write_begin(&w, &err), TRIT_OK);
    assert_true(trit_gguf_write_data(&w, values, 4));
    assert_true(trit_gguf_write_data(&w, values + 1, 8)); /* pieces of any size */
    assert_true(trit_gguf_write_pad(&w));
    assert_true(trit_gguf_write_data(&w, values, 8));
    assert_true(trit_gguf_write_pad(&w));
    assert_int_equal(trit_gguf_write_end(&w, &err), TRIT_OK);
    trit_gguf_writer_free(&w);
    assert_int_equal(m.len, n_bytes);

    if (trit_file_open(&file, fx_write("writer.gguf", m.data, m.len), NULL, &err))
        fail_msg("%s", err.text);
    uint32_t number = 0;
    double real = 0;
    bool flag = false;
    struct trit_string text = {"", 0};
    const struct gguf_kv *list;
    assert_int_equal(trit_gguf_get_u32(file, "a.number", &number, &err), TRIT_OK);
    assert_int_equal(trit_gguf_get_f64(file, "a.real", &real, &err), TRIT_OK);
    assert_int_equal(trit_gguf_get_bool(file, "a.flag", &flag, &err), TRIT_OK);
    assert_int_equal(trit_gguf_get_string(file, "a.text", &text, &err), TRIT_OK);
    assert_int_equal(trit_gguf_get_array(file, "a.list", TRIT_VALUE_STRING, &list, &err), TRIT_OK);
    assert_int_equal(number, 7);
    assert_true(real == 0.5);
    assert_true(flag);
    assert_true(trit_string_is(text, "x y"));
    assert_int_equal(list->n_items, 2);
    const struct gguf_tensor *v = trit_gguf_find_tensor(file, "v"),
                             *matrix = trit_gguf_find_tensor(file, "m");
    assert_int_equal(v->n_dims, 1);
    assert_memory_equal(trit_gguf_data(file, v), values, sizeof values);
    assert_int_equal(matrix->dims[1], 2);
    assert_int_equal(matrix->offset % 32, 0);
    assert_memory_equal(trit_gguf_data(file, matrix), values, 8);
    trit_file_close(&file);
    free(m.data);
}

/* ---- Dummies --------------------------------------------------------------------------------- */

static const char *const types[] = {"i2_s", "tq1_0", "tq2_0", "f16", "bf16", "f32", "I2_S"};
static const char *const embds[] = {"f16", "f32", "bf16", "q8_0", "q6_k", "q4_k", "q4_0"};

/* Models of every type open, run, and give finite logits that are not all equal. */
static void test_types(void **state)
{
    static const int32_t tokens[] = {500, 1, 2, 499};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct memory m = make(types[i], embds[i], 3);
        struct open_model o = open_memory(&m, types[i]);
        struct trit_error err;
        float lo = INFINITY, hi = -INFINITY;

        if (trit_session_sync(o.session, tokens, 4, &err))
            fail_msg("%s, %s: %s", types[i], embds[i], err.text);
        const float *logits = trit_session_logits(o.session);
        for (int32_t k = 0; k < trit_session_n_vocab(o.session); k++) {
            assert_true(isfinite(logits[k]));
            lo = fminf(lo, logits[k]);
            hi = fmaxf(hi, logits[k]);
        }
        assert_true(hi > lo);
        close_model(&o);
        free(m.data);
    }
}

/* In every type about half of the ternary weights are 0, a quarter +, a quarter -. */
static void test_weights(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct memory m = make(types[i], NULL, 1);
        struct trit_error err;
        trit_file *file;
        if (trit_file_open(&file, fx_write("weights.gguf", m.data, m.len), NULL, &err))
            fail_msg("%s", err.text);
        const struct gguf_tensor *t = trit_gguf_find_tensor(file, "blk.0.ffn_up.weight");
        const struct trit_packed packed = {
            .data = trit_gguf_data(file, t),
            .n_rows = (size_t)t->dims[1],
            .n_cols = (size_t)t->dims[0],
            .format = t->type->format < 0 ? TRIT_FORMAT_F32 : (enum trit_format)t->type->format,
        };
        const size_t n = packed.n_rows * packed.n_cols;
        uint8_t *t2 = malloc(n / 4);
        float scale;
        size_t count[4] = {0};
        assert_non_null(t2);
        assert_int_equal(t->type->unpack_t2(t2, &scale, &packed, &err), TRIT_OK);
        assert_true(scale == 0.03125f);
        for (size_t b = 0; b < n / 4; b++)
            for (int shift = 0; shift < 8; shift += 2)
                count[t2[b] >> shift & 3]++;
        assert_int_equal(count[3], 0);
        const double zero = (double)count[1] / (double)n, plus = (double)count[2] / (double)n;
        const double wanted = i == 1 ? 1.0 / 3 : 0.5; /* any byte is valid in TQ1_0 */
        assert_true(fabs(zero - wanted) < 0.02);
        assert_true(fabs(plus - (1 - wanted) / 2) < 0.02);
        free(t2);
        trit_file_close(&file);
        free(m.data);
    }
}

static void test_seed(void **state)
{
    (void)state;
    struct memory a = make(NULL, NULL, 1), b = make("i2_s", "f16", 1), c = make(NULL, NULL, 2);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    assert_int_equal(a.len, c.len);
    assert_memory_not_equal(a.data, c.data, a.len);
    free(a.data);
    free(b.data);
    free(c.data);
}

static void test_tokenizer(void **state)
{
    static const char text[] = "Hello, \xc3\xa4 world!\n\t\x80";
    struct memory m = make(NULL, NULL, 1);
    struct open_model o = open_memory(&m, "tiny");
    trit_tokenizer *t = NULL;
    struct trit_error err;
    int32_t *ids = NULL, n = 0;
    char back[64];
    size_t len = 0;
    (void)state;

    assert_int_equal(trit_tokenizer_open(&t, o.file, &err), TRIT_OK);
    assert_int_equal(
        trit_tokenizer_encode(t, text, sizeof text - 1, TRIT_ENCODE_BOS, &ids, &n, &err), TRIT_OK);
    assert_int_equal(ids[0], 500);
    for (int32_t i = 0; i < n; i++) {
        const struct trit_string piece = trit_tokenizer_piece(t, ids[i], false);
        assert_true(len + piece.len <= sizeof back);
        memcpy(back + len, piece.bytes, piece.len);
        len += piece.len;
    }
    assert_int_equal(len, sizeof text - 1);
    assert_memory_equal(back, text, len);
    assert_true(trit_tokenizer_is_end(t, 501));
    trit_free(ids);
    trit_tokenizer_close(&t);
    close_model(&o);
    free(m.data);
}

static void refuse(struct trit_dummy_options opt, trit_status wanted, const char *part)
{
    struct memory m = {0};
    struct trit_error err = {TRIT_OK, ""};
    assert_int_equal(trit_dummy_write(&opt, put, &m, NULL, &err), wanted);
    if (!strstr(err.text, part))
        fail_msg("'%s' does not say '%s'", err.text, part);
    assert_int_equal(trit_dummy_write(&opt, put, &m, NULL, NULL), wanted);
    assert_int_equal(m.n_writes, 0); /* refused before anything is written */
    free(m.data);
}

static void test_refusals(void **state)
{
    (void)state;
    refuse((struct trit_dummy_options){.shape = "5t"}, TRIT_E_ARGUMENT, "2b4t");
    refuse((struct trit_dummy_options){.shape = "tiny", .type = "q8_0"}, TRIT_E_ARGUMENT, "tq2_0");
    refuse((struct trit_dummy_options){.shape = "tiny", .embd = "i2_s"}, TRIT_E_ARGUMENT, "q6_k");
    refuse((struct trit_dummy_options){.shape = "3b", .type = "tq1_0"}, TRIT_E_UNSUPPORTED, "8640");
    refuse((struct trit_dummy_options){.shape = "3b", .embd = "q6_k"}, TRIT_E_UNSUPPORTED, "3200");
}

/* A sink that returns false ends the writing, at any place. */
static void test_cancel(void **state)
{
    const struct trit_dummy_options opt = {.shape = "tiny"};
    (void)state;
    for (size_t most = 1; most < 60; most += 7) {
        struct memory m = {.most = most};
        struct trit_error err;
        assert_int_equal(trit_dummy_write(&opt, put, &m, NULL, &err), TRIT_E_CANCELLED);
        assert_int_equal(m.n_writes, most);
        free(m.data);
    }
}

/* As published in the models' cards. */
static void test_shapes(void **state)
{
    static const struct {
        const char *name;
        uint64_t n_ternary;
    } known[] = {{"2b4t", 2084044800}, {"falcon-e-1b", 1585446912}, {"falcon-e-3b", 2919235584}};
    struct trit_dummy_shape shape;
    size_t n_found = 0;
    (void)state;
    for (int i = 0; trit_dummy_shape_at(i, &shape); i++)
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (strcmp(shape.name, known[k].name) == 0) {
                assert_int_equal(shape.n_ternary, known[k].n_ternary);
                n_found++;
            }
    assert_int_equal(n_found, sizeof known / sizeof *known);
    assert_false(trit_dummy_shape_at(-1, &shape));
}

/* ---- Limits ---------------------------------------------------------------------------------- */

/* Measuring gives numbers and does not change the timeline or the logits. */
static void test_measure(void **state)
{
    static const int32_t tokens[] = {500, 1, 2};
    struct memory m = make(NULL, NULL, 1);
    struct open_model o = open_memory(&m, "tiny");
    struct trit_error err;
    (void)state;

    assert_int_equal(trit_session_sync(o.session, tokens, 3, &err), TRIT_OK);
    const float first = trit_session_logits(o.session)[0];
    const double read = trit_session_measure_read(o.session, 1);
    const double macs = trit_session_measure_macs(o.session, 1);
    assert_true(read > 0 && isfinite(read));
    const double fmas = trit_session_measure_fmas(o.session, 1);
    assert_true(macs > 0 && isfinite(macs));
    assert_true(fmas > 0 && isfinite(fmas));
    assert_int_equal(trit_session_n_tokens(o.session), 3);
    assert_true(trit_session_logits(o.session)[0] == first);
    close_model(&o);
    free(m.data);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_writer),    cmocka_unit_test(test_types),
    cmocka_unit_test(test_weights),   cmocka_unit_test(test_seed),
    cmocka_unit_test(test_tokenizer), cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_cancel),    cmocka_unit_test(test_shapes),
    cmocka_unit_test(test_measure),
};

const struct suite suite = {SUITE_TESTS(tests)};
