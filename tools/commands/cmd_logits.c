/* cmd_logits.c - trit logits: the logits of every position, as a NumPy file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "open.h"
#include "output.h"
#include "report.h"

static int get_tokens(struct opened *o, const struct args *args, int32_t **ids, int32_t *n)
{
    if (args->tokens.ids)
        return parse_ids(ids, n, "--tokens", args->tokens.ids);
    const int code = open_tokenizer(o);
    if (code)
        return code;
    return encode_text(o->tokenizer, args->text.prompt, strlen(args->text.prompt), TRIT_ENCODE_BOS,
                       ids, n);
}

/* The header of .npy 1.0: magic, version, length, and a Python dict, padded to 128 bytes. */
static bool write_header(FILE *f, int32_t n_tokens, int32_t n_vocab)
{
    enum { FIXED = 10, TOTAL = 128 };
    static const unsigned char fixed[FIXED] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, TOTAL - FIXED};
    char dict[TOTAL - FIXED + 1];
    const int len =
        snprintf(dict, sizeof dict, "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }",
                 n_tokens, n_vocab);

    memset(dict + len, ' ', sizeof dict - (size_t)len);
    dict[TOTAL - FIXED - 1] = '\n';
    return fwrite(fixed, FIXED, 1, f) == 1 && fwrite(dict, TOTAL - FIXED, 1, f) == 1;
}

struct npy_writer {
    FILE *f;
    size_t n_vocab;
};

static bool write_row(void *user, int32_t position, const float *logits)
{
    const struct npy_writer *w = user;
    (void)position;
    return fwrite(logits, sizeof *logits, w->n_vocab, w->f) == w->n_vocab;
}

static int write_logits(const struct opened *o, const int32_t *ids, int32_t n, const char *path)
{
    const int32_t n_vocab = trit_model_vocab_size(o->model);
    struct output out;
    struct trit_error err;
    watch_interrupts(o->session);
    int code = open_output(&out, path);
    struct npy_writer w = {out.f, (size_t)n_vocab};

    errno = 0;
    if (!code && !write_header(w.f, n, n_vocab))
        code = write_error(path);
    if (!code) {
        const trit_status status = trit_session_eval(o->session, ids, n, write_row, &w, &err);
        if (status == TRIT_E_CANCELLED)
            code = interrupted() ? EXIT_INTERRUPTED : write_error(path);
        else if (status)
            code = report(&err);
    }
    return close_output(&out, code);
}

int logits_main(const struct args *args)
{
    struct opened o = {0};
    int32_t *ids = NULL, n = 0;

    if (!args->out || !*args->out)
        return usage_error("no output given; use -o OUT.npy");
    if (!args->tokens.ids == !args->text.prompt)
        return usage_error("give either --tokens or -p");
    int code = open_session(&o, args);
    if (!code)
        code = get_tokens(&o, args, &ids, &n);
    if (!code && n == 0)
        code = usage_error("the prompt is empty");
    if (!code && n > trit_session_n_ctx(o.session))
        code = usage_error("the prompt has %d tokens; the context has room for %d (see -c)", n,
                           trit_session_n_ctx(o.session));
    if (!code)
        code = write_logits(&o, ids, n, args->out);
    trit_free(ids);
    close_all(&o);
    return code;
}
