/* turns.h - the messages given by options, and the template that encodes them. */
#ifndef TRIT_TOOLS_TURNS_H
#define TRIT_TOOLS_TURNS_H

#include "open.h"
#include "trit_tools.h"

struct trit_json;

struct turns {
    struct trit_message *items;
    int32_t n;
    struct trit_json *tree; /* holds the texts of a file; or NULL */
};

/* Gather the messages: the system message of -s unless it is empty, those of the --turns file, and
 * the prompt unless it is NULL. Texts are borrowed.
 * @return exit code; call free_turns() either way */
int build_turns(struct turns *t, const struct chat_args *args, const char *prompt, size_t len);

/* The messages of an array of JSON, which holds their texts; where: for messages.
 * @return exit code; call free_turns() either way */
int parse_turns(struct turns *t, const struct trit_json_value *array, const char *where);

void free_turns(struct turns *t);

/* Choose the template of o's file, whose tokenizer is open: the one of that name, which may be a
 * built-in one, one of the file's or a file with a template; NULL: the model's. o keeps the text of
 * a file. args: --reasoning, which the template may ask for, as for the date. @return exit code */
int use_template(struct trit_chat *chat, struct opened *o, const char *name,
                 const struct args *args);

/* The same with --template. Describe it on stderr with -v, and for run --chat if the vocabulary
 * lacks its tokens. @return exit code */
int choose_template(struct trit_chat *chat, struct opened *o, const struct args *args);

/* Whether the template begins a thought, which the model goes on with: its prompt ends with
 * <think>. */
bool begins_with_thought(const struct trit_chat *chat);

/* Encode a user's turn after an answer: the end of that answer, the turn, the start of the next
 * answer. *ids is released with trit_free(), also after an error. @return exit code */
int encode_next_turn(const struct opened *o, const struct trit_chat *chat, const char *text,
                     size_t len, int32_t **ids, int32_t *n);

/* Gather the texts of --stop and the template's end texts. *stop is released with free().
 * @return exit code */
int gather_stops(const char ***stop, int32_t *n, const struct generate_args *args,
                 const struct trit_chat *chat);

#endif
