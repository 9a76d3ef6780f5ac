/* packed.h - the 2-bit weights of transformers' bitnet checkpoints.
 *
 * They are an array [R, n_cols] with R = n_rows/4, rounded up. Byte [r, c] holds column c of rows
 * r, R+r, 2R+r, 3R+r in bits 0-1, 2-3, 4-5, 6-7, as value+1; 3 is invalid. If n_rows is not a
 * multiple of 4, the bits of rows past the last have no meaning. */
#ifndef TRIT_CONVERT_PACKED_H
#define TRIT_CONVERT_PACKED_H

#include "error.h"
#include "pool.h"

/* Unpack n_rows rows into T2.
 * @return TRIT_OK; TRIT_E_FILE: there is a code 3. The text is the rest of a sentence whose subject
 *         is the tensor. */
trit_status trit_unpack_transformers(uint8_t *t2, const uint8_t *packed, size_t n_rows,
                                     size_t n_cols, struct trit_pool *pool, struct trit_error *why);

#endif
