/* tokenizer.c - text to tokens and back: special tokens, BOS, end tokens. bpe.c or spm.c encodes
 * plain text, as the file's vocabulary requires. */
#include "str.h"
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_VOCAB = 1 << 24 };

static const struct trit_tokenizer_kind *const kinds[] = {&trit_kind_bpe, &trit_kind_spm};

/* ---- Opening --------------------------------------------------------------------------------- */

/* An id from the metadata; -1 if it is missing. */
static trit_status read_id(const trit_file *file, const char *key, int32_t n_vocab, int32_t *id,
                           struct trit_error *err)
{
    uint32_t u = UINT32_MAX;
    const trit_status status = trit_gguf_get_u32(file, key, &u, err);

    *id = -1;
    if (status || u == UINT32_MAX)
        return status;
    if (u >= (uint32_t)n_vocab)
        return trit_fail(err, TRIT_E_FILE, "%s: %s is %u; the vocabulary has %d tokens", file->path,
                         key, u, n_vocab);
    *id = (int32_t)u;
    return TRIT_OK;
}

static trit_status find_ends(trit_tokenizer *t, const trit_file *file, struct trit_error *err)
{
    static const char *const keys[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                       "tokenizer.ggml.eom_token_id"};
    static const char *const names[] = {
        "<|eot_id|>",   "<|eom_id|>", "<|end_of_text|>", "<|endoftext|>",   "<|im_end|>",
        "<|end|>",      "</s>",       "<end_of_turn>",   "<|end_of_turn|>", "<|END_OF_TURN_TOKEN|>",
        "[|endofturn|]"};

    t->is_end = calloc((size_t)t->vocab.n, sizeof *t->is_end);
    if (!t->is_end)
        return trit_fail_memory(err, (size_t)t->vocab.n, "the vocabulary");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        int32_t id;
        const trit_status status = read_id(file, keys[i], t->vocab.n, &id, err);
        if (status)
            return status;
        if (id >= 0)
            t->is_end[id] = true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        /* converters type some of them as normal */
        const int32_t id = trit_vocab_find(&t->vocab, trit_string_of(names[i]), TRIT_ANY_TOKEN);
        if (id >= 0)
            t->is_end[id] = true;
    }
    return TRIT_OK;
}

enum { SPECIAL = 1 << TRIT_TOKEN_CONTROL | 1 << TRIT_TOKEN_USER_DEFINED };

static int compare_sizes(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* Control tokens (recognized on request) and user-defined ones (always recognized). */
static trit_status list_special(trit_tokenizer *t, struct trit_error *err)
{
    const struct trit_vocab *v = &t->vocab;
    size_t n = 0;

    t->special_len = malloc((size_t)v->n * sizeof *t->special_len);
    if (!t->special_len)
        return trit_fail_memory(err, (size_t)v->n * sizeof *t->special_len, "the vocabulary");
    for (int32_t i = 0; i < v->n; i++) {
        const struct trit_string s = trit_vocab_text(v, i);
        if ((SPECIAL & 1 << v->type[i]) && s.len) {
            t->special_len[n++] = s.len;
            t->special_first_byte[(unsigned char)s.bytes[0]] = true;
        }
    }
    qsort(t->special_len, n, sizeof *t->special_len, compare_sizes);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || t->special_len[i] != t->special_len[i - 1])
            t->special_len[t->n_special_len++] = t->special_len[i];
    return TRIT_OK;
}

static trit_status read_vocab(trit_tokenizer *t, const trit_file *file, struct trit_error *err)
{
    const struct gguf_kv *tokens, *types;
    struct trit_string model = {"", 0};
    trit_status status;

    if ((status = trit_gguf_get_string(file, "tokenizer.ggml.model", &model, err)) ||
        (status =
             trit_gguf_get_array(file, "tokenizer.ggml.tokens", TRIT_VALUE_STRING, &tokens, err)) ||
        (status =
             trit_gguf_get_array(file, "tokenizer.ggml.token_type", TRIT_VALUE_I32, &types, err)))
        return status;
    if (!model.len)
        return trit_fail(err, TRIT_E_FILE, "%s: metadata 'tokenizer.ggml.model' is missing",
                         file->path);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (trit_string_is(model, kinds[i]->name))
            t->kind = kinds[i];
    if (!t->kind)
        return trit_fail(err, TRIT_E_UNSUPPORTED,
                         "%s has a vocabulary of kind '%s'; supported are 'gpt2' (byte-level BPE) "
                         "and 'llama' (SentencePiece)",
                         file->path, trit_quote(model).text);
    if (!tokens || tokens->n_items == 0 || tokens->n_items > MAX_VOCAB)
        return trit_fail(err, TRIT_E_FILE, "%s has no usable vocabulary", file->path);
    if (types && types->n_items != tokens->n_items)
        return trit_fail(err, TRIT_E_FILE, "%s has %llu tokens but %llu token types", file->path,
                         (unsigned long long)tokens->n_items, (unsigned long long)types->n_items);
    return trit_vocab_init(&t->vocab, tokens, types, t->kind->decode, err);
}

static trit_status open_tokenizer(trit_tokenizer *t, const trit_file *file, struct trit_error *err)
{
    trit_status status;

    if ((status = read_vocab(t, file, err)) ||
        (status = read_id(file, "tokenizer.ggml.bos_token_id", t->vocab.n, &t->bos, err)) ||
        (status = read_id(file, "tokenizer.ggml.unknown_token_id", t->vocab.n, &t->unknown, err)) ||
        (status = find_ends(t, file, err)) || (status = list_special(t, err)) ||
        (status = t->kind->open(t, file, err)))
        return status;
    return trit_gguf_get_bool(file, "tokenizer.ggml.add_bos_token", &t->add_bos, err);
}

trit_status trit_tokenizer_open(trit_tokenizer **out, const trit_file *file, struct trit_error *err)
{
    trit_tokenizer *t = calloc(1, sizeof *t);

    *out = NULL;
    if (!t)
        return trit_fail_memory(err, sizeof *t, "the tokenizer");
    const trit_status status = open_tokenizer(t, file, err);
    if (status)
        trit_tokenizer_close(&t);
    *out = t;
    return status;
}

void trit_tokenizer_close(trit_tokenizer **tokenizer)
{
    trit_tokenizer *t = tokenizer ? *tokenizer : NULL;
    if (!t)
        return;
    *tokenizer = NULL;
    free(t->scores);
    free(t->merges);
    free(t->special_len);
    free(t->is_end);
    trit_vocab_free(&t->vocab);
    free(t);
}

/* ---- Encoding -------------------------------------------------------------------------------- */

bool trit_encoding_add(struct trit_encoding *e, int32_t id)
{
    if (e->n == e->size) {
        const size_t size = e->size ? 2 * e->size : 64;
        int32_t *larger = realloc(e->ids, size * sizeof *larger);
        if (!larger)
            return false;
        e->ids = larger;
        e->size = size;
    }
    e->ids[e->n++] = id;
    return true;
}

/* Whether a user-defined token marks up conversations: it ends answers, looks like <…>, or is a
 * word of the template. White space does not. */
static bool is_markup(const trit_tokenizer *t, const struct trit_encoding *e, int32_t id)
{
    const struct trit_string s = trit_vocab_text(&t->vocab, id);
    size_t blanks = 0;

    while (blanks < s.len && strchr(" \t\r\n", s.bytes[blanks]) && s.bytes[blanks])
        blanks++;
    if (t->is_end[id] || s.len < 3 || blanks == s.len)
        return t->is_end[id];
    return (s.bytes[0] == '<' && s.bytes[s.len - 1] == '>') || trit_string_has(e->source, s);
}

/* The token <|…|> that a converter typed as normal, at the start of a template's text; or -1. */
static int32_t normal_marker_at(const trit_tokenizer *t, struct trit_string text)
{
    if (text.len < 5 || memcmp(text.bytes, "<|", 2) != 0)
        return -1;
    for (size_t n = 4; n < text.len && n < 64; n++)
        if (text.bytes[n - 1] == '|' && text.bytes[n] == '>')
            return trit_vocab_find(&t->vocab, (struct trit_string){text.bytes, n + 1},
                                   TRIT_ANY_TOKEN);
    return -1;
}

/* The longest special token at text[at], or -1. */
static int32_t special_at(const trit_tokenizer *t, const struct trit_encoding *e,
                          struct trit_string text, size_t at, unsigned flags)
{
    struct trit_string rest = {text.bytes + at, text.len - at};
    const bool template = e->origin && e->origin[at] == 0;
    const unsigned user_defined = 1u << TRIT_TOKEN_USER_DEFINED;
    int32_t id = -1;

    if (template && rest.len > t->vocab.longest)
        rest.len = t->vocab.longest;
    for (size_t n = 0; template && n < rest.len; n++)
        if (e->origin[at + n])
            rest.len = n; /* a marker of the template ends where the template's text does */
    if (t->special_first_byte[(unsigned char)rest.bytes[0]])
        id = trit_vocab_find_prefix(
            &t->vocab, rest, t->special_len, t->n_special_len,
            flags & TRIT_ENCODE_SPECIAL && (template || !e->origin) ? SPECIAL : user_defined);
    if (template)
        return id >= 0 ? id : normal_marker_at(t, rest);
    return id >= 0 && e->origin && is_markup(t, e, id) ? -1 : id;
}

static bool begins_with_bos(const trit_tokenizer *t, struct trit_string text)
{
    const struct trit_string bos = trit_vocab_text(&t->vocab, t->bos);
    return bos.len && text.len >= bos.len && memcmp(text.bytes, bos.bytes, bos.len) == 0;
}

enum trit_encode_result trit_encoding_text(const trit_tokenizer *t, struct trit_encoding *e,
                                           struct trit_string text, unsigned flags)
{
    enum trit_encode_result result = TRIT_ENCODED;

    if ((flags & TRIT_ENCODE_BOS) && t->add_bos && t->bos >= 0 &&
        !((flags & TRIT_ENCODE_SPECIAL) && begins_with_bos(t, text)) &&
        !trit_encoding_add(e, t->bos))
        return TRIT_ENCODED_NO_MEMORY;
    for (size_t at = 0; at < text.len && result == TRIT_ENCODED;) {
        int32_t id = -1;
        size_t end = at;
        for (; end < text.len && id < 0; end += id < 0)
            id = special_at(t, e, text, end, flags);
        if (end > at) {
            result = t->kind->encode(t, e, (struct trit_string){text.bytes + at, end - at});
            e->continues = true;
        }
        at = end;
        if (id >= 0 && result == TRIT_ENCODED) {
            at += trit_vocab_text(&t->vocab, id).len;
            e->continues = false;
            if (!trit_encoding_add(e, id))
                result = TRIT_ENCODED_NO_MEMORY;
        }
    }
    return result;
}

trit_status trit_encoding_finish(struct trit_encoding *e, enum trit_encode_result result,
                                 int32_t **out, int32_t *n, struct trit_error *err)
{
    trit_merger_free(&e->merger);
    free(e->chars);
    if (result == TRIT_ENCODED) {
        *out = e->ids;
        *n = (int32_t)e->n;
        return TRIT_OK;
    }
    free(e->ids);
    if (result == TRIT_ENCODED_NO_MEMORY)
        return trit_fail(err, TRIT_E_MEMORY, "out of memory for the tokens of the text");
    return trit_fail(err, TRIT_E_FAILED, "the vocabulary has no token for byte 0x%02x", e->missing);
}

trit_status trit_tokenizer_encode(const trit_tokenizer *t, const char *text, size_t len,
                                  unsigned flags, int32_t **out, int32_t *n, struct trit_error *err)
{
    struct trit_encoding e = {.size = len / 3 + 16};

    *out = NULL;
    *n = 0;
    if (len > INT32_MAX / 4)
        return trit_fail(err, TRIT_E_ARGUMENT, "a text of %zu bytes is too long", len);
    flags &= TRIT_ENCODE_BOS | TRIT_ENCODE_SPECIAL;
    e.ids = malloc(e.size * sizeof *e.ids);
    return trit_encoding_finish(
        &e,
        e.ids ? trit_encoding_text(t, &e, (struct trit_string){text, len}, flags)
              : TRIT_ENCODED_NO_MEMORY,
        out, n, err);
}

/* ---- Lookup ---------------------------------------------------------------------------------- */

struct trit_string trit_tokenizer_piece(const trit_tokenizer *t, int32_t id, bool special)
{
    if (id < 0 || id >= t->vocab.n ||
        (!special &&
         (t->vocab.type[id] == TRIT_TOKEN_CONTROL || t->vocab.type[id] == TRIT_TOKEN_UNKNOWN)))
        return (struct trit_string){"", 0};
    return trit_vocab_piece(&t->vocab, id);
}

bool trit_tokenizer_is_end(const trit_tokenizer *t, int32_t id)
{
    return id >= 0 && id < t->vocab.n && t->is_end[id];
}

int32_t trit_tokenizer_n_vocab(const trit_tokenizer *t)
{
    return t->vocab.n;
}

int32_t trit_tokenizer_bos(const trit_tokenizer *t)
{
    return t->add_bos ? t->bos : -1;
}
