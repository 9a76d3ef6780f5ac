/* status.h - how far something is: bars, and lines on stderr that pass. */
#ifndef TRIT_TOOLS_STATUS_H
#define TRIT_TOOLS_STATUS_H

#include "trit.h"

/* Whether a stream is a terminal on which colours, bars and lines that pass are welcome. */
bool is_lively(int fd);

/* A bar on stdout of so many characters, a part of it full, in eighths. */
void print_bar(double part, int width);

/* Whether to show how a long command gets on. */
bool show_progress(bool quiet);

/* Lines on stderr that pass: each stands alone, cut to the width of the terminal, until it is
 * cleared, as every error does. */
void show_status(const char *fmt, ...) TRIT_PRINTF(1, 2);
void clear_status(void);

/* Say in such a line how far the evaluation of a prompt is, if that takes longer than a moment. */
void watch_prompt(trit_session *session);

#endif
