/* vocab.c - see vocab.h. */
#include "vocab.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, a byte at a time. */
static const uint64_t hash_start = 0xcbf29ce484222325;

static uint64_t hash_byte(uint64_t h, char c)
{
    return (h ^ (unsigned char)c) * 0x100000001b3;
}

/* The slot of a string with that hash, or the empty slot for it. */
static size_t vocab_slot(const struct trit_vocab *v, struct trit_string s, uint64_t hash)
{
    size_t i = (hash ^ hash >> 32) & v->mask;
    while (v->by_text[i] >= 0) {
        const struct trit_string other = trit_vocab_text(v, v->by_text[i]);
        if (other.len == s.len && memcmp(other.bytes, s.bytes, s.len) == 0)
            break;
        i = (i + 1) & v->mask;
    }
    return i;
}

static uint64_t hash_string(struct trit_string s)
{
    uint64_t h = hash_start;
    for (size_t i = 0; i < s.len; i++)
        h = hash_byte(h, s.bytes[i]);
    return h;
}

static int32_t find_hashed(const struct trit_vocab *v, struct trit_string s, uint64_t hash,
                           unsigned types)
{
    int32_t id = v->by_text[vocab_slot(v, s, hash)];
    while (id >= 0 && !(types & 1u << v->type[id]))
        id = v->same[id];
    return id;
}

int32_t trit_vocab_find(const struct trit_vocab *v, struct trit_string s, unsigned types)
{
    return find_hashed(v, s, hash_string(s), types);
}

int32_t trit_vocab_find_prefix(const struct trit_vocab *v, struct trit_string text,
                               const size_t *lengths, size_t n, unsigned types)
{
    uint64_t h = hash_start;
    int32_t best = -1;
    size_t at = 0;

    for (size_t i = 0; i < n && lengths[i] <= text.len; i++) {
        for (; at < lengths[i]; at++)
            h = hash_byte(h, text.bytes[at]);
        const int32_t id = find_hashed(v, (struct trit_string){text.bytes, at}, h, types);
        best = id >= 0 ? id : best;
    }
    return best;
}

/* Put an id before others of the same string. Unlink one of the same type, so that a string has at
 * most one id per type, however often a file repeats it. */
static void insert_id(struct trit_vocab *v, int32_t id)
{
    const struct trit_string s = trit_vocab_text(v, id);
    const size_t at = vocab_slot(v, s, hash_string(s));

    v->same[id] = v->by_text[at];
    v->by_text[at] = id;
    for (int32_t *next = &v->same[id]; *next >= 0; next = &v->same[*next])
        if (v->type[*next] == v->type[id]) {
            *next = v->same[*next];
            break;
        }
}

static bool allocate_vocab(struct trit_vocab *v, size_t text_bytes)
{
    const size_t n = (size_t)v->n;
    size_t size = 16;

    while (size < 2 * n)
        size *= 2;
    v->mask = size - 1;
    v->type = malloc(n);
    v->text = malloc(text_bytes + 1);
    v->pieces = malloc(text_bytes + 1);
    v->text_at = calloc(n + 1, sizeof *v->text_at);
    v->piece_at = calloc(n + 1, sizeof *v->piece_at);
    v->by_text = malloc(size * sizeof *v->by_text);
    v->same = malloc(n * sizeof *v->same);
    return v->same && v->type && v->text && v->pieces && v->text_at && v->piece_at && v->by_text;
}

trit_status trit_vocab_init(struct trit_vocab *v, const struct gguf_kv *tokens,
                            const struct gguf_kv *types, trit_decode_fn decode,
                            struct trit_error *err)
{
    const uint8_t *p = tokens->items, *q = types ? types->items : NULL;
    size_t total = 0;

    *v = (struct trit_vocab){.n = (int32_t)tokens->n_items};
    for (int32_t i = 0; i < v->n; i++) {
        const size_t len = trit_gguf_next_value(TRIT_VALUE_STRING, &p).s.len;
        v->longest = len > v->longest ? len : v->longest;
        total += len;
    }
    if (!allocate_vocab(v, total))
        return trit_fail_memory(err, 2 * total, "the vocabulary");

    memset(v->by_text, 0xff, (v->mask + 1) * sizeof *v->by_text);
    p = tokens->items;
    for (int32_t i = 0; i < v->n; i++) {
        const struct trit_string s = trit_gguf_next_value(TRIT_VALUE_STRING, &p).s;
        const int64_t type = q ? trit_gguf_next_value(TRIT_VALUE_I32, &q).i : TRIT_TOKEN_NORMAL;
        v->type[i] = (uint8_t)(type >= 0 && type <= TRIT_TOKEN_BYTE ? type : TRIT_TOKEN_NORMAL);
        memcpy(v->text + v->text_at[i], s.bytes, s.len);
        v->text_at[i + 1] = v->text_at[i] + s.len;
        v->piece_at[i + 1] = v->piece_at[i] + decode(v->pieces + v->piece_at[i], s, v->type[i]);
    }
    for (int32_t i = v->n; i-- > 0;) /* backwards, so that the lowest of equals comes first */
        insert_id(v, i);
    return TRIT_OK;
}

void trit_vocab_free(struct trit_vocab *v)
{
    free(v->same);
    free(v->by_text);
    free(v->piece_at);
    free(v->text_at);
    free(v->pieces);
    free(v->text);
    free(v->type);
    *v = (struct trit_vocab){0};
}
