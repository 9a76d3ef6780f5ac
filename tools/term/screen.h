/* screen.h - draws a prompt and a text on a terminal, and updates what is shown.
 *
 * Every row ends in a line break of its own, so that nothing depends on how the terminal wraps
 * lines. After a character whose width differs between terminals, the column is set again. */
#ifndef TRIT_TOOLS_SCREEN_H
#define TRIT_TOOLS_SCREEN_H

#include "bytes.h"
#include "editor_io.h"

/* What to show. */
struct view {
    const char *prompt, *more; /* before the first line, and before the others */
    const char *text;
    size_t len, cursor;
    const char *hint;  /* after the text; or NULL */
    const char *style; /* SGR parameters of prompts; or NULL */
    bool color;
};

struct screen_row {
    size_t start, len; /* its bytes in a frame */
    int columns;
    bool plain; /* holds only characters whose width is the same on every terminal */
};

/* The rows of the window, as shown or as the next drawing will show them. */
struct frame {
    struct bytes bytes;
    struct screen_row *rows;
    int n, size;
    int row, column; /* of the cursor */
};

enum screen_status { SCREEN_OK, SCREEN_FAILED, SCREEN_NO_MEMORY };

/* Initialize to zero except io. Once status is not SCREEN_OK, nothing is written until the caller
 * resets it. */
struct screen {
    struct editor_io io;
    enum screen_status status; /* the first failure; of SCREEN_FAILED, errno says why */
    int columns, n_rows;       /* the window's size when it was last read */
    struct frame shown, next;
    bool drawn;      /* the terminal shows `shown` */
    int extent;      /* rows known to exist on the terminal, counted from the first one drawn */
    int row, column; /* the terminal's cursor in `shown`; column -1: unknown */
    int top;         /* the first row of the text that is in the window */
    struct bytes out;
};

void screen_free(struct screen *s);

/* Show v. Only the differences are written, in a single piece. */
void screen_draw(struct screen *s, const struct view *v);

/* Let the next drawing begin at the cursor, which is at the start of a line. */
void screen_forget(struct screen *s);

/* The same for a cursor anywhere in its line: the sequence takes it to the start of a clear one. */
void screen_reset(struct screen *s, const char *sequence);
#define SCREEN_CLEAR_LINE "\r\033[J"
#define SCREEN_CLEAR_ALL "\033[H\033[2J"

/* Go to a new line below everything that is shown, and forget it. */
void screen_leave(struct screen *s);

void screen_bell(struct screen *s);

/* Print strings in columns below what is shown. The next drawing is below them. */
void screen_list(struct screen *s, const char *const *items, size_t n);

/* Find the position in v->text that is `rows` rows below the cursor (negative: above) at `column`,
 * or the nearest one before it. *column -1 is set to the cursor's. @return false: no such row */
bool screen_move(struct screen *s, const struct view *v, int rows, int *column, size_t *position);

#endif
