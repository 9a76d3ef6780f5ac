/* safe_writer.h - safetensors made in memory: checkpoints for tests, in one file or in shards.
 *
 * As in fixture.h, files lie below the fixture's folder and are removed at exit, and a failure
 * aborts the test. */
#ifndef TRIT_TESTS_SAFE_WRITER_H
#define TRIT_TESTS_SAFE_WRITER_H

#include "fixture.h"

enum { SW_MAX_DIMS = 16 }; /* more than can be read */

struct sw_tensor {
    char *name; /* as it stands in the JSON: anything but plain text is escaped by the caller */
    char dtype[16];
    uint32_t n_dims;
    uint64_t dims[SW_MAX_DIMS];
    uint64_t begin, end; /* as they are written: set by sw_add(), and a test may spoil them */
};

/* A file in the making. */
struct sw_file {
    struct sw_tensor *tensors;
    size_t n;
    struct fx_bytes data;
    const char *metadata; /* NULL, or the value of "__metadata__" */
};

/* Add a tensor, its data behind that of the one before. The entry may be changed until the next
 * one is added. Begin with an empty struct. */
struct sw_tensor *sw_add(struct sw_file *f, const char *name, const char *dtype, uint32_t n_dims,
                         const uint64_t *dims, const void *data, size_t n_bytes);
void sw_free(struct sw_file *f);

/* A file of that header, whatever it is, and data. Release with free(). */
uint8_t *sw_image_of(const char *header, const void *data, size_t n_data, size_t *len);

/* The whole file. Release with free(). */
uint8_t *sw_image(const struct sw_file *f, size_t *len);

/* Write it into a folder of fx_folder(), "folder/name"; returns the path. */
const char *sw_write(const char *name, const struct sw_file *f);

/* Write model.safetensors.index.json into the folder: that names[i] is in files[i]. */
const char *sw_write_index(const char *folder, const char *const *names, const char *const *files,
                           size_t n);

/* Write a checkpoint in n_shards files and their index, model-00001-of-00002.safetensors and so on;
 * tensor i lies in shard i % n_shards. Nothing in f is spoiled. */
void sw_write_shards(const char *folder, const struct sw_file *f, size_t n_shards);

#endif
