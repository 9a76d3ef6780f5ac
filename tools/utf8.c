/* utf8.c - see utf8.h. */
#include "utf8.h"

size_t utf8_length(unsigned char first)
{
    return first < 0x80   ? 1
           : first < 0xC2 ? 0
           : first < 0xE0 ? 2
           : first < 0xF0 ? 3
           : first < 0xF5 ? 4
                          : 0;
}

uint32_t decode_utf8(const char *text, size_t len, size_t *n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text;
    const size_t want = utf8_length(p[0]);

    *n = 1;
    if (want == 1)
        return p[0];
    if (want == 0 || want > len)
        return UTF8_NO_CHARACTER;
    uint32_t code = p[0] & (0x7Fu >> want);
    for (size_t i = 1; i < want; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return UTF8_NO_CHARACTER;
        code = code << 6 | (p[i] & 0x3F);
    }
    if (code < least[want] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return UTF8_NO_CHARACTER;
    *n = want;
    return code;
}

size_t utf8_character(const char *text, size_t len)
{
    size_t n;
    return decode_utf8(text, len, &n) == UTF8_NO_CHARACTER ? 0 : n;
}
