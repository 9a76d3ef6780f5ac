/* config.h - the config.json of a checkpoint: its family, and the knobs of its model. */
#ifndef TRIT_CONVERT_CONFIG_H
#define TRIT_CONVERT_CONFIG_H

#include "family.h"
#include "names.h"
#include "notes.h"

/* What the stored scale of packed weights does to the ternary values. */
enum trit_scale_form {
    TRIT_SCALE_MULTIPLIES, /* linear_class autobitlinear */
    TRIT_SCALE_DIVIDES,    /* linear_class bitlinear */
};

/* tie_word_embeddings; UNSAID if config.json does not have it. */
enum trit_tied { TRIT_UNTIED, TRIT_TIED, TRIT_TIED_UNSAID };

/* Whether linears have a bias; MAY: if the checkpoint has one. */
enum trit_bias { TRIT_BIAS_MAY, TRIT_BIAS_NEVER, TRIT_BIAS_MUST };

struct trit_config {
    const struct trit_family *family;
    const struct trit_arch *arch;
    struct trit_knobs knobs;
    const char *act; /* for hidden_activation */
    int32_t n_vocab;
    enum trit_tied tied;
    enum trit_scale_form scale;
    const char *scale_why; /* the entry that decided; NULL: there is no quantization_config */
    bool offline; /* floats are ternary already, and a weight_scale multiplies them and the bias */
    enum trit_bias attn_bias, mlp_bias;
    const struct trit_json_value *kept;       /* modules_to_not_convert, or NULL */
    float rope_low, rope_high, rope_original; /* of rope type "llama3", else 0 */
};

/* The files of the configuration, and the knobs that override them. */
struct trit_config_source {
    const char *path; /* of config.json, for messages */
    const struct trit_json_value *root;
    const struct trit_weights *weights;
    struct trit_names *names; /* get bound to the family */
    const char *const *knobs; /* [n_knobs] "name=value"; override config.json */
    int32_t n_knobs;
};

/* Whether modules_to_not_convert names a module. */
bool trit_config_keeps(const struct trit_config *c, const char *module);

/* Read it. Whatever the forward pass does not compute is refused here, with the name of its key.
 * @return TRIT_OK; TRIT_E_FILE: a key is missing or invalid; TRIT_E_UNSUPPORTED; TRIT_E_ARGUMENT:
 *         a knob is invalid */
trit_status trit_config_read(struct trit_config *out, const struct trit_config_source *from,
                             struct trit_notes *notes, struct trit_error *err);

#endif
