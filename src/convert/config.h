/* config.h - what a checkpoint's config.json says: its family, and the knobs of its model. */
#ifndef TRIT_CONVERT_CONFIG_H
#define TRIT_CONVERT_CONFIG_H

#include "arch.h"
#include "notes.h"

/* What the stored scale of packed weights is to +1. */
enum trit_scale_form {
    TRIT_SCALE_MULTIPLIES, /* the weight: linear_class autobitlinear */
    TRIT_SCALE_DIVIDES,    /* its inverse: linear_class bitlinear */
};

/* One family of checkpoints. */
struct trit_family {
    const char *architecture; /* in config.json */
    const char *arch;         /* general.architecture of the GGUF */
    const char *what;         /* for messages */
    bool quantization_config; /* must be there */
    bool sub_norms;
    bool rope_pairs;                /* rows of Q and K are rearranged for rotation by pairs */
    const char *attn_sub, *ffn_sub; /* what its sub-norms are called below a layer */
};

/* Where config.json is silent. */
enum trit_tied { TRIT_UNTIED, TRIT_TIED, TRIT_TIED_UNSAID };

struct trit_config {
    const struct trit_family *family;
    struct trit_knobs knobs; /* sizes, eps, RoPE, activation, linear norms */
    const char *act;         /* for hidden_activation */
    int32_t n_vocab;
    enum trit_tied tied;
    enum trit_scale_form scale;
    const char *scale_why;                    /* the words that decided */
    float rope_low, rope_high, rope_original; /* of rope type "llama3"; rope_original 0: not that */
};

/* Read it. Everything that is not computed by the forward pass is refused here, by its key.
 * @return TRIT_OK; TRIT_E_FILE: a key is missing or makes no sense; TRIT_E_UNSUPPORTED */
trit_status trit_config_read(struct trit_config *out, const char *path,
                             const struct trit_json_value *root, struct trit_notes *notes,
                             struct trit_error *err);

#endif
