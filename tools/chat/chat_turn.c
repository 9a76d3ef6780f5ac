/* chat_turn.c - see chat_turn.h. */
#include "chat_turn.h"

#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "output.h"
#include "report.h"
#include "sampling.h"
#include "terminal.h"
#include "thoughts.h"
#include "turns.h"
#include "wrap.h"

/* An answer being shown. */
struct shown {
    struct wrap wrap;
    struct thoughts thoughts;
    bool is_thought, color;
};

/* A thought is dim, and a paragraph of its own. */
static bool show_part(void *user, const char *text, size_t len, bool is_thought)
{
    struct shown *s = user;

    if (is_thought != s->is_thought) {
        if (!wrap_finish(&s->wrap))
            return false;
        s->is_thought = is_thought;
        if (s->color)
            fputs(is_thought ? "\033[2m" : "\033[0m", s->wrap.f);
        if (!is_thought)
            fputc('\n', s->wrap.f);
    }
    return wrap_text(&s->wrap, text, len) && !interrupted();
}

static bool show_answer(void *user, const char *text, size_t len)
{
    struct shown *s = user;
    return thoughts_push(&s->thoughts, text, len, show_part, s);
}

/* @return false: as wrap_finish() */
static bool finish_answer(struct shown *s)
{
    bool ok = thoughts_finish(&s->thoughts, show_part, s);

    ok = wrap_finish(&s->wrap) && ok;
    if (s->is_thought && s->color)
        fputs("\033[0m", s->wrap.f);
    return ok;
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
    struct shown s = {.wrap = {.f = stdout, .columns = chat_columns()}, .color = c->color};
    int code;

    thoughts_begin(&s.thoughts, begins_with_thought(&c->talk.chat));
    *result = conversation_ask(&c->talk, text, len, show_answer, &s, &code);
    const bool shown = finish_answer(&s);
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
