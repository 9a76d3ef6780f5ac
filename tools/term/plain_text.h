/* plain_text.h - prints text of unknown origin safely. */
#ifndef TRIT_TOOLS_PLAIN_TEXT_H
#define TRIT_TOOLS_PLAIN_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Print text with everything that could act on a terminal (control characters, invalid UTF-8)
 * as \xNN. */
void plain_string(FILE *f, const char *text, size_t len);
void plain_text(FILE *f, const char *text, size_t len); /* keeps line breaks and tabs */

#endif
