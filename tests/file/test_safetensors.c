/* test_safetensors.c - the reader of checkpoints: the contents of valid ones, and the exact error
 * message of each invalid one.
 *
 * Files are mapped. Under the address sanitizer a mapping ends at the end of its file. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"
#include "safe_writer.h"
#include "weights.h"
#include "shared.h"
#include "suite.h"

#define SINGLE "model.safetensors"
#define INDEX "model.safetensors.index.json"

/* ---- Helpers --------------------------------------------------------------------------------- */

/* A new, empty folder; the path lives until exit. */
static const char *new_folder(char name[16])
{
    static int n;
    snprintf(name, 16, "f%d", n++);
    return fx_folder(name);
}

static const char *put(const char *folder, const char *name, const void *data, size_t n)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fx_write(path, data, n);
}

static const char *put_text(const char *folder, const char *name, const char *text)
{
    return put(folder, name, text, strlen(text));
}

static struct trit_weights open_good(const char *dir)
{
    struct trit_weights s;
    struct trit_error err = {.text = "?"};
    if (trit_weights_open(&s, dir, &err))
        fail_msg("%s is refused: %s", dir, err.text);
    return s;
}

static void refuse(const char *dir, trit_status wanted, const char *message)
{
    struct trit_error err = {.text = "?"};
    struct trit_weights s;

    memset(&s, 0x5a, sizeof s); /* must be overwritten */
    const trit_status status = trit_weights_open(&s, dir, &err);
    if (status != wanted || err.code != wanted || strcmp(err.text, message) != 0)
        fail_msg("expected status %d, '%s'; got %d (code %d), '%s'", (int)wanted, message,
                 (int)status, (int)err.code, err.text);
    assert_true(s.n == 0 && s.n_files == 0 && !s.tensors && !s.files);
    trit_weights_close(&s);
    assert_int_equal(trit_weights_open(&s, dir, NULL), wanted);
}

/* A message that begins with its file's path: "PATH is …", "PATH has …" or "PATH: …". */
static void refuse_file(const char *dir, trit_status wanted, const char *path, const char *rest)
{
    static const char *const verbs[] = {"is ", "has ", "must ", "ends "};
    const char *colon = ":";
    char message[512];

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strncmp(rest, verbs[i], strlen(verbs[i])) == 0)
            colon = "";
    snprintf(message, sizeof message, "%s%s %s", path, colon, rest);
    refuse(dir, wanted, message);
}

/* The only file in the folder has these bytes. */
static void refuse_bytes(const void *data, size_t n, const char *rest)
{
    const char *dir = fx_folder("bytes"), *path = put("bytes", SINGLE, data, n);
    refuse_file(dir, TRIT_E_FILE, path, rest);
    remove(path);
}

/* The only file in the folder has this header and that many bytes of data. */
static void refuse_header(const char *header, size_t n_data, trit_status wanted, const char *rest)
{
    static const uint8_t zeros[64];
    size_t len;
    uint8_t *image = sw_image_of(header, zeros, n_data, &len);
    const char *dir = fx_folder("header"), *path = put("header", SINGLE, image, len);

    assert_true(n_data <= sizeof zeros);
    refuse_file(dir, wanted, path, rest);
    remove(path);
    free(image);
}

/* Reads every byte of every tensor, and checks the reader's promises for each. */
static uint64_t read_everything(const struct trit_weights *s)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct trit_weight *t = &s->tensors[i];
        assert_true(t->n_dims <= TRIT_WEIGHT_MAX_DIMS && t->file < s->n_files);
        assert_true(i == 0 || trit_string_order(s->tensors[i - 1].name, t->name) < 0);
        for (uint64_t k = 0; k < t->n_bytes; k++)
            sum += t->data[k] + 1u;
        sum += t->name.len + strlen(trit_weights_path(s, t)) + strlen(trit_weights_shape(t).text);
    }
    return sum;
}

/* Five tensors, one of them empty, with data 0, 1, 2, … */
static struct sw_file specimen(void)
{
    static const uint64_t matrix[] = {2, 3}, vector[] = {5}, none[] = {4, 0};
    uint8_t bytes[64];
    struct sw_file f = {.metadata = "{\"format\":\"pt\"}"};

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    sw_add(&f, "model.norm", "BF16", 2, matrix, bytes, 12);
    sw_add(&f, "model.embed", "U8", 1, vector, bytes + 12, 5);
    sw_add(&f, "empty", "F32", 2, none, bytes, 0);
    sw_add(&f, "scale", "F32", 0, NULL, bytes + 17, 4);
    sw_add(&f, "a.b", "F16", 2, matrix, bytes + 21, 12);
    return f;
}

static void check_specimen(const struct trit_weights *s)
{
    static const struct {
        const char *name, *dtype, *shape;
        uint8_t first, n_bytes;
    } all[] = {{"a.b", "F16", "[2, 3]", 21, 12},
               {"empty", "F32", "[4, 0]", 0, 0},
               {"model.embed", "U8", "[5]", 12, 5},
               {"model.norm", "BF16", "[2, 3]", 0, 12},
               {"scale", "F32", "[]", 17, 4}};

    assert_int_equal(s->n, 5);
    for (size_t i = 0; i < s->n; i++) {
        const struct trit_weight *t = &s->tensors[i];
        assert_true(trit_string_is(t->name, all[i].name));
        assert_ptr_equal(trit_weights_find(s, all[i].name), t);
        assert_string_equal(t->dtype, all[i].dtype);
        assert_string_equal(trit_weights_shape(t).text, all[i].shape);
        assert_int_equal(t->n_bytes, all[i].n_bytes);
        for (uint8_t k = 0; k < t->n_bytes; k++)
            assert_int_equal(t->data[k], all[i].first + k);
        for (uint32_t d = t->n_dims; d < TRIT_WEIGHT_MAX_DIMS; d++)
            assert_int_equal(t->dims[d], 1);
    }
    assert_int_equal(s->tensors[1].dims[1], 0);
    assert_null(trit_weights_find(s, "a"));
    assert_null(trit_weights_find(s, "a.b.c"));
    assert_null(trit_weights_find(s, ""));
    assert_null(trit_weights_find(s, "z"));
}

/* ---- Good ones ------------------------------------------------------------------------------- */

static void one_file(void **state)
{
    char folder[16], path[64], slash[64];
    const char *dir = new_folder(folder);
    struct sw_file f = specimen();
    (void)state;

    snprintf(path, sizeof path, "%s/" SINGLE, folder);
    const char *written = sw_write(path, &f);
    sw_free(&f);
    struct trit_weights s = open_good(dir);
    check_specimen(&s);
    assert_int_equal(s.n_files, 1);
    assert_string_equal(trit_weights_path(&s, &s.tensors[0]), written);
    trit_weights_close(&s);
    assert_true(s.n == 0 && !s.tensors);
    trit_weights_close(&s); /* allowed */

    snprintf(slash, sizeof slash, "%s/", dir);
    s = open_good(slash);
    assert_string_equal(trit_weights_path(&s, &s.tensors[0]), written);
    trit_weights_close(&s);

    put_text(folder, INDEX, "no JSON"); /* ignored */
    s = open_good(dir);
    trit_weights_close(&s);
}

static void every_dtype(void **state)
{
    static const struct {
        const char *name;
        size_t bytes;
    } all[] = {{"F64", 8}, {"F32", 4}, {"F16", 2},     {"BF16", 2},    {"I64", 8},
               {"I32", 4}, {"I16", 2}, {"I8", 1},      {"U64", 8},     {"U32", 4},
               {"U16", 2}, {"U8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"BOOL", 1}};
    const uint64_t three[] = {3};
    const uint8_t zeros[24] = {0};
    char folder[16], path[64];
    const char *dir = new_folder(folder);
    struct sw_file f = {0};
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sw_add(&f, all[i].name, all[i].name, 1, three, zeros, 3 * all[i].bytes);
    snprintf(path, sizeof path, "%s/" SINGLE, folder);
    sw_write(path, &f);
    sw_free(&f);
    struct trit_weights s = open_good(dir);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const struct trit_weight *t = trit_weights_find(&s, all[i].name);
        assert_non_null(t);
        assert_string_equal(t->dtype, all[i].name);
        assert_int_equal(t->n_bytes, 3 * all[i].bytes);
    }
    trit_weights_close(&s);
}

/* Members in any order, the most dimensions, dimensions of 0, odd names, no tensors at all. */
static void odd_but_good(void **state)
{
    static const struct {
        const char *header;
        size_t n_data, n_tensors;
    } all[] = {
        {"{}", 0, 0},
        {" {\"__metadata__\":{}}  \n", 0, 0},
        {"{\"b\":{\"data_offsets\":[4,6],\"shape\":[2],\"dtype\":\"U8\"},\"__metadata__\":{\"k\":"
         "\"\"},\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}",
         6, 2},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,2,1,1,3,1,1],\"data_offsets\":[0,6]}}", 6, 1},
        {"{\"\\u0000\\u001b\xC3\xA9\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[1,6]}}",
         6, 2},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[6],\"data_offsets\":[0,6]},\"z\":{\"dtype\":\"F64\","
         "\"shape\":[1152921504606846975,0],\"data_offsets\":[6,6]}}",
         6, 2},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[6],\"data_offsets\":[0,6]},\"y\":{\"dtype\":\"U8\","
         "\"shape\":[0,9223372036854775807,0],\"data_offsets\":[0,0]},\"x\":{\"dtype\":\"U8\","
         "\"shape\":[0],\"data_offsets\":[0,0]}}",
         6, 3},
    };
    char folder[16];
    const char *dir = new_folder(folder);
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size_t len;
        uint8_t *image = sw_image_of(all[i].header, "abcdef", all[i].n_data, &len);
        const char *path = put(folder, SINGLE, image, len);
        struct trit_weights s = open_good(dir);
        assert_int_equal(s.n, all[i].n_tensors);
        read_everything(&s);
        assert_int_equal(trit_weights_find(&s, "a") != NULL, s.n > 0);
        trit_weights_close(&s);
        remove(path);
        free(image);
    }
}

static void shards(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 5; n++) {
        char folder[16], name[64];
        const char *dir = new_folder(folder);
        struct sw_file f = specimen();

        sw_write_shards(folder, &f, n);
        sw_free(&f);
        struct trit_weights s = open_good(dir);
        check_specimen(&s);
        assert_int_equal(s.n_files, n);
        snprintf(name, sizeof name, "%s/model-00001-of-%05zu.safetensors", dir, n);
        assert_string_equal(trit_weights_path(&s, trit_weights_find(&s, "model.norm")), name);
        trit_weights_close(&s);
    }
}

/* Links to files elsewhere, as in download caches. A dangling link is not a missing file. */
static void links(void **state)
{
    char folder[16], path[64], link[64];
    const char *dir = new_folder(folder);
    struct sw_file f = specimen();
    (void)state;

    snprintf(path, sizeof path, "%s/blob", folder);
    sw_write(path, &f);
    sw_free(&f);
    snprintf(link, sizeof link, "%s/" SINGLE, dir);
    assert_int_equal(symlink("blob", link), 0);
    struct trit_weights s = open_good(dir);
    check_specimen(&s);
    trit_weights_close(&s);
    remove(link);
    assert_int_equal(symlink("gone", link), 0);
    refuse_file(dir, TRIT_E_FILE, link, "No such file or directory");
    remove(link);
}

/* Reads released data again, in ranges that begin and end anywhere. */
static void done(void **state)
{
    enum { N = 300000 };
    const uint64_t dims[] = {N};
    uint8_t *data = malloc(N);
    char folder[16], path[64];
    const char *dir = new_folder(folder);
    uint64_t rng = 5;
    struct sw_file f = {0};
    (void)state;

    assert_non_null(data);
    for (size_t i = 0; i < N; i++)
        data[i] = (uint8_t)fx_random(&rng);
    sw_add(&f, "a", "U8", 1, dims, data, N);
    sw_add(&f, "b", "U8", 1, dims, data, N);
    sw_add(&f, "none", "U8", 1, (const uint64_t[]){0}, data, 0);
    snprintf(path, sizeof path, "%s/" SINGLE, folder);
    sw_write(path, &f);
    sw_free(&f);
    struct trit_weights s = open_good(dir);
    for (size_t i = 0; i < s.n; i++) {
        const struct trit_weight *t = &s.tensors[i];
        for (uint64_t at = 0, n; at < t->n_bytes; at += n) {
            n = fx_random(&rng) % 20000;
            n = n < t->n_bytes - at ? n : t->n_bytes - at;
            assert_memory_equal(t->data + at, data + at, n);
            trit_weights_done(&s, t->data + at, n);
        }
        assert_memory_equal(t->data, data, t->n_bytes);
        trit_weights_done(&s, t->data, t->n_bytes);
    }
    assert_memory_equal(trit_weights_find(&s, "b")->data, data, N);
    trit_weights_done(&s, data, N); /* not of a file */
    trit_weights_close(&s);
    free(data);
}

/* ---- Which files ----------------------------------------------------------------------------- */

static void no_files(void **state)
{
    static const char none[] = "has no weights: neither model.safetensors nor pytorch_model.bin, "
                               "nor the index of either";
    char folder[16], message[256];
    const char *dir = new_folder(folder);
    (void)state;

    refuse_file(dir, TRIT_E_FILE, dir, none);
    put_text(folder, "consolidated.00.pth", "?");
    refuse_file(dir, TRIT_E_UNSUPPORTED, dir,
                "has only consolidated.00.pth; supported are model.safetensors and "
                "pytorch_model.bin, or their shards");
    snprintf(message, sizeof message, "no-such-folder %s", none);
    refuse("no-such-folder", TRIT_E_FILE, message);
}

/* A file of another name is taken if it is the only one, and not known to be something else. */
static void other_names(void **state)
{
    char folder[16], path[64], message[256];
    const char *dir = new_folder(folder);
    struct sw_file f = specimen();
    (void)state;

    snprintf(path, sizeof path, "%s/tuned-v2.safetensors", folder);
    const char *written = sw_write(path, &f);
    put_text(folder, "adapter_model.safetensors", "?");
    put_text(folder, "training_args.bin", "?");
    put_text(folder, "weights.bin", "?"); /* after safetensors */
    struct trit_weights s = open_good(dir);
    check_specimen(&s);
    assert_string_equal(trit_weights_path(&s, &s.tensors[0]), written);
    trit_weights_close(&s);
    put_text(folder, "a.safetensors", "?");
    put_text(folder, "b.safetensors", "?");
    snprintf(message, sizeof message,
             "%s has 3 files *.safetensors, such as a.safetensors and b.safetensors; one must be "
             "model.safetensors, or model.safetensors.index.json must list the tensors of each",
             dir);
    refuse(dir, TRIT_E_FILE, message);
    sw_free(&f);
}

static void no_regular_files(void **state)
{
    char folder[16], path[64], name[64];
    const char *dir = new_folder(folder), *file = put_text(folder, "file", "?");
    (void)state;

    snprintf(path, sizeof path, "%s/" SINGLE, file);
    refuse_file(file, TRIT_E_FILE, path, "Not a directory");
    put_text(folder, SINGLE, "");
    snprintf(path, sizeof path, "%s/" SINGLE, dir);
    refuse_file(dir, TRIT_E_FILE, path, "is empty");
    remove(path);
    snprintf(name, sizeof name, "%s/" SINGLE, folder);
    fx_folder(name);
    refuse_file(dir, TRIT_E_FILE, path, "is not a regular file");
    rmdir(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    refuse_file(dir, TRIT_E_FILE, path, "is not a regular file");
    remove(path);
    const char *index = put_text(folder, INDEX, "");
    refuse_file(dir, TRIT_E_FILE, index, "is empty");
}

/* ---- The bytes before the header ------------------------------------------------------------- */

static void bad_starts(void **state)
{
    static const char pointer[] = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
    (void)state;

    refuse_bytes("\1\0\0\0\0\0\0", 7,
                 "ends early: it has 7 bytes; the header's length field alone has 8");
    refuse_bytes("\2\0\0\0\0\0\0\0", 8, "ends early: its header has 2 bytes, but only 0 are left");
    refuse_bytes("\3\0\0\0\0\0\0\0{}", 10,
                 "ends early: its header has 3 bytes, but only 2 are left");
    refuse_bytes("\0\xe1\xf5\5\0\0\0\0{}", 10,
                 "ends early: its header has 100000000 bytes, but only 2 are left");
    refuse_bytes("\1\xe1\xf5\5\0\0\0\0{}", 10,
                 "is damaged or not a safetensors file: its header would have 100000001 bytes; the "
                 "limit is 100000000");
    refuse_bytes("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10,
                 "is damaged or not a safetensors file: its header would have "
                 "18446744073709551615 bytes; the limit is 100000000");
    refuse_bytes("<!DOCTYPE html>", 15,
                 "is damaged or not a safetensors file: its header would have "
                 "5789751444030890300 bytes; the limit is 100000000");
    refuse_bytes(pointer, sizeof pointer - 1,
                 "is only a Git LFS pointer; fetch the file with 'git lfs pull'");
    refuse_bytes("\0\0\0\0\0\0\0\0{}", 10,
                 "its header: line 1, column 1: found the end of the text, expected a value");
    refuse_bytes("\1\0\0\0\0\0\0\0{}", 10,
                 "its header: line 1, column 2: found the end of the text, expected a key in "
                 "quotes");
    refuse_bytes("\2\0\0\0\0\0\0\0[]", 10, "the header must be an object");
    refuse_bytes("\4\0\0\0\0\0\0\0null", 12, "the header must be an object");
    refuse_bytes("\3\0\0\0\0\0\0\0{}x", 11,
                 "its header: line 1, column 3: found 'x', expected the end of the text");
    refuse_bytes("\2\0\0\0\0\0\0\0{}x", 11, "no tensor has bytes 0 to 1 of the data");
}

/* ---- The header ------------------------------------------------------------------------------ */

#define U8 "\"U8\""
#define ENTRY(dtype, shape, offsets)                                                               \
    "{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define ONE(dtype, shape, offsets) "{\"t\":" ENTRY(dtype, shape, offsets) "}"
#define TWO(a, a_at, b, b_at) "{\"a\":" ENTRY(U8, a, a_at) ",\"b\":" ENTRY(U8, b, b_at) "}"

static void bad_entries(void **state)
{
    static const char members[] =
        "tensor 't' must have dtype, shape and data_offsets, each once, and nothing else";
    static const char metadata[] = "'__metadata__' must occur only once, as an object of strings";
    static const char offsets[] = "data_offsets of tensor 't' must be two integers of at least 0";
    static const struct {
        const char *header, *message;
    } all[] = {
        {"{\"t\":1}", members},
        {"{\"t\":[]}", members},
        {"{\"t\":{}}", members},
        {"{\"t\":{\"dtype\":\"U8\",\"shape\":[4]}}", members},
        {"{\"t\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", members},
        {"{\"t\":{\"shape\":[4],\"data_offsets\":[0,4]}}", members},
        {"{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"shape\":[4]}}", members},
        {"{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"scale\":1}}", members},
        {"{\"\":" ENTRY(U8, "[4]", "[0,4]") "}", "has a tensor without a name"},
        {"{\"t\":" ENTRY(U8, "[2]", "[0,2]") ",\"u\":" ENTRY(
             U8, "[1]", "[2,3]") ",\"\\u0074\":" ENTRY(U8, "[1]", "[3,4]") "}",
         "tensor 't' occurs twice"},
        {"{\"t\":" ENTRY(U8, "[4]", "[0,4]") ",\"t\":" ENTRY(U8, "[4]", "[0,4]") "}",
         "tensor 't' occurs twice"},
        {"{\"__metadata__\":1}", metadata},
        {"{\"__metadata__\":null}", metadata},
        {"{\"__metadata__\":{\"a\":\"b\",\"c\":1}}", metadata},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", metadata},
        {ONE("8", "[4]", "[0,4]"), "the dtype of tensor 't' must be a string"},
        {ONE(U8, "4", "[0,4]"), "the shape of tensor 't' must be an array"},
        {ONE(U8, "{\"a\":4}", "[0,4]"), "the shape of tensor 't' must be an array"},
        {ONE(U8, "[1,1,1,1,1,1,1,1,4]", "[0,4]"), "tensor 't' has 9 dimensions; the limit is 8"},
        {ONE(U8, "[\"4\"]", "[0,4]"),
         "the dimensions of tensor 't' must be integers of at least 0"},
        {ONE(U8, "[1,-4]", "[0,4]"), "the dimensions of tensor 't' must be integers of at least 0"},
        {ONE(U8, "[4.0]", "[0,4]"), "the dimensions of tensor 't' must be integers of at least 0"},
        {ONE(U8, "[9223372036854775808]", "[0,4]"),
         "the dimensions of tensor 't' must be integers of at least 0"},
        {ONE(U8, "[4294967296,4294967296]", "[0,0]"), "tensor 't' has an invalid shape"},
        {ONE(U8, "[4294967296,2147483648]", "[0,0]"), "tensor 't' has an invalid shape"},
        {ONE(U8, "[0,4294967296,4294967296]", "[0,0]"), "tensor 't' has an invalid shape"},
        {ONE("\"F64\"", "[2305843009213693952]", "[0,0]"), "tensor 't' has an invalid shape"},
        {ONE("\"F64\"", "[1152921504606846976]", "[0,0]"), "tensor 't' has an invalid shape"},
        {ONE(U8, "[4]", "4"), offsets},
        {ONE(U8, "[4]", "{\"a\":0,\"b\":4}"), offsets},
        {ONE(U8, "[4]", "[4]"), offsets},
        {ONE(U8, "[4]", "[0,2,4]"), offsets},
        {ONE(U8, "[4]", "[0,\"4\"]"), offsets},
        {ONE(U8, "[4]", "[-4,0]"), offsets},
        {ONE(U8, "[4]", "[0.0,4]"), offsets},
        {ONE(U8, "[4]", "[0,18446744073709551616]"), offsets},
        {ONE(U8, "[4]", "[4,0]"), "tensor 't' ends at 0, before it begins at 4"},
        {ONE(U8, "[4]", "[9223372036854775807,3]"),
         "tensor 't' ends at 3, before it begins at 9223372036854775807"},
        {ONE("\"BF16\"", "[1,3]", "[0,4]"),
         "tensor 't' has 4 bytes; BF16 of shape [1, 3] would have 6"},
        {ONE("\"F32\"", "[]", "[0,0]"), "tensor 't' has 0 bytes; F32 of shape [] would have 4"},
        {ONE(U8, "[4,0]", "[0,4]"), "tensor 't' has 4 bytes; U8 of shape [4, 0] would have 0"},
        {ONE(U8, "[9223372036854775807]", "[0,4]"),
         "tensor 't' has 4 bytes; U8 of shape [9223372036854775807] would have "
         "9223372036854775807"},
        {ONE(U8, "[5]", "[0,5]"),
         "ends early: tensor 't' has bytes 0 to 5 of its data, which has 4"},
        {ONE(U8, "[4]", "[1,5]"),
         "ends early: tensor 't' has bytes 1 to 5 of its data, which has 4"},
        {ONE(U8, "[0]", "[5,5]"),
         "ends early: tensor 't' has bytes 5 to 5 of its data, which has 4"},
        {ONE(U8, "[9223372036854775807]", "[0,9223372036854775807]"),
         "ends early: tensor 't' has bytes 0 to 9223372036854775807 of its data, which "
         "has 4"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        refuse_header(all[i].header, 4, TRIT_E_FILE, all[i].message);
}

static void bad_dtypes(void **state)
{
    static const char *const all[] = {"",   "u8",      "U8 ",   "C64",      "F4",
                                      "F8", "F8_E8M0", "BF16x", "BFLOAT16", "F8_E4M3FNUZ_OR_SO"};
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char header[256], message[256];
        snprintf(header, sizeof header, ONE("\"%s\"", "[4]", "[0,4]"), all[i]);
        snprintf(
            message, sizeof message,
            "tensor 't' has dtype '%s'; supported are F64 to F16, BF16, F8_E5M2, F8_E4M3, I64 to "
            "I8, U64 to U8, and BOOL",
            all[i]);
        refuse_header(header, 4, TRIT_E_UNSUPPORTED, message);
    }
}

/* Every byte of the data belongs to exactly one tensor. */
static void bad_cover(void **state)
{
    static const struct {
        const char *header, *message;
    } all[] = {
        {TWO("[2]", "[0,2]", "[2]", "[1,3]"), "tensors 'a' and 'b' overlap"},
        {TWO("[2]", "[1,3]", "[2]", "[0,2]"), "tensors 'b' and 'a' overlap"},
        {TWO("[4]", "[0,4]", "[4]", "[0,4]"), "tensors 'a' and 'b' overlap"},
        {TWO("[4]", "[0,4]", "[1]", "[0,1]"), "tensors 'b' and 'a' overlap"},
        {TWO("[4]", "[0,4]", "[0]", "[2,2]"), "tensors 'a' and 'b' overlap"},
        {TWO("[3]", "[1,4]", "[0]", "[0,0]"), "no tensor has bytes 0 to 1 of the data"},
        {TWO("[1]", "[0,1]", "[1]", "[3,4]"), "no tensor has bytes 1 to 3 of the data"},
        {TWO("[2]", "[0,2]", "[1]", "[2,3]"), "no tensor has bytes 3 to 4 of the data"},
        {TWO("[0]", "[0,0]", "[0]", "[4,4]"), "no tensor has bytes 0 to 4 of the data"},
        {TWO("[0]", "[0,0]", "[0]", "[0,0]"), "no tensor has bytes 0 to 4 of the data"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        refuse_header(all[i].header, 4, TRIT_E_FILE, all[i].message);
}

/* Names come from the file, so a message must not send their control characters to a terminal. */
static void names_are_escaped(void **state)
{
    (void)state;
    refuse_header("{\"\\u001b[31m\xC3\xA9\\u0000\":1}", 0, TRIT_E_FILE,
                  "tensor '\\x1b[31m\\xc3\\xa9\\x00' must have dtype, shape and data_offsets, each "
                  "once, and nothing else");
}

/* ---- The index ------------------------------------------------------------------------------- */

static void bad_indices(void **state)
{
    static const char map[] = "must have one 'weight_map', an object";
    static const struct {
        const char *text, *message;
    } all[] = {
        {"{", "line 1, column 2: found the end of the text, expected a key in quotes"},
        {"[]", map},
        {"{}", map},
        {"{\"weight_map\":[]}", map},
        {"{\"weight_map\":{},\"weight_map\":{}}", map},
        {"{\"weight_map\":{\"t\":1}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not ''"},
        {"{\"weight_map\":{\"t\":\"\"}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not ''"},
        {"{\"weight_map\":{\"t\":\".\"}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not '.'"},
        {"{\"weight_map\":{\"t\":\"..\"}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not '..'"},
        {"{\"weight_map\":{\"t\":\"../s\"}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not '../s'"},
        {"{\"weight_map\":{\"t\":\"/etc/s\"}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not '/etc/s'"},
        {"{\"weight_map\":{\"t\":\"a\\\\s\"}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not 'a\\s'"},
        {"{\"weight_map\":{\"t\":\"s\\u0000\"}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not 's\\x00'"},
        {"{\"weight_map\":{\"t\":\"\\u001b[2J\"}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not '\\x1b[2J'"},
        {"{\"weight_map\":{\"t\":\"\\u007f\"}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not '\\x7f'"},
        {"{\"weight_map\":{\"t\":\"\\u00e9\"}}",
         "tensor 't' must be in a file of this folder, given by its plain name, not '\\xc3\\xa9'"},
    };
    char folder[16];
    const char *dir = new_folder(folder);
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *path = put_text(folder, INDEX, all[i].text);
        refuse_file(dir, TRIT_E_FILE, path, all[i].message);
        remove(path);
    }
    put_text(folder, INDEX, "{\"weight_map\":{}}"); /* no tensors, as for a file without tensors */
    struct trit_weights s = open_good(dir);
    assert_int_equal(s.n, 0);
    assert_null(trit_weights_find(&s, "t"));
    trit_weights_close(&s);
}

/* A folder with tensors "one" and "both" in a.safetensors, "two" in b.safetensors, and a wrong
 * index. */
static void index_and_files_differ(void **state)
{
    enum { MAX = 4 };
    static const struct {
        const char *names[MAX], *files[MAX];
        const char *path, *message; /* none: the index is valid */
    } all[] = {
        {{"one", "both", "two", "x"},
         {"a", "a", "b", "b"},
         INDEX,
         "tensor 'x' should be in b but is not"},
        {{"one", "both", "two", "a"},
         {"a", "a", "b", "a"},
         INDEX,
         "tensor 'a' should be in a but is not"},
        {{"one", "two"}, {"a", "b"}, "a", "tensor 'both' is not in " INDEX},
        {{"one", "both"}, {"a", "a"}, INDEX, ""}, /* b does not matter */
        {{"both", "one", "two"},
         {"b", "a", "b"},
         INDEX,
         "tensor 'both' should be in b but is in a"},
        {{"both", "one", "one", "two"}, {"a", "a", "a", "b"}, INDEX, "tensor 'one' occurs twice"},
        {{"both", "one", "two", "one"}, {"a", "a", "b", "b"}, INDEX, "tensor 'one' occurs twice"},
        {{"both", "one", "two"}, {"a", "a", "c"}, "c", "No such file or directory"},
        {{"both", "one", "two"},
         {"a", "a", "cut"},
         "cut",
         "ends early: its header has 2 bytes, but only 1 are left"},
        {{"both", "one", "two", "again"},
         {"a", "a", "b", "again"},
         "again",
         "tensor 'both' is also in a"},
    };
    const uint64_t dims[] = {1};
    struct sw_file f = {0};
    char folder[16], path[64];
    const char *dir = new_folder(folder);
    (void)state;

    snprintf(path, sizeof path, "%s/a", folder);
    sw_add(&f, "one", "U8", 1, dims, "1", 1);
    sw_add(&f, "both", "U8", 1, dims, "2", 1);
    sw_write(path, &f);
    sw_free(&f);
    snprintf(path, sizeof path, "%s/b", folder);
    sw_add(&f, "two", "U8", 1, dims, "3", 1);
    sw_write(path, &f);
    sw_free(&f);
    snprintf(path, sizeof path, "%s/again", folder);
    sw_add(&f, "again", "U8", 1, dims, "4", 1);
    sw_add(&f, "both", "U8", 1, dims, "5", 1);
    sw_write(path, &f);
    sw_free(&f);
    put(folder, "cut", "\2\0\0\0\0\0\0\0{", 9);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size_t n = 0;
        while (n < MAX && all[i].names[n])
            n++;
        const char *index = sw_write_index(folder, all[i].names, all[i].files, n);
        snprintf(path, sizeof path, "%s/%s", dir, all[i].path);
        if (*all[i].message) {
            refuse_file(dir, TRIT_E_FILE, path, all[i].message);
        } else {
            struct trit_weights s = open_good(dir);
            assert_int_equal(s.n, n);
            trit_weights_close(&s);
        }
        remove(index);
    }
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static void cut_anywhere(void **state)
{
    struct sw_file f = specimen();
    size_t len;
    uint8_t *image = sw_image(&f, &len);
    const char *dir = fx_folder("cut");
    (void)state;

    sw_free(&f);
    for (size_t n = 0; n <= len; n++) {
        struct trit_weights s;
        struct trit_error err = {.text = "?"};
        const char *path = put("cut", SINGLE, image, n);
        const trit_status status = trit_weights_open(&s, dir, &err);
        remove(path);
        if (status != (n < len ? TRIT_E_FILE : TRIT_OK))
            fail_msg("the first %zu of %zu bytes give status %d", n, len, (int)status);
        assert_true(!status || strncmp(err.text, path, strlen(path)) == 0);
        trit_weights_close(&s);
    }
    free(image);
}

/* Reads a file that the fixture wrote. */
static uint8_t *read_back(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(4096);
    assert_true(f && data);
    *len = fread(data, 1, 4096, f);
    assert_true(*len > 0 && *len < 4096);
    fclose(f);
    return data;
}

static void cut_shards(void **state)
{
    static const char *const names[] = {INDEX, "model-00001-of-00002.safetensors",
                                        "model-00002-of-00002.safetensors"};
    char folder[16], path[128];
    const char *dir = new_folder(folder);
    struct sw_file f = specimen();
    (void)state;

    sw_write_shards(folder, &f, 2);
    sw_free(&f);
    for (size_t i = 0; i < 3; i++) {
        size_t len;
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        uint8_t *data = read_back(path, &len);
        for (size_t n = 0; n < len - (i == 0); n++) { /* the index ends with a newline */
            struct trit_weights s;
            put(folder, names[i], data, n);
            assert_int_equal(trit_weights_open(&s, dir, NULL), TRIT_E_FILE);
        }
        put(folder, names[i], data, len);
        free(data);
    }
    struct trit_weights s = open_good(dir);
    check_specimen(&s);
    trit_weights_close(&s);
}

/* Opens a changed file: the result is an error, or tensors that can be read. */
static bool survives(const char *dir)
{
    struct trit_weights s;
    struct trit_error err = {.text = ""};
    const trit_status status = trit_weights_open(&s, dir, &err);

    assert_true(status == TRIT_OK || status == TRIT_E_FILE || status == TRIT_E_UNSUPPORTED);
    assert_true(status == TRIT_OK || (err.code == status && strlen(err.text) > 0));
    for (const char *p = err.text; *p; p++)
        assert_true((*p >= 0x20 && *p < 0x7f) || (unsigned char)*p >= 0x80);
    const bool good = !status && read_everything(&s) > 0;
    trit_weights_close(&s);
    return good;
}

/* Changes up to three bytes: flips a bit, or writes a byte that is special to the reader. */
static void damage(uint8_t *data, size_t len, uint64_t *rng)
{
    static const char bytes[] = "[]{}:,\"\\0123456789-.eUIFB \n\xff";
    for (uint64_t k = fx_random(rng) % 3 + 1; k > 0; k--) {
        uint8_t *p = &data[fx_random(rng) % len];
        if (fx_random(rng) % 2)
            *p ^= (uint8_t)(1u << fx_random(rng) % 8);
        else
            *p = (uint8_t)bytes[fx_random(rng) % (sizeof bytes - 1)];
    }
}

static void changed_file(void **state)
{
    struct sw_file f = specimen();
    size_t len, n_good = 0;
    uint8_t *image = sw_image(&f, &len), *copy = malloc(len);
    const char *dir = fx_folder("changed");
    const size_t n_header = len - f.data.len;
    uint64_t rng = 11;
    (void)state;

    assert_non_null(copy);
    sw_free(&f);
    for (int i = 0; i < 8000; i++) {
        memcpy(copy, image, len);
        damage(copy, n_header, &rng);
        const char *path = put("changed", SINGLE, copy, len);
        n_good += survives(dir);
        remove(path);
    }
    assert_true(n_good > 100);
    free(copy);
    free(image);
}

static void changed_index(void **state)
{
    char folder[16], path[128];
    const char *dir = new_folder(folder);
    struct sw_file f = specimen();
    size_t len, n_good = 0;
    uint64_t rng = 13;
    (void)state;

    sw_write_shards(folder, &f, 3);
    sw_free(&f);
    snprintf(path, sizeof path, "%s/" INDEX, dir);
    uint8_t *text = read_back(path, &len), *copy = malloc(len);
    assert_non_null(copy);
    for (int i = 0; i < 4000; i++) {
        memcpy(copy, text, len);
        damage(copy, len, &rng);
        put(folder, INDEX, copy, len);
        n_good += survives(dir);
        remove(path);
    }
    assert_true(n_good > 20);
    free(copy);
    free(text);
}

/* ---- Real ones ------------------------------------------------------------------------------- */

static void real(void **state)
{
    static const struct {
        const char *folder, *dtype, *shape;
    } all[] = {{"hf", "BF16", "[256, 768]"}, {"hf-packed", "U8", "[64, 768]"}};
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char dir[1024], file[1100];
        snprintf(file, sizeof file, "%s", shared_path("models/fables/%s/" SINGLE, all[i].folder));
        snprintf(dir, sizeof dir, "%s", shared_path("models/fables/%s", all[i].folder));
        struct trit_weights s = open_good(dir);
        const struct trit_weight *embd = trit_weights_find(&s, "model.embed_tokens.weight");
        const struct trit_weight *down =
            trit_weights_find(&s, "model.layers.0.mlp.down_proj.weight");
        assert_true(embd && down);
        assert_string_equal(trit_weights_path(&s, embd), file);
        assert_string_equal(embd->dtype, "BF16");
        assert_string_equal(trit_weights_shape(embd).text, "[4096, 256]");
        assert_string_equal(down->dtype, all[i].dtype);
        assert_string_equal(trit_weights_shape(down).text, all[i].shape);
        assert_int_equal(trit_weights_find(&s, "model.layers.0.mlp.down_proj.weight_scale") != NULL,
                         i == 1);
        read_everything(&s);
        trit_weights_close(&s);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_file),
    cmocka_unit_test(every_dtype),
    cmocka_unit_test(odd_but_good),
    cmocka_unit_test(shards),
    cmocka_unit_test(links),
    cmocka_unit_test(done),
    cmocka_unit_test(no_files),
    cmocka_unit_test(other_names),
    cmocka_unit_test(no_regular_files),
    cmocka_unit_test(bad_starts),
    cmocka_unit_test(bad_entries),
    cmocka_unit_test(bad_dtypes),
    cmocka_unit_test(bad_cover),
    cmocka_unit_test(names_are_escaped),
    cmocka_unit_test(bad_indices),
    cmocka_unit_test(index_and_files_differ),
    cmocka_unit_test(cut_anywhere),
    cmocka_unit_test(cut_shards),
    cmocka_unit_test(changed_file),
    cmocka_unit_test(changed_index),
    cmocka_unit_test(real),
};

const struct suite suite = {SUITE_TESTS(tests)};
