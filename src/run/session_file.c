/* session_file.c - a session's timeline as bytes, written to a sink and read from a file.
 *
 *   header   128 bytes: struct header
 *   tokens   [n_tokens] i32
 *   u64      checksum of all bytes before it
 *   rows     for each layer that is not skipped and each KV head: n_tokens rows of keys, n_tokens
 *            rows of values, and with int8 the f32 scales, [n_tokens] of keys, [n_tokens] of values
 *   u64      checksum of all bytes before it
 *
 * Everything is little-endian. Header, tokens and their checksum are the same in every version, so
 * that a file with unusable rows still says which tokens they were computed from. */
#include "trit.h"

#include <stdio.h>
#include <string.h>

#include "checked.h"
#include "exit.h"
#include "hash.h"
#include "session_state.h"

/* Raise this with every change to the layout of the rows or to a bit of their contents. */
enum { VERSION = 1 };

static const char magic[8] = {'t', 'r', 'i', 't', 's', 'e', 's', 's'};

struct header {
    char magic[8];
    uint32_t version, kv_format;
    uint64_t fingerprint;
    uint32_t n_tokens;
    uint32_t skipped; /* checksum of which layers were; 0: none */
    char model[96];   /* for messages; padded with zeros */
};
_Static_assert(sizeof(struct header) == 128, "the header has no gaps");

enum { CHECKSUM_BYTES = sizeof(uint64_t) };

/* ---- Which model ----------------------------------------------------------------------------- */

/* The samples of a tensor that are hashed; a tensor of at most their total size is hashed whole. */
enum { N_SAMPLES = 8, SAMPLE_BYTES = 256 };

#define ADD(h, x) trit_hash_add(h, &(x), sizeof(x))

static void add_tensor(struct trit_hash *h, const trit_file *f, const struct gguf_tensor *t)
{
    const uint8_t *data = trit_gguf_data(f, t);
    const uint64_t len = t->name.len;

    ADD(h, len);
    trit_hash_add(h, t->name.bytes, t->name.len);
    ADD(h, t->type_id);
    ADD(h, t->dims);
    ADD(h, t->n_bytes);
    if (t->n_bytes <= N_SAMPLES * SAMPLE_BYTES) {
        trit_hash_add(h, data, (size_t)t->n_bytes);
        return;
    }
    const uint64_t last = t->n_bytes - SAMPLE_BYTES; /* the tensor is in memory: no overflow */
    for (uint64_t i = 0; i < N_SAMPLES; i++)
        trit_hash_add(h, data + last * i / (N_SAMPLES - 1), SAMPLE_BYTES);
}

static uint64_t fingerprint(const struct trit_model *m)
{
    struct trit_hash h;
    trit_hash_init(&h);
    trit_hash_add(&h, m->arch->name, strlen(m->arch->name) + 1);
    trit_knobs_hash(&m->knobs, &h); /* as overridden, if they were */
    if (m->n_float_linears)
        ADD(&h, m->n_float_linears);
    if (m->quantized_head)
        ADD(&h, m->quantized_head);
    for (size_t i = 0; i < m->file->n_tensors; i++) /* whatever their order in the file */
        add_tensor(&h, m->file, m->file->tensors_by_name[i]);
    return trit_hash_value(&h);
}

/* A description of the model, for messages. */
static void describe(char *out, size_t size, const struct trit_model *m)
{
    struct trit_string name = {"", 0};

    (void)trit_gguf_get_string(m->file, "general.name", &name, NULL);
    memset(out, 0, size);
    snprintf(out, size, "%.40s%s%s, %d layers of %d", trit_quote(name).text, name.len ? ", " : "",
             m->arch->name, m->knobs.n_layer, m->knobs.n_embd);
}

/* ---- The rows -------------------------------------------------------------------------------- */

/* Call fn for each part of the cache that the first n tokens fill, in the order of the file, until
 * it returns false. */
static bool each_part(const struct trit_session *s, size_t n,
                      bool (*fn)(void *user, void *part, size_t bytes), void *user)
{
    const struct trit_kv *kv = &s->kv;

    for (size_t i = 0; i < kv->n_layer * kv->n_head; i++) {
        if (s->skip[i / kv->n_head])
            continue;
        const size_t row = trit_kv_row(kv, 0, i, 0); /* the heads of all layers are contiguous */
        if (!fn(user, kv->k + row * kv->row_bytes, n * kv->row_bytes) ||
            !fn(user, kv->v + row * kv->row_bytes, n * kv->row_bytes))
            return false;
        if (kv->format == TRIT_KV_I8 && (!fn(user, kv->k_scale + row, n * sizeof(float)) ||
                                         !fn(user, kv->v_scale + row, n * sizeof(float))))
            return false;
    }
    return true;
}

/* Does not overflow: at most the size of the cache. */
static uint64_t rows_bytes(const struct trit_session *s, size_t n)
{
    const struct trit_kv *kv = &s->kv;
    const size_t scale = kv->format == TRIT_KV_I8 ? sizeof(float) : 0;
    size_t n_layer = 0;

    for (size_t il = 0; il < kv->n_layer; il++)
        n_layer += !s->skip[il];
    return (uint64_t)(n_layer * kv->n_head * n) * 2 * (kv->row_bytes + scale);
}

/* The header's checksum of which layers are skipped. */
static uint32_t skipped_layers(const struct trit_session *s)
{
    struct trit_hash h;
    bool any = false;

    trit_hash_init(&h);
    for (size_t il = 0; il < s->kv.n_layer; il++)
        any |= s->skip[il];
    trit_hash_add(&h, s->skip, s->kv.n_layer * sizeof *s->skip);
    return any ? (uint32_t)trit_hash_value(&h) | 1 : 0;
}

/* ---- Saving ---------------------------------------------------------------------------------- */

struct saver {
    trit_write_fn write;
    void *user;
    struct trit_hash hash;
};

static bool write_part(void *user, void *bytes, size_t n)
{
    struct saver *w = user;
    trit_hash_add(&w->hash, bytes, n);
    return w->write(w->user, bytes, n);
}

static bool write_checksum(struct saver *w)
{
    uint64_t sum = trit_hash_value(&w->hash);
    return write_part(w, &sum, sizeof sum);
}

trit_status trit_session_save(trit_session *s, trit_write_fn write, void *user,
                              struct trit_error *err)
{
    const size_t n = (size_t)s->n_tokens;
    struct saver w = {.write = write, .user = user};
    struct header h = {
        .version = VERSION,
        .kv_format = (uint32_t)s->kv.format,
        .n_tokens = (uint32_t)n,
        .skipped = skipped_layers(s),
    };
    if (n == 0)
        return trit_fail(err, TRIT_E_ARGUMENT, "there are no tokens to save");
    const trit_status status = trit_exit_catch_up(s, err);
    if (status)
        return status;
    memcpy(h.magic, magic, sizeof magic);
    h.fingerprint = fingerprint(s->engine->model);
    describe(h.model, sizeof h.model, s->engine->model);
    trit_hash_init(&w.hash);
    if (!write_part(&w, &h, sizeof h) || !write_part(&w, s->tokens, n * sizeof *s->tokens) ||
        !write_checksum(&w) || !each_part(s, n, write_part, &w) || !write_checksum(&w))
        return trit_fail(err, TRIT_E_CANCELLED, "stopped while saving");
    return TRIT_OK;
}

/* ---- Loading --------------------------------------------------------------------------------- */

struct loader {
    const char *path;
    struct trit_bytes file;
    struct header h;
    const uint8_t *tokens; /* in the file */
    size_t at;             /* of what follows: at first the rows */
    struct trit_hash hash; /* of all bytes before at */
};

static trit_status damaged(const struct loader *l, struct trit_error *err)
{
    return trit_fail(err, TRIT_E_FILE, "%s is damaged or ends early", l->path);
}

/* Read the header and the tokens. Sizes are checked first. */
static trit_status read_tokens(struct loader *l, struct trit_error *err)
{
    const uint8_t *data = l->file.data;
    const size_t size = l->file.size;

    if (memcmp(data, magic, size < sizeof magic ? size : sizeof magic) != 0)
        return trit_fail(err, TRIT_E_FILE, "%s is not a session file", l->path);
    if (size < sizeof l->h)
        return damaged(l, err);
    memcpy(&l->h, data, sizeof l->h);
    const uint64_t end = sizeof l->h + (uint64_t)l->h.n_tokens * sizeof(int32_t); /* below 2^35 */
    if (end + CHECKSUM_BYTES > size)
        return damaged(l, err);
    l->tokens = data + sizeof l->h;
    l->at = (size_t)end + CHECKSUM_BYTES;
    trit_hash_init(&l->hash);
    trit_hash_add(&l->hash, data, (size_t)end);
    if (trit_hash_value(&l->hash) != trit_load_u64(data + end))
        return damaged(l, err);
    trit_hash_add(&l->hash, data + end, CHECKSUM_BYTES);
    return l->h.n_tokens ? TRIT_OK : damaged(l, err);
}

static trit_status check_model(const struct loader *l, const struct trit_model *m,
                               struct trit_error *err)
{
    struct trit_string theirs = {l->h.model, 0};
    char ours[sizeof l->h.model];

    if (l->h.fingerprint == fingerprint(m))
        return TRIT_OK;
    while (theirs.len < sizeof l->h.model && theirs.bytes[theirs.len])
        theirs.len++;
    describe(ours, sizeof ours, m);
    const bool same = memcmp(ours, l->h.model, sizeof ours) == 0;
    return trit_fail(err, TRIT_E_FILE, "%s was made with another model%s (%s)", l->path,
                     same ? " of this name and size" : "", trit_quote(theirs).text);
}

static trit_status check_tokens(const struct loader *l, const trit_session *s,
                                struct trit_error *err)
{
    const int32_t n_vocab = trit_session_n_vocab(s);

    if (l->h.n_tokens > (uint32_t)s->n_ctx)
        return trit_fail(err, TRIT_E_ARGUMENT, "%s has %u tokens; the context has room for %d",
                         l->path, l->h.n_tokens, s->n_ctx);
    for (uint32_t i = 0; i < l->h.n_tokens; i++) {
        int32_t id;
        memcpy(&id, l->tokens + i * sizeof id, sizeof id);
        if (id < 0 || id >= n_vocab)
            return trit_fail(
                err, TRIT_E_FILE,
                "%s: token %d (index %u) is out of range; the vocabulary has %d tokens", l->path,
                id, i, n_vocab);
    }
    return TRIT_OK;
}

/* Why the rows cannot be used, without reading them. NULL: they may be usable. */
static const char *check_rows(const struct loader *l, const trit_session *s)
{
    const uint64_t bytes = rows_bytes(s, l->h.n_tokens);

    if (l->h.version != VERSION)
        return "its keys and values were written by another version of trit";
    if (l->h.kv_format != (uint32_t)s->kv.format)
        return "its keys and values have another type";
    if (l->h.skipped != skipped_layers(s))
        return "other layers were skipped";
    if (l->file.size - l->at != bytes + CHECKSUM_BYTES)
        return "its keys and values are incomplete";
    return NULL;
}

static bool read_part(void *user, void *part, size_t bytes)
{
    struct loader *l = user;
    memcpy(part, l->file.data + l->at, bytes);
    trit_hash_add(&l->hash, part, bytes);
    l->at += bytes;
    return true;
}

/* Read the rows into the cache. They have no effect until n_tokens includes them. */
static const char *read_rows(struct loader *l, trit_session *s)
{
    const char *why = check_rows(l, s);

    if (why)
        return why;
    each_part(s, l->h.n_tokens, read_part, l);
    return trit_hash_value(&l->hash) == trit_load_u64(l->file.data + l->at)
               ? NULL
               : "its keys and values are damaged";
}

/* The tokens are sound and of this model: replace the timeline. */
static trit_status adopt(struct loader *l, trit_session *s, struct trit_session_loaded *out,
                         struct trit_error *err)
{
    const int32_t n = (int32_t)l->h.n_tokens;
    trit_status status = TRIT_OK;

    trit_session_rewind(s, 0);
    memcpy(s->tokens, l->tokens, (size_t)n * sizeof *s->tokens);
    out->why = read_rows(l, s);
    out->reread = out->why != NULL;
    if (out->reread)
        status = trit_session_eval(s, s->tokens, n, NULL, NULL, err);
    else
        s->n_tokens = n;
    for (int32_t i = 0; s->early_exit && !out->reread && i < n; i++)
        s->exit_depth[i] = s->engine->model->knobs.n_layer;
    out->n_tokens = s->n_tokens;
    return status;
}

trit_status trit_session_load(trit_session *s, const char *path, struct trit_session_loaded *out,
                              struct trit_error *err)
{
    struct loader l = {.path = path};
    trit_status status;

    *out = (struct trit_session_loaded){0};
    if ((status = trit_bytes_open(&l.file, path, false, err)))
        return status;
    if (!(status = read_tokens(&l, err)) && !(status = check_model(&l, s->engine->model, err)) &&
        !(status = check_tokens(&l, s, err)))
        status = adopt(&l, s, out, err);
    trit_bytes_close(&l.file);
    return status;
}
