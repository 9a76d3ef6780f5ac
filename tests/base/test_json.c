/* test_json.c - the JSON reader: valid texts and their values, every kind of error and its
 * position, and truncated or malicious texts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "suite.h"
#include "trit_tools.h"

typedef trit_status reader(struct trit_json **out, const char *text, size_t len,
                           struct trit_error *err);

/* ---- Helpers --------------------------------------------------------------------------------- */

/* Reads from a copy of the exact size, so that a sanitizer sees reads past the end. */
static struct trit_json *read_bytes(reader *read, const char *text, size_t len,
                                    struct trit_error *err)
{
    struct trit_json *tree;
    char *copy = malloc(len + !len);
    assert_non_null(copy);
    memcpy(copy, text, len);
    const trit_status status = read(&tree, copy, len, err);
    free(copy);
    assert_int_equal(!status, tree != NULL);
    if (status)
        assert_int_equal(status, err->code);
    return tree;
}

static struct trit_json *read_text(const char *text)
{
    struct trit_error err = {.text = "?"};
    struct trit_json *tree = read_bytes(trit_json_read, text, strlen(text), &err);
    if (!tree)
        fail_msg("%s: %s", text, err.text);
    return tree;
}

static void refuse_with(reader *read, const char *text, size_t len, const char *message)
{
    struct trit_error err = {.text = "?"};
    struct trit_json *tree = read_bytes(read, text, len, &err);
    if (tree)
        fail_msg("%.*s was read", (int)len, text);
    assert_int_equal(err.code, TRIT_E_FILE);
    assert_string_equal(err.text, message);
}

static void refuse(const char *text, const char *message)
{
    refuse_with(trit_json_read, text, strlen(text), message);
}

static void is_text(const struct trit_json_value *v, const char *bytes, size_t len)
{
    const struct trit_string s = trit_json_text(v);
    assert_int_equal(trit_json_type_of(v), TRIT_JSON_STRING);
    assert_int_equal(s.len, len);
    assert_memory_equal(s.bytes, bytes, len + 1);
}

/* The source is a string that means these bytes. */
static void reads_as(const char *source, const char *bytes, size_t len)
{
    struct trit_json *tree = read_text(source);
    is_text(trit_json_root(tree), bytes, len);
    trit_json_free(&tree);
}

/* ---- What is valid --------------------------------------------------------------------------- */

static void scalars(void **state)
{
    static const struct {
        const char *text;
        enum trit_json_type type;
    } all[] = {{"null", TRIT_JSON_NULL},         {" true ", TRIT_JSON_BOOL},
               {"\t\r\n false", TRIT_JSON_BOOL}, {"0", TRIT_JSON_NUMBER},
               {"\"\"", TRIT_JSON_STRING},       {"[]", TRIT_JSON_ARRAY},
               {" [ ] ", TRIT_JSON_ARRAY},       {"{}", TRIT_JSON_OBJECT},
               {"{ }\n", TRIT_JSON_OBJECT},      {"\"null\"", TRIT_JSON_STRING}};
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct trit_json *tree = read_text(all[i].text);
        const struct trit_json_value *root = trit_json_root(tree);
        assert_int_equal(trit_json_type_of(root), all[i].type);
        assert_int_equal(trit_json_count(root), 0);
        assert_null(trit_json_first(root));
        assert_null(trit_json_next(root));
        assert_int_equal(trit_json_is_true(root), i == 1);
        trit_json_free(&tree);
        assert_null(tree);
    }
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        double number;
        bool whole;
    } all[] = {
        {"0", 0, true},
        {"-0", 0, true},
        {"-1", -1, true},
        {"12345678901", 12345678901.0, true},
        {"9223372036854775807", 0x1p63, true},
        {"-9223372036854775808", -0x1p63, true},
        {"9223372036854775808", 0x1p63, false},
        {"-9223372036854775809", -0x1p63, false},
        {"1.0", 1, false},
        {"-0.0", 0, false},
        {"1e3", 1000, false},
        {"1E+3", 1000, false},
        {"25e-1", 2.5, false},
        {"0.1", 0.1, false},
        {"0e9", 0, false},
        {"1.7976931348623157e308", 0x1.fffffffffffffp1023, false},
        {"4.9406564584124654e-324", 0x1p-1074, false},
        {"1e-999", 0, false},
        {"10000000000000000000000000000000000000000", 1e40, false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct trit_json *tree = read_text(all[i].text);
        const struct trit_json_value *root = trit_json_root(tree);
        int64_t whole = 0;
        assert_int_equal(trit_json_type_of(root), TRIT_JSON_NUMBER);
        assert_true(trit_json_double(root) == all[i].number);
        assert_int_equal(trit_json_int64(root, &whole), all[i].whole);
        if (all[i].whole && fabs(all[i].number) < 0x1p53)
            assert_true((double)whole == all[i].number);
        if (i == 4)
            assert_true(whole == INT64_MAX);
        if (i == 5)
            assert_true(whole == INT64_MIN);
        trit_json_free(&tree);
    }
}

static void strings(void **state)
{
    (void)state;
    reads_as("\"\"", "", 0);
    reads_as("\"abc\"", "abc", 3);
    reads_as("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
    reads_as("\"a\\u0000b\"", "a\0b", 3);
    reads_as("\"\\u0041\\u00e9\\u20AC\\uffff\"", "A\xC3\xA9\xE2\x82\xAC\xEF\xBF\xBF", 9);
    reads_as("\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80", 4);
    reads_as("\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 8);
    reads_as("\"\xC2\x80\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\x7f\"",
             "\xC2\x80\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\x7f",
             20);
}

static void trees(void **state)
{
    struct trit_json *tree = read_text(
        "{\"a\":[1,[2,{\"x\":3}],\"s\"],\"\":{},\"b\" : {\"c\":true,\"d\":[]} , \"n\":null}");
    const struct trit_json_value *root = trit_json_root(tree), *a = trit_json_member(root, "a");
    const struct trit_json_value *b = trit_json_member(root, "b");
    int64_t x = 0;
    (void)state;

    assert_int_equal(trit_json_count(root), 4);
    assert_int_equal(trit_json_count(a), 3);
    assert_true(trit_json_int64(trit_json_item(a, 0), &x) && x == 1);
    assert_true(
        trit_json_int64(trit_json_member(trit_json_item(trit_json_item(a, 1), 1), "x"), &x) &&
        x == 3);
    is_text(trit_json_item(a, 2), "s", 1);
    assert_null(trit_json_item(a, 3));
    assert_null(trit_json_next(trit_json_item(a, 2)));
    assert_string_equal(trit_json_key(trit_json_next(a)).bytes, "");
    assert_int_equal(trit_json_type_of(trit_json_member(root, "")), TRIT_JSON_OBJECT);
    assert_true(trit_json_is_true(trit_json_member(b, "c")));
    assert_string_equal(trit_json_key(trit_json_first(b)).bytes, "c");
    assert_int_equal(trit_json_type_of(trit_json_next(trit_json_first(b))), TRIT_JSON_ARRAY);
    assert_int_equal(trit_json_type_of(trit_json_member(root, "n")), TRIT_JSON_NULL);
    assert_null(trit_json_next(trit_json_member(root, "n")));
    assert_null(trit_json_member(root, "c"));
    trit_json_free(&tree);
}

static void last_key_counts(void **state)
{
    struct trit_json *tree = read_text("{\"a\":1,\"b\":2,\"a\":[3,4],\"\\u0062\":5}");
    int64_t x = 0;
    (void)state;
    assert_int_equal(trit_json_count(trit_json_root(tree)), 4);
    assert_int_equal(trit_json_count(trit_json_member(trit_json_root(tree), "a")), 2);
    assert_true(trit_json_int64(trit_json_member(trit_json_root(tree), "b"), &x) && x == 5);
    trit_json_free(&tree);
}

/* A NULL value and a value of another type have no members. */
static void absent(void **state)
{
    struct trit_json *tree = read_text("[\"1\",1,{}]"), *none = NULL;
    const struct trit_json_value *root = trit_json_root(tree);
    int64_t x;
    (void)state;

    assert_null(trit_json_root(NULL));
    assert_int_equal(trit_json_type_of(NULL), TRIT_JSON_ABSENT);
    assert_int_equal(trit_json_count(NULL), 0);
    assert_null(trit_json_first(NULL));
    assert_null(trit_json_next(NULL));
    assert_null(trit_json_item(NULL, 0));
    assert_null(trit_json_member(NULL, "a"));
    assert_null(trit_json_member(root, "a"));
    assert_null(trit_json_item(trit_json_item(root, 2), 0));
    assert_int_equal(trit_json_count(trit_json_item(root, 0)), 0);
    assert_true(isnan(trit_json_double(trit_json_item(root, 0))) && isnan(trit_json_double(NULL)));
    assert_false(trit_json_int64(trit_json_item(root, 0), &x));
    assert_int_equal(trit_json_text(trit_json_item(root, 1)).len, 0);
    assert_string_equal(trit_json_text(NULL).bytes, "");
    assert_string_equal(trit_json_key(root).bytes, "");
    assert_false(trit_json_is_true(trit_json_item(root, 1)));
    trit_json_free(&tree);
    trit_json_free(&none);
    trit_json_free(NULL);
}

static void lines(void **state)
{
    static const char text[] = "\n{\"a\":1}\r\n\n [2,3] \n\"x\"";
    struct trit_error err;
    struct trit_json *tree = read_bytes(trit_json_read_lines, text, sizeof text - 1, &err);
    (void)state;

    assert_int_equal(trit_json_count(trit_json_root(tree)), 3);
    assert_int_equal(trit_json_count(trit_json_item(trit_json_root(tree), 1)), 2);
    is_text(trit_json_item(trit_json_root(tree), 2), "x", 1);
    assert_null(trit_json_next(trit_json_item(trit_json_root(tree), 2)));
    trit_json_free(&tree);
    tree = read_bytes(trit_json_read_lines, " \n ", 3, &err);
    assert_int_equal(trit_json_count(trit_json_root(tree)), 0);
    trit_json_free(&tree);
    refuse_with(trit_json_read_lines, "1\n2 3", 5,
                "line 2, column 3: found '3', expected the end of the line");
    refuse_with(trit_json_read_lines, "{}\n{\n", 5,
                "line 3, column 1: found the end of the text, expected a key in quotes");
}

/* ---- What is not ----------------------------------------------------------------------------- */

static void syntax(void **state)
{
    static const struct {
        const char *text, *message;
    } all[] = {
        {"", "line 1, column 1: found the end of the text, expected a value"},
        {" \n ", "line 2, column 2: found the end of the text, expected a value"},
        {"nul", "line 1, column 1: found 'nul', expected a value"},
        {"nulls", "line 1, column 1: found 'nulls', expected a value"},
        {"True", "line 1, column 1: found 'True', expected a value"},
        {"NaN", "line 1, column 1: found 'NaN', expected a value"},
        {"'a'", "line 1, column 1: found ''', expected a value"},
        {"\xEF\xBB\xBF{}", "line 1, column 1: found byte 0xef, expected a value"},
        {"// x\n1", "line 1, column 1: found '/', expected a value"},
        {"[", "line 1, column 2: found the end of the text, expected a value"},
        {"]", "line 1, column 1: found ']', expected a value"},
        {"[1,]", "line 1, column 4: found ']', expected a value"},
        {"[,1]", "line 1, column 2: found ',', expected a value"},
        {"[1 2]", "line 1, column 4: found '2', expected ',' or ']'"},
        {"[1}", "line 1, column 3: found '}', expected ',' or ']'"},
        {"[\"\xC3\xA9\",\n\"\xE2\x82\xAC\" x]", "line 2, column 5: found 'x', expected ',' or ']'"},
        {"{\"a\":1,}", "line 1, column 8: found '}', expected a key in quotes"},
        {"{a:1}", "line 1, column 2: found 'a', expected a key in quotes"},
        {"{1:1}", "line 1, column 2: found '1', expected a key in quotes"},
        {"{\"a\" 1}", "line 1, column 6: found '1', expected ':' after a key"},
        {"{\"a\":}", "line 1, column 6: found '}', expected a value"},
        {"{\"a\":1]", "line 1, column 7: found ']', expected ',' or '}'"},
        {"1 2", "line 1, column 3: found '2', expected the end of the text"},
        {"{}}", "line 1, column 3: found '}', expected the end of the text"},
        {"01", "line 1, column 2: found '1', expected the end of the text"},
        {"-", "line 1, column 2: found the end of the text, expected a digit"},
        {"-a", "line 1, column 2: found 'a', expected a digit"},
        {"+1", "line 1, column 1: found '+1', expected a value"},
        {".5", "line 1, column 1: found '.5', expected a value"},
        {"1.", "line 1, column 3: found the end of the text, expected a digit"},
        {"1.e3", "line 1, column 3: found 'e3', expected a digit"},
        {"1e", "line 1, column 3: found the end of the text, expected a digit"},
        {"1e+", "line 1, column 4: found the end of the text, expected a digit"},
        {"0x10", "line 1, column 2: found 'x10', expected the end of the text"},
        {"1e309", "line 1, column 1: found '1e309', expected a number in the range of a double"},
        {"[-1e999]",
         "line 1, column 2: found '-1e999', expected a number in the range of a double"},
        {"\"a",
         "line 1, column 3: found the end of the text, expected '\"' at the end of a string"},
        {"\"a\nb\"", "line 1, column 3: found the end of the line, expected an escape for a "
                     "control character"},
        {"\"\x1f\"",
         "line 1, column 2: found byte 0x1f, expected an escape for a control character"},
        {"\"\\x\"", "line 1, column 3: found 'x', expected one of \"\\/bfnrtu after a backslash"},
        {"\"\\U0041\"",
         "line 1, column 3: found 'U0041', expected one of \"\\/bfnrtu after a backslash"},
        {"\"\\u12g4\"", "line 1, column 6: found 'g4', expected four hexadecimal digits"},
        {"\"\\u12",
         "line 1, column 6: found the end of the text, expected four hexadecimal digits"},
        {"\"\\udc00\"", "line 1, column 2: found '\\udc00', expected a high surrogate (\\ud800 to "
                        "\\udbff) before a low one"},
        {"\"\\ud800\"", "line 1, column 8: found '\"', expected a low surrogate (\\udc00 to "
                        "\\udfff) after a high one"},
        {"\"\\ud800x\"", "line 1, column 8: found 'x', expected a low surrogate (\\udc00 to "
                         "\\udfff) after a high one"},
        {"\"\\ud800\\n\"", "line 1, column 8: found '\\n', expected a low surrogate (\\udc00 to "
                           "\\udfff) after a high one"},
        {"\"\\ud800\\ud800\"", "line 1, column 8: found '\\ud800', expected a low surrogate "
                               "(\\udc00 to \\udfff) after a high one"},
        {"\"\\ud800\\u0041\"", "line 1, column 8: found '\\u0041', expected a low surrogate "
                               "(\\udc00 to \\udfff) after a high one"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        refuse(all[i].text, all[i].message);
    refuse_with(trit_json_read, "1\0", 2,
                "line 1, column 2: found byte 0x00, expected the end of the text");
    refuse_with(trit_json_read, "\"\\\0\"", 4,
                "line 1, column 3: found byte 0x00, expected one of \"\\/bfnrtu after a backslash");
    refuse_with(trit_json_read, "\"\\u\0\"", 5,
                "line 1, column 4: found byte 0x00, expected four hexadecimal digits");
}

static void bad_utf8(void **state)
{
    static const char *const all[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC3",
                                      "\xC3(",
                                      "\xE0\x80\x80",
                                      "\xE0\x9F\xBF",
                                      "\xE2\x82",
                                      "\xE2(\xA1",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xF0\x80\x80\x80",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF0\x9F\x98",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xF8\x88\x80\x80\x80",
                                      "\xFE",
                                      "\xFF"};
    char text[16], message[80];
    (void)state;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        snprintf(text, sizeof text, "\"a%s\"", all[i]);
        snprintf(message, sizeof message, "line 1, column 3: found byte 0x%02x, expected UTF-8",
                 (unsigned)(unsigned char)all[i][0]);
        refuse(text, message);
        text[strlen(text) - 1] = 0; /* ends inside the value */
        refuse(text, message);
    }
}

static void depth(void **state)
{
    char text[200010];
    struct trit_json *tree;
    (void)state;

    memset(text, '[', TRIT_JSON_MAX_DEPTH);
    memset(text + TRIT_JSON_MAX_DEPTH, ']', TRIT_JSON_MAX_DEPTH);
    text[2 * TRIT_JSON_MAX_DEPTH] = 0;
    tree = read_text(text);
    trit_json_free(&tree);
    /* a sequence of values is not deeper */
    snprintf(text, sizeof text, "[[[[]],[[{}]]],[[[]]],{\"a\":[[]]}]");
    tree = read_text(text);
    assert_int_equal(trit_json_count(trit_json_root(tree)), 3);
    trit_json_free(&tree);
    memset(text, '[', 200000);
    text[200000] = 0;
    refuse(text, "line 1, column 65: found '[', expected at most 64 nested arrays and objects");
    for (int i = 0; i < 40000; i++)
        memcpy(text + 5 * i, "{\"\":[", 5);
    refuse(text, "line 1, column 161: found '{', expected at most 64 nested arrays and objects");
}

static void limits(void **state)
{
    struct trit_error err;
    struct trit_json *tree;
    const size_t len = 2 * (size_t)TRIT_JSON_MAX_VALUES + 1;
    char *text = malloc(len);
    (void)state;

    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = i % 2 ? '1' : ',';
    text[0] = '[';
    text[len - 1] = ']';
    assert_int_equal(trit_json_read(&tree, text, len, &err), TRIT_E_FILE);
    assert_non_null(strstr(err.text, "expected at most 16777216 values"));
    assert_null(tree);
    text[len - 3] = ']';
    text[len - 2] = text[len - 1] = ' ';
    assert_int_equal(trit_json_read(&tree, text, len, NULL), TRIT_OK);
    assert_int_equal(trit_json_count(trit_json_root(tree)), TRIT_JSON_MAX_VALUES - 1);
    trit_json_free(&tree);
    /* refused before the first byte is read */
    assert_int_equal(trit_json_read(&tree, text, (size_t)TRIT_JSON_MAX_BYTES + 1, &err),
                     TRIT_E_FILE);
    assert_string_equal(err.text, "the text is larger than 256 MiB");
    assert_int_equal(trit_json_read(&tree, "x", 1, NULL), TRIT_E_FILE);
    free(text);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static const char whole_text[] =
    "{\"a\":[1,-2.5e+10,true,false,null],\"\xE2\x82\xAC\\u20ac\\ud83d\\ude00\\n\":{\"b\":{},\"c\":"
    "[]},\n \"d\" : \"\xF0\x9F\x98\x80 text\"}";

static void cut(void **state)
{
    struct trit_error err;
    (void)state;

    for (size_t len = 0; len < sizeof whole_text - 1; len++)
        assert_null(read_bytes(trit_json_read, whole_text, len, &err));
    struct trit_json *tree = read_bytes(trit_json_read, whole_text, sizeof whole_text - 1, &err);
    assert_non_null(tree);
    trit_json_free(&tree);
}

/* Visits the whole tree. Returns the number of values. */
static size_t walk(const struct trit_json_value *v)
{
    size_t n = 1, children = 0;
    for (const struct trit_json_value *c = trit_json_first(v); c; c = trit_json_next(c)) {
        n += walk(c);
        children++;
    }
    assert_int_equal(children, trit_json_count(v));
    assert_int_equal(trit_json_text(v).bytes[trit_json_text(v).len], 0);
    return n;
}

/* With one or two bytes changed, the result is an error or a tree. */
static void changed(void **state)
{
    static const char bytes[] = "[]{}:,\"\\u0eE-+.1tfn \n\x80\xC3\xF0\xFF";
    uint64_t rng = 7;
    char text[sizeof whole_text];
    size_t n_read = 0;
    (void)state;

    for (int i = 0; i < 20000; i++) {
        struct trit_error err;
        memcpy(text, whole_text, sizeof text);
        for (int k = 0; k <= i % 2; k++)
            text[fx_random(&rng) % (sizeof text - 1)] = bytes[fx_random(&rng) % sizeof bytes];
        struct trit_json *tree =
            read_bytes(i % 3 ? trit_json_read : trit_json_read_lines, text, sizeof text - 1, &err);
        if (tree)
            n_read += walk(trit_json_root(tree)) > 0;
        trit_json_free(&tree);
    }
    assert_true(n_read > 100);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(scalars), cmocka_unit_test(numbers),         cmocka_unit_test(strings),
    cmocka_unit_test(trees),   cmocka_unit_test(last_key_counts), cmocka_unit_test(absent),
    cmocka_unit_test(lines),   cmocka_unit_test(syntax),          cmocka_unit_test(bad_utf8),
    cmocka_unit_test(depth),   cmocka_unit_test(limits),          cmocka_unit_test(cut),
    cmocka_unit_test(changed),
};

const struct suite suite = {SUITE_TESTS(tests)};
