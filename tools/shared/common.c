/* common.c - see common.h. */
#define _POSIX_C_SOURCE 200809L

#include "common.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "builtin.h"
#include "hardware.h"
#include "plain_text.h"
#include "layers.h"
#include "output.h"
#include "terminal.h"

/* Whether the last line on stderr is one that passes. */
static bool status_shown;

void show_status(const char *fmt, ...)
{
    char text[512];
    size_t n = 0;
    va_list list;

    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    /* a line that wraps could not be cleared: as many characters as there are columns, but one */
    const int columns = terminal_columns(STDERR_FILENO);
    for (int left = (columns > 1 ? columns : 80) - 1; text[n]; n++) {
        left -= ((unsigned char)text[n] & 0xc0) != 0x80;
        if (left < 0)
            break;
    }
    clear_status();
    plain_string(stderr, text, n);
    status_shown = true;
}

void clear_status(void)
{
    if (status_shown)
        fputs("\r\033[K", stderr);
    status_shown = false;
}

static void say(const char *fmt, va_list list)
{
    clear_status();
    fputs("trit: ", stderr);
    vfprintf(stderr, fmt, list);
    fputc('\n', stderr);
}

int usage_error(const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    say(fmt, list);
    va_end(list);
    return EXIT_USAGE;
}

int file_error(const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    say(fmt, list);
    va_end(list);
    return EXIT_FILE;
}

int report(const struct trit_error *err)
{
    static const int codes[] = {
        [TRIT_OK] = EXIT_DONE,
        [TRIT_E_FAILED] = EXIT_RUNTIME,
        [TRIT_E_ARGUMENT] = EXIT_USAGE,
        [TRIT_E_FILE] = EXIT_FILE,
        [TRIT_E_UNSUPPORTED] = EXIT_UNSUPPORTED,
        [TRIT_E_MEMORY] = EXIT_MEMORY,
        [TRIT_E_CANCELLED] = EXIT_RUNTIME,
    };
    clear_status();
    fprintf(stderr, "trit: %s\n", err->text);
    return codes[err->code];
}

int out_of_memory(void)
{
    clear_status();
    fputs("trit: out of memory\n", stderr);
    return EXIT_MEMORY;
}

int write_error(const char *what)
{
    const int error = errno;

    clear_status();
    if (error != EPIPE)
        fprintf(stderr, "trit: cannot write to %s: %s\n", what, strerror(error));
    return EXIT_RUNTIME;
}

int finish_stdout(void)
{
    return fflush(stdout) != 0 || ferror(stdout) ? write_error("stdout") : EXIT_DONE;
}

int open_file(struct opened *o, const struct args *args)
{
    struct trit_file_options opt = {
        .no_mmap = args->no_mmap, .lock = args->mlock, .i2s_layout = args->i2s_layout};
    struct trit_error err;

    if (!args->model)
        return usage_error("no model given; use -m FILE, or set TRIT_MODEL");
    if (strcmp(args->model, BUILT_IN) == 0)
        opt.bytes = built_in_model(&opt.n_bytes);
    return trit_file_open(&o->file, args->model, &opt, &err) ? report(&err) : EXIT_DONE;
}

int open_model(struct opened *o, const struct args *args)
{
    struct trit_error err;
    const int code = open_file(o, args);
    if (code)
        return code;
    return trit_model_open(&o->model, o->file, &err) ? report(&err) : EXIT_DONE;
}

void session_options(struct trit_session_options *opt, const struct args *args)
{
    static const char *const kv_names[] = {
        [TRIT_KV_TYPE_F16] = "f16", [TRIT_KV_TYPE_F32] = "f32", [TRIT_KV_TYPE_I8] = "i8"};
    /* logits are there to be compared with references, which have no cache that rounds */
    int kv = args->command == CMD_LOGITS && !args->kv ? TRIT_KV_TYPE_F32 : TRIT_KV_TYPE_F16;

    for (int i = 0; args->kv && i < 3; i++) /* it is one of them */
        kv = strcmp(kv_names[i], args->kv) == 0 ? i : kv;
    *opt = (struct trit_session_options){
        .n_ctx = args->ctx,
        .n_batch = args->batch,
        .n_threads = args->threads,
        .kv = (trit_kv_type)kv,
        .isa = args->isa,
        .walk = args->walk,
    };
}

/* What was recognised, for -v. */
static void describe(const struct opened *o, const struct args *args)
{
    struct trit_model_info m;
    trit_model_info(o->model, &m);
    fprintf(stderr, "%s: %s · %.0f M parameters · %s (%s) · context %d · opened in %.0f ms\n",
            args->model, m.arch, (double)m.n_params * 1e-6, m.ffn_act, m.ffn_act_why,
            trit_session_n_ctx(o->session), o->load_ms);
}

/* Others are evaluated over whole texts, and that is what logits does. */
static bool is_causal(const trit_model *model)
{
    struct trit_model_info m;
    trit_model_info(model, &m);
    return m.causal;
}

int open_session(struct opened *o, const struct args *args)
{
    const double start = now_ms();
    struct trit_session_options opt;
    struct layer_list skip;
    struct trit_error err;
    int code = EXIT_DONE;

    session_options(&opt, args);
    if (show_progress(args) && args->model)
        show_status("loading %s", args->model);
    if (!o->model)
        code = open_model(o, args);
    if (!code)
        code = plan_layers(&opt, &skip, args, o->model);
    if (!code && args->command == CMD_LOGITS)
        opt.whole = !is_causal(o->model);
    if (!code && trit_session_open(&o->session, o->model, &opt, &err))
        code = report(&err);
    clear_status();
    if (!code)
        code = set_exits(o->session, args);
    o->load_ms = now_ms() - start;
    if (!code)
        note_threads(args, args->threads);
    if (!code && args->verbose)
        describe(o, args);
    return code;
}

void close_all(struct opened *o)
{
    trit_session_close(&o->session);
    trit_tokenizer_close(&o->tokenizer);
    trit_model_close(&o->model);
    trit_file_close(&o->file);
}

/* Stops soon after `most` bytes. */
static int read_stream(char **text, size_t *len, FILE *f, const char *name, size_t most)
{
    size_t size = 1 << 16;
    char *buf = malloc(size);

    for (*len = 0; buf;) {
        *len += fread(buf + *len, 1, size - *len, f);
        if (*len < size || *len > most)
            break;
        char *larger = size > SIZE_MAX / 2 ? NULL : realloc(buf, 2 * size);
        if (!larger)
            free(buf);
        buf = larger;
        size *= 2;
    }
    *text = buf;
    if (!buf)
        return out_of_memory();
    if (*len > most)
        return file_error("%s: is larger than %zu MB", name, most / 1000000);
    buf[*len] = 0; /* it ended before the block did */
    return ferror(f) ? file_error("cannot read %s: %s", name, strerror(errno)) : EXIT_DONE;
}

int read_file(char **text, size_t *len, const char *path, size_t most)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return file_error("%s: %s", path, strerror(errno));
    const int code = read_stream(text, len, f, path, most);
    fclose(f);
    return code;
}

int read_prompt(char **text, size_t *len, const struct args *args)
{
    if (!!args->prompt + !!args->file + args->stdin_prompt > 1)
        return usage_error("give one prompt only: -p, -f or -");
    if (args->prompt) {
        *len = strlen(args->prompt);
        *text = malloc(*len + 1);
        if (!*text)
            return out_of_memory();
        memcpy(*text, args->prompt, *len + 1);
        return EXIT_DONE;
    }
    if (args->file && strcmp(args->file, "-") != 0)
        return read_file(text, len, args->file, SIZE_MAX / 4);
    if (!args->file && !args->stdin_prompt && isatty(STDIN_FILENO))
        return usage_error("no prompt given; use -p TEXT, -f FILE, or a pipe");
    return read_stream(text, len, stdin, "standard input", SIZE_MAX / 4);
}

int open_tokenizer(struct opened *o)
{
    struct trit_error err;
    return trit_tokenizer_open(&o->tokenizer, o->file, &err) ? report(&err) : EXIT_DONE;
}

int encode_text(struct opened *o, const char *text, size_t len, unsigned flags, int32_t **ids,
                int32_t *n)
{
    struct trit_error err;
    const int code = open_tokenizer(o);
    if (code)
        return code;
    return trit_tokenizer_encode(o->tokenizer, text, len, flags, ids, n, &err) ? report(&err)
                                                                               : EXIT_DONE;
}

bool is_plain_number(const char *text, const char *ends)
{
    const size_t n = strspn(text, "0123456789.eE+-");
    return ((text[0] >= '0' && text[0] <= '9') || text[0] == '-' || text[0] == '.') &&
           (!text[n] || strchr(ends, text[n]));
}

int parse_ids(int32_t **out, int32_t *n, const char *option, const char *text)
{
    size_t most = 1;
    for (const char *p = text; *p; p++)
        most += *p == ',';
    int32_t *ids = malloc(most * sizeof *ids);
    *out = ids;
    *n = 0;
    if (!ids)
        return out_of_memory();
    bool open = text[0] == '['; /* as tokenize prints them */
    for (const char *p = text + open;; p++) {
        char *end;
        errno = 0;
        const long long id = strtoll(p, &end, 10);
        const bool plain = is_plain_number(p, ",]") && end != p && !errno;
        if (open && *end == ']' && !end[1]) {
            open = false;
            end++;
        }
        if (!plain || id < 0 || id > INT32_MAX || (*end && *end != ',') || (!*end && open))
            return usage_error("%s wants ids such as 1,2,3; found '%.20s'", option, p);
        ids[(*n)++] = (int32_t)id;
        p = end;
        if (!*p)
            return EXIT_DONE;
    }
}

static volatile sig_atomic_t n_interrupts;

static void on_interrupt(int sig)
{
    (void)sig;
    if (n_interrupts) {
        discard_output();
        terminal_restore();
        _exit(EXIT_INTERRUPTED);
    }
    n_interrupts = 1;
}

static bool should_cancel(void *user)
{
    (void)user;
    return interrupted();
}

bool interrupted(void)
{
    return n_interrupts != 0;
}

void forget_interrupts(void)
{
    n_interrupts = 0;
}

void watch_interrupts(trit_session *session)
{
    /* A write that waits goes on waiting: it must not fail for being interrupted. */
    const struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    struct sigaction before;

    if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
    if (session)
        trit_session_set_cancel(session, should_cancel, NULL);
}

bool is_lively(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && !getenv("NO_COLOR") && (!term || strcmp(term, "dumb") != 0);
}

bool show_progress(const struct args *args)
{
    return !args->quiet && is_lively(STDERR_FILENO);
}

static double prompt_begin, prompt_shown; /* ms; 0: not yet */

static void on_prompt(void *user, double part)
{
    const double now = now_ms();
    (void)user;

    if (part >= 1) {
        clear_status();
        prompt_begin = 0;
        return;
    }
    if (prompt_begin == 0)
        prompt_begin = now;
    if (now - prompt_begin < 100 || now - prompt_shown < 100)
        return;
    prompt_shown = now;
    show_status("prompt: %.0f %%", 100 * part);
}

void print_bar(double part, int width)
{
    const int eighths = (int)lrint(8 * width * fmin(fmax(part, 0), 1));

    for (int i = 0; i < width; i++) {
        const int here = eighths - 8 * i; /* U+2588 is a whole, U+258F an eighth */
        if (here > 0)
            printf("\xE2\x96%c", 0x90 - (here < 8 ? here : 8));
        else
            putchar(' ');
    }
    putchar(' ');
}

void watch_prompt(trit_session *session, const struct args *args)
{
    prompt_begin = 0; /* of one that was interrupted */
    if (show_progress(args))
        trit_session_set_progress(session, on_prompt, NULL);
}

double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}
