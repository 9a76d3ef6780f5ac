/* model.h - a model's weights, checked and in the layouts that kernels read. */
#ifndef TRIT_RUN_MODEL_H
#define TRIT_RUN_MODEL_H

#include "arch.h"
#include "arena.h"
#include "gguf.h"

/* A norm's weight, and a LayerNorm's bias, both as wide as the rows. NULL: none. */
struct trit_norm {
    float *w, *b;
};

/* A float matrix, row by row: the embedding, the head, and linears that are not quantized. */
struct trit_matrix {
    const struct trit_type *type;
    enum trit_format format; /* of the type */
    const uint8_t *data;
    size_t n_rows, n_cols, row_bytes;
};

/* A ternary matrix, y = scale * T x + bias, or one of floats, y = M x + bias. */
struct trit_linear {
    struct trit_norm norm; /* of its input, or w is NULL */
    const uint8_t *t2;     /* [n_out, n_in padded to TRIT_T2_BLOCK], or NULL: floats */
    struct trit_matrix floats;
    float scale;
    float *bias; /* [n_out], or NULL */
    size_t n_in, n_out;
    size_t n_cols, row_bytes; /* of a row of t2: n_in padded, and its bytes */
};

/* One tensor of a layer, blk.N.<name>.weight, and its member of struct trit_layer. A LayerNorm has
 * a .bias as well. */
enum trit_slot_kind { TRIT_NORM, TRIT_LINEAR };
enum trit_width { TRIT_WIDTH_EMBD, TRIT_WIDTH_Q, TRIT_WIDTH_KV, TRIT_WIDTH_FF, TRIT_WIDTH_HEAD };

/* In all models, or in those whose knobs say so. */
enum trit_slot_where {
    TRIT_EVERYWHERE,
    TRIT_IF_PRE_NORM,
    TRIT_IF_POST_NORM,
    TRIT_IF_ATTN_SUB_NORM,
    TRIT_IF_FFN_SUB_NORM,
    TRIT_IF_GATED,
    TRIT_IF_QK_NORM,
};

struct trit_slot {
    const char *name;
    enum trit_slot_kind kind;
    size_t member;
    size_t file_order;       /* among the layer's tensors in published files */
    enum trit_width in, out; /* a NORM has only in */
    enum trit_slot_where where;
};

/* Slot i of the table, in the order in which a block uses them; NULL past the last. */
const struct trit_slot *trit_slot_at(size_t i);
bool trit_slot_exists(const struct trit_slot *s, const struct trit_knobs *k);
size_t trit_width(const struct trit_knobs *k, enum trit_width w);

struct trit_layer {
    struct trit_norm attn_norm, ffn_norm;           /* of blocks of form pre */
    struct trit_norm attn_norm_post, ffn_norm_post; /* of form post */
    struct trit_norm attn_sub_norm, ffn_sub_norm;   /* w may be NULL */
    struct trit_norm attn_q_norm, attn_k_norm;      /* of a head; w may be NULL */
    struct trit_linear attn_q, attn_k, attn_v, attn_output, ffn_gate, ffn_up, ffn_down;
};

/* Linear i of a layer, in the order of the table; NULL past the last. One that the model does not
 * have is all zeros. */
const struct trit_linear *trit_layer_linear(const struct trit_layer *layer, size_t i);

/* The key of the linears that a BitNet model keeps in floats: an array of their names without
 * ".weight". Their activations are not quantized. */
#define TRIT_FLOAT_LINEARS "trit.float_linears"

/* The key of a head that is a BitLinear itself: true. Its ternary values are floats in the file,
 * output.scale is their scale, and its activations are quantized, too. */
#define TRIT_QUANTIZED_HEAD "trit.quantized_head"

/* Whether the file lists a tensor as a linear of floats, by its full name. */
bool trit_is_float_linear(const trit_file *file, struct trit_string name);

struct trit_model {
    const trit_file *file;
    const struct trit_arch *arch;
    struct trit_knobs knobs;
    struct trit_matrix token_embd, output; /* the same one if tied */
    struct trit_matrix position_embd;      /* [positions, embd], or no rows */
    bool tied;
    struct trit_norm output_norm;
    bool quantized_head;
    struct trit_norm head_norm; /* of a quantized head's input, or w is NULL */
    float head_scale;           /* of a quantized head */
    float *rope_factors;        /* [n_rot/2] divisors of the frequencies, or NULL */
    struct trit_layer *layers;  /* [n_layer] */
    struct trit_arena memory;   /* norms and repacked weights */
    uint64_t n_params, n_ternary, linear_bytes;
    uint64_t n_float_linears;
};

#endif
