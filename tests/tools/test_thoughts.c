/* test_thoughts.c - answers split into thoughts and text, in pieces of any length. */
#include <string.h>

#include "suite.h"
#include "thoughts.h"

struct parts {
    char said[128], thought[128];
};

static bool collect(void *user, const char *text, size_t len, bool is_thought)
{
    struct parts *p = user;
    strncat(is_thought ? p->thought : p->said, text, len);
    return true;
}

static void test_split(void **state)
{
    static const struct {
        const char *answer, *thought, *said;
        bool open; /* the template has begun the thought */
    } cases[] = {
        {"Hello", "", "Hello", false},
        {"<think>\na < b\n</think>\n\nc < d", "a < b\n", "c < d", false},
        {" \n<think>x</think>y<think>z</think>", "x", "y<think>z</think>", false},
        {"  Hello", "", "  Hello", false},
        {"<thin", "", "<thin", false},
        {"<thinking>x", "", "<thinking>x", false},
        {"<think>never ends </thi", "never ends </thi", "", false},
        {"<think></think>x", "", "x", false},
        {"<think>a</think></think>b</think>", "a", "</think>b</think>", false},
        {"a<</think>b", "a<", "b", true},
        {"\n\nwhy\n</think>\n\nso", "why\n", "so", true},
        {"<think>x</think>y", "<think>x", "y", true},
        {"", "", "", true},
        {"", "", "", false},
        {"                                        <think>x", "",
         "                                        <think>x", false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t piece = 1; piece < 50; piece++) {
            struct parts p = {.said = ""};
            struct thoughts t;
            const char *text = cases[i].answer;
            thoughts_begin(&t, cases[i].open);
            for (size_t left = strlen(text), n; left; text += n, left -= n) {
                n = left < piece ? left : piece;
                assert_true(thoughts_push(&t, text, n, collect, &p));
            }
            assert_true(thoughts_finish(&t, collect, &p));
            assert_string_equal(p.thought, cases[i].thought);
            assert_string_equal(p.said, cases[i].said);
        }
}

static bool refuse(void *user, const char *text, size_t len, bool is_thought)
{
    (void)text, (void)len, (void)is_thought;
    return ++*(int *)user < 2;
}

static void test_stop(void **state)
{
    struct thoughts t;
    int calls = 0;
    (void)state;

    thoughts_begin(&t, true);
    assert_false(thoughts_push(&t, "a<b<c", 5, refuse, &calls));
    assert_int_equal(calls, 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_split),
    cmocka_unit_test(test_stop),
};

const struct suite suite = {SUITE_TESTS(tests)};
