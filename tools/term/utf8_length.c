/* utf8_length.c - see utf8_length.h. */
#include "utf8_length.h"

#include "trit.h"

size_t utf8_length(unsigned char first)
{
    return first < 0x80   ? 1
           : first < 0xC2 ? 0
           : first < 0xE0 ? 2
           : first < 0xF0 ? 3
           : first < 0xF5 ? 4
                          : 0;
}

size_t utf8_character(const char *text, size_t len)
{
    size_t n;
    return trit_utf8_decode(text, len, &n) == TRIT_NO_CHARACTER ? 0 : n;
}

bool utf8_is_c1(const char *text, size_t len)
{
    return len == 2 && (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] < 0xA0;
}
