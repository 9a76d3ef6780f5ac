/* editor_io.h - the callbacks through which the editor uses a terminal. */
#ifndef TRIT_TOOLS_EDITOR_IO_H
#define TRIT_TOOLS_EDITOR_IO_H

#include <stdbool.h>
#include <stddef.h>

/* The longest message, in bytes. The bell rings at a key that would make it longer. */
enum { EDITOR_MAX_TEXT = 4 << 20 };

/* What editor_io.read returns instead of a number of bytes. */
enum editor_read_result {
    EDITOR_READ_NOTHING = 0,    /* timeout, or the window has changed */
    EDITOR_READ_END = -1,       /* end of the input */
    EDITOR_READ_FAILED = -2,    /* errno says why */
    EDITOR_READ_INTERRUPT = -3, /* like Ctrl-C */
    EDITOR_READ_REDRAW = -4,    /* another program wrote to the screen: draw again at the cursor */
};

struct editor_io {
    void *user;

    /* Read up to n bytes. Wait at most timeout_ms for the first one (-1: forever).
     * @return how many, or an enum editor_read_result */
    int (*read)(void *user, void *bytes, int n, int timeout_ms);

    /* Write n bytes. @return false: errno says why */
    bool (*write)(void *user, const void *bytes, size_t n);

    /* The window's size; 0 or less: unknown. Called before every drawing, never if plain. */
    void (*size)(void *user, int *columns, int *rows);

    /* Ctrl-Z: stop the program, and return when it continues. NULL: the key does nothing */
    void (*suspend)(void *user);
};

#endif
