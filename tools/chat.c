/* chat.c - trit chat: a conversation at a terminal. Its commands are in chat_commands.c. */
#define _POSIX_C_SOURCE 200809L

#include "chat.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "sampling.h"
#include "terminal.h"
#include "turns.h"
#include "wrap.h"

/* ---- Asking ---------------------------------------------------------------------------------- */

static bool on_answer(void *user, const char *text, size_t len)
{
    return wrap_text(user, text, len) && !interrupted();
}

int chat_columns(void)
{
    const int columns = terminal_columns(STDOUT_FILENO);
    return columns > 8 ? columns : 0;
}

void chat_show_stats(const struct chat *c)
{
    if (c->color)
        fputs("\033[2m", stderr);
    print_stats(&c->o, &c->talk.last, 0, c->talk.seed, c->args.verbose);
    if (c->color)
        fputs("\033[0m", stderr);
}

/* What there is to say about an answer, or the lack of one. */
static void comment(const struct chat *c, size_t len, enum ask_result result, int code)
{
    const struct conversation *t = &c->talk;

    if (result == ASK_TAKEN_BACK) {
        if (!code || code == EXIT_INTERRUPTED)
            fputs(len ? "(stopped; the message is in the line again)\n" : "(stopped)\n", stderr);
        return;
    }
    if (result == ASK_STOPPED)
        fputs("(stopped)\n", stderr);
    else if (t->last.finish == TRIT_FINISH_CONTEXT)
        fprintf(stderr, "trit: the context of %d tokens is full; /clear begins anew\n",
                trit_session_n_ctx(c->o.session));
    else if (result == ASK_ENDED)
        fputs("(the text has ended)\n", stderr);
    else if (t->items[t->n_items - 1].answer_len == 0)
        fputs("(an empty answer)\n", stderr);
    if (c->args.verbose)
        chat_show_stats(c);
}

int chat_ask(struct chat *c, const char *text, size_t len, enum ask_result *result)
{
    struct wrap wrap = {.f = stdout, .columns = chat_columns()};
    int code;

    *result = conversation_ask(&c->talk, text, len, on_answer, &wrap, &code);
    const bool shown = wrap_finish(&wrap);
    comment(c, len, *result, code);
    forget_interrupts();
    if (!shown && !ferror(stdout))
        return out_of_memory();
    return ferror(stdout) ? write_error("stdout") : EXIT_DONE;
}

/* One that would be a command, or end too early, is put between """. */
int chat_put_back(struct chat *c, const char *text, size_t len)
{
    const bool quote = len && (text[0] == '/' || (len >= 3 && memcmp(text, "\"\"\"", 3) == 0));
    struct bytes line = {0};
    const bool ok = (!quote || bytes_add(&line, "\"\"\"\n", 4)) && bytes_add(&line, text, len) &&
                    (!quote || bytes_add(&line, "\n\"\"\"", 4)) &&
                    editor_set_text(c->editor, bytes_text(&line), line.len);
    bytes_free(&line);
    return ok ? EXIT_DONE : out_of_memory();
}

/* ---- The loop -------------------------------------------------------------------------------- */

/* What /read has left goes before it. */
static int say(struct chat *c, const char *text, size_t len)
{
    const size_t n_attached = c->attached.len;
    enum ask_result result;

    if (!bytes_add(&c->attached, text, len))
        return out_of_memory();
    int code = chat_ask(c, bytes_text(&c->attached), c->attached.len, &result);
    if (!code && result == ASK_TAKEN_BACK) {
        bytes_replace(&c->attached, n_attached, len, "", 0);
        return chat_put_back(c, text, len);
    }
    bytes_free(&c->attached);
    return code;
}

/* A message as it was typed. @return exit code; only what ends the chat is not EXIT_DONE */
static int take_message(struct chat *c, const char *text, size_t len)
{
    const bool quoted = editor_unquote(&text, &len);
    const bool blank = !quoted && strspn(text, " \t\n") == len;

    if (blank && !c->attached.len) {
        const bool any = c->talk.n || c->talk.n_items;
        if (!conversation_continues(&c->talk) || !any)
            return EXIT_DONE;
        len = 0; /* a text goes on */
    }
    const int code =
        !quoted && !blank && text[0] == '/' ? chat_command(c, text) : say(c, text, len);
    /* mistakes are told and forgotten; what cannot get better ends the chat */
    return ferror(stdout) ? EXIT_RUNTIME : code == EXIT_MEMORY ? code : EXIT_DONE;
}

static int converse(struct chat *c)
{
    bool cancelled = false;
    int code = EXIT_DONE;

    while (!c->leave && !code) {
        const char *text;
        size_t len;
        fflush(stdout);
        if (!terminal_edit(c->terminal))
            return write_error("the terminal");
        const enum editor_event event = editor_read(c->editor, "> ", &text, &len);
        terminal_quiet(c->terminal);
        forget_interrupts(); /* one that came too late for what it was to stop */
        if (event == EDITOR_CANCEL && len == 0 && cancelled)
            break;
        if (event == EDITOR_CANCEL && len == 0)
            puts("(Ctrl-C again, Ctrl-D or /exit leaves)");
        cancelled = event == EDITOR_CANCEL && len == 0;
        if (event == EDITOR_END)
            break;
        if (event == EDITOR_FAILED)
            return write_error("the terminal");
        if (event == EDITOR_NO_MEMORY)
            return out_of_memory();
        if (event == EDITOR_TEXT) {
            history_add(c->history, text, len);
            code = take_message(c, text, len);
        }
    }
    return code;
}

static void greet(const struct chat *c)
{
    const struct trit_chat *t = &c->talk.chat;

    if (c->args.quiet)
        return;
    printf("%s · context %d · %s · /help\n", c->args.model, trit_session_n_ctx(c->o.session),
           t->name);
    if (t->guessed || t->missing_markers)
        printf("template %s: %s\n", t->name, t->why);
    if (conversation_continues(&c->talk))
        printf("This model continues texts: what you write is the beginning, and it goes on.\n"
               "Enter alone asks for more; %d tokens at a time (-n).\n",
               (int)conversation_max_tokens(&c->talk));
    else if (t->base)
        puts("This looks like a base model; its answers may run on.");
}

static int open_terminal(struct chat *c)
{
    char *path = history_default_path();
    struct editor_options opt = {
        .color = is_lively(STDOUT_FILENO),
        .prompt_style = "1",
        .user = c,
        .complete = chat_complete,
        .hint = chat_hint,
    };
    c->color = opt.color;
    c->terminal = terminal_open(STDIN_FILENO, STDOUT_FILENO);
    c->history = history_open(path);
    free(path);
    if (!c->terminal || !c->history)
        return out_of_memory();
    opt.plain = !terminal_can_edit(c->terminal);
    opt.history = c->history;
    terminal_io(c->terminal, &opt.io);
    c->editor = editor_open(&opt);
    return c->editor ? EXIT_DONE : out_of_memory();
}

/* With --session: what was there before, and at the end what is there now. That it can be written
 * is seen before there is anything to lose. */
static int begin_session(struct chat *c)
{
    struct output out;
    const char *path = c->args.session;

    if (!path)
        return EXIT_DONE;
    if (!*path)
        return usage_error("--session wants the name of a file");
    const bool exists = access(path, F_OK) == 0;
    if (exists && c->args.system)
        return usage_error("--system begins a conversation; %s holds one", path);
    const int code = open_output(&out, path);
    close_output(&out, code ? code : EXIT_RUNTIME);
    return code || !exists ? code : chat_load(c, path);
}

static int end_session(struct chat *c)
{
    const bool any = c->talk.n || c->talk.n_items;
    return c->args.session && any ? chat_save(c, c->args.session) : EXIT_DONE;
}

int chat_main(const struct args *args)
{
    struct chat c = {.args = *args};
    struct trit_chat chat;
    /* bitnet.cpp's -cnv has the system message in -p */
    const char *system = args->cnv && !args->system ? args->prompt : args->system;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return usage_error("%s is not a terminal; for one answer there is trit run --chat",
                           isatty(STDIN_FILENO) ? "standard output" : "standard input");
    if (args->file || args->stdin_prompt)
        return usage_error("%s does not go with -cnv, whose -p is the system message",
                           args->file ? "--file" : "-");
    int code = open_session(&c.o, args);
    if (!code)
        code = open_tokenizer(&c.o);
    if (!code)
        code = choose_template(&chat, &c.o, args);
    if (!code)
        code = conversation_open(&c.talk, &c.o, &c.args, &chat, system);
    if (!code)
        code = begin_session(&c);
    if (!code)
        code = open_terminal(&c);
    if (!code) {
        watch_interrupts(c.o.session);
        greet(&c);
        code = converse(&c);
        const int saved = end_session(&c);
        code = code ? code : saved;
    }
    editor_close(c.editor);
    history_close(c.history);
    terminal_close(c.terminal);
    bytes_free(&c.attached);
    conversation_close(&c.talk);
    close_all(&c.o);
    return code;
}
