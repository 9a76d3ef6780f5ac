/* str.h - length-counted strings, which may contain NULs: make, compare, order. */
#ifndef TRIT_BASE_STR_H
#define TRIT_BASE_STR_H

#include <string.h>

#include "trit.h"

static inline struct trit_string trit_string_of(const char *text)
{
    return (struct trit_string){text, strlen(text)};
}

static inline bool trit_string_is(struct trit_string s, const char *text)
{
    return s.len == strlen(text) && (s.len == 0 || memcmp(s.bytes, text, s.len) == 0);
}

static inline bool trit_string_ends(struct trit_string s, const char *end)
{
    const size_t n = strlen(end);
    return s.len >= n && memcmp(s.bytes + s.len - n, end, n) == 0;
}

/* Whether part occurs in s. */
static inline bool trit_string_has(struct trit_string s, struct trit_string part)
{
    for (size_t at = 0; at + part.len <= s.len; at++)
        if (part.len == 0 || memcmp(s.bytes + at, part.bytes, part.len) == 0)
            return true;
    return false;
}

/* Negative, 0 or positive if a is before, equal to or after b: bytewise, a prefix first. */
static inline int trit_string_order(struct trit_string a, struct trit_string b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    const int order = n ? memcmp(a.bytes, b.bytes, n) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* The UTF-8 of a code point. @return its length */
size_t trit_utf8_encode(char out[4], uint32_t code);

#endif
