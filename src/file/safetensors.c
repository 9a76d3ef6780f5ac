/* safetensors.c - see safetensors.h. */
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "str.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are used without byte swapping");

enum { MAX_HEADER = 100000000 }; /* the format's limit */

static const struct {
    const char *name;
    uint8_t bytes;
} dtypes[] = {
    {"F64", 8}, {"F32", 4}, {"F16", 2},  {"BF16", 2},    {"I64", 8},
    {"I32", 4}, {"I16", 2}, {"I8", 1},   {"U64", 8},     {"U32", 4},
    {"U16", 2}, {"U8", 1},  {"BOOL", 1}, {"F8_E5M2", 1}, {"F8_E4M3", 1},
};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

/* The data of a file: tensors have offsets into it. */
struct data {
    const char *path;
    const uint8_t *bytes;
    uint64_t n;
};

static trit_status read_header(struct trit_weights_file *f, struct data *d, struct trit_error *err)
{
    struct trit_error why;
    uint64_t n_header = 0;

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
    *d = (struct data){f->path, f->bytes.data + sizeof n_header, f->bytes.size - sizeof n_header};
    if (n_header > d->n)
        return trit_fail(err, TRIT_E_FILE,
                         "%s ends early: its header has %llu bytes, but only %llu are left",
                         f->path, (unsigned long long)n_header, (unsigned long long)d->n);
    const trit_status status =
        trit_json_read(&f->header, (const char *)d->bytes, (size_t)n_header, &why);
    d->bytes += n_header;
    d->n -= n_header;
    if (status)
        return trit_fail(err, status, "%s: its header: %s", f->path, why.text);
    if (trit_json_type_of(trit_json_root(f->header)) != TRIT_JSON_OBJECT)
        return trit_fail(err, TRIT_E_FILE, "%s: the header must be an object", f->path);
    return TRIT_OK;
}

static trit_status read_dtype(struct trit_weight *t, uint64_t *bytes, const char *path,
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

static trit_status read_shape(struct trit_weight *t, uint64_t item_bytes, const char *path,
                              const struct trit_json_value *shape, struct trit_error *err)
{
    uint64_t dims[TRIT_WEIGHT_MAX_DIMS];
    const size_t n_dims = trit_json_count(shape);

    if (trit_json_type_of(shape) != TRIT_JSON_ARRAY)
        return trit_fail(err, TRIT_E_FILE, "%s: the shape of tensor '%s' must be an array", path,
                         trit_quote(t->name).text);
    shape = trit_json_first(shape);
    for (size_t i = 0; i < n_dims && i < TRIT_WEIGHT_MAX_DIMS; i++, shape = trit_json_next(shape))
        if (!read_whole(shape, &dims[i]))
            return trit_fail(err, TRIT_E_FILE,
                             "%s: the dimensions of tensor '%s' must be integers of at least 0",
                             path, trit_quote(t->name).text);
    return trit_weights_set_shape(t, dims, n_dims, item_bytes, path, err);
}

static trit_status read_offsets(struct trit_weight *t, const struct data *d,
                                const struct trit_json_value *offsets, struct trit_error *err)
{
    const struct trit_quoted name = trit_quote(t->name);
    uint64_t begin, end;

    if (trit_json_type_of(offsets) != TRIT_JSON_ARRAY || trit_json_count(offsets) != 2 ||
        !read_whole(trit_json_item(offsets, 0), &begin) ||
        !read_whole(trit_json_item(offsets, 1), &end))
        return trit_fail(err, TRIT_E_FILE,
                         "%s: data_offsets of tensor '%s' must be two integers of at least 0",
                         d->path, name.text);
    if (begin > end)
        return trit_fail_tensor(err, TRIT_E_FILE, d->path, t->name,
                                "ends at %llu, before it begins at %llu", (unsigned long long)end,
                                (unsigned long long)begin);
    if (end - begin != t->n_bytes)
        return trit_fail_tensor(err, TRIT_E_FILE, d->path, t->name,
                                "has %llu bytes; %s of shape %s would have %llu",
                                (unsigned long long)(end - begin), t->dtype,
                                trit_weights_shape(t).text, (unsigned long long)t->n_bytes);
    if (end > d->n)
        return trit_fail(err, TRIT_E_FILE,
                         "%s ends early: tensor '%s' has bytes %llu to %llu of its data, which has "
                         "%llu",
                         d->path, name.text, (unsigned long long)begin, (unsigned long long)end,
                         (unsigned long long)d->n);
    t->data = d->bytes + begin;
    return TRIT_OK;
}

static trit_status read_tensor(struct trit_weight *t, const struct data *d,
                               const struct trit_json_value *entry, struct trit_error *err)
{
    const struct trit_json_value *dtype = trit_json_member(entry, "dtype");
    const struct trit_json_value *shape = trit_json_member(entry, "shape");
    const struct trit_json_value *offsets = trit_json_member(entry, "data_offsets");
    uint64_t item_bytes = 0;
    trit_status status;

    if (t->name.len == 0)
        return trit_fail(err, TRIT_E_FILE, "%s has a tensor without a name", d->path);
    if (!dtype || !shape || !offsets || trit_json_count(entry) != 3)
        return trit_fail(err, TRIT_E_FILE,
                         "%s: tensor '%s' must have dtype, shape and data_offsets, each once, and "
                         "nothing else",
                         d->path, trit_quote(t->name).text);
    status = read_dtype(t, &item_bytes, d->path, dtype, err);
    if (!status)
        status = read_shape(t, item_bytes, d->path, shape, err);
    return status ? status : read_offsets(t, d, offsets, err);
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
    const struct trit_weight *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes);
}

static trit_status check_gap(const struct data *d, const uint8_t *begin, const uint8_t *end,
                             struct trit_error *err)
{
    if (begin == end)
        return TRIT_OK;
    return trit_fail(err, TRIT_E_FILE, "%s: no tensor has bytes %llu to %llu of the data", d->path,
                     (unsigned long long)(begin - d->bytes), (unsigned long long)(end - d->bytes));
}

/* Check that the tensors of a file cover its data without a gap: the format demands that nothing
 * can hide between them. */
static trit_status check_cover(const struct data *d, struct trit_weight *t, size_t n,
                               struct trit_error *err)
{
    const uint8_t *end = d->bytes;
    trit_status status = TRIT_OK;

    qsort(t, n, sizeof *t, compare_data);
    for (size_t i = 0; i < n && !status; i++) {
        if (t[i].data < end)
            return trit_fail(err, TRIT_E_FILE, "%s: tensors '%s' and '%s' overlap", d->path,
                             trit_quote(t[i - 1].name).text, trit_quote(t[i].name).text);
        status = check_gap(d, end, t[i].data, err);
        end = t[i].data + t[i].n_bytes;
    }
    return status ? status : check_gap(d, end, d->bytes + d->n, err);
}

/* Read a member of the header: a tensor, or the metadata. There is room for a tensor. */
static trit_status read_member(struct trit_weights *s, size_t file, const struct data *d,
                               const struct trit_json_value *m, bool *had_metadata,
                               struct trit_error *err)
{
    if (trit_string_is(trit_json_key(m), "__metadata__")) {
        if (*had_metadata || !holds_strings(m))
            return trit_fail(err, TRIT_E_FILE,
                             "%s: '__metadata__' must occur only once, as an object of strings",
                             d->path);
        *had_metadata = true;
        return TRIT_OK;
    }
    struct trit_weight *t = &s->tensors[s->n++];
    *t = (struct trit_weight){.name = trit_json_key(m), .file = file};
    return read_tensor(t, d, m, err);
}

trit_status trit_safetensors_read(struct trit_weights *s, size_t file, struct trit_error *err)
{
    struct trit_weights_file *f = &s->files[file];
    const size_t first = s->n;
    bool had_metadata = false;
    struct data d;
    trit_status status = read_header(f, &d, err);

    if (!status)
        status = trit_weights_reserve(s, trit_json_count(trit_json_root(f->header)), err);
    if (status)
        return status;
    const struct trit_json_value *m = trit_json_first(trit_json_root(f->header));
    for (; m && !status; m = trit_json_next(m))
        status = read_member(s, file, &d, m, &had_metadata, err);
    if (!status)
        status = trit_weights_sort(s, first, err);
    return status ? status : check_cover(&d, s->tensors + first, s->n - first, err);
}
