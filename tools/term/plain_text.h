/* plain_text.h - text of unknown origin, for people. */
#ifndef TRIT_TOOLS_PLAIN_TEXT_H
#define TRIT_TOOLS_PLAIN_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Text as it stands, but for what could play tricks on a terminal (control characters, bytes that
 * are no UTF-8), which is shown as \\xNN. */
void plain_string(FILE *f, const char *text, size_t len);
void plain_text(FILE *f, const char *text, size_t len); /* but for line ends and tabs */

#endif
