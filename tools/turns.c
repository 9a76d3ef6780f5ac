/* turns.c - see turns.h. */
#include "turns.h"

#include <stdlib.h>
#include <string.h>

int build_turns(struct turns *t, const struct args *args, const char *prompt, size_t len)
{
    *t = (struct turns){.items = malloc(2 * sizeof *t->items)};
    if (!t->items)
        return out_of_memory();
    if (args->system && *args->system)
        t->items[t->n++] =
            (struct trit_message){TRIT_ROLE_SYSTEM, {args->system, strlen(args->system)}};
    t->items[t->n++] = (struct trit_message){TRIT_ROLE_USER, {prompt, len}};
    return EXIT_DONE;
}

void free_turns(struct turns *t)
{
    free(t->items);
    *t = (struct turns){0};
}

int choose_template(struct trit_chat *chat, const struct opened *o, const struct args *args)
{
    struct trit_error err;

    if (trit_chat_choose(chat, o->file, o->tokenizer, args->template_name, &err))
        return report(&err);
    const bool warn = args->chat && !args->quiet;
    if (args->verbose || (warn && (chat->guessed || chat->missing_markers)))
        fprintf(stderr, "%s: template %s: %s\n", args->model, chat->name, chat->why);
    if (warn && chat->base)
        fprintf(stderr, "trit: %s looks like a base model; answers may run on\n", args->model);
    return EXIT_DONE;
}
