/* config.h - what a checkpoint's config.json says: its family, and the knobs of its model. */
#ifndef TRIT_CONVERT_CONFIG_H
#define TRIT_CONVERT_CONFIG_H

#include "family.h"
#include "names.h"
#include "notes.h"

/* What the stored scale of packed weights is to +1. */
enum trit_scale_form {
    TRIT_SCALE_MULTIPLIES, /* the weight: linear_class autobitlinear */
    TRIT_SCALE_DIVIDES,    /* its inverse: linear_class bitlinear */
};

/* Where config.json is silent. */
enum trit_tied { TRIT_UNTIED, TRIT_TIED, TRIT_TIED_UNSAID };

struct trit_config {
    const struct trit_family *family;
    const struct trit_arch *arch;
    struct trit_knobs knobs;
    const char *act; /* for hidden_activation */
    int32_t n_vocab;
    enum trit_tied tied;
    enum trit_scale_form scale;
    const char *scale_why;                    /* the words that decided */
    float rope_low, rope_high, rope_original; /* of rope type "llama3"; rope_original 0: not that */
};

/* Where it comes from, and what the caller says of it. */
struct trit_config_source {
    const char *path; /* of config.json, for messages */
    const struct trit_json_value *root;
    const struct trit_safetensors *weights;
    struct trit_names *names; /* are bound to the family */
    const char *const *knobs; /* [n_knobs] "name=value", before what config.json says */
    int32_t n_knobs;
};

/* Read it. Everything that is not computed by the forward pass is refused here, by its key.
 * @return TRIT_OK; TRIT_E_FILE: a key is missing or makes no sense; TRIT_E_UNSUPPORTED;
 *         TRIT_E_ARGUMENT: of the knobs */
trit_status trit_config_read(struct trit_config *out, const struct trit_config_source *from,
                             struct trit_notes *notes, struct trit_error *err);

#endif
