/* safe_writer.c - see safe_writer.h. */
#include "safe_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(x)                                                                                 \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "safe_writer: %s failed\n", #x);                                       \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void put_text(struct fx_bytes *b, const char *text)
{
    fx_put(b, text, strlen(text));
}

static void put_number(struct fx_bytes *b, uint64_t x)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)x);
    put_text(b, text);
}

/* ---- One file -------------------------------------------------------------------------------- */

struct sw_tensor *sw_add(struct sw_file *f, const char *name, const char *dtype, uint32_t n_dims,
                         const uint64_t *dims, const void *data, size_t n_bytes)
{
    f->tensors = realloc(f->tensors, (f->n + 1) * sizeof *f->tensors);
    REQUIRE(f->tensors && n_dims <= SW_MAX_DIMS && strlen(dtype) < sizeof f->tensors->dtype);
    struct sw_tensor *t = &f->tensors[f->n++];
    *t = (struct sw_tensor){.n_dims = n_dims, .begin = f->data.len, .end = f->data.len + n_bytes};
    t->name = malloc(strlen(name) + 1);
    REQUIRE(t->name);
    strcpy(t->name, name);
    strcpy(t->dtype, dtype);
    for (uint32_t i = 0; i < n_dims; i++)
        t->dims[i] = dims[i];
    fx_put(&f->data, data, n_bytes);
    return t;
}

void sw_free(struct sw_file *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->tensors[i].name);
    free(f->tensors);
    free(f->data.data);
    *f = (struct sw_file){0};
}

static void put_entry(struct fx_bytes *b, const struct sw_tensor *t)
{
    put_text(b, "\"");
    put_text(b, t->name);
    put_text(b, "\":{\"dtype\":\"");
    put_text(b, t->dtype);
    put_text(b, "\",\"shape\":[");
    for (uint32_t i = 0; i < t->n_dims; i++) {
        put_text(b, i ? "," : "");
        put_number(b, t->dims[i]);
    }
    put_text(b, "],\"data_offsets\":[");
    put_number(b, t->begin);
    put_text(b, ",");
    put_number(b, t->end);
    put_text(b, "]}");
}

uint8_t *sw_image_of(const char *header, const void *data, size_t n_data, size_t *len)
{
    struct fx_bytes b = {0};

    fx_put_string(&b, header);
    fx_put(&b, data, n_data);
    *len = b.len;
    return b.data;
}

uint8_t *sw_image(const struct sw_file *f, size_t *len)
{
    struct fx_bytes b = {0};

    put_text(&b, "{");
    if (f->metadata) {
        put_text(&b, "\"__metadata__\":");
        put_text(&b, f->metadata);
    }
    for (size_t i = 0; i < f->n; i++) {
        put_text(&b, i || f->metadata ? "," : "");
        put_entry(&b, &f->tensors[i]);
    }
    put_text(&b, "}");
    while (b.len % 8) /* as the format's own writer pads it */
        put_text(&b, " ");
    fx_put(&b, "", 1);
    uint8_t *image = sw_image_of((const char *)b.data, f->data.data, f->data.len, len);
    free(b.data);
    return image;
}

const char *sw_write(const char *name, const struct sw_file *f)
{
    size_t len;
    uint8_t *image = sw_image(f, &len);
    const char *path = fx_write(name, image, len);
    free(image);
    return path;
}

/* ---- Shards ---------------------------------------------------------------------------------- */

const char *sw_write_index(const char *folder, const char *const *names, const char *const *files,
                           size_t n)
{
    char name[256];
    struct fx_bytes b = {0};

    put_text(&b, "{\"metadata\":{\"total_size\":1},\"weight_map\":{");
    for (size_t i = 0; i < n; i++) {
        put_text(&b, i ? ",\"" : "\"");
        put_text(&b, names[i]);
        put_text(&b, "\":\"");
        put_text(&b, files[i]);
        put_text(&b, "\"");
    }
    put_text(&b, "}}\n");
    snprintf(name, sizeof name, "%s/model.safetensors.index.json", folder);
    const char *path = fx_write(name, b.data, b.len);
    free(b.data);
    return path;
}

void sw_write_shards(const char *folder, const struct sw_file *f, size_t n_shards)
{
    enum { MAX_NAME = 64 };
    const char **names = calloc(f->n + 1, sizeof *names), **files = calloc(f->n + 1, sizeof *files);
    char(*shards)[MAX_NAME] = calloc(n_shards, sizeof *shards), path[256];

    REQUIRE(names && files && shards);
    for (size_t k = 0; k < n_shards; k++) {
        struct sw_file shard = {.metadata = f->metadata};
        snprintf(shards[k], MAX_NAME, "model-%05zu-of-%05zu.safetensors", k + 1, n_shards);
        for (size_t i = k; i < f->n; i += n_shards) {
            const struct sw_tensor *t = &f->tensors[i];
            names[i] = t->name;
            files[i] = shards[k];
            sw_add(&shard, t->name, t->dtype, t->n_dims, t->dims, f->data.data + t->begin,
                   (size_t)(t->end - t->begin));
        }
        snprintf(path, sizeof path, "%s/%s", folder, shards[k]);
        sw_write(path, &shard);
        sw_free(&shard);
    }
    sw_write_index(folder, names, files, f->n);
    free(shards);
    free(files);
    free(names);
}
