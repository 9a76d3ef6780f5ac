/* type.h - tensor types: one row each, with everything known about it.
 *
 * Reading and writing both pass through T2 (kernels.h) for linears, and through f32 for embeddings,
 * heads and norms. A type is decodable (embedding, head, norm: it has a kernel format), ternary (a
 * linear: it has an unpacker into T2), both (F16, BF16, F32 masters), or neither, listed so that
 * messages can name it. A new type needs its functions, declared below, and a row in type.c. */
#ifndef TRIT_FILE_TYPE_H
#define TRIT_FILE_TYPE_H

#include "error.h"
#include "kernels.h"

/* The order of weights in an I2_S tensor; type_ternary.c shows each. */
enum trit_i2s_layout {
    TRIT_I2S_128,
    TRIT_I2S_128_ROWS,
    TRIT_I2S_64,
    TRIT_I2S_4_ROWS,
    TRIT_I2S_SEQUENTIAL,
};

/* Find a layout by its name in trit_file_options. @return TRIT_OK or TRIT_E_ARGUMENT */
trit_status trit_i2s_layout_named(enum trit_i2s_layout *out, const char *name,
                                  struct trit_error *err);

/* A ternary matrix in a file. */
struct trit_packed {
    const uint8_t *data;
    size_t n_rows, n_cols;
    enum trit_format format;     /* of decodable types */
    enum trit_i2s_layout layout; /* of I2_S */
};

/* Unpack a matrix into rows of T2, padded to whole blocks with code 1. *scale receives the value of
 * +1. If it fails, the text of why is the rest of a sentence whose subject is the tensor.
 * @return TRIT_OK; TRIT_E_FILE: damaged; TRIT_E_UNSUPPORTED: valid but not ternary as required. */
typedef trit_status trit_unpack_fn(uint8_t *t2, float *scale, const struct trit_packed *m,
                                   struct trit_error *why);

/* Pack n_rows rows of T2. A tensor may be packed in parts if each has a multiple of TRIT_T2_BLOCK
 * weights. The caller writes the tail. */
typedef void trit_pack_fn(uint8_t *out, const uint8_t *t2, float scale, size_t n_rows,
                          size_t n_cols);

/* Encode n floats, whole blocks of the type. */
typedef void trit_encode_fn(uint8_t *out, const float *x, size_t n);

/* Round a scale to the type's precision. */
typedef float trit_scale_fn(float scale);

/* How random blocks become valid weights with small values. */
struct trit_random_rule {
    uint8_t n_scales, scale_at; /* f16 scales to set, from this byte of a block on */
    uint16_t scale;             /* bits of the f16 */
    bool two_bit;               /* the bytes hold 2-bit codes; 3 is changed */
};

struct trit_type {
    uint32_t id;
    const char *name;
    uint32_t block; /* elements; a row is whole blocks. 0: size not known */
    uint32_t block_bytes;
    int format;                     /* enum trit_format, or -1 */
    bool id_is_shared;              /* other programs use the id for other types: check the span */
    const char *note;               /* NULL, or more text for the message that refuses it */
    uint32_t tensor_block;          /* elements; a tensor is a multiple of it. 0: no such rule */
    uint32_t tail_bytes;            /* after the last row: the scale of the tensor, repeated */
    uint32_t file_type;             /* general.file_type of a model whose linears are of it */
    trit_unpack_fn *unpack_t2;      /* NULL: not a type of linears */
    trit_pack_fn *pack_t2;          /* NULL: linears cannot be written as this */
    trit_scale_fn *scale;           /* NULL: a scale is stored as f32 */
    trit_encode_fn *encode;         /* NULL: floats cannot be written as this */
    struct trit_random_rule random; /* zero: the type is plain floats, or cannot be written */
};

enum { TRIT_TYPE_F32 = 0, TRIT_TYPE_F16 = 1, TRIT_TYPE_BF16 = 30, TRIT_TYPE_I2_S = 36 };

/* The row of an id, or NULL. */
const struct trit_type *trit_type_find(uint32_t id);

/* What a type can be used for. */
enum trit_type_use { TRIT_READ_LINEARS, TRIT_READ_FLOATS, TRIT_WRITE_LINEARS, TRIT_WRITE_FLOATS };

/* The names of all such types: "I2_S, TQ1_0" to read, "i2_s, tq1_0" to write. */
struct trit_type_list {
    char text[128];
};
struct trit_type_list trit_types_for(enum trit_type_use use);

/* Find a type that linears, or else embeddings, can be written as. name: in upper or lower case;
 * NULL: the default. @return TRIT_OK, or TRIT_E_ARGUMENT: unknown; the text lists all */
trit_status trit_type_named(const struct trit_type **out, const char *name, bool linear,
                            struct trit_error *err);

/* Data bytes of n_rows*row_len elements. @return false if a row is not whole blocks, or on
 * overflow. Only for types whose size is known. */
bool trit_type_bytes(const struct trit_type *type, uint64_t row_len, uint64_t n_rows,
                     uint64_t *bytes);

/* Bytes of a T2 row of n_cols weights, padding included. */
size_t trit_t2_row_bytes(size_t n_cols);

/* Whether T2 bytes contain a code 3, which is invalid. */
bool trit_t2_is_damaged(const uint8_t *t2, size_t n_bytes);

/* Pack codes 0..3 of n_cols weights into a row of T2, padded with code 1; and unpack them. */
void trit_pack_t2_row(uint8_t *t2, const uint8_t *codes, size_t n_cols);
void trit_unpack_t2_row(uint8_t *codes, const uint8_t *t2, size_t n_cols);

/* The per-tensor scale of an I2_S tensor, which follows its weights. */
float trit_i2s_scale(const uint8_t *data, size_t n_weights);

/* The ternary family (type_ternary.c). */
trit_unpack_fn trit_unpack_i2s, trit_unpack_tq1, trit_unpack_tq2, trit_unpack_float;
trit_pack_fn trit_pack_i2s, trit_pack_tq1, trit_pack_tq2, trit_pack_f32, trit_pack_f16,
    trit_pack_bf16;

/* Floats (type_encode.c). F16 and BF16 round to nearest even; values beyond F16 become infinite.
 * The block types take finite floats; values beyond F16 may become infinite. */
trit_encode_fn trit_encode_f32, trit_encode_f16, trit_encode_bf16, trit_encode_q4_0,
    trit_encode_q8_0, trit_encode_q4_k, trit_encode_q6_k;
trit_scale_fn trit_scale_f16, trit_scale_bf16;

#endif
