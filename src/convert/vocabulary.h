/* vocabulary.h - the vocabulary of a checkpoint folder, as a GGUF file keeps it.
 *
 * Read from the first of these that is there: tokenizer.json; vocab.json with merges.txt;
 * tokenizer.model, which is SentencePiece's or tiktoken's. (A tokenizer.json of the SentencePiece
 * kind gives way to a tokenizer.model beside it, which has the scores.) Beside it count
 * tokenizer_config.json, added_tokens.json, generation_config.json and chat_template.jinja. */
#ifndef TRIT_CONVERT_VOCABULARY_H
#define TRIT_CONVERT_VOCABULARY_H

#include "gguf_write.h"
#include "notes.h"

struct trit_token {
    struct trit_string text; /* as GGUF files have it: byte-level BPE in its alphabet */
    int32_t type;            /* TRIT_TOKEN_*; 0: not there */
    float score;             /* of SentencePiece */
};

struct trit_vocabulary {
    const char *model; /* tokenizer.ggml.model: "gpt2" or "llama" */
    const char *pre;   /* tokenizer.ggml.pre; NULL: of SentencePiece */
    struct trit_token *tokens;
    struct trit_string *merges; /* "left right" */
    int32_t n_tokens, n_merges;
    int32_t bos, eos, eot, eom, unknown, pad;          /* -1: none */
    int add_bos, add_eos, space_prefix, ignore_merges; /* -1: the folder does not say */
    struct trit_string chat_template;                  /* empty: none */
    struct trit_kept *kept;                            /* the memory of all texts */
    int32_t merges_size;
};

/* Read it. config is the root of config.json. n_rows is how many rows the embedding has: ids that
 * no token has become unused ones, and more tokens than rows are refused.
 * @return TRIT_OK; TRIT_E_FILE: damaged or contradictory, names the file; TRIT_E_UNSUPPORTED: a
 *         kind of tokenizer, a pre-tokeniser or a normaliser that is not known here; TRIT_E_MEMORY.
 *         Release with trit_vocabulary_free() either way. */
trit_status trit_vocabulary_read(struct trit_vocabulary *out, const char *dir,
                                 const struct trit_json_value *config, int32_t n_rows,
                                 struct trit_notes *notes, struct trit_error *err);

/* All keys tokenizer.* of it. */
void trit_vocabulary_write(const struct trit_vocabulary *v, struct gguf_writer *w);

void trit_vocabulary_free(struct trit_vocabulary *v);

#endif
