/* torch_writer.h - files of torch.save made in memory, good ones and others. */
#ifndef TRIT_TESTS_TORCH_WRITER_H
#define TRIT_TESTS_TORCH_WRITER_H

#include "fixture.h"

/* A file that is being made. Begin with an empty struct. */
struct tw_file {
    struct fx_bytes pickle;
    struct fx_bytes zip, directory; /* entries so far */
    uint32_t n_entries, n_storages;
    bool zip64;          /* sizes and places are in ZIP64's fields */
    unsigned method;     /* of compression, as entries claim it */
    const char *order;   /* NULL: "little" */
    const char *comment; /* of the archive, or NULL */
};

/* ---- Opcodes --------------------------------------------------------------------------------- */

void tw_op(struct tw_file *f, const char *opcodes); /* without NULs */
void tw_text(struct tw_file *f, const char *text);
void tw_number(struct tw_file *f, uint64_t x);
void tw_global(struct tw_file *f, const char *module, const char *name);

/* ---- A state_dict ---------------------------------------------------------------------------- */

/* Begin an OrderedDict. */
void tw_begin(struct tw_file *f);

/* Add a tensor with a storage of its own. dtype: as in safetensors */
void tw_tensor(struct tw_file *f, const char *name, const char *dtype, uint32_t n_dims,
               const uint64_t *dims, const void *data, size_t n_bytes);

/* Add a tensor in storage KEY of n_stored numbers. strides: NULL: contiguous */
void tw_view(struct tw_file *f, const char *name, const char *dtype, uint32_t n_dims,
             const uint64_t *dims, const uint64_t *strides, const char *key, uint64_t offset,
             uint64_t n_stored);

/* Add an entry "archive/NAME". */
void tw_entry(struct tw_file *f, const char *name, const void *data, size_t n);

/* End the dict and the pickle. */
void tw_end(struct tw_file *f);

/* The whole file; frees what it is made of. Release with free(). */
uint8_t *tw_image(struct tw_file *f, size_t *len);

#endif
