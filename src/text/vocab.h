/* vocab.h - a vocabulary: strings to ids and back, and the text that ids decode to. */
#ifndef TRIT_TEXT_VOCAB_H
#define TRIT_TEXT_VOCAB_H

#include "gguf.h"

/* tokenizer.ggml.token_type */
enum {
    TRIT_TOKEN_NORMAL = 1,
    TRIT_TOKEN_UNKNOWN = 2,
    TRIT_TOKEN_CONTROL = 3,
    TRIT_TOKEN_USER_DEFINED = 4,
    TRIT_TOKEN_UNUSED = 5,
    TRIT_TOKEN_BYTE = 6,
};

struct trit_vocab {
    int32_t n;
    size_t longest;   /* bytes of the longest token string */
    uint8_t *type;    /* [n] */
    char *text;       /* token strings as in the file, one after the other */
    size_t *text_at;  /* [n + 1] */
    char *pieces;     /* what they decode to */
    size_t *piece_at; /* [n + 1] */
    int32_t *by_text; /* hash table of ids, -1: empty; [mask + 1] */
    int32_t *same;    /* [n] the next id of the same string, or -1 */
    size_t mask;
};

/* Writes the text that a token's string decodes to, which is never longer than the string.
 * @return its length */
typedef size_t (*trit_decode_fn)(char *out, struct trit_string text, int type);

/* Copy tokens and types (NULL: all normal) of a file. @return TRIT_OK or TRIT_E_MEMORY; in either
 * case release with trit_vocab_free(). */
trit_status trit_vocab_init(struct trit_vocab *v, const struct gguf_kv *tokens,
                            const struct gguf_kv *types, trit_decode_fn decode,
                            struct trit_error *err);
void trit_vocab_free(struct trit_vocab *v);

/* The lowest id of that string among tokens of these types, bits 1 << TRIT_TOKEN_*; or -1. */
int32_t trit_vocab_find(const struct trit_vocab *v, struct trit_string s, unsigned types);
#define TRIT_ANY_TOKEN (~0u)

/* The id of the longest token at the start of text, of these types and a length in lengths[0..n),
 * which is ascending; or -1. One pass over the text. */
int32_t trit_vocab_find_prefix(const struct trit_vocab *v, struct trit_string text,
                               const size_t *lengths, size_t n, unsigned types);

static inline struct trit_string trit_vocab_text(const struct trit_vocab *v, int32_t id)
{
    return (struct trit_string){v->text + v->text_at[id], v->text_at[id + 1] - v->text_at[id]};
}

static inline struct trit_string trit_vocab_piece(const struct trit_vocab *v, int32_t id)
{
    return (struct trit_string){v->pieces + v->piece_at[id], v->piece_at[id + 1] - v->piece_at[id]};
}

#endif
