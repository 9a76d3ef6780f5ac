/* chat.c - trit chat: a conversation at a terminal. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "complete.h"
#include "conversation.h"
#include "editor.h"
#include "options.h"
#include "output.h"
#include "sampling.h"
#include "session.h"
#include "terminal.h"
#include "turns.h"
#include "wrap.h"

struct chat {
    struct args args; /* as /set changes them */
    struct opened o;
    struct conversation talk;
    struct terminal *terminal;
    struct history *history;
    struct editor *editor;
    struct bytes attached; /* what /read put before the next message */
    bool leave, color;
};

/* ---- Asking ---------------------------------------------------------------------------------- */

static bool on_answer(void *user, const char *text, size_t len)
{
    return wrap_text(user, text, len) && !interrupted();
}

static int columns(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 8 ? size.ws_col : 0;
}

static void show_stats(const struct chat *c)
{
    if (c->color)
        fputs("\033[2m", stderr);
    print_stats(&c->o, &c->talk.last, 0, c->talk.seed);
    if (c->color)
        fputs("\033[0m", stderr);
}

/* Send a message; one that comes to nothing is in the line again, to be changed. */
static int ask(struct chat *c, const char *text, size_t len)
{
    struct wrap wrap = {.f = stdout, .columns = columns()};
    int code;

    const enum ask_result result = conversation_ask(&c->talk, text, len, on_answer, &wrap, &code);
    const bool shown = wrap_finish(&wrap);
    if (result == ASK_TAKEN_BACK) {
        if (!code)
            fputs("(stopped; the message is in the line again)\n", stderr);
        editor_set_text(c->editor, text, len);
    } else if (result == ASK_STOPPED) {
        fputs("(stopped)\n", stderr);
    }
    if (result == ASK_ANSWERED && c->talk.last.finish == TRIT_FINISH_CONTEXT)
        fprintf(stderr, "trit: the context of %d tokens is full; /clear begins anew\n",
                trit_session_n_ctx(c->o.session));
    if (result != ASK_TAKEN_BACK && c->args.verbose)
        show_stats(c);
    forget_interrupts();
    if (!shown && !ferror(stdout))
        return out_of_memory();
    return ferror(stdout) ? write_error("stdout") : EXIT_DONE;
}

/* ---- Commands --------------------------------------------------------------------------------
 *
 * Each gets what follows its name, without blanks around it; "" for nothing. */

struct command_line {
    const char *name, *arg, *help; /* arg: what it takes, or NULL */
    bool takes_file;
    int (*run)(struct chat *c, const char *arg);
};

static int do_exit(struct chat *c, const char *arg)
{
    (void)arg;
    c->leave = true;
    return EXIT_DONE;
}

static int begin_anew(struct chat *c, const char *system)
{
    bytes_free(&c->attached);
    return conversation_begin(&c->talk, system);
}

static int do_clear(struct chat *c, const char *arg)
{
    char *system = c->talk.system ? strdup(c->talk.system) : NULL;
    (void)arg;
    if (c->talk.system && !system)
        return out_of_memory();
    const int code = begin_anew(c, system);
    free(system);
    if (!code)
        puts("(forgotten)");
    return code;
}

static int do_system(struct chat *c, const char *arg)
{
    if (!*arg) {
        printf("%s\n", c->talk.system ? c->talk.system : "(no system message)");
        return EXIT_DONE;
    }
    const bool anew = c->talk.n > 0;
    const int code = begin_anew(c, arg);
    if (!code)
        puts(anew ? "(the conversation begins anew)" : "(set)");
    return code;
}

static int do_undo(struct chat *c, const char *arg)
{
    (void)arg;
    puts(conversation_undo(&c->talk) ? "(the last message and its answer are forgotten)"
                                     : "(there is nothing to undo)");
    return EXIT_DONE;
}

/* The last message, which is forgotten; NULL: there is none, or no memory, after a message. */
static char *take_last(struct chat *c, size_t *len)
{
    const struct conversation *t = &c->talk;
    char *text = NULL;

    if (t->n_items) {
        const struct exchange *e = &t->items[t->n_items - 1];
        *len = e->text_len;
        text = malloc(e->text_len + 1);
        if (text)
            memcpy(text, e->text, e->text_len + 1);
        else
            out_of_memory();
    }
    if (!t->n_items || (text && !conversation_undo(&c->talk))) {
        puts("(there is no message)");
        free(text);
        text = NULL;
    }
    return text;
}

static int do_regen(struct chat *c, const char *arg)
{
    size_t len;
    char *text = take_last(c, &len);
    (void)arg;
    const int code = text ? ask(c, text, len) : EXIT_DONE;
    free(text);
    return code;
}

static int do_edit(struct chat *c, const char *arg)
{
    size_t len;
    char *text = take_last(c, &len);
    (void)arg;
    if (text && !editor_set_text(c->editor, text, len))
        out_of_memory();
    free(text);
    return EXIT_DONE;
}

static int do_read(struct chat *c, const char *arg)
{
    enum { MOST = 4 << 20 };
    char *text = NULL;
    size_t len = 0;

    if (!*arg)
        return usage_error("/read wants the name of a file");
    int code = read_file(&text, &len, arg, MOST);
    if (!code && (!bytes_add(&c->attached, text, len) ||
                  (len && text[len - 1] != '\n' && !bytes_add(&c->attached, "\n", 1))))
        code = out_of_memory();
    free(text);
    if (!code)
        printf("(%zu bytes go before the next message)\n", len);
    return code;
}

static bool put_file(void *user, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, user) == n;
}

static int do_save(struct chat *c, const char *arg)
{
    struct output out;
    struct trit_error err;

    if (!*arg)
        return usage_error("/save wants the name of a file");
    if (!c->talk.n)
        return usage_error("there is nothing to save yet");
    int code = conversation_sync(&c->talk);
    if (code)
        return code;
    code = open_output(&out, arg);
    errno = 0;
    if (!code && trit_session_save(c->o.session, put_file, out.f, &err))
        code = write_error(arg);
    code = close_output(&out, code);
    if (!code)
        printf("(saved: %d tokens)\n", trit_session_n_tokens(c->o.session));
    return code;
}

/* The end of what a session holds, so that one sees where one is. */
static void show_tail(const struct chat *c)
{
    enum { TAIL = 60 };
    const int32_t n = c->talk.n, first = n > TAIL ? n - TAIL : 0;
    struct wrap wrap = {.f = stdout, .columns = columns()};

    wrap_text(&wrap, first ? "… " : "", first ? strlen("… ") : 0);
    for (int32_t i = first; i < n; i++) {
        const struct trit_string s = trit_tokenizer_piece(c->o.tokenizer, c->talk.ids[i], true);
        wrap_text(&wrap, s.bytes, s.len);
    }
    wrap_finish(&wrap);
}

static int load(struct chat *c, const char *path)
{
    struct trit_session_loaded loaded;
    struct trit_error err;

    if (trit_session_load(c->o.session, path, &loaded, &err))
        return report(&err);
    if (loaded.reread)
        fprintf(stderr, "trit: %s: %s; its tokens were evaluated anew\n", path, loaded.why);
    bytes_free(&c->attached);
    const int code = conversation_adopt(&c->talk);
    printf("(loaded: %d tokens)\n", loaded.n_tokens);
    show_tail(c);
    return code;
}

static int do_load(struct chat *c, const char *arg)
{
    return *arg ? load(c, arg) : usage_error("/load wants the name of a file");
}

/* ---- Settings -------------------------------------------------------------------------------- */

static bool can_be_set(const struct option *o)
{
    return (o->commands & CMD_CHAT) && !(o->commands & CMD_LOGITS) && o->help &&
           (o->value == INTEGER || o->value == NUMBER || o->value == SEED);
}

static void show_setting(const struct chat *c, const struct option *o)
{
    const char *at = (const char *)&c->args + o->member;

    if (o->value == INTEGER)
        printf("%-18s %d\n", o->name, *(const int *)at);
    else if (o->value == NUMBER)
        printf("%-18s %g\n", o->name, *(const double *)at);
    else if (c->args.has_seed)
        printf("%-18s %llu\n", o->name, (unsigned long long)c->args.seed);
    else
        printf("%-18s random\n", o->name);
}

static int do_set(struct chat *c, const char *arg)
{
    const size_t len = strcspn(arg, " ");

    for (const struct option *o = options; o->name; o++) {
        if (!can_be_set(o))
            continue;
        const bool named = strlen(o->name) == len && memcmp(o->name, arg, len) == 0;
        if (named && arg[len])
            return cli_set(&c->args, o, arg + len + strspn(arg + len, " "));
        if (named || !*arg)
            show_setting(c, o);
        if (named)
            return EXIT_DONE;
    }
    return *arg ? usage_error("there is no setting '%.*s'; /set lists them", (int)len, arg)
                : EXIT_DONE;
}

/* ---- Looking --------------------------------------------------------------------------------- */

static int do_context(struct chat *c, const char *arg)
{
    const struct conversation *t = &c->talk;
    const int32_t n_ctx = trit_session_n_ctx(c->o.session);
    (void)arg;

    printf("%d of %d tokens used, %d left; %d exchange%s%s\n", t->n, n_ctx,
           n_ctx > t->n ? n_ctx - t->n : 0, t->n_items, t->n_items == 1 ? "" : "s",
           t->headless ? " since it was loaded" : "");
    if (t->n_items && t->items[0].begin >= 0 && (t->n_items == 1 || t->items[1].begin >= 0))
        printf("the oldest, of %d tokens, would be left out first\n",
               (t->n_items == 1 ? t->n : t->items[1].begin) - t->items[0].begin);
    return EXIT_DONE;
}

static int do_stats(struct chat *c, const char *arg)
{
    (void)arg;
    if (c->talk.n_asked)
        show_stats(c);
    else
        puts("(nothing was answered yet)");
    return EXIT_DONE;
}

static int do_template(struct chat *c, const char *arg)
{
    struct trit_chat chat;
    struct trit_error err;

    if (*arg && trit_chat_choose(&chat, c->o.file, c->o.tokenizer, arg, &err))
        return report(&err);
    if (*arg) {
        c->talk.chat = chat;
        if (c->talk.n)
            puts("(from the next message on)");
    }
    printf("%s: %s\n", c->talk.chat.name, c->talk.chat.why);
    return EXIT_DONE;
}

static int do_export(struct chat *c, const char *arg)
{
    const struct conversation *t = &c->talk;
    struct output out;

    if (!*arg)
        return usage_error("/export wants the name of a file");
    int code = open_output(&out, arg);
    if (code)
        return close_output(&out, code);
    errno = 0;
    if (t->system)
        fprintf(out.f, "**System:** %s\n\n", t->system);
    for (int32_t i = 0; i < t->n_items; i++) {
        fprintf(out.f, "**You:** ");
        fwrite(t->items[i].text, 1, t->items[i].text_len, out.f);
        fprintf(out.f, "\n\n**Model:** ");
        fwrite(t->items[i].answer, 1, t->items[i].answer_len, out.f);
        fprintf(out.f, "\n\n");
    }
    code = close_output(&out, ferror(out.f) ? write_error(arg) : EXIT_DONE);
    if (!code)
        printf("(%d exchange%s)\n", t->n_items, t->n_items == 1 ? "" : "s");
    return code;
}

static int do_help(struct chat *c, const char *arg);

static const struct command_line lines[] = {
    {"help", NULL, "this", false, do_help},
    {"exit", NULL, "leave; so does Ctrl-D", false, do_exit},
    {"clear", NULL, "forget the conversation, keep the system message", false, do_clear},
    {"system", "[TEXT]", "show the system message, or begin anew with another", false, do_system},
    {"undo", NULL, "forget the last message and its answer", false, do_undo},
    {"regen", NULL, "another answer to the last message", false, do_regen},
    {"edit", NULL, "change the last message", false, do_edit},
    {"read", "FILE", "put a file before the next message", true, do_read},
    {"save", "FILE", "keep the conversation, as it is in the model", true, do_save},
    {"load", "FILE", "go on with one that was saved", true, do_load},
    {"set", "[NAME [VALUE]]", "show or change sampling", false, do_set},
    {"context", NULL, "how full it is", false, do_context},
    {"stats", NULL, "speed of the last answer", false, do_stats},
    {"template", "[NAME]", "show or change the chat template", false, do_template},
    {"export", "FILE.md", "write the conversation as Markdown", true, do_export},
    {0},
};

static int do_help(struct chat *c, const char *arg)
{
    (void)c, (void)arg;
    for (const struct command_line *l = lines; l->name; l++) {
        const int n = printf("/%s %s", l->name, l->arg ? l->arg : "");
        printf("%*s%s\n", n < 20 ? 20 - n : 1, "", l->help);
    }
    puts("Alt-Enter breaks the line, \"\"\" begins and ends a message of several; Ctrl-C stops.");
    return EXIT_DONE;
}

static const struct command_line *find_line(const char *name, size_t len)
{
    for (const struct command_line *l = lines; l->name; l++)
        if (strlen(l->name) == len && memcmp(l->name, name, len) == 0)
            return l;
    return NULL;
}

/* "/name arg" */
static int run_line(struct chat *c, const char *text)
{
    const size_t len = strcspn(text + 1, " \n");
    const struct command_line *l = find_line(text + 1, len);
    const char *arg = text + 1 + len + strspn(text + 1 + len, " \n");
    size_t n = strlen(arg);

    if (!l)
        return usage_error("there is no command '/%.*s'; /help lists them", (int)len, text + 1);
    while (n && (arg[n - 1] == ' ' || arg[n - 1] == '\n'))
        n--;
    char *copy = malloc(n + 1);
    if (!copy)
        return out_of_memory();
    memcpy(copy, arg, n);
    copy[n] = 0;
    if (n && !l->arg) {
        free(copy);
        return usage_error("/%s takes nothing", l->name);
    }
    const int code = l->run(c, copy);
    free(copy);
    return code;
}

/* ---- Completion and hints -------------------------------------------------------------------- */

static void complete(void *user, const char *text, size_t len, size_t cursor,
                     struct editor_candidates *list)
{
    const size_t name = cursor ? strcspn(text + 1, " ") : 0;
    (void)user, (void)len;

    if (!cursor || text[0] != '/')
        return;
    if (1 + name >= cursor) {
        for (const struct command_line *l = lines; l->name; l++)
            if (strncmp(l->name, text + 1, cursor - 1) == 0)
                editor_add_candidate(list, 1, l->name, NULL);
        return;
    }
    const struct command_line *l = find_line(text + 1, name);
    const size_t start = 1 + name + strspn(text + 1 + name, " ");
    if (l && l->takes_file && start <= cursor)
        complete_file(list, text, start, cursor);
    for (const struct option *o = options; l && l->run == do_set && start <= cursor && o->name; o++)
        if (can_be_set(o) && strncmp(o->name, text + start, cursor - start) == 0)
            editor_add_candidate(list, start, o->name, NULL);
}

/* What a command takes, while nothing else is there. */
static const char *hint(void *user, const char *text, size_t len)
{
    static char buffer[96];
    (void)user;

    if (len < 2 || text[0] != '/')
        return NULL;
    const size_t name = strcspn(text + 1, " ");
    const struct command_line *l = find_line(text + 1, name);
    if (!l || len > 2 + name)
        return NULL;
    snprintf(buffer, sizeof buffer, "%s%s%s  %s", len == 1 + name ? " " : "", l->arg ? l->arg : "",
             l->arg ? " " : "", l->help);
    return buffer;
}

/* ---- The loop -------------------------------------------------------------------------------- */

/* A message as it was typed. @return exit code; only what ends the chat is not EXIT_DONE */
static int take_message(struct chat *c, const char *text, size_t len)
{
    const bool quoted = editor_unquote(&text, &len);
    int code;

    if (!len && !c->attached.len)
        return EXIT_DONE;
    if (!quoted && len && text[0] == '/')
        code = run_line(c, text);
    else if (!bytes_add(&c->attached, text, len))
        code = out_of_memory();
    else {
        struct bytes message = c->attached;
        c->attached = (struct bytes){0};
        code = ask(c, bytes_text(&message), message.len);
        bytes_free(&message);
    }
    forget_interrupts();
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
        terminal_edit(c->terminal);
        const enum editor_event event = editor_read(c->editor, "> ", &text, &len);
        terminal_quiet(c->terminal);
        if (event == EDITOR_CANCEL && len == 0 && cancelled)
            break;
        if (event == EDITOR_CANCEL && len == 0)
            puts("(Ctrl-C again, Ctrl-D or /exit leaves)");
        cancelled = event == EDITOR_CANCEL;
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
    if (strcmp(t->name, "plain") == 0)
        puts("This model continues texts: what you write is the beginning, and it goes on.");
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
        .complete = complete,
        .hint = hint,
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

/* With --session: what was there before, and at the end what is there now. */
static int begin_session(struct chat *c)
{
    if (!c->args.session || access(c->args.session, F_OK) != 0)
        return EXIT_DONE;
    if (c->args.system)
        return usage_error("--system begins a conversation; %s holds one", c->args.session);
    return load(c, c->args.session);
}

static int end_session(struct chat *c)
{
    return c->args.session && c->talk.n ? do_save(c, c->args.session) : EXIT_DONE;
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
