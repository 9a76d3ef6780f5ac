/* plan.h - which tensors a GGUF of a checkpoint has, and where each comes from.
 *
 * Everything that can be known without reading weights is checked here: that each tensor of the
 * family is there once, in a shape and a type that can be, with a sound scale, and that no other
 * is left over. */
#ifndef TRIT_CONVERT_PLAN_H
#define TRIT_CONVERT_PLAN_H

#include "config.h"
#include "names.h"
#include "safetensors.h"

enum trit_planned_kind {
    TRIT_PLANNED_VECTOR, /* a norm: floats, becomes F32 */
    TRIT_PLANNED_MATRIX, /* embedding or head: floats */
    TRIT_PLANNED_PACKED, /* a linear of 2-bit codes with a scale */
    TRIT_PLANNED_MASTER, /* a linear of floats */
    TRIT_PLANNED_FREQS,  /* divisors of RoPE's frequencies; from no tensor */
};

struct trit_planned {
    char name[64]; /* in the GGUF */
    enum trit_planned_kind kind;
    const struct trit_safe_tensor *from;
    enum trit_format format; /* of floats */
    float scale;             /* of a PACKED one: what +1 stands for */
    size_t n_rows, n_cols;
    size_t head_rows; /* rows of a head that are rearranged for rotation by pairs, or 0 */
};

struct trit_plan {
    const struct trit_config *config;
    const struct trit_safetensors *weights;
    struct trit_names *names;
    struct trit_planned *tensors; /* in the order of the file */
    size_t n;
    size_t n_packed, n_masters; /* linears */
    bool tied;
    bool *used; /* [weights->n] */
};

/* Fill in the rest of a plan whose first three members are set.
 * @return TRIT_OK; TRIT_E_FILE, TRIT_E_UNSUPPORTED: with the tensor's name; TRIT_E_MEMORY.
 * Release with trit_plan_free() either way. */
trit_status trit_plan_make(struct trit_plan *plan, struct trit_notes *notes,
                           struct trit_error *err);
void trit_plan_free(struct trit_plan *plan);

/* An error about a tensor of the checkpoint: "FILE: tensor 'NAME' what". */
trit_status trit_plan_fail(const struct trit_plan *plan, const struct trit_safe_tensor *t,
                           trit_status code, struct trit_error *err, const char *what);

#endif
