/* logits_file.h - a file with the logits at all scored positions of a text, for a later comparison
 * with another model or other settings.
 *
 * A header of 64 bytes, then for each position in order the logits, float32[n_vocab], and a
 * checksum of 8 bytes; little-endian. It stores logits, not probabilities, so nothing is lost: a
 * model's divergence from itself is exactly 0. A file may be far larger than memory: the reader and
 * the writer hold one row. */
#ifndef TRIT_TOOLS_LOGITS_FILE_H
#define TRIT_TOOLS_LOGITS_FILE_H

#include "output.h"
#include "trit.h"

/* Origin and number of the rows; part of the header. */
struct logits_shape {
    uint32_t version; /* set by the writer */
    int32_t n_vocab, ctx, chunks;
    int32_t second_half; /* 0: no */
    int32_t reserved;    /* 0 */
    int64_t n_rows;
    uint64_t text;         /* logits_hash() of the tokens */
    uint64_t reserved_too; /* 0 */
};

/* Hash of n 32-bit words, continuing from the hash `before`; 0 to start. */
uint64_t logits_hash(uint64_t before, const void *words, size_t n);

struct logits_writer {
    struct output out;
    size_t n_vocab;
    uint64_t n_written;
    int error; /* errno of the write that failed */
};

/* Create the file, and unless quiet print its final size first. @return exit code; end with
 * close_output(&w->out, …) either way. */
int logits_create(struct logits_writer *w, const char *path, const struct logits_shape *shape,
                  bool quiet);

/* @return false: a write failed; logits_write_error() prints that and returns the exit code. */
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

/* Check that the file has that shape, and the size that follows. @return EXIT_DONE; EXIT_USAGE
 * after a message about the difference; EXIT_FILE, EXIT_MEMORY */
int logits_match(struct logits_reader *r, const struct logits_shape *shape);

/* The next row, valid until the next call; NULL if it cannot be read or is damaged:
 * logits_read_error() prints that and returns the exit code. */
const float *logits_next(struct logits_reader *r);
int logits_read_error(const struct logits_reader *r);

void logits_close(struct logits_reader *r);

#endif
