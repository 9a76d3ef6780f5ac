/* fields.h - named values on stdout, as members of a JSON object or as columns of CSV. */
#ifndef TRIT_TOOLS_FIELDS_H
#define TRIT_TOOLS_FIELDS_H

#include <stdbool.h>

/* A text, or if it is NULL a number, or if it has one a list of `number` values, in JSON only. */
struct field {
    const char *name, *text;
    double number;
    const double *list;
};

struct number {
    const char *name;
    double value;
};

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

/* "a":1,"b":"x" without braces */
void json_fields(const struct field *f, int n);

/* The same of numbers, after `before`. exact: by json_exact(), else by json_number() */
void json_numbers(const char *before, const struct number *x, int n, bool exact);

/* A line each; what is not finite is left empty. */
void csv_names(const struct field *f, int n);
void csv_values(const struct field *f, int n);

#endif
