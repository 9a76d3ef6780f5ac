/* cmd_run.c - trit run: continue a text on stdout. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "bytes.h"
#include "cmd_chat.h"
#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "json_write.h"
#include "open.h"
#include "plain_text.h"
#include "prompts.h"
#include "report.h"
#include "resume.h"
#include "sampling.h"
#include "status.h"
#include "thoughts.h"
#include "turns.h"
#include "trit_tools.h"

/* ---- --logprobs ------------------------------------------------------------------------------ */

enum { MAX_LOGPROBS = 100 };

struct logprob {
    int32_t id;
    double value; /* ln of its probability under softmax(logits) */
};

/* Find the n <= MAX_LOGPROBS most likely tokens, best first; ties: lowest id first.
 * @return their number, less than n if n_vocab is */
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
    /* sum over the vocabulary only once: ln p = logit - ln sum */
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

struct run {
    const struct args *args;
    struct opened o;
    struct session_file file; /* of --session */
    trit_sampler *sampler;
    uint64_t seed;
    char *prompt; /* [len] */
    size_t len;
    int32_t *ids, n, n_keep; /* restored tokens, then the prompt */
    const char **stop;       /* [n_stop]: --stop, and the template's */
    int32_t n_stop;
    struct bytes text; /* with --json: the answer */
    struct bytes thought_text;
    struct thoughts thoughts; /* of a chat */
    bool splits, is_dim;      /* splits: thoughts are told from the text */
    char last;                /* last character of the answer */
    FILE *tokens;             /* with --logprobs: the tokens, for the object at the end */
    char *tokens_text;
    size_t tokens_len;
    bool write_failed, no_memory;
};

/* On a terminal, thoughts are dim. */
static void set_dim(struct run *r, bool is_dim)
{
    if (is_dim == r->is_dim)
        return;
    r->is_dim = is_dim;
    if (is_lively(STDOUT_FILENO))
        fputs(is_dim ? "\033[2m" : "\033[0m", stdout);
    if (!is_dim)
        fputs("\n\n", stdout);
}

static bool put_text(void *user, const char *text, size_t len, bool is_thought)
{
    struct run *r = user;

    errno = 0;
    if (r->args->json) {
        r->no_memory = !bytes_add(is_thought ? &r->thought_text : &r->text, text, len);
    } else if (!is_thought || isatty(STDOUT_FILENO)) {
        set_dim(r, is_thought);
        safe_text(stdout, text, len);
        r->write_failed = fflush(stdout) != 0 || ferror(stdout);
        r->last = text[len - 1];
    }
    return !r->write_failed && !r->no_memory && !interrupted();
}

static bool on_text(void *user, const char *text, size_t len)
{
    struct run *r = user;

    if (len == 0)
        return !interrupted();
    return r->splits ? thoughts_push(&r->thoughts, text, len, put_text, r)
                     : put_text(r, text, len, false);
}

/* {"token":id,"text":…}, with --logprobs also the most likely tokens at its position */
static void print_token(FILE *f, const struct run *r, int32_t id, struct trit_string piece,
                        const float *logits)
{
    fprintf(f, "{\"token\":%d,\"text\":", id);
    json_string(f, piece.bytes, piece.len);
    if (r->args->run.logprobs)
        print_logprobs(f, r->o.tokenizer, logits, trit_model_vocab_size(r->o.model), id,
                       r->args->run.logprobs);
    putc('}', f);
}

static bool on_token(void *user, int32_t id, struct trit_string piece, const float *logits)
{
    struct run *r = user;

    trit_session_set_progress(r->o.session, NULL, NULL); /* the line now holds text */
    if (r->tokens) {
        fputs(ftell(r->tokens) > 0 ? "," : "", r->tokens);
        print_token(r->tokens, r, id, piece, logits);
        r->no_memory = fflush(r->tokens) != 0;
    }
    if (r->args->run.stream) {
        errno = 0;
        print_token(stdout, r, id, piece, logits);
        r->write_failed = putchar('\n') == EOF || fflush(stdout) != 0;
    }
    return !r->write_failed && !r->no_memory && !interrupted();
}

/* On a terminal the text may be in the middle of a line. */
static void on_shift(void *user, int32_t n_left_out)
{
    const struct run *r = user;

    if (r->args->quiet)
        return;
    if (!r->args->json && r->last && r->last != '\n' && isatty(STDOUT_FILENO) &&
        isatty(STDERR_FILENO))
        fputc('\n', stderr);
    fprintf(stderr, "trit: the context of %d tokens is full; dropped %d of them\n",
            trit_session_n_ctx(r->o.session), n_left_out);
}

static bool wants_shifts(const struct run *r)
{
    const char *on_full = r->args->generate.on_full;
    return on_full && strcmp(on_full, "shift") == 0;
}

static void announce_full(const struct run *r)
{
    const int32_t n_ctx = trit_session_n_ctx(r->o.session);
    struct trit_model_info info;

    trit_model_get_info(r->o.model, &info);
    const bool room = n_ctx < info.max_ctx, shift = !wants_shifts(r);
    fprintf(stderr, "trit: the context of %d tokens is full%s%s%s\n", n_ctx,
            room ? "; use a larger -c" : ", and the model has no more positions",
            shift ? (room ? " or" : "; use") : "",
            shift ? " --on-full shift to drop the oldest tokens and go on" : "");
}

/* Complete the output after a successful generation. */
static int finish_output(struct run *r, struct trit_generate_result result)
{
    thoughts_finish(&r->thoughts, put_text, r);
    if (r->no_memory)
        return out_of_memory();
    set_dim(r, false);
    result.n_prompt -= r->file.n_restored;
    if (r->args->json) {
        const struct answer answer = {
            .text = {bytes_text(&r->text), r->text.len},
            .thoughts = {bytes_text(&r->thought_text), r->thought_text.len},
            .logprobs = {r->tokens_text, r->tokens_len},
            .has_logprobs = r->tokens != NULL,
            .restored = r->file.path != NULL,
            .n_restored = r->file.n_restored,
            .seed = r->seed,
            .load_ms = r->o.load_ms,
            .result = result,
        };
        print_answer(&answer, r->o.session);
    } else if (r->last != '\n')
        putchar('\n');
    const int code = finish_stdout();
    if (!code && !r->args->quiet) {
        if (result.finish == TRIT_FINISH_CONTEXT)
            announce_full(r);
        print_stats(&r->o, &result, r->file.n_restored, r->seed, r->args->verbose);
    }
    return code ? code : interrupted() ? EXIT_INTERRUPTED : EXIT_DONE;
}

/* ---- The command ----------------------------------------------------------------------------- */

static int generate(struct run *r)
{
    const struct trit_generate_options opt = {
        .max_tokens = r->args->generate.max_tokens,
        .ignore_eos = r->args->generate.ignore_eos,
        .stop = r->stop,
        .n_stop = r->n_stop,
        .n_keep = r->n_keep,
        .sampler = r->sampler,
        .on_full = wants_shifts(r) ? TRIT_ON_FULL_SHIFT : TRIT_ON_FULL_STOP,
        .on_shift = on_shift,
        .on_token = on_token,
        .on_text = on_text,
        .user = r,
    };
    struct trit_generate_result result = {
        .finish = TRIT_FINISH_INTERRUPT, .n_prompt = r->n, .pending = -1};
    struct trit_error err;
    trit_status status = TRIT_OK;

    watch_interrupts(r->o.session);
    if (show_progress(r->args->quiet))
        watch_prompt(r->o.session);
    if (r->args->run.logprobs && !(r->tokens = open_memstream(&r->tokens_text, &r->tokens_len)))
        return out_of_memory();
    if (!r->args->run.echo || r->len == 0 || put_text(r, r->prompt, r->len, false))
        status = trit_generate(r->o.session, r->o.tokenizer, r->ids, r->n, &opt, &result, &err);
    clear_status();
    const int code = r->write_failed ? write_error("stdout")
                     : r->no_memory  ? out_of_memory()
                     : status        ? report(&err)
                                     : finish_output(r, result);
    if (code != EXIT_DONE && code != EXIT_INTERRUPTED)
        return code;
    const int written = write_session_file(&r->file, &r->o, &opt, &result);
    return written ? written : code;
}

/* Encode the prompt as a message in the model's template. */
static int encode_chat(struct run *r, struct trit_chat *chat)
{
    struct turns turns = {0};
    struct trit_error err;
    int code = choose_template(chat, &r->o, r->args);

    if (!code) {
        r->splits = r->args->json || !r->args->chat.show_thoughts;
        thoughts_begin(&r->thoughts, begins_with_thought(chat));
    }
    if (!code && r->file.n_restored)
        return encode_next_turn(&r->o, chat, r->prompt, r->len, &r->ids, &r->n);
    if (!code)
        code = build_turns(&turns, &r->args->chat, r->prompt, r->len);
    if (!code && trit_chat_encode(chat, r->o.tokenizer, turns.items, turns.n, &r->ids, &r->n,
                                  &r->n_keep, &err))
        code = report(&err);
    free_turns(&turns);
    return code;
}

/* Restored tokens come first; they have the BOS. */
static int tokenize_prompt(struct run *r)
{
    const int32_t n_restored = r->file.n_restored, n_ctx = trit_session_n_ctx(r->o.session);
    const unsigned flags =
        (n_restored ? 0 : TRIT_ENCODE_BOS) | (r->args->tokens.special ? TRIT_ENCODE_SPECIAL : 0);
    struct trit_chat chat = {0};

    if (n_restored && r->args->chat.system)
        return usage_error("--system starts a conversation, but %s already has one", r->file.path);
    int code = open_tokenizer(&r->o);
    if (!code && r->args->run.chat && !(n_restored && !r->len)) /* an empty prompt is not a turn */
        code = encode_chat(r, &chat);
    else if (!code)
        code = encode_text(r->o.tokenizer, r->prompt, r->len, flags, &r->ids, &r->n);
    if (!code)
        code = gather_stops(&r->stop, &r->n_stop, &r->args->generate, &chat);
    if (!code && n_restored && wants_shifts(r))
        code = make_room_for_prompt(&r->file, &r->o, r->n);
    if (code)
        return code;
    if (r->file.n_restored && r->n > n_ctx - r->file.n_restored)
        return usage_error("the prompt has %d tokens; %s has %d, so the context has room for "
                           "%d (see -c)",
                           r->n, r->file.path, r->file.n_restored, n_ctx - r->file.n_restored);
    if ((code = prepend_restored(&r->file, &r->o, &r->ids, &r->n)))
        return code;
    if (r->n == 0)
        return usage_error("the prompt is empty");
    if (r->n > n_ctx)
        return usage_error("the prompt has %d tokens; the context has room for %d (see -c)", r->n,
                           n_ctx);
    if (!r->n_keep && r->ids[0] == trit_tokenizer_bos(r->o.tokenizer))
        r->n_keep = 1;
    return EXIT_DONE;
}

/* Check options that exclude or require others. */
static int check_options(const struct args *args)
{
    if (!args->run.chat && args->chat.system && is_plain_number(args->chat.system, ""))
        return usage_error("-s is --system, which requires --chat; for a seed, use --seed %s",
                           args->chat.system);
    if (!args->run.chat && (args->chat.system || args->chat.template_name))
        return usage_error("%s requires --chat", args->chat.system ? "--system" : "--template");
    if (args->run.chat && args->tokens.special)
        return usage_error("--special cannot be used with --chat: messages are plain text");
    if ((args->run.stream || args->run.logprobs) && !args->json)
        return usage_error("%s requires --json", args->run.stream ? "--stream" : "--logprobs");
    if (args->generate.session && !*args->generate.session)
        return usage_error("--session needs a file name");
    if (args->run.sequences)
        return usage_error("--sequences requires --prompts");
    for (int i = 0; i < args->generate.stop.n; i++)
        if (!*args->generate.stop.items[i])
            return usage_error("--stop needs a non-empty text");
    return EXIT_DONE;
}

/* Other programs decode escapes without being asked to. */
static void note_escapes(const struct args *args)
{
    if (args->text.prompt && !args->text.escape && !args->quiet && strstr(args->text.prompt, "\\n"))
        fputs("trit: \\n in the prompt is two characters; with -e it is a line break\n", stderr);
}

int run_main(const struct args *args)
{
    struct run r = {.args = args, .seed = args->has_seed ? args->seed : random_seed()};

    if (args->run.cnv)
        return chat_main(args);
    if (args->run.prompts)
        return prompts_main(args);
    int code = check_options(args);
    note_escapes(args);
    if (!code)
        code = read_prompt(&r.prompt, &r.len, &args->text);
    if (!code)
        code = open_session(&r.o, args);
    if (!code)
        code = open_session_file(&r.file, &r.o, args->generate.session, args->quiet);
    if (!code)
        code = tokenize_prompt(&r);
    if (!code)
        code = open_sampler(&r.sampler, &args->sampling, r.seed, trit_model_vocab_size(r.o.model));
    if (!code)
        code = generate(&r);
    code = close_session_file(&r.file, code);
    if (r.tokens)
        fclose(r.tokens);
    free(r.tokens_text);
    bytes_free(&r.text);
    bytes_free(&r.thought_text);
    trit_sampler_close(&r.sampler);
    free(r.stop);
    trit_free(r.ids);
    free(r.prompt);
    close_all(&r.o);
    return code;
}
