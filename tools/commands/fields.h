/* fields.h - named values on stdout, as members of a JSON object or as columns of CSV. */
#ifndef TRIT_TOOLS_FIELDS_H
#define TRIT_TOOLS_FIELDS_H

#include <stdbool.h>

/* text if not NULL, else list[number] (in JSON only) if not NULL, else number. */
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

/* The same for numbers, after `before`. exact: use json_exact(), else json_number(). */
void json_numbers(const char *before, const struct number *x, int n, bool exact);

/* Print one line; a number that is not finite is left empty. */
void csv_names(const struct field *f, int n);
void csv_values(const struct field *f, int n);

#endif
