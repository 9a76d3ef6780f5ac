/* packed.h - the 2-bit weights of transformers' bitnet checkpoints.
 *
 * With R = n_rows/4 rounded up, byte [r, c] of an array [R, n_cols] holds column c of rows r, R+r,
 * 2R+r, 3R+r in its bits 0-1, 2-3, 4-5, 6-7 as value+1; 3 is no value. Where n_rows is no multiple
 * of 4 the last rows are not there, and their bits mean nothing. */
#ifndef TRIT_CONVERT_PACKED_H
#define TRIT_CONVERT_PACKED_H

#include "error.h"
#include "pool.h"

/* To n_rows rows of T2.
 * @return TRIT_OK; TRIT_E_FILE: there is a code 3. The text is the rest of a sentence whose subject
 *         is the tensor. */
trit_status trit_unpack_transformers(uint8_t *t2, const uint8_t *packed, size_t n_rows,
                                     size_t n_cols, struct trit_pool *pool, struct trit_error *why);

#endif
