/* utf8.h - turn bytes that arrive in pieces into whole characters. */
#ifndef TRIT_TEXT_UTF8_H
#define TRIT_TEXT_UTF8_H

#include "trit.h"

/* fn receives at most this many bytes at a time. */
enum { TRIT_UTF8_GATHER = 256 };

/* Initialize to zero. */
struct trit_utf8 {
    unsigned char pending[4]; /* the incomplete character */
    int n, missing;           /* its bytes so far; the bytes it still lacks */
};

typedef bool (*trit_text_fn)(void *user, const char *text, size_t len);

/* Pass on all characters that these bytes complete. Invalid bytes are replaced by U+FFFD, one for
 * each maximal part (Unicode 15, section 3.9, "substitution of maximal subparts").
 * @return false if fn did; then the rest of the bytes is dropped. */
bool trit_utf8_push(struct trit_utf8 *u, const char *bytes, size_t len, trit_text_fn fn,
                    void *user);

/* The end: an incomplete character becomes U+FFFD. */
bool trit_utf8_finish(struct trit_utf8 *u, trit_text_fn fn, void *user);

#endif
