/* test_wrap.c - wrapping words at the width of a terminal, in pieces of any size. */
#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "wrap.h"

/* Whole characters, one at a time and all at once. */
static void check(int columns, const char *text, const char *want)
{
    for (int whole = 0; whole < 2; whole++) {
        char *out;
        size_t n_out, n;
        struct wrap w = {.f = open_memstream(&out, &n_out), .columns = columns};

        assert_non_null(w.f);
        for (size_t at = 0; text[at]; at += n) {
            for (n = 1; (text[at + n] & 0xc0) == 0x80 || (whole && text[at + n]); n++)
                ;
            assert_true(wrap_text(&w, text + at, n));
        }
        assert_true(wrap_finish(&w));
        fclose(w.f);
        assert_string_equal(out, want);
        free(out);
    }
}

static void test_words(void **state)
{
    (void)state;
    check(0, "one two three four", "one two three four\n");
    check(10, "one two three four", "one two\nthree four\n");
    check(10, "one\ntwo\n", "one\ntwo\n");
    check(10, "one\n\ntwo", "one\n\ntwo\n");
    check(10, "  indented by two", "  indented\nby two\n");
    check(10, "", "");
    check(10, "a  ", "a\n");
}

/* After a full line the next word begins a new line, without a leading blank. */
static void test_full_line(void **state)
{
    (void)state;
    check(10, "1234567890", "1234567890\n");
    check(10, "1234567890\nx", "1234567890\nx\n");
    check(10, "1234567890 x", "1234567890\nx\n");
    check(10, "1234 67890 x", "1234 67890\nx\n");
    check(10, "ab 12345678901234 x", "ab\n12345678901234 x\n"); /* the terminal breaks it */
    check(10, "12345678901234567890 x", "12345678901234567890\nx\n");
}

static void test_wide(void **state)
{
    (void)state;
    check(10, "世界世界世界", "世界世界世界\n");
    check(9, "世界世界世界", "世界世界\n世界\n");
    check(10, "a 世界世界世界", "a 世界世界世界\n");
}

static void test_tabs_and_escapes(void **state)
{
    (void)state;
    check(20, "a\tbc de fghij klm", "a\tbc de fghij\nklm\n");
    check(20, "\033[2Jx", "\\x1b[2Jx\n");
    check(12, "abcd \033\033 x", "abcd\n\\x1b\\x1b x\n");
    check(14, "abcd \xE2\x80\xAE x", "abcd\n\\xe2\\x80\\xae x\n"); /* U+202E */
    check(10, "ab\xE2\x80\x8F cd efg", "ab\xE2\x80\x8F cd efg\n"); /* U+200F: no width */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_words),
    cmocka_unit_test(test_full_line),
    cmocka_unit_test(test_wide),
    cmocka_unit_test(test_tabs_and_escapes),
};

const struct suite suite = {SUITE_TESTS(tests)};
