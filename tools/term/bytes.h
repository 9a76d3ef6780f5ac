/* bytes.h - a string of bytes that grows. */
#ifndef TRIT_TOOLS_BYTES_H
#define TRIT_TOOLS_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/* Zero is the empty one; a NUL stands behind the bytes of others. Release with bytes_free(). */
struct bytes {
    char *data;
    size_t len, size;
};

void bytes_free(struct bytes *b);

/* Put n_new bytes in the place of n_old at `at`; new must not point into b.
 * @return false if there is no memory: b is as it was */
bool bytes_replace(struct bytes *b, size_t at, size_t n_old, const char *new, size_t n_new);

bool bytes_add(struct bytes *b, const char *new, size_t n_new);

/* At the start of text, not NULL. */
const char *bytes_text(const struct bytes *b);

#endif
