/* suite.h - the main function of every cmocka suite: one table of cases, all or some of which run.
 *
 * A suite defines `suite` and links trit_suite_support. Then
 *
 *   test_session                       runs every case
 *   test_session --filter '*shift*'    runs the cases with such a name; * and ? as in a shell
 *   test_session --list                prints the names
 *   test_session --part 2/4            runs the second of every four cases, for tests in parallel
 *
 * exits with 0 if all cases passed, with 1 if one failed or no name matches the filter, and with 2
 * and a usage line if the command line is wrong. */
#ifndef TRIT_TESTS_SUITE_H
#define TRIT_TESTS_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct suite {
    const struct CMUnitTest *tests;
    size_t n_tests;

    /* One more case for each of n_rows rows of row_bytes: test_row(), which gets its row in *state.
     * A row begins with its name, a const char *. */
    CMUnitTestFunction test_row;
    const void *rows;
    size_t n_rows, row_bytes;

    CMFixtureFunction setup, teardown; /* run once for all cases, or NULL */

    /* Arguments that are not options, as in the usage line, and the function that takes them, which
     * returns false if they are wrong. NULL: none. */
    const char *arguments;
    bool (*take_arguments)(int n, char **args);
};
extern const struct suite suite;

/* Initialize its members from arrays. */
#define SUITE_TESTS(array) .tests = (array), .n_tests = sizeof(array) / sizeof *(array)
#define SUITE_ROWS(test, array)                                                                    \
    .test_row = (test), .rows = (array), .n_rows = sizeof(array) / sizeof *(array),                \
    .row_bytes = sizeof *(array)

#endif
