/* gguf_write.h - a GGUF file, version 3, written front to back.
 *
 * First all metadata, then the list of all tensors, then gguf_write_begin(), then the data of each
 * tensor in that order, in pieces of any size. What cannot be given to the sink, or memory that is
 * not there, is remembered and reported once, by gguf_write_begin() or gguf_write_end(). */
#ifndef TRIT_FILE_GGUF_WRITE_H
#define TRIT_FILE_GGUF_WRITE_H

#include "gguf.h"

/* Bytes that grow. */
struct gguf_buffer {
    uint8_t *data;
    size_t len, size;
};

struct gguf_writer {
    trit_write_fn write; /* set these two, the rest 0 */
    void *user;
    struct gguf_buffer kv, infos;
    uint64_t n_kv, n_tensors;
    uint64_t data_bytes; /* of all tensors added, each padded */
    uint64_t offset;     /* of the next byte of data */
    bool no_memory, failed;
};

void gguf_write_u32(struct gguf_writer *w, const char *key, uint32_t x);
void gguf_write_f32(struct gguf_writer *w, const char *key, float x);
void gguf_write_bool(struct gguf_writer *w, const char *key, bool x);
void gguf_write_string(struct gguf_writer *w, const char *key, const char *text);
void gguf_write_text(struct gguf_writer *w, const char *key, struct trit_string text);

/* An entry as another file has it. */
void gguf_write_entry(struct gguf_writer *w, const struct gguf_kv *kv);

/* An array of n items, which must follow at once: the items of a string array by
 * gguf_write_item_string(), those of the others by gguf_write_item() of their size. */
void gguf_write_array(struct gguf_writer *w, const char *key, trit_value_type type, uint64_t n);
void gguf_write_item(struct gguf_writer *w, const void *item, size_t bytes);
void gguf_write_item_string(struct gguf_writer *w, const char *bytes, size_t len);

/* A tensor of n_rows rows of n_cols; a vector has one row. False if n_cols is no whole number of
 * the type's blocks. The type's size must be known. */
bool gguf_write_tensor(struct gguf_writer *w, const char *name, const struct trit_type *type,
                       uint64_t n_cols, uint64_t n_rows);

/* Bytes of the whole file, once everything has been added. */
uint64_t gguf_writer_bytes(const struct gguf_writer *w);

/* The header and everything added so far. @return TRIT_OK, TRIT_E_MEMORY, TRIT_E_CANCELLED: the
 * sink wants no more */
trit_status gguf_write_begin(struct gguf_writer *w, struct trit_error *err);

/* Bytes of the tensor whose turn it is; after its last ones, gguf_write_pad(), or after its last
 * row what the type has there, and the padding. False once the sink wants no more. */
bool gguf_write_data(struct gguf_writer *w, const void *bytes, size_t n);
bool gguf_write_pad(struct gguf_writer *w);
bool gguf_write_tail(struct gguf_writer *w, const struct trit_type *type, float scale);

/* @return TRIT_OK, or TRIT_E_CANCELLED as above */
trit_status gguf_write_end(struct gguf_writer *w, struct trit_error *err);

void gguf_writer_free(struct gguf_writer *w);

#endif
