/* fuzz_gguf.c - the input is a GGUF file: list it, tokenize a text with it, evaluate a token. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "trit_tools.h"

enum { N_CTX = 8 };

/* Whether a call made an object. If not, the error must have a text and the status. */
static bool opened(trit_status status, const void *object, const struct trit_error *err)
{
    FUZZ_CHECK((status == TRIT_OK) == (object != NULL));
    FUZZ_CHECK(!status || (err->code == status && err->text[0]));
    FUZZ_CHECK(memchr(err->text, '\0', sizeof err->text));
    return status == TRIT_OK;
}

/* Read every byte, so that one outside the file is seen. */
static void touch(struct trit_string s)
{
    for (size_t i = 0; i < s.len; i++) {
        const volatile char byte = s.bytes[i];
        (void)byte;
    }
}

static bool touch_value(void *user, const struct trit_value *value)
{
    (void)user;
    if (value->type == TRIT_VALUE_STRING)
        touch(value->s);
    return true;
}

static void list(const trit_file *file)
{
    struct trit_error err = {0};
    struct trit_tensor_stats stats;

    for (size_t i = 0; i < trit_file_n_metadata(file); i++) {
        touch(trit_file_metadata(file, i).key);
        trit_file_values(file, i, touch_value, NULL);
    }
    for (size_t i = 0; i < trit_file_n_tensors(file); i++) {
        touch(trit_file_tensor(file, i).name);
        const trit_status status = trit_file_tensor_stats(file, i, &stats, &err);
        opened(status, status ? NULL : &stats, &err);
    }
}

/* Check the ids that a text was encoded to, if it was, and free them. */
static void check_ids(const trit_tokenizer *t, trit_status status, int32_t *ids, int32_t n,
                      const struct trit_error *err)
{
    if (opened(status, ids, err)) {
        for (int32_t i = 0; i < n; i++) {
            FUZZ_CHECK(ids[i] >= 0 && ids[i] < trit_tokenizer_n_vocab(t));
            touch(trit_tokenizer_piece(t, ids[i], true));
        }
    }
    trit_free(ids);
}

static void tokenize(const trit_file *file)
{
    static const char text[] = "Once upon a  time, 12345 <s>\xE2\x96\x81<|eot_id|>\n\xC3\xA9\xFF";
    const struct trit_message message = {TRIT_ROLE_USER, {text, sizeof text - 1}};
    struct trit_error err = {0};
    struct trit_chat chat;
    trit_tokenizer *t;
    int32_t *ids = NULL, n = 0;

    trit_status status = trit_tokenizer_open(&t, file, &err);
    if (!opened(status, t, &err))
        return;
    status = trit_tokenizer_encode(t, text, sizeof text - 1, TRIT_ENCODE_BOS | TRIT_ENCODE_SPECIAL,
                                   &ids, &n, &err);
    check_ids(t, status, ids, n, &err);
    if (trit_chat_choose(&chat, file, t, NULL, &err) == TRIT_OK) {
        ids = NULL;
        status = trit_chat_encode(&chat, t, &message, 1, &ids, &n, NULL, &err);
        check_ids(t, status, ids, n, &err);
    }
    trit_tokenizer_close(&t);
}

/* Logits of the token 1 (or 0) with an instruction set: [n_vocab], or NULL if there are none. The
 * caller frees them. */
static float *evaluate(const trit_model *model, const char *isa)
{
    const size_t n_vocab = (size_t)trit_model_vocab_size(model);
    const int32_t token = n_vocab > 1;
    struct trit_session_options opt = {.n_ctx = N_CTX, .n_threads = 1, .isa = isa};
    struct trit_model_info info;
    struct trit_error err = {0};
    trit_session *s;
    float *logits = NULL;

    trit_model_get_info(model, &info);
    opt.whole = !info.causal;
    trit_status status = trit_session_open(&s, model, &opt, &err);
    if (!opened(status, s, &err))
        return NULL;
    status = trit_session_eval(s, &token, 1, NULL, NULL, &err);
    if (opened(status, trit_session_logits(s), &err)) {
        logits = malloc(n_vocab * sizeof *logits);
        FUZZ_CHECK(logits);
        memcpy(logits, trit_session_logits(s), n_vocab * sizeof *logits);
    }
    trit_session_close(&s);
    return logits;
}

/* The best instruction set must give the same logits as the scalar one. */
static void run(const trit_file *file)
{
    struct trit_error err = {0};
    trit_model *model;

    const trit_status status = trit_model_open(&model, file, &err);
    if (!opened(status, model, &err))
        return;
    float *scalar = evaluate(model, "scalar"), *best = evaluate(model, NULL);
    FUZZ_CHECK((scalar != NULL) == (best != NULL));
    FUZZ_CHECK(!scalar ||
               memcmp(scalar, best, (size_t)trit_model_vocab_size(model) * sizeof *scalar) == 0);
    free(scalar);
    free(best);
    trit_model_close(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct trit_file_options opt = {.bytes = data, .n_bytes = len};
    struct trit_error err = {0};
    trit_file *file;

    const trit_status status = trit_file_open(&file, "input", &opt, &err);
    if (!opened(status, file, &err))
        return 0;
    list(file);
    tokenize(file);
    run(file);
    trit_file_close(&file);
    return 0;
}
