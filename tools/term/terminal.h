/* terminal.h - a real terminal for the editor: its modes, its size, its signals.
 *
 * Whatever mode was set is taken back by terminal_leave() and terminal_close(), at exit, before the
 * program stops or ends by a signal, and, as well as that can be done, when it crashes. One
 * terminal can be open at a time. */
#ifndef TRIT_TOOLS_TERMINAL_H
#define TRIT_TOOLS_TERMINAL_H

#include <stdbool.h>

#include "editor_io.h"

struct terminal;

/* @param in, out  file descriptors, which stay the caller's; they may be anything
 * @return NULL if there is no memory or no pipe to be had; release with terminal_close() */
struct terminal *terminal_open(int in, int out);
void terminal_close(struct terminal *t);

/* Whether both are terminals that understand cursor movements: $TERM is set, and not "dumb". */
bool terminal_can_edit(const struct terminal *t);

/* Of the window behind any file; 0: it is none, or does not say. */
int terminal_columns(int fd);

/* Fill the callbacks. */
void terminal_io(struct terminal *t, struct editor_io *io);

/* Around editor_read(): every key as it is, bracketed paste, and SIGINT from elsewhere read as
 * EDITOR_READ_INTERRUPT. Where terminal_can_edit() says no, only the latter (so that Ctrl-C does
 * the same there). @return false: the mode cannot be set, errno says why */
bool terminal_edit(struct terminal *t);

/* While something is computed: keys are not shown but kept for the next editor_read(); Ctrl-C and
 * Ctrl-Z are signals, for the owner's handlers as they were before terminal_edit(). */
void terminal_quiet(struct terminal *t);

/* The mode, and the handler of SIGINT, that were there before. */
void terminal_leave(struct terminal *t);

/* The mode only; may be called in a signal handler that is about to end the program. */
void terminal_restore(void);

#endif
