/* unicode.c - see unicode.h. */
#include "unicode.h"

enum { LAST_CODE = 0x10FFFF };

unsigned trit_char_class(uint32_t code)
{
    size_t lo = 0, hi = trit_n_unicode_ranges;

    if (code > LAST_CODE)
        return TRIT_CHAR_OTHER;
    while (hi - lo > 1) {
        const size_t mid = lo + (hi - lo) / 2;
        if (trit_unicode_ranges[mid].first <= code)
            lo = mid;
        else
            hi = mid;
    }
    return trit_unicode_ranges[lo].class;
}
