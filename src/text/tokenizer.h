/* tokenizer.h - what tokenizer.c shares with the kinds of vocabulary, bpe.c and spm.c. */
#ifndef TRIT_TEXT_TOKENIZER_H
#define TRIT_TEXT_TOKENIZER_H

#include "merge.h"
#include "pretokenize.h"
#include "vocab.h"

/* Ids as they are produced, and the memory for it. */
struct trit_encoding {
    int32_t *ids;
    size_t n, size;
    struct trit_merger merger;
    char *chars;           /* [vocab.longest + 2] for bpe.c, once it is needed */
    unsigned char missing; /* a byte that the vocabulary lacks, where encode says so */
    bool continues;        /* what is encoded follows plain text, cut there */
};

/* False: out of memory. */
bool trit_encoding_add(struct trit_encoding *e, int32_t id);

enum trit_encode_result { TRIT_ENCODED, TRIT_ENCODED_NO_MEMORY, TRIT_ENCODED_NO_TOKEN };

/* Flags of trit_encoding_text() beyond those of trit_tokenizer_encode(). */
enum {
    TRIT_ENCODE_CONTINUES = 1 << 8, /* it follows plain text, from which it is cut */
    TRIT_ENCODE_NO_MARKUP = 1 << 9, /* end tokens and <|…|> are text even if user-defined */
};

/* Append the ids of a text. */
enum trit_encode_result trit_encoding_text(const trit_tokenizer *t, struct trit_encoding *e,
                                           struct trit_string text, unsigned flags);

/* Release what an encoding holds, and hand over its ids or say what went wrong. */
trit_status trit_encoding_finish(struct trit_encoding *e, enum trit_encode_result result,
                                 int32_t **out, int32_t *n, struct trit_error *err);

/* A row per kind of vocabulary (tokenizer.ggml.model). */
struct trit_tokenizer_kind {
    const char *name;
    trit_decode_fn decode;
    /* Read what the kind needs beyond the vocabulary. */
    trit_status (*open)(trit_tokenizer *t, const trit_file *file, struct trit_error *err);
    /* Plain text to ids. It stands at the start of the whole or after a special token, unless
     * e->continues. */
    enum trit_encode_result (*encode)(const trit_tokenizer *t, struct trit_encoding *e,
                                      struct trit_string text);
};
extern const struct trit_tokenizer_kind trit_kind_bpe, trit_kind_spm;

/* The code point that stands for a byte in the tokens of byte-level BPE, U+0021..U+0143. */
unsigned trit_code_of_byte(int byte);

struct trit_tokenizer {
    const struct trit_tokenizer_kind *kind;
    struct trit_vocab vocab;
    int32_t byte_token[256]; /* -1 where the vocabulary lacks it */
    int32_t bos, unknown;    /* -1: none */
    bool add_bos;
    bool *is_end; /* [vocab.n] */

    /* Control and user-defined tokens are found by the lengths that any of them has. */
    size_t *special_len; /* [n_special_len], ascending */
    size_t n_special_len;
    bool special_first_byte[256];

    /* bpe.c */
    const struct trit_pretokenizer *pre;
    bool ignore_merges;        /* a piece that is a token is that token, merges or not */
    struct trit_merge *merges; /* hash: [merge_mask + 1] */
    size_t merge_mask;

    /* spm.c */
    float *scores; /* [vocab.n] */
    bool space_prefix;
};

#endif
