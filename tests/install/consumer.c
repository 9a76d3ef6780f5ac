/* consumer.c - a program of others: text in, text out. */
#include <stdio.h>
#include <string.h>
#include <trit.h>

static bool print(void *user, const char *text, size_t len)
{
    (void)user;
    return fwrite(text, 1, len, stdout) == len;
}

int main(int argc, char **argv)
{
    const struct trit_generate_options opt = {
        .size = sizeof opt, .max_tokens = 40, .on_text = print};
    struct trit_generate_result result;
    struct trit_error err;
    trit_file *file = NULL;
    trit_tokenizer *tokenizer = NULL;
    trit_model *model = NULL;
    trit_session *session = NULL;
    int32_t *ids = NULL, n = 0;
    const bool failed =
        argc < 3 || trit_file_open(&file, argv[1], NULL, &err) ||
        trit_tokenizer_open(&tokenizer, file, &err) || trit_model_open(&model, file, &err) ||
        trit_session_open(&session, model, NULL, &err) ||
        trit_tokenizer_encode(tokenizer, argv[2], strlen(argv[2]), TRIT_ENCODE_BOS, &ids, &n,
                              &err) ||
        trit_generate(session, tokenizer, ids, n, &opt, &result, &err);
    if (failed)
        fprintf(stderr, "%s\n", argc < 3 ? "MODEL PROMPT" : err.text);
    trit_free(ids);
    trit_session_close(&session);
    trit_model_close(&model);
    trit_tokenizer_close(&tokenizer);
    trit_file_close(&file);
    return failed;
}
