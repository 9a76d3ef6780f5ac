/* utf8_code.c - one character of UTF-8, to a code point (it may be invalid) and back. */
#include "str.h"
#include "trit_tools.h"

uint32_t trit_utf8_decode(const char *text, size_t len, size_t *n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text;
    const size_t want = p[0] < 0x80   ? 1
                        : p[0] < 0xC2 ? 0
                        : p[0] < 0xE0 ? 2
                        : p[0] < 0xF0 ? 3
                        : p[0] < 0xF5 ? 4
                                      : 0;
    *n = 1;
    if (want == 1)
        return p[0];
    if (want == 0 || want > len)
        return TRIT_NO_CHARACTER;
    uint32_t code = p[0] & (0x7Fu >> want);
    for (size_t i = 1; i < want; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return TRIT_NO_CHARACTER;
        code = code << 6 | (p[i] & 0x3F);
    }
    if (code < least[want] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return TRIT_NO_CHARACTER;
    *n = want;
    return code;
}

size_t trit_utf8_encode(char out[4], uint32_t code)
{
    const size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(n == 1 ? code : (0xF00 >> n & 0xFF) | code);
    return n;
}
