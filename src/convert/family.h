/* family.h - the families of checkpoints: how each is recognized, its architecture in a GGUF, and
 * its names of tensors. A new family is a row of this table, and another row in arch.c if it
 * computes something new. */
#ifndef TRIT_CONVERT_FAMILY_H
#define TRIT_CONVERT_FAMILY_H

#include "absmean.h"
#include "arch.h"
#include "weights.h"

/* The names of a tensor in the GGUF, without "blk.N.", and in the checkpoint. */
struct trit_rule {
    const char *slot, *source;
};

struct trit_family {
    const char *architecture, *model_type; /* in config.json; NULL: not known */
    const char *marker;  /* a tensor that only this family has, or NULL; overrides config.json */
    const char *arch;    /* general.architecture of the GGUF */
    const char *what;    /* for messages */
    const char *presets; /* knobs that differ from its architecture, "name=value name=value" */
    double rope_theta;   /* if config.json has none; 0: 10000 */
    bool quantization_config; /* config.json must have one, or all linears be ternary already */
    bool qkv_bias;            /* q, k and v always have biases, and no other linear has */
    const struct trit_rule *rules;      /* names that differ from transformers; ends with {0} */
    const char *const *input_norms;     /* names of a linear's input norm; ends with NULL */
    const char *const *ignored;         /* parts of names of tensors that are not used; or NULL */
    const struct trit_absmean *absmean; /* how masters are quantized */
    bool all_masters;                   /* quantize floats even if they are ternary already */
};

/* The family of a checkpoint. arch, if not NULL, must be its architecture. A marker tensor decides,
 * else config.json does. NULL: unknown. */
const struct trit_family *trit_family_find(const struct trit_json_value *config,
                                           const struct trit_weights *weights, const char *arch);

/* Row i of the table; NULL past the last. */
const struct trit_family *trit_family_at(size_t i);

/* The name of a slot in the checkpoint, without ".weight". */
const char *trit_family_source(const struct trit_family *family, const char *slot);

/* Whether the model does not use a tensor. */
bool trit_family_ignores(const struct trit_family *family, struct trit_string name);

#endif
