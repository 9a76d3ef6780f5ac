/* arch.h - architectures: what the name in a file says of the knobs; one row of a table each. */
#ifndef TRIT_RUN_ARCH_H
#define TRIT_RUN_ARCH_H

#include "gguf.h"
#include "gguf_write.h"
#include "knobs.h"

/* What bitskip v2 and v3 do beyond v1: their H-BitLinear. */
#define TRIT_H_BITLINEAR                                                                           \
    "linear_norm=layer linear_norm_eps=1e-5 hadamard=after hadamard_output=true "
#define TRIT_V2_KNOBS TRIT_H_BITLINEAR "act_bits=4"
#define TRIT_V3_KNOBS TRIT_H_BITLINEAR "act_bits=8"

struct trit_arch {
    const char *name;        /* general.architecture */
    struct trit_knobs knobs; /* what the name says; the file adds sizes and may change the rest */
    bool may_be_1bitllm;     /* files of the 1bitLLM reproductions go by this name too */
    bool open;               /* its sources leave knobs open: all of them are shown */
    bool not_always_ternary; /* other models than ternary ones go by this name */
};

/* The key of the eps of a norm, below the architecture's name. */
const char *trit_norm_eps_key(enum trit_norm_kind norm);

/* The row of that name, or NULL. */
const struct trit_arch *trit_arch_named(struct trit_string name);

/* The keys trit.* of a file: all where the architecture is open, else those that it does not
 * imply. */
void trit_arch_write_knobs(const struct trit_arch *arch, const struct trit_knobs *knobs,
                           struct gguf_writer *w);

/* The row that a file names, and its knobs filled in.
 * @return TRIT_OK; TRIT_E_UNSUPPORTED: no such row, or a key asks for what is not computed;
 *         TRIT_E_FILE: a key is missing or makes no sense. */
trit_status trit_arch_read(const struct trit_arch **arch, struct trit_knobs *knobs,
                           const trit_file *file, struct trit_error *err);

#endif
