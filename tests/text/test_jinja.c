/* test_jinja.c - templates against an independent interpreter, the origins of bytes, errors, and
 * bounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jinja.h"
#include "shared.h"
#include "str.h"
#include "suite.h"

static struct trit_json *read_lines(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct trit_json *json = NULL;
    struct trit_error err = {.text = "?"};
    static char text[1 << 20];

    if (!f)
        fail_msg("%s cannot be opened", path);
    const size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    if (trit_json_read_lines(&json, text, n, &err))
        fail_msg("%s: %s", path, err.text);
    return json;
}

static struct trit_jinja_input input_of(const struct trit_json_value *c)
{
    const struct trit_json_value *thinking = trit_json_member(c, "enable_thinking");
    return (struct trit_jinja_input){
        .json = trit_json_member(c, "messages"),
        .tools = trit_json_member(c, "tools"),
        .bos_token = {"<s>", 3},
        .eos_token = {"</s>", 4},
        .add_generation_prompt = true,
        .enable_thinking = thinking ? trit_json_is_true(thinking) : -1,
    };
}

/* Render and compare with a string, or with an error if `want` is null.
 * @return false, after printing both, if they differ */
static bool matches(struct trit_string source, const struct trit_jinja_input *in,
                    const struct trit_json_value *want, const char *where)
{
    const struct trit_string text = trit_json_text(want);
    const bool fails = trit_json_type_of(want) == TRIT_JSON_NULL;
    struct trit_jinja_output out;
    struct trit_error err = {.text = ""};
    const trit_status status = trit_jinja_render(&out, source, in, &err);
    const bool same = fails ? status == TRIT_E_FILE
                            : status == TRIT_OK && out.len == text.len &&
                                  memcmp(out.text, text.bytes, text.len) == 0;

    if (!same)
        print_error("%s: %.*s: %s\n--- want\n%.*s\n--- got\n%.*s\n---\n", where, (int)source.len,
                    source.bytes, err.text, (int)text.len, text.bytes, (int)out.len,
                    out.text ? out.text : "");
    trit_jinja_free(&out);
    return same;
}

/* Each template on each conversation. */
static void test_goldens(void **state)
{
    struct trit_json *json = read_lines(TEST_SOURCE_DIR "/text/jinja/goldens.jsonl");
    const struct trit_json_value *row = trit_json_first(trit_json_root(json)),
                                 *cases = trit_json_member(row, "cases");
    int n = 0, failures = 0;

    (void)state;
    for (row = trit_json_next(row); row; row = trit_json_next(row)) {
        const struct trit_json_value *text = trit_json_first(trit_json_member(row, "texts"));
        for (const struct trit_json_value *c = trit_json_first(cases); c;
             c = trit_json_next(c), text = trit_json_next(text), n++) {
            const struct trit_jinja_input in = input_of(c);
            failures += !matches(trit_json_text(trit_json_member(row, "template")), &in, text,
                                 trit_json_text(trit_json_member(row, "name")).bytes);
        }
    }
    trit_json_free(&json);
    assert_true(n >= 200);
    assert_int_equal(failures, 0);
}

static const char conversation[] =
    "[{\"role\":\"system\",\"content\":\"You are brief.\"},{\"role\":\"user\",\"content\":\"Hi\"},"
    "{\"role\":\"assistant\",\"content\":\"Hello!\",\"extra\":{\"n\":1,\"list\":[1,2.5,null,true]}}"
    ",{\"role\":\"user\",\"content\":\"  größer 日本\\n\"}]";

static void test_language(void **state)
{
    struct trit_json *json = read_lines(TEST_SOURCE_DIR "/text/jinja/language.jsonl"), *messages;
    int n = 0, failures = 0;

    (void)state;
    assert_int_equal(trit_json_read(&messages, conversation, strlen(conversation), NULL), TRIT_OK);
    for (const struct trit_json_value *c = trit_json_first(trit_json_root(json)); c;
         c = trit_json_next(c), n++) {
        const struct trit_jinja_input in = {.json = trit_json_root(messages),
                                            .enable_thinking = -1};
        failures += !matches(trit_json_text(trit_json_member(c, "template")), &in,
                             trit_json_member(c, "text"), "language");
    }
    trit_json_free(&json);
    trit_json_free(&messages);
    assert_true(n > 80);
    assert_int_equal(failures, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_goldens),
    cmocka_unit_test(test_language),
};

const struct suite suite = {SUITE_TESTS(tests)};
