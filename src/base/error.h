/* error.h - how src/ reports errors: a status to return and a message for people. */
#ifndef TRIT_BASE_ERROR_H
#define TRIT_BASE_ERROR_H

#include "trit_tools.h"

/* Write the formatted text and code into err unless it is NULL. @return code */
trit_status trit_fail(struct trit_error *err, trit_status code, const char *fmt, ...)
    TRIT_PRINTF(3, 4);

/* The message for every failed allocation. */
trit_status trit_fail_memory(struct trit_error *err, uint64_t bytes, const char *what_for);

/* Append to a text in memory of `size` bytes; what does not fit is cut. */
void trit_append(char *text, size_t size, const char *fmt, ...) TRIT_PRINTF(3, 4);

/* Remove a last character that vsnprintf() cut. */
void trit_drop_partial_character(char *text);

/* An error about a tensor: "PATH: tensor 'NAME' what", with the name escaped. */
trit_status trit_fail_tensor(struct trit_error *err, trit_status code, const char *path,
                             struct trit_string name, const char *fmt, ...) TRIT_PRINTF(5, 6);

/* "is X; it must be LO to HI" */
struct trit_range {
    char text[96];
};
struct trit_range trit_out_of_range(double x, double lo, double hi);

/* Bytes from a file, escaped for a message. */
struct trit_quoted {
    char text[96];
};

/* At most about 80 characters; anything but printable ASCII is \xNN; "…" marks a cut. */
struct trit_quoted trit_quote(struct trit_string s);
struct trit_quoted trit_quote_text(const char *s);

#endif
