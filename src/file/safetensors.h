/* safetensors.h - the tensors of a checkpoint folder: model.safetensors, or the shards that
 * model.safetensors.index.json names. All their bytes are checked to be in the files.
 *
 * A file is a u64 (little-endian) length, a JSON object of that length, and data. The object has a
 * member {dtype, shape, data_offsets: [begin, end)} per tensor, with offsets from the end of the
 * object, and may have "__metadata__", an object of strings. The tensors cover the data without a
 * gap. */
#ifndef TRIT_FILE_SAFETENSORS_H
#define TRIT_FILE_SAFETENSORS_H

#include "error.h"
#include "platform.h"

enum { TRIT_SAFE_MAX_DIMS = 8 };

struct trit_safe_tensor {
    struct trit_string name;
    const char *dtype; /* as written: "BF16", "F16", "F32", "U8", "I8", … */
    uint32_t n_dims;   /* 0: a single number */
    /* dims[n_dims-1] is contiguous; unused ones are 1, and any may be 0. Without the zeros, the
     * size in bytes fits in 63 bits. */
    uint64_t dims[TRIT_SAFE_MAX_DIMS];
    const uint8_t *data; /* not aligned */
    uint64_t n_bytes;    /* by dtype and dims */
    size_t file;         /* index of its file */
};

struct trit_safetensors {
    struct trit_safe_tensor *tensors; /* [n], ascending by name (bytewise) */
    size_t n;
    struct trit_safe_file *files; /* [n_files] */
    size_t n_files;
};

/* Open the folder's weights. A single file takes precedence over an index. The files must not
 * change while they are open.
 * @return TRIT_OK; TRIT_E_FILE: neither exists; a file cannot be read, is damaged or ends early; a
 *         tensor occurs twice, or its offsets overlap others, leave a gap, leave the file or do not
 *         match dtype and shape; a file and the index disagree on its tensors; the index names
 *         something other than a plain file of the folder (printable ASCII, no slash);
 *         TRIT_E_UNSUPPORTED: unknown dtype, or weights in a format other than safetensors (the
 *         message names pytorch_model.bin); TRIT_E_MEMORY.
 *         Release with trit_safetensors_close(), which is optional after an error. */
trit_status trit_safetensors_open(struct trit_safetensors *out, const char *dir,
                                  struct trit_error *err);
void trit_safetensors_close(struct trit_safetensors *s);

/* The tensor of that name, or NULL. */
const struct trit_safe_tensor *trit_safetensors_find(const struct trit_safetensors *s,
                                                     const char *name);

/* The path of a tensor's file, for messages. */
const char *trit_safetensors_path(const struct trit_safetensors *s,
                                  const struct trit_safe_tensor *t);

/* Its shape for messages: "[4096, 256]". */
struct trit_safe_shape {
    char text[TRIT_SAFE_MAX_DIMS * 22 + 2];
};
struct trit_safe_shape trit_safetensors_shape(const struct trit_safe_tensor *t);

/* Release the pages of these bytes of a tensor, so that a conversion's memory does not grow to the
 * size of the checkpoint. Consecutive stretches of any size release every page. Reading the bytes
 * again is allowed but slow. */
void trit_safetensors_done(const struct trit_safetensors *s, const uint8_t *data, uint64_t n_bytes);

#endif
