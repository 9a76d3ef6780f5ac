/* output.h - a file that a command writes.
 *
 * It grows beside its path (of a link: beside what that leads to) under a name of its own, with the
 * mode of the file it will replace, and is renamed once whole, so that no path ever holds half a
 * result (or loses the model, if it is that). Ctrl-C, where the command watches for it, SIGTERM and
 * SIGHUP leave nothing behind. What is there and no regular file (a device, a pipe), and what a
 * standard stream writes to already, is written to directly. */
#ifndef TRIT_TOOLS_OUTPUT_H
#define TRIT_TOOLS_OUTPUT_H

#include <stdio.h>

struct output {
    FILE *f;
    const char *path;
    char *target;  /* the path, links resolved */
    char *partial; /* NULL: directly */
};

/* @return EXIT_DONE, or an exit code after a message; close either way. */
int open_output(struct output *out, const char *path);

/* Put it in its place, or remove it where code says that something failed.
 * @return code, or where that is EXIT_DONE what became of the file */
int close_output(struct output *out, int code);

/* Remove what has not been put in its place; for signal handlers that end the program. */
void discard_output(void);

#endif
