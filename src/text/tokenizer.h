/* tokenizer.h - what tokenizer.c shares with the two kinds of vocabulary, bpe.c and spm.c. */
#ifndef TRIT_TEXT_TOKENIZER_H
#define TRIT_TEXT_TOKENIZER_H

#include "merge.h"
#include "pretokenize.h"
#include "vocab.h"

/* An encoding in progress: the ids so far, and working memory. */
struct trit_encoding {
    int32_t *ids;
    size_t n, size;
    struct trit_merger merger;
    char *chars;           /* [vocab.longest + 2] for bpe.c, allocated when needed */
    unsigned char missing; /* the byte that the vocabulary lacks, if TRIT_ENCODED_NO_TOKEN */
    bool continues;        /* plain text precedes what comes next */
    /* Of a chat: the origins of the bytes of the text (jinja.h), and the template. Control tokens
     * and markers come only from bytes of the template. Else NULL. */
    const uint32_t *origin;
    struct trit_string source;
};

/* False: out of memory. */
bool trit_encoding_add(struct trit_encoding *e, int32_t id);

enum trit_encode_result { TRIT_ENCODED, TRIT_ENCODED_NO_MEMORY, TRIT_ENCODED_NO_TOKEN };

/* Append the ids of a text. flags: as of trit_tokenizer_encode(). */
enum trit_encode_result trit_encoding_text(const trit_tokenizer *t, struct trit_encoding *e,
                                           struct trit_string text, unsigned flags);

/* Free the working memory; return the ids, which the caller frees, or the error. */
trit_status trit_encoding_finish(struct trit_encoding *e, enum trit_encode_result result,
                                 int32_t **out, int32_t *n, struct trit_error *err);

/* A row per kind of vocabulary (tokenizer.ggml.model). */
struct trit_tokenizer_kind {
    const char *name;
    trit_decode_fn decode;
    /* Read the metadata that this kind needs beyond the vocabulary. */
    trit_status (*open)(trit_tokenizer *t, const trit_file *file, struct trit_error *err);
    /* Plain text to ids. Unless e->continues, the text is at the start or after a special token. */
    enum trit_encode_result (*encode)(const trit_tokenizer *t, struct trit_encoding *e,
                                      struct trit_string text);
};
extern const struct trit_tokenizer_kind trit_kind_bpe, trit_kind_spm;

/* The code point that encodes a byte in the tokens of byte-level BPE, U+0021..U+0143. */
unsigned trit_code_of_byte(int byte);

struct trit_tokenizer {
    const struct trit_tokenizer_kind *kind;
    struct trit_vocab vocab;
    int32_t byte_token[256]; /* -1 if the vocabulary lacks it */
    int32_t bos, unknown;    /* -1: none */
    bool add_bos;
    bool *is_end; /* [vocab.n] */

    /* Control and user-defined tokens are looked up once per length that occurs. */
    size_t *special_len; /* [n_special_len], ascending */
    size_t n_special_len;
    bool special_first_byte[256];

    /* bpe.c */
    const struct trit_pretokenizer *pre;
    bool ignore_merges;        /* a piece that is a token becomes that token without merges */
    struct trit_merge *merges; /* hash: [merge_mask + 1] */
    size_t merge_mask;

    /* spm.c */
    float *scores; /* [vocab.n] */
    bool space_prefix;
};

#endif
