/* import.c - see import.h. */
#include "import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

/* ---- Texts ----------------------------------------------------------------------------------- */

/* A block of texts; a list, newest first. */
struct trit_kept {
    struct trit_kept *next;
    size_t used, size;
    char bytes[];
};

struct trit_string trit_import_keep(struct trit_import *im, const char *bytes, size_t len)
{
    enum { BLOCK = 1 << 20 };
    struct trit_kept *k = im->v->kept;

    if (!k || k->size - k->used < len) {
        const size_t size = len > BLOCK ? len : BLOCK;
        k = malloc(sizeof *k + size);
        if (!k)
            return (struct trit_string){NULL, 0};
        *k = (struct trit_kept){.next = im->v->kept, .size = size};
        im->v->kept = k;
    }
    char *to = k->bytes + k->used;
    memcpy(to, bytes, len);
    k->used += len;
    return (struct trit_string){to, len};
}

void trit_import_forget(struct trit_vocabulary *v)
{
    for (struct trit_kept *k = v->kept, *next; k; k = next) {
        next = k->next;
        free(k);
    }
    v->kept = NULL;
}

/* ---- Files of the folder --------------------------------------------------------------------- */

bool trit_import_at(struct trit_import *im, const char *name)
{
    return snprintf(im->path, sizeof im->path, "%s/%s", im->dir, name) < (int)sizeof im->path;
}

bool trit_import_has(struct trit_import *im, const char *name)
{
    return trit_import_at(im, name) && trit_exists(im->path);
}

trit_status trit_import_open(struct trit_import *im, struct trit_bytes *out, const char *name)
{
    if (!trit_import_at(im, name))
        return trit_fail(im->err, TRIT_E_ARGUMENT, "the name of the folder is too long");
    return trit_bytes_open(out, im->path, false, im->err);
}

trit_status trit_import_json(struct trit_import *im, struct trit_json **out, const char *name)
{
    *out = NULL;
    if (!trit_import_has(im, name))
        return TRIT_OK;
    const trit_status status = trit_json_open(out, im->path, im->err);
    if (status)
        return status;
    if (trit_json_type_of(trit_json_root(*out)) != TRIT_JSON_OBJECT) {
        trit_json_free(out);
        return trit_import_fail(im, TRIT_E_FILE, "is not a JSON object");
    }
    return TRIT_OK;
}

trit_status trit_import_fail(struct trit_import *im, trit_status code, const char *fmt, ...)
{
    char what[384];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return trit_fail(im->err, code, "%s: %s", im->path, what);
}

/* ---- Tokens and merges ----------------------------------------------------------------------- */

trit_status trit_import_token(struct trit_import *im, int64_t id, struct trit_string text,
                              int32_t type, float score)
{
    if (id < 0 || id >= im->n_rows)
        return trit_import_fail(im, TRIT_E_FILE,
                                "token '%s' has the id %lld; the embedding has rows for 0 to %d",
                                trit_quote(text).text, (long long)id, im->n_rows - 1);
    struct trit_token *t = &im->v->tokens[id];
    if (t->type && trit_string_order(t->text, text) != 0)
        return trit_import_fail(im, TRIT_E_FILE, "id %lld is both '%s' and '%s'", (long long)id,
                                trit_quote(t->text).text, trit_quote(text).text);
    if (t->type) {
        if (t->type == TRIT_TOKEN_NORMAL ||
            (t->type == TRIT_TOKEN_USER_DEFINED && type != TRIT_TOKEN_NORMAL))
            t->type = type;
        return TRIT_OK;
    }
    *t = (struct trit_token){trit_import_keep(im, text.bytes, text.len), type, score};
    if (!t->text.bytes)
        return trit_fail_memory(im->err, text.len, "the vocabulary");
    if (id >= im->v->n_tokens)
        im->v->n_tokens = (int32_t)id + 1;
    return TRIT_OK;
}

trit_status trit_import_ids(struct trit_import *im, const struct trit_json_value *object,
                            int32_t type)
{
    trit_status status = TRIT_OK;

    for (const struct trit_json_value *t = trit_json_first(object); t && !status;
         t = trit_json_next(t)) {
        int64_t id;
        if (!trit_json_int64(t, &id))
            return trit_import_fail(im, TRIT_E_FILE, "the id of token '%s' is not a whole number",
                                    trit_quote(trit_json_key(t)).text);
        status = trit_import_token(im, id, trit_json_key(t), type, 0.0f);
    }
    return status;
}

bool trit_import_split(struct trit_string text, struct trit_string *left, struct trit_string *right)
{
    const char *space = text.len ? memchr(text.bytes, ' ', text.len) : NULL;

    if (!space)
        return false;
    *left = (struct trit_string){text.bytes, (size_t)(space - text.bytes)};
    *right = (struct trit_string){space + 1, text.len - left->len - 1};
    return left->len && right->len && !memchr(right->bytes, ' ', right->len);
}

trit_status trit_import_merge(struct trit_import *im, struct trit_string left,
                              struct trit_string right)
{
    struct trit_vocabulary *v = im->v;
    char joined[1024];

    if (left.len + right.len + 1 > sizeof joined || !left.len || !right.len)
        return trit_import_fail(im, TRIT_E_FILE, "merge %d has parts of %zu and %zu bytes",
                                v->n_merges, left.len, right.len);
    if (memchr(left.bytes, ' ', left.len) || memchr(right.bytes, ' ', right.len))
        return trit_import_fail(im, TRIT_E_FILE, "merge %d has a space inside a part", v->n_merges);
    if (v->n_merges == v->merges_size) {
        const int32_t size = v->merges_size ? 2 * v->merges_size : 1 << 16;
        struct trit_string *grown = realloc(v->merges, (size_t)size * sizeof *grown);
        if (!grown)
            return trit_fail_memory(im->err, (uint64_t)size * sizeof *grown, "the merges");
        v->merges = grown;
        v->merges_size = size;
    }
    memcpy(joined, left.bytes, left.len);
    joined[left.len] = ' ';
    memcpy(joined + left.len + 1, right.bytes, right.len);
    struct trit_string *m = &v->merges[v->n_merges];
    *m = trit_import_keep(im, joined, left.len + right.len + 1);
    if (!m->bytes)
        return trit_fail_memory(im->err, sizeof joined, "the merges");
    v->n_merges++;
    return TRIT_OK;
}

int32_t trit_import_find(const struct trit_import *im, struct trit_string text)
{
    for (int32_t i = 0; i < im->v->n_tokens; i++)
        if (im->v->tokens[i].type && trit_string_order(im->v->tokens[i].text, text) == 0)
            return i;
    return -1;
}

bool trit_import_is_token(const struct trit_import *im, int64_t id)
{
    return id >= 0 && id < im->n_rows && im->v->tokens[id].type;
}
