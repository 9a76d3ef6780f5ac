/* safe_writer.h - safetensors made in memory: checkpoints for tests, in one file or in shards.
 *
 * As in fixture.h, files are written below the fixture's folder and removed at exit, and an error
 * aborts the test. */
#ifndef TRIT_TESTS_SAFE_WRITER_H
#define TRIT_TESTS_SAFE_WRITER_H

#include "fixture.h"

enum { SW_MAX_DIMS = 16 }; /* more than can be read */

struct sw_tensor {
    char *name; /* verbatim in the JSON: the caller escapes anything but plain text */
    char dtype[16];
    uint32_t n_dims;
    uint64_t dims[SW_MAX_DIMS];
    uint64_t begin, end; /* as written: set by sw_add(); a test may change them */
};

/* A file that is being made. */
struct sw_file {
    struct sw_tensor *tensors;
    size_t n;
    struct fx_bytes data;
    const char *metadata; /* NULL, or the value of "__metadata__" */
};

/* Add a tensor; its data follows that of the previous one. The entry may be changed until the next
 * one is added. Begin with an empty struct. */
struct sw_tensor *sw_add(struct sw_file *f, const char *name, const char *dtype, uint32_t n_dims,
                         const uint64_t *dims, const void *data, size_t n_bytes);
void sw_free(struct sw_file *f);

/* A file with that header, valid or not, and data. Release with free(). */
uint8_t *sw_image_of(const char *header, const void *data, size_t n_data, size_t *len);

/* The whole file. Release with free(). */
uint8_t *sw_image(const struct sw_file *f, size_t *len);

/* Write it into a folder of fx_folder(), "folder/name"; returns the path. */
const char *sw_write(const char *name, const struct sw_file *f);

/* Write model.safetensors.index.json into the folder, in which names[i] is in files[i]. */
const char *sw_write_index(const char *folder, const char *const *names, const char *const *files,
                           size_t n);

/* Write a checkpoint in n_shards files and their index, model-00001-of-00002.safetensors and so on;
 * tensor i is in shard i % n_shards. Does not change f. */
void sw_write_shards(const char *folder, const struct sw_file *f, size_t n_shards);

#endif
