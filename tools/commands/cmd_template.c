/* cmd_template.c - trit template: the exact prompt for a conversation. A vocabulary-only file is
 * enough. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "input.h"
#include "json_write.h"
#include "open.h"
#include "plain_text.h"
#include "report.h"
#include "turns.h"

struct rendered {
    char *text;
    size_t len;
    int32_t *ids, n, n_keep;
};

static int render_turns(struct rendered *s, const struct opened *o, const struct trit_chat *chat,
                        const struct turns *t)
{
    struct trit_error err;

    if (trit_chat_render(chat, t->items, t->n, &s->text, &s->len, &err) ||
        trit_chat_encode(chat, o->tokenizer, t->items, t->n, &s->ids, &s->n, &s->n_keep, &err))
        return report(&err);
    return EXIT_DONE;
}

static int print_rendered(const struct rendered *s, const struct trit_chat *chat,
                          const struct args *args)
{
    if (args->json) {
        printf("{\"template\":\"%s\",\"why\":", chat->name);
        json_string(stdout, chat->why, strlen(chat->why));
        fputs(",\"text\":", stdout);
        json_string(stdout, s->text, s->len);
        fputs(",\"ids\":", stdout);
        json_ids(stdout, s->ids, s->n);
        printf(",\"keep\":%d}\n", s->n_keep);
    } else if (args->tokens.print_ids) {
        json_ids(stdout, s->ids, s->n);
        putchar('\n');
    } else {
        safe_text(stdout, s->text, s->len); /* no newline */
    }
    return finish_stdout();
}

int template_main(const struct args *args)
{
    struct opened o = {0};
    struct turns turns = {0};
    struct trit_chat chat;
    struct rendered seen = {0};
    char *text = NULL;
    size_t len = 0;

    const bool has_prompt =
        args->text.prompt || args->text.file || args->text.stdin_prompt || !args->chat.turns;
    int code = has_prompt ? read_prompt(&text, &len, &args->text) : EXIT_DONE;
    if (!code)
        code = build_turns(&turns, &args->chat, text, len);
    if (!code)
        code = open_file(&o, &args->model);
    if (!code)
        code = open_tokenizer(&o);
    if (!code)
        code = choose_template(&chat, &o, args);
    if (!code)
        code = render_turns(&seen, &o, &chat, &turns);
    if (!code)
        code = print_rendered(&seen, &chat, args);
    trit_free(seen.ids);
    trit_free(seen.text);
    free_turns(&turns);
    free(text);
    close_all(&o);
    return code;
}
