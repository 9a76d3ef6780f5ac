/* tokenizer.c - byte-level BPE from a file's metadata.
 *
 * Tokens are stored as strings in which every byte stands as one character: printable Latin-1 as
 * itself, the others as U+0100 and up (GPT-2's table). Text is cut into pieces, each piece becomes
 * one token per byte, and neighbours are merged in the order of the merges until none is left.
 *
 *   by_text   hash: token string -> id
 *   merges    hash: (left id, right id) -> rank, merged id
 *   pieces    what each id decodes to, in one block of bytes
 */
#include <stdlib.h>
#include <string.h>

#include "gguf.h"
#include "pretokenize.h"

enum { MAX_VOCAB = 1 << 24 };

/* tokenizer.ggml.token_type */
enum { TOKEN_NORMAL = 1, TOKEN_UNKNOWN = 2, TOKEN_CONTROL = 3, TOKEN_USER_DEFINED = 4 };

struct merge {
    int32_t left, right, merged; /* left < 0: an empty place */
    uint32_t rank;
};

struct trit_tokenizer {
    int32_t n_vocab;
    char *text;           /* all token strings, one after the other */
    size_t *text_at;      /* [n_vocab + 1] */
    char *pieces;         /* all decoded tokens */
    size_t *piece_at;     /* [n_vocab + 1] */
    bool *is_end;         /* [n_vocab] */
    int32_t *by_text;     /* [text_mask + 1] ids, -1 where empty */
    struct merge *merges; /* [merge_mask + 1] */
    size_t text_mask, merge_mask;
    int32_t byte_token[256]; /* -1 where the vocabulary lacks it */
    int32_t bos;             /* -1: none */
    bool add_bos;
};

/* ---- Bytes as characters --------------------------------------------------------------------- */

/* Code point of each byte, and back for U+0000..U+01FF (-1: not one of them). */
struct byte_chars {
    uint16_t of_byte[256];
    int16_t to_byte[512];
};

static void make_byte_chars(struct byte_chars *b)
{
    uint16_t next = 256;
    memset(b->to_byte, 0xff, sizeof b->to_byte);
    for (int i = 0; i < 256; i++) {
        const bool printable =
            (i >= '!' && i <= '~') || (i >= 0xA1 && i <= 0xAC) || (i >= 0xAE && i <= 0xFF);
        b->of_byte[i] = printable ? (uint16_t)i : next++;
        b->to_byte[b->of_byte[i]] = (int16_t)i;
    }
}

static size_t put_char(char out[2], unsigned code) /* code < 0x200 */
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    out[0] = (char)(0xC0 | code >> 6);
    out[1] = (char)(0x80 | (code & 0x3F));
    return 2;
}

/* Decode a token string; characters that stand for no byte are kept as they are. Returns the
 * length, at most len. */
static size_t decode_token(const struct byte_chars *b, char *out, const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x80 && b->to_byte[c] >= 0) {
            out[n++] = (char)b->to_byte[c];
            continue;
        }
        if (i + 1 < len && c >= 0xC2 && c <= 0xC7 && ((unsigned char)text[i + 1] & 0xC0) == 0x80) {
            const unsigned code = (c & 0x1Fu) << 6 | ((unsigned char)text[i + 1] & 0x3Fu);
            if (b->to_byte[code] >= 0) {
                out[n++] = (char)b->to_byte[code];
                i++;
                continue;
            }
        }
        out[n++] = (char)c;
    }
    return n;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static uint64_t hash_bytes(const char *p, size_t n)
{
    uint64_t h = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * 0x100000001b3;
    return h ^ h >> 32;
}

static uint64_t hash_pair(int32_t left, int32_t right)
{
    const uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15;
    return h ^ h >> 29;
}

static size_t table_size(size_t n)
{
    size_t size = 16;
    while (size < 2 * n)
        size *= 2;
    return size;
}

static struct trit_string token_text(const trit_tokenizer *t, int32_t id)
{
    return (struct trit_string){t->text + t->text_at[id], t->text_at[id + 1] - t->text_at[id]};
}

/* The place of a string in by_text: where it is, or where it would go. */
static size_t text_slot(const trit_tokenizer *t, struct trit_string s)
{
    size_t i = hash_bytes(s.bytes, s.len) & t->text_mask;
    while (t->by_text[i] >= 0) {
        const struct trit_string other = token_text(t, t->by_text[i]);
        if (other.len == s.len && memcmp(other.bytes, s.bytes, s.len) == 0)
            break;
        i = (i + 1) & t->text_mask;
    }
    return i;
}

static int32_t find_text(const trit_tokenizer *t, struct trit_string s)
{
    return t->by_text[text_slot(t, s)];
}

static struct merge *merge_slot(const trit_tokenizer *t, int32_t left, int32_t right)
{
    size_t i = hash_pair(left, right) & t->merge_mask;
    while (t->merges[i].left >= 0 && (t->merges[i].left != left || t->merges[i].right != right))
        i = (i + 1) & t->merge_mask;
    return &t->merges[i];
}

/* ---- Opening --------------------------------------------------------------------------------- */

static trit_status no_memory(struct trit_error *err)
{
    return trit_fail(err, TRIT_E_MEMORY, "out of memory for the tokenizer");
}

/* Copy every token's string and what it decodes to. types: the file's array, or NULL. */
static trit_status copy_tokens(trit_tokenizer *t, const struct gguf_kv *tokens,
                               const struct gguf_kv *types, struct trit_error *err)
{
    const uint8_t *p = tokens->items, *q = types ? types->items : NULL;
    const size_t n = (size_t)t->n_vocab;
    struct byte_chars chars;
    size_t total = 0;

    make_byte_chars(&chars);
    for (size_t i = 0; i < n; i++)
        total += gguf_next_value(TRIT_VALUE_STRING, &p).s.len;
    t->text = malloc(total + 1);
    t->pieces = malloc(total + 1);
    t->text_at = calloc(n + 1, sizeof *t->text_at);
    t->piece_at = calloc(n + 1, sizeof *t->piece_at);
    t->is_end = calloc(n + 1, sizeof *t->is_end);
    if (!t->text || !t->pieces || !t->text_at || !t->piece_at || !t->is_end)
        return no_memory(err);

    p = tokens->items;
    for (size_t i = 0; i < n; i++) {
        const struct trit_string s = gguf_next_value(TRIT_VALUE_STRING, &p).s;
        const int64_t type = q ? gguf_next_value(TRIT_VALUE_I32, &q).i : TOKEN_NORMAL;
        char *piece = t->pieces + t->piece_at[i];
        size_t len = 0;
        memcpy(t->text + t->text_at[i], s.bytes, s.len);
        t->text_at[i + 1] = t->text_at[i] + s.len;
        if (type == TOKEN_USER_DEFINED) {
            memcpy(piece, s.bytes, s.len);
            len = s.len;
        } else if (type != TOKEN_CONTROL && type != TOKEN_UNKNOWN) {
            len = decode_token(&chars, piece, s.bytes, s.len);
        }
        t->piece_at[i + 1] = t->piece_at[i] + len;
    }
    return TRIT_OK;
}

static trit_status index_tokens(trit_tokenizer *t, struct trit_error *err)
{
    const size_t size = table_size((size_t)t->n_vocab);
    struct byte_chars chars;

    t->by_text = malloc(size * sizeof *t->by_text);
    if (!t->by_text)
        return no_memory(err);
    memset(t->by_text, 0xff, size * sizeof *t->by_text);
    t->text_mask = size - 1;
    for (int32_t i = 0; i < t->n_vocab; i++) {
        const size_t slot = text_slot(t, token_text(t, i));
        if (t->by_text[slot] < 0) /* of equal strings the first counts */
            t->by_text[slot] = i;
    }
    make_byte_chars(&chars);
    for (int i = 0; i < 256; i++) {
        char c[2];
        const size_t len = put_char(c, chars.of_byte[i]);
        t->byte_token[i] = find_text(t, (struct trit_string){c, len});
    }
    return TRIT_OK;
}

/* A merge is "left right"; one whose parts or whole are not in the vocabulary can never apply. */
static trit_status index_merges(trit_tokenizer *t, const struct gguf_kv *merges,
                                struct trit_error *err)
{
    const size_t n = merges ? (size_t)merges->n_items : 0, size = table_size(n);
    const uint8_t *p = merges ? merges->items : NULL;

    t->merges = malloc(size * sizeof *t->merges);
    if (!t->merges)
        return no_memory(err);
    memset(t->merges, 0xff, size * sizeof *t->merges);
    t->merge_mask = size - 1;
    for (size_t rank = 0; rank < n; rank++) {
        char whole[512];
        const struct trit_string s = gguf_next_value(TRIT_VALUE_STRING, &p).s;
        const char *space = s.len > 1 ? memchr(s.bytes + 1, ' ', s.len - 1) : NULL;
        if (!space || s.len > sizeof whole)
            continue;
        const size_t n_left = (size_t)(space - s.bytes), n_right = s.len - n_left - 1;
        memcpy(whole, s.bytes, n_left);
        memcpy(whole + n_left, space + 1, n_right);
        const int32_t left = find_text(t, (struct trit_string){s.bytes, n_left});
        const int32_t right = find_text(t, (struct trit_string){space + 1, n_right});
        const int32_t merged = find_text(t, (struct trit_string){whole, n_left + n_right});
        if (left < 0 || right < 0 || merged < 0)
            continue;
        struct merge *m = merge_slot(t, left, right);
        if (m->left < 0)
            *m = (struct merge){left, right, merged, (uint32_t)rank};
    }
    return TRIT_OK;
}

/* An id from the metadata, -1 where there is none. */
static trit_status read_id(const trit_file *file, const char *key, int32_t n_vocab, int32_t *id,
                           struct trit_error *err)
{
    uint32_t u = UINT32_MAX;
    const trit_status status = gguf_get_u32(file, key, &u, err);
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
    static const char *const names[] = {"<|eot_id|>", "<|eom_id|>", "<|end_of_text|>",
                                        "<|endoftext|>", "<|im_end|>"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        int32_t id;
        const trit_status status = read_id(file, keys[i], t->n_vocab, &id, err);
        if (status)
            return status;
        if (id >= 0)
            t->is_end[id] = true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const int32_t id = find_text(t, (struct trit_string){names[i], strlen(names[i])});
        if (id >= 0)
            t->is_end[id] = true;
    }
    return TRIT_OK;
}

/* BOS goes first if the file says so; if it says nothing, for the Llama-3 pre-tokeniser, which is
 * also that of bitnet-b1.58 files that name none. */
static trit_status read_bos(trit_tokenizer *t, const trit_file *file, struct trit_error *err)
{
    struct trit_string pre = {"", 0}, arch = {"", 0};
    trit_status status;

    if ((status = read_id(file, "tokenizer.ggml.bos_token_id", t->n_vocab, &t->bos, err)) ||
        (status = gguf_get_string(file, "tokenizer.ggml.pre", &pre, err)) ||
        (status = gguf_get_string(file, "general.architecture", &arch, err)))
        return status;
    t->add_bos =
        trit_string_is(pre, "llama-bpe") || (!pre.len && trit_string_is(arch, "bitnet-b1.58"));
    return gguf_get_bool(file, "tokenizer.ggml.add_bos_token", &t->add_bos, err);
}

static trit_status open_tokenizer(trit_tokenizer *t, const trit_file *file, struct trit_error *err)
{
    const struct gguf_kv *tokens, *types, *merges;
    struct trit_string model = {"", 0};
    trit_status status;

    if ((status = gguf_get_string(file, "tokenizer.ggml.model", &model, err)) ||
        (status = gguf_get_array(file, "tokenizer.ggml.tokens", TRIT_VALUE_STRING, &tokens, err)) ||
        (status = gguf_get_array(file, "tokenizer.ggml.token_type", TRIT_VALUE_I32, &types, err)) ||
        (status = gguf_get_array(file, "tokenizer.ggml.merges", TRIT_VALUE_STRING, &merges, err)))
        return status;
    if (!model.len)
        return trit_fail(err, TRIT_E_FILE, "%s: metadata 'tokenizer.ggml.model' is missing",
                         file->path);
    if (!trit_string_is(model, "gpt2"))
        return trit_fail(err, TRIT_E_UNSUPPORTED,
                         "%s: has a vocabulary of kind '%s'; supported is byte-level BPE ('gpt2')",
                         file->path, trit_quote(model).text);
    if (!tokens || tokens->n_items == 0 || tokens->n_items > MAX_VOCAB)
        return trit_fail(err, TRIT_E_FILE, "%s: holds no usable vocabulary", file->path);
    if (types && types->n_items != tokens->n_items)
        return trit_fail(err, TRIT_E_FILE, "%s: has %llu tokens but %llu token types", file->path,
                         (unsigned long long)tokens->n_items, (unsigned long long)types->n_items);
    t->n_vocab = (int32_t)tokens->n_items;
    if ((status = copy_tokens(t, tokens, types, err)) || (status = index_tokens(t, err)) ||
        (status = index_merges(t, merges, err)) || (status = find_ends(t, file, err)))
        return status;
    return read_bos(t, file, err);
}

trit_status trit_tokenizer_open(trit_tokenizer **out, const trit_file *file, struct trit_error *err)
{
    trit_tokenizer *t = calloc(1, sizeof *t);

    *out = NULL;
    if (!t)
        return no_memory(err);
    const trit_status status = open_tokenizer(t, file, err);
    if (status)
        trit_tokenizer_close(&t);
    *out = t;
    return status;
}

void trit_tokenizer_close(trit_tokenizer **tokenizer)
{
    trit_tokenizer *t = *tokenizer;
    *tokenizer = NULL;
    if (!t)
        return;
    free(t->merges);
    free(t->by_text);
    free(t->is_end);
    free(t->piece_at);
    free(t->text_at);
    free(t->pieces);
    free(t->text);
    free(t);
}

/* ---- Encoding -------------------------------------------------------------------------------- */

/* Merge ids[0..n) in place: always the pair of lowest rank, the leftmost of equals. Quadratic in
 * the length of a piece. @return the new length. */
static size_t merge_piece(const trit_tokenizer *t, int32_t *ids, size_t n)
{
    for (;;) {
        const struct merge *best = NULL;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const struct merge *m = merge_slot(t, ids[i], ids[i + 1]);
            if (m->left >= 0 && (!best || m->rank < best->rank)) {
                best = m;
                at = i;
            }
        }
        if (!best)
            return n;
        ids[at] = best->merged;
        memmove(ids + at + 1, ids + at + 2, (n - at - 2) * sizeof *ids);
        n--;
    }
}

trit_status trit_tokenizer_encode(const trit_tokenizer *t, const char *text, size_t len,
                                  bool add_bos, int32_t **out, int32_t *n, struct trit_error *err)
{
    size_t n_ids = 0;

    *out = NULL;
    if (len > INT32_MAX / 2)
        return trit_fail(err, TRIT_E_ARGUMENT, "a text of %zu bytes is too long", len);
    int32_t *ids = malloc((len + 1) * sizeof *ids);
    if (!ids)
        return no_memory(err);
    if (add_bos && t->add_bos && t->bos >= 0)
        ids[n_ids++] = t->bos;
    for (size_t i = 0; i < len;) {
        const size_t piece = trit_pretokenize_gpt2(text + i, len - i);
        for (size_t j = 0; j < piece; j++) {
            ids[n_ids + j] = t->byte_token[(unsigned char)text[i + j]];
            if (ids[n_ids + j] < 0) {
                free(ids);
                return trit_fail(err, TRIT_E_FAILED, "the vocabulary has no token for byte 0x%02x",
                                 (unsigned char)text[i + j]);
            }
        }
        n_ids += merge_piece(t, ids + n_ids, piece);
        i += piece;
    }
    *out = ids;
    *n = (int32_t)n_ids;
    return TRIT_OK;
}

struct trit_string trit_tokenizer_piece(const trit_tokenizer *t, int32_t id)
{
    if (id < 0 || id >= t->n_vocab)
        return (struct trit_string){"", 0};
    return (struct trit_string){t->pieces + t->piece_at[id], t->piece_at[id + 1] - t->piece_at[id]};
}

bool trit_tokenizer_is_end(const trit_tokenizer *t, int32_t id)
{
    return id >= 0 && id < t->n_vocab && t->is_end[id];
}
