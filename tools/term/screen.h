/* screen.h - showing a prompt and a text on a terminal, and changing what is shown.
 *
 * Rows end by line breaks of their own, so that nothing depends on how a terminal wraps lines, and
 * after characters that terminals measure differently the column is set anew. */
#ifndef TRIT_TOOLS_SCREEN_H
#define TRIT_TOOLS_SCREEN_H

#include "bytes.h"
#include "editor_io.h"

/* What is to be seen. */
struct view {
    const char *prompt, *more; /* in front of the first line, and of the others */
    const char *text;
    size_t len, cursor;
    const char *hint;  /* behind the text; or NULL */
    const char *style; /* SGR parameters of prompts; or NULL */
    bool color;
};

struct screen_row {
    size_t start, len; /* its bytes in a frame */
    int columns;
    bool plain; /* nothing but characters that every terminal measures alike */
};

/* What is in the window, or is to be there. */
struct frame {
    struct bytes bytes;
    struct screen_row *rows;
    int n, size;
    int row, column; /* of the cursor */
};

/* Zero but io. */
struct screen {
    struct editor_io io;
    int columns, n_rows; /* the window's size when it was last asked */
    struct frame shown, next;
    bool drawn;      /* shown is on the screen */
    int extent;      /* rows from the first on, that are surely there to move to */
    int row, column; /* where the terminal's cursor is in shown; column -1: anywhere */
    int top;         /* the first row of the text that is in the window */
    struct bytes out;
};

/* What came of it. */
enum screen_status { SCREEN_OK, SCREEN_FAILED, SCREEN_NO_MEMORY };

void screen_free(struct screen *s);

/* Show v with as little as possible written, and in one piece. */
enum screen_status screen_draw(struct screen *s, const struct view *v);

/* The next drawing begins where the cursor is, which is at the start of a line. */
void screen_forget(struct screen *s);

/* The same, wherever in its line the cursor is. */
enum screen_status screen_restart(struct screen *s);

/* Clear the screen before the next drawing. */
enum screen_status screen_clear(struct screen *s);

/* Go to a new line below all that is shown, and forget it. */
enum screen_status screen_leave(struct screen *s);

enum screen_status screen_bell(struct screen *s);

/* Below what is shown, print strings in columns; the next drawing is below them. */
enum screen_status screen_list(struct screen *s, const char *const *items, size_t n);

/* The position in v->text that stands so many rows below the cursor (above: negative), at `column`
 * or before. @return false where there is no such row; *column -1 becomes the cursor's. */
bool screen_move(struct screen *s, const struct view *v, int rows, int *column, size_t *position);

#endif
