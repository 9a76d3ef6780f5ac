/* json_write.h - writing JSON to a stream, always as UTF-8: bytes that are none become U+FFFD. */
#ifndef TRIT_TOOLS_JSON_WRITE_H
#define TRIT_TOOLS_JSON_WRITE_H

#include <stdio.h>

#include "trit.h"

/* A string literal with its quotes. */
void json_string(FILE *f, const char *text, size_t len);

/* [1,2,3] */
void json_ids(FILE *f, const int32_t *ids, int32_t n);

/* A number, or null where it is not finite: nine digits, or as many as tell it from all others. */
void json_number(FILE *f, double x);
void json_exact(FILE *f, double x);

#endif
