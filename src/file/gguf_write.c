/* gguf_write.c - see gguf_write.h. */
#include "gguf_write.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "str.h"

enum { ALIGNMENT = 32, VERSION = 3, HEADER_BYTES = 4 + 4 + 8 + 8, MAX_WRITE = 1 << 16 };

/* ---- Metadata and tensor list, in memory ----------------------------------------------------- */

static void append_bytes(struct gguf_writer *w, struct gguf_buffer *b, const void *bytes, size_t n)
{
    if (w->no_memory)
        return;
    if (n > b->size - b->len) {
        const size_t size = 2 * b->size + n + 4096;
        uint8_t *larger = realloc(b->data, size);
        w->no_memory = !larger;
        if (!larger)
            return;
        b->data = larger;
        b->size = size;
    }
    if (n)
        memcpy(b->data + b->len, bytes, n);
    b->len += n;
}

static void append_u32(struct gguf_writer *w, struct gguf_buffer *b, uint32_t x)
{
    append_bytes(w, b, &x, sizeof x);
}

static void append_u64(struct gguf_writer *w, struct gguf_buffer *b, uint64_t x)
{
    append_bytes(w, b, &x, sizeof x);
}

static void append_string(struct gguf_writer *w, struct gguf_buffer *b, const char *bytes,
                          size_t len)
{
    append_u64(w, b, len);
    append_bytes(w, b, bytes, len);
}

static void append_key(struct gguf_writer *w, const char *key, trit_value_type type)
{
    append_string(w, &w->kv, key, strlen(key));
    append_u32(w, &w->kv, (uint32_t)type);
    w->n_kv++;
}

void trit_gguf_write_u32(struct gguf_writer *w, const char *key, uint32_t x)
{
    append_key(w, key, TRIT_VALUE_U32);
    append_u32(w, &w->kv, x);
}

void trit_gguf_write_f32(struct gguf_writer *w, const char *key, float x)
{
    append_key(w, key, TRIT_VALUE_F32);
    append_bytes(w, &w->kv, &x, sizeof x);
}

void trit_gguf_write_bool(struct gguf_writer *w, const char *key, bool x)
{
    const uint8_t byte = x;
    append_key(w, key, TRIT_VALUE_BOOL);
    append_bytes(w, &w->kv, &byte, sizeof byte);
}

void trit_gguf_write_text(struct gguf_writer *w, const char *key, struct trit_string text)
{
    append_key(w, key, TRIT_VALUE_STRING);
    append_string(w, &w->kv, text.bytes, text.len);
}

void trit_gguf_write_string(struct gguf_writer *w, const char *key, const char *text)
{
    trit_gguf_write_text(w, key, trit_string_of(text));
}

void trit_gguf_write_entry(struct gguf_writer *w, const struct gguf_kv *kv)
{
    const uint8_t *end = kv->items;

    for (uint64_t i = 0; i < kv->n_items; i++)
        (void)trit_gguf_next_value(kv->item_type, &end);
    append_string(w, &w->kv, kv->key.bytes, kv->key.len);
    append_u32(w, &w->kv, kv->type);
    if (kv->type == TRIT_VALUE_ARRAY) {
        append_u32(w, &w->kv, kv->item_type);
        append_u64(w, &w->kv, kv->n_items);
    }
    append_bytes(w, &w->kv, kv->items, (size_t)(end - kv->items));
    w->n_kv++;
}

void trit_gguf_write_array(struct gguf_writer *w, const char *key, trit_value_type type, uint64_t n)
{
    append_key(w, key, TRIT_VALUE_ARRAY);
    append_u32(w, &w->kv, (uint32_t)type);
    append_u64(w, &w->kv, n);
}

void trit_gguf_write_item(struct gguf_writer *w, const void *item, size_t bytes)
{
    append_bytes(w, &w->kv, item, bytes);
}

void trit_gguf_write_item_string(struct gguf_writer *w, const char *bytes, size_t len)
{
    append_string(w, &w->kv, bytes, len);
}

bool trit_gguf_write_tensor(struct gguf_writer *w, const char *name, const struct trit_type *type,
                            uint64_t n_cols, uint64_t n_rows)
{
    uint64_t bytes;

    assert(type->block);
    if (!trit_type_bytes(type, n_cols, n_rows, &bytes))
        return false;
    append_string(w, &w->infos, name, strlen(name));
    append_u32(w, &w->infos, n_rows == 1 ? 1 : 2);
    append_u64(w, &w->infos, n_cols);
    if (n_rows != 1)
        append_u64(w, &w->infos, n_rows);
    append_u32(w, &w->infos, type->id);
    append_u64(w, &w->infos, w->data_bytes);
    w->data_bytes += trit_round_up(bytes, ALIGNMENT);
    w->n_tensors++;
    return true;
}

/* ---- Output ---------------------------------------------------------------------------------- */

static bool emit(struct gguf_writer *w, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t done = 0; done < n && !w->failed;) {
        const size_t step = n - done < MAX_WRITE ? n - done : MAX_WRITE;
        w->failed = !w->write(w->user, p + done, step);
        done += step;
    }
    return !w->failed;
}

static bool emit_zeros(struct gguf_writer *w, uint64_t at)
{
    static const uint8_t zeros[ALIGNMENT];
    return emit(w, zeros, (size_t)(trit_round_up(at, ALIGNMENT) - at));
}

static trit_status state(const struct gguf_writer *w, struct trit_error *err)
{
    if (w->no_memory)
        return trit_fail_memory(err, w->kv.size, "the file's metadata");
    return w->failed ? trit_fail(err, TRIT_E_CANCELLED, "stopped") : TRIT_OK;
}

/* Bytes of the header, the metadata and the list. */
static uint64_t front_bytes(const struct gguf_writer *w)
{
    return HEADER_BYTES + w->kv.len + w->infos.len;
}

uint64_t trit_gguf_writer_bytes(const struct gguf_writer *w)
{
    return trit_round_up(front_bytes(w), ALIGNMENT) + w->data_bytes;
}

trit_status trit_gguf_write_begin(struct gguf_writer *w, struct trit_error *err)
{
    struct gguf_buffer head = {0};

    append_bytes(w, &head, "GGUF", 4);
    append_u32(w, &head, VERSION);
    append_u64(w, &head, w->n_tensors);
    append_u64(w, &head, w->n_kv);
    if (!w->no_memory) {
        emit(w, head.data, head.len);
        emit(w, w->kv.data, w->kv.len);
        emit(w, w->infos.data, w->infos.len);
        emit_zeros(w, front_bytes(w));
    }
    free(head.data);
    return state(w, err);
}

bool trit_gguf_write_data(struct gguf_writer *w, const void *bytes, size_t n)
{
    w->offset += n;
    return emit(w, bytes, n);
}

bool trit_gguf_write_pad(struct gguf_writer *w)
{
    const bool ok = emit_zeros(w, w->offset);
    w->offset = trit_round_up(w->offset, ALIGNMENT);
    return ok;
}

bool trit_gguf_write_tail(struct gguf_writer *w, const struct trit_type *type, float scale)
{
    uint8_t tail[32];

    for (size_t i = 0; i < sizeof tail; i += sizeof scale) /* as in published files */
        memcpy(tail + i, &scale, sizeof scale);
    assert(type->tail_bytes <= sizeof tail);
    return trit_gguf_write_data(w, tail, type->tail_bytes) && trit_gguf_write_pad(w);
}

trit_status trit_gguf_write_end(struct gguf_writer *w, struct trit_error *err)
{
    assert(w->failed || w->offset == w->data_bytes);
    return state(w, err);
}

void trit_gguf_writer_free(struct gguf_writer *w)
{
    free(w->kv.data);
    free(w->infos.data);
    w->kv = w->infos = (struct gguf_buffer){0};
}
