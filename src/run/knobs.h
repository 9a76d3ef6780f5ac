/* knobs.h - what a model computes, as knobs (elsewhere: hparams).
 *
 * Sizes come from the keys of the architecture. Where families differ in what they compute, or
 * their sources leave it open, a knob of the table is the key trit.<name> of the file, a row of
 * trit_model_knob_at(), and one of the knobs that trit_convert() takes. */
#ifndef TRIT_RUN_KNOBS_H
#define TRIT_RUN_KNOBS_H

#include "hash.h"
#include "kernels.h"
#include "trit.h"

enum trit_block_form {
    TRIT_BLOCK_PRE, /* h += f(norm(h)) */
    TRIT_BLOCK_POST /* h = norm(h + f(h)) */
};
enum trit_norm_kind {
    TRIT_NORM_RMS,
    TRIT_NORM_LAYER /* LayerNorm with weight and bias */
};
enum trit_ffn_form {
    TRIT_FFN_GATED, /* down(act(gate) * up) */
    TRIT_FFN_PLAIN  /* down(act(up)) */
};
enum trit_linear_norm { TRIT_LINEAR_NORM_NONE, TRIT_LINEAR_NORM_RMS, TRIT_LINEAR_NORM_LAYER };
enum trit_linear_post { TRIT_LINEAR_POST_NONE, TRIT_LINEAR_POST_RELU2 };
enum trit_act_dequant {
    TRIT_ACT_DEQUANT_STANDARD,  /* sums are multiplied by m/act_max */
    TRIT_ACT_DEQUANT_LEGACY_DIV /* divided by m: bitskip's code of September 2025 */
};
enum trit_hadamard {
    TRIT_HADAMARD_NONE,
    TRIT_HADAMARD_BEFORE, /* of the activations before they are quantized */
    TRIT_HADAMARD_AFTER   /* of the quantized ones */
};

/* Wider rows are not transformed: three digits would not hold them (linear.c). */
enum { TRIT_MAX_HADAMARD = 32768 };

/* The range of factors that divide positions. The largest angle, of position 2^20 with both kinds
 * of factor, stays below 2^30, as fmath.h requires. */
#define TRIT_MIN_ROPE_FACTOR 0.1
#define TRIT_MAX_ROPE_FACTOR 1e6

struct trit_knobs {
    /* Sizes */
    int32_t n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff;
    int32_t n_ctx;    /* positions in training */
    int32_t n_window; /* positions that a token sees, or 0: all; no context may be longer */

    /* Block */
    enum trit_block_form block;
    enum trit_norm_kind norm;
    float norm_eps;
    bool attn_in_norm;                /* LayerNorm without weights on the input of attention */
    bool attn_sub_norm, ffn_sub_norm; /* before the output and the down projection */
    bool qk_norm;                     /* of each head of q and k, before RoPE; by architecture */
    enum trit_ffn_form ffn;
    enum trit_act ffn_act;
    const char *ffn_act_why;

    /* Linears: norm, transform, quantization, product, transform, relu2, in this order */
    enum trit_linear_norm linear_norm;
    float linear_norm_eps;
    enum trit_hadamard hadamard;
    bool hadamard_norm;   /* each transform of n is divided by sqrt(n) */
    bool hadamard_output; /* output rows are transformed too */
    int32_t act_bits;
    float act_eps; /* lower limit of an activation row's absolute maximum */
    float act_max; /* largest quantized activation, from act_bits: 127 for 8 */
    enum trit_act_form act_form;
    enum trit_act_dequant act_dequant;
    enum trit_linear_post linear_post;

    /* Positions and attention */
    enum trit_rope_style rope;
    int32_t n_rot;                 /* elements of a head that rotate; even */
    double rope_base, rope_factor; /* positions are divided by the factor */
    bool learned_positions;        /* added to the embeddings, in addition to RoPE */
    bool causal;                   /* a token sees no later ones */

    /* Early exit */
    bool exit_norm;          /* the final norm also precedes an early head */
    int32_t exit_min_layers; /* the first layer that is checked by default */
    float exit_threshold;    /* the one that the model recommends, for information; 0: none */
};

/* A row of the table: a member of struct trit_knobs. */
struct trit_knob {
    const char *name;
    enum { TRIT_KNOB_BOOL, TRIT_KNOB_INT, TRIT_KNOB_REAL, TRIT_KNOB_WORD } kind;
    size_t offset, size; /* of a bool, int32_t or enumeration, float or double */
    bool implied; /* by the architecture and its keys: a file has no key trit.<name> for it */
    const char *const *words;
    int n_words;
    double lo, hi; /* of INT and REAL */
};

/* Knob i of those that a file may set; NULL past the last. The one of that name, or NULL. */
const struct trit_knob *trit_knob_at(size_t i);
const struct trit_knob *trit_knob_named(struct trit_string name);

/* The value as a number: a word is its index among the words, a bool 0 or 1. */
double trit_knob_get(const struct trit_knob *knob, const struct trit_knobs *k);
void trit_knob_set(const struct trit_knob *knob, struct trit_knobs *k, double value);

/* The valid values, "'none' or 'relu2'", "'true' or 'false'", "1e-30 to 1"; and the value set. */
struct trit_knob_text {
    char text[96];
};
struct trit_knob_text trit_knob_range(const struct trit_knob *knob);
struct trit_knob_text trit_knob_value(const struct trit_knob *knob, const struct trit_knobs *k);

/* Set a knob from text.
 * @return TRIT_OK, or TRIT_E_ARGUMENT with the knob, the text and the possible values */
trit_status trit_knob_parse(const struct trit_knob *knob, struct trit_knobs *k,
                            struct trit_string text, struct trit_error *err);

/* Set several knobs, "name=value name=value"; NULL: none. @return as trit_knob_parse() */
trit_status trit_knobs_apply(struct trit_knobs *k, const char *text, struct trit_error *err);

/* Add every knob that changes logits to a hash, including the implied ones. */
void trit_knobs_hash(const struct trit_knobs *k, struct trit_hash *h);

/* After the last change: set what follows from other knobs, and check that they are consistent.
 * @return TRIT_OK; TRIT_E_FILE or TRIT_E_UNSUPPORTED with the rest of a sentence that begins with
 *         the file's name */
trit_status trit_knobs_finish(struct trit_knobs *k, struct trit_error *why);

#endif
