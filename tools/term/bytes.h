/* bytes.h - a string of bytes that grows. */
#ifndef TRIT_TOOLS_BYTES_H
#define TRIT_TOOLS_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/* Zero is empty, with data NULL; otherwise a NUL follows the bytes. Release with bytes_free(). */
struct bytes {
    char *data;
    size_t len, size;
};

void bytes_free(struct bytes *b);

/* Replace n_old bytes at `at` with n_new others. `new` must not point into b.
 * @return false: no memory, b is unchanged; always true if b does not grow */
bool bytes_replace(struct bytes *b, size_t at, size_t n_old, const char *new, size_t n_new);

bool bytes_add(struct bytes *b, const char *new, size_t n_new);

/* @return the bytes, or "" if data is NULL */
const char *bytes_text(const struct bytes *b);

#endif
