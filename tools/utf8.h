/* utf8.h - characters in bytes of unknown origin. */
#ifndef TRIT_TOOLS_UTF8_H
#define TRIT_TOOLS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* What decode_utf8() gives for a byte that begins no character. */
#define UTF8_NO_CHARACTER UINT32_MAX

/* The code point at the start of len > 0 bytes. *n is its length: 1 where there is none. */
uint32_t decode_utf8(const char *text, size_t len, size_t *n);

/* Length of the well-formed character that len > 0 bytes begin with, or 0. */
size_t utf8_character(const char *text, size_t len);

/* How many bytes a character with this first byte has; 0: it is the first of none. */
size_t utf8_length(unsigned char first);

#endif
