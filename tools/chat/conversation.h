/* conversation.h - a conversation with a model: messages, their tokens, the next answer. */
#ifndef TRIT_TOOLS_CONVERSATION_H
#define TRIT_TOOLS_CONVERSATION_H

#include "bytes.h"
#include "open.h"

/* A message and its answer. */
struct exchange {
    struct bytes text, answer;
    int32_t begin; /* tokens before it; -1: unknown, as older ones were dropped or encoded again */
    int32_t *ids;  /* [n_ids] the tokens of the answer, or NULL: unknown */
    int32_t n_ids;
};

struct conversation {
    struct opened *o;
    const struct args *args; /* settings, read again for every answer */
    struct trit_chat chat;
    char *system; /* or NULL */
    struct exchange *items;
    int32_t n_items;

    /* The tokens of the conversation as the model has seen them. The first n_keep are the BOS and
     * the system message. If n is 0 although there are exchanges, the next message encodes them
     * again. */
    int32_t *ids, n, n_keep;
    bool resumed; /* ids begin with a loaded session, which is in no exchange */
    bool shifted; /* ids lack tokens that were dropped in the middle of an answer */

    /* Of the last answer; n_prompt counts only new tokens. */
    struct trit_generate_result last;
    uint64_t seed;
    uint64_t n_asked; /* answers so far */
};

bool conversation_is_empty(const struct conversation *c);

/* Whether the answer continues the message as one text (template "plain"). */
bool conversation_continues(const struct conversation *c);

/* @return the most tokens of an answer; -1: no limit */
int32_t conversation_max_tokens(const struct conversation *c);

/* How an answer ended. */
enum ask_result {
    ASK_ANSWERED,
    ASK_STOPPED,   /* interrupted; the answer so far is kept */
    ASK_ENDED,     /* the message and the answer were empty; nothing has changed */
    ASK_TAKEN_BACK /* interrupted before the answer began, or failed (after an error message). The
                    * conversation is unchanged, except for exchanges dropped to make room */
};

/* Receives each piece of the answer as it is generated. @return false to stop */
typedef bool (*answer_fn)(void *user, const char *text, size_t len);

/* Begin a conversation. o, with its open session and tokenizer, and args are borrowed; chat is the
 * template; system may be NULL. @return exit code; call conversation_close() either way */
int conversation_open(struct conversation *c, struct opened *o, const struct args *args,
                      const struct trit_chat *chat, const char *system);
void conversation_close(struct conversation *c);

/* Send a message and generate the answer. If the context is full, drop the oldest exchanges, with a
 * note on stderr, or with --on-full stop refuse the message.
 * *code: EXIT_DONE, EXIT_INTERRUPTED, or an exit code after an error message. */
enum ask_result conversation_ask(struct conversation *c, const char *text, size_t len, answer_fn fn,
                                 void *user, int *code);

/* Remove the last exchange. text: receives its message, to be released with bytes_free(); or NULL.
 * @return false: no exchange, or its start has been dropped from a loaded session */
bool conversation_undo(struct conversation *c, struct bytes *text);

/* Forget everything and begin again. system may be NULL, "" or c->system. @return exit code */
int conversation_begin(struct conversation *c, const char *system);

/* Replace the conversation with the session's tokens, whose messages are unknown. */
void conversation_adopt(struct conversation *c);

/* Encode the exchanges now, if the next message would encode them again. @return exit code */
int conversation_encode(struct conversation *c);

/* Evaluate the whole conversation, so that the session can be saved. @return exit code, after an
 * error message unless it is EXIT_INTERRUPTED */
int conversation_sync(struct conversation *c);

#endif
