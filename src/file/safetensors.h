/* safetensors.h - the tensors of a checkpoint folder: model.safetensors, or the shards that
 * model.safetensors.index.json names; every byte of them checked to be there.
 *
 * A file is a u64 (little-endian) length, a JSON object of that length, and data. The object has a
 * member {dtype, shape, data_offsets: [begin, end)} per tensor, offsets from the end of the object,
 * and perhaps "__metadata__", an object of strings. */
#ifndef TRIT_FILE_SAFETENSORS_H
#define TRIT_FILE_SAFETENSORS_H

#include "error.h"
#include "platform.h"

enum { TRIT_SAFE_MAX_DIMS = 8 };

struct trit_safe_tensor {
    struct trit_string name;
    char dtype[16]; /* as written: "BF16", "F16", "F32", "U8", "I8", … */
    uint32_t n_dims;
    uint64_t dims[TRIT_SAFE_MAX_DIMS]; /* dims[n_dims-1] is contiguous; unused ones are 1 */
    const uint8_t *data;
    uint64_t n_bytes; /* what dtype and dims make */
    size_t file;      /* index of its file */
};

struct trit_safetensors {
    struct trit_safe_tensor *tensors; /* [n], ascending by name (bytewise) */
    size_t n;
    struct trit_safe_file *files; /* [n_files] */
    size_t n_files;
};

/* Open the folder's weights. A single file is taken before an index.
 * @return TRIT_OK; TRIT_E_FILE: neither is there, one cannot be read, is damaged, ends early, has a
 *         tensor twice or with offsets that overlap, leave the file or do not fit dtype and shape,
 *         or lacks what the index puts into it; TRIT_E_UNSUPPORTED: a dtype that is not known, or
 *         weights in a format other than safetensors (pytorch_model.bin: named); TRIT_E_MEMORY.
 *         Release with trit_safetensors_close() either way. */
trit_status trit_safetensors_open(struct trit_safetensors *out, const char *dir,
                                  struct trit_error *err);
void trit_safetensors_close(struct trit_safetensors *s);

/* The tensor of that name, or NULL. */
const struct trit_safe_tensor *trit_safetensors_find(const struct trit_safetensors *s,
                                                     const char *name);

/* The path of a tensor's file, for messages. */
const char *trit_safetensors_path(const struct trit_safetensors *s,
                                  const struct trit_safe_tensor *t);

/* Tell the system that these bytes of a tensor are not needed any more, so that a conversion's
 * memory does not grow to the size of the checkpoint. Reading them again is allowed, and slow. */
void trit_safetensors_done(const struct trit_safetensors *s, const uint8_t *data, uint64_t n_bytes);

#endif
