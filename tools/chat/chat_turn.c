/* chat_turn.c - see chat_turn.h. */
#include "chat_turn.h"

#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "output.h"
#include "report.h"
#include "sampling.h"
#include "terminal.h"
#include "wrap.h"

static bool show_answer(void *user, const char *text, size_t len)
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

/* Print how an answer ended, unless it ended normally. */
static void show_ending(const struct chat *c, size_t len, enum ask_result result, int code)
{
    const struct conversation *t = &c->talk;

    if (result == ASK_TAKEN_BACK) {
        if (!code || code == EXIT_INTERRUPTED)
            fputs(len ? "(stopped; your message is back in the input line)\n" : "(stopped)\n",
                  stderr);
        return;
    }
    if (result == ASK_STOPPED)
        fputs("(stopped)\n", stderr);
    else if (t->last.finish == TRIT_FINISH_CONTEXT)
        fprintf(stderr,
                "trit: the context of %d tokens is full; /clear starts a new conversation\n",
                trit_session_n_ctx(c->o.session));
    else if (result == ASK_ENDED)
        fputs("(the text has ended)\n", stderr);
    else if (t->items[t->n_items - 1].answer.len == 0)
        fputs("(empty answer)\n", stderr);
    if (c->args.verbose)
        chat_show_stats(c);
}

int chat_ask(struct chat *c, const char *text, size_t len, enum ask_result *result)
{
    struct wrap wrap = {.f = stdout, .columns = chat_columns()};
    int code;

    *result = conversation_ask(&c->talk, text, len, show_answer, &wrap, &code);
    const bool shown = wrap_finish(&wrap);
    show_ending(c, len, *result, code);
    forget_interrupts();
    if (!shown && !ferror(stdout))
        return out_of_memory();
    return ferror(stdout) ? write_error("stdout") : EXIT_DONE;
}

/* A message that would be read as a command or as quoted is put between """. */
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
