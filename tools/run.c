/* run.c - trit run: continue a text on stdout. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "json.h"

/* ---- Interruption ----------------------------------------------------------------------------
 * Once text is coming, the first Ctrl-C ends it in good order; before that, and the second time,
 * there is nothing to save. */

static volatile sig_atomic_t streaming, interrupted;

static void on_interrupt(int sig)
{
    (void)sig;
    if (!streaming || interrupted)
        _exit(EXIT_INTERRUPTED);
    interrupted = 1;
}

/* ---- Prompt ---------------------------------------------------------------------------------- */

static int read_prompt(char **text, size_t *len, const struct args *args)
{
    if (!!args->prompt + !!args->file + args->stdin_prompt > 1)
        return usage_error("give one prompt only: -p, -f or -");
    if (args->prompt) {
        *len = strlen(args->prompt);
        *text = malloc(*len + 1);
        if (!*text) {
            fputs("trit: out of memory\n", stderr);
            return EXIT_MEMORY;
        }
        memcpy(*text, args->prompt, *len + 1);
        return EXIT_DONE;
    }
    if (args->file && strcmp(args->file, "-") != 0) {
        FILE *f = fopen(args->file, "rb");
        if (!f) {
            fprintf(stderr, "trit: %s: %s\n", args->file, strerror(errno));
            return EXIT_FILE;
        }
        const int code = read_stream(text, len, f, args->file);
        fclose(f);
        return code;
    }
    if (!args->file && !args->stdin_prompt && isatty(STDIN_FILENO))
        return usage_error("no prompt given; use -p TEXT, -f FILE, or a pipe");
    return read_stream(text, len, stdin, "standard input");
}

/* ---- Output ---------------------------------------------------------------------------------- */

/* Where text goes: stdout at once, or memory for --json. */
struct sink {
    bool collect, failed;
    char *text;
    size_t len, size;
    char last;
};

static bool collect(struct sink *s, const char *text, size_t len)
{
    if (s->len + len > s->size) {
        const size_t size = 2 * (s->len + len);
        char *larger = realloc(s->text, size);
        if (!larger)
            return false;
        s->text = larger;
        s->size = size;
    }
    memcpy(s->text + s->len, text, len);
    s->len += len;
    return true;
}

static bool on_text(void *user, const char *text, size_t len)
{
    struct sink *s = user;

    streaming = 1;
    errno = 0;
    if (s->collect)
        s->failed = !collect(s, text, len);
    else
        s->failed = fwrite(text, 1, len, stdout) != len || fflush(stdout) != 0;
    if (len)
        s->last = text[len - 1];
    return !s->failed && !interrupted;
}

static double per_second(int32_t n, double ms)
{
    return n > 0 && ms > 0 ? n * 1e3 / ms : 0;
}

/* Tokens after the first one, over the time they took. */
static double generate_tps(const struct trit_generate_result *r)
{
    return per_second(r->n_new - 1, r->generate_ms);
}

static void print_stats(const struct opened *o, const struct trit_generate_result *r)
{
    fprintf(stderr,
            "%d prompt + %d new tokens · %.1f t/s prompt · %.1f t/s · first token %.0f ms · "
            "%d threads %s\n",
            r->n_prompt, r->n_new, per_second(r->n_prompt, r->prompt_ms), generate_tps(r),
            r->first_token_ms, trit_session_n_threads(o->session), trit_session_isa(o->session));
}

static void print_json(const struct opened *o, const struct sink *s,
                       const struct trit_generate_result *r)
{
    static const char *const finish[] = {
        [TRIT_FINISH_EOS] = "eos",
        [TRIT_FINISH_LENGTH] = "length",
        [TRIT_FINISH_CONTEXT] = "context",
        [TRIT_FINISH_STOPPED] = "interrupt",
    };
    const struct {
        const char *name;
        double value;
    } timings[] = {
        {"load_ms", o->load_ms},
        {"prompt_ms", r->prompt_ms},
        {"first_token_ms", r->first_token_ms},
        {"generate_ms", r->generate_ms},
        {"prompt_tps", per_second(r->n_prompt, r->prompt_ms)},
        {"generate_tps", generate_tps(r)},
    };
    fputs("{\"text\":", stdout);
    json_string(stdout, s->text, s->len);
    printf(",\"tokens\":%d,\"prompt_tokens\":%d,\"finish\":\"%s\",\"timings\":{", r->n_new,
           r->n_prompt, finish[r->finish]);
    for (size_t i = 0; i < sizeof timings / sizeof *timings; i++) {
        printf("%s\"%s\":", i ? "," : "", timings[i].name);
        json_number(stdout, timings[i].value);
    }
    printf("},\"isa\":\"%s\",\"threads\":%d}\n", trit_session_isa(o->session),
           trit_session_n_threads(o->session));
}

/* ---- The command ----------------------------------------------------------------------------- */

static int generate(struct opened *o, const struct args *args, const char *prompt, size_t len,
                    const int32_t *ids, int32_t n)
{
    struct sink sink = {.collect = args->json};
    const struct trit_generate_options opt = {
        .max_tokens = args->max_tokens,
        .ignore_eos = args->ignore_eos,
        .on_text = on_text,
        .user = &sink,
    };
    struct trit_generate_result result;
    struct trit_error err;
    int code = EXIT_DONE;

    if (args->echo)
        on_text(&sink, prompt, len);
    streaming = 0;
    if (!sink.failed &&
        trit_generate(o->session, o->tokenizer, ids, n, &opt, &result, &err) != TRIT_OK)
        code = report(&err);
    else if (!sink.failed && args->json)
        print_json(o, &sink, &result);
    else if (!sink.failed && sink.last != '\n')
        fputc('\n', stdout);
    if (sink.failed && args->json) {
        fputs("trit: out of memory\n", stderr);
        code = EXIT_MEMORY;
    } else if (sink.failed) {
        code = write_error("stdout");
    }
    if (!code)
        code = finish_stdout();
    if (!code && !args->quiet && !args->json)
        print_stats(o, &result);
    free(sink.text);
    return !code && interrupted ? EXIT_INTERRUPTED : code;
}

int run_main(const struct args *args)
{
    struct opened o = {0};
    struct trit_error err;
    char *prompt = NULL;
    size_t len = 0;
    int32_t *ids = NULL, n = 0;

    if (args->temp > 0) {
        fputs("trit: --temp: sampling is not built yet; only 0 (the most likely token) is\n",
              stderr);
        return EXIT_UNSUPPORTED;
    }
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    int code = read_prompt(&prompt, &len, args);
    if (!code)
        code = open_session(&o, args);
    if (!code && (trit_tokenizer_open(&o.tokenizer, o.file, &err) ||
                  trit_tokenizer_encode(o.tokenizer, prompt, len, TRIT_ENCODE_BOS, &ids, &n, &err)))
        code = report(&err);
    if (!code && n == 0)
        code = usage_error("the prompt is empty");
    if (!code && n > trit_session_n_ctx(o.session))
        code = usage_error("the prompt has %d tokens; the context has room for %d (see -c)", n,
                           trit_session_n_ctx(o.session));
    if (!code)
        code = generate(&o, args, prompt, len, ids, n);
    free(ids);
    free(prompt);
    close_all(&o);
    return code;
}
