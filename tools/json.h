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

/* A number, or null where it is not finite. */
void json_number(FILE *f, double x);

#endif
