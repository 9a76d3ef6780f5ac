/* test_jinja.c - templates against an independent interpreter, the origins of bytes, errors, and
 * bounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jinja.h"
#include "shared.h"
#include "str.h"
#include "suite.h"

typedef trit_status (*read_fn)(struct trit_json **out, const char *text, size_t len,
                               struct trit_error *err);

static struct trit_json *read_with(read_fn read, const char *path)
{
    static char text[1 << 21];
    FILE *f = fopen(path, "rb");
    struct trit_json *json = NULL;
    struct trit_error err = {.text = "?"};

    if (!f)
        fail_msg("%s cannot be opened", path);
    const size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    if (read(&json, text, n, &err))
        fail_msg("%s: %s", path, err.text);
    return json;
}

static struct trit_json *read_lines(const char *path)
{
    return read_with(trit_json_read_lines, path);
}

static struct trit_json *read_json(const char *path)
{
    return read_with(trit_json_read, path);
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

/* The templates of Qwen3 and Llama-3, byte for byte. */
static void test_published(void **state)
{
    struct trit_json *cases = read_lines(shared_path("template/cases.jsonl")), *qwen3, *llama3;
    int n = 0, failures = 0;

    (void)state;
    qwen3 = read_json(shared_path("tokenizer/qwen3/tokenizer_config.json"));
    llama3 = read_json(shared_path("template/llama3_tokenizer_config.json"));
    for (const struct trit_json_value *c = trit_json_first(trit_json_root(cases)); c;
         c = trit_json_next(c), n++) {
        const bool is_llama = trit_json_is_text(trit_json_member(c, "template"), "llama3");
        const struct trit_json_value *config = trit_json_root(is_llama ? llama3 : qwen3);
        struct trit_jinja_input in = input_of(c);
        in.bos_token = trit_json_text(trit_json_member(config, "bos_token"));
        failures += !matches(trit_json_text(trit_json_member(config, "chat_template")), &in,
                             trit_json_member(c, "text"), is_llama ? "llama3" : "qwen3");
    }
    trit_json_free(&cases);
    trit_json_free(&qwen3);
    trit_json_free(&llama3);
    assert_int_equal(n, 13);
    assert_int_equal(failures, 0);
}

/* ---- Origins --------------------------------------------------------------------------------- */

/* '.' for a byte of the template, 'd' of data, and the last digit of the place in the answers. */
static void check_origins(const char *source, const char *text, const char *origins)
{
    const struct trit_message m[] = {{TRIT_ROLE_USER, {"Ab c", 4}},
                                     {TRIT_ROLE_ASSISTANT, {"x,y", 3}},
                                     {TRIT_ROLE_ASSISTANT, {"Zw", 2}}};
    const struct trit_jinja_input in = {.messages = m, .n = 3, .enable_thinking = -1};
    struct trit_jinja_output out;
    struct trit_error err = {.text = ""};

    if (trit_jinja_render(&out, trit_string_of(source), &in, &err))
        fail_msg("%s: %s", source, err.text);
    assert_int_equal(out.len, strlen(text));
    assert_memory_equal(out.text, text, out.len);
    for (size_t i = 0; i < out.len; i++) {
        const uint32_t o = out.origin[i];
        const char c = o == TRIT_JINJA_TEMPLATE ? '.'
                       : o == TRIT_JINJA_DATA   ? 'd'
                                                : (char)('0' + (o - TRIT_JINJA_ANSWERS) % 10);
        if (c != origins[i])
            fail_msg("%s: byte %zu is of '%c', not '%c'", source, i, c, origins[i]);
    }
    trit_jinja_free(&out);
}

static void test_origins(void **state)
{
    (void)state;
    check_origins("<{{ messages[0].content }}>{{ messages[0].role }}", "<Ab c>user", ".dddd.....");
    check_origins("{{ 'a' + messages[0].content | upper ~ 1 }}", "aAB C1", ".dddd.");
    check_origins("{{ messages[0].content[::-1] }}{{ messages[0].content.split(' ')[1] }}", "c bAc",
                  "ddddd");
    check_origins("{{ messages[0].content | replace('b', '<b>') }}", "A<b> c", "d...dd");
    check_origins("{{ '<b>'.replace('b', messages[0].content) }}", "<Ab c>", ".dddd.");
    check_origins("{{ messages[1].content }}{{ messages[2].content }}", "x,yZw", "01234");
    check_origins("{{ messages[1].content.split(',') | join('-') }}", "x-y", "0.2");
    check_origins("{{ messages[2].content | trim | lower }}{% set a = messages[1].content %}"
                  "{{ a[1:] }}",
                  "zw,y", "3412");
    check_origins("{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(messages[2].content) }}", "[Zw]",
                  ".34.");
    check_origins("{{ messages[0].content | tojson }}", "\"Ab c\"", ".dddd.");
    check_origins("{{ '%s!' % messages[0].content }}{{ [messages[2].content] }}", "Ab c!['Zw']",
                  "dddd...34..");
    check_origins("{% set t %}{{ messages[2].content }}{% endset %}{{ t | title }}", "Zw", "34");
}

/* ---- Errors and bounds ----------------------------------------------------------------------- */

static void check_failure(const char *source, trit_status status, const char *text)
{
    const struct trit_jinja_input in = {.enable_thinking = -1};
    struct trit_jinja_output out;
    struct trit_error err = {.text = ""};

    if (trit_jinja_render(&out, trit_string_of(source), &in, &err) != status)
        fail_msg("%s: %s", source, err.text);
    assert_null(out.text);
    if (!strstr(err.text, text))
        fail_msg("%s: '%s' lacks '%s'", source, err.text, text);
    trit_jinja_free(&out);
}

static void test_errors(void **state)
{
    (void)state;
    check_failure("a\n  {{ x.y }}", TRIT_E_FILE,
                  "line 2, column 8: the value that should have 'y' is undefined");
    check_failure("{{ 'é' ~ 1 2 }}", TRIT_E_FILE, "line 1, column 12: found '2', expected }}");
    check_failure("{{ f(1) }}", TRIT_E_FILE, "'f' is an undefined value and cannot be called");
    check_failure("{% include 'a' %}", TRIT_E_FILE, "found 'include', expected a statement");
    check_failure("{{ 'a'.encode() }}", TRIT_E_FILE, "'encode' is an undefined value");
    check_failure("{{ ''.__class__ | x }}", TRIT_E_FILE, "there is no filter 'x'");
    check_failure("{{ raise_exception('only \x1b[2J') }}", TRIT_E_FILE, "only \\x1b[2J");
    check_failure("{{ strftime_now('%Y') }}", TRIT_E_FILE, "'strftime_now' is an undefined value");
    check_failure("{{ [1, 'a'] | tojson(indent=99) }}", TRIT_E_FILE, "99 spaces");
    check_failure("{% for a in b recursive %}{% endfor %}", TRIT_E_FILE, "not supported");
}

static void test_bounds(void **state)
{
    static char deep[8000];
    (void)state;

    check_failure("{% set r = range(999) %}{% for i in r %}{% for i in r %}{% for i in r %}"
                  "{% endfor %}{% endfor %}{% endfor %}",
                  TRIT_E_FILE, "too many steps");
    check_failure("{% set n = namespace(s='aaaaaaaa') %}{% for i in range(40) %}"
                  "{% set n.s = n.s + n.s %}{% endfor %}",
                  TRIT_E_MEMORY, "too much memory");
    check_failure("{{ 'a' * 99999999999 }}", TRIT_E_MEMORY, "too much memory");
    check_failure("{{ range(9999999999) }}", TRIT_E_MEMORY, "too much memory");
    check_failure("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", TRIT_E_FILE, "too deep");
    check_failure("{% set n = namespace() %}{% set n.a = n %}{{ n }}", TRIT_E_FILE, "too deep");
    check_failure("{% set l = [] %}{% do l.append(l) %}{{ l == l }}{{ l | tojson }}", TRIT_E_FILE,
                  "too deep");
    static const char *const pairs[][2] = {{"(", ")"}, {"-", ""},    {"not ", ""},
                                           {"[", "]"}, {"{1:", "}"}, {"1 if 1 else ", ""},
                                           {"a(", ")"}};
    for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
        strcpy(deep, "{{ ");
        for (int i = 0; i < 2 * 300 + 1; i++)
            strcat(deep, i == 300 ? "1" : pairs[k][i > 300]);
        strcat(deep, " }}");
        check_failure(deep, TRIT_E_FILE, "too deep");
    }
}

static void test_dates(void **state)
{
    static const struct {
        int64_t now;
        const char *format, *text;
    } cases[] = {
        {0, "%Y-%m-%d %H:%M:%S %A %j", "1970-01-01 00:00:00 Thursday 001"},
        {951827696, "%d %b %Y|%-d %B %y|%a %I:%M %p|%e|%F %T|%%",
         "29 Feb 2000|29 February 00|Tue 12:34 PM|29|2000-02-29 12:34:56|%"},
        {-1, "%F %T %a", "1969-12-31 23:59:59 Wed"},
        {4102444799, "%F %-H %-j", "2099-12-31 23 365"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char source[128];
        const struct trit_jinja_input in = {.has_now = true, .now = cases[i].now};
        struct trit_jinja_output out;
        snprintf(source, sizeof source, "{{ strftime_now('%s') }}", cases[i].format);
        assert_int_equal(trit_jinja_render(&out, trit_string_of(source), &in, NULL), TRIT_OK);
        assert_int_equal(out.len, strlen(cases[i].text));
        assert_memory_equal(out.text, cases[i].text, out.len);
        trit_jinja_free(&out);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_goldens),   cmocka_unit_test(test_language),
    cmocka_unit_test(test_published), cmocka_unit_test(test_origins),
    cmocka_unit_test(test_errors),    cmocka_unit_test(test_bounds),
    cmocka_unit_test(test_dates),
};

const struct suite suite = {SUITE_TESTS(tests)};
