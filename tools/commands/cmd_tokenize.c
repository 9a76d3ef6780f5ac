/* cmd_tokenize.c - trit tokenize and trit detokenize. A vocabulary-only file is enough. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "commands.h"
#include "input.h"
#include "json_write.h"
#include "open.h"
#include "plain_text.h"
#include "report.h"

static void print_tokens(const trit_tokenizer *t, const int32_t *ids, int32_t n, bool json)
{
    if (json) {
        fputs("{\"ids\":", stdout);
        json_ids(stdout, ids, n);
        fputs(",\"pieces\":[", stdout);
    }
    for (int32_t i = 0; i < n; i++) {
        const struct trit_string s = trit_tokenizer_piece(t, ids[i], true);
        if (!json)
            printf("%d\t", ids[i]);
        json_string(stdout, s.bytes, s.len);
        fputs(!json ? "\n" : i + 1 < n ? "," : "", stdout);
    }
    fputs(json ? "]}\n" : "", stdout);
}

int tokenize_main(const struct args *args)
{
    struct opened o = {0};
    char *text = NULL;
    size_t len = 0;
    int32_t *ids = NULL, n = 0;
    const unsigned flags = (args->tokens.no_bos ? 0 : TRIT_ENCODE_BOS) |
                           (args->tokens.special ? TRIT_ENCODE_SPECIAL : 0);

    int code = read_prompt(&text, &len, &args->text);
    if (!code)
        code = open_file(&o, &args->model);
    if (!code)
        code = open_tokenizer(&o);
    if (!code)
        code = encode_text(o.tokenizer, text, len, flags, &ids, &n);
    if (!code) {
        if (args->tokens.print_ids && !args->json) {
            json_ids(stdout, ids, n);
            putchar('\n');
        } else
            print_tokens(o.tokenizer, ids, n, args->json);
        code = finish_stdout();
    }
    trit_free(ids);
    free(text);
    close_all(&o);
    return code;
}

int detokenize_main(const struct args *args)
{
    struct opened o = {0};
    struct bytes text = {0};
    int32_t *ids = NULL, n = 0;

    if (!args->tokens.ids)
        return usage_error("no ids given; use --ids 1,2,3");
    int code = parse_ids(&ids, &n, "--ids", args->tokens.ids);
    if (!code)
        code = open_file(&o, &args->model);
    if (!code)
        code = open_tokenizer(&o);
    for (int32_t i = 0; i < n && !code; i++)
        if (ids[i] >= trit_tokenizer_n_vocab(o.tokenizer))
            code = usage_error("token %d is out of range; the vocabulary has %d tokens", ids[i],
                               trit_tokenizer_n_vocab(o.tokenizer));
    for (int32_t i = 0; i < n && !code; i++) {
        const struct trit_string s =
            trit_tokenizer_piece(o.tokenizer, ids[i], args->tokens.special);
        code = bytes_add(&text, s.bytes, s.len) ? EXIT_DONE : out_of_memory();
    }
    if (!code) {
        safe_text(stdout, bytes_text(&text), text.len); /* a token may end within a character */
        code = finish_stdout();
    }
    bytes_free(&text);
    trit_free(ids);
    close_all(&o);
    return code;
}
