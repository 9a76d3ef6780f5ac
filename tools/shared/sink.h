/* sink.h - a large file on its way out: written as it comes, with how far it is on stderr. */
#ifndef TRIT_TOOLS_SINK_H
#define TRIT_TOOLS_SINK_H

#include "output.h"
#include "trit.h"

struct sink {
    struct output out;
    uint64_t done, total;  /* bytes; total is the writer's to set before the first */
    const char *what;      /* is being written, for the line on stderr; or NULL */
    double next_ms;        /* when to show progress again */
    bool progress, failed; /* failed: a write */
    int error;             /* errno of that */
};

/* Begin to write to a path, and end with close_sink() either way. @return exit code, after a
 * message */
int open_sink(struct sink *s, const char *path, bool progress);

/* The trit_write_fn of it. False after Ctrl-C too. */
bool sink_put(void *user, const void *bytes, size_t n);

/* Put the file in its place, or remove it and say why: by code, where that is not EXIT_DONE, else
 * by what the library returned. @return exit code */
int close_sink(struct sink *s, int code, trit_status status, const struct trit_error *err);

#endif
