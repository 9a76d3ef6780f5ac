/* editor.h - edits a message on a terminal: UTF-8, several lines, history, completion, paste.
 *
 * The editor uses the terminal through the callbacks of struct editor_io. terminal.h provides those
 * of a real one.
 *
 * Keys. Left, Right, Ctrl-B, Ctrl-F: a character with its combining marks.
 * Ctrl- or Alt-Left and -Right, Alt-B, Alt-F: a word. Home, End, Ctrl-A, Ctrl-E: the line.
 * Up, Down, Ctrl-P, Ctrl-N: rows of the text, then the history. Backspace, Ctrl-H, Delete, Ctrl-D:
 * delete a character. Ctrl-W: cut back to a blank. Alt-Backspace, Alt-D: cut to the start or the
 * end of a word. Ctrl-U, Ctrl-K: cut to the start or the end of the line. Ctrl-Y: insert the cut
 * text. Ctrl-T: exchange two characters. Ctrl-_: undo. Ctrl-R: search the history, again for older
 * entries, Ctrl-S for newer ones; Enter accepts the entry found, Ctrl-G restores the old text.
 * Tab: complete. Ctrl-L: clear the screen. Ctrl-Z: stop the program.
 *
 * Enter (CR, or LF, which it sends before the terminal's mode is set) ends the message. A line
 * break comes from Alt-Enter, from Shift-Enter if the terminal reports it, from a paste, and from
 * Enter in a message that begins with """ and does not end with """ yet.
 *
 * Invalid UTF-8, invisible characters and control characters are kept in the text unchanged and
 * shown in an escaped form. */
#ifndef TRIT_TOOLS_EDITOR_H
#define TRIT_TOOLS_EDITOR_H

#include "editor_io.h"
#include "history.h"

/* The candidates of one completion. */
struct editor_candidates;

/* Add a candidate: text replaces everything between `start` (the same for all candidates) and the
 * cursor. shown: the candidate in a list; NULL: text. Both are copied. @return false: no memory */
bool editor_add_candidate(struct editor_candidates *c, size_t start, const char *text,
                          const char *shown);

struct editor_options {
    struct editor_io io;
    struct history *history;  /* for Up, Down and Ctrl-R; the caller adds entries. NULL: none */
    const char *more;         /* the prompt of a message's further lines. NULL: ". " */
    const char *prompt_style; /* SGR parameters of prompts, such as "1;32", if color. NULL: none */
    bool color;               /* show styles and hints */
    bool plain;               /* do not edit: read lines in the terminal's own mode */
    void *user;               /* for the callbacks below */

    /* Tab: add candidates. text has len bytes and a NUL after them. NULL: no completion */
    void (*complete)(void *user, const char *text, size_t len, size_t cursor,
                     struct editor_candidates *c);

    /* A hint, such as a command's arguments, shown dimly after the text while the cursor is at its
     * end. One line, valid until the next call; NULL: no hint. Called only if color. */
    const char *(*hint)(void *user, const char *text, size_t len);
};

enum editor_event {
    EDITOR_TEXT,      /* Enter: *text is the message, which may be empty */
    EDITOR_CANCEL,    /* Ctrl-C: *text is the dropped message (Ctrl-Y inserts it), maybe empty */
    EDITOR_END,       /* Ctrl-D on an empty line, or the end of the input */
    EDITOR_FAILED,    /* the terminal cannot be read or written; errno says why */
    EDITOR_NO_MEMORY, /* the text is as before the key; the next call continues with it */
};

/* The strings of opt are borrowed. @return NULL: no memory. Release with editor_close(). */
struct editor *editor_open(const struct editor_options *opt);
void editor_close(struct editor *e);

/* Read one message. On return the cursor is at the start of an empty line.
 *
 *   prompt: UTF-8 without escape sequences (they would be shown).
 *   text: the message as typed: len bytes, possibly with NULs and invalid UTF-8, and a NUL after
 *         them. The editor owns it; valid until the next call. */
enum editor_event editor_read(struct editor *e, const char *prompt, const char **text, size_t *len);

/* Begin the next editor_read() with this text and the cursor at its end.
 * @return false: no memory, or too long */
bool editor_set_text(struct editor *e, const char *text, size_t len);

/* If a message is between """ and """, narrow it to the text between, without the line break after
 * the first and before the last. (The history keeps messages as typed. A quoted message is never a
 * command.) @return whether the message is quoted */
bool editor_unquote(const char **text, size_t *len);

#endif
