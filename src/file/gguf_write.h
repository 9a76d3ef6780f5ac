/* gguf_write.h - write a GGUF file, version 3, from front to back.
 *
 * Add all metadata, then list all tensors, then call trit_gguf_write_begin(), then write the data
 * of each tensor in that order, in pieces of any size. The writer remembers a failure of the sink
 * or an allocation; trit_gguf_write_begin() and trit_gguf_write_end() report it. */
#ifndef TRIT_FILE_GGUF_WRITE_H
#define TRIT_FILE_GGUF_WRITE_H

#include "gguf.h"

/* A growing array of bytes. */
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

void trit_gguf_write_u32(struct gguf_writer *w, const char *key, uint32_t x);
void trit_gguf_write_f32(struct gguf_writer *w, const char *key, float x);
void trit_gguf_write_bool(struct gguf_writer *w, const char *key, bool x);
void trit_gguf_write_string(struct gguf_writer *w, const char *key, const char *text);
void trit_gguf_write_text(struct gguf_writer *w, const char *key, struct trit_string text);

/* Copy an entry of another file. */
void trit_gguf_write_entry(struct gguf_writer *w, const struct gguf_kv *kv);

/* Begin an array. Its n items must follow at once: strings by trit_gguf_write_item_string(), others
 * by trit_gguf_write_item() with their size. */
void trit_gguf_write_array(struct gguf_writer *w, const char *key, trit_value_type type,
                           uint64_t n);
void trit_gguf_write_item(struct gguf_writer *w, const void *item, size_t bytes);
void trit_gguf_write_item_string(struct gguf_writer *w, const char *bytes, size_t len);

/* List a tensor of n_rows rows of n_cols; a vector has one row. The size of the type must be known.
 * @return false if n_cols is not whole blocks of the type */
bool trit_gguf_write_tensor(struct gguf_writer *w, const char *name, const struct trit_type *type,
                            uint64_t n_cols, uint64_t n_rows);

/* Bytes of the whole file, after all tensors are listed. */
uint64_t trit_gguf_writer_bytes(const struct gguf_writer *w);

/* Write the header, the metadata and the list. @return TRIT_OK; TRIT_E_MEMORY; TRIT_E_CANCELLED:
 * the sink returned false */
trit_status trit_gguf_write_begin(struct gguf_writer *w, struct trit_error *err);

/* Write bytes of the current tensor. At its end call trit_gguf_write_pad(), or after its rows
 * trit_gguf_write_tail(), which writes the tail of the type and pads. @return false after the sink
 * has returned false */
bool trit_gguf_write_data(struct gguf_writer *w, const void *bytes, size_t n);
bool trit_gguf_write_pad(struct gguf_writer *w);
bool trit_gguf_write_tail(struct gguf_writer *w, const struct trit_type *type, float scale);

/* @return TRIT_OK, or TRIT_E_CANCELLED as above */
trit_status trit_gguf_write_end(struct gguf_writer *w, struct trit_error *err);

void trit_gguf_writer_free(struct gguf_writer *w);

#endif
