/* safetensors.h - a file of the format safetensors.
 *
 * It is a u64 (little-endian) length, a JSON object of that length, and data. The object has a
 * member {dtype, shape, data_offsets: [begin, end)} per tensor, with offsets from the end of the
 * object, and may have "__metadata__", an object of strings. The tensors cover the data without a
 * gap. */
#ifndef TRIT_FILE_SAFETENSORS_H
#define TRIT_FILE_SAFETENSORS_H

#include "weights.h"

/* Append the tensors of files[file], whose bytes are open.
 * @return TRIT_OK; TRIT_E_FILE: the file is damaged or ends early; a tensor occurs twice, or its
 *         offsets overlap others, leave a gap, leave the file or do not match dtype and shape;
 *         TRIT_E_UNSUPPORTED: unknown dtype; TRIT_E_MEMORY */
trit_status trit_safetensors_read(struct trit_weights *s, size_t file, struct trit_error *err);

#endif
