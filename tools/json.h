/* json.h - writing strings of unknown origin to a stream, as JSON or for people. JSON is always
 * UTF-8: bytes that are none become U+FFFD. */
#ifndef TRIT_TOOLS_JSON_H
#define TRIT_TOOLS_JSON_H

#include <stdio.h>

#include "trit.h"

/* A string literal with its quotes. */
void json_string(FILE *f, const char *text, size_t len);

/* Text for people: as it stands, but for what could play tricks on a terminal (control characters,
 * bytes that are no UTF-8), which is shown as \\xNN. */
void plain_string(FILE *f, const char *text, size_t len);
void plain_text(FILE *f, const char *text, size_t len); /* but for line ends and tabs */

/* [1,2,3] */
void json_ids(FILE *f, const int32_t *ids, int32_t n);

/* A number, or null where it is not finite: nine digits, or as many as tell it from all others. */
void json_number(FILE *f, double x);
void json_exact(FILE *f, double x);

#endif
