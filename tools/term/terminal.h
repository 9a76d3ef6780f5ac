/* terminal.h - a real terminal for the editor: its modes, its size, its signals.
 *
 * The terminal's own mode is restored by terminal_leave() and terminal_close(), at exit, before the
 * program stops or is ended by a signal, and if possible when it crashes. Only one terminal can be
 * open at a time. */
#ifndef TRIT_TOOLS_TERMINAL_H
#define TRIT_TOOLS_TERMINAL_H

#include <stdbool.h>

#include "editor_io.h"

struct terminal;

/* @param in, out  file descriptors of any kind, borrowed
 * @return NULL: one is open already, or no pipe (errno); release with terminal_close() */
struct terminal *terminal_open(int in, int out);
void terminal_close(struct terminal *t);

/* Whether both are terminals that can move the cursor: $TERM is set and is not "dumb". */
bool terminal_can_edit(const struct terminal *t);

/* @return the columns of the terminal fd; 0: unknown, or not a terminal */
int terminal_columns(int fd);

/* Fill the callbacks. */
void terminal_io(struct terminal *t, struct editor_io *io);

/* Call before editor_read(): sets raw keys and bracketed paste, and makes a SIGINT read as
 * EDITOR_READ_INTERRUPT. If terminal_can_edit() is false, only the latter.
 * @return false: the mode cannot be set, errno says why */
bool terminal_edit(struct terminal *t);

/* Call before a long computation: keys are not echoed but kept for the next editor_read(). Ctrl-C
 * and Ctrl-Z send signals, with the actions that were set before terminal_edit(). */
void terminal_quiet(struct terminal *t);

/* Restore the mode and the action of SIGINT. */
void terminal_leave(struct terminal *t);

/* Restore the mode only; safe in a signal handler that ends the program. */
void terminal_restore(void);

#endif
