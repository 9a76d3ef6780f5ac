/* turns.h - the conversation that options describe, and the template that it is put into. */
#ifndef TRIT_TOOLS_TURNS_H
#define TRIT_TOOLS_TURNS_H

#include "common.h"

struct trit_json;

struct turns {
    struct trit_message *items;
    int32_t n;
    struct trit_json *tree; /* that holds the texts of a file, or NULL */
};

/* What -s, --turns and the prompt say: a system message, unless it is empty, those of the file, and
 * the user's, unless prompt is NULL. Texts are borrowed. @return exit code; free either way. */
int build_turns(struct turns *t, const struct args *args, const char *prompt, size_t len);
void free_turns(struct turns *t);

/* Choose the template of o's file, whose tokenizer is open, and say what there is to say about it:
 * with -v always, with run's --chat where answers may suffer. @return exit code */
int choose_template(struct trit_chat *chat, const struct opened *o, const struct args *args);

/* A turn that follows an answer, which the timeline ends with: what closes the answer, the turn,
 * and what begins the next answer. *ids is released with free(), also after an error. @return exit
 * code */
int encode_next_turn(const struct opened *o, const struct trit_chat *chat, const char *text,
                     size_t len, int32_t **ids, int32_t *n);

/* --stop, and the template's stop texts, which stand for an end token. *stop is released with
 * free(). @return exit code */
int gather_stops(const char ***stop, int32_t *n, const struct args *args,
                 const struct trit_chat *chat);

#endif
