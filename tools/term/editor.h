/* editor.h - editing a message on a terminal: UTF-8, several lines, history, completion, paste.
 *
 * The editor talks to a terminal through the callbacks of struct editor_io. terminal.h fills them
 * for a real one; the tests have one in memory. In a program:
 *
 *   struct terminal *t = terminal_open(STDIN_FILENO, STDOUT_FILENO);
 *   struct history *h = history_open(path);
 *   struct editor_options opt = {.history = h, .plain = !terminal_can_edit(t), .color = true};
 *   terminal_io(t, &opt.io);
 *   struct editor *e = editor_open(&opt);
 *   terminal_edit(t);                     (flush stdout before this)
 *   event = editor_read(e, "> ", &text, &len);
 *   terminal_leave(t);                    (or terminal_quiet(t) while something is computed)
 *
 * Keys. Left, Right, Ctrl-B, Ctrl-F: a character as people see it, with its combining marks.
 * Ctrl- or Alt-Left and -Right, Alt-B, Alt-F: a word. Home, End, Ctrl-A, Ctrl-E: the line.
 * Up, Down, Ctrl-P, Ctrl-N: rows of the text, then the history. Backspace, Ctrl-H, Delete, Ctrl-D:
 * delete a character. Ctrl-W: cut back to a blank. Alt-Backspace, Alt-D: cut to the start or the
 * end of a word. Ctrl-U, Ctrl-K: cut to the start or the end of the line. Ctrl-Y: insert what was
 * cut. Ctrl-T: exchange two characters. Ctrl-_: undo. Ctrl-R: search the history, again for older
 * entries, Ctrl-S for newer ones; Enter accepts the entry found, Ctrl-G restores the old text.
 * Tab: complete. Ctrl-L: clear the screen. Ctrl-Z: stop the program.
 *
 * Enter ends the message: CR, and also LF, which Enter sends before the terminal's mode is set.
 * A line break comes from Alt-Enter, from Shift-Enter where the terminal reports it, from a paste,
 * and from Enter in a message that begins with """ and does not end with """ yet.
 *
 * Invalid UTF-8, invisible characters and control characters stay in the text as they are, and are
 * shown in an escaped form. */
#ifndef TRIT_TOOLS_EDITOR_H
#define TRIT_TOOLS_EDITOR_H

#include "editor_io.h"
#include "history.h"

/* The candidates of one completion, which the callback adds. */
struct editor_candidates;

/* Add a candidate: text would replace what is between `start` (the same for all candidates) and
 * the cursor. It includes what should follow, such as a blank after a command. shown: the candidate
 * in a list; NULL: text. Both strings are copied. @return false: no memory */
bool editor_add_candidate(struct editor_candidates *c, size_t start, const char *text,
                          const char *shown);

struct editor_options {
    struct editor_io io;
    struct history *history;  /* for Up, Down and Ctrl-R; the caller adds entries. NULL: none */
    const char *more;         /* the prompt of further lines of a message. NULL: ". " */
    const char *prompt_style; /* SGR parameters of prompts, such as "1;32", if color. NULL: none */
    bool color;               /* show styles and hints */
    bool plain;               /* do not edit: read lines in the terminal's own mode */
    void *user;               /* of the callbacks below */

    /* Tab: add candidates. text has len bytes and a NUL after them. NULL: no completion */
    void (*complete)(void *user, const char *text, size_t len, size_t cursor,
                     struct editor_candidates *c);

    /* A hint, such as a command's arguments, to show dimly after the text while the cursor is at
     * its end. One line, valid until the next call; NULL: no hint. Called only if color. */
    const char *(*hint)(void *user, const char *text, size_t len);
};

enum editor_event {
    EDITOR_TEXT,   /* Enter: *text is the message, which may be empty */
    EDITOR_CANCEL, /* Ctrl-C: *text is what was dropped (Ctrl-Y brings it back); *len 0 is a Ctrl-C
                    * on an empty line */
    EDITOR_END,    /* Ctrl-D on an empty line, or the end of the input */
    EDITOR_FAILED, /* the terminal cannot be read or written; errno says why */
    EDITOR_NO_MEMORY, /* the text is as it was before the key; the next call goes on with it */
};

/* The strings of opt are borrowed. @return NULL: no memory. Release with editor_close(). */
struct editor *editor_open(const struct editor_options *opt);
void editor_close(struct editor *e);

/* Read one message. On return the cursor is at the start of an empty line.
 *
 *   prompt: UTF-8 without escape sequences (they would be shown).
 *   text: the message as it was typed: len bytes, possibly with NULs and invalid UTF-8, and a NUL
 *         after them. The editor owns it; valid until the next call. */
enum editor_event editor_read(struct editor *e, const char *prompt, const char **text, size_t *len);

/* Let the next editor_read() begin with this text, with the cursor at its end.
 * @return false: no memory, or too long */
bool editor_set_text(struct editor *e, const char *text, size_t len);

/* If a message is between """ and """, narrow it to what is inside, without the line break after
 * the first and the one before the last. The history keeps messages as they were typed; a message
 * in """ is not a command, whatever it begins with. @return whether the message is quoted */
bool editor_unquote(const char **text, size_t *len);

#endif
