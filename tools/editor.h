/* editor.h - editing a message on a terminal: UTF-8, several lines, history, completion, paste.
 *
 * It talks to a terminal through the callbacks of struct editor_io; terminal.h has them for a real
 * one, tests have one in memory. In a program:
 *
 *   struct terminal *t = terminal_open(STDIN_FILENO, STDOUT_FILENO);
 *   struct history *h = history_open(path);
 *   struct editor_options opt = {.history = h, .plain = !terminal_can_edit(t), .color = true};
 *   terminal_io(t, &opt.io);
 *   struct editor *e = editor_open(&opt);
 *   terminal_edit(t);                     (what stdio holds for the screen is flushed before)
 *   event = editor_read(e, "> ", &text, &len);
 *   terminal_leave(t);                    (or terminal_quiet(t) while something is computed)
 *
 * Keys. Left, Right, Ctrl-B, Ctrl-F: a character as people see it, with its combining marks.
 * Ctrl- or Alt-Left and -Right, Alt-B, Alt-F: a word. Home, End, Ctrl-A, Ctrl-E: the line.
 * Up, Down, Ctrl-P, Ctrl-N: rows of the text, then the history. Backspace, Ctrl-H, Delete, Ctrl-D:
 * delete a character. Ctrl-W, Alt-Backspace, Alt-D, Ctrl-U, Ctrl-K: cut back to a blank, back or on
 * to the end of a word, the line on either side; Ctrl-Y puts it back. Ctrl-T: exchange. Ctrl-_:
 * undo. Ctrl-R: search the history, again for older ones, Ctrl-S for newer ones; Enter takes what
 * was found, Ctrl-G the old text. Tab: complete. Ctrl-L: clear the screen. Ctrl-Z: stop.
 *
 * Enter (CR, and LF, which is what Enter was before the mode of the terminal was changed) ends the
 * message. A line break comes by Alt-Enter, by Shift-Enter where the terminal tells the two apart,
 * in a paste, and by Enter in a message that begins with """ and does not end with """ yet.
 *
 * Bytes that are no UTF-8, and characters that are not to be seen or act on the terminal, are kept
 * in the text and shown in an escaped form. */
#ifndef TRIT_TOOLS_EDITOR_H
#define TRIT_TOOLS_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "history.h"

/* The longest message, in bytes; what would make it longer is refused with a bell. */
enum { EDITOR_MAX_TEXT = 4 << 20 };

/* What editor_io.read answers beside a number of bytes. */
enum editor_read_result {
    EDITOR_READ_NOTHING = 0,    /* the time is over, or the window has changed */
    EDITOR_READ_END = -1,       /* end of the input: the other side is gone */
    EDITOR_READ_FAILED = -2,    /* errno says why */
    EDITOR_READ_INTERRUPT = -3, /* as Ctrl-C */
    EDITOR_READ_REDRAW = -4, /* the screen is not as it was left: draw from where the cursor is */
};

struct editor_io {
    void *user;

    /* Read up to n bytes, waiting at most timeout_ms for the first (-1: for ever).
     * @return how many, or one of enum editor_read_result */
    int (*read)(void *user, void *bytes, int n, int timeout_ms);

    /* Write all of it. @return false where that failed, errno says why */
    bool (*write)(void *user, const void *bytes, size_t n);

    /* The window's size now, 0 or less if unknown; asked before every drawing, not where plain. */
    void (*size)(void *user, int *columns, int *rows);

    /* Ctrl-Z: stop the program and return when it goes on. NULL: the key does nothing */
    void (*suspend)(void *user);
};

/* Candidates of one completion, filled by the callback. */
struct editor_candidates;

/* Add one: text takes the place of what stands from `start` (the same for all candidates) to the
 * cursor; with what should follow it, such as a blank after a command. `shown` is what a list says
 * of it, NULL for text itself. Both are copied. @return false if there is no memory */
bool editor_add_candidate(struct editor_candidates *c, size_t start, const char *text,
                          const char *shown);

struct editor_options {
    struct editor_io io;
    struct history *history; /* Up, Down and Ctrl-R; read only: the owner adds. NULL: none */
    const char *more;        /* in front of each further line of a message. NULL: ". " */
    const char
        *prompt_style; /* SGR parameters of prompts such as "1;32", where color. NULL: none */
    bool color;        /* styles and hints are welcome */
    bool plain;        /* no editing: lines as they come, the terminal's own mode */
    void *user;        /* of the callbacks below */

    /* Tab: add what could stand there. text has len bytes and a NUL behind. NULL: none */
    void (*complete)(void *user, const char *text, size_t len, size_t cursor,
                     struct editor_candidates *c);

    /* What to show dimly behind a text with the cursor at its end, such as arguments of a command;
     * one line, valid until the next call, or NULL for nothing. Only called where color. */
    const char *(*hint)(void *user, const char *text, size_t len);
};

enum editor_event {
    EDITOR_TEXT,   /* Enter: text and len hold the message, which may be empty */
    EDITOR_CANCEL, /* Ctrl-C: the text is gone (Ctrl-Y brings it back); *len says how long it was,
                       * so that the owner knows a Ctrl-C on an empty line, and a second one */
    EDITOR_END,    /* Ctrl-D on an empty line, or the input's end */
    EDITOR_FAILED, /* the terminal cannot be read or written: errno */
    EDITOR_NO_MEMORY, /* the text is as it was before the key; the next read goes on with it */
};

/* Strings of opt are borrowed. @return NULL if there is no memory. Release with editor_close(). */
struct editor *editor_open(const struct editor_options *opt);
void editor_close(struct editor *e);

/* Read one message. On return the cursor is at the start of a line of its own.
 *
 *   prompt: UTF-8 without escape sequences (they would be shown).
 *   text: the message as it was typed, with a NUL behind len bytes, which may hold NULs and bytes
 *         that are no UTF-8. The editor's, until the next call. */
enum editor_event editor_read(struct editor *e, const char *prompt, const char **text, size_t *len);

/* Have the next editor_read() begin with a text, cursor at its end. @return false: no memory */
bool editor_set_text(struct editor *e, const char *text, size_t len);

/* Where a message is between """ and """: narrow it to what is inside, without the line break that
 * follows the first and the one that precedes the last. History keeps messages as they were typed;
 * a message in """ is no command, whatever it begins with. @return whether it is such a one */
bool editor_unquote(const char **text, size_t *len);

#endif
