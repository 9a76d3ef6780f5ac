/* safetensors.c - reading untrusted checkpoints; see safetensors.h.
 *
 * Three steps: find the files, read the header of each, collect all tensors. Tensor names point
 * into the JSON reader's memory, data into the mapped files. */
#include "safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "str.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are used without byte swapping");

enum { MAX_HEADER = 100000000 }; /* the format's limit */

static const char single_name[] = "model.safetensors";
static const char index_name[] = "model.safetensors.index.json";

static const struct {
    const char *name;
    uint8_t bytes;
} dtypes[] = {
    {"F64", 8}, {"F32", 4}, {"F16", 2},  {"BF16", 2},    {"I64", 8},
    {"I32", 4}, {"I16", 2}, {"I8", 1},   {"U64", 8},     {"U32", 4},
    {"U16", 2}, {"U8", 1},  {"BOOL", 1}, {"F8_E5M2", 1}, {"F8_E4M3", 1},
};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

struct trit_safe_file {
    char *path;
    const char *name; /* the end of path */
    struct trit_bytes bytes;
    struct trit_json *header;
    const uint8_t *data; /* offsets are relative to this */
    uint64_t n_data;
};

/* One entry of the index. */
struct shard_entry {
    struct trit_string tensor, file;
};

struct index {
    char *path; /* NULL: no index, just a single file */
    struct trit_json *json;
    struct shard_entry *entries; /* [n] */
    size_t n;
};

/* ---- Files of the folder --------------------------------------------------------------------- */

static trit_status join_path(char **out, const char *dir, struct trit_string name,
                             struct trit_error *err)
{
    const size_t n = strlen(dir), slash = n && dir[n - 1] != '/';

    *out = malloc(n + slash + name.len + 1);
    if (!*out)
        return trit_fail_memory(err, n + slash + name.len + 1, "the path of a file");
    memcpy(*out, dir, n);
    memcpy(*out + n, "/", slash);
    memcpy(*out + n + slash, name.bytes, name.len);
    (*out)[n + slash + name.len] = '\0';
    return TRIT_OK;
}

/* The path of a file of the folder; NULL if it does not exist. */
static trit_status find_file(char **out, const char *dir, const char *name, struct trit_error *err)
{
    const trit_status status = join_path(out, dir, trit_string_of(name), err);
    if (!status && !trit_exists(*out)) {
        free(*out);
        *out = NULL;
    }
    return status;
}

static trit_status no_weights(const char *dir, struct trit_error *err)
{
    static const char *const others[] = {"pytorch_model.bin", "pytorch_model.bin.index.json",
                                         "consolidated.00.pth"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char *path;
        const trit_status status = find_file(&path, dir, others[i], err);
        if (status)
            return status;
        if (!path)
            continue;
        free(path);
        return trit_fail(err, TRIT_E_UNSUPPORTED, "%s has only %s; only safetensors is supported",
                         dir, others[i]);
    }
    return trit_fail(err, TRIT_E_FILE, "%s has neither %s nor %s", dir, single_name, index_name);
}

/* Allocate n files, none of which has a path yet. */
static trit_status add_files(struct trit_safetensors *s, size_t n, struct trit_error *err)
{
    s->files = calloc(n + 1, sizeof *s->files);
    if (!s->files)
        return trit_fail_memory(err, n * sizeof *s->files, "the files of a checkpoint");
    s->n_files = n;
    return TRIT_OK;
}

/* ---- Index ----------------------------------------------------------------------------------- */

static int compare_tensor_names(const void *a, const void *b)
{
    const struct shard_entry *x = a, *y = b;
    return trit_string_order(x->tensor, y->tensor);
}

static int compare_file_names(const void *a, const void *b)
{
    const struct shard_entry *x = a, *y = b;
    return trit_string_order(x->file, y->file);
}

/* A name that stays within the folder and is safe to print. */
static bool is_plain_name(struct trit_string name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.bytes[i] < 0x20 || name.bytes[i] > 0x7e || strchr("/\\", name.bytes[i]))
            return false;
    return name.len && !trit_string_is(name, ".") && !trit_string_is(name, "..");
}

/* The member of that key if there is exactly one. */
static const struct trit_json_value *only_member(const struct trit_json_value *object,
                                                 const char *key)
{
    const struct trit_json_value *found = NULL;

    if (trit_json_type_of(object) != TRIT_JSON_OBJECT)
        return NULL;
    for (const struct trit_json_value *m = trit_json_first(object); m; m = trit_json_next(m)) {
        if (!trit_string_is(trit_json_key(m), key))
            continue;
        if (found)
            return NULL;
        found = m;
    }
    return found;
}

static trit_status read_index(struct index *index, struct trit_error *err)
{
    const struct trit_json_value *map;
    const trit_status status = trit_json_open(&index->json, index->path, err);

    if (status)
        return status;
    map = only_member(trit_json_root(index->json), "weight_map");
    if (trit_json_type_of(map) != TRIT_JSON_OBJECT)
        return trit_fail(err, TRIT_E_FILE, "%s must have one 'weight_map', an object", index->path);
    index->entries = calloc(trit_json_count(map) + 1, sizeof *index->entries);
    if (!index->entries)
        return trit_fail_memory(err, trit_json_count(map) * sizeof *index->entries, "the index");
    for (map = trit_json_first(map); map; map = trit_json_next(map)) {
        const struct shard_entry p = {trit_json_key(map), trit_json_text(map)};
        if (!is_plain_name(p.file))
            return trit_fail_tensor(
                err, TRIT_E_FILE, index->path, p.tensor,
                "must be in a file of this folder, given by its plain name, not '%s'",
                trit_quote(p.file).text);
        index->entries[index->n++] = p;
    }
    return TRIT_OK;
}

/* List each file that the index names, once. */
static trit_status list_shards(struct trit_safetensors *s, struct index *index, const char *dir,
                               struct trit_error *err)
{
    const struct shard_entry *p = index->entries;
    size_t n = 0;
    trit_status status;

    qsort(index->entries, index->n, sizeof *p, compare_file_names);
    for (size_t i = 0; i < index->n; i++)
        n += i == 0 || compare_file_names(&p[i - 1], &p[i]) != 0;
    status = add_files(s, n, err);
    n = 0;
    for (size_t i = 0; i < index->n && !status; i++)
        if (i == 0 || compare_file_names(&p[i - 1], &p[i]) != 0) {
            struct trit_safe_file *f = &s->files[n++];
            status = join_path(&f->path, dir, p[i].file, err);
            if (!status)
                f->name = f->path + strlen(f->path) - p[i].file.len;
        }
    return status;
}

/* Check that index and files, both sorted by tensor here, agree. */
static trit_status check_index(const struct trit_safetensors *s, struct index *index,
                               struct trit_error *err)
{
    const struct shard_entry *p = index->entries;
    const struct trit_safe_tensor *t = s->tensors;

    qsort(index->entries, index->n, sizeof *p, compare_tensor_names);
    for (size_t i = 1; i < index->n; i++)
        if (compare_tensor_names(&p[i - 1], &p[i]) == 0)
            return trit_fail_tensor(err, TRIT_E_FILE, index->path, p[i].tensor, "occurs twice");
    for (size_t i = 0; i < index->n || i < s->n; i++) {
        const int order = i == s->n       ? -1
                          : i == index->n ? 1
                                          : trit_string_order(p[i].tensor, t[i].name);
        if (order < 0)
            return trit_fail_tensor(err, TRIT_E_FILE, index->path, p[i].tensor,
                                    "should be in %s but is not", trit_quote(p[i].file).text);
        if (order > 0)
            return trit_fail_tensor(err, TRIT_E_FILE, trit_safetensors_path(s, &t[i]), t[i].name,
                                    "is not in %s", index_name);
        if (!trit_string_is(p[i].file, s->files[t[i].file].name))
            return trit_fail_tensor(err, TRIT_E_FILE, index->path, p[i].tensor,
                                    "should be in %s but is in %s", trit_quote(p[i].file).text,
                                    s->files[t[i].file].name);
    }
    return TRIT_OK;
}

static void free_index(struct index *index)
{
    free(index->entries);
    trit_json_free(&index->json);
    free(index->path);
}

static trit_status find_files(struct trit_safetensors *s, struct index *index, const char *dir,
                              struct trit_error *err)
{
    char *single;
    trit_status status = find_file(&single, dir, single_name, err);

    if (status)
        return status;
    if (single) {
        status = add_files(s, 1, err);
        if (status)
            free(single);
        else
            s->files[0] = (struct trit_safe_file){.path = single, .name = single_name};
        return status;
    }
    status = find_file(&index->path, dir, index_name, err);
    if (status)
        return status;
    if (!index->path)
        return no_weights(dir, err);
    status = read_index(index, err);
    return status ? status : list_shards(s, index, dir, err);
}

/* ---- One file -------------------------------------------------------------------------------- */

/* The placeholder for a large file that was not fetched. */
static bool is_lfs_pointer(const struct trit_bytes *b)
{
    static const char start[] = "version https://git-lfs";
    return b->size >= sizeof start - 1 && memcmp(b->data, start, sizeof start - 1) == 0;
}

static trit_status open_file(struct trit_safe_file *f, struct trit_error *err)
{
    struct trit_error why;
    uint64_t n_header = 0;
    trit_status status = trit_bytes_open(&f->bytes, f->path, false, err);

    if (status)
        return status;
    if (is_lfs_pointer(&f->bytes))
        return trit_fail(err, TRIT_E_FILE,
                         "%s is only a Git LFS pointer; fetch the file with 'git lfs pull'",
                         f->path);
    if (f->bytes.size < sizeof n_header)
        return trit_fail(err, TRIT_E_FILE,
                         "%s ends early: it has %zu bytes; the header's length field alone has 8",
                         f->path, f->bytes.size);
    memcpy(&n_header, f->bytes.data, sizeof n_header);
    if (n_header > MAX_HEADER)
        return trit_fail(err, TRIT_E_FILE,
                         "%s is damaged or not a safetensors file: its header would have %llu "
                         "bytes; the limit is %d",
                         f->path, (unsigned long long)n_header, MAX_HEADER);
    f->data = f->bytes.data + sizeof n_header;
    f->n_data = f->bytes.size - sizeof n_header;
    if (n_header > f->n_data)
        return trit_fail(err, TRIT_E_FILE,
                         "%s ends early: its header has %llu bytes, but only %llu are left",
                         f->path, (unsigned long long)n_header, (unsigned long long)f->n_data);
    status = trit_json_read(&f->header, (const char *)f->data, (size_t)n_header, &why);
    f->data += n_header;
    f->n_data -= n_header;
    if (status)
        return trit_fail(err, status, "%s: its header: %s", f->path, why.text);
    if (trit_json_type_of(trit_json_root(f->header)) != TRIT_JSON_OBJECT)
        return trit_fail(err, TRIT_E_FILE, "%s: the header must be an object", f->path);
    return TRIT_OK;
}

static trit_status read_dtype(struct trit_safe_tensor *t, uint64_t *bytes, const char *path,
                              const struct trit_json_value *value, struct trit_error *err)
{
    const struct trit_string dtype = trit_json_text(value);
    size_t i = 0;

    if (trit_json_type_of(value) != TRIT_JSON_STRING)
        return trit_fail(err, TRIT_E_FILE, "%s: the dtype of tensor '%s' must be a string", path,
                         trit_quote(t->name).text);
    while (i < N_DTYPES && !trit_string_is(dtype, dtypes[i].name))
        i++;
    if (i == N_DTYPES)
        return trit_fail(err, TRIT_E_UNSUPPORTED,
                         "%s: tensor '%s' has dtype '%s'; supported are F64 to F16, BF16, F8_E5M2, "
                         "F8_E4M3, I64 to I8, U64 to U8, and BOOL",
                         path, trit_quote(t->name).text, trit_quote(dtype).text);
    t->dtype = dtypes[i].name;
    *bytes = dtypes[i].bytes;
    return TRIT_OK;
}

static bool read_whole(const struct trit_json_value *value, uint64_t *out)
{
    int64_t x;
    if (!trit_json_int64(value, &x) || x < 0)
        return false;
    *out = (uint64_t)x;
    return true;
}

/* Read the dimensions and compute the size in bytes. */
static trit_status read_shape(struct trit_safe_tensor *t, uint64_t item_bytes, const char *path,
                              const struct trit_json_value *shape, struct trit_error *err)
{
    const size_t n_dims = trit_json_count(shape);
    uint64_t n = item_bytes;
    bool empty = false;

    if (trit_json_type_of(shape) != TRIT_JSON_ARRAY)
        return trit_fail(err, TRIT_E_FILE, "%s: the shape of tensor '%s' must be an array", path,
                         trit_quote(t->name).text);
    if (n_dims > TRIT_SAFE_MAX_DIMS)
        return trit_fail_tensor(err, TRIT_E_FILE, path, t->name,
                                "has %zu dimensions; the limit is %d", n_dims, TRIT_SAFE_MAX_DIMS);
    shape = trit_json_first(shape);
    for (size_t i = 0; i < TRIT_SAFE_MAX_DIMS; i++, shape = trit_json_next(shape)) {
        t->dims[i] = 1;
        if (shape && !read_whole(shape, &t->dims[i]))
            return trit_fail(err, TRIT_E_FILE,
                             "%s: the dimensions of tensor '%s' must be integers of at least 0",
                             path, trit_quote(t->name).text);
        empty = empty || t->dims[i] == 0;
        if (!trit_mul_u64(n, t->dims[i] ? t->dims[i] : 1, &n) || n > INT64_MAX)
            return trit_fail_tensor(err, TRIT_E_FILE, path, t->name, "has an invalid shape");
    }
    t->n_dims = (uint32_t)n_dims;
    t->n_bytes = empty ? 0 : n;
    return TRIT_OK;
}

static trit_status read_offsets(struct trit_safe_tensor *t, const struct trit_safe_file *f,
                                const struct trit_json_value *offsets, struct trit_error *err)
{
    const struct trit_quoted name = trit_quote(t->name);
    uint64_t begin, end;

    if (trit_json_type_of(offsets) != TRIT_JSON_ARRAY || trit_json_count(offsets) != 2 ||
        !read_whole(trit_json_item(offsets, 0), &begin) ||
        !read_whole(trit_json_item(offsets, 1), &end))
        return trit_fail(err, TRIT_E_FILE,
                         "%s: data_offsets of tensor '%s' must be two integers of at least 0",
                         f->path, name.text);
    if (begin > end)
        return trit_fail_tensor(err, TRIT_E_FILE, f->path, t->name,
                                "ends at %llu, before it begins at %llu", (unsigned long long)end,
                                (unsigned long long)begin);
    if (end - begin != t->n_bytes)
        return trit_fail_tensor(err, TRIT_E_FILE, f->path, t->name,
                                "has %llu bytes; %s of shape %s would have %llu",
                                (unsigned long long)(end - begin), t->dtype,
                                trit_safetensors_shape(t).text, (unsigned long long)t->n_bytes);
    if (end > f->n_data)
        return trit_fail(err, TRIT_E_FILE,
                         "%s ends early: tensor '%s' has bytes %llu to %llu of its data, which has "
                         "%llu",
                         f->path, name.text, (unsigned long long)begin, (unsigned long long)end,
                         (unsigned long long)f->n_data);
    t->data = f->data + begin;
    return TRIT_OK;
}

static trit_status read_tensor(struct trit_safe_tensor *t, const struct trit_safe_file *f,
                               const struct trit_json_value *entry, struct trit_error *err)
{
    const struct trit_json_value *dtype = trit_json_member(entry, "dtype");
    const struct trit_json_value *shape = trit_json_member(entry, "shape");
    const struct trit_json_value *offsets = trit_json_member(entry, "data_offsets");
    uint64_t item_bytes = 0;
    trit_status status;

    if (t->name.len == 0)
        return trit_fail(err, TRIT_E_FILE, "%s has a tensor without a name", f->path);
    if (!dtype || !shape || !offsets || trit_json_count(entry) != 3)
        return trit_fail(err, TRIT_E_FILE,
                         "%s: tensor '%s' must have dtype, shape and data_offsets, each once, and "
                         "nothing else",
                         f->path, trit_quote(t->name).text);
    status = read_dtype(t, &item_bytes, f->path, dtype, err);
    if (!status)
        status = read_shape(t, item_bytes, f->path, shape, err);
    return status ? status : read_offsets(t, f, offsets, err);
}

static bool holds_strings(const struct trit_json_value *object)
{
    if (trit_json_type_of(object) != TRIT_JSON_OBJECT)
        return false;
    for (object = trit_json_first(object); object; object = trit_json_next(object))
        if (trit_json_type_of(object) != TRIT_JSON_STRING)
            return false;
    return true;
}

static int compare_data(const void *a, const void *b)
{
    const struct trit_safe_tensor *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes);
}

static trit_status check_gap(const struct trit_safe_file *f, const uint8_t *begin,
                             const uint8_t *end, struct trit_error *err)
{
    if (begin == end)
        return TRIT_OK;
    return trit_fail(err, TRIT_E_FILE, "%s: no tensor has bytes %llu to %llu of the data", f->path,
                     (unsigned long long)(begin - f->data), (unsigned long long)(end - f->data));
}

/* Check that the tensors of a file cover its data without a gap: the format demands that nothing
 * can hide between them. */
static trit_status check_cover(const struct trit_safe_file *f, struct trit_safe_tensor *t, size_t n,
                               struct trit_error *err)
{
    const uint8_t *end = f->data;
    trit_status status = TRIT_OK;

    qsort(t, n, sizeof *t, compare_data);
    for (size_t i = 0; i < n && !status; i++) {
        if (t[i].data < end)
            return trit_fail(err, TRIT_E_FILE, "%s: tensors '%s' and '%s' overlap", f->path,
                             trit_quote(t[i - 1].name).text, trit_quote(t[i].name).text);
        status = check_gap(f, end, t[i].data, err);
        end = t[i].data + t[i].n_bytes;
    }
    return status ? status : check_gap(f, end, f->data + f->n_data, err);
}

static int compare_tensors(const void *a, const void *b)
{
    const struct trit_safe_tensor *x = a, *y = b;
    const int order = trit_string_order(x->name, y->name);
    return order ? order : (x->file > y->file) - (x->file < y->file);
}

/* Sort the tensors from `first` on by name; equal neighbors are duplicates. */
static trit_status sort_tensors(const struct trit_safetensors *s, size_t first,
                                struct trit_error *err)
{
    const struct trit_safe_tensor *t = s->tensors;

    qsort(s->tensors + first, s->n - first, sizeof *t, compare_tensors);
    for (size_t i = first + 1; i < s->n; i++) {
        if (trit_string_order(t[i - 1].name, t[i].name) != 0)
            continue;
        const bool same = t[i - 1].file == t[i].file;
        return trit_fail_tensor(err, TRIT_E_FILE, trit_safetensors_path(s, &t[i]), t[i].name,
                                "%s%s", same ? "occurs twice" : "is also in ",
                                same ? "" : s->files[t[i - 1].file].name);
    }
    return TRIT_OK;
}

/* Append the tensors of the file's header; there is room for them. */
static trit_status read_file(struct trit_safetensors *s, size_t file, struct trit_error *err)
{
    const struct trit_safe_file *f = &s->files[file];
    const struct trit_json_value *m = trit_json_first(trit_json_root(f->header));
    const size_t first = s->n;
    bool had_metadata = false;
    trit_status status = TRIT_OK;

    for (; m && !status; m = trit_json_next(m)) {
        if (trit_string_is(trit_json_key(m), "__metadata__")) {
            if (had_metadata || !holds_strings(m))
                status = trit_fail(
                    err, TRIT_E_FILE,
                    "%s: '__metadata__' must occur only once, as an object of strings", f->path);
            had_metadata = true;
            continue;
        }
        struct trit_safe_tensor *t = &s->tensors[s->n++];
        *t = (struct trit_safe_tensor){.name = trit_json_key(m), .file = file};
        status = read_tensor(t, f, m, err);
    }
    if (!status)
        status = sort_tensors(s, first, err);
    return status ? status : check_cover(f, s->tensors + first, s->n - first, err);
}

/* ---- Checkpoint ------------------------------------------------------------------------------ */

static trit_status read_files(struct trit_safetensors *s, struct trit_error *err)
{
    size_t n = 0;
    trit_status status = TRIT_OK;

    for (size_t i = 0; i < s->n_files && !status; i++) {
        status = open_file(&s->files[i], err);
        n += trit_json_count(trit_json_root(s->files[i].header));
    }
    if (status)
        return status;
    s->tensors = calloc(n + 1, sizeof *s->tensors);
    if (!s->tensors)
        return trit_fail_memory(err, n * sizeof *s->tensors, "the tensors of a checkpoint");
    for (size_t i = 0; i < s->n_files && !status; i++)
        status = read_file(s, i, err);
    return status ? status : sort_tensors(s, 0, err);
}

trit_status trit_safetensors_open(struct trit_safetensors *out, const char *dir,
                                  struct trit_error *err)
{
    struct index index = {0};
    trit_status status;

    *out = (struct trit_safetensors){0};
    status = find_files(out, &index, dir, err);
    if (!status)
        status = read_files(out, err);
    if (!status && index.path)
        status = check_index(out, &index, err);
    free_index(&index);
    if (status)
        trit_safetensors_close(out);
    return status;
}

void trit_safetensors_close(struct trit_safetensors *s)
{
    for (size_t i = 0; i < s->n_files; i++) {
        trit_json_free(&s->files[i].header);
        trit_bytes_close(&s->files[i].bytes);
        free(s->files[i].path);
    }
    free(s->files);
    free(s->tensors);
    *s = (struct trit_safetensors){0};
}

/* ---- Lookup ---------------------------------------------------------------------------------- */

const struct trit_safe_tensor *trit_safetensors_find(const struct trit_safetensors *s,
                                                     const char *name)
{
    const struct trit_string wanted = trit_string_of(name);
    size_t low = 0, high = s->n;

    while (low < high) {
        const size_t i = low + (high - low) / 2;
        const int order = trit_string_order(wanted, s->tensors[i].name);
        if (order == 0)
            return &s->tensors[i];
        low = order < 0 ? low : i + 1;
        high = order < 0 ? i : high;
    }
    return NULL;
}

const char *trit_safetensors_path(const struct trit_safetensors *s,
                                  const struct trit_safe_tensor *t)
{
    return s->files[t->file].path;
}

struct trit_safe_shape trit_safetensors_shape(const struct trit_safe_tensor *t)
{
    struct trit_safe_shape shape = {"["};

    for (uint32_t i = 0; i < t->n_dims; i++)
        trit_append(shape.text, sizeof shape.text, "%s%llu", i ? ", " : "",
                    (unsigned long long)t->dims[i]);
    trit_append(shape.text, sizeof shape.text, "]");
    return shape;
}

void trit_safetensors_done(const struct trit_safetensors *s, const uint8_t *data, uint64_t n_bytes)
{
    for (size_t i = 0; i < s->n_files; i++) {
        const struct trit_safe_file *f = &s->files[i];
        if ((uintptr_t)data - (uintptr_t)f->data < f->n_data) {
            trit_bytes_release(&f->bytes, data, (size_t)n_bytes);
            return;
        }
    }
}
