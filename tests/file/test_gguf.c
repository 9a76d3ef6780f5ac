/* test_gguf.c - the GGUF reader: the contents of valid files, and the errors of invalid ones.
 *
 * Valid files come from fixture.h or are built here byte by byte. An invalid file is a valid one
 * with one thing wrong, so that the error can only be about that. An error must have the right
 * status, name what was found, and leave nothing open. The suite is also meant for the address
 * sanitizer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "gguf.h"
#include "suite.h"
#include "trit_tools.h"

/* ---- Helpers --------------------------------------------------------------------------------- */

static trit_file *open_good(const char *path)
{
    struct trit_error err = {TRIT_OK, ""};
    trit_file *f = NULL;
    const trit_status status = trit_file_open(&f, path, NULL, &err);
    if (status)
        fail_msg("%s is refused: %s", path, err.text);
    assert_non_null(f);
    return f;
}

static trit_file *open_gguf(struct fx_gguf *g)
{
    const char *path = fx_write_gguf("good.gguf", g);
    trit_file *f = open_good(path);
    remove(path); /* the mapping remains */
    fx_free(g);
    return f;
}

/* Opens bytes as a file, which is removed: on some file systems, overwriting an old file waits for
 * the disk, a hundred times slower than writing a new one. */
static trit_status open_bytes(trit_file **f, const void *bytes, size_t len, bool no_mmap,
                              struct trit_error *err)
{
    const struct trit_file_options opt = {.no_mmap = no_mmap};
    const char *path = fx_write("bytes.gguf", bytes, len);
    const trit_status status = trit_file_open(f, path, &opt, err);
    remove(path);
    return status;
}

static void refuse_path(const char *path, trit_status wanted, const char *part)
{
    struct trit_error err = {TRIT_OK, ""};
    trit_file *f = (trit_file *)&err; /* must be overwritten */
    const trit_status status = trit_file_open(&f, path, NULL, &err);
    if (status != wanted || err.code != wanted || f || !strstr(err.text, part) ||
        strchr(err.text, '\n'))
        fail_msg("expected status %d and '%s', got %d (code %d): %s", (int)wanted, part,
                 (int)status, (int)err.code, err.text);
    const struct trit_file_options read_it = {.no_mmap = true};
    assert_int_equal(trit_file_open(&f, path, &read_it, NULL), wanted);
    assert_null(f);
}

static void refuse_raw(const void *bytes, size_t len, trit_status wanted, const char *part)
{
    const char *path = fx_write("bad.gguf", bytes, len);
    refuse_path(path, wanted, part);
    remove(path);
}

static void refuse_bytes(struct fx_bytes *b, trit_status wanted, const char *part)
{
    refuse_raw(b->data, b->len, wanted, part);
    free(b->data);
    *b = (struct fx_bytes){0};
}

static void refuse(struct fx_gguf *g, trit_status wanted, const char *part)
{
    size_t len;
    uint8_t *image = fx_image(g, &len);
    refuse_raw(image, len, wanted, part);
    free(image);
    fx_free(g);
}

/* A refusal with TRIT_E_FILE whose text contains both parts. */
static void refuse_both(struct fx_gguf *g, const char *part, const char *other)
{
    size_t len;
    uint8_t *image = fx_image(g, &len);
    refuse_raw(image, len, TRIT_E_FILE, part);
    free(image);
    refuse(g, TRIT_E_FILE, other);
}

/* Magic, version, counts: the start of a file that a test completes by hand. */
static void put_header(struct fx_bytes *b, uint32_t version, uint64_t n_tensors, uint64_t n_kv)
{
    fx_put(b, "GGUF", 4);
    fx_put_u32(b, version);
    fx_put_u64(b, n_tensors);
    fx_put_u64(b, n_kv);
}

/* A key and the id of its type; the caller appends the value. */
static void put_key(struct fx_gguf *g, const char *key, uint32_t type)
{
    fx_put_string(&g->kv, key);
    fx_put_u32(&g->kv, type);
    g->n_kv++;
}

static void put_array(struct fx_gguf *g, const char *key, uint32_t item_type, uint64_t n)
{
    put_key(g, key, TRIT_VALUE_ARRAY);
    fx_put_u32(&g->kv, item_type);
    fx_put_u64(&g->kv, n);
}

/* One tensor record with every field as given, in a file that has data_bytes of data. */
static void put_record(struct fx_gguf *g, const char *name, uint32_t n_dims, const uint64_t *dims,
                       uint32_t type, uint64_t offset)
{
    fx_put_string(&g->infos, name);
    fx_put_u32(&g->infos, n_dims);
    for (uint32_t i = 0; i < n_dims; i++)
        fx_put_u64(&g->infos, dims[i]);
    fx_put_u32(&g->infos, type);
    fx_put_u64(&g->infos, offset);
    g->n_tensors++;
}

static void put_data(struct fx_gguf *g, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        const uint8_t byte = (uint8_t)(i * 7 + 1);
        fx_put(&g->data, &byte, 1);
    }
}

/* A small file with one of each kind of item, for truncation and flipped bytes. */
static void put_specimen(struct fx_gguf *g)
{
    static const char *const words[] = {"one", "", "three"};
    const int32_t ints[] = {1, -2, 3};
    const uint64_t vector[] = {8, 0}, matrix[] = {128, 2, 0}, blocks[] = {64, 0};
    uint8_t data[256];

    memset(data, 0x55, sizeof data);
    fx_init(g);
    fx_u32(g, "general.alignment", 32);
    fx_str(g, "general.architecture", "llama");
    fx_bool(g, "a.bool", true);
    fx_f32(g, "a.float", 0.25f);
    fx_str_array(g, "a.words", words, 3);
    fx_i32_array(g, "a.ints", ints, 3);
    put_array(g, "a.bools", TRIT_VALUE_BOOL, 2);
    fx_put(&g->kv, "\0\1", 2);
    fx_tensor(g, "vector", FX_F32, vector, data, 32);
    fx_tensor(g, "matrix", FX_I2_S, matrix, data, 64 + 32);
    fx_tensor(g, "blocks", FX_Q8_0, blocks, data, 2 * 34);
}

/* ---- Good files ------------------------------------------------------------------------------ */

/* The collected values of one entry. */
struct gathered {
    struct trit_value v[8];
    size_t n, stop_at; /* 0: never */
};

static bool gather(void *user, const struct trit_value *value)
{
    struct gathered *g = user;
    assert_true(g->n < 8);
    g->v[g->n++] = *value;
    return g->n != g->stop_at;
}

static struct gathered values_of(const trit_file *f, const char *key, trit_value_type type,
                                 trit_value_type item_type, uint64_t n)
{
    struct gathered g = {.n = 0};
    const size_t i = trit_file_find_metadata(f, key);

    assert_true(i < trit_file_n_metadata(f));
    const struct trit_metadata m = trit_file_metadata(f, i);
    assert_true(trit_string_is(m.key, key));
    assert_int_equal(m.type, type);
    assert_int_equal(m.item_type, item_type);
    assert_int_equal(m.n_items, n);
    trit_file_values(f, i, gather, &g);
    assert_int_equal(g.n, n);
    for (size_t k = 0; k < g.n; k++)
        assert_int_equal(g.v[k].type, item_type);
    return g;
}

static struct trit_value single(const trit_file *f, const char *key, trit_value_type type)
{
    return values_of(f, key, type, type, 1).v[0];
}

static void single_values(void **state)
{
    const uint8_t u8 = 250;
    const int8_t i8 = -5;
    const uint16_t u16 = 65535;
    const int16_t i16 = -300;
    const uint64_t u64 = 0x8000000000000001;
    const int64_t i64 = -0x4000000000000000;
    const double f64 = 1e300;
    struct fx_gguf g;
    (void)state;

    fx_init(&g);
    put_key(&g, "u8", TRIT_VALUE_U8), fx_put(&g.kv, &u8, sizeof u8);
    put_key(&g, "i8", TRIT_VALUE_I8), fx_put(&g.kv, &i8, sizeof i8);
    put_key(&g, "u16", TRIT_VALUE_U16), fx_put(&g.kv, &u16, sizeof u16);
    put_key(&g, "i16", TRIT_VALUE_I16), fx_put(&g.kv, &i16, sizeof i16);
    fx_u32(&g, "u32", 4000000000);
    fx_i32(&g, "i32", -7);
    fx_f32(&g, "f32", 1.5f);
    fx_bool(&g, "yes", true);
    fx_bool(&g, "no", false);
    put_key(&g, "u64", TRIT_VALUE_U64), fx_put(&g.kv, &u64, sizeof u64);
    put_key(&g, "i64", TRIT_VALUE_I64), fx_put(&g.kv, &i64, sizeof i64);
    put_key(&g, "f64", TRIT_VALUE_F64), fx_put(&g.kv, &f64, sizeof f64);
    put_key(&g, "string", TRIT_VALUE_STRING); /* strings may hold any bytes, NUL too */
    fx_put_u64(&g.kv, 4), fx_put(&g.kv, "a\0\xFFz", 4);
    fx_str(&g, "empty", "");
    trit_file *f = open_gguf(&g);

    assert_int_equal(trit_file_n_metadata(f), 14);
    assert_int_equal(single(f, "u8", TRIT_VALUE_U8).u, 250);
    assert_int_equal(single(f, "i8", TRIT_VALUE_I8).i, -5);
    assert_int_equal(single(f, "u16", TRIT_VALUE_U16).u, 65535);
    assert_int_equal(single(f, "i16", TRIT_VALUE_I16).i, -300);
    assert_int_equal(single(f, "u32", TRIT_VALUE_U32).u, 4000000000);
    assert_int_equal(single(f, "i32", TRIT_VALUE_I32).i, -7);
    assert_true(single(f, "f32", TRIT_VALUE_F32).f == 1.5);
    assert_int_equal(single(f, "yes", TRIT_VALUE_BOOL).u, 1);
    assert_int_equal(single(f, "no", TRIT_VALUE_BOOL).u, 0);
    assert_int_equal(single(f, "u64", TRIT_VALUE_U64).u, u64);
    assert_true(single(f, "i64", TRIT_VALUE_I64).i == i64);
    assert_true(single(f, "f64", TRIT_VALUE_F64).f == f64);
    const struct trit_string s = single(f, "string", TRIT_VALUE_STRING).s;
    assert_int_equal(s.len, 4);
    assert_memory_equal(s.bytes, "a\0\xFFz", 4);
    assert_int_equal(single(f, "empty", TRIT_VALUE_STRING).s.len, 0);
    trit_file_close(&f);
    assert_null(f);
}

/* An array of three items of each fixed-size type, with bytes 1, 2, 3, …; deliberately
 * unaligned. */
static void arrays(void **state)
{
    static const struct {
        const char *key;
        trit_value_type type;
        size_t bytes;
    } kinds[] = {
        {"au8", TRIT_VALUE_U8, 1},   {"ai8", TRIT_VALUE_I8, 1},   {"au16", TRIT_VALUE_U16, 2},
        {"ai16", TRIT_VALUE_I16, 2}, {"au32", TRIT_VALUE_U32, 4}, {"ai32", TRIT_VALUE_I32, 4},
        {"au64", TRIT_VALUE_U64, 8}, {"ai64", TRIT_VALUE_I64, 8},
    };
    static const char *const words[] = {"", "b", "cc"};
    const float floats[] = {0.5f, -2.0f};
    const double doubles[] = {1e-300, 3.0};
    struct fx_gguf g;
    (void)state;

    fx_init(&g);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        put_array(&g, kinds[i].key, kinds[i].type, 3);
        for (uint8_t k = 1; k <= 3; k++) {
            const uint8_t item[8] = {k};
            fx_put(&g.kv, item, kinds[i].bytes);
        }
    }
    put_array(&g, "af32", TRIT_VALUE_F32, 2), fx_put(&g.kv, floats, sizeof floats);
    put_array(&g, "af64", TRIT_VALUE_F64, 2), fx_put(&g.kv, doubles, sizeof doubles);
    put_array(&g, "abool", TRIT_VALUE_BOOL, 3), fx_put(&g.kv, "\1\0\1", 3);
    put_array(&g, "none", TRIT_VALUE_I32, 0);
    put_array(&g, "no words", TRIT_VALUE_STRING, 0);
    fx_str_array(&g, "words", words, 3);
    trit_file *f = open_gguf(&g);

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct gathered a = values_of(f, kinds[i].key, TRIT_VALUE_ARRAY, kinds[i].type, 3);
        for (size_t k = 0; k < 3; k++) /* the other member is 0 */
            assert_true(a.v[k].u + (uint64_t)a.v[k].i == k + 1);
    }
    assert_true(values_of(f, "af32", TRIT_VALUE_ARRAY, TRIT_VALUE_F32, 2).v[1].f == -2.0);
    assert_true(values_of(f, "af64", TRIT_VALUE_ARRAY, TRIT_VALUE_F64, 2).v[0].f == 1e-300);
    assert_int_equal(values_of(f, "abool", TRIT_VALUE_ARRAY, TRIT_VALUE_BOOL, 3).v[2].u, 1);
    values_of(f, "none", TRIT_VALUE_ARRAY, TRIT_VALUE_I32, 0);
    values_of(f, "no words", TRIT_VALUE_ARRAY, TRIT_VALUE_STRING, 0);
    struct gathered w = values_of(f, "words", TRIT_VALUE_ARRAY, TRIT_VALUE_STRING, 3);
    for (size_t k = 0; k < 3; k++)
        assert_true(trit_string_is(w.v[k].s, words[k]));
    w = (struct gathered){.stop_at = 2}; /* fn may stop the walk */
    trit_file_values(f, trit_file_find_metadata(f, "words"), gather, &w);
    assert_int_equal(w.n, 2);
    trit_file_close(&f);
}

static void versions_and_sizes(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 3; version++) {
        struct fx_gguf g;
        size_t len;
        put_specimen(&g);
        g.version = version;
        uint8_t *image = fx_image(&g, &len);
        trit_file *f = open_gguf(&g);
        assert_int_equal(trit_file_version(f), version);
        assert_int_equal(trit_file_size(f), len);
        assert_int_equal(trit_file_n_tensors(f), 3);
        free(image);
        trit_file_close(&f);
    }
}

static void alignments(void **state)
{
    static const uint32_t alignments[] = {8, 16, 32, 64, 4096};
    (void)state;
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        const uint64_t five[] = {5, 0};
        const float a[] = {1, 2, 3, 4, 5}, b[] = {6, 7, 8, 9, 10};
        struct fx_gguf g;

        fx_init(&g);
        g.alignment = alignments[i];
        fx_str(&g, "odd", "three");
        fx_tensor(&g, "a", FX_F32, five, a, sizeof a);
        fx_tensor(&g, "b", FX_F32, five, b, sizeof b);
        trit_file *f = open_gguf(&g);
        const struct trit_tensor_info ia = trit_file_tensor(f, 0), ib = trit_file_tensor(f, 1);
        assert_int_equal(ia.offset % alignments[i], 0);
        assert_int_equal(ib.offset % alignments[i], 0);
        assert_memory_equal(trit_gguf_data(f, trit_gguf_find_tensor(f, "a")), a, sizeof a);
        assert_memory_equal(trit_gguf_data(f, trit_gguf_find_tensor(f, "b")), b, sizeof b);
        assert_int_equal(ib.offset + sizeof b, trit_file_size(f));
        trit_file_close(&f);
    }
}

static void nothing_inside(void **state)
{
    struct fx_bytes b = {0};
    struct fx_gguf g;
    trit_file *f;
    (void)state;

    put_header(&b, 3, 0, 0); /* 24 bytes are a complete file */
    f = open_good(fx_write("none.gguf", b.data, b.len));
    free(b.data);
    assert_int_equal(trit_file_n_metadata(f), 0);
    assert_int_equal(trit_file_n_tensors(f), 0);
    assert_int_equal(trit_file_find_metadata(f, "x"), 0);
    assert_null(trit_gguf_find_tensor(f, "x"));
    trit_file_close(&f);

    fx_init(&g); /* a vocabulary-only file has no tensors */
    fx_str(&g, "tokenizer.ggml.model", "gpt2");
    f = open_gguf(&g);
    assert_int_equal(trit_file_n_tensors(f), 0);
    trit_file_close(&f);
    trit_file_close(&f); /* NULL is allowed */
}

static void lookups(void **state)
{
    enum { N = 100 };
    char name[32];
    struct fx_gguf g;
    (void)state;

    fx_init(&g);
    for (int i = 0; i < N; i++) { /* unsorted, with common prefixes */
        const uint64_t one[] = {1, 0};
        const float x = (float)i;
        snprintf(name, sizeof name, "k%.*s%d", i % 5, "aaaaa", i * 37 % N);
        fx_u32(&g, name, (uint32_t)i);
        fx_tensor(&g, name, FX_F32, one, &x, sizeof x);
    }
    trit_file *f = open_gguf(&g);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "k%.*s%d", i % 5, "aaaaa", i * 37 % N);
        assert_int_equal(trit_file_find_metadata(f, name), i);
        const struct gguf_tensor *t = trit_gguf_find_tensor(f, name);
        float x;
        assert_non_null(t);
        memcpy(&x, trit_gguf_data(f, t), sizeof x);
        assert_true(x == (float)i);
        assert_true(trit_string_is(trit_file_tensor(f, (size_t)i).name, name));
        name[strlen(name) - 1] = '\0'; /* a prefix is another name */
        strcat(name, "x");
        assert_int_equal(trit_file_find_metadata(f, name), N);
        assert_null(trit_gguf_find_tensor(f, name));
    }
    assert_int_equal(trit_file_find_metadata(f, ""), N);
    assert_int_equal(trit_file_find_metadata(f, "k"), N);
    trit_file_close(&f);
}

static void check_tensor(const trit_file *f, size_t i, const char *name, uint32_t type,
                         const char *type_name, uint32_t n_dims, const uint64_t dims[4],
                         uint64_t n_bytes)
{
    const struct trit_tensor_info t = trit_file_tensor(f, i);
    assert_true(trit_string_is(t.name, name));
    assert_int_equal(t.type, type);
    assert_string_equal(t.type_name, type_name);
    assert_int_equal(t.n_dims, n_dims);
    for (int d = 0; d < 4; d++)
        assert_int_equal(t.dims[d], dims[d]);
    assert_int_equal(t.n_bytes, n_bytes);
    assert_true(t.offset + t.n_bytes <= trit_file_size(f));
}

static void tensors(void **state)
{
    const uint64_t d1[] = {5, 0}, d2[] = {256, 3, 0}, d3[] = {32, 2, 2, 0}, d4[] = {2, 3, 4, 5, 0};
    uint8_t data[1024] = {0};
    struct fx_gguf g;
    (void)state;

    fx_init(&g);
    fx_tensor(&g, "one", FX_F32, d1, data, 20);
    fx_tensor(&g, "two", FX_TQ2_0, d2, data, 3 * 66);
    fx_tensor(&g, "three", FX_Q8_0, d3, data, 4 * 34);
    fx_tensor(&g, "four", FX_BF16, d4, data, 240);
    fx_tensor(&g, "i2s", FX_I2_S, d2, data, 192 + 32);
    fx_tensor(&g, "tq1", FX_TQ1_0, d2, data, 3 * 54);
    fx_tensor(&g, "later", 999, d2, data, 7); /* an unknown id: no size to check */
    trit_file *f = open_gguf(&g);
    check_tensor(f, 0, "one", FX_F32, "F32", 1, (uint64_t[]){5, 1, 1, 1}, 20);
    check_tensor(f, 1, "two", FX_TQ2_0, "TQ2_0", 2, (uint64_t[]){256, 3, 1, 1}, 198);
    check_tensor(f, 2, "three", FX_Q8_0, "Q8_0", 3, (uint64_t[]){32, 2, 2, 1}, 136);
    check_tensor(f, 3, "four", FX_BF16, "BF16", 4, (uint64_t[]){2, 3, 4, 5}, 240);
    check_tensor(f, 4, "i2s", FX_I2_S, "I2_S", 2, (uint64_t[]){256, 3, 1, 1}, 224);
    check_tensor(f, 5, "tq1", FX_TQ1_0, "TQ1_0", 2, (uint64_t[]){256, 3, 1, 1}, 162);
    check_tensor(f, 6, "later", 999, "?", 2, (uint64_t[]){256, 3, 1, 1}, 0);
    trit_file_close(&f);
}

static void reading_instead_of_mapping(void **state)
{
    const struct trit_file_options read_it = {.no_mmap = true};
    struct fx_gguf g;
    trit_file *a, *b = NULL;
    (void)state;

    put_specimen(&g);
    const char *path = fx_write_gguf("both.gguf", &g);
    fx_free(&g);
    a = open_good(path);
    assert_int_equal(trit_file_open(&b, path, &read_it, NULL), TRIT_OK);
    assert_int_equal(trit_file_size(a), trit_file_size(b));
    assert_int_equal(trit_file_n_metadata(a), trit_file_n_metadata(b));
    for (size_t i = 0; i < trit_file_n_tensors(a); i++)
        assert_int_equal(trit_file_tensor(a, i).offset, trit_file_tensor(b, i).offset);
    assert_memory_equal(a->bytes.data, b->bytes.data, a->bytes.size);
    trit_file_close(&b);

    /* a file in memory is not copied and remains the caller's */
    const struct trit_file_options borrow = {.bytes = a->bytes.data, .n_bytes = a->bytes.size};
    const struct trit_file_options part = {.bytes = a->bytes.data, .n_bytes = a->bytes.size - 1};
    const struct trit_file_options none = {.bytes = a->bytes.data, .n_bytes = 0};
    struct trit_error err;
    assert_int_equal(trit_file_open(&b, "a name", &borrow, &err), TRIT_OK);
    assert_ptr_equal(b->bytes.data, a->bytes.data);
    assert_int_equal(trit_file_n_tensors(a), trit_file_n_tensors(b));
    trit_file_close(&b);
    assert_int_equal(trit_file_open(&b, "a name", &part, &err), TRIT_E_FILE);
    assert_non_null(strstr(err.text, "a name "));
    assert_int_equal(trit_file_open(&b, "a name", &none, &err), TRIT_E_FILE);
    trit_file_close(&a);
}

/* An integer of any width is accepted if its value fits; other types are not. */
static void typed_getters(void **state)
{
    struct fx_gguf g;
    const uint64_t fits = UINT32_MAX, too_large = (uint64_t)UINT32_MAX + 1;
    const int64_t negative = -1;
    uint32_t u = 42;
    double x = 42;
    bool yes = false;
    struct trit_string s = {"kept", 4};
    const struct gguf_kv *array;
    (void)state;

    fx_init(&g);
    put_key(&g, "u8", TRIT_VALUE_U8), fx_put(&g.kv, "\x07", 1);
    put_key(&g, "fits", TRIT_VALUE_U64), fx_put(&g.kv, &fits, sizeof fits);
    put_key(&g, "too large", TRIT_VALUE_U64), fx_put(&g.kv, &too_large, sizeof too_large);
    put_key(&g, "negative", TRIT_VALUE_I64), fx_put(&g.kv, &negative, sizeof negative);
    fx_i32(&g, "i32", 9);
    fx_f32(&g, "f32", 0.5f);
    fx_bool(&g, "bool", true);
    fx_str(&g, "text", "t");
    put_array(&g, "ints", TRIT_VALUE_I32, 0);
    trit_file *f = open_gguf(&g);

    assert_int_equal(trit_gguf_get_u32(f, "absent", &u, NULL), TRIT_OK);
    assert_int_equal(u, 42);
    assert_int_equal(trit_gguf_get_u32(f, "u8", &u, NULL), TRIT_OK);
    assert_int_equal(u, 7);
    assert_int_equal(trit_gguf_get_u32(f, "fits", &u, NULL), TRIT_OK);
    assert_int_equal(u, UINT32_MAX);
    assert_int_equal(trit_gguf_get_u32(f, "i32", &u, NULL), TRIT_OK);
    assert_int_equal(u, 9);
    static const char *const no_u32[] = {"too large", "negative", "f32", "bool", "text", "ints"};
    for (size_t i = 0; i < sizeof no_u32 / sizeof *no_u32; i++) {
        struct trit_error err;
        assert_int_equal(trit_gguf_get_u32(f, no_u32[i], &u, &err), TRIT_E_FILE);
        assert_non_null(strstr(err.text, no_u32[i]));
    }
    assert_int_equal(trit_gguf_get_f64(f, "absent", &x, NULL), TRIT_OK);
    assert_true(x == 42);
    assert_int_equal(trit_gguf_get_f64(f, "f32", &x, NULL), TRIT_OK);
    assert_true(x == 0.5);
    assert_int_equal(trit_gguf_get_f64(f, "text", &x, NULL), TRIT_E_FILE);
    assert_int_equal(trit_gguf_get_bool(f, "bool", &yes, NULL), TRIT_OK);
    assert_true(yes);
    assert_int_equal(trit_gguf_get_bool(f, "u8", &yes, NULL), TRIT_E_FILE);
    assert_int_equal(trit_gguf_get_string(f, "absent", &s, NULL), TRIT_OK);
    assert_true(trit_string_is(s, "kept"));
    assert_int_equal(trit_gguf_get_string(f, "text", &s, NULL), TRIT_OK);
    assert_true(trit_string_is(s, "t"));
    assert_int_equal(trit_gguf_get_string(f, "ints", &s, NULL), TRIT_E_FILE);
    assert_int_equal(trit_gguf_get_array(f, "absent", TRIT_VALUE_I32, &array, NULL), TRIT_OK);
    assert_null(array);
    assert_int_equal(trit_gguf_get_array(f, "ints", TRIT_VALUE_I32, &array, NULL), TRIT_OK);
    assert_non_null(array);
    assert_int_equal(trit_gguf_get_array(f, "ints", TRIT_VALUE_STRING, &array, NULL), TRIT_E_FILE);
    assert_int_equal(trit_gguf_get_array(f, "text", TRIT_VALUE_STRING, &array, NULL), TRIT_E_FILE);
    trit_file_close(&f);
}

static void same_offset_of_unknown_types(void **state)
{
    const uint64_t dims[] = {16};
    struct fx_gguf g;
    (void)state;

    fx_init(&g); /* unknown sizes cannot be checked */
    put_record(&g, "a", 1, dims, 998, 0);
    put_record(&g, "b", 1, dims, 999, 0);
    put_data(&g, 32);
    trit_file *f = open_gguf(&g);
    assert_int_equal(trit_file_tensor(f, 0).offset, trit_file_tensor(f, 1).offset);
    trit_file_close(&f);
}

/* ---- No GGUF at all -------------------------------------------------------------------------- */

static void not_a_gguf(void **state)
{
    static const char text[] = "Once upon a time there was a file that was only text.\n";
    (void)state;
    refuse_path("there-is-no-such-file.gguf", TRIT_E_FILE, "there-is-no-such-file.gguf");
    refuse_path(".", TRIT_E_FILE, "not a regular file");
    refuse_raw("", 0, TRIT_E_FILE, "empty");
    refuse_raw(text, sizeof text - 1, TRIT_E_FILE, "not a GGUF");
    refuse_raw("G", 1, TRIT_E_FILE, "not a GGUF");
    refuse_raw("GGUF", 4, TRIT_E_FILE, "ends early");
    refuse_raw("FUGG\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, TRIT_E_FILE, "not a GGUF");
    refuse_raw("ggjt\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, TRIT_E_FILE, "not a GGUF");
}

static void other_versions(void **state)
{
    static const struct {
        uint32_t version;
        const char *part;
    } cases[] = {
        {0, "version 0"},           {1, "version 1"},           {4, "version 4"},
        {0x03000000, "big-endian"}, {0x02000000, "big-endian"}, {0x10003, "version 65539"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fx_gguf g;
        put_specimen(&g);
        g.version = cases[i].version;
        refuse(&g, TRIT_E_UNSUPPORTED, cases[i].part);
    }
}

static void split_files(void **state)
{
    struct fx_gguf g;
    (void)state;
    for (uint32_t n = 0; n < 2; n++) {
        put_specimen(&g);
        fx_u32(&g, "split.count", n);
        trit_file *f = open_gguf(&g);
        trit_file_close(&f);
    }
    put_specimen(&g);
    fx_u32(&g, "split.count", 3);
    refuse(&g, TRIT_E_UNSUPPORTED, "3 parts");
    put_specimen(&g);
    fx_str(&g, "split.count", "3");
    refuse(&g, TRIT_E_FILE, "split.count");
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static void truncated_anywhere(void **state)
{
    struct fx_gguf g;
    size_t len;
    (void)state;

    put_specimen(&g);
    uint8_t *image = fx_image(&g, &len);
    fx_free(&g);
    for (size_t n = 0; n < len; n++) {
        struct trit_error err;
        trit_file *f;
        if (open_bytes(&f, image, n, false, &err) != TRIT_E_FILE)
            fail_msg("the first %zu of %zu bytes give status %d", n, len, (int)err.code);
        assert_null(f);
    }
    free(image);
}

/* The same for a whole model: every byte that is parsed, and a sample of the data. */
static void truncated_model(void **state)
{
    const struct fx_model *m = fx_model("whole.gguf", &fx_default);
    trit_file *f = open_good(m->path);
    const size_t len = (size_t)trit_file_size(f), data = (size_t)trit_file_tensor(f, 0).offset;
    uint8_t *image = malloc(len);
    uint64_t rng = 7;
    (void)state;

    assert_non_null(image);
    memcpy(image, f->bytes.data, len);
    trit_file_close(&f);
    assert_true(data < len);
    for (size_t n = 1; n < len; n += n < data ? 1 : (size_t)(fx_random(&rng) % (len / 64) + 1)) {
        struct trit_error err;
        if (open_bytes(&f, image, n, false, &err) != TRIT_E_FILE)
            fail_msg("the first %zu of %zu bytes give status %d", n, len, (int)err.code);
    }
    assert_int_equal(open_bytes(&f, image, len - 1, false, NULL), TRIT_E_FILE);
    free(image);
}

static bool sum_values(void *user, const struct trit_value *v)
{
    uint64_t *sum = user;
    *sum += v->u + (uint64_t)v->i;
    for (size_t i = 0; i < v->s.len; i++)
        *sum += (unsigned char)v->s.bytes[i];
    return true;
}

/* Reads everything that an open file offers. */
static uint64_t read_everything(const trit_file *f)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < trit_file_n_metadata(f); i++)
        trit_file_values(f, i, sum_values, &sum);
    for (size_t i = 0; i < trit_file_n_tensors(f); i++) {
        const struct trit_tensor_info t = trit_file_tensor(f, i);
        assert_true(t.offset <= trit_file_size(f));
        assert_true(t.n_bytes <= trit_file_size(f) - t.offset);
        for (uint64_t k = 0; k < t.n_bytes; k++)
            sum += f->bytes.data[t.offset + k];
    }
    return sum;
}

static void flipped_bytes(void **state)
{
    static const uint8_t masks[] = {0x01, 0x02, 0x40, 0x80, 0xFF};
    struct fx_gguf g;
    size_t len, opened = 0;
    uint64_t sum = 0;
    (void)state;

    put_specimen(&g);
    uint8_t *image = fx_image(&g, &len);
    fx_free(&g);
    for (size_t i = 0; i < len; i++)
        for (size_t m = 0; m < sizeof masks; m++) {
            struct trit_error err;
            trit_file *f;
            image[i] ^= masks[m];
            /* read instead of mapped, so that ASan detects reads past the end */
            const trit_status status = open_bytes(&f, image, len, true, &err);
            assert_true(status == TRIT_OK || status == TRIT_E_FILE || status == TRIT_E_UNSUPPORTED);
            assert_true((status == TRIT_OK) == (f != NULL));
            if (f) {
                opened++;
                sum += read_everything(f);
            }
            trit_file_close(&f);
            image[i] ^= masks[m];
        }
    assert_true(opened > 0 && sum > 0);
    free(image);
}

/* ---- Hostile numbers ------------------------------------------------------------------------- */

static const uint64_t huge[] = {
    65537, (uint64_t)1 << 31, (uint64_t)1 << 32, (uint64_t)1 << 61, (uint64_t)1 << 63, UINT64_MAX};
enum { N_HUGE = sizeof huge / sizeof *huge };

static void hostile_counts(void **state)
{
    (void)state;
    for (int i = 0; i < N_HUGE; i++) {
        char number[32];
        struct fx_bytes b = {0};
        snprintf(number, sizeof number, "%llu", (unsigned long long)huge[i]);
        put_header(&b, 3, 0, huge[i]);
        put_header(&b, 3, 0, 0);
        refuse_bytes(&b, TRIT_E_FILE, number);
        put_header(&b, 3, huge[i], 0);
        put_header(&b, 3, 0, 0);
        refuse_bytes(&b, TRIT_E_FILE, number);
        put_header(&b, 3, huge[i], huge[i]);
        refuse_bytes(&b, TRIT_E_FILE, number);
    }
    struct fx_bytes b = {0}; /* small, but past the end of the file */
    put_header(&b, 3, 0, 1);
    refuse_bytes(&b, TRIT_E_FILE, "1 metadata");
    put_header(&b, 3, 1, 0);
    refuse_bytes(&b, TRIT_E_FILE, "1 tensors");
}

static void hostile_lengths(void **state)
{
    static const char zeros[64];
    (void)state;
    for (int i = 0; i < N_HUGE; i++) {
        struct fx_bytes b = {0};
        struct fx_gguf g;

        put_header(&b, 3, 0, 1); /* of a key */
        fx_put_u64(&b, huge[i]);
        fx_put(&b, zeros, sizeof zeros);
        refuse_bytes(&b, TRIT_E_FILE, "metadata");
        put_header(&b, 3, 1, 0); /* of a tensor's name */
        fx_put_u64(&b, huge[i]);
        fx_put(&b, zeros, sizeof zeros);
        refuse_bytes(&b, TRIT_E_FILE, "tensors");

        fx_init(&g); /* of a string */
        put_key(&g, "the.key", TRIT_VALUE_STRING);
        fx_put_u64(&g.kv, huge[i]);
        fx_put(&g.kv, zeros, sizeof zeros);
        refuse(&g, TRIT_E_FILE, "the.key");
        fx_init(&g); /* of a string in an array */
        put_array(&g, "the.key", TRIT_VALUE_STRING, 2);
        fx_put_string(&g.kv, "fine");
        fx_put_u64(&g.kv, huge[i]);
        fx_put(&g.kv, zeros, sizeof zeros);
        refuse(&g, TRIT_E_FILE, "the.key");
        for (uint32_t type = 0; type < TRIT_N_VALUE_TYPES; type++) { /* of an array */
            if (type == TRIT_VALUE_ARRAY)
                continue;
            fx_init(&g);
            put_array(&g, "the.key", type, huge[i]);
            fx_put(&g.kv, zeros, sizeof zeros);
            refuse(&g, TRIT_E_FILE, "the.key");
        }
    }
}

static void wrong_value_types(void **state)
{
    static const uint32_t types[] = {13, 14, 255, 0x80000000, UINT32_MAX};
    struct fx_gguf g;
    (void)state;

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        fx_init(&g);
        put_key(&g, "the.key", types[i]);
        fx_put_u64(&g.kv, 0);
        refuse(&g, TRIT_E_FILE, "the.key");
        fx_init(&g);
        put_array(&g, "the.key", types[i], 1);
        fx_put_u64(&g.kv, 0);
        refuse(&g, TRIT_E_FILE, "the.key");
    }
    fx_init(&g); /* an array of arrays: valid by the specification, but ggml refuses it too */
    put_array(&g, "nested", TRIT_VALUE_ARRAY, 1);
    fx_put_u32(&g.kv, TRIT_VALUE_U8), fx_put_u64(&g.kv, 1), fx_put(&g.kv, "\1", 1);
    refuse(&g, TRIT_E_FILE, "nested");
    for (uint8_t bad = 2; bad; bad = (uint8_t)(bad << 1)) {
        fx_init(&g);
        put_key(&g, "a.bool", TRIT_VALUE_BOOL), fx_put(&g.kv, &bad, 1);
        refuse(&g, TRIT_E_FILE, "a.bool");
        fx_init(&g);
        put_array(&g, "bools", TRIT_VALUE_BOOL, 3);
        fx_put(&g.kv, "\0\1", 2), fx_put(&g.kv, &bad, 1);
        refuse(&g, TRIT_E_FILE, "bools");
    }
}

/* ---- Names ----------------------------------------------------------------------------------- */

static void bad_keys(void **state)
{
    struct fx_gguf g;
    char *name = malloc(65537);
    (void)state;

    fx_init(&g);
    fx_u32(&g, "", 1);
    refuse(&g, TRIT_E_FILE, "key of 0 bytes");
    put_specimen(&g);
    fx_u32(&g, "a.bool", 1);
    refuse(&g, TRIT_E_FILE, "'a.bool' occurs twice");
    assert_non_null(name);
    memset(name, 'k', 65536);
    name[65536] = '\0';
    fx_init(&g);
    fx_u32(&g, name, 1);
    refuse(&g, TRIT_E_FILE, "65536");
    name[65535] = '\0'; /* the longest allowed */
    fx_init(&g);
    fx_u32(&g, name, 1);
    trit_file *f = open_gguf(&g);
    assert_int_equal(trit_file_find_metadata(f, name), 0);
    trit_file_close(&f);
    free(name);
}

static void bad_names(void **state)
{
    const uint64_t one[] = {1, 0};
    const float x = 1;
    char name[65];
    struct fx_gguf g;
    (void)state;

    fx_init(&g);
    fx_tensor(&g, "", FX_F32, one, &x, sizeof x);
    refuse(&g, TRIT_E_FILE, "name of 0 bytes");
    put_specimen(&g);
    fx_tensor(&g, "vector", FX_F32, one, &x, sizeof x);
    refuse(&g, TRIT_E_FILE, "'vector' occurs twice");
    memset(name, 'n', 64);
    name[64] = '\0';
    fx_init(&g);
    fx_tensor(&g, name, FX_F32, one, &x, sizeof x);
    refuse(&g, TRIT_E_FILE, "name of 64 bytes");
    name[63] = '\0';
    fx_init(&g);
    fx_tensor(&g, name, FX_F32, one, &x, sizeof x);
    trit_file *f = open_gguf(&g);
    assert_non_null(trit_gguf_find_tensor(f, name));
    trit_file_close(&f);
}

/* Names come from the file, so a message must not send their control characters to a terminal. */
static void names_are_escaped(void **state)
{
    const uint64_t dims[] = {0};
    struct fx_gguf g;
    struct trit_error err;
    trit_file *f;
    (void)state;

    fx_init(&g);
    put_record(&g, "\x1b[31mred\n\xC3\xA9", 1, dims, FX_F32, 0);
    put_data(&g, 32);
    const char *path = fx_write_gguf("bad.gguf", &g);
    fx_free(&g);
    assert_int_equal(trit_file_open(&f, path, NULL, &err), TRIT_E_FILE);
    for (const char *p = err.text; *p; p++)
        assert_true((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
    assert_non_null(strstr(err.text, "red"));
}

/* ---- Shapes and places ----------------------------------------------------------------------- */

struct record_case {
    uint32_t n_dims;
    uint64_t dims[5];
    uint32_t type;
    uint64_t offset;
    const char *part;
};

static void bad_records(void **state)
{
    const uint64_t two32 = (uint64_t)1 << 32, two63 = (uint64_t)1 << 63;
    const struct record_case cases[] = {
        {0, {0}, FX_F32, 0, "0 dimensions"},
        {5, {1, 1, 1, 1, 1}, FX_F32, 0, "5 dimensions"},
        {UINT32_MAX, {1}, FX_F32, 0, "4294967295 dimensions"},
        {1, {0}, FX_F32, 0, "shape"},
        {2, {8, 0}, FX_F32, 0, "shape"},
        {2, {0, 8}, FX_F32, 0, "shape"},
        {4, {1, 1, 1, 0}, FX_F32, 0, "shape"},
        {1, {two63}, FX_F32, 0, "shape"},
        {2, {two32, two32}, FX_F32, 0, "shape"},
        {3, {two32, two32 - 1, 2}, FX_F32, 0, "shape"},
        {4, {two32 / 2, two32 / 2, 2, 2}, FX_F32, 0, "shape"},
        {2, {UINT64_MAX, 2}, FX_F32, 0, "shape"},
        {1, {two63 - 1}, FX_F32, 0, ""},        /* the number of bytes does not fit */
        {2, {two32, two32 / 4}, FX_F32, 0, ""}, /* 2^64 bytes */
        {1, {two63 / 2}, FX_F16, 0, ""},
        {1, {9}, FX_F32, 0, "needs 36 bytes"}, /* the file has 32 */
        {1, {8}, FX_F32, 1, "aligned"},
        {1, {2}, FX_F32, 8, "aligned"},
        {1, {8}, FX_F32, 32, "ends early"},
        {1, {8}, FX_F32, 64, "ends early"},
        {1, {8}, FX_F32, two63, "ends early"},
        {1, {8}, FX_F32, UINT64_MAX - 31, "ends early"},
        {1, {8}, 999, 64, "ends early"}, /* of unknown size, but it must begin inside the file */
        {1, {8}, FX_Q8_0, 0, "multiple"},
        {2, {48, 2}, FX_Q8_0, 0, "multiple"}, /* three blocks, but none within a row */
        {1, {128}, FX_TQ2_0, 0, "multiple"},
        {1, {255}, FX_TQ1_0, 0, "multiple"},
        {1, {6}, FX_I2_S, 0, "multiple"},
        {1, {128}, FX_I2_S, 0, "needs 64 bytes"}, /* the tail of 32 counts */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct record_case *c = &cases[i];
        struct fx_gguf g;

        fx_init(&g);
        if (c->n_dims <= 5) {
            put_record(&g, "the.tensor", c->n_dims, c->dims, c->type, c->offset);
        } else {
            put_record(&g, "the.tensor", 1, c->dims, c->type, c->offset);
            memcpy(g.infos.data + 8 + 10, &c->n_dims, sizeof c->n_dims);
        }
        put_data(&g, 32);
        refuse_both(&g, "the.tensor", c->part);
    }
}

static void overlaps(void **state)
{
    const uint64_t sixteen[] = {16}, eight[] = {8};
    struct fx_gguf g;
    trit_file *f;
    (void)state;

    fx_init(&g);
    put_record(&g, "late", 1, eight, FX_F32, 32); /* the order in the file does not matter */
    put_record(&g, "early", 1, sixteen, FX_F32, 0);
    put_data(&g, 96);
    refuse_both(&g, "early", "late");

    fx_init(&g);
    put_record(&g, "same", 1, eight, FX_F32, 32);
    put_record(&g, "place", 1, eight, FX_F32, 32);
    put_data(&g, 64);
    refuse(&g, TRIT_E_FILE, "overlap");

    fx_init(&g); /* side by side, out of order, and with a hole: fine */
    put_record(&g, "c", 1, eight, FX_F32, 128);
    put_record(&g, "b", 1, eight, FX_F32, 64);
    put_record(&g, "a", 1, sixteen, FX_F32, 0);
    put_data(&g, 160);
    f = open_gguf(&g);
    assert_int_equal(trit_gguf_find_tensor(f, "a")->span, 64);
    assert_int_equal(trit_gguf_find_tensor(f, "b")->span, 64);
    assert_int_equal(trit_gguf_find_tensor(f, "c")->span, 32);
    trit_file_close(&f);
}

static void bad_alignments(void **state)
{
    static const uint32_t bad[] = {0, 1, 3, 12, 24, 33, 48, 0x80000000, UINT32_MAX};
    struct fx_gguf g;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fx_init(&g);
        fx_u32(&g, "general.alignment", bad[i]);
        refuse(&g, TRIT_E_FILE, "general.alignment");
    }
    fx_init(&g);
    fx_str(&g, "general.alignment", "32");
    refuse(&g, TRIT_E_FILE, "general.alignment");
    const uint64_t eight[] = {8, 0}; /* aligned to the default, not to the file's alignment */
    const float x[8] = {0};
    fx_init(&g);
    fx_u32(&g, "general.alignment", 64);
    fx_tensor(&g, "a", FX_F32, eight, x, sizeof x);
    fx_tensor(&g, "b", FX_F32, eight, x, sizeof x);
    put_data(&g, 256);
    refuse(&g, TRIT_E_FILE, "'b' is not aligned");
}

/* A cut right after the infos leaves no room for the padding before the data. */
static void no_room_for_padding(void **state)
{
    const uint64_t dims[] = {8};
    struct fx_gguf g;
    size_t len;
    (void)state;

    fx_init(&g);
    put_record(&g, "odd name.", 1, dims, 999, 0);
    uint8_t *image = fx_image(&g, &len);
    fx_free(&g);
    const size_t infos_end = 24 + 8 + 9 + 4 + 8 + 4 + 8;
    assert_true(infos_end % 32 && infos_end < len);
    refuse_raw(image, infos_end, TRIT_E_FILE, "ends early");
    free(image);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(single_values),
    cmocka_unit_test(arrays),
    cmocka_unit_test(versions_and_sizes),
    cmocka_unit_test(alignments),
    cmocka_unit_test(nothing_inside),
    cmocka_unit_test(lookups),
    cmocka_unit_test(tensors),
    cmocka_unit_test(reading_instead_of_mapping),
    cmocka_unit_test(typed_getters),
    cmocka_unit_test(same_offset_of_unknown_types),
    cmocka_unit_test(not_a_gguf),
    cmocka_unit_test(other_versions),
    cmocka_unit_test(split_files),
    cmocka_unit_test(truncated_anywhere),
    cmocka_unit_test(truncated_model),
    cmocka_unit_test(flipped_bytes),
    cmocka_unit_test(hostile_counts),
    cmocka_unit_test(hostile_lengths),
    cmocka_unit_test(wrong_value_types),
    cmocka_unit_test(bad_keys),
    cmocka_unit_test(bad_names),
    cmocka_unit_test(names_are_escaped),
    cmocka_unit_test(bad_records),
    cmocka_unit_test(overlaps),
    cmocka_unit_test(bad_alignments),
    cmocka_unit_test(no_room_for_padding),
};

const struct suite suite = {SUITE_TESTS(tests)};
