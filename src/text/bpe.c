/* bpe.c - byte-level BPE (tokenizer.ggml.model "gpt2").
 *
 * Token strings encode every byte as one character: printable Latin-1 as itself, the others as
 * U+0100 and up (GPT-2's table). Text is split into pieces, each piece starts as one token per
 * byte, and neighbors are merged in the order of the file's merges. */
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "tokenizer.h"

struct trit_merge {
    int32_t left, right, merged; /* left < 0: an empty slot */
    uint32_t rank;
};

/* ---- Bytes as characters --------------------------------------------------------------------- */

unsigned trit_code_of_byte(int byte)
{
    if (byte <= 0x20)
        return 0x100u + (unsigned)byte;
    if (byte >= 0x7F && byte <= 0xA0)
        return 0x121u + (unsigned)(byte - 0x7F);
    return byte == 0xAD ? 0x143u : (unsigned)byte;
}

/* The byte that a code point encodes, or -1. */
static int byte_of_code(unsigned code)
{
    if (code >= 0x100 && code <= 0x120)
        return (int)(code - 0x100);
    if (code >= 0x121 && code <= 0x142)
        return (int)(code - 0x121) + 0x7F;
    if (code == 0x143)
        return 0xAD;
    return code > 0x20 && code < 0x100 && trit_code_of_byte((int)code) == code ? (int)code : -1;
}

/* Special tokens decode to their own text; in others, characters that encode no byte are kept. */
static size_t decode_bpe(char *out, struct trit_string text, int type)
{
    size_t n = 0;

    if (type == TRIT_TOKEN_CONTROL || type == TRIT_TOKEN_USER_DEFINED) {
        memcpy(out, text.bytes, text.len);
        return text.len;
    }
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.bytes[i];
        const bool two = c >= 0xC2 && c <= 0xC7 && i + 1 < text.len &&
                         ((unsigned char)text.bytes[i + 1] & 0xC0) == 0x80;
        const unsigned code =
            two ? (c & 0x1Fu) << 6 | ((unsigned char)text.bytes[i + 1] & 0x3Fu) : c;
        const int byte = two || c < 0x80 ? byte_of_code(code) : -1;
        out[n++] = (char)(byte >= 0 ? byte : c);
        i += two && byte >= 0;
    }
    return n;
}

/* ---- Merges ---------------------------------------------------------------------------------- */

static struct trit_merge *merge_slot(const trit_tokenizer *t, int32_t left, int32_t right)
{
    uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15;
    size_t i = (h ^ h >> 29) & t->merge_mask;
    while (t->merges[i].left >= 0 && (t->merges[i].left != left || t->merges[i].right != right))
        i = (i + 1) & t->merge_mask;
    return &t->merges[i];
}

/* The id of a string, if plain text may encode to it; else -1. */
static int32_t find_plain(const trit_tokenizer *t, const char *bytes, size_t len)
{
    return trit_vocab_find(&t->vocab, (struct trit_string){bytes, len},
                           ~(1u << TRIT_TOKEN_CONTROL));
}

/* s: "left right". Ignored if left, right or the whole is not in the vocabulary: it never applies.
 * whole: [vocab.longest] */
static void add_merge(trit_tokenizer *t, struct trit_string s, uint32_t rank, char *whole)
{
    const char *space = s.len > 1 ? memchr(s.bytes + 1, ' ', s.len - 1) : NULL;

    if (!space || s.len - 1 > t->vocab.longest)
        return;
    const size_t n_left = (size_t)(space - s.bytes), n_right = s.len - n_left - 1;
    memcpy(whole, s.bytes, n_left);
    memcpy(whole + n_left, space + 1, n_right);
    const int32_t left = find_plain(t, s.bytes, n_left);
    const int32_t right = find_plain(t, space + 1, n_right);
    const int32_t merged = find_plain(t, whole, n_left + n_right);
    if (left < 0 || right < 0 || merged < 0)
        return;
    struct trit_merge *m = merge_slot(t, left, right);
    if (m->left < 0)
        *m = (struct trit_merge){left, right, merged, rank};
}

static trit_status read_merges(trit_tokenizer *t, const trit_file *file, struct trit_error *err)
{
    const struct gguf_kv *merges;
    const trit_status status =
        trit_gguf_get_array(file, "tokenizer.ggml.merges", TRIT_VALUE_STRING, &merges, err);
    const size_t n = !status && merges ? (size_t)merges->n_items : 0;
    size_t size = 16;

    if (status)
        return status;
    while (size < 2 * n)
        size *= 2;
    char *whole = malloc(t->vocab.longest + 1);
    t->merges = malloc(size * sizeof *t->merges);
    if (!t->merges || !whole) {
        free(whole);
        return trit_fail_memory(err, size * sizeof *t->merges, "the merges of the tokenizer");
    }
    memset(t->merges, 0xff, size * sizeof *t->merges);
    t->merge_mask = size - 1;
    const uint8_t *p = n ? merges->items : NULL;
    for (size_t rank = 0; rank < n; rank++)
        add_merge(t, trit_gguf_next_value(TRIT_VALUE_STRING, &p).s, (uint32_t)rank, whole);
    free(whole);
    return TRIT_OK;
}

/* Whether it is the vocabulary of Llama-3, which many converters wrote without its name. */
static bool is_llama3(const struct trit_vocab *v)
{
    return v->n >= 128256 &&
           trit_vocab_find(v, trit_string_of("<|begin_of_text|>"), TRIT_ANY_TOKEN) == 128000;
}

/* If a file does not name its pre-tokenizer: Llama-3's for 2B-4T and for Llama-3's vocabulary,
 * otherwise GPT-2's. */
static trit_status read_pretokenizer(trit_tokenizer *t, const trit_file *file,
                                     struct trit_error *err)
{
    struct trit_string name = {"", 0}, arch = {"", 0};
    trit_status status;

    if ((status = trit_gguf_get_string(file, "tokenizer.ggml.pre", &name, err)) ||
        (status = trit_gguf_get_string(file, "general.architecture", &arch, err)))
        return status;
    if (!name.len || trit_string_is(name, "default")) {
        const bool llama3 = trit_string_is(arch, "bitnet-b1.58") ||
                            trit_string_is(arch, "bitnet-25") || is_llama3(&t->vocab);
        const char *fallback = llama3 ? "llama-bpe" : "gpt-2";
        name = trit_string_of(fallback);
    }
    t->pre = trit_pretokenizer_find(name);
    if (!t->pre)
        return trit_fail(err, TRIT_E_UNSUPPORTED,
                         "%s uses the pre-tokenizer '%s', which is not supported; supported are: "
                         "%s",
                         file->path, trit_quote(name).text, trit_pretokenizer_names);
    t->add_bos = t->pre->add_bos;
    t->ignore_merges = t->pre->ignore_merges;
    return trit_gguf_get_bool(file, "trit.ignore_merges", &t->ignore_merges, err);
}

static trit_status open_bpe(trit_tokenizer *t, const trit_file *file, struct trit_error *err)
{
    for (int i = 0; i < 256; i++) {
        char c[4];
        t->byte_token[i] = find_plain(t, c, trit_utf8_encode(c, trit_code_of_byte(i)));
    }
    const trit_status status = read_pretokenizer(t, file, err);
    return status ? status : read_merges(t, file, err);
}

/* ---- Encoding -------------------------------------------------------------------------------- */

static bool bpe_may_join(const void *ctx, const struct trit_symbol *left,
                         const struct trit_symbol *right, uint32_t *key, int32_t *joined)
{
    const struct trit_merge *m = merge_slot(ctx, left->id, right->id);
    *key = m->rank;
    *joined = m->merged;
    return m->left >= 0;
}

/* The token whose string is the whole piece, or -1. chars: [vocab.longest + 2] */
static int32_t whole_piece(const trit_tokenizer *t, struct trit_string piece, char *chars)
{
    size_t n = 0;

    for (size_t i = 0; i < piece.len; i++) {
        if (n >= t->vocab.longest)
            return -1;
        n += trit_utf8_encode(chars + n, trit_code_of_byte((unsigned char)piece.bytes[i]));
    }
    return find_plain(t, chars, n);
}

static enum trit_encode_result merge_piece(const trit_tokenizer *t, struct trit_encoding *e,
                                           struct trit_string piece)
{
    trit_merger_clear(&e->merger);
    for (size_t i = 0; i < piece.len; i++) {
        e->missing = (unsigned char)piece.bytes[i];
        if (t->byte_token[e->missing] < 0)
            return TRIT_ENCODED_NO_TOKEN;
        if (!trit_merger_add(&e->merger, t->byte_token[e->missing], i, 1))
            return TRIT_ENCODED_NO_MEMORY;
    }
    if (!trit_merger_run(&e->merger))
        return TRIT_ENCODED_NO_MEMORY;
    for (uint32_t i = 0; i < e->merger.n_symbols; i++)
        if (e->merger.symbols[i].len && !trit_encoding_add(e, e->merger.symbols[i].id))
            return TRIT_ENCODED_NO_MEMORY;
    return TRIT_ENCODED;
}

static enum trit_encode_result encode_piece(const trit_tokenizer *t, struct trit_encoding *e,
                                            struct trit_string piece)
{
    const int32_t whole = t->ignore_merges ? whole_piece(t, piece, e->chars) : -1;
    if (whole < 0)
        return merge_piece(t, e, piece);
    return trit_encoding_add(e, whole) ? TRIT_ENCODED : TRIT_ENCODED_NO_MEMORY;
}

static enum trit_encode_result encode_bpe(const trit_tokenizer *t, struct trit_encoding *e,
                                          struct trit_string text)
{
    struct trit_pieces pieces = {.rules = t->pre->rules, .text = text.bytes, .len = text.len};
    struct trit_string piece;
    enum trit_encode_result result = TRIT_ENCODED;

    if (!e->chars && !(e->chars = malloc(t->vocab.longest + 2)))
        return TRIT_ENCODED_NO_MEMORY;
    e->merger.may_join = bpe_may_join;
    e->merger.ctx = t;
    while (result == TRIT_ENCODED && trit_next_piece(&pieces, &piece))
        result = encode_piece(t, e, piece);
    return result;
}

const struct trit_tokenizer_kind trit_kind_bpe = {
    .name = "gpt2", .decode = decode_bpe, .open = open_bpe, .encode = encode_bpe};
