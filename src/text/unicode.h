/* unicode.h - code points and the character classes that tokenizers use. */
#ifndef TRIT_TEXT_UNICODE_H
#define TRIT_TEXT_UNICODE_H

#include "trit.h"

/* One class per code point, from its general category; SPACE is the property White_Space and takes
 * precedence. The classes are bits, so a set of classes is a mask. */
enum {
    TRIT_CHAR_OTHER = 1 << 0,
    TRIT_CHAR_UPPER = 1 << 1,    /* Lu */
    TRIT_CHAR_TITLE = 1 << 2,    /* Lt */
    TRIT_CHAR_LOWER = 1 << 3,    /* Ll */
    TRIT_CHAR_MODIFIER = 1 << 4, /* Lm */
    TRIT_CHAR_LETTER = 1 << 5,   /* Lo */
    TRIT_CHAR_MARK = 1 << 6,     /* M */
    TRIT_CHAR_NUMBER = 1 << 7,   /* N */
    TRIT_CHAR_PUNCT = 1 << 8,    /* P */
    TRIT_CHAR_SPACE = 1 << 9,

    /* \p{L} */
    TRIT_CHARS_L =
        TRIT_CHAR_UPPER | TRIT_CHAR_TITLE | TRIT_CHAR_LOWER | TRIT_CHAR_MODIFIER | TRIT_CHAR_LETTER,
};

/* The class of a code point; OTHER beyond U+10FFFF. */
unsigned trit_char_class(uint32_t code);

/* Generated (unicode_tables.c): ascending first code points. */
struct trit_unicode_range {
    uint32_t first;
    uint16_t class;
};
extern const struct trit_unicode_range trit_unicode_ranges[];
extern const size_t trit_n_unicode_ranges;

#endif
