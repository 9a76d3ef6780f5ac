/* conversation.h - a conversation with a model: its messages, their tokens, and the next answer.
 * It knows no terminal. */
#ifndef TRIT_TOOLS_CONVERSATION_H
#define TRIT_TOOLS_CONVERSATION_H

#include "open.h"

/* A message and its answer. The conversation owns the strings. */
struct exchange {
    char *text, *answer; /* with a NUL after each */
    size_t text_len, answer_len;
    int32_t begin; /* the number of tokens before it; -1: not known, since older ones left */
};

struct conversation {
    struct opened *o;
    const struct args *args; /* sampling and other settings, read again for every answer */
    struct trit_chat chat;
    char *system; /* or NULL */
    struct exchange *items;
    int32_t n_items, n_room;

    /* The tokens of the conversation as the model has seen them. The first n_keep are the BOS and
     * the system message. If n is 0 although there are exchanges, these are encoded again together
     * with the next message. */
    int32_t *ids, n, n_keep;
    bool resumed; /* ids begin with a loaded session, which no exchange describes */

    struct trit_generate_result last; /* of the last answer; n_prompt counts only new tokens */
    uint64_t seed;                    /* of the last answer */
    uint64_t n_asked;                 /* answers so far */
};

bool conversation_is_empty(const struct conversation *c);

/* Whether the model continues a text: a message is its beginning, and the answer its continuation
 * (template "plain"). */
bool conversation_continues(const struct conversation *c);

/* @return the limit of an answer, in tokens; -1: none */
int32_t conversation_max_tokens(const struct conversation *c);

/* How an answer ended. */
enum ask_result {
    ASK_ANSWERED,
    ASK_STOPPED,   /* interrupted; the answer so far is kept */
    ASK_ENDED,     /* the message was empty and so was the answer; nothing has changed */
    ASK_TAKEN_BACK /* interrupted before the answer began, or failed (after an error message). The
                    * conversation is as it was before, except for exchanges left out for room */
};

/* Receives each piece of the answer as it is generated. @return false to stop */
typedef bool (*answer_fn)(void *user, const char *text, size_t len);

/* Begin a conversation. o has an open session and tokenizer, and is borrowed, as is args; chat is
 * the template; system may be NULL. @return exit code; call conversation_close() either way */
int conversation_open(struct conversation *c, struct opened *o, const struct args *args,
                      const struct trit_chat *chat, const char *system);
void conversation_close(struct conversation *c);

/* Send a message and generate the answer. If the context is full, the oldest exchanges are left
 * out, with a note on stderr; with --on-full stop the message is refused instead.
 * *code: EXIT_DONE, EXIT_INTERRUPTED, or an exit code after an error message. */
enum ask_result conversation_ask(struct conversation *c, const char *text, size_t len, answer_fn fn,
                                 void *user, int *code);

/* Forget the last exchange. @return false: there is none, or the session was loaded and a shift
 * has removed the start of the exchange */
bool conversation_undo(struct conversation *c);

/* Forget everything, and begin again with this system message (NULL: none). @return exit code */
int conversation_begin(struct conversation *c, const char *system);

/* Replace the conversation by the session's tokens, whose messages are not known. */
void conversation_adopt(struct conversation *c);

/* Encode the exchanges into ids now, if that was to happen with the next message. @return exit
 * code */
int conversation_encode(struct conversation *c);

/* Evaluate the whole conversation, so that the session can be saved. @return exit code after an
 * error message, or EXIT_INTERRUPTED */
int conversation_sync(struct conversation *c);

#endif
