/* absmean.h - the ternary weights of a full-precision master. */
#ifndef TRIT_CONVERT_ABSMEAN_H
#define TRIT_CONVERT_ABSMEAN_H

#include "pool.h"
#include "type.h"

/* How a family's code makes weights ternary, with a = max(mean|w|, least), in f32. */
struct trit_absmean {
    float least;
    bool halves; /* T = (w > a/2) - (w < -a/2), else T = clamp(rint(w*(1/a)), -1, 1), half to even;
                    they differ where w*(1/a) rounds to 1/2 */
};

/* The rule of BitNet b1.58, as in transformers. */
#define TRIT_ABSMEAN_LEAST 1e-5f
extern const struct trit_absmean trit_absmean_b158;

/* A master as T2. m: F32, F16 or BF16. *scale receives a. The mean is summed in double, row by row,
 * so the result does not depend on the number of threads.
 * @return TRIT_OK; TRIT_E_FILE: a weight is not finite; TRIT_E_MEMORY. The text is the rest of a
 *         sentence whose subject is the tensor. */
trit_status trit_absmean_t2(uint8_t *t2, float *scale, const struct trit_packed *m,
                            const struct trit_absmean *rule, struct trit_pool *pool,
                            struct trit_error *why);

/* Whether all floats are -s, 0 or +s for one s, and not all are 0: such a tensor is ternary, not a
 * master. t2: memory for it as T2. The first row is enough to rule out most masters. */
bool trit_floats_are_ternary(uint8_t *t2, const struct trit_packed *m);

/* Whether each run of 32 floats in a row is ternary by itself: a tensor of several scales, which is
 * no master either. */
bool trit_floats_are_grouped(const struct trit_packed *m);

#endif
