/* plan.h - which tensors a GGUF of a checkpoint has, and where each comes from.
 *
 * Everything but the weights themselves is checked here: each tensor of the family exists once,
 * with a valid shape, type and scale, and there are no others. */
#ifndef TRIT_CONVERT_PLAN_H
#define TRIT_CONVERT_PLAN_H

#include "config.h"
#include "names.h"
#include "weights.h"

enum trit_planned_kind {
    TRIT_PLANNED_VECTOR, /* a norm: floats, written as F32 */
    TRIT_PLANNED_MATRIX, /* embedding or head: floats */
    TRIT_PLANNED_PACKED, /* a linear of 2-bit codes with a scale */
    TRIT_PLANNED_MASTER, /* a linear of floats, to be ternary */
    TRIT_PLANNED_KEPT,   /* a linear of floats, which stays as it is */
    TRIT_PLANNED_BIAS,   /* of a linear: floats, written as F32 */
    TRIT_PLANNED_SCALE,  /* of a head that is ternary; written as F32 */
    TRIT_PLANNED_FREQS,  /* divisors of RoPE's frequencies; computed */
};

struct trit_planned {
    char name[64]; /* in the GGUF */
    enum trit_planned_kind kind;
    const struct trit_weight *from;
    enum trit_format format; /* of floats */
    float scale; /* of a PACKED one: the value of +1; of a MASTER or BIAS: it is multiplied by it */
    size_t n_rows, n_cols;
    size_t head_rows; /* rows of a head to be rearranged for rotation by pairs, or 0 */
};

struct trit_plan {
    const struct trit_config *config;
    const struct trit_weights *weights;
    struct trit_names *names;
    struct trit_planned *tensors; /* in the order of the file */
    size_t n;
    size_t n_packed, n_masters, n_kept; /* linears */
    bool tied, ternary_head;            /* the head is a linear as those of the layers are */
    bool *used;                         /* [weights->n] */
};

/* Fill in a plan whose first three members are set.
 * @return TRIT_OK; TRIT_E_FILE, TRIT_E_UNSUPPORTED: the text has the name of the tensor;
 *         TRIT_E_MEMORY. Release with trit_plan_free() in any case. */
trit_status trit_plan_make(struct trit_plan *plan, struct trit_notes *notes,
                           struct trit_error *err);
void trit_plan_free(struct trit_plan *plan);

#endif
