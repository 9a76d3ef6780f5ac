/* cmd_chat.c - see cmd_chat.h. */
#define _POSIX_C_SOURCE 200809L

#include "cmd_chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chat_commands.h"
#include "interrupt.h"
#include "output.h"
#include "plain_text.h"
#include "report.h"
#include "sampling.h"
#include "status.h"
#include "terminal.h"
#include "turns.h"

/* ---- The loop -------------------------------------------------------------------------------- */

/* Send the files of /read and a message. @return exit code */
static int send_message(struct chat *c, const char *text, size_t len)
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

/* Handle a message or a command as typed. @return EXIT_DONE, or a code that ends the chat */
static int handle_line(struct chat *c, const char *text, size_t len)
{
    const bool quoted = editor_unquote(&text, &len);
    const bool blank = quoted ? len == 0 : strspn(text, " \t\n") == len;

    if (blank && !c->attached.len) {
        if (!conversation_continues(&c->talk) || conversation_is_empty(&c->talk))
            return EXIT_DONE;
        len = 0; /* ask for more of the text */
    }
    const int code =
        !quoted && !blank && text[0] == '/' ? chat_command(c, text) : send_message(c, text, len);
    /* the user has seen the error message and can go on; only lasting failures end the chat */
    return ferror(stdout) ? EXIT_RUNTIME : code == EXIT_MEMORY ? code : EXIT_DONE;
}

static int run_loop(struct chat *c)
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
        forget_interrupts(); /* a Ctrl-C that came too late to stop an answer */
        if (event == EDITOR_CANCEL && len == 0 && cancelled)
            break;
        if (event == EDITOR_CANCEL && len == 0)
            puts("(Ctrl-C again, Ctrl-D or /exit to leave)");
        cancelled = event == EDITOR_CANCEL && len == 0;
        if (event == EDITOR_END)
            break;
        if (event == EDITOR_FAILED)
            return write_error("the terminal");
        if (event == EDITOR_NO_MEMORY)
            return out_of_memory();
        if (event == EDITOR_TEXT) {
            history_add(c->history, text, len);
            code = handle_line(c, text, len);
        }
    }
    return code;
}

static void print_greeting(const struct chat *c)
{
    const struct trit_chat *t = &c->talk.chat;

    if (c->args.quiet)
        return;
    safe_printf(stdout, "%s · context %d · %s · /help\n", c->args.model.path,
                trit_session_n_ctx(c->o.session), t->name);
    if (t->missing_markers)
        safe_printf(stdout, "template %s: %s\n", t->name, t->why);
    if (conversation_continues(&c->talk))
        printf("This model continues text: write a beginning, and it carries on.\n"
               "Press Enter for more (%d tokens at a time, see -n).\n",
               (int)conversation_max_tokens(&c->talk));
    else if (t->base)
        puts("This looks like a base model: it was not trained to answer, and may not stop by\n"
             "itself.");
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

/* Load the file of --session if it exists, and check that it can be written before the user has
 * anything to lose. */
static int begin_session(struct chat *c)
{
    struct output out;
    const char *path = c->args.generate.session;

    if (!path)
        return EXIT_DONE;
    if (!*path)
        return usage_error("--session needs FILE");
    const bool exists = access(path, F_OK) == 0;
    if (exists && c->args.chat.system)
        return usage_error("--system starts a conversation, but %s already holds one", path);
    const int code = open_private_output(&out, path);
    close_output(&out, code ? code : EXIT_RUNTIME);
    return code || !exists ? code : chat_load(c, path);
}

static int end_session(struct chat *c)
{
    const bool save = c->args.generate.session && !conversation_is_empty(&c->talk);
    return save ? chat_save(c, c->args.generate.session) : EXIT_DONE;
}

int chat_main(const struct args *args)
{
    struct chat c = {.args = *args};
    struct trit_chat chat;
    /* with -cnv, as in bitnet.cpp, -p is the system message */
    const char *system =
        args->run.cnv && !args->chat.system ? args->text.prompt : args->chat.system;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return usage_error("%s is not a terminal; use trit run --chat for a single answer",
                           isatty(STDIN_FILENO) ? "standard output" : "standard input");
    if (args->text.file || args->text.stdin_prompt)
        return usage_error("%s cannot be used with -cnv, where -p is the system message",
                           args->text.file ? "--file" : "-");
    int code = open_session(&c.o, args);
    code = code ? code : open_tokenizer(&c.o);
    code = code ? code : choose_template(&chat, &c.o, args);
    code = code ? code : conversation_open(&c.talk, &c.o, &c.args, &chat, system);
    code = code ? code : begin_session(&c);
    code = code ? code : open_terminal(&c);
    if (!code) {
        watch_interrupts(c.o.session);
        print_greeting(&c);
        code = run_loop(&c);
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
