/* prompts.c - see prompts.h.
 *
 * Each line of the file is a task. --sequences sessions of one engine work on tasks, and their
 * tokens are evaluated together: a token of each, or a piece of its prompt, so that a long prompt
 * does not keep the others waiting. Answers are printed in the order of the file. An answer does
 * not depend on the number of sequences. */
#include "prompts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "bytes.h"
#include "input.h"
#include "interrupt.h"
#include "json_write.h"
#include "layers.h"
#include "open.h"
#include "plain_text.h"
#include "report.h"
#include "sampling.h"
#include "status.h"
#include "thoughts.h"
#include "turns.h"
#include "trit_tools.h"

enum { PIECE = 128 }; /* tokens of a prompt evaluated at a time */

struct task {
    const struct trit_json_value *line;
    struct generate_args generate; /* stop is allocated if the line has stop texts */
    struct sampling_args sampling;
    const char **stop;
    int32_t *ids, n, n_keep;
    struct answer answer;
    struct bytes text, thought_text;
    struct thoughts thoughts; /* of a chat */
    bool is_chat, done, no_memory;
    struct trit_error error; /* why it has no answer */
};

/* A session and the task it works on, or NULL. */
struct sequence {
    trit_session *session;
    trit_sampler *sampler;
    trit_generator *generator;
    struct task *task;
};

struct prompts {
    const struct args *args;
    struct opened o;
    trit_engine *engine;
    struct trit_json *tree;
    struct trit_chat chat;
    bool has_chat, begins_with_thought; /* chat is chosen; its template begins a thought */
    struct task *tasks;
    int n_tasks, n_started, n_printed, n_failed;
    struct sequence *sequences;
    struct trit_step *steps;
    int n_sequences;
};

/* ---- Lines ----------------------------------------------------------------------------------- */

static const struct number_name {
    const char *name;
    size_t offset; /* in struct task */
    bool whole;
} numbers[] = {
    {"temp", offsetof(struct task, sampling.temp), false},
    {"top_k", offsetof(struct task, sampling.top_k), true},
    {"top_p", offsetof(struct task, sampling.top_p), false},
    {"min_p", offsetof(struct task, sampling.min_p), false},
    {"repeat_penalty", offsetof(struct task, sampling.repeat_penalty), false},
    {"presence_penalty", offsetof(struct task, sampling.presence_penalty), false},
    {"frequency_penalty", offsetof(struct task, sampling.frequency_penalty), false},
    {"repeat_last_n", offsetof(struct task, sampling.repeat_last_n), true},
    {"max_tokens", offsetof(struct task, generate.max_tokens), true},
};

static bool set_number(struct task *t, const struct number_name *name,
                       const struct trit_json_value *v)
{
    char *at = (char *)t + name->offset;
    const double x = trit_json_double(v);
    int64_t whole;
    int value;

    if (!name->whole) {
        memcpy(at, &x, sizeof x);
        return trit_json_type_of(v) == TRIT_JSON_NUMBER;
    }
    if (!trit_json_int64(v, &whole) || whole < INT32_MIN || whole > INT32_MAX)
        return false;
    value = (int)whole;
    memcpy(at, &value, sizeof value);
    return true;
}

/* A text, or an array of texts. They live in the tree. */
static int set_stop(struct task *t, const struct trit_json_value *v, const char *where)
{
    const bool list = trit_json_type_of(v) == TRIT_JSON_ARRAY;
    const size_t n = list ? trit_json_count(v) : 1;

    t->generate.stop = (struct values){.n = 0};
    free(t->stop);
    if (!(t->stop = malloc((n + 1) * sizeof *t->stop)))
        return out_of_memory();
    for (v = list ? trit_json_first(v) : v; v; v = list ? trit_json_next(v) : NULL) {
        if (trit_json_type_of(v) != TRIT_JSON_STRING || !trit_json_text(v).len)
            return file_error("%s: stop must be a text or an array of texts", where);
        t->stop[t->generate.stop.n++] = trit_json_text(v).bytes;
    }
    t->generate.stop.items = t->stop;
    return EXIT_DONE;
}

static int set_member(struct task *t, const struct trit_json_value *v, const char *where)
{
    const struct trit_string key = trit_json_key(v);
    int64_t seed;

    if (strcmp(key.bytes, "prompt") == 0 || strcmp(key.bytes, "messages") == 0)
        return EXIT_DONE;
    if (strcmp(key.bytes, "stop") == 0)
        return set_stop(t, v, where);
    if (strcmp(key.bytes, "seed") == 0) {
        if (!trit_json_int64(v, &seed) || seed < 0)
            return file_error("%s: seed must be a whole number, 0 or more", where);
        t->answer.seed = (uint64_t)seed;
        return EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(key.bytes, numbers[i].name) == 0)
            return set_number(t, &numbers[i], v)
                       ? EXIT_DONE
                       : file_error("%s: %s must be a%s number", where, numbers[i].name,
                                    numbers[i].whole ? " whole" : "");
    return file_error("%s: unknown name '%.40s'", where, key.bytes);
}

static int encode(struct prompts *p, struct task *t, const char *where)
{
    const struct trit_json_value *messages = trit_json_member(t->line, "messages");
    const struct trit_json_value *prompt = trit_json_member(t->line, "prompt");
    const struct trit_string text = trit_json_text(prompt);
    const struct chat_args system = {.system = p->args->chat.system};
    struct turns turns = {0};
    struct trit_error err;
    int code = EXIT_DONE;

    if (!messages == !prompt || (prompt && trit_json_type_of(prompt) != TRIT_JSON_STRING))
        return file_error("%s needs either a prompt, which is a text, or messages", where);
    if (!messages && !p->args->run.chat) {
        const unsigned flags =
            TRIT_ENCODE_BOS | (p->args->tokens.special ? TRIT_ENCODE_SPECIAL : 0);
        return encode_text(p->o.tokenizer, text.bytes, text.len, flags, &t->ids, &t->n);
    }
    if (!p->has_chat) {
        code = choose_template(&p->chat, &p->o, p->args);
        p->begins_with_thought = !code && begins_with_thought(&p->chat);
    }
    p->has_chat = true;
    t->is_chat = true;
    thoughts_begin(&t->thoughts, p->begins_with_thought);
    if (!code)
        code = messages ? parse_turns(&turns, messages, where)
                        : build_turns(&turns, &system, text.bytes, text.len);
    if (!code && trit_chat_encode(&p->chat, p->o.tokenizer, turns.items, turns.n, &t->ids, &t->n,
                                  &t->n_keep, &err))
        code = report(&err);
    free_turns(&turns);
    return code;
}

/* Whether the sampler accepts the values. They are checked before anything is answered. */
static int check_sampling(const struct prompts *p, const struct task *t)
{
    trit_sampler *sampler = NULL;
    const int code = open_sampler(&sampler, &t->sampling, 0, trit_model_vocab_size(p->o.model));

    trit_sampler_close(&sampler);
    return code;
}

static int parse_line(struct prompts *p, struct task *t, int number)
{
    char where[300];
    int code = EXIT_DONE;

    snprintf(where, sizeof where, "%.250s: prompt %d", p->args->run.prompts, number);
    if (trit_json_type_of(t->line) != TRIT_JSON_OBJECT)
        return file_error("%s is not an object", where);
    t->generate = p->args->generate;
    t->sampling = p->args->sampling;
    t->answer.seed = p->args->has_seed ? p->args->seed : random_seed();
    t->answer.load_ms = p->o.load_ms;
    for (const struct trit_json_value *v = trit_json_first(t->line); v && !code;
         v = trit_json_next(v))
        code = set_member(t, v, where);
    if (!code && (code = check_sampling(p, t)))
        safe_printf(stderr, "trit: this is in %s\n", where);
    return code ? code : encode(p, t, where);
}

static int read_tasks(struct prompts *p)
{
    const char *path = p->args->run.prompts;
    struct trit_error err;
    char *text = NULL;
    size_t len = 0;
    int code = read_file(&text, &len, path, TRIT_JSON_MAX_BYTES);

    if (!code && trit_json_read_lines(&p->tree, text, len, &err)) {
        code = file_error("%s: %s", path, err.text);
        if (err.code == TRIT_E_MEMORY)
            code = EXIT_MEMORY;
    }
    free(text);
    if (code)
        return code;
    const struct trit_json_value *v = trit_json_first(trit_json_root(p->tree));
    const size_t n = trit_json_count(trit_json_root(p->tree));
    if (!(p->tasks = calloc(n + 1, sizeof *p->tasks)))
        return out_of_memory();
    for (; v && !code; v = trit_json_next(v)) {
        struct task *t = &p->tasks[p->n_tasks++];
        t->line = v;
        code = parse_line(p, t, p->n_tasks);
    }
    return code;
}

/* ---- Sequences ------------------------------------------------------------------------------- */

static bool is_interrupted(void *user)
{
    (void)user;
    return interrupted();
}

static int open_sequences(struct prompts *p)
{
    struct trit_session_options opt;
    struct layer_list skip;
    struct trit_error err;
    int code;

    p->n_sequences = p->args->run.sequences ? p->args->run.sequences : 1;
    p->n_sequences = p->n_sequences < p->n_tasks ? p->n_sequences : p->n_tasks;
    session_options(&opt, &p->args->compute, p->o.model);
    if ((code = plan_layers(&opt, &skip, p->args, p->o.model)))
        return code;
    const struct trit_engine_options engine = {.size = sizeof engine,
                                               .n_ctx = opt.n_ctx,
                                               .n_batch = opt.n_batch,
                                               .n_threads = opt.n_threads,
                                               .isa = opt.isa,
                                               .walk = opt.walk};
    if (trit_engine_open(&p->engine, p->o.model, &engine, &err))
        return report_session(&err, p->o.model);
    opt.n_batch = opt.n_threads = 0;
    opt.isa = opt.walk = NULL;
    p->sequences = calloc((size_t)p->n_sequences + 1, sizeof *p->sequences);
    p->steps = calloc((size_t)p->n_sequences + 1, sizeof *p->steps);
    if (!p->sequences || !p->steps)
        return out_of_memory();
    for (int i = 0; i < p->n_sequences; i++) {
        struct sequence *s = &p->sequences[i];
        if (trit_session_open_on(&s->session, p->engine, &opt, &err))
            return err.code == TRIT_E_MEMORY && i > 0
                       ? report_hint(&err, "use fewer --sequences, or a smaller -c")
                       : report_session(&err, p->o.model);
        trit_session_set_cancel(s->session, is_interrupted, NULL);
        if ((code = set_exits(s->session, &p->args->layers)))
            return code;
    }
    return EXIT_DONE;
}

static bool put_text(void *user, const char *text, size_t len, bool is_thought)
{
    struct task *t = user;

    t->no_memory = !bytes_add(is_thought ? &t->thought_text : &t->text, text, len);
    return !t->no_memory && !interrupted();
}

static bool on_text(void *user, const char *text, size_t len)
{
    struct task *t = user;
    return t->is_chat ? thoughts_push(&t->thoughts, text, len, put_text, t)
                      : put_text(t, text, len, false);
}

/* Give the sequence the next task. A task that cannot begin has an error instead of an answer.
 * @return exit code */
static int start(struct prompts *p, struct sequence *s)
{
    struct task *t = &p->tasks[p->n_started++];
    const char **stop = NULL;
    int32_t n_stop = 0;
    int code =
        open_sampler(&s->sampler, &t->sampling, t->answer.seed, trit_model_vocab_size(p->o.model));

    s->task = t;
    if (!code)
        code = gather_stops(&stop, &n_stop, &t->generate, &p->chat);
    if (code)
        return code;
    free(t->stop);
    t->stop = stop;
    const char *on_full = p->args->generate.on_full;
    const struct trit_generate_options opt = {
        .size = sizeof opt,
        .max_tokens = t->generate.max_tokens,
        .ignore_eos = t->generate.ignore_eos,
        .stop = stop,
        .n_stop = n_stop,
        .sampler = s->sampler,
        .on_full =
            on_full && strcmp(on_full, "shift") == 0 ? TRIT_ON_FULL_SHIFT : TRIT_ON_FULL_STOP,
        .n_keep = t->n_keep,
        .on_text = on_text,
        .user = t,
    };
    if (trit_generator_open(&s->generator, s->session, p->o.tokenizer, t->ids, t->n, &opt,
                            &t->error))
        t->done = true;
    return EXIT_DONE;
}

static void finish(struct sequence *s)
{
    struct task *t = s->task;

    if (s->generator)
        t->answer.result = *trit_generator_result(s->generator);
    thoughts_finish(&t->thoughts, put_text, t);
    t->answer.thoughts = (struct trit_string){bytes_text(&t->thought_text), t->thought_text.len};
    t->answer.text = (struct trit_string){bytes_text(&t->text), t->text.len};
    t->done = true;
    trit_generator_close(&s->generator);
    trit_sampler_close(&s->sampler);
    s->task = NULL;
}

/* One step of all sequences. */
static int advance(struct prompts *p)
{
    int n_steps = 0;

    for (int i = 0; i < p->n_sequences; i++) {
        struct sequence *s = &p->sequences[i];
        if (s->generator && trit_generator_step(s->generator, PIECE, &p->steps[n_steps]))
            n_steps++;
    }
    trit_engine_eval(p->engine, p->steps, n_steps, NULL); /* a failure is known by its step */
    for (int i = 0, k = 0; i < p->n_sequences; i++) {
        struct sequence *s = &p->sequences[i];
        const bool stepped = k < n_steps && p->steps[k].session == s->session;
        const bool unfinished = stepped && p->steps[k].want == TRIT_WANT_NONE;
        const trit_status failed = stepped ? p->steps[k].error.code : TRIT_OK;
        bool more = true;
        if (failed && failed != TRIT_E_CANCELLED)
            s->task->error = p->steps[k].error;
        k += stepped;
        if (s->generator && !failed && !unfinished)
            trit_generator_next(s->generator, &more, &s->task->error);
        if (s->task && (!s->generator || failed || !more))
            finish(s);
    }
    return interrupted() ? EXIT_INTERRUPTED : EXIT_DONE;
}

/* Print the answers whose turn it is. @return exit code */
static int print_done(struct prompts *p)
{
    for (; p->n_printed < p->n_tasks && p->tasks[p->n_printed].done; p->n_printed++) {
        struct task *t = &p->tasks[p->n_printed];
        if (t->no_memory)
            return out_of_memory();
        clear_status();
        if (t->error.code) {
            fputs("{\"error\":", stdout);
            json_string(stdout, t->error.text, strlen(t->error.text));
            fputs("}\n", stdout);
            p->n_failed++;
        } else {
            print_answer(&t->answer, p->sequences[0].session);
        }
        bytes_free(&t->text);
        bytes_free(&t->thought_text);
        const int code = finish_stdout();
        if (code)
            return code;
        if (show_progress(p->args->quiet))
            show_status("%d of %d answered", p->n_printed + 1, p->n_tasks);
    }
    return EXIT_DONE;
}

static int answer_all(struct prompts *p)
{
    int code = EXIT_DONE;

    while (!code && p->n_printed < p->n_tasks) {
        for (int i = 0; i < p->n_sequences && !code; i++)
            if (!p->sequences[i].task && p->n_started < p->n_tasks)
                code = start(p, &p->sequences[i]);
        if (!code)
            code = advance(p);
        if (!code)
            code = print_done(p);
    }
    clear_status();
    return code;
}

/* ---- The command ----------------------------------------------------------------------------- */

static int check_options(const struct args *a)
{
    const struct {
        const char *name;
        bool given;
    } others[] = {
        {"-p", a->text.prompt != NULL},
        {"-f", a->text.file != NULL},
        {"--session", a->generate.session != NULL},
        {"--stream", a->run.stream},
        {"--logprobs", a->run.logprobs > 0},
        {"--echo", a->run.echo},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].given)
            return usage_error("%s cannot be used with --prompts", others[i].name);
    return EXIT_DONE;
}

static void close_prompts(struct prompts *p)
{
    for (int i = 0; i < p->n_sequences && p->sequences; i++) {
        trit_generator_close(&p->sequences[i].generator);
        trit_sampler_close(&p->sequences[i].sampler);
        trit_session_close(&p->sequences[i].session);
    }
    for (int i = 0; i < p->n_tasks; i++) {
        trit_free(p->tasks[i].ids);
        free(p->tasks[i].stop);
        bytes_free(&p->tasks[i].text);
        bytes_free(&p->tasks[i].thought_text);
    }
    free(p->sequences);
    free(p->steps);
    free(p->tasks);
    trit_json_free(&p->tree);
    trit_engine_close(&p->engine);
    close_all(&p->o);
}

int prompts_main(const struct args *args)
{
    struct prompts p = {.args = args};
    int code = check_options(args);

    if (!code)
        code = open_model(&p.o, &args->model);
    if (!code)
        code = open_tokenizer(&p.o);
    if (!code)
        code = read_tasks(&p);
    if (!code)
        code = open_sequences(&p);
    watch_interrupts(NULL);
    if (!code)
        code = answer_all(&p);
    if (!code && p.n_failed)
        code = EXIT_RUNTIME;
    close_prompts(&p);
    return code;
}
