/* utf8.c - see utf8.h. */
#include "utf8.h"

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
