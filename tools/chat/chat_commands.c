/* chat_commands.c - see chat_commands.h. A table, and a function for each row. */
#define _POSIX_C_SOURCE 200809L

#include "chat_commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complete_path.h"
#include "input.h"
#include "options.h"
#include "output.h"
#include "plain_text.h"
#include "report.h"
#include "resume.h"
#include "turns.h"
#include "wrap.h"

struct slash_command {
    const char *name, *arg, *help;               /* arg: its argument in the help; or NULL */
    bool takes_file;                             /* arg is a required file name */
    int (*run)(struct chat *c, const char *arg); /* arg: without blanks around it; "": not given */
};

static int do_exit(struct chat *c, const char *arg)
{
    (void)arg;
    c->leave = true;
    return EXIT_DONE;
}

static int restart_conversation(struct chat *c, const char *system)
{
    bytes_free(&c->attached);
    return conversation_begin(&c->talk, system);
}

static int do_clear(struct chat *c, const char *arg)
{
    (void)arg;
    const int code = restart_conversation(c, c->talk.system);
    if (!code)
        puts("(conversation cleared)");
    return code;
}

static int do_system(struct chat *c, const char *arg)
{
    if (!*arg) {
        safe_printf(stdout, "%s\n",
                    c->talk.resumed ? "(the loaded conversation has one, but its text is not known)"
                    : c->talk.system ? c->talk.system
                                     : "(no system message)");
        return EXIT_DONE;
    }
    const bool was_empty = conversation_is_empty(&c->talk);
    const int code = restart_conversation(c, arg);
    if (!code)
        puts(was_empty ? "(system message set)" : "(new conversation)");
    return code;
}

static int do_undo(struct chat *c, const char *arg)
{
    (void)arg;
    puts(conversation_undo(&c->talk, NULL) ? "(removed the last message and its answer)"
                                           : "(nothing to undo)");
    return EXIT_DONE;
}

/* Undo the last exchange and take its message. A request for more of a text that has been dropped
 * since is not a message. @return false, after saying so: none; *text is released in any case */
static bool undo_message(struct chat *c, struct bytes *text)
{
    const struct conversation *t = &c->talk;
    const bool any = t->n_items > 1 || (t->n_items && (t->resumed || t->items[0].text.len));

    *text = (struct bytes){0};
    if (any && conversation_undo(&c->talk, text))
        return true;
    puts("(no message yet)");
    return false;
}

static int do_regen(struct chat *c, const char *arg)
{
    enum ask_result result = ASK_ANSWERED;
    struct bytes text;
    int code = EXIT_DONE;
    (void)arg;

    if (undo_message(c, &text))
        code = chat_ask(c, text.data, text.len, &result);
    if (!code && result == ASK_TAKEN_BACK)
        code = chat_put_back(c, text.data, text.len);
    bytes_free(&text);
    return code;
}

static int do_edit(struct chat *c, const char *arg)
{
    struct bytes text;
    (void)arg;
    const int code = undo_message(c, &text) ? chat_put_back(c, text.data, text.len) : EXIT_DONE;
    bytes_free(&text);
    return code;
}

static int do_read(struct chat *c, const char *arg)
{
    enum { MOST = 4 << 20 };
    char *text = NULL;
    size_t len = 0;

    int code = read_file(&text, &len, arg, MOST);
    if (!code && (!bytes_add(&c->attached, text, len) ||
                  (len && text[len - 1] != '\n' && !bytes_add(&c->attached, "\n", 1))))
        code = out_of_memory();
    free(text);
    if (!code)
        printf("(%zu bytes will be put before your next message)\n", len);
    return code;
}

int chat_save(struct chat *c, const char *path)
{
    struct output out;
    int code = conversation_sync(&c->talk);

    if (code == EXIT_INTERRUPTED)
        fputs("(stopped; nothing was saved)\n", stderr);
    if (code)
        return code;
    if (!c->talk.n)
        return usage_error("nothing to save yet");
    code = open_private_output(&out, path);
    if (!code)
        code = save_session(c->o.session, &out);
    code = close_output(&out, code);
    if (!code)
        printf("(saved: %d tokens)\n", trit_session_n_tokens(c->o.session));
    return code;
}

/* Print the end of a loaded conversation, to show the user where it stopped. */
static int show_tail(const struct chat *c)
{
    enum { TAIL = 60 };
    const int32_t n = c->talk.n, first = n > TAIL ? n - TAIL : 0;
    struct wrap wrap = {.f = stdout, .columns = chat_columns()};
    struct bytes tail = {0};
    bool ok = true;

    for (int32_t i = first; i < n && ok; i++) {
        const struct trit_string s = trit_tokenizer_piece(c->o.tokenizer, c->talk.ids[i], true);
        ok = bytes_add(&tail, s.bytes, s.len);
    }
    const char *text = bytes_text(&tail);
    size_t len = tail.len;
    for (; first && len && ((unsigned char)*text & 0xC0) == 0x80; len--)
        text++; /* the first token may begin within a character */
    ok = ok && wrap_text(&wrap, first ? "… " : "", first ? strlen("… ") : 0) &&
         wrap_text(&wrap, text, len);
    ok = wrap_finish(&wrap) && ok;
    bytes_free(&tail);
    return ok || ferror(stdout) ? EXIT_DONE : out_of_memory();
}

int chat_load(struct chat *c, const char *path)
{
    const int code = load_session(c->o.session, path, false);

    if (code == EXIT_INTERRUPTED)
        fputs("(stopped; nothing changed)\n", stderr);
    if (code)
        return code;
    bytes_free(&c->attached);
    conversation_adopt(&c->talk);
    printf("(loaded: %d tokens)\n", c->talk.n);
    return show_tail(c);
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
        const int code = named && arg[len]
                             ? cli_set(&c->args, o, arg + len + strspn(arg + len, " "))
                             : EXIT_DONE;
        if (code)
            return code;
        if (named || !*arg)
            show_setting(c, o);
        if (named)
            return EXIT_DONE;
    }
    return *arg ? usage_error("unknown setting '%.*s'; /set lists them", (int)len, arg) : EXIT_DONE;
}

/* ---- Information ----------------------------------------------------------------------------- */

static int do_context(struct chat *c, const char *arg)
{
    const struct conversation *t = &c->talk;
    const int32_t n_ctx = trit_session_n_ctx(c->o.session);
    const int code = conversation_encode(&c->talk);
    (void)arg;

    if (code)
        return code;
    printf("%d of %d tokens used, %d left; %d exchange%s%s\n", t->n < n_ctx ? t->n : n_ctx, n_ctx,
           n_ctx > t->n ? n_ctx - t->n : 0, t->n_items, t->n_items == 1 ? "" : "s",
           t->resumed ? " since loading" : "");
    if (!t->resumed && t->n_items && t->items[0].begin >= 0 &&
        (t->n_items == 1 || t->items[1].begin >= 0))
        printf("when full, the oldest exchange (%d tokens) is dropped first\n",
               (t->n_items == 1 ? t->n : t->items[1].begin) -
                   (t->items[0].begin > t->n_keep ? t->items[0].begin : t->n_keep));
    return EXIT_DONE;
}

static int do_stats(struct chat *c, const char *arg)
{
    (void)arg;
    if (c->talk.n_asked)
        chat_show_stats(c);
    else
        puts("(no answer yet)");
    return EXIT_DONE;
}

static int do_template(struct chat *c, const char *arg)
{
    struct trit_chat chat;
    const int code = *arg ? use_template(&chat, &c->o, arg, &c->args) : EXIT_DONE;

    if (code)
        return code;
    if (*arg) {
        c->talk.chat = chat;
        if (c->talk.n)
            puts("(used from the next message on)");
    }
    safe_printf(stdout, "%s: %s\n", c->talk.chat.name, c->talk.chat.why);
    return EXIT_DONE;
}

static int do_export(struct chat *c, const char *arg)
{
    const struct conversation *t = &c->talk;
    struct output out;

    int code = open_output(&out, arg);
    if (code)
        return close_output(&out, code);
    errno = 0;
    if (t->system && !t->resumed)
        fprintf(out.f, "**System:** %s\n\n", t->system);
    const bool one_text = conversation_continues(t);
    for (int32_t i = 0; i < t->n_items; i++) {
        fprintf(out.f, "%s", one_text ? "" : "**You:** ");
        fwrite(bytes_text(&t->items[i].text), 1, t->items[i].text.len, out.f);
        fprintf(out.f, "%s", one_text ? "" : "\n\n**Model:** ");
        fwrite(bytes_text(&t->items[i].answer), 1, t->items[i].answer.len, out.f);
        fprintf(out.f, "%s", one_text ? "" : "\n\n");
    }
    if (one_text)
        fputc('\n', out.f);
    code = close_output(&out, ferror(out.f) ? write_error(arg) : EXIT_DONE);
    if (!code)
        printf("(exported: %d exchange%s)\n", t->n_items, t->n_items == 1 ? "" : "s");
    return code;
}

static int do_help(struct chat *c, const char *arg);

static const struct slash_command slash_commands[] = {
    {"help", NULL, "show this help", false, do_help},
    {"exit", NULL, "leave (also Ctrl-D)", false, do_exit},
    {"clear", NULL, "clear the conversation, but keep the system message", false, do_clear},
    {"system", "[TEXT]", "show the system message, or start again with TEXT", false, do_system},
    {"undo", NULL, "remove the last message and its answer", false, do_undo},
    {"regen", NULL, "generate another answer to the last message", false, do_regen},
    {"edit", NULL, "edit the last message and send it again", false, do_edit},
    {"read", "FILE", "put a file before your next message", true, do_read},
    {"save", "FILE", "save the conversation, with the model's state", true, chat_save},
    {"load", "FILE", "load a saved conversation and continue it", true, chat_load},
    {"set", "[NAME [VALUE]]", "show or change the sampling settings", false, do_set},
    {"context", NULL, "show how full the context is", false, do_context},
    {"stats", NULL, "show the speed of the last answer", false, do_stats},
    {"template", "[NAME]", "show or change the chat template", false, do_template},
    {"export", "FILE.md", "write the conversation as Markdown", true, do_export},
    {0},
};

static int do_help(struct chat *c, const char *arg)
{
    (void)c, (void)arg;
    for (const struct slash_command *l = slash_commands; l->name; l++) {
        const int n = printf("/%s %s", l->name, l->arg ? l->arg : "");
        printf("%*s%s\n", n < 20 ? 20 - n : 1, "", l->help);
    }
    puts("Alt-Enter starts a new line; \"\"\" begins and ends a message of several lines;\n"
         "Ctrl-C stops the answer.");
    return EXIT_DONE;
}

static const struct slash_command *find_slash_command(const char *name, size_t len)
{
    for (const struct slash_command *l = slash_commands; l->name; l++)
        if (strlen(l->name) == len && memcmp(l->name, name, len) == 0)
            return l;
    return NULL;
}

/* Copy an argument without the blanks at its end, ~/ of a file name replaced by the home folder.
 * @return NULL: no memory; release with free() */
static char *copy_argument(const struct slash_command *l, const char *arg)
{
    const char *home = l->takes_file && strncmp(arg, "~/", 2) == 0 ? getenv("HOME") : NULL;
    struct bytes copy = {0};
    size_t n = strlen(arg);

    while (n && (arg[n - 1] == ' ' || arg[n - 1] == '\n'))
        n--;
    if (bytes_add(&copy, arg, n) && home && !bytes_replace(&copy, 0, 1, home, strlen(home)))
        bytes_free(&copy);
    return copy.data;
}

int chat_command(struct chat *c, const char *text)
{
    const size_t len = strcspn(text + 1, " \n");
    const struct slash_command *l = find_slash_command(text + 1, len);

    if (!l)
        return usage_error("unknown command '/%.*s'; /help lists them", (int)len, text + 1);
    char *arg = copy_argument(l, text + 1 + len + strspn(text + 1 + len, " \n"));
    if (!arg)
        return out_of_memory();
    int code;
    if (*arg && !l->arg)
        code = usage_error("/%s takes no argument", l->name);
    else if (!*arg && l->takes_file)
        code = usage_error("/%s needs %s", l->name, l->arg);
    else
        code = l->run(c, arg);
    free(arg);
    return code;
}

/* ---- Completion and hints -------------------------------------------------------------------- */

void chat_complete(void *user, const char *text, size_t len, size_t cursor,
                   struct editor_candidates *list)
{
    const size_t name = cursor ? strcspn(text + 1, " ") : 0;
    (void)user, (void)len;

    if (!cursor || text[0] != '/')
        return;
    if (1 + name >= cursor) {
        for (const struct slash_command *l = slash_commands; l->name; l++)
            if (strncmp(l->name, text + 1, cursor - 1) == 0)
                editor_add_candidate(list, 1, l->name, NULL);
        return;
    }
    const struct slash_command *l = find_slash_command(text + 1, name);
    const size_t start = 1 + name + strspn(text + 1 + name, " ");
    if (l && l->takes_file && start <= cursor)
        complete_file(list, text, start, cursor);
    for (const struct option *o = options; l && l->run == do_set && start <= cursor && o->name; o++)
        if (can_be_set(o) && strncmp(o->name, text + start, cursor - start) == 0)
            editor_add_candidate(list, start, o->name, NULL);
}

/* Show a command's argument and help until the argument begins. */
const char *chat_hint(void *user, const char *text, size_t len)
{
    static char buffer[96];
    (void)user;

    if (len < 2 || text[0] != '/')
        return NULL;
    const size_t name = strcspn(text + 1, " ");
    const struct slash_command *l = find_slash_command(text + 1, name);
    if (!l || len > 2 + name)
        return NULL;
    snprintf(buffer, sizeof buffer, "%s%s%s  %s", len == 1 + name ? " " : "", l->arg ? l->arg : "",
             l->arg ? " " : "", l->help);
    return buffer;
}
