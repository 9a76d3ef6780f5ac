/* weights.h - the tensors of a checkpoint folder, in one file or in the shards that an index names.
 * All their bytes are checked to be in the files.
 *
 * A reader of one kind of file (safetensors.h, torch.h) appends the tensors of a file to the list;
 * what follows does not depend on the kind. */
#ifndef TRIT_FILE_WEIGHTS_H
#define TRIT_FILE_WEIGHTS_H

#include "error.h"
#include "platform.h"

enum { TRIT_WEIGHT_MAX_DIMS = 8 };

struct trit_weight {
    struct trit_string name;
    const char *dtype; /* as safetensors calls it: "BF16", "F16", "F32", "U8", "I8", … */
    uint32_t n_dims;   /* 0: a single number */
    /* dims[n_dims-1] is contiguous; unused ones are 1, and any may be 0. Without the zeros, the
     * size in bytes fits in 63 bits. */
    uint64_t dims[TRIT_WEIGHT_MAX_DIMS];
    const uint8_t *data; /* not aligned */
    uint64_t n_bytes;    /* by dtype and dims */
    size_t file;         /* index of its file */
};

struct trit_weights_file {
    char *path;
    const char *name; /* the end of path */
    struct trit_bytes bytes;
    struct trit_json *header; /* of safetensors: it holds the names */
};

struct trit_weights {
    struct trit_weight *tensors; /* [n], ascending by name (bytewise) */
    size_t n;
    struct trit_weights_file *files; /* [n_files] */
    size_t n_files;
};

/* Open the folder's weights: the first that exists of model.safetensors, its index,
 * pytorch_model.bin, its index, the only *.safetensors, the only *.bin. The files must not change
 * while they are open.
 * @return TRIT_OK; TRIT_E_FILE: none exists, or several do; a file cannot be read; a tensor occurs
 *         twice; a file and the index disagree on its tensors; the index names something other than
 *         a plain file of the folder (printable ASCII, no slash); TRIT_E_UNSUPPORTED: weights in
 *         another format;
 *         TRIT_E_MEMORY; or what the reader of its kind returns.
 *         Release with trit_weights_close(), which is optional after an error. */
trit_status trit_weights_open(struct trit_weights *out, const char *dir, struct trit_error *err);
void trit_weights_close(struct trit_weights *s);

/* The tensor of that name, or NULL. */
const struct trit_weight *trit_weights_find(const struct trit_weights *s, const char *name);

/* The path of a tensor's file, for messages. */
const char *trit_weights_path(const struct trit_weights *s, const struct trit_weight *t);

/* Its shape for messages: "[4096, 256]". */
struct trit_weights_shape {
    char text[TRIT_WEIGHT_MAX_DIMS * 22 + 2];
};
struct trit_weights_shape trit_weights_shape(const struct trit_weight *t);

/* Release the pages of these bytes of a tensor, so that a conversion's memory does not grow to the
 * size of the checkpoint. Consecutive stretches of any size release every page. Reading the bytes
 * again is allowed but slow. */
void trit_weights_done(const struct trit_weights *s, const uint8_t *data, uint64_t n_bytes);

/* ---- For readers ----------------------------------------------------------------------------- */

/* Make room for n more tensors, which are then at tensors[n]. @return TRIT_OK or TRIT_E_MEMORY */
trit_status trit_weights_reserve(struct trit_weights *s, size_t n, struct trit_error *err);

/* Set n_dims, dims and n_bytes of a tensor that has a name.
 * @return TRIT_OK; TRIT_E_FILE: too many dimensions, or too large */
trit_status trit_weights_set_shape(struct trit_weight *t, const uint64_t *dims, size_t n_dims,
                                   uint64_t item_bytes, const char *path, struct trit_error *err);

/* Sort the tensors from `first` on by name. @return TRIT_OK; TRIT_E_FILE: one occurs twice */
trit_status trit_weights_sort(const struct trit_weights *s, size_t first, struct trit_error *err);

#endif
