/* names.h - what the tensors of a model are called in a checkpoint.
 *
 * A name in the GGUF file leads to one in the checkpoint: by the file of names that the user gave,
 * else by transformers' rules for the family. In patterns {} stands for the number of a layer. */
#ifndef TRIT_CONVERT_NAMES_H
#define TRIT_CONVERT_NAMES_H

#include "family.h"

enum { TRIT_MAX_NAME = 256 }; /* bytes of a name in a checkpoint, with the NUL */

/* A line SOURCE = TARGET; an ignored SOURCE has no TARGET. */
struct trit_name_pair {
    char *source, *target;
    size_t line;
    bool used;
};

/* Zero is the empty list. */
struct trit_names {
    struct trit_name_pair *pairs;
    size_t n;
    char *text;
    const char *path;

    /* By which names are made where the list has none. */
    const struct trit_family *family;
    const struct trit_safetensors *weights;
    char prefix[64]; /* before "layers.N." and "embed_tokens": "model.", mostly */
};

/* Read a file of names; path must live as long. @return TRIT_OK; TRIT_E_FILE: cannot be read, or a
 * line makes no sense (by its number); TRIT_E_MEMORY. Release with trit_names_free() either way. */
trit_status trit_names_read(struct trit_names *out, const char *path, struct trit_error *err);
void trit_names_free(struct trit_names *names);

/* From now on names are those of this checkpoint; both live as long as names are asked for. */
void trit_names_bind(struct trit_names *names, const struct trit_family *family,
                     const struct trit_safetensors *weights);

/* What a tensor is to a slot: the end of its name in the GGUF. */
enum trit_name_end {
    TRIT_NAME_WEIGHT,
    TRIT_NAME_BIAS,
    TRIT_NAME_SCALE,
    TRIT_NAME_NORM_WEIGHT, /* of the linear's own norm */
    TRIT_NAME_NORM_BIAS,
};

/* A tensor's name in the GGUF, "blk.<layer>.<slot><end>" or with layer -1 "<slot><end>", and in the
 * checkpoint. */
void trit_names_target(char out[64], int32_t layer, const char *slot, enum trit_name_end end);
void trit_names_source(char out[TRIT_MAX_NAME], struct trit_names *names, int32_t layer,
                       const char *slot, enum trit_name_end end);

/* Whether the file of names wants a tensor to be left out. */
bool trit_names_ignores(const struct trit_names *names, struct trit_string source);

/* Whether each TARGET was looked up. @return TRIT_OK or TRIT_E_FILE: one is of no tensor that this
 * model has */
trit_status trit_names_check(const struct trit_names *names, struct trit_error *err);

#endif
