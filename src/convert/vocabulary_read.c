/* vocabulary_read.c - choose the reader of the vocabulary in a folder, and fill gaps. */
#include "vocabulary.h"

#include <stdio.h>
#include <stdlib.h>

#include "import.h"

/* ---- Which file ------------------------------------------------------------------------------ */

static bool is_spm_json(const struct trit_json_value *root)
{
    return trit_json_is_true(trit_json_member(trit_json_member(root, "model"), "byte_fallback"));
}

static trit_status read_model_file(struct trit_import *im)
{
    struct trit_bytes file;
    trit_status status = trit_import_open(im, &file, "tokenizer.model");

    if (status)
        return status;
    status = trit_import_is_tiktoken(&file) ? trit_import_tiktoken(im, &file)
                                            : trit_import_sentencepiece(im, &file);
    trit_bytes_close(&file);
    return status;
}

/* tokenizer: of tokenizer.json, or NULL */
static trit_status read_tokens(struct trit_import *im, const struct trit_json_value *tokenizer)
{
    const bool model = trit_import_has(im, "tokenizer.model");

    if (tokenizer && !(is_spm_json(tokenizer) && model)) {
        trit_import_at(im, "tokenizer.json");
        return trit_import_tokenizer_json(im, tokenizer);
    }
    if (!tokenizer && trit_import_has(im, "vocab.json") && trit_import_has(im, "merges.txt"))
        return trit_import_vocab_json(im);
    if (model) {
        const trit_status status = read_model_file(im);
        if (status || !tokenizer)
            return status;
        trit_import_at(im, "tokenizer.json");
        return trit_import_added(im, tokenizer);
    }
    return trit_fail(im->err, TRIT_E_FILE,
                     "%s has no tokenizer: neither tokenizer.json, nor vocab.json and merges.txt, "
                     "nor tokenizer.model",
                     im->dir);
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* Rows of the embedding without a token get unused tokens. */
static trit_status fill_gaps(struct trit_import *im)
{
    struct trit_vocabulary *v = im->v;
    int32_t n = 0;

    for (int32_t i = 0; i < im->n_rows; i++) {
        char name[32];
        if (v->tokens[i].type)
            continue;
        const int len = snprintf(name, sizeof name, "[PAD%d]", i);
        const trit_status status = trit_import_token(im, i, (struct trit_string){name, (size_t)len},
                                                     TRIT_TOKEN_UNUSED, 0.0f);
        if (status)
            return status;
        n++;
    }
    if (n)
        trit_note(im->notes, "%d rows of the embedding have no token; unused tokens fill them", n);
    return TRIT_OK;
}

trit_status trit_vocabulary_read(struct trit_vocabulary *out, const char *dir,
                                 const struct trit_json_value *config, int32_t n_rows,
                                 struct trit_notes *notes, struct trit_error *err)
{
    struct trit_json *tokenizer = NULL, *settings = NULL;
    struct trit_import im = {
        .dir = dir, .config = config, .n_rows = n_rows, .v = out, .notes = notes, .err = err};
    trit_status status;

    *out = (struct trit_vocabulary){.bos = -1,
                                    .eos = -1,
                                    .eot = -1,
                                    .eom = -1,
                                    .unknown = -1,
                                    .pad = -1,
                                    .add_bos = -1,
                                    .add_eos = -1,
                                    .space_prefix = -1,
                                    .ignore_merges = -1};
    out->tokens = calloc((size_t)n_rows, sizeof *out->tokens);
    if (!out->tokens)
        return trit_fail_memory(err, (uint64_t)n_rows * sizeof *out->tokens, "the vocabulary");
    if (!(status = trit_import_json(&im, &settings, "tokenizer_config.json")) &&
        !(status = trit_import_json(&im, &tokenizer, "tokenizer.json"))) {
        im.settings = settings ? trit_json_root(settings) : NULL;
        const struct trit_json_value *root = tokenizer ? trit_json_root(tokenizer) : NULL;
        if (!(status = read_tokens(&im, root)) && !(status = trit_import_special(&im, root)))
            status = fill_gaps(&im);
    }
    trit_json_free(&tokenizer);
    trit_json_free(&settings);
    return status;
}

void trit_vocabulary_free(struct trit_vocabulary *v)
{
    trit_import_forget(v);
    free(v->tokens);
    free(v->merges);
    *v = (struct trit_vocabulary){0};
}
