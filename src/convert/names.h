/* names.h - what the tensors of a model are called in a checkpoint.
 *
 * A name in the GGUF file leads to one in the checkpoint: by the file of names that the user gave,
 * else by transformers' rules for the family. In patterns {} stands for the number of a layer. */
#ifndef TRIT_CONVERT_NAMES_H
#define TRIT_CONVERT_NAMES_H

#include "config.h"

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
};

/* Read a file of names; path must live as long. @return TRIT_OK; TRIT_E_FILE: cannot be read, or a
 * line makes no sense (by its number); TRIT_E_MEMORY. Release with trit_names_free() either way. */
trit_status trit_names_read(struct trit_names *out, const char *path, struct trit_error *err);
void trit_names_free(struct trit_names *names);

/* The checkpoint's name of a tensor "blk.<layer>.<slot>.<what>", what being "weight", "scale" or,
 * of the linear's own norm, "norm_in"; or with layer -1 of "<slot>.weight". */
void trit_names_source(char out[TRIT_MAX_NAME], struct trit_names *names,
                       const struct trit_family *family, int32_t layer, const char *slot,
                       const char *what);

/* Whether the file of names wants a tensor to be left out. */
bool trit_names_ignores(const struct trit_names *names, struct trit_string source);

/* Whether each TARGET was looked up. @return TRIT_OK or TRIT_E_FILE: one is of no tensor that this
 * model has */
trit_status trit_names_check(const struct trit_names *names, struct trit_error *err);

#endif
