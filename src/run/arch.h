/* arch.h - what a model computes, as knobs; one row of the table per architecture. */
#ifndef TRIT_RUN_ARCH_H
#define TRIT_RUN_ARCH_H

#include "gguf.h"
#include "kernels.h"

/* The knobs of every family that is planned. An enumerator marked "later" has its place here only:
 * no row names it yet, and with the first that does forward.c will read that knob. Until then the
 * one value that is there is what forward.c computes; the same goes for learned positions, for
 * causal (always) and for the knobs of early exit. */
enum trit_norm_kind { TRIT_NORM_RMS /* later: LayerNorm with weight and bias */ };
enum trit_block_form { TRIT_BLOCK_PRE_NORM /* later: POST_NORM */ };
enum trit_ffn_form { TRIT_FFN_GATED /* act(gate)*up; later: act(up) */ };
enum trit_linear_norm {
    TRIT_LINEAR_NORM_NONE,
    TRIT_LINEAR_NORM_RMS /* on the input of each linear; later: LAYER */
};
enum trit_linear_post {
    TRIT_LINEAR_POST_NONE,
    TRIT_LINEAR_POST_RELU2 /* of each linear's output */
};
enum trit_hadamard { TRIT_HADAMARD_NONE /* later: before or after quantisation */ };

/* What positions may be divided by. The largest angle, of a context of 2^20 by both kinds of
 * factor, stays below 2^30, as fmath.h asks. */
#define TRIT_MIN_ROPE_FACTOR 0.1
#define TRIT_MAX_ROPE_FACTOR 1e6

struct trit_knobs {
    /* Sizes */
    int32_t n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff;
    int32_t n_ctx; /* positions of the training */

    /* Block */
    enum trit_block_form block;
    enum trit_norm_kind norm;
    float norm_eps;
    bool attn_sub_norm, ffn_sub_norm; /* before the output and the down projection */
    enum trit_ffn_form ffn;
    enum trit_act ffn_act;
    const char *ffn_act_why;

    /* Linears */
    float act_eps; /* least absolute maximum of an activation row */
    float act_max; /* largest quantised activation: 127 for 8 bits */
    enum trit_act_form act_form;
    enum trit_linear_norm linear_norm;
    float linear_norm_eps;
    enum trit_linear_post linear_post;
    enum trit_hadamard hadamard;

    /* Positions and attention */
    enum trit_rope_style rope;
    int32_t n_rot;                 /* elements of a head that rotate; even */
    double rope_base, rope_factor; /* positions are divided by the factor */
    bool learned_positions;
    bool causal;

    /* Early exit */
    bool exit_norm; /* the final norm also before an early head */
    int32_t exit_min_layers;
    float exit_threshold;
};

struct trit_arch {
    const char *name;        /* general.architecture */
    struct trit_knobs knobs; /* what the name says; the file adds sizes and may change the rest */
    bool may_be_1bitllm;     /* files of the 1bitLLM reproductions go by this name too */
};

/* The row that a file names, and its knobs filled in.
 * @return TRIT_OK; TRIT_E_UNSUPPORTED: no such row, or a key asks for what is not computed;
 *         TRIT_E_FILE: a key is missing or makes no sense. */
trit_status trit_arch_read(const struct trit_arch **arch, struct trit_knobs *knobs,
                           const trit_file *file, struct trit_error *err);

#endif
