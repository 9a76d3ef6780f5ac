/* test_torch.c - the reader of torch.save's files: the tensors of good ones, and the error message
 * of each bad one. All in memory, in blocks of the exact size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "suite.h"
#include "torch.h"
#include "torch_writer.h"

static const uint64_t matrix[] = {2, 3}, vector[] = {4};
static const char numbers[] = "abcdefghijklmnopqrstuvwxyz";

/* ---- Helpers --------------------------------------------------------------------------------- */

/* Reads an image, which it frees. */
static trit_status read_image(struct trit_weights *s, uint8_t *image, size_t len,
                              struct trit_error *err)
{
    static char path[] = "t.bin";
    struct trit_weights_file file = {.path = path, .name = path};

    file.bytes = (struct trit_bytes){.data = image, .size = len, .kind = TRIT_BYTES_BORROWED};
    *s = (struct trit_weights){.files = malloc(sizeof file), .n_files = 1};
    assert_non_null(s->files);
    *s->files = file;
    *err = (struct trit_error){.text = "?"};
    trit_status status = trit_torch_read(s, 0, err);
    return status ? status : trit_weights_sort(s, 0, err);
}

static void drop(struct trit_weights *s, uint8_t *image)
{
    s->n_files = 0; /* the path is not to be freed */
    trit_weights_close(s);
    free(image);
}

/* A file is refused with this text after its path. */
static void refuse_image(uint8_t *image, size_t len, trit_status wanted, const char *text)
{
    struct trit_weights s;
    struct trit_error err;

    const trit_status status = read_image(&s, image, len, &err);
    if (status != wanted || err.code != wanted || strncmp(err.text, "t.bin", 5) != 0 ||
        !strstr(err.text, text))
        fail_msg("expected status %d, '%s'; got %d, '%s'", (int)wanted, text, (int)status,
                 err.text);
    drop(&s, image);
}

static void refuse(struct tw_file *f, trit_status wanted, const char *text)
{
    size_t len;
    uint8_t *image = tw_image(f, &len);
    refuse_image(image, len, wanted, text);
}

/* A file with a pickle of these opcodes. */
static void refuse_pickle(const char *opcodes, size_t n, trit_status wanted, const char *text)
{
    struct tw_file f = {.n_storages = 0};
    fx_put(&f.pickle, opcodes, n);
    refuse(&f, wanted, text);
}
#define REFUSE_PICKLE(opcodes, wanted, text)                                                       \
    refuse_pickle(opcodes, sizeof(opcodes) - 1, wanted, text)

/* One tensor in a storage "0" of 6 numbers, F16. */
static void refuse_view(uint32_t n_dims, const uint64_t *dims, const uint64_t *strides,
                        uint64_t offset, uint64_t n_stored, trit_status wanted, const char *text)
{
    struct tw_file f = {.n_storages = 0};
    tw_begin(&f);
    tw_entry(&f, "data/0", numbers, 12);
    tw_view(&f, "x", "F16", n_dims, dims, strides, "0", offset, n_stored);
    tw_end(&f);
    refuse(&f, wanted, text);
}

static struct tw_file specimen(void)
{
    struct tw_file f = {.n_storages = 0};

    tw_begin(&f);
    tw_tensor(&f, "b", "F16", 2, matrix, numbers, 12);
    tw_tensor(&f, "a", "F32", 1, vector, numbers, 16);
    tw_tensor(&f, "scale", "BF16", 0, NULL, numbers, 2);
    tw_view(&f, "part", "F16", 1, (const uint64_t[]){2}, NULL, "0", 3, 6); /* of b */
    tw_tensor(&f, "none", "U8", 2, (const uint64_t[]){3, 0}, numbers, 0);
    return f;
}

/* Every byte of every tensor is within the file. */
static void check_within(const struct trit_weights *s, const uint8_t *image, size_t len)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct trit_weight *t = &s->tensors[i];
        assert_true(t->data >= image && t->n_bytes <= len &&
                    (size_t)(t->data - image) <= len - (size_t)t->n_bytes);
        assert_true((const uint8_t *)t->name.bytes >= image && t->name.len < len);
    }
}

static void check_specimen(uint8_t *image, size_t len)
{
    static const struct {
        const char *name, *dtype, *shape, *bytes;
    } all[] = {{"a", "F32", "[4]", "abcdefghijklmnop"},
               {"b", "F16", "[2, 3]", "abcdefghijkl"},
               {"none", "U8", "[3, 0]", ""},
               {"part", "F16", "[2]", "ghij"},
               {"scale", "BF16", "[]", "ab"}};
    struct trit_weights s;
    struct trit_error err;

    if (read_image(&s, image, len, &err))
        fail_msg("%s", err.text);
    assert_int_equal(s.n, 5);
    check_within(&s, image, len);
    for (size_t i = 0; i < s.n; i++) {
        const struct trit_weight *t = &s.tensors[i];
        assert_true(trit_string_is(t->name, all[i].name));
        assert_string_equal(t->dtype, all[i].dtype);
        assert_string_equal(trit_weights_shape(t).text, all[i].shape);
        assert_int_equal(t->n_bytes, strlen(all[i].bytes));
        assert_memory_equal(t->data, all[i].bytes, t->n_bytes);
    }
    drop(&s, image);
}

/* ---- Good ones ------------------------------------------------------------------------------- */

static void plain(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct tw_file f = specimen();
        size_t len;
        f.comment = i == 1 ? "a comment PK\5\6 of the archive" : NULL;
        tw_end(&f);
        uint8_t *image = tw_image(&f, &len);
        check_specimen(image, len);
    }
}

static void zip64(void **state)
{
    struct tw_file f = {.zip64 = true};
    size_t len;
    (void)state;

    tw_begin(&f);
    tw_tensor(&f, "b", "F16", 2, matrix, numbers, 12);
    tw_tensor(&f, "a", "F32", 1, vector, numbers, 16);
    tw_tensor(&f, "scale", "BF16", 0, NULL, numbers, 2);
    tw_view(&f, "part", "F16", 1, (const uint64_t[]){2}, NULL, "0", 3, 6);
    tw_tensor(&f, "none", "U8", 2, (const uint64_t[]){3, 0}, numbers, 0);
    tw_end(&f);
    uint8_t *image = tw_image(&f, &len);
    check_specimen(image, len);
}

/* {"epoch": 3, "opt": {...}, KEY: state_dict} */
static void nested(void **state)
{
    static const char *const keys[] = {"state_dict", "model_state_dict", "model", "module"};
    (void)state;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct tw_file f = {.n_storages = 0}, inner = specimen();
        size_t len;
        tw_op(&f, "\x80\x02}(");
        tw_text(&f, "epoch");
        tw_number(&f, 3);
        tw_text(&f, "opt");
        tw_op(&f, "}");
        tw_text(&f, "lr");
        fx_put(&f.pickle, "G\0\0\0\0\0\0\0\0", 9);
        tw_op(&f, "s");
        tw_text(&f, keys[i]);
        fx_put(&f.pickle, inner.pickle.data + 2, inner.pickle.len - 2);
        free(inner.pickle.data);
        inner.pickle = f.pickle;
        tw_op(&inner, "uu.");
        uint8_t *image = tw_image(&inner, &len);
        check_specimen(image, len);
    }
}

static void every_dtype(void **state)
{
    static const char *const all[] = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8"};
    static const uint8_t bytes[] = {8, 4, 2, 2, 8, 4, 2, 1, 1};
    struct tw_file f = {.n_storages = 0};
    struct trit_weights s;
    struct trit_error err;
    size_t len;
    (void)state;

    tw_begin(&f);
    for (size_t i = 0; i < sizeof bytes; i++)
        tw_tensor(&f, all[i], all[i], 1, (const uint64_t[]){2}, numbers, 2u * bytes[i]);
    tw_end(&f);
    uint8_t *image = tw_image(&f, &len);
    assert_int_equal(read_image(&s, image, len, &err), TRIT_OK);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_string_equal(trit_weights_find(&s, all[i])->dtype, all[i]);
    drop(&s, image);
}

/* Strides of dimensions of 1 do not matter; nor do those of no elements. */
static void idle_strides(void **state)
{
    struct tw_file f = {.n_storages = 0};
    struct trit_weights s;
    struct trit_error err;
    size_t len;
    (void)state;

    tw_begin(&f);
    tw_entry(&f, "data/0", numbers, 12);
    tw_view(&f, "x", "F16", 3, (const uint64_t[]){1, 6, 1}, (const uint64_t[]){99, 1, 7}, "0", 0,
            6);
    tw_view(&f, "y", "F16", 2, (const uint64_t[]){3, 0}, (const uint64_t[]){5, 5}, "0", 6, 6);
    tw_end(&f);
    uint8_t *image = tw_image(&f, &len);
    if (read_image(&s, image, len, &err))
        fail_msg("%s", err.text);
    check_within(&s, image, len);
    drop(&s, image);
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static void bad_tensors(void **state)
{
    const uint64_t wide[] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[] = {1ull << 40, 1ull << 40};
    (void)state;

    refuse_view(2, matrix, (const uint64_t[]){1, 2}, 0, 6, TRIT_E_UNSUPPORTED,
                "tensor 'x' is transposed, or has gaps or repeats (its strides are not those of "
                "shape [2, 3]); save it with .contiguous()");
    refuse_view(1, (const uint64_t[]){3}, (const uint64_t[]){2}, 0, 6, TRIT_E_UNSUPPORTED,
                "is transposed, or has gaps");
    refuse_view(1, (const uint64_t[]){3}, (const uint64_t[]){0}, 0, 6, TRIT_E_UNSUPPORTED,
                "is transposed, or has gaps");
    refuse_view(2, matrix, NULL, 1, 6, TRIT_E_FILE,
                "of shape [2, 3] at 1 is outside its storage of 6 numbers");
    refuse_view(2, matrix, NULL, UINT64_MAX / 2, 6, TRIT_E_FILE, "is outside its storage");
    refuse_view(2, matrix, NULL, UINT64_MAX, 6, TRIT_E_FILE, "is not described as torch");
    refuse_view(2, matrix, NULL, 0, 7, TRIT_E_FILE,
                "is in a storage of 7 numbers (F16), which has 12 bytes");
    refuse_view(9, wide, NULL, 0, 6, TRIT_E_FILE, "has 9 dimensions; the limit is 8");
    refuse_view(2, huge, NULL, 0, 6, TRIT_E_FILE, "has an invalid shape");
    refuse_view(1, (const uint64_t[]){UINT64_MAX}, NULL, 0, 6, TRIT_E_FILE, "has an invalid shape");
}

static void bad_storages(void **state)
{
    struct tw_file f = {.n_storages = 0};
    (void)state;

    tw_begin(&f);
    tw_view(&f, "x", "U8", 1, vector, NULL, "../0", 0, 4);
    tw_end(&f);
    refuse(&f, TRIT_E_FILE, "tensor 'x' is in storage '../0', which the file does not have");
    tw_begin(&f);
    tw_tensor(&f, "x", "ComplexFloatStorage", 1, vector, numbers, 16);
    tw_end(&f);
    refuse(&f, TRIT_E_UNSUPPORTED, "its pickle asks for 'torch.ComplexFloatStorage'");
    tw_begin(&f);
    tw_tensor(&f, "x", "U8", 1, vector, numbers, 4);
    tw_tensor(&f, "x", "U8", 1, vector, numbers, 4);
    tw_end(&f);
    refuse(&f, TRIT_E_FILE, "tensor 'x' occurs twice");
    tw_begin(&f);
    tw_tensor(&f, "x", "U8", 1, vector, numbers, 4);
    tw_text(&f, "step");
    tw_number(&f, 3);
    tw_end(&f);
    refuse(&f, TRIT_E_UNSUPPORTED, "'step' is not a tensor; save the tensors alone");
    tw_begin(&f);
    tw_text(&f, "model");
    tw_op(&f, "}");
    tw_text(&f, "module");
    tw_op(&f, "}");
    tw_end(&f);
    refuse(&f, TRIT_E_UNSUPPORTED, "'model' is not a tensor");
}

/* ---- Pickles --------------------------------------------------------------------------------- */

/* What a pickle can do to those who run it. */
static void wants_more(void **state)
{
    (void)state;

    REFUSE_PICKLE("\x80\x02"
                  "cposix\nsystem\nX\x09\0\0\0touch bad\x85R.",
                  TRIT_E_UNSUPPORTED,
                  "its pickle asks for 'posix.system', which is not of a plain tensor; refused, "
                  "and nothing was run");
    REFUSE_PICKLE("\x80\x02"
                  "cos\nsystem\n.",
                  TRIT_E_UNSUPPORTED, "asks for 'os.system'");
    REFUSE_PICKLE("\x80\x02"
                  "cbuiltins\neval\nX\x01\0\0\0001\x85R.",
                  TRIT_E_UNSUPPORTED, "asks for 'builtins.eval'");
    REFUSE_PICKLE("\x80\x04\x8c\x02os\x8c\x06system\x93.", TRIT_E_UNSUPPORTED,
                  "asks for 'os.system'");
    REFUSE_PICKLE("\x80\x02(X\x01\0\0\0xios\nsystem\n.", TRIT_E_UNSUPPORTED,
                  "asks for 'os.system'");
    REFUSE_PICKLE("\x80\x02(ios\x1b[2J\nsystem\n.", TRIT_E_UNSUPPORTED,
                  "asks for 'os\\x1b[2J.system'");
    REFUSE_PICKLE("\x80\x02(icollections\nOrderedDict\n.", TRIT_E_UNSUPPORTED,
                  "has opcode 0x69 at byte 3, which is not of plain tensors; refused, and nothing "
                  "was run");
    REFUSE_PICKLE("\x80\x02"
                  "ccollections\nOrderedDict\n)\x81.",
                  TRIT_E_UNSUPPORTED, "has opcode 0x81 at byte 28");
    REFUSE_PICKLE("\x80\x02\x82\x01.", TRIT_E_UNSUPPORTED, "has opcode 0x82 at byte 2");
    REFUSE_PICKLE("\x80\x02"
                  "ccollections\nOrderedDict\n](X\x01\0\0\0xK\x01\x86"
                  "e\x85R.",
                  TRIT_E_UNSUPPORTED, "calls collections.OrderedDict with arguments");
    REFUSE_PICKLE("\x80\x02"
                  "ctorch._utils\n_rebuild_tensor_v2\n)R.",
                  TRIT_E_UNSUPPORTED, "t.bin does not hold a dict of tensors");
}

static void bad_pickles(void **state)
{
    (void)state;

    REFUSE_PICKLE("", TRIT_E_FILE, "its pickle ends early, at byte 0");
    REFUSE_PICKLE("\x80\x06.", TRIT_E_FILE, "its protocol is unknown (byte 0)");
    REFUSE_PICKLE("\x80\x02.", TRIT_E_FILE, "its end does not leave one value (byte 2)");
    REFUSE_PICKLE("\x80\x02}}.", TRIT_E_FILE, "its end does not leave one value");
    REFUSE_PICKLE("(.", TRIT_E_FILE, "its end does not leave one value");
    REFUSE_PICKLE("}K\1s.", TRIT_E_FILE, "items without their container (byte 3)");
    REFUSE_PICKLE("(s.", TRIT_E_FILE, "items without their container");
    REFUSE_PICKLE("}(K\1u.", TRIT_E_FILE, "a key without a value");
    REFUSE_PICKLE("}(K\1(u.", TRIT_E_FILE, "items without their container");
    REFUSE_PICKLE("}K\1K\1u.", TRIT_E_FILE, "a mark is missing");
    REFUSE_PICKLE("](K\1(s.", TRIT_E_FILE, "items without their container");
    REFUSE_PICKLE("]((s.", TRIT_E_FILE, "items without their container");
    REFUSE_PICKLE("}((s.", TRIT_E_FILE, "a mark is among items");
    REFUSE_PICKLE("K\1\x86.", TRIT_E_FILE, "values are missing for a tuple");
    REFUSE_PICKLE("K\1(\x86.", TRIT_E_FILE, "a mark is in a tuple");
    REFUSE_PICKLE("(K\1\x86.", TRIT_E_FILE, "values are missing for a tuple");
    REFUSE_PICKLE("t.", TRIT_E_FILE, "a mark is missing");
    REFUSE_PICKLE("0.", TRIT_E_FILE, "the stack is empty");
    REFUSE_PICKLE("(q\1.", TRIT_E_FILE, "nothing to remember");
    REFUSE_PICKLE("h\1.", TRIT_E_FILE, "nothing has that number in the memo");
    REFUSE_PICKLE("Nq\5h\4.", TRIT_E_FILE, "nothing has that number in the memo");
    REFUSE_PICKLE("Nr\xff\xff\xff\xff.", TRIT_E_FILE, "a number of the memo is too large");
    REFUSE_PICKLE("NQ.", TRIT_E_FILE, "a reference that is not a tuple");
    REFUSE_PICKLE("N)R.", TRIT_E_FILE, "a call of something that is not a name");
    REFUSE_PICKLE("NNb.", TRIT_E_FILE, "attributes of something that is not a dict");
    REFUSE_PICKLE("NN\x93.", TRIT_E_FILE, "a name that is not a text");
    REFUSE_PICKLE("\x8a\x09", TRIT_E_FILE, "an integer has more than 64 bits");
    REFUSE_PICKLE("X\xff\xff\xff\xff", TRIT_E_FILE, "its pickle ends early");
    REFUSE_PICKLE("\x8d\xff\xff\xff\xff\xff\xff\xff\xff", TRIT_E_FILE, "its pickle ends early");
    REFUSE_PICKLE("\x95\xff\xff\xff\xff\xff\xff\xff\xff", TRIT_E_FILE, "its pickle ends early");
    REFUSE_PICKLE("cos", TRIT_E_FILE, "its pickle ends early");
    REFUSE_PICKLE("]q\1h\1a.", TRIT_E_UNSUPPORTED, "does not hold a dict"); /* in itself */
    REFUSE_PICKLE("}q\1h\1h\1s.", TRIT_E_UNSUPPORTED, "a tensor does not have a name");
}

/* More than the reader takes, in a file of a few megabytes. */
static void large_pickles(void **state)
{
    static const char opcodes[] = {'N', '(', ')'};
    enum { N = (1 << 20) + 1 };
    (void)state;

    for (size_t i = 0; i < sizeof opcodes; i++) {
        struct tw_file f = {.n_storages = 0};
        char *many = malloc(N);
        assert_non_null(many);
        memset(many, opcodes[i], N);
        fx_put(&f.pickle, many, N);
        free(many);
        refuse(&f, TRIT_E_UNSUPPORTED, "its pickle has more than 1048576 values");
    }
}

/* ---- Archives -------------------------------------------------------------------------------- */

static void bad_archives(void **state)
{
    struct tw_file f = {.method = 8};
    (void)state;

    tw_begin(&f);
    tw_end(&f);
    refuse(&f, TRIT_E_UNSUPPORTED,
           "entry 'archive/data.pkl' is compressed (deflate, method 8); torch.save stores tensors "
           "as they are");
    f.order = "big";
    tw_begin(&f);
    tw_end(&f);
    refuse(&f, TRIT_E_UNSUPPORTED, "its numbers have byte order 'big'; only 'little' is supported");
    tw_begin(&f);
    tw_end(&f);
    tw_entry(&f, "data.pkl", "}.", 2);
    refuse(&f, TRIT_E_FILE, "t.bin has two entries 'archive/data.pkl'");
    tw_begin(&f);
    tw_end(&f);
    tw_entry(&f, "data/data.pkl", "}.", 2); /* another folder's */
    size_t len;
    struct trit_weights s;
    struct trit_error err;
    uint8_t *image = tw_image(&f, &len);
    assert_int_equal(read_image(&s, image, len, &err), TRIT_OK);
    assert_int_equal(s.n, 0);
    drop(&s, image);
}

static uint8_t *copy_of(const void *bytes, size_t n)
{
    uint8_t *copy = malloc(n);
    assert_non_null(copy);
    return memcpy(copy, bytes, n);
}

static void other_files(void **state)
{
    static const char old[] = "\x80\x02\x8a\x0al\xfc\x9c"
                              "F\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    static const char page[] = "<!DOCTYPE html>", empty_zip[] = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                                                "\0\0\0\0";
    (void)state;

    refuse_image(copy_of(old, sizeof old - 1), sizeof old - 1, TRIT_E_UNSUPPORTED,
                 "is in the format of torch before 1.6, a bare pickle; save it again: python3 -c "
                 "\"import sys, torch; f = sys.argv[1]; torch.save(torch.load(f, "
                 "map_location='cpu', weights_only=True), f)\" FILE");
    refuse_image(copy_of(page, sizeof page - 1), sizeof page - 1, TRIT_E_FILE,
                 "is not a zip archive, as torch.save writes it: it begins with '<!DOCTYPE html>'");
    refuse_image(copy_of(empty_zip, sizeof empty_zip - 1), sizeof empty_zip - 1, TRIT_E_UNSUPPORTED,
                 "is a zip archive, but not of torch.save: it has no '*/data.pkl'");
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static uint8_t *small_image(bool zip64, size_t *len)
{
    struct tw_file f = {.zip64 = zip64};
    tw_begin(&f);
    tw_tensor(&f, "b", "F16", 2, matrix, numbers, 12);
    tw_tensor(&f, "a", "F32", 1, vector, numbers, 16);
    tw_end(&f);
    return tw_image(&f, len);
}

/* A file cut anywhere is an error. */
static void cut_off(void **state)
{
    (void)state;
    for (int zip64 = 0; zip64 < 2; zip64++) {
        size_t len;
        uint8_t *image = small_image(zip64, &len);
        for (size_t n = 1; n < len; n++)
            refuse_image(copy_of(image, n), n, TRIT_E_FILE,
                         n < 4 ? " is not a zip archive" : " is not a whole zip archive");
        free(image);
    }
}

/* Any byte with any of some values: an error with a text, or tensors within the file. */
static void changed(void **state)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    size_t n_good = 0, n_bad = 0;
    (void)state;

    for (int zip64 = 0; zip64 < 2; zip64++) {
        size_t len;
        uint8_t *image = small_image(zip64, &len);
        for (size_t i = 0; i < len * sizeof values; i++) {
            uint8_t *copy = copy_of(image, len);
            struct trit_weights s;
            struct trit_error err;
            copy[i / sizeof values] = values[i % sizeof values];
            const trit_status status = read_image(&s, copy, len, &err);
            n_good += !status;
            n_bad += status != TRIT_OK;
            assert_true(!status || (err.code == status && err.text[0] != '?'));
            if (!status)
                check_within(&s, copy, len);
            drop(&s, copy);
        }
        free(image);
    }
    assert_true(n_good > 500 && n_bad > 2000);
}

/* Two entries share bytes: the second storage's place is that of the first. */
static void overlaps(void **state)
{
    size_t len, at = 0;
    uint8_t *image = small_image(false, &len);
    (void)state;

    for (size_t i = 0; i + 4 < len; i++)
        if (memcmp(image + i, "PK\1\2", 4) == 0 &&
            memcmp(image + i + 46, "archive/data/1", 14) == 0)
            at = i;
    assert_true(at);
    memset(image + at + 42, 0, 4);
    refuse_image(copy_of(image, len), len, TRIT_E_FILE, "an entry has another name");
    memcpy(image + at + 46, "archive/data/0", 14);
    refuse_image(image, len, TRIT_E_FILE, "entries 'archive/data/0' and 'archive/data/0' overlap");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(plain),         cmocka_unit_test(zip64),        cmocka_unit_test(nested),
    cmocka_unit_test(every_dtype),   cmocka_unit_test(idle_strides), cmocka_unit_test(bad_tensors),
    cmocka_unit_test(bad_storages),  cmocka_unit_test(wants_more),   cmocka_unit_test(bad_pickles),
    cmocka_unit_test(large_pickles), cmocka_unit_test(bad_archives), cmocka_unit_test(other_files),
    cmocka_unit_test(cut_off),       cmocka_unit_test(changed),      cmocka_unit_test(overlaps),
};

const struct suite suite = {SUITE_TESTS(tests)};
