/* utf8.h - characters in bytes of unknown origin. */
#ifndef TRIT_TOOLS_UTF8_H
#define TRIT_TOOLS_UTF8_H

#include <stddef.h>

/* Length of the well-formed character that len > 0 bytes begin with, or 0. */
size_t utf8_character(const char *text, size_t len);

/* How many bytes a character with this first byte has; 0: it is the first of none. */
size_t utf8_length(unsigned char first);

#endif
