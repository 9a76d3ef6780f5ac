/* type.h - tensor types: one row each, with everything that is known of a type.
 *
 * Linears pass through T2 (kernels.h), embeddings, heads and norms through f32, both when a type is
 * read and when it is written. A type is decodable (embedding, head, norm: it has a kernel format),
 * ternary (a linear: it has an unpacker into the T2 layout), both (F16, BF16, F32 masters), or
 * neither: then the row is there so that a message can name it. */
#ifndef TRIT_FILE_TYPE_H
#define TRIT_FILE_TYPE_H

#include "error.h"
#include "kernels.h"

/* How the weights of an I2_S tensor lie; type_ternary.c has the pictures. */
enum trit_i2s_layout {
    TRIT_I2S_128,
    TRIT_I2S_128_ROWS,
    TRIT_I2S_64,
    TRIT_I2S_4_ROWS,
    TRIT_I2S_SEQUENTIAL,
};

/* The layout of that name, as trit_file_options has it. @return TRIT_OK or TRIT_E_ARGUMENT */
trit_status trit_i2s_layout_named(enum trit_i2s_layout *out, const char *name,
                                  struct trit_error *err);

/* One ternary matrix as a file has it. */
struct trit_packed {
    const uint8_t *data;
    size_t n_rows, n_cols;
    enum trit_format format;     /* of types that have one */
    enum trit_i2s_layout layout; /* of I2_S */
};

/* Turn a matrix into T2 rows of n_cols padded to whole blocks with code 1. *scale receives what all
 * +1 stand for. On failure why explains, as the rest of a sentence whose subject is the tensor.
 * @return TRIT_OK; TRIT_E_FILE: damaged; TRIT_E_UNSUPPORTED: sound but not ternary as needed. */
typedef trit_status trit_unpack_fn(uint8_t *t2, float *scale, const struct trit_packed *m,
                                   struct trit_error *why);

/* The other way: n_rows rows of T2 as the type has them. A tensor that is packed in parts is cut
 * where n_rows*n_cols so far is a multiple of TRIT_T2_BLOCK. What is not in rows (the tail) is the
 * caller's. */
typedef void trit_pack_fn(uint8_t *out, const uint8_t *t2, float scale, size_t n_rows,
                          size_t n_cols);

/* n floats, whole blocks of the type. */
typedef void trit_encode_fn(uint8_t *out, const float *x, size_t n);

/* A scale as the type keeps it. */
typedef float trit_scale_fn(float scale);

/* Random bytes of whole blocks become weights that a dummy model can have: codes are valid, values
 * stay small. */
typedef void trit_random_fn(uint8_t *blocks, size_t n_bytes);

struct trit_type {
    uint32_t id;
    const char *name;
    uint32_t block; /* elements; a row is whole blocks. 0: size not known */
    uint32_t block_bytes;
    int format;             /* enum trit_format, or -1 */
    bool id_is_shared;      /* other programs use the id for another type: check the span */
    const char *note;       /* NULL, or what else to say when it is refused */
    uint32_t tensor_block;  /* elements; a tensor is whole blocks of these too. 0: of any number */
    uint32_t tail_bytes;    /* after the last row, once per tensor: its scale, again and again */
    uint32_t file_type;     /* general.file_type of a model whose linears are of it */
    trit_unpack_fn *unpack_t2; /* NULL: not a type of linears */
    trit_pack_fn *pack_t2;     /* NULL: linears are not written as this */
    trit_scale_fn *scale;   /* NULL: all 32 bits of a scale are kept */
    trit_encode_fn *encode; /* NULL: floats are not written as this */
    trit_random_fn *random; /* of types that are written; NULL: blocks are plain floats */
};

enum {
    TRIT_TYPE_F32 = 0,
    TRIT_TYPE_F16 = 1,
    TRIT_TYPE_BF16 = 30,
    TRIT_TYPE_TQ1_0 = 34,
    TRIT_TYPE_TQ2_0 = 35,
    TRIT_TYPE_I2_S = 36,
};

/* The row of an id, or NULL. */
const struct trit_type *trit_type_find(uint32_t id);

/* What a type may serve for. */
enum trit_type_use { TRIT_READ_LINEARS, TRIT_READ_FLOATS, TRIT_WRITE_LINEARS, TRIT_WRITE_FLOATS };

/* The names of all types that do, "I2_S, TQ1_0"; those to be written as options have them. */
struct trit_type_list {
    char text[128];
};
struct trit_type_list trit_types_for(enum trit_type_use use);

/* The row of a name in any case that linears, or else embeddings, can be written as. NULL is the
 * first of them.
 * @return TRIT_OK, or TRIT_E_ARGUMENT: none; the text lists them */
trit_status trit_type_named(const struct trit_type **out, const char *name, bool linear,
                            struct trit_error *err);

/* Data bytes of rows*row_len elements; false if a row is no whole number of blocks, or on overflow.
 * Only for types whose size is known. */
bool trit_type_bytes(const struct trit_type *type, uint64_t row_len, uint64_t n_rows,
                     uint64_t *bytes);

/* Bytes of a T2 row of n_cols weights, padding included. */
size_t trit_t2_row_bytes(size_t n_cols);

/* Whether T2 bytes hold a code 3, which no weight has. */
bool trit_t2_is_damaged(const uint8_t *t2, size_t n_bytes);

/* Codes 0..3 of n_cols weights as one T2 row, padded with code 1; and back, without padding. */
void trit_pack_t2_row(uint8_t *t2, const uint8_t *codes, size_t n_cols);
void trit_unpack_t2_row(uint8_t *codes, const uint8_t *t2, size_t n_cols);

/* The per-tensor scale of an I2_S tensor, which follows its weights. */
float trit_i2s_scale(const uint8_t *data, size_t n_weights);

/* The ternary family (type_ternary.c). */
trit_unpack_fn trit_unpack_i2s, trit_unpack_tq1, trit_unpack_tq2, trit_unpack_float;
trit_pack_fn trit_pack_i2s, trit_pack_tq1, trit_pack_tq2, trit_pack_f32, trit_pack_f16,
    trit_pack_bf16;
trit_random_fn trit_random_i2s, trit_random_tq1, trit_random_tq2;

/* Floats (type_encode.c). F16 and BF16 round to nearest even; what is beyond F16 becomes infinite.
 * The block types take finite floats, and may make infinite ones of those beyond F16. */
trit_encode_fn trit_encode_f32, trit_encode_f16, trit_encode_bf16, trit_encode_q4_0,
    trit_encode_q8_0, trit_encode_q4_k, trit_encode_q6_k;
trit_scale_fn trit_scale_f16, trit_scale_bf16;
trit_random_fn trit_random_q4_0, trit_random_q8_0, trit_random_q4_k, trit_random_q6_k;

#endif
