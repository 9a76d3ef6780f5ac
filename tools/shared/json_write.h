/* json_write.h - writes JSON to a stream. Invalid UTF-8 becomes U+FFFD. */
#ifndef TRIT_TOOLS_JSON_WRITE_H
#define TRIT_TOOLS_JSON_WRITE_H

#include <stdio.h>

#include "trit.h"

/* A string literal with its quotes. */
void json_string(FILE *f, const char *text, size_t len);

/* [1,2,3] */
void json_ids(FILE *f, const int32_t *ids, int32_t n);

/* A number with nine digits, or with enough to read it back exactly. null if it is not finite. */
void json_number(FILE *f, double x);
void json_exact(FILE *f, double x);

#endif
