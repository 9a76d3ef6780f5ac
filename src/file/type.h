/* type.h - tensor types: one row each, with everything that is known of a type.
 *
 * A type is decodable (embedding, head, norm: it has a kernel format), ternary (a linear: it has an
 * unpacker into the T2 layout), both (F16, BF16, F32 masters), or neither: then the row is there so
 * that a message can name it. */
#ifndef TRIT_FILE_TYPE_H
#define TRIT_FILE_TYPE_H

#include "error.h"
#include "kernels.h"

/* One ternary matrix as a file has it. */
struct trit_packed {
    const uint8_t *data;
    size_t n_rows, n_cols;
    enum trit_format format; /* of types that have one */
};

/* Turn a matrix into T2 rows of n_cols padded to whole blocks with code 1. *scale receives what all
 * +1 stand for. On failure why explains, as the rest of a sentence whose subject is the tensor.
 * @return TRIT_OK; TRIT_E_FILE: damaged; TRIT_E_UNSUPPORTED: sound but not ternary as needed. */
typedef trit_status (*trit_unpack_fn)(uint8_t *t2, float *scale, const struct trit_packed *m,
                                      struct trit_error *why);

struct trit_type {
    uint32_t id;
    const char *name;
    uint32_t block; /* elements; a row is whole blocks. 0: size not known */
    uint32_t block_bytes;
    uint32_t tail_bytes;      /* after the last row, once per tensor */
    bool id_is_shared;        /* other programs use the id for another type: check the span */
    int format;               /* enum trit_format, or -1 */
    trit_unpack_fn unpack_t2; /* NULL: not a type of linears */
    const char *note;         /* NULL, or what else to say when it is refused */
};

enum {
    TRIT_TYPE_F32 = 0,
    TRIT_TYPE_I2_S = 36,
};

/* The row of an id, or NULL. */
const struct trit_type *trit_type_find(uint32_t id);

/* Data bytes of rows*row_len elements; false if a row is no whole number of blocks, or on overflow.
 * Only for types whose size is known. */
bool trit_type_bytes(const struct trit_type *type, uint64_t row_len, uint64_t n_rows,
                     uint64_t *bytes);

/* Bytes of a T2 row of n_cols weights, padding included. */
size_t trit_t2_row_bytes(size_t n_cols);

/* The per-tensor scale of an I2_S tensor, which follows its weights. */
float trit_i2s_scale(const uint8_t *data, size_t n_weights);

/* The ternary family (type_ternary.c). */
trit_status trit_unpack_i2s(uint8_t *t2, float *scale, const struct trit_packed *m,
                            struct trit_error *why);
trit_status trit_unpack_tq1(uint8_t *t2, float *scale, const struct trit_packed *m,
                            struct trit_error *why);
trit_status trit_unpack_tq2(uint8_t *t2, float *scale, const struct trit_packed *m,
                            struct trit_error *why);
trit_status trit_unpack_float(uint8_t *t2, float *scale, const struct trit_packed *m,
                              struct trit_error *why);

#endif
