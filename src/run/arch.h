/* arch.h - architectures: what the name in a file says of the knobs; one row of a table each. */
#ifndef TRIT_RUN_ARCH_H
#define TRIT_RUN_ARCH_H

#include "gguf.h"
#include "knobs.h"

struct trit_arch {
    const char *name;        /* general.architecture */
    struct trit_knobs knobs; /* what the name says; the file adds sizes and may change the rest */
    bool may_be_1bitllm;     /* files of the 1bitLLM reproductions go by this name too */
    bool open;               /* its sources leave knobs open: all of them are shown */
};

/* The key of the eps of a norm, below the architecture's name. */
const char *trit_norm_eps_key(enum trit_norm_kind norm);

/* The row of that name, or NULL. */
const struct trit_arch *trit_arch_named(struct trit_string name);

/* The row that a file names, and its knobs filled in.
 * @return TRIT_OK; TRIT_E_UNSUPPORTED: no such row, or a key asks for what is not computed;
 *         TRIT_E_FILE: a key is missing or makes no sense. */
trit_status trit_arch_read(const struct trit_arch **arch, struct trit_knobs *knobs,
                           const trit_file *file, struct trit_error *err);

#endif
