/* arch.h - architectures: one row of a table each, from the name in a file to knobs. */
#ifndef TRIT_RUN_ARCH_H
#define TRIT_RUN_ARCH_H

#include "gguf.h"
#include "gguf_write.h"
#include "knobs.h"

/* What bitskip v2 and v3 add to v1: their H-BitLinear. */
#define TRIT_H_BITLINEAR                                                                           \
    "linear_norm=layer linear_norm_eps=1e-5 hadamard=after hadamard_output=true "
#define TRIT_V2_KNOBS TRIT_H_BITLINEAR "act_bits=4"
#define TRIT_V3_KNOBS TRIT_H_BITLINEAR "act_bits=8"

struct trit_arch {
    const char *name;        /* general.architecture */
    struct trit_knobs knobs; /* defaults; the file adds sizes and may change the rest */
    bool may_be_1bitllm;     /* 1bitLLM's reproductions use this name too */
    bool may_be_2b4t;        /* patched converters give 2B-4T this name */
    bool open;               /* underspecified: its sources leave knobs open, so all are shown */
    bool not_always_ternary; /* models that are not ternary use this name too */
};

/* The row with this name, or NULL. */
const struct trit_arch *trit_arch_named(struct trit_string name);

/* Find the row that a file names and fill in its knobs.
 * @return TRIT_OK; TRIT_E_UNSUPPORTED: no such row, or a key asks for what trit does not compute;
 *         TRIT_E_FILE: a key is missing or invalid. */
trit_status trit_arch_read(const struct trit_arch **arch, struct trit_knobs *knobs,
                           const trit_file *file, struct trit_error *err);

/* Write the keys that trit_arch_read() reads. act: hidden_activation, or NULL. The keys trit.*:
 * all if the architecture is open, else those that differ from its defaults. */
void trit_arch_write(const struct trit_arch *arch, const struct trit_knobs *knobs, int32_t n_vocab,
                     const char *act, struct gguf_writer *w);

#endif
