/* logits_file.h - a file of the logits at all scored positions of a text, to compare another model
 * or other settings with later.
 *
 * A header of 64 bytes, then for each position in order the logits, float32[n_vocab], as they are,
 * and a checksum of 8 bytes; little-endian. What is kept are logits and not probabilities, so that
 * nothing is lost: the same model compares as exactly the same. Files may be far larger than the
 * memory; both ends hold one row. */
#ifndef TRIT_TOOLS_LOGITS_FILE_H
#define TRIT_TOOLS_LOGITS_FILE_H

#include "output.h"
#include "trit.h"

/* What the rows are of. */
struct logits_shape {
    int32_t n_vocab, ctx, chunks;
    bool second_half;
    int64_t n_rows;
    uint64_t text; /* logits_hash() of the tokens */
};

/* Of what was hashed before (at first 0) and n more words. */
uint64_t logits_hash(uint64_t before, const void *words, size_t n);

struct logits_writer {
    struct output out;
    size_t n_vocab;
    uint64_t n_written;
    int error; /* errno of the write that failed */
};

/* Create the file; unless quiet, stderr says first how large it will be. @return exit code; end
 * with close_output(&w->out, …) either way. */
int logits_create(struct logits_writer *w, const char *path, const struct logits_shape *shape,
                  bool quiet);

/* @return false: a write failed; logits_write_error() says so and returns the exit code. */
bool logits_put(struct logits_writer *w, const float *row);
int logits_write_error(const struct logits_writer *w);

struct logits_reader {
    FILE *f;
    const char *path;
    struct logits_shape shape;
    float *row;
    uint64_t n_read;
    bool not_finite; /* a value of the row at n_read */
};

/* Read the header. @return exit code; close either way. */
int logits_open(struct logits_reader *r, const char *path);

/* Whether the file is of that shape and as large as it says. @return EXIT_DONE; EXIT_USAGE after
 * saying what differs; EXIT_FILE, EXIT_MEMORY */
int logits_match(struct logits_reader *r, const struct logits_shape *shape);

/* The next row, valid until the next call; NULL where it cannot be read or is damaged:
 * logits_read_error() says so and returns the exit code. */
const float *logits_next(struct logits_reader *r);
int logits_read_error(const struct logits_reader *r);

void logits_close(struct logits_reader *r);

#endif
