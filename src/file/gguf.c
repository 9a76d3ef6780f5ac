/* gguf.c - reading GGUF from untrusted bytes.
 *
 *   "GGUF" | u32 version | u64 n_tensors | u64 n_kv
 *   n_kv      times: string key | u32 type | value          (array: u32 type | u64 n | items)
 *   n_tensors times: string name | u32 n_dims | u64 dims[] | u32 type | u64 offset
 *   padding to general.alignment, then the data that the offsets count from
 *
 * A string is u64 length | bytes. Every read goes through a cursor that knows how many bytes are
 * left; counts are checked against that before anything is allocated for them. */
#include "gguf.h"

#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "kind.h"
#include "read_options.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are used without byte swapping");

enum {
    MAX_RECORDS = 65536,
    MAX_KEY = 65535,
    MAX_TENSOR_NAME = 63,
    MIN_KV_BYTES = 8 + 1 + 4 + 1,
    MIN_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8,
    DEFAULT_ALIGNMENT = 32,
};

static const uint64_t max_array = (uint64_t)1 << 30, max_string = (uint64_t)1 << 30;

/* Bytes of one item; 0 for strings, whose length varies. */
static const uint8_t value_bytes[TRIT_N_VALUE_TYPES] = {
    [TRIT_VALUE_U8] = 1,  [TRIT_VALUE_I8] = 1,  [TRIT_VALUE_U16] = 2, [TRIT_VALUE_I16] = 2,
    [TRIT_VALUE_U32] = 4, [TRIT_VALUE_I32] = 4, [TRIT_VALUE_F32] = 4, [TRIT_VALUE_BOOL] = 1,
    [TRIT_VALUE_U64] = 8, [TRIT_VALUE_I64] = 8, [TRIT_VALUE_F64] = 8,
};

/* ---- Cursor ---------------------------------------------------------------------------------- */

struct cursor {
    const uint8_t *p;
    uint64_t left;
};

static bool take_bytes(struct cursor *c, uint64_t n, const uint8_t **out)
{
    if (n > c->left)
        return false;
    *out = c->p;
    c->p += n;
    c->left -= n;
    return true;
}

static bool take_u32(struct cursor *c, uint32_t *out)
{
    const uint8_t *p;
    if (!take_bytes(c, sizeof *out, &p))
        return false;
    memcpy(out, p, sizeof *out);
    return true;
}

static bool take_u64(struct cursor *c, uint64_t *out)
{
    const uint8_t *p;
    if (!take_bytes(c, sizeof *out, &p))
        return false;
    memcpy(out, p, sizeof *out);
    return true;
}

static bool take_string(struct cursor *c, struct trit_string *out)
{
    const uint8_t *p;
    uint64_t len;
    if (!take_u64(c, &len) || len > max_string || !take_bytes(c, len, &p))
        return false;
    *out = (struct trit_string){(const char *)p, (size_t)len};
    return true;
}

/* ---- Parts of a file ------------------------------------------------------------------------- */

static trit_status ends_early(const trit_file *f, const char *where, struct trit_error *err)
{
    return trit_fail(err, TRIT_E_FILE, "%s is damaged or ends early, in %s", f->path, where);
}

/* Skip n items, checking each. */
static bool take_items(struct cursor *c, trit_value_type type, uint64_t n)
{
    const uint8_t *p;
    if (type == TRIT_VALUE_STRING) {
        struct trit_string s;
        if (n > c->left / 8)
            return false;
        for (uint64_t i = 0; i < n; i++)
            if (!take_string(c, &s))
                return false;
        return true;
    }
    if (n > c->left / value_bytes[type] || !take_bytes(c, n * value_bytes[type], &p))
        return false;
    if (type == TRIT_VALUE_BOOL)
        for (uint64_t i = 0; i < n; i++)
            if (p[i] > 1)
                return false;
    return true;
}

static trit_status read_kv(trit_file *f, struct cursor *c, struct gguf_kv *kv,
                           struct trit_error *err)
{
    uint32_t type, item_type;

    if (!take_string(c, &kv->key) || !take_u32(c, &type))
        return ends_early(f, "the metadata", err);
    if (kv->key.len == 0 || kv->key.len > MAX_KEY)
        return trit_fail(err, TRIT_E_FILE, "%s: invalid metadata key of %zu bytes (1 to %d)",
                         f->path, kv->key.len, MAX_KEY);
    item_type = type;
    kv->n_items = 1;
    if (type == TRIT_VALUE_ARRAY && (!take_u32(c, &item_type) || !take_u64(c, &kv->n_items)))
        return ends_early(f, "the metadata", err);
    if (item_type >= TRIT_N_VALUE_TYPES || item_type == TRIT_VALUE_ARRAY)
        return trit_fail(err, TRIT_E_FILE, "%s: metadata '%s' has unknown value type %u", f->path,
                         trit_quote(kv->key).text, item_type);
    kv->type = (trit_value_type)type;
    kv->item_type = (trit_value_type)item_type;
    kv->items = c->p;
    if (kv->n_items > max_array || !take_items(c, kv->item_type, kv->n_items))
        return trit_fail(err, TRIT_E_FILE,
                         "%s: metadata '%s' is damaged, or the file ends early in it", f->path,
                         trit_quote(kv->key).text);
    return TRIT_OK;
}

/* The offset is still relative to the data; place_tensor() makes it absolute. */
static trit_status read_tensor(trit_file *f, struct cursor *c, struct gguf_tensor *t,
                               struct trit_error *err)
{
    uint64_t n = 1;

    if (!take_string(c, &t->name) || !take_u32(c, &t->n_dims))
        return ends_early(f, "the list of tensors", err);
    if (t->name.len == 0 || t->name.len > MAX_TENSOR_NAME)
        return trit_fail(err, TRIT_E_FILE, "%s: invalid tensor name of %zu bytes (1 to %d)",
                         f->path, t->name.len, MAX_TENSOR_NAME);
    if (t->n_dims < 1 || t->n_dims > 4)
        return trit_fail_tensor(err, TRIT_E_FILE, f->path, t->name,
                                "has %u dimensions; it must have 1 to 4", t->n_dims);
    for (uint32_t i = 0; i < 4; i++) {
        t->dims[i] = 1;
        if (i < t->n_dims && !take_u64(c, &t->dims[i]))
            return ends_early(f, "the list of tensors", err);
        if (t->dims[i] == 0 || !trit_mul_u64(n, t->dims[i], &n) || n > INT64_MAX)
            return trit_fail_tensor(err, TRIT_E_FILE, f->path, t->name, "has an invalid shape");
    }
    if (!take_u32(c, &t->type_id) || !take_u64(c, &t->offset))
        return ends_early(f, "the list of tensors", err);
    t->type = trit_type_find(t->type_id);
    return TRIT_OK;
}

static trit_status place_tensor(trit_file *f, struct gguf_tensor *t, uint64_t data_start,
                                uint64_t alignment, struct trit_error *err)
{
    const uint64_t data_size = f->bytes.size - data_start;

    if (t->type && t->type->block &&
        !trit_type_bytes(t->type, t->dims[0], trit_gguf_n_elements(t) / t->dims[0], &t->n_bytes))
        return trit_fail_tensor(err, TRIT_E_FILE, f->path, t->name,
                                "has rows of %llu weights, but type %s needs a multiple of %u",
                                (unsigned long long)t->dims[0], t->type->name, t->type->block);
    if (t->offset % alignment)
        return trit_fail_tensor(err, TRIT_E_FILE, f->path, t->name, "is not aligned to %llu bytes",
                                (unsigned long long)alignment);
    if (t->offset > data_size || t->n_bytes > data_size - t->offset)
        return trit_fail(err, TRIT_E_FILE,
                         "%s ends early: tensor '%s' needs %llu bytes at %llu of %llu", f->path,
                         trit_quote(t->name).text, (unsigned long long)t->n_bytes,
                         (unsigned long long)t->offset, (unsigned long long)data_size);
    t->offset += data_start;
    return TRIT_OK;
}

/* Entries and tensors begin with their name. */
static int compare_names(const void *a, const void *b)
{
    const struct trit_string *x = *(const void *const *)a, *y = *(const void *const *)b;
    return trit_string_order(*x, *y);
}

static int compare_offsets(const void *a, const void *b)
{
    const struct gguf_tensor *x = *(const void *const *)a, *y = *(const void *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Compute each tensor's space up to the next one, with the name index as scratch memory. An overlap
 * is damage, unless programs disagree on the type id: then the size may be wrong, and opening the
 * model gives a better message. */
static trit_status measure_spans(trit_file *f, uint64_t alignment, struct trit_error *err)
{
    const void **order = f->tensors_by_name;

    for (size_t i = 0; i < f->n_tensors; i++)
        order[i] = &f->tensors[i];
    qsort(order, f->n_tensors, sizeof *order, compare_offsets);
    for (size_t i = 0; i < f->n_tensors; i++) {
        struct gguf_tensor *t = &f->tensors[(const struct gguf_tensor *)order[i] - f->tensors];
        const struct gguf_tensor *next = i + 1 < f->n_tensors ? order[i + 1] : NULL;
        t->span = (next ? next->offset : f->bytes.size) - t->offset;
        t->fits_span = !next || (t->n_bytes <= t->span && t->span - t->n_bytes < alignment);
        if (t->n_bytes > t->span && !t->type->id_is_shared)
            return trit_fail(err, TRIT_E_FILE, "%s: tensors '%s' and '%s' overlap", f->path,
                             trit_quote(t->name).text, trit_quote(next->name).text);
    }
    return TRIT_OK;
}

/* Sort an index of n items by name; equal neighbors are duplicates. */
static trit_status index_names(const trit_file *f, const void **index, const void *items, size_t n,
                               size_t item_bytes, const char *what, struct trit_error *err)
{
    for (size_t i = 0; i < n; i++)
        index[i] = (const char *)items + i * item_bytes;
    qsort(index, n, sizeof *index, compare_names);
    for (size_t i = 1; i < n; i++)
        if (compare_names(&index[i - 1], &index[i]) == 0)
            return trit_fail(err, TRIT_E_FILE, "%s: %s '%s' occurs twice", f->path, what,
                             trit_quote(*(const struct trit_string *)index[i]).text);
    return TRIT_OK;
}

static trit_status read_header(trit_file *f, struct cursor *c, uint64_t *n_tensors, uint64_t *n_kv,
                               struct trit_error *err)
{
    const uint8_t *magic;

    if (!take_bytes(c, 4, &magic) || memcmp(magic, "GGUF", 4) != 0)
        return trit_fail(
            err, TRIT_E_FILE, "%s is not a GGUF file%s", f->path,
            trit_kind_of_bytes((struct trit_string){(const char *)f->bytes.data, f->bytes.size}));
    if (!take_u32(c, &f->version))
        return ends_early(f, "the header", err);
    if (f->version && (f->version & 0xffff) == 0)
        return trit_fail(err, TRIT_E_UNSUPPORTED,
                         "%s is a big-endian GGUF file; only little-endian is supported", f->path);
    if (f->version != 2 && f->version != 3)
        return trit_fail(err, TRIT_E_UNSUPPORTED, "%s has GGUF version %u; supported are 2 and 3",
                         f->path, f->version);
    if (!take_u64(c, n_tensors) || !take_u64(c, n_kv))
        return ends_early(f, "the header", err);
    if (*n_kv > MAX_RECORDS || *n_kv > c->left / MIN_KV_BYTES || *n_tensors > MAX_RECORDS ||
        *n_tensors > c->left / MIN_TENSOR_BYTES)
        return trit_fail(err, TRIT_E_FILE,
                         "%s is damaged or ends early: its %llu bytes cannot hold %llu metadata "
                         "entries and %llu tensors",
                         f->path, (unsigned long long)f->bytes.size, (unsigned long long)*n_kv,
                         (unsigned long long)*n_tensors);
    return TRIT_OK;
}

static trit_status read_alignment(const trit_file *f, uint64_t *alignment, struct trit_error *err)
{
    uint32_t a = DEFAULT_ALIGNMENT;
    const trit_status status = trit_gguf_get_u32(f, "general.alignment", &a, err);
    if (status)
        return status;
    if (a < 8 || (a & (a - 1)) || a > 1u << 20)
        return trit_fail(err, TRIT_E_FILE, "%s: invalid general.alignment %u", f->path, a);
    *alignment = a;
    return TRIT_OK;
}

static trit_status place_tensors(trit_file *f, uint64_t infos_end, struct trit_error *err)
{
    uint64_t alignment = DEFAULT_ALIGNMENT, data_start;
    trit_status status = read_alignment(f, &alignment, err);

    if (status || f->n_tensors == 0)
        return status;
    data_start = trit_round_up(infos_end, alignment);
    if (data_start > f->bytes.size)
        return ends_early(f, "the padding before the tensors", err);
    for (size_t i = 0; i < f->n_tensors && !status; i++)
        status = place_tensor(f, &f->tensors[i], data_start, alignment, err);
    return status ? status : measure_spans(f, alignment, err);
}

static trit_status parse_file(trit_file *f, const struct trit_file_options *opt,
                              struct trit_error *err)
{
    struct cursor c = {f->bytes.data, f->bytes.size};
    uint64_t n_tensors = 0, n_kv = 0;
    uint32_t n_parts = 1;
    trit_status status = read_header(f, &c, &n_tensors, &n_kv, err);

    if (status)
        return status;
    f->n_kv = (size_t)n_kv;
    f->n_tensors = (size_t)n_tensors;
    const size_t n_more = opt->n_overrides > 0 ? (size_t)opt->n_overrides : 0;
    f->kv = calloc(f->n_kv + n_more + 1, sizeof *f->kv);
    f->tensors = calloc(f->n_tensors + 1, sizeof *f->tensors);
    f->kv_by_name = calloc(f->n_kv + n_more + 1, sizeof *f->kv_by_name);
    f->tensors_by_name = calloc(f->n_tensors + 1, sizeof *f->tensors_by_name);
    if (!f->kv || !f->tensors || !f->kv_by_name || !f->tensors_by_name)
        return trit_fail_memory(err, n_kv * sizeof *f->kv + n_tensors * sizeof *f->tensors,
                                "the index of the file");
    for (size_t i = 0; i < f->n_kv && !status; i++)
        status = read_kv(f, &c, &f->kv[i], err);
    for (size_t i = 0; i < f->n_tensors && !status; i++)
        status = read_tensor(f, &c, &f->tensors[i], err);
    if (!status)
        status = index_names(f, f->kv_by_name, f->kv, f->n_kv, sizeof *f->kv, "metadata", err);
    if (!status && n_more) {
        status = trit_override(f, opt->overrides, opt->n_overrides, err);
        if (!status)
            status = index_names(f, f->kv_by_name, f->kv, f->n_kv, sizeof *f->kv, "metadata", err);
    }
    if (!status)
        status = trit_gguf_get_u32(f, "split.count", &n_parts, err);
    if (!status && n_parts > 1)
        status = trit_fail(err, TRIT_E_UNSUPPORTED,
                           "%s is one of %u parts of a model; merge them into one file first",
                           f->path, n_parts);
    if (!status)
        status = place_tensors(f, f->bytes.size - c.left, err);
    return status ? status
                  : index_names(f, f->tensors_by_name, f->tensors, f->n_tensors, sizeof *f->tensors,
                                "tensor", err);
}

static trit_status get_bytes(trit_file *f, const struct trit_file_options *opt,
                             struct trit_error *err)
{
    if (!opt->bytes)
        return trit_bytes_open(&f->bytes, f->path, opt->no_mmap, err);
    f->bytes = (struct trit_bytes){opt->bytes, opt->n_bytes, TRIT_BYTES_BORROWED};
    return TRIT_OK;
}

trit_status trit_file_open(trit_file **out, const char *path,
                           const struct trit_file_options *options, struct trit_error *err)
{
    struct trit_file_options opt;
    trit_status status = trit_read_options(&opt, sizeof opt, options, err);
    trit_file *f = NULL;

    *out = NULL;
    if (status)
        return status;
    if (!(f = calloc(1, sizeof *f)))
        return trit_fail_memory(err, sizeof *f, "opening the file");
    f->path = malloc(strlen(path) + 1);
    if (f->path) {
        memcpy(f->path, path, strlen(path) + 1);
        status = get_bytes(f, &opt, err);
    } else {
        status = trit_fail_memory(err, strlen(path) + 1, "opening the file");
    }
    if (!status && opt.i2s_layout)
        status = trit_i2s_layout_named(&f->i2s_layout, opt.i2s_layout, err);
    if (!status)
        status = parse_file(f, &opt, err);
    if (!status && opt.lock)
        status = trit_bytes_lock(&f->bytes, path, err);
    if (status)
        trit_file_close(&f);
    *out = f;
    return status;
}

void trit_file_close(trit_file **file)
{
    trit_file *f = file ? *file : NULL;
    if (!f)
        return;
    *file = NULL;
    trit_bytes_close(&f->bytes);
    free(f->tensors_by_name);
    free(f->kv_by_name);
    free(f->tensors);
    free(f->kv);
    free(f->overrides);
    free(f->path);
    free(f);
}

/* ---- Lookup ---------------------------------------------------------------------------------- */

static const void *find_name(const void **index, size_t n, const char *name)
{
    const struct trit_string wanted = trit_string_of(name);
    const void *w = &wanted;
    const void *const *found = n ? bsearch(&w, index, n, sizeof w, compare_names) : NULL;
    return found ? *found : NULL;
}

const struct gguf_kv *trit_gguf_find(const trit_file *f, const char *key)
{
    return find_name(f->kv_by_name, f->n_kv, key);
}

const struct gguf_tensor *trit_gguf_find_tensor(const trit_file *f, const char *name)
{
    return find_name(f->tensors_by_name, f->n_tensors, name);
}

struct trit_value trit_gguf_next_value(trit_value_type type, const uint8_t **p)
{
    struct trit_value v = {.type = type};
    uint64_t u = 0;
    float f32;

    if (type == TRIT_VALUE_STRING) {
        memcpy(&u, *p, sizeof u);
        v.s = (struct trit_string){(const char *)*p + 8, (size_t)u};
        *p += 8 + u;
        return v;
    }
    memcpy(&u, *p, value_bytes[type]);
    *p += value_bytes[type];
    const int unused = 64 - 8 * value_bytes[type];
    switch (type) {
    case TRIT_VALUE_I8:
    case TRIT_VALUE_I16:
    case TRIT_VALUE_I32:
    case TRIT_VALUE_I64:
        v.i = (int64_t)(u << unused) >> unused; /* extends the sign */
        break;
    case TRIT_VALUE_F32:
        memcpy(&f32, &u, sizeof f32);
        v.f = (double)f32;
        break;
    case TRIT_VALUE_F64:
        memcpy(&v.f, &u, sizeof v.f);
        break;
    default:
        v.u = u;
    }
    return v;
}

static trit_status wrong_type(const trit_file *f, const char *key, const char *expected,
                              struct trit_error *err)
{
    return trit_fail(err, TRIT_E_FILE, "%s: metadata '%s' should be %s", f->path, key, expected);
}

#define BIT(type) (1u << TRIT_VALUE_##type)
#define UNSIGNED (BIT(U8) | BIT(U16) | BIT(U32) | BIT(U64))
#define SIGNED (BIT(I8) | BIT(I16) | BIT(I32) | BIT(I64))

/* Read a value of one of these types, bits; *out is unchanged if the key is absent. */
static trit_status get_value(const trit_file *f, const char *key, unsigned types,
                             const char *expected, struct trit_value *out, struct trit_error *err)
{
    const struct gguf_kv *kv = trit_gguf_find(f, key);
    if (!kv)
        return TRIT_OK;
    if (!(types >> kv->type & 1))
        return wrong_type(f, key, expected, err);
    const uint8_t *p = kv->items;
    *out = trit_gguf_next_value(kv->type, &p);
    return TRIT_OK;
}

trit_status trit_gguf_get_u32(const trit_file *f, const char *key, uint32_t *out,
                              struct trit_error *err)
{
    static const char expected[] = "an unsigned 32-bit integer";
    struct trit_value v = {.u = *out};
    const trit_status status = get_value(f, key, UNSIGNED | SIGNED, expected, &v, err);
    const uint64_t x = v.i ? (uint64_t)v.i : v.u;

    if (!status && x > UINT32_MAX)
        return wrong_type(f, key, expected, err);
    *out = (uint32_t)x;
    return status;
}

trit_status trit_gguf_get_f64(const trit_file *f, const char *key, double *out,
                              struct trit_error *err)
{
    struct trit_value v = {.f = *out};
    const trit_status status =
        get_value(f, key, BIT(F32) | BIT(F64), "a floating-point number", &v, err);
    *out = v.f;
    return status;
}

trit_status trit_gguf_get_bool(const trit_file *f, const char *key, bool *out,
                               struct trit_error *err)
{
    struct trit_value v = {.u = *out};
    const trit_status status = get_value(f, key, BIT(BOOL), "true or false", &v, err);
    *out = v.u != 0;
    return status;
}

trit_status trit_gguf_get_string(const trit_file *f, const char *key, struct trit_string *out,
                                 struct trit_error *err)
{
    struct trit_value v = {.s = *out};
    const trit_status status = get_value(f, key, BIT(STRING), "a string", &v, err);
    *out = v.s;
    return status;
}

trit_status trit_gguf_get_array(const trit_file *f, const char *key, trit_value_type item_type,
                                const struct gguf_kv **out, struct trit_error *err)
{
    *out = trit_gguf_find(f, key);
    if (*out && ((*out)->type != TRIT_VALUE_ARRAY || (*out)->item_type != item_type))
        return wrong_type(f, key, "an array of another type", err);
    return TRIT_OK;
}

/* ---- Public interface ------------------------------------------------------------------------ */

uint64_t trit_file_size(const trit_file *file)
{
    return file->bytes.size;
}

uint32_t trit_file_version(const trit_file *file)
{
    return file->version;
}

size_t trit_file_n_metadata(const trit_file *file)
{
    return file->n_kv;
}

struct trit_metadata trit_file_metadata(const trit_file *file, size_t i)
{
    const struct gguf_kv *kv = &file->kv[i];
    return (struct trit_metadata){kv->key, kv->type, kv->item_type, kv->n_items};
}

size_t trit_file_find_metadata(const trit_file *file, const char *key)
{
    const struct gguf_kv *kv = trit_gguf_find(file, key);
    return kv ? (size_t)(kv - file->kv) : file->n_kv;
}

void trit_file_values(const trit_file *file, size_t i,
                      bool (*fn)(void *user, const struct trit_value *value), void *user)
{
    const struct gguf_kv *kv = &file->kv[i];
    const uint8_t *p = kv->items;
    for (uint64_t k = 0; k < kv->n_items; k++) {
        const struct trit_value v = trit_gguf_next_value(kv->item_type, &p);
        if (!fn(user, &v))
            return;
    }
}

size_t trit_file_n_tensors(const trit_file *file)
{
    return file->n_tensors;
}

struct trit_tensor_info trit_file_tensor(const trit_file *file, size_t i)
{
    const struct gguf_tensor *t = &file->tensors[i];
    return (struct trit_tensor_info){
        .name = t->name,
        .type = t->type_id,
        .type_name = t->type ? t->type->name : "?",
        .n_dims = t->n_dims,
        .dims = {t->dims[0], t->dims[1], t->dims[2], t->dims[3]},
        .offset = t->offset,
        .n_bytes = t->n_bytes,
    };
}
