/* logits_file.c - see logits_file.h. */
#define _POSIX_C_SOURCE 200809L

#include "logits_file.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plain_text.h"
#include "report.h"

static const char magic[8] = {'t', 'r', 'i', 't', 'l', 'o', 'g', '\n'};

enum { VERSION = 1 };

struct logits_header {
    char magic[8];
    struct logits_shape shape;
    uint64_t checksum; /* of the members above */
};

static_assert(sizeof(struct logits_header) == 64, "the header is written verbatim");

/* FNV-1a, a word at a time: changing any single word changes the hash. */
uint64_t logits_hash(uint64_t before, const void *words, size_t n)
{
    const unsigned char *bytes = words;
    uint64_t hash = before ? before : 0xcbf29ce484222325u;

    for (size_t i = 0; i < n; i++) {
        uint32_t word;
        memcpy(&word, bytes + 4 * i, sizeof word);
        hash = (hash ^ word) * 0x100000001b3u;
    }
    return hash;
}

static uint64_t header_checksum(const struct logits_header *h)
{
    return logits_hash(0, h, offsetof(struct logits_header, checksum) / 4);
}

/* Includes the index, so that swapped rows are detected. */
static uint64_t row_checksum(const float *row, size_t n_vocab, uint64_t index)
{
    return logits_hash(logits_hash(0, &index, 2), row, n_vocab);
}

static uint64_t file_bytes(const struct logits_shape *shape)
{
    const uint64_t row = 4 * (uint64_t)shape->n_vocab + 8;
    return sizeof(struct logits_header) + (uint64_t)shape->n_rows * row;
}

/* ---- Writing --------------------------------------------------------------------------------- */

int logits_create(struct logits_writer *w, const char *path, const struct logits_shape *shape,
                  bool quiet)
{
    struct logits_header h = {.shape = *shape};

    memcpy(h.magic, magic, sizeof magic);
    h.shape.version = VERSION;
    h.checksum = header_checksum(&h);
    *w = (struct logits_writer){.n_vocab = (size_t)shape->n_vocab};
    if (!quiet)
        safe_printf(stderr, "%s: %.1f MB for %lld positions of %d logits\n", path,
                    (double)file_bytes(shape) * 1e-6, (long long)shape->n_rows, shape->n_vocab);
    const int code = open_output(&w->out, path);
    if (code)
        return code;
    return fwrite(&h, sizeof h, 1, w->out.f) == 1 ? EXIT_DONE : write_error(path);
}

bool logits_put(struct logits_writer *w, const float *row)
{
    const uint64_t checksum = row_checksum(row, w->n_vocab, w->n_written);

    errno = 0;
    if (fwrite(row, sizeof *row, w->n_vocab, w->out.f) == w->n_vocab &&
        fwrite(&checksum, sizeof checksum, 1, w->out.f) == 1) {
        w->n_written++;
        return true;
    }
    w->error = errno;
    return false;
}

int logits_write_error(const struct logits_writer *w)
{
    errno = w->error;
    return write_error(w->out.path);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static int refuse(const struct logits_reader *r, const char *why)
{
    return file_error("%s %s", r->path, why);
}

int logits_open(struct logits_reader *r, const char *path)
{
    struct logits_header h;

    *r = (struct logits_reader){.f = fopen(path, "rb"), .path = path};
    const size_t n = r->f ? fread(&h, 1, sizeof h, r->f) : 0;
    if (!r->f || ferror(r->f))
        return file_error("%s: %s", path, strerror(errno));
    if (n < sizeof magic || memcmp(h.magic, magic, sizeof magic) != 0)
        return refuse(r, "is not a file from trit perplexity --save-logits");
    if (n < sizeof h)
        return refuse(r, "ends early");
    if (h.checksum != header_checksum(&h))
        return refuse(r, "is damaged: its header does not match its checksum");
    if (h.shape.version != VERSION) {
        return report_text(EXIT_UNSUPPORTED, "%s has version %u, but trit reads only version %d",
                           path, (unsigned)h.shape.version, VERSION);
    }
    if (h.shape.n_vocab < 0 || h.shape.ctx < 0 || h.shape.chunks < 0 || h.shape.n_rows < 0)
        return refuse(r, "is damaged: its header has impossible values");
    r->shape = h.shape;
    return EXIT_DONE;
}

static int check_logits_shape(const struct logits_reader *r, const struct logits_shape *now)
{
    const struct logits_shape *then = &r->shape;

    if (then->n_vocab != now->n_vocab)
        return usage_error("%s has a vocabulary of %d; this model has one of %d", r->path,
                           then->n_vocab, now->n_vocab);
    if (then->ctx != now->ctx)
        return usage_error("%s has windows of %d tokens, not %d (see --ctx)", r->path, then->ctx,
                           now->ctx);
    if (!then->second_half != !now->second_half)
        return usage_error("%s was made with%s --second-half", r->path,
                           then->second_half ? "" : "out");
    if (then->chunks != now->chunks)
        return usage_error("%s has %d windows, not %d (see --chunks)", r->path, then->chunks,
                           now->chunks);
    if (then->n_rows != now->n_rows || then->text != now->text)
        return usage_error("%s was made from another text or with another tokenizer", r->path);
    return EXIT_DONE;
}

int logits_match(struct logits_reader *r, const struct logits_shape *shape)
{
    struct stat st;
    const int code = check_logits_shape(r, shape);

    if (code)
        return code;
    if (fstat(fileno(r->f), &st) == 0 && S_ISREG(st.st_mode)) {
        if ((uint64_t)st.st_size < file_bytes(shape))
            return refuse(r, "ends early");
        if ((uint64_t)st.st_size > file_bytes(shape))
            return refuse(r, "is damaged: it is larger than its header says");
    }
    r->row = malloc((size_t)shape->n_vocab * sizeof *r->row);
    return r->row ? EXIT_DONE : out_of_memory();
}

const float *logits_next(struct logits_reader *r)
{
    const size_t n = (size_t)r->shape.n_vocab;
    uint64_t checksum;

    if (fread(r->row, sizeof *r->row, n, r->f) != n ||
        fread(&checksum, sizeof checksum, 1, r->f) != 1 ||
        checksum != row_checksum(r->row, n, r->n_read))
        return NULL;
    for (size_t i = 0; i < n; i++)
        r->not_finite |= !isfinite(r->row[i]);
    r->n_read += !r->not_finite;
    return r->not_finite ? NULL : r->row;
}

int logits_read_error(const struct logits_reader *r)
{
    if (ferror(r->f))
        return refuse(r, "cannot be read");
    if (feof(r->f))
        return refuse(r, "ends early");
    return file_error("%s is damaged: position %llu %s", r->path, (unsigned long long)r->n_read,
                      r->not_finite ? "has a value that is not finite"
                                    : "does not match its checksum");
}

void logits_close(struct logits_reader *r)
{
    if (r->f)
        fclose(r->f);
    free(r->row);
    *r = (struct logits_reader){0};
}
