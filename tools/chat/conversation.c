/* conversation.c - see conversation.h.
 *
 * Each turn renders the whole conversation, as a template may treat old messages otherwise than the
 * newest. An answer's tokens are kept as they were generated, so what the session has evaluated is
 * usually a prefix of the new prompt. */
#include "conversation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "report.h"
#include "sampling.h"
#include "status.h"
#include "turns.h"

/* ---- Memory ---------------------------------------------------------------------------------- */

static void free_exchange(struct exchange *e)
{
    bytes_free(&e->text);
    bytes_free(&e->answer);
    free(e->ids);
}

static void clear_exchanges(struct conversation *c)
{
    for (int32_t i = 0; i < c->n_items; i++)
        free_exchange(&c->items[i]);
    c->n_items = 0;
    c->n = c->n_keep = 0;
    c->resumed = c->shifted = false;
}

static bool append_exchange(struct conversation *c, const char *text, size_t len)
{
    struct exchange *larger = realloc(c->items, ((size_t)c->n_items + 1) * sizeof *larger);

    if (!larger)
        return false;
    c->items = larger;
    struct exchange *e = &larger[c->n_items];
    /* if the older messages are encoded again with this one, its place is not known yet */
    *e = (struct exchange){.begin = c->n || !c->n_items ? c->n : -1};
    if (!bytes_add(&e->text, text, len))
        return false;
    c->n_items++;
    return true;
}

int conversation_open(struct conversation *c, struct opened *o, const struct args *args,
                      const struct trit_chat *chat, const char *system)
{
    *c = (struct conversation){.o = o, .args = args, .chat = *chat};
    /* room for a full context and a last token that is not evaluated */
    c->ids = malloc(((size_t)trit_session_n_ctx(o->session) + 1) * sizeof *c->ids);
    return c->ids ? conversation_begin(c, system) : out_of_memory();
}

void conversation_close(struct conversation *c)
{
    clear_exchanges(c);
    free(c->items);
    free(c->system);
    free(c->ids);
    *c = (struct conversation){0};
}

int conversation_begin(struct conversation *c, const char *system)
{
    struct bytes new = {0};

    if (system && *system && !bytes_add(&new, system, strlen(system)))
        return out_of_memory();
    clear_exchanges(c);
    free(c->system);
    c->system = new.data;
    return EXIT_DONE;
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

/* Encode the exchanges from `first` on, and a new message. *ids is released with trit_free(), also
 * after an error. @return exit code */
static int encode_all(const struct conversation *c, int32_t first, const char *text, size_t len,
                      int32_t **ids, int32_t *n, int32_t *n_keep)
{
    const size_t most = 2 * (size_t)(c->n_items - first) + 2;
    struct trit_message *m = malloc(most * sizeof *m);
    struct trit_answer_ids *answers = calloc(most, sizeof *answers);
    struct trit_error err;
    trit_status status = TRIT_OK;
    int32_t k = 0;

    *ids = NULL;
    if (m && answers) {
        if (c->system)
            m[k++] = (struct trit_message){TRIT_ROLE_SYSTEM, {c->system, strlen(c->system)}};
        for (int32_t i = first; i < c->n_items; i++) {
            const struct exchange *e = &c->items[i];
            m[k++] = (struct trit_message){TRIT_ROLE_USER, {bytes_text(&e->text), e->text.len}};
            answers[k] = (struct trit_answer_ids){e->ids, e->n_ids};
            m[k++] =
                (struct trit_message){TRIT_ROLE_ASSISTANT, {bytes_text(&e->answer), e->answer.len}};
        }
        m[k++] = (struct trit_message){TRIT_ROLE_USER, {text, len}};
        status = trit_chat_encode_answers(&c->chat, c->o->tokenizer, m, answers, k, ids, n, n_keep,
                                          &err);
    }
    const int code = !m || !answers ? out_of_memory() : status ? report(&err) : EXIT_DONE;
    free(m);
    free(answers);
    return code;
}

static bool stops_when_full(const struct conversation *c)
{
    return c->args->generate.on_full && strcmp(c->args->generate.on_full, "stop") == 0;
}

/* @return exit code, after an error message unless it is EXIT_INTERRUPTED */
static int exit_code_of(trit_status status, const struct trit_error *err)
{
    return status == TRIT_E_CANCELLED ? EXIT_INTERRUPTED : status ? report(err) : EXIT_DONE;
}

static void print_dropped(const struct conversation *c, int32_t n)
{
    fprintf(stderr, "trit: the context of %d tokens is full; the oldest %d were dropped\n",
            trit_session_n_ctx(c->o->session), n);
}

/* A loaded conversation has no messages to drop, so drop tokens until at most `most` remain.
 * @return exit code */
static int shift_resumed(struct conversation *c, int32_t most)
{
    trit_session *s = c->o->session;
    struct trit_error err;
    int32_t n_dropped = 1, total = 0;
    int code = conversation_sync(c);

    while (!code && trit_session_n_tokens(s) > most && n_dropped) {
        code = exit_code_of(trit_session_shift(s, c->n_keep, &n_dropped, &err), &err);
        total += n_dropped;
    }
    if (code)
        return code; /* ids still hold the whole conversation */
    for (int32_t i = 0; i < c->n_items; i++)
        c->items[i].begin = -1;
    c->n = trit_session_n_tokens(s);
    memcpy(c->ids, trit_session_tokens(s), (size_t)c->n * sizeof *c->ids);
    print_dropped(c, total);
    return EXIT_DONE;
}

/* Keep the first n_keep of ids and the newest, `most` in all, if possible. @return how many were
 * dropped */
static int32_t keep_newest(int32_t *ids, int32_t *n, int32_t n_keep, int32_t most)
{
    const int32_t n_dropped = *n - most;

    if (n_dropped <= 0 || n_keep >= most)
        return 0;
    memmove(ids + n_keep, ids + n_keep + n_dropped, (size_t)(most - n_keep) * sizeof *ids);
    *n = most;
    return n_dropped;
}

/* Drop the oldest exchanges, as few as leave a quarter of the context free for the answer. Of the
 * last exchange, if the answer continues it, drop only the oldest tokens.
 * *ids, *n: the whole prompt, encoded again. @return exit code */
static int drop_oldest(struct conversation *c, const char *text, size_t len, int32_t **ids,
                       int32_t *n)
{
    const int32_t n_ctx = trit_session_n_ctx(c->o->session), most = n_ctx - n_ctx / 4;
    const bool continues = conversation_continues(c) && len == 0;
    const int32_t n_all = c->n + *n, n_droppable = c->n_items - continues;
    int32_t first = 0, n_keep = 0;
    int code = EXIT_DONE;

    do {
        trit_free(*ids);
        first += first < n_droppable;
        code = encode_all(c, first, text, len, ids, n, &n_keep);
    } while (!code && *n > most && first < n_droppable);
    if (code)
        return code;
    if (continues)
        keep_newest(*ids, n, n_keep, most);
    if (*n >= n_ctx)
        return usage_error("the message alone has %d tokens; the context has room for %d (see -c)",
                           *n, n_ctx);
    const int32_t n_dropped = n_all > *n ? n_all - *n : 0;
    if (first)
        fprintf(stderr,
                "trit: the context of %d tokens is full; the oldest %d exchange%s (%d tokens) %s "
                "dropped\n",
                n_ctx, first, first == 1 ? "" : "s", n_dropped, first == 1 ? "was" : "were");
    else
        print_dropped(c, n_dropped);
    for (int32_t i = 0; i < first; i++)
        free_exchange(&c->items[i]);
    memmove(c->items, c->items + first, (size_t)(c->n_items - first) * sizeof *c->items);
    c->n_items -= first;
    for (int32_t i = 0; i < c->n_items; i++)
        c->items[i].begin = -1;
    c->n = 0; /* *ids is the whole prompt */
    c->shifted = false;
    c->n_keep = n_keep;
    return EXIT_DONE;
}

/* Encode the whole conversation with a new message. If it begins with c->ids, *ids is what follows;
 * else c->n becomes 0. @return exit code */
static int encode_turns(struct conversation *c, const char *text, size_t len, int32_t **ids,
                        int32_t *n)
{
    int32_t n_same = 0;
    const int code = encode_all(c, 0, text, len, ids, n, &c->n_keep);

    if (code)
        return code;
    while (n_same < c->n && n_same < *n && c->ids[n_same] == (*ids)[n_same])
        n_same++;
    if (n_same < c->n)
        c->n = n_same = 0;
    *n -= n_same;
    memmove(*ids, *ids + n_same, (size_t)*n * sizeof **ids);
    return EXIT_DONE;
}

/* Encode a message and make room for it. The prompt is then c->ids[0..c->n) and *ids, which is
 * released with free(), also after an error. @return exit code */
static int encode_message(struct conversation *c, const char *text, size_t len, int32_t **ids,
                          int32_t *n)
{
    const int32_t n_ctx = trit_session_n_ctx(c->o->session);
    int code = c->n && (c->resumed || c->shifted)
                   ? encode_next_turn(c->o, &c->chat, text, len, ids, n)
                   : encode_turns(c, text, len, ids, n);

    if (code || c->n + *n < n_ctx)
        return code;
    if (stops_when_full(c))
        return usage_error("the context of %d tokens is full; use /undo, /clear or a larger -c",
                           n_ctx);
    if (!c->resumed && c->n_items)
        return drop_oldest(c, text, len, ids, n);
    if (*n < n_ctx - c->n_keep && c->n)
        code = shift_resumed(c, n_ctx - *n - 1);
    if (!code && c->n + *n >= n_ctx)
        return usage_error("the message has %d tokens; the context has room for %d (see -c)", *n,
                           n_ctx - c->n);
    return code;
}

/* Append the tokens of an answer to c->ids, up to the size of the context. @return exit code */
static int append_answer(struct conversation *c, const struct bytes *answer)
{
    const int32_t room = trit_session_n_ctx(c->o->session) - c->n;
    int32_t *ids, n;
    const int code = encode_text(c->o->tokenizer, bytes_text(answer), answer->len, 0, &ids, &n);

    if (code)
        return code;
    n = n < room ? n : room;
    memcpy(c->ids + c->n, ids, (size_t)n * sizeof *ids);
    c->n += n;
    trit_free(ids);
    return EXIT_DONE;
}

int conversation_encode(struct conversation *c)
{
    const int32_t n_ctx = trit_session_n_ctx(c->o->session);
    int32_t *ids, *more = NULL, *all = NULL, n, n_more = 0, n_keep = 0;

    if (c->n || !c->n_items)
        return EXIT_DONE;
    const struct exchange *last = &c->items[--c->n_items];
    int code = encode_all(c, 0, bytes_text(&last->text), last->text.len, &ids, &n, &n_keep);
    c->n_items++;
    if (!code)
        code = encode_text(c->o->tokenizer, bytes_text(&last->answer), last->answer.len, 0, &more,
                           &n_more);
    if (!code && !(all = malloc(((size_t)n + (size_t)n_more + 1) * sizeof *all)))
        code = out_of_memory();
    if (!code) {
        memcpy(all, ids, (size_t)n * sizeof *all);
        memcpy(all + n, more, (size_t)n_more * sizeof *all);
        n += n_more;
        const int32_t n_dropped = keep_newest(all, &n, n_keep, n_ctx);
        if (n_dropped)
            print_dropped(c, n_dropped);
    }
    if (!code && n <= n_ctx) {
        memcpy(c->ids, all, (size_t)n * sizeof *all);
        c->n = n;
        c->n_keep = n_keep;
    }
    free(all);
    trit_free(ids);
    trit_free(more);
    return code;
}

int conversation_sync(struct conversation *c)
{
    struct trit_error err;
    const int code = conversation_encode(c);

    if (code)
        return code;
    if (c->n > trit_session_n_ctx(c->o->session)) /* no room to evaluate the last one */
        c->n--;
    if (c->n == 0)
        return EXIT_DONE;
    return exit_code_of(trit_session_sync(c->o->session, c->ids, c->n, &err), &err);
}

void conversation_adopt(struct conversation *c)
{
    const trit_session *s = c->o->session;

    clear_exchanges(c);
    c->n = trit_session_n_tokens(s);
    memcpy(c->ids, trit_session_tokens(s), (size_t)c->n * sizeof *c->ids);
    c->n_keep = c->n && c->ids[0] == trit_tokenizer_bos(c->o->tokenizer);
    c->resumed = c->n > 0;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

/* Receives generated tokens and text. */
struct answer_sink {
    struct conversation *c;
    answer_fn fn;
    void *user;
    bool no_memory;
};

static bool on_answer_text(void *user, const char *text, size_t len)
{
    struct answer_sink *s = user;

    s->no_memory = !bytes_add(&s->c->items[s->c->n_items - 1].answer, text, len);
    if (s->no_memory)
        return false;
    return s->fn(s->user, text, len);
}

static bool append_id(struct exchange *e, int32_t id)
{
    if ((e->n_ids & (e->n_ids + 1)) == 0) { /* the room is 1, 3, 7, … */
        int32_t *larger = realloc(e->ids, (2 * (size_t)e->n_ids + 1) * sizeof *larger);
        if (!larger)
            return false;
        e->ids = larger;
    }
    e->ids[e->n_ids++] = id;
    return true;
}

/* Appends to c->ids token by token, so that it is complete even if an interrupted shift leaves the
 * session's own list incomplete. */
static bool on_answer_token(void *user, int32_t id, struct trit_string piece, const float *logits)
{
    struct answer_sink *s = user;
    (void)piece, (void)logits;

    trit_session_set_progress(s->c->o->session, NULL, NULL); /* the answer has the line now */
    if (interrupted())
        return false;
    s->c->ids[s->c->n++] = id;
    s->no_memory = !append_id(&s->c->items[s->c->n_items - 1], id);
    return !s->no_memory;
}

static void on_answer_shift(void *user, int32_t n_dropped)
{
    struct answer_sink *s = user;
    struct conversation *c = s->c;

    c->shifted = true;
    c->n -= n_dropped;
    memmove(c->ids + c->n_keep, c->ids + c->n_keep + n_dropped,
            (size_t)(c->n - c->n_keep) * sizeof *c->ids);
    for (int32_t i = 0; i < c->n_items; i++)
        c->items[i].begin = -1;
    s->fn(s->user, "\n", 1); /* end the line of the answer */
    print_dropped(c, n_dropped);
}

bool conversation_is_empty(const struct conversation *c)
{
    return c->n == 0 && c->n_items == 0;
}

bool conversation_continues(const struct conversation *c)
{
    return strcmp(c->chat.name, "plain") == 0;
}

/* A continued text does not end by itself, so it has a limit even without -n. */
int32_t conversation_max_tokens(const struct conversation *c)
{
    const int32_t asked = c->args->generate.max_tokens;

    return asked < 0 && conversation_continues(c) ? 120 : asked;
}

/* Generate the answer to a prompt of n tokens into the last exchange. @return exit code */
static int generate_answer(struct conversation *c, const int32_t *prompt, int32_t n,
                           struct answer_sink *sink)
{
    const char **stop = NULL;
    int32_t n_stop = 0;
    trit_sampler *sampler = NULL;
    struct trit_error err;

    c->seed = c->args->has_seed ? c->args->seed + c->n_asked : random_seed();
    c->n_asked++;
    int code =
        open_sampler(&sampler, &c->args->sampling, c->seed, trit_model_vocab_size(c->o->model));
    if (!code)
        code = gather_stops(&stop, &n_stop, &c->args->generate, &c->chat);
    if (!code) {
        const struct trit_generate_options opt = {
            .max_tokens = conversation_max_tokens(c),
            .stop = stop,
            .n_stop = n_stop,
            .sampler = sampler,
            .on_full = stops_when_full(c) ? TRIT_ON_FULL_STOP : TRIT_ON_FULL_SHIFT,
            .n_keep = c->n_keep,
            .on_shift = on_answer_shift,
            .on_token = on_answer_token,
            .on_text = on_answer_text,
            .user = sink,
        };
        if (show_progress(c->args->quiet))
            watch_prompt(c->o->session);
        const trit_status status =
            trit_generate(c->o->session, c->o->tokenizer, prompt, n, &opt, &c->last, &err);
        clear_status();
        code = sink->no_memory ? out_of_memory() : status ? report(&err) : EXIT_DONE;
        /* the answer was cut before a stop text: encode the rest of it */
        if (!code && c->last.finish == TRIT_FINISH_STOP && c->last.n_left_out == 0) {
            struct exchange *last = &c->items[c->n_items - 1];
            free(last->ids);
            last->ids = NULL;
            last->n_ids = 0;
            c->n = n;
            code = append_answer(c, &last->answer);
        }
    }
    free(stop);
    trit_sampler_close(&sampler);
    return code;
}

/* Reduce the conversation to n_items exchanges and n tokens: ids, or c->ids if that is NULL. */
static enum ask_result restore_conversation(struct conversation *c, int32_t n_items,
                                            const int32_t *ids, int32_t n)
{
    while (c->n_items > n_items)
        free_exchange(&c->items[--c->n_items]);
    if (ids)
        memcpy(c->ids, ids, (size_t)n * sizeof *ids);
    c->n = n;
    return ASK_TAKEN_BACK;
}

enum ask_result conversation_ask(struct conversation *c, const char *text, size_t len, answer_fn fn,
                                 void *user, int *code)
{
    struct answer_sink sink = {.c = c, .fn = fn, .user = user};
    int32_t *new = NULL, *prompt = NULL, n_new = 0;
    enum ask_result result = ASK_ANSWERED;

    *code = encode_message(c, text, len, &new, &n_new);
    const int32_t n_items = c->n_items, n_before = c->n, n = c->n + n_new;
    if (!*code &&
        (!(prompt = malloc(((size_t)n + 1) * sizeof *prompt)) || !append_exchange(c, text, len)))
        *code = out_of_memory();
    if (!*code) {
        memcpy(c->ids + c->n, new, (size_t)n_new * sizeof *new);
        memcpy(prompt, c->ids, (size_t)n * sizeof *prompt);
        c->n = n;
        *code = generate_answer(c, prompt, n, &sink);
        c->last.n_prompt = n_new;
        if (c->last.finish == TRIT_FINISH_INTERRUPT)
            result = ASK_STOPPED;
    }
    const bool silent = !*code && c->items[n_items].answer.len == 0;
    const bool ended = silent && len == 0 && result == ASK_ANSWERED;
    if (*code || ended || (silent && result == ASK_STOPPED))
        result = restore_conversation(c, n_items, prompt, n_before);
    if (ended)
        result = ASK_ENDED;
    free(new);
    free(prompt);
    return result;
}

bool conversation_undo(struct conversation *c, struct bytes *text)
{
    struct exchange *last = c->n_items ? &c->items[c->n_items - 1] : NULL;

    if (!last || (last->begin < 0 && c->resumed))
        return false;
    c->n = last->begin < 0 ? 0 : last->begin; /* 0: the next message encodes the older ones again */
    if (text) {
        *text = last->text;
        last->text = (struct bytes){0};
    }
    free_exchange(last);
    c->n_items--;
    return true;
}
