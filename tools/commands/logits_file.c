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

#include "report.h"

static const char magic[8] = {'t', 'r', 'i', 't', 'l', 'o', 'g', '\n'};

enum { VERSION = 1 };

struct logits_header {
    char magic[8];
    uint32_t version;
    uint32_t n_vocab, ctx, chunks;
    uint32_t second_half;
    uint32_t reserved; /* 0 */
    uint64_t n_rows, text;
    uint64_t reserved_too; /* 0 */
    uint64_t checksum;     /* of all before it */
};

static_assert(sizeof(struct logits_header) == 64, "the header is written as it lies");

/* FNV-1a, a word at a time: any one word that changes changes it. */
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

/* It depends on the place too, so that a row cannot stand for another. */
static uint64_t row_checksum(const float *row, size_t n_vocab, uint64_t place)
{
    return logits_hash(logits_hash(0, &place, 2), row, n_vocab);
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
    struct logits_header h = {
        .version = VERSION,
        .n_vocab = (uint32_t)shape->n_vocab,
        .ctx = (uint32_t)shape->ctx,
        .chunks = (uint32_t)shape->chunks,
        .second_half = shape->second_half,
        .n_rows = (uint64_t)shape->n_rows,
        .text = shape->text,
    };

    memcpy(h.magic, magic, sizeof magic);
    h.checksum = header_checksum(&h);
    *w = (struct logits_writer){.n_vocab = (size_t)shape->n_vocab};
    if (!quiet)
        fprintf(stderr, "%s: %.1f MB for %lld positions of %d logits\n", path,
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
    return file_error("%s: %s", r->path, why);
}

int logits_open(struct logits_reader *r, const char *path)
{
    struct logits_header h;

    *r = (struct logits_reader){.f = fopen(path, "rb"), .path = path};
    if (!r->f)
        return refuse(r, strerror(errno));
    const size_t n = fread(&h, 1, sizeof h, r->f);
    if (ferror(r->f))
        return refuse(r, strerror(errno));
    if (n < sizeof magic || memcmp(h.magic, magic, sizeof magic) != 0)
        return refuse(r, "holds no logits of trit perplexity --save-logits");
    if (n < sizeof h)
        return refuse(r, "ends early");
    if (h.checksum != header_checksum(&h))
        return refuse(r, "is damaged: its header does not match its checksum");
    if (h.version != VERSION) {
        fprintf(stderr, "trit: %s: is of version %u; version %d can be read\n", path,
                (unsigned)h.version, VERSION);
        return EXIT_UNSUPPORTED;
    }
    if (h.n_vocab > INT32_MAX || h.ctx > INT32_MAX || h.chunks > INT32_MAX || h.n_rows > INT64_MAX)
        return refuse(r, "is damaged: its header is none that can be");
    r->shape = (struct logits_shape){
        .n_vocab = (int32_t)h.n_vocab,
        .ctx = (int32_t)h.ctx,
        .chunks = (int32_t)h.chunks,
        .second_half = h.second_half != 0,
        .n_rows = (int64_t)h.n_rows,
        .text = h.text,
    };
    return EXIT_DONE;
}

static int check_logits_shape(const struct logits_reader *r, const struct logits_shape *now)
{
    const struct logits_shape *then = &r->shape;

    if (then->n_vocab != now->n_vocab)
        return usage_error("%s is of a vocabulary of %d; this model has one of %d", r->path,
                           then->n_vocab, now->n_vocab);
    if (then->ctx != now->ctx)
        return usage_error("%s is of windows of %d; these are of %d (see --ctx)", r->path,
                           then->ctx, now->ctx);
    if (then->second_half != now->second_half)
        return usage_error("%s was made with%s --second-half", r->path,
                           then->second_half ? "" : "out");
    if (then->chunks != now->chunks)
        return usage_error("%s is of %d windows; these are %d (see --chunks)", r->path,
                           then->chunks, now->chunks);
    if (then->n_rows != now->n_rows || then->text != now->text)
        return usage_error("%s is of another text, or of other tokens of it", r->path);
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
            return refuse(r, "is damaged: it is larger than it says");
    }
    r->row = malloc((size_t)shape->n_vocab * sizeof *r->row);
    return r->row ? EXIT_DONE : out_of_memory();
}

static bool is_finite_row(const float *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(row[i]))
            return false;
    return true;
}

const float *logits_next(struct logits_reader *r)
{
    const size_t n = (size_t)r->shape.n_vocab;
    uint64_t checksum;

    if (fread(r->row, sizeof *r->row, n, r->f) != n ||
        fread(&checksum, sizeof checksum, 1, r->f) != 1 ||
        checksum != row_checksum(r->row, n, r->n_read))
        return NULL;
    if (!is_finite_row(r->row, n)) {
        r->not_finite = true;
        return NULL;
    }
    r->n_read++;
    return r->row;
}

int logits_read_error(const struct logits_reader *r)
{
    if (ferror(r->f))
        return refuse(r, "cannot be read");
    if (feof(r->f))
        return refuse(r, "ends early");
    return file_error("%s: is damaged: position %llu %s", r->path, (unsigned long long)r->n_read,
                      r->not_finite ? "holds what is no number" : "does not match its checksum");
}

void logits_close(struct logits_reader *r)
{
    if (r->f)
        fclose(r->f);
    free(r->row);
    *r = (struct logits_reader){0};
}
