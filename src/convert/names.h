/* names.h - the names of a model's tensors in a checkpoint.
 *
 * The name in the checkpoint follows from the name in the GGUF: by the file of names that the user
 * gave, or else by the rules of the family. In patterns, {} stands for the number of a layer. */
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

    /* For names that are not in the list. */
    const struct trit_family *family;
    const struct trit_weights *weights;
    char prefix[64]; /* before "layers.N." and "embed_tokens"; mostly "model." */
};

/* Read a file of names. path must live as long as *out.
 * @return TRIT_OK; TRIT_E_FILE: it cannot be read, or a line is invalid (the text has its number);
 *         TRIT_E_MEMORY. Release with trit_names_free() in any case. */
trit_status trit_names_read(struct trit_names *out, const char *path, struct trit_error *err);
void trit_names_free(struct trit_names *names);

/* Set the checkpoint whose names are looked up. family and weights must live as long as *names. */
void trit_names_bind(struct trit_names *names, const struct trit_family *family,
                     const struct trit_weights *weights);

/* The tensors of a slot: their names differ only in the suffix. */
enum trit_name_end {
    TRIT_NAME_WEIGHT,
    TRIT_NAME_BIAS,
    TRIT_NAME_SCALE,
    TRIT_NAME_NORM_WEIGHT, /* of the norm on the input of a linear */
    TRIT_NAME_NORM_BIAS,
};

/* The name of a tensor in the GGUF, "blk.<layer>.<slot><end>", or "<slot><end>" for layer -1; and
 * its name in the checkpoint. */
void trit_names_target(char out[64], int32_t layer, const char *slot, enum trit_name_end end);
void trit_names_source(char out[TRIT_MAX_NAME], struct trit_names *names, int32_t layer,
                       const char *slot, enum trit_name_end end);

/* Whether the file of names says `ignore` for a tensor of the checkpoint. */
bool trit_names_ignores(const struct trit_names *names, struct trit_string source);

/* Whether each TARGET was looked up. @return TRIT_OK, or TRIT_E_FILE: the model lacks one */
trit_status trit_names_check(const struct trit_names *names, struct trit_error *err);

#endif
