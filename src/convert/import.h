/* import.h - a vocabulary in the making: what the readers of tokenizer files share (import.c), and
 * the readers (import_*.c), one for each kind of file. */
#ifndef TRIT_CONVERT_IMPORT_H
#define TRIT_CONVERT_IMPORT_H

#include "platform.h"
#include "vocab.h"
#include "vocabulary.h"

/* A vocabulary in the making. */
struct trit_import {
    const char *dir;
    const struct trit_json_value *config;   /* root of config.json */
    const struct trit_json_value *settings; /* root of tokenizer_config.json; NULL: none */
    int32_t n_rows;                         /* of the embedding: ids are below it */
    struct trit_vocabulary *v; /* tokens: [n_rows], those that are not there yet empty */
    struct trit_notes *notes;
    struct trit_error *err;
    char path[4096]; /* of the file that is being read, for messages */
};

/* A file of the folder; im->path is set. @return TRIT_OK, as trit_bytes_open() */
trit_status trit_import_open(struct trit_import *im, struct trit_bytes *out, const char *name);

/* Messages are about this file of the folder from now on. @return false: its name is too long */
bool trit_import_at(struct trit_import *im, const char *name);

/* Whether it is there; im->path is set. */
bool trit_import_has(struct trit_import *im, const char *name);

/* A file of the folder as JSON; *out is NULL if it is not there. @return TRIT_OK, or an error */
trit_status trit_import_json(struct trit_import *im, struct trit_json **out, const char *name);

/* An error about the file im->path. */
trit_status trit_import_fail(struct trit_import *im, trit_status code, const char *fmt, ...)
    TRIT_PRINTF(3, 4);

/* A copy of bytes that lives as long as the vocabulary; bytes NULL: there is no memory. */
struct trit_string trit_import_keep(struct trit_import *im, const char *bytes, size_t len);

/* Release all such copies. */
void trit_import_forget(struct trit_vocabulary *v);

/* Token id is text (kept). Fails if the id is out of range, or another text's already. A token that
 * is there takes the new type if it was a normal one, or user-defined and is more than normal now:
 * of SentencePiece's own special pieces, the vocabulary says more than a list of added tokens. */
trit_status trit_import_token(struct trit_import *im, int64_t id, struct trit_string text,
                              int32_t type, float score);

/* Tokens as {"text": id, …}. */
trit_status trit_import_ids(struct trit_import *im, const struct trit_json_value *object,
                            int32_t type);

/* The parts of "left right", neither empty nor with a space. @return false: it is not that */
bool trit_import_split(struct trit_string text, struct trit_string *left,
                       struct trit_string *right);

/* One more merge; the list grows. */
trit_status trit_import_merge(struct trit_import *im, struct trit_string left,
                              struct trit_string right);

/* Whether a token has this id. */
bool trit_import_is_token(const struct trit_import *im, int64_t id);

/* The id of a text, or -1; walks. */
int32_t trit_import_find(const struct trit_import *im, struct trit_string text);

/* The readers; _added: of tokenizer.json only the added tokens, beside another vocabulary. */
trit_status trit_import_added(struct trit_import *im, const struct trit_json_value *root);
trit_status trit_import_tokenizer_json(struct trit_import *im, const struct trit_json_value *root);
trit_status trit_import_vocab_json(struct trit_import *im);
trit_status trit_import_sentencepiece(struct trit_import *im, const struct trit_bytes *file);
bool trit_import_is_tiktoken(const struct trit_bytes *file);
trit_status trit_import_tiktoken(struct trit_import *im, const struct trit_bytes *file);

/* Added tokens, BOS, end tokens and the chat template, of the files beside. tokenizer: the root of
 * tokenizer.json, or NULL */
trit_status trit_import_special(struct trit_import *im, const struct trit_json_value *tokenizer);

#endif
