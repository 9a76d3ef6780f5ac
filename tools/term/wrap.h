/* wrap.h - wraps text that arrives in pieces at the width of a terminal, by words. */
#ifndef TRIT_TOOLS_WRAP_H
#define TRIT_TOOLS_WRAP_H

#include <stdio.h>

#include "bytes.h"

/* Initialize to zero except f and columns; output begins at the start of a line. */
struct wrap {
    FILE *f;
    int columns;       /* of the terminal; 0: do not wrap */
    int column;        /* of the next character */
    struct bytes word; /* the word that has not ended */
    int word_columns;
    struct bytes blanks; /* before the word; dropped at the end of a line */
};

/* Append whole characters. What could act on a terminal is written as \xNN.
 * @return false: a failed write, or no memory (errno: ENOMEM) */
bool wrap_text(struct wrap *w, const char *text, size_t len);

/* Write the last word, and end the line unless it is empty. @return false as above */
bool wrap_finish(struct wrap *w);

#endif
