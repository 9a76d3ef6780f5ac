/* utf8_length.h - how long UTF-8 characters are in bytes of unknown origin. */
#ifndef TRIT_TOOLS_UTF8_LENGTH_H
#define TRIT_TOOLS_UTF8_LENGTH_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the well-formed character that len > 0 bytes begin with, or 0. */
size_t utf8_character(const char *text, size_t len);

/* How many bytes a character with this first byte has; 0: it is the first of none. */
size_t utf8_length(unsigned char first);

/* Whether a well-formed character of len bytes is U+0080..U+009F, which terminals may obey. */
bool utf8_is_c1(const char *text, size_t len);

#endif
