/* turns.c - see turns.h. */
#include "turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "input.h"
#include "plain_text.h"
#include "report.h"
#include "trit_tools.h"

enum { MAX_TEMPLATE = 1 << 20 };

static void append_turn(struct turns *t, trit_role role, struct trit_string text)
{
    t->items[t->n++] = (struct trit_message){role, text};
}

/* ---- A file of turns ------------------------------------------------------------------------- */

static bool parse_role(trit_role *role, struct trit_string name)
{
    static const char *const names[] = {
        [TRIT_ROLE_SYSTEM] = "system",
        [TRIT_ROLE_USER] = "user",
        [TRIT_ROLE_ASSISTANT] = "assistant",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name.len == strlen(names[i]) && memcmp(name.bytes, names[i], name.len) == 0) {
            *role = (trit_role)i;
            return true;
        }
    return false;
}

static int turn_error(const char *where, int number, const char *why)
{
    return file_error("%s: turn %d %s; turns are [{\"role\": \"user\", \"content\": \"…\"}, …]",
                      where, number, why);
}

/* Room for all messages of an array, and two more. */
static int make_room(struct turns *t, const struct trit_json_value *array)
{
    t->items = malloc((trit_json_count(array) + 2) * sizeof *t->items);
    return t->items ? EXIT_DONE : out_of_memory();
}

static int append_turns(struct turns *t, const struct trit_json_value *array, const char *where)
{
    int number = 1;

    for (const struct trit_json_value *v = trit_json_first(array); v;
         v = trit_json_next(v), number++) {
        const struct trit_json_value *content = trit_json_member(v, "content");
        trit_role role;
        if (trit_json_type_of(v) != TRIT_JSON_OBJECT)
            return turn_error(where, number, "is not an object");
        if (!parse_role(&role, trit_json_text(trit_json_member(v, "role"))))
            return turn_error(where, number, "needs a role: system, user or assistant");
        if (trit_json_type_of(content) != TRIT_JSON_STRING)
            return turn_error(where, number, "needs a content string");
        append_turn(t, role, trit_json_text(content));
    }
    return EXIT_DONE;
}

int parse_turns(struct turns *t, const struct trit_json_value *array, const char *where)
{
    *t = (struct turns){0};
    if (trit_json_type_of(array) != TRIT_JSON_ARRAY)
        return file_error("%s: the messages are not an array", where);
    const int code = make_room(t, array);
    return code ? code : append_turns(t, array, where);
}

static int read_turns_file(struct turns *t, const char *path)
{
    struct trit_error err;
    char *text = NULL;
    size_t len = 0;
    int code = read_file(&text, &len, path, TRIT_JSON_MAX_BYTES);

    if (!code && trit_json_read(&t->tree, text, len, &err)) {
        code = file_error("%s: %s", path, err.text);
        if (err.code == TRIT_E_MEMORY)
            code = EXIT_MEMORY;
    }
    free(text);
    if (!code && trit_json_type_of(trit_json_root(t->tree)) != TRIT_JSON_ARRAY)
        code = file_error("%s is not an array of turns", path);
    return code;
}

/* ---- All messages ---------------------------------------------------------------------------- */

int build_turns(struct turns *t, const struct chat_args *args, const char *prompt, size_t len)
{
    int code = EXIT_DONE;

    *t = (struct turns){0};
    if (args->turns)
        code = read_turns_file(t, args->turns);
    if (!code)
        code = make_room(t, trit_json_root(t->tree));
    if (code)
        return code;
    if (args->system && *args->system)
        append_turn(t, TRIT_ROLE_SYSTEM, (struct trit_string){args->system, strlen(args->system)});
    if (args->turns)
        code = append_turns(t, trit_json_root(t->tree), args->turns);
    if (prompt)
        append_turn(t, TRIT_ROLE_USER, (struct trit_string){prompt, len});
    return code;
}

void free_turns(struct turns *t)
{
    trit_json_free(&t->tree);
    free(t->items);
    *t = (struct turns){0};
}

/* Read a template from a file. *text is NULL if there is no such file. @return exit code */
static int read_template(char **text, const char *path)
{
    size_t len;

    *text = NULL;
    return access(path, R_OK) == 0 ? read_file(text, &len, path, MAX_TEMPLATE) : EXIT_DONE;
}

/* What a template may ask for. */
static void set_input(struct trit_chat *chat, const struct args *args)
{
    const char *reasoning = args->chat.reasoning;

    chat->enable_thinking = !reasoning || strcmp(reasoning, "auto") == 0 ? -1
                            : strcmp(reasoning, "on") == 0               ? 1
                                                                         : 0;
    chat->has_now = true;
    chat->now = local_time();
}

int use_template(struct trit_chat *chat, struct opened *o, const char *name,
                 const struct args *args)
{
    struct trit_error err, unreadable;
    char *text = NULL;
    trit_status status = trit_chat_choose(chat, o->file, o->tokenizer, name, &err);

    if (status == TRIT_E_ARGUMENT && name) {
        const int code = read_template(&text, name);
        if (code)
            return code;
        const trit_status read =
            text ? trit_chat_choose(chat, o->file, o->tokenizer, text, &unreadable) : status;
        if (read == TRIT_OK) {
            free(o->template_text);
            o->template_text = text;
        } else {
            free(text);
        }
        if (read != TRIT_OK && read != TRIT_E_ARGUMENT)
            err = unreadable;
        status = read;
    }
    if (status)
        return report(&err);
    set_input(chat, args);
    return EXIT_DONE;
}

int choose_template(struct trit_chat *chat, struct opened *o, const struct args *args)
{
    const int code = use_template(chat, o, args->chat.template_name, args);

    if (code)
        return code;
    const bool warn = args->run.chat && !args->quiet;
    if (args->verbose || (warn && chat->missing_markers))
        safe_printf(stderr, "%s: template %s: %s\n", args->model.path, chat->name, chat->why);
    if (warn && chat->base)
        safe_printf(
            stderr,
            "trit: %s looks like a base model: it was not trained to answer, and may not stop "
            "by itself\n",
            args->model.path);
    if (chat->enable_thinking >= 0 && !chat->knows_thinking && !args->quiet)
        fprintf(stderr,
                "trit: --reasoning %s has no effect: the template %s does not know "
                "enable_thinking\n",
                args->chat.reasoning, chat->name);
    return EXIT_DONE;
}

bool begins_with_thought(const struct trit_chat *chat)
{
    static const char marker[] = "<think>";
    const struct trit_message m = {TRIT_ROLE_USER, {"x", 1}};
    char *text;
    size_t len;

    if (trit_chat_render(chat, &m, 1, &text, &len, NULL))
        return false;
    while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
        len--;
    const size_t n = sizeof marker - 1;
    const bool begins = len >= n && memcmp(text + len - n, marker, n) == 0;
    trit_free(text);
    return begins;
}

/* A mark among ids. */
enum { ANSWER = -2 };

int encode_next_turn(const struct opened *o, const struct trit_chat *chat, const char *text,
                     size_t len, int32_t **ids, int32_t *n)
{
    const int32_t mark = ANSWER;
    const struct trit_message turns[] = {
        {TRIT_ROLE_USER, {"x", 1}}, {TRIT_ROLE_ASSISTANT, {"x", 1}}, {TRIT_ROLE_USER, {text, len}}};
    const struct trit_answer_ids answers[] = {{NULL, 0}, {&mark, 1}, {NULL, 0}};
    struct trit_error err;
    int32_t end = 0;

    if (trit_chat_encode_answers(chat, o->tokenizer, turns, answers, 3, ids, n, NULL, &err))
        return report(&err);
    while (end < *n && (*ids)[end] != ANSWER)
        end++;
    if (end == *n)
        return file_error("the chat template %s drops answers, so a loaded conversation cannot be "
                          "continued with it",
                          chat->name);
    *n -= end + 1;
    memmove(*ids, *ids + end + 1, (size_t)*n * sizeof **ids);
    return EXIT_DONE;
}

int gather_stops(const char ***stop, int32_t *n, const struct generate_args *args,
                 const struct trit_chat *chat)
{
    *stop = malloc(((size_t)args->stop.n + (size_t)chat->n_stop + 1) * sizeof **stop);
    *n = 0;
    if (!*stop)
        return out_of_memory();
    for (int i = 0; i < args->stop.n; i++)
        (*stop)[(*n)++] = args->stop.items[i];
    for (int i = 0; i < chat->n_stop && !args->ignore_eos; i++)
        (*stop)[(*n)++] = chat->stop[i];
    return EXIT_DONE;
}
