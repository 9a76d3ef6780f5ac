/* override.c - metadata that a caller gives instead of a file's. See gguf.h. */
#include "gguf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "str.h"

/* Types of keys that files may lack. A key that begins with a dot is one of any architecture. */
static const struct {
    const char *key;
    trit_value_type type;
} known[] = {
    {"general.architecture", TRIT_VALUE_STRING},
    {"general.name", TRIT_VALUE_STRING},
    {"general.finetune", TRIT_VALUE_STRING},
    {"tokenizer.chat_template", TRIT_VALUE_STRING},
    {"tokenizer.ggml.model", TRIT_VALUE_STRING},
    {"tokenizer.ggml.pre", TRIT_VALUE_STRING},
    {"tokenizer.ggml.add_bos_token", TRIT_VALUE_BOOL},
    {"tokenizer.ggml.add_space_prefix", TRIT_VALUE_BOOL},
    {"tokenizer.ggml.bos_token_id", TRIT_VALUE_U32},
    {"tokenizer.ggml.eos_token_id", TRIT_VALUE_U32},
    {"tokenizer.ggml.eot_token_id", TRIT_VALUE_U32},
    {"tokenizer.ggml.eom_token_id", TRIT_VALUE_U32},
    {"tokenizer.ggml.unknown_token_id", TRIT_VALUE_U32},
    {".hidden_activation", TRIT_VALUE_STRING},
    {".context_length", TRIT_VALUE_U32},
    {".attention.head_count_kv", TRIT_VALUE_U32},
    {".attention.key_length", TRIT_VALUE_U32},
    {".attention.value_length", TRIT_VALUE_U32},
    {".attention.layer_norm_rms_epsilon", TRIT_VALUE_F32},
    {".attention.sliding_window", TRIT_VALUE_U32},
    {".rope.dimension_count", TRIT_VALUE_U32},
    {".rope.freq_base", TRIT_VALUE_F32},
    {".rope.scaling.type", TRIT_VALUE_STRING},
    {".rope.scaling.factor", TRIT_VALUE_F32},
};

/* The names of types in "KEY=TYPE:VALUE". */
static const struct {
    const char *name;
    trit_value_type type;
} type_names[] = {{"int:", TRIT_VALUE_I64},
                  {"float:", TRIT_VALUE_F32},
                  {"bool:", TRIT_VALUE_BOOL},
                  {"str:", TRIT_VALUE_STRING}};

enum { N_KNOWN = sizeof known / sizeof *known, N_TYPES = sizeof type_names / sizeof *type_names };

struct override {
    struct trit_string key;
    const char *value;
    trit_value_type type;
};

static trit_status bad(const struct override *o, const char *what, struct trit_error *err)
{
    return trit_fail(err, TRIT_E_ARGUMENT, "override of '%s': '%s' %s", trit_quote(o->key).text,
                     trit_quote_text(o->value).text, what);
}

static struct gguf_kv *find(trit_file *f, struct trit_string key)
{
    for (size_t i = 0; i < f->n_kv; i++)
        if (trit_string_order(f->kv[i].key, key) == 0)
            return &f->kv[i];
    return NULL;
}

/* The type of a key: as the text says, as in the file, or as it is known. */
static trit_status find_type(trit_file *f, struct override *o, struct trit_error *err)
{
    const struct gguf_kv *there = find(f, o->key);

    for (size_t i = 0; i < N_TYPES; i++)
        if (strncmp(o->value, type_names[i].name, strlen(type_names[i].name)) == 0) {
            o->value += strlen(type_names[i].name);
            o->type = type_names[i].type;
            return TRIT_OK;
        }
    if (there && there->type == TRIT_VALUE_ARRAY)
        return bad(o, "cannot replace a list", err);
    if (there) {
        o->type = there->type;
        return TRIT_OK;
    }
    for (size_t i = 0; i < N_KNOWN; i++)
        if (*known[i].key == '.' ? trit_string_ends(o->key, known[i].key)
                                 : trit_string_is(o->key, known[i].key)) {
            o->type = known[i].type;
            return TRIT_OK;
        }
    return trit_fail(err, TRIT_E_ARGUMENT,
                     "the file has no metadata '%s', so its type is unknown; say "
                     "--override-kv %s=TYPE:VALUE, with int, float, bool or str",
                     trit_quote(o->key).text, trit_quote(o->key).text);
}

static trit_status parse(trit_file *f, struct override *o, const char *text, struct trit_error *err)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text)
        return trit_fail(err, TRIT_E_ARGUMENT, "an override is KEY=VALUE, not '%s'",
                         trit_quote_text(text).text);
    *o = (struct override){{text, (size_t)(equals - text)}, equals + 1, TRIT_VALUE_STRING};
    return find_type(f, o, err);
}

/* Whole numbers of a type's range. */
static trit_status write_whole(const struct override *o, uint8_t out[8], struct trit_error *err)
{
    static const struct {
        int64_t lo, hi;
    } ranges[TRIT_N_VALUE_TYPES] = {
        [TRIT_VALUE_U8] = {0, UINT8_MAX},   [TRIT_VALUE_I8] = {INT8_MIN, INT8_MAX},
        [TRIT_VALUE_U16] = {0, UINT16_MAX}, [TRIT_VALUE_I16] = {INT16_MIN, INT16_MAX},
        [TRIT_VALUE_U32] = {0, UINT32_MAX}, [TRIT_VALUE_I32] = {INT32_MIN, INT32_MAX},
        [TRIT_VALUE_U64] = {0, INT64_MAX},  [TRIT_VALUE_I64] = {INT64_MIN, INT64_MAX},
    };
    char *end;

    errno = 0;
    const long long x = strtoll(o->value, &end, 10);
    if (end == o->value || *end || errno)
        return bad(o, "is not a whole number", err);
    if (x < ranges[o->type].lo || x > ranges[o->type].hi)
        return bad(o, "does not fit its type", err);
    const uint64_t bits = (uint64_t)x;
    memcpy(out, &bits, sizeof bits); /* little-endian: the low bytes come first */
    return TRIT_OK;
}

static trit_status write_real(const struct override *o, uint8_t out[8], struct trit_error *err)
{
    char *end;
    const double x = strtod(o->value, &end);
    const float narrow = (float)x;

    if (end == o->value || *end)
        return bad(o, "is not a number", err);
    if (o->type == TRIT_VALUE_F32)
        memcpy(out, &narrow, sizeof narrow);
    else
        memcpy(out, &x, sizeof x);
    return TRIT_OK;
}

/* Write the value as in a file: for a string its length and bytes, else at most 8 bytes. */
static trit_status write_value(const struct override *o, uint8_t *out, struct trit_error *err)
{
    const uint64_t len = strlen(o->value);

    switch (o->type) {
    case TRIT_VALUE_STRING:
        memcpy(out, &len, sizeof len);
        memcpy(out + sizeof len, o->value, len);
        return TRIT_OK;
    case TRIT_VALUE_BOOL:
        out[0] = strcmp(o->value, "true") == 0;
        return out[0] || strcmp(o->value, "false") == 0 ? TRIT_OK
                                                        : bad(o, "is neither true nor false", err);
    case TRIT_VALUE_F32:
    case TRIT_VALUE_F64:
        return write_real(o, out, err);
    default:
        return write_whole(o, out, err);
    }
}

trit_status trit_override(trit_file *f, const char *const *texts, int32_t n, struct trit_error *err)
{
    trit_status status = TRIT_OK;
    uint64_t size = 0;

    for (int32_t i = 0; i < n; i++)
        size += strlen(texts[i]) + 16;
    uint8_t *at = f->overrides = n ? calloc(1, size) : NULL;
    if (n && !at)
        return trit_fail_memory(err, size, "the overrides");
    for (int32_t i = 0; i < n && !status; i++) {
        struct override o = {{NULL, 0}, NULL, TRIT_VALUE_STRING};
        if ((status = parse(f, &o, texts[i], err)) || (status = write_value(&o, at, err)))
            break;
        struct gguf_kv *kv = find(f, o.key);
        if (!kv)
            kv = &f->kv[f->n_kv++];
        uint8_t *key = at + (o.type == TRIT_VALUE_STRING ? 8 + strlen(o.value) : 8);
        memcpy(key, o.key.bytes, o.key.len);
        *kv = (struct gguf_kv){{(const char *)key, o.key.len}, o.type, o.type, 1, at};
        at = key + o.key.len;
    }
    return status;
}
