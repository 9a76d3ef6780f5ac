/* sink.h - writes a large file piece by piece, with progress on stderr. */
#ifndef TRIT_TOOLS_SINK_H
#define TRIT_TOOLS_SINK_H

#include "output.h"
#include "trit.h"

struct sink {
    struct output out;
    uint64_t done, total;  /* bytes; the caller sets total before the first sink_put() */
    const char *what;      /* the part being written, for the line of progress; or NULL */
    double next_ms;        /* when to show progress again */
    bool progress, failed; /* failed: the last write */
    int error;             /* its errno */
};

/* Open path for writing. @return exit code, after a message; call close_sink() either way */
int open_sink(struct sink *s, const char *path, bool progress);

/* A trit_write_fn; user is the sink. @return false: a failed write, or Ctrl-C */
bool sink_put(void *user, const void *bytes, size_t n);

/* Put the file in its place. If code, the sink or status is a failure, remove it instead and report
 * the failure, unless it is code. @return exit code */
int close_sink(struct sink *s, int code, trit_status status, const struct trit_error *err);

#endif
