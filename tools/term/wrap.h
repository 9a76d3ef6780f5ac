/* wrap.h - text that comes in pieces, wrapped by words at the width of a terminal. */
#ifndef TRIT_TOOLS_WRAP_H
#define TRIT_TOOLS_WRAP_H

#include <stdio.h>

#include "bytes.h"

/* Zero, but for f, is one at the start of a line. */
struct wrap {
    FILE *f;
    int columns;       /* of the terminal; 0: nothing is wrapped */
    int column;        /* where the next character goes */
    struct bytes word; /* the word that has not ended, and its characters' columns */
    int word_columns;
    struct bytes blanks; /* before it, which are left out where a line ends */
};

/* Take whole characters. @return false: they cannot be written (errno), or no memory (ENOMEM) */
bool wrap_text(struct wrap *w, const char *text, size_t len);

/* The word that has not ended, and the end of the line if it is not empty. */
bool wrap_finish(struct wrap *w);

#endif
