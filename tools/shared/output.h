/* output.h - a file that a command writes.
 *
 * It grows under a temporary name next to its path (if that is a link, next to the link's target),
 * with the mode of the file that it replaces, and is renamed when it is complete. So no path ever
 * holds half a result, and a command can overwrite the model it reads. No signal that
 * a program can catch leaves anything behind. A path that is not a regular file (a device,
 * a pipe) or that a standard stream already writes to is written directly. */
#ifndef TRIT_TOOLS_OUTPUT_H
#define TRIT_TOOLS_OUTPUT_H

#include <stdio.h>

struct output {
    FILE *f;
    const char *path;
    char *target;  /* the path, links resolved */
    char *partial; /* the temporary name; NULL: the path is written directly */
};

/* @return exit code, after a message; call close_output() either way */
int open_output(struct output *out, const char *path);

/* The same for what was said in a conversation: a new file has mode 0600. */
int open_private_output(struct output *out, const char *path);

/* Rename the file to its path, or remove it unless code is EXIT_DONE.
 * @return code, or if that is EXIT_DONE, the exit code of closing the file */
int close_output(struct output *out, int code);

/* Let signals that end the program remove the temporary file first; call it once, at the start. An
 * ignored signal stays ignored. */
void watch_end_signals(void);

/* Remove the temporary file; for signal handlers that end the program. */
void discard_output(void);

#endif
