/* import.h - the readers of tokenizer files (import_*.c), one for each kind of file, and what is
 * shared by them (import.c). */
#ifndef TRIT_CONVERT_IMPORT_H
#define TRIT_CONVERT_IMPORT_H

#include "platform.h"
#include "vocab.h"
#include "vocabulary.h"

/* The vocabulary that is being read. */
struct trit_import {
    const char *dir;
    const struct trit_json_value *config;   /* root of config.json */
    const struct trit_json_value *settings; /* root of tokenizer_config.json, or NULL */
    int32_t n_rows;                         /* of the embedding; ids are smaller */
    struct trit_vocabulary *v;              /* tokens: [n_rows], unset ones empty */
    struct trit_notes *notes;
    struct trit_error *err;
    char path[4096]; /* of the file being read, for messages */
};

/* Open a file of the folder and set im->path. @return as trit_bytes_open() */
trit_status trit_import_open(struct trit_import *im, struct trit_bytes *out, const char *name);

/* Set im->path to a file of the folder. @return false: its name is too long */
bool trit_import_at(struct trit_import *im, const char *name);

/* Whether the folder has a file. Sets im->path. */
bool trit_import_has(struct trit_import *im, const char *name);

/* Read a file of the folder as JSON. *out is NULL if the folder does not have it. @return TRIT_OK,
 * or an error */
trit_status trit_import_json(struct trit_import *im, struct trit_json **out, const char *name);

/* An error about the file im->path. */
trit_status trit_import_fail(struct trit_import *im, trit_status code, const char *fmt, ...)
    TRIT_PRINTF(3, 4);

/* A copy of a text that lives as long as the vocabulary. Its bytes are NULL if memory is out. */
struct trit_string trit_import_keep(struct trit_import *im, const char *bytes, size_t len);

/* Release all such copies. */
void trit_import_forget(struct trit_vocabulary *v);

/* Set token id to a copy of text. Fails if the id is out of range or has another text. A token that
 * is set already takes the new type if its type was normal, or if it was user-defined and the new
 * one is not normal: lists of added tokens do not override the types of SentencePiece pieces. */
trit_status trit_import_token(struct trit_import *im, int64_t id, struct trit_string text,
                              int32_t type, float score);

/* Set the tokens of an object {"text": id, …}. */
trit_status trit_import_ids(struct trit_import *im, const struct trit_json_value *object,
                            int32_t type);

/* Split "left right". @return false if there are not exactly two parts, neither empty */
bool trit_import_split(struct trit_string text, struct trit_string *left,
                       struct trit_string *right);

/* Append a merge. */
trit_status trit_import_merge(struct trit_import *im, struct trit_string left,
                              struct trit_string right);

/* Whether a token has this id. */
bool trit_import_is_token(const struct trit_import *im, int64_t id);

/* The id of a text, or -1. Takes linear time. */
int32_t trit_import_find(const struct trit_import *im, struct trit_string text);

/* The readers. _added reads only the added tokens of tokenizer.json, next to another vocabulary. */
trit_status trit_import_added(struct trit_import *im, const struct trit_json_value *root);
trit_status trit_import_tokenizer_json(struct trit_import *im, const struct trit_json_value *root);
trit_status trit_import_vocab_json(struct trit_import *im);
trit_status trit_import_sentencepiece(struct trit_import *im, const struct trit_bytes *file);
bool trit_import_is_tiktoken(const struct trit_bytes *file);
trit_status trit_import_tiktoken(struct trit_import *im, const struct trit_bytes *file);

/* Read added tokens, BOS, end tokens and the chat template from the other files of the folder.
 * tokenizer: the root of tokenizer.json, or NULL */
trit_status trit_import_special(struct trit_import *im, const struct trit_json_value *tokenizer);

#endif
