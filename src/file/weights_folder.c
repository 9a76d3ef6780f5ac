/* weights_folder.c - which files of a checkpoint folder hold its tensors; see weights.h.
 *
 * Three steps: find the files, read the tensors of each, sort them. */
#include "weights.h"

#include <stdlib.h>
#include <string.h>

#include "safetensors.h"
#include "str.h"
#include "torch.h"

/* In the order in which they are looked for. */
static const struct weights_kind {
    const char *single, *index, *suffix;
    trit_status (*read)(struct trit_weights *s, size_t file, struct trit_error *err);
} kinds[] = {
    {"model.safetensors", "model.safetensors.index.json", ".safetensors", trit_safetensors_read},
    {"pytorch_model.bin", "pytorch_model.bin.index.json", ".bin", trit_torch_read},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* One entry of the index. */
struct shard_entry {
    struct trit_string tensor, file;
};

struct index {
    const struct weights_kind *kind;
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
    static const char meta[] = "consolidated.00.pth";
    char *path;
    const trit_status status = find_file(&path, dir, meta, err);

    if (status)
        return status;
    if (!path)
        return trit_fail(err, TRIT_E_FILE,
                         "%s has no weights: neither model.safetensors nor pytorch_model.bin, nor "
                         "the index of either",
                         dir);
    free(path);
    return trit_fail(err, TRIT_E_UNSUPPORTED,
                     "%s has only %s; supported are model.safetensors and pytorch_model.bin, or "
                     "their shards",
                     dir, meta);
}

/* Allocate n files, none of which has a path yet. */
static trit_status add_files(struct trit_weights *s, size_t n, struct trit_error *err)
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
static trit_status list_shards(struct trit_weights *s, struct index *index, const char *dir,
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
            struct trit_weights_file *f = &s->files[n++];
            status = join_path(&f->path, dir, p[i].file, err);
            if (!status)
                f->name = f->path + strlen(f->path) - p[i].file.len;
        }
    return status;
}

/* Check that index and files, both sorted by tensor here, agree. */
static trit_status check_index(const struct trit_weights *s, struct index *index,
                               struct trit_error *err)
{
    const struct shard_entry *p = index->entries;
    const struct trit_weight *t = s->tensors;

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
            return trit_fail_tensor(err, TRIT_E_FILE, trit_weights_path(s, &t[i]), t[i].name,
                                    "is not in %s", index->kind->index);
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

/* The weights are this one file, the name of which is at the end of path. Takes path over. */
static trit_status set_file(struct trit_weights *s, char *path, size_t n_name,
                            struct trit_error *err)
{
    const trit_status status = add_files(s, 1, err);

    if (status)
        free(path);
    else
        s->files[0] =
            (struct trit_weights_file){.path = path, .name = path + strlen(path) - n_name};
    return status;
}

/* Find the file of a kind by its usual name, or its shards. *found: whether there is either. */
static trit_status find_kind(struct trit_weights *s, struct index *index, const char *dir,
                             bool *found, struct trit_error *err)
{
    char *single;
    trit_status status = find_file(&single, dir, index->kind->single, err);

    *found = true;
    if (status)
        return status;
    if (single)
        return set_file(s, single, strlen(index->kind->single), err);
    status = find_file(&index->path, dir, index->kind->index, err);
    *found = index->path;
    if (status || !index->path)
        return status;
    status = read_index(index, err);
    return status ? status : list_shards(s, index, dir, err);
}

/* The files of a folder that have a suffix. */
struct by_suffix {
    const char *suffix;
    size_t n;
    char first[256], second[256]; /* two of them, in order */
};

static void take_name(void *user, const char *name)
{
    static const char *const others[] = {"adapter_model.safetensors", "adapter_model.bin",
                                         "training_args.bin", "optimizer.bin", "scheduler.bin"};
    struct by_suffix *by = user;
    const struct trit_string s = trit_string_of(name);

    if (!trit_string_ends(s, by->suffix) || !is_plain_name(s) || s.len >= sizeof by->first)
        return;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (trit_string_is(s, others[i]))
            return;
    by->n++;
    if (!by->first[0] || strcmp(name, by->first) < 0) {
        memcpy(by->second, by->first, sizeof by->first);
        memcpy(by->first, name, s.len + 1);
    } else if (!by->second[0] || strcmp(name, by->second) < 0) {
        memcpy(by->second, name, s.len + 1);
    }
}

/* Find the file of a kind if it is the only one with the suffix. */
static trit_status find_only(struct trit_weights *s, const struct weights_kind *kind,
                             const char *dir, bool *found, struct trit_error *err)
{
    struct by_suffix by = {.suffix = kind->suffix};
    char *path;

    trit_each_name(dir, take_name, &by);
    *found = by.n > 0;
    if (by.n > 1)
        return trit_fail(err, TRIT_E_FILE,
                         "%s has %zu files *%s, such as %s and %s; one must be %s, or %s must list "
                         "the tensors of each",
                         dir, by.n, kind->suffix, by.first, by.second, kind->single, kind->index);
    if (!*found)
        return TRIT_OK;
    const trit_status status = join_path(&path, dir, trit_string_of(by.first), err);
    return status ? status : set_file(s, path, strlen(by.first), err);
}

static trit_status find_files(struct trit_weights *s, struct index *index, const char *dir,
                              struct trit_error *err)
{
    trit_status status = TRIT_OK;
    bool found = false;

    for (size_t i = 0; i < 2 * N_KINDS && !status && !found; i++) {
        index->kind = &kinds[i % N_KINDS];
        status = i < N_KINDS ? find_kind(s, index, dir, &found, err)
                             : find_only(s, index->kind, dir, &found, err);
    }
    return status || found ? status : no_weights(dir, err);
}

/* The placeholder for a large file that was not fetched. */
static bool is_lfs_pointer(const struct trit_bytes *b)
{
    static const char start[] = "version https://git-lfs";
    return b->size >= sizeof start - 1 && memcmp(b->data, start, sizeof start - 1) == 0;
}

static trit_status read_file(struct trit_weights *s, size_t file, const struct weights_kind *kind,
                             struct trit_error *err)
{
    struct trit_weights_file *f = &s->files[file];
    const trit_status status = trit_bytes_open(&f->bytes, f->path, false, err);

    if (status)
        return status;
    if (is_lfs_pointer(&f->bytes))
        return trit_fail(err, TRIT_E_FILE,
                         "%s is only a Git LFS pointer; fetch the file with 'git lfs pull'",
                         f->path);
    return kind->read(s, file, err);
}

trit_status trit_weights_open(struct trit_weights *out, const char *dir, struct trit_error *err)
{
    struct index index = {0};
    trit_status status;

    *out = (struct trit_weights){0};
    status = find_files(out, &index, dir, err);
    for (size_t i = 0; i < out->n_files && !status; i++)
        status = read_file(out, i, index.kind, err);
    if (!status)
        status = trit_weights_sort(out, 0, err);
    if (!status && index.path)
        status = check_index(out, &index, err);
    free_index(&index);
    if (status)
        trit_weights_close(out);
    return status;
}
