/* family.h - the families of checkpoints: how one is recognised, what it is called here, and how
 * its tensors are called there. A new one is a row of the table, and where what it computes is new,
 * one of arch.c. */
#ifndef TRIT_CONVERT_FAMILY_H
#define TRIT_CONVERT_FAMILY_H

#include "absmean.h"
#include "arch.h"
#include "safetensors.h"

/* A tensor's name in the GGUF, of those of a layer without "blk.N.", and in the checkpoint. */
struct trit_rule {
    const char *slot, *source;
};

struct trit_family {
    const char *architecture, *model_type; /* in config.json; NULL: nobody knows */
    const char *marker;  /* a tensor that tells the family whatever config.json says, or NULL */
    const char *arch;    /* general.architecture of the GGUF */
    const char *what;    /* for messages */
    const char *presets; /* knobs that are not its architecture's, "name=value name=value" */
    bool quantization_config;      /* must be there */
    const struct trit_rule *rules; /* where names are not transformers'; ends with {0} */
    const char *const *own_norms;  /* what a linear's own norm may be called; ends with NULL */
    const char *const *ignored;    /* parts of names that mean nothing to the result; or NULL */
    const struct trit_absmean *absmean; /* of masters */
    bool all_masters; /* floats are quantised even where they are ternary already */
};

/* The family of a checkpoint: of the architecture `arch`, where that is not NULL, else by a tensor
 * that only one has, else by what config.json says. NULL: none. */
const struct trit_family *trit_family_find(const struct trit_json_value *config,
                                           const struct trit_safetensors *weights,
                                           const char *arch);

/* Row i of the table; NULL past the last. */
const struct trit_family *trit_family_at(size_t i);

/* The checkpoint's name of a slot, without ".weight". */
const char *trit_family_source(const struct trit_family *family, const char *slot);

/* Whether a tensor takes no part in what the model computes. */
bool trit_family_ignores(const struct trit_family *family, struct trit_string name);

#endif
