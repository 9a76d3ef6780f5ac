/* vocabulary.h - the vocabulary of a checkpoint folder, as a GGUF file has it.
 *
 * It is read from the first of these that exists: tokenizer.json; vocab.json with merges.txt;
 * tokenizer.model of SentencePiece or tiktoken. (A tokenizer.model comes before a tokenizer.json
 * that was converted from it, because it has the scores.) The rest is read from
 * tokenizer_config.json, added_tokens.json, generation_config.json and chat_template.jinja. */
#ifndef TRIT_CONVERT_VOCABULARY_H
#define TRIT_CONVERT_VOCABULARY_H

#include "gguf_write.h"
#include "notes.h"

struct trit_token {
    struct trit_string text; /* as in a GGUF: byte-level BPE in its alphabet */
    int32_t type;            /* TRIT_TOKEN_*; 0: not set */
    float score;             /* of SentencePiece */
};

struct trit_vocabulary {
    const char *model; /* tokenizer.ggml.model: "gpt2" or "llama" */
    const char *pre;   /* tokenizer.ggml.pre; NULL for SentencePiece */
    struct trit_token *tokens;
    struct trit_string *merges; /* "left right" */
    int32_t n_tokens, n_merges;
    int32_t bos, eos, eot, eom, unknown, pad;          /* -1: none */
    int add_bos, add_eos, space_prefix, ignore_merges; /* -1: the folder does not say */
    struct trit_string chat_template;                  /* empty: none */
    struct trit_kept *kept;                            /* the memory of all texts */
    int32_t merges_size;
};

/* Read it. config: the root of config.json. n_rows: of the embedding. Rows without a token get an
 * unused one; more tokens than rows are refused.
 * @return TRIT_OK; TRIT_E_FILE: a file is damaged or contradicts another; TRIT_E_UNSUPPORTED: a
 *         tokenizer, pre-tokenizer or normalizer that is not known; TRIT_E_MEMORY.
 *         Release with trit_vocabulary_free() in any case. */
trit_status trit_vocabulary_read(struct trit_vocabulary *out, const char *dir,
                                 const struct trit_json_value *config, int32_t n_rows,
                                 struct trit_notes *notes, struct trit_error *err);

/* Write all of its keys tokenizer.*. */
void trit_vocabulary_write(const struct trit_vocabulary *v, struct gguf_writer *w);

void trit_vocabulary_free(struct trit_vocabulary *v);

#endif
