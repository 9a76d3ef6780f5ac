/* plain_text.h - prints text of unknown origin safely. */
#ifndef TRIT_TOOLS_PLAIN_TEXT_H
#define TRIT_TOOLS_PLAIN_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "trit.h"

/* Whether a character could act on a terminal: a control, one that changes the direction of the
 * text around it, or TRIT_NO_CHARACTER (invalid UTF-8). */
bool acts_on_terminal(uint32_t code);

/* Print text with everything that could act on a terminal as \xNN. */
void plain_string(FILE *f, const char *text, size_t len);
void plain_text(FILE *f, const char *text, size_t len); /* keeps line breaks and tabs */

/* Print text as plain_text() does if f is a terminal, else its bytes. All that may hold the text of
 * a model, a file or a user is printed by these two. */
void safe_text(FILE *f, const char *text, size_t len);
void safe_printf(FILE *f, const char *fmt, ...) TRIT_PRINTF(2, 3);
void safe_vprintf(FILE *f, const char *fmt, va_list args);

#endif
