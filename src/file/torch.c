/* torch.c - reading untrusted files of torch.save; see torch.h.
 *
 * The pickle of a state_dict is a dict of calls, one per tensor:
 *
 *   torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)
 *
 * where storage is something outside the pickle: ("storage", torch.FloatStorage, KEY, device,
 * number of elements), with its numbers in the entry data/KEY of the archive. */
#include "torch.h"

#include <string.h>

#include "pickle.h"
#include "str.h"
#include "zip.h"

enum { TENSOR, PARAMETER, PARAMETER_WITH_STATE, ORDERED_DICT, FIRST_STORAGE };

static const struct trit_pickle_global globals[] = {
    [TENSOR] = {.module = "torch._utils", .name = "_rebuild_tensor_v2"},
    [PARAMETER] = {.module = "torch._utils", .name = "_rebuild_parameter"},
    [PARAMETER_WITH_STATE] = {.module = "torch._utils", .name = "_rebuild_parameter_with_state"},
    [ORDERED_DICT] = {.module = "collections", .name = "OrderedDict", .makes_dict = true},
    {.module = "torch", .name = "FloatStorage"}, /* in the order of storages[] */
    {.module = "torch", .name = "HalfStorage"},
    {.module = "torch", .name = "BFloat16Storage"},
    {.module = "torch", .name = "DoubleStorage"},
    {.module = "torch", .name = "ByteStorage"},
    {.module = "torch", .name = "CharStorage"},
    {.module = "torch", .name = "ShortStorage"},
    {.module = "torch", .name = "IntStorage"},
    {.module = "torch", .name = "LongStorage"},
    {.module = "torch", .name = "BoolStorage"},
};
enum { N_GLOBALS = sizeof globals / sizeof *globals };

static const struct storage_type {
    const char *dtype;
    uint8_t bytes;
} storages[] = {
    {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"U8", 1},
    {"I8", 1},  {"I16", 2}, {"I32", 4},  {"I64", 8}, {"BOOL", 1},
};
_Static_assert(FIRST_STORAGE + sizeof storages / sizeof *storages == N_GLOBALS,
               "each storage has a name");

struct reader {
    struct trit_weights *weights;
    size_t file;
    const char *path;
    struct trit_zip zip;
    struct trit_string folder; /* of the entries: "archive/" */
    struct trit_pickle pickle;
    struct trit_error *err;
};

#define FAIL(r, t, code, ...) trit_fail_tensor((r)->err, code, (r)->path, (t)->name, __VA_ARGS__)

/* ---- One tensor ------------------------------------------------------------------------------ */

/* The first n items of a tuple. @return false if it is no tuple, or shorter */
static bool get_items(const struct reader *r, const struct trit_pickle_value *tuple,
                      const struct trit_pickle_value **out, size_t n)
{
    if (!tuple || tuple->kind != TRIT_PICKLE_TUPLE || tuple->n_items < n)
        return false;
    struct trit_pickle_items items = trit_pickle_items(&r->pickle, tuple);
    for (size_t i = 0; i < n; i++)
        out[i] = trit_pickle_next(&items);
    return true;
}

/* Read a tuple of at most TRIT_WEIGHT_MAX_DIMS numbers that are at least 0. */
static bool get_numbers(const struct reader *r, const struct trit_pickle_value *tuple,
                        uint64_t *out)
{
    const struct trit_pickle_value *items[TRIT_WEIGHT_MAX_DIMS];

    if (!get_items(r, tuple, items, tuple->n_items))
        return false;
    for (uint32_t i = 0; i < tuple->n_items; i++) {
        if (items[i]->kind != TRIT_PICKLE_NUMBER || items[i]->number < 0)
            return false;
        out[i] = (uint64_t)items[i]->number;
    }
    return true;
}

/* Find the numbers of a storage. */
static trit_status find_storage(const struct reader *r, struct trit_weight *t,
                                const struct trit_pickle_value *outside,
                                const struct storage_type **type, uint64_t *n)
{
    static const char prefix[] = "data/";
    const struct trit_pickle_value *id[5];
    char name[64];

    if (outside->kind != TRIT_PICKLE_OUTSIDE ||
        !get_items(r, trit_pickle_args(&r->pickle, outside), id, 5) ||
        id[0]->kind != TRIT_PICKLE_TEXT || !trit_string_is(id[0]->text, "storage") ||
        id[1]->kind != TRIT_PICKLE_GLOBAL || id[1]->global < FIRST_STORAGE ||
        id[2]->kind != TRIT_PICKLE_TEXT || id[2]->text.len > sizeof name - sizeof prefix ||
        id[4]->kind != TRIT_PICKLE_NUMBER || id[4]->number < 0)
        return FAIL(r, t, TRIT_E_FILE, "does not have a valid storage");
    memcpy(name, prefix, sizeof prefix - 1);
    memcpy(name + sizeof prefix - 1, id[2]->text.bytes, id[2]->text.len);
    const struct trit_zip_entry *entry = trit_zip_find(
        &r->zip, r->folder, (struct trit_string){name, sizeof prefix - 1 + id[2]->text.len});
    if (!entry)
        return FAIL(r, t, TRIT_E_FILE, "is in storage '%s', which the file does not have",
                    trit_quote(id[2]->text).text);
    *type = &storages[id[1]->global - FIRST_STORAGE];
    *n = (uint64_t)id[4]->number;
    if (entry->n_bytes % (*type)->bytes || entry->n_bytes / (*type)->bytes != *n)
        return FAIL(r, t, TRIT_E_FILE, "is in a storage of %llu numbers (%s), which has %llu bytes",
                    (unsigned long long)*n, (*type)->dtype, (unsigned long long)entry->n_bytes);
    t->dtype = (*type)->dtype;
    t->data = entry->data;
    return TRIT_OK;
}

/* Whether the strides are those of elements without gaps, in the order of dims. */
static bool is_contiguous(const struct trit_weight *t, const uint64_t *strides)
{
    uint64_t n = 1;

    for (uint32_t i = t->n_dims; t->n_bytes && i-- > 0;) {
        if (t->dims[i] != 1 && strides[i] != n)
            return false;
        n *= t->dims[i];
    }
    return true;
}

/* Read the arguments of a call of _rebuild_tensor_v2. */
static trit_status read_view(const struct reader *r, struct trit_weight *t,
                             const struct trit_pickle_value *args)
{
    uint64_t dims[TRIT_WEIGHT_MAX_DIMS], strides[TRIT_WEIGHT_MAX_DIMS], n_stored = 0;
    const struct trit_pickle_value *arg[4]; /* storage, offset, size, stride */
    const struct storage_type *type = NULL;
    trit_status status;

    if (!get_items(r, args, arg, 4) || arg[1]->kind != TRIT_PICKLE_NUMBER || arg[1]->number < 0 ||
        arg[2]->kind != TRIT_PICKLE_TUPLE || arg[3]->kind != TRIT_PICKLE_TUPLE)
        return FAIL(r, t, TRIT_E_FILE, "is not described as torch describes it");
    if (arg[2]->n_items > TRIT_WEIGHT_MAX_DIMS)
        return FAIL(r, t, TRIT_E_FILE, "has %u dimensions; the limit is %d", arg[2]->n_items,
                    TRIT_WEIGHT_MAX_DIMS);
    if (arg[3]->n_items != arg[2]->n_items || !get_numbers(r, arg[2], dims) ||
        !get_numbers(r, arg[3], strides))
        return FAIL(r, t, TRIT_E_FILE, "has an invalid shape");
    if ((status = find_storage(r, t, arg[0], &type, &n_stored)) ||
        (status = trit_weights_set_shape(t, dims, arg[2]->n_items, type->bytes, r->path, r->err)))
        return status;
    const uint64_t offset = (uint64_t)arg[1]->number, n = t->n_bytes / type->bytes;
    if (offset > n_stored || n > n_stored - offset)
        return FAIL(r, t, TRIT_E_FILE, "of shape %s at %llu is outside its storage of %llu numbers",
                    trit_weights_shape(t).text, (unsigned long long)offset,
                    (unsigned long long)n_stored);
    if (!is_contiguous(t, strides))
        return FAIL(r, t, TRIT_E_UNSUPPORTED,
                    "is transposed, or has gaps or repeats (its strides are not those of shape "
                    "%s); save it with .contiguous()",
                    trit_weights_shape(t).text);
    t->data += offset * type->bytes;
    return TRIT_OK;
}

/* The call that makes a tensor, without the parameter around it; NULL if it is something else. */
static const struct trit_pickle_value *find_call(const struct reader *r,
                                                 const struct trit_pickle_value *v)
{
    const struct trit_pickle_value *arg[1];

    if (v->kind == TRIT_PICKLE_CALL && v->global != TENSOR)
        v = get_items(r, trit_pickle_args(&r->pickle, v), arg, 1) ? arg[0] : v;
    return v->kind == TRIT_PICKLE_CALL && v->global == TENSOR ? v : NULL;
}

/* ---- The state_dict -------------------------------------------------------------------------- */

/* The state_dict: the dict itself, or the one in it. */
static const struct trit_pickle_value *find_state(const struct reader *r,
                                                  const struct trit_pickle_value *root)
{
    static const char *const names[] = {"state_dict", "model_state_dict", "model", "module"};
    struct trit_pickle_items items = trit_pickle_items(&r->pickle, root);
    const struct trit_pickle_value *key, *value, *found = NULL;

    while ((key = trit_pickle_next(&items)) && (value = trit_pickle_next(&items)))
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (key->kind == TRIT_PICKLE_TEXT && trit_string_is(key->text, names[i]) &&
                value->kind == TRIT_PICKLE_DICT)
                found = found ? root : value;
    return found ? found : root;
}

static trit_status read_state(struct reader *r)
{
    const struct trit_pickle_value *root = &r->pickle.values[r->pickle.root], *key, *value;
    trit_status status;

    if (root->kind != TRIT_PICKLE_DICT)
        return trit_fail(r->err, TRIT_E_UNSUPPORTED, "%s does not hold a dict of tensors", r->path);
    root = find_state(r, root);
    if ((status = trit_weights_reserve(r->weights, root->n_items / 2, r->err)))
        return status;
    struct trit_pickle_items items = trit_pickle_items(&r->pickle, root);
    while (!status && (key = trit_pickle_next(&items)) && (value = trit_pickle_next(&items))) {
        if (key->kind != TRIT_PICKLE_TEXT || !key->text.len)
            return trit_fail(r->err, TRIT_E_UNSUPPORTED, "%s: a tensor does not have a name",
                             r->path);
        const struct trit_pickle_value *call = find_call(r, value);
        if (!call)
            return trit_fail(r->err, TRIT_E_UNSUPPORTED,
                             "%s: '%s' is not a tensor; save the tensors alone, by "
                             "torch.save(model.state_dict(), …)",
                             r->path, trit_quote(key->text).text);
        struct trit_weight *t = &r->weights->tensors[r->weights->n++];
        *t = (struct trit_weight){.name = key->text, .file = r->file};
        status = read_view(r, t, trit_pickle_args(&r->pickle, call));
    }
    return status;
}

/* ---- The archive ----------------------------------------------------------------------------- */

/* Find FOLDER/data.pkl, and set the folder. */
static trit_status find_pickle(struct reader *r, const struct trit_zip_entry **out)
{
    static const char name[] = "data.pkl";

    *out = NULL;
    for (size_t i = 0; i < r->zip.n; i++) {
        const struct trit_string entry = r->zip.entries[i].name;
        const size_t n = entry.len - (sizeof name - 1);
        if (!trit_string_ends(entry, "/data.pkl") || memchr(entry.bytes, '/', n - 1))
            continue;
        if (*out)
            return trit_fail(r->err, TRIT_E_FILE, "%s has two entries '*/%s'", r->path, name);
        *out = &r->zip.entries[i];
        r->folder = (struct trit_string){entry.bytes, n};
    }
    if (!*out)
        return trit_fail(r->err, TRIT_E_UNSUPPORTED,
                         "%s is a zip archive, but not of torch.save: it has no '*/%s'", r->path,
                         name);
    return TRIT_OK;
}

static trit_status check_byte_order(const struct reader *r)
{
    const struct trit_zip_entry *e = trit_zip_find(&r->zip, r->folder, trit_string_of("byteorder"));
    const struct trit_string order = {e ? (const char *)e->data : "little",
                                      e ? (size_t)e->n_bytes : strlen("little")};

    if (trit_string_is(order, "little"))
        return TRIT_OK;
    return trit_fail(r->err, TRIT_E_UNSUPPORTED,
                     "%s: its numbers have byte order '%s'; only 'little' is supported", r->path,
                     trit_quote(order).text);
}

static trit_status read_archive(struct reader *r)
{
    const struct trit_bytes *bytes = &r->weights->files[r->file].bytes;
    const struct trit_zip_entry *pickle;
    trit_status status;

    if ((status = trit_zip_open(&r->zip, bytes->data, bytes->size, r->path, r->err)) ||
        (status = find_pickle(r, &pickle)) || (status = check_byte_order(r)) ||
        (status = trit_pickle_read(&r->pickle, pickle->data, (size_t)pickle->n_bytes, globals,
                                   N_GLOBALS, r->path, r->err)))
        return status;
    return read_state(r);
}

/* A pickle without an archive: it begins with PROTO 2, and torch's own goes on with LONG1. */
static bool is_old(const struct trit_bytes *b)
{
    return b->size >= 2 && b->data[0] == 0x80 && b->data[1] >= 2 && b->data[1] <= 5;
}

trit_status trit_torch_read(struct trit_weights *s, size_t file, struct trit_error *err)
{
    const struct trit_weights_file *f = &s->files[file];
    struct reader r = {.weights = s, .file = file, .path = f->path, .err = err};

    if (is_old(&f->bytes))
        return trit_fail(err, TRIT_E_UNSUPPORTED,
                         "%s is in the format of torch before 1.6, a bare pickle; save it again: "
                         "python3 -c \"import sys, torch; f = sys.argv[1]; "
                         "torch.save(torch.load(f, map_location='cpu', weights_only=True), f)\" "
                         "FILE",
                         f->path);
    const trit_status status = read_archive(&r);
    trit_pickle_free(&r.pickle);
    trit_zip_free(&r.zip);
    return status;
}
