/* cmd_run.c - trit run: continue a text on stdout. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "cmd_chat.h"
#include "commands.h"
#include "fields.h"
#include "input.h"
#include "interrupt.h"
#include "json_write.h"
#include "open.h"
#include "report.h"
#include "resume.h"
#include "sampling.h"
#include "status.h"
#include "turns.h"

/* ---- --logprobs ------------------------------------------------------------------------------ */

enum { MAX_LOGPROBS = 100 };

struct logprob {
    int32_t id;
    double value; /* ln of its probability under softmax(logits) */
};

/* The n <= MAX_LOGPROBS most likely of n_vocab logits, best first, of equals the lowest id first.
 * @return their number */
static int top_logprobs(struct logprob *out, int n, const float *logits, int32_t n_vocab)
{
    int found = 0;

    for (int32_t id = 0; id < n_vocab; id++) {
        if (found == n && (n == 0 || !(logits[id] > logits[out[n - 1].id])))
            continue;
        int at = found < n ? found++ : n - 1;
        for (; at > 0 && logits[id] > logits[out[at - 1].id]; at--)
            out[at] = out[at - 1];
        out[at].id = id;
    }
    /* one sum over the vocabulary for all: ln p = logit - ln sum */
    const double sum =
        found ? (double)logits[out[0].id] - trit_logprob(logits, n_vocab, out[0].id) : 0;
    for (int i = 0; i < found; i++)
        out[i].value = (double)logits[out[i].id] - sum;
    return found;
}

static void print_logprobs(FILE *f, const trit_tokenizer *tokenizer, const float *logits,
                           int32_t n_vocab, int32_t chosen, int n)
{
    struct logprob top[MAX_LOGPROBS];
    const int found = top_logprobs(top, n, logits, n_vocab);

    fputs(",\"logprob\":", f);
    json_number(f, trit_logprob(logits, n_vocab, chosen));
    fputs(",\"top_logprobs\":[", f);
    for (int i = 0; i < found; i++) {
        const struct trit_string text = trit_tokenizer_piece(tokenizer, top[i].id, true);
        fprintf(f, "%s{\"token\":%d,\"text\":", i ? "," : "", top[i].id);
        json_string(f, text.bytes, text.len);
        fputs(",\"logprob\":", f);
        json_number(f, top[i].value);
        putc('}', f);
    }
    putc(']', f);
}

/* ---- Output ---------------------------------------------------------------------------------- */

/* Where text goes: to stdout immediately, or to memory for --json. */
struct text_sink {
    const struct opened *o;
    bool collect, stream;
    int n_logprobs; /* 0: none */
    FILE *tokens;   /* tokens with --logprobs, for the object at the end; or NULL */
    char *tokens_text;
    size_t tokens_len;
    bool write_failed, no_memory;
    bool quiet;
    struct bytes text; /* if collected */
    char last;
};

static bool on_text(void *user, const char *text, size_t len)
{
    struct text_sink *s = user;

    if (len == 0)
        return !interrupted();
    errno = 0;
    if (s->collect)
        s->no_memory = !bytes_add(&s->text, text, len);
    else
        s->write_failed = fwrite(text, 1, len, stdout) != len || fflush(stdout) != 0;
    s->last = text[len - 1];
    return !s->write_failed && !s->no_memory && !interrupted();
}

/* {"token":id,"text":…}, with --logprobs also the most likely tokens at its position */
static void print_token(FILE *f, const struct text_sink *s, int32_t id, struct trit_string piece,
                        const float *logits)
{
    fprintf(f, "{\"token\":%d,\"text\":", id);
    json_string(f, piece.bytes, piece.len);
    if (s->n_logprobs)
        print_logprobs(f, s->o->tokenizer, logits, trit_model_vocab_size(s->o->model), id,
                       s->n_logprobs);
    putc('}', f);
}

static bool on_token(void *user, int32_t id, struct trit_string piece, const float *logits)
{
    struct text_sink *s = user;

    trit_session_set_progress(s->o->session, NULL, NULL); /* now the line has text */
    if (s->tokens) {
        fputs(ftell(s->tokens) > 0 ? "," : "", s->tokens);
        print_token(s->tokens, s, id, piece, logits);
        s->no_memory = fflush(s->tokens) != 0;
    }
    if (s->stream) {
        errno = 0;
        print_token(stdout, s, id, piece, logits);
        s->write_failed = putchar('\n') == EOF || fflush(stdout) != 0;
    }
    return !s->write_failed && !s->no_memory && !interrupted();
}

/* On a terminal the text may be in the middle of a line. */
static void on_shift(void *user, int32_t n_left_out)
{
    const struct text_sink *s = user;

    if (s->quiet)
        return;
    if (!s->collect && s->last && s->last != '\n' && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
        fputc('\n', stderr);
    fprintf(stderr, "trit: the context of %d tokens is full; dropped %d of them\n",
            trit_session_n_ctx(s->o->session), n_left_out);
}

static bool wants_shifts(const struct args *args)
{
    return args->generate.on_full && strcmp(args->generate.on_full, "shift") == 0;
}

static void announce_full(const struct args *args, const struct opened *o)
{
    const int32_t n_ctx = trit_session_n_ctx(o->session);
    struct trit_model_info info;

    trit_model_info(o->model, &info);
    const bool room = n_ctx < info.max_ctx, shift = !wants_shifts(args);
    fprintf(stderr, "trit: the context of %d tokens is full%s%s%s\n", n_ctx,
            room ? "; use a larger -c" : ", and the model has no more positions",
            shift ? (room ? " or" : "; use") : "",
            shift ? " --on-full shift to drop the oldest tokens and go on" : "");
}

static void print_run_json(const struct opened *o, const struct text_sink *s,
                           const struct trit_generate_result *r, const struct session_file *file,
                           uint64_t seed)
{
    static const char *const finish[] = {
        [TRIT_FINISH_EOS] = "eos",
        [TRIT_FINISH_LENGTH] = "length",
        [TRIT_FINISH_STOP] = "stop",
        [TRIT_FINISH_CONTEXT] = "context",
        [TRIT_FINISH_INTERRUPT] = "interrupt",
    };
    const struct number timings[] = {
        {"load_ms", o->load_ms},
        {"prompt_ms", r->prompt_ms},
        {"first_token_ms", r->first_token_ms},
        {"generate_ms", r->generate_ms},
        {"prompt_tps", per_second(r->n_prompt, r->prompt_ms)},
        {"generate_tps", generate_tps(r)},
    };
    fputs("{\"text\":", stdout);
    json_string(stdout, bytes_text(&s->text), s->text.len);
    if (s->tokens) {
        fputs(",\"logprobs\":[", stdout);
        if (s->tokens_len) /* else tokens_text may be NULL */
            fwrite(s->tokens_text, 1, s->tokens_len, stdout);
        putchar(']');
    }
    printf(",\"tokens\":%d,\"prompt_tokens\":%d", r->n_new, r->n_prompt);
    if (file->path)
        printf(",\"restored_tokens\":%d", file->n_restored);
    const struct number layers = {"mean_layers", r->mean_layers};
    if (r->n_new && r->mean_layers < trit_session_n_layers(o->session))
        json_numbers(",", &layers, 1, false);
    printf(",\"finish\":\"%s\",\"seed\":%llu,\"timings\":", finish[r->finish],
           (unsigned long long)seed);
    json_numbers("{", timings, N_OF(timings), false);
    printf("},\"isa\":\"%s\",\"threads\":%d}\n", trit_session_isa(o->session),
           trit_session_n_threads(o->session));
}

/* ---- The command ----------------------------------------------------------------------------- */

struct prompt {
    char *text;
    size_t len;
    int32_t *ids, n, n_keep;
    const char **stop; /* [n_stop]: --stop, and the template's */
    int32_t n_stop;
};

/* Print the rest after a successful generation. */
static int finish_output(const struct opened *o, const struct args *args, const struct text_sink *s,
                         const struct trit_generate_result *result, const struct session_file *file,
                         uint64_t seed)
{
    struct trit_generate_result r = *result;

    r.n_prompt -= file->n_restored;
    if (args->json)
        print_run_json(o, s, &r, file, seed);
    else if (s->last != '\n')
        putchar('\n');
    const int code = finish_stdout();
    if (!code && !args->quiet) {
        if (r.finish == TRIT_FINISH_CONTEXT)
            announce_full(args, o);
        print_stats(o, &r, file->n_restored, seed, args->verbose);
    }
    return code ? code : interrupted() ? EXIT_INTERRUPTED : EXIT_DONE;
}

static int generate(struct opened *o, const struct args *args, const struct prompt *p,
                    struct session_file *file, trit_sampler *sampler, uint64_t seed)
{
    struct text_sink sink = {
        .o = o,
        .collect = args->json,
        .stream = args->json && args->run.stream,
        .n_logprobs = args->run.logprobs,
        .quiet = args->quiet,
    };
    const struct trit_generate_options opt = {
        .max_tokens = args->generate.max_tokens,
        .ignore_eos = args->generate.ignore_eos,
        .stop = p->stop,
        .n_stop = p->n_stop,
        .n_keep = p->n_keep,
        .sampler = sampler,
        .on_full = wants_shifts(args) ? TRIT_ON_FULL_SHIFT : TRIT_ON_FULL_STOP,
        .on_shift = on_shift,
        .on_token = on_token,
        .on_text = on_text,
        .user = &sink,
    };
    struct trit_generate_result result = {
        .finish = TRIT_FINISH_INTERRUPT, .n_prompt = p->n, .pending = -1};
    struct trit_error err;
    trit_status status = TRIT_OK;
    int code;

    if (args->run.logprobs && !(sink.tokens = open_memstream(&sink.tokens_text, &sink.tokens_len)))
        return out_of_memory();
    if (!args->run.echo || on_text(&sink, p->text, p->len))
        status = trit_generate(o->session, o->tokenizer, p->ids, p->n, &opt, &result, &err);
    clear_status();
    if (sink.write_failed)
        code = write_error("stdout");
    else if (sink.no_memory)
        code = out_of_memory();
    else if (status)
        code = report(&err);
    else
        code = finish_output(o, args, &sink, &result, file, seed);
    if (code == EXIT_DONE || code == EXIT_INTERRUPTED) {
        const int written = write_session_file(file, o, &opt, &result);
        code = written ? written : code;
    }
    if (sink.tokens)
        fclose(sink.tokens);
    free(sink.tokens_text);
    bytes_free(&sink.text);
    return code;
}

/* Encode the prompt as a message in the model's template. */
static int encode_chat(struct opened *o, const struct args *args, bool restored, struct prompt *p,
                       struct trit_chat *chat)
{
    struct turns turns = {0};
    struct trit_error err;
    int code = choose_template(chat, o, args);

    if (!code && restored)
        return encode_next_turn(o, chat, p->text, p->len, &p->ids, &p->n);
    if (!code)
        code = build_turns(&turns, &args->chat, p->text, p->len);
    if (!code && trit_chat_encode(chat, o->tokenizer, turns.items, turns.n, &p->ids, &p->n,
                                  &p->n_keep, &err))
        code = report(&err);
    free_turns(&turns);
    return code;
}

/* Restored tokens come first; they have the BOS. */
static int tokenize_prompt(struct opened *o, const struct args *args, struct session_file *file,
                           struct prompt *p)
{
    const bool restored = file->n_restored > 0;
    const unsigned flags =
        (restored ? 0 : TRIT_ENCODE_BOS) | (args->tokens.special ? TRIT_ENCODE_SPECIAL : 0);
    struct trit_chat chat = {0};

    if (restored && args->chat.system)
        return usage_error("--system starts a conversation, but %s already has one", file->path);
    int code = open_tokenizer(o);
    if (!code && args->run.chat && !(restored && !p->len)) /* an empty prompt is not a turn */
        code = encode_chat(o, args, restored, p, &chat);
    else if (!code)
        code = encode_text(o->tokenizer, p->text, p->len, flags, &p->ids, &p->n);
    if (!code)
        code = gather_stops(&p->stop, &p->n_stop, &args->generate, &chat);
    if (code)
        return code;
    if (restored && wants_shifts(args) && (code = make_room_for_prompt(file, o, p->n)))
        return code;
    if (p->n > trit_session_n_ctx(o->session) - file->n_restored && file->n_restored)
        return usage_error("the prompt has %d tokens; after the %d of %s the context has room "
                           "for %d (see -c)",
                           p->n, file->n_restored, file->path,
                           trit_session_n_ctx(o->session) - file->n_restored);
    if ((code = prepend_restored(file, o, &p->ids, &p->n)))
        return code;
    if (p->n == 0)
        return usage_error("the prompt is empty");
    if (p->n > trit_session_n_ctx(o->session))
        return usage_error("the prompt has %d tokens; the context has room for %d (see -c)", p->n,
                           trit_session_n_ctx(o->session));
    if (!p->n_keep && p->ids[0] == trit_tokenizer_bos(o->tokenizer))
        p->n_keep = 1;
    return EXIT_DONE;
}

int run_main(const struct args *args)
{
    if (args->run.cnv)
        return chat_main(args);
    const uint64_t seed = args->has_seed ? args->seed : random_seed();
    struct opened o = {0};
    struct prompt p = {0};
    struct session_file file = {0};
    trit_sampler *sampler = NULL;

    if (!args->run.chat && (args->chat.system || args->chat.template_name))
        return usage_error("%s requires --chat", args->chat.system ? "--system" : "--template");
    if (args->run.chat && args->tokens.special)
        return usage_error("--special cannot be used with --chat: a message is text");
    if (args->run.stream && !args->json)
        return usage_error("--stream requires --json");
    if (args->run.logprobs && !args->json)
        return usage_error("--logprobs requires --json");
    if (args->generate.session && !*args->generate.session)
        return usage_error("--session needs a file name");
    for (int i = 0; i < args->generate.stop.n; i++)
        if (!*args->generate.stop.items[i])
            return usage_error("--stop needs a text that is not empty");
    int code = read_prompt(&p.text, &p.len, &args->text);
    if (!code)
        code = open_session(&o, args);
    if (!code)
        code = open_session_file(&file, &o, args->generate.session, args->quiet);
    if (!code)
        code = tokenize_prompt(&o, args, &file, &p);
    if (!code)
        code = open_sampler(&sampler, &args->sampling, seed, trit_model_vocab_size(o.model));
    if (!code) {
        watch_interrupts(o.session);
        if (show_progress(args->quiet))
            watch_prompt(o.session);
        code = generate(&o, args, &p, &file, sampler, seed);
    }
    code = close_session_file(&file, code);
    trit_sampler_close(&sampler);
    free(p.stop);
    free(p.ids);
    free(p.text);
    close_all(&o);
    return code;
}
