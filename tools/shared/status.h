/* status.h - shows progress: bars, and temporary lines on stderr. */
#ifndef TRIT_TOOLS_STATUS_H
#define TRIT_TOOLS_STATUS_H

#include "trit.h"

/* Whether fd is a terminal that should show colors, bars and temporary lines. */
bool is_lively(int fd);

/* Print a bar of `width` characters on stdout, of which `part` (0..1) is full. */
void print_bar(double part, int width);

/* Whether to show the progress of a long command. */
bool show_progress(bool quiet);

/* Show a temporary line on stderr, cut to the width of the terminal. The next one replaces it, and
 * every error message clears it. */
void show_status(const char *fmt, ...) TRIT_PRINTF(1, 2);
void clear_status(void);

/* Show the progress of evaluating a prompt in such a line, if it takes more than 100 ms. */
void watch_prompt(trit_session *session);

#endif
