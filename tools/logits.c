/* logits.c - trit logits: the logits of every position, as a NumPy file. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

/* Token ids separated by commas. *out is released with free(). */
static int parse_tokens(int32_t **out, int32_t *n, const char *text)
{
    size_t most = 1;
    for (const char *p = text; *p; p++)
        most += *p == ',';
    int32_t *ids = malloc(most * sizeof *ids);
    *out = ids;
    *n = 0;
    if (!ids) {
        fputs("trit: out of memory\n", stderr);
        return EXIT_MEMORY;
    }
    for (const char *p = text;; p++) {
        char *end;
        errno = 0;
        const long long id = strtoll(p, &end, 10);
        if (end == p || errno || id < 0 || id > INT32_MAX || (*end && *end != ','))
            return usage_error("--tokens wants ids such as 1,2,3; found '%.20s'", p);
        ids[(*n)++] = (int32_t)id;
        p = end;
        if (!*p)
            return EXIT_DONE;
    }
}

static int get_tokens(struct opened *o, const struct args *args, int32_t **ids, int32_t *n)
{
    struct trit_error err;

    if (args->tokens)
        return parse_tokens(ids, n, args->tokens);
    if (trit_tokenizer_open(&o->tokenizer, o->file, &err) ||
        trit_tokenizer_encode(o->tokenizer, args->prompt, strlen(args->prompt),
                              TRIT_ENCODE_BOS, ids, n, &err))
        return report(&err);
    return EXIT_DONE;
}

/* The header of format 1.0: magic, version, length, a Python dict padded to 64 bytes in all. */
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

struct writer {
    FILE *f;
    size_t n_vocab;
};

static bool write_row(void *user, int32_t position, const float *logits)
{
    const struct writer *w = user;
    (void)position;
    return fwrite(logits, sizeof *logits, w->n_vocab, w->f) == w->n_vocab;
}

/* Close f, and leave nothing behind that is no whole result (unless it is a device or a pipe). */
static int close_output(FILE *f, const char *path, int code)
{
    struct stat st;
    const bool regular = fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode);

    if (fclose(f) != 0 && !code)
        code = write_error(path);
    if (code && regular)
        unlink(path);
    return code;
}

static int write_logits(const struct opened *o, const int32_t *ids, int32_t n, const char *path)
{
    const int32_t n_vocab = trit_model_vocab_size(o->model);
    struct writer w = {fopen(path, "wb"), (size_t)n_vocab};
    struct trit_error err;
    int code = EXIT_DONE;

    if (!w.f)
        return write_error(path);
    errno = 0;
    if (!write_header(w.f, n, n_vocab)) {
        code = write_error(path);
    } else {
        const trit_status status = trit_session_eval(o->session, ids, n, write_row, &w, &err);
        if (status)
            code = status == TRIT_E_CANCELLED ? write_error(path) : report(&err);
    }
    return close_output(w.f, path, code);
}

int logits_main(const struct args *args)
{
    struct opened o = {0};
    int32_t *ids = NULL, n = 0;

    if (!args->out)
        return usage_error("no output given; use -o OUT.npy");
    if (!args->tokens == !args->prompt)
        return usage_error("give either --tokens or -p");
    int code = open_session(&o, args);
    if (!code)
        code = get_tokens(&o, args, &ids, &n);
    if (!code && n == 0)
        code = usage_error("the prompt is empty");
    if (!code && n > trit_session_n_ctx(o.session))
        code = usage_error("%d tokens are more than the context of %d (see -c)", n,
                           trit_session_n_ctx(o.session));
    if (!code)
        code = write_logits(&o, ids, n, args->out);
    free(ids);
    close_all(&o);
    return code;
}
