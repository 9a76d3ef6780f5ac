/* error.h - how everything in src/ reports: a status to return, a text for a person. */
#ifndef TRIT_BASE_ERROR_H
#define TRIT_BASE_ERROR_H

#include "trit.h"

/* Write the formatted text and code into err, where it is not NULL, and return code. */
trit_status trit_fail(struct trit_error *err, trit_status code, const char *fmt, ...)
    TRIT_PRINTF(3, 4);

/* The message every failed allocation gives. */
trit_status trit_fail_memory(struct trit_error *err, uint64_t bytes, const char *what_for);

/* Bytes from a file, made fit for a message. */
struct trit_quoted {
    char text[96];
};

/* At most some 80 characters, anything but printable ASCII as \xNN, "…" where it was cut. */
struct trit_quoted trit_quote(struct trit_string s);
struct trit_quoted trit_quote_text(const char *s);

#endif
