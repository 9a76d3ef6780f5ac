/* test_text.c - opening tokenizers, properties of tokens, and UTF-8 in pieces. (test_tokenizer.c
 * tests encoding.)
 *
 * The vocabulary is the fixture's (all 256 bytes, " t", "he", " the", then control tokens) or a
 * small one made here, with a missing or wrong key. The expected UTF-8 is computed a second time,
 * from table 3-7 of the Unicode standard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "gguf.h"
#include "suite.h"
#include "utf8.h"

/* ---- A small vocabulary ---------------------------------------------------------------------- */

/* GPT-2's character for each byte, as UTF-8. */
static void byte_char(char out[3], int byte)
{
    int code = byte, other = 256;
    for (int i = 0; i <= byte; i++)
        if (!((i >= '!' && i <= '~') || (i >= 0xA1 && i <= 0xAC) || (i >= 0xAE && i <= 0xFF)))
            code = i == byte ? other++ : (other++, code);
    if (code < 0x80) {
        out[0] = (char)code;
        out[1] = '\0';
    } else {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        out[2] = '\0';
    }
}

enum { N_SPECIAL = 8, N_SMALL = 256 + N_SPECIAL };

/* Ids 0..255 are the bytes in reverse order, so that no id is right by chance. */
static const char *const special[N_SPECIAL] = {"ab",   "abc",        "bc",   "<s>",
                                               "</s>", "<|eot_id|>", "user", "unused"};
static const int32_t special_types[N_SPECIAL] = {1, 1, 1, 3, 3, 3, 4, 5};

struct small {
    const char *model, *pre, *arch; /* NULL: no key */
    int n_types;                    /* -1: no key */
    int bos, eos;                   /* -1: no key */
};

static const struct small plain = {"gpt2", "gpt-2", "llama", N_SMALL, 259, 260};

static void put_small(struct fx_gguf *g, const struct small *s)
{
    static const char *const merges[] = {"b c", "a b", "ab c"};
    char chars[256][3];
    const char *tokens[N_SMALL];
    int32_t types[N_SMALL + 1] = {0};

    for (int i = 0; i < N_SMALL; i++) {
        if (i < 256)
            byte_char(chars[i], 255 - i);
        tokens[i] = i < 256 ? chars[i] : special[i - 256];
        types[i] = i < 256 ? 1 : special_types[i - 256];
    }
    fx_init(g);
    if (s->arch)
        fx_str(g, "general.architecture", s->arch);
    if (s->model)
        fx_str(g, "tokenizer.ggml.model", s->model);
    if (s->pre)
        fx_str(g, "tokenizer.ggml.pre", s->pre);
    fx_str_array(g, "tokenizer.ggml.tokens", tokens, N_SMALL);
    if (s->n_types >= 0)
        fx_i32_array(g, "tokenizer.ggml.token_type", types, (size_t)s->n_types);
    fx_str_array(g, "tokenizer.ggml.merges", merges, 3);
    if (s->bos >= 0)
        fx_u32(g, "tokenizer.ggml.bos_token_id", (uint32_t)s->bos);
    if (s->eos >= 0)
        fx_u32(g, "tokenizer.ggml.eos_token_id", (uint32_t)s->eos);
}

/* Frees g; the file is closed before the tokenizer is used, which is allowed. */
static trit_status open_tokenizer(trit_tokenizer **t, struct fx_gguf *g, struct trit_error *err)
{
    const struct trit_file_options read_it = {.no_mmap = true};
    trit_file *f;
    const char *path = fx_write_gguf("vocabulary.gguf", g);

    fx_free(g);
    if (trit_file_open(&f, path, &read_it, err))
        fail_msg("the reader refuses it: %s", err->text);
    remove(path);               /* a new file is faster to write than an old one */
    *t = (trit_tokenizer *)err; /* must be overwritten */
    const trit_status status = trit_tokenizer_open(t, f, err);
    trit_file_close(&f);
    assert_true((status == TRIT_OK) == (*t != NULL));
    return status;
}

static trit_tokenizer *open_small(const struct small *s)
{
    struct fx_gguf g;
    struct trit_error err;
    trit_tokenizer *t;
    put_small(&g, s);
    if (open_tokenizer(&t, &g, &err))
        fail_msg("refused: %s", err.text);
    return t;
}

static void refuse(struct fx_gguf *g, trit_status wanted, const char *part)
{
    struct trit_error err = {TRIT_OK, ""};
    trit_tokenizer *t;
    const trit_status status = open_tokenizer(&t, g, &err);
    if (status != wanted || err.code != wanted || !strstr(err.text, part))
        fail_msg("expected status %d and '%s', got %d: %s", (int)wanted, part, (int)status,
                 err.text);
}

static trit_tokenizer *open_fixture(void)
{
    const struct fx_model *m = fx_model("fixture.gguf", &fx_default);
    trit_tokenizer *t;
    trit_file *f;
    assert_int_equal(trit_file_open(&f, m->path, NULL, NULL), TRIT_OK);
    assert_int_equal(trit_tokenizer_open(&t, f, NULL), TRIT_OK);
    trit_file_close(&f);
    return t;
}

/* ---- Tokenizer ------------------------------------------------------------------------------- */

static void decoding(void **state)
{
    trit_tokenizer *t = open_fixture();
    (void)state;
    assert_int_equal(trit_tokenizer_n_vocab(t), 300);
    for (int32_t id = 0; id < 256; id++) {
        const struct trit_string s = trit_tokenizer_piece(t, id, id % 2);
        assert_int_equal(s.len, 1);
        assert_int_equal((unsigned char)s.bytes[0], id);
    }
    assert_true(trit_string_is(trit_tokenizer_piece(t, 258, false), " the"));
    for (int32_t id = 259; id < 300; id++) { /* control tokens */
        char name[16];
        snprintf(name, sizeof name, "<|%d|>", id);
        assert_int_equal(trit_tokenizer_piece(t, id, false).len, 0);
        assert_true(trit_string_is(trit_tokenizer_piece(t, id, true), name));
    }
    static const int32_t outside[] = {-1, 300, 301, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        for (int special_too = 0; special_too < 2; special_too++) {
            const struct trit_string s = trit_tokenizer_piece(t, outside[i], special_too);
            assert_int_equal(s.len, 0);
            assert_non_null(s.bytes);
        }
        assert_false(trit_tokenizer_is_end(t, outside[i]));
    }
    trit_tokenizer_close(&t);
    assert_null(t);
    trit_tokenizer_close(&t);
    t = open_small(&plain);
    assert_int_equal(trit_tokenizer_n_vocab(t), N_SMALL);
    assert_true(trit_string_is(trit_tokenizer_piece(t, 262, false), "user")); /* user-defined */
    assert_true(trit_string_is(trit_tokenizer_piece(t, 263, false), "unused"));
    assert_int_equal(trit_tokenizer_piece(t, 259, false).len, 0);
    assert_true(trit_string_is(trit_tokenizer_piece(t, 259, true), "<s>"));
    trit_tokenizer_close(&t);
}

static void end_tokens(void **state)
{
    trit_tokenizer *t = open_fixture();
    (void)state;
    for (int32_t id = 0; id < 300; id++)
        assert_int_equal(trit_tokenizer_is_end(t, id), id == 299);
    trit_tokenizer_close(&t);
    struct small s = plain;
    s.eos = 262;
    t = open_small(&s);
    for (int32_t id = 0; id < N_SMALL; id++) /* "</s>" and "<|eot_id|>" by name; the file's EOS */
        assert_int_equal(trit_tokenizer_is_end(t, id), id >= 260 && id <= 262);
    trit_tokenizer_close(&t);
    s.eos = -1;
    t = open_small(&s);
    for (int32_t id = 0; id < N_SMALL; id++)
        assert_int_equal(trit_tokenizer_is_end(t, id), id == 260 || id == 261);
    trit_tokenizer_close(&t);
    s.n_types = -1; /* the types do not matter: converters type such tokens as normal, too */
    t = open_small(&s);
    for (int32_t id = 0; id < N_SMALL; id++)
        assert_int_equal(trit_tokenizer_is_end(t, id), id == 260 || id == 261);
    trit_tokenizer_close(&t);
    struct fx_gguf g;
    struct trit_error err;
    put_small(&g, &s);
    fx_u32(&g, "tokenizer.ggml.eot_token_id", 262);
    fx_u32(&g, "tokenizer.ggml.eom_token_id", 263);
    assert_int_equal(open_tokenizer(&t, &g, &err), TRIT_OK);
    for (int32_t id = 0; id < N_SMALL; id++)
        assert_int_equal(trit_tokenizer_is_end(t, id), id >= 260);
    trit_tokenizer_close(&t);
}

static void vocabularies_refused(void **state)
{
    static const char *const kinds[] = {"llama ", "bert", "t5", "rwkv", "gpt", "gpt2 "};
    struct fx_gguf g;
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct small s = plain;
        s.model = kinds[i];
        put_small(&g, &s);
        refuse(&g, TRIT_E_UNSUPPORTED, kinds[i]);
    }
    struct small s = plain;
    s.model = "bert";
    put_small(&g, &s);
    refuse(&g, TRIT_E_UNSUPPORTED, "gpt2"); /* the supported kinds */
    put_small(&g, &s);
    refuse(&g, TRIT_E_UNSUPPORTED, "llama");
    s.model = "llama"; /* the kind is supported, but not without scores */
    put_small(&g, &s);
    refuse(&g, TRIT_E_FILE, "scores");
    fx_init(&g);
    fx_str(&g, "tokenizer.ggml.model", "gpt2");
    refuse(&g, TRIT_E_FILE, "vocabulary");
    fx_init(&g);
    fx_str(&g, "tokenizer.ggml.model", "gpt2");
    fx_str_array(&g, "tokenizer.ggml.tokens", NULL, 0);
    refuse(&g, TRIT_E_FILE, "vocabulary");
}

static void arrays_that_contradict(void **state)
{
    static const int counts[] = {0, 1, N_SMALL - 1, N_SMALL + 1};
    struct fx_gguf g;
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct small s = plain;
        s.n_types = counts[i];
        put_small(&g, &s);
        refuse(&g, TRIT_E_FILE, "types");
    }
    static const char *const ids[] = {"bos_token_id", "eos_token_id", "eot_token_id",
                                      "eom_token_id", "unknown_token_id"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char key[48];
        struct small s = plain;
        snprintf(key, sizeof key, "tokenizer.ggml.%s", ids[i]);
        s.bos = s.eos = -1;
        put_small(&g, &s);
        fx_u32(&g, key, N_SMALL);
        refuse(&g, TRIT_E_FILE, ids[i]);
        put_small(&g, &s);
        fx_i32(&g, key, -2);
        refuse(&g, TRIT_E_FILE, ids[i]);
        put_small(&g, &s);
        fx_str(&g, key, "1");
        refuse(&g, TRIT_E_FILE, ids[i]);
    }
}

static void keys_of_wrong_type(void **state)
{
    static const char *const keys[] = {"tokenizer.ggml.model", "tokenizer.ggml.tokens",
                                       "tokenizer.ggml.token_type", "tokenizer.ggml.merges",
                                       "tokenizer.ggml.pre"};
    static const char *const tokens[] = {"a", "b"};
    const int32_t ints[] = {1, 2};
    struct fx_gguf g;
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        for (int array = 0; array < 2; array++) {
            if (i == 2 && array)
                continue; /* of integers, which is correct */
            fx_init(&g);
            if (i > 0)
                fx_str(&g, keys[0], "gpt2");
            if (i > 1)
                fx_str_array(&g, keys[1], tokens, 2);
            if (array)
                fx_i32_array(&g, keys[i], ints, 2);
            else
                fx_u32(&g, keys[i], 1);
            refuse(&g, TRIT_E_FILE, keys[i]);
        }
    struct small s = plain;
    put_small(&g, &s);
    fx_u32(&g, "tokenizer.ggml.add_bos_token", 1);
    refuse(&g, TRIT_E_FILE, "add_bos_token");
}

/* Without "tokenizer.ggml.model" a key is missing, not a kind unsupported. */
static void kind_missing(void **state)
{
    struct small s = plain;
    struct fx_gguf g;
    (void)state;
    s.model = NULL;
    put_small(&g, &s);
    refuse(&g, TRIT_E_FILE, "tokenizer.ggml.model");
    fx_init(&g);
    fx_str(&g, "general.architecture", "llama");
    refuse(&g, TRIT_E_FILE, "tokenizer.ggml.model");
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

struct collected {
    char text[4096];
    size_t len;
    int n_calls, stop_at; /* 0: never */
};

/* Table 3-7 of the Unicode standard, by first byte: the number of bytes, and the range of the
 * second. */
static size_t table_3_7(unsigned char c, unsigned char *lo, unsigned char *hi)
{
    *lo = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    *hi = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    return c <= 0x7F ? 1 : c < 0xC2 ? 0 : c <= 0xDF ? 2 : c <= 0xEF ? 3 : c <= 0xF4 ? 4 : 0;
}

/* The length of the longest prefix of a well-formed sequence; *whole: whether it is complete. */
static size_t maximal_subpart(const unsigned char *p, size_t len, bool *whole)
{
    unsigned char lo, hi;
    const size_t n = table_3_7(p[0], &lo, &hi);
    size_t i = 1;

    *whole = n == 1;
    if (n < 2)
        return 1;
    if (i < len && p[i] >= lo && p[i] <= hi)
        for (i = 2; i < n && i < len && p[i] >= 0x80 && p[i] <= 0xBF;)
            i++;
    *whole = i == n;
    return i;
}

static bool is_valid(const char *text, size_t len)
{
    bool whole = true;
    for (size_t i = 0; i < len && whole;)
        i += maximal_subpart((const unsigned char *)text + i, len - i, &whole);
    return whole;
}

static void substitute(struct collected *out, const char *text, size_t len)
{
    out->len = 0;
    for (size_t i = 0; i < len;) {
        bool whole;
        const size_t n = maximal_subpart((const unsigned char *)text + i, len - i, &whole);
        assert_true(out->len + 3 < sizeof out->text);
        memcpy(out->text + out->len, whole ? text + i : "\xEF\xBF\xBD", whole ? n : 3);
        out->len += whole ? n : 3;
        i += n;
    }
}

static bool collect(void *user, const char *text, size_t len)
{
    struct collected *c = user;
    assert_true(len > 0);
    assert_true(is_valid(text, len)); /* whole characters only */
    assert_true(c->len + len <= sizeof c->text);
    memcpy(c->text + c->len, text, len);
    c->len += len;
    return ++c->n_calls != c->stop_at;
}

static void push_cut(struct collected *out, const char *text, size_t len, const size_t *cuts,
                     size_t n_cuts)
{
    struct trit_utf8 u = {.n = 0};
    size_t at = 0;

    *out = (struct collected){.len = 0};
    for (size_t i = 0; i <= n_cuts; i++) {
        const size_t end = i < n_cuts ? cuts[i] : len;
        assert_true(trit_utf8_push(&u, text + at, end - at, collect, out));
        at = end;
    }
    assert_true(trit_utf8_finish(&u, collect, out));
    assert_true(trit_utf8_finish(&u, collect, out)); /* nothing is incomplete */
}

static void same(const struct collected *a, const struct collected *b)
{
    assert_int_equal(a->len, b->len);
    if (a->len)
        assert_memory_equal(a->text, b->text, a->len);
}

/* As a whole, in two or three pieces, or byte by byte: the result is always that of the
 * standard. */
static void check_cuts(const char *text, size_t len)
{
    struct collected wanted, got;
    size_t every[512];

    substitute(&wanted, text, len);
    push_cut(&got, text, len, NULL, 0);
    same(&got, &wanted);
    for (size_t i = 0; i <= len; i++)
        for (size_t j = i; j <= len; j += len < 40 ? 1 : 37) {
            const size_t cuts[] = {i, j};
            push_cut(&got, text, len, cuts, 2);
            same(&got, &wanted);
        }
    assert_true(len <= 512);
    for (size_t i = 0; i < len; i++)
        every[i] = i;
    push_cut(&got, text, len, every, len);
    same(&got, &wanted);
}

static void utf8_whole_characters(void **state)
{
    static const char *const texts[] = {
        "",
        "plain",
        "na\xC3\xAFve",
        "\xE4\xBD\xA0\xE5\xA5\xBD",
        "\xF0\x9F\x98\x80!",
        "\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF", /* the first and last of each length */
        "\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
        "\xEF\xBB\xBF byte order mark",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct collected got;
        push_cut(&got, texts[i], strlen(texts[i]), NULL, 0);
        assert_int_equal(got.len, strlen(texts[i])); /* unchanged */
        assert_memory_equal(got.text, texts[i], got.len);
        check_cuts(texts[i], strlen(texts[i]));
    }
    check_cuts("a\0b", 3);
}

/* Section 3.9, tables 3-8 to 3-11, and some more; R is U+FFFD. */
static void utf8_maximal_subparts(void **state)
{
    static const struct {
        const char *bytes, *wanted;
    } cases[] = {
        {"\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64", "aRRRbRcRRd"},
        {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", "RRRRRRRRA"},
        {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", "RRRRRRRRA"},
        {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "RRRRRARRB"},
        {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "RRRRA"},
        {"\x80", "R"},
        {"\xC3", "R"},
        {"\xE2\x82", "R"},
        {"\xF0\x9F\x98", "R"},
        {"\xF5\x80\x80\x80", "RRRR"},
        {"\xC1\xBF", "RR"},
        {"\xFE\xFF", "RR"},
        {"\xE2\x82\xE2\x82\xAC", "R\xE2\x82\xAC"},
        {"\xC3\xC3\xA9", "R\xC3\xA9"},
        {"\xF0\x9F\x98z", "Rz"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collected wanted = {.len = 0}, got;
        for (const char *p = cases[i].wanted; *p; p++) {
            const bool r = *p == 'R';
            memcpy(wanted.text + wanted.len, r ? "\xEF\xBF\xBD" : p, r ? 3 : 1);
            wanted.len += r ? 3 : 1;
        }
        push_cut(&got, cases[i].bytes, strlen(cases[i].bytes), NULL, 0);
        same(&got, &wanted);
        check_cuts(cases[i].bytes, strlen(cases[i].bytes));
    }
}

static void utf8_anything(void **state)
{
    static const unsigned char edges[] = {'a',  0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                          0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEE,
                                          0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF, 0x00};
    uint64_t rng = 17;
    (void)state;
    for (int round = 0; round < 300; round++) {
        char text[30];
        const size_t len = (size_t)(fx_random(&rng) % (sizeof text + 1));
        for (size_t i = 0; i < len; i++)
            text[i] = (char)edges[fx_random(&rng) % sizeof edges];
        check_cuts(text, len);
    }
    for (int round = 0; round < 10; round++) { /* longer than any buffer inside */
        char text[512];
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = round % 2 ? (char)fx_random(&rng) : (char)(0x80 | fx_random(&rng));
        check_cuts(text, sizeof text);
    }
    char text[512];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "\xF0\x9F\x98\x80"[i % 4];
    check_cuts(text, sizeof text);
    check_cuts(text + 1, sizeof text - 1); /* every character late by one */
}

/* A character is held back until its last byte, then written as a whole. */
static void utf8_as_early_as_can_be(void **state)
{
    struct trit_utf8 u = {.n = 0};
    struct collected c = {.len = 0};
    (void)state;
    assert_true(trit_utf8_push(&u, "a\xF0", 2, collect, &c));
    assert_int_equal(c.len, 1);
    assert_true(trit_utf8_push(&u, "\x9F\x98", 2, collect, &c));
    assert_int_equal(c.len, 1);
    assert_true(trit_utf8_push(&u, "", 0, collect, &c));
    assert_int_equal(c.len, 1);
    assert_true(trit_utf8_push(&u, "\x80", 1, collect, &c));
    assert_int_equal(c.len, 5);
    assert_true(trit_utf8_push(&u, "\xE2\x82", 2, collect, &c));
    assert_true(trit_utf8_push(&u, "b", 1, collect, &c)); /* it can never be completed */
    assert_int_equal(c.len, 9);
    assert_memory_equal(c.text,
                        "a\xF0\x9F\x98\x80\xEF\xBF\xBD"
                        "b",
                        9);
    assert_true(trit_utf8_push(&u, "\xE2", 1, collect, &c));
    assert_true(trit_utf8_finish(&u, collect, &c));
    assert_int_equal(c.len, 12);
    assert_memory_equal(c.text + 9, "\xEF\xBF\xBD", 3);
}

static void utf8_stopped(void **state)
{
    struct trit_utf8 u = {.n = 0};
    struct collected c = {.stop_at = 1};
    (void)state;
    assert_false(trit_utf8_push(&u, "abc", 3, collect, &c));
    assert_int_equal(c.n_calls, 1);
    u = (struct trit_utf8){.n = 0};
    c = (struct collected){.stop_at = 1};
    assert_true(trit_utf8_push(&u, "\xC3", 1, collect, &c));
    assert_false(trit_utf8_finish(&u, collect, &c));
    char text[1000];
    memset(text, 'x', sizeof text);
    u = (struct trit_utf8){.n = 0};
    c = (struct collected){.stop_at = 2};
    assert_false(trit_utf8_push(&u, text, sizeof text, collect, &c));
    assert_int_equal(c.n_calls, 2); /* and is not called again */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(decoding),
    cmocka_unit_test(end_tokens),
    cmocka_unit_test(vocabularies_refused),
    cmocka_unit_test(arrays_that_contradict),
    cmocka_unit_test(keys_of_wrong_type),
    cmocka_unit_test(kind_missing),
    cmocka_unit_test(utf8_whole_characters),
    cmocka_unit_test(utf8_maximal_subparts),
    cmocka_unit_test(utf8_anything),
    cmocka_unit_test(utf8_as_early_as_can_be),
    cmocka_unit_test(utf8_stopped),
};

const struct suite suite = {SUITE_TESTS(tests)};
