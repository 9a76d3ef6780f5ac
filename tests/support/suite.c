/* suite.c - see suite.h. */
#include "suite.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *filter;     /* NULL: all cases */
    unsigned part, n_parts; /* of all cases; 1 of 1 */
    bool list;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [--filter PATTERN] [--part I/N] [--list]%s%s\n", program,
            suite.arguments ? " " : "", suite.arguments ? suite.arguments : "");
    return 2;
}

/* "2/4" */
static bool parse_part(struct options *o, const char *text)
{
    char rest;
    return sscanf(text, "%u/%u%c", &o->part, &o->n_parts, &rest) == 2 && o->part >= 1 &&
           o->part <= o->n_parts;
}

/* Leaves the arguments that are not options in args. @return their number; -1: wrong usage */
static int parse(struct options *o, int argc, char **argv, char **args)
{
    int n = 0;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--list") == 0)
            o->list = true;
        else if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc)
            o->filter = argv[++i];
        else if (strcmp(argv[i], "--part") == 0 && i + 1 < argc) {
            if (!parse_part(o, argv[++i]))
                return -1;
        } else if (argv[i][0] != '-')
            args[n++] = argv[i];
        else
            return -1;
    return n;
}

static struct CMUnitTest case_at(size_t i)
{
    if (i < suite.n_tests)
        return suite.tests[i];
    const char *row = (const char *)suite.rows + (i - suite.n_tests) * suite.row_bytes;
    struct CMUnitTest test = {.test_func = suite.test_row, .initial_state = (void *)(uintptr_t)row};
    memcpy(&test.name, row, sizeof test.name);
    return test;
}

/* Copies the cases to run. @return their number */
static size_t choose(struct CMUnitTest *chosen, const struct options *o)
{
    size_t n = 0;

    for (size_t i = 0; i < suite.n_tests + suite.n_rows; i++) {
        const struct CMUnitTest test = case_at(i);
        if (i % o->n_parts == o->part - 1 && (!o->filter || fnmatch(o->filter, test.name, 0) == 0))
            chosen[n++] = test;
    }
    return n;
}

static int run(const char *program, const struct options *o, struct CMUnitTest *chosen)
{
    const size_t n = choose(chosen, o);

    if (n == 0) {
        fprintf(stderr, "%s: no case is called '%s'; see --list\n", program,
                o->filter ? o->filter : "*");
        return 1;
    }
    for (size_t i = 0; o->list && i < n; i++)
        puts(chosen[i].name);
    if (o->list)
        return 0;
    /* the function behind cmocka's macros, which do not take a count */
    return _cmocka_run_group_tests(program, chosen, n, suite.setup, suite.teardown) ? 1 : 0;
}

int main(int argc, char **argv)
{
    const char *program = base_name(argv[0]);
    char **args = calloc((size_t)argc, sizeof *args);
    struct CMUnitTest *chosen = calloc(suite.n_tests + suite.n_rows, sizeof *chosen);
    struct options o = {NULL, 1, 1, false};
    int status = 2;

    if (args && chosen) {
        const int n = parse(&o, argc, argv, args);
        const bool ok =
            n >= 0 && (o.list || (suite.take_arguments ? suite.take_arguments(n, args) : n == 0));
        status = ok ? run(program, &o, chosen) : usage(program);
    }
    free(args);
    free(chosen);
    return status;
}
