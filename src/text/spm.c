/* spm.c - SentencePiece-style BPE (tokenizer.ggml.model "llama").
 *
 * Spaces are written as U+2581, one is put before the text, and neighbors are merged into the
 * token with the highest score. A character that no token covers is encoded byte by byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer.h"
#include "unicode.h"

static const char space_mark[] = "\xE2\x96\x81"; /* U+2581 */
enum { MARK_LEN = 3 };

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static size_t decode_spm(char *out, struct trit_string text, int type)
{
    size_t n = 0;

    if (type == TRIT_TOKEN_BYTE && text.len == 6 && memcmp(text.bytes, "<0x", 3) == 0 &&
        hex_digit(text.bytes[3]) >= 0 && hex_digit(text.bytes[4]) >= 0) {
        out[0] = (char)(hex_digit(text.bytes[3]) << 4 | hex_digit(text.bytes[4]));
        return 1;
    }
    for (size_t i = 0; i < text.len; i++)
        if (text.len - i >= MARK_LEN && memcmp(text.bytes + i, space_mark, MARK_LEN) == 0) {
            out[n++] = ' ';
            i += MARK_LEN - 1;
        } else {
            out[n++] = text.bytes[i];
        }
    return n;
}

static trit_status open_spm(trit_tokenizer *t, const trit_file *file, struct trit_error *err)
{
    const struct gguf_kv *scores;
    trit_status status;

    if ((status = trit_gguf_get_array(file, "tokenizer.ggml.scores", TRIT_VALUE_F32, &scores, err)))
        return status;
    if (!scores || scores->n_items != (uint64_t)t->vocab.n)
        return trit_fail(err, TRIT_E_FILE, "%s has %d tokens but %llu scores", file->path,
                         t->vocab.n, (unsigned long long)(scores ? scores->n_items : 0));
    t->scores = malloc((size_t)t->vocab.n * sizeof *t->scores);
    if (!t->scores)
        return trit_fail_memory(err, (size_t)t->vocab.n * sizeof *t->scores, "the vocabulary");
    memcpy(t->scores, scores->items, (size_t)t->vocab.n * sizeof *t->scores);
    for (int i = 0; i < 256; i++) {
        char text[8];
        const int len = snprintf(text, sizeof text, "<0x%02X>", i);
        t->byte_token[i] =
            trit_vocab_find(&t->vocab, (struct trit_string){text, (size_t)len}, TRIT_ANY_TOKEN);
    }
    t->add_bos = true;
    t->space_prefix = true;
    return trit_gguf_get_bool(file, "tokenizer.ggml.add_space_prefix", &t->space_prefix, err);
}

/* ---- Encoding -------------------------------------------------------------------------------- */

struct spm_context {
    const trit_tokenizer *t;
    const char *text;
};

/* The id of a string, if plain text may encode to it; else -1. */
static int32_t find_normal(const trit_tokenizer *t, const char *bytes, size_t len)
{
    return trit_vocab_find(&t->vocab, (struct trit_string){bytes, len}, 1u << TRIT_TOKEN_NORMAL);
}

/* An integer that sorts in the reverse order of the score: the highest score first. */
static uint32_t descending(float score)
{
    uint32_t u;
    score += 0.0f; /* -0 is 0 */
    memcpy(&u, &score, sizeof u);
    return ~(u & 0x80000000u ? ~u : u | 0x80000000u);
}

static bool spm_may_join(const void *ctx, const struct trit_symbol *left,
                         const struct trit_symbol *right, uint32_t *key, int32_t *joined)
{
    const struct spm_context *c = ctx;
    *joined = find_normal(c->t, c->text + left->at, left->len + right->len);
    *key = *joined >= 0 ? descending(c->t->scores[*joined]) : 0;
    return *joined >= 0;
}

/* The text with its spaces marked; release with free(). */
static char *mark_spaces(struct trit_string text, bool prefix, size_t *len)
{
    char *out = malloc(MARK_LEN * (text.len + prefix) + 1);
    size_t n = 0;

    if (!out)
        return NULL;
    for (size_t i = 0; i < text.len + prefix; i++) {
        const char c = prefix ? (i ? text.bytes[i - 1] : ' ') : text.bytes[i];
        if (c == ' ') {
            memcpy(out + n, space_mark, MARK_LEN);
            n += MARK_LEN;
        } else {
            out[n++] = c;
        }
    }
    *len = n;
    return out;
}

static enum trit_encode_result add_bytes(const trit_tokenizer *t, struct trit_encoding *e,
                                         const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        e->missing = (unsigned char)bytes[i];
        const int32_t id = t->byte_token[e->missing] >= 0 ? t->byte_token[e->missing] : t->unknown;
        if (id < 0)
            return TRIT_ENCODED_NO_TOKEN;
        if (!trit_encoding_add(e, id))
            return TRIT_ENCODED_NO_MEMORY;
    }
    return TRIT_ENCODED;
}

static enum trit_encode_result encode_marked(const trit_tokenizer *t, struct trit_encoding *e,
                                             const char *text, size_t len)
{
    const struct spm_context c = {t, text};
    enum trit_encode_result result = TRIT_ENCODED;
    size_t n;

    e->merger.may_join = spm_may_join;
    e->merger.ctx = &c;
    trit_merger_clear(&e->merger);
    for (size_t i = 0; i < len; i += n) {
        trit_utf8_decode(text + i, len - i, &n);
        if (!trit_merger_add(&e->merger, find_normal(t, text + i, n), i, n))
            return TRIT_ENCODED_NO_MEMORY;
    }
    if (!trit_merger_run(&e->merger))
        return TRIT_ENCODED_NO_MEMORY;
    for (uint32_t i = 0; i < e->merger.n_symbols && result == TRIT_ENCODED; i++) {
        const struct trit_symbol *s = &e->merger.symbols[i];
        if (s->len && s->id < 0)
            result = add_bytes(t, e, text + s->at, s->len);
        else if (s->len && !trit_encoding_add(e, s->id))
            result = TRIT_ENCODED_NO_MEMORY;
    }
    return result;
}

static enum trit_encode_result encode_spm(const trit_tokenizer *t, struct trit_encoding *e,
                                          struct trit_string text)
{
    size_t len;
    char *marked = mark_spaces(text, t->space_prefix && !e->continues, &len);

    if (!marked)
        return TRIT_ENCODED_NO_MEMORY;
    const enum trit_encode_result result = encode_marked(t, e, marked, len);
    free(marked);
    return result;
}

const struct trit_tokenizer_kind trit_kind_spm = {
    .name = "llama", .decode = decode_spm, .open = open_spm, .encode = encode_spm};
