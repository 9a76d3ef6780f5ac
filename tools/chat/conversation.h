/* conversation.h - a conversation with a model: its messages, their tokens, and the next answer.
 * It knows no terminal. */
#ifndef TRIT_TOOLS_CONVERSATION_H
#define TRIT_TOOLS_CONVERSATION_H

#include "common.h"

/* A message and the answer to it. Texts are the conversation's. */
struct exchange {
    char *text, *answer; /* a NUL behind each */
    size_t text_len, answer_len;
    int32_t begin; /* tokens before it; -1: not known, as the oldest were left out since */
};

struct conversation {
    struct opened *o;
    const struct args *args; /* sampling and the like, as they are now */
    struct trit_chat chat;
    char *system; /* or NULL */
    struct exchange *items;
    int32_t n_items, n_room;

    /* What has been said, as the model has seen it; of it the BOS and a system message. None,
     * although there are messages: these are encoded anew with the next one. */
    int32_t *ids, n, n_keep;
    bool resumed; /* they begin with what no exchange says: a loaded session */

    struct trit_generate_result last; /* of the last answer; n_prompt counts what was new */
    uint64_t seed;                    /* of the last answer */
    uint64_t n_asked;
};

bool conversation_is_empty(const struct conversation *c);

/* What is said is the beginning of a text, and an answer goes on with it. */
bool conversation_continues(const struct conversation *c);

/* Of an answer; -1: it ends by itself. */
int32_t conversation_max_tokens(const struct conversation *c);

/* How an answer ended. */
enum ask_result {
    ASK_ANSWERED,
    ASK_STOPPED,   /* interrupted: what was said so far is kept as the answer */
    ASK_ENDED,     /* nothing was said to go on with, and nothing followed: all is as before */
    ASK_TAKEN_BACK /* interrupted before it began, or not possible (after a message): but for what
                      had to be left out, the conversation is as it was before the question */
};

/* Receives the answer as it comes. @return false to stop */
typedef bool (*answer_fn)(void *user, const char *text, size_t len);

/* o has a session and a tokenizer, chat is chosen. @return exit code; release either way */
int conversation_open(struct conversation *c, struct opened *o, const struct args *args,
                      const struct trit_chat *chat, const char *system);
void conversation_close(struct conversation *c);

/* Say something and generate the answer. Where the context is full the oldest exchanges are left
 * out, which is announced on stderr, or with --on-full stop the message is refused.
 * *code: EXIT_DONE; EXIT_INTERRUPTED; or what went wrong, after a message. */
enum ask_result conversation_ask(struct conversation *c, const char *text, size_t len, answer_fn fn,
                                 void *user, int *code);

/* Forget the last exchange. @return false: there is none, or a shift went over its beginning in a
 * loaded session */
bool conversation_undo(struct conversation *c);

/* Forget all of it, and begin anew with that system message (NULL: none). @return exit code */
int conversation_begin(struct conversation *c, const char *system);

/* The session's timeline in the place of what was said; its messages are not known. */
void conversation_adopt(struct conversation *c);

/* Make ids what has been said, where its messages were to be encoded anew with the next one.
 * @return exit code */
int conversation_encode(struct conversation *c);

/* Evaluate what has been said, so that a session that is saved holds it. @return exit code after a
 * message, or EXIT_INTERRUPTED */
int conversation_sync(struct conversation *c);

#endif
