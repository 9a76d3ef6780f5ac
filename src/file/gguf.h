/* gguf.h - a GGUF file: metadata and tensors by name, all of their bytes checked to be in the file.
 * Layout and limits are ggml's, versions 2 and 3, little-endian. */
#ifndef TRIT_FILE_GGUF_H
#define TRIT_FILE_GGUF_H

#include "error.h"
#include "str.h"
#include "platform.h"
#include "type.h"

struct gguf_kv {
    struct trit_string key;
    trit_value_type type, item_type; /* equal unless type is ARRAY */
    uint64_t n_items;                /* 1 unless type is ARRAY */
    const uint8_t *items;
};

struct gguf_tensor {
    struct trit_string name;
    uint32_t type_id;
    const struct trit_type *type; /* NULL: unknown id */
    uint32_t n_dims;
    uint64_t dims[4]; /* unused ones are 1; their product fits 63 bits */
    uint64_t offset;  /* from the start of the file; inside it */
    uint64_t n_bytes; /* inside the file; 0 if the type's size is unknown */
    uint64_t span;    /* bytes up to the next tensor, or to the end of the file */
    bool fits_span;   /* n_bytes fill the span except for padding; true for the last tensor */
};

struct trit_file {
    struct trit_bytes bytes;
    char *path;
    uint32_t version;
    enum trit_i2s_layout i2s_layout; /* chosen by the caller */
    uint8_t *overrides;              /* what override.c put into kv, or NULL */
    size_t n_kv, n_tensors;
    struct gguf_kv *kv;           /* [n_kv] */
    struct gguf_tensor *tensors;  /* [n_tensors] */
    const void **kv_by_name;      /* [n_kv] pointers into kv, sorted */
    const void **tensors_by_name; /* [n_tensors] likewise */
};

const struct gguf_kv *trit_gguf_find(const trit_file *f, const char *key);
const struct gguf_tensor *trit_gguf_find_tensor(const trit_file *f, const char *name);

static inline const uint8_t *trit_gguf_data(const trit_file *f, const struct gguf_tensor *t)
{
    return f->bytes.data + t->offset;
}

/* A two-dimensional tensor as input for unpack_t2 of its type. */
static inline struct trit_packed trit_gguf_packed(const trit_file *f, const struct gguf_tensor *t)
{
    return (struct trit_packed){
        .data = trit_gguf_data(f, t),
        .n_rows = (size_t)t->dims[1],
        .n_cols = (size_t)t->dims[0],
        .format = t->type->format >= 0 ? (enum trit_format)t->type->format : TRIT_FORMAT_F32,
        .layout = f->i2s_layout,
    };
}

/* Whether its bytes in the file are rows of T2. */
static inline bool trit_gguf_is_t2(const trit_file *f, const struct gguf_tensor *t)
{
    return t->type_id == TRIT_TYPE_I2_S && t->dims[0] % TRIT_T2_BLOCK == 0 &&
           f->i2s_layout <= TRIT_I2S_128_ROWS;
}

static inline uint64_t trit_gguf_n_elements(const struct gguf_tensor *t)
{
    return t->dims[0] * t->dims[1] * t->dims[2] * t->dims[3];
}

/* Read one value and advance *p; the bytes were checked when the file was opened. */
struct trit_value trit_gguf_next_value(trit_value_type type, const uint8_t **p);

/* Single values. If the key is absent, *out is unchanged and the result is TRIT_OK; a value of
 * another type or out of range is TRIT_E_FILE. Integers may have any width, signed or unsigned. */
trit_status trit_gguf_get_u32(const trit_file *f, const char *key, uint32_t *out,
                              struct trit_error *err);
trit_status trit_gguf_get_f64(const trit_file *f, const char *key, double *out,
                              struct trit_error *err);
trit_status trit_gguf_get_bool(const trit_file *f, const char *key, bool *out,
                               struct trit_error *err);
trit_status trit_gguf_get_string(const trit_file *f, const char *key, struct trit_string *out,
                                 struct trit_error *err);

/* An array of that item type; *out is NULL if the key is absent. */
trit_status trit_gguf_get_array(const trit_file *f, const char *key, trit_value_type item_type,
                                const struct gguf_kv **out, struct trit_error *err);

/* override.c: replace or add values of f->kv, which has room for n more entries. The index is not
 * changed. texts: "KEY=VALUE" or "KEY=TYPE:VALUE" with int, float, bool or str. f->overrides holds
 * them. @return TRIT_OK, TRIT_E_ARGUMENT or TRIT_E_MEMORY */
trit_status trit_override(trit_file *f, const char *const *texts, int32_t n,
                          struct trit_error *err);

#endif
